// SPDX-License-Identifier: EUPL-1.2
/* The contract of db.h on both back ends, and what only one of them can show. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "db/backend.h"
#include "db/db.h"
#include "scratch.h"
#include "util/clock.h"

static struct scratch scratch; /* of the group that runs */

static struct db *open_db(void)
{
    struct call call = CALL_INIT;
    struct db *db = NULL;

    assert_ok(db_open(scratch.url, NULL, &db, &call), &call.err);
    return db;
}

static void sql(struct db *db, const char *text)
{
    struct call call = CALL_INIT;

    assert_ok(db_exec(db, text, &call), &call.err);
}

static int64_t number(struct db *db, const char *text)
{
    struct call call = CALL_INIT;
    struct db_statement *s;

    assert_ok(db_prepare(db, text, &s, &call), &call.err);
    int row = db_step(s, &call);
    assert_ok(row, &call.err);
    int64_t value = row ? db_column_int(s, 0) : -1;
    db_reset(s);
    return value;
}

static int setup(void **state)
{
    cleanup(db_close_p) struct db *db = open_db();

    (void)state;
    sql(db, "DROP TABLE IF EXISTS thing; DROP TABLE IF EXISTS bascule_schema;"
            "CREATE TABLE thing (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, word TEXT,"
            " amount INTEGER CHECK (amount > -1000)) STRICT");
    return 0;
}

static int insert(struct db *db, const char *name, int64_t amount, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, "INSERT INTO thing (name, amount) VALUES (?1, ?2)", &s, call) < 0)
        return -1;
    db_bind_blob(s, 1, name, strlen(name));
    db_bind_int(s, 2, amount);
    return db_run(s, NULL, call);
}

static void test_values_come_back(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    struct db_statement *s;
    int64_t affected;
    size_t n;

    assert_ok(
        db_prepare(db, "INSERT INTO thing (name, word, amount) VALUES (?1, ?2, ?3)", &s, &call),
        &call.err);
    db_bind_blob(s, 1, "a\0b\xff\x01", 5);
    db_bind_text(s, 2, "d\xc3\xa9j\xc3\xa0 \xff?1 \xed\xa0\x80");
    db_bind_int(s, 3, INT64_MAX);
    assert_ok(db_run(s, &affected, &call), &call.err);
    assert_int_equal(affected, 1);
    db_bind_blob(s, 1, "", 0);
    db_bind_text(s, 2, NULL);
    db_bind_null(s, 3);
    assert_ok(db_run(s, NULL, &call), &call.err);

    assert_ok(db_prepare(db, "SELECT name, word, amount FROM thing ORDER BY name", &s, &call),
              &call.err);
    assert_int_equal(db_step(s, &call), 1);
    assert_non_null(db_column_blob(s, 0, &n));
    assert_int_equal(n, 0);
    assert_true(db_column_is_null(s, 1));
    assert_null(db_column_text(s, 1));
    assert_int_equal(db_column_int(s, 2), 0);
    assert_int_equal(db_step(s, &call), 1);
    const char *bytes = db_column_blob(s, 0, &n);
    assert_int_equal(n, 5);
    assert_memory_equal(bytes, "a\0b\xff\x01", 6);
    assert_string_equal(db_column_text(s, 1),
                        "d\xc3\xa9j\xc3\xa0 \xef\xbf\xbd?1 \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    assert_true(db_column_int(s, 2) == INT64_MAX);
    assert_int_equal(db_step(s, &call), 0);
    db_reset(s);
}

static void test_reset_forgets_bindings(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    struct db_statement *s;

    sql(db, "INSERT INTO thing (name, amount) VALUES (CAST('x' AS BLOB), -5)");
    assert_ok(db_prepare(db, "SELECT amount FROM thing WHERE amount = ?1", &s, &call), &call.err);
    db_bind_int(s, 1, -5);
    assert_int_equal(db_step(s, &call), 1);
    db_reset(s);
    assert_int_equal(db_step(s, &call), 0);
    db_reset(s);
    struct db_statement *same;
    assert_ok(db_prepare(db, "SELECT amount FROM thing WHERE amount = ?1", &same, &call),
              &call.err);
    assert_ptr_equal(s, same);
}

static void test_numbers_may_be_left_out(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    struct db_statement *s;

    assert_ok(db_prepare(db, "SELECT CAST(?2 AS INTEGER) - CAST(?12 AS INTEGER)", &s, &call),
              &call.err);
    for (int64_t i = 0; i < 2; i++) {
        db_bind_int(s, 2, 50);
        db_bind_int(s, 12, 8 + i);
        assert_ok(db_step(s, &call), &call.err);
        assert_int_equal(db_column_int(s, 0), 42 - i);
        db_reset(s);
    }
}

static void test_conflicts_have_codes(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;

    assert_ok(insert(db, "a", 1, &call), &call.err);
    assert_int_equal(insert(db, "a", 2, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    assert_int_equal(insert(db, "b", -2000, &call), -1);
    assert_int_equal(call.err.code, ERR_CONFLICT);
    assert_int_equal(db_exec(db, "SELECT * FROM nowhere", &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);
    assert_int_equal(db_exec(db, "SELEKT", &call), -1);
    assert_int_equal(call.err.code, ERR_INTERNAL);
    assert_ok(insert(db, "b", 2, &call), &call.err);
}

static void test_upsert_returning_and_affected(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    struct db_statement *s;
    int64_t affected;

    for (int i = 0; i < 3; i++) {
        assert_ok(db_prepare(db,
                             "INSERT INTO thing (name, amount) VALUES (?1, ?2) ON CONFLICT (name)"
                             " DO UPDATE SET amount = thing.amount + excluded.amount"
                             " RETURNING id, amount",
                             &s, &call),
                  &call.err);
        db_bind_blob(s, 1, "n", 1);
        db_bind_int(s, 2, 10);
        assert_int_equal(db_step(s, &call), 1);
        assert_true(db_column_int(s, 0) > 0);
        assert_int_equal(db_column_int(s, 1), 10 * (i + 1));
        assert_int_equal(db_step(s, &call), 0);
        db_reset(s);
    }
    assert_ok(insert(db, "m", 1, &call), &call.err);
    assert_ok(db_prepare(db, "UPDATE thing SET amount = 0 WHERE amount > ?1", &s, &call),
              &call.err);
    db_bind_int(s, 1, 0);
    assert_ok(db_run(s, &affected, &call), &call.err);
    assert_int_equal(affected, 2);
    db_bind_int(s, 1, 0);
    assert_ok(db_run(s, &affected, &call), &call.err);
    assert_int_equal(affected, 0);
    assert_ok(db_prepare(db, "SELECT id FROM thing", &s, &call), &call.err);
    assert_ok(db_run(s, &affected, &call), &call.err);
    assert_int_equal(affected, 0);
    assert_int_equal(number(db, "SELECT CAST(SUM(amount) AS INTEGER) FROM thing"), 0);
    assert_int_equal(
        number(db, "SELECT id FROM thing WHERE amount > 5 ORDER BY id LIMIT 1 FOR UPDATE"), -1);
}

static void test_rolls_back(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;

    {
        assert_ok(db_begin(db, &call), &call.err);
        auto_rollback struct db *guard = db;
        assert_ok(insert(db, "a", 1, &call), &call.err);
        assert_true(db_in_transaction(db));
    }
    assert_false(db_in_transaction(db));
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 0);
    {
        assert_ok(db_begin(db, &call), &call.err);
        auto_rollback struct db *guard = db;
        assert_ok(insert(db, "a", 1, &call), &call.err);
        assert_ok(db_commit(db, &call), &call.err);
    }
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 1);
    /* An error inside, then on with the next transaction. */
    assert_ok(db_begin(db, &call), &call.err);
    assert_int_equal(insert(db, "a", 1, &call), -1);
    db_rollback(db);
    assert_ok(insert(db, "b", 1, &call), &call.err);
    /* Open when the connection closes. */
    assert_ok(db_begin(db, &call), &call.err);
    assert_ok(insert(db, "c", 1, &call), &call.err);
    db_close(db);
    db = open_db();
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 2);
}

static int queue_many(struct db *db, int from, int to, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, "INSERT INTO thing (name, amount) VALUES (?1, ?2)", &s, call) < 0)
        return -1;
    for (int i = from; i < to; i++) {
        db_bind_blob(s, 1, &i, sizeof(i));
        db_bind_int(s, 2, i);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return 0;
}

static void test_queue(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    int64_t affected;

    assert_ok(db_begin(db, &call), &call.err);
    assert_ok(queue_many(db, 0, 1000, &call), &call.err);
    assert_ok(db_flush(db, &affected, &call), &call.err);
    assert_int_equal(affected, 1000);
    assert_ok(queue_many(db, 1000, 1010, &call), &call.err);
    /* Statements that want an answer wait for the queue by themselves. */
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 1010);
    assert_ok(db_flush(db, &affected, &call), &call.err);
    assert_int_equal(affected, 10);
    assert_ok(db_commit(db, &call), &call.err);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 1010);

    /* A failure in the queue undoes the transaction, and the connection goes on. */
    assert_ok(db_begin(db, &call), &call.err);
    int result = queue_many(db, 1005, 1400, &call);
    if (result == 0)
        result = db_commit(db, &call);
    assert_int_equal(result, -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    db_rollback(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 1010);
    /* Rolled back with the queue full. */
    assert_ok(db_begin(db, &call), &call.err);
    assert_ok(queue_many(db, 2000, 2020, &call), &call.err);
    db_rollback(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 1010);
}

static void test_many_statements(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();

    for (int i = 0; i < 3 * DB_STATEMENTS_MAX; i++) {
        auto_free char *text = xasprintf("SELECT %d + COUNT(*) FROM thing", i);
        assert_int_equal(number(db, text), i);
        assert_true(db->statement_count <= DB_STATEMENTS_MAX);
    }
}

struct increment {
    int runs;
    int pause_ms;
};

static int increment(struct db *db, void *argument, struct call *call)
{
    struct increment *work = argument;
    struct db_statement *s;

    work->runs++;
    if (db_prepare(db, "SELECT amount FROM thing WHERE id = 1 FOR UPDATE", &s, call) < 0 ||
        db_step(s, call) < 0)
        return -1;
    int64_t amount = db_column_int(s, 0);
    db_reset(s);
    if (call_sleep(call, work->pause_ms * CLOCK_MILLISECOND) < 0 ||
        db_prepare(db, "UPDATE thing SET amount = ?1 WHERE id = 1", &s, call) < 0)
        return -1;
    db_bind_int(s, 1, amount + 1);
    return db_run(s, NULL, call);
}

static int in_child(int (*function)(int), int argument)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(function(argument));
    return pid;
}

static int wait_child(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int increment_often(int times)
{
    struct call call = CALL_INIT;
    struct db *db = open_db();
    struct increment work = {.pause_ms = 1};

    for (int i = 0; i < times; i++)
        if (db_transact(db, increment, &work, &call) < 0) {
            (void)fprintf(stderr, "%s\n", call.err.text);
            return 1;
        }
    db_close(db);
    return 0;
}

static void test_transactions_of_processes_do_not_mix(void **state)
{
    (void)state;
    struct db *db = open_db();
    pid_t pids[3];

    sql(db, "INSERT INTO thing (id, name, amount) VALUES (1, CAST('x' AS BLOB), 0)");
    db_close(db);
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        pids[i] = in_child(increment_often, 20);
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        assert_int_equal(wait_child(pids[i]), 0);
    db = open_db();
    assert_int_equal(number(db, "SELECT amount FROM thing WHERE id = 1"), 60);
    db_close(db);
}

static void test_deadline_while_locked(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    cleanup(db_close_p) struct db *other = open_db();
    struct call call = CALL_INIT;
    struct increment work = {0};

    sql(db, "INSERT INTO thing (id, name, amount) VALUES (1, CAST('x' AS BLOB), 0)");
    assert_ok(db_begin(db, &call), &call.err);
    sql(db, "UPDATE thing SET amount = 7");
    struct call hurried = {.deadline = clock_monotonic() + 200 * CLOCK_MILLISECOND};
    int64_t start = clock_monotonic();
    assert_int_equal(db_transact(other, increment, &work, &hurried), -1);
    assert_true(clock_monotonic() - start < 4 * CLOCK_SECOND);
    assert_true(hurried.err.code == ERR_BUSY || hurried.err.code == ERR_TIMEOUT);
    struct cancel cancel = {.raised = true};
    struct call stopped = {.cancel = &cancel};
    assert_int_equal(db_transact(other, increment, &work, &stopped), -1);
    assert_int_equal(stopped.err.code, ERR_CANCELLED);
    assert_ok(db_commit(db, &call), &call.err);
    assert_ok(db_transact(other, increment, &work, &call), &call.err);
    assert_int_equal(number(db, "SELECT amount FROM thing"), 8);
}

static int passing_trouble(struct db *db, void *argument, struct call *call)
{
    int *left = argument;

    if (insert(db, "once", 1, call) < 0)
        return -1;
    if ((*left)-- > 0) {
        db->failure = DB_FAILURE_BUSY;
        return err_set(&call->err, ERR_BUSY, "pretended");
    }
    return 0;
}

static void test_transact_runs_again(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    int left = 3;

    assert_ok(db_transact(db, passing_trouble, &left, &call), &call.err);
    assert_int_equal(call.err.code, ERR_NONE);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 1);
    assert_int_equal(db_transact(db, passing_trouble, &left, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
}

static const struct migration steps[] = {
    {1, "CREATE TABLE IF NOT EXISTS m (id INTEGER PRIMARY KEY, a INTEGER NOT NULL) STRICT"},
    {2, "INSERT INTO m (a) VALUES (20); ALTER TABLE m ADD COLUMN b INTEGER"},
    {5, "UPDATE m SET b = a + 1; CREATE INDEX m_b ON m (b) WHERE b > 0"},
};

static int migrate_in_child(int count)
{
    struct call call = CALL_INIT;
    struct db *db = open_db();
    int result = db_migrate(db, "test", steps, (size_t)count, &call);

    if (result < 0)
        (void)fprintf(stderr, "%s\n", call.err.text);
    db_close(db);
    return result < 0;
}

static void test_migrations(void **state)
{
    (void)state;
    pid_t pids[4];
    struct db *db = open_db();
    struct call call = CALL_INIT;

    sql(db, "DROP TABLE IF EXISTS m");
    db_close(db);
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        pids[i] = in_child(migrate_in_child, 3);
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        assert_int_equal(wait_child(pids[i]), 0);
    db = open_db();
    assert_int_equal(number(db, "SELECT COUNT(*) FROM m"), 1);
    assert_int_equal(number(db, "SELECT b FROM m"), 21);
    assert_int_equal(number(db, "SELECT version FROM bascule_schema"), 5);
    assert_ok(db_migrate(db, "test", steps, 3, &call), &call.err);
    assert_int_equal(db_migrate(db, "test", steps, 2, &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(call.err.text, "newer bascule"));
    /* A step that fails leaves nothing of itself behind. */
    static const struct migration broken[] = {
        {6, "INSERT INTO m (a) VALUES (1); INSERT INTO nowhere VALUES (1)"}};
    assert_int_equal(db_migrate(db, "test", broken, 1, &call), -1);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM m"), 1);
    assert_int_equal(number(db, "SELECT version FROM bascule_schema"), 5);
    db_close(db);
}

static void test_read_only(void **state)
{
    (void)state;
    const struct db_options look = {.read_only = true};
    cleanup(db_close_p) struct db *db = open_db();
    cleanup(db_close_p) struct db *reader = NULL;
    struct call call = CALL_INIT;

    assert_ok(insert(db, "a", 1, &call), &call.err);
    assert_ok(db_open(scratch.url, &look, &reader, &call), &call.err);
    assert_int_equal(number(reader, "SELECT COUNT(*) FROM thing"), 1);
    assert_int_equal(insert(reader, "b", 1, &call), -1);
    assert_int_equal(call.err.code, ERR_READ_ONLY);
    assert_int_equal(db_migrate(reader, "none", steps, 1, &call), -1);
}

static void test_clock(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    int64_t now;

    assert_ok(db_clock(db, &now, &call), &call.err);
    assert_true(llabs(now - clock_wall()) < 60 * CLOCK_SECOND);
}

/* ---- SQLite alone ---- */

static void test_sqlite_file(void **state)
{
    (void)state;
    struct stat info;
    cleanup(db_close_p) struct db *db = open_db();
    cleanup(db_close_p) struct db *none = NULL;
    struct call call = CALL_INIT;
    const struct db_options exists = {.must_exist = true};

    assert_non_null(db);
    assert_int_equal(stat(strchr(scratch.url, ':') + 1, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    auto_free char *missing = xasprintf("%s-missing", scratch.url);
    assert_int_equal(db_open(missing, &exists, &none, &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);
    assert_int_equal(db_open("sqlite:/nowhere/at/all.db", NULL, &none, &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);
    assert_int_equal(db_open("sqlite:", NULL, &none, &call), -1);
    assert_int_equal(db_open("postgress://me:hush@host/x", NULL, &none, &call), -1);
    assert_int_equal(call.err.code, ERR_INVALID);
    assert_null(strstr(call.err.text, "hush"));
    assert_ok(db_open("sqlite::memory:", NULL, &none, &call), &call.err);
    sql(none, "CREATE TABLE a (b INTEGER) STRICT");
}

static void test_sqlite_full_and_corrupt(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    cleanup(db_close_p) struct db *bad = NULL;
    struct call call = CALL_INIT;
    auto_free char *path = xasprintf("%s/garbage", scratch.folder);
    auto_free char *url = xasprintf("sqlite:%s", path);

    sql(db, "PRAGMA max_page_count = 10");
    assert_ok(db_begin(db, &call), &call.err);
    int result = 0;
    for (int i = 0; i < 100 && result == 0; i++)
        result = queue_many(db, 100 * i, 100 * i + 100, &call);
    assert_int_equal(result, -1);
    assert_int_equal(call.err.code, ERR_NO_SPACE);
    db_rollback(db);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 0);

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 2000; i++)
        (void)fputs("garbage ", file);
    (void)fclose(file);
    assert_int_equal(db_open(url, NULL, &bad, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    assert_non_null(strstr(call.err.text, path));
}

static void test_sqlite_long_query_stops(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = {.deadline = clock_monotonic() + 50 * CLOCK_MILLISECOND};

    assert_int_equal(db_exec(db,
                             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                             " SELECT COUNT(*) FROM n",
                             &call),
                     -1);
    assert_int_equal(call.err.code, ERR_TIMEOUT);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 0);
}

/* ---- PostgreSQL alone ---- */

/* End the server's side of db. */
static void cut(struct db *db)
{
    cleanup(db_close_p) struct db *killer = open_db();
    int64_t pid = number(db, "SELECT pg_backend_pid()");
    auto_free char *text = xasprintf("SELECT pg_terminate_backend(%d)", (int)pid);

    sql(killer, text);
    (void)usleep(100000);
}

static int cut_within(struct db *db, void *argument, struct call *call)
{
    int *runs = argument;

    if (insert(db, "cut", 1, call) < 0)
        return -1;
    if ((*runs)++ == 0)
        cut(db);
    return insert(db, "cut 2", 1, call);
}

static void test_postgres_lost_connection(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = CALL_INIT;
    int left = 0;
    int runs = 0;

    cut(db);
    assert_int_equal(insert(db, "lost", 1, &call), -1);
    assert_int_equal(call.err.code, ERR_NETWORK);
    assert_ok(insert(db, "back", 1, &call), &call.err);
    cut(db);
    assert_ok(db_transact(db, passing_trouble, &left, &call), &call.err);
    assert_ok(db_transact(db, cut_within, &runs, &call), &call.err);
    assert_int_equal(runs, 2);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 4);
    assert_ok(db_begin(db, &call), &call.err);
    assert_ok(insert(db, "gone", 1, &call), &call.err);
    cut(db);
    assert_int_equal(db_commit(db, &call), -1);
    assert_int_equal(call.err.code, ERR_NETWORK);
    assert_non_null(strstr(call.err.text, "not known"));
    assert_int_equal(number(db, "SELECT COUNT(*) FROM thing"), 4);
}

static void test_postgres_long_query_stops(void **state)
{
    (void)state;
    cleanup(db_close_p) struct db *db = open_db();
    struct call call = {.deadline = clock_monotonic() + 50 * CLOCK_MILLISECOND};
    int64_t pid = number(db, "SELECT pg_backend_pid()");

    assert_int_equal(db_exec(db, "SELECT pg_sleep(20)", &call), -1);
    assert_int_equal(call.err.code, ERR_TIMEOUT);
    assert_int_equal(number(db, "SELECT pg_backend_pid()"), pid);
}

static void test_postgres_unreachable(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    struct db *db = NULL;

    assert_int_equal(db_open("postgres://me:hush@127.0.0.1:9/x", NULL, &db, &call), -1);
    assert_int_equal(call.err.code, ERR_NETWORK);
    assert_null(strstr(call.err.text, "hush"));
    assert_non_null(strstr(call.err.text, "postgres://127.0.0.1:9/x"));
}

static void test_translation(void **state)
{
    (void)state;
    static const char *const cases[][3] = {
        {"SELECT '?1 BLOB ''x INTEGER' -- ?2 BLOB\n, ?3",
         "SELECT '?1 BLOB ''x INTEGER' -- ?2 BLOB\n, $3",
         "SELECT '?1 BLOB ''x INTEGER' -- ?2 BLOB\n, ?3"},
        {"CREATE TABLE a (id INTEGER PRIMARY KEY, INTEGERS BLOB) STRICT, WITHOUT ROWID",
         "CREATE TABLE a (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, INTEGERS BYTEA) ",
         "CREATE TABLE a (id INTEGER PRIMARY KEY, INTEGERS BLOB) STRICT, WITHOUT ROWID"},
        {"SELECT a FOR UPDATE\n  SKIP LOCKED", "SELECT a FOR UPDATE\n  SKIP LOCKED", "SELECT a "},
        {"x_BLOB a-b", "x_BLOB a-b", "x_BLOB a-b"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_free char *postgres = translate_for_postgres(cases[i][0]);
        auto_free char *sqlite = translate_for_sqlite(cases[i][0]);
        assert_string_equal(postgres, cases[i][1]);
        assert_string_equal(sqlite, cases[i][2]);
    }
}

#define CONTRACT_TESTS                                                                             \
    cmocka_unit_test_setup(test_values_come_back, setup),                                          \
        cmocka_unit_test_setup(test_reset_forgets_bindings, setup),                                \
        cmocka_unit_test_setup(test_numbers_may_be_left_out, setup),                               \
        cmocka_unit_test_setup(test_conflicts_have_codes, setup),                                  \
        cmocka_unit_test_setup(test_upsert_returning_and_affected, setup),                         \
        cmocka_unit_test_setup(test_rolls_back, setup), cmocka_unit_test_setup(test_queue, setup), \
        cmocka_unit_test_setup(test_many_statements, setup),                                       \
        cmocka_unit_test_setup(test_transactions_of_processes_do_not_mix, setup),                  \
        cmocka_unit_test_setup(test_deadline_while_locked, setup),                                 \
        cmocka_unit_test_setup(test_transact_runs_again, setup),                                   \
        cmocka_unit_test_setup(test_migrations, setup),                                            \
        cmocka_unit_test_setup(test_read_only, setup), cmocka_unit_test_setup(test_clock, setup)

int main(void)
{
    const struct CMUnitTest sqlite[] = {
        CONTRACT_TESTS,
        cmocka_unit_test_setup(test_sqlite_file, setup),
        cmocka_unit_test_setup(test_sqlite_full_and_corrupt, setup),
        cmocka_unit_test_setup(test_sqlite_long_query_stops, setup),
        cmocka_unit_test(test_postgres_unreachable),
        cmocka_unit_test(test_translation),
    };
    const struct CMUnitTest postgres[] = {
        CONTRACT_TESTS,
        cmocka_unit_test_setup(test_postgres_lost_connection, setup),
        cmocka_unit_test_setup(test_postgres_long_query_stops, setup),
    };

    scratch_sqlite(&scratch);
    int failed = cmocka_run_group_tests(sqlite, NULL, NULL);
    scratch_release(&scratch);
    scratch_postgres(&scratch);
    if (scratch.url)
        failed += cmocka_run_group_tests(postgres, NULL, NULL);
    scratch_release(&scratch);
    return failed;
}
