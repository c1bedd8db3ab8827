// SPDX-License-Identifier: EUPL-1.2
/* bascule plan: what a move would do, what it would refuse, how long it may take and what leaving
 * costs.  Nothing is written at either end. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/endpoint.h"
#include "cli/summary.h"
#include "codec/json.h"
#include "codec/size.h"
#include "move/plan.h"
#include "move/report.h"
#include "store/provider.h"
#include "util/log.h"

/* For the estimate where nothing was said: what one well-tuned connection pool carries. */
#define DEFAULT_RATE    (100 * 1000 * 1000 / 8)
#define DEFAULT_OBJECTS 200.0

struct plan_arguments {
    struct common_options common;
    uint64_t rate; /* bytes a second */
    const char *egress_price;
    bool history;
    bool rehydrate;
};

/* What follows from the counts. */
struct estimate {
    int64_t objects;
    int64_t bytes;
    double seconds;
    double egress_price; /* EUR per GB; NAN: not known */
    double egress;       /* EUR; NAN: not known */
};

static int read_price(const struct plan_arguments *a, double *ret, struct err *e)
{
    struct provider_catalogue *catalogue = NULL;
    char *end;

    *ret = NAN;
    if (a->egress_price) {
        *ret = strtod(a->egress_price, &end);
        if (!*a->egress_price || *end || *ret < 0 || *ret > 1000)
            return err_set(e, ERR_INVALID, "plan: --egress-price wants EUR per GB, as in 0.08");
        return 0;
    }
    if (provider_catalogue_load(NULL, &catalogue, e) < 0)
        return -1;
    const struct provider *azure = provider_find(catalogue, "azure", e);
    if (azure && azure->offer_count)
        *ret = azure->offers[0].prices.egress_gb;
    err_clear(e);
    provider_catalogue_free(catalogue);
    return 0;
}

static struct estimate estimate(const struct plan_arguments *a, const struct ledger_job *job,
                                double price)
{
    const struct ledger_tally *todo = &job->counts.by[LEDGER_PENDING];
    double rate = a->rate ? (double)a->rate : (double)DEFAULT_RATE;
    struct estimate e = {.objects = todo->objects, .bytes = todo->bytes, .egress_price = price};

    e.seconds = fmax((double)e.bytes / rate, (double)e.objects / DEFAULT_OBJECTS);
    e.egress = isnan(price) ? NAN : price * (double)e.bytes / 1e9;
    return e;
}

static void print_tally(const char *word, const struct ledger_tally *t)
{
    char size[SIZE_TEXT];

    size_text(size, sizeof(size), (uint64_t)t->bytes);
    printf("  %-38s %12" PRId64 "   %s\n", word, t->objects, size);
}

static int print_containers(struct ledger *l, const struct ledger_job *job, struct call *call)
{
    int64_t after = 0;

    printf("\ncontainers:\n");
    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        char size[SIZE_TEXT];
        int n = ledger_containers(l, job->id, after, &c, 1, call);
        if (n <= 0)
            return n;
        after = c.id;
        size_text(size, sizeof(size), (uint64_t)c.counts.listed.bytes);
        printf("  ");
        say_text(c.source);
        if (c.code != ERR_NONE)
            printf(": refused: %s\n", c.error);
        else
            printf(" -> %s: %" PRId64 " object%s, %s\n", c.target, c.counts.listed.objects,
                   c.counts.listed.objects == 1 ? "" : "s", size);
    }
}

/* ---- Every refusal, and every object that arrives under another name ---- */

/* A list being printed, as text or as a JSON array. */
struct listing {
    bool json;
    int64_t count;
};

static void list_row(struct listing *list, const struct ledger_container *c,
                     const struct ledger_object *row, const char *key, const char *text)
{
    if (list->json) {
        json_t *json = json_object();
        json_set_text(json, "container", c->source);
        json_set_text(json, "name", row->name);
        if (row->kind != LEDGER_CURRENT)
            json_set_text(json, "version", row->version);
        if (row->code != ERR_NONE)
            json_set_text(json, "reason", err_word(row->code));
        json_set_text(json, key, text);
        (void)fputs(list->count ? "," : "", stdout);
        (void)json_dumpf(json, stdout, JSON_COMPACT);
        json_decref(json);
    } else {
        (void)fputs("  '", stdout);
        say_text(c->source);
        (void)putchar('/');
        say_text(row->name);
        (void)fputs(row->code != ERR_NONE ? "': " : "' -> ", stdout);
        say_text(text ? text : "");
        (void)putchar('\n');
    }
    list->count++;
}

static int list_refusal(void *context, const struct ledger_container *c,
                        const struct ledger_object *row, struct call *call)
{
    (void)call;
    list_row(context, c, row, "text", row->error);
    return 0;
}

static int list_rename(void *context, const struct ledger_container *c,
                       const struct ledger_object *row, struct call *call)
{
    (void)call;
    if (row->kind == LEDGER_CURRENT && strcmp(row->target, row->name) != 0)
        list_row(context, c, row, "target", row->target);
    return 0;
}

static int print_lists(struct ledger *l, const struct ledger_job *job, const struct move_plan *p,
                       bool json, struct call *call)
{
    struct listing refusals = {.json = json}, renames = {.json = json};

    (void)fputs(json                                     ? ",\"refusals\":["
                : job->counts.by[LEDGER_REFUSED].objects ? "\nwould be refused:\n"
                                                         : "",
                stdout);
    if (job->counts.by[LEDGER_REFUSED].objects &&
        report_each(l, job, LEDGER_MASK(LEDGER_REFUSED), list_refusal, &refusals, call) < 0)
        return -1;
    (void)fputs(json                ? "],\"renames\":["
                : p->mapped.objects ? "\nwould arrive under another name:\n"
                                    : "",
                stdout);
    if (p->mapped.objects &&
        report_each(l, job, LEDGER_MASK(LEDGER_PENDING), list_rename, &renames, call) < 0)
        return -1;
    (void)fputs(json ? "]" : "", stdout);
    return 0;
}

static void print_estimate(const struct plan_arguments *a, const struct estimate *e)
{
    char duration[SIZE_TEXT], size[SIZE_TEXT], rate[SIZE_TEXT];

    size_text(size, sizeof(size), (uint64_t)e->bytes);
    size_text(rate, sizeof(rate), a->rate ? a->rate : DEFAULT_RATE);
    duration_text(duration, sizeof(duration), (int64_t)(e->seconds * (double)CLOCK_SECOND));
    printf("\nto move: %" PRId64 " objects, %s: about %s at %s/s%s and at most %.0f objects/s\n",
           e->objects, size, duration, rate, a->rate ? "" : " (assumed: --rate says better)",
           DEFAULT_OBJECTS);
    if (isnan(e->egress))
        printf(
            "egress: %.1f GB leave Azure; its price is not in the catalogue: --egress-price EUR\n"
            "  Azure waives it for customers who leave altogether and announce it, and from "
            "2027-01-12\n  Regulation (EU) 2023/2854 forbids charging for it (docs/providers.md "
            "has the sources)\n",
            (double)e->bytes / 1e9);
    else
        printf("egress: %.1f GB leave Azure, about %.2f EUR at %.4f EUR/GB\n",
               (double)e->bytes / 1e9, e->egress, e->egress_price);
}

static int print_plan(const struct plan_arguments *a, struct ledger *l,
                      const struct ledger_job *job, const struct move_plan *p,
                      const struct estimate *e, struct call *call)
{
    printf("plan, %s to %s; nothing has been written\n\n", job->source, job->target);
    print_tally("current objects", &p->current);
    print_tally("snapshots", &p->snapshots);
    print_tally("earlier versions", &p->versions);
    print_tally("soft-deleted", &p->soft_deleted);
    if (!a->history && p->snapshots.objects + p->versions.objects + p->soft_deleted.objects > 0)
        printf("  (only current objects move; --history carries snapshots and versions too)\n");
    print_tally("in the archive tier", &p->archived);
    print_tally("append blobs", &p->append);
    print_tally("page blobs", &p->page);
    print_tally("arrive under another name", &p->mapped);
    print_tally("refused", &job->counts.by[LEDGER_REFUSED]);
    print_tally("of those, collisions of names", &p->collisions);
    if (print_containers(l, job, call) < 0 || print_lists(l, job, p, false, call) < 0 ||
        summary_left_out(l, job, INT64_MAX, call) < 0)
        return -1;
    print_estimate(a, e);
    return 0;
}

static json_t *tally_json(const struct ledger_tally *t)
{
    return json_pack("{s:I,s:I}", "objects", (json_int_t)t->objects, "bytes", (json_int_t)t->bytes);
}

static int containers_json(struct ledger *l, const struct ledger_job *job, json_t *list,
                           struct call *call)
{
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        int n = ledger_containers(l, job->id, after, &c, 1, call);
        if (n <= 0)
            return n;
        after = c.id;
        json_t *json = tally_json(&c.counts.listed);
        json_set_text(json, "source", c.source);
        json_set_text(json, "target", c.code == ERR_NONE ? c.target : NULL);
        json_set_text(json, "refused", c.code == ERR_NONE ? NULL : c.error);
        (void)json_array_append_new(list, json);
    }
}

/* One value in one line; the lists, which may be long, are written as they are read. */
static int print_json(struct ledger *l, const struct ledger_job *job, const struct move_plan *p,
                      const struct estimate *e, struct call *call)
{
    auto_json json_t *json = json_pack(
        "{s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:f}", "source", job->source,
        "target", job->target, "current", tally_json(&p->current), "snapshots",
        tally_json(&p->snapshots), "versions", tally_json(&p->versions), "soft_deleted",
        tally_json(&p->soft_deleted), "archived", tally_json(&p->archived), "append",
        tally_json(&p->append), "page", tally_json(&p->page), "renamed", tally_json(&p->mapped),
        "refused", tally_json(&job->counts.by[LEDGER_REFUSED]), "collisions",
        tally_json(&p->collisions), "to_move", tally_json(&job->counts.by[LEDGER_PENDING]),
        "largest", (json_int_t)p->largest, "estimated_seconds", e->seconds);
    json_t *containers = json_array();

    (void)json_object_set_new(json, "egress_eur",
                              isnan(e->egress) ? json_null() : json_real(e->egress));
    (void)json_object_set_new(json, "containers", containers);
    if (containers_json(l, job, containers, call) < 0)
        return -1;
    char *text = json_dumps(json, JSON_COMPACT);
    text[strlen(text) - 1] = '\0'; /* it goes on */
    (void)fputs(text, stdout);
    free(text);
    if (print_lists(l, job, p, true, call) < 0)
        return -1;
    (void)fputs("}\n", stdout);
    return 0;
}

/* A ledger that is thrown away: on disk, because it holds every object's name. */
struct scratch {
    char folder[64];
};

static void scratch_release(struct scratch *s)
{
    static const char *const files[] = {"ledger.db", "ledger.db-wal", "ledger.db-shm"};
    char path[128];

    if (!s->folder[0])
        return;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", s->folder, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(s->folder);
}

static int scratch_open(struct scratch *s, struct ledger **ret, struct call *call)
{
    char url[128];

    (void)snprintf(s->folder, sizeof(s->folder), "/var/tmp/bascule-plan-XXXXXX");
    if (!mkdtemp(s->folder)) {
        int number = errno;
        s->folder[0] = '\0';
        return err_errno(&call->err, number, "make a folder in /var/tmp for the plan");
    }
    (void)snprintf(url, sizeof(url), "sqlite:%s/ledger.db", s->folder);
    return ledger_open(url, ret, call);
}

static int plan(const struct plan_arguments *a, const struct config *config,
                const char *const ends[2], struct call *call)
{
    auto_endpoint struct endpoint source = {0}, target = {0};
    cleanup(scratch_release) struct scratch scratch = {0};
    cleanup(ledger_close_p) struct ledger *l = NULL;
    auto_ledger_job struct ledger_job job = {0};
    auto_pairs struct pairs containers = PAIRS_INIT;
    struct move_progress progress;
    struct display display;
    struct move_plan result;
    double price;

    if (read_price(a, &price, &call->err) < 0 ||
        endpoint_open(config, ends[0], STORE_READ, &source, call) < 0 ||
        endpoint_open(config, ends[1], STORE_PLAN, &target, call) < 0 ||
        endpoints_check(&source, &target, &call->err) < 0 || scratch_open(&scratch, &l, call) < 0)
        return -1;
    endpoint_containers(&source, &target, &containers);
    struct move_options options = {.source = source.store,
                                   .target = target.store,
                                   .source_text = source.text,
                                   .target_text = target.text,
                                   .source_container = source.container,
                                   .target_container = target.container,
                                   .prefix = source.prefix,
                                   .containers = &containers,
                                   .history = a->history,
                                   .rehydrate = a->rehydrate,
                                   .drain = &signal_drain};
    move_progress_init(&progress);
    bool show = !a->common.json && isatty(STDERR_FILENO);
    if (show)
        display_start(&display, DISPLAY_TERMINAL, &progress);
    int planned = move_plan(l, &options, &progress, &result, &job, call);
    if (show)
        display_stop(&display);
    move_progress_release(&progress);
    if (planned < 0)
        return -1;
    struct estimate e = estimate(a, &job, price);
    if ((a->common.json ? print_json(l, &job, &result, &e, call)
                        : print_plan(a, l, &job, &result, &e, call)) < 0)
        return -1;
    return job.counts.by[LEDGER_REFUSED].objects || report_refused_containers(l, &job, call) != 0
               ? EXIT_REFUSALS
               : EXIT_OK;
}

static int command_run(const struct command *self, int argc, char **argv)
{
    struct plan_arguments a = {0};
    auto_config struct config config = {0};
    const char *ends[2];
    struct call call = {.cancel = &signal_stop};
    int count = 0;
    const struct option_spec specs[] = {
        {"rate", 0, OPTION_SIZE, &a.rate, "SIZE",
         "bytes a second the line carries, for the estimate"},
        {"egress-price", 0, OPTION_TEXT, &a.egress_price, "EUR", "per GB that leaves Azure"},
        {"history", 0, OPTION_FLAG, &a.history, NULL, "as for move: snapshots and versions too"},
        {"rehydrate", 0, OPTION_FLAG, &a.rehydrate, NULL,
         "as for move: archived objects would be woken"},
    };
    int parsed = options_parse(self, &a.common, specs, ARRAY_SIZE(specs), argc, argv, ends, 2,
                               &count, &call.err);

    if (parsed > 0)
        return EXIT_OK;
    if (parsed == 0 && count != 2)
        parsed = err_set(&call.err, ERR_INVALID, "plan: a source and a target are wanted");
    if (parsed < 0) {
        complain(&call.err);
        return EXIT_USAGE;
    }
    if (a.common.verbose)
        log_set_level(LOG_DEBUG);
    signals_watch();
    int code = config_load(a.common.config, &config, &call.err);
    if (code == 0)
        code = plan(&a, &config, ends, &call);
    return command_end(code, &call.err);
}

const struct command command_plan = {
    .name = "plan",
    .arguments = "SOURCE TARGET",
    .summary = "Say what a move would do, without doing it",
    .run = command_run,
};
