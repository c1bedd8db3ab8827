// SPDX-License-Identifier: EUPL-1.2
/* Which pages hold bytes, and which differ from an earlier snapshot: see ranges.h. */
#include <string.h>

#include "object/layout.h"
#include "object/ranges.h"

#define LIMIT_MAX 10000

void page_ranges_release(struct page_ranges *l)
{
    free(l->list);
    object_row_release(&l->object);
    *l = (struct page_ranges){.object = object_row_new()};
}

struct ranges_task {
    const struct place *place;
    const struct conditions *conditions;
    uint64_t offset;
    uint64_t length;
    const char *previous;
    unsigned limit;
    struct page_ranges *ret;
};

/* One side of a comparison: the stretch that covers or follows where we are. */
struct side {
    struct walk walk;
    struct stretch now;
    bool there;
};

static int side_advance(struct side *s, struct db *db, uint64_t at, struct call *call)
{
    while (!s->there || s->now.end <= at) {
        int found = walk_next(&s->walk, db, &s->now, call);
        if (found <= 0) {
            s->there = false;
            s->now = (struct stretch){.start = UINT64_MAX, .end = UINT64_MAX};
            return found;
        }
        s->there = true;
    }
    return 0;
}

static bool covers(const struct side *s, uint64_t at)
{
    return s->there && s->now.start <= at;
}

/* Up to where a side stays as it is at this place. */
static uint64_t edge(const struct side *s, uint64_t at)
{
    return covers(s, at) ? s->now.end : s->now.start;
}

enum difference { SAME, WRITTEN, CLEARED };

static enum difference compare(const struct side *a, const struct side *b, uint64_t at)
{
    if (!covers(a, at))
        return covers(b, at) ? CLEARED : SAME;
    if (!covers(b, at) || a->now.piece != b->now.piece ||
        a->now.piece_start + (at - a->now.start) != b->now.piece_start + (at - b->now.start))
        return WRITTEN;
    return SAME;
}

/* Joins what touches; false when the list is full. */
static bool add_range(struct page_ranges *l, uint64_t from, uint64_t end, bool clear,
                      unsigned limit)
{
    struct page_range *last = l->count ? &l->list[l->count - 1] : NULL;

    if (last && last->last + 1 == from && last->clear == clear) {
        last->last = end - 1;
        return true;
    }
    if (l->count == limit)
        return false;
    if (l->count == l->size) {
        l->size = l->size ? 2 * l->size : 16;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    l->list[l->count++] = (struct page_range){from, end - 1, clear};
    return true;
}

/* Walks both sides from edge to edge. */
static int differences(struct db *db, struct side *a, struct side *b, uint64_t at, uint64_t end,
                       unsigned limit, struct page_ranges *ret, struct call *call)
{
    while (at < end) {
        if (side_advance(a, db, at, call) < 0 || side_advance(b, db, at, call) < 0)
            return -1;
        if (!a->there && !b->there)
            break;
        uint64_t next = edge(a, at) < edge(b, at) ? edge(a, at) : edge(b, at);
        if (next > end)
            next = end;
        enum difference d = compare(a, b, at);
        if (d != SAME && !add_range(ret, at, next, d == CLEARED, limit)) {
            ret->next = at;
            return 0;
        }
        at = next;
    }
    return 0;
}

/* The layout and size to compare with; nothing where nothing is asked. */
static int find_previous(struct db *db, const struct ranges_task *task, int64_t *ret_layout,
                         uint64_t *ret_size, struct call *call)
{
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    struct place place = *task->place;

    *ret_layout = 0;
    *ret_size = 0;
    if (!task->previous)
        return 0;
    if (place.kind == VERSION_SNAPSHOT && strcmp(task->previous, place.version) > 0)
        return fault_set(&call->err, FAULT_PREVIOUS_SNAPSHOT,
                         "the snapshot to compare with is newer than '%s'", place.version);
    place.kind = VERSION_SNAPSHOT;
    place.version = task->previous;
    if (scene_open(db, &place, SCENE_READ, &s, call) < 0)
        return -1;
    if (!s.found)
        return fault_set(&call->err, FAULT_PREVIOUS_SNAPSHOT, "'%s' has no snapshot '%s'",
                         place.name, task->previous);
    *ret_layout = s.object.layout;
    *ret_size = (uint64_t)s.object.size;
    return 0;
}

static int ranges_read(struct db *db, void *argument, struct call *call)
{
    const struct ranges_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    const struct object_row *o = &s.object;
    int64_t previous;
    uint64_t previous_size;

    page_ranges_release(task->ret);
    task->ret->next = UINT64_MAX;
    if (scene_find(db, task->place, SCENE_READ, &s, call) < 0 ||
        lease_check(o, task->conditions->lease, false, s.now, &call->err) < 0 ||
        conditions_check_read(task->conditions, o, &call->err) < 0)
        return -1;
    if (o->type != OBJECT_PAGE)
        return fault_set(&call->err, FAULT_TYPE, "'%s' is not a page object", o->name);
    if (find_previous(db, task, &previous, &previous_size, call) < 0)
        return -1;
    uint64_t size = (uint64_t)o->size;
    if (task->offset > 0 && task->offset >= size)
        return fault_set(&call->err, FAULT_RANGE, "the range begins behind the end of '%s'",
                         o->name);
    /* Whole pages, as the pages are what is asked about. */
    uint64_t from = task->offset - task->offset % PAGE_SIZE_BYTES;
    uint64_t end = size;
    if (task->length < size - task->offset)
        end =
            (task->offset + task->length + PAGE_SIZE_BYTES - 1) / PAGE_SIZE_BYTES * PAGE_SIZE_BYTES;
    auto_free struct side *sides = xcalloc(2, sizeof(*sides));
    walk_init(&sides[0].walk, o->layout, from, end);
    walk_init(&sides[1].walk, previous, from, end < previous_size ? end : previous_size);
    row_copy(&object_table, &task->ret->object, o);
    return differences(db, &sides[0], &sides[1], from, end, task->limit, task->ret, call);
}

int service_page_ranges(struct service *service, const struct place *place,
                        const struct conditions *conditions, uint64_t offset, uint64_t length,
                        const char *previous, unsigned limit, struct page_ranges *ret,
                        struct call *call)
{
    auto_page_ranges struct page_ranges found = {.object = object_row_new()};
    unsigned bound = limit == 0 || limit > LIMIT_MAX ? LIMIT_MAX : limit;
    struct ranges_task task = {place, conditions, offset, length, previous, bound, &found};

    if (service_read_index(service, ranges_read, &task, call) < 0)
        return -1;
    *ret = found;
    found = (struct page_ranges){.object = object_row_new()};
    return 0;
}
