// SPDX-License-Identifier: EUPL-1.2
/* Deleting and bringing back: see write.h. */
#include <string.h>

#include "object/object_private.h"
#include "object/write.h"

void delete_result_release(struct delete_result *r)
{
    free(r->version);
}

struct delete_task {
    struct service *service;
    const struct delete_request *request;
    struct delete_result *ret;
};

/* What the steps of one deletion share. */
struct deletion {
    struct service *service;
    struct db *db;
    struct scene *scene;
    struct rules rules;
    struct delete_result *ret;
};

/* Soft-delete, or purge where nothing is kept. */
static int put_away(struct deletion *d, struct object_row *o, bool permanently, struct call *call)
{
    if (immutable_check(o, &d->rules, d->scene->now, &call->err) < 0)
        return -1;
    if (d->rules.delete_retention > 0 && !permanently) {
        d->ret->kept = true;
        return object_soft_delete(d->db, &d->rules, o, d->scene->now, call);
    }
    return object_purge(d->service, d->db, o, d->scene->now, call);
}

/* The next live snapshot of the name: 1, 0, -1. */
static int next_snapshot(struct deletion *d, const char *name, struct object_row *ret,
                         struct call *call)
{
    struct db_statement *find;
    if (select_rows(d->db, &object_table,
                    "WHERE container = ?1 AND name = ?2 AND current = 0 AND state = 1 AND deleted "
                    "IS NULL LIMIT 1",
                    &find, call) < 0)
        return -1;
    db_bind_int(find, 1, d->scene->container.id);
    bind_name(find, 2, name);
    return select_one(&object_table, find, ret, call);
}

static int delete_snapshots(struct deletion *d, const char *name, struct call *call)
{
    for (;;) {
        auto_object_row struct object_row snapshot = object_row_new();
        int found = next_snapshot(d, name, &snapshot, call);
        if (found <= 0)
            return found;
        if (put_away(d, &snapshot, false, call) < 0)
            return -1;
    }
}

static int add_marker(struct deletion *d, const char *name, struct object_row *old,
                      struct call *call)
{
    auto_object_row struct object_row marker = object_row_new();
    marker.container = d->scene->container.id;
    marker.name = xstrdup(name);
    marker.marker = 1;
    if (current_replace(d->service, d->db, &d->rules, old, &marker, d->scene->now, call) < 0)
        return -1;
    d->ret->marker = true;
    d->ret->kept = true;
    replace_string(&d->ret->version, marker.versioned != 0 ? marker.version : "null");
    return 0;
}

static int delete_current(struct deletion *d, const struct delete_request *request,
                          struct call *call)
{
    struct scene *s = d->scene;
    const char *name = request->place.name;
    bool versions = d->rules.versioning != VERSIONING_OFF;
    if (request->make_marker && versions)
        return add_marker(d, name, s->object.id != 0 ? &s->object : NULL, call);
    if (!s->found)
        return fault_set(&call->err, FAULT_OBJECT_MISSING, "no object '%s'", name);
    auto_object_row struct object_row snapshot = object_row_new();
    int snapshots = next_snapshot(d, name, &snapshot, call);
    if (snapshots < 0)
        return -1;
    if (snapshots > 0 && request->snapshots == DELETE_REFUSE)
        return fault_set(&call->err, FAULT_SNAPSHOTS_PRESENT, "'%s' has snapshots", name);
    if (snapshots > 0 && delete_snapshots(d, name, call) < 0)
        return -1;
    if (request->snapshots == DELETE_ONLY)
        return 0;
    if (d->rules.versioning == VERSIONING_ON || s->object.versioned != 0) {
        if (immutable_check(&s->object, &d->rules, s->now, &call->err) < 0)
            return -1;
        d->ret->kept = true;
        return current_retire(d->db, &s->object, OBJECT_VERSION, call);
    }
    return put_away(d, &s->object, false, call);
}

/* S3: when the current version goes, the newest one left takes its place. */
static int promote_newest(struct deletion *d, const char *name, struct call *call)
{
    struct db_statement *find;
    auto_object_row struct object_row newest = object_row_new();
    if (select_rows(d->db, &object_table,
                    "WHERE container = ?1 AND name = ?2 AND current = 0 AND state = 0 AND deleted "
                    "IS NULL ORDER BY version DESC LIMIT 1",
                    &find, call) < 0)
        return -1;
    db_bind_int(find, 1, d->scene->container.id);
    bind_name(find, 2, name);
    int found = select_one(&object_table, find, &newest, call);
    if (found <= 0)
        return found;
    newest.current = 1;
    return row_update(d->db, &object_table, &newest, call) < 0 ? -1
                                                               : tags_index(d->db, &newest, call);
}

static bool governance_bypassed(const struct delete_request *request, const struct object_row *o)
{
    return request->bypass_governance && same_string(o->immutable_mode, "governance");
}

static int delete_version(struct deletion *d, const struct delete_request *request,
                          struct call *call)
{
    struct object_row *o = &d->scene->object;
    bool there = o->id != 0 && (d->scene->found || request->permanently || o->marker != 0);
    if (!there)
        return fault_set(&call->err, FAULT_VERSION_MISSING, "no version '%s' of '%s'",
                         request->place.version, request->place.name);
    bool was_current = o->current != 0;
    if (was_current && !request->make_marker)
        return fault_set(&call->err, FAULT_ON_CURRENT,
                         "'%s' is the current version; delete it without naming a version",
                         o->name);
    if (governance_bypassed(request, o))
        o->immutable_until = TIME_UNKNOWN;
    d->ret->marker = o->marker != 0;
    replace_string(&d->ret->version, request->place.version);
    bool permanently = request->permanently || request->make_marker;
    if (put_away(d, o, permanently, call) < 0)
        return -1;
    return was_current ? promote_newest(d, request->place.name, call) : 0;
}

/* A marker that would be made where nothing is stands under the conditions, too. */
static int may_delete(const struct delete_request *request, struct scene *s, struct err *e)
{
    if (!s->found)
        return request->make_marker && request->place.kind == VERSION_CURRENT
                   ? conditions_check_write(&request->conditions, s, e)
                   : 0;
    if (conditions_check_write(&request->conditions, s, e) < 0)
        return -1;
    return lease_check(&s->object, request->conditions.lease, true, s->now, e);
}

static int delete_commit(struct db *db, void *argument, struct call *call)
{
    struct delete_task *task = argument;
    const struct delete_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_delete_result struct delete_result result = {0};
    struct deletion d = {.service = task->service, .db = db, .scene = &s, .ret = &result};
    if (scene_open(db, &request->place, SCENE_WRITE, &s, call) < 0) {
        /* S3 deletes markers by their id. */
        if (call->err.fault != FAULT_IS_MARKER || !request->make_marker)
            return -1;
        err_clear(&call->err);
        if (marker_open(db, &request->place, &s, call) < 0)
            return -1;
    }
    if (rules_of(db, &s.container, &d.rules, call) < 0 || may_delete(request, &s, &call->err) < 0)
        return -1;
    int done = request->place.kind == VERSION_CURRENT ? delete_current(&d, request, call)
                                                      : delete_version(&d, request, call);
    if (done < 0)
        return -1;
    delete_result_release(task->ret);
    *task->ret = result;
    result = (struct delete_result){0};
    return 0;
}

int service_delete(struct service *service, const struct delete_request *request,
                   struct delete_result *ret, struct call *call)
{
    struct delete_task task = {service, request, ret};
    return service_write(service, delete_commit, &task, call);
}

/* ---- Bringing back ---- */

static int undelete_rows(struct db *db, const struct scene *s, const char *name, struct call *call)
{
    for (;;) {
        struct db_statement *find;
        auto_object_row struct object_row row = object_row_new();
        if (select_rows(db, &object_table,
                        "WHERE container = ?1 AND name = ?2 AND deleted IS NOT NULL LIMIT 1", &find,
                        call) < 0)
            return -1;
        db_bind_int(find, 1, s->container.id);
        bind_name(find, 2, name);
        int found = select_one(&object_table, find, &row, call);
        if (found <= 0)
            return found;
        row.deleted = row.deleted_until = TIME_UNKNOWN;
        if (row_update(db, &object_table, &row, call) < 0 || tags_index(db, &row, call) < 0)
            return -1;
    }
}

static int undelete_commit(struct db *db, void *argument, struct call *call)
{
    const struct place *place = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    if (scene_open(db, place, SCENE_WRITE, &s, call) < 0)
        return -1;
    if (s.object.id == 0) {
        struct db_statement *find;
        if (db_prepare(db, "SELECT 1 FROM object WHERE container = ?1 AND name = ?2 LIMIT 1", &find,
                       call) < 0)
            return -1;
        db_bind_int(find, 1, s.container.id);
        bind_name(find, 2, place->name);
        int any = db_step(find, call);
        db_reset(find);
        if (any < 0)
            return -1;
        if (any == 0)
            return fault_set(&call->err, FAULT_OBJECT_MISSING, "no object '%s'", place->name);
    }
    return undelete_rows(db, &s, place->name, call);
}

int service_undelete(struct service *service, const struct place *place, struct call *call)
{
    struct place copy = *place;
    return service_write(service, undelete_commit, &copy, call);
}
