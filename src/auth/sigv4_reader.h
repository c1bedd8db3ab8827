// SPDX-License-Identifier: EUPL-1.2
/*
 * The reading side of "aws-chunked" bodies: S3's framing of a body into chunks, which may be signed
 * one by one and followed by trailers (a checksum).
 *
 *     5;chunk-signature=<64 digits>\r\nhello\r\n
 *     0;chunk-signature=<64 digits>\r\n
 *     x-amz-checksum-crc32:NhCmhg==\r\n
 *     x-amz-trailer-signature:<64 digits>\r\n
 *     \r\n
 *
 * The reader gives the bytes without the framing.  The last of them only after the whole of the
 * framing behind them has been read and found right, so that whoever stores what it gives has
 * stored nothing when a signature, a length or the end is wrong (ERR_CORRUPT for framing that lies,
 * ERR_UNKNOWN_WHO for a wrong signature, ERR_NETWORK for a body cut off).  A body of no bytes is
 * checked by sigv4_reader_end().  All chunks but the last hold at least SIGV4_CHUNK_MIN bytes, as
 * S3 wants it.
 *
 * One thread at a time.  Source: Amazon S3 API reference, "Signature calculations for the
 * Authorization header: transferring payload in multiple chunks" and "... including trailing
 * headers".
 */
#ifndef AUTH_SIGV4_READER_H
#define AUTH_SIGV4_READER_H

#include "auth/sigv4.h"

#define SIGV4_CHUNK_LINE_MAX 512
#define SIGV4_CHUNK_MIN      8192
#define SIGV4_TRAILERS_MAX   (16 * 1024)

/* What ERR_CORRUPT was about. */
enum sigv4_lie { SIGV4_LIE_FRAMING, SIGV4_LIE_LENGTH, SIGV4_LIE_CHUNK_SIZE, SIGV4_LIE_TRAILER };

struct sigv4_reader {
    struct source source;
    struct source *from; /* borrowed */
    uint64_t left;       /* of the decoded body */
    uint64_t chunk_left;
    bool is_signed;
    bool has_trailers;
    bool ended; /* the end has been read and found right */
    bool small; /* a chunk was less than SIGV4_CHUNK_MIN: only the end may follow */
    enum sigv4_lie lie;
    char date[20];
    char scope[SIGV4_SCOPE_SIZE];
    char previous[SIGV4_HEX_SIZE]; /* signature of the head, then of the chunk before */
    char expected[SIGV4_HEX_SIZE]; /* of the chunk being read */
    unsigned char key[SHA256_SIZE];
    struct hash hash; /* of the chunk being read */
    struct pairs trailers;
    char buffer[16 * 1024]; /* of the framed body */
    size_t at, filled;
};
#define auto_sigv4_reader cleanup(sigv4_reader_release)

/* who and claim NULL: chunks are not signed.  length: of the decoded body
 * (x-amz-decoded-content-length). */
void sigv4_reader_init(struct sigv4_reader *r, struct source *from, struct sigv4 *who,
                       const struct sigv4_claim *claim, uint64_t length, bool has_trailers);
void sigv4_reader_release(struct sigv4_reader *r);
/* Read to the end, when length is 0 or all has been given. */
must_check int sigv4_reader_end(struct sigv4_reader *r, struct call *call);
/* What stood behind the last chunk, names in lower case, without the signature.  After the end. */
const struct pairs *sigv4_reader_trailers(const struct sigv4_reader *r);

#endif
