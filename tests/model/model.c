// SPDX-License-Identifier: EUPL-1.2
/*
 * Long random sequences of operations against the object service, judged by a reference in memory;
 * a sequence that goes wrong is told by its seed and shrunk to the steps that matter.
 *
 *     model [SEED [SEQUENCES [STEPS]]]        BASCULE_POSTGRES_URL: the index lies there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service_steps.h"

#define STEPS_MAX 5000

struct sequence {
    bool versioning;
    struct step steps[STEPS_MAX];
    bool used[STEPS_MAX];
    size_t count;
};

static const char *const words[STEP_KIND_COUNT] = {
    [STEP_PUT] = "put",
    [STEP_MAKE_APPEND] = "make append",
    [STEP_MAKE_PAGES] = "make pages",
    [STEP_APPEND] = "append",
    [STEP_SEAL] = "seal",
    [STEP_WRITE_PAGES] = "write pages",
    [STEP_RESIZE] = "resize",
    [STEP_SNAPSHOT] = "snapshot",
    [STEP_COPY] = "copy",
    [STEP_DELETE] = "delete",
    [STEP_DELETE_PAST] = "delete past",
    [STEP_METADATA] = "metadata",
    [STEP_STAGE] = "stage",
    [STEP_COMMIT] = "commit",
    [STEP_ACQUIRE] = "acquire",
    [STEP_RELEASE] = "release",
    [STEP_SWEEP] = "sweep",
    [STEP_RESTART] = "restart",
};

/* ---- Making up ---- */

/* How often each kind comes, of 100. */
static const unsigned char weights[STEP_KIND_COUNT] = {
    [STEP_PUT] = 8,   [STEP_MAKE_APPEND] = 5,  [STEP_MAKE_PAGES] = 5,  [STEP_APPEND] = 12,
    [STEP_SEAL] = 1,  [STEP_WRITE_PAGES] = 12, [STEP_RESIZE] = 3,      [STEP_SNAPSHOT] = 9,
    [STEP_COPY] = 14, [STEP_DELETE] = 5,       [STEP_DELETE_PAST] = 5, [STEP_METADATA] = 4,
    [STEP_STAGE] = 6, [STEP_COMMIT] = 4,       [STEP_ACQUIRE] = 2,     [STEP_RELEASE] = 2,
    [STEP_SWEEP] = 2, [STEP_RESTART] = 1,
};

static enum step_kind make_kind(unsigned *seed)
{
    unsigned left = (unsigned)rand_r(seed) % 100;

    for (int kind = 0; kind < STEP_KIND_COUNT; kind++) {
        if (left < weights[kind])
            return (enum step_kind)kind;
        left -= weights[kind];
    }
    return STEP_PUT;
}

/* Mostly the first two names are append objects, the others page objects: copies between objects of
 * one type are what shares bytes. */
static void pair_names(struct step *s, unsigned *seed)
{
    bool append = s->kind == STEP_MAKE_APPEND || s->kind == STEP_APPEND || s->kind == STEP_SEAL;
    bool pages =
        s->kind == STEP_MAKE_PAGES || s->kind == STEP_WRITE_PAGES || s->kind == STEP_RESIZE;

    if (rand_r(seed) % 5 == 0)
        return;
    if (append || pages)
        s->name = s->name % 2 + (pages ? 2 : 0);
    if (s->kind == STEP_COPY)
        s->other = s->name / 2 * 2 + s->other % 2;
}

static struct step make_step(unsigned *seed)
{
    struct step s = {.kind = make_kind(seed),
                     .name = rand_r(seed) % NAMES,
                     .other = rand_r(seed) % NAMES,
                     .past = (unsigned)rand_r(seed),
                     .fill = (char)('a' + rand_r(seed) % 26),
                     .if_absent = rand_r(seed) % 16 == 0,
                     .with_lease = rand_r(seed) % 8 == 0,
                     .with_snapshots = rand_r(seed) % 3 > 0};

    pair_names(&s, seed);
    s.offset = (unsigned)rand_r(seed) % 8;
    s.length = (unsigned)rand_r(seed) % 600 + 1;
    if (s.kind == STEP_WRITE_PAGES && rand_r(seed) % 3 == 0)
        s.fill = 0;
    if (s.kind == STEP_WRITE_PAGES)
        s.length = s.length % 4 + 1;
    if (s.kind == STEP_MAKE_PAGES || s.kind == STEP_RESIZE)
        s.length %= BODY_MAX / PAGE + 1;
    if (s.kind == STEP_COMMIT)
        s.length %= 1U << BLOCKS;
    /* Only some take conditions; the others would not be told apart from those that do. */
    bool writes = s.kind <= STEP_MAKE_PAGES || s.kind == STEP_COPY || s.kind == STEP_COMMIT;
    s.if_absent = s.if_absent && writes;
    s.with_lease = s.with_lease && s.kind != STEP_STAGE;
    return s;
}

static void make(struct sequence *q, unsigned seed, size_t count)
{
    q->versioning = seed % 3 == 0;
    q->count = count;
    for (size_t i = 0; i < count; i++) {
        q->steps[i] = make_step(&seed);
        q->used[i] = true;
    }
}

/* ---- Judging ---- */

static bool check_name(struct real *real, const struct reference *r, int name, char why[400])
{
    const struct ref_object *o = &r->objects[name];
    char what[300];

    if (!real_holds(real, name, NULL, o->there ? &o->body : NULL, what)) {
        (void)snprintf(why, 400, "name %d: %s", name, what);
        return false;
    }
    for (size_t i = 0; i < o->past_count; i++)
        if (!real_holds(real, name, &o->past[i], &o->past[i].body, what)) {
            (void)snprintf(why, 400, "name %d, %s %s: %s", name,
                           o->past[i].snapshot ? "snapshot" : "version", o->past[i].version, what);
            return false;
        }
    return true;
}

static bool check_all(struct real *real, const struct reference *r, char why[400])
{
    size_t count = 0;

    for (int name = 0; name < NAMES; name++) {
        if (!check_name(real, r, name, why))
            return false;
        count += r->objects[name].there + r->objects[name].past_count;
    }
    size_t listed = real_count(real);
    if (listed != count)
        (void)snprintf(why, 400, "%zu listed, not %zu", listed, count);
    return listed == count;
}

/* What nobody has any more must not stay in the store. */
static bool check_end(struct real *real, struct reference *r, char why[400])
{
    char version[VERSION_LEN];

    for (int name = 0; name < NAMES; name++) {
        struct step release = {.kind = STEP_RELEASE, .name = name};
        struct step delete = {.kind = STEP_DELETE, .name = name, .with_snapshots = true};
        struct step past = {.kind = STEP_DELETE_PAST, .name = name};
        (void)real_do(real, r, &release, version);
        (void)reference_do(r, &release, "");
        (void)real_do(real, r, &delete, version);
        (void)reference_do(r, &delete, "");
        while (r->objects[name].past_count) {
            (void)real_do(real, r, &past, version);
            (void)reference_do(r, &past, "");
        }
    }
    if (!check_all(real, r, why))
        return false;
    size_t left = real_sweep_all(real);
    if (left)
        (void)snprintf(why, 400, "%zu bodies are left in the store", left);
    return left == 0;
}

static bool step_both(struct real *real, struct reference *r, const struct step *s, char why[400])
{
    char version[VERSION_LEN];
    enum fault got = real_do(real, r, s, version);
    enum fault want = reference_do(r, s, version);

    if (got != want) {
        (void)snprintf(why, 400, "%s, not %s: %.300s",
                       got == FAULT_COUNT ? "failed" : fault_word(got), fault_word(want),
                       real->call.err.text);
        return false;
    }
    if (s->kind == STEP_RESTART || s->kind == STEP_SWEEP)
        return check_all(real, r, why);
    return check_name(real, r, s->name, why);
}

/* Where it goes wrong: count for the end, -1 when all is well. */
static long run(const struct sequence *q, char why[400])
{
    struct real real;
    struct reference *r = calloc(1, sizeof(*r));
    long wrong = -1;

    r->versioning = q->versioning;
    real_open(&real, q->versioning);
    for (size_t i = 0; i < q->count && wrong < 0; i++)
        if (q->used[i] && reference_can(r, &q->steps[i]) && !step_both(&real, r, &q->steps[i], why))
            wrong = (long)i;
    if (wrong < 0 && (!check_all(&real, r, why) || !check_end(&real, r, why)))
        wrong = (long)q->count;
    real_close(&real);
    free(r);
    return wrong;
}

/* ---- Shrinking ---- */

/* Leave out half of the steps, a quarter, ... one, as long as it still goes wrong. */
static void shrink(struct sequence *q, size_t end)
{
    struct sequence *smaller = malloc(sizeof(*smaller));
    char why[400];

    if (!smaller)
        abort();
    for (size_t i = end + 1; i < q->count; i++)
        q->used[i] = false;
    for (size_t chunk = (end + 1) / 2; chunk > 0; chunk /= 2)
        for (size_t from = 0; from <= end && from < q->count; from += chunk) {
            *smaller = *q;
            for (size_t i = from; i < from + chunk && i < q->count; i++)
                smaller->used[i] = false;
            if (memcmp(smaller->used, q->used, sizeof(q->used)) != 0 && run(smaller, why) >= 0)
                *q = *smaller;
        }
    free(smaller);
}

static void tell(const struct sequence *q)
{
    printf("versioning %s\n", q->versioning ? "on" : "off");
    for (size_t i = 0; i < q->count; i++) {
        const struct step *s = &q->steps[i];
        if (q->used[i])
            printf("%5zu %s name %d other %d past %u offset %u length %u fill %c%s%s%s\n", i,
                   words[s->kind], s->name, s->other, s->past % 1000, s->offset, s->length,
                   s->fill ? s->fill : '0', s->if_absent ? " if-absent" : "",
                   s->with_lease ? " with lease" : "", s->with_snapshots ? " with snapshots" : "");
    }
}

static size_t number(int count, char **words_given, int index, size_t otherwise)
{
    return count > index ? (size_t)strtoull(words_given[index], NULL, 10) : otherwise;
}

int main(int count, char **given)
{
    size_t seed = number(count, given, 1, 1), sequences = number(count, given, 2, 6);
    size_t steps = number(count, given, 3, 250);
    struct sequence *q = malloc(sizeof(*q));
    char why[400] = "";

    if (!q || steps > STEPS_MAX)
        return 2;
    for (size_t i = 0; i < sequences; i++) {
        memset(q, 0, sizeof(*q));
        make(q, (unsigned)(seed + i), steps);
        long wrong = run(q, why);
        if (wrong < 0)
            continue;
        printf("seed %zu, step %ld: %s\n", seed + i, wrong, why);
        shrink(q, (size_t)wrong);
        (void)run(q, why);
        tell(q);
        printf("%s\n", why);
        free(q);
        return 1;
    }
    printf("%zu sequences of %zu steps from seed %zu\n", sequences, steps, seed);
    free(q);
    return 0;
}
