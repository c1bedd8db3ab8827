// SPDX-License-Identifier: EUPL-1.2
/* Buffers for bodies: see pool.h. */
#include "move/body_pool.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "util/common.h"
#include "util/thread.h"

/* Smaller ones are left to malloc(). */
#define MAPPED_MIN ((uint64_t)128 * 1024)

/* Stands at the beginning of a kept buffer. */
struct body_pool_buffer {
    struct body_pool_buffer *next;
    uint64_t size;
};

/* Sizes are rounded up by less than a quarter, so that bodies of about one size share buffers. */
static uint64_t size_of(uint64_t n)
{
    uint64_t step = MAPPED_MIN / 4;

    while (8 * step <= n)
        step *= 2;
    return (n + step - 1) / step * step;
}

void body_pool_init(struct body_pool *p, uint64_t whole)
{
    *p = (struct body_pool){.whole = whole};
    (void)pthread_mutex_init(&p->lock, NULL);
}

static void unmap_first(struct body_pool *p, struct body_pool_buffer **at)
{
    struct body_pool_buffer *b = *at;

    *at = b->next;
    p->held -= b->size;
    (void)munmap(b, b->size);
}

void body_pool_release(struct body_pool *p)
{
    while (p->kept)
        unmap_first(p, &p->kept);
    (void)pthread_mutex_destroy(&p->lock);
}

void *body_pool_take(struct body_pool *p, uint64_t n)
{
    uint64_t size = size_of(n);

    if (n < MAPPED_MIN)
        return malloc(n ? n : 1);
    {
        locked(&p->lock);
        for (struct body_pool_buffer **at = &p->kept; *at; at = &(*at)->next)
            if ((*at)->size == size) {
                struct body_pool_buffer *b = *at;
                *at = b->next;
                return b;
            }
        while (p->kept && p->held + size > p->whole)
            unmap_first(p, &p->kept);
        p->held += size;
    }
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes != MAP_FAILED)
        return bytes;
    locked(&p->lock);
    p->held -= size;
    return NULL;
}

void body_pool_give(struct body_pool *p, void *bytes, uint64_t n)
{
    struct body_pool_buffer *b = bytes;

    if (n < MAPPED_MIN) {
        free(bytes);
        return;
    }
    if (!b)
        return;
    locked(&p->lock);
    b->size = size_of(n);
    b->next = p->kept;
    p->kept = b;
}
