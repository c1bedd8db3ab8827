// SPDX-License-Identifier: EUPL-1.2
/* SigV4, the signing side: see sigv4.h. */
#include "auth/sigv4.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/sigv4_private.h"
#include "auth/target.h"
#include "codec/date.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/hmac.h"
#include "util/thread.h"

#define SERVICE "s3"

/* Letters of a scope's parts and of access keys. */
static bool is_word(const char *text, size_t max)
{
    size_t n = strlen(text);

    if (n == 0 || n > max)
        return false;
    for (; *text; text++)
        if (*text <= ' ' || *text > '~' || strchr("/,=;", *text))
            return false;
    return true;
}

int sigv4_init(struct sigv4 *s, const char *access_key, const struct secret *secret_key,
               const struct secret *token, const char *region, struct err *e)
{
    if (!is_word(access_key, 128))
        return err_set(e, ERR_INVALID, "the access key is empty or holds '/', ',', '=' or spaces");
    if (!is_word(region, 64))
        return err_set(e, ERR_INVALID, "the signing region is empty or holds '/' or spaces");
    if (secret_key->length == 0 || secret_key->length > 1024)
        return err_set(e, ERR_INVALID, "the secret key of access key '%s' is %s", access_key,
                       secret_key->length ? "too long" : "empty");
    *s = (struct sigv4)SIGV4_INIT;
    s->access_key = xstrdup(access_key);
    s->region = xstrdup(region);
    secret_copy(&s->secret, secret_key);
    if (token && token->length)
        secret_copy(&s->token, token);
    (void)pthread_mutex_init(&s->lock, NULL);
    return 0;
}

void sigv4_release(struct sigv4 *s)
{
    if (!s->access_key)
        return;
    free(s->access_key);
    free(s->region);
    secret_release(&s->secret);
    secret_release(&s->token);
    OPENSSL_cleanse(s->key, sizeof(s->key));
    (void)pthread_mutex_destroy(&s->lock);
    *s = (struct sigv4)SIGV4_INIT;
}

void sigv4_scope(const struct sigv4 *s, const char *date, char ret[SIGV4_SCOPE_SIZE])
{
    (void)snprintf(ret, SIGV4_SCOPE_SIZE, "%.8s/%s/" SERVICE "/aws4_request", date, s->region);
}

static void derive(unsigned char key[SHA256_SIZE], size_t key_length, const void *from,
                   const char *text)
{
    unsigned char mac[SHA256_SIZE];

    hmac_sha256(from, key_length, text, strlen(text), mac);
    memcpy(key, mac, sizeof(mac));
}

void sigv4_day_key(struct sigv4 *s, const char *date, unsigned char ret[SHA256_SIZE])
{
    char first[4 + 1024];

    locked(&s->lock);
    if (strncmp(s->day, date, 8) != 0) {
        memcpy(first, "AWS4", 4);
        memcpy(first + 4, s->secret.bytes, s->secret.length);
        (void)snprintf(s->day, sizeof(s->day), "%.8s", date);
        derive(s->key, 4 + s->secret.length, first, s->day);
        OPENSSL_cleanse(first, sizeof(first));
        derive(s->key, sizeof(s->key), s->key, s->region);
        derive(s->key, sizeof(s->key), s->key, SERVICE);
        derive(s->key, sizeof(s->key), s->key, "aws4_request");
    }
    memcpy(ret, s->key, sizeof(s->key));
}

void sigv4_signature(const unsigned char key[SHA256_SIZE], const char *date, const char *scope,
                     const struct buf *canonical, char ret[SIGV4_HEX_SIZE])
{
    char hash[HASH_HEX_SIZE], text[SIGV4_SCOPE_SIZE + 150];
    unsigned char mac[SHA256_SIZE];

    hash_hex(HASH_SHA256, canonical->data, canonical->length, hash);
    int n = snprintf(text, sizeof(text), "AWS4-HMAC-SHA256\n%.16s\n%s\n%s", date, scope, hash);
    hmac_sha256(key, SHA256_SIZE, text, (size_t)n, mac);
    hex_encode(ret, mac, sizeof(mac));
}

/* Headers that are not signed: they are changed on the way, or added after signing. */
static bool is_unsigned(const char *name)
{
    static const char *const names[] = {"authorization", "user-agent", "expect",
                                        "connection",    "accept",     "transfer-encoding",
                                        "content-length"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

#define SIGNED_MAX 400

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* "host;x-amz-date": the names of all headers to sign, lower case, in order, each once. */
static int signed_names(struct buf *out, const struct pairs *headers, struct err *e)
{
    const char *names[SIGNED_MAX] = {"host"};
    size_t count = 1;

    for (size_t i = 0; i < headers->count; i++) {
        if (is_unsigned(headers->list[i].key))
            continue;
        if (count == SIGNED_MAX)
            return err_set(e, ERR_INVALID, "more than %d headers to sign", SIGNED_MAX);
        names[count++] = headers->list[i].key;
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcasecmp(names[i], names[i - 1]) == 0)
            continue;
        size_t n = strlen(names[i]);
        if (buf_reserve(out, n + 1, e) < 0)
            return -1;
        if (i > 0)
            buf_char(out, ';');
        for (const char *at = names[i]; *at; at++)
            buf_char(out, (char)tolower((unsigned char)*at));
    }
    return 0;
}

static void set_headers(struct sigv4 *s, struct http_request *r, const char *date,
                        const char *payload_hash)
{
    pairs_set(&r->headers, "x-amz-date", date);
    pairs_set(&r->headers, "x-amz-content-sha256", payload_hash);
    if (s->token.length)
        pairs_set(&r->headers, "x-amz-security-token", (const char *)s->token.bytes);
}

int sigv4_sign_head(struct sigv4 *s, struct http_request *r, const char *payload_hash, int64_t now,
                    struct sigv4_chunks *chunks, struct err *e)
{
    char date[DATE_TEXT], scope[SIGV4_SCOPE_SIZE], signature[SIGV4_HEX_SIZE];
    unsigned char key[SHA256_SIZE];
    struct target target;
    auto_buf struct buf names = BUF_INIT(64 * 1024), canonical = BUF_INIT(SIGV4_TEXT_MAX);
    auto_buf struct buf line = BUF_INIT(70 * 1024);

    if (target_of(r->url, &target, e) < 0)
        return -1;
    date_basic(date, now);
    set_headers(s, r, date, payload_hash);
    auto_free char *path = xstrndup(target.path, target.path_length);
    auto_free char *host = xstrndup(target.host, target.host_length);
    if (signed_names(&names, &r->headers, e) < 0)
        return err_prefix(e, "sign a request");
    pairs_add(&r->headers, "Host", host);
    int built = sigv4_canonical_request(&canonical, r->method, path, target.query, &r->headers,
                                        names.data, payload_hash, e);
    pairs_remove(&r->headers, r->headers.count - 1);
    if (built < 0)
        return err_prefix(e, "sign a request");
    sigv4_scope(s, date, scope);
    sigv4_day_key(s, date, key);
    sigv4_signature(key, date, scope, &canonical, signature);
    buf_printf(&line, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
               s->access_key, scope, names.data, signature);
    pairs_set(&r->headers, "Authorization", line.data);
    if (chunks) {
        (void)snprintf(chunks->date, sizeof(chunks->date), "%.16s", date);
        memcpy(chunks->scope, scope, sizeof(scope));
        memcpy(chunks->seed, signature, sizeof(signature));
        memcpy(chunks->previous, signature, sizeof(signature));
        memcpy(chunks->key, key, sizeof(key));
    }
    OPENSSL_cleanse(key, sizeof(key));
    return 0;
}

int sigv4_sign(struct sigv4 *s, struct http_request *r, const char *payload_hash, int64_t now,
               struct err *e)
{
    return sigv4_sign_head(s, r, payload_hash, now, NULL, e);
}

int sigv4_presign(struct sigv4 *s, const char *method, const char *url, int seconds, int64_t now,
                  char **ret_url, struct err *e)
{
    char date[DATE_TEXT], scope[SIGV4_SCOPE_SIZE], signature[SIGV4_HEX_SIZE], number[16];
    unsigned char key[SHA256_SIZE];
    struct target target;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_buf struct buf query = BUF_INIT(URL_MAX), canonical = BUF_INIT(SIGV4_TEXT_MAX);

    if (seconds < 1 || seconds > SIGV4_EXPIRY_MAX)
        return err_set(e, ERR_INVALID, "a presigned URL holds for 1 second to 7 days");
    if (target_of(url, &target, e) < 0)
        return -1;
    if (strlen(url) + 3 * s->token.length > URL_MAX / 2)
        return err_set(e, ERR_INVALID, "the URL is too long to be signed");
    date_basic(date, now);
    sigv4_scope(s, date, scope);
    auto_free char *credential = xasprintf("%s/%s", s->access_key, scope);
    (void)snprintf(number, sizeof(number), "%d", seconds);
    if (target.query)
        buf_text(&query, target.query);
    query_add(&query, "X-Amz-Algorithm", "AWS4-HMAC-SHA256");
    query_add(&query, "X-Amz-Credential", credential);
    query_add(&query, "X-Amz-Date", date);
    query_add(&query, "X-Amz-Expires", number);
    if (s->token.length)
        query_add(&query, "X-Amz-Security-Token", (const char *)s->token.bytes);
    query_add(&query, "X-Amz-SignedHeaders", "host");
    auto_free char *path = xstrndup(target.path, target.path_length);
    auto_free char *host = xstrndup(target.host, target.host_length);
    pairs_add(&headers, "host", host);
    if (sigv4_canonical_request(&canonical, method, path, query.data, &headers, "host",
                                SIGV4_UNSIGNED, e) < 0)
        return err_prefix(e, "presign a URL");
    sigv4_day_key(s, date, key);
    sigv4_signature(key, date, scope, &canonical, signature);
    OPENSSL_cleanse(key, sizeof(key));
    query_add(&query, "X-Amz-Signature", signature);
    *ret_url = xasprintf("%.*s?%s", (int)(target.path + target.path_length - url), url, query.data);
    return 0;
}
