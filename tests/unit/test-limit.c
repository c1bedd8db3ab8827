// SPDX-License-Identifier: EUPL-1.2
/* Timetables, and keeping to them. */
#include "store/layer/limit.h"

#include <stdio.h>
#include <time.h>

#include "unit.h"
#include "util/clock.h"

#define HOUR (3600 * CLOCK_SECOND)

static void good_plans(void **state)
{
    static const struct {
        const char *text;
        enum limit_unit unit;
        uint64_t at_noon, at_night;
    } cases[] = {
        {"10MiB/s", LIMIT_BYTES, 10 << 20, 10 << 20},
        {"unlimited", LIMIT_BYTES, 0, 0},
        {"08:00-18:00 10MiB/s; else unlimited", LIMIT_BYTES, 10 << 20, 0},
        {"08:00-18:00 1 kB/s", LIMIT_BYTES, 1000, 0},
        {"22:00-06:00 5/s; 11:00-13:00 7/s; else 9/s", LIMIT_REQUESTS, 7, 5},
        {"  22:00-06:00 5/s ;9/s ", LIMIT_REQUESTS, 9, 5},
        {"00:00-24:00 3B/s", LIMIT_BYTES, 3, 3},
        {"12:00-12:01 4GiB/s", LIMIT_BYTES, UINT64_C(4) << 30, 0},
    };
    struct err e = {ERR_NONE};

    (void)state;
    (void)setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct limit_plan plan;
        assert_ok(limit_plan_parse(cases[i].text, cases[i].unit, &plan, &e), &e);
        assert_int_equal(limit_plan_rate(&plan, 12 * HOUR), cases[i].at_noon);
        assert_int_equal(limit_plan_rate(&plan, 23 * HOUR), cases[i].at_night);
    }
}

static void bad_plans(void **state)
{
    static const char *const cases[] = {
        "",
        "10",
        "10MiB",
        "10MiB/m",
        "10XiB/s",
        "0B/s",
        "-1B/s",
        "99999999999GiB/s",
        "9999999999999999B/s",
        "25:00-26:00 1B/s",
        "08:60-09:00 1B/s",
        "08:00-08:00 1B/s",
        "24:00-08:00 1B/s",
        "08:00 1B/s",
        "08:00-18:001B/s",
        "1B/s; 2B/s",
        "else 1B/s; 08:00-09:00 2B/s",
        "1B/s;",
        "1B/s x",
        "unlimitedx",
        "else",
        "5/s",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct limit_plan plan = {.count = 77};
        struct err e = {ERR_NONE};
        if (limit_plan_parse(cases[i], LIMIT_BYTES, &plan, &e) == 0)
            fail_msg("'%s' was taken", cases[i]);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(plan.count, 77);
    }
}

static void local_time(void **state)
{
    struct limit_plan plan;
    struct err e = {ERR_NONE};
    char zone[40];

    (void)state;
    (void)setenv("TZ", "XYZ-5", 1);
    tzset();
    assert_ok(limit_plan_parse("08:00-18:00 1B/s; else 2B/s", LIMIT_BYTES, &plan, &e), &e);
    assert_int_equal(limit_plan_rate(&plan, 4 * HOUR), 1);
    assert_int_equal(limit_plan_rate(&plan, 13 * HOUR), 2);
    limit_plan_zone(zone, 0);
    assert_string_equal(zone, "XYZ");
    (void)setenv("TZ", "UTC", 1);
    tzset();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_plans),
        cmocka_unit_test(bad_plans),
        cmocka_unit_test(local_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
