// SPDX-License-Identifier: EUPL-1.2
/* What the test suites of Microsoft's own libraries (Python, Go) ask of the service, request by
 * request, where no other test here does. */
#include "azblob-bed.h"

#define LEASE   "00000000-1111-2222-3333-444444444444"
#define ACCOUNT "http://" AZBLOB_HOST

static int set_up(void **state)
{
    assert_int_equal(azblob_bed_set_up(state), 0);
    struct azblob_bed *b = *state;
    assert_status(azblob_ask(b, "PUT", "/acct/con?restype=container", NULL, ""), 201);
    assert_status(azblob_ask(b, "PUT", "/acct/con/o",
                             "x-ms-blob-type: BlockBlob\nx-ms-tags: k=a%20b", "hello"),
                  201);
    return 0;
}

/* ---- Answers ---- */

static void both_digests_are_told(void **state)
{
    struct azblob_bed *b = *state;
    static const char md5[] = "Content-MD5: XUFAKrxLKna5cZ2REBfFkg==";

    assert_status(azblob_ask(b, "PUT", "/acct/con/p?comp=block&blockid=MDAx", md5, "hello"), 201);
    assert_string_equal(bed_header(b, "Content-MD5"), "XUFAKrxLKna5cZ2REBfFkg==");
    assert_string_equal(bed_header(b, "x-ms-content-crc64"), "V0JSBnCFdzM=");
    assert_status(azblob_ask(b, "PUT", "/acct/con/a", "x-ms-blob-type: AppendBlob", ""), 201);
    assert_status(azblob_ask(b, "PUT", "/acct/con/a?comp=appendblock", md5, "hello"), 201);
    assert_non_null(bed_header(b, "Content-MD5"));
    assert_string_equal(bed_header(b, "x-ms-content-crc64"), "V0JSBnCFdzM=");
}

/* Of a whole blob's digest there is one name, of a range's another. */
static void digests_of_whole_and_range(void **state)
{
    struct azblob_bed *b = *state;
    static const char md5[] = "XUFAKrxLKna5cZ2REBfFkg==";

    assert_status(azblob_ask(b, "GET", "/acct/con/o", NULL, ""), 200);
    assert_string_equal(bed_header(b, "Content-MD5"), md5);
    assert_null(bed_header(b, "x-ms-blob-content-md5"));
    assert_status(azblob_ask(b, "GET", "/acct/con/o", "x-ms-range: bytes=0-1", ""), 206);
    assert_null(bed_header(b, "Content-MD5"));
    assert_string_equal(bed_header(b, "x-ms-blob-content-md5"), md5);
}

static void tiers_are_told_to_readers(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "GET", "/acct/con/o", NULL, ""), 200);
    assert_string_equal(bed_header(b, "x-ms-access-tier"), "Hot");
    assert_string_equal(bed_header(b, "x-ms-access-tier-inferred"), "true");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=tier", "x-ms-access-tier: Smart", ""),
                  200);
    assert_status(azblob_ask(b, "GET", "/acct/con/o", NULL, ""), 200);
    assert_string_equal(bed_header(b, "x-ms-access-tier"), "Smart");
    assert_string_equal(bed_header(b, "x-ms-smart-access-tier"), "Hot");
    assert_status(azblob_ask(b, "GET", "/acct/con?restype=container&comp=list", NULL, ""), 200);
    assert_has("<AccessTier>Smart</AccessTier><SmartAccessTier>Hot</SmartAccessTier>");
}

static void properties_are_what_they_were_set_to(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=properties",
                             "x-ms-blob-content-md5: MDAwMDAwMDA=\nx-ms-blob-content-type: a/b",
                             ""),
                  200);
    assert_status(azblob_ask(b, "HEAD", "/acct/con/o", NULL, ""), 200);
    assert_string_equal(bed_header(b, "Content-MD5"), "MDAwMDAwMDA=");
    assert_string_equal(bed_header(b, "Content-Type"), "a/b");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o?comp=properties",
                              "x-ms-blob-content-md5: no base64!", ""),
                   400, "InvalidMd5");
    assert_refused(
        azblob_ask(b, "PUT", "/acct/con/o",
                   "x-ms-blob-type: BlockBlob\nx-ms-blob-content-md5: MDAwMDAwMDA=", "x"),
        400, "InvalidMd5");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=properties", NULL, ""), 200);
    assert_status(azblob_ask(b, "HEAD", "/acct/con/o", NULL, ""), 200);
    assert_null(bed_header(b, "Content-Type"));
    assert_null(bed_header(b, "Content-MD5"));
}

/* A body of nothing is one segment of nothing. */
static void nothing_in_a_structured_body(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/con/e", "x-ms-blob-type: BlockBlob", ""), 201);
    assert_status(
        azblob_ask(b, "GET", "/acct/con/e", "x-ms-structured-body: XSM/1.0; properties=crc64", ""),
        200);
    assert_int_equal(b->answer.length, 13 + 10 + 8 + 8);
    assert_int_equal(b->answer.data[11], 1);
}

static void names_without_a_policy(void **state)
{
    struct azblob_bed *b = *state;
    static const char acl[] = "/acct/con?restype=container&comp=acl";
    auto_free char *long_id = xasprintf("<SignedIdentifiers><SignedIdentifier><Id>%065d</Id></"
                                        "SignedIdentifier></SignedIdentifiers>",
                                        1);

    assert_status(azblob_ask(b, "PUT", acl, NULL,
                             "<SignedIdentifiers><SignedIdentifier><Id>e</Id></SignedIdentifier>"
                             "</SignedIdentifiers>"),
                  200);
    assert_status(azblob_ask(b, "GET", acl, NULL, ""), 200);
    assert_has("<SignedIdentifier><Id>e</Id></SignedIdentifier>");
    assert_refused(azblob_ask(b, "PUT", acl, NULL, long_id), 400, "InvalidXmlDocument");
    assert_refused(azblob_ask(b, "PUT", acl, NULL,
                              "<SignedIdentifiers><SignedIdentifier><AccessPolicy/>"
                              "</SignedIdentifier></SignedIdentifiers>"),
                   400, "InvalidXmlDocument");
}

/* ---- Conditions ---- */

static void a_lease_goes_before_a_star(void **state)
{
    struct azblob_bed *b = *state;
    static const char put[] = "x-ms-blob-type: BlockBlob\nIf-None-Match: *";
    static const char held[] = "x-ms-blob-type: BlockBlob\nIf-None-Match: *\nx-ms-lease-id: " LEASE;

    assert_refused(azblob_ask(b, "PUT", "/acct/con/o", put, "x"), 409, "BlobAlreadyExists");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o", held, "x"), 412,
                   "LeaseNotPresentWithBlobOperation");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=lease",
                             "x-ms-lease-action: acquire\nx-ms-lease-duration: "
                             "-1\nx-ms-proposed-lease-id: " LEASE,
                             ""),
                  201);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o", put, "x"), 409, "BlobAlreadyExists");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o", held, "x"), 201);
}

static void staged_blocks_are_of_the_past(void **state)
{
    struct azblob_bed *b = *state;
    static const char list[] = "<BlockList><Latest>MDAx</Latest></BlockList>";

    assert_status(azblob_ask(b, "PUT", "/acct/con/s?comp=block&blockid=MDAx", NULL, "x"), 201);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/s?comp=blocklist",
                              "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT", list),
                   412, "ConditionNotMet");
    assert_status(azblob_ask(b, "PUT", "/acct/con/s?comp=blocklist",
                             "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", list),
                  201);
}

static void conditions_of_tags_and_tiers(void **state)
{
    struct azblob_bed *b = *state;
    static const char past[] = "Thu, 01 Jan 2015 00:00:00 GMT",
                      future[] = "Fri, 01 Jan 2100 00:00:00 GMT";
    static const struct {
        const char *name, *good, *bad;
    } tags[] = {{"x-ms-blob-if-modified-since", past, future},
                {"x-ms-blob-if-unmodified-since", future, past},
                {"x-ms-blob-if-match", "*", "\"0x1\""}},
      tiers[] = {{"x-ms-access-tier-if-modified-since", past, future},
                 {"x-ms-access-tier-if-unmodified-since", future, past}};

    for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
        auto_free char *good = xasprintf("%s: %s", tags[i].name, tags[i].good);
        auto_free char *bad = xasprintf("%s: %s", tags[i].name, tags[i].bad);
        assert_status(azblob_ask(b, "GET", "/acct/con/o?comp=tags", good, ""), 200);
        assert_true(azblob_ask(b, "GET", "/acct/con/o?comp=tags", bad, "") >= 304);
        assert_refused(azblob_ask(b, "PUT", "/acct/con/o?comp=tags", bad, "<Tags><TagSet/></Tags>"),
                       412, "ConditionNotMet");
    }
    for (size_t i = 0; i < ARRAY_SIZE(tiers); i++) {
        auto_free char *good = xasprintf("%s: %s", tiers[i].name, tiers[i].good);
        auto_free char *bad = xasprintf("%s: %s", tiers[i].name, tiers[i].bad);
        assert_refused(azblob_ask(b, "DELETE", "/acct/con/o", bad, ""), 412,
                       "AccessTierChangeTimeConditionNotMet");
        assert_status(azblob_ask(b, "DELETE", "/acct/con/o", good, ""), 202);
        assert_status(azblob_ask(b, "PUT", "/acct/con/o", "x-ms-blob-type: BlockBlob", "x"), 201);
    }
}

static void what_is_asked_wrongly(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/con/p",
                             "x-ms-blob-type: PageBlob\nx-ms-blob-content-length: 512", ""),
                  201);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/p?comp=page",
                              "x-ms-page-write: clear\nx-ms-range: "
                              "bytes=0-511\nx-ms-if-sequence-number-lt: -1",
                              ""),
                   400, "InvalidInput");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o?comp=snapshot&snapshot=2021-01-01", NULL, ""),
                   400, "InvalidQueryParameterValue");
    assert_refused(azblob_ask(b, "GET", "/acct/con/o?versionid=latest", NULL, ""), 400,
                   "InvalidQueryParameterValue");
    assert_refused(
        azblob_ask(b, "PUT", "/acct/con/o?comp=copy&copyid=none", "x-ms-copy-action: abort", ""),
        400, "InvalidQueryParameterValue");
    assert_refused(
        azblob_ask(b, "PUT", "/acct/con?restype=container&comp=undelete",
                   "x-ms-deleted-container-name: con\nx-ms-deleted-container-version: ", ""),
        400, "MissingRequiredHeader");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o?comp=expiry",
                              "x-ms-expiry-option: Absolute\nx-ms-expiry-time: "
                              "Thu, 01 Jan 2015 00:00:00 GMT",
                              ""),
                   400, "InvalidHeaderValue");
}

static void retention_without_its_days(void **state)
{
    struct azblob_bed *b = *state;
    static const char *const policies[] = {"<Enabled>true</Enabled>",
                                           "<Enabled>true</Enabled><Days>366</Days>",
                                           "<Enabled>true</Enabled><Days>many</Days>"};

    for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
        auto_free char *xml = xasprintf("<StorageServiceProperties><DeleteRetentionPolicy>%s"
                                        "</DeleteRetentionPolicy></StorageServiceProperties>",
                                        policies[i]);
        assert_refused(azblob_ask(b, "PUT", "/acct/?restype=service&comp=properties", NULL, xml),
                       400, "InvalidXmlDocument");
    }
}

static void archived_snapshots_are_not_woken(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=snapshot", NULL, ""), 201);
    auto_free char *target =
        xasprintf("/acct/con/o?comp=tier&snapshot=%s", bed_header(b, "x-ms-snapshot"));
    assert_status(azblob_ask(b, "PUT", target, "x-ms-access-tier: Archive", ""), 200);
    assert_refused(azblob_ask(b, "PUT", target, "x-ms-access-tier: Hot", ""), 400,
                   "InvalidBlobTier");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=tier", "x-ms-access-tier: Archive", ""),
                  200);
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=tier", "x-ms-access-tier: Hot", ""), 202);
}

static void tags_are_in_order(void **state)
{
    struct azblob_bed *b = *state;
    static const char sorted[] =
        "<Tag><Key>+x</Key><Value>1</Value></Tag><Tag><Key>GO </Key><Value>2</Value></Tag>"
        "<Tag><Key>go</Key><Value>3</Value></Tag>";

    assert_status(azblob_ask(b, "PUT", "/acct/con/t",
                             "x-ms-blob-type: BlockBlob\nx-ms-tags: go=3&GO%20=2&%2Bx=1", ""),
                  201);
    assert_status(azblob_ask(b, "GET", "/acct/con/t?comp=tags", NULL, ""), 200);
    assert_has(sorted);
    assert_status(azblob_ask(b, "PUT", "/acct/con/t?comp=tags", NULL,
                             "<Tags><TagSet><Tag><Key>go</Key><Value>3</Value></Tag>"
                             "<Tag><Key>GO </Key><Value>2</Value></Tag>"
                             "<Tag><Key>+x</Key><Value>1</Value></Tag></TagSet></Tags>"),
                  204);
    assert_status(azblob_ask(b, "GET", "/acct/con/t?comp=tags", NULL, ""), 200);
    assert_has(sorted);
}

/* ---- Sources of copies ---- */

#define FROM "x-ms-copy-source: " ACCOUNT "/acct/con/o"

static void sources_want_an_authorization_of_their_own(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(azblob_ask(b, "PUT", "/acct/con/copy", FROM, ""), 202);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/copy", FROM "\nx-ms-requires-sync: true", ""),
                   401, "CannotVerifyCopySource");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/put", FROM "\nx-ms-blob-type: BlockBlob", ""),
                   401, "CannotVerifyCopySource");
    assert_string_equal(bed_header(b, "x-ms-copy-source-status-code"), "401");
    assert_string_equal(bed_header(b, "x-ms-copy-source-error-code"),
                        "NoAuthenticationInformation");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/put?comp=block&blockid=MDAx", FROM, ""), 401,
                   "CannotVerifyCopySource");
}

static void conditions_of_sources(void **state)
{
    struct azblob_bed *b = *state;
    static const char none[] =
        "x-ms-blob-type: BlockBlob\nx-ms-copy-source: " ACCOUNT "/acct/con/none";

    assert_status(azblob_ask(b, "PUT", "/acct/con?restype=container&comp=acl",
                             "x-ms-blob-public-access: blob", ""),
                  200);
    assert_status(azblob_ask(b, "PUT", "/acct/con/put", FROM "\nx-ms-blob-type: BlockBlob", ""),
                  201);
    assert_int_equal(azblob_ask(b, "PUT", "/acct/con/put",
                                FROM "\nx-ms-blob-type: BlockBlob\nx-ms-source-if-none-match: *",
                                ""),
                     304);
    assert_string_equal(bed_header(b, "x-ms-error-code"), "CannotVerifyCopySource");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/put",
                              FROM "\nx-ms-blob-type: BlockBlob\nx-ms-source-if-match: \"0x1\"",
                              ""),
                   412, "SourceConditionNotMet");
    assert_status(azblob_ask(b, "PUT", "/acct/con/a", "x-ms-blob-type: AppendBlob", ""), 201);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/a?comp=appendblock",
                              FROM "\nx-ms-source-if-match: \"0x1\"", ""),
                   412, "CannotVerifyCopySource");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/put", none, ""), 404, "CannotVerifyCopySource");
    assert_string_equal(bed_header(b, "x-ms-copy-source-error-code"), "BlobNotFound");
    assert_refused(azblob_ask(b, "PUT", "/acct/con/c", FROM "\nx-ms-source-if-tags: k = 'x'", ""),
                   412, "ConditionNotMet");
    assert_status(azblob_ask(b, "PUT", "/acct/con/c", FROM "\nx-ms-source-if-tags: k = 'a b'", ""),
                  202);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/c", FROM "\nx-ms-source-if-match: \"0x1\"", ""),
                   412, "SourceConditionNotMet");
}

static void seals_are_copied(void **state)
{
    struct azblob_bed *b = *state;
    static const struct {
        const char *more, *wanted;
    } copies[] = {
        {"", "true"}, {"\nx-ms-seal-blob: false", NULL}, {"\nx-ms-seal-blob: true", "true"}};

    assert_status(azblob_ask(b, "PUT", "/acct/con/a", "x-ms-blob-type: AppendBlob", ""), 201);
    assert_status(azblob_ask(b, "PUT", "/acct/con/a?comp=seal", NULL, ""), 200);
    for (size_t i = 0; i < ARRAY_SIZE(copies); i++) {
        auto_free char *headers =
            xasprintf("x-ms-copy-source: %s/acct/con/a%s", ACCOUNT, copies[i].more);
        auto_free char *target = xasprintf("/acct/con/a%zu", i);
        assert_status(azblob_ask(b, "PUT", target, headers, ""), 202);
        assert_status(azblob_ask(b, "HEAD", target, NULL, ""), 200);
        const char *sealed = bed_header(b, "x-ms-blob-sealed");
        assert_true(same_string(sealed, copies[i].wanted));
    }
}

/* ---- Versions ---- */

static void a_snapshot_makes_a_version(void **state)
{
    struct azblob_bed *b = *state;
    static const char list[] = "/acct/con?restype=container&comp=list&include=versions";

    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=snapshot", NULL, ""), 201);
    assert_null(bed_header(b, "x-ms-version-id"));
    azblob_bed_settings(b, "{\"versioning\":true}");
    assert_status(azblob_ask(b, "PUT", "/acct/con/v", "x-ms-blob-type: BlockBlob", "one"), 201);
    auto_free char *first = xstrdup(bed_header(b, "x-ms-version-id"));
    assert_status(azblob_ask(b, "PUT", "/acct/con/v?comp=snapshot", NULL, ""), 201);
    auto_free char *second = xstrdup(bed_header(b, "x-ms-version-id"));
    auto_free char *snapshot = xstrdup(bed_header(b, "x-ms-snapshot"));
    assert_true(strcmp(first, second) < 0 && strcmp(snapshot, second) != 0);
    assert_status(azblob_ask(b, "HEAD", "/acct/con/v", NULL, ""), 200);
    assert_string_equal(bed_header(b, "x-ms-version-id"), second);
    /* All three are the same bytes, and stay when they are overwritten. */
    assert_status(azblob_ask(b, "PUT", "/acct/con/v", "x-ms-blob-type: BlockBlob", "two"), 201);
    char *paths[] = {xasprintf("/acct/con/v?versionid=%s", first),
                     xasprintf("/acct/con/v?versionid=%s", second),
                     xasprintf("/acct/con/v?snapshot=%s", snapshot)};
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        assert_status(azblob_ask(b, "GET", paths[i], NULL, ""), 200);
        assert_string_equal(b->answer.data, "one");
        free(paths[i]);
    }
    assert_status(azblob_ask(b, "GET", list, NULL, ""), 200);
    assert_has(first);
    assert_has(second);
}

static void a_hold_keeps_versions_from_deletion(void **state)
{
    struct azblob_bed *b = *state;

    azblob_bed_settings(b, "{\"versioning\":true}");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=legalhold", "x-ms-legal-hold: true", ""),
                  200);
    assert_refused(azblob_ask(b, "DELETE", "/acct/con/o", NULL, ""), 409,
                   "BlobImmutableDueToLegalHold");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=legalhold", "x-ms-legal-hold: false", ""),
                  200);
    assert_status(azblob_ask(b, "DELETE", "/acct/con/o", NULL, ""), 202);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, azblob_bed_tear_down)
    const struct CMUnitTest tests[] = {
        test(both_digests_are_told),
        test(digests_of_whole_and_range),
        test(tiers_are_told_to_readers),
        test(properties_are_what_they_were_set_to),
        test(nothing_in_a_structured_body),
        test(names_without_a_policy),
        test(a_lease_goes_before_a_star),
        test(staged_blocks_are_of_the_past),
        test(conditions_of_tags_and_tiers),
        test(what_is_asked_wrongly),
        test(retention_without_its_days),
        test(archived_snapshots_are_not_woken),
        test(tags_are_in_order),
        test(sources_want_an_authorization_of_their_own),
        test(conditions_of_sources),
        test(seals_are_copied),
        test(a_snapshot_makes_a_version),
        test(a_hold_keeps_versions_from_deletion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
