// SPDX-License-Identifier: EUPL-1.2
/* Any metadata headers may come in; what is read from them must survive another round. */
#include <assert.h>
#include <string.h>

#include "store/driver/swift_internal.h"

/* Lines "name: value", as headers. */
static void split(const char *text, struct pairs *ret)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), name = strcspn(text, ":\n");
        auto_free char *key = xasprintf("X-Object-Meta-%.*s", (int)name, text);
        if (name < n)
            pairs_add_n(ret, key, strlen(key), text + name + 1, n - name - 1);
        text += n + (text[n] == '\n');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct swift_limits limits = {.meta_name = 64, .meta_value = 40};
    auto_pairs struct pairs in = PAIRS_INIT, first = PAIRS_INIT, headers = PAIRS_INIT;
    auto_pairs struct pairs second = PAIRS_INIT;
    auto_free char *text = xstrndup((const char *)data, size < 4096 ? size : 4096);

    split(text, &in);
    swift_metadata_read(&in, &first);
    swift_metadata_write(&first, &limits, &headers);
    swift_metadata_read(&headers, &second);
    /* Keys that differ only in what a header name cannot hold may have come in twice. */
    for (size_t i = 0; i < first.count; i++)
        assert(pairs_get(&second, first.list[i].key));
    return 0;
}
