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
#include "object/website.h"

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

static int answer_document(struct azblob_request *r, struct outgoing *document, int status,
                           struct call *call)
{
    say_document(r, &document->reading);
    return azblob_answer_stream(r, status, document->reading.length, outgoing_produce, document,
                                outgoing_free, call);
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

/* 1 answered, 0 there is nothing, -1. */
static int answer_page(struct azblob_request *r, const struct website *website, struct call *call)
{
    const struct place site = {.account = r->account.name, .container = r->target.container};
    struct outgoing *document = outgoing_new(r->door->options.service);
    enum website_outcome outcome;
    int status = 404;
    int found = website_find(document->service, &site, website, r->target.blob, &r->conditions,
                             r->has_range ? &r->range : NULL, &outcome, &document->reading, call);

    if (found == 0 && outcome == WEBSITE_PAGE) {
        status = document->reading.partial ? 206 : 200;
        found = 1;
    } else if (found == 0) {
        found = website_find_error(document->service, &site, website, &document->reading, call);
    }
    if (found <= 0) {
        outgoing_free(document);
        return found;
    }
    return answer_document(r, document, status, call) < 0 ? -1 : 1;
}

int azblob_web(struct azblob_request *r, struct call *call)
{
    const json_t *settings = json_object_get(r->settings, "website");
    const struct website website = {.index = json_text(settings, "index"),
                                    .default_index = json_text(settings, "default_index"),
                                    .error = json_text(settings, "error")};

    if (!json_bool(settings, "enabled", false))
        return answer_missing(r);
    int answered = answer_page(r, &website, call);
    if (answered < 0)
        return -1;
    return answered ? 0 : answer_missing(r);
}
