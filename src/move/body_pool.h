// SPDX-License-Identifier: EUPL-1.2
/*
 * Buffers for bodies, used again and again.
 *
 * Large buffers that come from malloc() stay in the arena of whichever thread had them: with many
 * threads that is several times what is in use.  These are mapped, kept for the next body of about
 * the same size (its pages are warm), and given back to the system when others are wanted instead:
 * nothing is kept that would bring what is held above the whole.
 *
 * Any thread.
 */
#ifndef MOVE_BODY_POOL_H
#define MOVE_BODY_POOL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct body_pool_buffer;

struct body_pool {
    uint64_t whole;
    pthread_mutex_t lock;
    struct body_pool_buffer *kept; /* guarded by lock */
    uint64_t held;                 /* guarded by lock: bytes in use and kept */
};

void body_pool_init(struct body_pool *p, uint64_t whole);
void body_pool_release(struct body_pool *p);
/* At least n bytes, or NULL when there is no memory.  Undefined content. */
void *body_pool_take(struct body_pool *p, uint64_t n);
/* n: as taken.  NULL is fine. */
void body_pool_give(struct body_pool *p, void *bytes, uint64_t n);

#endif
