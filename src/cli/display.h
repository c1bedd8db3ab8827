// SPDX-License-Identifier: EUPL-1.2
/*
 * Shows how a move gets on: a few lines redrawn in place on a terminal, a plain line every ten
 * seconds elsewhere, a JSON line every second with --json.  All of it goes to standard error,
 * except JSON, which goes to standard output.
 *
 * The remaining time is said only once the listing is complete; before that, how much is known so
 * far.
 */
#ifndef CLI_DISPLAY_H
#define CLI_DISPLAY_H

#include <pthread.h>

#include "move/move.h"

enum display_kind { DISPLAY_TERMINAL, DISPLAY_LINES, DISPLAY_JSON };

struct display {
    enum display_kind kind;
    struct move_progress *progress;
    pthread_t thread;
    bool running;
    struct cancel stop;
    int lines; /* drawn on the terminal; the display's thread only */
    /* The rate: the display's thread only. */
    int64_t seen_at[16];
    int64_t seen_objects[16];
    int64_t seen_bytes[16];
    unsigned seen;
    /* The whole run, for the last look. */
    int64_t begun_at;
    int64_t begun_objects;
    int64_t begun_bytes;
};

void display_start(struct display *d, enum display_kind kind, struct move_progress *progress);
/* Draw once more and end. */
void display_stop(struct display *d);

#endif
