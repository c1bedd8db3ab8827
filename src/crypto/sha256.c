// SPDX-License-Identifier: EUPL-1.2
/*
 * SHA-256 that can be set down: see hash.h.
 *
 * OpenSSL's EVP hides the state of a hash, and there is no other kept library that shows it and
 * uses the processor's SHA instructions.  The low-level functions do both; they are deprecated
 * since OpenSSL 3.0 (in favour of EVP, which cannot do this), hence the line below.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <endian.h>
#include <string.h>

/* The saved form, see hash.h; all bytes, so no padding. */
struct saved {
    uint8_t version;
    uint8_t state[32];
    uint8_t length[8];
    uint8_t block[64];
};
_Static_assert(sizeof(struct saved) == SHA256_STATE_SIZE, "the saved form has holes");

void sha256_state_init(struct sha256_state *s)
{
    (void)SHA256_Init(&s->context);
}

void sha256_state_update(struct sha256_state *s, const void *bytes, size_t n)
{
    (void)SHA256_Update(&s->context, bytes, n);
}

void sha256_state_final(struct sha256_state *s, unsigned char digest[SHA256_SIZE])
{
    (void)SHA256_Final(digest, &s->context);
}

/* The context counts bits, in two halves. */
uint64_t sha256_state_length(const struct sha256_state *s)
{
    return ((uint64_t)s->context.Nh << 32 | s->context.Nl) / 8;
}

void sha256_state_save(const struct sha256_state *s, unsigned char bytes[SHA256_STATE_SIZE])
{
    struct saved saved = {.version = 1};
    uint64_t length = htobe64(sha256_state_length(s));

    for (size_t i = 0; i < 8; i++) {
        uint32_t word = htobe32(s->context.h[i]);
        memcpy(saved.state + 4 * i, &word, sizeof(word));
    }
    memcpy(saved.length, &length, sizeof(length));
    memcpy(saved.block, s->context.data, s->context.num);
    memcpy(bytes, &saved, sizeof(saved));
}

int sha256_state_restore(struct sha256_state *s, const void *bytes, size_t n, struct err *e)
{
    struct saved saved;
    struct sha256_state fresh;
    uint64_t length;

    if (n != sizeof(saved))
        return err_set(e, ERR_INVALID, "a saved SHA-256 has %zu bytes, not %zu", sizeof(saved), n);
    memcpy(&saved, bytes, sizeof(saved));
    memcpy(&length, saved.length, sizeof(length));
    length = be64toh(length);
    if (saved.version != 1)
        return err_set(e, ERR_INVALID, "a saved SHA-256 of version %d, where 1 is known",
                       saved.version);
    if (length >> 61)
        return err_set(e, ERR_INVALID, "a saved SHA-256 over an impossible number of bytes");
    for (size_t i = length % 64; i < sizeof(saved.block); i++)
        if (saved.block[i] != 0)
            return err_set(e, ERR_INVALID, "a saved SHA-256 with bytes after its end");
    sha256_state_init(&fresh);
    for (size_t i = 0; i < 8; i++) {
        uint32_t word;
        memcpy(&word, saved.state + 4 * i, sizeof(word));
        fresh.context.h[i] = be32toh(word);
    }
    fresh.context.Nh = (SHA_LONG)(length * 8 >> 32);
    fresh.context.Nl = (SHA_LONG)(length * 8);
    fresh.context.num = (unsigned)(length % 64);
    memcpy(fresh.context.data, saved.block, fresh.context.num);
    *s = fresh;
    return 0;
}
