// SPDX-License-Identifier: EUPL-1.2
/*
 * What a back end of db.h provides.  Only db.c calls these tables; everybody else calls db.h.
 *
 * A back end embeds struct db and struct db_statement in its own.  Every table is complete.
 * A function that fails sets call->err and db->failure, which says what db_transact() may do.
 */
#ifndef DB_BACKEND_H
#define DB_BACKEND_H

#include "db/db.h"

enum db_failure {
    DB_FAILURE_FINAL, /* trying again will not help */
    DB_FAILURE_BUSY,  /* the same transaction may succeed when run again */
    DB_FAILURE_LOST,  /* the connection is gone, and nothing was committed */
};

struct db_statement {
    struct db *db;
    char *sql; /* as the caller wrote it */
    uint32_t hash;
    uint64_t used; /* db->tick of the last db_prepare() */
    bool active;   /* db_step() has given a row and db_reset() has not come */
    struct db_statement *next;
};

#define DB_BUCKETS        256
#define DB_STATEMENTS_MAX 200
#define DB_HINTS          64

struct db {
    const struct db_ops *ops;
    char *name;
    struct db_options options;
    void *context;
    bool in_transaction;
    bool closing;            /* nothing needs tidying on the other side any more */
    enum db_failure failure; /* of the last function that failed */
    int64_t queued_affected;
    uint64_t tick;
    int statement_count;
    struct db_statement *statements[DB_BUCKETS];
    /* What was found last for a text at this address: most texts are literals. */
    struct db_statement *hints[DB_HINTS];
};

struct db_ops {
    enum db_kind kind;
    void (*close)(struct db *db);
    int (*clock)(struct db *db, int64_t *ret, struct call *call);
    int (*exec)(struct db *db, const char *sql, struct call *call);
    /* Inside a transaction: keep others from changing the schema until it ends. */
    int (*lock_schema)(struct db *db, struct call *call);
    /* Make sure there is a connection; drops a dead one.  Not inside a transaction. */
    int (*connect)(struct db *db, struct call *call);
    int (*begin)(struct db *db, enum db_mode mode, struct call *call);
    int (*commit)(struct db *db, struct call *call);
    void (*rollback)(struct db *db);

    int (*prepare)(struct db *db, const char *sql, struct db_statement **ret, struct call *call);
    void (*finalize)(struct db_statement *s);
    void (*bind_int)(struct db_statement *s, int number, int64_t value);
    void (*bind_text)(struct db_statement *s, int number, const char *text, size_t n);
    void (*bind_blob)(struct db_statement *s, int number, const void *bytes, size_t n);
    void (*bind_null)(struct db_statement *s, int number);
    int (*step)(struct db_statement *s, struct call *call);
    /* Rows changed by the run that db_step() has just ended. */
    int64_t (*affected)(struct db_statement *s);
    int (*queue)(struct db_statement *s, struct call *call);
    /* Adds to db->queued_affected. */
    int (*flush)(struct db *db, struct call *call);
    void (*reset)(struct db_statement *s);
    bool (*column_is_null)(struct db_statement *s, int column);
    int64_t (*column_int)(struct db_statement *s, int column);
    const char *(*column_text)(struct db_statement *s, int column);
    const void *(*column_blob)(struct db_statement *s, int column, size_t *ret_n);
};

/* path is what follows "sqlite:". */
must_check int sqlite_open(const char *path, const struct db_options *options, struct db **ret,
                           struct call *call);
must_check int postgres_open(const char *url, const struct db_options *options, struct db **ret,
                             struct call *call);

/* Sleep before attempt number attempt (from 0) of something that was busy: 2 ms growing to 500 ms,
 * half of it by chance.  -1 as call_check(). */
must_check int db_pause(int attempt, struct call *call);
/* The last moment for retries under this call, monotonic. */
int64_t db_retry_until(const struct call *call);

/* What the PostgreSQL side makes of SQL (see db.h): "INTEGER" -> BIGINT and so on, ?1 -> $1. */
char *translate_for_postgres(const char *sql);
/* What the SQLite side makes of it: FOR UPDATE goes. */
char *translate_for_sqlite(const char *sql);

#endif
