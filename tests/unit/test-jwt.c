// SPDX-License-Identifier: EUPL-1.2
/* JSON Web Tokens: the RFCs' examples, keys made here, and what must never pass. */
#include "unit.h"

#include "auth/jwt.h"
#include "jwt-keys.h"

#define NOW INT64_C(1790000000)

static int parse_and_verify(const char *token, const char *set, struct err *e)
{
    auto_jwt struct jwt t = JWT_INIT;
    auto_jwt_keys struct jwt_keys keys = JWT_KEYS_INIT;

    assert_ok(jwt_keys_parse(set, strlen(set), &keys, e), e);
    return jwt_parse(token, &t, e) < 0 || jwt_verify(&t, &keys, e) < 0 ? -1 : 0;
}

/* RFC 7515 A.2 and A.3, whose payload has "\r\n" in it: RS256 and ES256. */
#define EXAMPLE_PAYLOAD                                                                           \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnV" \
    "lfQ"
#define RSA_SET                                                                                   \
    "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":"                                           \
    "\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0" \
    "Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5" \
    "z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7a" \
    "GhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}]}"
#define RSA_TOKEN                                                                                 \
    "eyJhbGciOiJSUzI1NiJ9." EXAMPLE_PAYLOAD                                                       \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F" \
    "p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBM" \
    "Hlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2" \
    "w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define EC_SET                                               \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":"    \
    "\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\",\"y\":" \
    "\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}]}"
#define EC_TOKEN                            \
    "eyJhbGciOiJFUzI1NiJ9." EXAMPLE_PAYLOAD \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
/* RFC 8037 A.2: the key.  Its token has no JSON in it, so that it cannot be taken here. */
#define ED_KEY \
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}"

static void test_published(void **state)
{
    (void)state;
    struct err e = {0};
    auto_free char *changed = xstrdup(RSA_TOKEN);

    assert_ok(parse_and_verify(RSA_TOKEN, RSA_SET, &e), &e);
    assert_ok(parse_and_verify(EC_TOKEN, EC_SET, &e), &e);
    changed[40]++;
    assert_int_equal(parse_and_verify(changed, RSA_SET, &e), -1);
    assert_int_equal(parse_and_verify(RSA_TOKEN, EC_SET, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    auto_jwt_keys struct jwt_keys keys = JWT_KEYS_INIT;
    assert_ok(
        jwt_keys_parse("{\"keys\":[" ED_KEY "]}", strlen("{\"keys\":[" ED_KEY "]}"), &keys, &e),
        &e);
    assert_int_equal(keys.count, 1);
    /* RFC 8037 A.4's signature, by OpenSSL with the key as we read it. */
    static const char input[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    static const char signature[] =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5"
        "BhVsPt9g7sVvpAr_MuM0KAg";
    auto_buf struct buf bytes = BUF_INIT(64);
    assert_ok(base64url_decode(signature, strlen(signature), &bytes, &e), &e);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, keys.list[0].key), 1);
    assert_int_equal(EVP_DigestVerify(context, (unsigned char *)bytes.data, bytes.length,
                                      (const unsigned char *)input, strlen(input)),
                     1);
    EVP_MD_CTX_free(context);
}

static const char *const algorithms[] = {"RS256", "PS256", "ES256", "EdDSA"};

static char *header_of(const char *algorithm, const char *more)
{
    return xasprintf("{\"alg\":\"%s\"%s}", algorithm, more);
}

/* Each algorithm with each key: only the right ones, and nothing that was changed. */
static void test_algorithms(void **state)
{
    (void)state;
    EVP_PKEY *keys[ARRAY_SIZE(algorithms)];
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        keys[i] = make_key(algorithms[i]);
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        auto_free char *header = header_of(algorithms[i], ",\"typ\":\"at+JWT\",\"kid\":\"k\"");
        auto_free char *token = make_token(keys[i], algorithms[i], header, "{\"sub\":\"a\"}");
        for (size_t k = 0; k < ARRAY_SIZE(algorithms); k++) {
            auto_buf struct buf set = BUF_INIT(65536);
            buf_text(&set, "{\"keys\":[");
            add_jwk(&set, keys[k], "k", ",\"use\":\"sig\"");
            buf_text(&set, "]}");
            int result = parse_and_verify(token, set.data, &e);
            if (result != (i == k ? 0 : -1))
                fail_msg("%s with key of %s: %d", algorithms[i], algorithms[k], result);
        }
        for (size_t at = 0, n = strlen(token); at < n; at += 13) {
            auto_buf struct buf set = BUF_INIT(65536);
            auto_free char *changed = xstrdup(token);
            buf_text(&set, "{\"keys\":[");
            add_jwk(&set, keys[i], NULL, NULL);
            buf_text(&set, "]}");
            changed[at] = changed[at] == 'A' ? 'B' : 'A';
            assert_int_equal(parse_and_verify(changed, set.data, &e), -1);
            assert_null(strstr(e.text, changed));
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        EVP_PKEY_free(keys[i]);
}

/* A key with "alg" is for that alone; the right one of several is found with and without its id. */
static void test_choice(void **state)
{
    (void)state;
    EVP_PKEY *rsa = make_key("RS256"), *other = make_key("RS256");
    auto_buf struct buf both = BUF_INIT(65536), bound = BUF_INIT(65536), named = BUF_INIT(65536);
    auto_free char *with = make_token(rsa, "RS256", "{\"alg\":\"RS256\",\"kid\":\"b\"}", "{}");
    auto_free char *without = make_token(rsa, "RS256", "{\"alg\":\"RS256\"}", "{}");
    struct err e = {0};

    buf_text(&both, "{\"keys\":[");
    add_jwk(&both, other, "a", NULL);
    buf_text(
        &both,
        ",{\"kty\":\"oct\",\"k\":\"AAAA\"},7,{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},");
    add_jwk(&both, rsa, "b", ",\"key_ops\":[\"verify\"]");
    buf_text(&both, "]}");
    assert_ok(parse_and_verify(with, both.data, &e), &e);
    assert_ok(parse_and_verify(without, both.data, &e), &e);
    buf_text(&bound, "{\"keys\":[");
    add_jwk(&bound, rsa, "b", ",\"alg\":\"PS256\"");
    buf_text(&bound, "]}");
    assert_int_equal(parse_and_verify(with, bound.data, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    buf_text(&named, "{\"keys\":[");
    add_jwk(&named, rsa, "c", NULL);
    buf_text(&named, "]}");
    assert_int_equal(parse_and_verify(with, named.data, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(other);
}

static void test_key_sets(void **state)
{
    (void)state;
    /* none of these is a key to be used */
    static const char *const keys[] = {
        "{}",
        "{\"kty\":\"RSA\"}",
        "{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
        "{\"kty\":\"oct\",\"k\":\"AAAA\",\"alg\":\"HS256\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
        "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a8\"}", /* not on the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"11qYAYKxCrfVS_"
        "7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"use\":\"enc\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"key_ops\":[\"sign\"],"
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"RS256\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"alg\":\"HS256\","
        "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
    };
    static const char *const bad[] = {"", "{", "[]", "{}", "{\"keys\":{}}", "{\"keys\":7}"};
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        auto_jwt_keys struct jwt_keys set = JWT_KEYS_INIT;
        auto_free char *text = xasprintf("{\"keys\":[%s," ED_KEY "]}", keys[i]);
        assert_ok(jwt_keys_parse(text, strlen(text), &set, &e), &e);
        if (set.count != 1)
            fail_msg("%s counts as a key", keys[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct jwt_keys set = JWT_KEYS_INIT;
        assert_int_equal(jwt_keys_parse(bad[i], strlen(bad[i]), &set, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
    struct jwt_keys set = JWT_KEYS_INIT;
    auto_buf struct buf many = BUF_INIT(1 << 20);
    buf_text(&many, "{\"keys\":[" ED_KEY);
    while (many.length < JWT_KEYS_MAX - 200)
        buf_text(&many, "," ED_KEY);
    buf_text(&many, "]}");
    assert_ok(jwt_keys_parse(many.data, many.length, &set, &e), &e);
    assert_int_equal(set.count, JWT_KEY_MAX);
    jwt_keys_release(&set);
}

static void test_never_taken(void **state)
{
    (void)state;
    EVP_PKEY *key = make_key("EdDSA");
    static const struct {
        const char *header, *payload;
        enum err_code code;
    } cases[] = {
        {"{\"alg\":\"none\"}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"None\"}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"HS256\"}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"RS512\"}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"eddsa\"}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":7}", "{}", ERR_UNSUPPORTED},
        {"{}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"b64\":false}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"typ\":\"logout+jwt\"}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"typ\":7}", "{}", ERR_UNSUPPORTED},
        {"{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}", "{}", ERR_INVALID},
        {"[]", "{}", ERR_INVALID},
        {"{\"alg\":\"EdDSA\"}", "[]", ERR_INVALID},
        {"{\"alg\":\"EdDSA\"}", "", ERR_INVALID},
        {"{\"alg\":\"EdDSA\"}", "{\"sub\":\"a\",\"sub\":\"b\"}", ERR_INVALID},
    };
    struct err e = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct jwt t = JWT_INIT;
        auto_free char *token = make_token(key, "EdDSA", cases[i].header, cases[i].payload);
        if (jwt_parse(token, &t, &e) == 0)
            fail_msg("taken: %s %s", cases[i].header, cases[i].payload);
        assert_int_equal(e.code, cases[i].code);
        assert_null(t.header);
    }
    static const char *const texts[] = {"",
                                        ".",
                                        "..",
                                        "a.b",
                                        "a.b.c.d",
                                        "a.b.c.d.e",
                                        "eyJhbGciOiJFZERTQSJ9.e30",
                                        "eyJhbGciOiJFZERTQSJ9.e30.!",
                                        "eyJhbGciOiJFZERTQSJ9.e30=.AA",
                                        " eyJhbGciOiJFZERTQSJ9.e30.AA"};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct jwt t = JWT_INIT;
        assert_int_equal(jwt_parse(texts[i], &t, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
    auto_free char *large = xmalloc(JWT_SIZE_MAX + 2);
    struct jwt t = JWT_INIT;
    memset(large, 'A', JWT_SIZE_MAX + 1);
    large[JWT_SIZE_MAX + 1] = 0;
    assert_int_equal(jwt_parse(large, &t, &e), -1);
    EVP_PKEY_free(key);
}

/* ---- Claims ---- */

static int check(const char *payload, struct jwt_claims *ret, struct err *e)
{
    static const char *const audiences[] = {"https://storage.azure.com", "bascule"};
    struct jwt_expected x = {.issuer = "https://i",
                             .audiences = audiences,
                             .audience_count = 2,
                             .now = NOW * CLOCK_SECOND,
                             .leeway = 60 * CLOCK_SECOND,
                             .roles_claim = "realm_access.roles"};
    auto_jwt struct jwt t = JWT_INIT;
    auto_buf struct buf token = BUF_INIT(JWT_SIZE_MAX);

    buf_text(&token, "eyJhbGciOiJFZERTQSJ9.");
    base64url_encode(&token, payload, strlen(payload));
    buf_text(&token, ".AA");
    assert_ok(jwt_parse(token.data, &t, e), e);
    return jwt_check(&t, &x, ret, e);
}

static void expect(enum err_code code, const char *payload)
{
    auto_jwt_claims struct jwt_claims claims = JWT_CLAIMS_INIT;
    struct err e = {0};
    int result = check(payload, &claims, &e);

    if (result != (code ? -1 : 0) || e.code != code)
        fail_msg("%s: %d %s", payload, result, e.text);
}

#define GOOD "\"iss\":\"https://i\",\"aud\":\"bascule\",\"sub\":\"s\""

static void test_claims(void **state)
{
    (void)state;
    auto_jwt_claims struct jwt_claims c = JWT_CLAIMS_INIT;
    struct err e = {0};

    expect(ERR_NONE, "{" GOOD ",\"exp\":1790000001}");
    expect(ERR_NONE, "{" GOOD ",\"exp\":1790000001.5}");
    expect(ERR_NONE, "{" GOOD ",\"exp\":1789999941}");
    expect(ERR_UNKNOWN_WHO, "{" GOOD ",\"exp\":1789999940}");
    expect(ERR_UNKNOWN_WHO, "{" GOOD "}");
    expect(ERR_INVALID, "{" GOOD ",\"exp\":\"1790000001\"}");
    expect(ERR_INVALID, "{" GOOD ",\"exp\":-1}");
    expect(ERR_NONE, "{" GOOD ",\"exp\":1e300}");
    expect(ERR_NONE, "{" GOOD ",\"exp\":1790000001,\"nbf\":1790000060,\"iat\":1790000060}");
    expect(ERR_CLOCK, "{" GOOD ",\"exp\":1790009999,\"nbf\":1790000061}");
    expect(ERR_CLOCK, "{" GOOD ",\"exp\":1790009999,\"iat\":1790000061}");
    expect(ERR_CLOCK, "{" GOOD ",\"exp\":1790009999,\"iat\":1e300}");
    expect(ERR_INVALID, "{" GOOD ",\"exp\":1790009999,\"nbf\":null}");
    expect(ERR_UNKNOWN_WHO,
           "{\"iss\":\"https://i/\",\"aud\":\"bascule\",\"sub\":\"s\",\"exp\":1790000001}");
    expect(ERR_UNKNOWN_WHO, "{\"aud\":\"bascule\",\"sub\":\"s\",\"exp\":1790000001}");
    expect(ERR_UNKNOWN_WHO, "{\"iss\":\"https://i\",\"sub\":\"s\",\"exp\":1790000001}");
    expect(ERR_UNKNOWN_WHO,
           "{\"iss\":\"https://i\",\"aud\":[\"x\",7],\"sub\":\"s\",\"exp\":1790000001}");
    expect(ERR_NONE, "{\"iss\":\"https://i\",\"aud\":[\"x\",\"https://storage.azure.com\"],"
                     "\"sub\":\"s\",\"exp\":1790000001}");
    expect(ERR_UNKNOWN_WHO, "{\"iss\":\"https://i\",\"aud\":\"bascule\",\"exp\":1790000001}");
    expect(ERR_UNKNOWN_WHO,
           "{\"iss\":\"https://i\",\"aud\":\"bascule\",\"sub\":\"\",\"exp\":1790000001}");
    assert_ok(check("{" GOOD ",\"exp\":1790000001,\"oid\":\"o\",\"tid\":\"t\",\"appid\":\"app\","
                    "\"groups\":[\"g1\",7,\"g2\"],\"realm_access\":{\"roles\":[\"r1\"]},"
                    "\"roles\":[\"not asked\"],\"scp\":\"a b  c\"}",
                    &c, &e),
              &e);
    assert_string_equal(c.issuer, "https://i");
    assert_string_equal(c.subject, "s");
    assert_string_equal(c.object_id, "o");
    assert_string_equal(c.tenant, "t");
    assert_string_equal(c.client, "app");
    assert_true(c.expires == INT64_C(1790000001) * CLOCK_SECOND);
    assert_int_equal(c.groups.count, 2);
    assert_true(jwt_names_have(&c.groups, "g2") && !jwt_names_have(&c.groups, "g"));
    assert_int_equal(c.roles.count, 1);
    assert_true(jwt_names_have(&c.roles, "r1"));
    assert_int_equal(c.scopes.count, 3);
    assert_true(jwt_names_have(&c.scopes, "c"));
}

static void test_claim_limits(void **state)
{
    (void)state;
    auto_buf struct buf payload = BUF_INIT(JWT_SIZE_MAX);
    struct jwt_claims c = JWT_CLAIMS_INIT;
    struct err e = {0};

    buf_text(&payload, "{" GOOD ",\"exp\":1790000001,\"groups\":[\"g\"");
    for (int i = 0; i < JWT_NAMES_MAX; i++)
        buf_text(&payload, ",\"g\"");
    buf_text(&payload, "]}");
    assert_int_equal(check(payload.data, &c, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(c.issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published),    cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_choice),       cmocka_unit_test(test_key_sets),
        cmocka_unit_test(test_never_taken),  cmocka_unit_test(test_claims),
        cmocka_unit_test(test_claim_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
