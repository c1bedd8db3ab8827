// SPDX-License-Identifier: EUPL-1.2
/*
 * JSON, on jansson: what it lacks of limits, and short words for the usual questions.  Build values
 * with jansson itself (json_pack(), json_object_set_new()).
 *
 *     auto_json json_t *answer = NULL;
 *     if (json_parse(body.data, body.length, &answer, e) < 0)
 *         return err_prefix(e, "token answer of %s", host);
 *     const char *token = json_text(answer, "access_token");     (NULL: absent or not a string)
 */
#ifndef CODEC_JSON_H
#define CODEC_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

#define JSON_DEPTH_MAX 64

#define auto_json cleanup(json_decref_p)
void json_decref_p(json_t **value);

/* Read a whole document, an object or array.  ERR_INVALID with line and column for what is no JSON,
 * has a key twice, or is nested deeper than JSON_DEPTH_MAX; the content is not quoted. */
must_check int json_parse(const char *text, size_t length, json_t **ret, struct err *e);

/* The string under a key; NULL when object is no object, or the key is absent or no string. */
const char *json_text(const json_t *object, const char *key);
/* The whole number under a key; false (and *ret as it was) when there is none. */
bool json_number(const json_t *object, const char *key, int64_t *ret);
/* true or false under a key; otherwise what absent says. */
bool json_bool(const json_t *object, const char *key, bool absent);

/* Put a string under a key; nothing where text is NULL, {"hex": "..."} where it is not UTF-8. */
void json_set_text(json_t *object, const char *key, const char *text);

/* Append the value in one line, keys sorted, so that equal values have equal texts.
 * ERR_INVALID when out is full. */
must_check int json_write(struct buf *out, const json_t *value, struct err *e);
/* For people: indented by two spaces, keys in their order, a newline at the end. */
must_check int json_write_pretty(struct buf *out, const json_t *value, struct err *e);

#endif
