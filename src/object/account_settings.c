// SPDX-License-Identifier: EUPL-1.2
/* From the rows of an account and a container to the words stores share: see account_settings.h. */
#include "object/account_settings.h"

#include <string.h>

#include "codec/json.h"

/* The JSON of a column; absent where it is NULL. */
static int column_parse(const char *text, const char *what, json_t **ret, struct err *e)
{
    return text && json_parse(text, strlen(text), ret, e) < 0 ? err_prefix(e, "%s", what) : 0;
}

/* "GET,PUT" as ["GET", "PUT"] */
static json_t *split_list(const char *text)
{
    json_t *list = json_array();

    while (text && *text) {
        size_t n = strcspn(text, ",");
        if (n)
            (void)json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] == ',');
    }
    return list;
}

static void add_cors(const json_t *from, json_t *into)
{
    static const char *const lists[] = {"origins", "methods", "headers", "exposed"};
    json_t *rules = json_array(), *rule;
    size_t i;

    json_array_foreach(json_object_get(from, "cors"), i, rule)
    {
        json_t *one = json_object();
        int64_t age = 0;
        for (size_t k = 0; k < ARRAY_SIZE(lists); k++)
            (void)json_object_set_new(one, lists[k], split_list(json_text(rule, lists[k])));
        (void)json_number(rule, "max_age", &age);
        (void)json_object_set_new(one, "max_age", json_integer(age));
        (void)json_array_append_new(rules, one);
    }
    if (json_array_size(rules))
        (void)json_object_set(into, "cors", rules);
    json_decref(rules);
}

static void add_website(const json_t *from, json_t *into)
{
    const json_t *website = json_object_get(from, "website");

    if (!json_bool(website, "enabled", false))
        return;
    json_t *copy = json_copy(json_object_get(from, "website"));
    (void)json_object_del(copy, "enabled");
    (void)json_object_set_new(into, "website", copy);
}

static void add_days(const json_t *from, const char *key, json_t *into, const char *name)
{
    int64_t days = 0;

    if (json_number(from, key, &days) && days > 0)
        (void)json_object_set_new(into, name, json_pack("{s:I}", "days", (json_int_t)days));
}

static void add_logging(const json_t *from, json_t *into)
{
    static const char *const kinds[] = {"read", "write", "delete"};
    const json_t *logging = json_object_get(from, "logging");
    json_t *operations = json_array();

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (json_bool(logging, kinds[i], false))
            (void)json_array_append_new(operations, json_string(kinds[i]));
    if (json_array_size(operations)) {
        json_t *log = json_pack("{s:O}", "operations", operations);
        add_days(logging, "retention_days", log, "retention");
        (void)json_object_set_new(into, "logging", log);
    }
    json_decref(operations);
}

static int add_account(const struct account_row *row, json_t *into, struct err *e)
{
    auto_json json_t *settings = NULL;
    json_t *account = json_object();

    if (column_parse(row->settings, "settings of the account", &settings, e) < 0) {
        json_decref(account);
        return -1;
    }
    add_cors(settings, account);
    add_website(settings, account);
    add_logging(settings, account);
    add_days(settings, "delete_retention_days", account, "delete_retention");
    add_days(settings, "container_retention_days", account, "container_retention");
    if (json_bool(settings, "versioning", false))
        (void)json_object_set_new(account, "versioning", json_true());
    const char *version = json_text(settings, "default_service_version");
    if (version)
        (void)json_object_set_new(account, "default_service_version", json_string(version));
    if (json_object_size(account))
        (void)json_object_set(into, "account", account);
    json_decref(account);
    return 0;
}

static int add_policies(const struct container_row *row, json_t *into, struct err *e)
{
    auto_json json_t *policies = NULL;
    json_t *policy;
    size_t i;

    if (column_parse(row->policies, "stored access policies", &policies, e) < 0)
        return -1;
    json_array_foreach(policies, i, policy)
    {
        json_t *permission = json_object_get(policy, "permissions");
        if (permission)
            (void)json_object_set(policy, "permission", permission);
        (void)json_object_del(policy, "permissions");
    }
    if (json_array_size(policies))
        (void)json_object_set(into, "policies", policies);
    return 0;
}

/* The retention and the holds' tags are more than Azure tells: they stand in the same member. */
static int add_immutability(const struct container_row *row, json_t *into, struct err *e)
{
    auto_json json_t *policy = NULL, *holds = NULL;

    if (column_parse(row->immutability, "immutability policy", &policy, e) < 0 ||
        column_parse(row->legal_holds, "legal holds", &holds, e) < 0)
        return -1;
    bool held = json_array_size(holds) > 0;
    if (!policy && !held)
        return 0;
    json_t *both =
        json_pack("{s:b,s:b,s:b}", "policy", policy != NULL, "legal_hold", held, "versions", 0);
    if (policy)
        (void)json_object_set(both, "retention", policy);
    if (held)
        (void)json_object_set(both, "legal_hold_tags", holds);
    (void)json_object_set_new(into, "immutability", both);
    return 0;
}

static int add_s3(const struct container_row *row, json_t *into, struct err *e)
{
    auto_json json_t *settings = NULL;

    if (column_parse(row->settings, "settings of the bucket", &settings, e) < 0)
        return -1;
    if (json_object_size(settings))
        (void)json_object_set(into, "s3", settings);
    return 0;
}

int account_settings_write(const struct account_row *account, const struct container_row *container,
                           struct buf *ret_json, struct err *e)
{
    auto_json json_t *settings = json_object();

    (void)json_object_set_new(settings, "access",
                              json_string(container->access ? container->access : "private"));
    if (add_policies(container, settings, e) < 0 || add_immutability(container, settings, e) < 0 ||
        add_s3(container, settings, e) < 0 || add_account(account, settings, e) < 0)
        return -1;
    return json_write(ret_json, settings, e);
}
