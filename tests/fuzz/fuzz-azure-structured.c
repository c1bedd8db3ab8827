// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as a structured body, in pieces whose size the last byte chooses. */
#include <assert.h>
#include <stdint.h>

#include "store/driver/azure_structured.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sink_count count;
    struct azure_structured body;
    struct call call = CALL_INIT;
    size_t step = size ? data[size - 1] % 64 + 1u : 1;
    bool checked;

    sink_count_init(&count);
    azure_structured_init(&body, &count.sink);
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        if (sink_write(&body.sink, data + at, n, &call) < 0) {
            assert(call.err.code == ERR_CORRUPT || call.err.code == ERR_REMOTE);
            return 0;
        }
    }
    assert(count.count == body.count && count.count <= size);
    if (azure_structured_finish(&body, &checked, &call.err) < 0)
        assert(call.err.code == ERR_CORRUPT || call.err.code == ERR_NETWORK);
    return 0;
}
