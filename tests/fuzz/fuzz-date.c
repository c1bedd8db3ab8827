// SPDX-License-Identifier: EUPL-1.2
/* Dates: what is read, and can be held, is written the same way again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int held(int64_t time)
{
    return time != DATE_FIRST && time != DATE_LAST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = xstrndup((const char *)data, size);
    char again[DATE_TEXT];
    struct err e = {0};
    int64_t time, back;

    if (date_parse_rfc1123(text, &time, &e) == 0 && held(time)) {
        date_rfc1123(again, time);
        assert(strcmp(again, text) == 0);
    }
    if (date_parse_basic(text, &time, &e) == 0 && held(time)) {
        date_basic(again, time);
        assert(strcmp(again, text) == 0);
    }
    if (date_parse_iso8601(text, &time, &e) == 0) {
        date_iso8601(again, sizeof(again), time, 9);
        int parsed = date_parse_iso8601(again, &back, &e);
        assert(parsed == 0 && back == time);
        (void)parsed;
    } else {
        assert(e.code == ERR_INVALID);
    }
    return 0;
}
