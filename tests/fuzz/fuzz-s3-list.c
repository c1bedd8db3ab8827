// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as a listing of an S3 service, in pieces whose size the first byte chooses. */
#include <assert.h>
#include <stdint.h>

#include "codec/xml.h"
#include "store/driver/s3_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_xml_reader struct xml_reader reader;
    struct err e = {0};
    size_t step = size ? data[0] % 64 + 1u : 1;
    cleanup(s3_page_release) struct s3_page page = {.decode = step % 2, .versions = step % 3 == 0};

    xml_reader_init(&reader, 64 * 1024, 1 << 20, s3_page_start, s3_page_end, &page);
    for (size_t at = 0; at < size; at += step) {
        if (xml_reader_feed(&reader, data + at, size - at < step ? size - at : step, &e) < 0) {
            assert(e.code == ERR_INVALID || e.code == ERR_REMOTE);
            return 0;
        }
    }
    if (xml_reader_finish(&reader, &e) < 0)
        return 0;
    assert(page.finished);
    for (size_t i = 0; i < page.list.count; i++) {
        const struct object *o = &page.list.list[i];
        assert(o->name && *o->name);
        assert(o->kind != VERSION_ID || o->version);
    }
    return 0;
}
