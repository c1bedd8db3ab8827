// SPDX-License-Identifier: EUPL-1.2
/* One line for each operation: see log.h. */
#include "store/layer/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

struct log {
    struct store store;
    struct log_options options;
};

static struct log *log_of(struct store *s)
{
    return container_of(s, struct log, store);
}

/* An operation from its beginning to its line. */
struct entry {
    struct store *s;
    const char *verb;
    const char *container;
    const char *name; /* NULL: the container itself */
    char detail[80];
    int64_t begun;
    bool counts; /* has bytes to tell */
    uint64_t bytes;
};

static struct entry begin(struct store *s, const char *verb, const char *container,
                          const char *name)
{
    return (struct entry){
        .s = s, .verb = verb, .container = container, .name = name, .begun = clock_monotonic()};
}

static struct entry begin_key(struct store *s, const char *verb, const struct object_key *key)
{
    struct entry e = begin(s, verb, key->container, key->name);

    if (key->version)
        (void)snprintf(e.detail, sizeof(e.detail), " %s %.60s", version_kind_word(key->kind),
                       key->version);
    return e;
}

/* A name without what could break a line or a terminal. */
static void add_name(struct buf *line, const char *name)
{
    for (; *name && line->length < 4000; name++) {
        if ((unsigned char)*name < 0x20 || *name == 0x7f)
            buf_printf(line, "\\x%02x", (unsigned)(unsigned char)*name);
        else
            buf_char(line, *name);
    }
}

/* Writes the line; gives back result. */
static int end(const struct entry *e, int result, const struct call *call)
{
    const struct log_options *options = &log_of(e->s)->options;
    enum log_level level = result < 0 ? options->failure : options->success;
    auto_buf struct buf line = BUF_INIT(16 * 1024);

    if (options->watch) {
        const struct log_event event = {.store = e->s->name,
                                        .verb = e->verb,
                                        .code = result < 0 ? call->err.code : ERR_NONE,
                                        .bytes = e->counts ? e->bytes : 0,
                                        .duration = clock_monotonic() - e->begun};
        options->watch(options->argument, &event);
        return result;
    }
    if (!log_wants(level))
        return result;
    buf_printf(&line, "%s: %s", e->s->name, e->verb);
    if (e->container) {
        buf_text(&line, " '");
        add_name(&line, e->container);
        if (e->name) {
            buf_char(&line, '/');
            add_name(&line, e->name);
        }
        buf_char(&line, '\'');
    }
    add_name(&line, e->detail);
    buf_printf(&line, ": %s", result < 0 ? err_word(call->err.code) : "ok");
    if (e->counts)
        buf_printf(&line, ", %" PRIu64 " bytes", e->bytes);
    buf_printf(&line, ", %.1f ms",
               (double)(clock_monotonic() - e->begun) / (double)CLOCK_MILLISECOND);
    log_line(level, "%s", line.data);
    return result;
}

/* --------------------------------------------------------------------- operations */

static int log_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    struct entry e = begin(s, "reach", NULL, NULL);

    return end(&e, store_reach(s->below, ret_clock_ahead, call), call);
}

static int log_stat(struct store *s, const struct object_key *key, struct object *ret,
                    struct call *call)
{
    struct entry e = begin_key(s, "stat", key);

    return end(&e, store_stat(s->below, key, ret, call), call);
}

struct logged_sink {
    struct sink sink;
    struct sink *to;
    uint64_t *bytes;
};

static int logged_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct logged_sink *l = container_of(sink, struct logged_sink, sink);

    *l->bytes += n;
    return sink_write(l->to, bytes, n, call);
}

static int log_get(struct store *s, const struct object_key *key, const struct get_options *options,
                   struct sink *to, struct object *ret, enum transport_check *ret_check,
                   struct call *call)
{
    struct entry e = begin_key(s, "get", key);
    struct logged_sink sink = {.sink = {.write = logged_write}, .to = to, .bytes = &e.bytes};
    size_t used = strlen(e.detail);

    e.counts = true;
    if (options->length == STORE_TO_END)
        (void)snprintf(e.detail + used, sizeof(e.detail) - used, " %" PRIu64 "+", options->offset);
    else
        (void)snprintf(e.detail + used, sizeof(e.detail) - used, " %" PRIu64 "+%" PRIu64,
                       options->offset, options->length);
    return end(&e, store_get(s->below, key, options, &sink.sink, ret, ret_check, call), call);
}

static int log_put(struct store *s, const struct object_key *key, const struct put_options *options,
                   struct source *from, struct put_result *ret, struct call *call)
{
    struct entry e = begin_key(s, "put", key);

    e.counts = true;
    e.bytes = options->size;
    return end(&e, store_put(s->below, key, options, from, ret, call), call);
}

static int log_remove(struct store *s, const struct object_key *key, const char *if_match,
                      struct call *call)
{
    struct entry e = begin_key(s, "remove", key);

    return end(&e, store_remove(s->below, key, if_match, call), call);
}

static int log_list(struct store *s, const char *container, const struct list_options *options,
                    struct object_list *ret, struct call *call)
{
    struct entry e = begin(s, "list", container, options->prefix);
    int result = store_list(s->below, container, options, ret, call);

    if (result == 0)
        (void)snprintf(e.detail, sizeof(e.detail), " %zu objects, %zu prefixes%s", ret->count,
                       ret->prefix_count, ret->cursor ? ", more to come" : "");
    return end(&e, result, call);
}

static int log_upload_begin(struct store *s, const struct object_key *key,
                            const struct put_options *options, char **ret_id, struct call *call)
{
    struct entry e = begin_key(s, "begin upload", key);

    return end(&e, store_upload_begin(s->below, key, options, ret_id, call), call);
}

static int log_upload_part(struct store *s, const struct object_key *key, const char *id,
                           uint32_t number, const struct part_options *options, struct source *from,
                           struct part_result *ret, struct call *call)
{
    struct entry e = begin_key(s, "upload part", key);

    e.counts = true;
    e.bytes = options->size;
    (void)snprintf(e.detail, sizeof(e.detail), " %" PRIu32 " at %" PRIu64, number, options->offset);
    return end(&e, store_upload_part(s->below, key, id, number, options, from, ret, call), call);
}

static int log_upload_commit(struct store *s, const struct object_key *key, const char *id,
                             const struct part_result *parts, uint32_t count,
                             const struct put_options *options, struct put_result *ret,
                             struct call *call)
{
    struct entry e = begin_key(s, "commit upload", key);

    e.counts = true;
    e.bytes = options->size;
    (void)snprintf(e.detail, sizeof(e.detail), " of %" PRIu32 " parts", count);
    return end(&e, store_upload_commit(s->below, key, id, parts, count, options, ret, call), call);
}

static int log_upload_abort(struct store *s, const struct object_key *key, const char *id,
                            struct call *call)
{
    struct entry e = begin_key(s, "abort upload", key);

    return end(&e, store_upload_abort(s->below, key, id, call), call);
}

static int log_copy(struct store *s, const struct object_key *from, const char *if_match,
                    const struct object_key *to, const struct put_options *options,
                    struct put_result *ret, struct call *call)
{
    struct entry e = begin_key(s, "copy to", to);

    return end(&e, store_copy(s->below, from, if_match, to, options, ret, call), call);
}

static int log_sync(struct store *s, struct call *call)
{
    struct entry e = begin(s, "sync", NULL, NULL);

    return end(&e, store_sync(s->below, call), call);
}

static void log_close(struct store *s)
{
    store_release(s);
    free(log_of(s));
}

static const struct store_ops log_ops = {
    .reach = log_reach,
    .stat = log_stat,
    .get = log_get,
    .put = log_put,
    .remove = log_remove,
    .list = log_list,
    .upload_begin = log_upload_begin,
    .upload_part = log_upload_part,
    .upload_commit = log_upload_commit,
    .upload_abort = log_upload_abort,
    .copy = log_copy,
    .sync = log_sync,
    .close = log_close,
};

/* ----------------------------------------------------------------------- the groups */

static int log_container_list(struct store *s, const char *cursor, struct container_list *ret,
                              struct call *call)
{
    struct entry e = begin(s, "list containers", NULL, NULL);

    return end(&e, store_container_list(s->below, cursor, ret, call), call);
}

static int log_container_stat(struct store *s, const char *container, struct container *ret,
                              struct call *call)
{
    struct entry e = begin(s, "stat container", container, NULL);

    return end(&e, store_container_stat(s->below, container, ret, call), call);
}

static int log_container_create(struct store *s, const char *container,
                                const struct container *properties, struct call *call)
{
    struct entry e = begin(s, "create container", container, NULL);

    return end(&e, store_container_create(s->below, container, properties, call), call);
}

static int log_container_remove(struct store *s, const char *container, struct call *call)
{
    struct entry e = begin(s, "remove container", container, NULL);

    return end(&e, store_container_remove(s->below, container, call), call);
}

static int log_container_settings(struct store *s, const char *container, struct buf *ret_json,
                                  struct call *call)
{
    struct entry e = begin(s, "read settings of", container, NULL);

    return end(&e, store_container_settings(s->below, container, ret_json, call), call);
}

static int log_container_apply(struct store *s, const char *container, const char *json,
                               struct buf *ret_left, struct call *call)
{
    struct entry e = begin(s, "apply settings to", container, NULL);

    return end(&e, store_container_apply(s->below, container, json, ret_left, call), call);
}

static const struct container_ops log_container_ops = {
    .list = log_container_list,
    .stat = log_container_stat,
    .create = log_container_create,
    .remove = log_container_remove,
    .settings = log_container_settings,
    .apply = log_container_apply,
};

/* Asks nobody but the first time. */
static int log_tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                             bool *ret, struct call *call)
{
    return store_tags_can_hold(s->below, container, tags, ret, call);
}

static int log_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                        struct call *call)
{
    struct entry e = begin_key(s, "get tags of", key);

    return end(&e, store_tags_get(s->below, key, ret, call), call);
}

static int log_tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                        struct call *call)
{
    struct entry e = begin_key(s, "set tags of", key);

    return end(&e, store_tags_set(s->below, key, tags, call), call);
}

static const struct tag_ops log_tag_ops = {
    .can_hold = log_tags_can_hold, .get = log_tags_get, .set = log_tags_set};

static int log_tier_set(struct store *s, const struct object_key *key, const char *tier,
                        const char *priority, struct call *call)
{
    struct entry e = begin_key(s, "set tier of", key);

    (void)snprintf(e.detail, sizeof(e.detail), " to %.40s", tier);
    return end(&e, store_tier_set(s->below, key, tier, priority, call), call);
}

static const struct tier_ops log_tier_ops = {.set = log_tier_set};

static int log_extents(struct store *s, const struct object_key *key, const char *if_match,
                       uint64_t offset, uint64_t length, struct extent_list *ret, struct call *call)
{
    struct entry e = begin_key(s, "extents of", key);

    return end(&e, store_extents(s->below, key, if_match, offset, length, ret, call), call);
}

static const struct extent_ops log_extent_ops = {.get = log_extents};

struct store *log_layer(struct store *below, const struct log_options *options)
{
    struct log *l = xcalloc(1, sizeof(*l));

    store_init_layer(&l->store, &log_ops, below);
    l->options = options ? *options : (struct log_options){LOG_DEBUG, LOG_INFO};
    l->store.containers = below->containers ? &log_container_ops : NULL;
    l->store.tags = below->tags ? &log_tag_ops : NULL;
    l->store.tier = below->tier ? &log_tier_ops : NULL;
    l->store.extents = below->extents ? &log_extent_ops : NULL;
    return &l->store;
}
