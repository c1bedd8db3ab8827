// SPDX-License-Identifier: EUPL-1.2
/* Journal, snapshots, rebuild, backup and the check of pieces, on both databases over a directory.
 */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "index/journal.h"
#include "scratch.h"
#include "store/driver/file.h"
#include "store/layer/fault.h"
#include "util/random.h"
#include "util/thread.h"

static struct scratch scratch;  /* of the group that runs */
static struct scratch original; /* where the index under test lies */
static char *second_url;        /* another index, for rebuilding */
static struct store *stores[2];

/* ---- Helpers ---- */

static void run_sql(const char *url, const char *text)
{
    struct call call = CALL_INIT;
    cleanup(db_close_p) struct db *db = NULL;

    assert_ok(db_open(url, NULL, &db, &call), &call.err);
    assert_ok(db_exec(db, text, &call), &call.err);
}

static int64_t number(const char *url, const char *text)
{
    struct call call = CALL_INIT;
    cleanup(db_close_p) struct db *db = NULL;
    struct db_statement *s;

    assert_ok(db_open(url, NULL, &db, &call), &call.err);
    assert_ok(db_prepare(db, text, &s, &call), &call.err);
    int row = db_step(s, &call);
    assert_ok(row, &call.err);
    int64_t value = row ? db_column_int(s, 0) : -1;
    db_reset(s);
    return value;
}

static struct index *open_index(const char *url)
{
    struct call call = CALL_INIT;
    struct index *index = NULL;

    assert_ok(index_open(url, NULL, &index, &call), &call.err);
    return index;
}

static void empty_index(const char *url)
{
    index_close(open_index(url));
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        auto_free char *text = xasprintf("DELETE FROM %s", index_tables[i]->name);
        run_sql(url, text);
    }
    run_sql(url, "DELETE FROM journal; DELETE FROM meta; DELETE FROM listed");
}

static char *store_path(size_t i)
{
    return xasprintf("%s/store-%zu", original.folder, i);
}

static void shell(const char *format, const char *argument)
{
    auto_free char *path = store_path(0);
    auto_free char *command = xasprintf("cd '%s' && ", path);
    auto_buf struct buf whole = BUF_INIT(4096);

    buf_text(&whole, command);
    for (; *format; format++) {
        if (*format == '@')
            buf_text(&whole, argument);
        else
            buf_char(&whole, *format);
    }
    assert_int_equal(system(whole.data), 0); // NOLINT: a test's own folder
}

static int setup(void **state)
{
    struct call call = CALL_INIT;

    (void)state;
    empty_index(scratch.url);
    empty_index(second_url);
    for (size_t i = 0; i < 2; i++) {
        auto_free char *path = store_path(i);
        auto_free char *command = xasprintf("rm -rf '%s'", path);
        store_close(take(stores[i]));
        assert_int_equal(system(command), 0); // NOLINT: a test's own folder
        assert_ok(file_store_open_or_make(path, i ? "second" : "first", &stores[i], &call),
                  &call.err);
    }
    return 0;
}

static struct journal_place place_of(size_t i, bool secrets)
{
    return (struct journal_place){
        .store = stores[i], .container = "keep", .prefix = "index/", .secrets = secrets};
}

/* The rows of an index, one line each. */
static char *dump(struct index *index)
{
    struct call call = CALL_INIT;
    struct buf text = BUF_INIT(256 << 20);
    struct sink_buf to;

    sink_buf_init(&to, &text);
    assert_ok(index_backup(index, &to.sink, &call), &call.err);
    char *begin = strchr(text.data, '\n') + 1;
    char *end = strstr(begin, "{\"end\":");
    assert_non_null(end);
    char *rows = xstrndup(begin, (size_t)(end - begin));
    buf_release(&text);
    return rows;
}

static int read_tags(struct db *db, void *argument, struct call *call)
{
    struct db_statement *s;
    struct buf *out = argument;

    buf_reset(out);
    if (db_prepare(db, "SELECT object, key, value, container FROM tag ORDER BY object, key", &s,
                   call) < 0)
        return -1;
    while (db_step(s, call) > 0)
        buf_printf(out, "%lld %s %s %lld\n", (long long)db_column_int(s, 0), db_column_text(s, 1),
                   db_column_text(s, 2), (long long)db_column_int(s, 3));
    db_reset(s);
    return 0;
}

static void assert_same_content(struct index *a, struct index *b)
{
    auto_free char *one = dump(a);
    auto_free char *two = dump(b);
    struct call call = CALL_INIT;
    auto_buf struct buf tags = BUF_INIT(64 << 20);
    auto_buf struct buf others = BUF_INIT(64 << 20);

    assert_string_equal(one, two);
    assert_ok(index_read(a, read_tags, &tags, &call), &call.err);
    assert_ok(index_read(b, read_tags, &others, &call), &call.err);
    assert_string_equal(tags.data, others.data);
}

static struct rebuild_report rebuild(const struct journal_place *places, size_t count,
                                     struct index **ret)
{
    struct call call = CALL_INIT;
    struct rebuild_report report = {0};

    empty_index(second_url);
    *ret = open_index(second_url);
    assert_ok(index_rebuild(*ret, places, count, &report, &call), &call.err);
    return report;
}

/* ---- Random operations ---- */

struct operations {
    struct index *index;
    uint64_t state; /* of a small generator, so that a seed says everything */
    int64_t base;   /* ids of one thread do not meet those of another */
    int count;
};

static uint64_t roll(struct operations *o, uint64_t below)
{
    o->state = o->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (o->state >> 33) % below;
}

static int put_object(struct db *db, struct operations *o, struct call *call)
{
    static const char *const names[] = {"plain", "caf\xc3\xa9", "b\xff\xfe", "q\"\\\n", "z"};
    auto_object_row struct object_row old = object_row_new();
    auto_object_row struct object_row row = object_row_new();
    uint64_t name = roll(o, ARRAY_SIZE(names));

    /* The current one of a name steps back, or goes. */
    old.id = o->base + 1000 + (int64_t)name;
    int found = row_lock(db, &object_table, &old, call);
    if (found < 0 || index_now(db, &row.created, call) < 0)
        return -1;
    row.id = old.id;
    row.layout = row.id * 10;
    row.container = o->base;
    replace_string(&row.name, names[name]);
    row.version = xasprintf("%lld", (long long)index_new_id());
    row.current = 1;
    row.tags = roll(o, 2) ? xstrdup("[[\"k\",\"v\"],[\"project\",\"x y\"]]") : NULL;
    if (found > 0) {
        if (row_delete(db, &object_table, &old, call) < 0)
            return -1;
        old.id = index_new_id();
        old.current = 0;
        old.layout = 0;
        if (row_insert(db, &object_table, &old, call) < 0)
            return -1;
    }
    if (row_insert(db, &object_table, &row, call) < 0 ||
        row_delete_group(db, &extent_table, &(struct extent_row){.layout = row.layout}, 1, NULL,
                         call) < 0)
        return -1;
    struct db_statement *s;
    if (db_prepare(db, "DELETE FROM tag WHERE object = ?1", &s, call) < 0)
        return -1;
    db_bind_int(s, 1, row.id);
    if (db_run(s, NULL, call) < 0)
        return -1;
    struct tag_row tags[2] = {{row.id, (char *)"k", (char *)"v", row.container},
                              {row.id, (char *)"project", (char *)"x y", row.container}};
    if (row.tags && row_insert_many(db, &tag_table, tags, 2, call) < 0)
        return -1;
    struct extent_row extents[40];
    size_t count = 1 + (size_t)roll(o, 40);
    for (size_t i = 0; i < count; i++)
        extents[i] = (struct extent_row){.layout = row.layout,
                                         .start = (int64_t)i * 100,
                                         .length = 100,
                                         .piece = (int64_t)roll(o, 1000)};
    return row_insert_many(db, &extent_table, extents, count, call);
}

static int change_rest(struct db *db, struct operations *o, struct call *call)
{
    struct garbage_row garbage = {.piece = o->base + (int64_t)roll(o, 20),
                                  .store = (char *)"s",
                                  .container = (char *)"c",
                                  .key = (char *)"k",
                                  .after = (int64_t)roll(o, 1000)};
    struct account_row account = {.name = (char *)(o->base % 2 ? "odd" : "even"),
                                  .key1 = (char *)"verysecretkey",
                                  .created = TIME_UNKNOWN,
                                  .changed = (int64_t)roll(o, 1000)};

    switch (roll(o, 3)) {
    case 0:
        return row_put(db, &garbage_table, &garbage, call);
    case 1:
        return row_delete_group(db, &garbage_table, &garbage, 1, NULL, call);
    default:
        return row_put(db, &account_table, &account, call);
    }
}

static int operate(struct db *db, void *argument, struct call *call)
{
    struct operations *o = argument;
    struct operations again = *o; /* a second run does the same */
    uint64_t steps = 1 + roll(&again, 3);

    for (uint64_t i = 0; i < steps; i++)
        if ((roll(&again, 2) ? put_object : change_rest)(db, &again, call) < 0)
            return -1;
    if (roll(&again, 8) == 0)
        return err_set(&call->err, ERR_CHANGED, "this one is taken back");
    return 0;
}

static int operate_often(void *argument, struct call *call)
{
    struct operations *o = argument;

    for (int i = 0; i < o->count; i++) {
        if (index_write(o->index, INDEX_DURABLE, operate, o, call) < 0 &&
            call->err.code != ERR_CHANGED)
            return -1;
        err_clear(&call->err);
        (void)roll(o, 2);
    }
    return 0;
}

/* ---- Shipping ---- */

static void test_ship(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 1, .base = 100000, .count = 30};
    struct journal_place place = place_of(0, true);
    uint64_t lines;

    (void)state;
    assert_ok(journal_ship(index, &place, 1, &lines, &call), &call.err);
    assert_int_equal(lines, 0);
    assert_ok(operate_often(&o, &call), &call.err);
    int64_t waiting = number(scratch.url, "SELECT COUNT(*) FROM journal");
    assert_ok(journal_ship(index, &place, 1, &lines, &call), &call.err);
    assert_int_equal(lines, waiting);
    assert_int_equal(number(scratch.url, "SELECT COUNT(*) FROM journal"), 0);
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(index, &place, 1, &lines, &call), &call.err);
    assert_true(lines > 0);
    struct rebuild_report report = rebuild(&place, 1, &again);
    assert_int_equal(report.snapshot, -1);
    assert_int_equal(report.journal_lines, waiting + (int64_t)lines);
    assert_int_equal(report.gaps + report.unfinished + report.secrets_missing, 0);
    assert_true(report.last_time > clock_wall() - 60 * CLOCK_SECOND);
    assert_same_content(index, again);
    index_close(again);
    index_close(index);
}

static void test_one_place_fails(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 2, .base = 100000, .count = 10};
    struct journal_place places[2] = {place_of(0, true), place_of(1, true)};

    (void)state;
    assert_ok(operate_often(&o, &call), &call.err);
    static const struct fault_rule no_put[] = {{.operation = FAULT_PUT, .times = 100}};
    stores[0] = fault_layer(stores[0], no_put, 1);
    places[0].store = stores[0];
    assert_int_equal(journal_ship(index, places, 1, NULL, &call), -1);
    err_clear(&call.err);
    assert_true(number(scratch.url, "SELECT COUNT(*) FROM journal") > 0);
    assert_ok(journal_ship(index, places, 2, NULL, &call), &call.err);
    assert_int_equal(number(scratch.url, "SELECT COUNT(*) FROM journal"), 0);
    struct rebuild_report report = rebuild(&places[1], 1, &again);
    assert_int_equal(report.gaps, 0);
    assert_same_content(index, again);
    index_close(again);
    index_close(index);
}

/* Batches that were written, and nobody knows: the next shipper writes their lines again. */
static void test_lost_answers(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 11, .base = 100000, .count = 5};
    static const struct fault_rule lose[] = {
        {.operation = FAULT_PUT, .kind = FAULT_LOSE, .nth = 2, .times = 2},
        {.operation = FAULT_PUT, .kind = FAULT_LOSE, .nth = 5}};

    (void)state;
    stores[0] = fault_layer(stores[0], lose, 2);
    struct journal_place place = place_of(0, true);
    int failures = 0;
    for (int i = 0; i < 6; i++) {
        assert_ok(operate_often(&o, &call), &call.err);
        failures += journal_ship(index, &place, 1, NULL, &call) < 0;
        err_clear(&call.err);
    }
    assert_int_equal(failures, 3);
    shell("test $(find keep/index/journal -name '*.jsonl' | wc -l) -eq 6@", "");
    struct rebuild_report report = rebuild(&place, 1, &again);
    assert_int_equal(report.gaps + report.unfinished, 0);
    assert_same_content(index, again);
    index_close(again);
    index_close(index);
}

static void test_gap_and_snapshot(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 3, .base = 100000, .count = 10};
    struct journal_place place = place_of(0, true);

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_ok(operate_often(&o, &call), &call.err);
        assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    }
    shell("rm \"$(find keep/index/journal -name '*.jsonl' | sort | sed -n @p)\"", "2");
    struct rebuild_report report = rebuild(&place, 1, &again);
    assert_true(report.gaps > 0 && report.first_gap && report.journal_lines > 0);
    rebuild_report_release(&report);
    index_close(again);
    /* A damaged batch is a gap too. */
    shell("for f in $(find keep/index/journal -name '*.jsonl' | sort | tail -n 1)@; do"
          " sed -i 's/\"id\":/\"ld\":/' \"$f\"; done",
          "");
    report = rebuild(&place, 1, &again);
    assert_true(report.gaps > 0);
    rebuild_report_release(&report);
    index_close(again);
    /* A snapshot makes it whole again. */
    assert_ok(snapshot_write(index, &place, 1, &call), &call.err);
    report = rebuild(&place, 1, &again);
    assert_true(report.snapshot > 0 && report.snapshot_rows > 0);
    assert_int_equal(report.gaps + report.journal_lines, 0);
    assert_same_content(index, again);
    rebuild_report_release(&report);
    index_close(again);
    index_close(index);
}

static void test_damaged_snapshot(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 4, .base = 100000, .count = 10};
    struct journal_place place = place_of(0, true);

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_ok(operate_often(&o, &call), &call.err);
        assert_ok(snapshot_write(index, &place, 1, &call), &call.err);
        assert_ok(operate_often(&o, &call), &call.err);
        assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    }
    /* Two are kept, with the journal since the older one. */
    shell("test $(find keep/index/snapshot -name complete.json | wc -l) -eq 2@", "");
    shell("test $(find keep/index/journal -name '*.jsonl' | wc -l) -eq 3@", "");
    shell("f=$(find keep/index/snapshot -name '*.jsonl' | sort | tail -n 1)@;"
          " sed -i 's/\"id\":1/\"id\":2/' \"$f\"",
          "");
    struct rebuild_report report = rebuild(&place, 1, &again);
    assert_int_equal(report.gaps, 0);
    assert_true(report.journal_lines > 0);
    assert_same_content(index, again);
    index_close(again);
    index_close(index);
}

static void test_secrets_stay_here(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 5, .base = 100000, .count = 40};
    struct journal_place places[2] = {place_of(0, false), place_of(1, true)};

    (void)state;
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(index, places, 2, NULL, &call), &call.err);
    shell("! grep -rq verysecret@ .", "");
    shell("grep -rq verysecret@ ../store-1", "");
    struct rebuild_report report = rebuild(places, 1, &again);
    assert_int_equal(report.secrets_missing, 1);
    index_close(again);
    assert_ok(snapshot_write(index, places, 2, &call), &call.err);
    shell("! grep -rq verysecret@ .", "");
    report = rebuild(places, 1, &again);
    assert_int_equal(report.secrets_missing, 1);
    index_close(again);
    report = rebuild(places, 2, &again);
    assert_int_equal(report.secrets_missing, 0);
    assert_same_content(index, again);
    index_close(again);
    index_close(index);
}

static int many_rows(struct db *db, void *argument, struct call *call)
{
    (void)argument;
    for (int i = 0; i < 5000; i++) {
        struct extent_row row = {.layout = 5, .start = i, .length = 1, .piece = 1};
        if (row_put(db, &extent_table, &row, call) < 0)
            return -1;
    }
    return 0;
}

static void test_no_half_transaction(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *again;
    struct operations o = {.index = index, .state = 6, .base = 100000, .count = 10};
    struct journal_place place = place_of(0, true);

    (void)state;
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    auto_free char *before = dump(index);
    assert_ok(index_write(index, INDEX_DURABLE, many_rows, NULL, &call), &call.err);
    assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    struct rebuild_report report = rebuild(&place, 1, &again);
    assert_int_equal(report.unfinished, 0);
    assert_same_content(index, again);
    index_close(again);
    /* As if the gateway had died, and the index with it, before the last batch. */
    shell("rm \"$(find keep/index/journal -name '*.jsonl' | sort | tail -n 1)\"@", "");
    report = rebuild(&place, 1, &again);
    assert_int_equal(report.unfinished, 4000);
    assert_int_equal(report.gaps, 0);
    auto_free char *after = dump(again);
    assert_string_equal(before, after);
    /* The rebuilt index goes on, and what was left out stays so. */
    assert_ok(snapshot_write(again, &place, 1, &call), &call.err);
    o.index = again;
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(again, &place, 1, NULL, &call), &call.err);
    auto_free char *wanted = dump(again);
    index_close(again);
    report = rebuild(&place, 1, &again);
    assert_int_equal(report.unfinished + report.gaps, 0);
    auto_free char *got = dump(again);
    assert_string_equal(wanted, got);
    index_close(again);
    index_close(index);
}

static void test_another_history_is_refused(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *other = open_index(second_url);
    struct operations o = {.index = index, .state = 7, .base = 100000, .count = 5};
    struct journal_place place = place_of(0, true);
    struct rebuild_report report;

    (void)state;
    assert_int_equal(index_rebuild(other, &place, 1, &report, &call), -1);
    assert_int_equal(call.err.code, ERR_NOT_FOUND);
    err_clear(&call.err);
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    assert_int_equal(index_rebuild(index, &place, 1, &report, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    err_clear(&call.err);
    o.index = other;
    assert_ok(operate_often(&o, &call), &call.err);
    assert_int_equal(journal_ship(other, &place, 1, NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_CONFLICT);
    err_clear(&call.err);
    assert_int_equal(snapshot_write(other, &place, 1, &call), -1);
    assert_int_equal(call.err.code, ERR_CONFLICT);
    index_close(other);
    index_close(index);
}

/* ---- Concurrency and death ---- */

static int ship_often(void *argument, struct call *call)
{
    struct journal_place place = place_of(0, true);

    for (int i = 0; i < 40; i++) {
        if (journal_ship(argument, &place, 1, NULL, call) < 0 ||
            call_sleep(call, 10 * CLOCK_MILLISECOND) < 0)
            return -1;
        if (i % 15 == 14 && snapshot_write(argument, &place, 1, call) < 0)
            return -1;
    }
    return 0;
}

static void test_rebuild_equals_the_original(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct call call = CALL_INIT;
        struct index *index = open_index(scratch.url);
        struct index *gateway = open_index(scratch.url);
        struct index *again;
        struct operations o[4];
        struct journal_place place = place_of(0, true);
        struct group g;

        group_init(&g, &call);
        for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
            o[i] = (struct operations){i % 2 ? index : gateway, seed * 100 + i,
                                       100000 * (int64_t)(1 + i), 60};
            assert_ok(group_run(&g, operate_often, &o[i]), &call.err);
        }
        assert_ok(group_run(&g, ship_often, index), &call.err);
        assert_ok(group_run(&g, ship_often, gateway), &call.err);
        assert_ok(group_wait(&g), &call.err);
        assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
        struct rebuild_report report = rebuild(&place, 1, &again);
        if (report.gaps || report.unfinished)
            fail_msg("seed %llu: %llu missing (%s), %llu unfinished", (unsigned long long)seed,
                     (unsigned long long)report.gaps, report.first_gap,
                     (unsigned long long)report.unfinished);
        assert_same_content(index, again);
        index_close(again);
        index_close(gateway);
        index_close(index);
    }
}

static int ship_until_killed(void)
{
    struct call call = CALL_INIT;
    struct journal_place place = place_of(0, true);
    struct index *index = open_index(scratch.url);
    struct operations o = {.index = index, .state = (uint64_t)getpid(), .base = 100000, .count = 2};

    for (;;)
        if (operate_often(&o, &call) < 0 || journal_ship(index, &place, 1, NULL, &call) < 0) {
            (void)fprintf(stderr, "%s\n", call.err.text);
            return 1;
        }
}

static void test_killed_while_shipping(void **state)
{
    struct call call = CALL_INIT;
    struct journal_place place = place_of(0, true);
    struct index *again;

    (void)state;
    for (int round = 0; round < 6; round++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(ship_until_killed());
        assert_ok(call_sleep(&call, (150 + 37 * round) * CLOCK_MILLISECOND), &call.err);
        (void)kill(pid, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        /* Its lease runs out. */
        run_sql(scratch.url, "DELETE FROM meta WHERE key = 'journal_lease'");
    }
    struct index *index = open_index(scratch.url);
    assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    struct rebuild_report report = rebuild(&place, 1, &again);
    assert_int_equal(report.gaps + report.unfinished, 0);
    assert_true(report.journal_lines > 0);
    assert_same_content(index, again);
    index_close(again);
    index_close(index);
}

static void test_lease(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct operations o = {.index = index, .state = 8, .base = 100000, .count = 5};
    struct journal_place place = place_of(0, true);
    uint64_t lines = 9;

    (void)state;
    assert_ok(operate_often(&o, &call), &call.err);
    run_sql(scratch.url, "INSERT INTO meta (key, value) VALUES"
                         " ('journal_lease', '0123456789abcdef 9000000000000000000')");
    assert_ok(journal_ship(index, &place, 1, &lines, &call), &call.err);
    assert_int_equal(lines, 0);
    struct call hasty = {.deadline = clock_monotonic() + 200 * CLOCK_MILLISECOND};
    assert_int_equal(snapshot_write(index, &place, 1, &hasty), -1);
    assert_int_equal(hasty.err.code, ERR_TIMEOUT);
    run_sql(scratch.url, "UPDATE meta SET value = '0123456789abcdef 1000'"
                         " WHERE key = 'journal_lease'");
    assert_ok(journal_ship(index, &place, 1, &lines, &call), &call.err);
    assert_true(lines > 0);
    /* A gateway that begins: alone on SQLite, one of many on PostgreSQL. */
    assert_ok(operate_often(&o, &call), &call.err);
    run_sql(scratch.url, "UPDATE meta SET value = '0123456789abcdef 9000000000000000000'"
                         " WHERE key = 'journal_lease'");
    assert_ok(journal_begin(index, &call), &call.err);
    assert_ok(journal_ship(index, &place, 1, &lines, &call), &call.err);
    assert_int_equal(lines > 0, strncmp(scratch.url, "sqlite:", 7) == 0);
    index_close(index);
}

/* ---- Backup ---- */

static int restore_text(struct index *index, const char *text, size_t length, struct call *call)
{
    struct source_bytes from;

    source_bytes_init(&from, text, length);
    return index_restore(index, &from.source, call);
}

static void test_backup(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct index *other = open_index(second_url);
    struct operations o = {.index = index, .state = 9, .base = 100000, .count = 60};
    auto_buf struct buf text = BUF_INIT(64 << 20);
    struct sink_buf to;

    (void)state;
    assert_ok(operate_often(&o, &call), &call.err);
    sink_buf_init(&to, &text);
    assert_ok(index_backup(index, &to.sink, &call), &call.err);
    static const double cuts[] = {0, 0.01, 0.5, 0.999};
    for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
        size_t length = (size_t)((double)text.length * cuts[i]);
        assert_int_equal(restore_text(other, text.data, length, &call), -1);
        assert_int_equal(call.err.code, ERR_CORRUPT);
        err_clear(&call.err);
    }
    char *digit = strstr(text.data, "\"length\":100");
    assert_non_null(digit);
    digit[9] = '2';
    assert_int_equal(restore_text(other, text.data, text.length, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    err_clear(&call.err);
    digit[9] = '1';
    assert_int_equal(number(second_url, "SELECT COUNT(*) FROM object"), 0);
    assert_ok(restore_text(other, text.data, text.length, &call), &call.err);
    assert_same_content(index, other);
    assert_int_equal(number(second_url, "SELECT COUNT(*) FROM journal"), 0);
    assert_int_equal(restore_text(other, text.data, text.length, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    err_clear(&call.err);

    /* An older backup goes on where the journal had come further. */
    struct journal_place place = place_of(0, true);
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(snapshot_write(index, &place, 1, &call), &call.err);
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(index, &place, 1, NULL, &call), &call.err);
    assert_ok(snapshot_write(other, &place, 1, &call), &call.err);
    o.index = other;
    assert_ok(operate_often(&o, &call), &call.err);
    assert_ok(journal_ship(other, &place, 1, NULL, &call), &call.err);
    index_close(index);
    index = other;
    auto_free char *wanted = dump(index);
    index_close(index);
    struct rebuild_report report = rebuild(&place, 1, &other);
    assert_int_equal(report.gaps + report.unfinished, 0);
    auto_free char *got = dump(other);
    assert_string_equal(wanted, got);
    index_close(other);
}

/* ---- Pieces ---- */

static int piece_rows(struct db *db, void *argument, struct call *call)
{
    char key[20];

    (void)argument;
    for (int i = 0; i < 1200; i++) {
        (void)snprintf(key, sizeof(key), "piece-%04d", i);
        struct piece_row row = {.id = i + 1,
                                .store = (char *)"one",
                                .container = (char *)"bodies",
                                .key = key,
                                .size = 3};
        struct intent_row intent = {
            .piece = 5000 + i, .store = (char *)"one", .container = (char *)"bodies", .key = key};
        if ((i % 3 ? row_put(db, &piece_table, &row, call)
                   : row_put(db, &intent_table, &intent, call)) < 0)
            return -1;
    }
    return 0;
}

static int found_one(void *argument, const struct piece_place *place, const char *key, bool missing)
{
    struct buf *told = argument;

    buf_printf(told, "%s:%s %s\n", place->name, key, missing ? "missing" : "unknown");
    return 0;
}

static void test_check_pieces(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_index(scratch.url);
    struct piece_place place = {
        .name = "one", .store = stores[0], .container = "bodies", .other = "index/"};
    auto_piece_report struct piece_report report = {0};
    auto_buf struct buf told = BUF_INIT(4096);

    (void)state;
    assert_ok(index_write(index, INDEX_DURABLE, piece_rows, NULL, &call), &call.err);
    shell("mkdir -p bodies/index && cd bodies && for i in $(seq -w 0 1199); do"
          " printf abc > piece-$i; done; printf ab > piece-0001; rm piece-0002 piece-0003@;"
          " : > stranger; : > index/x",
          "");
    assert_ok(index_check_pieces(index, &place, 1, found_one, &told, &report, &call), &call.err);
    assert_string_equal(told.data, "one:piece-0001 missing\none:piece-0002 missing\n"
                                   "one:stranger unknown\n");
    assert_int_equal(report.missing, 2);
    assert_int_equal(report.unknown, 1);
    assert_int_equal(report.listed, 1199);
    assert_string_equal(report.first_missing, "piece-0001");
    assert_string_equal(report.first_unknown, "stranger");
    assert_int_equal(number(scratch.url, "SELECT COUNT(*) FROM listed"), 0);
    index_close(index);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_ship, setup),
    cmocka_unit_test_setup(test_one_place_fails, setup),
    cmocka_unit_test_setup(test_lost_answers, setup),
    cmocka_unit_test_setup(test_gap_and_snapshot, setup),
    cmocka_unit_test_setup(test_damaged_snapshot, setup),
    cmocka_unit_test_setup(test_secrets_stay_here, setup),
    cmocka_unit_test_setup(test_no_half_transaction, setup),
    cmocka_unit_test_setup(test_another_history_is_refused, setup),
    cmocka_unit_test_setup(test_rebuild_equals_the_original, setup),
    cmocka_unit_test_setup(test_killed_while_shipping, setup),
    cmocka_unit_test_setup(test_lease, setup),
    cmocka_unit_test_setup(test_backup, setup),
    cmocka_unit_test_setup(test_check_pieces, setup),
};

int main(void)
{
    scratch_sqlite(&original);
    scratch = original;
    second_url = xasprintf("sqlite:%s/second.db", original.folder);
    int failed = cmocka_run_group_tests_name("journal on sqlite", tests, NULL, NULL);
    scratch_postgres(&scratch);
    if (scratch.url)
        failed += cmocka_run_group_tests_name("journal on postgres", tests, NULL, NULL);
    scratch_release(&scratch);
    for (size_t i = 0; i < 2; i++)
        store_close(stores[i]);
    free(second_url);
    scratch_release(&original);
    return failed;
}
