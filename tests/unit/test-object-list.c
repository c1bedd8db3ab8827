// SPDX-License-Identifier: EUPL-1.2
/* Listings against a naive reading of the same rows, and finding by tags. */
#include "object/list.h"

#include "object-bed.h"
#include "object/block.h"
#include "object/list_place.h"
#include "object/object_private.h"

/* ---- What is there ---- */

struct rows {
    struct object_row list[400];
    size_t count;
    char *staged[40];
    size_t staged_count;
};

static int dump(struct db *db, void *argument, struct call *call)
{
    struct rows *rows = argument;
    struct db_statement *all, *blocks;
    int row;

    if (select_rows(db, &object_table, "ORDER BY name, current, version", &all, call) < 0)
        return -1;
    while ((row = db_step(all, call)) > 0) {
        assert_true(rows->count < ARRAY_SIZE(rows->list));
        rows->list[rows->count] = object_row_new();
        row_read(&object_table, all, 0, &rows->list[rows->count++]);
    }
    db_reset(all);
    if (row < 0 ||
        db_prepare(db, "SELECT DISTINCT name FROM block ORDER BY name", &blocks, call) < 0)
        return -1;
    while ((row = db_step(blocks, call)) > 0)
        rows->staged[rows->staged_count++] = xstrdup(db_column_blob(blocks, 0, &(size_t){0}));
    db_reset(blocks);
    return row;
}

static void rows_release(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        object_row_release(&rows->list[i]);
    for (size_t i = 0; i < rows->staged_count; i++)
        free(rows->staged[i]);
}

static bool is_live(const struct object_row *o)
{
    return o->current && o->deleted == TIME_UNKNOWN && !o->marker;
}

static bool has_live(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (is_live(&rows->list[i]) && strcmp(rows->list[i].name, name) == 0)
            return true;
    return false;
}

/* ---- The naive listing: texts of entries in order ---- */

struct texts {
    char *list[600];
    size_t count;
};

static void texts_release(struct texts *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->list[i]);
    t->count = 0;
}

static void add_text(struct texts *t, char *text)
{
    assert_true(t->count < ARRAY_SIZE(t->list));
    t->list[t->count++] = text;
}

static bool is_wanted(const struct object_row *o, unsigned include)
{
    if (o->deleted != TIME_UNKNOWN && !(include & LISTING_DELETED))
        return false;
    if (o->marker && !(include & LISTING_VERSIONS))
        return false;
    if (o->current)
        return true;
    return (include & (o->state == OBJECT_SNAPSHOT ? LISTING_SNAPSHOTS : LISTING_VERSIONS)) != 0;
}

/* In the order asked for; a staged name comes behind the rows of its name. */
static int order(const struct object_row *a, const struct object_row *b, bool newest)
{
    int names = strcmp(a->name, b->name);
    if (names != 0)
        return names;
    if (!a->version || !b->version)
        return !a->version - !b->version;
    int rest = a->current != b->current ? (a->current < b->current ? -1 : 1)
                                        : strcmp(a->version, b->version);
    return newest ? -rest : rest;
}

static void naive(const struct rows *rows, const struct listing_options *o, struct texts *ret)
{
    const struct object_row *picked[500];
    struct object_row staged[40];
    size_t count = 0;
    auto_free char *last = NULL;

    for (size_t i = 0; i < rows->count; i++)
        if (is_wanted(&rows->list[i], o->include))
            picked[count++] = &rows->list[i];
    for (size_t i = 0; i < rows->staged_count; i++) {
        staged[i] = object_row_new();
        staged[i].name = rows->staged[i];
        if ((o->include & LISTING_UNCOMMITTED) && !has_live(rows, rows->staged[i]))
            picked[count++] = &staged[i];
    }
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (order(picked[i], picked[k], o->newest_first) > 0) {
                const struct object_row *swap = picked[i];
                picked[i] = picked[k];
                picked[k] = swap;
            }
    size_t skip = o->prefix ? strlen(o->prefix) : 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = picked[i]->name;
        if (skip && strncmp(name, o->prefix, skip) != 0)
            continue;
        if (o->after && strcmp(name, o->after) <= 0)
            continue;
        const char *cut = o->delimiter ? strstr(name + skip, o->delimiter) : NULL;
        if (cut) {
            char *text =
                xasprintf("%.*s*", (int)((size_t)(cut - name) + strlen(o->delimiter)), name);
            if (same_string(text, last)) {
                free(text);
                continue;
            }
            replace_string(&last, text);
            add_text(ret, text);
        } else {
            add_text(ret, xasprintf("%s@%s", name, picked[i]->version ? picked[i]->version : "-"));
        }
    }
}

static void listed(struct object_bed *b, const struct rows *rows,
                   const struct listing_options *given, struct texts *ret)
{
    struct listing_options o = *given;
    auto_free char *marker = NULL;

    do {
        auto_listing struct listing l = {.container = container_row_new()};
        o.marker = marker;
        assert_ok(service_list(b->service, "acct", "c", &o, &l, &b->call), &b->call.err);
        assert_true(l.count == o.limit || (l.count < o.limit && !l.next));
        assert_string_equal(l.container.name, "c");
        for (size_t i = 0; i < l.count; i++) {
            const struct object_row *row = &l.list[i].object;
            if (l.list[i].prefix) {
                add_text(ret, xasprintf("%s*", l.list[i].prefix));
                continue;
            }
            add_text(ret, xasprintf("%s@%s", row->name, row->version ? row->version : "-"));
            if (row->version)
                assert_int_equal(l.list[i].has_versions_only, !has_live(rows, row->name));
        }
        free(marker);
        marker = take(l.next);
    } while (marker);
}

static void compare(struct object_bed *b, const struct rows *rows, const struct listing_options *o)
{
    cleanup(texts_release) struct texts want = {.count = 0}, got = {.count = 0};

    naive(rows, o, &want);
    listed(b, rows, o, &got);
    for (size_t i = 0; i < want.count && i < got.count; i++)
        if (strcmp(want.list[i], got.list[i]) != 0)
            fail_msg("prefix %s delimiter %s include %u newest %d limit %u entry %zu: %s, not %s",
                     o->prefix, o->delimiter, o->include, o->newest_first, o->limit, i, got.list[i],
                     want.list[i]);
    if (want.count != got.count)
        fail_msg("prefix %s delimiter %s after %s include %u newest %d limit %u: %zu, not %zu",
                 o->prefix, o->delimiter, o->after, o->include, o->newest_first, o->limit,
                 got.count, want.count);
}

/* ---- Filling the container ---- */

static const char *const names[] = {
    "a",     "a/",      "a/b",   "a/b/c", "a/b/d", "a/c",       "a0",         "b",
    "b//x",  "b/x",     "b/y/z", "c-1",   "c-2",   "c\xff",     "c\xff\xff",  "d\xC3\xA9/e",
    "e/f/g", "e/f/h/i", "e/f-",  "z",     "z/",    "\xff\xff/", "\xff\xff/q",
};

static void stage(struct object_bed *b, const char *name)
{
    struct source_bytes body;
    struct stage_request request = {.place = place_of(name),
                                    .conditions = CONDITIONS_INIT,
                                    .upload = "",
                                    .block = "AAAA",
                                    .body = &body.source,
                                    .size = 1};
    source_bytes_init(&body, "x", 1);
    assert_ok(service_stage(b->service, &request, NULL, &b->call), &b->call.err);
}

static void delete (struct object_bed *b, const char *name, bool marker)
{
    auto_delete_result struct delete_result result = {0};
    struct delete_request request = {.place = place_of(name),
                                     .conditions = CONDITIONS_INIT,
                                     .snapshots = DELETE_INCLUDE,
                                     .make_marker = marker};
    if (service_delete(b->service, &request, &result, &b->call) < 0)
        assert_int_equal(b->call.err.fault, FAULT_OBJECT_MISSING);
    err_clear(&b->call.err);
}

static void fill(struct object_bed *b)
{
    static const char *const settings[] = {"{}", "{\"delete_retention_days\":1}",
                                           "{\"versioning\":true,\"delete_retention_days\":1}"};
    struct conditions none = CONDITIONS_INIT;
    unsigned seed = 42;

    for (int i = 0; i < 240; i++) {
        const char *name = names[(size_t)rand_r(&seed) % ARRAY_SIZE(names)];
        struct place place = place_of(name);
        if (i % 20 == 0)
            object_bed_settings(b, settings[rand_r(&seed) % 3]);
        switch (rand_r(&seed) % 6) {
        case 0:
            stage(b, name);
            break;
        case 1:
            if (service_snapshot(b->service, &place, &none, NULL, NULL, NULL, &b->call) < 0)
                err_clear(&b->call.err);
            break;
        case 2:
            delete (b, name, rand_r(&seed) % 2);
            break;
        default:
            object_bed_put(b, name, "x");
        }
    }
    stage(b, "only/staged");
    stage(b, "a/b/staged");
    stage(b, "zz");
}

static void every_listing(void **state)
{
    struct object_bed *b = *state;
    static const char *const prefixes[] = {NULL, "a", "a/", "b/", "c", "e/f", "\xff", "q", ""};
    static const char *const delimiters[] = {NULL, "/", "-", "//"};
    static const unsigned limits[] = {1, 2, 7, 1000};
    static struct rows rows;

    fill(b);
    assert_ok(index_read(b->index, dump, &rows, &b->call), &b->call.err);
    for (unsigned include = 0; include < 16; include++)
        for (size_t p = 0; p < ARRAY_SIZE(prefixes); p++)
            for (size_t d = 0; d < ARRAY_SIZE(delimiters); d++)
                for (int newest = 0; newest < 2; newest++) {
                    size_t l = (include + p + d) % ARRAY_SIZE(limits);
                    struct listing_options o = {.prefix = prefixes[p],
                                                .delimiter = delimiters[d],
                                                .limit = limits[l],
                                                .include = include,
                                                .newest_first = newest};
                    compare(b, &rows, &o);
                }
    struct listing_options all = {.limit = 3, .include = 15, .after = "a/b"};
    compare(b, &rows, &all);
    all.newest_first = true;
    compare(b, &rows, &all);
    rows_release(&rows);
}

static void markers_and_ends(void **state)
{
    struct object_bed *b = *state;
    auto_listing struct listing l = {.container = container_row_new()};
    struct listing_options o = {.limit = 10, .marker = "nonsense!"};

    assert_fault(service_list(b->service, "acct", "c", &o, &l, &b->call), FAULT_ARGUMENT, b);
    o.marker = NULL;
    assert_fault(service_list(b->service, "acct", "d", &o, &l, &b->call), FAULT_CONTAINER_MISSING,
                 b);
    object_bed_put(b, "boo/bar", "x");
    object_bed_put(b, "boo/baz", "x");
    object_bed_put(b, "cup", "x");
    o.delimiter = "/";
    o.after = "boo/";
    assert_ok(service_list(b->service, "acct", "c", &o, &l, &b->call), &b->call.err);
    assert_int_equal(l.count, 1);
    assert_string_equal(l.list[0].object.name, "cup");
    listing_release(&l);
    o.limit = 0;
    assert_ok(service_list(b->service, "acct", "c", &o, &l, &b->call), &b->call.err);
    assert_int_equal(l.count, 0);
    assert_null(l.next);
}

static void places(void **state)
{
    static const char *const cases[][2] = {
        {"a", "b"}, {"a\xff", "b"}, {"a\xff\xff", "b"}, {"\xff", NULL}, {"", NULL}, {"az", "a{"},
    };
    struct list_place p = {0}, again = {0};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_free char *after = list_successor(cases[i][0]);
        assert_true(same_string(after, cases[i][1]));
    }
    list_place_set(&p, PLACE_ROW, "na me\xff\x01", 1, "2026-11-22T10:00:00.1234567Z");
    auto_free char *text = list_place_write(&p);
    assert_ok(list_place_read(text, &again, &e), &e);
    assert_int_equal(again.kind, PLACE_ROW);
    assert_string_equal(again.name, p.name);
    assert_string_equal(again.version, p.version);
    assert_int_equal(again.current, 1);
    list_place_release(&p);
    list_place_release(&again);
}

/* ---- Tags ---- */

static void put_tagged(struct object_bed *b, const char *container, const char *name,
                       const char *tags)
{
    struct object_row properties = object_row_new();
    struct put_request request = {
        .place = {.account = "acct", .container = container, .name = name},
        .conditions = CONDITIONS_INIT,
        .properties = &properties};
    properties.tags = (char *)tags;
    assert_ok(service_put(b->service, &request, NULL, NULL, &b->call), &b->call.err);
}

/* Everything a search finds, a few at a time. */
static char *find_all(struct object_bed *b, const char *container, const char *where,
                      unsigned limit)
{
    auto_buf struct buf text = BUF_INIT(1 << 16);
    auto_free char *marker = NULL;

    do {
        auto_found struct found_list found = {0};
        assert_ok(service_find_by_tags(b->service, "acct", container, where, marker, limit, &found,
                                       &b->call),
                  &b->call.err);
        for (size_t i = 0; i < found.count; i++)
            buf_printf(&text, "%s/%s%s ", found.list[i].container, found.list[i].name,
                       found.list[i].tags);
        free(marker);
        marker = take(found.next);
    } while (marker);
    return buf_take(&text);
}

static void expect_found(struct object_bed *b, const char *container, const char *where,
                         const char *want)
{
    for (unsigned limit = 1; limit < 4; limit++) {
        auto_free char *got = find_all(b, container, where, limit);
        assert_string_equal(got, want);
    }
}

static void finding(void **state)
{
    struct object_bed *b = *state;
    struct place x = place_of("x");
    struct conditions none = CONDITIONS_INIT;

    for (int i = 0; i < 2; i++)
        assert_ok(
            service_container_create(b->service, "acct", i ? "d" : "empty", NULL, NULL, &b->call),
            &b->call.err);
    put_tagged(b, "c", "x", "[[\"k\",\"1\"],[\"other\",\"o\"]]");
    put_tagged(b, "c", "y", "[[\"k\",\"2\"]]");
    put_tagged(b, "d", "x", "[[\"k\",\"1\"],[\"l\",\"9\"]]");
    put_tagged(b, "d", "z", "[[\"k\",\"3\"]]");
    put_tagged(b, "d", "none", NULL);
    expect_found(b, NULL, "k = '1'", "c/x[[\"k\",\"1\"]] d/x[[\"k\",\"1\"]] ");
    expect_found(b, "d", "k = '1'", "d/x[[\"k\",\"1\"]] ");
    expect_found(b, NULL, "@container = 'd' AND k >= '2'", "d/z[[\"k\",\"3\"]] ");
    expect_found(b, NULL, "k > '1' AND k <= '3'", "c/y[[\"k\",\"2\"]] d/z[[\"k\",\"3\"]] ");
    expect_found(b, NULL, "k < '2' AND l = '9'", "d/x[[\"k\",\"1\"],[\"l\",\"9\"]] ");
    expect_found(b, NULL, "K = '1'", "");
    expect_found(b, NULL, "@container = 'nowhere' AND k = '1'", "");
    assert_ok(service_set_tags(b->service, &x, &none, "[[\"k\",\"7\"]]", &b->call), &b->call.err);
    expect_found(b, "c", "k >= ''", "c/y[[\"k\",\"2\"]] c/x[[\"k\",\"7\"]] ");
    delete (b, "x", false);
    expect_found(b, "c", "k >= ''", "c/y[[\"k\",\"2\"]] ");
    struct found_list found = {0};
    assert_fault(service_find_by_tags(b->service, "acct", NULL, "@container = 'c'", NULL, 5, &found,
                                      &b->call),
                 FAULT_ARGUMENT, b);
    assert_fault(
        service_find_by_tags(b->service, "acct", NULL, "k = '1'", "x", 5, &found, &b->call),
        FAULT_ARGUMENT, b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        object_test(every_listing),
        object_test(markers_and_ends),
        cmocka_unit_test(places),
        object_test(finding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
