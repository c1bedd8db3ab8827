// SPDX-License-Identifier: EUPL-1.2
/*
 * The index: an SQL database that says which objects exist.  SQLite embedded (one gateway), or
 * PostgreSQL shared by several gateways.
 *
 *     static int rename_it(struct db *db, void *argument, struct call *call);
 *     if (index_write(index, INDEX_DURABLE, rename_it, &what, call) < 0) ...
 *
 * A write is a function that runs inside a transaction.  It may run more than once (a lost race on
 * PostgreSQL, a batch on SQLite whose neighbour failed), so it changes nothing outside the database
 * but its own argument, and starts that afresh each time.  What it decides upon it reads through
 * row_lock(), or with FOR UPDATE.
 *
 * Group commit.  On SQLite one thread runs the writes of all others: those that wait together share
 * one transaction (each inside a savepoint of its own) and one sync.  On PostgreSQL each has its
 * own transaction on a connection from a pool.  Before any durable commit the function given as
 * before_commit runs: it makes the bodies durable that the rows speak of (store_sync()), once for
 * the whole batch.  INDEX_RELAXED commits without a sync (intents: what is lost with the power is
 * only a note of something to clean up).
 *
 * Times inside a transaction are index_now(): the clock all gateways share.
 *
 * Threads: an index is used by many threads at once.
 */
#ifndef INDEX_INDEX_H
#define INDEX_INDEX_H

#include "index/rows.h"

struct index;

struct index_options {
    const char *gateway;  /* who we are among several: host name and a number; NULL: made up */
    unsigned connections; /* at most, for reading (SQLite) or for everything (PostgreSQL); 0: 16 */
    bool read_only;
    int (*before_commit)(void *argument, struct call *call); /* may be NULL */
    void *before_commit_argument;
};

/* Opens and brings the schema up to date.  "sqlite::memory:" is refused: several connections share
 * an index. */
must_check int index_open(const char *url, const struct index_options *options, struct index **ret,
                          struct call *call);
/* Waits for the writes under way; NULL is fine. */
void index_close(struct index *index);
const char *index_gateway(const struct index *index);
const char *index_name(const struct index *index); /* for people, without a password */

enum index_durability { INDEX_DURABLE, INDEX_RELAXED };

/* Read: one consistent view (a read transaction).  Not from inside another read or write. */
must_check int index_read(struct index *index, db_function *function, void *argument,
                          struct call *call);
/* Write; 0 means committed, -1 not, whenever the call ran out: a write that has begun is waited
 * for, one that has not is taken back.  (PostgreSQL: a connection that breaks during the commit
 * itself leaves ERR_NETWORK and a text that says nobody knows.)  ERR_BUSY when too many wait. */
must_check int index_write(struct index *index, enum index_durability durability,
                           db_function *function, void *argument, struct call *call);

/* Rises with each write of this process that changes accounts: for those who keep what they read.
 */
uint64_t index_account_changes(struct index *index);

/* The shared clock in whole steps of 100 ns, inside a read or write: the same value during one
 * transaction, and rising from one write to the next.  On PostgreSQL, where writes run side by
 * side, that holds for writes that lock the same row before they ask (and as long as nobody sets
 * the server's clock back: who must be later than what a row says takes the later of both). */
must_check int index_now(struct db *db, int64_t *ret, struct call *call);

/* One value kept for all gateways (text); NULL in *ret when it is not there. */
must_check int index_meta_get(struct db *db, const char *key, char **ret, struct call *call);
/* NULL takes it away.  Not in the journal: a rebuilt index begins without. */
must_check int index_meta_set(struct db *db, const char *key, const char *value, struct call *call);

#endif
