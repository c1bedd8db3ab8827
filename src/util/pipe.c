// SPDX-License-Identifier: EUPL-1.2
/* Bounded bytes between two threads: see pipe.h. */
#include "util/pipe.h"

#include <string.h>

static int write_pipe(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct pipe *p = container_of(sink, struct pipe, sink);
    const char *at = bytes;

    locked(&p->lock);
    while (n > 0) {
        while (p->length == p->size && !p->refused)
            if (condition_wait(&p->changed, &p->lock, call) < 0)
                return -1;
        if (p->refused)
            return err_set(&call->err, ERR_CANCELLED, "nobody reads this any more");
        size_t to = (p->from + p->length) % p->size;
        size_t room = p->size - p->length;
        size_t step = n < room ? n : room;
        if (step > p->size - to)
            step = p->size - to;
        memcpy(p->ring + to, at, step);
        p->length += step;
        at += step;
        n -= step;
        (void)pthread_cond_broadcast(&p->changed);
    }
    return 0;
}

static ssize_t read_pipe(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct pipe *p = container_of(source, struct pipe, source);

    locked(&p->lock);
    while (p->length == 0 && !p->ended && p->cut.code == ERR_NONE)
        if (condition_wait(&p->changed, &p->lock, call) < 0)
            return -1;
    if (p->length == 0 && p->cut.code != ERR_NONE) {
        call->err = p->cut;
        return -1;
    }
    if (n > p->length)
        n = p->length;
    if (n > p->size - p->from)
        n = p->size - p->from;
    memcpy(bytes, p->ring + p->from, n);
    p->from = (p->from + n) % p->size;
    p->length -= n;
    (void)pthread_cond_broadcast(&p->changed);
    return (ssize_t)n;
}

void pipe_init(struct pipe *p, size_t size)
{
    *p = (struct pipe){.sink = {.write = write_pipe},
                       .source = {.read = read_pipe},
                       .ring = xmalloc(size),
                       .size = size};
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, NULL);
}

void pipe_release(struct pipe *p)
{
    free(p->ring);
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->changed);
}

void pipe_end(struct pipe *p)
{
    locked(&p->lock);
    p->ended = true;
    (void)pthread_cond_broadcast(&p->changed);
}

void pipe_cut(struct pipe *p, const struct err *why)
{
    locked(&p->lock);
    p->cut = *why;
    if (p->cut.code == ERR_NONE)
        p->cut.code = ERR_NETWORK;
    (void)pthread_cond_broadcast(&p->changed);
}

void pipe_refuse(struct pipe *p)
{
    locked(&p->lock);
    p->refused = true;
    (void)pthread_cond_broadcast(&p->changed);
}
