// SPDX-License-Identifier: EUPL-1.2
/*
 * What stands on a command line for one end of a move, and the open store behind it.
 *
 *     azure:                     a store of the configuration, all its containers
 *     azure:invoices             one container of it
 *     azure:invoices/2026/       the objects of it whose names begin so
 *     https://contoso.blob.core.windows.net/invoices?sv=...    a bare Azure URL with its SAS
 *     /srv/vault, ./vault        a directory
 *     gateway/contoso:invoices   an account of the gateway that the section "serve" describes, and
 * a container of it: to be read, whether gateways run or not
 */
#ifndef CLI_ENDPOINT_H
#define CLI_ENDPOINT_H

#include "cli/configuration.h"
#include "cli/stores.h"
#include "move/report.h"
#include "store/store.h"

struct gateway;

struct endpoint {
    char *text;              /* as written, without a SAS */
    struct store *store;     /* of opened */
    char *container;         /* NULL: all */
    char *prefix;            /* NULL: every name */
    struct pairs containers; /* from the store's configuration */
    struct opened_store opened;
    struct gateway *gateway; /* what an account of it is read through; or NULL */
};
#define auto_endpoint cleanup(endpoint_release)

must_check int endpoint_open(const struct config *c, const char *text, enum store_use use,
                             struct endpoint *ret, struct call *call);
void endpoint_release(struct endpoint *e);

/* Where the bodies of a job's target lie, for its manifest: below a directory store the paths of
 * the files; elsewhere container and name.  e is what options point into. */
void endpoint_paths(struct endpoint *e, struct report_options *options);
/* The same for a target that is yet to be opened, where it can be; *ret is the caller's to release.
 */
must_check int endpoint_manifest_paths(const struct config *c, const char *target,
                                       struct endpoint *ret, struct report_options *options,
                                       struct call *call);

/* What was opened with STORE_PLAN stays from here on, as with STORE_WRITE. */
void endpoint_keep(struct endpoint *e);

/* Whether a move can go from one to the other: not onto itself, nor from a whole store into one
 * container, nor under a prefix. */
must_check int endpoints_check(const struct endpoint *source, const struct endpoint *target,
                               struct err *e);

/* Which name at the target a container of the source gets, where not its own: as the target's
 * configuration says; and where the source's own configuration maps it, from the name it had. */
void endpoint_containers(const struct endpoint *source, const struct endpoint *target,
                         struct pairs *ret);

#endif
