// SPDX-License-Identifier: EUPL-1.2
/* The S3 driver's URLs and what it knows of bucket names. */
#include "unit.h"

#include "store/driver/s3_private.h"

static void check_url(const char *endpoint, bool virtual_host, const char *bucket, const char *key,
                      const char *wanted)
{
    struct s3 s = {.virtual_host = virtual_host};
    auto_buf struct buf url = BUF_INIT(16384);
    struct err e = {0};

    assert_ok(s3_endpoint_parse(&s, endpoint, &e), &e);
    assert_ok(s3_url(&s, bucket, key, &url, &e), &e);
    assert_string_equal(url.data, wanted);
    free(s.scheme);
    free(s.host);
    free(s.path);
}

static void test_path_and_virtual_host(void **state)
{
    (void)state;
    check_url("https://s3.x.eu", false, "b", "k", "https://s3.x.eu/b/k");
    check_url("https://s3.x.eu", true, "b", "k", "https://b.s3.x.eu/k");
    check_url("https://s3.x.eu:443/", true, "b", NULL, "https://b.s3.x.eu/");
    check_url("http://s3.x.eu:9000/base/", false, "b", "k", "http://s3.x.eu:9000/base/b/k");
    check_url("https://s3.x.eu", true, NULL, NULL, "https://s3.x.eu/");
    /* A certificate for "*.s3.x.eu" covers one label, and no host name has capitals or '_'. */
    check_url("https://s3.x.eu", true, "a.b", "k", "https://s3.x.eu/a.b/k");
    check_url("https://s3.x.eu", true, "Old_Bucket", "k", "https://s3.x.eu/Old_Bucket/k");
    /* An address has no subdomains. */
    check_url("http://127.0.0.1:9000", true, "b", "k", "http://127.0.0.1:9000/b/k");
    check_url("http://[::1]:9000", true, "b", "k", "http://[::1]:9000/b/k");
}

static void test_names_survive(void **state)
{
    static const char *const names[][2] = {
        {"a//b", "a//b"},
        {"/lead", "/lead"},
        {"trail/", "trail/"},
        {"./a/../b", "./a/../b"},
        {"100%", "100%25"},
        {"a b+c?d#e&f", "a%20b%2Bc%3Fd%23e%26f"},
        {"back\\slash", "back%5Cslash"},
        {"caf\xc3\xa9", "caf%C3%A9"},
        {"\x01\x7f", "%01%7F"},
        {"a:b*(c)'!", "a%3Ab%2A%28c%29%27%21"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        auto_free char *by_path = xasprintf("https://s3.x.eu/b/%s", names[i][1]);
        auto_free char *by_host = xasprintf("https://b.s3.x.eu/%s", names[i][1]);
        check_url("https://s3.x.eu", false, "b", names[i][0], by_path);
        check_url("https://s3.x.eu", true, "b", names[i][0], by_host);
    }
}

static void test_unfit_for_a_url(void **state)
{
    static const char *const buckets[] = {"", ".", "..", "a/b", "$web", "a b", "a?b", "a%2fb"};
    char scheme[] = "https", host[] = "s3.x.eu", path[] = "";
    struct s3 s = {.scheme = scheme, .host = host, .path = path};
    auto_buf struct buf url = BUF_INIT(16384);
    struct err e = {0};
    char longest[1026];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(buckets); i++) {
        assert_int_equal(s3_url(&s, buckets[i], "k", &url, &e), -1);
        assert_int_equal(e.code, ERR_NAME);
    }
    memset(longest, 'n', 1025);
    longest[1025] = '\0';
    assert_int_equal(s3_url(&s, "b", longest, &url, &e), -1);
    assert_int_equal(e.code, ERR_NAME);
    longest[1024] = '\0';
    assert_ok(s3_url(&s, "b", longest, &url, &e), &e);
}

static void test_endpoints_refused(void **state)
{
    static const char *const endpoints[] = {"s3.x.eu", "ftp://s3.x.eu", "https://", "https://u:p@h",
                                            "https://h/?a=b"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        struct s3 s = {0};
        struct err e = {0};
        if (s3_endpoint_parse(&s, endpoints[i], &e) == 0)
            fail_msg("taken: %s", endpoints[i]);
        assert_int_equal(e.code, ERR_INVALID);
        assert_null(strstr(e.text, "u:p"));
    }
}

static void test_bucket_rules(void **state)
{
    static const struct {
        const char *name;
        unsigned quirks;
        const char *says;
    } names[] = {
        {"invoices-2026", 0, NULL},
        {"a.b.c", 0, NULL},
        {"123", 0, NULL},
        {"a--b", 0, NULL},
        {"bucket", 0, NULL},
        {"ab", 0, "3 to 63"},
        {"a234567890123456789012345678901234567890123456789012345678901234", 0, "3 to 63"},
        {"Invoices", 0, "a-z"},
        {"$web", 0, "a-z"},
        {"in_voices", 0, "a-z"},
        {"-abc", 0, "begin and end"},
        {"abc.", 0, "begin and end"},
        {"a..b", 0, "'..'"},
        {"a.-b", 0, "beside"},
        {"192.168.0.1", 0, "IP address"},
        {"xn--abc", 0, "xn--"},
        {"abc-s3alias", 0, "-s3alias"},
        {"a--b", 1U << QUIRK_BUCKET_PUNCTUATION_RUNS, "'--'"},
        {"a--b", 1U << QUIRK_BUCKET_DOUBLE_HYPHEN, "'--'"},
        {"a.b", 1U << QUIRK_BUCKET_DOTS_REFUSED, "'.'"},
        {"bucket", 1U << QUIRK_BUCKET_NAME_BUCKET, "very word"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct provider_s3 provider = {.quirks = names[i].quirks};
        struct err e = {0};
        int taken = s3_bucket_name_check(&provider, names[i].name, &e) == 0;
        if (taken != !names[i].says)
            fail_msg("'%s' %s", names[i].name, taken ? "taken" : e.text);
        if (taken)
            continue;
        assert_int_equal(e.code, ERR_NAME);
        if (!strstr(e.text, names[i].says))
            fail_msg("'%s' does not say '%s'", e.text, names[i].says);
    }
    struct err e = {0};
    assert_ok(s3_bucket_name_check(NULL, "plain", &e), &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_and_virtual_host), cmocka_unit_test(test_names_survive),
        cmocka_unit_test(test_unfit_for_a_url),       cmocka_unit_test(test_endpoints_refused),
        cmocka_unit_test(test_bucket_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
