// SPDX-License-Identifier: EUPL-1.2
/* Copies that run for long: who may write meanwhile, and what ends them. */
#include "object/copy.h"

#include "object-bed.h"

#define PENDING(id)       "{\"id\":\"" id "\",\"status\":\"pending\"}"
#define STATE(id, status) "{\"id\":\"" id "\",\"status\":\"" status "\"}"

/* An empty object onto which a copy runs. */
static void begin(struct object_bed *b, const char *copy)
{
    struct object_row properties = object_row_new();
    struct put_request request = {
        .place = place_of("o"), .conditions = CONDITIONS_INIT, .properties = &properties};

    properties.copy = (char *)copy;
    assert_ok(service_put(b->service, &request, NULL, NULL, &b->call), &b->call.err);
}

static int set(struct object_bed *b, const char *id, const char *copy)
{
    struct place o = place_of("o");

    return service_set_copy(b->service, &o, id, copy, &b->call);
}

static void nobody_else_writes(void **state)
{
    struct object_bed *b = *state;
    struct conditions c = CONDITIONS_INIT;
    struct place o = place_of("o");
    struct delete_request gone = {.place = o, .conditions = CONDITIONS_INIT};
    auto_delete_result struct delete_result result = {0};

    begin(b, PENDING("one"));
    assert_fault(object_bed_try_put(b, "o", "x", &c, NULL), FAULT_COPY_PENDING, b);
    assert_fault(service_set_metadata(b->service, &o, &c, NULL, NULL, &b->call), FAULT_COPY_PENDING,
                 b);
    assert_fault(service_delete(b->service, &gone, &result, &b->call), FAULT_COPY_PENDING, b);
    c.copy = "two";
    assert_fault(object_bed_try_put(b, "o", "x", &c, NULL), FAULT_COPY_ID, b);
    c.copy = "one";
    assert_ok(object_bed_try_put(b, "o", "the copy", &c, NULL), &b->call.err);
    object_bed_holds(b, &o, "the copy");
    /* It is done, and cannot be done once more. */
    assert_fault(object_bed_try_put(b, "o", "x", &c, NULL), FAULT_NO_COPY_PENDING, b);
    c.copy = NULL;
    assert_ok(object_bed_try_put(b, "o", "free", &c, NULL), &b->call.err);
}

static void aborted(void **state)
{
    struct object_bed *b = *state;
    struct conditions c = CONDITIONS_INIT;
    struct place o = place_of("o");

    begin(b, PENDING("one"));
    assert_fault(set(b, "two", STATE("two", "aborted")), FAULT_COPY_ID, b);
    assert_ok(set(b, "one", PENDING("one")), &b->call.err);
    assert_ok(set(b, "one", STATE("one", "aborted")), &b->call.err);
    assert_fault(set(b, "one", PENDING("one")), FAULT_NO_COPY_PENDING, b);
    c.copy = "one";
    assert_fault(object_bed_try_put(b, "o", "late", &c, NULL), FAULT_NO_COPY_PENDING, b);
    object_bed_holds(b, &o, "");
    c.copy = NULL;
    assert_ok(object_bed_try_put(b, "o", "free", &c, NULL), &b->call.err);
    /* Nor onto what is gone. */
    c.copy = "one";
    assert_fault(object_bed_try_put(b, "other", "late", &c, NULL), FAULT_NO_COPY_PENDING, b);
}

static void silent(void **state)
{
    struct object_bed *b = *state;
    int64_t now = clock_wall();
    auto_free char *lives = xasprintf("{\"id\":\"one\",\"status\":\"pending\",\"beat\":%lld}",
                                      (long long)(now - COPY_SILENCE_MAX / 2));
    auto_free char *dead = xasprintf("{\"id\":\"one\",\"status\":\"pending\",\"beat\":%lld}",
                                     (long long)(now - 2 * COPY_SILENCE_MAX));

    assert_true(copy_is_pending(PENDING("one"), now));
    assert_true(copy_is_pending(lives, now));
    assert_false(copy_is_pending(dead, now));
    assert_false(copy_is_pending(STATE("one", "success"), now));
    assert_false(copy_is_pending("pending", now));
    assert_false(copy_is_pending(NULL, now));
    begin(b, lives);
    assert_fault(object_bed_try_put(b, "o", "x", NULL, NULL), FAULT_COPY_PENDING, b);
    assert_ok(set(b, "one", dead), &b->call.err);
    assert_ok(object_bed_try_put(b, "o", "free", NULL, NULL), &b->call.err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {object_test(nobody_else_writes), object_test(aborted),
                                       object_test(silent)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
