// SPDX-License-Identifier: EUPL-1.2
/*
 * A layer for tests that makes things go wrong, after a script:
 *
 *     static const struct fault_rule script[] = {
 *         {.operation = FAULT_GET, .nth = 2, .kind = FAULT_CUT, .at = 1000},
 *         {.operation = FAULT_PUT, .nth = 1, .kind = FAULT_FAIL, .code = ERR_BUSY, .retry_after =
 * 1},
 *     };
 *     s = fault_layer(s, script, ARRAY_SIZE(script));
 *
 * Calls of each operation are counted from 1, over all threads; the first rule that fits a call is
 * followed.
 */
#ifndef STORE_LAYER_FAULT_H
#define STORE_LAYER_FAULT_H

#include "store/store.h"

enum fault_operation {
    FAULT_REACH,
    FAULT_STAT,
    FAULT_GET,
    FAULT_PUT,
    FAULT_REMOVE,
    FAULT_LIST,
    FAULT_UPLOAD_BEGIN,
    FAULT_UPLOAD_PART,
    FAULT_UPLOAD_COMMIT,
    FAULT_UPLOAD_ABORT,
    FAULT_COPY,
    FAULT_SYNC,
    FAULT_OPERATION_COUNT
};

enum fault_kind {
    FAULT_FAIL,    /* nothing is done, and it fails */
    FAULT_LOSE,    /* it is done, but the answer is lost: fails all the same */
    FAULT_CUT,     /* get, put, part: the bytes stop at byte at, and it fails */
    FAULT_SHORT,   /* get: the bytes stop at byte at, and it claims success */
    FAULT_LONG,    /* get: gives one byte too many after the right ones */
    FAULT_CORRUPT, /* get, put, part: byte at is flipped */
    FAULT_DELAY,   /* waits, then does it */
    FAULT_STALE,   /* list: the last object of the page is missing */
    FAULT_KIND_COUNT
};

struct fault_rule {
    enum fault_operation operation;
    enum fault_kind kind;
    unsigned nth;       /* of the first call it concerns; 0: every call */
    unsigned times;     /* how many calls in a row; 0: one */
    enum err_code code; /* of a failure; ERR_NONE: ERR_NETWORK */
    int retry_after;
    uint64_t at;   /* byte of the stream */
    int64_t delay; /* nanoseconds */
};

/* Takes over below, copies the rules. */
struct store *fault_layer(struct store *below, const struct fault_rule *rules, size_t count);

/* How often an operation was called so far. */
unsigned fault_calls(struct store *s, enum fault_operation operation);

#endif
