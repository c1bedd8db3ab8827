// SPDX-License-Identifier: EUPL-1.2
/* The Azure Blob door on the HTTP server: see azblob.h. */
#include "door/azblob/azblob.h"

#include <stdio.h>

#include "door/azblob/azblob_private.h"
#include "http/forwarded.h"
#include "http/server.h"

struct azblob *azblob_new(const struct azblob_options *options)
{
    struct azblob *door = xcalloc(1, sizeof(*door));

    door->options = *options;
    door->policy = policy_new();
    door->copier = azblob_copier_new();
    return door;
}

void azblob_free(struct azblob *door)
{
    if (!door)
        return;
    azblob_copier_free(door->copier);
    policy_free(door->policy);
    free(door);
}

/* ---- The channel ---- */

static void http_channel_answer(struct azblob_request *r, int status, const struct pairs *headers,
                                struct buf *body)
{
    http_answer_buf(r->channel_argument, status, headers, body);
}

static void http_channel_answer_length(struct azblob_request *r, int status,
                                       const struct pairs *headers, uint64_t length)
{
    http_answer_length(r->channel_argument, status, headers, length);
}

static int http_channel_answer_stream(
    struct azblob_request *r, int status, const struct pairs *headers, uint64_t length,
    int (*producer)(void *argument, struct sink *sink, struct call *call), void *argument,
    void (*release)(void *argument), struct call *call)
{
    return http_answer_stream(r->channel_argument, status, headers, length, producer, argument,
                              release, call);
}

static const struct azblob_channel http_channel = {.answer = http_channel_answer,
                                                   .answer_length = http_channel_answer_length,
                                                   .answer_stream = http_channel_answer_stream};

/* ---- Exchanges ---- */

/* A request and what it borrows for its life. */
struct exchange {
    struct azblob_request request;
    struct forwarded from;
};

static void fill_head(const struct azblob *door, const struct http_exchange *x, struct exchange *e)
{
    e->request.head = (struct azblob_head){.method = x->method,
                                           .path = x->path,
                                           .query = x->query,
                                           .host = x->host,
                                           .headers = &x->headers,
                                           .peer = x->peer,
                                           .secure = x->secure,
                                           .body_length = x->body_length};
    if (!door->options.proxies)
        return;
    forwarded_find(door->options.proxies, x->peer, x->secure, &x->headers, &e->from);
    e->request.head.peer = e->from.client;
    e->request.head.secure = e->from.secure;
}

void azblob_begin(void *argument, struct http_exchange *x, struct call *call)
{
    struct azblob *door = argument;
    struct exchange *e = xcalloc(1, sizeof(*e));

    x->private = e;
    fill_head(door, x, e);
    e->request.door = door;
    e->request.channel = &http_channel;
    e->request.channel_argument = x;
    int begun = azblob_request_begin(&e->request, call);
    /* Providers' logs name the request their part was done for. */
    call->trace = e->request.id;
    if (begun < 0)
        azblob_answer_error(&e->request, &call->err);
}

void azblob_handle(void *argument, struct http_exchange *x, struct call *call)
{
    struct exchange *e = x->private;

    (void)argument;
    azblob_request_handle(&e->request, x->body, call);
}

void azblob_finished(void *argument, struct http_exchange *x, const struct http_finished *finished)
{
    struct azblob *door = argument;
    struct exchange *e = x->private;
    struct azblob_record record;

    if (!e)
        return;
    if (door->options.record) {
        azblob_request_record(&e->request, &record);
        record.status = finished->status;
        record.complete = finished->complete;
        record.bytes_in = finished->bytes_in;
        record.bytes_out = finished->bytes_out;
        record.began = finished->began;
        record.duration = finished->duration;
        door->options.record(door->options.argument, &record);
    }
    azblob_request_release(&e->request);
    free(e);
    x->private = NULL;
}
