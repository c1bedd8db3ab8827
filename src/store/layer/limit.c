// SPDX-License-Identifier: EUPL-1.2
/* Keeping to limits: see limit.h. */
#include "store/layer/limit.h"

#include "util/clock.h"
#include "util/thread.h"

/* What an idle moment saves up, and how long a waiting call sleeps before it looks at the timetable
 * again. */
#define BURST (CLOCK_SECOND / 4)
#define NAP   CLOCK_SECOND

/* A bucket that fills at the plan's rate.  Whoever finds it above zero may take any amount and
 * leave a debt that the next have to wait out. */
struct bucket {
    pthread_mutex_t lock;
    struct limit_plan plan;
    double tokens;  /* guarded by lock */
    int64_t filled; /* guarded by lock: monotonic time of the last filling */
};

struct limit {
    struct store store;
    struct bucket requests;
    struct bucket down;
    struct bucket up;
};

static struct limit *limit_of(struct store *s)
{
    return container_of(s, struct limit, store);
}

static void bucket_init(struct bucket *b, const struct limit_plan *plan)
{
    *b = (struct bucket){.plan = *plan, .filled = clock_monotonic()};
    (void)pthread_mutex_init(&b->lock, NULL);
}

/* Take amount, or say how many nanoseconds to wait before trying again. */
static int64_t bucket_try(struct bucket *b, uint64_t amount)
{
    double rate = (double)limit_plan_rate(&b->plan, clock_wall());
    int64_t now = clock_monotonic();

    locked(&b->lock);
    double most = rate * (double)BURST / (double)CLOCK_SECOND;
    b->tokens += rate * (double)(now - b->filled) / (double)CLOCK_SECOND;
    b->filled = now;
    if (rate <= 0 || b->tokens > most)
        b->tokens = most < 1 ? 1 : most;
    if (rate <= 0)
        return 0;
    if (b->tokens > 0) {
        b->tokens -= (double)amount;
        return 0;
    }
    double wait = (1 - b->tokens) / rate * (double)CLOCK_SECOND;
    return wait < (double)NAP ? (int64_t)wait + 1 : NAP;
}

static int bucket_take(struct bucket *b, uint64_t amount, struct call *call)
{
    if (!b->plan.count || !amount)
        return 0;
    for (;;) {
        int64_t wait = bucket_try(b, amount);
        if (wait == 0)
            return 0;
        if (call_sleep(call, wait) < 0)
            return -1;
    }
}

static int request(struct store *s, struct call *call)
{
    return bucket_take(&limit_of(s)->requests, 1, call);
}

/* ---------------------------------------------------------------------- streams */

struct limited_sink {
    struct sink sink;
    struct sink *to;
    struct bucket *bucket;
};

static int limited_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct limited_sink *l = container_of(sink, struct limited_sink, sink);

    if (bucket_take(l->bucket, n, call) < 0)
        return -1;
    return sink_write(l->to, bytes, n, call);
}

struct limited_source {
    struct source source;
    struct source *use;
    struct source *from;
    struct bucket *bucket;
};

static ssize_t limited_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct limited_source *l = container_of(source, struct limited_source, source);
    ssize_t got = source_read(l->from, bytes, n, call);

    if (got > 0 && bucket_take(l->bucket, (uint64_t)got, call) < 0)
        return -1;
    return got;
}

static int limited_rewind(struct source *source, struct call *call)
{
    struct limited_source *l = container_of(source, struct limited_source, source);

    return l->from->rewind(l->from, call);
}

static int limit_source(struct store *s, struct limited_source *l, struct source *from,
                        struct call *call)
{
    const struct source_bytes *bytes = source_as_bytes(from);

    *l = (struct limited_source){
        .source = {.read = limited_read, .rewind = from->rewind ? limited_rewind : NULL},
        .from = from,
        .bucket = &limit_of(s)->up};
    l->use = bytes ? from : &l->source;
    if (request(s, call) < 0)
        return -1;
    return bytes ? bucket_take(l->bucket, bytes->length - bytes->at, call) : 0;
}

/* ------------------------------------------------------------------- operations */

static int limit_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    return request(s, call) < 0 ? -1 : store_reach(s->below, ret_clock_ahead, call);
}

static int limit_stat(struct store *s, const struct object_key *key, struct object *ret,
                      struct call *call)
{
    return request(s, call) < 0 ? -1 : store_stat(s->below, key, ret, call);
}

static int limit_get(struct store *s, const struct object_key *key,
                     const struct get_options *options, struct sink *to, struct object *ret,
                     enum transport_check *ret_check, struct call *call)
{
    struct limited_sink sink = {
        .sink = {.write = limited_write}, .to = to, .bucket = &limit_of(s)->down};

    if (request(s, call) < 0)
        return -1;
    return store_get(s->below, key, options, &sink.sink, ret, ret_check, call);
}

static int limit_put(struct store *s, const struct object_key *key,
                     const struct put_options *options, struct source *from, struct put_result *ret,
                     struct call *call)
{
    struct limited_source source;

    if (limit_source(s, &source, from, call) < 0)
        return -1;
    return store_put(s->below, key, options, source.use, ret, call);
}

static int limit_remove(struct store *s, const struct object_key *key, const char *if_match,
                        struct call *call)
{
    return request(s, call) < 0 ? -1 : store_remove(s->below, key, if_match, call);
}

static int limit_list(struct store *s, const char *container, const struct list_options *options,
                      struct object_list *ret, struct call *call)
{
    return request(s, call) < 0 ? -1 : store_list(s->below, container, options, ret, call);
}

static int limit_upload_begin(struct store *s, const struct object_key *key,
                              const struct put_options *options, char **ret_id, struct call *call)
{
    return request(s, call) < 0 ? -1 : store_upload_begin(s->below, key, options, ret_id, call);
}

static int limit_upload_part(struct store *s, const struct object_key *key, const char *id,
                             uint32_t number, const struct part_options *options,
                             struct source *from, struct part_result *ret, struct call *call)
{
    struct limited_source source;

    if (limit_source(s, &source, from, call) < 0)
        return -1;
    return store_upload_part(s->below, key, id, number, options, source.use, ret, call);
}

static int limit_upload_commit(struct store *s, const struct object_key *key, const char *id,
                               const struct part_result *parts, uint32_t count,
                               const struct put_options *options, struct put_result *ret,
                               struct call *call)
{
    if (request(s, call) < 0)
        return -1;
    return store_upload_commit(s->below, key, id, parts, count, options, ret, call);
}

static int limit_upload_abort(struct store *s, const struct object_key *key, const char *id,
                              struct call *call)
{
    return request(s, call) < 0 ? -1 : store_upload_abort(s->below, key, id, call);
}

static int limit_copy(struct store *s, const struct object_key *from, const char *if_match,
                      const struct object_key *to, const struct put_options *options,
                      struct put_result *ret, struct call *call)
{
    return request(s, call) < 0 ? -1 : store_copy(s->below, from, if_match, to, options, ret, call);
}

static int limit_sync(struct store *s, struct call *call)
{
    return store_sync(s->below, call);
}

static void limit_close(struct store *s)
{
    struct limit *l = limit_of(s);

    store_release(s);
    (void)pthread_mutex_destroy(&l->requests.lock);
    (void)pthread_mutex_destroy(&l->down.lock);
    (void)pthread_mutex_destroy(&l->up.lock);
    free(l);
}

static const struct store_ops limit_ops = {
    .reach = limit_reach,
    .stat = limit_stat,
    .get = limit_get,
    .put = limit_put,
    .remove = limit_remove,
    .list = limit_list,
    .upload_begin = limit_upload_begin,
    .upload_part = limit_upload_part,
    .upload_commit = limit_upload_commit,
    .upload_abort = limit_upload_abort,
    .copy = limit_copy,
    .sync = limit_sync,
    .close = limit_close,
};

/* Asks nobody but the first time. */
static int limit_tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                               bool *ret, struct call *call)
{
    return store_tags_can_hold(s->below, container, tags, ret, call);
}

static int limit_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                          struct call *call)
{
    return request(s, call) < 0 ? -1 : store_tags_get(s->below, key, ret, call);
}

static int limit_tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                          struct call *call)
{
    return request(s, call) < 0 ? -1 : store_tags_set(s->below, key, tags, call);
}

static const struct tag_ops limit_tag_ops = {
    .can_hold = limit_tags_can_hold, .get = limit_tags_get, .set = limit_tags_set};

static int limit_tier_set(struct store *s, const struct object_key *key, const char *tier,
                          const char *priority, struct call *call)
{
    return request(s, call) < 0 ? -1 : store_tier_set(s->below, key, tier, priority, call);
}

static const struct tier_ops limit_tier_ops = {.set = limit_tier_set};

static int limit_extents(struct store *s, const struct object_key *key, const char *if_match,
                         uint64_t offset, uint64_t length, struct extent_list *ret,
                         struct call *call)
{
    if (request(s, call) < 0)
        return -1;
    return store_extents(s->below, key, if_match, offset, length, ret, call);
}

static const struct extent_ops limit_extent_ops = {.get = limit_extents};

struct store *limit_layer(struct store *below, const struct limit_options *options)
{
    struct limit *l = xcalloc(1, sizeof(*l));

    /* Containers are few: their requests are forwarded uncounted. */
    store_init_layer(&l->store, &limit_ops, below);
    l->store.tags = below->tags ? &limit_tag_ops : NULL;
    l->store.tier = below->tier ? &limit_tier_ops : NULL;
    l->store.extents = below->extents ? &limit_extent_ops : NULL;
    bucket_init(&l->requests, &options->requests);
    bucket_init(&l->down, &options->down);
    bucket_init(&l->up, &options->up);
    return &l->store;
}
