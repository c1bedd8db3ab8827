// SPDX-License-Identifier: EUPL-1.2
/* Handing out work: claims, giving back, what is left. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "move/ledger_private.h"
#include "util/thread.h"

/* How often waiting objects are looked at while there is other work. */
#define WAITING_LOOK (1 * CLOCK_SECOND)

struct claim {
    struct ledger *l;
    int max_objects;
    int64_t max_bytes;
    int64_t after; /* object id; result: where the next claim goes on */
    bool look_waiting;
    struct ledger_rows *rows;
    struct ledger_changes changes;
};

static void claim_release(struct claim *w)
{
    ledger_changes_release(&w->changes);
}

static bool same_name(const struct ledger_object *a, const struct ledger_object *b)
{
    return a->container == b->container && strcmp(a->name, b->name) == 0;
}

/* How many of the rows the limits allow; versions of one name stay together. */
static size_t within_limits(const struct claim *w, const struct ledger_rows *rows)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < rows->count; i++) {
        bool grouped = i > 0 && same_name(&rows->list[i - 1], &rows->list[i]);
        bytes += rows->list[i].size;
        bool full = i >= (size_t)w->max_objects || (w->max_bytes > 0 && bytes > w->max_bytes);
        if (i > 0 && full && !grouped)
            return i;
    }
    return rows->count;
}

/* "2026-07-01T10:00:00.1234567Z": Azure names versions and snapshots after their time. */
static bool is_time(const char *version)
{
    return strlen(version) >= 20 && version[4] == '-' && version[10] == 'T' &&
           version[strlen(version) - 1] == 'Z';
}

/* Which of two of one name was written first.  Azure lists the oldest first, S3 and Swift the
 * newest; times of whole seconds do not tell all of them apart. */
static int by_age(const void *left, const void *right)
{
    const struct ledger_object *a = left, *b = right;

    if (a->kind == LEDGER_CURRENT || b->kind == LEDGER_CURRENT)
        return (a->kind == LEDGER_CURRENT) - (b->kind == LEDGER_CURRENT);
    if (a->version && b->version && is_time(a->version) && is_time(b->version))
        return strcmp(a->version, b->version);
    if (a->modified != b->modified)
        return a->modified < b->modified ? -1 : 1;
    return a->id > b->id ? -1 : a->id < b->id;
}

/* Versions of one name in the order in which they were written. */
static void sort_groups(struct ledger_rows *rows)
{
    size_t end;

    for (size_t begin = 0; begin < rows->count; begin = end) {
        for (end = begin + 1; end < rows->count; end++)
            if (!same_name(&rows->list[begin], &rows->list[end]))
                break;
        if (end - begin > 1)
            qsort(rows->list + begin, end - begin, sizeof(*rows->list), by_age);
    }
}

static int select_pending(struct claim *w, int64_t after, int64_t limit, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(w->l->db,
                   "SELECT " LEDGER_OBJECT_COLUMNS " FROM object o WHERE o.job = ?1"
                   " AND o.state = 0 AND o.id > ?2 ORDER BY o.id LIMIT ?3 FOR UPDATE",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->l->job);
    db_bind_int(s, 2, after);
    db_bind_int(s, 3, limit);
    return ledger_rows_fill(w->rows, s, call);
}

/* Waiting objects whose time has come. */
static int select_due(struct claim *w, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(w->l->db,
                   "SELECT " LEDGER_OBJECT_COLUMNS " FROM object o WHERE o.job = ?1"
                   " AND o.state = 2 AND o.due <= ?2 ORDER BY o.due LIMIT ?3 FOR UPDATE",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->l->job);
    db_bind_int(s, 2, clock_wall());
    db_bind_int(s, 3, w->max_objects);
    return ledger_rows_fill(w->rows, s, call);
}

/* Fill the rows with what may be claimed: one more than allowed, to see whether a group goes on. */
static int select_rows(struct claim *w, struct call *call)
{
    ledger_rows_reset(w->rows);
    if (w->look_waiting && select_due(w, call) < 0)
        return -1;
    if (w->rows->count > 0)
        return 0;
    if (select_pending(w, w->after, w->max_objects + 1, call) < 0)
        return -1;
    if (w->rows->count == 0 && w->after > 0) {
        w->after = 0;
        if (select_pending(w, 0, w->max_objects + 1, call) < 0)
            return -1;
    }
    /* The last ones are of one name: are there more of it? */
    while (w->rows->count > (size_t)w->max_objects && within_limits(w, w->rows) == w->rows->count &&
           w->rows->count < LEDGER_PAGE_MAX) {
        size_t before = w->rows->count;
        if (select_pending(w, w->rows->list[before - 1].id, 100, call) < 0)
            return -1;
        if (w->rows->count == before)
            break;
    }
    return 0;
}

static int mark_claimed(struct claim *w, struct call *call)
{
    auto_free int64_t *ids = xcalloc(w->rows->count, sizeof(*ids));

    for (size_t i = 0; i < w->rows->count; i++) {
        struct ledger_object *o = &w->rows->list[i];
        ids[i] = o->id;
        if (o->state == LEDGER_PENDING) {
            w->after = o->id > w->after ? o->id : w->after;
        } else {
            ledger_change(&w->changes, o->container, LEDGER_WAITING, -1, -o->size);
            ledger_change(&w->changes, o->container, LEDGER_PENDING, 1, o->size);
        }
        o->state = LEDGER_CLAIMED;
        o->attempts++;
        o->due = TIME_UNKNOWN;
    }
    return ledger_run_ids(w->l->db,
                          "UPDATE object SET state = 1, worker = ?1, attempts = attempts + 1,"
                          " due = NULL WHERE id IN ",
                          INTS(w->l->worker), ids, w->rows->count, call);
}

static int claim(struct db *db, void *argument, struct call *call)
{
    struct claim *w = argument;
    int64_t job;

    w->changes.count = 0;
    /* Claims of several processes take turns: simpler and cheaper than skipping each other's. */
    if (ledger_ask(db, "SELECT id FROM job WHERE id = ?1 FOR UPDATE", INTS(w->l->job), &job, call) <
        0)
        return -1;
    w->after = w->l->claim_after;
    if (select_rows(w, call) < 0)
        return -1;
    w->rows->count = within_limits(w, w->rows);
    sort_groups(w->rows);
    if (mark_claimed(w, call) < 0)
        return -1;
    return ledger_changes_write(db, w->l->job, &w->changes, call);
}

int ledger_claim(struct ledger *l, int max_objects, int64_t max_bytes, struct ledger_rows *ret,
                 struct call *call)
{
    locked(&l->lock);
    cleanup(claim_release) struct claim w = {
        .l = l, .max_objects = max_objects, .max_bytes = max_bytes, .rows = ret};

    assert(max_objects > 0 && max_objects <= LEDGER_PAGE_MAX);
    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    int64_t now = clock_monotonic();
    w.look_waiting = l->waiting_checked == 0 || now - l->waiting_checked > WAITING_LOOK;
    if (db_transact(l->db, claim, &w, call) < 0) {
        ledger_rows_reset(ret);
        return err_prefix(&call->err, "claim objects to move");
    }
    l->claim_after = w.after;
    if (w.look_waiting)
        l->waiting_checked = now;
    return 0;
}

/* ---- Giving back ---- */

struct give_back {
    struct ledger *l;
    const struct ledger_object *const *objects;
    size_t n;
};

static int give_back(struct db *db, void *argument, struct call *call)
{
    const struct give_back *w = argument;
    struct db_statement *s;

    if (db_prepare(db,
                   "UPDATE object SET state = 0, worker = NULL, attempts = attempts - 1"
                   " WHERE id = ?1 AND state = 1 AND worker = ?2",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        db_bind_int(s, 1, w->objects[i]->id);
        db_bind_int(s, 2, w->l->worker);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return 0;
}

int ledger_release(struct ledger *l, const struct ledger_object *const *objects, size_t n,
                   struct call *call)
{
    locked(&l->lock);
    struct give_back w = {l, objects, n};

    if (ledger_ready(l, call) < 0)
        return -1;
    if (db_transact(l->db, give_back, &w, call) < 0)
        return err_prefix(&call->err, "give claimed objects back");
    return 0;
}

/* ---- What is left ---- */

static int count_state(struct ledger *l, enum ledger_state state, int64_t *ret, struct call *call)
{
    return ledger_ask(l->db,
                      "SELECT CAST(COALESCE(SUM(objects), 0) AS INTEGER) FROM tally"
                      " WHERE job = ?1 AND state = ?2",
                      INTS(l->job, state), ret, call) < 0
               ? -1
               : 0;
}

int ledger_work(struct ledger *l, struct ledger_work *ret, struct call *call)
{
    struct ledger_work work = {.next_due = TIME_UNKNOWN};
    int64_t claimed;

    locked(&l->lock);
    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    if (count_state(l, LEDGER_PENDING, &work.pending, call) < 0 ||
        count_state(l, LEDGER_WAITING, &work.waiting, call) < 0 ||
        ledger_ask(l->db, "SELECT COUNT(*) FROM object WHERE state = 1 AND worker = ?1",
                   INTS(l->worker), &work.mine, call) < 0 ||
        ledger_ask(l->db,
                   "SELECT COUNT(*) FROM object WHERE state = 1"
                   " AND worker IN (SELECT id FROM worker WHERE job = ?1)",
                   INTS(l->job), &claimed, call) < 0)
        return -1;
    if (work.waiting > 0 && ledger_ask(l->db,
                                       "SELECT due FROM object WHERE job = ?1 AND state = 2"
                                       " ORDER BY due LIMIT 1",
                                       INTS(l->job), &work.next_due, call) < 0)
        return -1;
    work.pending = work.pending > claimed ? work.pending - claimed : 0;
    work.others = claimed > work.mine ? claimed - work.mine : 0;
    *ret = work;
    return 0;
}
