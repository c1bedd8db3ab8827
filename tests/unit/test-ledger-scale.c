// SPDX-License-Identifier: EUPL-1.2
/*
 * Many rows: memory must not grow with them.  BASCULE_LEDGER_ROWS says how many (20,000 unless
 * set; 1,000,000 for a measurement).  CPU time for each object is printed, not judged.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "move/ledger.h"
#include "scratch.h"

#define PAGE  5000
#define BATCH 200

/* Room for caches and pages that were not full before, none for rows.  The sanitizers keep much
 * freed memory on purpose: there only the run itself is a test. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif
#if defined(SANITIZED) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ROOM_KIB (1024 * 1024)
#else
#define ROOM_KIB (24 * 1024)
#endif

static struct scratch scratch; /* of the group that runs */

static double cpu_seconds(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long peak_kib(void)
{
    struct rusage usage;

    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

struct clocks {
    double cpu;
    int64_t wall;
};

static struct clocks now(void)
{
    return (struct clocks){cpu_seconds(), clock_monotonic()};
}

static void tell(const char *what, struct clocks since, int rows)
{
    (void)printf("%-28s %8d objects  %6.2f us CPU  %6.2f us wall each, peak %ld KiB\n", what, rows,
                 (cpu_seconds() - since.cpu) * 1e6 / rows,
                 (double)(clock_monotonic() - since.wall) / 1e3 / rows, peak_kib());
}

static int64_t begin(struct ledger *l)
{
    struct call call = CALL_INIT;
    struct ledger_start what = {.source = "scale:", .target = "x:"};
    auto_ledger_container struct ledger_container c = {0};

    assert_ok(ledger_start(l, &what, NULL, &call), &call.err);
    assert_ok(ledger_container_add(l, "box", "box", NULL, NULL, &call), &call.err);
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    assert_int_equal(ledger_list_claim(l, &c, &call), 1);
    return c.id;
}

static void list_all(struct ledger *l, int64_t box, int rows)
{
    static const unsigned char md5[LEDGER_MD5] = {1};
    struct call call = CALL_INIT;
    struct ledger_entry *entries = xcalloc(PAGE, sizeof(*entries));
    char(*names)[80] = xcalloc(PAGE, sizeof(*names));

    for (int at = 0; at < rows; at += PAGE) {
        int n = rows - at < PAGE ? rows - at : PAGE;
        for (int i = 0; i < n; i++) {
            (void)snprintf(names[i], sizeof(names[i]),
                           "archive/2024/department-%03d/invoice-%09d.pdf", (at + i) / 10000,
                           at + i);
            entries[i] = (struct ledger_entry){.name = names[i],
                                               .etag = "\"0x8DC1234567890AB\"",
                                               .size = 4096,
                                               .modified = 1700000000000000000,
                                               .type = "block",
                                               .tier = "Hot",
                                               .md5 = md5};
        }
        bool end = at + n == rows;
        assert_ok(ledger_list_page(l, box, entries, (size_t)n, end ? NULL : names[n - 1], end, NULL,
                                   &call),
                  &call.err);
    }
    free(names);
    free(entries);
}

static void move_all(struct ledger *l, int rows)
{
    static const unsigned char sha256[LEDGER_SHA256] = {2};
    struct call call = CALL_INIT;
    auto_ledger_rows struct ledger_rows claimed = LEDGER_ROWS_INIT;
    struct ledger_result results[BATCH];
    int done = 0;

    for (;;) {
        assert_ok(ledger_claim(l, BATCH, 0, &claimed, &call), &call.err);
        if (claimed.count == 0)
            break;
        for (size_t i = 0; i < claimed.count; i++)
            results[i] =
                (struct ledger_result){.object = &claimed.list[i],
                                       .state = LEDGER_MOVED,
                                       .size = 4096,
                                       .etag = claimed.list[i].etag,
                                       .sha256 = sha256,
                                       .target_etag = "\"d41d8cd98f00b204e9800998ecf8427e\"",
                                       .proof = "payload_sha256",
                                       .bytes = 4096,
                                       .started = 1700000000000000000,
                                       .finished = 1700000000000000000};
        assert_ok(ledger_finish(l, results, claimed.count, &call), &call.err);
        done += (int)claimed.count;
    }
    assert_int_equal(done, rows);
}

static int walk(struct ledger *l, int64_t box)
{
    struct call call = CALL_INIT;
    auto_ledger_rows struct ledger_rows page = LEDGER_ROWS_INIT;
    int seen = 0;

    for (;;) {
        const struct ledger_object *after = page.count ? &page.list[page.count - 1] : NULL;
        assert_ok(ledger_objects(l, box, after, LEDGER_MASK_AT_TARGET, 1000, &page, &call),
                  &call.err);
        if (page.count == 0)
            return seen;
        seen += (int)page.count;
    }
}

static void check(struct ledger *l, enum ledger_state state, int rows)
{
    struct call call = CALL_INIT;
    struct ledger_counts counters;
    struct ledger_counts counted;

    assert_ok(ledger_counts(l, ledger_job_id(l), &counters, &call), &call.err);
    assert_ok(ledger_recount(l, ledger_job_id(l), &counted, &call), &call.err);
    assert_ok(ledger_counts_compare(&counters, &counted, &call.err), &call.err);
    assert_int_equal(counters.by[state].objects, rows);
}

static void test_many_rows(void **state)
{
    (void)state;
    const char *wanted = getenv("BASCULE_LEDGER_ROWS");
    int rows = wanted ? atoi(wanted) : 20000;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = NULL;
    int64_t gone;

    assert_ok(ledger_open(scratch.url, &l, &call), &call.err);
    int64_t box = begin(l);
    list_all(l, box, rows / 20);
    long before = peak_kib();
    assert_ok(ledger_list_restart(l, box, &call), &call.err);
    ledger_close(take(l));
    assert_ok(ledger_open(scratch.url, &l, &call), &call.err);
    struct ledger_start fresh = {.source = "scale:", .target = "x:", .fresh = true};
    assert_ok(ledger_start(l, &fresh, NULL, &call), &call.err);
    assert_ok(ledger_stop(l, LEDGER_JOB_INTERRUPTED, NULL, &call), &call.err);
    box = begin(l);

    struct clocks t = now();
    list_all(l, box, rows);
    tell("listed", t, rows);
    t = now();
    move_all(l, rows);
    tell("claimed and finished", t, rows);
    t = now();
    check(l, LEDGER_MOVED, rows);
    tell("recounted", t, rows);
    t = now();
    assert_int_equal(walk(l, box), rows);
    tell("walked through", t, rows);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);

    box = begin(l);
    t = now();
    list_all(l, box, rows - 10);
    tell("listed again, unchanged", t, rows);
    t = now();
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 10);
    tell("swept", t, rows);
    check(l, LEDGER_ALREADY, rows - 10);
    assert_in_range(peak_kib() - before, 0, ROOM_KIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_many_rows)};

    scratch_sqlite(&scratch);
    int failed = cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
    scratch_release(&scratch);
    scratch_postgres(&scratch);
    if (scratch.url)
        failed += cmocka_run_group_tests_name("postgres", tests, NULL, NULL);
    scratch_release(&scratch);
    return failed;
}
