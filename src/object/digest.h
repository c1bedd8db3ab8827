// SPDX-License-Identifier: EUPL-1.2
/*
 * A source that computes digests of what is pulled through it, and holds it to a length: a source
 * that ends earlier is FAULT_BODY_SHORT.  What is still there behind the length is not read.
 *
 *     digest_init(&d, body, size, 1U << CHECKSUM_MD5);
 *     ... store_put(..., &d.source, ...) ...
 *     digest_final(&d, &sums);
 *     digest_release(&d);
 *
 * CRC-64 is always computed: it costs next to nothing.  One thread at a time.
 */
#ifndef OBJECT_DIGEST_H
#define OBJECT_DIGEST_H

#include "crypto/hash.h"
#include "store/object.h"
#include "util/stream.h"

struct digest_source {
    struct source source;
    struct source *from; /* borrowed */
    uint64_t left;
    unsigned kinds; /* bits of enum checksum_kind */
    uint64_t crc64;
    uint32_t crc32;
    uint32_t crc32c;
    struct hash hashes[HASH_KIND_COUNT];
    struct err failure; /* of from, as it was, when failed */
    bool failed;
};

void digest_init(struct digest_source *d, struct source *from, uint64_t size, unsigned kinds);
/* Those asked for, and CRC-64. */
void digest_final(struct digest_source *d, struct checksums *ret);
uint64_t digest_crc64(const struct digest_source *d);
void digest_release(struct digest_source *d);

/* FAULT_MD5, FAULT_CRC64 or FAULT_CHECKSUM when a kind that both know differs. */
must_check int digests_expected(const struct checksums *expected, const struct checksums *got,
                                struct err *e);

/* The JSON of object_row.checksums: each digest in hex under its word; besides, what an S3 client
 * chose: algorithm ("CRC32"), type ("COMPOSITE"; NULL: of the whole) and value (NULL: the digest).
 * Heap. */
char *checksums_json(const struct checksums *sums, const char *algorithm, const char *type,
                     const char *value);

#endif
