// SPDX-License-Identifier: EUPL-1.2
/* Opens the stores the configuration describes: the right driver, with the standard layers on it.
 */
#ifndef CLI_STORES_H
#define CLI_STORES_H

#include "codec/yaml.h"
#include "store/store.h"

/* The store under a name of the configuration. */
must_check int store_from_configuration(const struct yaml_node *node, const char *name,
                                        struct store **ret, struct call *call);

/* A bare Azure URL: https://account.blob.core.windows.net/container/prefix?SAS; the container and
 * prefix in it, or NULL, are the caller's to free. */
must_check int store_from_url(const char *url, struct store **ret, char **ret_container,
                              char **ret_prefix, struct call *call);

#endif
