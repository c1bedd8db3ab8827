// SPDX-License-Identifier: EUPL-1.2
/*
 * An S3 service that checks and forgets what it is sent, the target of a benchmark.
 *
 *     null-s3 PORT
 *
 * Any bucket exists once it is created.  A body is held against x-amz-content-sha256 and
 * Content-MD5 where these are given, and its MD5 is the ETag, as in S3; then it is dropped, but for
 * objects below
 * ".bascule/" and small ones, which can be read again.  Conditions are heeded; multipart uploads,
 * HEAD, DELETE and listings work.  Signatures are not looked at.
 *
 *     GET /-/summary/BUCKET     what it was sent (without ".bascule/"), see null.h
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bucket.h"
#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/xml.h"
#include "crypto/crc.h"
#include "null.h"
#include "util/thread.h"

#define DATE     "Sun, 01 Nov 2026 00:00:00 GMT"
#define KEPT_MAX 4096 /* bodies of this size or less are kept below .bascule/ */
#define TEXT_MAX ((size_t)4 * 1024 * 1024)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the buckets */

/* A request whose body is coming in. */
struct request {
    struct hash md5, sha256;
    bool check_sha256;
    uint64_t size, crc;
    struct buf text; /* the body of a POST, or of an object to keep */
    bool keep;
};

static struct request *request_new(struct MHD_Connection *c, const char *path, const char *method)
{
    struct request *r = xcalloc(1, sizeof(*r));
    const char *hash = null_request_header(c, "x-amz-content-sha256");

    buf_init(&r->text, TEXT_MAX);
    r->keep = strcmp(method, "PUT") != 0 || strstr(path, "/.bascule/");
    hash_init(&r->md5, HASH_MD5);
    r->check_sha256 = hash && strlen(hash) == 2 * (size_t)SHA256_SIZE;
    if (r->check_sha256)
        hash_init(&r->sha256, HASH_SHA256);
    return r;
}

static void completed(void *context, struct MHD_Connection *c, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct request *r = *request;

    (void)context;
    (void)c;
    (void)code;
    if (!r)
        return;
    hash_release(&r->md5);
    hash_release(&r->sha256);
    buf_release(&r->text);
    free(r);
    *request = NULL;
}

static void take_bytes(struct request *r, const char *bytes, size_t n)
{
    hash_update(&r->md5, bytes, n);
    if (r->check_sha256)
        hash_update(&r->sha256, bytes, n);
    r->crc = crc64_nvme(r->crc, bytes, n);
    r->size += n;
    if (r->keep && n <= TEXT_MAX - r->text.length)
        buf_bytes(&r->text, bytes, n);
}

/* --- answers --- */

static enum MHD_Result answer_text(struct MHD_Connection *c, struct buf *text)
{
    return null_answer(c, MHD_HTTP_OK, null_response(text, "application/xml"));
}

static enum MHD_Result answer_empty(struct MHD_Connection *c, unsigned status)
{
    return null_answer(c, status, null_response(NULL, NULL));
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *code)
{
    auto_buf struct buf text = BUF_INIT(1024);

    xml_head(&text);
    buf_printf(&text,
               "<Error><Code>%s</Code><Message>the benchmark's target says no</Message></Error>",
               code);
    return null_answer(c, status, null_response(&text, "application/xml"));
}

/* The digests of a complete body: NULL when they are as the request says, else the code. */
static const char *check_body(struct MHD_Connection *c, struct request *r,
                              unsigned char md5[MD5_SIZE])
{
    const char *said = null_request_header(c, "x-amz-content-sha256");
    const char *said_md5 = null_request_header(c, "Content-MD5");
    unsigned char digest[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];
    auto_buf struct buf encoded = BUF_INIT(64);

    hash_final(&r->md5, md5);
    if (r->check_sha256) {
        hash_final(&r->sha256, digest);
        hex_encode(text, digest, sizeof(digest));
        if (strcmp(text, said) != 0)
            return "XAmzContentSHA256Mismatch";
    }
    base64_encode(&encoded, md5, MD5_SIZE);
    if (said_md5 && strcmp(said_md5, encoded.data) != 0)
        return "BadDigest";
    return said && strncmp(said, "STREAMING-", 10) == 0 ? "NotImplemented" : NULL;
}

/* --- objects --- */

static enum MHD_Result add_metadata(void *list, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    (void)kind;
    if (strncasecmp(name, "x-amz-meta-", 11) == 0 || strcasecmp(name, "Content-Type") == 0)
        pairs_add(list, name, value ? value : "");
    return MHD_YES;
}

static bool condition_holds(struct MHD_Connection *c, const struct object *there)
{
    const char *absent = null_request_header(c, "If-None-Match");
    const char *match = null_request_header(c, "If-Match");

    return !(absent && there) && !(match && (!there || !strstr(match, there->etag)));
}

static enum MHD_Result put_object(struct MHD_Connection *c, const char *bucket, const char *key,
                                  struct request *r)
{
    unsigned char md5[MD5_SIZE];
    const char *wrong = check_body(c, r, md5);

    if (wrong)
        return refuse(c, MHD_HTTP_BAD_REQUEST, wrong);
    locked(&lock);
    struct bucket *b = bucket_find(bucket);
    if (!b)
        return refuse(c, MHD_HTTP_NOT_FOUND, "NoSuchBucket");
    if (!condition_holds(c, bucket_object(b, key)))
        return refuse(c, MHD_HTTP_PRECONDITION_FAILED, "PreconditionFailed");
    struct object *o = bucket_put(b, key);
    hex_encode(o->etag, md5, MD5_SIZE);
    o->size = r->size;
    o->crc = r->crc;
    (void)MHD_get_connection_values(c, MHD_HEADER_KIND, add_metadata, &o->metadata);
    if (r->keep && r->size <= KEPT_MAX)
        o->body = take(r->text.data);
    struct MHD_Response *answer = null_response(NULL, NULL);
    null_header(answer, "ETag", "\"%s\"", o->etag);
    return null_answer(c, MHD_HTTP_OK, answer);
}

static ssize_t no_bytes(void *context, uint64_t at, char *bytes, size_t n)
{
    (void)context;
    (void)at;
    (void)bytes;
    (void)n;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static enum MHD_Result get_object(struct MHD_Connection *c, const char *bucket, const char *key,
                                  bool body)
{
    locked(&lock);
    struct bucket *b = bucket_find(bucket);
    struct object *o = b ? bucket_object(b, key) : NULL;
    struct MHD_Response *r;
    char empty[1] = "";

    if (!o)
        return refuse(c, MHD_HTTP_NOT_FOUND, b ? "NoSuchKey" : "NoSuchBucket");
    if (body && !o->body && o->size)
        return refuse(c, MHD_HTTP_GONE, "BodyDropped");
    if (body)
        r = MHD_create_response_from_buffer(o->size, o->body ? o->body : empty,
                                            MHD_RESPMEM_MUST_COPY);
    else /* the length of what a GET would bring, and no body */
        r = MHD_create_response_from_callback(o->size, 1, no_bytes, NULL, NULL);
    if (!r)
        r = null_response(NULL, NULL);
    null_header(r, "ETag", "\"%s\"", o->etag);
    null_header(r, "Last-Modified", DATE);
    for (size_t i = 0; i < o->metadata.count; i++)
        null_header(r, o->metadata.list[i].key, "%s", o->metadata.list[i].value);
    return null_answer(c, MHD_HTTP_OK, r);
}

static enum MHD_Result delete_object(struct MHD_Connection *c, const char *bucket, const char *key)
{
    const char *upload = null_argument(c, "uploadId");

    locked(&lock);
    struct bucket *b = bucket_find(bucket);
    if (!b)
        return refuse(c, MHD_HTTP_NOT_FOUND, "NoSuchBucket");
    if (upload)
        bucket_upload_remove(b, upload);
    else
        bucket_remove(b, key);
    return answer_empty(c, MHD_HTTP_NO_CONTENT);
}

/* --- multipart uploads --- */

static enum MHD_Result begin_upload(struct MHD_Connection *c, const char *bucket, const char *key)
{
    auto_buf struct buf text = BUF_INIT(64 * 1024);

    locked(&lock);
    struct bucket *b = bucket_find(bucket);
    if (!b)
        return refuse(c, MHD_HTTP_NOT_FOUND, "NoSuchBucket");
    struct upload *u = bucket_upload_new(b, key);
    (void)MHD_get_connection_values(c, MHD_HEADER_KIND, add_metadata, &u->metadata);
    xml_head(&text);
    xml_open(&text, "InitiateMultipartUploadResult");
    xml_element(&text, "Bucket", bucket);
    xml_element(&text, "Key", key);
    xml_element(&text, "UploadId", u->id);
    xml_close(&text, "InitiateMultipartUploadResult");
    return answer_text(c, &text);
}

static enum MHD_Result put_part(struct MHD_Connection *c, const char *bucket, struct request *r)
{
    long number = strtol(null_argument(c, "partNumber"), NULL, 10);
    unsigned char md5[MD5_SIZE];
    const char *wrong = check_body(c, r, md5), *id = null_argument(c, "uploadId");

    if (wrong)
        return refuse(c, MHD_HTTP_BAD_REQUEST, wrong);
    if (!id || number < 1 || number > UPLOAD_PARTS)
        return refuse(c, MHD_HTTP_BAD_REQUEST, "InvalidArgument");
    locked(&lock);
    struct bucket *b = bucket_find(bucket);
    struct upload *u = b ? bucket_upload(b, id) : NULL;
    if (!u)
        return refuse(c, MHD_HTTP_NOT_FOUND, "NoSuchUpload");
    struct part *p = upload_part(u, (size_t)number);
    *p = (struct part){.size = r->size, .crc = r->crc, .there = true};
    memcpy(p->md5, md5, MD5_SIZE);
    hex_encode(p->etag, md5, MD5_SIZE);
    struct MHD_Response *answer = null_response(NULL, NULL);
    null_header(answer, "ETag", "\"%s\"", p->etag);
    return null_answer(c, MHD_HTTP_OK, answer);
}

/* Join the parts named; false when one is not there or another one. */
static bool join_parts(struct upload *u, const struct xml_node *root, struct object *ret)
{
    auto_hash struct hash h = HASH_INIT;
    unsigned char md5[MD5_SIZE];
    char hex[2 * MD5_SIZE + 1];
    unsigned count = 0;

    hash_init(&h, HASH_MD5);
    for (const struct xml_node *n = xml_child(root, "Part"); n; n = xml_next(n)) {
        const char *number = xml_text(n, "PartNumber"), *etag = xml_text(n, "ETag");
        long i = number ? strtol(number, NULL, 10) : 0;
        if (i < 1 || (size_t)i >= u->part_count || !u->parts[i].there || !etag ||
            !strstr(etag, u->parts[i].etag))
            return false;
        hash_update(&h, u->parts[i].md5, MD5_SIZE);
        ret->crc = crc64_nvme_combine(ret->crc, u->parts[i].crc, u->parts[i].size);
        ret->size += u->parts[i].size;
        count++;
    }
    hash_final(&h, md5);
    hex_encode(hex, md5, MD5_SIZE);
    (void)snprintf(ret->etag, sizeof(ret->etag), "%s-%u", hex, count);
    return count > 0;
}

static enum MHD_Result finish_upload(struct MHD_Connection *c, const char *bucket, const char *id,
                                     struct request *r)
{
    auto_xml struct xml_node *root = NULL;
    auto_buf struct buf text = BUF_INIT(64 * 1024);
    struct object whole = {0};
    struct err e = {0};

    locked(&lock);
    struct bucket *b = bucket_find(bucket);
    struct upload *u = b ? bucket_upload(b, id) : NULL;
    if (!u)
        return refuse(c, MHD_HTTP_NOT_FOUND, "NoSuchUpload");
    if (xml_parse(r->text.data, r->text.length, &root, &e) < 0 || !join_parts(u, root, &whole))
        return refuse(c, MHD_HTTP_BAD_REQUEST, "InvalidPart");
    if (!condition_holds(c, bucket_object(b, u->key)))
        return refuse(c, MHD_HTTP_PRECONDITION_FAILED, "PreconditionFailed");
    struct object *o = bucket_put(b, u->key);
    memcpy(o->etag, whole.etag, sizeof(o->etag));
    o->size = whole.size;
    o->crc = whole.crc;
    o->metadata = u->metadata;
    u->metadata = (struct pairs)PAIRS_INIT;
    bucket_upload_remove(b, id);
    xml_head(&text);
    xml_open(&text, "CompleteMultipartUploadResult");
    xml_element(&text, "Bucket", bucket);
    xml_element(&text, "Key", o->key);
    buf_printf(&text, "<ETag>&quot;%s&quot;</ETag>", o->etag);
    xml_close(&text, "CompleteMultipartUploadResult");
    return answer_text(c, &text);
}

/* --- buckets --- */

static enum MHD_Result list_objects(struct MHD_Connection *c, struct bucket *b)
{
    auto_buf struct buf text = BUF_INIT(16 * 1024 * 1024);
    const char *prefix = null_argument(c, "prefix"), *after = null_argument(c, "start-after");
    const char *token = null_argument(c, "continuation-token");
    const char *limit = null_argument(c, "max-keys");
    size_t most = limit ? strtoul(limit, NULL, 10) : 1000, n = 0;
    const struct object *o, *last = NULL;

    if (!prefix)
        prefix = "";
    xml_head(&text);
    xml_open(&text, "ListBucketResult");
    for (o = bucket_after(b, token ? token : after); o; o = o->next) {
        if (strncmp(o->key, prefix, strlen(prefix)) != 0)
            continue;
        if (n == most)
            break;
        xml_open(&text, "Contents");
        xml_element(&text, "Key", o->key);
        buf_printf(&text,
                   "<LastModified>2026-11-01T00:00:00.000Z</LastModified><ETag>&quot;%s&quot;"
                   "</ETag><Size>%" PRIu64 "</Size><StorageClass>STANDARD</StorageClass>",
                   o->etag, o->size);
        xml_close(&text, "Contents");
        last = o;
        n++;
    }
    buf_printf(&text, "<KeyCount>%zu</KeyCount><IsTruncated>%s</IsTruncated>", n,
               o && n ? "true" : "false");
    if (o && last)
        xml_element(&text, "NextContinuationToken", last->key);
    xml_close(&text, "ListBucketResult");
    return answer_text(c, &text);
}

/* What is not set on any bucket. */
static enum MHD_Result answer_setting(struct MHD_Connection *c)
{
    static const char *const unset[][2] = {
        {"cors", "NoSuchCORSConfiguration"},
        {"lifecycle", "NoSuchLifecycleConfiguration"},
        {"policy", "NoSuchBucketPolicy"},
        {"tagging", "NoSuchTagSet"},
        {"website", "NoSuchWebsiteConfiguration"},
        {"object-lock", "ObjectLockConfigurationNotFoundError"},
    };
    auto_buf struct buf text = BUF_INIT(1024);

    for (size_t i = 0; i < ARRAY_SIZE(unset); i++)
        if (null_argument(c, unset[i][0]))
            return refuse(c, MHD_HTTP_NOT_FOUND, unset[i][1]);
    const char *element = null_argument(c, "versioning") ? "VersioningConfiguration"
                          : null_argument(c, "location") ? "LocationConstraint"
                                                         : NULL;
    if (!element)
        return refuse(c, MHD_HTTP_NOT_IMPLEMENTED, "NotImplemented");
    xml_head(&text);
    xml_element(&text, element, "");
    return answer_text(c, &text);
}

static bool asks_setting(struct MHD_Connection *c)
{
    static const char *const names[] = {"cors",       "lifecycle", "policy",     "tagging",
                                        "website",    "versions",  "versioning", "object-lock",
                                        "encryption", "acl",       "location",   "uploads"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (null_argument(c, names[i]))
            return true;
    return false;
}

static enum MHD_Result answer_bucket(struct MHD_Connection *c, const char *method, const char *name)
{
    locked(&lock);
    struct bucket *b = bucket_find(name);

    if (asks_setting(c))
        return strcmp(method, "GET") == 0 ? answer_setting(c)
                                          : refuse(c, MHD_HTTP_NOT_IMPLEMENTED, "NotImplemented");
    if (strcmp(method, "PUT") == 0) {
        if (!b)
            (void)bucket_new(name);
        return answer_empty(c, MHD_HTTP_OK);
    }
    if (!b)
        return refuse(c, MHD_HTTP_NOT_FOUND, "NoSuchBucket");
    return strcmp(method, "GET") == 0 ? list_objects(c, b) : answer_empty(c, MHD_HTTP_OK);
}

static enum MHD_Result summarize(struct MHD_Connection *c, const char *name)
{
    struct null_summary summary = {0};

    locked(&lock);
    struct bucket *b = bucket_find(name);
    for (const struct object *o = b ? bucket_after(b, NULL) : NULL; o; o = o->next)
        if (strncmp(o->key, ".bascule/", 9) != 0)
            null_summary_add(&summary, o->key, o->size, o->crc);
    return null_summary_answer(c, &summary);
}

static enum MHD_Result answer_buckets(struct MHD_Connection *c)
{
    auto_buf struct buf text = BUF_INIT(1024);

    xml_head(&text);
    buf_text(&text, "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>");
    return answer_text(c, &text);
}

static enum MHD_Result answer(struct MHD_Connection *c, const char *path, const char *method,
                              struct request *r)
{
    char bucket[80];
    const char *key = null_split(path, bucket, sizeof(bucket)), *id = null_argument(c, "uploadId");

    if (strcmp(bucket, "-") == 0)
        return summarize(c, key + strcspn(key, "/") + 1);
    if (!*bucket)
        return answer_buckets(c);
    if (!*key)
        return answer_bucket(c, method, bucket);
    if (strcmp(method, "DELETE") == 0)
        return delete_object(c, bucket, key);
    if (strcmp(method, "POST") == 0)
        return id ? finish_upload(c, bucket, id, r) : begin_upload(c, bucket, key);
    if (asks_setting(c))
        return refuse(c, MHD_HTTP_NOT_IMPLEMENTED, "NotImplemented");
    if (strcmp(method, "PUT") == 0)
        return null_argument(c, "partNumber") ? put_part(c, bucket, r)
                                              : put_object(c, bucket, key, r);
    return get_object(c, bucket, key, strcmp(method, "GET") == 0);
}

static enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    (void)context;
    (void)version;
    if (!*request) {
        *request = request_new(c, path, method);
        return MHD_YES;
    }
    if (*upload_size) {
        take_bytes(*request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    return answer(c, path, method, *request);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: null-s3 PORT\n");
        return 2;
    }
    return null_serve((int)strtol(argv[1], NULL, 10), handle, completed);
}
