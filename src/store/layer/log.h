// SPDX-License-Identifier: EUPL-1.2
/*
 * A layer that writes one line to the program's log for each operation:
 *
 *     debug: azure: get 'invoices/a.pdf' 0+4194304: ok, 4194304 bytes, 81.2 ms
 *
 * What succeeded is written at one level, what failed at another.  Control characters in names are
 * written as \xNN.  Errors appear as their word, not their text.
 * Or it tells a function, which counts.
 */
#ifndef STORE_LAYER_LOG_H
#define STORE_LAYER_LOG_H

#include "store/store.h"
#include "util/log.h"

/* One operation that has ended.  Borrowed. */
struct log_event {
    const char *store;
    const char *verb;   /* "get", "upload part", ...: a literal */
    enum err_code code; /* ERR_NONE: it went well */
    uint64_t bytes;     /* of its body */
    int64_t duration;   /* nanoseconds */
};

struct log_options {
    enum log_level success; /* usually LOG_DEBUG */
    enum log_level failure; /* usually LOG_INFO */
    /* When set, it is told instead of the log, on any thread: for counting. */
    void (*watch)(void *argument, const struct log_event *event);
    void *argument;
};

/* Takes over below; options NULL: the usual. */
struct store *log_layer(struct store *below, const struct log_options *options);

#endif
