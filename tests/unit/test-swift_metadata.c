// SPDX-License-Identifier: EUPL-1.2
/* Metadata keys through Swift's headers and back. */
#include <stdio.h>

#include "store/driver/swift_internal.h"
#include "unit.h"

static const struct swift_limits limits = {.meta_name = 128, .meta_value = 256};

/* What Swift does to the names of headers: "x-object-meta-foo_bar" comes back as
 * "X-Object-Meta-Foo-Bar"; values lose the blanks around them. */
static void through_swift(const struct pairs *sent, struct pairs *ret)
{
    for (size_t i = 0; i < sent->count; i++) {
        auto_free char *name = xstrdup(sent->list[i].key);
        bool start = true;
        for (char *c = name; *c; c++) {
            bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
            if (*c == '_')
                *c = '-';
            else if (letter)
                *c = (char)(start ? *c & ~0x20 : *c | 0x20);
            start = !letter;
        }
        const char *value = sent->list[i].value;
        value += strspn(value, " ");
        size_t n = strlen(value);
        while (n && value[n - 1] == ' ')
            n--;
        pairs_add_n(ret, name, strlen(name), value, n);
    }
}

static void check_round_trip(struct pairs *given, const struct swift_limits *l)
{
    auto_pairs struct pairs headers = PAIRS_INIT, answered = PAIRS_INIT, told = PAIRS_INIT;

    swift_metadata_write(given, l, &headers);
    for (size_t i = 0; i < headers.count; i++) {
        const char *name = headers.list[i].key + strlen("X-Object-Meta-");
        assert_true(strlen(name) <= l->meta_name);
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(strcasecmp(headers.list[i].key, headers.list[k].key), 0);
    }
    through_swift(&headers, &answered);
    swift_metadata_read(&answered, &told);
    pairs_sort(given);
    pairs_sort(&told);
    assert_int_equal(told.count, given->count);
    for (size_t i = 0; i < told.count; i++) {
        assert_string_equal(told.list[i].key, given->list[i].key);
        assert_string_equal(told.list[i].value, given->list[i].value);
    }
}

static void plain_keys_travel_plainly(void **state)
{
    auto_pairs struct pairs given = PAIRS_INIT, headers = PAIRS_INIT;

    (void)state;
    pairs_add(&given, "owner", "me");
    pairs_add(&given, "with-dash", "x y");
    swift_metadata_write(&given, &limits, &headers);
    assert_int_equal(headers.count, 2);
    assert_string_equal(headers.list[0].key, "X-Object-Meta-owner");
    assert_string_equal(headers.list[1].value, "x y");
    check_round_trip(&given, &limits);
}

static void odd_keys_come_back(void **state)
{
    auto_pairs struct pairs given = PAIRS_INIT;
    auto_free char *long_key = xcalloc(1, 301), *other = xcalloc(1, 301);

    (void)state;
    memset(long_key, 'k', 300);
    memset(other, 'k', 299);
    pairs_add(&given, "project_id", "1");
    pairs_add(&given, "Author", "2");
    pairs_add(&given, "a_b", "3");
    pairs_add(&given, "a-b", "4");
    pairs_add(&given, "A-B", "5");
    pairs_add(&given, "a.b", "6");
    pairs_add(&given, "a-b-2", "7");
    pairs_add(&given, "gr\xc3\xbc n", "8");
    pairs_add(&given, ",=;!%", "9");
    pairs_add(&given, "bascule-swift-names-1", "10");
    pairs_add(&given, "Bascule-Swift-Expires", "11");
    pairs_add(&given, long_key, "12");
    pairs_add(&given, other, "13");
    check_round_trip(&given, &limits);
    struct swift_limits narrow = {.meta_name = 40, .meta_value = 7};
    check_round_trip(&given, &narrow);
}

static void odd_values_come_back(void **state)
{
    auto_pairs struct pairs given = PAIRS_INIT;

    (void)state;
    pairs_add(&given, "empty", "");
    pairs_add(&given, "Empty_Too", "");
    pairs_add(&given, "blanks", "  around ");
    pairs_add(&given, "control", "a\nb\x7f");
    pairs_add(&given, "utf8", "gr\xc3\xbcn");
    pairs_add(&given, "latin1", "gr\xfcn");
    pairs_add(&given, "percent", "50%41");
    check_round_trip(&given, &limits);
}

static void many_names_are_cut_into_items(void **state)
{
    auto_pairs struct pairs given = PAIRS_INIT, headers = PAIRS_INIT;
    char key[64];

    (void)state;
    for (int i = 0; i < 60; i++) {
        (void)snprintf(key, sizeof(key), "Some_Rather_Long_Key_%d", i);
        pairs_add(&given, key, "v");
    }
    swift_metadata_write(&given, &limits, &headers);
    for (size_t i = 0; i < headers.count; i++)
        assert_true(strlen(headers.list[i].value) <= limits.meta_value);
    assert_true(headers.count > 64 && headers.count < 70);
    check_round_trip(&given, &limits);
}

static void others_metadata_is_read(void **state)
{
    auto_pairs struct pairs headers = PAIRS_INIT, told = PAIRS_INIT;

    (void)state;
    pairs_add(&headers, "X-Object-Meta-Mtime", "123.4");
    pairs_add(&headers, "x-object-meta-Foo-Bar", "x");
    pairs_add(&headers, "Content-Type", "a/b");
    /* Entries that make no sense change nothing. */
    pairs_add(&headers, "X-Object-Meta-Bascule-Swift-Names-1",
              ",,=,%zz,gone,Foo_Bar=nowhere,=x;,a=b=c!,Foo_Bar,Foo_Bar");
    swift_metadata_read(&headers, &told);
    assert_string_equal(pairs_get(&told, "Foo_Bar"), "x");
    assert_string_equal(pairs_get(&told, "mtime"), "123.4");
    assert_string_equal(pairs_get(&told, "a"), "");
    assert_int_equal(told.count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_keys_travel_plainly),
        cmocka_unit_test(odd_keys_come_back),
        cmocka_unit_test(odd_values_come_back),
        cmocka_unit_test(many_names_are_cut_into_items),
        cmocka_unit_test(others_metadata_is_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
