// SPDX-License-Identifier: EUPL-1.2
/* Objects: get, head, put, delete, delete many. */
#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define DELETE_MANY_MAX 1000

/* ---- Get and head ---- */

/* response-content-type and the like: only for who signs. */
static int override_headers(struct s3_request *r, struct object_row *o, struct call *call)
{
    const struct {
        const char *key;
        char **slot;
    } overrides[] = {
        {"response-content-type", &o->content_type},
        {"response-content-language", &o->content_language},
        {"response-content-disposition", &o->content_disposition},
        {"response-content-encoding", &o->content_encoding},
        {"response-cache-control", &o->cache_control},
        {"response-expires", &o->expires},
    };
    for (size_t i = 0; i < ARRAY_SIZE(overrides); i++) {
        const char *value = s3_query(r, overrides[i].key);
        if (value == NULL)
            continue;
        if (r->proof == S3_ANONYMOUS)
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Request specific response headers cannot be used for anonymous GET "
                            "requests.");
        replace_string(overrides[i].slot, value);
    }
    return 0;
}

/* Which range one part of a multipart object is: "parts" holds the sizes. */
static int part_range(struct s3_request *r, const struct object_row *o, struct range *ret,
                      size_t *ret_parts, struct call *call)
{
    unsigned number = 0;
    auto_json json_t *parts = NULL;
    uint64_t at = 0;
    if (s3_query_number(r, "partNumber", UINT32_MAX, &number, call) < 0)
        return -1;
    if (number == 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Part number must be an integer between 1 and 10000, inclusive");
    if (o->parts != NULL && json_parse(o->parts, strlen(o->parts), &parts, &call->err) < 0)
        return -1;
    size_t count = parts != NULL ? json_array_size(parts) : 1;
    if (number > count)
        return s3_failf(r, S3_INVALID_RANGE, call, "The requested partnumber is not satisfiable");
    for (size_t i = 0; parts != NULL && i < number; i++) {
        int64_t size = 0;
        (void)json_number(json_array_get(parts, i), "size", &size);
        *ret = (struct range){RANGE_FROM, at, at + (uint64_t)size - 1};
        at += (uint64_t)size;
    }
    if (parts == NULL)
        *ret = (struct range){.kind = RANGE_ALL};
    *ret_parts = parts != NULL ? count : 0;
    return 0;
}

struct get_job {
    struct service *service;
    struct reading reading;
};

static int produce(void *argument, struct sink *sink, struct call *call)
{
    struct get_job *job = argument;
    return service_read(job->service, &job->reading, sink, call);
}

static void get_job_free(void *argument)
{
    struct get_job *job = argument;
    reading_release(&job->reading);
    free(job);
}

/* A delete marker in the way is told, whatever was asked. */
static void say_marker(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct err saved = call->err;
    if (saved.fault == FAULT_IS_MARKER) {
        s3_say(r, "x-amz-delete-marker", "true");
        s3_say(r, "x-amz-version-id", r->place.version);
    } else if (saved.fault == FAULT_OBJECT_MISSING && r->container.settings != NULL &&
               service_find_marker(r->door->options.service, &r->place, &row, call) == 1) {
        s3_say(r, "x-amz-delete-marker", "true");
        s3_say(r, "x-amz-version-id", row.versioned != 0 ? row.version : "null");
    }
    call->err = saved;
}

static int open_object(struct s3_request *r, struct get_job *job, size_t *ret_parts,
                       struct call *call)
{
    struct conditions conditions;
    struct range range;
    s3_range(r, &range);
    if (s3_conditions(r, &conditions, call) < 0)
        return -1;
    if (s3_asks(r, "partNumber")) {
        auto_object_row struct object_row row = object_row_new();
        if (range.kind != RANGE_ALL)
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Cannot specify both Range header and partNumber query parameter");
        if (service_stat(r->door->options.service, &r->place, NULL, &row, call) < 0 ||
            part_range(r, &row, &range, ret_parts, call) < 0)
            return -1;
    }
    /* HEAD of an archived object is answered; the body is not asked for. */
    if (r->is_head && range.kind == RANGE_ALL) {
        if (service_stat(r->door->options.service, &r->place, &conditions, &job->reading.object,
                         call) < 0)
            return -1;
        job->reading.length = (uint64_t)job->reading.object.size;
        return 0;
    }
    return service_open_read(r->door->options.service, &r->place, &conditions, &range,
                             &job->reading, call);
}

static int get_failed(struct s3_request *r, const struct get_job *job, struct call *call)
{
    say_marker(r, call);
    if (call->err.fault == FAULT_UNMODIFIED) {
        auto_free char *etag = s3_etag_of(&job->reading.object);
        s3_sayf(r, "ETag", "\"%s\"", etag);
        s3_say_time(r, "Last-Modified", job->reading.object.modified);
    }
    if (call->err.fault == FAULT_RANGE)
        s3_sayf(r, "Content-Range", "bytes */%" PRId64, job->reading.object.size);
    return -1;
}

int s3_get_object(struct s3_request *r, struct call *call)
{
    struct get_job *job = xcalloc(1, sizeof(*job));
    size_t parts = 0;
    job->service = r->door->options.service;
    job->reading.object = object_row_new();
    struct object_row *o = &job->reading.object;
    if (open_object(r, job, &parts, call) < 0) {
        (void)get_failed(r, job, call);
        get_job_free(job);
        return -1;
    }
    if (override_headers(r, o, call) < 0) {
        get_job_free(job);
        return -1;
    }
    s3_say_object(r, o);
    const char *mode = s3_header(r, "x-amz-checksum-mode");
    if (mode != NULL && strcasecmp(mode, "ENABLED") == 0 && !job->reading.partial)
        s3_say_checksum(r, o->checksums);
    if (job->reading.partial)
        s3_sayf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, job->reading.offset,
                job->reading.offset + job->reading.length - 1, o->size);
    if (parts > 0)
        s3_sayf(r, "x-amz-mp-parts-count", "%zu", parts);
    int status = job->reading.partial ? 206 : 200;
    if (r->is_head) {
        uint64_t length = job->reading.length;
        get_job_free(job);
        return s3_answer_length(r, status, length);
    }
    return s3_answer_stream(r, status, job->reading.length, produce, job, get_job_free, call);
}

int s3_head_object(struct s3_request *r, struct call *call)
{
    return s3_get_object(r, call);
}

/* ---- Put ---- */

int s3_put_object(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row properties = object_row_new();
    auto_object_row struct object_row row = object_row_new();
    struct put_request request = {.place = r->place,
                                  .properties = &properties,
                                  .type = OBJECT_BLOCK,
                                  .wanted = 1U << CHECKSUM_MD5,
                                  .algorithm = r->body->algorithm};
    if (s3_conditions(r, &request.conditions, call) < 0 ||
        s3_properties(r, &properties, call) < 0 || s3_default_retention(r, &properties, call) < 0 ||
        s3_body_end(r, call) < 0)
        return -1;
    s3_body_into(r, &request);
    request.wanted |= 1U << CHECKSUM_MD5;
    if (service_put(r->door->options.service, &request, &row, NULL, call) < 0)
        return -1;
    auto_free char *etag = s3_etag_of(&row);
    s3_sayf(r, "ETag", "\"%s\"", etag);
    s3_say_checksum(r, row.checksums);
    s3_say(r, "x-amz-version-id", s3_version_of(r, &row));
    return s3_answer(r, 200);
}

/* ---- Delete ---- */

static bool bypass(const struct s3_request *r)
{
    const char *header = s3_header(r, "x-amz-bypass-governance-retention");
    return header != NULL && strcasecmp(header, "true") == 0;
}

static int delete_one(struct s3_request *r, const char *key, const char *version,
                      const char *if_match, struct delete_result *ret, struct call *call)
{
    struct delete_request request = {
        .place = {.account = r->account,
                  .container = r->bucket,
                  .name = key,
                  .kind = version != NULL ? VERSION_ID : VERSION_CURRENT,
                  .version = version},
        .conditions = CONDITIONS_INIT,
        .snapshots = DELETE_INCLUDE,
        .make_marker = true,
        .bypass_governance = bypass(r)};
    request.conditions.if_match = if_match;
    request.conditions.s3 = true;
    /* To pass over a retention is a right of its own. */
    if (request.bypass_governance && version != NULL &&
        s3_authorize_also(r, "s3:BypassGovernanceRetention", r->bucket, key, call) < 0)
        return -1;
    if (service_delete(r->door->options.service, &request, ret, call) == 0)
        return 0;
    /* What is not there is deleted. */
    bool absent =
        call->err.fault == FAULT_OBJECT_MISSING || call->err.fault == FAULT_VERSION_MISSING;
    if (!absent || if_match != NULL)
        return -1;
    err_clear(&call->err);
    replace_string(&ret->version, version);
    return 0;
}

int s3_delete_object(struct s3_request *r, struct call *call)
{
    auto_delete_result struct delete_result result = {0};
    if (delete_one(r, r->key, r->place.version, s3_header(r, "if-match"), &result, call) < 0)
        return -1;
    if (result.marker)
        s3_say(r, "x-amz-delete-marker", "true");
    s3_say(r, "x-amz-version-id", result.version);
    return s3_answer(r, 204);
}

static void deleted_xml(const char *key, const char *version, const struct delete_result *result,
                        struct buf *body)
{
    xml_open(body, "Deleted");
    xml_element(body, "Key", key);
    if (version != NULL)
        xml_element(body, "VersionId", version);
    if (result->marker) {
        xml_element(body, "DeleteMarker", "true");
        if (result->version != NULL)
            xml_element(body, "DeleteMarkerVersionId", result->version);
    }
    xml_close(body, "Deleted");
}

static void failed_xml(struct s3_request *r, const char *key, const char *version,
                       const struct err *e, struct buf *body)
{
    const struct s3_code_row *row = s3_code_row(s3_code_of(r, e));
    xml_open(body, "Error");
    xml_element(body, "Key", key);
    if (version != NULL)
        xml_element(body, "VersionId", version);
    xml_element(body, "Code", row->code);
    xml_element(body, "Message", row->message);
    xml_close(body, "Error");
}

/* Each key is a question and an outcome of its own. */
static void delete_member(struct s3_request *r, const struct xml_node *member, bool quiet,
                          struct buf *body, struct call *call)
{
    auto_delete_result struct delete_result result = {0};
    const char *key = xml_text(member, "Key");
    const char *version = xml_text(member, "VersionId");
    const char *action = version != NULL ? "s3:DeleteObjectVersion" : "s3:DeleteObject";
    if (s3_authorize_also(r, action, r->bucket, key, call) < 0 ||
        delete_one(r, key, version, xml_text(member, "ETag"), &result, call) < 0) {
        failed_xml(r, key, version, &call->err, body);
        r->code = S3_NONE;
        err_clear(&call->err);
        return;
    }
    if (!quiet)
        deleted_xml(key, version, &result, body);
}

int s3_delete_objects(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_buf struct buf body = BUF_INIT(8 * S3_XML_MAX);
    size_t count = 0;
    if (s3_body_xml(r, "Delete", &node, call) < 0)
        return -1;
    const char *quiet = xml_text(node, "Quiet");
    for (const struct xml_node *o = xml_child(node, "Object"); o != NULL; o = xml_next(o), count++)
        if (xml_text(o, "Key") == NULL || count == DELETE_MANY_MAX)
            return s3_fail(r, S3_MALFORMED_XML, call);
    if (count == 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    s3_xml_root(&body, "DeleteResult");
    for (const struct xml_node *o = xml_child(node, "Object"); o != NULL; o = xml_next(o))
        delete_member(r, o, quiet != NULL && strcmp(quiet, "true") == 0, &body, call);
    xml_close(&body, "DeleteResult");
    return s3_answer_xml(r, 200, &body);
}
