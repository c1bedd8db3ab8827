// SPDX-License-Identifier: EUPL-1.2
/* The Azure driver reading, listing and being refused, against scripted answers. */
#include "azure-script.h"

#include <stdio.h>

static const struct object_key key = {.container = "c", .name = "b"};

struct got {
    char text[100];
    enum transport_check check;
    uint64_t size;
};

static int get(struct store *s, uint64_t offset, uint64_t length, struct got *ret,
               struct call *call)
{
    struct sink_bytes sink;
    struct get_options options = {
        .offset = offset, .length = length, .if_match = "0x1", .want_checksum = true};
    auto_object struct object o = OBJECT_INIT;

    *call = (struct call)CALL_INIT;
    memset(ret, 0, sizeof(*ret));
    sink_bytes_init(&sink, ret->text, sizeof(ret->text) - 1);
    int result = store_get(s, &key, &options, &sink.sink, &o, &ret->check, call);
    ret->size = o.size;
    return result;
}

static void checks_crc64_of_a_range(void **state)
{
    struct store *s = script_open(NULL);
    struct got got;
    struct call call;

    (void)state;
    PLAY({"GET",
          "/c/b",
          {"x-ms-range: bytes=5-15", "x-ms-range-get-content-crc64: true", "If-Match: \"0x1\"",
           "!Range", "!Authorization"},
          206,
          {ETAG, RANGED, CRC64},
          "Hello World"},
         {"GET",
          "/c/b",
          {"x-ms-range-get-content-crc64: true"},
          206,
          {ETAG, RANGED, CRC64},
          "Hello world"});
    assert_ok(get(s, 5, 11, &got, &call), &call.err);
    assert_string_equal(got.text, "Hello World");
    assert_int_equal(got.check, TRANSPORT_CRC64);
    assert_int_equal(got.size, 100);
    assert_int_equal(get(s, 5, 11, &got, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    PLAYED();
    store_close(s);
}

/* A service that ignores the header for CRC-64 is asked for MD5, at once and from then on. */
static void falls_back_to_md5(void **state)
{
    struct store *s = script_open(NULL);
    struct got got;
    struct call call;

    (void)state;
    PLAY(
        {"GET", "/c/b", {"x-ms-range-get-content-crc64: true"}, 206, {ETAG, RANGED}, "Hello World"},
        {"GET",
         "/c/b",
         {"x-ms-range-get-content-md5: true", "!x-ms-range-get-content-crc64"},
         206,
         {ETAG, RANGED, MD5},
         "Hello World"},
        {"GET",
         "/c/b",
         {"x-ms-range-get-content-md5: true"},
         206,
         {ETAG, RANGED, MD5},
         "Hello world"},
        {"GET", "/c/b", {"x-ms-range-get-content-md5: true"}, 206, {ETAG, RANGED}, "Hello World"},
        {"GET", "/c/b", {"!x-ms-range-get-content-md5"}, 206, {ETAG, RANGED}, "Hello World"});
    assert_ok(get(s, 5, 11, &got, &call), &call.err);
    assert_int_equal(got.check, TRANSPORT_MD5);
    assert_string_equal(got.text, "Hello World");
    assert_int_equal(get(s, 5, 11, &got, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    assert_ok(get(s, 5, 11, &got, &call), &call.err);
    assert_int_equal(got.check, TRANSPORT_LENGTH);
    assert_ok(get(s, 5, 11, &got, &call), &call.err);
    PLAYED();
    store_close(s);
}

/* "Hello World" as a structured body of one segment. */
static const char structured[] =
    "\x01\x32\0\0\0\0\0\0\0\x01\0\x01\0"
    "\x01\0\x0b\0\0\0\0\0\0\0Hello World\x61\xe2\x4b\x7e\xcb\x32\x96\x65"
    "\x61\xe2\x4b\x7e\xcb\x32\x96\x65";

static void unpacks_structured_bodies(void **state)
{
    struct store *s = script_open(NULL);
    struct got got;
    struct call call;

    (void)state;
    _Static_assert(sizeof(structured) - 1 == 50, "as its header says");
    PLAY({"GET",
          "/c/b",
          {"x-ms-structured-body: XSM/1.0; properties=crc64"},
          200,
          {ETAG, "x-ms-structured-body: XSM/1.0; properties=crc64",
           "x-ms-structured-content-length: 11"},
          structured,
          50},
         {"GET",
          "/c/b",
          {"x-ms-structured-body: XSM/1.0; properties=crc64"},
          200,
          {ETAG},
          "Hello World"},
         {"GET", "/c/b", {"!x-ms-structured-body"}, 200, {ETAG}, "Hello World"});
    assert_ok(get(s, 0, STORE_TO_END, &got, &call), &call.err);
    assert_string_equal(got.text, "Hello World");
    assert_int_equal(got.check, TRANSPORT_CRC64);
    assert_int_equal(got.size, 11);
    for (int i = 0; i < 2; i++) {
        assert_ok(get(s, 0, STORE_TO_END, &got, &call), &call.err);
        assert_string_equal(got.text, "Hello World");
        assert_int_equal(got.check, TRANSPORT_LENGTH);
    }
    PLAYED();
    store_close(s);
}

static void refuses_other_ranges_and_versions(void **state)
{
    struct store *s = script_open(NULL);
    struct got got;
    struct call call;

    (void)state;
    PLAY(
        {"GET", "/c/b", {NULL}, 206, {ETAG, "Content-Range: bytes 6-16/100", CRC64}, "Hello World"},
        {"GET", "/c/b", {NULL}, 200, {ETAG, CRC64}, "Hello World"},
        {"GET", "/c/b", {NULL}, 206, {"ETag: \"0x2\"", RANGED, CRC64}, "Hello World"},
        {"GET", "/c/b", {NULL}, 206, {ETAG, RANGED, CRC64}, "Hello World!"});
    for (int i = 0; i < 4; i++) {
        assert_int_equal(get(s, 5, 11, &got, &call), -1);
        assert_int_equal(call.err.code, i == 2 ? ERR_CHANGED : ERR_REMOTE);
    }
    PLAYED();
    store_close(s);
}

static void reads_an_empty_blob(void **state)
{
    struct store *s = script_open(NULL);
    struct got got;
    struct call call;

    (void)state;
    PLAY(
        {"GET", "/c/b", {"x-ms-range: bytes=0-99"}, 416, {"x-ms-error-code: InvalidRange"}, NULL},
        {"GET", "/c/b", {"!x-ms-range", "If-Match: \"0x1\""}, 200, {ETAG}, ""},
        {"GET", "/c/b", {"x-ms-range: bytes=7-106"}, 416, {"x-ms-error-code: InvalidRange"}, NULL});
    assert_ok(get(s, 0, 100, &got, &call), &call.err);
    assert_int_equal(got.size, 0);
    assert_int_equal(get(s, 7, 100, &got, &call), -1);
    assert_int_equal(call.err.code, ERR_RANGE);
    PLAYED();
    store_close(s);
}

/* One refusal of a HEAD: status, code, extra header; what it must become. */
static const struct {
    int status;
    const char *code, *more;
    enum err_code reason;
    int retry_after;
    const char *says;
} refusals[] = {
    {404, "BlobNotFound", NULL, ERR_NOT_FOUND, 0, "no such blob"},
    {404, "ContainerNotFound", NULL, ERR_NOT_FOUND, 0, "no such container"},
    {404, NULL, NULL, ERR_NOT_FOUND, 0, "404"},
    {503, "ServerBusy", "Retry-After: 7", ERR_BUSY, 7, "ServerBusy"},
    {500, "OperationTimedOut", NULL, ERR_BUSY, 0, "OperationTimedOut"},
    {500, "InternalError", NULL, ERR_REMOTE, 0, "InternalError"},
    {500, NULL, NULL, ERR_REMOTE, 0, "500"},
    {429, NULL, "Retry-After: 99999999999999", ERR_BUSY, 0, "429"},
    {409, "BlobArchived", NULL, ERR_ARCHIVED, 0, "rehydrated"},
    {409, "BlobBeingRehydrated", NULL, ERR_ARCHIVED, 0, "rehydrated"},
    {412, "ConditionNotMet", NULL, ERR_CHANGED, 0, "version asked for"},
    {412, "LeaseIdMissing", NULL, ERR_CONFLICT, 0, "lease"},
    {304, "ConditionNotMet", NULL, ERR_CHANGED, 0, NULL},
    {304, NULL, NULL, ERR_UNMODIFIED, 0, NULL},
    {400, "InvalidResourceName", NULL, ERR_NAME, 0, "name"},
    {403, "AuthorizationFailure", NULL, ERR_DENIED, 0, "anonymous"},
    {403, "AuthenticationFailed", NULL, ERR_UNKNOWN_WHO, 0, "configure credentials"},
    {403, "AuthenticationFailed", "Date: Thu, 01 Jan 2026 00:00:00 GMT", ERR_CLOCK, 0,
     "minutes ahead of"},
};

static void says_what_refusals_mean(void **state)
{
    struct store *s = script_open(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        auto_object struct object o = OBJECT_INIT;
        struct call call = CALL_INIT;
        char code[100] = "x-none: x";
        if (refusals[i].code)
            (void)snprintf(code, sizeof(code), "x-ms-error-code: %s", refusals[i].code);
        PLAY({"HEAD", "/c/b", {NULL}, refusals[i].status, {code, refusals[i].more}, NULL});
        assert_int_equal(store_stat(s, &key, &o, &call), -1);
        assert_int_equal(call.err.code, refusals[i].reason);
        assert_int_equal(call.err.retry_after, refusals[i].retry_after);
        if (refusals[i].says && !strstr(call.err.text, refusals[i].says))
            fail_msg("'%s' does not say '%s'", call.err.text, refusals[i].says);
        PLAYED();
    }
    store_close(s);
}

#define SAS "sv=2024-11-04&sp=r&se=2099-01-01T00%3A00%3A00Z&sr=c&sig=c2VjcmV0c2VjcmV0"

static void says_what_a_sas_lacks_and_hides_it(void **state)
{
    struct store *s = script_open("?" SAS);
    auto_object_list struct object_list list = OBJECT_LIST_INIT;
    struct list_options options = {0};
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"GET",
          "sig=c2VjcmV0c2VjcmV0",
          {"!Authorization"},
          403,
          {"x-ms-error-code: AuthorizationPermissionMismatch"},
          "<Error><Code>AuthorizationPermissionMismatch</Code><Message>no: "
          "https://acct/?sig=c2VjcmV0c2VjcmV0</Message></Error>"},
         {"GET",
          "sig=c2VjcmV0c2VjcmV0",
          {NULL},
          400,
          {NULL},
          "<Error><Code>Odd</Code><Message>url "
          "https://acct/?sig=c2VjcmV0c2VjcmV0</Message></Error>"});
    assert_int_equal(store_list(s, "c", &options, &list, &call), -1);
    assert_int_equal(call.err.code, ERR_DENIED);
    assert_non_null(strstr(call.err.text, "lacks the permission 'l'"));
    assert_int_equal(store_list(s, "c", &options, &list, &call), -1);
    assert_non_null(strstr(call.err.text, "Odd"));
    assert_null(strstr(call.err.text, "c2VjcmV0"));
    PLAYED();
    store_close(s);
}

static void expired_sas_asks_nothing(void **state)
{
    struct store *s = script_open("sv=2024-11-04&sp=r&se=2020-01-01T00%3A00%3A00Z&sr=c&sig=AAAA");
    auto_object struct object o = OBJECT_INIT;
    struct call call = CALL_INIT;
    struct script none = {0};

    (void)state;
    script = &none;
    assert_int_equal(store_stat(s, &key, &o, &call), -1);
    assert_int_equal(call.err.code, ERR_UNKNOWN_WHO);
    assert_non_null(strstr(call.err.text, "expired"));
    store_close(s);
}

/* Another blob must never be read or written instead of the one named. */
static void refuses_names_azure_changes(void **state)
{
    static const char *const bad[] = {"a\\b", "a/../b", "..", ".", "a/.", "./a", "\xff", "a/./b"};
    struct store *s = script_open(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        auto_object struct object o = OBJECT_INIT;
        struct object_key odd = {.container = "c", .name = bad[i]};
        struct call call = CALL_INIT;
        struct script none = {0};
        script = &none;
        assert_int_equal(store_stat(s, &odd, &o, &call), -1);
        assert_int_equal(call.err.code, ERR_NAME);
    }
    store_close(s);
}

static void names_states_in_the_url(void **state)
{
    struct store *s = script_open(NULL);
    const struct object_key keys[] = {
        {"c", "a b/%?#+&", VERSION_CURRENT, NULL},
        {"c", "b", VERSION_SNAPSHOT, "2026-01-02T03:04:05.0000000Z"},
        {"c", "b", VERSION_ID, "2026-01-02T03:04:05.0000000Z"},
    };
    struct object o[3] = {OBJECT_INIT, OBJECT_INIT, OBJECT_INIT};
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"HEAD",
          "https://acct.blob.core.windows.net/c/a%20b/%25%3F%23%2B%26",
          {NULL},
          200,
          {ETAG, "Content-Length: 5", "x-ms-blob-type: PageBlob", "x-ms-meta-HDI_isfolder: true",
           "x-ms-version-id: v9", "x-ms-is-current-version: true"},
          NULL},
         {"HEAD",
          "/c/b?snapshot=2026-01-02T03%3A04%3A05.0000000Z",
          {NULL},
          200,
          {ETAG, "Content-Length: 5"},
          NULL},
         {"HEAD",
          "/c/b?versionid=2026-01-02T03%3A04%3A05.0000000Z",
          {NULL},
          200,
          {ETAG, "Content-Length: 5", "x-ms-access-tier: Archive",
           "x-ms-archive-status: rehydrate-pending-to-cool"},
          NULL});
    for (size_t i = 0; i < 3; i++)
        assert_ok(store_stat(s, &keys[i], &o[i], &call), &call.err);
    assert_int_equal(o[0].size, 5);
    assert_int_equal(o[0].type, OBJECT_PAGE);
    assert_true(o[0].is_folder);
    assert_true(o[0].is_latest);
    assert_string_equal(o[0].version, "v9");
    assert_int_equal(o[1].kind, VERSION_SNAPSHOT);
    assert_true(o[2].archived);
    assert_string_equal(o[2].waking, "rehydrate-pending-to-cool");
    PLAYED();
    for (size_t i = 0; i < 3; i++)
        object_release(&o[i]);
    store_close(s);
}

#define EMPTY_LIST "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>"

static void asks_for_all_a_listing_tells(void **state)
{
    struct store *s = script_open(NULL);
    struct list_options options = {.prefix = "a b",
                                   .delimiter = "/",
                                   .cursor = "m&",
                                   .limit = 9,
                                   .include = LIST_METADATA | LIST_TAGS | LIST_DELETED};
    auto_object_list struct object_list list = OBJECT_LIST_INIT;
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"GET",
          "restype=account&comp=properties",
          {NULL},
          200,
          {"x-ms-is-hns-enabled: true"},
          NULL},
         {"GET",
          "/c?restype=container&comp=list&prefix=a%20b&delimiter=%2F&marker=m%26&maxresults=9&"
          "include=metadata%2Ctags%2Cdeleted%2Cimmutabilitypolicy%2Clegalhold%2Cpermissions",
          {NULL},
          400,
          {"x-ms-error-code: InvalidQueryParameterValue"},
          NULL},
         {"GET", "include=metadata%2Ctags%2Cdeleted", {NULL}, 200, {NULL}, EMPTY_LIST});
    assert_ok(store_list(s, "c", &options, &list, &call), &call.err);
    assert_int_equal(list.count, 0);
    PLAYED();
    store_close(s);
}

static void a_listing_cut_off_is_an_error(void **state)
{
    struct store *s = script_open(NULL);
    struct list_options options = {0};
    auto_object_list struct object_list list = OBJECT_LIST_INIT;
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"GET",
          "comp=list",
          {NULL},
          200,
          {NULL},
          "<EnumerationResults><Blobs><Blob><Name>a</Name></Blob>"},
         {"GET", "comp=list", {NULL}, 200, {NULL}, "<html>busy</wrong>"});
    for (int i = 0; i < 2; i++) {
        assert_int_equal(store_list(s, "c", &options, &list, &call), -1);
        assert_int_equal(call.err.code, ERR_REMOTE);
        assert_int_equal(list.count, 0);
    }
    PLAYED();
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks_crc64_of_a_range),
        cmocka_unit_test(falls_back_to_md5),
        cmocka_unit_test(unpacks_structured_bodies),
        cmocka_unit_test(refuses_other_ranges_and_versions),
        cmocka_unit_test(reads_an_empty_blob),
        cmocka_unit_test(says_what_refusals_mean),
        cmocka_unit_test(says_what_a_sas_lacks_and_hides_it),
        cmocka_unit_test(expired_sas_asks_nothing),
        cmocka_unit_test(refuses_names_azure_changes),
        cmocka_unit_test(names_states_in_the_url),
        cmocka_unit_test(asks_for_all_a_listing_tells),
        cmocka_unit_test(a_listing_cut_off_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
