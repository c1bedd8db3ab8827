// SPDX-License-Identifier: EUPL-1.2
/*
 * The configuration: bascule.yaml.  docs/configuration.md is its manual.
 *
 * Looked for in this order: --config FILE, ./bascule.yaml, ~/.config/bascule/bascule.yaml,
 * /etc/bascule/bascule.yaml; without any of them there are no named stores, and bare URLs and paths
 * still work.
 *
 * Secrets stand in it only by reference, {env: NAME} or {file: PATH}.
 */
#ifndef CLI_CONFIGURATION_H
#define CLI_CONFIGURATION_H

#include "codec/yaml.h"
#include "crypto/secret.h"
#include "util/pairs.h"

struct config {
    char *path; /* NULL: none was found */
    struct yaml_node *root;
    char *ledger;                 /* URL */
    char *sign_key;               /* minisign secret key file, or NULL */
    const struct yaml_node *sign; /* its map, for the password */
    uint64_t workers;             /* 0: not said */
    uint64_t memory;
    uint64_t wake_poll; /* seconds */
};
#define auto_config cleanup(config_release)

/* path NULL: look for it.  All of it is checked, whatever the command needs of it. */
must_check int config_load(const char *path, struct config *ret, struct err *e);
void config_release(struct config *c);

/* The node of a store by its name; an unknown one names the nearest. */
must_check int config_store(const struct config *c, const char *name, const struct yaml_node **ret,
                            struct err *e);

/* The value under key: a scalar, {env: NAME} or {file: PATH}; ret stays empty (NULL bytes) when the
 * key is absent.  A scalar is refused: secrets do not stand in the configuration. */
must_check int config_secret(const struct yaml_node *map, const char *key, struct secret *ret,
                             struct err *e);
/* As config_secret(), for what is no secret: a scalar is fine.  NULL when absent. */
must_check int config_text(const struct yaml_node *map, const char *key, char **ret, struct err *e);

/* Whether the keys of a store are those of its driver: the first that is not is an error. */
must_check int config_check_driver(const struct yaml_node *store, const char *driver,
                                   struct err *e);

#endif
