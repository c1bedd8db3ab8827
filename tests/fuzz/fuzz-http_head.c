// SPDX-License-Identifier: EUPL-1.2
/* The head of an HTTP answer, in lines as they come from the network. */
#include <assert.h>
#include <string.h>

#include "http/head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    struct http_head head = {.into = &response};
    const char *at = (const char *)data, *end = at + size;
    struct err e = {0};

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t n = line_end ? (size_t)(line_end + 1 - at) : (size_t)(end - at);
        enum http_head_state state = http_head_line(&head, at, n, &e);
        if (state == HTTP_HEAD_BAD) {
            assert(e.code == ERR_REMOTE);
            return 0;
        }
        assert(state == HTTP_HEAD_MORE || (head.done && response.status >= 200));
        at += n;
    }
    assert(response.headers.count <= HTTP_HEAD_LINES_MAX);
    return 0;
}
