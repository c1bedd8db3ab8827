// SPDX-License-Identifier: EUPL-1.2
/*
 * bascule's own records in a store it filled (name.h): which of a container's objects they are, and
 * what they tell about the others.
 *
 * Records are no objects of a user: side-cars are read with what they belong to.  A user's object
 * that has such a name all the same is told from them by its content.
 */
#ifndef MOVE_OWN_H
#define MOVE_OWN_H

#include "store/store.h"

#define SIDECAR_MAX (1024 * 1024)
/* The member that tells what lies at NAME_CONTAINER from a user's object of that name. */
#define OWN_CONTAINER_MARK "bascule_container"

/* One container that is being listed.  Begin with zeros, store and container (both borrowed). */
struct own {
    struct store *store;
    const char *container;
    enum {
        OWN_UNKNOWN,
        OWN_YES,
        OWN_NO
    } sidecars; /* what lies at NAME_SIDECAR; side-cars are
                   many: the first one decides for all */
};

/* Whether a listed object is one of the records. */
must_check int own_is_record(struct own *own, const struct object *o, bool *ret, struct call *call);

/* Whether a name is kept for records, so that no object of a user can move under it. */
bool own_is_reserved(const char *name);

/* The original name of an object that lies under a mapped one (NAME_MAPPED), a new string: its
 * side-car tells.  ERR_NOT_FOUND or ERR_CORRUPT where none does. */
must_check int own_original_name(struct store *s, const char *container, const char *name,
                                 char **ret, struct call *call);

/* Fetch what a plain read did not bring (tags, side-car), so that o has the properties of the
 * original.  *ret_lost (may be NULL) is set to a new text where an earlier version's side-car is
 * gone, which is then no failure. */
must_check int own_restore(struct store *s, const struct object_key *key, struct object *o,
                           char **ret_lost, struct call *call);

#endif
