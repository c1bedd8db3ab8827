// SPDX-License-Identifier: EUPL-1.2
/* bascule move: carries containers from one store to another. */
#include <string.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "cli/moving.h"
#include "cli/notebook.h"
#include "util/log.h"

struct move_arguments {
    struct common_options common;
    const char *job;
    const char *verify;
    const char *rehydrate;
    uint64_t rehydrate_bytes;
    uint64_t memory;
    int64_t workers;
    bool fresh;
    bool history;
    bool remove;
};

static int parse(const struct command *self, int argc, char **argv, struct move_arguments *a,
                 const char *ends[2], struct err *e)
{
    int count;
    const struct option_spec specs[] = {
        {"job", 'j', OPTION_TEXT, &a->job, "NAME", "the job's name: go on with it, or begin it"},
        {"new", 0, OPTION_FLAG, &a->fresh, NULL, "begin a new job even where there is one"},
        {"history", 0, OPTION_FLAG, &a->history, NULL, "snapshots and earlier versions too"},
        {"verify", 0, OPTION_TEXT, &a->verify, "HOW",
         "readback: read every object back from the target"},
        {"rehydrate", 0, OPTION_TEXT, &a->rehydrate, "PRIORITY",
         "wake archived objects: Standard or High"},
        {"rehydrate-bytes", 0, OPTION_SIZE, &a->rehydrate_bytes, "SIZE", "wake at most so much"},
        {"delete", 0, OPTION_FLAG, &a->remove, NULL,
         "delete at the target what vanished at the source"},
        {"workers", 'w', OPTION_WORKERS, &a->workers, "N", "objects at once (16)"},
        {"memory", 0, OPTION_SIZE, &a->memory, "SIZE", "bodies held in memory at once (40MiB)"},
    };
    int parsed =
        options_parse(self, &a->common, specs, ARRAY_SIZE(specs), argc, argv, ends, 2, &count, e);

    if (parsed != 0)
        return parsed;
    if (count != 2)
        return err_set(e, ERR_INVALID,
                       "move: a source and a target are wanted, as in bascule move azure:invoices "
                       "ovh:invoices");
    if (a->verify && strcmp(a->verify, "readback") != 0)
        return err_set(e, ERR_INVALID, "move: --verify knows only 'readback', not '%s'", a->verify);
    if (a->rehydrate && strcmp(a->rehydrate, "Standard") != 0 && strcmp(a->rehydrate, "High") != 0)
        return err_set(e, ERR_INVALID, "move: --rehydrate wants Standard or High, not '%s'",
                       a->rehydrate);
    if (a->rehydrate_bytes && !a->rehydrate)
        return err_set(e, ERR_INVALID,
                       "move: --rehydrate-bytes is a budget for --rehydrate Standard or High");
    if (a->job && (!*a->job || strpbrk(a->job, "/\n\r\t\x1b")))
        return err_set(e, ERR_INVALID, "move: --job wants a name without '/'");
    return 0;
}

static void options_of(const struct move_arguments *a, const struct config *config,
                       const struct endpoint *source, const struct endpoint *target,
                       const struct pairs *containers, struct move_options *ret)
{
    *ret = (struct move_options){
        .source = source->store,
        .target = target->store,
        .source_text = source->text,
        .target_text = target->text,
        .source_container = source->container,
        .target_container = target->container,
        .prefix = source->prefix,
        .containers = containers,
        .job = a->job,
        .fresh = a->fresh,
        .workers = (int)(a->workers ? a->workers : (int64_t)config->workers),
        .memory = a->memory ? a->memory : config->memory,
        .history = a->history,
        .readback = a->verify != NULL,
        .rehydrate = a->rehydrate != NULL,
        .rehydrate_priority = a->rehydrate,
        .rehydrate_bytes = a->rehydrate_bytes,
        .wake_poll = (int64_t)config->wake_poll * CLOCK_SECOND,
        .remove = a->remove,
        .drain = &signal_drain,
    };
}

static int run(const struct move_arguments *a, const char *ends[2], struct call *call)
{
    auto_config struct config config = {0};
    auto_endpoint struct endpoint source = {0}, target = {0};
    struct move_options options;
    cleanup(ledger_close_p) struct ledger *ledger = NULL;
    auto_ledger_job struct ledger_job job = {0};
    struct ledger_notebook notebook;
    auto_pairs struct pairs containers = PAIRS_INIT;

    if (config_load(a->common.config, &config, &call->err) < 0 ||
        endpoint_open(&config, ends[0], STORE_READ, &source, call) < 0 ||
        endpoint_open(&config, ends[1], STORE_PLAN, &target, call) < 0 ||
        endpoints_check(&source, &target, &call->err) < 0 ||
        open_ledger(a->common.ledger ? a->common.ledger : config.ledger, &ledger, call) < 0)
        return -1;
    endpoint_keep(&target);
    ledger_notebook_init(&notebook, ledger);
    store_set_notebook(source.store, &notebook.notebook);
    store_set_notebook(target.store, &notebook.notebook);
    endpoint_containers(&source, &target, &containers);
    options_of(a, &config, &source, &target, &containers, &options);
    return moving_run(ledger, &options, a->common.json, &job, call);
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct move_arguments arguments = {0};
    const char *ends[2];
    struct call call = CALL_INIT;
    int parsed = parse(self, argc, argv, &arguments, ends, &call.err);

    if (parsed != 0) {
        if (parsed < 0)
            complain(&call.err);
        return parsed < 0 ? EXIT_USAGE : EXIT_OK;
    }
    if (arguments.common.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    call.cancel = &signal_stop;
    int code = run(&arguments, ends, &call);
    return command_end(code, &call.err);
}

const struct command command_move = {
    .name = "move",
    .arguments = "SOURCE TARGET",
    .summary = "Move containers to another store, with proof",
    .text =
        "SOURCE and TARGET are STORE:, STORE:CONTAINER or (source) STORE:CONTAINER/PREFIX, with "
        "stores from\nthe configuration; a bare Azure URL with its SAS, or a directory.  The "
        "same command again goes on\nwhere it stopped, or moves what changed since.",
    .run = command_run,
};
