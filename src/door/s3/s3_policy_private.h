// SPDX-License-Identifier: EUPL-1.2
/* What the two halves of bucket policies share: values, and conditions.  Nobody else includes this.
 */
#ifndef DOOR_S3_S3_POLICY_PRIVATE_H
#define DOOR_S3_S3_POLICY_PRIVATE_H

#include "door/s3/s3_policy_document.h"

#define S3_POLICY_VALUES_MAX 256

/* ---- Values: one string, or several ---- */

size_t s3_policy_count(const json_t *v);
const char *s3_policy_value(const json_t *v, size_t i);
bool s3_policy_values_are_good(const json_t *v);
/* Whether a glob fits a text: '*' any characters, '?' one; and whether one of several does. */
bool s3_policy_fits(const char *glob, const char *text, bool nocase);
bool s3_policy_any_fits(const json_t *values, const char *text, bool nocase);

/* ---- Actions ---- */

/* A statement's "Action" or "NotAction", with its "Resource": ERR_INVALID says what is wrong. */
must_check int s3_policy_check_actions(const json_t *statement, struct err *e);

/* ---- Conditions ---- */

enum operand {
    OPERAND_TEXT,
    OPERAND_NUMBER,
    OPERAND_DATE,
    OPERAND_BOOL,
    OPERAND_ADDRESS,
    OPERAND_ABSENCE, /* "Null": whether the key is not there */
};
enum comparison { COMPARE_EQUAL, COMPARE_LIKE, COMPARE_LESS, COMPARE_LESS_EQUAL };

struct s3_policy_operator {
    const char *name;
    enum operand operand;
    enum comparison comparison;
    bool negated;
    bool nocase;
};

/* Where the value of a key comes from. */
enum place_of { FROM_ENGINE, FROM_HEADER, FROM_QUERY, FROM_CLOCK };
struct s3_policy_key {
    const char *name;
    enum place_of from;
    enum operand operand;
    const char *word; /* header or parameter */
};

/* NULL: not known.  *ret_if_exists: it ends with "IfExists", and holds for a key that is not there.
 */
const struct s3_policy_operator *s3_policy_operator(const char *name, bool *ret_if_exists);
const struct s3_policy_key *s3_policy_key(const char *name);
/* A statement's "Condition": ERR_INVALID says what is wrong with it. */
must_check int s3_policy_check_condition(const json_t *statement, struct err *e);
/* One test of a condition, that of a key in an operator's object. */
struct s3_policy_test {
    const struct s3_policy_operator *by;
    bool if_exists;
    const struct s3_policy_key *key;
    const char *key_name; /* "s3:ExistingObjectTag/colour" */
    const json_t *values;
};
/* Whether the engine knows nothing of it, so that it is answered here; and the answer. */
bool s3_policy_is_own(const struct s3_policy_test *t);
bool s3_policy_own_holds(const struct s3_policy_test *t, const struct s3_policy_question *q);

#endif
