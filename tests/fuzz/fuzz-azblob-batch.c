// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as a batch: the first line is its Content-Type, the rest the body. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "door/azblob/azblob_multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    size_t n = end ? (size_t)(end - data) : 0;
    auto_free char *type = xstrndup((const char *)data, n);
    auto_free char *boundary = multipart_boundary(type);
    auto_multipart struct multipart m = {0};
    struct err e = {.code = ERR_NONE};

    if (!boundary || !end)
        return 0;
    if (multipart_parse((const char *)end + 1, size - n - 1, boundary, &m, &e) < 0) {
        assert((e.code == ERR_INVALID || e.code == ERR_QUOTA) && !m.count);
        return 0;
    }
    assert(m.count <= MULTIPART_PARTS_MAX);
    for (size_t i = 0; i < m.count; i++) {
        assert(*m.list[i].method && m.list[i].path[0] == '/');
        assert(!strpbrk(m.list[i].path, " \r\n?"));
        assert(m.list[i].headers.count <= MULTIPART_HEADERS_MAX);
        for (size_t h = 0; h < m.list[i].headers.count; h++)
            assert(!strpbrk(m.list[i].headers.list[h].value, "\r\n"));
    }
    return 0;
}
