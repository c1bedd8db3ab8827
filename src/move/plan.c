// SPDX-License-Identifier: EUPL-1.2
/* What a move would do: see plan.h. */
#include "move/plan.h"

#include <stdio.h>

#include "move/mover.h"

static void add(struct ledger_tally *t, const struct object *o)
{
    t->objects++;
    t->bytes += (int64_t)o->size;
}

void plan_count(struct move_plan *plan, const struct object *o, bool mapped)
{
    struct ledger_tally *kinds[] = {
        [VERSION_CURRENT] = &plan->current,
        [VERSION_ID] = &plan->versions,
        [VERSION_SNAPSHOT] = &plan->snapshots,
        [VERSION_DELETED] = &plan->soft_deleted,
        [VERSION_MARKER] = NULL,
    };

    if (kinds[o->kind])
        add(kinds[o->kind], o);
    if (o->kind != VERSION_CURRENT)
        return;
    if (o->archived)
        add(&plan->archived, o);
    if (o->type == OBJECT_APPEND)
        add(&plan->append, o);
    if (o->type == OBJECT_PAGE)
        add(&plan->page, o);
    if (mapped)
        add(&plan->mapped, o);
    if ((int64_t)o->size > plan->largest)
        plan->largest = (int64_t)o->size;
}

/* Ask whether the target can have the container at all; only looks. */
static int look_at_target(struct mover *m, const struct ledger_container *c, bool *ret_versions,
                          struct call *call)
{
    auto_container struct container there = CONTAINER_INIT;

    *ret_versions = false;
    if (!m->target->containers || store_container_stat(m->target, c->target, &there, call) == 0) {
        *ret_versions = there.versioning && !m->target->traits.notes_versioning;
        return 0;
    }
    struct err why = call->err;
    err_clear(&call->err);
    if (why.code == ERR_NAME || why.code == ERR_DENIED)
        return ledger_container_refuse(m->ledger, c->id, why.code, why.text, call);
    if (why.code == ERR_NOT_FOUND)
        return 0;
    call->err = why;
    return -1;
}

static int look_at_containers(struct mover *m, struct call *call)
{
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        struct mover_container ready;
        int n = ledger_containers(m->ledger, ledger_job_id(m->ledger), after, &c, 1, call);
        if (n <= 0)
            return n;
        after = c.id;
        ready = (struct mover_container){.id = c.id};
        if (look_at_target(m, &c, &ready.versions, call) < 0)
            return -1;
        ready.source = xstrdup(c.source);
        ready.target = xstrdup(c.target);
        mover_container_add(m, &ready);
    }
}

int move_plan(struct ledger *l, const struct move_options *options, struct move_progress *progress,
              struct move_plan *ret, struct ledger_job *ret_job, struct call *call)
{
    cleanup(mover_release) struct mover m;
    struct ledger_start how = {
        .source = options->source_text, .target = options->target_text, .options = "{}"};
    char id[32];
    int result;

    *ret = (struct move_plan){0};
    mover_init(&m, l, options, progress);
    m.plan = ret;
    if (ledger_start(l, &how, NULL, call) < 0)
        return -1;
    result = containers_note(&m, call) < 0 || look_at_containers(&m, call) < 0 ||
                     scan_containers(&m, call) < 0
                 ? -1
                 : 0;
    if (result == 0 && mover_draining(&m, call))
        result = err_set(&call->err, ERR_CANCELLED, "stopped on request");
    (void)snprintf(id, sizeof(id), "%lld", (long long)ledger_job_id(l));
    return result < 0 ? -1 : ledger_job_find(l, id, ret_job, call);
}
