// SPDX-License-Identifier: EUPL-1.2
/*
 * The Swift driver's resumable uploads.  An upload is nothing but its id: parts are objects named
 * after it in the segment container, and the commit writes the manifest that joins them.
 *
 * A part's receipt is "<MD5>-<size>": what the manifest says of it, and Swift verifies.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/url.h"
#include "store/driver/swift_internal.h"
#include "util/random.h"

#define ID_BYTES 16

static int unknown_upload(const struct object_key *key, struct call *call)
{
    return err_set(&call->err, ERR_NOT_FOUND,
                   "upload of '%s/%s': it is not (or no longer) known: begin anew", key->container,
                   key->name);
}

/* The id becomes part of a path. */
static int check_id(const struct object_key *key, const char *id, struct call *call)
{
    unsigned char bytes[ID_BYTES];
    struct err ignored;

    return hex_decode(id, bytes, sizeof(bytes), &ignored) < 0 ? unknown_upload(key, call) : 0;
}

int swift_upload_begin(struct store *store, const struct object_key *key,
                       const struct put_options *options, char **ret_id, struct call *call)
{
    struct swift *s = swift_of(store);
    char id[2 * ID_BYTES + 1];

    (void)options;
    if (!s->limits.slo)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "upload of '%s/%s': this server has no static large objects", key->container,
                       key->name);
    if (swift_segments_create(s, key->container, call) < 0)
        return err_prefix(&call->err, "upload of '%s/%s'", key->container, key->name);
    random_hex(id, ID_BYTES);
    *ret_id = xstrdup(id);
    return 0;
}

int swift_upload_part(struct store *store, const struct object_key *key, const char *id,
                      uint32_t number, const struct part_options *options, struct source *from,
                      struct part_result *ret, struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {0};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    auto_free char *container = swift_segments_container(s, key->container);
    auto_free char *name = swift_segment_name(key->name, id, number);
    auto_free char *path = swift_path(container, name);
    struct swift_body body = {.from = from, .size = options->size, .known = &options->known};

    if (check_id(key, id, call) < 0)
        return -1;
    /* A manifest cannot name an empty segment: there is nothing to send. */
    if (options->size > 0) {
        http_request_header(&request, "Content-Type", "application/octet-stream");
        if (swift_put_body(s, &request, path, &body, &result, call,
                           "write part %" PRIu32 " of '%s/%s'", number, key->container,
                           key->name) < 0)
            return -1;
    } else {
        result.etag = xstrdup("d41d8cd98f00b204e9800998ecf8427e");
    }
    (void)snprintf(ret->etag, sizeof(ret->etag), "%s-%" PRIu64, result.etag, options->size);
    ret->proof = PROOF_ETAG;
    return 0;
}

/* ----------------------------------------------------------------- commit */

static int parse_receipt(const char *etag, char md5[33], uint64_t *ret_size)
{
    char rest;

    return sscanf(etag, "%32[0-9a-f]-%20" SCNu64 "%c", md5, ret_size, &rest) == 2 &&
                   strlen(md5) == 32
               ? 0
               : -1;
}

static int collect(struct swift *s, const struct object_key *key, const char *id,
                   const struct part_result *parts, uint32_t count, struct swift_segments *ret,
                   uint64_t *ret_size, struct call *call)
{
    auto_free char *container = swift_segments_container(s, key->container);

    *ret_size = 0;
    for (uint32_t i = 0; i < count; i++) {
        auto_free char *name = swift_segment_name(key->name, id, i);
        auto_free char *path = xasprintf("/%s/%s", container, name);
        char md5[33];
        uint64_t size;
        if (parse_receipt(parts[i].etag, md5, &size) < 0)
            return unknown_upload(key, call);
        if (size)
            swift_segments_add(ret, path, size, md5);
        *ret_size += size;
    }
    return 0;
}

static bool belongs(const struct swift_segments *segments, const char *id)
{
    auto_free char *folder = xasprintf("/bascule/%s/", id);

    for (size_t i = 0; i < segments->count; i++)
        if (strstr(segments->list[i].path, folder))
            return true;
    return false;
}

/* An object without bytes needs no manifest (and cannot have one). */
static int commit_empty(struct store *store, const struct object_key *key,
                        const struct put_options *options, struct put_result *ret,
                        struct call *call)
{
    struct source_bytes nothing;

    source_bytes_init(&nothing, "", 0);
    return swift_put(store, key, options, &nothing.source, ret, call);
}

/* Whether one state of the object is made of this upload: 1, 0, or -1. */
static int is_made_of(struct swift *s, const struct object_key *key, const char *id,
                      struct call *call)
{
    auto_request struct http_request request = {.method = "HEAD"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_segments struct swift_segments there = {0};
    auto_free char *path = swift_object_path(key);

    if (swift_simple(s, &request, path, &response, NULL, call, "look at what is there") == 0) {
        if (!swift_is_slo(&response))
            return 0;
        if (same_string(swift_upload_of(&response), id))
            return 1;
        /* Somebody may have set other metadata since. */
        if (swift_segments_read(s, key, &there, call) == 0)
            return belongs(&there, id);
        if (call->err.code == ERR_UNSUPPORTED) {
            err_clear(&call->err);
            return 0;
        }
    }
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

/* A commit that was answered, but whose answer was lost, is repeated: what is there now is then
 * our own work. */
static bool is_done_already(struct swift *s, const struct object_key *key, const char *id,
                            struct put_result *ret, struct call *call)
{
    struct call own = call_child(call, NULL);
    auto_object struct object object = OBJECT_INIT;

    if (call->err.code != ERR_CHANGED || is_made_of(s, key, id, &own) != 1 ||
        swift_stat(&s->store, key, &object, &own) < 0)
        return false;
    err_clear(&call->err);
    put_result_release(ret);
    *ret = (struct put_result){
        .etag = take(object.etag), .version = take(object.version), .proof = PROOF_ETAG};
    return true;
}

int swift_upload_commit(struct store *store, const struct object_key *key, const char *id,
                        const struct part_result *parts, uint32_t count,
                        const struct put_options *options, struct put_result *ret,
                        struct call *call)
{
    struct swift *s = swift_of(store);
    auto_segments struct swift_segments segments = {0}, old = {0};
    struct swift_replacing replacing = {.if_match = options->if_match,
                                        .if_absent = options->if_absent,
                                        .absent = ERR_CHANGED,
                                        .always = options->if_absent && !s->limits.if_absent};
    uint64_t size;

    if (check_id(key, id, call) < 0 ||
        collect(s, key, id, parts, count, &segments, &size, call) < 0)
        return -1;
    if (size != options->size)
        return err_set(&call->err, ERR_INVALID,
                       "upload of '%s/%s': the parts have %" PRIu64 " bytes, the object %" PRIu64,
                       key->container, key->name, size, options->size);
    if (!segments.count)
        return commit_empty(store, key, options, ret, call);
    if (swift_before_replace(s, key, &replacing, &old, call) < 0 ||
        swift_manifest_put(s, key, id, &segments, options, ret, call) < 0) {
        if (is_done_already(s, key, id, ret, call))
            return 0;
        return err_prefix(&call->err, "upload of '%s/%s'", key->container, key->name);
    }
    if (!belongs(&old, id))
        swift_after_replace(s, &old, call);
    return 0;
}

/* ------------------------------------------------------------------ abort */

/* One page of the object's versions, held against the upload; *cursor moves on. */
static int page_is_made_of(struct swift *s, const struct object_key *key, const char *id,
                           char **cursor, struct call *call)
{
    struct list_options options = {
        .prefix = key->name, .cursor = *cursor, .include = LIST_VERSIONS};
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    int made = 0;

    if (swift_list(&s->store, key->container, &options, &page, call) < 0)
        return -1;
    for (size_t i = 0; i < page.count && made == 0; i++) {
        const struct object *o = &page.list[i];
        struct object_key version = {key->container, key->name, VERSION_ID, o->version};
        if (o->version && o->kind != VERSION_MARKER && strcmp(o->name, key->name) == 0)
            made = is_made_of(s, &version, id, call);
    }
    free(*cursor);
    *cursor = take(page.cursor);
    return made;
}

/* The upload may have been committed by a run that died before it could say so: then its segments
 * are an object's bytes, current or an earlier version's. */
static int is_alive(struct swift *s, const struct object_key *key, const char *id,
                    struct call *call)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *cursor = NULL;
    int made = is_made_of(s, key, id, call);

    if (made)
        return made;
    if (swift_container_head(s, key->container, &response, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    if (!swift_container_versions(&response))
        return 0;
    do
        made = page_is_made_of(s, key, id, &cursor, call);
    while (made == 0 && cursor);
    return made;
}

static int remove_segment(struct swift *s, const char *container, const char *name,
                          struct call *call)
{
    auto_request struct http_request request = {.method = "DELETE"};
    auto_free char *path = swift_path(container, name);

    if (swift_simple(s, &request, path, NULL, NULL, call, "remove segment '%s/%s'", container,
                     name) == 0)
        return 0;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

int swift_upload_abort(struct store *store, const struct object_key *key, const char *id,
                       struct call *call)
{
    struct swift *s = swift_of(store);
    auto_free char *container = swift_segments_container(s, key->container);
    auto_free char *first = swift_segment_name(key->name, id, 0);
    auto_free char *prefix = xstrndup(first, strlen(first) - 8);
    auto_free char *cursor = NULL;

    if (check_id(key, id, call) < 0) {
        err_clear(&call->err);
        return 0;
    }
    int alive = is_alive(s, key, id, call);
    if (alive)
        return alive < 0 ? -1 : 0;
    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.prefix = prefix, .cursor = cursor};
        if (swift_list(store, container, &options, &page, call) < 0) {
            if (call->err.code != ERR_NOT_FOUND)
                return -1;
            err_clear(&call->err);
            return 0;
        }
        for (size_t i = 0; i < page.count; i++)
            if (remove_segment(s, container, page.list[i].name, call) < 0)
                return -1;
        free(cursor);
        cursor = take(page.cursor);
    } while (cursor);
    return 0;
}
