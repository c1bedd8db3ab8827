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
 * Three ways to it: a sink that takes the message and pushes the bytes on (a client's download), a
 * source that gives the bytes of a message it pulls (a server's upload), and a sink that makes a
 * message of bytes (a server's download).
 */
#ifndef HTTP_STRUCTURED_H
#define HTTP_STRUCTURED_H

#include <stdbool.h>

#include "util/stream.h"

/* As the headers x-ms-structured-body say it. */
#define STRUCTURED_NAME "XSM/1.0; properties=crc64"

#define STRUCTURED_HEADER_SIZE 13

enum structured_state {
    STRUCTURED_HEADER,
    STRUCTURED_SEGMENT,
    STRUCTURED_DATA,
    STRUCTURED_SEGMENT_CHECKSUM,
    STRUCTURED_CHECKSUM,
    STRUCTURED_END,
};

/* ---- Reading, pushed ---- */

/* The bytes are pushed before their segment's checksum has come: ERR_CORRUPT means that what was
 * pushed must not be used. */
struct structured {
    struct sink sink;
    struct sink *to;
    enum structured_state state;
    unsigned char field[STRUCTURED_HEADER_SIZE];
    size_t have; /* bytes of field */
    uint64_t message_length, message_seen;
    bool checksums;
    unsigned segments, segment;
    uint64_t left; /* of this segment */
    uint64_t segment_crc, crc;
    uint64_t count; /* bytes pushed on */
};

/* to is borrowed. */
void structured_init(struct structured *s, struct sink *to);
/* After the last byte: is the message whole?  *ret_checked: it had checksums and they held. */
must_check int structured_finish(const struct structured *s, bool *ret_checked, struct err *e);

/* ---- Reading, pulled ---- */

#define STRUCTURED_PULL (32 * 1024)

/* The last bytes are given only once the whole message has been read and its checksums held: who
 * has read length bytes, or seen the end, has what was sent.  ERR_CORRUPT when they did not hold or
 * the message is malformed; ERR_REMOTE when it is of an unknown kind; else as from. */
struct structured_source {
    struct source source;
    struct source *from;
    uint64_t length; /* that the bytes must have */
    uint64_t given;
    struct structured reader;
    struct sink_bytes spill; /* into bytes */
    bool mismatch;           /* why it failed: a checksum did not hold */
    bool whole;              /* the message was read to its end */
    size_t at;               /* of bytes: what was given */
    char bytes[STRUCTURED_PULL];
    char message[STRUCTURED_PULL];
};

/* from is borrowed.  Large: keep it on the heap. */
void structured_source_init(struct structured_source *s, struct source *from, uint64_t length);
/* Read what is left of the message of a body without bytes (there is nothing to pull): whether it
 * is one. */
must_check int structured_source_empty(struct structured_source *s, struct call *call);

/* ---- Writing ---- */

struct structured_writer {
    struct sink sink;
    struct sink *to;
    uint64_t length, given;
    uint64_t segment_size;
    unsigned segments, segment;
    uint64_t left; /* of this segment */
    uint64_t segment_crc, crc;
};

/* How long the message of a body of length bytes is. */
uint64_t structured_size(uint64_t length);
/* to is borrowed; exactly length bytes are to be written (else ERR_CORRUPT), then
 * structured_writer_finish(). */
void structured_writer_init(struct structured_writer *w, struct sink *to, uint64_t length);
must_check int structured_writer_finish(struct structured_writer *w, struct call *call);

#endif
