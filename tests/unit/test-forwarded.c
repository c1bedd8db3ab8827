// SPDX-License-Identifier: EUPL-1.2
/* The client behind proxies; the examples of RFC 7239 sections 4 and 6 among them. */
#include "unit.h"

#include "http/forwarded.h"
#include "util/buf.h"

static void name(struct networks *n, const char *text)
{
    struct err e = {.code = ERR_NONE};

    assert_ok(networks_add(n, text, &e), &e);
}

static void test_networks(void **state)
{
    static const char *const bad[] = {"",
                                      "x",
                                      "10.0.0.0/33",
                                      "10.0.0.0/",
                                      "10.0.0.1/8",
                                      "10.0.0/8",
                                      "::/129",
                                      "2001:db8::1/32",
                                      "10.0.0.0/-1",
                                      "10.0.0.0/8 ",
                                      "10.0.0.0/0008",
                                      "1.2.3.4/8/8"};
    auto_networks struct networks n = NETWORKS_INIT;
    struct err e = {.code = ERR_NONE};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(networks_add(&n, bad[i], &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
    assert_false(networks_contain(&n, "10.0.0.1"));
    name(&n, "10.0.0.0/9");
    name(&n, "192.0.2.7");
    name(&n, "2001:db8:8000::/33");
    assert_true(networks_contain(&n, "10.127.255.255"));
    assert_true(networks_contain(&n, "::ffff:10.1.2.3"));
    assert_false(networks_contain(&n, "10.128.0.0"));
    assert_true(networks_contain(&n, "192.0.2.7"));
    assert_false(networks_contain(&n, "192.0.2.6"));
    assert_true(networks_contain(&n, "2001:db8:8000::1"));
    assert_false(networks_contain(&n, "2001:db8::1"));
    assert_false(networks_contain(&n, "nonsense"));
    assert_false(networks_contain(&n, "unix"));
    name(&n, "unix");
    assert_true(networks_contain(&n, "unix"));
    name(&n, "0.0.0.0/0");
    assert_true(networks_contain(&n, "255.1.2.3"));
    assert_false(networks_contain(&n, "::1"));
}

static void test_chain(void **state)
{
    static const struct {
        const char *headers[6]; /* name, value, ... */
        const char *client;
        bool secure;
    } cases[] = {
        {{NULL}, "10.0.0.1", false},
        {{"X-Forwarded-For", "198.51.100.1"}, "198.51.100.1", false},
        {{"x-forwarded-for", " 198.51.100.1 \t"}, "198.51.100.1", false},
        /* What a client claims to the left of what the proxy saw. */
        {{"X-Forwarded-For", "1.1.1.1, 198.51.100.1"}, "198.51.100.1", false},
        {{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "198.51.100.1, 10.0.0.2"},
         "198.51.100.1",
         false},
        {{"X-Forwarded-For", "10.0.0.3, 10.0.0.2"}, "10.0.0.3", false},
        {{"X-Forwarded-For", "198.51.100.1:4711"}, "198.51.100.1", false},
        {{"X-Forwarded-For", "2001:DB8::0:1"}, "2001:db8::1", false},
        {{"X-Forwarded-For", "[2001:db8::1]:80"}, "2001:db8::1", false},
        {{"X-Forwarded-For", "::ffff:198.51.100.1"}, "198.51.100.1", false},
        {{"X-Forwarded-For", "198.51.100.1, nonsense"}, "10.0.0.1", false},
        {{"X-Forwarded-For", "198.51.100.1, unknown, 10.0.0.2"}, "10.0.0.2", false},
        {{"X-Forwarded-For", ""}, "10.0.0.1", false},
        {{"X-Forwarded-For", ","}, "10.0.0.1", false},
        {{"X-Forwarded-For", "198.51.100.1", "X-Forwarded-Proto", "https"}, "198.51.100.1", true},
        {{"X-Forwarded-For", "198.51.100.1, 10.0.0.2", "X-Forwarded-Proto", "https, http"},
         "198.51.100.1",
         true},
        {{"X-Forwarded-For", "198.51.100.1, 10.0.0.2", "X-Forwarded-Proto", "http, https"},
         "198.51.100.1",
         false},
        {{"Forwarded", "for=192.0.2.43"}, "192.0.2.43", false},
        {{"Forwarded", "For=\"[2001:db8:cafe::17]:4711\""}, "2001:db8:cafe::17", false},
        {{"Forwarded", "for=192.0.2.60;proto=https;by=203.0.113.43"}, "192.0.2.60", true},
        {{"Forwarded", "for=192.0.2.43, for=198.51.100.17"}, "198.51.100.17", false},
        {{"Forwarded", "for=192.0.2.43", "Forwarded", "for=10.0.0.2;proto=http"},
         "192.0.2.43",
         false},
        {{"Forwarded", "for=192.0.2.43;proto=HTTPS, for=10.0.0.2;proto=http"}, "192.0.2.43", true},
        {{"Forwarded", "by=\"a,b;for=1.1.1.1\";for=192.0.2.43"}, "192.0.2.43", false},
        {{"Forwarded", "for=\"\\192.0.2.43\""}, "192.0.2.43", false},
        {{"Forwarded", "for=_gazonk, for=10.0.0.2"}, "10.0.0.2", false},
        {{"Forwarded", "for=\"unclosed"}, "10.0.0.1", false},
        {{"Forwarded", "for=[2001:db8::1"}, "10.0.0.1", false},
        {{"Forwarded", "for=\"[1.2.3.4]\""}, "10.0.0.1", false},
        /* The standard's word counts alone. */
        {{"X-Forwarded-For", "1.1.1.1", "Forwarded", "for=192.0.2.43"}, "192.0.2.43", false},
    };
    auto_networks struct networks n = NETWORKS_INIT;

    (void)state;
    name(&n, "10.0.0.0/24");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_pairs struct pairs headers = PAIRS_INIT;
        struct forwarded found;
        for (size_t k = 0; k < 6 && cases[i].headers[k]; k += 2)
            pairs_add(&headers, cases[i].headers[k], cases[i].headers[k + 1]);
        forwarded_find(&n, "10.0.0.1", false, &headers, &found);
        if (strcmp(found.client, cases[i].client) != 0 || found.secure != cases[i].secure)
            fail_msg("%s: %s: %s %d", cases[i].headers[0], cases[i].headers[1], found.client,
                     found.secure);
        forwarded_find(&n, "10.0.1.1", true, &headers, &found);
        assert_string_equal(found.client, "10.0.1.1");
        assert_true(found.secure);
    }
}

static void test_many_hops(void **state)
{
    auto_networks struct networks n = NETWORKS_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_buf struct buf text = BUF_INIT(100000);
    struct forwarded found;

    (void)state;
    name(&n, "10.0.0.0/8");
    buf_text(&text, "1.1.1.1");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, ", 10.0.%d.%d", i / 250, i % 250);
    pairs_add(&headers, "X-Forwarded-For", text.data);
    forwarded_find(&n, "10.0.0.1", false, &headers, &found);
    assert_string_equal(found.client, "10.0.3.218");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_networks),
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_many_hops),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
