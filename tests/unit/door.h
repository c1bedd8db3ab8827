// SPDX-License-Identifier: EUPL-1.2
/*
 * For tests of the HTTP server: a door whose paths do what a test wants.
 *
 *     /refuse...                    answered 403 by begin
 *     /echo                         the body comes back, as 201
 *     /stream/LENGTH/FAIL[/chunked] made bytes; the producer fails at FAIL
 *     /sleep/MILLISECONDS           answers after that time, or when cancelled
 *     /file                         from a file; /length: to HEAD; /status/N: N, empty
 *     /early                        507 without reading the body; /none: no answer at all
 *     /many                         20 KiB of headers
 *     /inject                       a header that must not be sent
 *     anything else                 what the handler saw of the head
 */
#ifndef TESTS_DOOR_H
#define TESTS_DOOR_H

#include "unit.h"

#include <stdio.h>

#include "http/server.h"
#include "raw.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/thread.h"

#define BIG ((size_t)3 * 1024 * 1024)
/* Where /file begins in its file: byte_at() begins anew there. */
#define FILE_FROM ((size_t)92)

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned count; /* guarded by lock, as all below */
    struct http_finished last;
    char method[32];
    char path[256];
    enum err_code body_error; /* how a handler's reading failed */
    enum err_code stop_error; /* how a handler's waiting failed */
};

static struct seen seen = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline void finished(void *argument, struct http_exchange *x, const struct http_finished *f)
{
    struct seen *s = argument;

    locked(&s->lock);
    s->count++;
    s->last = *f;
    (void)snprintf(s->method, sizeof(s->method), "%s", x->method);
    (void)snprintf(s->path, sizeof(s->path), "%s", x->path);
    (void)pthread_cond_broadcast(&s->changed);
}

static inline void wait_finished(unsigned count)
{
    struct call call = CALL_INIT;

    call.deadline = clock_monotonic() + 10 * CLOCK_SECOND;
    locked(&seen.lock);
    while (seen.count < count)
        assert_ok(condition_wait(&seen.changed, &seen.lock, &call), &call.err);
}

static inline void begin(void *argument, struct http_exchange *x, struct call *call)
{
    (void)argument;
    (void)call;
    if (strncmp(x->path, "/refuse", 7) == 0)
        http_answer(x, 403, NULL, "no\n", 3);
}

static inline void answer_head(struct http_exchange *x)
{
    auto_buf struct buf text = BUF_INIT(1024 * 1024);

    buf_printf(&text, "method %s\ntarget %s\npath %s\nquery %s\nhost %s\npeer %s\nsecure %d\n",
               x->method, x->target, x->path, x->query ? x->query : "(null)", x->host, x->peer,
               x->secure);
    for (size_t i = 0; i < x->headers.count; i++)
        buf_printf(&text, "%s=%s\n", x->headers.list[i].key, x->headers.list[i].value);
    http_answer_buf(x, 200, NULL, &text);
}

static inline void answer_echo(struct http_exchange *x, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(2 * BIG);
    auto_pairs struct pairs headers = PAIRS_INIT;
    struct sink_buf sink;

    sink_buf_init(&sink, &body);
    if (stream_copy(x->body, &sink.sink, NULL, call) < 0) {
        locked(&seen.lock);
        seen.body_error = call->err.code;
        http_answer(x, 400, NULL, "cut\n", 4);
        return;
    }
    pairs_add(&headers, "Content-Type", "application/octet-stream");
    pairs_add(&headers, "X-Twice", "1");
    pairs_add(&headers, "X-Twice", "2");
    pairs_add(&headers, "x-EMPTY", "");
    http_answer_buf(x, 201, &headers, &body);
}

struct made {
    size_t length;
    size_t fail_at;
};

static inline char byte_at(size_t at)
{
    return (char)('a' + at % 23);
}

static inline int make(void *argument, struct sink *sink, struct call *call)
{
    const struct made *m = argument;
    char chunk[10007];

    for (size_t at = 0; at < m->length;) {
        size_t n = m->length - at < sizeof(chunk) ? m->length - at : sizeof(chunk);
        if (at >= m->fail_at)
            return err_set(&call->err, ERR_REMOTE, "the provider failed");
        for (size_t i = 0; i < n; i++)
            chunk[i] = byte_at(at + i);
        if (sink_write(sink, chunk, n, call) < 0)
            return -1;
        at += n;
    }
    return 0;
}

/* /stream/LENGTH/FAIL_AT[/chunked] */
static inline void answer_made(struct http_exchange *x, struct call *call)
{
    struct made *m = xcalloc(1, sizeof(*m));
    char *end = NULL;

    m->length = strtoul(x->path + 8, &end, 10);
    m->fail_at = strtoul(end + 1, &end, 10);
    uint64_t length = *end == '/' ? HTTP_LENGTH_UNKNOWN : m->length;
    if (http_answer_stream(x, 200, NULL, length, make, m, free, call) < 0)
        http_answer(x, 503, NULL, call->err.text, strlen(call->err.text));
}

static inline void answer_sleep(struct http_exchange *x, struct call *call)
{
    int64_t time = strtol(x->path + 7, NULL, 10) * CLOCK_MILLISECOND;

    if (call_sleep(call, time) < 0) {
        locked(&seen.lock);
        seen.stop_error = call->err.code;
    }
    http_answer(x, 200, NULL, "slept\n", 6);
}

static inline void answer_file(struct http_exchange *x)
{
    char name[] = "/tmp/test-server-XXXXXX";
    char *bytes = xmalloc(BIG);
    int fd = mkstemp(name);

    for (size_t i = 0; i < BIG; i++)
        bytes[i] = byte_at(i);
    if (fd < 0 || write(fd, bytes, BIG) != (ssize_t)BIG)
        abort();
    (void)unlink(name);
    free(bytes);
    http_answer_file(x, 206, NULL, fd, FILE_FROM, BIG - FILE_FROM);
}

static inline void answer_many(struct http_exchange *x)
{
    auto_pairs struct pairs headers = PAIRS_INIT;

    for (int i = 0; i < 200; i++) {
        auto_free char *name = xasprintf("x-ms-meta-%d", i);
        auto_free char *value = xasprintf("%080d", i);
        pairs_add(&headers, name, value);
    }
    http_answer(x, 200, &headers, "many\n", 5);
}

static inline void handle(void *argument, struct http_exchange *x, struct call *call)
{
    static const char bad[] = "a\r\nX-Injected: b";
    auto_pairs struct pairs headers = PAIRS_INIT;

    (void)argument;
    if (strncmp(x->path, "/echo", 5) == 0)
        answer_echo(x, call);
    else if (strncmp(x->path, "/stream/", 8) == 0)
        answer_made(x, call);
    else if (strncmp(x->path, "/sleep/", 7) == 0)
        answer_sleep(x, call);
    else if (strcmp(x->path, "/file") == 0)
        answer_file(x);
    else if (strcmp(x->path, "/many") == 0)
        answer_many(x);
    else if (strcmp(x->path, "/length") == 0)
        http_answer_length(x, 200, NULL, 12345678901234U);
    else if (strncmp(x->path, "/status/", 8) == 0)
        http_answer(x, atoi(x->path + 8), NULL, NULL, 0);
    else if (strcmp(x->path, "/early") == 0)
        http_answer(x, 507, NULL, "full\n", 5);
    else if (strcmp(x->path, "/inject") == 0) {
        pairs_add(&headers, "X-Bad", bad);
        http_answer(x, 200, &headers, NULL, 0);
    } else if (strcmp(x->path, "/none") != 0)
        answer_head(x);
}

static inline struct http_server *start(struct http_server_options options)
{
    struct http_server *server = NULL;
    struct err e = {.code = ERR_NONE};

    if (!options.listen)
        options.listen = "127.0.0.1:0";
    options.begin = begin;
    options.handle = handle;
    options.finished = finished;
    options.argument = &seen;
    assert_ok(http_server_start(&options, &server, &e), &e);
    return server;
}

#define START(...) start((struct http_server_options){__VA_ARGS__})

/* One request, one answer. */
static inline int ask(struct http_server *server, const char *request, struct raw_answer *a)
{
    struct raw *r = xcalloc(1, sizeof(*r));

    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, request));
    raw_read(r, a, strncmp(request, "HEAD", 4) == 0);
    raw_close(r);
    free(r);
    return a->status;
}

#define H "HTTP/1.1\r\nHost: x\r\n"

#endif
