// SPDX-License-Identifier: EUPL-1.2
/*
 * An MD5 whose state can be written down and taken up again, as struct sha256_state in hash.h: the
 * stored Content-MD5 of a large object is checked even when its copy was interrupted.
 *
 * The saved form, version 1, is 89 bytes: version (1), the four words of the state, big-endian
 * (16), bytes hashed so far, big-endian (8), those of the unfinished block, then zeros (64).
 */
#ifndef CRYPTO_MD5_STATE_H
#define CRYPTO_MD5_STATE_H

#include <openssl/md5.h>
#include <stdint.h>

#include "util/err.h"

#define MD5_STATE_SIZE 89

struct md5_state {
    MD5_CTX context;
};

void md5_state_init(struct md5_state *s);
void md5_state_update(struct md5_state *s, const void *bytes, size_t n);
void md5_state_final(struct md5_state *s, unsigned char digest[16]);
void md5_state_save(const struct md5_state *s, unsigned char saved[MD5_STATE_SIZE]);
must_check int md5_state_restore(struct md5_state *s, const void *saved, size_t n, struct err *e);

#endif
