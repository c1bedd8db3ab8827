// SPDX-License-Identifier: EUPL-1.2
/* Opens Azure stores for scripted answers: see azure-script.h. */
#include "azure-script.h"

static void check_request(const struct http_request *request)
{
    assert_non_null(pairs_get(&request->headers, "x-ms-version"));
    assert_int_equal(strlen(pairs_get(&request->headers, "x-ms-client-request-id")), 32);
}

struct store *script_open(const char *sas)
{
    auto_secret struct secret secret = SECRET_INIT;
    struct azure_options options = {.account = "acct"};
    struct store *s = NULL;
    struct call call = CALL_INIT;

    if (sas) {
        secret_from_text(&secret, sas);
        options.sas = &secret;
    }
    script_check = check_request;
    assert_ok(azure_store_open(&options, "azure", &s, &call), &call.err);
    return s;
}
