// SPDX-License-Identifier: EUPL-1.2
/*
 * Where an Azure storage account answers, and what a URL that somebody pasted points at.
 *
 * Host style puts the account into the host (https://account.blob.core.windows.net/container),
 * path style into the path (http://127.0.0.1:10000/account/container).  Azure's own libraries take
 * a host for path style when it is an IP address, "localhost", a name without a dot, or when the
 * port is one of the emulators'; so does this.
 */
#ifndef STORE_DRIVER_AZURE_URL_H
#define STORE_DRIVER_AZURE_URL_H

#include <stdbool.h>

#include "util/err.h"

#define AZURE_PUBLIC_SUFFIX "core.windows.net"

/* A URL taken apart.  sas is a secret: never print it. */
struct azure_url {
    char *endpoint;  /* "https://account.blob.core.windows.net", no slash at the end */
    char *account;   /* without "-secondary" */
    bool secondary;  /* it names the read-only copy in the other region */
    char *container; /* NULL where the URL ends before one */
    char *name;      /* decoded: an object or a prefix; NULL where the URL ends before one */
    char *snapshot;  /* of ?snapshot= and ?versionid=; NULL without */
    char *version;
    char *sas; /* the signed query, still escaped, without '?'; NULL without one */
};
#define AZURE_URL_INIT \
    {                  \
        0              \
    }
#define auto_azure_url cleanup(azure_url_release)

void azure_url_release(struct azure_url *u);

/* Whether a text given as a place to move from or to is a URL this driver understands: a host with
 * ".blob." or ".dfs." in it, path style on an emulator's port, or a query with a signature. */
bool azure_url_recognised(const char *text);

/* Take such a URL apart.  A hierarchical account's ".dfs." host becomes its ".blob." one.
 * ERR_INVALID when it is none. */
must_check int azure_url_split(const char *text, struct azure_url *ret, struct err *e);

/* The endpoint an account has in a cloud: "https://account.blob.core.windows.net".  suffix may be
 * NULL for the public cloud; a leading dot or "blob." in it is tolerated. */
char *azure_endpoint_of(const char *account, const char *suffix);

/* Bring an endpoint as people write it (with or without a slash at its end, path style with or
 * without the account) into the form used here.  *ret_account gets the account the endpoint names
 * (account itself when given).  With secondary both are turned to the "-secondary" copy, whose
 * account name stays the same. */
must_check int azure_endpoint_normalise(const char *endpoint, const char *account, bool secondary,
                                        char **ret_endpoint, char **ret_account, struct err *e);

#endif
