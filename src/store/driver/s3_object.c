// SPDX-License-Identifier: EUPL-1.2
/* An object's properties as S3 headers, both ways: see s3_private.h. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "codec/hex.h"
#include "store/driver/s3_private.h"

#define META        "x-amz-meta-"
#define META_LENGTH (sizeof(META) - 1)

/* What survives every proxy and server unchanged: no control characters, nothing beyond ASCII, no
 * blanks at the ends (they would be trimmed, and then the signature fails). */
static bool header_can_hold(const char *value)
{
    size_t length = strlen(value);

    if (length && (value[0] == ' ' || value[length - 1] == ' '))
        return false;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            return false;
    return true;
}

static int add_header(struct s3_exchange *x, const char *name, const char *value)
{
    if (!value)
        return 0;
    if (!header_can_hold(value))
        return err_set(&x->call->err, ERR_INVALID,
                       "%s '%s/%s': %s holds characters that an S3 header cannot", x->doing,
                       x->bucket, x->key, name);
    s3_exchange_header(x, name, value);
    return 0;
}

static bool is_token(const char *key)
{
    if (!*key)
        return false;
    for (const char *c = key; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("!#$%&'*+-.^_`|~", *c))
            return false;
    return true;
}

static int add_metadata(struct s3_exchange *x, const struct pairs *metadata)
{
    for (size_t i = 0; i < metadata->count; i++) {
        const char *key = metadata->list[i].key;
        auto_free char *name = xasprintf(META "%s", key);

        for (char *c = name; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        if (!is_token(key))
            return err_set(&x->call->err, ERR_INVALID,
                           "%s '%s/%s': a metadata key holds characters that an S3 header "
                           "cannot",
                           x->doing, x->bucket, x->key);
        if (pairs_get_nocase(&x->request.headers, name))
            return err_set(&x->call->err, ERR_INVALID,
                           "%s '%s/%s': two metadata keys differ only in case ('%s'), which "
                           "S3 does not keep",
                           x->doing, x->bucket, x->key, key);
        if (add_header(x, name, metadata->list[i].value) < 0)
            return -1;
    }
    return 0;
}

static int add_tags(struct s3_exchange *x, const struct pairs *tags)
{
    auto_buf struct buf text = BUF_INIT(64 * 1024);

    if (tags->count == 0 || x->s3->store.traits.tags_max == 0)
        return 0;
    if (tags->count > x->s3->store.traits.tags_max)
        return err_set(&x->call->err, ERR_INVALID, "%s '%s/%s': it takes %u tags, these are %zu",
                       x->doing, x->bucket, x->key, x->s3->store.traits.tags_max, tags->count);
    if (!s3_tags_fit(tags))
        return err_set(&x->call->err, ERR_INVALID,
                       "%s '%s/%s': a tag is longer than S3 has room for", x->doing, x->bucket,
                       x->key);
    s3_tags_header(tags, &text);
    s3_exchange_header(x, "x-amz-tagging", text.data);
    return 0;
}

int s3_object_headers(struct s3_exchange *x, const struct object *o)
{
    if (!o)
        return 0;
    /* Services differ in what they make of an object without a type; Azure's default is this. */
    if (add_header(x, "Content-Type",
                   o->content_type ? o->content_type : "application/octet-stream") < 0 ||
        add_header(x, "Content-Encoding", o->content_encoding) < 0 ||
        add_header(x, "Content-Language", o->content_language) < 0 ||
        add_header(x, "Content-Disposition", o->content_disposition) < 0 ||
        add_header(x, "Cache-Control", o->cache_control) < 0 ||
        add_header(x, "Expires", o->expires) < 0 || add_metadata(x, &o->metadata) < 0 ||
        add_tags(x, &o->tags) < 0)
        return -1;
    const char *class = o->tier ? pairs_get_nocase(&x->s3->tier_classes, o->tier) : NULL;
    if (class)
        s3_exchange_header(x, "x-amz-storage-class", class);
    return 0;
}

bool s3_is_archive_class(const char *class)
{
    return class && (strcmp(class, "GLACIER") == 0 || strcmp(class, "DEEP_ARCHIVE") == 0);
}

void s3_md5_from_etag(const char *etag, struct checksums *into)
{
    unsigned char md5[16];
    struct err ignored = {0};

    if (strlen(etag) == 32 && hex_decode(etag, md5, 16, &ignored) == 0)
        checksum_set(into, CHECKSUM_MD5, md5);
}

/* "x-amz-checksum-...: base64"; a multipart one ("base64-3") is of digests, not of the body. */
void s3_checksums_from_answer(const struct s3_exchange *x, struct checksums *into)
{
    static const struct {
        const char *header;
        enum checksum_kind kind;
    } known[] = {{"x-amz-checksum-crc64nvme", CHECKSUM_CRC64},
                 {"x-amz-checksum-crc32c", CHECKSUM_CRC32C},
                 {"x-amz-checksum-sha256", CHECKSUM_SHA256}};
    const char *type = s3_exchange_answer(x, "x-amz-checksum-type");

    if (type && strcasecmp(type, "COMPOSITE") == 0)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        const char *text = s3_exchange_answer(x, known[i].header);
        auto_buf struct buf bytes = BUF_INIT(64);
        struct err ignored = {0};
        if (text && !strchr(text, '-') &&
            base64_decode(text, strlen(text), &bytes, &ignored) == 0 &&
            bytes.length == checksum_size(known[i].kind))
            checksum_set(into, known[i].kind, bytes.data);
    }
}

bool s3_etag_may_be_md5(const struct s3_exchange *x)
{
    const char *sse = s3_exchange_answer(x, "x-amz-server-side-encryption");

    return !(sse && strncmp(sse, "aws:", 4) == 0) &&
           !s3_exchange_answer(x, "x-amz-server-side-encryption-customer-algorithm") &&
           s3_fact_known(x->s3, S3_FACT_ETAG_MD5) != FACT_NO;
}

/* Some stores keep the framing of chunk-signed uploads as if it were part of the encoding. */
static void set_encoding(struct object *o, const char *value)
{
    static const char frame[] = "aws-chunked";

    if (!value)
        return;
    if (strncmp(value, frame, sizeof(frame) - 1) == 0) {
        value += sizeof(frame) - 1;
        value += strspn(value, ", ");
        if (!*value)
            return;
    }
    replace_string(&o->content_encoding, value);
}

static void copy_metadata(const struct s3_exchange *x, struct object *o)
{
    const struct pairs *headers = &x->response.headers;

    for (size_t i = 0; i < headers->count; i++) {
        if (strncasecmp(headers->list[i].key, META, META_LENGTH) != 0)
            continue;
        auto_free char *key = xstrdup(headers->list[i].key + META_LENGTH);
        for (char *c = key; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        pairs_add(&o->metadata, key, headers->list[i].value);
    }
}

static void copy_archive_state(const struct s3_exchange *x, struct object *o)
{
    const char *class = s3_exchange_answer(x, "x-amz-storage-class");
    const char *restore = s3_exchange_answer(x, "x-amz-restore");

    replace_string(&o->tier, class);
    o->archived = s3_is_archive_class(class);
    if (!o->archived || !restore)
        return;
    if (strstr(restore, "ongoing-request=\"true\""))
        replace_string(&o->waking, "ongoing");
    else if (strstr(restore, "ongoing-request=\"false\""))
        o->archived = false;
}

static void copy_lock(const struct s3_exchange *x, struct object *o)
{
    const char *mode = s3_exchange_answer(x, "x-amz-object-lock-mode");
    const char *hold = s3_exchange_answer(x, "x-amz-object-lock-legal-hold");

    if (mode) {
        replace_string(&o->immutable_mode, mode);
        for (char *c = o->immutable_mode; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        replace_string(&o->immutable_until,
                       s3_exchange_answer(x, "x-amz-object-lock-retain-until-date"));
    }
    o->legal_hold = hold && strcasecmp(hold, "ON") == 0;
}

/* The whole object's size: the total in "bytes 0-9/100", else Content-Length. */
static int copy_size(const struct s3_exchange *x, struct object *o)
{
    const char *range = s3_exchange_answer(x, "Content-Range");
    const char *total = x->response.status == 206 && range ? strchr(range, '/') : NULL;
    char *end = NULL;

    if (x->response.status == 206) {
        unsigned long long size = total ? strtoull(total + 1, &end, 10) : 0;
        if (!total || end == total + 1 || *end)
            return err_set(&x->call->err, ERR_REMOTE, "%s '%s/%s': the size was not told", x->doing,
                           x->bucket, x->key);
        o->size = size;
        return 0;
    }
    if (x->response.content_length == HTTP_LENGTH_UNKNOWN)
        return err_set(&x->call->err, ERR_REMOTE, "%s '%s/%s': the size was not told", x->doing,
                       x->bucket, x->key);
    o->size = x->response.content_length;
    return 0;
}

int s3_object_from_answer(const struct s3_exchange *x, struct object *ret)
{
    auto_object struct object o = OBJECT_INIT;
    const char *modified = s3_exchange_answer(x, "Last-Modified");
    const char *version = s3_exchange_answer(x, "x-amz-version-id");
    const char *tags = s3_exchange_answer(x, "x-amz-tagging-count");
    struct err ignored = {0};
    char etag[200];

    if (copy_size(x, &o) < 0)
        return -1;
    s3_exchange_etag(x, etag, sizeof(etag));
    replace_string(&o.etag, etag[0] ? etag : NULL);
    if (modified && date_parse_rfc1123(modified, &o.modified, &ignored) < 0)
        o.modified = TIME_UNKNOWN;
    replace_string(&o.content_type, s3_exchange_answer(x, "Content-Type"));
    set_encoding(&o, s3_exchange_answer(x, "Content-Encoding"));
    replace_string(&o.content_language, s3_exchange_answer(x, "Content-Language"));
    replace_string(&o.content_disposition, s3_exchange_answer(x, "Content-Disposition"));
    replace_string(&o.cache_control, s3_exchange_answer(x, "Cache-Control"));
    replace_string(&o.expires, s3_exchange_answer(x, "Expires"));
    if (version && strcmp(version, "null") != 0)
        replace_string(&o.version, version);
    o.tag_count = tags ? (unsigned)strtoul(tags, NULL, 10) : 0;
    copy_metadata(x, &o);
    copy_archive_state(x, &o);
    copy_lock(x, &o);
    o.customer_encrypted =
        s3_exchange_answer(x, "x-amz-server-side-encryption-customer-algorithm") != NULL;
    if (s3_etag_may_be_md5(x))
        s3_md5_from_etag(etag, &o.stored);
    s3_checksums_from_answer(x, &o.stored);
    *ret = o;
    o = (struct object)OBJECT_INIT;
    return 0;
}
