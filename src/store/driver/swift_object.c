// SPDX-License-Identifier: EUPL-1.2
/* The Swift driver's bodies: stat, get, put, remove, copy. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/utf8.h"
#include "store/driver/swift_internal.h"

static int check_version(const struct object_key *key, struct call *call)
{
    if (key->kind == VERSION_CURRENT || key->kind == VERSION_ID || key->kind == VERSION_MARKER)
        return 0;
    return err_set(&call->err, ERR_UNSUPPORTED,
                   "read '%s/%s': Swift has versions, but no snapshots and no soft delete",
                   key->container, key->name);
}

int swift_stat(struct store *store, const struct object_key *key, struct object *ret,
               struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {.method = "HEAD"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *path = swift_object_path(key);

    if (check_version(key, call) < 0 ||
        swift_simple(s, &request, path, &response, NULL, call, "look at '%s/%s'", key->container,
                     key->name) < 0)
        return -1;
    if (swift_headers_read(&response, ret, call) < 0)
        return err_prefix(&call->err, "look at '%s/%s'", key->container, key->name);
    ret->kind = key->kind;
    return 0;
}

/* -------------------------------------------------------------------- get */

struct reading {
    struct http_begun begun;
    struct sink sink;
    struct sink *to;
    const struct object_key *key;
    const struct get_options *options;
    bool ranged;
    struct object *object;
    struct hash md5; /* in use when checking is true */
    bool checking;
    uint64_t count;
};

static int reading_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct reading *r = container_of(sink, struct reading, sink);

    if (r->checking)
        hash_update(&r->md5, bytes, n);
    r->count += n;
    return sink_write(r->to, bytes, n, call);
}

static int reading_begun(struct http_begun *begun, const struct http_response *response,
                         struct call *call)
{
    struct reading *r = container_of(begun, struct reading, begun);

    if (swift_headers_read(response, r->object, call) < 0)
        return -1;
    r->object->kind = r->key->kind;
    if (r->ranged && response->status != 206)
        return err_set(&call->err, ERR_REMOTE, "the server ignored the range asked for");
    r->checking = r->options->want_checksum && r->options->offset == 0 &&
                  r->options->length >= r->object->size &&
                  (r->object->stored.have & (1U << CHECKSUM_MD5));
    if (r->checking)
        hash_init(&r->md5, HASH_MD5);
    return 0;
}

/* Swift answers 416 to any range of an empty object. */
static int read_empty(struct swift *s, const struct reading *r, struct call *call)
{
    const struct get_options *o = r->options;

    if (swift_stat(&s->store, r->key, r->object, call) < 0)
        return -1;
    if (o->if_match && strcmp(o->if_match, r->object->etag) != 0)
        return err_set(&call->err, ERR_CHANGED, "'%s/%s' has changed meanwhile", r->key->container,
                       r->key->name);
    if (o->offset == 0 && r->object->size == 0)
        return 0;
    return err_set(&call->err, ERR_RANGE,
                   "offset %" PRIu64 " is past the end of '%s/%s' (%" PRIu64 " bytes)", o->offset,
                   r->key->container, r->key->name, r->object->size);
}

static void ask_for(struct http_request *request, const struct get_options *o, bool ranged)
{
    if (o->if_match)
        http_request_headerf(request, "If-Match", "\"%s\"", o->if_match);
    if (!ranged)
        return;
    if (o->length > UINT64_MAX - o->offset || o->length == STORE_TO_END)
        http_request_headerf(request, "Range", "bytes=%" PRIu64 "-", o->offset);
    else
        http_request_headerf(request, "Range", "bytes=%" PRIu64 "-%" PRIu64, o->offset,
                             o->offset + o->length - 1);
}

static int check_md5(struct reading *r, struct call *call)
{
    unsigned char md5[MD5_SIZE];

    hash_final(&r->md5, md5);
    if (memcmp(md5, r->object->stored.md5, sizeof(md5)) == 0)
        return 0;
    return err_set(&call->err, ERR_CORRUPT,
                   "'%s/%s' arrived with another MD5 than Swift has for it: read it again",
                   r->key->container, r->key->name);
}

int swift_get(struct store *store, const struct object_key *key, const struct get_options *options,
              struct sink *to, struct object *ret, enum transport_check *ret_check,
              struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {.method = "GET"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *path = swift_object_path(key);
    struct reading r = {
        .begun.begun = reading_begun,
        .sink.write = reading_write,
        .to = to,
        .key = key,
        .options = options,
        .ranged = options->offset > 0 || options->length != STORE_TO_END,
        .object = ret,
        .md5 = HASH_INIT,
    };
    int result;

    if (check_version(key, call) < 0)
        return -1;
    ask_for(&request, options, r.ranged);
    result = swift_send(s, &request, path, &response, &r.sink, &r.begun, call);
    if (result < 0)
        (void)err_prefix(&call->err, "read '%s/%s'", key->container, key->name);
    else if (response.status == 416)
        result = read_empty(s, &r, call);
    else if (response.status >= 300)
        result = swift_refused(&response, call, "read '%s/%s'", key->container, key->name);
    else if (r.checking)
        result = check_md5(&r, call);
    if (result == 0 && r.checking)
        *ret_check = TRANSPORT_MD5;
    hash_release(&r.md5);
    return result;
}

/* -------------------------------------------------------------------- put */

/* A source that hashes what goes through. */
struct hashed {
    struct source source;
    struct source *from;
    struct hash md5;
};

static ssize_t hashed_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct hashed *h = container_of(source, struct hashed, source);
    ssize_t got = source_read(h->from, bytes, n, call);

    if (got > 0)
        hash_update(&h->md5, bytes, (size_t)got);
    return got;
}

static int hashed_rewind(struct source *source, struct call *call)
{
    struct hashed *h = container_of(source, struct hashed, source);

    hash_init(&h->md5, HASH_MD5);
    return h->from->rewind(h->from, call);
}

static void hashed_release(struct hashed *h)
{
    hash_release(&h->md5);
}

static int delete_path(struct swift *s, const char *path, struct call *call)
{
    auto_request struct http_request request = {.method = "DELETE"};

    return swift_simple(s, &request, path, NULL, NULL, call, "remove the damaged object");
}

/* The answer's ETag must be the MD5 of what went out. */
static int check_answer(struct swift *s, const char *path, const char *md5_hex,
                        const struct http_response *response, struct put_result *ret,
                        struct call *call, const char *doing)
{
    const char *etag = http_response_header(response, "ETag");
    auto_free char *plain = etag ? swift_unquote(etag) : NULL;
    unsigned char md5[MD5_SIZE];
    struct call own = call_child(call, NULL);

    if (!plain || strcasecmp(plain, md5_hex) != 0 || hex_decode(md5_hex, md5, MD5_SIZE, &own.err)) {
        int removed = delete_path(s, path, &own);
        return err_set(&call->err, ERR_CORRUPT,
                       "%s: what the server holds (ETag %.40s) is not what was sent (MD5 %s); %s",
                       doing, plain ? plain : "none", md5_hex,
                       removed < 0 ? "it could not be removed" : "it has been removed again");
    }
    checksum_set(&ret->stored, CHECKSUM_MD5, md5);
    ret->etag = take(plain);
    ret->version = xstrdup_null(http_response_header(response, "X-Object-Version-Id"));
    ret->proof = PROOF_ETAG;
    return 0;
}

/* The MD5 before anything is sent, where it can be had. */
static bool md5_beforehand(const struct swift_body *body, char hex[HASH_HEX_SIZE])
{
    const struct source_bytes *bytes = source_as_bytes(body->from);

    if (body->known->have & (1U << CHECKSUM_MD5))
        hex_encode(hex, body->known->md5, MD5_SIZE);
    else if (bytes)
        hash_hex(HASH_MD5, bytes->bytes + bytes->at, bytes->length - bytes->at, hex);
    else
        return false;
    return true;
}

int swift_put_body(struct swift *s, struct http_request *request, const char *path,
                   const struct swift_body *body, struct put_result *ret, struct call *call,
                   const char *what, ...)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    cleanup(hashed_release) struct hashed hashed = {
        .source = {.read = hashed_read, .rewind = body->from->rewind ? hashed_rewind : NULL},
        .from = body->from,
        .md5 = HASH_INIT,
    };
    char md5[HASH_HEX_SIZE], doing[600];
    bool beforehand = md5_beforehand(body, md5);
    va_list arguments;

    va_start(arguments, what);
    (void)vsnprintf(doing, sizeof(doing), what, arguments);
    va_end(arguments);
    request->method = "PUT";
    request->body = body->from;
    request->body_length = body->size;
    if (beforehand) {
        http_request_header(request, "ETag", md5);
    } else {
        hash_init(&hashed.md5, HASH_MD5);
        request->body = &hashed.source;
    }
    if (swift_send(s, request, path, &response, NULL, NULL, call) < 0)
        return err_prefix(&call->err, "%s", doing);
    if (response.status >= 300)
        return swift_refused(&response, call, "%s", doing);
    if (!beforehand) {
        unsigned char digest[MD5_SIZE];
        hash_final(&hashed.md5, digest);
        hex_encode(md5, digest, sizeof(digest));
    }
    return check_answer(s, path, md5, &response, ret, call, doing);
}

int swift_put(struct store *store, const struct object_key *key, const struct put_options *options,
              struct source *from, struct put_result *ret, struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {0};
    auto_segments struct swift_segments old = {0};
    auto_free char *path = swift_path(key->container, key->name);
    struct swift_body body = {.from = from, .size = options->size, .known = &options->known};
    struct swift_replacing replacing = {
        .if_match = options->if_match,
        .if_absent = options->if_absent,
        .absent = ERR_CHANGED,
        .always = options->if_absent && !s->limits.if_absent,
    };

    if (!utf8_valid(key->name, strlen(key->name)))
        return err_set(&call->err, ERR_NAME, "a name that is not UTF-8 cannot be held by Swift");
    if (swift_before_replace(s, key, &replacing, &old, call) < 0 ||
        swift_headers_write(s, options->properties, &request, call) < 0)
        return err_prefix(&call->err, "write '%s/%s'", key->container, key->name);
    if (options->if_absent)
        http_request_header(&request, "If-None-Match", "*");
    if (swift_put_body(s, &request, path, &body, ret, call, "write '%s/%s'", key->container,
                       key->name) < 0)
        return -1;
    swift_headers_learn(s, path, options->properties, call);
    swift_after_replace(s, &old, call);
    return 0;
}

/* ----------------------------------------------------------------- remove */

int swift_remove(struct store *store, const struct object_key *key, const char *if_match,
                 struct call *call)
{
    struct swift *s = swift_of(store);
    struct swift_replacing replacing = {.if_match = if_match, .absent = ERR_NOT_FOUND};
    auto_request struct http_request request = {.method = "DELETE"};
    auto_segments struct swift_segments old = {0};
    auto_free char *path = swift_object_path(key);

    if (check_version(key, call) < 0)
        return -1;
    if (swift_before_replace(s, key, &replacing, &old, call) < 0)
        return err_prefix(&call->err, "remove '%s/%s'", key->container, key->name);
    if (old.count && !old.listed && !key->version)
        return swift_segments_remove(s, key, call);
    if (swift_simple(s, &request, path, NULL, NULL, call, "remove '%s/%s'", key->container,
                     key->name) < 0)
        return -1;
    swift_after_replace(s, &old, call);
    return 0;
}
