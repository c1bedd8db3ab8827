// SPDX-License-Identifier: EUPL-1.2
/* The HTTP client against a server that behaves as badly as servers and networks do. */
#include "unit.h"

#include "http/client.h"
#include "server.h"
#include "util/clock.h"
#include "util/thread.h"

/* One exchange with a server of that behaviour. */
struct trial {
    struct server server;
    struct http_client *client;
    struct http_request request;
    struct http_response response;
    struct buf body;
    struct sink_buf sink;
    struct call call;
};

static const struct http_client_options quick = {.connect_timeout = 2 * CLOCK_SECOND,
                                                 .stall_timeout = 1500 * CLOCK_MILLISECOND};

static void trial_start(struct trial *t, void (*serve)(struct server *, int), const void *argument)
{
    *t = (struct trial){.request = {.method = "GET"}, .response = HTTP_RESPONSE_INIT};
    buf_init(&t->body, 1 << 22);
    sink_buf_init(&t->sink, &t->body);
    server_start(&t->server, serve, argument);
    assert_int_equal(http_client_new(&quick, &t->client, &t->call.err), 0);
    t->request.url = xasprintf("http://127.0.0.1:%d/a/../b%%2F/?x=1", t->server.port);
}

static int trial_do(struct trial *t)
{
    buf_reset(&t->body);
    return http_do(t->client, &t->request, &t->response, &t->sink.sink, NULL, &t->call);
}

static void trial_end(struct trial *t)
{
    http_client_free(t->client);
    server_stop(&t->server);
    http_request_release(&t->request);
    http_response_release(&t->response);
    buf_release(&t->body);
}

/* Answers every request on the connection with the text given as argument. */
static void serve_text(struct server *s, int connection)
{
    while (server_read(s, connection)) {
        (void)server_body(connection, NULL, server_length(s));
        server_send(connection, s->argument);
    }
}

/* What a call is done for goes along, and only with that call. */
static void test_says_what_it_is_for(void **state)
{
    struct trial t;

    (void)state;
    trial_start(&t, serve_text, "HTTP/1.1 204 No Content\r\n\r\n");
    t.call.trace = "3f2a-1";
    assert_int_equal(trial_do(&t), 0);
    assert_non_null(strstr(t.server.request, "\r\nUser-Agent: bascule/"));
    assert_non_null(strstr(t.server.request, " request/3f2a-1\r\n"));
    t.call.trace = NULL;
    assert_int_equal(trial_do(&t), 0);
    assert_non_null(strstr(t.server.request, "\r\nUser-Agent: bascule/"));
    assert_null(strstr(t.server.request, "request/"));
    trial_end(&t);
}

/* The same, but closes after one answer. */
static void serve_once(struct server *s, int connection)
{
    if (server_read(s, connection)) {
        (void)server_body(connection, NULL, server_length(s));
        server_send(connection, s->argument);
    }
}

/* Answers the first request of each connection, and breaks off after reading the second. */
static void serve_first(struct server *s, int connection)
{
    for (int i = 0; i < 2 && server_read(s, connection); i++) {
        (void)server_body(connection, NULL, server_length(s));
        if (i == 0)
            server_send(connection, s->argument);
    }
}

/* The connection kept from the GET breaks when the server may have acted: what is sent again
 * without a word? */
static void breaks_off(const char *method, const char *header, int status)
{
    struct trial t;

    trial_start(&t, serve_first, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(trial_do(&t), 0);
    t.request.method = method;
    if (header)
        http_request_header(&t.request, header, "*");
    assert_int_equal(trial_do(&t), status);
    if (status < 0) {
        assert_int_equal(t.call.err.code, ERR_NETWORK);
        assert_non_null(strstr(t.call.err.text, "closed without an answer"));
        err_clear(&t.call.err);
        assert_int_equal(trial_do(&t), 0); /* on a connection of its own */
    }
    trial_end(&t);
}

static void test_sends_again_only_what_may_be(void **state)
{
    (void)state;
    breaks_off("GET", "If-Match", 0);
    breaks_off("PUT", NULL, 0);
    breaks_off("DELETE", NULL, 0);
    breaks_off("POST", NULL, -1);
    breaks_off("PUT", "If-None-Match", -1);
    breaks_off("DELETE", "If-Match", -1);
}

static void expect_failure(void (*serve)(struct server *, int), const char *answer,
                           enum err_code code, const char *text)
{
    struct trial t;

    trial_start(&t, serve, answer);
    assert_int_equal(trial_do(&t), -1);
    if (t.call.err.code != code || !strstr(t.call.err.text, text))
        fail_msg("expected %s '%s', got %s '%s'", err_word(code), text, err_word(t.call.err.code),
                 t.call.err.text);
    trial_end(&t);
}

static void test_gets(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, serve_text,
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Ms-Meta-Case:  Kept \t\r\n"
                "Empty:\r\nContent-Encoding: gzip\r\n\r\nhello");
    http_request_header(&t.request, "x-ms-version", "2021-08-06");
    http_request_header(&t.request, "x-empty", "");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(trial_do(&t), 0);
        assert_int_equal(t.response.status, 200);
        assert_int_equal(t.response.content_length, 5);
        assert_string_equal(t.body.data, "hello");
        assert_int_equal(t.response.headers.count, 4);
        assert_string_equal(t.response.headers.list[1].key, "X-Ms-Meta-Case");
        assert_string_equal(http_response_header(&t.response, "x-ms-meta-case"), "Kept");
        assert_string_equal(http_response_header(&t.response, "empty"), "");
    }
    /* the path as given, one connection, nothing we did not ask for */
    assert_int_equal(strncmp(t.server.request, "GET /a/../b%2F/?x=1 HTTP/1.1\r\n", 30), 0);
    assert_non_null(strstr(t.server.request, "\r\nx-ms-version: 2021-08-06\r\n"));
    assert_non_null(strstr(t.server.request, "\r\nx-empty:\r\n"));
    assert_null(strcasestr(t.server.request, "accept-encoding"));
    assert_null(strcasestr(t.server.request, "content-length"));
    assert_int_equal(t.server.connections, 1);
    trial_end(&t);
}

static void test_methods(void **state)
{
    (void)state;
    struct trial t;
    static const char *const sequence[] = {"GET", "HEAD",   "PUT",  "DELETE", "GET",
                                           "PUT", "DELETE", "HEAD", "POST",   "HEAD"};

    trial_start(&t, serve_text, "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
    for (size_t i = 0; i < ARRAY_SIZE(sequence); i++) {
        t.request.method = sequence[i];
        assert_int_equal(trial_do(&t), 0);
        assert_int_equal(strncmp(t.server.request, sequence[i], strlen(sequence[i])), 0);
        bool uploads = sequence[i][0] == 'P';
        assert_int_equal(strstr(t.server.request, "\r\nContent-Length: 0\r\n") != NULL, uploads);
        assert_null(strstr(t.server.request, "xpect"));
    }
    assert_int_equal(t.server.connections, 1);
    trial_end(&t);
    trial_start(&t, serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 123456789012\r\n\r\n");
    t.request.method = "HEAD";
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.response.content_length, 123456789012);
    trial_end(&t);
}

static void serve_echo(struct server *s, int connection)
{
    while (server_read(s, connection)) {
        size_t n = server_length(s);
        char head[100];
        char *bytes = malloc(n + 1);
        if (!bytes)
            abort();
        size_t got = server_body(connection, bytes, n);
        bytes[got] = '\0';
        (void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", got);
        server_send(connection, head);
        server_send(connection, bytes);
        free(bytes);
    }
}

static void test_sends_a_body(void **state)
{
    (void)state;
    struct trial t;
    struct source_bytes body;
    char *bytes = xmalloc(3000001);

    memset(bytes, 'q', 3000000);
    bytes[3000000] = '\0';
    trial_start(&t, serve_echo, NULL);
    t.request.method = "PUT";
    t.request.body = &body.source;
    static const size_t sizes[] = {0, 1, 4096, 3000000, 65536};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        source_bytes_init(&body, bytes, 3000000);
        t.request.body_length = sizes[i]; /* the source has more: only so much is taken */
        assert_int_equal(trial_do(&t), 0);
        assert_int_equal(t.body.length, sizes[i]);
        assert_int_equal(body.at, sizes[i]);
        assert_null(strstr(t.server.request, "xpect"));
    }
    assert_int_equal(t.server.connections, 1);
    /* one that ends early is not padded: the server never sees a whole request */
    source_bytes_init(&body, bytes, 1000);
    t.request.body_length = 2000;
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_CORRUPT);
    assert_non_null(strstr(t.call.err.text, "ended after 1000 of its 2000 bytes"));
    free(bytes);
    trial_end(&t);
}

/* Those in memory go out with their head; nobody shall notice but the kernel. */
static void test_sends_small_bodies(void **state)
{
    (void)state;
    struct trial t;
    struct source_bytes body;
    static char bytes[70000];
    static const size_t sizes[] = {1, 4096, 60 * 1024, 60 * 1024 + 1, 70000};
    static const char *const methods[] = {"PUT", "POST", "PATCH"};

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)('a' + i * 31 % 23);
    trial_start(&t, serve_echo, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(sizes) * ARRAY_SIZE(methods); i++) {
        size_t size = sizes[i % ARRAY_SIZE(sizes)];
        t.request.method = methods[i % ARRAY_SIZE(methods)];
        t.request.body = &body.source;
        source_bytes_init(&body, bytes, size);
        t.request.body_length = size;
        assert_ok(trial_do(&t), &t.call.err);
        assert_int_equal(strncmp(t.server.request, t.request.method, strlen(t.request.method)), 0);
        assert_int_equal(t.body.length, size);
        assert_memory_equal(t.body.data, bytes, size);
        assert_int_equal(body.at, size);
        assert_null(strcasestr(t.server.request, "content-type"));
        assert_null(strcasestr(t.server.request, "expect"));
        t.request.method = "GET";
        t.request.body = NULL;
        assert_int_equal(trial_do(&t), 0);
        assert_null(strcasestr(t.server.request, "content-length"));
        assert_int_equal(t.body.length, 0);
    }
    http_request_header(&t.request, "Content-Type", "text/x-own");
    t.request.method = "PUT";
    t.request.body = &body.source;
    source_bytes_init(&body, bytes, 10);
    t.request.body_length = 10;
    assert_int_equal(trial_do(&t), 0);
    assert_non_null(strstr(t.server.request, "\r\nContent-Type: text/x-own\r\n"));
    assert_int_equal(t.server.connections, 1);
    trial_end(&t);
}

static ssize_t broken_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    (void)s;
    (void)bytes;
    (void)n;
    return err_set(&call->err, ERR_NETWORK, "the source was cut off");
}

static int full_write(struct sink *s, const void *bytes, size_t n, struct call *call)
{
    (void)s;
    (void)bytes;
    (void)n;
    return err_set(&call->err, ERR_NO_SPACE, "the disk is full");
}

static int begun_refuses(struct http_begun *self, const struct http_response *response,
                         struct call *call)
{
    (void)self;
    return err_set(&call->err, ERR_CHANGED, "begun saw %d", response->status);
}

static void test_callbacks_end_it(void **state)
{
    (void)state;
    struct trial t;
    struct source broken = {.read = broken_read};
    struct sink full = {.write = full_write};
    struct http_begun refuses = {.begun = begun_refuses};

    trial_start(&t, serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(http_do(t.client, &t.request, &t.response, &full, NULL, &t.call), -1);
    assert_string_equal(t.call.err.text, "the disk is full");
    assert_int_equal(http_do(t.client, &t.request, &t.response, &t.sink.sink, &refuses, &t.call),
                     -1);
    assert_string_equal(t.call.err.text, "begun saw 200");
    assert_int_equal(t.body.length, 0);
    t.request.method = "PUT";
    t.request.body = &broken;
    t.request.body_length = 10;
    assert_int_equal(trial_do(&t), -1);
    assert_string_equal(t.call.err.text, "the source was cut off");
    /* and the client is none the worse for it */
    t.request.body = NULL;
    t.request.method = "GET";
    assert_int_equal(trial_do(&t), 0);
    assert_string_equal(t.body.data, "hello");
    trial_end(&t);
}

static void test_error_body_is_kept(void **state)
{
    (void)state;
    struct trial t;
    struct http_begun refuses = {.begun = begun_refuses};

    trial_start(&t, serve_text,
                "HTTP/1.1 404 The specified blob does not exist.\r\nTransfer-Encoding: chunked\r\n"
                "\r\n5\r\n<Err>\r\n3\r\n</>\r\n0\r\nX-Trailer: t\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            http_do(t.client, &t.request, &t.response, &t.sink.sink, &refuses, &t.call), 0);
        assert_int_equal(t.response.status, 404);
        assert_string_equal(t.response.error_body.data, "<Err></>");
        assert_int_equal(t.body.length, 0);
        assert_null(http_response_header(&t.response, "X-Trailer"));
        assert_true(t.response.content_length == HTTP_LENGTH_UNKNOWN);
    }
    trial_end(&t);
}

static void serve_big_error(struct server *s, int connection)
{
    char line[1001];

    memset(line, 'x', 1000);
    line[1000] = '\0';
    while (server_read(s, connection)) {
        server_send(connection, "HTTP/1.1 500 No\r\nContent-Length: 200000\r\n\r\n");
        for (int i = 0; i < 200; i++)
            server_send(connection, line);
    }
}

static void test_error_body_is_bounded(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, serve_big_error, NULL);
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.response.error_body.length, HTTP_ERROR_BODY_MAX);
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.server.connections, 1);
    trial_end(&t);
}

static void test_interim_answers(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, serve_text,
                "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
                "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 2\r\n\r\nok");
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.response.status, 200);
    assert_int_equal(t.response.headers.count, 2);
    assert_null(http_response_header(&t.response, "Link"));
    assert_string_equal(t.body.data, "ok");
    trial_end(&t);
}

static void test_cut_off(void **state)
{
    (void)state;
    expect_failure(serve_once, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", ERR_NETWORK,
                   "cut off after 5 of 10 bytes");
    expect_failure(serve_once, "HTTP/1.1 404 No\r\nContent-Length: 10\r\n\r\nhello", ERR_NETWORK,
                   "cut off after 5 of 10 bytes");
    expect_failure(serve_once,
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                   ERR_NETWORK, "the answer's end is missing");
    expect_failure(serve_once, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
                   ERR_NETWORK, "the answer's end is missing");
    expect_failure(serve_once, "HTTP/1.1 200 OK\r\nContent-Le", ERR_NETWORK, "");
    expect_failure(serve_once, "", ERR_NETWORK, "connection closed without an answer");
}

static void test_nonsense(void **state)
{
    (void)state;
    expect_failure(serve_once, "220 smtp.example.org ESMTP\r\n", ERR_REMOTE, "does not speak HTTP");
    expect_failure(serve_once, "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nhello", ERR_REMOTE,
                   "");
    expect_failure(serve_once,
                   "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
                   ERR_REMOTE, "two different Content-Lengths");
    expect_failure(serve_once, "HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", ERR_REMOTE, "");
    expect_failure(serve_once,
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
                   ERR_NETWORK, "");
}

static void serve_reset(struct server *s, int connection)
{
    if (server_read(s, connection)) {
        server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
        (void)usleep(50000);
        server_reset(connection);
    }
}

static void test_reset(void **state)
{
    (void)state;
    expect_failure(serve_reset, NULL, ERR_NETWORK, "cut off after 5 of 10 bytes");
}

static void serve_many_headers(struct server *s, int connection)
{
    char line[200];

    while (server_read(s, connection)) {
        int count = *(const int *)s->argument;
        server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
        for (int i = 0; i < count; i++) {
            (void)snprintf(line, sizeof(line), "X-Ms-Meta-%d: %0100d\r\n", i, i);
            server_send(connection, line);
        }
        server_send(connection, "\r\n");
    }
}

static void test_many_headers(void **state)
{
    (void)state;
    struct trial t;
    int count = 100;

    trial_start(&t, serve_many_headers, &count);
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.response.headers.count, 101);
    assert_string_equal(t.response.headers.list[100].key, "X-Ms-Meta-99");
    count = 3000;
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_REMOTE);
    assert_non_null(strstr(t.call.err.text, "too large"));
    trial_end(&t);
}

static void test_huge_header(void **state)
{
    (void)state;
    struct trial t;
    char *answer = xmalloc(400000);

    memset(answer, 'y', 399999);
    memcpy(answer, "HTTP/1.1 200 OK\r\nX-Long: ", 25);
    (void)snprintf(answer + 300000, 100, "\r\nContent-Length: 0\r\n\r\n");
    trial_start(&t, serve_once, answer);
    assert_int_equal(trial_do(&t), -1);
    trial_end(&t);
    free(answer);
}

static void serve_early_403(struct server *s, int connection)
{
    if (server_read(s, connection)) {
        (void)server_body(connection, NULL, 1000);
        server_send(connection, "HTTP/1.1 403 No\r\nContent-Length: 6\r\n\r\ndenied");
        (void)server_body(connection, NULL, SIZE_MAX);
    }
}

static void test_early_answer(void **state)
{
    (void)state;
    struct trial t;
    struct source_zeros body;

    trial_start(&t, serve_early_403, NULL);
    source_zeros_init(&body, UINT64_C(100) << 30);
    t.request.method = "PUT";
    t.request.body = &body.source;
    t.request.body_length = body.length;
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.response.status, 403);
    assert_string_equal(t.response.error_body.data, "denied");
    assert_true(body.at < body.length);
    trial_end(&t);
}

static void serve_early_200(struct server *s, int connection)
{
    if (server_read(s, connection)) {
        (void)server_body(connection, NULL, 1000);
        server_send(connection,
                    "HTTP/1.1 201 Yes\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        (void)shutdown(connection, SHUT_WR);
        (void)server_body(connection, NULL, 1000000);
    }
}

/* "Created" before the body was there is no success. */
static void test_early_success(void **state)
{
    (void)state;
    struct trial t;
    struct source_zeros body;

    trial_start(&t, serve_early_200, NULL);
    source_zeros_init(&body, UINT64_C(1) << 30);
    t.request.method = "PUT";
    t.request.body = &body.source;
    t.request.body_length = body.length;
    assert_int_equal(trial_do(&t), -1);
    assert_true(err_is_passing(t.call.err.code));
    trial_end(&t);
}

static void serve_hang(struct server *s, int connection)
{
    if (server_read(s, connection)) {
        server_send(connection, s->argument);
        server_wait_close(connection);
    }
}

static void serve_trickle(struct server *s, int connection)
{
    if (server_read(s, connection)) {
        server_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
        for (int i = 0; i < 10; i++) {
            (void)usleep(250000);
            server_send(connection, "x");
        }
    }
}

static void test_stall_and_trickle(void **state)
{
    (void)state;
    struct trial t;

    expect_failure(serve_hang, "", ERR_TIMEOUT, "nothing moved for 1 s");
    expect_failure(serve_hang, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhe", ERR_TIMEOUT,
                   "nothing moved for 1 s");
    trial_start(&t, serve_trickle, NULL); /* slow, but it moves */
    assert_int_equal(trial_do(&t), 0);
    assert_int_equal(t.body.length, 10);
    trial_end(&t);
}

static void test_deadline(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, serve_hang, "");
    int64_t before = clock_monotonic();
    t.call.deadline = before + 300 * CLOCK_MILLISECOND;
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_TIMEOUT);
    assert_true(clock_monotonic() - before < CLOCK_SECOND);
    assert_int_equal(trial_do(&t), -1); /* it has passed already */
    assert_int_equal(t.call.err.code, ERR_TIMEOUT);
    trial_end(&t);
}

static void *raise_soon(void *cancel)
{
    (void)usleep(200000);
    cancel_raise(cancel);
    return NULL;
}

static void test_cancel(void **state)
{
    (void)state;
    struct trial t;
    struct cancel cancel = {0};
    pthread_t thread;

    trial_start(&t, serve_hang, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhe");
    t.call.cancel = &cancel;
    assert_int_equal(pthread_create(&thread, NULL, raise_soon, &cancel), 0);
    int64_t before = clock_monotonic();
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_CANCELLED);
    assert_true(clock_monotonic() - before < 1400 * CLOCK_MILLISECOND);
    (void)pthread_join(thread, NULL);
    trial_end(&t);
}

/* Closes after each answer without saying so: the next request finds a dead connection. */
static void serve_silent_close(struct server *s, int connection)
{
    char chunk[64];

    if (!server_read(s, connection))
        return;
    (void)server_body(connection, chunk, server_length(s) < 64 ? server_length(s) : 64);
    server_send(connection, s->argument);
}

static ssize_t count_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    (void)s;
    (void)call;
    memset(bytes, 'c', n);
    return (ssize_t)n;
}

static void test_closed_while_idle(void **state)
{
    (void)state;
    struct trial t;
    struct source_bytes body;
    struct source endless = {.read = count_read};

    trial_start(&t, serve_silent_close, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    t.request.method = "PUT";
    for (int i = 0; i < 5; i++) {
        source_bytes_init(&body, "0123456789", 10);
        t.request.body = i % 2 ? &body.source : &endless;
        t.request.body_length = 10;
        if (trial_do(&t) < 0) {
            assert_true(i % 2 == 0); /* what cannot be read again may fail, as one that passes */
            assert_int_equal(t.call.err.code, ERR_NETWORK);
        }
        (void)usleep((unsigned)i * 3000);
    }
    trial_end(&t);
}

static void test_no_server(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, serve_once, "");
    replace_string(&t.request.url, "http://127.0.0.1:1/container/blob?sig=SECRET");
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_NETWORK);
    assert_string_equal(t.call.err.text, "connect to 127.0.0.1:1: Connection refused");
    replace_string(&t.request.url, "http://no-such-host.invalid/x");
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_NETWORK);
    assert_string_equal(t.call.err.text, "connect to no-such-host.invalid:80: no such host name");
    replace_string(&t.request.url, "ftp://127.0.0.1/x");
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_INVALID);
    replace_string(&t.request.url, "http://user:PASSWORD@127.0.0.1:1/x");
    assert_int_equal(trial_do(&t), -1);
    assert_null(strstr(t.call.err.text, "PASSWORD"));
    trial_end(&t);
}

static void test_header_injection(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, serve_text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    http_request_header(&t.request, "x-ms-meta-a", "1\r\nx-evil: 2");
    assert_int_equal(trial_do(&t), -1);
    assert_int_equal(t.call.err.code, ERR_INVALID);
    assert_int_equal(t.server.requests, 0);
    trial_end(&t);
}

static void test_insecure_only_on_loopback(void **state)
{
    (void)state;
    struct http_client_options options = {.insecure = true};
    struct http_client *client;
    struct call call = CALL_INIT;
    static const char *const refused[] = {"https://192.0.2.1/", "https://127.0.0.1.example.org/",
                                          "https://localhost.example.org/"};

    assert_int_equal(http_client_new(&options, &client, &call.err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        auto_request struct http_request request = {.method = "GET", .url = xstrdup(refused[i])};
        auto_response struct http_response response = HTTP_RESPONSE_INIT;
        assert_int_equal(http_do(client, &request, &response, NULL, NULL, &call), -1);
        assert_int_equal(call.err.code, ERR_INVALID);
    }
    http_client_free(client);
}

struct crowd {
    struct http_client *client;
    struct server servers[3];
};

static int crowd_task(void *argument, struct call *call)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < 30; i++) {
        auto_request struct http_request request = {.method = "GET"};
        auto_response struct http_response response = HTTP_RESPONSE_INIT;
        request.url = xasprintf("http://localhost:%d/", crowd->servers[i % 3].port);
        if (http_do(crowd->client, &request, &response, NULL, NULL, call) < 0)
            return -1;
        if (response.status != 200)
            return err_set(&call->err, ERR_REMOTE, "status %d", response.status);
    }
    return 0;
}

/* Many threads, one client. */
static void test_threads(void **state)
{
    (void)state;
    struct crowd *crowd = xcalloc(1, sizeof(*crowd));
    struct group g;
    struct call call = CALL_INIT;

    assert_int_equal(http_client_new(NULL, &crowd->client, &call.err), 0);
    for (int i = 0; i < 3; i++)
        server_start(&crowd->servers[i], serve_once,
                     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    group_init(&g, &call);
    for (int i = 0; i < 8; i++)
        assert_int_equal(group_run(&g, crowd_task, crowd), 0);
    int result = group_wait(&g);
    if (result < 0)
        fail_msg("%s", call.err.text);
    http_client_free(crowd->client);
    for (int i = 0; i < 3; i++)
        server_stop(&crowd->servers[i]);
    free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gets),
        cmocka_unit_test(test_says_what_it_is_for),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_sends_a_body),
        cmocka_unit_test(test_sends_small_bodies),
        cmocka_unit_test(test_callbacks_end_it),
        cmocka_unit_test(test_error_body_is_kept),
        cmocka_unit_test(test_sends_again_only_what_may_be),
        cmocka_unit_test(test_error_body_is_bounded),
        cmocka_unit_test(test_interim_answers),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_many_headers),
        cmocka_unit_test(test_huge_header),
        cmocka_unit_test(test_early_answer),
        cmocka_unit_test(test_early_success),
        cmocka_unit_test(test_stall_and_trickle),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_closed_while_idle),
        cmocka_unit_test(test_no_server),
        cmocka_unit_test(test_header_injection),
        cmocka_unit_test(test_insecure_only_on_loopback),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
