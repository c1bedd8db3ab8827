// SPDX-License-Identifier: EUPL-1.2
/*
 * Many at once on a few names: two gateways over one index (PostgreSQL, BASCULE_POSTGRES_URL), or
 * one over SQLite.  Nobody can say beforehand how each operation ends, but no operation may fail
 * for a reason that is no fault, every object must be readable all the time, and when everything is
 * deleted nothing may be left in the store.
 *
 *     race [SEED [STEPS]]
 */
#include <stdio.h>
#include <string.h>

#include "object/read.h"
#include "service_steps.h"
#include "util/thread.h"

#define WORKERS 6

struct worker {
    struct real real;
    unsigned seed;
    size_t steps;
    const struct reference *nothing; /* no past is known */
};

static struct step make_step(unsigned *seed)
{
    static const enum step_kind kinds[] = {
        STEP_PUT,         STEP_MAKE_APPEND, STEP_APPEND, STEP_APPEND, STEP_APPEND,
        STEP_MAKE_PAGES,  STEP_WRITE_PAGES, STEP_COPY,   STEP_COPY,   STEP_COPY,
        STEP_WRITE_PAGES, STEP_SNAPSHOT,    STEP_DELETE, STEP_DELETE, STEP_STAGE,
        STEP_COMMIT,      STEP_RESIZE,      STEP_SWEEP,
    };
    struct step s = {.kind = kinds[(size_t)rand_r(seed) % ARRAY_SIZE(kinds)],
                     .name = rand_r(seed) % 3,
                     .other = rand_r(seed) % 3,
                     .fill = 'x',
                     .with_snapshots = true};

    s.offset = (unsigned)rand_r(seed) % 4;
    s.length = (unsigned)rand_r(seed) % 4 + 1;
    if (s.kind == STEP_MAKE_PAGES || s.kind == STEP_RESIZE)
        s.length += 4;
    return s;
}

/* Whatever is there can be read to its end. */
static int check_readable(struct real *r, int name, struct call *call)
{
    auto_reading struct reading reading = {.object = object_row_new()};
    struct sink_count count;
    struct place place = {.account = "acct", .container = REAL_CONTAINER, .name = real_name(name)};

    sink_count_init(&count);
    if (service_open_read(r->service, &place, NULL, NULL, &reading, call) < 0) {
        if (call->err.fault != FAULT_OBJECT_MISSING)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    if (service_read(r->service, &reading, &count.sink, call) < 0)
        return -1;
    return count.count == (uint64_t)reading.object.size
               ? 0
               : err_set(&call->err, ERR_CORRUPT, "another size");
}

static int work(void *argument, struct call *call)
{
    struct worker *w = argument;
    struct ref_made made;

    for (size_t i = 0; i < w->steps; i++) {
        struct step s = make_step(&w->seed);
        if (call_check(call) < 0)
            return -1;
        if (real_do(&w->real, w->nothing, &s, &made) == FAULT_COUNT) {
            call->err = w->real.call.err;
            return err_prefix(&call->err, "step %zu of kind %d", i, (int)s.kind);
        }
        if (check_readable(&w->real, s.name, call) < 0)
            return err_prefix(&call->err, "read name %d after step %zu", s.name, i);
    }
    return 0;
}

static size_t delete_all(struct real *r, const struct reference *nothing)
{
    struct ref_made made;

    for (int name = 0; name < NAMES; name++) {
        struct step delete = {.kind = STEP_DELETE, .name = name, .with_snapshots = true};
        (void)real_do(r, nothing, &delete, &made);
    }
    return real_sweep_all(r);
}

int main(int count, char **given)
{
    unsigned seed = count > 1 ? (unsigned)strtoul(given[1], NULL, 10) : 1;
    size_t steps = count > 2 ? strtoul(given[2], NULL, 10) : 60;
    struct call call = CALL_INIT;
    struct worker workers[WORKERS];
    struct reference *nothing = xcalloc(1, sizeof(*nothing));
    struct real first, second;
    struct group g;

    real_open(&first, false, false);
    real_join(&second, &first);
    group_init(&g, &call);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){i % 2 ? second : first, seed * 100 + i, steps, nothing};
        if (group_run(&g, work, &workers[i]) < 0)
            break;
    }
    int done = group_wait(&g);
    size_t left = done == 0 ? delete_all(&first, nothing) : 0;
    if (done < 0)
        printf("seed %u: %s\n", seed, call.err.text);
    else if (left)
        printf("seed %u: %zu bodies are left in the store\n", seed, left);
    real_leave(&second, &first);
    real_close(&first);
    free(nothing);
    return done < 0 || left ? 1 : 0;
}
