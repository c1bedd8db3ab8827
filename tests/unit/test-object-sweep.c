// SPDX-License-Identifier: EUPL-1.2
/* What the sweep takes and what it leaves. */
#include "object/copy.h"
#include "object/ranges.h"

#include "object-bed.h"
#include "object/block.h"
#include "object/object_private.h"

#define DAY (24 * 3600 * CLOCK_SECOND)

static int counted(struct db *db, void *argument, struct call *call)
{
    int64_t *counts = argument;
    static const char *const sql[] = {
        "SELECT COUNT(*) FROM intent", "SELECT COUNT(*) FROM garbage",
        "SELECT COUNT(*) FROM piece",  "SELECT COUNT(*) FROM extent",
        "SELECT COUNT(*) FROM block",  "SELECT COUNT(*) FROM object",
        "SELECT COUNT(*) FROM upload", "SELECT COUNT(*) FROM container",
    };

    for (size_t i = 0; i < ARRAY_SIZE(sql); i++) {
        struct db_statement *s;
        if (db_prepare(db, sql[i], &s, call) < 0)
            return -1;
        int row = db_step(s, call);
        counts[i] = row > 0 ? db_column_int(s, 0) : -1;
        db_reset(s);
        if (row < 0)
            return -1;
    }
    return 0;
}

/* How many bodies lie in the store. */
static size_t bodies(struct object_bed *b)
{
    auto_object_list struct object_list l = OBJECT_LIST_INIT;
    struct list_options all = {.limit = 1000};

    assert_ok(store_list(b->store, "bodies", &all, &l, &b->call), &b->call.err);
    return l.count;
}

static void expect(struct object_bed *b, int64_t intents, int64_t garbage, int64_t pieces,
                   int64_t extents, int64_t blocks, int64_t objects, size_t in_store)
{
    int64_t counts[8];
    const int64_t want[] = {intents, garbage, pieces, extents, blocks, objects};

    assert_ok(index_read(b->index, counted, counts, &b->call), &b->call.err);
    for (size_t i = 0; i < ARRAY_SIZE(want); i++)
        if (counts[i] != want[i])
            fail_msg("count %zu: %lld, not %lld", i, (long long)counts[i], (long long)want[i]);
    assert_int_equal(bodies(b), in_store);
}

static int run_sql(struct db *db, void *argument, struct call *call)
{
    return db_exec(db, argument, call);
}

/* Make times pass. */
static void age(struct object_bed *b, const char *sql)
{
    assert_ok(index_write(b->index, INDEX_DURABLE, run_sql, (void *)sql, &b->call), &b->call.err);
}

static void sweep(struct object_bed *b, uint64_t want)
{
    uint64_t removed;

    assert_ok(service_sweep(b->service, &removed, &b->call), &b->call.err);
    assert_int_equal(removed, want);
}

static void delete (struct object_bed *b, const char *name)
{
    auto_delete_result struct delete_result result = {0};
    struct delete_request request = {
        .place = place_of(name), .conditions = CONDITIONS_INIT, .snapshots = DELETE_INCLUDE};
    assert_ok(service_delete(b->service, &request, &result, &b->call), &b->call.err);
}

static void deleted_bodies_go_in_time(void **state)
{
    struct object_bed *b = *state;
    struct place keep = place_of("keep");

    object_bed_put(b, "x", "one");
    object_bed_put(b, "keep", "two");
    expect(b, 0, 0, 2, 2, 0, 2, 2);
    delete (b, "x");
    expect(b, 0, 1, 1, 1, 0, 1, 2);
    sweep(b, 0);
    expect(b, 0, 1, 1, 1, 0, 1, 2);
    age(b, "UPDATE garbage SET after = 0");
    sweep(b, 1);
    expect(b, 0, 0, 1, 1, 0, 1, 1);
    object_bed_holds(b, &keep, "two");
    sweep(b, 0);
}

/* A piece lies in the store and its intent has expired: the upload is refused, its bytes go. */
static void expired_intents(void **state)
{
    struct object_bed *b = *state;
    auto_piece struct piece piece = {.row = piece_row_new()};
    struct place place = place_of("slow");
    struct source_bytes body;

    source_bytes_init(&body, "body", 4);
    assert_ok(piece_write(b->service, &place, &body.source, 4, 0, NULL, &piece, &b->call),
              &b->call.err);
    expect(b, 1, 0, 0, 0, 0, 0, 1);
    sweep(b, 0);
    expect(b, 1, 0, 0, 0, 0, 0, 1);
    age(b, "UPDATE intent SET expires = 0");
    sweep(b, 1);
    expect(b, 0, 0, 0, 0, 0, 0, 0);
    piece_discard(b->service, &piece);
    expect(b, 0, 0, 0, 0, 0, 0, 0);
}

static int commit_piece(struct db *db, void *argument, struct call *call)
{
    struct piece *piece = argument;

    if (piece_commit(db, piece, call) < 0)
        return -1;
    return extent_add(db, 77, 0, 4, piece->row.id, 0, NULL, call);
}

/* Whoever lost the answer of a commit that happened must not take the bytes away. */
static void a_committed_piece_is_not_discarded(void **state)
{
    struct object_bed *b = *state;
    auto_piece struct piece piece = {.row = piece_row_new()};
    struct place place = place_of("x");
    struct source_bytes body;

    source_bytes_init(&body, "body", 4);
    assert_ok(piece_write(b->service, &place, &body.source, 4, 0, NULL, &piece, &b->call),
              &b->call.err);
    assert_ok(service_write(b->service, commit_piece, &piece, &b->call), &b->call.err);
    piece_discard(b->service, &piece);
    expect(b, 0, 0, 1, 1, 0, 0, 1);
    age(b, "UPDATE intent SET expires = 0");
    sweep(b, 0);
    expect(b, 0, 0, 1, 1, 0, 0, 1);
    assert_fault(service_write(b->service, commit_piece, &piece, &b->call), FAULT_EXPIRED, b);
}

static void stage(struct object_bed *b, const char *name, const char *upload, const char *block)
{
    struct source_bytes body;
    struct stage_request request = {.place = place_of(name),
                                    .conditions = CONDITIONS_INIT,
                                    .upload = upload,
                                    .block = block,
                                    .body = &body.source,
                                    .size = 1};
    source_bytes_init(&body, "x", 1);
    assert_ok(service_stage(b->service, &request, NULL, &b->call), &b->call.err);
}

static void staged_blocks(void **state)
{
    struct object_bed *b = *state;
    struct place place = place_of("big");
    auto_free char *upload = NULL;

    stage(b, "name", "", "AAAA");
    age(b, "UPDATE block SET created = 0");
    stage(b, "name", "", "BBBB");
    stage(b, "other", "", "AAAA");
    sweep(b, 0);
    expect(b, 0, 0, 3, 0, 3, 0, 3);
    age(b, "UPDATE block SET created = 0 WHERE name = CAST('name' AS BLOB)");
    sweep(b, 0);
    expect(b, 0, 2, 1, 0, 1, 0, 3);
    assert_ok(service_upload_begin(b->service, &place, NULL, NULL, &upload, &b->call),
              &b->call.err);
    stage(b, "big", upload, "00001");
    age(b, "UPDATE upload SET created = 0; UPDATE garbage SET after = 0");
    sweep(b, 2);
    expect(b, 0, 0, 2, 0, 2, 0, 2);
    age(b, "UPDATE block SET created = 0");
    sweep(b, 0);
    int64_t counts[8];
    assert_ok(index_read(b->index, counted, counts, &b->call), &b->call.err);
    assert_int_equal(counts[6], 0);
    expect(b, 0, 2, 0, 0, 0, 0, 2);
}

static void retention_ends(void **state)
{
    struct object_bed *b = *state;
    struct place held = place_of("held");
    auto_buf struct buf got = BUF_INIT(100);

    object_bed_settings(b, "{\"delete_retention_days\":7}");
    object_bed_put(b, "x", "one");
    object_bed_put(b, "held", "two");
    delete (b, "x");
    delete (b, "held");
    sweep(b, 0);
    expect(b, 0, 0, 2, 2, 0, 2, 2);
    assert_ok(service_undelete(b->service, &held, &b->call), &b->call.err);
    object_bed_holds(b, &held, "two");
    delete (b, "held");
    age(b, "UPDATE object SET deleted_until = 1;"
           "UPDATE object SET legal_hold = 1 WHERE name = CAST('held' AS BLOB)");
    sweep(b, 0);
    expect(b, 0, 1, 1, 1, 0, 1, 2);
    age(b, "UPDATE object SET legal_hold = 0");
    sweep(b, 0);
    expect(b, 0, 2, 0, 0, 0, 0, 2);
    assert_fault(object_bed_read(b, &held, NULL, &got), FAULT_OBJECT_MISSING, b);
}

static void objects_that_go_by_themselves(void **state)
{
    struct object_bed *b = *state;
    struct place x = place_of("x"), old = place_of("x");
    struct conditions none = CONDITIONS_INIT;
    auto_object_row struct object_row row = object_row_new();
    auto_buf struct buf got = BUF_INIT(100);

    object_bed_put(b, "x", "one");
    assert_ok(service_set_expiry(b->service, &x, &none, clock_wall() + DAY, &row, &b->call),
              &b->call.err);
    sweep(b, 0);
    object_bed_holds(b, &x, "one");
    age(b, "UPDATE object SET goes_at = 1");
    assert_fault(object_bed_read(b, &x, NULL, &got), FAULT_OBJECT_MISSING, b);
    object_bed_settings(b, "{\"versioning\":true}");
    sweep(b, 0);
    expect(b, 0, 0, 1, 1, 0, 1, 1);
    assert_fault(object_bed_read(b, &x, NULL, &got), FAULT_OBJECT_MISSING, b);
    old.kind = VERSION_ID;
    old.version = row.version;
    object_bed_holds(b, &old, "one");
    object_bed_settings(b, "{}");
    age(b, "UPDATE object SET goes_at = 1");
    sweep(b, 0);
    expect(b, 0, 1, 0, 0, 0, 0, 1);
}

static void containers_with_all_they_hold(void **state)
{
    struct object_bed *b = *state;
    struct conditions none = CONDITIONS_INIT;
    auto_container_row struct container_row row = container_row_new();
    struct place x = place_of("obj-001");
    int64_t counts[8];

    object_bed_settings(b, "{\"container_retention_days\":7}");
    for (int i = 0; i < 2 * 100 + 7; i++) {
        char name[20];
        (void)snprintf(name, sizeof(name), "obj-%03d", i);
        object_bed_put(b, name, "");
    }
    object_bed_put(b, "body", "one");
    stage(b, "staged", "", "AAAA");
    assert_ok(service_container_delete(b->service, "acct", "c", &none, false, &b->call),
              &b->call.err);
    sweep(b, 0);
    expect(b, 0, 0, 2, 1, 1, 208, 2);
    age(b, "UPDATE container SET deleted_version = 'v'");
    assert_ok(service_container_restore(b->service, "acct", "c", "v", "c", &row, &b->call),
              &b->call.err);
    object_bed_holds(b, &x, "");
    assert_ok(service_container_delete(b->service, "acct", "c", &none, false, &b->call),
              &b->call.err);
    age(b, "UPDATE container SET deleted_until = 1;"
           "UPDATE object SET legal_hold = 1 WHERE name = CAST('obj-001' AS BLOB)");
    sweep(b, 0);
    expect(b, 0, 2, 0, 0, 0, 1, 2);
    age(b, "UPDATE object SET legal_hold = 0; UPDATE garbage SET after = 0");
    sweep(b, 2);
    expect(b, 0, 0, 0, 0, 0, 0, 0);
    assert_ok(index_read(b->index, counted, counts, &b->call), &b->call.err);
    assert_int_equal(counts[7], 0);
}

/* Shared bytes stay as long as anybody has them. */
static void copies_and_snapshots_keep_bytes(void **state)
{
    struct object_bed *b = *state;
    struct conditions none = CONDITIONS_INIT;
    struct place x = place_of("x"), y = place_of("y");
    struct copy_request request = {
        .from = x, .from_conditions = CONDITIONS_INIT, .to = y, .conditions = CONDITIONS_INIT};

    object_bed_put(b, "x", "shared");
    assert_ok(service_snapshot(b->service, &x, &none, NULL, NULL, NULL, &b->call), &b->call.err);
    assert_ok(service_copy(b->service, &request, NULL, &b->call), &b->call.err);
    request.to = x;
    assert_ok(service_copy(b->service, &request, NULL, &b->call), &b->call.err);
    expect(b, 0, 0, 1, 2, 0, 3, 1);
    delete (b, "x");
    age(b, "UPDATE garbage SET after = 0");
    sweep(b, 0);
    object_bed_holds(b, &y, "shared");
    delete (b, "y");
    age(b, "UPDATE garbage SET after = 0");
    sweep(b, 1);
    expect(b, 0, 0, 0, 0, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(deleted_bodies_go_in_time),
        object_test(expired_intents),
        object_test(a_committed_piece_is_not_discarded),
        object_test(staged_blocks),
        object_test(retention_ends),
        object_test(objects_that_go_by_themselves),
        object_test(containers_with_all_they_hold),
        object_test(copies_and_snapshots_keep_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
