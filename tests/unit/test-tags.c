// SPDX-License-Identifier: EUPL-1.2
/* Tag expressions: what they mean, what is refused, and pairs as JSON. */
#include "object/tags.h"

#include <stdio.h>

#include "object/fault.h"
#include "unit.h"
#include "util/buf.h"

#define TAGS \
    "[[\"Status\",\"Done\"],[\"Created\",\"2026-05-01\"],[\"it's\",\"o'clock\"],[\"e\",\"\"]]"

static void meanings(void **state)
{
    static const struct {
        const char *text;
        bool find; /* allowed there too */
        bool matches;
    } cases[] = {
        {"\"Status\" = 'Done'", true, true},
        {"Status='Done'", true, true},
        {"  \"Status\"\t=\r\n'Done'  ", true, true},
        {"\"status\" = 'Done'", true, false},
        {"\"Status\" = 'done'", true, false},
        {"\"Status\" = 'Don'", true, false},
        {"Created > '2026-05-01'", true, false},
        {"Created >= '2026-05-01'", true, true},
        {"Created < '2026-05-01'", true, false},
        {"Created <= '2026-05-01'", true, true},
        {"Created > '2026' AND Created < '2027'", true, true},
        {"Created > '2026' AND Created < '2026-05'", true, false},
        {"\"it's\" = 'o''clock'", true, true},
        {"\"it's\" = 'o''''clock'", true, false},
        {"e = ''", true, true},
        {"missing = ''", true, false},
        {"Status = 'Done' aNd @container = 'box'", true, true},
        {"@container = 'Box'", true, false},
        {"\"@container\" = 'box'", true, true},
        {"Status <> 'Done'", false, false},
        {"Status <> 'Open'", false, true},
        {"missing <> 'Open'", false, false},
        {"Status = 'Open' OR e = ''", false, true},
        {"Status = 'Open' OR e = 'x'", false, false},
        {"(Status = 'Open' OR e = '') AND Created > '2027'", false, false},
        {"Status = 'Done' OR e = 'x' AND e = 'y'", false, true},
        {"(Status = 'Done' OR e = 'x') AND e = 'y'", false, false},
        {"Status = 'Done' AND Status = 'Done'", false, true},
        {"@container <> 'x'", false, true},
        {"(((((Status='Done')))))", false, true},
    };
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err e = {0};

    (void)state;
    assert_ok(pairs_from_json(TAGS, &tags, &e), &e);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_tag_expression struct tag_expression *x = NULL, *find = NULL;
        assert_ok(tag_expression_parse(cases[i].text, TAGS_CONDITION, &x, &e), &e);
        if (tag_expression_matches(x, &tags, "box") != cases[i].matches)
            fail_msg("%s", cases[i].text);
        assert_int_equal(tag_expression_parse(cases[i].text, TAGS_FIND, &find, &e),
                         cases[i].find ? 0 : -1);
        if (cases[i].find)
            assert_int_equal(tag_expression_matches(find, &tags, "box"), cases[i].matches);
    }
}

static void refusals(void **state)
{
    static const char *const cases[] = {
        "",
        " ",
        "Status",
        "Status =",
        "Status = Done",
        "Status = \"Done\"",
        "Status = 'Done",
        "\"Status = 'Done'",
        "\"\" = 'x'",
        "= 'x'",
        "Status == 'Done'",
        "Status ! 'Done'",
        "Status = 'Done' AND",
        "Status = 'Done' e = ''",
        "Status = 'Done' ANDe = ''",
        "Status = 'Done';",
        "@account = 'x'",
        "NOT Status = 'Done'",
        "(Status = 'Done'",
        "Status = 'Done')",
        "()",
        "((Status)='Done')",
    };
    static const char *const find_only[] = {
        "Status = 'a' AND Status = 'b'",
        "Status > 'a' AND Status >= 'b'",
        "Status > 'a' AND Status = 'b'",
        "@container > 'x'",
        "a = '1' OR b = '2'",
        "(a = '1')",
        "a=''AND b=''AND c=''AND d=''AND e=''AND f=''AND g=''AND h=''AND i=''AND j=''AND k=''",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (enum tag_dialect dialect = TAGS_FIND; dialect <= TAGS_CONDITION; dialect++) {
            auto_tag_expression struct tag_expression *x = NULL;
            struct err e = {0};
            if (tag_expression_parse(cases[i], dialect, &x, &e) == 0)
                fail_msg("%s", cases[i]);
            assert_int_equal(e.code, ERR_INVALID);
            assert_int_equal(e.fault, FAULT_ARGUMENT);
            assert_null(x);
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(find_only); i++) {
        auto_tag_expression struct tag_expression *x = NULL;
        struct err e = {0};
        if (tag_expression_parse(find_only[i], TAGS_FIND, &x, &e) == 0)
            fail_msg("%s", find_only[i]);
        assert_int_equal(e.fault, FAULT_ARGUMENT);
    }
}

static void limits(void **state)
{
    auto_buf struct buf text = BUF_INIT(1 << 20);
    auto_tag_expression struct tag_expression *x = NULL;
    struct err e = {0};

    (void)state;
    for (int i = 0; i < TAG_TERMS_MAX_IF; i++)
        buf_printf(&text, "%sk%d <> 'v'", i ? " OR " : "", i);
    assert_ok(tag_expression_parse(text.data, TAGS_CONDITION, &x, &e), &e);
    tag_expression_free(take(x));
    buf_text(&text, " OR last = '1'");
    assert_int_equal(tag_expression_parse(text.data, TAGS_CONDITION, &x, &e), -1);
    buf_reset(&text);
    for (int i = 0; i < 4000; i++)
        buf_char(&text, '(');
    assert_int_equal(tag_expression_parse(text.data, TAGS_CONDITION, &x, &e), -1);
    buf_reset(&text);
    for (int i = 0; i < TAG_EXPRESSION_MAX; i++)
        buf_char(&text, ' ');
    buf_text(&text, "a=''");
    assert_int_equal(tag_expression_parse(text.data, TAGS_CONDITION, &x, &e), -1);
}

static void terms(void **state)
{
    auto_tag_expression struct tag_expression *x = NULL;
    struct err e = {0};
    size_t count;

    (void)state;
    assert_ok(
        tag_expression_parse("@container = 'c' AND a >= '1' AND \"a\" < '2'", TAGS_FIND, &x, &e),
        &e);
    const struct tag_term *list = tag_expression_terms(x, &count);
    assert_int_equal(count, 3);
    assert_null(list[0].key);
    assert_string_equal(list[0].value, "c");
    assert_int_equal(list[1].operator, TAG_AT_LEAST);
    assert_string_equal(list[2].key, "a");
    assert_int_equal(list[2].operator, TAG_LESS);
}

static void json(void **state)
{
    auto_pairs struct pairs pairs = PAIRS_INIT, again = PAIRS_INIT;
    struct err e = {0};
    static const char *const bad[] = {
        "{}",
        "[",
        "[1]",
        "[[]]",
        "[[\"a\"]]",
        "[[\"a\",1]]",
        "[[\"a\",\"b\",\"c\"]]",
        "[[\"a\",{\"base64\":\"*\"}]]",
        "[[\"a\",\"\\u0000\"]]",
        "[[\"a\",{\"base64\":\"AA==\"}]]",
    };

    (void)state;
    assert_null(pairs_to_json(&pairs));
    pairs_add(&pairs, "b", "1");
    pairs_add(&pairs, "a", "two");
    pairs_add(&pairs, "b", "");
    pairs_add(&pairs, "latin", "caf\xe9");
    auto_free char *text = pairs_to_json(&pairs);
    assert_string_equal(
        text, "[[\"b\",\"1\"],[\"a\",\"two\"],[\"b\",\"\"],[\"latin\",{\"base64\":\"Y2Fm6Q==\"}]]");
    assert_ok(pairs_from_json(text, &again, &e), &e);
    assert_true(pairs_equal(&pairs, &again));
    assert_string_equal(again.list[0].key, "b");
    pairs_release(&again);
    assert_ok(pairs_from_json(NULL, &again, &e), &e);
    assert_int_equal(again.count, 0);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(pairs_from_json(bad[i], &again, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(again.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meanings), cmocka_unit_test(refusals), cmocka_unit_test(limits),
        cmocka_unit_test(terms),    cmocka_unit_test(json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
