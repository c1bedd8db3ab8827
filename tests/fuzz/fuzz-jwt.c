// SPDX-License-Identifier: EUPL-1.2
/* JSON Web Tokens: a key set, an empty line, a token. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "auth/jwt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = xstrndup((const char *)data, size);
    char *token = strstr(text, "\n\n");
    auto_jwt_keys struct jwt_keys keys = JWT_KEYS_INIT;
    auto_jwt struct jwt t = JWT_INIT;
    auto_jwt_claims struct jwt_claims claims = JWT_CLAIMS_INIT;
    static const char *const audiences[] = {"a"};
    struct jwt_expected x = {.issuer = "i", .audiences = audiences, .audience_count = 1};
    struct err e = {0};

    x.now = INT64_C(1790000000) * CLOCK_SECOND;
    if (token)
        *token = '\0';
    if (jwt_keys_parse(text, strlen(text), &keys, &e) < 0)
        assert(e.code == ERR_INVALID && keys.count == 0);
    for (size_t i = 0; i < keys.count; i++)
        assert(keys.list[i].key);
    if (!token || jwt_parse(token + 2, &t, &e) < 0)
        return 0;
    assert(t.algorithm != JWT_NO_ALGORITHM && t.header && t.payload);
    if (jwt_verify(&t, &keys, &e) < 0)
        assert(e.code == ERR_NOT_FOUND || e.code == ERR_UNKNOWN_WHO);
    if (jwt_check(&t, &x, &claims, &e) == 0)
        assert(claims.object_id && strcmp(claims.issuer, "i") == 0 && claims.expires > x.now);
    return 0;
}
