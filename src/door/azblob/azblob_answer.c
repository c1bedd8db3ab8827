// SPDX-License-Identifier: EUPL-1.2
/* Answers of the Azure Blob door: the headers every one has, and the ways to give one. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "door/azblob/azblob_private.h"
#include "object/lease.h"
#include "object/tags.h"

/* Longer client request ids are not echoed: Azure's limit. */
#define CLIENT_ID_MAX 1024

void azblob_say(struct azblob_request *r, const char *name, const char *value)
{
    if (value)
        pairs_add(&r->answer, name, value);
}

void azblob_say_error(struct azblob_request *r, const char *name, const char *value)
{
    pairs_add(&r->error_answer, name, value);
}

void azblob_sayf(struct azblob_request *r, const char *name, const char *format, ...)
{
    char *value = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&value, format, arguments) < 0)
        abort();
    va_end(arguments);
    pairs_add(&r->answer, name, value);
    free(value);
}

void azblob_say_time(struct azblob_request *r, const char *name, int64_t time)
{
    char text[DATE_TEXT];

    if (time == TIME_UNKNOWN)
        return;
    date_rfc1123(text, time);
    pairs_add(&r->answer, name, text);
}

void azblob_say_bool(struct azblob_request *r, const char *name, bool value)
{
    pairs_add(&r->answer, name, value ? "true" : "false");
}

void azblob_say_etag(struct azblob_request *r, const char *etag, int64_t modified)
{
    if (etag)
        azblob_sayf(r, "ETag", "\"%s\"", etag);
    azblob_say_time(r, "Last-Modified", modified);
}

void azblob_say_metadata(struct azblob_request *r, const char *json)
{
    auto_pairs struct pairs list = PAIRS_INIT;
    struct err ignored = {0};

    /* What does not parse was not written by us; the rest of the answer is still right. */
    if (!json || pairs_from_json(json, &list, &ignored) < 0)
        return;
    for (size_t i = 0; i < list.count; i++) {
        auto_free char *name = xasprintf("x-ms-meta-%s", list.list[i].key);
        pairs_add(&r->answer, name, list.list[i].value);
    }
}

void azblob_say_lease(struct azblob_request *r, int64_t state, int64_t seconds, int64_t until)
{
    const char *state_word, *status, *duration;

    lease_words(state, seconds, until, r->now, &state_word, &status, &duration);
    azblob_say(r, "x-ms-lease-status", status);
    azblob_say(r, "x-ms-lease-state", state_word);
    azblob_say(r, "x-ms-lease-duration", duration);
}

/* What every answer says, once. */
static void say_common(struct azblob_request *r)
{
    azblob_say(r, "x-ms-request-id", r->id);
    azblob_say(r, "x-ms-version", r->version ? r->version : AZBLOB_VERSION);
    if (r->client_id && strlen(r->client_id) <= CLIENT_ID_MAX)
        azblob_say(r, "x-ms-client-request-id", r->client_id);
    azblob_say_cors(r);
}

static void begin_answer(struct azblob_request *r, int status)
{
    assert(!r->answered);
    r->answered = true;
    r->status = status;
    say_common(r);
}

int azblob_answer_buf(struct azblob_request *r, int status, struct buf *body)
{
    begin_answer(r, status);
    if (r->is_head)
        r->channel->answer_length(r, status, &r->answer, body->length);
    else
        r->channel->answer(r, status, &r->answer, body);
    return 0;
}

int azblob_answer(struct azblob_request *r, int status)
{
    auto_buf struct buf nothing = BUF_INIT(0);

    return azblob_answer_buf(r, status, &nothing);
}

int azblob_answer_xml(struct azblob_request *r, int status, struct buf *body)
{
    azblob_say(r, "Content-Type", "application/xml");
    return azblob_answer_buf(r, status, body);
}

int azblob_answer_length(struct azblob_request *r, int status, uint64_t length)
{
    begin_answer(r, status);
    r->channel->answer_length(r, status, &r->answer, length);
    return 0;
}

int azblob_answer_stream(struct azblob_request *r, int status, uint64_t length,
                         int (*producer)(void *argument, struct sink *sink, struct call *call),
                         void *argument, void (*release)(void *argument), struct call *call)
{
    begin_answer(r, status);
    if (r->channel->answer_stream(r, status, &r->answer, length, producer, argument, release,
                                  call) < 0) {
        r->answered = false;
        return -1;
    }
    return 0;
}
