// SPDX-License-Identifier: EUPL-1.2
/* A verification as the commands run it: see proof.h. */
#include "cli/proof.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "codec/json.h"
#include "codec/size.h"

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
    char size[SIZE_TEXT];

    if (json) {
        say_json(json_pack("{s:s,s:I,s:I,s:I,s:I,s:b}", "event", "end", "objects",
                           (json_int_t)objects, "bytes", (json_int_t)bytes, "differences",
                           (json_int_t)differences, "unproven", (json_int_t)unproven, "unfinished",
                           job->unfinished));
    } else {
        size_text(size, sizeof(size), (uint64_t)bytes);
        printf("%" PRId64 " objects compared by content, %s read at the target: %" PRId64
               " differences, %" PRId64 " could not be looked at\n",
               objects, size, differences, unproven);
    }
    if (job->unfinished)
        say_unfinished(job);
    return differences ? EXIT_DIFFERENCES : unproven || job->unfinished ? EXIT_FAILED : EXIT_OK;
}

static void prepare(struct proof_request *request)
{
    request->options.workers = (int)request->workers;
    request->options.drain = &signal_drain;
    request->options.differs = print_difference;
    request->options.context = &request->json;
}

int proof_of_job(struct ledger *l, const struct ledger_job *job, struct proof_request *request,
                 struct verify_result *ret, struct call *call)
{
    struct verify_result own = {0};
    struct verify_result *result = ret ? ret : &own;
    struct verified_job looked;

    prepare(request);
    look_at_job(job, &looked);
    return verify_ledger(l, job, &request->options, result, call) < 0
               ? -1
               : conclude(result, &looked, request->json);
}

int proof_of_stores(struct proof_request *request, struct call *call)
{
    struct verify_result result = {0};
    struct verified_job none = {0};

    prepare(request);
    return verify_stores(&request->options, &result, call) < 0
               ? -1
               : conclude(&result, &none, request->json);
}
