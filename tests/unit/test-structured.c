// SPDX-License-Identifier: EUPL-1.2
/* Structured bodies, made by hand after the published format. */
#include "unit.h"

#include "codec/hex.h"
#include "http/structured.h"

/* "Hello " and "World" as two segments.  The checksums were computed bit by bit by another program;
 * the last is the one the real service gave for "Hello World" (YeJLfssylmU=). */
static const char two_segments[] = "01"
                                   "4400000000000000"
                                   "0100"
                                   "0200"
                                   "0100"
                                   "0600000000000000"
                                   "48656c6c6f20"
                                   "fb8aee9232e39288"
                                   "0200"
                                   "0500000000000000"
                                   "576f726c64"
                                   "05904dba039fd269"
                                   "61e24b7ecb329665";
#define MESSAGE_LENGTH 68

static int unpack(const unsigned char *message, size_t length, size_t step, struct buf *into,
                  bool *checked, struct err *e)
{
    struct structured body;
    struct sink_buf sink;
    struct call call = CALL_INIT;
    int result = 0;

    sink_buf_init(&sink, into);
    structured_init(&body, &sink.sink);
    for (size_t at = 0; result == 0 && at < length; at += step)
        result =
            sink_write(&body.sink, message + at, length - at < step ? length - at : step, &call);
    if (result == 0)
        result = structured_finish(&body, checked, &call.err);
    *e = call.err;
    return result;
}

static void message_of(unsigned char message[MESSAGE_LENGTH])
{
    struct err e = {0};

    assert_ok(hex_decode(two_segments, message, MESSAGE_LENGTH, &e), &e);
}

static void unpacks_in_any_pieces(void **state)
{
    unsigned char message[MESSAGE_LENGTH];

    (void)state;
    message_of(message);
    for (size_t step = 1; step <= MESSAGE_LENGTH; step++) {
        auto_buf struct buf into = BUF_INIT(100);
        struct err e = {0};
        bool checked = false;
        assert_ok(unpack(message, MESSAGE_LENGTH, step, &into, &checked, &e), &e);
        assert_true(checked);
        assert_string_equal(into.data, "Hello World");
    }
}

static void notices_each_changed_byte(void **state)
{
    unsigned char message[MESSAGE_LENGTH];

    (void)state;
    for (size_t at = 0; at < MESSAGE_LENGTH; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            auto_buf struct buf into = BUF_INIT(100);
            struct err e = {0};
            bool checked = false;
            message_of(message);
            message[at] = (unsigned char)(message[at] ^ (1u << bit));
            int result = unpack(message, MESSAGE_LENGTH, 11, &into, &checked, &e);
            assert_int_equal(result, -1);
        }
}

static void notices_each_cut(void **state)
{
    unsigned char message[MESSAGE_LENGTH + 1] = {0};

    (void)state;
    message_of(message);
    for (size_t length = 0; length < MESSAGE_LENGTH; length++) {
        auto_buf struct buf into = BUF_INIT(100);
        struct err e = {0};
        bool checked = false;
        assert_int_equal(unpack(message, length, 9, &into, &checked, &e), -1);
        assert_int_equal(e.code, ERR_NETWORK);
    }
    auto_buf struct buf into = BUF_INIT(100);
    struct err e = {0};
    bool checked = false;
    assert_int_equal(unpack(message, MESSAGE_LENGTH + 1, 9, &into, &checked, &e), -1);
}

static void without_checksums_says_so(void **state)
{
    static const unsigned char plain[] = {1, 25, 0, 0, 0, 0, 0, 0, 0, 0, 0,   1,  0,
                                          1, 0,  2, 0, 0, 0, 0, 0, 0, 0, 'h', 'i'};
    static const unsigned char empty[] = {1, 13, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    auto_buf struct buf into = BUF_INIT(100);
    struct err e = {0};
    bool checked = true;

    (void)state;
    assert_ok(unpack(plain, sizeof(plain), 3, &into, &checked, &e), &e);
    assert_false(checked);
    assert_string_equal(into.data, "hi");
    assert_ok(unpack(empty, sizeof(empty), 3, &into, &checked, &e), &e);
    assert_int_equal(into.length, 2);
}

/* Pull a message through a source, n bytes at a time. */
static int pull_all(const void *message, size_t length, uint64_t announced, size_t n,
                    struct buf *into, struct structured_source **ret, struct call *call)
{
    struct structured_source *s = xcalloc(1, sizeof(*s));
    struct source_bytes from;
    char bytes[100];
    ssize_t got;

    *ret = s;
    source_bytes_init(&from, message, length);
    structured_source_init(s, &from.source, announced);
    while ((got = source_read(&s->source, bytes, n, call)) > 0)
        buf_bytes(into, bytes, (size_t)got);
    return (int)got;
}

static void pulls_in_any_pieces(void **state)
{
    unsigned char message[MESSAGE_LENGTH];

    (void)state;
    message_of(message);
    for (size_t n = 1; n <= 20; n++) {
        auto_buf struct buf into = BUF_INIT(100);
        struct call call = CALL_INIT;
        auto_free struct structured_source *s = NULL;
        assert_ok(pull_all(message, MESSAGE_LENGTH, 11, n, &into, &s, &call), &call.err);
        assert_string_equal(into.data, "Hello World");
    }
}

/* Never are all bytes given when something is wrong, even in the last checksum. */
static void holds_the_end_back(void **state)
{
    unsigned char message[MESSAGE_LENGTH];

    (void)state;
    for (size_t at = 0; at < MESSAGE_LENGTH; at++) {
        auto_buf struct buf into = BUF_INIT(100);
        struct call call = CALL_INIT;
        auto_free struct structured_source *s = NULL;
        message_of(message);
        message[at] ^= 1;
        assert_int_equal(pull_all(message, MESSAGE_LENGTH, 11, 4, &into, &s, &call), -1);
        assert_true(into.length < 11);
        if (at >= MESSAGE_LENGTH - 16)
            assert_true(s->mismatch);
    }
    for (size_t length = 0; length < MESSAGE_LENGTH; length++) {
        auto_buf struct buf into = BUF_INIT(100);
        struct call call = CALL_INIT;
        auto_free struct structured_source *s = NULL;
        message_of(message);
        assert_int_equal(pull_all(message, length, 11, 4, &into, &s, &call), -1);
        assert_true(into.length < 11);
    }
}

static void wants_the_announced_length(void **state)
{
    unsigned char message[MESSAGE_LENGTH];

    (void)state;
    message_of(message);
    for (uint64_t announced = 1; announced < 20; announced++) {
        auto_buf struct buf into = BUF_INIT(100);
        struct call call = CALL_INIT;
        auto_free struct structured_source *s = NULL;
        int result = pull_all(message, MESSAGE_LENGTH, announced, 3, &into, &s, &call);
        assert_int_equal(result, announced == 11 ? 0 : -1);
        assert_true(announced == 11 || into.length < announced);
    }
}

static void writes_what_it_reads(void **state)
{
    static const size_t sizes[] = {0, 1, 100, (4 << 20) - 1, 4 << 20, (4 << 20) + 1, 9 << 20};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        auto_buf struct buf message = BUF_INIT(16 << 20), into = BUF_INIT(16 << 20);
        auto_free char *bytes = xmalloc(sizes[i] + 1);
        struct sink_buf to;
        struct structured_writer w;
        struct call call = CALL_INIT;
        struct err e = {0};
        bool checked = false;
        for (size_t n = 0; n < sizes[i]; n++)
            bytes[n] = (char)(n * 7 + n / 1000);
        sink_buf_init(&to, &message);
        structured_writer_init(&w, &to.sink, sizes[i]);
        for (size_t at = 0; at < sizes[i]; at += 100000)
            assert_ok(sink_write(&w.sink, bytes + at,
                                 sizes[i] - at < 100000 ? sizes[i] - at : 100000, &call),
                      &call.err);
        assert_ok(structured_writer_finish(&w, &call), &call.err);
        assert_int_equal(message.length, structured_size(sizes[i]));
        assert_ok(unpack((unsigned char *)message.data, message.length, 65536, &into, &checked, &e),
                  &e);
        assert_true(checked);
        assert_int_equal(into.length, sizes[i]);
        assert_memory_equal(into.data, bytes, sizes[i]);
    }
}

static void reads_an_empty_body(void **state)
{
    auto_buf struct buf message = BUF_INIT(100);
    auto_free struct structured_source *s = xcalloc(1, sizeof(*s));
    struct structured_writer w;
    struct source_bytes from;
    struct sink_buf to;
    struct call call = CALL_INIT;

    (void)state;
    sink_buf_init(&to, &message);
    structured_writer_init(&w, &to.sink, 0);
    assert_ok(structured_writer_finish(&w, &call), &call.err);
    source_bytes_init(&from, message.data, message.length);
    structured_source_init(s, &from.source, 0);
    assert_ok(structured_source_empty(s, &call), &call.err);
    source_bytes_init(&from, message.data, message.length - 1);
    structured_source_init(s, &from.source, 0);
    assert_int_equal(structured_source_empty(s, &call), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_in_any_pieces),      cmocka_unit_test(notices_each_changed_byte),
        cmocka_unit_test(notices_each_cut),           cmocka_unit_test(without_checksums_says_so),
        cmocka_unit_test(pulls_in_any_pieces),        cmocka_unit_test(holds_the_end_back),
        cmocka_unit_test(wants_the_announced_length), cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(reads_an_empty_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
