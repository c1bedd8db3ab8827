// SPDX-License-Identifier: EUPL-1.2
/* bascule leave: carries everything out of a gateway, proves it, and writes the report. */
#include <string.h>

#include "cli/cli.h"
#include "cli/leave_report.h"
#include "cli/moving.h"
#include "cli/notebook.h"
#include "cli/proof.h"
#include "util/log.h"

#define WORDS_MAX 256

struct leave_arguments {
    struct common_options common;
    const char *output;
    const char *verify;
    uint64_t memory;
    int64_t workers;
    bool no_history;
    bool with_account;
    bool remove;
    const char *words[WORDS_MAX]; /* the target, then accounts */
    int count;
};

/* A run of it: what is open, and what became of each account. */
struct leaving {
    const struct leave_arguments *arguments;
    struct gateway gateway; /* its configuration, its stores, its index; it serves nothing */
    struct estate estate;
    struct endpoint target;
    struct report_signer signer;
    struct leave_summary summary;
    char *folder;
};

static void leaving_release(struct leaving *w)
{
    for (size_t i = 0; i < w->summary.count; i++)
        ledger_job_release(&w->summary.outcomes[i].job);
    free(w->summary.outcomes);
    free(w->folder);
    report_signer_release(&w->signer);
    estate_release(&w->estate);
    endpoint_release(&w->target);
    gateway_close_stores(&w->gateway);
    serve_config_release(&w->gateway.serve);
    config_release(&w->gateway.config);
}

static int parse(const struct command *self, int argc, char **argv, struct leave_arguments *a,
                 struct err *e)
{
    const struct option_spec specs[] = {
        {"output", 'o', OPTION_TEXT, &a->output, "DIR", "write the reports into this folder"},
        {"no-history", 0, OPTION_FLAG, &a->no_history, NULL,
         "leave snapshots and earlier versions behind"},
        {"with-account", 0, OPTION_FLAG, &a->with_account, NULL,
         "call the containers ACCOUNT-CONTAINER"},
        {"delete", 0, OPTION_FLAG, &a->remove, NULL,
         "delete at the target what has gone from the gateway since"},
        {"verify", 0, OPTION_TEXT, &a->verify, "HOW",
         "readback: read every object back while it moves, too"},
        {"workers", 'w', OPTION_WORKERS, &a->workers, "N", "objects at once (16)"},
        {"memory", 0, OPTION_SIZE, &a->memory, "SIZE", "bodies held in memory at once (40MiB)"},
    };
    int parsed = options_parse(self, &a->common, specs, ARRAY_SIZE(specs), argc, argv, a->words,
                               WORDS_MAX, &a->count, e);

    if (parsed != 0)
        return parsed;
    if (a->count == 0)
        return err_set(e, ERR_INVALID,
                       "leave: a target is wanted, as in bascule leave ovh: or bascule leave "
                       "/srv/vault");
    if (a->verify && strcmp(a->verify, "readback") != 0)
        return err_set(e, ERR_INVALID, "leave: --verify knows only 'readback', not '%s'",
                       a->verify);
    return 0;
}

/* ---- One account ---- */

static void options_of(struct leaving *w, const struct estate_account *a,
                       const struct endpoint *source, struct move_options *ret)
{
    const struct leave_arguments *args = w->arguments;
    const struct config *config = &w->gateway.config;

    *ret = (struct move_options){
        .source = source->store,
        .target = w->target.store,
        .source_text = source->text,
        .target_text = w->target.text,
        .containers = &a->map,
        .container_prefix = a->prefix,
        .workers = (int)(args->workers ? args->workers : (int64_t)config->workers),
        .memory = args->memory ? args->memory : config->memory,
        .history = !args->no_history,
        .readback = args->verify != NULL,
        .remove = args->remove,
        .drain = &signal_drain,
    };
}

static int write_report(struct leaving *w, struct ledger *l, const struct leave_outcome *o,
                        struct call *call)
{
    struct report_options options = {0};
    auto_free char *folder = xasprintf("%s/%s", w->folder, o->account->name);

    endpoint_paths(&w->target, &options);
    return report_folder_make(folder, &call->err) < 0 ||
                   leave_write_stays(o->account, folder, &call->err) < 0 ||
                   report_files_write(l, &o->job, &options, &w->signer, folder, call) < 0
               ? -1
               : 0;
}

/* What was interrupted or broke off is neither read back nor reported: the same command goes on. */
static int prove(struct leaving *w, struct ledger *l, struct leave_outcome *o, struct call *call)
{
    struct proof_request request = {.options = {.target = w->target.store},
                                    .workers = w->arguments->workers,
                                    .json = w->arguments->common.json};

    if (o->job.state != LEDGER_JOB_DONE)
        return 0;
    int proven = proof_of_job(l, &o->job, &request, &o->verified, call);
    if (proven < 0)
        return -1;
    o->proven = proven;
    return write_report(w, l, o, call);
}

static int leave_account(struct leaving *w, struct leave_outcome *o, struct call *call)
{
    cleanup(ledger_close_p) struct ledger *l = NULL;
    const struct leave_arguments *a = w->arguments;
    auto_free char *text = xasprintf("gateway/%s:", o->account->name);
    auto_endpoint struct endpoint source = {0};
    struct ledger_notebook notebook;
    struct move_options options;

    if (open_ledger(a->common.ledger ? a->common.ledger : w->gateway.config.ledger, &l, call) < 0 ||
        endpoint_open(&w->gateway.config, text, STORE_READ, &source, call) < 0)
        return -1;
    ledger_notebook_init(&notebook, l);
    store_set_notebook(w->target.store, &notebook.notebook);
    options_of(w, o->account, &source, &options);
    o->moved = moving_run(l, &options, a->common.json, &o->job, call);
    int result = o->moved < 0 ? -1 : prove(w, l, o, call);
    store_set_notebook(w->target.store, NULL);
    return result;
}

/* ---- All of them ---- */

/* Everything that can be refused is, before anything is written. */
static int look(struct leaving *w, struct call *call)
{
    const struct leave_arguments *a = w->arguments;
    struct gateway *g = &w->gateway;
    auto_endpoint struct endpoint seen = {0};

    if (config_load(a->common.config, &g->config, &call->err) < 0 ||
        serve_config_read(&g->config, &g->serve, &call->err) < 0 ||
        report_signer_read(&g->config, &w->signer, &call->err) < 0 ||
        endpoint_open(&g->config, a->words[0], STORE_PLAN, &seen, call) < 0)
        return -1;
    if (seen.container || seen.prefix)
        return err_set(&call->err, ERR_INVALID,
                       "leave: the target is a whole store, as in %s:, not '%s'", seen.store->name,
                       seen.text);
    return gateway_open_reading(g, call) < 0 ||
                   estate_read(g, a->words + 1, (size_t)a->count - 1, &w->estate, call) < 0 ||
                   estate_name(&w->estate, g, &seen, a->with_account, &call->err) < 0
               ? -1
               : 0;
}

static int begin(struct leaving *w, struct call *call)
{
    const struct leave_arguments *a = w->arguments;

    if (look(w, call) < 0 ||
        endpoint_open(&w->gateway.config, a->words[0], STORE_WRITE, &w->target, call) < 0)
        return -1;
    w->folder = xstrdup(a->output ? a->output : "bascule-leave");
    w->summary = (struct leave_summary){
        .target = w->target.text,
        .history = !a->no_history,
        .outcomes = xcalloc(w->estate.count + 1, sizeof(*w->summary.outcomes)),
        .count = w->estate.count,
    };
    for (size_t i = 0; i < w->estate.count; i++)
        w->summary.outcomes[i] =
            (struct leave_outcome){.account = &w->estate.accounts[i], .proven = -1};
    return report_folder_make(w->folder, &call->err);
}

/* One manifest of all accounts: their containers are folders of one target. */
static int write_manifest(struct leaving *w, struct call *call)
{
    auto_report_file struct report_file f = {0};
    struct report_options options = {0};

    endpoint_paths(&w->target, &options);
    if (report_file_open(&f, w->folder, REPORT_SUMS, &call->err) < 0)
        return -1;
    for (size_t i = 0; i < w->summary.count; i++) {
        cleanup(ledger_close_p) struct ledger *l = NULL;
        const struct ledger_job *job = &w->summary.outcomes[i].job;
        const char *url = w->arguments->common.ledger;
        if (job->name && (ledger_open_read(url ? url : w->gateway.config.ledger, &l, call) < 0 ||
                          report_write_sums(l, job, &options, f.file, call) < 0))
            return -1;
    }
    auto_free char *comment = xasprintf("bascule leave to %s", w->target.text);
    return report_file_done(&f, &call->err) < 0
               ? -1
               : report_sign_sums(&w->signer, w->folder, comment, call);
}

/* A job that broke off would break off again with the next account; one that was settled, with
 * whatever was refused or failed, is no reason not to carry the others. */
static bool goes_on(const struct leave_outcome *o)
{
    return o->job.state == LEDGER_JOB_DONE && !cancel_is_raised(&signal_drain);
}

static int run(struct leaving *w, struct call *call)
{
    const char *signer = NULL;

    if (begin(w, call) < 0)
        return -1;
    for (size_t i = 0; i < w->summary.count; i++) {
        struct leave_outcome *o = &w->summary.outcomes[i];
        if (leave_account(w, o, call) < 0)
            return -1;
        if (!goes_on(o))
            break;
    }
    w->summary.interrupted = cancel_is_raised(&signal_drain);
    if (w->signer.signs)
        signer = w->signer.public_text;
    if (write_manifest(w, call) < 0 ||
        leave_write_summary(&w->summary, signer, w->folder, &call->err) < 0)
        return -1;
    leave_print(&w->summary, w->folder, w->arguments->common.json);
    return leave_exit_code(&w->summary);
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct leave_arguments arguments = {0};
    cleanup(leaving_release) struct leaving w = {.arguments = &arguments};
    struct call call = CALL_INIT;
    int parsed = parse(self, argc, argv, &arguments, &call.err);

    if (parsed != 0) {
        if (parsed < 0)
            complain(&call.err);
        return parsed < 0 ? EXIT_USAGE : EXIT_OK;
    }
    if (arguments.common.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    call.cancel = &signal_stop;
    int code = run(&w, &call);
    return command_end(code, &call.err);
}

const struct command command_leave = {
    .name = "leave",
    .arguments = "TARGET [ACCOUNT...]",
    .summary = "Carry everything out of the gateway, with proof",
    .text =
        "Every account of the gateway that the section 'serve' of the configuration describes (or "
        "those named),\nevery container, snapshots and versions included, to TARGET: STORE: from "
        "the configuration, or a\ndirectory.  It reads the index and the bodies themselves, beside "
        "running gateways or without any, and\nwrites nothing there.  Each account is a job like "
        "those of bascule move; then everything is read back\nat the target, and the reports are "
        "written.  The same command again goes on where it stopped.",
    .run = command_run,
};
