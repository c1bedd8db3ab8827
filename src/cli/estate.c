// SPDX-License-Identifier: EUPL-1.2
/* What a gateway keeps, for bascule leave: see estate.h. */
#include "cli/estate.h"

#include <string.h>

#include "cli/accounts.h"
#include "cli/credentials.h"
#include "cli/roles.h"
#include "object/container.h"

#define PAGE 1000

void estate_release(struct estate *e)
{
    for (size_t i = 0; i < e->count; i++) {
        struct estate_account *a = &e->accounts[i];
        for (size_t k = 0; k < a->count; k++) {
            free(a->containers[k].name);
            free(a->containers[k].target);
        }
        free(a->containers);
        free(a->name);
        free(a->prefix);
        pairs_release(&a->map);
        json_decref(a->stays);
    }
    free(e->accounts);
    *e = (struct estate){0};
}

static struct estate_account *add_account(struct estate *e, const char *name)
{
    e->accounts = xrealloc(e->accounts, e->count + 1, sizeof(*e->accounts));
    e->accounts[e->count] =
        (struct estate_account){.name = xstrdup(name), .map = PAIRS_INIT, .stays = json_object()};
    return &e->accounts[e->count++];
}

/* ---- Containers ---- */

static void add_containers(struct estate_account *a, const struct container_rows *rows)
{
    a->containers = xrealloc(a->containers, a->count + rows->count + 1, sizeof(*a->containers));
    for (size_t i = 0; i < rows->count; i++) {
        const struct container_row *row = &rows->list[i];
        if (row->deleted != TIME_UNKNOWN) {
            json_t *list = json_object_get(a->stays, "soft_deleted_containers");
            if (!list) {
                list = json_array();
                (void)json_object_set_new(a->stays, "soft_deleted_containers", list);
            }
            (void)json_array_append_new(list, json_string(row->name));
            a->deleted++;
            continue;
        }
        a->containers[a->count++] = (struct estate_container){.name = xstrdup(row->name)};
    }
}

static int read_containers(struct gateway *g, struct estate_account *a, struct call *call)
{
    auto_free char *from = NULL;

    do {
        auto_container_rows struct container_rows rows = {0};
        if (service_container_list(g->service, a->name, NULL, from, PAGE, true, &rows, call) < 0)
            return -1;
        add_containers(a, &rows);
        free(from);
        from = take(rows.next);
    } while (from);
    return 0;
}

/* ---- What stays ---- */

static int read_roles(struct gateway *g, struct estate_account *a, struct call *call)
{
    auto_role_rows struct role_rows rows = {0};
    json_t *list = json_array();

    (void)json_object_set_new(a->stays, "roles", list);
    if (role_list(g->index, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++) {
        const struct role_row *row = &rows.list[i];
        auto_free char *scope = role_scope_text(row);
        if (!row->account || same_string(row->account, a->name))
            (void)json_array_append_new(list,
                                        json_pack("{s:s,s:s,s:s}", "principal", row->principal,
                                                  "role", row->role, "scope", scope));
    }
    return 0;
}

static int read_keys(struct gateway *g, struct estate_account *a, struct call *call)
{
    auto_credential_rows struct credential_rows rows = {0};
    json_t *list = json_array();

    (void)json_object_set_new(a->stays, "s3_access_keys", list);
    if (credential_list(g->index, a->name, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        (void)json_array_append_new(list,
                                    json_pack("{s:s,s:s*}", "access_key", rows.list[i].access_key,
                                              "principal", rows.list[i].principal));
    return 0;
}

/* Things that are counted; ?1 is the account, ?2 the time. */
#define OF_ACCOUNT " JOIN container c ON x.container = c.id WHERE c.account = ?1"
static const struct {
    const char *key;
    const char *sql;
} counted[] = {
    {"leased_objects", "SELECT COUNT(*) FROM object x" OF_ACCOUNT
                       " AND x.lease_state IN (1, 2) AND (x.lease_until IS NULL OR"
                       " x.lease_until > ?2)"},
    {"leased_containers", "SELECT COUNT(*) FROM container c WHERE c.account = ?1 AND"
                          " c.lease_state IN (1, 2) AND (c.lease_until IS NULL OR"
                          " c.lease_until > ?2)"},
    {"objects_that_expire",
     "SELECT COUNT(*) FROM object x" OF_ACCOUNT " AND x.current = 1 AND x.goes_at > ?2"},
    {"staged_blocks",
     "SELECT COUNT(*) FROM block x" OF_ACCOUNT " AND x.upload = '' AND x.created <= ?2"},
    {"unfinished_uploads", "SELECT COUNT(*) FROM upload x" OF_ACCOUNT " AND x.created <= ?2"},
};

static int count_rows(struct db *db, void *argument, struct call *call)
{
    struct estate_account *a = argument;
    int64_t now;

    if (index_now(db, &now, call) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
        struct db_statement *find;
        if (db_prepare(db, counted[i].sql, &find, call) < 0)
            return -1;
        auto_statement struct db_statement *guard = find;
        db_bind_text(find, 1, a->name);
        db_bind_int(find, 2, now);
        if (db_step(find, call) < 0)
            return -1;
        (void)json_object_set_new(a->stays, counted[i].key, json_integer(db_column_int(find, 0)));
    }
    return 0;
}

static int read_account(struct gateway *g, struct estate_account *a, struct call *call)
{
    return read_containers(g, a, call) < 0 || read_roles(g, a, call) < 0 ||
                   read_keys(g, a, call) < 0 || index_read(g->index, count_rows, a, call) < 0
               ? -1
               : 0;
}

int estate_read(struct gateway *g, const char *const *names, size_t count, struct estate *ret,
                struct call *call)
{
    auto_account_rows struct account_rows rows = {0};
    auto_estate struct estate e = {0};

    if (!count && account_list(g->index, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        add_account(&e, rows.list[i].name);
    for (size_t i = 0; i < count; i++) {
        auto_account_row struct account_row row = account_row_new();
        bool again = false;
        if (account_find(g->index, names[i], &row, call) < 0)
            return -1;
        for (size_t k = 0; k < e.count; k++)
            again |= strcmp(e.accounts[k].name, row.name) == 0;
        if (!again)
            add_account(&e, row.name);
    }
    for (size_t i = 0; i < e.count; i++)
        if (read_account(g, &e.accounts[i], call) < 0)
            return -1;
    *ret = e;
    e = (struct estate){0};
    return 0;
}

/* ---- Names at the target ---- */

static void map_account(struct estate_account *a, const struct endpoint *target, bool with_account)
{
    size_t length = strlen(a->name);

    a->prefix = with_account ? xasprintf("%s-", a->name) : NULL;
    for (size_t i = 0; i < target->containers.count; i++) {
        const struct pair *p = &target->containers.list[i];
        if (strncmp(p->key, a->name, length) == 0 && p->key[length] == '/')
            pairs_add(&a->map, p->key + length + 1, p->value);
    }
    for (size_t i = 0; i < target->containers.count; i++) {
        const struct pair *p = &target->containers.list[i];
        if (!strchr(p->key, '/') && !pairs_get(&a->map, p->key))
            pairs_add(&a->map, p->key, p->value);
    }
    for (size_t i = 0; i < a->count; i++) {
        const char *mapped = pairs_get(&a->map, a->containers[i].name);
        a->containers[i].target =
            mapped ? xstrdup(mapped)
                   : xasprintf("%s%s", a->prefix ? a->prefix : "", a->containers[i].name);
    }
}

/* The other end of a container is one in which the gateway keeps what it needs. */
static bool is_gateways_own(const struct gateway *g, const struct endpoint *target,
                            const char *container)
{
    const struct serve_config *s = &g->serve;

    for (size_t i = 0; i < s->body_count; i++)
        if (strcmp(g->bodies[i].store->identity, target->store->identity) == 0 &&
            strcmp(g->bodies[i].container, container) == 0)
            return true;
    for (size_t i = 0; i < s->journal_count; i++)
        if (same_string(s->journal[i].store, target->store->name) &&
            strcmp(s->journal[i].container, container) == 0)
            return true;
    return false;
}

/* One container among all, for sorting. */
struct landing {
    const struct estate_account *account;
    const struct estate_container *container;
};

static int by_target(const void *a, const void *b)
{
    const struct landing *one = a, *other = b;

    return strcmp(one->container->target, other->container->target);
}

static int refuse_twins(const struct landing *one, const struct landing *other, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "leave: containers '%s/%s' and '%s/%s' would both land on '%s': say "
                   "--with-account, or map one in the target's configuration, as in containers: "
                   "{\"%s/%s\": another-name}",
                   one->account->name, one->container->name, other->account->name,
                   other->container->name, one->container->target, other->account->name,
                   other->container->name);
}

static int check_landings(struct landing *list, size_t count, const struct gateway *g,
                          const struct endpoint *target, struct err *err)
{
    if (count)
        qsort(list, count, sizeof(*list), by_target);
    for (size_t i = 0; i < count; i++) {
        const struct landing *l = &list[i];
        if (i && strcmp(l[-1].container->target, l->container->target) == 0)
            return refuse_twins(l - 1, l, err);
        if (is_gateways_own(g, target, l->container->target))
            return err_set(err, ERR_INVALID,
                           "leave: container '%s/%s' would land on '%s', where the gateway keeps "
                           "its own: map it in the target's configuration, as in containers: "
                           "{\"%s/%s\": another-name}",
                           l->account->name, l->container->name, l->container->target,
                           l->account->name, l->container->name);
    }
    return 0;
}

int estate_name(struct estate *e, const struct gateway *g, const struct endpoint *target,
                bool with_account, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < e->count; i++) {
        map_account(&e->accounts[i], target, with_account);
        count += e->accounts[i].count;
    }
    struct landing *list = xcalloc(count + 1, sizeof(*list));
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++)
        for (size_t k = 0; k < e->accounts[i].count; k++)
            list[n++] = (struct landing){&e->accounts[i], &e->accounts[i].containers[k]};
    int checked = check_landings(list, n, g, target, err);
    free(list);
    return checked;
}
