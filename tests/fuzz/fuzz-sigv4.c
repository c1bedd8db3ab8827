// SPDX-License-Identifier: EUPL-1.2
/* The Authorization headers and presigned queries of SigV4 and Shared Key, and a verification of
 * whatever claim they make. */
#include <assert.h>
#include <string.h>

#include "auth/sharedkey.h"
#include "auth/sigv4.h"

static void verify(const struct sigv4_claim *claim, const char *text)
{
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    auto_secret struct secret key = SECRET_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    struct err e = {0};

    secret_from_text(&key, "secret");
    if (sigv4_init(&s, claim->access_key, &key, NULL, claim->region, &e) < 0)
        return;
    pairs_add(&headers, "Host", "localhost");
    pairs_add(&headers, "x-amz-content-sha256", SIGV4_UNSIGNED);
    int verified = sigv4_verify(&s, claim, "GET", text, text, &headers,
                                INT64_C(1369353600) * CLOCK_SECOND, &e);
    assert(verified == 0 || e.code != ERR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 20000)
        return 0;
    auto_free char *text = xstrndup((const char *)data, size);
    struct sharedkey_authorization a;
    struct err e = {0};

    if (sharedkey_authorization_parse(text, &a, &e) < 0)
        assert(e.code == ERR_INVALID);
    {
        auto_sigv4_claim struct sigv4_claim claim = SIGV4_CLAIM_INIT;
        if (sigv4_authorization_parse(text, &claim, &e) < 0)
            assert(e.code == ERR_INVALID && !claim.signed_headers);
        else
            verify(&claim, text);
    }
    auto_sigv4_claim struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    if (sigv4_query_parse(text, &claim, &e) < 0)
        assert(e.code == ERR_INVALID && !claim.signed_headers);
    else
        verify(&claim, text);
    return 0;
}
