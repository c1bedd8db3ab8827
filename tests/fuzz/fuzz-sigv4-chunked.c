// SPDX-License-Identifier: EUPL-1.2
/* aws-chunked bodies: what is given is what was announced, or the reader fails; the pieces it comes
 * in make no difference.  The first byte says the length, and whether there are trailers. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auth/sigv4_reader.h"

struct drip {
    struct source source;
    const uint8_t *bytes;
    size_t left;
    size_t step;
};

static ssize_t drip_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    struct drip *d = container_of(s, struct drip, source);
    (void)call;
    n = n < d->step ? n : d->step;
    n = n < d->left ? n : d->left;
    memcpy(bytes, d->bytes, n);
    d->bytes += n;
    d->left -= n;
    return (ssize_t)n;
}

static int64_t decode(const uint8_t *data, size_t size, uint64_t length, bool trailers, size_t step)
{
    struct drip drip = {{.read = drip_read}, data, size, step};
    struct sigv4_reader *reader = xcalloc(1, sizeof(*reader));
    struct call call = CALL_INIT;
    char bytes[64];
    uint64_t total = 0;
    ssize_t got;
    sigv4_reader_init(reader, &drip.source, NULL, NULL, length, trailers);
    while ((got = source_read(&reader->source, bytes, sizeof(bytes), &call)) > 0)
        total += (uint64_t)got;
    if (got == 0)
        got = sigv4_reader_end(reader, &call);
    assert(total <= length);
    if (got == 0)
        assert(total == length);
    else
        assert(call.err.code == ERR_CORRUPT || call.err.code == ERR_NETWORK);
    sigv4_reader_release(reader);
    free(reader);
    return got == 0 ? (int64_t)total : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    uint64_t length = data[0] & 0x7f;
    bool trailers = (data[0] & 0x80) != 0;
    int64_t slow = decode(data + 1, size - 1, length, trailers, 1);
    assert(slow == decode(data + 1, size - 1, length, trailers, 4096));
    return 0;
}
