// SPDX-License-Identifier: EUPL-1.2
/* The HTTP server, driven byte by byte. */
#include "unit.h"

#include "http/server.h"
#include "raw.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/thread.h"

#define BIG ((size_t)3 * 1024 * 1024)

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

static void finished(void *argument, struct http_exchange *x, const struct http_finished *f)
{
    struct seen *s = argument;

    locked(&s->lock);
    s->count++;
    s->last = *f;
    (void)snprintf(s->method, sizeof(s->method), "%s", x->method);
    (void)snprintf(s->path, sizeof(s->path), "%s", x->path);
    (void)pthread_cond_broadcast(&s->changed);
}

static void wait_finished(unsigned count)
{
    struct call call = CALL_INIT;

    call.deadline = clock_monotonic() + 10 * CLOCK_SECOND;
    locked(&seen.lock);
    while (seen.count < count)
        assert_ok(condition_wait(&seen.changed, &seen.lock, &call), &call.err);
}

static void begin(void *argument, struct http_exchange *x, struct call *call)
{
    (void)argument;
    (void)call;
    if (strncmp(x->path, "/refuse", 7) == 0)
        http_answer(x, 403, NULL, "no\n", 3);
}

static void answer_head(struct http_exchange *x)
{
    auto_buf struct buf text = BUF_INIT(1024 * 1024);

    buf_printf(&text, "method %s\ntarget %s\npath %s\nquery %s\nhost %s\npeer %s\nsecure %d\n",
               x->method, x->target, x->path, x->query ? x->query : "(null)", x->host, x->peer,
               x->secure);
    for (size_t i = 0; i < x->headers.count; i++)
        buf_printf(&text, "%s=%s\n", x->headers.list[i].key, x->headers.list[i].value);
    http_answer_buf(x, 200, NULL, &text);
}

static void answer_echo(struct http_exchange *x, struct call *call)
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

static char byte_at(size_t at)
{
    return (char)('a' + at % 23);
}

static int make(void *argument, struct sink *sink, struct call *call)
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
static void answer_made(struct http_exchange *x, struct call *call)
{
    struct made *m = xcalloc(1, sizeof(*m));
    char *end = NULL;

    m->length = strtoul(x->path + 8, &end, 10);
    m->fail_at = strtoul(end + 1, &end, 10);
    uint64_t length = *end == '/' ? HTTP_LENGTH_UNKNOWN : m->length;
    if (http_answer_stream(x, 200, NULL, length, make, m, free, call) < 0)
        http_answer(x, 503, NULL, call->err.text, strlen(call->err.text));
}

static void answer_sleep(struct http_exchange *x, struct call *call)
{
    int64_t time = strtol(x->path + 7, NULL, 10) * CLOCK_MILLISECOND;

    if (call_sleep(call, time) < 0) {
        locked(&seen.lock);
        seen.stop_error = call->err.code;
    }
    http_answer(x, 200, NULL, "slept\n", 6);
}

static void answer_file(struct http_exchange *x)
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
    http_answer_file(x, 206, NULL, fd, 100, BIG - 100);
}

static void handle(void *argument, struct http_exchange *x, struct call *call)
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

static struct http_server *start(struct http_server_options options)
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
static int ask(struct http_server *server, const char *request, struct raw_answer *a)
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

static void test_head(void **state)
{
    struct http_server *server = START(0);
    struct raw_answer a;

    (void)state;
    assert_int_equal(ask(server,
                         "GET /a%2Fb/%41+c?x=1&y=%20+&&z HTTP/1.1\r\nhOsT: here:1\r\n"
                         "x-ms-Meta-A: 1\r\nX-MS-meta-a:  two words \t\r\nEmpty:\r\n\r\n",
                         &a),
                     200);
    assert_string_equal(a.body, "method GET\ntarget /a%2Fb/%41+c?x=1&y=%20+&&z\npath /a%2Fb/%41+c\n"
                                "query x=1&y=%20+&&z\nhost here:1\npeer 127.0.0.1\nsecure 0\n"
                                "hOsT=here:1\nx-ms-Meta-A=1\nX-MS-meta-a=two words\nEmpty=\n");
    free(a.body);
    http_server_free(server);
}

static void test_keep_alive_and_pipelining(void **state)
{
    struct http_server *server = START(0);
    struct raw *r = xcalloc(1, sizeof(*r));
    struct raw_answer a;

    (void)state;
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "POST /echo " H "Content-Length: 3\r\n\r\nabc"
                            "POST /echo " H "Transfer-Encoding: chunked\r\n\r\n"
                            "4\r\ndefg\r\n1;x=y\r\nh\r\n0\r\nTrailer: 1\r\n\r\n"
                            "GET /echo " H "\r\n"
                            "HEAD /length " H "\r\n"));
    raw_read(r, &a, false);
    assert_int_equal(a.status, 201);
    assert_string_equal(a.body, "abc");
    free(a.body);
    raw_read(r, &a, false);
    assert_string_equal(a.body, "defgh");
    free(a.body);
    raw_read(r, &a, false);
    assert_string_equal(a.body, "");
    assert_non_null(strcasestr(a.head, "\r\nContent-Length: 0\r\n"));
    free(a.body);
    raw_read(r, &a, true);
    assert_non_null(strcasestr(a.head, "\r\nContent-Length: 12345678901234\r\n"));
    free(a.body);
    raw_close(r);
    free(r);
    http_server_free(server);
}

static void test_answers(void **state)
{
    static const struct {
        const char *request;
        int status;
        size_t length;
        bool whole;
    } cases[] = {
        {"GET /stream/100/999 " H "\r\n", 200, 100, true},
        {"GET /stream/3000000/9999999 " H "\r\n", 200, 3000000, true},
        {"GET /stream/3000000/9999999/chunked " H "\r\n", 200, 3000000, true},
        {"GET /stream/0/9999999/chunked " H "\r\n", 200, 0, true},
        {"HEAD /stream/3000000/9999999 " H "\r\n", 200, 0, true},
        {"GET /stream/3000000/1000000 " H "\r\n", 200, 0, false},
        {"GET /stream/3000000/1000000/chunked " H "\r\n", 200, 0, false},
        {"GET /stream/3000000/0 " H "\r\n", 503, 19, true},
        {"GET /stream/30000/10007 " H "\r\n", 503, 19, true},
        {"GET /file " H "\r\n", 206, BIG - 100, true},
        {"GET /status/204 " H "\r\n", 204, 0, true},
        {"GET /status/304 " H "\r\n", 304, 0, true},
        {"GET /inject " H "\r\n", 500, 15, true},
        {"GET /none " H "\r\n", 500, 15, true},
        {"GET /refuse " H "\r\n", 403, 3, true},
        {"GET /stream/3000000/9999999 HTTP/1.0\r\n\r\n", 200, 3000000, true},
    };
    struct http_server *server = START(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw_answer a;
        assert_int_equal(ask(server, cases[i].request, &a), cases[i].status);
        assert_int_equal(a.whole, cases[i].whole);
        if (cases[i].whole)
            assert_int_equal(a.length, cases[i].length);
        for (size_t at = 0; cases[i].length >= 100 && at < a.length; at++)
            assert_int_equal(a.body[at], byte_at(at + (a.status == 206 ? 100 : 0)));
        free(a.body);
    }
    http_server_free(server);
}

static void test_refused(void **state)
{
    static const struct {
        const char *request;
        int status;
    } cases[] = {
        {"POST /echo " H "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST /echo " H "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"POST /echo " H "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
        {"POST /echo " H "Content-Length: 3, 3\r\n\r\nabc", 400},
        {"POST /echo " H "Content-Length: +3\r\n\r\nabc", 400},
        {"POST /echo " H "Content-Length: -3\r\n\r\nabc", 400},
        {"POST /echo " H "Content-Length: 3x\r\n\r\nabc", 400},
        {"POST /echo " H "Content-Length:\r\n\r\nabc", 400},
        {"POST /echo " H "Content-Length: 99999999999999999999999\r\n\r\nabc", 413},
        {"POST /echo " H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"POST /echo " H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        {"POST /echo " H "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
         400},
        {"POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"GET /a\x01"
         "b " H "\r\n",
         400},
        {"GET /a\x7f"
         " " H "\r\n",
         400},
        {"GET /a#b " H "\r\n", 400},
        {"GET /a b " H "\r\n", 400},
        {"GET a " H "\r\n", 400},
        {"GET * " H "\r\n", 400},
        {"OPTIONS * " H "\r\n", 200},
        {"OPTIONS /x " H "\r\n", 200},
        {"GET http://other/p?q " H "\r\n", 200},
        {"GET http:///p?q " H "\r\n", 400},
        {"GET http://u:p@h/p?q " H "\r\n", 400},
        {"G@T / " H "\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505},
        {"GET / " H "A : b\r\n\r\n", 400},
        {"GET / " H "A\x01: b\r\n\r\n", 400},
        {"GET / " H "A: b\x01\r\n\r\n", 400},
        {"GET / " H "A: b\rC: d\r\n\r\n", 400},
        {"GET / " H "A: b\nC: d\r\n\r\n", 400},
        {"GET / " H "A: b\r\n folded\r\n\r\n", 400},
        {"GET / " H "no colon\r\n\r\n", 400},
        {"GET / " H ": b\r\n\r\n", 400},
    };
    struct http_server *server = START(0);
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw_answer a;
        if (ask(server, cases[i].request, &a) != cases[i].status) {
            print_message("%s\n-> %d, wanted %d: %s\n", cases[i].request, a.status, cases[i].status,
                          a.body);
            bad++;
        }
        free(a.body);
    }
    assert_int_equal(bad, 0);
    http_server_free(server);
}

static void test_bodies(void **state)
{
    static const size_t lengths[] = {1, 65536, 65537, BIG};
    struct http_server *server = START(0);
    struct raw *r = xcalloc(1, sizeof(*r));
    char *bytes = xmalloc(BIG);
    unsigned before = seen.count;

    (void)state;
    for (size_t i = 0; i < BIG; i++)
        bytes[i] = byte_at(i);
    raw_open(r, http_server_port(server));
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        struct raw_answer a;
        auto_free char *head = xasprintf(
            "PUT /echo " H "Expect: 100-continue\r\nContent-Length: %zu\r\n\r\n", lengths[i]);
        assert_true(raw_send(r, head));
        raw_read(r, &a, false);
        assert_int_equal(a.status, 100);
        free(a.body);
        assert_true(raw_send_n(r, bytes, lengths[i]));
        raw_read(r, &a, false);
        assert_int_equal(a.status, 201);
        assert_int_equal(a.length, lengths[i]);
        assert_memory_equal(a.body, bytes, lengths[i]);
        free(a.body);
    }
    raw_close(r);
    wait_finished(before + 4);
    assert_int_equal(seen.last.status, 201);
    assert_int_equal(seen.last.bytes_in, BIG);
    assert_int_equal(seen.last.bytes_out, BIG);
    assert_true(seen.last.complete);
    free(bytes);
    free(r);
    http_server_free(server);
}

static void test_cut_body(void **state)
{
    static const char *const heads[] = {
        "PUT /echo " H "Content-Length: 1000000\r\n\r\nabc",
        "PUT /echo " H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "PUT /echo " H "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    };
    struct http_server *server = START(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
        struct raw *r = xcalloc(1, sizeof(*r));
        unsigned before = seen.count;
        seen.body_error = ERR_NONE;
        raw_open(r, http_server_port(server));
        assert_true(raw_send(r, heads[i]));
        raw_close(r);
        wait_finished(before + 1);
        assert_true(seen.body_error == ERR_NETWORK || seen.body_error == ERR_CANCELLED);
        assert_false(seen.last.complete);
        free(r);
    }
    http_server_free(server);
}

static void test_early(void **state)
{
    struct http_server *server = START(0);
    struct raw *r = xcalloc(1, sizeof(*r));
    struct raw_answer a;
    char *bytes = xcalloc(1, BIG);

    (void)state;
    /* Refused before the body, which is not asked for. */
    assert_int_equal(
        ask(server, "PUT /refuse " H "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", &a), 403);
    free(a.body);
    /* Refused while the body comes: a small rest is read, and the connection stays. */
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "PUT /refuse " H "Content-Length: 3\r\n\r\nabcGET /a " H "\r\n"));
    raw_read(r, &a, false);
    assert_int_equal(a.status, 403);
    free(a.body);
    raw_read(r, &a, false);
    assert_int_equal(a.status, 200);
    free(a.body);
    /* A large one ends the connection, but the answer arrives. */
    assert_true(raw_send(r, "PUT /refuse " H "Content-Length: 3000000\r\n\r\n"));
    (void)raw_send_n(r, bytes, 3000000);
    raw_read(r, &a, false);
    assert_int_equal(a.status, 403);
    free(a.body);
    raw_close(r);
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "PUT /early " H "Content-Length: 3000000\r\n\r\n"));
    (void)raw_send_n(r, bytes, 3000000);
    raw_read(r, &a, false);
    assert_int_equal(a.status, 507);
    free(a.body);
    raw_close(r);
    free(r);
    free(bytes);
    http_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),    cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_answers), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_bodies),  cmocka_unit_test(test_cut_body),
        cmocka_unit_test(test_early),
    };

    log_set_level(LOG_DEBUG);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
