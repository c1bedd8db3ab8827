// SPDX-License-Identifier: EUPL-1.2
/*
 * Tag expressions: x-ms-if-tags and "Find Blobs by Tags" (REST reference "Find Blobs by Tags",
 * "Specifying conditional headers for Blob service operations").
 *
 *     "Status" = 'Done' AND "Created" >= '2026-01-01'            (find: AND only)
 *     ("a" = '1' OR "b" <> '2') AND @container = 'invoices'      (conditions: OR, <>, parentheses)
 */
#ifndef OBJECT_TAGS_H
#define OBJECT_TAGS_H

#include <stdbool.h>

#include "util/err.h"
#include "util/pairs.h"

struct tag_expression;
enum tag_dialect { TAGS_FIND, TAGS_CONDITION };

/* ERR_INVALID (FAULT_ARGUMENT) with the place of the mistake. */
must_check int tag_expression_parse(const char *text, enum tag_dialect dialect,
                                    struct tag_expression **ret, struct err *e);
void tag_expression_free(struct tag_expression *x);
void tag_expression_free_p(struct tag_expression **x);
#define auto_tag_expression cleanup(tag_expression_free_p)
/* Whether tags (and the container's name, may be NULL) match. */
bool tag_expression_matches(const struct tag_expression *x, const struct pairs *tags,
                            const char *container);

/* JSON arrays of [key, value] and pairs. */
must_check int pairs_from_json(const char *json, struct pairs *ret, struct err *e);
/* Heap; NULL for none. */
char *pairs_to_json(const struct pairs *p);

#endif
