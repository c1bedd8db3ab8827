// SPDX-License-Identifier: EUPL-1.2
/* The contract: listings, and names that are hard to keep. */
#include "contract_private.h"

#include <stdio.h>

static void fill(struct fixture *f, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        auto_put_result struct put_result result = put_text(f, names[i], names[i]);
    }
}

static size_t position(const struct object_list *list, const char *name)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->list[i].name, name) == 0) {
            assert_int_equal(found, SIZE_MAX); /* listed once only */
            found = i;
        }
    }
    return found;
}

static bool has_prefix(const struct object_list *list, const char *prefix)
{
    unsigned found = 0;

    for (size_t i = 0; i < list->prefix_count; i++)
        found += strcmp(list->prefixes[i], prefix) == 0;
    assert_true(found <= 1);
    return found;
}

static void assert_in_order(const struct fixture *f, const struct object_list *list)
{
    for (size_t i = 1; f->store->traits.lists_in_order && i < list->count; i++)
        assert_true(strcmp(list->list[i - 1].name, list->list[i].name) < 0);
}

static const char *const tree[] = {
    "tree/a",     "tree/a-b",    "tree/a.txt", "tree/a/1", "tree/a/2",   "tree/a/b/c",
    "tree/a/b/d", "tree/b/1",    "tree/b0",    "tree/c",   "tree/c/d/e", "tree/\xc3\xa9t\xc3\xa9",
    "tree/zz/y",  "tree2/outer",
};

static void pages(void **state)
{
    struct fixture *f = *state;
    static const unsigned limits[] = {0, 1, 2, 3, 5, 1000};

    fill(f, tree, ARRAY_SIZE(tree));
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        auto_object_list struct object_list all = OBJECT_LIST_INIT;
        list_names(f, "tree/", NULL, limits[i], 0, &all);
        assert_int_equal(all.count, ARRAY_SIZE(tree) - 1);
        assert_int_equal(all.prefix_count, 0);
        assert_in_order(f, &all);
        for (size_t n = 0; n + 1 < ARRAY_SIZE(tree); n++) {
            size_t at = position(&all, tree[n]);
            assert_true(at < all.count);
            assert_int_equal(all.list[at].size, strlen(tree[n]));
            assert_non_null(all.list[at].etag);
            assert_int_equal(all.list[at].kind, VERSION_CURRENT);
        }
    }
}

static void etags_agree(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "agree/x");
    auto_put_result struct put_result result = put_text(f, "agree/x", "xyz");
    auto_object_list struct object_list all = OBJECT_LIST_INIT;
    auto_object struct object told = OBJECT_INIT;

    list_names(f, "agree/", NULL, 0, 0, &all);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].etag, result.etag);
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    assert_string_equal(told.etag, result.etag);
}

static void prefixes(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *prefix;
        size_t count;
    } cases[] = {{"tree/a", 7}, {"tree/a/", 4}, {"tree/a/b", 2}, {"tree/a/b/c", 1},
                 {"tree/q", 0}, {"tre", 14},    {"tree/b", 2},   {"tree/c/d/e/f", 0}};

    fill(f, tree, ARRAY_SIZE(tree));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_object_list struct object_list all = OBJECT_LIST_INIT;
        list_names(f, cases[i].prefix, NULL, 2, 0, &all);
        if (all.count != cases[i].count)
            fail_msg("prefix '%s': %zu names instead of %zu", cases[i].prefix, all.count,
                     cases[i].count);
    }
}

static void delimiters(void **state)
{
    struct fixture *f = *state;
    static const unsigned limits[] = {0, 1, 2, 3};

    fill(f, tree, ARRAY_SIZE(tree));
    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        auto_object_list struct object_list top = OBJECT_LIST_INIT, inner = OBJECT_LIST_INIT;
        list_names(f, "tree/", "/", limits[i], 0, &top);
        assert_int_equal(top.count, 6);
        assert_int_equal(top.prefix_count, 4);
        assert_true(has_prefix(&top, "tree/a/") && has_prefix(&top, "tree/b/") &&
                    has_prefix(&top, "tree/c/") && has_prefix(&top, "tree/zz/"));
        assert_in_order(f, &top);
        list_names(f, "tree/a/b", "/", limits[i], 0, &inner);
        assert_int_equal(inner.count, 0);
        assert_int_equal(inner.prefix_count, 1);
        assert_true(has_prefix(&inner, "tree/a/b/"));
    }
}

static void many(void **state)
{
    struct fixture *f = *state;
    unsigned count = f->contract->many ? f->contract->many : 60;
    auto_object_list struct object_list all = OBJECT_LIST_INIT, again = OBJECT_LIST_INIT;

    for (unsigned i = 0; i < count; i++) {
        char name[40];
        (void)snprintf(name, sizeof(name), "many/%u/%05u", i % 3, i * 7919 % 100000);
        auto_put_result struct put_result result = put_text(f, name, "");
    }
    list_names(f, "many/", NULL, 7, 0, &all);
    assert_int_equal(all.count, count);
    assert_in_order(f, &all);
    list_names(f, "many/", NULL, 0, 0, &again);
    assert_int_equal(again.count, count);
}

/* A page goes on where the one before ended, whatever happens to the objects of the first. */
static void goes_on_after_changes(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"changes/a", "changes/b", "changes/c", "changes/d"};
    struct list_options options = {.prefix = "changes/", .limit = 2};
    auto_object_list struct object_list first = OBJECT_LIST_INIT, second = OBJECT_LIST_INIT;

    if (!f->store->traits.lists_in_order)
        skip();
    fill(f, names, ARRAY_SIZE(names));
    assert_ok(store_list(f->store, f->container, &options, &first, &f->call), &f->call.err);
    assert_int_equal(first.count, 2);
    assert_non_null(first.cursor);
    struct object_key key = key_of(f, "changes/b");
    assert_ok(store_remove(f->store, &key, NULL, &f->call), &f->call.err);
    options.cursor = first.cursor;
    assert_ok(store_list(f->store, f->container, &options, &second, &f->call), &f->call.err);
    assert_int_equal(second.count, 2);
    assert_string_equal(second.list[0].name, "changes/c");
    assert_string_equal(second.list[1].name, "changes/d");
}

/* ---------------------------------------------------------------- odd names */

static const char *const odd_names[] = {
    "odd/a",
    "odd/a/b",
    "odd/a//b",
    "odd/a/",
    "odd/a//",
    "odd//",
    "odd/.",
    "odd/..",
    "odd/./x",
    "odd/x/../y",
    "odd/.../z",
    "odd/.hidden",
    "odd/trailing.",
    "odd/trailing./x",
    "odd/trailing ",
    "odd/ leading",
    "odd/%",
    "odd/%41",
    "odd/%2F",
    "odd/%25",
    "odd/%=x",
    "odd/%-x",
    "odd/%+x",
    "odd/%=",
    "odd/%=/x",
    "odd/+",
    "odd/a b+c",
    "odd/a?b#c&d=e;f",
    "odd/'\"<>&`|",
    "odd/*[x]{y}~!@$^(),:",
    "odd/back\\slash",
    "odd/C:\\x",
    "odd/caf\xc3\xa9",
    "odd/cafe\xcc\x81",
    "odd/\xf0\x9f\x90\x98",
    "odd/\xe2\x80\xae right to left",
    "odd/Case",
    "odd/case",
    "odd/tab\there",
    "odd/new\nline",
    "odd/return\rhere",
    "odd/\x01\x02\x1f",
    "odd/\x7f",
    "odd/\xef\xbf\xbe not in XML",
    "odd/\xff\xfe not UTF-8",
    "odd/con",
    "odd/a.json",
    "odd/a.json/b",
    "odd/.bascule/tmp/x",
    "odd/-rf",
};

static bool has_dot_segment(const char *name)
{
    for (;;) {
        size_t length = strcspn(name, "/");
        if (*name == '.' && (length == 1 || (length == 2 && name[1] == '.')))
            return true;
        if (!name[length])
            return false;
        name += length + 1;
    }
}

static bool is_refused(unsigned refuses, const char *name)
{
    bool control = false;

    for (const char *c = name; *c; c++)
        control = control || (unsigned char)*c < 0x20 || *c == 0x7f;
    return ((refuses & NAME_NO_CONTROL) && control) ||
           ((refuses & NAME_NO_BACKSLASH) && strchr(name, '\\')) ||
           ((refuses & NAME_NO_DOT_SEGMENT) && has_dot_segment(name)) ||
           ((refuses & NAME_NO_NON_XML) && strstr(name, "not in XML")) ||
           ((refuses & NAME_NO_NON_XML) && control && !strpbrk(name, "\t\n\r\x7f")) ||
           ((refuses & (NAME_NO_NON_UTF8 | NAME_NO_NON_XML)) && strstr(name, "not UTF-8"));
}

static int try_put(struct fixture *f, const char *name)
{
    struct object_key key = key_of(f, name);
    struct put_options options = {.size = strlen(name)};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, name, strlen(name));
    return store_put(f->store, &key, &options, &from.source, &result, &f->call);
}

static void check_odd(struct fixture *f, const char *const *names, size_t count, const char *prefix)
{
    auto_free bool *held = xcalloc(count, sizeof(*held));
    auto_object_list struct object_list all = OBJECT_LIST_INIT;
    size_t expected = 0;

    for (size_t i = 0; i < count; i++) {
        held[i] = try_put(f, names[i]) == 0;
        expected += held[i];
        if (!held[i] && f->call.err.code != ERR_NAME)
            fail_msg("'%s': %s: %s", names[i], err_word(f->call.err.code), f->call.err.text);
        if (!held[i] != is_refused(f->store->traits.name_refuses, names[i]))
            fail_msg("'%s' is %s, against the traits", names[i], held[i] ? "held" : "refused");
    }
    list_names(f, prefix, NULL, 0, 0, &all);
    for (size_t i = 0; i < count; i++) {
        size_t at = position(&all, names[i]);
        if (held[i] != (at != SIZE_MAX))
            fail_msg("'%s' is %slisted", names[i], held[i] ? "not " : "");
        if (held[i])
            assert_holds(f, names[i], names[i]);
    }
    assert_int_equal(all.count, expected);
    assert_in_order(f, &all);
    for (size_t i = 0; i < count; i++) {
        struct object_key key = key_of(f, names[i]);
        if (!held[i])
            continue;
        assert_ok(store_remove(f->store, &key, NULL, &f->call), &f->call.err);
        assert_absent(f, names[i]);
    }
}

static void names_hard_to_keep(void **state)
{
    struct fixture *f = *state;

    check_odd(f, odd_names, ARRAY_SIZE(odd_names), "odd/");
}

/* Whatever the order in which they come. */
static void names_backwards(void **state)
{
    struct fixture *f = *state;
    const char *names[ARRAY_SIZE(odd_names)];

    for (size_t i = 0; i < ARRAY_SIZE(odd_names); i++)
        names[i] = odd_names[ARRAY_SIZE(odd_names) - 1 - i];
    check_odd(f, names, ARRAY_SIZE(names), "odd/");
}

static void leading_slash(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"/lead", "//lead", "/", "//"};

    check_odd(f, names, ARRAY_SIZE(names), "/");
}

static void long_names(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {250, 251, 254, 255, 256, 257, 300, 600, 1024};
    char *names[2 * ARRAY_SIZE(lengths)];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        if (lengths[i] > f->store->traits.name_bytes_max)
            continue;
        names[count] = xcalloc(1, lengths[i] + 1);
        memset(names[count], 'n', lengths[i]);
        names[count][lengths[i] - 1] = (char)('a' + (char)i);
        /* The same with folders. */
        names[count + 1] = xstrdup(names[count]);
        for (size_t at = 1; at + 1 < lengths[i]; at += 41)
            names[count + 1][at] = '/';
        count += 2;
    }
    check_odd(f, (const char *const *)names, count, "n");
    for (size_t i = 0; i < count; i++)
        free(names[i]);
}

static void too_long(void **state)
{
    struct fixture *f = *state;
    size_t most = f->store->traits.name_bytes_max;
    auto_free char *name = xcalloc(1, most + 2);

    memset(name, 'n', most + 1);
    assert_fails(f, try_put(f, name), ERR_NAME);
}

const struct contract_test contract_list_tests[] = {
    {"list: pages", pages},
    {"list: etags agree", etags_agree},
    {"list: prefixes", prefixes},
    {"list: delimiters", delimiters},
    {"list: many", many},
    {"list: goes on after changes", goes_on_after_changes},
    {"names: hard to keep", names_hard_to_keep},
    {"names: backwards", names_backwards},
    {"names: leading slash", leading_slash},
    {"names: long", long_names},
    {"names: too long", too_long},
    {NULL, NULL},
};
