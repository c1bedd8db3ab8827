// SPDX-License-Identifier: EUPL-1.2
/* Shared access signatures: parsing, judging, and what would be signed. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auth/sas.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 20000)
        return 0;
    auto_free char *text = xstrndup((const char *)data, size);
    auto_sas struct sas s = SAS_INIT;
    auto_secret struct secret key = SECRET_INIT;
    struct err e = {0};

    secret_from_text(&key, "key");
    if (sas_parse(text, &s, &e) < 0) {
        assert((e.code == ERR_INVALID || e.code == ERR_UNSUPPORTED) && !s.fields.count);
        return 0;
    }
    assert(sas_field(&s, "sv") && sas_field(&s, "sig"));
    struct sas_request r = {.resource = {"acct", "c", "a/b"},
                            .now = INT64_C(1790000000) * CLOCK_SECOND,
                            .client = "203.0.113.7",
                            .resource_type = 'o',
                            .any_of = "r"};
    const struct secret *const keys[] = {&key};
    const struct sas_policy policy = {TIME_UNKNOWN, r.now + 1, "rw"};
    assert(sas_verify(&s, &r, keys, 1, &e) == SAS_BAD_SIGNATURE);
    r.resource = (struct sas_resource){"acct", NULL, NULL};
    assert(sas_verify(&s, &r, keys, 1, &e) == SAS_BAD_SIGNATURE);
    (void)!sas_delegation_key(&key, &s.fields, &key, &e);
    if (sas_apply_policy(&s, &policy, &e) == SAS_FINE && sas_check(&s, &r, &e) == SAS_FINE)
        assert(s.permissions && strchr(s.permissions, 'r') && s.expires > r.now);
    return 0;
}
