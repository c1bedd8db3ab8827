// SPDX-License-Identifier: EUPL-1.2
/* The object service over a store that gives other bytes than it got, or fails. */
#include "store/layer/fault.h"

#include "object-bed.h"

#define LARGE ((size_t)1 << 20)

/* From now on calls go through a fault layer with this one rule. */
static void spoil(struct object_bed *b, const struct fault_rule *rule)
{
    object_bed_close(b);
    b->store = fault_layer(b->store, rule, 1);
    object_bed_open(b);
}

static char *large_text(void)
{
    char *text = xcalloc(1, LARGE + 1);
    for (size_t i = 0; i < LARGE; i++)
        text[i] = (char)('a' + i % 23);
    return text;
}

/* A read fails, and what was given out before that is never as much as was announced. */
static void assert_read_fails(struct object_bed *b, const char *name, size_t size)
{
    const struct place place = place_of(name);
    auto_buf struct buf got = BUF_INIT(1 << 24);
    assert_fault(object_bed_read(b, &place, NULL, &got), FAULT_STORE_CORRUPT, b);
    assert_true(got.length < size);
}

static void test_flipped_bytes(void **state)
{
    struct object_bed *b = *state;
    const struct place large = place_of("large");
    auto_free char *text = large_text();
    struct fault_rule rule = {.operation = FAULT_GET, .kind = FAULT_CORRUPT, .times = 1, .nth = 1};
    static const uint64_t places[] = {0, LARGE / 2, LARGE - 1};

    object_bed_put(b, "large", text);
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        rule.at = places[i];
        spoil(b, &rule);
        assert_read_fails(b, "large", LARGE);
        object_bed_holds(b, &large, text);
    }
}

static void test_one_byte(void **state)
{
    struct object_bed *b = *state;
    const struct place place = place_of("one");
    const struct fault_rule rule = {.operation = FAULT_GET, .kind = FAULT_CORRUPT, .nth = 1};

    object_bed_put(b, "one", "x");
    object_bed_holds(b, &place, "x");
    spoil(b, &rule);
    assert_read_fails(b, "one", 1);
    object_bed_holds(b, &place, "x");
}

static void test_other_lengths(void **state)
{
    struct object_bed *b = *state;
    const struct place large = place_of("large");
    auto_free char *text = large_text();
    auto_buf struct buf got = BUF_INIT(1 << 24);
    static const struct fault_rule rules[] = {
        {.operation = FAULT_GET, .kind = FAULT_SHORT, .nth = 1, .at = LARGE - 1},
        {.operation = FAULT_GET, .kind = FAULT_SHORT, .nth = 1, .at = 10},
        {.operation = FAULT_GET, .kind = FAULT_LONG, .nth = 1},
        {.operation = FAULT_GET, .kind = FAULT_CUT, .nth = 1, .at = LARGE - 1},
    };

    object_bed_put(b, "large", text);
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        spoil(b, &rules[i]);
        assert_int_equal(object_bed_read(b, &large, NULL, &got), -1);
        assert_true(got.length < LARGE);
        err_clear(&b->call.err);
        object_bed_holds(b, &large, text);
    }
}

/* What a store refuses is not what the client is refused. */
static void test_refusals(void **state)
{
    struct object_bed *b = *state;
    const struct place place = place_of("a");
    auto_buf struct buf got = BUF_INIT(1000);
    static const enum err_code refusals[] = {ERR_DENIED, ERR_UNKNOWN_WHO, ERR_NOT_FOUND,
                                             ERR_EXISTS, ERR_CHANGED,     ERR_READ_ONLY,
                                             ERR_NAME,   ERR_TLS};

    object_bed_put(b, "a", "old");
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        const struct fault_rule put = {
            .operation = FAULT_PUT, .kind = FAULT_FAIL, .nth = 1, .code = refusals[i]};
        const struct fault_rule get = {
            .operation = FAULT_GET, .kind = FAULT_FAIL, .nth = 1, .code = refusals[i]};
        spoil(b, &put);
        assert_fault(object_bed_try_put(b, "a", "new", NULL, NULL), FAULT_STORE, b);
        object_bed_holds(b, &place, "old");
        spoil(b, &get);
        assert_fault(object_bed_read(b, &place, NULL, &got),
                     refusals[i] == ERR_NOT_FOUND ? FAULT_STORE_CORRUPT : FAULT_STORE, b);
        object_bed_holds(b, &place, "old");
    }
}

static void test_passing_failures(void **state)
{
    struct object_bed *b = *state;
    const struct place place = place_of("a");
    static const enum err_code failures[] = {ERR_BUSY, ERR_NETWORK, ERR_TIMEOUT, ERR_NO_SPACE};

    object_bed_put(b, "a", "old");
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        const struct fault_rule rule = {
            .operation = FAULT_PUT, .kind = FAULT_FAIL, .nth = 1, .code = failures[i]};
        spoil(b, &rule);
        assert_int_equal(object_bed_try_put(b, "a", "new", NULL, NULL), -1);
        assert_int_equal(b->call.err.code, failures[i]);
        err_clear(&b->call.err);
        object_bed_holds(b, &place, "old");
    }
}

/* The bytes must be on the disk before the row is: where that fails nothing is visible. */
static void test_failed_sync(void **state)
{
    struct object_bed *b = *state;
    const struct place place = place_of("a");
    const struct fault_rule rule = {
        .operation = FAULT_SYNC, .kind = FAULT_FAIL, .nth = 1, .code = ERR_NO_SPACE};

    object_bed_put(b, "a", "old");
    spoil(b, &rule);
    assert_int_equal(object_bed_try_put(b, "a", "new", NULL, NULL), -1);
    assert_int_equal(b->call.err.code, ERR_NO_SPACE);
    err_clear(&b->call.err);
    object_bed_holds(b, &place, "old");
    object_bed_put(b, "a", "new");
    object_bed_holds(b, &place, "new");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(test_flipped_bytes),    object_test(test_one_byte),
        object_test(test_other_lengths),    object_test(test_refusals),
        object_test(test_passing_failures), object_test(test_failed_sync),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
