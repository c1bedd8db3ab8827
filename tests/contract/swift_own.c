// SPDX-License-Identifier: EUPL-1.2
/* Helpers of the Swift driver's own tests. */
#include "swift_own.h"

#include <stdlib.h>

int own_open(struct store **ret, struct call *call)
{
    auto_secret struct secret key = SECRET_INIT;
    struct swift_options options = {.auth = {.auth_url = getenv("BED_SWIFT_AUTH_URL"),
                                             .user = getenv("BED_SWIFT_USER"),
                                             .password = &key,
                                             .tempauth = true}};

    const char *text = getenv("BED_SWIFT_KEY");
    secret_from_text(&key, text ? text : "");
    return swift_store_open(&options, "swift", ret, call);
}

struct object_key own_key(const struct own *o, const char *name)
{
    return (struct object_key){.container = o->container, .name = name};
}

unsigned char *own_bytes(size_t n, unsigned seed)
{
    unsigned char *bytes = xmalloc(n ? n : 1);

    for (size_t i = 0; i < n; i++)
        bytes[i] = (unsigned char)((i * 31 + i / 251 + seed * 7) & 255);
    return bytes;
}

struct put_result own_put(struct own *o, const char *name, const void *bytes, size_t n,
                          const struct object *properties)
{
    struct object_key key = own_key(o, name);
    struct put_options options = {.size = n, .properties = properties};
    struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, bytes, n);
    assert_ok(store_put(o->store, &key, &options, &from.source, &result, &o->call), &o->call.err);
    return result;
}

char *own_send_parts(struct own *o, const struct object_key *key, const unsigned char *bytes,
                     const struct put_options *options, struct part_result *parts,
                     uint32_t *ret_count)
{
    char *id = NULL;
    uint32_t count = 0;

    assert_ok(store_upload_begin(o->store, key, options, &id, &o->call), &o->call.err);
    for (uint64_t at = 0; at < options->size; at += PART, count++) {
        uint64_t left = options->size - at;
        struct part_options part = {.offset = at, .size = left < PART ? left : PART};
        struct source_bytes from;
        source_bytes_init(&from, bytes + at, (size_t)part.size);
        assert_ok(store_upload_part(o->store, key, id, count, &part, &from.source, &parts[count],
                                    &o->call),
                  &o->call.err);
    }
    *ret_count = count;
    return id;
}

/* A static large object of n bytes. */
void own_put_large(struct own *o, const char *name, const unsigned char *bytes, size_t n)
{
    struct object_key key = own_key(o, name);
    struct put_options options = {.size = n};
    struct part_result parts[64];
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    uint32_t count;
    auto_free char *id = own_send_parts(o, &key, bytes, &options, parts, &count);

    assert_ok(store_upload_commit(o->store, &key, id, parts, count, &options, &result, &o->call),
              &o->call.err);
    assert_int_equal(result.proof, PROOF_ETAG);
}

void own_holds_version(struct own *o, const struct object_key *key, const void *bytes, size_t n)
{
    struct get_options whole = {.length = STORE_TO_END};
    auto_buf struct buf got = BUF_INIT(16 << 20);
    struct sink_buf sink;

    sink_buf_init(&sink, &got);
    assert_ok(store_get(o->store, key, &whole, &sink.sink, NULL, NULL, &o->call), &o->call.err);
    assert_int_equal(got.length, n);
    assert_memory_equal(got.data, bytes, n);
}

void own_holds(struct own *o, const char *name, const void *bytes, size_t n)
{
    struct object_key key = own_key(o, name);

    own_holds_version(o, &key, bytes, n);
}

size_t own_count(struct own *o, const char *container, const char *prefix)
{
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    struct list_options options = {.prefix = prefix};

    assert_ok(store_list(o->store, container, &options, &page, &o->call), &o->call.err);
    return page.count;
}

size_t own_segments(struct own *o, const char *name)
{
    auto_free char *container = swift_segments_container(o->swift, o->container);
    auto_free char *prefix = xasprintf("%s/bascule/", name);

    return own_count(o, container, prefix);
}

/* A request of our own, for what the driver has no word for. */
void own_raw(struct own *o, const char *method, const char *path, const char *header,
             const char *value)
{
    auto_request struct http_request request = {.method = method};

    if (header)
        http_request_header(&request, header, value);
    assert_ok(swift_simple(o->swift, &request, path, NULL, NULL, &o->call, "test"), &o->call.err);
}
