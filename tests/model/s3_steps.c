// SPDX-License-Identifier: EUPL-1.2
/* The steps of the model as requests at S3's door: see way.h. */
#include <stdio.h>
#include <string.h>

#include "codec/url.h"
#include "doors.h"
#include "way.h"

static const struct ref_past *past_of(const struct reference *reference, const struct step *s,
                                      int name)
{
    return reference_past(&reference->objects[name], s->past);
}

static bool s3_sees(const struct ref_past *past)
{
    return past->kind != PAST_SNAPSHOT;
}

/* It has neither leases nor snapshots, and copies nothing onto itself. */
static bool s3_has(const struct reference *reference, const struct step *s)
{
    const struct ref_past *past;

    if (s->with_lease && s->kind != STEP_DELETE_PAST)
        return false;
    switch (s->kind) {
    case STEP_PUT:
    case STEP_UPLOAD:
    case STEP_DELETE:
    case STEP_TAGS:
        return true;
    case STEP_COPY:
        past = past_of(reference, s, s->other);
        return past ? s3_sees(past) : s->other != s->name;
    case STEP_DELETE_PAST:
        past = past_of(reference, s, s->name);
        return past && s3_sees(past);
    default:
        return false;
    }
}

/* "versionId=...", heap; NULL for the current one. */
static char *query_of(const struct ref_past *past)
{
    auto_buf struct buf query = BUF_INIT(256);

    if (!past)
        return NULL;
    query_add(&query, "versionId", past->version);
    return buf_take(&query);
}

/* What a body that comes whole says of itself. */
static void describe(struct errand *e, const struct step *s)
{
    errand_header(e, "Content-Type", "text/%c", s->fill);
    errand_header(e, "x-amz-meta-" MODEL_KEY, "%c", s->fill);
    errand_header(e, "x-amz-tagging", "t=%c", s->fill);
}

static void ask_put(struct errand *e, const struct step *s, char bytes[BODY_MAX])
{
    memset(bytes, s->fill, BODY_MAX);
    describe(e, s);
    errand_body(e, bytes, s->length);
}

/* An upload and its one part; heap: its id, which is empty where it could not be begun. */
static char *begin_upload(struct real *r, const struct step *s, char ret_etag[ETAG_LEN])
{
    static const char before[] = "<UploadId>";
    auto_errand struct errand begin, part;
    char bytes[BODY_MAX];

    errand_init(&begin, r->doors, WAY_S3, "POST", real_name(s->name), "uploads=");
    describe(&begin, s);
    errand_run(&begin);
    const char *id = strstr(begin.bytes.data, before);
    id = id ? id + sizeof(before) - 1 : "";
    auto_free char *query = xasprintf("partNumber=7&uploadId=%.*s", (int)strcspn(id, "<"), id);
    errand_init(&part, r->doors, WAY_S3, "PUT", real_name(s->name), query);
    memset(bytes, s->fill, sizeof(bytes));
    errand_body(&part, bytes, s->length);
    errand_run(&part);
    (void)snprintf(ret_etag, ETAG_LEN, "%s", errand_answer(&part, "ETag"));
    return xstrndup(id, strcspn(id, "<"));
}

static void ask_complete(struct errand *e, const char *etag)
{
    errand_text(e, xasprintf("<CompleteMultipartUpload><Part><PartNumber>7</PartNumber>"
                             "<ETag>%s</ETag></Part></CompleteMultipartUpload>",
                             etag));
}

static void ask_copy(struct errand *e, const struct reference *reference, const struct step *s)
{
    auto_free char *path = door_path(WAY_S3, real_name(s->other));
    auto_free char *query = query_of(past_of(reference, s, s->other));

    errand_header(e, "x-amz-copy-source", "%s%s%s", path, query ? "?" : "", query ? query : "");
}

static char *tagging_of(char value)
{
    return xasprintf("<Tagging><TagSet><Tag><Key>t</Key><Value>%c</Value></Tag></TagSet></Tagging>",
                     value);
}

/* The method, and the query (heap). */
static const char *request_for(struct real *r, const struct reference *reference,
                               const struct step *s, char **ret_query, char ret_etag[ETAG_LEN])
{
    auto_free char *upload = NULL;

    switch (s->kind) {
    case STEP_DELETE:
        return "DELETE";
    case STEP_DELETE_PAST:
        *ret_query = query_of(past_of(reference, s, s->name));
        return "DELETE";
    case STEP_TAGS:
        *ret_query = xstrdup("tagging=");
        return "PUT";
    case STEP_UPLOAD:
        upload = begin_upload(r, s, ret_etag);
        *ret_query = xasprintf("uploadId=%s", upload);
        return "POST";
    default:
        return "PUT";
    }
}

static void s3_act(struct real *r, const struct reference *reference, const struct step *s,
                   struct outcome *ret)
{
    auto_errand struct errand e;
    auto_free char *query = NULL;
    char bytes[BODY_MAX], etag[ETAG_LEN] = "";
    const char *method = request_for(r, reference, s, &query, etag);

    errand_init(&e, r->doors, WAY_S3, method, real_name(s->name), query);
    errand_conditions(&e, reference, s);
    if (s->kind == STEP_PUT)
        ask_put(&e, s, bytes);
    else if (s->kind == STEP_COPY)
        ask_copy(&e, reference, s);
    else if (s->kind == STEP_TAGS)
        errand_text(&e, tagging_of(s->fill));
    else if (s->kind == STEP_UPLOAD)
        ask_complete(&e, etag);
    errand_run(&e);
    (void)snprintf(ret->said, sizeof(ret->said), "%s", e.said);
    (void)snprintf(ret->words, sizeof(ret->words), "%.390s", e.response.error_body.data);
    (void)snprintf(ret->made.version, VERSION_LEN, "%s", errand_answer(&e, "x-amz-version-id"));
}

static const char *s3_says(const struct step *s, enum fault fault)
{
    static const char *const words[FAULT_COUNT] = {
        [FAULT_OBJECT_MISSING] = "404 NoSuchKey",
        [FAULT_IS_MARKER] = "405 MethodNotAllowed",
        [FAULT_OBJECT_EXISTS] = "412 PreconditionFailed",
        [FAULT_CONDITION] = "412 PreconditionFailed",
        [FAULT_LEASE_ID_MISSING] = "403 AccessDenied",
    };

    if (fault == FAULT_IS_MARKER && s->kind == STEP_COPY)
        return "400 InvalidRequest";
    return words[fault] ? words[fault] : "";
}

/* The value stands behind another question. */
static void look_at_tag(struct real *r, int name, const char *query, struct seen *ret)
{
    auto_errand struct errand e;
    auto_free char *whole = xasprintf("%s%stagging=", query ? query : "", query ? "&" : "");

    errand_init(&e, r->doors, WAY_S3, "GET", real_name(name), whole);
    errand_run(&e);
    const char *value = strstr(e.bytes.data, "<Key>t</Key><Value>");
    ret->tag = value ? value[strlen("<Key>t</Key><Value>")] : '?';
}

static void s3_look(struct real *r, int name, const struct ref_past *past, struct seen *ret)
{
    auto_errand struct errand e;
    auto_free char *query = query_of(past);

    errand_init(&e, r->doors, WAY_S3, "GET", real_name(name), query);
    errand_run(&e);
    (void)snprintf(ret->said, sizeof(ret->said), "%s", e.said);
    buf_bytes(&ret->bytes, e.bytes.data, e.bytes.length);
    errand_look(&e, "x-amz-meta-", ret);
    ret->tags = errand_number(&e, "x-amz-tagging-count");
    if (ret->tags)
        look_at_tag(r, name, query, ret);
}

static size_t s3_count(struct real *r)
{
    auto_errand struct errand e;

    errand_init(&e, r->doors, WAY_S3, "GET", NULL, "versions=");
    errand_run(&e);
    return errand_occurrences(&e, "<Version>") + errand_occurrences(&e, "<DeleteMarker>");
}

const struct way way_s3 = {"S3's door", s3_has, s3_act, s3_says, s3_sees, s3_look, s3_count};
