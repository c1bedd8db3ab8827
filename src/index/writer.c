// SPDX-License-Identifier: EUPL-1.2
/*
 * SQLite's one writer.  The writes that wait together share a transaction, and so one sync: see
 * docs/why/group-commit.md.
 *
 * A write belongs to the thread that waits for it, on whose stack it lies.  Until the writer has
 * begun it that thread may take it back; from then on it waits for the outcome.
 */
#include <assert.h>

#include "index/index_private.h"

/* Writes in one transaction: far more than ever wait in one sync of a disk. */
#define BATCH_MAX 512
/* Threads that may wait; each is a request of somebody's. */
#define WAITING_MAX 4096

enum write_state { WRITE_WAITING, WRITE_BEGUN, WRITE_DONE };
enum member_state { MEMBER_OPEN, MEMBER_GOOD, MEMBER_FAILED };

struct write {
    struct write *next;
    db_function *function;
    void *argument;
    enum index_durability durability;
    const struct call *caller; /* its deadline and cancellation; another thread's */
    enum write_state state;    /* guarded by the writer's lock */
    pthread_cond_t done;
    enum member_state member; /* the writer's thread, until done */
    struct err err;
};

struct batch {
    struct write *members[BATCH_MAX];
    size_t count;
    bool durable; /* one of them is */
};

/* ---- One transaction ---- */

static bool is_open(const struct write *w)
{
    return w->member != MEMBER_FAILED;
}

static size_t count_good(const struct batch *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->count; i++)
        n += b->members[i]->member == MEMBER_GOOD;
    return n;
}

static void fail_member(struct write *w, const struct err *why)
{
    w->member = MEMBER_FAILED;
    w->err = *why;
}

static void fail_rest(struct batch *b, const struct err *why)
{
    for (size_t i = 0; i < b->count; i++)
        if (is_open(b->members[i]))
            fail_member(b->members[i], why);
}

/* Another process holds the lock (a backup, an operator's shell): members whose time is up leave.
 */
static bool drop_expired(struct batch *b)
{
    size_t left = 0;

    for (size_t i = 0; i < b->count; i++) {
        struct write *w = b->members[i];
        struct call call = call_child(w->caller, NULL);
        if (is_open(w) && call_check(&call) < 0)
            fail_member(w, &call.err);
        left += is_open(w);
    }
    return left > 0;
}

static int begin(struct writer *w, struct batch *b, struct call *call)
{
    enum db_mode mode = b->durable ? DB_WRITE : DB_WRITE_RELAXED;
    int64_t until = clock_monotonic() + DB_RETRY_SECONDS * CLOCK_SECOND;

    while (db_begin_mode(w->connection->db, mode, call) < 0) {
        if (call->err.code != ERR_BUSY || clock_monotonic() >= until || !drop_expired(b))
            return -1;
        err_clear(&call->err);
    }
    return 0;
}

enum outcome { OUTCOME_GOOD, OUTCOME_FAILED, OUTCOME_LOST };

/* Run one member.  OUTCOME_LOST: it failed and took the transaction with it. */
static enum outcome run_member(struct db *db, struct write *w, bool alone, struct call *own)
{
    struct call call = call_child(w->caller, NULL);

    if (!alone && db_savepoint(db, own) < 0)
        return OUTCOME_LOST;
    connection_begin(connection_of(db), true);
    int result = w->function(db, w->argument, &call);
    assert(db_in_transaction(db));
    if (result == 0 && (alone || db_savepoint_keep(db, own) == 0)) {
        w->member = MEMBER_GOOD;
        return OUTCOME_GOOD;
    }
    fail_member(w, result < 0 ? &call.err : &own->err);
    if (alone || db_savepoint_undo(db, own) < 0)
        return OUTCOME_LOST;
    return OUTCOME_FAILED;
}

/* Run all members that have not failed.  False when the transaction was lost to one of them: those
 * that are left run again in another. */
static bool run_members(struct writer *w, struct batch *b, struct call *call)
{
    struct db *db = w->connection->db;
    size_t open = 0;

    for (size_t i = 0; i < b->count; i++) {
        if (!is_open(b->members[i]))
            continue;
        b->members[i]->member = MEMBER_OPEN;
        open++;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (!is_open(b->members[i]))
            continue;
        if (run_member(db, b->members[i], open == 1, call) == OUTCOME_LOST) {
            if (is_open(b->members[i]))
                fail_member(b->members[i], &call->err);
            err_clear(&call->err);
            return false;
        }
    }
    return true;
}

static int commit(struct writer *w, const struct batch *b, struct call *call)
{
    const struct index *index = w->index;
    bool durable = false;

    for (size_t i = 0; i < b->count; i++)
        durable |=
            b->members[i]->member == MEMBER_GOOD && b->members[i]->durability == INDEX_DURABLE;
    if (durable && index->before_commit &&
        index->before_commit(index->before_commit_argument, call) < 0)
        return -1;
    return db_commit(w->connection->db, call);
}

/* All members end good and committed, or failed and undone. */
static void run_batch(struct writer *w, struct batch *b)
{
    struct db *db = w->connection->db;
    struct call call = CALL_INIT;
    bool whole = false;

    while (!whole && drop_expired(b)) {
        if (begin(w, b, &call) < 0) {
            fail_rest(b, &call.err);
            return;
        }
        whole = run_members(w, b, &call);
        if (!whole)
            db_rollback(db);
    }
    if (!db_in_transaction(db))
        return;
    if (count_good(b) > 0 && commit(w, b, &call) < 0)
        fail_rest(b, &call.err);
    db_rollback(db); /* nothing, after a commit */
}

/* ---- The thread ---- */

static bool someone_waits(const struct writer *w, enum index_durability durability)
{
    const struct write *next = w->first;

    while (next && next->durability != durability)
        next = next->next;
    return next != NULL;
}

/* Writes that need no sync do not wait for one: they go by themselves, in turn with the others.
 * (An upload's intent comes before its bytes, which would come later for it.) */
static enum index_durability whose_turn(const struct writer *w, const struct batch *last)
{
    if (!someone_waits(w, INDEX_DURABLE))
        return INDEX_RELAXED;
    return last->durable && someone_waits(w, INDEX_RELAXED) ? INDEX_RELAXED : INDEX_DURABLE;
}

/* What waits of a kind, up to a batch; false when there will be no more. */
static bool next_batch(struct writer *w, struct batch *b)
{
    locked(&w->lock);

    while (!w->first && !w->stopping)
        (void)pthread_cond_wait(&w->work, &w->lock);
    enum index_durability turn = whose_turn(w, b);
    b->count = 0;
    b->durable = turn == INDEX_DURABLE;
    for (struct write **at = &w->first; *at && b->count < BATCH_MAX;) {
        struct write *next = *at;
        if (next->durability != turn) {
            at = &next->next;
            continue;
        }
        *at = next->next;
        if (!next->next)
            w->last = at;
        w->waiting--;
        next->state = WRITE_BEGUN;
        b->members[b->count++] = next;
    }
    return b->count > 0;
}

static void tell_outcomes(struct writer *w, struct batch *b)
{
    locked(&w->lock);

    for (size_t i = 0; i < b->count; i++) {
        b->members[i]->state = WRITE_DONE;
        (void)pthread_cond_signal(&b->members[i]->done);
    }
}

static void *writer_thread(void *argument)
{
    struct writer *w = argument;
    auto_free struct batch *b = xcalloc(1, sizeof(*b));

    while (next_batch(w, b)) {
        run_batch(w, b);
        connection_ended(w->connection);
        tell_outcomes(w, b);
    }
    return NULL;
}

int writer_start(struct writer *w, struct index *index, struct call *call)
{
    w->index = index;
    w->last = &w->first;
    (void)pthread_mutex_init(&w->lock, NULL);
    (void)pthread_cond_init(&w->work, NULL);
    int failed = pthread_create(&w->thread, NULL, writer_thread, w);
    if (failed)
        return err_errno(&call->err, failed, "start the index's writer");
    return 0;
}

void writer_stop(struct writer *w)
{
    (void)pthread_mutex_lock(&w->lock);
    w->stopping = true;
    (void)pthread_cond_signal(&w->work);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->work);
    (void)pthread_mutex_destroy(&w->lock);
}

/* ---- The waiting side ---- */

static int add(struct writer *w, struct write *write, struct call *call)
{
    if (w->waiting >= WAITING_MAX)
        return err_set(&call->err, ERR_BUSY, "%s: %d writes are waiting already", w->index->name,
                       WAITING_MAX);
    *w->last = write;
    w->last = &write->next;
    w->waiting++;
    (void)pthread_cond_signal(&w->work);
    return 0;
}

static void take_back(struct writer *w, const struct write *write)
{
    struct write **at = &w->first;

    while (*at != write)
        at = &(*at)->next;
    *at = write->next;
    if (!write->next)
        w->last = at;
    w->waiting--;
}

/* Under the lock: until it is done, or the call ends before it has begun. */
static int wait_for(struct writer *w, struct write *write, struct call *call)
{
    struct call limits = call_child(call, NULL);

    while (write->state == WRITE_WAITING) {
        if (condition_wait(&write->done, &w->lock, &limits) == 0)
            continue;
        take_back(w, write);
        call->err = limits.err;
        return -1;
    }
    while (write->state != WRITE_DONE)
        (void)pthread_cond_wait(&write->done, &w->lock);
    return 0;
}

int writer_run(struct writer *w, enum index_durability durability, db_function *function,
               void *argument, struct call *call)
{
    struct write write = {
        .function = function, .argument = argument, .durability = durability, .caller = call};

    if (call_check(call) < 0)
        return -1;
    (void)pthread_cond_init(&write.done, NULL);
    (void)pthread_mutex_lock(&w->lock);
    int result = add(w, &write, call);
    if (result == 0)
        result = wait_for(w, &write, call);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_cond_destroy(&write.done);
    if (result == 0 && write.member == MEMBER_FAILED) {
        call->err = write.err;
        result = -1;
    }
    return result;
}
