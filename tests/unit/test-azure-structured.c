// SPDX-License-Identifier: EUPL-1.2
/* Structured bodies, made by hand after the published format. */
#include "unit.h"

#include "codec/hex.h"
#include "store/driver/azure_structured.h"

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
    struct azure_structured body;
    struct sink_buf sink;
    struct call call = CALL_INIT;
    int result = 0;

    sink_buf_init(&sink, into);
    azure_structured_init(&body, &sink.sink);
    for (size_t at = 0; result == 0 && at < length; at += step)
        result =
            sink_write(&body.sink, message + at, length - at < step ? length - at : step, &call);
    if (result == 0)
        result = azure_structured_finish(&body, checked, &call.err);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_in_any_pieces),
        cmocka_unit_test(notices_each_changed_byte),
        cmocka_unit_test(notices_each_cut),
        cmocka_unit_test(without_checksums_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
