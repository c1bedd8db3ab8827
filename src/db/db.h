// SPDX-License-Identifier: EUPL-1.2
/*
 * One small SQL interface over SQLite and PostgreSQL.
 *
 *     struct db_statement *find;
 *     if (db_prepare(db, "SELECT size FROM object WHERE id = ?1", &find, call) < 0)
 *         return -1;
 *     db_bind_int(find, 1, id);
 *     int row = db_step(find, call);           (1: a row, 0: no more, -1: failed)
 *     if (row > 0)
 *         size = db_column_int(find, 0);
 *     db_reset(find);                          (also when db_step() failed; never forgotten)
 *
 * URLs: "sqlite:/path/file.db", "sqlite::memory:", "postgres://user@host:port/name" (any URL that
 * libpq takes).  A password is better left to PGPASSFILE or ~/.pgpass than put into the URL; no
 * error text shows one.
 *
 * Threads: a struct db and its statements belong to one thread at a time.
 *
 * Waiting: every function with a struct call may wait for a lock, a disk or a network, and stops at
 * the call's deadline (ERR_TIMEOUT) or cancellation (ERR_CANCELLED).
 *
 * The SQL both back ends understand
 * ---------------------------------
 * Write SQLite's dialect, inside these limits; the PostgreSQL side translates what differs:
 *   - Types: INTEGER (64 bits), TEXT (UTF-8, no NUL), BLOB (bytes); no others.  "INTEGER PRIMARY
 * KEY" numbers new rows by itself (never rely on the numbers being dense).  Tables should say
 * STRICT, and may say WITHOUT ROWID; PostgreSQL does without.
 *   - Parameters are ?1, ?2 ..., and numbers may be left out; a TEXT column gets db_bind_text(), a
 *     BLOB column db_bind_blob(): on SQLite the two never compare equal, on PostgreSQL mixing them
 *     is an error.  Where nothing but a parameter decides a type, write CAST(?1 AS INTEGER).
 *   - INSERT ... ON CONFLICT (columns) DO NOTHING / DO UPDATE SET x = table.x + excluded.x,
 *     RETURNING, row values ((a, b) > (?1, ?2)), CASE, COALESCE, common table expressions, partial
 *     indexes and LIMIT work on both.
 *   - SUM() of integers: CAST(SUM(x) AS INTEGER), because PostgreSQL widens it.
 *   - Compare and order names as BLOB: bytewise on both.  TEXT order depends on a collation, unless
 *     the column is declared "TEXT COLLATE BINARY".
 *   - "FOR UPDATE" and "FOR UPDATE SKIP LOCKED" at the end of a SELECT lock rows on PostgreSQL and
 *     are dropped for SQLite, where a transaction holds the whole database anyway.
 *   - Comments are "-- to the end of the line"; identifiers are lower case and not quoted.  "?" and
 *     the words above are left alone inside 'literals'.
 *   - After a failed statement inside a transaction, roll back: PostgreSQL refuses everything else.
 *   - Page through large results with LIMIT: PostgreSQL's rows are all fetched at the first step.
 *
 * Errors: ERR_BUSY locked by others, or a serialization failure; ERR_EXISTS unique violation;
 * ERR_CONFLICT other constraints; ERR_NO_SPACE disk full; ERR_READ_ONLY; ERR_CORRUPT not a
 * database, or damaged; ERR_NETWORK connection lost; ERR_UNKNOWN_WHO login refused; ERR_DENIED;
 * ERR_IO; ERR_INTERNAL wrong SQL.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "util/call.h"

struct db;
struct db_statement;

/* How much a commit that returned is worth when the machine loses power.  (After kill -9 of our
 * process nothing committed is ever lost.)  PostgreSQL: synchronous_commit on or off. */
enum db_durability {
    DB_DURABLE, /* on disk when db_commit() returns: one sync for each transaction */
    DB_RELAXED, /* the last few may be gone, the database is consistent all the same */
};

struct db_options {
    enum db_durability durability;
    int cache_kib;   /* SQLite page cache; 0 means 2048 */
    int wal_pages;   /* SQLite: pages in the log that start a checkpoint; 0 means 1000 */
    bool must_exist; /* do not create the file: ERR_NOT_FOUND */
    bool read_only;  /* refuse writes (ERR_READ_ONLY); implies must_exist */
};

enum db_kind { DB_SQLITE, DB_POSTGRES };

/* Open; options may be NULL (durable, created where missing).  A new SQLite file is readable by its
 * owner only. */
must_check int db_open(const char *url, const struct db_options *options, struct db **ret,
                       struct call *call);
/* Roll back what is open, free everything; NULL is fine. */
void db_close(struct db *db);
void db_close_p(struct db **db);

enum db_kind db_kind(const struct db *db);
/* What it is for people, without a password: "sqlite:/var/lib/x.db", "postgres://host:5432/name".
 */
const char *db_name(const struct db *db);
/* A pointer of the owner's that goes with the database; NULL at first. */
void db_set_context(struct db *db, void *context);
void *db_context(const struct db *db);
/* Wall time in nanoseconds of the clock all users of this database share: this machine's for
 * SQLite, the server's for PostgreSQL. */
must_check int db_clock(struct db *db, int64_t *ret, struct call *call);

/* One or more statements without parameters and results. */
must_check int db_exec(struct db *db, const char *sql, struct call *call);

/* ---- Statements ---- */

/* The statement for this text, prepared at its first use and kept until db_close() (the least
 * recently used go first when there are more than 200).  It belongs to db; there is one for each
 * text, so that nested uses of the same text are a bug (asserted).  Bindings are all NULL. */
must_check int db_prepare(struct db *db, const char *sql, struct db_statement **ret,
                          struct call *call);

/* Bind parameter number (from 1).  Bytes are copied.  Text that is not UTF-8 has the offending
 * bytes replaced by U+FFFD; a NULL pointer binds NULL. */
void db_bind_int(struct db_statement *s, int number, int64_t value);
void db_bind_text(struct db_statement *s, int number, const char *text);
void db_bind_blob(struct db_statement *s, int number, const void *bytes, size_t n);
void db_bind_null(struct db_statement *s, int number);

/* Run to the next row: 1 a row, 0 no more, -1 failed. */
must_check int db_step(struct db_statement *s, struct call *call);
/* Run to the end and reset; for statements whose rows nobody wants.  *ret_affected (may be NULL)
 * gets the number of rows inserted, updated or deleted. */
must_check int db_run(struct db_statement *s, int64_t *ret_affected, struct call *call);
/* As db_run(), but may return before the server has answered, so that many statements share one
 * journey; errors then come from db_flush() or whatever runs next.  Only inside a transaction.
 * The statement may be bound and queued again at once. */
must_check int db_queue(struct db_statement *s, struct call *call);
/* Wait for all that was queued.  *ret_affected (may be NULL) gets the rows affected by all of it
 * since the last flush.  db_commit() flushes too. */
must_check int db_flush(struct db *db, int64_t *ret_affected, struct call *call);
/* Ready for the next use; bindings become NULL.  Keeps the errors of struct call alone. */
void db_reset(struct db_statement *s);
/* db_reset() for cleanup(); NULL is fine. */
void db_reset_p(struct db_statement **s);
#define auto_statement cleanup(db_reset_p)

/* Columns (from 0) of the row db_step() gave, valid until the next step or reset.  Reading a column
 * as the wrong type is a bug of ours (asserted), except that NULL reads as 0, NULL and NULL.
 * db_column_text() is NUL-terminated; so is what db_column_blob() gives. */
bool db_column_is_null(struct db_statement *s, int column);
int64_t db_column_int(struct db_statement *s, int column);
const char *db_column_text(struct db_statement *s, int column);
const void *db_column_blob(struct db_statement *s, int column, size_t *ret_n);

/* ---- Transactions ---- */

/* What a transaction is for. */
enum db_mode {
    DB_WRITE,         /* as db_begin() */
    DB_WRITE_RELAXED, /* the same, and its commit is DB_RELAXED whatever the database's option */
    DB_VIEW,          /* one consistent view for reading (PostgreSQL: REPEATABLE READ); on SQLite it
                         locks out nobody and waits for nobody.  It must not write */
};
must_check int db_begin_mode(struct db *db, enum db_mode mode, struct call *call);

/* Begin a transaction that will write.  SQLite: takes the write lock now.  PostgreSQL: READ
 * COMMITTED; lock the rows a decision rests on with FOR UPDATE.  They do not nest. */
must_check int db_begin(struct db *db, struct call *call);
/* After a failure the transaction is rolled back (or, where the connection broke during the commit
 * itself, nobody knows: ERR_NETWORK, and the text says so). */
must_check int db_commit(struct db *db, struct call *call);
/* Never fails: what could not be rolled back is, at the latest, when the connection closes. */
void db_rollback(struct db *db);
bool db_in_transaction(const struct db *db);

/* Rolls back at the end of the block unless db_commit() came first:
 *     if (db_begin(db, call) < 0)
 *         return -1;
 *     auto_rollback struct db *guard = db;     (a no-op after db_commit())                       */
void db_rollback_p(struct db **db);
#define auto_rollback cleanup(db_rollback_p) maybe_unused

typedef int db_function(struct db *db, void *argument, struct call *call);

/* Run function inside a transaction and commit; the function may run several times, so it must not
 * change anything outside the database that a second run would trip over, and must not commit.
 * Runs it again, after a growing pause, when the database was busy or the transaction lost a race
 * (SQLITE_BUSY, SQLSTATE 40001, 40P01, 55P03), until the call's deadline, or for
 * DB_RETRY_SECONDS where it has none.  A connection lost before the commit was sent is made anew
 * once; after that, or in the middle of the commit, ERR_NETWORK. */
must_check int db_transact(struct db *db, db_function *function, void *argument, struct call *call);
#define DB_RETRY_SECONDS 60
/* As db_transact(), which is DB_WRITE. */
must_check int db_transact_mode(struct db *db, enum db_mode mode, db_function *function,
                                void *argument, struct call *call);

/* A part of a transaction that can be undone alone.  They do not nest.  Where undoing fails, the
 * database has given up the whole transaction (disk full, a statement interrupted): roll back. */
must_check int db_savepoint(struct db *db, struct call *call);
must_check int db_savepoint_keep(struct db *db, struct call *call);
must_check int db_savepoint_undo(struct db *db, struct call *call);

/* ---- Schema ---- */

/* One step of a schema: version numbers rise from 1.  sql may hold several statements. */
struct migration {
    int version;
    const char *sql;
};

/* Bring the schema called name (several can live in one database) to the last version in the list,
 * each step in its own transaction, recorded in table bascule_schema (name, version, applied).
 * Safe when several processes do it at once.  A schema newer than the list is refused with
 * ERR_UNSUPPORTED and a line that says to use a newer bascule; a read-only database with an older
 * schema with ERR_READ_ONLY. */
must_check int db_migrate(struct db *db, const char *name, const struct migration *list,
                          size_t count, struct call *call);

#endif
