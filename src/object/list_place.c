// SPDX-License-Identifier: EUPL-1.2
/* Places in a listing: see list_place.h. */
#include "object/list_place.h"

#include <string.h>

#include "codec/base64.h"
#include "object/fault.h"

#define TEXT_MAX (16 * 1024)

/* kind, current and version stand before the name, which may hold anything. */
static const char kinds[] = "arp";

void list_place_release(struct list_place *p)
{
    free(p->name);
    free(p->version);
    *p = (struct list_place){0};
}

void list_place_set(struct list_place *p, enum place_kind kind, const char *name, int64_t current,
                    const char *version)
{
    struct list_place fresh = {kind, xstrdup(name), current, xstrdup(version ? version : "")};

    list_place_release(p);
    *p = fresh;
}

char *list_place_write(const struct list_place *p)
{
    size_t room = strlen(p->name) + strlen(p->version) + 8;
    auto_buf struct buf plain = BUF_INIT(room);
    auto_buf struct buf text = BUF_INIT(BASE64_SIZE(room) + 1);

    buf_printf(&plain, "%c%c%s ", kinds[p->kind], p->current > 0 ? '1' : '0', p->version);
    buf_text(&plain, p->name);
    base64url_encode(&text, plain.data, plain.length);
    return buf_take(&text);
}

int list_place_read(const char *text, struct list_place *ret, struct err *e)
{
    auto_buf struct buf plain = BUF_INIT(TEXT_MAX);

    if (base64url_decode(text, strlen(text), &plain, e) < 0 || plain.length < 3 ||
        strlen(plain.data) != plain.length)
        return fault_set(e, FAULT_ARGUMENT, "the marker is none that a listing gave");
    const char *kind = strchr(kinds, plain.data[0]);
    char *space = strchr(plain.data + 2, ' ');
    if (!kind || (plain.data[1] != '0' && plain.data[1] != '1') || !space)
        return fault_set(e, FAULT_ARGUMENT, "the marker is none that a listing gave");
    *space = '\0';
    list_place_set(ret, (enum place_kind)(kind - kinds), space + 1, plain.data[1] - '0',
                   plain.data + 2);
    return 0;
}

char *list_successor(const char *prefix)
{
    size_t length = strlen(prefix);

    while (length > 0 && (unsigned char)prefix[length - 1] == 0xff)
        length--;
    if (length == 0)
        return NULL;
    char *after = xstrndup(prefix, length);
    after[length - 1] = (char)((unsigned char)after[length - 1] + 1);
    return after;
}
