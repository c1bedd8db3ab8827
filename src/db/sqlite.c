// SPDX-License-Identifier: EUPL-1.2
/* The embedded back end of db.h: SQLite in WAL mode. */
#include <sqlite3.h>

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "db/backend.h"
#include "util/clock.h"

#define CACHE_KIB 2048
#define WAL_PAGES 1000
/* The log is cut back to this when a checkpoint has emptied it. */
#define WAL_KEEP "16777216"
/* How long one statement waits for a lock before db_transact() takes over. */
#define BUSY_WAIT (5 * CLOCK_SECOND)
/* Virtual machine steps between two looks at deadline and cancellation: well below a millisecond.
 */
#define PROGRESS_STEPS 20000

enum fixed { FIXED_VIEW, FIXED_WRITE, FIXED_COMMIT, FIXED_COUNT };

struct sqlite {
    struct db db;
    sqlite3 *handle;
    sqlite3_stmt *fixed[FIXED_COUNT]; /* what every transaction needs; prepared when first used */
    enum db_durability durability;    /* of the next commit */
    struct call *call;                /* of the function that runs now, for the handlers */
    int64_t busy_since;               /* monotonic */
};

struct sqlite_statement {
    struct db_statement statement;
    sqlite3_stmt *handle;
    int64_t affected;
};

static struct sqlite *of_db(struct db *db)
{
    return container_of(db, struct sqlite, db);
}

static struct sqlite_statement *of_statement(struct db_statement *s)
{
    return container_of(s, struct sqlite_statement, statement);
}

/* ---- Errors ---- */

static const struct {
    int result;
    enum err_code code;
} codes[] = {
    {SQLITE_BUSY, ERR_BUSY},       {SQLITE_LOCKED, ERR_BUSY},
    {SQLITE_FULL, ERR_NO_SPACE},   {SQLITE_READONLY, ERR_READ_ONLY},
    {SQLITE_CORRUPT, ERR_CORRUPT}, {SQLITE_NOTADB, ERR_CORRUPT},
    {SQLITE_IOERR, ERR_IO},        {SQLITE_PERM, ERR_DENIED},
    {SQLITE_AUTH, ERR_DENIED},     {SQLITE_CONSTRAINT, ERR_CONFLICT},
    {SQLITE_PROTOCOL, ERR_BUSY},   {SQLITE_NOMEM, ERR_BUSY},
    {SQLITE_TOOBIG, ERR_INVALID},
};

static enum err_code code_of(int result, const char *text)
{
    if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY)
        return ERR_EXISTS;
    if (result == SQLITE_ERROR && strncmp(text, "no such table", 13) == 0)
        return ERR_NOT_FOUND;
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (codes[i].result == (result & 0xff))
            return codes[i].code;
    return ERR_INTERNAL;
}

/* Set the error for a result of SQLite's; always -1. */
static int fail(struct sqlite *s, int result, struct call *call)
{
    const char *text = s->handle ? sqlite3_errmsg(s->handle) : sqlite3_errstr(result);
    int number = s->handle ? sqlite3_system_errno(s->handle) : 0;
    int basic = result & 0xff;

    s->db.failure = DB_FAILURE_FINAL;
    if (basic == SQLITE_INTERRUPT && call_check(call) < 0)
        return -1;
    if ((basic == SQLITE_CANTOPEN || basic == SQLITE_IOERR) && number != 0)
        return err_errno(&call->err, number, "%s: %s", s->db.name, text);
    if (basic == SQLITE_BUSY || basic == SQLITE_LOCKED || basic == SQLITE_PROTOCOL)
        s->db.failure = DB_FAILURE_BUSY;
    return err_set(&call->err, code_of(result, text), "%s: %s", s->db.name, text);
}

/* ---- Waiting ---- */

static int on_busy(void *argument, int count)
{
    struct sqlite *s = argument;
    struct call quiet = *s->call;

    if (count == 0)
        s->busy_since = clock_monotonic();
    if (clock_monotonic() - s->busy_since > BUSY_WAIT)
        return 0;
    return db_pause(count, &quiet) == 0;
}

static int on_progress(void *argument)
{
    struct sqlite *s = argument;
    struct call quiet = {.deadline = s->call->deadline, .cancel = s->call->cancel};

    return call_check(&quiet) < 0;
}

/* ---- Opening ---- */

static int sqlite_exec(struct db *db, const char *sql, struct call *call)
{
    struct sqlite *s = of_db(db);

    s->call = call;
    int result = sqlite3_exec(s->handle, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : fail(s, result, call);
}

/* Changing to WAL wants the file for itself and does not ask the busy handler. */
static int use_wal(struct sqlite *s, struct call *call)
{
    int64_t until = db_retry_until(call);

    for (int attempt = 0;; attempt++) {
        if (sqlite_exec(&s->db, "PRAGMA journal_mode = WAL", call) == 0)
            return 0;
        if (s->db.failure != DB_FAILURE_BUSY || clock_monotonic() >= until)
            return -1;
        if (db_pause(attempt, call) < 0)
            return -1;
    }
}

static int configure(struct sqlite *s, struct call *call)
{
    const struct db_options *options = &s->db.options;
    auto_free char *settings =
        xasprintf("PRAGMA cache_size = -%d; PRAGMA mmap_size = 0; PRAGMA foreign_keys = ON;"
                  "PRAGMA journal_size_limit = " WAL_KEEP "; PRAGMA wal_autocheckpoint = %d;"
                  "PRAGMA synchronous = %s; PRAGMA query_only = %d;",
                  options->cache_kib > 0 ? options->cache_kib : CACHE_KIB,
                  options->wal_pages > 0 ? options->wal_pages : WAL_PAGES,
                  options->durability == DB_RELAXED ? "NORMAL" : "FULL", options->read_only);

    sqlite3_busy_handler(s->handle, on_busy, s);
    sqlite3_progress_handler(s->handle, PROGRESS_STEPS, on_progress, s);
    if (!options->read_only && use_wal(s, call) < 0)
        return -1;
    if (sqlite_exec(&s->db, settings, call) < 0)
        return -1;
    /* The first look at the file: not a database, damaged, unreadable? */
    return sqlite_exec(&s->db, "SELECT COUNT(*) FROM sqlite_master", call);
}

static void sqlite_close_handle(struct db *db)
{
    struct sqlite *s = of_db(db);

    for (int i = 0; i < FIXED_COUNT; i++)
        (void)sqlite3_finalize(s->fixed[i]);
    (void)sqlite3_close_v2(s->handle);
    free(s);
}

/* The names of everything that was moved are nobody else's business.  Made without opening it:
 * closing a descriptor of a database file drops the locks this process has on it elsewhere. */
static int create_file(const char *path, struct call *call)
{
    if (mknod(path, S_IFREG | 0600, 0) == 0 || errno == EEXIST)
        return 0;
    int number = errno;
    return err_errno(&call->err, number, "open the database '%s'", path);
}

static int open_handle(struct sqlite *s, const char *path, struct call *call)
{
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    bool memory = strcmp(path, ":memory:") == 0;

    if (!memory && !s->db.options.must_exist && create_file(path, call) < 0)
        return -1;
    int result = sqlite3_open_v2(
        path, &s->handle, flags | SQLITE_OPEN_READWRITE | (memory ? SQLITE_OPEN_CREATE : 0), NULL);
    if (result != SQLITE_OK && s->db.options.read_only) {
        (void)sqlite3_close_v2(take(s->handle));
        result = sqlite3_open_v2(path, &s->handle, flags | SQLITE_OPEN_READONLY, NULL);
    }
    if (result == SQLITE_OK)
        return 0;
    return fail(s, result, call);
}

/* ---- Statements ---- */

static int sqlite_prepare(struct db *db, const char *sql, struct db_statement **ret,
                          struct call *call)
{
    struct sqlite *s = of_db(db);
    auto_free char *translated = translate_for_sqlite(sql);
    sqlite3_stmt *handle = NULL;

    s->call = call;
    int result =
        sqlite3_prepare_v3(s->handle, translated, -1, SQLITE_PREPARE_PERSISTENT, &handle, NULL);
    if (result != SQLITE_OK)
        return fail(s, result, call);
    struct sqlite_statement *statement = xcalloc(1, sizeof(*statement));
    statement->handle = handle;
    *ret = &statement->statement;
    return 0;
}

static void sqlite_finalize(struct db_statement *statement)
{
    struct sqlite_statement *s = of_statement(statement);

    (void)sqlite3_finalize(s->handle);
    free(s);
}

/* Binding fails for a wrong number (our bug) and for want of memory. */
static void bound(int result)
{
    if (result == SQLITE_NOMEM)
        abort();
    assert(result == SQLITE_OK);
}

static void sqlite_bind_int(struct db_statement *s, int number, int64_t value)
{
    bound(sqlite3_bind_int64(of_statement(s)->handle, number, value));
}

static void sqlite_bind_text(struct db_statement *s, int number, const char *text, size_t n)
{
    bound(sqlite3_bind_text64(of_statement(s)->handle, number, text, n, SQLITE_TRANSIENT,
                              SQLITE_UTF8));
}

static void sqlite_bind_blob(struct db_statement *s, int number, const void *bytes, size_t n)
{
    bound(
        sqlite3_bind_blob64(of_statement(s)->handle, number, n ? bytes : "", n, SQLITE_TRANSIENT));
}

static void sqlite_bind_null(struct db_statement *s, int number)
{
    bound(sqlite3_bind_null(of_statement(s)->handle, number));
}

static int sqlite_step(struct db_statement *statement, struct call *call)
{
    struct sqlite_statement *s = of_statement(statement);
    struct sqlite *base = of_db(statement->db);

    base->call = call;
    int64_t before = statement->active ? 0 : sqlite3_total_changes64(base->handle);
    int result = sqlite3_step(s->handle);
    if (result == SQLITE_ROW)
        return 1;
    s->affected = 0;
    if (result == SQLITE_DONE) {
        if (!sqlite3_stmt_readonly(s->handle) && sqlite3_total_changes64(base->handle) != before)
            s->affected = sqlite3_changes64(base->handle);
        (void)sqlite3_reset(s->handle);
        return 0;
    }
    (void)fail(base, result, call);
    (void)sqlite3_reset(s->handle);
    return -1;
}

static int64_t sqlite_affected(struct db_statement *s)
{
    return of_statement(s)->affected;
}

static int sqlite_queue(struct db_statement *s, struct call *call)
{
    int result;

    do
        result = sqlite_step(s, call);
    while (result > 0);
    if (result == 0)
        s->db->queued_affected += of_statement(s)->affected;
    return result;
}

static int sqlite_flush(struct db *db, struct call *call)
{
    (void)db;
    (void)call;
    return 0;
}

static void sqlite_reset(struct db_statement *s)
{
    (void)sqlite3_reset(of_statement(s)->handle);
    (void)sqlite3_clear_bindings(of_statement(s)->handle);
}

static bool sqlite_column_is_null(struct db_statement *s, int column)
{
    return sqlite3_column_type(of_statement(s)->handle, column) == SQLITE_NULL;
}

static int64_t sqlite_column_int(struct db_statement *s, int column)
{
    assert(sqlite3_column_type(of_statement(s)->handle, column) == SQLITE_INTEGER);
    return sqlite3_column_int64(of_statement(s)->handle, column);
}

static const char *sqlite_column_text(struct db_statement *s, int column)
{
    assert(sqlite3_column_type(of_statement(s)->handle, column) == SQLITE_TEXT);
    return (const char *)sqlite3_column_text(of_statement(s)->handle, column);
}

static const void *sqlite_column_blob(struct db_statement *s, int column, size_t *ret_n)
{
    int type = sqlite3_column_type(of_statement(s)->handle, column);

    /* Read as text, because that puts a NUL behind it; the encoding is UTF-8, so no byte changes.
     * A column read once calls itself text from then on. */
    assert(type == SQLITE_BLOB || type == SQLITE_TEXT);
    const void *bytes = sqlite3_column_text(of_statement(s)->handle, column);
    *ret_n = (size_t)sqlite3_column_bytes(of_statement(s)->handle, column);
    return bytes ? bytes : "";
}

/* ---- Transactions ---- */

static int sqlite_clock(struct db *db, int64_t *ret, struct call *call)
{
    (void)db;
    (void)call;
    *ret = clock_wall();
    return 0;
}

static int sqlite_nothing_to_do(struct db *db, struct call *call)
{
    (void)db;
    (void)call;
    return 0;
}

static int run_fixed(struct sqlite *s, enum fixed which, struct call *call)
{
    static const char *const texts[FIXED_COUNT] = {
        [FIXED_VIEW] = "BEGIN", [FIXED_WRITE] = "BEGIN IMMEDIATE", [FIXED_COMMIT] = "COMMIT"};
    sqlite3_stmt **statement = &s->fixed[which];
    int result = SQLITE_OK;

    s->call = call;
    if (!*statement)
        result = sqlite3_prepare_v3(s->handle, texts[which], -1, SQLITE_PREPARE_PERSISTENT,
                                    statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(*statement);
    if (result == SQLITE_DONE) {
        (void)sqlite3_reset(*statement);
        return 0;
    }
    (void)fail(s, result, call);
    (void)sqlite3_reset(*statement);
    return -1;
}

/* Takes effect only outside transactions. */
static int set_durability(struct sqlite *s, enum db_durability durability, struct call *call)
{
    if (s->durability == durability)
        return 0;
    const char *sql =
        durability == DB_RELAXED ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL";
    if (sqlite_exec(&s->db, sql, call) < 0)
        return -1;
    s->durability = durability;
    return 0;
}

static int sqlite_begin(struct db *db, enum db_mode mode, struct call *call)
{
    struct sqlite *s = of_db(db);

    if (mode == DB_VIEW || db->options.read_only)
        return run_fixed(s, FIXED_VIEW, call);
    enum db_durability durability = mode == DB_WRITE_RELAXED ? DB_RELAXED : db->options.durability;
    if (set_durability(s, durability, call) < 0)
        return -1;
    /* Reading first and writing later could find that others wrote in between. */
    return run_fixed(s, FIXED_WRITE, call);
}

static int sqlite_commit(struct db *db, struct call *call)
{
    return run_fixed(of_db(db), FIXED_COMMIT, call);
}

static void sqlite_rollback(struct db *db)
{
    struct call call = CALL_INIT;

    if (!sqlite3_get_autocommit(of_db(db)->handle))
        (void)sqlite_exec(db, "ROLLBACK", &call);
}

static const struct db_ops sqlite_ops = {
    .kind = DB_SQLITE,
    .close = sqlite_close_handle,
    .clock = sqlite_clock,
    .exec = sqlite_exec,
    .lock_schema = sqlite_nothing_to_do,
    .connect = sqlite_nothing_to_do,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .prepare = sqlite_prepare,
    .finalize = sqlite_finalize,
    .bind_int = sqlite_bind_int,
    .bind_text = sqlite_bind_text,
    .bind_blob = sqlite_bind_blob,
    .bind_null = sqlite_bind_null,
    .step = sqlite_step,
    .affected = sqlite_affected,
    .queue = sqlite_queue,
    .flush = sqlite_flush,
    .reset = sqlite_reset,
    .column_is_null = sqlite_column_is_null,
    .column_int = sqlite_column_int,
    .column_text = sqlite_column_text,
    .column_blob = sqlite_column_blob,
};

int sqlite_open(const char *path, const struct db_options *options, struct db **ret,
                struct call *call)
{
    if (!*path)
        return err_set(&call->err, ERR_INVALID,
                       "open the database: 'sqlite:' needs a path behind it, or ':memory:'");
    struct sqlite *s = xcalloc(1, sizeof(*s));
    cleanup(db_close_p) struct db *db = &s->db;

    s->db.ops = &sqlite_ops;
    s->db.options = *options;
    s->durability = options->durability;
    s->db.options.must_exist |= options->read_only;
    s->db.name = xasprintf("sqlite:%s", path);
    s->call = call;
    if (open_handle(s, path, call) < 0 || configure(s, call) < 0)
        return -1;
    *ret = take(db);
    return 0;
}
