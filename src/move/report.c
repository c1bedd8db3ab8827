// SPDX-License-Identifier: EUPL-1.2
/* Report and manifest for programs: see report.h; the page for people is report_html.c. */
#include "move/report.h"

#include <string.h>

#include "codec/date.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "move/name.h"

#define ROWS 1000

int report_each(struct ledger *l, const struct ledger_job *job, unsigned mask,
                report_row_function *each, void *context, struct call *call)
{
    int64_t after_container = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
        const struct ledger_object *after = NULL;
        int n = ledger_containers(l, job->id, after_container, &c, 1, call);
        if (n <= 0)
            return n;
        after_container = c.id;
        for (;;) {
            if (ledger_objects(l, c.id, after, mask, ROWS, &rows, call) < 0)
                return -1;
            if (rows.count == 0)
                break;
            for (size_t i = 0; i < rows.count; i++)
                if (each(context, &c, &rows.list[i], call) < 0)
                    return -1;
            after = &rows.list[rows.count - 1];
        }
    }
}

int64_t report_refused_containers(struct ledger *l, const struct ledger_job *job, struct call *call)
{
    int64_t after = 0, refused = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        int n = ledger_containers(l, job->id, after, &c, 1, call);
        if (n <= 0)
            return n < 0 ? -1 : refused;
        after = c.id;
        refused += c.code != ERR_NONE && !c.gone;
    }
}

/* ---- SHA256SUMS ---- */

struct sums {
    const struct report_options *options;
    FILE *out;
};

/* As GNU sha256sum escapes: a backslash before the line, \\ and \n and \r inside. */
static void write_sum(FILE *out, const char *hex, const char *path)
{
    if (strpbrk(path, "\\\n\r"))
        (void)fputc('\\', out);
    (void)fprintf(out, "%s  ", hex);
    for (; *path; path++) {
        if (*path == '\\')
            (void)fputs("\\\\", out);
        else if (*path == '\n')
            (void)fputs("\\n", out);
        else if (*path == '\r')
            (void)fputs("\\r", out);
        else
            (void)fputc(*path, out);
    }
    (void)fputc('\n', out);
}

static int sum_row(void *context, const struct ledger_container *c, const struct ledger_object *row,
                   struct call *call)
{
    struct sums *s = context;
    char hex[65];

    (void)call;
    if (!row->sha256 || name_of_version(row->target))
        return 0;
    auto_free char *path = s->options->path
                               ? s->options->path(s->options->context, c->target, row->target)
                               : xasprintf("%s/%s", c->target, row->target);
    if (!path)
        return 0;
    hex_encode(hex, row->sha256, LEDGER_SHA256);
    write_sum(s->out, hex, path);
    return 0;
}

int report_write_sums(struct ledger *l, const struct ledger_job *job,
                      const struct report_options *options, FILE *out, struct call *call)
{
    struct sums sums = {.options = options, .out = out};

    return report_each(l, job, LEDGER_MASK_AT_TARGET, sum_row, &sums, call);
}

/* ---- objects.jsonl ---- */

static void set_time(json_t *json, const char *key, int64_t time)
{
    char when[DATE_TEXT];

    if (time == TIME_UNKNOWN)
        return;
    date_iso8601(when, sizeof(when), time, 3);
    (void)json_object_set_new(json, key, json_string(when));
}

static void set_digest(json_t *json, const char *key, const unsigned char *digest, size_t n)
{
    char hex[65];

    if (!digest)
        return;
    hex_encode(hex, digest, n);
    (void)json_object_set_new(json, key, json_string(hex));
}

static json_t *object_json(const struct ledger_container *c, const struct ledger_object *o)
{
    json_t *json = json_object();

    json_set_text(json, "container", c->source);
    json_set_text(json, "name", o->name);
    if (o->kind != LEDGER_CURRENT)
        json_set_text(json, "kind", ledger_kind_word(o->kind));
    json_set_text(json, "version", o->version);
    (void)json_object_set_new(json, "size", json_integer(o->size));
    json_set_text(json, "outcome", ledger_state_word(o->state));
    json_set_text(json, "target_container", c->target);
    json_set_text(json, "target_name", o->target);
    json_set_text(json, "source_etag", o->etag);
    set_time(json, "source_modified", o->modified);
    json_set_text(json, "type", o->type);
    json_set_text(json, "tier", o->tier);
    set_digest(json, "source_md5", o->md5, LEDGER_MD5);
    set_digest(json, "sha256", o->sha256, LEDGER_SHA256);
    json_set_text(json, "target_etag", o->target_etag);
    json_set_text(json, "target_checksum", o->target_checksum);
    json_set_text(json, "proof", o->proof);
    if (o->code != ERR_NONE)
        json_set_text(json, "reason", err_word(o->code));
    json_set_text(json, "error", o->error);
    set_time(json, "started", o->started);
    set_time(json, "finished", o->finished);
    return json;
}

static int object_row(void *context, const struct ledger_container *c,
                      const struct ledger_object *row, struct call *call)
{
    json_t *json = object_json(c, row);

    (void)call;
    (void)json_dumpf(json, context, JSON_COMPACT);
    (void)fputc('\n', context);
    json_decref(json);
    return 0;
}

int report_write_objects(struct ledger *l, const struct ledger_job *job, FILE *out,
                         struct call *call)
{
    return report_each(l, job, LEDGER_MASK_ALL, object_row, out, call);
}

/* ---- findings.jsonl ---- */

int report_finding_place(struct ledger *l, const struct ledger_job *job,
                         const struct ledger_finding *f, char **ret, struct call *call)
{
    auto_ledger_container struct ledger_container c = {0};

    *ret = NULL;
    if (!f->container)
        return 0;
    if (ledger_containers(l, job->id, f->container - 1, &c, 1, call) < 0)
        return -1;
    *ret = take(c.source);
    return 0;
}

int report_write_findings(struct ledger *l, const struct ledger_job *job, FILE *out,
                          struct call *call)
{
    int64_t after = 0;

    for (;;) {
        cleanup(ledger_finding_release) struct ledger_finding f = {0};
        auto_free char *container = NULL;
        int n = ledger_findings(l, job->id, NULL, after, &f, 1, call);
        if (n <= 0)
            return n;
        after = f.id;
        if (report_finding_place(l, job, &f, &container, call) < 0)
            return -1;
        json_t *json = json_object();
        json_set_text(json, "kind", f.kind);
        json_set_text(json, "container", container);
        json_set_text(json, "name", f.object ? f.name : NULL);
        json_set_text(json, "text", f.text);
        set_time(json, "time", f.time);
        (void)json_dumpf(json, out, JSON_COMPACT);
        (void)fputc('\n', out);
        json_decref(json);
    }
}

/* ---- Proofs ---- */

static int proof_row(void *context, const struct ledger_container *c,
                     const struct ledger_object *row, struct call *call)
{
    struct report_proofs *p = context;
    const char *word = row->proof ? row->proof : "none";
    int i = 0;

    (void)c;
    (void)call;
    while (i < p->count && strcmp(p->list[i].word, word) != 0)
        i++;
    if (i == REPORT_PROOFS)
        return 0;
    if (i == p->count)
        (void)snprintf(p->list[p->count++].word, sizeof(p->list[i].word), "%s", word);
    p->list[i].objects++;
    p->list[i].bytes += row->size;
    return 0;
}

int report_proofs(struct ledger *l, const struct ledger_job *job, struct report_proofs *ret,
                  struct call *call)
{
    *ret = (struct report_proofs){0};
    return report_each(l, job, LEDGER_MASK_AT_TARGET, proof_row, ret, call);
}

/* ---- report.json ---- */

static json_t *counts_json(const struct ledger_counts *c)
{
    json_t *json = json_object();

    (void)json_object_set_new(json, "listed",
                              json_pack("{s:I,s:I}", "objects", (json_int_t)c->listed.objects,
                                        "bytes", (json_int_t)c->listed.bytes));
    for (int state = 0; state < LEDGER_STATE_COUNT; state++)
        if (state != LEDGER_CLAIMED)
            (void)json_object_set_new(json, ledger_state_word((enum ledger_state)state),
                                      json_pack("{s:I,s:I}", "objects",
                                                (json_int_t)c->by[state].objects, "bytes",
                                                (json_int_t)c->by[state].bytes));
    return json;
}

static json_t *containers_json(struct ledger *l, const struct ledger_job *job, struct call *call)
{
    json_t *list = json_array();
    int64_t after = 0;

    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        int n = ledger_containers(l, job->id, after, &c, 1, call);
        if (n < 0) {
            json_decref(list);
            return NULL;
        }
        if (n == 0)
            return list;
        after = c.id;
        json_t *json = json_object();
        json_set_text(json, "source", c.source);
        json_set_text(json, "target", c.target);
        (void)json_object_set_new(json, "listed_completely", json_boolean(c.complete));
        if (c.gone)
            (void)json_object_set_new(json, "gone", json_true());
        json_set_text(json, "error", c.error);
        if (c.carried) {
            json_t *carried = json_loads(c.carried, 0, NULL);
            if (carried)
                (void)json_object_set_new(json, "settings", carried);
        }
        (void)json_object_set_new(json, "counts", counts_json(&c.counts));
        (void)json_array_append_new(list, json);
    }
}

static int add_findings(struct ledger *l, const struct ledger_job *job, json_t *json,
                        struct call *call)
{
    struct ledger_finding_count counts[64];
    int n = ledger_finding_counts(l, job->id, counts, 64, call);
    json_t *findings = json_object();

    for (int i = 0; i < n; i++)
        (void)json_object_set_new(findings, counts[i].kind, json_integer(counts[i].count));
    (void)json_object_set_new(json, "findings", findings);
    return n < 0 ? -1 : 0;
}

static int add_proofs(struct ledger *l, const struct ledger_job *job, json_t *json,
                      struct call *call)
{
    struct report_proofs proofs;
    json_t *list = json_object();

    (void)json_object_set_new(json, "proofs", list);
    if (report_proofs(l, job, &proofs, call) < 0)
        return -1;
    for (int i = 0; i < proofs.count; i++)
        (void)json_object_set_new(list, proofs.list[i].word,
                                  json_pack("{s:I,s:I}", "objects",
                                            (json_int_t)proofs.list[i].objects, "bytes",
                                            (json_int_t)proofs.list[i].bytes));
    return 0;
}

static int add_throughput(struct ledger *l, const struct ledger_job *job, json_t *json,
                          struct call *call)
{
    struct ledger_sample samples[LEDGER_SAMPLES];
    json_t *list = json_array();
    int n = ledger_samples(l, job->id, 0, samples, LEDGER_SAMPLES, call);

    (void)json_object_set_new(json, "throughput", list);
    for (int i = 0; i < n; i++) {
        json_t *sample = json_pack("{s:I,s:I}", "objects", (json_int_t)samples[i].objects, "bytes",
                                   (json_int_t)samples[i].bytes);
        set_time(sample, "until", samples[i].time);
        (void)json_array_append_new(list, sample);
    }
    return n < 0 ? -1 : 0;
}

int report_write_json(struct ledger *l, const struct ledger_job *job,
                      const struct report_options *options, FILE *out, struct call *call)
{
    json_t *json = json_object();
    json_t *containers = containers_json(l, job, call);
    int result = containers ? 0 : -1;

    json_set_text(json, "format", "bascule-report-1");
    json_set_text(json, "job", job->name);
    json_set_text(json, "source", job->source);
    json_set_text(json, "target", job->target);
    json_set_text(json, "state", ledger_job_state_word(job->state));
    (void)json_object_set_new(json, "run", json_integer(job->generation));
    set_time(json, "created", job->created);
    set_time(json, "started", job->started);
    set_time(json, "ended", job->ended);
    json_set_text(json, "error", job->error);
    json_set_text(json, "signed", options->signer ? options->signer : "unsigned");
    (void)json_object_set_new(json, "counts", counts_json(&job->counts));
    if (containers)
        (void)json_object_set_new(json, "containers", containers);
    if (result == 0)
        result = add_proofs(l, job, json, call);
    if (result == 0)
        result = add_findings(l, job, json, call);
    if (result == 0)
        result = add_throughput(l, job, json, call);
    if (result == 0)
        (void)json_dumpf(json, out, JSON_INDENT(2));
    (void)fputc('\n', out);
    json_decref(json);
    return result;
}
