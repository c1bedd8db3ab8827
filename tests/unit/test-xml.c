// SPDX-License-Identifier: EUPL-1.2
/* XML: a listing read in pieces, small documents, limits, and writing that reads back. */
#include "unit.h"

#include "codec/xml-mend.h"
#include "codec/xml.h"

static const char listing[] =
    "\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"utf-8\"?>"
    "<EnumerationResults ServiceEndpoint=\"http://h/\" ContainerName=\"c&amp;d\"><Blobs>\n"
    "<Blob><Name>a &lt;b&gt; \xc3\xbc</Name><Properties><Content-Length>5</Content-Length>"
    "<Empty/></Properties></Blob>"
    "<Blob><Name Encoded=\"true\">x%EF%BF%BE</Name></Blob>"
    "<BlobPrefix><Name> p/ </Name></BlobPrefix>"
    "</Blobs><NextMarker /></EnumerationResults>";

static const char expected[] = "+EnumerationResults+EnumerationResults/Blobs"
                               "(EnumerationResults/Blobs/Blob/Name=a <b> \xc3\xbc)"
                               "(EnumerationResults/Blobs/Blob/Properties/Content-Length=5)"
                               "(EnumerationResults/Blobs/Blob/Properties/Empty=)"
                               "(EnumerationResults/Blobs/Blob/Name=x%EF%BF%BE Encoded=true)"
                               "(EnumerationResults/Blobs/BlobPrefix/Name= p/ )"
                               "(EnumerationResults/NextMarker=)";

static int note_start(void *context, const struct xml_event *event, struct err *e)
{
    (void)e;
    if (event->depth <= 2 && strcmp(event->name, "NextMarker") != 0)
        buf_printf(context, "+%s", event->path);
    return 0;
}

static int note_end(void *context, const struct xml_event *event, struct err *e)
{
    (void)e;
    if (event->depth < 2 || strcmp(event->name, "Blobs") == 0 || strcmp(event->name, "Blob") == 0 ||
        strcmp(event->name, "BlobPrefix") == 0 || strcmp(event->name, "Properties") == 0)
        return 0;
    assert_int_equal(strlen(event->text), event->length);
    buf_printf(context, "(%s=%s", event->path, event->text);
    if (event->attributes->count)
        buf_printf(context, " %s=%s", event->attributes->list[0].key,
                   event->attributes->list[0].value);
    buf_char(context, ')');
    return 0;
}

/* U+FFFD for what XML cannot hold, however it is written; all else as it was. */
static void test_mending(void **state)
{
    static const struct {
        const char *given, *mended;
    } cases[] = {
        {"<a>b &amp; &lt; &#x41; &#65; \xc3\xa9 \xef\xbb\xbf\xef\xbf\xbd</a>", NULL},
        {"a&#x1;b", "a\xef\xbf\xbd"
                    "b"},
        {"&#1;&#x0001;&#31;", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"&#xfffe;&#xD800;", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\x01\x1f", "\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xef\xbf\xbe|\xef\xbf\xbf", "\xef\xbf\xbd|\xef\xbf\xbd"},
        {"&\x01;", "&\xef\xbf\xbd;"},
        {"&#&#1;\xef&#2", "&#\xef\xbf\xbd\xef&#2"},
        {"&#9;&#xA;&#13;&#x10ffff;", NULL},
        {"&#x110000;", "\xef\xbf\xbd"},
        {"&#;&#x;&#99999999999999999999", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *wanted = cases[i].mended ? cases[i].mended : cases[i].given;
        size_t length = strlen(cases[i].given);
        for (size_t piece = 1; piece <= length; piece++) {
            auto_buf struct buf out = BUF_INIT(1000);
            struct call call = CALL_INIT;
            struct sink_buf sink;
            struct xml_mender m;

            sink_buf_init(&sink, &out);
            xml_mender_init(&m, &sink.sink);
            for (size_t at = 0; at < length; at += piece)
                assert_ok(sink_write(&m.sink, cases[i].given + at,
                                     length - at < piece ? length - at : piece, &call),
                          &call.err);
            assert_ok(xml_mender_finish(&m, &call), &call.err);
            assert_string_equal(out.data, wanted);
            assert_int_equal(m.mended, cases[i].mended != NULL);
        }
    }
}

static void test_pieces(void **state)
{
    (void)state;
    for (size_t piece = 1; piece <= sizeof(listing); piece += piece < 20 ? 1 : 97) {
        auto_buf struct buf seen = BUF_INIT(4096);
        struct call call = CALL_INIT;
        auto_xml_reader struct xml_reader r;

        xml_reader_init(&r, 1000, 10000, note_start, note_end, &seen);
        for (size_t at = 0; at < sizeof(listing) - 1; at += piece) {
            size_t n = sizeof(listing) - 1 - at < piece ? sizeof(listing) - 1 - at : piece;
            assert_ok(sink_write(&r.sink, listing + at, n, &call), &call.err);
        }
        assert_ok(xml_reader_finish(&r, &call.err), &call.err);
        assert_string_equal(seen.data, expected);
    }
}

static void test_cut_off(void **state)
{
    (void)state;
    for (size_t length = 0; length < sizeof(listing) - 1; length++) {
        struct err e = {0};
        auto_xml_reader struct xml_reader r;
        xml_reader_init(&r, 1000, 10000, NULL, NULL, NULL);
        assert_ok(xml_reader_feed(&r, listing, length, &e), &e);
        assert_int_equal(xml_reader_finish(&r, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

static int refuse_name(void *context, const struct xml_event *event, struct err *e)
{
    int *calls = context;

    if (strcmp(event->name, "Name") != 0)
        return 0;
    (*calls)++;
    return err_set(e, ERR_NAME, "no such names here");
}

static void test_callback_stops(void **state)
{
    (void)state;
    struct err e = {0};
    int calls = 0;
    auto_xml_reader struct xml_reader r;

    xml_reader_init(&r, 1000, 10000, NULL, refuse_name, &calls);
    assert_int_equal(xml_reader_feed(&r, listing, sizeof(listing) - 1, &e), -1);
    assert_int_equal(e.code, ERR_NAME);
    assert_int_equal(calls, 1);
    err_clear(&e);
    assert_int_equal(xml_reader_feed(&r, "<a/>", 4, &e), -1);
    assert_int_equal(xml_reader_finish(&r, &e), -1);
    assert_int_equal(e.code, ERR_NAME);
}

static void refused(const char *text, const char *why)
{
    struct err e = {0};
    struct xml_node *node = NULL;

    if (xml_parse(text, strlen(text), &node, &e) != -1)
        fail_msg("accepted: %s", text);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(node);
    if (!strstr(e.text, why))
        fail_msg("'%s' does not say '%s'", e.text, why);
}

static void test_refuses(void **state)
{
    (void)state;
    auto_buf struct buf deep = BUF_INIT(10000);

    refused("", "no element");
    refused("text", "line 1 column 1");
    refused("<a>", "no element found");
    refused("<a></b>", "mismatched");
    refused("<a/><b/>", "line 1 column 5");
    refused("<a>&x;</a>", "undefined entity");
    refused("<a>\x01</a>", "not well-formed");
    refused("<a>\xff</a>", "not well-formed");
    refused("<a b='1' b='2'/>", "duplicate");
    refused("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "document types");
    refused("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "document types");
    for (int i = 0; i < 33; i++)
        buf_text(&deep, "<a>");
    refused(deep.data, "too deeply");
    buf_reset(&deep);
    for (int i = 0; i < 4; i++) {
        buf_char(&deep, '<');
        for (int j = 0; j < 1500; j++)
            buf_char(&deep, 'n');
        buf_char(&deep, '>');
    }
    refused(deep.data, "too long");
}

static void test_ceilings(void **state)
{
    (void)state;
    struct err e = {0};
    auto_xml_reader struct xml_reader text, total;

    xml_reader_init(&text, 4, 1000, NULL, NULL, NULL);
    assert_ok(xml_reader_feed(&text, "<a>1234<b>1234</b>", 18, &e), &e);
    assert_int_equal(xml_reader_feed(&text, "<b>12345</b>", 12, &e), -1);
    assert_non_null(strstr(e.text, "more than 4 bytes"));
    xml_reader_init(&total, 4, 10, NULL, NULL, NULL);
    assert_ok(xml_reader_feed(&total, "<a>", 3, &e), &e);
    assert_int_equal(xml_reader_feed(&total, "12345678", 8, &e), -1);
    assert_non_null(strstr(e.text, "larger than 10 bytes"));
    assert_int_equal(xml_reader_feed(&total, "</a>", 4, &e), -1);
}

static void test_tree(void **state)
{
    (void)state;
    static const char text[] =
        "<s:SignedIdentifiers xmlns:s='urn:x'>\n <SignedIdentifier><Id>1</Id>"
        "<AccessPolicy><Start>a&amp;b</Start></AccessPolicy></SignedIdentifier>\n"
        "<Other x:kind='k' xmlns:x='urn:y'/><SignedIdentifier><Id><![CDATA[<2>]]></Id>"
        "</SignedIdentifier></s:SignedIdentifiers>";
    struct err e = {0};
    auto_xml struct xml_node *root = NULL;

    assert_ok(xml_parse(text, sizeof(text) - 1, &root, &e), &e);
    assert_string_equal(root->name, "SignedIdentifiers");
    assert_string_equal(root->text, "");
    const struct xml_node *first = xml_child(root, "SignedIdentifier");
    assert_non_null(first);
    assert_string_equal(xml_text(first, "AccessPolicy/Start"), "a&b");
    assert_null(xml_text(first, "AccessPolicy/Expiry"));
    assert_null(xml_text(first, "Start"));
    const struct xml_node *second = xml_next(first);
    assert_non_null(second);
    assert_string_equal(xml_text(second, "Id"), "<2>");
    assert_null(xml_next(second));
    assert_string_equal(pairs_get(&xml_child(root, "Other")->attributes, "kind"), "k");
    assert_null(xml_child(NULL, "a"));
}

static void test_writing_reads_back(void **state)
{
    (void)state;
    static const char odd[] = " <a>&\"'\t\r\n\r \xc3\xbc\xf0\x9f\x98\x80]]> ";
    struct err e = {0};
    auto_buf struct buf b = BUF_INIT(4096);
    auto_xml struct xml_node *root = NULL;

    xml_head(&b);
    xml_open(&b, "Tags");
    xml_element(&b, "Key", odd);
    buf_text(&b, "<V k=\"");
    xml_escape(&b, odd);
    buf_text(&b, "\"/>");
    xml_element(&b, "Bad", "a\x01\xff\xef\xbf\xbfz");
    xml_close(&b, "Tags");
    assert_ok(xml_parse(b.data, b.length, &root, &e), &e);
    assert_string_equal(xml_text(root, "Key"), odd);
    assert_string_equal(pairs_get(&xml_child(root, "V")->attributes, "k"), odd);
    assert_string_equal(xml_text(root, "Bad"), "a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mending), cmocka_unit_test(test_pieces),
        cmocka_unit_test(test_cut_off), cmocka_unit_test(test_callback_stops),
        cmocka_unit_test(test_refuses), cmocka_unit_test(test_ceilings),
        cmocka_unit_test(test_tree),    cmocka_unit_test(test_writing_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
