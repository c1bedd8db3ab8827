// SPDX-License-Identifier: EUPL-1.2
/*
 * What a gateway keeps, for bascule leave: its accounts, their containers and the names these get
 * at the target, and what stays behind because no other place has it.
 *
 * Names at the target, the first that applies:
 *     containers: {"contoso/photos": x}    of the target's configuration, for one account
 *     containers: {photos: x}              the same for all of them
 *     contoso-photos                       asked for with --with-account
 *     photos
 * Two containers on one name, or one on a container in which the gateway itself keeps bodies or its
 * journal, are refused before anything is written.
 */
#ifndef CLI_ESTATE_H
#define CLI_ESTATE_H

#include <jansson.h>

#include "cli/endpoint.h"
#include "cli/gateway.h"

struct estate_container {
    char *name;
    char *target; /* NULL: soft-deleted */
};

struct estate_account {
    char *name;
    struct estate_container *containers;
    size_t count;
    int64_t deleted;  /* how many of them are soft-deleted: they cannot be read */
    struct pairs map; /* source container -> target container, as far as configured */
    char *prefix;     /* of the other target names; NULL: none */
    json_t *stays;    /* roles, access keys, leases ...: docs/formats/report.md */
};

struct estate {
    struct estate_account *accounts;
    size_t count;
};
#define auto_estate cleanup(estate_release)

/* names: those accounts only; none: every account. */
must_check int estate_read(struct gateway *g, const char *const *names, size_t count,
                           struct estate *ret, struct call *call);
/* Settle the target names, or refuse. */
must_check int estate_name(struct estate *e, const struct gateway *g, const struct endpoint *target,
                           bool with_account, struct err *err);
void estate_release(struct estate *e);

#endif
