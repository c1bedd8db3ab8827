// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as an answer to List Blobs, in pieces whose size the first byte chooses. */
#include <assert.h>
#include <stdint.h>

#include "store/driver/azure_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_azure_page struct azure_page page;
    auto_object_list struct object_list list = OBJECT_LIST_INIT;
    struct call call = CALL_INIT;
    size_t step = size ? data[0] % 64 + 1u : 1;

    azure_page_init(&page, 100);
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        if (sink_write(&page.reader.sink, data + at, n, &call) < 0) {
            assert(call.err.code == ERR_INVALID || call.err.code == ERR_REMOTE);
            return 0;
        }
    }
    if (azure_page_finish(&page, &list, &call.err) < 0) {
        assert(call.err.code == ERR_REMOTE && !list.count && !list.cursor);
        return 0;
    }
    assert(list.count <= 100 && list.prefix_count <= 100);
    for (size_t i = 0; i < list.count; i++)
        assert(list.list[i].name && *list.list[i].name);
    return 0;
}
