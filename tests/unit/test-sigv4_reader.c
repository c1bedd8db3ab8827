// SPDX-License-Identifier: EUPL-1.2
/* aws-chunked bodies: what our own signer makes, and framing that lies. */
#include "auth/sigv4_reader.h"

#include <stdio.h>

#include "unit.h"

/* Gives at most so many bytes at a time. */
struct drip {
    struct source source;
    const char *bytes;
    size_t length, at, step;
};
static ssize_t drip_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    struct drip *d = container_of(s, struct drip, source);
    (void)call;
    if (n > d->step)
        n = d->step;
    if (n > d->length - d->at)
        n = d->length - d->at;
    memcpy(bytes, d->bytes + d->at, n);
    d->at += n;
    return (ssize_t)n;
}
static struct drip drip_of(const char *bytes, size_t length, size_t step)
{
    return (struct drip){
        .source = {.read = drip_read}, .bytes = bytes, .length = length, .step = step};
}

static int read_all(struct sigv4_reader *r, struct buf *got, struct call *call)
{
    struct sink_buf sink;
    sink_buf_init(&sink, got);
    return stream_copy(&r->source, &sink.sink, NULL, call);
}

static void unsigned_with_trailer(void **state)
{
    static const char body[] = "b;x=y\r\nhello world\r\n0\r\n"
                               "X-Amz-Checksum-Crc32: DUoRhQ==\r\n\r\n";
    (void)state;
    for (size_t step = 1; step < sizeof(body); step++) {
        struct call call = CALL_INIT;
        struct drip from = drip_of(body, sizeof(body) - 1, step);
        auto_buf struct buf got = BUF_INIT(100);
        auto_sigv4_reader struct sigv4_reader r;
        sigv4_reader_init(&r, &from.source, NULL, NULL, 11, true);
        assert_ok(read_all(&r, &got, &call), &call.err);
        assert_string_equal(got.data, "hello world");
        assert_string_equal(pairs_get(sigv4_reader_trailers(&r), "x-amz-checksum-crc32"),
                            "DUoRhQ==");
    }
}

static void framing_that_lies(void **state)
{
    static const struct {
        const char *body;
        uint64_t length;
        enum err_code code;
    } lies[] = {
        {"5\r\nhello\r\n0\r\n\r\n", 6, ERR_CORRUPT},
        {"5\r\nhello\r\n0\r\n\r\n", 4, ERR_CORRUPT},
        {"5\r\nhelloX\r\n0\r\n\r\n", 5, ERR_CORRUPT},
        {"5\nhello\r\n0\r\n\r\n", 5, ERR_CORRUPT},
        {"5\r\nhello\r\n", 5, ERR_NETWORK},
        {"5\r\nhello\r\n0\r\n", 5, ERR_NETWORK},
        {"5\r\nhel", 5, ERR_NETWORK},
        {"-5\r\nhello\r\n0\r\n\r\n", 5, ERR_CORRUPT},
        {"fffffffffffffffff\r\nhello", 5, ERR_CORRUPT},
        {"5\r\nhello\r\n0\r\nx-y:z\r\n\r\n", 5, ERR_CORRUPT},
        {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 6, ERR_CORRUPT},
        {"", 0, ERR_NETWORK},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        struct call call = CALL_INIT;
        struct drip from = drip_of(lies[i].body, strlen(lies[i].body), 3);
        auto_buf struct buf got = BUF_INIT(100);
        auto_sigv4_reader struct sigv4_reader r;
        sigv4_reader_init(&r, &from.source, NULL, NULL, lies[i].length, false);
        assert_int_equal(read_all(&r, &got, &call), -1);
        assert_int_equal(call.err.code, lies[i].code);
        /* The last byte never came. */
        assert_true(got.length < lies[i].length || lies[i].length == 0);
    }
}

static void what_lied(void **state)
{
    static const struct {
        const char *body;
        uint64_t length;
        enum sigv4_lie lie;
    } lies[] = {
        {"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", 6, SIGV4_LIE_CHUNK_SIZE},
        {"5\r\nhello\r\n0\r\n:z\r\n\r\n", 5, SIGV4_LIE_TRAILER},
        {"5\r\nhelloX\r\n0\r\n\r\n", 5, SIGV4_LIE_FRAMING},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        struct call call = CALL_INIT;
        struct drip from = drip_of(lies[i].body, strlen(lies[i].body), 100);
        auto_buf struct buf got = BUF_INIT(100);
        auto_sigv4_reader struct sigv4_reader r;
        sigv4_reader_init(&r, &from.source, NULL, NULL, lies[i].length, true);
        assert_int_equal(read_all(&r, &got, &call), -1);
        assert_int_equal(call.err.code, ERR_CORRUPT);
        assert_int_equal(r.lie, lies[i].lie);
    }
}

static void init_who(struct sigv4 *who)
{
    struct err e = {0};
    auto_secret struct secret key = SECRET_INIT;
    secret_set(&key, "secret", 6);
    assert_ok(sigv4_init(who, "AKID", &key, NULL, "gra", &e), &e);
}

/* A signed body of our own signer: the framed bytes, and the claim of its head. */
static void make_signed(struct sigv4 *who, const char *text, size_t n, struct buf *framed,
                        struct sigv4_claim *claim)
{
    struct call call = CALL_INIT;
    struct source_bytes body;
    struct sink_buf sink;
    auto_sigv4_chunks struct sigv4_chunks chunks;
    auto_request struct http_request request = {.method = "PUT",
                                                .url = xstrdup("http://h.example/b/k")};
    source_bytes_init(&body, text, n);
    sigv4_chunks_init(&chunks, &body.source, n, 8192);
    assert_ok(sigv4_sign_chunked(who, &request, &chunks, INT64_C(1795341600000000000), &call.err),
              &call.err);
    sink_buf_init(&sink, framed);
    assert_ok(stream_copy(&chunks.source, &sink.sink, NULL, &call), &call.err);
    assert_ok(
        sigv4_authorization_parse(pairs_get(&request.headers, "Authorization"), claim, &call.err),
        &call.err);
    (void)snprintf(claim->date, sizeof(claim->date), "%s",
                   pairs_get_nocase(&request.headers, "x-amz-date"));
}

static void signed_chunks(void **state)
{
    auto_sigv4 struct sigv4 who = SIGV4_INIT;
    auto_buf struct buf framed = BUF_INIT(100000);
    auto_sigv4_claim struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    static char text[20000];
    (void)state;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = (char)('a' + i % 23);
    init_who(&who);
    make_signed(&who, text, sizeof(text), &framed, &claim);
    for (size_t spoiled = 0; spoiled <= framed.length; spoiled += 997) {
        struct call call = CALL_INIT;
        auto_buf struct buf got = BUF_INIT(100000);
        auto_sigv4_reader struct sigv4_reader r;
        bool spoil = spoiled > 0;
        if (spoil)
            framed.data[spoiled] ^= 1;
        struct drip from = drip_of(framed.data, framed.length, 1000);
        sigv4_reader_init(&r, &from.source, &who, &claim, sizeof(text), false);
        int done = read_all(&r, &got, &call);
        assert_int_equal(done, spoil ? -1 : 0);
        assert_true(spoil ? got.length < sizeof(text) : got.length == sizeof(text));
        if (spoil)
            framed.data[spoiled] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_with_trailer),
        cmocka_unit_test(framing_that_lies),
        cmocka_unit_test(what_lied),
        cmocka_unit_test(signed_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
