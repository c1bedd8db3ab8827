// SPDX-License-Identifier: EUPL-1.2
/* YAML: the tree, where its parts stand, limits, and what the helpers say. */
#include "unit.h"

#include "codec/yaml.h"
#include "util/buf.h"

static const char config[] = "# a comment\n"
                             "stores:\n"
                             "  azure:\n"
                             "    driver: azure\n"
                             "    key: {env: AZURE_STORAGE_KEY}\n"
                             "    path_style: yes\n"
                             "    size: 18446744073709551615\n"
                             "    nothing: ~\n"
                             "    word: \"null\"\n"
                             "  lab: &lab\n"
                             "    list: [a, 'b c', {x: 1}]\n"
                             "  copy: *lab\n"
                             "\"$web\": |\n"
                             "  two\n"
                             "  lines\n";

static void test_tree(void **state)
{
    (void)state;
    struct err e = {0};
    auto_yaml struct yaml_node *root = NULL;
    const char *text = "default";
    bool yes = false;
    uint64_t size = 5;

    assert_ok(yaml_parse("b.yaml", config, sizeof(config) - 1, &root, &e), &e);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->count, 2);
    const struct yaml_node *stores = yaml_get(root, "stores");
    const struct yaml_node *azure = yaml_get(stores, "azure");
    assert_int_equal(stores->count, 3);
    assert_int_equal(azure->key_line, 3);
    assert_int_equal(azure->key_column, 3);
    assert_ok(yaml_text(azure, "driver", &text, &e), &e);
    assert_string_equal(text, "azure");
    assert_ok(yaml_text(azure, "absent", &text, &e), &e);
    assert_ok(yaml_text(azure, "nothing", &text, &e), &e);
    assert_string_equal(text, "azure");
    assert_ok(yaml_text(azure, "word", &text, &e), &e);
    assert_string_equal(text, "null");
    assert_ok(yaml_bool(azure, "path_style", &yes, &e), &e);
    assert_true(yes);
    assert_ok(yaml_uint(azure, "size", &size, &e), &e);
    assert_true(size == UINT64_MAX);
    assert_string_equal(yaml_get(yaml_get(azure, "key"), "env")->text, "AZURE_STORAGE_KEY");
    assert_string_equal(yaml_get(root, "$web")->text, "two\nlines\n");
    assert_null(yaml_get(NULL, "x"));
    assert_null(yaml_get(yaml_get(root, "$web"), "x"));
    assert_true(yaml_is_null(NULL));
}

static void test_alias_is_a_copy(void **state)
{
    (void)state;
    struct err e = {0};
    auto_yaml struct yaml_node *root = NULL;

    assert_ok(yaml_parse("b.yaml", config, sizeof(config) - 1, &root, &e), &e);
    const struct yaml_node *stores = yaml_get(root, "stores");
    const struct yaml_node *lab = yaml_get(yaml_get(stores, "lab"), "list");
    const struct yaml_node *copy = yaml_get(yaml_get(stores, "copy"), "list");
    assert_ptr_not_equal(lab, copy);
    assert_int_equal(copy->kind, YAML_LIST);
    assert_int_equal(copy->count, 3);
    assert_string_equal(copy->children->next->text, "b c");
    assert_string_equal(yaml_get(copy->children->next->next, "x")->text, "1");
    assert_int_equal(copy->line, lab->line);
    assert_int_equal(yaml_get(stores, "copy")->key_line, 12);
}

static void test_wrong_types(void **state)
{
    (void)state;
    struct err e = {0};
    auto_yaml struct yaml_node *root = NULL;
    static const char *const known[] = {"driver", "key", "path_style", "size", "nothing"};
    const char *text;
    bool yes;
    uint64_t size;
    const struct yaml_node *node;

    assert_ok(yaml_parse("b.yaml", config, sizeof(config) - 1, &root, &e), &e);
    const struct yaml_node *azure = yaml_get(yaml_get(root, "stores"), "azure");
    assert_int_equal(yaml_text(azure, "key", &text, &e), -1);
    assert_string_equal(e.text, "b.yaml:5:5: 'key' must be a text");
    assert_int_equal(yaml_bool(azure, "driver", &yes, &e), -1);
    assert_string_equal(e.text, "b.yaml:4:5: 'driver' must be true or false");
    assert_int_equal(yaml_uint(azure, "driver", &size, &e), -1);
    assert_string_equal(e.text, "b.yaml:4:5: 'driver' must be a whole number, 0 or more");
    assert_int_equal(yaml_node_of(azure, "driver", YAML_LIST, &node, &e), -1);
    assert_string_equal(e.text, "b.yaml:4:5: 'driver' must be a list (- item)");
    assert_int_equal(yaml_check_keys(azure, known, ARRAY_SIZE(known), &e), -1);
    assert_string_equal(e.text, "b.yaml:9:5: unknown key 'word'");
    assert_int_equal(yaml_check_keys(root, known, ARRAY_SIZE(known), &e), -1);
    assert_ok(yaml_node_of(azure, "key", YAML_MAP, &node, &e), &e);
    assert_int_equal(node->count, 1);

    static const char typo[] = "drivr: s3\nbig: 18446744073709551616\nneg: -1\n";
    auto_yaml struct yaml_node *other = NULL;
    assert_ok(yaml_parse("t.yaml", typo, sizeof(typo) - 1, &other, &e), &e);
    assert_int_equal(yaml_check_keys(other, known, ARRAY_SIZE(known), &e), -1);
    assert_string_equal(e.text, "t.yaml:1:1: unknown key 'drivr'; did you mean 'driver'?");
    assert_int_equal(yaml_uint(other, "big", &size, &e), -1);
    assert_int_equal(yaml_uint(other, "neg", &size, &e), -1);
}

static void refused_n(const char *text, size_t length, const char *why)
{
    struct err e = {0};
    struct yaml_node *root = NULL;

    if (yaml_parse("f.yaml", text, length, &root, &e) != -1)
        fail_msg("accepted: %.200s", text);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(root);
    if (!strstr(e.text, why))
        fail_msg("'%s' does not say '%s'", e.text, why);
}

static void refused(const char *text, const char *why)
{
    refused_n(text, strlen(text), why);
}

static void test_refuses(void **state)
{
    (void)state;
    auto_buf struct buf b = BUF_INIT(2 * YAML_TEXT_MAX);

    refused("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: the key 'a' stands here twice (also in line 1)");
    refused("a: [1, 2\nb: 3\n", "f.yaml:2:2:");
    refused("a: b: c\n", "f.yaml:1:5:");
    refused("a:\n\t- b\n", "f.yaml:2:1:");
    refused("[a]: 1\n", "f.yaml:1:1: a key must be");
    refused("a: !!binary aGk=\n", "tags are not taken");
    refused("a: !x {}\n", "tags are not taken");
    refused("a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document");
    refused("a: *b\n", "no such anchor");
    refused("a: &a [*a]\n", "inside what it stands for");
    refused("&k a: 1\n", "cannot be an anchor");
    refused("a: \xff\n", "f.yaml: byte 4:");
    refused("a: \"x\\0y\"\n", "zero byte");
    refused_n("a\0b", 3, "f.yaml");
    for (int i = 0; i < 33; i++)
        buf_char(&b, '[');
    refused(b.data, "too deeply");
    buf_reset(&b);
    buf_text(&b, "a: &a [1,1,1,1,1,1,1,1,1,1]\n");
    for (char c = 'b'; c < 'j'; c++)
        buf_printf(&b, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c - 1, c - 1,
                   c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1);
    refused(b.data, "alias makes the document too large");
    buf_reset(&b);
    while (b.length <= YAML_TEXT_MAX)
        buf_text(&b, "# long\n");
    refused(b.data, "f.yaml: larger than");
}

static void test_empty(void **state)
{
    (void)state;
    struct err e = {0};
    static const char *const texts[] = {"", "# nothing\n", "---\n", "~"};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        auto_yaml struct yaml_node *root = NULL;
        assert_ok(yaml_parse("f", texts[i], strlen(texts[i]), &root, &e), &e);
        assert_true(yaml_is_null(root));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),        cmocka_unit_test(test_alias_is_a_copy),
        cmocka_unit_test(test_wrong_types), cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
