// SPDX-License-Identifier: EUPL-1.2
/* What an object carries: divided over a target's places, and put together again. */
#include "unit.h"

#include "move/carry.h"

/* An S3-like target: no types, no times, no tiers, keys lose their case. */
static const struct store_traits plain = {
    .metadata_bytes_max = 2048, .tags_max = 2, .name_bytes_max = 1024};
static const struct store_traits tiny = {
    .metadata_bytes_max = 90, .metadata_value_max = 20, .name_bytes_max = 1024};
static const struct store_traits everything = {.holds_everything = true};

static void original_init(struct object *o)
{
    *o = (struct object)OBJECT_INIT;
    o->size = 5;
    o->type = OBJECT_APPEND;
    o->created = INT64_C(1700000000000000000);
    o->modified = INT64_C(1700000000123456700);
    o->etag = xstrdup("0x8D0");
    o->content_type = xstrdup("text/plain; charset=utf-8");
    o->cache_control = xstrdup("no-store");
    o->tier = xstrdup("Cool");
    pairs_add(&o->metadata, "CamelCase", "value");
    pairs_add(&o->metadata, "lower_case", "x");
    checksum_set(&o->stored, CHECKSUM_MD5, "0123456789abcdef");
}

/* What a store like `plain` gives back: keys in lower case and '_' as '-', its own ETag. */
static void pass_through_store(struct object *into, const struct object *put)
{
    object_copy(into, put);
    for (size_t i = 0; i < into->metadata.count; i++)
        for (char *c = into->metadata.list[i].key; *c; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c == '_' ? '-' : *c);
    replace_string(&into->etag, "other");
    replace_string(&into->tier, NULL);
    into->type = OBJECT_BLOCK;
    into->created = into->modified = TIME_UNKNOWN;
    into->stored.have = 0;
}

static void assert_restored(const struct object *back, const struct object *original)
{
    assert_int_equal(back->type, original->type);
    assert_int_equal(back->created, original->created);
    assert_int_equal(back->modified, original->modified);
    assert_string_equal(back->content_type, original->content_type);
    assert_string_equal(back->cache_control, original->cache_control);
    assert_string_equal(back->tier, original->tier);
    assert_int_equal(back->metadata.count, original->metadata.count);
    for (size_t i = 0; i < original->metadata.count; i++)
        assert_string_equal(pairs_get(&back->metadata, original->metadata.list[i].key),
                            original->metadata.list[i].value);
    assert_int_equal(checksums_compare(&back->stored, &original->stored), 1);
}

static void test_extras_suffice(void **state)
{
    (void)state;
    auto_object struct object original, there = OBJECT_INIT;
    auto_carried struct carried c = CARRIED_INIT;
    struct err e = {0};

    original_init(&original);
    carry(&original, "name", false, &plain, &c);
    assert_null(c.sidecar);
    assert_string_equal(pairs_get(&c.properties.metadata, "bascule-type"), "append");
    assert_string_equal(pairs_get(&c.properties.metadata, "bascule-keys"), "CamelCase,lower_case");
    pass_through_store(&there, &c.properties);
    assert_null(carry_sidecar_id(&there));
    assert_ok(carry_back(&there, NULL, NULL, &e), &e);
    assert_restored(&there, &original);
}

static void test_what_does_not_fit_goes_to_the_sidecar(void **state)
{
    (void)state;
    auto_object struct object original, there = OBJECT_INIT;
    auto_carried struct carried c = CARRIED_INIT;
    auto_free char *name = NULL;
    struct err e = {0};

    original_init(&original);
    pairs_add(&original.metadata, "utf8", "\xc3\xa9t\xc3\xa9");
    pairs_add(&original.tags, "a", "1");
    replace_string(&original.acl, "user::rwx");
    carry(&original, "real name", true, &tiny, &c);
    assert_non_null(c.sidecar);
    assert_non_null(strstr(c.left.data, "metadata"));
    assert_non_null(strstr(c.left.data, "tags"));
    assert_non_null(strstr(c.left.data, "acl"));
    assert_non_null(strstr(c.left.data, "name"));
    pass_through_store(&there, &c.properties);
    assert_non_null(carry_sidecar_id(&there));
    assert_ok(carry_back(&there, c.sidecar, &name, &e), &e);
    assert_string_equal(name, "real name");
    assert_restored(&there, &original);
    assert_string_equal(there.acl, "user::rwx");
    assert_string_equal(pairs_get(&there.tags, "a"), "1");
    assert_string_equal(there.etag, "other");
}

static void test_a_foreign_sidecar_is_refused(void **state)
{
    (void)state;
    auto_object struct object original, there = OBJECT_INIT;
    auto_carried struct carried first = CARRIED_INIT, second = CARRIED_INIT;
    struct err e = {0};

    original_init(&original);
    carry(&original, "n", true, &plain, &first);
    carry(&original, "n", true, &plain, &second);
    pass_through_store(&there, &first.properties);
    assert_int_equal(carry_back(&there, second.sidecar, NULL, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_int_equal(carry_back(&there, "{\"bascule_sidecar\":", NULL, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
}

static void test_a_store_that_holds_all_needs_nothing(void **state)
{
    (void)state;
    auto_object struct object original;
    auto_carried struct carried c = CARRIED_INIT;

    original_init(&original);
    carry(&original, "n", false, &everything, &c);
    assert_null(c.sidecar);
    assert_true(pairs_equal(&c.properties.metadata, &original.metadata));
    assert_true(carry_same(&c.properties, &original, &everything));
    replace_string(&original.content_type, "application/json");
    assert_false(carry_same(&c.properties, &original, &everything));
}

static void expect_difference(const struct object *a, const struct object *b, const char *word)
{
    auto_free char *text = carry_difference(a, b);

    if (!word)
        assert_null(text);
    else if (!text || !strstr(text, word))
        fail_msg("'%s' is not in '%s'", word, text ? text : "(no difference)");
}

static void test_differences_are_told(void **state)
{
    (void)state;
    auto_object struct object a, b;

    original_init(&a);
    original_init(&b);
    expect_difference(&a, &b, NULL);
    replace_string(&a.content_type, NULL);
    expect_difference(&a, &b, NULL); /* every store gives some type */
    expect_difference(&b, &a, "content_type");
    replace_string(&a.content_type, b.content_type);
    replace_string(&b.content_encoding, "gzip");
    expect_difference(&a, &b, "content_encoding is 'gzip'");
    replace_string(&b.content_encoding, a.content_encoding);
    pairs_add(&b.metadata, "besides", "1");
    expect_difference(&a, &b, "'besides' is there besides");
    expect_difference(&b, &a, "'besides' is missing");
    pairs_add(&a.metadata, "besides", "2");
    expect_difference(&a, &b, "metadata 'besides' is '1', not '2'");
    replace_string(&a.metadata.list[a.metadata.count - 1].value, "1");
    pairs_add(&b.tags, "t", "1");
    expect_difference(&a, &b, "tag 't'");
    b.type = a.type == OBJECT_PAGE ? OBJECT_BLOCK : OBJECT_PAGE;
    expect_difference(&a, &b, "the type is");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extras_suffice),
        cmocka_unit_test(test_what_does_not_fit_goes_to_the_sidecar),
        cmocka_unit_test(test_a_foreign_sidecar_is_refused),
        cmocka_unit_test(test_a_store_that_holds_all_needs_nothing),
        cmocka_unit_test(test_differences_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
