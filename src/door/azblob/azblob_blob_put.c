// SPDX-License-Identifier: EUPL-1.2
/* Writing whole blobs: Put Blob. */
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "crypto/crc.h"
#include "crypto/hash.h"
#include "door/azblob/azblob_blob.h"

static int blob_type(struct azblob_request *r, enum object_type *ret, struct call *call)
{
    static const struct {
        const char *word;
        enum object_type type;
    } types[] = {
        {"BlockBlob", OBJECT_BLOCK}, {"AppendBlob", OBJECT_APPEND}, {"PageBlob", OBJECT_PAGE}};
    const char *word = azblob_get(r, "x-ms-blob-type");

    if (!word)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName", "x-ms-blob-type",
                                call);
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcasecmp(word, types[i].word) != 0)
            continue;
        *ret = types[i].type;
        return 0;
    }
    return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-blob-type", call);
}

static bool is_page_tier(const char *tier)
{
    return tier && tier[0] == 'P' && tier[1] >= '0' && tier[1] <= '9';
}

/* A tier must be one of the blob's type. */
static int check_tier(struct azblob_request *r, enum object_type type, const char *tier,
                      struct call *call)
{
    if (!tier || (type == OBJECT_PAGE && is_page_tier(tier)) ||
        (type == OBJECT_BLOCK && !is_page_tier(tier)))
        return 0;
    return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-access-tier", call);
}

/* A page blob is born with a size and all zeros. */
static int page_headers(struct azblob_request *r, struct put_request *put,
                        struct object_row *properties, struct call *call)
{
    uint64_t size, sequence = 0;

    int there =
        azblob_header_number(r, "x-ms-blob-content-length", 0, AZBLOB_PAGE_BLOB_MAX, &size, call);
    if (there < 0)
        return -1;
    if (!there)
        return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_HEADER, "HeaderName",
                                "x-ms-blob-content-length", call);
    if (size % PAGE_SIZE_BYTES != 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-blob-content-length", call);
    if (azblob_header_number(r, "x-ms-blob-sequence-number", 0, INT64_MAX, &sequence, call) < 0)
        return -1;
    put->page_size = size;
    properties->sequence = (int64_t)sequence;
    return 0;
}

/* The body of a block blob and what it is checked against: x-ms-blob-content-md5 goes before
 * Content-MD5. */
static int block_body(struct azblob_request *r, struct put_request *put,
                      struct azblob_digests *digests, struct call *call)
{
    const char *md5 =
        azblob_get(r, "x-ms-blob-content-md5") ? "x-ms-blob-content-md5" : "Content-MD5";

    if (azblob_body_between(r, 0, AZBLOB_PUT_MAX, call) < 0 ||
        azblob_digests(r, md5, digests, call) < 0)
        return -1;
    put->body = r->body;
    put->size = r->body_length;
    put->expected = digests->expected;
    put->wanted = digests->wanted | 1U << CHECKSUM_MD5;
    put->keep_md5 = true;
    return 0;
}

/* Azure says both digests of what came. */
static void say_digests(struct azblob_request *r, struct checksums *sums)
{
    auto_buf struct buf md5 = BUF_INIT(64);
    auto_buf struct buf crc = BUF_INIT(64);
    unsigned char little[8];

    if (sums->have & 1U << CHECKSUM_MD5) {
        base64_encode(&md5, sums->md5, sizeof(sums->md5));
        azblob_say(r, "Content-MD5", md5.data);
    }
    if (sums->have & 1U << CHECKSUM_CRC64) {
        for (size_t i = 0; i < sizeof(little); i++)
            little[i] = sums->crc64[sizeof(little) - 1 - i];
        base64_encode(&crc, little, sizeof(little));
        azblob_say(r, "x-ms-content-crc64", crc.data);
    }
}

static int read_put(struct azblob_request *r, struct put_request *put,
                    struct object_row *properties, struct call *call)
{
    struct azblob_digests digests = {0};

    if (blob_type(r, &put->type, call) < 0 ||
        azblob_properties(r, AZBLOB_PROPERTIES_PUT, properties, call) < 0 ||
        check_tier(r, put->type, properties->tier, call) < 0)
        return -1;
    if (put->type == OBJECT_BLOCK)
        return block_body(r, put, &digests, call);
    if (azblob_body_between(r, 0, 0, call) < 0)
        return -1;
    return put->type == OBJECT_PAGE ? page_headers(r, put, properties, call) : 0;
}

int azblob_blob_put(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row properties = object_row_new();
    auto_object_row struct object_row row = object_row_new();
    struct put_request put = {
        .place = r->place, .conditions = r->conditions, .properties = &properties};
    struct checksums sums = {0};

    if (read_put(r, &put, &properties, call) < 0 ||
        service_put(azblob_service(r), &put, &row, &sums, call) < 0)
        return -1;
    azblob_say_written(r, &row);
    if (put.type == OBJECT_BLOCK)
        say_digests(r, &sums);
    return azblob_answer(r, 201);
}
