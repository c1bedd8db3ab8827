// SPDX-License-Identifier: EUPL-1.2
/* The standard stack: see stack.h. */
#include "store/stack.h"

static bool is_limited(const struct limit_options *limit)
{
    return limit->requests.count || limit->down.count || limit->up.count;
}

struct store *store_stack(struct store *driver, const struct stack_options *options)
{
    static const struct stack_options usual = {.no_retry = false};
    const struct stack_options *o = options ? options : &usual;
    bool chosen = o->log.success || o->log.failure;
    struct log_options log =
        chosen ? o->log : (struct log_options){.success = LOG_DEBUG, .failure = LOG_INFO};
    struct store *s = driver;

    if (!o->no_log && (log_wants(log.success) || log_wants(log.failure)))
        s = log_layer(s, &log);
    if (is_limited(&o->limit))
        s = limit_layer(s, &o->limit);
    if (!o->no_retry)
        s = retry_layer(s, &o->retry);
    return s;
}
