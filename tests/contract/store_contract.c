// SPDX-License-Identifier: EUPL-1.2
/* Runs the contract suite, and helps its parts: see store_contract.h. */
#include "store_contract.h"

#include <stdio.h>

#include "contract_private.h"
#include "util/random.h"

struct object_key key_of(const struct fixture *f, const char *name)
{
    return (struct object_key){.container = f->container, .name = name};
}

struct put_result put_text(struct fixture *f, const char *name, const char *text)
{
    struct object_key key = key_of(f, name);
    struct put_options options = {.size = strlen(text)};
    struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, text, strlen(text));
    assert_ok(store_put(f->store, &key, &options, &from.source, &result, &f->call), &f->call.err);
    return result;
}

static char *get_all(struct fixture *f, const char *name, size_t *ret_length)
{
    struct object_key key = key_of(f, name);
    struct get_options options = {.length = STORE_TO_END};
    auto_buf struct buf bytes = BUF_INIT((size_t)1 << 30);
    auto_object struct object object = OBJECT_INIT;
    struct sink_buf sink;

    sink_buf_init(&sink, &bytes);
    assert_ok(store_get(f->store, &key, &options, &sink.sink, &object, NULL, &f->call),
              &f->call.err);
    assert_int_equal(object.size, bytes.length);
    *ret_length = bytes.length;
    return buf_take(&bytes);
}

char *get_text(struct fixture *f, const char *name)
{
    size_t length;

    return get_all(f, name, &length);
}

void assert_holds(struct fixture *f, const char *name, const char *text)
{
    auto_free char *got = get_text(f, name);

    assert_string_equal(got, text);
}

void assert_holds_bytes(struct fixture *f, const char *name, const void *bytes, size_t n)
{
    size_t length;
    auto_free char *got = get_all(f, name, &length);

    assert_int_equal(length, n);
    if (n)
        assert_memory_equal(got, bytes, n);
}

void assert_absent(struct fixture *f, const char *name)
{
    struct object_key key = key_of(f, name);
    struct object object = OBJECT_INIT;

    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_NOT_FOUND);
}

unsigned char *make_bytes(size_t n, unsigned seed)
{
    unsigned char *bytes = xmalloc(n);
    uint32_t state = seed * 2654435761U + 1;

    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;
        bytes[i] = (unsigned char)(state >> 24);
    }
    return bytes;
}

static ssize_t test_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct test_source *s = container_of(source, struct test_source, source);

    if (s->cancel_at_half && s->at >= s->length / 2)
        cancel_raise(s->cancel_at_half);
    if (s->at >= s->fail_at)
        return err_set(&call->err, ERR_NETWORK, "the test cut this source");
    if (n > s->length - s->at)
        n = s->length - s->at;
    if (s->piece && n > s->piece)
        n = s->piece;
    if (n > s->fail_at - s->at)
        n = s->fail_at - s->at;
    memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static int test_rewind(struct source *source, struct call *call)
{
    (void)call;
    container_of(source, struct test_source, source)->at = 0;
    return 0;
}

void test_source_init(struct test_source *s, const void *bytes, size_t length)
{
    *s = (struct test_source){.source = {.read = test_read, .rewind = test_rewind},
                              .bytes = bytes,
                              .length = length,
                              .fail_at = SIZE_MAX};
}

void list_names(struct fixture *f, const char *prefix, const char *delimiter, unsigned limit,
                unsigned include, struct object_list *ret)
{
    auto_free char *cursor = NULL;

    for (unsigned pages = 0;; pages++) {
        struct list_options options = {.prefix = prefix,
                                       .delimiter = delimiter,
                                       .cursor = cursor,
                                       .limit = limit,
                                       .include = include};
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        assert_true(pages < 10000);
        assert_ok(store_list(f->store, f->container, &options, &page, &f->call), &f->call.err);
        for (size_t i = 0; i < page.count; i++) {
            *object_list_add(ret) = page.list[i];
            page.list[i] = (struct object)OBJECT_INIT;
        }
        for (size_t i = 0; i < page.prefix_count; i++)
            object_list_add_prefix(ret, page.prefixes[i]);
        free(take(cursor));
        if (!page.cursor)
            return;
        cursor = take(page.cursor);
    }
}

/* ------------------------------------------------------------------- running */

/* What all tests of a run share. */
struct suite {
    const struct contract *contract;
    char *container;
    bool made;
};

static struct suite suite;

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    f->contract = suite.contract;
    f->container = xstrdup(suite.container);
    if (suite.contract->open(suite.contract->argument, &f->store, &f->call) < 0) {
        print_error("%s: open: %s\n", suite.contract->name, f->call.err.text);
        free(f->container);
        free(f);
        return -1;
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    store_close(f->store);
    free(f->container);
    free(f);
    return 0;
}

static int remove_everything(struct store *s, struct call *call)
{
    for (;;) {
        struct list_options options = {.include = LIST_SNAPSHOTS | LIST_VERSIONS | LIST_DELETED};
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        if (store_list(s, suite.container, &options, &page, call) < 0)
            return -1;
        for (size_t i = 0; i < page.count; i++) {
            const struct object *o = &page.list[i];
            struct object_key key = {.container = suite.container, .name = o->name};
            if (o->kind != VERSION_CURRENT && o->version) {
                key.kind = o->kind;
                key.version = o->version;
            }
            if (store_remove(s, &key, NULL, call) < 0 && call->err.code != ERR_NOT_FOUND)
                return -1;
        }
        if (!page.count)
            return 0;
    }
}

static int suite_set_up(void **state)
{
    struct store *s;
    struct call call = CALL_INIT;
    char random[13];

    (void)state;
    random_hex(random, 6);
    if (suite.contract->open(suite.contract->argument, &s, &call) < 0) {
        print_error("%s: open: %s\n", suite.contract->name, call.err.text);
        return -1;
    }
    suite.container = suite.contract->container ? xstrdup(suite.contract->container)
                                                : xasprintf("contract-%s", random);
    int failed = 0;
    suite.made = !suite.contract->container;
    if (suite.made)
        failed = store_container_create(s, suite.container, NULL, &call);
    if (failed < 0)
        print_error("%s: make container: %s\n", suite.contract->name, call.err.text);
    store_close(s);
    return failed;
}

static int suite_tear_down(void **state)
{
    struct store *s;
    struct call call = CALL_INIT;

    (void)state;
    int failed = suite.contract->open(suite.contract->argument, &s, &call);
    if (failed == 0) {
        failed = remove_everything(s, &call);
        if (failed == 0 && suite.made && !(suite.contract->lacks & LACKS_CONTAINER_REMOVE))
            failed = store_container_remove(s, suite.container, &call);
        store_close(s);
    }
    if (failed < 0)
        print_error("%s: clean up: %s\n", suite.contract->name, call.err.text);
    free(take(suite.container));
    return failed;
}

static const struct contract_test *const groups[] = {
    contract_basic_tests, contract_property_tests,  contract_upload_tests,
    contract_list_tests,  contract_container_tests, contract_thread_tests,
};

int store_contract(const struct contract *c)
{
    struct CMUnitTest tests[200];
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        for (const struct contract_test *test = groups[i]; test->name; test++) {
            if (c->only && !strstr(test->name, c->only))
                continue;
            assert_true(count < ARRAY_SIZE(tests));
            tests[count++] = (struct CMUnitTest){.name = test->name,
                                                 .test_func = test->run,
                                                 .setup_func = set_up,
                                                 .teardown_func = tear_down};
        }
    }
    suite = (struct suite){.contract = c};
    return _cmocka_run_group_tests(c->name, tests, count, suite_set_up, suite_tear_down);
}
