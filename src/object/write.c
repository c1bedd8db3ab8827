// SPDX-License-Identifier: EUPL-1.2
/* Whole bodies, and what is set on an object without its body: see write.h. */
#include <inttypes.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/hex.h"
#include "object/digest.h"
#include "object/object_private.h"
#include "object/write.h"

/* Bodies from here on are not taken in before the conditions have been looked at once. */
#define LOOK_FIRST (UINT64_C(256) * 1024)

/* Room for a row that a function may fill several times, because a write may run again. */
static void give(struct object_row *ret, const struct object_row *row)
{
    if (ret != NULL)
        row_copy(&object_table, ret, row);
}

/* The row that stands in the way, if any: also a soft-deleted one or a marker. */
static struct object_row *old_of(struct scene *s)
{
    return s->object.id != 0 ? &s->object : NULL;
}

/* ---- Put ---- */

struct put_task {
    struct service *service;
    const struct put_request *request;
    const struct piece *piece;
    struct object_row *ret;
};

static int may_write(struct scene *s, const struct conditions *conditions, struct err *e)
{
    if (conditions_check_write(conditions, s, e) < 0)
        return -1;
    if (s->found)
        return lease_check(&s->object, conditions->lease, true, s->now, e);
    if (conditions->lease != NULL)
        return fault_set(e, FAULT_LEASE_ABSENT_OPERATION, "the object is not leased");
    return 0;
}

static int look_first(struct db *db, void *argument, struct call *call)
{
    const struct put_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    return scene_open(db, &task->request->place, SCENE_READ, &s, call) < 0
               ? -1
               : may_write(&s, &task->request->conditions, &call->err);
}

static void fresh_from_request(const struct put_task *task, int64_t layout, struct object_row *o)
{
    const struct put_request *request = task->request;
    properties_set(o, request->properties);
    o->name = xstrdup(request->place.name);
    o->type = request->type;
    o->size = (int64_t)(request->type == OBJECT_PAGE ? request->page_size : request->size);
    o->layout = layout;
    if (request->keep_md5 && o->content_md5 == NULL) {
        auto_buf struct buf text = BUF_INIT(64);
        base64_encode(&text, task->piece->sums.md5, sizeof(task->piece->sums.md5));
        o->content_md5 = buf_take(&text);
    }
    const struct checksums *sums = &task->piece->sums;
    if ((sums->have & (1U << CHECKSUM_MD5)) != 0 && o->s3_etag == NULL) {
        char etag[2 * sizeof(sums->md5) + 1];
        hex_encode(etag, sums->md5, sizeof(sums->md5));
        o->s3_etag = xstrdup(etag);
    }
    if (o->checksums == NULL)
        o->checksums = checksums_json(sums, request->algorithm, NULL, NULL);
}

static int put_commit(struct db *db, void *argument, struct call *call)
{
    const struct put_task *task = argument;
    const struct put_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_object_row struct object_row fresh = object_row_new();
    struct rules rules;
    int64_t layout = index_new_id();
    if (scene_open(db, &request->place, SCENE_WRITE, &s, call) < 0 ||
        may_write(&s, &request->conditions, &call->err) < 0 ||
        rules_of(db, &s.container, &rules, call) < 0 || piece_commit(db, task->piece, call) < 0 ||
        extent_add(db, layout, 0, request->size, task->piece->row.id, 0, NULL, call) < 0)
        return -1;
    fresh_from_request(task, layout, &fresh);
    fresh.container = s.container.id;
    if (current_replace(task->service, db, &rules, old_of(&s), &fresh, s.now, call) < 0 ||
        blocks_purge(task->service, db, s.container.id, request->place.name, "", s.now, call) < 0)
        return -1;
    give(task->ret, &fresh);
    return 0;
}

int service_put(struct service *service, const struct put_request *request, struct object_row *ret,
                struct checksums *ret_sums, struct call *call)
{
    auto_piece struct piece piece = {.row = piece_row_new()};
    struct put_task task = {service, request, &piece, ret};
    unsigned wanted = request->wanted | (request->keep_md5 ? 1U << CHECKSUM_MD5 : 0);
    if (request->size >= LOOK_FIRST && service_read_index(service, look_first, &task, call) < 0)
        return -1;
    if (piece_write(service, &request->place, request->body, request->size, wanted,
                    &request->expected, &piece, call) < 0)
        return -1;
    if (service_write(service, put_commit, &task, call) < 0) {
        piece_discard(service, &piece);
        return -1;
    }
    if (ret_sums != NULL)
        *ret_sums = piece.sums;
    return 0;
}

/* ---- Changes without a body ---- */

struct change_task {
    struct service *service;
    const struct place *place;
    const struct conditions *conditions;
    const struct object_row *properties;
    const char *text;
    int64_t time;
    bool pending;
    const char *waking; /* what is kept of a tier that wakes it */
    struct object_row *ret;
    struct object_row *ret_current; /* of what a snapshot was made of */
};

/* The scene of a change: the object is there, conditions and lease permit it. */
static int change_open(struct db *db, const struct change_task *task, struct scene *s,
                       struct rules *rules, struct call *call)
{
    if (scene_find(db, task->place, SCENE_WRITE, s, call) < 0 ||
        may_write(s, task->conditions, &call->err) < 0)
        return -1;
    return rules_of(db, &s->container, rules, call);
}

static int change_headers(struct db *db, void *argument, struct call *call)
{
    const struct change_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct rules rules;
    struct object_row *o = &s.object;
    if (change_open(db, task, &s, &rules, call) < 0 ||
        immutable_container_check(o, &rules, s.now, &call->err) < 0)
        return -1;
    const struct object_row *p = task->properties;
    replace_string(&o->content_type, p->content_type);
    replace_string(&o->content_encoding, p->content_encoding);
    replace_string(&o->content_language, p->content_language);
    replace_string(&o->content_disposition, p->content_disposition);
    replace_string(&o->cache_control, p->cache_control);
    replace_string(&o->content_md5, p->content_md5);
    if (object_touch(db, o, s.now, call) < 0)
        return -1;
    give(task->ret, o);
    return 0;
}

int service_set_headers(struct service *service, const struct place *place,
                        const struct conditions *conditions, const struct object_row *properties,
                        struct object_row *ret, struct call *call)
{
    struct change_task task = {.service = service,
                               .place = place,
                               .conditions = conditions,
                               .properties = properties,
                               .ret = ret};
    return service_write(service, change_headers, &task, call);
}

/* With versioning on, the old metadata stays with an earlier version that shares the layout. */
static int change_metadata(struct db *db, void *argument, struct call *call)
{
    const struct change_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct rules rules;
    struct object_row *o = &s.object;
    if (change_open(db, task, &s, &rules, call) < 0 ||
        immutable_container_check(o, &rules, s.now, &call->err) < 0)
        return -1;
    if (rules.versioning != VERSIONING_ON) {
        replace_string(&o->metadata, task->text);
        if (object_touch(db, o, s.now, call) < 0)
            return -1;
        give(task->ret, o);
        return 0;
    }
    auto_object_row struct object_row fresh = object_row_new();
    row_copy(&object_table, &fresh, o);
    replace_string(&fresh.metadata, task->text);
    if (current_replace(task->service, db, &rules, o, &fresh, s.now, call) < 0)
        return -1;
    give(task->ret, &fresh);
    return 0;
}

int service_set_metadata(struct service *service, const struct place *place,
                         const struct conditions *conditions, const char *metadata,
                         struct object_row *ret, struct call *call)
{
    struct change_task task = {
        .service = service, .place = place, .conditions = conditions, .text = metadata, .ret = ret};
    return service_write(service, change_metadata, &task, call);
}

static int change_tags(struct db *db, void *argument, struct call *call)
{
    const struct change_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct rules rules;
    if (change_open(db, task, &s, &rules, call) < 0)
        return -1;
    replace_string(&s.object.tags, task->text);
    return row_update(db, &object_table, &s.object, call) < 0 ? -1
                                                              : tags_index(db, &s.object, call);
}

int service_set_tags(struct service *service, const struct place *place,
                     const struct conditions *conditions, const char *tags, struct call *call)
{
    struct change_task task = {
        .service = service, .place = place, .conditions = conditions, .text = tags};
    return service_write(service, change_tags, &task, call);
}

static int change_tier(struct db *db, void *argument, struct call *call)
{
    struct change_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct rules rules;
    struct object_row *o = &s.object;
    if (change_open(db, task, &s, &rules, call) < 0)
        return -1;
    bool page_tier = task->text[0] == 'P'; /* P4 to P80, Premium */
    if (o->type == OBJECT_APPEND || (o->type == OBJECT_PAGE) != page_tier)
        return fault_set(&call->err, FAULT_TYPE, "'%s' is of a type without the tier '%s'", o->name,
                         task->text);
    task->pending = same_string(o->tier, "Archive") && strcmp(task->text, "Archive") != 0;
    if (task->pending && !o->current)
        return fault_set(&call->err, FAULT_TIER,
                         "an archived snapshot or version of '%s' is not woken, but copied",
                         o->name);
    replace_string(&o->tier, task->text);
    replace_string(&o->waking, task->pending ? task->waking : NULL);
    o->tier_changed = s.now;
    return row_update(db, &object_table, o, call);
}

int service_set_tier(struct service *service, const struct place *place,
                     const struct conditions *conditions, const char *tier, const char *waking,
                     bool *ret_pending, struct call *call)
{
    struct change_task task = {.service = service,
                               .place = place,
                               .conditions = conditions,
                               .text = tier,
                               .waking = waking};
    if (service_write(service, change_tier, &task, call) < 0)
        return -1;
    *ret_pending = task.pending;
    return 0;
}

static int change_expiry(struct db *db, void *argument, struct call *call)
{
    const struct change_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct rules rules;
    if (change_open(db, task, &s, &rules, call) < 0 ||
        immutable_check(&s.object, &rules, s.now, &call->err) < 0)
        return -1;
    if (task->time != TIME_UNKNOWN && task->time <= s.now)
        return fault_set(&call->err, FAULT_ARGUMENT, "an expiry time lies in the past");
    s.object.goes_at = task->time;
    if (object_touch(db, &s.object, s.now, call) < 0)
        return -1;
    give(task->ret, &s.object);
    return 0;
}

int service_set_expiry(struct service *service, const struct place *place,
                       const struct conditions *conditions, int64_t goes_at, struct object_row *ret,
                       struct call *call)
{
    struct change_task task = {
        .service = service, .place = place, .conditions = conditions, .time = goes_at, .ret = ret};
    return service_write(service, change_expiry, &task, call);
}

/* ---- Snapshots ---- */

/* The same object once more, as the version that is current from now on. */
static int make_version(struct db *db, struct scene *s, struct call *call)
{
    auto_object_row struct object_row fresh = object_row_new();
    /* Snapshots and versions share one name space, and this moment is the snapshot's. */
    int64_t moment = s->now + 100;

    row_copy(&object_table, &fresh, &s->object);
    fresh.id = index_new_id();
    fresh.versioned = 1;
    fresh.modified = moment;
    free(fresh.version);
    fresh.version = version_of(moment);
    free(fresh.etag);
    fresh.etag = etag_of(moment);
    if (current_retire(db, &s->object, OBJECT_VERSION, call) < 0 ||
        row_insert(db, &object_table, &fresh, call) < 0 || tags_index(db, &fresh, call) < 0)
        return -1;
    row_copy(&object_table, &s->object, &fresh);
    return 0;
}

static int make_snapshot(struct db *db, void *argument, struct call *call)
{
    const struct change_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_object_row struct object_row snapshot = object_row_new();
    struct object_row *o = &snapshot;
    struct rules rules;
    if (scene_find(db, task->place, SCENE_WRITE, &s, call) < 0 ||
        conditions_check_write(task->conditions, &s, &call->err) < 0 ||
        lease_check(&s.object, task->conditions->lease, false, s.now, &call->err) < 0 ||
        rules_of(db, &s.container, &rules, call) < 0)
        return -1;
    row_copy(&object_table, o, &s.object);
    o->id = index_new_id();
    o->current = 0;
    o->state = OBJECT_SNAPSHOT;
    free(o->version);
    o->version = version_of(s.now);
    replace_string(&o->lease_id, NULL);
    o->lease_state = LEASE_NONE;
    o->lease_until = TIME_UNKNOWN;
    if (task->text != NULL)
        replace_string(&o->metadata, task->text);
    if (row_insert(db, &object_table, o, call) < 0 ||
        (rules.versioning == VERSIONING_ON && make_version(db, &s, call) < 0))
        return -1;
    give(task->ret, o);
    give(task->ret_current, &s.object);
    return 0;
}

int service_snapshot(struct service *service, const struct place *place,
                     const struct conditions *conditions, const char *metadata,
                     struct object_row *ret, struct object_row *ret_current, struct call *call)
{
    struct change_task task = {.service = service,
                               .place = place,
                               .conditions = conditions,
                               .text = metadata,
                               .ret = ret,
                               .ret_current = ret_current};
    return service_write(service, make_snapshot, &task, call);
}
