// SPDX-License-Identifier: EUPL-1.2
/* Reading blobs: Get Blob, Get Blob Properties, Get Blob Metadata. */
#include <inttypes.h>

#include "codec/base64.h"
#include "crypto/crc.h"
#include "crypto/hash.h"
#include "door/azblob/azblob_blob.h"
#include "http/structured.h"

/* The longest range of which a digest is computed. */
#define DIGEST_RANGE_MAX (4 * AZBLOB_MIB)

/* What a download needs once the handler has returned. */
struct download {
    struct service *service;
    struct reading reading;
    bool framed;
};

static int produce(void *argument, struct sink *sink, struct call *call)
{
    struct download *d = argument;
    struct structured_writer framer;

    if (!d->framed)
        return service_read(d->service, &d->reading, sink, call);
    structured_writer_init(&framer, sink, d->reading.length);
    if (service_read(d->service, &d->reading, &framer.sink, call) < 0)
        return -1;
    return structured_writer_finish(&framer, call);
}

static void download_free(void *argument)
{
    struct download *d = argument;

    reading_release(&d->reading);
    free(d);
}

/* ---- Digests of a range ---- */

struct range_digests {
    bool md5, crc64;
};

static int read_range_digests(struct azblob_request *r, struct range_digests *ret,
                              struct call *call)
{
    if (azblob_flag(r, "x-ms-range-get-content-md5", &ret->md5, call) < 0 ||
        azblob_flag(r, "x-ms-range-get-content-crc64", &ret->crc64, call) < 0)
        return -1;
    if (ret->md5 && ret->crc64)
        return azblob_fail(r, AZBLOB_BOTH_CRC64_AND_MD5_HEADER_PRESENT, call);
    /* The digest of a whole is asked for by a range that covers it. */
    if ((ret->md5 || ret->crc64) && !r->has_range)
        return azblob_fail_header(
            r, AZBLOB_INVALID_HEADER_VALUE,
            ret->md5 ? "x-ms-range-get-content-md5" : "x-ms-range-get-content-crc64", call);
    return 0;
}

static void say_range_digest(struct azblob_request *r, const struct range_digests *wanted,
                             const struct buf *bytes)
{
    auto_buf struct buf text = BUF_INIT(64);
    unsigned char md5[MD5_SIZE];
    char crc[CRC64_TEXT];

    if (wanted->md5) {
        hash_bytes(HASH_MD5, bytes->data, bytes->length, md5);
        base64_encode(&text, md5, sizeof(md5));
        azblob_say(r, "Content-MD5", text.data);
    } else {
        crc64_azure_text(crc, crc64_nvme(0, bytes->data, bytes->length));
        azblob_say(r, "x-ms-content-crc64", crc);
    }
}

/* The digest stands before the bytes, so these are read first. */
static int answer_digested(struct azblob_request *r, struct reading *reading,
                           const struct range_digests *wanted, struct call *call)
{
    auto_buf struct buf bytes = BUF_INIT(DIGEST_RANGE_MAX);
    struct sink_buf sink;

    sink_buf_init(&sink, &bytes);
    if (service_read(azblob_service(r), reading, &sink.sink, call) < 0)
        return -1;
    if (bytes.length != reading->length)
        return err_set(&call->err, ERR_CORRUPT, "a body is shorter than its index row says");
    say_range_digest(r, wanted, &bytes);
    return azblob_answer_buf(r, 206, &bytes);
}

/* ---- Get Blob ---- */

static int answer_stream(struct azblob_request *r, struct reading *reading, struct call *call)
{
    struct download *d = xcalloc(1, sizeof(*d));
    uint64_t length = reading->length;

    d->service = azblob_service(r);
    d->framed = azblob_wants_structured(r);
    d->reading = *reading;
    *reading = (struct reading)READING_INIT;
    reading->object = object_row_new();
    if (d->framed) {
        azblob_say(r, "x-ms-structured-body", STRUCTURED_NAME);
        azblob_sayf(r, "x-ms-structured-content-length", "%" PRIu64, length);
        length = structured_size(length);
    }
    return azblob_answer_stream(r, d->reading.partial ? 206 : 200, length, produce, d,
                                download_free, call);
}

int azblob_blob_get(struct azblob_request *r, struct call *call)
{
    auto_reading struct reading reading = READING_INIT;
    struct range_digests digests;

    reading.object = object_row_new();
    if (read_range_digests(r, &digests, call) < 0)
        return -1;
    if (service_open_read(azblob_service(r), &r->place, &r->conditions,
                          r->has_range ? &r->range : NULL, &reading, call) < 0) {
        azblob_say_refused(r, &reading.object, call);
        return -1;
    }
    bool digested = digests.md5 || digests.crc64;
    if (digested && reading.length > DIGEST_RANGE_MAX)
        return azblob_fail_header(
            r, AZBLOB_OUT_OF_RANGE_INPUT,
            digests.md5 ? "x-ms-range-get-content-md5" : "x-ms-range-get-content-crc64", call);
    azblob_say_blob(r, &reading.object, reading.partial ? AZBLOB_SAY_RANGE : AZBLOB_SAY_GET);
    if (reading.partial)
        azblob_sayf(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRId64, reading.offset,
                    reading.offset + reading.length - 1, reading.object.size);
    if (digested)
        return answer_digested(r, &reading, &digests, call);
    return answer_stream(r, &reading, call);
}

/* ---- Get Blob Properties, Get Blob Metadata ---- */

static int stat_blob(struct azblob_request *r, struct object_row *ret, struct call *call)
{
    if (service_stat(azblob_service(r), &r->place, &r->conditions, ret, call) < 0) {
        azblob_say_refused(r, ret, call);
        return -1;
    }
    return 0;
}

int azblob_blob_head(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();

    if (stat_blob(r, &row, call) < 0)
        return -1;
    azblob_say_blob(r, &row, AZBLOB_SAY_HEAD);
    return azblob_answer_length(r, 200, (uint64_t)row.size);
}

int azblob_blob_get_metadata(struct azblob_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();

    if (stat_blob(r, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    azblob_say_metadata(r, row.metadata);
    return azblob_answer(r, 200);
}
