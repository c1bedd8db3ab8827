// SPDX-License-Identifier: EUPL-1.2
/* bascule verify: by content, source against target or a job's ledger against its target. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/endpoint.h"
#include "codec/json.h"
#include "codec/size.h"
#include "move/verify.h"
#include "util/log.h"

struct verify_arguments {
    struct common_options common;
    int64_t workers;
};

/* Tells a difference as it is found: a line, or a line of JSON. */
static void print_difference(void *context, enum verify_kind kind, const char *container,
                             const char *name, const char *text)
{
    const bool *json = context;

    if (*json) {
        json_t *line = json_object();
        (void)json_object_set_new(line, "event", json_string("difference"));
        (void)json_object_set_new(line, "kind", json_string(verify_kind_word(kind)));
        json_set_text(line, "container", container);
        json_set_text(line, "name", name);
        json_set_text(line, "text", text);
        say_json(line);
        return;
    }
    say_text(container);
    if (name) {
        (void)putchar('/');
        say_text(name);
    }
    printf(": ");
    say_text(text);
    (void)putchar('\n');
}

/* The job of a ledger, as far as it says something about the outcome. */
struct verified_job {
    char state[32];
    int64_t open; /* objects that are not settled, or failed */
    bool unfinished;
};

static void look_at_job(const struct ledger_job *job, struct verified_job *ret)
{
    (void)snprintf(ret->state, sizeof(ret->state), "%s", ledger_job_state_word(job->state));
    ret->open = job->counts.listed.objects;
    for (int state = LEDGER_MOVED; state < LEDGER_FAILED; state++)
        ret->open -= job->counts.by[state].objects;
    ret->unfinished = job->state != LEDGER_JOB_DONE || ret->open > 0;
}

/* What was not moved cannot have been compared: that is no success. */
static void say_unfinished(const struct verified_job *job)
{
    struct err why = {0};

    (void)err_set(&why, ERR_CONFLICT,
                  "verify: only what the ledger calls moved was compared: the job is %s, %" PRId64
                  " listed objects are not there yet; run the move again",
                  job->state, job->open);
    complain(&why);
}

static int conclude(const struct verify_result *r, const struct verified_job *job, bool json)
{
    int64_t objects = atomic_load(&r->objects), bytes = atomic_load(&r->bytes);
    int64_t differences = atomic_load(&r->differences), unproven = atomic_load(&r->unproven);
    int64_t versions = atomic_load(&r->versions);
    char size[SIZE_TEXT];

    if (json) {
        say_json(json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:b}", "event", "end", "objects",
                           (json_int_t)objects, "bytes", (json_int_t)bytes, "differences",
                           (json_int_t)differences, "unproven", (json_int_t)unproven, "versions",
                           (json_int_t)versions, "unfinished", job->unfinished));
    } else {
        size_text(size, sizeof(size), (uint64_t)bytes);
        printf("%" PRId64 " objects compared by content, %s read at the target: %" PRId64
               " differences, %" PRId64 " could not be looked at\n",
               objects, size, differences, unproven);
        if (versions)
            printf("%" PRId64
                   " earlier versions were not compared: the target gave them ids of its "
                   "own\n",
                   versions);
    }
    if (job->unfinished)
        say_unfinished(job);
    return differences ? EXIT_DIFFERENCES : unproven || job->unfinished ? EXIT_FAILED : EXIT_OK;
}

static int against_ledger(const struct verify_arguments *a, const struct config *config,
                          const char *name, struct verify_options *o, struct verify_result *r,
                          struct verified_job *ret, struct call *call)
{
    cleanup(ledger_close_p) struct ledger *l = NULL;
    auto_ledger_job struct ledger_job job = {0};
    auto_endpoint struct endpoint target = {0};

    if (ledger_open_read(a->common.ledger ? a->common.ledger : config->ledger, &l, call) < 0 ||
        ledger_job_find(l, name, &job, call) < 0 ||
        endpoint_open(config, job.target, STORE_READ, &target, call) < 0)
        return -1;
    o->target = target.store;
    look_at_job(&job, ret);
    return verify_ledger(l, &job, o, r, call);
}

static int against_source(const struct config *config, const char *const ends[2],
                          struct verify_options *o, struct verify_result *r, struct call *call)
{
    auto_endpoint struct endpoint source = {0}, target = {0};
    auto_pairs struct pairs containers = PAIRS_INIT;

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
    return verify_stores(o, r, call);
}

static int run(struct verify_arguments *a, const char *const ends[2], int count, struct call *call)
{
    auto_config struct config config = {0};
    struct verify_result result = {0};
    struct verified_job job = {0};
    struct verify_options options = {.workers = (int)a->workers,
                                     .drain = &signal_drain,
                                     .differs = print_difference,
                                     .context = &a->common.json};

    if (config_load(a->common.config, &config, &call->err) < 0)
        return -1;
    int verified = count == 1 ? against_ledger(a, &config, ends[0], &options, &result, &job, call)
                              : against_source(&config, ends, &options, &result, call);
    return verified < 0 ? -1 : conclude(&result, &job, a->common.json);
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
    if (code >= 0)
        return code;
    complain(&call.err);
    return exit_code_of(&call.err);
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
