// SPDX-License-Identifier: EUPL-1.2
/* Page objects: writing and clearing pages, size and sequence number.  See ranges.h. */
#include <inttypes.h>

#include "object/layout.h"
#include "object/ranges.h"

/* Bodies from here on are not taken in before the conditions have been looked at once. */
#define LOOK_FIRST    (UINT64_C(256) * 1024)
#define PAGE_SIZE_MAX (UINT64_C(8) << 40)

struct page_task {
    struct service *service;
    const struct page_request *request;
    const struct piece *piece; /* NULL: clear */
    struct object_row *ret;
};

static int open_page(struct db *db, const struct place *place, const struct conditions *c,
                     enum scene_lock lock, struct scene *s, struct call *call)
{
    if (scene_find(db, place, lock, s, call) < 0 || conditions_check_write(c, s, &call->err) < 0 ||
        lease_check(&s->object, c->lease, true, s->now, &call->err) < 0)
        return -1;
    if (s->object.type != OBJECT_PAGE)
        return fault_set(&call->err, FAULT_TYPE, "'%s' is not a page object", s->object.name);
    return 0;
}

static int check_sequence(const struct page_request *r, const struct object_row *o, struct err *e)
{
    bool holds = (r->sequence_at_most < 0 || o->sequence <= r->sequence_at_most) &&
                 (r->sequence_below < 0 || o->sequence < r->sequence_below) &&
                 (r->sequence_equal < 0 || o->sequence == r->sequence_equal);

    return holds ? 0
                 : fault_set(e, FAULT_SEQUENCE_CONDITION,
                             "a condition on the sequence number %" PRId64 " of '%s' does not hold",
                             o->sequence, o->name);
}

static int check_write(struct db *db, const struct page_request *r, const struct scene *s,
                       struct call *call)
{
    const struct object_row *o = &s->object;
    struct rules rules;

    if (check_sequence(r, o, &call->err) < 0)
        return -1;
    if (r->offset + r->length > (uint64_t)o->size)
        return fault_set(&call->err, FAULT_PAGE_RANGE,
                         "the pages end at %" PRIu64 ", behind the %" PRId64 " bytes of '%s'",
                         r->offset + r->length, o->size, o->name);
    if (rules_of(db, &s->container, &rules, call) < 0)
        return -1;
    return immutable_check(o, &rules, s->now, &call->err);
}

static int page_look(struct db *db, void *argument, struct call *call)
{
    const struct page_task *task = argument;
    const struct page_request *r = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};

    if (open_page(db, &r->place, &r->conditions, SCENE_READ, &s, call) < 0)
        return -1;
    return check_write(db, r, &s, call);
}

static int page_commit(struct db *db, void *argument, struct call *call)
{
    const struct page_task *task = argument;
    const struct page_request *r = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct object_row *o = &s.object;

    if (open_page(db, &r->place, &r->conditions, SCENE_WRITE, &s, call) < 0 ||
        check_write(db, r, &s, call) < 0 || layout_make_own(db, o, call) < 0 ||
        layout_cut(task->service, db, o->layout, r->offset, r->offset + r->length, s.now, call) < 0)
        return -1;
    if (task->piece &&
        (piece_commit(db, task->piece, call) < 0 ||
         extent_add(db, o->layout, r->offset, r->length, task->piece->row.id, 0, NULL, call) < 0))
        return -1;
    body_changed(o);
    if (object_touch(db, o, s.now, call) < 0)
        return -1;
    if (task->ret)
        row_copy(&object_table, task->ret, o);
    return 0;
}

static int check_request(const struct page_request *r, struct err *e)
{
    if (r->length == 0 || r->offset % PAGE_SIZE_BYTES != 0 || r->length % PAGE_SIZE_BYTES != 0)
        return fault_set(e, FAULT_PAGE_RANGE,
                         "a range of pages begins and ends at multiples of %d bytes",
                         PAGE_SIZE_BYTES);
    if (r->offset > PAGE_SIZE_MAX || r->length > PAGE_SIZE_MAX)
        return fault_set(e, FAULT_PAGE_RANGE, "no page object is that large");
    return 0;
}

int service_write_pages(struct service *service, const struct page_request *request,
                        struct object_row *ret, struct checksums *ret_sums, struct call *call)
{
    auto_piece struct piece piece = {.row = piece_row_new()};
    struct page_task task = {service, request, request->body ? &piece : NULL, ret};

    if (check_request(request, &call->err) < 0)
        return -1;
    if (request->body) {
        if (request->length >= LOOK_FIRST &&
            service_read_index(service, page_look, &task, call) < 0)
            return -1;
        if (piece_write(service, &request->place, request->body, request->length, request->wanted,
                        &request->expected, &piece, call) < 0)
            return -1;
    }
    if (service_write(service, page_commit, &task, call) < 0) {
        piece_discard(service, &piece);
        return -1;
    }
    if (ret_sums)
        *ret_sums = piece.sums;
    return 0;
}

/* ---- Size and sequence number ---- */

struct pages_task {
    struct service *service;
    const struct place *place;
    const struct conditions *conditions;
    uint64_t resize;
    enum sequence_action action;
    int64_t sequence;
    struct object_row *ret;
};

/* What is cut off reads as zeros should the object grow again. */
static int resize(struct db *db, const struct pages_task *task, struct scene *s, struct call *call)
{
    struct object_row *o = &s->object;
    uint64_t old = (uint64_t)o->size;

    if (task->resize < old &&
        (layout_make_own(db, o, call) < 0 ||
         layout_cut(task->service, db, o->layout, task->resize, old, s->now, call) < 0))
        return -1;
    if (task->resize != old)
        body_changed(o);
    o->size = (int64_t)task->resize;
    return 0;
}

static int set_sequence(const struct pages_task *task, struct object_row *o, struct err *e)
{
    if ((task->action == SEQUENCE_MAX || task->action == SEQUENCE_UPDATE) && task->sequence < 0)
        return fault_set(e, FAULT_ARGUMENT, "a sequence number is not negative");
    switch (task->action) {
    case SEQUENCE_KEEP:
        return 0;
    case SEQUENCE_MAX:
        if (task->sequence > o->sequence)
            o->sequence = task->sequence;
        return 0;
    case SEQUENCE_UPDATE:
        o->sequence = task->sequence;
        return 0;
    case SEQUENCE_INCREMENT:
        if (o->sequence == INT64_MAX)
            return fault_set(e, FAULT_SEQUENCE_INCREMENT,
                             "the sequence number of '%s' cannot rise any more", o->name);
        o->sequence++;
        return 0;
    }
    return 0;
}

static int pages_commit(struct db *db, void *argument, struct call *call)
{
    const struct pages_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct object_row *o = &s.object;
    struct rules rules;
    bool resizes = task->resize != UINT64_MAX;

    if (open_page(db, task->place, task->conditions, SCENE_WRITE, &s, call) < 0 ||
        rules_of(db, &s.container, &rules, call) < 0)
        return -1;
    int kept = resizes ? immutable_check(o, &rules, s.now, &call->err)
                       : immutable_container_check(o, &rules, s.now, &call->err);
    if (kept < 0 || (resizes && resize(db, task, &s, call) < 0) ||
        set_sequence(task, o, &call->err) < 0 || object_touch(db, o, s.now, call) < 0)
        return -1;
    if (task->ret)
        row_copy(&object_table, task->ret, o);
    return 0;
}

int service_set_pages(struct service *service, const struct place *place,
                      const struct conditions *conditions, uint64_t resize,
                      enum sequence_action action, int64_t sequence, struct object_row *ret,
                      struct call *call)
{
    struct pages_task task = {service, place, conditions, resize, action, sequence, ret};

    if (resize != UINT64_MAX && (resize % PAGE_SIZE_BYTES != 0 || resize > PAGE_SIZE_MAX))
        return fault_set(&call->err, FAULT_ARGUMENT,
                         "the size of a page object is a multiple of %d, at most 8 TiB",
                         PAGE_SIZE_BYTES);
    return service_write(service, pages_commit, &task, call);
}
