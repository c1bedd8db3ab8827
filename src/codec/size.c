// SPDX-License-Identifier: EUPL-1.2
/* Sizes and durations: see size.h. */
#include "codec/size.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "util/clock.h"

void size_text(char *text, size_t size, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double value = (double)bytes;

    while (value >= 1023.5 && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    if (unit == 0)
        (void)snprintf(text, size, "%" PRIu64 " B", bytes);
    else
        (void)snprintf(text, size, "%.*f %s",
                       value < 9.995   ? 2
                       : value < 99.95 ? 1
                                       : 0,
                       value, units[unit]);
}

static const struct {
    const char *word;
    uint64_t factor;
} units[] = {
    {"", 1},
    {"b", 1},
    {"kib", UINT64_C(1) << 10},
    {"mib", UINT64_C(1) << 20},
    {"gib", UINT64_C(1) << 30},
    {"tib", UINT64_C(1) << 40},
    {"pib", UINT64_C(1) << 50},
    {"kb", 1000},
    {"mb", 1000 * 1000},
    {"gb", 1000 * 1000 * 1000},
    {"tb", UINT64_C(1000000000000)},
    {"pb", UINT64_C(1000000000000000)},
};

int size_parse(const char *text, uint64_t *ret, struct err *e)
{
    uint64_t whole = 0, fraction = 0, scale = 1, factor = 0, result;
    const char *at = text;

    if (!isdigit((unsigned char)*at))
        return err_set(e, ERR_INVALID, "'%s' is not a size, such as 512MiB, 1.5GiB or 4096", text);
    for (; isdigit((unsigned char)*at); at++)
        if (__builtin_mul_overflow(whole, UINT64_C(10), &whole) ||
            __builtin_add_overflow(whole, (uint64_t)(*at - '0'), &whole))
            return err_set(e, ERR_INVALID, "'%s' is more than can be counted", text);
    if (*at == '.')
        for (at++; isdigit((unsigned char)*at); at++) {
            if (scale < 1000000) {
                fraction = fraction * 10 + (uint64_t)(*at - '0');
                scale *= 10;
            }
        }
    while (*at == ' ')
        at++;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (strcasecmp(at, units[i].word) == 0)
            factor = units[i].factor;
    if (!factor)
        return err_set(e, ERR_INVALID,
                       "'%s' is not a size: units are B, KiB, MiB, GiB, TiB, PiB and kB, MB, GB, "
                       "TB, PB",
                       text);
    if (__builtin_mul_overflow(whole, factor, &result) ||
        __builtin_add_overflow(
            result, (uint64_t)((double)factor * (double)fraction / (double)scale), &result))
        return err_set(e, ERR_INVALID, "'%s' is more than can be counted", text);
    *ret = result;
    return 0;
}

/* Nanoseconds of a unit at *at, moving past it; a number alone is seconds. */
static int64_t unit_of(const char **at)
{
    switch (**at) {
    case '\0':
        return CLOCK_SECOND;
    case 's':
        ++*at;
        return CLOCK_SECOND;
    case 'm':
        ++*at;
        return 60 * CLOCK_SECOND;
    case 'h':
        ++*at;
        return 3600 * CLOCK_SECOND;
    case 'd':
        ++*at;
        return 86400 * CLOCK_SECOND;
    default:
        return 0;
    }
}

int duration_parse(const char *text, int64_t *ret, struct err *e)
{
    const char *at = text;
    int64_t result = 0;

    do {
        int64_t number = 0, unit = 0;
        const char *begin = at;
        for (; isdigit((unsigned char)*at); at++)
            if (__builtin_mul_overflow(number, 10, &number) ||
                __builtin_add_overflow(number, *at - '0', &number))
                return err_set(e, ERR_INVALID, "'%s' is longer than can be counted", text);
        if (at != begin)
            unit = unit_of(&at);
        if (!unit)
            return err_set(e, ERR_INVALID,
                           "'%s' is not a duration, such as 30s, 5m, 24h, 7d or 1h30m", text);
        if (__builtin_mul_overflow(number, unit, &number) ||
            __builtin_add_overflow(result, number, &result))
            return err_set(e, ERR_INVALID, "'%s' is longer than can be counted", text);
    } while (*at);
    *ret = result;
    return 0;
}

void duration_text(char *text, size_t size, int64_t nanoseconds)
{
    int64_t seconds = nanoseconds / CLOCK_SECOND;
    int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

    if (seconds < 10 && seconds >= 0)
        (void)snprintf(text, size, "%.1f s", (double)nanoseconds / (double)CLOCK_SECOND);
    else if (minutes == 0)
        (void)snprintf(text, size, "%" PRId64 " s", seconds);
    else if (hours == 0)
        (void)snprintf(text, size, "%" PRId64 " min %02" PRId64 " s", minutes, seconds % 60);
    else if (days == 0)
        (void)snprintf(text, size, "%" PRId64 " h %02" PRId64 " min", hours, minutes % 60);
    else
        (void)snprintf(text, size, "%" PRId64 " d %02" PRId64 " h", days, hours % 24);
}
