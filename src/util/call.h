// SPDX-License-Identifier: EUPL-1.2
/*
 * What a function that may wait carries with it: a deadline, a way to be told to stop, and the
 * error.  A function that takes a struct call may block; one that takes only a struct err cannot.
 *
 * A call belongs to one thread.  For work handed to other threads, call_child() makes another one
 * with the same deadline that stops when either its own or its parent's cancel flag is raised.
 */
#ifndef UTIL_CALL_H
#define UTIL_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

struct cancel {
    atomic_bool raised;
    const struct cancel *parent; /* may be NULL; outlives this one */
};

struct call {
    struct err err;
    int64_t deadline;            /* monotonic nanoseconds (clock.h); 0 means none */
    const struct cancel *cancel; /* may be NULL */
    /* What it is done for, in a word that outlives the call ("3f2a...": a request's id), so that it
     * can be found again in the logs of whoever is asked; may be NULL.  No secret. */
    const char *trace;
    const struct cancel *drain; /* raised: finish what is begun, try nothing again; may be NULL */
};

#define CALL_INIT     \
    {                 \
        .deadline = 0 \
    }

void cancel_raise(struct cancel *cancel);
bool cancel_is_raised(const struct cancel *cancel);

/* A fresh call with the same deadline, trace and drain under another cancel flag (or the same, for
 * NULL). */
struct call call_child(const struct call *parent, const struct cancel *cancel);

/* -1 with ERR_CANCELLED or ERR_TIMEOUT set when the call should stop now, else 0. */
must_check int call_check(struct call *call);

/* Sleep, waking for deadline and cancellation; -1 as call_check. */
must_check int call_sleep(struct call *call, int64_t nanoseconds);

/* The same before trying again, which a call that is being drained does not: ERR_CANCELLED then. */
must_check int call_sleep_again(struct call *call, int64_t nanoseconds);

#endif
