// SPDX-License-Identifier: EUPL-1.2
/*
 * Blob Batch: many deletes or tier changes in one request.  Each part is a request of its own: it
 * goes through the same routing and proves by itself who it is from; what the batch proved counts
 * for nothing.  Source: REST reference, "Blob Batch".
 */
#include <string.h>
#include <strings.h>

#include "door/azblob/azblob_multipart.h"
#include "door/azblob/azblob_private.h"

#define BATCH_MAX  (4 * 1024 * 1024)
#define ANSWER_MAX (64 * 1024 * 1024)
/* An answer of a part that asks for more than a delete or tier change has. */
#define PART_MAX (1024 * 1024)

/* ---- The channel of a part: into the answer of the batch ---- */

static const char *reason(const struct azblob_request *r, int status)
{
    if (r->failure)
        return r->failure->message;
    switch (status) {
    case 200:
        return "OK";
    case 202:
        return "Accepted";
    default:
        return "Done";
    }
}

static void write_part(struct azblob_request *r, int status, const struct pairs *headers,
                       const char *body, size_t length)
{
    struct buf *out = r->channel_argument;

    buf_printf(out, "HTTP/1.1 %d %s\r\n", status, reason(r, status));
    for (size_t i = 0; i < headers->count; i++)
        buf_printf(out, "%s: %s\r\n", headers->list[i].key, headers->list[i].value);
    if (length)
        buf_printf(out, "Content-Length: %zu\r\n", length);
    buf_text(out, "\r\n");
    buf_bytes(out, body, length);
    if (length)
        buf_text(out, "\r\n");
}

static void part_answer(struct azblob_request *r, int status, const struct pairs *headers,
                        struct buf *body)
{
    write_part(r, status, headers, body->data, body->length);
}

static void part_answer_length(struct azblob_request *r, int status, const struct pairs *headers,
                               uint64_t length)
{
    (void)length;
    write_part(r, status, headers, "", 0);
}

static int part_answer_stream(struct azblob_request *r, int status, const struct pairs *headers,
                              uint64_t length,
                              int (*producer)(void *argument, struct sink *sink, struct call *call),
                              void *argument, void (*release)(void *argument), struct call *call)
{
    auto_buf struct buf body = BUF_INIT(PART_MAX);
    struct sink_buf sink;
    int result;

    (void)length;
    sink_buf_init(&sink, &body);
    result = producer(argument, &sink.sink, call);
    if (release)
        release(argument);
    if (result == 0)
        write_part(r, status, headers, body.data, body.length);
    return result;
}

static const struct azblob_channel part_channel = {.answer = part_answer,
                                                   .answer_length = part_answer_length,
                                                   .answer_stream = part_answer_stream};

/* ---- Parts ---- */

static int check_part(struct azblob_request *part, const struct azblob_request *batch,
                      struct call *call)
{
    if (!(part->operation->flags & AZBLOB_IN_BATCH))
        return azblob_fail(part, AZBLOB_INVALID_INPUT, call);
    if (strcmp(part->target.account, batch->target.account) != 0 ||
        (batch->target.container && strcmp(part->target.container, batch->target.container) != 0))
        return azblob_fail(part, AZBLOB_INVALID_URI, call);
    return 0;
}

static void record(const struct azblob_request *part)
{
    const struct azblob_options *o = &part->door->options;
    struct azblob_record record;

    if (!o->record)
        return;
    azblob_request_record(part, &record);
    record.complete = true;
    o->record(o->argument, &record);
}

/* The version is the batch's: parts must not name one, and some clients do. */
static void run_part(struct azblob_request *batch, const struct multipart_part *p, struct buf *out,
                     struct call *call)
{
    auto_azblob_request struct azblob_request part = {.door = batch->door,
                                                      .channel = &part_channel,
                                                      .channel_argument = out,
                                                      .depth = batch->depth + 1};
    struct call attempt = call_child(call, NULL);

    part.head =
        (struct azblob_head){.method = p->method,
                             .path = p->path,
                             .query = p->query,
                             .host = batch->head.host,
                             .account = batch->target.path_style ? batch->target.account : NULL,
                             .headers = &p->headers,
                             .peer = batch->head.peer,
                             .secure = batch->head.secure,
                             .body_length = 0};
    if (azblob_request_begin(&part, &attempt) < 0 || check_part(&part, batch, &attempt) < 0)
        azblob_answer_error(&part, &attempt.err);
    else
        azblob_request_handle(&part, NULL, &attempt);
    record(&part);
}

static void run(struct azblob_request *r, const struct multipart *parts, const char *boundary,
                struct buf *out, struct call *call)
{
    for (size_t i = 0; i < parts->count; i++) {
        const struct multipart_part *p = &parts->list[i];
        buf_printf(out, "--%s\r\nContent-Type: application/http\r\n", boundary);
        if (p->content_id)
            buf_printf(out, "Content-ID: %s\r\n", p->content_id);
        buf_text(out, "\r\n");
        run_part(r, p, out, call);
    }
    /* No line end behind it: some clients would read one as another part. */
    buf_printf(out, "--%s--", boundary);
}

int azblob_batch(struct azblob_request *r, struct call *call)
{
    auto_free char *boundary = multipart_boundary(azblob_get(r, "Content-Type"));
    auto_buf struct buf body = BUF_INIT(BATCH_MAX), out = BUF_INIT(ANSWER_MAX);
    auto_multipart struct multipart parts = {0};
    char answer_boundary[AZBLOB_GUID_SIZE + 16] = "batchresponse_";

    if (!boundary)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "Content-Type", call);
    if (azblob_read_body(r, BATCH_MAX, &body, call) < 0)
        return -1;
    if (multipart_parse(body.data, body.length, boundary, &parts, &call->err) < 0)
        return azblob_fail(
            r, call->err.code == ERR_QUOTA ? AZBLOB_BATCH_TOO_LARGE : AZBLOB_INVALID_INPUT, call);
    if (!parts.count)
        return azblob_fail(r, AZBLOB_BATCH_EMPTY, call);
    azblob_guid(answer_boundary + strlen(answer_boundary));
    run(r, &parts, answer_boundary, &out, call);
    azblob_sayf(r, "Content-Type", "multipart/mixed; boundary=%s", answer_boundary);
    return azblob_answer_buf(r, 202, &out);
}
