// SPDX-License-Identifier: EUPL-1.2
/* Reading objects: see read.h. */
#include "object/read.h"

#include <inttypes.h>

#include "object/object_private.h"

void reading_release(struct reading *r)
{
    object_row_release(&r->object);
    if (r->spans != NULL)
        span_list_release(r->spans);
    free(r->spans);
    r->spans = NULL;
}

struct read_task {
    const struct place *place;
    const struct conditions *conditions;
    const struct range *range;
    struct object_row *row;
    struct reading *reading;
    bool archived; /* those too */
};

static int find_row(struct db *db, const struct read_task *task, struct object_row *ret,
                    struct call *call)
{
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    if (scene_find(db, task->place, SCENE_READ, &s, call) < 0)
        return -1;
    if (task->conditions != NULL &&
        (lease_check(&s.object, task->conditions->lease, false, s.now, &call->err) < 0 ||
         conditions_check_read(task->conditions, &s.object, &call->err) < 0)) {
        /* A 304 still tells the validators. */
        if (call->err.fault == FAULT_UNMODIFIED)
            row_copy(&object_table, ret, &s.object);
        return -1;
    }
    object_row_release(ret);
    *ret = s.object;
    s.object = object_row_new();
    return 0;
}

static int stat_read(struct db *db, void *argument, struct call *call)
{
    const struct read_task *task = argument;
    return find_row(db, task, task->row, call);
}

int service_stat(struct service *service, const struct place *place,
                 const struct conditions *conditions, struct object_row *ret, struct call *call)
{
    struct read_task task = {.place = place, .conditions = conditions, .row = ret};
    return service_read_index(service, stat_read, &task, call);
}

static int find_marker(struct db *db, void *argument, struct call *call)
{
    const struct read_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    if (scene_open(db, task->place, SCENE_READ, &s, call) < 0)
        return -1;
    if (s.object.marker != 0)
        row_copy(&object_table, task->row, &s.object);
    return 0;
}

int service_find_marker(struct service *service, const struct place *place, struct object_row *ret,
                        struct call *call)
{
    struct read_task task = {.place = place, .row = ret};
    if (service_read_index(service, find_marker, &task, call) < 0)
        return -1;
    return ret->marker != 0 ? 1 : 0;
}

/* What a range is of an object of this size. */
static int range_resolve(const struct range *range, struct reading *r, struct err *e)
{
    uint64_t size = (uint64_t)r->object.size;
    r->offset = 0;
    r->length = size;
    r->partial = false;
    if (range == NULL || range->kind == RANGE_ALL)
        return 0;
    r->partial = true;
    if (range->kind == RANGE_SUFFIX) {
        r->length = range->last < size ? range->last : size;
        r->offset = size - r->length;
    } else {
        r->offset = range->first;
        uint64_t end = range->last < size ? range->last + 1 : size;
        r->length = end > r->offset ? end - r->offset : 0;
    }
    if (r->offset >= size || r->length == 0)
        return fault_set(e, FAULT_RANGE, "the range begins behind the %" PRIu64 " bytes of '%s'",
                         size, r->object.name);
    return 0;
}

static int open_read(struct db *db, void *argument, struct call *call)
{
    const struct read_task *task = argument;
    struct reading *r = task->reading;
    if (find_row(db, task, &r->object, call) < 0)
        return -1;
    if (!task->archived && same_string(r->object.tier, "Archive"))
        return fault_set(&call->err, FAULT_ARCHIVED, "'%s' is archived", r->object.name);
    if (range_resolve(task->range, r, &call->err) < 0)
        return -1;
    if (r->spans == NULL)
        r->spans = xcalloc(1, sizeof(*r->spans));
    span_list_release(r->spans);
    return spans_find(db, r->object.layout, r->offset, r->length, r->spans, call);
}

int service_open_read(struct service *service, const struct place *place,
                      const struct conditions *conditions, const struct range *range,
                      struct reading *ret, struct call *call)
{
    struct read_task task = {
        .place = place, .conditions = conditions, .range = range, .reading = ret};
    return service_read_index(service, open_read, &task, call);
}

int service_open_archived(struct service *service, const struct place *place,
                          const struct conditions *conditions, const struct range *range,
                          struct reading *ret, struct call *call)
{
    struct read_task task = {
        .place = place, .conditions = conditions, .range = range, .reading = ret, .archived = true};
    return service_read_index(service, open_read, &task, call);
}

int service_read(struct service *service, struct reading *r, struct sink *to, struct call *call)
{
    return spans_read(service, r->spans, to, call);
}

struct outgoing *outgoing_new(struct service *service)
{
    struct outgoing *o = xcalloc(1, sizeof(*o));
    o->service = service;
    o->reading.object = object_row_new();
    return o;
}

int outgoing_produce(void *outgoing, struct sink *sink, struct call *call)
{
    struct outgoing *o = outgoing;
    return service_read(o->service, &o->reading, sink, call);
}

void outgoing_free(void *outgoing)
{
    struct outgoing *o = outgoing;
    reading_release(&o->reading);
    free(o);
}
