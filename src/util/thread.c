// SPDX-License-Identifier: EUPL-1.2
/* Locks, groups and budgets: see thread.h. */
#include "util/thread.h"

#include <assert.h>
#include <time.h>

#include "util/clock.h"

#define THREAD_STACK (512 * 1024)
/* How soon a waiting thread notices a raised cancel flag. */
#define NOTICE (50 * CLOCK_MILLISECOND)

struct group_task {
    struct group_task *next;
    struct group *group;
    task_function *function;
    void *argument;
    pthread_t thread;
};

pthread_mutex_t *lock_take(pthread_mutex_t *lock)
{
    int failed = pthread_mutex_lock(lock);

    assert(!failed);
    (void)failed;
    return lock;
}

void lock_leave(pthread_mutex_t **lock)
{
    (void)pthread_mutex_unlock(*lock);
}

int condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, struct call *call)
{
    if (call_check(call) < 0)
        return -1;
    int64_t until = clock_monotonic() + NOTICE;
    if (call->deadline && call->deadline < until)
        until = call->deadline;
    struct timespec at = {.tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND};
    (void)pthread_cond_clockwait(condition, lock, CLOCK_MONOTONIC, &at);
    return 0;
}

void group_init(struct group *g, struct call *call)
{
    *g = (struct group){.call = call, .cancel = {.parent = call->cancel}};
    (void)pthread_mutex_init(&g->lock, NULL);
}

static void *run_task(void *argument)
{
    struct group_task *task = argument;
    struct group *g = task->group;
    struct call call = call_child(g->call, &g->cancel);

    if (task->function(task->argument, &call) < 0) {
        locked(&g->lock);
        if (g->first.code == ERR_NONE)
            g->first = call.err;
        cancel_raise(&g->cancel);
    }
    return NULL;
}

int group_run(struct group *g, task_function *function, void *argument)
{
    if (cancel_is_raised(&g->cancel))
        return -1;
    struct group_task *task = xcalloc(1, sizeof(*task));
    *task = (struct group_task){.group = g, .function = function, .argument = argument};
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
    int failed = pthread_create(&task->thread, &attributes, run_task, task);
    (void)pthread_attr_destroy(&attributes);
    if (failed) {
        free(task);
        locked(&g->lock);
        if (g->first.code == ERR_NONE)
            (void)err_errno(&g->first, failed, "start a thread");
        cancel_raise(&g->cancel);
        return -1;
    }
    task->next = g->tasks;
    g->tasks = task;
    return 0;
}

int group_wait(struct group *g)
{
    while (g->tasks) {
        struct group_task *task = g->tasks;
        (void)pthread_join(task->thread, NULL);
        g->tasks = task->next;
        free(task);
    }
    (void)pthread_mutex_destroy(&g->lock);
    if (g->first.code == ERR_NONE)
        return 0;
    g->call->err = g->first;
    return -1;
}

void budget_init(struct budget *b, uint64_t whole)
{
    *b = (struct budget){.whole = whole, .left = whole};
    (void)pthread_mutex_init(&b->lock, NULL);
    (void)pthread_cond_init(&b->changed, NULL);
}

void budget_release(struct budget *b)
{
    (void)pthread_mutex_destroy(&b->lock);
    (void)pthread_cond_destroy(&b->changed);
}

int budget_take(struct budget *b, uint64_t amount, struct call *call)
{
    if (amount > b->whole)
        amount = b->whole;
    locked(&b->lock);
    while (b->left < amount)
        if (condition_wait(&b->changed, &b->lock, call) < 0)
            return -1;
    b->left -= amount;
    return 0;
}

void budget_give(struct budget *b, uint64_t amount)
{
    if (amount > b->whole)
        amount = b->whole;
    locked(&b->lock);
    b->left += amount;
    assert(b->left <= b->whole);
    (void)pthread_cond_broadcast(&b->changed);
}
