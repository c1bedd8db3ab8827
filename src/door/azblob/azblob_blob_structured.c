// SPDX-License-Identifier: EUPL-1.2
/* Writer of structured bodies for downloads: see azblob_blob.h. */
#include "crypto/crc.h"
#include "door/azblob/azblob_blob.h"

#define SEGMENT_BYTES (4 * AZBLOB_MIB)
#define SEGMENTS_MAX  UINT16_MAX
#define HEAD_BYTES    13
#define SEGMENT_HEAD  10
#define CRC_BYTES     8

static void put_little(unsigned char *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++, value >>= 8)
        at[i] = (unsigned char)value;
}

/* Segments grow where there would be too many to number. */
static uint64_t segment_size_of(uint64_t length)
{
    uint64_t size = SEGMENT_BYTES;

    while ((length + size - 1) / size > SEGMENTS_MAX)
        size *= 2;
    return size;
}

static uint64_t segments_of(uint64_t length)
{
    uint64_t size = segment_size_of(length);

    return length ? (length + size - 1) / size : 0;
}

uint64_t azblob_framed_length(uint64_t length)
{
    return HEAD_BYTES + segments_of(length) * (SEGMENT_HEAD + CRC_BYTES) + length + CRC_BYTES;
}

static int begin_message(struct azblob_framer *f, struct call *call)
{
    unsigned char head[HEAD_BYTES];

    head[0] = 1;
    put_little(head + 1, azblob_framed_length(f->length), 8);
    put_little(head + 9, 1, 2); /* with CRC-64 */
    put_little(head + 11, f->segments, 2);
    return sink_write(f->to, head, sizeof(head), call);
}

static int begin_segment(struct azblob_framer *f, struct call *call)
{
    unsigned char head[SEGMENT_HEAD];
    uint64_t left = f->length - f->seen;

    f->segment_left = left < f->segment_size ? left : f->segment_size;
    f->segment_crc = 0;
    f->segment++;
    put_little(head, f->segment, 2);
    put_little(head + 2, f->segment_left, 8);
    return sink_write(f->to, head, sizeof(head), call);
}

static int write_crc(struct azblob_framer *f, uint64_t crc, struct call *call)
{
    unsigned char bytes[CRC_BYTES];

    put_little(bytes, crc, sizeof(bytes));
    return sink_write(f->to, bytes, sizeof(bytes), call);
}

static int framer_write(struct sink *s, const void *bytes, size_t n, struct call *call)
{
    struct azblob_framer *f = container_of(s, struct azblob_framer, sink);
    const char *at = bytes;

    if (n > f->length - f->seen)
        return err_set(&call->err, ERR_CORRUPT, "a body is longer than was said");
    if (f->seen == 0 && n > 0 && begin_message(f, call) < 0)
        return -1;
    while (n > 0) {
        if (f->segment_left == 0 && begin_segment(f, call) < 0)
            return -1;
        size_t part = n < f->segment_left ? n : (size_t)f->segment_left;
        if (sink_write(f->to, at, part, call) < 0)
            return -1;
        f->segment_crc = crc64_nvme(f->segment_crc, at, part);
        at += part;
        n -= part;
        f->seen += part;
        f->segment_left -= part;
        if (f->segment_left > 0)
            continue;
        uint64_t length = f->seen - (uint64_t)(f->segment - 1) * f->segment_size;
        f->crc = crc64_nvme_combine(f->crc, f->segment_crc, length);
        if (write_crc(f, f->segment_crc, call) < 0)
            return -1;
    }
    return 0;
}

void azblob_framer_init(struct azblob_framer *f, uint64_t length, struct sink *to)
{
    *f = (struct azblob_framer){.sink = {.write = framer_write},
                                .to = to,
                                .length = length,
                                .segment_size = segment_size_of(length),
                                .segments = (unsigned)segments_of(length)};
}

int azblob_framer_finish(struct azblob_framer *f, struct call *call)
{
    if (f->seen != f->length)
        return err_set(&call->err, ERR_CORRUPT, "a body is shorter than was said");
    if (f->length == 0 && begin_message(f, call) < 0)
        return -1;
    return write_crc(f, f->crc, call);
}
