// SPDX-License-Identifier: EUPL-1.2
/* Base64: what decodes is the only text of its bytes. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct err e = {0};
    auto_buf struct buf plain = BUF_INIT(1 << 20);
    auto_buf struct buf again = BUF_INIT(2 << 20);

    if (base64_decode(text, size, &plain, &e) == 0) {
        base64_encode(&again, plain.data, plain.length);
        assert(again.length == size && memcmp(again.data, text, size) == 0);
    } else {
        assert(e.code == ERR_INVALID && plain.length == 0);
    }
    buf_reset(&plain);
    buf_reset(&again);
    if (base64url_decode(text, size, &plain, &e) == 0) {
        base64url_encode(&again, plain.data, plain.length);
        assert(again.length == size && memcmp(again.data, text, size) == 0);
    }
    return 0;
}
