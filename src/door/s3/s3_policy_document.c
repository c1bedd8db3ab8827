// SPDX-License-Identifier: EUPL-1.2
/* Bucket policies: see s3_policy_document.h. */
#include "door/s3/s3_policy_document.h"

#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "door/s3/s3_policy_private.h"

#define STATEMENTS_MAX 200
#define CONDITIONS_MAX 400
#define RESOURCE_START "arn:aws:s3:::"

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
    if (!only_aws || !s3_policy_values_are_good(names) || (!json_is_object(principal) && !star))
        return err_set(e, ERR_INVALID, "Invalid principal in policy");
    for (size_t i = 0; i < s3_policy_count(names); i++) {
        auto_free char *name = NULL;
        struct policy_who who;
        if (!who_of(s3_policy_value(names, i), &who, &name))
            return err_set(e, ERR_INVALID, "Invalid principal in policy");
    }
    return 0;
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
    if (!s3_policy_values_are_good(names))
        return err_set(e, ERR_INVALID, "Policy has invalid %s", key);
    for (size_t i = 0; i < s3_policy_count(names); i++) {
        const char *name = s3_policy_value(names, i);
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
    for (size_t i = 0; i < s3_policy_count(names); i++) {
        const char *name = s3_policy_value(names, i);
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
        check_resources(s, bucket, e) < 0 || s3_policy_check_actions(s, e) < 0)
        return -1;
    return s3_policy_check_condition(s, e);
}

int s3_policy_read(const char *text, size_t length, const char *bucket, json_t **ret, struct err *e)
{
    auto_json json_t *document = NULL;
    if (length > S3_POLICY_MAX)
        return err_set(e, ERR_INVALID, "Policy exceeds the maximum allowed document size.");
    if (json_parse(text, length, &document, e) < 0)
        return err_set(e, ERR_INVALID, "%s",
                       length > 0 && text[0] == '{'
                           ? "This policy contains invalid Json"
                           : "Policies must be valid JSON and the first byte must be '{'");
    const char *version = json_text(document, "Version");
    json_t *statements = json_object_get(document, "Statement");
    bool old = version == NULL || strcmp(version, "2008-10-17") == 0;
    if (!old && strcmp(version, "2012-10-17") != 0)
        return err_set(e, ERR_INVALID,
                       "The policy must contain a valid version string use 2012-10-17");
    size_t count = json_is_array(statements) ? json_array_size(statements) : 1;
    if (statements != NULL && count == 0)
        return err_set(e, ERR_INVALID, "Could not parse the policy: Statement is empty!");
    if (statements == NULL || count > STATEMENTS_MAX)
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
    struct policy_who who[S3_POLICY_VALUES_MAX];
    char *names[S3_POLICY_VALUES_MAX];
    struct policy_pattern paths[S3_POLICY_VALUES_MAX];
    struct policy_condition conditions[CONDITIONS_MAX];
    struct policy_pattern *values[CONDITIONS_MAX];
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
    return names != NULL ? s3_policy_any_fits(names, action, true)
                         : !s3_policy_any_fits(json_object_get(s, "NotAction"), action, true);
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
        return !s3_policy_any_fits(json_object_get(s, "NotResource"), resource, false);
    }
    for (size_t i = 0; i < s3_policy_count(names); i++) {
        const char *name = s3_policy_value(names, i);
        if (strcmp(name, "*") != 0)
            name += strlen(RESOURCE_START);
        c->paths[c->statement.path_count++] = (struct policy_pattern){POLICY_GLOB, name};
    }
    return true;
}

static void add_engine_condition(const struct s3_policy_test *t, struct compiled *c)
{
    const struct s3_policy_operator *o = t->by;
    size_t at = c->statement.condition_count++;
    struct policy_condition *condition = &c->conditions[at];
    size_t count = s3_policy_count(t->values);
    struct policy_pattern *patterns = xcalloc(count, sizeof(*patterns));
    c->values[at] = patterns;
    for (size_t i = 0; i < count; i++)
        patterns[i] =
            (struct policy_pattern){o->comparison == COMPARE_LIKE ? POLICY_GLOB : POLICY_EXACT,
                                    s3_policy_value(t->values, i)};
    *condition =
        (struct policy_condition){.negated = o->negated, .values = patterns, .value_count = count};
    if (t->key->operand == OPERAND_ADDRESS) {
        condition->kind = POLICY_IF_SOURCE;
    } else if (t->key->operand == OPERAND_BOOL) {
        condition->kind = POLICY_IF_SECURE;
        condition->negated = strcasecmp(patterns[0].text, "false") == 0;
        condition->value_count = 0;
    } else if (strcmp(t->key->name, "s3:prefix") == 0) {
        condition->kind = POLICY_IF_PREFIX;
    } else {
        condition->kind = POLICY_IF_TAG;
        condition->key = strchr(t->key_name, '/') + 1;
    }
}

/* False: a condition does not hold, whatever the engine would say of the others. */
static bool add_conditions(const json_t *s, const struct s3_policy_question *q, struct compiled *c)
{
    json_t *condition = json_object_get(s, "Condition"), *tests, *values;
    const char *operator_name, *key_name;
    json_object_foreach(condition, operator_name, tests)
    {
        struct s3_policy_test t = {.if_exists = false};
        t.by = s3_policy_operator(operator_name, &t.if_exists);
        json_object_foreach(tests, key_name, values)
        {
            t.key = s3_policy_key(key_name);
            t.key_name = key_name;
            t.values = values;
            if (s3_policy_is_own(&t)) {
                if (!s3_policy_own_holds(&t, q))
                    return false;
            } else if (c->statement.condition_count < ARRAY_SIZE(c->conditions)) {
                add_engine_condition(&t, c);
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
    for (size_t i = 0; i < s3_policy_count(names); i++)
        (void)who_of(s3_policy_value(names, i), &c->who[i], &c->names[i]);
    c->statement.who_count = s3_policy_count(names);
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
        for (size_t j = 0; allows && by == NULL && j < s3_policy_count(names); j++)
            if (strcmp(s3_policy_value(names, j), "*") == 0)
                return true;
    }
    return false;
}

bool s3_policy_wants_tags(const json_t *document)
{
    auto_free char *text = json_dumps(document, JSON_COMPACT);
    return text != NULL && strcasestr(text, "s3:ExistingObjectTag/") != NULL;
}
