// SPDX-License-Identifier: EUPL-1.2
/*
 * A move: every object of some containers, carried from one store to another, proven, recorded.
 *
 *     lister --> ledger --> workers --> finisher --> ledger
 *
 * The lister writes each page of the source's listing into the ledger.  Workers claim objects from
 * it, copy and verify them, and hand their outcomes to the finisher, which makes the target durable
 * and only then records a whole batch in one transaction.  Whatever was not recorded is done again,
 * so the process may be killed at any moment.
 *
 * move_run() blocks until everything is settled, the job was told to stop, or it cannot go on.
 * Raising options->drain lets it finish what is in flight; raising the call's cancel stops at once.
 * Both leave a job that goes on when it is run again.
 */
#ifndef MOVE_MOVE_H
#define MOVE_MOVE_H

#include <stdatomic.h>

#include "move/ledger.h"
#include "store/store.h"

#define MOVE_WORKERS     16
#define MOVE_MEMORY      (40 * 1024 * 1024)
#define MOVE_CHANGES_MAX 5
/* So often is one object tried again after a failure that may be the attempt's alone. */
#define MOVE_FAILURES_MAX 2

struct move_options {
    struct store *source;
    struct store *target;
    const char *source_text; /* as the user wrote it: "azure:invoices" */
    const char *target_text;
    const char *source_container;   /* NULL: all of them */
    const char *target_container;   /* NULL: as the source's, or as the map says */
    const char *prefix;             /* only objects whose names begin with it; NULL: all */
    const struct pairs *containers; /* source container -> target container; may be NULL */
    const char *container_prefix; /* before the target names the map does not say; NULL: nothing */
    const char *job;              /* resume this one; NULL: find or make by source and target */
    bool fresh;                   /* a new job even where there is one */
    int workers;                  /* objects in flight; 0: MOVE_WORKERS */
    uint64_t memory;              /* bytes of bodies held at once; 0: MOVE_MEMORY */
    bool history;
    bool readback; /* read everything back, whatever was proven before */
    bool rehydrate;
    const char *rehydrate_priority; /* "Standard" or "High" */
    uint64_t rehydrate_bytes;       /* wake at most so many bytes; 0: no limit */
    int64_t wake_poll;              /* look so often at what is being woken; ns; 0: a minute */
    bool remove;                    /* delete at the target what vanished at the source */
    const struct cancel *drain;     /* raised: start nothing new; may be NULL */
};

/* What a display may look at while the move runs. */
struct move_progress {
    atomic_bool started; /* the counters below stand */
    atomic_bool listing; /* more may come */
    atomic_int_fast64_t listed;
    atomic_int_fast64_t listed_bytes;
    atomic_int_fast64_t settled; /* moved, already there, vanished, refused or failed */
    atomic_int_fast64_t settled_bytes;
    atomic_int_fast64_t moved;
    atomic_int_fast64_t already;
    atomic_int_fast64_t vanished;
    atomic_int_fast64_t refused;
    atomic_int_fast64_t failed;
    atomic_int_fast64_t waiting;
    atomic_int_fast64_t transferred; /* bytes of bodies read, repeats included */
    atomic_int_fast64_t in_flight;   /* of those, for objects that are not settled yet */
    pthread_mutex_t lock;
    char last_trouble[512]; /* guarded by lock: the latest refusal or failure, one line */
};
void move_progress_init(struct move_progress *p);
void move_progress_release(struct move_progress *p);

/* 0 when the job came to an end of some kind: *ret is the job with its counts (release it), and
 * ret->state says which.  -1 when it could not be run at all. */
must_check int move_run(struct ledger *l, const struct move_options *options,
                        struct move_progress *progress, struct ledger_job *ret, struct call *call);

#endif
