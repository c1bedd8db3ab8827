// SPDX-License-Identifier: EUPL-1.2
/* What becomes of an object when another takes its place or it is deleted. */
#include <string.h>

#include "object/layout.h"
#include "object/tags.h"

#define DAY (24 * 3600 * CLOCK_SECOND)

int immutable_container_check(const struct object_row *o, const struct rules *rules, int64_t now,
                              struct err *e)
{
    if (rules->legal_hold)
        return fault_set(e, FAULT_LEGAL_HOLD, "a legal hold on the container keeps '%s'", o->name);
    if (rules->immutable_days > 0 && o->created + rules->immutable_days * DAY > now)
        return fault_set(e, FAULT_IMMUTABLE,
                         "the container's retention policy keeps '%s' for %lld days", o->name,
                         (long long)rules->immutable_days);
    return 0;
}

int immutable_check(const struct object_row *o, const struct rules *rules, int64_t now,
                    struct err *e)
{
    if (immutable_container_check(o, rules, now, e) < 0)
        return -1;
    if (o->legal_hold != 0)
        return fault_set(e, FAULT_LEGAL_HOLD, "'%s' is under a legal hold", o->name);
    if (o->immutable_until != TIME_UNKNOWN && o->immutable_until > now)
        return fault_set(e, FAULT_IMMUTABLE, "'%s' is under a retention policy", o->name);
    return 0;
}

/* ---- Bodies that nobody has any more ---- */

/* 1 when the query, bound to one number, has a row. */
static int has_row(struct db *db, const char *sql, int64_t number, struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db, sql, &find, call) < 0)
        return -1;
    db_bind_int(find, 1, number);
    int row = db_step(find, call);
    db_reset(find);
    return row;
}

int piece_let_go(struct service *service, struct db *db, int64_t piece, int64_t now,
                 struct call *call)
{
    auto_piece_row struct piece_row row = piece_row_new();
    row.id = piece;
    /* Of two gateways that let go of it at once, the second must see what the first did. */
    int found = row_lock(db, &piece_table, &row, call);
    if (found <= 0)
        return found;
    int used = has_row(db, "SELECT 1 FROM extent WHERE piece = ?1 LIMIT 1", piece, call);
    if (used == 0)
        used = has_row(db, "SELECT 1 FROM block WHERE piece = ?1 LIMIT 1", piece, call);
    if (used != 0)
        return used < 0 ? -1 : 0;
    struct garbage_row garbage = {.piece = piece,
                                  .store = row.store,
                                  .container = row.container,
                                  .key = row.key,
                                  .after = now + service->garbage_after};
    return row_put(db, &garbage_table, &garbage, call) < 0
               ? -1
               : row_delete(db, &piece_table, &row, call);
}

struct numbers {
    int64_t *list;
    size_t count;
    size_t size;
};
static void numbers_release(struct numbers *n)
{
    free(n->list);
}

static void collect(void *argument, int64_t number)
{
    struct numbers *into = argument;
    if (into->count == into->size) {
        into->size = into->size == 0 ? 16 : 2 * into->size;
        into->list = xrealloc(into->list, into->size, sizeof(*into->list));
    }
    into->list[into->count++] = number;
}

static int compare(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Rows that spoke of pieces are gone, and with them perhaps the pieces: each is asked about once.
 */
static int let_go_all(struct service *service, struct db *db, const struct table *table,
                      const void *group, size_t keys, int64_t now, struct call *call)
{
    cleanup(numbers_release) struct numbers pieces = {0};
    if (row_delete_group_telling(db, table, group, keys, "piece", collect, &pieces, call) < 0)
        return -1;
    if (pieces.count > 0)
        qsort(pieces.list, pieces.count, sizeof(*pieces.list), compare);
    for (size_t i = 0; i < pieces.count; i++)
        if ((i == 0 || pieces.list[i] != pieces.list[i - 1]) &&
            piece_let_go(service, db, pieces.list[i], now, call) < 0)
            return -1;
    return 0;
}

int layout_purge(struct service *service, struct db *db, int64_t layout, int64_t now,
                 struct call *call)
{
    struct extent_row key = {.layout = layout};
    return let_go_all(service, db, &extent_table, &key, 1, now, call);
}

int blocks_purge(struct service *service, struct db *db, int64_t container, const char *name,
                 const char *upload, int64_t now, struct call *call)
{
    struct block_row key = {.container = container, .name = (char *)name, .upload = (char *)upload};
    return let_go_all(service, db, &block_table, &key, 3, now, call);
}

int object_purge(struct service *service, struct db *db, const struct object_row *o, int64_t now,
                 struct call *call)
{
    struct object_row untagged = {.id = o->id};
    int shared = layout_shared(db, o->layout, o->id, call);
    if (shared < 0 || row_delete(db, &object_table, o, call) < 0 ||
        tags_index(db, &untagged, call) < 0)
        return -1;
    if (o->layout == 0 || shared > 0)
        return 0;
    return layout_purge(service, db, o->layout, now, call);
}

int tags_index(struct db *db, const struct object_row *o, struct call *call)
{
    struct db_statement *gone;
    if (db_prepare(db, "DELETE FROM tag WHERE object = ?1", &gone, call) < 0)
        return -1;
    db_bind_int(gone, 1, o->id);
    if (db_run(gone, NULL, call) < 0)
        return -1;
    if (o->tags == NULL || o->current == 0 || o->deleted != TIME_UNKNOWN)
        return 0;
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (pairs_from_json(o->tags, &tags, &call->err) < 0)
        return -1;
    for (size_t i = 0; i < tags.count; i++) {
        struct tag_row row = {.object = o->id,
                              .key = tags.list[i].key,
                              .value = tags.list[i].value,
                              .container = o->container};
        if (row_put(db, &tag_table, &row, call) < 0)
            return -1;
    }
    return 0;
}

/* ---- One object takes the place of another ---- */

static void lease_clear(struct object_row *o)
{
    replace_string(&o->lease_id, NULL);
    o->lease_state = LEASE_NONE;
    o->lease_seconds = 0;
    o->lease_until = TIME_UNKNOWN;
}

int current_retire(struct db *db, struct object_row *o, enum object_state state, struct call *call)
{
    o->current = 0;
    o->state = state;
    lease_clear(o);
    return row_update(db, &object_table, o, call) < 0 || tags_index(db, o, call) < 0 ? -1 : 0;
}

int object_soft_delete(struct db *db, const struct rules *rules, struct object_row *o, int64_t now,
                       struct call *call)
{
    o->deleted = now;
    o->deleted_until = now + rules->delete_retention;
    lease_clear(o);
    return row_update(db, &object_table, o, call) < 0 || tags_index(db, o, call) < 0 ? -1 : 0;
}

/* With versioning suspended or off there is one version without an id at most. */
static int purge_null_version(struct service *service, struct db *db, const struct rules *rules,
                              const struct object_row *fresh, int64_t now, struct call *call)
{
    struct db_statement *find;
    auto_object_row struct object_row row = object_row_new();
    if (select_rows(db, &object_table,
                    "WHERE container = ?1 AND name = ?2 AND current = 0 AND state = 0 AND "
                    "versioned = 0 AND deleted IS NULL LIMIT 1",
                    &find, call) < 0)
        return -1;
    db_bind_int(find, 1, fresh->container);
    bind_name(find, 2, fresh->name);
    int found = select_one(&object_table, find, &row, call);
    if (found <= 0)
        return found;
    if (immutable_check(&row, rules, now, &call->err) < 0)
        return -1;
    return object_purge(service, db, &row, now, call);
}

/* Where the old current row goes. */
static int old_make_room(struct service *service, struct db *db, const struct rules *rules,
                         struct object_row *old, int64_t now, struct call *call)
{
    if (old->deleted != TIME_UNKNOWN)
        return current_retire(db, old, OBJECT_SNAPSHOT, call);
    bool live = old->marker == 0;
    if (live && immutable_container_check(old, rules, now, &call->err) < 0)
        return -1;
    if (rules->versioning == VERSIONING_ON || old->versioned != 0)
        return current_retire(db, old, OBJECT_VERSION, call);
    if (live && immutable_check(old, rules, now, &call->err) < 0)
        return -1;
    if (!live || rules->delete_retention == 0)
        return object_purge(service, db, old, now, call);
    if (object_soft_delete(db, rules, old, now, call) < 0)
        return -1;
    return current_retire(db, old, OBJECT_SNAPSHOT, call);
}

static void lease_inherit(struct object_row *fresh, const struct object_row *old, int64_t now)
{
    enum lease_word word = lease_word_at(old->lease_state, old->lease_until, now);
    if (word != LEASE_WORD_LEASED && word != LEASE_WORD_BREAKING)
        return;
    replace_string(&fresh->lease_id, old->lease_id);
    fresh->lease_state = old->lease_state;
    fresh->lease_seconds = old->lease_seconds;
    fresh->lease_until = old->lease_until;
}

int current_replace(struct service *service, struct db *db, const struct rules *rules,
                    struct object_row *old, struct object_row *fresh, int64_t now,
                    struct call *call)
{
    fresh->id = index_new_id();
    fresh->current = 1;
    fresh->state = OBJECT_VERSION;
    fresh->versioned = rules->versioning == VERSIONING_ON;
    fresh->modified = now;
    fresh->deleted = fresh->deleted_until = TIME_UNKNOWN;
    if (fresh->created == TIME_UNKNOWN)
        fresh->created = now;
    free(fresh->version);
    fresh->version = version_of(now);
    free(fresh->etag);
    fresh->etag = etag_of(now);
    lease_clear(fresh);
    if (old != NULL) {
        if (old->deleted == TIME_UNKNOWN && old->marker == 0)
            lease_inherit(fresh, old, now);
        if (old_make_room(service, db, rules, old, now, call) < 0)
            return -1;
    }
    if (rules->versioning == VERSIONING_SUSPENDED &&
        purge_null_version(service, db, rules, fresh, now, call) < 0)
        return -1;
    return row_insert(db, &object_table, fresh, call) < 0 || tags_index(db, fresh, call) < 0 ? -1
                                                                                             : 0;
}

int object_touch(struct db *db, struct object_row *o, int64_t now, struct call *call)
{
    free(o->etag);
    o->etag = etag_of(now);
    o->modified = now;
    /* A lease that has run out or been broken is forgotten once the object has changed. */
    enum lease_word word = lease_word_at(o->lease_state, o->lease_until, now);
    if (word == LEASE_WORD_EXPIRED || word == LEASE_WORD_BROKEN)
        lease_clear(o);
    return row_update(db, &object_table, o, call);
}

void properties_set(struct object_row *into, const struct object_row *from)
{
    if (from == NULL)
        return;
    char *const *const given[] = {&from->content_type,
                                  &from->content_encoding,
                                  &from->content_language,
                                  &from->content_disposition,
                                  &from->cache_control,
                                  &from->content_md5,
                                  &from->expires,
                                  &from->metadata,
                                  &from->tags,
                                  &from->tier,
                                  &from->immutable_mode,
                                  &from->owner,
                                  &from->checksums,
                                  &from->parts,
                                  &from->s3_etag,
                                  &from->copy};
    char **const taken[] = {&into->content_type,
                            &into->content_encoding,
                            &into->content_language,
                            &into->content_disposition,
                            &into->cache_control,
                            &into->content_md5,
                            &into->expires,
                            &into->metadata,
                            &into->tags,
                            &into->tier,
                            &into->immutable_mode,
                            &into->owner,
                            &into->checksums,
                            &into->parts,
                            &into->s3_etag,
                            &into->copy};
    for (size_t i = 0; i < ARRAY_SIZE(given); i++)
        replace_string(taken[i], *given[i]);
    into->tier_changed = from->tier_changed;
    into->immutable_until = from->immutable_until;
    into->legal_hold = from->legal_hold;
    into->goes_at = from->goes_at;
    into->sequence = from->sequence;
}
