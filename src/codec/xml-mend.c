// SPDX-License-Identifier: EUPL-1.2
/* Mends characters that XML cannot hold: see xml-mend.h. */
#include "codec/xml-mend.h"

#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd";

bool xml_is_mended(const char *text)
{
    return strstr(text, replacement) != NULL;
}

static bool can_stand(unsigned long c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xd800) ||
           (c >= 0xe000 && c < 0xfffe) || (c > 0xffff && c < 0x110000);
}

/* Whether more bytes may make what is held something to mend. */
static bool may_go_on(const struct xml_mender *m)
{
    const char *h = m->held;
    size_t n = m->held_length;

    if ((unsigned char)h[0] == 0xef)
        return n == 1 || (n == 2 && (unsigned char)h[1] == 0xbf);
    if (n == 1)
        return true;
    if (h[1] != '#' || n == sizeof(m->held))
        return false;
    return n == 2 || (strchr("0123456789abcdefABCDEFx", h[n - 1]) && h[n - 1]);
}

/* Whether what is held, now that it is complete, cannot stand. */
static bool is_wrong(const struct xml_mender *m)
{
    const unsigned char *h = (const unsigned char *)m->held;
    char number[sizeof(m->held)];
    char *end;

    if (h[0] == 0xef)
        return m->held_length == 3 && h[1] == 0xbf && (h[2] == 0xbe || h[2] == 0xbf);
    if (h[0] != '&')
        return !can_stand(h[0]);
    if (m->held_length < 4 || h[1] != '#' || h[m->held_length - 1] != ';')
        return false;
    bool hex = h[2] == 'x';
    size_t from = hex ? 3 : 2, length = m->held_length - 1 - from;
    memcpy(number, m->held + from, length);
    number[length] = '\0';
    unsigned long c = strtoul(number, &end, hex ? 16 : 10);
    return length && !*end && !can_stand(c);
}

static int let_go(struct xml_mender *m, struct call *call)
{
    bool wrong = is_wrong(m);
    size_t n = m->held_length;

    m->held_length = 0;
    m->mended = m->mended || wrong;
    return wrong ? sink_write(m->to, replacement, sizeof(replacement) - 1, call)
                 : sink_write(m->to, m->held, n, call);
}

static bool is_suspect(unsigned char c)
{
    return c == '&' || c == 0xef || !can_stand(c);
}

static int mend(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct xml_mender *m = container_of(sink, struct xml_mender, sink);
    const char *at = bytes, *end = at + n;

    while (at < end) {
        const char *from = at;
        if (m->held_length == 0) {
            while (at < end && !is_suspect((unsigned char)*at))
                at++;
            if (at > from && sink_write(m->to, from, (size_t)(at - from), call) < 0)
                return -1;
            if (at == end)
                return 0;
            m->held[m->held_length++] = *at++;
            if (!can_stand((unsigned char)m->held[0]) && let_go(m, call) < 0)
                return -1;
            continue;
        }
        if (is_suspect((unsigned char)*at)) { /* begins anew */
            if (let_go(m, call) < 0)
                return -1;
            continue;
        }
        m->held[m->held_length++] = *at++;
        if (!may_go_on(m) && let_go(m, call) < 0)
            return -1;
    }
    return 0;
}

void xml_mender_init(struct xml_mender *m, struct sink *to)
{
    *m = (struct xml_mender){.sink = {mend}, .to = to};
}

int xml_mender_finish(struct xml_mender *m, struct call *call)
{
    return m->held_length ? let_go(m, call) : 0;
}
