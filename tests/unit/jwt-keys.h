// SPDX-License-Identifier: EUPL-1.2
/* For tests: keys made on the spot, as JWK, and tokens signed with them. */
#ifndef TESTS_JWT_KEYS_H
#define TESTS_JWT_KEYS_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "codec/base64.h"
#include "util/buf.h"

static inline EVP_PKEY *make_key(const char *algorithm)
{
    if (strcmp(algorithm, "ES256") == 0)
        return EVP_EC_gen("P-256");
    if (strcmp(algorithm, "EdDSA") == 0)
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return EVP_RSA_gen(2048);
}

static inline void add_number(struct buf *out, EVP_PKEY *key, const char *name, const char *member,
                              int size)
{
    BIGNUM *n = NULL;
    unsigned char bytes[1024];

    if (!EVP_PKEY_get_bn_param(key, name, &n))
        abort();
    int length = size ? BN_bn2binpad(n, bytes, size) : BN_bn2bin(n, bytes);
    buf_printf(out, ",\"%s\":\"", member);
    base64url_encode(out, bytes, (size_t)length);
    buf_text(out, "\"");
    BN_free(n);
}

/* {"kty":...,"kid":id,...}; id NULL leaves it out; more is appended as it is (",\"use\":\"sig\"").
 */
static inline void add_jwk(struct buf *out, EVP_PKEY *key, const char *id, const char *more)
{
    unsigned char raw[32];
    size_t n = sizeof(raw);
    int kind = EVP_PKEY_get_base_id(key);

    buf_printf(out, "{\"kty\":\"%s\"",
               kind == EVP_PKEY_RSA  ? "RSA"
               : kind == EVP_PKEY_EC ? "EC"
                                     : "OKP");
    if (id)
        buf_printf(out, ",\"kid\":\"%s\"", id);
    if (kind == EVP_PKEY_RSA) {
        add_number(out, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
        add_number(out, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
    } else if (kind == EVP_PKEY_EC) {
        buf_text(out, ",\"crv\":\"P-256\"");
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", 32);
        add_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", 32);
    } else {
        if (!EVP_PKEY_get_raw_public_key(key, raw, &n))
            abort();
        buf_text(out, ",\"crv\":\"Ed25519\",\"x\":\"");
        base64url_encode(out, raw, n);
        buf_text(out, "\"");
    }
    buf_printf(out, "%s}", more ? more : "");
}

static inline size_t sign_input(EVP_PKEY *key, const char *algorithm, const struct buf *input,
                                unsigned char *ret)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    bool edwards = strcmp(algorithm, "EdDSA") == 0;
    size_t n = 1024;

    if (!EVP_DigestSignInit(context, &parameters, edwards ? NULL : EVP_sha256(), NULL, key))
        abort();
    if (strcmp(algorithm, "PS256") == 0 &&
        (EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) <= 0 ||
         EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) <= 0))
        abort();
    if (!EVP_DigestSign(context, ret, &n, (unsigned char *)input->data, input->length))
        abort();
    EVP_MD_CTX_free(context);
    if (strcmp(algorithm, "ES256") != 0)
        return n;
    const unsigned char *at = ret;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)n);
    (void)BN_bn2binpad(ECDSA_SIG_get0_r(pair), ret, 32);
    (void)BN_bn2binpad(ECDSA_SIG_get0_s(pair), ret + 32, 32);
    ECDSA_SIG_free(pair);
    return 64;
}

/* A whole token with this header and payload. */
static inline char *make_token(EVP_PKEY *key, const char *algorithm, const char *header,
                               const char *payload)
{
    struct buf token = BUF_INIT(1 << 20);
    unsigned char signature[1024];

    base64url_encode(&token, header, strlen(header));
    buf_text(&token, ".");
    base64url_encode(&token, payload, strlen(payload));
    size_t n = sign_input(key, algorithm, &token, signature);
    buf_text(&token, ".");
    base64url_encode(&token, signature, n);
    return buf_take(&token);
}

#endif
