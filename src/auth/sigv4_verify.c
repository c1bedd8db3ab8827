// SPDX-License-Identifier: EUPL-1.2
/* SigV4, the verifying side: see sigv4.h. */
#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "auth/sigv4_private.h"
#include "codec/date.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/hmac.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define NAMES_MAX (16 * 1024)

void sigv4_claim_release(struct sigv4_claim *c)
{
    free(c->signed_headers);
    *c = (struct sigv4_claim)SIGV4_CLAIM_INIT;
}

/* Copy one '/'-separated part of a scope; where the next begins, or NULL. */
static const char *take_part(const char *at, const char *end, char *ret, size_t size)
{
    const char *slash = at ? memchr(at, '/', (size_t)(end - at)) : NULL;

    if (!slash || slash == at || (size_t)(slash - at) >= size)
        return NULL;
    memcpy(ret, at, (size_t)(slash - at));
    ret[slash - at] = '\0';
    return slash + 1;
}

/* "KEY/20261122/gra/s3/aws4_request". */
static int take_credential(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    const char *end = text + n;
    const char *at = take_part(text, end, c->access_key, sizeof(c->access_key));

    at = take_part(at, end, c->day, sizeof(c->day));
    at = take_part(at, end, c->region, sizeof(c->region));
    at = take_part(at, end, c->service, sizeof(c->service));
    if (!at || end - at != 12 || memcmp(at, "aws4_request", 12) != 0 ||
        strspn(c->day, "0123456789") != 8)
        return err_set(e, ERR_INVALID, "the signature's Credential is malformed");
    return 0;
}

static int take_signature(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    if (n != SIGV4_HEX_SIZE - 1 || strspn(text, "0123456789abcdef") < n)
        return err_set(e, ERR_INVALID, "the signature is not 64 lower-case hexadecimal digits");
    memcpy(c->signature, text, n);
    return 0;
}

/* Lower-case names in order, with host among them. */
static int take_names(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    bool host = false;
    const char *before = NULL;
    auto_free char *names = n < NAMES_MAX ? xstrndup(text, n) : NULL;

    for (char *at = names, *save = NULL; names && (at = strtok_r(at, ";", &save)); at = NULL) {
        if (before && strcmp(before, at) >= 0)
            return err_set(e, ERR_INVALID, "the list of signed headers is not in order");
        host = host || strcmp(at, "host") == 0;
        for (const char *letter = at; *letter; letter++)
            if (!isgraph((unsigned char)*letter) || isupper((unsigned char)*letter))
                return err_set(e, ERR_INVALID, "the list of signed headers is malformed");
        before = at;
    }
    if (!host)
        return err_set(e, ERR_INVALID, "the signature does not cover the Host header");
    free(c->signed_headers);
    c->signed_headers = xstrndup(text, n);
    return 0;
}

static bool is_field(const char *at, size_t n, const char *name)
{
    size_t length = strlen(name);

    return n > length && strncmp(at, name, length) == 0;
}

int sigv4_authorization_parse(const char *header, struct sigv4_claim *ret, struct err *e)
{
    auto_sigv4_claim struct sigv4_claim c = SIGV4_CLAIM_INIT;
    size_t algorithm = strlen(ALGORITHM);

    if (strncmp(header, ALGORITHM, algorithm) != 0 || !strchr(" \t", header[algorithm]))
        return err_set(e, ERR_INVALID, "the Authorization header is not one of " ALGORITHM);
    for (const char *at = header + algorithm; *at;) {
        at += strspn(at, " \t,");
        size_t n = strcspn(at, ", \t");
        int taken = 0;
        if (is_field(at, n, "Credential="))
            taken = take_credential(&c, at + 11, n - 11, e);
        else if (is_field(at, n, "SignedHeaders="))
            taken = take_names(&c, at + 14, n - 14, e);
        else if (is_field(at, n, "Signature="))
            taken = take_signature(&c, at + 10, n - 10, e);
        else if (n)
            taken = err_set(e, ERR_INVALID, "the Authorization header has an unknown part");
        if (taken < 0)
            return -1;
        at += n;
    }
    if (!c.access_key[0] || !c.signature[0] || !c.signed_headers)
        return err_set(e, ERR_INVALID, "the Authorization header is not complete");
    *ret = c;
    c = (struct sigv4_claim)SIGV4_CLAIM_INIT;
    return 0;
}

static int take_text(const struct pairs *query, const char *name, struct sigv4_claim *c,
                     int (*taker)(struct sigv4_claim *, const char *, size_t, struct err *),
                     struct err *e)
{
    const char *text = pairs_get(query, name);

    if (!text)
        return err_set(e, ERR_INVALID, "the presigned URL has no %s", name);
    return taker(c, text, strlen(text), e);
}

static int take_date(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    int64_t time = 0;

    if (date_parse_basic(text, &time, e) < 0 || n >= sizeof(c->date))
        return err_set(e, ERR_INVALID, "the signature's date is malformed");
    memcpy(c->date, text, n + 1);
    return 0;
}

static int take_expiry(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    if (n == 0 || n > 6 || strspn(text, "0123456789") != n)
        return err_set(e, ERR_INVALID, "X-Amz-Expires is not a number of seconds");
    c->expires = strtol(text, NULL, 10);
    if (c->expires < 1 || c->expires > SIGV4_EXPIRY_MAX)
        return err_set(e, ERR_INVALID, "X-Amz-Expires is not 1 to %d seconds", SIGV4_EXPIRY_MAX);
    return 0;
}

int sigv4_query_parse(const char *query, struct sigv4_claim *ret, struct err *e)
{
    auto_sigv4_claim struct sigv4_claim c = {.presigned = true};
    auto_pairs struct pairs list = PAIRS_INIT;

    if (query_parse(query, &list, e) < 0)
        return -1;
    const char *algorithm = pairs_get(&list, "X-Amz-Algorithm");
    if (!algorithm || strcmp(algorithm, ALGORITHM) != 0)
        return err_set(e, ERR_INVALID, "X-Amz-Algorithm is not " ALGORITHM);
    if (take_text(&list, "X-Amz-Credential", &c, take_credential, e) < 0 ||
        take_text(&list, "X-Amz-Date", &c, take_date, e) < 0 ||
        take_text(&list, "X-Amz-Expires", &c, take_expiry, e) < 0 ||
        take_text(&list, "X-Amz-SignedHeaders", &c, take_names, e) < 0 ||
        take_text(&list, "X-Amz-Signature", &c, take_signature, e) < 0)
        return -1;
    *ret = c;
    c = (struct sigv4_claim)SIGV4_CLAIM_INIT;
    return 0;
}

int sigv4_claim_of(const struct pairs *headers, const char *query, struct sigv4_claim *ret,
                   struct err *e)
{
    const char *header = pairs_get_nocase(headers, "Authorization");
    const char *date = pairs_get_nocase(headers, "x-amz-date");

    if (!header && query && strstr(query, "X-Amz-Algorithm="))
        return sigv4_query_parse(query, ret, e);
    if (!header)
        return err_set(e, ERR_INVALID, "the request carries no signature");
    auto_sigv4_claim struct sigv4_claim c = SIGV4_CLAIM_INIT;
    if (!date)
        return err_set(e, ERR_INVALID, "the request has no x-amz-date");
    if (sigv4_authorization_parse(header, &c, e) < 0 || take_date(&c, date, strlen(date), e) < 0)
        return -1;
    *ret = c;
    c = (struct sigv4_claim)SIGV4_CLAIM_INIT;
    return 0;
}

static int check_time(const struct sigv4_claim *c, int64_t now, struct err *e)
{
    int64_t date = 0;

    if (date_parse_basic(c->date, &date, e) < 0)
        return -1;
    if (strncmp(c->date, c->day, 8) != 0)
        return err_set(e, ERR_INVALID, "the signature's date is not the day of its scope");
    int64_t apart = date > now ? date - now : now - date;
    if ((!c->presigned && apart > SIGV4_CLOCK_MAX) ||
        (c->presigned && date > now && apart > SIGV4_CLOCK_MAX))
        return err_set(e, ERR_CLOCK, "the request's date is %" PRId64 " minutes from ours",
                       apart / (60 * CLOCK_SECOND));
    if (c->presigned && now > date && apart > c->expires * CLOCK_SECOND)
        return err_set(e, ERR_DENIED, "the presigned URL has expired");
    return 0;
}

/* A header that changes what the request means must be signed (S3's rule for x-amz-*). */
static int check_covered(const struct sigv4_claim *c, const struct pairs *headers, struct err *e)
{
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->list[i].key;
        size_t n = strlen(name);
        bool covered = strncasecmp(name, "x-amz-", 6) != 0;
        for (const char *at = c->signed_headers; *at && !covered;) {
            size_t length = strcspn(at, ";");
            covered = length == n && strncasecmp(at, name, n) == 0;
            at += length + (at[length] == ';');
        }
        if (!covered)
            return err_set(e, ERR_DENIED, "header '%.100s' is not covered by the signature", name);
    }
    return 0;
}

int sigv4_verify(struct sigv4 *s, const struct sigv4_claim *claim, const char *method,
                 const char *path, const char *query, const struct pairs *headers, int64_t now,
                 struct err *e)
{
    char scope[SIGV4_SCOPE_SIZE], signature[SIGV4_HEX_SIZE];
    unsigned char key[SHA256_SIZE];
    auto_buf struct buf canonical = BUF_INIT(SIGV4_TEXT_MAX);
    const char *hash = pairs_get_nocase(headers, "x-amz-content-sha256");

    if (strcmp(claim->access_key, s->access_key) != 0)
        return err_set(e, ERR_UNKNOWN_WHO, "access key '%s' is not known here", claim->access_key);
    if (strcmp(claim->region, s->region) != 0 || strcmp(claim->service, "s3") != 0)
        return err_set(e, ERR_INVALID, "signed for '%s/%s', expected '%s/s3'", claim->region,
                       claim->service, s->region);
    if (!hash && !claim->presigned)
        return err_set(e, ERR_INVALID, "the request has no x-amz-content-sha256");
    if (check_time(claim, now, e) < 0 || check_covered(claim, headers, e) < 0 ||
        sigv4_canonical_request(&canonical, method, path, query, headers, claim->signed_headers,
                                hash ? hash : SIGV4_UNSIGNED, e) < 0)
        return -1;
    sigv4_scope(s, claim->date, scope);
    sigv4_day_key(s, claim->date, key);
    sigv4_signature(key, claim->date, scope, &canonical, signature);
    OPENSSL_cleanse(key, sizeof(key));
    if (CRYPTO_memcmp(signature, claim->signature, sizeof(signature)) != 0)
        return err_set(e, ERR_UNKNOWN_WHO, "the signature does not match the request");
    return 0;
}

int sigv4_verify_text(struct sigv4 *s, const struct sigv4_claim *claim, const char *text,
                      struct err *e)
{
    unsigned char key[SHA256_SIZE], mac[SHA256_SIZE];
    char hex[SIGV4_HEX_SIZE];
    bool scope = strcmp(claim->service, "s3") == 0 && strcmp(claim->region, s->region) == 0 &&
                 strncmp(claim->day, claim->date, 8) == 0;
    sigv4_day_key(s, claim->day, key);
    hmac_sha256(key, sizeof(key), text, strlen(text), mac);
    OPENSSL_cleanse(key, sizeof(key));
    hex_encode(hex, mac, sizeof(mac));
    bool right = strlen(claim->signature) == sizeof(hex) - 1 &&
                 CRYPTO_memcmp(hex, claim->signature, sizeof(hex) - 1) == 0;
    if (!scope || !right)
        return err_set(e, ERR_UNKNOWN_WHO, "the form is not signed by access key '%s'",
                       s->access_key);
    return 0;
}
