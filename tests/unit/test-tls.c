// SPDX-License-Identifier: EUPL-1.2
/* TLS as the HTTP client checks it: authorities, names, dates, and what is said when they fail. */
#include "unit.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "http/client.h"
#include "server.h"
#include "util/clock.h"

struct certified {
    EVP_PKEY *key;
    X509 *certificate;
};

static struct certified certify(const char *name, const char *names, long from, long to,
                                const struct certified *authority)
{
    struct certified made = {.key = EVP_EC_gen("P-256"), .certificate = X509_new()};
    X509 *x = made.certificate;

    assert_non_null(made.key);
    assert_int_equal(X509_set_version(x, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), authority ? 2 : 1), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), from));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), to));
    X509_NAME *subject = X509_get_subject_name(x);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(
                         x, authority ? X509_get_subject_name(authority->certificate) : subject),
                     1);
    assert_int_equal(X509_set_pubkey(x, made.key), 1);
    X509_EXTENSION *extension =
        names ? X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names)
              : X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(x, extension, -1), 1);
    X509_EXTENSION_free(extension);
    assert_true(X509_sign(x, authority ? authority->key : made.key, EVP_sha256()) > 0);
    return made;
}

static void uncertify(struct certified *c)
{
    X509_free(c->certificate);
    EVP_PKEY_free(c->key);
}

/* One answer to each request, over TLS; the answer is the argument. */
struct service {
    SSL_CTX *context;
    const char *answer;
};

static void serve_tls(struct server *s, int connection)
{
    const struct service *service = s->argument;
    SSL *ssl = SSL_new(service->context);
    char byte;
    size_t matched = 0;

    (void)SSL_set_fd(ssl, connection);
    if (SSL_accept(ssl) == 1)
        while (SSL_read(ssl, &byte, 1) == 1) {
            matched = byte == "\r\n\r\n"[matched] ? matched + 1 : byte == '\r';
            if (matched < 4)
                continue;
            matched = 0;
            atomic_fetch_add(&s->requests, 1);
            (void)SSL_write(ssl, service->answer, (int)strlen(service->answer));
            if (strstr(service->answer, "Length: 10"))
                break; /* cut off, without a word of TLS */
        }
    SSL_free(ssl);
}

struct trial {
    struct certified authority, own;
    struct service service;
    struct server server;
    char ca_file[64];
    struct call call;
};

static void trial_start(struct trial *t, const char *names, long from, long to, const char *answer)
{
    *t = (struct trial){.ca_file = "/tmp/test-tls-XXXXXX"};
    t->authority = certify("Test authority", NULL, -1000, 100000, NULL);
    t->own = certify("server", names, from, to, &t->authority);
    t->service.context = SSL_CTX_new(TLS_server_method());
    t->service.answer = answer;
    assert_int_equal(SSL_CTX_use_certificate(t->service.context, t->own.certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(t->service.context, t->own.key), 1);
    int fd = mkstemp(t->ca_file);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_int_equal(PEM_write_X509(file, t->authority.certificate), 1);
    (void)fclose(file);
    server_start(&t->server, serve_tls, &t->service);
}

static void trial_end(struct trial *t)
{
    server_stop(&t->server);
    SSL_CTX_free(t->service.context);
    uncertify(&t->own);
    uncertify(&t->authority);
    (void)unlink(t->ca_file);
}

/* Two requests over a client with these options; 0 or -1. */
static int trial_do(struct trial *t, const struct http_client_options *options)
{
    struct http_client *client = NULL;
    auto_request struct http_request request = {
        .method = "GET", .url = xasprintf("https://127.0.0.1:%d/", t->server.port)};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;

    err_clear(&t->call.err);
    assert_ok(http_client_new(options, &client, &t->call.err), &t->call.err);
    int result = 0;
    for (int i = 0; i < 2 && result == 0; i++)
        result = http_do(client, &request, &response, NULL, NULL, &t->call);
    if (result == 0)
        assert_int_equal(response.status, 200);
    http_client_free(client);
    return result;
}

static void expect_tls(struct trial *t, const struct http_client_options *options, const char *text)
{
    assert_int_equal(trial_do(t, options), -1);
    if (t->call.err.code != ERR_TLS || !strstr(t->call.err.text, text))
        fail_msg("expected '%s', got %s '%s'", text, err_word(t->call.err.code), t->call.err.text);
}

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

static void test_right_certificate(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, "IP:127.0.0.1", -1000, 100000, OK_ANSWER);
    struct http_client_options options = {.ca_file = t.ca_file};
    assert_ok(trial_do(&t, &options), &t.call.err);
    assert_int_equal(t.server.connections, 1);
    trial_end(&t);
}

static void test_other_name(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, "DNS:blob.example.net,DNS:*.example.org,IP:192.0.2.7", -1000, 100000,
                OK_ANSWER);
    struct http_client_options options = {.ca_file = t.ca_file};
    expect_tls(&t, &options, "blob.example.net, *.example.org, 192.0.2.7");
    assert_int_equal(t.server.requests, 0);
    trial_end(&t);
}

static void test_unknown_authority(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, "IP:127.0.0.1", -1000, 100000, OK_ANSWER);
    expect_tls(&t, NULL, "ca_file");
    assert_int_equal(t.server.requests, 0);
    /* insecure takes it: this is loopback */
    struct http_client_options options = {.insecure = true};
    assert_ok(trial_do(&t, &options), &t.call.err);
    trial_end(&t);
}

static void test_dates(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, "IP:127.0.0.1", -1000, -10, OK_ANSWER);
    struct http_client_options options = {.ca_file = t.ca_file};
    expect_tls(&t, &options, "expired");
    trial_end(&t);
    trial_start(&t, "IP:127.0.0.1", 1000, 100000, OK_ANSWER);
    options.ca_file = t.ca_file;
    expect_tls(&t, &options, "not yet valid");
    trial_end(&t);
}

static void test_cut_off(void **state)
{
    (void)state;
    struct trial t;

    trial_start(&t, "IP:127.0.0.1", -1000, 100000,
                "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    struct http_client_options options = {.ca_file = t.ca_file};
    assert_int_equal(trial_do(&t, &options), -1);
    assert_int_equal(t.call.err.code, ERR_NETWORK);
    assert_non_null(strstr(t.call.err.text, "cut off after 5 of 10 bytes"));
    trial_end(&t);
}

static void serve_plain(struct server *s, int connection)
{
    char chunk[16];

    (void)server_body(connection, chunk, 1);
    server_send(connection, s->argument);
}

static void test_no_tls_there(void **state)
{
    (void)state;
    struct trial t = {0};

    server_start(&t.server, serve_plain, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    expect_tls(&t, NULL, "TLS with 127.0.0.1");
    server_stop(&t.server);
}

static void test_ca_file(void **state)
{
    (void)state;
    struct http_client *client = NULL;
    struct err e = {0};
    struct http_client_options options = {.ca_file = "/no/such/file.pem"};

    assert_int_equal(http_client_new(&options, &client, &e), -1);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/no/such/file.pem"));
    options.ca_file = "/dev/null";
    assert_int_equal(http_client_new(&options, &client, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_certificate), cmocka_unit_test(test_other_name),
        cmocka_unit_test(test_unknown_authority), cmocka_unit_test(test_dates),
        cmocka_unit_test(test_cut_off),           cmocka_unit_test(test_no_tls_there),
        cmocka_unit_test(test_ca_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
