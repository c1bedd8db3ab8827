// SPDX-License-Identifier: EUPL-1.2
/* SigV4, the verifying side: see sigv4.h. */
#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdarg.h>
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

/* What is wrong with a claim, in the words S3 has for it: a client's author knows them. */
static int claim_error(const struct sigv4_claim *c, struct err *e, const char *format, ...)
    printf_like(3, 4);

static int claim_error(const struct sigv4_claim *c, struct err *e, const char *format, ...)
{
    char text[400];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return err_set(e, ERR_INVALID, "%s; %s",
                   c->presigned ? "Error parsing the X-Amz-Credential parameter"
                                : "The authorization header is malformed",
                   text);
}

/* One of the parts between '/'s: true when it fits. */
static bool take_part(const char **at, const char *end, char *ret, size_t size)
{
    const char *slash = memchr(*at, '/', (size_t)(end - *at));
    size_t n = (size_t)((slash ? slash : end) - *at);

    if (n == 0 || n >= size)
        return false;
    memcpy(ret, *at, n);
    ret[n] = '\0';
    *at = slash ? slash + 1 : end;
    return true;
}

/* "KEY/20261122/gra/s3/aws4_request". */
static int take_credential(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    const char *at = text, *end = text + n;
    char day[33], terminal[33];

    if (!take_part(&at, end, c->access_key, sizeof(c->access_key)) ||
        !take_part(&at, end, day, sizeof(day)) ||
        !take_part(&at, end, c->region, sizeof(c->region)) ||
        !take_part(&at, end, c->service, sizeof(c->service)) ||
        memchr(at, '/', (size_t)(end - at)) || !take_part(&at, end, terminal, sizeof(terminal)))
        return claim_error(c, e,
                           "the Credential is mal-formed; expecting "
                           "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".");
    if (strcmp(terminal, "aws4_request") != 0)
        return claim_error(c, e, "incorrect terminal \"%s\". This endpoint uses \"aws4_request\".",
                           terminal);
    if (strcmp(c->service, "s3") != 0)
        return claim_error(c, e, "incorrect service \"%s\". This endpoint belongs to \"s3\".",
                           c->service);
    if (strlen(day) != 8 || strspn(day, "0123456789") != 8)
        return claim_error(c, e,
                           "incorrect date format \"%s\". This date in the credential must be in "
                           "the format \"yyyyMMdd\".",
                           day);
    memcpy(c->day, day, sizeof(c->day));
    return 0;
}

static int take_signature(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    if (n != SIGV4_HEX_SIZE - 1 || strspn(text, "0123456789abcdef") < n)
        return err_set(e, ERR_INVALID, "the signature is not 64 lower-case hexadecimal digits");
    memcpy(c->signature, text, n);
    return 0;
}

/* Lower-case names in order. */
static int take_names(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    const char *before = NULL;
    auto_free char *names = n < NAMES_MAX ? xstrndup(text, n) : NULL;

    for (char *at = names, *save = NULL; names && (at = strtok_r(at, ";", &save)); at = NULL) {
        if (before && strcmp(before, at) >= 0)
            return err_set(e, ERR_INVALID, "the list of signed headers is not in order");
        for (const char *letter = at; *letter; letter++)
            if (!isgraph((unsigned char)*letter) || isupper((unsigned char)*letter))
                return err_set(e, ERR_INVALID, "the list of signed headers is malformed");
        before = at;
    }
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
    int parts = 0;

    if (strncmp(header, ALGORITHM, algorithm) != 0 || !strchr(" \t", header[algorithm]))
        return claim_error(&c, e, "the Authorization header is not one of " ALGORITHM);
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
        else if (n && !memchr(at, '=', n))
            taken = claim_error(&c, e, "the authorization component \"%.*s\" is malformed.",
                                n < 100 ? (int)n : 100, at);
        if (taken < 0)
            return -1;
        parts += n > 0;
        at += n;
    }
    if (parts < 3)
        return claim_error(&c, e,
                           "the authorization header requires three components: Credential, "
                           "SignedHeaders, and Signature.");
    if (!c.access_key[0])
        return claim_error(&c, e, "missing Credential.");
    if (!c.signed_headers)
        return claim_error(&c, e, "missing SignedHeaders.");
    if (!c.signature[0])
        return claim_error(&c, e, "missing Signature.");
    *ret = c;
    c = (struct sigv4_claim)SIGV4_CLAIM_INIT;
    return 0;
}

static int take_date(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    int64_t time = 0;

    if (date_parse_basic(text, &time, e) < 0 || n >= sizeof(c->date))
        return err_set(e, c->presigned ? ERR_INVALID : ERR_DENIED, "%s",
                       c->presigned ? "X-Amz-Date must be in the ISO8601 Long Format "
                                      "\"yyyyMMdd'T'HHmmss'Z'\""
                                    : "AWS authentication requires a valid Date or x-amz-date "
                                      "header.");
    memcpy(c->date, text, n + 1);
    return 0;
}

static int take_expiry(struct sigv4_claim *c, const char *text, size_t n, struct err *e)
{
    bool negative = *text == '-' && n > 1;
    size_t digits = n - negative;

    if (digits == 0 || strspn(text + negative, "0123456789") != digits)
        return err_set(e, ERR_INVALID, "X-Amz-Expires should be a number");
    if (negative)
        return err_set(e, ERR_INVALID, "X-Amz-Expires must be non-negative");
    c->expires = digits < 10 ? strtol(text, NULL, 10) : SIGV4_EXPIRY_MAX + 1;
    if (c->expires > SIGV4_EXPIRY_MAX)
        return err_set(e, ERR_INVALID,
                       "X-Amz-Expires must be less than a week (in seconds); that is, the given "
                       "X-Amz-Expires must be less than %d seconds",
                       SIGV4_EXPIRY_MAX);
    return 0;
}

static const struct {
    const char *name;
    int (*taker)(struct sigv4_claim *, const char *, size_t, struct err *);
} parameters[] = {
    {"X-Amz-Credential", take_credential}, {"X-Amz-Date", take_date},
    {"X-Amz-Expires", take_expiry},        {"X-Amz-SignedHeaders", take_names},
    {"X-Amz-Signature", take_signature},
};

int sigv4_query_parse(const char *query, struct sigv4_claim *ret, struct err *e)
{
    auto_sigv4_claim struct sigv4_claim c = {.presigned = true};
    auto_pairs struct pairs list = PAIRS_INIT;

    if (query_parse(query, &list, e) < 0)
        return -1;
    const char *algorithm = pairs_get(&list, "X-Amz-Algorithm");
    bool complete = algorithm != NULL;
    for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
        complete = complete && pairs_get(&list, parameters[i].name) != NULL;
    if (!complete)
        return err_set(e, ERR_INVALID,
                       "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                       "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                       "X-Amz-Expires parameters.");
    if (strcmp(algorithm, ALGORITHM) != 0)
        return err_set(
            e, ERR_INVALID, "X-Amz-Algorithm only supports \"" ALGORITHM "%s\"",
            strcmp(algorithm, "AWS4-ECDSA-P256-SHA256") == 0 ? "" : " and AWS4-ECDSA-P256-SHA256");
    for (size_t i = 0; i < ARRAY_SIZE(parameters); i++) {
        const char *text = pairs_get(&list, parameters[i].name);
        if (parameters[i].taker(&c, text, strlen(text), e) < 0)
            return -1;
    }
    *ret = c;
    c = (struct sigv4_claim)SIGV4_CLAIM_INIT;
    return 0;
}

/* x-amz-date; a client may use Date, in its own form, in its place. */
static int date_of(const struct pairs *headers, struct sigv4_claim *c, struct err *e)
{
    const char *date = pairs_get_nocase(headers, "x-amz-date");
    const char *plain = pairs_get_nocase(headers, "date");
    char text[DATE_TEXT] = "";
    struct err ignored = {0};
    int64_t time;

    if (!date && plain && date_parse_rfc1123(plain, &time, &ignored) == 0) {
        date_basic(text, time);
        date = text;
    } else if (!date) {
        date = plain ? plain : "";
    }
    return take_date(c, date, strlen(date), e);
}

int sigv4_claim_of(const struct pairs *headers, const char *query, struct sigv4_claim *ret,
                   struct err *e)
{
    const char *header = pairs_get_nocase(headers, "Authorization");

    if (!header && query)
        return sigv4_query_parse(query, ret, e);
    if (!header)
        return err_set(e, ERR_INVALID, "the request carries no signature");
    auto_sigv4_claim struct sigv4_claim c = SIGV4_CLAIM_INIT;
    if (sigv4_authorization_parse(header, &c, e) < 0 || date_of(headers, &c, e) < 0)
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
        return err_set(e, ERR_INVALID,
                       "%sInvalid credential date \"%s\". This date is not the same as "
                       "X-Amz-Date: \"%.8s\".",
                       c->presigned ? "" : "The authorization header is malformed; ", c->day,
                       c->date);
    int64_t apart = date > now ? date - now : now - date;
    if (c->presigned && date > now && apart > SIGV4_CLOCK_MAX)
        return err_set(e, ERR_DENIED, "Request is not valid yet.");
    if (!c->presigned && apart > SIGV4_CLOCK_MAX)
        return err_set(e, ERR_CLOCK, "the request's date is %" PRId64 " minutes from ours",
                       apart / (60 * CLOCK_SECOND));
    if (c->presigned && now > date && apart > c->expires * CLOCK_SECOND)
        return err_set(e, ERR_DENIED, "Request has expired.");
    return 0;
}

static bool is_signed(const struct sigv4_claim *c, const char *name)
{
    size_t n = strlen(name);

    for (const char *at = c->signed_headers; *at;) {
        size_t length = strcspn(at, ";");
        if (length == n && strncasecmp(at, name, n) == 0)
            return true;
        at += length + (at[length] == ';');
    }
    return false;
}

void sigv4_unsigned_headers(const struct sigv4_claim *c, const struct pairs *headers,
                            struct buf *out)
{
    if (!is_signed(c, "host"))
        buf_text(out, "host");
    for (size_t i = 0; i < headers->count; i++) {
        const char *name = headers->list[i].key;
        if (strncasecmp(name, "x-amz-", 6) != 0 || is_signed(c, name))
            continue;
        struct err ignored = {0};
        if (buf_reserve(out, strlen(name) + 2, &ignored) < 0)
            return;
        buf_text(out, out->length > 0 ? ", " : "");
        for (; *name; name++)
            buf_char(out, (char)tolower((unsigned char)*name));
    }
}

/* Host, and each header that changes what the request means, must be signed (S3's rule for
 * x-amz-*). */
static int check_covered(const struct sigv4_claim *c, const struct pairs *headers, struct err *e)
{
    auto_buf struct buf names = BUF_INIT(NAMES_MAX);

    sigv4_unsigned_headers(c, headers, &names);
    if (names.length > 0)
        return err_set(e, ERR_DENIED,
                       "There were headers present in the request which were not signed");
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
    if (strcmp(claim->region, s->region) != 0)
        return claim_error(claim, e, "the region \"%s\" is wrong; expecting \"%s\"", claim->region,
                           s->region);
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
