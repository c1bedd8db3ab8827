// SPDX-License-Identifier: EUPL-1.2
/* What an operation looks at first: the container and the object it names. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "codec/date.h"
#include "object/object_private.h"

/* From 0001-01-01 to 1970-01-01, in 100 ns: etags then look as Azure's do. */
#define TICKS_TO_1970 UINT64_C(621355968000000000)

void scene_release(struct scene *s)
{
    row_release(&container_table, &s->container);
    row_release(&object_table, &s->object);
}

char *etag_of(int64_t now)
{
    return xasprintf("0x%016" PRIX64, (uint64_t)now / 100 + TICKS_TO_1970);
}

char *version_of(int64_t now)
{
    char text[DATE_TEXT];
    date_iso8601(text, sizeof(text), now, 7);
    return xstrdup(text);
}

int container_find(struct db *db, const char *account, const char *name, bool lock,
                   struct container_row *ret, struct call *call)
{
    struct db_statement *find;
    const char *where = lock ? "WHERE account = ?1 AND name = ?2 AND deleted IS NULL FOR UPDATE"
                             : "WHERE account = ?1 AND name = ?2 AND deleted IS NULL";
    if (select_rows(db, &container_table, where, &find, call) < 0)
        return -1;
    db_bind_text(find, 1, account);
    db_bind_text(find, 2, name);
    int found = select_one(&container_table, find, ret, call);
    if (found == 0)
        return fault_set(&call->err, FAULT_CONTAINER_MISSING, "no container '%s/%s'", account,
                         name);
    return found < 0 ? -1 : 0;
}

/* Someone else's write may take away the row we wait for and put another in its place, which a
 * statement of PostgreSQL's that began before does not see: nothing was found only when nothing is
 * there without locking either. */
static int find_again(struct db *db,
                      int (*find)(struct db *db, const void *what, bool lock,
                                  struct object_row *ret, struct call *call),
                      const void *what, bool lock, struct object_row *ret, struct call *call)
{
    int found = find(db, what, lock, ret, call);
    while (found == 0 && lock && db_kind(db) == DB_POSTGRES) {
        auto_object_row struct object_row seen = object_row_new();
        int there = find(db, what, false, &seen, call);
        if (there <= 0)
            return there;
        found = call_check(call) < 0 ? -1 : find(db, what, true, ret, call);
    }
    return found;
}

struct current {
    int64_t container;
    const char *name;
};
static int current_look(struct db *db, const void *what, bool lock, struct object_row *ret,
                        struct call *call)
{
    const struct current *c = what;
    struct db_statement *find;
    const char *where = lock ? "WHERE container = ?1 AND name = ?2 AND current = 1 FOR UPDATE"
                             : "WHERE container = ?1 AND name = ?2 AND current = 1";
    if (select_rows(db, &object_table, where, &find, call) < 0)
        return -1;
    db_bind_int(find, 1, c->container);
    bind_name(find, 2, c->name);
    return select_one(&object_table, find, ret, call);
}

int current_find(struct db *db, int64_t container, const char *name, bool lock,
                 struct object_row *ret, struct call *call)
{
    const struct current current = {container, name};
    return find_again(db, current_look, &current, lock, ret, call);
}

/* A version may be the current row or an earlier one; "null" names the one made while versioning
 * was off. */
struct version {
    int64_t container;
    const struct place *place;
};
static int version_look(struct db *db, const void *what, bool lock, struct object_row *ret,
                        struct call *call)
{
    const struct version *v = what;
    const struct place *place = v->place;
    bool snapshot = place->kind == VERSION_SNAPSHOT;
    bool null_version = !snapshot && same_string(place->version, "null");
    const char *where =
        null_version
            ? (lock ? "WHERE container = ?1 AND name = ?2 AND versioned = 0 AND state = ?3 "
                      "ORDER BY current DESC LIMIT 1 FOR UPDATE"
                    : "WHERE container = ?1 AND name = ?2 AND versioned = 0 AND state = ?3 "
                      "ORDER BY current DESC LIMIT 1")
        : lock ? "WHERE container = ?1 AND name = ?2 AND state = ?3 AND version = ?4 FOR UPDATE"
               : "WHERE container = ?1 AND name = ?2 AND state = ?3 AND version = ?4";
    struct db_statement *find;
    if (select_rows(db, &object_table, where, &find, call) < 0)
        return -1;
    db_bind_int(find, 1, v->container);
    bind_name(find, 2, place->name);
    db_bind_int(find, 3, snapshot ? OBJECT_SNAPSHOT : OBJECT_VERSION);
    if (!null_version)
        db_bind_text(find, 4, place->version);
    return select_one(&object_table, find, ret, call);
}

static int version_find(struct db *db, const struct scene *s, const struct place *place, bool lock,
                        struct object_row *ret, struct call *call)
{
    const struct version version = {s->container.id, place};
    return find_again(db, version_look, &version, lock, ret, call);
}

/* found: it can be read as it is. */
static int look(struct db *db, const struct place *place, enum scene_lock lock, struct scene *s,
                struct call *call)
{
    bool write = lock == SCENE_WRITE;
    if (index_now(db, &s->now, call) < 0 ||
        container_find(db, place->account, place->container, false, &s->container, call) < 0)
        return -1;
    int found = place->kind == VERSION_CURRENT
                    ? current_find(db, s->container.id, place->name, write, &s->object, call)
                    : version_find(db, s, place, write, &s->object, call);
    if (found < 0)
        return -1;
    /* Asked before the row was locked: whoever held it may have written later than that. */
    if (write && found > 0 && s->now <= s->object.modified)
        s->now = s->object.modified + 100;
    bool gone = s->object.goes_at != TIME_UNKNOWN && s->object.goes_at <= s->now;
    s->found = found > 0 && s->object.deleted == TIME_UNKNOWN && s->object.marker == 0 && !gone;
    return 0;
}

static void hand_over(struct scene *ret, struct scene *s)
{
    *ret = *s;
    *s = (struct scene){.container = container_row_new(), .object = object_row_new()};
}

int scene_open(struct db *db, const struct place *place, enum scene_lock lock, struct scene *ret,
               struct call *call)
{
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    if (look(db, place, lock, &s, call) < 0)
        return -1;
    if (s.object.marker != 0 && place->kind != VERSION_CURRENT)
        return fault_set(&call->err, FAULT_IS_MARKER, "version '%s' of '%s' is a delete marker",
                         place->version, place->name);
    hand_over(ret, &s);
    return 0;
}

int marker_open(struct db *db, const struct place *place, struct scene *ret, struct call *call)
{
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    if (look(db, place, SCENE_WRITE, &s, call) < 0)
        return -1;
    hand_over(ret, &s);
    return 0;
}

int scene_find(struct db *db, const struct place *place, enum scene_lock lock, struct scene *ret,
               struct call *call)
{
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    if (scene_open(db, place, lock, &s, call) < 0)
        return -1;
    if (!s.found && place->kind == VERSION_ID)
        return fault_set(&call->err, FAULT_VERSION_MISSING, "no version '%s' of '%s/%s/%s'",
                         place->version, place->account, place->container, place->name);
    if (!s.found)
        return fault_set(&call->err, FAULT_OBJECT_MISSING, "no object '%s/%s/%s'", place->account,
                         place->container, place->name);
    hand_over(ret, &s);
    return 0;
}
