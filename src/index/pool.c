// SPDX-License-Identifier: EUPL-1.2
/* Connections that many threads share, one at a time each. */
#include <assert.h>

#include "index/index_private.h"

void pool_init(struct pool *p, unsigned most)
{
    *p = (struct pool){.most = most};
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->changed, NULL);
}

void pool_release(struct pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    while (p->open > 0) {
        struct index_connection *c = p->idle;
        if (!c) {
            (void)pthread_cond_wait(&p->changed, &p->lock);
            continue;
        }
        p->idle = c->next;
        p->open--;
        connection_close(c);
    }
    (void)pthread_mutex_unlock(&p->lock);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
}

/* 1 with an idle connection, 0 with the right to open one, -1. */
static int take_idle(struct pool *p, struct index_connection **ret, struct call *call)
{
    locked(&p->lock);

    while (!p->idle && p->open == p->most)
        if (condition_wait(&p->changed, &p->lock, call) < 0)
            return err_prefix(&call->err, "wait for one of %u connections to the index", p->most);
    if (!p->idle) {
        p->open++;
        return 0;
    }
    *ret = p->idle;
    p->idle = p->idle->next;
    return 1;
}

int pool_take(struct pool *p, struct index *index, bool read_only, struct index_connection **ret,
              struct call *call)
{
    int taken = take_idle(p, ret, call);

    if (taken != 0)
        return taken < 0 ? -1 : 0;
    if (connection_open(index, read_only, ret, call) == 0)
        return 0;
    locked(&p->lock);
    p->open--;
    (void)pthread_cond_signal(&p->changed);
    return -1;
}

void pool_give(struct pool *p, struct index_connection *c)
{
    locked(&p->lock);

    assert(!db_in_transaction(c->db));
    c->next = p->idle;
    p->idle = c;
    (void)pthread_cond_signal(&p->changed);
}
