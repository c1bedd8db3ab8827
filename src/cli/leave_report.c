// SPDX-License-Identifier: EUPL-1.2
/* What bascule leave writes and says of all accounts together: see leave_report.h. */
#include "cli/leave_report.h"

#include <inttypes.h>

#include "cli/cli.h"
#include "cli/summary.h"
#include "codec/json.h"
#include "codec/size.h"
#include "move/report_page.h"

/* From the one that matters most. */
static const int by_weight[] = {EXIT_FAILED, EXIT_DIFFERENCES, EXIT_INTERRUPTED, EXIT_REFUSALS};

static int code_of(const struct leave_outcome *o)
{
    for (size_t i = 0; i < ARRAY_SIZE(by_weight); i++)
        if (o->moved == by_weight[i] || o->proven == by_weight[i])
            return by_weight[i];
    /* Nothing is left behind silently. */
    return o->account->deleted ? EXIT_REFUSALS : EXIT_OK;
}

int leave_exit_code(const struct leave_summary *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(by_weight); i++) {
        if (by_weight[i] == EXIT_INTERRUPTED && s->interrupted)
            return EXIT_INTERRUPTED;
        for (size_t k = 0; k < s->count; k++)
            if (s->outcomes[k].job.name && code_of(&s->outcomes[k]) == by_weight[i])
                return by_weight[i];
    }
    return EXIT_OK;
}

static const char *word_of(const struct leave_outcome *o)
{
    static const char *const words[] = {[EXIT_OK] = "complete",
                                        [EXIT_FAILED] = "not finished",
                                        [EXIT_USAGE] = "not finished",
                                        [EXIT_REFUSALS] = "complete but for what was refused",
                                        [EXIT_DIFFERENCES] = "differences found",
                                        [EXIT_INTERRUPTED] = "interrupted"};

    return o->job.name ? words[code_of(o)] : "not begun";
}

static int64_t arrived(const struct leave_outcome *o)
{
    return o->job.counts.by[LEDGER_MOVED].objects + o->job.counts.by[LEDGER_ALREADY].objects;
}

/* ---- JSON ---- */

static int write_json(const json_t *json, const char *folder, const char *name, struct err *e)
{
    auto_report_file struct report_file f = {0};

    if (report_file_open(&f, folder, name, e) < 0)
        return -1;
    (void)json_dumpf(json, f.file, JSON_INDENT(2));
    (void)fputc('\n', f.file);
    return report_file_done(&f, e);
}

int leave_write_stays(const struct estate_account *a, const char *folder, struct err *e)
{
    auto_json json_t *json = json_pack("{s:s,s:s,s:O}", "format", "bascule-leave-stays-1",
                                       "account", a->name, "stays", a->stays);

    return write_json(json, folder, "stays.json", e);
}

static json_t *verified_json(const struct verify_result *v)
{
    return json_pack("{s:I,s:I,s:I,s:I}", "objects", (json_int_t)atomic_load(&v->objects), "bytes",
                     (json_int_t)atomic_load(&v->bytes), "differences",
                     (json_int_t)atomic_load(&v->differences), "unproven",
                     (json_int_t)atomic_load(&v->unproven));
}

static json_t *containers_json(const struct estate_account *a)
{
    json_t *map = json_object();

    for (size_t i = 0; i < a->count; i++)
        (void)json_object_set_new(map, a->containers[i].name, json_string(a->containers[i].target));
    return map;
}

static json_t *outcome_json(const struct leave_outcome *o)
{
    json_t *json =
        json_pack("{s:s,s:s,s:o,s:O}", "account", o->account->name, "outcome", word_of(o),
                  "containers", containers_json(o->account), "stays", o->account->stays);

    if (!o->job.name)
        return json;
    (void)json_object_set_new(json, "exit_status", json_integer(code_of(o)));
    (void)json_object_set_new(json, "job", summary_json(&o->job, "job"));
    if (o->proven >= 0)
        (void)json_object_set_new(json, "verified", verified_json(&o->verified));
    return json;
}

static json_t *summary_of(const struct leave_summary *s, const char *signer)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->count; i++)
        (void)json_array_append_new(list, outcome_json(&s->outcomes[i]));
    return json_pack("{s:s,s:s,s:b,s:s,s:i,s:o}", "format", "bascule-leave-1", "target", s->target,
                     "history", s->history, "signed", signer ? signer : "unsigned", "exit_status",
                     leave_exit_code(s), "accounts", list);
}

/* ---- The page ---- */

static void write_cell(FILE *out, int64_t number)
{
    (void)fprintf(out, "<td class=\"n\">%" PRId64 "</td>", number);
}

static void write_row(FILE *out, const struct leave_outcome *o)
{
    const struct ledger_counts *c = &o->job.counts;
    char size[SIZE_TEXT];

    (void)fputs("<tr><td>", out);
    if (o->job.name)
        (void)fprintf(out, "<a href=\"%s/report.html\">%s</a>", o->account->name, o->account->name);
    else
        report_page_text(out, o->account->name);
    (void)fprintf(out, "</td><td>%s</td>", word_of(o));
    write_cell(out, (int64_t)o->account->count);
    write_cell(out, c->listed.objects);
    size_text(size, sizeof(size), (uint64_t)c->listed.bytes);
    (void)fprintf(out, "<td class=\"n\">%s</td>", size);
    write_cell(out, arrived(o));
    write_cell(out, c->by[LEDGER_VANISHED].objects);
    write_cell(out, c->by[LEDGER_REFUSED].objects);
    write_cell(out, c->by[LEDGER_FAILED].objects);
    if (o->proven < 0)
        (void)fputs("<td class=\"n\">no</td>", out);
    else
        (void)fprintf(out, "<td class=\"n\">%" PRId64 ", %" PRId64 " differ</td>",
                      (int64_t)atomic_load(&o->verified.objects),
                      (int64_t)atomic_load(&o->verified.differences));
    (void)fputs("</tr>\n", out);
}

static void write_stay(FILE *out, const char *key, const json_t *value)
{
    (void)fprintf(out, "<li>%s: ", key);
    if (json_is_array(value))
        (void)fprintf(out, "%zu", json_array_size(value));
    else
        (void)fprintf(out, "%" PRId64, (int64_t)json_integer_value(value));
    (void)fputs("</li>\n", out);
}

static void write_stays(FILE *out, const struct leave_summary *s)
{
    (void)fputs("<h2>What stays behind</h2>\n<p>Keys, signatures, roles and leases belong to the "
                "gateway; no store has a place for them. They are listed in each account's "
                "<code>stays.json</code>. What is set on accounts and containers, and what the "
                "target could not hold of it, lies beside the objects in "
                "<code>.bascule/container.json</code>.</p>\n",
                out);
    for (size_t i = 0; i < s->count; i++) {
        const char *key;
        json_t *value;
        (void)fputs("<h3>", out);
        report_page_text(out, s->outcomes[i].account->name);
        (void)fputs("</h3>\n<ul>\n", out);
        json_object_foreach(s->outcomes[i].account->stays, key, value) write_stay(out, key, value);
        (void)fputs("</ul>\n", out);
    }
}

static void write_page(FILE *out, const struct leave_summary *s, const char *signer)
{
    bool whole = leave_exit_code(s) == EXIT_OK;

    report_page_begin(out, "Leaving the gateway");
    (void)fputs("<p>Every account to <b>", out);
    report_page_text(out, s->target);
    (void)fprintf(out, "</b>, %s snapshots and versions.</p>\n<p class=\"verdict %s\">%s</p>\n",
                  s->history ? "with" : "without", whole ? "ok" : "bad",
                  whole
                      ? "Complete: everything that was listed is at the target, and was read back "
                        "there."
                      : "Not everything left: see the accounts below.");
    (void)fputs("<table><tr><th>Account</th><th>Outcome</th><th>Containers</th><th>Listed</th>"
                "<th>Bytes</th><th>At the target</th><th>Vanished</th><th>Refused</th>"
                "<th>Failed</th><th>Read back</th></tr>\n",
                out);
    for (size_t i = 0; i < s->count; i++)
        write_row(out, &s->outcomes[i]);
    (void)fputs("</table>\n", out);
    write_stays(out, s);
    (void)fputs("<h2>Check it yourself</h2>\n<p><code>SHA256SUMS</code> lists everything, for "
                "<code>sha256sum -c</code> in a folder that has the containers as sub-folders. ",
                out);
    if (signer)
        (void)fprintf(out, "It is signed: <code>minisign -Vm SHA256SUMS -P %s</code>.</p>\n",
                      signer);
    else
        (void)fputs("It is <b>not signed</b>: no signing key is configured.</p>\n", out);
    report_page_end(out);
}

int leave_write_summary(const struct leave_summary *s, const char *signer, const char *folder,
                        struct err *e)
{
    auto_json json_t *json = summary_of(s, signer);
    auto_report_file struct report_file page = {0};

    if (write_json(json, folder, "summary.json", e) < 0 ||
        report_file_open(&page, folder, "summary.html", e) < 0)
        return -1;
    write_page(page.file, s, signer);
    return report_file_done(&page, e);
}

/* ---- On standard output ---- */

void leave_print(const struct leave_summary *s, const char *folder, bool json)
{
    if (json) {
        auto_json json_t *line = summary_of(s, NULL);
        (void)json_object_del(line, "signed");
        (void)json_object_set_new(line, "event", json_string("left"));
        (void)json_object_set_new(line, "report", json_string(folder));
        (void)json_dumpf(line, stdout, JSON_COMPACT);
        (void)putchar('\n');
        return;
    }
    printf("\nleaving, to %s\n", s->target);
    for (size_t i = 0; i < s->count; i++) {
        const struct leave_outcome *o = &s->outcomes[i];
        printf("  %-24s %" PRId64 " of %" PRId64 " objects at the target, %s\n", o->account->name,
               arrived(o), o->job.counts.listed.objects, word_of(o));
        if (o->account->deleted)
            printf("  %-24s %" PRId64
                   " soft-deleted container%s stayed: restore first what shall leave\n",
                   "", o->account->deleted, o->account->deleted == 1 ? "" : "s");
    }
    printf("  %s/summary.html for people, summary.json for programs, SHA256SUMS of everything, and "
           "a folder for each account\n",
           folder);
}
