// SPDX-License-Identifier: EUPL-1.2
/*
 * What the parts of a running move share; private to src/move.
 *
 * One struct mover for a run.  Fields without a note are written before the threads start.
 */
#ifndef MOVE_MOVER_H
#define MOVE_MOVER_H

#include "move/body_pool.h"
#include "move/carry.h"
#include "move/move.h"
#include "move/name.h"
#include "move/own.h"
#include "util/thread.h"

/* Bodies up to this size are copied in one piece, larger ones in parts of at least this size. */
#define PART_SIZE (8 * 1024 * 1024)
/* Parts up to this size are held in memory; larger ones stream through. */
#define PART_BUFFERED_MAX (16 * 1024 * 1024)

/* A container of the job, as the workers need it. */
struct mover_container {
    int64_t id;
    char *source;
    char *target;
    bool versions; /* the target container keeps versions */
    bool fresh;    /* nothing was in the target container before this job */
};

/* Claimed rows, alive until the last outcome of them is recorded. */
struct batch {
    struct ledger_rows rows;
    atomic_int users;
};

#define OUTCOME_NOTES 8

/* What became of one object, on its way to the ledger.  Owns its strings. */
struct outcome {
    struct outcome *next;
    struct batch *batch;
    struct ledger_result result;
    char *etag;
    char *target_etag;
    char *target_checksum;
    char *error;
    unsigned char sha256[LEDGER_SHA256];
    struct ledger_note notes[OUTCOME_NOTES];
};

struct mover {
    const struct move_options *options;
    struct ledger *ledger;
    struct move_progress *progress;
    struct store *source;
    struct store *target;
    int workers;
    bool again;             /* an earlier run of this job moved things */
    struct move_plan *plan; /* not NULL: only looking */
    struct budget memory;
    struct body_pool bodies;
    struct cancel listing_done; /* raised by the lister at its end */
    struct cancel workers_done; /* raised when every worker has ended */
    atomic_int failures;        /* one after the other, without a success between */
    atomic_int idle;            /* workers that found nothing to claim, the listing being done */
    atomic_bool target_keeps_md5_back; /* its answers to puts do not say the MD5 of what it holds */
    struct cancel broken; /* raised by the finisher: outcomes can no longer be recorded */

    pthread_mutex_t lock;
    struct mover_container *containers; /* guarded by lock; in the order of their numbers */
    size_t container_count;             /* guarded by lock */
    int64_t sampled_objects;            /* what the samples in the ledger hold so far: for one */
    int64_t sampled_bytes;              /* thread at a time */
    int64_t account_keeper;             /* guarded by lock: keeps what is left of the account's
                                           settings; 0: nobody yet */
    uint64_t woken;                     /* guarded by lock: bytes asked to be rehydrated */

    pthread_mutex_t finish_lock;
    pthread_cond_t finish_changed;
    pthread_cond_t finish_room;
    struct outcome *finish_first; /* guarded by finish_lock */
    struct outcome *finish_last;  /* guarded by finish_lock */
    int finish_count;             /* guarded by finish_lock */
};

void mover_init(struct mover *m, struct ledger *l, const struct move_options *options,
                struct move_progress *progress);
void mover_release(struct mover *m);

/* Whether nothing new shall be started. */
bool mover_draining(const struct mover *m, const struct call *call);

/* The container with this number: a copy of pointers that stay until the end of the run. */
struct mover_container mover_container_of(struct mover *m, int64_t id);
void mover_container_add(struct mover *m, const struct mover_container *c);

/* Threads (task_function), argument struct mover. */
int scan_task(void *mover, struct call *call);
int worker_task(void *mover, struct call *call);
int finish_task(void *mover, struct call *call);
int watch_task(void *mover, struct call *call);

/* A fresh outcome for a claimed row. */
struct outcome *outcome_new(struct batch *batch, const struct ledger_object *row);
void outcome_free(struct outcome *o);
/* Add a note; the first of each kind counts, and no more than OUTCOME_NOTES. */
void outcome_note(struct outcome *o, const char *kind, const char *format, ...) printf_like(3, 4);
void outcome_set(struct outcome *o, enum ledger_state state, const struct err *why);
/* Hand it to the finisher, which owns it from here on. */
void finish_add(struct mover *m, struct outcome *o);
/* Wait until the finisher has room: outcomes are kept in memory until they are recorded. */
must_check int finish_room(struct mover *m, struct call *call);
void batch_drop(struct batch *b);

/* One object being copied: what is known of it so far. */
struct item {
    struct mover *mover;
    const struct ledger_object *row;
    struct mover_container container;
    struct outcome *outcome;
    struct object_key from;
    struct object_key to;
    bool mapped;      /* the target could not hold its name */
    const char *etag; /* the version being copied; owned by current */
    uint64_t size;
    int failures;                /* attempts that failed in this run */
    atomic_int_fast64_t fetched; /* bytes read at the source, repeats included */
    struct object current;       /* as last stat'ed or read */
};

/* A failure at the target must not be taken for one of the object at the source: "not found" there
 * does not mean that the object vanished.  Gives result back. */
int at_target(int result, struct call *call);

/* Copy one object; sets the outcome, or returns -1 with an error to be sorted by the caller:
 * ERR_CHANGED means that the source is another one now. */
must_check int copy_small(struct item *item, struct call *call);
must_check int copy_large(struct item *item, struct call *call);

/* Count bytes that were read at the source. */
void item_fetched(struct item *item, uint64_t n);

/* What both do around the bytes. */
/* Fetch what a plain read did not bring (tags, side-car) so that original is complete. */
must_check int original_complete(struct item *item, struct object *original, struct call *call);
/* carry() to the item's target, which may hold less in this container than its traits say. */
must_check int carry_to_target(struct item *item, const struct object *original,
                               struct carried *ret, struct call *call);
/* Write the side-car that belongs to what will be put at item->to. */
must_check int sidecar_put(struct item *item, const struct carried *carried, struct call *call);
/* Whether nothing but ours can be at the target's name, so that nobody need look. */
bool target_is_ours(const struct item *item);
/* What is at the target's name already: *ret_same when it is what we bring.  digest: our SHA-256.
 */
must_check int target_compare(struct item *item, const struct carried *carried,
                              const struct checksums *ours, bool *ret_same, struct call *call);
/* Read back what the target holds and compare its SHA-256; ERR_CORRUPT when it differs. */
must_check int target_read_back(struct item *item, const char *etag, const unsigned char *sha256,
                                struct call *call);
/* Compare the stored MD5 with that of the content (NULL: nothing is stored), and note when it lies.
 * That it is the stored value that is wrong, not the transport, is known from a second reading that
 * gives the same SHA-256; ERR_CORRUPT when it does not. */
must_check int check_stored_md5(struct item *item, const struct object *original,
                                const unsigned char *md5, const unsigned char *sha256,
                                struct call *call);
void outcome_moved(struct item *item, const unsigned char *sha256, const struct put_result *result,
                   enum proof proof);

/* Containers (container.c): note those of the source in the ledger with their target names; then
 * make each ready at the target. */
must_check int containers_note(struct mover *m, struct call *call);
must_check int containers_prepare(struct mover *m, struct call *call);

/* Note what a listing left out because it is no object (container 0: of the containers). */
must_check int note_left_out(struct mover *m, int64_t container, const struct pairs *left_out,
                             struct call *call);

/* The listing alone (scan.c), for the lister and for a plan. */
must_check int scan_containers(struct mover *m, struct call *call);

/* After the listing: whether the target still holds what an earlier run moved (confirm.c). */
must_check int confirm_targets(struct mover *m, struct call *call);
/* After a move with history: put back to pending the current objects that an earlier version has
 * come to lie upon at a target that keeps versions (confirm.c). */
must_check int confirm_currents(struct mover *m, int64_t *ret_requeued, struct call *call);
/* And names without a current object at the source get none there: a version put last would seem to
 * be it (confirm.c). */
must_check int confirm_deleted(struct mover *m, struct call *call);

/* Delete at the target what vanished at the source (delete.c). */
must_check int delete_gone(struct mover *m, struct call *call);

#endif
