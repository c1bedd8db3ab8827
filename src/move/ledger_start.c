// SPDX-License-Identifier: EUPL-1.2
/* Starting a job: finding or making it, going on with it, or opening its next generation. */
#include <ctype.h>
#include <string.h>

#include "move/ledger_private.h"
#include "util/buf.h"
#include "util/thread.h"

struct begin {
    struct ledger *l;
    const struct ledger_start *start; /* NULL: resume */
    const char *name;                 /* to resume */
    int64_t job;                      /* results */
    int64_t worker;
};

/* The newest job of these three: 1 or 0. */
static int find_same(struct db *db, const struct ledger_start *start, int64_t *ret,
                     struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db,
                   "SELECT id FROM job WHERE source = ?1 AND target = ?2 AND options = ?3"
                   " ORDER BY id DESC LIMIT 1",
                   &s, call) < 0)
        return -1;
    db_bind_text(s, 1, start->source);
    db_bind_text(s, 2, start->target);
    db_bind_text(s, 3, start->options ? start->options : "{}");
    int row = db_step(s, call);
    if (row > 0)
        *ret = db_column_int(s, 0);
    db_reset(s);
    return row;
}

static void add_words(struct buf *b, const char *text, size_t length)
{
    for (size_t i = 0; i < length && text[i]; i++) {
        if (isalnum((unsigned char)text[i]))
            buf_char(b, (char)tolower((unsigned char)text[i]));
        else if (b->length > 0 && b->data[b->length - 1] != '-')
            buf_char(b, '-');
    }
}

/* What a name can say of one end: of a path its last part, of a URL account and container. */
static void add_slug(struct buf *b, const char *text)
{
    size_t from = b->length;
    const char *host = strstr(text, "://");
    const char *last = text[0] == '/' ? strrchr(text, '/') : NULL;

    if (host) {
        host += 3;
        if (!isdigit((unsigned char)*host))
            add_words(b, host, strcspn(host, ".:/"));
        text = host + strcspn(host, "/");
    } else if (last && last[1]) {
        text = last + 1;
    }
    add_words(b, text, 40);
    if (b->length > from + 40)
        b->length = from + 40;
    while (b->length > 0 && b->data[b->length - 1] == '-')
        b->length--;
    b->data[b->length] = '\0';
}

/* "azure-invoices-ovh-invoices-3": the first number that is free. */
static int free_name(struct db *db, const struct ledger_start *start, char **ret, struct call *call)
{
    auto_buf struct buf stem = BUF_INIT(200);
    int64_t highest;

    if (start->name) {
        *ret = xstrdup(start->name);
        return 0;
    }
    add_slug(&stem, start->source);
    buf_char(&stem, '-');
    add_slug(&stem, start->target);
    if (ledger_ask(db, "SELECT COALESCE(MAX(id), 0) FROM job", NULL, 0, &highest, call) < 0)
        return -1;
    /* No job that is still there has so high a number. */
    *ret = xasprintf("%s-%lld", stem.data, (long long)highest + 1);
    return 0;
}

static int insert_job(struct db *db, const struct ledger_start *start, int64_t *ret,
                      struct call *call)
{
    auto_free char *name = NULL;
    struct db_statement *s;

    if (free_name(db, start, &name, call) < 0 ||
        db_prepare(db,
                   "INSERT INTO job (name, source, target, options, state, generation,"
                   " containers_complete, created, started, updated)"
                   " VALUES (?1, ?2, ?3, ?4, 2, 0, 0, ?5, ?5, ?5) RETURNING id",
                   &s, call) < 0)
        return -1;
    db_bind_text(s, 1, name);
    db_bind_text(s, 2, start->source);
    db_bind_text(s, 3, start->target);
    db_bind_text(s, 4, start->options ? start->options : "{}");
    db_bind_int(s, 5, clock_wall());
    int row = db_step(s, call);
    if (row > 0)
        *ret = db_column_int(s, 0);
    db_reset(s);
    if (row < 0 && call->err.code == ERR_EXISTS)
        return err_set(&call->err, ERR_EXISTS, "there is already a job named '%s'", name);
    return row > 0 ? 0 : -1;
}

/* What the run before counted no longer counts; its objects wait to be seen again. */
static int open_generation(struct db *db, int64_t job, struct call *call)
{
    static const char *const statements[] = {
        "DELETE FROM tally WHERE job = ?1 AND state < 8",
        ("UPDATE container SET complete = 0, position = NULL, lister = NULL, code = NULL,"
         " error = NULL WHERE job = ?1"),
        "DELETE FROM finding WHERE job = ?1 AND object = 0",
        "UPDATE job SET generation = generation + 1, containers_complete = 0 WHERE id = ?1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
        if (ledger_run(db, statements[i], INTS(job), NULL, call) < 0)
            return -1;
    return ledger_run(db, "UPDATE job SET started = ?2 WHERE id = ?1", INTS(job, clock_wall()),
                      NULL, call);
}

/* What failed in the interrupted run is tried again. */
static int retry_failed(struct db *db, int64_t job, struct call *call)
{
    static const char *const statements[] = {
        ("INSERT INTO tally (job, container, state, objects, bytes)"
         " SELECT job, container, 0, objects, bytes FROM tally WHERE job = ?1 AND state = 7"
         " ON CONFLICT (job, container, state) DO UPDATE"
         " SET objects = tally.objects + excluded.objects, bytes = tally.bytes + excluded.bytes"),
        "DELETE FROM tally WHERE job = ?1 AND state = 7",
        ("UPDATE object SET state = 0, attempts = 0, code = NULL, error = NULL"
         " WHERE job = ?1 AND state >= 5 AND state = 7"
         " AND generation = (SELECT generation FROM job WHERE id = ?1)"),
        ("UPDATE container SET code = NULL, error = NULL WHERE job = ?1 AND code IS NOT NULL"
         " AND complete = 0"),
    };

    for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
        if (ledger_run(db, statements[i], INTS(job), NULL, call) < 0)
            return -1;
    return 0;
}

static int go_on(struct db *db, int64_t job, struct call *call)
{
    int64_t state;

    if (ledger_ask(db, "SELECT state FROM job WHERE id = ?1", INTS(job), &state, call) < 0)
        return -1;
    if (state == LEDGER_JOB_DONE ? open_generation(db, job, call) < 0
                                 : retry_failed(db, job, call) < 0)
        return -1;
    return ledger_run(db,
                      "UPDATE job SET state = 0, ended = NULL, error = NULL, updated = ?2"
                      " WHERE id = ?1",
                      INTS(job, clock_wall()), NULL, call);
}

static int begin(struct db *db, void *argument, struct call *call)
{
    struct begin *work = argument;
    int64_t one;
    bool alone;
    int found = 0;

    /* One at a time, so that two do not make the same job or open two generations. */
    if (ledger_ask(db, "SELECT id FROM turn WHERE id = 1 FOR UPDATE", NULL, 0, &one, call) < 0)
        return -1;
    if (!work->start && ledger_job_number(work->l, work->name, &work->job, call) < 0)
        return -1;
    if (work->start && !work->start->fresh)
        found = find_same(db, work->start, &work->job, call);
    if (found < 0)
        return -1;
    if (work->start && !found && insert_job(db, work->start, &work->job, call) < 0)
        return -1;
    if (ledger_join(work->l, work->job, &work->worker, &alone, call) < 0)
        return -1;
    return alone ? go_on(db, work->job, call) : 0;
}

static int start_job(struct ledger *l, struct begin *work, struct ledger_job *ret,
                     struct call *call)
{
    auto_ledger_job struct ledger_job job = {0};

    if (l->job)
        return err_set(&call->err, ERR_CONFLICT, "this ledger has a job already");
    if (db_transact(l->db, begin, work, call) < 0)
        return err_prefix(&call->err, "start the job in %s", db_name(l->db));
    l->job = work->job;
    l->worker = work->worker;
    l->beat = clock_monotonic();
    l->claim_after = 0;
    l->waiting_checked = 0;
    l->checkpoint_count = 0;
    if (ledger_job_read(l, l->job, &job, call) < 0)
        return -1;
    l->generation = job.generation;
    if (ret) {
        *ret = job;
        job = (struct ledger_job){0};
    }
    return 0;
}

int ledger_start(struct ledger *l, const struct ledger_start *start, struct ledger_job *ret,
                 struct call *call)
{
    locked(&l->lock);
    struct begin work = {.l = l, .start = start};

    return start_job(l, &work, ret, call);
}

int ledger_resume(struct ledger *l, const char *job, struct ledger_job *ret, struct call *call)
{
    locked(&l->lock);
    struct begin work = {.l = l, .name = job};

    return start_job(l, &work, ret, call);
}

int ledger_set_state(struct ledger *l, enum ledger_job_state state, struct call *call)
{
    locked(&l->lock);
    if (ledger_ready(l, call) < 0)
        return -1;
    return ledger_run(l->db, "UPDATE job SET state = ?2, updated = ?3 WHERE id = ?1",
                      INTS(l->job, state, clock_wall()), NULL, call);
}
