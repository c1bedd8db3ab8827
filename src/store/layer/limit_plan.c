// SPDX-License-Identifier: EUPL-1.2
/* Timetables of rates: see limit_plan.h. */
#include "store/layer/limit_plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "util/clock.h"

#define DAY (24 * 60)

static const struct {
    const char *word;
    uint64_t bytes;
} units[] = {
    {"B", 1},          {"kB", 1000},      {"MB", 1000000},   {"GB", 1000000000},
    {"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30},
};

static void skip_blanks(const char **at)
{
    *at += strspn(*at, " \t");
}

/* A number of at most this many digits; -1 when there is none. */
static int64_t read_number(const char **at, unsigned digits)
{
    int64_t number = 0;
    unsigned n = 0;

    for (; **at >= '0' && **at <= '9' && n < digits; n++)
        number = number * 10 + (*(*at)++ - '0');
    return n && !(**at >= '0' && **at <= '9') ? number : -1;
}

static int read_time(const char **at)
{
    int64_t hour = read_number(at, 2);

    if (hour < 0 || **at != ':')
        return -1;
    (*at)++;
    int64_t minute = read_number(at, 2);
    if (minute < 0 || minute > 59 || hour > 24 || (hour == 24 && minute))
        return -1;
    return (int)(hour * 60 + minute);
}

static bool read_word(const char **at, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(*at, word, length) != 0)
        return false;
    *at += length;
    return true;
}

/* "10MiB/s", "200/s", "unlimited". */
static int read_rate(const char **at, enum limit_unit unit, uint64_t *ret)
{
    uint64_t factor = unit == LIMIT_REQUESTS ? 1 : 0;

    if (read_word(at, "unlimited")) {
        *ret = 0;
        return 0;
    }
    int64_t number = read_number(at, 15);
    skip_blanks(at);
    for (size_t i = 0; unit == LIMIT_BYTES && !factor && i < ARRAY_SIZE(units); i++)
        if (read_word(at, units[i].word))
            factor = units[i].bytes;
    if (number <= 0 || !factor || !read_word(at, "/s") ||
        (uint64_t)number > LIMIT_RATE_MAX / factor)
        return -1;
    *ret = (uint64_t)number * factor;
    return 0;
}

/* "08:00-18:00 ", "else " or nothing before the rate. */
static int read_hours(const char **at, int *ret_from, int *ret_to)
{
    const char *begin = *at;

    *ret_from = -1;
    *ret_to = -1;
    if (read_word(at, "else ") || strncmp(*at, "unlimited", 9) == 0)
        return 0;
    size_t digits = strspn(*at, "0123456789");
    if ((*at)[digits] != ':')
        return 0;
    *ret_from = read_time(at);
    if (*ret_from < 0 || *ret_from == DAY || **at != '-') {
        *at = begin;
        return -1;
    }
    (*at)++;
    *ret_to = read_time(at);
    if (*ret_to < 0 || *ret_to == *ret_from || (**at != ' ' && **at != '\t'))
        return -1;
    return 0;
}

int limit_plan_parse(const char *text, enum limit_unit unit, struct limit_plan *ret, struct err *e)
{
    struct limit_plan plan = {.count = 0};
    const char *at = text;
    bool over = false; /* a rule for all other times was there */

    for (;;) {
        skip_blanks(&at);
        if (plan.count == LIMIT_RULES_MAX)
            return err_set(e, ERR_INVALID, "more than %d rules in a limit", LIMIT_RULES_MAX);
        if (over)
            return err_set(e, ERR_INVALID,
                           "limit: nothing can follow the rule for all times: '%.40s'", at);
        if (read_hours(&at, &plan.rules[plan.count].from, &plan.rules[plan.count].to) < 0)
            return err_set(e, ERR_INVALID, "limit: '%.40s' is no time of the form 08:00-18:00", at);
        skip_blanks(&at);
        if (read_rate(&at, unit, &plan.rules[plan.count].rate) < 0)
            return err_set(e, ERR_INVALID, "limit: '%.40s' is no rate of the form %s or unlimited",
                           at, unit == LIMIT_BYTES ? "10MiB/s" : "100/s");
        over = plan.rules[plan.count++].from < 0;
        skip_blanks(&at);
        if (!*at)
            break;
        if (*at++ != ';')
            return err_set(e, ERR_INVALID, "limit: '%.40s' where ';' or the end was expected",
                           at - 1);
    }
    *ret = plan;
    return 0;
}

static struct tm local(int64_t wall)
{
    time_t seconds = (time_t)(wall / CLOCK_SECOND);
    struct tm parts = {0};

    (void)localtime_r(&seconds, &parts);
    return parts;
}

uint64_t limit_plan_rate(const struct limit_plan *plan, int64_t wall)
{
    if (plan->count == 1 && plan->rules[0].from < 0)
        return plan->rules[0].rate;
    if (!plan->count)
        return 0;
    struct tm parts = local(wall);
    int minute = parts.tm_hour * 60 + parts.tm_min;
    for (unsigned i = 0; i < plan->count; i++) {
        int from = plan->rules[i].from, to = plan->rules[i].to;
        bool within = from < to ? minute >= from && minute < to : minute >= from || minute < to;
        if (from < 0 || within)
            return plan->rules[i].rate;
    }
    return 0;
}

void limit_plan_zone(char text[40], int64_t wall)
{
    struct tm parts = local(wall);

    (void)snprintf(text, 40, "%s", parts.tm_zone ? parts.tm_zone : "UTC");
}
