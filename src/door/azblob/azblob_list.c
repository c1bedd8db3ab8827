// SPDX-License-Identifier: EUPL-1.2
/*
 * List Blobs: see azblob_private.h.
 *
 * An answer of up to 5,000 entries is written as it is read, some hundred rows at a time, so that
 * it takes little memory whatever metadata the entries have.
 */
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "codec/utf8.h"
#include "codec/xml.h"
#include "door/azblob/azblob_list.h"

/* Rows read at once, and what they become at most (metadata and tags of each, escaped). */
#define ROWS_AT_ONCE 250
#define CHUNK_MAX    (64 * 1024 * 1024)
/* What is written is pushed on when it has become this much. */
#define CHUNK_PUSH (64 * 1024)

struct lister {
    struct azblob_request *r; /* borrowed; lives as long as the answer */
    struct listing_options options;
    unsigned includes;
    uint64_t left;          /* entries that still fit into the page */
    const char *end_before; /* names not less than this end the listing; NULL */
    bool ended;
    char *after;                   /* what options.after points to */
    char *marker;                  /* what options.marker points to */
    struct listing_entry *pending; /* a version that may be all there is of its name */
    struct listing_entry held;     /* what pending points to */
    struct buf out;
};

static void lister_free(void *argument)
{
    struct lister *l = argument;

    free(l->after);
    free(l->marker);
    if (l->pending)
        object_row_release(&l->held.object);
    buf_release(&l->out);
    free(l);
}

/* ---- The request ---- */

static const struct {
    const char *word;
    unsigned include;
} include_words[] = {
    {"snapshots", AZBLOB_LIST_SNAPSHOTS},
    {"metadata", AZBLOB_LIST_METADATA},
    {"uncommittedblobs", AZBLOB_LIST_UNCOMMITTED},
    {"copy", AZBLOB_LIST_COPY},
    {"deleted", AZBLOB_LIST_DELETED},
    {"tags", AZBLOB_LIST_TAGS},
    {"versions", AZBLOB_LIST_VERSIONS},
    {"deletedwithversions", AZBLOB_LIST_DELETED_WITH_VERSIONS},
    {"immutabilitypolicy", AZBLOB_LIST_IMMUTABILITY},
    {"legalhold", AZBLOB_LIST_LEGAL_HOLD},
    {"permissions", 0}, /* of hierarchical accounts, which this is not */
};

int azblob_list_includes(struct azblob_request *r, unsigned *ret, struct call *call)
{
    const char *list = azblob_query(r, "include");
    unsigned found = 0;

    while (list && *list) {
        size_t n = strcspn(list, ","), i = 0;
        while (i < ARRAY_SIZE(include_words) && (strlen(include_words[i].word) != n ||
                                                 strncasecmp(include_words[i].word, list, n) != 0))
            i++;
        if (n && i == ARRAY_SIZE(include_words))
            return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "include",
                                     "Invalid query parameter value.", call);
        if (n)
            found |= include_words[i].include;
        list += n + (list[n] == ',');
    }
    *ret = found;
    return 0;
}

static unsigned service_includes(unsigned includes)
{
    unsigned bits = 0;

    if (includes & AZBLOB_LIST_SNAPSHOTS)
        bits |= LISTING_SNAPSHOTS;
    if (includes & (AZBLOB_LIST_VERSIONS | AZBLOB_LIST_DELETED_WITH_VERSIONS))
        bits |= LISTING_VERSIONS;
    if (includes & AZBLOB_LIST_DELETED)
        bits |= LISTING_DELETED;
    if (includes & AZBLOB_LIST_UNCOMMITTED)
        bits |= LISTING_UNCOMMITTED;
    return bits;
}

/* The service begins after a name, startFrom at one: the greatest text below it will do.  No name
 * holds the byte 0xFF (it is no UTF-8), so nothing lies between. */
char *azblob_list_before(const char *name)
{
    size_t n = strlen(name);
    char *text = xmalloc(n + 2);

    memcpy(text, name, n + 1);
    if (n == 0)
        return text;
    if ((unsigned char)text[n - 1] == 1) {
        text[n - 1] = '\0';
        return text;
    }
    text[n - 1] = (char)(text[n - 1] - 1);
    text[n] = (char)0xFF;
    text[n + 1] = '\0';
    return text;
}

/* A query parameter that is not empty, or NULL. */
static const char *asked(const struct azblob_request *r, const char *key)
{
    const char *value = azblob_query(r, key);

    return value && *value ? value : NULL;
}

static int lister_init(struct lister *l, struct azblob_request *r, struct call *call)
{
    const char *from = asked(r, "startFrom");
    uint64_t limit = AZBLOB_LIST_MAX;

    buf_init(&l->out, CHUNK_MAX);
    l->r = r;
    if (azblob_list_includes(r, &l->includes, call) < 0 ||
        azblob_query_number(r, "maxresults", 1, UINT64_MAX, &limit, call) < 0)
        return -1;
    if (asked(r, "showonly"))
        return azblob_fail_query(r, AZBLOB_UNSUPPORTED_QUERY_PARAMETER, "showonly", NULL, call);
    l->left = limit < AZBLOB_LIST_MAX ? limit : AZBLOB_LIST_MAX;
    l->end_before = asked(r, "endBefore");
    l->options.prefix = asked(r, "prefix");
    l->options.delimiter = asked(r, "delimiter");
    l->options.include = service_includes(l->includes);
    l->marker = xstrdup_null(asked(r, "marker"));
    l->options.marker = l->marker;
    if (from && !l->marker) {
        l->after = azblob_list_before(from);
        l->options.after = *l->after ? l->after : NULL;
    }
    return 0;
}

/* ---- The answer ---- */

void azblob_list_name(struct buf *out, const char *element, const char *name)
{
    auto_buf struct buf escaped = BUF_INIT(3 * URL_MAX);

    /* A carriage return could only stand as "&#13;", which not all readers understand. */
    if (xml_char_ok(name, strlen(name)) && !strchr(name, '\r')) {
        xml_element(out, element, name);
        return;
    }
    url_escape(&escaped, name, strlen(name), URL_KEEP_SLASH);
    buf_printf(out, "<%s Encoded=\"true\">%s</%s>", element, escaped.data, element);
}

static void write_asked(struct lister *l, const char *element, const char *key)
{
    const char *value = asked(l->r, key);

    if (value && strlen(value) <= URL_MAX)
        azblob_list_name(&l->out, element, value);
}

static void write_head(struct lister *l)
{
    xml_head(&l->out);
    buf_text(&l->out, "<EnumerationResults ServiceEndpoint=\"");
    azblob_write_endpoint(l->r, &l->out);
    buf_text(&l->out, "\" ContainerName=\"");
    xml_escape(&l->out, l->r->target.container);
    buf_text(&l->out, "\">");
    write_asked(l, "Prefix", "prefix");
    write_asked(l, "Marker", "marker");
    write_asked(l, "StartFrom", "startFrom");
    azblob_write_asked(l->r, &l->out, "MaxResults", "maxresults");
    write_asked(l, "Delimiter", "delimiter");
    xml_open(&l->out, "Blobs");
}

static int push(struct lister *l, struct sink *sink, size_t least, struct call *call)
{
    if (l->out.length < least)
        return 0;
    if (sink_write(sink, l->out.data, l->out.length, call) < 0)
        return -1;
    buf_reset(&l->out);
    return 0;
}

static void write_pending(struct lister *l)
{
    if (!l->pending)
        return;
    azblob_list_entry(l->r, &l->out, l->includes, l->pending, true);
    object_row_release(&l->held.object);
    l->pending = NULL;
}

/* Of names that have versions but no current blob the last version stands for all, where the other
 * versions were not asked for. */
static void hold(struct lister *l, struct listing_entry *entry)
{
    if (l->pending)
        object_row_release(&l->held.object);
    l->held = *entry;
    l->pending = &l->held;
    entry->object = object_row_new();
}

static bool is_version(const struct listing_entry *entry)
{
    return entry->object.state == OBJECT_VERSION && !entry->object.current &&
           entry->object.deleted == TIME_UNKNOWN && entry->object.etag;
}

static void write_entry(struct lister *l, struct listing_entry *entry)
{
    bool of_pending =
        l->pending && !entry->prefix && strcmp(l->held.object.name, entry->object.name) == 0;

    if (!of_pending)
        write_pending(l);
    if (entry->prefix) {
        xml_open(&l->out, "BlobPrefix");
        azblob_list_name(&l->out, "Name", entry->prefix);
        xml_close(&l->out, "BlobPrefix");
        return;
    }
    /* A delete marker of the other door: no blob. */
    if (entry->object.marker)
        return;
    if (is_version(entry) && !(l->includes & AZBLOB_LIST_VERSIONS)) {
        if (entry->has_versions_only)
            hold(l, entry);
        return;
    }
    azblob_list_entry(l->r, &l->out, l->includes, entry, false);
}

static int write_rows(struct lister *l, struct listing *rows, struct sink *sink, struct call *call)
{
    for (size_t i = 0; i < rows->count && !l->ended; i++) {
        struct listing_entry *entry = &rows->list[i];
        const char *name = entry->prefix ? entry->prefix : entry->object.name;
        if (l->end_before && strcmp(name, l->end_before) >= 0) {
            l->ended = true;
            break;
        }
        write_entry(l, entry);
        if (push(l, sink, CHUNK_PUSH, call) < 0)
            return -1;
    }
    return 0;
}

static int read_rows(struct lister *l, struct listing *rows, struct call *call)
{
    l->options.limit = l->left < ROWS_AT_ONCE ? (unsigned)l->left : ROWS_AT_ONCE;
    return service_list(l->r->door->options.service, l->r->account.name, l->r->target.container,
                        &l->options, rows, call);
}

static int list_produce(void *argument, struct sink *sink, struct call *call)
{
    struct lister *l = argument;
    bool first = true;

    do {
        auto_listing struct listing rows = {0};
        /* Nothing is written before the first rows came: an error can still be told. */
        if (read_rows(l, &rows, call) < 0)
            return -1;
        if (first)
            write_head(l);
        first = false;
        if (write_rows(l, &rows, sink, call) < 0)
            return -1;
        l->left -= rows.count < l->left ? rows.count : l->left;
        free(l->marker);
        l->marker = l->ended ? NULL : take(rows.next);
        l->options.marker = l->marker;
        l->options.after = NULL;
    } while (l->marker && l->left);
    write_pending(l);
    xml_close(&l->out, "Blobs");
    xml_element(&l->out, "NextMarker", l->marker ? l->marker : "");
    xml_close(&l->out, "EnumerationResults");
    return push(l, sink, 1, call);
}

int azblob_container_list(struct azblob_request *r, struct call *call)
{
    struct lister *l = xcalloc(1, sizeof(*l));

    if (lister_init(l, r, call) < 0) {
        lister_free(l);
        return -1;
    }
    azblob_say(r, "Content-Type", "application/xml");
    return azblob_answer_stream(r, 200, UINT64_MAX, list_produce, l, lister_free, call);
}
