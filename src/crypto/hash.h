// SPDX-License-Identifier: EUPL-1.2
/*
 * Hashes.  Streaming:
 *
 *     auto_hash struct hash h = HASH_INIT;
 *     hash_init(&h, HASH_SHA256);
 *     hash_update(&h, bytes, n);
 *     hash_final(&h, digest);
 *
 * or in one go with hash_bytes().  Any thread; a struct hash belongs to one at a time.
 *
 * Separately there is a SHA-256 whose state can be written down and taken up again after a restart
 * (struct sha256_state): what a mover needs that goes on inside a large object.
 */
#ifndef CRYPTO_HASH_H
#define CRYPTO_HASH_H

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "util/err.h"

enum hash_kind { HASH_SHA256, HASH_SHA1, HASH_SHA512, HASH_MD5, HASH_BLAKE2B512, HASH_KIND_COUNT };

#define HASH_MAX_SIZE 64
#define HASH_HEX_SIZE (2 * HASH_MAX_SIZE + 1)
#define SHA256_SIZE   32
#define SHA1_SIZE     20
#define MD5_SIZE      16

struct hash {
    EVP_MD_CTX *context;
    enum hash_kind kind;
};
#define HASH_INIT       \
    {                   \
        .context = NULL \
    }
#define auto_hash cleanup(hash_release)

/* Bytes of a digest, and the hash's usual name in lower case ("sha256"). */
size_t hash_size(enum hash_kind kind);
const char *hash_name(enum hash_kind kind);

/* Begin (again); may be called on a struct hash in any state after HASH_INIT. */
void hash_init(struct hash *h, enum hash_kind kind);
void hash_update(struct hash *h, const void *bytes, size_t n);
/* Write hash_size() bytes.  Afterwards only hash_init() and hash_release() may be called. */
void hash_final(struct hash *h, unsigned char *digest);
void hash_release(struct hash *h);

/* All at once; digest has room for hash_size() bytes. */
void hash_bytes(enum hash_kind kind, const void *bytes, size_t n, unsigned char *digest);
/* The same as lower-case hexadecimal digits; text has room for HASH_HEX_SIZE. */
void hash_hex(enum hash_kind kind, const void *bytes, size_t n, char *text);

/*
 * SHA-256 that can be set down.  The saved form, version 1, is 105 bytes:
 *
 *      0  1   version: 1
 *      1  32  the eight words of the state, each big-endian
 *     33  8   bytes hashed so far, big-endian
 *     41  64  those of the last, unfinished block, then zeros
 *
 * It reveals nothing but the hash of what was hashed, and up to 63 bytes of it.
 */
#define SHA256_STATE_SIZE 105

struct sha256_state {
    SHA256_CTX context;
};

void sha256_state_init(struct sha256_state *s);
void sha256_state_update(struct sha256_state *s, const void *bytes, size_t n);
/* Write the digest; the state may be used on only after another init or restore. */
void sha256_state_final(struct sha256_state *s, unsigned char digest[SHA256_SIZE]);
/* How many bytes have been hashed. */
uint64_t sha256_state_length(const struct sha256_state *s);
void sha256_state_save(const struct sha256_state *s, unsigned char saved[SHA256_STATE_SIZE]);
/* ERR_INVALID for bytes that sha256_state_save() cannot have written (cut, another version). */
must_check int sha256_state_restore(struct sha256_state *s, const void *saved, size_t n,
                                    struct err *e);

#endif
