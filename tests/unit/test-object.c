// SPDX-License-Identifier: EUPL-1.2
/* The object service: whole bodies, history, blocks, containers. */
#include "object/block.h"

#include "object-bed.h"

static void a_body_comes_back(void **state)
{
    struct object_bed *b = *state;
    auto_object_row struct object_row row = object_row_new();
    auto_buf struct buf got = BUF_INIT(100);
    struct place place = place_of("dir/a b\xC3\xBC");

    assert_ok(object_bed_try_put(b, place.name, "hello world", NULL, &row), &b->call.err);
    assert_int_equal(row.size, 11);
    assert_string_equal(row.content_md5, "XrY7u+Ae7tCTyyK7j1rNww==");
    assert_true(strncmp(row.etag, "0x08D", 5) == 0 && strlen(row.etag) == 18);
    object_bed_holds(b, &place, "hello world");
    struct range middle = {RANGE_FROM, 6, 8};
    assert_ok(object_bed_read(b, &place, &middle, &got), &b->call.err);
    assert_string_equal(got.data, "wor");
    struct range end = {.kind = RANGE_SUFFIX, .last = 3};
    assert_ok(object_bed_read(b, &place, &end, &got), &b->call.err);
    assert_string_equal(got.data, "rld");
    struct range behind = {RANGE_FROM, 11, UINT64_MAX};
    assert_fault(object_bed_read(b, &place, &behind, &got), FAULT_RANGE, b);
    struct place missing = place_of("missing");
    assert_fault(object_bed_read(b, &missing, NULL, &got), FAULT_OBJECT_MISSING, b);
}

static void an_empty_body_is_one(void **state)
{
    struct object_bed *b = *state;
    struct place place = place_of("empty");
    struct range first = {RANGE_FROM, 0, 0};
    auto_buf struct buf got = BUF_INIT(100);

    object_bed_put(b, "empty", "");
    object_bed_holds(b, &place, "");
    assert_fault(object_bed_read(b, &place, &first, &got), FAULT_RANGE, b);
}

static void conditions_are_judged_at_the_commit(void **state)
{
    struct object_bed *b = *state;
    auto_object_row struct object_row row = object_row_new();
    struct conditions absent = CONDITIONS_INIT;
    struct conditions match = CONDITIONS_INIT;
    struct place place = place_of("x");

    absent.if_none_match = "*";
    assert_ok(object_bed_try_put(b, "x", "one", &absent, &row), &b->call.err);
    assert_fault(object_bed_try_put(b, "x", "two", &absent, NULL), FAULT_OBJECT_EXISTS, b);
    auto_free char *quoted = xasprintf("\"%s\"", row.etag);
    match.if_match = quoted;
    assert_ok(object_bed_try_put(b, "x", "two", &match, NULL), &b->call.err);
    assert_fault(object_bed_try_put(b, "x", "three", &match, NULL), FAULT_CONDITION, b);
    object_bed_holds(b, &place, "two");
    assert_fault(object_bed_try_put(b, "y", "three", &match, NULL), FAULT_CONDITION, b);
}

static void a_wrong_digest_stores_nothing(void **state)
{
    struct object_bed *b = *state;
    struct source_bytes body;
    struct put_request request = {
        .place = place_of("x"), .conditions = CONDITIONS_INIT, .body = &body.source, .size = 3};
    unsigned char wrong[16] = "not this one";
    auto_buf struct buf got = BUF_INIT(100);

    source_bytes_init(&body, "abc", 3);
    checksum_set(&request.expected, CHECKSUM_MD5, wrong);
    assert_fault(service_put(b->service, &request, NULL, NULL, &b->call), FAULT_MD5, b);
    assert_fault(object_bed_read(b, &request.place, NULL, &got), FAULT_OBJECT_MISSING, b);
    request.expected = (struct checksums){0};
    request.size = 4;
    source_bytes_init(&body, "abc", 3);
    assert_fault(service_put(b->service, &request, NULL, NULL, &b->call), FAULT_BODY_SHORT, b);
    assert_fault(object_bed_read(b, &request.place, NULL, &got), FAULT_OBJECT_MISSING, b);
}

static struct delete_request deletion_of(const char *name)
{
    return (struct delete_request){.place = place_of(name), .conditions = CONDITIONS_INIT};
}

static void versions_are_kept(void **state)
{
    struct object_bed *b = *state;
    auto_object_row struct object_row one = object_row_new();
    auto_object_row struct object_row two = object_row_new();
    struct delete_request gone = deletion_of("v");
    auto_delete_result struct delete_result result = {0};
    struct place place = place_of("v");
    auto_buf struct buf got = BUF_INIT(100);

    object_bed_settings(b, "{\"versioning\":true}");
    assert_ok(object_bed_try_put(b, "v", "one", NULL, &one), &b->call.err);
    assert_ok(object_bed_try_put(b, "v", "two", NULL, &two), &b->call.err);
    assert_true(strcmp(one.version, two.version) < 0);
    place.kind = VERSION_ID;
    place.version = one.version;
    object_bed_holds(b, &place, "one");
    assert_ok(service_delete(b->service, &gone, &result, &b->call), &b->call.err);
    assert_true(result.kept);
    place.version = two.version;
    object_bed_holds(b, &place, "two");
    struct place current = place_of("v");
    assert_fault(object_bed_read(b, &current, NULL, &got), FAULT_OBJECT_MISSING, b);
    gone.place = place;
    assert_ok(service_delete(b->service, &gone, &result, &b->call), &b->call.err);
    assert_fault(object_bed_read(b, &place, NULL, &got), FAULT_VERSION_MISSING, b);
}

static void what_is_deleted_softly_comes_back(void **state)
{
    struct object_bed *b = *state;
    struct delete_request gone = deletion_of("s");
    auto_delete_result struct delete_result result = {0};
    struct place place = place_of("s");
    auto_buf struct buf got = BUF_INIT(100);

    object_bed_settings(b, "{\"delete_retention_days\":7}");
    object_bed_put(b, "s", "text");
    assert_ok(service_delete(b->service, &gone, &result, &b->call), &b->call.err);
    assert_true(result.kept);
    assert_fault(object_bed_read(b, &place, NULL, &got), FAULT_OBJECT_MISSING, b);
    assert_ok(service_undelete(b->service, &place, &b->call), &b->call.err);
    object_bed_holds(b, &place, "text");
}

static void snapshots_share_the_bytes(void **state)
{
    struct object_bed *b = *state;
    auto_object_row struct object_row snapshot = object_row_new();
    struct conditions none = CONDITIONS_INIT;
    struct place place = place_of("p");
    struct delete_request gone = deletion_of("p");
    auto_delete_result struct delete_result result = {0};

    object_bed_put(b, "p", "old");
    assert_ok(service_snapshot(b->service, &place, &none, NULL, &snapshot, NULL, &b->call),
              &b->call.err);
    object_bed_put(b, "p", "new");
    object_bed_holds(b, &place, "new");
    struct place then = place;
    then.kind = VERSION_SNAPSHOT;
    then.version = snapshot.version;
    object_bed_holds(b, &then, "old");
    assert_fault(service_delete(b->service, &gone, &result, &b->call), FAULT_SNAPSHOTS_PRESENT, b);
    gone.snapshots = DELETE_INCLUDE;
    assert_ok(service_delete(b->service, &gone, &result, &b->call), &b->call.err);
    auto_buf struct buf got = BUF_INIT(100);
    assert_fault(object_bed_read(b, &then, NULL, &got), FAULT_OBJECT_MISSING, b);
}

static int stage(struct object_bed *b, const char *name, const char *id, const char *text)
{
    struct source_bytes body;
    struct stage_request request = {.place = place_of(name),
                                    .conditions = CONDITIONS_INIT,
                                    .upload = "",
                                    .block = id,
                                    .body = &body.source,
                                    .size = strlen(text)};
    source_bytes_init(&body, text, strlen(text));
    return service_stage(b->service, &request, NULL, &b->call);
}

static int commit(struct object_bed *b, const char *name, const struct block_choice *blocks,
                  size_t count)
{
    struct commit_request request = {.place = place_of(name),
                                     .conditions = CONDITIONS_INIT,
                                     .upload = "",
                                     .blocks = blocks,
                                     .count = count};
    return service_commit(b->service, &request, NULL, &b->call);
}

static void block_ids_have_one_length(void **state)
{
    struct object_bed *b = *state;
    assert_ok(stage(b, "b", "QQ==", "x"), &b->call.err);
    assert_fault(stage(b, "b", "QUFBQUE=", "x"), FAULT_BLOCK_ID_LENGTH, b);
}

static void blocks_are_reused(void **state)
{
    struct object_bed *b = *state;
    struct place place = place_of("b");
    auto_block_list struct block_list list = {0};
    struct block_choice both[] = {{"QQ==", BLOCK_LATEST, NULL}, {"Qg==", BLOCK_LATEST, NULL}};
    struct block_choice turned[] = {{"Qg==", BLOCK_COMMITTED, NULL},
                                    {"Qw==", BLOCK_UNCOMMITTED, NULL},
                                    {"QQ==", BLOCK_LATEST, NULL}};

    assert_ok(stage(b, "b", "Qg==", "world"), &b->call.err);
    assert_ok(stage(b, "b", "QQ==", "hello "), &b->call.err);
    assert_ok(commit(b, "b", both, 2), &b->call.err);
    object_bed_holds(b, &place, "hello world");
    assert_ok(stage(b, "b", "Qw==", " and "), &b->call.err);
    assert_fault(commit(b, "b", (struct block_choice[]){{"RA==", BLOCK_LATEST, NULL}}, 1),
                 FAULT_BLOCK_LIST, b);
    assert_ok(commit(b, "b", turned, 3), &b->call.err);
    object_bed_holds(b, &place, "world and hello ");
    assert_ok(service_block_list(b->service, &place, NULL, "", &list, &b->call), &b->call.err);
    assert_int_equal(list.committed_count, 3);
    assert_int_equal(list.uncommitted_count, 0);
    assert_string_equal(list.committed[1].block, "Qw==");
    auto_buf struct buf got = BUF_INIT(100);
    struct range across = {RANGE_FROM, 3, 12};
    assert_ok(object_bed_read(b, &place, &across, &got), &b->call.err);
    assert_string_equal(got.data, "ld and hel");
}

static void it_is_all_there_after_a_restart(void **state)
{
    struct object_bed *b = *state;
    struct place place = place_of("x");

    object_bed_put(b, "x", "text");
    object_bed_close(b);
    object_bed_open(b);
    object_bed_holds(b, &place, "text");
}

static void containers_have_a_life(void **state)
{
    struct object_bed *b = *state;
    auto_container_rows struct container_rows list = {0};
    auto_container_row struct container_row row = container_row_new();

    assert_fault(service_container_create(b->service, "acct", "c", NULL, NULL, &b->call),
                 FAULT_CONTAINER_EXISTS, b);
    assert_fault(service_container_create(b->service, "nobody", "c", NULL, NULL, &b->call),
                 FAULT_ACCOUNT_MISSING, b);
    assert_ok(service_container_create(b->service, "acct", "cc", NULL, NULL, &b->call),
              &b->call.err);
    assert_ok(service_container_list(b->service, "acct", "c", NULL, 1, false, &list, &b->call),
              &b->call.err);
    assert_int_equal(list.count, 1);
    assert_string_equal(list.next, "cc");
    object_bed_put(b, "x", "text");
    assert_fault(service_container_delete(b->service, "acct", "c", NULL, true, &b->call),
                 FAULT_CONTAINER_NOT_EMPTY, b);
    object_bed_settings(b, "{\"container_retention_days\":1}");
    assert_ok(service_container_delete(b->service, "acct", "c", NULL, false, &b->call),
              &b->call.err);
    assert_fault(service_container_get(b->service, "acct", "c", NULL, &row, &b->call),
                 FAULT_CONTAINER_MISSING, b);
    assert_ok(service_container_list(b->service, "acct", NULL, NULL, 10, true, &list, &b->call),
              &b->call.err);
    assert_int_equal(list.count, 2);
    auto_free char *version = xstrdup(list.list[0].deleted_version);
    assert_ok(service_container_restore(b->service, "acct", "c", version, "c", &row, &b->call),
              &b->call.err);
    struct place place = place_of("x");
    object_bed_holds(b, &place, "text");
}

/* A marker is made only where the condition holds, and none where nothing can match it. */
static void markers_stand_under_conditions(void **state)
{
    struct object_bed *b = *state;
    auto_delete_result struct delete_result gone = {0};
    struct delete_request request = {
        .place = place_of("x"), .conditions = CONDITIONS_INIT, .make_marker = true};

    object_bed_settings(b, "{\"versioning\":true}");
    request.conditions.s3 = true;
    request.conditions.if_match = "\"0\"";
    assert_fault(service_delete(b->service, &request, &gone, &b->call), FAULT_OBJECT_MISSING, b);
    object_bed_put(b, "x", "x");
    assert_fault(service_delete(b->service, &request, &gone, &b->call), FAULT_CONDITION, b);
    request.conditions.if_match = NULL;
    assert_ok(service_delete(b->service, &request, &gone, &b->call), &b->call.err);
    assert_true(gone.marker);
    request.conditions.if_match = "*";
    assert_fault(service_delete(b->service, &request, &gone, &b->call), FAULT_OBJECT_MISSING, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(markers_stand_under_conditions),
        object_test(a_body_comes_back),
        object_test(an_empty_body_is_one),
        object_test(conditions_are_judged_at_the_commit),
        object_test(a_wrong_digest_stores_nothing),
        object_test(versions_are_kept),
        object_test(what_is_deleted_softly_comes_back),
        object_test(snapshots_share_the_bytes),
        object_test(block_ids_have_one_length),
        object_test(blocks_are_reused),
        object_test(it_is_all_there_after_a_restart),
        object_test(containers_have_a_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
