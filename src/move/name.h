// SPDX-License-Identifier: EUPL-1.2
/*
 * Under which name an object arrives.
 *
 * Its own, wherever the target can hold it.  What the target cannot hold is kept below the reserved
 * prefix ".bascule/" of the same container, where no object of a user may live:
 *
 *     .bascule/name/SHA256             the target cannot hold the name (length, characters); SHA256
 *                                      is that of the name, in hexadecimal, and the side-car tells
 *                                      the name itself
 *     .bascule/history/KIND/VERSION/NAME
 *                                      a snapshot or earlier version, where the target keeps no
 *                                      versions (or .bascule/name/..., where that is too long)
 *     .bascule/version/KIND/VERSION/NAME
 *                                      only in ledger and report: became a version of NAME
 *     .bascule/sidecar/NAME.json       what the target could not hold of NAME (carry.h)
 *     .bascule/sidecar/#ID.json        what it could not hold of a version, by the side-car's id
 *     .bascule/container.json          what it could not hold of the container
 *     .bascule/probe/...               written and removed again while finding out what the target
 *                                      can do
 *
 * The mapping is injective (SHA-256 taken as such); the ledger refuses a second object with the
 * target name of a first all the same.  docs/formats/names.md says all this to users.
 */
#ifndef MOVE_NAME_H
#define MOVE_NAME_H

#include "store/store.h"

#define NAME_RESERVED  ".bascule/"
#define NAME_MAPPED    ".bascule/name/"
#define NAME_HISTORY   ".bascule/history/"
#define NAME_VERSION   ".bascule/version/"
#define NAME_SIDECAR   ".bascule/sidecar/"
#define NAME_PROBE     ".bascule/probe/"
#define NAME_CONTAINER ".bascule/container.json"

/* The target name of an object, a new string.  versions: the target container keeps versions. */
char *name_at_target(const struct store_traits *target, bool versions, const char *name,
                     enum version_kind kind, const char *version);

/* Whether the name is one of bascule's own below the reserved prefix. */
bool name_is_reserved(const char *name);

/* The name an address of a version (NAME_VERSION) belongs to, a pointer into it; NULL when it is
 * none. */
const char *name_of_version(const char *address);

/* Where the side-car of the object at this target name lies, a new string. */
char *name_of_sidecar(const struct store_traits *target, const char *target_name);
/* Where that of an earlier version lies, which shares its name with others: by its id. */
char *name_of_version_sidecar(const char *id);

/* Whether a container is the service's own record ($logs, $blobchangefeed), which moves only when
 * named (container.c). */
bool container_is_service_record(const char *container);

#endif
