// SPDX-License-Identifier: EUPL-1.2
/*
 * Deletes at the target what vanished at the source: only what this ledger moved there, only while
 * the target still holds exactly that, and never after an incomplete listing.
 */
#include <string.h>

#include "move/mover.h"

#define ROWS 200

static int delete_one(struct mover *m, const struct ledger_object *row, bool *ret_deleted,
                      struct call *call)
{
    struct mover_container c = mover_container_of(m, row->container);
    struct object_key key = {.container = c.target, .name = row->target};

    *ret_deleted = false;
    if (!row->target_etag || !c.target || name_of_version(row->target))
        return 0;
    if (store_remove(m->target, &key, row->target_etag, call) < 0) {
        enum err_code code = call->err.code;
        if (code != ERR_CHANGED && code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        if (code == ERR_CHANGED)
            return 0; /* somebody wrote there since: not ours to delete */
    }
    *ret_deleted = true;
    auto_free char *sidecar = name_of_sidecar(&m->target->traits, row->target);
    struct object_key beside = {.container = c.target, .name = sidecar};
    if (!m->target->traits.holds_everything && store_remove(m->target, &beside, NULL, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
    }
    return 0;
}

static int delete_page(struct mover *m, const struct ledger_rows *rows, struct call *call)
{
    int64_t ids[ROWS];
    size_t n = 0;
    int result = 0;

    for (size_t i = 0; i < rows->count && result == 0; i++) {
        bool deleted;
        result = delete_one(m, &rows->list[i], &deleted, call);
        if (result == 0 && deleted)
            ids[n++] = rows->list[i].id;
    }
    if (n && ledger_mark_deleted(m->ledger, ids, n, call) < 0)
        return -1;
    return result;
}

/* What was not listed this time may be there again. */
static int refuse_unlisted(struct mover *m, struct call *call)
{
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        int n = ledger_containers(m->ledger, ledger_job_id(m->ledger), after, &c, 1, call);
        if (n <= 0)
            return n;
        after = c.id;
        if (c.code != ERR_NONE && !c.gone)
            return err_set(&call->err, ERR_CONFLICT,
                           "nothing is deleted: container '%s' could not be listed", c.source);
    }
}

int delete_gone(struct mover *m, struct call *call)
{
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    int64_t after = 0;
    bool complete;

    if (ledger_list_done(m->ledger, &complete, call) < 0)
        return -1;
    if (!complete)
        return err_set(&call->err, ERR_CONFLICT,
                       "nothing is deleted: the source's listing is not complete");
    if (refuse_unlisted(m, call) < 0)
        return -1;
    for (;;) {
        if (mover_draining(m, call))
            return err_set(&call->err, ERR_CANCELLED, "stopped on request");
        if (ledger_troubles(m->ledger, ledger_job_id(m->ledger), after, LEDGER_MASK(LEDGER_GONE),
                            ROWS, &rows, call) < 0)
            return -1;
        if (rows.count == 0)
            return 0;
        after = rows.list[rows.count - 1].id;
        if (delete_page(m, &rows, call) < 0)
            return -1;
    }
}
