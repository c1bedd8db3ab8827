// SPDX-License-Identifier: EUPL-1.2
/* Append and page objects, with the snapshots and copies that share their bytes. */
#include "object/copy.h"
#include "object/ranges.h"

#include "object-bed.h"

static void make(struct object_bed *b, const char *name, enum object_type type, uint64_t size)
{
    struct put_request request = {
        .place = place_of(name), .conditions = CONDITIONS_INIT, .type = type, .page_size = size};
    assert_ok(service_put(b->service, &request, NULL, NULL, &b->call), &b->call.err);
}

static struct append_request append_of(const char *name, struct source_bytes *body,
                                       const char *text)
{
    source_bytes_init(body, text, strlen(text));
    return (struct append_request){.place = place_of(name),
                                   .conditions = CONDITIONS_INIT,
                                   .body = &body->source,
                                   .size = strlen(text)};
}

static int try_append(struct object_bed *b, const char *name, const char *text,
                      struct object_row *ret)
{
    struct source_bytes body;
    struct append_request request = append_of(name, &body, text);
    uint64_t offset;

    return service_append(b->service, &request, &offset, ret, NULL, &b->call);
}

static void append(struct object_bed *b, const char *name, const char *text)
{
    assert_ok(try_append(b, name, text, NULL), &b->call.err);
}

static char *snapshot(struct object_bed *b, const char *name)
{
    auto_object_row struct object_row row = object_row_new();
    struct place place = place_of(name);
    struct conditions none = CONDITIONS_INIT;

    assert_ok(service_snapshot(b->service, &place, &none, NULL, &row, NULL, &b->call),
              &b->call.err);
    return xstrdup(row.version);
}

static void copy(struct object_bed *b, const struct place *from, const char *to)
{
    struct copy_request request = {.from = *from,
                                   .from_conditions = CONDITIONS_INIT,
                                   .to = place_of(to),
                                   .conditions = CONDITIONS_INIT};
    assert_ok(service_copy(b->service, &request, NULL, &b->call), &b->call.err);
}

static void appending(void **state)
{
    struct object_bed *b = *state;
    auto_object_row struct object_row row = object_row_new();
    struct place place = place_of("log");
    struct source_bytes body;
    struct checksums sums;
    uint64_t offset;

    make(b, "log", OBJECT_APPEND, 0);
    append(b, "log", "one ");
    struct append_request request = append_of("log", &body, "two ");
    request.has_position = true;
    request.position = 4;
    request.has_size_max = true;
    request.size_max = 8;
    request.wanted = 1U << CHECKSUM_MD5;
    assert_ok(service_append(b->service, &request, &offset, &row, &sums, &b->call), &b->call.err);
    assert_int_equal(offset, 4);
    assert_int_equal(row.size, 8);
    assert_int_equal(row.blocks, 2);
    assert_int_equal(sums.have & request.wanted, request.wanted);
    object_bed_holds(b, &place, "one two ");
    source_bytes_init(&body, "two ", 4);
    assert_fault(service_append(b->service, &request, &offset, NULL, NULL, &b->call),
                 FAULT_APPEND_POSITION, b);
    request.has_position = false;
    source_bytes_init(&body, "two ", 4);
    assert_fault(service_append(b->service, &request, &offset, NULL, NULL, &b->call),
                 FAULT_SIZE_CONDITION, b);
    assert_fault(try_append(b, "log", "", NULL), FAULT_ARGUMENT, b);
    assert_fault(try_append(b, "missing", "x", NULL), FAULT_OBJECT_MISSING, b);
    object_bed_put(b, "block", "x");
    assert_fault(try_append(b, "block", "x", NULL), FAULT_TYPE, b);
    object_bed_holds(b, &place, "one two ");
}

static void sealing(void **state)
{
    struct object_bed *b = *state;
    struct place place = place_of("log");
    struct conditions none = CONDITIONS_INIT;
    auto_object_row struct object_row row = object_row_new();

    make(b, "log", OBJECT_APPEND, 0);
    append(b, "log", "one");
    assert_fault(service_seal(b->service, &place, &none, true, 4, NULL, &b->call),
                 FAULT_APPEND_POSITION, b);
    assert_ok(service_seal(b->service, &place, &none, true, 3, &row, &b->call), &b->call.err);
    assert_int_equal(row.sealed, 1);
    assert_fault(try_append(b, "log", "two", NULL), FAULT_SEALED, b);
    auto_free char *etag = xstrdup(row.etag);
    assert_ok(service_seal(b->service, &place, &none, false, 0, &row, &b->call), &b->call.err);
    assert_string_equal(row.etag, etag);
}

/* A snapshot copied back and the object it was taken of both go on: neither sees the other's. */
static void shared_bytes_grow_apart(void **state)
{
    struct object_bed *b = *state;
    struct place log = place_of("log"), twin = place_of("twin"), old = place_of("log");

    make(b, "log", OBJECT_APPEND, 0);
    append(b, "log", "base ");
    auto_free char *version = snapshot(b, "log");
    old.kind = VERSION_SNAPSHOT;
    old.version = version;
    append(b, "log", "log1 ");
    copy(b, &old, "twin");
    append(b, "twin", "twin-longer ");
    append(b, "log", "log2 ");
    append(b, "twin", "t2 ");
    object_bed_holds(b, &log, "base log1 log2 ");
    object_bed_holds(b, &twin, "base twin-longer t2 ");
    object_bed_holds(b, &old, "base ");
    copy(b, &old, "log");
    object_bed_holds(b, &log, "base ");
    append(b, "log", "again ");
    object_bed_holds(b, &log, "base again ");
    object_bed_holds(b, &twin, "base twin-longer t2 ");
    object_bed_close(b);
    object_bed_open(b);
    object_bed_holds(b, &old, "base ");
}

/* ---- Pages ---- */

#define PAGES 12
#define BYTES (PAGES * PAGE_SIZE_BYTES)

static struct page_request pages_of(const char *name, uint64_t offset, uint64_t length)
{
    return (struct page_request){.place = place_of(name),
                                 .conditions = CONDITIONS_INIT,
                                 .offset = offset,
                                 .length = length,
                                 .sequence_at_most = -1,
                                 .sequence_below = -1,
                                 .sequence_equal = -1};
}

static int try_pages(struct object_bed *b, const char *name, uint64_t offset, uint64_t length,
                     int fill)
{
    struct page_request request = pages_of(name, offset, length);
    struct source_bytes body;
    char bytes[BYTES];

    memset(bytes, fill, sizeof(bytes));
    source_bytes_init(&body, bytes, (size_t)length);
    if (fill)
        request.body = &body.source;
    return service_write_pages(b->service, &request, NULL, NULL, &b->call);
}

static void page_refusals(void **state)
{
    struct object_bed *b = *state;
    struct page_request request = pages_of("disk", 0, 512);
    struct conditions none = CONDITIONS_INIT;
    struct place place = place_of("disk");
    auto_object_row struct object_row row = object_row_new();

    make(b, "disk", OBJECT_PAGE, BYTES);
    assert_fault(try_pages(b, "disk", 0, 511, 'a'), FAULT_PAGE_RANGE, b);
    assert_fault(try_pages(b, "disk", 1, 512, 'a'), FAULT_PAGE_RANGE, b);
    assert_fault(try_pages(b, "disk", 0, 0, 0), FAULT_PAGE_RANGE, b);
    assert_fault(try_pages(b, "disk", BYTES - 512, 1024, 'a'), FAULT_PAGE_RANGE, b);
    assert_fault(try_pages(b, "disk", BYTES, 512, 0), FAULT_PAGE_RANGE, b);
    object_bed_put(b, "block", "x");
    assert_fault(try_pages(b, "block", 0, 512, 0), FAULT_TYPE, b);
    assert_ok(service_set_pages(b->service, &place, &none, UINT64_MAX, SEQUENCE_UPDATE, 7, &row,
                                &b->call),
              &b->call.err);
    assert_int_equal(row.sequence, 7);
    assert_int_equal(row.size, BYTES);
    request.sequence_below = 7;
    assert_fault(service_write_pages(b->service, &request, NULL, NULL, &b->call),
                 FAULT_SEQUENCE_CONDITION, b);
    request.sequence_below = 8;
    request.sequence_at_most = 7;
    request.sequence_equal = 7;
    assert_ok(service_write_pages(b->service, &request, NULL, NULL, &b->call), &b->call.err);
    request.sequence_equal = 0;
    assert_fault(service_write_pages(b->service, &request, NULL, NULL, &b->call),
                 FAULT_SEQUENCE_CONDITION, b);
    assert_ok(
        service_set_pages(b->service, &place, &none, UINT64_MAX, SEQUENCE_MAX, 3, &row, &b->call),
        &b->call.err);
    assert_int_equal(row.sequence, 7);
    assert_ok(service_set_pages(b->service, &place, &none, UINT64_MAX, SEQUENCE_INCREMENT, 0, &row,
                                &b->call),
              &b->call.err);
    assert_int_equal(row.sequence, 8);
    assert_ok(service_set_pages(b->service, &place, &none, UINT64_MAX, SEQUENCE_UPDATE, INT64_MAX,
                                &row, &b->call),
              &b->call.err);
    assert_fault(service_set_pages(b->service, &place, &none, UINT64_MAX, SEQUENCE_INCREMENT, 0,
                                   &row, &b->call),
                 FAULT_SEQUENCE_INCREMENT, b);
    assert_fault(
        service_set_pages(b->service, &place, &none, 513, SEQUENCE_KEEP, 0, &row, &b->call),
        FAULT_ARGUMENT, b);
}

/* What an object or snapshot should be. */
struct expected {
    char bytes[BYTES];
    bool written[PAGES];
    uint64_t size;
};

static void check_bytes(struct object_bed *b, const struct place *place,
                        const struct expected *want)
{
    auto_buf struct buf got = BUF_INIT(1 << 20);

    assert_ok(object_bed_read(b, place, NULL, &got), &b->call.err);
    assert_int_equal(got.length, want->size);
    assert_memory_equal(got.data, want->bytes, want->size);
}

/* The page ranges, asked for a few at a time, against what was written. */
static void check_ranges(struct object_bed *b, const struct place *place,
                         const struct expected *want)
{
    struct conditions none = CONDITIONS_INIT;
    bool said[PAGES] = {false};
    uint64_t at = 0, before = UINT64_MAX;

    while (at != UINT64_MAX && at < want->size) {
        auto_page_ranges struct page_ranges r = {.object = object_row_new()};
        assert_ok(
            service_page_ranges(b->service, place, &none, at, UINT64_MAX, NULL, 2, &r, &b->call),
            &b->call.err);
        assert_true(r.count <= 2);
        for (size_t i = 0; i < r.count; i++) {
            assert_false(r.list[i].clear);
            assert_true(before == UINT64_MAX || r.list[i].first > before + 1);
            before = r.list[i].last;
            for (uint64_t p = r.list[i].first / 512; p <= r.list[i].last / 512; p++)
                said[p] = true;
        }
        at = r.next;
    }
    for (uint64_t p = 0; p < want->size / 512; p++)
        assert_int_equal(said[p], want->written[p]);
}

/* Bytes that changed are reported; bytes that are reported as neither are as they were. */
static void check_difference(struct object_bed *b, const struct place *place,
                             const struct expected *now, const char *previous,
                             const struct expected *then)
{
    struct conditions none = CONDITIONS_INIT;
    auto_page_ranges struct page_ranges r = {.object = object_row_new()};
    enum { SAID_NOTHING, SAID_WRITTEN, SAID_CLEAR } said[PAGES] = {SAID_NOTHING};

    assert_ok(
        service_page_ranges(b->service, place, &none, 0, UINT64_MAX, previous, 0, &r, &b->call),
        &b->call.err);
    for (size_t i = 0; i < r.count; i++)
        for (uint64_t p = r.list[i].first / 512; p <= r.list[i].last / 512; p++)
            said[p] = r.list[i].clear ? SAID_CLEAR : SAID_WRITTEN;
    for (uint64_t p = 0; p < now->size / 512; p++) {
        bool was = p < then->size / 512 && then->written[p];
        bool same = was == now->written[p] &&
                    (!was || memcmp(now->bytes + p * 512, then->bytes + p * 512, 512) == 0);
        if (!same)
            assert_int_equal(said[p], now->written[p] ? SAID_WRITTEN : SAID_CLEAR);
        if (said[p] == SAID_CLEAR)
            assert_true(was && !now->written[p]);
    }
}

static void step(struct object_bed *b, struct expected *e, unsigned *seed)
{
    struct conditions none = CONDITIONS_INIT;
    struct place disk = place_of("disk");
    uint64_t pages = e->size / 512;
    int what = rand_r(seed) % 10;

    if (what == 0 || pages == 0) {
        uint64_t size = (uint64_t)(rand_r(seed) % PAGES + 1) * 512;
        assert_ok(
            service_set_pages(b->service, &disk, &none, size, SEQUENCE_KEEP, 0, NULL, &b->call),
            &b->call.err);
        for (uint64_t p = size / 512; p < PAGES; p++)
            e->written[p] = false;
        memset(e->bytes + size, 0, BYTES - size);
        e->size = size;
        return;
    }
    uint64_t first = (uint64_t)rand_r(seed) % pages;
    uint64_t count = (uint64_t)rand_r(seed) % (pages - first) + 1;
    int fill = what < 4 ? 0 : 'a' + rand_r(seed) % 26;
    assert_ok(try_pages(b, "disk", first * 512, count * 512, fill), &b->call.err);
    memset(e->bytes + first * 512, fill, count * 512);
    for (uint64_t p = first; p < first + count; p++)
        e->written[p] = fill != 0;
}

#define SNAPSHOTS 6
static void random_pages(void **state)
{
    struct object_bed *b = *state;
    struct expected now = {.size = BYTES}, then[SNAPSHOTS];
    char *versions[SNAPSHOTS] = {NULL};
    struct place disk = place_of("disk");
    const char *given = getenv("BASCULE_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : 1;

    print_message("BASCULE_SEED=%u\n", seed);
    make(b, "disk", OBJECT_PAGE, BYTES);
    for (int round = 0; round < SNAPSHOTS; round++) {
        for (int i = 0; i < 12; i++) {
            step(b, &now, &seed);
            check_bytes(b, &disk, &now);
        }
        check_ranges(b, &disk, &now);
        versions[round] = snapshot(b, "disk");
        then[round] = now;
    }
    for (int i = 0; i < 12; i++)
        step(b, &now, &seed);
    for (int i = 0; i < SNAPSHOTS; i++) {
        struct place old = {.account = "acct",
                            .container = "c",
                            .name = "disk",
                            .kind = VERSION_SNAPSHOT,
                            .version = versions[i]};
        check_bytes(b, &old, &then[i]);
        check_ranges(b, &old, &then[i]);
        check_difference(b, &disk, &now, versions[i], &then[i]);
        if (i > 0)
            check_difference(b, &old, &then[i], versions[i - 1], &then[i - 1]);
    }
    check_bytes(b, &disk, &now);
    struct conditions none = CONDITIONS_INIT;
    auto_page_ranges struct page_ranges r = {.object = object_row_new()};
    struct place first = disk;
    first.kind = VERSION_SNAPSHOT;
    first.version = versions[0];
    assert_fault(
        service_page_ranges(b->service, &first, &none, 0, UINT64_MAX, versions[1], 0, &r, &b->call),
        FAULT_PREVIOUS_SNAPSHOT, b);
    assert_fault(service_page_ranges(b->service, &disk, &none, 0, UINT64_MAX,
                                     "2001-01-01T00:00:00.0000000Z", 0, &r, &b->call),
                 FAULT_PREVIOUS_SNAPSHOT, b);
    for (int i = 0; i < SNAPSHOTS; i++)
        free(versions[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(appending),     object_test(sealing),      object_test(shared_bytes_grow_apart),
        object_test(page_refusals), object_test(random_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
