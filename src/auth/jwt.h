// SPDX-License-Identifier: EUPL-1.2
/*
 * JSON Web Tokens, verified: compact, signed with RS256, PS256, ES256 or EdDSA (Ed25519).
 *
 *     auto_jwt struct jwt token = JWT_INIT;
 *     auto_jwt_claims struct jwt_claims claims = JWT_CLAIMS_INIT;
 *     if (jwt_parse(text, &token, e) < 0 ||           (nothing in it is true yet)
 *         jwt_verify(&token, &keys, e) < 0 ||
 *         jwt_check(&token, &expected, &claims, e) < 0)
 *         return -1;
 *
 * What is never taken: "none" and the HS algorithms (a public key is no secret), an algorithm that
 * is not the key's, critical extensions, encrypted tokens, keys or addresses of keys inside the
 * token, types other than (at+)jwt.
 *
 * Threads: a key set does not change and may be used by many at once; a token belongs to one.  No
 * error text quotes a token.
 *
 * Source: RFC 7515, 7517, 7518, 7519, 8037, 8725 (best practices), 9068.
 */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"
#include "util/clock.h"

/* Longer tokens and key sets are refused, and of a set only so many keys are kept. */
#define JWT_SIZE_MAX (32 * 1024)
#define JWT_KEYS_MAX (256 * 1024)
#define JWT_KEY_MAX  100
/* Of groups, roles and scopes in a token, each. */
#define JWT_NAMES_MAX 1000

enum jwt_algorithm { JWT_NO_ALGORITHM, JWT_RS256, JWT_PS256, JWT_ES256, JWT_EDDSA };

/* ---- Keys ---- */

struct jwt_key {
    char *id;                     /* "kid"; NULL where it has none */
    enum jwt_algorithm algorithm; /* the only one it is for; JWT_NO_ALGORITHM: any of its kind */
    struct evp_pkey_st *key;
};

struct jwt_keys {
    struct jwt_key *list;
    size_t count;
};
#define JWT_KEYS_INIT \
    {                 \
        0             \
    }
#define auto_jwt_keys cleanup(jwt_keys_release)
void jwt_keys_release(struct jwt_keys *keys);

/* Read a JWK set.  Keys that are malformed, weak (RSA below 2048 bits), secret, not for signatures
 * or of other kinds are left out, as RFC 7517 section 5 wants.  ERR_INVALID when it is no set. */
must_check int jwt_keys_parse(const char *text, size_t length, struct jwt_keys *ret, struct err *e);

/* ---- Tokens ---- */

struct jwt {
    enum jwt_algorithm algorithm;
    json_t *header;
    json_t *payload;
    struct buf input; /* what is signed */
    struct buf signature;
};
#define JWT_INIT                                                             \
    {                                                                        \
        .input = BUF_INIT(JWT_SIZE_MAX), .signature = BUF_INIT(JWT_SIZE_MAX) \
    }
#define auto_jwt cleanup(jwt_release)
void jwt_release(struct jwt *token);

/* Take a token apart; nothing is verified.  ERR_INVALID when it is none; ERR_UNSUPPORTED when it is
 * one of a kind that is never taken (see the top). */
must_check int jwt_parse(const char *text, struct jwt *ret, struct err *e);

/* The issuer and key a token claims, unverified: to find the right keys.  NULL: none. */
const char *jwt_issuer(const struct jwt *token);
const char *jwt_key_id(const struct jwt *token);

/* Whether one of these keys signed it.  ERR_NOT_FOUND when none of them can have (no such key id:
 * they may be outdated), ERR_UNKNOWN_WHO when the signature is wrong. */
must_check int jwt_verify(const struct jwt *token, const struct jwt_keys *keys, struct err *e);

/* ---- Claims ---- */

struct jwt_expected {
    const char *issuer;
    const char *const *audiences; /* one of them must be the token's, or among its own */
    size_t audience_count;
    int64_t now;              /* wall time */
    int64_t leeway;           /* nanoseconds the clocks may differ */
    const char *groups_claim; /* dotted path; NULL: "groups" */
    const char *roles_claim;  /* such as Keycloak's "realm_access.roles"; NULL: "roles" */
};

struct jwt_names {
    char **list;
    size_t count;
};

struct jwt_claims {
    char *issuer;
    char *subject;   /* "sub" */
    char *object_id; /* Entra's "oid", else the subject: who it is */
    char *client;    /* "azp", else "appid", else "client_id"; NULL: not said */
    char *tenant;    /* Entra's "tid"; NULL: not said */
    int64_t expires; /* wall time */
    struct jwt_names groups;
    struct jwt_names roles;
    struct jwt_names scopes; /* "scp", else "scope" */
};
#define JWT_CLAIMS_INIT \
    {                   \
        0               \
    }
#define auto_jwt_claims cleanup(jwt_claims_release)
void jwt_claims_release(struct jwt_claims *claims);

/* Judge what a verified token says.  ERR_UNKNOWN_WHO: of another issuer, for another audience,
 * expired or without a subject; ERR_CLOCK: not valid yet; ERR_INVALID: a claim is malformed. */
must_check int jwt_check(const struct jwt *token, const struct jwt_expected *expected,
                         struct jwt_claims *ret, struct err *e);

bool jwt_names_have(const struct jwt_names *names, const char *name);

#endif
