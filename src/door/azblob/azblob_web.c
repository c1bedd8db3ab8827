// SPDX-License-Identifier: EUPL-1.2
/*
 * An account's static website: the container $web, with index and error documents from the
 * properties of the blob service.  For browsers: no x-ms-error bodies, no credentials.
 * Source: "Static website hosting in Azure Storage".
 */
#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "door/azblob/azblob_private.h"

/* One document on its way out. */
struct document {
    struct service *service;
    struct reading reading;
};

static void document_free(void *argument)
{
    struct document *d = argument;

    reading_release(&d->reading);
    free(d);
}

static int document_produce(void *argument, struct sink *sink, struct call *call)
{
    struct document *d = argument;

    return service_read(d->service, &d->reading, sink, call);
}

static void say_document(struct azblob_request *r, const struct reading *reading)
{
    const struct object_row *o = &reading->object;

    azblob_say_etag(r, o->etag, o->modified);
    azblob_say(r, "Content-Type", o->content_type ? o->content_type : "application/octet-stream");
    azblob_say(r, "Content-Encoding", o->content_encoding);
    azblob_say(r, "Content-Language", o->content_language);
    azblob_say(r, "Content-Disposition", o->content_disposition);
    azblob_say(r, "Cache-Control", o->cache_control);
    azblob_say(r, "Accept-Ranges", "bytes");
    if (reading->partial)
        azblob_sayf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, reading->offset,
                    reading->offset + reading->length - 1, o->size);
}

/* 1 answered, 0 it is not there, -1. */
static int answer_document(struct azblob_request *r, const char *name, int status,
                           struct call *call)
{
    struct place place = {
        .account = r->account.name, .container = r->target.container, .name = name};
    bool plain = status == 200;
    struct call attempt = call_child(call, NULL);
    struct document *d;

    if (!*name)
        return 0;
    d = xcalloc(1, sizeof(*d));
    d->reading.object = object_row_new();
    d->service = r->door->options.service;
    if (service_open_read(d->service, &place, plain ? &r->conditions : NULL,
                          plain && r->has_range ? &r->range : NULL, &d->reading, &attempt) < 0) {
        document_free(d);
        if (attempt.err.code == ERR_NOT_FOUND)
            return 0;
        call->err = attempt.err;
        return -1;
    }
    say_document(r, &d->reading);
    if (d->reading.partial)
        status = 206;
    return azblob_answer_stream(r, status, d->reading.length, document_produce, d, document_free,
                                call) < 0
               ? -1
               : 1;
}

/* The names a path stands for, one after the other: itself, and the index document in it. */
static int answer_path(struct azblob_request *r, const char *index, const char *default_index,
                       struct call *call)
{
    const char *path = r->target.blob;
    size_t n = strlen(path);
    bool folder = n == 0 || path[n - 1] == '/';
    int answered = 0;

    if (!folder)
        answered = answer_document(r, path, 200, call);
    if (answered == 0 && index) {
        auto_free char *name = xasprintf("%s%s%s", path, folder ? "" : "/", index);
        answered = answer_document(r, name, 200, call);
    }
    if (answered == 0 && default_index)
        answered = answer_document(r, default_index, 200, call);
    return answered;
}

static int answer_missing(struct azblob_request *r)
{
    auto_buf struct buf body = BUF_INIT(4096);
    const struct azblob_meaning *meaning = azblob_meaning(AZBLOB_WEB_CONTENT_NOT_FOUND);

    buf_printf(&body,
               "<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1>"
               "<ul><li>HttpStatusCode: %d</li><li>ErrorCode: %s</li><li>RequestId: %s</li></ul>"
               "</body></html>\n",
               meaning->word, meaning->message, meaning->status, meaning->word, r->id);
    azblob_say(r, "Content-Type", "text/html");
    azblob_say(r, "x-ms-error-code", meaning->word);
    r->failure = meaning;
    return azblob_answer_buf(r, meaning->status, &body);
}

int azblob_web(struct azblob_request *r, struct call *call)
{
    const json_t *website = json_object_get(r->settings, "website");
    const char *error = json_text(website, "error");
    int answered = 0;

    if (!json_bool(website, "enabled", false))
        return answer_missing(r);
    answered =
        answer_path(r, json_text(website, "index"), json_text(website, "default_index"), call);
    if (answered == 0 && error)
        answered = answer_document(r, error, 404, call);
    if (answered < 0)
        return -1;
    return answered ? 0 : answer_missing(r);
}
