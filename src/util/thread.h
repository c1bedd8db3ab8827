// SPDX-License-Identifier: EUPL-1.2
/*
 * The concurrency tools: a lock held to the end of a block, and a group of threads.
 *
 *     locked(&m->lock);                        (until the end of the block)
 *
 *     struct group g;
 *     group_init(&g, call);
 *     for (...)
 *         if (group_run(&g, copy_part, &parts[i]) < 0)
 *             break;
 *     return group_wait(&g);                   (always: a group never outlives its function)
 *
 * The first task that fails raises the group's cancel flag, so that the others stop soon; its error
 * becomes the caller's.
 */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#include <pthread.h>

#include "util/call.h"

pthread_mutex_t *lock_take(pthread_mutex_t *lock);
void lock_leave(pthread_mutex_t **lock);
#define LOCKED_NAME_(line) held_lock_##line
#define LOCKED_NAME(line)  LOCKED_NAME_(line)
#define locked(lock) \
    cleanup(lock_leave) maybe_unused pthread_mutex_t *LOCKED_NAME(__LINE__) = lock_take(lock)

/* Wait on a condition until woken, the deadline, or soon after a cancellation; the lock is held
 * before and after.  -1 as call_check(), else 0 (look at your condition again). */
must_check int condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, struct call *call);

/* A task works under its own call (a child of the group's) and returns 0 or -1. */
typedef int task_function(void *argument, struct call *call);

struct group_task;
struct group {
    struct call *call; /* the caller's; gets the first error */
    struct cancel cancel;
    struct group_task *tasks; /* the caller's thread only */
    pthread_mutex_t lock;
    struct err first; /* guarded by lock */
};

void group_init(struct group *g, struct call *call);
/* Start one task on a thread of its own; -1 when no thread can be had or the group has failed. */
must_check int group_run(struct group *g, task_function *function, void *argument);
/* Wait for all; 0 when every task succeeded, else -1 with the first error in the caller's call. */
must_check int group_wait(struct group *g);

/* An amount of something (bytes of buffer) that many threads share.  budget_take() waits until that
 * much is there; asking for more than the whole takes the whole. */
struct budget {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t whole;
    uint64_t left; /* guarded by lock */
};
void budget_init(struct budget *b, uint64_t whole);
void budget_release(struct budget *b);
must_check int budget_take(struct budget *b, uint64_t amount, struct call *call);
void budget_give(struct budget *b, uint64_t amount);

#endif
