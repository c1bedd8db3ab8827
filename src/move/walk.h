// SPDX-License-Identifier: EUPL-1.2
/*
 * Looking up many names of one container in the order of their bytes: one listing, read once,
 * beside whatever else comes in that order.  Only for stores that list in order.
 */
#ifndef MOVE_WALK_H
#define MOVE_WALK_H

#include "store/store.h"

/* Begin with zeros, store, container and prefix (borrowed; prefix may be NULL). */
struct walk {
    struct store *store;
    const char *container;
    const char *prefix;
    struct object_list page;
    size_t at;
    bool started;
};

#define auto_walk cleanup(walk_release)
void walk_release(struct walk *w);

/* The current object of this name, NULL where there is none; good until the next call.  Each name
 * comes after the one before. */
must_check int walk_find(struct walk *w, const char *name, const struct object **ret,
                         struct call *call);

#endif
