// SPDX-License-Identifier: EUPL-1.2
/* The layers every driver is used through: retry over limit over log. */
#ifndef STORE_STACK_H
#define STORE_STACK_H

#include "store/layer/limit.h"
#include "store/layer/log.h"
#include "store/layer/retry.h"

struct stack_options {
    bool no_retry;
    struct retry_options retry;
    struct limit_options limit; /* plans without rules: no limit */
    bool no_log;
    struct log_options log; /* all zero: successes at debug, failures at info */
};

/* Takes over driver; a layer that would have nothing to do is left out.  options NULL: the usual.
 */
struct store *store_stack(struct store *driver, const struct stack_options *options);

#endif
