// SPDX-License-Identifier: EUPL-1.2
/* Trying again: see retry.h. */
#include "store/layer/retry.h"

#include <stdio.h>
#include <string.h>

#include "util/clock.h"
#include "util/random.h"

struct retry {
    struct store store;
    struct retry_options options;
};

static struct retry *retry_of(struct store *s)
{
    return container_of(s, struct retry, store);
}

/* ------------------------------------------------------------------- attempts */

struct attempt {
    const struct retry_options *options;
    int64_t begun;
    unsigned failures;
    bool ambiguous; /* an earlier attempt may have succeeded without our knowing */
};

static struct attempt first_attempt(struct store *s)
{
    return (struct attempt){.options = &retry_of(s)->options, .begun = clock_monotonic()};
}

static int64_t pause_for(const struct attempt *a, const struct err *e)
{
    int64_t most = a->options->pause_first;

    for (unsigned i = 1; i < a->failures && most < a->options->pause_max; i++)
        most *= 2;
    if (most > a->options->pause_max)
        most = a->options->pause_max;
    return e->retry_after * CLOCK_SECOND + (int64_t)random_below((uint64_t)most + 1);
}

static bool give_up(const struct attempt *a, struct call *call)
{
    size_t length = strlen(call->err.text);

    if (a->failures > 1)
        (void)snprintf(call->err.text + length, sizeof(call->err.text) - length, " (%u attempts)",
                       a->failures);
    return false;
}

/* After a failure: waits and says whether to try again; else the call holds the error to return. */
static bool again(struct attempt *a, struct call *call)
{
    struct err failure = call->err;

    if (!err_is_passing(failure.code) || call_check(call) < 0) {
        call->err = failure;
        return false;
    }
    a->failures++;
    a->ambiguous = a->ambiguous || failure.code != ERR_BUSY;
    int64_t pause = pause_for(a, &failure);
    int64_t until = clock_monotonic() + pause;
    if (a->failures >= a->options->attempts_max || until - a->begun > a->options->total_max ||
        (call->deadline && until >= call->deadline))
        return give_up(a, call);
    if (call_sleep_again(call, pause) < 0)
        return false;
    err_clear(&call->err);
    return true;
}

/* ---------------------------------------------------------------- plain repetition */

static int retry_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_reach(s->below, ret_clock_ahead, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_stat(struct store *s, const struct object_key *key, struct object *ret,
                      struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_stat(s->below, key, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_remove(struct store *s, const struct object_key *key, const char *if_match,
                        struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_remove(s->below, key, if_match, call) == 0)
            return 0;
        if (a.ambiguous && call->err.code == ERR_NOT_FOUND) {
            err_clear(&call->err);
            return 0;
        }
    } while (again(&a, call));
    return -1;
}

static int retry_list(struct store *s, const char *container, const struct list_options *options,
                      struct object_list *ret, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_list(s->below, container, options, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_upload_begin(struct store *s, const struct object_key *key,
                              const struct put_options *options, char **ret_id, struct call *call)
{
    struct attempt a = first_attempt(s);
    struct put_options now = *options;

    do {
        now.again = a.ambiguous;
        if (store_upload_begin(s->below, key, &now, ret_id, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_upload_abort(struct store *s, const struct object_key *key, const char *id,
                              struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_upload_abort(s->below, key, id, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_sync(struct store *s, struct call *call)
{
    /* What could not be made durable once may be lost: asking again would hide that. */
    return store_sync(s->below, call);
}

/* --------------------------------------------------------------------- get */

/* Counts what went through, and knows when the caller's sink is to blame. */
struct counting_sink {
    struct sink sink;
    struct sink *to;
    uint64_t count;
    bool failed;
};

static int counting_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct counting_sink *c = container_of(sink, struct counting_sink, sink);

    if (sink_write(c->to, bytes, n, call) < 0) {
        c->failed = true;
        return -1;
    }
    c->count += n;
    return 0;
}

/* The range that is still missing; -1 when nothing is. */
static int remaining(const struct get_options *options, uint64_t count, const struct object *object,
                     struct get_options *ret)
{
    *ret = *options;
    ret->offset += count;
    if (options->length != STORE_TO_END)
        ret->length -= count;
    ret->if_match = object->etag;
    return ret->length == 0 || ret->offset >= object->size ? -1 : 0;
}

/* Continue a get of which some bytes have arrived. */
static int resume(struct store *s, const struct object_key *key, const struct get_options *options,
                  struct counting_sink *sink, const struct object *begun, struct attempt *a,
                  struct call *call)
{
    while (begun->etag) {
        auto_object struct object object = OBJECT_INIT;
        struct get_options rest;
        struct err failure = call->err;
        if (!again(a, call))
            return -1;
        if (remaining(options, sink->count, begun, &rest) < 0) {
            /* All bytes came, and then the error: enough, unless their checksum was wanted. */
            if (!options->want_checksum)
                return 0;
            /* Bytes that cannot be trusted; who holds the sink may begin anew. */
            call->err = failure;
            call->err.code = ERR_CORRUPT;
            return -1;
        }
        if (store_get(s->below, key, &rest, &sink->sink, &object, NULL, call) == 0)
            return 0;
        if (sink->failed)
            return -1;
    }
    return -1;
}

static int retry_get(struct store *s, const struct object_key *key,
                     const struct get_options *options, struct sink *to, struct object *ret,
                     enum transport_check *ret_check, struct call *call)
{
    struct attempt a = first_attempt(s);
    struct counting_sink sink = {.sink = {.write = counting_write}, .to = to};

    for (;;) {
        if (store_get(s->below, key, options, &sink.sink, ret, ret_check, call) == 0)
            return 0;
        if (sink.failed)
            return -1;
        if (sink.count)
            break;
        if (!again(&a, call))
            return -1;
        object_release(ret);
    }
    *ret_check = TRANSPORT_LENGTH;
    return resume(s, key, options, &sink, ret, &a, call);
}

/* --------------------------------------------------------------------- put and parts */

/* Knows when the caller's source is to blame. */
struct watched_source {
    struct source source;
    struct source *use;
    struct source *from;
    struct source_bytes *bytes; /* what from is, when it is bytes in memory */
    size_t at;                  /* where they begin */
    bool failed;
};

static ssize_t watched_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct watched_source *w = container_of(source, struct watched_source, source);
    ssize_t got = source_read(w->from, bytes, n, call);

    w->failed = w->failed || got < 0;
    return got;
}

static int watched_rewind(struct source *source, struct call *call)
{
    struct watched_source *w = container_of(source, struct watched_source, source);

    return w->from->rewind(w->from, call);
}

static void watch(struct watched_source *w, struct source *from)
{
    *w = (struct watched_source){
        .source = {.read = watched_read, .rewind = from->rewind ? watched_rewind : NULL},
        .from = from,
        .bytes = source_as_bytes(from)};
    w->use = w->bytes ? from : &w->source;
    w->at = w->bytes ? w->bytes->at : 0;
}

/* Whether the whole can be sent again, and if so, from its beginning. */
static bool send_again(struct watched_source *w, struct attempt *a, struct call *call)
{
    if (w->failed || !w->from->rewind || !again(a, call))
        return false;
    if (w->bytes)
        w->bytes->at = w->at;
    return w->bytes || w->from->rewind(w->from, call) == 0;
}

/* An answer was lost: is what is there now what we sent?  Fills *ret when it is. */
static bool is_ours(struct store *s, const struct object_key *key,
                    const struct put_options *options, int least, struct put_result *ret,
                    struct call *call)
{
    auto_object struct object there = OBJECT_INIT;
    struct call asking = call_child(call, NULL);

    /* Asked through this layer, so that the question is repeated too. */
    if (store_stat(s, key, &there, &asking) < 0 || there.size != options->size ||
        checksums_compare(&options->known, &there.stored) < least)
        return false;
    err_clear(&call->err);
    *ret = (struct put_result){
        .etag = take(there.etag), .version = take(there.version), .proof = PROOF_NONE};
    return true;
}

static int retry_put(struct store *s, const struct object_key *key,
                     const struct put_options *options, struct source *from, struct put_result *ret,
                     struct call *call)
{
    struct attempt a = first_attempt(s);
    struct watched_source w;

    watch(&w, from);
    do {
        if (store_put(s->below, key, options, w.use, ret, call) == 0)
            return 0;
        /* Only digests tell our own body from another's. */
        if (a.ambiguous && call->err.code == ERR_CHANGED && is_ours(s, key, options, 1, ret, call))
            return 0;
    } while (send_again(&w, &a, call));
    return -1;
}

static int retry_upload_part(struct store *s, const struct object_key *key, const char *id,
                             uint32_t number, const struct part_options *options,
                             struct source *from, struct part_result *ret, struct call *call)
{
    struct attempt a = first_attempt(s);
    struct watched_source w;

    watch(&w, from);
    do {
        if (store_upload_part(s->below, key, id, number, options, w.use, ret, call) == 0)
            return 0;
    } while (send_again(&w, &a, call));
    return -1;
}

static int retry_upload_commit(struct store *s, const struct object_key *key, const char *id,
                               const struct part_result *parts, uint32_t count,
                               const struct put_options *options, struct put_result *ret,
                               struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (a.ambiguous && is_ours(s, key, options, 1, ret, call))
            return 0;
        if (store_upload_commit(s->below, key, id, parts, count, options, ret, call) == 0)
            return 0;
        /* The upload is gone because the commit whose answer was lost has used it up. */
        if (a.ambiguous &&
            ((call->err.code == ERR_NOT_FOUND && is_ours(s, key, options, 0, ret, call)) ||
             (call->err.code == ERR_CHANGED && is_ours(s, key, options, 1, ret, call))))
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_copy(struct store *s, const struct object_key *from, const char *if_match,
                      const struct object_key *to, const struct put_options *options,
                      struct put_result *ret, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_copy(s->below, from, if_match, to, options, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static void retry_close(struct store *s)
{
    store_release(s);
    free(retry_of(s));
}

static const struct store_ops retry_ops = {
    .reach = retry_reach,
    .stat = retry_stat,
    .get = retry_get,
    .put = retry_put,
    .remove = retry_remove,
    .list = retry_list,
    .upload_begin = retry_upload_begin,
    .upload_part = retry_upload_part,
    .upload_commit = retry_upload_commit,
    .upload_abort = retry_upload_abort,
    .copy = retry_copy,
    .sync = retry_sync,
    .close = retry_close,
};

/* ------------------------------------------------------------------- the groups */

static int retry_container_list(struct store *s, const char *cursor, struct container_list *ret,
                                struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_container_list(s->below, cursor, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_container_stat(struct store *s, const char *container, struct container *ret,
                                struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_container_stat(s->below, container, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_container_create(struct store *s, const char *container,
                                  const struct container *properties, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_container_create(s->below, container, properties, call) == 0)
            return 0;
        if (a.ambiguous && call->err.code == ERR_EXISTS) {
            err_clear(&call->err);
            return 0;
        }
    } while (again(&a, call));
    return -1;
}

static int retry_container_remove(struct store *s, const char *container, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_container_remove(s->below, container, call) == 0)
            return 0;
        if (a.ambiguous && call->err.code == ERR_NOT_FOUND) {
            err_clear(&call->err);
            return 0;
        }
    } while (again(&a, call));
    return -1;
}

static void cut_to(struct buf *b, size_t length)
{
    if (b->length > length) {
        b->length = length;
        b->data[length] = '\0';
    }
}

static int retry_container_settings(struct store *s, const char *container, struct buf *ret_json,
                                    struct call *call)
{
    struct attempt a = first_attempt(s);
    size_t before = ret_json->length;

    do {
        cut_to(ret_json, before);
        if (store_container_settings(s->below, container, ret_json, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_container_apply(struct store *s, const char *container, const char *json,
                                 struct buf *ret_left, struct call *call)
{
    struct attempt a = first_attempt(s);
    size_t before = ret_left->length;

    do {
        cut_to(ret_left, before);
        if (store_container_apply(s->below, container, json, ret_left, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static const struct container_ops retry_container_ops = {
    .list = retry_container_list,
    .stat = retry_container_stat,
    .create = retry_container_create,
    .remove = retry_container_remove,
    .settings = retry_container_settings,
    .apply = retry_container_apply,
};

static int retry_tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                               bool *ret, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_tags_can_hold(s->below, container, tags, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                          struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_tags_get(s->below, key, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static int retry_tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                          struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_tags_set(s->below, key, tags, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static const struct tag_ops retry_tag_ops = {
    .can_hold = retry_tags_can_hold, .get = retry_tags_get, .set = retry_tags_set};

static int retry_tier_set(struct store *s, const struct object_key *key, const char *tier,
                          const char *priority, struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_tier_set(s->below, key, tier, priority, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static const struct tier_ops retry_tier_ops = {.set = retry_tier_set};

static int retry_extents(struct store *s, const struct object_key *key, const char *if_match,
                         uint64_t offset, uint64_t length, struct extent_list *ret,
                         struct call *call)
{
    struct attempt a = first_attempt(s);

    do {
        if (store_extents(s->below, key, if_match, offset, length, ret, call) == 0)
            return 0;
    } while (again(&a, call));
    return -1;
}

static const struct extent_ops retry_extent_ops = {.get = retry_extents};

struct store *retry_layer(struct store *below, const struct retry_options *options)
{
    struct retry *r = xcalloc(1, sizeof(*r));

    store_init_layer(&r->store, &retry_ops, below);
    if (options)
        r->options = *options;
    if (!r->options.attempts_max)
        r->options.attempts_max = 6;
    if (!r->options.total_max)
        r->options.total_max = 600 * CLOCK_SECOND;
    if (!r->options.pause_first)
        r->options.pause_first = 250 * CLOCK_MILLISECOND;
    if (!r->options.pause_max)
        r->options.pause_max = 30 * CLOCK_SECOND;
    r->store.containers = below->containers ? &retry_container_ops : NULL;
    r->store.tags = below->tags ? &retry_tag_ops : NULL;
    r->store.tier = below->tier ? &retry_tier_ops : NULL;
    r->store.extents = below->extents ? &retry_extent_ops : NULL;
    return &r->store;
}
