// SPDX-License-Identifier: EUPL-1.2
/*
 * Parts too large for memory: the bytes stream from source to target.
 *
 * Where the target wants a part's SHA-256 before its bytes, the range is read twice under If-Match:
 * once for the hashes, in turn, and once for sending, side by side with other parts.  Where it does
 * not, one reading serves both, in turn.
 */
#include <string.h>

#include "move/large.h"
#include "util/pipe.h"

/* Hashes for the whole object, and for the part, what passes; may pass it on. */
struct tee {
    struct sink sink;
    struct large *large;
    struct hash *part; /* may be NULL */
    bool whole;
    struct sink *onward; /* may be NULL */
};

static int tee_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct tee *t = container_of(sink, struct tee, sink);

    if (t->whole)
        large_hash(t->large, bytes, n);
    if (t->part)
        hash_update(t->part, bytes, n);
    item_fetched(t->large->item, n);
    return t->onward ? sink_write(t->onward, bytes, n, call) : 0;
}

static int read_part(struct large *l, uint32_t number, struct tee *tee, struct call *call)
{
    struct item *item = l->item;
    struct get_options options = {.offset = large_part_offset(l, number),
                                  .length = large_part_length(l, number),
                                  .if_match = item->etag};

    return store_get(item->mover->source, &item->from, &options, &tee->sink, NULL, NULL, call);
}

struct reading {
    struct large *large;
    uint32_t number;
    struct tee *tee;
    struct pipe *pipe;
};

static int reading_task(void *argument, struct call *call)
{
    struct reading *r = argument;

    if (read_part(r->large, r->number, r->tee, call) < 0) {
        pipe_cut(r->pipe, &call->err);
        return -1;
    }
    pipe_end(r->pipe);
    return 0;
}

/* Read and send at the same time. */
static int pass_through(struct large *l, uint32_t number, struct tee *tee,
                        const struct part_options *options, struct call *call)
{
    struct pipe pipe;
    struct group group;
    struct reading reading = {.large = l, .number = number, .tee = tee, .pipe = &pipe};
    int sent = -1;

    pipe_init(&pipe, LARGE_PIPE);
    tee->onward = &pipe.sink;
    group_init(&group, call);
    if (group_run(&group, reading_task, &reading) == 0)
        sent = large_send(l, number, options, &pipe.source, call);
    struct err sending = call->err;
    pipe_refuse(&pipe);
    int read = group_wait(&group);
    pipe_release(&pipe);
    /* What the source said is the reason, also where the sender only passed it on; a reader that
     * was refused says nothing but that. */
    if (sent < 0 && sending.code != ERR_NONE && (read == 0 || call->err.code == ERR_CANCELLED))
        call->err = sending;
    return sent < 0 || read < 0 ? -1 : 0;
}

/* One reading, in turn, for hashing and sending. */
static int stream_once(struct large *l, uint32_t number, struct call *call)
{
    struct tee tee = {.sink = {.write = tee_write}, .large = l, .whole = true};
    struct part_options options = {.offset = large_part_offset(l, number),
                                   .size = large_part_length(l, number)};

    if (large_turn_wait(l, number, call) < 0)
        return -1;
    int result = large_is_sent(l, number) ? read_part(l, number, &tee, call)
                                          : pass_through(l, number, &tee, &options, call);
    if (result == 0)
        large_turn_leave(l, number);
    return result;
}

/* One reading for the hashes, in turn, and one for sending. */
static int stream_twice(struct large *l, uint32_t number, struct call *call)
{
    auto_hash struct hash part = HASH_INIT;
    struct tee hashing = {.sink = {.write = tee_write}, .large = l, .part = &part, .whole = true};
    struct tee sending = {.sink = {.write = tee_write}, .large = l};
    struct part_options options = {.offset = large_part_offset(l, number),
                                   .size = large_part_length(l, number)};
    unsigned char digest[SHA256_SIZE];

    hash_init(&part, HASH_SHA256);
    if (large_turn_wait(l, number, call) < 0 || read_part(l, number, &hashing, call) < 0)
        return -1;
    large_turn_leave(l, number);
    if (large_is_sent(l, number))
        return 0;
    hash_final(&part, digest);
    checksum_set(&options.known, CHECKSUM_SHA256, digest);
    return pass_through(l, number, &sending, &options, call);
}

int large_stream_part(struct large *l, uint32_t number, struct call *call)
{
    return l->item->mover->target->traits.part_needs_hash ? stream_twice(l, number, call)
                                                          : stream_once(l, number, call);
}
