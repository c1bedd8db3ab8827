// SPDX-License-Identifier: EUPL-1.2
/* HMAC (RFC 2104) in one go, without locks and allocations.  Any thread. */
#ifndef CRYPTO_HMAC_H
#define CRYPTO_HMAC_H

#include "crypto/hash.h"

/* Shared Key, SAS and SigV4. */
void hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t n,
                 unsigned char mac[SHA256_SIZE]);

/* Swift's temporary URLs and S3's signature version 2. */
void hmac_sha1(const void *key, size_t key_length, const void *bytes, size_t n,
               unsigned char mac[SHA1_SIZE]);

#endif
