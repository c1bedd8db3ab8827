// SPDX-License-Identifier: EUPL-1.2
/*
 * Tokens for OpenStack: Keystone v3 with a password or an application credential, and Swift's own
 * tempauth (v1).  Gives a token and the object store's URL from the catalogue, and renews both
 * before they end.
 *
 *     auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;
 *     if (keystone_access(k, &access, call) < 0)
 *         return -1;
 *     ... X-Auth-Token: access.token ...
 *     on a 401: keystone_refused(k, &access), and ask once more
 *
 * Any thread may ask; one of them renews while the others wait for it.  The token is a secret: it
 * belongs in a header and nowhere else.
 *
 * Source: OpenStack Identity API v3, "Authentication and token management"; Swift API "Auth v1".
 */
#ifndef AUTH_KEYSTONE_H
#define AUTH_KEYSTONE_H

#include <stdbool.h>

#include "crypto/secret.h"
#include "http/client.h"

struct keystone_options {
    const char *auth_url; /* "https://auth.cloud.ovh.net/v3" (with or without /auth/tokens); for
                             tempauth the whole URL, such as "http://host:8080/auth/v1.0" */
    bool tempauth;
    const char *user; /* name; for tempauth "account:user" */
    const struct secret *password;
    const char *user_domain;    /* name; NULL: "Default" */
    const char *project;        /* name */
    const char *project_domain; /* name; NULL: the user's */
    const char *application_credential_id;
    const char *application_credential_name; /* instead of the id, with user and user_domain */
    const struct secret *application_credential_secret;
    const char *region;    /* NULL: the only one there is, else the first */
    const char *interface; /* NULL: "public" */
};

struct keystone;

struct keystone_access {
    char *token;
    char *storage_url; /* without a slash at its end */
};
#define KEYSTONE_ACCESS_INIT \
    {                        \
        0                    \
    }
#define auto_keystone_access cleanup(keystone_access_release)
void keystone_access_release(struct keystone_access *a);

/* Everything in options is copied; client is borrowed and outlives it.  Nothing is asked of the
 * network yet.  ERR_INVALID when something needed is missing. */
must_check int keystone_new(const struct keystone_options *options, struct http_client *client,
                            struct keystone **ret, struct err *e);
void keystone_free(struct keystone *k);

/* A token good for some minutes more.  ERR_UNKNOWN_WHO: user, password or credential wrong;
 * ERR_NOT_FOUND: no object store in the catalogue, or not in this region (names those there are).
 */
must_check int keystone_access(struct keystone *k, struct keystone_access *ret, struct call *call);
/* The service refused this token: the next one will be new. */
void keystone_refused(struct keystone *k, const struct keystone_access *refused);

#endif
