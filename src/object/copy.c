// SPDX-License-Identifier: EUPL-1.2
/* Copies inside the service: see copy.h. */
#include "object/copy.h"

#include <string.h>

#include "codec/json.h"
#include "object/layout.h"

struct copy_task {
    struct service *service;
    const struct copy_request *request;
    struct object_row *ret;
};

static bool is_pending(const char *copy, const char **ret_id, json_t **ret_json)
{
    struct err aside = {0};

    *ret_id = NULL;
    if (!copy || json_parse(copy, strlen(copy), ret_json, &aside) < 0)
        return false;
    *ret_id = json_text(*ret_json, "id");
    return same_string(json_text(*ret_json, "status"), "pending");
}

bool copy_is_pending(const char *copy, int64_t now)
{
    auto_json json_t *json = NULL;
    const char *id;
    int64_t beat;

    /* Nearly every object is no copy, and nearly every copy is done. */
    if (!copy || !strstr(copy, "pending") || !is_pending(copy, &id, &json))
        return false;
    return !json_number(json, "beat", &beat) || now - beat <= COPY_SILENCE_MAX;
}

int conditions_check_copy(const struct conditions *c, const struct object_row *o, int64_t now,
                          struct err *e)
{
    auto_json json_t *json = NULL;
    const char *id;

    if (!c->copy) {
        /* Nothing runs onto an earlier version, whatever it says. */
        if (!o->current || !copy_is_pending(o->copy, now))
            return 0;
        return fault_set(e, FAULT_COPY_PENDING, "a copy onto '%s' is under way", o->name);
    }
    if (!is_pending(o->copy, &id, &json))
        return fault_set(e, FAULT_NO_COPY_PENDING, "no copy onto '%s' is under way", o->name);
    if (!same_string(id, c->copy))
        return fault_set(e, FAULT_COPY_ID, "the copy onto '%s' has another id", o->name);
    return 0;
}

/* The source stays locked: as long as it keeps its layout, the layout stays (layout.h). */
static int open_source(struct db *db, const struct copy_request *request, struct scene *s,
                       struct call *call)
{
    const struct conditions *c = &request->from_conditions;

    if (scene_find(db, &request->from, SCENE_WRITE, s, call) < 0) {
        /* Which of the two containers is meant must be told. */
        if (call->err.fault != FAULT_CONTAINER_MISSING)
            return -1;
        return fault_set(&call->err, FAULT_COPY_SOURCE, "no container '%s/%s' to copy from",
                         request->from.account, request->from.container);
    }
    if (lease_check(&s->object, c->lease, false, s->now, &call->err) < 0 ||
        conditions_check_read(c, &s->object, &call->err) < 0)
        return fault_set(&call->err, FAULT_SOURCE_CONDITION,
                         "a condition on the source '%s' does not hold", request->from.name);
    return 0;
}

static int check_target(const struct copy_request *request, const struct scene *source,
                        const struct scene *s, struct err *e)
{
    const struct conditions *c = &request->conditions;
    const struct object_row *o = &s->object;

    if (conditions_check_write(c, s, e) < 0)
        return -1;
    if (!s->found)
        return c->lease ? fault_set(e, FAULT_LEASE_ABSENT_OPERATION, "'%s' is not leased",
                                    request->to.name)
                        : 0;
    if (lease_check(o, c->lease, true, s->now, e) < 0)
        return -1;
    if (!request->to_type_block && o->type != source->object.type)
        return fault_set(e, FAULT_TYPE, "'%s' is an object of another type than its source",
                         o->name);
    return 0;
}

static void copy_headers(struct object_row *into, const struct object_row *from)
{
    replace_string(&into->content_type, from->content_type);
    replace_string(&into->content_encoding, from->content_encoding);
    replace_string(&into->content_language, from->content_language);
    replace_string(&into->content_disposition, from->content_disposition);
    replace_string(&into->cache_control, from->cache_control);
    replace_string(&into->content_md5, from->content_md5);
    replace_string(&into->expires, from->expires);
}

/* The bytes are the source's, and so is what was computed over them. */
static void fill_fresh(struct object_row *fresh, const struct copy_request *request,
                       const struct object_row *from)
{
    const struct object_row *p = request->properties;
    bool append = from->type == OBJECT_APPEND && !request->to_type_block;

    properties_set(fresh, p);
    if (!p || request->keep_headers)
        copy_headers(fresh, from);
    else if (!fresh->content_md5)
        replace_string(&fresh->content_md5, from->content_md5);
    if (request->keep_metadata)
        replace_string(&fresh->metadata, from->metadata);
    if (request->keep_tags)
        replace_string(&fresh->tags, from->tags);
    replace_string(&fresh->copy, request->copy);
    replace_string(&fresh->checksums, request->checksums ? request->checksums : from->checksums);
    replace_string(&fresh->s3_etag, from->s3_etag);
    replace_string(&fresh->parts, from->parts);
    fresh->name = xstrdup(request->to.name);
    fresh->type = request->to_type_block ? OBJECT_BLOCK : from->type;
    fresh->size = from->size;
    fresh->layout = from->layout;
    fresh->sequence = from->sequence;
    fresh->blocks = append ? from->blocks : 0;
    fresh->sealed = append && (request->keep_sealed ? from->sealed : p && p->sealed);
}

static int copy_commit(struct db *db, void *argument, struct call *call)
{
    const struct copy_task *task = argument;
    const struct copy_request *request = task->request;
    auto_scene struct scene source = {.container = container_row_new(), .object = object_row_new()};
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_object_row struct object_row fresh = object_row_new();
    struct rules rules;

    if (open_source(db, request, &source, call) < 0 ||
        scene_open(db, &request->to, SCENE_WRITE, &s, call) < 0 ||
        check_target(request, &source, &s, &call->err) < 0 ||
        rules_of(db, &s.container, &rules, call) < 0)
        return -1;
    fill_fresh(&fresh, request, &source.object);
    fresh.container = s.container.id;
    /* Copied onto itself, the old row may go with its layout before the fresh one stands. */
    if (source.object.id == s.object.id && fresh.layout != 0 &&
        layout_clone(db, source.object.layout, (uint64_t)fresh.size, &fresh.layout, call) < 0)
        return -1;
    struct object_row *old = s.object.id ? &s.object : NULL;
    if (current_replace(task->service, db, &rules, old, &fresh, s.now, call) < 0 ||
        blocks_purge(task->service, db, s.container.id, request->to.name, "", s.now, call) < 0)
        return -1;
    if (task->ret)
        row_copy(&object_table, task->ret, &fresh);
    return 0;
}

int service_copy(struct service *service, const struct copy_request *request,
                 struct object_row *ret, struct call *call)
{
    struct copy_task task = {service, request, ret};

    if (request->to.kind != VERSION_CURRENT)
        return fault_set(&call->err, FAULT_ON_SNAPSHOT,
                         "'%s': nothing can be copied onto a snapshot or version",
                         request->to.name);
    return service_write(service, copy_commit, &task, call);
}

/* ---- Copies that run for long ---- */

struct set_copy_task {
    const struct place *place;
    const char *copy_id;
    const char *copy;
};

static int set_copy(struct db *db, void *argument, struct call *call)
{
    const struct set_copy_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_json json_t *copy = NULL;
    const char *id;

    if (scene_find(db, task->place, SCENE_WRITE, &s, call) < 0)
        return -1;
    bool pending = is_pending(s.object.copy, &id, &copy);
    if (!pending)
        return fault_set(&call->err, FAULT_NO_COPY_PENDING, "no copy onto '%s' is under way",
                         s.object.name);
    if (!same_string(id, task->copy_id))
        return fault_set(&call->err, FAULT_COPY_ID, "the copy onto '%s' has another id",
                         s.object.name);
    replace_string(&s.object.copy, task->copy);
    return row_update(db, &object_table, &s.object, call);
}

int service_set_copy(struct service *service, const struct place *place, const char *copy_id,
                     const char *copy, struct call *call)
{
    struct set_copy_task task = {place, copy_id, copy};

    return service_write(service, set_copy, &task, call);
}
