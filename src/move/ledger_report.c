// SPDX-License-Identifier: EUPL-1.2
/* Reading the record: recounting, walking through objects, findings, throughput. */
#include <stdio.h>
#include <string.h>

#include "move/ledger_private.h"
#include "util/thread.h"

/* Rows counted with one statement: grouping all of them would sort them in a temporary file. */
#define COUNT_STEP 5000

struct recount {
    int64_t job;
    int64_t generation;
    int64_t after; /* object id */
    struct ledger_counts counts;
};

static int count_state(struct ledger_counts *counts, int64_t state, int64_t size, struct err *e)
{
    if (state < 0 || state >= LEDGER_STATE_COUNT)
        return err_set(e, ERR_CORRUPT, "the ledger holds an unknown state %lld", (long long)state);
    struct ledger_tally *tally = &counts->by[state == LEDGER_CLAIMED ? LEDGER_PENDING : state];
    tally->objects++;
    tally->bytes += size;
    if (state < LEDGER_GONE) {
        counts->listed.objects++;
        counts->listed.bytes += size;
    }
    return 0;
}

/* The next rows of the job: how many there were, or -1. */
static int recount_step(struct ledger *l, struct recount *w, struct call *call)
{
    struct db_statement *s;
    int seen = 0;
    int row;

    if (db_prepare(l->db,
                   "SELECT id, state, size, generation FROM object WHERE job = ?1 AND id > ?2"
                   " ORDER BY id LIMIT ?3",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->job);
    db_bind_int(s, 2, w->after);
    db_bind_int(s, 3, COUNT_STEP);
    while ((row = db_step(s, call)) > 0) {
        int64_t state = db_column_int(s, 1);
        seen++;
        w->after = db_column_int(s, 0);
        if (state < LEDGER_GONE && db_column_int(s, 3) != w->generation)
            continue;
        if (count_state(&w->counts, state, db_column_int(s, 2), &call->err) < 0) {
            row = -1;
            break;
        }
    }
    db_reset(s);
    return row < 0 ? -1 : seen;
}

int ledger_recount(struct ledger *l, int64_t job, struct ledger_counts *ret, struct call *call)
{
    struct recount w = {.job = job};
    int seen;

    locked(&l->lock);
    int row = ledger_ask(l->db, "SELECT generation FROM job WHERE id = ?1", INTS(job),
                         &w.generation, call);
    if (row == 0)
        return err_set(&call->err, ERR_NOT_FOUND, "the job is no longer in the ledger");
    do
        seen = row < 0 ? -1 : recount_step(l, &w, call);
    while (seen == COUNT_STEP);
    if (seen < 0)
        return err_prefix(&call->err, "count the objects of the job");
    *ret = w.counts;
    return 0;
}

int ledger_counts_compare(const struct ledger_counts *counters, const struct ledger_counts *rows,
                          struct err *e)
{
    for (int i = 0; i < LEDGER_STATE_COUNT; i++) {
        const struct ledger_tally *a = &counters->by[i];
        const struct ledger_tally *b = &rows->by[i];
        if (a->objects != b->objects || a->bytes != b->bytes)
            return err_set(e, ERR_CORRUPT,
                           "the ledger contradicts itself: its counters say %lld objects (%lld "
                           "bytes) are %s, its rows say %lld (%lld bytes)",
                           (long long)a->objects, (long long)a->bytes,
                           ledger_state_word((enum ledger_state)i), (long long)b->objects,
                           (long long)b->bytes);
    }
    return 0;
}

/* ---- Objects ---- */

/* One parameter for each state: its number, or -1 where the mask leaves it out. */
static void bind_mask(struct db_statement *s, int from, unsigned mask)
{
    for (int i = 0; i < LEDGER_STATE_COUNT; i++)
        db_bind_int(s, from + i, mask & LEDGER_MASK(i) ? i : -1);
}

int ledger_objects(struct ledger *l, int64_t container, const struct ledger_object *after,
                   unsigned mask, int max, struct ledger_rows *ret, struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT " LEDGER_OBJECT_COLUMNS " FROM object o WHERE o.container = ?1"
                   " AND (o.name, o.version, o.kind) > (?2, ?3, ?4)"
                   " AND o.state IN (?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
                   " ORDER BY o.name, o.version, o.kind LIMIT ?5",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, container);
    ledger_bind_name(s, 2, after ? after->name : "");
    ledger_bind_name(s, 3, after && after->version ? after->version : "");
    db_bind_int(s, 4, after ? (int64_t)after->kind : -1);
    db_bind_int(s, 5, max);
    bind_mask(s, 6, mask);
    ledger_rows_reset(ret); /* after is bound by now */
    return ledger_rows_fill(ret, s, call);
}

int ledger_troubles(struct ledger *l, int64_t job, int64_t after, unsigned mask, int max,
                    struct ledger_rows *ret, struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT " LEDGER_OBJECT_COLUMNS " FROM object o WHERE o.job = ?1"
                   " AND o.state >= 5 AND o.id > ?2 AND (o.state >= 8 OR o.generation ="
                   " (SELECT generation FROM job WHERE id = ?1))"
                   " AND o.state IN (?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                   " ORDER BY o.id LIMIT ?3",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    db_bind_int(s, 2, after);
    db_bind_int(s, 3, max);
    bind_mask(s, 4, mask);
    ledger_rows_reset(ret);
    return ledger_rows_fill(ret, s, call);
}

int ledger_lookup(struct ledger *l, int64_t container, const char *name, const char *version,
                  enum ledger_kind kind, struct ledger_rows *ret, struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT " LEDGER_OBJECT_COLUMNS " FROM object o WHERE o.container = ?1"
                   " AND o.name = ?2 AND o.version = ?3 AND o.kind = ?4",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, container);
    ledger_bind_name(s, 2, name);
    ledger_bind_name(s, 3, version ? version : "");
    db_bind_int(s, 4, kind);
    ledger_rows_reset(ret);
    return ledger_rows_fill(ret, s, call) < 0 ? -1 : (int)ret->count;
}

/* ---- Findings ---- */

void ledger_finding_release(struct ledger_finding *f)
{
    free(f->name);
    free(f->kind);
    free(f->text);
    *f = (struct ledger_finding){0};
}

int ledger_finding_add(struct ledger *l, int64_t container, const struct ledger_note *note,
                       struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (ledger_ready(l, call) < 0 ||
        db_prepare(l->db,
                   "INSERT INTO finding (job, container, object, kind, text, time)"
                   " SELECT CAST(?1 AS INTEGER), CAST(?2 AS INTEGER), 0, CAST(?3 AS TEXT),"
                   " CAST(?4 AS TEXT), CAST(?5 AS INTEGER) WHERE NOT EXISTS"
                   " (SELECT 1 FROM finding WHERE object = 0 AND container = ?2 AND job = ?1"
                   " AND kind = ?3 AND text = ?4)",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, l->job);
    db_bind_int(s, 2, container);
    db_bind_text(s, 3, note->kind);
    db_bind_text(s, 4, note->text);
    db_bind_int(s, 5, clock_wall());
    return db_run(s, NULL, call);
}

int ledger_findings(struct ledger *l, int64_t job, const char *kind, int64_t after,
                    struct ledger_finding *ret, int max, struct call *call)
{
    struct db_statement *s;
    int count = 0;
    int row;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT f.id, f.container, f.object, COALESCE(o.name, c.source), f.kind,"
                   " f.text, f.time FROM finding f LEFT JOIN object o ON o.id = f.object"
                   " LEFT JOIN container c ON c.id = f.container"
                   " WHERE f.job = ?1 AND f.id > ?2 AND (CAST(?3 AS TEXT) IS NULL OR f.kind = ?3)"
                   " ORDER BY f.id LIMIT ?4",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    db_bind_int(s, 2, after);
    db_bind_text(s, 3, kind);
    db_bind_int(s, 4, max);
    while ((row = db_step(s, call)) > 0 && count < max)
        ret[count++] = (struct ledger_finding){
            .id = db_column_int(s, 0),
            .container = db_column_int(s, 1),
            .object = db_column_int(s, 2),
            .name = ledger_column_name(s, 3),
            .kind = ledger_column_string(s, 4),
            .text = ledger_column_string(s, 5),
            .time = db_column_int(s, 6),
        };
    db_reset(s);
    while (row < 0 && count > 0)
        ledger_finding_release(&ret[--count]);
    return row < 0 ? -1 : count;
}

int ledger_finding_counts(struct ledger *l, int64_t job, struct ledger_finding_count *ret, int max,
                          struct call *call)
{
    struct db_statement *s;
    int count = 0;
    int row;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT kind, COUNT(*) FROM finding WHERE job = ?1 GROUP BY kind"
                   " ORDER BY COUNT(*) DESC, kind LIMIT ?2",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    db_bind_int(s, 2, max);
    while ((row = db_step(s, call)) > 0 && count < max) {
        (void)snprintf(ret[count].kind, sizeof(ret[count].kind), "%s", db_column_text(s, 0));
        ret[count++].count = db_column_int(s, 1);
    }
    db_reset(s);
    return row < 0 ? -1 : count;
}
