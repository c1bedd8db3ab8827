// SPDX-License-Identifier: EUPL-1.2
/*
 * The finisher: takes outcomes, makes the target durable, records them in batches.
 *
 * The order is what "moved" rests on: store_sync() first, the ledger's commit after it.  One sync
 * and one transaction serve a whole batch.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "move/mover.h"
#include "util/log.h"

#define BATCH_MAX 1000
/* Workers wait when so many outcomes do: a slow disk must not fill the memory. */
#define QUEUE_MAX   (4 * BATCH_MAX)
#define BATCH_DELAY (500 * CLOCK_MILLISECOND)
/* How long a ledger that cannot be written is tried again before the job gives up. */
#define PATIENCE (60 * CLOCK_SECOND)

struct outcome *outcome_new(struct batch *batch, const struct ledger_object *row)
{
    struct outcome *o = xcalloc(1, sizeof(*o));

    o->batch = batch;
    o->result = (struct ledger_result){.object = row,
                                       .size = -1,
                                       .started = clock_wall(),
                                       .finished = TIME_UNKNOWN,
                                       .due = TIME_UNKNOWN};
    return o;
}

void batch_drop(struct batch *b)
{
    if (atomic_fetch_sub(&b->users, 1) != 1)
        return;
    ledger_rows_release(&b->rows);
    free(b);
}

void outcome_free(struct outcome *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->result.note_count; i++)
        free((void *)(uintptr_t)o->notes[i].text);
    free(o->etag);
    free(o->target_etag);
    free(o->target_checksum);
    free(o->error);
    batch_drop(o->batch);
    free(o);
}

void outcome_note(struct outcome *o, const char *kind, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    for (size_t i = 0; i < o->result.note_count; i++)
        if (strcmp(o->notes[i].kind, kind) == 0)
            return;
    if (o->result.note_count == OUTCOME_NOTES)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    o->notes[o->result.note_count++] = (struct ledger_note){.kind = kind, .text = xstrdup(text)};
}

void outcome_set(struct outcome *o, enum ledger_state state, const struct err *why)
{
    o->result.state = state;
    if (!why)
        return;
    o->result.code = why->code;
    replace_string(&o->error, why->text);
}

static void count(struct mover *m, const struct outcome *o)
{
    struct move_progress *p = m->progress;
    atomic_int_fast64_t *const counters[LEDGER_STATE_COUNT] = {
        [LEDGER_MOVED] = &p->moved,       [LEDGER_ALREADY] = &p->already,
        [LEDGER_VANISHED] = &p->vanished, [LEDGER_REFUSED] = &p->refused,
        [LEDGER_FAILED] = &p->failed,
    };
    enum ledger_state state = o->result.state;

    atomic_fetch_sub(&p->in_flight, o->result.bytes);
    if (!counters[state])
        return;
    atomic_fetch_add(counters[state], 1);
    atomic_fetch_add(&p->settled, 1);
    atomic_fetch_add(&p->settled_bytes, o->result.object->size);
    if (state == LEDGER_REFUSED || state == LEDGER_FAILED) {
        locked(&p->lock);
        (void)snprintf(p->last_trouble, sizeof(p->last_trouble), "%s: %s", o->result.object->name,
                       o->error ? o->error : "");
    }
}

void finish_add(struct mover *m, struct outcome *o)
{
    struct ledger_result *r = &o->result;

    r->etag = o->etag;
    r->target_etag = o->target_etag;
    r->target_checksum = o->target_checksum;
    r->error = o->error;
    r->notes = o->notes;
    if (r->finished == TIME_UNKNOWN)
        r->finished = clock_wall();
    locked(&m->finish_lock);
    if (m->finish_last)
        m->finish_last->next = o;
    else
        m->finish_first = o;
    m->finish_last = o;
    if (++m->finish_count == BATCH_MAX || m->finish_count == 1)
        (void)pthread_cond_broadcast(&m->finish_changed);
}

int finish_room(struct mover *m, struct call *call)
{
    locked(&m->finish_lock);
    while (m->finish_count >= QUEUE_MAX && !cancel_is_raised(&m->broken))
        if (condition_wait(&m->finish_room, &m->finish_lock, call) < 0)
            return -1;
    return 0;
}

/* Take everything that waits, once there is a batch of it, some time has passed, or the workers
 * have ended.  NULL when nothing came and nothing will. */
static struct outcome *next_outcomes(struct mover *m, struct call *call)
{
    int64_t since = 0;

    locked(&m->finish_lock);
    for (;;) {
        bool last = cancel_is_raised(&m->workers_done);
        if (m->finish_count && !since)
            since = clock_monotonic();
        /* Nothing more will come before these are recorded. */
        bool waited_for = m->finish_count && atomic_load(&m->idle) == m->workers;
        if (m->finish_count >= BATCH_MAX || last || waited_for ||
            (m->finish_count && clock_monotonic() - since >= BATCH_DELAY))
            break;
        /* What was copied is recorded even when the call was cancelled: that is why the error is
         * dropped here and the loop ends with the workers. */
        if (condition_wait(&m->finish_changed, &m->finish_lock, call) < 0) {
            struct timespec pause = {.tv_nsec = 10 * CLOCK_MILLISECOND};
            (void)pthread_cond_clockwait(&m->finish_changed, &m->finish_lock, CLOCK_MONOTONIC,
                                         &pause);
            err_clear(&call->err);
        }
    }
    struct outcome *all = m->finish_first;
    m->finish_first = m->finish_last = NULL;
    m->finish_count = 0;
    (void)pthread_cond_broadcast(&m->finish_room);
    return all;
}

static int record(struct mover *m, struct ledger_result *results, size_t n, struct err *why)
{
    int64_t until = clock_monotonic() + PATIENCE;
    int64_t pause = 100 * CLOCK_MILLISECOND;
    /* A call of its own: stopping the job must not lose what is done. */
    struct call call = CALL_INIT;

    for (;;) {
        call.deadline = until;
        if (store_sync(m->target, &call) == 0 && ledger_finish(m->ledger, results, n, &call) == 0)
            return 0;
        *why = call.err;
        if (!err_is_passing(call.err.code) || clock_monotonic() + pause >= until)
            return err_prefix(why, "the last objects cannot be recorded and will be moved again "
                                   "when the job is resumed");
        log_line(LOG_WARNING, "record what was moved, trying again: %s", call.err.text);
        if (call_sleep(&call, pause) < 0)
            return -1;
        pause *= 2;
        err_clear(&call.err);
    }
}

static int record_batch(struct mover *m, struct outcome *first, size_t n, struct err *why)
{
    struct ledger_result *results = xcalloc(n, sizeof(*results));
    struct outcome *o = first;
    int done;

    for (size_t i = 0; i < n; i++, o = o->next)
        results[i] = o->result;
    done = record(m, results, n, why);
    o = first;
    for (size_t i = 0; i < n; i++) {
        struct outcome *next = o->next;
        if (done == 0 && !results[i].stale)
            count(m, o);
        outcome_free(o);
        o = next;
    }
    free(results);
    return done;
}

int finish_task(void *argument, struct call *call)
{
    struct mover *m = argument;
    struct err why = {0}, first = {0};
    int result = 0;

    for (;;) {
        bool last = cancel_is_raised(&m->workers_done);
        struct outcome *all = next_outcomes(m, call);
        if (!all && last)
            break;
        while (all) {
            size_t n = 0;
            struct outcome *rest = all;
            while (rest && n < LEDGER_PAGE_MAX) {
                rest = rest->next;
                n++;
            }
            if (record_batch(m, all, n, &why) < 0 && result == 0) {
                /* Raised now, so that workers stop; the loop goes on until they have. */
                result = -1;
                first = why;
                cancel_raise(&m->broken);
            }
            all = rest;
        }
    }
    if (result < 0)
        call->err = first;
    return result;
}
