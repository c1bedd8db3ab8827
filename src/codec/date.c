// SPDX-License-Identifier: EUPL-1.2
/* Dates of HTTP, Azure and S3: see date.h. */
#include "codec/date.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char weekdays[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Days from 1970-01-01 to a day of the Gregorian calendar.  Years are counted from March, so that
 * the leap day is the last of its year, in eras of 400 years with 146,097 days each. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void date_from_days(int64_t days, struct date *ret)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day = days - era * 146097;
    int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    int64_t day_of_year = day - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * day_of_year + 2) / 153;

    ret->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    ret->month = (int)(month < 10 ? month + 3 : month - 9);
    ret->year = (int)(year + era * 400 + (ret->month <= 2));
}

void date_split(int64_t time, struct date *ret)
{
    const int64_t day_length = 86400 * CLOCK_SECOND;
    int64_t days = time / day_length - (time % day_length < 0);
    int64_t rest = time % day_length + (time % day_length < 0 ? day_length : 0);

    date_from_days(days, ret);
    ret->weekday = (int)(((days + 4) % 7 + 7) % 7);
    ret->nanosecond = (int)(rest % CLOCK_SECOND);
    rest /= CLOCK_SECOND;
    ret->second = (int)(rest % 60);
    ret->minute = (int)(rest / 60 % 60);
    ret->hour = (int)(rest / 3600);
}

void date_rfc1123(char text[DATE_TEXT], int64_t time)
{
    struct date d;

    date_split(time, &d);
    (void)snprintf(text, DATE_TEXT, "%s, %02d %s %04d %02d:%02d:%02d GMT", weekdays[d.weekday],
                   d.day, months[d.month - 1], d.year, d.hour, d.minute, d.second);
}

void date_iso8601(char *text, size_t size, int64_t time, int fraction_digits)
{
    struct date d;
    char full[96];

    assert(fraction_digits >= 0 && fraction_digits <= 9);
    date_split(time, &d);
    int n = snprintf(full, sizeof(full), "%04d-%02d-%02dT%02d:%02d:%02d.%09d", d.year, d.month,
                     d.day, d.hour, d.minute, d.second, d.nanosecond);
    /* Cut off what was not asked for: digits of the fraction, or all of it with its point. */
    n -= fraction_digits ? 9 - fraction_digits : 10;
    assert(n > 0 && (size_t)n + 1 < size);
    memcpy(text, full, (size_t)n);
    memcpy(text + n, "Z", 2);
}

void date_basic(char text[DATE_TEXT], int64_t time)
{
    struct date d;

    date_split(time, &d);
    (void)snprintf(text, DATE_TEXT, "%04d%02d%02dT%02d%02d%02dZ", d.year, d.month, d.day, d.hour,
                   d.minute, d.second);
}

static bool date_exists(const struct date *d)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (d->year < 1601 || d->year > 9999 || d->month < 1 || d->month > 12 || d->day < 1)
        return false;
    bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);
    return d->day <= lengths[d->month - 1] + (leap && d->month == 2) && d->hour < 24 &&
           d->minute < 60 && d->second < 60;
}

static int weekday_of(const struct date *d)
{
    return (int)(((days_from_date(d->year, d->month, d->day) + 4) % 7 + 7) % 7);
}

/* The time of a date that exists, offset_minutes east of UTC. */
static int64_t time_of(const struct date *d, int offset_minutes)
{
    int64_t seconds = days_from_date(d->year, d->month, d->day) * 86400 + d->hour * 3600 +
                      d->minute * 60 + d->second - (int64_t)offset_minutes * 60;
    int64_t time;

    if (__builtin_mul_overflow(seconds, CLOCK_SECOND, &time) ||
        __builtin_add_overflow(time, (int64_t)d->nanosecond, &time))
        return seconds < 0 ? DATE_FIRST : DATE_LAST;
    return time < DATE_FIRST ? DATE_FIRST : time;
}

/* Take exactly count digits. */
static bool take_number(const char **at, int count, int *ret)
{
    int number = 0;

    for (int i = 0; i < count; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        number = number * 10 + (c - '0');
    }
    *at += count;
    *ret = number;
    return true;
}

static bool take_text(const char **at, const char *text)
{
    size_t length = strlen(text);

    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

/* Take one of count names of three letters. */
static bool take_name(const char **at, const char (*names)[4], int count, int *ret)
{
    for (int i = 0; i < count; i++) {
        if (take_text(at, names[i])) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static int not_a_date(const char *text, const char *like, struct err *e)
{
    char shown[DATE_TEXT + 1];
    size_t n = 0;

    for (; n < sizeof(shown) - 1 && text[n]; n++)
        shown[n] = text[n] >= ' ' && text[n] < 0x7f ? text[n] : '?';
    shown[n] = '\0';
    return err_set(e, ERR_INVALID, "'%s' is not a date such as '%s'", shown, like);
}

int date_parse_rfc1123(const char *text, int64_t *ret, struct err *e)
{
    struct date d = {0};
    const char *at = text;

    if (!take_name(&at, weekdays, 7, &d.weekday) || !take_text(&at, ", ") ||
        !take_number(&at, 2, &d.day) || !take_text(&at, " ") ||
        !take_name(&at, months, 12, &d.month) || !take_text(&at, " ") ||
        !take_number(&at, 4, &d.year) || !take_text(&at, " ") || !take_number(&at, 2, &d.hour) ||
        !take_text(&at, ":") || !take_number(&at, 2, &d.minute) || !take_text(&at, ":") ||
        !take_number(&at, 2, &d.second) || !take_text(&at, " GMT") || *at)
        return not_a_date(text, "Sun, 22 Nov 2026 10:00:00 GMT", e);
    d.month++;
    if (!date_exists(&d) || weekday_of(&d) != d.weekday)
        return not_a_date(text, "Sun, 22 Nov 2026 10:00:00 GMT", e);
    *ret = time_of(&d, 0);
    return 0;
}

int date_parse_basic(const char *text, int64_t *ret, struct err *e)
{
    struct date d = {0};
    const char *at = text;

    if (!take_number(&at, 4, &d.year) || !take_number(&at, 2, &d.month) ||
        !take_number(&at, 2, &d.day) || !take_text(&at, "T") || !take_number(&at, 2, &d.hour) ||
        !take_number(&at, 2, &d.minute) || !take_number(&at, 2, &d.second) ||
        !take_text(&at, "Z") || *at || !date_exists(&d))
        return not_a_date(text, "20261122T100000Z", e);
    *ret = time_of(&d, 0);
    return 0;
}

/* ".1234567", or nothing. */
static bool take_fraction(const char **at, int *ret_nanosecond)
{
    int digits = 0;

    *ret_nanosecond = 0;
    if (!take_text(at, "."))
        return true;
    for (; digits < 9 && **at >= '0' && **at <= '9'; digits++, (*at)++)
        *ret_nanosecond = *ret_nanosecond * 10 + (**at - '0');
    if (digits == 0)
        return false;
    for (; digits < 9; digits++)
        *ret_nanosecond *= 10;
    return true;
}

/* "Z" or "+hh:mm". */
static bool take_offset(const char **at, int *ret_minutes)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;

    if (take_text(at, "Z")) {
        *ret_minutes = 0;
        return true;
    }
    if ((!take_text(at, "+") && !take_text(at, "-")) || !take_number(at, 2, &hours) ||
        !take_text(at, ":") || !take_number(at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_minutes = sign * (hours * 60 + minutes);
    return true;
}

/* "T10:00[:00[.1234567]]Z" */
static bool take_time_of_day(const char **at, struct date *d, int *ret_offset)
{
    if (!take_text(at, "T") || !take_number(at, 2, &d->hour) || !take_text(at, ":") ||
        !take_number(at, 2, &d->minute))
        return false;
    if (take_text(at, ":") &&
        (!take_number(at, 2, &d->second) || !take_fraction(at, &d->nanosecond)))
        return false;
    return take_offset(at, ret_offset);
}

int date_parse_iso8601(const char *text, int64_t *ret, struct err *e)
{
    struct date d = {0};
    const char *at = text;
    int offset = 0;

    if (!take_number(&at, 4, &d.year) || !take_text(&at, "-") || !take_number(&at, 2, &d.month) ||
        !take_text(&at, "-") || !take_number(&at, 2, &d.day) ||
        (*at && !take_time_of_day(&at, &d, &offset)) || *at || !date_exists(&d))
        return not_a_date(text, "2026-11-22T10:00:00Z", e);
    *ret = time_of(&d, offset);
    return 0;
}
