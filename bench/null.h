// SPDX-License-Identifier: EUPL-1.2
/*
 * What the two ends of a benchmark share: an HTTP server on a loopback port that does next to
 * nothing, and a fingerprint of what a container holds, by which both ends can be compared.
 *
 * A handler is called as libmicrohttpd calls it (its manual, MHD_AccessHandlerCallback); answers
 * are made with the helpers below.  Two threads, so handlers lock what they share.
 */
#ifndef BENCH_NULL_H
#define BENCH_NULL_H

#include <microhttpd.h>

#include "crypto/hash.h"
#include "util/buf.h"

/* Serve on 127.0.0.1 until SIGTERM or SIGINT; port 0 takes a free one.  Says "ready PORT" on stdout
 * when it can be spoken to.  Returns the program's exit status. */
int null_serve(int port, MHD_AccessHandlerCallback handler, MHD_RequestCompletedCallback completed);

/* A text to answer with; takes over the buffer.  NULL: no body. */
struct MHD_Response *null_response(struct buf *body, const char *content_type);
void null_header(struct MHD_Response *r, const char *name, const char *format, ...)
    printf_like(3, 4);
/* Queue and give back. */
enum MHD_Result null_answer(struct MHD_Connection *c, unsigned status, struct MHD_Response *r);

/* A header of the request, or an argument of its query; NULL when there is none. */
const char *null_request_header(struct MHD_Connection *c, const char *name);
const char *null_argument(struct MHD_Connection *c, const char *name);

/* "/a/b/c": the first segment goes to first (at most size - 1 bytes), the rest without its slash is
 * returned. */
const char *null_split(const char *path, char *first, size_t size);

/* How many objects, how many bytes, and a number that depends on every name and every byte but not
 * on the order: the same two of these mean the same objects. */
struct null_summary {
    unsigned long long objects, bytes, sum;
};
/* crc: CRC-64/NVME of the body. */
void null_summary_add(struct null_summary *s, const char *name, uint64_t size, uint64_t crc);
enum MHD_Result null_summary_answer(struct MHD_Connection *c, const struct null_summary *s);

#endif
