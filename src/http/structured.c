// SPDX-License-Identifier: EUPL-1.2
/* Structured bodies: see structured.h. */
#include "http/structured.h"

#include <string.h>

#include "crypto/crc.h"

#define FLAG_CRC64 1

static uint64_t little_endian(const unsigned char *bytes, size_t n)
{
    uint64_t value = 0;

    while (n--)
        value = value << 8 | bytes[n];
    return value;
}

/* How many bytes the field of a state has. */
static size_t field_size(enum structured_state state)
{
    switch (state) {
    case STRUCTURED_HEADER:
        return STRUCTURED_HEADER_SIZE;
    case STRUCTURED_SEGMENT:
        return 10;
    case STRUCTURED_SEGMENT_CHECKSUM:
    case STRUCTURED_CHECKSUM:
        return 8;
    default:
        return 0;
    }
}

static void after_segments(struct structured *s)
{
    if (s->segment < s->segments)
        s->state = STRUCTURED_SEGMENT;
    else
        s->state = s->checksums ? STRUCTURED_CHECKSUM : STRUCTURED_END;
}

static void after_data(struct structured *s)
{
    if (s->checksums)
        s->state = STRUCTURED_SEGMENT_CHECKSUM;
    else
        after_segments(s);
}

static int read_header(struct structured *s, struct err *e)
{
    uint64_t flags = little_endian(s->field + 9, 2);

    if (s->field[0] != 1)
        return err_set(e, ERR_REMOTE, "structured body of version %u, of which only 1 is known",
                       s->field[0]);
    if (flags & ~(uint64_t)FLAG_CRC64)
        return err_set(e, ERR_REMOTE, "structured body with unknown flags");
    s->message_length = little_endian(s->field + 1, 8);
    s->checksums = flags & FLAG_CRC64;
    s->segments = (unsigned)little_endian(s->field + 11, 2);
    after_segments(s);
    return 0;
}

static int read_segment(struct structured *s, struct err *e)
{
    if (little_endian(s->field, 2) != s->segment + 1)
        return err_set(e, ERR_CORRUPT, "structured body: segments out of order");
    s->segment++;
    s->left = little_endian(s->field + 2, 8);
    s->segment_crc = 0;
    s->state = STRUCTURED_DATA;
    if (s->left > s->message_length)
        return err_set(e, ERR_CORRUPT, "structured body: a segment longer than the whole");
    if (!s->left)
        after_data(s);
    return 0;
}

static int read_field(struct structured *s, struct err *e)
{
    uint64_t sum = little_endian(s->field, 8);

    switch (s->state) {
    case STRUCTURED_HEADER:
        return read_header(s, e);
    case STRUCTURED_SEGMENT:
        return read_segment(s, e);
    case STRUCTURED_SEGMENT_CHECKSUM:
        if (sum != s->segment_crc)
            break;
        after_segments(s);
        return 0;
    default:
        if (sum != s->crc)
            break;
        s->state = STRUCTURED_END;
        return 0;
    }
    return err_set(e, ERR_CORRUPT, "the bytes that arrived are not those that were sent (CRC-64)");
}

static int push_data(struct structured *s, const unsigned char *bytes, size_t n, struct call *call)
{
    s->segment_crc = crc64_nvme(s->segment_crc, bytes, n);
    s->crc = crc64_nvme(s->crc, bytes, n);
    s->left -= n;
    s->count += n;
    if (sink_write(s->to, bytes, n, call) < 0)
        return -1;
    if (!s->left)
        after_data(s);
    return 0;
}

static int structured_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct structured *s = container_of(sink, struct structured, sink);
    const unsigned char *at = bytes;

    s->message_seen += n;
    while (n) {
        if (s->state == STRUCTURED_END)
            return err_set(&call->err, ERR_CORRUPT, "structured body: bytes after its end");
        size_t room = field_size(s->state) - s->have, step = n < room ? n : room;
        if (s->state == STRUCTURED_DATA) {
            step = n < s->left ? n : (size_t)s->left;
            if (push_data(s, at, step, call) < 0)
                return -1;
        } else {
            memcpy(s->field + s->have, at, step);
            s->have += step;
            if (step == room) {
                s->have = 0;
                if (read_field(s, &call->err) < 0)
                    return -1;
            }
        }
        at += step;
        n -= step;
    }
    return 0;
}

void structured_init(struct structured *s, struct sink *to)
{
    *s = (struct structured){.sink = {.write = structured_write}, .to = to};
}

int structured_finish(const struct structured *s, bool *ret_checked, struct err *e)
{
    if (s->state != STRUCTURED_END)
        return err_set(e, ERR_NETWORK, "structured body: cut off");
    if (s->message_length != s->message_seen)
        return err_set(e, ERR_CORRUPT, "structured body: not as long as it says");
    *ret_checked = s->checksums;
    return 0;
}

/* ---- Pulled ---- */

/* One more piece of the message; its bytes end up in s->bytes, which is empty before.  A piece of
 * the message never holds more bytes than its own length. */
static int pull(struct structured_source *s, struct call *call)
{
    ssize_t n = source_read(s->from, s->message, sizeof(s->message), call);
    bool checked;

    if (n < 0)
        return -1;
    if (n == 0) {
        s->whole = true;
        return structured_finish(&s->reader, &checked, &call->err);
    }
    s->at = 0;
    s->spill.length = 0;
    if (sink_write(&s->reader.sink, s->message, (size_t)n, call) == 0)
        return 0;
    s->mismatch =
        s->reader.state == STRUCTURED_SEGMENT_CHECKSUM || s->reader.state == STRUCTURED_CHECKSUM;
    return -1;
}

static int not_so_long(struct call *call)
{
    return err_set(&call->err, ERR_CORRUPT,
                   "structured body: its bytes are not as many as was announced");
}

/* The bytes at hand, after which nothing but the message's end may come. */
static int read_end(struct structured_source *s, struct call *call)
{
    size_t at = s->at, length = s->spill.length;
    char kept[STRUCTURED_PULL];

    /* What is at hand must stay while the rest is read. */
    memcpy(kept, s->bytes, length);
    while (!s->whole) {
        if (pull(s, call) < 0)
            return -1;
        if (s->reader.count > s->length)
            return not_so_long(call);
    }
    memcpy(s->bytes, kept, length);
    s->at = at;
    s->spill.length = length;
    return 0;
}

static ssize_t structured_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct structured_source *s = container_of(source, struct structured_source, source);
    size_t have;

    while (s->at == s->spill.length) {
        if (s->whole)
            return s->given == s->length ? 0 : not_so_long(call);
        if (pull(s, call) < 0)
            return -1;
    }
    have = s->spill.length - s->at;
    if (have > n)
        have = n;
    if (s->reader.count > s->length)
        return not_so_long(call);
    if (s->given + have == s->length && !s->whole && read_end(s, call) < 0)
        return -1;
    memcpy(bytes, s->bytes + s->at, have);
    s->at += have;
    s->given += have;
    return (ssize_t)have;
}

void structured_source_init(struct structured_source *s, struct source *from, uint64_t length)
{
    s->source = (struct source){.read = structured_read};
    s->from = from;
    s->length = length;
    s->given = 0;
    s->mismatch = s->whole = false;
    s->at = 0;
    sink_bytes_init(&s->spill, s->bytes, sizeof(s->bytes));
    structured_init(&s->reader, &s->spill.sink);
}

int structured_source_empty(struct structured_source *s, struct call *call)
{
    return read_end(s, call);
}

/* ---- Writing ---- */

#define SEGMENT_SIZE (UINT64_C(4) << 20)
#define SEGMENTS_MAX 65535

static uint64_t segment_size(uint64_t length)
{
    uint64_t size = SEGMENT_SIZE;

    while (length / size >= SEGMENTS_MAX)
        size *= 2;
    return size;
}

static uint64_t segment_count(uint64_t length)
{
    uint64_t size = segment_size(length);

    /* No bytes are one segment without bytes: readers want one. */
    return length ? length / size + (length % size != 0) : 1;
}

uint64_t structured_size(uint64_t length)
{
    return STRUCTURED_HEADER_SIZE + segment_count(length) * (10 + 8) + length + 8;
}

static void put_little_endian(unsigned char *bytes, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++, value >>= 8)
        bytes[i] = (unsigned char)value;
}

static int write_checksum(struct structured_writer *w, uint64_t crc, struct call *call)
{
    unsigned char field[8];

    put_little_endian(field, crc, sizeof(field));
    return sink_write(w->to, field, sizeof(field), call);
}

static int begin_segment(struct structured_writer *w, struct call *call)
{
    unsigned char header[STRUCTURED_HEADER_SIZE] = {1}, field[10];

    if (w->segment == 0) {
        put_little_endian(header + 1, structured_size(w->length), 8);
        put_little_endian(header + 9, FLAG_CRC64, 2);
        put_little_endian(header + 11, w->segments, 2);
        if (sink_write(w->to, header, sizeof(header), call) < 0)
            return -1;
    }
    w->segment++;
    w->left = w->length - w->given < w->segment_size ? w->length - w->given : w->segment_size;
    w->segment_crc = 0;
    put_little_endian(field, w->segment, 2);
    put_little_endian(field + 2, w->left, 8);
    return sink_write(w->to, field, sizeof(field), call);
}

static int end_segment(struct structured_writer *w, struct call *call)
{
    uint64_t length = w->given - (uint64_t)(w->segment - 1) * w->segment_size;

    w->crc = crc64_nvme_combine(w->crc, w->segment_crc, length);
    return write_checksum(w, w->segment_crc, call);
}

static int writer_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct structured_writer *w = container_of(sink, struct structured_writer, sink);
    const char *at = bytes;

    if (n > w->length - w->given)
        return err_set(&call->err, ERR_CORRUPT, "a body is longer than was said");
    while (n) {
        if (!w->left && begin_segment(w, call) < 0)
            return -1;
        size_t step = n < w->left ? n : (size_t)w->left;
        w->segment_crc = crc64_nvme(w->segment_crc, at, step);
        if (sink_write(w->to, at, step, call) < 0)
            return -1;
        w->left -= step;
        w->given += step;
        at += step;
        n -= step;
        if (!w->left && end_segment(w, call) < 0)
            return -1;
    }
    return 0;
}

void structured_writer_init(struct structured_writer *w, struct sink *to, uint64_t length)
{
    *w = (struct structured_writer){.sink = {.write = writer_write},
                                    .to = to,
                                    .length = length,
                                    .segment_size = segment_size(length),
                                    .segments = (unsigned)segment_count(length)};
}

int structured_writer_finish(struct structured_writer *w, struct call *call)
{
    if (w->given != w->length)
        return err_set(&call->err, ERR_CORRUPT, "a body is shorter than was said");
    if (w->length == 0 && (begin_segment(w, call) < 0 || end_segment(w, call) < 0))
        return -1;
    return write_checksum(w, w->crc, call);
}
