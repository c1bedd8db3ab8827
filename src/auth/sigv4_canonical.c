// SPDX-License-Identifier: EUPL-1.2
/* SigV4's canonical request, which both sides build: see sigv4.h. */
#include <string.h>
#include <strings.h>

#include "auth/sigv4_private.h"
#include "codec/url.h"

/* The path with its escapes undone and done again, so that both sides agree on one spelling. */
static int add_path(struct buf *out, const char *path, struct err *e)
{
    auto_buf struct buf plain = BUF_INIT(URL_MAX);

    if (*path != '/' && buf_add(out, "/", 1, e) < 0)
        return -1;
    if (url_unescape(&plain, path, strlen(path), false, e) < 0 ||
        buf_reserve(out, 3 * plain.length + 1, e) < 0)
        return -1;
    url_escape(out, plain.data, plain.length, URL_KEEP_SLASH);
    buf_char(out, '\n');
    return 0;
}

/* The items of a query, sorted by their escaped names, then values. */
static int add_query(struct buf *out, const char *query, struct err *e)
{
    auto_pairs struct pairs plain = PAIRS_INIT, escaped = PAIRS_INIT;
    auto_buf struct buf key = BUF_INIT(3 * URL_MAX), value = BUF_INIT(3 * URL_MAX);

    if (query_parse(query, &plain, e) < 0)
        return -1;
    for (size_t i = 0; i < plain.count; i++) {
        if (strcmp(plain.list[i].key, "X-Amz-Signature") == 0)
            continue;
        buf_reset(&key);
        buf_reset(&value);
        url_escape(&key, plain.list[i].key, strlen(plain.list[i].key), URL_KEEP_UNRESERVED);
        url_escape(&value, plain.list[i].value, strlen(plain.list[i].value), URL_KEEP_UNRESERVED);
        pairs_add_n(&escaped, key.data, key.length, value.data, value.length);
    }
    pairs_sort(&escaped);
    for (size_t i = 0; i < escaped.count; i++) {
        const struct pair *pair = &escaped.list[i];
        size_t key_length = strlen(pair->key), value_length = strlen(pair->value);
        if (buf_reserve(out, key_length + value_length + 2, e) < 0)
            return -1;
        if (i > 0)
            buf_char(out, '&');
        buf_bytes(out, pair->key, key_length);
        buf_char(out, '=');
        buf_bytes(out, pair->value, value_length);
    }
    return buf_add(out, "\n", 1, e);
}

/* A value without white space around it, each run of spaces inside one. */
static int add_value(struct buf *out, const char *value, struct err *e)
{
    value += strspn(value, " \t");
    while (*value) {
        size_t word = strcspn(value, " \t");
        if (buf_add(out, value, word, e) < 0)
            return -1;
        value += word;
        value += strspn(value, " \t");
        if (*value && buf_add(out, " ", 1, e) < 0)
            return -1;
    }
    return 0;
}

/* "name:value,value\n"; a name that is signed but not there is refused. */
static int add_header(struct buf *out, const struct pairs *headers, const char *name, size_t n,
                      struct err *e)
{
    bool found = false;

    if (buf_add(out, name, n, e) < 0)
        return -1;
    for (size_t i = 0; i < headers->count; i++) {
        const struct pair *pair = &headers->list[i];
        if (strncasecmp(pair->key, name, n) != 0 || pair->key[n])
            continue;
        if (buf_add(out, found ? "," : ":", 1, e) < 0 || add_value(out, pair->value, e) < 0)
            return -1;
        found = true;
    }
    if (!found)
        return err_set(e, ERR_UNKNOWN_WHO, "a signed header, '%.*s', is missing",
                       (int)(n < 100 ? n : 100), name);
    return buf_add(out, "\n", 1, e);
}

int sigv4_canonical_request(struct buf *out, const char *method, const char *path,
                            const char *query, const struct pairs *headers,
                            const char *signed_headers, const char *payload_hash, struct err *e)
{
    if (buf_add(out, method, strlen(method), e) < 0 || buf_add(out, "\n", 1, e) < 0 ||
        add_path(out, path, e) < 0 || add_query(out, query, e) < 0)
        return -1;
    for (const char *at = signed_headers; *at;) {
        size_t n = strcspn(at, ";");
        if (n == 0 || add_header(out, headers, at, n, e) < 0)
            return n ? -1 : err_set(e, ERR_INVALID, "the list of signed headers is malformed");
        at += n + (at[n] == ';');
    }
    if (buf_add(out, "\n", 1, e) < 0 ||
        buf_add(out, signed_headers, strlen(signed_headers), e) < 0 || buf_add(out, "\n", 1, e) < 0)
        return -1;
    return buf_add(out, payload_hash, strlen(payload_hash), e);
}
