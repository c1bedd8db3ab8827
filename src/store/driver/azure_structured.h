// SPDX-License-Identifier: EUPL-1.2
/*
 * Azure's "structured body", version 1 (XSM/1.0): a body in segments, each followed by the CRC-64
 * of its bytes, and at the end the CRC-64 of all of them.
 *
 *     u8 version = 1   u64 length of the whole message   u16 flags (1: checksums)   u16 segments
 *     each segment: u16 number, from 1   u64 bytes   the bytes   u64 CRC-64
 *     u64 CRC-64 of all segments' bytes                      (all integers little-endian)
 *
 * https://learn.microsoft.com/rest/api/storageservices/structured-body-format
 *
 * A sink that takes the message and pushes the bytes on.  They are pushed before their segment's
 * checksum has come: ERR_CORRUPT means that what was pushed must not be used.
 */
#ifndef STORE_DRIVER_AZURE_STRUCTURED_H
#define STORE_DRIVER_AZURE_STRUCTURED_H

#include "util/stream.h"

#define AZURE_STRUCTURED_HEADER 13

enum azure_structured_state {
    STRUCTURED_HEADER,
    STRUCTURED_SEGMENT,
    STRUCTURED_DATA,
    STRUCTURED_SEGMENT_CHECKSUM,
    STRUCTURED_CHECKSUM,
    STRUCTURED_END,
};

struct azure_structured {
    struct sink sink;
    struct sink *to;
    enum azure_structured_state state;
    unsigned char field[AZURE_STRUCTURED_HEADER];
    size_t have; /* bytes of field */
    uint64_t message_length, message_seen;
    bool checksums;
    unsigned segments, segment;
    uint64_t left; /* of this segment */
    uint64_t segment_crc, crc;
    uint64_t count; /* bytes pushed on */
};

/* to is borrowed. */
void azure_structured_init(struct azure_structured *s, struct sink *to);
/* After the last byte: is the message whole?  *ret_checked: it had checksums and they held. */
must_check int azure_structured_finish(const struct azure_structured *s, bool *ret_checked,
                                       struct err *e);

#endif
