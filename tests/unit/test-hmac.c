// SPDX-License-Identifier: EUPL-1.2
/* HMAC: the vectors of RFC 4231 and RFC 2202. */
#include "unit.h"

#include "codec/hex.h"
#include "crypto/hmac.h"

static void test_rfc4231(void **state)
{
    (void)state;
    unsigned char key[131], mac[SHA256_SIZE];
    char text[2 * SHA256_SIZE + 1];

    memset(key, 0x0b, 20);
    hmac_sha256(key, 20, "Hi There", 8, mac);
    hex_encode(text, mac, sizeof(mac));
    assert_string_equal(text, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    hex_encode(text, mac, sizeof(mac));
    assert_string_equal(text, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof(key));
    hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54,
                mac);
    hex_encode(text, mac, sizeof(mac));
    assert_string_equal(text, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    hmac_sha256(NULL, 0, NULL, 0, mac);
    hex_encode(text, mac, sizeof(mac));
    assert_string_equal(text, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_rfc2202(void **state)
{
    (void)state;
    unsigned char key[80], mac[SHA1_SIZE];
    char text[2 * SHA1_SIZE + 1];

    hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, mac);
    hex_encode(text, mac, sizeof(mac));
    assert_string_equal(text, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    memset(key, 0xaa, sizeof(key));
    hmac_sha1(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, mac);
    hex_encode(text, mac, sizeof(mac));
    assert_string_equal(text, "aa4ae5e15272d00e95705637ce8a3b55ed402112");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc4231),
        cmocka_unit_test(test_rfc2202),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
