// SPDX-License-Identifier: EUPL-1.2
/* Containers, lists, leases and service properties through the Azure door, answers as on the wire.
 */
#include <strings.h>

#include "azblob-bed.h"
#include "codec/url.h"

static void put(struct azblob_bed *b, const char *target, const char *more)
{
    auto_free char *headers = xasprintf("x-ms-blob-type: BlockBlob%s", more ? more : "");

    assert_status(azblob_ask(b, "PUT", target, headers, "hello"), 201);
}

/* A bed's container "c" is one letter, which a request may not name. */
static void make_container(struct azblob_bed *b)
{
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container", NULL, ""), 201);
}

static void every_answer_names_itself(void **state)
{
    struct azblob_bed *b = *state;
    size_t echoes = 0;

    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container",
                             "x-ms-client-request-id: mine\nx-ms-version: 2031-01-01", ""),
                  201);
    assert_string_equal(bed_header(b, "x-ms-client-request-id"), "mine");
    assert_string_equal(bed_header(b, "x-ms-version"), "2031-01-01");
    assert_int_equal(strlen(bed_header(b, "x-ms-request-id")), 36);
    assert_true(strncmp(bed_header(b, "ETag"), "\"0x", 3) == 0);
    assert_non_null(bed_header(b, "Last-Modified"));
    assert_refused(
        azblob_ask(b, "PUT", "/acct/photos?restype=container", "x-ms-client-request-id: mine", ""),
        409, "ContainerAlreadyExists");
    for (size_t i = 0; i < b->headers.count; i++)
        echoes += strcasecmp(b->headers.list[i].key, "x-ms-client-request-id") == 0;
    assert_int_equal(echoes, 1);
    assert_true(strncmp(b->answer.data,
                        "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>"
                        "ContainerAlreadyExists</Code><Message>The specified container already "
                        "exists.\nRequestId:",
                        130) == 0);
    assert_has("\nTime:20");
    assert_string_equal(bed_header(b, "Content-Type"), "application/xml");
    assert_refused(azblob_ask(b, "GET", "/acct/?comp=list", "x-ms-version: yesterday", ""), 400,
                   "InvalidHeaderValue");
    assert_has("<HeaderName>x-ms-version</HeaderName><HeaderValue>yesterday</HeaderValue>");
}

static void errors_to_head_have_no_body(void **state)
{
    struct azblob_bed *b = *state;

    assert_refused(azblob_ask(b, "HEAD", "/acct/none?restype=container", NULL, ""), 404,
                   "ContainerNotFound");
    assert_int_equal(b->answer.length, 0);
    assert_null(bed_header(b, "Content-Type"));
}

static void refuses_what_is_no_operation(void **state)
{
    struct azblob_bed *b = *state;

    assert_refused(azblob_ask(b, "GET", "/acct/photos?restype=container&comp=x", NULL, ""), 400,
                   "InvalidQueryParameterValue");
    assert_has("<QueryParameterName>comp</QueryParameterName>");
    assert_refused(azblob_ask(b, "POST", "/acct/photos?restype=container&comp=list", NULL, ""), 405,
                   "UnsupportedHttpVerb");
    assert_refused(azblob_ask(b, "BREW", "/acct/photos?restype=container", NULL, ""), 400,
                   "InvalidHttpVerb");
    assert_refused(azblob_ask(b, "POST", "/acct/photos/b?comp=query", NULL, ""), 400,
                   "UnsupportedQueryParameter");
    assert_refused(azblob_ask(b, "GET", "/acct/photos/b", "x-ms-encryption-key: k", ""), 400,
                   "UnsupportedHeader");
    assert_has("<HeaderName>x-ms-encryption-key</HeaderName>");
}

static void judges_names(void **state)
{
    struct azblob_bed *b = *state;

    assert_refused(azblob_ask(b, "PUT", "/acct/c1?restype=container", NULL, ""), 400,
                   "OutOfRangeInput");
    assert_refused(azblob_ask(b, "PUT", "/acct/Photos?restype=container", NULL, ""), 400,
                   "InvalidResourceName");
    assert_refused(azblob_ask(b, "PUT", "/acct/a--b?restype=container", NULL, ""), 400,
                   "InvalidResourceName");
    assert_status(azblob_ask(b, "PUT", "/acct/$root?restype=container", NULL, ""), 201);
    assert_refused(azblob_ask(b, "PUT", "/acct/$root/a/b", "x-ms-blob-type: BlockBlob", ""), 400,
                   "InvalidResourceName");
    /* Without a container it lies in $root. */
    put(b, "/acct/top.txt", NULL);
    assert_status(azblob_ask(b, "GET", "/acct/$root/top.txt", NULL, ""), 200);
    assert_string_equal(b->answer.data, "hello");
}

static void keeps_metadata_with_its_case(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container",
                             "x-ms-meta-KeyA: v 1\nx-ms-meta-_b: 2", ""),
                  201);
    assert_status(azblob_ask(b, "HEAD", "/acct/photos?restype=container", NULL, ""), 200);
    assert_string_equal(b->headers.list[2].key, "x-ms-meta-KeyA");
    assert_string_equal(bed_header(b, "x-ms-meta-_b"), "2");
    assert_string_equal(bed_header(b, "x-ms-lease-state"), "available");
    assert_string_equal(bed_header(b, "x-ms-has-immutability-policy"), "false");
    assert_refused(
        azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=metadata", "x-ms-meta-1a: x", ""),
        400, "InvalidMetadata");
    assert_refused(
        azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=metadata", "x-ms-meta-: x", ""),
        400, "EmptyMetadataKey");
    assert_status(
        azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=metadata", "x-ms-meta-c: 3", ""),
        200);
    assert_status(azblob_ask(b, "GET", "/acct/photos?restype=container&comp=metadata", NULL, ""),
                  200);
    assert_null(bed_header(b, "x-ms-meta-KeyA"));
    assert_string_equal(bed_header(b, "x-ms-meta-c"), "3");
    assert_null(bed_header(b, "x-ms-lease-state"));
}

static void keeps_policies(void **state)
{
    struct azblob_bed *b = *state;

    make_container(b);
    assert_status(
        azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl",
                   "x-ms-blob-public-access: blob",
                   "<SignedIdentifiers><SignedIdentifier><Id>one &amp; two</Id><AccessPolicy>"
                   "<Start>2026-01-01</Start><Permission>rl</Permission></AccessPolicy>"
                   "</SignedIdentifier></SignedIdentifiers>"),
        200);
    assert_status(azblob_ask(b, "GET", "/acct/photos?restype=container&comp=acl", NULL, ""), 200);
    assert_string_equal(bed_header(b, "x-ms-blob-public-access"), "blob");
    assert_string_equal(
        b->answer.data,
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><SignedIdentifiers><SignedIdentifier><Id>one "
        "&amp; two</Id><AccessPolicy><Start>2026-01-01T00:00:00.0000000Z</Start><Permission>rl"
        "</Permission></AccessPolicy></SignedIdentifier></SignedIdentifiers>");
    assert_refused(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl", NULL, "<Signed"),
                   400, "InvalidXmlDocument");
    assert_refused(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl", NULL,
                              "<SignedIdentifiers><SignedIdentifier><Id>a</Id><AccessPolicy>"
                              "<Expiry>soon</Expiry></AccessPolicy></SignedIdentifier>"
                              "</SignedIdentifiers>"),
                   400, "InvalidXmlNodeValue");
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=acl", NULL, ""), 200);
    assert_status(azblob_ask(b, "GET", "/acct/photos?restype=container&comp=acl", NULL, ""), 200);
    assert_null(bed_header(b, "x-ms-blob-public-access"));
    assert_has_not("<Id>");
}

#define LEASE1 "1eaef8d0-b68a-457e-9634-a18644232025"
#define LEASE2 "2eaef8d0-b68a-457e-9634-a18644232025"

static void leases(void **state)
{
    struct azblob_bed *b = *state;
    const char *target = "/acct/photos?restype=container&comp=lease";

    make_container(b);
    assert_refused(azblob_ask(b, "PUT", target, NULL, ""), 400, "MissingRequiredHeader");
    assert_refused(
        azblob_ask(b, "PUT", target, "x-ms-lease-action: acquire\nx-ms-lease-duration: 5", ""), 400,
        "InvalidHeaderValue");
    assert_status(azblob_ask(b, "PUT", target,
                             "x-ms-lease-action: acquire\nx-ms-lease-duration: -1\n"
                             "x-ms-proposed-lease-id: " LEASE1,
                             ""),
                  201);
    assert_string_equal(bed_header(b, "x-ms-lease-id"), LEASE1);
    assert_refused(azblob_ask(b, "DELETE", "/acct/photos?restype=container", NULL, ""), 412,
                   "LeaseIdMissing");
    assert_refused(
        azblob_ask(b, "DELETE", "/acct/photos?restype=container", "x-ms-lease-id: " LEASE2, ""),
        412, "LeaseIdMismatchWithContainerOperation");
    assert_refused(
        azblob_ask(b, "PUT", target, "x-ms-lease-action: renew\nx-ms-lease-id: " LEASE2, ""), 409,
        "LeaseIdMismatchWithLeaseOperation");
    assert_status(
        azblob_ask(b, "PUT", target, "x-ms-lease-action: renew\nx-ms-lease-id: " LEASE1, ""), 200);
    assert_status(
        azblob_ask(b, "PUT", target, "x-ms-lease-action: break\nx-ms-lease-break-period: 0", ""),
        202);
    assert_string_equal(bed_header(b, "x-ms-lease-time"), "0");
    assert_status(azblob_ask(b, "DELETE", "/acct/photos?restype=container", NULL, ""), 202);
}

static void lists_containers(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container", "x-ms-meta-k: v&w", ""),
                  201);
    azblob_bed_settings(b, NULL);
    assert_status(azblob_ask(b, "GET", "/acct/?comp=list&include=metadata", NULL, ""), 200);
    assert_has("<EnumerationResults ServiceEndpoint=\"http://127.0.0.1:10000/acct\">"
               "<Containers><Container><Name>c</Name>");
    assert_has("<Metadata><k>v&amp;w</k></Metadata>");
    assert_has("</Containers><NextMarker></NextMarker></EnumerationResults>");
    assert_status(azblob_ask(b, "GET", "/acct/?comp=list&prefix=x", NULL, ""), 200);
    assert_has("<Prefix>x</Prefix><Containers></Containers>");
    assert_status(azblob_ask(b, "GET", "/acct?comp=list", NULL, ""), 200);
    assert_refused(azblob_ask(b, "GET", "/acct/?comp=list&maxresults=0", NULL, ""), 400,
                   "OutOfRangeQueryParameterValue");
    assert_refused(azblob_ask(b, "GET", "/acct/?comp=list&include=all", NULL, ""), 400,
                   "InvalidQueryParameterValue");
}

#define LIST "/acct/photos?restype=container&comp=list"

static void lists_blobs(void **state)
{
    struct azblob_bed *b = *state;

    make_container(b);
    put(b, "/acct/photos/dir/one", "\nx-ms-meta-Key: a<b\nx-ms-tags: t=1&u=2");
    put(b, "/acct/photos/dir/two", NULL);
    put(b, "/acct/photos/zoo%20%26%20a", NULL);
    put(b, "/acct/photos/%01%EF%BF%BE", NULL);
    assert_status(azblob_ask(b, "GET", LIST "&include=metadata%2Ctags", NULL, ""), 200);
    assert_has("<EnumerationResults ServiceEndpoint=\"http://127.0.0.1:10000/acct\" "
               "ContainerName=\"photos\"><Blobs><Blob><Name Encoded=\"true\">%01%EF%BF%BE</Name>");
    assert_has("<Name>dir/one</Name><Properties><Creation-Time>");
    assert_has("<Etag>0x");
    assert_has("<Content-Length>5</Content-Length><Content-Type>");
    assert_has("<TagCount>2</TagCount></Properties><Metadata><Key>a&lt;b</Key></Metadata><Tags>"
               "<TagSet><Tag><Key>t</Key><Value>1</Value></Tag>");
    assert_has("<Name>zoo &amp; a</Name>");
    assert_has("</Blobs><NextMarker></NextMarker></EnumerationResults>");
    assert_status(azblob_ask(b, "GET", LIST "&delimiter=%2F&prefix=d", NULL, ""), 200);
    assert_has("<Prefix>d</Prefix><Delimiter>/</Delimiter><Blobs><BlobPrefix><Name>dir/</Name>"
               "</BlobPrefix></Blobs>");
    assert_has_not("<Metadata>");
    assert_refused(azblob_ask(b, "GET", "/acct/none?restype=container&comp=list", NULL, ""), 404,
                   "ContainerNotFound");
}

static void lists_page_by_page(void **state)
{
    struct azblob_bed *b = *state;
    auto_free char *target = NULL;
    unsigned pages = 0;

    make_container(b);
    for (int i = 0; i < 7; i++) {
        auto_free char *name = xasprintf("/acct/photos/b%d", i);
        put(b, name, NULL);
    }
    target = xstrdup(LIST "&maxresults=3");
    while (target) {
        assert_status(azblob_ask(b, "GET", target, NULL, ""), 200);
        auto_free char *name = xasprintf("<Name>b%u</Name>", 3 * pages);
        assert_has(name);
        pages++;
        const char *next = strstr(b->answer.data, "<NextMarker>") + strlen("<NextMarker>");
        size_t n = strcspn(next, "<");
        auto_buf struct buf escaped = BUF_INIT(4096);
        url_escape(&escaped, next, n, URL_KEEP_UNRESERVED);
        free(target);
        target = n ? xasprintf(LIST "&maxresults=3&marker=%s", escaped.data) : NULL;
    }
    assert_int_equal(pages, 3);
}

static void lists_between(void **state)
{
    struct azblob_bed *b = *state;

    make_container(b);
    put(b, "/acct/photos/a", NULL);
    put(b, "/acct/photos/b", NULL);
    put(b, "/acct/photos/b0", NULL);
    put(b, "/acct/photos/c", NULL);
    assert_status(azblob_ask(b, "GET", LIST "&startFrom=b&endBefore=c", NULL, ""), 200);
    assert_has_not("<Name>a</Name>");
    assert_has("<Name>b</Name>");
    assert_has("<Name>b0</Name>");
    assert_has_not("<Name>c</Name>");
    assert_has("<NextMarker></NextMarker>");
}

static void lists_history(void **state)
{
    struct azblob_bed *b = *state;

    azblob_bed_settings(b, "{\"versioning\":true,\"delete_retention_days\":7}");
    make_container(b);
    put(b, "/acct/photos/a", NULL);
    put(b, "/acct/photos/a", NULL);
    assert_status(azblob_ask(b, "PUT", "/acct/photos/a?comp=snapshot", NULL, ""), 201);
    put(b, "/acct/photos/gone", NULL);
    assert_status(azblob_ask(b, "DELETE", "/acct/photos/gone", NULL, ""), 202);
    assert_status(azblob_ask(b, "GET", LIST, NULL, ""), 200);
    assert_has_not("VersionId");
    assert_has_not("gone");
    assert_status(azblob_ask(b, "GET", LIST "&include=versions,snapshots", NULL, ""), 200);
    assert_has("<VersionId>20");
    assert_has("<IsCurrentVersion>true</IsCurrentVersion>");
    assert_has("<Snapshot>20");
    assert_status(azblob_ask(b, "GET", LIST "&include=deletedwithversions", NULL, ""), 200);
    assert_has("<Name>gone</Name><VersionId>");
    assert_has("<HasVersionsOnly>true</HasVersionsOnly>");
    const char *first = strstr(b->answer.data, "<HasVersionsOnly>");
    assert_null(strstr(first + 1, "<HasVersionsOnly>"));
}

static void keeps_service_properties(void **state)
{
    struct azblob_bed *b = *state;
    const char *target = "/acct/?restype=service&comp=properties";

    azblob_bed_settings(b, "{\"mine\":7}");
    assert_status(azblob_ask(b, "GET", target, NULL, ""), 200);
    assert_has("<Cors></Cors><DeleteRetentionPolicy><Enabled>false</Enabled>");
    assert_status(
        azblob_ask(b, "PUT", target, NULL,
                   "\xEF\xBB\xBF<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>"
                   "https://a.example,https://b.example</AllowedOrigins><AllowedMethods>GET,PUT"
                   "</AllowedMethods><AllowedHeaders>x-ms-*</AllowedHeaders><ExposedHeaders>"
                   "x-ms-meta-*</ExposedHeaders><MaxAgeInSeconds>60</MaxAgeInSeconds></CorsRule>"
                   "</Cors><DeleteRetentionPolicy><Enabled>true</Enabled><Days>9</Days>"
                   "</DeleteRetentionPolicy></StorageServiceProperties>"),
        202);
    assert_status(azblob_ask(b, "PUT", target, NULL,
                             "<StorageServiceProperties><StaticWebsite><Enabled>true</Enabled>"
                             "<IndexDocument>index.html</IndexDocument><ErrorDocument404Path>"
                             "404.html</ErrorDocument404Path></StaticWebsite>"
                             "</StorageServiceProperties>"),
                  202);
    assert_status(azblob_ask(b, "GET", target, NULL, ""), 200);
    assert_has("<AllowedMethods>GET,PUT</AllowedMethods>");
    assert_has("<Days>9</Days>");
    assert_has("<IndexDocument>index.html</IndexDocument>");
    auto_account_row struct account_row row = account_row_new();
    assert_ok(service_account_get(b->below->service, "acct", &row, &b->below->call),
              &b->below->call.err);
    assert_non_null(strstr(row.settings, "\"mine\":7"));
    assert_refused(azblob_ask(b, "PUT", target, NULL,
                              "<StorageServiceProperties><Cors><CorsRule><AllowedOrigins>*"
                              "</AllowedOrigins></CorsRule></Cors></StorageServiceProperties>"),
                   400, "MissingRequiredXmlNode");
    assert_refused(azblob_ask(b, "PUT", target, NULL, "<Other/>"), 400, "InvalidXmlDocument");
}

static void answers_other_origins(void **state)
{
    struct azblob_bed *b = *state;

    azblob_bed_settings(
        b, "{\"cors\":[{\"origins\":\"https://a.example\",\"methods\":\"GET,PUT\",\"headers\":"
           "\"x-ms-*, content-type\",\"exposed\":\"x-ms-*\",\"max_age\":60}]}");
    b->unsigned_too = true;
    assert_status(azblob_ask(b, "OPTIONS", "/acct/photos/a",
                             "Origin: https://a.example\nAccess-Control-Request-Method: PUT\n"
                             "Access-Control-Request-Headers: X-MS-date,content-type",
                             ""),
                  200);
    assert_string_equal(bed_header(b, "Access-Control-Allow-Origin"), "https://a.example");
    assert_string_equal(bed_header(b, "Access-Control-Max-Age"), "60");
    assert_refused(azblob_ask(b, "OPTIONS", "/acct/photos/a",
                              "Origin: https://a.example\nAccess-Control-Request-Method: DELETE",
                              ""),
                   403, "CorsPreflightFailure");
    assert_refused(azblob_ask(b, "OPTIONS", "/acct/photos/a",
                              "Origin: https://a.example\nAccess-Control-Request-Method: PUT\n"
                              "Access-Control-Request-Headers: x-other",
                              ""),
                   403, "CorsPreflightFailure");
    b->unsigned_too = false;
    assert_status(azblob_ask(b, "GET", "/acct/?comp=list", "Origin: https://a.example", ""), 200);
    assert_string_equal(bed_header(b, "Access-Control-Expose-Headers"), "x-ms-*");
    assert_status(azblob_ask(b, "GET", "/acct/?comp=list", "Origin: https://x.example", ""), 200);
    assert_null(bed_header(b, "Access-Control-Allow-Origin"));
}

static void serves_a_website(void **state)
{
    struct azblob_bed *b = *state;

    azblob_bed_settings(
        b, "{\"website\":{\"enabled\":true,\"index\":\"index.html\",\"error\":\"404.html\"}}");
    assert_status(azblob_ask(b, "PUT", "/acct/$web?restype=container", NULL, ""), 201);
    put(b, "/acct/$web/index.html", "\nx-ms-blob-content-type: text/html");
    put(b, "/acct/$web/404.html", NULL);
    put(b, "/acct/$web/docs/index.html", NULL);
    b->unsigned_too = true;
    b->host = "acct.z6.web.storage.example.eu";
    assert_status(azblob_ask(b, "GET", "/", NULL, ""), 200);
    assert_string_equal(bed_header(b, "Content-Type"), "text/html");
    assert_string_equal(b->answer.data, "hello");
    assert_status(azblob_ask(b, "GET", "/docs/", NULL, ""), 200);
    assert_status(azblob_ask(b, "GET", "/nope", NULL, ""), 404);
    assert_string_equal(b->answer.data, "hello");
    assert_status(azblob_ask(b, "GET", "/index.html", "Range: bytes=1-2", ""), 206);
    assert_string_equal(b->answer.data, "el");
    assert_refused(azblob_ask(b, "DELETE", "/index.html", NULL, ""), 405, "UnsupportedHttpVerb");
    azblob_bed_settings(b, NULL);
    assert_refused(azblob_ask(b, "GET", "/", NULL, ""), 404, "WebContentNotFound");
}

static void finds_by_tags(void **state)
{
    struct azblob_bed *b = *state;

    make_container(b);
    put(b, "/acct/photos/a", "\nx-ms-tags: s=Done");
    put(b, "/acct/photos/b", "\nx-ms-tags: s=Open");
    assert_status(azblob_ask(b, "GET", "/acct/?comp=blobs&where=%22s%22%3D%27Done%27", NULL, ""),
                  200);
    assert_has("<Where>&quot;s&quot;=&apos;Done&apos;</Where><Blobs><Blob><Name>a</"
               "Name><ContainerName>photos"
               "</ContainerName><Tags><TagSet><Tag><Key>s</Key><Value>Done</Value></Tag></TagSet>"
               "</Tags></Blob></Blobs><NextMarker></NextMarker>");
    assert_status(azblob_ask(b, "GET",
                             "/acct/photos?restype=container&comp=blobs&where=s%3D%27Open%27", NULL,
                             ""),
                  200);
    assert_refused(azblob_ask(b, "GET", "/acct/?comp=blobs&where=nonsense", NULL, ""), 400,
                   "InvalidQueryParameterValue");
    assert_refused(azblob_ask(b, "GET", "/acct/?comp=blobs", NULL, ""), 400,
                   "MissingRequiredQueryParameter");
}

static void restores_containers(void **state)
{
    struct azblob_bed *b = *state;

    azblob_bed_settings(b, "{\"container_retention_days\":7}");
    make_container(b);
    put(b, "/acct/photos/a", NULL);
    assert_status(azblob_ask(b, "DELETE", "/acct/photos?restype=container", NULL, ""), 202);
    assert_status(azblob_ask(b, "GET", "/acct/?comp=list&include=deleted", NULL, ""), 200);
    const char *version = strstr(b->answer.data, "<Version>");
    assert_non_null(version);
    version += strlen("<Version>");
    auto_free char *headers =
        xasprintf("x-ms-deleted-container-name: photos\nx-ms-deleted-container-version: %.*s",
                  (int)strcspn(version, "<"), version);
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container&comp=undelete", headers, ""),
                  201);
    assert_status(azblob_ask(b, "GET", "/acct/photos/a", NULL, ""), 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        azblob_test(every_answer_names_itself),
        azblob_test(errors_to_head_have_no_body),
        azblob_test(refuses_what_is_no_operation),
        azblob_test(judges_names),
        azblob_test(keeps_metadata_with_its_case),
        azblob_test(keeps_policies),
        azblob_test(leases),
        azblob_test(lists_containers),
        azblob_test(lists_blobs),
        azblob_test(lists_page_by_page),
        azblob_test(lists_between),
        azblob_test(lists_history),
        azblob_test(keeps_service_properties),
        azblob_test(answers_other_origins),
        azblob_test(serves_a_website),
        azblob_test(finds_by_tags),
        azblob_test(restores_containers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
