// SPDX-License-Identifier: EUPL-1.2
/* After a complete listing: what an earlier generation knew and this one did not see is gone. */
#include <string.h>

#include "move/ledger_private.h"
#include "util/thread.h"

#define SWEEP_STEP 2000

struct sweep {
    struct ledger *l;
    int64_t container;
    char *name; /* the last object looked at; NULL at the start */
    char *version;
    int64_t kind;
    bool ended;         /* result of a step */
    int64_t step_found; /* result of a step */
    char *step_name;    /* result of a step */
    char *step_version;
    int64_t step_kind;
    struct ledger_changes changes;
};

static void sweep_release(struct sweep *w)
{
    free(w->name);
    free(w->version);
    free(w->step_name);
    free(w->step_version);
    ledger_changes_release(&w->changes);
}

/* The next container with id > after that lost something: 1 or 0.  Those whose rows are all
 * accounted for need no look. */
static int next_container(struct ledger *l, int64_t after, int64_t *ret, struct call *call)
{
    return ledger_ask(l->db,
                      "SELECT c.id FROM container c JOIN job j ON j.id = c.job"
                      " WHERE c.job = ?1 AND c.id > ?2"
                      " AND (c.complete = 1 OR (c.generation < j.generation"
                      " AND j.containers_complete = 1))"
                      " AND c.objects > (SELECT COALESCE(SUM(t.objects), 0) FROM tally t"
                      " WHERE t.job = c.job AND t.container = c.id) ORDER BY c.id LIMIT 1",
                      INTS(l->job, after), ret, call);
}

static int prepare_step(struct sweep *w, struct db_statement **ret, struct call *call)
{
    if (db_prepare(w->l->db,
                   "SELECT id, name, version, kind, size, state < 8 AND generation < ?5"
                   " FROM object WHERE container = ?1 AND (name, version, kind) > (?2, ?3, ?4)"
                   " ORDER BY name, version, kind LIMIT ?6",
                   ret, call) < 0)
        return -1;
    db_bind_int(*ret, 1, w->container);
    ledger_bind_name(*ret, 2, w->name ? w->name : "");
    ledger_bind_name(*ret, 3, w->version ? w->version : "");
    db_bind_int(*ret, 4, w->name ? w->kind : -1);
    db_bind_int(*ret, 5, w->l->generation);
    db_bind_int(*ret, 6, SWEEP_STEP);
    return 0;
}

/* Read a page and remember the ids of what is gone. */
static int find_gone(struct sweep *w, int64_t *gone, size_t *ret_count, struct call *call)
{
    struct db_statement *s;
    size_t count = 0;
    int seen = 0;
    int row;

    if (prepare_step(w, &s, call) < 0)
        return -1;
    while ((row = db_step(s, call)) > 0) {
        if (db_column_int(s, 5)) {
            gone[count++] = db_column_int(s, 0);
            ledger_change(&w->changes, w->container, LEDGER_GONE, 1, db_column_int(s, 4));
        }
        if (++seen == SWEEP_STEP) {
            free(w->step_name);
            free(w->step_version);
            w->step_name = ledger_column_name(s, 1);
            w->step_version = ledger_column_name(s, 2);
            w->step_kind = db_column_int(s, 3);
        }
    }
    db_reset(s);
    w->ended = seen < SWEEP_STEP;
    *ret_count = count;
    return row;
}

static int sweep_step(struct db *db, void *argument, struct call *call)
{
    struct sweep *w = argument;
    int64_t gone[SWEEP_STEP];
    size_t count;
    struct db_statement *s;

    int64_t locked_id;

    w->changes.count = 0;
    /* Two processes must not count the same object as gone. */
    if (ledger_ask(db, "SELECT id FROM container WHERE id = ?1 FOR UPDATE", INTS(w->container),
                   &locked_id, call) < 0)
        return -1;
    if (find_gone(w, gone, &count, call) < 0)
        return -1;
    w->step_found = (int64_t)count;
    if (db_prepare(db,
                   "UPDATE object SET state = 8, worker = NULL, due = NULL, code = NULL,"
                   " error = NULL WHERE id = ?1",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        db_bind_int(s, 1, gone[i]);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return ledger_changes_write(db, w->l->job, &w->changes, call);
}

static int sweep_container(struct ledger *l, int64_t container, int64_t *found, struct call *call)
{
    cleanup(sweep_release) struct sweep w = {.l = l, .container = container};

    while (!w.ended) {
        if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0 ||
            db_transact(l->db, sweep_step, &w, call) < 0)
            return -1;
        *found += w.step_found;
        if (!w.ended) {
            free(w.name);
            free(w.version);
            w.name = take(w.step_name);
            w.version = take(w.step_version);
            w.kind = w.step_kind;
        }
    }
    return 0;
}

int ledger_sweep(struct ledger *l, int64_t *ret, struct call *call)
{
    int64_t found = 0;
    int64_t container = 0;
    int row;

    locked(&l->lock);
    if (ledger_ready(l, call) < 0)
        return -1;
    while ((row = next_container(l, container, &container, call)) > 0)
        if (sweep_container(l, container, &found, call) < 0)
            return err_prefix(&call->err, "look for objects that are no longer at the source");
    if (row < 0)
        return -1;
    *ret = found;
    return 0;
}
