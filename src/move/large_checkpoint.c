// SPDX-License-Identifier: EUPL-1.2
/* Checkpoints of objects copied in parts: beginning, going on, writing down. */
#include <stdio.h>
#include <string.h>

#include "move/large.h"

/* At most this often; every one makes the target durable first. */
#define RECORD_INTERVAL (2 * CLOCK_SECOND)

static enum proof proof_from_word(const char *word)
{
    for (int proof = PROOF_READBACK; proof > PROOF_NONE; proof--)
        if (word && strcmp(word, proof_word((enum proof)proof)) == 0)
            return (enum proof)proof;
    return PROOF_NONE;
}

static int restore_hashes(struct large *l, const struct ledger_checkpoint *c, struct err *e)
{
    if (c->hash_size != LARGE_STATE)
        return err_set(e, ERR_INVALID, "saved by another version");
    if (sha256_state_restore(&l->sha256, c->hash_state, SHA256_STATE_SIZE, e) < 0)
        return -1;
    if (sha256_state_length(&l->sha256) != (uint64_t)c->hashed)
        return err_set(e, ERR_INVALID, "it covers another number of bytes");
    return md5_state_restore(&l->md5, c->hash_state + SHA256_STATE_SIZE, MD5_STATE_SIZE, e);
}

/* How many parts the saved hash state covers. */
static uint32_t hashed_parts(const struct large *l, const struct ledger_checkpoint *c)
{
    return (uint64_t)c->hashed == l->item->size ? l->count
                                                : (uint32_t)((uint64_t)c->hashed / l->part_size);
}

/* Go on where an earlier run stopped: parts it sent are not sent again, and those the saved hash
 * covers are not even read. */
static void take_up(struct large *l, struct ledger_checkpoint *c)
{
    struct outcome *o = l->item->outcome;
    struct err why = {0};

    l->upload = take(c->upload);
    for (size_t i = 0; i < c->part_count; i++) {
        uint64_t number = (uint64_t)c->parts[i].number;
        if (number >= l->count)
            continue;
        struct part_result *r = &l->results[number];
        (void)snprintf(r->etag, sizeof(r->etag), "%s", c->parts[i].etag ? c->parts[i].etag : "");
        r->proof = proof_from_word(c->parts[i].checksum);
        l->sent[number] = true;
    }
    while (l->contiguous < l->count && l->sent[l->contiguous])
        l->contiguous++;
    if (c->hashed && hashed_parts(l, c) > l->contiguous) {
        (void)err_set(&why, ERR_INVALID, "the saved hash state covers a part that was not sent");
    } else if (c->hashed && restore_hashes(l, c, &why) == 0) {
        uint32_t behind = hashed_parts(l, c);
        l->taken = l->hashed = l->recorded = behind;
        outcome_note(o, "resumed", "went on at byte %lld with the saved hash state",
                     (long long)c->hashed);
        return;
    }
    sha256_state_init(&l->sha256);
    md5_state_init(&l->md5);
    l->taken = l->hashed = 0;
    if (c->part_count == 0)
        return; /* no further than its beginning */
    outcome_note(o, "resumed",
                 "went on with %zu parts sent before; their bytes were read again under If-Match "
                 "for the hash (%s)",
                 c->part_count, c->hashed ? why.text : "no hash state was saved");
}

static int begin_anew(struct large *l, struct call *call)
{
    struct item *item = l->item;

    if (sidecar_put(item, &l->carried, call) < 0 ||
        at_target(store_upload_begin(item->mover->target, &item->to, &l->options, &l->upload, call),
                  call) < 0)
        return -1;
    sha256_state_init(&l->sha256);
    md5_state_init(&l->md5);
    struct ledger_checkpoint c = {.upload = l->upload,
                                  .etag = (char *)(uintptr_t)item->etag,
                                  .part_size = (int64_t)l->part_size};
    return ledger_checkpoint_begin(item->mover->ledger, item->row->id, &c, call);
}

int large_begin(struct large *l, struct call *call)
{
    struct item *item = l->item;
    auto_ledger_checkpoint struct ledger_checkpoint c = {0};
    int found = 0;

    if (item->row->checkpoint || item->failures)
        found = ledger_checkpoint_load(item->mover->ledger, item->row->id, &c, call);
    if (found < 0)
        return -1;
    if (found && c.part_size == (int64_t)l->part_size && same_string(c.etag, item->etag)) {
        take_up(l, &c);
        return 0;
    }
    if (found && store_upload_abort(item->mover->target, &item->to, c.upload, call) < 0)
        err_clear(&call->err); /* the provider's own expiry sweeps it */
    return begin_anew(l, call);
}

/* Collect the parts that are sent and not yet in the ledger. */
static size_t collect(struct large *l, struct ledger_part *parts, uint32_t *ret_contiguous,
                      unsigned char state[LARGE_STATE])
{
    size_t n = 0;

    locked(&l->lock);
    for (uint32_t i = 0; i < l->count; i++) {
        if (!l->unrecorded[i])
            continue;
        l->unrecorded[i] = false;
        parts[n++] = (struct ledger_part){.number = i,
                                          .size = (int64_t)large_part_length(l, i),
                                          .etag = l->results[i].etag,
                                          .checksum = proof_word(l->results[i].proof)};
    }
    *ret_contiguous = l->contiguous < l->hashed ? l->contiguous : l->hashed;
    memcpy(state, l->states[*ret_contiguous % (LARGE_WINDOW + 1)], LARGE_STATE);
    l->recorded_at = clock_monotonic();
    return n;
}

/* What could not be written down is for the next time: a saved hash state must never cover a part
 * the ledger does not know. */
static void put_back(struct large *l, const struct ledger_part *parts, size_t n)
{
    locked(&l->lock);
    for (size_t i = 0; i < n; i++)
        l->unrecorded[parts[i].number] = true;
}

static bool is_due(struct large *l)
{
    locked(&l->lock);
    return clock_monotonic() - l->recorded_at >= RECORD_INTERVAL;
}

int large_record(struct large *l, bool due, struct call *call)
{
    struct mover *m = l->item->mover;
    unsigned char state[LARGE_STATE];
    uint32_t contiguous;

    if (due && !is_due(l))
        return 0;
    locked(&l->checkpoint_lock);
    if (due && !is_due(l))
        return 0;
    struct ledger_part *parts = xcalloc(l->count, sizeof(*parts));
    size_t n = collect(l, parts, &contiguous, state);
    bool further = contiguous > l->recorded;
    uint64_t hashed = contiguous == l->count ? l->item->size : (uint64_t)contiguous * l->part_size;
    int result = n == 0 ? 0 : store_sync(m->target, call);
    if (result == 0 && n > 0)
        result = ledger_checkpoint_add(m->ledger, l->item->row->id, parts, n,
                                       further ? (int64_t)hashed : 0, state,
                                       further ? LARGE_STATE : 0, call);
    if (result == 0 && further)
        l->recorded = contiguous;
    if (result < 0)
        put_back(l, parts, n);
    free(parts);
    return result;
}

void large_forget(struct large *l)
{
    struct item *item = l->item;
    struct call call = CALL_INIT;

    call.deadline = clock_monotonic() + 30 * CLOCK_SECOND;
    if (l->upload && store_upload_abort(item->mover->target, &item->to, l->upload, &call) < 0)
        outcome_note(item->outcome, "upload_left",
                     "an unfinished upload could not be removed at the target: %s", call.err.text);
    if (ledger_checkpoint_clear(item->mover->ledger, item->row->id, &call) < 0)
        outcome_note(item->outcome, "checkpoint_left", "%s", call.err.text);
    free(l->upload);
    l->upload = NULL;
}
