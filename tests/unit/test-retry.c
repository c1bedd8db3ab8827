// SPDX-License-Identifier: EUPL-1.2
/* What is tried again and what is not, over faults made on purpose. */
#include "store/layer/retry.h"

#include <pthread.h>

#include "store/layer/fault.h"
#include "store/layer/limit.h"
#include "util/clock.h"
#include "vault.h"

#define SIZE 100000

static char *letters(size_t n)
{
    char *text = calloc(1, n + 1);

    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i * 7 % 26 + i / 5000 % 3);
    return text;
}

/* Put faults and a retry over the file store; gives the fault layer. */
static struct store *break_things(struct vault *s, const struct fault_rule *rules, size_t count)
{
    static const struct retry_options quick = {
        .attempts_max = 3, .pause_first = CLOCK_MILLISECOND, .pause_max = 2 * CLOCK_MILLISECOND};
    struct store *fault = fault_layer(s->store, rules, count);

    s->store = retry_layer(fault, &quick);
    return fault;
}
#define BREAK(s, ...)                                         \
    break_things(s, (const struct fault_rule[]){__VA_ARGS__}, \
                 sizeof((const struct fault_rule[]){__VA_ARGS__}) / sizeof(struct fault_rule))

static int put(struct vault *s, struct source *from, const struct put_options *options,
               struct put_result *ret)
{
    struct object_key key = vault_key("x");

    return store_put(s->store, &key, options, from, ret, &s->call);
}

static void get_goes_on(void **state)
{
    struct vault *s = *state;
    auto_free char *text = letters(SIZE);

    vault_put(s, "x", text);
    struct store *fault = BREAK(s, {FAULT_GET, FAULT_CUT, .nth = 1, .at = 12345},
                                {FAULT_GET, FAULT_SHORT, .nth = 2, .at = 1});
    vault_holds(s, "x", text);
    assert_int_equal(fault_calls(fault, FAULT_GET), 3);
}

static void one_byte_too_many(void **state)
{
    struct vault *s = *state;

    vault_put(s, "x", "exact");
    (void)BREAK(s, {FAULT_GET, FAULT_LONG, .nth = 1});
    vault_holds(s, "x", "exact");
}

/* Overwrites the object as soon as it gets bytes of it. */
struct meddling_sink {
    struct sink sink;
    struct store *file;
    bool done;
};

static int meddle(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct meddling_sink *m = container_of(sink, struct meddling_sink, sink);
    struct object_key key = vault_key("x");
    struct put_options options = {.size = SIZE};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_zeros zeros;

    (void)bytes;
    (void)n;
    if (m->done)
        return 0;
    m->done = true;
    source_zeros_init(&zeros, SIZE);
    return store_put(m->file, &key, &options, &zeros.source, &result, call);
}

static void versions_never_mix(void **state)
{
    struct vault *s = *state;
    auto_free char *text = letters(SIZE);
    struct object_key key = vault_key("x");
    struct get_options whole = {.length = STORE_TO_END};
    struct meddling_sink sink = {.sink = {.write = meddle}, .file = s->store};

    vault_put(s, "x", text);
    (void)BREAK(s, {FAULT_GET, FAULT_CUT, .nth = 1, .at = 5000});
    assert_int_equal(store_get(s->store, &key, &whole, &sink.sink, NULL, NULL, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_CHANGED);
}

static void corruption_is_not_retried(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    struct object told = OBJECT_INIT;

    vault_put(s, "x", "text");
    struct store *fault = BREAK(s, {FAULT_STAT, FAULT_FAIL, .nth = 1, .code = ERR_CORRUPT},
                                {FAULT_STAT, FAULT_FAIL, .nth = 2, .code = ERR_DENIED});
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_CORRUPT);
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_DENIED);
    assert_int_equal(fault_calls(fault, FAULT_STAT), 2);
}

static void gives_up(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    struct object told = OBJECT_INIT;
    struct store *fault = BREAK(s, {FAULT_STAT, FAULT_FAIL, .nth = 0, .code = ERR_REMOTE});

    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_REMOTE);
    assert_non_null(strstr(s->call.err.text, "(3 attempts)"));
    assert_int_equal(fault_calls(fault, FAULT_STAT), 3);
}

static void obeys_retry_after(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    auto_object struct object told = OBJECT_INIT;

    vault_put(s, "x", "text");
    (void)BREAK(s, {FAULT_STAT, FAULT_FAIL, .nth = 1, .code = ERR_BUSY, .retry_after = 1});
    int64_t begun = clock_monotonic();
    assert_ok(store_stat(s->store, &key, &told, &s->call), &s->call.err);
    assert_true(clock_monotonic() - begun >= CLOCK_SECOND);
}

static void stops_for_deadline(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    struct object told = OBJECT_INIT;

    (void)BREAK(s, {FAULT_STAT, FAULT_FAIL, .nth = 1, .code = ERR_BUSY, .retry_after = 100});
    int64_t begun = clock_monotonic();
    s->call.deadline = begun + CLOCK_SECOND;
    assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_BUSY);
    assert_true(clock_monotonic() - begun < CLOCK_SECOND);
    s->call.deadline = 0;
}

/* Ctrl-C, the first: nobody waits for an attempt that will not be made. */
static void *drain_soon(void *cancel)
{
    struct timespec pause = {.tv_nsec = 100 * CLOCK_MILLISECOND};

    (void)nanosleep(&pause, NULL);
    cancel_raise(cancel);
    return NULL;
}

static void a_drained_call_waits_no_longer(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");
    auto_object struct object o = OBJECT_INIT;
    struct cancel drain = {0};
    pthread_t thread;

    vault_put(s, "x", "1");
    struct store *fault =
        BREAK(s, {FAULT_STAT, FAULT_FAIL, .nth = 1, .code = ERR_BUSY, .retry_after = 60});
    int64_t begun = clock_monotonic();
    s->call.drain = &drain;
    assert_int_equal(pthread_create(&thread, NULL, drain_soon, &drain), 0);
    assert_int_equal(store_stat(s->store, &key, &o, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_CANCELLED);
    assert_true(clock_monotonic() - begun < 10 * CLOCK_SECOND);
    assert_int_equal(fault_calls(fault, FAULT_STAT), 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    err_clear(&s->call.err);
    /* what goes well goes on */
    assert_int_equal(store_stat(s->store, &key, &o, &s->call), 0);
    s->call.drain = NULL;
}

static void put_sends_again(void **state)
{
    struct vault *s = *state;
    auto_free char *text = letters(SIZE);
    struct put_options options = {.size = SIZE};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    struct store *fault = BREAK(s, {FAULT_PUT, FAULT_CUT, .nth = 1, .at = 70000},
                                {FAULT_PUT, FAULT_FAIL, .nth = 2, .code = ERR_TIMEOUT});
    source_bytes_init(&from, text, SIZE);
    assert_ok(put(s, &from.source, &options, &result), &s->call.err);
    assert_int_equal(fault_calls(fault, FAULT_PUT), 3);
    vault_holds(s, "x", text);
}

/* A source that cannot go back, and can break. */
struct one_way {
    struct source source;
    size_t left;
    bool breaks;
};

static ssize_t one_way_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct one_way *o = container_of(source, struct one_way, source);

    if (n > o->left)
        n = o->left;
    if (o->breaks && o->left < SIZE / 2)
        return err_set(&call->err, ERR_NETWORK, "the source broke");
    memset(bytes, 'o', n);
    o->left -= n;
    return (ssize_t)n;
}

static void no_way_back(void **state)
{
    struct vault *s = *state;
    struct put_options options = {.size = SIZE};
    struct put_result result = PUT_RESULT_INIT;
    struct one_way from = {.source = {.read = one_way_read}, .left = SIZE};

    struct store *fault = BREAK(s, {FAULT_PUT, FAULT_CUT, .nth = 1, .at = 50000});
    assert_int_equal(put(s, &from.source, &options, &result), -1);
    assert_int_equal(s->call.err.code, ERR_NETWORK);
    assert_int_equal(fault_calls(fault, FAULT_PUT), 1);
}

static int cannot_rewind(struct source *source, struct call *call)
{
    (void)source;
    (void)call;
    fail_msg("a broken source was rewound");
    return -1;
}

static void broken_source_is_not_retried(void **state)
{
    struct vault *s = *state;
    struct put_options options = {.size = SIZE};
    struct put_result result = PUT_RESULT_INIT;
    struct one_way from = {
        .source = {.read = one_way_read, .rewind = cannot_rewind}, .left = SIZE, .breaks = true};

    struct store *fault = BREAK(s, {FAULT_STAT, FAULT_FAIL, .nth = 1});
    assert_int_equal(put(s, &from.source, &options, &result), -1);
    assert_string_equal(s->call.err.text, "the source broke");
    assert_int_equal(fault_calls(fault, FAULT_PUT), 1);
}

/* if_absent, done, answer lost, "exists already": ours when the digests say so, else not. */
static void lost_conditional_put(void **state)
{
    struct vault *s = *state;
    struct put_options options = {.size = 4, .if_absent = true};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    unsigned char sha256[32] = {1, 2, 3};
    struct source_bytes from;

    (void)BREAK(s, {FAULT_PUT, FAULT_LOSE, .nth = 1});
    checksum_set(&options.known, CHECKSUM_SHA256, sha256);
    source_bytes_init(&from, "ours", 4);
    assert_ok(put(s, &from.source, &options, &result), &s->call.err);
    assert_int_equal(result.proof, PROOF_NONE);
    assert_non_null(result.etag);
}

static void lost_conditional_put_unknown(void **state)
{
    struct vault *s = *state;
    struct put_options options = {.size = 4, .if_absent = true};
    struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    (void)BREAK(s, {FAULT_PUT, FAULT_LOSE, .nth = 1});
    source_bytes_init(&from, "ours", 4);
    assert_int_equal(put(s, &from.source, &options, &result), -1);
    assert_int_equal(s->call.err.code, ERR_CHANGED);
}

static void lost_removal(void **state)
{
    struct vault *s = *state;
    struct object_key key = vault_key("x");

    vault_put(s, "x", "text");
    struct store *fault = BREAK(s, {FAULT_REMOVE, FAULT_LOSE, .nth = 1});
    assert_ok(store_remove(s->store, &key, NULL, &s->call), &s->call.err);
    assert_int_equal(fault_calls(fault, FAULT_REMOVE), 2);
    assert_int_equal(store_remove(s->store, &key, NULL, &s->call), -1);
    assert_int_equal(s->call.err.code, ERR_NOT_FOUND);
}

static void commit_lost(struct vault *s, bool digest, enum proof proof, unsigned calls)
{
    struct object_key key = vault_key("x");
    struct put_options options = {.size = 4};
    struct part_options part = {.size = 4};
    struct part_result done;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_free char *id = NULL;
    unsigned char md5[16] = {9};
    struct source_bytes from;

    struct store *fault = BREAK(s, {FAULT_UPLOAD_COMMIT, FAULT_LOSE, .nth = 1});
    if (digest)
        checksum_set(&options.known, CHECKSUM_MD5, md5);
    source_bytes_init(&from, "part", 4);
    assert_ok(store_upload_begin(s->store, &key, &options, &id, &s->call), &s->call.err);
    assert_ok(store_upload_part(s->store, &key, id, 0, &part, &from.source, &done, &s->call),
              &s->call.err);
    assert_ok(store_upload_commit(s->store, &key, id, &done, 1, &options, &result, &s->call),
              &s->call.err);
    assert_int_equal(result.proof, proof);
    assert_int_equal(fault_calls(fault, FAULT_UPLOAD_COMMIT), calls);
    vault_holds(s, "x", "part");
}

static void lost_commit(void **state)
{
    commit_lost(*state, true, PROOF_NONE, 1);
}

static void lost_commit_unknown(void **state)
{
    commit_lost(*state, false, PROOF_NONE, 2);
}

static void corrupted_bytes_arrive(void **state)
{
    struct vault *s = *state;

    vault_put(s, "x", "abcdef");
    (void)BREAK(s, {FAULT_GET, FAULT_CORRUPT, .nth = 1, .at = 2});
    vault_holds(s, "x", "abCdef");
    vault_holds(s, "x", "abcdef");
}

static void stale_listing(void **state)
{
    struct vault *s = *state;
    struct list_options options = {.limit = 0};
    auto_object_list struct object_list stale = OBJECT_LIST_INIT, fresh = OBJECT_LIST_INIT;

    vault_put(s, "x", "1");
    vault_put(s, "y", "2");
    (void)BREAK(s, {FAULT_LIST, FAULT_STALE, .nth = 1});
    assert_ok(store_list(s->store, "c", &options, &stale, &s->call), &s->call.err);
    assert_int_equal(stale.count, 1);
    assert_ok(store_list(s->store, "c", &options, &fresh, &s->call), &s->call.err);
    assert_int_equal(fresh.count, 2);
}

static void limits_slow_down(void **state)
{
    struct vault *s = *state;
    struct limit_options options = {
        .requests = {.rules = {{.from = -1, .rate = 100}}, .count = 1},
        .down = {.rules = {{.from = -1, .rate = 200000}}, .count = 1},
        .up = {.rules = {{.from = -1, .rate = 200000}}, .count = 1},
    };
    auto_free char *text = letters(SIZE);
    struct object_key key = vault_key("x");

    s->store = limit_layer(s->store, &options);
    int64_t begun = clock_monotonic();
    for (int i = 0; i < 60; i++) {
        auto_object struct object told = OBJECT_INIT;
        assert_int_equal(store_stat(s->store, &key, &told, &s->call), -1);
    }
    assert_true(clock_monotonic() - begun > 300 * CLOCK_MILLISECOND);
    /* Each leaves a debt of half a second to the next, less what was saved up. */
    begun = clock_monotonic();
    vault_put(s, "x", text);
    vault_put(s, "x", text);
    assert_true(clock_monotonic() - begun > 200 * CLOCK_MILLISECOND);
    begun = clock_monotonic();
    vault_holds(s, "x", text);
    vault_holds(s, "x", text);
    assert_true(clock_monotonic() - begun > 200 * CLOCK_MILLISECOND);
    s->call.deadline = clock_monotonic() + 10 * CLOCK_MILLISECOND;
    struct put_options much = {.size = SIZE};
    struct put_result result = PUT_RESULT_INIT;
    struct source_zeros zeros;
    source_zeros_init(&zeros, SIZE);
    begun = clock_monotonic();
    assert_int_equal(put(s, &zeros.source, &much, &result), -1);
    assert_int_equal(s->call.err.code, ERR_TIMEOUT);
    assert_true(clock_monotonic() - begun < 300 * CLOCK_MILLISECOND);
    s->call.deadline = 0;
    vault_holds(s, "x", text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        vault_test(get_goes_on),
        vault_test(one_byte_too_many),
        vault_test(versions_never_mix),
        vault_test(corruption_is_not_retried),
        vault_test(gives_up),
        vault_test(obeys_retry_after),
        vault_test(stops_for_deadline),
        vault_test(a_drained_call_waits_no_longer),
        vault_test(put_sends_again),
        vault_test(no_way_back),
        vault_test(broken_source_is_not_retried),
        vault_test(lost_conditional_put),
        vault_test(lost_conditional_put_unknown),
        vault_test(lost_removal),
        vault_test(lost_commit),
        vault_test(lost_commit_unknown),
        vault_test(corrupted_bytes_arrive),
        vault_test(stale_listing),
        vault_test(limits_slow_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
