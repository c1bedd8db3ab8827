// SPDX-License-Identifier: EUPL-1.2
/*
 * What the passes of the sweep share.  Only service code includes this.
 *
 * A pass runs in transactions of at most SWEEP_BATCH rows each, and goes on behind the last row it
 * saw, so that rows which must stay (a hold, a lock of another gateway) do not stop it.
 */
#ifndef OBJECT_SWEEP_H
#define OBJECT_SWEEP_H

#include "object/object_private.h"

#define SWEEP_BATCH 100

/* Where a pass is: behind this time and id. */
struct sweep_cursor {
    int64_t time;
    int64_t id;
};
struct sweep {
    struct service *service;
    struct sweep_cursor from; /* of this batch */
    struct sweep_cursor to;   /* set by the batch: where the next one begins */
    bool more;                /* set by the batch: there may be others */
    int64_t number;           /* what else a pass wants to know */
};

/* Run batch after batch until one says that there are no more. */
must_check int sweep_pass(struct sweep *s, db_function *batch, struct call *call);

/* Ids with their times, as a batch takes them from a statement: WHERE (time, id) > (?2, ?3) AND
 * time <= ?1 ... LIMIT ?4. */
struct sweep_ids {
    int64_t ids[SWEEP_BATCH];
    size_t count;
};
must_check int sweep_select(struct sweep *s, struct db *db, const char *sql, int64_t until,
                            struct sweep_ids *ret, struct call *call);

/* lifecycle.c: what buckets' lifecycle rules say. */
must_check int sweep_lifecycle(struct service *service, struct call *call);
/* sweep_objects.c: objects whose retention has ended; those whose own life has; containers. */
must_check int sweep_objects(struct service *service, struct call *call);
must_check int sweep_expired(struct service *service, struct call *call);
must_check int sweep_containers(struct service *service, struct call *call);

#endif
