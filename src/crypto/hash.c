// SPDX-License-Identifier: EUPL-1.2
/* Hashes through OpenSSL's EVP: see hash.h. */
#include "crypto/hash.h"

#include <pthread.h>
#include <stdio.h>

#include "codec/hex.h"

static const struct {
    const char *openssl, *name;
    size_t size;
} kinds[HASH_KIND_COUNT] = {
    [HASH_SHA256] = {"SHA2-256", "sha256", 32},
    [HASH_SHA1] = {"SHA1", "sha1", 20},
    [HASH_SHA512] = {"SHA2-512", "sha512", 64},
    [HASH_MD5] = {"MD5", "md5", 16},
    [HASH_BLAKE2B512] = {"BLAKE2B-512", "blake2b512", 64},
};

/* OpenSSL 3 looks an algorithm up by name under a lock each time it is used, unless it was fetched
 * beforehand: for small objects that costs more than hashing them.  Written once, under once. */
static EVP_MD *fetched[HASH_KIND_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void fetch_all(void)
{
    for (int i = 0; i < HASH_KIND_COUNT; i++)
        fetched[i] = EVP_MD_fetch(NULL, kinds[i].openssl, NULL);
}

/* What cannot happen with a sound OpenSSL: no memory, or a hash forbidden by its configuration. */
static void must(int ok, enum hash_kind kind)
{
    if (ok)
        return;
    (void)fprintf(stderr, "bascule: OpenSSL does not offer %s here\n", kinds[kind].name);
    abort();
}

size_t hash_size(enum hash_kind kind)
{
    return kinds[kind].size;
}

const char *hash_name(enum hash_kind kind)
{
    return kinds[kind].name;
}

void hash_init(struct hash *h, enum hash_kind kind)
{
    (void)pthread_once(&once, fetch_all);
    if (!h->context)
        h->context = EVP_MD_CTX_new();
    h->kind = kind;
    must(h->context && fetched[kind] && EVP_DigestInit_ex2(h->context, fetched[kind], NULL), kind);
}

void hash_update(struct hash *h, const void *bytes, size_t n)
{
    must(EVP_DigestUpdate(h->context, bytes, n), h->kind);
}

void hash_final(struct hash *h, unsigned char *digest)
{
    must(EVP_DigestFinal_ex(h->context, digest, NULL), h->kind);
}

void hash_release(struct hash *h)
{
    EVP_MD_CTX_free(h->context);
    h->context = NULL;
}

void hash_bytes(enum hash_kind kind, const void *bytes, size_t n, unsigned char *digest)
{
    if (kind == HASH_SHA256) {
        struct sha256_state s;
        sha256_state_init(&s);
        sha256_state_update(&s, bytes, n);
        sha256_state_final(&s, digest);
        return;
    }
    auto_hash struct hash h = HASH_INIT;
    hash_init(&h, kind);
    hash_update(&h, bytes, n);
    hash_final(&h, digest);
}

void hash_hex(enum hash_kind kind, const void *bytes, size_t n, char *text)
{
    unsigned char digest[HASH_MAX_SIZE];

    hash_bytes(kind, bytes, n, digest);
    hex_encode(text, digest, kinds[kind].size);
}
