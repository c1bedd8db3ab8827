// SPDX-License-Identifier: EUPL-1.2
/* Looking at jobs, and forgetting them. */
#include <string.h>

#include "move/ledger_private.h"
#include "util/thread.h"

/* Rows deleted in one transaction. */
#define DELETE_STEP 5000

void ledger_job_release(struct ledger_job *j)
{
    free(j->name);
    free(j->source);
    free(j->target);
    free(j->options);
    free(j->error);
    free(j->worker_host);
    *j = (struct ledger_job){0};
}

int ledger_job_number(struct ledger *l, const char *job, int64_t *ret, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(l->db, "SELECT id FROM job WHERE name = ?1", &s, call) < 0)
        return -1;
    db_bind_text(s, 1, job);
    int row = db_step(s, call);
    if (row > 0)
        *ret = db_column_int(s, 0);
    db_reset(s);
    if (row == 0 && *job && strspn(job, "0123456789") == strlen(job) && strlen(job) < 19)
        row = ledger_ask(l->db, "SELECT id FROM job WHERE id = ?1", INTS(strtoll(job, NULL, 10)),
                         ret, call);
    if (row == 0)
        return err_set(&call->err, ERR_NOT_FOUND, "there is no job '%s' in %s", job,
                       db_name(l->db));
    return row < 0 ? -1 : 0;
}

static int read_counts(struct ledger *l, int64_t job, struct ledger_counts *ret, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(l->db,
                   "SELECT state, CAST(SUM(objects) AS INTEGER), CAST(SUM(bytes) AS INTEGER)"
                   " FROM tally WHERE job = ?1 GROUP BY state",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    return ledger_counts_read(s, ret, call);
}

int ledger_counts(struct ledger *l, int64_t job, struct ledger_counts *ret, struct call *call)
{
    locked(&l->lock);
    return read_counts(l, job, ret, call);
}

/* Who is at work; nobody at work on a job that has not ended means that it was interrupted. */
static int read_workers(struct ledger *l, struct ledger_job *j, struct call *call)
{
    struct ledger_worker first;

    j->workers = ledger_workers(l, j->id, &first, call);
    if (j->workers < 0)
        return -1;
    if (j->workers > 0) {
        j->worker_host = xstrdup(first.self.host);
        j->worker_pid = first.self.pid;
        j->worker_since = first.since;
    } else if (j->state == LEDGER_JOB_LISTING || j->state == LEDGER_JOB_COPYING) {
        j->state = LEDGER_JOB_INTERRUPTED;
    }
    return 0;
}

int ledger_job_read(struct ledger *l, int64_t job, struct ledger_job *ret, struct call *call)
{
    auto_ledger_job struct ledger_job j = {0};
    struct db_statement *s;

    if (db_prepare(l->db,
                   "SELECT id, name, source, target, options, state, generation,"
                   " containers_complete, created, started, updated, ended, error"
                   " FROM job WHERE id = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    int row = db_step(s, call);
    if (row > 0)
        j = (struct ledger_job){
            .id = db_column_int(s, 0),
            .name = ledger_column_string(s, 1),
            .source = ledger_column_string(s, 2),
            .target = ledger_column_string(s, 3),
            .options = ledger_column_string(s, 4),
            .state = (enum ledger_job_state)db_column_int(s, 5),
            .generation = db_column_int(s, 6),
            .containers_complete = db_column_int(s, 7) != 0,
            .created = db_column_int(s, 8),
            .started = db_column_int(s, 9),
            .updated = db_column_int(s, 10),
            .ended = ledger_column_time(s, 11),
            .error = ledger_column_string(s, 12),
        };
    db_reset(s);
    if (row == 0)
        return err_set(&call->err, ERR_NOT_FOUND, "the job is no longer in the ledger");
    if (row < 0 || read_workers(l, &j, call) < 0 || read_counts(l, job, &j.counts, call) < 0)
        return -1;
    *ret = j;
    j = (struct ledger_job){0};
    return 0;
}

int ledger_job_find(struct ledger *l, const char *job, struct ledger_job *ret, struct call *call)
{
    int64_t id;

    locked(&l->lock);
    if (ledger_job_number(l, job, &id, call) < 0)
        return -1;
    return ledger_job_read(l, id, ret, call);
}

int ledger_jobs(struct ledger *l, int64_t after, struct ledger_job *ret, int max, struct call *call)
{
    int count = 0;

    locked(&l->lock);
    while (count < max) {
        int64_t id;
        int row = ledger_ask(l->db, "SELECT id FROM job WHERE id > ?1 ORDER BY id LIMIT 1",
                             INTS(after), &id, call);
        if (row == 0)
            break;
        if (row < 0 || ledger_job_read(l, id, &ret[count], call) < 0) {
            while (count > 0)
                ledger_job_release(&ret[--count]);
            return -1;
        }
        count++;
        after = id;
    }
    return count;
}

/* ---- Forgetting ---- */

struct delete
{
    struct ledger *l;
    int64_t job;
    int64_t left; /* result: whether objects were still there */
};

static int delete_some(struct db *db, void *argument, struct call *call)
{
    static const char *const of_objects[] = {
        ("DELETE FROM part WHERE object IN (SELECT id FROM object WHERE container = ?1"
         " ORDER BY name, version, kind LIMIT ?2)"),
        ("DELETE FROM checkpoint WHERE object IN (SELECT id FROM object WHERE container = ?1"
         " ORDER BY name, version, kind LIMIT ?2)"),
        ("DELETE FROM object WHERE id IN (SELECT id FROM object WHERE container = ?1"
         " ORDER BY name, version, kind LIMIT ?2)"),
    };
    static const char *const of_job[] = {
        "DELETE FROM finding WHERE job = ?1", "DELETE FROM tally WHERE job = ?1",
        "DELETE FROM sample WHERE job = ?1",  "DELETE FROM worker WHERE job = ?1",
        "DELETE FROM job WHERE id = ?1",
    };
    struct delete *work = argument;
    int64_t container;

    int row = ledger_ask(db, "SELECT id FROM container WHERE job = ?1 ORDER BY id LIMIT 1",
                         INTS(work->job), &container, call);
    if (row < 0)
        return -1;
    work->left = row;
    for (size_t i = 0; !row && i < ARRAY_SIZE(of_job); i++)
        if (ledger_run(db, of_job[i], INTS(work->job), NULL, call) < 0)
            return -1;
    int64_t deleted = 0;
    for (size_t i = 0; row && i < ARRAY_SIZE(of_objects); i++)
        if (ledger_run(db, of_objects[i], INTS(container, DELETE_STEP), &deleted, call) < 0)
            return -1;
    if (row && deleted == 0)
        return ledger_run(db, "DELETE FROM container WHERE id = ?1", INTS(container), NULL, call);
    return 0;
}

/* From here on nobody resumes it as if it were whole. */
static int delete_begin(struct db *db, void *argument, struct call *call)
{
    struct delete *work = argument;
    struct ledger_worker first;

    int alive = ledger_workers(work->l, work->job, &first, call);
    if (alive < 0)
        return -1;
    if (alive > 0)
        return err_set(&call->err, ERR_BUSY, "the job is being run by process %lld on %s",
                       (long long)first.self.pid, first.self.host);
    return ledger_run(db, "UPDATE job SET options = '(being deleted)' WHERE id = ?1",
                      INTS(work->job), NULL, call);
}

int ledger_job_delete(struct ledger *l, int64_t job, struct call *call)
{
    locked(&l->lock);
    struct delete work = {.l = l, .job = job, .left = 1};

    if (db_transact(l->db, delete_begin, &work, call) < 0)
        return err_prefix(&call->err, "delete the job");
    while (work.left)
        if (db_transact(l->db, delete_some, &work, call) < 0)
            return err_prefix(&call->err, "delete the job");
    return 0;
}
