// SPDX-License-Identifier: EUPL-1.2
/*
 * Checksums of bodies on their way.  They find accidents, not forgeries.
 *
 * All take the checksum so far (0 at the start) and give the one with n more bytes, so that
 * crc(crc(0, a), b) is the checksum of a followed by b.  Any thread.
 */
#ifndef CRYPTO_CRC_H
#define CRYPTO_CRC_H

#include <stddef.h>
#include <stdint.h>

/* CRC-64/NVME: x-ms-content-crc64 of Azure and x-amz-checksum-crc64nvme of S3.  Over 10 GB/s where
 * the processor multiplies without carry (PCLMULQDQ), about 1.5 elsewhere. */
uint64_t crc64_nvme(uint64_t crc, const void *bytes, size_t n);
/* The checksum of a followed by b, from theirs and the length of b. */
uint64_t crc64_nvme_combine(uint64_t crc_a, uint64_t crc_b, uint64_t length_b);

/* CRC-32 (of zip and Ethernet) and CRC-32C (Castagnoli): x-amz-checksum-crc32 and -crc32c. */
uint32_t crc32_zip(uint32_t crc, const void *bytes, size_t n);
uint32_t crc32_castagnoli(uint32_t crc, const void *bytes, size_t n);
uint32_t crc32_zip_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);
uint32_t crc32_castagnoli_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b);

/* As the headers carry them: base64 of the bytes, little-endian at Azure, big-endian at S3. */
#define CRC64_TEXT 13
void crc64_azure_text(char text[CRC64_TEXT], uint64_t crc);
void crc64_s3_text(char text[CRC64_TEXT], uint64_t crc);

#endif
