// SPDX-License-Identifier: EUPL-1.2
/* A worker: claims objects, copies them, hands their outcomes on; waits when there is nothing. */
#include <stdio.h>
#include <string.h>

#include "move/mover.h"

#define CLAIM_OBJECTS 64
#define CLAIM_BYTES   (32 * 1024 * 1024)
/* How long an idle worker sleeps: little at first, longer while all there is must wait. */
#define IDLE_FIRST   (50 * CLOCK_MILLISECOND)
#define IDLE_LONGEST (500 * CLOCK_MILLISECOND)
#define IDLE_WAITING (5 * CLOCK_SECOND)
/* So many failures in a row are no longer about single objects. */
#define FAILURES_MAX 100
/* Before an object is copied again after a failure, times the number of failures. */
#define AGAIN_PAUSE (200 * CLOCK_MILLISECOND)
/* A waking archive object is looked at this often, unless the options say otherwise. */
#define WAKE_POLL (60 * CLOCK_SECOND)

/* Claim fewer near the end, so that no worker sits on what others could do. */
static int claim_size(const struct mover *m)
{
    int64_t left = atomic_load(&m->progress->listed) - atomic_load(&m->progress->settled);
    int64_t share = left / (2 * m->workers);

    return share < 1 ? 1 : share > CLAIM_OBJECTS ? CLAIM_OBJECTS : (int)share;
}

/* Ask for an archived object to be woken, within the budget; it then waits in the ledger. */
static int wake(struct item *item, struct call *call)
{
    struct mover *m = item->mover;
    const struct move_options *o = m->options;
    auto_object struct object state = OBJECT_INIT;
    uint64_t size = (uint64_t)item->row->size;

    if (store_stat(m->source, &item->from, &state, call) < 0)
        return -1;
    if (state.archived && !state.waking) {
        {
            locked(&m->lock);
            if (o->rehydrate_bytes && m->woken + size > o->rehydrate_bytes)
                return err_set(&call->err, ERR_ARCHIVED,
                               "archived, and the budget for waking is used up");
            m->woken += size;
        }
        if (store_tier_set(m->source, &item->from, "Hot", o->rehydrate_priority, call) < 0)
            return -1;
        outcome_note(item->outcome, "rehydrated", "woken from the archive tier with priority %s",
                     o->rehydrate_priority);
    }
    item->outcome->result.state = LEDGER_WAITING;
    item->outcome->result.code = ERR_ARCHIVED;
    replace_string(&item->outcome->error, "being woken from the archive tier");
    item->outcome->result.due = clock_wall();
    if (state.archived) /* it may have woken since it was read */
        item->outcome->result.due += o->wake_poll ? o->wake_poll : WAKE_POLL;
    return 0;
}

/* Find out what the object is now, after the listing proved to be out of date. */
static int look_again(struct item *item, struct call *call)
{
    struct object state = OBJECT_INIT;

    if (store_stat(item->mover->source, &item->from, &state, call) < 0)
        return -1;
    object_release(&item->current);
    item->current = state;
    item->etag = item->current.etag;
    item->size = item->current.size;
    item->outcome->result.size = (int64_t)item->size;
    replace_string(&item->outcome->etag, item->etag);
    return 0;
}

static int copy_once(struct item *item, struct call *call)
{
    bool in_one =
        item->size <= PART_SIZE && (!item->mover->target->traits.put_size_max ||
                                    item->size <= item->mover->target->traits.put_size_max);

    return in_one ? copy_small(item, call) : copy_large(item, call);
}

/* Whether a failure may be this attempt's alone.  Stores try again what passes, but a corrupted
 * body shows only here, and a part that was streamed cannot be sent again by them. */
static bool may_try_again(const struct item *item, const struct err *why)
{
    return why->code == ERR_CORRUPT || (err_is_passing(why->code) && item->size > PART_SIZE);
}

/* What to do about a failed attempt: 0 to try again. */
static int after_failure(struct item *item, int *changes, struct call *call)
{
    if (call->err.code == ERR_CHANGED || call->err.code == ERR_RANGE) {
        if ((*changes)++ == MOVE_CHANGES_MAX)
            return err_set(&call->err, ERR_CHANGED,
                           "changed at each of %d attempts to copy it: move it again when it "
                           "rests",
                           MOVE_CHANGES_MAX + 1);
        err_clear(&call->err);
        return look_again(item, call);
    }
    if (!may_try_again(item, &call->err) || item->failures == MOVE_FAILURES_MAX ||
        mover_draining(item->mover, call))
        return -1;
    item->failures++;
    outcome_note(item->outcome, call->err.code == ERR_CORRUPT ? "damaged" : "broken_off",
                 "copied again: %s", call->err.text);
    err_clear(&call->err);
    return call_sleep_again(call, item->failures * AGAIN_PAUSE);
}

/* Copy, again from the start when the object changed meanwhile, a bounded number of times. */
static int copy_settled(struct item *item, struct call *call)
{
    int changes = 0;

    while (copy_once(item, call) < 0)
        if (after_failure(item, &changes, call) < 0)
            return -1;
    if (changes)
        outcome_note(item->outcome, "changed_meanwhile",
                     "changed %d times while it was copied; the state moved is one whole version",
                     changes);
    return 0;
}

/* Which outcome a failure is. */
static void sort_failure(struct item *item, struct call *call)
{
    struct outcome *o = item->outcome;

    switch (call->err.code) {
    case ERR_NOT_FOUND:
        outcome_set(o, LEDGER_VANISHED, &call->err);
        break;
    case ERR_ARCHIVED:
    case ERR_NAME:
    case ERR_CHANGED:
    case ERR_UNSUPPORTED:
        outcome_set(o, LEDGER_REFUSED, &call->err);
        break;
    case ERR_CANCELLED:
        outcome_set(o, LEDGER_PENDING, NULL);
        break;
    default:
        outcome_set(o, LEDGER_FAILED, &call->err);
    }
}

/* Whether a failure concerns every object, so that going on would only repeat it. */
static bool stops_everything(enum err_code code)
{
    return code == ERR_UNKNOWN_WHO || code == ERR_CLOCK || code == ERR_NO_SPACE ||
           code == ERR_QUOTA || code == ERR_READ_ONLY || code == ERR_TLS;
}

static bool too_many_failures(struct mover *m, const struct outcome *o, struct call *call)
{
    if (o->result.state != LEDGER_FAILED || atomic_fetch_add(&m->failures, 1) + 1 < FAILURES_MAX)
        return false;
    (void)err_prefix(&call->err, "the last %d objects all failed, the latest one with",
                     FAILURES_MAX);
    return true;
}

static void item_init(struct item *item, struct mover *m, struct batch *b,
                      const struct ledger_object *row)
{
    *item = (struct item){
        .mover = m,
        .row = row,
        .container = mover_container_of(m, row->container),
        .current = OBJECT_INIT,
        .etag = row->etag,
        .size = (uint64_t)row->size,
    };
    atomic_fetch_add(&b->users, 1);
    item->outcome = outcome_new(b, row);
    enum version_kind kind = row->kind == LEDGER_SNAPSHOT       ? VERSION_SNAPSHOT
                             : row->kind == LEDGER_VERSION      ? VERSION_ID
                             : row->kind == LEDGER_SOFT_DELETED ? VERSION_DELETED
                                                                : VERSION_CURRENT;
    item->from = (struct object_key){item->container.source, row->name, kind, row->version};
    const char *of_version = name_of_version(row->target);
    item->to = (struct object_key){.container = item->container.target,
                                   .name = of_version ? of_version : row->target};
    item->mapped =
        !of_version && strcmp(row->target, row->name) != 0 && name_is_reserved(row->target);
}

/* Settle one row.  -1 when the whole job should stop. */
static int settle(struct mover *m, struct batch *b, const struct ledger_object *row,
                  struct call *call)
{
    struct item item;
    int result = 0;

    item_init(&item, m, b, row);
    if (copy_settled(&item, call) == 0) {
        atomic_store(&m->failures, 0);
    } else {
        if (call->err.code == ERR_ARCHIVED && m->options->rehydrate) {
            err_clear(&call->err);
            if (wake(&item, call) < 0)
                sort_failure(&item, call);
        } else {
            sort_failure(&item, call);
        }
        /* A large object that stops between two parts on request stops nobody else. */
        bool stopped = call->err.code == ERR_CANCELLED && cancel_is_raised(call->cancel);
        if (stopped || stops_everything(call->err.code) || too_many_failures(m, item.outcome, call))
            result = -1;
    }
    item.outcome->result.bytes = (int64_t)atomic_load(&item.fetched);
    finish_add(m, item.outcome);
    object_release(&item.current);
    if (result == 0)
        err_clear(&call->err);
    return result;
}

static int give_back(struct mover *m, struct batch *b, size_t from)
{
    size_t n = b->rows.count - from;
    const struct ledger_object **rows = xcalloc(n, sizeof(*rows));
    /* A call of its own: this is done when the other one was stopped. */
    struct call call = CALL_INIT;

    for (size_t i = 0; i < n; i++)
        rows[i] = &b->rows.list[from + i];
    call.deadline = clock_monotonic() + 10 * CLOCK_SECOND;
    int result = n ? ledger_release(m->ledger, rows, n, &call) : 0;
    free(rows);
    return result;
}

/* Claim and settle one batch: 1, or 0 when there was nothing to claim. */
static int work_once(struct mover *m, struct call *call)
{
    struct batch *b = xcalloc(1, sizeof(*b));
    int result = 1;

    atomic_init(&b->users, 1);
    if (ledger_claim(m->ledger, claim_size(m), CLAIM_BYTES, &b->rows, call) < 0) {
        batch_drop(b);
        return -1;
    }
    if (b->rows.count == 0)
        result = 0;
    for (size_t i = 0; i < b->rows.count; i++) {
        if (finish_room(m, call) < 0 || mover_draining(m, call)) {
            (void)give_back(m, b, i); /* its lease ends by itself otherwise */
            break;
        }
        if (settle(m, b, &b->rows.list[i], call) < 0) {
            (void)give_back(m, b, i + 1);
            result = -1;
            break;
        }
    }
    batch_drop(b);
    return result;
}

/* Whether nothing is left and nothing will come: 1, 0 for wait (*pause so long), -1. */
static int is_over(struct mover *m, int64_t *pause, struct call *call)
{
    struct ledger_work work;

    /* When all are idle only the finisher is at work, which is over soon. */
    bool all = atomic_load(&m->idle) == m->workers;
    *pause = all ? IDLE_FIRST : *pause * 2 < IDLE_LONGEST ? *pause * 2 : IDLE_LONGEST;
    if (!cancel_is_raised(&m->listing_done))
        return 0;
    if (ledger_work(m->ledger, &work, call) < 0)
        return -1;
    atomic_store(&m->progress->waiting, work.waiting);
    if (work.waiting && !work.pending && !work.mine)
        *pause = m->options->wake_poll && m->options->wake_poll < IDLE_WAITING
                     ? m->options->wake_poll
                     : IDLE_WAITING;
    return work.pending == 0 && work.mine == 0 && work.others == 0 && work.waiting == 0;
}

/* With history all is listed first, so that no claim gets some versions of a name without the
 * others: a page of the listing may end between them. */
static int await_listing(struct mover *m, struct call *call)
{
    while (m->options->history && !cancel_is_raised(&m->listing_done) && !mover_draining(m, call))
        if (call_sleep(call, IDLE_FIRST) < 0)
            return -1;
    return 0;
}

int worker_task(void *argument, struct call *call)
{
    struct mover *m = argument;
    int64_t pause = IDLE_FIRST;
    bool idle = false;

    if (await_listing(m, call) < 0)
        return -1;

    while (!mover_draining(m, call)) {
        bool listed = cancel_is_raised(&m->listing_done);
        int worked = work_once(m, call);
        if (worked < 0)
            return -1;
        if (idle != (listed && !worked)) {
            idle = !idle;
            atomic_fetch_add(&m->idle, idle ? 1 : -1);
        }
        if (worked) {
            pause = IDLE_FIRST;
            continue;
        }
        int over = is_over(m, &pause, call);
        if (over != 0)
            return over < 0 ? -1 : 0;
        /* In short steps, so that Ctrl-C is noticed. */
        for (int64_t slept = 0; slept < pause && !mover_draining(m, call); slept += IDLE_FIRST)
            if (call_sleep(call, IDLE_FIRST) < 0)
                return -1;
    }
    return 0;
}
