// SPDX-License-Identifier: EUPL-1.2
/* The contract: whole objects and ranges, conditions, failures. */
#include <stdio.h>

#include "contract_private.h"
#include "util/clock.h"

static void reach(void **state)
{
    struct fixture *f = *state;
    int64_t ahead = INT64_MAX;

    assert_ok(store_reach(f->store, &ahead, &f->call), &f->call.err);
    assert_true(ahead > -600 * CLOCK_SECOND && ahead < 600 * CLOCK_SECOND);
    assert_ok(store_reach(f->store, NULL, &f->call), &f->call.err);
}

static void traits_are_told(void **state)
{
    struct fixture *f = *state;
    const struct store_traits *t = &f->store->traits;

    assert_non_null(t->driver);
    assert_true(t->object_size_max > 0 && t->put_size_max > 0 && t->parts_max > 0);
    assert_true(t->put_size_max <= t->object_size_max);
    assert_true(t->part_size_min <= t->part_size_max && t->part_size_max > 0);
    assert_true(t->name_bytes_max >= 255);
    assert_true(*f->store->name && *f->store->identity);
}

static void missing_things(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "missing/no such thing");
    struct get_options whole = {.length = STORE_TO_END};
    struct object object = OBJECT_INIT;
    struct sink_count sink;

    sink_count_init(&sink);
    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_NOT_FOUND);
    assert_true(strncmp(f->call.err.text, f->store->name, strlen(f->store->name)) == 0);
    auto_free char *twice = xasprintf("%s: %s: ", f->store->name, f->store->name);
    assert_null(strstr(f->call.err.text, twice));
    assert_fails(f, store_get(f->store, &key, &whole, &sink.sink, NULL, NULL, &f->call),
                 ERR_NOT_FOUND);
    assert_int_equal(sink.count, 0);
    assert_fails(f, store_remove(f->store, &key, NULL, &f->call), ERR_NOT_FOUND);
}

static void missing_container(void **state)
{
    struct fixture *f = *state;
    struct object_key key = {.container = "no-such-container-0c51", .name = "x"};
    struct put_options options = {.size = 1};
    struct list_options all = {.limit = 0};
    struct put_result result = PUT_RESULT_INIT;
    struct object_list page = OBJECT_LIST_INIT;
    struct object object = OBJECT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, "x", 1);
    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_NOT_FOUND);
    assert_fails(f, store_put(f->store, &key, &options, &from.source, &result, &f->call),
                 ERR_NOT_FOUND);
    assert_fails(f, store_list(f->store, key.container, &all, &page, &f->call), ERR_NOT_FOUND);
    assert_fails(f, store_remove(f->store, &key, NULL, &f->call), ERR_NOT_FOUND);
}

static void empty_names(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "");
    struct object object = OBJECT_INIT;

    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_NAME);
    key = (struct object_key){.container = "", .name = "x"};
    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_NAME);
}

static void put_and_get(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/one");
    struct get_options whole = {.length = STORE_TO_END};
    auto_put_result struct put_result result = put_text(f, "basic/one", "hello");
    auto_object struct object told = OBJECT_INIT, given = OBJECT_INIT;
    enum transport_check check = TRANSPORT_SHA256 + 1;
    struct sink_count sink;

    assert_non_null(result.etag);
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    assert_int_equal(told.size, 5);
    assert_string_equal(told.etag, result.etag);
    assert_null(strchr(told.etag, '"'));
    assert_true(told.modified != TIME_UNKNOWN);
    sink_count_init(&sink);
    assert_ok(store_get(f->store, &key, &whole, &sink.sink, &given, &check, &f->call),
              &f->call.err);
    assert_true(check <= TRANSPORT_SHA256);
    assert_string_equal(given.etag, result.etag);
    assert_int_equal(sink.count, 5);
    assert_holds(f, "basic/one", "hello");
}

static void empty_object(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/empty");
    auto_put_result struct put_result result = put_text(f, "basic/empty", "");
    auto_object struct object object = OBJECT_INIT;
    struct get_options nothing = {.length = 0};
    struct sink_count sink;

    assert_holds(f, "basic/empty", "");
    sink_count_init(&sink);
    assert_ok(store_get(f->store, &key, &nothing, &sink.sink, &object, NULL, &f->call),
              &f->call.err);
    assert_int_equal(object.size, 0);
    assert_int_equal(sink.count, 0);
}

static void check_range(struct fixture *f, const unsigned char *bytes, size_t size, uint64_t offset,
                        uint64_t length)
{
    struct object_key key = key_of(f, "basic/ranges");
    struct get_options options = {.offset = offset, .length = length, .want_checksum = offset & 1};
    auto_buf struct buf got = BUF_INIT(1 << 24);
    auto_object struct object object = OBJECT_INIT;
    size_t left = size - (size_t)offset, wanted = length < left ? (size_t)length : left;
    struct sink_buf sink;

    sink_buf_init(&sink, &got);
    assert_ok(store_get(f->store, &key, &options, &sink.sink, &object, NULL, &f->call),
              &f->call.err);
    assert_int_equal(object.size, size);
    assert_int_equal(got.length, wanted);
    assert_memory_equal(got.data, bytes + offset, wanted);
}

static void ranges(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/ranges");
    size_t size = 300001;
    auto_free unsigned char *bytes = make_bytes(size, 7);
    struct put_options options = {.size = size};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;
    struct sink_count sink;

    source_bytes_init(&from, bytes, size);
    assert_ok(store_put(f->store, &key, &options, &from.source, &result, &f->call), &f->call.err);
    check_range(f, bytes, size, 0, STORE_TO_END);
    check_range(f, bytes, size, 0, 1);
    check_range(f, bytes, size, 1, 1);
    check_range(f, bytes, size, 100, 200000);
    check_range(f, bytes, size, 4095, 4098);
    check_range(f, bytes, size, size - 1, 1);
    check_range(f, bytes, size, size - 10, 100);
    check_range(f, bytes, size, size - 10, STORE_TO_END);
    sink_count_init(&sink);
    struct get_options beyond = {.offset = size, .length = 1};
    assert_fails(f, store_get(f->store, &key, &beyond, &sink.sink, NULL, NULL, &f->call),
                 ERR_RANGE);
    beyond = (struct get_options){.offset = size + 1000, .length = STORE_TO_END};
    assert_fails(f, store_get(f->store, &key, &beyond, &sink.sink, NULL, NULL, &f->call),
                 ERR_RANGE);
    assert_int_equal(sink.count, 0);
}

/* A sink that looks at what is known of the object when the first bytes come. */
struct curious_sink {
    struct sink sink;
    const struct object *object;
    uint64_t size;
    char etag[200];
};

static int curious_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct curious_sink *s = container_of(sink, struct curious_sink, sink);

    (void)bytes;
    (void)n;
    (void)call;
    if (!*s->etag) {
        s->size = s->object->size;
        (void)snprintf(s->etag, sizeof(s->etag), "%s", s->object->etag);
    }
    return 0;
}

static void told_before_bytes(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/told");
    struct get_options options = {.offset = 2, .length = 3};
    auto_put_result struct put_result result = put_text(f, "basic/told", "0123456789");
    auto_object struct object object = OBJECT_INIT;
    struct curious_sink sink = {.sink = {.write = curious_write}, .object = &object};

    assert_ok(store_get(f->store, &key, &options, &sink.sink, &object, NULL, &f->call),
              &f->call.err);
    assert_int_equal(sink.size, 10);
    assert_string_equal(sink.etag, result.etag);
}

static void overwrite(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/over");
    auto_put_result struct put_result first = put_text(f, "basic/over", "first");
    auto_put_result struct put_result second = put_text(f, "basic/over", "other");
    struct get_options old = {.length = STORE_TO_END, .if_match = first.etag};
    struct sink_count sink;

    assert_string_not_equal(first.etag, second.etag);
    assert_holds(f, "basic/over", "other");
    sink_count_init(&sink);
    assert_fails(f, store_get(f->store, &key, &old, &sink.sink, NULL, NULL, &f->call), ERR_CHANGED);
    assert_int_equal(sink.count, 0);
    old.if_match = second.etag;
    assert_ok(store_get(f->store, &key, &old, &sink.sink, NULL, NULL, &f->call), &f->call.err);
    assert_int_equal(sink.count, 5);
    old = (struct get_options){.length = 0, .if_match = first.etag};
    assert_fails(f, store_get(f->store, &key, &old, &sink.sink, NULL, NULL, &f->call), ERR_CHANGED);
}

static int put_if(struct fixture *f, const char *name, const char *text, const char *if_match,
                  bool if_absent)
{
    struct object_key key = key_of(f, name);
    struct put_options options = {
        .size = strlen(text), .if_match = if_match, .if_absent = if_absent};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, text, strlen(text));
    return store_put(f->store, &key, &options, &from.source, &result, &f->call);
}

static void put_if_match(void **state)
{
    struct fixture *f = *state;

    if (f->contract->lacks & LACKS_PUT_IF_MATCH)
        skip();
    auto_put_result struct put_result first = put_text(f, "if/match", "first");
    auto_put_result struct put_result second = put_text(f, "if/match", "second");
    assert_fails(f, put_if(f, "if/match", "third", first.etag, false), ERR_CHANGED);
    assert_holds(f, "if/match", "second");
    assert_ok(put_if(f, "if/match", "third", second.etag, false), &f->call.err);
    assert_holds(f, "if/match", "third");
    if (put_if(f, "if/none", "x", second.etag, false) >= 0)
        fail_msg("if_match held where nothing is");
    assert_true(f->call.err.code == ERR_CHANGED || f->call.err.code == ERR_NOT_FOUND);
    assert_absent(f, "if/none");
}

static void put_if_absent(void **state)
{
    struct fixture *f = *state;

    if (f->contract->lacks & LACKS_PUT_IF_ABSENT)
        skip();
    assert_ok(put_if(f, "if/absent", "first", NULL, true), &f->call.err);
    assert_fails(f, put_if(f, "if/absent", "second", NULL, true), ERR_CHANGED);
    assert_holds(f, "if/absent", "first");
}

static void remove_objects(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/remove");
    auto_put_result struct put_result first = put_text(f, "basic/remove", "first");
    auto_put_result struct put_result second = put_text(f, "basic/remove", "second");

    if (!(f->contract->lacks & LACKS_REMOVE_IF_MATCH)) {
        assert_fails(f, store_remove(f->store, &key, first.etag, &f->call), ERR_CHANGED);
        assert_holds(f, "basic/remove", "second");
        assert_ok(store_remove(f->store, &key, second.etag, &f->call), &f->call.err);
    } else {
        assert_ok(store_remove(f->store, &key, NULL, &f->call), &f->call.err);
    }
    assert_absent(f, "basic/remove");
    assert_fails(f, store_remove(f->store, &key, NULL, &f->call), ERR_NOT_FOUND);
}

/* Put from a source that goes wrong; the key must hold what it held before. */
static void put_badly(struct fixture *f, const char *name, struct test_source *from, size_t size,
                      enum err_code reason)
{
    struct object_key key = key_of(f, name);
    struct put_options options = {.size = size};
    struct put_result result = PUT_RESULT_INIT;

    assert_fails(f, store_put(f->store, &key, &options, &from->source, &result, &f->call), reason);
}

static void bad_sources(struct fixture *f, const char *name, size_t size)
{
    auto_free unsigned char *bytes = make_bytes(size + 1, 3);
    size_t cuts[] = {0, 1, size / 2, size - 1};
    struct test_source from;

    for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
        test_source_init(&from, bytes, size);
        from.fail_at = cuts[i];
        put_badly(f, name, &from, size, ERR_NETWORK);
        assert_string_equal(f->call.err.text, "the test cut this source");
        test_source_init(&from, bytes, cuts[i]);
        put_badly(f, name, &from, size, ERR_INVALID);
    }
    test_source_init(&from, bytes, size + 1);
    put_badly(f, name, &from, size, ERR_INVALID);
}

static void cut_source_leaves_nothing(void **state)
{
    struct fixture *f = *state;

    bad_sources(f, "cut/small", 1000);
    assert_absent(f, "cut/small");
    bad_sources(f, "cut/large", 3 << 20);
    assert_absent(f, "cut/large");
    auto_put_result struct put_result result = put_text(f, "cut/there", "what was there");
    bad_sources(f, "cut/there", 100000);
    assert_holds(f, "cut/there", "what was there");
}

static int full_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    (void)sink;
    (void)bytes;
    (void)n;
    return err_set(&call->err, ERR_NO_SPACE, "the test's sink is full");
}

static void failing_sink(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/sink");
    struct get_options whole = {.length = STORE_TO_END};
    auto_put_result struct put_result result = put_text(f, "basic/sink", "something");
    struct sink full = {.write = full_write};

    assert_fails(f, store_get(f->store, &key, &whole, &full, NULL, NULL, &f->call), ERR_NO_SPACE);
    assert_string_equal(f->call.err.text, "the test's sink is full");
}

static void sources_in_pieces(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/pieces");
    size_t sizes[] = {1, 4096, 65537, 1000003};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        auto_free unsigned char *bytes = make_bytes(sizes[i], (unsigned)i);
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        struct put_options options = {.size = sizes[i]};
        struct test_source from;
        test_source_init(&from, bytes, sizes[i]);
        from.piece = 777;
        assert_ok(store_put(f->store, &key, &options, &from.source, &result, &f->call),
                  &f->call.err);
        assert_holds_bytes(f, "basic/pieces", bytes, sizes[i]);
    }
}

static void cancelled_and_late(void **state)
{
    struct fixture *f = *state;
    struct cancel cancel = {.raised = true};
    struct object object = OBJECT_INIT;
    struct object_key key = key_of(f, "basic/late");
    auto_put_result struct put_result result = put_text(f, "basic/late", "x");

    f->call.cancel = &cancel;
    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_CANCELLED);
    assert_fails(f, put_if(f, "basic/cancelled", "x", NULL, false), ERR_CANCELLED);
    f->call.cancel = NULL;
    f->call.deadline = clock_monotonic() - 1;
    assert_fails(f, store_stat(f->store, &key, &object, &f->call), ERR_TIMEOUT);
    assert_fails(f, put_if(f, "basic/timeout", "x", NULL, false), ERR_TIMEOUT);
    f->call.deadline = 0;
    assert_absent(f, "basic/cancelled");
    assert_absent(f, "basic/timeout");
}

static void cancelled_midway(void **state)
{
    struct fixture *f = *state;
    size_t size = 4 << 20;
    auto_free unsigned char *bytes = make_bytes(size, 5);
    struct object_key key = key_of(f, "basic/midway");
    struct put_options options = {.size = size};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct cancel cancel = {.raised = false};
    struct test_source from;

    test_source_init(&from, bytes, size);
    from.cancel_at_half = &cancel;
    from.piece = 10000;
    f->call.cancel = &cancel;
    assert_fails(f, store_put(f->store, &key, &options, &from.source, &result, &f->call),
                 ERR_CANCELLED);
    f->call.cancel = NULL;
    assert_absent(f, "basic/midway");
}

static void copy(void **state)
{
    struct fixture *f = *state;
    struct object_key from = key_of(f, "copy/from"), to = key_of(f, "copy/to");
    auto_object struct object properties = OBJECT_INIT, told = OBJECT_INIT;
    struct put_options options = {.size = 4};
    auto_put_result struct put_result result = PUT_RESULT_INIT, copied = PUT_RESULT_INIT;
    struct source_bytes source;

    properties.content_type = xstrdup("text/x-copied");
    options.properties = &properties;
    source_bytes_init(&source, "copy", 4);
    assert_ok(store_put(f->store, &from, &options, &source.source, &result, &f->call),
              &f->call.err);
    options.properties = NULL;
    if (store_copy(f->store, &from, NULL, &to, &options, &copied, &f->call) < 0) {
        assert_true(f->contract->lacks & LACKS_COPY);
        assert_int_equal(f->call.err.code, ERR_UNSUPPORTED);
        return;
    }
    assert_holds(f, "copy/to", "copy");
    assert_ok(store_stat(f->store, &to, &told, &f->call), &f->call.err);
    assert_string_equal(told.content_type, "text/x-copied");
    struct object_key missing = key_of(f, "copy/missing");
    struct put_result none = PUT_RESULT_INIT;
    assert_fails(f, store_copy(f->store, &missing, NULL, &to, &options, &none, &f->call),
                 ERR_NOT_FOUND);
    assert_fails(f, store_copy(f->store, &from, "0-wrong", &to, &options, &none, &f->call),
                 ERR_CHANGED);
    assert_holds(f, "copy/to", "copy");
}

static void lazy_and_sync(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "basic/lazy");
    struct put_options options = {.size = 4, .lazy = true};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, "lazy", 4);
    assert_ok(store_put(f->store, &key, &options, &from.source, &result, &f->call), &f->call.err);
    assert_holds(f, "basic/lazy", "lazy");
    assert_ok(store_sync(f->store, &f->call), &f->call.err);
    assert_holds(f, "basic/lazy", "lazy");
}

const struct contract_test contract_basic_tests[] = {
    {"reach", reach},
    {"traits are told", traits_are_told},
    {"missing things", missing_things},
    {"missing container", missing_container},
    {"empty names", empty_names},
    {"put and get", put_and_get},
    {"empty object", empty_object},
    {"ranges", ranges},
    {"told before bytes", told_before_bytes},
    {"overwrite", overwrite},
    {"put if match", put_if_match},
    {"put if absent", put_if_absent},
    {"remove objects", remove_objects},
    {"cut source leaves nothing", cut_source_leaves_nothing},
    {"failing sink", failing_sink},
    {"sources in pieces", sources_in_pieces},
    {"cancelled and late", cancelled_and_late},
    {"cancelled midway", cancelled_midway},
    {"copy", copy},
    {"lazy and sync", lazy_and_sync},
    {NULL, NULL},
};
