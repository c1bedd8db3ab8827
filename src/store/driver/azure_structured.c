// SPDX-License-Identifier: EUPL-1.2
/* Reader of structured bodies: see azure_structured.h. */
#include "store/driver/azure_structured.h"

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
static size_t field_size(enum azure_structured_state state)
{
    switch (state) {
    case STRUCTURED_HEADER:
        return AZURE_STRUCTURED_HEADER;
    case STRUCTURED_SEGMENT:
        return 10;
    case STRUCTURED_SEGMENT_CHECKSUM:
    case STRUCTURED_CHECKSUM:
        return 8;
    default:
        return 0;
    }
}

static void after_segments(struct azure_structured *s)
{
    if (s->segment < s->segments)
        s->state = STRUCTURED_SEGMENT;
    else
        s->state = s->checksums ? STRUCTURED_CHECKSUM : STRUCTURED_END;
}

static void after_data(struct azure_structured *s)
{
    if (s->checksums)
        s->state = STRUCTURED_SEGMENT_CHECKSUM;
    else
        after_segments(s);
}

static int read_header(struct azure_structured *s, struct err *e)
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

static int read_segment(struct azure_structured *s, struct err *e)
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

static int read_field(struct azure_structured *s, struct err *e)
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

static int push_data(struct azure_structured *s, const unsigned char *bytes, size_t n,
                     struct call *call)
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
    struct azure_structured *s = container_of(sink, struct azure_structured, sink);
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

void azure_structured_init(struct azure_structured *s, struct sink *to)
{
    *s = (struct azure_structured){.sink = {.write = structured_write}, .to = to};
}

int azure_structured_finish(const struct azure_structured *s, bool *ret_checked, struct err *e)
{
    if (s->state != STRUCTURED_END)
        return err_set(e, ERR_NETWORK, "structured body: cut off");
    if (s->message_length != s->message_seen)
        return err_set(e, ERR_CORRUPT, "structured body: not as long as it says");
    *ret_checked = s->checksums;
    return 0;
}
