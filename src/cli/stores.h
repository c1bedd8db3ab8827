// SPDX-License-Identifier: EUPL-1.2
/* Opens the stores the configuration describes: the right driver, with the standard layers on it.
 */
#ifndef CLI_STORES_H
#define CLI_STORES_H

#include "auth/entra.h"
#include "codec/yaml.h"
#include "http/client.h"
#include "store/store.h"

/* What a store is opened for: a directory that is missing is made only to be written to. */
enum store_use {
    STORE_READ,  /* it must be there */
    STORE_WRITE, /* what is missing is made */
    STORE_PLAN,  /* likewise, but it is gone again afterwards if nothing came into it */
};

/* A store and what it stands on. */
struct opened_store {
    struct store *store;
    struct http_client *client; /* or NULL */
    struct entra *entra;        /* or NULL */
    char *made;                 /* a directory to remove again if nothing is in it, or NULL */
};
void opened_store_release(struct opened_store *s);

/* The store under a name of the configuration; container: the only one that will be used, or NULL
 * (credentials may be for one container only). */
must_check int store_from_configuration(const struct yaml_node *node, const char *name,
                                        const char *container, enum store_use use,
                                        struct opened_store *ret, struct call *call);

/* The store in a directory. */
must_check int store_from_path(const char *path, const char *name, enum store_use use,
                               struct opened_store *ret, struct call *call);

/* A bare Azure URL: https://account.blob.core.windows.net/container/prefix?SAS; the container and
 * prefix in it, or NULL, are the caller's to free. */
must_check int store_from_url(const char *url, struct opened_store *ret, char **ret_container,
                              char **ret_prefix, struct call *call);

#endif
