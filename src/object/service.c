// SPDX-License-Identifier: EUPL-1.2
/* The object service's frame: its stores, its transactions, its accounts.  See service.h. */
#include <assert.h>
#include <string.h>

#include "object/object_private.h"

#define HOUR            (3600 * CLOCK_SECOND)
#define INTENT_TIME     (24 * HOUR)
#define GARBAGE_AFTER   HOUR
#define BLOCK_TIME      (7 * 24 * HOUR)
#define BUFFERS         (32U * 1024 * 1024)
#define RACES_MAX       10
#define PAUSE_OF_A_RACE (2 * CLOCK_MILLISECOND)

struct service *service_new(const struct service_options *options)
{
    assert(options->store_count > 0);
    struct service *service = xcalloc(1, sizeof(*service));
    service->stores = xcalloc(options->store_count, sizeof(*service->stores));
    service->dirty = xcalloc(options->store_count, sizeof(*service->dirty));
    service->store_count = options->store_count;
    for (size_t i = 0; i < options->store_count; i++) {
        const struct service_store *from = &options->stores[i];
        service->stores[i] = (struct service_store){.name = xstrdup(from->name),
                                                    .store = from->store,
                                                    .container = xstrdup(from->container)};
    }
    service->intent_time = options->intent_time != 0 ? options->intent_time : INTENT_TIME;
    service->garbage_after = options->garbage_after != 0 ? options->garbage_after : GARBAGE_AFTER;
    service->block_time = options->block_time != 0 ? options->block_time : BLOCK_TIME;
    budget_init(&service->buffers, BUFFERS);
    (void)pthread_mutex_init(&service->accounts.lock, NULL);
    return service;
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    for (size_t i = 0; i < service->store_count; i++) {
        free((char *)service->stores[i].name);
        free((char *)service->stores[i].container);
    }
    budget_release(&service->buffers);
    for (size_t i = 0; i < ACCOUNTS_KEPT; i++)
        account_row_release(&service->accounts.list[i].row);
    (void)pthread_mutex_destroy(&service->accounts.lock);
    free(service->dirty);
    free(service->stores);
    free(service);
}

/* Runs in the index's writer before each durable commit: the bodies its rows speak of. */
int service_before_commit(void *argument, struct call *call)
{
    struct service *service = argument;
    for (size_t i = 0; i < service->store_count; i++) {
        if (!atomic_exchange(&service->dirty[i], false))
            continue;
        if (store_sync(service->stores[i].store, call) < 0) {
            atomic_store(&service->dirty[i], true);
            return err_prefix(&call->err, "make bodies durable in '%s'", service->stores[i].name);
        }
    }
    return 0;
}

void service_attach(struct service *service, struct index *index)
{
    service->index = index;
}

int service_start(struct service *service, struct index *index, struct call *call)
{
    service_attach(service, index);
    for (size_t i = 0; i < service->store_count; i++) {
        const struct service_store *s = &service->stores[i];
        if (s->store->containers == NULL)
            continue;
        if (store_container_create(s->store, s->container, NULL, call) < 0) {
            if (call->err.code != ERR_EXISTS)
                return err_prefix(&call->err, "container for bodies '%s:%s'", s->name,
                                  s->container);
            err_clear(&call->err);
        }
    }
    return 0;
}

struct index *service_index(struct service *service)
{
    return service->index;
}

struct service_store *service_store_of(struct service *service, const char *name)
{
    for (size_t i = 0; i < service->store_count; i++)
        if (strcmp(service->stores[i].name, name) == 0)
            return &service->stores[i];
    return NULL;
}

/* ---- Transactions ---- */

int service_write(struct service *service, db_function *function, void *argument, struct call *call)
{
    for (int race = 0;; race++) {
        if (index_write(service->index, INDEX_DURABLE, function, argument, call) == 0)
            return 0;
        /* Another gateway made the same row between our look and our insert: look again. */
        if (call->err.code != ERR_EXISTS || call->err.fault != 0 || race == RACES_MAX)
            return -1;
        err_clear(&call->err);
        if (call_sleep(call, PAUSE_OF_A_RACE << race) < 0)
            return -1;
    }
}

int service_read_index(struct service *service, db_function *function, void *argument,
                       struct call *call)
{
    return index_read(service->index, function, argument, call);
}

int select_rows(struct db *db, const struct table *t, const char *where, struct db_statement **ret,
                struct call *call)
{
    return row_select(db, t, where, ret, call);
}

int select_one(const struct table *t, struct db_statement *s, void *ret_row, struct call *call)
{
    int row = db_step(s, call);
    if (row > 0)
        row_read(t, s, 0, ret_row);
    db_reset(s);
    return row;
}

void bind_name(struct db_statement *s, int number, const char *name)
{
    if (name == NULL)
        db_bind_null(s, number);
    else
        db_bind_blob(s, number, name, strlen(name));
}

/* ---- Accounts ---- */

struct account_task {
    const char *name;
    const char *settings;
    struct account_row *row;
};

static int find_account(struct db *db, void *argument, struct call *call)
{
    struct account_task *task = argument;
    auto_account_row struct account_row row = account_row_new();
    row.name = xstrdup(task->name);
    int found = row_find(db, &account_table, &row, call);
    if (found < 0)
        return -1;
    if (found == 0)
        return fault_set(&call->err, FAULT_ACCOUNT_MISSING, "no account '%s'", task->name);
    if (task->row != NULL)
        row_copy(&account_table, task->row, &row);
    return 0;
}

static struct kept_account *kept_of(struct kept_accounts *accounts, const char *name)
{
    size_t hash = 0;
    for (const char *c = name; *c != '\0'; c++)
        hash = 31 * hash + (unsigned char)*c;
    return &accounts->list[hash % ACCOUNTS_KEPT];
}

int service_account_fresh(struct service *service, const char *name, struct account_row *ret,
                          struct call *call)
{
    struct kept_accounts *accounts = &service->accounts;
    struct account_task task = {.name = name, .row = ret};
    int64_t now = clock_monotonic();
    uint64_t changes = index_account_changes(service->index);
    if (service_read_index(service, find_account, &task, call) < 0)
        return -1;
    locked(&accounts->lock);
    struct kept_account *kept = kept_of(accounts, name);
    row_copy(&account_table, &kept->row, ret);
    kept->read = now;
    kept->changes = changes;
    return 0;
}

int service_account_get(struct service *service, const char *name, struct account_row *ret,
                        struct call *call)
{
    {
        locked(&service->accounts.lock);
        const struct kept_account *kept = kept_of(&service->accounts, name);
        if (same_string(kept->row.name, name) &&
            kept->changes == index_account_changes(service->index) &&
            clock_monotonic() - kept->read < ACCOUNT_AGE_MAX) {
            row_copy(&account_table, ret, &kept->row);
            return 0;
        }
    }
    return service_account_fresh(service, name, ret, call);
}

static int set_settings(struct db *db, void *argument, struct call *call)
{
    struct account_task *task = argument;
    auto_account_row struct account_row row = account_row_new();
    row.name = xstrdup(task->name);
    int found = row_lock(db, &account_table, &row, call);
    if (found < 0)
        return -1;
    if (found == 0)
        return fault_set(&call->err, FAULT_ACCOUNT_MISSING, "no account '%s'", task->name);
    replace_string(&row.settings, task->settings);
    return index_now(db, &row.changed, call) < 0 ? -1 : row_update(db, &account_table, &row, call);
}

int service_account_settings(struct service *service, const char *name, const char *settings,
                             struct call *call)
{
    struct account_task task = {.name = name, .settings = settings};
    return service_write(service, set_settings, &task, call);
}
