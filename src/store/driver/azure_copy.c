// SPDX-License-Identifier: EUPL-1.2
/* Copies inside the service; tiers, tags and page ranges. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "store/driver/azure_private.h"
#include "store/driver/azure_xml.h"

#define POLL_FIRST (200 * CLOCK_MILLISECOND)
#define POLL_MOST  (10 * CLOCK_SECOND)
#define TAGS_MAX   (64 * 1024)

/* ------------------------------------------------------------------------- copies */

static void abort_copy(struct azure *a, const struct object_key *to, const char *id)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct call call = CALL_INIT; /* ours was cancelled */

    call.deadline = clock_monotonic() + 30 * CLOCK_SECOND;
    azure_exchange_key(a, &x, "PUT", to, 'w');
    azure_exchange_query(&x, "comp", "copy");
    azure_exchange_query(&x, "copyid", id);
    azure_exchange_header(&x, "x-ms-copy-action", "abort");
    if (azure_exchange_do(a, &x, NULL, NULL, &call) < 0)
        return; /* it has ended by itself, or goes on: either way there is nothing more to do */
}

/* Look until the copy is no longer pending. */
static int await_copy(struct azure *a, const struct object_key *to, const char *id,
                      struct put_result *ret, struct call *call)
{
    int64_t pause = POLL_FIRST;

    for (;;) {
        auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
        if (call_sleep(call, pause) < 0) {
            abort_copy(a, to, id);
            return -1;
        }
        pause = pause * 2 < POLL_MOST ? pause * 2 : POLL_MOST;
        azure_exchange_key(a, &x, "HEAD", to, 'r');
        if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
            return -1;
        const char *now = azure_answer(&x, "x-ms-copy-id");
        const char *status = azure_answer(&x, "x-ms-copy-status");
        const char *why = azure_answer(&x, "x-ms-copy-status-description");
        if (!now || !status || strcmp(now, id) != 0)
            return err_set(&call->err, ERR_CONFLICT, "the copy's target was replaced meanwhile");
        if (strcmp(status, "success") == 0) {
            azure_read_written(&x, ret);
            return 0;
        }
        if (strcmp(status, "pending") != 0)
            return err_set(&call->err, ERR_REMOTE, "the service gave the copy up (%.20s%s%.200s)",
                           status, why ? ": " : "", why ? why : "");
    }
}

/* A copy takes metadata, tags and tier from its request, but headers from its source. */
static int set_headers(struct azure *a, const struct object_key *to,
                       const struct put_options *options, struct put_result *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct object headers = *options->properties;
    struct put_options only = *options;
    struct azure_write write = {.options = &only, .stored_md5 = true};

    headers.metadata = (struct pairs)PAIRS_INIT; /* borrowed for this one call: never released */
    headers.tags = (struct pairs)PAIRS_INIT;
    headers.is_folder = false;
    only.properties = &headers;
    azure_exchange_key(a, &x, "PUT", to, 'w');
    azure_exchange_query(&x, "comp", "properties");
    if (azure_write_properties(&x, &write, &call->err) < 0)
        return -1;
    azure_exchange_conditions(&x, ret->etag, false);
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
        return -1;
    azure_read_written(&x, ret);
    return 0;
}

static void source_url(const struct azure *a, struct buf *url, const struct object_key *from)
{
    const char *sas = azure_sas_query(a);

    azure_object_url(a, url, from);
    if (sas)
        buf_printf(url, "%c%s", strchr(url->data, '?') ? '&' : '?', sas);
}

/* What the copy shall have, where the caller does not say: all that the source has. */
static int keep_properties(struct store *s, const struct object_key *from, struct object *ret,
                           struct call *call)
{
    if (azure_stat(s, from, ret, call) < 0)
        return -1;
    if (ret->tag_count && azure_tag_ops.get(s, from, &ret->tags, call) < 0)
        return -1;
    return 0;
}

static int start_copy(struct azure *a, const struct object_key *from, const char *if_match,
                      const struct object_key *to, const struct put_options *options,
                      struct azure_exchange *x, struct call *call)
{
    auto_buf struct buf url = BUF_INIT(4 * URL_MAX);
    struct object given = *options->properties;
    struct put_options only = *options;
    struct azure_write write = {.options = &only, .tier = given.type == OBJECT_BLOCK};

    given.content_type = given.content_encoding = given.content_language = NULL;
    given.content_disposition = given.cache_control = NULL;
    only.properties = &given; /* borrows all it points to */
    azure_exchange_key(a, x, "PUT", to, 'w');
    source_url(a, &url, from);
    azure_exchange_header(x, "x-ms-copy-source", url.data);
    if (if_match)
        http_request_headerf(&x->request, "x-ms-source-if-match", "\"%s\"", if_match);
    azure_exchange_conditions(x, options->if_match, options->if_absent);
    if (azure_write_properties(x, &write, &call->err) < 0)
        return -1;
    return azure_exchange_do(a, x, NULL, NULL, call);
}

int azure_copy(struct store *s, const struct object_key *from, const char *if_match,
               const struct object_key *to, const struct put_options *options,
               struct put_result *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_object struct object kept = OBJECT_INIT;
    struct azure *a = azure_of(s);
    struct put_options with = *options;

    if (azure_readable(from, call) < 0 || azure_name_ok(to, &call->err) < 0)
        return -1;
    if (!with.properties) {
        if (keep_properties(s, from, &kept, call) < 0)
            return -1;
        with.properties = &kept;
    }
    if (start_copy(a, from, if_match ? if_match : kept.etag, to, &with, &x, call) < 0)
        return -1;
    const char *status = azure_answer(&x, "x-ms-copy-status");
    const char *id = azure_answer(&x, "x-ms-copy-id");
    azure_read_written(&x, ret);
    ret->proof =
        PROOF_NONE; /* the service vouches for it, but with nothing that could be checked */
    if (status && id && strcmp(status, "pending") == 0 && await_copy(a, to, id, ret, call) < 0)
        return -1;
    return options->properties ? set_headers(a, to, options, ret, call) : 0;
}

/* -------------------------------------------------------------------------- tiers */

static int tier_set(struct store *s, const struct object_key *key, const char *tier,
                    const char *priority, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure *a = azure_of(s);

    if (azure_readable(key, call) < 0)
        return -1;
    azure_exchange_key(a, &x, "PUT", key, 'w');
    azure_exchange_query(&x, "comp", "tier");
    azure_exchange_header(&x, "x-ms-access-tier", tier);
    if (priority)
        azure_exchange_header(&x, "x-ms-rehydrate-priority", priority);
    return azure_exchange_do(a, &x, NULL, NULL, call);
}

const struct tier_ops azure_tier_ops = {.set = tier_set};

/* --------------------------------------------------------------------------- tags */

static int tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                    struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);
    struct azure *a = azure_of(s);

    if (azure_readable(key, call) < 0)
        return -1;
    azure_exchange_key(a, &x, "GET", key, 't');
    azure_exchange_query(&x, "comp", "tags");
    if (azure_exchange_text(a, &x, &text, call) < 0)
        return -1;
    return azure_tags_parse(text.data, text.length, ret, &call->err);
}

static int tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                    struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(TAGS_MAX);
    struct azure *a = azure_of(s);
    struct source_bytes body;
    size_t bytes = 0;

    for (size_t i = 0; i < tags->count; i++)
        bytes += 64 + 6 * (strlen(tags->list[i].key) + strlen(tags->list[i].value));
    if (bytes > TAGS_MAX / 2)
        return err_set(&call->err, ERR_INVALID, "these tags are more than Azure takes");
    if (azure_readable(key, call) < 0)
        return -1;
    azure_tags_write(&text, tags);
    source_bytes_init(&body, text.data, text.length);
    azure_exchange_key(a, &x, "PUT", key, 't');
    azure_exchange_query(&x, "comp", "tags");
    azure_exchange_header(&x, "Content-Type", "application/xml; charset=utf-8");
    azure_exchange_body(&x, &body.source, text.length);
    return azure_exchange_do(a, &x, NULL, NULL, call);
}

/* https://learn.microsoft.com/azure/storage/blobs/storage-manage-find-blobs */
static bool tag_text_fits(const char *text, size_t least, size_t most)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  " +-./:=_";
    size_t length = strlen(text);

    return length >= least && length <= most && strspn(text, allowed) == length;
}

static int tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                         bool *ret, struct call *call)
{
    (void)s, (void)container, (void)call;
    *ret = true;
    for (size_t i = 0; i < tags->count && *ret; i++)
        *ret =
            tag_text_fits(tags->list[i].key, 1, 128) && tag_text_fits(tags->list[i].value, 0, 256);
    return 0;
}

const struct tag_ops azure_tag_ops = {.can_hold = tags_can_hold, .get = tags_get, .set = tags_set};

/* -------------------------------------------------------------------- page ranges */

/* One page of the ranges between from and to (not included). */
static int ranges_page(struct azure *a, const struct object_key *key, const char *etag,
                       uint64_t from, uint64_t to, char **marker, struct extent_list *into,
                       struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_azure_ranges struct azure_ranges ranges;
    int result;

    azure_ranges_init(&ranges, into);
    azure_exchange_key(a, &x, "GET", key, 'r');
    azure_exchange_query(&x, "comp", "pagelist");
    azure_exchange_query_number(&x, "maxresults", 10000);
    if (*marker)
        azure_exchange_query(&x, "marker", *marker);
    http_request_headerf(&x.request, "x-ms-range", "bytes=%" PRIu64 "-%" PRIu64, from, to - 1);
    azure_exchange_conditions(&x, etag, false);
    result = azure_exchange_do(a, &x, &ranges.reader.sink, NULL, call);
    free(take(*marker));
    return result < 0 ? -1 : azure_ranges_finish(&ranges, marker, &call->err);
}

/* Only what lies in the window: services answer with whole pages. */
static void cut(struct extent_list *all, uint64_t from, uint64_t to, struct extent_list *ret)
{
    for (size_t i = 0; i < all->count; i++) {
        uint64_t start = all->list[i].offset, end = start + all->list[i].length;
        start = start < from ? from : start;
        end = end > to ? to : end;
        if (start < end)
            extent_list_add(ret, start, end - start);
    }
}

static int extents_get(struct store *s, const struct object_key *key, const char *if_match,
                       uint64_t offset, uint64_t length, struct extent_list *ret, struct call *call)
{
    auto_object struct object o = OBJECT_INIT;
    auto_extents struct extent_list all = {0};
    auto_free char *marker = NULL;
    struct azure *a = azure_of(s);

    if (azure_stat(s, key, &o, call) < 0)
        return -1;
    if (if_match && !same_string(if_match, o.etag))
        return err_set(&call->err, ERR_CHANGED, "it is not the version asked for any more");
    uint64_t end = length > o.size || offset > o.size - length ? o.size : offset + length;
    if (offset >= end)
        return 0;
    if (o.type != OBJECT_PAGE) {
        extent_list_add(ret, offset, end - offset);
        return 0;
    }
    do {
        if (ranges_page(a, key, o.etag, offset, end, &marker, &all, call) < 0)
            return -1;
    } while (marker);
    cut(&all, offset, end, ret);
    return 0;
}

const struct extent_ops azure_extent_ops = {.get = extents_get};
