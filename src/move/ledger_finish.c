// SPDX-License-Identifier: EUPL-1.2
/* Recording outcomes. */
#include <assert.h>

#include "move/ledger_private.h"
#include "util/thread.h"

struct finish {
    struct ledger *l;
    struct ledger_result *results;
    size_t n;
    bool one_by_one; /* ask after each whether the claim was still ours */
    bool surprise;   /* result: some were not; run again one by one */
    struct ledger_changes changes;
};

static void finish_release(struct finish *w)
{
    ledger_changes_release(&w->changes);
}

static bool is_final(enum ledger_state state)
{
    return state != LEDGER_WAITING && state != LEDGER_PENDING;
}

static int64_t size_of(const struct ledger_result *r)
{
    return r->size >= 0 && is_final(r->state) ? r->size : r->object->size;
}

static int prepare_outcome(struct db *db, struct db_statement **ret, struct call *call)
{
    return db_prepare(db,
                      "UPDATE object SET state = ?3, worker = NULL, size = ?4,"
                      " etag = COALESCE(?5, etag), sha256 = COALESCE(?6, sha256),"
                      " target_etag = COALESCE(?7, target_etag),"
                      " target_checksum = COALESCE(?8, target_checksum),"
                      " proof = COALESCE(?9, proof), code = ?10, error = ?11, bytes = ?12,"
                      " started = ?13, finished = ?14, due = ?15"
                      " WHERE id = ?1 AND state = 1 AND worker = ?2",
                      ret, call);
}

/* The same for an object that has arrived: nothing of an earlier arrival may stay. */
static int prepare_arrival(struct db *db, struct db_statement **ret, struct call *call)
{
    return db_prepare(db,
                      "UPDATE object SET state = ?3, worker = NULL, size = ?4,"
                      " etag = COALESCE(?5, etag), sha256 = ?6, target_etag = ?7,"
                      " target_checksum = ?8, proof = ?9, code = ?10, error = ?11, bytes = ?12,"
                      " started = ?13, finished = ?14, due = ?15"
                      " WHERE id = ?1 AND state = 1 AND worker = ?2",
                      ret, call);
}

static int update_object(struct finish *w, const struct ledger_result *r, int64_t *ret_affected,
                         struct call *call)
{
    struct db_statement *s;
    int64_t finished = r->finished == TIME_UNKNOWN ? clock_wall() : r->finished;

    if (r->state == LEDGER_MOVED ? prepare_arrival(w->l->db, &s, call) < 0
                                 : prepare_outcome(w->l->db, &s, call) < 0)
        return -1;
    db_bind_int(s, 1, r->object->id);
    db_bind_int(s, 2, w->l->worker);
    db_bind_int(s, 3, r->state);
    db_bind_int(s, 4, size_of(r));
    ledger_bind_name(s, 5, is_final(r->state) ? r->etag : NULL);
    db_bind_blob(s, 6, r->sha256, r->sha256 ? LEDGER_SHA256 : 0);
    ledger_bind_name(s, 7, r->target_etag);
    db_bind_text(s, 8, r->target_checksum);
    db_bind_text(s, 9, r->proof);
    ledger_bind_code(s, 10, r->code);
    db_bind_text(s, 11, r->error);
    db_bind_int(s, 12, r->bytes);
    ledger_bind_time(s, 13, r->started);
    db_bind_int(s, 14, finished);
    if (r->state == LEDGER_WAITING)
        db_bind_int(s, 15, r->due);
    else
        db_bind_null(s, 15);
    *ret_affected = 1;
    return w->one_by_one ? db_run(s, ret_affected, call) : db_queue(s, call);
}

static int add_notes(struct finish *w, const struct ledger_result *r, struct call *call)
{
    const struct ledger_object *o = r->object;
    struct db_statement *s;

    /* Only who was here before can have left something. */
    if ((o->attempts > 1 || w->l->generation > 1) && is_final(r->state) &&
        ledger_run(w->l->db, "DELETE FROM finding WHERE object = ?1", INTS(o->id), NULL, call) < 0)
        return -1;
    if (r->note_count == 0)
        return 0;
    if (db_prepare(w->l->db,
                   "INSERT INTO finding (job, container, object, kind, text, time)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < r->note_count; i++) {
        db_bind_int(s, 1, w->l->job);
        db_bind_int(s, 2, o->container);
        db_bind_int(s, 3, o->id);
        db_bind_text(s, 4, r->notes[i].kind);
        db_bind_text(s, 5, r->notes[i].text);
        db_bind_int(s, 6, clock_wall());
        if (db_queue(s, call) < 0)
            return -1;
    }
    return 0;
}

/* What goes with an outcome that has been recorded. */
static int follow(struct finish *w, const struct ledger_result *r, struct call *call)
{
    ledger_change(&w->changes, r->object->container, LEDGER_PENDING, -1, -r->object->size);
    ledger_change(&w->changes, r->object->container, r->state, 1, size_of(r));
    /* What failed goes on inside the object the next time. */
    if (is_final(r->state) && r->state != LEDGER_FAILED && ledger_has_checkpoint(w->l, r->object) &&
        ledger_checkpoint_drop(w->l->db, r->object->id, call) < 0)
        return -1;
    return add_notes(w, r, call);
}

static int finish(struct db *db, void *argument, struct call *call)
{
    struct finish *w = argument;
    int64_t affected;

    w->changes.count = 0;
    w->surprise = false;
    for (size_t i = 0; i < w->n; i++) {
        if (update_object(w, &w->results[i], &affected, call) < 0)
            return -1;
        w->results[i].stale = affected == 0;
    }
    if (!w->one_by_one) {
        if (db_flush(db, &affected, call) < 0)
            return -1;
        w->surprise = affected != (int64_t)w->n;
        if (w->surprise)
            return err_set(&call->err, ERR_CONFLICT, "some claims were lost");
    }
    for (size_t i = 0; i < w->n; i++)
        if (!w->results[i].stale && follow(w, &w->results[i], call) < 0)
            return -1;
    return ledger_changes_write(db, w->l->job, &w->changes, call);
}

int ledger_finish(struct ledger *l, struct ledger_result *results, size_t n, struct call *call)
{
    locked(&l->lock);
    cleanup(finish_release) struct finish w = {
        .l = l,
        .results = results,
        .n = n,
        /* SQLite answers at once; PostgreSQL is asked one by one only when the sum is wrong. */
        .one_by_one = db_kind(l->db) == DB_SQLITE,
    };

    for (size_t i = 0; i < n; i++)
        assert(results[i].state == LEDGER_PENDING || results[i].state == LEDGER_WAITING ||
               (results[i].state >= LEDGER_MOVED && results[i].state <= LEDGER_FAILED));
    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    int result = db_transact(l->db, finish, &w, call);
    if (result < 0 && w.surprise) {
        err_clear(&call->err);
        w.one_by_one = true;
        result = db_transact(l->db, finish, &w, call);
    }
    if (result < 0)
        return err_prefix(&call->err, "record what was moved");
    return 0;
}

/* ---- Changing what was recorded ---- */

struct mark {
    struct ledger *l;
    const int64_t *ids;
    size_t n;
    enum ledger_state to;
    int64_t count; /* result */
    struct ledger_changes changes;
};

static void mark_release(struct mark *w)
{
    ledger_changes_release(&w->changes);
}

/* The object's container, state and size, when it may go to the wanted state: 1 or 0. */
static int may_mark(struct mark *w, int64_t id, struct ledger_change *ret, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(w->l->db,
                   "SELECT container, state, size, generation FROM object"
                   " WHERE id = ?1 AND job = ?2 FOR UPDATE",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, id);
    db_bind_int(s, 2, w->l->job);
    int row = db_step(s, call);
    if (row > 0) {
        int64_t state = db_column_int(s, 1);
        *ret = (struct ledger_change){db_column_int(s, 0), (int)state, 1, db_column_int(s, 2)};
        row = w->to == LEDGER_DELETED ? state == LEDGER_GONE
                                      : state >= LEDGER_MOVED && state < LEDGER_GONE &&
                                            db_column_int(s, 3) == w->l->generation;
    }
    db_reset(s);
    return row;
}

static int mark(struct db *db, void *argument, struct call *call)
{
    struct mark *w = argument;
    struct db_statement *s;

    w->changes.count = 0;
    w->count = 0;
    for (size_t i = 0; i < w->n; i++) {
        struct ledger_change old;
        int may = may_mark(w, w->ids[i], &old, call);
        if (may < 0)
            return -1;
        if (!may)
            continue;
        if (db_prepare(db,
                       w->to == LEDGER_DELETED
                           /* Its name at the target is free again. */
                           ? "UPDATE object SET state = ?2, target = NULL WHERE id = ?1"
                           : "UPDATE object SET state = ?2, attempts = 0, code = NULL,"
                             " error = NULL WHERE id = ?1",
                       &s, call) < 0)
            return -1;
        db_bind_int(s, 1, w->ids[i]);
        db_bind_int(s, 2, w->to);
        if (db_queue(s, call) < 0)
            return -1;
        ledger_change(&w->changes, old.container, (enum ledger_state)old.state, -1, -old.bytes);
        ledger_change(&w->changes, old.container, w->to, 1, old.bytes);
        w->count++;
    }
    return ledger_changes_write(db, w->l->job, &w->changes, call);
}

static int mark_all(struct ledger *l, const int64_t *ids, size_t n, enum ledger_state to,
                    int64_t *ret_count, struct call *call)
{
    cleanup(mark_release) struct mark w = {.l = l, .ids = ids, .n = n, .to = to};

    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    if (db_transact(l->db, mark, &w, call) < 0)
        return err_prefix(&call->err, "mark objects as %s", ledger_state_word(to));
    if (ret_count)
        *ret_count = w.count;
    return 0;
}

int ledger_requeue(struct ledger *l, const int64_t *ids, size_t n, int64_t *ret_count,
                   struct call *call)
{
    locked(&l->lock);
    return mark_all(l, ids, n, LEDGER_PENDING, ret_count, call);
}

int ledger_mark_deleted(struct ledger *l, const int64_t *ids, size_t n, struct call *call)
{
    locked(&l->lock);
    return mark_all(l, ids, n, LEDGER_DELETED, NULL, call);
}

struct reprove {
    const struct ledger_result *results;
    size_t n;
};

static int reprove(struct db *db, void *argument, struct call *call)
{
    const struct reprove *w = argument;
    struct db_statement *s;

    if (db_prepare(db,
                   "UPDATE object SET sha256 = COALESCE(?2, sha256),"
                   " target_etag = COALESCE(?3, target_etag),"
                   " target_checksum = COALESCE(?4, target_checksum),"
                   " proof = COALESCE(?5, proof) WHERE id = ?1 AND state IN (3, 4)",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        const struct ledger_result *r = &w->results[i];
        db_bind_int(s, 1, r->object->id);
        db_bind_blob(s, 2, r->sha256, r->sha256 ? LEDGER_SHA256 : 0);
        ledger_bind_name(s, 3, r->target_etag);
        db_bind_text(s, 4, r->target_checksum);
        db_bind_text(s, 5, r->proof);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return 0;
}

int ledger_reprove(struct ledger *l, const struct ledger_result *results, size_t n,
                   struct call *call)
{
    locked(&l->lock);
    struct reprove w = {results, n};

    if (db_transact(l->db, reprove, &w, call) < 0)
        return err_prefix(&call->err, "record a verification");
    return 0;
}
