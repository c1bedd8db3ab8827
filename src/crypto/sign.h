// SPDX-License-Identifier: EUPL-1.2
/*
 * Signing with an RSA key and its certificate: the client assertion that Microsoft Entra takes from
 * an application instead of a secret.
 *
 * A .pfx file is turned into PEM by `openssl pkcs12 -in app.pfx -out app.pem -nodes`.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "util/buf.h"

/* Larger PEM files are refused. */
#define SIGN_PEM_MAX (256 * 1024)

struct sign_key {
    struct evp_pkey_st *key;
    unsigned char sha1[SHA1_SIZE];     /* of the certificate: the header's "x5t" in base64url */
    unsigned char sha256[SHA256_SIZE]; /* "x5t#S256" */
};
#define SIGN_KEY_INIT \
    {                 \
        .key = NULL   \
    }
#define auto_sign_key cleanup(sign_key_release)

/* Read PEM text that holds the private key and its certificate, in any order; of several
 * certificates the one that belongs to the key counts.  password (may be NULL) opens an encrypted
 * key.  ERR_INVALID: something is missing or not RSA of at least 2048 bits; ERR_DENIED: the
 * password is missing or wrong. */
must_check int sign_key_read(const char *pem, size_t length, const struct secret *password,
                             struct sign_key *ret, struct err *e);
void sign_key_release(struct sign_key *key);

/* Append the signature over n bytes: RSASSA-PKCS1-v1_5 with SHA-256 ("RS256" of RFC 7518), or
 * RSASSA-PSS ("PS256").  One key may sign in many threads at once. */
must_check int sign_rs256(const struct sign_key *key, const void *bytes, size_t n, struct buf *out,
                          struct err *e);
must_check int sign_ps256(const struct sign_key *key, const void *bytes, size_t n, struct buf *out,
                          struct err *e);

#endif
