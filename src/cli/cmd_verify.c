// SPDX-License-Identifier: EUPL-1.2
/* bascule verify: by content, source against target or a job's ledger against its target. */
#include "cli/cli.h"
#include "cli/endpoint.h"
#include "cli/proof.h"
#include "util/log.h"

struct verify_arguments {
    struct common_options common;
    int64_t workers;
};

static int against_ledger(const struct verify_arguments *a, const struct config *config,
                          const char *name, struct proof_request *p, struct call *call)
{
    cleanup(ledger_close_p) struct ledger *l = NULL;
    auto_ledger_job struct ledger_job job = {0};
    auto_endpoint struct endpoint target = {0};

    if (ledger_open_read(a->common.ledger ? a->common.ledger : config->ledger, &l, call) < 0 ||
        ledger_job_find(l, name, &job, call) < 0 ||
        endpoint_open(config, job.target, STORE_READ, &target, call) < 0)
        return -1;
    p->options.target = target.store;
    return proof_of_job(l, &job, p, NULL, call);
}

static int against_source(const struct config *config, const char *const ends[2],
                          struct proof_request *p, struct call *call)
{
    auto_endpoint struct endpoint source = {0}, target = {0};
    auto_pairs struct pairs containers = PAIRS_INIT;
    struct verify_options *o = &p->options;

    if (endpoint_open(config, ends[0], STORE_READ, &source, call) < 0 ||
        endpoint_open(config, ends[1], STORE_READ, &target, call) < 0)
        return -1;
    o->source = source.store;
    o->target = target.store;
    o->source_container = source.container;
    o->target_container = target.container;
    o->prefix = source.prefix;
    endpoint_containers(&source, &target, &containers);
    o->containers = &containers;
    return proof_of_stores(p, call);
}

static int run(const struct verify_arguments *a, const char *const ends[2], int count,
               struct call *call)
{
    auto_config struct config config = {0};
    struct proof_request request = {.workers = a->workers, .json = a->common.json};

    if (config_load(a->common.config, &config, &call->err) < 0)
        return -1;
    return count == 1 ? against_ledger(a, &config, ends[0], &request, call)
                      : against_source(&config, ends, &request, call);
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct verify_arguments a = {0};
    const char *ends[2];
    struct call call = {.cancel = &signal_stop};
    int count = 0;
    const struct option_spec specs[] = {
        {"workers", 'w', OPTION_WORKERS, &a.workers, "N", "objects at once (16)"},
    };
    int parsed = options_parse(self, &a.common, specs, ARRAY_SIZE(specs), argc, argv, ends, 2,
                               &count, &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed == 0 && count == 0)
        parsed =
            err_set(&call.err, ERR_INVALID, "verify: a job, or a source and a target, are wanted");
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    if (a.common.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    int code = run(&a, ends, count, &call);
    return command_end(code, &call.err);
}

const struct command command_verify = {
    .name = "verify",
    .arguments = "JOB | SOURCE TARGET",
    .summary = "Compare by content, writing nothing",
    .text = "With a job, the target is read and compared with the SHA-256 in the ledger.  With a "
            "source and a\ntarget, both are read: bytes, type, content headers, metadata and tags, "
            "and what only the\ntarget has.  Exit status: 4 when something differs.",
    .run = command_run,
};
