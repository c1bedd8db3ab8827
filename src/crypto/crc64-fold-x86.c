// SPDX-License-Identifier: EUPL-1.2
/*
 * CRC-64/NVME by carry-less multiplication on x86-64 (Gopal and others, "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009): four accumulators of 128 bits are
 * carried over 64 bytes at a time; what is left of them goes through the tables.
 */
#include <assert.h>
#include <immintrin.h>

#include "crypto/crc64.h"

#include "crypto/crc64-constants.h"

#define with_pclmul __attribute__((target("pclmul,sse4.1")))

bool crc64_can_fold(void)
{
    return __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
}

static inline with_pclmul __m128i load(const unsigned char *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

/* Carry a over the distance of k and add next. */
static inline with_pclmul __m128i fold(__m128i a, __m128i k, __m128i next)
{
    __m128i first = _mm_clmulepi64_si128(a, k, 0x00);
    __m128i second = _mm_clmulepi64_si128(a, k, 0x11);

    return _mm_xor_si128(_mm_xor_si128(first, second), next);
}

with_pclmul uint64_t crc64_by_folding(uint64_t state, const unsigned char *bytes, size_t n)
{
    const __m128i over_512 =
        _mm_set_epi64x((long long)CRC64_FOLD_512_SECOND, (long long)CRC64_FOLD_512_FIRST);
    const __m128i over_128 =
        _mm_set_epi64x((long long)CRC64_FOLD_128_SECOND, (long long)CRC64_FOLD_128_FIRST);
    unsigned char rest[16];

    assert(n >= CRC64_FOLD_LEAST);
    __m128i a = _mm_xor_si128(load(bytes), _mm_set_epi64x(0, (long long)state));
    __m128i b = load(bytes + 16);
    __m128i c = load(bytes + 32);
    __m128i d = load(bytes + 48);
    for (bytes += 64, n -= 64; n >= 64; bytes += 64, n -= 64) {
        a = fold(a, over_512, load(bytes));
        b = fold(b, over_512, load(bytes + 16));
        c = fold(c, over_512, load(bytes + 32));
        d = fold(d, over_512, load(bytes + 48));
    }
    a = fold(fold(fold(a, over_128, b), over_128, c), over_128, d);
    for (; n >= 16; bytes += 16, n -= 16)
        a = fold(a, over_128, load(bytes));
    _mm_storeu_si128((__m128i *)(void *)rest, a);
    return crc64_by_table(crc64_by_table(0, rest, sizeof(rest)), bytes, n);
}
