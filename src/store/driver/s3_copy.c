// SPDX-License-Identifier: EUPL-1.2
/* Copies inside the service, storage classes and waking: see s3_private.h. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

/* How long a woken object stays readable. */
#define WAKE_DAYS 14

/* x-amz-copy-source: "/bucket/key?versionId=...", escaped. */
static void copy_source(struct s3_exchange *x, const struct object_key *from, const char *if_match)
{
    auto_buf struct buf source = BUF_INIT(256 * 1024);

    buf_char(&source, '/');
    url_escape(&source, from->container, strlen(from->container), URL_KEEP_UNRESERVED);
    buf_char(&source, '/');
    url_escape(&source, from->name, strlen(from->name), URL_KEEP_SLASH);
    if (from->kind != VERSION_CURRENT) {
        buf_char(&source, '?');
        query_add(&source, "versionId", from->version);
    }
    s3_exchange_header(x, "x-amz-copy-source", source.data);
    if (if_match)
        http_request_headerf(&x->request, "x-amz-copy-source-if-match", "\"%s\"", if_match);
}

/* Send, and read the ETag out of an answer that may say 200 and yet hold an error. */
static int send_copy(struct s3_exchange *x, char *ret_etag, size_t size)
{
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *root = NULL;
    struct err *e = &x->call->err;

    if (s3_exchange_text(x, &text) < 0 || s3_refused_inside(x, text.data, text.length) < 0)
        return -1;
    if (xml_parse(text.data, text.length, &root, e) < 0) {
        e->code = ERR_REMOTE;
        return err_prefix(e, "%s '%s/%s'", x->doing, x->bucket, x->key);
    }
    const char *etag = xml_text(root, "ETag");
    size_t length = etag ? strlen(etag) : 0;
    if (length >= 2 && etag[0] == '"' && etag[length - 1] == '"') {
        etag++;
        length -= 2;
    }
    if (length == 0 || length >= size)
        return err_set(e, ERR_REMOTE, "%s '%s/%s': the service gave no ETag", x->doing, x->bucket,
                       x->key);
    memcpy(ret_etag, etag, length);
    ret_etag[length] = 0;
    return 0;
}

/* Up to 5 GiB: one request. */
static int copy_whole(struct store *s, const struct object_key *from, const char *if_match,
                      const struct object_key *to, const struct put_options *options,
                      struct put_result *ret, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    char etag[128];

    s3_exchange_init(&x, s3_of(s), "PUT", to->container, to->name, "copy to", call);
    copy_source(&x, from, if_match);
    if (options->properties) {
        s3_exchange_header(&x, "x-amz-metadata-directive", "REPLACE");
        s3_exchange_header(&x, "x-amz-tagging-directive", "REPLACE");
        if (s3_object_headers(&x, options->properties) < 0 ||
            s3_demand_tags(&x, options->properties) < 0)
            return -1;
    }
    if (s3_condition_now(&x, options) < 0 || send_copy(&x, etag, sizeof(etag)) < 0)
        return -1;
    const char *version = s3_exchange_answer(&x, "x-amz-version-id");
    ret->etag = xstrdup(etag);
    ret->version = xstrdup_null(version && strcmp(version, "null") != 0 ? version : NULL);
    return 0;
}

struct part_copy {
    struct store *store;
    const struct object_key *from, *to;
    const char *etag; /* of the source: every part must be of one version */
    const char *id;
    uint64_t size, part;
    struct call *call;
};

static int copy_part(const struct part_copy *c, uint32_t number, struct part_result *ret)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_free char *part = xasprintf("%" PRIu32, number + 1);
    uint64_t first = number * c->part, last = first + c->part - 1;

    if (last >= c->size)
        last = c->size - 1;
    s3_exchange_init(&x, s3_of(c->store), "PUT", c->to->container, c->to->name, "copy a part to",
                     c->call);
    s3_exchange_query(&x, "partNumber", part);
    s3_exchange_query(&x, "uploadId", c->id);
    copy_source(&x, c->from, c->etag);
    http_request_headerf(&x.request, "x-amz-copy-source-range", "bytes=%" PRIu64 "-%" PRIu64, first,
                         last);
    return send_copy(&x, ret->etag, sizeof(ret->etag));
}

static int copy_parts(const struct part_copy *c, const struct put_options *options,
                      struct put_result *ret)
{
    uint32_t count = (uint32_t)((c->size + c->part - 1) / c->part);
    struct part_result *parts = xcalloc(count, sizeof(*parts));
    int status = 0;

    for (uint32_t i = 0; i < count && status == 0; i++)
        status = copy_part(c, i, &parts[i]);
    if (status == 0)
        status = s3_upload_commit(c->store, c->to, c->id, parts, count, options, ret, c->call);
    free(parts);
    if (status < 0) {
        struct call undo = call_child(c->call, NULL);
        (void)s3_upload_abort(c->store, c->to, c->id, &undo);
    }
    return status;
}

/* More than that: parts, which carry no properties over, so that they are read first. */
static int copy_in_parts(struct store *s, const struct object_key *from, struct object *source,
                         const struct object_key *to, const struct put_options *options,
                         struct put_result *ret, struct call *call)
{
    auto_free char *id = NULL;
    struct put_options begin = *options;
    struct part_copy c = {.store = s,
                          .from = from,
                          .to = to,
                          .etag = source->etag,
                          .size = source->size,
                          .call = call};

    if (s3_of(s)->provider.features[FEATURE_UPLOAD_PART_COPY] == FACT_NO)
        return err_set(&call->err, ERR_UNSUPPORTED, "copy to '%s/%s': the service copies no parts",
                       to->container, to->name);
    if (!options->properties) {
        if (source->tag_count && s->tags && s3_tag_ops.get(s, from, &source->tags, call) < 0)
            return -1;
        begin.properties = source;
    }
    begin.size = source->size;
    c.part = UINT64_C(512) << 20;
    while (c.part * s->traits.parts_max < source->size)
        c.part *= 2;
    if (s3_upload_begin(s, to, &begin, &id, call) < 0)
        return -1;
    c.id = id;
    return copy_parts(&c, &begin, ret);
}

int s3_copy(struct store *s, const struct object_key *from, const char *if_match,
            const struct object_key *to, const struct put_options *options, struct put_result *ret,
            struct call *call)
{
    auto_object struct object source = OBJECT_INIT;

    if (s3_of(s)->provider.features[FEATURE_COPY] == FACT_NO)
        return err_set(&call->err, ERR_UNSUPPORTED, "copy to '%s/%s': the service copies nothing",
                       to->container, to->name);
    if (s3_stat(s, from, &source, call) < 0)
        return -1;
    if (if_match && !same_string(if_match, source.etag))
        return err_set(&call->err, ERR_CHANGED, "copy '%s/%s': it has changed meanwhile",
                       from->container, from->name);
    if (source.size > s->traits.put_size_max)
        return copy_in_parts(s, from, &source, to, options, ret, call);
    return copy_whole(s, from, source.etag, to, options, ret, call);
}

/* --- storage classes --- */

static int wake(struct store *s, const struct object_key *key, const char *priority,
                struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(1024);
    bool fast = priority && strcasecmp(priority, "High") == 0;

    s3_exchange_init(&x, s3_of(s), "POST", key->container, key->name, "wake", call);
    s3_exchange_query(&x, "restore", "");
    s3_exchange_version(&x, key);
    xml_head(&text);
    buf_printf(&text,
               "<RestoreRequest xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Days>%d</Days>"
               "<GlacierJobParameters><Tier>%s</Tier></GlacierJobParameters></RestoreRequest>",
               WAKE_DAYS, fast ? "Expedited" : "Standard");
    s3_exchange_body(&x, text.data, text.length);
    s3_exchange_md5(&x);
    if (s3_exchange_send(&x, NULL, NULL) == 0)
        return 0;
    if (!s3_refused_with(&x, "RestoreAlreadyInProgress"))
        return -1;
    err_clear(&call->err);
    return 0;
}

static int set_tier(struct store *s, const struct object_key *key, const char *tier,
                    const char *priority, struct call *call)
{
    const char *class = pairs_get_nocase(&s3_of(s)->tier_classes, tier);
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_object struct object found = OBJECT_INIT;
    char etag[128];

    if (s3_stat(s, key, &found, call) < 0)
        return -1;
    if (found.archived)
        return found.waking ? 0 : wake(s, key, priority, call);
    if (!class)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "change the tier of '%s/%s': the configuration maps '%s' to no storage "
                       "class",
                       key->container, key->name, tier);
    if (same_string(found.tier, class) || (!found.tier && strcmp(class, "STANDARD") == 0))
        return 0;
    if (found.size > s->traits.put_size_max)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "change the tier of '%s/%s': it is too large to be copied at once",
                       key->container, key->name);
    s3_exchange_init(&x, s3_of(s), "PUT", key->container, key->name, "change the tier of", call);
    copy_source(&x, key, found.etag);
    s3_exchange_header(&x, "x-amz-metadata-directive", "COPY");
    s3_exchange_header(&x, "x-amz-storage-class", class);
    return send_copy(&x, etag, sizeof(etag));
}

const struct tier_ops s3_tier_ops = {.set = set_tier};
