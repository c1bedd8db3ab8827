// SPDX-License-Identifier: EUPL-1.2
/*
 * A layer that keeps to a number of requests and bytes in a second, by the time of day.  One layer
 * is one limit for all threads that use it.  Bytes are counted as they stream; what is known to lie
 * in memory is counted in one go, before it is sent.
 */
#ifndef STORE_LAYER_LIMIT_H
#define STORE_LAYER_LIMIT_H

#include "store/layer/limit_plan.h"
#include "store/store.h"

struct limit_options {
    struct limit_plan requests;
    struct limit_plan down; /* bytes read from the store */
    struct limit_plan up;   /* bytes written to it */
};

/* Takes over below. */
struct store *limit_layer(struct store *below, const struct limit_options *options);

#endif
