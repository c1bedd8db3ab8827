// SPDX-License-Identifier: EUPL-1.2
/* The contract: resumable uploads, and holes. */
#include "contract_private.h"

#define PARTS_MAX 16

/* An upload under test: count parts of part bytes each, the last one shorter. */
struct upload {
    struct fixture *f;
    struct object_key key;
    struct put_options options;
    char *id;
    unsigned char *bytes;
    size_t part;
    uint32_t count;
    struct part_result results[PARTS_MAX];
};

static size_t part_size(const struct fixture *f)
{
    uint64_t least = f->store->traits.part_size_min;

    return least > 65536 ? (size_t)least : 65536;
}

static void upload_init(struct upload *u, struct fixture *f, const char *name, uint32_t count)
{
    *u = (struct upload){.f = f, .key = key_of(f, name), .part = part_size(f), .count = count};
    u->options.size = (count - 1) * u->part + 1234;
    u->bytes = make_bytes((size_t)u->options.size, count);
    assert_ok(store_upload_begin(f->store, &u->key, &u->options, &u->id, &f->call), &f->call.err);
    assert_true(u->id && *u->id);
}

static void upload_release(struct upload *u)
{
    free(u->id);
    free(u->bytes);
}
#define auto_upload cleanup(upload_release)

static struct part_options part_of(const struct upload *u, uint32_t number)
{
    uint64_t offset = (uint64_t)number * u->part, left = u->options.size - offset;

    return (struct part_options){.offset = offset, .size = left < u->part ? left : u->part};
}

static int send_bytes(struct upload *u, uint32_t number, const unsigned char *bytes)
{
    struct part_options part = part_of(u, number);
    struct source_bytes from;

    source_bytes_init(&from, bytes, (size_t)part.size);
    return store_upload_part(u->f->store, &u->key, u->id, number, &part, &from.source,
                             &u->results[number], &u->f->call);
}

static void send(struct upload *u, uint32_t number)
{
    assert_ok(send_bytes(u, number, u->bytes + number * u->part), &u->f->call.err);
}

static int commit(struct upload *u)
{
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_object struct object told = OBJECT_INIT;

    if (store_upload_commit(u->f->store, &u->key, u->id, u->results, u->count, &u->options, &result,
                            &u->f->call) < 0)
        return -1;
    assert_non_null(result.etag);
    assert_ok(store_stat(u->f->store, &u->key, &told, &u->f->call), &u->f->call.err);
    assert_string_equal(told.etag, result.etag);
    return 0;
}

static void commit_and_check(struct upload *u)
{
    assert_ok(commit(u), &u->f->call.err);
    assert_holds_bytes(u->f, u->key.name, u->bytes, (size_t)u->options.size);
}

static void parts_in_order(void **state)
{
    auto_upload struct upload u;

    upload_init(&u, *state, "upload/order", 4);
    for (uint32_t i = 0; i < u.count; i++)
        send(&u, i);
    assert_absent(u.f, u.key.name);
    commit_and_check(&u);
}

static void one_part(void **state)
{
    auto_upload struct upload u;

    upload_init(&u, *state, "upload/one", 1);
    send(&u, 0);
    commit_and_check(&u);
}

static void parts_in_any_order(void **state)
{
    static const uint32_t order[] = {3, 0, 4, 2, 1};
    auto_upload struct upload u;

    upload_init(&u, *state, "upload/any order", 5);
    for (size_t i = 0; i < ARRAY_SIZE(order); i++)
        send(&u, order[i]);
    commit_and_check(&u);
}

static void part_sent_again(void **state)
{
    auto_upload struct upload u;
    size_t part;

    upload_init(&u, *state, "upload/again", 3);
    part = u.part;
    auto_free unsigned char *wrong = make_bytes(part, 99);
    send(&u, 0);
    assert_ok(send_bytes(&u, 1, wrong), &u.f->call.err);
    send(&u, 2);
    send(&u, 1);
    commit_and_check(&u);
}

static void part_cut_and_sent_again(void **state)
{
    auto_upload struct upload u;
    struct test_source from;
    struct part_result result;

    upload_init(&u, *state, "upload/cut", 3);
    struct part_options part = part_of(&u, 1);
    part.known.have = 0;
    send(&u, 0);
    send(&u, 2);
    if (!u.f->store->traits.part_needs_hash) {
        test_source_init(&from, u.bytes + u.part, (size_t)part.size);
        from.fail_at = 5000;
        assert_fails(u.f,
                     store_upload_part(u.f->store, &u.key, u.id, 1, &part, &from.source, &result,
                                       &u.f->call),
                     ERR_NETWORK);
        assert_string_equal(u.f->call.err.text, "the test cut this source");
        test_source_init(&from, u.bytes + u.part, (size_t)part.size / 2);
        assert_fails(u.f,
                     store_upload_part(u.f->store, &u.key, u.id, 1, &part, &from.source, &result,
                                       &u.f->call),
                     ERR_INVALID);
    }
    send(&u, 1);
    commit_and_check(&u);
}

static void goes_on_after_restart(void **state)
{
    struct fixture *f = *state;
    auto_upload struct upload u;

    upload_init(&u, f, "upload/restart", 3);
    send(&u, 0);
    send(&u, 2);
    store_close(f->store);
    f->store = NULL;
    assert_ok(f->contract->open(f->contract->argument, &f->store, &f->call), &f->call.err);
    send(&u, 1);
    commit_and_check(&u);
}

static void aborted(void **state)
{
    auto_upload struct upload u;

    upload_init(&u, *state, "upload/abort", 2);
    send(&u, 0);
    send(&u, 1);
    assert_ok(store_upload_abort(u.f->store, &u.key, u.id, &u.f->call), &u.f->call.err);
    assert_absent(u.f, u.key.name);
    assert_fails(u.f, commit(&u), ERR_NOT_FOUND);
    assert_absent(u.f, u.key.name);
    /* No longer known: no error. */
    assert_ok(store_upload_abort(u.f->store, &u.key, u.id, &u.f->call), &u.f->call.err);
}

static void replaces_only_at_commit(void **state)
{
    struct fixture *f = *state;
    auto_put_result struct put_result before = put_text(f, "upload/replace", "before");
    auto_upload struct upload u;

    upload_init(&u, f, "upload/replace", 2);
    send(&u, 0);
    send(&u, 1);
    assert_holds(f, "upload/replace", "before");
    commit_and_check(&u);
}

static void two_at_once(void **state)
{
    auto_upload struct upload one, other;

    upload_init(&one, *state, "upload/twice", 2);
    upload_init(&other, *state, "upload/other", 2);
    send(&one, 0);
    send(&other, 0);
    send(&other, 1);
    send(&one, 1);
    commit_and_check(&one);
    commit_and_check(&other);
}

static void with_properties(void **state)
{
    struct fixture *f = *state;
    auto_object struct object properties = OBJECT_INIT, told = OBJECT_INIT;
    auto_upload struct upload u = {.f = f, .key = key_of(f, "upload/properties"), .count = 1};

    properties.content_type = xstrdup("application/x-upload");
    properties.content_language = xstrdup("de");
    pairs_add(&properties.metadata, "colour", "blue");
    u.part = part_size(f);
    u.options = (struct put_options){.size = 100, .properties = &properties};
    u.bytes = make_bytes(100, 1);
    assert_ok(store_upload_begin(f->store, &u.key, &u.options, &u.id, &f->call), &f->call.err);
    send(&u, 0);
    commit_and_check(&u);
    assert_ok(store_stat(f->store, &u.key, &told, &f->call), &f->call.err);
    assert_string_equal(told.content_type, "application/x-upload");
    assert_string_equal(told.content_language, "de");
    assert_string_equal(pairs_get_nocase(&told.metadata, "colour"), "blue");
}

static void commit_if_absent(void **state)
{
    struct fixture *f = *state;
    auto_upload struct upload u = {.f = f, .key = key_of(f, "upload/if absent"), .count = 1};

    if (f->contract->lacks & LACKS_PUT_IF_ABSENT)
        skip();
    u.part = part_size(f);
    u.options = (struct put_options){.size = 100, .if_absent = true};
    u.bytes = make_bytes(100, 2);
    assert_ok(store_upload_begin(f->store, &u.key, &u.options, &u.id, &f->call), &f->call.err);
    send(&u, 0);
    auto_put_result struct put_result faster = put_text(f, "upload/if absent", "faster");
    assert_fails(f, commit(&u), ERR_CHANGED);
    assert_holds(f, "upload/if absent", "faster");
    assert_ok(store_upload_abort(f->store, &u.key, u.id, &f->call), &f->call.err);
}

/* Where parts are written in place, what no part covers reads as zeros and takes no room. */
static void write_holes(struct fixture *f)
{
    size_t size = 8 << 20, at = 3 << 20, length = 65536;
    auto_upload struct upload u = {.f = f, .key = key_of(f, "upload/holes"), .count = 1};
    auto_free unsigned char *whole = xcalloc(1, size);
    auto_extents struct extent_list found = {0}, part = {0};
    struct source_bytes from;

    u.options.size = size;
    u.bytes = make_bytes(length, 8);
    memcpy(whole + at, u.bytes, length);
    assert_ok(store_upload_begin(f->store, &u.key, &u.options, &u.id, &f->call), &f->call.err);
    struct part_options options = {.offset = at, .size = length};
    source_bytes_init(&from, u.bytes, length);
    assert_ok(
        store_upload_part(f->store, &u.key, u.id, 0, &options, &from.source, u.results, &f->call),
        &f->call.err);
    assert_ok(commit(&u), &f->call.err);
    assert_holds_bytes(f, "upload/holes", whole, size);
    assert_ok(store_extents(f->store, &u.key, NULL, 0, STORE_TO_END, &found, &f->call),
              &f->call.err);
    assert_true(found.count >= 1);
    assert_true(found.list[0].offset <= at);
    const struct extent *last = &found.list[found.count - 1];
    assert_true(last->offset + last->length >= at + length);
    assert_ok(store_extents(f->store, &u.key, NULL, at + 10, 100, &part, &f->call), &f->call.err);
    assert_int_equal(part.count, 1);
    assert_int_equal(part.list[0].offset, at + 10);
    assert_int_equal(part.list[0].length, 100);
    struct extent_list none = {0};
    if (f->store->extents)
        assert_fails(f, store_extents(f->store, &u.key, "0-wrong", 0, 10, &none, &f->call),
                     ERR_CHANGED);
}

static void holes(void **state)
{
    struct fixture *f = *state;

    if (!f->store->traits.parts_in_place)
        skip();
    write_holes(f);
}

const struct contract_test contract_upload_tests[] = {
    {"upload: parts in order", parts_in_order},
    {"upload: one part", one_part},
    {"upload: parts in any order", parts_in_any_order},
    {"upload: part sent again", part_sent_again},
    {"upload: part cut and sent again", part_cut_and_sent_again},
    {"upload: goes on after restart", goes_on_after_restart},
    {"upload: aborted", aborted},
    {"upload: replaces only at commit", replaces_only_at_commit},
    {"upload: two at once", two_at_once},
    {"upload: with properties", with_properties},
    {"upload: commit if absent", commit_if_absent},
    {"upload: holes", holes},
    {NULL, NULL},
};
