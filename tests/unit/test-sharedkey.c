// SPDX-License-Identifier: EUPL-1.2
/* Shared Key: the documented texts, signing against verifying, and tampering. */
#include "unit.h"

#include "auth/sharedkey.h"
#include "codec/date.h"
#include "util/common.h"

/* The emulator's well-known account: no secret. */
#define ACCOUNT "devstoreaccount1"
#define KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

static void test_documented_text(void **state)
{
    (void)state;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_sharedkey struct sharedkey key = SHAREDKEY_INIT;
    auto_buf struct buf text = BUF_INIT(SHAREDKEY_TEXT_MAX);
    struct err e = {0};
    char signature[SHAREDKEY_SIGNATURE_SIZE];

    pairs_add(&headers, "x-ms-version", "2015-02-21");
    pairs_add(&headers, "x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT");
    assert_ok(sharedkey_string_to_sign(&text, "myaccount", "GET", "/mycontainer",
                                       "restype=container&comp=metadata&timeout=20", &headers, 0,
                                       &e),
              &e);
    assert_string_equal(text.data,
                        "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\n"
                        "x-ms-version:2015-02-21\n/myaccount/mycontainer\ncomp:metadata\n"
                        "restype:container\ntimeout:20");
    assert_ok(sharedkey_init(&key, "myaccount", KEY, &e), &e);
    sharedkey_signature(&key, &text, signature);
    assert_string_equal(signature, "1u9lui2jDxj0+fpbHjQ5m5NnastJRSYM+PSmfi8TXx4=");
}

static void test_every_line(void **state)
{
    (void)state;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_buf struct buf text = BUF_INIT(SHAREDKEY_TEXT_MAX);
    struct err e = {0};

    pairs_add(&headers, "Range", "bytes=0-1");
    pairs_add(&headers, "If-Match", "\"0x1\"");
    pairs_add(&headers, "If-None-Match", "*");
    pairs_add(&headers, "If-Modified-Since", "m");
    pairs_add(&headers, "If-Unmodified-Since", "u");
    pairs_add(&headers, "Date", "d");
    pairs_add(&headers, "content-type", "text/plain");
    pairs_add(&headers, "Content-MD5", "md5");
    pairs_add(&headers, "Content-Language", "fr");
    pairs_add(&headers, "Content-Encoding", "gzip");
    pairs_add(&headers, "X-Ms-Meta-B", "  two \t words  ");
    pairs_add(&headers, "x-ms-meta-a1", "1");
    pairs_add(&headers, "x-ms-meta-a_", "");
    pairs_add(&headers, "x-ms-meta-A", "a");
    assert_ok(sharedkey_string_to_sign(&text, "acct", "PUT", "/acct/c/b%20%C3%A9",
                                       "b=2&A=z&a=%2Fx&comp=&sv", &headers, 7, &e),
              &e);
    assert_string_equal(text.data,
                        "PUT\ngzip\nfr\n7\nmd5\ntext/plain\nd\nm\n\"0x1\"\n*\nu\nbytes=0-1\n"
                        "x-ms-meta-a:a\nx-ms-meta-a_:\nx-ms-meta-a1:1\nx-ms-meta-b:two \t words\n"
                        "/acct/acct/c/b%20%C3%A9\na:/x,z\nb:2\ncomp:\nsv:");
    buf_reset(&text);
    assert_ok(
        sharedkey_lite_string_to_sign(&text, "acct", "PUT", "", "x=1&comp=list", &headers, &e), &e);
    assert_string_equal(text.data, "PUT\nmd5\ntext/plain\nd\nx-ms-meta-a:a\nx-ms-meta-a_:\n"
                                   "x-ms-meta-a1:1\nx-ms-meta-b:two \t words\n/acct/?comp=list");
}

static void test_header_order(void **state)
{
    (void)state;

    assert_true(sharedkey_header_order("x-ms-meta-a", "x-ms-meta-a_") < 0);
    assert_true(sharedkey_header_order("x-ms-meta-a_b", "x-ms-meta-a1") < 0);
    assert_true(sharedkey_header_order("x-ms-meta-a1", "x-ms-meta-ab") < 0);
    assert_true(sharedkey_header_order("x-ms-meta-AB", "x-ms-meta-ac") < 0);
    assert_true(sharedkey_header_order("x-ms-range", "x-ms-range-get-content-md5") < 0);
    assert_int_equal(sharedkey_header_order("X-MS-a", "x-ms-A"), 0);
    assert_true(sharedkey_header_order("", "x") < 0);
    /* Hyphens count only where nothing else does, and then after everything. */
    assert_true(sharedkey_header_order("x-ms-meta-test", "x-ms-meta-test-") < 0);
    assert_true(sharedkey_header_order("x-ms-meta-testa", "x-ms-meta-test-a") < 0);
}

struct signed_request {
    struct sharedkey key;
    struct http_request request;
    int64_t now;
};

static int verify(const struct signed_request *s, const char *path, const char *query,
                  uint64_t length, int64_t now, struct err *e)
{
    return sharedkey_verify(&s->key, "PUT", path, query, &s->request.headers, length, now, e);
}

static void sign(struct signed_request *s)
{
    struct err e = {0};

    *s = (struct signed_request){.now = INT64_C(1790000000) * CLOCK_SECOND};
    assert_ok(sharedkey_init(&s->key, ACCOUNT, KEY, &e), &e);
    s->request.method = "PUT";
    s->request.url =
        xstrdup("http://127.0.0.1:10000/devstoreaccount1/c/b%2Fx?comp=block&blockid=aa%3D");
    http_request_header(&s->request, "x-ms-version", "2021-08-06");
    http_request_header(&s->request, "x-ms-meta-Name", "value");
    struct source_bytes body;
    source_bytes_init(&body, "hello", 5);
    s->request.body = &body.source;
    s->request.body_length = 5;
    assert_ok(sharedkey_sign(&s->key, &s->request, s->now, &e), &e);
    assert_ok(sharedkey_sign(&s->key, &s->request, s->now, &e), &e); /* again: replaced */
    assert_int_equal(s->request.headers.count, 4);
    s->request.body = NULL;
}

static void drop(struct signed_request *s)
{
    sharedkey_release(&s->key);
    http_request_release(&s->request);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct signed_request s;
    struct err e = {0};
    const char *path = "/devstoreaccount1/c/b%2Fx", *query = "comp=block&blockid=aa%3D";

    sign(&s);
    assert_ok(verify(&s, path, query, 5, s.now, &e), &e);
    assert_ok(verify(&s, path, "blockid=aa%3d&comp=block", 5, s.now, &e), &e);
    assert_int_equal(verify(&s, path, query, 6, s.now, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    assert_int_equal(verify(&s, "/devstoreaccount1/c/b/x", query, 5, s.now, &e), -1);
    assert_int_equal(verify(&s, path, "comp=block", 5, s.now, &e), -1);
    assert_int_equal(verify(&s, path, "comp=block&blockid=%zz", 5, s.now, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_int_equal(verify(&s, path, query, 5, s.now + 16 * 60 * CLOCK_SECOND, &e), -1);
    assert_int_equal(e.code, ERR_CLOCK);
    assert_int_equal(verify(&s, path, query, 5, s.now - 16 * 60 * CLOCK_SECOND, &e), -1);
    assert_int_equal(e.code, ERR_CLOCK);
    pairs_set(&s.request.headers, "x-ms-meta-Name", "other");
    assert_int_equal(verify(&s, path, query, 5, s.now, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    assert_null(strstr(e.text, KEY));
    drop(&s);
}

/* SDKs sign requests to the secondary with and without the suffix. */
static void test_secondary(void **state)
{
    (void)state;
    auto_sharedkey struct sharedkey secondary = SHAREDKEY_INIT, key = SHAREDKEY_INIT;
    struct err e = {0};
    int64_t now = INT64_C(1790000000) * CLOCK_SECOND;
    auto_request struct http_request r = {
        .method = "GET", .url = xstrdup("http://127.0.0.1:1/devstoreaccount1-secondary/c")};

    assert_ok(sharedkey_init(&secondary, ACCOUNT "-secondary", KEY, &e), &e);
    assert_ok(sharedkey_init(&key, ACCOUNT, KEY, &e), &e);
    assert_ok(sharedkey_sign(&secondary, &r, now, &e), &e);
    assert_ok(sharedkey_verify(&key, "GET", "/devstoreaccount1-secondary/c", NULL, &r.headers, 0,
                               now, &e),
              &e);
    assert_int_equal(
        sharedkey_verify(&secondary, "GET", "/devstoreaccount1/c", NULL, &r.headers, 0, now, &e),
        -1);
}

/* As the libraries do it: whichever name stands in the header, the resource and its path. */
static void test_secondary_forms(void **state)
{
    (void)state;
    static const struct {
        const char *account, *resource, *signed_path, *path;
        bool right;
    } cases[] = {
        {ACCOUNT, ACCOUNT, "/c/b", "/c/b", true},
        {ACCOUNT, ACCOUNT "-secondary", "/c/b", "/c/b", true},
        {ACCOUNT "-secondary", ACCOUNT, "/c/b", "/c/b", true},
        {ACCOUNT, ACCOUNT, "/" ACCOUNT "/c", "/" ACCOUNT "-secondary/c", true},
        {ACCOUNT, ACCOUNT, "/" ACCOUNT "-secondary/c", "/" ACCOUNT "-secondary/c", true},
        {ACCOUNT, ACCOUNT "-secondary", "/" ACCOUNT "/c", "/" ACCOUNT "-secondary/c", true},
        {ACCOUNT, ACCOUNT, "/" ACCOUNT, "/" ACCOUNT "-secondary", true},
        {ACCOUNT, ACCOUNT, "/" ACCOUNT "/c", "/" ACCOUNT "-secondaryx/c", false},
        {ACCOUNT, ACCOUNT, "/" ACCOUNT "-secondary/c", "/" ACCOUNT "/c", false},
        {ACCOUNT "x", ACCOUNT, "/c", "/c", false},
        {ACCOUNT "-secondary-secondary", ACCOUNT, "/c", "/c", false},
        {ACCOUNT, ACCOUNT "x", "/c", "/c", false},
    };
    auto_sharedkey struct sharedkey key = SHAREDKEY_INIT;
    int64_t now = INT64_C(1790000000) * CLOCK_SECOND;
    struct err e = {0};
    char date[DATE_TEXT];

    date_rfc1123(date, now);
    assert_ok(sharedkey_init(&key, ACCOUNT, KEY, &e), &e);
    for (size_t i = 0; i < 2 * ARRAY_SIZE(cases); i++) {
        bool lite = i % 2;
        auto_pairs struct pairs headers = PAIRS_INIT;
        auto_buf struct buf text = BUF_INIT(SHAREDKEY_TEXT_MAX);
        char signature[SHAREDKEY_SIGNATURE_SIZE];
        const char *resource = cases[i / 2].resource, *path = cases[i / 2].signed_path;
        const char *query = "comp=list&x=1";
        pairs_add(&headers, "x-ms-date", date);
        if (lite)
            assert_ok(
                sharedkey_lite_string_to_sign(&text, resource, "GET", path, query, &headers, &e),
                &e);
        else
            assert_ok(
                sharedkey_string_to_sign(&text, resource, "GET", path, query, &headers, 0, &e), &e);
        sharedkey_signature(&key, &text, signature);
        auto_free char *authorization =
            xasprintf("SharedKey%s %s:%s", lite ? "Lite" : "", cases[i / 2].account, signature);
        pairs_add(&headers, "Authorization", authorization);
        int done = sharedkey_verify(&key, "GET", cases[i / 2].path, query, &headers, 0, now, &e);
        if (done != (cases[i / 2].right ? 0 : -1))
            fail_msg("case %zu, lite %d: %d", i / 2, lite, done);
        if (!cases[i / 2].right)
            assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    }
}

static void test_bad_input(void **state)
{
    (void)state;
    struct sharedkey key = SHAREDKEY_INIT;
    struct sharedkey_authorization a;
    struct err e = {0};
    static const char *const headers[] = {
        "",
        "SharedKey",
        "SharedKey a",
        "SharedKey a:",
        "SharedKey :AAAA",
        "Bearer x:y",
        "SharedKey a:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "SharedKey A!:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="};

    assert_int_equal(sharedkey_init(&key, "acct", "not base64!SECRET", &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(strstr(e.text, "SECRET"));
    assert_int_equal(sharedkey_init(&key, "acct", "", &e), -1);
    assert_int_equal(sharedkey_init(&key, "Acct", KEY, &e), -1);
    assert_int_equal(sharedkey_init(&key, "", KEY, &e), -1);
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        assert_int_equal(sharedkey_authorization_parse(headers[i], &a, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
    assert_ok(sharedkey_authorization_parse(
                  "SharedKeyLite acct:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", &a, &e),
              &e);
    assert_true(a.lite);
    assert_string_equal(a.account, "acct");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented_text), cmocka_unit_test(test_every_line),
        cmocka_unit_test(test_header_order),    cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_secondary_forms), cmocka_unit_test(test_secondary),
        cmocka_unit_test(test_bad_input),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
