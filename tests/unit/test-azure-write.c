// SPDX-License-Identifier: EUPL-1.2
/* The Azure driver writing, copying and proving who it is, against scripted answers. */
#include "azure-script.h"

static const struct object_key key = {.container = "c", .name = "b"};

static int put(struct store *s, const struct object *properties, struct put_result *ret,
               struct call *call)
{
    struct source_bytes from;
    struct put_options options = {.properties = properties, .size = 11, .if_absent = true};

    *call = (struct call)CALL_INIT;
    source_bytes_init(&from, "Hello World", 11);
    return store_put(s, &key, &options, &from.source, ret, call);
}

static void puts_with_everything(void **state)
{
    struct store *s = script_open(NULL);
    auto_object struct object o = OBJECT_INIT;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    o.content_type = xstrdup("text/plain");
    pairs_add(&o.metadata, "CamelCase", "v");
    pairs_add(&o.tags, "a b", "c&d");
    o.tier = xstrdup("Cool");
    PLAY({"PUT",
          "/c/b",
          {"x-ms-blob-type: BlockBlob", "x-ms-blob-content-type: text/plain",
           "x-ms-meta-CamelCase: v", "x-ms-tags: a%20b=c%26d", "x-ms-access-tier: Cool", CRC64},
          201,
          {"ETag: \"0x5\"", CRC64, "x-ms-version-id: v1"},
          NULL});
    assert_ok(put(s, &o, &result, &call), &call.err);
    assert_string_equal(result.etag, "0x5");
    assert_string_equal(result.version, "v1");
    assert_int_equal(result.proof, PROOF_CHECKSUM);
    PLAYED();
    store_close(s);
}

/* What nobody chose or Azure has no word for is not set. */
static void leaves_other_tiers_alone(void **state)
{
    struct store *s = script_open(NULL);
    struct call call;

    (void)state;
    for (int i = 0; i < 2; i++) {
        auto_object struct object o = OBJECT_INIT;
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        o.tier = xstrdup(i ? "Hot" : "GLACIER");
        o.tier_inferred = i;
        PLAY({"PUT", "/c/b", {"!x-ms-access-tier", "If-None-Match: *"}, 201, {ETAG, MD5}, NULL});
        assert_ok(put(s, &o, &result, &call), &call.err);
        assert_int_equal(result.proof, PROOF_CHECKSUM);
        PLAYED();
    }
    store_close(s);
}

static void takes_back_what_arrived_wrong(void **state)
{
    struct store *s = script_open(NULL);
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call;

    (void)state;
    PLAY({"PUT", "/c/b", {CRC64}, 201, {"ETag: \"0x5\"", "x-ms-content-crc64: AAAAAAAAAAA="}, NULL},
         {"DELETE", "/c/b", {"If-Match: \"0x5\""}, 202, {NULL}, NULL});
    assert_int_equal(put(s, NULL, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    PLAYED();
    store_close(s);
}

static void refuses_unsendable_metadata(void **state)
{
    static const char *const bad[][2] = {
        {"with-dash", "v"}, {"9lives", "v"}, {"k", "a\r\nx-ms-evil: 1"},
        {"k", " lead"},     {"k", "tail "},  {"k", "\xc3\xa9"},
        {"", "v"},
    };
    struct store *s = script_open(NULL);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        auto_object struct object o = OBJECT_INIT;
        auto_put_result struct put_result result = PUT_RESULT_INIT;
        struct script none = {0};
        struct call call;
        script = &none;
        pairs_add(&o.metadata, bad[i][0], bad[i][1]);
        assert_int_equal(put(s, &o, &result, &call), -1);
        assert_int_equal(call.err.code, ERR_INVALID);
    }
    store_close(s);
}

/* The answer to a commit was lost; the second one is told that the condition does not hold. */
/* Azure's tags have fewer characters than S3's, and a name has fewer characters than bytes. */
static void knows_what_it_cannot_hold(void **state)
{
    static const struct {
        const char *key, *value;
        bool held;
    } cases[] = {
        {"a b+c-d./:=_", "", true}, {"k", "Z 9+-./:=_", true}, {"k", "a@b", false},
        {"k", "\xc3\xa9", false},   {"", "v", false},          {"k,", "v", false},
    };
    struct store *s = script_open(NULL);
    struct call call = CALL_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_pairs struct pairs tags = PAIRS_INIT;
        bool held;
        pairs_add(&tags, cases[i].key, cases[i].value);
        assert_ok(store_tags_can_hold(s, "c", &tags, &held, &call), &call.err);
        assert_int_equal(held, cases[i].held);
    }
    char name[2 * 1025 + 1] = "";
    for (int i = 0; i < 1024; i++)
        memcpy(name + 2 * i, "\xc3\xa9", 3);
    assert_null(store_name_fault(&s->traits, name));
    memcpy(name + 2 * 1024, "x", 2);
    assert_non_null(store_name_fault(&s->traits, name));
    store_close(s);
}

static void commits_once(void **state)
{
    static const char id[] = "b0123456789abcdef0123456789abcdef";
    struct store *s = script_open(NULL);
    struct put_options options = {.size = 1, .if_absent = true};
    struct part_result part = {.proof = PROOF_CHECKSUM};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"PUT",
          "comp=blocklist",
          {"If-None-Match: *"},
          409,
          {"x-ms-error-code: BlobAlreadyExists"},
          NULL},
         {"GET",
          "comp=blocklist",
          {NULL},
          200,
          {"ETag: \"0x9\""},
          "<BlockList><CommittedBlocks><Block><Name>"
          "YjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmLTAwMDAwMDAwMDAwMDAw"
          "</Name><Size>1</Size></Block></CommittedBlocks></BlockList>"},
         {"PUT", "comp=blocklist", {NULL}, 409, {"x-ms-error-code: BlobAlreadyExists"}, NULL},
         {"GET",
          "comp=blocklist",
          {NULL},
          200,
          {"ETag: \"0x9\""},
          "<BlockList><CommittedBlocks><Block><Name>b3RoZXI=</Name><Size>1</Size></Block>"
          "</CommittedBlocks></BlockList>"});
    assert_ok(store_upload_commit(s, &key, id, &part, 1, &options, &result, &call), &call.err);
    assert_string_equal(result.etag, "0x9");
    put_result_release(&result);
    assert_int_equal(store_upload_commit(s, &key, id, &part, 1, &options, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_CHANGED);
    PLAYED();
    store_close(s);
}

/* A copy that is pending is looked after until it has ended. */
static void waits_for_copies(void **state)
{
    struct store *s = script_open(NULL);
    struct object_key to = {.container = "c", .name = "to"};
    struct put_options options = {0};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call = CALL_INIT;

    (void)state;
    PLAY({"HEAD", "/c/b", {NULL}, 200, {ETAG, "Content-Length: 5"}, NULL},
         {"PUT",
          "/c/to",
          {"x-ms-copy-source: https://acct.blob.core.windows.net/c/b",
           "x-ms-source-if-match: \"0x1\""},
          202,
          {"ETag: \"0x2\"", "x-ms-copy-id: id1", "x-ms-copy-status: pending"},
          NULL},
         {"HEAD",
          "/c/to",
          {NULL},
          200,
          {"ETag: \"0x2\"", "x-ms-copy-id: id1", "x-ms-copy-status: pending", "Content-Length: 5"},
          NULL},
         {"HEAD",
          "/c/to",
          {NULL},
          200,
          {"ETag: \"0x3\"", "x-ms-copy-id: id1", "x-ms-copy-status: success", "Content-Length: 5"},
          NULL});
    assert_ok(store_copy(s, &key, NULL, &to, &options, &result, &call), &call.err);
    assert_string_equal(result.etag, "0x3");
    PLAYED();
    store_close(s);
}

static void a_cancelled_copy_is_aborted(void **state)
{
    struct store *s = script_open(NULL);
    struct object_key to = {.container = "c", .name = "to"};
    struct object keep = OBJECT_INIT;
    struct put_options options = {.properties = &keep};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct call call = {.deadline = clock_monotonic() + 50 * CLOCK_MILLISECOND};

    (void)state;
    PLAY({"PUT",
          "/c/to",
          {NULL},
          202,
          {"ETag: \"0x2\"", "x-ms-copy-id: id1", "x-ms-copy-status: pending"},
          NULL},
         {"PUT", "/c/to?comp=copy&copyid=id1", {"x-ms-copy-action: abort"}, 204, {NULL}, NULL});
    assert_int_equal(store_copy(s, &key, NULL, &to, &options, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_TIMEOUT);
    PLAYED();
    store_close(s);
}

/* A token that is refused is renewed once, and a body sent again from its beginning. */
static void renews_a_refused_token(void **state)
{
    struct entra_options credentials = {.command = "echo token"};
    struct azure_options options = {.account = "acct"};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct entra *entra = NULL;
    struct store *s = NULL;
    struct call call = CALL_INIT;

    (void)state;
    assert_ok(entra_new(&credentials, &entra, &call.err), &call.err);
    options.bearer = entra;
    assert_ok(azure_store_open(&options, "azure", &s, &call), &call.err);
    PLAY({"PUT", "/c/b", {"Authorization: Bearer token"}, 401, {NULL}, NULL},
         {"PUT", "/c/b", {"Authorization: Bearer token"}, 201, {ETAG, CRC64}, NULL},
         {"PUT", "/c/b", {NULL}, 401, {NULL}, NULL}, {"PUT", "/c/b", {NULL}, 401, {NULL}, NULL});
    assert_ok(put(s, NULL, &result, &call), &call.err);
    put_result_release(&result);
    assert_int_equal(put(s, NULL, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_UNKNOWN_WHO);
    assert_null(strstr(call.err.text, "Bearer"));
    PLAYED();
    store_close(s);
    options.endpoint = "http://acct.blob.example.eu";
    assert_int_equal(azure_store_open(&options, "azure", &s, &call), -1);
    assert_int_equal(call.err.code, ERR_INVALID);
    entra_free(entra);
}

static void reads_connection_strings(void **state)
{
    static const struct {
        const char *text, *identity;
    } good[] = {
        {"DefaultEndpointsProtocol=https;AccountName=acct;AccountKey=c2VjcmV0;EndpointSuffix="
         "core.sovcloud-api.fr",
         "azure:https://acct.blob.core.sovcloud-api.fr"},
        {"AccountName=dev;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:10000/dev;"
         "QueueEndpoint=http://127.0.0.1:10001/dev;",
         "azure:http://127.0.0.1:10000/dev"},
        {"BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sv=2022-11-02&"
         "ss=b&srt=sco&sp=rl&se=2099-01-01&sig=c2Vj%3D",
         "azure:https://acct.blob.core.windows.net"},
        {"DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=c2VjcmV0",
         "azure:http://acct.blob.core.windows.net"},
        {"UseDevelopmentStorage=true", "azure:http://127.0.0.1:10000/devstoreaccount1"},
    };
    static const char *const bad[] = {"UseDevelopmentStorage=c2VjcmV0",
                                      "AccountName",
                                      "=x",
                                      "AccountKey=c2VjcmV0",
                                      "AccountName=acct;AccountKey=c2VjcmV0!",
                                      "AccountName=acct;SharedAccessSignature=c2VjcmV0"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good) + ARRAY_SIZE(bad); i++) {
        bool is_good = i < ARRAY_SIZE(good);
        auto_secret struct secret text = SECRET_INIT;
        struct azure_options options = {.connection_string = &text};
        struct store *s = NULL;
        struct call call = CALL_INIT;
        secret_from_text(&text, is_good ? good[i].text : bad[i - ARRAY_SIZE(good)]);
        int opened = azure_store_open(&options, "azure", &s, &call);
        if (is_good) {
            assert_ok(opened, &call.err);
            assert_string_equal(s->identity, good[i].identity);
        } else {
            assert_int_equal(opened, -1);
            assert_int_equal(call.err.code, ERR_INVALID);
            assert_null(strstr(call.err.text, "c2VjcmV0"));
        }
        store_close(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(puts_with_everything),
        cmocka_unit_test(leaves_other_tiers_alone),
        cmocka_unit_test(takes_back_what_arrived_wrong),
        cmocka_unit_test(refuses_unsendable_metadata),
        cmocka_unit_test(knows_what_it_cannot_hold),
        cmocka_unit_test(commits_once),
        cmocka_unit_test(waits_for_copies),
        cmocka_unit_test(a_cancelled_copy_is_aborted),
        cmocka_unit_test(renews_a_refused_token),
        cmocka_unit_test(reads_connection_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
