// SPDX-License-Identifier: EUPL-1.2
/* What a gateway counts: see metrics.h. */
#include "cli/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "util/clock.h"
#include "util/thread.h"

#define OPERATIONS_MAX 160
#define STATUSES_MAX   24
#define VERBS_MAX      256
#define WORD           48

/* Upper ends of the histogram's buckets, in milliseconds. */
static const int64_t buckets[] = {1,   2,   5,    10,   25,    50,    100,
                                  250, 500, 1000, 2500, 10000, 60000, 300000};

struct operation {
    char door[16];
    char name[WORD];
    struct {
        int status;
        uint64_t count;
    } statuses[STATUSES_MAX];
    size_t status_count;
    uint64_t bytes_in, bytes_out;
    uint64_t in[ARRAY_SIZE(buckets) + 1];
    int64_t duration;
};

/* Operations on stores: one line for each outcome. */
struct verb {
    char store[WORD];
    char name[WORD];
    enum err_code code;
    uint64_t count;
    uint64_t bytes;
    int64_t duration;
};

struct metrics {
    int64_t started;
    _Atomic uint64_t values[METRICS_VALUE_COUNT];
    pthread_mutex_t lock;
    struct operation *operations; /* guarded by lock, as all below */
    size_t operation_count;
    struct verb *verbs;
    size_t verb_count;
};

struct metrics *metrics_new(void)
{
    struct metrics *m = xcalloc(1, sizeof(*m));

    m->started = clock_wall();
    (void)pthread_mutex_init(&m->lock, NULL);
    m->operations = xcalloc(OPERATIONS_MAX, sizeof(*m->operations));
    m->verbs = xcalloc(VERBS_MAX, sizeof(*m->verbs));
    return m;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    (void)pthread_mutex_destroy(&m->lock);
    free(m->operations);
    free(m->verbs);
    free(m);
}

/* ---- Counting ---- */

/* The last place of the table is for all that found none. */
static struct operation *operation_of(struct metrics *m, const char *door, const char *name)
{
    size_t i = 0;

    for (; i < m->operation_count; i++)
        if (strcmp(m->operations[i].name, name) == 0 && strcmp(m->operations[i].door, door) == 0)
            return &m->operations[i];
    bool full = i >= OPERATIONS_MAX - 1;
    struct operation *o = &m->operations[full ? OPERATIONS_MAX - 1 : i];
    m->operation_count = full ? OPERATIONS_MAX : i + 1;
    (void)snprintf(o->door, sizeof(o->door), "%s", full ? "" : door);
    (void)snprintf(o->name, sizeof(o->name), "%s", full ? "other" : name);
    return o;
}

static void count_status(struct operation *o, int status)
{
    size_t i = 0;

    while (i < o->status_count && o->statuses[i].status != status)
        i++;
    if (i == STATUSES_MAX)
        i--;
    else if (i == o->status_count)
        o->statuses[o->status_count++].status = status;
    o->statuses[i].count++;
}

void metrics_request(struct metrics *m, const struct metrics_request *request)
{
    int64_t milliseconds = (request->duration + CLOCK_MILLISECOND - 1) / CLOCK_MILLISECOND;
    size_t bucket = 0;

    while (bucket < ARRAY_SIZE(buckets) && milliseconds > buckets[bucket])
        bucket++;
    locked(&m->lock);
    struct operation *o = operation_of(m, request->door, request->operation);
    count_status(o, request->status);
    o->bytes_in += request->bytes_in;
    o->bytes_out += request->bytes_out;
    o->in[bucket]++;
    o->duration += request->duration;
}

static struct verb *verb_of(struct metrics *m, const struct log_event *event)
{
    size_t i = 0;

    for (; i < m->verb_count; i++)
        if (m->verbs[i].code == event->code && strcmp(m->verbs[i].name, event->verb) == 0 &&
            strncmp(m->verbs[i].store, event->store, WORD - 1) == 0)
            return &m->verbs[i];
    bool full = i >= VERBS_MAX - 1;
    struct verb *v = &m->verbs[full ? VERBS_MAX - 1 : i];
    m->verb_count = full ? VERBS_MAX : i + 1;
    (void)snprintf(v->store, sizeof(v->store), "%s", full ? "" : event->store);
    (void)snprintf(v->name, sizeof(v->name), "%s", full ? "other" : event->verb);
    v->code = full ? ERR_NONE : event->code;
    return v;
}

void metrics_store(void *argument, const struct log_event *event)
{
    struct metrics *m = argument;

    locked(&m->lock);
    struct verb *v = verb_of(m, event);
    v->count++;
    v->bytes += event->bytes;
    v->duration += event->duration;
}

void metrics_add(struct metrics *m, enum metrics_value value, uint64_t n)
{
    atomic_fetch_add_explicit(&m->values[value], n, memory_order_relaxed);
}

void metrics_set(struct metrics *m, enum metrics_value value, uint64_t n)
{
    atomic_store_explicit(&m->values[value], n, memory_order_relaxed);
}

/* ---- Text ---- */

static double seconds(int64_t nanoseconds)
{
    return (double)nanoseconds / (double)CLOCK_SECOND;
}

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static const struct {
    const char *name;
    const char *type;
    const char *help;
} values[METRICS_VALUE_COUNT] = {
    [METRICS_COMMITS] = {"bascule_index_commits_total", "counter",
                         "Durable commits of the index, each for one or more writes."},
    [METRICS_SWEEPS] = {"bascule_sweeps_total", "counter", "Sweeps that ran to their end."},
    [METRICS_SWEEP_FAILED] = {"bascule_sweep_failures_total", "counter", "Sweeps that failed."},
    [METRICS_SWEPT] = {"bascule_swept_pieces_total", "counter",
                       "Pieces nobody needed any more, removed from the stores."},
    [METRICS_SHIPPED] = {"bascule_journal_lines_total", "counter",
                         "Lines of the journal written to the stores by this gateway."},
    [METRICS_SHIP_FAILED] = {"bascule_journal_failures_total", "counter",
                             "Times the journal could not be written to the stores."},
    [METRICS_SHIPPED_AT] = {"bascule_journal_timestamp_seconds", "gauge",
                            "When the journal was last up to date as far as this gateway knows."},
    [METRICS_SNAPSHOTS] = {"bascule_snapshots_total", "counter",
                           "Snapshots of the index written by this gateway."},
    [METRICS_SNAPSHOT_FAILED] = {"bascule_snapshot_failures_total", "counter",
                                 "Snapshots that failed."},
    [METRICS_SNAPSHOT_AT] = {"bascule_snapshot_timestamp_seconds", "gauge",
                             "When this gateway last wrote a snapshot; 0: not yet."},
    [METRICS_LOG_FAILED] = {"bascule_access_log_failures_total", "counter",
                            "Lines of the access log that could not be written."},
    [METRICS_AUDIT_FAILED] = {"bascule_audit_failures_total", "counter",
                              "Entries of the audit log that could not be written or anchored."},
    [METRICS_INDEX_UP] = {"bascule_index_up", "gauge", "Whether the index answers."},
    [METRICS_STORES_UP] = {"bascule_stores_up", "gauge", "How many stores answer."},
    [METRICS_STORES] = {"bascule_stores", "gauge", "How many stores there are."},
    [METRICS_CONNECTIONS] = {"bascule_connections", "gauge", "Open connections of clients."},
};

static void write_values(struct metrics *m, struct buf *out)
{
    for (size_t i = 0; i < METRICS_VALUE_COUNT; i++) {
        head(out, values[i].name, values[i].type, values[i].help);
        buf_printf(out, "%s %" PRIu64 "\n", values[i].name, atomic_load(&m->values[i]));
    }
    head(out, "bascule_start_timestamp_seconds", "gauge", "When the gateway started.");
    buf_printf(out, "bascule_start_timestamp_seconds %.3f\n", seconds(m->started));
    head(out, "bascule_info", "gauge", "The program.");
    buf_printf(out, "bascule_info{version=\"%s\"} 1\n", BASCULE_VERSION);
}

static void write_requests(const struct metrics *m, struct buf *out)
{
    head(out, "bascule_requests_total", "counter",
         "Requests by door, operation and HTTP status (0: the connection broke).");
    for (size_t i = 0; i < m->operation_count; i++)
        for (size_t s = 0; s < m->operations[i].status_count; s++)
            buf_printf(out,
                       "bascule_requests_total{door=\"%s\",operation=\"%s\",status=\"%d\"} "
                       "%" PRIu64 "\n",
                       m->operations[i].door, m->operations[i].name,
                       m->operations[i].statuses[s].status, m->operations[i].statuses[s].count);
    head(out, "bascule_request_bytes_total", "counter", "Bytes of bodies, in and out.");
    for (size_t i = 0; i < m->operation_count; i++) {
        const struct operation *o = &m->operations[i];
        buf_printf(out,
                   "bascule_request_bytes_total{door=\"%s\",operation=\"%s\",direction=\"in\"} "
                   "%" PRIu64 "\n"
                   "bascule_request_bytes_total{door=\"%s\",operation=\"%s\",direction=\"out\"} "
                   "%" PRIu64 "\n",
                   o->door, o->name, o->bytes_in, o->door, o->name, o->bytes_out);
    }
}

static void write_durations(const struct metrics *m, struct buf *out)
{
    head(out, "bascule_request_duration_seconds", "histogram",
         "From the complete request head to the end of the answer.");
    for (size_t i = 0; i < m->operation_count; i++) {
        const struct operation *o = &m->operations[i];
        uint64_t sum = 0;
        for (size_t b = 0; b < ARRAY_SIZE(buckets) + 1; b++) {
            char end[24] = "+Inf";
            sum += o->in[b];
            if (b < ARRAY_SIZE(buckets))
                (void)snprintf(end, sizeof(end), "%g", (double)buckets[b] / 1000);
            buf_printf(out,
                       "bascule_request_duration_seconds_bucket{door=\"%s\",operation=\"%s\","
                       "le=\"%s\"} %" PRIu64 "\n",
                       o->door, o->name, end, sum);
        }
        buf_printf(out,
                   "bascule_request_duration_seconds_sum{door=\"%s\",operation=\"%s\"} %.6f\n"
                   "bascule_request_duration_seconds_count{door=\"%s\",operation=\"%s\"} "
                   "%" PRIu64 "\n",
                   o->door, o->name, seconds(o->duration), o->door, o->name, sum);
    }
}

static void write_stores(const struct metrics *m, struct buf *out)
{
    static const struct {
        const char *name, *help;
    } series[] = {
        {"bascule_store_requests_total", "Operations on stores by outcome."},
        {"bascule_store_bytes_total", "Bytes of bodies in operations on stores."},
        {"bascule_store_seconds_total", "Time spent in operations on stores."},
    };

    for (size_t k = 0; k < ARRAY_SIZE(series); k++) {
        head(out, series[k].name, "counter", series[k].help);
        for (size_t i = 0; i < m->verb_count; i++) {
            const struct verb *v = &m->verbs[i];
            buf_printf(out, "%s{store=\"%s\",operation=\"%s\",result=\"%s\"} ", series[k].name,
                       v->store, v->name, v->code == ERR_NONE ? "ok" : err_word(v->code));
            if (k == 2)
                buf_printf(out, "%.6f\n", seconds(v->duration));
            else
                buf_printf(out, "%" PRIu64 "\n", k == 0 ? v->count : v->bytes);
        }
    }
}

int metrics_write(struct metrics *m, struct buf *out, struct err *e)
{
    /* A line is at most 250 bytes: what this asks for is there. */
    if (buf_reserve(out, (OPERATIONS_MAX * (STATUSES_MAX + 20) + VERBS_MAX * 3 + 100) * 250, e) < 0)
        return -1;
    write_values(m, out);
    locked(&m->lock);
    write_requests(m, out);
    write_durations(m, out);
    write_stores(m, out);
    return 0;
}
