// SPDX-License-Identifier: EUPL-1.2
/* A move as the commands run it: with its display, its summary and its exit code. */
#ifndef CLI_MOVING_H
#define CLI_MOVING_H

#include "move/move.h"

/* Runs the move, shows how it gets on and what it came to; an exit code, or -1 when it could not be
 * run at all.  *ret is the job. */
must_check int moving_run(struct ledger *l, const struct move_options *options, bool json,
                          struct ledger_job *ret, struct call *call);

#endif
