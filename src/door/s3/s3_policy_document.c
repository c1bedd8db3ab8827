// SPDX-License-Identifier: EUPL-1.2
/* Bucket policies: see s3_policy_document.h. */
#include "door/s3/s3_policy_document.h"

#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/json.h"

#define VALUES_MAX     256
#define STATEMENTS_MAX 200
#define RESOURCE_START "arn:aws:s3:::"

/* ---- Values: one string, or several ---- */

static size_t value_count(const json_t *v)
{
    return json_is_array(v) ? json_array_size(v) : v != NULL ? 1 : 0;
}

static const char *value_at(const json_t *v, size_t i)
{
    const json_t *one = json_is_array(v) ? json_array_get(v, i) : v;
    if (json_is_boolean(one))
        return json_is_true(one) ? "true" : "false";
    return json_string_value(one);
}

static bool values_are_good(const json_t *v)
{
    size_t count = value_count(v);
    for (size_t i = 0; i < count; i++)
        if (value_at(v, i) == NULL)
            return false;
    return count > 0 && count <= VALUES_MAX;
}

/* '*' any characters, '?' one: the engine's own globs, for texts it does not see. */
static bool glob_fits(const char *glob, const char *text, bool nocase)
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

static bool any_fits(const json_t *values, const char *text, bool nocase)
{
    for (size_t i = 0; i < value_count(values); i++)
        if (glob_fits(value_at(values, i), text, nocase))
            return true;
    return false;
}

/* ---- Principals ---- */

/* A name the engine knows out of what stands in "AWS": false for what this does not know. */
static bool who_of(const char *text, struct policy_who *ret, char **ret_name)
{
    static const char start[] = "arn:aws:iam::";
    if (strcmp(text, "*") == 0) {
        *ret = (struct policy_who){.kind = POLICY_EVERYBODY};
        return true;
    }
    if (strncmp(text, "arn:", 4) != 0) {
        bool account = strchr(text, ':') == NULL;
        *ret_name = xstrdup(text);
        *ret = (struct policy_who){.kind = account ? POLICY_WHO_ACCOUNT : POLICY_WHO_USER,
                                   .name = *ret_name};
        return *text != '\0';
    }
    const char *rest = text + strlen(start);
    const char *colon = strncmp(text, start, strlen(start)) == 0 ? strchr(rest, ':') : NULL;
    if (colon == NULL)
        return false;
    if (strcmp(colon + 1, "root") == 0) {
        *ret_name = xstrndup(rest, (size_t)(colon - rest));
        *ret = (struct policy_who){.kind = POLICY_WHO_ACCOUNT, .name = *ret_name};
        return true;
    }
    if (strncmp(colon + 1, "user/", 5) != 0 || colon[6] == '\0')
        return false;
    *ret_name = xasprintf("user:%s", colon + 6);
    *ret = (struct policy_who){.kind = POLICY_WHO_USER, .name = *ret_name};
    return true;
}

static const json_t *principals_of(const json_t *statement)
{
    const json_t *principal = json_object_get(statement, "Principal");
    return json_is_object(principal) ? json_object_get(principal, "AWS") : principal;
}

static int check_principal(const json_t *statement, struct err *e)
{
    const json_t *principal = json_object_get(statement, "Principal");
    const json_t *names = principals_of(statement);
    bool only_aws = !json_is_object(principal) || json_object_size(principal) == 1;
    bool star = json_is_string(principal) && strcmp(json_string_value(principal), "*") == 0;
    if (!only_aws || !values_are_good(names) || (!json_is_object(principal) && !star))
        return err_set(e, ERR_INVALID, "Invalid principal in policy");
    for (size_t i = 0; i < value_count(names); i++) {
        auto_free char *name = NULL;
        struct policy_who who;
        if (!who_of(value_at(names, i), &who, &name))
            return err_set(e, ERR_INVALID, "Invalid principal in policy");
    }
    return 0;
}

/* ---- Conditions ---- */

enum operand { OPERAND_TEXT, OPERAND_NUMBER, OPERAND_DATE, OPERAND_BOOL, OPERAND_ADDRESS };
enum comparison { COMPARE_EQUAL, COMPARE_LIKE, COMPARE_LESS, COMPARE_LESS_EQUAL };

static const struct operator_row {
    const char *name;
    enum operand operand;
    enum comparison comparison;
    bool negated;
    bool nocase;
} operators[] = {
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
};

/* Where the value of a key comes from. */
enum place_of { FROM_ENGINE, FROM_HEADER, FROM_QUERY, FROM_CLOCK };
static const struct key_row {
    const char *name;
    enum place_of from;
    enum operand operand;
    const char *word; /* header or parameter */
} keys[] = {
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
    {"s3:object-lock-mode", FROM_HEADER, OPERAND_TEXT, "x-amz-object-lock-mode"},
    {"s3:delimiter", FROM_QUERY, OPERAND_TEXT, "delimiter"},
    {"s3:max-keys", FROM_QUERY, OPERAND_NUMBER, "max-keys"},
    {"s3:VersionId", FROM_QUERY, OPERAND_TEXT, "versionId"},
};

static const struct operator_row *find_operator(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++)
        if (strcasecmp(operators[i].name, name) == 0)
            return &operators[i];
    return NULL;
}

static const struct key_row *find_key(const char *name)
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

static bool value_is_good(const struct operator_row *o, const char *text)
{
    int64_t ignored;
    switch (o->operand) {
    case OPERAND_BOOL:
        return strcasecmp(text, "true") == 0 || strcasecmp(text, "false") == 0;
    case OPERAND_NUMBER:
    case OPERAND_DATE:
        return operand_of(o->operand, text, &ignored);
    default:
        return true;
    }
}

/* The engine compares texts with case. */
static bool key_takes(const struct key_row *k, const struct operator_row *o, const json_t *values)
{
    bool one = k->operand == OPERAND_BOOL ? value_count(values) == 1 : true;
    return k->operand == o->operand && one && !(k->from == FROM_ENGINE && o->nocase);
}

static int check_condition(const json_t *statement, struct err *e)
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
        const struct operator_row *o = find_operator(operator_name);
        if (o == NULL || !json_is_object(tests))
            return err_set(e, ERR_INVALID, "Invalid Condition type : %.60s", operator_name);
        json_object_foreach(tests, key_name, values)
        {
            const struct key_row *k = find_key(key_name);
            if (k == NULL)
                return err_set(e, ERR_INVALID, "Policy has an invalid condition key : %.100s",
                               key_name);
            if (!values_are_good(values) || !key_takes(k, o, values))
                return err_set(e, ERR_INVALID, "Policy has an invalid value for %.100s", key_name);
            for (size_t i = 0; i < value_count(values); i++)
                if (!value_is_good(o, value_at(values, i)))
                    return err_set(e, ERR_INVALID, "Policy has an invalid value for %.100s",
                                   key_name);
        }
    }
    return 0;
}

static bool compare(const struct operator_row *o, const char *value, const char *text)
{
    int64_t a, b;
    if (o->operand == OPERAND_TEXT && o->comparison == COMPARE_LIKE)
        return glob_fits(value, text, o->nocase);
    if (o->operand == OPERAND_TEXT)
        return (o->nocase ? strcasecmp(value, text) : strcmp(value, text)) == 0;
    if (!operand_of(o->operand, text, &a) || !operand_of(o->operand, value, &b))
        return false;
    return o->comparison == COMPARE_LESS         ? a < b
           : o->comparison == COMPARE_LESS_EQUAL ? a <= b
                                                 : a == b;
}

/* Those the engine does not know: answered here. */
static bool own_condition_holds(const struct key_row *k, const struct operator_row *o,
                                const json_t *values, const struct s3_policy_question *q)
{
    char now[DATE_TEXT];
    const char *text = NULL;
    bool found = false;
    date_iso8601(now, sizeof(now), q->now, 9);
    if (k->from == FROM_CLOCK)
        text = now;
    else if (k->from == FROM_HEADER && q->headers != NULL)
        text = pairs_get_nocase(q->headers, k->word);
    else if (k->from == FROM_QUERY && q->query != NULL)
        text = pairs_get(q->query, k->word);
    /* A number or date that is not there is neither more nor less. */
    int64_t ignored;
    if (o->operand != OPERAND_TEXT && (text == NULL || !operand_of(o->operand, text, &ignored)))
        return false;
    for (size_t i = 0; text != NULL && i < value_count(values) && !found; i++)
        found = compare(o, value_at(values, i), text);
    return found != o->negated;
}

/* ---- Reading ---- */

static int check_names(const json_t *statement, const char *key, const char *not_key,
                       const char *start, struct err *e)
{
    const json_t *names = json_object_get(statement, key);
    const json_t *others = json_object_get(statement, not_key);
    if ((names == NULL) == (others == NULL))
        return err_set(e, ERR_INVALID, "Missing required field %s", key);
    if (names == NULL)
        names = others;
    if (!values_are_good(names))
        return err_set(e, ERR_INVALID, "Policy has invalid %s", key);
    for (size_t i = 0; i < value_count(names); i++) {
        const char *name = value_at(names, i);
        if (strcmp(name, "*") != 0 && strncasecmp(name, start, strlen(start)) != 0)
            return err_set(e, ERR_INVALID, "Policy has invalid %s", key);
    }
    return 0;
}

/* Every resource lies in the bucket. */
static int check_resources(const json_t *statement, const char *bucket, struct err *e)
{
    const json_t *names = json_object_get(statement, "Resource");
    size_t n = strlen(bucket);
    if (check_names(statement, "Resource", "NotResource", RESOURCE_START, e) < 0)
        return -1;
    if (names == NULL)
        names = json_object_get(statement, "NotResource");
    for (size_t i = 0; i < value_count(names); i++) {
        const char *name = value_at(names, i);
        if (strcmp(name, "*") == 0)
            continue;
        name += strlen(RESOURCE_START);
        if (strcmp(name, "*") != 0 &&
            (strncmp(name, bucket, n) != 0 || (name[n] != '\0' && strchr("/*", name[n]) == NULL)))
            return err_set(e, ERR_INVALID, "Policy has invalid resource");
    }
    return 0;
}

static int check_statement(const json_t *s, const char *bucket, struct err *e)
{
    static const char *const known[] = {"Sid",       "Effect",   "Principal",   "Action",
                                        "NotAction", "Resource", "NotResource", "Condition"};
    const char *effect = json_text(s, "Effect"), *key;
    const json_t *value;
    if (!json_is_object(s) || effect == NULL ||
        (strcmp(effect, "Allow") != 0 && strcmp(effect, "Deny") != 0))
        return err_set(e, ERR_INVALID, "Invalid effect: %.40s", effect != NULL ? effect : "");
    json_object_foreach((json_t *)s, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            found = found || strcmp(known[i], key) == 0;
        if (!found)
            return err_set(e, ERR_INVALID, "Unknown field %.60s", key);
    }
    if (check_principal(s, e) < 0 || check_names(s, "Action", "NotAction", "s3:", e) < 0 ||
        check_resources(s, bucket, e) < 0)
        return -1;
    return check_condition(s, e);
}

int s3_policy_read(const char *text, size_t length, const char *bucket, json_t **ret, struct err *e)
{
    auto_json json_t *document = NULL;
    if (length > S3_POLICY_MAX)
        return err_set(e, ERR_INVALID, "Policy exceeds the maximum allowed document size.");
    if (json_parse(text, length, &document, e) < 0)
        return err_set(e, ERR_INVALID, "This policy contains invalid Json");
    const char *version = json_text(document, "Version");
    json_t *statements = json_object_get(document, "Statement");
    bool old = version == NULL || strcmp(version, "2008-10-17") == 0;
    if (!old && strcmp(version, "2012-10-17") != 0)
        return err_set(e, ERR_INVALID,
                       "The policy must contain a valid version string use 2012-10-17");
    size_t count = json_is_array(statements) ? json_array_size(statements) : 1;
    if (statements == NULL || count == 0 || count > STATEMENTS_MAX)
        return err_set(e, ERR_INVALID, "Missing required field Statement");
    for (size_t i = 0; i < count; i++) {
        json_t *s = json_is_array(statements) ? json_array_get(statements, i) : statements;
        if (check_statement(s, bucket, e) < 0)
            return -1;
    }
    *ret = take(document);
    return 0;
}

/* ---- Asking ---- */

/* What a statement becomes; the texts in it belong to the document, but for the names. */
struct compiled {
    struct policy_statement statement;
    struct policy_who who[VALUES_MAX];
    char *names[VALUES_MAX];
    struct policy_pattern paths[VALUES_MAX];
    struct policy_condition conditions[ARRAY_SIZE(operators) * ARRAY_SIZE(keys)];
    struct policy_pattern *values[ARRAY_SIZE(operators) * ARRAY_SIZE(keys)];
};

static void compiled_free(struct compiled **p)
{
    struct compiled *c = *p;
    for (size_t i = 0; i < ARRAY_SIZE(c->names); i++)
        free(c->names[i]);
    for (size_t i = 0; i < ARRAY_SIZE(c->values); i++)
        free(c->values[i]);
    free(c);
}

static bool names_action(const json_t *s, const char *action)
{
    const json_t *names = json_object_get(s, "Action");
    return names != NULL ? any_fits(names, action, true)
                         : !any_fits(json_object_get(s, "NotAction"), action, true);
}

/* The places, as the engine writes them: without Amazon's beginning. */
static bool add_paths(const json_t *s, const struct s3_policy_question *q, struct compiled *c)
{
    const json_t *names = json_object_get(s, "Resource");
    if (names == NULL) {
        auto_free char *resource = q->key != NULL
                                       ? xasprintf(RESOURCE_START "%s/%s", q->bucket, q->key)
                                       : xasprintf(RESOURCE_START "%s", q->bucket);
        c->paths[0] = (struct policy_pattern){POLICY_ANY, NULL};
        c->statement.path_count = 1;
        return !any_fits(json_object_get(s, "NotResource"), resource, false);
    }
    for (size_t i = 0; i < value_count(names); i++) {
        const char *name = value_at(names, i);
        if (strcmp(name, "*") != 0)
            name += strlen(RESOURCE_START);
        c->paths[c->statement.path_count++] = (struct policy_pattern){POLICY_GLOB, name};
    }
    return true;
}

static void add_engine_condition(const char *key_name, const struct key_row *k,
                                 const struct operator_row *o, const json_t *values,
                                 struct compiled *c)
{
    size_t at = c->statement.condition_count++;
    struct policy_condition *condition = &c->conditions[at];
    size_t count = value_count(values);
    struct policy_pattern *patterns = xcalloc(count, sizeof(*patterns));
    c->values[at] = patterns;
    for (size_t i = 0; i < count; i++)
        patterns[i] = (struct policy_pattern){
            o->comparison == COMPARE_LIKE ? POLICY_GLOB : POLICY_EXACT, value_at(values, i)};
    *condition =
        (struct policy_condition){.negated = o->negated, .values = patterns, .value_count = count};
    if (k->operand == OPERAND_ADDRESS) {
        condition->kind = POLICY_IF_SOURCE;
    } else if (k->operand == OPERAND_BOOL) {
        condition->kind = POLICY_IF_SECURE;
        condition->negated = strcasecmp(patterns[0].text, "false") == 0;
        condition->value_count = 0;
    } else if (strcmp(k->name, "s3:prefix") == 0) {
        condition->kind = POLICY_IF_PREFIX;
    } else {
        condition->kind = POLICY_IF_TAG;
        condition->key = strchr(key_name, '/') + 1;
    }
}

/* False: a condition does not hold, whatever the engine would say of the others. */
static bool add_conditions(const json_t *s, const struct s3_policy_question *q, struct compiled *c)
{
    json_t *condition = json_object_get(s, "Condition"), *tests, *values;
    const char *operator_name, *key_name;
    json_object_foreach(condition, operator_name, tests)
    {
        const struct operator_row *o = find_operator(operator_name);
        json_object_foreach(tests, key_name, values)
        {
            const struct key_row *k = find_key(key_name);
            if (k->from != FROM_ENGINE) {
                if (!own_condition_holds(k, o, values, q))
                    return false;
            } else if (c->statement.condition_count < ARRAY_SIZE(c->conditions)) {
                add_engine_condition(key_name, k, o, values, c);
            } else {
                return false;
            }
        }
    }
    return true;
}

static int add_statement(struct policy *policy, const json_t *s, const struct s3_policy_question *q,
                         struct err *e)
{
    if (!names_action(s, q->action))
        return 0;
    cleanup(compiled_free) struct compiled *c = xcalloc(1, sizeof(*c));
    const json_t *names = principals_of(s);
    c->statement = (struct policy_statement){.id = json_text(s, "Sid"),
                                             .deny = strcmp(json_text(s, "Effect"), "Deny") == 0,
                                             .actions = POLICY_ALL_ACTIONS,
                                             .who = c->who,
                                             .paths = c->paths,
                                             .conditions = c->conditions};
    for (size_t i = 0; i < value_count(names); i++)
        (void)who_of(value_at(names, i), &c->who[i], &c->names[i]);
    c->statement.who_count = value_count(names);
    if (!add_paths(s, q, c) || !add_conditions(s, q, c))
        return 0;
    return policy_add(policy, &c->statement, e);
}

int s3_policy_ask(const json_t *document, const struct s3_policy_question *q,
                  enum policy_decision *ret, struct err *e)
{
    const json_t *statements = json_object_get(document, "Statement");
    size_t count = json_is_array(statements) ? json_array_size(statements) : 1;
    struct policy *policy = policy_new();
    int done = 0;
    for (size_t i = 0; i < count && done == 0; i++)
        done = add_statement(
            policy, json_is_array(statements) ? json_array_get(statements, i) : statements, q, e);
    struct policy_request request = {.who = q->who,
                                     .action =
                                         q->key != NULL ? POLICY_BLOB_WRITE : POLICY_BLOB_LIST,
                                     .account = q->account,
                                     .container = q->bucket,
                                     .name = q->key,
                                     .list_prefix = q->prefix,
                                     .tags = q->tags,
                                     .client = q->peer,
                                     .secure = q->secure};
    if (done == 0)
        *ret = policy_decide(policy, &request).decision;
    policy_free(policy);
    return done;
}

bool s3_policy_is_public(const json_t *document)
{
    const json_t *statements = json_object_get(document, "Statement");
    size_t count = json_is_array(statements) ? json_array_size(statements) : 1;
    for (size_t i = 0; i < count; i++) {
        const json_t *s = json_is_array(statements) ? json_array_get(statements, i) : statements;
        const json_t *names = principals_of(s);
        bool allows = strcmp(json_text(s, "Effect"), "Allow") == 0;
        const json_t *by = json_object_get(json_object_get(s, "Condition"), "IpAddress");
        for (size_t j = 0; allows && by == NULL && j < value_count(names); j++)
            if (strcmp(value_at(names, j), "*") == 0)
                return true;
    }
    return false;
}

bool s3_policy_wants_tags(const json_t *document)
{
    auto_free char *text = json_dumps(document, JSON_COMPACT);
    return text != NULL && strcasestr(text, "s3:ExistingObjectTag/") != NULL;
}
