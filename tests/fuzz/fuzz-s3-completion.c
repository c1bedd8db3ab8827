// SPDX-License-Identifier: EUPL-1.2
/* The list of parts of a CompleteMultipartUpload: parts in rising order, or refused. */
#include <assert.h>
#include <stdint.h>

#include "codec/xml.h"
#include "door/s3/s3_multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_xml struct xml_node *node = NULL;
    auto_s3_completion struct s3_completion parts = {0};
    struct err e = {0};
    if (xml_parse((const char *)data, size, &node, &e) < 0)
        return 0;
    if (s3_completion_read(node, &parts, &e) < 0) {
        assert(e.code == ERR_INVALID || e.code == ERR_CONFLICT || e.code == ERR_RANGE ||
               e.code == ERR_NOT_FOUND);
        assert(parts.count == 0);
        return 0;
    }
    assert(parts.count > 0 && parts.count <= S3_PARTS_MAX);
    for (size_t i = 0; i < parts.count; i++) {
        assert(parts.list[i].number >= 1 && parts.list[i].number <= S3_PARTS_MAX);
        assert(i == 0 || parts.list[i].number > parts.list[i - 1].number);
    }
    return 0;
}
