// SPDX-License-Identifier: EUPL-1.2
/*
 * Retention and legal holds of single objects: see write.h.
 *
 * Four modes, two dialects: what Azure calls locked S3 calls compliance (it can only be extended);
 * what Azure calls unlocked may be changed and removed by whoever may set it; S3's governance only
 * by who bypasses it.  A retention that is over binds nobody.
 */
#include <string.h>

#include "object/object_private.h"
#include "object/write.h"

enum strength { STRENGTH_UNKNOWN, STRENGTH_FREE, STRENGTH_BYPASS, STRENGTH_FINAL };

static enum strength strength_of(const char *mode)
{
    static const struct {
        const char *mode;
        enum strength strength;
    } modes[] = {
        {"unlocked", STRENGTH_FREE},
        {"governance", STRENGTH_BYPASS},
        {"locked", STRENGTH_FINAL},
        {"compliance", STRENGTH_FINAL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (same_string(mode, modes[i].mode))
            return modes[i].strength;
    return STRENGTH_UNKNOWN;
}

struct retention_task {
    const struct place *place;
    const struct conditions *conditions; /* may be NULL */
    int64_t until;
    const char *mode;
    bool bypass;
    bool hold;
    struct object_row *ret;
};

/* Whether the retention that o has lets itself be replaced by the one asked for. */
static int check_change(const struct retention_task *task, const struct object_row *o, int64_t now,
                        struct err *e)
{
    enum strength old = strength_of(o->immutable_mode);
    bool active = o->immutable_until != TIME_UNKNOWN && o->immutable_until > now;
    bool extends = task->mode && task->until >= o->immutable_until;

    if (!active || old == STRENGTH_FREE)
        return 0;
    if (old == STRENGTH_BYPASS && task->bypass)
        return 0;
    if (extends && same_string(task->mode, o->immutable_mode))
        return 0;
    return fault_set(e, FAULT_IMMUTABLE_LOCKED, "the retention of '%s' (%s) can only be extended",
                     o->name, o->immutable_mode);
}

static int check_request(const struct retention_task *task, int64_t now, struct err *e)
{
    if (!task->mode)
        return 0;
    if (strength_of(task->mode) == STRENGTH_UNKNOWN)
        return fault_set(e, FAULT_ARGUMENT, "there is no retention mode '%s'", task->mode);
    if (task->until == TIME_UNKNOWN || task->until <= now)
        return fault_set(e, FAULT_ARGUMENT, "a retention ends in the future");
    return 0;
}

static int give(struct db *db, const struct retention_task *task, const struct object_row *o,
                struct call *call)
{
    if (row_update(db, &object_table, o, call) < 0)
        return -1;
    if (task->ret)
        row_copy(&object_table, task->ret, o);
    return 0;
}

static int set_retention(struct db *db, void *argument, struct call *call)
{
    const struct retention_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct object_row *o = &s.object;

    if (scene_find(db, task->place, SCENE_WRITE, &s, call) < 0 ||
        (task->conditions && conditions_check_write(task->conditions, &s, &call->err) < 0) ||
        check_request(task, s.now, &call->err) < 0 || check_change(task, o, s.now, &call->err) < 0)
        return -1;
    replace_string(&o->immutable_mode, task->mode);
    o->immutable_until = task->mode ? task->until : TIME_UNKNOWN;
    return give(db, task, o, call);
}

int service_set_immutability(struct service *service, const struct place *place,
                             const struct conditions *conditions, int64_t until, const char *mode,
                             bool bypass_governance, struct object_row *ret, struct call *call)
{
    struct retention_task task = {.place = place,
                                  .conditions = conditions,
                                  .until = until,
                                  .mode = mode,
                                  .bypass = bypass_governance,
                                  .ret = ret};

    return service_write(service, set_retention, &task, call);
}

static int set_hold(struct db *db, void *argument, struct call *call)
{
    const struct retention_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};

    if (scene_find(db, task->place, SCENE_WRITE, &s, call) < 0)
        return -1;
    s.object.legal_hold = task->hold;
    return give(db, task, &s.object, call);
}

int service_set_legal_hold(struct service *service, const struct place *place, bool hold,
                           struct object_row *ret, struct call *call)
{
    struct retention_task task = {.place = place, .hold = hold, .ret = ret};

    return service_write(service, set_hold, &task, call);
}
