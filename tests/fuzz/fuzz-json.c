// SPDX-License-Identifier: EUPL-1.2
/* JSON: what is read and written gives the same text when read and written again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {0};
    auto_json json_t *doc = NULL;
    auto_json json_t *again = NULL;
    auto_buf struct buf one = BUF_INIT(32 << 20);
    auto_buf struct buf two = BUF_INIT(32 << 20);

    if (json_parse((const char *)data, size, &doc, &e) < 0) {
        assert(e.code == ERR_INVALID && !doc);
        return 0;
    }
    int done = json_write(&one, doc, &e);
    assert(done == 0);
    done = json_parse(one.data, one.length, &again, &e);
    assert(done == 0);
    done = json_write(&two, again, &e);
    assert(done == 0 && one.length == two.length && memcmp(one.data, two.data, one.length) == 0);
    (void)done;
    return 0;
}
