// SPDX-License-Identifier: EUPL-1.2
/*
 * What the S3 driver believes of services that check much, little or nothing: a service in memory
 * takes the place of http_do() (-Wl,--wrap=http_do), and looks that no request asks for checksum
 * trailers and that nothing of a trial stays behind.
 */
#include "unit.h"

#include <stdio.h>
#include <strings.h>

#include "codec/base64.h"
#include "crypto/hash.h"
#include "http/client.h"
#include "store/driver/s3.h"

#define BODY_MAX 4096

/* What it checks, and what it holds. */
struct service {
    bool checks_hash, checks_md5, etag_is_md5, forbids_trials, damages;
    const char *complete; /* answer to CompleteMultipartUpload, always with a 200 */
    bool forgets_uploads;
    struct {
        char name[64];
        char body[BODY_MAX];
        size_t length;
    } objects[8];
    int puts;      /* of all kinds */
    int trials;    /* below .bascule/ */
    char hash[65]; /* of the last PUT that was no trial */
};
static struct service *service; /* the wrapped function has no argument that could carry it */

int wrap_http_do(struct http_client *client, struct http_request *request,
                 struct http_response *response, struct sink *sink, struct http_begun *begun,
                 struct call *call) __asm__("__wrap_http_do");

static size_t find(const char *name)
{
    size_t free_place = 8;

    for (size_t i = 0; i < 8; i++) {
        if (strcmp(service->objects[i].name, name) == 0)
            return i;
        if (!service->objects[i].name[0])
            free_place = i;
    }
    assert_true(free_place < 8);
    return free_place;
}

static size_t held(void)
{
    size_t count = 0;

    for (size_t i = 0; i < 8; i++)
        count += service->objects[i].name[0] != 0;
    return count;
}

static int refuse(struct http_response *r, int status, const char *code)
{
    r->status = status;
    buf_printf(&r->error_body, "<Error><Code>%s</Code></Error>", code);
    return 0;
}

static void add_etag(struct http_response *r, const char *body, size_t length)
{
    char hex[HASH_HEX_SIZE];

    hash_hex(HASH_MD5, body, length, hex);
    if (service->damages)
        hex[0] = hex[0] == '0' ? '1' : '0';
    auto_free char *etag = xasprintf("\"%s\"", service->etag_is_md5 ? hex : "an-opaque-one");
    pairs_add(&r->headers, "ETag", etag);
}

static int store_body(const struct http_request *request, struct http_response *r, const char *name,
                      const char *body, size_t length)
{
    const char *claimed = pairs_get_nocase(&request->headers, "x-amz-content-sha256");
    const char *md5 = pairs_get_nocase(&request->headers, "Content-MD5");
    auto_buf struct buf right = BUF_INIT(100);
    unsigned char digest[16];
    char hex[HASH_HEX_SIZE];
    size_t at = find(name);

    hash_hex(HASH_SHA256, body, length, hex);
    hash_bytes(HASH_MD5, body, length, digest);
    base64_encode(&right, digest, sizeof(digest));
    assert_non_null(claimed);
    if (strncmp(claimed, "STREAMING-", 10) == 0)
        return refuse(r, 501, "NotImplemented");
    if (service->checks_hash && strcmp(claimed, hex) != 0)
        return refuse(r, 400, "XAmzContentSHA256Mismatch");
    if (service->checks_md5 && md5 && strcmp(md5, right.data) != 0)
        return refuse(r, 400, "BadDigest");
    (void)snprintf(service->objects[at].name, sizeof(service->objects[at].name), "%s", name);
    memcpy(service->objects[at].body, body, length);
    service->objects[at].length = length;
    r->status = 200;
    add_etag(r, body, length);
    return 0;
}

static int give(struct http_response *r, const char *text, size_t length, bool head,
                struct sink *sink, struct call *call)
{
    r->status = 200;
    r->content_length = length;
    return head || !sink ? 0 : sink_write(sink, text, length, call);
}

static int answer_post(const char *url, struct http_response *r, struct sink *sink,
                       struct call *call)
{
    static const char begun[] = "<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                                "</InitiateMultipartUploadResult>";
    const char *text = strstr(url, "uploadId=") ? service->complete : begun;

    return give(r, text, strlen(text), false, sink, call);
}

static int answer_get(const struct http_request *request, const char *name, struct http_response *r,
                      struct sink *sink, struct call *call)
{
    size_t at = find(name);
    bool head = strcmp(request->method, "HEAD") == 0;

    if (strstr(request->url, "uploadId="))
        return service->forgets_uploads ? refuse(r, 404, "NoSuchUpload")
                                        : give(r, "<L/>", 4, false, sink, call);
    if (!service->objects[at].name[0])
        return refuse(r, 404, "NoSuchKey");
    add_etag(r, service->objects[at].body, service->objects[at].length);
    return give(r, service->objects[at].body, service->objects[at].length, head, sink, call);
}

static int answer_put(struct http_request *request, const char *name, struct http_response *r,
                      struct call *call)
{
    char body[BODY_MAX];
    size_t length = 0;
    ssize_t n = 0;
    bool trial = strncmp(name, ".bascule/", 9) == 0;

    while (request->body &&
           (n = source_read(request->body, body + length, BODY_MAX - length, call)) > 0)
        length += (size_t)n;
    assert_int_equal(n, 0);
    assert_int_equal(length, request->body_length);
    service->puts++;
    service->trials += trial;
    if (trial && service->forbids_trials)
        return refuse(r, 403, "AccessDenied");
    if (!trial)
        (void)snprintf(service->hash, sizeof(service->hash), "%s",
                       pairs_get_nocase(&request->headers, "x-amz-content-sha256"));
    if (strstr(request->url, "partNumber=")) {
        r->status = 200;
        add_etag(r, body, length);
        return 0;
    }
    return store_body(request, r, name, body, length);
}

static void check_headers(const struct pairs *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        assert_int_not_equal(strncasecmp(headers->list[i].key, "x-amz-trailer", 13), 0);
        assert_int_not_equal(strncasecmp(headers->list[i].key, "x-amz-sdk-", 10), 0);
        assert_null(strstr(headers->list[i].value, "TRAILER"));
    }
    assert_non_null(pairs_get(headers, "Authorization"));
}

int wrap_http_do(struct http_client *client, struct http_request *request,
                 struct http_response *response, struct sink *sink, struct http_begun *begun,
                 struct call *call)
{
    char name[64];

    (void)client;
    (void)begun;
    check_headers(&request->headers);
    assert_ptr_equal(strstr(request->url, "http://h/b/"), request->url);
    (void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(request->url + 11, "?"),
                   request->url + 11);
    if (strcmp(request->method, "PUT") == 0)
        return answer_put(request, name, response, call);
    if (strcmp(request->method, "POST") == 0)
        return answer_post(request->url, response, sink, call);
    if (strcmp(request->method, "DELETE") == 0) {
        service->objects[find(name)].name[0] = 0;
        response->status = 204;
        return 0;
    }
    return answer_get(request, name, response, sink, call);
}

/* --- the tests --- */

static struct store *open_store(struct service *s)
{
    auto_secret struct secret key = SECRET_INIT;
    struct call call = CALL_INIT;
    struct store *store = NULL;
    const struct s3_options options = {.endpoint = "http://h",
                                       .access_key = "a",
                                       .secret_key = &key,
                                       .client = (struct http_client *)s};

    service = s;
    secret_from_text(&key, "k");
    assert_ok(s3_store_open(&options, "s3", &store, &call), &call.err);
    return store;
}

static const struct object_key key = {.container = "b", .name = "k"};

static int put(struct store *store, const char *text, enum proof *ret, struct call *call)
{
    const struct put_options options = {.size = strlen(text)};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, text, strlen(text));
    if (store_put(store, &key, &options, &from.source, &result, call) < 0)
        return -1;
    *ret = result.proof;
    return 0;
}

static void expect_proof(struct service s, enum proof expected)
{
    struct store *store = open_store(&s);
    struct call call = CALL_INIT;
    enum proof proof = PROOF_NONE;

    assert_ok(put(store, "hello", &proof, &call), &call.err);
    assert_int_equal(proof, expected);
    assert_int_equal(held(), 1); /* nothing of the trials */
    int tried = s.trials;
    assert_ok(put(store, "again", &proof, &call), &call.err);
    assert_int_equal(proof, expected);
    assert_int_equal(s.trials, tried); /* once per store */
    assert_int_equal(held(), 1);
    store_close(store);
}

static void proofs(void **state)
{
    (void)state;
    expect_proof((struct service){.checks_hash = true, .etag_is_md5 = true}, PROOF_SIGNED);
    expect_proof((struct service){.checks_hash = true}, PROOF_SIGNED);
    expect_proof((struct service){.etag_is_md5 = true}, PROOF_ETAG);
    expect_proof((struct service){.checks_md5 = true}, PROOF_CHECKSUM);
    expect_proof((struct service){.checks_hash = false}, PROOF_NONE);
}

/* Where trials are not permitted nothing is believed, and they are not repeated. */
static void trials_forbidden(void **state)
{
    (void)state;
    expect_proof((struct service){.checks_hash = true, .forbids_trials = true}, PROOF_NONE);
}

static void damage(void **state)
{
    (void)state;
    struct service s = {.etag_is_md5 = true};
    struct store *store = open_store(&s);
    struct call call = CALL_INIT;
    enum proof proof = PROOF_NONE;

    assert_ok(put(store, "hello", &proof, &call), &call.err);
    s.damages = true;
    assert_int_equal(put(store, "other", &proof, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    assert_int_equal(held(), 0); /* what is wrong does not stay */
    store_close(store);
}

/* A source of five bytes that can be read once only. */
static ssize_t read_nothing(struct source *source, void *bytes, size_t n, struct call *call)
{
    (void)source;
    (void)bytes;
    (void)n;
    (void)call;
    return 0;
}

static ssize_t read_five(struct source *source, void *bytes, size_t n, struct call *call)
{
    (void)call;
    source->read = read_nothing; /* the end comes next */
    assert_true(n >= 5);
    memcpy(bytes, "hello", 5);
    return 5;
}

/* The caller's digest goes into the signature: the body is neither read twice nor hashed again. */
static void known_digest(void **state)
{
    (void)state;
    struct service s = {.checks_hash = true};
    struct store *store = open_store(&s);
    struct call call = CALL_INIT;
    struct source from = {.read = read_five};
    struct put_options options = {.size = 5};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    unsigned char digest[SHA256_SIZE];
    char hex[HASH_HEX_SIZE];

    hash_bytes(HASH_SHA256, "hello", 5, digest);
    hash_hex(HASH_SHA256, "hello", 5, hex);
    checksum_set(&options.known, CHECKSUM_SHA256, digest);
    assert_ok(store_put(store, &key, &options, &from, &result, &call), &call.err);
    assert_int_equal(result.proof, PROOF_SIGNED);
    assert_string_equal(s.hash, hex);
    store_close(store);
}

/* Without it, over http, by a service that takes no chunks: refused, not sent unsigned. */
static void unknown_digest(void **state)
{
    (void)state;
    struct service s = {.checks_hash = true};
    struct store *store = open_store(&s);
    struct call call = CALL_INIT;
    struct source from = {.read = read_five};
    struct put_options options = {.size = 5};
    struct put_result result = PUT_RESULT_INIT;

    assert_int_equal(store_put(store, &key, &options, &from, &result, &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    assert_int_equal(held(), 0);
    store_close(store);
}

static enum err_code commit(struct service s)
{
    struct store *store = open_store(&s);
    struct call call = CALL_INIT;
    struct put_options options = {.size = 5};
    struct part_options part = {.size = 5};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct part_result sent;
    auto_free char *id = NULL;
    struct source_bytes from;

    source_bytes_init(&from, "hello", 5);
    assert_ok(store_upload_begin(store, &key, &options, &id, &call), &call.err);
    assert_ok(store_upload_part(store, &key, id, 0, &part, &from.source, &sent, &call), &call.err);
    int status = store_upload_commit(store, &key, id, &sent, 1, &options, &result, &call);
    assert_int_equal(status, -1); /* the service joins nothing */
    assert_null(result.etag);
    store_close(store);
    return call.err.code;
}

static void commits(void **state)
{
    (void)state;
    static const char result[] = "<CompleteMultipartUploadResult/>";
    /* White space keeps the connection alive while the parts are joined. */
    static const char busy[] = " \n\n<?xml version=\"1.0\"?><Error><Code>SlowDown</Code></Error>";
    static const char internal[] = "<Error><Code>InternalError</Code></Error>";

    assert_int_equal(commit((struct service){.complete = internal}), ERR_REMOTE);
    assert_int_equal(commit((struct service){.complete = internal, .forgets_uploads = true}),
                     ERR_NOT_FOUND);
    assert_int_equal(commit((struct service){.complete = busy}), ERR_BUSY);
    assert_int_equal(commit((struct service){.complete = ""}), ERR_REMOTE);
    assert_int_equal(commit((struct service){.complete = "   \n"}), ERR_REMOTE);
    /* A yes is not believed where nothing is there. */
    assert_int_equal(commit((struct service){.complete = result}), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proofs),         cmocka_unit_test(trials_forbidden),
        cmocka_unit_test(damage),         cmocka_unit_test(known_digest),
        cmocka_unit_test(unknown_digest), cmocka_unit_test(commits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
