// SPDX-License-Identifier: EUPL-1.2
/* Copies an object in parts: see large.h for the picture. */
#include "move/large.h"

#include <stdlib.h>
#include <string.h>

#define MIB (1024 * 1024)

uint64_t large_part_offset(const struct large *l, uint32_t number)
{
    return (uint64_t)number * l->part_size;
}

uint64_t large_part_length(const struct large *l, uint32_t number)
{
    uint64_t offset = large_part_offset(l, number);
    uint64_t left = l->item->size - offset;

    return left < l->part_size ? left : l->part_size;
}

/* The part size for an object: no smaller than the target's least, no more parts than it takes. */
static int choose_part_size(const struct store_traits *t, uint64_t size, uint64_t *ret,
                            struct err *e)
{
    uint64_t part = PART_SIZE;

    if (t->object_size_max && size > t->object_size_max)
        return err_set(e, ERR_UNSUPPORTED, "%llu bytes are more than the target takes (%llu)",
                       (unsigned long long)size, (unsigned long long)t->object_size_max);
    if (part < t->part_size_min)
        part = t->part_size_min;
    if (t->part_size_max && part > t->part_size_max)
        part = t->part_size_max;
    if (t->parts_max && (size + part - 1) / part > t->parts_max) {
        part = (size + t->parts_max - 1) / t->parts_max;
        part = (part + MIB - 1) / MIB * MIB;
    }
    if (t->part_size_max && part > t->part_size_max)
        return err_set(e, ERR_UNSUPPORTED,
                       "%llu bytes do not fit into %u parts of at most %llu, which is what the "
                       "target takes",
                       (unsigned long long)size, t->parts_max,
                       (unsigned long long)t->part_size_max);
    *ret = part;
    return 0;
}

int large_turn_wait(struct large *l, uint32_t number, struct call *call)
{
    locked(&l->lock);
    while (l->hashed != number)
        if (condition_wait(&l->turn, &l->lock, call) < 0)
            return -1;
    return 0;
}

void large_turn_leave(struct large *l, uint32_t number)
{
    unsigned char state[LARGE_STATE];

    sha256_state_save(&l->sha256, state);
    md5_state_save(&l->md5, state + SHA256_STATE_SIZE);
    locked(&l->lock);
    memcpy(l->states[(number + 1) % (LARGE_WINDOW + 1)], state, LARGE_STATE);
    l->hashed = number + 1;
    (void)pthread_cond_broadcast(&l->turn);
}

void large_hash(struct large *l, const void *bytes, size_t n)
{
    sha256_state_update(&l->sha256, bytes, n);
    if (l->want_md5)
        md5_state_update(&l->md5, bytes, n);
}

bool large_is_sent(struct large *l, uint32_t number)
{
    locked(&l->lock);
    return l->sent[number];
}

void large_sent(struct large *l, uint32_t number, const struct part_result *result)
{
    locked(&l->lock);
    l->results[number] = *result;
    l->sent[number] = true;
    l->unrecorded[number] = true;
    while (l->contiguous < l->count && l->sent[l->contiguous])
        l->contiguous++;
    (void)pthread_cond_broadcast(&l->turn);
}

int large_send(struct large *l, uint32_t number, const struct part_options *options,
               struct source *from, struct call *call)
{
    struct item *item = l->item;
    struct part_result result = {0};

    if (store_upload_part(item->mover->target, &item->to, l->upload, number, options, from, &result,
                          call) < 0) {
        if (call->err.code == ERR_NOT_FOUND) {
            locked(&l->lock);
            l->upload_lost = true;
        }
        return at_target(-1, call);
    }
    large_sent(l, number, &result);
    return 0;
}

/* Read one range of a part, in steps whose checksum the source gives. */
static int read_steps(struct large *l, unsigned char *into, uint64_t offset, uint64_t length,
                      struct call *call)
{
    struct item *item = l->item;
    struct store *source = item->mover->source;
    uint64_t step = source->traits.range_checksum_max ? source->traits.range_checksum_max : length;

    while (length > 0) {
        struct sink_bytes sink;
        struct get_options options = {.offset = offset,
                                      .length = length < step ? length : step,
                                      .if_match = item->etag,
                                      .want_checksum = source->traits.range_checksum_max > 0};
        sink_bytes_init(&sink, into, options.length);
        if (store_get(source, &item->from, &options, &sink.sink, NULL, NULL, call) < 0)
            return -1;
        item_fetched(item, options.length);
        into += options.length;
        offset += options.length;
        length -= options.length;
    }
    return 0;
}

/* Fill a part: what holds bytes is read, holes are zeros.  *ret_empty: it is one hole. */
static int read_part(struct large *l, uint32_t number, unsigned char *bytes, bool *ret_empty,
                     struct call *call)
{
    struct item *item = l->item;
    uint64_t offset = large_part_offset(l, number), length = large_part_length(l, number);
    cleanup(extent_list_release) struct extent_list extents = {0};

    *ret_empty = false;
    if (!l->has_holes)
        return read_steps(l, bytes, offset, length, call);
    if (store_extents(item->mover->source, &item->from, item->etag, offset, length, &extents,
                      call) < 0)
        return -1;
    memset(bytes, 0, length);
    *ret_empty = extents.count == 0;
    for (size_t i = 0; i < extents.count; i++)
        if (read_steps(l, bytes + (extents.list[i].offset - offset), extents.list[i].offset,
                       extents.list[i].length, call) < 0)
            return -1;
    return 0;
}

static int buffered_part_in(struct large *l, uint32_t number, unsigned char *bytes,
                            struct call *call)
{
    uint64_t length = large_part_length(l, number);
    struct source_bytes source;
    struct part_options options = {.offset = large_part_offset(l, number), .size = length};
    bool empty;

    if (read_part(l, number, bytes, &empty, call) < 0 || large_turn_wait(l, number, call) < 0)
        return -1;
    large_hash(l, bytes, length);
    large_turn_leave(l, number);
    if (large_is_sent(l, number))
        return 0;
    if (empty && l->item->mover->target->traits.parts_in_place) {
        struct part_result hole = {.proof = PROOF_WRITTEN};
        large_sent(l, number, &hole);
        return 0;
    }
    source_bytes_init(&source, bytes, length);
    return large_send(l, number, &options, &source.source, call);
}

static int buffered_part(struct large *l, uint32_t number, struct call *call)
{
    struct body_pool *bodies = &l->item->mover->bodies;
    unsigned char *bytes = body_pool_take(bodies, l->part_size);

    if (!bytes)
        return err_set(&call->err, ERR_BUSY, "no memory for a part of %llu bytes",
                       (unsigned long long)large_part_length(l, number));
    int result = buffered_part_in(l, number, bytes, call);
    body_pool_give(bodies, bytes, l->part_size);
    return result;
}

/* The next part to work on: 1, or 0 when all are taken. */
static int take_part(struct large *l, uint32_t *ret, struct call *call)
{
    /* Told to stop, a large object stops between two parts; the next run goes on from there. */
    if (mover_draining(l->item->mover, call))
        return 0;
    locked(&l->lock);
    while (l->taken < l->count && l->taken >= l->contiguous + LARGE_WINDOW)
        if (condition_wait(&l->turn, &l->lock, call) < 0)
            return -1;
    if (l->taken >= l->count)
        return 0;
    *ret = l->taken++;
    return 1;
}

static int part_task(void *argument, struct call *call)
{
    struct large *l = argument;
    struct budget *memory = &l->item->mover->memory;
    uint64_t held = l->streamed ? 2 * LARGE_PIPE : l->part_size;
    uint32_t number;

    for (;;) {
        /* Memory before the ticket: who holds a ticket never waits for memory, so the part whose
         * turn it is always gets on, in every one of several large objects. */
        if (budget_take(memory, held, call) < 0)
            return -1;
        int took = take_part(l, &number, call);
        int done = took <= 0     ? took
                   : l->streamed ? large_stream_part(l, number, call)
                                 : buffered_part(l, number, call);
        budget_give(memory, held);
        if (took <= 0)
            return took;
        if (done < 0 || large_record(l, true, call) < 0)
            return -1;
    }
}

static int copy_parts(struct large *l, struct call *call)
{
    struct group group;
    struct err failure;
    uint32_t left = l->count - l->taken;
    int result;

    group_init(&group, call);
    for (uint32_t i = 0; i < LARGE_THREADS && i < left; i++)
        if (group_run(&group, part_task, l) < 0)
            break;
    result = group_wait(&group);
    if (result == 0 && l->hashed == l->count)
        return 0;
    if (result == 0)
        (void)err_set(&call->err, ERR_CANCELLED, "stopped on request");
    /* What the target has is worth keeping, even when the reason was Ctrl-C. */
    failure = call->err;
    struct call own = CALL_INIT;
    own.deadline = clock_monotonic() + 10 * CLOCK_SECOND;
    if (!l->upload_lost && large_record(l, false, &own) < 0)
        outcome_note(l->item->outcome, "checkpoint_lost", "%s", own.err.text);
    call->err = failure;
    return -1;
}

static enum proof weakest_proof(const struct large *l)
{
    enum proof weakest = PROOF_WRITTEN;

    for (uint32_t i = 0; i < l->count; i++)
        if (l->results[i].proof < weakest)
            weakest = l->results[i].proof;
    return weakest;
}

static int commit(struct large *l, struct call *call)
{
    struct item *item = l->item;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    unsigned char sha256[SHA256_SIZE], md5[MD5_SIZE];
    enum proof proof = weakest_proof(l);

    sha256_state_final(&l->sha256, sha256);
    md5_state_final(&l->md5, md5);
    if (check_stored_md5(item, &l->original, l->want_md5 ? md5 : NULL, sha256, call) < 0)
        return -1;
    checksum_set(&l->options.known, CHECKSUM_SHA256, sha256);
    if (store_upload_commit(item->mover->target, &item->to, l->upload, l->results, l->count,
                            &l->options, &result, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return at_target(-1, call);
        /* Committed by a run that died before it could say so, or forgotten: look. */
        err_clear(&call->err);
        if (target_read_back(item, NULL, sha256, call) < 0) {
            l->upload_lost = true;
            return -1;
        }
        auto_object struct object there = OBJECT_INIT;
        if (at_target(store_stat(item->mover->target, &item->to, &there, call), call) < 0)
            return -1;
        replace_string(&result.etag, there.etag);
        proof = PROOF_READBACK;
    }
    if (proof != PROOF_READBACK && (proof == PROOF_NONE || item->mover->options->readback)) {
        if (target_read_back(item, result.etag, sha256, call) < 0)
            return -1;
        proof = PROOF_READBACK;
    }
    outcome_moved(item, sha256, &result, proof);
    return 0;
}

/* Without a record of it, what is at the target already is compared by content, which means
 * reading the source once only for that: worth it where the sizes are the same. */
static int compare_first(struct large *l, bool *ret_same, struct call *call)
{
    struct item *item = l->item;
    auto_object struct object there = OBJECT_INIT;
    struct checksums ours = {0};
    struct sha256_state state;
    unsigned char sha256[SHA256_SIZE];
    uint64_t at = 0;
    auto_free unsigned char *bytes = NULL;

    *ret_same = false;
    if (item->container.fresh || item->row->target_etag || item->row->checkpoint || item->failures)
        return 0;
    if (store_stat(item->mover->target, &item->to, &there, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return at_target(-1, call);
        err_clear(&call->err);
        return 0;
    }
    sha256_state_init(&state);
    bytes = xmalloc(MIB);
    while (there.size == item->size && at < item->size) {
        uint64_t n = item->size - at < MIB ? item->size - at : MIB;
        if (read_steps(l, bytes, at, n, call) < 0)
            return -1;
        sha256_state_update(&state, bytes, n);
        at += n;
    }
    sha256_state_final(&state, sha256);
    checksum_set(&ours, CHECKSUM_SHA256, sha256);
    return target_compare(item, &l->carried, &ours, ret_same, call);
}

static int large_init(struct large *l, struct item *item, struct call *call)
{
    struct store *target = item->mover->target;

    *l = (struct large){.item = item,
                        .original = OBJECT_INIT,
                        .carried = CARRIED_INIT,
                        .recorded_at = clock_monotonic()};
    (void)pthread_mutex_init(&l->lock, NULL);
    (void)pthread_cond_init(&l->turn, NULL);
    (void)pthread_mutex_init(&l->checkpoint_lock, NULL);
    if (store_stat(item->mover->source, &item->from, &l->original, call) < 0)
        return -1;
    if ((item->etag && !same_string(item->etag, l->original.etag)) ||
        item->size != l->original.size)
        return err_set(&call->err, ERR_CHANGED, "changed since it was listed");
    if (l->original.archived)
        return err_set(&call->err, ERR_ARCHIVED, "in the archive tier");
    replace_string(&item->outcome->etag, l->original.etag);
    if (original_complete(item, &l->original, call) < 0)
        return -1;
    if (carry_to_target(item, &l->original, &l->carried, call) < 0)
        return -1;
    l->options = (struct put_options){
        .properties = &l->carried.properties, .size = item->size, .lazy = true};
    l->want_md5 = l->original.stored.have & (1U << CHECKSUM_MD5);
    l->has_holes = l->original.type == OBJECT_PAGE && item->mover->source->extents;
    if (choose_part_size(&target->traits, item->size, &l->part_size, &call->err) < 0)
        return -1;
    l->streamed = l->part_size > PART_BUFFERED_MAX;
    l->count = (uint32_t)((item->size + l->part_size - 1) / l->part_size);
    l->results = xcalloc(l->count, sizeof(*l->results));
    l->sent = xcalloc(l->count, sizeof(*l->sent));
    l->unrecorded = xcalloc(l->count, sizeof(*l->unrecorded));
    return 0;
}

static void large_release(struct large *l)
{
    object_release(&l->original);
    carried_release(&l->carried);
    free(l->upload);
    free(l->results);
    free(l->sent);
    free(l->unrecorded);
    (void)pthread_mutex_destroy(&l->lock);
    (void)pthread_cond_destroy(&l->turn);
    (void)pthread_mutex_destroy(&l->checkpoint_lock);
}

static int copy_once(struct item *item, bool *ret_lost, struct call *call)
{
    cleanup(large_release) struct large l;
    bool same;

    if (large_init(&l, item, call) < 0 || compare_first(&l, &same, call) < 0)
        return -1;
    if (same)
        return 0;
    if (large_begin(&l, call) < 0)
        return -1;
    if (copy_parts(&l, call) == 0 && commit(&l, call) == 0)
        return 0;
    *ret_lost = l.upload_lost;
    bool useless = l.upload_lost || call->err.code == ERR_CHANGED ||
                   call->err.code == ERR_NOT_FOUND || call->err.code == ERR_RANGE ||
                   call->err.code == ERR_CORRUPT;
    if (useless)
        large_forget(&l);
    return -1;
}

int copy_large(struct item *item, struct call *call)
{
    bool lost = false;

    if (copy_once(item, &lost, call) == 0)
        return 0;
    if (!lost)
        return -1;
    err_clear(&call->err);
    outcome_note(item->outcome, "upload_lost",
                 "the target had forgotten the unfinished upload: copied again from the start");
    return copy_once(item, &lost, call);
}
