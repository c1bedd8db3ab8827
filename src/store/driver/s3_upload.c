// SPDX-License-Identifier: EUPL-1.2
/*
 * Multipart uploads: see s3_private.h.
 *
 * Parts are numbered from 1 in S3, from 0 in store.h.  Sending a part or the commit again does no
 * harm: a commit that finds its upload gone looks whether the object it was to make is there.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/hex.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

/* An upload whose beginning was never answered is no older than this when another one begins. */
#define UNSEEN_AGE_MAX (15 * 60 * CLOCK_SECOND)

/* One <Upload> of a listing: begun for this very key, by the same user, shortly before ours. */
static bool is_unseen(const struct xml_node *upload, const struct xml_node *own, const char *key)
{
    const char *begun = xml_text(upload, "Initiated"), *own_begun = xml_text(own, "Initiated");
    struct err ignored = {0};
    int64_t then, now;

    return upload != own && same_string(xml_text(upload, "Key"), key) &&
           same_string(xml_text(upload, "Initiator/ID"), xml_text(own, "Initiator/ID")) && begun &&
           own_begun && date_parse_iso8601(begun, &then, &ignored) == 0 &&
           date_parse_iso8601(own_begun, &now, &ignored) == 0 && then <= now &&
           now - then <= UNSEEN_AGE_MAX;
}

/* Give up what earlier attempts to begin the upload id have left, whose answers were lost.  It
 * holds no bytes yet and harms nobody: where it cannot be found, the provider's own expiry takes
 * it. */
static void abort_unseen(struct store *s, const struct object_key *key, const char *id,
                         const struct call *parent)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *root = NULL;
    struct call call = call_child(parent, NULL);
    const struct xml_node *own = NULL;

    s3_exchange_init(&x, s3_of(s), "GET", key->container, NULL, "list unfinished writes in", &call);
    s3_exchange_query(&x, "prefix", key->name);
    s3_exchange_query(&x, "uploads", "");
    if (s3_exchange_text(&x, &text) < 0 || xml_parse(text.data, text.length, &root, &call.err) < 0)
        return;
    const struct xml_node *first = xml_child(root, "Upload");
    for (own = first; own && !same_string(xml_text(own, "UploadId"), id); own = xml_next(own))
        ;
    for (const struct xml_node *u = own ? first : NULL; u; u = xml_next(u)) {
        struct call undo = call_child(parent, NULL);
        if (is_unseen(u, own, key->name) && xml_text(u, "UploadId"))
            (void)s3_upload_abort(s, key, xml_text(u, "UploadId"), &undo);
    }
}

int s3_upload_begin(struct store *s, const struct object_key *key,
                    const struct put_options *options, char **ret_id, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *root = NULL;

    s3_exchange_init(&x, s3_of(s), "POST", key->container, key->name, "begin to write", call);
    s3_exchange_query(&x, "uploads", "");
    if (s3_object_headers(&x, options->properties) < 0 ||
        s3_demand_tags(&x, options->properties) < 0 || s3_exchange_text(&x, &text) < 0)
        return -1;
    if (xml_parse(text.data, text.length, &root, &call->err) < 0)
        return err_prefix(&call->err, "begin to write '%s/%s'", key->container, key->name);
    const char *id = xml_text(root, "UploadId");
    if (!id || !*id)
        return err_set(&call->err, ERR_REMOTE,
                       "begin to write '%s/%s': the service gave no upload id", key->container,
                       key->name);
    if (options->again)
        abort_unseen(s, key, id, call);
    *ret_id = xstrdup(id);
    return 0;
}

int s3_upload_part(struct store *s, const struct object_key *key, const char *id, uint32_t number,
                   const struct part_options *options, struct source *from, struct part_result *ret,
                   struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    cleanup(s3_sending_release) struct s3_sending sending = {0};
    auto_free char *part = xasprintf("%" PRIu32, number + 1);
    struct part_result result = {.etag = ""};

    s3_exchange_init(&x, s3_of(s), "PUT", key->container, key->name, "write a part of", call);
    s3_exchange_query(&x, "partNumber", part);
    s3_exchange_query(&x, "uploadId", id);
    if (s3_sending_begin(&sending, &x, from, options->size, &options->known) < 0 ||
        s3_exchange_send(&x, NULL, NULL) < 0)
        return -1;
    s3_exchange_etag(&x, result.etag, sizeof(result.etag));
    if (!result.etag[0])
        return err_set(&call->err, ERR_REMOTE,
                       "write a part of '%s/%s': the service gave no ETag for it", key->container,
                       key->name);
    if (s3_sending_proof(&sending, &x, result.etag, &result.proof) < 0)
        return -1;
    *ret = result;
    return 0;
}

/* A body of no parts still needs one. */
static int send_empty_part(struct store *s, const struct object_key *key, const char *id,
                           struct part_result *ret, struct call *call)
{
    struct source_bytes nothing;
    const struct part_options options = {0};

    source_bytes_init(&nothing, "", 0);
    return s3_upload_part(s, key, id, 0, &options, &nothing.source, ret, call);
}

static void write_parts(struct buf *text, const struct part_result *parts, uint32_t count)
{
    xml_head(text);
    buf_text(text, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (uint32_t i = 0; i < count; i++) {
        buf_printf(text, "<Part><PartNumber>%" PRIu32 "</PartNumber><ETag>&quot;", i + 1);
        xml_escape(text, parts[i].etag);
        buf_text(text, "&quot;</ETag></Part>");
    }
    buf_text(text, "</CompleteMultipartUpload>");
}

/* The usual ETag of a multipart object: the MD5 of its parts' MD5s, and their number.  "" where the
 * parts' ETags are no MD5s. */
static void expected_etag(const struct part_result *parts, uint32_t count, char ret[64])
{
    auto_hash struct hash h = HASH_INIT;
    unsigned char md5[16];
    struct err ignored = {0};
    char text[33];

    ret[0] = 0;
    hash_init(&h, HASH_MD5);
    for (uint32_t i = 0; i < count; i++) {
        if (hex_decode(parts[i].etag, md5, sizeof(md5), &ignored) < 0)
            return;
        hash_update(&h, md5, sizeof(md5));
    }
    hash_final(&h, md5);
    hex_encode(text, md5, sizeof(md5));
    (void)snprintf(ret, 64, "%s-%" PRIu32, text, count);
}

static enum proof weakest(const struct part_result *parts, uint32_t count)
{
    enum proof least = count ? parts[0].proof : PROOF_NONE;

    for (uint32_t i = 1; i < count; i++)
        if (parts[i].proof < least)
            least = parts[i].proof;
    return least;
}

/* Some services forget the tags an upload began with (RGW). */
static int restore_tags(struct store *s, const struct object_key *key,
                        const struct put_options *options, const struct object *found,
                        struct call *call)
{
    const struct object *o = options->properties;
    struct object_key version = *key;

    if (!o || !s->tags || o->tags.count == 0 || found->tag_count == o->tags.count)
        return 0;
    if (found->version) {
        version.kind = VERSION_ID;
        version.version = found->version;
    }
    return s3_tag_ops.set(s, &version, &o->tags, call);
}

/* What stands under the key now must be what the parts make.  expected is "" where that cannot be
 * told from the ETag; the size always can. */
static int check_result(struct store *s, const struct object_key *key,
                        const struct put_options *options, const char *expected, bool strict,
                        struct put_result *ret, struct call *call)
{
    auto_object struct object found = OBJECT_INIT;

    if (s3_stat(s, key, &found, call) < 0)
        return -1;
    if (strict && (!expected[0] || !same_string(found.etag, expected)))
        return err_set(&call->err, ERR_NOT_FOUND, "write '%s/%s': the upload is no longer known",
                       key->container, key->name);
    if (found.size != options->size)
        return err_set(&call->err, ERR_CORRUPT,
                       "write '%s/%s': it has %" PRIu64 " bytes there, %" PRIu64 " were sent",
                       key->container, key->name, found.size, options->size);
    if (restore_tags(s, key, options, &found, call) < 0)
        return -1;
    ret->etag = take(found.etag);
    ret->version = take(found.version);
    return 0;
}

/* 1: the service no longer knows the upload, 0: it does, or does not say. */
static int is_gone(const struct s3_exchange *commit, const char *id)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf answer = BUF_INIT(S3_XML_MAX);
    struct call call = call_child(commit->call, NULL);

    s3_exchange_init(&x, commit->s3, "GET", commit->bucket, commit->key, "look at the parts of",
                     &call);
    s3_exchange_query(&x, "max-parts", "1");
    s3_exchange_query(&x, "uploadId", id);
    /* RGW says NoSuchKey. */
    return s3_exchange_text(&x, &answer) < 0 && x.response.status == 404 &&
           !s3_refused_with(&x, "NoSuchBucket");
}

/* 1: the condition does not hold because the upload has been committed already, and the answer was
 * lost on the way. */
static int check_condition(struct s3_exchange *x, const struct put_options *options, const char *id,
                           const char *expected)
{
    const struct object_key key = {.container = x->bucket, .name = x->key};
    auto_object struct object found = OBJECT_INIT;
    enum fact conditional = FACT_UNKNOWN;

    if (!options->if_match && !options->if_absent)
        return 0;
    if (s3_condition_now(x, options) < 0) {
        struct call look = call_child(x->call, NULL);
        if (x->call->err.code != ERR_CHANGED || !is_gone(x, id) ||
            s3_stat(&x->s3->store, &key, &found, &look) < 0 || !same_string(found.etag, expected))
            return -1;
        err_clear(&x->call->err);
        return 1;
    }
    if (s3_fact(x->s3, x->bucket, S3_FACT_CONDITIONAL, &conditional, x->call) < 0)
        return -1;
    return conditional == FACT_YES ? s3_condition(x, options) : 0;
}

/* A refusal may come with its status or inside a 200, whose head left before the parts were joined;
 * and an answer that is neither yes nor no is no yes. */
static int ask_to_join(struct s3_exchange *x)
{
    auto_buf struct buf answer = BUF_INIT(S3_XML_MAX);

    if (s3_exchange_text(x, &answer) < 0)
        return s3_refused_with(x, "NoSuchUpload") ? 1 : -1;
    if (s3_refused_inside(x, answer.data, answer.length) < 0)
        return -1;
    if (strstr(answer.data, "CompleteMultipartUploadResult"))
        return 0;
    return err_set(&x->call->err, ERR_REMOTE,
                   "%s '%s/%s': the service does not say whether it joined the parts", x->doing,
                   x->bucket, x->key);
}

/* Ask the service to join the parts.  1: it no longer knows the upload. */
static int join(struct s3_exchange *x, const struct put_options *options, const char *id,
                const struct part_result *parts, uint32_t count)
{
    auto_buf struct buf body = BUF_INIT(S3_XML_MAX);
    char expected[64];

    expected_etag(parts, count, expected);
    int status = check_condition(x, options, id, expected);
    if (status != 0)
        return status;
    write_parts(&body, parts, count);
    s3_exchange_query(x, "uploadId", id);
    s3_exchange_header(x, "Content-Type", "application/xml");
    s3_exchange_body(x, body.data, body.length);
    status = ask_to_join(x);
    /* RGW has an internal error where an upload is gone. */
    if (status < 0 && x->call->err.code == ERR_REMOTE && is_gone(x, id))
        status = 1;
    if (status == 1)
        err_clear(&x->call->err);
    return status;
}

int s3_upload_commit(struct store *s, const struct object_key *key, const char *id,
                     const struct part_result *parts, uint32_t count,
                     const struct put_options *options, struct put_result *ret, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct part_result empty = {.etag = ""};
    char expected[64];

    if (count == 0) {
        if (send_empty_part(s, key, id, &empty, call) < 0)
            return -1;
        parts = &empty;
        count = 1;
    }
    expected_etag(parts, count, expected);
    s3_exchange_init(&x, s3_of(s), "POST", key->container, key->name, "finish writing", call);
    int gone = join(&x, options, id, parts, count);
    if (gone < 0)
        return -1;
    /* The answer's ETag is empty in some services (RGW): look at what is there. */
    if (check_result(s, key, options, expected, gone == 1, &result, call) < 0)
        return -1;
    result.proof = weakest(parts, count);
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

int s3_upload_abort(struct store *s, const struct object_key *key, const char *id,
                    struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    s3_exchange_init(&x, s3_of(s), "DELETE", key->container, key->name, "give up writing", call);
    s3_exchange_query(&x, "uploadId", id);
    if (s3_exchange_send(&x, NULL, NULL) == 0)
        return 0;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}
