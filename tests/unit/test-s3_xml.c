// SPDX-License-Identifier: EUPL-1.2
/* What the S3 driver reads: listings of three kinds, and errors. */
#include "unit.h"

#include "codec/xml.h"
#include "store/driver/s3_private.h"

static int read_page(struct s3_page *page, const char *text, size_t step, struct err *e)
{
    auto_xml_reader struct xml_reader reader;
    size_t length = strlen(text);

    xml_reader_init(&reader, 64 * 1024, S3_XML_MAX, s3_page_start, s3_page_end, page);
    for (size_t at = 0; at < length; at += step)
        if (xml_reader_feed(&reader, text + at, length - at < step ? length - at : step, e) < 0)
            return -1;
    return xml_reader_finish(&reader, e);
}

/* As Amazon's reference and Ceph's gateway write it. */
static const char version_two[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<Name>b</Name><Prefix></Prefix><MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>"
    "<Contents><Key>a%2F%2Fb+c%2Bd%01</Key><LastModified>2026-11-22T10:00:00.123Z</LastModified>"
    "<ETag>&quot;b10a8db164e0754105b7a99be72e3fe5&quot;</ETag><Size>11</Size>"
    "<StorageClass>STANDARD</StorageClass><Owner><ID>x</ID><DisplayName>x</DisplayName></Owner>"
    "</Contents>"
    "<Contents><Key>big</Key><LastModified>soon</LastModified>"
    "<ETag>\"0123456789abcdef0123456789abcdef-3\"</ETag><Size>18446744073709551615</Size>"
    "<StorageClass>GLACIER</StorageClass></Contents>"
    "<CommonPrefixes><Prefix>p%C3%A9/</Prefix></CommonPrefixes>"
    "<EncodingType>url</EncodingType>"
    "<NextContinuationToken>t+k%3D</NextContinuationToken></ListBucketResult>";

static void test_version_two(void **state)
{
    (void)state;
    for (size_t step = 1; step < 60; step += 29) {
        cleanup(s3_page_release) struct s3_page page = {.decode = true};
        struct err e = {0};
        assert_ok(read_page(&page, version_two, step, &e), &e);
        assert_true(page.finished && page.truncated);
        assert_string_equal(page.next_token, "t+k%3D");
        assert_int_equal(page.list.count, 2);
        const struct object *o = &page.list.list[0];
        assert_string_equal(o->name, "a//b c+d\x01");
        assert_int_equal(o->size, 11);
        assert_string_equal(o->etag, "b10a8db164e0754105b7a99be72e3fe5");
        assert_true(o->stored.have & (1U << CHECKSUM_MD5));
        assert_true(o->modified == INT64_C(1795341600123000000));
        assert_false(o->archived);
        o = &page.list.list[1];
        assert_true(o->size == UINT64_MAX && o->archived);
        assert_int_equal(o->stored.have, 0);
        assert_true(o->modified == TIME_UNKNOWN);
        assert_int_equal(page.list.prefix_count, 1);
        assert_string_equal(page.list.prefixes[0], "p\xc3\xa9/");
    }
}

/* A service that was not asked to encode, or did not heed it, means what it writes. */
static void test_names_not_encoded(void **state)
{
    static const char text[] =
        "<ListBucketResult><Contents><Key>100%25+x</Key><Size>0</Size></Contents>"
        "<Contents><Key>a &amp; b</Key><Size>0</Size></Contents>"
        "<CommonPrefixes><Prefix>z/</Prefix></CommonPrefixes></ListBucketResult>";
    cleanup(s3_page_release) struct s3_page page = {.decode = true};
    struct err e = {0};

    (void)state;
    assert_ok(read_page(&page, text, 7, &e), &e);
    assert_string_equal(page.list.list[0].name, "100%25+x");
    assert_string_equal(page.list.list[1].name, "a & b");
    /* ListObjects without a NextMarker goes on after the last of all. */
    assert_string_equal(page.last, "z/");
    assert_null(page.list.list[0].etag);
}

static const char versions[] =
    "<ListVersionsResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>"
    "<NextKeyMarker>a+b</NextKeyMarker><NextVersionIdMarker>v9</NextVersionIdMarker>"
    "<DeleteMarker><Key>a</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest>"
    "<LastModified>2026-11-22T10:00:00Z</LastModified></DeleteMarker>"
    "<Version><Key>a</Key><VersionId>v2</VersionId><IsLatest>false</IsLatest><Size>2</Size>"
    "</Version>"
    "<Version><Key>a</Key><VersionId>null</VersionId><IsLatest>false</IsLatest><Size>1</Size>"
    "</Version>"
    "<Version><Key>c</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><Size>3</Size>"
    "</Version>"
    "<Version><Key>d</Key><VersionId>v7</VersionId><IsLatest>true</IsLatest><Size>4</Size>"
    "</Version></ListVersionsResult>";

static void test_versions(void **state)
{
    static const struct {
        const char *name, *version;
        enum version_kind kind;
        bool latest;
    } wanted[] = {{"a", "v3", VERSION_MARKER, true},
                  {"a", "v2", VERSION_ID, false},
                  {"a", "null", VERSION_ID, false},
                  {"c", NULL, VERSION_CURRENT, true},
                  {"d", "v7", VERSION_CURRENT, true}};
    cleanup(s3_page_release) struct s3_page page = {.decode = true, .versions = true};
    struct err e = {0};

    (void)state;
    assert_ok(read_page(&page, versions, 13, &e), &e);
    assert_string_equal(page.next_marker, "a b");
    assert_string_equal(page.next_version, "v9");
    assert_int_equal(page.list.count, ARRAY_SIZE(wanted));
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        const struct object *o = &page.list.list[i];
        assert_string_equal(o->name, wanted[i].name);
        assert_true(same_string(o->version, wanted[i].version));
        assert_int_equal(o->kind, wanted[i].kind);
        assert_int_equal(o->is_latest, wanted[i].latest);
    }
}

static void test_listings_refused(void **state)
{
    static const char *const texts[] = {
        "<html></html>",
        "<Error><Code>x</Code></Error>",
        "<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key></Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>1k</Size></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key><Size>18446744073709551616</Size></Contents>"
        "</ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%0</Key></Contents>"
        "</ListBucketResult>",
        "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%00b</Key></Contents>"
        "</ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><ListBucketResult/>",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        cleanup(s3_page_release) struct s3_page page = {.decode = true};
        struct err e = {0};
        if (read_page(&page, texts[i], 100, &e) == 0)
            fail_msg("taken: %s", texts[i]);
        assert_true(e.code == ERR_REMOTE || e.code == ERR_INVALID);
    }
}

static void test_errors(void **state)
{
    struct s3_error e;
    static const char skewed[] =
        "<Error><Code>RequestTimeTooSkewed</Code><Message>The\ndifference</Message>"
        "<RequestTime>20261122T100000Z</RequestTime><ServerTime>2026-11-22T10:20:00Z</ServerTime>"
        "</Error>";
    static const char wrapped[] =
        "<ErrorResponse><Error><Code>SlowDown</Code></Error></ErrorResponse>";

    (void)state;
    s3_error_parse(skewed, strlen(skewed), &e);
    assert_string_equal(e.code, "RequestTimeTooSkewed");
    assert_string_equal(e.message, "The difference");
    assert_string_equal(e.request_time, "20261122T100000Z");
    assert_string_equal(e.server_time, "2026-11-22T10:20:00Z");
    s3_error_parse(wrapped, strlen(wrapped), &e);
    assert_string_equal(e.code, "SlowDown");
    s3_error_parse("<html><Error>", 13, &e);
    assert_string_equal(e.code, "");
    s3_error_parse("", 0, &e);
    assert_string_equal(e.code, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_two), cmocka_unit_test(test_names_not_encoded),
        cmocka_unit_test(test_versions),    cmocka_unit_test(test_listings_refused),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
