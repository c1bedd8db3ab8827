// SPDX-License-Identifier: EUPL-1.2
/* The checking functions over the back ends, the statement cache and the rerunning of
 * transactions: see db.h. */
#include "db/db.h"

#include <assert.h>
#include <string.h>

#include "codec/utf8.h"
#include "db/backend.h"
#include "util/buf.h"
#include "util/clock.h"
#include "util/random.h"

#define PAUSE_FIRST (2 * CLOCK_MILLISECOND)
#define PAUSE_MOST  (500 * CLOCK_MILLISECOND)
/* A text longer than this is a bug of ours: errors and JSON end far below. */
#define TEXT_MAX (16 * 1024 * 1024)

int db_open(const char *url, const struct db_options *options, struct db **ret, struct call *call)
{
    static const struct db_options usual = {.durability = DB_DURABLE};

    if (!options)
        options = &usual;
    if (strncmp(url, "sqlite:", 7) == 0)
        return sqlite_open(url + 7, options, ret, call);
    if (strncmp(url, "postgres://", 11) == 0 || strncmp(url, "postgresql://", 13) == 0)
        return postgres_open(url, options, ret, call);
    /* Not shown: it may be a URL with a password behind a mistyped scheme. */
    return err_set(&call->err, ERR_INVALID,
                   "open the database: its URL begins with neither 'sqlite:' nor 'postgres://'");
}

static void forget_statements(struct db *db)
{
    for (size_t i = 0; i < DB_BUCKETS; i++) {
        while (db->statements[i]) {
            struct db_statement *s = db->statements[i];
            db->statements[i] = s->next;
            free(s->sql);
            db->ops->finalize(s);
        }
    }
}

void db_close(struct db *db)
{
    if (!db)
        return;
    db_rollback(db);
    db->closing = true;
    forget_statements(db);
    free(db->name);
    db->ops->close(db);
}

void db_close_p(struct db **db)
{
    db_close(*db);
    *db = NULL;
}

enum db_kind db_kind(const struct db *db)
{
    return db->ops->kind;
}

const char *db_name(const struct db *db)
{
    return db->name;
}

void db_set_context(struct db *db, void *context)
{
    db->context = context;
}

void *db_context(const struct db *db)
{
    return db->context;
}

int db_clock(struct db *db, int64_t *ret, struct call *call)
{
    if (call_check(call) < 0)
        return -1;
    return db->ops->clock(db, ret, call);
}

int db_exec(struct db *db, const char *sql, struct call *call)
{
    db->failure = DB_FAILURE_FINAL;
    if (call_check(call) < 0)
        return -1;
    if (db->ops->flush(db, call) < 0)
        return -1;
    return db->ops->exec(db, sql, call);
}

/* ---- Statements ---- */

static uint32_t hash_text(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 16777619u;
    return hash;
}

/* Drop the statement that was not prepared for longest and is not in use. */
static void evict(struct db *db)
{
    struct db_statement **oldest = NULL;

    for (size_t i = 0; i < DB_BUCKETS; i++)
        for (struct db_statement **at = &db->statements[i]; *at; at = &(*at)->next)
            if (!(*at)->active && (!oldest || (*at)->used < (*oldest)->used))
                oldest = at;
    if (!oldest)
        return;
    struct db_statement *s = *oldest;
    *oldest = s->next;
    db->statement_count--;
    memset(db->hints, 0, sizeof(db->hints));
    free(s->sql);
    db->ops->finalize(s);
}

/* The cached statement for this text, or NULL. */
static struct db_statement *find(struct db *db, const char *sql, uint32_t hash)
{
    struct db_statement *s = db->statements[hash % DB_BUCKETS];

    while (s && (s->hash != hash || strcmp(s->sql, sql) != 0))
        s = s->next;
    return s;
}

static int prepare_new(struct db *db, const char *sql, uint32_t hash, struct db_statement **ret,
                       struct call *call)
{
    struct db_statement **bucket = &db->statements[hash % DB_BUCKETS];
    struct db_statement *s;

    if (db->statement_count >= DB_STATEMENTS_MAX)
        evict(db);
    if (db->ops->prepare(db, sql, &s, call) < 0)
        return -1;
    s->db = db;
    s->sql = xstrdup(sql);
    s->hash = hash;
    s->next = *bucket;
    *bucket = s;
    db->statement_count++;
    *ret = s;
    return 0;
}

int db_prepare(struct db *db, const char *sql, struct db_statement **ret, struct call *call)
{
    struct db_statement **hint = &db->hints[((uintptr_t)sql >> 3) % DB_HINTS];
    struct db_statement *s = *hint;

    db->failure = DB_FAILURE_FINAL;
    if (call_check(call) < 0)
        return -1;
    if (!s || strcmp(s->sql, sql) != 0) {
        uint32_t hash = hash_text(sql);
        s = find(db, sql, hash);
        if (!s && prepare_new(db, sql, hash, &s, call) < 0)
            return -1;
        *hint = s;
    }
    assert(!s->active);
    s->used = ++db->tick;
    *ret = s;
    return 0;
}

void db_bind_int(struct db_statement *s, int number, int64_t value)
{
    assert(!s->active);
    s->db->ops->bind_int(s, number, value);
}

void db_bind_text(struct db_statement *s, int number, const char *text)
{
    uint32_t character;

    assert(!s->active);
    if (!text) {
        s->db->ops->bind_null(s, number);
        return;
    }
    size_t length = strlen(text);
    if (utf8_valid(text, length)) {
        s->db->ops->bind_text(s, number, text, length);
        return;
    }
    auto_buf struct buf clean = BUF_INIT(TEXT_MAX);
    for (size_t at = 0; at < length;) {
        size_t n = utf8_read(text + at, length - at, &character);
        if (n > 0)
            buf_bytes(&clean, text + at, n);
        else
            buf_text(&clean, "\xef\xbf\xbd");
        at += n ? n : 1;
    }
    s->db->ops->bind_text(s, number, clean.data, clean.length);
}

void db_bind_blob(struct db_statement *s, int number, const void *bytes, size_t n)
{
    assert(!s->active);
    if (bytes)
        s->db->ops->bind_blob(s, number, bytes, n);
    else
        s->db->ops->bind_null(s, number);
}

void db_bind_null(struct db_statement *s, int number)
{
    assert(!s->active);
    s->db->ops->bind_null(s, number);
}

int db_step(struct db_statement *s, struct call *call)
{
    struct db *db = s->db;

    if (!s->active) {
        db->failure = DB_FAILURE_FINAL;
        if (call_check(call) < 0 || db->ops->flush(db, call) < 0)
            return -1;
    }
    int result = db->ops->step(s, call);
    s->active = result > 0;
    return result;
}

int db_run(struct db_statement *s, int64_t *ret_affected, struct call *call)
{
    int result;

    do
        result = db_step(s, call);
    while (result > 0);
    if (result == 0 && ret_affected)
        *ret_affected = s->db->ops->affected(s);
    db_reset(s);
    return result;
}

int db_queue(struct db_statement *s, struct call *call)
{
    assert(s->db->in_transaction && !s->active);
    s->db->failure = DB_FAILURE_FINAL;
    int result = call_check(call) < 0 ? -1 : s->db->ops->queue(s, call);
    db_reset(s);
    return result;
}

int db_flush(struct db *db, int64_t *ret_affected, struct call *call)
{
    db->failure = DB_FAILURE_FINAL;
    if (db->ops->flush(db, call) < 0)
        return -1;
    if (ret_affected)
        *ret_affected = db->queued_affected;
    db->queued_affected = 0;
    return 0;
}

void db_reset(struct db_statement *s)
{
    s->active = false;
    s->db->ops->reset(s);
}

void db_reset_p(struct db_statement **s)
{
    if (*s)
        db_reset(*s);
}

bool db_column_is_null(struct db_statement *s, int column)
{
    assert(s->active);
    return s->db->ops->column_is_null(s, column);
}

int64_t db_column_int(struct db_statement *s, int column)
{
    assert(s->active);
    return s->db->ops->column_is_null(s, column) ? 0 : s->db->ops->column_int(s, column);
}

const char *db_column_text(struct db_statement *s, int column)
{
    assert(s->active);
    return s->db->ops->column_is_null(s, column) ? NULL : s->db->ops->column_text(s, column);
}

const void *db_column_blob(struct db_statement *s, int column, size_t *ret_n)
{
    assert(s->active);
    if (s->db->ops->column_is_null(s, column)) {
        *ret_n = 0;
        return NULL;
    }
    return s->db->ops->column_blob(s, column, ret_n);
}

/* ---- Transactions ---- */

int db_begin(struct db *db, struct call *call)
{
    return db_begin_mode(db, DB_WRITE, call);
}

int db_begin_mode(struct db *db, enum db_mode mode, struct call *call)
{
    assert(!db->in_transaction);
    db->failure = DB_FAILURE_FINAL;
    if (call_check(call) < 0)
        return -1;
    if (db->ops->connect(db, call) < 0 || db->ops->begin(db, mode, call) < 0)
        return -1;
    db->in_transaction = true;
    db->queued_affected = 0;
    return 0;
}

int db_commit(struct db *db, struct call *call)
{
    assert(db->in_transaction);
    db->failure = DB_FAILURE_FINAL;
    if (call_check(call) < 0 || db->ops->flush(db, call) < 0 || db->ops->commit(db, call) < 0) {
        enum db_failure failure = db->failure;
        db_rollback(db);
        db->failure = failure;
        return -1;
    }
    db->in_transaction = false;
    return 0;
}

/* Those whose rows somebody stopped reading. */
static void reset_active(struct db *db)
{
    for (size_t i = 0; i < DB_BUCKETS; i++)
        for (struct db_statement *s = db->statements[i]; s; s = s->next)
            if (s->active)
                db_reset(s);
}

void db_rollback(struct db *db)
{
    if (!db->in_transaction)
        return;
    reset_active(db);
    db->ops->rollback(db);
    db->in_transaction = false;
    db->queued_affected = 0;
}

static int run_text(struct db *db, const char *sql, struct call *call)
{
    struct db_statement *s;

    assert(db->in_transaction);
    return db_prepare(db, sql, &s, call) < 0 ? -1 : db_run(s, NULL, call);
}

int db_savepoint(struct db *db, struct call *call)
{
    return run_text(db, "SAVEPOINT part", call);
}

int db_savepoint_keep(struct db *db, struct call *call)
{
    return run_text(db, "RELEASE SAVEPOINT part", call);
}

int db_savepoint_undo(struct db *db, struct call *call)
{
    reset_active(db);
    if (run_text(db, "ROLLBACK TO SAVEPOINT part", call) < 0)
        return -1;
    return db_savepoint_keep(db, call);
}

bool db_in_transaction(const struct db *db)
{
    return db->in_transaction;
}

void db_rollback_p(struct db **db)
{
    if (*db)
        db_rollback(*db);
}

int64_t db_retry_until(const struct call *call)
{
    return call->deadline ? call->deadline : clock_monotonic() + DB_RETRY_SECONDS * CLOCK_SECOND;
}

int db_pause(int attempt, struct call *call)
{
    int64_t most = attempt < 8 ? PAUSE_FIRST << attempt : PAUSE_MOST;
    int64_t pause = most / 2 + (int64_t)random_below((uint64_t)most / 2 + 1);

    return call_sleep(call, pause);
}

static int transact_once(struct db *db, enum db_mode mode, db_function *function, void *argument,
                         struct call *call)
{
    if (db_begin_mode(db, mode, call) < 0)
        return -1;
    if (function(db, argument, call) < 0) {
        enum db_failure failure = db->failure;
        db_rollback(db);
        db->failure = failure;
        return -1;
    }
    assert(db->in_transaction);
    return db_commit(db, call);
}

int db_transact(struct db *db, db_function *function, void *argument, struct call *call)
{
    return db_transact_mode(db, DB_WRITE, function, argument, call);
}

int db_transact_mode(struct db *db, enum db_mode mode, db_function *function, void *argument,
                     struct call *call)
{
    int64_t until = db_retry_until(call);
    bool reconnected = false;

    for (int attempt = 0;; attempt++) {
        if (transact_once(db, mode, function, argument, call) == 0)
            return 0;
        if (db->failure == DB_FAILURE_LOST && !reconnected)
            reconnected = true;
        else if (db->failure != DB_FAILURE_BUSY || clock_monotonic() >= until)
            return -1;
        struct err why = call->err;
        if (db_pause(attempt, call) < 0) {
            /* "locked by another process" says more than "the time has passed". */
            if (call->err.code == ERR_TIMEOUT)
                call->err = why;
            return -1;
        }
        err_clear(&call->err);
    }
}
