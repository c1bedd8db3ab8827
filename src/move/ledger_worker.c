// SPDX-License-Identifier: EUPL-1.2
/* Who works on a job: telling the living from the dead, and taking the work of the dead back. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "move/ledger_private.h"
#include "util/random.h"
#include "util/thread.h"

/* ---- Who this process is ---- */

/* The first line of a small file; "" where there is none. */
static void read_line(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");

    text[0] = '\0';
    if (!file)
        return;
    if (!fgets(text, (int)size, file))
        text[0] = '\0';
    text[strcspn(text, "\n")] = '\0';
    (void)fclose(file);
}

/* When a process started, in clock ticks after boot; 0 when there is no such process, or only what
 * its parent has not buried yet. */
static int64_t process_start(int64_t pid, bool *ret_seen)
{
    char path[64];
    char line[1024];

    (void)snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    read_line(path, line, sizeof(line));
    /* The second field is the program's name in brackets, and may itself hold brackets. */
    const char *at = strrchr(line, ')');
    *ret_seen = at != NULL;
    if (at && (strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0))
        return 0;
    for (int field = 2; at && field < 22; field++) {
        at = strchr(at, ' ');
        if (at)
            at++;
    }
    return at ? strtoll(at, NULL, 10) : 0;
}

/* Whether a process is no more, asked of the kernel: /proc may hide it. */
static bool is_gone(int64_t pid)
{
    return kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

void ledger_self_fill(struct ledger_self *self)
{
    *self = (struct ledger_self){.pid = getpid()};
    if (gethostname(self->host, sizeof(self->host) - 1) < 0 || !self->host[0])
        (void)snprintf(self->host, sizeof(self->host), "localhost");
    read_line("/etc/machine-id", self->machine, sizeof(self->machine));
    read_line("/proc/sys/kernel/random/boot_id", self->boot, sizeof(self->boot));
    ssize_t n = readlink("/proc/self/ns/pid", self->name_space, sizeof(self->name_space) - 1);
    self->name_space[n < 0 ? 0 : n] = '\0';
    bool seen;
    self->process_start = process_start(self->pid, &seen);
}

bool ledger_worker_lives(const struct ledger *l, const struct ledger_worker *w, int64_t now)
{
    const struct ledger_self *self = &l->self;

    /* A process of this very kernel that we could see if it were there. */
    if (self->boot[0] && strcmp(self->boot, w->self.boot) == 0 &&
        strcmp(self->name_space, w->self.name_space) == 0) {
        bool seen = false;
        int64_t start = process_start(w->self.pid, &seen);
        if (is_gone(w->self.pid))
            return false;
        if (seen)
            return start == w->self.process_start;
        /* /proc hides what is not ours: the lease decides. */
        return w->alive_until > now;
    }
    /* This machine has booted since. */
    if (self->machine[0] && strcmp(self->machine, w->self.machine) == 0 &&
        strcmp(self->host, w->self.host) == 0 && strcmp(self->boot, w->self.boot) != 0)
        return false;
    return w->alive_until > now;
}

/* ---- Rows ---- */

/* All worker rows of a job; there are as many as there are processes. */
static int load_workers(struct ledger *l, int64_t job, struct ledger_worker **ret,
                        size_t *ret_count, struct call *call)
{
    struct db_statement *s;
    auto_free struct ledger_worker *list = NULL;
    size_t count = 0;
    int row;

    if (db_prepare(l->db,
                   "SELECT id, host, machine, boot, name_space, pid, process_start, since,"
                   " alive_until FROM worker WHERE job = ?1 ORDER BY since, id",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, job);
    while ((row = db_step(s, call)) > 0) {
        list = xrealloc(list, count + 1, sizeof(*list));
        struct ledger_worker *w = &list[count++];
        *w = (struct ledger_worker){.id = db_column_int(s, 0),
                                    .self.pid = db_column_int(s, 5),
                                    .self.process_start = db_column_int(s, 6),
                                    .since = db_column_int(s, 7),
                                    .alive_until = db_column_int(s, 8)};
        (void)snprintf(w->self.host, sizeof(w->self.host), "%s", db_column_text(s, 1));
        (void)snprintf(w->self.machine, sizeof(w->self.machine), "%s", db_column_text(s, 2));
        (void)snprintf(w->self.boot, sizeof(w->self.boot), "%s", db_column_text(s, 3));
        (void)snprintf(w->self.name_space, sizeof(w->self.name_space), "%s", db_column_text(s, 4));
    }
    db_reset(s);
    if (row < 0)
        return -1;
    *ret = take(list);
    *ret_count = count;
    return 0;
}

int ledger_workers(struct ledger *l, int64_t job, struct ledger_worker *ret_first,
                   struct call *call)
{
    auto_free struct ledger_worker *list = NULL;
    size_t count;
    int64_t now;
    int alive = 0;

    if (load_workers(l, job, &list, &count, call) < 0)
        return -1;
    if (count > 0 && db_clock(l->db, &now, call) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (ledger_worker_lives(l, &list[i], now) && alive++ == 0)
            *ret_first = list[i];
    return alive;
}

/* Give back what a worker holds, and forget it. */
static int bury(struct db *db, int64_t worker, struct call *call)
{
    static const char *const statements[] = {
        "UPDATE object SET state = 0, worker = NULL WHERE state = 1 AND worker = ?1",
        "UPDATE container SET lister = NULL WHERE lister = ?1",
        "DELETE FROM worker WHERE id = ?1",
    };

    for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
        if (ledger_run(db, statements[i], INTS(worker), NULL, call) < 0)
            return -1;
    return 0;
}

int ledger_reap(struct ledger *l, int64_t job, struct call *call)
{
    auto_free struct ledger_worker *list = NULL;
    size_t count;
    int64_t now;

    if (load_workers(l, job, &list, &count, call) < 0 || db_clock(l->db, &now, call) < 0)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (list[i].id != l->worker && !ledger_worker_lives(l, &list[i], now) &&
            bury(l->db, list[i].id, call) < 0)
            return -1;
    return 0;
}

static int insert_worker(struct ledger *l, int64_t job, int64_t *ret, struct call *call)
{
    struct db_statement *s;
    int64_t now;

    if (db_clock(l->db, &now, call) < 0 ||
        db_prepare(l->db,
                   "INSERT INTO worker (job, host, machine, boot, name_space, pid, process_start,"
                   " since, alive_until, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                   &s, call) < 0)
        return -1;
    /* Drawn, not counted: the number of a worker that was taken for dead must never come again. */
    int64_t id = (int64_t)(random_below(INT64_MAX - 1) + 1);
    db_bind_int(s, 1, job);
    db_bind_text(s, 2, l->self.host);
    db_bind_text(s, 3, l->self.machine);
    db_bind_text(s, 4, l->self.boot);
    db_bind_text(s, 5, l->self.name_space);
    db_bind_int(s, 6, l->self.pid);
    db_bind_int(s, 7, l->self.process_start);
    db_bind_int(s, 8, now);
    db_bind_int(s, 9, now + LEDGER_LEASE);
    db_bind_int(s, 10, id);
    if (db_run(s, NULL, call) < 0)
        return -1;
    *ret = id;
    return 0;
}

int ledger_join(struct ledger *l, int64_t job, int64_t *ret_worker, bool *ret_alone,
                struct call *call)
{
    struct ledger_worker first;

    if (ledger_reap(l, job, call) < 0)
        return -1;
    int alive = ledger_workers(l, job, &first, call);
    if (alive < 0)
        return -1;
    if (alive > 0 && db_kind(l->db) == DB_SQLITE) {
        char when[64] = "";
        time_t seconds = (time_t)(first.since / CLOCK_SECOND);
        struct tm parts;
        if (gmtime_r(&seconds, &parts))
            (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", &parts);
        return err_set(&call->err, ERR_BUSY,
                       "this job is being run by process %lld on %s since %s: wait for it or stop "
                       "it (a ledger in PostgreSQL lets several share a job)",
                       (long long)first.self.pid, first.self.host, when);
    }
    *ret_alone = alive == 0;
    return insert_worker(l, job, ret_worker, call);
}

/* ---- Heartbeat ---- */

struct beat {
    struct ledger *l;
    int64_t worker; /* result */
};

static int beat(struct db *db, void *argument, struct call *call)
{
    struct beat *work = argument;
    struct ledger *l = work->l;
    int64_t now;
    int64_t affected;

    if (db_clock(db, &now, call) < 0 ||
        ledger_run(db, "UPDATE worker SET alive_until = ?2 WHERE id = ?1",
                   INTS(l->worker, now + LEDGER_LEASE), &affected, call) < 0)
        return -1;
    work->worker = l->worker;
    /* Slept for too long and was taken for dead: what was claimed is gone, the rest goes on. */
    bool alone;
    if (affected == 0 && ledger_join(l, l->job, &work->worker, &alone, call) < 0)
        return -1;
    if (ledger_run(db, "UPDATE job SET updated = ?2 WHERE id = ?1", INTS(l->job, now), NULL, call) <
        0)
        return -1;
    return ledger_reap(l, l->job, call);
}

int ledger_beat_if_due(struct ledger *l, int64_t age, struct call *call)
{
    if (ledger_ready(l, call) < 0)
        return -1;
    if (clock_monotonic() - l->beat < age)
        return 0;
    struct beat work = {.l = l};
    if (db_transact(l->db, beat, &work, call) < 0)
        return err_prefix(&call->err, "tell the ledger that this process lives");
    l->worker = work.worker;
    l->beat = clock_monotonic();
    return 0;
}

int ledger_heartbeat(struct ledger *l, struct call *call)
{
    locked(&l->lock);
    return ledger_beat_if_due(l, 0, call);
}

/* ---- Stopping ---- */

struct stop {
    struct ledger *l;
    enum ledger_job_state state;
    const char *error;
};

static int check_done(struct ledger *l, struct call *call)
{
    int64_t open;

    if (ledger_ask(l->db,
                   "SELECT CAST(COALESCE(SUM(objects), 0) AS INTEGER) FROM tally"
                   " WHERE job = ?1 AND state IN (0, 2)",
                   INTS(l->job), &open, call) < 0)
        return -1;
    bool listed;
    if (ledger_listing_done(l, &listed, call) < 0)
        return -1;
    if (!listed)
        return err_set(&call->err, ERR_CONFLICT,
                       "the job can not end as done: the listing is not complete");
    if (open > 0)
        return err_set(&call->err, ERR_CONFLICT,
                       "the job can not end as done: %lld objects are not", (long long)open);
    return 0;
}

static int stop(struct db *db, void *argument, struct call *call)
{
    const struct stop *work = argument;
    struct ledger *l = work->l;
    struct ledger_worker first;
    struct db_statement *s;

    if (work->state == LEDGER_JOB_DONE && check_done(l, call) < 0)
        return -1;
    if (bury(db, l->worker, call) < 0)
        return -1;
    int others = ledger_workers(l, l->job, &first, call);
    if (others < 0)
        return -1;
    if (others > 0 && work->state != LEDGER_JOB_DONE)
        return 0;
    if (db_prepare(db,
                   "UPDATE job SET state = ?2, error = ?3, ended = ?4, updated = ?4"
                   " WHERE id = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, l->job);
    db_bind_int(s, 2, work->state);
    db_bind_text(s, 3, work->error);
    db_bind_int(s, 4, clock_wall());
    return db_run(s, NULL, call);
}

int ledger_stop(struct ledger *l, enum ledger_job_state state, const char *error, struct call *call)
{
    locked(&l->lock);
    struct stop work = {l, state, error};

    if (ledger_ready(l, call) < 0)
        return -1;
    if (db_transact(l->db, stop, &work, call) < 0)
        return err_prefix(&call->err, "end the job in the ledger");
    l->job = 0;
    l->worker = 0;
    return 0;
}
