// SPDX-License-Identifier: EUPL-1.2
/* Copies inside the service, leases and retention on real rows. */
#include "object/block.h"
#include "object/copy.h"
#include "object/lease.h"

#include "object-bed.h"
#include "object/layout.h"

#define A   "aaaaaaaa-0000-4000-8000-000000000000"
#define B   "bbbbbbbb-0000-4000-8000-000000000000"
#define DAY (24 * 3600 * CLOCK_SECOND)

static int run_sql(struct db *db, void *argument, struct call *call)
{
    return db_exec(db, argument, call);
}

/* Make times pass. */
static void age(struct object_bed *b, const char *sql)
{
    assert_ok(index_write(b->index, INDEX_DURABLE, run_sql, (void *)sql, &b->call), &b->call.err);
}

static struct copy_request copy_of(const char *from, const char *to)
{
    return (struct copy_request){.from = place_of(from),
                                 .from_conditions = CONDITIONS_INIT,
                                 .to = place_of(to),
                                 .conditions = CONDITIONS_INIT};
}

static void put_full(struct object_bed *b, const char *name, const char *text)
{
    struct object_row p = object_row_new();
    struct source_bytes body;
    struct put_request request = {.place = place_of(name),
                                  .conditions = CONDITIONS_INIT,
                                  .properties = &p,
                                  .body = &body.source,
                                  .size = strlen(text),
                                  .keep_md5 = true};
    p.content_type = (char *)"text/plain";
    p.cache_control = (char *)"no-store";
    p.metadata = (char *)"[[\"k\",\"v\"]]";
    p.tags = (char *)"[[\"t\",\"1\"]]";
    source_bytes_init(&body, text, strlen(text));
    assert_ok(service_put(b->service, &request, NULL, NULL, &b->call), &b->call.err);
}

static void what_travels(void **state)
{
    struct object_bed *b = *state;
    struct copy_request r = copy_of("x", "y");
    struct object_row p = object_row_new();
    auto_object_row struct object_row row = object_row_new();

    put_full(b, "x", "hello");
    r.keep_metadata = r.keep_tags = true;
    r.copy = "{\"id\":\"1\",\"status\":\"success\"}";
    assert_ok(service_copy(b->service, &r, &row, &b->call), &b->call.err);
    object_bed_holds(b, &r.to, "hello");
    assert_string_equal(row.content_type, "text/plain");
    assert_string_equal(row.metadata, "[[\"k\",\"v\"]]");
    assert_string_equal(row.tags, "[[\"t\",\"1\"]]");
    assert_string_equal(row.content_md5, "XUFAKrxLKna5cZ2REBfFkg==");
    assert_string_equal(row.copy, r.copy);
    p.content_type = (char *)"a/b";
    p.metadata = (char *)"[[\"n\",\"w\"]]";
    r.properties = &p;
    r.keep_metadata = r.keep_tags = false;
    r.copy = NULL;
    assert_ok(service_copy(b->service, &r, &row, &b->call), &b->call.err);
    assert_string_equal(row.content_type, "a/b");
    assert_null(row.cache_control);
    assert_string_equal(row.metadata, "[[\"n\",\"w\"]]");
    assert_null(row.tags);
    assert_null(row.copy);
    r.keep_headers = true;
    r.to = r.from;
    assert_ok(service_copy(b->service, &r, &row, &b->call), &b->call.err);
    assert_string_equal(row.content_type, "text/plain");
    assert_string_equal(row.metadata, "[[\"n\",\"w\"]]");
    object_bed_holds(b, &r.to, "hello");
}

static void conditions_of_a_copy(void **state)
{
    struct object_bed *b = *state;
    struct copy_request r = copy_of("x", "y");
    struct copy_request missing = copy_of("no", "y");

    object_bed_put(b, "x", "hello");
    assert_fault(service_copy(b->service, &missing, NULL, &b->call), FAULT_OBJECT_MISSING, b);
    missing.from.container = "no";
    assert_fault(service_copy(b->service, &missing, NULL, &b->call), FAULT_COPY_SOURCE, b);
    r.from_conditions.if_match = "\"0x8D\"";
    assert_fault(service_copy(b->service, &r, NULL, &b->call), FAULT_SOURCE_CONDITION, b);
    r.from_conditions.if_match = NULL;
    r.conditions.if_match = "*";
    assert_fault(service_copy(b->service, &r, NULL, &b->call), FAULT_CONDITION, b);
    r.conditions.if_match = NULL;
    r.conditions.if_none_match = "*";
    assert_ok(service_copy(b->service, &r, NULL, &b->call), &b->call.err);
    assert_fault(service_copy(b->service, &r, NULL, &b->call), FAULT_OBJECT_EXISTS, b);
    struct put_request page = {.place = place_of("p"),
                               .conditions = CONDITIONS_INIT,
                               .type = OBJECT_PAGE,
                               .page_size = 512};
    assert_ok(service_put(b->service, &page, NULL, NULL, &b->call), &b->call.err);
    struct copy_request other_type = copy_of("x", "p");
    assert_fault(service_copy(b->service, &other_type, NULL, &b->call), FAULT_TYPE, b);
    other_type.to_type_block = true;
    assert_ok(service_copy(b->service, &other_type, NULL, &b->call), &b->call.err);
    other_type.to.kind = VERSION_SNAPSHOT;
    assert_fault(service_copy(b->service, &other_type, NULL, &b->call), FAULT_ON_SNAPSHOT, b);
}

static void long_copies(void **state)
{
    struct object_bed *b = *state;
    struct copy_request r = copy_of("x", "y");
    struct place y = place_of("y");
    auto_object_row struct object_row row = object_row_new();

    object_bed_put(b, "x", "hello");
    r.copy = "{\"id\":\"one\",\"status\":\"pending\"}";
    assert_ok(service_copy(b->service, &r, NULL, &b->call), &b->call.err);
    assert_fault(service_copy(b->service, &r, NULL, &b->call), FAULT_COPY_PENDING, b);
    assert_fault(service_set_copy(b->service, &y, "two", "{}", &b->call), FAULT_COPY_ID, b);
    assert_ok(service_set_copy(b->service, &y, "one", "{\"id\":\"one\",\"status\":\"aborted\"}",
                               &b->call),
              &b->call.err);
    assert_fault(service_set_copy(b->service, &y, "one", "{}", &b->call), FAULT_NO_COPY_PENDING, b);
    assert_ok(service_stat(b->service, &y, NULL, &row, &b->call), &b->call.err);
    assert_string_equal(row.copy, "{\"id\":\"one\",\"status\":\"aborted\"}");
}

/* Bytes of an object as a source: in odd pieces, in a range, twice. */
static void a_source_over_an_object(void **state)
{
    struct object_bed *b = *state;
    struct place x = place_of("x"), missing = place_of("no");
    struct copy_source *none = NULL;
    size_t size = 9 * 1024 * 1024 + 17;
    auto_free char *bytes = xmalloc(size + 1);
    auto_buf struct buf got = BUF_INIT(16 << 20);

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)('a' + i * 7 % 23);
    bytes[size] = '\0';
    object_bed_put(b, "x", bytes);
    auto_copy_source struct copy_source *s = NULL;
    assert_ok(copy_source_open(b->service, &x, NULL, 5, UINT64_MAX, &s, &b->call), &b->call.err);
    assert_int_equal(copy_source_size(s), size - 5);
    for (int round = 0; round < 2; round++) {
        ssize_t n;
        buf_reset(&got);
        do {
            assert_ok(buf_reserve(&got, 100003, &b->call.err), &b->call.err);
            n = source_read(copy_source_stream(s), got.data + got.length, 100003, &b->call);
            assert_true(n >= 0);
            got.length += (size_t)n;
        } while (n > 0);
        assert_int_equal(got.length, size - 5);
        assert_memory_equal(got.data, bytes + 5, size - 5);
        assert_ok(copy_source_stream(s)->rewind(copy_source_stream(s), &b->call), &b->call.err);
    }
    assert_fault(copy_source_open(b->service, &x, NULL, size, 1, &none, &b->call), FAULT_RANGE, b);
    assert_fault(copy_source_open(b->service, &missing, NULL, 0, 1, &none, &b->call),
                 FAULT_OBJECT_MISSING, b);
}

/* Copied onto itself an object keeps its list of blocks. */
static void blocks_stay(void **state)
{
    struct object_bed *b = *state;
    struct copy_request r = copy_of("x", "x");
    struct block_choice choices[] = {{"BBBB", BLOCK_LATEST, NULL}, {"AAAA", BLOCK_LATEST, NULL}};
    struct commit_request commit = {.place = place_of("x"),
                                    .conditions = CONDITIONS_INIT,
                                    .upload = "",
                                    .blocks = choices,
                                    .count = 2};
    auto_block_list struct block_list l = {0};

    for (int i = 0; i < 2; i++) {
        struct source_bytes body;
        struct stage_request stage = {.place = place_of("x"),
                                      .conditions = CONDITIONS_INIT,
                                      .upload = "",
                                      .block = choices[i].block,
                                      .body = &body.source,
                                      .size = 3};
        source_bytes_init(&body, i ? "two" : "one", 3);
        assert_ok(service_stage(b->service, &stage, NULL, &b->call), &b->call.err);
    }
    assert_ok(service_commit(b->service, &commit, NULL, &b->call), &b->call.err);
    assert_ok(service_copy(b->service, &r, NULL, &b->call), &b->call.err);
    object_bed_holds(b, &r.to, "onetwo");
    assert_ok(service_block_list(b->service, &r.to, &r.conditions, "", &l, &b->call), &b->call.err);
    assert_int_equal(l.committed_count, 2);
    assert_string_equal(l.committed[0].block, "BBBB");
    assert_int_equal(l.uncommitted_count, 0);
}

/* ---- Leases ---- */

static int lease(struct object_bed *b, const char *name, enum lease_action action, const char *id,
                 int64_t seconds, struct lease_result *ret)
{
    struct lease_request request = {.place = place_of(name),
                                    .conditions = CONDITIONS_INIT,
                                    .action = action,
                                    .id = id,
                                    .seconds = seconds};
    return service_lease(b->service, &request, ret, &b->call);
}

static void leases_hold_writers_off(void **state)
{
    struct object_bed *b = *state;
    auto_lease_result struct lease_result r = {0}, again = {0};
    auto_object_row struct object_row row = object_row_new();
    struct conditions with = CONDITIONS_INIT;
    struct place x = place_of("x");

    assert_fault(lease(b, "x", LEASE_ACQUIRE, A, 15, &r), FAULT_OBJECT_MISSING, b);
    object_bed_try_put(b, "x", "one", NULL, &row);
    assert_ok(lease(b, "x", LEASE_ACQUIRE, A, 15, &r), &b->call.err);
    assert_string_equal(r.id, A);
    assert_string_equal(r.etag, row.etag);
    assert_int_equal(r.modified, row.modified);
    assert_fault(object_bed_try_put(b, "x", "two", NULL, NULL), FAULT_LEASE_ID_MISSING, b);
    with.lease = B;
    assert_fault(object_bed_try_put(b, "x", "two", &with, NULL), FAULT_LEASE_ID_OPERATION, b);
    with.lease = A;
    assert_ok(object_bed_try_put(b, "x", "two", &with, NULL), &b->call.err);
    assert_fault(object_bed_try_put(b, "x", "three", NULL, NULL), FAULT_LEASE_ID_MISSING, b);
    object_bed_close(b);
    object_bed_open(b);
    assert_fault(object_bed_try_put(b, "x", "three", NULL, NULL), FAULT_LEASE_ID_MISSING, b);
    age(b, "UPDATE object SET lease_until = 1");
    assert_fault(object_bed_try_put(b, "x", "three", &with, NULL), FAULT_LEASE_LOST, b);
    assert_ok(lease(b, "x", LEASE_RENEW, A, 0, &again), &b->call.err);
    age(b, "UPDATE object SET lease_until = 1");
    assert_ok(service_set_metadata(b->service, &x, &(struct conditions)CONDITIONS_INIT, NULL, NULL,
                                   &b->call),
              &b->call.err);
    assert_fault(lease(b, "x", LEASE_RENEW, A, 0, &again), FAULT_LEASE_ID_LEASE, b);
}

static void container_leases(void **state)
{
    struct object_bed *b = *state;
    auto_lease_result struct lease_result r = {0}, broken = {0};
    struct conditions none = CONDITIONS_INIT, with = CONDITIONS_INIT;

    assert_ok(lease(b, NULL, LEASE_ACQUIRE, NULL, -1, &r), &b->call.err);
    assert_int_equal(strlen(r.id), 36);
    assert_fault(service_container_delete(b->service, "acct", "c", &none, false, &b->call),
                 FAULT_LEASE_ID_MISSING, b);
    object_bed_put(b, "x", "objects may be written");
    assert_ok(lease(b, NULL, LEASE_BREAK, NULL, 20, &broken), &b->call.err);
    assert_int_equal(broken.remaining, 20);
    assert_null(broken.id);
    with.lease = r.id;
    assert_ok(service_container_delete(b->service, "acct", "c", &with, false, &b->call),
              &b->call.err);
}

/* ---- Retention ---- */

static int retain(struct object_bed *b, int64_t days, const char *mode, bool bypass)
{
    struct place x = place_of("x");
    int64_t today = clock_wall() / DAY * DAY + DAY; /* the same for all */

    return service_set_immutability(b->service, &x, NULL, today + days * DAY, mode, bypass, NULL,
                                    &b->call);
}

static void retention(void **state)
{
    struct object_bed *b = *state;
    struct place x = place_of("x");

    object_bed_put(b, "x", "one");
    assert_fault(retain(b, 1, "forever", false), FAULT_ARGUMENT, b);
    assert_fault(retain(b, -2, "locked", false), FAULT_ARGUMENT, b);
    assert_ok(retain(b, 5, "unlocked", false), &b->call.err);
    assert_fault(object_bed_try_put(b, "x", "two", NULL, NULL), FAULT_IMMUTABLE, b);
    assert_ok(retain(b, 2, "unlocked", false), &b->call.err);
    assert_ok(retain(b, 0, NULL, false), &b->call.err);
    assert_ok(object_bed_try_put(b, "x", "two", NULL, NULL), &b->call.err);
    assert_ok(retain(b, 5, "governance", false), &b->call.err);
    assert_fault(retain(b, 4, "governance", false), FAULT_IMMUTABLE_LOCKED, b);
    assert_fault(retain(b, 0, NULL, false), FAULT_IMMUTABLE_LOCKED, b);
    assert_fault(retain(b, 9, "unlocked", false), FAULT_IMMUTABLE_LOCKED, b);
    assert_ok(retain(b, 6, "governance", false), &b->call.err);
    assert_ok(retain(b, 4, "governance", true), &b->call.err);
    assert_ok(retain(b, 0, NULL, true), &b->call.err);
    assert_ok(retain(b, 5, "locked", false), &b->call.err);
    assert_ok(retain(b, 6, "locked", false), &b->call.err);
    assert_fault(retain(b, 5, "locked", true), FAULT_IMMUTABLE_LOCKED, b);
    assert_fault(retain(b, 9, "unlocked", true), FAULT_IMMUTABLE_LOCKED, b);
    assert_fault(retain(b, 0, NULL, true), FAULT_IMMUTABLE_LOCKED, b);
    age(b, "UPDATE object SET immutable_until = 1");
    assert_ok(retain(b, 0, NULL, false), &b->call.err);
    assert_ok(service_set_legal_hold(b->service, &x, true, NULL, &b->call), &b->call.err);
    assert_fault(object_bed_try_put(b, "x", "three", NULL, NULL), FAULT_LEGAL_HOLD, b);
    assert_ok(service_set_legal_hold(b->service, &x, false, NULL, &b->call), &b->call.err);
    assert_ok(object_bed_try_put(b, "x", "three", NULL, NULL), &b->call.err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(what_travels),     object_test(conditions_of_a_copy),
        object_test(long_copies),      object_test(a_source_over_an_object),
        object_test(blocks_stay),      object_test(leases_hold_writers_off),
        object_test(container_leases), object_test(retention),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
