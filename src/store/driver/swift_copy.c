// SPDX-License-Identifier: EUPL-1.2
/*
 * The Swift driver's server-side copy.
 *
 * What fits into one object is copied with X-Copy-From: Swift reads it as a whole, so that a large
 * object becomes a plain one.  A larger one is copied segment by segment into segments of its own:
 * two manifests must never share segments, for removing one object would then damage the other.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/hex.h"
#include "store/driver/swift_internal.h"
#include "util/random.h"

struct copying {
    struct swift *s;
    const struct object_key *from;
    const struct object_key *to;
    const char *if_match;
    const struct put_options *options;
    struct object source;
    bool is_large;
};

static int look_at_source(struct copying *c, struct call *call)
{
    auto_request struct http_request request = {.method = "HEAD"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *path = swift_object_path(c->from);

    if (swift_simple(c->s, &request, path, &response, NULL, call, "look at '%s/%s'",
                     c->from->container, c->from->name) < 0 ||
        swift_headers_read(&response, &c->source, call) < 0)
        return -1;
    c->is_large = swift_is_slo(&response);
    if (c->if_match && strcmp(c->if_match, c->source.etag) != 0)
        return err_set(&call->err, ERR_CHANGED, "'%s/%s' has changed meanwhile", c->from->container,
                       c->from->name);
    return 0;
}

static void copy_source(struct http_request *request, const char *path, const char *etag)
{
    http_request_header(request, "X-Copy-From", path);
    http_request_headerf(request, "If-Match", "\"%s\"", etag);
}

/* The answer's ETag is the MD5 of the copy: that of the source, if that was plain too. */
static int read_answer(const struct copying *c, const struct http_response *response,
                       struct put_result *ret, struct call *call)
{
    const char *etag = http_response_header(response, "ETag");
    unsigned char md5[MD5_SIZE];
    struct checksums copied = {0};
    struct err ignored;

    if (!etag)
        return err_set(&call->err, ERR_REMOTE, "the server did not say what the copy is (ETag)");
    if (hex_decode(etag, md5, sizeof(md5), &ignored) == 0)
        checksum_set(&copied, CHECKSUM_MD5, md5);
    int same = checksums_compare(&copied, &c->source.stored);
    if (same < 0)
        return err_set(&call->err, ERR_CORRUPT, "the copy has another MD5 than its source");
    ret->etag = swift_unquote(etag);
    ret->version = xstrdup_null(http_response_header(response, "X-Object-Version-Id"));
    ret->stored = copied;
    ret->proof = same ? PROOF_ETAG : PROOF_NONE;
    return 0;
}

static int copy_whole(struct copying *c, struct put_result *ret, struct call *call)
{
    auto_request struct http_request request = {.method = "PUT"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *source = swift_path(c->from->container, c->from->name);
    auto_free char *path = swift_path(c->to->container, c->to->name);

    copy_source(&request, source, c->source.etag);
    if (c->options->properties) {
        http_request_header(&request, "X-Fresh-Metadata", "true");
        if (swift_headers_write(c->s, c->options->properties, &request, call) < 0)
            return -1;
    }
    if (swift_simple(c->s, &request, path, &response, NULL, call, "copy") < 0 ||
        read_answer(c, &response, ret, call) < 0)
        return -1;
    swift_headers_learn(c->s, path, c->options->properties, call);
    return 0;
}

/* One segment to its new place. */
static int copy_segment(struct copying *c, const struct swift_segment *old, const char *id,
                        uint32_t number, struct swift_segments *copies, struct call *call)
{
    auto_request struct http_request request = {.method = "PUT"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_free char *container = swift_segments_container(c->s, c->to->container);
    auto_free char *name = swift_segment_name(c->to->name, id, number);
    auto_free char *path = swift_path(container, name);
    auto_free char *plain = xasprintf("/%s/%s", container, name);
    const char *slash = strchr(old->path + 1, '/');

    if (!slash)
        return err_set(&call->err, ERR_REMOTE, "segment '%s' has no container", old->path);
    auto_free char *old_container = xstrndup(old->path + 1, (size_t)(slash - old->path - 1));
    auto_free char *source = swift_path(old_container, slash + 1);
    copy_source(&request, source, old->etag);
    if (swift_simple(c->s, &request, path, &response, NULL, call, "copy segment '%s'", old->path) <
        0)
        return -1;
    swift_segments_add(copies, plain, old->size, old->etag);
    return 0;
}

static int copy_segments(struct copying *c, struct swift_segments *copies, struct put_result *ret,
                         struct call *call)
{
    auto_segments struct swift_segments old = {0};
    struct put_options options = *c->options;
    char id[33];

    if (!c->is_large)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "only static large objects of more than %" PRIu64 " bytes can be copied",
                       c->s->limits.file_size);
    if (swift_segments_read(c->s, c->from, &old, call) < 0)
        return -1;
    if (!old.simple)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "its segments are parts of objects or large objects themselves");
    if (swift_segments_create(c->s, c->to->container, call) < 0)
        return -1;
    random_hex(id, 16);
    for (size_t i = 0; i < old.count; i++)
        if (copy_segment(c, &old.list[i], id, (uint32_t)i, copies, call) < 0)
            return -1;
    if (!options.properties)
        options.properties = &c->source;
    options.if_absent = false;
    return swift_manifest_put(c->s, c->to, id, copies, &options, ret, call);
}

static int copy_large(struct copying *c, struct put_result *ret, struct call *call)
{
    auto_segments struct swift_segments copies = {0};

    if (copy_segments(c, &copies, ret, call) == 0)
        return 0;
    swift_after_replace(c->s, &copies, call);
    return -1;
}

static int copy(struct copying *c, struct put_result *ret, struct call *call)
{
    auto_segments struct swift_segments old = {0};
    /* If-None-Match would be held against the source: look at the target ourselves. */
    struct swift_replacing replacing = {.if_match = c->options->if_match,
                                        .if_absent = c->options->if_absent,
                                        .absent = ERR_CHANGED,
                                        .always = true};

    if (look_at_source(c, call) < 0 ||
        swift_before_replace(c->s, c->to, &replacing, &old, call) < 0)
        return -1;
    int result = c->source.size <= c->s->limits.file_size ? copy_whole(c, ret, call)
                                                          : copy_large(c, ret, call);
    /* An object copied onto itself becomes a plain one, and its segments nobody's. */
    if (result == 0)
        swift_after_replace(c->s, &old, call);
    return result;
}

int swift_copy(struct store *store, const struct object_key *from, const char *if_match,
               const struct object_key *to, const struct put_options *options,
               struct put_result *ret, struct call *call)
{
    struct copying c = {.s = swift_of(store),
                        .from = from,
                        .to = to,
                        .if_match = if_match,
                        .options = options,
                        .source = OBJECT_INIT};
    int result;

    if (from->version)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "copy an earlier version of '%s/%s': Swift copies current objects only",
                       from->container, from->name);
    result = copy(&c, ret, call);
    object_release(&c.source);
    if (result < 0)
        return err_prefix(&call->err, "copy '%s/%s' to '%s/%s'", from->container, from->name,
                          to->container, to->name);
    return 0;
}
