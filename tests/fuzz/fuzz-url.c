// SPDX-License-Identifier: EUPL-1.2
/* URLs and query strings: whatever is taken apart goes together again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const char *bytes, size_t size)
{
    struct err e = {0};
    auto_buf struct buf escaped = BUF_INIT(4 << 20);
    auto_buf struct buf back = BUF_INIT(4 << 20);

    url_escape(&escaped, bytes, size, size % 2 ? URL_KEEP_SLASH : URL_KEEP_UNRESERVED);
    int unescaped = url_unescape(&back, escaped.data, escaped.length, true, &e);
    assert(unescaped == 0 && back.length == size && memcmp(back.data, bytes, size) == 0);
    (void)unescaped;
}

static void query(const char *text)
{
    struct err e = {0};
    auto_pairs struct pairs pairs = PAIRS_INIT, again = PAIRS_INIT;
    auto_buf struct buf written = BUF_INIT(4 << 20);

    if (query_parse(text, &pairs, &e) < 0) {
        assert(e.code == ERR_INVALID && pairs.count == 0);
        return;
    }
    for (size_t i = 0; i < pairs.count; i++)
        query_add(&written, pairs.list[i].key, pairs.list[i].value);
    if (written.length <= URL_MAX) {
        int parsed = query_parse(written.data, &again, &e);
        assert(parsed == 0 && pairs_equal(&pairs, &again));
        (void)parsed;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = xstrndup((const char *)data, size);
    struct err e = {0};
    auto_url struct url url = URL_INIT;

    round_trip((const char *)data, size);
    query(text);
    if (url_parse(text, &url, &e) == 0) {
        assert(url.scheme[0] && url.host[0] && url.port >= 0 && url.port < 65536);
        assert(!url.path[0] || url.path[0] == '/');
        if (url.query)
            query(url.query);
    } else {
        assert(e.code == ERR_INVALID && !url.host);
    }
    return 0;
}
