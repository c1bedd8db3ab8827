// SPDX-License-Identifier: EUPL-1.2
/* A server's side of shared access signatures: what was signed, and what it permits; see sas.h. */
#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/sas.h"
#include "codec/base64.h"
#include "codec/date.h"
#include "codec/url.h"
#include "crypto/hmac.h"

enum { A = 1 << SAS_ACCOUNT, S = 1 << SAS_SERVICE, D = 1 << SAS_DELEGATION };

/* Every line that is signed, in order: the field it comes from, in which kinds, from which version
 * on.  '@' marks those that are no field. */
static const struct {
    const char *name;
    unsigned kinds;
    const char *since;
} lines[] = {
    {"@account", A, ""},
    {"sp", A | S | D, ""},
    {"ss", A, ""},
    {"srt", A, ""},
    {"st", A | S | D, ""},
    {"se", A | S | D, ""},
    {"@resource", S | D, ""},
    {"si", S, ""},
    {"skoid", D, ""},
    {"sktid", D, ""},
    {"skt", D, ""},
    {"ske", D, ""},
    {"sks", D, ""},
    {"skv", D, ""},
    {"saoid", D, "2020-02-10"},
    {"suoid", D, "2020-02-10"},
    {"scid", D, "2020-02-10"},
    {"skdutid", D, "2025-07-05"},
    {"sduoid", D, "2025-07-05"},
    {"sip", A | S | D, "2015-04-05"},
    {"spr", A | S | D, "2015-04-05"},
    {"sv", A | S | D, ""},
    {"sr", S | D, "2018-11-09"},
    {"@snapshot", S | D, "2018-11-09"},
    {"ses", A | S | D, "2020-12-06"},
    {"@headers", D, "2026-04-06"},
    {"@parameters", D, "2026-04-06"},
    {"rscc", S | D, "2013-08-15"},
    {"rscd", S | D, "2013-08-15"},
    {"rsce", S | D, "2013-08-15"},
    {"rscl", S | D, "2013-08-15"},
    {"rsct", S | D, "2013-08-15"},
    {"@end", A, ""},
};

/* ---- What is signed ---- */

static int add_text(struct buf *out, const char *text, struct err *e)
{
    return buf_add(out, text, strlen(text), e);
}

/* The first so many levels of a path: what a directory SAS is signed for. */
static int add_directory(struct buf *out, const struct sas *s, const char *path, struct err *e)
{
    const char *depth = sas_field(s, "sdd"), *at = path;
    long levels = depth && *depth && strspn(depth, "0123456789") == strlen(depth)
                      ? strtol(depth, NULL, 10)
                      : -1;

    if (levels < 0 || levels > 1000)
        return err_set(e, ERR_INVALID, "the SAS for a directory has no depth (sdd)");
    for (; levels > 0 && *at; levels--) {
        at += *at == '/';
        at += strcspn(at, "/");
    }
    if (levels > 0)
        return err_set(e, ERR_DENIED, "the SAS is for a directory further down");
    if (at == path) /* the root */
        return 0;
    return add_text(out, "/", e) < 0 ? -1 : buf_add(out, path, (size_t)(at - path), e);
}

/* "/blob/account/container/blob". */
static int add_resource(struct buf *out, const struct sas *s, const struct sas_resource *resource,
                        struct err *e)
{
    const char *kind = sas_field(s, "sr");

    static const char *const kinds[] = {"b", "c", "d", "bs", "bv"};
    bool known = false;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        known |= strcmp(kind, kinds[i]) == 0;
    if (!known)
        return err_set(e, ERR_DENIED, "the SAS is not for blobs (sr)");
    if (!resource->container)
        return err_set(e, ERR_INVALID, "the SAS is for a container or blob, and none is named");
    const char *root = strcmp(sas_field(s, "sv"), "2015-02-21") < 0 ? "/" : "/blob/";
    if (add_text(out, root, e) < 0 || add_text(out, resource->account, e) < 0 ||
        add_text(out, "/", e) < 0 || add_text(out, resource->container, e) < 0)
        return -1;
    if (strcmp(kind, "c") == 0)
        return 0;
    if (strcmp(kind, "d") == 0)
        return add_directory(out, s, resource->blob ? resource->blob : "", e);
    if (!resource->blob)
        return err_set(e, ERR_DENIED, "the SAS is for one blob, not for its container");
    return add_text(out, "/", e) < 0 ? -1 : add_text(out, resource->blob, e);
}

static const char *snapshot(const struct sas *s)
{
    const char *kind = sas_field(s, "sr");
    const char *name = strcmp(kind, "bs") == 0   ? "snapshot"
                       : strcmp(kind, "bv") == 0 ? "versionid"
                                                 : NULL;

    return name ? sas_field(s, name) : NULL;
}

static bool has_line_end(const char *text)
{
    return strpbrk(text, "\r\n") != NULL;
}

/* The headers or parameters a SAS names are signed with the values they have here: "k:v" each,
 * those of headers ended by a line feed, those of parameters begun by one.  Which names they are is
 * not signed: no name and no value may pass for something else's. */
static int add_bound(struct buf *out, const char *names, const struct pairs *values, bool headers,
                     struct err *e)
{
    for (size_t n; names && *names; names += n + (names[n] == ',')) {
        n = strcspn(names, ",");
        auto_buf struct buf name = BUF_INIT(SAS_TEXT_MAX);
        if (url_unescape(&name, names, n, false, e) < 0)
            return err_prefix(e, "the SAS's field '%s'", headers ? "srh" : "srq");
        const char *value = !values   ? NULL
                            : headers ? pairs_get_nocase(values, name.data)
                                      : pairs_get(values, name.data);
        if (!value)
            return err_set(e, ERR_DENIED, "the SAS is bound to the %s '%.100s', which is missing",
                           headers ? "header" : "parameter", name.data);
        if (name.length == 0 || strchr(name.data, ':') || has_line_end(name.data) ||
            has_line_end(value))
            return err_set(e, ERR_DENIED, "the %s the SAS is bound to cannot be one",
                           headers ? "header" : "parameter");
        if ((!headers && add_text(out, "\n", e) < 0) || add_text(out, name.data, e) < 0 ||
            add_text(out, ":", e) < 0 || add_text(out, value, e) < 0 ||
            (headers && add_text(out, "\n", e) < 0))
            return -1;
    }
    return 0;
}

static int add_line(struct buf *out, const struct sas *s, const char *name,
                    const struct sas_resource *resource, const struct pairs *headers, struct err *e)
{
    if (strcmp(name, "@resource") == 0)
        return add_resource(out, s, resource, e);
    if (strcmp(name, "@headers") == 0)
        return add_bound(out, sas_field(s, "srh"), headers, true, e);
    if (strcmp(name, "@parameters") == 0)
        return add_bound(out, sas_field(s, "srq"), &s->fields, false, e);
    const char *text = strcmp(name, "@account") == 0    ? resource->account
                       : strcmp(name, "@snapshot") == 0 ? snapshot(s)
                                                        : sas_field(s, name);
    return text ? add_text(out, text, e) : 0;
}

int sas_string_to_sign(struct buf *out, const struct sas *s, const struct sas_resource *resource,
                       const struct pairs *headers, struct err *e)
{
    const char *version = sas_field(s, "sv");
    bool first = true;

    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        if (!(lines[i].kinds & 1U << s->kind) || strcmp(version, lines[i].since) < 0)
            continue;
        if (!first && buf_add(out, "\n", 1, e) < 0)
            return -1;
        if (add_line(out, s, lines[i].name, resource, headers, e) < 0)
            return -1;
        first = false;
    }
    return 0;
}

/* ---- Whether it was ---- */

static enum sas_fault fault(struct err *e, enum sas_fault fault, const char *format, ...)
    printf_like(3, 4);
static enum sas_fault fault(struct err *e, enum sas_fault fault, const char *format, ...)
{
    char text[sizeof(e->text)];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)err_set(e, fault == SAS_BAD_SIGNATURE ? ERR_UNKNOWN_WHO : ERR_DENIED, "%s", text);
    return fault;
}

const char *sas_fault_word(enum sas_fault fault)
{
    static const char *const words[SAS_FAULT_COUNT] = {
        [SAS_FINE] = "",
        [SAS_BAD_SIGNATURE] = "AuthenticationFailed",
        [SAS_BAD_TIME] = "AuthenticationFailed",
        [SAS_BAD_POLICY] = "AuthenticationFailed",
        [SAS_POLICY_REPEATS] = "InvalidQueryParameterValue",
        [SAS_BAD_USER] = "AuthenticationFailed",
        [SAS_SOURCE_MISMATCH] = "AuthorizationSourceIPMismatch",
        [SAS_PROTOCOL_MISMATCH] = "AuthorizationProtocolMismatch",
        [SAS_SERVICE_MISMATCH] = "AuthorizationServiceMismatch",
        [SAS_TYPE_MISMATCH] = "AuthorizationResourceTypeMismatch",
        [SAS_PERMISSION_MISMATCH] = "AuthorizationPermissionMismatch",
        [SAS_KIND_MISMATCH] = "AuthorizationFailure",
    };

    return words[fault];
}

/* Whether sig says these 32 bytes.  A '+' that was not escaped arrives as a space. */
static bool is_signature(const char *given, const struct buf *wanted)
{
    char text[64];
    size_t n = strlen(given);

    if (n != wanted->length || n >= sizeof(text))
        return false;
    for (size_t i = 0; i < n; i++)
        text[i] = given[i] == ' ' ? '+' : given[i];
    return CRYPTO_memcmp(text, wanted->data, n) == 0;
}

enum sas_fault sas_verify(const struct sas *s, const struct sas_request *request,
                          const struct secret *const *keys, size_t count, struct err *e)
{
    auto_buf struct buf text = BUF_INIT(SAS_TEXT_MAX);
    unsigned char mac[SHA256_SIZE];
    bool right = false;

    if (sas_string_to_sign(&text, s, &request->resource, request->headers, e) < 0) {
        (void)err_prefix(e, "Signature did not match");
        return SAS_BAD_SIGNATURE;
    }
    for (size_t i = 0; i < count; i++) {
        auto_buf struct buf wanted = BUF_INIT(64);
        if (!keys[i] || !keys[i]->length)
            continue;
        hmac_sha256(keys[i]->bytes, keys[i]->length, text.data, text.length, mac);
        base64_encode(&wanted, mac, sizeof(mac));
        right |= is_signature(sas_field(s, "sig"), &wanted);
        OPENSSL_cleanse(wanted.data, wanted.length);
    }
    OPENSSL_cleanse(mac, sizeof(mac));
    if (right)
        return SAS_FINE;
    return fault(e, SAS_BAD_SIGNATURE, "Signature did not match. String to sign used was %s",
                 text.data);
}

enum sas_fault sas_apply_policy(struct sas *s, const struct sas_policy *policy, struct err *e)
{
    const char *id = sas_field(s, "si");

    if (!id || s->kind != SAS_SERVICE)
        return SAS_FINE;
    if (!policy)
        return fault(e, SAS_BAD_POLICY, "Access policy '%.64s' is not one of the container's.", id);
    bool permissions = policy->permissions && *policy->permissions;
    const char *twice = policy->starts != TIME_UNKNOWN && s->starts != TIME_UNKNOWN     ? "st"
                        : policy->expires != TIME_UNKNOWN && s->expires != TIME_UNKNOWN ? "se"
                        : permissions && s->permissions                                 ? "sp"
                                                                                        : NULL;
    if (twice)
        return fault(e, SAS_POLICY_REPEATS,
                     "Both the signature and access policy '%.64s' say '%s'; only one may.", id,
                     twice);
    if (policy->starts != TIME_UNKNOWN)
        s->starts = policy->starts;
    if (policy->expires != TIME_UNKNOWN)
        s->expires = policy->expires;
    if (permissions)
        replace_string(&s->permissions, policy->permissions);
    if (s->expires == TIME_UNKNOWN || !s->permissions)
        return fault(e, SAS_BAD_POLICY,
                     "Neither the signature nor access policy '%.64s' says '%s'.", id,
                     s->permissions ? "se" : "sp");
    return SAS_FINE;
}

/* ---- What it permits ---- */

static void say(char text[DATE_TEXT], int64_t time)
{
    *text = '\0';
    if (time != TIME_UNKNOWN)
        date_iso8601(text, DATE_TEXT, time, 0);
}

static enum sas_fault check_time(int64_t starts, int64_t expires, int64_t now, const char *what,
                                 struct err *e)
{
    char start[DATE_TEXT], end[DATE_TEXT], at[DATE_TEXT];

    if (expires != TIME_UNKNOWN && now < expires && (starts == TIME_UNKNOWN || now >= starts))
        return SAS_FINE;
    say(start, starts);
    say(end, expires);
    say(at, now);
    return fault(e, SAS_BAD_TIME,
                 "%s not valid in the specified time frame: Start [%s] - Expiry [%s] - Current "
                 "[%s]",
                 what, start, end, at);
}

struct address {
    int family; /* 0: none */
    unsigned char bytes[16];
};

/* "203.0.113.1", "2001:db8::1"; an IPv4 address in IPv6's clothes is one of IPv4. */
static struct address address_of(const char *text, size_t n)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct address a = {0};
    char copy[INET6_ADDRSTRLEN];

    if (n >= sizeof(copy))
        return a;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (inet_pton(AF_INET, copy, a.bytes) == 1) {
        a.family = AF_INET;
    } else if (inet_pton(AF_INET6, copy, a.bytes) == 1) {
        a.family = AF_INET6;
        if (memcmp(a.bytes, mapped, sizeof(mapped)) == 0) {
            memmove(a.bytes, a.bytes + 12, 4);
            memset(a.bytes + 4, 0, 12);
            a.family = AF_INET;
        }
    }
    return a;
}

static bool is_in_range(const char *range, const char *client)
{
    size_t n = strcspn(range, "-");
    struct address first = address_of(range, n);
    struct address last = range[n] ? address_of(range + n + 1, strlen(range + n + 1)) : first;
    struct address at = client ? address_of(client, strlen(client)) : (struct address){0};

    return at.family && at.family == first.family && at.family == last.family &&
           memcmp(first.bytes, at.bytes, sizeof(at.bytes)) <= 0 &&
           memcmp(at.bytes, last.bytes, sizeof(at.bytes)) <= 0;
}

static enum sas_fault check_source(const struct sas *s, const struct sas_request *r, struct err *e)
{
    const char *range = sas_field(s, "sip"), *protocol = sas_field(s, "spr");

    if (range && *range && !is_in_range(range, r->client))
        return fault(e, SAS_SOURCE_MISMATCH,
                     "This request is not authorized to perform this operation using this source "
                     "IP %s.",
                     r->client ? r->client : "(unknown)");
    if (!protocol || !*protocol || strcmp(protocol, "https,http") == 0 ||
        strcmp(protocol, "http,https") == 0 || (r->secure && strcmp(protocol, "https") == 0))
        return SAS_FINE;
    return fault(e, SAS_PROTOCOL_MISMATCH,
                 "This request is not authorized to perform this operation using this protocol.");
}

static enum sas_fault check_user(const struct sas *s, const struct sas_request *r, struct err *e)
{
    const char *user = sas_field(s, "sduoid"), *unauthorized = sas_field(s, "suoid");

    if (s->kind != SAS_DELEGATION)
        return SAS_FINE;
    if (unauthorized && *unauthorized)
        return fault(e, SAS_BAD_USER,
                     "The signature asks for a check of POSIX access control lists (suoid), which "
                     "this account has none of.");
    if (user && *user && (!r->object_id || strcmp(user, r->object_id) != 0))
        return fault(e, SAS_BAD_USER,
                     "The signature is good only beside a token of the user it names (sduoid).");
    return SAS_FINE;
}

/* What kind of thing it is for. */
static enum sas_fault check_kind(const struct sas *s, const struct sas_request *r, struct err *e)
{
    const char *services = sas_field(s, s->kind == SAS_DELEGATION ? "sks" : "ss");
    const char *types = sas_field(s, "srt");

    if (s->kind != SAS_SERVICE && (!services || !strchr(services, 'b')))
        return fault(e, SAS_SERVICE_MISMATCH,
                     "This request is not authorized to perform this operation using this "
                     "service.");
    if (s->kind == SAS_ACCOUNT ? types && strchr(types, r->resource_type) : !r->account_only)
        return SAS_FINE;
    if (s->kind == SAS_ACCOUNT)
        return fault(e, SAS_TYPE_MISMATCH,
                     "This request is not authorized to perform this operation using this "
                     "resource type.");
    return fault(e, SAS_KIND_MISMATCH, "This operation takes an account SAS only.");
}

enum sas_fault sas_check(const struct sas *s, const struct sas_request *r, struct err *e)
{
    enum sas_fault found = check_time(s->starts, s->expires, r->now, "Signature", e);

    if (!found && s->kind == SAS_DELEGATION)
        found = check_time(s->key_starts, s->key_expires, r->now, "User delegation key", e);
    if (!found)
        found = check_source(s, r, e);
    if (!found)
        found = check_user(s, r, e);
    if (!found)
        found = check_kind(s, r, e);
    if (found || !r->any_of)
        return found;
    if (s->permissions && strpbrk(s->permissions, r->any_of))
        return SAS_FINE;
    return fault(e, SAS_PERMISSION_MISMATCH,
                 "This request is not authorized to perform this operation using this permission.");
}
