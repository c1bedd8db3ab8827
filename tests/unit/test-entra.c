// SPDX-License-Identifier: EUPL-1.2
/* Tokens of Entra ID, asked of a server in the test; assertions are judged with openssl's library
 * and the certificate's public key. */
#include "unit.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "auth/entra.h"
#include "codec/base64.h"
#include "codec/json.h"
#include "codec/url.h"
#include "server.h"
#include "util/clock.h"
#include "util/common.h"

#define SECRET "app+secret/&="

struct script {
    int status;         /* 0: 200 */
    const char *answer; /* NULL: a token named after the request's number */
    int life;
    char body[16384];
};

static void serve(struct server *s, int connection)
{
    struct script *script = (struct script *)(uintptr_t)s->argument;

    if (!server_read(s, connection))
        return;
    size_t n = server_body(connection, script->body, server_length(s) % sizeof(script->body));
    script->body[n] = 0;
    auto_free char *body = script->answer
                               ? xstrdup(script->answer)
                               : xasprintf("{\"token_type\":\"Bearer\",\"expires_in\":%d,"
                                           "\"access_token\":\"token-%d\"}",
                                           script->life, atomic_load(&s->requests));
    auto_free char *text = xasprintf("HTTP/1.1 %d X\r\nContent-Length: %zu\r\nContent-Type: "
                                     "application/json\r\nConnection: close\r\n\r\n%s",
                                     script->status ? script->status : 200, strlen(body), body);
    server_send(connection, text);
}

struct fixture {
    struct server server;
    struct script script;
    struct http_client *client;
    struct secret secret;
    struct call call;
    char url[100];
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));
    struct err e = {0};

    f->script.life = 3600;
    server_start(&f->server, serve, &f->script);
    assert_ok(http_client_new(NULL, &f->client, &e), &e);
    secret_from_text(&f->secret, SECRET);
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d", f->server.port);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    server_stop(&f->server);
    http_client_free(f->client);
    secret_release(&f->secret);
    free(f);
    return 0;
}

static struct entra *begin(struct fixture *f, const struct entra_options *options)
{
    struct entra *a = NULL;

    assert_ok(entra_new(options, &a, &f->call.err), &f->call.err);
    return a;
}

static struct entra *with_secret(struct fixture *f)
{
    const struct entra_options options = {.client = f->client,
                                          .tenant = "contoso.example",
                                          .client_id = "app-1",
                                          .client_secret = &f->secret,
                                          .authority = f->url};

    return begin(f, &options);
}

static void expect(struct fixture *f, struct entra *a, const char *token)
{
    auto_secret struct secret got = SECRET_INIT;

    assert_ok(entra_token(a, &got, &f->call), &f->call.err);
    assert_string_equal((const char *)got.bytes, token);
}

static void refused(struct fixture *f, struct entra *a, enum err_code reason, const char *words)
{
    auto_secret struct secret got = SECRET_INIT;

    assert_int_equal(entra_token(a, &got, &f->call), -1);
    assert_int_equal(f->call.err.code, reason);
    if (!strstr(f->call.err.text, words))
        fail_msg("'%s' does not say '%s'", f->call.err.text, words);
    assert_null(strstr(f->call.err.text, "secret/"));
    assert_null(strchr(f->call.err.text, '\n'));
    assert_null(got.bytes);
    err_clear(&f->call.err);
}

static void client_secret(void **state)
{
    struct fixture *f = *state;
    struct entra *a = with_secret(f);

    expect(f, a, "token-1");
    expect(f, a, "token-1");
    assert_int_equal(atomic_load(&f->server.requests), 1);
    assert_ptr_equal(strstr(f->server.request, "POST /contoso.example/oauth2/v2.0/token HTTP/1.1"),
                     f->server.request);
    assert_string_equal(f->script.body, "grant_type=client_credentials&client_id=app-1&scope="
                                        "https%3A%2F%2Fstorage.azure.com%2F.default&client_secret="
                                        "app%2Bsecret%2F%26%3D");
    entra_free(a);
}

static void renewal(void **state)
{
    struct fixture *f = *state;
    struct entra *a = with_secret(f);
    auto_secret struct secret old = SECRET_INIT, now = SECRET_INIT;

    f->script.life = 2; /* renewed when a quarter is left */
    assert_ok(entra_token(a, &old, &f->call), &f->call.err);
    expect(f, a, "token-1");
    assert_ok(call_sleep(&f->call, CLOCK_SECOND * 17 / 10), &f->call.err);
    f->script.life = 3600;
    expect(f, a, "token-2");
    entra_refused(a, &old);
    expect(f, a, "token-2");
    assert_ok(entra_token(a, &now, &f->call), &f->call.err);
    entra_refused(a, &now);
    expect(f, a, "token-3");
    entra_free(a);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    struct entra *a = with_secret(f);

    f->script.status = 401;
    f->script.answer = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: "
                       "Invalid client secret provided.\\r\\nTrace ID: 1\"}";
    refused(f, a, ERR_UNKNOWN_WHO, "AADSTS7000215: Invalid client secret provided.");
    f->script.answer = "<html>";
    refused(f, a, ERR_UNKNOWN_WHO, "no reason given");
    f->script.status = 429;
    refused(f, a, ERR_BUSY, "429");
    f->script.status = 500;
    refused(f, a, ERR_REMOTE, "500");
    f->script.status = 200;
    refused(f, a, ERR_REMOTE, "the token answer of");
    f->script.answer = "{\"access_token\":\"\"}";
    refused(f, a, ERR_REMOTE, "without a token");
    f->script.answer = NULL;
    expect(f, a, "token-7");
    entra_free(a);
}

/* --- the certificate --- */

static char *make_certificate(void)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = xasprintf("%s/entra-XXXXXX", tmp ? tmp : "/tmp");

    assert_non_null(mkdtemp(folder));
    auto_free char *command = xasprintf(
        "cd '%s' && openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=app -days 9 -keyout k.pem "
        "-out c.pem >/dev/null 2>&1 && cat k.pem c.pem >app.pem && "
        "openssl x509 -in c.pem -pubkey -noout >pub.pem",
        folder);
    assert_int_equal(system(command), 0); // NOLINT: a test's own words
    return folder;
}

static void remove_folder(char *folder)
{
    auto_free char *command = xasprintf("rm -rf '%s'", folder);

    assert_int_equal(system(command), 0); // NOLINT
    free(folder);
}

static void check_signature(const char *folder, const char *text, size_t length,
                            const struct buf *signature)
{
    auto_free char *path = xasprintf("%s/pub.pem", folder);
    FILE *file = fopen(path, "re");

    assert_non_null(file);
    EVP_PKEY *key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
    (void)fclose(file);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestVerify(context, (const unsigned char *)signature->data,
                                      signature->length, (const unsigned char *)text, length),
                     1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
}

static json_t *decode_part(const char *text, size_t length)
{
    auto_buf struct buf plain = BUF_INIT(8192);
    struct err e = {0};
    json_t *json = NULL;

    assert_ok(base64url_decode(text, length, &plain, &e), &e);
    assert_ok(json_parse(plain.data, plain.length, &json, &e), &e);
    return json;
}

static void check_assertion(const struct fixture *f, const char *folder, const char *jwt)
{
    auto_free char *audience = xasprintf("%s/t/oauth2/v2.0/token", f->url);
    size_t head = strcspn(jwt, "."), claims = strcspn(jwt + head + 1, ".");
    const char *last = jwt + head + 1 + claims + 1;
    auto_json json_t *header = decode_part(jwt, head), *body = decode_part(jwt + head + 1, claims);
    auto_buf struct buf signature = BUF_INIT(1024);
    struct err e = {0};
    int64_t begins = 0, ends = 0;

    assert_ok(base64url_decode(last, strlen(last), &signature, &e), &e);
    check_signature(folder, jwt, head + 1 + claims, &signature);
    assert_string_equal(json_text(header, "alg"), "RS256");
    assert_int_equal(strlen(json_text(header, "x5t")), 27);
    assert_int_equal(strlen(json_text(header, "x5t#S256")), 43);
    assert_string_equal(json_text(body, "aud"), audience);
    assert_string_equal(json_text(body, "iss"), "app-1");
    assert_string_equal(json_text(body, "sub"), "app-1");
    assert_int_equal(strlen(json_text(body, "jti")), 32);
    assert_true(json_number(body, "nbf", &begins) && json_number(body, "exp", &ends));
    assert_true(ends > begins && ends - begins <= 600);
    assert_true(llabs(begins - clock_wall() / CLOCK_SECOND) < 60);
}

static void certificate(void **state)
{
    struct fixture *f = *state;
    char *folder = make_certificate();
    auto_free char *path = xasprintf("%s/app.pem", folder);
    auto_pairs struct pairs form = PAIRS_INIT;
    const struct entra_options options = {.client = f->client,
                                          .tenant = "t",
                                          .client_id = "app-1",
                                          .certificate_file = path,
                                          .authority = f->url};
    struct entra *a = begin(f, &options);

    expect(f, a, "token-1");
    assert_ok(query_parse(f->script.body, &form, &f->call.err), &f->call.err);
    assert_string_equal(pairs_get(&form, "client_assertion_type"),
                        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert_null(pairs_get(&form, "client_secret"));
    check_assertion(f, folder, pairs_get(&form, "client_assertion"));
    entra_free(a);
    remove_folder(folder);
}

/* --- managed identity and commands --- */

static void managed_identity(void **state)
{
    struct fixture *f = *state;
    const struct entra_options options = {.client = f->client,
                                          .managed_identity = true,
                                          .imds = f->url,
                                          .client_id = "user-assigned"};
    struct entra *a = begin(f, &options);

    (void)unsetenv("IDENTITY_ENDPOINT");
    (void)unsetenv("IDENTITY_HEADER");
    f->script.answer = "{\"access_token\":\"machine\",\"expires_in\":\"3599\"}";
    expect(f, a, "machine");
    assert_ptr_equal(
        strstr(f->server.request,
               "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource="
               "https%3A%2F%2Fstorage.azure.com%2F&client_id=user-assigned HTTP/1.1\r\n"),
        f->server.request);
    assert_non_null(strstr(f->server.request, "Metadata: true\r\n"));
    entra_free(a);
}

static void app_service(void **state)
{
    struct fixture *f = *state;
    const struct entra_options options = {.client = f->client, .managed_identity = true};
    auto_free char *endpoint = xasprintf("%s/msi/token", f->url);
    struct entra *a = begin(f, &options);

    assert_int_equal(setenv("IDENTITY_ENDPOINT", endpoint, 1), 0);
    assert_int_equal(setenv("IDENTITY_HEADER", "header-1", 1), 0);
    expect(f, a, "token-1");
    assert_ptr_equal(strstr(f->server.request, "GET /msi/token?api-version=2019-08-01&resource="),
                     f->server.request);
    assert_non_null(strstr(f->server.request, "X-IDENTITY-HEADER: header-1\r\n"));
    (void)unsetenv("IDENTITY_ENDPOINT");
    (void)unsetenv("IDENTITY_HEADER");
    entra_free(a);
}

static void command_gives(struct fixture *f, const char *command, const char *token)
{
    const struct entra_options options = {.client = f->client, .command = command};
    struct entra *a = begin(f, &options);

    if (token)
        expect(f, a, token);
    else
        refused(f, a, ERR_UNKNOWN_WHO, "token_command gives no token");
    entra_free(a);
}

static void token_command(void **state)
{
    struct fixture *f = *state;

    command_gives(f, "printf 'plain\\n'", "plain");
    command_gives(f, "echo '{\"accessToken\":\"of-az\",\"expires_on\":4000000000}'", "of-az");
    command_gives(f, "echo '{\"access_token\":\"other\",\"expires_in\":60}'", "other");
    command_gives(f, "exit 3", NULL);
    command_gives(f, "echo half; exit 1", NULL);
    command_gives(f, "true", NULL);
}

static void missing_options(void **state)
{
    struct fixture *f = *state;
    struct entra *a = NULL;
    const struct entra_options cases[] = {
        {.client_id = "a", .client_secret = &f->secret},
        {.tenant = "t", .client_secret = &f->secret},
        {.tenant = "t", .client_id = "a"},
        {.tenant = "t", .client_id = "a", .client_secret = &f->secret, .certificate_file = "/x"},
        {.tenant = "t", .client_id = "a", .certificate_file = "/dev/null"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(entra_new(&cases[i], &a, &f->call.err), -1);
        assert_int_equal(f->call.err.code, ERR_INVALID);
    }
    assert_null(a);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(client_secret), with_server(renewal),          with_server(refusals),
        with_server(certificate),   with_server(managed_identity), with_server(app_service),
        with_server(token_command), with_server(missing_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
