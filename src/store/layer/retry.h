// SPDX-License-Identifier: EUPL-1.2
/*
 * A layer that tries again what failed for a passing reason (err_is_passing): exponential pauses
 * with full jitter, at least as long as the store asked for, until a number of attempts or a time
 * is used up.
 *
 * Only what is safe is repeated.  A get goes on at the byte where it was cut, under If-Match of the
 * version it began with, so that versions never mix.  A put or part is repeated when its source can
 * be rewound; a failure of the source or sink itself is never retried here.  After an answer that
 * was lost, a removal that finds nothing has succeeded, and a commit (or a conditional put) whose
 * repetition finds the upload gone (or the condition broken) has succeeded when the object there is
 * ours by size and digests; its proof is then PROOF_NONE: read it back.
 *
 * A call that is being drained (call.h) is not tried again: ERR_CANCELLED.
 */
#ifndef STORE_LAYER_RETRY_H
#define STORE_LAYER_RETRY_H

#include "store/store.h"

struct retry_options {
    unsigned attempts_max; /* of each operation; 0: 6 */
    int64_t total_max;     /* nanoseconds, from its first attempt on; 0: 10 minutes */
    int64_t pause_first;   /* nanoseconds, doubled each time; 0: 250 ms */
    int64_t pause_max;     /* 0: 30 s */
};

/* Takes over below; options may be NULL. */
struct store *retry_layer(struct store *below, const struct retry_options *options);

#endif
