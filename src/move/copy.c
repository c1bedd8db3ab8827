// SPDX-License-Identifier: EUPL-1.2
/* What copying in one piece and in parts have in common: the things around the bytes. */
#include <string.h>

#include "codec/hex.h"
#include "crypto/hash.h"
#include "move/mover.h"

/* Hashes what is pushed into it. */
struct hashing_sink {
    struct sink sink;
    struct hash hash;
    uint64_t count;
};

static int hashing_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct hashing_sink *s = container_of(sink, struct hashing_sink, sink);

    (void)call;
    hash_update(&s->hash, bytes, n);
    s->count += n;
    return 0;
}

void item_fetched(struct item *item, uint64_t n)
{
    atomic_fetch_add(&item->mover->progress->transferred, (int_fast64_t)n);
    atomic_fetch_add(&item->mover->progress->in_flight, (int_fast64_t)n);
    atomic_fetch_add(&item->fetched, (int_fast64_t)n);
}

int at_target(int result, struct call *call)
{
    enum err_code code = call->err.code;

    if (result < 0 &&
        (code == ERR_NOT_FOUND || code == ERR_CHANGED || code == ERR_ARCHIVED || code == ERR_RANGE))
        call->err.code = ERR_REMOTE;
    return result;
}

int original_complete(struct item *item, struct object *original, struct call *call)
{
    struct store *source = item->mover->source;
    auto_free char *lost = NULL;

    /* Azure tells the tier when it lists, not when it is read; and what was woken is "Hot" now. */
    if (item->row->tier && source->traits.holds_tier) {
        replace_string(&original->tier, item->row->tier);
        original->tier_inferred = false;
    }
    if (own_restore(source, &item->from, original, &lost, call) < 0)
        return -1;
    if (lost)
        outcome_note(item->outcome, "sidecar_lost", "%s", lost);
    return 0;
}

int carry_to_target(struct item *item, const struct object *original, struct carried *ret,
                    struct call *call)
{
    struct store *target = item->mover->target;
    struct store_traits traits = target->traits;
    bool tags;

    if (at_target(store_tags_can_hold(target, item->to.container, &original->tags, &tags, call),
                  call) < 0)
        return -1;
    if (!tags)
        traits.tags_max = 0;
    carry(original, item->row->name, item->mapped, &traits, ret);
    return 0;
}

int sidecar_put(struct item *item, const struct carried *carried, struct call *call)
{
    struct store *target = item->mover->target;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes source;

    if (!carried->sidecar)
        return 0;
    auto_free char *name = name_of_version(item->row->target)
                               ? name_of_version_sidecar(carry_sidecar_id(&carried->properties))
                               : name_of_sidecar(&target->traits, item->row->target);
    struct object_key key = {.container = item->to.container, .name = name};
    auto_object struct object properties = OBJECT_INIT;
    properties.content_type = xstrdup("application/json");
    struct put_options options = {
        .properties = &properties, .size = strlen(carried->sidecar), .lazy = true};
    source_bytes_init(&source, carried->sidecar, options.size);
    if (at_target(store_put(target, &key, &options, &source.source, &result, call), call) < 0)
        return err_prefix(&call->err, "its side-car '%s'", name);
    outcome_note(item->outcome, "sidecar", "beside the object, in '%s': %s", name,
                 carried->left.data);
    return 0;
}

/* Read a whole object and give its SHA-256 and length. */
static int hash_object(struct store *store, const struct object_key *key, const char *etag,
                       unsigned char sha256[32], uint64_t *ret_length, struct call *call)
{
    struct hashing_sink sink = {.sink = {.write = hashing_write}};
    struct get_options options = {.length = STORE_TO_END, .if_match = etag};

    hash_init(&sink.hash, HASH_SHA256);
    int got = store_get(store, key, &options, &sink.sink, NULL, NULL, call);
    hash_final(&sink.hash, sha256);
    hash_release(&sink.hash);
    *ret_length = sink.count;
    return got;
}

int target_read_back(struct item *item, const char *etag, const unsigned char *sha256,
                     struct call *call)
{
    unsigned char found[32];
    uint64_t length;

    if (at_target(hash_object(item->mover->target, &item->to, etag, found, &length, call), call) <
        0)
        return err_prefix(&call->err, "read back");
    if (length != item->size || memcmp(found, sha256, sizeof(found)) != 0)
        return err_set(&call->err, ERR_CORRUPT,
                       "read back, the target holds other bytes than were sent (%llu of %llu)",
                       (unsigned long long)length, (unsigned long long)item->size);
    return 0;
}

bool target_is_ours(const struct item *item)
{
    return item->container.fresh || item->row->target_etag || name_of_version(item->row->target);
}

int target_compare(struct item *item, const struct carried *carried, const struct checksums *ours,
                   bool *ret_same, struct call *call)
{
    struct store *target = item->mover->target;
    auto_object struct object there = OBJECT_INIT;
    struct outcome *o = item->outcome;

    *ret_same = false;
    if (target_is_ours(item))
        return 0;
    if (store_stat(target, &item->to, &there, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return at_target(-1, call);
        err_clear(&call->err);
        return 0;
    }
    if (there.size != item->size || checksums_compare(&there.stored, ours) < 0 ||
        !carry_same(&carried->properties, &there, &target->traits)) {
        outcome_note(o, "replaced", "took the place of another object that was at the target");
        return 0;
    }
    if (target_read_back(item, there.etag, ours->sha256, call) < 0) {
        if (call->err.code != ERR_CORRUPT)
            return -1;
        err_clear(&call->err);
        outcome_note(o, "replaced", "took the place of another object that was at the target");
        return 0;
    }
    o->result.state = LEDGER_ALREADY;
    memcpy(o->sha256, ours->sha256, sizeof(o->sha256));
    o->result.sha256 = o->sha256;
    o->result.proof = proof_word(PROOF_READBACK);
    replace_string(&o->target_etag, there.etag);
    *ret_same = true;
    return 0;
}

int check_stored_md5(struct item *item, const struct object *original, const unsigned char *md5,
                     const unsigned char *sha256, struct call *call)
{
    char stored[33], found[33];
    unsigned char again[32];
    uint64_t length;

    if (!md5 || memcmp(original->stored.md5, md5, 16) == 0)
        return 0;
    if (hash_object(item->mover->source, &item->from, item->etag, again, &length, call) < 0)
        return -1;
    if (memcmp(again, sha256, sizeof(again)) != 0)
        return err_set(&call->err, ERR_CORRUPT,
                       "two readings of the same version gave different bytes, and the first does "
                       "not have the stored Content-MD5");
    hex_encode(stored, original->stored.md5, 16);
    hex_encode(found, md5, 16);
    outcome_note(item->outcome, "stored_md5_wrong",
                 "the stored Content-MD5 says %s, the content is %s: the bytes moved are those the "
                 "source served, twice",
                 stored, found);
    return 0;
}

void outcome_moved(struct item *item, const unsigned char *sha256, const struct put_result *result,
                   enum proof proof)
{
    struct outcome *o = item->outcome;
    struct checksums stored = result->stored;

    o->result.state = LEDGER_MOVED;
    o->result.size = (int64_t)item->size;
    memcpy(o->sha256, sha256, sizeof(o->sha256));
    o->result.sha256 = o->sha256;
    o->result.proof = proof_word(proof);
    replace_string(&o->target_etag, result->etag);
    for (int kind = 0; kind < CHECKSUM_KIND_COUNT; kind++) {
        char hex[65];
        if (!(stored.have & (1U << kind)))
            continue;
        hex_encode(hex, checksum_bytes(&stored, (enum checksum_kind)kind),
                   checksum_size((enum checksum_kind)kind));
        free(o->target_checksum);
        o->target_checksum = xasprintf("%s:%s", checksum_word((enum checksum_kind)kind), hex);
        break;
    }
}
