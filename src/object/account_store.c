// SPDX-License-Identifier: EUPL-1.2
/* An account as a store to be read: see account_store.h. */
#include "object/account_store.h"

#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "object/account_settings.h"
#include "object/container.h"
#include "object/list.h"
#include "object/object_private.h"
#include "object/ranges.h"
#include "object/read.h"
#include "object/tags.h"

#define PAGE         2000
#define EXTENTS_PAGE 1000

struct account_store {
    struct store store;
    struct service *service;
    char *account;
};

static struct account_store *account_of(struct store *s)
{
    return container_of(s, struct account_store, store);
}

static struct place place_of(const struct account_store *a, const struct object_key *key)
{
    return (struct place){.account = a->account,
                          .container = key->container,
                          .name = key->name,
                          .kind = key->kind,
                          .version = key->version};
}

/* ---- A row in the words of stores ---- */

static enum version_kind kind_of(const struct object_row *o)
{
    return o->deleted != TIME_UNKNOWN    ? VERSION_DELETED
           : o->marker                   ? VERSION_MARKER
           : o->state == OBJECT_SNAPSHOT ? VERSION_SNAPSHOT
           : o->current                  ? VERSION_CURRENT
                                         : VERSION_ID;
}

static void set_md5(struct object *ret, const char *base64)
{
    auto_buf struct buf bytes = BUF_INIT(64);
    struct err ignored = {0};

    if (base64 && base64_decode(base64, strlen(base64), &bytes, &ignored) == 0 &&
        bytes.length == checksum_size(CHECKSUM_MD5))
        checksum_set(&ret->stored, CHECKSUM_MD5, bytes.data);
}

static void set_retention(struct object *ret, const struct object_row *o)
{
    char until[DATE_TEXT];

    ret->legal_hold = o->legal_hold != 0;
    if (o->immutable_until == TIME_UNKNOWN || !o->immutable_mode)
        return;
    date_iso8601(until, sizeof(until), o->immutable_until, 7);
    ret->immutable_until = xstrdup(until);
    ret->immutable_mode = xstrdup(o->immutable_mode);
}

static void set_headers(struct object *ret, const struct object_row *o)
{
    ret->content_type = xstrdup_null(o->content_type);
    ret->content_encoding = xstrdup_null(o->content_encoding);
    ret->content_language = xstrdup_null(o->content_language);
    ret->content_disposition = xstrdup_null(o->content_disposition);
    ret->cache_control = xstrdup_null(o->cache_control);
    ret->expires = xstrdup_null(o->expires);
}

static int fill(struct object *ret, const struct object_row *o, struct err *e)
{
    const char *folder;

    ret->kind = kind_of(o);
    ret->version = ret->kind == VERSION_CURRENT && !o->versioned ? NULL : xstrdup_null(o->version);
    ret->is_latest = o->current != 0;
    ret->size = (uint64_t)o->size;
    ret->etag = xstrdup_null(o->etag);
    ret->type = (enum object_type)o->type;
    ret->created = o->created;
    ret->modified = o->modified;
    ret->deleted = o->deleted;
    set_headers(ret, o);
    set_md5(ret, o->content_md5);
    if (o->metadata && pairs_from_json(o->metadata, &ret->metadata, e) < 0)
        return err_prefix(e, "metadata of '%s'", o->name);
    if (o->tags && pairs_from_json(o->tags, &ret->tags, e) < 0)
        return err_prefix(e, "tags of '%s'", o->name);
    ret->tag_count = (unsigned)ret->tags.count;
    ret->tier = xstrdup_null(o->tier);
    ret->sequence = (uint64_t)o->sequence;
    ret->leased = o->lease_state == LEASE_TAKEN;
    set_retention(ret, o);
    folder = pairs_get_nocase(&ret->metadata, "hdi_isfolder");
    ret->is_folder = folder && strcasecmp(folder, "true") == 0;
    return 0;
}

/* ---- Objects ---- */

static int account_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    const struct account_store *a = account_of(s);
    auto_account_row struct account_row row = account_row_new();

    *ret_clock_ahead = 0;
    return service_account_fresh(a->service, a->account, &row, call);
}

static int account_stat(struct store *s, const struct object_key *key, struct object *ret,
                        struct call *call)
{
    struct account_store *a = account_of(s);
    const struct place place = place_of(a, key);
    auto_object_row struct object_row row = object_row_new();

    return service_stat(a->service, &place, NULL, &row, call) < 0 ? -1
                                                                  : fill(ret, &row, &call->err);
}

static int account_get(struct store *s, const struct object_key *key,
                       const struct get_options *options, struct sink *to, struct object *ret,
                       enum transport_check *ret_check, struct call *call)
{
    struct account_store *a = account_of(s);
    const struct place place = place_of(a, key);
    struct conditions conditions = CONDITIONS_INIT;
    const bool whole = options->offset == 0 && options->length == STORE_TO_END;
    const struct range range = {.kind = whole ? RANGE_ALL : RANGE_FROM,
                                .first = options->offset,
                                .last = options->length == STORE_TO_END
                                            ? UINT64_MAX
                                            : options->offset + options->length - 1};
    auto_reading struct reading reading = {.object = object_row_new()};

    conditions.if_match = options->if_match;
    if (service_open_archived(a->service, &place, &conditions, &range, &reading, call) < 0)
        return -1;
    if (ret && fill(ret, &reading.object, &call->err) < 0)
        return -1;
    if (ret_check)
        *ret_check = TRANSPORT_LENGTH;
    return service_read(a->service, &reading, to, call);
}

static int add_rows(const struct listing *rows, struct object_list *ret, struct err *e)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct listing_entry *entry = &rows->list[i];
        if (entry->prefix) {
            object_list_add_prefix(ret, entry->prefix);
            continue;
        }
        struct object *o = object_list_add(ret);
        o->name = xstrdup(entry->object.name);
        if (fill(o, &entry->object, e) < 0)
            return -1;
    }
    return 0;
}

static int account_list(struct store *s, const char *container, const struct list_options *options,
                        struct object_list *ret, struct call *call)
{
    static const struct {
        enum list_include asked;
        enum listing_include include;
    } words[] = {{LIST_SNAPSHOTS, LISTING_SNAPSHOTS},
                 {LIST_VERSIONS, LISTING_VERSIONS},
                 {LIST_DELETED, LISTING_DELETED}};
    const struct account_store *a = account_of(s);
    struct listing_options wanted = {
        .prefix = options->prefix,
        .delimiter = options->delimiter,
        .marker = options->cursor,
        .limit = options->limit && options->limit < PAGE ? options->limit : PAGE};
    auto_listing struct listing rows = {0};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (options->include & words[i].asked)
            wanted.include |= words[i].include;
    if (service_list(a->service, a->account, container, &wanted, &rows, call) < 0 ||
        add_rows(&rows, ret, &call->err) < 0)
        return -1;
    ret->cursor = take(rows.next);
    return 0;
}

static int account_sync(struct store *s, struct call *call)
{
    (void)s;
    (void)call;
    return 0;
}

static void account_close(struct store *s)
{
    struct account_store *a = account_of(s);

    free(a->account);
    store_release(s);
    free(a);
}

/* ---- What is not done here ---- */

static int refuse(const struct store *s, struct call *call)
{
    return err_set(&call->err, ERR_DENIED, "'%s' is only read here: write to it through a gateway",
                   s->name);
}

static int account_put(struct store *s, const struct object_key *key,
                       const struct put_options *options, struct source *from,
                       struct put_result *ret, struct call *call)
{
    (void)key, (void)options, (void)from, (void)ret;
    return refuse(s, call);
}

static int account_remove(struct store *s, const struct object_key *key, const char *if_match,
                          struct call *call)
{
    (void)key, (void)if_match;
    return refuse(s, call);
}

static int account_upload_begin(struct store *s, const struct object_key *key,
                                const struct put_options *options, char **ret_id, struct call *call)
{
    (void)key, (void)options, (void)ret_id;
    return refuse(s, call);
}

static int account_upload_part(struct store *s, const struct object_key *key, const char *id,
                               uint32_t number, const struct part_options *options,
                               struct source *from, struct part_result *ret, struct call *call)
{
    (void)key, (void)id, (void)number, (void)options, (void)from, (void)ret;
    return refuse(s, call);
}

static int account_upload_commit(struct store *s, const struct object_key *key, const char *id,
                                 const struct part_result *parts, uint32_t count,
                                 const struct put_options *options, struct put_result *ret,
                                 struct call *call)
{
    (void)key, (void)id, (void)parts, (void)count, (void)options, (void)ret;
    return refuse(s, call);
}

static int account_upload_abort(struct store *s, const struct object_key *key, const char *id,
                                struct call *call)
{
    (void)key, (void)id;
    return refuse(s, call);
}

static int account_copy(struct store *s, const struct object_key *from, const char *if_match,
                        const struct object_key *to, const struct put_options *options,
                        struct put_result *ret, struct call *call)
{
    (void)from, (void)if_match, (void)to, (void)options, (void)ret;
    return refuse(s, call);
}

static const struct store_ops account_ops = {
    .reach = account_reach,
    .stat = account_stat,
    .get = account_get,
    .put = account_put,
    .remove = account_remove,
    .list = account_list,
    .upload_begin = account_upload_begin,
    .upload_part = account_upload_part,
    .upload_commit = account_upload_commit,
    .upload_abort = account_upload_abort,
    .copy = account_copy,
    .sync = account_sync,
    .close = account_close,
};

/* ---- Containers ---- */

static int fill_container(struct container *ret, const struct container_row *row, struct err *e)
{
    ret->name = xstrdup(row->name);
    ret->etag = xstrdup_null(row->etag);
    ret->modified = row->modified;
    ret->access = xstrdup(row->access ? row->access : "private");
    ret->deleted = row->deleted != TIME_UNKNOWN;
    ret->version = xstrdup_null(row->deleted_version);
    return row->metadata && pairs_from_json(row->metadata, &ret->metadata, e) < 0
               ? err_prefix(e, "metadata of container '%s'", row->name)
               : 0;
}

static int containers_list(struct store *s, const char *cursor, struct container_list *ret,
                           struct call *call)
{
    const struct account_store *a = account_of(s);
    auto_container_rows struct container_rows rows = {0};

    if (service_container_list(a->service, a->account, NULL, cursor, PAGE, true, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        if (fill_container(container_list_add(ret), &rows.list[i], &call->err) < 0)
            return -1;
    ret->cursor = take(rows.next);
    return 0;
}

struct rules_task {
    const struct container_row *row;
    struct rules rules;
};

static int rules_read(struct db *db, void *argument, struct call *call)
{
    struct rules_task *task = argument;

    return rules_of(db, task->row, &task->rules, call);
}

static int containers_stat(struct store *s, const char *container, struct container *ret,
                           struct call *call)
{
    const struct account_store *a = account_of(s);
    auto_container_row struct container_row row = container_row_new();
    struct rules_task task = {.row = &row};

    if (service_container_get(a->service, a->account, container, NULL, &row, call) < 0 ||
        service_read_index(a->service, rules_read, &task, call) < 0)
        return -1;
    ret->versioning = task.rules.versioning == VERSIONING_ON;
    return fill_container(ret, &row, &call->err);
}

static int containers_settings(struct store *s, const char *container, struct buf *ret_json,
                               struct call *call)
{
    const struct account_store *a = account_of(s);
    auto_container_row struct container_row row = container_row_new();
    auto_account_row struct account_row account = account_row_new();

    return service_container_get(a->service, a->account, container, NULL, &row, call) < 0 ||
                   service_account_fresh(a->service, a->account, &account, call) < 0
               ? -1
               : account_settings_write(&account, &row, ret_json, &call->err);
}

static int containers_create(struct store *s, const char *container,
                             const struct container *properties, struct call *call)
{
    (void)container, (void)properties;
    return refuse(s, call);
}

static int containers_remove(struct store *s, const char *container, struct call *call)
{
    (void)container;
    return refuse(s, call);
}

static int containers_apply(struct store *s, const char *container, const char *json,
                            struct buf *ret_left, struct call *call)
{
    (void)container, (void)json, (void)ret_left;
    return refuse(s, call);
}

static const struct container_ops account_containers = {
    .list = containers_list,
    .stat = containers_stat,
    .create = containers_create,
    .remove = containers_remove,
    .settings = containers_settings,
    .apply = containers_apply,
};

/* ---- Tags and holes ---- */

/* Nothing is put here. */
static int tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                         bool *ret, struct call *call)
{
    (void)s, (void)container, (void)tags, (void)call;
    *ret = false;
    return 0;
}

static int tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                    struct call *call)
{
    auto_object struct object o = OBJECT_INIT;

    if (account_stat(s, key, &o, call) < 0)
        return -1;
    *ret = o.tags;
    o.tags = (struct pairs)PAIRS_INIT;
    return 0;
}

static int tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                    struct call *call)
{
    (void)key, (void)tags;
    return refuse(s, call);
}

static const struct tag_ops account_tags = {
    .can_hold = tags_can_hold, .get = tags_get, .set = tags_set};

static int extents_get(struct store *s, const struct object_key *key, const char *if_match,
                       uint64_t offset, uint64_t length, struct extent_list *ret, struct call *call)
{
    const struct account_store *a = account_of(s);
    const struct place place = place_of(a, key);
    struct conditions conditions = CONDITIONS_INIT;
    uint64_t end = offset + length;

    conditions.if_match = if_match;
    while (offset < end) {
        auto_page_ranges struct page_ranges ranges = {.object = object_row_new()};
        if (service_page_ranges(a->service, &place, &conditions, offset, end - offset, NULL,
                                EXTENTS_PAGE, &ranges, call) < 0)
            return -1;
        for (size_t i = 0; i < ranges.count; i++)
            extent_list_add(ret, ranges.list[i].first,
                            ranges.list[i].last + 1 - ranges.list[i].first);
        offset = ranges.next;
    }
    return 0;
}

static const struct extent_ops account_extents = {.get = extents_get};

/* ---- Opening ---- */

struct store *account_store_open(struct service *service, const char *account)
{
    struct account_store *a = xcalloc(1, sizeof(*a));
    auto_free char *name = xasprintf("gateway/%s", account);
    auto_free char *identity =
        xasprintf("gateway:%s/%s", index_name(service_index(service)), account);

    store_init(&a->store, &account_ops, name, identity);
    a->store.traits = (struct store_traits){
        .driver = "gateway",
        .metadata_keeps_case = true,
        .holds_type = true,
        .holds_tier = true,
        .lists_in_order = true,
    };
    a->store.containers = &account_containers;
    a->store.tags = &account_tags;
    a->store.extents = &account_extents;
    a->service = service;
    a->account = xstrdup(account);
    return &a->store;
}
