// SPDX-License-Identifier: EUPL-1.2
/*
 * Sizes and durations as people read and write them: powers of 1024 are KiB, MiB, GiB, TiB; powers
 * of 1000 are kB, MB, GB, TB.  No locale plays a part.
 */
#ifndef CODEC_SIZE_H
#define CODEC_SIZE_H

#include <stdint.h>

#include "util/err.h"

/* Room for any text written here. */
#define SIZE_TEXT 32

/* "0 B", "1023 B", "1.0 KiB", "200 MiB", "4.75 TiB": at most three digits and a fraction. */
void size_text(char *text, size_t size, uint64_t bytes);

/* "8MiB", "1.5 GiB", "10MB", "4096", "4096 B"; letters in any case.  ERR_INVALID with the forms it
 * takes. */
must_check int size_parse(const char *text, uint64_t *ret, struct err *e);

/* "30s", "5m", "24h", "7d", "1h30m", or seconds alone: "90".  Nanoseconds.  ERR_INVALID with the
 * forms it takes. */
must_check int duration_parse(const char *text, int64_t *ret, struct err *e);

/* "0.4 s", "12 s", "3 min 05 s", "2 h 05 min", "3 d 04 h". */
void duration_text(char *text, size_t size, int64_t nanoseconds);

#endif
