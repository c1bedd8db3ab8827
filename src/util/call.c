// SPDX-License-Identifier: EUPL-1.2
/* Deadline and cancellation: see call.h. */
#include "util/call.h"

#include <errno.h>
#include <time.h>

#include "util/clock.h"

/* How soon a sleeping call notices a raised flag. */
#define NOTICE (20 * CLOCK_MILLISECOND)

void cancel_raise(struct cancel *cancel)
{
    atomic_store_explicit(&cancel->raised, true, memory_order_release);
}

bool cancel_is_raised(const struct cancel *cancel)
{
    for (; cancel; cancel = cancel->parent)
        if (atomic_load_explicit(&cancel->raised, memory_order_acquire))
            return true;
    return false;
}

struct call call_child(const struct call *parent, const struct cancel *cancel)
{
    return (struct call){
        .deadline = parent->deadline,
        .cancel = cancel ? cancel : parent->cancel,
        .trace = parent->trace,
        .drain = parent->drain,
    };
}

int call_check(struct call *call)
{
    if (cancel_is_raised(call->cancel))
        return err_set(&call->err, ERR_CANCELLED, "stopped on request");
    if (call->deadline && clock_monotonic() >= call->deadline)
        return err_set(&call->err, ERR_TIMEOUT, "the time allowed for this has passed");
    return 0;
}

static int sleep_for(struct call *call, int64_t nanoseconds, const struct cancel *also)
{
    int64_t until = clock_monotonic() + nanoseconds;

    for (;;) {
        if (call_check(call) < 0)
            return -1;
        if (cancel_is_raised(also))
            return err_set(&call->err, ERR_CANCELLED, "stopped on request");
        int64_t left = until - clock_monotonic();
        if (left <= 0)
            return 0;
        if (left > NOTICE)
            left = NOTICE;
        struct timespec pause = {.tv_sec = left / CLOCK_SECOND, .tv_nsec = left % CLOCK_SECOND};
        (void)nanosleep(&pause, NULL);
    }
}

int call_sleep(struct call *call, int64_t nanoseconds)
{
    return sleep_for(call, nanoseconds, NULL);
}

int call_sleep_again(struct call *call, int64_t nanoseconds)
{
    return sleep_for(call, nanoseconds, call->drain);
}
