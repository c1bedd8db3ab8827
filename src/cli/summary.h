// SPDX-License-Identifier: EUPL-1.2
/* What a job came to: as text for people on standard output, or as JSON for programs. */
#ifndef CLI_SUMMARY_H
#define CLI_SUMMARY_H

#include <jansson.h>

#include "move/ledger.h"

void summary_print(struct ledger *l, const struct ledger_job *job);
/* What the source has that is no object, and so was left out: up to most lines. */
must_check int summary_left_out(struct ledger *l, const struct ledger_job *job, int64_t most,
                                struct call *call);
/* The job and its counts as JSON, "event" with this word (a new reference). */
json_t *summary_json(const struct ledger_job *job, const char *event);

#endif
