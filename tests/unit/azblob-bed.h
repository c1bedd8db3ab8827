// SPDX-License-Identifier: EUPL-1.2
/*
 * An Azure Blob door over an object service made for one test, asked without a network:
 *
 *     struct azblob_bed *b = *state;
 *     assert_int_equal(azblob_ask(b, "PUT", "/acct/photos?restype=container", NULL, ""), 201);
 *     assert_string_equal(azblob_header(b, "x-ms-version"), ...);  (b->answer: the body)
 *
 * Requests are signed with the account's key unless b->unsigned_too is set.
 */
#ifndef TESTS_AZBLOB_BED_H
#define TESTS_AZBLOB_BED_H

#include "auth/sharedkey.h"
#include "codec/date.h"
#include "door/azblob/azblob_private.h"
#include "object-bed.h"
#include "util/thread.h"

/* "0123...": 64 bytes; and 32 for delegations. */
#define AZBLOB_KEY1 \
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
#define AZBLOB_KEY2 \
    "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEwZmVkY2JhOTg3NjU0MzIxMA=="
#define AZBLOB_SECRET "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
#define AZBLOB_HOST   "127.0.0.1:10000"

struct azblob_bed {
    struct object_bed *below;
    struct azblob *door;
    struct azblob_options options;
    bool unsigned_too; /* send requests as they are */
    bool secure;
    const char *key;  /* that signs */
    const char *host; /* NULL: AZBLOB_HOST */
    const char *peer;
    /* The last answer. */
    int status;
    struct pairs headers;
    struct buf answer;
    /* What was recorded last: behind a server by the connections' threads. */
    pthread_mutex_t recording;
    unsigned records;
    char operation[64], authentication[32], error[64];
    bool refused;
};

/* ---- The channel ---- */

static inline void bed_answer(struct azblob_request *r, int status, const struct pairs *headers,
                              struct buf *body)
{
    struct azblob_bed *b = r->channel_argument;

    b->status = status;
    pairs_release(&b->headers);
    pairs_copy(&b->headers, headers);
    buf_reset(&b->answer);
    buf_bytes(&b->answer, body->data, body->length);
}

static inline void bed_answer_length(struct azblob_request *r, int status,
                                     const struct pairs *headers, uint64_t length)
{
    auto_buf struct buf nothing = BUF_INIT(0);
    struct azblob_bed *b = r->channel_argument;
    auto_free char *text = xasprintf("%llu", (unsigned long long)length);

    bed_answer(r, status, headers, &nothing);
    pairs_add(&b->headers, "Content-Length", text);
}

static inline int bed_answer_stream(
    struct azblob_request *r, int status, const struct pairs *headers, uint64_t length,
    int (*producer)(void *argument, struct sink *sink, struct call *call), void *argument,
    void (*release)(void *argument), struct call *call)
{
    auto_buf struct buf body = BUF_INIT(1 << 26);
    struct sink_buf sink;

    sink_buf_init(&sink, &body);
    int result = r->is_head ? 0 : producer(argument, &sink.sink, call);
    release(argument);
    if (result < 0)
        return -1;
    if (!r->is_head && length != UINT64_MAX)
        assert_int_equal(body.length, length);
    bed_answer(r, status, headers, &body);
    return 0;
}

static const struct azblob_channel bed_channel = {
    .answer = bed_answer, .answer_length = bed_answer_length, .answer_stream = bed_answer_stream};

/* ---- Asking ---- */

static inline void bed_record(void *argument, const struct azblob_record *record)
{
    struct azblob_bed *b = argument;

    locked(&b->recording);
    b->records++;
    (void)snprintf(b->operation, sizeof(b->operation), "%s", record->operation);
    (void)snprintf(b->authentication, sizeof(b->authentication), "%s", record->authentication);
    (void)snprintf(b->error, sizeof(b->error), "%s", record->error ? record->error : "");
    b->refused = record->refused;
}

/* "Name: value" lines. */
static inline void bed_headers(struct pairs *headers, const char *text)
{
    while (text && *text) {
        size_t n = strcspn(text, "\n"), name = strcspn(text, ":");
        size_t value = name + 1 + (text[name + 1] == ' ');
        pairs_add_n(headers, text, name, text + value, n > value ? n - value : 0);
        text += n + (text[n] == '\n');
    }
}

static inline void bed_sign(struct azblob_bed *b, const char *method, const char *target,
                            struct pairs *headers, uint64_t length)
{
    auto_sharedkey struct sharedkey key = SHAREDKEY_INIT;
    struct source_bytes body;
    struct http_request request = HTTP_REQUEST_INIT;
    struct err e = {.code = ERR_NONE};

    source_bytes_init(&body, "", 0);
    request.method = method;
    request.url = xasprintf("http://%s%s", b->host ? b->host : AZBLOB_HOST, target);
    pairs_copy(&request.headers, headers);
    request.body = &body.source;
    request.body_length = length;
    assert_ok(sharedkey_init(&key, "acct", b->key, &e), &e);
    assert_ok(sharedkey_sign(&key, &request, clock_wall(), &e), &e);
    pairs_release(headers);
    pairs_copy(headers, &request.headers);
    http_request_release(&request);
}

/* One request with a body of length bytes; the status. */
static inline int azblob_ask_bytes(struct azblob_bed *b, const char *method, const char *target,
                                   const char *headers, const void *bytes, size_t length)
{
    auto_pairs struct pairs list = PAIRS_INIT;
    auto_free char *path = xstrndup(target, strcspn(target, "?"));
    const char *query = strchr(target, '?');
    struct source_bytes body;
    struct call call = CALL_INIT;
    auto_azblob_request struct azblob_request r = {
        .door = b->door, .channel = &bed_channel, .channel_argument = b};
    struct azblob_record record;

    bed_headers(&list, headers);
    if (!pairs_get_nocase(&list, "x-ms-version"))
        pairs_add(&list, "x-ms-version", "2026-06-06");
    if (!b->unsigned_too)
        bed_sign(b, method, target, &list, length);
    r.head = (struct azblob_head){.method = method,
                                  .path = path,
                                  .query = query ? query + 1 : NULL,
                                  .host = b->host ? b->host : AZBLOB_HOST,
                                  .headers = &list,
                                  .peer = b->peer ? b->peer : "127.0.0.1",
                                  .secure = b->secure,
                                  .body_length = length};
    source_bytes_init(&body, bytes, length);
    b->status = 0;
    if (azblob_request_begin(&r, &call) < 0)
        azblob_answer_error(&r, &call.err);
    else
        azblob_request_handle(&r, &body.source, &call);
    azblob_request_record(&r, &record);
    bed_record(b, &record);
    return b->status;
}

static inline int azblob_ask(struct azblob_bed *b, const char *method, const char *target,
                             const char *headers, const char *body)
{
    return azblob_ask_bytes(b, method, target, headers, body, strlen(body));
}

/* A header of the last answer; NULL. */
static inline const char *bed_header(const struct azblob_bed *b, const char *name)
{
    return pairs_get_nocase(&b->headers, name);
}

/* The last answer must be this error; says what it was. */
#define assert_refused(expression, wanted_status, wanted_code)                                    \
    do {                                                                                          \
        int status_ = (expression);                                                               \
        const char *code_ = bed_header(b, "x-ms-error-code");                                     \
        if (status_ != (wanted_status) || !code_ || strcmp(code_, wanted_code) != 0)              \
            fail_msg("%s: %d %s\n%s", #expression, status_, code_ ? code_ : "-", b->answer.data); \
    } while (0)
#define assert_status(expression, wanted)                                 \
    do {                                                                  \
        int status_ = (expression);                                       \
        if (status_ != (wanted))                                          \
            fail_msg("%s: %d\n%s", #expression, status_, b->answer.data); \
    } while (0)
#define assert_has(text)                                    \
    do {                                                    \
        if (!strstr(b->answer.data, text))                  \
            fail_msg("no %s in\n%s", text, b->answer.data); \
    } while (0)
#define assert_has_not(text)                             \
    do {                                                 \
        if (strstr(b->answer.data, text))                \
            fail_msg("%s in\n%s", text, b->answer.data); \
    } while (0)

/* ---- Up and down ---- */

static inline int bed_account(struct db *db, void *argument, struct call *call)
{
    struct account_row row = account_row_new();

    row.name = (char *)"acct";
    row.key1 = (char *)AZBLOB_KEY1;
    row.key2 = (char *)AZBLOB_KEY2;
    row.delegation_secret = (char *)AZBLOB_SECRET;
    row.settings = argument;
    return row_put(db, &account_table, &row, call);
}

static inline void azblob_bed_settings(struct azblob_bed *b, const char *settings)
{
    assert_ok(
        index_write(b->below->index, INDEX_DURABLE, bed_account, (void *)settings, &b->below->call),
        &b->below->call.err);
}

/* After a change of b->options. */
static inline void azblob_bed_reopen(struct azblob_bed *b)
{
    azblob_free(b->door);
    b->door = azblob_new(&b->options);
}

static inline int azblob_bed_set_up(void **state)
{
    static const char *const domains[] = {"storage.example.eu"};
    struct azblob_bed *b = xcalloc(1, sizeof(*b));
    void *below = NULL;

    (void)object_bed_set_up(&below);
    b->below = below;
    (void)pthread_mutex_init(&b->recording, NULL);
    buf_init(&b->answer, 1 << 26);
    b->key = AZBLOB_KEY1;
    b->options = (struct azblob_options){.service = b->below->service,
                                         .domains = domains,
                                         .domain_count = ARRAY_SIZE(domains),
                                         .argument = b,
                                         .record = bed_record};
    azblob_bed_reopen(b);
    azblob_bed_settings(b, NULL);
    *state = b;
    return 0;
}

static inline int azblob_bed_tear_down(void **state)
{
    struct azblob_bed *b = *state;
    void *below = b->below;

    azblob_free(b->door);
    pairs_release(&b->headers);
    buf_release(&b->answer);
    (void)pthread_mutex_destroy(&b->recording);
    free(b);
    return object_bed_tear_down(&below);
}

#define azblob_test(function) \
    cmocka_unit_test_setup_teardown(function, azblob_bed_set_up, azblob_bed_tear_down)

#endif
