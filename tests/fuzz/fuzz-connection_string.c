// SPDX-License-Identifier: EUPL-1.2
/* Azure Storage connection strings. */
#include <assert.h>
#include <stdint.h>

#include "auth/connection_string.h"
#include "codec/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = xstrndup((const char *)data, size);
    auto_connection_string struct connection_string c = CONNECTION_STRING_INIT;
    auto_url struct url url = URL_INIT;
    struct err e = {0};

    if (connection_string_parse(text, &c, &e) < 0) {
        assert(e.code == ERR_INVALID && !c.endpoint && !c.key.bytes && !c.sas.bytes);
        return 0;
    }
    assert(!c.key.bytes != !c.sas.bytes && (c.account || c.sas.bytes));
    assert(url_parse(c.endpoint, &url, &e) == 0);
    return 0;
}
