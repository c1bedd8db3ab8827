// SPDX-License-Identifier: EUPL-1.2
/*
 * What a move would do, found by listing the source; nothing is written at either end.
 *
 * The listing goes into a ledger of its own (an SQLite database that is thrown away), so that
 * collisions of target names are found however many objects there are.
 */
#ifndef MOVE_PLAN_H
#define MOVE_PLAN_H

#include "move/move.h"

struct move_plan {
    struct ledger_tally current;
    struct ledger_tally snapshots;
    struct ledger_tally versions;
    struct ledger_tally soft_deleted;
    struct ledger_tally archived;
    struct ledger_tally append;
    struct ledger_tally page;
    struct ledger_tally mapped;     /* arrive under another name, with a side-car */
    struct ledger_tally collisions; /* of those refused: another one has the target name */
    int64_t largest;
};

/* ledger is empty and the caller's; *ret_job (release it) has the counts: what would be moved is
 * PENDING, refusals and collisions are REFUSED. */
must_check int move_plan(struct ledger *l, const struct move_options *options,
                         struct move_progress *progress, struct move_plan *ret,
                         struct ledger_job *ret_job, struct call *call);

/* For the lister. */
void plan_count(struct move_plan *plan, const struct object *o, bool mapped);

#endif
