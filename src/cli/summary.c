// SPDX-License-Identifier: EUPL-1.2
/* What a job came to: see summary.h. */
#include "cli/summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "codec/date.h"
#include "codec/json.h"
#include "codec/size.h"

#define SHOWN 20

static void add_time(json_t *json, const char *key, int64_t time)
{
    char when[DATE_TEXT];

    if (time == TIME_UNKNOWN || time == 0)
        return;
    date_iso8601(when, sizeof(when), time, 3);
    (void)json_object_set_new(json, key, json_string(when));
}

json_t *summary_json(const struct ledger_job *job, const char *event)
{
    json_t *json =
        json_pack("{s:s,s:I,s:s,s:s,s:s,s:s,s:I}", "event", event, "id", (json_int_t)job->id,
                  "name", job->name, "source", job->source, "target", job->target, "state",
                  ledger_job_state_word(job->state), "generation", (json_int_t)job->generation);
    json_t *objects = json_pack("{s:I}", "listed", (json_int_t)job->counts.listed.objects);
    json_t *bytes = json_pack("{s:I}", "listed", (json_int_t)job->counts.listed.bytes);

    add_time(json, "created", job->created);
    add_time(json, "started", job->started);
    add_time(json, "updated", job->updated);
    add_time(json, "ended", job->ended);
    json_set_text(json, "error", job->error);
    if (job->workers)
        (void)json_object_set_new(json, "workers", json_integer(job->workers));
    for (int state = 0; state < LEDGER_STATE_COUNT; state++) {
        const char *word = ledger_state_word((enum ledger_state)state);
        if (state == LEDGER_CLAIMED)
            continue;
        (void)json_object_set_new(objects, word, json_integer(job->counts.by[state].objects));
        (void)json_object_set_new(bytes, word, json_integer(job->counts.by[state].bytes));
    }
    (void)json_object_set_new(json, "objects", objects);
    (void)json_object_set_new(json, "bytes", bytes);
    return json;
}

static void print_row(const char *word, const struct ledger_tally *t)
{
    char size[SIZE_TEXT];

    size_text(size, sizeof(size), (uint64_t)t->bytes);
    printf("  %-14s %12" PRId64 "   %s\n", word, t->objects, size);
}

static void print_counts(const struct ledger_counts *c)
{
    static const struct {
        enum ledger_state state;
        const char *word;
        bool always;
    } rows[] = {
        {LEDGER_MOVED, "moved", true},       {LEDGER_ALREADY, "already there", true},
        {LEDGER_VANISHED, "vanished", true}, {LEDGER_REFUSED, "refused", true},
        {LEDGER_FAILED, "failed", false},    {LEDGER_PENDING, "still to do", false},
        {LEDGER_WAITING, "waiting", false},  {LEDGER_GONE, "gone at source", false},
        {LEDGER_DELETED, "deleted", false},
    };

    print_row("listed", &c->listed);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].always || c->by[rows[i].state].objects)
            print_row(rows[i].word, &c->by[rows[i].state]);
}

static void print_objects(struct ledger *l, const struct ledger_job *job, unsigned mask,
                          const char *otherwise)
{
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    struct call call = CALL_INIT;

    if (ledger_troubles(l, job->id, 0, mask, SHOWN, &rows, &call) < 0 || rows.count == 0)
        return;
    printf("\n");
    for (size_t i = 0; i < rows.count; i++) {
        const struct ledger_object *o = &rows.list[i];
        auto_ledger_container struct ledger_container c = {0};
        if (ledger_containers(l, job->id, o->container - 1, &c, 1, &call) <= 0)
            return;
        printf("  %s '", ledger_state_word(o->state));
        say_text(c.source);
        (void)putchar('/');
        say_text(o->name);
        printf("': ");
        say_text(o->error ? o->error : otherwise);
        printf("\n");
    }
    if (rows.count == SHOWN)
        printf("  ... the report has all of them\n");
}

static void print_findings(struct ledger *l, const struct ledger_job *job)
{
    struct ledger_finding_count counts[SHOWN];
    struct call call = CALL_INIT;
    int n = ledger_finding_counts(l, job->id, counts, SHOWN, &call);

    if (n <= 0)
        return;
    printf("\n  findings:");
    for (int i = 0; i < n; i++)
        printf("%s %s %" PRId64, i ? "," : "", counts[i].kind, counts[i].count);
    printf("\n");
}

int summary_left_out(struct ledger *l, const struct ledger_job *job, int64_t most,
                     struct call *call)
{
    int64_t after = 0;

    for (int64_t shown = 0;; shown++) {
        cleanup(ledger_finding_release) struct ledger_finding f = {0};
        int n = ledger_findings(l, job->id, "left_out", after, &f, 1, call);
        if (n <= 0)
            return n;
        if (shown == most) {
            printf("  ... the report has all of them\n");
            return 0;
        }
        after = f.id;
        printf("%s  ", shown ? "" : "\nleft out, for they are no objects:\n");
        if (f.name) {
            say_text(f.name);
            printf(": ");
        }
        say_text(f.text);
        (void)putchar('\n');
    }
}

static void print_refused_containers(struct ledger *l, const struct ledger_job *job)
{
    struct call call = CALL_INIT;
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        if (ledger_containers(l, job->id, after, &c, 1, &call) <= 0)
            return;
        after = c.id;
        if (c.code != ERR_NONE && !c.gone)
            printf("  container '%s' refused: %s\n", c.source, c.error ? c.error : "");
    }
}

void summary_print(struct ledger *l, const struct ledger_job *job)
{
    printf("job %s (%s): %s -> %s, run %" PRId64 "\n", job->name, ledger_job_state_word(job->state),
           job->source, job->target, job->generation);
    print_counts(&job->counts);
    print_refused_containers(l, job);
    print_objects(l, job,
                  LEDGER_MASK(LEDGER_REFUSED) | LEDGER_MASK(LEDGER_FAILED) |
                      LEDGER_MASK(LEDGER_VANISHED),
                  "");
    print_objects(l, job, LEDGER_MASK(LEDGER_GONE),
                  "no longer at the source; the target keeps it (--delete removes it)");
    struct call call = CALL_INIT;
    if (summary_left_out(l, job, SHOWN, &call) < 0)
        err_clear(&call.err); /* told less, that is all */
    print_findings(l, job);
    if (job->state == LEDGER_JOB_INTERRUPTED)
        printf("\n  The same command goes on from here.\n");
    else
        printf("\n  bascule report %s writes the report and the manifest.\n", job->name);
}
