// SPDX-License-Identifier: EUPL-1.2
/* Azure's shared access signatures: see sas.h. */
#include "auth/sas.h"

#include <openssl/crypto.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "codec/url.h"
#include "crypto/hmac.h"

#define TEXT_MAX      (64 * 1024)
#define FIRST_VERSION "2015-04-05"
#define NEW_VERSION   "2022-11-02"

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
    {"sip", A | S | D, ""},
    {"spr", A | S | D, ""},
    {"sv", A | S | D, ""},
    {"sr", S | D, "2018-11-09"},
    {"@snapshot", S | D, "2018-11-09"},
    {"ses", A | S | D, "2020-12-06"},
    {"srh", D, "2026-04-06"},
    {"srq", D, "2026-04-06"},
    {"rscc", S | D, ""},
    {"rscd", S | D, ""},
    {"rsce", S | D, ""},
    {"rscl", S | D, ""},
    {"rsct", S | D, ""},
    {"@end", A, ""},
};

void sas_release(struct sas *s)
{
    for (size_t i = 0; i < s->fields.count; i++)
        if (strcmp(s->fields.list[i].key, "sig") == 0)
            OPENSSL_cleanse(s->fields.list[i].value, strlen(s->fields.list[i].value));
    pairs_release(&s->fields);
    *s = (struct sas)SAS_INIT;
}

const char *sas_field(const struct sas *s, const char *name)
{
    return pairs_get(&s->fields, name);
}

static bool is_version(const char *text)
{
    for (int i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    return text[10] == '\0';
}

static int take_time(const struct sas *s, const char *name, const char *what, int64_t *ret,
                     struct err *e)
{
    const char *text = sas_field(s, name);

    *ret = TIME_UNKNOWN;
    if (text && *text && date_parse_iso8601(text, ret, e) < 0)
        return err_prefix(e, "the SAS's %s (%s)", what, name);
    return 0;
}

/* The same field twice could mean one thing here and another at the service. */
static int check_single(const struct sas *s, struct err *e)
{
    static const char *const more[] = {"sig", "sdd", "snapshot", "versionid"};

    for (size_t n = 0; n < ARRAY_SIZE(lines) + ARRAY_SIZE(more); n++) {
        const char *name = n < ARRAY_SIZE(lines) ? lines[n].name : more[n - ARRAY_SIZE(lines)];
        int count = 0;
        for (size_t i = 0; i < s->fields.count; i++)
            count += strcmp(s->fields.list[i].key, name) == 0;
        if (count > 1)
            return err_set(e, ERR_INVALID, "the SAS has its field '%s' twice", name);
    }
    return 0;
}

static int read_fields(struct sas *s, struct err *e)
{
    const char *version = sas_field(s, "sv");

    if (!sas_field(s, "sig"))
        return err_set(e, ERR_INVALID,
                       "this is no shared access signature (sv=...&sig=...): copy it whole");
    if (check_single(s, e) < 0)
        return -1;
    if (!version || !is_version(version))
        return err_set(e, ERR_INVALID, "the SAS has no version (sv=2022-11-02, say)");
    if (strcmp(version, FIRST_VERSION) < 0)
        return err_set(e, ERR_UNSUPPORTED,
                       "the SAS is of version %s; " FIRST_VERSION " and later ones can be used",
                       version);
    bool account = sas_field(s, "ss") && sas_field(s, "srt");
    if (!account && !sas_field(s, "sr"))
        return err_set(e, ERR_INVALID,
                       "the SAS says neither what services (ss, srt) nor what "
                       "container or blob (sr) it is for");
    s->kind = account ? SAS_ACCOUNT : sas_field(s, "skoid") ? SAS_DELEGATION : SAS_SERVICE;
    if (take_time(s, "st", "start", &s->starts, e) < 0 ||
        take_time(s, "se", "expiry", &s->expires, e) < 0)
        return -1;
    if (s->expires == TIME_UNKNOWN && (s->kind != SAS_SERVICE || !sas_field(s, "si")))
        return err_set(e, ERR_INVALID, "the SAS has no expiry (se)");
    return 0;
}

int sas_parse(const char *query, struct sas *ret, struct err *e)
{
    auto_sas struct sas s = SAS_INIT;

    if (query_parse(query + (*query == '?'), &s.fields, e) < 0)
        return err_prefix(e, "SAS");
    if (read_fields(&s, e) < 0)
        return -1;
    *ret = s;
    s = (struct sas)SAS_INIT;
    return 0;
}

int sas_check(const struct sas *s, int64_t now, char permission, struct err *e)
{
    char when[DATE_TEXT];
    const char *permissions = sas_field(s, "sp"), *services = sas_field(s, "ss");

    if (s->expires != TIME_UNKNOWN && s->expires <= now) {
        date_iso8601(when, sizeof(when), s->expires, 0);
        return err_set(e, ERR_UNKNOWN_WHO, "the SAS expired at %s: get a new one", when);
    }
    if (s->starts != TIME_UNKNOWN && s->starts > now) {
        date_iso8601(when, sizeof(when), s->starts, 0);
        return err_set(e, ERR_CLOCK, "the SAS is valid only from %s on: is this clock right?",
                       when);
    }
    if (s->kind == SAS_ACCOUNT && !strchr(services, 'b'))
        return err_set(e, ERR_DENIED, "the SAS is not for blobs (ss=%.20s): get one with ss=b",
                       services);
    if (permission && permissions && *permissions && !strchr(permissions, permission))
        return err_set(e, ERR_DENIED,
                       "the SAS does not permit this: its permissions are '%.40s', '%c' is wanted",
                       permissions, permission);
    return 0;
}

/* ---- What is signed ---- */

static int add_text(struct buf *out, const char *text, struct err *e)
{
    return buf_add(out, text, strlen(text), e);
}

/* The first so many levels of a path: what a directory SAS is signed for. */
static int add_directory(struct buf *out, const struct sas *s, const char *path, struct err *e)
{
    const char *depth = sas_field(s, "sdd"), *at = path;
    long levels = depth ? strtol(depth, NULL, 10) : -1;

    if (levels < 0 || levels > 1000)
        return err_set(e, ERR_INVALID, "the SAS for a directory has no depth (sdd)");
    for (; levels > 0 && *at; levels--) {
        at += *at == '/';
        at += strcspn(at, "/");
    }
    if (levels > 0)
        return err_set(e, ERR_DENIED, "the SAS is for a directory further down");
    return buf_add(out, path, (size_t)(at - path), e);
}

/* "/blob/account/container/blob". */
static int add_resource(struct buf *out, const struct sas *s, const struct sas_resource *resource,
                        struct err *e)
{
    const char *kind = sas_field(s, "sr");

    if (!resource->container)
        return err_set(e, ERR_INVALID, "the SAS is for a container or blob, and none is named");
    if (add_text(out, "/blob/", e) < 0 || add_text(out, resource->account, e) < 0 ||
        add_text(out, "/", e) < 0 || add_text(out, resource->container, e) < 0)
        return -1;
    if (strcmp(kind, "c") == 0)
        return 0;
    if (!resource->blob)
        return err_set(e, ERR_DENIED, "the SAS is for one blob, not for its container");
    if (add_text(out, "/", e) < 0)
        return -1;
    return strcmp(kind, "d") == 0 ? add_directory(out, s, resource->blob, e)
                                  : add_text(out, resource->blob, e);
}

static const char *snapshot(const struct sas *s)
{
    const char *kind = sas_field(s, "sr");
    const char *name = strcmp(kind, "bs") == 0   ? "snapshot"
                       : strcmp(kind, "bv") == 0 ? "versionid"
                                                 : NULL;

    return name ? sas_field(s, name) : NULL;
}

static int add_line(struct buf *out, const struct sas *s, const char *name,
                    const struct sas_resource *resource, struct err *e)
{
    if (strcmp(name, "@resource") == 0)
        return add_resource(out, s, resource, e);
    const char *text = strcmp(name, "@account") == 0    ? resource->account
                       : strcmp(name, "@snapshot") == 0 ? snapshot(s)
                                                        : sas_field(s, name);
    return text ? add_text(out, text, e) : 0;
}

int sas_string_to_sign(struct buf *out, const struct sas *s, const struct sas_resource *resource,
                       struct err *e)
{
    const char *version = sas_field(s, "sv");
    bool first = true;

    if (sas_field(s, "srh") || sas_field(s, "srq"))
        return err_set(e, ERR_UNSUPPORTED, "the SAS is bound to request headers or parameters");
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        if (!(lines[i].kinds & 1U << s->kind) || strcmp(version, lines[i].since) < 0)
            continue;
        if (!first && buf_add(out, "\n", 1, e) < 0)
            return -1;
        if (add_line(out, s, lines[i].name, resource, e) < 0)
            return -1;
        first = false;
    }
    return 0;
}

static int signature_of(const struct sas *s, const struct sas_resource *resource,
                        const struct secret *key, struct buf *ret, struct err *e)
{
    unsigned char mac[SHA256_SIZE];
    auto_buf struct buf text = BUF_INIT(TEXT_MAX);

    if (sas_string_to_sign(&text, s, resource, e) < 0)
        return -1;
    hmac_sha256(key->bytes, key->length, text.data, text.length, mac);
    base64_encode(ret, mac, sizeof(mac));
    OPENSSL_cleanse(mac, sizeof(mac));
    return 0;
}

int sas_verify(const struct sas *s, const struct sas_resource *resource, const struct secret *key,
               struct err *e)
{
    auto_buf struct buf wanted = BUF_INIT(64);
    const char *given = sas_field(s, "sig");

    if (signature_of(s, resource, key, &wanted, e) < 0)
        return -1;
    if (strlen(given) != wanted.length || CRYPTO_memcmp(given, wanted.data, wanted.length) != 0)
        return err_set(e, ERR_UNKNOWN_WHO, "the SAS's signature does not match");
    return 0;
}

/* ---- A new one ---- */

static void add_field(struct sas *s, const char *name, const char *value)
{
    if (value)
        pairs_add(&s->fields, name, value);
}

static void add_time(struct sas *s, const char *name, int64_t time)
{
    char text[DATE_TEXT];

    if (time == TIME_UNKNOWN)
        return;
    date_iso8601(text, sizeof(text), time, 0);
    pairs_add(&s->fields, name, text);
}

int sas_create(const struct sas_wish *wish, const struct sas_resource *resource,
               const struct secret *key, struct buf *out, struct err *e)
{
    auto_sas struct sas s = SAS_INIT;
    auto_buf struct buf signature = BUF_INIT(64), query = BUF_INIT(TEXT_MAX);

    add_field(&s, "sv", wish->version ? wish->version : NEW_VERSION);
    add_field(&s, "ss", wish->services);
    add_field(&s, "srt", wish->resource_types);
    if (!wish->services)
        add_field(&s, "sr", resource->blob ? "b" : "c");
    add_field(&s, "sp", wish->permissions);
    add_time(&s, "st", wish->starts);
    add_time(&s, "se", wish->expires);
    add_field(&s, "si", wish->identifier);
    add_field(&s, "sip", wish->ip);
    add_field(&s, "spr", wish->protocol);
    add_field(&s, "rsct", wish->content_type);
    add_field(&s, "rscd", wish->content_disposition);
    if (wish->delegation)
        pairs_copy(&s.fields, wish->delegation);
    add_field(&s, "sig", "");
    if (read_fields(&s, e) < 0 || signature_of(&s, resource, key, &signature, e) < 0)
        return err_prefix(e, "create a SAS");
    pairs_set(&s.fields, "sig", signature.data);
    for (size_t i = 0; i < s.fields.count; i++)
        query_add(&query, s.fields.list[i].key, s.fields.list[i].value);
    return buf_add(out, query.data, query.length, e);
}
