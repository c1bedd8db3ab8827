// SPDX-License-Identifier: EUPL-1.2
/* The client behind proxies: see forwarded.h. */
#include "http/forwarded.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* More hops than this are not looked at; the nearest ones count. */
#define HOPS_MAX 32

struct hop {
    char client[ADDRESS_TEXT]; /* "" when it cannot be read */
    char proto[8];             /* "" when not said */
};

struct chain {
    struct hop hops[HOPS_MAX];
    size_t count;
};

/* An address as 16 bytes. */
static bool parse_address(const char *text, unsigned char ret[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (inet_pton(AF_INET6, text, ret) == 1)
        return true;
    memcpy(ret, mapped, sizeof(mapped));
    return inet_pton(AF_INET, text, ret + 12) == 1;
}

static bool is_mapped(const unsigned char address[16])
{
    return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)address);
}

static bool matches(const struct network *n, const unsigned char address[16])
{
    unsigned whole = n->bits / 8;
    unsigned rest = n->bits % 8;

    if (memcmp(n->address, address, whole) != 0)
        return false;
    return rest == 0 || ((n->address[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

static int parse_bits(const char *text, bool is_v4, unsigned *ret)
{
    unsigned most = is_v4 ? 32 : 128;
    unsigned value = 0;

    if (!*text || strlen(text) > 3 || strspn(text, "0123456789") != strlen(text))
        return -1;
    for (; *text; text++)
        value = value * 10 + (unsigned)(*text - '0');
    if (value > most)
        return -1;
    *ret = is_v4 ? value + 96 : value;
    return 0;
}

int networks_add(struct networks *n, const char *text, struct err *e)
{
    struct network added = {.bits = 128};
    struct network rounded;
    const char *slash = strchr(text, '/');
    auto_free char *address = xstrndup(text, slash ? (size_t)(slash - text) : strlen(text));

    if (strcmp(text, "unix") == 0) {
        n->unix_too = true;
        return 0;
    }
    if (!parse_address(address, added.address) ||
        (slash && parse_bits(slash + 1, !strchr(address, ':'), &added.bits) < 0))
        return err_set(e, ERR_INVALID, "'%s' is no network: want an address, ADDRESS/BITS or unix",
                       text);
    rounded = added;
    for (unsigned bit = added.bits; bit < 128; bit++)
        rounded.address[bit / 8] &= (unsigned char)~(0x80U >> bit % 8);
    if (memcmp(rounded.address, added.address, sizeof(added.address)) != 0)
        return err_set(e, ERR_INVALID, "'%s' is no network: it has bits beyond its length", text);
    n->list = xrealloc(n->list, n->count + 1, sizeof(*n->list));
    n->list[n->count++] = added;
    return 0;
}

void networks_release(struct networks *n)
{
    free(n->list);
    *n = (struct networks)NETWORKS_INIT;
}

bool networks_contain(const struct networks *n, const char *address)
{
    unsigned char bytes[16];

    if (strcmp(address, "unix") == 0)
        return n->unix_too;
    if (!parse_address(address, bytes))
        return false;
    for (size_t i = 0; i < n->count; i++)
        if (matches(&n->list[i], bytes))
            return true;
    return false;
}

static struct hop *add_hop(struct chain *c)
{
    if (c->count == HOPS_MAX) {
        memmove(c->hops, c->hops + 1, sizeof(c->hops) - sizeof(c->hops[0]));
        c->count--;
    }
    c->hops[c->count] = (struct hop){.client = ""};
    return &c->hops[c->count++];
}

static bool is_port(const char *text)
{
    size_t n = strlen(text);

    return n >= 1 && n <= 5 && strspn(text, "0123456789") == n;
}

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", and, as X-Forwarded-For is written, an IPv6
 * address without brackets.  Comes out in its usual form, or "". */
static void read_node(const char *text, size_t length, char ret[ADDRESS_TEXT])
{
    char node[ADDRESS_TEXT];
    unsigned char bytes[16];
    const char *address = node;

    ret[0] = '\0';
    if (length >= sizeof(node) || memchr(text, '\0', length))
        return;
    memcpy(node, text, length);
    node[length] = '\0';
    char *first = strchr(node, ':');
    if (*node == '[') {
        char *close = strchr(node, ']');
        if (!close || (close[1] && (close[1] != ':' || !is_port(close + 2))))
            return;
        *close = '\0';
        address = node + 1;
        if (!strchr(address, ':'))
            return;
    } else if (first && !strchr(first + 1, ':')) {
        if (!is_port(first + 1))
            return;
        *first = '\0';
    }
    if (!parse_address(address, bytes))
        return;
    if (is_mapped(bytes))
        (void)inet_ntop(AF_INET, bytes + 12, ret, ADDRESS_TEXT);
    else
        (void)inet_ntop(AF_INET6, bytes, ret, ADDRESS_TEXT);
}

static void trim(const char **text, size_t *length)
{
    while (*length && (**text == ' ' || **text == '\t')) {
        (*text)++;
        (*length)--;
    }
    while (*length && ((*text)[*length - 1] == ' ' || (*text)[*length - 1] == '\t'))
        (*length)--;
}

/* How far it goes to one of these outside of quotes, or to the end. */
static size_t until(const char *text, const char *ends)
{
    bool quoted = false;
    size_t n = 0;

    for (; text[n]; n++) {
        if (quoted && text[n] == '\\' && text[n + 1])
            n++;
        else if (text[n] == '"')
            quoted = !quoted;
        else if (!quoted && strchr(ends, text[n]))
            break;
    }
    return n;
}

/* Take the quotes off; false when that leaves no plain text. */
static bool unquote(const char *text, size_t length, char *ret, size_t size, size_t *ret_length)
{
    size_t n = 0;

    if (length >= 2 && text[0] == '"' && text[length - 1] == '"') {
        for (size_t i = 1; i + 1 < length; i++) {
            if (text[i] == '\\' && i + 2 < length)
                i++;
            if (n == size)
                return false;
            ret[n++] = text[i];
        }
    } else {
        if (length > size || memchr(text, '"', length))
            return false;
        memcpy(ret, text, length);
        n = length;
    }
    *ret_length = n;
    return true;
}

static void read_proto(const char *text, size_t length, char ret[8])
{
    ret[0] = '\0';
    if (length == 5 && strncasecmp(text, "https", 5) == 0)
        (void)snprintf(ret, 8, "https");
    else if (length == 4 && strncasecmp(text, "http", 4) == 0)
        (void)snprintf(ret, 8, "http");
}

/* name=value of one element of Forwarded. */
static void read_pair(const char *text, size_t length, struct hop *hop)
{
    char value[ADDRESS_TEXT];
    size_t value_length;
    const char *equals = memchr(text, '=', length);

    if (!equals)
        return;
    size_t name_length = (size_t)(equals - text);
    if (!unquote(equals + 1, length - name_length - 1, value, sizeof(value), &value_length))
        return;
    if (name_length == 3 && strncasecmp(text, "for", 3) == 0)
        read_node(value, value_length, hop->client);
    else if (name_length == 5 && strncasecmp(text, "proto", 5) == 0)
        read_proto(value, value_length, hop->proto);
}

static void read_forwarded(const char *text, struct chain *c)
{
    struct hop *hop = add_hop(c);

    for (;;) {
        size_t n = until(text, ",;");
        const char *pair = text;
        size_t length = n;
        trim(&pair, &length);
        read_pair(pair, length, hop);
        if (!text[n])
            return;
        if (text[n] == ',')
            hop = add_hop(c);
        text += n + 1;
    }
}

static void read_list(const char *text, struct chain *c, bool is_proto)
{
    for (;;) {
        size_t n = strcspn(text, ",");
        const char *item = text;
        size_t length = n;
        struct hop *hop = add_hop(c);
        trim(&item, &length);
        if (is_proto)
            read_proto(item, length, hop->proto);
        else
            read_node(item, length, hop->client);
        if (!text[n])
            return;
        text += n + 1;
    }
}

/* X-Forwarded-Proto says it for each hop, or once. */
static void join_protos(struct chain *c, const struct chain *protos)
{
    for (size_t i = 0; protos->count && i < c->count; i++) {
        size_t at = protos->count == c->count ? i : protos->count - 1;
        memcpy(c->hops[i].proto, protos->hops[at].proto, sizeof(c->hops[i].proto));
    }
}

static void read_headers(const struct pairs *headers, struct chain *c)
{
    struct chain protos = {.count = 0};
    bool is_standard = pairs_get_nocase(headers, "Forwarded") != NULL;

    for (size_t i = 0; i < headers->count; i++) {
        const struct pair *h = &headers->list[i];
        if (is_standard && strcasecmp(h->key, "Forwarded") == 0)
            read_forwarded(h->value, c);
        else if (!is_standard && strcasecmp(h->key, "X-Forwarded-For") == 0)
            read_list(h->value, c, false);
        else if (!is_standard && strcasecmp(h->key, "X-Forwarded-Proto") == 0)
            read_list(h->value, &protos, true);
    }
    join_protos(c, &protos);
}

void forwarded_find(const struct networks *proxies, const char *peer, bool secure,
                    const struct pairs *headers, struct forwarded *ret)
{
    struct chain chain = {.count = 0};

    (void)snprintf(ret->client, sizeof(ret->client), "%s", peer);
    ret->secure = secure;
    if (!networks_contain(proxies, peer))
        return;
    read_headers(headers, &chain);
    for (size_t i = chain.count; i-- > 0;) {
        const struct hop *hop = &chain.hops[i];
        if (!hop->client[0])
            return;
        memcpy(ret->client, hop->client, sizeof(ret->client));
        if (hop->proto[0])
            ret->secure = strcmp(hop->proto, "https") == 0;
        if (!networks_contain(proxies, hop->client))
            return;
    }
}
