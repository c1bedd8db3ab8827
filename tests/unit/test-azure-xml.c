// SPDX-License-Identifier: EUPL-1.2
/* Azure's XML answers: listings with all that Azure documents (the emulator has no versions, no
 * soft delete, no hierarchy), tags, page ranges, containers. */
#include "unit.h"

#include <stdio.h>

#include "codec/date.h"
#include "store/driver/azure_private.h"
#include "store/driver/azure_xml.h"

/* The fuzz seed that holds everything: read in pieces of this size. */
static void read_full(size_t step, struct object_list *ret)
{
    static char text[64 * 1024];
    auto_azure_page struct azure_page page;
    struct call call = CALL_INIT;
    FILE *file = fopen(AZURE_LIST_SEED, "rb");

    assert_non_null(file);
    size_t n = fread(text, 1, sizeof(text), file);
    (void)fclose(file);
    azure_page_init(&page, 100);
    for (size_t at = 0; at < n; at += step)
        assert_ok(sink_write(&page.reader.sink, text + at, n - at < step ? n - at : step, &call),
                  &call.err);
    assert_ok(azure_page_finish(&page, ret, &call.err), &call.err);
}

static int64_t at_time(const char *text)
{
    int64_t time;
    struct err e = {0};

    assert_ok(date_parse_iso8601(text, &time, &e), &e);
    return time;
}

static void check_first(const struct object *o)
{
    static const unsigned char crc64[8] = {0x65, 0x96, 0x32, 0xcb, 0x7e, 0x4b, 0xe2, 0x61};

    assert_string_equal(o->name, "a b+&.txt");
    assert_int_equal(o->kind, VERSION_CURRENT);
    assert_true(o->is_latest);
    assert_string_equal(o->version, "2026-01-02T03:04:05.1234567Z");
    assert_int_equal(o->size, 11);
    assert_string_equal(o->etag, "0x8DE49C1A5B6C7D8");
    assert_int_equal(o->created, at_time("2026-01-02T03:04:05Z"));
    assert_int_equal(o->modified, at_time("2026-01-03T03:04:05Z"));
    assert_string_equal(o->content_type, "text/plain");
    assert_string_equal(o->content_encoding, "gzip");
    assert_string_equal(o->content_language, "fr");
    assert_string_equal(o->content_disposition, "inline");
    assert_string_equal(o->cache_control, "no-cache");
    assert_int_equal(o->stored.have, 1u << CHECKSUM_MD5 | 1u << CHECKSUM_CRC64);
    assert_memory_equal(o->stored.crc64, crc64, 8);
    assert_string_equal(o->tier, "Archive");
    assert_false(o->tier_inferred);
    assert_true(o->archived);
    assert_string_equal(o->waking, "rehydrate-pending-to-hot");
    assert_true(o->leased);
    assert_string_equal(o->encryption_scope, "scope1");
    assert_string_equal(o->immutable_until, "2027-01-01T00:00:00Z");
    assert_string_equal(o->immutable_mode, "locked");
    assert_true(o->legal_hold);
    assert_string_equal(pairs_get(&o->metadata, "KeyOne"), "v 1");
    assert_string_equal(pairs_get(&o->metadata, "key_two"), "2");
    assert_int_equal(o->tag_count, 2);
    assert_string_equal(pairs_get(&o->tags, "project"), "bascule & co");
    assert_string_equal(pairs_get(&o->tags, "k"), "");
}

static void check_rest(const struct object_list *l)
{
    const struct object *o = l->list;

    assert_int_equal(o[1].kind, VERSION_ID);
    assert_string_equal(o[1].version, "2025-01-02T03:04:05.1234567Z");
    assert_false(o[1].is_latest);
    assert_true(o[1].tier_inferred);
    assert_false(o[1].archived);
    assert_int_equal(o[2].kind, VERSION_SNAPSHOT);
    assert_string_equal(o[2].version, "2026-01-04T00:00:00.0000000Z");
    assert_int_equal(o[2].type, OBJECT_PAGE);
    assert_int_equal(o[2].sequence, 7);
    assert_true(o[2].customer_encrypted);
    assert_int_equal(o[3].kind, VERSION_DELETED);
    assert_int_equal(o[3].type, OBJECT_APPEND);
    assert_int_equal(o[3].deleted, at_time("2026-01-03T00:00:00Z"));
    assert_string_equal(o[4].name, "x\xef\xbf\xbe%y");
    assert_true(o[5].is_folder);
    assert_string_equal(o[5].owner, "$superuser");
    assert_string_equal(o[5].group, "staff");
    assert_string_equal(o[5].acl, "user::rwx,user:alice:r--,group::r-x,mask::r-x,other::---");
    assert_true(o[6].is_folder);
    assert_string_equal(l->prefixes[0], "sub/");
    assert_string_equal(l->prefixes[1], "\x01/");
    assert_string_equal(l->cursor, "2!76!MDAw");
}

static void reads_all_of_a_listing(void **state)
{
    static const size_t steps[] = {1, 7, 4096, 65536};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        auto_object_list struct object_list list = OBJECT_LIST_INIT;
        read_full(steps[i], &list);
        assert_int_equal(list.count, 7);
        assert_int_equal(list.prefix_count, 2);
        check_first(&list.list[0]);
        check_rest(&list);
    }
}

static int read_page(const char *text, size_t most, struct err *e)
{
    auto_azure_page struct azure_page page;
    auto_object_list struct object_list list = OBJECT_LIST_INIT;
    struct call call = CALL_INIT;

    azure_page_init(&page, most);
    int result = sink_write(&page.reader.sink, text, strlen(text), &call);
    if (result == 0)
        result = azure_page_finish(&page, &list, &call.err);
    *e = call.err;
    return result;
}

#define LIST(blobs) "<EnumerationResults><Blobs>" blobs "</Blobs><NextMarker/></EnumerationResults>"

static void refuses_nonsense(void **state)
{
    static const char *const bad[] = {
        "",
        "<EnumerationResults><Blobs>",
        "<Error><Code>x</Code></Error>",
        "hello",
        LIST("<Blob></Blob>"),
        LIST("<Blob><Name/></Blob>"),
        LIST("<Blob><Name Encoded=\"true\">%4</Name></Blob>"),
        LIST("<Blob><Name Encoded=\"true\">a%00b</Name></Blob>"),
        LIST("<Blob><Name>1</Name></Blob><Blob><Name>2</Name></Blob><Blob><Name>3</Name></Blob>"),
        LIST("<BlobPrefix><Name>1</Name></BlobPrefix><BlobPrefix><Name>2</Name></BlobPrefix>"
             "<BlobPrefix><Name>3</Name></BlobPrefix>"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        assert_int_equal(read_page(bad[i], 2, &e), -1);
        assert_true(e.code == ERR_REMOTE || e.code == ERR_INVALID);
    }
    struct err e = {0};
    assert_ok(read_page(LIST("<Blob><Name>1</Name></Blob>"), 2, &e), &e);
}

static int read_ranges(const char *text, struct extent_list *ret, char **next, struct err *e)
{
    auto_azure_ranges struct azure_ranges ranges;
    struct call call = CALL_INIT;

    azure_ranges_init(&ranges, ret);
    int result = sink_write(&ranges.reader.sink, text, strlen(text), &call);
    if (result == 0)
        result = azure_ranges_finish(&ranges, next, &call.err);
    *e = call.err;
    return result;
}

#define RANGE(a, b) "<PageRange><Start>" #a "</Start><End>" #b "</End></PageRange>"

static void reads_page_ranges(void **state)
{
    auto_extents struct extent_list list = {0};
    auto_free char *next = NULL;
    struct err e = {0};

    (void)state;
    assert_ok(
        read_ranges("<PageList>" RANGE(0, 511) RANGE(512, 1023) RANGE(
                        4096, 4607) "<ClearRange><Start>8192</Start><End>9000</End></ClearRange>"
                                    "<NextMarker>m</NextMarker></PageList>",
                    &list, &next, &e),
        &e);
    assert_string_equal(next, "m");
    assert_int_equal(list.count, 2);
    assert_int_equal(list.list[0].offset, 0);
    assert_int_equal(list.list[0].length, 1024);
    assert_int_equal(list.list[1].offset, 4096);
    assert_int_equal(list.list[1].length, 512);
}

static void refuses_bad_ranges(void **state)
{
    static const char *const bad[] = {
        "<PageList>" RANGE(512, 511) "</PageList>",
        "<PageList>" RANGE(-1, 511) "</PageList>",
        "<PageList>" RANGE(1024, 2047) RANGE(0, 511) "</PageList>",
        "<PageList>" RANGE(0, 511) RANGE(0, 511) "</PageList>",
        "<PageList><PageRange><End>511</End></PageRange></PageList>",
        "<PageList>" RANGE(0, 99999999999999999999) "</PageList>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        auto_extents struct extent_list list = {0};
        auto_free char *next = NULL;
        struct err e = {0};
        assert_int_equal(read_ranges(bad[i], &list, &next, &e), -1);
    }
}

static void reads_containers(void **state)
{
    static const char text[] =
        "<EnumerationResults><Containers><Container><Name>one</Name><Properties>"
        "<Last-Modified>Sat, 03 Jan 2026 00:00:00 GMT</Last-Modified><Etag>\"0x1\"</Etag>"
        "<PublicAccess>blob</PublicAccess></Properties><Metadata><Key>v</Key></Metadata>"
        "</Container><Container><Name>two</Name><Deleted>true</Deleted><Version>01D</Version>"
        "<Properties/></Container></Containers><NextMarker>/acct/three</NextMarker>"
        "</EnumerationResults>";
    auto_container_list struct container_list list = CONTAINER_LIST_INIT;
    struct err e = {0};

    (void)state;
    assert_ok(azure_containers_parse(text, strlen(text), &list, &e), &e);
    assert_int_equal(list.count, 2);
    assert_string_equal(list.list[0].name, "one");
    assert_string_equal(list.list[0].etag, "0x1");
    assert_string_equal(list.list[0].access, "blob");
    assert_string_equal(pairs_get(&list.list[0].metadata, "Key"), "v");
    assert_true(list.list[1].deleted);
    assert_string_equal(list.list[1].version, "01D");
    assert_string_equal(list.list[1].access, "private");
    assert_string_equal(list.cursor, "/acct/three");
    assert_int_equal(azure_containers_parse("<x/>", 4, &list, &e), -1);
    assert_int_equal(e.code, ERR_REMOTE);
}

static void tags_come_back(void **state)
{
    auto_pairs struct pairs tags = PAIRS_INIT, back = PAIRS_INIT;
    auto_buf struct buf text = BUF_INIT(4096);
    struct err e = {0};

    (void)state;
    pairs_add(&tags, "a+b", "<c> & \"d\"");
    pairs_add(&tags, "empty", "");
    azure_tags_write(&text, &tags);
    assert_ok(azure_tags_parse(text.data, text.length, &back, &e), &e);
    assert_true(pairs_equal(&tags, &back));
    assert_int_equal(azure_tags_parse("<Tags><TagSet><Tag/></TagSet></Tags>", 36, &back, &e), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_of_a_listing), cmocka_unit_test(refuses_nonsense),
        cmocka_unit_test(reads_page_ranges),      cmocka_unit_test(refuses_bad_ranges),
        cmocka_unit_test(reads_containers),       cmocka_unit_test(tags_come_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
