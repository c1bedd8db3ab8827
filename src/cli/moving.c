// SPDX-License-Identifier: EUPL-1.2
/* A move as the commands run it: see moving.h. */
#include "cli/moving.h"

#include <inttypes.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/summary.h"
#include "move/report.h"
#include "util/thread.h"

static int exit_code_of_job(struct ledger *l, const struct ledger_job *job)
{
    struct call call = CALL_INIT;

    if (job->state == LEDGER_JOB_INTERRUPTED)
        return EXIT_INTERRUPTED;
    if (job->state != LEDGER_JOB_DONE || job->counts.by[LEDGER_FAILED].objects)
        return EXIT_FAILED;
    return job->counts.by[LEDGER_REFUSED].objects || report_refused_containers(l, job, &call) != 0
               ? EXIT_REFUSALS
               : EXIT_OK;
}

/* What ended the job, or kept it from being done, in one line on standard error. */
static void say_why(const struct ledger_job *job, struct move_progress *progress)
{
    struct err why = {0};
    int64_t failed = job->counts.by[LEDGER_FAILED].objects;

    if (job->state == LEDGER_JOB_FAILED && job->error) {
        (void)err_set(&why, ERR_INTERNAL, "move: %s", job->error);
    } else if (job->state == LEDGER_JOB_DONE && failed) {
        locked(&progress->lock);
        (void)err_set(&why, ERR_INTERNAL,
                      "move: %" PRId64 " object%s failed, the latest one: %s (run the same command "
                      "again, or see bascule report %s)",
                      failed, failed == 1 ? "" : "s", progress->last_trouble, job->name);
    } else {
        return;
    }
    complain(&why);
}

int moving_run(struct ledger *l, const struct move_options *options, bool json,
               struct ledger_job *ret, struct call *call)
{
    struct move_progress progress;
    struct display display;

    move_progress_init(&progress);
    display_start(&display,
                  json                    ? DISPLAY_JSON
                  : isatty(STDERR_FILENO) ? DISPLAY_TERMINAL
                                          : DISPLAY_LINES,
                  &progress);
    int ran = move_run(l, options, &progress, ret, call);
    display_stop(&display);
    if (ran == 0) {
        if (json)
            say_json(summary_json(ret, "end"));
        else
            summary_print(l, ret);
        say_why(ret, &progress);
    }
    move_progress_release(&progress);
    return ran < 0 ? -1 : exit_code_of_job(l, ret);
}
