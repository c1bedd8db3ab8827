// SPDX-License-Identifier: EUPL-1.2
/* The S3 driver reading, listing and being refused, against scripted answers. */
#include "s3-script.h"

static const struct object_key key = {.container = "b", .name = "k"};

static void looks_at_everything(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_object struct object o = OBJECT_INIT;
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"HEAD",
          "https://s3.example/b/k",
          {"x-amz-content-sha256: "
           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
          200,
          {"Content-Length: 11", "ETag: \"" MD5_OF_HELLO "\"",
           "Last-Modified: Sun, 22 Nov 2026 10:00:00 GMT", "Content-Type: text/plain",
           "Content-Encoding: aws-chunked,gzip", "X-Amz-Meta-Colour: blue",
           "x-amz-storage-class: GLACIER", "x-amz-restore: ongoing-request=\"true\"",
           "x-amz-version-id: null", "x-amz-object-lock-legal-hold: ON"},
          NULL});
    assert_ok(store_stat(s, &key, &o, &call), &call.err);
    assert_int_equal(o.size, 11);
    assert_string_equal(o.etag, MD5_OF_HELLO);
    assert_string_equal(o.content_type, "text/plain");
    assert_string_equal(o.content_encoding, "gzip");
    assert_string_equal(pairs_get(&o.metadata, "colour"), "blue");
    assert_true(o.archived && o.legal_hold);
    assert_string_equal(o.waking, "ongoing");
    assert_null(o.version);
    assert_true(o.stored.have == 1U << CHECKSUM_MD5);
    PLAYED();
    s3_script_close(s, &memory);
}

/* With somebody's keys the ETag is no MD5, however much it looks like one. */
static void believes_no_etag_of_encrypted_objects(void **state)
{
    static const char *const why[] = {"x-amz-server-side-encryption: aws:kms",
                                      "x-amz-server-side-encryption-customer-algorithm: AES256"};
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call = CALL_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(why); i++) {
        auto_object struct object o = OBJECT_INIT;
        PLAY({"HEAD",
              "/b/k",
              {NULL},
              200,
              {"Content-Length: 11", "ETag: \"" MD5_OF_HELLO "\"", why[i]},
              NULL});
        assert_ok(store_stat(s, &key, &o, &call), &call.err);
        assert_int_equal(o.stored.have, 0);
        assert_int_equal(o.customer_encrypted, i == 1);
        PLAYED();
    }
    s3_script_close(s, &memory);
}

static int get(struct store *s, struct get_options options, struct buf *into, struct call *call)
{
    struct sink_buf sink;

    *call = (struct call)CALL_INIT;
    buf_reset(into);
    sink_buf_init(&sink, into);
    return store_get(s, &key, &options, &sink.sink, NULL, NULL, call);
}

static void reads_ranges_of_one_version(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_buf struct buf text = BUF_INIT(1000);
    struct call call;

    (void)state;
    PLAY({"GET",
          "/b/k",
          {"Range: bytes=6-10", "If-Match: \"e\""},
          206,
          {"ETag: \"e\"", "Content-Range: bytes 6-10/11"},
          "World"},
         {"GET", "/b/k", {"!Range", "!If-Match"}, 200, {"ETag: \"e\""}, "Hello World"},
         {"GET",
          "/b/k",
          {"Range: bytes=6-"},
          206,
          {"ETag: \"e\"", "Content-Range: bytes 6-10/11"},
          "World"});
    assert_ok(get(s, (struct get_options){.offset = 6, .length = 5, .if_match = "e"}, &text, &call),
              &call.err);
    assert_string_equal(text.data, "World");
    assert_ok(get(s, (struct get_options){.length = STORE_TO_END}, &text, &call), &call.err);
    assert_string_equal(text.data, "Hello World");
    assert_ok(get(s, (struct get_options){.offset = 6, .length = STORE_TO_END}, &text, &call),
              &call.err);
    assert_string_equal(text.data, "World");
    PLAYED();
    s3_script_close(s, &memory);
}

/* A service that says 200 to everything must not make us write the wrong bytes. */
static void sees_through_obliging_services(void **state)
{
    static const struct {
        int status;
        const char *etag, *range;
        enum err_code code;
    } answers[] = {
        {206, "ETag: \"new\"", "Content-Range: bytes 6-10/11", ERR_CHANGED}, /* If-Match ignored */
        {200, "ETag: \"e\"", NULL, ERR_REMOTE},                              /* Range ignored */
        {206, "ETag: \"e\"", "Content-Range: bytes 0-4/11", ERR_REMOTE},     /* another range */
        {206, "ETag: \"e\"", NULL, ERR_REMOTE},                              /* or none told */
        {206, "ETag: \"e\"", "Content-Range: bytes 6-10/*", ERR_REMOTE},     /* or no size */
    };
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_buf struct buf text = BUF_INIT(1000);
    struct call call;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        PLAY({"GET",
              "/b/k",
              {NULL},
              answers[i].status,
              {answers[i].etag, answers[i].range},
              "Hello"});
        assert_int_equal(
            get(s, (struct get_options){.offset = 6, .length = 5, .if_match = "e"}, &text, &call),
            -1);
        if (call.err.code != answers[i].code)
            fail_msg("answer %zu: %s", i, call.err.text);
        assert_int_equal(text.length, 0);
        PLAYED();
    }
    s3_script_close(s, &memory);
}

static void reads_nothing_of_an_empty_object(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_buf struct buf text = BUF_INIT(1000);
    struct call call;

    (void)state;
    PLAY({"GET",
          "/b/k",
          {"Range: bytes=0-9"},
          416,
          {NULL},
          "<Error><Code>InvalidRange</Code></Error>"},
         {"HEAD", "/b/k", {NULL}, 200, {"Content-Length: 0", "ETag: \"e\""}, NULL},
         {"GET",
          "/b/k",
          {"Range: bytes=5-9"},
          416,
          {NULL},
          "<Error><Code>InvalidRange</Code></Error>"});
    assert_ok(get(s, (struct get_options){.length = 10}, &text, &call), &call.err);
    assert_int_equal(get(s, (struct get_options){.offset = 5, .length = 5}, &text, &call), -1);
    assert_int_equal(call.err.code, ERR_RANGE);
    PLAYED();
    s3_script_close(s, &memory);
}

static void says_what_a_refusal_means(void **state)
{
    static const struct {
        int status;
        const char *code;
        enum err_code reason;
        const char *says;
    } refusals[] = {
        {403, "AccessDenied", ERR_DENIED, "policy"},
        {403, "SignatureDoesNotMatch", ERR_UNKNOWN_WHO, "secret key"},
        {403, "InvalidAccessKeyId", ERR_UNKNOWN_WHO, "access key"},
        {403, "RequestTimeTooSkewed", ERR_CLOCK, "2026-11-22T10:20:00Z"},
        {404, "NoSuchBucket", ERR_NOT_FOUND, "no such bucket"},
        {404, "NoSuchKey", ERR_NOT_FOUND, "NoSuchKey"},
        {503, "SlowDown", ERR_BUSY, "fewer"},
        {503, "", ERR_BUSY, "503"},
        {429, "Whatever", ERR_BUSY, "Whatever"},
        {403, "QuotaExceeded", ERR_QUOTA, "quota"},
        {403, "InvalidObjectState", ERR_ARCHIVED, "woken"},
        {412, "PreconditionFailed", ERR_CHANGED, "PreconditionFailed"},
        {400, "KeyTooLongError", ERR_NAME, "longer"},
        {500, "InternalError", ERR_REMOTE, "InternalError"},
        {500, "", ERR_REMOTE, "500"},
        {501, "NotImplemented", ERR_UNSUPPORTED, "not offer"},
        {400, "AuthorizationHeaderMalformed", ERR_UNKNOWN_WHO, "'de', not 'gra'"},
        {301, "PermanentRedirect", ERR_INVALID, "s3.elsewhere.example"},
        {418, "", ERR_INVALID, "418"},
    };
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_buf struct buf text = BUF_INIT(1000);
    struct call call;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
        auto_free char *body = xasprintf(
            "<Error><Code>%s</Code><Message>m</Message>%s</Error>", refusals[i].code,
            refusals[i].status == 301   ? "<Endpoint>s3.elsewhere.example</Endpoint>"
            : refusals[i].status == 400 ? "<Region>de</Region>"
            : refusals[i].reason == ERR_CLOCK
                ? "<RequestTime>now</RequestTime><ServerTime>2026-11-22T10:20:00Z</ServerTime>"
                : "");
        PLAY({"GET",
              "/b/k",
              {NULL},
              refusals[i].status,
              {"Retry-After: 7"},
              *refusals[i].code ? body : ""});
        assert_int_equal(get(s, (struct get_options){.length = 5}, &text, &call), -1);
        if (call.err.code != refusals[i].reason || !strstr(call.err.text, refusals[i].says))
            fail_msg("%d %s: %s: %s", refusals[i].status, refusals[i].code, err_word(call.err.code),
                     call.err.text);
        assert_int_equal(call.err.retry_after, 7);
        assert_null(strstr(call.err.text, "SECRET"));
        PLAYED();
    }
    s3_script_close(s, &memory);
}

/* A HEAD has no body to say more. */
static void knows_statuses_alone(void **state)
{
    static const struct {
        int status;
        enum err_code reason;
    } statuses[] = {{404, ERR_NOT_FOUND},  {403, ERR_DENIED}, {412, ERR_CHANGED},
                    {304, ERR_UNMODIFIED}, {503, ERR_BUSY},   {500, ERR_REMOTE},
                    {0, ERR_NETWORK}};
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        auto_object struct object o = OBJECT_INIT;
        struct call call = CALL_INIT;
        PLAY({"HEAD", "/b/k", {NULL}, statuses[i].status, {NULL}, NULL});
        assert_int_equal(store_stat(s, &key, &o, &call), -1);
        assert_int_equal(call.err.code, statuses[i].reason);
        PLAYED();
    }
    s3_script_close(s, &memory);
}

static int list(struct store *s, struct list_options options, struct object_list *ret,
                struct call *call)
{
    *call = (struct call)CALL_INIT;
    return store_list(s, "b", &options, ret, call);
}

#define PAGE(name, more)                                                             \
    "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>" name "</Key>" \
    "<Size>1</Size></Contents>" more "</ListBucketResult>"
#define LAST "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"

static void lists_page_after_page(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call;

    (void)state;
    auto_object_list struct object_list page = OBJECT_LIST_INIT, last = OBJECT_LIST_INIT;
    PLAY({"GET",
          "/b?list-type=2&max-keys=1000&prefix=p%2F%20&delimiter=%2F&encoding-type=url",
          {NULL},
          200,
          {NULL},
          PAGE("p/ x", "<NextContinuationToken>1/+=&amp;</NextContinuationToken>")},
         {"GET", "&continuation-token=1%2F%2B%3D%26", {NULL}, 200, {NULL}, LAST});
    assert_ok(list(s, (struct list_options){.prefix = "p/ ", .delimiter = "/"}, &page, &call),
              &call.err);
    assert_string_equal(page.list[0].name, "p/ x");
    assert_ok(list(s,
                   (struct list_options){.prefix = "p/ ", .delimiter = "/", .cursor = page.cursor},
                   &last, &call),
              &call.err);
    assert_null(last.cursor);
    PLAYED();
    s3_script_close(s, &memory);
}

/* Ceph encodes the names, but not the token, which is one of them. */
static void lists_what_xml_cannot_hold(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call;

    (void)state;
    auto_object_list struct object_list page = OBJECT_LIST_INIT, last = OBJECT_LIST_INIT;
    auto_object_list struct object_list raw = OBJECT_LIST_INIT;
    PLAY({"GET",
          "/b?list-type=2&max-keys=1000&encoding-type=url",
          {NULL},
          200,
          {NULL},
          PAGE("bell%07x", "<EncodingType>url</EncodingType>"
                           "<NextContinuationToken>bell&#x7;x</NextContinuationToken>")},
         {"GET", "&start-after=bell%07x", {NULL}, 200, {NULL}, LAST},
         {"GET", "/b?list-type=2", {NULL}, 200, {NULL}, PAGE("bell&#x7;x", "")});
    assert_ok(list(s, (struct list_options){0}, &page, &call), &call.err);
    assert_string_equal(page.list[0].name, "bell\ax");
    assert_ok(list(s, (struct list_options){.cursor = page.cursor}, &last, &call), &call.err);
    /* Names that are not encoded cannot be trusted then. */
    assert_int_equal(list(s, (struct list_options){0}, &raw, &call), -1);
    assert_int_equal(call.err.code, ERR_REMOTE);
    PLAYED();
    s3_script_close(s, &memory);
}

static void lists_as_the_provider_needs_it(void **state)
{
    static const struct provider_s3 old = {.quirks = 1U << QUIRK_LIST_V1_ONLY |
                                                     1U << QUIRK_LIST_URL_ENCODING_OFF,
                                           .limits = {.list_page_max = 100}};
    struct memory memory;
    struct store *s = s3_script_open(&old, &memory, s3_strict);
    struct call call;

    (void)state;
    auto_object_list struct object_list page = OBJECT_LIST_INIT, last = OBJECT_LIST_INIT;
    auto_object_list struct object_list versions = OBJECT_LIST_INIT;
    PLAY({"GET", "/b?max-keys=100", {NULL}, 200, {NULL}, PAGE("a+b%41", "")},
         {"GET", "/b?max-keys=7&marker=a%2Bb%2541", {NULL}, 200, {NULL}, LAST},
         {"GET",
          "/b?versions=&max-keys=100",
          {NULL},
          200,
          {NULL},
          "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>"});
    assert_true(s->traits.name_refuses & NAME_NO_NON_XML);
    assert_ok(list(s, (struct list_options){.limit = 0}, &page, &call), &call.err);
    assert_string_equal(page.list[0].name, "a+b%41");
    assert_ok(list(s, (struct list_options){.limit = 7, .cursor = page.cursor}, &last, &call),
              &call.err);
    assert_ok(list(s, (struct list_options){.include = LIST_VERSIONS}, &versions, &call),
              &call.err);
    PLAYED();
    s3_script_close(s, &memory);
}

static void refuses_listings_that_stop_short(void **state)
{
    static const char *const bodies[] = {
        PAGE("a", ""),                              /* goes on, and does not say where */
        "<ListBucketResult><Contents><Key>a</Key>", /* cut off */
        "<html>proxy</html>",
        "",
    };
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct call call;
        PLAY({"GET", "/b?", {NULL}, 200, {NULL}, bodies[i]});
        assert_int_equal(list(s, (struct list_options){.limit = 0}, &page, &call), -1);
        assert_int_equal(call.err.code, ERR_REMOTE);
        PLAYED();
    }
    s3_script_close(s, &memory);
}

static void reaches(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call = CALL_INIT;
    int64_t ahead = 0;

    (void)state;
    PLAY({"GET",
          "https://s3.example/",
          {NULL},
          200,
          {"Date: Fri, 22 Nov 2030 10:00:00 GMT"},
          "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"},
         {"GET", "/", {NULL}, 403, {NULL}, "<Error><Code>AccessDenied</Code></Error>"},
         {"GET", "/", {NULL}, 403, {NULL}, "<Error><Code>SignatureDoesNotMatch</Code></Error>"},
         {"GET", "/", {NULL}, 200, {NULL}, "<html>It works!</html>"});
    assert_ok(store_reach(s, &ahead, &call), &call.err);
    assert_true(ahead > INT64_C(86400) * CLOCK_SECOND);
    assert_ok(store_reach(s, &ahead, &call), &call.err);
    assert_int_equal(store_reach(s, &ahead, &call), -1);
    assert_int_equal(call.err.code, ERR_UNKNOWN_WHO);
    call = (struct call)CALL_INIT;
    assert_int_equal(store_reach(s, &ahead, &call), -1);
    assert_non_null(strstr(call.err.text, "is this an S3 endpoint"));
    PLAYED();
    s3_script_close(s, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_at_everything),
        cmocka_unit_test(believes_no_etag_of_encrypted_objects),
        cmocka_unit_test(reads_ranges_of_one_version),
        cmocka_unit_test(sees_through_obliging_services),
        cmocka_unit_test(reads_nothing_of_an_empty_object),
        cmocka_unit_test(says_what_a_refusal_means),
        cmocka_unit_test(knows_statuses_alone),
        cmocka_unit_test(lists_page_after_page),
        cmocka_unit_test(lists_what_xml_cannot_hold),
        cmocka_unit_test(lists_as_the_provider_needs_it),
        cmocka_unit_test(refuses_listings_that_stop_short),
        cmocka_unit_test(reaches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
