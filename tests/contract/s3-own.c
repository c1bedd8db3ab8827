// SPDX-License-Identifier: EUPL-1.2
/*
 * What the S3 driver promises beyond the contract (store/driver/s3.h), on a real service:
 *
 *     s3-own rgw       what Ceph's gateway enforces, versions, settings, copies in parts, its users
 *     s3-own swift     what Swift's S3 face does not
 */
#include <stdio.h>

#include "../unit/unit.h"
#include "codec/json.h"
#include "store/driver/s3.h"
#include "util/random.h"

struct own {
    struct store *store;
    struct notebook notebook;
    struct pairs facts;
    struct call call;
    char bucket[40];
};

static const char *prefix;

static const char *setting(const char *what)
{
    char name[100];

    (void)snprintf(name, sizeof(name), "%s_%s", prefix, what);
    return getenv(name);
}

/* user: "" or "READER_" and the like; secret NULL: the user's own. */
static struct store *open_as(const char *user, const char *secret,
                             const struct provider_s3 *provider)
{
    auto_secret struct secret key = SECRET_INIT;
    auto_free char *access = xasprintf("%sACCESS_KEY", user),
                   *own = xasprintf("%sSECRET_KEY", user);
    struct store *s = NULL;
    struct call call = CALL_INIT;

    secret_from_text(&key, secret ? secret : setting(own));
    const struct s3_options options = {.endpoint = setting("ENDPOINT"),
                                       .region = setting("REGION"),
                                       .access_key = setting(access),
                                       .secret_key = &key,
                                       .provider = provider};
    assert_ok(s3_store_open(&options, "own", &s, &call), &call.err);
    return s;
}

static int recall(struct notebook *n, const char *store, const char *key, char *ret, size_t size,
                  struct call *call)
{
    const char *value = pairs_get(&container_of(n, struct own, notebook)->facts, key);

    (void)store;
    (void)call;
    if (value)
        (void)snprintf(ret, size, "%s", value);
    return value != NULL;
}

static int remember(struct notebook *n, const char *store, const char *key, const char *value,
                    struct call *call)
{
    (void)store;
    (void)call;
    pairs_set(&container_of(n, struct own, notebook)->facts, key, value);
    return 0;
}

static int set_up(void **state)
{
    struct own *o = xcalloc(1, sizeof(*o));
    char random[13];

    *o = (struct own){.notebook = {recall, remember}};
    o->store = open_as("", NULL, NULL);
    store_set_notebook(o->store, &o->notebook);
    random_hex(random, 6);
    (void)snprintf(o->bucket, sizeof(o->bucket), "s3-own-%s", random);
    assert_ok(store_container_create(o->store, o->bucket, NULL, &o->call), &o->call.err);
    *state = o;
    return 0;
}

static struct object_list versions_of(struct own *o)
{
    struct list_options options = {.include = LIST_VERSIONS};
    struct object_list list = OBJECT_LIST_INIT;

    assert_ok(store_list(o->store, o->bucket, &options, &list, &o->call), &o->call.err);
    assert_null(list.cursor);
    return list;
}

/* Everything can be removed with what listings tell; nothing but what tests put is there. */
static int tear_down(void **state)
{
    struct own *o = *state;
    auto_object_list struct object_list list = OBJECT_LIST_INIT;

    o->call = (struct call)CALL_INIT;
    if (strcmp(prefix, "BED_S3") == 0) {
        list = versions_of(o);
    } else {
        struct list_options options = {.limit = 0};
        assert_ok(store_list(o->store, o->bucket, &options, &list, &o->call), &o->call.err);
    }
    for (size_t i = 0; i < list.count; i++) {
        const struct object *v = &list.list[i];
        struct object_key key = {.container = o->bucket, .name = v->name};
        if (strstr(v->name, ".bascule/"))
            fail_msg("a trial left '%s' behind", v->name);
        if (v->version)
            key = (struct object_key){.container = o->bucket,
                                      .name = v->name,
                                      .version = v->version,
                                      .kind = v->kind == VERSION_CURRENT ? VERSION_ID : v->kind};
        assert_ok(store_remove(o->store, &key, NULL, &o->call), &o->call.err);
    }
    assert_ok(store_container_remove(o->store, o->bucket, &o->call), &o->call.err);
    store_close(o->store);
    pairs_release(&o->facts);
    free(o);
    return 0;
}

static struct object_key key_of(const struct own *o, const char *name)
{
    return (struct object_key){.container = o->bucket, .name = name};
}

static int put(struct own *o, const char *name, const char *text, struct put_options options,
               struct put_result *ret)
{
    struct object_key key = key_of(o, name);
    struct source_bytes from;

    err_clear(&o->call.err);
    options.size = strlen(text);
    source_bytes_init(&from, text, strlen(text));
    return store_put(o->store, &key, &options, &from.source, ret, &o->call);
}

static void put_text(struct own *o, const char *name, const char *text)
{
    auto_put_result struct put_result result = PUT_RESULT_INIT;

    assert_ok(put(o, name, text, (struct put_options){0}, &result), &o->call.err);
}

static void assert_holds(struct own *o, const struct object_key *key, const char *text)
{
    struct get_options options = {.length = STORE_TO_END};
    auto_buf struct buf found = BUF_INIT(100000);
    struct sink_buf sink;

    sink_buf_init(&sink, &found);
    assert_ok(store_get(o->store, key, &options, &sink.sink, NULL, NULL, &o->call), &o->call.err);
    assert_string_equal(found.data, text);
}

/* Bytes that come one after the other and not again. */
struct stream {
    struct source source;
    const char *text;
    size_t at;
};

static ssize_t stream_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct stream *s = container_of(source, struct stream, source);
    size_t left = strlen(s->text) - s->at;

    (void)call;
    if (n > left)
        n = left;
    memcpy(bytes, s->text + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static int put_stream(struct own *o, const char *name, const char *text, struct put_result *ret)
{
    struct object_key key = key_of(o, name);
    struct stream from = {.source = {.read = stream_read}, .text = text};
    struct put_options options = {.size = strlen(text)};

    err_clear(&o->call.err);
    return store_put(o->store, &key, &options, &from.source, ret, &o->call);
}

static void assert_fact(const struct own *o, const char *fact, const char *value)
{
    const char *known = pairs_get(&o->facts, fact);

    if (!same_string(known, value))
        fail_msg("%s is %s, not %s", fact, known ? known : "(not tried)", value);
}

/* What a service said yes and no to when it was tried by hand with Amazon's own library. */
static void finds_out(void **state)
{
    struct own *o = *state;
    bool ceph = strcmp(prefix, "BED_S3") == 0;
    auto_free char *conditional = xasprintf("conditional-write:%s", o->bucket);
    auto_put_result struct put_result one = PUT_RESULT_INIT, two = PUT_RESULT_INIT;
    auto_put_result struct put_result three = PUT_RESULT_INIT, four = PUT_RESULT_INIT;
    auto_object struct object tagged = OBJECT_INIT;
    struct object_key key = key_of(o, "stream");

    assert_ok(put(o, "one", "1", (struct put_options){.if_absent = true}, &one), &o->call.err);
    assert_int_equal(one.proof, PROOF_SIGNED);
    assert_int_equal(put(o, "one", "2", (struct put_options){.if_absent = true}, &two), -1);
    assert_int_equal(o->call.err.code, ERR_CHANGED);
    assert_ok(put(o, "one", "3", (struct put_options){.if_match = one.etag}, &two), &o->call.err);
    assert_int_equal(put(o, "one", "4", (struct put_options){.if_match = one.etag}, &three), -1);
    assert_int_equal(o->call.err.code, ERR_CHANGED);
    key.name = "one";
    assert_holds(o, &key, "3");
    assert_fact(o, "payload-hash-enforced", "yes");
    assert_fact(o, "etag-is-md5", "yes");
    assert_fact(o, conditional, ceph ? "yes" : "no");

    key.name = "stream";
    int streamed = put_stream(o, "stream", "never seen before", &three);
    assert_fact(o, "chunk-signed", ceph ? "yes" : "no");
    assert_int_equal(streamed, ceph ? 0 : -1);
    if (ceph) {
        auto_object struct object told = OBJECT_INIT;
        assert_int_equal(three.proof, PROOF_SIGNED);
        assert_holds(o, &key, "never seen before");
        assert_ok(store_stat(o->store, &key, &told, &o->call), &o->call.err);
        assert_null(told.content_encoding);
    } else {
        assert_int_equal(o->call.err.code, ERR_UNSUPPORTED);
    }
    pairs_add(&tagged.tags, "a", "b");
    int with_tags = put(o, "tagged", "t", (struct put_options){.properties = &tagged}, &four);
    assert_fact(o, "tagging", ceph ? "yes" : "no");
    assert_int_equal(with_tags, ceph ? 0 : -1);
}

/* Another store with the same notebook tries nothing: these facts are wrong, and believed. */
static void believes_the_notebook(void **state)
{
    struct own *o = *state;
    auto_put_result struct put_result result = PUT_RESULT_INIT;

    pairs_add(&o->facts, "payload-hash-enforced", "no");
    pairs_add(&o->facts, "etag-is-md5", "no");
    pairs_add(&o->facts, "content-md5-enforced", "yes");
    assert_ok(put(o, "k", "text", (struct put_options){0}, &result), &o->call.err);
    assert_int_equal(result.proof, PROOF_CHECKSUM);
}

static void keeps_versions(void **state)
{
    struct own *o = *state;
    auto_object_list struct object_list list = OBJECT_LIST_INIT, after = OBJECT_LIST_INIT;
    auto_buf struct buf left = BUF_INIT(1000);
    struct object_key key = key_of(o, "a/b c");
    struct container told = CONTAINER_INIT;

    assert_ok(store_container_apply(o->store, o->bucket, "{\"versioning\":true}", &left, &o->call),
              &o->call.err);
    assert_string_equal(left.data, "{}");
    assert_ok(store_container_stat(o->store, o->bucket, &told, &o->call), &o->call.err);
    assert_true(told.versioning);
    container_release(&told);
    put_text(o, "a/b c", "first");
    put_text(o, "a/b c", "second");
    assert_ok(store_remove(o->store, &key, NULL, &o->call), &o->call.err);

    list = versions_of(o);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.list[0].kind, VERSION_MARKER);
    assert_true(list.list[0].is_latest);
    for (size_t i = 1; i < 3; i++) {
        struct object_key version = {.container = o->bucket,
                                     .name = "a/b c",
                                     .kind = VERSION_ID,
                                     .version = list.list[i].version};
        assert_int_equal(list.list[i].kind, VERSION_ID);
        assert_holds(o, &version, i == 1 ? "second" : "first");
    }
    struct object_key marker = {.container = o->bucket,
                                .name = "a/b c",
                                .kind = VERSION_MARKER,
                                .version = list.list[0].version};
    assert_ok(store_remove(o->store, &marker, NULL, &o->call), &o->call.err);
    assert_holds(o, &key, "second");
    after = versions_of(o);
    assert_int_equal(after.count, 2);
    assert_int_equal(after.list[0].kind, VERSION_CURRENT);
    assert_true(after.list[0].is_latest);
}

/* Ceph takes conditional writes for unconditional ones where versions are kept. */
static void looks_before_it_writes_versions(void **state)
{
    struct own *o = *state;
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_free char *conditional = xasprintf("conditional-write:%s", o->bucket);
    auto_buf struct buf left = BUF_INIT(1000);
    struct object_key key = key_of(o, "k");

    assert_ok(store_container_apply(o->store, o->bucket, "{\"versioning\":true}", &left, &o->call),
              &o->call.err);
    put_text(o, "k", "first");
    assert_int_equal(put(o, "k", "second", (struct put_options){.if_absent = true}, &result), -1);
    assert_int_equal(o->call.err.code, ERR_CHANGED);
    assert_fact(o, conditional, "no");
    assert_holds(o, &key, "first");
}

static void carries_settings(void **state)
{
    static const char settings[] =
        "{\"access\":\"private\",\"account\":{\"cors\":[{\"exposed\":[\"ETag\"],\"headers\":[\"*\"]"
        ","
        "\"max_age\":60,\"methods\":[\"GET\",\"PUT\"],\"origins\":[\"https://a.eu\"]}],"
        "\"delete_retention\":{\"days\":7}},\"policies\":[{\"id\":\"p\"}]}";
    struct own *o = *state;
    auto_buf struct buf left = BUF_INIT(10000), told = BUF_INIT(10000);
    auto_json json_t *read = NULL;

    assert_ok(store_container_apply(o->store, o->bucket, settings, &left, &o->call), &o->call.err);
    assert_string_equal(
        left.data,
        "{\"account\":{\"delete_retention\":{\"days\":7}},\"policies\":[{\"id\":\"p\"}]}");
    assert_ok(store_container_settings(o->store, o->bucket, &told, &o->call), &o->call.err);
    assert_ok(json_parse(told.data, told.length, &read, &o->call.err), &o->call.err);
    const json_t *rule = json_array_get(json_object_get(read, "cors"), 0);
    assert_string_equal(json_string_value(json_array_get(json_object_get(rule, "origins"), 0)),
                        "https://a.eu");
    assert_int_equal(json_array_size(json_object_get(rule, "methods")), 2);
    assert_int_equal(json_integer_value(json_object_get(rule, "max_age")), 60);
}

/* Copies larger than one request may be go in parts, and keep what the source says of itself. */
static void copies_in_parts(void **state)
{
    static const struct provider_s3 small = {.limits = {.put_max = 20}};
    struct own *o = *state;
    struct store *s = open_as("", NULL, &small);
    auto_object struct object properties = OBJECT_INIT, told = OBJECT_INIT;
    auto_put_result struct put_result first = PUT_RESULT_INIT, copy = PUT_RESULT_INIT;
    struct object_key from = key_of(o, "from//a?b"), to = key_of(o, "to"), whole = key_of(o, "w");
    auto_pairs struct pairs tags = PAIRS_INIT, none_there = PAIRS_INIT, kept = PAIRS_INIT;
    auto_put_result struct put_result none = PUT_RESULT_INIT, at_once = PUT_RESULT_INIT;
    const struct put_options plain = {0};

    properties.content_type = xstrdup("x/y");
    properties.content_encoding = xstrdup("gzip");
    properties.content_language = xstrdup("fr");
    properties.content_disposition = xstrdup("attachment; filename=\"a b\"");
    properties.cache_control = xstrdup("no-store");
    pairs_add(&properties.metadata, "colour", "blue");
    pairs_add(&properties.tags, "t", "1");
    assert_ok(put(o, from.name, "longer than twenty bytes",
                  (struct put_options){.properties = &properties}, &first),
              &o->call.err);
    assert_ok(store_copy(s, &from, first.etag, &to, &plain, &copy, &o->call), &o->call.err);
    assert_holds(o, &to, "longer than twenty bytes");
    assert_ok(store_stat(s, &to, &told, &o->call), &o->call.err);
    assert_string_equal(told.content_type, "x/y");
    assert_string_equal(told.content_encoding, "gzip");
    assert_string_equal(told.content_language, "fr");
    assert_string_equal(told.content_disposition, "attachment; filename=\"a b\"");
    assert_string_equal(told.cache_control, "no-store");
    assert_string_equal(pairs_get(&told.metadata, "colour"), "blue");
    assert_non_null(strchr(told.etag, '-'));
    assert_ok(store_tags_get(s, &to, &tags, &o->call), &o->call.err);
    assert_string_equal(pairs_get(&tags, "t"), "1");
    assert_ok(store_copy(o->store, &from, NULL, &whole, &plain, &at_once, &o->call), &o->call.err);
    assert_ok(store_tags_get(s, &whole, &kept, &o->call), &o->call.err);
    assert_string_equal(pairs_get(&kept, "t"), "1");
    put_text(o, "untagged", "x");
    whole.name = "untagged";
    assert_ok(store_tags_get(s, &whole, &none_there, &o->call), &o->call.err);
    assert_int_equal(none_there.count, 0);
    assert_int_equal(store_copy(s, &from, "other", &to, &plain, &none, &o->call), -1);
    assert_int_equal(o->call.err.code, ERR_CHANGED);
    store_close(s);
}

static void tells_users_apart(void **state)
{
    struct own *o = *state;
    struct store *wrong = open_as("", "not-the-secret", NULL);
    struct store *reader = open_as("READER_", NULL, NULL);
    struct object_key key = key_of(o, "k");
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    const struct put_options options = {.size = 1};
    struct source_bytes from;
    int64_t ahead = 0;

    assert_int_equal(store_reach(wrong, &ahead, &o->call), -1);
    assert_int_equal(o->call.err.code, ERR_UNKNOWN_WHO);
    assert_null(strstr(o->call.err.text, "not-the-secret"));
    o->call = (struct call)CALL_INIT;
    assert_ok(store_reach(reader, &ahead, &o->call), &o->call.err);
    source_bytes_init(&from, "x", 1);
    assert_int_equal(store_put(reader, &key, &options, &from.source, &result, &o->call), -1);
    assert_int_equal(o->call.err.code, ERR_DENIED);
    o->call = (struct call)CALL_INIT;
    assert_int_equal(store_container_create(reader, o->bucket, NULL, &o->call), -1);
    assert_int_equal(o->call.err.code, ERR_NAME); /* it is somebody else's */
    store_close(wrong);
    store_close(reader);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest everywhere[] = {
        cmocka_unit_test_setup_teardown(finds_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(believes_the_notebook, set_up, tear_down),
    };
    const struct CMUnitTest ceph[] = {
        cmocka_unit_test_setup_teardown(keeps_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(looks_before_it_writes_versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(carries_settings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(copies_in_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tells_users_apart, set_up, tear_down),
    };
    bool rgw = argc == 2 && strcmp(argv[1], "rgw") == 0;

    if (!rgw && !(argc == 2 && strcmp(argv[1], "swift") == 0)) {
        (void)fprintf(stderr, "usage: s3-own rgw|swift\n");
        return 2;
    }
    prefix = rgw ? "BED_S3" : "BED_SWIFT_S3";
    if (!setting("ENDPOINT")) {
        printf("skipped: %s_ENDPOINT is not set; start the bed and read its environment\n", prefix);
        return 77;
    }
    int failed = cmocka_run_group_tests_name("everywhere", everywhere, NULL, NULL);
    return rgw ? failed + cmocka_run_group_tests_name("ceph", ceph, NULL, NULL) : failed;
}
