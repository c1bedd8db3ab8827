// SPDX-License-Identifier: EUPL-1.2
/* Connection strings as the portal, SDKs and emulator write them, and as people mangle them. */
#include "unit.h"

#include "auth/connection_string.h"

static const char *text_of(const struct secret *s)
{
    return s->bytes ? (const char *)s->bytes : "";
}

static void expect(const char *text, const char *account, const char *key, const char *sas,
                   const char *endpoint, const char *secondary)
{
    auto_connection_string struct connection_string c = CONNECTION_STRING_INIT;
    struct err e = {0};

    if (connection_string_parse(text, &c, &e) < 0)
        fail_msg("%s: %s", text, e.text);
    assert_string_equal(c.account ? c.account : "", account);
    assert_string_equal(text_of(&c.key), key);
    assert_string_equal(text_of(&c.sas), sas);
    assert_string_equal(c.endpoint, endpoint);
    assert_string_equal(c.secondary_endpoint ? c.secondary_endpoint : "", secondary);
}

static void test_forms(void **state)
{
    (void)state;
    expect("DefaultEndpointsProtocol=https;AccountName=contoso;AccountKey=a+b/c==;"
           "EndpointSuffix=core.windows.net",
           "contoso", "a+b/c==", "", "https://contoso.blob.core.windows.net",
           "https://contoso-secondary.blob.core.windows.net");
    expect(" accountname=contoso ; ACCOUNTKEY=a=; defaultendpointsprotocol=HTTP;"
           "EndpointSuffix=core.sovcloud-api.fr;;\n",
           "contoso", "a=", "", "http://contoso.blob.core.sovcloud-api.fr",
           "http://contoso-secondary.blob.core.sovcloud-api.fr");
    expect("AccountName=devstoreaccount1;AccountKey=a;"
           "BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1/;QueueEndpoint=http://q;Color=red",
           "devstoreaccount1", "a", "", "http://127.0.0.1:10000/devstoreaccount1", "");
    expect("BlobEndpoint=https://contoso.blob.core.windows.net;"
           "SharedAccessSignature=?sv=2022-11-02&ss=b&sig=x%3D",
           "", "", "sv=2022-11-02&ss=b&sig=x%3D", "https://contoso.blob.core.windows.net", "");
    expect("AccountName=c1;AccountKey=k;BlobEndpoint=https://a.example/;"
           "BlobSecondaryEndpoint=https://b.example/;SharedAccessSignature=sig=1",
           "c1", "k", "", "https://a.example", "https://b.example");
}

static void test_emulator(void **state)
{
    (void)state;
    const char *key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/"
                      "K1SZFPTOtr/KBHBeksoGMGw==";

    expect("UseDevelopmentStorage=true", "devstoreaccount1", key, "",
           "http://127.0.0.1:10000/devstoreaccount1",
           "http://127.0.0.1:10000/devstoreaccount1-secondary");
    expect("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://emulator/",
           "devstoreaccount1", key, "", "http://emulator:10000/devstoreaccount1",
           "http://emulator:10000/devstoreaccount1-secondary");
    expect("UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://[::1]", "devstoreaccount1",
           key, "", "http://[::1]:10000/devstoreaccount1",
           "http://[::1]:10000/devstoreaccount1-secondary");
}

static void test_bad_input(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "AccountKey"},
        {"SECRET", "Name=value"},
        {"=SECRET", "Name=value"},
        {"AccountName;AccountKey=SECRET", "Name=value"},
        {"AccountName=a", "neither AccountKey nor SharedAccessSignature"},
        {"AccountName=a;SharedAccessSignature=?", "neither AccountKey nor"},
        {"AccountKey=SECRET", "no AccountName"},
        {"SharedAccessSignature=SECRET", "neither AccountName nor BlobEndpoint"},
        {"AccountName=a;AccountKey=SECRET;AccountKey=SECRET", "AccountKey twice"},
        {"AccountName=a/b;AccountKey=SECRET", "host name"},
        {"AccountName=a;AccountKey=SECRET;EndpointSuffix=x/y", "host name"},
        {"AccountName=a;AccountKey=SECRET;DefaultEndpointsProtocol=ftp", "not http or https"},
        {"AccountName=a;AccountKey=SECRET;BlobEndpoint=ftp://x", "BlobEndpoint is not"},
        {"AccountName=a;AccountKey=SECRET;BlobEndpoint=x", "BlobEndpoint is not"},
        {"AccountName=a;AccountKey=SECRET;BlobEndpoint=https://x/?SECRET", "BlobEndpoint is not"},
        {"AccountName=a;AccountKey=SECRET;BlobSecondaryEndpoint=x", "BlobSecondaryEndpoint is not"},
        {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://SECRET:10000", "no port"},
        {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://[::1]:1/", "no port"},
        {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://SECRET/a", "no path"},
        {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://u:p@SECRET", "no port"},
        {"UseDevelopmentStorage=true;DevelopmentStorageProxyUri=SECRET", "not an http(s) URL"},
        {"UseDevelopmentStorage=false", "neither AccountKey"},
    };
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct connection_string c = CONNECTION_STRING_INIT;
        if (connection_string_parse(cases[i].text, &c, &e) == 0)
            fail_msg("accepted %s", cases[i].text);
        assert_int_equal(e.code, ERR_INVALID);
        if (!strstr(e.text, cases[i].says))
            fail_msg("'%s' says '%s'", cases[i].text, e.text);
        assert_null(strstr(e.text, "SECRET"));
        assert_null(c.endpoint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_emulator),
        cmocka_unit_test(test_bad_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
