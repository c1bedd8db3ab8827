// SPDX-License-Identifier: EUPL-1.2
/*
 * The Swift driver's listings.
 *
 * A cursor is what the next page is asked with: "n<name>" (marker), or with versions
 * "v<version>/<name>" (version_marker and marker).  A short page is no promise that it was the last
 * (a sharded container gives what one shard has): the listing has ended when a page is empty.
 *
 * Swift answers the listing of an empty container and of a missing one alike (204 or an empty list)
 * in places; the first page that comes out empty makes us ask for the container itself.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/url.h"
#include "store/driver/swift_internal.h"

#define EMPTY_MD5 "d41d8cd98f00b204e9800998ecf8427e"

/* ---------------------------------------------------------------- parsing */

static int parse_time(const char *text, int64_t *ret)
{
    struct err ignored;
    /* Swift: "2026-11-22T03:28:52.566850", UTC though nothing says so.  Ceph says it. */
    auto_free char *utc = xasprintf("%s%s", text, strchr(text, 'Z') ? "" : "Z");

    return date_parse_iso8601(utc, ret, &ignored);
}

static void parse_etag(const json_t *entry, struct object *ret)
{
    const char *hash = json_text(entry, "hash"), *slo = json_text(entry, "slo_etag");
    unsigned char md5[MD5_SIZE];
    struct err ignored;

    if (slo) {
        ret->etag = swift_unquote(slo);
        return;
    }
    if (!hash)
        return;
    ret->etag = swift_unquote(hash);
    if (hex_decode(hash, md5, sizeof(md5), &ignored) == 0)
        checksum_set(&ret->stored, CHECKSUM_MD5, md5);
}

static bool is_marker(const char *content_type)
{
    return content_type && strncmp(content_type, "application/x-deleted;", 22) == 0;
}

static int parse_entry(const json_t *entry, bool versions, struct object *ret, struct err *e)
{
    const char *name = json_text(entry, "name"), *type = json_text(entry, "content_type");
    const char *modified = json_text(entry, "last_modified"),
               *version = json_text(entry, "version_id");
    int64_t bytes;

    if (!name || !*name || !json_number(entry, "bytes", &bytes) || bytes < 0)
        return err_set(e, ERR_REMOTE, "an entry without name or size");
    ret->name = xstrdup(name);
    ret->size = (uint64_t)bytes;
    if (modified && parse_time(modified, &ret->modified) < 0)
        return err_set(e, ERR_REMOTE, "an entry whose last_modified is no time");
    ret->content_type = xstrdup_null(type);
    parse_etag(entry, ret);
    ret->is_latest = json_bool(entry, "is_latest", true);
    if (!versions)
        return 0;
    ret->kind = is_marker(type) ? VERSION_MARKER
                                : (version && !ret->is_latest ? VERSION_ID : VERSION_CURRENT);
    ret->version = xstrdup_null(version);
    return 0;
}

int swift_listing_parse(const char *text, size_t length, bool versions, struct object_list *ret,
                        struct err *e)
{
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    auto_json json_t *list = NULL;
    size_t i;
    json_t *entry;

    if (json_parse(text, length, &list, e) < 0) {
        e->code = ERR_REMOTE;
        return -1;
    }
    if (!json_is_array(list))
        return err_set(e, ERR_REMOTE, "the listing is no list");
    json_array_foreach(list, i, entry)
    {
        const char *subdir = json_text(entry, "subdir");
        if (subdir)
            object_list_add_prefix(&page, subdir);
        else if (parse_entry(entry, versions, object_list_add(&page), e) < 0)
            return err_prefix(e, "entry %zu", i);
    }
    *ret = page;
    page = (struct object_list)OBJECT_LIST_INIT;
    return 0;
}

/* ----------------------------------------------------------------- asking */

static int add_cursor(struct buf *query, const char *cursor, bool versions, struct call *call)
{
    const char *slash = cursor[0] == 'v' ? strchr(cursor, '/') : NULL;

    if (!versions && cursor[0] == 'n' && cursor[1]) {
        query_add(query, "marker", cursor + 1);
        return 0;
    }
    if (!versions || !slash || !slash[1])
        return err_set(&call->err, ERR_INVALID,
                       "this cursor is not of such a listing: list from the start");
    auto_free char *version = xstrndup(cursor + 1, (size_t)(slash - cursor - 1));
    query_add(query, "marker", slash + 1);
    if (*version)
        query_add(query, "version_marker", version);
    return 0;
}

static int listing_query(const struct swift *s, const struct list_options *options, bool versions,
                         struct buf *query, struct call *call)
{
    auto_free char *limit = NULL;

    query_add(query, "format", "json");
    if (options->limit && options->limit < s->limits.listing) {
        limit = xasprintf("%u", options->limit);
        query_add(query, "limit", limit);
    }
    if (options->prefix && *options->prefix)
        query_add(query, "prefix", options->prefix);
    if (options->delimiter && *options->delimiter)
        query_add(query, "delimiter", options->delimiter);
    if (versions)
        query_add(query, "versions", "true");
    return options->cursor ? add_cursor(query, options->cursor, versions, call) : 0;
}

/* The last thing of the page, in the order of names. */
static char *next_cursor(const struct object_list *page, bool versions)
{
    const struct object *last = page->count ? &page->list[page->count - 1] : NULL;
    const char *prefix = page->prefix_count ? page->prefixes[page->prefix_count - 1] : NULL;

    if (!last && !prefix)
        return NULL;
    if (!last || (prefix && strcmp(prefix, last->name) > 0))
        return xasprintf(versions ? "v/%s" : "n%s", prefix);
    if (versions)
        return xasprintf("v%s/%s", last->version ? last->version : "", last->name);
    return xasprintf("n%s", last->name);
}

/* The head of a dynamic large object, and a symbolic link, are listed as empty; Ceph lists its
 * large objects with the size of the manifest and the MD5 of nothing. */
static int look_at_empty(struct swift *s, const char *container, struct object *o,
                         struct call *call)
{
    auto_object struct object found = OBJECT_INIT;
    struct object_key key = {.container = container, .name = o->name};

    if (o->kind == VERSION_ID) {
        key.kind = VERSION_ID;
        key.version = o->version;
    }
    if (swift_stat(&s->store, &key, &found, call) < 0) {
        /* Gone since, or a link to nowhere: whoever reads it will be told. */
        if (call->err.code != ERR_NOT_FOUND && call->err.code != ERR_CONFLICT)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    o->size = found.size;
    o->stored = found.stored;
    free(o->etag);
    o->etag = take(found.etag);
    return 0;
}

int swift_list(struct store *store, const char *container, const struct list_options *options,
               struct object_list *ret, struct call *call)
{
    struct swift *s = swift_of(store);
    bool versions = (options->include & LIST_VERSIONS) && s->limits.versioning;
    auto_request struct http_request request = {.method = "GET"};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_object_list struct object_list page = OBJECT_LIST_INIT;
    auto_buf struct buf query = BUF_INIT(URL_MAX), body = BUF_INIT(SWIFT_LISTING_MAX);
    auto_free char *base = swift_path(container, NULL);
    struct sink_buf sink;

    if (listing_query(s, options, versions, &query, call) < 0)
        return err_prefix(&call->err, "list '%s'", container);
    auto_free char *path = xasprintf("%s?%s", base, query.data);
    sink_buf_init(&sink, &body);
    if (swift_simple(s, &request, path, &response, &sink.sink, call, "list '%s'", container) < 0)
        return -1;
    if (response.status != 204 &&
        swift_listing_parse(body.data, body.length, versions, &page, &call->err) < 0)
        return err_prefix(&call->err, "list '%s': the server's answer", container);
    for (size_t i = 0; i < page.count; i++) {
        struct object *o = &page.list[i];
        if (o->kind != VERSION_MARKER && same_string(o->etag, EMPTY_MD5) &&
            look_at_empty(s, container, o, call) < 0)
            return err_prefix(&call->err, "list '%s'", container);
    }
    page.cursor = next_cursor(&page, versions);
    if (!page.cursor && !options->cursor) {
        auto_response struct http_response head = HTTP_RESPONSE_INIT;
        if (swift_container_head(s, container, &head, call) < 0)
            return -1;
    }
    *ret = page;
    page = (struct object_list)OBJECT_LIST_INIT;
    return 0;
}
