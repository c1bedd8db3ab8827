// SPDX-License-Identifier: EUPL-1.2
/*
 * From libmicrohttpd's view of a request's head to ours.  libmicrohttpd is liberal in what it
 * takes; whatever two programs could read differently (RFC 9112 sections 3, 6.3 and 11.2) is
 * refused here.
 *
 * It cuts the head into strings in place.  So they must lie one behind the other in its buffer with
 * exactly the separators between them that the grammar has: "METHOD SP target SP HTTP/1.1 CRLF",
 * then "name : blanks value CRLF" for each header, then CRLF.  Where they do not, there was
 * something else: a NUL, a bare LF, a folded or a skipped line.
 */
#include <string.h>
#include <strings.h>

#include "http/server_private.h"

#define HEADERS_MAX    1000
#define METHOD_MAX     32
#define LENGTH_MAX     INT64_MAX
#define TOKEN_SPECIALS "!#$%&'*+-.^_`|~"

struct counts {
    struct exchange *x;
    unsigned hosts;
    unsigned lengths;
    unsigned encodings;
    const char *length;
    const char *encoding;
    const char *expected; /* where the next name lies when the head is exact */
    bool exact;
    bool bad; /* a name or value with bytes that have no business there */
};

static bool is_token(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
              (c && strchr(TOKEN_SPECIALS, c))))
            return false;
    }
    return length > 0;
}

static bool has_control(const char *text, size_t length, bool tab_is_fine)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && !(c == '\t' && tab_is_fine)) || c == 0x7f)
            return true;
    }
    return false;
}

/* Whether this header lies right behind the one before. */
static bool follows(struct counts *n, const char *name, size_t name_length, const char *value,
                    size_t value_length)
{
    const char *at = name + name_length + 1;

    if (name != n->expected || value < at)
        return false;
    while (at < value && (*at == ' ' || *at == '\t'))
        at++;
    n->expected = value + value_length + 2;
    return at == value;
}

static enum MHD_Result take_header(void *argument, enum MHD_ValueKind kind, const char *name,
                                   size_t name_length, const char *value, size_t value_length)
{
    struct counts *n = argument;
    struct pairs *headers = &n->x->x.headers;

    (void)kind;
    if (!value || !follows(n, name, name_length, value, value_length)) {
        n->exact = false;
        return MHD_NO;
    }
    while (value_length && (value[value_length - 1] == ' ' || value[value_length - 1] == '\t'))
        value_length--;
    if (!is_token(name, name_length) || has_control(value, value_length, true) ||
        headers->count >= HEADERS_MAX) {
        n->bad = true;
        return MHD_NO;
    }
    pairs_add_n(headers, name, name_length, value, value_length);
    const struct pair *added = &headers->list[headers->count - 1];
    if (strcasecmp(added->key, "Host") == 0 && ++n->hosts == 1)
        n->x->x.host = added->value;
    if (strcasecmp(added->key, "Content-Length") == 0 && ++n->lengths == 1)
        n->length = added->value;
    if (strcasecmp(added->key, "Transfer-Encoding") == 0 && ++n->encodings == 1)
        n->encoding = added->value;
    if (strcasecmp(added->key, "Expect") == 0 && strcasecmp(added->value, "100-continue") == 0)
        n->x->x.expects_continue = true;
    return MHD_YES;
}

static int read_length(const char *text, uint64_t *ret)
{
    uint64_t value = 0;

    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || value > (LENGTH_MAX - 9) / 10)
            return -1;
        value = value * 10 + (uint64_t)(*text - '0');
    }
    *ret = value;
    return 0;
}

/* How long the body is: exactly one of the two headers says so, or there is none. */
static int frame(const struct counts *n, bool is_old, const char **ret_why)
{
    struct http_exchange *x = &n->x->x;

    if (n->encodings) {
        *ret_why = "a body is framed by Content-Length or by Transfer-Encoding, not by both";
        if (n->lengths || n->encodings > 1 || is_old)
            return 400;
        *ret_why = "the only transfer encoding understood here is chunked";
        if (strcasecmp(n->encoding, "chunked") != 0)
            return 501;
        x->body_length = HTTP_LENGTH_UNKNOWN;
        return 0;
    }
    *ret_why = "Content-Length is not one number";
    if (n->lengths > 1 || (n->lengths && read_length(n->length, &x->body_length) < 0))
        return 400;
    return 0;
}

/* "/a?b", "*" or "http://host/a?b"; the host of the last counts more than the header's. */
static int split_target(struct exchange *x, const char **ret_why)
{
    const char *at = x->target;

    *ret_why = "the request's target holds bytes that must be escaped";
    if (has_control(at, strlen(at), false) || strpbrk(at, " #"))
        return 400;
    *ret_why = "the request's target is no path";
    if (strcmp(at, "*") == 0 && strcmp(x->method, "OPTIONS") != 0)
        return 400;
    if (strncasecmp(at, "http://", 7) == 0 || strncasecmp(at, "https://", 8) == 0) {
        at = strstr(at, "//") + 2;
        size_t length = strcspn(at, "/?");
        if (length == 0 || memchr(at, '@', length))
            return 400;
        x->host = xstrndup(at, length);
        x->x.host = x->host;
        at += length;
    } else if (*at != '/' && strcmp(at, "*") != 0) {
        return 400;
    }
    size_t length = strcspn(at, "?");
    x->path = length ? xstrndup(at, length) : xstrdup("/");
    x->x.path = x->path;
    x->x.query = at[length] ? at + length + 1 : NULL;
    return 0;
}

static int head_size(struct MHD_Connection *mhd, size_t *ret)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (!info)
        return -1;
    *ret = info->header_size;
    return 0;
}

static void introduce(struct exchange *x)
{
    x->x.method = x->method;
    x->x.target = x->target;
    x->x.path = "";
    x->x.host = "";
    x->x.peer = x->connection->peer;
    x->x.port = x->connection->port;
    x->x.secure = x->server->options.certificate != NULL;
}

static int read_headers(struct counts *n, struct MHD_Connection *mhd, const char *end,
                        const char **ret_why)
{
    (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, take_header, n);
    *ret_why = "too many headers";
    if (n->bad && n->x->x.headers.count >= HEADERS_MAX)
        return 431;
    *ret_why = "a header holds bytes that do not belong there";
    if (n->bad)
        return 400;
    *ret_why = "the head is not made of lines as HTTP/1.1 has them";
    return n->exact && n->expected + 2 == end ? 0 : 400;
}

int server_head_read(struct exchange *x, struct MHD_Connection *mhd, const char *method,
                     const char *version, const char **ret_why)
{
    struct counts n = {.x = x, .expected = version + strlen(version) + 2, .exact = true};
    bool is_old = strcmp(version, "HTTP/1.0") == 0;
    size_t size = 0;

    introduce(x);
    *ret_why = "only HTTP/1.0 and HTTP/1.1 are spoken here";
    if (!is_old && strcmp(version, "HTTP/1.1") != 0)
        return 505;
    *ret_why = "the request's head is too large";
    if (head_size(mhd, &size) < 0 || size > x->server->options.head_bytes_max)
        return 431;
    *ret_why = "the request's method is no word";
    if (strlen(x->method) > METHOD_MAX || !is_token(x->method, strlen(x->method)))
        return 400;
    *ret_why = "the request's first line is not METHOD, target and version";
    if (version != method + strlen(method) + 1 + strlen(x->target) + 1)
        return 400;
    int refused = read_headers(&n, mhd, method + size, ret_why);
    if (refused)
        return refused;
    *ret_why = "a request has one Host header";
    if (n.hosts > 1 || (n.hosts == 0 && !is_old))
        return 400;
    refused = frame(&n, is_old, ret_why);
    return refused ? refused : split_target(x, ret_why);
}
