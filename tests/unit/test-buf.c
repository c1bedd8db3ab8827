// SPDX-License-Identifier: EUPL-1.2
/* struct buf: growth, ceiling, handing over. */
#include "unit.h"

#include "util/buf.h"

static void test_grows_and_terminates(void **state)
{
    (void)state;
    auto_buf struct buf b = BUF_INIT(1000);

    assert_string_equal(b.data, "");
    for (int i = 0; i < 100; i++)
        buf_printf(&b, "%d,", i % 10);
    assert_int_equal(b.length, 200);
    assert_int_equal(b.data[b.length], 0);
    assert_memory_equal(b.data, "0,1,2,3,", 8);
}

static void test_ceiling_is_an_error(void **state)
{
    (void)state;
    auto_buf struct buf b = BUF_INIT(4);
    struct err e = {0};

    assert_int_equal(buf_add(&b, "1234", 4, &e), 0);
    assert_int_equal(buf_add(&b, "5", 1, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.text, "more than 4 bytes"));
    assert_string_equal(b.data, "1234");
    assert_int_equal(buf_add(&b, NULL, 0, &e), 0);
    assert_int_equal(buf_reserve(&b, SIZE_MAX, &e), -1);
}

static void test_take_hands_over(void **state)
{
    (void)state;
    auto_buf struct buf b = BUF_INIT(100);

    buf_text(&b, "abc");
    auto_free char *text = buf_take(&b);
    assert_string_equal(text, "abc");
    assert_int_equal(b.length, 0);
    buf_text(&b, "again");
    assert_string_equal(b.data, "again");
    assert_string_equal(text, "abc");
    auto_buf struct buf nothing = BUF_INIT(100);
    auto_free char *empty = buf_take(&nothing);
    assert_string_equal(empty, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_terminates),
        cmocka_unit_test(test_ceiling_is_an_error),
        cmocka_unit_test(test_take_hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
