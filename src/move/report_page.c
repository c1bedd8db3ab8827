// SPDX-License-Identifier: EUPL-1.2
/* The frame of a page for people: see report_page.h. */
#include "move/report_page.h"

void report_page_text(FILE *out, const char *value)
{
    for (; value && *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '<')
            (void)fputs("&lt;", out);
        else if (c == '>')
            (void)fputs("&gt;", out);
        else if (c == '&')
            (void)fputs("&amp;", out);
        else if (c == '"')
            (void)fputs("&quot;", out);
        else if (c < 0x20 || c == 0x7f)
            (void)fprintf(out, "<i>\\x%02x</i>", c);
        else
            (void)fputc(c, out);
    }
}

static const char style[] =
    "<style>"
    ":root{color-scheme:light dark}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
    "th.n,td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}"
    "td.name{overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:.9em}"
    ".ok{background:#2a7d4f;color:#fff}.bad{background:#a33;color:#fff}"
    ".verdict{padding:.8rem 1rem;border-radius:.4rem;font-weight:600}"
    "svg{width:100%;height:auto}footer{margin:3rem 0 1rem;font-size:.85em;opacity:.75}"
    "</style>";

void report_page_begin(FILE *out, const char *title)
{
    (void)fputs("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                "<meta name=\"viewport\" content=\"width=device-width\"><title>",
                out);
    report_page_text(out, title);
    (void)fprintf(out, "</title>%s</head><body>\n<h1>", style);
    report_page_text(out, title);
    (void)fputs("</h1>\n", out);
}

void report_page_end(FILE *out)
{
    (void)fputs("<footer>Written by bascule.</footer>\n</body></html>\n", out);
}
