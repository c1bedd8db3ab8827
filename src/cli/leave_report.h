// SPDX-License-Identifier: EUPL-1.2
/*
 * What bascule leave writes besides each account's report: summary.html for people, summary.json
 * for programs, what stays behind of each account, and one manifest of everything.
 * docs/formats/report.md describes them.
 */
#ifndef CLI_LEAVE_REPORT_H
#define CLI_LEAVE_REPORT_H

#include "cli/estate.h"
#include "cli/report_files.h"
#include "move/verify.h"

/* What became of one account. */
struct leave_outcome {
    const struct estate_account *account;
    struct ledger_job job; /* owned; name NULL: not begun */
    int moved;             /* exit codes */
    int proven;            /* -1: not verified */
    struct verify_result verified;
};

struct leave_summary {
    const char *target;
    bool history;
    bool interrupted;
    struct leave_outcome *outcomes;
    size_t count;
};

/* The exit code of all: the worst of its accounts'. */
int leave_exit_code(const struct leave_summary *s);
/* An account's "stays.json". */
must_check int leave_write_stays(const struct estate_account *a, const char *folder, struct err *e);
/* summary.json and summary.html. */
must_check int leave_write_summary(const struct leave_summary *s, const char *signer,
                                   const char *folder, struct err *e);
/* The last lines on standard output. */
void leave_print(const struct leave_summary *s, const char *folder, bool json);

#endif
