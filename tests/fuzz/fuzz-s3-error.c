// SPDX-License-Identifier: EUPL-1.2
/* Any bytes as an error document of an S3 service: what comes out is one clean line each. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "store/driver/s3_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_line(const char *text, size_t size)
{
    assert(memchr(text, 0, size));
    for (; *text; text++)
        assert((unsigned char)*text >= 0x20 && *text != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_error e;

    s3_error_parse((const char *)data, size, &e);
    check_line(e.code, sizeof(e.code));
    check_line(e.message, sizeof(e.message));
    check_line(e.region, sizeof(e.region));
    check_line(e.endpoint, sizeof(e.endpoint));
    check_line(e.request_time, sizeof(e.request_time));
    check_line(e.server_time, sizeof(e.server_time));
    return 0;
}
