// SPDX-License-Identifier: EUPL-1.2
/*
 * Long random sequences of operations, each through the object service itself or through one of the
 * doors over it, judged by one reference in memory; a sequence that goes wrong is told by its seed
 * and shrunk to the steps that matter.
 *
 *     model [SEED [SEQUENCES [STEPS]]]        BASCULE_POSTGRES_URL: the index lies there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "way.h"

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
    [STEP_TAGS] = "tags",
    [STEP_STAGE] = "stage",
    [STEP_COMMIT] = "commit",
    [STEP_UPLOAD] = "upload",
    [STEP_ACQUIRE] = "acquire",
    [STEP_RELEASE] = "release",
    [STEP_SWEEP] = "sweep",
    [STEP_RESTART] = "restart",
};

/* ---- Making up ---- */

/* How often each kind comes, of 100. */
static const unsigned char weights[STEP_KIND_COUNT] = {
    [STEP_PUT] = 8,     [STEP_MAKE_APPEND] = 5,  [STEP_MAKE_PAGES] = 5,  [STEP_APPEND] = 11,
    [STEP_SEAL] = 1,    [STEP_WRITE_PAGES] = 11, [STEP_RESIZE] = 3,      [STEP_SNAPSHOT] = 8,
    [STEP_COPY] = 13,   [STEP_DELETE] = 6,       [STEP_DELETE_PAST] = 6, [STEP_METADATA] = 3,
    [STEP_TAGS] = 3,    [STEP_STAGE] = 6,        [STEP_COMMIT] = 3,      [STEP_UPLOAD] = 2,
    [STEP_ACQUIRE] = 2, [STEP_RELEASE] = 2,      [STEP_SWEEP] = 1,       [STEP_RESTART] = 1,
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

/* Only some take conditions; the others would not be told apart from those that do. */
static enum step_condition make_condition(enum step_kind kind, unsigned *seed)
{
    bool writes =
        kind <= STEP_MAKE_PAGES || kind == STEP_COPY || kind == STEP_COMMIT || kind == STEP_UPLOAD;
    bool changes = kind == STEP_APPEND || kind == STEP_WRITE_PAGES || kind == STEP_METADATA ||
                   kind == STEP_DELETE;
    unsigned chance = (unsigned)rand_r(seed) % 16;

    if (chance == 0 && writes)
        return IF_ABSENT;
    if (chance <= 2 && (writes || changes))
        return chance == 1 ? IF_SAME : IF_BEFORE;
    return IF_ANYTHING;
}

static struct step make_step(unsigned *seed)
{
    struct step s = {.kind = make_kind(seed),
                     .way = (enum way_kind)(rand_r(seed) % WAY_COUNT),
                     .name = rand_r(seed) % NAMES,
                     .other = rand_r(seed) % NAMES,
                     .past = (unsigned)rand_r(seed),
                     .fill = (char)('a' + rand_r(seed) % 26),
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
    s.condition = make_condition(s.kind, seed);
    s.with_lease = s.with_lease && s.kind != STEP_STAGE;
    return s;
}

/* What was deleted last often goes at once, so that a marker gives way to what it hid. */
static void regret(const struct step *before, struct step *s, unsigned *seed)
{
    if (before->kind != STEP_DELETE || rand_r(seed) % 2)
        return;
    s->kind = STEP_DELETE_PAST;
    s->condition = IF_ANYTHING;
    s->way = before->way;
    s->name = before->name;
    s->past = 1;
}

static void make(struct sequence *q, unsigned seed, size_t count)
{
    q->versioning = seed % 3 == 0;
    q->count = count;
    for (size_t i = 0; i < count; i++) {
        q->steps[i] = make_step(&seed);
        if (i)
            regret(&q->steps[i - 1], &q->steps[i], &seed);
        q->used[i] = true;
    }
}

/* ---- Judging ---- */

/* The current object by every way, what is past by one of them after the other. */
static bool check_current(struct real *real, struct reference *r, int name, char why[400])
{
    const struct ref_object *o = &r->objects[name];
    char what[300], etag[WAY_COUNT][ETAG_LEN] = {0};

    for (enum way_kind way = 0; way < WAY_COUNT; way++) {
        if (way_agrees(way, real, name, NULL, o->there ? &o->body : NULL, etag[way], what))
            continue;
        (void)snprintf(why, 400, "name %d by %s: %s", name, ways[way]->word, what);
        return false;
    }
    if (reference_saw(r, name, etag))
        return true;
    (void)snprintf(why, 400, "name %d has the ETag that other bytes had", name);
    return false;
}

static bool check_name(struct real *real, struct reference *r, int name, char why[400])
{
    static const char *const kinds[] = {"version", "snapshot", "marker"};
    const struct ref_object *o = &r->objects[name];
    char what[300], etag[ETAG_LEN];

    for (size_t i = 0; i < o->past_count; i++) {
        const struct ref_past *past = &o->past[i];
        enum way_kind way = (enum way_kind)((i + o->body.size) % WAY_COUNT);
        if (!ways[way]->sees(past))
            way = WAY_SERVICE;
        if (!way_agrees(way, real, name, past, past->kind == PAST_MARKER ? NULL : &past->body, etag,
                        what)) {
            (void)snprintf(why, 400, "name %d, %s %s by %s: %s", name, kinds[past->kind],
                           past->version, ways[way]->word, what);
            return false;
        }
    }
    return check_current(real, r, name, why);
}

static bool check_all(struct real *real, struct reference *r, char why[400])
{
    for (int name = 0; name < NAMES; name++)
        if (!check_name(real, r, name, why))
            return false;
    for (enum way_kind way = 0; way < WAY_COUNT; way++) {
        size_t listed = ways[way]->count(real), count = reference_count(r, way);
        if (listed == count)
            continue;
        (void)snprintf(why, 400, "%zu listed by %s, not %zu", listed, ways[way]->word, count);
        return false;
    }
    return true;
}

/* By the way given, or by the service where that has no word for it. */
static struct outcome act(struct real *real, struct reference *r, const struct step *given,
                          struct step *ret_done)
{
    struct outcome outcome = {0};

    *ret_done = *given;
    if (!ways[given->way]->has(r, given))
        ret_done->way = WAY_SERVICE;
    ways[ret_done->way]->act(real, r, ret_done, &outcome);
    return outcome;
}

/* Every version and marker too; a marker that goes may bring an object back. */
static void empty(struct real *real, struct reference *r, int name)
{
    static const struct step kinds[] = {{.kind = STEP_RELEASE},
                                        {.kind = STEP_DELETE, .with_snapshots = true},
                                        {.kind = STEP_DELETE_PAST, .way = WAY_S3}};
    const struct ref_object *o = &r->objects[name];

    while (o->there || o->past_count)
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            struct step s = kinds[i], done;
            s.name = name;
            struct outcome outcome = act(real, r, &s, &done);
            (void)reference_do(r, &done, &outcome.made);
        }
}

/* What nobody has any more must not stay in the store. */
static bool check_end(struct real *real, struct reference *r, char why[400])
{
    for (int name = 0; name < NAMES; name++)
        empty(real, r, name);
    if (!check_all(real, r, why))
        return false;
    size_t left = real_sweep_all(real);
    if (left)
        (void)snprintf(why, 400, "%zu bodies are left in the store", left);
    return left == 0;
}

static bool step_both(struct real *real, struct reference *r, const struct step *given,
                      char why[400])
{
    struct step s;
    struct outcome got = act(real, r, given, &s);
    enum fault fault = reference_do(r, &s, &got.made);
    const char *want = fault == FAULT_NONE ? "" : ways[s.way]->says(&s, fault);

    if (strcmp(got.said, want) != 0) {
        (void)snprintf(why, 400, "%s by %s: \"%s\", not %s \"%s\": %.200s", words[s.kind],
                       ways[s.way]->word, got.said, fault_word(fault), want, got.words);
        return false;
    }
    if (s.kind == STEP_RESTART || s.kind == STEP_SWEEP)
        return check_all(real, r, why);
    return check_name(real, r, s.name, why);
}

/* Where it goes wrong: count for the end, -1 when all is well. */
static long run(const struct sequence *q, char why[400])
{
    struct real real;
    struct reference *r = calloc(1, sizeof(*r));
    long wrong = -1;

    r->versioning = q->versioning;
    real_open(&real, q->versioning, true);
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
    static const char *const conditions[] = {"", " if absent", " if the same", " if as before"};

    printf("versioning %s\n", q->versioning ? "on" : "off");
    for (size_t i = 0; i < q->count; i++) {
        const struct step *s = &q->steps[i];
        if (q->used[i])
            printf("%5zu %s by %s name %d other %d past %u offset %u length %u fill %c%s%s%s\n", i,
                   words[s->kind], ways[s->way]->word, s->name, s->other, s->past % 1000, s->offset,
                   s->length, s->fill ? s->fill : '0', conditions[s->condition],
                   s->with_lease ? " with lease" : "", s->with_snapshots ? " with snapshots" : "");
    }
}

static size_t number(int count, char **words_given, int index, size_t otherwise)
{
    return count > index ? (size_t)strtoull(words_given[index], NULL, 10) : otherwise;
}

int main(int count, char **given)
{
    size_t seed = number(count, given, 1, 1), sequences = number(count, given, 2, 12);
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
