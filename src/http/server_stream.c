// SPDX-License-Identifier: EUPL-1.2
/*
 * Answers whose bytes are made while they are sent: a producer on a thread of its own pushes them
 * into a pipe that libmicrohttpd, on the connection's thread, reads.
 */
#include <assert.h>
#include <string.h>

#include "http/server_private.h"
#include "util/log.h"

/* What libmicrohttpd takes at once. */
#define BLOCK ((size_t)64 * 1024)

struct stream {
    struct exchange *x;
    http_producer *producer;
    void *argument;
    void (*release)(void *argument);
    uint64_t length;
    struct sink sink; /* the producer's; counts, then pushes into the pipe */
    uint64_t pushed;
    struct pipe pipe;
    struct call call;
    pthread_t thread;
    uint64_t sent; /* the connection's thread's */

    /* guarded by x->lock */
    bool begun; /* the first bytes came */
    bool done;
    bool failed;
};

static int push(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct stream *s = container_of(sink, struct stream, sink);

    if (s->length != HTTP_LENGTH_UNKNOWN && n > s->length - s->pushed)
        return err_set(&call->err, ERR_INTERNAL, "more than the announced %llu bytes were made",
                       (unsigned long long)s->length);
    if (s->pushed == 0) {
        locked(&s->x->lock);
        s->begun = true;
        (void)pthread_cond_broadcast(&s->x->changed);
    }
    s->pushed += n;
    return sink_write(&s->pipe.sink, bytes, n, call);
}

static int run_producer(struct stream *s)
{
    if (s->producer(s->argument, &s->sink, &s->call) < 0)
        return -1;
    if (s->length != HTTP_LENGTH_UNKNOWN && s->pushed != s->length)
        return err_set(&s->call.err, ERR_INTERNAL, "only %llu of %llu bytes were made",
                       (unsigned long long)s->pushed, (unsigned long long)s->length);
    return 0;
}

static void *produce(void *argument)
{
    struct stream *s = argument;
    struct exchange *x = s->x;
    bool failed = run_producer(s) < 0;

    if (!failed)
        pipe_end(&s->pipe);
    else
        pipe_cut(&s->pipe, &s->call.err);
    locked(&x->lock);
    s->done = true;
    s->failed = failed;
    if (failed && s->begun && !cancel_is_raised(&x->cancel))
        log_line(LOG_WARNING, "http server: the answer to %s %s was cut after %llu bytes: %s",
                 x->x.method, x->x.path, (unsigned long long)s->pushed, s->call.err.text);
    (void)pthread_cond_broadcast(&x->changed);
    return NULL;
}

static ssize_t pull(void *argument, uint64_t at, char *bytes, size_t n)
{
    struct stream *s = argument;
    int64_t before = clock_monotonic();
    ssize_t got = source_read(&s->pipe.source, bytes, n, &s->x->call);

    (void)at;
    server_exchange_patience(s->x, before);
    if (got < 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    s->sent += (uint64_t)got;
    return got ? got : MHD_CONTENT_READER_END_OF_STREAM;
}

static void stream_free(struct stream *s)
{
    if (s->release)
        s->release(s->argument);
    pipe_release(&s->pipe);
    free(s);
}

/* Small answers are made in place, and whole before anything is said. */
static int answer_small(struct stream *s, int status, const struct pairs *headers,
                        struct call *call)
{
    auto_buf struct buf bytes = BUF_INIT(HTTP_SERVER_COLLECT);
    struct sink_buf sink;

    sink_buf_init(&sink, &bytes);
    if (s->length > 0 && s->producer(s->argument, &sink.sink, call) < 0)
        return -1;
    if (bytes.length != s->length)
        return err_set(&call->err, ERR_INTERNAL, "%zu bytes were made instead of %llu",
                       bytes.length, (unsigned long long)s->length);
    http_answer_buf(&s->x->x, status, headers, &bytes);
    return 0;
}

/* Wait for the first bytes, or for knowing that none come. */
static bool wait_begun(struct stream *s)
{
    locked(&s->x->lock);
    while (!s->begun && !s->done)
        (void)pthread_cond_wait(&s->x->changed, &s->x->lock);
    return s->begun || !s->failed;
}

static int start_producer(struct stream *s, struct call *call)
{
    pthread_attr_t attributes;

    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
    int failed = pthread_create(&s->thread, &attributes, produce, s);
    (void)pthread_attr_destroy(&attributes);
    if (failed)
        return err_errno(&call->err, failed, "start a thread");
    if (wait_begun(s))
        return 0;
    (void)pthread_join(s->thread, NULL);
    call->err = s->call.err;
    return -1;
}

static bool has_no_body(const struct exchange *x, int status)
{
    return strcmp(x->x.method, "HEAD") == 0 || status == 204 || status == 304;
}

int http_answer_stream(struct http_exchange *public, int status, const struct pairs *headers,
                       uint64_t length, http_producer *producer, void *argument,
                       void (*release)(void *argument), struct call *call)
{
    struct exchange *x = exchange_of(public);
    struct stream *s = xcalloc(1, sizeof(*s));

    assert(!x->response);
    *s = (struct stream){.x = x,
                         .producer = producer,
                         .argument = argument,
                         .release = release,
                         .length = length,
                         .sink = {.write = push},
                         .call = call_child(call, &x->cancel)};
    pipe_init(&s->pipe, RING);
    if (has_no_body(x, status)) {
        http_answer_length(public, status, headers, status == 204 ? 0 : length);
        stream_free(s);
        return 0;
    }
    if (length <= HTTP_SERVER_COLLECT) {
        int failed = answer_small(s, status, headers, call);
        stream_free(s);
        return failed;
    }
    if (start_producer(s, call) < 0) {
        stream_free(s);
        return -1;
    }
    x->streaming = s;
    server_answer_set(
        x, status, headers,
        MHD_create_response_from_callback(length == HTTP_LENGTH_UNKNOWN ? MHD_SIZE_UNKNOWN : length,
                                          BLOCK, pull, s, NULL),
        length);
    return 0;
}

uint64_t server_stream_end(struct exchange *x)
{
    struct stream *s = take(x->streaming);

    if (!s)
        return 0;
    pipe_refuse(&s->pipe);
    (void)pthread_join(s->thread, NULL);
    uint64_t sent = s->sent;
    stream_free(s);
    return sent;
}
