// SPDX-License-Identifier: EUPL-1.2
/* What all stores share: setting up, forwarding, closing, and the lists of store.h. */
#include <assert.h>
#include <string.h>

#include "store/store.h"
#include "util/common.h"

/* No pointer of an operation table may be missing: forwarding is written out. */
static bool is_complete(const void *table, size_t size)
{
    void (*operation)(void);

    static_assert(sizeof(operation) == sizeof(void *), "pointers of one size");
    for (size_t at = 0; at < size; at += sizeof(operation)) {
        memcpy(&operation, (const char *)table + at, sizeof(operation));
        if (!operation)
            return false;
    }
    return true;
}

void store_init(struct store *s, const struct store_ops *ops, const char *name,
                const char *identity)
{
    assert(is_complete(ops, sizeof(*ops)));
    assert(name && *name && identity);
    *s = (struct store){.ops = ops, .name = xstrdup(name), .identity = xstrdup(identity)};
}

void store_init_layer(struct store *s, const struct store_ops *ops, struct store *below)
{
    store_init(s, ops, below->name, below->identity);
    assert(!below->containers || is_complete(below->containers, sizeof(*below->containers)));
    assert(!below->extents || is_complete(below->extents, sizeof(*below->extents)));
    assert(!below->tags || is_complete(below->tags, sizeof(*below->tags)));
    assert(!below->tier || is_complete(below->tier, sizeof(*below->tier)));
    s->below = below;
    s->traits = below->traits;
    s->notebook = below->notebook;
    s->containers = below->containers ? &container_forward_ops : NULL;
    s->tags = below->tags ? &tag_forward_ops : NULL;
    s->tier = below->tier ? &tier_forward_ops : NULL;
    s->extents = below->extents ? &extent_forward_ops : NULL;
}

void store_release(struct store *s)
{
    free(s->name);
    free(s->identity);
    store_close(s->below);
    *s = (struct store){0};
}

void store_close(struct store *s)
{
    if (s)
        s->ops->close(s);
}

void store_set_notebook(struct store *s, struct notebook *n)
{
    for (; s; s = s->below)
        s->notebook = n;
}

/* ------------------------------------------------------------------- lists */

void container_release(struct container *c)
{
    free(c->name);
    free(c->etag);
    free(c->access);
    free(c->version);
    pairs_release(&c->metadata);
    *c = (struct container)CONTAINER_INIT;
}

void container_list_release(struct container_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        container_release(&l->list[i]);
    free(l->list);
    free(l->cursor);
    pairs_release(&l->left_out);
    *l = (struct container_list)CONTAINER_LIST_INIT;
}

struct container *container_list_add(struct container_list *l)
{
    if (l->count == l->size) {
        l->size = l->size ? l->size * 2 : 16;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    struct container *c = &l->list[l->count++];
    *c = (struct container)CONTAINER_INIT;
    return c;
}

void extent_list_release(struct extent_list *l)
{
    free(l->list);
    *l = (struct extent_list){0};
}

void extent_list_add(struct extent_list *l, uint64_t offset, uint64_t length)
{
    if (l->count == l->size) {
        l->size = l->size ? l->size * 2 : 16;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    l->list[l->count++] = (struct extent){offset, length};
}

/* -------------------------------------------------------------- forwarding */

static int forward_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    return store_reach(s->below, ret_clock_ahead, call);
}

static int forward_stat(struct store *s, const struct object_key *key, struct object *ret,
                        struct call *call)
{
    return store_stat(s->below, key, ret, call);
}

static int forward_get(struct store *s, const struct object_key *key,
                       const struct get_options *options, struct sink *to, struct object *ret,
                       enum transport_check *ret_check, struct call *call)
{
    return store_get(s->below, key, options, to, ret, ret_check, call);
}

static int forward_put(struct store *s, const struct object_key *key,
                       const struct put_options *options, struct source *from,
                       struct put_result *ret, struct call *call)
{
    return store_put(s->below, key, options, from, ret, call);
}

static int forward_remove(struct store *s, const struct object_key *key, const char *if_match,
                          struct call *call)
{
    return store_remove(s->below, key, if_match, call);
}

static int forward_list(struct store *s, const char *container, const struct list_options *options,
                        struct object_list *ret, struct call *call)
{
    return store_list(s->below, container, options, ret, call);
}

static int forward_upload_begin(struct store *s, const struct object_key *key,
                                const struct put_options *options, char **ret_id, struct call *call)
{
    return store_upload_begin(s->below, key, options, ret_id, call);
}

static int forward_upload_part(struct store *s, const struct object_key *key, const char *id,
                               uint32_t number, const struct part_options *options,
                               struct source *from, struct part_result *ret, struct call *call)
{
    return store_upload_part(s->below, key, id, number, options, from, ret, call);
}

static int forward_upload_commit(struct store *s, const struct object_key *key, const char *id,
                                 const struct part_result *parts, uint32_t count,
                                 const struct put_options *options, struct put_result *ret,
                                 struct call *call)
{
    return store_upload_commit(s->below, key, id, parts, count, options, ret, call);
}

static int forward_upload_abort(struct store *s, const struct object_key *key, const char *id,
                                struct call *call)
{
    return store_upload_abort(s->below, key, id, call);
}

static int forward_copy(struct store *s, const struct object_key *from, const char *if_match,
                        const struct object_key *to, const struct put_options *options,
                        struct put_result *ret, struct call *call)
{
    return store_copy(s->below, from, if_match, to, options, ret, call);
}

static int forward_sync(struct store *s, struct call *call)
{
    return store_sync(s->below, call);
}

static void forward_close(struct store *s)
{
    store_release(s);
    free(s);
}

const struct store_ops store_forward_ops = {
    .reach = forward_reach,
    .stat = forward_stat,
    .get = forward_get,
    .put = forward_put,
    .remove = forward_remove,
    .list = forward_list,
    .upload_begin = forward_upload_begin,
    .upload_part = forward_upload_part,
    .upload_commit = forward_upload_commit,
    .upload_abort = forward_upload_abort,
    .copy = forward_copy,
    .sync = forward_sync,
    .close = forward_close,
};

static int forward_container_list(struct store *s, const char *cursor, struct container_list *ret,
                                  struct call *call)
{
    return store_container_list(s->below, cursor, ret, call);
}

static int forward_container_stat(struct store *s, const char *container, struct container *ret,
                                  struct call *call)
{
    return store_container_stat(s->below, container, ret, call);
}

static int forward_container_create(struct store *s, const char *container,
                                    const struct container *properties, struct call *call)
{
    return store_container_create(s->below, container, properties, call);
}

static int forward_container_remove(struct store *s, const char *container, struct call *call)
{
    return store_container_remove(s->below, container, call);
}

static int forward_container_settings(struct store *s, const char *container, struct buf *ret_json,
                                      struct call *call)
{
    return store_container_settings(s->below, container, ret_json, call);
}

static int forward_container_apply(struct store *s, const char *container, const char *json,
                                   struct buf *ret_left, struct call *call)
{
    return store_container_apply(s->below, container, json, ret_left, call);
}

const struct container_ops container_forward_ops = {
    .list = forward_container_list,
    .stat = forward_container_stat,
    .create = forward_container_create,
    .remove = forward_container_remove,
    .settings = forward_container_settings,
    .apply = forward_container_apply,
};

static int forward_tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                                 bool *ret, struct call *call)
{
    return store_tags_can_hold(s->below, container, tags, ret, call);
}

static int forward_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                            struct call *call)
{
    return store_tags_get(s->below, key, ret, call);
}

static int forward_tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                            struct call *call)
{
    return store_tags_set(s->below, key, tags, call);
}

const struct tag_ops tag_forward_ops = {
    .can_hold = forward_tags_can_hold, .get = forward_tags_get, .set = forward_tags_set};

static int forward_tier_set(struct store *s, const struct object_key *key, const char *tier,
                            const char *priority, struct call *call)
{
    return store_tier_set(s->below, key, tier, priority, call);
}

const struct tier_ops tier_forward_ops = {.set = forward_tier_set};

static int forward_extents(struct store *s, const struct object_key *key, const char *if_match,
                           uint64_t offset, uint64_t length, struct extent_list *ret,
                           struct call *call)
{
    return store_extents(s->below, key, if_match, offset, length, ret, call);
}

const struct extent_ops extent_forward_ops = {.get = forward_extents};
