// SPDX-License-Identifier: EUPL-1.2
/*
 * The report as one self-contained page: no script, no picture or style from elsewhere.  It leads
 * with the accounting identity, then what could not be moved, how the rest was proven, what was
 * found, and how fast it went.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
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
    (void)fputs(", ended ", out);
    when(out, job->ended);
    (void)fputs(".</p>\n", out);
}

static void write_verdict(const struct ledger_job *job, FILE *out)
{
    const struct ledger_counts *c = &job->counts;
    bool done = job->state == LEDGER_JOB_DONE && !c->by[LEDGER_FAILED].objects;
    bool whole = done && !c->by[LEDGER_REFUSED].objects;

    (void)fprintf(out, "<p class=\"verdict %s\">", whole ? "ok" : "bad");
    if (whole)
        (void)fputs("Complete: every object that was listed is at the target, and proven.", out);
    else if (done)
        (void)fprintf(out,
                      "Settled, with refusals: %" PRId64
                      " objects could not be moved, each with its reason below.",
                      c->by[LEDGER_REFUSED].objects);
    else
        (void)fputs("Not finished: run the same command again.", out);
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

    (void)fputs("<h2>What became of everything</h2>\n<p>listed = moved + already there + vanished "
                "+ refused</p>\n<table><tr><th>Outcome</th><th>Objects</th><th>Bytes</th></tr>\n",
                out);
    tally_row(out, "<b>listed</b>", &c->listed);
    tally_row(out, "moved", &c->by[LEDGER_MOVED]);
    tally_row(out, "already there, unchanged", &c->by[LEDGER_ALREADY]);
    tally_row(out, "vanished at the source meanwhile", &c->by[LEDGER_VANISHED]);
    tally_row(out, "refused", &c->by[LEDGER_REFUSED]);
    if (c->by[LEDGER_FAILED].objects)
        tally_row(out, "failed", &c->by[LEDGER_FAILED]);
    if (c->by[LEDGER_PENDING].objects + c->by[LEDGER_WAITING].objects)
        tally_row(out, "still to do", &c->by[LEDGER_PENDING]);
    if (c->by[LEDGER_GONE].objects)
        tally_row(out, "moved by an earlier run, no longer at the source", &c->by[LEDGER_GONE]);
    if (c->by[LEDGER_DELETED].objects)
        tally_row(out, "deleted at the target on request", &c->by[LEDGER_DELETED]);
    (void)fputs("</table>\n", out);
}

static int write_containers(struct ledger *l, const struct ledger_job *job, FILE *out,
                            struct call *call)
{
    int64_t after = 0;

    (void)fputs("<h2>Containers</h2>\n<table><tr><th>Source</th><th>Target</th><th>Listed</th>"
                "<th>At the target</th><th>Refused</th><th></th></tr>\n",
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
        report_page_text(out, c.error ? c.error : c.gone ? "no longer at the source" : "");
        (void)fputs("</td></tr>\n", out);
    }
    (void)fputs("</table>\n", out);
    return 0;
}

static int write_troubles(struct ledger *l, const struct ledger_job *job, FILE *out,
                          struct call *call)
{
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    unsigned mask =
        LEDGER_MASK(LEDGER_REFUSED) | LEDGER_MASK(LEDGER_FAILED) | LEDGER_MASK(LEDGER_VANISHED);

    if (ledger_troubles(l, job->id, 0, mask, SHOWN, &rows, call) < 0)
        return -1;
    if (rows.count == 0)
        return 0;
    (void)fputs("<h2>Not moved</h2>\n<table><tr><th>Object</th><th>Outcome</th><th>Why</th></tr>\n",
                out);
    for (size_t i = 0; i < rows.count; i++) {
        (void)fputs("<tr><td class=\"name\">", out);
        report_page_text(out, rows.list[i].name);
        (void)fprintf(out, "</td><td>%s</td><td>", ledger_state_word(rows.list[i].state));
        report_page_text(out, rows.list[i].error);
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
                "<th>Objects</th><th>Bytes</th></tr>\n",
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
        struct ledger_finding f = {0};
        int n = ledger_findings(l, job->id, NULL, after, &f, 1, call);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        after = f.id;
        if (shown == 0)
            (void)fputs("<h2>Findings</h2>\n<table><tr><th>Kind</th><th>Where</th><th>What</th>"
                        "</tr>\n",
                        out);
        (void)fputs("<tr><td>", out);
        report_page_text(out, f.kind);
        (void)fputs("</td><td class=\"name\">", out);
        report_page_text(out, f.name);
        (void)fputs("</td><td>", out);
        report_page_text(out, f.text);
        (void)fputs("</td></tr>\n", out);
        ledger_finding_release(&f);
    }
    if (shown)
        (void)fputs("</table>\n", out);
    return 0;
}

/* The samples, added together into at most POINTS slots of equal length. */
struct plot {
    int64_t from, to;
    double bytes[POINTS];
    double highest;
    int used;
};

static int read_plot(struct ledger *l, const struct ledger_job *job, struct plot *p,
                     struct call *call)
{
    struct ledger_sample samples[LEDGER_SAMPLES];
    int n = ledger_samples(l, job->id, 0, samples, LEDGER_SAMPLES, call);

    *p = (struct plot){0};
    if (n <= 1)
        return n < 0 ? -1 : 0;
    p->from = samples[0].time;
    p->to = samples[n - 1].time;
    p->used = n - 1 < POINTS ? n - 1 : POINTS;
    if (p->to <= p->from) {
        p->used = 0;
        return 0;
    }
    double slot = (double)(p->to - p->from) / p->used / (double)CLOCK_SECOND;
    for (int i = 1; i < n; i++) {
        int at = (int)((double)(samples[i].time - p->from) * p->used / (double)(p->to - p->from));
        if (at >= p->used)
            at = p->used - 1;
        p->bytes[at] += (double)samples[i].bytes / slot;
    }
    for (int i = 0; i < p->used; i++)
        if (p->bytes[i] > p->highest)
            p->highest = p->bytes[i];
    return 0;
}

static int write_plot(struct ledger *l, const struct ledger_job *job, FILE *out, struct call *call)
{
    struct plot plot;
    char top[SIZE_TEXT], span[SIZE_TEXT];

    if (read_plot(l, job, &plot, call) < 0)
        return -1;
    if (plot.used < 2 || plot.highest <= 0)
        return 0;
    size_text(top, sizeof(top), (uint64_t)plot.highest);
    duration_text(span, sizeof(span), plot.to - plot.from);
    (void)fprintf(out,
                  "<h2>Throughput</h2>\n<svg viewBox=\"0 0 %d %d\" role=\"img\" "
                  "aria-label=\"Bytes per second over time, at most %s per second\">\n"
                  "<polyline fill=\"none\" stroke=\"#3b7dd8\" stroke-width=\"2\" points=\"",
                  PLOT_W, PLOT_H + 24, top);
    for (int i = 0; i < plot.used; i++)
        (void)fprintf(out, "%.1f,%.1f ", (double)i * PLOT_W / (plot.used - 1),
                      PLOT_H - plot.bytes[i] / plot.highest * (PLOT_H - 16));
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
    write_verdict(job, out);
    write_identity(job, out);
    if (write_troubles(l, job, out, call) < 0 || write_proofs(l, job, out, call) < 0 ||
        write_findings(l, job, out, call) < 0 || write_containers(l, job, out, call) < 0 ||
        write_plot(l, job, out, call) < 0)
        return -1;
    write_foot(options, out);
    return 0;
}
