// SPDX-License-Identifier: EUPL-1.2
/* Leases of objects and containers, in the index: see lease.h. */
#include "object/lease.h"

#include "object/lease_state.h"
#include "object/object_private.h"

void lease_result_release(struct lease_result *r)
{
    free(r->id);
    free(r->etag);
    *r = (struct lease_result){0};
}

int lease_check(const struct object_row *o, const char *id, bool write, int64_t now, struct err *e)
{
    struct lease l = {o->lease_id, o->lease_state, o->lease_seconds, o->lease_until};

    return lease_permits(&l, id, write, o->name, now, e);
}

int lease_check_container(const struct container_row *c, const char *id, bool write, int64_t now,
                          struct err *e)
{
    struct lease l = {c->lease_id, c->lease_state, c->lease_seconds, c->lease_until};

    return lease_permits(&l, id, write, c->name, now, e);
}

struct lease_task {
    const struct lease_request *request;
    struct lease_result *ret;
};

/* A write may run again: what an earlier run left is released. */
static void give(const struct lease_task *task, const char *id, int64_t remaining, const char *etag,
                 int64_t modified)
{
    bool tells = task->request->action != LEASE_RELEASE && task->request->action != LEASE_BREAK;

    lease_result_release(task->ret);
    *task->ret = (struct lease_result){.id = tells ? xstrdup_null(id) : NULL,
                                       .remaining = remaining,
                                       .etag = xstrdup_null(etag),
                                       .modified = modified};
}

static int lease_object(struct db *db, void *argument, struct call *call)
{
    const struct lease_task *task = argument;
    const struct lease_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct object_row *o = &s.object;
    int64_t remaining;

    if (scene_find(db, &request->place, SCENE_WRITE, &s, call) < 0 ||
        conditions_check_write(&request->conditions, &s, &call->err) < 0)
        return -1;
    auto_lease struct lease l = {take(o->lease_id), o->lease_state, o->lease_seconds,
                                 o->lease_until};
    if (lease_apply(&l, request, o->name, s.now, &remaining, &call->err) < 0)
        return -1;
    o->lease_id = take(l.id);
    o->lease_state = l.state;
    o->lease_seconds = l.seconds;
    o->lease_until = l.until;
    if (row_update(db, &object_table, o, call) < 0)
        return -1;
    give(task, o->lease_id, remaining, o->etag, o->modified);
    return 0;
}

static int lease_container(struct db *db, void *argument, struct call *call)
{
    const struct lease_task *task = argument;
    const struct lease_request *request = task->request;
    auto_container_row struct container_row c = container_row_new();
    int64_t now, remaining;

    if (index_now(db, &now, call) < 0 ||
        container_find(db, request->place.account, request->place.container, true, &c, call) < 0 ||
        conditions_check_container(&request->conditions, &c, false, &call->err) < 0)
        return -1;
    auto_lease struct lease l = {take(c.lease_id), c.lease_state, c.lease_seconds, c.lease_until};
    if (lease_apply(&l, request, c.name, now, &remaining, &call->err) < 0)
        return -1;
    c.lease_id = take(l.id);
    c.lease_state = l.state;
    c.lease_seconds = l.seconds;
    c.lease_until = l.until;
    if (row_update(db, &container_table, &c, call) < 0)
        return -1;
    give(task, c.lease_id, remaining, c.etag, c.modified);
    return 0;
}

int service_lease(struct service *service, const struct lease_request *request,
                  struct lease_result *ret, struct call *call)
{
    auto_lease_result struct lease_result result = {0};
    struct lease_task task = {request, &result};

    if (request->place.name && request->place.kind != VERSION_CURRENT)
        return fault_set(&call->err, FAULT_ON_SNAPSHOT,
                         "'%s': only the object itself can be leased, no snapshot or version",
                         request->place.name);
    if (service_write(service, request->place.name ? lease_object : lease_container, &task, call) <
        0)
        return -1;
    *ret = result;
    result = (struct lease_result){0};
    return 0;
}
