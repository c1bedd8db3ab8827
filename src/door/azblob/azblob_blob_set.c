// SPDX-License-Identifier: EUPL-1.2
/* Changing what a blob says of itself: metadata, properties, tags. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/xml.h"
#include "door/azblob/azblob_blob.h"
#include "object/tags.h"

/* Tags: ten of 128 and 256 characters of up to four bytes, escaped, and what stands around them. */
#define TAGS_XML_MAX (64 * 1024)

/* ---- Metadata ---- */

int azblob_blob_set_metadata(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    auto_free char *metadata = NULL;

    if (azblob_metadata(r, &metadata, call) < 0 ||
        service_set_metadata(azblob_service(r), &r->place, &r->conditions, metadata, &row, call) <
            0)
        return -1;
    azblob_say_written(r, &row);
    return azblob_answer(r, 200);
}

/* ---- Properties ---- */

/* What Set Blob Properties does to a page blob's size and sequence number. */
struct page_change {
    bool wanted;
    uint64_t size;
    enum sequence_action action;
    int64_t sequence;
};

static int sequence_action(struct azblob_request *r, enum sequence_action *ret, struct call *call)
{
    static const struct {
        const char *word;
        enum sequence_action action;
    } actions[] = {
        {"max", SEQUENCE_MAX}, {"update", SEQUENCE_UPDATE}, {"increment", SEQUENCE_INCREMENT}};
    const char *word = azblob_get(r, "x-ms-sequence-number-action");

    if (!word)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (strcasecmp(word, actions[i].word) != 0)
            continue;
        *ret = actions[i].action;
        return 1;
    }
    return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-sequence-number-action", call);
}

static int read_sequence(struct azblob_request *r, struct page_change *change, struct call *call)
{
    uint64_t sequence = 0;

    int there = sequence_action(r, &change->action, call);
    if (there <= 0)
        return there;
    int number =
        azblob_header_number(r, "x-ms-blob-sequence-number", 0, INT64_MAX, &sequence, call);
    if (number < 0)
        return -1;
    /* An increment is by one and takes no number; the others need one. */
    if (change->action == SEQUENCE_INCREMENT && number)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-blob-sequence-number",
                                  call);
    if (change->action != SEQUENCE_INCREMENT && !number)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                "x-ms-blob-sequence-number", call);
    change->sequence = (int64_t)sequence;
    change->wanted = true;
    return 0;
}

static int read_page_change(struct azblob_request *r, struct page_change *change, struct call *call)
{
    change->size = UINT64_MAX;
    change->action = SEQUENCE_KEEP;
    int there = azblob_header_number(r, "x-ms-blob-content-length", 0, AZBLOB_PAGE_BLOB_MAX,
                                     &change->size, call);
    if (there < 0)
        return -1;
    if (there && change->size % PAGE_SIZE_BYTES != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-blob-content-length", call);
    change->wanted = there > 0;
    return read_sequence(r, change, call);
}

/* A request that only resizes or counts leaves the content headers alone. */
static int change_properties(struct azblob_request *r, const struct object_row *properties,
                             bool headers, const struct page_change *change, struct object_row *row,
                             struct call *call)
{
    struct conditions conditions = r->conditions;
    auto_free char *etag = NULL;

    if (change->wanted) {
        if (service_set_pages(azblob_service(r), &r->place, &conditions, change->size,
                              change->action, change->sequence, row, call) < 0)
            return -1;
        if (!headers)
            return 0;
        /* The second half is done to what the first one made, or not at all. */
        etag = xstrdup(row->etag);
        conditions = (struct conditions)CONDITIONS_INIT;
        conditions.if_match = etag;
        conditions.lease = r->conditions.lease;
    }
    return service_set_headers(azblob_service(r), &r->place, &conditions, properties, row, call);
}

int azblob_blob_set_properties(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row properties = object_row_new();
    auto_object_row struct object_row row = object_row_new();
    struct page_change change = {0};
    bool headers;

    if (azblob_content_headers(r, AZBLOB_PROPERTIES_BLOB, &properties, &headers, call) < 0 ||
        read_page_change(r, &change, call) < 0 ||
        change_properties(r, &properties, headers, &change, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    if (row.versioned)
        azblob_say(r, "x-ms-version-id", row.version);
    if (row.type == OBJECT_PAGE)
        azblob_sayf(r, "x-ms-blob-sequence-number", "%" PRId64, row.sequence);
    return azblob_answer(r, 200);
}

/* ---- Tags ---- */

int azblob_blob_set_tags(struct azblob_request *r, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(TAGS_XML_MAX);
    auto_free char *tags = NULL;
    struct azblob_digests digests = {0};
    struct checksums sums = {0};

    if (azblob_read_body(r, TAGS_XML_MAX, &body, call) < 0 ||
        azblob_check_document(r, &body, &digests, &sums, call) < 0 ||
        azblob_tags_document(r, &body, &tags, call) < 0 ||
        service_set_tags(azblob_service(r), &r->place, &r->conditions, tags, call) < 0)
        return -1;
    return azblob_answer(r, 204);
}

int azblob_blob_get_tags(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    auto_pairs struct pairs tags = PAIRS_INIT;
    auto_buf struct buf body = BUF_INIT(TAGS_XML_MAX);

    if (service_stat(azblob_service(r), &r->place, &r->conditions, &row, call) < 0) {
        azblob_say_refused(r, &row, call);
        return -1;
    }
    if (row.tags && pairs_from_json(row.tags, &tags, &call->err) < 0)
        return -1;
    xml_head(&body);
    xml_open(&body, "Tags");
    xml_open(&body, "TagSet");
    for (size_t i = 0; i < tags.count; i++) {
        xml_open(&body, "Tag");
        xml_element(&body, "Key", tags.list[i].key);
        xml_element(&body, "Value", tags.list[i].value);
        xml_close(&body, "Tag");
    }
    xml_close(&body, "TagSet");
    xml_close(&body, "Tags");
    return azblob_answer_xml(r, 200, &body);
}
