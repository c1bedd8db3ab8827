// SPDX-License-Identifier: EUPL-1.2
/* Page blobs: Put Page (update and clear), Put Page From URL, Get Page Ranges. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "codec/xml.h"
#include "door/azblob/azblob_blob.h"

/* A page of ranges, and what one range takes as XML. */
#define RANGES_MAX      10000
#define RANGE_XML_BYTES 128

/* ---- Put Page ---- */

static int sequence_condition(struct azblob_request *r, const char *name, int64_t *ret,
                              struct call *call)
{
    const char *text = azblob_get(r, name);
    uint64_t number;

    /* A number, but no sequence number. */
    if (text && *text == '-' && text[1] && !text[1 + strspn(text + 1, "0123456789")])
        return azblob_fail_header(r, AZBLOB_INVALID_INPUT, name, call);
    int there = azblob_header_number(r, name, 0, INT64_MAX, &number, call);
    if (there < 0)
        return -1;
    *ret = there ? (int64_t)number : -1;
    return 0;
}

static int write_pages(struct azblob_request *r, struct page_request *request,
                       const struct azblob_digests *digests, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct checksums sums = {0};

    request->place = r->place;
    request->conditions = r->conditions;
    request->expected = digests->expected;
    request->wanted = digests->wanted;
    if (sequence_condition(r, "x-ms-if-sequence-number-le", &request->sequence_at_most, call) < 0 ||
        sequence_condition(r, "x-ms-if-sequence-number-lt", &request->sequence_below, call) < 0 ||
        sequence_condition(r, "x-ms-if-sequence-number-eq", &request->sequence_equal, call) < 0 ||
        service_write_pages(azblob_service(r), request, &row, &sums, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    if (request->body) {
        azblob_say_received(r);
        azblob_answer_digests(r, digests, &sums);
    }
    azblob_sayf(r, "x-ms-blob-sequence-number", "%" PRId64, row.sequence);
    return azblob_answer(r, 201);
}

/* Four MiB at once, and all of the range. */
static int page_body(struct azblob_request *r, struct page_request *request,
                     struct azblob_digests *digests, struct call *call)
{
    if (azblob_body_between(r, 1, AZBLOB_PAGES_MAX, call) < 0)
        return -1;
    if (r->body_length != request->length)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "Content-Length", call);
    request->body = r->body;
    return azblob_digests(r, "Content-MD5", digests, call);
}

int azblob_blob_put_page(struct azblob_request *r, struct call *call)
{
    const char *what = azblob_get(r, "x-ms-page-write");
    struct page_request request = {0};
    struct azblob_digests digests = {0};

    if (!what)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-page-write",
                                call);
    bool update = strcasecmp(what, "update") == 0;
    if (!update && strcasecmp(what, "clear") != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-page-write", call);
    if (azblob_page_range(r, &request.offset, &request.length, call) < 0 ||
        (update ? page_body(r, &request, &digests, call) : azblob_body_between(r, 0, 0, call)) < 0)
        return -1;
    return write_pages(r, &request, &digests, call);
}

int azblob_blob_put_page_from_url(struct azblob_request *r, struct call *call)
{
    auto_azblob_copy_source struct azblob_copy_source source = {0};
    struct page_request request = {0};
    struct azblob_digests digests = {0};

    if (azblob_body_between(r, 0, 0, call) < 0 ||
        azblob_page_range(r, &request.offset, &request.length, call) < 0 ||
        azblob_source_digests(r, &digests, call) < 0)
        return -1;
    if (!azblob_get(r, "x-ms-source-range"))
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                "x-ms-source-range", call);
    if (request.length > AZBLOB_PAGES_MAX)
        return azblob_fail(r, AZBLOB_INVALID_PAGE_RANGE, call);
    if (azblob_copy_source_find(r, &source, call) < 0 ||
        azblob_copy_source_open(r, &source, AZBLOB_PAGES_MAX, call) < 0)
        return -1;
    if (source.length != request.length)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-source-range", call);
    request.body = source.body;
    return write_pages(r, &request, &digests, call);
}

/* ---- Get Page Ranges ---- */

struct page_question {
    uint64_t offset, length;
    const char *previous;
    char *previous_held; /* where it was cut out of a URL */
    unsigned limit;
    bool paged; /* the client counts: it is told where to go on, or that there is no more */
};

static void page_question_release(struct page_question *q)
{
    free(q->previous_held);
}

/* The snapshot parameter of a URL of this very blob. */
static int previous_of_url(struct azblob_request *r, const char *url, struct page_question *q,
                           struct call *call)
{
    struct azblob_target target = {0};

    int own = azblob_own_url(r, url, &target, &call->err);
    const char *snapshot = own > 0 ? pairs_get_nocase(&target.query, "snapshot") : NULL;
    bool same = snapshot && same_string(target.account, r->target.account) &&
                same_string(target.container, r->target.container) &&
                same_string(target.blob, r->target.blob);
    if (same)
        q->previous_held = xstrdup(snapshot);
    if (own > 0)
        azblob_target_release(&target);
    if (!same)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-previous-snapshot-url",
                                  call);
    q->previous = q->previous_held;
    return 0;
}

static int page_question(struct azblob_request *r, struct page_question *q, struct call *call)
{
    const char *url = azblob_get(r, "x-ms-previous-snapshot-url");
    uint64_t limit, marker;

    q->length = UINT64_MAX;
    q->limit = RANGES_MAX;
    q->previous = azblob_query(r, "prevsnapshot");
    if (!q->previous && url && previous_of_url(r, url, q, call) < 0)
        return -1;
    if (r->has_range && r->range.kind == RANGE_FROM) {
        q->offset = r->range.first;
        q->length = r->range.last == UINT64_MAX ? UINT64_MAX : r->range.last - q->offset + 1;
    }
    int there = azblob_query_number(r, "maxresults", 1, UINT32_MAX, &limit, call);
    if (there < 0)
        return -1;
    q->paged = there > 0;
    if (there && limit < RANGES_MAX)
        q->limit = (unsigned)limit;
    there = azblob_query_number(r, "marker", 0, INT64_MAX, &marker, call);
    if (there <= 0)
        return there;
    /* The marker is where the next range begins. */
    if (marker < q->offset || marker - q->offset > q->length)
        return azblob_fail_query(r, AZBLOB_INVALID_QUERY_PARAMETER_VALUE, "marker", NULL, call);
    if (q->length != UINT64_MAX)
        q->length -= marker - q->offset;
    q->offset = marker;
    return 0;
}

static void write_ranges(struct buf *xml, const struct page_ranges *ranges, bool paged)
{
    xml_head(xml);
    xml_open(xml, "PageList");
    for (size_t i = 0; i < ranges->count; i++) {
        const struct page_range *range = &ranges->list[i];
        const char *name = range->clear ? "ClearRange" : "PageRange";
        buf_printf(xml, "<%s><Start>%" PRIu64 "</Start><End>%" PRIu64 "</End></%s>", name,
                   range->first, range->last, name);
    }
    if (ranges->next != UINT64_MAX)
        buf_printf(xml, "<NextMarker>%" PRIu64 "</NextMarker>", ranges->next);
    else if (paged)
        buf_text(xml, "<NextMarker/>");
    xml_close(xml, "PageList");
}

int azblob_blob_get_page_ranges(struct azblob_request *r, struct call *call)
{
    auto_buf struct buf xml = BUF_INIT((RANGES_MAX + 10) * RANGE_XML_BYTES);
    auto_page_ranges struct page_ranges ranges = {0};
    cleanup(page_question_release) struct page_question question = {0};

    if (page_question(r, &question, call) < 0 ||
        service_page_ranges(azblob_service(r), &r->place, &r->conditions, question.offset,
                            question.length, question.previous, question.limit, &ranges, call) < 0)
        return -1;
    write_ranges(&xml, &ranges, question.paged);
    azblob_say_etag(r, ranges.object.etag, ranges.object.modified);
    azblob_sayf(r, "x-ms-blob-content-length", "%" PRId64, ranges.object.size);
    return azblob_answer_xml(r, 200, &xml);
}
