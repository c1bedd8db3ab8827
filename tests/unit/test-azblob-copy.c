// SPDX-License-Identifier: EUPL-1.2
/* Copies from elsewhere: a source that gives ranges, breaks off, changes, refuses, hangs. */
#include <stdatomic.h>

#include "http/client.h"
#include "http/server.h"
#include "object/copy.h"

#include "azblob-bed.h"

#define SMALL    100000
#define OTHER_ID "00000000-0000-4000-8000-000000000000"
#define LARGE    (150 * 1024 * 1024)

enum { WELL, BREAKS, CHANGES, DENIES, MISSES, HANGS, NO_LENGTH, PAGES };

/* Somebody else's server: its bytes are a function of their place. */
struct elsewhere {
    struct http_server *server;
    struct http_client *client;
    uint64_t size;
    atomic_int manner;
    atomic_int requests;
    char url[100], last_range[100], last_authorization[100];
};

static struct elsewhere *there;

struct part {
    uint64_t at, left, stop_at;
};

static unsigned char byte_at(uint64_t at)
{
    return (unsigned char)(at * 2654435761U >> 13);
}

static int give(void *argument, struct sink *sink, struct call *call)
{
    struct part *p = argument;
    unsigned char bytes[8192];

    while (p->left > 0) {
        size_t n = p->left < sizeof(bytes) ? (size_t)p->left : sizeof(bytes);
        if (p->at >= p->stop_at)
            return err_set(&call->err, ERR_IO, "broken off on purpose");
        for (size_t i = 0; i < n; i++)
            bytes[i] = byte_at(p->at + i);
        if (sink_write(sink, bytes, n, call) < 0)
            return -1;
        p->at += n;
        p->left -= n;
    }
    return 0;
}

static void serve(void *argument, struct http_exchange *x, struct call *call)
{
    struct elsewhere *e = argument;
    auto_pairs struct pairs headers = PAIRS_INIT;
    const char *range = pairs_get_nocase(&x->headers, "Range");
    const char *match = pairs_get_nocase(&x->headers, "If-Match");
    const char *authorization = pairs_get_nocase(&x->headers, "Authorization");
    int manner = e->manner, number = ++e->requests;
    struct part *p = xcalloc(1, sizeof(*p));
    unsigned long long first = 0;

    if (range && sscanf(range, "bytes=%llu-", &first) != 1)
        first = 0;
    (void)snprintf(e->last_range, sizeof(e->last_range), "%s", range ? range : "");
    (void)snprintf(e->last_authorization, sizeof(e->last_authorization), "%s",
                   authorization ? authorization : "");
    const char *etag = manner == CHANGES && number > 1 ? "\"two\"" : "\"one\"";
    int status = manner == DENIES                    ? 403
                 : manner == MISSES                  ? 404
                 : match && strcmp(match, etag) != 0 ? 412
                                                     : 0;
    if (status) {
        free(p);
        http_answer(x, status, NULL, "", 0);
        return;
    }
    *p = (struct part){.at = first, .left = e->size - first, .stop_at = UINT64_MAX};
    if (manner == HANGS)
        (void)(call_sleep(call, 60 * CLOCK_SECOND) < 0);
    if (manner == BREAKS || (manner == CHANGES && number == 1))
        p->stop_at = first + e->size / 3 + 1;
    pairs_add(&headers, "ETag", etag);
    pairs_add(&headers, "Content-Type", "text/elsewhere");
    pairs_add(&headers, "x-ms-meta-far", "away");
    if (manner == PAGES)
        pairs_add(&headers, "x-ms-blob-type", "PageBlob");
    if (http_answer_stream(x, range ? 206 : 200, &headers,
                           manner == NO_LENGTH ? HTTP_LENGTH_UNKNOWN : p->left, give, p, free,
                           call) < 0)
        http_answer(x, 500, NULL, "", 0);
}

static int set_up(void **state)
{
    struct http_server_options options = {.listen = "127.0.0.1:0", .handle = serve};
    struct err e = {.code = ERR_NONE};

    there = xcalloc(1, sizeof(*there));
    options.argument = there;
    assert_ok(http_server_start(&options, &there->server, &e), &e);
    assert_ok(http_client_new(NULL, &there->client, &e), &e);
    (void)snprintf(there->url, sizeof(there->url), "http://127.0.0.1:%d/x?token=secret",
                   http_server_port(there->server));
    there->size = SMALL;
    (void)azblob_bed_set_up(state);
    struct azblob_bed *b = *state;
    b->options.http = there->client;
    azblob_bed_reopen(b);
    assert_status(azblob_ask(b, "PUT", "/acct/con?restype=container", NULL, ""), 201);
    return 0;
}

static int tear_down(void **state)
{
    int result = azblob_bed_tear_down(state);

    http_server_free(there->server);
    http_client_free(there->client);
    free(there);
    return result;
}

static int ask_copy(struct azblob_bed *b, const char *target, const char *more)
{
    auto_free char *headers = xasprintf("x-ms-copy-source: %s\n%s", there->url, more);

    return azblob_ask(b, "PUT", target, headers, "");
}

/* Until the copy onto the blob is no longer pending; its state. */
static const char *wait_for(struct azblob_bed *b, const char *target)
{
    for (int i = 0; i < 600; i++) {
        assert_status(azblob_ask(b, "HEAD", target, NULL, ""), 200);
        const char *status = bed_header(b, "x-ms-copy-status");
        assert_non_null(status);
        if (strcmp(status, "pending") != 0)
            return status;
        struct call call = CALL_INIT;
        (void)(call_sleep(&call, 50 * CLOCK_MILLISECOND) < 0);
    }
    fail_msg("the copy does not end");
    return NULL;
}

static void check_bytes(struct azblob_bed *b, const char *target, uint64_t first, uint64_t length)
{
    auto_free char *range = xasprintf("x-ms-range: bytes=%llu-%llu", (unsigned long long)first,
                                      (unsigned long long)(first + length - 1));

    assert_status(azblob_ask(b, "GET", target, range, ""), 206);
    assert_int_equal(b->answer.length, length);
    for (uint64_t i = 0; i < length; i++)
        if ((unsigned char)b->answer.data[i] != byte_at(first + i))
            fail_msg("byte %llu is wrong", (unsigned long long)(first + i));
}

static void asynchronous(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(ask_copy(b, "/acct/con/o", "x-ms-tags: a=b"), 202);
    assert_string_equal(bed_header(b, "x-ms-copy-status"), "pending");
    assert_non_null(bed_header(b, "x-ms-copy-id"));
    assert_string_equal(wait_for(b, "/acct/con/o"), "success");
    assert_string_equal(bed_header(b, "x-ms-copy-progress"), "100000/100000");
    assert_string_equal(bed_header(b, "Content-Type"), "text/elsewhere");
    assert_string_equal(bed_header(b, "x-ms-meta-far"), "away");
    assert_string_equal(bed_header(b, "x-ms-tag-count"), "1");
    /* The signature of a source is nobody else's. */
    assert_null(strstr(bed_header(b, "x-ms-copy-source"), "secret"));
    check_bytes(b, "/acct/con/o", 0, SMALL);
    /* Done is done. */
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o?comp=copy&copyid=" OTHER_ID,
                              "x-ms-copy-action: abort", ""),
                   409, "NoPendingCopyOperation");
    assert_refused(
        azblob_ask(b, "PUT", "/acct/con/o?comp=copy&copyid=1", "x-ms-copy-action: abort", ""), 400,
        "InvalidQueryParameterValue");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o", "x-ms-blob-type: BlockBlob", "new"), 201);
}

static void synchronous(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(ask_copy(b, "/acct/con/o", "x-ms-requires-sync: true\nx-ms-meta-own: 1"), 202);
    assert_string_equal(bed_header(b, "x-ms-copy-status"), "success");
    assert_status(azblob_ask(b, "HEAD", "/acct/con/o", NULL, ""), 200);
    assert_string_equal(bed_header(b, "x-ms-meta-own"), "1");
    assert_null(bed_header(b, "x-ms-meta-far"));
    check_bytes(b, "/acct/con/o", 0, SMALL);
    assert_status(ask_copy(b, "/acct/con/p",
                           "x-ms-blob-type: BlockBlob\nx-ms-blob-content-language: de\n"
                           "x-ms-copy-source-authorization: Bearer xyz"),
                  201);
    assert_string_equal(there->last_authorization, "Bearer xyz");
    assert_status(azblob_ask(b, "HEAD", "/acct/con/p", NULL, ""), 200);
    assert_string_equal(bed_header(b, "Content-Type"), "text/elsewhere");
    assert_string_equal(bed_header(b, "Content-Language"), "de");
    assert_null(bed_header(b, "x-ms-copy-id"));
    check_bytes(b, "/acct/con/p", 0, SMALL);
}

static void in_parts(void **state)
{
    struct azblob_bed *b = *state;

    assert_status(ask_copy(b, "/acct/con/o?comp=block&blockid=AAAA", ""), 201);
    assert_status(azblob_ask(b, "PUT", "/acct/con/o?comp=blocklist", NULL,
                             "<BlockList><Latest>AAAA</Latest></BlockList>"),
                  201);
    check_bytes(b, "/acct/con/o", 0, SMALL);
    assert_status(azblob_ask(b, "PUT", "/acct/con/a", "x-ms-blob-type: AppendBlob", ""), 201);
    assert_status(ask_copy(b, "/acct/con/a?comp=appendblock", "x-ms-source-range: bytes=0-"), 201);
    assert_string_equal(there->last_range, "bytes=0-");
    check_bytes(b, "/acct/con/a", 0, SMALL);
    assert_refused(ask_copy(b, "/acct/con/a?comp=appendblock", "x-ms-source-range: bytes=5-2"), 400,
                   "InvalidHeaderValue");
}

static void refusals(void **state)
{
    static const struct {
        int manner, status;
        const char *code;
    } cases[] = {
        {DENIES, 403, "CannotVerifyCopySource"},
        {MISSES, 404, "CannotVerifyCopySource"},
        {NO_LENGTH, 403, "CannotVerifyCopySource"},
        {PAGES, 409, "InvalidSourceBlobType"},
    };
    struct azblob_bed *b = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        there->manner = cases[i].manner;
        assert_refused(ask_copy(b, "/acct/con/o", ""), cases[i].status, cases[i].code);
        assert_refused(ask_copy(b, "/acct/con/o", "x-ms-requires-sync: true"), cases[i].status,
                       cases[i].code);
    }
    there->manner = WELL;
    assert_refused(ask_copy(b, "/acct/con/o", "x-ms-source-if-match: \"other\""), 412,
                   "SourceConditionNotMet");
    there->manner = BREAKS;
    assert_int_not_equal(ask_copy(b, "/acct/con/o", "x-ms-requires-sync: true"), 202);
    assert_refused(azblob_ask(b, "GET", "/acct/con/o", NULL, ""), 404, "BlobNotFound");
    b->options.http = NULL;
    azblob_bed_reopen(b);
    there->manner = WELL;
    assert_refused(ask_copy(b, "/acct/con/o", ""), 403, "CannotVerifyCopySource");
    assert_refused(azblob_ask(b, "GET", "/acct/con/o", NULL, ""), 404, "BlobNotFound");
}

/* What broke off goes on; large ones in parts, of which only the broken is read again. */
static void goes_on(void **state)
{
    struct azblob_bed *b = *state;

    there->size = LARGE;
    there->manner = BREAKS;
    assert_status(ask_copy(b, "/acct/con/o", ""), 202);
    assert_string_equal(wait_for(b, "/acct/con/o"), "success");
    assert_true(there->requests > 2);
    auto_free char *size = xasprintf("%d", LARGE);
    assert_string_equal(bed_header(b, "Content-Length"), size);
    check_bytes(b, "/acct/con/o", 0, 1000);
    check_bytes(b, "/acct/con/o", 64 * 1024 * 1024 - 500, 1000);
    check_bytes(b, "/acct/con/o", LARGE - 1000, 1000);
}

/* Another object under the same name is no continuation. */
static void changed_meanwhile(void **state)
{
    struct azblob_bed *b = *state;

    there->size = LARGE;
    there->manner = CHANGES;
    assert_status(ask_copy(b, "/acct/con/o", ""), 202);
    assert_string_equal(wait_for(b, "/acct/con/o"), "failed");
    assert_non_null(bed_header(b, "x-ms-copy-status-description"));
    assert_string_equal(bed_header(b, "Content-Length"), "0");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o", "x-ms-blob-type: BlockBlob", "new"), 201);
}

static void aborted(void **state)
{
    struct azblob_bed *b = *state;

    there->size = UINT64_C(1) << 40;
    assert_status(ask_copy(b, "/acct/con/o", ""), 202);
    auto_free char *id = xstrdup(bed_header(b, "x-ms-copy-id"));
    auto_free char *other = xasprintf("/acct/con/o?comp=copy&copyid=%s", OTHER_ID);
    auto_free char *right = xasprintf("/acct/con/o?comp=copy&copyid=%s", id);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o", "x-ms-blob-type: BlockBlob", "x"), 409,
                   "PendingCopyOperation");
    assert_refused(azblob_ask(b, "DELETE", "/acct/con/o", NULL, ""), 409, "PendingCopyOperation");
    assert_refused(ask_copy(b, "/acct/con/o", ""), 409, "PendingCopyOperation");
    assert_refused(azblob_ask(b, "PUT", other, "x-ms-copy-action: abort", ""), 409,
                   "CopyIdMismatch");
    assert_refused(azblob_ask(b, "PUT", right, "x-ms-copy-action: halt", ""), 400,
                   "InvalidHeaderValue");
    assert_status(azblob_ask(b, "PUT", right, "x-ms-copy-action: abort", ""), 204);
    assert_string_equal(wait_for(b, "/acct/con/o"), "aborted");
    assert_status(azblob_ask(b, "DELETE", "/acct/con/o", NULL, ""), 202);
}

/* The gateway stops in the middle: whoever looks later sees that it failed. */
static void stopped(void **state)
{
    struct azblob_bed *b = *state;

    there->size = UINT64_C(1) << 40;
    assert_status(ask_copy(b, "/acct/con/o", ""), 202);
    azblob_bed_reopen(b);
    assert_string_equal(wait_for(b, "/acct/con/o"), "failed");
}

static size_t count_versions(struct azblob_bed *b)
{
    const char *list = "/acct/con?restype=container&comp=list&include=versions";
    size_t count = 0;

    assert_status(azblob_ask(b, "GET", list, NULL, ""), 200);
    for (const char *at = b->answer.data; (at = strstr(at, "<VersionId>")); at++)
        count++;
    return count;
}

/* Where versions are kept, the empty one of the beginning is not among them. */
static void versions(void **state)
{
    struct azblob_bed *b = *state;

    azblob_bed_settings(b, "{\"versioning\":true}");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o", "x-ms-blob-type: BlockBlob", "first"), 201);
    auto_free char *first = xstrdup(bed_header(b, "x-ms-version-id"));
    auto_free char *old = xasprintf("/acct/con/o?versionid=%s", first);
    assert_status(ask_copy(b, "/acct/con/o", ""), 202);
    assert_string_equal(wait_for(b, "/acct/con/o"), "success");
    assert_string_equal(bed_header(b, "x-ms-is-current-version"), "true");
    assert_string_not_equal(bed_header(b, "x-ms-version-id"), first);
    assert_status(azblob_ask(b, "GET", old, NULL, ""), 200);
    assert_string_equal(b->answer.data, "first");
    assert_null(bed_header(b, "x-ms-is-current-version"));
    /* It goes just after the copy is there. */
    for (int n = 0; n < 100 && count_versions(b) > 2; n++) {
        struct call call = CALL_INIT;
        (void)(call_sleep(&call, 50 * CLOCK_MILLISECOND) < 0);
    }
    assert_int_equal(count_versions(b), 2);
}

static void target_conditions(void **state)
{
    struct azblob_bed *b = *state;

    assert_refused(ask_copy(b, "/acct/con/o", "x-ms-requires-sync: true\nIf-Match: \"0x1\""), 412,
                   "ConditionNotMet");
    assert_refused(ask_copy(b, "/acct/con/o", "If-Match: \"0x1\""), 412, "ConditionNotMet");
    assert_status(azblob_ask(b, "PUT", "/acct/con/o", "x-ms-blob-type: BlockBlob", "x"), 201);
    assert_refused(ask_copy(b, "/acct/con/o", "If-None-Match: *"), 409, "BlobAlreadyExists");
}

/* What S3's door left where an object was is none to copy. */
static void marker_as_source(void **state)
{
    struct azblob_bed *b = *state;
    struct call *call = &b->below->call;
    auto_delete_result struct delete_result gone = {0};
    struct delete_request request = {
        .place = {.account = "acct", .container = "con", .name = "gone"},
        .conditions = CONDITIONS_INIT,
        .make_marker = true};

    azblob_bed_settings(b, "{\"versioning\":true}");
    assert_ok(service_delete(b->below->service, &request, &gone, call), &call->err);
    auto_free char *header = xasprintf(
        "x-ms-copy-source: http://" AZBLOB_HOST "/acct/con/gone?versionid=%s", gone.version);
    assert_refused(azblob_ask(b, "PUT", "/acct/con/o", header, ""), 404, "CannotVerifyCopySource");
}

#define copy_test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        copy_test(asynchronous),      copy_test(synchronous),      copy_test(in_parts),
        copy_test(refusals),          copy_test(goes_on),          copy_test(changed_meanwhile),
        copy_test(aborted),           copy_test(stopped),          copy_test(versions),
        copy_test(target_conditions), copy_test(marker_as_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
