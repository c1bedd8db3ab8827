// SPDX-License-Identifier: EUPL-1.2
/* An account as a store to be read. */
#include "object/account_store.h"

#include "codec/json.h"
#include "object-bed.h"

struct test {
    struct object_bed *bed;
    struct store *store;
};

static void begin(struct test *t, void **state)
{
    t->bed = *state;
    t->store = account_store_open(t->bed->service, "acct");
}

static void read_body(struct test *t, const struct object_key *key, uint64_t offset,
                      uint64_t length, const char *text)
{
    auto_buf struct buf got = BUF_INIT(4096);
    auto_object struct object o = OBJECT_INIT;
    const struct get_options options = {.offset = offset, .length = length};
    struct sink_buf sink;

    sink_buf_init(&sink, &got);
    assert_ok(store_get(t->store, key, &options, &sink.sink, &o, NULL, &t->bed->call),
              &t->bed->call.err);
    assert_string_equal(got.data, text);
}

static void test_reads_what_is_there(void **state)
{
    struct test t;
    begin(&t, state);
    const struct object_key key = {.container = "c", .name = "a\\b/../c"};
    const struct object_key empty = {.container = "c", .name = "empty"};

    object_bed_put(t.bed, key.name, "hello");
    object_bed_put(t.bed, "empty", "");
    read_body(&t, &key, 0, STORE_TO_END, "hello");
    read_body(&t, &key, 1, 3, "ell");
    read_body(&t, &key, 3, STORE_TO_END, "lo");
    read_body(&t, &empty, 0, STORE_TO_END, "");

    struct source_bytes body;
    const struct put_options put = {.size = 1};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    source_bytes_init(&body, "x", 1);
    assert_int_equal(store_put(t.store, &key, &put, &body.source, &result, &t.bed->call), -1);
    assert_int_equal(t.bed->call.err.code, ERR_DENIED);
    err_clear(&t.bed->call.err);
    store_close(t.store);
}

static void test_holds_to_the_etag(void **state)
{
    struct test t;
    begin(&t, state);
    const struct object_key key = {.container = "c", .name = "k"};
    const struct get_options options = {.length = STORE_TO_END, .if_match = "0x0"};
    auto_buf struct buf got = BUF_INIT(4096);
    struct sink_buf sink;

    object_bed_put(t.bed, "k", "hello");
    sink_buf_init(&sink, &got);
    assert_int_equal(store_get(t.store, &key, &options, &sink.sink, NULL, NULL, &t.bed->call), -1);
    assert_int_equal(t.bed->call.err.code, ERR_CHANGED);
    err_clear(&t.bed->call.err);
    store_close(t.store);
}

static void test_reads_what_is_archived(void **state)
{
    struct test t;
    begin(&t, state);
    const struct object_key key = {.container = "c", .name = "k"};
    const struct place place = place_of("k");
    const struct conditions none = CONDITIONS_INIT;
    auto_buf struct buf got = BUF_INIT(4096);
    auto_object struct object o = OBJECT_INIT;
    bool pending;

    object_bed_put(t.bed, "k", "hello");
    assert_ok(
        service_set_tier(t.bed->service, &place, &none, "Archive", NULL, &pending, &t.bed->call),
        &t.bed->call.err);
    assert_fault(object_bed_read(t.bed, &place, NULL, &got), FAULT_ARCHIVED, t.bed);
    read_body(&t, &key, 0, STORE_TO_END, "hello");
    assert_ok(store_stat(t.store, &key, &o, &t.bed->call), &t.bed->call.err);
    assert_string_equal(o.tier, "Archive");
    assert_false(o.archived);
    store_close(t.store);
}

static void delete_it(struct test *t, const char *name)
{
    const struct delete_request request = {
        .place = place_of(name), .conditions = CONDITIONS_INIT, .make_marker = true};
    auto_delete_result struct delete_result result = {0};

    assert_ok(service_delete(t->bed->service, &request, &result, &t->bed->call), &t->bed->call.err);
}

static void test_lists_history(void **state)
{
    static const enum version_kind kinds[] = {VERSION_ID, VERSION_MARKER, VERSION_ID,
                                              VERSION_CURRENT};
    struct test t;
    begin(&t, state);
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    const struct list_options options = {.include = LIST_VERSIONS | LIST_SNAPSHOTS | LIST_DELETED};

    object_bed_settings(t.bed, "{\"versioning\":true}");
    object_bed_put(t.bed, "gone", "1");
    delete_it(&t, "gone");
    object_bed_put(t.bed, "kept", "old");
    object_bed_put(t.bed, "kept", "new");
    assert_ok(store_list(t.store, "c", &options, &page, &t.bed->call), &t.bed->call.err);
    assert_int_equal(page.count, ARRAY_SIZE(kinds));
    for (size_t i = 0; i < page.count; i++)
        assert_int_equal(page.list[i].kind, kinds[i]);
    const struct object_key old = {
        .container = "c", .name = "kept", .kind = VERSION_ID, .version = page.list[2].version};
    read_body(&t, &old, 0, STORE_TO_END, "old");
    store_close(t.store);
}

static void test_tells_settings(void **state)
{
    struct test t;
    begin(&t, state);
    auto_buf struct buf text = BUF_INIT(65536);
    auto_json json_t *told = NULL;
    const struct conditions none = CONDITIONS_INIT;
    const struct container_change change = {.set_access = true,
                                            .access = "blob",
                                            .set_policies = true,
                                            .policies = "[{\"id\":\"r\",\"permissions\":\"rl\"}]",
                                            .set_settings = true,
                                            .settings = "{\"policy\":\"{}\"}"};

    object_bed_settings(t.bed, "{\"delete_retention_days\":7,\"cors\":[{\"origins\":\"a,b\","
                               "\"methods\":\"GET\",\"headers\":\"\",\"exposed\":\"\","
                               "\"max_age\":5}]}");
    assert_ok(
        service_container_change(t.bed->service, "acct", "c", &none, &change, NULL, &t.bed->call),
        &t.bed->call.err);
    assert_ok(store_container_settings(t.store, "c", &text, &t.bed->call), &t.bed->call.err);
    assert_string_equal(
        text.data,
        "{\"access\":\"blob\",\"account\":{\"cors\":[{\"exposed\":[],\"headers\":[],\"max_age\":5,"
        "\"methods\":[\"GET\"],\"origins\":[\"a\",\"b\"]}],\"delete_retention\":{\"days\":7}},"
        "\"policies\":[{\"id\":\"r\",\"permission\":\"rl\"}],\"s3\":{\"policy\":\"{}\"}}");
    store_close(t.store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(test_reads_what_is_there),    object_test(test_holds_to_the_etag),
        object_test(test_reads_what_is_archived), object_test(test_lists_history),
        object_test(test_tells_settings),
    };

    return cmocka_run_group_tests_name("account_store", tests, NULL, NULL);
}
