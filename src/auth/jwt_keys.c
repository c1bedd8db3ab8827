// SPDX-License-Identifier: EUPL-1.2
/* Public keys as JSON (RFC 7517, 7518 section 6, 8037) and signatures by them; see jwt.h. */
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "auth/jwt_private.h"
#include "codec/base64.h"
#include "codec/json.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 8192
#define MEMBER_MAX   2048 /* bytes of a number in a key */

static const struct {
    const char *name;
    enum jwt_algorithm algorithm;
    int type; /* of the key */
} algorithms[] = {
    {"RS256", JWT_RS256, EVP_PKEY_RSA},       {"PS256", JWT_PS256, EVP_PKEY_RSA},
    {"ES256", JWT_ES256, EVP_PKEY_EC},        {"EdDSA", JWT_EDDSA, EVP_PKEY_ED25519},
    {"Ed25519", JWT_EDDSA, EVP_PKEY_ED25519}, /* RFC 9864 */
};

enum jwt_algorithm jwt_algorithm_of(const char *name)
{
    for (size_t i = 0; name && i < ARRAY_SIZE(algorithms); i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return algorithms[i].algorithm;
    return JWT_NO_ALGORITHM;
}

bool jwt_key_fits(const struct jwt_key *key, enum jwt_algorithm algorithm)
{
    if (key->algorithm != JWT_NO_ALGORITHM && key->algorithm != algorithm)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (algorithms[i].algorithm == algorithm)
            return EVP_PKEY_get_base_id(key->key) == algorithms[i].type;
    return false;
}

void jwt_keys_release(struct jwt_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        free(keys->list[i].id);
        EVP_PKEY_free(keys->list[i].key);
    }
    free(keys->list);
    *keys = (struct jwt_keys)JWT_KEYS_INIT;
}

/* ---- Reading keys ---- */

static void number_free_p(BIGNUM **n)
{
    BN_free(*n);
}

static void builder_free_p(OSSL_PARAM_BLD **b)
{
    OSSL_PARAM_BLD_free(*b);
}

static void params_free_p(OSSL_PARAM **p)
{
    OSSL_PARAM_free(*p);
}

static void key_context_free_p(EVP_PKEY_CTX **c)
{
    EVP_PKEY_CTX_free(*c);
}

static void digest_context_free_p(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
}

static bool member(const json_t *jwk, const char *name, struct buf *ret)
{
    const char *text = json_text(jwk, name);
    struct err e = {0};

    return text && base64url_decode(text, strlen(text), ret, &e) == 0 && ret->length > 0;
}

static EVP_PKEY *key_from(const char *kind, OSSL_PARAM *params)
{
    cleanup(key_context_free_p) EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
    EVP_PKEY *key = NULL;

    if (!context || EVP_PKEY_fromdata_init(context) <= 0 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        return NULL;
    return key;
}

static EVP_PKEY *rsa_key(const json_t *jwk)
{
    auto_buf struct buf n = BUF_INIT(MEMBER_MAX), exponent = BUF_INIT(MEMBER_MAX);

    if (!member(jwk, "n", &n) || !member(jwk, "e", &exponent) || exponent.length > 4)
        return NULL;
    cleanup(number_free_p) BIGNUM *modulus =
        BN_bin2bn((unsigned char *)n.data, (int)n.length, NULL);
    cleanup(number_free_p) BIGNUM *power =
        BN_bin2bn((unsigned char *)exponent.data, (int)exponent.length, NULL);
    if (!modulus || !power || BN_num_bits(modulus) < RSA_BITS_MIN ||
        BN_num_bits(modulus) > RSA_BITS_MAX || !BN_is_odd(modulus) || !BN_is_odd(power) ||
        BN_is_one(power))
        return NULL;
    cleanup(builder_free_p) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (!builder || !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, power))
        return NULL;
    cleanup(params_free_p) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    return params ? key_from("RSA", params) : NULL;
}

static EVP_PKEY *ec_key(const json_t *jwk)
{
    const char *curve = json_text(jwk, "crv");
    auto_buf struct buf point = BUF_INIT(MEMBER_MAX);

    buf_char(&point, POINT_CONVERSION_UNCOMPRESSED);
    if (!curve || strcmp(curve, "P-256") != 0 || !member(jwk, "x", &point) || point.length != 33 ||
        !member(jwk, "y", &point) || point.length != 65)
        return NULL;
    char group[] = "prime256v1";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data, point.length),
        OSSL_PARAM_construct_end(),
    };
    /* OpenSSL refuses points that are not on the curve. */
    return key_from("EC", params);
}

static EVP_PKEY *ed25519_key(const json_t *jwk)
{
    const char *curve = json_text(jwk, "crv");
    auto_buf struct buf x = BUF_INIT(MEMBER_MAX);

    if (!curve || strcmp(curve, "Ed25519") != 0 || !member(jwk, "x", &x) || x.length != 32)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (unsigned char *)x.data, x.length);
}

/* Whether "use" and "key_ops" permit to verify with it. */
static bool is_for_signatures(const json_t *jwk)
{
    const char *use = json_text(jwk, "use");
    const json_t *operations = json_object_get(jwk, "key_ops"), *operation;
    size_t i;

    if (use && strcmp(use, "sig") != 0)
        return false;
    if (!operations)
        return true;
    json_array_foreach(operations, i, operation) if (json_is_string(operation) &&
                                                     strcmp(json_string_value(operation),
                                                            "verify") == 0) return true;
    return false;
}

static bool read_key(const json_t *jwk, struct jwt_key *ret)
{
    const char *kind = json_text(jwk, "kty"), *algorithm = json_text(jwk, "alg");
    struct jwt_key key = {.algorithm = jwt_algorithm_of(algorithm)};

    if (!kind || !is_for_signatures(jwk) || (algorithm && key.algorithm == JWT_NO_ALGORITHM))
        return false;
    if (strcmp(kind, "RSA") == 0)
        key.key = rsa_key(jwk);
    else if (strcmp(kind, "EC") == 0)
        key.key = ec_key(jwk);
    else if (strcmp(kind, "OKP") == 0)
        key.key = ed25519_key(jwk);
    ERR_clear_error();
    if (!key.key)
        return false;
    if (key.algorithm != JWT_NO_ALGORITHM && !jwt_key_fits(&key, key.algorithm)) {
        EVP_PKEY_free(key.key);
        return false;
    }
    key.id = xstrdup_null(json_text(jwk, "kid"));
    *ret = key;
    return true;
}

int jwt_keys_parse(const char *text, size_t length, struct jwt_keys *ret, struct err *e)
{
    auto_json json_t *json = NULL;
    auto_jwt_keys struct jwt_keys keys = JWT_KEYS_INIT;
    const json_t *jwk;
    size_t i;

    if (length > JWT_KEYS_MAX)
        return err_set(e, ERR_INVALID, "the key set is larger than %d bytes", JWT_KEYS_MAX);
    if (json_parse(text, length, &json, e) < 0)
        return err_prefix(e, "key set");
    if (!json_is_array(json_object_get(json, "keys")))
        return err_set(e, ERR_INVALID, "the key set has no list 'keys'");
    keys.list = xcalloc(JWT_KEY_MAX, sizeof(*keys.list));
    json_array_foreach(json_object_get(json, "keys"), i,
                       jwk) if (keys.count < JWT_KEY_MAX && read_key(jwk, &keys.list[keys.count]))
        keys.count++;
    *ret = keys;
    keys = (struct jwt_keys)JWT_KEYS_INIT;
    return 0;
}

/* ---- Signatures ---- */

/* r and s, 32 bytes each (RFC 7518 section 3.4), as OpenSSL wants them. */
static unsigned char *der_of(const struct buf *signature, size_t *ret_length)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;

    if (!pair || signature->length != 64) {
        ECDSA_SIG_free(pair);
        return NULL;
    }
    const unsigned char *bytes = (const unsigned char *)signature->data;
    BIGNUM *r = BN_bin2bn(bytes, 32, NULL), *s = BN_bin2bn(bytes + 32, 32, NULL);
    if (!r || !s || !ECDSA_SIG_set0(pair, r, s)) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(pair);
        return NULL;
    }
    int n = i2d_ECDSA_SIG(pair, &der);
    ECDSA_SIG_free(pair);
    *ret_length = n > 0 ? (size_t)n : 0;
    return n > 0 ? der : NULL;
}

static bool set_padding(EVP_PKEY_CTX *context, enum jwt_algorithm algorithm)
{
    if (algorithm == JWT_RS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) > 0;
    if (algorithm == JWT_PS256)
        return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0;
    return true;
}

bool jwt_signature_right(const struct jwt_key *key, enum jwt_algorithm algorithm,
                         const struct buf *input, const struct buf *signature)
{
    cleanup(digest_context_free_p) EVP_MD_CTX *context = EVP_MD_CTX_new();
    const EVP_MD *digest = algorithm == JWT_EDDSA ? NULL : EVP_sha256();
    const unsigned char *bytes = (const unsigned char *)signature->data;
    size_t length = signature->length;
    EVP_PKEY_CTX *parameters = NULL; /* belongs to context */
    unsigned char *der = NULL;

    if (algorithm == JWT_ES256) {
        der = der_of(signature, &length);
        if (!der)
            return false;
        bytes = der;
    }
    bool right = context &&
                 EVP_DigestVerifyInit(context, &parameters, digest, NULL, key->key) > 0 &&
                 set_padding(parameters, algorithm) &&
                 EVP_DigestVerify(context, bytes, length, (const unsigned char *)input->data,
                                  input->length) == 1;
    OPENSSL_free(der);
    ERR_clear_error();
    return right;
}
