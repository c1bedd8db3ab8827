// SPDX-License-Identifier: EUPL-1.2
/* Layouts that change: see layout.h. */
#include "object/layout.h"

int layout_shared(struct db *db, int64_t layout, int64_t object, struct call *call)
{
    struct db_statement *find;

    /* "layout <> 0" leads to the index, which has no others. */
    if (db_prepare(db,
                   "SELECT 1 FROM object WHERE layout = ?1 AND layout <> 0 AND id <> ?2 LIMIT 1 "
                   "FOR UPDATE",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, layout);
    db_bind_int(find, 2, object);
    return db_step(find, call);
}

void body_changed(struct object_row *o)
{
    replace_string(&o->checksums, NULL);
    replace_string(&o->s3_etag, NULL);
    replace_string(&o->parts, NULL);
}

/* ---- Walking ---- */

void walk_init(struct walk *w, int64_t layout, uint64_t from, uint64_t end)
{
    *w = (struct walk){.layout = layout, .at = from, .end = end, .last = layout == 0};
}

/* The extent that begins last at or before a place may reach beyond it. */
static int walk_fill(struct walk *w, struct db *db, struct call *call)
{
    struct db_statement *find;
    int row;

    if (db_prepare(db,
                   "SELECT start, length, piece, piece_start FROM extent WHERE layout = ?1 AND "
                   "start < ?2 AND start >= COALESCE((SELECT MAX(start) FROM extent WHERE "
                   "layout = ?1 AND start <= ?3), 0) ORDER BY start LIMIT ?4",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, w->layout);
    db_bind_int(find, 2, (int64_t)w->end);
    db_bind_int(find, 3, (int64_t)w->at);
    db_bind_int(find, 4, WALK_BATCH);
    w->count = w->next = 0;
    size_t seen = 0;
    while ((row = db_step(find, call)) > 0) {
        struct stretch s = {.start = (uint64_t)db_column_int(find, 0),
                            .piece = db_column_int(find, 2),
                            .piece_start = (uint64_t)db_column_int(find, 3)};
        seen++;
        s.end = s.start + (uint64_t)db_column_int(find, 1);
        if (s.start < w->at) {
            s.piece_start += w->at - s.start;
            s.start = w->at;
        }
        if (s.end > w->end)
            s.end = w->end;
        if (s.start < s.end)
            w->batch[w->count++] = s;
    }
    w->last = seen < WALK_BATCH;
    if (w->count > 0)
        w->at = w->batch[w->count - 1].end;
    return row;
}

int walk_next(struct walk *w, struct db *db, struct stretch *ret, struct call *call)
{
    while (w->next == w->count) {
        if (w->last)
            return 0;
        if (walk_fill(w, db, call) < 0)
            return -1;
    }
    *ret = w->batch[w->next++];
    return 1;
}

/* ---- A layout of one's own ---- */

/* Up to WALK_BATCH extents that begin behind a place and before size, cut there. */
static int clone_batch(struct db *db, int64_t layout, int64_t behind, uint64_t size,
                       struct extent_row *rows, size_t *ret_count, struct call *call)
{
    struct db_statement *find;
    size_t count = 0;
    int row;

    *ret_count = 0;
    if (select_rows(db, &extent_table,
                    "WHERE layout = ?1 AND start > ?2 AND start < ?3 ORDER BY start LIMIT ?4",
                    &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, layout);
    db_bind_int(find, 2, behind);
    db_bind_int(find, 3, (int64_t)size);
    db_bind_int(find, 4, WALK_BATCH);
    while ((row = db_step(find, call)) > 0) {
        struct extent_row *x = &rows[count++];
        *x = extent_row_new();
        row_read(&extent_table, find, 0, x);
        if ((uint64_t)(x->start + x->length) > size)
            x->length = (int64_t)size - x->start;
    }
    *ret_count = count;
    return row;
}

int layout_clone(struct db *db, int64_t layout, uint64_t size, int64_t *ret, struct call *call)
{
    struct extent_row rows[WALK_BATCH];
    int64_t fresh = index_new_id(), behind = -1;
    size_t count;
    int done;

    do {
        done = clone_batch(db, layout, behind, size, rows, &count, call);
        for (size_t i = 0; i < count; i++) {
            behind = rows[i].start;
            rows[i].layout = fresh;
        }
        if (done == 0 && count > 0)
            done = row_insert_many(db, &extent_table, rows, count, call);
        for (size_t i = 0; i < count; i++)
            extent_row_release(&rows[i]);
    } while (done == 0 && count == WALK_BATCH);
    if (done == 0)
        *ret = fresh;
    return done;
}

int layout_make_own(struct db *db, struct object_row *o, struct call *call)
{
    if (o->layout == 0) {
        o->layout = index_new_id();
        return 0;
    }
    int shared = layout_shared(db, o->layout, o->id, call);
    if (shared <= 0)
        return shared;
    return layout_clone(db, o->layout, (uint64_t)o->size, &o->layout, call);
}

/* Where the bytes of a layout end. */
static int layout_end(struct db *db, int64_t layout, uint64_t *ret, struct call *call)
{
    struct db_statement *find;

    if (db_prepare(db,
                   "SELECT start + length FROM extent WHERE layout = ?1 ORDER BY start DESC "
                   "LIMIT 1",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, layout);
    int row = db_step(find, call);
    if (row >= 0)
        *ret = row > 0 ? (uint64_t)db_column_int(find, 0) : 0;
    return row < 0 ? -1 : 0;
}

int layout_make_growable(struct service *service, struct db *db, struct object_row *o, int64_t now,
                         struct call *call)
{
    int64_t old = o->layout;
    uint64_t end;

    if (old == 0) {
        o->layout = index_new_id();
        return 0;
    }
    if (layout_end(db, old, &end, call) < 0)
        return -1;
    if (end <= (uint64_t)o->size)
        return 0;
    int shared = layout_shared(db, old, o->id, call);
    if (shared < 0)
        return -1;
    if (shared == 0) /* what lies beyond belongs to nobody any more */
        return layout_cut(service, db, old, (uint64_t)o->size, end, now, call);
    return layout_clone(db, old, (uint64_t)o->size, &o->layout, call);
}

/* ---- Cutting ---- */

struct extents {
    struct extent_row *list;
    size_t count;
    size_t size;
};
static void extents_release(struct extents *x)
{
    for (size_t i = 0; i < x->count; i++)
        extent_row_release(&x->list[i]);
    free(x->list);
}

static int find_overlapping(struct db *db, int64_t layout, uint64_t offset, uint64_t end,
                            struct extents *into, struct call *call)
{
    struct db_statement *find;
    int row;

    if (select_rows(db, &extent_table,
                    "WHERE layout = ?1 AND start < ?2 AND start + length > ?3 AND start >= "
                    "COALESCE((SELECT MAX(start) FROM extent WHERE layout = ?1 AND start <= ?3), "
                    "0) ORDER BY start",
                    &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, layout);
    db_bind_int(find, 2, (int64_t)end);
    db_bind_int(find, 3, (int64_t)offset);
    while ((row = db_step(find, call)) > 0) {
        if (into->count == into->size) {
            into->size = into->size ? 2 * into->size : 16;
            into->list = xrealloc(into->list, into->size, sizeof(*into->list));
        }
        into->list[into->count] = extent_row_new();
        row_read(&extent_table, find, 0, &into->list[into->count++]);
    }
    return row;
}

/* What an extent keeps before offset and from end on. */
static int cut_one(struct db *db, const struct extent_row *x, uint64_t offset, uint64_t end,
                   struct call *call)
{
    uint64_t start = (uint64_t)x->start, stop = start + (uint64_t)x->length;

    if (start < offset) {
        struct extent_row left = *x;
        left.length = (int64_t)(offset - start);
        if (row_update(db, &extent_table, &left, call) < 0)
            return -1;
    } else if (row_delete(db, &extent_table, x, call) < 0) {
        return -1;
    }
    if (stop <= end)
        return 0;
    return extent_add(db, x->layout, end, stop - end, x->piece,
                      (uint64_t)x->piece_start + (end - start), x->block, call);
}

int layout_cut(struct service *service, struct db *db, int64_t layout, uint64_t offset,
               uint64_t end, int64_t now, struct call *call)
{
    cleanup(extents_release) struct extents x = {0};

    if (offset >= end)
        return 0;
    if (find_overlapping(db, layout, offset, end, &x, call) < 0)
        return -1;
    for (size_t i = 0; i < x.count; i++)
        if (cut_one(db, &x.list[i], offset, end, call) < 0)
            return -1;
    for (size_t i = 0; i < x.count; i++)
        if (piece_let_go(service, db, x.list[i].piece, now, call) < 0)
            return -1;
    return 0;
}
