// SPDX-License-Identifier: EUPL-1.2
/*
 * One object's properties as JSON: the shape that side-cars and the file store's metadata share.
 * docs/formats/object.md lists the members.  Members that say nothing are left out; unknown members
 * are skipped when reading, so that a later version's files can be read.
 */
#ifndef STORE_OBJECT_JSON_H
#define STORE_OBJECT_JSON_H

#include <jansson.h>

#include "store/object.h"
#include "util/err.h"

/* A new JSON object (the caller's reference). */
json_t *object_to_json(const struct object *o);

/* Read one; *ret is a fresh object to be released, untouched on failure. */
must_check int object_from_json(const json_t *json, struct object *ret, struct err *e);

/* {"key": "value", ...} with the order kept; a repeated key keeps its last value. */
json_t *pairs_to_object(const struct pairs *p);
must_check int pairs_from_object(const json_t *json, struct pairs *ret, struct err *e);

#endif
