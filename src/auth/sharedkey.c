// SPDX-License-Identifier: EUPL-1.2
/* Azure's Shared Key: see sharedkey.h. */
#include "auth/sharedkey.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/target.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/url.h"
#include "crypto/hmac.h"

#define ACCOUNT_MAX 63
#define HEADERS_MAX 1000
#define SECONDARY   "-secondary"

static bool is_account(const char *account)
{
    size_t n = strlen(account);

    return n > 0 && n <= ACCOUNT_MAX &&
           strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

int sharedkey_init(struct sharedkey *key, const char *account, const char *key_base64,
                   struct err *e)
{
    auto_secret struct secret bytes = SECRET_INIT;

    if (!is_account(account))
        return err_set(e, ERR_INVALID,
                       "the account's name may hold only lower-case letters, digits and '-'");
    if (secret_from_base64(&bytes, key_base64, e) < 0)
        return err_prefix(e, "key of account '%s'", account);
    if (bytes.length == 0)
        return err_set(e, ERR_INVALID, "key of account '%s': it is empty", account);
    *key = (struct sharedkey){.account = xstrdup(account), .key = bytes};
    bytes = (struct secret)SECRET_INIT;
    return 0;
}

void sharedkey_release(struct sharedkey *key)
{
    free(key->account);
    secret_release(&key->key);
    *key = (struct sharedkey)SHAREDKEY_INIT;
}

/* Sort weight of a character; 0: it does not count. */
static int weight(char c)
{
    static const char before_digits[] = "!#$%&*.^_`|~+";

    c = (char)tolower((unsigned char)c);
    if (isdigit((unsigned char)c))
        return 100 + c;
    if (c >= 'a' && c <= 'z')
        return 200 + c;
    const char *at = c ? strchr(before_digits, c) : NULL;
    return at ? (int)(at - before_digits) + 1 : 0;
}

/* Of two that are the same but for their hyphens: who has one where the other has none comes after.
 */
static int hyphen_order(const char *a, const char *b)
{
    for (; *a || *b; a++, b++) {
        int order = (*a == '-') - (*b == '-');
        if (order || !*a || !*b)
            return order ? order : (*a != '\0') - (*b != '\0');
    }
    return 0;
}

int sharedkey_header_order(const char *a, const char *b)
{
    const char *left = a, *right = b;

    for (;;) {
        while (*left && weight(*left) == 0)
            left++;
        while (*right && weight(*right) == 0)
            right++;
        int order = weight(*left) - weight(*right);
        if (order || !*left)
            return order ? order : hyphen_order(a, b);
        left++;
        right++;
    }
}

static int compare_headers(const void *a, const void *b)
{
    const struct pair *const *left = a, *const *right = b;

    return sharedkey_header_order((*left)->key, (*right)->key);
}

/* A value without the white space at its ends.  What is inside stays: the reference speaks of runs
 * of it becoming one space, but that is about folded lines; Microsoft's own clients do not do it.
 */
static int add_value(struct buf *out, const char *value, struct err *e)
{
    while (isspace((unsigned char)*value))
        value++;
    size_t n = strlen(value);
    while (n && isspace((unsigned char)value[n - 1]))
        n--;
    return buf_add(out, value, n, e) < 0 ? -1 : buf_add(out, "\n", 1, e);
}

static int add_lower(struct buf *out, const char *text, struct err *e)
{
    size_t n = strlen(text);

    if (buf_reserve(out, n, e) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        buf_char(out, (char)tolower((unsigned char)text[i]));
    return 0;
}

static int add_canonical_headers(struct buf *out, const struct pairs *headers, struct err *e)
{
    const struct pair *chosen[HEADERS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < headers->count; i++) {
        if (strncasecmp(headers->list[i].key, "x-ms-", 5) != 0)
            continue;
        if (count == ARRAY_SIZE(chosen))
            return err_set(e, ERR_INVALID, "more than %d x-ms- headers", HEADERS_MAX);
        chosen[count++] = &headers->list[i];
    }
    if (count > 1)
        qsort(chosen, count, sizeof(*chosen), compare_headers);
    for (size_t i = 0; i < count; i++)
        if (add_lower(out, chosen[i]->key, e) < 0 || buf_add(out, ":", 1, e) < 0 ||
            add_value(out, chosen[i]->value, e) < 0)
            return -1;
    return 0;
}

static int add_path(struct buf *out, const char *account, const char *path, struct err *e)
{
    if (!*path)
        path = "/";
    if (buf_add(out, "/", 1, e) < 0 || buf_add(out, account, strlen(account), e) < 0)
        return -1;
    return buf_add(out, path, strlen(path), e);
}

/* The query's keys in lower case and in order, each on a line with its values joined by commas. */
static int add_query(struct buf *out, const char *query, struct err *e)
{
    auto_pairs struct pairs list = PAIRS_INIT;

    if (query_parse(query, &list, e) < 0)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        for (char *at = list.list[i].key; *at; at++)
            *at = (char)tolower((unsigned char)*at);
    pairs_sort(&list);
    for (size_t i = 0; i < list.count; i++) {
        const struct pair *pair = &list.list[i];
        bool again = i > 0 && strcmp(list.list[i - 1].key, pair->key) == 0;
        if (!again &&
            (buf_add(out, "\n", 1, e) < 0 || buf_add(out, pair->key, strlen(pair->key), e) < 0))
            return -1;
        if (buf_add(out, again ? "," : ":", 1, e) < 0 ||
            buf_add(out, pair->value, strlen(pair->value), e) < 0)
            return -1;
    }
    return 0;
}

static int add_line(struct buf *out, const char *text, struct err *e)
{
    if (text && buf_add(out, text, strlen(text), e) < 0)
        return -1;
    return buf_add(out, "\n", 1, e);
}

/* x-ms-date takes the place of Date. */
static const char *date_header(const struct pairs *headers)
{
    return pairs_get_nocase(headers, "x-ms-date") ? NULL : pairs_get_nocase(headers, "Date");
}

int sharedkey_string_to_sign(struct buf *out, const char *account, const char *method,
                             const char *path, const char *query, const struct pairs *headers,
                             uint64_t content_length, struct err *e)
{
    static const char *const before[] = {"Content-Encoding", "Content-Language"};
    static const char *const between[] = {"Content-MD5", "Content-Type"};
    static const char *const after[] = {"If-Modified-Since", "If-Match", "If-None-Match",
                                        "If-Unmodified-Since", "Range"};
    char length[32] = "";

    if (content_length)
        (void)snprintf(length, sizeof(length), "%" PRIu64, content_length);
    if (add_line(out, method, e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(before); i++)
        if (add_line(out, pairs_get_nocase(headers, before[i]), e) < 0)
            return -1;
    if (add_line(out, length, e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(between); i++)
        if (add_line(out, pairs_get_nocase(headers, between[i]), e) < 0)
            return -1;
    if (add_line(out, date_header(headers), e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(after); i++)
        if (add_line(out, pairs_get_nocase(headers, after[i]), e) < 0)
            return -1;
    if (add_canonical_headers(out, headers, e) < 0 || add_path(out, account, path, e) < 0)
        return -1;
    return query ? add_query(out, query, e) : 0;
}

int sharedkey_lite_string_to_sign(struct buf *out, const char *account, const char *method,
                                  const char *path, const char *query, const struct pairs *headers,
                                  struct err *e)
{
    auto_pairs struct pairs list = PAIRS_INIT;

    if (query_parse(query, &list, e) < 0 || add_line(out, method, e) < 0 ||
        add_line(out, pairs_get_nocase(headers, "Content-MD5"), e) < 0 ||
        add_line(out, pairs_get_nocase(headers, "Content-Type"), e) < 0 ||
        add_line(out, date_header(headers), e) < 0 || add_canonical_headers(out, headers, e) < 0 ||
        add_path(out, account, path, e) < 0)
        return -1;
    const char *comp = pairs_get_nocase(&list, "comp");
    if (!comp)
        return 0;
    if (buf_add(out, "?comp=", 6, e) < 0)
        return -1;
    return buf_add(out, comp, strlen(comp), e);
}

void sharedkey_signature(const struct sharedkey *key, const struct buf *text,
                         char ret[SHAREDKEY_SIGNATURE_SIZE])
{
    unsigned char mac[SHA256_SIZE];
    auto_buf struct buf base64 = BUF_INIT(SHAREDKEY_SIGNATURE_SIZE);

    hmac_sha256(key->key.bytes, key->key.length, text->data, text->length, mac);
    base64_encode(&base64, mac, sizeof(mac));
    memcpy(ret, base64.data, SHAREDKEY_SIGNATURE_SIZE);
}

int sharedkey_sign(const struct sharedkey *key, struct http_request *r, int64_t now, struct err *e)
{
    char date[DATE_TEXT], signature[SHAREDKEY_SIGNATURE_SIZE], authorization[200];
    struct target target;
    auto_buf struct buf text = BUF_INIT(SHAREDKEY_TEXT_MAX);
    auto_free char *path = NULL;

    date_rfc1123(date, now);
    pairs_set(&r->headers, "x-ms-date", date);
    if (target_of(r->url, &target, e) < 0)
        return -1;
    path = xstrndup(target.path, target.path_length);
    if (sharedkey_string_to_sign(&text, key->account, r->method, path, target.query, &r->headers,
                                 r->body ? r->body_length : 0, e) < 0)
        return err_prefix(e, "sign a request with Shared Key");
    sharedkey_signature(key, &text, signature);
    (void)snprintf(authorization, sizeof(authorization), "SharedKey %s:%s", key->account,
                   signature);
    pairs_set(&r->headers, "Authorization", authorization);
    return 0;
}

int sharedkey_authorization_parse(const char *header, struct sharedkey_authorization *ret,
                                  struct err *e)
{
    struct sharedkey_authorization a = {0};
    const char *at = NULL;

    if (strncmp(header, "SharedKey ", 10) == 0)
        at = header + 10;
    else if (strncmp(header, "SharedKeyLite ", 14) == 0)
        at = header + 14;
    a.lite = at == header + 14;
    const char *colon = at ? strchr(at, ':') : NULL;
    if (!colon || (size_t)(colon - at) >= sizeof(a.account) ||
        strlen(colon + 1) != SHAREDKEY_SIGNATURE_SIZE - 1)
        return err_set(e, ERR_INVALID,
                       "the Authorization header is not 'SharedKey ACCOUNT:SIGNATURE'");
    memcpy(a.account, at, (size_t)(colon - at));
    memcpy(a.signature, colon + 1, SHAREDKEY_SIGNATURE_SIZE);
    if (!is_account(a.account))
        return err_set(e, ERR_INVALID, "the Authorization header names no account");
    *ret = a;
    return 0;
}

static int check_date(const struct pairs *headers, int64_t now, struct err *e)
{
    const char *text = pairs_get_nocase(headers, "x-ms-date");
    int64_t date = 0;

    if (!text)
        text = pairs_get_nocase(headers, "Date");
    if (!text)
        return err_set(e, ERR_INVALID, "the request has neither x-ms-date nor Date");
    if (date_parse_rfc1123(text, &date, e) < 0)
        return err_prefix(e, "the request's date");
    int64_t apart = date > now ? date - now : now - date;
    if (apart > SHAREDKEY_CLOCK_MAX)
        return err_set(e, ERR_CLOCK, "the request's date is %" PRId64 " minutes from ours",
                       apart / (60 * CLOCK_SECOND));
    return 0;
}

/* 1 when the signature is that of the request under this name of the account, else 0; -1. */
static int matches(const struct sharedkey *key, const struct sharedkey_authorization *a,
                   const char *account, const char *method, const char *path, const char *query,
                   const struct pairs *headers, uint64_t content_length, struct err *e)
{
    char signature[SHAREDKEY_SIGNATURE_SIZE];
    auto_buf struct buf text = BUF_INIT(SHAREDKEY_TEXT_MAX);
    int built = a->lite
                    ? sharedkey_lite_string_to_sign(&text, account, method, path, query, headers, e)
                    : sharedkey_string_to_sign(&text, account, method, path, query, headers,
                                               content_length, e);

    if (built < 0)
        return -1;
    sharedkey_signature(key, &text, signature);
    return CRYPTO_memcmp(signature, a->signature, sizeof(signature)) == 0;
}

/* The path as it would be at the primary: "/acct/c/b" for "/acct-secondary/c/b"; NULL where it does
 * not begin with the secondary's name. */
static char *primary_path(const char *account, const char *path)
{
    size_t n = strlen(account);

    if (*path != '/' || strncmp(path + 1, account, n) != 0 ||
        strncmp(path + 1 + n, SECONDARY, strlen(SECONDARY)) != 0)
        return NULL;
    const char *rest = path + 1 + n + strlen(SECONDARY);
    return *rest && *rest != '/' ? NULL : xasprintf("/%s%s", account, rest);
}

int sharedkey_verify(const struct sharedkey *key, const char *method, const char *path,
                     const char *query, const struct pairs *headers, uint64_t content_length,
                     int64_t now, struct err *e)
{
    struct sharedkey_authorization a;
    const char *header = pairs_get_nocase(headers, "Authorization");

    if (!header)
        return err_set(e, ERR_INVALID, "the request has no Authorization header");
    if (sharedkey_authorization_parse(header, &a, e) < 0 || check_date(headers, now, e) < 0)
        return -1;
    auto_free char *secondary = xasprintf("%s" SECONDARY, key->account);
    if (strcmp(a.account, secondary) != 0 && strcmp(a.account, key->account) != 0)
        return err_set(e, ERR_UNKNOWN_WHO, "account '%s' is not known here", a.account);
    auto_free char *primary = primary_path(key->account, path);
    const char *const accounts[] = {key->account, secondary}, *const paths[] = {path, primary};
    int match = 0;
    for (size_t i = 0; i < 4 && match == 0; i++)
        if (paths[i / 2])
            match = matches(key, &a, accounts[i % 2], method, paths[i / 2], query, headers,
                            content_length, e);
    if (match < 0)
        return -1;
    return match ? 0 : err_set(e, ERR_UNKNOWN_WHO, "the signature does not match the request");
}
