// SPDX-License-Identifier: EUPL-1.2
/*
 * How much of something may happen in a second, by the time of day.  As text:
 *
 *     10MiB/s                               always
 *     08:00-18:00 10MiB/s; else unlimited   by day; the first line that fits counts
 *     22:00-06:00 200/s                     over midnight; at other times unlimited
 *
 * Times are local time (TZ, /etc/localtime), from the first minute to just before the second. Bytes
 * have a unit: B, kB, MB, GB, KiB, MiB, GiB; requests have none.
 */
#ifndef STORE_LAYER_LIMIT_PLAN_H
#define STORE_LAYER_LIMIT_PLAN_H

#include <stdint.h>

#include "util/err.h"

enum limit_unit { LIMIT_BYTES, LIMIT_REQUESTS };

#define LIMIT_RULES_MAX 16
#define LIMIT_RATE_MAX  (UINT64_C(1) << 50)

struct limit_plan {
    struct {
        int from, to;  /* minutes of the day; from -1: always */
        uint64_t rate; /* in a second; 0: unlimited */
    } rules[LIMIT_RULES_MAX];
    unsigned count; /* 0: unlimited */
};

/* ERR_INVALID with the place where the text goes wrong. */
must_check int limit_plan_parse(const char *text, enum limit_unit unit, struct limit_plan *ret,
                                struct err *e);

/* The rate at a wall time (nanoseconds since 1970): 0 is unlimited. */
uint64_t limit_plan_rate(const struct limit_plan *plan, int64_t wall);

/* The local time zone as people call it ("CET"); text holds 40 bytes. */
void limit_plan_zone(char text[40], int64_t wall);

#endif
