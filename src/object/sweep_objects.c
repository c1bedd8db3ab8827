// SPDX-License-Identifier: EUPL-1.2
/* Objects and containers whose time has ended: see sweep.h. */
#include "object/sweep.h"

/* The row of an id, locked: 1, 0 when it is gone meanwhile, -1.  *ret_rules are its container's. */
static int lock_object(struct db *db, int64_t id, struct object_row *ret, struct rules *ret_rules,
                       struct call *call)
{
    auto_container_row struct container_row c = container_row_new();

    ret->id = id;
    int found = row_lock(db, &object_table, ret, call);
    if (found <= 0)
        return found;
    c.id = ret->container;
    int there = row_find(db, &container_table, &c, call);
    if (there < 0)
        return -1;
    *ret_rules = (struct rules){0};
    return there > 0 && rules_of(db, &c, ret_rules, call) < 0 ? -1 : 1;
}

/* Whether a policy or a hold keeps it: it stays, and is looked at again in the next sweep. */
static bool is_kept(const struct object_row *o, const struct rules *rules, int64_t now)
{
    struct err aside = {0};

    return immutable_check(o, rules, now, &aside) < 0;
}

/* ---- Soft-deleted objects ---- */

static int purge_batch(struct db *db, void *argument, struct call *call)
{
    struct sweep *s = argument;
    struct sweep_ids found;
    int64_t now;

    if (index_now(db, &now, call) < 0 ||
        sweep_select(s, db,
                     "SELECT deleted_until, id FROM object WHERE deleted_until <= ?1 AND "
                     "(deleted_until, id) > (?2, ?3) ORDER BY deleted_until, id LIMIT ?4 "
                     "FOR UPDATE SKIP LOCKED",
                     now, &found, call) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++) {
        auto_object_row struct object_row o = object_row_new();
        struct rules rules;
        int there = lock_object(db, found.ids[i], &o, &rules, call);
        if (there < 0)
            return -1;
        if (there > 0 && !is_kept(&o, &rules, now) &&
            object_purge(s->service, db, &o, now, call) < 0)
            return -1;
    }
    return 0;
}

int sweep_objects(struct service *service, struct call *call)
{
    struct sweep s = {.service = service};

    return sweep_pass(&s, purge_batch, call);
}

/* ---- Objects that go by themselves ---- */

/* As if it were deleted now; whatever stays of it has no such time any more. */
static int expire(struct sweep *s, struct db *db, const struct rules *rules, struct object_row *o,
                  int64_t now, struct call *call)
{
    o->goes_at = TIME_UNKNOWN;
    if (o->current && rules->versioning == VERSIONING_ON)
        return current_retire(db, o, OBJECT_VERSION, call);
    if (rules->delete_retention > 0)
        return object_soft_delete(db, rules, o, now, call);
    return object_purge(s->service, db, o, now, call);
}

static int expire_batch(struct db *db, void *argument, struct call *call)
{
    struct sweep *s = argument;
    struct sweep_ids found;
    int64_t now;

    if (index_now(db, &now, call) < 0 ||
        sweep_select(s, db,
                     "SELECT goes_at, id FROM object WHERE goes_at <= ?1 AND deleted IS NULL AND "
                     "(goes_at, id) > (?2, ?3) ORDER BY goes_at, id LIMIT ?4 "
                     "FOR UPDATE SKIP LOCKED",
                     now, &found, call) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++) {
        auto_object_row struct object_row o = object_row_new();
        struct rules rules;
        int there = lock_object(db, found.ids[i], &o, &rules, call);
        if (there < 0)
            return -1;
        if (there > 0 && !is_kept(&o, &rules, now) && expire(s, db, &rules, &o, now, call) < 0)
            return -1;
    }
    return 0;
}

int sweep_expired(struct service *service, struct call *call)
{
    struct sweep s = {.service = service};

    return sweep_pass(&s, expire_batch, call);
}

/* ---- Deleted containers, with all they hold ---- */

/* Some of what the container holds: how many rows went, or -1. */
static int empty_objects(struct sweep *s, struct db *db, int64_t container, int64_t now,
                         struct call *call)
{
    struct db_statement *find;
    int64_t ids[SWEEP_BATCH];
    int count = 0, row;

    /* A container that could be deleted had no policy; an object's own still counts. */
    if (db_prepare(db,
                   "SELECT id FROM object WHERE container = ?1 AND legal_hold = 0 AND "
                   "(immutable_until IS NULL OR immutable_until <= ?2) LIMIT ?3",
                   &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    db_bind_int(find, 2, now);
    db_bind_int(find, 3, SWEEP_BATCH);
    while ((row = db_step(find, call)) > 0)
        ids[count++] = db_column_int(find, 0);
    db_reset(find);
    for (int i = 0; row == 0 && i < count; i++) {
        auto_object_row struct object_row o = object_row_new();
        o.id = ids[i];
        row = row_lock(db, &object_table, &o, call);
        if (row > 0)
            row = object_purge(s->service, db, &o, now, call);
    }
    return row < 0 ? -1 : count;
}

static int empty_blocks(struct sweep *s, struct db *db, int64_t container, int64_t now,
                        struct call *call)
{
    struct db_statement *find;
    auto_block_row struct block_row block = block_row_new();

    if (select_rows(db, &block_table, "WHERE container = ?1 LIMIT 1", &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    int found = select_one(&block_table, find, &block, call);
    if (found <= 0)
        return found;
    return blocks_purge(s->service, db, container, block.name, block.upload, now, call) < 0 ? -1
                                                                                            : 1;
}

static int empty_uploads(struct db *db, int64_t container, struct call *call)
{
    struct db_statement *find;
    auto_upload_row struct upload_row upload = upload_row_new();

    if (select_rows(db, &upload_table, "WHERE container = ?1 LIMIT 1", &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    int found = select_one(&upload_table, find, &upload, call);
    if (found <= 0)
        return found;
    return row_delete(db, &upload_table, &upload, call) < 0 ? -1 : 1;
}

/* 1 while anything is left in it that a hold keeps. */
static int holds_any(struct db *db, int64_t container, struct call *call)
{
    struct db_statement *find;

    if (db_prepare(db, "SELECT 1 FROM object WHERE container = ?1 LIMIT 1", &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, container);
    return db_step(find, call);
}

/* One step of emptying s->number; when nothing is left the container goes too. */
static int empty_batch(struct db *db, void *argument, struct call *call)
{
    struct sweep *s = argument;
    auto_container_row struct container_row c = container_row_new();
    int64_t now;

    s->more = false;
    c.id = s->number;
    int found = index_now(db, &now, call) < 0 ? -1 : row_lock(db, &container_table, &c, call);
    if (found <= 0)
        return found;
    if (c.deleted == TIME_UNKNOWN || c.deleted_until > now)
        return 0;
    int gone = empty_objects(s, db, c.id, now, call);
    if (gone == 0)
        gone = empty_blocks(s, db, c.id, now, call);
    if (gone == 0)
        gone = empty_uploads(db, c.id, call);
    if (gone != 0) {
        s->more = gone > 0;
        return gone < 0 ? -1 : 0;
    }
    int held = holds_any(db, c.id, call);
    return held != 0 ? (held < 0 ? -1 : 0) : row_delete(db, &container_table, &c, call);
}

struct due_containers {
    struct sweep sweep;
    struct sweep_ids found;
};

static int find_due(struct db *db, void *argument, struct call *call)
{
    struct due_containers *due = argument;
    int64_t now;

    if (index_now(db, &now, call) < 0)
        return -1;
    return sweep_select(&due->sweep, db,
                        "SELECT deleted_until, id FROM container WHERE deleted_until <= ?1 AND "
                        "(deleted_until, id) > (?2, ?3) ORDER BY deleted_until, id LIMIT ?4",
                        now, &due->found, call);
}

int sweep_containers(struct service *service, struct call *call)
{
    struct due_containers due = {.sweep = {.service = service, .from = {INT64_MIN, INT64_MIN}}};

    do {
        if (service_read_index(service, find_due, &due, call) < 0)
            return -1;
        for (size_t i = 0; i < due.found.count; i++) {
            struct sweep s = {.service = service, .number = due.found.ids[i]};
            if (sweep_pass(&s, empty_batch, call) < 0)
                return -1;
        }
        due.sweep.from = due.sweep.to;
    } while (due.sweep.more);
    return 0;
}
