// SPDX-License-Identifier: EUPL-1.2
/* What an account's and a container's settings say about history: see object_private.h. */
#include <string.h>

#include "codec/json.h"
#include "object/object_private.h"

#define DAY (24 * 3600 * CLOCK_SECOND)

static int parse_settings(const char *text, const char *what, json_t **ret, struct err *e)
{
    if (json_parse(text, strlen(text), ret, e) < 0)
        return err_prefix(e, "settings of %s", what);
    return 0;
}

static int64_t days_of(const json_t *settings, const char *key)
{
    int64_t days = 0;
    return json_number(settings, key, &days) && days > 0 ? days * DAY : 0;
}

static int account_rules(struct db *db, const char *account, struct rules *rules, struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db, "SELECT settings FROM account WHERE name = ?1", &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_text(find, 1, account);
    int row = db_step(find, call);
    if (row <= 0 || db_column_is_null(find, 0))
        return row < 0 ? -1 : 0;
    auto_json json_t *settings = NULL;
    if (parse_settings(db_column_text(find, 0), account, &settings, &call->err) < 0)
        return -1;
    rules->versioning = json_bool(settings, "versioning", false) ? VERSIONING_ON : VERSIONING_OFF;
    rules->delete_retention = days_of(settings, "delete_retention_days");
    rules->container_retention = days_of(settings, "container_retention_days");
    return 0;
}

static int container_rules(const struct container_row *c, struct rules *rules, struct err *e)
{
    rules->legal_hold = c->legal_holds != NULL && strcmp(c->legal_holds, "[]") != 0;
    if (c->settings != NULL) {
        auto_json json_t *settings = NULL;
        if (parse_settings(c->settings, c->name, &settings, e) < 0)
            return -1;
        const char *versioning = json_text(settings, "versioning");
        if (versioning != NULL)
            rules->versioning =
                strcmp(versioning, "Enabled") == 0 ? VERSIONING_ON : VERSIONING_SUSPENDED;
    }
    if (c->immutability != NULL) {
        auto_json json_t *policy = NULL;
        if (parse_settings(c->immutability, c->name, &policy, e) < 0)
            return -1;
        (void)json_number(policy, "days", &rules->immutable_days);
        const char *state = json_text(policy, "state");
        rules->immutable_locked = state != NULL && strcmp(state, "locked") == 0;
        rules->protected_append = json_bool(policy, "protected_append", false);
    }
    return 0;
}

int rules_of(struct db *db, const struct container_row *container, struct rules *ret,
             struct call *call)
{
    struct rules rules = {0};
    if (account_rules(db, container->account, &rules, call) < 0 ||
        container_rules(container, &rules, &call->err) < 0)
        return -1;
    *ret = rules;
    return 0;
}
