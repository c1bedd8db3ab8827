// SPDX-License-Identifier: EUPL-1.2
/* Append blobs: Append Block, Append Block From URL, Seal. */
#include <inttypes.h>

#include "door/azblob/azblob_blob.h"

static int append_conditions(struct azblob_request *r, struct append_request *request,
                             struct call *call)
{
    int there = azblob_header_number(r, "x-ms-blob-condition-appendpos", 0, INT64_MAX,
                                     &request->position, call);
    if (there < 0)
        return -1;
    request->has_position = there > 0;
    there = azblob_header_number(r, "x-ms-blob-condition-maxsize", 0, INT64_MAX, &request->size_max,
                                 call);
    if (there < 0)
        return -1;
    request->has_size_max = there > 0;
    return 0;
}

static int append(struct azblob_request *r, struct append_request *request,
                  const struct azblob_digests *digests, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct checksums sums = {0};
    uint64_t offset;

    request->place = r->place;
    request->conditions = r->conditions;
    request->expected = digests->expected;
    request->wanted = digests->wanted;
    if (append_conditions(r, request, call) < 0 ||
        service_append(azblob_service(r), request, &offset, &row, &sums, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    azblob_say_received(r);
    azblob_answer_digests(r, digests, &sums);
    azblob_sayf(r, "x-ms-blob-append-offset", "%" PRIu64, offset);
    azblob_sayf(r, "x-ms-blob-committed-block-count", "%" PRId64, row.blocks);
    return azblob_answer(r, 201);
}

int azblob_blob_append(struct azblob_request *r, struct call *call)
{
    struct append_request request = {.body = r->body, .size = r->body_length};
    struct azblob_digests digests = {0};

    if (azblob_body_between(r, 1, AZBLOB_APPEND_MAX, call) < 0 ||
        azblob_digests(r, "Content-MD5", &digests, call) < 0)
        return -1;
    return append(r, &request, &digests, call);
}

int azblob_blob_append_from_url(struct azblob_request *r, struct call *call)
{
    auto_azblob_copy_source struct azblob_copy_source source = {0};
    struct append_request request = {0};
    struct azblob_digests digests = {0};

    if (azblob_body_between(r, 0, 0, call) < 0 || azblob_source_digests(r, &digests, call) < 0 ||
        azblob_copy_source_find(r, &source, call) < 0 ||
        azblob_copy_source_open(r, &source, AZBLOB_APPEND_MAX, call) < 0)
        return -1;
    request.body = source.body;
    request.size = source.length;
    return append(r, &request, &digests, call);
}

int azblob_blob_seal(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    uint64_t position = 0;

    int there =
        azblob_header_number(r, "x-ms-blob-condition-appendpos", 0, INT64_MAX, &position, call);
    if (there < 0 || service_seal(azblob_service(r), &r->place, &r->conditions, there > 0, position,
                                  &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    azblob_say_bool(r, "x-ms-blob-sealed", true);
    return azblob_answer(r, 200);
}
