// SPDX-License-Identifier: EUPL-1.2
/* Append objects: see ranges.h. */
#include <inttypes.h>

#include "object/layout.h"
#include "object/ranges.h"

/* Bodies from here on are not taken in before the conditions have been looked at once. */
#define LOOK_FIRST (UINT64_C(256) * 1024)

struct append_task {
    struct service *service;
    const struct append_request *request;
    const struct piece *piece; /* NULL: only look */
    uint64_t offset;
    struct object_row *ret;
};

/* The object as it must be to be appended to or sealed. */
static int open_append(struct db *db, const struct place *place, const struct conditions *c,
                       enum scene_lock lock, struct scene *s, struct call *call)
{
    if (scene_find(db, place, lock, s, call) < 0 || conditions_check_write(c, s, &call->err) < 0 ||
        lease_check(&s->object, c->lease, true, s->now, &call->err) < 0)
        return -1;
    if (s->object.type != OBJECT_APPEND)
        return fault_set(&call->err, FAULT_TYPE, "'%s' is not an append object", s->object.name);
    return 0;
}

static int check_position(const struct object_row *o, bool asked, uint64_t position, struct err *e)
{
    if (!asked || (uint64_t)o->size == position)
        return 0;
    return fault_set(e, FAULT_APPEND_POSITION,
                     "'%s' is %" PRId64 " bytes long, not %" PRIu64 " as the request says", o->name,
                     o->size, position);
}

/* A container's policy may let its objects grow all the same. */
static int check_may_grow(struct db *db, const struct scene *s, struct call *call)
{
    struct rules rules;

    if (rules_of(db, &s->container, &rules, call) < 0)
        return -1;
    if (rules.protected_append)
        rules.immutable_days = 0;
    return immutable_check(&s->object, &rules, s->now, &call->err);
}

static int check_append(struct db *db, const struct append_request *request, const struct scene *s,
                        struct call *call)
{
    const struct object_row *o = &s->object;

    if (check_position(o, request->has_position, request->position, &call->err) < 0)
        return -1;
    if (request->has_size_max && (uint64_t)o->size + request->size > request->size_max)
        return fault_set(&call->err, FAULT_SIZE_CONDITION,
                         "'%s' would grow beyond %" PRIu64 " bytes", o->name, request->size_max);
    if (o->sealed)
        return fault_set(&call->err, FAULT_SEALED, "'%s' is sealed", o->name);
    if (o->blocks >= APPEND_BLOCKS_MAX)
        return fault_set(&call->err, FAULT_BLOCK_COUNT, "'%s' has %d blocks already", o->name,
                         APPEND_BLOCKS_MAX);
    return check_may_grow(db, s, call);
}

static int append_look(struct db *db, void *argument, struct call *call)
{
    const struct append_task *task = argument;
    const struct append_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};

    if (open_append(db, &request->place, &request->conditions, SCENE_READ, &s, call) < 0)
        return -1;
    return check_append(db, request, &s, call);
}

static int append_commit(struct db *db, void *argument, struct call *call)
{
    struct append_task *task = argument;
    const struct append_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct object_row *o = &s.object;

    if (open_append(db, &request->place, &request->conditions, SCENE_WRITE, &s, call) < 0 ||
        check_append(db, request, &s, call) < 0 || piece_commit(db, task->piece, call) < 0 ||
        layout_make_growable(task->service, db, o, s.now, call) < 0 ||
        extent_add(db, o->layout, (uint64_t)o->size, request->size, task->piece->row.id, 0, NULL,
                   call) < 0)
        return -1;
    task->offset = (uint64_t)o->size;
    o->size += (int64_t)request->size;
    o->blocks++;
    body_changed(o);
    if (object_touch(db, o, s.now, call) < 0)
        return -1;
    if (task->ret)
        row_copy(&object_table, task->ret, o);
    return 0;
}

int service_append(struct service *service, const struct append_request *request,
                   uint64_t *ret_offset, struct object_row *ret, struct checksums *ret_sums,
                   struct call *call)
{
    auto_piece struct piece piece = {.row = piece_row_new()};
    struct append_task task = {.service = service, .request = request, .piece = &piece, .ret = ret};

    if (request->size == 0)
        return fault_set(&call->err, FAULT_ARGUMENT, "there is nothing to append");
    if (request->size >= LOOK_FIRST && service_read_index(service, append_look, &task, call) < 0)
        return -1;
    if (piece_write(service, &request->place, request->body, request->size, request->wanted,
                    &request->expected, &piece, call) < 0)
        return -1;
    if (service_write(service, append_commit, &task, call) < 0) {
        piece_discard(service, &piece);
        return -1;
    }
    *ret_offset = task.offset;
    if (ret_sums)
        *ret_sums = piece.sums;
    return 0;
}

/* ---- Sealing ---- */

struct seal_task {
    const struct place *place;
    const struct conditions *conditions;
    bool has_position;
    uint64_t position;
    struct object_row *ret;
};

/* Sealing what is sealed changes nothing. */
static int seal_commit(struct db *db, void *argument, struct call *call)
{
    const struct seal_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct object_row *o = &s.object;

    if (open_append(db, task->place, task->conditions, SCENE_WRITE, &s, call) < 0 ||
        check_position(o, task->has_position, task->position, &call->err) < 0)
        return -1;
    if (!o->sealed) {
        o->sealed = 1;
        if (object_touch(db, o, s.now, call) < 0)
            return -1;
    }
    if (task->ret)
        row_copy(&object_table, task->ret, o);
    return 0;
}

int service_seal(struct service *service, const struct place *place,
                 const struct conditions *conditions, bool has_position, uint64_t position,
                 struct object_row *ret, struct call *call)
{
    struct seal_task task = {place, conditions, has_position, position, ret};

    return service_write(service, seal_commit, &task, call);
}
