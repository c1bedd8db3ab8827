// SPDX-License-Identifier: EUPL-1.2
/*
 * What runs beside the requests: each task is a thread that does its work and sleeps until it is
 * due again, or the gateway ends.  A task that fails says so in the log once, until it succeeds.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/deeds.h"
#include "cli/gateway.h"
#include "util/log.h"

/* One round of a task may take so long. */
#define SWEEP_TIME    (600 * CLOCK_SECOND)
#define SHIP_TIME     (60 * CLOCK_SECOND)
#define SNAPSHOT_TIME (3600 * CLOCK_SECOND)
#define ASK_TIME      (5 * CLOCK_SECOND)
#define ASK_STORES    (15 * CLOCK_SECOND)
#define LAST_SHIP     (10 * CLOCK_SECOND)
/* When the last snapshot was begun, for all gateways; in table meta. */
#define SNAPSHOT_META "serve.snapshot"

static struct call call_for(struct gateway *g, int64_t time)
{
    return (struct call){.cancel = &g->stop, .deadline = clock_monotonic() + time};
}

/* Say that something fails, and that it does no more; not every time. */
struct trouble {
    const char *what;
    bool said;
};

static void tell(struct trouble *t, int result, const struct call *call)
{
    if (result < 0 && call->err.code == ERR_CANCELLED)
        return;
    if (result < 0 && !t->said)
        log_line(LOG_WARNING, "%s: %s", t->what, call->err.text);
    if (result == 0 && t->said)
        log_line(LOG_WARNING, "%s: works again", t->what);
    t->said = result < 0;
}

/* A reload changes them. */
static struct serve_times times_of(struct gateway *g)
{
    locked(&g->lock);
    return g->serve.times;
}

/* ---- Sweep ---- */

static void sweep(struct gateway *g, struct call *waiting)
{
    struct trouble trouble = {.what = "sweep"};

    while (call_sleep(waiting, times_of(g).sweep) == 0) {
        struct call call = call_for(g, SWEEP_TIME);
        uint64_t removed = 0;
        int result = service_sweep(g->service, &removed, &call);
        metrics_add(g->metrics, METRICS_SWEPT, removed);
        metrics_add(g->metrics, result < 0 ? METRICS_SWEEP_FAILED : METRICS_SWEEPS, 1);
        tell(&trouble, result, &call);
    }
}

/* ---- Journal and snapshots ---- */

static int ship(struct gateway *g, struct call *call)
{
    uint64_t lines = 0;

    if (journal_ship(g->index, g->places, g->serve.journal_count, &lines, call) < 0) {
        metrics_add(g->metrics, METRICS_SHIP_FAILED, 1);
        return -1;
    }
    metrics_add(g->metrics, METRICS_SHIPPED, lines);
    metrics_set(g->metrics, METRICS_SHIPPED_AT, (uint64_t)(clock_wall() / CLOCK_SECOND));
    return 0;
}

struct turn {
    int64_t every;
    bool ours;
};

/* Whether a snapshot is due; then it is ours, and the next one due later. */
static int take_turn(struct db *db, void *argument, struct call *call)
{
    struct turn *turn = argument;
    auto_free char *text = NULL;
    int64_t now;

    turn->ours = false;
    if (index_now(db, &now, call) < 0 || index_meta_get(db, SNAPSHOT_META, &text, call) < 0)
        return -1;
    int64_t last = text ? strtoll(text, NULL, 10) : 0;
    if (last && now - last < turn->every)
        return 0;
    auto_free char *fresh = xasprintf("%" PRId64, now);
    turn->ours = true;
    return index_meta_set(db, SNAPSHOT_META, fresh, call);
}

static int give_turn_back(struct db *db, void *argument, struct call *call)
{
    (void)argument;
    return index_meta_set(db, SNAPSHOT_META, NULL, call);
}

static int snapshot(struct gateway *g, struct call *call)
{
    struct turn turn = {.every = times_of(g).snapshots};

    if (index_write(g->index, INDEX_RELAXED, take_turn, &turn, call) < 0)
        return -1;
    if (!turn.ours)
        return 0;
    if (snapshot_write(g->index, g->places, g->serve.journal_count, call) == 0) {
        metrics_add(g->metrics, METRICS_SNAPSHOTS, 1);
        metrics_set(g->metrics, METRICS_SNAPSHOT_AT, (uint64_t)(clock_wall() / CLOCK_SECOND));
        return 0;
    }
    struct call back = {.deadline = clock_monotonic() + ASK_TIME};
    metrics_add(g->metrics, METRICS_SNAPSHOT_FAILED, 1);
    if (index_write(g->index, INDEX_RELAXED, give_turn_back, NULL, &back) < 0)
        log_line(LOG_WARNING, "the next snapshot waits for its usual time: %s", back.err.text);
    return -1;
}

static void journal(struct gateway *g, struct call *waiting)
{
    struct trouble shipping = {.what = "journal"}, snapshots = {.what = "snapshot"};
    int64_t next = clock_monotonic();

    while (call_sleep(waiting, JOURNAL_SECONDS * CLOCK_SECOND) == 0) {
        struct call call = call_for(g, SHIP_TIME);
        tell(&shipping, ship(g, &call), &call);
        if (clock_monotonic() < next)
            continue;
        call = call_for(g, SNAPSHOT_TIME);
        tell(&snapshots, snapshot(g, &call), &call);
        next = clock_monotonic() + 60 * CLOCK_SECOND;
    }
}

void gateway_ship_last(struct gateway *g)
{
    struct call call = {.deadline = clock_monotonic() + LAST_SHIP};

    if (g->index && ship(g, &call) < 0)
        log_line(LOG_WARNING, "the journal's last lines stay in the index: %s", call.err.text);
}

/* ---- Roles, health, audit ---- */

static void roles(struct gateway *g, struct call *waiting)
{
    struct trouble trouble = {.what = "role assignments"};

    while (call_sleep(waiting, CLOCK_SECOND) == 0) {
        struct call call = call_for(g, ASK_TIME);
        int result = gateway_refresh_roles(g, &call);
        atomic_store(&g->health.index, result == 0);
        metrics_set(g->metrics, METRICS_INDEX_UP, result == 0);
        metrics_set(g->metrics, METRICS_CONNECTIONS, gateway_connections(g));
        tell(&trouble, result, &call);
    }
}

static void ask_stores(struct gateway *g, struct trouble *troubles)
{
    uint64_t up = 0;

    for (size_t i = 0; i < g->store_count; i++) {
        struct call call = call_for(g, ASK_TIME);
        int64_t ahead = 0;
        int result = store_reach(g->stores[i].opened.store, &ahead, &call);
        atomic_store(&g->stores[i].up, result == 0);
        tell(&troubles[i], result, &call);
        up += result == 0;
    }
    metrics_set(g->metrics, METRICS_STORES_UP, up);
    metrics_set(g->metrics, METRICS_STORES, g->store_count);
    atomic_store(&g->health.asked, true);
}

static void health(struct gateway *g, struct call *waiting)
{
    struct trouble *troubles = xcalloc(g->store_count, sizeof(*troubles));

    for (size_t i = 0; i < g->store_count; i++)
        troubles[i].what = g->stores[i].name;
    do
        ask_stores(g, troubles);
    while (call_sleep(waiting, ASK_STORES) == 0);
    free(troubles);
}

static void audit(struct gateway *g, struct call *waiting)
{
    struct trouble trouble = {.what = "audit log"};

    while (call_sleep(waiting, CLOCK_SECOND) == 0) {
        struct call call = call_for(g, ASK_TIME);
        int result = g->audit ? deeds_take(g->index, g->audit, &call) : 0;
        if (result == 0 && g->audit)
            result = audit_tick(g->audit, clock_wall(), &call.err);
        if (result < 0)
            metrics_add(g->metrics, METRICS_AUDIT_FAILED, 1);
        tell(&trouble, result, &call);
    }
}

/* ---- Threads ---- */

static void *run_task(void *argument)
{
    struct gateway_task *task = argument;
    struct call waiting = {.cancel = &task->gateway->stop};

    task->run(task->gateway, &waiting);
    return NULL;
}

int gateway_start_tasks(struct gateway *g, struct err *e)
{
    static void (*const runs[GATEWAY_TASKS])(struct gateway *, struct call *) = {
        sweep, journal, roles, health, audit};

    for (size_t i = 0; i < GATEWAY_TASKS; i++) {
        struct gateway_task *task = &g->tasks[i];
        task->gateway = g;
        task->run = runs[i];
        int failed = pthread_create(&task->thread, NULL, run_task, task);
        if (failed)
            return err_errno(e, failed, "start a thread");
        task->running = true;
    }
    return 0;
}

void gateway_stop_tasks(struct gateway *g)
{
    cancel_raise(&g->stop);
    for (size_t i = 0; i < GATEWAY_TASKS; i++)
        if (g->tasks[i].running)
            (void)pthread_join(g->tasks[i].thread, NULL);
    for (size_t i = 0; i < GATEWAY_TASKS; i++)
        g->tasks[i].running = false;
}
