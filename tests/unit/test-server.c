// SPDX-License-Identifier: EUPL-1.2
/* How the HTTP server reads requests and writes answers, byte by byte. */
#include "door.h"

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
        {"GET /file " H "\r\n", 206, BIG - FILE_FROM, true},
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
            assert_int_equal(a.body[at], byte_at(at));
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

/* Lines a string cannot show: with a NUL in them. */
static void test_nul(void **state)
{
    static const struct {
        const char *bytes;
        size_t length;
    } cases[] = {
#define BYTES(text) {text, sizeof(text) - 1}
        BYTES("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\nHost: x\r\nA: b\0c\r\n\r\n"),
        BYTES("GET / HTTP/1.1\r\nHost: x\r\nA\0B: c\r\n\r\n"),
        BYTES("GET / HTTP/1.1\0\r\nHost: x\r\n\r\n"),
        BYTES("GET\0 / HTTP/1.1\r\nHost: x\r\n\r\n"),
        BYTES("GET /?a=b\0c HTTP/1.1\r\nHost: x\r\n\r\n"),
    };
    struct http_server *server = START(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw *r = xcalloc(1, sizeof(*r));
        struct raw_answer a;
        raw_open(r, http_server_port(server));
        assert_true(raw_send_n(r, cases[i].bytes, cases[i].length));
        (void)shutdown(r->fd, SHUT_WR);
        raw_read(r, &a, false);
        if (a.status != 400 && a.status != 505 && a.status != 0)
            fail_msg("case %zu: %d %s", i, a.status, a.body);
        assert_true(raw_ended(r));
        free(a.body);
        raw_close(r);
        free(r);
    }
    http_server_free(server);
}

/* A head of so many headers of 100 bytes, sent in pieces. */
static int ask_large(struct http_server *server, const char *path, unsigned count)
{
    auto_buf struct buf head = BUF_INIT(1024 * 1024);
    struct raw *r = xcalloc(1, sizeof(*r));
    struct raw_answer a;

    buf_printf(&head, "GET %s?a=1&b=2 " H, path);
    for (unsigned i = 0; i < count; i++)
        buf_printf(&head, "x-ms-meta-%05u: %081u\r\n", i, i);
    buf_text(&head, "\r\n");
    raw_open(r, http_server_port(server));
    for (size_t at = 0; at < head.length;) {
        size_t n = head.length - at < 4999 ? head.length - at : 4999;
        if (!raw_send_n(r, head.data + at, n))
            break;
        at += n;
        (void)usleep(1000);
    }
    raw_read(r, &a, false);
    if (a.status == 200 && strcmp(path, "/x") == 0) {
        auto_free char *last = xasprintf("x-ms-meta-%05u=%081u\n", count - 1, count - 1);
        assert_string_equal(a.body + a.length - strlen(last), last);
    }
    if (strcmp(path, "/many") == 0)
        assert_string_equal(a.body, "many\n");
    free(a.body);
    raw_close(r);
    free(r);
    return a.status;
}

static void test_large_heads(void **state)
{
    struct http_server *server = START(0);

    (void)state;
    assert_int_equal(ask_large(server, "/x", 1), 200);
    assert_int_equal(ask_large(server, "/x", 240), 200);
    assert_int_equal(ask_large(server, "/x", 250), 431);
    assert_int_equal(ask_large(server, "/x", 5000), 431);
    assert_int_equal(ask_large(server, "/many", 240), 200);
    http_server_free(server);
    server = START(.head_bytes_max = 8192);
    assert_int_equal(ask_large(server, "/x", 75), 200);
    assert_int_equal(ask_large(server, "/x", 90), 431);
    http_server_free(server);
}

static void test_head_of_unknown_length(void **state)
{
    struct http_server *server = START(0);
    struct raw *r = xcalloc(1, sizeof(*r));
    struct raw_answer a;

    (void)state;
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "HEAD /stream/3000000/9999999/chunked " H "\r\n"));
    raw_read(r, &a, true);
    assert_int_equal(a.status, 200);
    assert_null(strcasestr(a.head, "Content-Length"));
    assert_true(raw_ended(r));
    free(a.body);
    raw_close(r);
    free(r);
    http_server_free(server);
}

static void test_headers_of_answers(void **state)
{
    struct http_server *server = START(0);
    struct raw_answer a;
    const char *first;

    (void)state;
    assert_int_equal(ask(server, "PUT /echo " H "Content-Length: 1\r\n\r\nx", &a), 201);
    first = strstr(a.head, "\r\nX-Twice: 1\r\n");
    assert_non_null(first);
    assert_non_null(strstr(first, "\r\nX-Twice: 2\r\n"));
    assert_non_null(strstr(a.head, "\r\nServer: bascule/"));
    assert_non_null(strstr(a.head, " GMT\r\n"));
    assert_non_null(strstr(a.head, "\r\nx-EMPTY:"));
    assert_null(strstr(strstr(a.head, "Content-Length") + 1, "Content-Length"));
    free(a.body);
    http_server_free(server);
}

/* Chunked bodies that are whole, and others. */
static void test_chunks(void **state)
{
    static const struct {
        const char *body;
        const char *whole; /* NULL: must not be taken for whole */
    } cases[] = {
        {"0\r\n\r\n", ""},
        {"3\r\nabc\r\n0\r\n\r\n", "abc"},
        {"03\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n000\r\nT: 1\r\n\r\n", "abc0123456789"},
        {"3\r\nabc\r\n\r\n", NULL},
        {"3\r\nabcd\r\n0\r\n\r\n", NULL},
        {"3\r\nab", NULL},
        {"x\r\nabc\r\n0\r\n\r\n", NULL},
        {"-3\r\nabc\r\n0\r\n\r\n", NULL},
        {"0x3\r\nabc\r\n0\r\n\r\n", NULL},
        {"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n", NULL},
        {"3\r\nabc\r\n0\r\n", NULL},
    };
    struct http_server *server = START(0);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct raw *r = xcalloc(1, sizeof(*r));
        struct raw_answer a;
        raw_open(r, http_server_port(server));
        assert_true(raw_send(r, "PUT /echo " H "Transfer-Encoding: chunked\r\n\r\n"));
        assert_true(raw_send(r, cases[i].body));
        (void)shutdown(r->fd, SHUT_WR);
        raw_read(r, &a, false);
        if (cases[i].whole) {
            assert_int_equal(a.status, 201);
            assert_string_equal(a.body, cases[i].whole);
        } else if (a.status == 201) {
            fail_msg("case %zu: was taken for whole: '%s'", i, a.body);
        }
        free(a.body);
        raw_close(r);
        free(r);
    }
    http_server_free(server);
}

/* An answer in the middle of a body whose length nobody knows, and one from a file. */
static void test_early_of_unknown_length(void **state)
{
    static const char chunk[] = "10000\r\n";
    struct http_server *server = START(0);
    struct raw *r = xcalloc(1, sizeof(*r));
    char *bytes = xcalloc(1, 65536);
    struct raw_answer a;

    (void)state;
    for (size_t size = 10; size <= 100; size += 90) {
        raw_open(r, http_server_port(server));
        assert_true(raw_send(r, "PUT /early " H "Transfer-Encoding: chunked\r\n\r\n"));
        for (size_t i = 0; i < size; i++)
            if (!raw_send(r, chunk) || !raw_send_n(r, bytes, 65536) || !raw_send(r, "\r\n"))
                break;
        (void)raw_send(r, "0\r\n\r\n");
        raw_read(r, &a, false);
        assert_int_equal(a.status, 507);
        assert_string_equal(a.body, "full\n");
        free(a.body);
        /* A small rest was read, and the connection stays. */
        if (size == 10) {
            assert_true(raw_send(r, "GET / " H "\r\n"));
            raw_read(r, &a, false);
            assert_int_equal(a.status, 200);
            free(a.body);
        } else {
            assert_true(raw_ended(r));
        }
        raw_close(r);
    }
    free(bytes);
    free(r);
    http_server_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_large_heads),
        cmocka_unit_test(test_head_of_unknown_length),
        cmocka_unit_test(test_headers_of_answers),
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_cut_body),
        cmocka_unit_test(test_early),
        cmocka_unit_test(test_early_of_unknown_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
