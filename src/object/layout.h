// SPDX-License-Identifier: EUPL-1.2
/*
 * Layouts that change: what append and page objects do to the extents of a body in place.
 *
 * A layout may belong to several rows of table object (snapshots, versions, copies).  A row that
 * changes bytes others may see takes a layout of its own first.  Who wants to share one holds the
 * lock of a row that has it, so that a row found alone under its lock stays alone until the end of
 * the transaction.
 *
 * Extents of one layout never overlap.  Everything here runs inside a write, with the object's row
 * locked.  Only service code includes this.
 */
#ifndef OBJECT_LAYOUT_H
#define OBJECT_LAYOUT_H

#include "object/object_private.h"

/* 1 when another row of table object has this layout too, and keeps it until the end of this
 * transaction; 0 not, -1. */
must_check int layout_shared(struct db *db, int64_t layout, int64_t object, struct call *call);
/* A fresh layout with the extents of another below size; the pieces are shared. */
must_check int layout_clone(struct db *db, int64_t layout, uint64_t size, int64_t *ret,
                            struct call *call);
/* Make sure nobody else sees what happens to o's layout: o->layout may change (the caller updates
 * the row). */
must_check int layout_make_own(struct db *db, struct object_row *o, struct call *call);
/* Make sure that extents may be added from o->size on.  The layout may stay shared, because extents
 * beyond a row's size do not count for it; it may not when somebody else grew it there.  The old
 * layout, when o->layout changes, stays with whom it belongs to, or goes. */
must_check int layout_make_growable(struct service *service, struct db *db, struct object_row *o,
                                    int64_t now, struct call *call);
/* Nothing lies in [offset, end) afterwards: what overlaps is cut, pieces nobody needs go. */
must_check int layout_cut(struct service *service, struct db *db, int64_t layout, uint64_t offset,
                          uint64_t end, int64_t now, struct call *call);

/* The bytes are others now: what was computed over all of them no longer holds. */
void body_changed(struct object_row *o);

/* ---- Walking along the extents ---- */

/* An extent as a walk gives it, cut to the walk's bounds. */
struct stretch {
    uint64_t start;
    uint64_t end;
    int64_t piece;
    uint64_t piece_start;
};

#define WALK_BATCH 256
struct walk {
    int64_t layout;
    uint64_t at;  /* where the next batch begins */
    uint64_t end; /* exclusive */
    struct stretch batch[WALK_BATCH];
    size_t count;
    size_t next;
    bool last; /* the batch is the last one */
};
void walk_init(struct walk *w, int64_t layout, uint64_t from, uint64_t end);
/* The next stretch in order: 1, 0 no more, -1. */
must_check int walk_next(struct walk *w, struct db *db, struct stretch *ret, struct call *call);

#endif
