// SPDX-License-Identifier: EUPL-1.2
/* Sources and sinks: see stream.h. */
#include "util/stream.h"

#include <assert.h>
#include <string.h>

ssize_t source_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    assert(n > 0);
    ssize_t got = s->read(s, bytes, n, call);
    assert(got <= (ssize_t)n);
    return got;
}

int sink_write(struct sink *s, const void *bytes, size_t n, struct call *call)
{
    return n ? s->write(s, bytes, n, call) : 0;
}

static ssize_t bytes_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct source_bytes *s = container_of(source, struct source_bytes, source);

    (void)call;
    if (n > s->length - s->at)
        n = s->length - s->at;
    if (n)
        memcpy(bytes, s->bytes + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static int bytes_rewind(struct source *source, struct call *call)
{
    (void)call;
    container_of(source, struct source_bytes, source)->at = 0;
    return 0;
}

void source_bytes_init(struct source_bytes *s, const void *bytes, size_t length)
{
    *s = (struct source_bytes){
        .source = {.read = bytes_read, .rewind = bytes_rewind}, .bytes = bytes, .length = length};
}

struct source_bytes *source_as_bytes(struct source *s)
{
    return s->read == bytes_read ? container_of(s, struct source_bytes, source) : NULL;
}

static ssize_t zeros_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct source_zeros *s = container_of(source, struct source_zeros, source);

    (void)call;
    if (n > s->length - s->at)
        n = (size_t)(s->length - s->at);
    memset(bytes, 0, n);
    s->at += n;
    return (ssize_t)n;
}

static int zeros_rewind(struct source *source, struct call *call)
{
    (void)call;
    container_of(source, struct source_zeros, source)->at = 0;
    return 0;
}

void source_zeros_init(struct source_zeros *s, uint64_t length)
{
    *s = (struct source_zeros){.source = {.read = zeros_read, .rewind = zeros_rewind},
                               .length = length};
}

static int buf_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    return buf_add(container_of(sink, struct sink_buf, sink)->into, bytes, n, &call->err);
}

void sink_buf_init(struct sink_buf *s, struct buf *into)
{
    *s = (struct sink_buf){.sink = {.write = buf_write}, .into = into};
}

static int bytes_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct sink_bytes *s = container_of(sink, struct sink_bytes, sink);

    if (n > s->size - s->length)
        return err_set(&call->err, ERR_CORRUPT, "more than the %zu bytes asked for came", s->size);
    memcpy(s->bytes + s->length, bytes, n);
    s->length += n;
    return 0;
}

void sink_bytes_init(struct sink_bytes *s, void *bytes, size_t size)
{
    *s = (struct sink_bytes){.sink = {.write = bytes_write}, .bytes = bytes, .size = size};
}

static int count_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    (void)bytes;
    (void)call;
    container_of(sink, struct sink_count, sink)->count += n;
    return 0;
}

void sink_count_init(struct sink_count *s)
{
    *s = (struct sink_count){.sink = {.write = count_write}};
}

int stream_copy(struct source *from, struct sink *to, uint64_t *ret_count, struct call *call)
{
    char chunk[64 * 1024];
    uint64_t count = 0;

    for (;;) {
        if (call_check(call) < 0)
            return -1;
        ssize_t n = source_read(from, chunk, sizeof(chunk), call);
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        if (sink_write(to, chunk, (size_t)n, call) < 0)
            return -1;
        count += (uint64_t)n;
    }
    if (ret_count)
        *ret_count = count;
    return 0;
}
