// SPDX-License-Identifier: EUPL-1.2
/* The S3 driver writing, proving, trying out and copying, against scripted answers. */
#include "s3-script.h"

static const struct object_key key = {.container = "b", .name = "k"};

static int put(struct store *s, struct put_options options, struct put_result *ret,
               struct call *call)
{
    struct source_bytes from;

    *call = (struct call)CALL_INIT;
    options.size = 11;
    source_bytes_init(&from, "Hello World", 11);
    return store_put(s, &key, &options, &from.source, ret, call);
}

static void signs_what_it_sends(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_object struct object o = OBJECT_INIT;
    struct call call;

    (void)state;
    o.content_type = xstrdup("text/plain");
    o.content_language = xstrdup("fr");
    pairs_add(&o.metadata, "CamelCase", "v");
    pairs_add(&o.tags, "a b", "c&d");
    o.tier = xstrdup("Cool");
    PLAY({"PUT",
          "https://s3.example/b/k",
          {"x-amz-content-sha256: " SHA256_OF_HELLO, "Content-Type: text/plain",
           "x-amz-meta-camelcase: v", "x-amz-tagging: a%20b=c%26d",
           "x-amz-storage-class: STANDARD_IA", "!Content-MD5"},
          200,
          {"ETag: \"" MD5_OF_HELLO "\"", "x-amz-version-id: v1"},
          NULL,
          .in_body = "Hello World"});
    assert_ok(put(s, (struct put_options){.properties = &o}, &result, &call), &call.err);
    assert_string_equal(result.etag, MD5_OF_HELLO);
    assert_string_equal(result.version, "v1");
    /* No MD5 was computed for it: the signature is proof enough. */
    assert_int_equal(result.proof, PROOF_SIGNED);
    PLAYED();
    s3_script_close(s, &memory);
}

static void puts_conditions(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY(
        {"PUT",
         "/b/k",
         {"If-None-Match: *"},
         412,
         {NULL},
         "<Error><Code>PreconditionFailed</Code></Error>"},
        {"PUT", "/b/k", {"If-Match: \"e\""}, 412, {NULL}, NULL},
        {"PUT", "/b/k", {"If-Match: \"e\""}, 404, {NULL}, "<Error><Code>NoSuchKey</Code></Error>"});
    assert_int_equal(put(s, (struct put_options){.if_absent = true}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CHANGED);
    assert_int_equal(put(s, (struct put_options){.if_match = "e"}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CHANGED);
    assert_int_equal(put(s, (struct put_options){.if_match = "e"}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CHANGED);
    PLAYED();
    s3_script_close(s, &memory);
}

static const char *const lax[] = {"payload-hash-enforced=no",
                                  "etag-is-md5=yes",
                                  "conditional-write:b=no",
                                  "if-match-bare=no",
                                  "chunk-signed=no",
                                  "tagging=no",
                                  NULL};

/* Where the signature proves nothing, the MD5 does, and the condition is looked at first. */
static void helps_itself_where_the_service_does_not(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, lax);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_object struct object o = OBJECT_INIT;
    struct call call;

    (void)state;
    pairs_add(&o.tags, "a", "b");
    PLAY({"HEAD", "/b/k", {NULL}, 404, {NULL}, NULL},
         {"PUT",
          "/b/k",
          {"Content-MD5: sQqNsWTgdUEFt6mb5y4/5Q==", "!If-None-Match"},
          200,
          {"ETag: \"" MD5_OF_HELLO "\""},
          NULL},
         {"HEAD", "/b/k", {NULL}, 200, {"Content-Length: 1", "ETag: \"new\""}, NULL});
    assert_ok(put(s, (struct put_options){.if_absent = true}, &result, &call), &call.err);
    assert_int_equal(result.proof, PROOF_ETAG);
    put_result_release(&result);
    assert_int_equal(put(s, (struct put_options){.if_match = "old"}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CHANGED);
    /* Tags that would be dropped are refused before anything is sent. */
    assert_int_equal(put(s, (struct put_options){.properties = &o}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    PLAYED();
    s3_script_close(s, &memory);
}

static void takes_back_what_arrived_wrong(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, lax);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY({"PUT",
          "/b/k",
          {NULL},
          200,
          {"ETag: \"00000000000000000000000000000000\"", "x-amz-version-id: v7"},
          NULL},
         {"DELETE", "/b/k?versionId=v7", {NULL}, 204, {NULL}, NULL});
    assert_int_equal(put(s, (struct put_options){.properties = NULL}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    PLAYED();
    s3_script_close(s, &memory);
}

static void refuses_what_headers_cannot_hold(void **state)
{
    static const struct {
        const char *key, *value;
    } metadata[] = {{"k", "caf\xc3\xa9"}, {"k", "a\nb"}, {"k", " a"}, {"k", "a "},
                    {"k k", "v"},         {"", "v"},     {"k:", "v"}};
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY({NULL});
    for (size_t i = 0; i < ARRAY_SIZE(metadata); i++) {
        auto_object struct object o = OBJECT_INIT;
        pairs_add(&o.metadata, metadata[i].key, metadata[i].value);
        assert_int_equal(put(s, (struct put_options){.properties = &o}, &result, &call), -1);
        assert_int_equal(call.err.code, ERR_INVALID);
    }
    auto_object struct object twins = OBJECT_INIT, control = OBJECT_INIT;
    pairs_add(&twins.metadata, "Key", "1");
    pairs_add(&twins.metadata, "key", "2");
    assert_int_equal(put(s, (struct put_options){.properties = &twins}, &result, &call), -1);
    assert_non_null(strstr(call.err.text, "case"));
    control.cache_control = xstrdup("no-cache\r\nX-Evil: 1");
    assert_int_equal(put(s, (struct put_options){.properties = &control}, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_INVALID);
    assert_int_equal(played.at, 0);
    s3_script_close(s, &memory);
}

#define FIRST "bascule looks what this store checks.\n"
#define OTHER "Nobody should ever find this in here.\n"
#define PROBE "/b/.bascule/probe/"

/* The first put tries what the service does about a wrong hash, and cleans up after itself. */
static void tries_once_and_remembers(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, NULL);
    auto_put_result struct put_result result = PUT_RESULT_INIT, again = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY({"PUT", PROBE, {NULL}, 200, {"ETag: \"odd\""}, NULL, .in_body = FIRST},
         {"PUT",
          PROBE,
          {NULL},
          400,
          {NULL},
          "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>",
          .in_body = OTHER},
         {"GET", PROBE, {NULL}, 200, {NULL}, FIRST}, {"DELETE", PROBE, {NULL}, 204, {NULL}, NULL},
         {"PUT", "/b/k", {NULL}, 200, {"ETag: \"odd2\""}, NULL},
         {"PUT", "/b/k", {NULL}, 200, {"ETag: \"odd3\""}, NULL});
    assert_ok(put(s, (struct put_options){.size = 0}, &result, &call), &call.err);
    assert_int_equal(result.proof, PROOF_SIGNED);
    assert_ok(put(s, (struct put_options){.size = 0}, &again, &call), &call.err);
    PLAYED();
    assert_string_equal(pairs_get(&memory.facts, "payload-hash-enforced"), "yes");
    assert_string_equal(pairs_get(&memory.facts, "etag-is-md5"), "no");
    s3_script_close(s, &memory);
}

/* A refusal after which the wrong body is there all the same is no refusal. */
static void believes_only_what_it_reads(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, NULL);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY({"PUT", PROBE, {NULL}, 200, {"ETag: \"odd\"", "x-amz-version-id: v1"}, NULL},
         {"PUT", PROBE, {NULL}, 400, {NULL}, "<Error><Code>BadDigest</Code></Error>"},
         {"GET", PROBE, {NULL}, 200, {NULL}, OTHER},
         {"DELETE", "?versionId=v1", {NULL}, 204, {NULL}, NULL},
         {"PUT", "/b/k", {"Content-MD5: sQqNsWTgdUEFt6mb5y4/5Q=="}, 200, {"ETag: \"odd\""}, NULL},
         /* An ETag that says nothing: does it at least check the MD5? */
         {"PUT", PROBE, {NULL}, 200, {"ETag: \"odd\""}, NULL},
         {"PUT", PROBE, {NULL}, 200, {"ETag: \"odd\""}, NULL},
         {"GET", PROBE, {NULL}, 200, {NULL}, OTHER}, {"DELETE", PROBE, {NULL}, 204, {NULL}, NULL});
    assert_ok(put(s, (struct put_options){.size = 0}, &result, &call), &call.err);
    assert_int_equal(result.proof, PROOF_NONE);
    PLAYED();
    assert_string_equal(pairs_get(&memory.facts, "payload-hash-enforced"), "no");
    assert_string_equal(pairs_get(&memory.facts, "content-md5-enforced"), "no");
    s3_script_close(s, &memory);
}

#define PARTS 2
static int commit(struct store *s, struct put_result *ret, struct call *call)
{
    const struct part_result parts[PARTS] = {{.etag = MD5_OF_HELLO, .proof = PROOF_ETAG},
                                             {.etag = MD5_OF_HELLO, .proof = PROOF_SIGNED}};
    struct put_options options = {.size = 22};

    *call = (struct call)CALL_INIT;
    return store_upload_commit(s, &key, "id/+", parts, PARTS, &options, ret, call);
}

#define COMPLETE "<CompleteMultipartUploadResult><ETag></ETag></CompleteMultipartUploadResult>"

static void commits_and_looks(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY({"POST",
          "/b/k?uploadId=id%2F%2B",
          {NULL},
          200,
          {NULL},
          COMPLETE,
          .in_body = "<Part><PartNumber>2</PartNumber><ETag>&quot;" MD5_OF_HELLO},
         {"HEAD", "/b/k", {NULL}, 200, {"Content-Length: 22", "ETag: \"whole-2\""}, NULL});
    assert_ok(commit(s, &result, &call), &call.err);
    assert_string_equal(result.etag, "whole-2");
    assert_int_equal(result.proof, PROOF_SIGNED); /* the weakest of the parts */
    PLAYED();
    s3_script_close(s, &memory);
}

#define UPLOAD(name, id, who, begun)                                            \
    "<Upload><Key>" name "</Key><UploadId>" id "</UploadId><Initiator><ID>" who \
    "</ID></Initiator><Initiated>2026-11-22T" begun "Z</Initiated></Upload>"

/* Of the uploads there only the one that an unanswered attempt of ours may have begun goes. */
static void leaves_no_unseen_beginning(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    const struct put_options options = {.size = 22, .again = true};
    auto_free char *id = NULL;
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"POST", "/b/k?uploads=", {NULL}, 200, {NULL}, "<R><UploadId>mine</UploadId></R>"},
         {"GET",
          "/b?prefix=k&uploads=",
          {NULL},
          200,
          {NULL},
          "<R>" UPLOAD("k", "older", "me", "09:00:00") UPLOAD("k", "unseen", "me", "09:59:30")
              UPLOAD("k", "theirs", "you", "09:59:30") UPLOAD("k/2", "other", "me", "09:59:30")
                  UPLOAD("k", "mine", "me", "10:00:00")
                      UPLOAD("k", "later", "me", "10:00:01") "</R>"},
         {"DELETE", "/b/k?uploadId=unseen", {NULL}, 204, {NULL}, NULL});
    assert_ok(store_upload_begin(s, &key, &options, &id, &call), &call.err);
    assert_string_equal(id, "mine");
    PLAYED();
    s3_script_close(s, &memory);
}

static void hears_a_no_inside_a_yes(void **state)
{
    static const struct {
        const char *body;
        enum err_code code;
    } answers[] = {
        {"<Error><Code>InternalError</Code></Error>", ERR_REMOTE},
        {"<Error><Code>SlowDown</Code></Error>", ERR_BUSY},
        {"<Error><Code>EntityTooSmall</Code></Error>", ERR_INVALID},
    };
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        const struct exchange join = {"POST", "/b/k?uploadId=", {NULL},
                                      200,    {NULL},           answers[i].body};
        /* The driver may look whether the parts are still there. */
        const struct exchange parts = {"GET", "uploadId=", {NULL}, 200, {NULL}, "<x/>"};
        PLAY(join, parts);
        assert_int_equal(commit(s, &result, &call), -1);
        assert_int_equal(call.err.code, answers[i].code);
    }
    s3_script_close(s, &memory);
}

static void copies_one_version(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    const struct object_key from = {
        .container = "b", .name = "a b/c", .kind = VERSION_ID, .version = "v1"};
    struct put_options options = {0};
    struct call call = CALL_INIT;

    (void)state;
    auto_put_result struct put_result result = PUT_RESULT_INIT, failed = PUT_RESULT_INIT;
    PLAY({"HEAD",
          "/b/a%20b/c?versionId=v1",
          {NULL},
          200,
          {"Content-Length: 3", "ETag: \"e\""},
          NULL},
         {"PUT",
          "/b/k",
          {"x-amz-copy-source: /b/a%20b/c?versionId=v1", "x-amz-copy-source-if-match: \"e\"",
           "!x-amz-metadata-directive"},
          200,
          {NULL},
          "<CopyObjectResult><ETag>\"e2\"</ETag></CopyObjectResult>"},
         {"HEAD", "/b/a%20b/c", {NULL}, 200, {"Content-Length: 3", "ETag: \"e\""}, NULL},
         {"PUT", "/b/k", {NULL}, 200, {NULL}, "<Error><Code>InternalError</Code></Error>"});
    assert_ok(store_copy(s, &from, "e", &key, &options, &result, &call), &call.err);
    assert_string_equal(result.etag, "e2");
    assert_int_equal(store_copy(s, &from, "e", &key, &options, &failed, &call), -1);
    assert_int_equal(call.err.code, ERR_REMOTE);
    PLAYED();
    s3_script_close(s, &memory);
}

static void wakes_and_changes_classes(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"HEAD",
          "/b/k",
          {NULL},
          200,
          {"Content-Length: 3", "ETag: \"e\"", "x-amz-storage-class: GLACIER"},
          NULL},
         {"POST", "/b/k?restore=", {NULL}, 202, {NULL}, NULL, .in_body = "<Tier>Expedited</Tier>"},
         {"HEAD", "/b/k", {NULL}, 200, {"Content-Length: 3", "ETag: \"e\""}, NULL},
         {"PUT",
          "/b/k",
          {"x-amz-copy-source: /b/k", "x-amz-storage-class: STANDARD_IA"},
          200,
          {NULL},
          "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"},
         {"HEAD", "/b/k", {NULL}, 200, {"Content-Length: 3", "ETag: \"e\""}, NULL});
    assert_ok(store_tier_set(s, &key, "Hot", "High", &call), &call.err);
    assert_ok(store_tier_set(s, &key, "Cool", NULL, &call), &call.err);
    assert_int_equal(store_tier_set(s, &key, "Cold", NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    PLAYED();
    s3_script_close(s, &memory);
}

static void makes_buckets(void **state)
{
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"HEAD", "/new", {NULL}, 404, {NULL}, NULL},
         {"PUT",
          "/new",
          {NULL},
          400,
          {NULL},
          "<Error><Code>InvalidLocationConstraint</Code></Error>",
          .in_body = "<LocationConstraint>gra</LocationConstraint>"},
         {"PUT", "/new", {NULL}, 200, {NULL}, NULL}, {"HEAD", "/new", {NULL}, 200, {NULL}, NULL},
         {"HEAD", "/new", {NULL}, 403, {NULL}, NULL},
         {"GET", "/new?location=", {NULL}, 403, {NULL}, "<Error><Code>AccessDenied</Code></Error>"},
         {"HEAD", "/new", {NULL}, 403, {NULL}, NULL},
         {"GET",
          "/new?location=",
          {NULL},
          403,
          {NULL},
          "<Error><Code>SignatureDoesNotMatch</Code></Error>"});
    assert_ok(store_container_create(s, "new", NULL, &call), &call.err);
    assert_int_equal(store_container_create(s, "new", NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    call = (struct call)CALL_INIT;
    assert_int_equal(store_container_create(s, "new", NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_NAME);
    call = (struct call)CALL_INIT;
    assert_int_equal(store_container_create(s, "new", NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_UNKNOWN_WHO);
    call = (struct call)CALL_INIT;
    assert_int_equal(store_container_create(s, "$web", NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_NAME);
    PLAYED();
    s3_script_close(s, &memory);
}

/* An Azure account's rules go to the bucket; what is not there afterwards is handed back. */
static void applies_what_it_can(void **state)
{
    static const char settings[] =
        "{\"access\":\"private\",\"policies\":[{\"id\":\"p\"}],\"account\":{"
        "\"cors\":[{\"origins\":[\"https://a.eu\"],\"methods\":[\"GET\"],\"headers\":[\"*\"],"
        "\"exposed\":[],\"max_age\":60}],\"delete_retention\":{\"days\":7}}}";
    struct memory memory;
    struct store *s = s3_script_open(NULL, &memory, s3_strict);
    struct call call = CALL_INIT;
    auto_buf struct buf left = BUF_INIT(10000), rest = BUF_INIT(10000);

    (void)state;
    PLAY({"PUT",
          "/b?cors=",
          {NULL},
          200,
          {NULL},
          NULL,
          .in_body = "<AllowedOrigin>https://a.eu</AllowedOrigin><AllowedMethod>GET<"},
         {"GET",
          "/b?cors=",
          {NULL},
          200,
          {NULL},
          "<CORSConfiguration><CORSRule><AllowedOrigin>https://a.eu</AllowedOrigin>"
          "<AllowedMethod>GET</AllowedMethod><AllowedHeader>*</AllowedHeader>"
          "<MaxAgeSeconds>60</MaxAgeSeconds></CORSRule></CORSConfiguration>"},
         {"PUT", "/b?cors=", {NULL}, 501, {NULL}, "<Error><Code>NotImplemented</Code></Error>"});
    assert_ok(store_container_apply(s, "b", settings, &left, &call), &call.err);
    assert_string_equal(
        left.data,
        "{\"account\":{\"delete_retention\":{\"days\":7}},\"policies\":[{\"id\":\"p\"}]}");
    assert_ok(store_container_apply(s, "b", settings, &rest, &call), &call.err);
    assert_non_null(strstr(rest.data, "cors"));
    PLAYED();
    s3_script_close(s, &memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_what_it_sends),
        cmocka_unit_test(puts_conditions),
        cmocka_unit_test(helps_itself_where_the_service_does_not),
        cmocka_unit_test(takes_back_what_arrived_wrong),
        cmocka_unit_test(refuses_what_headers_cannot_hold),
        cmocka_unit_test(tries_once_and_remembers),
        cmocka_unit_test(believes_only_what_it_reads),
        cmocka_unit_test(commits_and_looks),
        cmocka_unit_test(leaves_no_unseen_beginning),
        cmocka_unit_test(hears_a_no_inside_a_yes),
        cmocka_unit_test(copies_one_version),
        cmocka_unit_test(wakes_and_changes_classes),
        cmocka_unit_test(makes_buckets),
        cmocka_unit_test(applies_what_it_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
