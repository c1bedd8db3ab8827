// SPDX-License-Identifier: EUPL-1.2
/* Answers of the S3 door. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "object/tags.h"

void s3_say(struct s3_request *r, const char *name, const char *value)
{
    if (value != NULL)
        pairs_add(&r->answer, name, value);
}

void s3_sayf(struct s3_request *r, const char *name, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    pairs_add(&r->answer, name, text);
    free(text);
}

void s3_say_time(struct s3_request *r, const char *name, int64_t time)
{
    char text[DATE_TEXT];
    if (time == TIME_UNKNOWN)
        return;
    date_rfc1123(text, time);
    pairs_add(&r->answer, name, text);
}

char *s3_etag_of(const struct object_row *o)
{
    char made[S3_ETAG_TEXT];
    if (o->s3_etag != NULL)
        return xstrdup(o->s3_etag);
    s3_etag_from(o->etag, made);
    return xstrdup(made);
}

const char *s3_version_of(const struct s3_request *r, const struct object_row *o)
{
    if (o->versioned != 0)
        return o->version;
    const char *settings = r->container.settings;
    return settings != NULL && strstr(settings, "\"versioning\":") != NULL ? "null" : NULL;
}

void s3_say_new_version(struct s3_request *r, const struct object_row *o)
{
    s3_say(r, "x-amz-version-id", o->versioned != 0 ? o->version : NULL);
}

const char *s3_storage_class(const struct object_row *o)
{
    if (same_string(o->tier, "Archive"))
        return "GLACIER";
    if (same_string(o->tier, "Cool"))
        return "STANDARD_IA";
    return same_string(o->tier, "Cold") ? "GLACIER_IR" : "STANDARD";
}

static void say_metadata(struct s3_request *r, const char *json)
{
    auto_pairs struct pairs list = PAIRS_INIT;
    struct err ignored = {0};
    if (json == NULL || pairs_from_json(json, &list, &ignored) < 0)
        return;
    for (size_t i = 0; i < list.count; i++) {
        auto_free char *name = xasprintf("x-amz-meta-%s", list.list[i].key);
        for (char *c = name; *c != '\0'; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
        pairs_add(&r->answer, name, list.list[i].value);
    }
}

static void say_lock(struct s3_request *r, const struct object_row *o)
{
    if (o->immutable_mode != NULL && o->immutable_until != TIME_UNKNOWN) {
        char until[DATE_TEXT];
        bool governance = strcmp(o->immutable_mode, "governance") == 0 ||
                          strcmp(o->immutable_mode, "unlocked") == 0;
        date_iso8601(until, sizeof(until), o->immutable_until, 3);
        s3_say(r, "x-amz-object-lock-mode", governance ? "GOVERNANCE" : "COMPLIANCE");
        s3_say(r, "x-amz-object-lock-retain-until-date", until);
    }
    if (o->legal_hold != 0)
        s3_say(r, "x-amz-object-lock-legal-hold", "ON");
}

void s3_say_object(struct s3_request *r, const struct object_row *o)
{
    auto_free char *etag = s3_etag_of(o);
    s3_sayf(r, "ETag", "\"%s\"", etag);
    s3_say_time(r, "Last-Modified", o->modified);
    s3_say(r, "Accept-Ranges", "bytes");
    s3_say(r, "Content-Type", o->content_type != NULL ? o->content_type : "binary/octet-stream");
    s3_say(r, "Content-Encoding", o->content_encoding);
    s3_say(r, "Content-Language", o->content_language);
    s3_say(r, "Content-Disposition", o->content_disposition);
    s3_say(r, "Cache-Control", o->cache_control);
    s3_say(r, "Expires", o->expires);
    s3_say(r, "x-amz-version-id", s3_version_of(r, o));
    const char *class = s3_storage_class(o);
    s3_say(r, "x-amz-storage-class", strcmp(class, "STANDARD") != 0 ? class : NULL);
    if (o->tags != NULL) {
        auto_pairs struct pairs tags = PAIRS_INIT;
        struct err ignored = {0};
        if (pairs_from_json(o->tags, &tags, &ignored) == 0 && tags.count > 0)
            s3_sayf(r, "x-amz-tagging-count", "%zu", tags.count);
    }
    say_metadata(r, o->metadata);
    say_lock(r, o);
}

static void begin_answer(struct s3_request *r, int status)
{
    assert(!r->answered);
    r->answered = true;
    r->status = status;
    s3_say(r, "x-amz-request-id", r->id);
    s3_say(r, "x-amz-id-2", r->id);
    s3_say_cors(r);
}

int s3_answer_text(struct s3_request *r, int status, const char *type, struct buf *body)
{
    if (type != NULL && !r->is_head)
        s3_say(r, "Content-Type", type);
    begin_answer(r, status);
    if (r->is_head)
        http_answer_length(r->x, status, &r->answer, status >= 300 ? 0 : body->length);
    else
        http_answer_buf(r->x, status, &r->answer, body);
    return 0;
}

int s3_answer(struct s3_request *r, int status)
{
    auto_buf struct buf nothing = BUF_INIT(0);
    return s3_answer_text(r, status, NULL, &nothing);
}

int s3_answer_xml(struct s3_request *r, int status, struct buf *body)
{
    return s3_answer_text(r, status, "application/xml", body);
}

int s3_answer_stream(struct s3_request *r, int status, uint64_t length, http_producer *producer,
                     void *argument, void (*release)(void *argument), struct call *call)
{
    begin_answer(r, status);
    if (http_answer_stream(r->x, status, &r->answer, length, producer, argument, release, call) <
        0) {
        /* What the object would have said does not belong to an error. */
        while (r->answer.count > 0)
            pairs_remove(&r->answer, r->answer.count - 1);
        r->answered = false;
        return -1;
    }
    return 0;
}

int s3_answer_length(struct s3_request *r, int status, uint64_t length)
{
    begin_answer(r, status);
    http_answer_length(r->x, status, &r->answer, length);
    return 0;
}

/* ---- XML ---- */

void s3_xml_root(struct buf *b, const char *root)
{
    xml_head(b);
    buf_printf(b, "<%s xmlns=\"" S3_XML_NAMESPACE "\">", root);
}

void s3_xml_number(struct buf *b, const char *name, uint64_t value)
{
    buf_printf(b, "<%s>%" PRIu64 "</%s>", name, value, name);
}

void s3_xml_time(struct buf *b, const char *name, int64_t time)
{
    char text[DATE_TEXT];
    date_iso8601(text, sizeof(text), time, 3);
    xml_element(b, name, text);
}

void s3_xml_key(struct buf *b, const char *name, const char *key, bool url)
{
    if (!url) {
        xml_element(b, name, key);
        return;
    }
    auto_buf struct buf escaped = BUF_INIT(3 * strlen(key) + 64);
    url_escape(&escaped, key, strlen(key), URL_KEEP_SLASH);
    xml_element(b, name, escaped.data);
}
