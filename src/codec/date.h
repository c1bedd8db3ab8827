// SPDX-License-Identifier: EUPL-1.2
/*
 * Dates as HTTP, Azure and S3 write them.  Times are nanoseconds since 1970-01-01 UTC, as in
 * util/clock.h, without leap seconds.  No locale and no time zone of the machine plays a part.
 *
 * That reaches from 1677 to 2262.  The parsers take the years 1601 to 9999 (signatures often end
 * "in 9999", Windows' zero is 1601) and give the nearest time that can be held: DATE_FIRST or
 * DATE_LAST.  They are strict: the whole text must be a date that exists, weekday included.
 */
#ifndef CODEC_DATE_H
#define CODEC_DATE_H

#include <stdint.h>

#include "util/clock.h"
#include "util/err.h"

#define DATE_FIRST (INT64_MIN + 1) /* INT64_MIN is TIME_UNKNOWN */
#define DATE_LAST  INT64_MAX

/* Room for any date written here, with its NUL. */
#define DATE_TEXT 40

/* A time in its parts, UTC. */
struct date {
    int year, month, day; /* month and day count from 1 */
    int hour, minute, second;
    int nanosecond;
    int weekday; /* 0 is Sunday */
};

void date_split(int64_t time, struct date *ret);

/* "Sun, 22 Nov 2026 10:00:00 GMT" (RFC 9110 section 5.6.7, as in HTTP headers). */
void date_rfc1123(char text[DATE_TEXT], int64_t time);

/* "2026-11-22T10:00:00Z", with 1 to 9 digits of fraction "2026-11-22T10:00:00.1234567Z"; digits
 * beyond are cut off.  The text has room for DATE_TEXT bytes at most; size says how many. */
void date_iso8601(char *text, size_t size, int64_t time, int fraction_digits);

/* "20261122T100000Z", as SigV4 writes it; its first 8 characters are the day alone. */
void date_basic(char text[DATE_TEXT], int64_t time);

/* Read what the functions above write; ERR_INVALID for all else. */
must_check int date_parse_rfc1123(const char *text, int64_t *ret, struct err *e);
must_check int date_parse_basic(const char *text, int64_t *ret, struct err *e);

/* ISO 8601 as RFC 3339 narrows it: 0 to 9 digits of fraction, "Z" or an offset such as "+01:00".
 * Also, as Azure permits in signatures, without the seconds ("2026-11-22T10:00Z") and a day alone
 * ("2026-11-22", midnight UTC). */
must_check int date_parse_iso8601(const char *text, int64_t *ret, struct err *e);

#endif
