// SPDX-License-Identifier: EUPL-1.2
/* The two ways to compute CRC-64/NVME, for crc.c and its test.  State here is the bare register:
 * all ones at the start, inverted at the end by the caller. */
#ifndef CRYPTO_CRC64_H
#define CRYPTO_CRC64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* By tables, eight bytes at a time. */
uint64_t crc64_by_table(uint64_t state, const unsigned char *bytes, size_t n);

/* By carry-less multiplication; call it only where crc64_can_fold() and n >= CRC64_FOLD_LEAST. */
#define CRC64_FOLD_LEAST 128
bool crc64_can_fold(void);
uint64_t crc64_by_folding(uint64_t state, const unsigned char *bytes, size_t n);

#endif
