// SPDX-License-Identifier: EUPL-1.2
/* The checking functions everybody calls a store through: see store.h. */
#include "store/store.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "store/checked.h"
#include "util/common.h"

static const char *const proof_words[] = {
    [PROOF_NONE] = "none", [PROOF_SIGNED] = "signed",   [PROOF_CHECKSUM] = "checksum",
    [PROOF_ETAG] = "etag", [PROOF_WRITTEN] = "written", [PROOF_READBACK] = "readback",
};

const char *proof_word(enum proof proof)
{
    return proof_words[proof];
}

void put_result_release(struct put_result *r)
{
    free(r->etag);
    free(r->version);
    *r = (struct put_result)PUT_RESULT_INIT;
}

/* A failure on its way up: say once which store it was. */
static int failed(const struct store *s, struct call *call)
{
    size_t length = strlen(s->name);

    assert(call->err.code != ERR_NONE);
    if (strncmp(call->err.text, s->name, length) == 0 && call->err.text[length] == ':')
        return -1;
    return err_prefix(&call->err, "%s", s->name);
}

static int check_container(const struct store *s, const char *container, struct call *call)
{
    assert(container);
    if (call_check(call) < 0)
        return failed(s, call);
    if (!*container) {
        (void)err_set(&call->err, ERR_NAME, "a container's name cannot be empty");
        return failed(s, call);
    }
    return 0;
}

static int check_key(const struct store *s, const struct object_key *key, struct call *call)
{
    assert(key && key->container && key->name);
    assert((key->kind == VERSION_CURRENT) == !key->version);
    if (check_container(s, key->container, call) < 0)
        return -1;
    if (!*key->name)
        (void)err_set(&call->err, ERR_NAME, "an object's name in '%s' cannot be empty",
                      key->container);
    else if (key->version && !*key->version)
        (void)err_set(&call->err, ERR_INVALID, "the version of '%s/%s' is empty", key->container,
                      key->name);
    else
        return 0;
    return failed(s, call);
}

/* Where something is to be written, the name must also fit. */
static int check_new_key(const struct store *s, const struct object_key *key, struct call *call)
{
    if (check_key(s, key, call) < 0)
        return -1;
    const char *fault = store_name_fault(&s->traits, key->name);
    if (!fault)
        return 0;
    (void)err_set(&call->err, ERR_NAME, "the name '%.200s' %s, which cannot be held here",
                  key->name, fault);
    return failed(s, call);
}

static int check_size(const struct store *s, const char *what, uint64_t size, uint64_t most,
                      struct call *call)
{
    if (!most || size <= most)
        return 0;
    (void)err_set(&call->err, ERR_UNSUPPORTED,
                  "%s of %" PRIu64 " bytes is more than the %" PRIu64 " taken here", what, size,
                  most);
    return failed(s, call);
}

/* What a store says it holds must not contradict what we know of the bytes. */
static int check_stored(const struct store *s, const struct object_key *key,
                        const struct put_options *options, const struct put_result *result,
                        struct call *call)
{
    if (checksums_compare(&options->known, &result->stored) >= 0)
        return 0;
    (void)err_set(&call->err, ERR_CORRUPT,
                  "the store's own checksum of '%s/%s' is not that of what was sent",
                  key->container, key->name);
    return failed(s, call);
}

/* ------------------------------------------------------------------ the core */

int store_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    int64_t ahead = 0;

    if (call_check(call) < 0 || s->ops->reach(s, &ahead, call) < 0)
        return failed(s, call);
    if (ret_clock_ahead)
        *ret_clock_ahead = ahead;
    return 0;
}

int store_stat(struct store *s, const struct object_key *key, struct object *ret, struct call *call)
{
    auto_object struct object found = OBJECT_INIT;

    assert(ret);
    if (check_key(s, key, call) < 0)
        return -1;
    if (s->ops->stat(s, key, &found, call) < 0)
        return failed(s, call);
    *ret = found;
    found = (struct object)OBJECT_INIT;
    return 0;
}

/* A range of no bytes: nothing to transfer, but the object must be there and the range in it. */
static int get_nothing(struct store *s, const struct object_key *key,
                       const struct get_options *options, struct object *ret, struct call *call)
{
    auto_object struct object found = OBJECT_INIT;

    if (store_stat(s, key, &found, call) < 0)
        return -1;
    if (options->if_match && !same_string(options->if_match, found.etag))
        (void)err_set(&call->err, ERR_CHANGED, "'%s/%s' has changed meanwhile", key->container,
                      key->name);
    else if (options->offset > found.size || (options->offset == found.size && found.size))
        (void)err_set(&call->err, ERR_RANGE,
                      "offset %" PRIu64 " is past the end of '%s/%s' (%" PRIu64 " bytes)",
                      options->offset, key->container, key->name, found.size);
    else {
        if (ret) {
            *ret = found;
            found = (struct object)OBJECT_INIT;
        }
        return 0;
    }
    return failed(s, call);
}

int store_get(struct store *s, const struct object_key *key, const struct get_options *options,
              struct sink *to, struct object *ret, enum transport_check *ret_check,
              struct call *call)
{
    auto_object struct object mine = OBJECT_INIT;
    struct object *object = ret ? ret : &mine;
    enum transport_check check = TRANSPORT_LENGTH;
    struct checked_sink checked;

    assert(options && to);
    if (check_key(s, key, call) < 0)
        return -1;
    if (options->length == 0)
        return get_nothing(s, key, options, ret, call);
    checked_sink_init(&checked, to, options, object);
    if (s->ops->get(s, key, options, &checked.sink, object, &check, call) < 0) {
        if (checked_sink_failed(&checked, call))
            return -1;
        return failed(s, call);
    }
    if (checked_sink_finish(&checked, key, call) < 0)
        return failed(s, call);
    if (ret_check)
        *ret_check = check;
    return 0;
}

int store_put(struct store *s, const struct object_key *key, const struct put_options *options,
              struct source *from, struct put_result *ret, struct call *call)
{
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct checked_source checked;

    assert(options && from && ret);
    assert(!(options->if_match && options->if_absent));
    if (check_new_key(s, key, call) < 0 ||
        check_size(s, "a body", options->size, s->traits.put_size_max, call) < 0)
        return -1;
    if (checked_source_init(&checked, from, options->size, call) < 0)
        return -1;
    if (s->ops->put(s, key, options, checked.use, &result, call) < 0) {
        if (checked_source_failed(&checked, call))
            return -1;
        return failed(s, call);
    }
    if (checked_source_finish(&checked, key, call) < 0)
        return failed(s, call);
    if (check_stored(s, key, options, &result, call) < 0)
        return -1;
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

int store_remove(struct store *s, const struct object_key *key, const char *if_match,
                 struct call *call)
{
    if (check_key(s, key, call) < 0)
        return -1;
    return s->ops->remove(s, key, if_match, call) < 0 ? failed(s, call) : 0;
}

static const char *page_fault(const struct store *s, const struct list_options *options,
                              const struct object_list *page)
{
    size_t prefix = options->prefix ? strlen(options->prefix) : 0;

    if (options->limit && page->count + page->prefix_count > options->limit)
        return "more entries than asked for";
    for (size_t i = 0; i < page->count; i++) {
        const char *name = page->list[i].name;
        if (!name || !*name)
            return "an object without a name";
        if (prefix && strncmp(name, options->prefix, prefix) != 0)
            return "a name that lacks the prefix asked for";
        if (i && s->traits.lists_in_order && strcmp(page->list[i - 1].name, name) > 0)
            return "names out of order";
    }
    for (size_t i = 0; i < page->prefix_count; i++)
        if (prefix && strncmp(page->prefixes[i], options->prefix, prefix) != 0)
            return "a common prefix that lacks the prefix asked for";
    if (page->cursor && options->cursor && strcmp(page->cursor, options->cursor) == 0)
        return "the same page again and again";
    return NULL;
}

int store_list(struct store *s, const char *container, const struct list_options *options,
               struct object_list *ret, struct call *call)
{
    auto_object_list struct object_list page = OBJECT_LIST_INIT;

    assert(options && ret);
    if (check_container(s, container, call) < 0)
        return -1;
    if (s->ops->list(s, container, options, &page, call) < 0)
        return failed(s, call);
    const char *fault = page_fault(s, options, &page);
    if (fault) {
        (void)err_set(&call->err, ERR_REMOTE, "the listing of '%s' gave %s", container, fault);
        return failed(s, call);
    }
    *ret = page;
    page = (struct object_list)OBJECT_LIST_INIT;
    return 0;
}

int store_upload_begin(struct store *s, const struct object_key *key,
                       const struct put_options *options, char **ret_id, struct call *call)
{
    auto_free char *id = NULL;

    assert(options && ret_id);
    if (check_new_key(s, key, call) < 0 ||
        check_size(s, "an object", options->size, s->traits.object_size_max, call) < 0)
        return -1;
    if (s->ops->upload_begin(s, key, options, &id, call) < 0)
        return failed(s, call);
    assert(id && *id);
    *ret_id = take(id);
    return 0;
}

int store_upload_part(struct store *s, const struct object_key *key, const char *id,
                      uint32_t number, const struct part_options *options, struct source *from,
                      struct part_result *ret, struct call *call)
{
    struct part_result result = {.etag = ""};
    struct checked_source checked;

    assert(id && options && from && ret);
    if (check_key(s, key, call) < 0 ||
        check_size(s, "a part", options->size, s->traits.part_size_max, call) < 0)
        return -1;
    if (s->traits.parts_max && number >= s->traits.parts_max) {
        (void)err_set(&call->err, ERR_UNSUPPORTED,
                      "part %" PRIu32 " of '%s/%s': at most %" PRIu32 " parts are taken here",
                      number, key->container, key->name, s->traits.parts_max);
        return failed(s, call);
    }
    if (checked_source_init(&checked, from, options->size, call) < 0)
        return -1;
    if (s->ops->upload_part(s, key, id, number, options, checked.use, &result, call) < 0) {
        if (checked_source_failed(&checked, call))
            return -1;
        return failed(s, call);
    }
    if (checked_source_finish(&checked, key, call) < 0)
        return failed(s, call);
    *ret = result;
    return 0;
}

int store_upload_commit(struct store *s, const struct object_key *key, const char *id,
                        const struct part_result *parts, uint32_t count,
                        const struct put_options *options, struct put_result *ret,
                        struct call *call)
{
    auto_put_result struct put_result result = PUT_RESULT_INIT;

    assert(id && (parts || !count) && options && ret);
    if (check_key(s, key, call) < 0)
        return -1;
    if (s->ops->upload_commit(s, key, id, parts, count, options, &result, call) < 0)
        return failed(s, call);
    if (check_stored(s, key, options, &result, call) < 0)
        return -1;
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

int store_upload_abort(struct store *s, const struct object_key *key, const char *id,
                       struct call *call)
{
    assert(id);
    if (check_key(s, key, call) < 0)
        return -1;
    return s->ops->upload_abort(s, key, id, call) < 0 ? failed(s, call) : 0;
}

int store_copy(struct store *s, const struct object_key *from, const char *if_match,
               const struct object_key *to, const struct put_options *options,
               struct put_result *ret, struct call *call)
{
    auto_put_result struct put_result result = PUT_RESULT_INIT;

    assert(options && ret);
    if (check_key(s, from, call) < 0 || check_new_key(s, to, call) < 0)
        return -1;
    if (s->ops->copy(s, from, if_match, to, options, &result, call) < 0)
        return failed(s, call);
    *ret = result;
    result = (struct put_result)PUT_RESULT_INIT;
    return 0;
}

int store_sync(struct store *s, struct call *call)
{
    if (call_check(call) < 0 || s->ops->sync(s, call) < 0)
        return failed(s, call);
    return 0;
}

/* -------------------------------------------------------------- the groups */

static int lacks(const struct store *s, const char *what, struct call *call)
{
    (void)err_set(&call->err, ERR_UNSUPPORTED, "a store of kind '%s' has no %s",
                  s->traits.driver ? s->traits.driver : "?", what);
    return failed(s, call);
}

int store_container_list(struct store *s, const char *cursor, struct container_list *ret,
                         struct call *call)
{
    auto_container_list struct container_list page = CONTAINER_LIST_INIT;

    assert(ret);
    if (!s->containers)
        return lacks(s, "containers to list", call);
    if (call_check(call) < 0 || s->containers->list(s, cursor, &page, call) < 0)
        return failed(s, call);
    if (page.cursor && cursor && strcmp(page.cursor, cursor) == 0) {
        (void)err_set(&call->err, ERR_REMOTE,
                      "the listing of containers gave the same page again and again");
        return failed(s, call);
    }
    *ret = page;
    page = (struct container_list)CONTAINER_LIST_INIT;
    return 0;
}

int store_container_stat(struct store *s, const char *container, struct container *ret,
                         struct call *call)
{
    auto_container struct container found = CONTAINER_INIT;

    assert(ret);
    if (!s->containers)
        return lacks(s, "containers", call);
    if (check_container(s, container, call) < 0)
        return -1;
    if (s->containers->stat(s, container, &found, call) < 0)
        return failed(s, call);
    *ret = found;
    found = (struct container)CONTAINER_INIT;
    return 0;
}

int store_container_create(struct store *s, const char *container,
                           const struct container *properties, struct call *call)
{
    if (!s->containers)
        return lacks(s, "containers to create", call);
    if (check_container(s, container, call) < 0)
        return -1;
    return s->containers->create(s, container, properties, call) < 0 ? failed(s, call) : 0;
}

int store_container_remove(struct store *s, const char *container, struct call *call)
{
    if (!s->containers)
        return lacks(s, "containers to remove", call);
    if (check_container(s, container, call) < 0)
        return -1;
    return s->containers->remove(s, container, call) < 0 ? failed(s, call) : 0;
}

int store_container_settings(struct store *s, const char *container, struct buf *ret_json,
                             struct call *call)
{
    assert(ret_json);
    if (!s->containers)
        return lacks(s, "container settings", call);
    if (check_container(s, container, call) < 0)
        return -1;
    return s->containers->settings(s, container, ret_json, call) < 0 ? failed(s, call) : 0;
}

int store_container_apply(struct store *s, const char *container, const char *json,
                          struct buf *ret_left, struct call *call)
{
    assert(json && ret_left);
    if (!s->containers)
        return lacks(s, "container settings", call);
    if (check_container(s, container, call) < 0)
        return -1;
    return s->containers->apply(s, container, json, ret_left, call) < 0 ? failed(s, call) : 0;
}

int store_tags_can_hold(struct store *s, const char *container, const struct pairs *tags, bool *ret,
                        struct call *call)
{
    assert(tags && ret);
    *ret = tags->count == 0;
    if (*ret || !s->tags || tags->count > s->traits.tags_max)
        return 0;
    if (check_container(s, container, call) < 0)
        return -1;
    return s->tags->can_hold(s, container, tags, ret, call) < 0 ? failed(s, call) : 0;
}

int store_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                   struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;

    assert(ret);
    if (!s->tags)
        return lacks(s, "tags", call);
    if (check_key(s, key, call) < 0)
        return -1;
    if (s->tags->get(s, key, &tags, call) < 0)
        return failed(s, call);
    *ret = tags;
    tags = (struct pairs)PAIRS_INIT;
    return 0;
}

int store_tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                   struct call *call)
{
    assert(tags);
    if (!s->tags)
        return lacks(s, "tags", call);
    if (check_key(s, key, call) < 0)
        return -1;
    return s->tags->set(s, key, tags, call) < 0 ? failed(s, call) : 0;
}

int store_tier_set(struct store *s, const struct object_key *key, const char *tier,
                   const char *priority, struct call *call)
{
    assert(tier);
    if (!s->tier)
        return lacks(s, "tiers", call);
    if (check_key(s, key, call) < 0)
        return -1;
    return s->tier->set(s, key, tier, priority, call) < 0 ? failed(s, call) : 0;
}

static int whole_range(struct store *s, const struct object_key *key, uint64_t offset,
                       uint64_t length, struct extent_list *ret, struct call *call)
{
    auto_object struct object found = OBJECT_INIT;

    if (length == STORE_TO_END) {
        if (store_stat(s, key, &found, call) < 0)
            return -1;
        length = offset < found.size ? found.size - offset : 0;
    }
    if (length)
        extent_list_add(ret, offset, length);
    return 0;
}

static bool extents_fit(const struct extent_list *l, uint64_t offset, uint64_t length)
{
    uint64_t at = offset;

    for (size_t i = 0; i < l->count; i++) {
        const struct extent *e = &l->list[i];
        if (e->offset < at || e->length == 0 || e->offset + e->length < e->offset)
            return false;
        at = e->offset + e->length;
        if (length != STORE_TO_END && at - offset > length)
            return false;
    }
    return true;
}

int store_extents(struct store *s, const struct object_key *key, const char *if_match,
                  uint64_t offset, uint64_t length, struct extent_list *ret, struct call *call)
{
    auto_extents struct extent_list found = {0};

    assert(ret);
    if (check_key(s, key, call) < 0)
        return -1;
    if (!s->extents)
        return whole_range(s, key, offset, length, ret, call);
    if (s->extents->get(s, key, if_match, offset, length, &found, call) < 0)
        return failed(s, call);
    if (!extents_fit(&found, offset, length)) {
        (void)err_set(&call->err, ERR_REMOTE, "the extents told of '%s/%s' make no sense",
                      key->container, key->name);
        return failed(s, call);
    }
    *ret = found;
    found = (struct extent_list){0};
    return 0;
}
