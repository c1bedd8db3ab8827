// SPDX-License-Identifier: EUPL-1.2
/* Sizes and durations for people. */
#include "unit.h"

#include "codec/size.h"
#include "util/clock.h"

static void test_sizes_are_written(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {{0, "0 B"},
                 {1023, "1023 B"},
                 {1024, "1.00 KiB"},
                 {1048575, "1.00 MiB"},
                 {200 << 20, "200 MiB"},
                 {UINT64_C(5222680231936), "4.75 TiB"},
                 {UINT64_MAX, "16.0 EiB"}};
    char text[SIZE_TEXT];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_text(text, sizeof(text), cases[i].bytes);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_sizes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"4096", 4096},
                 {"8MiB", 8 << 20},
                 {"1.5 GiB", 1610612736},
                 {"10MB", 10000000},
                 {"10 kb", 10000},
                 {"0", 0},
                 {"18446744073709551615", UINT64_MAX}};
    struct err e = {0};
    uint64_t bytes;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_ok(size_parse(cases[i].text, &bytes, &e), &e);
        assert_int_equal(bytes, cases[i].bytes);
    }
    static const char *const wrong[] = {"",
                                        "-1",
                                        "MiB",
                                        "5 apples",
                                        "99999999999999999999",
                                        "9999999TiB PiB",
                                        "18446744073709551615KiB"};
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(size_parse(wrong[i], &bytes, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

static void test_durations(void **state)
{
    (void)state;
    char text[SIZE_TEXT];

    duration_text(text, sizeof(text), 400 * CLOCK_MILLISECOND);
    assert_string_equal(text, "0.4 s");
    duration_text(text, sizeof(text), 185 * CLOCK_SECOND);
    assert_string_equal(text, "3 min 05 s");
    duration_text(text, sizeof(text), 7500 * CLOCK_SECOND);
    assert_string_equal(text, "2 h 05 min");
    duration_text(text, sizeof(text), INT64_C(273600) * CLOCK_SECOND);
    assert_string_equal(text, "3 d 04 h");
}

static void test_durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {{"0", 0},       {"90", 90},      {"30s", 30},    {"5m", 300},
                 {"24h", 86400}, {"1h30m", 5400}, {"7d", 604800}, {"1d1h1m1s", 90061}};
    static const char *const wrong[] = {
        "", "s", "-1s", "5 m", "5w", "1h ", "1hh", "99999999999d", "99999999999999999999"};
    struct err e = {0};
    int64_t time;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_ok(duration_parse(cases[i].text, &time, &e), &e);
        assert_int_equal(time, cases[i].seconds * CLOCK_SECOND);
    }
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        assert_int_equal(duration_parse(wrong[i], &time, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_written),
        cmocka_unit_test(test_sizes_are_read),
        cmocka_unit_test(test_durations_are_read),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
