// SPDX-License-Identifier: EUPL-1.2
/*
 * "Already there" means that both ends still hold what the ledger says.  The listing has compared
 * the source's ETags; this compares the target's, and puts back to pending what changed or is gone.
 *
 * Both sides come in the order of their names, so one walk over the target's listing beside the
 * ledger's rows is enough; only what the walk cannot settle is asked for one by one.
 */
#include <string.h>

#include "move/mover.h"
#include "move/walk.h"

#define ROWS 1000

struct confirming {
    struct mover *mover;
    const struct mover_container *container;
    struct walk walk; /* over the target */
    int64_t requeue[ROWS];
    size_t requeue_count;
    int64_t requeued; /* all in all */
};

static int requeue(struct confirming *w, const struct ledger_object *row, struct call *call)
{
    struct move_progress *p = w->mover->progress;

    atomic_fetch_sub(row->state == LEDGER_ALREADY ? &p->already : &p->moved, 1);
    atomic_fetch_sub(&p->settled, 1);
    atomic_fetch_sub(&p->settled_bytes, row->size);
    w->requeue[w->requeue_count++] = row->id;
    w->requeued++;
    if (w->requeue_count < ROWS)
        return 0;
    w->requeue_count = 0;
    return ledger_requeue(w->mover->ledger, w->requeue, ROWS, NULL, call);
}

/* Ask the target itself. */
static int ask(struct confirming *w, const struct ledger_object *row, struct call *call)
{
    auto_object struct object there = OBJECT_INIT;
    struct object_key key = {.container = w->container->target, .name = row->target};

    if (name_of_version(row->target))
        return 0; /* a version is not changed by anybody; its id is the target's own */
    if (store_stat(w->mover->target, &key, &there, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return requeue(w, row, call);
    }
    return same_string(there.etag, row->target_etag) ? 0 : requeue(w, row, call);
}

static int confirm_row(struct confirming *w, const struct ledger_object *row, struct call *call)
{
    const struct object *there;

    if (!w->mover->target->traits.lists_in_order || strcmp(row->target, row->name) != 0)
        return ask(w, row, call);
    if (walk_find(&w->walk, row->name, &there, call) < 0)
        return -1;
    if (there && same_string(there->etag, row->target_etag))
        return 0;
    return ask(w, row, call); /* some listings know no ETag, or another one */
}

static int confirm_container(struct mover *m, const struct mover_container *c, unsigned mask,
                             int64_t *requeued, struct call *call)
{
    struct confirming w = {
        .mover = m,
        .container = c,
        .walk = {.store = m->target, .container = c->target, .prefix = m->options->prefix}};
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    const struct ledger_object *after = NULL;
    int result = 0;

    while (result == 0 && !mover_draining(m, call)) {
        result = ledger_objects(m->ledger, c->id, after, mask, ROWS, &rows, call);
        if (result < 0 || rows.count == 0)
            break;
        for (size_t i = 0; i < rows.count && result == 0; i++)
            result = confirm_row(&w, &rows.list[i], call);
        after = &rows.list[rows.count - 1];
    }
    if (result == 0 && w.requeue_count)
        result = ledger_requeue(m->ledger, w.requeue, w.requeue_count, NULL, call);
    walk_release(&w.walk);
    *requeued += w.requeued;
    return result < 0 ? -1 : 0;
}

int confirm_targets(struct mover *m, struct call *call)
{
    int64_t requeued = 0;

    for (size_t i = 0; i < m->container_count; i++)
        if (confirm_container(m, &m->containers[i], LEDGER_MASK(LEDGER_ALREADY), &requeued, call) <
            0)
            return -1;
    return 0;
}

int confirm_currents(struct mover *m, int64_t *ret_requeued, struct call *call)
{
    int64_t requeued = 0;

    for (size_t i = 0; i < m->container_count; i++)
        if (m->containers[i].versions &&
            confirm_container(m, &m->containers[i], LEDGER_MASK_AT_TARGET, &requeued, call) < 0)
            return -1;
    *ret_requeued = requeued;
    return 0;
}

/* ---- What was deleted ---- */

/* The rows of one name. */
struct name_group {
    const struct mover_container *container;
    char *name;
    bool current;       /* the source has such an object now */
    struct pairs etags; /* of the versions at the target, and their name there */
};

static void name_group_reset(struct name_group *g)
{
    free(take(g->name));
    pairs_release(&g->etags);
    g->etags = (struct pairs)PAIRS_INIT;
    g->current = false;
}

/* A name with versions only was deleted at the source.  Its versions were put as all are, so the
 * last of them lies on top: it goes under a delete marker, if it is still what we put. */
static int settle_name(struct mover *m, struct name_group *g, struct call *call)
{
    auto_object struct object there = OBJECT_INIT;

    if (g->current || !g->etags.count)
        return 0;
    struct object_key key = {.container = g->container->target, .name = g->etags.list[0].value};
    if (store_stat(m->target, &key, &there, call) == 0 &&
        (!there.etag || !pairs_get(&g->etags, there.etag) ||
         store_remove(m->target, &key, there.etag, call) == 0))
        return 0;
    if (call->err.code != ERR_NOT_FOUND && call->err.code != ERR_CHANGED)
        return -1;
    err_clear(&call->err);
    return 0;
}

static int add_to_name(struct mover *m, struct name_group *g, const struct ledger_object *row,
                       struct call *call)
{
    const char *name = name_of_version(row->target);

    if (!g->name || strcmp(g->name, row->name) != 0) {
        if (settle_name(m, g, call) < 0)
            return -1;
        name_group_reset(g);
        g->name = xstrdup(row->name);
    }
    g->current |= row->kind == LEDGER_CURRENT;
    if (name && row->target_etag && (LEDGER_MASK(row->state) & LEDGER_MASK_AT_TARGET))
        pairs_add(&g->etags, row->target_etag, name);
    return 0;
}

static int settle_container(struct mover *m, struct name_group *g, struct call *call)
{
    const unsigned mask =
        LEDGER_MASK_ALL & ~(LEDGER_MASK(LEDGER_GONE) | LEDGER_MASK(LEDGER_DELETED));
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    const struct ledger_object *after = NULL;

    for (;;) {
        if (mover_draining(m, call))
            return 0;
        if (ledger_objects(m->ledger, g->container->id, after, mask, ROWS, &rows, call) < 0)
            return -1;
        if (rows.count == 0)
            return settle_name(m, g, call);
        for (size_t i = 0; i < rows.count; i++)
            if (add_to_name(m, g, &rows.list[i], call) < 0)
                return -1;
        after = &rows.list[rows.count - 1];
    }
}

int confirm_deleted(struct mover *m, struct call *call)
{
    for (size_t i = 0; i < m->container_count; i++) {
        struct name_group g = {.container = &m->containers[i], .etags = PAIRS_INIT};
        int settled = g.container->versions ? settle_container(m, &g, call) : 0;
        name_group_reset(&g);
        if (settled < 0)
            return -1;
    }
    return 0;
}
