// SPDX-License-Identifier: EUPL-1.2
/* The whole table of lease states and actions, and what a lease permits. */
#include <stdio.h>

#include "object/lease_state.h"
#include "object/object_private.h"
#include "unit.h"

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)
#define A   "aaaaaaaa-0000-4000-8000-000000000000"
#define B   "bbbbbbbb-0000-4000-8000-000000000000"
#define C   "cccccccc-0000-4000-8000-000000000000"

/* The states a lease can be in before; all with id A. */
enum before { AVAILABLE, LEASED, FOREVER, BREAKING, BROKEN, BROKEN_IN_TIME, EXPIRED, BEFORE_COUNT };
static const char *const before_words[] = {"available", "leased",  "forever", "breaking",
                                           "broken",    "in time", "expired"};

static struct lease lease_before(enum before before)
{
    static const struct lease states[] = {
        [AVAILABLE] = {NULL, LEASE_NONE, 0, TIME_UNKNOWN},
        [LEASED] = {NULL, LEASE_TAKEN, 30, NOW + 20 * CLOCK_SECOND},
        [FOREVER] = {NULL, LEASE_TAKEN, -1, TIME_UNKNOWN},
        [BREAKING] = {NULL, LEASE_BREAKING, 0, NOW + 20 * CLOCK_SECOND},
        [BROKEN] = {NULL, LEASE_BROKEN, 0, TIME_UNKNOWN},
        [BROKEN_IN_TIME] = {NULL, LEASE_BREAKING, 0, NOW},
        [EXPIRED] = {NULL, LEASE_TAKEN, 30, NOW},
    };
    struct lease l = states[before];

    l.id = before == AVAILABLE ? NULL : xstrdup(A);
    return l;
}

struct outcome {
    enum fault fault;
    enum lease_word word;
    const char *id; /* NULL: a fresh one, or none */
    int64_t left;   /* seconds; -1 no end */
};
#define REFUSED(f) \
    {              \
        .fault = f \
    }
#define PRESENT  REFUSED(FAULT_LEASE_PRESENT)
#define MISMATCH REFUSED(FAULT_LEASE_ID_LEASE)
#define ABSENT   REFUSED(FAULT_LEASE_ABSENT_LEASE)
#define HELD(id, left)                 \
    {                                  \
        0, LEASE_WORD_LEASED, id, left \
    }
#define WILL_BREAK(left)                \
    {                                   \
        0, LEASE_WORD_BREAKING, A, left \
    }
#define IS_BROKEN                   \
    {                               \
        0, LEASE_WORD_BROKEN, A, -1 \
    }
#define FREE                              \
    {                                     \
        0, LEASE_WORD_AVAILABLE, NULL, -1 \
    }

/* In the order of enum before. */
static const struct {
    const char *what;
    struct lease_request request;
    struct outcome outcomes[BEFORE_COUNT];
} table[] = {
    {"acquire",
     {.action = LEASE_ACQUIRE, .seconds = 15},
     {HELD(NULL, 15), PRESENT, PRESENT, PRESENT, HELD(NULL, 15), HELD(NULL, 15), HELD(NULL, 15)}},
    {"acquire A",
     {.action = LEASE_ACQUIRE, .id = A, .seconds = 60},
     {HELD(A, 60), HELD(A, 60), HELD(A, 60), REFUSED(FAULT_LEASE_BREAKING_ACQUIRE), HELD(A, 60),
      HELD(A, 60), HELD(A, 60)}},
    {"acquire A for ever",
     {.action = LEASE_ACQUIRE, .id = A, .seconds = -1},
     {HELD(A, -1), HELD(A, -1), HELD(A, -1), REFUSED(FAULT_LEASE_BREAKING_ACQUIRE), HELD(A, -1),
      HELD(A, -1), HELD(A, -1)}},
    {"acquire B",
     {.action = LEASE_ACQUIRE, .id = B, .seconds = -1},
     {HELD(B, -1), PRESENT, PRESENT, PRESENT, HELD(B, -1), HELD(B, -1), HELD(B, -1)}},
    {"renew A",
     {.action = LEASE_RENEW, .id = A},
     {MISMATCH, HELD(A, 30), HELD(A, -1), REFUSED(FAULT_LEASE_BROKEN_RENEW),
      REFUSED(FAULT_LEASE_BROKEN_RENEW), REFUSED(FAULT_LEASE_BROKEN_RENEW), HELD(A, 30)}},
    {"renew B",
     {.action = LEASE_RENEW, .id = B},
     {MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH}},
    {"change A to B",
     {.action = LEASE_CHANGE, .id = A, .proposed = B},
     {ABSENT, HELD(B, 20), HELD(B, -1), REFUSED(FAULT_LEASE_BREAKING_CHANGE), ABSENT, ABSENT,
      ABSENT}},
    {"change A to A",
     {.action = LEASE_CHANGE, .id = A, .proposed = A},
     {ABSENT, HELD(A, 20), HELD(A, -1), REFUSED(FAULT_LEASE_BREAKING_CHANGE), ABSENT, ABSENT,
      ABSENT}},
    {"change B to A",
     {.action = LEASE_CHANGE, .id = B, .proposed = A},
     {ABSENT, HELD(A, 20), HELD(A, -1), MISMATCH, ABSENT, ABSENT, ABSENT}},
    {"change B to C",
     {.action = LEASE_CHANGE, .id = B, .proposed = C},
     {ABSENT, MISMATCH, MISMATCH, MISMATCH, ABSENT, ABSENT, ABSENT}},
    {"release A",
     {.action = LEASE_RELEASE, .id = A},
     {MISMATCH, FREE, FREE, FREE, FREE, FREE, FREE}},
    {"release B",
     {.action = LEASE_RELEASE, .id = B},
     {MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH, MISMATCH}},
    {"break",
     {.action = LEASE_BREAK, .seconds = -1},
     {ABSENT, WILL_BREAK(20), IS_BROKEN, WILL_BREAK(20), IS_BROKEN, IS_BROKEN, IS_BROKEN}},
    {"break 0",
     {.action = LEASE_BREAK, .seconds = 0},
     {ABSENT, IS_BROKEN, IS_BROKEN, IS_BROKEN, IS_BROKEN, IS_BROKEN, IS_BROKEN}},
    {"break 10",
     {.action = LEASE_BREAK, .seconds = 10},
     {ABSENT, WILL_BREAK(10), WILL_BREAK(10), WILL_BREAK(10), IS_BROKEN, IS_BROKEN, IS_BROKEN}},
    {"break 60",
     {.action = LEASE_BREAK, .seconds = 60},
     {ABSENT, WILL_BREAK(20), WILL_BREAK(60), WILL_BREAK(20), IS_BROKEN, IS_BROKEN, IS_BROKEN}},
    {"a lease too short",
     {.action = LEASE_ACQUIRE, .id = A, .seconds = 14},
     {REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT),
      REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT),
      REFUSED(FAULT_ARGUMENT)}},
    {"a break too long",
     {.action = LEASE_BREAK, .seconds = 61},
     {REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT),
      REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT), REFUSED(FAULT_ARGUMENT),
      REFUSED(FAULT_ARGUMENT)}},
};

static void judge(const char *what, enum before before, const struct lease_request *request,
                  const struct outcome *want)
{
    auto_lease struct lease l = lease_before(before), old = lease_before(before);
    struct err e = {0};
    int64_t remaining = -5;
    int done = lease_apply(&l, request, "x", NOW, &remaining, &e);

    if ((done < 0) != (want->fault != 0) || (enum fault)e.fault != want->fault)
        fail_msg("%s while %s: %s", what, before_words[before], fault_word((enum fault)e.fault));
    if (done < 0) {
        assert_true(same_string(l.id, old.id) && l.state == old.state && l.until == old.until);
        assert_int_equal(remaining, -5);
        return;
    }
    if (lease_word_at(l.state, l.until, NOW) != want->word)
        fail_msg("%s while %s: another state", what, before_words[before]);
    int64_t left = l.until == TIME_UNKNOWN ? -1 : (l.until - NOW) / CLOCK_SECOND;
    if (left != want->left)
        fail_msg("%s while %s: %lld left", what, before_words[before], (long long)left);
    assert_int_equal(remaining, want->word == LEASE_WORD_BREAKING ? want->left : 0);
    if (want->id)
        assert_string_equal(l.id, want->id);
    else if (want->word == LEASE_WORD_LEASED)
        assert_int_equal(strlen(l.id), 36);
    else
        assert_null(l.id);
}

static void actions(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        for (enum before b = AVAILABLE; b < BEFORE_COUNT; b++)
            judge(table[i].what, b, &table[i].request, &table[i].outcomes[b]);
}

/* Nobody is told a time that is over too early. */
static void remaining_is_rounded_up(void **state)
{
    auto_lease struct lease l = lease_before(LEASED);
    struct lease_request request = {.action = LEASE_BREAK, .seconds = -1};
    struct err e = {0};
    int64_t remaining;

    (void)state;
    assert_ok(lease_apply(&l, &request, "x", NOW + 1, &remaining, &e), &e);
    assert_int_equal(remaining, 20);
}

static void ids_have_no_case(void **state)
{
    auto_lease struct lease l = lease_before(LEASED);
    struct lease_request request = {.action = LEASE_RENEW,
                                    .id = "AAAAAAAA-0000-4000-8000-000000000000"};
    struct err e = {0};
    int64_t remaining;

    (void)state;
    assert_ok(lease_apply(&l, &request, "x", NOW, &remaining, &e), &e);
    assert_string_equal(l.id, A);
}

static void uses(void **state)
{
    static const struct {
        const char *id;
        bool write;
        enum fault faults[BEFORE_COUNT];
    } cases[] = {
        {NULL, false, {0}},
        {NULL,
         true,
         {[LEASED] = FAULT_LEASE_ID_MISSING,
          [FOREVER] = FAULT_LEASE_ID_MISSING,
          [BREAKING] = FAULT_LEASE_ID_MISSING}},
        {A,
         true,
         {[AVAILABLE] = FAULT_LEASE_ABSENT_OPERATION,
          [BROKEN] = FAULT_LEASE_LOST,
          [BROKEN_IN_TIME] = FAULT_LEASE_LOST,
          [EXPIRED] = FAULT_LEASE_LOST}},
        {B,
         true,
         {FAULT_LEASE_ABSENT_OPERATION, FAULT_LEASE_ID_OPERATION, FAULT_LEASE_ID_OPERATION,
          FAULT_LEASE_ID_OPERATION, FAULT_LEASE_ID_OPERATION, FAULT_LEASE_ID_OPERATION,
          FAULT_LEASE_ID_OPERATION}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        for (enum before b = AVAILABLE; b < BEFORE_COUNT; b++)
            for (int write = 0; write < 2; write++) {
                auto_lease struct lease l = lease_before(b);
                struct err e = {0};
                bool judged = cases[i].id || cases[i].write == write;
                int done = lease_permits(&l, cases[i].id, write, "x", NOW, &e);
                if (judged && (e.fault != (int)cases[i].faults[b] || (done < 0) != (e.fault != 0)))
                    fail_msg("use %zu, %s: %s", i, before_words[b],
                             fault_word((enum fault)e.fault));
            }
}

static void words(void **state)
{
    static const char *const want[BEFORE_COUNT][3] = {
        {"available", "unlocked", NULL},  {"leased", "locked", "fixed"},
        {"leased", "locked", "infinite"}, {"breaking", "locked", NULL},
        {"broken", "unlocked", NULL},     {"broken", "unlocked", NULL},
        {"expired", "unlocked", NULL},
    };

    (void)state;
    for (enum before b = AVAILABLE; b < BEFORE_COUNT; b++) {
        auto_lease struct lease l = lease_before(b);
        const char *word, *status, *duration;
        lease_words(l.state, l.seconds, l.until, NOW, &word, &status, &duration);
        assert_string_equal(word, want[b][0]);
        assert_string_equal(status, want[b][1]);
        assert_true(same_string(duration, want[b][2]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(actions),
        cmocka_unit_test(remaining_is_rounded_up),
        cmocka_unit_test(ids_have_no_case),
        cmocka_unit_test(uses),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
