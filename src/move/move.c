// SPDX-License-Identifier: EUPL-1.2
/* Runs a move from its start to its end: see move.h. */
#include "move/move.h"

#include <jansson.h>
#include <string.h>

#include "move/mover.h"
#include "util/log.h"

#define WATCH_INTERVAL (5 * CLOCK_SECOND)
/* So often are current objects looked at after their versions. */
#define CURRENTS_ROUNDS 3

void move_progress_init(struct move_progress *p)
{
    memset(p, 0, sizeof(*p));
    atomic_store(&p->listing, true);
    (void)pthread_mutex_init(&p->lock, NULL);
}

void move_progress_release(struct move_progress *p)
{
    (void)pthread_mutex_destroy(&p->lock);
}

bool mover_draining(const struct mover *m, const struct call *call)
{
    return cancel_is_raised(m->options->drain) || cancel_is_raised(&m->broken) ||
           cancel_is_raised(call->cancel);
}

/* Where the container with this number is, or belongs; with the lock. */
static size_t container_place(const struct mover *m, int64_t id)
{
    size_t low = 0, high = m->container_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (m->containers[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct mover_container mover_container_of(struct mover *m, int64_t id)
{
    locked(&m->lock);
    size_t at = container_place(m, id);
    return at < m->container_count && m->containers[at].id == id
               ? m->containers[at]
               : (struct mover_container){.id = id};
}

void mover_container_add(struct mover *m, const struct mover_container *c)
{
    locked(&m->lock);
    size_t at = container_place(m, c->id);
    m->containers = xrealloc(m->containers, m->container_count + 1, sizeof(*m->containers));
    memmove(m->containers + at + 1, m->containers + at,
            (m->container_count - at) * sizeof(*m->containers));
    m->containers[at] = *c;
    m->container_count++;
    if (!m->account_keeper)
        m->account_keeper = c->id;
}

/* Note what was done since the sample before. */
static int sample(struct mover *m, struct call *call)
{
    int64_t moved = atomic_load(&m->progress->moved);
    int64_t read = atomic_load(&m->progress->transferred);
    struct ledger_sample sample = {.time = clock_wall(),
                                   .objects = moved - m->sampled_objects,
                                   .bytes = read - m->sampled_bytes};

    if (ledger_sample_add(m->ledger, &sample, call) < 0)
        return -1;
    m->sampled_objects = moved;
    m->sampled_bytes = read;
    return 0;
}

/* A beat that failed for a passing reason is tried again as long as the lease holds: -1 only after
 * that, or when it will not get better. */
static int beat(struct mover *m, int64_t *last_beat, struct call *call)
{
    int64_t now = clock_monotonic();

    if (ledger_heartbeat(m->ledger, call) == 0) {
        *last_beat = now;
        if (sample(m, call) == 0)
            return 1;
    }
    if (!err_is_passing(call->err.code) || now - *last_beat >= LEDGER_LEASE - WATCH_INTERVAL)
        return -1;
    log_line(LOG_WARNING, "%s; trying again", call->err.text);
    err_clear(&call->err);
    return 0;
}

/* Says that this process lives, and how fast it gets on. */
int watch_task(void *argument, struct call *call)
{
    struct mover *m = argument;
    int64_t next = 0, last_beat = clock_monotonic();

    while (!cancel_is_raised(&m->workers_done)) {
        if (call_sleep(call, 100 * CLOCK_MILLISECOND) < 0)
            return call->err.code == ERR_CANCELLED ? 0 : -1;
        if (clock_monotonic() < next)
            continue;
        int beaten = beat(m, &last_beat, call);
        if (beaten < 0)
            return -1;
        next = clock_monotonic() + (beaten ? WATCH_INTERVAL : CLOCK_SECOND);
    }
    return 0;
}

/* The options that make another job of the same two ends. */
static char *options_text(const struct move_options *o)
{
    json_t *json = json_object();

    if (o->prefix)
        (void)json_object_set_new(json, "prefix", json_string(o->prefix));
    if (o->history)
        (void)json_object_set_new(json, "history", json_true());
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    return text;
}

static int start(struct ledger *l, const struct move_options *o, struct ledger_job *ret,
                 struct call *call)
{
    auto_free char *options = options_text(o);
    auto_ledger_job struct ledger_job named = {0};

    if (o->job && !o->fresh && ledger_job_find(l, o->job, &named, call) == 0) {
        /* The listing of other containers would make everything of this job look gone. */
        if (!same_string(named.source, o->source_text) ||
            !same_string(named.target, o->target_text) || !same_string(named.options, options))
            return err_set(&call->err, ERR_INVALID,
                           "job '%s' moves %s to %s with options %s, not %s to %s with %s: leave "
                           "--job out, or give the new job another name",
                           o->job, named.source, named.target, named.options, o->source_text,
                           o->target_text, options);
        return ledger_resume(l, o->job, ret, call);
    }
    if (call->err.code == ERR_NOT_FOUND && strspn(o->job, "0123456789") < strlen(o->job))
        err_clear(&call->err);
    if (call->err.code != ERR_NONE)
        return -1;
    struct ledger_start how = {.source = o->source_text,
                               .target = o->target_text,
                               .options = options,
                               .name = o->job,
                               .fresh = o->fresh || o->job};
    return ledger_start(l, &how, ret, call);
}

/* Counters of an earlier, interrupted run of the same generation. */
static void progress_from(struct move_progress *p, const struct ledger_counts *c)
{
    atomic_store(&p->listed, c->listed.objects);
    atomic_store(&p->listed_bytes, c->listed.bytes);
    atomic_store(&p->moved, c->by[LEDGER_MOVED].objects);
    atomic_store(&p->already, c->by[LEDGER_ALREADY].objects);
    atomic_store(&p->vanished, c->by[LEDGER_VANISHED].objects);
    atomic_store(&p->refused, c->by[LEDGER_REFUSED].objects);
    atomic_store(&p->failed, c->by[LEDGER_FAILED].objects);
    int64_t settled = 0, bytes = 0;
    for (int state = LEDGER_MOVED; state <= LEDGER_FAILED; state++) {
        settled += c->by[state].objects;
        bytes += c->by[state].bytes;
    }
    atomic_store(&p->settled, settled);
    atomic_store(&p->settled_bytes, bytes);
    atomic_store(&p->started, true);
}

static int run_threads(struct mover *m, struct call *call)
{
    struct group recording, working;
    int worked, recorded;

    group_init(&recording, call);
    struct call inner = call_child(call, &recording.cancel);
    group_init(&working, &inner);
    bool started = group_run(&recording, finish_task, m) == 0 &&
                   group_run(&recording, watch_task, m) == 0 &&
                   group_run(&working, scan_task, m) == 0;
    for (int i = 0; started && i < m->workers; i++)
        started = group_run(&working, worker_task, m) == 0;
    worked = group_wait(&working);
    cancel_raise(&m->workers_done);
    recorded = group_wait(&recording);
    if (recorded < 0)
        return -1; /* its error is in call already, and the graver one */
    if (worked < 0)
        call->err = inner.err;
    return worked < 0 ? -1 : 0;
}

/* The identity: the counters say what the rows say, and everything listed is settled. */
static int check_identity(struct mover *m, struct call *call)
{
    struct ledger_counts counters, rows;
    int64_t job = ledger_job_id(m->ledger), settled = 0;

    if (ledger_counts(m->ledger, job, &counters, call) < 0 ||
        ledger_recount(m->ledger, job, &rows, call) < 0 ||
        ledger_counts_compare(&counters, &rows, &call->err) < 0)
        return -1;
    for (int state = LEDGER_MOVED; state <= LEDGER_FAILED; state++)
        settled += rows.by[state].objects;
    if (settled != rows.listed.objects)
        return err_set(&call->err, ERR_INTERNAL,
                       "%lld objects were listed, %lld are settled: run the job again",
                       (long long)rows.listed.objects, (long long)settled);
    return 0;
}

/* Versions are put oldest first, the current object last; but one that was listed in another order,
 * or failed and came later, lies upon the current one then: that is put once more. */
static int put_currents_last(struct mover *m, struct call *call)
{
    for (int round = 0; round < CURRENTS_ROUNDS; round++) {
        int64_t requeued = 0, moved = atomic_load(&m->progress->moved);
        if (mover_draining(m, call))
            return 0;
        if (confirm_currents(m, &requeued, call) < 0)
            return err_prefix(&call->err, "look whether current objects lie on top");
        if (!requeued)
            return confirm_deleted(m, call) < 0
                       ? err_prefix(&call->err, "delete what was deleted at the source")
                       : 0;
        m->sampled_objects -= moved - atomic_load(&m->progress->moved);
        m->workers_done = m->listing_done = (struct cancel){0};
        if (run_threads(m, call) < 0)
            return -1;
    }
    return err_set(&call->err, ERR_CONFLICT,
                   "the target shows other current objects than were put there last: is somebody "
                   "else writing to it?");
}

static int run(struct mover *m, struct call *call)
{
    if (containers_note(m, call) < 0 || containers_prepare(m, call) < 0 || run_threads(m, call) < 0)
        return -1;
    if (m->options->history && put_currents_last(m, call) < 0)
        return -1;
    if (mover_draining(m, call))
        return err_set(&call->err, ERR_CANCELLED, "stopped on request");
    if (m->options->remove && delete_gone(m, call) < 0)
        return -1;
    return check_identity(m, call);
}

void mover_init(struct mover *m, struct ledger *l, const struct move_options *options,
                struct move_progress *progress)
{
    *m = (struct mover){.options = options,
                        .ledger = l,
                        .progress = progress,
                        .source = options->source,
                        .target = options->target,
                        .workers = options->workers ? options->workers : MOVE_WORKERS};
    budget_init(&m->memory, options->memory ? options->memory : MOVE_MEMORY);
    body_pool_init(&m->bodies, m->memory.whole);
    (void)pthread_mutex_init(&m->lock, NULL);
    (void)pthread_mutex_init(&m->finish_lock, NULL);
    (void)pthread_cond_init(&m->finish_changed, NULL);
    (void)pthread_cond_init(&m->finish_room, NULL);
}

void mover_release(struct mover *m)
{
    for (size_t i = 0; i < m->container_count; i++) {
        free(m->containers[i].source);
        free(m->containers[i].target);
    }
    free(m->containers);
    budget_release(&m->memory);
    body_pool_release(&m->bodies);
    (void)pthread_mutex_destroy(&m->lock);
    (void)pthread_mutex_destroy(&m->finish_lock);
    (void)pthread_cond_destroy(&m->finish_changed);
    (void)pthread_cond_destroy(&m->finish_room);
}

/* Write the end into the ledger, whatever became of the call. */
static int finish_job(struct mover *m, int ran, const struct err *why, struct ledger_job *ret,
                      struct call *call)
{
    struct ledger *l = m->ledger;
    struct call own = CALL_INIT;
    char id[32];
    enum ledger_job_state state = ran == 0                     ? LEDGER_JOB_DONE
                                  : why->code == ERR_CANCELLED ? LEDGER_JOB_INTERRUPTED
                                                               : LEDGER_JOB_FAILED;

    own.deadline = clock_monotonic() + 30 * CLOCK_SECOND;
    (void)snprintf(id, sizeof(id), "%lld", (long long)ledger_job_id(l));
    ledger_job_release(ret);
    if (sample(m, &own) < 0)
        err_clear(&own.err); /* the plot ends a little earlier */
    if (ledger_stop(l, state, state == LEDGER_JOB_FAILED ? why->text : NULL, &own) < 0 ||
        ledger_job_find(l, id, ret, &own) < 0) {
        call->err = own.err;
        return err_prefix(&call->err, "record the job's end");
    }
    return 0;
}

int move_run(struct ledger *l, const struct move_options *o, struct move_progress *progress,
             struct ledger_job *ret, struct call *call)
{
    struct ledger_job job = {0};
    cleanup(mover_release) struct mover m;

    mover_init(&m, l, o, progress);
    call->drain = o->drain;
    if (start(l, o, &job, call) < 0)
        return -1;
    m.again = job.generation > 1;
    progress_from(progress, &job.counts);
    m.sampled_objects = atomic_load(&progress->moved);
    int ran = run(&m, call);
    struct err why = call->err;
    if (finish_job(&m, ran, &why, &job, call) < 0) {
        ledger_job_release(&job);
        return -1;
    }
    *ret = job;
    return 0;
}
