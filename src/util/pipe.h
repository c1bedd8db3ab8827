// SPDX-License-Identifier: EUPL-1.2
/*
 * Bounded bytes between two threads: one pushes into pipe->sink, the other pulls from pipe->source.
 *
 * The writer ends with pipe_end() (everything was written) or pipe_cut() (the rest will not come):
 * the reader sees 0 or -1 accordingly, after the bytes before it.  A reader that stops early calls
 * pipe_refuse(), and the writer's next write fails.  Whoever waits wakes for its own call's
 * deadline and cancellation.
 */
#ifndef UTIL_PIPE_H
#define UTIL_PIPE_H

#include "util/stream.h"
#include "util/thread.h"

struct pipe {
    struct sink sink;
    struct source source;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *ring;
    size_t size;
    size_t from;    /* guarded by lock: where the oldest byte lies */
    size_t length;  /* guarded by lock */
    bool ended;     /* guarded by lock */
    bool refused;   /* guarded by lock */
    struct err cut; /* guarded by lock: why the rest will not come */
};

void pipe_init(struct pipe *p, size_t size);
void pipe_release(struct pipe *p);
void pipe_end(struct pipe *p);
void pipe_cut(struct pipe *p, const struct err *why);
void pipe_refuse(struct pipe *p);

#endif
