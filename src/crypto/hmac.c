// SPDX-License-Identifier: EUPL-1.2
/*
 * HMAC: see hmac.h.  Written over the low-level hashes because EVP_MAC costs more than the four
 * blocks a signature hashes (a look-up and three allocations for each call).
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hmac.h"

#include <string.h>

#define BLOCK 64 /* of both SHA-1 and SHA-256 */

static void pad(unsigned char block[BLOCK], unsigned char with)
{
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= with;
}

void hmac_sha256(const void *key, size_t key_length, const void *bytes, size_t n,
                 unsigned char mac[SHA256_SIZE])
{
    unsigned char block[BLOCK] = {0};
    SHA256_CTX context;

    if (key_length > BLOCK)
        hash_bytes(HASH_SHA256, key, key_length, block);
    else if (key_length > 0)
        memcpy(block, key, key_length);
    pad(block, 0x36);
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, block, BLOCK);
    (void)SHA256_Update(&context, bytes, n);
    (void)SHA256_Final(mac, &context);
    pad(block, 0x36 ^ 0x5c);
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, block, BLOCK);
    (void)SHA256_Update(&context, mac, SHA256_SIZE);
    (void)SHA256_Final(mac, &context);
    explicit_bzero(block, sizeof(block));
    explicit_bzero(&context, sizeof(context));
}

void hmac_sha1(const void *key, size_t key_length, const void *bytes, size_t n,
               unsigned char mac[SHA1_SIZE])
{
    unsigned char block[BLOCK] = {0};
    SHA_CTX context;

    if (key_length > BLOCK)
        hash_bytes(HASH_SHA1, key, key_length, block);
    else if (key_length > 0)
        memcpy(block, key, key_length);
    pad(block, 0x36);
    (void)SHA1_Init(&context);
    (void)SHA1_Update(&context, block, BLOCK);
    (void)SHA1_Update(&context, bytes, n);
    (void)SHA1_Final(mac, &context);
    pad(block, 0x36 ^ 0x5c);
    (void)SHA1_Init(&context);
    (void)SHA1_Update(&context, block, BLOCK);
    (void)SHA1_Update(&context, mac, SHA1_SIZE);
    (void)SHA1_Final(mac, &context);
    explicit_bzero(block, sizeof(block));
    explicit_bzero(&context, sizeof(context));
}
