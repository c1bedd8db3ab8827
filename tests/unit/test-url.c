// SPDX-License-Identifier: EUPL-1.2
/* URLs: escaping, taking apart, query strings. */
#include "unit.h"

#include "codec/url.h"

static void test_escape(void **state)
{
    (void)state;
    auto_buf struct buf b = BUF_INIT(200);

    url_escape(&b, "a/b c~.-_+\xc3\xbc", 12, URL_KEEP_UNRESERVED);
    assert_string_equal(b.data, "a%2Fb%20c~.-_%2B%C3%BC");
    buf_reset(&b);
    url_escape(&b, "/a//b%\0", 7, URL_KEEP_SLASH);
    assert_string_equal(b.data, "/a//b%25%00");
}

static void test_unescape(void **state)
{
    (void)state;
    struct err e = {0};
    auto_buf struct buf b = BUF_INIT(200);
    static const char *const bad[] = {"%", "a%2", "%zz", "%2", "%%41"};

    assert_ok(url_unescape(&b, "a%2fb%20c+%C3%bc", 16, false, &e), &e);
    assert_string_equal(b.data, "a/b c+\xc3\xbc");
    buf_reset(&b);
    assert_ok(url_unescape(&b, "a+b%2B%00", 9, true, &e), &e);
    assert_int_equal(b.length, 5);
    assert_memory_equal(b.data, "a b+\0", 6);
    buf_reset(&b);
    buf_text(&b, "kept");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        e = (struct err){0};
        assert_int_equal(url_unescape(&b, bad[i], strlen(bad[i]), false, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_string_equal(b.data, "kept");
    }
}

static void test_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text, *scheme, *userinfo, *host;
        int port;
        const char *path, *query;
    } cases[] = {
        {"https://a.blob.core.windows.net/c/b%20x?sv=1&sig=a%2Bb", "https", NULL,
         "a.blob.core.windows.net", 443, "/c/b%20x", "sv=1&sig=a%2Bb"},
        {"HTTP://LocalHost:10000/devstoreaccount1", "http", NULL, "localhost", 10000,
         "/devstoreaccount1", NULL},
        {"http://h", "http", NULL, "h", 80, "", NULL},
        {"http://h?", "http", NULL, "h", 80, "", ""},
        {"http://h:/", "http", NULL, "h", 80, "/", NULL},
        {"http://h/a?b?c/d", "http", NULL, "h", 80, "/a", "b?c/d"},
        {"https://u:p%40@[::1]:8443//a", "https", "u:p%40", "[::1]", 8443, "//a", NULL},
        {"postgres://u@db_1/name", "postgres", "u", "db_1", 0, "/name", NULL},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        auto_url struct url u = URL_INIT;
        assert_ok(url_parse(cases[i].text, &u, &e), &e);
        assert_string_equal(u.scheme, cases[i].scheme);
        assert_true(same_string(u.userinfo, cases[i].userinfo));
        assert_string_equal(u.host, cases[i].host);
        assert_int_equal(u.port, cases[i].port);
        assert_string_equal(u.path, cases[i].path);
        assert_true(same_string(u.query, cases[i].query));
    }
}

static void test_parse_refuses(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "h/path",
        "//h/",
        "://h",
        "http:/h",
        "1http://h",
        "http://",
        "http:///a",
        "http://?a",
        "http://h:0/",
        "http://h:65536/",
        "http://h:8o/",
        "http://h /",
        "http://h/\n",
        "http://h/#f",
        "http://h/%4",
        "http://h/?a=%",
        "http://[::1",
        "http://[]/",
        "http://[g]/",
        "http://h\xc3\xbc/",
        "http://a%41/",
        "http://h:80:80/",
        "http://u@",
        "http://h:99999999999999999999/",
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct err e = {0};
        struct url u = {.port = 7};
        if (url_parse(bad[i], &u, &e) != -1)
            fail_msg("'%s' was accepted", bad[i]);
        assert_int_equal(e.code, ERR_INVALID);
        assert_int_equal(u.port, 7);
    }
    /* What may be a secret is not quoted. */
    struct err e = {0};
    struct url u;
    assert_int_equal(url_parse("https://h/c?sig=topsecret#x", &u, &e), -1);
    assert_null(strstr(e.text, "topsecret"));
}

static void test_query(void **state)
{
    (void)state;
    struct err e = {0};
    auto_pairs struct pairs p = PAIRS_INIT;

    assert_ok(query_parse("a=1&&b=x%20y+z&c&=v&a=%26%3D=", &p, &e), &e);
    assert_int_equal(p.count, 5);
    assert_string_equal(p.list[0].value, "1");
    assert_string_equal(pairs_get(&p, "b"), "x y z");
    assert_string_equal(pairs_get(&p, "c"), "");
    assert_string_equal(pairs_get(&p, ""), "v");
    assert_string_equal(p.list[4].value, "&==");

    struct pairs none = PAIRS_INIT;
    assert_ok(query_parse(NULL, &none, &e), &e);
    assert_int_equal(none.count, 0);
    assert_int_equal(query_parse("a=%0", &none, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_int_equal(query_parse("a=%00", &none, &e), -1);
    assert_int_equal(query_parse("ok=1&a%=1", &none, &e), -1);
    assert_int_equal(none.count, 0);

    auto_buf struct buf b = BUF_INIT(100);
    buf_text(&b, "/c?");
    query_add(&b, "prefix", "a/b&");
    query_add(&b, "x", "");
    assert_string_equal(b.data, "/c?prefix=a%2Fb%26&x=");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_escape), cmocka_unit_test(test_unescape),
        cmocka_unit_test(test_parse),  cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
