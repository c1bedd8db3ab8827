// SPDX-License-Identifier: EUPL-1.2
/*
 * What the Swift driver promises beyond the contract (store/driver/swift.h), on a real Swift:
 * large objects and their segments, versions, headers, settings, quotas.
 *
 *     swift-own                 the tests
 *     swift-own keep CONTAINER  makes a container with some objects for somebody else to judge
 */
#include <stdio.h>

#include "codec/json.h"
#include "swift_own.h"
#include "util/random.h"

#define SKIP 77

/* ------------------------------------------------------------ large objects */

static void replacing_and_removing_large_objects(void **state)
{
    struct own *o = *state;
    size_t n = 3 * PART + 5;
    auto_free unsigned char *one = own_bytes(n, 1), *other = own_bytes(n, 2);
    struct object_key key = own_key(o, "large/one");

    own_put_large(o, "large/one", one, n);
    own_holds(o, "large/one", one, n);
    assert_int_equal(own_segments(o, "large/one"), 4);
    own_put_large(o, "large/one", other, n - PART);
    own_holds(o, "large/one", other, n - PART);
    assert_int_equal(own_segments(o, "large/one"), 3);
    auto_put_result struct put_result small = own_put(o, "large/one", "small", 5, NULL);
    own_holds(o, "large/one", "small", 5);
    assert_int_equal(own_segments(o, "large/one"), 0);
    own_put_large(o, "large/one", one, n);
    assert_ok(store_remove(o->store, &key, NULL, &o->call), &o->call.err);
    assert_int_equal(own_segments(o, "large/one"), 0);
    assert_int_equal(own_count(o, o->container, "large/one"), 0);
}

static void aborting_what_is_done(void **state)
{
    struct own *o = *state;
    size_t n = 2 * PART;
    auto_free unsigned char *bytes = own_bytes(n, 3);
    struct object_key key = own_key(o, "large/done");
    struct put_options options = {.size = n, .if_absent = true};
    struct part_result parts[8];
    auto_put_result struct put_result first = PUT_RESULT_INIT, again = PUT_RESULT_INIT;
    uint32_t count;
    auto_free char *id = own_send_parts(o, &key, bytes, &options, parts, &count);

    assert_ok(store_upload_commit(o->store, &key, id, parts, count, &options, &first, &o->call),
              &o->call.err);
    /* The answer was lost, and the commit is repeated. */
    assert_ok(store_upload_commit(o->store, &key, id, parts, count, &options, &again, &o->call),
              &o->call.err);
    assert_string_equal(first.etag, again.etag);
    options.if_absent = false;
    put_result_release(&again);
    assert_ok(store_upload_commit(o->store, &key, id, parts, count, &options, &again, &o->call),
              &o->call.err);
    /* A run that died before it could note the commit throws the upload away. */
    assert_ok(store_upload_abort(o->store, &key, id, &o->call), &o->call.err);
    own_holds(o, "large/done", bytes, n);
}

static void foreign_segments_stay(void **state)
{
    struct own *o = *state;
    auto_segments struct swift_segments segments = {0};
    auto_put_result struct put_result part = own_put(o, "foreign/part", "12345", 5, NULL);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_free char *path = xasprintf("/%s/foreign/part", o->container);
    struct object_key key = own_key(o, "foreign/whole");
    struct put_options options = {.size = 10};

    swift_segments_add(&segments, path, 5, part.etag);
    swift_segments_add(&segments, path, 5, part.etag);
    assert_ok(swift_manifest_put(o->swift, &key, "none", &segments, &options, &result, &o->call),
              &o->call.err);
    own_holds(o, "foreign/whole", "1234512345", 10);
    assert_ok(store_remove(o->store, &key, NULL, &o->call), &o->call.err);
    own_holds(o, "foreign/part", "12345", 5);
}

static void copies_stand_alone(void **state)
{
    struct own *o = *state;
    size_t n = 3 * PART;
    auto_free unsigned char *bytes = own_bytes(n, 4);
    auto_object struct object told = OBJECT_INIT;
    struct object_key from = own_key(o, "copy/from"), whole = own_key(o, "copy/whole"),
                      parts = own_key(o, "copy/parts");
    struct put_options options = {0};
    auto_put_result struct put_result one = PUT_RESULT_INIT, two = PUT_RESULT_INIT;
    uint64_t limit = o->swift->limits.file_size;

    own_put_large(o, "copy/from", bytes, n);
    assert_ok(store_copy(o->store, &from, NULL, &whole, &options, &one, &o->call), &o->call.err);
    o->swift->limits.file_size = n - 1;
    int copied = store_copy(o->store, &from, NULL, &parts, &options, &two, &o->call);
    o->swift->limits.file_size = limit;
    assert_ok(copied, &o->call.err);
    assert_int_equal(own_segments(o, "copy/parts"), 3);
    assert_ok(store_remove(o->store, &from, NULL, &o->call), &o->call.err);
    own_holds(o, "copy/whole", bytes, n);
    own_holds(o, "copy/parts", bytes, n);
    assert_ok(store_stat(o->store, &parts, &told, &o->call), &o->call.err);
    assert_string_equal(told.etag, two.etag);
}

static void dynamic_large_objects_are_seen(void **state)
{
    struct own *o = *state;
    auto_put_result struct put_result one = own_put(o, "dlo/1", "one", 3, NULL);
    auto_put_result struct put_result two = own_put(o, "dlo/2", "two", 3, NULL);
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    struct list_options options = {.prefix = "whole"};
    auto_free char *path = swift_path(o->container, "whole");
    auto_free char *manifest = xasprintf("%s/dlo/", o->container);

    own_raw(o, "PUT", path, "X-Object-Manifest", manifest);
    assert_ok(store_list(o->store, o->container, &options, &page, &o->call), &o->call.err);
    assert_int_equal(page.count, 1);
    assert_int_equal(page.list[0].size, 6);
    assert_int_equal(page.list[0].stored.have, 0);
    struct object_key key = own_key(o, "whole");
    struct get_options same = {.length = STORE_TO_END, .if_match = page.list[0].etag};
    struct sink_count sink;
    sink_count_init(&sink);
    assert_ok(store_get(o->store, &key, &same, &sink.sink, NULL, NULL, &o->call), &o->call.err);
    own_holds(o, "whole", "onetwo", 6);
}

static void long_names_have_segments(void **state)
{
    struct own *o = *state;
    char name[1025];
    size_t n = 2 * PART;
    auto_free unsigned char *bytes = own_bytes(n, 5);
    auto_free char *container = swift_segments_container(o->swift, o->container);
    struct object_key key = own_key(o, name);

    memset(name, 'n', 8);
    for (size_t i = 8; i < 1024; i += 2)
        memcpy(name + i, "\xc3\xbc", 2);
    name[1024] = '\0';
    own_put_large(o, name, bytes, n);
    own_holds(o, name, bytes, n);
    assert_int_equal(own_count(o, container, "nnnnnnnn"), 2);
    assert_ok(store_remove(o->store, &key, NULL, &o->call), &o->call.err);
    assert_int_equal(own_count(o, container, "nnnnnnnn"), 0);
}

/* ----------------------------------------------------------------- versions */

static void list_versions(struct own *o, const char *container, unsigned limit,
                          struct object_list *ret)
{
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.cursor = cursor, .limit = limit, .include = LIST_VERSIONS};
        assert_ok(store_list(o->store, container, &options, &page, &o->call), &o->call.err);
        for (size_t i = 0; i < page.count; i++)
            object_copy(object_list_add(ret), &page.list[i]);
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
}

static void versions(void **state)
{
    struct own *o = *state;
    auto_free char *container = xasprintf("%s-v", o->container);
    struct container properties = {.versioning = true};
    auto_container struct container told = CONTAINER_INIT;
    char kept[40];
    size_t n = 2 * PART;
    auto_free unsigned char *bytes = own_bytes(n, 6);
    struct object_key key = {.container = container, .name = "v"};

    assert_ok(store_container_create(o->store, container, &properties, &o->call), &o->call.err);
    assert_ok(store_container_stat(o->store, container, &told, &o->call), &o->call.err);
    assert_true(told.versioning);
    memcpy(kept, o->container, sizeof(kept));
    (void)snprintf(o->container, sizeof(o->container), "%s", container);
    own_put_large(o, "v", bytes, n);
    auto_put_result struct put_result two = own_put(o, "v", "two", 3, NULL);
    assert_non_null(two.version);
    assert_int_equal(own_segments(o, "v"), 2);
    assert_ok(store_remove(o->store, &key, NULL, &o->call), &o->call.err);
    for (unsigned limit = 1; limit < 4; limit++) {
        auto_object_list struct object_list all = OBJECT_LIST_INIT;
        list_versions(o, container, limit, &all);
        assert_int_equal(all.count, 3);
        assert_int_equal(all.list[0].kind, VERSION_MARKER);
        assert_int_equal(all.list[1].kind, VERSION_ID);
        assert_string_equal(all.list[1].version, two.version);
        assert_int_equal(all.list[2].size, n);
    }
    auto_object_list struct object_list all = OBJECT_LIST_INIT;
    list_versions(o, container, 0, &all);
    struct object_key large = {container, "v", VERSION_ID, all.list[2].version};
    own_holds_version(o, &large, bytes, n);
    for (size_t i = 0; i < all.count; i++) {
        struct object_key one = {container, "v", all.list[i].kind, all.list[i].version};
        assert_ok(store_remove(o->store, &one, NULL, &o->call), &o->call.err);
    }
    assert_int_equal(own_segments(o, "v"), 0);
    memcpy(o->container, kept, sizeof(kept));
    assert_ok(store_container_remove(o->store, container, &o->call), &o->call.err);
}

/* --------------------------------------------------------------- properties */

static void odd_properties(void **state)
{
    struct own *o = *state;
    struct object_key key = own_key(o, "odd");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;
    auto_free char *later = xasprintf("%lld", (long long)(clock_wall() / CLOCK_SECOND + 86400));

    given.expires = xstrdup("Wed, 21 Oct 2037 07:28:00 GMT");
    pairs_add(&given.metadata, "project_id", "1");
    pairs_add(&given.metadata, "a_b", "2");
    pairs_add(&given.metadata, "a-b", "3");
    pairs_add(&given.metadata, "Empty", "");
    pairs_add(&given.metadata, "blanks", " x ");
    pairs_add(&given.metadata, "word", "gr\xc3\xbcn");
    pairs_add(&given.metadata, "x-delete-at", later);
    auto_put_result struct put_result result = own_put(o, "odd", "x", 1, &given);
    assert_ok(store_stat(o->store, &key, &told, &o->call), &o->call.err);
    assert_string_equal(told.expires, given.expires);
    pairs_sort(&given.metadata);
    pairs_sort(&told.metadata);
    assert_true(pairs_equal(&given.metadata, &told.metadata));
}

/* As on a server that keeps neither Content-Language nor Cache-Control nor Expires. */
static void dropped_headers_come_back(void **state)
{
    struct own *o = *state;
    struct object_key key = own_key(o, "fragile");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;

    given.content_language = xstrdup("de");
    given.cache_control = xstrdup("no-store");
    given.expires = xstrdup("0");
    pairs_add(&given.metadata, "mine", "1");
    for (size_t i = 0; i < SWIFT_FRAGILE_COUNT; i++)
        o->swift->keeps[i] = SWIFT_DROPS;
    auto_put_result struct put_result result = own_put(o, "fragile", "x", 1, &given);
    assert_ok(store_stat(o->store, &key, &told, &o->call), &o->call.err);
    assert_string_equal(told.content_language, "de");
    assert_string_equal(told.cache_control, "no-store");
    assert_string_equal(told.expires, "0");
    assert_int_equal(told.metadata.count, 1);
    for (size_t i = 0; i < SWIFT_FRAGILE_COUNT; i++)
        o->swift->keeps[i] = SWIFT_KEEPS_UNKNOWN;
    auto_put_result struct put_result again = own_put(o, "fragile", "x", 1, &given);
    for (size_t i = 0; i < SWIFT_FRAGILE_COUNT; i++)
        assert_int_equal(o->swift->keeps[i], SWIFT_KEEPS);
}

static void damaged_bodies_are_refused(void **state)
{
    struct own *o = *state;
    struct object_key key = own_key(o, "damaged");
    struct put_options options = {.size = 5};
    struct put_result result = PUT_RESULT_INIT;
    auto_put_result struct put_result before = own_put(o, "damaged", "before", 6, NULL);
    unsigned char wrong[16] = {1, 2, 3};
    struct source_bytes from;

    checksum_set(&options.known, CHECKSUM_MD5, wrong);
    source_bytes_init(&from, "other", 5);
    assert_int_equal(store_put(o->store, &key, &options, &from.source, &result, &o->call), -1);
    assert_int_equal(o->call.err.code, ERR_CORRUPT);
    own_holds(o, "damaged", "before", 6);
}

static void reading_checks_the_md5(void **state)
{
    struct own *o = *state;
    struct object_key key = own_key(o, "checked");
    struct get_options options = {.length = STORE_TO_END, .want_checksum = true};
    enum transport_check check = TRANSPORT_LENGTH;
    auto_put_result struct put_result result = own_put(o, "checked", "bytes", 5, NULL);
    struct sink_count sink;

    sink_count_init(&sink);
    assert_ok(store_get(o->store, &key, &options, &sink.sink, NULL, &check, &o->call),
              &o->call.err);
    assert_int_equal(check, TRANSPORT_MD5);
}

/* --------------------------------------------------------------- containers */

static void settings(void **state)
{
    struct own *o = *state;
    auto_buf struct buf left = BUF_INIT(10000);
    auto_buf struct buf told = BUF_INIT(10000);
    auto_json json_t *now = NULL;
    const char *wanted =
        "{\"access\": \"blob\", \"policies\": [{\"id\": \"p\"}], \"versioning\": false,"
        " \"quota\": {\"bytes\": 1000000000}, \"unread\": [\"x\"], \"account\": {\"cors\":"
        " [{\"origins\": [\"http://a\", \"http://b\"], \"methods\": [\"GET\"], \"headers\": "
        "[\"*\"],"
        " \"exposed\": [\"etag\"], \"max_age\": 60}], \"website\": {\"index\": \"i.html\"}}}";

    assert_ok(store_container_apply(o->store, o->container, wanted, &left, &o->call), &o->call.err);
    assert_string_equal(
        left.data,
        "{\"account\":{\"website\":{\"index\":\"i.html\"}},\"policies\":[{\"id\":\"p\"}]}");
    assert_ok(store_container_settings(o->store, o->container, &told, &o->call), &o->call.err);
    assert_ok(json_parse(told.data, told.length, &now, &o->call.err), &o->call.err);
    assert_string_equal(json_text(now, "access"), "blob");
    const json_t *rule = json_array_get(json_object_get(now, "cors"), 0);
    assert_int_equal(json_array_size(json_object_get(rule, "origins")), 2);
    int64_t number;
    assert_true(json_number(rule, "max_age", &number) && number == 60);
    assert_true(json_number(json_object_get(now, "quota"), "bytes", &number));
    assert_int_equal(number, 1000000000);
    buf_reset(&left);
    assert_ok(
        store_container_apply(o->store, o->container, "{\"access\": \"private\"}", &left, &o->call),
        &o->call.err);
    assert_string_equal(left.data, "{}");
    auto_container struct container container = CONTAINER_INIT;
    assert_ok(store_container_stat(o->store, o->container, &container, &o->call), &o->call.err);
    assert_string_equal(container.access, "private");
}

static void public_large_objects_can_be_read(void **state)
{
    struct own *o = *state;
    auto_buf struct buf left = BUF_INIT(1000);
    auto_free unsigned char *bytes = own_bytes(PART, 7);
    auto_free char *path = swift_path(o->container, "public");
    auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;
    auto_request struct http_request request = {.method = "GET"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    struct sink_count sink;

    own_put_large(o, "public", bytes, PART);
    assert_ok(
        store_container_apply(o->store, o->container, "{\"access\": \"blob\"}", &left, &o->call),
        &o->call.err);
    assert_ok(keystone_access(o->swift->auth, &access, &o->call), &o->call.err);
    request.url = xasprintf("%s%s", access.storage_url, path);
    sink_count_init(&sink);
    assert_ok(http_do(o->swift->client, &request, &response, &sink.sink, NULL, &o->call),
              &o->call.err);
    assert_int_equal(response.status, 200);
    assert_int_equal(sink.count, PART);
    buf_reset(&left);
    assert_ok(
        store_container_apply(o->store, o->container, "{\"access\": \"private\"}", &left, &o->call),
        &o->call.err);
}

static void quota(void **state)
{
    struct own *o = *state;
    struct object_key key = own_key(o, "too much");
    struct put_options options = {.size = 5};
    struct put_result result = PUT_RESULT_INIT;
    auto_free char *path = swift_path(o->container, NULL);
    struct source_bytes from;

    own_raw(o, "POST", path, "X-Container-Meta-Quota-Bytes", "1");
    source_bytes_init(&from, "bytes", 5);
    int put = store_put(o->store, &key, &options, &from.source, &result, &o->call);
    own_raw(o, "POST", path, "X-Container-Meta-Quota-Bytes", "");
    assert_int_equal(put, -1);
    assert_int_equal(o->call.err.code, ERR_QUOTA);
}

static void segment_containers_are_not_listed(void **state)
{
    struct own *o = *state;
    auto_container_list struct container_list page = CONTAINER_LIST_INIT;
    auto_free char *segments = swift_segments_container(o->swift, o->container);
    bool found = false;

    assert_ok(swift_segments_create(o->swift, o->container, &o->call), &o->call.err);
    assert_ok(store_container_list(o->store, NULL, &page, &o->call), &o->call.err);
    for (size_t i = 0; i < page.count; i++) {
        assert_string_not_equal(page.list[i].name, segments);
        found |= strcmp(page.list[i].name, o->container) == 0;
    }
    assert_true(found);
}

static void container_metadata(void **state)
{
    struct own *o = *state;
    auto_free char *name = xasprintf("%s-m", o->container);
    auto_container struct container given = CONTAINER_INIT, told = CONTAINER_INIT;

    pairs_add(&given.metadata, "Cost_Centre", "12");
    pairs_add(&given.metadata, "owner", "me");
    given.access = xstrdup("container");
    assert_ok(store_container_create(o->store, name, &given, &o->call), &o->call.err);
    assert_ok(store_container_stat(o->store, name, &told, &o->call), &o->call.err);
    assert_string_equal(told.access, "container");
    pairs_sort(&told.metadata);
    assert_true(pairs_equal(&told.metadata, &given.metadata));
    assert_ok(store_container_remove(o->store, name, &o->call), &o->call.err);
}

/* --------------------------------------------------------------------- life */

static int set_up(void **state)
{
    struct own *o = xcalloc(1, sizeof(*o));
    char random[13];

    if (own_open(&o->store, &o->call) < 0) {
        (void)fprintf(stderr, "%s\n", o->call.err.text);
        return -1;
    }
    o->swift = swift_of(o->store);
    random_hex(random, 6);
    (void)snprintf(o->container, sizeof(o->container), "own-%s", random);
    *state = o;
    return store_container_create(o->store, o->container, NULL, &o->call);
}

static void empty(struct own *o, const char *container)
{
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    struct list_options options = {0};

    if (store_list(o->store, container, &options, &page, &o->call) < 0)
        return;
    for (size_t i = 0; i < page.count; i++) {
        struct object_key key = {.container = container, .name = page.list[i].name};
        if (store_remove(o->store, &key, NULL, &o->call) < 0)
            (void)fprintf(stderr, "%s\n", o->call.err.text);
    }
}

static int tear_down(void **state)
{
    struct own *o = *state;
    auto_free char *segments = swift_segments_container(o->swift, o->container);

    empty(o, o->container);
    empty(o, segments);
    int removed = store_container_remove(o->store, o->container, &o->call);
    if (removed < 0)
        (void)fprintf(stderr, "%s\n", o->call.err.text);
    store_close(o->store);
    free(o);
    return removed;
}

/* Objects for a foreign reader: byte i of seed s is (31 i + i / 251 + 7 s) mod 256. */
static void keep(void **state)
{
    struct own *o = *state;
    size_t n = 5 * PART + 17;
    auto_free unsigned char *large = own_bytes(n, 1), *small = own_bytes(1000, 2);
    auto_object struct object given = OBJECT_INIT;

    given.content_type = xstrdup("text/x-judge");
    pairs_add(&given.metadata, "colour", "blue");
    auto_put_result struct put_result one = own_put(o, "small", small, 1000, &given);
    auto_put_result struct put_result odd =
        own_put(o, "a//b/gr\xc3\xbcn %41?#&+\x01", small, 1000, NULL);
    own_put_large(o, "large", large, n);
}

static int keep_objects(const char *container)
{
    struct own o = {.call = CALL_INIT};
    void *state = &o;

    if (own_open(&o.store, &o.call) < 0) {
        (void)fprintf(stderr, "%s\n", o.call.err.text);
        return 1;
    }
    o.swift = swift_of(o.store);
    (void)snprintf(o.container, sizeof(o.container), "%s", container);
    if (store_container_create(o.store, container, NULL, &o.call) < 0 &&
        o.call.err.code != ERR_EXISTS) {
        (void)fprintf(stderr, "%s\n", o.call.err.text);
        return 1;
    }
    keep(&state);
    store_close(o.store);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replacing_and_removing_large_objects),
        cmocka_unit_test(aborting_what_is_done),
        cmocka_unit_test(foreign_segments_stay),
        cmocka_unit_test(copies_stand_alone),
        cmocka_unit_test(dynamic_large_objects_are_seen),
        cmocka_unit_test(long_names_have_segments),
        cmocka_unit_test(versions),
        cmocka_unit_test(odd_properties),
        cmocka_unit_test(dropped_headers_come_back),
        cmocka_unit_test(damaged_bodies_are_refused),
        cmocka_unit_test(reading_checks_the_md5),
        cmocka_unit_test(settings),
        cmocka_unit_test(public_large_objects_can_be_read),
        cmocka_unit_test(quota),
        cmocka_unit_test(segment_containers_are_not_listed),
        cmocka_unit_test(container_metadata),
    };

    if (!getenv("BED_SWIFT_AUTH_URL")) {
        (void)fprintf(stderr, "skipped: BED_SWIFT_AUTH_URL is not set; start tests/beds/swift\n");
        return SKIP;
    }
    if (argc == 3 && strcmp(argv[1], "keep") == 0)
        return keep_objects(argv[2]);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
