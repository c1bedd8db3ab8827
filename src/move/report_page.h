// SPDX-License-Identifier: EUPL-1.2
/* What every page for people begins and ends with, and texts in it. */
#ifndef MOVE_REPORT_PAGE_H
#define MOVE_REPORT_PAGE_H

#include <stdio.h>

/* The head, the style and the headline. */
void report_page_begin(FILE *out, const char *title);
void report_page_end(FILE *out);
/* Any text, with what HTML means something else by escaped, and control characters shown. */
void report_page_text(FILE *out, const char *value);

#endif
