// SPDX-License-Identifier: EUPL-1.2
/* Objects: get, head, put, delete, delete many. */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
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
struct part_choice {
    unsigned number; /* 0: none was asked for */
    size_t count;    /* 0: not made of parts */
    char *checksum;  /* of the part; NULL */
};

static int part_range(struct s3_request *r, const struct object_row *o, struct range *ret,
                      struct part_choice *choice, struct call *call)
{
    auto_json json_t *parts = NULL;
    uint64_t at = 0;
    if (o->parts != NULL && json_parse(o->parts, strlen(o->parts), &parts, &call->err) < 0)
        return -1;
    size_t count = parts != NULL ? json_array_size(parts) : 1;
    if (choice->number > count)
        return s3_fail(r, S3_INVALID_PART_NUMBER, call);
    /* An object put at once is its own first part. */
    *ret = (struct range){o->size > 0 ? RANGE_FROM : RANGE_ALL, 0, UINT64_MAX};
    for (size_t i = 0; parts != NULL && i < choice->number; i++) {
        int64_t size = 0;
        (void)json_number(json_array_get(parts, i), "size", &size);
        *ret = (struct range){size > 0 ? RANGE_FROM : RANGE_ALL, at, at + (uint64_t)size - 1};
        at += (uint64_t)size;
    }
    choice->count = parts != NULL ? count : 0;
    replace_string(&choice->checksum,
                   choice->count > 0
                       ? json_text(json_array_get(parts, choice->number - 1), "checksum")
                       : NULL);
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
        int64_t made = TIME_UNKNOWN; /* the id of a version says when */
        struct err ignored = {0};
        if (date_parse_iso8601(r->place.version, &made, &ignored) == 0)
            s3_say_time(r, "Last-Modified", made);
        s3_say(r, "Allow", "DELETE");
        s3_say(r, "x-amz-delete-marker", "true");
        s3_say(r, "x-amz-version-id", r->place.version);
    } else if (saved.fault == FAULT_OBJECT_MISSING && r->container.settings != NULL &&
               service_find_marker(r->door->options.service, &r->place, &row, call) == 1) {
        s3_say(r, "x-amz-delete-marker", "true");
        s3_say(r, "x-amz-version-id", row.versioned != 0 ? row.version : "null");
    }
    call->err = saved;
}

static int open_object(struct s3_request *r, struct get_job *job, struct part_choice *part,
                       struct call *call)
{
    struct conditions conditions;
    struct range range;
    s3_range(r, &range);
    if (s3_conditions(r, &conditions, call) < 0 ||
        (s3_asks(r, "partNumber") && s3_number_of_part(r, &part->number, call) < 0))
        return -1;
    if (part->number > 0) {
        auto_object_row struct object_row row = object_row_new();
        if (range.kind != RANGE_ALL)
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Cannot specify both Range header and partNumber query parameter");
        if (service_stat(r->door->options.service, &r->place, NULL, &row, call) < 0 ||
            part_range(r, &row, &range, part, call) < 0)
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
    if (service_open_read(r->door->options.service, &r->place, &conditions, &range, &job->reading,
                          call) == 0)
        return 0;
    /* The last bytes of no bytes are no bytes. */
    if (call->err.fault != FAULT_RANGE || range.kind != RANGE_SUFFIX || range.last == 0 ||
        job->reading.object.size > 0)
        return -1;
    err_clear(&call->err);
    range.kind = RANGE_ALL;
    reading_release(&job->reading);
    job->reading = (struct reading){.object = object_row_new()};
    return service_open_read(r->door->options.service, &r->place, &conditions, &range,
                             &job->reading, call);
}

/* Who may not list a bucket is not told what is missing in it. */
static int hide_absence(struct s3_request *r, struct call *call)
{
    bool absent =
        call->err.fault == FAULT_OBJECT_MISSING || call->err.fault == FAULT_VERSION_MISSING;
    struct err saved = call->err;
    if (!absent || r->owner)
        return 0;
    if (s3_authorize_also(r, "s3:ListBucket", r->bucket, r->key, call) < 0)
        return -1;
    call->err = saved;
    return 0;
}

static int get_failed(struct s3_request *r, const struct get_job *job, struct call *call)
{
    if (hide_absence(r, call) < 0)
        return -1;
    say_marker(r, call);
    if (call->err.fault == FAULT_UNMODIFIED) {
        auto_free char *etag = s3_etag_of(&job->reading.object);
        s3_sayf(r, "ETag", "\"%s\"", etag);
        s3_say_time(r, "Last-Modified", job->reading.object.modified);
    }
    if (call->err.fault == FAULT_RANGE) {
        auto_free char *size = xasprintf("%" PRId64, job->reading.object.size);
        s3_sayf(r, "Content-Range", "bytes */%s", size);
        s3_explain(r, "RangeRequested", s3_header(r, "range"));
        s3_explain(r, "ActualObjectSize", size);
    }
    return -1;
}

static void say_checksum(struct s3_request *r, const struct get_job *job,
                         const struct part_choice *part)
{
    const char *mode = s3_header(r, "x-amz-checksum-mode");
    struct s3_checksum c;
    if (mode == NULL || strcasecmp(mode, "ENABLED") != 0)
        return;
    bool has = s3_checksum_of(job->reading.object.checksums, &c);
    if (part->count > 0 && part->checksum != NULL && has && strcmp(c.type, "COMPOSITE") == 0) {
        (void)snprintf(c.value, sizeof(c.value), "%s", part->checksum);
        s3_say_checksum_as(r, &c);
    } else if (!job->reading.partial || (part->number > 0 && part->count == 0)) {
        s3_say_checksum(r, job->reading.object.checksums);
    }
}

static void say_get(struct s3_request *r, const struct get_job *job, const struct part_choice *part)
{
    s3_say_object(r, &job->reading.object);
    s3_say_expiration(r, &job->reading.object);
    say_checksum(r, job, part);
    if (job->reading.partial)
        s3_sayf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, job->reading.offset,
                job->reading.offset + job->reading.length - 1, job->reading.object.size);
    if (part->count > 0)
        s3_sayf(r, "x-amz-mp-parts-count", "%zu", part->count);
}

int s3_get_object(struct s3_request *r, struct call *call)
{
    struct get_job *job = xcalloc(1, sizeof(*job));
    struct part_choice part = {0};
    job->service = r->door->options.service;
    job->reading.object = object_row_new();
    int done = open_object(r, job, &part, call);
    if (done < 0)
        (void)get_failed(r, job, call);
    else
        done = override_headers(r, &job->reading.object, call);
    if (done == 0)
        say_get(r, job, &part);
    free(part.checksum);
    if (done < 0) {
        get_job_free(job);
        return -1;
    }
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
    /* To write on where an object ends is something else than to put it. */
    if (s3_header(r, "x-amz-write-offset-bytes") != NULL)
        return s3_fail(r, S3_NOT_IMPLEMENTED, call);
    if (s3_write_conditions(r, &request.conditions, call) < 0 ||
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
    s3_say_new_version(r, &row);
    s3_say_expiration(r, &row);
    return s3_answer(r, 200);
}

/* ---- Delete ---- */

static bool bypass(const struct s3_request *r)
{
    const char *header = s3_header(r, "x-amz-bypass-governance-retention");
    return header != NULL && strcasecmp(header, "true") == 0;
}

/* What a deletion asks of the object, in headers or in a member of a list. */
struct delete_wish {
    const char *key;
    const char *version;
    const char *if_match;
    const char *size;
    const char *modified;
};

/* Size and time are looked at first; the object that had them is then the only one deleted. */
static int check_wish(struct s3_request *r, const struct delete_wish *wish, char **ret_etag,
                      struct call *call)
{
    auto_object_row struct object_row o = object_row_new();
    struct place place = {.account = r->account,
                          .container = r->bucket,
                          .name = wish->key,
                          .kind = wish->version != NULL ? VERSION_ID : VERSION_CURRENT,
                          .version = wish->version};
    struct err ignored = {0};
    int64_t time = TIME_UNKNOWN;
    if (wish->size == NULL && wish->modified == NULL)
        return 0;
    if (service_stat(r->door->options.service, &place, NULL, &o, call) < 0)
        return -1;
    auto_free char *size = xasprintf("%" PRId64, o.size);
    bool fits = wish->size == NULL || strcmp(wish->size, size) == 0;
    if (wish->modified != NULL && date_parse_rfc1123(wish->modified, &time, &ignored) < 0 &&
        date_parse_iso8601(wish->modified, &time, &ignored) < 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "'%.60s' is no date.", wish->modified);
    if (!fits || (wish->modified != NULL && time / CLOCK_SECOND != o.modified / CLOCK_SECOND))
        return s3_fail(r, S3_PRECONDITION_FAILED, call);
    *ret_etag = s3_etag_of(&o);
    return 0;
}

static int delete_it(struct s3_request *r, const struct delete_wish *wish,
                     struct delete_result *ret, struct call *call)
{
    auto_free char *seen = NULL;
    struct delete_request request = {
        .place = {.account = r->account,
                  .container = r->bucket,
                  .name = wish->key,
                  .kind = wish->version != NULL ? VERSION_ID : VERSION_CURRENT,
                  .version = wish->version},
        .conditions = CONDITIONS_INIT,
        .snapshots = DELETE_INCLUDE,
        .make_marker = true,
        .bypass_governance = bypass(r)};
    if (check_wish(r, wish, &seen, call) < 0)
        return -1;
    request.conditions.if_match = wish->if_match != NULL ? wish->if_match : seen;
    request.conditions.s3 = true;
    /* To pass over a retention is a right of its own. */
    if (request.bypass_governance && wish->version != NULL &&
        s3_authorize_also(r, "s3:BypassGovernanceRetention", r->bucket, wish->key, call) < 0)
        return -1;
    return service_delete(r->door->options.service, &request, ret, call);
}

static int delete_one(struct s3_request *r, const struct delete_wish *wish,
                      struct delete_result *ret, struct call *call)
{
    if (delete_it(r, wish, ret, call) == 0)
        return 0;
    /* What is not there is deleted. */
    bool absent =
        call->err.fault == FAULT_OBJECT_MISSING || call->err.fault == FAULT_VERSION_MISSING;
    if (!absent || wish->if_match != NULL)
        return -1;
    err_clear(&call->err);
    replace_string(&ret->version, wish->version);
    return 0;
}

int s3_delete_object(struct s3_request *r, struct call *call)
{
    auto_delete_result struct delete_result result = {0};
    struct delete_wish wish = {.key = r->key,
                               .version = r->place.version,
                               .if_match = s3_header(r, "if-match"),
                               .size = s3_header(r, "x-amz-if-match-size"),
                               .modified = s3_header(r, "x-amz-if-match-last-modified-time")};
    if (delete_one(r, &wish, &result, call) < 0)
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
    xml_element(body, "Message", r->detail != NULL ? r->detail : row->message);
    xml_close(body, "Error");
}

/* NULL for what is empty too. */
static const char *said(const struct xml_node *member, const char *element)
{
    const char *text = xml_text(member, element);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static int check_member(struct s3_request *r, const char *key, const char *version,
                        struct call *call)
{
    if (strlen(key) > S3_KEY_MAX)
        return s3_fail(r, S3_KEY_TOO_LONG, call);
    if (version == NULL || s3_version_check(r, version, call) == 0)
        return 0;
    return s3_failf(r, S3_NO_SUCH_VERSION, call, "The specified version does not exist.");
}

/* Each key is a question and an outcome of its own. */
static void delete_member(struct s3_request *r, const struct xml_node *member, bool quiet,
                          struct buf *body, struct call *call)
{
    auto_delete_result struct delete_result result = {0};
    const char *key = xml_text(member, "Key");
    const char *version = said(member, "VersionId");
    struct delete_wish wish = {.key = key,
                               .version = version,
                               .if_match = said(member, "ETag"),
                               .size = said(member, "Size"),
                               .modified = said(member, "LastModifiedTime")};
    const char *action = version != NULL ? "s3:DeleteObjectVersion" : "s3:DeleteObject";
    if (check_member(r, key, version, call) < 0 ||
        s3_authorize_also(r, action, r->bucket, key, call) < 0 ||
        delete_one(r, &wish, &result, call) < 0) {
        failed_xml(r, key, version, &call->err, body);
        r->code = S3_NONE;
        replace_string(&r->detail, NULL);
        while (r->details.count > 0)
            pairs_remove(&r->details, r->details.count - 1);
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
        if (xml_text(o, "Key") == NULL || xml_text(o, "Key")[0] == '\0' || count == DELETE_MANY_MAX)
            return s3_fail(r, S3_MALFORMED_XML, call);
    if (count == 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    s3_xml_root(&body, "DeleteResult");
    for (const struct xml_node *o = xml_child(node, "Object"); o != NULL; o = xml_next(o))
        delete_member(r, o, quiet != NULL && strcmp(quiet, "true") == 0, &body, call);
    xml_close(&body, "DeleteResult");
    return s3_answer_xml(r, 200, &body);
}
