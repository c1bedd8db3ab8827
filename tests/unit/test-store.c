// SPDX-License-Identifier: EUPL-1.2
/* The checking functions, over a driver that breaks its promises. */
#include "store/store.h"

#include "unit.h"

/* What the liar does wrong. */
enum lie {
    LIE_NONE,
    LIE_SHORT,       /* gives less than asked for, and says it went well */
    LIE_LONG,        /* gives more */
    LIE_PAST_END,    /* says an offset past the end went well */
    LIE_NO_READ,     /* does not read the source */
    LIE_OWN_ERROR,   /* covers up an error of the sink with its own */
    LIE_CHECKSUM,    /* says it holds something else */
    LIE_LIMIT,       /* lists more than asked for */
    LIE_PREFIX,      /* lists what lacks the prefix */
    LIE_ORDER,       /* lists out of order */
    LIE_NAMELESS,    /* lists an object without a name */
    LIE_SAME_CURSOR, /* never gets on */
    LIE_EXTENTS,     /* tells of extents beyond the range */
};

struct liar {
    struct store store;
    enum lie lie;
};

static enum lie lie_of(struct store *s)
{
    return container_of(s, struct liar, store)->lie;
}

static int liar_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    (void)s;
    (void)ret_clock_ahead;
    return err_set(&call->err, ERR_NETWORK, "no route");
}

static int liar_stat(struct store *s, const struct object_key *key, struct object *ret,
                     struct call *call)
{
    (void)s;
    (void)key;
    (void)call;
    ret->size = 10;
    ret->etag = xstrdup("e");
    return 0;
}

static int liar_get(struct store *s, const struct object_key *key,
                    const struct get_options *options, struct sink *to, struct object *ret,
                    enum transport_check *ret_check, struct call *call)
{
    enum lie lie = lie_of(s);
    uint64_t left = options->offset < 10 ? 10 - options->offset : 0;
    uint64_t length = options->length < left ? options->length : left;

    (void)key;
    ret->size = 10;
    ret->etag = xstrdup("e");
    *ret_check = TRANSPORT_LENGTH;
    if (lie == LIE_SHORT)
        length--;
    if (lie == LIE_LONG)
        length++;
    if (sink_write(to, "0123456789abcdef", (size_t)length, call) < 0)
        return lie == LIE_OWN_ERROR ? err_set(&call->err, ERR_NETWORK, "write callback failed")
                                    : -1;
    if (options->offset >= 10 && lie != LIE_PAST_END)
        return err_set(&call->err, ERR_RANGE, "past the end");
    return 0;
}

static int read_all(struct source *from, struct call *call)
{
    char bytes[7];

    for (;;) {
        ssize_t n = source_read(from, bytes, sizeof(bytes), call);
        if (n <= 0)
            return (int)n;
    }
}

static int liar_put(struct store *s, const struct object_key *key,
                    const struct put_options *options, struct source *from, struct put_result *ret,
                    struct call *call)
{
    static const unsigned char wrong[16] = {1};

    (void)key;
    (void)options;
    if (lie_of(s) != LIE_NO_READ && read_all(from, call) < 0)
        return err_set(&call->err, ERR_REMOTE, "covered up");
    if (lie_of(s) == LIE_CHECKSUM)
        checksum_set(&ret->stored, CHECKSUM_MD5, wrong);
    ret->etag = xstrdup("e");
    return 0;
}

static int liar_remove(struct store *s, const struct object_key *key, const char *if_match,
                       struct call *call)
{
    (void)key;
    (void)if_match;
    return err_set(&call->err, ERR_DENIED, "%s: said already", s->name);
}

static int liar_list(struct store *s, const char *container, const struct list_options *options,
                     struct object_list *ret, struct call *call)
{
    enum lie lie = lie_of(s);

    (void)container;
    (void)call;
    object_list_add(ret)->name = xstrdup(lie == LIE_ORDER ? "p/z" : "p/a");
    object_list_add(ret)->name =
        lie == LIE_NAMELESS ? NULL : xstrdup(lie == LIE_PREFIX ? "q/b" : "p/b");
    if (lie == LIE_LIMIT)
        object_list_add(ret)->name = xstrdup("p/c");
    ret->cursor = xstrdup_null(lie == LIE_SAME_CURSOR ? options->cursor : NULL);
    return 0;
}

static void liar_close(struct store *s)
{
    store_release(s);
    free(container_of(s, struct liar, store));
}

static int liar_extents(struct store *s, const struct object_key *key, const char *if_match,
                        uint64_t offset, uint64_t length, struct extent_list *ret,
                        struct call *call)
{
    (void)key;
    (void)if_match;
    (void)call;
    extent_list_add(ret, offset, lie_of(s) == LIE_EXTENTS ? length + 1 : length);
    return 0;
}

static const struct extent_ops liar_extent_ops = {.get = liar_extents};

static struct store *liar_new(enum lie lie)
{
    struct liar *l = xcalloc(1, sizeof(*l));
    struct store_ops *ops = xmalloc(sizeof(*ops));

    *ops = store_forward_ops;
    ops->reach = liar_reach;
    ops->stat = liar_stat;
    ops->get = liar_get;
    ops->put = liar_put;
    ops->remove = liar_remove;
    ops->list = liar_list;
    ops->close = liar_close;
    store_init(&l->store, ops, "liar", "test:liar");
    l->store.traits = (struct store_traits){
        .driver = "liar", .lists_in_order = true, .put_size_max = 1000, .name_bytes_max = 100};
    l->store.extents = &liar_extent_ops;
    l->lie = lie;
    return &l->store;
}

static void liar_free(struct store *s)
{
    void *ops = (void *)(uintptr_t)s->ops;

    store_close(s);
    free(ops);
}

static const struct object_key key = {.container = "c", .name = "n"};

static enum err_code get_from(enum lie lie, uint64_t offset, uint64_t length, size_t room,
                              struct err *ret)
{
    struct store *s = liar_new(lie);
    struct call call = CALL_INIT;
    struct get_options options = {.offset = offset, .length = length};
    auto_object struct object object = OBJECT_INIT;
    char bytes[20];
    struct sink_bytes sink;

    sink_bytes_init(&sink, bytes, room);
    int got = store_get(s, &key, &options, &sink.sink, &object, NULL, &call);
    liar_free(s);
    *ret = call.err;
    return got < 0 ? call.err.code : ERR_NONE;
}

static void gets(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(get_from(LIE_NONE, 0, STORE_TO_END, 20, &e), ERR_NONE);
    assert_int_equal(get_from(LIE_NONE, 3, 4, 20, &e), ERR_NONE);
    assert_int_equal(get_from(LIE_SHORT, 0, STORE_TO_END, 20, &e), ERR_NETWORK);
    assert_int_equal(get_from(LIE_SHORT, 3, 4, 20, &e), ERR_NETWORK);
    assert_int_equal(get_from(LIE_LONG, 0, STORE_TO_END, 20, &e), ERR_REMOTE);
    assert_int_equal(get_from(LIE_LONG, 3, 4, 20, &e), ERR_REMOTE);
    assert_int_equal(get_from(LIE_PAST_END, 10, 4, 20, &e), ERR_RANGE);
    assert_string_equal(e.text, "liar: offset 10 is past the end of 'c/n' (10 bytes)");
    /* The caller's own failure comes back as it was. */
    assert_int_equal(get_from(LIE_OWN_ERROR, 0, STORE_TO_END, 5, &e), ERR_CORRUPT);
    assert_string_equal(e.text, "more than the 5 bytes asked for came");
    assert_int_equal(get_from(LIE_NONE, 5, 0, 0, &e), ERR_NONE);
    assert_int_equal(get_from(LIE_NONE, 10, 0, 0, &e), ERR_RANGE);
}

/* A source of length bytes that is not bytes in memory. */
static enum err_code put_into(enum lie lie, uint64_t length, uint64_t size, struct err *ret)
{
    static const unsigned char md5[16] = {2};
    struct store *s = liar_new(lie);
    struct call call = CALL_INIT;
    struct put_options options = {.size = size};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_zeros zeros;

    checksum_set(&options.known, CHECKSUM_MD5, md5);
    source_zeros_init(&zeros, length);
    int put = store_put(s, &key, &options, &zeros.source, &result, &call);
    liar_free(s);
    *ret = call.err;
    return put < 0 ? call.err.code : ERR_NONE;
}

static void puts_into(void **state)
{
    struct err e;

    (void)state;
    assert_int_equal(put_into(LIE_NONE, 100, 100, &e), ERR_NONE);
    assert_int_equal(put_into(LIE_NONE, 0, 0, &e), ERR_NONE);
    assert_int_equal(put_into(LIE_NONE, 99, 100, &e), ERR_INVALID);
    assert_int_equal(put_into(LIE_NONE, 101, 100, &e), ERR_INVALID);
    assert_string_equal(e.text, "the source holds more than the 100 bytes announced");
    assert_int_equal(put_into(LIE_NO_READ, 100, 100, &e), ERR_REMOTE);
    assert_int_equal(put_into(LIE_CHECKSUM, 100, 100, &e), ERR_CORRUPT);
    assert_int_equal(put_into(LIE_NONE, 1001, 1001, &e), ERR_UNSUPPORTED);
}

static enum err_code list_from(enum lie lie, const char *cursor, struct err *ret)
{
    struct store *s = liar_new(lie);
    struct call call = CALL_INIT;
    struct list_options options = {.prefix = "p/", .limit = 2, .cursor = cursor};
    auto_object_list struct object_list page = OBJECT_LIST_INIT;

    int listed = store_list(s, "c", &options, &page, &call);
    liar_free(s);
    *ret = call.err;
    return listed < 0 ? call.err.code : ERR_NONE;
}

static void lists(void **state)
{
    static const enum lie lies[] = {LIE_LIMIT, LIE_PREFIX, LIE_ORDER, LIE_NAMELESS,
                                    LIE_SAME_CURSOR};
    struct err e;

    (void)state;
    assert_int_equal(list_from(LIE_NONE, "x", &e), ERR_NONE);
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++)
        assert_int_equal(list_from(lies[i], "x", &e), ERR_REMOTE);
}

static void extents(void **state)
{
    static const enum lie lies[] = {LIE_NONE, LIE_EXTENTS};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lies); i++) {
        struct store *s = liar_new(lies[i]);
        struct call call = CALL_INIT;
        auto_extents struct extent_list found = {0};
        int got = store_extents(s, &key, NULL, 2, 5, &found, &call);
        assert_int_equal(got, lies[i] == LIE_NONE ? 0 : -1);
        liar_free(s);
    }
}

static void named_once(void **state)
{
    struct store *s = liar_new(LIE_NONE);
    struct call call = CALL_INIT;

    (void)state;
    assert_int_equal(store_reach(s, NULL, &call), -1);
    assert_string_equal(call.err.text, "liar: no route");
    assert_int_equal(store_remove(s, &key, NULL, &call), -1);
    assert_string_equal(call.err.text, "liar: said already");
    liar_free(s);
}

static void lacking_groups(void **state)
{
    struct store *s = liar_new(LIE_NONE);
    struct call call = CALL_INIT;
    struct container_list containers = CONTAINER_LIST_INIT;
    struct pairs tags = PAIRS_INIT;
    auto_extents struct extent_list whole = {0};

    (void)state;
    assert_int_equal(store_container_list(s, NULL, &containers, &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    assert_int_equal(store_tags_get(s, &key, &tags, &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    assert_int_equal(store_tier_set(s, &key, "Hot", "Standard", &call), -1);
    assert_int_equal(call.err.code, ERR_UNSUPPORTED);
    s->extents = NULL;
    assert_ok(store_extents(s, &key, NULL, 4, STORE_TO_END, &whole, &call), &call.err);
    assert_int_equal(whole.count, 1);
    assert_int_equal(whole.list[0].offset, 4);
    assert_int_equal(whole.list[0].length, 6);
    liar_free(s);
}

static void names(void **state)
{
    static const struct {
        unsigned refuses;
        const char *name;
        bool held;
    } cases[] = {
        {0, "\x01\\../.", true},
        {NAME_NO_CONTROL, "a\tb", false},
        {NAME_NO_CONTROL, "a b", true},
        {NAME_NO_BACKSLASH, "a\\b", false},
        {NAME_NO_DOT_SEGMENT, "a/./b", false},
        {NAME_NO_DOT_SEGMENT, "..", false},
        {NAME_NO_DOT_SEGMENT, "a/..", false},
        {NAME_NO_DOT_SEGMENT, "a/.../..b", true},
        {NAME_NO_NON_UTF8, "\xff", false},
        {NAME_NO_NON_UTF8, "\xc3\xa9", true},
        {NAME_NO_NON_XML, "\x01", false},
        {NAME_NO_NON_XML, "\xef\xbf\xbe", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct store_traits traits = {.name_refuses = cases[i].refuses, .name_bytes_max = 20};
        assert_int_equal(!store_name_fault(&traits, cases[i].name), cases[i].held);
    }
    struct store_traits traits = {.name_bytes_max = 3};
    assert_null(store_name_fault(&traits, "abc"));
    assert_non_null(store_name_fault(&traits, "abcd"));
    /* Two characters of four and of two bytes: three units of UTF-16. */
    struct store_traits units = {.name_units_max = 3};
    assert_null(store_name_fault(&units, "\xf0\x9f\x8c\x8d\xc3\xa9"));
    assert_non_null(store_name_fault(&units, "\xf0\x9f\x8c\x8d\xc3\xa9x"));
}

static void objects(void **state)
{
    struct object one = OBJECT_INIT, other = OBJECT_INIT;
    struct checksums a = {0}, b = {0};

    (void)state;
    one.name = xstrdup("n");
    one.acl = xstrdup("acl");
    one.encryption_scope = xstrdup("scope");
    pairs_add(&one.metadata, "k", "v");
    other.name = xstrdup("to be freed");
    object_copy(&other, &one);
    object_release(&one);
    assert_null(one.name);
    assert_true(one.modified == TIME_UNKNOWN);
    assert_string_equal(other.acl, "acl");
    assert_string_equal(pairs_get(&other.metadata, "k"), "v");
    object_release(&other);
    assert_int_equal(checksums_compare(&a, &b), 0);
    checksum_set(&a, CHECKSUM_CRC32C, "abcd");
    assert_int_equal(checksums_compare(&a, &b), 0);
    checksum_set(&b, CHECKSUM_CRC32C, "abcd");
    assert_int_equal(checksums_compare(&a, &b), 1);
    checksum_set(&a, CHECKSUM_MD5, "0123456789abcdef");
    checksum_set(&b, CHECKSUM_MD5, "0123456789abcdeg");
    assert_int_equal(checksums_compare(&a, &b), -1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(gets),    cmocka_unit_test(puts_into),  cmocka_unit_test(lists),
        cmocka_unit_test(extents), cmocka_unit_test(named_once), cmocka_unit_test(lacking_groups),
        cmocka_unit_test(names),   cmocka_unit_test(objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
