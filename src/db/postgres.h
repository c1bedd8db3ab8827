// SPDX-License-Identifier: EUPL-1.2
/* What the two files of the PostgreSQL back end share: the connection below the statements. */
#ifndef DB_POSTGRES_H
#define DB_POSTGRES_H

#include <libpq-fe.h>

#include "db/backend.h"

struct postgres {
    struct db db;
    char *url;
    PGconn *connection; /* NULL while there is none */
    uint64_t epoch;     /* counts connections: statements prepared on an older one are gone */
    int64_t queued;     /* statements sent in pipeline mode since the last flush */
};

static inline struct postgres *postgres_of(struct db *db)
{
    return container_of(db, struct postgres, db);
}

/* Make sure there is a usable connection. */
must_check int postgres_connect(struct db *db, struct call *call);

/* Before a statement is sent: connects outside transactions; inside one, a lost connection is an
 * error, because the transaction went with it. */
must_check int postgres_usable(struct postgres *p, struct call *call);

/* Set error and failure for a result (NULL: for the connection) and free it; always -1. */
int postgres_fail(struct postgres *p, PGresult *result, struct call *call);

/* Wait for the next result, within deadline and cancellation: *ret is NULL behind the last one.
 * When the call must stop, the server is told to cancel and the rest is thrown away. */
must_check int postgres_wait(struct postgres *p, PGresult **ret, struct call *call);

/* Wait for the one result of what was sent, and for the end behind it.  Failed results become
 * errors. */
must_check int postgres_result(struct postgres *p, PGresult **ret, struct call *call);

/* Rows that a result says were inserted, updated or deleted. */
int64_t postgres_affected_rows(PGresult *result);

/* Send SQL without parameters, and wait. */
must_check int postgres_exec(struct db *db, const char *sql, struct call *call);

must_check int postgres_begin(struct db *db, enum db_mode mode, struct call *call);
must_check int postgres_commit(struct db *db, struct call *call);
void postgres_rollback(struct db *db);
must_check int postgres_flush(struct db *db, struct call *call);

#endif
