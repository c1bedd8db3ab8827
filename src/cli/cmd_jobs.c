// SPDX-License-Identifier: EUPL-1.2
/* bascule jobs: lists the jobs of a ledger, or forgets one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/configuration.h"
#include "cli/summary.h"
#include "codec/date.h"
#include "codec/size.h"

#define PAGE 50

static void print_job(const struct ledger_job *job)
{
    char when[DATE_TEXT], size[SIZE_TEXT];
    int64_t settled = 0;

    for (int state = LEDGER_MOVED; state <= LEDGER_FAILED; state++)
        settled += job->counts.by[state].objects;
    date_iso8601(when, sizeof(when), job->updated, 0);
    size_text(size, sizeof(size), (uint64_t)job->counts.listed.bytes);
    printf("%4" PRId64 "  %-24s %-11s %s  %" PRId64 " of %" PRId64 " objects, %s, %" PRId64
           " refused, %" PRId64 " failed  %s -> %s\n",
           job->id, job->name, ledger_job_state_word(job->state), when, settled,
           job->counts.listed.objects, size, job->counts.by[LEDGER_REFUSED].objects,
           job->counts.by[LEDGER_FAILED].objects, job->source, job->target);
}

static int list_jobs(struct ledger *l, bool json, struct call *call)
{
    struct ledger_job jobs[PAGE] = {0};
    json_t *list = json_array();
    int64_t after = 0;
    int n, total = 0;

    while ((n = ledger_jobs(l, after, jobs, PAGE, call)) > 0) {
        for (int i = 0; i < n; i++) {
            after = jobs[i].id;
            if (json)
                (void)json_array_append_new(list, summary_json(&jobs[i], "job"));
            else
                print_job(&jobs[i]);
            ledger_job_release(&jobs[i]);
        }
        total += n;
    }
    if (json)
        say_json(json_incref(list));
    else if (n == 0 && total == 0)
        printf("no jobs yet\n");
    json_decref(list);
    return n < 0 ? -1 : EXIT_OK;
}

static int forget(const char *url, const char *name, bool json, struct call *call)
{
    cleanup(ledger_close_p) struct ledger *l = NULL;
    auto_ledger_job struct ledger_job job = {0};

    if (ledger_open(url, &l, call) < 0 || ledger_job_find(l, name, &job, call) < 0 ||
        ledger_job_delete(l, job.id, call) < 0)
        return -1;
    if (!json) {
        printf("job %s is forgotten; nothing was deleted at its target\n", job.name);
        return EXIT_OK;
    }
    say_json(summary_json(&job, "forgotten"));
    return EXIT_OK;
}

static int run(const struct common_options *common, const char *drop, struct call *call)
{
    auto_config struct config config = {0};
    cleanup(ledger_close_p) struct ledger *l = NULL;

    if (config_load(common->config, &config, &call->err) < 0)
        return -1;
    const char *url = common->ledger ? common->ledger : config.ledger;
    if (drop)
        return forget(url, drop, common->json, call);
    if (ledger_open_read(url, &l, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND || common->ledger)
            return -1;
        err_clear(&call->err);
        printf(common->json ? "[]\n" : "no jobs yet\n");
        return EXIT_OK;
    }
    return list_jobs(l, common->json, call);
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct common_options common = {0};
    const char *drop = NULL;
    struct call call = CALL_INIT;
    int count;
    const struct option_spec specs[] = {
        {"forget", 0, OPTION_TEXT, &drop, "JOB", "drop this job from the ledger"},
    };
    int parsed = options_parse(self, &common, specs, ARRAY_SIZE(specs), argc, argv, NULL, 0, &count,
                               &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    return command_end(run(&common, drop, &call), &call.err);
}

const struct command command_jobs = {
    .name = "jobs",
    .arguments = "",
    .summary = "List the jobs of the ledger",
    .run = command_run,
};
