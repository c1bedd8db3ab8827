// SPDX-License-Identifier: EUPL-1.2
/*
 * An object copied in parts; private to src/move.
 *
 * Several threads take parts in order, read them at once, hash them in order (the ticket is
 * `hashed`), and send them at once.  A checkpoint holds the parts the target has and the hash state
 * behind the contiguous ones, so that a restart goes on inside the object.
 *
 *         taken                      hashed         contiguous
 *     ------|--------------------------|----------------|------------------> parts
 *      reading, waiting for turn    sending         all at the target
 */
#ifndef MOVE_LARGE_H
#define MOVE_LARGE_H

#include "crypto/hash.h"
#include "crypto/md5_state.h"
#include "move/mover.h"

#define LARGE_THREADS 5
/* How far the first part that is not yet sent may lag behind. */
#define LARGE_WINDOW (2 * LARGE_THREADS)
/* What lies between reading and sending a part that is streamed. */
#define LARGE_PIPE  (1024 * 1024)
#define LARGE_STATE (SHA256_STATE_SIZE + MD5_STATE_SIZE)

struct large {
    struct item *item;
    struct object original;
    struct carried carried;
    struct put_options options;
    char *upload;
    uint64_t part_size;
    uint32_t count; /* parts */
    bool streamed;  /* parts are too large for memory */
    bool want_md5;
    bool has_holes; /* the source is sparse */

    pthread_mutex_t lock;
    pthread_cond_t turn;
    struct part_result *results; /* guarded by lock, count of them */
    bool *sent;                  /* guarded by lock */
    uint32_t taken;              /* guarded by lock: parts given to some thread */
    uint32_t hashed;             /* guarded by lock: parts hashed, in order */
    uint32_t contiguous;         /* guarded by lock: parts sent, without a gap */
    bool upload_lost;            /* guarded by lock: the target no longer knows the upload */
    struct sha256_state sha256;  /* belongs to the thread whose turn it is */
    struct md5_state md5;        /* likewise */
    unsigned char states[LARGE_WINDOW + 1][LARGE_STATE]; /* guarded by lock: behind part n - 1 */

    pthread_mutex_t checkpoint_lock; /* held while writing one; taken before lock */
    uint32_t recorded;   /* guarded by checkpoint_lock: contiguous parts in the ledger */
    int64_t recorded_at; /* guarded by lock: monotonic */
    bool *unrecorded;    /* guarded by lock: sent, but not in the ledger */
};

/* large_checkpoint.c */
/* Take up an earlier run's checkpoint, or begin a new upload. */
must_check int large_begin(struct large *l, struct call *call);
/* Write what was sent since the last time; due: only when some time has passed. */
must_check int large_record(struct large *l, bool due, struct call *call);
/* Forget the upload, here and at the target. */
void large_forget(struct large *l);

/* large_stream.c: the part as a stream, for parts that do not fit memory. */
must_check int large_stream_part(struct large *l, uint32_t number, struct call *call);

/* Wait until it is this part's turn to be hashed; leave the turn to the next one. */
must_check int large_turn_wait(struct large *l, uint32_t number, struct call *call);
void large_turn_leave(struct large *l, uint32_t number);
void large_hash(struct large *l, const void *bytes, size_t n);
/* Note that a part is at the target. */
void large_sent(struct large *l, uint32_t number, const struct part_result *result);
bool large_is_sent(struct large *l, uint32_t number);
/* Send a part; notices when the target has forgotten the upload. */
must_check int large_send(struct large *l, uint32_t number, const struct part_options *options,
                          struct source *from, struct call *call);
uint64_t large_part_offset(const struct large *l, uint32_t number);
uint64_t large_part_length(const struct large *l, uint32_t number);

#endif
