// SPDX-License-Identifier: EUPL-1.2
/* The containers of a job, and who lists them. */
#include "move/ledger_private.h"
#include "util/thread.h"

void ledger_container_release(struct ledger_container *c)
{
    free(c->source);
    free(c->target);
    free(c->properties);
    free(c->carried);
    free(c->cursor);
    free(c->error);
    *c = (struct ledger_container){0};
}

int ledger_container_read(struct ledger *l, int64_t id, struct ledger_container *ret,
                          struct call *call)
{
    auto_ledger_container struct ledger_container c = {0};
    struct db_statement *s;

    if (db_prepare(l->db,
                   "SELECT c.id, c.source, c.target, c.properties, c.carried, c.position,"
                   " c.complete, c.generation < j.generation AND j.containers_complete = 1,"
                   " c.code, c.error FROM container c JOIN job j ON j.id = c.job WHERE c.id = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, id);
    int row = db_step(s, call);
    if (row > 0)
        c = (struct ledger_container){
            .id = db_column_int(s, 0),
            .source = ledger_column_name(s, 1),
            .target = ledger_column_name(s, 2),
            .properties = ledger_column_string(s, 3),
            .carried = ledger_column_string(s, 4),
            .cursor = ledger_column_name(s, 5),
            .complete = db_column_int(s, 6) != 0,
            .gone = db_column_int(s, 7) != 0,
            .code = ledger_column_code(s, 8),
            .error = ledger_column_string(s, 9),
        };
    db_reset(s);
    if (row == 0)
        return err_set(&call->err, ERR_NOT_FOUND, "the ledger has no container %lld",
                       (long long)id);
    if (row < 0 || db_prepare(l->db,
                              "SELECT state, objects, bytes FROM tally WHERE container = ?1"
                              " AND job = (SELECT job FROM container WHERE id = ?1)",
                              &s, call) < 0)
        return -1;
    db_bind_int(s, 1, id);
    if (ledger_counts_read(s, &c.counts, call) < 0)
        return -1;
    *ret = c;
    c = (struct ledger_container){0};
    return 0;
}

int ledger_container_get(struct ledger *l, int64_t container, struct ledger_container *ret,
                         struct call *call)
{
    locked(&l->lock);
    return ledger_container_read(l, container, ret, call);
}

int ledger_containers(struct ledger *l, int64_t job, int64_t after, struct ledger_container *ret,
                      int max, struct call *call)
{
    int count = 0;

    locked(&l->lock);
    while (count < max) {
        int64_t id;
        int row = ledger_ask(l->db,
                             "SELECT id FROM container WHERE job = ?1 AND id > ?2"
                             " ORDER BY id LIMIT 1",
                             INTS(job, after), &id, call);
        if (row == 0)
            break;
        if (row < 0 || ledger_container_read(l, id, &ret[count], call) < 0) {
            while (count > 0)
                ledger_container_release(&ret[--count]);
            return -1;
        }
        count++;
        after = id;
    }
    return count;
}

struct add {
    struct ledger *l;
    const char *source;
    const char *target;
    const char *properties;
    int64_t id; /* result */
};

static int add_container(struct db *db, void *argument, struct call *call)
{
    struct add *work = argument;
    struct db_statement *s;

    if (db_prepare(db,
                   "INSERT INTO container (job, source, target, generation, properties, complete,"
                   " objects, mapped) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 0)"
                   " ON CONFLICT (job, source) DO UPDATE SET target = excluded.target,"
                   " generation = excluded.generation,"
                   " properties = COALESCE(excluded.properties, container.properties)"
                   " RETURNING id",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, work->l->job);
    ledger_bind_name(s, 2, work->source);
    ledger_bind_name(s, 3, work->target);
    db_bind_int(s, 4, work->l->generation);
    db_bind_text(s, 5, work->properties);
    int row = db_step(s, call);
    if (row > 0)
        work->id = db_column_int(s, 0);
    db_reset(s);
    return row > 0 ? 0 : -1;
}

int ledger_container_add(struct ledger *l, const char *source, const char *target,
                         const char *properties, int64_t *ret_id, struct call *call)
{
    locked(&l->lock);
    struct add work = {l, source, target, properties, 0};

    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    if (db_transact(l->db, add_container, &work, call) < 0) {
        if (call->err.code == ERR_EXISTS)
            return err_set(&call->err, ERR_EXISTS,
                           "container '%s' would land on '%s' at the target, where another one "
                           "goes already: map it to another name",
                           source, target);
        return err_prefix(&call->err, "note container '%s'", source);
    }
    if (ret_id)
        *ret_id = work.id;
    return 0;
}

int ledger_containers_complete(struct ledger *l, struct call *call)
{
    locked(&l->lock);
    if (ledger_ready(l, call) < 0)
        return -1;
    return ledger_run(l->db, "UPDATE job SET containers_complete = 1 WHERE id = ?1", INTS(l->job),
                      NULL, call);
}

int ledger_container_carried(struct ledger *l, int64_t container, const char *carried,
                             struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db, "UPDATE container SET carried = ?2 WHERE id = ?1", &s, call) < 0)
        return -1;
    db_bind_int(s, 1, container);
    db_bind_text(s, 2, carried);
    return db_run(s, NULL, call);
}

int ledger_container_refuse(struct ledger *l, int64_t container, enum err_code code,
                            const char *error, struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db, "UPDATE container SET code = ?2, error = ?3, lister = NULL WHERE id = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, container);
    ledger_bind_code(s, 2, code);
    db_bind_text(s, 3, code == ERR_NONE ? NULL : error);
    return db_run(s, NULL, call);
}

/* ---- Who lists ---- */

struct claim {
    struct ledger *l;
    int64_t container; /* result; 0: none */
};

static int claim_listing(struct db *db, void *argument, struct call *call)
{
    struct claim *work = argument;

    work->container = 0;
    int row = ledger_ask(db,
                         "SELECT id FROM container WHERE job = ?1 AND generation = ?2"
                         " AND complete = 0 AND lister IS NULL AND code IS NULL"
                         " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED",
                         INTS(work->l->job, work->l->generation), &work->container, call);
    if (row <= 0)
        return row;
    return ledger_run(db, "UPDATE container SET lister = ?2 WHERE id = ?1",
                      INTS(work->container, work->l->worker), NULL, call);
}

int ledger_list_claim(struct ledger *l, struct ledger_container *ret, struct call *call)
{
    locked(&l->lock);
    struct claim work = {.l = l};

    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    if (db_transact(l->db, claim_listing, &work, call) < 0)
        return err_prefix(&call->err, "claim a container to list");
    if (!work.container)
        return 0;
    return ledger_container_read(l, work.container, ret, call) < 0 ? -1 : 1;
}

int ledger_list_restart(struct ledger *l, int64_t container, struct call *call)
{
    locked(&l->lock);
    return ledger_run(l->db,
                      "UPDATE container SET position = NULL, complete = 0 WHERE id = ?1"
                      " AND lister = ?2",
                      INTS(container, l->worker), NULL, call);
}

int ledger_list_release(struct ledger *l, int64_t container, struct call *call)
{
    locked(&l->lock);
    return ledger_run(l->db, "UPDATE container SET lister = NULL WHERE id = ?1 AND lister = ?2",
                      INTS(container, l->worker), NULL, call);
}

int ledger_listing_done(struct ledger *l, bool *ret, struct call *call)
{
    int64_t open;

    int row = ledger_ask(l->db,
                         "SELECT (SELECT COUNT(*) FROM job WHERE id = ?1"
                         " AND containers_complete = 0) + (SELECT COUNT(*) FROM container"
                         " WHERE job = ?1 AND generation = ?2 AND complete = 0 AND code IS NULL)",
                         INTS(l->job, l->generation), &open, call);
    if (row < 0)
        return -1;
    *ret = open == 0;
    return 0;
}

int ledger_list_done(struct ledger *l, bool *ret, struct call *call)
{
    locked(&l->lock);
    if (ledger_ready(l, call) < 0)
        return -1;
    return ledger_listing_done(l, ret, call);
}
