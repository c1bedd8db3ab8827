// SPDX-License-Identifier: EUPL-1.2
/* Containers: see container.h. */
#include "object/container.h"

#include <string.h>

#include "codec/json.h"
#include "object/object_private.h"
#include "util/random.h"

struct container_task {
    struct service *service;
    const char *account;
    const char *name;
    const struct container_row *properties;
    const struct conditions *conditions;
    const struct container_change *change;
    bool must_be_empty;
    struct container_row *ret;
};

static void give(struct container_row *ret, const struct container_row *row)
{
    if (ret != NULL)
        row_copy(&container_table, ret, row);
}

static int account_must_be(struct db *db, const char *name, struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db, "SELECT 1 FROM account WHERE name = ?1", &find, call) < 0)
        return -1;
    db_bind_text(find, 1, name);
    int found = db_step(find, call);
    db_reset(find);
    if (found == 0)
        return fault_set(&call->err, FAULT_ACCOUNT_MISSING, "no account '%s'", name);
    return found < 0 ? -1 : 0;
}

/* ---- Create ---- */

static int create(struct db *db, void *argument, struct call *call)
{
    const struct container_task *task = argument;
    auto_container_row struct container_row row = container_row_new();
    int64_t now;
    if (index_now(db, &now, call) < 0 || account_must_be(db, task->account, call) < 0)
        return -1;
    if (container_find(db, task->account, task->name, true, &row, call) == 0)
        return fault_set(&call->err, FAULT_CONTAINER_EXISTS, "the container '%s' is there already",
                         task->name);
    if (call->err.fault != FAULT_CONTAINER_MISSING)
        return -1;
    err_clear(&call->err);
    const struct container_row *p = task->properties;
    row.id = index_new_id();
    row.account = xstrdup(task->account);
    row.name = xstrdup(task->name);
    row.etag = etag_of(now);
    row.created = row.modified = now;
    if (p != NULL) {
        row.metadata = xstrdup_null(p->metadata);
        row.access = xstrdup_null(p->access);
        row.settings = xstrdup_null(p->settings);
        row.owner = xstrdup_null(p->owner);
    }
    if (row_insert(db, &container_table, &row, call) < 0)
        return -1;
    give(task->ret, &row);
    return 0;
}

int service_container_create(struct service *service, const char *account, const char *name,
                             const struct container_row *properties, struct container_row *ret,
                             struct call *call)
{
    struct container_task task = {
        .service = service, .account = account, .name = name, .properties = properties, .ret = ret};
    return service_write(service, create, &task, call);
}

/* ---- Look and change ---- */

static int look(struct db *db, void *argument, struct call *call)
{
    const struct container_task *task = argument;
    auto_container_row struct container_row row = container_row_new();
    int64_t now;
    if (index_now(db, &now, call) < 0 ||
        container_find(db, task->account, task->name, false, &row, call) < 0)
        return -1;
    if (task->conditions != NULL &&
        (lease_check_container(&row, task->conditions->lease, false, now, &call->err) < 0 ||
         conditions_check_container(task->conditions, &row, true, &call->err) < 0))
        return -1;
    give(task->ret, &row);
    return 0;
}

int service_container_get(struct service *service, const char *account, const char *name,
                          const struct conditions *conditions, struct container_row *ret,
                          struct call *call)
{
    struct container_task task = {
        .service = service, .account = account, .name = name, .conditions = conditions, .ret = ret};
    return service_read_index(service, look, &task, call);
}

static void apply(struct container_row *row, const struct container_change *c)
{
    const struct {
        bool set;
        char **slot;
        const char *text;
    } parts[] = {
        {c->set_metadata, &row->metadata, c->metadata},
        {c->set_access, &row->access, c->access},
        {c->set_policies, &row->policies, c->policies},
        {c->set_settings, &row->settings, c->settings},
        {c->set_immutability, &row->immutability, c->immutability},
        {c->set_legal_holds, &row->legal_holds, c->legal_holds},
    };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (parts[i].set)
            replace_string(parts[i].slot, parts[i].text);
}

static int change(struct db *db, void *argument, struct call *call)
{
    const struct container_task *task = argument;
    auto_container_row struct container_row row = container_row_new();
    int64_t now;
    if (index_now(db, &now, call) < 0 ||
        container_find(db, task->account, task->name, true, &row, call) < 0)
        return -1;
    if (task->conditions != NULL &&
        (lease_check_container(&row, task->conditions->lease, false, now, &call->err) < 0 ||
         conditions_check_container(task->conditions, &row, false, &call->err) < 0))
        return -1;
    apply(&row, task->change);
    if (task->change->touch) {
        free(row.etag);
        row.etag = etag_of(now);
        row.modified = now;
    }
    if (row_update(db, &container_table, &row, call) < 0)
        return -1;
    give(task->ret, &row);
    return 0;
}

struct setting_task {
    struct container_task task;
    const char *key;
    const json_t *value;
};

static int set_setting(struct db *db, void *argument, struct call *call)
{
    const struct setting_task *t = argument;
    auto_container_row struct container_row row = container_row_new();
    auto_json json_t *settings = NULL;
    if (container_find(db, t->task.account, t->task.name, true, &row, call) < 0)
        return -1;
    if (row.settings == NULL)
        settings = json_object();
    else if (json_parse(row.settings, strlen(row.settings), &settings, &call->err) < 0)
        return err_prefix(&call->err, "settings of %s", t->task.name);
    if (t->value == NULL)
        (void)json_object_del(settings, t->key);
    else
        (void)json_object_set_new(settings, t->key, json_deep_copy(t->value));
    free(row.settings);
    row.settings =
        json_object_size(settings) > 0 ? json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    if (row_update(db, &container_table, &row, call) < 0)
        return -1;
    give(t->task.ret, &row);
    return 0;
}

int service_container_setting(struct service *service, const char *account, const char *name,
                              const char *key, const char *value, struct container_row *ret,
                              struct call *call)
{
    auto_json json_t *array = NULL;
    auto_free char *text = value != NULL ? xasprintf("[%s]", value) : NULL;
    struct setting_task t = {
        .task = {.service = service, .account = account, .name = name, .ret = ret}, .key = key};
    if (text != NULL) {
        if (json_parse(text, strlen(text), &array, &call->err) < 0)
            return -1;
        t.value = json_array_get(array, 0);
    }
    return service_write(service, set_setting, &t, call);
}

int service_container_change(struct service *service, const char *account, const char *name,
                             const struct conditions *conditions,
                             const struct container_change *what, struct container_row *ret,
                             struct call *call)
{
    struct container_task task = {.service = service,
                                  .account = account,
                                  .name = name,
                                  .conditions = conditions,
                                  .change = what,
                                  .ret = ret};
    return service_write(service, change, &task, call);
}

/* ---- Delete and restore ---- */

static int any_object(struct db *db, int64_t container, struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db, "SELECT 1 FROM object WHERE container = ?1 LIMIT 1", &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    int any = db_step(find, call);
    db_reset(find);
    return any;
}

static int may_delete(struct db *db, const struct container_task *task,
                      const struct container_row *row, const struct rules *rules, int64_t now,
                      struct call *call)
{
    if (task->conditions != NULL &&
        (lease_check_container(row, task->conditions->lease, true, now, &call->err) < 0 ||
         conditions_check_container(task->conditions, row, false, &call->err) < 0))
        return -1;
    int any = 0;
    bool keeps = rules->legal_hold || rules->immutable_days > 0;
    if ((keeps || task->must_be_empty) && (any = any_object(db, row->id, call)) < 0)
        return -1;
    if (any > 0 && task->must_be_empty)
        return fault_set(&call->err, FAULT_CONTAINER_NOT_EMPTY, "the bucket '%s' is not empty",
                         task->name);
    if (any > 0 && keeps)
        return fault_set(&call->err, rules->legal_hold ? FAULT_LEGAL_HOLD : FAULT_IMMUTABLE,
                         "the container '%s' has an immutability policy and objects", task->name);
    return 0;
}

/* What it held goes with the sweep; its name is free at once. */
static int delete_it(struct db *db, void *argument, struct call *call)
{
    const struct container_task *task = argument;
    auto_container_row struct container_row row = container_row_new();
    struct rules rules;
    int64_t now;
    if (index_now(db, &now, call) < 0 ||
        container_find(db, task->account, task->name, true, &row, call) < 0 ||
        rules_of(db, &row, &rules, call) < 0 || may_delete(db, task, &row, &rules, now, call) < 0)
        return -1;
    char version[17];
    random_hex(version, 8);
    row.deleted = now;
    row.deleted_until = now + rules.container_retention;
    replace_string(&row.deleted_version, version);
    replace_string(&row.lease_id, NULL);
    row.lease_state = LEASE_NONE;
    row.lease_until = TIME_UNKNOWN;
    return row_update(db, &container_table, &row, call);
}

int service_container_delete(struct service *service, const char *account, const char *name,
                             const struct conditions *conditions, bool must_be_empty,
                             struct call *call)
{
    struct container_task task = {.service = service,
                                  .account = account,
                                  .name = name,
                                  .conditions = conditions,
                                  .must_be_empty = must_be_empty};
    return service_write(service, delete_it, &task, call);
}

struct restore_task {
    const char *account;
    const char *deleted_name;
    const char *version;
    const char *name;
    struct container_row *ret;
};

static int restore(struct db *db, void *argument, struct call *call)
{
    const struct restore_task *task = argument;
    auto_container_row struct container_row row = container_row_new();
    auto_container_row struct container_row there = container_row_new();
    struct db_statement *find;
    int64_t now;
    if (index_now(db, &now, call) < 0)
        return -1;
    if (container_find(db, task->account, task->name, true, &there, call) == 0)
        return fault_set(&call->err, FAULT_CONTAINER_EXISTS, "the container '%s' is there already",
                         task->name);
    if (call->err.fault != FAULT_CONTAINER_MISSING)
        return -1;
    err_clear(&call->err);
    if (select_rows(db, &container_table,
                    "WHERE account = ?1 AND name = ?2 AND deleted_version = ?3 AND deleted_until > "
                    "?4 FOR UPDATE",
                    &find, call) < 0)
        return -1;
    db_bind_text(find, 1, task->account);
    db_bind_text(find, 2, task->deleted_name);
    db_bind_text(find, 3, task->version);
    db_bind_int(find, 4, now);
    int found = select_one(&container_table, find, &row, call);
    if (found == 0)
        return fault_set(&call->err, FAULT_CONTAINER_MISSING,
                         "no deleted container '%s' of that version", task->deleted_name);
    if (found < 0)
        return -1;
    replace_string(&row.name, task->name);
    replace_string(&row.deleted_version, NULL);
    row.deleted = row.deleted_until = TIME_UNKNOWN;
    if (row_update(db, &container_table, &row, call) < 0)
        return -1;
    give(task->ret, &row);
    return 0;
}

int service_container_restore(struct service *service, const char *account,
                              const char *deleted_name, const char *deleted_version,
                              const char *name, struct container_row *ret, struct call *call)
{
    struct restore_task task = {account, deleted_name, deleted_version, name, ret};
    return service_write(service, restore, &task, call);
}

/* ---- List ---- */

void container_rows_release(struct container_rows *l)
{
    for (size_t i = 0; i < l->count; i++)
        container_row_release(&l->list[i]);
    free(l->list);
    free(l->next);
    *l = (struct container_rows){0};
}

struct list_task {
    const char *account;
    const char *prefix;
    const char *marker;
    unsigned limit;
    bool deleted;
    struct container_rows *ret;
};

static int list_rows(struct db *db, const struct list_task *task, int64_t now,
                     struct container_rows *into, struct call *call)
{
    struct db_statement *find;
    /* The smallest name that is wanted; "" is below all. */
    const char *from = task->prefix != NULL ? task->prefix : "";
    if (task->marker != NULL && strcmp(task->marker, from) > 0)
        from = task->marker;
    if (select_rows(db, &container_table,
                    "WHERE account = ?1 AND CAST(name AS BLOB) >= ?2 AND (deleted IS NULL OR (?3 "
                    "= 1 AND deleted_until > ?4)) ORDER BY CAST(name AS BLOB), id LIMIT ?5",
                    &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_text(find, 1, task->account);
    db_bind_blob(find, 2, from, strlen(from));
    db_bind_int(find, 3, task->deleted);
    db_bind_int(find, 4, now);
    db_bind_int(find, 5, (int64_t)task->limit + 1);
    size_t prefix_length = task->prefix != NULL ? strlen(task->prefix) : 0;
    int row;
    while ((row = db_step(find, call)) > 0) {
        struct container_row container = container_row_new();
        row_read(&container_table, find, 0, &container);
        if (prefix_length > 0 && strncmp(container.name, task->prefix, prefix_length) != 0) {
            container_row_release(&container);
            return 0;
        }
        if (into->count == task->limit) {
            into->next = xstrdup(container.name);
            container_row_release(&container);
            return 0;
        }
        if (into->count == into->size) {
            into->size = into->size == 0 ? 16 : 2 * into->size;
            into->list = xrealloc(into->list, into->size, sizeof(*into->list));
        }
        into->list[into->count++] = container;
    }
    return row;
}

static int list(struct db *db, void *argument, struct call *call)
{
    const struct list_task *task = argument;
    auto_container_rows struct container_rows found = {0};
    int64_t now;
    if (index_now(db, &now, call) < 0 || account_must_be(db, task->account, call) < 0 ||
        list_rows(db, task, now, &found, call) < 0)
        return -1;
    container_rows_release(task->ret);
    *task->ret = found;
    found = (struct container_rows){0};
    return 0;
}

int service_container_list(struct service *service, const char *account, const char *prefix,
                           const char *marker, unsigned limit, bool deleted,
                           struct container_rows *ret, struct call *call)
{
    struct list_task task = {account, prefix, marker, limit, deleted, ret};
    return service_read_index(service, list, &task, call);
}
