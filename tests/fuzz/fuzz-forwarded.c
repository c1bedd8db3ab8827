// SPDX-License-Identifier: EUPL-1.2
/* Forwarded and X-Forwarded-For: the first line is a network, each other one a header's value. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "http/forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto"};
    auto_free char *text = xstrndup((const char *)data, size);
    auto_networks struct networks proxies = NETWORKS_INIT;
    auto_networks struct networks all = NETWORKS_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    struct err e = {.code = ERR_NONE};
    struct forwarded found;
    unsigned turn = size ? data[0] : 0;
    char *rest = text;
    char *line;

    if (networks_add(&proxies, strsep(&rest, "\n"), &e) < 0)
        assert(e.code == ERR_INVALID && proxies.count == 0);
    while ((line = strsep(&rest, "\n")))
        pairs_add(&headers, names[turn++ % ARRAY_SIZE(names)], line);
    forwarded_find(&proxies, "192.0.2.1", false, &headers, &found);
    /* Whoever is not named as a proxy has no say. */
    if (!networks_contain(&proxies, "192.0.2.1"))
        assert(strcmp(found.client, "192.0.2.1") == 0 && !found.secure);
    /* With everybody named the outermost address wins; in any case it is an address. */
    assert(networks_add(&all, "::/0", &e) == 0);
    forwarded_find(&all, "192.0.2.1", false, &headers, &found);
    assert(networks_contain(&all, found.client));
    return 0;
}
