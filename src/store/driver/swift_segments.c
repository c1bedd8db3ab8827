// SPDX-License-Identifier: EUPL-1.2
/*
 * The Swift driver's static large objects: manifests, and who cleans up behind them.
 *
 * Segments of ours lie under "/<container><suffix>/<name>/bascule/<upload id>/".  Each upload id is
 * used once, for one object, so whoever replaces or removes that object may remove its segments;
 * unless the container keeps versions, where the manifest lives on as an earlier version.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "store/driver/swift_internal.h"
#include "util/log.h"

/* Of which upload a large object was made. */
#define UPLOAD "X-Object-Meta-" SWIFT_OWN "upload"

/* So many containers are remembered; beyond, each write looks again. */
#define REMEMBERED_MAX 1000

/* Swift names are at most 1,024 bytes: a longer name is cut in its segments' names, whose upload id
 * alone makes them unique. */
#define SEGMENT_PREFIX_MAX 900

char *swift_segments_container(const struct swift *s, const char *container)
{
    return xasprintf("%s%s", container, s->segments_suffix);
}

/* The bytes of name that stand in its segments' names; never inside a UTF-8 character. */
static size_t prefix_length(const char *name)
{
    size_t n = strlen(name);

    if (n <= SEGMENT_PREFIX_MAX)
        return n;
    for (n = SEGMENT_PREFIX_MAX; n && ((unsigned char)name[n] & 0xc0) == 0x80;)
        n--;
    return n;
}

char *swift_segment_name(const char *name, const char *id, uint32_t number)
{
    return xasprintf("%.*s/bascule/%s/%08" PRIu32, (int)prefix_length(name), name, id, number);
}

void swift_segments_release(struct swift_segments *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->list[i].path);
    free(l->list);
    *l = (struct swift_segments){0};
}

void swift_segments_add(struct swift_segments *l, const char *path, uint64_t size, const char *etag)
{
    if (l->count == l->size) {
        l->size = l->size ? l->size * 2 : 16;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    struct swift_segment *segment = &l->list[l->count++];
    *segment = (struct swift_segment){.path = xstrdup(path), .size = size};
    (void)snprintf(segment->etag, sizeof(segment->etag), "%s", etag);
}

/* ---------------------------------------------------------------- reading */

static int add_segment(struct swift_segments *l, const json_t *entry, const char *our_prefix)
{
    const char *path = json_text(entry, "name"), *hash = json_text(entry, "hash");
    int64_t bytes = -1;

    if (!path || path[0] != '/' || !hash || strlen(hash) > 64 ||
        !json_number(entry, "bytes", &bytes) || bytes < 0)
        return -1;
    if (json_object_get(entry, "range") || json_bool(entry, "sub_slo", false) || strlen(hash) != 32)
        l->simple = false;
    if (strncmp(path, our_prefix, strlen(our_prefix)) != 0)
        l->ours = false;
    swift_segments_add(l, path, (uint64_t)bytes, hash);
    return 0;
}

int swift_segments_read(struct swift *s, const struct object_key *key, struct swift_segments *ret,
                        struct call *call)
{
    auto_free char *container = swift_segments_container(s, key->container);
    auto_free char *ours =
        xasprintf("/%s/%.*s/bascule/", container, (int)prefix_length(key->name), key->name);
    auto_free char *object = swift_object_path(key);
    auto_free char *path =
        xasprintf("%s%smultipart-manifest=get", object, key->version ? "&" : "?");
    auto_segments struct swift_segments found = {.ours = true, .simple = true};
    auto_json json_t *manifest = NULL;
    size_t i;
    json_t *entry;

    if (swift_get_json(s, path, SWIFT_MANIFEST_MAX, &manifest, call, "read the segments of '%s/%s'",
                       key->container, key->name) < 0)
        return -1;
    if (!manifest)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "read the segments of '%s/%s': this server does not show them",
                       key->container, key->name);
    if (!json_is_array(manifest))
        return err_set(&call->err, ERR_REMOTE, "read the segments of '%s/%s': not a list",
                       key->container, key->name);
    json_array_foreach(manifest, i, entry)
    {
        if (add_segment(&found, entry, ours) < 0)
            return err_set(&call->err, ERR_REMOTE,
                           "read the segments of '%s/%s': entry %zu makes no sense", key->container,
                           key->name, i);
    }
    *ret = found;
    found = (struct swift_segments){0};
    return 0;
}

/* ---------------------------------------------------------------- writing */

static int manifest_text(const struct swift_segments *segments, struct buf *text, struct err *e)
{
    auto_json json_t *list = json_array();

    for (size_t i = 0; i < segments->count; i++) {
        const struct swift_segment *segment = &segments->list[i];
        json_t *entry = json_pack("{s:s, s:s, s:I}", "path", segment->path, "etag", segment->etag,
                                  "size_bytes", (json_int_t)segment->size);
        if (!entry)
            return err_set(e, ERR_NAME, "'%s' is not UTF-8", segment->path);
        json_array_append_new(list, entry);
    }
    return json_write(text, list, e);
}

/* Swift's answer names each segment that is missing or different. */
static int manifest_refused(const struct http_response *response, const struct object_key *key,
                            struct call *call)
{
    const char *text = response->error_body.data;

    if (response->status == 400 && strstr(text, "404 Not Found"))
        return err_set(&call->err, ERR_NOT_FOUND,
                       "join the segments of '%s/%s': some are gone: upload it anew",
                       key->container, key->name);
    if (response->status == 400 && (strstr(text, "Mismatch") || strstr(text, "mismatch")))
        return err_set(&call->err, ERR_CORRUPT,
                       "join the segments of '%s/%s': some are not what was sent: upload it anew",
                       key->container, key->name);
    return swift_refused(response, call, "join the segments of '%s/%s'", key->container, key->name);
}

/* Swift's ETag of a static large object: the MD5 of its segments' ETags in a row. */
static void joint_etag(const struct swift_segments *segments, char hex[HASH_HEX_SIZE])
{
    auto_hash struct hash h = HASH_INIT;
    unsigned char md5[MD5_SIZE];

    hash_init(&h, HASH_MD5);
    for (size_t i = 0; i < segments->count; i++)
        hash_update(&h, segments->list[i].etag, strlen(segments->list[i].etag));
    hash_final(&h, md5);
    hex_encode(hex, md5, sizeof(md5));
}

const char *swift_upload_of(const struct http_response *response)
{
    return http_response_header(response, UPLOAD);
}

int swift_manifest_put(struct swift *s, const struct object_key *key, const char *id,
                       const struct swift_segments *segments, const struct put_options *options,
                       struct put_result *ret, struct call *call)
{
    auto_request struct http_request request = {.method = "PUT"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *object = swift_path(key->container, key->name);
    auto_free char *path = xasprintf("%s?multipart-manifest=put", object);
    auto_buf struct buf text = BUF_INIT(SWIFT_MANIFEST_MAX);
    struct source_bytes body;
    char expected[HASH_HEX_SIZE];

    if (manifest_text(segments, &text, &call->err) < 0 ||
        swift_headers_write(s, options->properties, &request, call) < 0)
        return err_prefix(&call->err, "join the segments of '%s/%s'", key->container, key->name);
    if (options->if_absent)
        http_request_header(&request, "If-None-Match", "*");
    http_request_header(&request, UPLOAD, id);
    http_request_header(&request, "Accept", "application/json");
    source_bytes_init(&body, text.data, text.length);
    request.body = &body.source;
    request.body_length = text.length;
    if (swift_send(s, &request, path, &response, NULL, NULL, call) < 0)
        return err_prefix(&call->err, "join the segments of '%s/%s'", key->container, key->name);
    if (response.status >= 300)
        return manifest_refused(&response, key, call);
    joint_etag(segments, expected);
    const char *etag = http_response_header(&response, "ETag");
    ret->etag = etag ? swift_unquote(etag) : xstrdup(expected);
    ret->version = xstrdup_null(http_response_header(&response, "X-Object-Version-Id"));
    ret->proof = etag && strcasecmp(ret->etag, expected) == 0 ? PROOF_ETAG : PROOF_CHECKSUM;
    swift_headers_learn(s, object, options->properties, call);
    return 0;
}

/* --------------------------------------------------- what is left behind */

static void remember(struct swift *s, const char *container, bool segmented)
{
    locked(&s->lock);
    if (s->segmented.count < REMEMBERED_MAX || pairs_get(&s->segmented, container))
        pairs_set(&s->segmented, container, segmented ? "yes" : "no");
}

static int recall(struct swift *s, const char *container)
{
    locked(&s->lock);
    const char *word = pairs_get(&s->segmented, container);

    return word ? strcmp(word, "yes") == 0 : -1;
}

/* Whether large objects of ours may lie in container: 1, 0, or -1 with an error. */
static int has_segments(struct swift *s, const char *container, struct call *call)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *segments = swift_segments_container(s, container);
    int known = s->limits.slo ? recall(s, container) : 0;

    if (known >= 0)
        return known;
    if (swift_container_head(s, segments, &response, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        known = 0;
    } else {
        known = 1;
    }
    remember(s, container, known);
    return known;
}

int swift_segments_create(struct swift *s, const char *container, struct call *call)
{
    auto_request struct http_request request = {.method = "PUT"};
    auto_response struct http_response head = HTTP_RESPONSE_INIT;
    auto_free char *segments = swift_segments_container(s, container);
    auto_free char *path = swift_path(segments, NULL);
    const char *policy, *readers;

    if (swift_container_head(s, container, &head, call) < 0)
        return -1;
    if (recall(s, container) == 1)
        return 0;
    /* Who may read the object must be able to read its segments; they lie where it lies. */
    policy = http_response_header(&head, "X-Storage-Policy");
    readers = http_response_header(&head, "X-Container-Read");
    if (policy)
        http_request_header(&request, "X-Storage-Policy", policy);
    if (readers)
        http_request_header(&request, "X-Container-Read", readers);
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    if (swift_simple(s, &request, path, &response, NULL, call, "create container '%s'", segments) <
        0) {
        /* 409: it is there already, under another policy. */
        if (call->err.code != ERR_CONFLICT)
            return -1;
        err_clear(&call->err);
    }
    remember(s, container, true);
    return 0;
}

/* Whether removing the current object of key leaves its manifest alive as a version. */
static int lives_on(struct swift *s, const struct object_key *key, struct call *call)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;

    if (key->version)
        return 0;
    if (swift_container_head(s, key->container, &response, call) < 0)
        return -1;
    return swift_container_versions(&response);
}

/* All that lies under the name of one upload. */
static int list_segments(struct swift *s, const struct object_key *key, const char *id,
                         struct swift_segments *ret, struct call *call)
{
    auto_free char *container = swift_segments_container(s, key->container);
    auto_free char *first = swift_segment_name(key->name, id, 0);
    auto_free char *prefix = xstrndup(first, strlen(first) - 8);
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    struct list_options options = {.prefix = prefix};

    if (swift_list(&s->store, container, &options, &page, call) < 0)
        return -1;
    for (size_t i = 0; i < page.count; i++) {
        auto_free char *path = xasprintf("/%s/%s", container, page.list[i].name);
        swift_segments_add(ret, path, page.list[i].size, page.list[i].etag);
    }
    ret->listed = true;
    return 0;
}

/* The segments of a large object that is going to be replaced, if they are ours. */
static int find_segments(struct swift *s, const struct object_key *key,
                         const struct http_response *head, struct swift_segments *ret,
                         struct call *call)
{
    auto_segments struct swift_segments found = {0};
    const char *id = swift_upload_of(head);

    if (swift_segments_read(s, key, &found, call) < 0) {
        if (call->err.code != ERR_UNSUPPORTED)
            return -1;
        err_clear(&call->err);
        if (!id || list_segments(s, key, id, &found, call) < 0)
            return id ? -1 : 0;
        found.ours = true;
    }
    if (found.ours) {
        *ret = found;
        found = (struct swift_segments){0};
    }
    return 0;
}

int swift_before_replace(struct swift *s, const struct object_key *key,
                         const struct swift_replacing *how, struct swift_segments *ret,
                         struct call *call)
{
    auto_request struct http_request request = {.method = "HEAD"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *path = swift_object_path(key);
    auto_object struct object there = OBJECT_INIT;
    int segmented = how->if_absent ? 0 : has_segments(s, key->container, call);

    if (segmented < 0)
        return -1;
    if (!segmented && !how->if_match && !how->always)
        return 0;
    if (swift_simple(s, &request, path, &response, NULL, call, "look at what is there") < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return how->if_match ? err_set(&call->err, how->absent, "there is nothing there") : 0;
    }
    if (swift_headers_read(&response, &there, call) < 0)
        return -1;
    if (how->if_absent)
        return err_set(&call->err, ERR_CHANGED, "there is something there already");
    if (how->if_match && strcmp(how->if_match, there.etag) != 0)
        return err_set(&call->err, ERR_CHANGED, "it has changed meanwhile");
    if (!swift_is_slo(&response))
        return 0;
    int lives = lives_on(s, key, call);
    if (lives)
        return lives < 0 ? -1 : 0;
    return find_segments(s, key, &response, ret, call);
}

void swift_after_replace(struct swift *s, const struct swift_segments *old, struct call *call)
{
    struct call own = call_child(call, NULL);

    for (size_t i = 0; i < old->count; i++) {
        auto_request struct http_request request = {.method = "DELETE"};
        /* "/container/name": a container's name has no slash */
        const char *name = strchr(old->list[i].path + 1, '/');
        if (!name)
            continue;
        auto_free char *container =
            xstrndup(old->list[i].path + 1, (size_t)(name - old->list[i].path - 1));
        auto_free char *path = swift_path(container, name + 1);
        if (swift_simple(s, &request, path, NULL, NULL, &own, "remove segment '%s'",
                         old->list[i].path) < 0 &&
            own.err.code != ERR_NOT_FOUND) {
            log_line(LOG_WARNING, "%s: a segment of a replaced object stays behind: %s",
                     s->store.name, own.err.text);
            err_clear(&own.err);
        }
    }
}

int swift_segments_remove(struct swift *s, const struct object_key *key, struct call *call)
{
    auto_request struct http_request request = {.method = "DELETE"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *object = swift_object_path(key);
    auto_free char *path = xasprintf("%s?multipart-manifest=delete", object);
    auto_buf struct buf body = BUF_INIT(SWIFT_MANIFEST_MAX);
    auto_json json_t *answer = NULL;
    struct sink_buf sink;

    http_request_header(&request, "Accept", "application/json");
    sink_buf_init(&sink, &body);
    if (swift_simple(s, &request, path, &response, &sink.sink, call,
                     "remove '%s/%s' and its segments", key->container, key->name) < 0)
        return -1;
    if (json_parse(body.data, body.length, &answer, &call->err) < 0)
        return err_prefix(&call->err, "remove '%s/%s' and its segments: the server's answer",
                          key->container, key->name);
    const char *status = json_text(answer, "Response Status");
    if (!status || strncmp(status, "200", 3) != 0)
        return err_set(&call->err,
                       status && !strncmp(status, "404", 3) ? ERR_NOT_FOUND : ERR_REMOTE,
                       "remove '%s/%s' and its segments: %s", key->container, key->name,
                       status ? status : "the server did not say how it went");
    return 0;
}
