// SPDX-License-Identifier: EUPL-1.2
/* Shared access signatures: parsing, judging, and what would be signed. */
#include <assert.h>
#include <stdint.h>

#include "auth/sas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 20000)
        return 0;
    auto_free char *text = xstrndup((const char *)data, size);
    auto_sas struct sas s = SAS_INIT;
    auto_secret struct secret key = SECRET_INIT;
    const struct sas_resource blob = {"acct", "c", "a/b"}, account = {"acct", NULL, NULL};
    struct err e = {0};

    secret_from_text(&key, "key");
    if (sas_parse(text, &s, &e) < 0) {
        assert((e.code == ERR_INVALID || e.code == ERR_UNSUPPORTED) && !s.fields.count);
        return 0;
    }
    assert(sas_field(&s, "sv") && sas_field(&s, "sig"));
    if (sas_check(&s, INT64_C(1790000000) * CLOCK_SECOND, 'r', &e) < 0)
        assert(e.code != ERR_NONE);
    (void)!sas_verify(&s, &blob, &key, &e);
    (void)!sas_verify(&s, &account, &key, &e);
    return 0;
}
