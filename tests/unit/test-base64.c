// SPDX-License-Identifier: EUPL-1.2
/* Base64 and base64url: the vectors of RFC 4648, and what strict means. */
#include "unit.h"

#include "codec/base64.h"

static const struct {
    const char *plain, *text, *url;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

static void test_vectors(void **state)
{
    (void)state;
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
        auto_buf struct buf text = BUF_INIT(100);
        auto_buf struct buf url = BUF_INIT(100);
        auto_buf struct buf back = BUF_INIT(100);

        base64_encode(&text, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(text.data, vectors[i].text);
        assert_int_equal(text.length, strlen(vectors[i].text));
        base64url_encode(&url, vectors[i].plain, strlen(vectors[i].plain));
        assert_string_equal(url.data, vectors[i].url);
        assert_ok(base64_decode(text.data, text.length, &back, &e), &e);
        assert_string_equal(back.data, vectors[i].plain);
        buf_reset(&back);
        assert_ok(base64url_decode(url.data, url.length, &back, &e), &e);
        assert_string_equal(back.data, vectors[i].plain);
        assert_int_equal(back.length, strlen(vectors[i].plain));
    }
}

static void test_appends(void **state)
{
    (void)state;
    struct err e = {0};
    auto_buf struct buf b = BUF_INIT(16);

    buf_text(&b, "key=");
    base64_encode(&b, "\0\1", 2);
    assert_string_equal(b.data, "key=AAE=");
    buf_reset(&b);
    buf_text(&b, "x");
    assert_ok(base64_decode("AAE=", 4, &b, &e), &e);
    assert_int_equal(b.length, 3);
    assert_memory_equal(b.data, "x\0\1", 4);
}

static void test_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z",    "Zg",   "Zg=",  "Zh==",      "Zm9=",
                                      "====", "=",    "Z===", "Zg==Zg==",  "Zm9v\n",
                                      " Zg=", "Zg-_", "Zm=v", "Zm9vYg==A", "Zm9vYg==AAA="};
    static const char *const bad_url[] = {"Z", "Zg==", "Zh", "Zm9", "Zg+/", "Zm9vY"};
    auto_buf struct buf out = BUF_INIT(100);

    buf_text(&out, "kept");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        assert_int_equal(base64_decode(bad[i], strlen(bad[i]), &out, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(out.data, "kept");
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad_url); i++) {
        struct err e = {0};
        assert_int_equal(base64url_decode(bad_url[i], strlen(bad_url[i]), &out, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(out.data, "kept");
    }
}

static void test_ceiling(void **state)
{
    (void)state;
    struct err e = {0};
    auto_buf struct buf out = BUF_INIT(3);

    assert_int_equal(base64_decode("Zm9vYg==", 8, &out, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_ok(base64_decode("Zm9v", 4, &out, &e), &e);
    assert_string_equal(out.data, "foo");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
