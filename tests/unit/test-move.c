// SPDX-License-Identifier: EUPL-1.2
/* The engine between two directories, with faults on both sides: whatever goes wrong, the ledger
 * says what is so, and what it calls moved is there, whole. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "move/move.h"
#include "move/verify.h"
#include "store/driver/file.h"
#include "store/layer/fault.h"
#include "store/layer/retry.h"
#include "util/random.h"

#define SMALL 150
#define LARGE (30 * 1024 * 1024 + 12345)

struct scene {
    char folder[64];
    char *source;
    char *target;
    char *ledger;
};

static void write_file(const char *path, size_t size, unsigned seed)
{
    auto_free unsigned char *bytes = malloc(size + 1);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_non_null(bytes);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)((i * 2654435761U + seed) >> 7);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void scene_init(struct scene *s)
{
    (void)snprintf(s->folder, sizeof(s->folder), "/tmp/bascule-test-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    s->source = xasprintf("%s/source", s->folder);
    s->target = xasprintf("%s/target", s->folder);
    s->ledger = xasprintf("sqlite:%s/ledger.db", s->folder);
    auto_free char *container = xasprintf("%s/c", s->source);
    assert_int_equal(mkdir(s->source, 0700), 0);
    assert_int_equal(mkdir(container, 0700), 0);
    for (unsigned i = 0; i < SMALL; i++) {
        auto_free char *path = xasprintf("%s/small-%03u", container, i);
        write_file(path, i * 37 % 9000, i);
    }
    auto_free char *large = xasprintf("%s/large", container);
    write_file(large, LARGE, 7);
}

static void scene_release(struct scene *s)
{
    auto_free char *command = xasprintf("rm -rf '%s'", s->folder);

    assert_int_equal(system(command), 0);
    free(s->source);
    free(s->target);
    free(s->ledger);
}

static struct store *open_store(const char *path, const struct fault_rule *rules, size_t count,
                                bool retry, struct call *call)
{
    const struct retry_options quick = {
        .attempts_max = 4, .pause_first = CLOCK_MILLISECOND, .pause_max = CLOCK_MILLISECOND};
    struct store *s = NULL;

    assert_ok(file_store_open_or_make(path, "store", &s, call), &call->err);
    if (count)
        s = fault_layer(s, rules, count);
    return retry ? retry_layer(s, &quick) : s;
}

/* One run of the program: opens everything, moves, closes everything. */
static void run_with(const struct scene *s, struct store *source, struct store *target,
                     struct ledger_job *job, const struct cancel *drain, bool readback)
{
    struct call call = CALL_INIT;
    struct ledger *ledger = NULL;
    struct move_progress progress;
    struct move_options options = {.source = source,
                                   .target = target,
                                   .source_text = "source:",
                                   .target_text = "target:",
                                   .workers = 6,
                                   .readback = readback,
                                   .drain = drain};

    assert_ok(ledger_open(s->ledger, &ledger, &call), &call.err);
    move_progress_init(&progress);
    assert_ok(move_run(ledger, &options, &progress, job, &call), &call.err);
    move_progress_release(&progress);
    ledger_close(ledger);
    store_close(source);
    store_close(target);
}

static void run_move(const struct scene *s, struct store *source, struct store *target,
                     struct ledger_job *job, const struct cancel *drain)
{
    run_with(s, source, target, job, drain, false);
}

/* A layer of two uses.  At a source: every object has a stored MD5, that of "wrong" is wrong.  At a
 * target: the answer to a put says the MD5 of what is held, once wrongly for "lied", unless it is
 * silent.  Counts the puts that were told an MD5. */
struct md5_layer {
    struct store store;
    bool silent;
    atomic_int told, lies;
};

static int md5_get(struct store *s, const struct object_key *key, const struct get_options *options,
                   struct sink *to, struct object *ret, enum transport_check *ret_check,
                   struct call *call)
{
    auto_buf struct buf text = BUF_INIT(64 * 1024 * 1024);
    struct sink_buf sink;
    const struct get_options all = {.length = STORE_TO_END};
    unsigned char md5[MD5_SIZE];

    sink_buf_init(&sink, &text);
    if (store_get(s->below, key, &all, &sink.sink, NULL, NULL, call) < 0 ||
        store_get(s->below, key, options, to, ret, ret_check, call) < 0)
        return -1;
    hash_bytes(HASH_MD5, text.data, text.length, md5);
    md5[0] ^= strcmp(key->name, "wrong") == 0;
    checksum_set(&ret->stored, CHECKSUM_MD5, md5);
    return 0;
}

static int md5_put(struct store *s, const struct object_key *key, const struct put_options *options,
                   struct source *from, struct put_result *ret, struct call *call)
{
    struct md5_layer *l = container_of(s, struct md5_layer, store);
    struct source_bytes *bytes = source_as_bytes(from);
    unsigned char md5[MD5_SIZE];

    if (options->known.have & (1U << CHECKSUM_MD5))
        atomic_fetch_add(&l->told, 1);
    assert_non_null(bytes);
    hash_bytes(HASH_MD5, bytes->bytes, bytes->length, md5);
    md5[0] ^= strcmp(key->name, "lied") == 0 && atomic_fetch_add(&l->lies, 1) == 0;
    if (store_put(s->below, key, options, from, ret, call) < 0)
        return -1;
    ret->stored.have = 0;
    if (!l->silent)
        checksum_set(&ret->stored, CHECKSUM_MD5, md5);
    return 0;
}

static void md5_close(struct store *s)
{
    store_release(s);
}

static void md5_layer_init(struct md5_layer *l, struct store_ops *ops, struct store *below)
{
    *ops = store_forward_ops;
    ops->get = md5_get;
    ops->put = md5_put;
    ops->close = md5_close;
    store_init_layer(&l->store, ops, below);
}

static void nothing_differs(void *context, enum verify_kind kind, const char *container,
                            const char *name, const char *text)
{
    (void)context;
    fail_msg("%s: %s/%s: %s", verify_kind_word(kind), container, name ? name : "", text);
}

static void assert_same_content(const struct scene *s, int64_t objects)
{
    struct call call = CALL_INIT;
    struct verify_result result = {0};
    struct verify_options options = {.source = open_store(s->source, NULL, 0, false, &call),
                                     .target = open_store(s->target, NULL, 0, false, &call),
                                     .differs = nothing_differs};

    assert_ok(verify_stores(&options, &result, &call), &call.err);
    assert_int_equal(atomic_load(&result.objects), objects);
    store_close(options.source);
    store_close(options.target);
}

static void test_moves_and_moves_nothing_again(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0}, again = {0};

    scene_init(&s);
    run_move(&s, open_store(s.source, NULL, 0, true, &call),
             open_store(s.target, NULL, 0, true, &call), &job, NULL);
    assert_int_equal(job.state, LEDGER_JOB_DONE);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, SMALL + 1);
    assert_same_content(&s, SMALL + 1);
    run_move(&s, open_store(s.source, NULL, 0, true, &call),
             open_store(s.target, NULL, 0, true, &call), &again, NULL);
    assert_int_equal(again.counts.by[LEDGER_MOVED].objects, 0);
    assert_int_equal(again.counts.by[LEDGER_ALREADY].objects, SMALL + 1);
    scene_release(&s);
}

static const struct fault_rule source_faults[] = {
    {.operation = FAULT_GET, .kind = FAULT_CUT, .nth = 5, .times = 3, .at = 100},
    {.operation = FAULT_GET, .kind = FAULT_FAIL, .nth = 40, .times = 2, .code = ERR_BUSY},
    {.operation = FAULT_STAT, .kind = FAULT_FAIL, .nth = 1, .code = ERR_TIMEOUT},
    {.operation = FAULT_LIST, .kind = FAULT_FAIL, .nth = 1, .code = ERR_NETWORK},
};
static const struct fault_rule target_faults[] = {
    {.operation = FAULT_PUT, .kind = FAULT_CUT, .nth = 3, .times = 2, .at = 10},
    {.operation = FAULT_PUT, .kind = FAULT_LOSE, .nth = 20, .times = 1},
    {.operation = FAULT_UPLOAD_PART, .kind = FAULT_FAIL, .nth = 2, .code = ERR_REMOTE},
    {.operation = FAULT_UPLOAD_COMMIT, .kind = FAULT_LOSE, .nth = 1},
    {.operation = FAULT_SYNC, .kind = FAULT_FAIL, .nth = 1, .code = ERR_BUSY},
};

static void test_passing_faults_are_survived(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0};

    scene_init(&s);
    run_move(&s, open_store(s.source, source_faults, ARRAY_SIZE(source_faults), true, &call),
             open_store(s.target, target_faults, ARRAY_SIZE(target_faults), true, &call), &job,
             NULL);
    assert_int_equal(job.state, LEDGER_JOB_DONE);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, SMALL + 1);
    assert_same_content(&s, SMALL + 1);
    scene_release(&s);
}

static void test_a_missing_target_is_no_vanished_source(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0}, again = {0};
    const struct fault_rule gone[] = {
        {.operation = FAULT_PUT, .kind = FAULT_FAIL, .nth = 10, .times = 5, .code = ERR_NOT_FOUND}};

    scene_init(&s);
    run_move(&s, open_store(s.source, NULL, 0, false, &call),
             open_store(s.target, gone, 1, false, &call), &job, NULL);
    assert_int_equal(job.counts.by[LEDGER_VANISHED].objects, 0);
    assert_int_equal(job.counts.by[LEDGER_FAILED].objects, 5);
    run_move(&s, open_store(s.source, NULL, 0, false, &call),
             open_store(s.target, NULL, 0, false, &call), &again, NULL);
    assert_int_equal(again.counts.by[LEDGER_FAILED].objects, 0);
    assert_same_content(&s, SMALL + 1);
    scene_release(&s);
}

static void test_a_failing_ledger_side_records_nothing_untrue(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0}, again = {0};
    const struct fault_rule full[] = {{.operation = FAULT_SYNC,
                                       .kind = FAULT_FAIL,
                                       .nth = 1,
                                       .times = 100000,
                                       .code = ERR_NO_SPACE}};

    scene_init(&s);
    run_move(&s, open_store(s.source, NULL, 0, false, &call),
             open_store(s.target, full, 1, false, &call), &job, NULL);
    assert_int_equal(job.state, LEDGER_JOB_FAILED);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, 0);
    run_move(&s, open_store(s.source, NULL, 0, false, &call),
             open_store(s.target, NULL, 0, false, &call), &again, NULL);
    assert_int_equal(again.state, LEDGER_JOB_DONE);
    assert_same_content(&s, SMALL + 1);
    scene_release(&s);
}

static void test_drained_goes_on(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    struct cancel drain = {0};
    auto_ledger_job struct ledger_job job = {0}, again = {0};

    scene_init(&s);
    cancel_raise(&drain);
    run_move(&s, open_store(s.source, NULL, 0, true, &call),
             open_store(s.target, NULL, 0, true, &call), &job, &drain);
    assert_int_equal(job.state, LEDGER_JOB_INTERRUPTED);
    run_move(&s, open_store(s.source, NULL, 0, true, &call),
             open_store(s.target, NULL, 0, true, &call), &again, NULL);
    assert_int_equal(again.id, job.id);
    assert_int_equal(again.state, LEDGER_JOB_DONE);
    assert_same_content(&s, SMALL + 1);
    scene_release(&s);
}

static void test_corrupted_bodies_are_copied_again(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0};
    const struct fault_rule faults[] = {
        {.operation = FAULT_PUT, .kind = FAULT_CORRUPT, .nth = 10, .times = 2, .at = 5},
        {.operation = FAULT_UPLOAD_PART, .kind = FAULT_CORRUPT, .nth = 2, .at = 77}};

    scene_init(&s);
    run_with(&s, open_store(s.source, NULL, 0, false, &call),
             open_store(s.target, faults, ARRAY_SIZE(faults), false, &call), &job, NULL, true);
    assert_int_equal(job.counts.by[LEDGER_FAILED].objects, 0);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, SMALL + 1);
    assert_same_content(&s, SMALL + 1);
    scene_release(&s);
}

/* A stored MD5 is compared with what the target says it holds; none of our own is computed then. */
static void stored_md5(bool silent)
{
    struct scene s;
    struct call call = CALL_INIT;
    struct md5_layer source = {0}, target = {.silent = silent};
    struct store_ops source_ops, target_ops;
    auto_ledger_job struct ledger_job job = {0};
    struct ledger *ledger = NULL;
    struct ledger_finding_count counts[10];

    scene_init(&s);
    auto_free char *wrong = xasprintf("%s/c/wrong", s.source);
    auto_free char *lied = xasprintf("%s/c/lied", s.source);
    auto_free char *large = xasprintf("%s/c/large", s.source);
    write_file(wrong, 3000, 1);
    write_file(lied, 3000, 2);
    assert_int_equal(unlink(large), 0);
    md5_layer_init(&source, &source_ops, open_store(s.source, NULL, 0, false, &call));
    md5_layer_init(&target, &target_ops, open_store(s.target, NULL, 0, false, &call));
    run_move(&s, &source.store, &target.store, &job, NULL);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, SMALL + 2);
    assert_int_equal(job.counts.listed.objects, SMALL + 2);
    assert_int_equal(atomic_load(&target.lies), silent ? 1 : 2);
    if (silent)
        assert_true(atomic_load(&target.told) > SMALL / 2);
    else
        assert_int_equal(atomic_load(&target.told), 0);
    assert_same_content(&s, SMALL + 2);
    assert_ok(ledger_open(s.ledger, &ledger, &call), &call.err);
    int kinds = ledger_finding_counts(ledger, job.id, counts, ARRAY_SIZE(counts), &call);
    assert_int_equal(kinds, silent ? 1 : 2);
    for (int i = 0; i < kinds; i++) {
        assert_int_equal(counts[i].count, 1);
        assert_true(strcmp(counts[i].kind, "stored_md5_wrong") == 0 ||
                    strcmp(counts[i].kind, "damaged") == 0);
    }
    ledger_close(ledger);
    scene_release(&s);
}

static void test_stored_md5_against_what_the_target_says(void **state)
{
    (void)state;
    stored_md5(false);
}

static void test_stored_md5_with_a_silent_target(void **state)
{
    (void)state;
    stored_md5(true);
}

/* What a user calls like bascule's own records is listed and refused, never left out; what an
 * earlier move left is read with what it belongs to. */
static void test_reserved_names_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {".bascule/sidecar/a.json", ".bascule/sidecar/b",
                                        ".bascule/probe/notes.txt", ".bascule/container.json",
                                        ".bascule/name/0123"};
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0};

    scene_init(&s);
    auto_free char *make = xasprintf("mkdir -p '%s/c/.bascule/'{sidecar,probe,name}", s.source);
    auto_free char *bash = xasprintf("bash -c \"%s\"", make);
    assert_int_equal(system(bash), 0);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        auto_free char *path = xasprintf("%s/c/%s", s.source, names[i]);
        write_file(path, 100, (unsigned)i);
    }
    auto_free char *probe = xasprintf("%s/c/.bascule/probe/0123456789abcdef", s.source);
    write_file(probe, 38, 1);
    run_move(&s, open_store(s.source, NULL, 0, true, &call),
             open_store(s.target, NULL, 0, true, &call), &job, NULL);
    assert_int_equal(job.state, LEDGER_JOB_DONE);
    assert_int_equal(job.counts.listed.objects, SMALL + 1 + ARRAY_SIZE(names));
    assert_int_equal(job.counts.by[LEDGER_REFUSED].objects, ARRAY_SIZE(names));
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, SMALL + 1);
    scene_release(&s);
}

/* Without a layer that tries again: the engine goes on inside the object by itself. */
static void test_a_large_object_survives_a_broken_part(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0};
    const struct fault_rule faults[] = {
        {.operation = FAULT_UPLOAD_PART, .kind = FAULT_CUT, .nth = 3, .at = 1000},
        {.operation = FAULT_SYNC, .kind = FAULT_FAIL, .nth = 1, .code = ERR_BUSY}};

    scene_init(&s);
    run_move(&s, open_store(s.source, NULL, 0, false, &call),
             open_store(s.target, faults, ARRAY_SIZE(faults), false, &call), &job, NULL);
    assert_int_equal(job.counts.by[LEDGER_FAILED].objects, 0);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, SMALL + 1);
    assert_same_content(&s, SMALL + 1);
    scene_release(&s);
}

/* Going on with a job under its name, but between other ends, would make all of it look gone. */
static void test_a_named_job_keeps_its_ends(void **state)
{
    (void)state;
    struct scene s;
    struct call call = CALL_INIT;
    struct ledger *ledger = NULL;
    struct move_progress progress;
    auto_ledger_job struct ledger_job job = {0}, other = {0};

    scene_init(&s);
    assert_ok(ledger_open(s.ledger, &ledger, &call), &call.err);
    move_progress_init(&progress);
    struct move_options options = {.source = open_store(s.source, NULL, 0, false, &call),
                                   .target = open_store(s.target, NULL, 0, false, &call),
                                   .source_text = "source:",
                                   .target_text = "target:",
                                   .job = "mine"};
    assert_ok(move_run(ledger, &options, &progress, &job, &call), &call.err);
    assert_string_equal(job.name, "mine");
    options.source_text = "source:other";
    assert_int_equal(move_run(ledger, &options, &progress, &other, &call), -1);
    assert_int_equal(call.err.code, ERR_INVALID);
    assert_non_null(strstr(call.err.text, "'mine'"));
    err_clear(&call.err);
    options.job = "12345";
    assert_int_equal(move_run(ledger, &options, &progress, &other, &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);
    move_progress_release(&progress);
    ledger_close(ledger);
    store_close(options.source);
    store_close(options.target);
    scene_release(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_moves_and_moves_nothing_again),
        cmocka_unit_test(test_passing_faults_are_survived),
        cmocka_unit_test(test_a_missing_target_is_no_vanished_source),
        cmocka_unit_test(test_a_failing_ledger_side_records_nothing_untrue),
        cmocka_unit_test(test_drained_goes_on),
        cmocka_unit_test(test_corrupted_bodies_are_copied_again),
        cmocka_unit_test(test_reserved_names_are_refused),
        cmocka_unit_test(test_stored_md5_against_what_the_target_says),
        cmocka_unit_test(test_stored_md5_with_a_silent_target),
        cmocka_unit_test(test_a_large_object_survives_a_broken_part),
        cmocka_unit_test(test_a_named_job_keeps_its_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
