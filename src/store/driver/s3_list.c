// SPDX-License-Identifier: EUPL-1.2
/*
 * Listings: see s3_private.h.
 *
 * A cursor is an escaped query: "token=..." (ListObjectsV2), "marker=..." (ListObjects) or
 * "key=...&version=..." (ListObjectVersions); "after=..." is the last name where the token cannot
 * be had.
 *
 * Names come URL-encoded, since XML cannot hold all of them.  Ceph encodes nothing else: a token,
 * an echo of the request may hold what no parser takes.  Such an answer is mended; what is mended
 * is never used.
 */
#include <string.h>

#include "codec/url.h"
#include "codec/xml-mend.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

enum style { STYLE_V2, STYLE_V1, STYLE_VERSIONS };

static enum style style_of(const struct s3 *s, const struct list_options *options)
{
    if (options->include & LIST_VERSIONS)
        return STYLE_VERSIONS;
    return provider_has_quirk(&s->provider, QUIRK_LIST_V1_ONLY) ||
                   s->provider.features[FEATURE_LIST_V2] == FACT_NO
               ? STYLE_V1
               : STYLE_V2;
}

static int ask_after(struct s3_exchange *x, const char *cursor)
{
    static const struct {
        const char *ours, *theirs;
    } words[] = {{"token", "continuation-token"},
                 {"marker", "marker"},
                 {"key", "key-marker"},
                 {"version", "version-id-marker"},
                 {"after", "start-after"}};
    auto_pairs struct pairs parts = PAIRS_INIT;

    if (!cursor)
        return 0;
    if (query_parse(cursor, &parts, &x->call->err) < 0)
        return err_prefix(&x->call->err, "the cursor of a listing");
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const char *value = pairs_get(&parts, words[i].ours);
        if (value)
            s3_exchange_query(x, words[i].theirs, value);
    }
    return 0;
}

static int ask(struct s3_exchange *x, enum style style, const struct list_options *options,
               bool encoded)
{
    uint64_t most = x->s3->provider.limits.list_page_max;

    if (!most || most > S3_LIST_MAX)
        most = S3_LIST_MAX;
    if (options->limit && options->limit < most)
        most = options->limit;
    auto_free char *limit = xasprintf("%u", (unsigned)most);
    if (style == STYLE_V2)
        s3_exchange_query(x, "list-type", "2");
    if (style == STYLE_VERSIONS)
        s3_exchange_query(x, "versions", "");
    s3_exchange_query(x, "max-keys", limit);
    if (options->prefix && *options->prefix)
        s3_exchange_query(x, "prefix", options->prefix);
    if (options->delimiter && *options->delimiter)
        s3_exchange_query(x, "delimiter", options->delimiter);
    if (encoded)
        s3_exchange_query(x, "encoding-type", "url");
    return ask_after(x, options->cursor);
}

/* Where the next page begins. */
static int next_cursor(struct s3_page *page, enum style style, struct err *e)
{
    auto_buf struct buf cursor = BUF_INIT(1024 * 1024);

    if (!page->truncated)
        return 0;
    const char *marker = page->next_marker ? page->next_marker : page->last;
    if (style == STYLE_V2 && page->next_token && !xml_is_mended(page->next_token)) {
        query_add(&cursor, "token", page->next_token);
    } else if (style == STYLE_V2 && page->next_token && page->last) {
        query_add(&cursor, "after", page->last);
    } else if (style == STYLE_V1 && marker) {
        query_add(&cursor, "marker", marker);
    } else if (style == STYLE_VERSIONS && page->next_marker) {
        query_add(&cursor, "key", page->next_marker);
        if (page->next_version)
            query_add(&cursor, "version", page->next_version);
    } else {
        return err_set(e, ERR_REMOTE, "the listing goes on, but does not say where");
    }
    page->list.cursor = buf_take(&cursor);
    return 0;
}

/* Names that were mended are not the right ones. */
static int check_mended(const struct s3_page *page, const struct xml_mender *mender, struct err *e)
{
    if (!mender->mended || page->encoded)
        return 0;
    return err_set(e, ERR_REMOTE,
                   "it holds characters that XML cannot, and this store does not encode names");
}

int s3_list(struct store *s, const char *container, const struct list_options *options,
            struct object_list *ret, struct call *call)
{
    struct s3 *s3 = s3_of(s);
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_xml_reader struct xml_reader reader;
    enum style style = style_of(s3, options);
    bool encoded = !provider_has_quirk(&s3->provider, QUIRK_LIST_URL_ENCODING_OFF);
    cleanup(s3_page_release) struct s3_page page = {.decode = encoded,
                                                    .versions = style == STYLE_VERSIONS};

    struct xml_mender mender;

    xml_reader_init(&reader, 64 * 1024, S3_XML_MAX, s3_page_start, s3_page_end, &page);
    xml_mender_init(&mender, &reader.sink);
    s3_exchange_init(&x, s3, "GET", container, NULL, "list", call);
    if (ask(&x, style, options, encoded) < 0 ||
        s3_exchange_send(&x, encoded ? &mender.sink : &reader.sink, NULL) < 0)
        return -1;
    if (xml_mender_finish(&mender, call) < 0 || xml_reader_finish(&reader, &call->err) < 0 ||
        check_mended(&page, &mender, &call->err) < 0 || next_cursor(&page, style, &call->err) < 0) {
        if (call->err.code == ERR_INVALID)
            call->err.code = ERR_REMOTE;
        return err_prefix(&call->err, "list '%s'", container);
    }
    *ret = page.list;
    page.list = (struct object_list)OBJECT_LIST_INIT;
    return 0;
}
