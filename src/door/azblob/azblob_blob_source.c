// SPDX-License-Identifier: EUPL-1.2
/* The source of a copy, behind this door or elsewhere: see azblob_blob.h. */
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "door/azblob/azblob_blob.h"
#include "door/azblob/azblob_fetch.h"
#include "object/tags.h"
#include "util/log.h"

#define SOURCE "x-ms-copy-source"

void azblob_copy_source_release(struct azblob_copy_source *s)
{
    copy_source_close(s->inside);
    azblob_fetch_close(s->fetch);
    azblob_target_release(&s->target);
    object_row_release(&s->object);
    *s = (struct azblob_copy_source){0};
}

/* ---- Finding it ---- */

static int find_own(struct azblob_request *r, struct azblob_copy_source *s, struct call *call)
{
    azblob_target_release(&s->target);
    if (azblob_authorize_source(r, s->url, azblob_get(r, "x-ms-copy-source-authorization"),
                                &s->target, call) < 0)
        return -1;
    if (s->target.which != AZBLOB_BLOB)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, SOURCE, call);
    if (azblob_place(&s->target, &s->place) < 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, SOURCE, call);
    return 0;
}

static int source_range(struct azblob_request *r, struct azblob_copy_source *s, struct call *call)
{
    const char *text = azblob_get(r, "x-ms-source-range");
    struct range range;

    if (!text)
        return 0;
    if (!azblob_range_parse(text, &range) || range.kind != RANGE_FROM)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-source-range", call);
    s->has_range = true;
    s->first = range.first;
    s->last = range.last;
    return 0;
}

int azblob_copy_source_find(struct azblob_request *r, struct azblob_copy_source *ret,
                            struct call *call)
{
    auto_azblob_copy_source struct azblob_copy_source s = {.object = object_row_new()};

    s.url = azblob_get(r, SOURCE);
    if (!s.url || !*s.url)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", SOURCE, call);
    if (azblob_source_conditions(r, &s.conditions, call) < 0 || source_range(r, &s, call) < 0)
        return -1;
    int own = azblob_own_url(r, s.url, &s.target, &call->err);
    if (own < 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, SOURCE, call);
    s.own = own > 0;
    if (s.own && find_own(r, &s, call) < 0)
        return -1;
    *ret = s;
    s = (struct azblob_copy_source){.object = object_row_new()};
    return 0;
}

char *azblob_source_name(const struct azblob_copy_source *s)
{
    return xasprintf("%s/%s/%s", s->target.account, s->target.container, s->target.blob);
}

/* ---- Opening it ---- */

/* For copies of whole blobs some have a code of their own; else the answer is what reading the
 * source came to.  So Azure does it. */
static int own_condition(struct azblob_request *r, const struct azblob_copy_source *s,
                         struct call *call)
{
    bool whole = r->operation->handler == azblob_blob_copy ||
                 r->operation->handler == azblob_blob_put_from_url;

    if (azblob_copies_later(r))
        return azblob_fail(
            r, s->conditions.if_tags ? AZBLOB_CONDITION_NOT_MET : AZBLOB_SOURCE_CONDITION_NOT_MET,
            call);
    if (call->err.fault == FAULT_UNMODIFIED)
        return azblob_fail_source(r, AZBLOB_UNMODIFIED, call);
    if (whole && s->conditions.if_match)
        return azblob_fail(r, AZBLOB_SOURCE_CONDITION_NOT_MET, call);
    return azblob_fail_source(r, AZBLOB_CONDITION_NOT_MET, call);
}

/* The reasons of the object service, as they are told of a source. */
static int own_failure(struct azblob_request *r, const struct azblob_copy_source *s,
                       struct call *call)
{
    auto_object_row struct object_row ignored = object_row_new();

    /* Which one did not hold, is asked only now. */
    if (call->err.fault == FAULT_SOURCE_CONDITION) {
        err_clear(&call->err);
        if (service_stat(azblob_service(r), &s->place, &s->conditions, &ignored, call) == 0)
            return azblob_fail(r, AZBLOB_SOURCE_CONDITION_NOT_MET, call);
    }
    switch (call->err.fault) {
    case FAULT_OBJECT_MISSING:
    case FAULT_VERSION_MISSING:
    case FAULT_IS_MARKER:
        return azblob_fail_source(r, AZBLOB_BLOB_NOT_FOUND, call);
    case FAULT_CONTAINER_MISSING:
    case FAULT_COPY_SOURCE:
        return azblob_fail_source(r, AZBLOB_CONTAINER_NOT_FOUND, call);
    case FAULT_CONDITION:
    case FAULT_UNMODIFIED:
        return own_condition(r, s, call);
    default:
        return -1;
    }
}

int azblob_copy_source_stat(struct azblob_request *r, struct azblob_copy_source *s,
                            struct call *call)
{
    if (service_stat(azblob_service(r), &s->place, &s->conditions, &s->object, call) < 0)
        return own_failure(r, s, call);
    return 0;
}

static int open_own(struct azblob_request *r, struct azblob_copy_source *s, struct call *call)
{
    uint64_t length = UINT64_MAX;

    if (s->has_range && s->last != UINT64_MAX)
        length = s->last - s->first + 1;
    if (copy_source_open(azblob_service(r), &s->place, &s->conditions, s->first, length, &s->inside,
                         call) < 0)
        return own_failure(r, s, call);
    s->body = copy_source_stream(s->inside);
    s->length = copy_source_size(s->inside);
    return 0;
}

/* What an answer from elsewhere says of its object, in Azure's words and HTTP's. */
static void read_foreign(const struct pairs *headers, struct object_row *o)
{
    static const char meta[] = "x-ms-meta-";
    auto_pairs struct pairs metadata = PAIRS_INIT;
    const char *md5 = pairs_get_nocase(headers, "x-ms-blob-content-md5");

    replace_string(&o->content_type, pairs_get_nocase(headers, "Content-Type"));
    replace_string(&o->content_encoding, pairs_get_nocase(headers, "Content-Encoding"));
    replace_string(&o->content_language, pairs_get_nocase(headers, "Content-Language"));
    replace_string(&o->content_disposition, pairs_get_nocase(headers, "Content-Disposition"));
    replace_string(&o->cache_control, pairs_get_nocase(headers, "Cache-Control"));
    replace_string(&o->content_md5, md5 ? md5 : pairs_get_nocase(headers, "Content-MD5"));
    replace_string(&o->etag, pairs_get_nocase(headers, "ETag"));
    for (size_t i = 0; i < headers->count; i++)
        if (strncasecmp(headers->list[i].key, meta, sizeof(meta) - 1) == 0)
            pairs_add(&metadata, headers->list[i].key + sizeof(meta) - 1, headers->list[i].value);
    free(o->metadata);
    o->metadata = pairs_to_json(&metadata);
    const char *type = pairs_get_nocase(headers, "x-ms-blob-type");
    o->type = type && strcmp(type, "PageBlob") == 0     ? OBJECT_PAGE
              : type && strcmp(type, "AppendBlob") == 0 ? OBJECT_APPEND
                                                        : OBJECT_BLOCK;
}

static int foreign_failure(struct azblob_request *r, struct call *call)
{
    enum err_code code = call->err.code;

    if (code == ERR_CANCELLED)
        return -1;
    /* The client learns that it failed, the log why. */
    log_line(LOG_WARNING, "request %s: copy source: %s", r->id, call->err.text);
    if (code == ERR_CHANGED)
        return azblob_fail(r, AZBLOB_SOURCE_CONDITION_NOT_MET, call);
    if (code == ERR_RANGE)
        return azblob_fail(r, AZBLOB_INVALID_RANGE, call);
    if (code == ERR_INVALID)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, SOURCE, call);
    if (code == ERR_NOT_FOUND)
        return azblob_fail_source(r, AZBLOB_RESOURCE_NOT_FOUND, call);
    return azblob_fail(r, AZBLOB_CANNOT_VERIFY_COPY_SOURCE, call);
}

static const char *date_text(int64_t time, char text[DATE_TEXT])
{
    if (time == TIME_UNKNOWN)
        return NULL;
    date_rfc1123(text, time);
    return text;
}

static int open_foreign(struct azblob_request *r, struct azblob_copy_source *s, struct call *call)
{
    char since[DATE_TEXT], until[DATE_TEXT];
    const struct azblob_fetch_want want = {
        .url = s->url,
        .authorization = azblob_get(r, "x-ms-copy-source-authorization"),
        .has_range = s->has_range,
        .first = s->first,
        .last = s->last,
        .if_match = s->conditions.if_match,
        .if_none_match = s->conditions.if_none_match,
        .if_modified_since = date_text(s->conditions.modified_since, since),
        .if_unmodified_since = date_text(s->conditions.unmodified_since, until),
    };

    if (!r->door->options.http)
        return azblob_fail(r, AZBLOB_CANNOT_VERIFY_COPY_SOURCE, call);
    if (azblob_fetch_open(r->door->options.http, &want, &s->fetch, call) < 0)
        return foreign_failure(r, call);
    s->body = azblob_fetch_body(s->fetch);
    s->length = azblob_fetch_length(s->fetch);
    read_foreign(azblob_fetch_headers(s->fetch), &s->object);
    return 0;
}

int azblob_copy_source_open(struct azblob_request *r, struct azblob_copy_source *s, uint64_t max,
                            struct call *call)
{
    if ((s->own ? open_own(r, s, call) : open_foreign(r, s, call)) < 0)
        return -1;
    if (s->length > max) {
        auto_free char *limit = xasprintf("%llu", (unsigned long long)max);
        return azblob_fail_with(r, AZBLOB_REQUEST_BODY_TOO_LARGE, "MaxLimit", limit, call);
    }
    return 0;
}
