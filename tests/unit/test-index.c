// SPDX-License-Identifier: EUPL-1.2
/* The index on both databases: rows, transactions, group commit, the clock. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "db/db.h"
#include "index/index.h"
#include "index/rows.h"
#include "scratch.h"
#include "util/random.h"
#include "util/thread.h"

static struct scratch scratch; /* of the group that runs */

static struct index *open_with(const struct index_options *options)
{
    struct call call = CALL_INIT;
    struct index *index = NULL;

    assert_ok(index_open(scratch.url, options, &index, &call), &call.err);
    return index;
}

static void sql(const char *text)
{
    struct call call = CALL_INIT;
    cleanup(db_close_p) struct db *db = NULL;

    assert_ok(db_open(scratch.url, NULL, &db, &call), &call.err);
    assert_ok(db_exec(db, text, &call), &call.err);
}

static int64_t number(const char *text)
{
    struct call call = CALL_INIT;
    cleanup(db_close_p) struct db *db = NULL;
    struct db_statement *s;

    assert_ok(db_open(scratch.url, NULL, &db, &call), &call.err);
    assert_ok(db_prepare(db, text, &s, &call), &call.err);
    int row = db_step(s, &call);
    assert_ok(row, &call.err);
    int64_t value = row ? db_column_int(s, 0) : -1;
    db_reset(s);
    return value;
}

static int setup(void **state)
{
    index_close(open_with(NULL));
    (void)state;
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        auto_free char *text = xasprintf("DELETE FROM %s", index_tables[i]->name);
        sql(text);
    }
    sql("DELETE FROM journal; DELETE FROM meta");
    return 0;
}

/* ---- Rows ---- */

static struct object_row sample(int64_t id)
{
    struct object_row row = object_row_new();

    row.id = id;
    row.container = 7;
    row.name = xasprintf("photos/\xc3\xa9t\xc3\xa9 \"%lld\"\\\x01", (long long)id);
    row.current = 1;
    row.version = xstrdup("2026-11-22T10:00:00.1234567Z");
    row.size = INT64_MAX;
    row.created = 1;
    row.etag = xstrdup("0x1");
    row.metadata = xstrdup("[[\"a\",\"b\"]]");
    return row;
}

static void assert_same_row(const struct table *t, const void *a, const void *b)
{
    auto_buf struct buf one = BUF_INIT(1 << 20);
    auto_buf struct buf two = BUF_INIT(1 << 20);
    struct err e = {0};

    assert_ok(row_write_json(&one, t, t->count, a, &e), &e);
    assert_ok(row_write_json(&two, t, t->count, b, &e), &e);
    assert_string_equal(one.data, two.data);
}

static int change_rows(struct db *db, void *argument, struct call *call)
{
    (void)argument;
    auto_object_row struct object_row row = sample(1);
    auto_object_row struct object_row found = object_row_new();

    assert_ok(row_insert(db, &object_table, &row, call), &call->err);
    found.id = 1;
    assert_int_equal(row_lock(db, &object_table, &found, call), 1);
    assert_same_row(&object_table, &row, &found);
    assert_true(found.deleted == TIME_UNKNOWN && found.created == 1 && !found.tier);
    replace_string(&row.tier, "Cool");
    row.deleted = 5;
    assert_ok(row_update(db, &object_table, &row, call), &call->err);
    assert_int_equal(row_find(db, &object_table, &found, call), 1);
    assert_same_row(&object_table, &row, &found);
    row.sequence = 9;
    assert_ok(row_put(db, &object_table, &row, call), &call->err);
    assert_int_equal(row_find(db, &object_table, &found, call), 1);
    assert_true(found.sequence == 9);
    assert_ok(row_delete(db, &object_table, &row, call), &call->err);
    assert_int_equal(row_find(db, &object_table, &found, call), 0);
    assert_int_equal(row_delete(db, &object_table, &row, call), -1);
    assert_int_equal(call->err.code, ERR_NOT_FOUND);
    assert_int_equal(row_update(db, &object_table, &row, call), -1);
    assert_int_equal(call->err.code, ERR_NOT_FOUND);
    err_clear(&call->err);
    return row_put(db, &object_table, &row, call);
}

static void test_rows_come_back(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_with(NULL);

    (void)state;
    assert_ok(index_write(index, INDEX_DURABLE, change_rows, NULL, &call), &call.err);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM object"), 1);
    assert_int_equal(number("SELECT COUNT(*) FROM journal"), 5);
}

static int insert_sample(struct db *db, void *argument, struct call *call)
{
    auto_object_row struct object_row row = sample(*(const int64_t *)argument);

    return row_insert(db, &object_table, &row, call);
}

static void test_unique_columns(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_with(NULL);
    int64_t id = 1;

    (void)state;
    assert_ok(index_write(index, INDEX_DURABLE, insert_sample, &id, &call), &call.err);
    assert_int_equal(index_write(index, INDEX_DURABLE, insert_sample, &id, &call), -1);
    assert_int_equal(call.err.code, ERR_EXISTS);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM journal"), 1);
}

static int many_extents(struct db *db, void *argument, struct call *call)
{
    struct extent_row extents[3000];

    (void)argument;
    for (int i = 0; i < 3000; i++)
        extents[i] = (struct extent_row){.layout = 1 + i % 2,
                                         .start = i,
                                         .length = 1,
                                         .piece = i,
                                         .block = i % 3 ? NULL : (char *)"b"};
    if (row_insert_many(db, &extent_table, extents, 3000, call) < 0)
        return -1;
    int64_t gone = 0;
    assert_ok(
        row_delete_group(db, &extent_table, &(struct extent_row){.layout = 1}, 1, &gone, call),
        &call->err);
    assert_int_equal(gone, 1500);
    assert_ok(
        row_delete_group(db, &extent_table, &(struct extent_row){.layout = 1}, 1, &gone, call),
        &call->err);
    assert_int_equal(gone, 0);
    return 0;
}

static void test_many_rows_and_groups(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_with(NULL);

    (void)state;
    assert_ok(index_write(index, INDEX_DURABLE, many_extents, NULL, &call), &call.err);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM extent"), 1500);
    assert_true(number("SELECT COUNT(*) FROM journal") < 10);
}

static void test_json(void **state)
{
    struct err e = {0};
    auto_object_row struct object_row row = sample(3);
    auto_object_row struct object_row back = object_row_new();

    (void)state;
    json_t *json = row_to_json(&object_table, &row);
    assert_ok(row_from_json(&object_table, json, &back, &e), &e);
    assert_same_row(&object_table, &row, &back);
    json_decref(json);
    replace_string(&row.name, "no \xff utf-8");
    replace_string(&row.tier, "bad \xff text"); /* the database would hold U+FFFD */
    json = row_to_json(&object_table, &row);
    assert_ok(row_from_json(&object_table, json, &back, &e), &e);
    assert_string_equal(back.name, row.name);
    assert_string_equal(back.tier, "bad \xef\xbf\xbd text");
    json_decref(json);

    static const char *const wrong[] = {
        "{}",
        "{\"id\":\"1\"}",
        "{\"id\":1,\"name\":2}",
        "{\"id\":1,\"name\":{\"base64\":\"AA==\"}}",
        "{\"id\":1,\"name\":{\"base64\":\"?\"}}",
        "{\"id\":1,\"name\":{}}",
        "{\"id\":1,\"tier\":{}}",
        "{\"id\":1.5}",
        "{\"id\":null}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        json = json_loads(wrong[i], 0, NULL);
        assert_int_equal(row_from_json(&object_table, json, &back, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(back.name, row.name);
        json_decref(json);
    }
    json = json_loads("{\"id\":8,\"new\":[1],\"name\":\"n\"}", 0, NULL);
    assert_ok(row_from_json(&object_table, json, &back, &e), &e);
    assert_true(back.id == 8 && back.created == TIME_UNKNOWN && !back.tier);
    json_decref(json);
    json = json_loads("{\"layout\":8}", 0, NULL);
    struct extent_row extent = extent_row_new();
    size_t keys;
    assert_ok(row_key_from_json(&extent_table, json, &extent, &keys, &e), &e);
    assert_int_equal(keys, 1);
    json_decref(json);
}

/* ---- Group commit ---- */

struct crowd {
    struct index *index;
    atomic_int next;
    atomic_int before; /* runs of before_commit */
    int each;
};

struct member {
    int64_t id;
    bool fails;
};

static int write_member(struct db *db, void *argument, struct call *call)
{
    const struct member *m = argument;
    struct piece_row row = {.id = m->id,
                            .store = (char *)"s",
                            .container = (char *)"c",
                            .key = (char *)"k",
                            .size = m->id,
                            .crc64 = -1};

    if (row_insert(db, &piece_table, &row, call) < 0)
        return -1;
    if (!m->fails)
        return 0;
    if (m->id % 2)
        return row_insert(db, &piece_table, &row, call);
    return err_set(&call->err, ERR_CONFLICT, "member %lld fails", (long long)m->id);
}

static int crowd_task(void *argument, struct call *call)
{
    struct crowd *crowd = argument;

    for (int i = 0; i < crowd->each; i++) {
        struct member m = {.id = atomic_fetch_add(&crowd->next, 1) + 1};
        m.fails = m.id % 5 == 0;
        int result = index_write(crowd->index, m.id % 3 ? INDEX_DURABLE : INDEX_RELAXED,
                                 write_member, &m, call);
        if (result == 0 && m.fails)
            return err_set(&call->err, ERR_INTERNAL, "a failing member succeeded");
        if (result < 0 && (!m.fails || call->err.code != (m.id % 2 ? ERR_EXISTS : ERR_CONFLICT)))
            return -1;
        err_clear(&call->err);
    }
    return 0;
}

static int count_commit(void *argument, struct call *call)
{
    struct crowd *crowd = argument;

    (void)call;
    atomic_fetch_add(&crowd->before, 1);
    return 0;
}

static void test_failing_members_fail_alone(void **state)
{
    struct call call = CALL_INIT;
    struct crowd crowd = {.each = 25};
    struct index_options options = {.before_commit = count_commit,
                                    .before_commit_argument = &crowd};
    struct group g;

    (void)state;
    crowd.index = open_with(&options);
    group_init(&g, &call);
    for (int i = 0; i < 32; i++)
        assert_ok(group_run(&g, crowd_task, &crowd), &call.err);
    assert_ok(group_wait(&g), &call.err);
    index_close(crowd.index);
    assert_int_equal(number("SELECT COUNT(*) FROM piece"), 32 * 25 * 4 / 5);
    assert_int_equal(number("SELECT COUNT(*) FROM piece WHERE id % 5 = 0"), 0);
    assert_int_equal(number("SELECT COUNT(*) FROM journal"), 32 * 25 * 4 / 5);
    assert_true(crowd.before > 0 && crowd.before <= 32 * 25);
}

static int refuse_commit(void *argument, struct call *call)
{
    (void)argument;
    return err_set(&call->err, ERR_IO, "the bodies could not be made durable");
}

static void test_no_commit_without_bodies(void **state)
{
    struct call call = CALL_INIT;
    struct index_options options = {.before_commit = refuse_commit};
    struct index *index = open_with(&options);
    struct member m = {.id = 1};

    (void)state;
    assert_int_equal(index_write(index, INDEX_DURABLE, write_member, &m, &call), -1);
    assert_int_equal(call.err.code, ERR_IO);
    err_clear(&call.err);
    assert_ok(index_write(index, INDEX_RELAXED, write_member, &m, &call), &call.err);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM piece"), 1);
}

/* ---- Waiting ---- */

static int slow_member(struct db *db, void *argument, struct call *call)
{
    struct call patient = CALL_INIT;

    (void)call;
    if (call_sleep(&patient, 300 * CLOCK_MILLISECOND) < 0)
        return -1;
    return write_member(db, argument, &patient);
}

static int slow_task(void *argument, struct call *call)
{
    static struct member m = {.id = 1};

    return index_write(argument, INDEX_DURABLE, slow_member, &m, call);
}

static void test_a_call_that_ends_while_waiting(void **state)
{
    struct call call = CALL_INIT;
    struct index_options options = {.connections = 1};
    struct index *index = open_with(&options);
    struct member second = {.id = 2};
    struct group g;

    (void)state;
    group_init(&g, &call);
    assert_ok(group_run(&g, slow_task, index), &call.err);
    assert_ok(call_sleep(&call, 100 * CLOCK_MILLISECOND), &call.err);
    /* Waits behind the slow one (SQLite: for the writer; PostgreSQL: for the only connection). */
    struct call hasty = {.deadline = clock_monotonic() + 50 * CLOCK_MILLISECOND};
    assert_int_equal(index_write(index, INDEX_DURABLE, write_member, &second, &hasty), -1);
    assert_int_equal(hasty.err.code, ERR_TIMEOUT);
    assert_ok(group_wait(&g), &call.err);
    /* Begun before its time was up: the outcome is told. */
    struct member third = {.id = 3};
    struct call late = {.deadline = clock_monotonic() + 1000 * CLOCK_MILLISECOND};
    assert_ok(index_write(index, INDEX_DURABLE, slow_member, &third, &late), &late.err);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM piece WHERE id = 2"), 0);
    assert_int_equal(number("SELECT COUNT(*) FROM piece"), 2);
}

/* A statement that is interrupted by its deadline takes SQLite's transaction with it: the others of
 * the batch must not notice. */
static int endless_member(struct db *db, void *argument, struct call *call)
{
    struct db_statement *s;

    (void)argument;
    if (db_prepare(db,
                   "INSERT INTO meta (key, value) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL"
                   " SELECT i + 1 FROM n) SELECT 'k' || CAST(i AS TEXT), 'v' FROM n",
                   &s, call) < 0)
        return -1;
    return db_run(s, NULL, call);
}

static int endless_task(void *argument, struct call *call)
{
    struct call hasty = call_child(call, NULL);

    hasty.deadline = clock_monotonic() + 300 * CLOCK_MILLISECOND;
    int result = index_write(argument, INDEX_DURABLE, endless_member, NULL, &hasty);
    if (result == 0 || hasty.err.code != ERR_TIMEOUT)
        return err_set(&call->err, ERR_INTERNAL, "not interrupted: %s", hasty.err.text);
    return 0;
}

static void test_an_interrupted_member(void **state)
{
    struct call call = CALL_INIT;
    struct crowd crowd = {.each = 25};
    struct group g;

    (void)state;
    crowd.index = open_with(NULL);
    group_init(&g, &call);
    for (int i = 0; i < 12; i++)
        assert_ok(group_run(&g, i == 6 ? endless_task : crowd_task,
                            i == 6 ? (void *)crowd.index : &crowd),
                  &call.err);
    assert_ok(group_wait(&g), &call.err);
    index_close(crowd.index);
    assert_int_equal(number("SELECT COUNT(*) FROM piece"), 11 * 25 * 4 / 5);
    assert_int_equal(number("SELECT COUNT(*) FROM meta WHERE key <> 'openings'"), 0);
}

/* ---- Reading and the clock ---- */

static int view_twice(struct db *db, void *argument, struct call *call)
{
    struct index *index = *(struct index **)argument;
    struct db_statement *s;
    int64_t counts[2];

    for (int i = 0; i < 2; i++) {
        assert_ok(db_prepare(db, "SELECT COUNT(*) FROM piece", &s, call), &call->err);
        assert_int_equal(db_step(s, call), 1);
        counts[i] = db_column_int(s, 0);
        db_reset(s);
        if (i > 0)
            continue;
        struct member m = {.id = index_new_id()};
        assert_ok(index_write(index, INDEX_DURABLE, write_member, &m, call), &call->err);
    }
    assert_int_equal(counts[0], counts[1]);
    struct member m = {.id = 5};
    assert_int_equal(write_member(db, &m, call), -1);
    assert_int_equal(call->err.code, ERR_READ_ONLY);
    return -1;
}

static void test_a_read_sees_one_state(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_with(NULL);

    (void)state;
    /* A write from inside a read: the manual forbids it, but here nobody waits for anybody. */
    assert_int_equal(index_read(index, view_twice, &index, &call), -1);
    assert_int_equal(call.err.code, ERR_READ_ONLY);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM piece"), 1);
}

static int ask_time(struct db *db, void *argument, struct call *call)
{
    int64_t *last = argument;
    int64_t first;
    int64_t again;

    if (index_now(db, &first, call) < 0 || index_now(db, &again, call) < 0)
        return -1;
    assert_true(first == again && first > *last && first % 100 == 0);
    *last = first;
    return 0;
}

static void test_times_rise(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_with(NULL);
    int64_t last = 0;

    (void)state;
    for (int i = 0; i < 300; i++)
        assert_ok(index_write(index, INDEX_RELAXED, ask_time, &last, &call), &call.err);
    assert_true(last > clock_wall() - 10 * CLOCK_SECOND && last < clock_wall() + CLOCK_SECOND);
    index_close(index);
}

static int set_then_get(struct db *db, void *argument, struct call *call)
{
    auto_free char *value = NULL;

    (void)argument;
    assert_ok(index_meta_get(db, "k", &value, call), &call->err);
    assert_null(value);
    assert_ok(index_meta_set(db, "k", "one", call), &call->err);
    assert_ok(index_meta_set(db, "k", "two", call), &call->err);
    assert_ok(index_meta_get(db, "k", &value, call), &call->err);
    assert_string_equal(value, "two");
    return index_meta_set(db, "k", NULL, call);
}

static void test_meta(void **state)
{
    struct call call = CALL_INIT;
    struct index *index = open_with(NULL);

    (void)state;
    assert_ok(index_write(index, INDEX_DURABLE, set_then_get, NULL, &call), &call.err);
    index_close(index);
    assert_int_equal(number("SELECT COUNT(*) FROM meta WHERE key <> 'openings'"), 0);
}

static void test_read_only(void **state)
{
    struct call call = CALL_INIT;
    struct index_options options = {.read_only = true};
    struct index *index = open_with(&options);
    struct member m = {.id = 1};

    (void)state;
    assert_int_equal(index_write(index, INDEX_DURABLE, write_member, &m, &call), -1);
    assert_int_equal(call.err.code, ERR_READ_ONLY);
    index_close(index);
}

static void test_ids_rise(void **state)
{
    (void)state;
    int64_t early = index_new_id();
    struct call call = CALL_INIT;
    assert_ok(call_sleep(&call, CLOCK_MILLISECOND), &call.err);
    assert_true(early > 0 && index_new_id() > early);
}

#define MAKERS   4
#define IDS_EACH 5000

static void *make_ids(void *argument)
{
    int64_t *ids = argument;

    for (int i = 0; i < IDS_EACH; i++)
        ids[i] = index_new_id();
    return NULL;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void test_ids_are_unique(void **state)
{
    static int64_t ids[MAKERS * IDS_EACH];
    pthread_t makers[MAKERS];

    (void)state;
    for (int i = 0; i < MAKERS; i++)
        assert_int_equal(pthread_create(&makers[i], NULL, make_ids, ids + i * IDS_EACH), 0);
    for (int i = 0; i < MAKERS; i++)
        (void)pthread_join(makers[i], NULL);
    qsort(ids, ARRAY_SIZE(ids), sizeof(*ids), compare_ids);
    for (size_t i = 1; i < ARRAY_SIZE(ids); i++)
        assert_true(ids[i] > ids[i - 1]);
}

/* Whoever opens the index next ends its ids otherwise. */
static void test_ids_of_processes_differ(void **state)
{
    (void)state;
    index_close(open_with(NULL));
    int64_t first = index_new_id();
    index_close(open_with(NULL));
    assert_int_equal((index_new_id() - first) & 0xffff, 1);
}

/* ---- Killed while writing ---- */

struct writing_child {
    int fd;
    struct crowd crowd;
};

static int acknowledge_task(void *argument, struct call *call)
{
    struct writing_child *child = argument;

    for (;;) {
        struct member m = {.id = atomic_fetch_add(&child->crowd.next, 1) + 1};
        if (index_write(child->crowd.index, INDEX_DURABLE, write_member, &m, call) < 0)
            return -1;
        if (write(child->fd, &m.id, sizeof(m.id)) != sizeof(m.id))
            return -1;
    }
}

static int write_until_killed(int fd)
{
    struct call call = CALL_INIT;
    struct writing_child child = {.fd = fd, .crowd = {.index = open_with(NULL)}};
    struct group g;

    group_init(&g, &call);
    for (int i = 0; i < 8; i++)
        if (group_run(&g, acknowledge_task, &child) < 0)
            break;
    return group_wait(&g);
}

static void test_killed_while_writing(void **state)
{
    int ends[2];
    int64_t id;
    int64_t acknowledged = 0;
    auto_buf struct buf ids = BUF_INIT(1 << 24);

    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        _exit(write_until_killed(ends[1]) < 0);
    }
    (void)close(ends[1]);
    while (read(ends[0], &id, sizeof(id)) == sizeof(id)) {
        buf_printf(&ids, "%s%lld", acknowledged++ ? "," : "", (long long)id);
        if (acknowledged == 200)
            (void)kill(pid, SIGKILL);
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(acknowledged >= 200);
    index_close(open_with(NULL));
    auto_free char *text = xasprintf("SELECT COUNT(*) FROM piece WHERE id IN (%s)", ids.data);
    assert_int_equal(number(text), acknowledged);
    assert_int_equal(number("SELECT COUNT(*) FROM piece"), number("SELECT COUNT(*) FROM journal"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(test_rows_come_back, setup),
    cmocka_unit_test_setup(test_unique_columns, setup),
    cmocka_unit_test_setup(test_many_rows_and_groups, setup),
    cmocka_unit_test(test_json),
    cmocka_unit_test_setup(test_failing_members_fail_alone, setup),
    cmocka_unit_test_setup(test_no_commit_without_bodies, setup),
    cmocka_unit_test_setup(test_a_call_that_ends_while_waiting, setup),
    cmocka_unit_test_setup(test_an_interrupted_member, setup),
    cmocka_unit_test_setup(test_a_read_sees_one_state, setup),
    cmocka_unit_test_setup(test_times_rise, setup),
    cmocka_unit_test_setup(test_meta, setup),
    cmocka_unit_test_setup(test_read_only, setup),
    cmocka_unit_test(test_ids_rise),
    cmocka_unit_test(test_ids_are_unique),
    cmocka_unit_test(test_ids_of_processes_differ),
    cmocka_unit_test_setup(test_killed_while_writing, setup),
};

int main(void)
{
    scratch_sqlite(&scratch);
    int failed = cmocka_run_group_tests_name("index on sqlite", tests, NULL, NULL);
    scratch_release(&scratch);
    scratch_postgres(&scratch);
    if (scratch.url)
        failed += cmocka_run_group_tests_name("index on postgres", tests, NULL, NULL);
    scratch_release(&scratch);
    return failed;
}
