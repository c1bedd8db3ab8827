// SPDX-License-Identifier: EUPL-1.2
/* Signing with RSA through OpenSSL: see sign.h. */
#include "crypto/sign.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

static void bio_free_p(BIO **bio)
{
    BIO_free(*bio);
}

static void certificate_free_p(X509 **certificate)
{
    X509_free(*certificate);
}

static void pkey_free_p(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void context_free_p(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

/* What OpenSSL asks for a password: never the terminal. */
struct asked {
    const struct secret *password;
    bool was_asked;
};

static int give_password(char *into, int size, int writing, void *context)
{
    struct asked *asked = context;

    (void)writing;
    asked->was_asked = true;
    if (!asked->password || !asked->password->bytes || asked->password->length > (size_t)size)
        return -1;
    memcpy(into, asked->password->bytes, asked->password->length);
    return (int)asked->password->length;
}

static int read_key(const char *pem, size_t length, const struct secret *password, EVP_PKEY **ret,
                    struct err *e)
{
    struct asked asked = {.password = password};
    cleanup(bio_free_p) BIO *bio = BIO_new_mem_buf(pem, (int)length);
    cleanup(pkey_free_p) EVP_PKEY *key =
        bio ? PEM_read_bio_PrivateKey(bio, NULL, give_password, &asked) : NULL;

    ERR_clear_error();
    if (!key && asked.was_asked)
        return err_set(e, ERR_DENIED, "the private key is encrypted: its password is %s",
                       password && password->bytes ? "wrong" : "needed");
    if (!key)
        return err_set(e, ERR_INVALID, "the PEM text holds no private key");
    if (!EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_get_bits(key) < 2048)
        return err_set(e, ERR_INVALID, "the private key is not RSA of at least 2048 bits");
    *ret = take(key);
    return 0;
}

static int thumbprints(X509 *certificate, struct sign_key *ret, struct err *e)
{
    unsigned char *der = NULL;
    int length = i2d_X509(certificate, &der);

    if (length < 0)
        return err_set(e, ERR_INVALID, "the certificate cannot be read");
    hash_bytes(HASH_SHA1, der, (size_t)length, ret->sha1);
    hash_bytes(HASH_SHA256, der, (size_t)length, ret->sha256);
    OPENSSL_free(der);
    return 0;
}

/* Find the key's certificate among those in the text. */
static int read_certificate(const char *pem, size_t length, struct sign_key *ret, struct err *e)
{
    cleanup(bio_free_p) BIO *bio = BIO_new_mem_buf(pem, (int)length);
    bool any = false;

    for (;;) {
        cleanup(certificate_free_p) X509 *certificate =
            bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
        ERR_clear_error();
        if (!certificate)
            break;
        any = true;
        EVP_PKEY *key = X509_get0_pubkey(certificate);
        if (key && EVP_PKEY_eq(key, ret->key) == 1)
            return thumbprints(certificate, ret, e);
        ERR_clear_error();
    }
    return err_set(e, ERR_INVALID,
                   any ? "no certificate in the PEM text belongs to its private key"
                       : "the PEM text holds no certificate beside the private key");
}

int sign_key_read(const char *pem, size_t length, const struct secret *password,
                  struct sign_key *ret, struct err *e)
{
    auto_sign_key struct sign_key key = SIGN_KEY_INIT;

    if (length > SIGN_PEM_MAX)
        return err_set(e, ERR_INVALID, "the PEM text is larger than %d bytes", SIGN_PEM_MAX);
    if (read_key(pem, length, password, &key.key, e) < 0 ||
        read_certificate(pem, length, &key, e) < 0)
        return -1;
    *ret = key;
    key.key = NULL;
    return 0;
}

void sign_key_release(struct sign_key *key)
{
    EVP_PKEY_free(key->key);
    key->key = NULL;
}

static int sign_with(const struct sign_key *key, bool pss, const void *bytes, size_t n,
                     struct buf *out, struct err *e)
{
    cleanup(context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = NULL; /* the context's */
    size_t length = (size_t)EVP_PKEY_get_size(key->key);

    if (buf_reserve(out, length, e) < 0)
        return -1;
    unsigned char *to = (unsigned char *)out->data + out->length;
    bool good =
        context &&
        EVP_DigestSignInit_ex(context, &options, "SHA256", NULL, NULL, key->key, NULL) == 1 &&
        (!pss || (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) == 1)) &&
        EVP_DigestSign(context, to, &length, bytes, n) == 1;
    ERR_clear_error();
    if (good)
        out->length += length;
    out->data[out->length] = '\0';
    return good ? 0 : err_set(e, ERR_INTERNAL, "OpenSSL does not sign with RSA here");
}

int sign_rs256(const struct sign_key *key, const void *bytes, size_t n, struct buf *out,
               struct err *e)
{
    return sign_with(key, false, bytes, n, out, e);
}

int sign_ps256(const struct sign_key *key, const void *bytes, size_t n, struct buf *out,
               struct err *e)
{
    return sign_with(key, true, bytes, n, out, e);
}
