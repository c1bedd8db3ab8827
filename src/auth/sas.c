// SPDX-License-Identifier: EUPL-1.2
/* Azure's shared access signatures: see sas.h. */
#include "auth/sas.h"

#include <openssl/crypto.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "codec/url.h"
#include "crypto/hmac.h"

#define FIRST_VERSION "2012-02-12"
#define NEW_VERSION   "2022-11-02"

void sas_release(struct sas *s)
{
    for (size_t i = 0; i < s->fields.count; i++)
        if (strcmp(s->fields.list[i].key, "sig") == 0)
            OPENSSL_cleanse(s->fields.list[i].value, strlen(s->fields.list[i].value));
    pairs_release(&s->fields);
    free(s->permissions);
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

/* All that is read here or signed. */
static const char *const known[] = {
    "sv",    "ss",   "srt",   "sp",    "st",       "se",        "sip", "spr", "sig",
    "sr",    "si",   "skoid", "sktid", "skt",      "ske",       "sks", "skv", "saoid",
    "suoid", "scid", "sdd",   "ses",   "sduoid",   "skdutid",   "srh", "srq", "rscc",
    "rscd",  "rsce", "rscl",  "rsct",  "snapshot", "versionid",
};

/* The same field twice could mean one thing here and another at the service; a line feed in one
 * could pass for the end of a line of what is signed. */
static int check_fields(const struct sas *s, struct err *e)
{
    for (size_t n = 0; n < ARRAY_SIZE(known); n++) {
        int count = 0;
        for (size_t i = 0; i < s->fields.count; i++) {
            const struct pair *field = &s->fields.list[i];
            if (strcmp(field->key, known[n]) != 0)
                continue;
            if (++count > 1)
                return err_set(e, ERR_INVALID, "the SAS has its field '%s' twice", known[n]);
            for (const char *at = field->value; *at; at++)
                if ((unsigned char)*at < ' ' || *at == 127)
                    return err_set(e, ERR_INVALID, "the SAS has a control character in '%s'",
                                   known[n]);
        }
    }
    return 0;
}

static int read_times(struct sas *s, struct err *e)
{
    if (take_time(s, "st", "start", &s->starts, e) < 0 ||
        take_time(s, "se", "expiry", &s->expires, e) < 0)
        return -1;
    if (s->expires == TIME_UNKNOWN && (s->kind != SAS_SERVICE || !sas_field(s, "si")))
        return err_set(e, ERR_INVALID, "the SAS has no expiry (se)");
    s->key_starts = s->key_expires = TIME_UNKNOWN;
    if (s->kind != SAS_DELEGATION)
        return 0;
    if (take_time(s, "skt", "key's start", &s->key_starts, e) < 0 ||
        take_time(s, "ske", "key's expiry", &s->key_expires, e) < 0)
        return -1;
    return s->key_starts == TIME_UNKNOWN || s->key_expires == TIME_UNKNOWN
               ? err_set(e, ERR_INVALID, "the SAS does not say when its key is valid (skt, ske)")
               : 0;
}

static int read_fields(struct sas *s, struct err *e)
{
    const char *version = sas_field(s, "sv");

    if (!sas_field(s, "sig"))
        return err_set(e, ERR_INVALID,
                       "this is no shared access signature (sv=...&sig=...): copy it whole");
    if (check_fields(s, e) < 0)
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
    if (sas_field(s, "sp") && *sas_field(s, "sp"))
        replace_string(&s->permissions, sas_field(s, "sp"));
    return read_times(s, e);
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
    auto_buf struct buf signature = BUF_INIT(64), query = BUF_INIT(SAS_TEXT_MAX);
    auto_buf struct buf text = BUF_INIT(SAS_TEXT_MAX);
    unsigned char mac[SHA256_SIZE];

    add_field(&s, "sv", wish->version ? wish->version : NEW_VERSION);
    add_field(&s, "ss", wish->services);
    add_field(&s, "srt", wish->resource_types);
    if (!wish->services)
        add_field(&s, "sr", wish->directory_depth ? "d" : resource->blob ? "b" : "c");
    add_field(&s, "sdd", wish->directory_depth);
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
    if (read_fields(&s, e) < 0 || sas_string_to_sign(&text, &s, resource, NULL, e) < 0)
        return err_prefix(e, "create a SAS");
    hmac_sha256(key->bytes, key->length, text.data, text.length, mac);
    base64_encode(&signature, mac, sizeof(mac));
    pairs_set(&s.fields, "sig", signature.data);
    for (size_t i = 0; i < s.fields.count; i++)
        query_add(&query, s.fields.list[i].key, s.fields.list[i].value);
    return buf_add(out, query.data, query.length, e);
}

int sas_delegation_key(const struct secret *secret, const struct pairs *fields, struct secret *ret,
                       struct err *e)
{
    static const char *const names[] = {"skoid", "sktid", "skt", "ske", "sks", "skv", "skdutid"};
    auto_buf struct buf text = BUF_INIT(SAS_TEXT_MAX);
    unsigned char mac[SHA256_SIZE];

    buf_text(&text, "bascule user delegation key 1\n");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = pairs_get(fields, names[i]);
        if (i < 6 && (!value || !*value))
            return err_set(e, ERR_INVALID, "a user delegation key needs '%s'", names[i]);
        if (value && strchr(value, '\n'))
            return err_set(e, ERR_INVALID, "'%s' has a control character", names[i]);
        if (buf_add(&text, value ? value : "", value ? strlen(value) : 0, e) < 0 ||
            buf_add(&text, "\n", 1, e) < 0)
            return -1;
    }
    hmac_sha256(secret->bytes, secret->length, text.data, text.length, mac);
    secret_set(ret, mac, sizeof(mac));
    OPENSSL_cleanse(mac, sizeof(mac));
    return 0;
}
