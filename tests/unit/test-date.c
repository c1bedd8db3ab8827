// SPDX-License-Identifier: EUPL-1.2
/* Dates: both ways, at the edges of the calendar, and what is refused. */
#include "unit.h"

#include <time.h>

#include "codec/date.h"

static int64_t iso(const char *text)
{
    struct err e = {0};
    int64_t time = 0;

    assert_ok(date_parse_iso8601(text, &time, &e), &e);
    return time;
}

static void test_known(void **state)
{
    (void)state;
    char text[DATE_TEXT];
    const int64_t time = INT64_C(784111777) * CLOCK_SECOND + 123456789;
    struct err e = {0};
    int64_t back;

    date_rfc1123(text, time);
    assert_string_equal(text, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_ok(date_parse_rfc1123(text, &back, &e), &e);
    assert_int_equal(back, time - 123456789);
    date_basic(text, time);
    assert_string_equal(text, "19941106T084937Z");
    assert_ok(date_parse_basic(text, &back, &e), &e);
    assert_int_equal(back, time - 123456789);
    date_iso8601(text, sizeof(text), time, 0);
    assert_string_equal(text, "1994-11-06T08:49:37Z");
    date_iso8601(text, sizeof(text), time, 3);
    assert_string_equal(text, "1994-11-06T08:49:37.123Z");
    date_iso8601(text, sizeof(text), time, 7);
    assert_string_equal(text, "1994-11-06T08:49:37.1234567Z");
    date_iso8601(text, sizeof(text), time, 9);
    assert_string_equal(text, "1994-11-06T08:49:37.123456789Z");
    assert_int_equal(iso(text), time);
    date_iso8601(text, sizeof(text), -1, 9);
    assert_string_equal(text, "1969-12-31T23:59:59.999999999Z");
    date_rfc1123(text, 0);
    assert_string_equal(text, "Thu, 01 Jan 1970 00:00:00 GMT");
}

static void test_iso_forms(void **state)
{
    (void)state;
    const int64_t day = iso("2026-11-22T00:00:00Z");

    assert_int_equal(day, INT64_C(1795305600) * CLOCK_SECOND);
    assert_int_equal(iso("2026-11-22"), day);
    assert_int_equal(iso("2026-11-22T10:00Z"), day + 36000 * CLOCK_SECOND);
    assert_int_equal(iso("2026-11-22T10:00:00.5Z"), day + 36000 * CLOCK_SECOND + 500000000);
    assert_int_equal(iso("2026-11-22T10:00:00+01:30"), day + 30600 * CLOCK_SECOND);
    assert_int_equal(iso("2026-11-21T23:00:00-01:00"), day);
}

static void test_far_dates(void **state)
{
    (void)state;
    struct err e = {0};
    int64_t time;

    assert_int_equal(iso("9999-12-31T23:59:59.9999999Z"), DATE_LAST);
    assert_int_equal(iso("2262-04-11T23:47:16.854775807Z"), INT64_MAX);
    assert_int_equal(iso("2262-04-11T23:47:16.854775808Z"), DATE_LAST);
    assert_int_equal(iso("1601-01-01T00:00:00Z"), DATE_FIRST);
    assert_ok(date_parse_rfc1123("Mon, 01 Jan 1601 00:00:00 GMT", &time, &e), &e);
    assert_int_equal(time, DATE_FIRST);
    assert_int_equal(iso("1969-12-31T23:59:59.25Z"), -750000000);

    char text[DATE_TEXT];
    date_iso8601(text, sizeof(text), DATE_LAST, 7);
    assert_string_equal(text, "2262-04-11T23:47:16.8547758Z");
    date_iso8601(text, sizeof(text), DATE_FIRST, 0);
    assert_string_equal(text, "1677-09-21T00:12:43Z");
}

/* Each day of 1700 to 2200 against the C library's calendar. */
static void test_calendar(void **state)
{
    (void)state;
    struct err e = {0};

    for (int64_t day = -98615; day < 84000; day++) {
        time_t seconds = (time_t)(day * 86400 + 45296);
        struct tm tm;
        struct date d;
        char text[DATE_TEXT], expected[DATE_TEXT];
        int64_t back;

        assert_non_null(gmtime_r(&seconds, &tm));
        assert_true(strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0);
        date_rfc1123(text, seconds * CLOCK_SECOND);
        assert_string_equal(text, expected);
        assert_ok(date_parse_rfc1123(text, &back, &e), &e);
        assert_int_equal(back, seconds * CLOCK_SECOND);
        date_split(back, &d);
        assert_int_equal(d.weekday, tm.tm_wday);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const bad_iso[] = {
        "",
        "2026",
        "2026-11",
        "2026-1-22",
        "2026-02-29",
        "2100-02-29",
        "2026-00-10",
        "2026-13-10",
        "2026-11-31",
        "2026-11-00",
        "2026-11-22T",
        "2026-11-22Z",
        "2026-11-22T10Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:60:00Z",
        "2026-11-22T10:00:60Z",
        "2026-11-22T10:00:00",
        "2026-11-22t10:00:00Z",
        "2026-11-22T10:00:00.Z",
        "2026-11-22T10:00:00.1234567890Z",
        "2026-11-22T10:00:00Zx",
        " 2026-11-22T10:00:00Z",
        "2026-11-22T10:00:00+0100",
        "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00+",
        "1600-01-01",
        "+026-11-22",
        "2026-11-22T1\n:00:00Z",
    };
    static const char *const bad_http[] = {
        "",
        "Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "sun, 06 nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Thu, 30 Feb 2023 08:49:37 GMT",
    };
    static const char *const bad_basic[] = {"",
                                            "20261122",
                                            "20261122T100000",
                                            "20261122T100000z",
                                            "20261322T100000Z",
                                            "2026-1122T100000Z"};
    struct err e = {0};
    int64_t time = 42;

    for (size_t i = 0; i < ARRAY_SIZE(bad_iso); i++)
        if (date_parse_iso8601(bad_iso[i], &time, &e) != -1 || e.code != ERR_INVALID)
            fail_msg("'%s' was accepted", bad_iso[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad_http); i++)
        if (date_parse_rfc1123(bad_http[i], &time, &e) != -1 || e.code != ERR_INVALID)
            fail_msg("'%s' was accepted", bad_http[i]);
    for (size_t i = 0; i < ARRAY_SIZE(bad_basic); i++)
        if (date_parse_basic(bad_basic[i], &time, &e) != -1 || e.code != ERR_INVALID)
            fail_msg("'%s' was accepted", bad_basic[i]);
    assert_int_equal(time, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),     cmocka_unit_test(test_iso_forms),
        cmocka_unit_test(test_far_dates), cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
