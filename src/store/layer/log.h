// SPDX-License-Identifier: EUPL-1.2
/*
 * A layer that writes one line to the program's log for each operation:
 *
 *     debug: azure: get 'invoices/a.pdf' 0+4194304: ok, 4194304 bytes, 81.2 ms
 *
 * What succeeded is written at one level, what failed at another.  Control characters in names are
 * written as \xNN.  Errors appear as their word, not their text.
 */
#ifndef STORE_LAYER_LOG_H
#define STORE_LAYER_LOG_H

#include "store/store.h"
#include "util/log.h"

struct log_options {
    enum log_level success; /* usually LOG_DEBUG */
    enum log_level failure; /* usually LOG_INFO */
};

/* Takes over below; options NULL: the usual. */
struct store *log_layer(struct store *below, const struct log_options *options);

#endif
