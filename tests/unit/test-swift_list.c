// SPDX-License-Identifier: EUPL-1.2
/* Listings as a real Swift 2.30 wrote them. */
#include "store/driver/swift_internal.h"
#include "unit.h"

static void parse(const char *text, bool versions, struct object_list *ret)
{
    struct err e;

    assert_ok(swift_listing_parse(text, strlen(text), versions, ret, &e), &e);
}

static void refuse(const char *text)
{
    struct object_list list = OBJECT_LIST_INIT;
    struct err e = {0};

    assert_int_equal(swift_listing_parse(text, strlen(text), false, &list, &e), -1);
    assert_int_equal(e.code, ERR_REMOTE);
    assert_int_equal(list.count, 0);
}

static void plain(void **state)
{
    auto_object_list struct object_list l = OBJECT_LIST_INIT;

    (void)state;
    parse("[{\"subdir\": \"a/\"}, {\"bytes\": 5, \"hash\": \"5d41402abc4b2a76b9719d911017c592\", "
          "\"name\": \"ctl\\u0001\\n\", \"content_type\": \"text/x\", \"last_modified\": "
          "\"2026-11-22T03:28:52.566850\"}, {\"bytes\": 8, \"hash\": "
          "\"e73cdd5bced7b0c55649e080f6ac94d2\", \"name\": \"big\", \"content_type\": "
          "\"image/png\", \"last_modified\": \"2026-11-22T03:32:32.594330\", \"slo_etag\": "
          "\"\\\"e8a6e41ebac78fda80098876b4842f9a\\\"\"}]",
          false, &l);
    assert_int_equal(l.count, 2);
    assert_int_equal(l.prefix_count, 1);
    assert_string_equal(l.prefixes[0], "a/");
    assert_string_equal(l.list[0].name, "ctl\x01\n");
    assert_int_equal(l.list[0].size, 5);
    assert_string_equal(l.list[0].etag, "5d41402abc4b2a76b9719d911017c592");
    assert_int_equal(l.list[0].stored.have, 1U << CHECKSUM_MD5);
    assert_int_equal(l.list[0].stored.md5[0], 0x5d);
    assert_int_equal(l.list[0].modified, INT64_C(1795318132566850000));
    assert_string_equal(l.list[0].content_type, "text/x");
    assert_true(l.list[0].is_latest);
    /* A static large object's own ETag, and no MD5. */
    assert_string_equal(l.list[1].etag, "e8a6e41ebac78fda80098876b4842f9a");
    assert_int_equal(l.list[1].stored.have, 0);
}

static void versions(void **state)
{
    auto_object_list struct object_list l = OBJECT_LIST_INIT;

    (void)state;
    parse("[{\"bytes\": 8, \"hash\": \"25d55ad283aa400af464c76d713c07ad\", \"name\": \"copy\", "
          "\"content_type\": \"image/png\", \"last_modified\": \"2026-11-22T03:32:32.798630\", "
          "\"version_id\": \"null\", \"is_latest\": true}, {\"bytes\": 0, \"hash\": "
          "\"d41d8cd98f00b204e9800998ecf8427e\", \"name\": \"v\", \"content_type\": "
          "\"application/x-deleted;swift_versions_deleted=1\", \"last_modified\": "
          "\"2026-11-22T03:32:33.196290\", \"is_latest\": true, \"version_id\": "
          "\"1795318353.19566\"}, {\"bytes\": 3, \"hash\": \"b8a9f715dbb64fd5c56e7783c6820a61\", "
          "\"name\": \"v\", \"content_type\": \"x/y\", \"last_modified\": "
          "\"2026-11-22T03:32:33.158130\", \"is_latest\": false, \"version_id\": "
          "\"1795318353.15813\"}]",
          true, &l);
    assert_int_equal(l.count, 3);
    assert_int_equal(l.list[0].kind, VERSION_CURRENT);
    assert_true(l.list[0].is_latest);
    assert_int_equal(l.list[1].kind, VERSION_MARKER);
    assert_int_equal(l.list[2].kind, VERSION_ID);
    assert_false(l.list[2].is_latest);
    assert_string_equal(l.list[2].version, "1795318353.15813");
}

static void of_ceph(void **state)
{
    auto_object_list struct object_list l = OBJECT_LIST_INIT;

    (void)state;
    parse("[{\"name\": \"x\", \"hash\": \"5d41402abc4b2a76b9719d911017c592\", \"bytes\": 5, "
          "\"content_type\": \"a/b\", \"last_modified\": \"2026-11-22T03:28:52.566Z\"}]",
          false, &l);
    assert_int_equal(l.list[0].modified, INT64_C(1795318132566000000));
}

static void nonsense(void **state)
{
    (void)state;
    refuse("");
    refuse("{}");
    refuse("[1]");
    refuse("[{\"name\": \"x\"}]");
    refuse("[{\"name\": \"\", \"bytes\": 1}]");
    refuse("[{\"name\": \"x\", \"bytes\": -1}]");
    refuse("[{\"name\": \"x\", \"bytes\": \"1\"}]");
    refuse("[{\"name\": \"x\", \"bytes\": 1, \"last_modified\": \"yesterday\"}]");
    refuse("[{\"name\": \"x\", \"bytes\": 1}");
    refuse("<html>");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(versions),
        cmocka_unit_test(of_ceph),
        cmocka_unit_test(nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
