// SPDX-License-Identifier: EUPL-1.2
/* Checksums: see crc.h. */
#include "crypto/crc.h"

#include <endian.h>
#include <isa-l/crc.h>
#include <limits.h>
#include <string.h>

#include "codec/base64.h"
#include "crypto/crc64.h"

#include "crypto/crc64-constants.h"
#include "crypto/crc64-table.h"

/* Reflected. */
#define CRC32_ZIP_POLYNOMIAL UINT32_C(0xEDB88320)
#define CRC32C_POLYNOMIAL    UINT32_C(0x82F63B78)

uint64_t crc64_by_table(uint64_t state, const unsigned char *bytes, size_t n)
{
    for (; n >= 8; bytes += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof(word));
        state ^= le64toh(word);
        state = crc64_table[7][state & 255] ^ crc64_table[6][state >> 8 & 255] ^
                crc64_table[5][state >> 16 & 255] ^ crc64_table[4][state >> 24 & 255] ^
                crc64_table[3][state >> 32 & 255] ^ crc64_table[2][state >> 40 & 255] ^
                crc64_table[1][state >> 48 & 255] ^ crc64_table[0][state >> 56];
    }
    for (; n > 0; bytes++, n--)
        state = state >> 8 ^ crc64_table[0][(state ^ *bytes) & 255];
    return state;
}

uint64_t crc64_nvme(uint64_t crc, const void *bytes, size_t n)
{
    if (n >= CRC64_FOLD_LEAST && crc64_can_fold())
        return ~crc64_by_folding(~crc, bytes, n);
    return ~crc64_by_table(~crc, bytes, n);
}

/* a times b modulo the polynomial, all reflected: the top bit is x^0. */
static uint64_t multiply(uint64_t a, uint64_t b)
{
    uint64_t product = 0;

    for (; a; a <<= 1) {
        if (a >> 63)
            product ^= b;
        b = b >> 1 ^ (b & 1 ? CRC64_POLYNOMIAL : 0);
    }
    return product;
}

/* Appending length_b bytes multiplies by x^(8 length_b); the inversions at both ends cancel out. */
uint64_t crc64_nvme_combine(uint64_t crc_a, uint64_t crc_b, uint64_t length_b)
{
    uint64_t power = UINT64_C(1) << 55; /* x^8 */

    for (; length_b; length_b >>= 1) {
        if (length_b & 1)
            crc_a = multiply(crc_a, power);
        power = multiply(power, power);
    }
    return crc_a ^ crc_b;
}

uint32_t crc32_zip(uint32_t crc, const void *bytes, size_t n)
{
    return crc32_gzip_refl(crc, bytes, n);
}

/* ISA-L's takes the bare register, and an int of bytes that it does not change. */
uint32_t crc32_castagnoli(uint32_t crc, const void *bytes, size_t n)
{
    unsigned char *at = (unsigned char *)bytes;

    for (crc = ~crc; n > 0;) {
        int part = n < INT_MAX ? (int)n : INT_MAX;
        crc = crc32_iscsi(at, part, crc);
        at += part;
        n -= (size_t)part;
    }
    return ~crc;
}

/* As multiply(), in 32 bits. */
static uint32_t multiply32(uint32_t a, uint32_t b, uint32_t polynomial)
{
    uint32_t product = 0;

    for (; a; a <<= 1) {
        if (a >> 31)
            product ^= b;
        b = b >> 1 ^ (b & 1 ? polynomial : 0);
    }
    return product;
}

static uint32_t combine32(uint32_t crc_a, uint32_t crc_b, uint64_t length_b, uint32_t polynomial)
{
    uint32_t power = UINT32_C(1) << 23; /* x^8 */

    for (; length_b; length_b >>= 1) {
        if (length_b & 1)
            crc_a = multiply32(crc_a, power, polynomial);
        power = multiply32(power, power, polynomial);
    }
    return crc_a ^ crc_b;
}

uint32_t crc32_zip_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b)
{
    return combine32(crc_a, crc_b, length_b, CRC32_ZIP_POLYNOMIAL);
}

uint32_t crc32_castagnoli_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b)
{
    return combine32(crc_a, crc_b, length_b, CRC32C_POLYNOMIAL);
}

static void base64_text(char *text, const void *bytes, size_t n)
{
    auto_buf struct buf b = BUF_INIT(CRC64_TEXT);

    base64_encode(&b, bytes, n);
    memcpy(text, b.data, b.length + 1);
}

void crc64_azure_text(char text[CRC64_TEXT], uint64_t crc)
{
    crc = htole64(crc);
    base64_text(text, &crc, sizeof(crc));
}

void crc64_s3_text(char text[CRC64_TEXT], uint64_t crc)
{
    crc = htobe64(crc);
    base64_text(text, &crc, sizeof(crc));
}
