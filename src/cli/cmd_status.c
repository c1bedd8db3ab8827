// SPDX-License-Identifier: EUPL-1.2
/* bascule status: how one job stands, once or again and again. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/configuration.h"
#include "cli/summary.h"
#include "codec/size.h"

#define RATE_SPAN      (60 * CLOCK_SECOND)
#define WATCH_INTERVAL (2 * CLOCK_SECOND)

static void print_rate(struct ledger *l, const struct ledger_job *job, struct call *call)
{
    double objects, bytes;
    char speed[SIZE_TEXT];

    if (ledger_rate(l, job->id, RATE_SPAN, &objects, &bytes, call) < 0) {
        err_clear(&call->err);
        return;
    }
    size_text(speed, sizeof(speed), (uint64_t)bytes);
    printf("  at work: %d process%s (first: %s, pid %" PRId64 "), %.0f objects/s, %s/s\n",
           job->workers, job->workers == 1 ? "" : "es", job->worker_host ? job->worker_host : "?",
           job->worker_pid, objects, speed);
}

static bool is_running(const struct ledger_job *job)
{
    return job->workers > 0;
}

static int show(const char *url, const char *name, bool json, bool watch, struct call *call)
{
    cleanup(ledger_close_p) struct ledger *l = NULL;

    if (ledger_open_read(url, &l, call) < 0)
        return -1;
    for (;;) {
        auto_ledger_job struct ledger_job job = {0};
        if (ledger_job_find(l, name, &job, call) < 0)
            return -1;
        if (watch && !json && isatty(STDOUT_FILENO))
            printf("\033[H\033[2J");
        if (json)
            say_json(summary_json(&job, "status"));
        else
            summary_print(l, &job);
        if (job.error && !json)
            printf("  stopped because: %s\n", job.error);
        if (is_running(&job) && !json)
            print_rate(l, &job, call);
        (void)fflush(stdout);
        if (!watch || !is_running(&job))
            return EXIT_OK;
        if (call_sleep(call, WATCH_INTERVAL) < 0)
            return EXIT_OK; /* Ctrl-C ends the watching, not the job */
    }
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct common_options common = {0};
    auto_config struct config config = {0};
    const char *job = NULL;
    bool watch = false;
    struct call call = {.cancel = &signal_drain};
    int count = 0;
    const struct option_spec specs[] = {
        {"watch", 'w', OPTION_FLAG, &watch, NULL, "show it again and again while it runs"},
    };
    int parsed = options_parse(self, &common, specs, ARRAY_SIZE(specs), argc, argv, &job, 1, &count,
                               &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed == 0 && count != 1)
        parsed = err_set(&call.err, ERR_INVALID,
                         "status: which job? bascule jobs lists their names and numbers");
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    signals_watch();
    int code = config_load(common.config, &config, &call.err);
    if (code == 0)
        code = show(common.ledger ? common.ledger : config.ledger, job, common.json, watch, &call);
    return command_end(code, &call.err);
}

const struct command command_status = {
    .name = "status",
    .arguments = "JOB",
    .summary = "Show how a job stands",
    .run = command_run,
};
