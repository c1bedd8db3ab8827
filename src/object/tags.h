// SPDX-License-Identifier: EUPL-1.2
/*
 * Tag expressions: x-ms-if-tags and "Find Blobs by Tags" (REST reference "Find Blobs by Tags",
 * "Specifying conditional headers for Blob service operations").
 *
 *     "Status" = 'Done' AND "Created" >= '2026-01-01'            (find: AND only)
 *     ("a" = '1' OR "b" <> '2') AND @container = 'invoices'      (conditions: OR, <>, parentheses)
 *
 * A key stands in double quotes, or bare where it is one word; a value in single quotes; a quote
 * inside is doubled.  Keys and values compare by bytes, words (AND, OR) without case.  A comparison
 * with a tag that is not there does not hold, "<>" neither.  Finding asks for each key once, or for
 * a range of it (one lower and one upper bound), and compares the container with "=" only.
 */
#ifndef OBJECT_TAGS_H
#define OBJECT_TAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "util/err.h"
#include "util/pairs.h"

struct tag_expression;
enum tag_dialect { TAGS_FIND, TAGS_CONDITION };

#define TAG_EXPRESSION_MAX 8192 /* bytes of text */
#define TAG_TERMS_MAX      10   /* of finding */
#define TAG_TERMS_MAX_IF   100  /* of a condition */

/* ERR_INVALID (FAULT_ARGUMENT) with the place of the mistake. */
must_check int tag_expression_parse(const char *text, enum tag_dialect dialect,
                                    struct tag_expression **ret, struct err *e);
void tag_expression_free(struct tag_expression *x);
void tag_expression_free_p(struct tag_expression **x);
#define auto_tag_expression cleanup(tag_expression_free_p)
/* Whether tags (and the container's name, may be NULL) match. */
bool tag_expression_matches(const struct tag_expression *x, const struct pairs *tags,
                            const char *container);

/* The comparisons in it, in their order: valid as long as the expression. */
enum tag_operator { TAG_EQUAL, TAG_UNEQUAL, TAG_GREATER, TAG_AT_LEAST, TAG_LESS, TAG_AT_MOST };
struct tag_term {
    char *key; /* NULL: the container's name */
    enum tag_operator operator;
    char *value;
};
const struct tag_term *tag_expression_terms(const struct tag_expression *x, size_t *ret_count);
bool tag_term_holds(const struct tag_term *term, const char *value);

/* JSON arrays of [key, value] and pairs: order and repeated keys are kept; a key or value that is
 * not UTF-8 stands as {"base64": ...}.  json may be NULL: no pairs. */
must_check int pairs_from_json(const char *json, struct pairs *ret, struct err *e);
/* Heap; NULL for none. */
char *pairs_to_json(const struct pairs *p);

#endif
