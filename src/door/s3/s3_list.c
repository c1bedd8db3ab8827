// SPDX-License-Identifier: EUPL-1.2
/* Listing a bucket: V1, V2 and versions. */
#include <string.h>

#include "codec/base64.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "object/list.h"

#define PAGE_MAX   1000
#define ANSWER_MAX (32 * 1024 * 1024)

/* What all three have in common. */
struct question {
    struct listing_options options;
    bool url; /* encoding-type=url */
    unsigned limit;
};

static int ask(struct s3_request *r, struct question *q, struct call *call)
{
    const char *encoding = s3_query(r, "encoding-type");
    const char *delimiter = s3_query(r, "delimiter");
    q->limit = PAGE_MAX;
    if (encoding != NULL && encoding[0] != '\0' && strcmp(encoding, "url") != 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Invalid Encoding Method specified in Request");
    const char *limit = s3_query(r, "max-keys");
    if (limit != NULL && limit[0] != '\0' &&
        s3_query_number(r, "max-keys", PAGE_MAX, &q->limit, call) < 0)
        return -1;
    q->url = encoding != NULL && strcmp(encoding, "url") == 0;
    q->options.prefix = s3_query(r, "prefix");
    q->options.delimiter = delimiter != NULL && delimiter[0] != '\0' ? delimiter : NULL;
    q->options.limit = q->limit;
    return 0;
}

static int list(struct s3_request *r, const struct question *q, struct listing *ret,
                struct call *call)
{
    if (q->limit == 0)
        return 0;
    return service_list(r->door->options.service, r->account, r->bucket, &q->options, ret, call);
}

static void add_owner(struct s3_request *r, struct buf *body)
{
    xml_open(body, "Owner");
    xml_element(body, "ID", r->account);
    xml_element(body, "DisplayName", r->account);
    xml_close(body, "Owner");
}

static void add_facts(struct buf *body, const struct object_row *o)
{
    auto_free char *etag = s3_etag_of(o);
    struct s3_checksum checksum;
    s3_xml_time(body, "LastModified", o->modified);
    buf_printf(body, "<ETag>&quot;%s&quot;</ETag>", etag);
    if (s3_checksum_of(o->checksums, &checksum)) {
        xml_element(body, "ChecksumAlgorithm", checksum.algorithm);
        xml_element(body, "ChecksumType", checksum.type);
    }
    s3_xml_number(body, "Size", (uint64_t)o->size);
    xml_element(body, "StorageClass", s3_storage_class(o));
}

static void add_contents(struct s3_request *r, const struct question *q, bool owner,
                         const struct listing *l, struct buf *body)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct listing_entry *entry = &l->list[i];
        if (entry->prefix != NULL)
            continue;
        xml_open(body, "Contents");
        s3_xml_key(body, "Key", entry->object.name, q->url);
        add_facts(body, &entry->object);
        if (owner)
            add_owner(r, body);
        xml_close(body, "Contents");
    }
}

static void add_prefixes(const struct question *q, const struct listing *l, struct buf *body)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->list[i].prefix == NULL)
            continue;
        xml_open(body, "CommonPrefixes");
        s3_xml_key(body, "Prefix", l->list[i].prefix, q->url);
        xml_close(body, "CommonPrefixes");
    }
}

static void add_head(struct s3_request *r, const struct question *q, bool truncated,
                     struct buf *body)
{
    xml_element(body, "Name", r->bucket);
    s3_xml_key(body, "Prefix", q->options.prefix != NULL ? q->options.prefix : "", q->url);
    s3_xml_number(body, "MaxKeys", q->limit);
    if (q->options.delimiter != NULL)
        s3_xml_key(body, "Delimiter", q->options.delimiter, q->url);
    if (q->url)
        xml_element(body, "EncodingType", "url");
    xml_element(body, "IsTruncated", truncated ? "true" : "false");
}

/* The last thing a page named: the marker of the next. */
static const char *last_of(const struct listing *l)
{
    if (l->count == 0)
        return NULL;
    const struct listing_entry *last = &l->list[l->count - 1];
    return last->prefix != NULL ? last->prefix : last->object.name;
}

int s3_list_objects(struct s3_request *r, struct call *call)
{
    struct question q = {0};
    auto_listing struct listing l = {0};
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    if (ask(r, &q, call) < 0)
        return -1;
    const char *marker = s3_query(r, "marker");
    q.options.after = marker;
    if (list(r, &q, &l, call) < 0)
        return -1;
    s3_xml_root(&body, "ListBucketResult");
    add_head(r, &q, l.next != NULL, &body);
    s3_xml_key(&body, "Marker", marker != NULL ? marker : "", q.url);
    if (l.next != NULL && last_of(&l) != NULL)
        s3_xml_key(&body, "NextMarker", last_of(&l), q.url);
    add_contents(r, &q, true, &l, &body);
    add_prefixes(&q, &l, &body);
    xml_close(&body, "ListBucketResult");
    return s3_answer_xml(r, 200, &body);
}

int s3_list_objects_v2(struct s3_request *r, struct call *call)
{
    struct question q = {0};
    auto_listing struct listing l = {0};
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    const char *type = s3_query(r, "list-type");
    const char *token = s3_query(r, "continuation-token");
    const char *after = s3_query(r, "start-after");
    if (strcmp(type, "2") != 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "Invalid List Type specified in Request");
    if (ask(r, &q, call) < 0)
        return -1;
    if (token != NULL && token[0] == '\0')
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The continuation token provided is incorrect");
    q.options.after = after;
    q.options.marker = token;
    if (list(r, &q, &l, call) < 0)
        return token != NULL && call->err.fault == FAULT_ARGUMENT
                   ? s3_failf(r, S3_INVALID_ARGUMENT, call,
                              "The continuation token provided is incorrect")
                   : -1;
    const char *fetch = s3_query(r, "fetch-owner");
    s3_xml_root(&body, "ListBucketResult");
    add_head(r, &q, l.next != NULL, &body);
    s3_xml_number(&body, "KeyCount", l.count);
    if (token != NULL)
        xml_element(&body, "ContinuationToken", token);
    if (l.next != NULL)
        xml_element(&body, "NextContinuationToken", l.next);
    if (after != NULL)
        s3_xml_key(&body, "StartAfter", after, q.url);
    add_contents(r, &q, fetch != NULL && strcmp(fetch, "true") == 0, &l, &body);
    add_prefixes(&q, &l, &body);
    xml_close(&body, "ListBucketResult");
    return s3_answer_xml(r, 200, &body);
}

/* ---- Versions ---- */

static const char *shown_version(const struct object_row *o)
{
    return o->versioned != 0 ? o->version : "null";
}

static int position(struct s3_request *r, struct question *q, struct call *call)
{
    const char *key = s3_query(r, "key-marker");
    const char *version = s3_query(r, "version-id-marker");
    bool has_version = version != NULL && version[0] != '\0';
    if (has_version && (key == NULL || key[0] == '\0'))
        return s3_fail_argument(r, "version-id-marker", version, call,
                                "A version-id marker cannot be specified without a key marker.");
    if (has_version && s3_version_check(r, version, call) < 0)
        return -1;
    q->options.after = key;
    q->options.after_version = has_version ? version : NULL;
    return 0;
}

static void add_version(struct s3_request *r, const struct question *q, const struct object_row *o,
                        struct buf *body)
{
    const char *element = o->marker != 0 ? "DeleteMarker" : "Version";
    xml_open(body, element);
    s3_xml_key(body, "Key", o->name, q->url);
    xml_element(body, "VersionId", shown_version(o));
    xml_element(body, "IsLatest", o->current != 0 ? "true" : "false");
    if (o->marker != 0)
        s3_xml_time(body, "LastModified", o->modified);
    else
        add_facts(body, o);
    add_owner(r, body);
    xml_close(body, element);
}

int s3_list_versions(struct s3_request *r, struct call *call)
{
    struct question q = {0};
    auto_listing struct listing l = {0};
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    if (ask(r, &q, call) < 0 || position(r, &q, call) < 0)
        return -1;
    q.options.include = LISTING_VERSIONS;
    q.options.newest_first = true;
    if (list(r, &q, &l, call) < 0)
        return -1;
    s3_xml_root(&body, "ListVersionsResult");
    add_head(r, &q, l.next != NULL, &body);
    const char *key = s3_query(r, "key-marker");
    const char *version = s3_query(r, "version-id-marker");
    s3_xml_key(&body, "KeyMarker", key != NULL ? key : "", q.url);
    xml_element(&body, "VersionIdMarker", version != NULL ? version : "");
    if (l.next != NULL && last_of(&l) != NULL) {
        s3_xml_key(&body, "NextKeyMarker", last_of(&l), q.url);
        const struct listing_entry *last = &l.list[l.count - 1];
        if (last->prefix == NULL)
            xml_element(&body, "NextVersionIdMarker", shown_version(&last->object));
    }
    for (size_t i = 0; i < l.count; i++)
        if (l.list[i].prefix == NULL)
            add_version(r, &q, &l.list[i].object, &body);
    add_prefixes(&q, &l, &body);
    xml_close(&body, "ListVersionsResult");
    return s3_answer_xml(r, 200, &body);
}
