// SPDX-License-Identifier: EUPL-1.2
/* Endpoints and pasted URLs of Azure storage accounts. */
#include "unit.h"

#include "store/driver/azure_url.h"

static const struct {
    const char *url, *endpoint, *account, *container, *name, *sas;
    bool secondary;
} splits[] = {
    {"https://acct.blob.core.windows.net/c/b?sv=2024-11-04&sig=a%2Bb%3D",
     "https://acct.blob.core.windows.net", "acct", "c", "b", "sv=2024-11-04&sig=a%2Bb%3D", false},
    {"https://acct.blob.core.windows.net", "https://acct.blob.core.windows.net", "acct", NULL, NULL,
     NULL, false},
    {"https://acct.blob.core.windows.net/", "https://acct.blob.core.windows.net", "acct", NULL,
     NULL, NULL, false},
    {"https://acct.blob.core.windows.net/c/", "https://acct.blob.core.windows.net", "acct", "c",
     NULL, NULL, false},
    {"https://acct-secondary.blob.core.windows.net/c",
     "https://acct-secondary.blob.core.windows.net", "acct", "c", NULL, NULL, true},
    {"https://acct.blob.core.sovcloud-api.fr/c/a%20b/%2525",
     "https://acct.blob.core.sovcloud-api.fr", "acct", "c", "a b/%25", NULL, false},
    {"https://acct.dfs.core.windows.net/fs/dir", "https://acct.blob.core.windows.net", "acct", "fs",
     "dir", NULL, false},
    {"http://127.0.0.1:10000/devstoreaccount1/c/a//b", "http://127.0.0.1:10000/devstoreaccount1",
     "devstoreaccount1", "c", "a//b", NULL, false},
    {"http://azurite:10000/acct", "http://azurite:10000/acct", "acct", NULL, NULL, NULL, false},
    {"http://gw.example.eu:10001/acct-secondary/c", "http://gw.example.eu:10001/acct-secondary",
     "acct", "c", NULL, NULL, true},
    {"http://[::1]:24000/acct/c/b", "http://[::1]:24000/acct", "acct", "c", "b", NULL, false},
    /* what names a state or an operation is no part of the signature */
    {"https://a.blob.core.windows.net/c?restype=container&comp=list&sv=1&sig=x%2F",
     "https://a.blob.core.windows.net", "a", "c", NULL, "sv=1&sig=x%2F", false},
};

static void splits_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(splits); i++) {
        auto_azure_url struct azure_url u = AZURE_URL_INIT;
        struct err e = {0};
        assert_ok(azure_url_split(splits[i].url, &u, &e), &e);
        assert_string_equal(u.endpoint, splits[i].endpoint);
        assert_string_equal(u.account, splits[i].account);
        assert_true(same_string(u.container, splits[i].container));
        assert_true(same_string(u.name, splits[i].name));
        assert_true(same_string(u.sas, splits[i].sas));
        assert_int_equal(u.secondary, splits[i].secondary);
    }
}

static void keeps_states(void **state)
{
    auto_azure_url struct azure_url u = AZURE_URL_INIT;
    struct err e = {0};

    (void)state;
    assert_ok(azure_url_split(
                  "https://a.blob.core.windows.net/c/b?snapshot=2026-01-02T03%3A04%3A05Z", &u, &e),
              &e);
    assert_string_equal(u.snapshot, "2026-01-02T03:04:05Z");
    assert_null(u.sas);
}

static void refuses_others(void **state)
{
    static const char *const bad[] = {
        "",
        "acct",
        "ftp://a.blob.core.windows.net/c",
        "http://127.0.0.1:10000",
        "https://u:p@a.blob.core.windows.net/c",
        "https://a.blob.core.windows.net/%zz",
        "https://a.blob.core.windows.net/c?sv=1&sigg=secretsecret",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        auto_azure_url struct azure_url u = AZURE_URL_INIT;
        struct err e = {0};
        assert_int_equal(azure_url_split(bad[i], &u, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_null(u.endpoint);
        assert_null(strstr(e.text, "secretsecret"));
    }
}

static void recognises(void **state)
{
    (void)state;
    assert_true(azure_url_recognised("https://acct.blob.core.windows.net/c"));
    assert_true(azure_url_recognised("https://acct.dfs.core.sovcloud-api.fr/c"));
    assert_true(azure_url_recognised("http://127.0.0.1:10000/devstoreaccount1/c"));
    assert_true(azure_url_recognised("https://files.example.eu/c?sv=2024&sig=x"));
    assert_false(azure_url_recognised("https://s3.gra.io.cloud.ovh.net/bucket"));
    assert_false(azure_url_recognised("/srv/vault"));
    assert_false(azure_url_recognised("azure:invoices"));
}

static const struct {
    const char *endpoint, *account;
    bool secondary;
    const char *want, *want_account;
} endpoints[] = {
    {"https://acct.blob.core.windows.net/", NULL, false, "https://acct.blob.core.windows.net",
     "acct"},
    {"https://acct.blob.core.windows.net", NULL, true,
     "https://acct-secondary.blob.core.windows.net", "acct"},
    {"https://acct-secondary.blob.core.windows.net", NULL, true,
     "https://acct-secondary.blob.core.windows.net", "acct"},
    {"http://127.0.0.1:10000", "dev", false, "http://127.0.0.1:10000/dev", "dev"},
    {"http://127.0.0.1:10000/dev/", NULL, false, "http://127.0.0.1:10000/dev", "dev"},
    {"http://127.0.0.1:10000/dev", "dev", true, "http://127.0.0.1:10000/dev-secondary", "dev"},
    {"https://gw.example.eu/acct", "acct", false, "https://gw.example.eu/acct", "acct"},
    {"https://cdn.example.eu", "acct", false, "https://cdn.example.eu", "acct"},
};

static void normalises(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        auto_free char *endpoint = NULL, *account = NULL;
        struct err e = {0};
        assert_ok(azure_endpoint_normalise(endpoints[i].endpoint, endpoints[i].account,
                                           endpoints[i].secondary, &endpoint, &account, &e),
                  &e);
        assert_string_equal(endpoint, endpoints[i].want);
        assert_string_equal(account, endpoints[i].want_account);
    }
}

static void makes_endpoints(void **state)
{
    static const char *const suffixes[] = {"core.sovcloud-api.fr", ".core.sovcloud-api.fr",
                                           "blob.core.sovcloud-api.fr"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        auto_free char *made = azure_endpoint_of("a", suffixes[i]);
        assert_string_equal(made, "https://a.blob.core.sovcloud-api.fr");
    }
    auto_free char *public = azure_endpoint_of("a", NULL);
    assert_string_equal(public, "https://a.blob.core.windows.net");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_urls),    cmocka_unit_test(keeps_states),
        cmocka_unit_test(refuses_others), cmocka_unit_test(recognises),
        cmocka_unit_test(normalises),     cmocka_unit_test(makes_endpoints),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
