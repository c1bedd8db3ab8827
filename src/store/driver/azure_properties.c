// SPDX-License-Identifier: EUPL-1.2
/* Blob properties: from answers' headers and listings into struct object, and into requests. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "codec/url.h"
#include "store/driver/azure_private.h"

#define METADATA_PREFIX "x-ms-meta-"
#define FOLDER_KEY      "hdi_isfolder"

enum property_kind { TEXT, TIME, TRUTH, NUMBER, OTHER };

/* One property under its two names, and where it belongs. */
struct property {
    const char *header;
    size_t header_length;
    const char *listed; /* NULL where listings do not have it */
    enum property_kind kind;
    size_t field;
    void (*set)(struct object *o, const char *value);
};

static void set_etag(struct object *o, const char *value)
{
    free(o->etag);
    o->etag = azure_etag(value);
}

static void set_type(struct object *o, const char *value)
{
    if (strcmp(value, "AppendBlob") == 0)
        o->type = OBJECT_APPEND;
    else if (strcmp(value, "PageBlob") == 0)
        o->type = OBJECT_PAGE;
    else
        o->type = OBJECT_BLOCK;
}

static void set_tag_count(struct object *o, const char *value)
{
    o->tag_count = (unsigned)strtoul(value, NULL, 10);
}

static void set_lease(struct object *o, const char *value)
{
    o->leased = strcmp(value, "leased") == 0 || strcmp(value, "breaking") == 0;
}

/* Azure says it as HTTP date; a policy that nobody locked or set is said to be "Mutable". */
static void set_immutable_until(struct object *o, const char *value)
{
    struct err e = {0};
    int64_t time;
    char text[DATE_TEXT];

    if (date_parse_rfc1123(value, &time, &e) < 0)
        return replace_string(&o->immutable_until, value);
    date_iso8601(text, sizeof(text), time, 0);
    replace_string(&o->immutable_until, text);
}

static void set_immutable_mode(struct object *o, const char *value)
{
    if (strcasecmp(value, "mutable") == 0)
        return;
    replace_string(&o->immutable_mode, value);
    for (char *c = o->immutable_mode; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + ('a' - 'A'));
}

static void set_customer_key(struct object *o, const char *value)
{
    o->customer_encrypted = *value != '\0';
}

static void set_resource_type(struct object *o, const char *value)
{
    if (strcasecmp(value, "directory") == 0)
        o->is_folder = true;
}

static void set_version(struct object *o, const char *value)
{
    replace_string(&o->version, value);
}

/* "rwxr-x---" as the ACL it is short for; an ACL that was given in full stays. */
static void set_permissions(struct object *o, const char *value)
{
    if (o->acl || strlen(value) != 9 || strspn(value, "rwx-") != 9)
        return;
    o->acl = xasprintf("user::%.3s,group::%.3s,other::%.3s", value, value + 3, value + 6);
}

static void set_md5(struct object *o, const char *value)
{
    auto_buf struct buf bytes = BUF_INIT(64);
    struct err e = {0};

    if (base64_decode(value, strlen(value), &bytes, &e) == 0 && bytes.length == MD5_SIZE)
        checksum_set(&o->stored, CHECKSUM_MD5, bytes.data);
}

/* Azure writes a CRC-64 with its lowest byte first. */
static bool read_crc64(const char *value, unsigned char crc64[8])
{
    auto_buf struct buf bytes = BUF_INIT(64);
    struct err e = {0};

    if (base64_decode(value, strlen(value), &bytes, &e) < 0 || bytes.length != 8)
        return false;
    for (int i = 0; i < 8; i++)
        crc64[i] = (unsigned char)bytes.data[7 - i];
    return true;
}

static void set_crc64(struct object *o, const char *value)
{
    unsigned char crc64[8];

    if (read_crc64(value, crc64))
        checksum_set(&o->stored, CHECKSUM_CRC64, crc64);
}

#define FIELD(name)  offsetof(struct object, name)
#define HEADER(name) (name), sizeof(name) - 1
static const struct property properties[] = {
    {HEADER("ETag"), "Etag", OTHER, 0, set_etag},
    {HEADER("Last-Modified"), "Last-Modified", TIME, FIELD(modified), NULL},
    {HEADER("x-ms-creation-time"), "Creation-Time", TIME, FIELD(created), NULL},
    {NULL, 0, "DeletedTime", TIME, FIELD(deleted), NULL},
    {NULL, 0, "Content-Length", NUMBER, FIELD(size), NULL},
    {HEADER("Content-Type"), "Content-Type", TEXT, FIELD(content_type), NULL},
    {HEADER("Content-Encoding"), "Content-Encoding", TEXT, FIELD(content_encoding), NULL},
    {HEADER("Content-Language"), "Content-Language", TEXT, FIELD(content_language), NULL},
    {HEADER("Content-Disposition"), "Content-Disposition", TEXT, FIELD(content_disposition), NULL},
    {HEADER("Cache-Control"), "Cache-Control", TEXT, FIELD(cache_control), NULL},
    {NULL, 0, "Content-MD5", OTHER, 0, set_md5},
    {NULL, 0, "Content-CRC64", OTHER, 0, set_crc64},
    {HEADER("x-ms-blob-type"), "BlobType", OTHER, 0, set_type},
    {HEADER("x-ms-blob-sequence-number"), "x-ms-blob-sequence-number", NUMBER, FIELD(sequence),
     NULL},
    {HEADER("x-ms-access-tier"), "AccessTier", TEXT, FIELD(tier), NULL},
    {HEADER("x-ms-access-tier-inferred"), "AccessTierInferred", TRUTH, FIELD(tier_inferred), NULL},
    {HEADER("x-ms-archive-status"), "ArchiveStatus", TEXT, FIELD(waking), NULL},
    {HEADER("x-ms-tag-count"), "TagCount", OTHER, 0, set_tag_count},
    {HEADER("x-ms-lease-state"), "LeaseState", OTHER, 0, set_lease},
    {HEADER("x-ms-immutability-policy-until-date"), "ImmutabilityPolicyUntilDate", OTHER, 0,
     set_immutable_until},
    {HEADER("x-ms-immutability-policy-mode"), "ImmutabilityPolicyMode", OTHER, 0,
     set_immutable_mode},
    {HEADER("x-ms-legal-hold"), "LegalHold", TRUTH, FIELD(legal_hold), NULL},
    {HEADER("x-ms-encryption-scope"), "EncryptionScope", TEXT, FIELD(encryption_scope), NULL},
    {HEADER("x-ms-encryption-key-sha256"), "CustomerProvidedKeySha256", OTHER, 0, set_customer_key},
    {HEADER("x-ms-resource-type"), "ResourceType", OTHER, 0, set_resource_type},
    {HEADER("x-ms-owner"), "Owner", TEXT, FIELD(owner), NULL},
    {HEADER("x-ms-group"), "Group", TEXT, FIELD(group), NULL},
    {HEADER("x-ms-acl"), "Acl", TEXT, FIELD(acl), NULL},
    {HEADER("x-ms-permissions"), "Permissions", OTHER, 0, set_permissions},
    {HEADER("x-ms-version-id"), NULL, OTHER, 0, set_version},
    {HEADER("x-ms-is-current-version"), NULL, TRUTH, FIELD(is_latest), NULL},
};

static void read_number(uint64_t *into, const char *value)
{
    char *end;
    unsigned long long number = strtoull(value, &end, 10);

    if (end != value && !*end)
        *into = number;
}

static void assign(struct object *o, const struct property *p, const char *value)
{
    void *field = (char *)o + p->field;
    struct err e = {0};

    switch (p->kind) {
    case TEXT: /* an empty element of a listing means that there is none */
        if (*value)
            replace_string(field, value);
        break;
    case TIME:
        if (*value && date_parse_rfc1123(value, field, &e) < 0)
            *(int64_t *)field = TIME_UNKNOWN;
        break;
    case TRUTH:
        *(bool *)field = strcasecmp(value, "true") == 0;
        break;
    case NUMBER:
        read_number(field, value);
        break;
    case OTHER:
        p->set(o, value);
        break;
    }
}

void azure_read_property(struct object *o, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
        if (properties[i].listed && strcmp(properties[i].listed, name) == 0) {
            assign(o, &properties[i], value);
            return;
        }
}

void azure_finish_object(struct object *o)
{
    const char *folder = pairs_get_nocase(&o->metadata, FOLDER_KEY);

    if (folder && strcasecmp(folder, "true") == 0)
        o->is_folder = true;
    o->archived = o->tier && strcasecmp(o->tier, "Archive") == 0;
    if (!o->archived)
        free(take(o->waking));
}

/* Most headers of an answer are none: their length tells soonest. */
static const struct property *property_of_header(const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
        if (properties[i].header_length == length && strcasecmp(properties[i].header, name) == 0)
            return &properties[i];
    return NULL;
}

void azure_read_properties(const struct http_response *response, struct object *ret)
{
    /* Backwards, for the first of several is the one that counts. */
    for (size_t i = response->headers.count; i-- > 0;) {
        const struct pair *h = &response->headers.list[i];
        const struct property *p = property_of_header(h->key);
        if (p)
            assign(ret, p, h->value);
    }
    for (size_t i = 0; i < response->headers.count; i++) {
        const struct pair *h = &response->headers.list[i];
        if (strncasecmp(h->key, METADATA_PREFIX, strlen(METADATA_PREFIX)) == 0)
            pairs_add(&ret->metadata, h->key + strlen(METADATA_PREFIX), h->value);
    }
    /* for a range, Content-MD5 is that of the range; the blob's has its own header then */
    const char *md5 = http_response_header(response, "x-ms-blob-content-md5");
    if (!md5 && response->status == 200)
        md5 = http_response_header(response, "Content-MD5");
    if (md5)
        set_md5(ret, md5);
    azure_finish_object(ret);
}

char *azure_etag(const char *header)
{
    if (!header)
        return NULL;
    if (strncmp(header, "W/", 2) == 0)
        header += 2;
    size_t n = strlen(header);
    if (n >= 2 && header[0] == '"' && header[n - 1] == '"')
        return xstrndup(header + 1, n - 2);
    return xstrdup(header);
}

void azure_read_checksums(const struct http_response *response, struct checksums *ret)
{
    const char *crc64 = http_response_header(response, "x-ms-content-crc64");
    const char *md5 = http_response_header(response, "Content-MD5");
    struct object o = {.stored = *ret};

    if (crc64)
        set_crc64(&o, crc64);
    if (md5)
        set_md5(&o, md5);
    *ret = o.stored;
}

void azure_header_checksum(struct azure_exchange *x, const char *name, const void *bytes, size_t n)
{
    auto_buf struct buf text = BUF_INIT(BASE64_SIZE(SHA256_SIZE));

    base64_encode(&text, bytes, n);
    azure_exchange_header(x, name, text.data);
}

void azure_header_crc64(struct azure_exchange *x, const unsigned char crc64[8])
{
    unsigned char turned[8];

    for (int i = 0; i < 8; i++)
        turned[i] = crc64[7 - i];
    azure_header_checksum(x, "x-ms-content-crc64", turned, sizeof(turned));
}

bool azure_is_block_tier(const char *tier)
{
    static const char *const tiers[] = {"Hot", "Cool", "Cold", "Archive", "Smart"};

    for (size_t i = 0; i < ARRAY_SIZE(tiers); i++)
        if (strcmp(tiers[i], tier) == 0)
            return true;
    return false;
}

/* What would not arrive as it is, or would become another header, is refused. */
static int add_checked(struct azure_exchange *x, const char *name, const char *value, struct err *e)
{
    size_t n = strlen(value);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f)
            return err_set(e, ERR_INVALID, "the value for %s holds a control character", name);
    if (n && (value[0] == ' ' || value[n - 1] == ' '))
        return err_set(e, ERR_INVALID,
                       "the value for %s begins or ends with a space, which Azure would cut off",
                       name);
    azure_exchange_header(x, name, value);
    return 0;
}

static bool is_identifier(const char *key)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

    if (!*key || !strchr(letters, *key))
        return false;
    key += strspn(key, letters);
    while (*key && (strchr(letters, *key) || (*key >= '0' && *key <= '9')))
        key++;
    return !*key;
}

int azure_write_metadata(struct azure_exchange *x, const struct pairs *metadata, struct err *e)
{
    for (size_t i = 0; i < metadata->count; i++) {
        const struct pair *p = &metadata->list[i];
        if (!is_identifier(p->key))
            return err_set(e, ERR_INVALID, "metadata key '%.80s' is no identifier, as Azure asks",
                           p->key);
        for (const char *c = p->value; *c; c++)
            if ((unsigned char)*c >= 0x80)
                return err_set(e, ERR_INVALID, "metadata '%.80s' holds characters beyond ASCII",
                               p->key);
        auto_free char *name = xasprintf(METADATA_PREFIX "%s", p->key);
        if (add_checked(x, name, p->value, e) < 0)
            return -1;
    }
    return 0;
}

static int write_headers(struct azure_exchange *x, const struct object *o, struct err *e)
{
    const struct {
        const char *name;
        const char *value;
    } headers[] = {
        {"x-ms-blob-content-type", o->content_type},
        {"x-ms-blob-content-encoding", o->content_encoding},
        {"x-ms-blob-content-language", o->content_language},
        {"x-ms-blob-content-disposition", o->content_disposition},
        {"x-ms-blob-cache-control", o->cache_control},
    };

    for (size_t i = 0; i < ARRAY_SIZE(headers); i++)
        if (headers[i].value && *headers[i].value &&
            add_checked(x, headers[i].name, headers[i].value, e) < 0)
            return -1;
    return 0;
}

static int write_tags(struct azure_exchange *x, const struct pairs *tags, struct err *e)
{
    auto_buf struct buf text = BUF_INIT(64 * 1024);

    for (size_t i = 0; i < tags->count; i++) {
        const struct pair *p = &tags->list[i];
        if (strlen(p->key) + strlen(p->value) > 4096)
            return err_set(e, ERR_INVALID, "the tag '%.80s' is too long for Azure", p->key);
        if (text.length > 32 * 1024)
            return err_set(e, ERR_INVALID, "%zu tags are more than Azure takes", tags->count);
        query_add(&text, p->key, p->value);
    }
    if (text.length)
        azure_exchange_header(x, "x-ms-tags", text.data);
    return 0;
}

/* A folder of a hierarchical account is, elsewhere, an empty blob with a mark. */
static bool wants_folder_mark(const struct put_options *options)
{
    const struct object *o = options->properties;

    return o->is_folder && options->size == 0 && !pairs_get_nocase(&o->metadata, FOLDER_KEY);
}

static void write_stored_md5(struct azure_exchange *x, const struct put_options *options)
{
    const struct checksums *claims = options->properties ? &options->properties->stored : NULL;
    const struct checksums *md5 = &options->known;

    if (!(md5->have & (1u << CHECKSUM_MD5)) && claims)
        md5 = claims;
    if (md5->have & (1u << CHECKSUM_MD5))
        azure_header_checksum(x, "x-ms-blob-content-md5", md5->md5, MD5_SIZE);
}

int azure_write_properties(struct azure_exchange *x, const struct azure_write *w, struct err *e)
{
    const struct object *o = w->options->properties;

    if (w->stored_md5)
        write_stored_md5(x, w->options);
    if (w->marker)
        azure_exchange_header(x, METADATA_PREFIX AZURE_MARKER, w->marker);
    if (!o)
        return 0;
    if (write_headers(x, o, e) < 0 || azure_write_metadata(x, &o->metadata, e) < 0 ||
        write_tags(x, &o->tags, e) < 0)
        return -1;
    if (wants_folder_mark(w->options))
        azure_exchange_header(x, METADATA_PREFIX FOLDER_KEY, "true");
    if (w->tier && o->tier && !o->tier_inferred && azure_is_block_tier(o->tier))
        azure_exchange_header(x, "x-ms-access-tier", o->tier);
    return 0;
}
