// SPDX-License-Identifier: EUPL-1.2
/* JSON: reading, limits, and texts that are the same for the same value. */
#include "unit.h"

#include "codec/json.h"

static void test_reads(void **state)
{
    (void)state;
    static const char text[] = "{\"token\": \"a\\u00fc\", \"expires\": 3599, \"half\": 1.5,\n"
                               " \"yes\": true, \"no\": false, \"list\": [1, {\"x\": null}]}";
    struct err e = {0};
    auto_json json_t *doc = NULL;
    int64_t number = 7;

    assert_ok(json_parse(text, sizeof(text) - 1, &doc, &e), &e);
    assert_string_equal(json_text(doc, "token"), "a\xc3\xbc");
    assert_null(json_text(doc, "expires"));
    assert_null(json_text(doc, "absent"));
    assert_null(json_text(NULL, "absent"));
    assert_false(json_number(doc, "half", &number));
    assert_false(json_number(doc, "token", &number));
    assert_int_equal(number, 7);
    assert_true(json_number(doc, "expires", &number));
    assert_int_equal(number, 3599);
    assert_true(json_bool(doc, "yes", false));
    assert_false(json_bool(doc, "no", true));
    assert_true(json_bool(doc, "absent", true));
}

static void refused(const char *text, const char *why)
{
    struct err e = {0};
    json_t *doc = NULL;

    if (json_parse(text, strlen(text), &doc, &e) != -1)
        fail_msg("accepted: %s", text);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(doc);
    if (!strstr(e.text, why))
        fail_msg("'%s' does not say '%s'", e.text, why);
}

static void test_refuses(void **state)
{
    (void)state;
    char deep[200];

    refused("", "ends too early");
    refused("{", "ends too early");
    refused("{\"a\":1,\n\"a\":2}", "line 2 column 3: a key stands twice");
    refused("{} x", "something follows");
    refused("{\"a\": secret}", "not well-formed");
    refused("[\"\xff\"]", "not UTF-8");
    refused("[\"\\u0000\"]", "zero byte");
    refused("\"text\"", "JSON line 1");
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    deep[130] = '\0';
    refused(deep, "deeper than 64");
}

static void test_depth_is_not_in_strings(void **state)
{
    (void)state;
    struct err e = {0};
    auto_json json_t *doc = NULL;
    auto_json json_t *deep = NULL;
    char text[200], nested[200];

    memset(text, '[', sizeof(text));
    memcpy(text, "[\"\\\"", 4);
    memcpy(text + 150, "\"]", 3);
    assert_ok(json_parse(text, 152, &doc, &e), &e);
    memset(nested, '[', 64);
    memset(nested + 64, ']', 64);
    assert_ok(json_parse(nested, 128, &deep, &e), &e);
}

static void test_writes(void **state)
{
    (void)state;
    struct err e = {0};
    auto_buf struct buf b = BUF_INIT(100);
    auto_buf struct buf tight = BUF_INIT(10);
    auto_json json_t *doc = json_pack("{s:i, s:s, s:[b]}", "z", 1, "a", "x\"/", "m", 1);

    assert_non_null(doc);
    buf_text(&b, ">");
    assert_ok(json_write(&b, doc, &e), &e);
    assert_string_equal(b.data, ">{\"a\":\"x\\\"/\",\"m\":[true],\"z\":1}");
    buf_text(&tight, ">");
    assert_int_equal(json_write(&tight, doc, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_string_equal(tight.data, ">");
    buf_reset(&b);
    assert_ok(json_write_pretty(&b, doc, &e), &e);
    assert_string_equal(b.data,
                        "{\n  \"z\": 1,\n  \"a\": \"x\\\"/\",\n  \"m\": [\n    true\n  ]\n}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_depth_is_not_in_strings),
        cmocka_unit_test(test_writes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
