// SPDX-License-Identifier: EUPL-1.2
/* The ledger on both back ends: what it promises to the engine, kill -9 and second processes
 * included. */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "move/ledger_private.h"
#include "scratch.h"
#include "util/clock.h"

static struct scratch scratch; /* of the group that runs */

static struct ledger *open_ledger(void)
{
    struct call call = CALL_INIT;
    struct ledger *l = NULL;

    assert_ok(ledger_open(scratch.url, &l, &call), &call.err);
    return l;
}

static int64_t start(struct ledger *l, const char *source)
{
    struct call call = CALL_INIT;
    struct ledger_start what = {.source = source, .target = "ovh:", .options = "{}"};
    auto_ledger_job struct ledger_job job = {0};

    assert_ok(ledger_start(l, &what, &job, &call), &call.err);
    assert_int_equal(job.id, ledger_job_id(l));
    return job.generation;
}

static int64_t add_container(struct ledger *l, const char *name)
{
    struct call call = CALL_INIT;
    int64_t id;

    assert_ok(ledger_container_add(l, name, name, "{\"access\":\"private\"}", &id, &call),
              &call.err);
    return id;
}

/* Claim this very container for listing. */
static void claim_listing(struct ledger *l, int64_t container)
{
    struct call call = CALL_INIT;
    auto_ledger_container struct ledger_container c = {0};

    assert_int_equal(ledger_list_claim(l, &c, &call), 1);
    assert_int_equal(c.id, container);
}

static struct ledger_page list(struct ledger *l, int64_t container,
                               const struct ledger_entry *entries, size_t n, bool complete)
{
    struct call call = CALL_INIT;
    struct ledger_page page;

    assert_ok(ledger_list_page(l, container, entries, n, complete ? NULL : "more", complete, &page,
                               &call),
              &call.err);
    return page;
}

/* Counters and rows agree; gives them. */
static struct ledger_counts check_counts(struct ledger *l)
{
    struct call call = CALL_INIT;
    struct ledger_counts counters;
    struct ledger_counts rows;
    int64_t sum = 0;

    assert_ok(ledger_counts(l, ledger_job_id(l), &counters, &call), &call.err);
    assert_ok(ledger_recount(l, ledger_job_id(l), &rows, &call), &call.err);
    assert_ok(ledger_counts_compare(&counters, &rows, &call.err), &call.err);
    for (int i = 0; i < LEDGER_GONE; i++)
        sum += counters.by[i].objects;
    assert_int_equal(sum, counters.listed.objects);
    return counters;
}

static const unsigned char some_hash[LEDGER_SHA256] = {1, 2, 3};

/* Claim everything and record it as moved. */
static int move_all(struct ledger *l, int batch)
{
    struct call call = CALL_INIT;
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    struct ledger_result *results = xcalloc(LEDGER_PAGE_MAX, sizeof(*results));
    int moved = 0;

    for (;;) {
        assert_ok(ledger_claim(l, batch, 0, &rows, &call), &call.err);
        if (rows.count == 0)
            break;
        for (size_t i = 0; i < rows.count; i++)
            results[i] = (struct ledger_result){
                .object = &rows.list[i],
                .state = LEDGER_MOVED,
                .size = -1,
                .sha256 = some_hash,
                .target_etag = "t",
                .proof = "md5_etag",
                .bytes = rows.list[i].size,
                .started = clock_wall(),
                .finished = TIME_UNKNOWN,
            };
        assert_ok(ledger_finish(l, results, rows.count, &call), &call.err);
        for (size_t i = 0; i < rows.count; i++)
            moved += !results[i].stale;
    }
    free(results);
    return moved;
}

static struct ledger_result outcome(const struct ledger_object *o, enum ledger_state state)
{
    return (struct ledger_result){
        .object = o, .state = state, .size = -1, .started = TIME_UNKNOWN, .finished = TIME_UNKNOWN};
}

static struct ledger_entry entry(const char *name, const char *etag, int64_t size)
{
    return (struct ledger_entry){
        .name = name, .etag = etag, .size = size, .modified = TIME_UNKNOWN, .type = "block"};
}

static void test_first_run_and_again(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    static const unsigned char md5[LEDGER_MD5] = {9, 8, 7};
    struct ledger_entry entries[] = {entry("a", "1", 10), entry("b", "1", 20),
                                     entry("c\n\x01\xff", "1", 30), entry("d", "1", 40),
                                     entry("e", NULL, 50)};

    entries[0].md5 = md5;
    entries[0].modified = 1234567890123456789;
    entries[0].tier = "Cool";
    assert_int_equal(start(l, "again:"), 1);
    int64_t box = add_container(l, "box");
    assert_int_equal(add_container(l, "box"), box);
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    claim_listing(l, box);
    struct ledger_page page = list(l, box, entries, 3, false);
    assert_int_equal(page.added, 3);
    auto_ledger_container struct ledger_container c = {0};
    assert_ok(ledger_container_get(l, box, &c, &call), &call.err);
    assert_string_equal(c.cursor, "more");
    assert_false(c.complete);
    bool done;
    assert_ok(ledger_list_done(l, &done, &call), &call.err);
    assert_false(done);
    /* One of them comes again: a page that was shifted. */
    page = list(l, box, entries + 2, 3, true);
    assert_int_equal(page.added, 2);
    assert_int_equal(page.repeated, 1);
    assert_ok(ledger_list_done(l, &done, &call), &call.err);
    assert_true(done);
    struct ledger_counts counts = check_counts(l);
    assert_int_equal(counts.listed.objects, 5);
    assert_int_equal(counts.by[LEDGER_PENDING].bytes, 150);

    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    assert_ok(ledger_claim(l, 2, 0, &rows, &call), &call.err);
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.list[0].name, "a");
    assert_string_equal(rows.list[0].target, "a");
    assert_null(rows.list[0].version);
    assert_string_equal(rows.list[0].tier, "Cool");
    assert_true(rows.list[0].modified == 1234567890123456789);
    assert_memory_equal(rows.list[0].md5, md5, LEDGER_MD5);
    assert_null(rows.list[1].md5);
    struct ledger_note notes[] = {{"stored_md5_wrong", "stored MD5 is x, content has y"}};
    struct ledger_result results[] = {outcome(&rows.list[0], LEDGER_MOVED),
                                      outcome(&rows.list[1], LEDGER_VANISHED)};
    results[0].size = 11;
    results[0].etag = "1b";
    results[0].sha256 = some_hash;
    results[0].notes = notes;
    results[0].note_count = 1;
    results[1].code = ERR_NOT_FOUND;
    results[1].error = "read 'b': no such blob";
    struct ledger_work work;
    assert_ok(ledger_work(l, &work, &call), &call.err);
    assert_int_equal(work.mine, 2);
    assert_int_equal(work.pending, 3);
    assert_ok(ledger_finish(l, results, 2, &call), &call.err);
    assert_false(results[0].stale);
    /* A second time the claim is no longer ours, and nothing is counted twice. */
    assert_ok(ledger_finish(l, results, 2, &call), &call.err);
    assert_true(results[0].stale && results[1].stale);
    assert_int_equal(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_CONFLICT);
    assert_int_equal(move_all(l, 100), 3);
    counts = check_counts(l);
    assert_int_equal(counts.by[LEDGER_MOVED].objects, 4);
    assert_int_equal(counts.by[LEDGER_MOVED].bytes, 131);
    assert_int_equal(counts.by[LEDGER_VANISHED].objects, 1);
    assert_ok(ledger_lookup(l, box, "c\n\x01\xff", NULL, LEDGER_CURRENT, &rows, &call), &call.err);
    assert_int_equal(rows.count, 1);
    assert_memory_equal(rows.list[0].sha256, some_hash, LEDGER_SHA256);
    assert_string_equal(rows.list[0].proof, "md5_etag");
    int64_t gone;
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 0);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);

    /* Again: a unchanged, c changed, d gone, e cannot be known to be the same, f is new. */
    assert_int_equal(start(l, "again:"), 2);
    assert_int_equal(check_counts(l).listed.objects, 0);
    assert_int_equal(add_container(l, "box"), box);
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    claim_listing(l, box);
    struct ledger_entry later[] = {entry("a", "1b", 11), entry("c\n\x01\xff", "2", 30),
                                   entry("e", NULL, 50), entry("f", "1", 60)};
    page = list(l, box, later, 4, true);
    assert_int_equal(page.unchanged, 1);
    assert_int_equal(page.changed, 2);
    assert_int_equal(page.added, 1);
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 2); /* b, which had vanished, and d */
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 0);
    assert_int_equal(move_all(l, 2), 3);
    counts = check_counts(l);
    assert_int_equal(counts.listed.objects, 4);
    assert_int_equal(counts.by[LEDGER_ALREADY].objects, 1);
    assert_int_equal(counts.by[LEDGER_GONE].objects, 2);
    assert_ok(ledger_troubles(l, ledger_job_id(l), 0, LEDGER_MASK(LEDGER_GONE), 10, &rows, &call),
              &call.err);
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.list[1].name, "d");
    int64_t ids[] = {rows.list[1].id};
    assert_ok(ledger_mark_deleted(l, ids, 1, &call), &call.err);
    assert_int_equal(check_counts(l).by[LEDGER_DELETED].objects, 1);

    /* The target lost a: move it again. */
    assert_int_equal(ledger_lookup(l, box, "a", NULL, LEDGER_CURRENT, &rows, &call), 1);
    assert_int_equal(rows.list[0].state, LEDGER_ALREADY);
    int64_t again[] = {rows.list[0].id, ids[0]};
    int64_t count;
    assert_ok(ledger_requeue(l, again, 2, &count, &call), &call.err);
    assert_int_equal(count, 1);
    assert_int_equal(move_all(l, 2), 1);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);

    /* A third time: d is back. */
    assert_int_equal(start(l, "again:"), 3);
    (void)add_container(l, "box");
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    claim_listing(l, box);
    page = list(l, box, entries + 3, 1, false);
    assert_int_equal(page.changed, 1);
    page = list(l, box, later, 4, true);
    assert_int_equal(page.unchanged, 3);
    assert_int_equal(page.changed, 1);
    counts = check_counts(l);
    assert_int_equal(counts.by[LEDGER_DELETED].objects, 0);
    assert_int_equal(counts.by[LEDGER_GONE].objects, 1);
    assert_int_equal(counts.by[LEDGER_PENDING].objects, 2);
    assert_int_equal(move_all(l, 100), 2);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);

    /* The container itself is gone. */
    assert_int_equal(start(l, "again:"), 4);
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 5);
    assert_int_equal(check_counts(l).listed.objects, 0);
    ledger_container_release(&c);
    assert_ok(ledger_container_get(l, box, &c, &call), &call.err);
    assert_true(c.gone);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);
}

static void test_again_with_repeats_and_mapping(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    struct ledger_entry first[] = {entry("a", "1", 1), entry("b/", "1", 2), entry("c", "1", 4)};
    int64_t gone;

    first[1].target = "b";
    (void)start(l, "twice:");
    int64_t box = add_container(l, "box");
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    claim_listing(l, box);
    struct ledger_entry both[] = {first[0], first[1], first[2], first[0], first[1]};
    struct ledger_page page = list(l, box, both, 5, true);
    assert_int_equal(page.added, 3);
    assert_int_equal(page.repeated, 2);
    assert_int_equal(move_all(l, 10), 3);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);

    assert_int_equal(start(l, "twice:"), 2);
    (void)add_container(l, "box");
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    claim_listing(l, box);
    struct ledger_entry changed = entry("a", "2", 10);
    struct ledger_entry again[] = {first[0], first[0], first[2], changed, changed, first[2]};
    page = list(l, box, again, 6, true);
    assert_int_equal(page.unchanged, 2);
    assert_int_equal(page.changed, 1);
    assert_int_equal(page.repeated, 3);
    struct ledger_counts counts = check_counts(l);
    assert_int_equal(counts.listed.objects, 2);
    assert_int_equal(counts.by[LEDGER_PENDING].bytes, 10);
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 1);
    assert_int_equal(move_all(l, 10), 1);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);

    /* A new object takes the target name of the one that is gone. */
    assert_int_equal(start(l, "twice:"), 3);
    (void)add_container(l, "box");
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    claim_listing(l, box);
    struct ledger_entry plain = entry("b", "1", 7);
    struct ledger_entry third[] = {changed, plain, first[2]};
    page = list(l, box, third, 3, true);
    assert_int_equal(page.added, 1);
    assert_int_equal(page.collided, 0);
    counts = check_counts(l);
    assert_int_equal(counts.by[LEDGER_GONE].objects, 0);
    assert_int_equal(counts.by[LEDGER_DELETED].objects, 1);
    assert_ok(ledger_sweep(l, &gone, &call), &call.err);
    assert_int_equal(gone, 0);
}

static void test_interrupted_goes_on(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    struct ledger *l = open_ledger();
    struct ledger_entry entries[] = {entry("a", "1", 1), entry("b", "1", 2), entry("c", "1", 4)};

    assert_int_equal(start(l, "stopped:"), 1);
    int64_t job = ledger_job_id(l);
    int64_t box = add_container(l, "box");
    claim_listing(l, box);
    (void)list(l, box, entries, 3, false);
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    assert_ok(ledger_claim(l, 3, 0, &rows, &call), &call.err);
    struct ledger_result failed = outcome(&rows.list[0], LEDGER_FAILED);
    failed.code = ERR_TIMEOUT;
    failed.error = "too slow";
    assert_ok(ledger_finish(l, &failed, 1, &call), &call.err);
    const struct ledger_object *back[] = {&rows.list[1]};
    assert_ok(ledger_release(l, back, 1, &call), &call.err);
    assert_int_equal(check_counts(l).by[LEDGER_FAILED].objects, 1);
    ledger_close(l); /* with one still claimed, and the listing too */

    l = open_ledger();
    auto_ledger_job struct ledger_job j = {0};
    assert_ok(ledger_job_find(l, "stopped-ovh-1", &j, &call), &call.err);
    assert_int_equal(j.state, LEDGER_JOB_INTERRUPTED);
    assert_int_equal(start(l, "stopped:"), 1);
    assert_int_equal(ledger_job_id(l), job);
    struct ledger_counts counts = check_counts(l);
    assert_int_equal(counts.by[LEDGER_PENDING].objects, 3);
    assert_int_equal(counts.by[LEDGER_FAILED].objects, 0);
    auto_ledger_container struct ledger_container c = {0};
    assert_int_equal(ledger_list_claim(l, &c, &call), 1);
    assert_string_equal(c.cursor, "more");
    ledger_container_release(&c);
    assert_int_equal(ledger_list_claim(l, &c, &call), 0);
    assert_ok(ledger_claim(l, 10, 0, &rows, &call), &call.err);
    assert_int_equal(rows.count, 3);
    assert_int_equal(rows.list[0].attempts, 1); /* failed before: counted anew */
    assert_int_equal(rows.list[1].attempts, 1); /* was given back */
    assert_int_equal(rows.list[2].attempts, 2); /* was in flight */
    ledger_close(l);
}

static void test_names_that_collide(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    struct ledger_entry entries[] = {entry("x", "1", 1),  entry("x/", "1", 1), entry("y/", "1", 1),
                                     entry("y!", "1", 1), entry("y_", "1", 1), entry("z", "1", 1)};

    entries[1].target = "x";  /* the name of a plain one */
    entries[2].target = "y_"; /* free so far */
    entries[3].target = "y_"; /* taken by a mapped one */
    /* entries[4] is a plain one whose name a mapped one has taken */
    entries[5].refuse = ERR_ARCHIVED;
    entries[5].reason = "in the archive tier";
    assert_int_equal(start(l, "names:"), 1);
    int64_t box = add_container(l, "box");
    claim_listing(l, box);
    struct ledger_page page = list(l, box, entries, 1, false);
    assert_int_equal(page.added, 1);
    page = list(l, box, entries + 1, 5, true);
    assert_int_equal(page.collided, 3);
    assert_int_equal(page.refused, 1);
    assert_int_equal(page.added, 1);
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    assert_ok(ledger_troubles(l, ledger_job_id(l), 0, LEDGER_MASK_ALL, 10, &rows, &call),
              &call.err);
    assert_int_equal(rows.count, 4);
    assert_int_equal(rows.list[0].code, ERR_EXISTS);
    assert_string_equal(rows.list[0].error, "would land on 'x' at the target, where 'x' goes");
    assert_string_equal(rows.list[2].error, "would land on 'y_' at the target, where 'y/' goes");
    assert_int_equal(rows.list[3].code, ERR_ARCHIVED);
    assert_int_equal(check_counts(l).by[LEDGER_REFUSED].objects, 4);
    /* The rule holds in the database too, not only in our look-ups. */
    struct db_statement *s;
    assert_ok(
        db_prepare(l->db, "UPDATE object SET target = ?1, state = 0 WHERE name = ?2", &s, &call),
        &call.err);
    ledger_bind_name(s, 1, "y_");
    ledger_bind_name(s, 2, "y!");
    assert_int_equal(db_run(s, NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);

    assert_int_equal(ledger_container_add(l, "other", "box", NULL, NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    assert_non_null(strstr(call.err.text, "'other'"));
    int64_t other;
    assert_ok(ledger_container_add(l, "other", NULL, NULL, &other, &call), &call.err);
    assert_ok(ledger_container_refuse(l, other, ERR_EXISTS, "taken", &call), &call.err);
    auto_ledger_container struct ledger_container c = {0};
    assert_int_equal(ledger_list_claim(l, &c, &call), 0);
    assert_ok(ledger_container_get(l, other, &c, &call), &call.err);
    assert_null(c.target);
    assert_int_equal(c.code, ERR_EXISTS);
}

static void test_versions_stay_together(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    struct ledger_entry entries[300];
    char versions[300][40];

    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        /* as S3 names them, the newest first; then as Azure does, in any order */
        (void)snprintf(versions[i], sizeof(versions[i]),
                       i < 2 ? "v%zu" : "2026-01-01T00:00:00.%07zuZ", i < 2 ? i : i * 7 % 300);
        entries[i] = entry(i < 2 ? "a" : i < 299 ? "b" : "c", "1", 100);
        if (i != 100)
            entries[i].version = versions[i];
        entries[i].kind = i == 100 ? LEDGER_CURRENT : LEDGER_VERSION;
    }
    (void)start(l, "versions:");
    int64_t box = add_container(l, "box");
    claim_listing(l, box);
    assert_int_equal(list(l, box, entries, 300, true).added, 300);
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    assert_ok(ledger_claim(l, 1, 0, &rows, &call), &call.err);
    assert_int_equal(rows.count, 2);
    assert_string_equal(rows.list[0].version, "v1");
    assert_string_equal(rows.list[1].version, "v0");
    assert_ok(ledger_claim(l, 10, 500, &rows, &call), &call.err);
    assert_int_equal(rows.count, 297);
    assert_null(rows.list[296].version);
    for (size_t i = 1; i < 296; i++)
        assert_true(strcmp(rows.list[i - 1].version, rows.list[i].version) < 0);
    assert_ok(ledger_claim(l, 10, 0, &rows, &call), &call.err);
    assert_int_equal(rows.count, 1);
    assert_ok(ledger_claim(l, 10, 0, &rows, &call), &call.err);
    assert_int_equal(rows.count, 0);
}

static void test_waiting_and_limits(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    struct ledger_entry entries[] = {entry("a", "1", 60), entry("b", "1", 30), entry("c", "1", 20),
                                     entry("d", "1", 500)};

    (void)start(l, "waiting:");
    int64_t box = add_container(l, "box");
    claim_listing(l, box);
    (void)list(l, box, entries, 4, true);
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    assert_ok(ledger_claim(l, 10, 100, &rows, &call), &call.err);
    assert_int_equal(rows.count, 2);
    struct ledger_result wait[] = {outcome(&rows.list[0], LEDGER_WAITING),
                                   outcome(&rows.list[1], LEDGER_WAITING)};
    wait[0].due = clock_wall() + 3600 * CLOCK_SECOND;
    wait[0].code = ERR_ARCHIVED;
    wait[1].due = clock_wall() - CLOCK_SECOND;
    assert_ok(ledger_finish(l, wait, 2, &call), &call.err);
    assert_int_equal(check_counts(l).by[LEDGER_WAITING].bytes, 90);
    struct ledger_work work;
    assert_ok(ledger_work(l, &work, &call), &call.err);
    assert_int_equal(work.waiting, 2);
    assert_true(work.next_due == wait[1].due);
    l->waiting_checked = 0;
    assert_ok(ledger_claim(l, 10, 0, &rows, &call), &call.err);
    assert_int_equal(rows.count, 1);
    assert_string_equal(rows.list[0].name, "b");
    assert_int_equal(rows.list[0].attempts, 2);
    assert_int_equal(check_counts(l).by[LEDGER_WAITING].objects, 1);
    assert_ok(ledger_claim(l, 10, 100, &rows, &call), &call.err);
    assert_int_equal(rows.count, 1);
    assert_ok(ledger_claim(l, 10, 100, &rows, &call), &call.err);
    assert_int_equal(rows.count, 1); /* larger than the limit, but the first */
    assert_string_equal(rows.list[0].name, "d");
}

static void test_checkpoints(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    struct ledger *l = open_ledger();
    struct ledger_entry entries[] = {entry("big", "1", INT64_C(5000000000))};

    (void)start(l, "parts:");
    int64_t box = add_container(l, "box");
    claim_listing(l, box);
    (void)list(l, box, entries, 1, true);
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    assert_ok(ledger_claim(l, 1, 0, &rows, &call), &call.err);
    int64_t id = rows.list[0].id;
    assert_false(rows.list[0].checkpoint);
    char upload[] = "upload-1";
    char etag[] = "1";
    struct ledger_checkpoint begin = {.upload = upload, .etag = etag, .part_size = 1000};
    struct ledger_part parts[] = {{2, 1000, "e2", "crc:2"}, {1, 1000, "e1", NULL}};
    assert_int_equal(ledger_checkpoint_add(l, id, parts, 2, 0, NULL, 0, &call), -1);
    assert_ok(ledger_checkpoint_begin(l, id, &begin, &call), &call.err);
    assert_ok(ledger_checkpoint_add(l, id, parts, 2, 2000, "state", 5, &call), &call.err);
    assert_ok(ledger_checkpoint_add(l, id, parts, 1, 0, NULL, 0, &call), &call.err);
    ledger_close(l);

    l = open_ledger();
    (void)start(l, "parts:");
    assert_ok(ledger_claim(l, 1, 0, &rows, &call), &call.err);
    assert_true(rows.list[0].checkpoint);
    auto_ledger_checkpoint struct ledger_checkpoint c = {0};
    assert_int_equal(ledger_checkpoint_load(l, id, &c, &call), 1);
    assert_string_equal(c.upload, "upload-1");
    assert_string_equal(c.etag, "1");
    assert_int_equal(c.part_count, 2);
    assert_int_equal(c.parts[0].number, 1);
    assert_string_equal(c.parts[1].etag, "e2");
    assert_string_equal(c.parts[1].checksum, "crc:2");
    assert_int_equal(c.hashed, 2000);
    assert_int_equal(c.hash_size, 5);
    assert_memory_equal(c.hash_state, "state", 5);
    struct ledger_result moved = outcome(&rows.list[0], LEDGER_MOVED);
    assert_ok(ledger_finish(l, &moved, 1, &call), &call.err);
    ledger_checkpoint_release(&c);
    assert_int_equal(ledger_checkpoint_load(l, id, &c, &call), 0);
    ledger_close(l);
}

static void test_findings_samples_probes(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    struct ledger_note note = {"acl_kept", "the ACL went to the side-car"};
    struct ledger_finding found[4];
    struct ledger_finding_count counts[4];
    char *value = NULL;

    (void)start(l, "findings:");
    int64_t job = ledger_job_id(l);
    int64_t box = add_container(l, "box");
    assert_ok(ledger_finding_add(l, box, &note, &call), &call.err);
    assert_ok(ledger_finding_add(l, box, &note, &call), &call.err);
    assert_ok(ledger_finding_add(l, 0, &note, &call), &call.err);
    assert_int_equal(ledger_findings(l, job, NULL, 0, found, 4, &call), 2);
    assert_string_equal(found[0].name, "box");
    assert_null(found[1].name);
    int64_t first = found[0].id;
    ledger_finding_release(&found[0]);
    ledger_finding_release(&found[1]);
    assert_int_equal(ledger_findings(l, job, "acl_kept", first, found, 4, &call), 1);
    ledger_finding_release(&found[0]);
    assert_int_equal(ledger_findings(l, job, "other", 0, found, 4, &call), 0);
    assert_int_equal(ledger_finding_counts(l, job, counts, 4, &call), 1);
    assert_int_equal(counts[0].count, 2);

    int64_t now = clock_wall();
    for (int i = 0; i < LEDGER_SAMPLES + 10; i++) {
        struct ledger_sample sample = {now + i, 1, 10};
        assert_ok(ledger_sample_add(l, &sample, &call), &call.err);
    }
    struct ledger_sample *list = xcalloc(LEDGER_SAMPLES, sizeof(*list));
    int count = ledger_samples(l, job, 0, list, LEDGER_SAMPLES, &call);
    assert_in_range(count, LEDGER_SAMPLES / 2, LEDGER_SAMPLES / 2 + 20);
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += list[i].objects;
    assert_int_equal(sum, LEDGER_SAMPLES + 10);
    assert_true(list[count - 1].time == now + LEDGER_SAMPLES + 9);
    free(list);
    double objects;
    double bytes;
    assert_ok(ledger_rate(l, job, 10 * CLOCK_SECOND, &objects, &bytes, &call), &call.err);
    assert_true(objects >= 200 && bytes >= 2000);

    assert_int_equal(ledger_probe_get(l, "s3 lab", "if_match", &value, NULL, &call), 0);
    assert_ok(ledger_probe_put(l, "s3 lab", "if_match", "no", &call), &call.err);
    assert_ok(ledger_probe_put(l, "s3 lab", "if_match", "yes", &call), &call.err);
    assert_int_equal(ledger_probe_get(l, "s3 lab", "if_match", &value, &now, &call), 1);
    assert_string_equal(value, "yes");
    free(value);
}

/* A job's name says what it moves, and where a number is free. */
static void test_names(void **state)
{
    static const struct {
        const char *source, *target, *stem;
    } cases[] = {
        {"azure:", "ovh:", "azure-ovh-"},
        {"azure:Inv oices", "/srv/x", "azure-inv-oices-x-"},
        {"https://contoso.blob.core.windows.net/invoices", "/", "contoso-invoices-"},
        {"http://127.0.0.1:10000/acct/c/p", "./", "acct-c-p-"},
        {"a:0123456789012345678901234567890123456789xyz",
         "b:", "a-01234567890123456789012345678901234567-b-"},
    };
    struct call call = CALL_INIT;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ledger *l = open_ledger();
        struct ledger_start what = {
            .source = cases[i].source, .target = cases[i].target, .fresh = true};
        auto_ledger_job struct ledger_job job = {0};
        assert_ok(ledger_start(l, &what, &job, &call), &call.err);
        auto_free char *name = xasprintf("%s%lld", cases[i].stem, (long long)job.id);
        assert_string_equal(job.name, name);
        ledger_close(l);
    }
}

static void test_jobs(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    struct ledger *l = open_ledger();
    struct ledger *reader = NULL;
    struct ledger_start what = {.source = "azure:inv oices", .target = "/srv/x", .fresh = true};
    auto_ledger_job struct ledger_job job = {0};
    struct ledger_job jobs[3];

    assert_ok(ledger_start(l, &what, &job, &call), &call.err);
    auto_free char *name = xasprintf("azure-inv-oices-x-%lld", (long long)job.id);
    assert_string_equal(job.name, name);
    assert_int_equal(job.workers, 1);
    assert_int_equal(job.worker_pid, getpid());
    assert_int_equal(ledger_start(l, &what, NULL, &call), -1);
    int64_t box = add_container(l, "box");
    struct ledger_entry entries[] = {entry("a", "1", 1), entry("b", "1", 2)};
    claim_listing(l, box);
    (void)list(l, box, entries, 2, true);
    ledger_close(l);
    l = open_ledger();
    ledger_job_release(&job);
    assert_ok(ledger_start(l, &what, &job, &call), &call.err); /* another one, as asked */
    int64_t second = job.id;
    assert_string_not_equal(job.name, name);
    assert_ok(ledger_stop(l, LEDGER_JOB_FAILED, "no luck", &call), &call.err);
    what.fresh = false;
    ledger_job_release(&job);
    assert_ok(ledger_start(l, &what, &job, &call), &call.err); /* the newest */
    assert_int_equal(job.id, second);
    assert_int_equal(job.generation, 1);
    assert_ok(ledger_stop(l, LEDGER_JOB_FAILED, "no luck", &call), &call.err);
    ledger_job_release(&job);
    assert_ok(ledger_resume(l, name, &job, &call), &call.err);
    assert_int_not_equal(job.id, second);
    assert_int_equal(ledger_resume(l, "nonsense", NULL, &call), -1);

    assert_ok(ledger_open_read(scratch.url, &reader, &call), &call.err);
    assert_int_equal(ledger_jobs(reader, job.id - 1, jobs, 3, &call), 2);
    assert_int_equal(jobs[0].counts.by[LEDGER_PENDING].bytes, 3);
    assert_int_equal(jobs[1].state, LEDGER_JOB_FAILED);
    assert_string_equal(jobs[1].error, "no luck");
    ledger_job_release(&jobs[0]);
    ledger_job_release(&jobs[1]);
    assert_int_equal(ledger_job_find(reader, "424242", &jobs[0], &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);

    assert_int_equal(ledger_job_delete(reader, second, &call), -1);
    assert_int_equal(call.err.code, ERR_READ_ONLY);
    assert_int_equal(ledger_job_delete(l, job.id, &call), -1);
    assert_int_equal(call.err.code, ERR_BUSY);
    assert_ok(ledger_stop(l, LEDGER_JOB_INTERRUPTED, NULL, &call), &call.err);
    assert_ok(ledger_job_delete(l, job.id, &call), &call.err);
    assert_int_equal(ledger_job_find(l, name, &jobs[0], &call), -1);
    int64_t rows;
    assert_int_equal(
        ledger_ask(l->db, "SELECT COUNT(*) FROM object WHERE job = ?1", INTS(job.id), &rows, &call),
        1);
    assert_int_equal(rows, 0);
    ledger_close(l);
    ledger_close(reader);
}

/* ---- Processes ---- */

static pid_t in_child(void (*function)(void))
{
    pid_t pid = fork();

    if (pid == 0) {
        function();
        _exit(0);
    }
    assert_true(pid > 0);
    return pid;
}

static void hold_job(void)
{
    struct ledger *l = open_ledger();
    struct call call = CALL_INIT;
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;

    (void)start(l, "lease:");
    assert_ok(ledger_claim(l, 2, 0, &rows, &call), &call.err);
    for (;;)
        (void)pause();
}

static int64_t ask(struct ledger *l, const char *sql)
{
    struct call call = CALL_INIT;
    int64_t value = -1;

    return ledger_ask(l->db, sql, NULL, 0, &value, &call) > 0 ? value : -1;
}

static void test_dead_and_silent_workers(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    struct ledger *l = open_ledger();
    struct ledger_entry entries[] = {entry("a", "1", 1), entry("b", "1", 2), entry("c", "1", 3)};
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    struct ledger_start what = {.source = "lease:", .target = "ovh:", .options = "{}"};

    (void)start(l, "lease:");
    int64_t box = add_container(l, "box");
    claim_listing(l, box);
    (void)list(l, box, entries, 3, true);
    ledger_close(l);

    pid_t pid = in_child(hold_job);
    l = open_ledger();
    while (ask(l, "SELECT COUNT(*) FROM object WHERE state = 1") < 2)
        (void)usleep(10000);
    bool shared = db_kind(l->db) == DB_POSTGRES;
    if (shared) {
        (void)start(l, "lease:");
        assert_ok(ledger_claim(l, 10, 0, &rows, &call), &call.err);
        assert_int_equal(rows.count, 1);
        struct ledger_work work;
        assert_ok(ledger_work(l, &work, &call), &call.err);
        assert_int_equal(work.others, 2);
    } else {
        assert_int_equal(ledger_start(l, &what, NULL, &call), -1);
        assert_int_equal(call.err.code, ERR_BUSY);
        auto_free char *who = xasprintf("process %d on %s since 20", (int)pid, l->self.host);
        assert_non_null(strstr(call.err.text, who));
        err_clear(&call.err);
    }
    (void)kill(pid, SIGKILL);
    /* Dead, and not buried by its parent: in a container often nobody does it. */
    siginfo_t info;
    (void)waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    if (shared)
        assert_ok(ledger_heartbeat(l, &call), &call.err);
    else
        (void)start(l, "lease:");
    auto_ledger_rows struct ledger_rows theirs = LEDGER_ROWS_INIT;
    assert_ok(ledger_claim(l, 10, 0, &theirs, &call), &call.err);
    assert_int_equal(theirs.count, shared ? 2 : 3);
    (void)waitpid(pid, NULL, 0);

    /* A worker on another machine lives as long as its lease. */
    struct ledger_worker w = {.self = l->self, .alive_until = 100};
    assert_true(ledger_worker_lives(l, &w, 1000));
    w.self.process_start++;
    assert_false(ledger_worker_lives(l, &w, 50));
    (void)snprintf(w.self.boot, sizeof(w.self.boot), "another");
    (void)snprintf(w.self.host, sizeof(w.self.host), "elsewhere");
    assert_true(ledger_worker_lives(l, &w, 99));
    assert_false(ledger_worker_lives(l, &w, 100));

    /* We are taken for dead: our results are stale, then we work on under a new number. */
    int64_t old = l->worker;
    assert_ok(ledger_run(l->db, "UPDATE object SET worker = NULL, state = 0 WHERE worker = ?1",
                         INTS(old), NULL, &call),
              &call.err);
    assert_ok(ledger_run(l->db, "DELETE FROM worker WHERE id = ?1", INTS(old), NULL, &call),
              &call.err);
    struct ledger_result late = outcome(&theirs.list[0], LEDGER_MOVED);
    assert_ok(ledger_finish(l, &late, 1, &call), &call.err);
    assert_true(late.stale);
    assert_ok(ledger_heartbeat(l, &call), &call.err);
    assert_true(l->worker != old);
    assert_int_equal(move_all(l, 10), 3);
    assert_int_equal(check_counts(l).by[LEDGER_MOVED].objects, 3);
    ledger_close(l);
}

#define KILL_OBJECTS 3000
#define KILL_PAGE    40

/* Work like a mover, and acknowledge to a file what the ledger has taken. */
static void work_until_killed(void)
{
    struct call call = CALL_INIT;
    struct ledger *l = open_ledger();
    auto_ledger_container struct ledger_container c = {0};
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    auto_free char *path = xasprintf("%s/acknowledged", getenv("TEST_FOLDER"));
    FILE *acknowledged = fopen(path, "ae");

    (void)start(l, "killed:");
    (void)add_container(l, "box");
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    int listing = ledger_list_claim(l, &c, &call);
    int next = c.cursor ? atoi(c.cursor) : 0;
    for (bool working = true; working;) {
        if (listing && next <= KILL_OBJECTS) {
            struct ledger_entry entries[KILL_PAGE];
            char names[KILL_PAGE][32];
            char cursor[16];
            int n = 0;
            for (; n < KILL_PAGE && next < KILL_OBJECTS; n++, next++) {
                (void)snprintf(names[n], sizeof(names[n]), "object-%06d", next);
                entries[n] = entry(names[n], "1", next);
            }
            (void)snprintf(cursor, sizeof(cursor), "%d", next);
            bool end = next == KILL_OBJECTS;
            assert_ok(ledger_list_page(l, c.id, entries, (size_t)n, end ? NULL : cursor, end, NULL,
                                       &call),
                      &call.err);
            (void)fprintf(acknowledged, "listed %d\n", next);
            listing = !end;
        }
        assert_ok(ledger_claim(l, 30, 0, &rows, &call), &call.err);
        working = listing || rows.count > 0;
        struct ledger_result results[30];
        for (size_t i = 0; i < rows.count; i++) {
            results[i] = outcome(&rows.list[i], LEDGER_MOVED);
            results[i].sha256 = some_hash;
        }
        assert_ok(ledger_finish(l, results, rows.count, &call), &call.err);
        for (size_t i = 0; i < rows.count; i++)
            (void)fprintf(acknowledged, "moved %s\n", rows.list[i].name);
        (void)fflush(acknowledged);
    }
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);
}

static void check_acknowledged(struct ledger *l, int64_t box)
{
    struct call call = CALL_INIT;
    auto_free char *path = xasprintf("%s/acknowledged", getenv("TEST_FOLDER"));
    FILE *file = fopen(path, "re");
    auto_ledger_rows struct ledger_rows rows = LEDGER_ROWS_INIT;
    char line[100];
    int listed = 0;

    if (!file)
        return; /* killed before it could acknowledge anything, on a busy machine */
    while (fgets(line, sizeof(line), file) && strchr(line, '\n')) {
        char name[64];
        int number;
        if (sscanf(line, "listed %d", &number) == 1)
            listed = number > listed ? number : listed;
        if (sscanf(line, "moved %63s", name) != 1)
            continue;
        assert_int_equal(ledger_lookup(l, box, name, NULL, LEDGER_CURRENT, &rows, &call), 1);
        assert_int_equal(rows.list[0].state, LEDGER_MOVED);
    }
    (void)fclose(file);
    assert_true(check_counts(l).listed.objects >= listed);
}

static bool is_done(void)
{
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    auto_ledger_job struct ledger_job job = {0};

    return ledger_job_find(l, "killed-ovh-1", &job, &call) == 0 && job.state == LEDGER_JOB_DONE;
}

static void test_killed_in_a_loop(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    auto_ledger_job struct ledger_job job = {0};
    struct ledger_start what = {.source = "killed:", .target = "ovh:", .options = "{}"};
    int status = -1;
    int kills = 0;

    while (!is_done()) {
        pid_t pid = in_child(work_until_killed);
        int64_t until = clock_monotonic() + (8 + 3 * kills) * CLOCK_MILLISECOND;
        pid_t ended = 0;
        while (ended == 0 && (kills >= 60 || clock_monotonic() < until)) {
            (void)usleep(1000);
            ended = waitpid(pid, &status, WNOHANG);
        }
        if (ended == pid) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            continue;
        }
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        kills++;
        if (kills % 5 != 0 || is_done())
            continue;
        cleanup(ledger_close_p) struct ledger *l = open_ledger();
        assert_ok(ledger_start(l, &what, NULL, &call), &call.err);
        check_acknowledged(l, ask(l, "SELECT MAX(id) FROM container"));
    }
    (void)printf("killed %d times\n", kills);
    assert_true(kills >= 3);
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    assert_ok(ledger_job_find(l, "killed-ovh-1", &job, &call), &call.err);
    assert_int_equal(job.state, LEDGER_JOB_DONE);
    assert_int_equal(job.counts.by[LEDGER_MOVED].objects, KILL_OBJECTS);
    struct ledger_counts rows;
    assert_ok(ledger_recount(l, job.id, &rows, &call), &call.err);
    assert_ok(ledger_counts_compare(&job.counts, &rows, &call.err), &call.err);
    auto_free char *path = xasprintf("%s/acknowledged", getenv("TEST_FOLDER"));
    (void)unlink(path);
}

/* ---- PostgreSQL: several at once ---- */

static void work_together(void)
{
    struct ledger *l = open_ledger();
    struct call call = CALL_INIT;
    auto_ledger_container struct ledger_container c = {0};

    (void)start(l, "shared:");
    (void)add_container(l, "one");
    (void)add_container(l, "two");
    assert_ok(ledger_containers_complete(l, &call), &call.err);
    while (ledger_list_claim(l, &c, &call) > 0) {
        for (int page = c.cursor ? atoi(c.cursor) : 0; page < 20; page++) {
            struct ledger_entry entries[50];
            char names[50][32];
            char cursor[16];
            for (int i = 0; i < 50; i++) {
                (void)snprintf(names[i], sizeof(names[i]), "%06d", page * 50 + i);
                entries[i] = entry(names[i], "1", 1);
            }
            (void)snprintf(cursor, sizeof(cursor), "%d", page + 1);
            assert_ok(ledger_list_page(l, c.id, entries, 50, page == 19 ? NULL : cursor, page == 19,
                                       NULL, &call),
                      &call.err);
            (void)move_all(l, 20);
        }
        ledger_container_release(&c);
    }
    bool done = false;
    while (!done) {
        assert_ok(ledger_list_done(l, &done, &call), &call.err);
        (void)move_all(l, 20);
    }
    assert_ok(ledger_stop(l, LEDGER_JOB_INTERRUPTED, NULL, &call), &call.err);
    ledger_close(l);
}

static void test_processes_share_a_job(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    pid_t pids[3];
    int status;

    for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
        pids[i] = in_child(work_together);
    for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    cleanup(ledger_close_p) struct ledger *l = open_ledger();
    (void)start(l, "shared:");
    struct ledger_counts counts = check_counts(l);
    assert_int_equal(counts.by[LEDGER_MOVED].objects, 2000);
    assert_int_equal(counts.listed.objects, 2000);
    assert_int_equal(ask(l, "SELECT COUNT(*) FROM job WHERE source = 'shared:'"), 1);
    assert_int_equal(ask(l, "SELECT MAX(attempts) FROM object o JOIN job j ON j.id = o.job"
                            " WHERE j.source = 'shared:'"),
                     1);
    assert_ok(ledger_stop(l, LEDGER_JOB_DONE, NULL, &call), &call.err);
}

/* ---- SQLite: the plans ---- */

/* The queries that run for every batch must not scan. */
static void test_plans(void **state)
{
    (void)state;
    static const char *const queries[][2] = {
        {"SELECT id FROM object o WHERE o.job = 1 AND o.state = 0 AND o.id > 5 ORDER BY o.id"
         " LIMIT 10",
         "object_pending (job=? AND id>?)"},
        {"SELECT id FROM object o WHERE o.job = 1 AND o.state = 2 AND o.due <= 9 ORDER BY o.due"
         " LIMIT 10",
         "object_waiting (job=? AND due<?)"},
        {"SELECT id FROM object o WHERE o.job = 1 AND o.state >= 5 AND o.id > 5 ORDER BY o.id"
         " LIMIT 10",
         "object_trouble (job=? AND id>?)"},
        {"SELECT COUNT(*) FROM object WHERE state = 1 AND worker = 7", "object_claimed (worker=?)"},
        {"UPDATE object SET state = 0, worker = NULL WHERE state = 1 AND worker = 7",
         "object_claimed (worker=?)"},
        {"SELECT id FROM object WHERE container = 1 AND (name, version, kind) > (x'00', x'00', 1)"
         " ORDER BY name, version, kind LIMIT 10",
         "object_name (container=? AND (name,version,kind)>(?,?,?))"},
        {"SELECT id FROM object WHERE container = 1 AND name IN (x'00', x'01')",
         "object_name (container=? AND name=?)"},
        {"SELECT name FROM object WHERE container = 1 AND target = x'00' AND target IS NOT NULL"
         " AND state < 8 AND state <> 6 AND name <> x'01' LIMIT 1",
         "object_target (container=? AND target=?)"},
    };
    struct call call = CALL_INIT;
    cleanup(ledger_close_p) struct ledger *l = open_ledger();

    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        auto_free char *sql = xasprintf("EXPLAIN QUERY PLAN %s", queries[i][0]);
        struct db_statement *s;
        assert_ok(db_prepare(l->db, sql, &s, &call), &call.err);
        assert_int_equal(db_step(s, &call), 1);
        const char *plan = db_column_text(s, 3);
        if (!strstr(plan, queries[i][1]) || strstr(plan, "SCAN"))
            fail_msg("%s\n  is run as: %s", queries[i][0], plan);
        assert_int_equal(db_step(s, &call), 0); /* no sorting behind it */
        db_reset(s);
    }
}

#define COMMON_TESTS                                                                              \
    cmocka_unit_test(test_interrupted_goes_on),                                                   \
        cmocka_unit_test(test_again_with_repeats_and_mapping),                                    \
        cmocka_unit_test(test_first_run_and_again), cmocka_unit_test(test_names_that_collide),    \
        cmocka_unit_test(test_versions_stay_together), cmocka_unit_test(test_waiting_and_limits), \
        cmocka_unit_test(test_checkpoints), cmocka_unit_test(test_findings_samples_probes),       \
        cmocka_unit_test(test_names), cmocka_unit_test(test_jobs),                                \
        cmocka_unit_test(test_dead_and_silent_workers)

int main(void)
{
    const struct CMUnitTest sqlite[] = {
        COMMON_TESTS,
        cmocka_unit_test(test_plans),
    };
    const struct CMUnitTest postgres[] = {
        COMMON_TESTS,
        cmocka_unit_test(test_processes_share_a_job),
    };
    const struct CMUnitTest killed[] = {cmocka_unit_test(test_killed_in_a_loop)};

    scratch_sqlite(&scratch);
    int failed = cmocka_run_group_tests(sqlite, NULL, NULL);
    struct scratch folder = scratch;

    scratch_sqlite(&scratch);
    (void)setenv("TEST_FOLDER", folder.folder, 1);
    failed += cmocka_run_group_tests(killed, NULL, NULL);
    scratch_release(&scratch);

    scratch_postgres(&scratch);
    if (scratch.url) {
        failed += cmocka_run_group_tests(postgres, NULL, NULL);
        scratch_release(&scratch);
        scratch_postgres(&scratch);
        failed += cmocka_run_group_tests(killed, NULL, NULL);
    }
    scratch_release(&scratch);
    scratch_release(&folder);
    return failed;
}
