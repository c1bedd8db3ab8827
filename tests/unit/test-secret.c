// SPDX-License-Identifier: EUPL-1.2
/* Secrets: setting, comparing, and that a refused one is not quoted. */
#include "unit.h"

#include "crypto/secret.h"

static void test_set_and_compare(void **state)
{
    (void)state;
    struct err e = {0};
    auto_secret struct secret a = SECRET_INIT, b = SECRET_INIT, empty = SECRET_INIT;

    assert_false(secret_equal(&a, &b)); /* nothing is equal to nothing */
    secret_from_text(&a, "foob");
    assert_string_equal((char *)a.bytes, "foob");
    assert_ok(secret_from_base64(&b, "Zm9vYg==", &e), &e);
    assert_int_equal(b.length, 4);
    assert_true(secret_equal(&a, &b));
    assert_true(secret_equal_bytes(&a, "foob", 4));
    assert_false(secret_equal_bytes(&a, "foo", 3));
    assert_false(secret_equal_bytes(&a, "fooc", 4));
    assert_false(secret_equal_bytes(&a, "foobar", 6));
    secret_from_text(&b, "fooz");
    assert_false(secret_equal(&a, &b));
    secret_copy(&b, &a);
    assert_true(secret_equal(&a, &b));
    assert_ptr_not_equal(a.bytes, b.bytes);
    secret_copy(&b, &empty);
    assert_null(b.bytes);
    secret_set(&empty, "", 0);
    assert_non_null(empty.bytes);
    assert_int_equal(empty.length, 0);
    secret_set(&a, a.bytes + 1, 2); /* from itself */
    assert_true(secret_equal_bytes(&a, "oo", 2));
}

static void test_large(void **state)
{
    (void)state;
    unsigned char bytes[10000];
    auto_secret struct secret s = SECRET_INIT;

    memset(bytes, 7, sizeof(bytes));
    secret_set(&s, bytes, 4096);
    assert_int_equal(s.bytes[4096], 0);
    secret_set(&s, bytes, sizeof(bytes));
    assert_true(secret_equal_bytes(&s, bytes, sizeof(bytes)));
    secret_release(&s);
    assert_null(s.bytes);
}

static void test_bad_base64(void **state)
{
    (void)state;
    struct err e = {0};
    auto_secret struct secret s = SECRET_INIT;

    secret_from_text(&s, "kept");
    assert_int_equal(secret_from_base64(&s, "c2VjcmV0!", &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(strstr(e.text, "c2VjcmV0"));
    assert_int_equal(secret_from_base64(&s, "!", &e), -1);
    assert_true(secret_equal_bytes(&s, "kept", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_and_compare),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_bad_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
