// SPDX-License-Identifier: EUPL-1.2
/* Hexadecimal digits. */
#include "unit.h"

#include "codec/hex.h"

static void test_both_ways(void **state)
{
    (void)state;
    struct err e = {0};
    unsigned char bytes[3];
    char text[7];

    hex_encode(text, "\x00\xaf\x19", 3);
    assert_string_equal(text, "00af19");
    assert_ok(hex_decode("00Af19", bytes, 3, &e), &e);
    assert_memory_equal(bytes, "\x00\xaf\x19", 3);
    hex_encode(text, "", 0);
    assert_string_equal(text, "");
    assert_ok(hex_decode("", bytes, 0, &e), &e);
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "0", "0011", "001122aa", "00112g", "00 122", "0x1122"};
    unsigned char bytes[3] = "ab";

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        assert_int_equal(hex_decode(bad[i], bytes, 3, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_memory_equal(bytes, "ab", 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
