// SPDX-License-Identifier: EUPL-1.2
/* The Swift driver's containers: list, stat, create, remove. */
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/json.h"
#include "codec/url.h"
#include "store/driver/swift_internal.h"

#define META "X-Container-Meta-"

/* Items of X-Container-Meta- that mean something to Swift: settings, not metadata. */
static const char *const meaningful[] = {
    "web-", "access-control-", "quota-", "temp-url-", "sysmeta-",
};

int swift_container_head(struct swift *s, const char *container, struct http_response *response,
                         struct call *call)
{
    auto_request struct http_request request = {.method = "HEAD"};
    auto_free char *path = swift_path(container, NULL);

    return swift_simple(s, &request, path, response, NULL, call, "look at container '%s'",
                        container);
}

bool swift_container_versions(const struct http_response *response)
{
    const char *enabled = http_response_header(response, "X-Versions-Enabled");

    return (enabled && strcasecmp(enabled, "true") == 0) ||
           http_response_header(response, "X-Versions-Location") ||
           http_response_header(response, "X-History-Location");
}

static void read_metadata(const struct pairs *headers, struct pairs *ret)
{
    for (size_t i = 0; i < headers->count; i++) {
        const char *key = headers->list[i].key, *name = key + strlen(META);
        bool means = false;
        if (strncasecmp(key, META, strlen(META)) != 0 || !*headers->list[i].value)
            continue;
        for (size_t m = 0; m < ARRAY_SIZE(meaningful); m++)
            means |= strncasecmp(name, meaningful[m], strlen(meaningful[m])) == 0;
        if (means)
            continue;
        /* As X-Object-Meta-, so that one function reads both. */
        auto_free char *header = xasprintf("X-Object-Meta-%s", name);
        pairs_add(ret, header, headers->list[i].value);
    }
}

/* "everybody may read" is ".r:*", "and list" is ".rlistings". */
static const char *access_word(const char *readers)
{
    if (!readers || !strstr(readers, ".r:*"))
        return "private";
    return strstr(readers, ".rlistings") ? "container" : "blob";
}

static int container_stat(struct store *store, const char *container, struct container *ret,
                          struct call *call)
{
    struct swift *s = swift_of(store);
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    struct err ignored;

    if (swift_container_head(s, container, &response, call) < 0)
        return -1;
    const char *date = http_response_header(&response, "Last-Modified");
    ret->name = xstrdup(container);
    if (!date || date_parse_rfc1123(date, &ret->modified, &ignored) < 0)
        ret->modified = TIME_UNKNOWN;
    ret->access = xstrdup(access_word(http_response_header(&response, "X-Container-Read")));
    ret->versioning = swift_container_versions(&response);
    read_metadata(&response.headers, &headers);
    swift_metadata_read(&headers, &ret->metadata);
    return 0;
}

static int set_properties(struct swift *s, struct http_request *request,
                          const struct container *properties, struct call *call)
{
    auto_pairs struct pairs headers = PAIRS_INIT;

    if (!properties)
        return 0;
    swift_metadata_write(&properties->metadata, &s->limits, &headers);
    for (size_t i = 0; i < headers.count; i++) {
        const char *name = headers.list[i].key + strlen("X-Object-Meta-");
        auto_free char *header = xasprintf(META "%s", name);
        http_request_header(request, header, headers.list[i].value);
    }
    if (properties->access && strcmp(properties->access, "container") == 0)
        http_request_header(request, "X-Container-Read", ".r:*,.rlistings");
    else if (properties->access && strcmp(properties->access, "blob") == 0)
        http_request_header(request, "X-Container-Read", ".r:*");
    if (properties->versioning && !s->limits.versioning)
        return err_set(&call->err, ERR_UNSUPPORTED, "this server keeps no versions");
    if (properties->versioning)
        http_request_header(request, "X-Versions-Enabled", "true");
    return 0;
}

static int container_create(struct store *store, const char *container,
                            const struct container *properties, struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {.method = "PUT"};
    auto_response struct http_response head = HTTP_RESPONSE_INIT, response = HTTP_RESPONSE_INIT;
    auto_free char *path = swift_path(container, NULL);

    if (strchr(container, '/'))
        return err_set(&call->err, ERR_NAME, "create container '%s': no slash may be in its name",
                       container);
    /* PUT on a container that is there would change its metadata. */
    if (swift_container_head(s, container, &head, call) == 0)
        return err_set(&call->err, ERR_EXISTS, "create container '%s': it is there already",
                       container);
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    if (set_properties(s, &request, properties, call) < 0)
        return err_prefix(&call->err, "create container '%s'", container);
    if (swift_simple(s, &request, path, &response, NULL, call, "create container '%s'", container) <
        0)
        return -1;
    if (response.status == 202)
        return err_set(&call->err, ERR_EXISTS,
                       "create container '%s': somebody else has just created it", container);
    return 0;
}

static int container_remove(struct store *store, const char *container, struct call *call)
{
    struct swift *s = swift_of(store);
    auto_request struct http_request request = {.method = "DELETE"}, other = {.method = "DELETE"};
    auto_free char *path = swift_path(container, NULL);
    auto_free char *segments = swift_segments_container(s, container);
    auto_free char *segments_path = swift_path(segments, NULL);
    struct call own = call_child(call, NULL);

    if (swift_simple(s, &request, path, NULL, NULL, call, "remove container '%s'", container) < 0) {
        if (call->err.code == ERR_CONFLICT)
            (void)err_set(&call->err, ERR_CONFLICT,
                          "remove container '%s': it is not empty (or keeps versions that are)",
                          container);
        return -1;
    }
    /* Its segment container too, when that is empty; anything else in it is not ours to judge. */
    if (swift_simple(s, &other, segments_path, NULL, NULL, &own, "remove container '%s'",
                     segments) == 0) {
        locked(&s->lock);
        pairs_set(&s->segmented, container, "no");
    }
    return 0;
}

/* ------------------------------------------------------------------- list */

/* A segment container is part of another one, as long as that is there: 1, 0 or -1. */
static int is_segments(struct swift *s, const char *name, struct call *call)
{
    size_t n = strlen(name), suffix = strlen(s->segments_suffix);
    auto_response struct http_response response = HTTP_RESPONSE_INIT;

    if (n <= suffix || strcmp(name + n - suffix, s->segments_suffix) != 0)
        return 0;
    auto_free char *base = xstrndup(name, n - suffix);
    if (swift_container_head(s, base, &response, call) == 0)
        return 1;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

static int add_container(struct swift *s, const json_t *entry, struct container_list *page,
                         char **last, struct call *call)
{
    const char *name = json_text(entry, "name"), *modified = json_text(entry, "last_modified");
    struct err ignored;

    if (!name || !*name)
        return err_set(&call->err, ERR_REMOTE, "a container without a name");
    replace_string(last, name);
    int segments = is_segments(s, name, call);
    if (segments)
        return segments < 0 ? -1 : 0;
    struct container *c = container_list_add(page);
    c->name = xstrdup(name);
    if (modified) {
        auto_free char *utc = xasprintf("%s%s", modified, strchr(modified, 'Z') ? "" : "Z");
        if (date_parse_iso8601(utc, &c->modified, &ignored) < 0)
            c->modified = TIME_UNKNOWN;
    }
    return 0;
}

static int container_list(struct store *store, const char *cursor, struct container_list *ret,
                          struct call *call)
{
    struct swift *s = swift_of(store);
    auto_container_list struct container_list page = CONTAINER_LIST_INIT;
    auto_buf struct buf query = BUF_INIT(URL_MAX);
    auto_json json_t *list = NULL;
    size_t i;
    json_t *entry;

    query_add(&query, "format", "json");
    if (cursor)
        query_add(&query, "marker", cursor);
    auto_free char *path = xasprintf("?%s", query.data);
    if (swift_get_json(s, path, SWIFT_LISTING_MAX, &list, call, "list the containers") < 0)
        return -1;
    json_array_foreach(list, i, entry)
    {
        if (add_container(s, entry, &page, &page.cursor, call) < 0)
            return err_prefix(&call->err, "list the containers");
    }
    *ret = page;
    page = (struct container_list)CONTAINER_LIST_INIT;
    return 0;
}

const struct container_ops swift_container_ops = {
    .list = container_list,
    .stat = container_stat,
    .create = container_create,
    .remove = container_remove,
    .settings = swift_container_settings,
    .apply = swift_container_apply,
};
