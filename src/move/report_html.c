// SPDX-License-Identifier: EUPL-1.2
/*
 * The report as one self-contained page: no script, no picture or style from elsewhere.  It leads
 * with the accounting identity, then what could not be moved, how the rest was proven, what was
 * found, and how fast it went.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/json.h"
#include "codec/size.h"
#include "move/report.h"
#include "move/report_page.h"

#define SHOWN  2000
#define PLOT_W 880
#define PLOT_H 180
#define POINTS 400

static void when(FILE *out, int64_t time)
{
    char at[DATE_TEXT];

    if (time == TIME_UNKNOWN || time == 0)
        return;
    date_iso8601(at, sizeof(at), time, 0);
    (void)fputs(at, out);
}

static void write_head(const struct ledger_job *job, FILE *out)
{
    auto_free char *title = xasprintf("Move %s", job->name);

    report_page_begin(out, title);
    (void)fputs("<p>From <b>", out);
    report_page_text(out, job->source);
    (void)fputs("</b> to <b>", out);
    report_page_text(out, job->target);
    (void)fprintf(out, "</b>, run %" PRId64 ", begun ", job->generation);
    when(out, job->started);
    if (job->ended != TIME_UNKNOWN && job->ended != 0) {
        (void)fputs(", ended ", out);
        when(out, job->ended);
    }
    (void)fputs(".</p>\n", out);
}

/* "1 object, 2 containers": of what there is some. */
static void count_words(FILE *out, int64_t objects, int64_t containers)
{
    if (objects)
        (void)fprintf(out, "%" PRId64 " object%s", objects, objects == 1 ? "" : "s");
    if (containers)
        (void)fprintf(out, "%s%" PRId64 " container%s", objects ? " and " : "", containers,
                      containers == 1 ? "" : "s");
}

static void write_verdict(const struct ledger_job *job, int64_t refused_containers, FILE *out)
{
    const struct ledger_counts *c = &job->counts;
    int64_t refused = c->by[LEDGER_REFUSED].objects, vanished = c->by[LEDGER_VANISHED].objects;
    bool done = job->state == LEDGER_JOB_DONE && !c->by[LEDGER_FAILED].objects;
    bool whole = done && !refused && !refused_containers;

    (void)fprintf(out, "<p class=\"verdict %s\">", whole ? "ok" : "bad");
    if (whole) {
        (void)fprintf(out, "Complete: every object that was listed%s is at the target, and proven.",
                      vanished ? " and has not vanished meanwhile" : "");
    } else if (done) {
        (void)fputs("Settled, with refusals: ", out);
        count_words(out, refused, refused_containers);
        (void)fputs(" could not be moved, each with its reason below.", out);
    } else {
        (void)fputs("Not finished: run the same command again.", out);
    }
    (void)fputs("</p>\n", out);
    if (job->error) {
        (void)fputs("<p>It stopped because: ", out);
        report_page_text(out, job->error);
        (void)fputs("</p>\n", out);
    }
}

static void tally_row(FILE *out, const char *word, const struct ledger_tally *t)
{
    char size[SIZE_TEXT];

    size_text(size, sizeof(size), (uint64_t)t->bytes);
    (void)fprintf(out,
                  "<tr><td>%s</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%s</td></tr>\n",
                  word, t->objects, size);
}

static void write_identity(const struct ledger_job *job, FILE *out)
{
    const struct ledger_counts *c = &job->counts;

    (void)fprintf(
        out,
        "<h2>What became of everything</h2>\n<p>listed = moved + already there + vanished "
        "+ refused: %" PRId64 " = %" PRId64 " + %" PRId64 " + %" PRId64 " + %" PRId64,
        c->listed.objects, c->by[LEDGER_MOVED].objects, c->by[LEDGER_ALREADY].objects,
        c->by[LEDGER_VANISHED].objects, c->by[LEDGER_REFUSED].objects);
    int64_t open = c->by[LEDGER_FAILED].objects + c->by[LEDGER_PENDING].objects +
                   c->by[LEDGER_WAITING].objects;
    if (open)
        (void)fprintf(out, ", and %" PRId64 " not settled", open);
    (void)fputs("</p>\n<table><tr><th>Outcome</th><th class=\"n\">Objects</th><th class=\"n\">"
                "Bytes</th></tr>\n",
                out);
    tally_row(out, "<b>listed</b>", &c->listed);
    tally_row(out, "moved", &c->by[LEDGER_MOVED]);
    tally_row(out, "already there, unchanged", &c->by[LEDGER_ALREADY]);
    tally_row(out, "vanished at the source meanwhile", &c->by[LEDGER_VANISHED]);
    tally_row(out, "refused", &c->by[LEDGER_REFUSED]);
    if (c->by[LEDGER_FAILED].objects)
        tally_row(out, "failed", &c->by[LEDGER_FAILED]);
    if (c->by[LEDGER_PENDING].objects)
        tally_row(out, "still to do", &c->by[LEDGER_PENDING]);
    if (c->by[LEDGER_WAITING].objects)
        tally_row(out, "waiting (being woken, or tried again later)", &c->by[LEDGER_WAITING]);
    if (c->by[LEDGER_GONE].objects)
        tally_row(out, "moved by an earlier run, no longer at the source", &c->by[LEDGER_GONE]);
    if (c->by[LEDGER_DELETED].objects)
        tally_row(out, "deleted at the target on request", &c->by[LEDGER_DELETED]);
    (void)fputs("</table>\n", out);
}

static void write_words(FILE *out, const char *what, const json_t *words)
{
    size_t i;
    json_t *word;

    json_array_foreach(words, i, word)
    {
        (void)fputs(i ? ", " : what, out);
        report_page_text(out, json_string_value(word));
    }
}

/* What was set on a container: carried, or kept beside. */
static void write_settings(FILE *out, const struct ledger_container *c)
{
    auto_json json_t *json = c->carried ? json_loads(c->carried, 0, NULL) : NULL;
    const json_t *carried = json_object_get(json, "carried"), *left = json_object_get(json, "left");

    write_words(out, "carried: ", carried);
    if (json_array_size(carried) && json_array_size(left))
        (void)fputs("; ", out);
    write_words(out, "kept beside: ", left);
}

static int write_containers(struct ledger *l, const struct ledger_job *job, FILE *out,
                            struct call *call)
{
    int64_t after = 0;

    (void)fputs(
        "<h2>Containers</h2>\n<table><tr><th>Source</th><th>Target</th><th class=\"n\">Listed</th>"
        "<th class=\"n\">At the target</th><th class=\"n\">Refused</th><th>Settings</th>"
        "</tr>\n",
        out);
    for (;;) {
        auto_ledger_container struct ledger_container c = {0};
        int n = ledger_containers(l, job->id, after, &c, 1, call);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        after = c.id;
        (void)fputs("<tr><td class=\"name\">", out);
        report_page_text(out, c.source);
        (void)fputs("</td><td class=\"name\">", out);
        report_page_text(out, c.target);
        (void)fprintf(out,
                      "</td><td class=\"n\">%" PRId64 "</td><td class=\"n\">%" PRId64
                      "</td><td class=\"n\">%" PRId64 "</td><td>",
                      c.counts.listed.objects,
                      c.counts.by[LEDGER_MOVED].objects + c.counts.by[LEDGER_ALREADY].objects,
                      c.counts.by[LEDGER_REFUSED].objects);
        if (c.error || c.gone)
            report_page_text(out, c.error ? c.error : "no longer at the source");
        else
            write_settings(out, &c);
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</table>\n", out);
    return 0;
}

static int write_objects(struct ledger *l, const struct ledger_job *job, const char *title,
                         unsigned mask, FILE *out, struct call *call)
{
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;

    if (ledger_troubles(l, job->id, 0, mask, SHOWN, &rows, call) < 0)
        return -1;
    if (rows.count == 0)
        return 0;
    (void)fprintf(out, "<h2>%s</h2>\n<table><tr><th>Object</th><th>Outcome</th><th>Why</th></tr>\n",
                  title);
    for (size_t i = 0; i < rows.count; i++) {
        const struct ledger_object *row = &rows.list[i];
        auto_ledger_container struct ledger_container c = {0};
        if (ledger_containers(l, job->id, row->container - 1, &c, 1, call) < 0)
            return -1;
        (void)fputs("<tr><td class=\"name\">", out);
        report_page_text(out, c.source);
        (void)fputc('/', out);
        report_page_text(out, row->name);
        if (row->kind != LEDGER_CURRENT) {
            (void)fprintf(out, " (%s ", ledger_kind_word(row->kind));
            report_page_text(out, row->version);
            (void)fputc(')', out);
        }
        (void)fprintf(out, "</td><td>%s</td><td>", ledger_state_word(row->state));
        report_page_text(out, row->error);
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</table>\n", out);
    if (rows.count == SHOWN)
        (void)fprintf(out, "<p>Only the first %d are shown; objects.jsonl has all.</p>\n", SHOWN);
    return 0;
}

static const struct {
    const char *word;
    const char *meaning;
} proof_meanings[] = {
    {"signed", "SHA-256 of the bytes in the request's signature; this store refused a wrong one"},
    {"checksum", "checksum that this store refused when wrong, or named itself in its answer"},
    {"etag", "the ETag the store computed is the MD5 of what was sent"},
    {"written", "written to a local file system and synced"},
    {"readback", "read back from the target and compared by SHA-256"},
};

static int write_proofs(struct ledger *l, const struct ledger_job *job, FILE *out,
                        struct call *call)
{
    struct report_proofs proofs;
    char size[SIZE_TEXT];

    if (report_proofs(l, job, &proofs, call) < 0)
        return -1;
    (void)fputs("<h2>How it was proven</h2>\n<p>Every object was read as one version (If-Match on "
                "each request) and hashed with SHA-256 as it came. That the target holds exactly "
                "those bytes is known by:</p>\n<table><tr><th>Proof</th><th>Meaning</th>"
                "<th class=\"n\">Objects</th><th class=\"n\">Bytes</th></tr>\n",
                out);
    for (int i = 0; i < proofs.count; i++) {
        const char *meaning = "";
        for (size_t k = 0; k < ARRAY_SIZE(proof_meanings); k++)
            if (strcmp(proof_meanings[k].word, proofs.list[i].word) == 0)
                meaning = proof_meanings[k].meaning;
        size_text(size, sizeof(size), (uint64_t)proofs.list[i].bytes);
        (void)fprintf(out,
                      "<tr><td>%s</td><td>%s</td><td class=\"n\">%" PRId64
                      "</td><td class=\"n\">%s</td></tr>\n",
                      proofs.list[i].word, meaning, proofs.list[i].objects, size);
    }
    (void)fputs("</table>\n", out);
    return 0;
}

static int write_findings(struct ledger *l, const struct ledger_job *job, FILE *out,
                          struct call *call)
{
    int64_t after = 0;
    int shown = 0;

    for (; shown < SHOWN; shown++) {
        cleanup(ledger_finding_release) struct ledger_finding f = {0};
        auto_free char *container = NULL;
        int n = ledger_findings(l, job->id, NULL, after, &f, 1, call);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        after = f.id;
        if (report_finding_place(l, job, &f, &container, call) < 0)
            return -1;
        if (shown == 0)
            (void)fputs("<h2>Findings</h2>\n<table><tr><th>Kind</th><th>Where</th><th>What</th>"
                        "</tr>\n",
                        out);
        (void)fputs("<tr><td>", out);
        report_page_text(out, f.kind);
        (void)fputs("</td><td class=\"name\">", out);
        report_page_text(out, container);
        if (f.object) {
            (void)fputc('/', out);
            report_page_text(out, f.name);
        }
        (void)fputs("</td><td>", out);
        report_page_text(out, f.text);
        (void)fputs("</td></tr>\n", out);
    }
    if (shown)
        (void)fputs("</table>\n", out);
    if (shown == SHOWN)
        (void)fprintf(out, "<p>Only the first %d are shown; findings.jsonl has all.</p>\n", SHOWN);
    return 0;
}

/* The samples, added together into at most POINTS slots of equal length. */
struct plot {
    int64_t from, to;
    double bytes[POINTS];
    double highest;
    int used;
    int64_t objects, all_bytes;
};

/* The job's start is where the first sample begins. */
static int read_plot(struct ledger *l, const struct ledger_job *job, struct plot *p,
                     struct call *call)
{
    struct ledger_sample samples[LEDGER_SAMPLES];
    int n = ledger_samples(l, job->id, 0, samples, LEDGER_SAMPLES, call);

    *p = (struct plot){0};
    if (n <= 0)
        return n;
    p->from = job->started < samples[0].time ? job->started : samples[0].time;
    p->to = samples[n - 1].time;
    if (p->to - p->from < CLOCK_MILLISECOND)
        p->to = p->from + CLOCK_MILLISECOND;
    p->used = n < POINTS ? n : POINTS;
    double slot = (double)(p->to - p->from) / p->used / (double)CLOCK_SECOND;
    for (int i = 0; i < n; i++) {
        int at = (int)((double)(samples[i].time - p->from) * p->used / (double)(p->to - p->from));
        if (at >= p->used)
            at = p->used - 1;
        p->bytes[at] += (double)samples[i].bytes / slot;
        p->objects += samples[i].objects;
        p->all_bytes += samples[i].bytes;
    }
    for (int i = 0; i < p->used; i++)
        if (p->bytes[i] > p->highest)
            p->highest = p->bytes[i];
    return 0;
}

static void write_mean(const struct plot *p, FILE *out)
{
    double seconds = (double)(p->to - p->from) / (double)CLOCK_SECOND;
    char mean[SIZE_TEXT], all[SIZE_TEXT], span[SIZE_TEXT];

    size_text(all, sizeof(all), (uint64_t)p->all_bytes);
    size_text(mean, sizeof(mean), (uint64_t)((double)p->all_bytes / seconds));
    duration_text(span, sizeof(span), p->to - p->from);
    (void)fprintf(out, "<p>%s read in %s: %s/s and %.1f objects/s on average.</p>\n", all, span,
                  mean, (double)p->objects / seconds);
}

/* One step for each slot: what was read in it, over its length. */
static int write_plot(struct ledger *l, const struct ledger_job *job, FILE *out, struct call *call)
{
    struct plot plot;
    char top[SIZE_TEXT], span[SIZE_TEXT];

    if (read_plot(l, job, &plot, call) < 0)
        return -1;
    (void)fputs("<h2>Throughput</h2>\n", out);
    if (!plot.used) {
        (void)fputs("<p>Nothing was measured.</p>\n", out);
        return 0;
    }
    write_mean(&plot, out);
    size_text(top, sizeof(top), (uint64_t)plot.highest);
    duration_text(span, sizeof(span), plot.to - plot.from);
    (void)fprintf(out,
                  "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
                  "aria-label=\"Bytes per second over time, at most %s per second\">\n"
                  "<polyline fill=\"none\" stroke=\"#3b7dd8\" stroke-width=\"2\" points=\"",
                  PLOT_W, PLOT_H + 24, top);
    for (int i = 0; i < plot.used; i++) {
        double high = plot.highest > 0 ? plot.bytes[i] / plot.highest : 0;
        double y = PLOT_H - high * (PLOT_H - 18);
        (void)fprintf(out, "%.1f,%.1f %.1f,%.1f ", (double)i * PLOT_W / plot.used, y,
                      (double)(i + 1) * PLOT_W / plot.used, y);
    }
    (void)fprintf(out,
                  "\"/>\n<line x1=\"0\" x2=\"%d\" y1=\"%d\" y2=\"%d\" stroke=\"#8888\"/>\n"
                  "<text x=\"0\" y=\"12\" font-size=\"13\" fill=\"currentColor\">%s/s</text>\n"
                  "<text x=\"%d\" y=\"%d\" font-size=\"13\" text-anchor=\"end\" "
                  "fill=\"currentColor\">%s</text>\n</svg>\n",
                  PLOT_W, PLOT_H, PLOT_H, top, PLOT_W, PLOT_H + 18, span);
    return 0;
}

static void write_foot(const struct report_options *options, FILE *out)
{
    (void)fputs("<h2>Check it yourself</h2>\n<p>SHA256SUMS lists every object at the target. In a "
                "folder with the containers as sub-folders (the directory store itself, or a copy "
                "made with any tool): <code>sha256sum -c SHA256SUMS</code>. ",
                out);
    if (options->signer) {
        (void)fputs("The list is signed: <code>minisign -Vm SHA256SUMS -P ", out);
        report_page_text(out, options->signer);
        (void)fputs("</code>.</p>\n", out);
    } else {
        (void)fputs("The list is <b>not signed</b>: no signing key is configured.</p>\n", out);
    }
    report_page_end(out);
}

int report_write_html(struct ledger *l, const struct ledger_job *job,
                      const struct report_options *options, FILE *out, struct call *call)
{
    write_head(job, out);
    int64_t refused = report_refused_containers(l, job, call);
    if (refused < 0)
        return -1;
    write_verdict(job, refused, out);
    write_identity(job, out);
    if (write_objects(l, job, "Not moved",
                      LEDGER_MASK(LEDGER_REFUSED) | LEDGER_MASK(LEDGER_FAILED) |
                          LEDGER_MASK(LEDGER_VANISHED),
                      out, call) < 0 ||
        write_objects(l, job, "No longer at the source",
                      LEDGER_MASK(LEDGER_GONE) | LEDGER_MASK(LEDGER_DELETED), out, call) < 0 ||
        write_proofs(l, job, out, call) < 0 || write_findings(l, job, out, call) < 0 ||
        write_containers(l, job, out, call) < 0 || write_plot(l, job, out, call) < 0)
        return -1;
    write_foot(options, out);
    return 0;
}
