// SPDX-License-Identifier: EUPL-1.2
/*
 * What an object carries besides its bytes, and where the target puts it.
 *
 * What the target has a place for goes there: content headers, metadata, tags, tier, type.  Small
 * things it has no place for travel as extra metadata whose keys begin with "bascule-" ("bascule_"
 * where keys must be identifiers):
 *
 *     bascule-created, bascule-modified   ISO 8601 times of the original
 *     bascule-type                        "append" or "page"
 *     bascule-tier                        a tier somebody had set
 *     bascule-md5                         the Content-MD5 that was stored with it, base64
 *     bascule-keys                        metadata keys with their case, comma between
 *     bascule-sidecar                     a random word: there is a side-car with this id
 *
 * Everything else, and whatever does not fit the target's limits, goes into the side-car: a JSON
 * object beside (name.h says where) with all that is known of the original. docs/formats/sidecar.md
 * is its manual.
 *
 * carry_back() is the inverse: it turns what such a target gives back into the original's
 * properties.
 */
#ifndef MOVE_CARRY_H
#define MOVE_CARRY_H

#include "store/store.h"

struct carried {
    struct object properties; /* what goes with the put */
    char *sidecar;            /* its JSON text, or NULL when none is needed */
    struct buf left;          /* what went into it, words with spaces between, for the report */
};

#define CARRIED_INIT                                      \
    {                                                     \
        .properties = OBJECT_INIT, .left = BUF_INIT(4096) \
    }
#define auto_carried cleanup(carried_release)
void carried_release(struct carried *c);

/* Divide what original has over target's places.  name: the original's name, told in the side-car
 * (renamed: the target could not hold it).  ret is an initialised struct carried. */
void carry(const struct object *original, const char *name, bool renamed,
           const struct store_traits *target, struct carried *ret);

/* Whether a text is a side-car. */
bool carry_is_sidecar(const char *text);
/* The id of the side-car that belongs to an object read from a store, or NULL. */
const char *carry_sidecar_id(const struct object *o);

/* Give o, as read, the original's properties again: from its extra metadata, and from the side-car
 * text (NULL: there is none).  *ret_name (may be NULL) gets the original name where the side-car
 * tells one, else NULL; the caller frees it.  A side-car with another id is ERR_CORRUPT. */
must_check int carry_back(struct object *o, const char *sidecar, char **ret_name, struct err *e);

/* Whether two objects are the same to a user: content headers, metadata and tags, as far as the
 * target holds them.  expected is what carry() gave, there is what the target said. */
bool carry_same(const struct object *expected, const struct object *there,
                const struct store_traits *target);

/* Whether two originals (as carry_back() gives them) are the same to a user: type, content headers,
 * metadata and tags.  NULL when they are; else words that say what is not, a new string.  A type
 * that first did not have may have been given to second. */
char *carry_difference(const struct object *first, const struct object *second);

#endif
