// SPDX-License-Identifier: EUPL-1.2
/*
 * The Azure driver against scripted answers: what it asks, and what it makes of what it is told.
 * The linker puts wrap_http_do() in the place of http_do().
 */
#include "unit.h"

#include <stdio.h>
#include <strings.h>

#include "codec/date.h"
#include "store/driver/azure.h"

#define ANSWERS_MAX 8

/* One exchange: what the request must hold (header "Name: value" lines, "!Name" for absent), and
 * the answer. */
struct exchange {
    const char *method;
    const char *in_url;
    const char *wants[6];
    int status;
    const char *answers[10];
    const char *body;
    size_t length; /* of body; 0: as text */
};

struct script {
    const struct exchange *list;
    size_t count, at;
};

/* One test's script: the linker's wrap gives http_do() no place for an argument of ours. */
static struct script *script;

int wrap_http_do(struct http_client *client, struct http_request *request,
                 struct http_response *response, struct sink *sink, struct http_begun *begun,
                 struct call *call) __asm__("__wrap_http_do");

static void check_want(const struct http_request *request, const char *want)
{
    const char *colon = strstr(want, ": ");
    char name[100];

    if (*want == '!') {
        if (pairs_get_nocase(&request->headers, want + 1))
            fail_msg("%s was sent", want + 1);
        return;
    }
    (void)snprintf(name, sizeof(name), "%.*s", (int)(colon - want), want);
    const char *value = pairs_get_nocase(&request->headers, name);
    if (!value || strcmp(value, colon + 2) != 0)
        fail_msg("%s is '%s', not '%s'", name, value ? value : "(absent)", colon + 2);
}

static void check_request(const struct http_request *request, const struct exchange *x)
{
    if (strcmp(request->method, x->method) != 0 || !strstr(request->url, x->in_url))
        fail_msg("%s %s came, not %s ...%s", request->method, request->url, x->method, x->in_url);
    for (size_t i = 0; i < ARRAY_SIZE(x->wants) && x->wants[i]; i++)
        check_want(request, x->wants[i]);
    assert_non_null(pairs_get(&request->headers, "x-ms-version"));
    assert_int_equal(strlen(pairs_get(&request->headers, "x-ms-client-request-id")), 32);
}

static int answer(const struct exchange *x, struct http_response *response, struct sink *sink,
                  struct http_begun *begun, struct call *call)
{
    size_t n = x->length ? x->length : x->body ? strlen(x->body) : 0;

    response->status = x->status;
    response->content_length = n;
    for (size_t i = 0; i < ARRAY_SIZE(x->answers) && x->answers[i]; i++) {
        const char *colon = strstr(x->answers[i], ": ");
        pairs_add_n(&response->headers, x->answers[i], (size_t)(colon - x->answers[i]), colon + 2,
                    strlen(colon + 2));
        if (strncasecmp(x->answers[i], "Content-Length", 14) == 0)
            response->content_length = strtoull(colon + 2, NULL, 10);
    }
    if (x->status >= 300) {
        buf_bytes(&response->error_body, x->body ? x->body : "", n);
        return 0;
    }
    if (begun && begun->begun(begun, response, call) < 0)
        return -1;
    for (size_t at = 0; sink && at < n; at += 3)
        if (sink_write(sink, x->body + at, n - at < 3 ? n - at : 3, call) < 0)
            return -1;
    return 0;
}

int wrap_http_do(struct http_client *client, struct http_request *request,
                 struct http_response *response, struct sink *sink, struct http_begun *begun,
                 struct call *call)
{
    char bytes[4096];
    uint64_t sent = 0;

    (void)client;
    if (script->at >= script->count)
        fail_msg("an unexpected request: %s %s", request->method, request->url);
    const struct exchange *x = &script->list[script->at++];
    check_request(request, x);
    while (request->body && sent < request->body_length) {
        ssize_t got = source_read(request->body, bytes, sizeof(bytes), call);
        if (got <= 0)
            return -1;
        sent += (uint64_t)got;
    }
    assert_int_equal(sent, request->body_length);
    return answer(x, response, sink, begun, call);
}

static struct store *open_with(const char *sas)
{
    auto_secret struct secret secret = SECRET_INIT;
    struct azure_options options = {.account = "acct"};
    struct store *s = NULL;
    struct call call = CALL_INIT;

    if (sas) {
        secret_from_text(&secret, sas);
        options.sas = &secret;
    }
    assert_ok(azure_store_open(&options, "azure", &s, &call), &call.err);
    return s;
}

#define PLAY(...)                                                               \
    const struct exchange exchanges[] = {__VA_ARGS__};                          \
    struct script played = {.list = exchanges, .count = ARRAY_SIZE(exchanges)}; \
    script = &played
#define PLAYED() assert_int_equal(played.at, played.count)

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

/* CRC-64 of "Hello World" as the real service wrote it; MD5 likewise. */
#define CRC64  "x-ms-content-crc64: YeJLfssylmU="
#define MD5    "Content-MD5: sQqNsWTgdUEFt6mb5y4/5Q=="
#define ETAG   "ETag: \"0x1\""
#define RANGED "Content-Range: bytes 5-15/100"

static void checks_crc64_of_a_range(void **state)
{
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);

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
    struct store *s = open_with("?" SAS);
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
    struct store *s = open_with("sv=2024-11-04&sp=r&se=2020-01-01T00%3A00%3A00Z&sr=c&sig=AAAA");
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);

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

/* Another blob must never be read or written instead of the one named. */
static void refuses_names_azure_changes(void **state)
{
    static const char *const bad[] = {"a\\b", "a/../b", "..", ".", "a/.", "./a", "\xff", "a/./b"};
    struct store *s = open_with(NULL);

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
    struct store *s = open_with(NULL);
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

/* The answer to a commit was lost; the second one is told that the condition does not hold. */
static void commits_once(void **state)
{
    static const char id[] = "b0123456789abcdef0123456789abcdef";
    struct store *s = open_with(NULL);
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

#define EMPTY_LIST "<EnumerationResults><Blobs/><NextMarker/></EnumerationResults>"

static void asks_for_all_a_listing_tells(void **state)
{
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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

/* A copy that is pending is looked after until it has ended. */
static void waits_for_copies(void **state)
{
    struct store *s = open_with(NULL);
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
    struct store *s = open_with(NULL);
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
        {"BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=c2Vj%3D",
         "azure:https://acct.blob.core.windows.net"},
        {"DefaultEndpointsProtocol=http;AccountName=acct;AccountKey=c2VjcmV0",
         "azure:http://acct.blob.core.windows.net"},
    };
    static const char *const bad[] = {"UseDevelopmentStorage=true",
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
        cmocka_unit_test(renews_a_refused_token),
        cmocka_unit_test(reads_connection_strings),
        cmocka_unit_test(checks_crc64_of_a_range),
        cmocka_unit_test(falls_back_to_md5),
        cmocka_unit_test(unpacks_structured_bodies),
        cmocka_unit_test(refuses_other_ranges_and_versions),
        cmocka_unit_test(reads_an_empty_blob),
        cmocka_unit_test(says_what_refusals_mean),
        cmocka_unit_test(says_what_a_sas_lacks_and_hides_it),
        cmocka_unit_test(expired_sas_asks_nothing),
        cmocka_unit_test(puts_with_everything),
        cmocka_unit_test(leaves_other_tiers_alone),
        cmocka_unit_test(takes_back_what_arrived_wrong),
        cmocka_unit_test(refuses_unsendable_metadata),
        cmocka_unit_test(refuses_names_azure_changes),
        cmocka_unit_test(names_states_in_the_url),
        cmocka_unit_test(commits_once),
        cmocka_unit_test(asks_for_all_a_listing_tells),
        cmocka_unit_test(a_listing_cut_off_is_an_error),
        cmocka_unit_test(waits_for_copies),
        cmocka_unit_test(a_cancelled_copy_is_aborted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
