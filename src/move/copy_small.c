// SPDX-License-Identifier: EUPL-1.2
/* Copies an object in one piece: one read, one hash, one write. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "move/mover.h"

/* A body in memory, counted against the budget for its life. */
struct body {
    struct mover *mover;
    unsigned char *bytes;
    uint64_t size;
};

static void body_release(struct body *b)
{
    if (!b->mover)
        return;
    body_pool_give(&b->mover->bodies, b->bytes, b->size);
    budget_give(&b->mover->memory, b->size);
}

static int body_take(struct body *b, struct mover *m, uint64_t size, struct call *call)
{
    if (budget_take(&m->memory, size, call) < 0)
        return -1;
    *b = (struct body){.mover = m, .size = size, .bytes = body_pool_take(&m->bodies, size)};
    return b->bytes ? 0
                    : err_set(&call->err, ERR_BUSY, "no memory for a body of %llu bytes",
                              (unsigned long long)size);
}

/* Read [offset, offset + length) of the body's place, in ranges whose checksum the source gives. */
static int read_range(struct item *item, struct body *b, uint64_t offset, uint64_t length,
                      struct object *ret, struct call *call)
{
    struct store *source = item->mover->source;
    uint64_t step = source->traits.range_checksum_max;
    uint64_t end = offset + length;
    const char *match = item->etag;

    if (!step || step > length)
        step = length;
    do {
        struct sink_bytes sink;
        uint64_t n = end - offset < step ? end - offset : step;
        struct get_options options = {.offset = offset,
                                      .length = item->size ? n : STORE_TO_END,
                                      .if_match = match,
                                      .want_checksum = source->traits.range_checksum_max > 0};
        sink_bytes_init(&sink, b->bytes + offset, n);
        if (store_get(source, &item->from, &options, &sink.sink, ret, NULL, call) < 0)
            return -1;
        item_fetched(item, n);
        offset += n;
        if (!match && ret)
            match = ret->etag;
        ret = NULL; /* the first range told everything */
    } while (offset < end);
    return 0;
}

/* Read a page blob: only what holds bytes. */
static int read_extents(struct item *item, struct body *b, struct object *ret, struct call *call)
{
    cleanup(extent_list_release) struct extent_list extents = {0};

    if (store_stat(item->mover->source, &item->from, ret, call) < 0)
        return -1;
    if (item->etag && !same_string(item->etag, ret->etag))
        return err_set(&call->err, ERR_CHANGED, "changed since it was listed");
    if (store_extents(item->mover->source, &item->from, item->etag, 0, item->size, &extents, call) <
        0)
        return -1;
    memset(b->bytes, 0, item->size);
    for (size_t i = 0; i < extents.count; i++)
        if (read_range(item, b, extents.list[i].offset, extents.list[i].length, NULL, call) < 0)
            return -1;
    return 0;
}

static int read_body(struct item *item, struct body *b, struct object *ret, struct call *call)
{
    int result = item->row->type && strcmp(item->row->type, "page") == 0 &&
                         item->mover->source->extents && item->size
                     ? read_extents(item, b, ret, call)
                     : read_range(item, b, 0, item->size, ret, call);

    if (result < 0)
        return -1;
    if (ret->size != item->size)
        return err_set(&call->err, ERR_CHANGED, "has %llu bytes, not the %llu that were listed",
                       (unsigned long long)ret->size, (unsigned long long)item->size);
    return 0;
}

/* The stored MD5 of the original is compared with what a target that answers with an MD5 says it
 * holds: then none of our own is needed.  Where something else may be at the target, ours decides
 * whether it has to be read. */
static bool wants_md5(const struct item *item, const struct object *original)
{
    return (original->stored.have & (1U << CHECKSUM_MD5)) &&
           (atomic_load(&item->mover->target_keeps_md5_back) || !target_is_ours(item));
}

static void add_md5(const struct body *b, struct checksums *ret)
{
    unsigned char bytes[MD5_SIZE];

    hash_bytes(HASH_MD5, b->bytes, b->size, bytes);
    checksum_set(ret, CHECKSUM_MD5, bytes);
}

static void digest(const struct body *b, bool md5, struct checksums *ret)
{
    unsigned char bytes[SHA256_SIZE];

    hash_bytes(HASH_SHA256, b->bytes, b->size, bytes);
    checksum_set(ret, CHECKSUM_SHA256, bytes);
    if (md5)
        add_md5(b, ret);
}

/* After a put that was not preceded by an MD5 of ours: what the target says it holds is what was
 * stored at the source, or somebody is wrong.  ERR_CORRUPT when it is not the stored value. */
static int settle_md5(struct item *item, const struct body *b, const struct object *original,
                      struct checksums *ours, const struct put_result *result, struct call *call)
{
    bool told = result->stored.have & (1U << CHECKSUM_MD5);

    if (!told)
        atomic_store(&item->mover->target_keeps_md5_back, true);
    if (!(original->stored.have & (1U << CHECKSUM_MD5)) || (ours->have & (1U << CHECKSUM_MD5)))
        return 0;
    if (told && memcmp(result->stored.md5, original->stored.md5, MD5_SIZE) == 0)
        return 0;
    add_md5(b, ours);
    if (told && memcmp(result->stored.md5, ours->md5, MD5_SIZE) != 0)
        return err_set(&call->err, ERR_CORRUPT,
                       "the MD5 of what the target says it holds is not that of what was sent");
    return check_stored_md5(item, original, ours->md5, ours->sha256, call);
}

/* An object that is not what it should be may not stay. */
static void take_back(struct item *item, const struct put_result *result, struct call *call)
{
    struct call undo = call_child(call, NULL);
    struct object_key key = item->to;

    if (result->version) {
        key.kind = VERSION_ID;
        key.version = result->version;
    }
    if (store_remove(item->mover->target, &key, NULL, &undo) < 0 && undo.err.code != ERR_NOT_FOUND)
        (void)err_prefix(&call->err,
                         "what is at the target now is wrong, and could not be removed");
}

static int write_body(struct item *item, struct body *b, const struct object *original,
                      const struct carried *carried, struct checksums *ours, struct call *call)
{
    struct source_bytes source;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct put_options options = {
        .properties = &carried->properties, .size = b->size, .known = *ours, .lazy = true};
    enum proof proof;

    source_bytes_init(&source, b->bytes, b->size);
    if (at_target(
            store_put(item->mover->target, &item->to, &options, &source.source, &result, call),
            call) < 0)
        return -1;
    if (settle_md5(item, b, original, ours, &result, call) < 0) {
        take_back(item, &result, call);
        return -1;
    }
    proof = result.proof;
    if (proof == PROOF_NONE || item->mover->options->readback) {
        if (target_read_back(item, result.etag, ours->sha256, call) < 0)
            return -1;
        proof = PROOF_READBACK;
    }
    outcome_moved(item, ours->sha256, &result, proof);
    return 0;
}

int copy_small(struct item *item, struct call *call)
{
    cleanup(body_release) struct body body = {0};
    auto_object struct object original = OBJECT_INIT;
    auto_carried struct carried carried = CARRIED_INIT;
    struct checksums ours = {0};
    bool same;

    if (body_take(&body, item->mover, item->size, call) < 0 ||
        read_body(item, &body, &original, call) < 0)
        return -1;
    replace_string(&item->outcome->etag, original.etag);
    if (original_complete(item, &original, call) < 0)
        return -1;
    digest(&body, wants_md5(item, &original), &ours);
    if (check_stored_md5(item, &original, ours.have & (1U << CHECKSUM_MD5) ? ours.md5 : NULL,
                         ours.sha256, call) < 0)
        return -1;
    if (carry_to_target(item, &original, &carried, call) < 0 ||
        target_compare(item, &carried, &ours, &same, call) < 0)
        return -1;
    if (same)
        return 0;
    if (sidecar_put(item, &carried, call) < 0)
        return -1;
    return write_body(item, &body, &original, &carried, &ours, call);
}
