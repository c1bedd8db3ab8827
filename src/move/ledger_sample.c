// SPDX-License-Identifier: EUPL-1.2
/* Throughput over time, in a bounded number of samples. */
#include "move/ledger_private.h"
#include "util/thread.h"

struct add {
    struct ledger *l;
    struct ledger_sample sample;
};

static int put(struct ledger *l, const struct ledger_sample *sample, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(l->db,
                   "INSERT INTO sample (job, generation, time, worker, objects, bytes)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                   " ON CONFLICT (job, generation, time, worker) DO UPDATE"
                   " SET objects = sample.objects + excluded.objects,"
                   " bytes = sample.bytes + excluded.bytes",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, l->job);
    db_bind_int(s, 2, l->generation);
    db_bind_int(s, 3, sample->time);
    db_bind_int(s, 4, l->worker);
    db_bind_int(s, 5, sample->objects);
    db_bind_int(s, 6, sample->bytes);
    return db_run(s, NULL, call);
}

static int read_samples(struct ledger *l, int64_t job, int64_t generation, int64_t after,
                        struct ledger_sample *ret, int max, struct call *call)
{
    struct db_statement *s;
    int count = 0;
    int row;

    if (db_prepare(l->db,
                   "SELECT time, objects, bytes FROM sample WHERE job = ?1 AND generation = ?2"
                   " AND time > ?3 ORDER BY time LIMIT ?4",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    db_bind_int(s, 2, generation);
    db_bind_int(s, 3, after);
    db_bind_int(s, 4, max);
    while ((row = db_step(s, call)) > 0 && count < max)
        ret[count++] =
            (struct ledger_sample){db_column_int(s, 0), db_column_int(s, 1), db_column_int(s, 2)};
    db_reset(s);
    return row < 0 ? -1 : count;
}

/* Add neighbours together: the later time, both amounts. */
static int thin(struct ledger *l, struct call *call)
{
    auto_free struct ledger_sample *list = xcalloc(2 * LEDGER_SAMPLES, sizeof(*list));
    int count = read_samples(l, l->job, l->generation, INT64_MIN, list, 2 * LEDGER_SAMPLES, call);

    if (count < 0 ||
        ledger_run(l->db,
                   "DELETE FROM sample WHERE job = ?1 AND generation = ?2"
                   " AND time <= ?3",
                   INTS(l->job, l->generation, count ? list[count - 1].time : 0), NULL, call) < 0)
        return -1;
    for (int i = 0; i < count; i += 2) {
        struct ledger_sample sum = list[i];
        if (i + 1 < count) {
            sum.time = list[i + 1].time;
            sum.objects += list[i + 1].objects;
            sum.bytes += list[i + 1].bytes;
        }
        if (put(l, &sum, call) < 0)
            return -1;
    }
    return 0;
}

static int add(struct db *db, void *argument, struct call *call)
{
    struct add *w = argument;
    struct ledger *l = w->l;
    int64_t count;
    int64_t job;

    /* So that two processes do not thin at once. */
    if (ledger_ask(db, "SELECT id FROM job WHERE id = ?1 FOR UPDATE", INTS(l->job), &job, call) <
            0 ||
        put(l, &w->sample, call) < 0 ||
        ledger_ask(db, "SELECT COUNT(*) FROM sample WHERE job = ?1 AND generation = ?2",
                   INTS(l->job, l->generation), &count, call) < 0)
        return -1;
    return count > LEDGER_SAMPLES ? thin(l, call) : 0;
}

int ledger_sample_add(struct ledger *l, const struct ledger_sample *sample, struct call *call)
{
    locked(&l->lock);
    struct add w = {l, *sample};

    if (ledger_ready(l, call) < 0)
        return -1;
    if (db_transact(l->db, add, &w, call) < 0)
        return err_prefix(&call->err, "record the throughput");
    return 0;
}

/* Its current generation, and when that started. */
static int generation_of(struct ledger *l, int64_t job, int64_t *ret, int64_t *ret_started,
                         struct call *call)
{
    int row = ledger_ask(l->db, "SELECT generation FROM job WHERE id = ?1", INTS(job), ret, call);

    if (row == 0)
        return err_set(&call->err, ERR_NOT_FOUND, "the job is no longer in the ledger");
    if (row < 0 || ledger_ask(l->db, "SELECT started FROM job WHERE id = ?1", INTS(job),
                              ret_started, call) < 0)
        return -1;
    return 0;
}

int ledger_samples(struct ledger *l, int64_t job, int64_t after, struct ledger_sample *ret, int max,
                   struct call *call)
{
    int64_t generation;
    int64_t started;

    locked(&l->lock);
    if (generation_of(l, job, &generation, &started, call) < 0)
        return -1;
    return read_samples(l, job, generation, after, ret, max, call);
}

int ledger_rate(struct ledger *l, int64_t job, int64_t span, double *ret_objects, double *ret_bytes,
                struct call *call)
{
    int64_t generation;
    int64_t started = 0;
    int64_t now = clock_wall();
    struct db_statement *s;

    locked(&l->lock);
    if (generation_of(l, job, &generation, &started, call) < 0 ||
        db_prepare(l->db,
                   "SELECT CAST(COALESCE(SUM(objects), 0) AS INTEGER),"
                   " CAST(COALESCE(SUM(bytes), 0) AS INTEGER) FROM sample"
                   " WHERE job = ?1 AND generation = ?2 AND time > ?3",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    db_bind_int(s, 2, generation);
    /* A job younger than the span has only its age to be measured by. */
    if (now - started > 0 && now - started < span)
        span = now - started;
    db_bind_int(s, 3, now - span);
    int row = db_step(s, call);
    if (row > 0) {
        double seconds = (double)span / (double)CLOCK_SECOND;
        *ret_objects = (double)db_column_int(s, 0) / seconds;
        *ret_bytes = (double)db_column_int(s, 1) / seconds;
    }
    db_reset(s);
    return row < 0 ? -1 : 0;
}
