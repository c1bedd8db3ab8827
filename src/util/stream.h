// SPDX-License-Identifier: EUPL-1.2
/*
 * Bytes on the way: who needs them pulls from a source, who has them pushes into a sink.  These are
 * libcurl's own two callbacks, so a driver needs no glue, and a layer that changes bytes is two
 * small adapters.
 *
 * "Ended" and "cut off" are different: a source says 0 only when the whole of it has been read;
 * when the rest cannot come it says -1.  Who pulls must treat -1 as "store nothing".
 */
#ifndef UTIL_STREAM_H
#define UTIL_STREAM_H

#include <stdint.h>
#include <sys/types.h>

#include "util/buf.h"
#include "util/call.h"

struct source {
    /* Fill up to n (> 0) bytes.  Returns how many (> 0), 0 at the end, -1 when cut off. */
    ssize_t (*read)(struct source *s, void *bytes, size_t n, struct call *call);
    /* Go back to the first byte so that it can all be read again; NULL where that cannot be. */
    int (*rewind)(struct source *s, struct call *call);
};

struct sink {
    /* Take all n bytes, or -1. */
    int (*write)(struct sink *s, const void *bytes, size_t n, struct call *call);
};

must_check ssize_t source_read(struct source *s, void *bytes, size_t n, struct call *call);
must_check int sink_write(struct sink *s, const void *bytes, size_t n, struct call *call);

/* A source over bytes somebody else keeps.  Rewindable. */
struct source_bytes {
    struct source source;
    const char *bytes;
    size_t length;
    size_t at;
};
void source_bytes_init(struct source_bytes *s, const void *bytes, size_t length);
/* The struct source_bytes behind a source, or NULL when it is another kind: lets a driver use the
 * bytes in place instead of pulling them. */
struct source_bytes *source_as_bytes(struct source *s);

/* A source of length zero bytes (the holes of a sparse object).  Rewindable. */
struct source_zeros {
    struct source source;
    uint64_t length;
    uint64_t at;
};
void source_zeros_init(struct source_zeros *s, uint64_t length);

/* A sink into a buf (whose ceiling holds). */
struct sink_buf {
    struct sink sink;
    struct buf *into;
};
void sink_buf_init(struct sink_buf *s, struct buf *into);

/* A sink into memory of a fixed size somebody else keeps; more than fits is ERR_CORRUPT. */
struct sink_bytes {
    struct sink sink;
    char *bytes;
    size_t size;
    size_t length;
};
void sink_bytes_init(struct sink_bytes *s, void *bytes, size_t size);

/* A sink that counts and forgets. */
struct sink_count {
    struct sink sink;
    uint64_t count;
};
void sink_count_init(struct sink_count *s);

/* Pull everything from one and push it into the other; *ret_count (may be NULL) gets the bytes. */
must_check int stream_copy(struct source *from, struct sink *to, uint64_t *ret_count,
                           struct call *call);

#endif
