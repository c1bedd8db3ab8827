// SPDX-License-Identifier: EUPL-1.2
/* The audit log: its chain holds through restarts, rotation, torn lines and kill -9; what is
 * changed in it, taken out or cut off is found; repeated refusals are counted. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/audit.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "util/file.h"
#include "util/thread.h"

#define NOW INT64_C(1790000000) * CLOCK_SECOND

struct folder {
    char *path, *log;
    struct audit_anchor anchors[100];
    size_t anchor_count;
    bool anchor_fails;
};

static int setup(void **state)
{
    struct folder *f = xcalloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");

    f->path = xasprintf("%s/bascule-audit-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(f->path))
        abort();
    f->log = xasprintf("%s/audit.log", f->path);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct folder *f = *state;
    auto_free char *command = xasprintf("rm -r '%s'", f->path);

    free(f->path);
    free(f->log);
    free(f);
    return system(command);
}

static int anchor(void *argument, uint64_t sequence, const char hash[AUDIT_HASH_SIZE],
                  struct err *e)
{
    struct folder *f = argument;

    if (f->anchor_fails)
        return err_set(e, ERR_NETWORK, "nobody there");
    f->anchors[f->anchor_count].sequence = sequence;
    memcpy(f->anchors[f->anchor_count++].hash, hash, AUDIT_HASH_SIZE);
    return 0;
}

static struct audit *open_log(struct folder *f)
{
    struct audit_options o = {.path = f->log,
                              .gateway = "g1",
                              .sync_interval = CLOCK_SECOND,
                              .anchor = anchor,
                              .anchor_argument = f};
    struct audit *log = NULL;
    struct err e = {0};

    assert_ok(audit_open(&o, &log, &e), &e);
    return log;
}

static struct audit_event event_of(const char *word, const char *resource)
{
    return (struct audit_event){.event = word,
                                .principal = "key:acct",
                                .action = "blob_read",
                                .resource = resource,
                                .reason = "AuthenticationFailed",
                                .client = "203.0.113.7",
                                .request = "r-1",
                                .time = NOW};
}

static void write_some(struct audit *log, int count)
{
    struct err e = {0};

    for (int i = 0; i < count; i++) {
        char resource[40];
        (void)snprintf(resource, sizeof(resource), "acct/c/%d", i);
        struct audit_event event = event_of("key_rotated", resource);
        assert_ok(audit_write(log, &event, &e), &e);
    }
}

static int verify(struct folder *f, struct audit_report *report, struct err *e)
{
    const char *paths[] = {f->log};

    return audit_verify(paths, 1, f->anchors, f->anchor_count, report, e);
}

static void read_text(const char *path, struct buf *ret)
{
    struct err e = {0};

    buf_reset(ret);
    assert_ok(file_read(path, 1 << 20, ret, &e), &e);
}

static void write_text(const char *path, const char *bytes, size_t n)
{
    FILE *file = fopen(path, "w");

    assert_int_equal(fwrite(bytes, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

/* The whole of an entry, as it is promised. */
static void test_entry(void **state)
{
    struct folder *f = *state;
    auto_buf struct buf text = BUF_INIT(1 << 20);
    auto_pairs struct pairs details = PAIRS_INIT;
    struct audit *log = open_log(f);
    struct err e = {0};
    struct audit_event event = event_of("role_added", "acct/c\xff/\"x\"\n");
    struct stat info;

    pairs_add(&details, "role", "Storage Blob Data Owner");
    event.details = &details;
    event.client = NULL;
    assert_ok(audit_write(log, &event, &e), &e);
    audit_close(log);
    read_text(f->log, &text);
    const char *second = strchr(text.data, '\n') + 1;
    assert_string_equal(strchr(second, '\n'), "\n");
    char hash[HASH_HEX_SIZE];
    hash_hex(HASH_SHA256, text.data, (size_t)(second - 1 - text.data), hash);
    auto_free char *wanted =
        xasprintf("{\"action\":\"blob_read\",\"details\":{\"role\":\"Storage Blob Data Owner\"},"
                  "\"event\":\"role_added\",\"prev\":\"%s\",\"principal\":\"key:acct\","
                  "\"reason\":\"AuthenticationFailed\",\"request\":\"r-1\","
                  "\"resource\":\"acct/c%%FF/\\\"x\\\"\\n\",\"seq\":2,"
                  "\"time\":\"2026-09-21T14:13:20.000Z\"}\n",
                  hash);
    assert_string_equal(second, wanted);
    assert_int_equal(stat(f->log, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void test_chain(void **state)
{
    struct folder *f = *state;
    struct audit_report report;
    struct err e = {0};

    for (int i = 0; i < 3; i++) {
        struct audit *log = open_log(f), *second = NULL;
        struct audit_options o = {.path = f->log, .gateway = "g2"};
        assert_int_equal(audit_open(&o, &second, &e), -1);
        assert_int_equal(e.code, ERR_CONFLICT);
        write_some(log, 10);
        audit_close(log);
        assert_int_equal(f->anchor_count, i + 1);
    }
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.first, 1);
    assert_int_equal(report.last, 33);
    assert_int_equal(report.anchors, 3);
    assert_int_equal(report.torn, 0);
    assert_false(report.unfinished);
    assert_string_equal(report.head, f->anchors[2].hash);
}

/* Each byte of the middle counts, and each line. */
static void test_tampering(void **state)
{
    struct folder *f = *state;
    struct audit *log = open_log(f);
    auto_buf struct buf text = BUF_INIT(1 << 20), changed = BUF_INIT(1 << 20);
    struct audit_report report;
    struct err e = {0};

    write_some(log, 4);
    audit_close(log);
    read_text(f->log, &text);
    for (size_t at = 0; at < text.length; at++) {
        buf_reset(&changed);
        buf_bytes(&changed, text.data, text.length);
        changed.data[at] ^= 1;
        write_text(f->log, changed.data, changed.length);
        if (verify(f, &report, &e) == 0 && !report.unfinished)
            fail_msg("byte %zu may be changed", at);
    }
    const char *third = text.data;
    for (int i = 0; i < 2; i++)
        third = strchr(third, '\n') + 1;
    size_t before = (size_t)(third - text.data), n = strcspn(third, "\n") + 1;
    buf_reset(&changed); /* without the third */
    buf_bytes(&changed, text.data, before);
    buf_text(&changed, third + n);
    write_text(f->log, changed.data, changed.length);
    assert_int_equal(verify(f, &report, &e), -1);
    assert_int_equal(e.code, ERR_CORRUPT);
    assert_non_null(strstr(e.text, "line 3 is entry 4, and 3 should be"));
    buf_reset(&changed); /* the third twice */
    buf_bytes(&changed, text.data, before + n);
    buf_text(&changed, third);
    write_text(f->log, changed.data, changed.length);
    assert_int_equal(verify(f, &report, &e), -1);
    /* the end is missing: only the anchor knows */
    write_text(f->log, text.data, before + n);
    assert_int_equal(verify(f, &report, &e), -1);
    assert_non_null(strstr(e.text, "its end is missing"));
    f->anchor_count = 0;
    assert_ok(verify(f, &report, &e), &e);
    /* ... and written anew: so does the log that goes on from there */
    f->anchor_count = 1;
    struct audit_options o = {.path = f->log, .gateway = "evil"};
    assert_ok(audit_open(&o, &log, &e), &e);
    write_some(log, 5);
    audit_close(log);
    assert_int_equal(verify(f, &report, &e), -1);
    assert_non_null(strstr(e.text, "is not the one that was anchored"));
}

/* At every place a crash may tear the last line. */
static void test_torn(void **state)
{
    struct folder *f = *state;
    struct audit *log = open_log(f);
    auto_buf struct buf text = BUF_INIT(1 << 20), now = BUF_INIT(1 << 20);
    struct audit_report report;
    struct err e = {0};

    write_some(log, 2);
    f->anchor_fails = true;
    audit_close(log);
    read_text(f->log, &text);
    size_t last = text.length - 1;
    while (text.data[last - 1] != '\n')
        last--;
    for (size_t cut = last + 1; cut < text.length; cut += 29) {
        write_text(f->log, text.data, cut);
        assert_ok(verify(f, &report, &e), &e);
        assert_true(report.unfinished);
        log = open_log(f);
        write_some(log, 1);
        audit_close(log);
        assert_ok(verify(f, &report, &e), &e);
        assert_int_equal(report.last, 5); /* opened, one, torn, opened, one */
        assert_int_equal(report.torn, 1);
        assert_false(report.unfinished);
        read_text(f->log, &now);
        auto_json json_t *entry = NULL;
        const char *line = now.data + last;
        assert_ok(json_parse(line, strcspn(line, "\n"), &entry, &e), &e);
        int64_t bytes = 0;
        assert_true(json_number(entry, "bytes", &bytes) && bytes == (int64_t)(cut - last));
        auto_free char *kept = xasprintf("%s/%s", f->path, json_text(entry, "kept"));
        read_text(kept, &now);
        assert_int_equal(now.length, cut - last);
        assert_memory_equal(now.data, text.data + last, cut - last);
    }
    /* blocks of zeros, as file systems leave them after a power failure */
    buf_reset(&now);
    buf_bytes(&now, text.data, text.length);
    for (int i = 0; i < 5000; i++)
        buf_char(&now, '\0');
    buf_text(&now, "\n\n");
    write_text(f->log, now.data, now.length);
    assert_int_equal(verify(f, &report, &e), -1);
    audit_close(open_log(f));
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.torn, 1);
    assert_int_equal(report.last, 5);
}

static void test_rotation(void **state)
{
    struct folder *f = *state;
    struct audit_options o = {
        .path = f->log, .gateway = "g1", .file_max = 2000, .sync_interval = CLOCK_SECOND};
    struct audit *log = NULL;
    struct audit_report report;
    struct err e = {0};
    uint64_t sequence;
    char head[AUDIT_HASH_SIZE], again[AUDIT_HASH_SIZE];

    assert_ok(audit_open(&o, &log, &e), &e);
    write_some(log, 40);
    assert_ok(audit_rotate(log, &e), &e);
    assert_ok(audit_rotate(log, &e), &e); /* nothing in it yet */
    audit_head(log, &sequence, head);
    audit_close(log);
    auto_free char *list = xasprintf("ls %s/audit.log.0*", f->path);
    FILE *names = popen(list, "r");
    char *paths[50], name[300];
    size_t count = 0;
    while (fgets(name, sizeof(name), names)) {
        name[strcspn(name, "\n")] = 0;
        paths[count++] = xstrdup(name);
    }
    assert_int_equal(pclose(names), 0);
    assert_true(count > 4);
    paths[count] = f->log;
    const char *const *all = (const char *const *)paths;
    assert_ok(audit_verify(all, count + 1, NULL, 0, &report, &e), &e);
    assert_int_equal(report.last, sequence);
    assert_string_equal(report.head, head);
    /* an older part alone, with a later beginning, and a gap */
    assert_ok(audit_verify(all + 2, count - 1, NULL, 0, &report, &e), &e);
    assert_true(report.first > 10);
    free(paths[1]);
    paths[1] = paths[2];
    assert_int_equal(audit_verify(all, 2, NULL, 0, &report, &e), -1);
    assert_non_null(strstr(e.text, "is missing"));
    /* a crash between the renaming and the new file */
    assert_int_equal(unlink(f->log), 0);
    assert_ok(audit_open(&o, &log, &e), &e);
    audit_head(log, &sequence, again);
    assert_true(sequence == report.last || sequence > 40);
    audit_close(log);
    assert_ok(audit_verify(all + count - 1, 2, NULL, 0, &report, &e), &e);
    for (size_t i = 0; i < count; i++)
        if (i != 1)
            free(paths[i]);
}

static void test_aggregation(void **state)
{
    struct folder *f = *state;
    struct audit *log = open_log(f);
    struct audit_report report;
    struct err e = {0};
    uint64_t before, after;
    char head[AUDIT_HASH_SIZE];
    struct audit_event event = event_of("refused", "acct/c/1");

    event.class = "acct/c";
    audit_head(log, &before, head);
    for (int i = 0; i < 1000; i++) {
        event.time = NOW + i * CLOCK_MILLISECOND;
        assert_ok(audit_refused(log, &event, &e), &e);
    }
    audit_head(log, &after, head);
    assert_int_equal(after - before, 1);
    event.reason = "AuthorizationPermissionMismatch"; /* another kind */
    assert_ok(audit_refused(log, &event, &e), &e);
    audit_head(log, &after, head);
    assert_int_equal(after - before, 2);
    assert_ok(audit_tick(log, NOW + 59 * CLOCK_SECOND, &e), &e);
    audit_head(log, &after, head);
    assert_int_equal(after - before, 2);
    assert_ok(audit_tick(log, NOW + 60 * CLOCK_SECOND, &e), &e);
    audit_head(log, &after, head);
    assert_int_equal(after - before, 3);
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.refused, 1001);
    event.time = NOW + 200 * CLOCK_SECOND; /* a new window begins with a whole entry */
    assert_ok(audit_refused(log, &event, &e), &e);
    assert_ok(audit_refused(log, &event, &e), &e);
    audit_close(log); /* writes what is counted */
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.refused, 1003);
}

/* A flood under ever new names does not fill the disk. */
static void test_flood(void **state)
{
    struct folder *f = *state;
    struct audit *log = open_log(f);
    struct audit_report report;
    struct err e = {0};
    uint64_t last;
    char head[AUDIT_HASH_SIZE], who[30];
    struct audit_event event = event_of("refused", "acct/c/1");

    for (int i = 0; i < 3000; i++) {
        (void)snprintf(who, sizeof(who), "key:%d", i);
        event.principal = who;
        assert_ok(audit_refused(log, &event, &e), &e);
    }
    audit_head(log, &last, head);
    assert_int_equal(last, 1 + AUDIT_KINDS_MAX);
    assert_ok(audit_tick(log, NOW + 61 * CLOCK_SECOND, &e), &e);
    audit_head(log, &last, head);
    assert_int_equal(last, 2 + AUDIT_KINDS_MAX);
    audit_close(log);
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.refused, 3000);
}

static void test_anchors(void **state)
{
    struct folder *f = *state;
    struct audit_options o = {.path = f->log,
                              .anchor = anchor,
                              .anchor_argument = f,
                              .anchor_entries = 10,
                              .anchor_interval = 3600 * CLOCK_SECOND};
    struct audit *log = NULL;
    struct audit_report report;
    struct err e = {0};

    assert_ok(audit_open(&o, &log, &e), &e);
    write_some(log, 8);
    assert_ok(audit_tick(log, NOW, &e), &e);
    assert_int_equal(f->anchor_count, 0);
    write_some(log, 1);
    f->anchor_fails = true;
    assert_int_equal(audit_tick(log, NOW, &e), -1);
    assert_int_equal(e.code, ERR_NETWORK);
    f->anchor_fails = false;
    assert_ok(audit_tick(log, NOW, &e), &e);
    assert_int_equal(f->anchor_count, 1);
    assert_int_equal(f->anchors[0].sequence, 10);
    assert_ok(audit_tick(log, NOW, &e), &e);
    assert_int_equal(f->anchor_count, 1);
    write_some(log, 1);
    audit_close(log);
    assert_int_equal(f->anchor_count, 2);
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.anchors, 2);
    /* by time */
    o.anchor_interval = 1;
    assert_ok(audit_open(&o, &log, &e), &e);
    assert_ok(audit_tick(log, NOW, &e), &e);
    assert_int_equal(f->anchor_count, 3);
    audit_close(log);
    assert_int_equal(f->anchor_count, 3); /* nothing new */
}

/* What was answered is there after kill -9, and the chain goes on. */
static void test_kill(void **state)
{
    struct folder *f = *state;
    struct audit_report report;
    struct err e = {0};
    uint64_t acknowledged = 0;

    for (int round = 0; round < 5; round++) {
        int pipes[2];
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0) {
            struct audit *log = open_log(f);
            for (;;) {
                uint64_t sequence;
                char head[AUDIT_HASH_SIZE];
                write_some(log, 1);
                audit_head(log, &sequence, head);
                if (write(pipes[1], &sequence, sizeof(sequence)) < 0)
                    _exit(1);
            }
        }
        (void)close(pipes[1]);
        for (int i = 0; i < 200 + 37 * round; i++)
            assert_int_equal(read(pipes[0], &acknowledged, sizeof(acknowledged)),
                             sizeof(acknowledged));
        (void)kill(child, SIGKILL);
        while (read(pipes[0], &acknowledged, sizeof(acknowledged)) > 0)
            continue;
        (void)close(pipes[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_ok(verify(f, &report, &e), &e);
        assert_true(report.last >= acknowledged);
    }
    audit_close(open_log(f));
    assert_ok(verify(f, &report, &e), &e);
    assert_true(report.last > acknowledged && acknowledged > 1000);
}

/* A full disk: the call fails, the log stays whole, and goes on when there is room. */
static void test_full_disk(void **state)
{
    struct folder *f = *state;
    struct audit *log = open_log(f);
    struct audit_report report;
    struct err e = {0};
    struct audit_event event = event_of("key_rotated", "acct/c/1");
    struct rlimit before, small = {.rlim_cur = 1000};

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int written = 0;
    while (audit_write(log, &event, &e) == 0)
        written++;
    assert_true(written > 0 && written < 5);
    assert_int_equal(audit_write(log, &event, &e), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_ok(verify(f, &report, &e), &e);
    assert_false(report.unfinished);
    assert_ok(audit_write(log, &event, &e), &e);
    audit_close(log);
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.last, written + 2);
}

static int write_from_thread(void *argument, struct call *call)
{
    struct audit *log = argument;

    for (int i = 0; i < 100; i++) {
        struct audit_event event = event_of(i % 2 ? "refused" : "key_rotated", "acct/c");
        int result =
            i % 2 ? audit_refused(log, &event, &call->err) : audit_write(log, &event, &call->err);
        if (result < 0 || (i % 10 == 0 && audit_tick(log, NOW, &call->err) < 0))
            return -1;
    }
    return 0;
}

static void test_threads(void **state)
{
    struct folder *f = *state;
    struct audit_options o = {.path = f->log, .sync_interval = CLOCK_SECOND, .file_max = 1 << 20};
    struct audit *log = NULL;
    struct audit_report report;
    struct call call = CALL_INIT;
    struct group g;

    assert_ok(audit_open(&o, &log, &call.err), &call.err);
    group_init(&g, &call);
    for (int i = 0; i < 8; i++)
        assert_ok(group_run(&g, write_from_thread, log), &call.err);
    assert_ok(group_wait(&g), &call.err);
    audit_close(log);
    assert_ok(verify(f, &report, &call.err), &call.err);
    assert_int_equal(report.refused, 400);
    assert_int_equal(report.last, 1 + 400 + 2);
}

static void test_bad_files(void **state)
{
    struct folder *f = *state;
    struct audit_report report;
    struct err e = {0};
    static const char *const bad[] = {
        "x\n", "\n", "{}\n", "[]\n", "{\"seq\":1}\n", "{\"seq\":1,\"prev\":\"00\"}\n"};

    assert_int_equal(verify(f, &report, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        write_text(f->log, bad[i], strlen(bad[i]));
        assert_int_equal(verify(f, &report, &e), -1);
        assert_int_equal(e.code, ERR_CORRUPT);
        assert_non_null(strstr(e.text, "line 1"));
    }
    write_text(f->log, "", 0);
    assert_ok(verify(f, &report, &e), &e);
    assert_int_equal(report.last, 0);
    struct audit_options o = {.path = "/nowhere/at/all"};
    struct audit *log = NULL;
    assert_int_equal(audit_open(&o, &log, &e), -1);
    assert_null(log);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_entry),    T(test_chain),       T(test_tampering), T(test_torn),
        T(test_rotation), T(test_aggregation), T(test_flood),     T(test_anchors),
        T(test_kill),     T(test_full_disk),   T(test_threads),   T(test_bad_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
