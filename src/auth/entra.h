// SPDX-License-Identifier: EUPL-1.2
/*
 * Bearer tokens of Entra ID for Azure Storage: client credentials with a secret or a certificate,
 * managed identity, or a command that prints a token.  Kept and renewed before they end.
 *
 * Any thread may ask; one of them renews while the others wait for it.
 *
 * Source: Microsoft identity platform, "OAuth 2.0 client credentials flow"; "How to use managed
 * identities for Azure resources on an Azure VM" (IMDS); App Service's IDENTITY_ENDPOINT.
 */
#ifndef AUTH_ENTRA_H
#define AUTH_ENTRA_H

#include <stdbool.h>

#include "crypto/secret.h"
#include "http/client.h"

struct entra_options {
    struct http_client *client; /* borrowed; outlives it */
    const char *tenant;         /* id or domain */
    const char *client_id;      /* application; with managed identity: a user-assigned one */
    const struct secret *client_secret;
    const char *certificate_file; /* PEM with private key and certificate */
    const char *authority;        /* "https://login.microsoftonline.com"; NULL: that one */
    bool managed_identity;
    const char *imds; /* base URL of the metadata service; NULL: http://169.254.169.254 */
    const char
        *command; /* run by /bin/sh; prints a token, or JSON with accessToken or access_token */
    const char *scope; /* NULL: https://storage.azure.com/.default */
};

struct entra;

/* Everything in options is copied, but for client.  ERR_INVALID when something needed is missing or
 * the certificate cannot be read.  Nothing is asked of the network yet. */
must_check int entra_new(const struct entra_options *options, struct entra **ret, struct err *e);
void entra_free(struct entra *entra);

/* A token good for some minutes more, as a secret.  ERR_UNKNOWN_WHO with the service's own reason
 * when it is refused. */
must_check int entra_token(struct entra *entra, struct secret *ret, struct call *call);
/* The storage service refused this token: the next one will be new. */
void entra_refused(struct entra *entra, const struct secret *token);

#endif
