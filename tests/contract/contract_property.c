// SPDX-License-Identifier: EUPL-1.2
/* The contract: headers, metadata, tags, tiers, times, history. */
#include "contract_private.h"

#include "util/clock.h"

static struct put_result put_described(struct fixture *f, const struct object_key *key,
                                       const struct object *properties, const char *text)
{
    struct put_options options = {.size = strlen(text), .properties = properties};
    struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, text, strlen(text));
    assert_ok(store_put(f->store, key, &options, &from.source, &result, &f->call), &f->call.err);
    return result;
}

static void assert_same(const char *what, const char *told, const char *given)
{
    if (!same_string(told, given))
        fail_msg("%s is '%s' instead of '%s'", what, told ? told : "(none)",
                 given ? given : "(none)");
}

static void headers(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "property/headers");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;
    auto_object struct object got = OBJECT_INIT;
    struct get_options whole = {.length = STORE_TO_END};
    struct sink_count sink;

    given.content_type = xstrdup("text/plain; charset=utf-8");
    given.content_encoding = xstrdup("gzip");
    given.content_language = xstrdup("de-AT, fr");
    given.content_disposition = xstrdup("attachment; filename=\"a b.txt\"");
    given.cache_control = xstrdup("max-age=60, public");
    auto_put_result struct put_result result = put_described(f, &key, &given, "not really gzip");
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    sink_count_init(&sink);
    assert_ok(store_get(f->store, &key, &whole, &sink.sink, &got, NULL, &f->call), &f->call.err);
    /* Bodies marked as compressed arrive byte for byte. */
    assert_int_equal(sink.count, strlen("not really gzip"));
    assert_same("Content-Type", told.content_type, given.content_type);
    assert_same("Content-Encoding", told.content_encoding, given.content_encoding);
    assert_same("Content-Language", told.content_language, given.content_language);
    assert_same("Content-Disposition", told.content_disposition, given.content_disposition);
    assert_same("Cache-Control", told.cache_control, given.cache_control);
    assert_same("Content-Type of the get", got.content_type, given.content_type);
    assert_same("Content-Encoding of the get", got.content_encoding, given.content_encoding);
}

static void overwriting_forgets(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "property/forget");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;

    given.content_language = xstrdup("it");
    pairs_add(&given.metadata, "old", "yes");
    auto_put_result struct put_result first = put_described(f, &key, &given, "one");
    auto_put_result struct put_result second = put_text(f, "property/forget", "two");
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    assert_null(told.content_language);
    assert_int_equal(told.metadata.count, 0);
}

static void metadata(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "property/metadata");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;
    const struct store_traits *t = &f->store->traits;

    pairs_add(&given.metadata, "Colour", "blue");
    pairs_add(&given.metadata, "second", "with blanks  inside");
    pairs_add(&given.metadata, "number_3", "=?&%20+\"'<>");
    bool dashes = f->contract->lacks & LACKS_METADATA_UNDERSCORE;
    if (!t->metadata_identifiers)
        pairs_add(&given.metadata, "with-dash", "d");
    auto_put_result struct put_result result = put_described(f, &key, &given, "m");
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    assert_int_equal(told.metadata.count, given.metadata.count);
    if (dashes)
        replace_string(&given.metadata.list[2].key, "number-3");
    for (size_t i = 0; i < given.metadata.count; i++) {
        const struct pair *pair = &given.metadata.list[i];
        assert_same(pair->key,
                    t->metadata_keeps_case ? pairs_get(&told.metadata, pair->key)
                                           : pairs_get_nocase(&told.metadata, pair->key),
                    pair->value);
    }
}

static void tags(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "property/tags");
    auto_object struct object given = OBJECT_INIT;
    auto_pairs struct pairs told = PAIRS_INIT, changed = PAIRS_INIT, again = PAIRS_INIT;

    if (!f->store->traits.tags_max || !f->store->tags)
        skip();
    pairs_add(&given.tags, "project", "a b");
    pairs_add(&given.tags, "status", "x/y:1");
    bool can = false;
    assert_ok(store_tags_can_hold(f->store, key.container, &given.tags, &can, &f->call),
              &f->call.err);
    assert_true(can);
    auto_pairs struct pairs many = PAIRS_INIT;
    for (uint32_t i = 0; i <= f->store->traits.tags_max; i++) {
        auto_free char *name = xasprintf("tag%u", i);
        pairs_add(&many, name, "v");
    }
    assert_ok(store_tags_can_hold(f->store, key.container, &many, &can, &f->call), &f->call.err);
    assert_false(can);
    auto_put_result struct put_result result = put_described(f, &key, &given, "t");
    assert_ok(store_tags_get(f->store, &key, &told, &f->call), &f->call.err);
    pairs_sort(&told);
    assert_true(pairs_equal(&told, &given.tags));
    pairs_add(&changed, "only", "one");
    assert_ok(store_tags_set(f->store, &key, &changed, &f->call), &f->call.err);
    assert_ok(store_tags_get(f->store, &key, &again, &f->call), &f->call.err);
    assert_true(pairs_equal(&again, &changed));
    assert_holds(f, "property/tags", "t");
    struct object_key missing = key_of(f, "property/no tags");
    struct pairs none = PAIRS_INIT;
    assert_fails(f, store_tags_get(f->store, &missing, &none, &f->call), ERR_NOT_FOUND);
    assert_fails(f, store_tags_set(f->store, &missing, &changed, &f->call), ERR_NOT_FOUND);
}

static void tiers(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "property/tier");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT, changed = OBJECT_INIT;

    if (!f->store->traits.holds_tier || !f->store->tier)
        skip();
    given.tier = xstrdup("Cool");
    auto_put_result struct put_result result = put_described(f, &key, &given, "t");
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    assert_same("tier", told.tier, "Cool");
    assert_ok(store_tier_set(f->store, &key, "Hot", "Standard", &f->call), &f->call.err);
    assert_ok(store_stat(f->store, &key, &changed, &f->call), &f->call.err);
    assert_same("tier", changed.tier, "Hot");
    assert_holds(f, "property/tier", "t");
}

static void times(void **state)
{
    struct fixture *f = *state;
    static const int64_t given_times[] = {INT64_C(1234567890123456700), 0, INT64_C(-86400000000000),
                                          INT64_C(1700000000000000000)};

    if (!f->store->traits.holds_times)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(given_times); i++) {
        struct object_key key = key_of(f, "property/times");
        auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;
        given.modified = given_times[i];
        given.created = INT64_C(1111111111111111100);
        auto_put_result struct put_result result = put_described(f, &key, &given, "t");
        assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
        assert_true(told.modified == given.modified);
        assert_true(told.created == given.created);
    }
}

static void types(void **state)
{
    struct fixture *f = *state;
    static const enum object_type all[] = {OBJECT_BLOCK, OBJECT_APPEND, OBJECT_PAGE};
    char text[513];

    if (!f->store->traits.holds_type)
        skip();
    memset(text, 'x', 512);
    text[512] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        auto_free char *name = xasprintf("property/type %s", object_type_word(all[i]));
        struct object_key key = key_of(f, name);
        auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;
        given.type = all[i];
        auto_put_result struct put_result result = put_described(f, &key, &given, text);
        assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
        assert_int_equal(told.type, all[i]);
        assert_holds(f, name, text);
    }
}

static void known_digests(void **state)
{
    struct fixture *f = *state;
    static const unsigned char md5[16] = {0x5d, 0x41, 0x40, 0x2a, 0xbc, 0x4b, 0x2a, 0x76,
                                          0xb9, 0x71, 0x9d, 0x91, 0x10, 0x17, 0xc5, 0x92};
    static const unsigned char sha256[32] = {0x2c, 0xf2, 0x4d, 0xba, 0x5f, 0xb0, 0xa3, 0x0e,
                                             0x26, 0xe8, 0x3b, 0x2a, 0xc5, 0xb9, 0xe2, 0x9e,
                                             0x1b, 0x16, 0x1e, 0x5c, 0x1f, 0xa7, 0x42, 0x5e,
                                             0x73, 0x04, 0x33, 0x62, 0x93, 0x8b, 0x98, 0x24};
    struct object_key key = key_of(f, "property/digests");
    struct put_options options = {.size = 5};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_object struct object told = OBJECT_INIT;
    struct source_bytes from;

    checksum_set(&options.known, CHECKSUM_MD5, md5);
    checksum_set(&options.known, CHECKSUM_SHA256, sha256);
    source_bytes_init(&from, "hello", 5);
    assert_ok(store_put(f->store, &key, &options, &from.source, &result, &f->call), &f->call.err);
    assert_true(checksums_compare(&result.stored, &options.known) >= 0);
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    assert_true(checksums_compare(&told.stored, &options.known) >= 0);
    if (f->store->traits.holds_everything)
        assert_int_equal(checksums_compare(&told.stored, &options.known), 1);
}

static void fill_everything(struct object *o)
{
    static const unsigned char crc64[8] = {1, 2, 3, 4, 5, 6, 7, 8};

    o->type = OBJECT_PAGE;
    o->created = INT64_C(1600000000000000100);
    o->modified = INT64_C(1600000001000000200);
    o->content_type = xstrdup("a/b");
    o->content_encoding = xstrdup("");
    o->content_language = xstrdup("\xc3\xa9");
    o->content_disposition = xstrdup("bytes \xff\xfe");
    o->cache_control = xstrdup("\"quoted\\\"");
    o->expires = xstrdup("Thu, 01 Dec 1994 16:00:00 GMT");
    pairs_add(&o->metadata, "Key", "");
    pairs_add(&o->metadata, "key", "\n\t\x01");
    pairs_add(&o->tags, "t", "v");
    o->tag_count = 1;
    checksum_set(&o->stored, CHECKSUM_CRC64, crc64);
    o->tier = xstrdup("Archive");
    o->tier_inferred = true;
    o->archived = true;
    o->waking = xstrdup("rehydrate-pending-to-hot");
    o->sequence = 7;
    o->is_folder = true;
    o->acl = xstrdup("user::rwx");
    o->owner = xstrdup("me");
    o->group = xstrdup("us");
    o->immutable_until = xstrdup("2030-01-01T00:00:00Z");
    o->immutable_mode = xstrdup("locked");
    o->legal_hold = true;
    o->leased = true;
    o->encryption_scope = xstrdup("scope");
    o->customer_encrypted = true;
}

static void compare_everything(const struct object *told, const struct object *given)
{
    assert_int_equal(told->type, given->type);
    assert_true(told->created == given->created && told->modified == given->modified);
    assert_same("content_type", told->content_type, given->content_type);
    assert_same("content_encoding", told->content_encoding, given->content_encoding);
    assert_same("content_language", told->content_language, given->content_language);
    assert_same("content_disposition", told->content_disposition, given->content_disposition);
    assert_same("cache_control", told->cache_control, given->cache_control);
    assert_same("expires", told->expires, given->expires);
    assert_true(pairs_equal(&told->metadata, &given->metadata));
    assert_true(pairs_equal(&told->tags, &given->tags));
    assert_int_equal(told->tag_count, given->tag_count);
    assert_int_equal(checksums_compare(&told->stored, &given->stored), 1);
    assert_same("tier", told->tier, given->tier);
    assert_same("waking", told->waking, given->waking);
    assert_same("acl", told->acl, given->acl);
    assert_same("owner", told->owner, given->owner);
    assert_same("group", told->group, given->group);
    assert_same("immutable_until", told->immutable_until, given->immutable_until);
    assert_same("immutable_mode", told->immutable_mode, given->immutable_mode);
    assert_same("encryption_scope", told->encryption_scope, given->encryption_scope);
    assert_true(told->tier_inferred && told->archived && told->is_folder && told->legal_hold &&
                told->leased && told->customer_encrypted);
    assert_int_equal(told->sequence, given->sequence);
}

static void everything(void **state)
{
    struct fixture *f = *state;
    struct object_key key = key_of(f, "property/everything");
    auto_object struct object given = OBJECT_INIT, told = OBJECT_INIT;

    if (!f->store->traits.holds_everything)
        skip();
    fill_everything(&given);
    auto_put_result struct put_result result = put_described(f, &key, &given, "e");
    assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
    compare_everything(&told, &given);
}

/* Stores that hold everything also hold what was, under the key of what it was. */
static void history(void **state)
{
    struct fixture *f = *state;
    static const struct {
        enum version_kind kind;
        const char *version, *text;
    } kept[] = {
        {VERSION_SNAPSHOT, "2020-01-01T00:00:00.0000000Z", "snapshot one"},
        {VERSION_SNAPSHOT, "2021-01-01T00:00:00.0000000Z", "snapshot two"},
        {VERSION_ID, "2020-06-01T00:00:00.0000000Z", "a version"},
        {VERSION_MARKER, "m1", ""},
        {VERSION_DELETED, "2022-01-01T00:00:00.0000000Z", "deleted"},
    };
    struct object_key key = key_of(f, "history/a/b");

    if (!f->store->traits.holds_everything)
        skip();
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        auto_object struct object told = OBJECT_INIT, given = OBJECT_INIT;
        key.kind = kept[i].kind;
        key.version = kept[i].version;
        given.content_type = xstrdup("x/y");
        auto_put_result struct put_result result = put_described(f, &key, &given, kept[i].text);
        assert_ok(store_stat(f->store, &key, &told, &f->call), &f->call.err);
        assert_int_equal(told.kind, kept[i].kind);
        assert_same("version", told.version, kept[i].version);
        assert_same("content_type", told.content_type, "x/y");
        assert_int_equal(told.size, strlen(kept[i].text));
    }
    assert_absent(f, "history/a/b");
    auto_put_result struct put_result current = put_text(f, "history/a/b", "current");
    for (unsigned limit = 1; limit < 4; limit++) {
        auto_object_list struct object_list all = OBJECT_LIST_INIT, some = OBJECT_LIST_INIT;
        list_names(f, "history/", NULL, limit, LIST_SNAPSHOTS | LIST_VERSIONS | LIST_DELETED, &all);
        assert_int_equal(all.count, 6);
        list_names(f, "history/", NULL, limit, LIST_SNAPSHOTS, &some);
        assert_int_equal(some.count, 3);
        assert_int_equal(some.list[2].kind, VERSION_CURRENT);
        assert_true(some.list[2].is_latest);
    }
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        key.kind = kept[i].kind;
        key.version = kept[i].version;
        assert_ok(store_remove(f->store, &key, NULL, &f->call), &f->call.err);
    }
    assert_holds(f, "history/a/b", "current");
}

const struct contract_test contract_property_tests[] = {
    {"properties: headers", headers},
    {"properties: overwriting forgets", overwriting_forgets},
    {"properties: metadata", metadata},
    {"properties: tags", tags},
    {"properties: tiers", tiers},
    {"properties: times", times},
    {"properties: types", types},
    {"properties: known digests", known_digests},
    {"properties: everything", everything},
    {"properties: history", history},
    {NULL, NULL},
};
