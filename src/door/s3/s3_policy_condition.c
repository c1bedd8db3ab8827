// SPDX-License-Identifier: EUPL-1.2
/* Conditions of bucket policies: what they may say, and those that are answered here. */
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/json.h"
#include "door/s3/s3_policy_private.h"

/* ---- Values: one string, or several ---- */

size_t s3_policy_count(const json_t *v)
{
    return json_is_array(v) ? json_array_size(v) : v != NULL ? 1 : 0;
}

const char *s3_policy_value(const json_t *v, size_t i)
{
    const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;
    if (json_is_boolean(one))
        return json_is_true(one) ? "true" : "false";
    return json_string_value(one);
}

bool s3_policy_values_are_good(const json_t *v)
{
    size_t count = s3_policy_count(v);
    for (size_t i = 0; i < count; i++)
        if (s3_policy_value(v, i) == NULL)
            return false;
    return count > 0 && count <= S3_POLICY_VALUES_MAX;
}

/* '*' any characters, '?' one: the engine's own globs, for texts it does not see. */
bool s3_policy_fits(const char *glob, const char *text, bool nocase)
{
    const char *star = NULL, *again = NULL;
    while (*text != '\0') {
        bool same = nocase ? strncasecmp(glob, text, 1) == 0 : *glob == *text;
        if (*glob == '*') {
            star = ++glob;
            again = text;
        } else if (*glob != '\0' && (*glob == '?' || same)) {
            glob++;
            text++;
        } else if (star != NULL) {
            glob = star;
            text = ++again;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}

bool s3_policy_any_fits(const json_t *values, const char *text, bool nocase)
{
    for (size_t i = 0; i < s3_policy_count(values); i++)
        if (s3_policy_fits(s3_policy_value(values, i), text, nocase))
            return true;
    return false;
}

/* ---- Conditions ---- */

static const struct s3_policy_operator operators[] = {
    {"StringEquals", OPERAND_TEXT, COMPARE_EQUAL, false, false},
    {"StringNotEquals", OPERAND_TEXT, COMPARE_EQUAL, true, false},
    {"StringEqualsIgnoreCase", OPERAND_TEXT, COMPARE_EQUAL, false, true},
    {"StringNotEqualsIgnoreCase", OPERAND_TEXT, COMPARE_EQUAL, true, true},
    {"StringLike", OPERAND_TEXT, COMPARE_LIKE, false, false},
    {"StringNotLike", OPERAND_TEXT, COMPARE_LIKE, true, false},
    {"NumericEquals", OPERAND_NUMBER, COMPARE_EQUAL, false, false},
    {"NumericNotEquals", OPERAND_NUMBER, COMPARE_EQUAL, true, false},
    {"NumericLessThan", OPERAND_NUMBER, COMPARE_LESS, false, false},
    {"NumericLessThanEquals", OPERAND_NUMBER, COMPARE_LESS_EQUAL, false, false},
    {"NumericGreaterThan", OPERAND_NUMBER, COMPARE_LESS_EQUAL, true, false},
    {"NumericGreaterThanEquals", OPERAND_NUMBER, COMPARE_LESS, true, false},
    {"DateEquals", OPERAND_DATE, COMPARE_EQUAL, false, false},
    {"DateLessThan", OPERAND_DATE, COMPARE_LESS, false, false},
    {"DateLessThanEquals", OPERAND_DATE, COMPARE_LESS_EQUAL, false, false},
    {"DateGreaterThan", OPERAND_DATE, COMPARE_LESS_EQUAL, true, false},
    {"DateGreaterThanEquals", OPERAND_DATE, COMPARE_LESS, true, false},
    {"Bool", OPERAND_BOOL, COMPARE_EQUAL, false, false},
    {"IpAddress", OPERAND_ADDRESS, COMPARE_EQUAL, false, false},
    {"NotIpAddress", OPERAND_ADDRESS, COMPARE_EQUAL, true, false},
    {"Null", OPERAND_ABSENCE, COMPARE_EQUAL, false, false},
};

static const struct s3_policy_key keys[] = {
    {"aws:SourceIp", FROM_ENGINE, OPERAND_ADDRESS, NULL},
    {"aws:SecureTransport", FROM_ENGINE, OPERAND_BOOL, NULL},
    {"s3:prefix", FROM_ENGINE, OPERAND_TEXT, NULL},
    {"s3:ExistingObjectTag/", FROM_ENGINE, OPERAND_TEXT, NULL},
    {"aws:CurrentTime", FROM_CLOCK, OPERAND_DATE, NULL},
    {"aws:Referer", FROM_HEADER, OPERAND_TEXT, "referer"},
    {"aws:UserAgent", FROM_HEADER, OPERAND_TEXT, "user-agent"},
    {"s3:x-amz-acl", FROM_HEADER, OPERAND_TEXT, "x-amz-acl"},
    {"s3:x-amz-copy-source", FROM_HEADER, OPERAND_TEXT, "x-amz-copy-source"},
    {"s3:x-amz-metadata-directive", FROM_HEADER, OPERAND_TEXT, "x-amz-metadata-directive"},
    {"s3:x-amz-storage-class", FROM_HEADER, OPERAND_TEXT, "x-amz-storage-class"},
    {"s3:x-amz-server-side-encryption", FROM_HEADER, OPERAND_TEXT, "x-amz-server-side-encryption"},
    {"s3:if-match", FROM_HEADER, OPERAND_TEXT, "if-match"},
    {"s3:if-none-match", FROM_HEADER, OPERAND_TEXT, "if-none-match"},
    {"s3:x-amz-content-sha256", FROM_HEADER, OPERAND_TEXT, "x-amz-content-sha256"},
    {"s3:object-lock-legal-hold", FROM_HEADER, OPERAND_TEXT, "x-amz-object-lock-legal-hold"},
    {"s3:object-lock-mode", FROM_HEADER, OPERAND_TEXT, "x-amz-object-lock-mode"},
    {"s3:delimiter", FROM_QUERY, OPERAND_TEXT, "delimiter"},
    {"s3:max-keys", FROM_QUERY, OPERAND_NUMBER, "max-keys"},
    {"s3:VersionId", FROM_QUERY, OPERAND_TEXT, "versionId"},
};

const struct s3_policy_operator *s3_policy_operator(const char *name, bool *ret_if_exists)
{
    size_t n = strlen(name), end = strlen("IfExists");
    *ret_if_exists = n > end && strcmp(name + n - end, "IfExists") == 0;
    if (*ret_if_exists)
        n -= end;
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (strlen(operators[i].name) == n && strncasecmp(operators[i].name, name, n) == 0)
            return *ret_if_exists && operators[i].operand == OPERAND_ABSENCE ? NULL : &operators[i];
    return NULL;
}

const struct s3_policy_key *s3_policy_key(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        size_t n = strlen(keys[i].name);
        if (keys[i].name[n - 1] == '/' ? strncasecmp(keys[i].name, name, n) == 0 && name[n] != '\0'
                                       : strcasecmp(keys[i].name, name) == 0)
            return &keys[i];
    }
    return NULL;
}

static bool number_of(const char *text, int64_t *ret)
{
    size_t n = strlen(text);
    if (n == 0 || n > 15 || strspn(text, "0123456789") != n)
        return false;
    *ret = strtoll(text, NULL, 10);
    return true;
}

static bool operand_of(enum operand operand, const char *text, int64_t *ret)
{
    struct err ignored = {0};
    if (operand == OPERAND_DATE)
        return date_parse_iso8601(text, ret, &ignored) == 0;
    return number_of(text, ret);
}

static bool value_is_good(const struct s3_policy_operator *o, const char *text)
{
    int64_t ignored;
    switch (o->operand) {
    case OPERAND_BOOL:
    case OPERAND_ABSENCE:
        return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
    case OPERAND_NUMBER:
    case OPERAND_DATE:
        return operand_of(o->operand, text, &ignored);
    case OPERAND_ADDRESS:
        return policy_is_range(text);
    default:
        return true;
    }
}

/* The engine compares texts with case. */
static bool key_takes(const struct s3_policy_test *t)
{
    bool one = t->by->operand == OPERAND_BOOL || t->by->operand == OPERAND_ABSENCE;
    if (!s3_policy_values_are_good(t->values) || (one && s3_policy_count(t->values) != 1))
        return false;
    if (t->by->operand == OPERAND_ABSENCE)
        return t->key->operand != OPERAND_ADDRESS;
    return t->key->operand == t->by->operand && !(t->key->from == FROM_ENGINE && t->by->nocase);
}

static int check_test(const struct s3_policy_test *t, struct err *e)
{
    if (t->key == NULL)
        return err_set(e, ERR_INVALID, "Policy has an invalid condition key");
    bool good = key_takes(t);
    for (size_t i = 0; i < s3_policy_count(t->values) && good; i++)
        good = value_is_good(t->by, s3_policy_value(t->values, i));
    if (good)
        return 0;
    if (t->key->operand == OPERAND_ADDRESS)
        return err_set(e, ERR_INVALID, "Invalid IP address in Conditions");
    return err_set(e, ERR_INVALID, "Policy has an invalid value for %.100s", t->key_name);
}

int s3_policy_check_condition(const json_t *statement, struct err *e)
{
    json_t *condition = json_object_get(statement, "Condition");
    const char *operator_name, *key_name;
    json_t *tests, *values;
    if (condition == NULL)
        return 0;
    if (!json_is_object(condition))
        return err_set(e, ERR_INVALID, "Conditions do not apply to combination of actions");
    json_object_foreach(condition, operator_name, tests)
    {
        struct s3_policy_test t = {.if_exists = false};
        t.by = s3_policy_operator(operator_name, &t.if_exists);
        bool spelt = t.by != NULL && strncmp(t.by->name, operator_name, strlen(t.by->name)) == 0;
        if (!spelt || !json_is_object(tests))
            return err_set(e, ERR_INVALID, "Invalid Condition type : %.60s", operator_name);
        json_object_foreach(tests, key_name, values)
        {
            t.key = s3_policy_key(key_name);
            t.key_name = key_name;
            t.values = values;
            if (check_test(&t, e) < 0)
                return -1;
        }
    }
    return 0;
}

static bool compare(const struct s3_policy_operator *o, const char *value, const char *text)
{
    int64_t a, b;
    if (o->operand == OPERAND_TEXT && o->comparison == COMPARE_LIKE)
        return s3_policy_fits(value, text, o->nocase);
    if (o->operand == OPERAND_TEXT)
        return (o->nocase ? strcasecmp(value, text) : strcmp(value, text)) == 0;
    if (!operand_of(o->operand, text, &a) || !operand_of(o->operand, value, &b))
        return false;
    return o->comparison == COMPARE_LESS         ? a < b
           : o->comparison == COMPARE_LESS_EQUAL ? a <= b
                                                 : a == b;
}

bool s3_policy_is_own(const struct s3_policy_test *t)
{
    return t->key->from != FROM_ENGINE || t->by->operand == OPERAND_ABSENCE ||
           (t->if_exists && t->key->operand == OPERAND_TEXT);
}

/* What the request says of a key; NULL: nothing. */
static const char *text_of(const struct s3_policy_test *t, const struct s3_policy_question *q)
{
    const char *slash = strchr(t->key_name, '/');
    switch (t->key->from) {
    case FROM_HEADER:
        return q->headers != NULL ? pairs_get_nocase(q->headers, t->key->word) : NULL;
    case FROM_QUERY:
        return q->query != NULL ? pairs_get(q->query, t->key->word) : NULL;
    case FROM_ENGINE:
        if (slash != NULL)
            return q->tags != NULL ? pairs_get(q->tags, slash + 1) : NULL;
        return t->key->operand == OPERAND_TEXT ? q->prefix : "";
    default:
        return NULL;
    }
}

bool s3_policy_own_holds(const struct s3_policy_test *t, const struct s3_policy_question *q)
{
    const struct s3_policy_operator *o = t->by;
    char now[DATE_TEXT];
    bool found = false;
    date_iso8601(now, sizeof(now), q->now, 9);
    const char *text = t->key->from == FROM_CLOCK ? now : text_of(t, q);
    if (o->operand == OPERAND_ABSENCE)
        return (text == NULL) == (strcasecmp(s3_policy_value(t->values, 0), "true") == 0);
    if (text == NULL && t->if_exists)
        return true;
    /* A number or date that is not there is neither more nor less. */
    int64_t ignored;
    if (o->operand != OPERAND_TEXT && (text == NULL || !operand_of(o->operand, text, &ignored)))
        return false;
    for (size_t i = 0; text != NULL && i < s3_policy_count(t->values) && !found; i++)
        found = compare(o, s3_policy_value(t->values, i), text);
    return found != o->negated;
}
