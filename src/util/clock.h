// SPDX-License-Identifier: EUPL-1.2
/*
 * Time.  Monotonic time measures spans and deadlines; wall time is nanoseconds since 1970-01-01 UTC
 * and says when something happened.  TIME_UNKNOWN stands for a time nobody told us.
 */
#ifndef UTIL_CLOCK_H
#define UTIL_CLOCK_H

#include <stdint.h>

#define CLOCK_MILLISECOND INT64_C(1000000)
#define CLOCK_SECOND      INT64_C(1000000000)
#define TIME_UNKNOWN      INT64_MIN

int64_t clock_monotonic(void);
int64_t clock_wall(void);

#endif
