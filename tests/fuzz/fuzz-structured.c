// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as a structured body, in pieces whose size the last byte chooses. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "http/structured.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same message pulled: all its bytes or an error, as pushing has it. */
static void pull(const uint8_t *data, size_t size, uint64_t count, bool good)
{
    struct structured_source *s = xcalloc(1, sizeof(*s));
    struct source_bytes from;
    struct call call = CALL_INIT;
    char bytes[1000];
    uint64_t got = 0;
    ssize_t n;

    source_bytes_init(&from, data, size);
    structured_source_init(s, &from.source, count);
    if (count == 0)
        n = structured_source_empty(s, &call);
    else
        while ((n = source_read(&s->source, bytes, sizeof(bytes), &call)) > 0)
            got += (uint64_t)n;
    assert(good ? n == 0 && got == count : n < 0 && (got < count || count == 0));
    free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sink_count count;
    struct structured body;
    struct call call = CALL_INIT;
    size_t step = size ? data[size - 1] % 64 + 1u : 1;
    bool checked;

    sink_count_init(&count);
    structured_init(&body, &count.sink);
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        if (sink_write(&body.sink, data + at, n, &call) < 0) {
            assert(call.err.code == ERR_CORRUPT || call.err.code == ERR_REMOTE);
            pull(data, size, body.count ? body.count : 1, false);
            return 0;
        }
    }
    assert(count.count == body.count && count.count <= size);
    if (structured_finish(&body, &checked, &call.err) == 0) {
        pull(data, size, body.count, true);
        return 0;
    }
    assert(call.err.code == ERR_CORRUPT || call.err.code == ERR_NETWORK);
    pull(data, size, body.count, false);
    return 0;
}
