// SPDX-License-Identifier: EUPL-1.2
/* What the files of the index share.  Nobody else includes this. */
#ifndef INDEX_INDEX_PRIVATE_H
#define INDEX_INDEX_PRIVATE_H

#include <stdatomic.h>
#include <string.h>

#include "index/index.h"
#include "util/thread.h"

/* ---- A column's value in a row ---- */

static inline bool column_is_number(const struct column *c)
{
    return c->type == COLUMN_INT || c->type == COLUMN_TIME;
}

static inline int64_t column_number(const void *row, const struct column *c)
{
    return *(const int64_t *)(const void *)((const char *)row + c->offset);
}

static inline const char *column_text(const void *row, const struct column *c)
{
    return *(char *const *)(const void *)((const char *)row + c->offset);
}

void column_bind(struct db_statement *s, int number, const struct column *c, const void *row);

/* ---- SQL made from the tables' descriptions (sql.c) ---- */

#define KEYS_MAX 4

struct table_sql {
    char *find;
    char *lock;
    char *insert;
    char *update;
    char *put;
    char *remove[KEYS_MAX + 1]; /* by so many columns of the key */
};

void table_sql_init(struct table_sql *sql, const struct table *t);
void table_sql_release(struct table_sql *sql);

/* A text row_select() made, found again by where its "where" lies: most are literals. */
#define SELECTS 64
struct select_text {
    const struct table *table;
    char *sql;
    size_t where_at; /* in sql */
};

/* ---- A connection and the transaction on it ---- */

struct index_connection {
    struct db *db;
    struct index *index;
    int64_t now; /* of the transaction that runs; 0: nobody asked yet */
    bool writing;
    bool accounts;                 /* this transaction has changed some */
    bool silent;                   /* this transaction's changes leave no lines in the journal */
    struct index_connection *next; /* in the pool */
    struct select_text selects[SELECTS];
};
/* Of a struct db that index_read() or index_write() handed out. */
struct index_connection *connection_of(struct db *db);
const struct table_sql *table_sql_of(struct db *db, const struct table *t);

must_check int connection_open(struct index *index, bool read_only, struct index_connection **ret,
                               struct call *call);
void connection_close(struct index_connection *c);
/* Before each run of a function in a transaction. */
void connection_begin(struct index_connection *c, bool writing);
/* After each write, committed or not, and before anybody hears of it. */
void connection_ended(struct index_connection *c);

/* ---- Connections shared by threads (pool.c) ---- */

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct index_connection *idle; /* guarded by lock; the last one used first */
    unsigned open;                 /* guarded by lock; idle ones too */
    unsigned most;
};
void pool_init(struct pool *p, unsigned most);
/* Waits until all are given back. */
void pool_release(struct pool *p);
must_check int pool_take(struct pool *p, struct index *index, bool read_only,
                         struct index_connection **ret, struct call *call);
void pool_give(struct pool *p, struct index_connection *c);

/* ---- SQLite's one writer (writer.c) ---- */

struct write;
struct writer {
    struct index *index;
    struct index_connection *connection; /* its thread's, once that runs */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct write *first; /* guarded by lock, as all that follows */
    struct write **last;
    unsigned waiting;
    bool stopping;
};
must_check int writer_start(struct writer *w, struct index *index, struct call *call);
/* Runs what is waiting, then ends. */
void writer_stop(struct writer *w);
must_check int writer_run(struct writer *w, enum index_durability durability, db_function *function,
                          void *argument, struct call *call);

/* ---- The index ---- */

struct index {
    char *url;
    char *name;
    char *gateway;
    enum db_kind kind;
    bool read_only;
    int (*before_commit)(void *argument, struct call *call);
    void *before_commit_argument;
    struct table_sql sql[INDEX_TABLES];
    struct pool pool;
    struct writer writer;  /* SQLite only, unless read-only */
    atomic_llong last_now; /* SQLite: the time of the last write */
    atomic_ullong account_changes;
};

/* Keys of table meta. */
#define META_SHIPPED_TIME  "journal_time"  /* of the newest line shipped */
#define META_SHIPPED       "journal_last"  /* the number of the newest line shipped */
#define META_SHIPPED_TOKEN "journal_token" /* of the batch it went with */
#define META_LEASE         "journal_lease" /* who ships */
#define META_OPENINGS      "openings"      /* how often the index was opened for writing */

/* rows.c: what this process's ids end with. */
void index_number_ids(int64_t number);

/* A long read, on a connection of its own. */
must_check int index_view(struct index *index, db_function *function, void *argument,
                          struct call *call);
/* Times go on from here (a rebuilt index). */
void index_times_after(struct index *index, int64_t time);

must_check int index_schema(struct db *db, struct call *call);

#endif
