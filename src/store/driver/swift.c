// SPDX-License-Identifier: EUPL-1.2
/* Opening a Swift store: authentication, limits, traits. */
#include "store/driver/swift.h"

#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/json.h"
#include "codec/url.h"
#include "store/driver/swift_internal.h"

/* What Swift has by default, for servers without /info. */
static const struct swift_limits default_limits = {
    .file_size = UINT64_C(5368709122),
    .name_bytes = 1024,
    .meta_name = 128,
    .meta_value = 256,
    .meta_count = 90,
    .meta_overall = 4096,
    .segments = 1000,
    .segment_size_min = 1,
    .listing = 10000,
    .versioning = false,
    .slo = true,
};

/* A page is read into memory: so many entries at most, whatever the server offers. */
#define LISTING_PAGE 5000

/* What our own items take of the room for metadata. */
#define OWN_COUNT 16
#define OWN_BYTES 512

static int swift_reach(struct store *store, int64_t *ret_clock_ahead, struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {.method = "HEAD"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    int64_t before = clock_wall(), there;

    if (swift_simple(s, &request, "", &response, NULL, call, "look at the account") < 0)
        return -1;
    const char *date = http_response_header(&response, "Date");
    /* HTTP dates are cut to the second: half a second is the best guess. */
    if (date && date_parse_rfc1123(date, &there, &call->err) == 0)
        *ret_clock_ahead = there + CLOCK_SECOND / 2 - (before + clock_wall()) / 2;
    err_clear(&call->err);
    return 0;
}

/* A write is durable when Swift answers. */
static int swift_sync(struct store *store, struct call *call)
{
    (void)store;
    (void)call;
    return 0;
}

static void swift_release(struct swift *s)
{
    if (s->auth)
        keystone_free(s->auth);
    if (s->client)
        http_client_free(s->client);
    free(s->storage_url);
    free(s->segments_suffix);
    pairs_release(&s->segmented);
    pthread_mutex_destroy(&s->lock);
}

static void swift_close(struct store *store)
{
    struct swift *s = swift_of(store);

    swift_release(s);
    store_release(store);
    free(s);
}

static const struct store_ops swift_ops = {
    .reach = swift_reach,
    .stat = swift_stat,
    .get = swift_get,
    .put = swift_put,
    .remove = swift_remove,
    .list = swift_list,
    .upload_begin = swift_upload_begin,
    .upload_part = swift_upload_part,
    .upload_commit = swift_upload_commit,
    .upload_abort = swift_upload_abort,
    .copy = swift_copy,
    .sync = swift_sync,
    .close = swift_close,
};

/* ----------------------------------------------------------------- limits */

static void take_limit(const json_t *section, const char *key, uint32_t *limit)
{
    int64_t value;

    if (json_number(section, key, &value) && value > 0 && value <= UINT32_MAX)
        *limit = (uint32_t)value;
}

static void read_limits(const json_t *info, struct swift_limits *limits)
{
    const json_t *swift = json_object_get(info, "swift"), *slo = json_object_get(info, "slo");
    int64_t size;

    if (json_number(swift, "max_file_size", &size) && size > 0)
        limits->file_size = (uint64_t)size;
    take_limit(swift, "max_object_name_length", &limits->name_bytes);
    take_limit(swift, "max_meta_name_length", &limits->meta_name);
    take_limit(swift, "max_meta_value_length", &limits->meta_value);
    take_limit(swift, "max_meta_count", &limits->meta_count);
    take_limit(swift, "max_meta_overall_size", &limits->meta_overall);
    take_limit(swift, "container_listing_limit", &limits->listing);
    take_limit(slo, "max_manifest_segments", &limits->segments);
    take_limit(slo, "min_segment_size", &limits->segment_size_min);
    if (limits->listing > LISTING_PAGE)
        limits->listing = LISTING_PAGE;
    if (limits->meta_name < 32)
        limits->meta_name = 32;
    limits->slo = slo != NULL;
    /* Ceph heeds no If-None-Match.  Its /info has Swift's limits, but not this one. */
    limits->if_absent = json_object_get(swift, "max_header_size") != NULL;
    limits->website = json_object_get(info, "staticweb") != NULL;
    limits->versioning = json_object_get(info, "object_versioning") != NULL;
}

/* "https://host/some/v1/AUTH_x" has its description at "https://host/some/info". */
static char *info_url(const char *storage_url)
{
    const char *version = strstr(storage_url, "/v1");

    if (!version)
        return NULL;
    return xasprintf("%.*s/info", (int)(version - storage_url), storage_url);
}

/* Servers may hide /info: then Swift's defaults hold. */
static int ask_limits(struct swift *s, const char *storage_url, struct call *call)
{
    auto_request struct http_request request = {.method = "GET", .url = info_url(storage_url)};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_buf struct buf body = BUF_INIT(SWIFT_INFO_MAX);
    auto_json json_t *info = NULL;
    struct sink_buf sink;
    struct err ignored;

    s->limits = default_limits;
    if (!request.url)
        return 0;
    sink_buf_init(&sink, &body);
    if (http_do(s->client, &request, &response, &sink.sink, NULL, call) < 0)
        return err_prefix(&call->err, "ask the server for its limits");
    if (response.status == 200 && json_parse(body.data, body.length, &info, &ignored) == 0)
        read_limits(info, &s->limits);
    return 0;
}

static uint32_t less(uint32_t value, uint32_t by)
{
    return value > 2 * by ? value - by : value / 2;
}

static void set_traits(struct swift *s)
{
    const struct swift_limits *l = &s->limits;

    s->store.traits = (struct store_traits){
        .driver = "swift",
        .object_size_max = l->slo ? l->file_size * l->segments : l->file_size,
        .put_size_max = l->file_size,
        .part_size_min = l->segment_size_min,
        .part_size_max = l->file_size,
        .parts_max = l->segments,
        .name_refuses = NAME_NO_NON_UTF8,
        .name_bytes_max = l->name_bytes,
        /* Keys may have to be told twice: see swift_metadata.c. */
        .metadata_bytes_max = less(l->meta_overall, OWN_BYTES) / 2,
        .metadata_value_max = l->meta_value,
        .metadata_count_max = less(l->meta_count, OWN_COUNT),
        .metadata_keeps_case = true,
        .lists_in_order = true,
    };
}

/* ---------------------------------------------------------------- opening */

static int start(struct swift *s, const struct swift_options *options, const char *name,
                 struct call *call)
{
    auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;
    const char *url;

    if (http_client_new(&options->http, &s->client, &call->err) < 0 ||
        keystone_new(&options->auth, s->client, &s->auth, &call->err) < 0 ||
        keystone_access(s->auth, &access, call) < 0)
        return -1;
    url = s->storage_url ? s->storage_url : access.storage_url;
    if (ask_limits(s, url, call) < 0)
        return -1;
    auto_free char *identity = xasprintf("swift %s", url);
    store_init(&s->store, &swift_ops, name, identity);
    s->store.containers = &swift_container_ops;
    set_traits(s);
    return 0;
}

/* A URL to which paths are appended. */
static char *without_slash(const char *url)
{
    size_t n = url ? strlen(url) : 0;

    while (n && url[n - 1] == '/')
        n--;
    return n ? xstrndup(url, n) : NULL;
}

int swift_store_open(const struct swift_options *options, const char *name, struct store **ret,
                     struct call *call)
{
    struct swift *s = xcalloc(1, sizeof(*s));

    s->segments_suffix = xstrdup(options->segments_suffix ? options->segments_suffix : "_segments");
    s->storage_url = without_slash(options->storage_url);
    (void)pthread_mutex_init(&s->lock, NULL);
    if (!*s->segments_suffix || strchr(s->segments_suffix, '/'))
        (void)err_set(&call->err, ERR_INVALID,
                      "the suffix of segment containers cannot be empty or hold a slash");
    else if (start(s, options, name, call) == 0) {
        *ret = &s->store;
        return 0;
    }
    swift_release(s);
    free(s);
    return err_prefix(&call->err, "%s", name);
}
