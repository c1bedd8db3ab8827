// SPDX-License-Identifier: EUPL-1.2
/* Random bytes from the kernel: good enough for keys and names that must never repeat. */
#ifndef UTIL_RANDOM_H
#define UTIL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fill bytes; aborts when the kernel has none to give (it always has after boot). */
void random_bytes(void *bytes, size_t n);

/* A number from 0 to bound - 1, evenly; bound > 0. */
uint64_t random_below(uint64_t bound);

/* 2 n lower-case hexadecimal digits and a NUL; text holds 2 n + 1 bytes. */
void random_hex(char *text, size_t n);

#endif
