// SPDX-License-Identifier: EUPL-1.2
/* Stands in for crc64-fold-x86.c on other processors: never called there. */
#include <assert.h>

#include "crypto/crc64.h"

bool crc64_can_fold(void)
{
    return false;
}

uint64_t crc64_by_folding(uint64_t state, const unsigned char *bytes, size_t n)
{
    assert(crc64_can_fold());
    return crc64_by_table(state, bytes, n);
}
