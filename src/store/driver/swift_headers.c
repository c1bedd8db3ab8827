// SPDX-License-Identifier: EUPL-1.2
/* The Swift driver's view of an object: its properties as headers, both ways. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "codec/hex.h"
#include "store/driver/swift_internal.h"

/* More metadata than this is refused here; what the server takes is far less. */
#define METADATA_MAX (64 * 1024)

/* How near the time of X-Delete-At may be to be set again. */
#define DELETE_AT_AHEAD (60 * CLOCK_SECOND)

#define DELETE_AT "x-delete-at"

/* Headers that servers drop unless they are configured to keep them (allowed_headers of the object
 * server; its default names all three since Swift 2.12). */
const char *const swift_fragile[SWIFT_FRAGILE_COUNT] = {
    "Content-Language",
    "Cache-Control",
    "Expires",
};

/* The field of struct object behind each. */
static const size_t fragile_fields[SWIFT_FRAGILE_COUNT] = {
    offsetof(struct object, content_language),
    offsetof(struct object, cache_control),
    offsetof(struct object, expires),
};

static const char *fragile_value(const struct object *o, size_t index)
{
    return *(char *const *)(const void *)((const char *)o + fragile_fields[index]);
}

static char *own_header(size_t index)
{
    return xasprintf("X-Object-Meta-" SWIFT_OWN "%s", swift_fragile[index]);
}

/* ---------------------------------------------------------------- writing */

static int add_header(struct http_request *request, const char *name, const char *value,
                      struct call *call)
{
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return err_set(&call->err, ERR_INVALID,
                           "the value of %s has a control character, which a header cannot hold",
                           name);
    http_request_header(request, name, value);
    return 0;
}

static enum swift_keeps keeps(struct swift *s, size_t index)
{
    locked(&s->lock);
    return s->keeps[index];
}

static int add_fragile(struct swift *s, struct http_request *request, size_t index,
                       const char *value, struct call *call)
{
    auto_free char *own = own_header(index);
    enum swift_keeps known = keeps(s, index);
    bool fits = strlen(value) <= s->limits.meta_value;

    if (known != SWIFT_DROPS && add_header(request, swift_fragile[index], value, call) < 0)
        return -1;
    if (known == SWIFT_KEEPS || !*value || (!fits && known == SWIFT_KEEPS_UNKNOWN))
        return 0;
    if (!fits)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "%s of %zu bytes: this server drops the header, and takes at most %" PRIu32
                       " bytes as metadata",
                       swift_fragile[index], strlen(value), s->limits.meta_value);
    return add_header(request, own, value, call);
}

/* Seconds since 1970 that lie ahead. */
static bool is_time_ahead(const char *value)
{
    char *end;
    long long seconds;

    errno = 0;
    seconds = strtoll(value, &end, 10);
    return !errno && end != value && !*end && seconds > 0 && seconds < INT64_MAX / CLOCK_SECOND &&
           seconds * CLOCK_SECOND > clock_wall() + DELETE_AT_AHEAD;
}

static int add_metadata(struct swift *s, struct http_request *request, const struct pairs *metadata,
                        struct call *call)
{
    auto_pairs struct pairs rest = PAIRS_INIT;
    size_t bytes = 0;

    pairs_copy(&rest, metadata);
    for (size_t i = 0; i < rest.count; i++) {
        bytes += strlen(rest.list[i].key) + strlen(rest.list[i].value);
        if (strcmp(rest.list[i].key, DELETE_AT) == 0 && is_time_ahead(rest.list[i].value)) {
            http_request_header(request, "X-Delete-At", rest.list[i].value);
            pairs_remove(&rest, i--);
        }
    }
    if (bytes > METADATA_MAX)
        return err_set(&call->err, ERR_INVALID, "%zu bytes of metadata: no Swift server takes that",
                       bytes);
    swift_metadata_write(&rest, &s->limits, &request->headers);
    return 0;
}

int swift_headers_write(struct swift *s, const struct object *properties,
                        struct http_request *request, struct call *call)
{
    const char *type = properties ? properties->content_type : NULL;

    /* Without a type Swift would guess one from the name. */
    if (!type || !*type)
        type = "application/octet-stream";
    if (add_header(request, "Content-Type", type, call) < 0)
        return -1;
    if (!properties)
        return 0;
    if (properties->content_encoding &&
        add_header(request, "Content-Encoding", properties->content_encoding, call) < 0)
        return -1;
    if (properties->content_disposition &&
        add_header(request, "Content-Disposition", properties->content_disposition, call) < 0)
        return -1;
    for (size_t i = 0; i < SWIFT_FRAGILE_COUNT; i++) {
        const char *value = fragile_value(properties, i);
        if (value && add_fragile(s, request, i, value, call) < 0)
            return -1;
    }
    return add_metadata(s, request, &properties->metadata, call);
}

/* --------------------------------------------------------------- learning */

static char *note_key(size_t index)
{
    return xasprintf("keeps-%s", swift_fragile[index]);
}

static void note(struct swift *s, size_t index, enum swift_keeps found, struct call *call)
{
    auto_free char *key = note_key(index);
    struct notebook *n = s->store.notebook;

    /* Without a note the next run looks again: nothing is lost. */
    if (n && n->write(n, s->store.identity, key, found == SWIFT_KEEPS ? "yes" : "no", call) < 0)
        err_clear(&call->err);
    locked(&s->lock);
    s->keeps[index] = found;
}

static bool recall(struct swift *s, size_t index, struct call *call)
{
    auto_free char *key = note_key(index);
    struct notebook *n = s->store.notebook;
    char word[8];

    if (!n || n->read(n, s->store.identity, key, word, sizeof(word), call) != 1)
        return false;
    locked(&s->lock);
    s->keeps[index] = strcmp(word, "yes") == 0 ? SWIFT_KEEPS : SWIFT_DROPS;
    return true;
}

void swift_headers_learn(struct swift *s, const char *path, const struct object *properties,
                         const struct call *call)
{
    auto_request struct http_request request = {.method = "HEAD"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    struct call own = call_child(call, NULL);
    bool wanted[SWIFT_FRAGILE_COUNT], any = false;

    for (size_t i = 0; i < SWIFT_FRAGILE_COUNT; i++) {
        const char *value = properties ? fragile_value(properties, i) : NULL;
        wanted[i] = value && *value && keeps(s, i) == SWIFT_KEEPS_UNKNOWN && !recall(s, i, &own);
        any |= wanted[i];
    }
    if (!any || swift_simple(s, &request, path, &response, NULL, &own, "look again") < 0)
        return;
    for (size_t i = 0; i < SWIFT_FRAGILE_COUNT; i++)
        if (wanted[i])
            note(s, i,
                 http_response_header(&response, swift_fragile[i]) ? SWIFT_KEEPS : SWIFT_DROPS,
                 &own);
}

/* ---------------------------------------------------------------- reading */

char *swift_unquote(const char *etag)
{
    size_t n = strlen(etag);

    if (n >= 2 && etag[0] == '"' && etag[n - 1] == '"')
        return xstrndup(etag + 1, n - 2);
    return xstrdup(etag);
}

bool swift_is_slo(const struct http_response *response)
{
    const char *value = http_response_header(response, "X-Static-Large-Object");

    return value && strcasecmp(value, "true") == 0;
}

/* X-Timestamp, "1795318132.56685": what listings say too; Last-Modified is rounded up. */
static int64_t modified(const struct http_response *response)
{
    const char *stamp = http_response_header(response, "X-Timestamp");
    const char *date = http_response_header(response, "Last-Modified");
    struct err ignored;
    int64_t time = TIME_UNKNOWN;
    unsigned long long seconds;
    char fraction[16] = "", rest;

    if (stamp && strlen(stamp) < 32 &&
        sscanf(stamp, "%10llu.%9[0-9]%c", &seconds, fraction, &rest) == 2) {
        while (strlen(fraction) < 9)
            strcat(fraction, "0");
        return (int64_t)seconds * CLOCK_SECOND + strtoll(fraction, NULL, 10);
    }
    if (date && date_parse_rfc1123(date, &time, &ignored) < 0)
        return TIME_UNKNOWN;
    return time;
}

static int read_size(const struct http_response *response, uint64_t *ret, struct call *call)
{
    const char *range = http_response_header(response, "Content-Range");
    const char *slash = range ? strchr(range, '/') : NULL;
    char *end;

    if (response->status == 206) {
        errno = 0;
        *ret = slash ? strtoull(slash + 1, &end, 10) : 0;
        if (!slash || errno || slash[1] < '0' || slash[1] > '9' || *end)
            return err_set(&call->err, ERR_REMOTE, "the server sent a part without saying of what");
        return 0;
    }
    if (response->content_length == HTTP_LENGTH_UNKNOWN)
        return err_set(&call->err, ERR_REMOTE, "the server did not say how large the object is");
    *ret = response->content_length;
    return 0;
}

/* The MD5 of the body: Swift's ETag, except for large objects of any kind. */
static void read_md5(const struct http_response *response, const char *etag, struct object *ret)
{
    unsigned char md5[MD5_SIZE];
    struct err ignored;

    if (swift_is_slo(response) || http_response_header(response, "X-Object-Manifest"))
        return;
    if (hex_decode(etag, md5, sizeof(md5), &ignored) == 0)
        checksum_set(&ret->stored, CHECKSUM_MD5, md5);
}

static void read_fragile(const struct http_response *response, size_t index, char **ret)
{
    auto_free char *own = own_header(index);
    const char *value = http_response_header(response, swift_fragile[index]);

    *ret = xstrdup_null(value ? value : http_response_header(response, own));
}

int swift_headers_read(const struct http_response *response, struct object *ret, struct call *call)
{
    const char *etag = http_response_header(response, "ETag");
    const char *delete_at = http_response_header(response, "X-Delete-At");

    if (read_size(response, &ret->size, call) < 0)
        return -1;
    if (!etag || !*etag)
        return err_set(&call->err, ERR_REMOTE, "the server did not say which version it is (ETag)");
    ret->etag = swift_unquote(etag);
    read_md5(response, etag, ret);
    ret->modified = modified(response);
    ret->version = xstrdup_null(http_response_header(response, "X-Object-Version-Id"));
    ret->content_type = xstrdup_null(http_response_header(response, "Content-Type"));
    ret->content_encoding = xstrdup_null(http_response_header(response, "Content-Encoding"));
    ret->content_disposition = xstrdup_null(http_response_header(response, "Content-Disposition"));
    read_fragile(response, 0, &ret->content_language);
    read_fragile(response, 1, &ret->cache_control);
    read_fragile(response, 2, &ret->expires);
    swift_metadata_read(&response->headers, &ret->metadata);
    if (delete_at && !pairs_get(&ret->metadata, DELETE_AT))
        pairs_add(&ret->metadata, DELETE_AT, delete_at);
    return 0;
}
