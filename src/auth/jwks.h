// SPDX-License-Identifier: EUPL-1.2
/*
 * The keys of one OIDC issuer (Keycloak, Entra ID, Zitadel, ...): found by discovery, fetched when
 * first wanted, kept, and fetched again when they are old or a token names a key not among them.
 *
 *     if (jwks_verify(issuer, &token, call) < 0)
 *         return -1;
 *
 * Discovery: ISSUER/.well-known/openid-configuration says jwks_uri, and must say the same issuer.
 * Both go over https only, unless the host is a loopback address.  Redirects are not followed.
 *
 * Threads: any may ask.  One of them fetches, at most once in retry_after; those that need its
 * result wait, the others go on with the keys there are.  Each issuer stands for itself: one that
 * does not answer holds up nobody else's tokens, and its own ones for timeout at most.
 *
 * Source: OpenID Connect Discovery 1.0, section 4; RFC 7517.
 */
#ifndef AUTH_JWKS_H
#define AUTH_JWKS_H

#include "auth/jwt.h"
#include "http/client.h"

struct jwks_options {
    const char *issuer;         /* "https://login.example.eu/realms/main" */
    const char *jwks_uri;       /* NULL: by discovery */
    struct http_client *client; /* borrowed; outlives it */
    int64_t fresh;       /* nanoseconds keys are used before they are asked for again; 0: 1 h */
    int64_t life;        /* ... and at most, when the issuer does not answer; 0: 24 h */
    int64_t retry_after; /* between two fetches; 0: 30 s */
    int64_t timeout;     /* of one fetch; 0: 10 s */
};

struct jwks;

/* Everything in options is copied, but for client.  Nothing is asked of the network yet.
 * ERR_INVALID when an address is no URL or would go in the clear. */
must_check int jwks_new(const struct jwks_options *options, struct jwks **ret, struct err *e);
void jwks_free(struct jwks *j);

const char *jwks_issuer(const struct jwks *j);

/* jwt_verify() with the issuer's keys.  The token must name this issuer (ERR_UNKNOWN_WHO).
 * ERR_UNKNOWN_WHO also when the signature is wrong or the issuer has no such key; ERR_BUSY when its
 * keys cannot be had now, saying why. */
must_check int jwks_verify(struct jwks *j, const struct jwt *token, struct call *call);

#endif
