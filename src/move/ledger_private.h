// SPDX-License-Identifier: EUPL-1.2
/* What the files of the ledger share.  Nobody else includes this: ledger.h is the interface. */
#ifndef MOVE_LEDGER_PRIVATE_H
#define MOVE_LEDGER_PRIVATE_H

#include <pthread.h>

#include "db/db.h"
#include "move/ledger.h"

/* Who a process is, precise enough to say whether it still lives. */
struct ledger_self {
    char host[256];
    char machine[64];    /* /etc/machine-id; "" unknown */
    char boot[64];       /* changes with every boot */
    char name_space[64]; /* of process ids: containers on one machine have their own */
    int64_t pid;
    int64_t process_start; /* clock ticks after boot: a reused pid has another one */
};

struct ledger {
    pthread_mutex_t lock; /* guards everything below */
    struct db *db;
    struct ledger_self self;
    int64_t job; /* 0: none started */
    int64_t generation;
    int64_t worker;          /* row of this process */
    int64_t beat;            /* monotonic, of the last heartbeat */
    int64_t claim_after;     /* object id behind which the next claim looks */
    int64_t waiting_checked; /* monotonic */
    int64_t *checkpoints;    /* objects this process has made checkpoints for */
    size_t checkpoint_count;
};

/* ---- Small SQL (ledger.c) ---- */

/* Run a statement whose parameters ?1 ... are all integers. */
must_check int ledger_run(struct db *db, const char *sql, const int64_t *values, int count,
                          int64_t *ret_affected, struct call *call);
/* The first column of its first row (NULL reads as 0): 1, or 0 without a row. */
must_check int ledger_ask(struct db *db, const char *sql, const int64_t *values, int count,
                          int64_t *ret, struct call *call);
/* Queue a statement that ends in "id IN " for these ids; ?1 ... are the values. */
must_check int ledger_run_ids(struct db *db, const char *sql, const int64_t *values, int count,
                              const int64_t *ids, size_t n, struct call *call);
#define INTS(...) (const int64_t[]){__VA_ARGS__}, (int)ARRAY_SIZE(((const int64_t[]){__VA_ARGS__}))

/* Names and other bytes as given: BLOB; NULL for NULL. */
void ledger_bind_name(struct db_statement *s, int number, const char *name);
/* Reasons are kept as their words (err_word()); NULL for ERR_NONE. */
void ledger_bind_code(struct db_statement *s, int number, enum err_code code);
enum err_code ledger_column_code(struct db_statement *s, int column);
/* NULL for TIME_UNKNOWN. */
void ledger_bind_time(struct db_statement *s, int number, int64_t time);
/* TIME_UNKNOWN for NULL. */
int64_t ledger_column_time(struct db_statement *s, int column);
/* Heap copies; NULL for NULL. */
char *ledger_column_name(struct db_statement *s, int column);
char *ledger_column_string(struct db_statement *s, int column);

/* ERR_CONFLICT unless a job has been started here. */
must_check int ledger_ready(struct ledger *l, struct call *call);

/* ---- Counters (ledger_tally.c) ---- */

/* Changes to counters, gathered over one transaction and written at its end. */
struct ledger_change {
    int64_t container;
    int state;
    int64_t objects;
    int64_t bytes;
};
struct ledger_changes {
    struct ledger_change *list;
    size_t count;
    size_t size;
};
void ledger_changes_release(struct ledger_changes *c);
#define auto_changes cleanup(ledger_changes_release)
/* objects is 1 or -1 (or any number); CLAIMED counts as PENDING. */
void ledger_change(struct ledger_changes *c, int64_t container, enum ledger_state state,
                   int64_t objects, int64_t bytes);
/* Write and empty.  In the order of containers and states, so that transactions do not deadlock. */
must_check int ledger_changes_write(struct db *db, int64_t job, struct ledger_changes *c,
                                    struct call *call);
/* Add what rows of (state, objects, bytes) say. */
must_check int ledger_counts_read(struct db_statement *s, struct ledger_counts *ret,
                                  struct call *call);

/* ---- Rows (ledger_rows.c) ---- */

/* For "SELECT " LEDGER_OBJECT_COLUMNS " FROM object o WHERE ...". */
#define LEDGER_OBJECT_COLUMNS                                                              \
    "o.id, o.container, o.name, o.version, o.kind, o.state, o.generation, o.size, o.etag," \
    " o.modified, o.type, o.tier, o.md5, o.target, o.attempts, o.sha256, o.target_etag,"   \
    " o.target_checksum, o.proof, o.code, o.error, o.bytes, o.started, o.finished, o.due," \
    " EXISTS (SELECT 1 FROM checkpoint c WHERE c.object = o.id)"

/* Empty it, keep some memory. */
void ledger_rows_reset(struct ledger_rows *r);
/* Append the row a statement of these columns stands on. */
struct ledger_object *ledger_rows_add(struct ledger_rows *r, struct db_statement *s);
/* Append all rows of a statement. */
must_check int ledger_rows_fill(struct ledger_rows *r, struct db_statement *s, struct call *call);

/* ---- Jobs and workers ---- */

/* The worker rows of a job. */
struct ledger_worker {
    int64_t id;
    struct ledger_self self;
    int64_t since;
    int64_t alive_until;
};
bool ledger_worker_lives(const struct ledger *l, const struct ledger_worker *w, int64_t now);
/* The live workers of a job: *ret_first is the oldest.  Returns how many, or -1. */
must_check int ledger_workers(struct ledger *l, int64_t job, struct ledger_worker *ret_first,
                              struct call *call);
/* Inside a transaction: give back what dead workers of the job held, and forget them. */
must_check int ledger_reap(struct ledger *l, int64_t job, struct call *call);
/* Inside a transaction: become a worker.  *ret_alone: there is no other live one.  ERR_BUSY where
 * there is one and the database cannot be shared. */
must_check int ledger_join(struct ledger *l, int64_t job, int64_t *ret_worker, bool *ret_alone,
                           struct call *call);
/* ERR_CONFLICT unless a job has been started here; a heartbeat if the last is older than age. */
must_check int ledger_beat_if_due(struct ledger *l, int64_t age, struct call *call);
void ledger_self_fill(struct ledger_self *self);

must_check int ledger_job_read(struct ledger *l, int64_t job, struct ledger_job *ret,
                               struct call *call);
/* Number of a job by name or number; ERR_NOT_FOUND. */
must_check int ledger_job_number(struct ledger *l, const char *job, int64_t *ret,
                                 struct call *call);

/* ---- Listing ---- */

/* Whether every container is known and completely listed (or refused). */
must_check int ledger_listing_done(struct ledger *l, bool *ret, struct call *call);
must_check int ledger_container_read(struct ledger *l, int64_t id, struct ledger_container *ret,
                                     struct call *call);

/* ---- Checkpoints ---- */

/* Inside a transaction. */
must_check int ledger_checkpoint_drop(struct db *db, int64_t object, struct call *call);
bool ledger_has_checkpoint(const struct ledger *l, const struct ledger_object *object);

/* ---- Schema ---- */
must_check int ledger_migrate(struct db *db, struct call *call);

#endif
