// SPDX-License-Identifier: EUPL-1.2
/*
 * What a gateway counts, and the text Prometheus reads (text format 0.0.4).  Any thread may count;
 * the tables have a fixed size, and what does not fit is counted as "other".
 */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "store/layer/log.h"
#include "util/buf.h"

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m);

/* One request of a door.  operation: a word of the door's, kept by its text. */
struct metrics_request {
    const char *door;
    const char *operation;
    int status; /* 0: the connection broke */
    uint64_t bytes_in, bytes_out;
    int64_t duration; /* nanoseconds */
};
void metrics_request(struct metrics *m, const struct metrics_request *request);

/* For struct log_options: argument is the struct metrics. */
void metrics_store(void *argument, const struct log_event *event);

/* Plain counters and gauges. */
enum metrics_value {
    METRICS_COMMITS, /* durable commits of the index */
    METRICS_SWEEPS,  /* sweeps that ran to their end */
    METRICS_SWEEP_FAILED,
    METRICS_SWEPT,   /* pieces removed */
    METRICS_SHIPPED, /* journal lines */
    METRICS_SHIP_FAILED,
    METRICS_SHIPPED_AT, /* gauge: seconds since 1970 */
    METRICS_SNAPSHOTS,
    METRICS_SNAPSHOT_FAILED,
    METRICS_SNAPSHOT_AT, /* gauge */
    METRICS_LOG_FAILED,  /* lines of the access log that could not be written */
    METRICS_AUDIT_FAILED,
    METRICS_INDEX_UP,    /* gauge */
    METRICS_STORES_UP,   /* gauge: how many answer */
    METRICS_STORES,      /* gauge: how many there are */
    METRICS_CONNECTIONS, /* gauge */
    METRICS_VALUE_COUNT
};
void metrics_add(struct metrics *m, enum metrics_value value, uint64_t n);
void metrics_set(struct metrics *m, enum metrics_value value, uint64_t n);

/* Everything, as text. */
must_check int metrics_write(struct metrics *m, struct buf *out, struct err *e);

#endif
