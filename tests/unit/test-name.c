// SPDX-License-Identifier: EUPL-1.2
/* Names at the target: which fit, and that the mapping is injective. */
#include "unit.h"

#include "move/name.h"
#include "util/random.h"

static const struct store_traits narrow = {
    .name_bytes_max = 64,
    .name_refuses = NAME_NO_CONTROL | NAME_NO_BACKSLASH | NAME_NO_DOT_SEGMENT | NAME_NO_NON_XML,
};
static const struct store_traits wide = {.name_bytes_max = 1024};

static void test_own_name_where_it_fits(void **state)
{
    (void)state;
    auto_free char *plain = name_at_target(&narrow, false, "a//b", VERSION_CURRENT, NULL);
    auto_free char *mapped = name_at_target(&narrow, false, "x/../y", VERSION_CURRENT, NULL);
    auto_free char *other = name_at_target(&narrow, false, "x/./y", VERSION_CURRENT, NULL);

    assert_string_equal(plain, "a//b");
    assert_int_equal(strncmp(mapped, NAME_MAPPED, strlen(NAME_MAPPED)), 0);
    assert_string_not_equal(mapped, other);
    assert_true(name_is_reserved(mapped));
    assert_false(name_is_reserved(plain));
}

static void test_history_lies_beside_or_becomes_a_version(void **state)
{
    (void)state;
    auto_free char *beside =
        name_at_target(&wide, false, "dir/a", VERSION_SNAPSHOT, "2026-01-01T00:00:00.1Z");
    auto_free char *version = name_at_target(&wide, true, "dir/a", VERSION_ID, "v/1");

    assert_string_equal(beside, ".bascule/history/snapshot/2026-01-01T00:00:00.1Z/dir/a");
    assert_null(name_of_version(beside));
    assert_null(name_of_version("dir/a"));
    /* Versions that hold a slash do not exist; that the name is cut there is what this shows. */
    assert_string_equal(name_of_version(version), "1/dir/a");
}

static void test_sidecars_do_not_meet(void **state)
{
    (void)state;
    auto_free char *plain = name_of_sidecar(&wide, "a");
    auto_free char *hash = name_of_sidecar(&wide, "#a");
    auto_free char *longer =
        name_of_sidecar(&narrow, "0123456789012345678901234567890123456789012345678901234");

    assert_string_equal(plain, ".bascule/sidecar/a.json");
    assert_int_equal(strncmp(hash, ".bascule/sidecar/#", 18), 0);
    assert_int_equal(strncmp(longer, ".bascule/sidecar/#", 18), 0);
    assert_string_not_equal(hash, longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_name_where_it_fits),
        cmocka_unit_test(test_history_lies_beside_or_becomes_a_version),
        cmocka_unit_test(test_sidecars_do_not_meet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
