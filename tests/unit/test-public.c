// SPDX-License-Identifier: EUPL-1.2
/* Which addresses are public, and a client that keeps to them. */
#include "http/public.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http/client.h"
#include "unit.h"

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
        return http_address_is_public((struct sockaddr *)&in);
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    return http_address_is_public((struct sockaddr *)&in6);
}

static void test_addresses(void **state)
{
    static const char *const public[] = {
        "1.1.1.1",         "9.255.255.255",        "11.0.0.0",       "100.63.255.255",
        "100.128.0.0",     "172.15.0.1",           "172.32.0.1",     "192.0.1.1",
        "192.169.0.1",     "198.17.0.1",           "198.20.0.1",     "223.255.255.1",
        "2a00::1",         "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808",
        "2002:808:808::1",
    };
    static const char *const others[] = {
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "203.0.113.7",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:10.0.0.1",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "ff02::1",
        "2001:db8::1",
        "64:ff9b::a00:1",
        "2002:7f00:1::1",
        "::127.0.0.1",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(public); i++)
        assert_true(is_public(public[i]));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(is_public(others[i]));
    struct sockaddr local = {.sa_family = AF_UNIX};
    assert_false(http_address_is_public(&local));
}

static void test_client(void **state)
{
    static const char *const urls[] = {"http://127.0.0.1:9/", "http://localhost:9/",
                                       "http://[::1]:9/", "http://169.254.169.254/"};
    struct http_client_options options = {.public_only = true};
    struct http_client *client;
    struct call call = CALL_INIT;

    (void)state;
    assert_int_equal(http_client_new(&options, &client, &call.err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
        auto_request struct http_request request = {.method = "GET", .url = xstrdup(urls[i])};
        auto_response struct http_response response = HTTP_RESPONSE_INIT;
        assert_int_equal(http_do(client, &request, &response, NULL, NULL, &call), -1);
        assert_int_equal(call.err.code, ERR_DENIED);
        assert_non_null(strstr(call.err.text, "not a public one"));
        err_clear(&call.err);
    }
    http_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_addresses),
                                       cmocka_unit_test(test_client)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
