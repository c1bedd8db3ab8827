// SPDX-License-Identifier: EUPL-1.2
/* The HTTP server's connections over time: many at once, slow ones, TLS, limits, drain and end. */
#include "door.h"

#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/un.h>

#include "http/client.h"

/* A self-signed certificate for 127.0.0.1. */
static void make_certificate(const char *certificate, const char *key, long serial)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
    FILE *f;

    assert_non_null(pair);
    assert_non_null(names);
    (void)X509_set_version(x, X509_VERSION_3);
    (void)ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    (void)X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                                     (const unsigned char *)"test", -1, -1, 0);
    (void)X509_set_issuer_name(x, X509_get_subject_name(x));
    (void)X509_add_ext(x, names, -1);
    (void)X509_set_pubkey(x, pair);
    assert_true(X509_sign(x, pair, EVP_sha256()) > 0);
    f = fopen(certificate, "we");
    assert_true(f && PEM_write_X509(f, x) && fclose(f) == 0);
    f = fopen(key, "we");
    assert_true(f && PEM_write_PrivateKey(f, pair, NULL, NULL, 0, NULL, NULL) && fclose(f) == 0);
    X509_EXTENSION_free(names);
    X509_free(x);
    EVP_PKEY_free(pair);
}

struct bytes {
    struct source source;
    size_t length;
    size_t at;
};

static ssize_t read_bytes(struct source *source, void *into, size_t n, struct call *call)
{
    struct bytes *b = container_of(source, struct bytes, source);
    char *to = into;

    (void)call;
    if (n > b->length - b->at)
        n = b->length - b->at;
    for (size_t i = 0; i < n; i++)
        to[i] = byte_at(b->at + i);
    b->at += n;
    return (ssize_t)n;
}

struct checking {
    struct sink sink;
    size_t at;
};

static int check_bytes(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct checking *c = container_of(sink, struct checking, sink);
    const char *from = bytes;

    for (size_t i = 0; i < n; i++)
        if (from[i] != byte_at(c->at + i))
            return err_set(&call->err, ERR_CORRUPT, "wrong byte at %zu", c->at + i);
    c->at += n;
    return 0;
}

/* One request through our own client: PUT sends length made bytes; length bytes must come back. */
static int do_one(struct http_client *client, const char *base, const char *method,
                  const char *path, size_t length, struct call *call)
{
    struct bytes from = {.source = {.read = read_bytes}, .length = length};
    struct checking to = {.sink = {.write = check_bytes}};
    auto_request struct http_request request = {.method = method};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;

    request.url = xasprintf("%s%s", base, path);
    if (strcmp(method, "PUT") == 0) {
        request.body = &from.source;
        request.body_length = length;
    }
    if (http_do(client, &request, &response, &to.sink, NULL, call) < 0)
        return -1;
    if (response.status >= 300 || to.at != length)
        return err_set(&call->err, ERR_REMOTE, "%s %s: %d, %zu bytes", method, path,
                       response.status, to.at);
    return 0;
}

struct load {
    struct http_client *client;
    char base[64];
};

static int run_load(void *argument, struct call *call)
{
    const struct load *load = argument;

    for (int round = 0; round < 6; round++) {
        if (do_one(load->client, load->base, "PUT", "/echo", 100, call) < 0 ||
            do_one(load->client, load->base, "PUT", "/echo", 200000, call) < 0 ||
            do_one(load->client, load->base, "GET", "/file", BIG - FILE_FROM, call) < 0 ||
            do_one(load->client, load->base, "GET", "/stream/300000/9999999", 300000, call) < 0 ||
            do_one(load->client, load->base, "GET", "/stream/90000/999999/chunked", 90000, call) <
                0 ||
            do_one(load->client, load->base, "GET", "/file", BIG - FILE_FROM, call) < 0 ||
            do_one(load->client, load->base, "GET", "/stream/30000/9999999", 30000, call) < 0)
            return -1;
    }
    return 0;
}

static void load_with(struct http_server *server, const char *scheme, const char *ca_file,
                      int threads)
{
    struct load load;
    struct http_client_options options = {.ca_file = ca_file};
    struct call call = CALL_INIT;
    struct group group;

    (void)snprintf(load.base, sizeof(load.base), "%s://127.0.0.1:%d", scheme,
                   http_server_port(server));
    assert_ok(http_client_new(&options, &load.client, &call.err), &call.err);
    group_init(&group, &call);
    for (int i = 0; i < threads; i++)
        if (group_run(&group, run_load, &load) < 0)
            break;
    assert_ok(group_wait(&group), &call.err);
    http_client_free(load.client);
}

static void test_many(void **state)
{
    struct http_server *server = START(0);

    (void)state;
    load_with(server, "http", NULL, 64);
    http_server_free(server);
}

/* Whether a handshake up to this version is taken. */
static bool can_speak(int port, int version)
{
    struct raw *r = xcalloc(1, sizeof(*r));
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl;

    (void)SSL_CTX_set_max_proto_version(context, version);
    (void)SSL_CTX_set_min_proto_version(context, 0);
    SSL_CTX_set_security_level(context, 0);
    ssl = SSL_new(context);
    raw_open(r, port);
    (void)SSL_set_fd(ssl, r->fd);
    bool can = SSL_connect(ssl) == 1;
    SSL_free(ssl);
    SSL_CTX_free(context);
    raw_close(r);
    free(r);
    return can;
}

/* An answer in the middle of a large body. */
static void check_early(struct http_client *client, const char *base)
{
    struct bytes from = {.source = {.read = read_bytes}, .length = 50000000};
    auto_request struct http_request request = {
        .method = "PUT", .body = &from.source, .body_length = from.length};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    struct call call = CALL_INIT;

    request.url = xasprintf("%s/early", base);
    assert_ok(http_do(client, &request, &response, NULL, NULL, &call), &call.err);
    assert_int_equal(response.status, 507);
    assert_string_equal(response.error_body.data, "full\n");
}

static int try_tls(struct http_server *server, const char *ca_file)
{
    struct http_client_options options = {.ca_file = ca_file};
    struct http_client *client;
    struct call call = CALL_INIT;
    char base[64];

    (void)snprintf(base, sizeof(base), "https://127.0.0.1:%d", http_server_port(server));
    assert_ok(http_client_new(&options, &client, &call.err), &call.err);
    int failed = do_one(client, base, "PUT", "/echo", 70000, &call);
    if (!failed)
        check_early(client, base);
    http_client_free(client);
    return failed < 0 ? (int)call.err.code : 0;
}

/* Who never shakes hands does not stay. */
static void check_silence(struct http_server *server)
{
    struct raw *r = xcalloc(1, sizeof(*r));
    int64_t began = clock_monotonic();

    raw_open(r, http_server_port(server));
    assert_true(raw_ended(r));
    assert_true(clock_monotonic() - began < 5 * CLOCK_SECOND);
    raw_close(r);
    free(r);
}

static void test_tls(void **state)
{
    char folder[] = "/tmp/test-server-life-XXXXXX";
    struct err e = {.code = ERR_NONE};

    (void)state;
    assert_non_null(mkdtemp(folder));
    auto_free char *certificate = xasprintf("%s/certificate.pem", folder);
    auto_free char *key = xasprintf("%s/key.pem", folder);
    auto_free char *old = xasprintf("%s/old.pem", folder);
    auto_free char *old_key = xasprintf("%s/old-key.pem", folder);
    make_certificate(certificate, key, 1);
    struct http_server *server =
        START(.certificate = certificate, .key = key, .head_timeout = CLOCK_SECOND);
    assert_int_equal(try_tls(server, certificate), 0);
    load_with(server, "https", certificate, 8);
    assert_true(can_speak(http_server_port(server), TLS1_3_VERSION));
    assert_true(can_speak(http_server_port(server), TLS1_2_VERSION));
    assert_false(can_speak(http_server_port(server), TLS1_1_VERSION));
    check_silence(server);
    /* Another certificate without a restart. */
    assert_int_equal(rename(certificate, old), 0);
    assert_int_equal(rename(key, old_key), 0);
    assert_int_equal(http_server_reload(server, &e), -1);
    assert_int_equal(try_tls(server, old), 0);
    make_certificate(certificate, key, 2);
    assert_ok(http_server_reload(server, &e), &e);
    assert_ok(http_server_reload(server, &e), &e);
    assert_int_equal(try_tls(server, certificate), 0);
    assert_int_equal(try_tls(server, old), ERR_TLS);
    /* A key that does not fit, and no key at all. */
    assert_int_equal(rename(old_key, key), 0);
    assert_int_equal(http_server_reload(server, &e), -1);
    assert_non_null(strstr(e.text, "does not belong"));
    assert_int_equal(rename(certificate, key), 0);
    assert_int_equal(rename(old, certificate), 0);
    assert_int_equal(http_server_reload(server, &e), -1);
    assert_int_equal(e.code, ERR_TLS);
    http_server_free(server);
    (void)unlink(certificate);
    (void)unlink(key);
    (void)rmdir(folder);
}

static void test_bind(void **state)
{
    static const char *const bad[] = {"127.0.0.1",        "127.0.0.1:", "127.0.0.1:x", "::1:80",
                                      "127.0.0.1:99999",  "unix:",      "[::1]",       "",
                                      "nowhere.invalid:1"};
    struct http_server *first = START(0);
    struct http_server_options options = {.handle = handle};
    struct http_server *second = NULL;
    struct err e = {.code = ERR_NONE};
    char text[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        options.listen = bad[i];
        assert_int_equal(http_server_start(&options, &second, &e), -1);
        assert_non_null(strstr(e.text, bad[i]));
    }
    (void)snprintf(text, sizeof(text), "127.0.0.1:%d", http_server_port(first));
    options.listen = text;
    assert_int_equal(http_server_start(&options, &second, &e), -1);
    assert_non_null(strstr(e.text, "in use"));
    /* Without TLS only this machine is served, unless told otherwise. */
    options.listen = "0.0.0.0:0";
    assert_int_equal(http_server_start(&options, &second, &e), -1);
    assert_non_null(strstr(e.text, "TLS"));
    options.listen = "*:0";
    assert_int_equal(http_server_start(&options, &second, &e), -1);
    options.allow_plain = true;
    assert_ok(http_server_start(&options, &second, &e), &e);
    struct raw_answer a;
    assert_int_equal(ask(second, "GET / " H "\r\n", &a), 200);
    assert_non_null(strstr(a.body, "peer 127.0.0.1\n"));
    free(a.body);
    http_server_free(second);
    http_server_free(first);
}

static void test_unix(void **state)
{
    char folder[] = "/tmp/test-server-life-XXXXXX";
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", folder);
    auto_free char *listen = xasprintf("unix:%s", address.sun_path);
    /* The second time over a file that a killed server left. */
    for (int i = 0; i < 2; i++) {
        struct raw *r = xcalloc(1, sizeof(*r));
        struct raw_answer a;
        struct http_server *server = START(.listen = listen);
        r->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(r->fd, (struct sockaddr *)&address, sizeof(address)), 0);
        assert_true(raw_send(r, "GET / " H "\r\n"));
        raw_read(r, &a, false);
        assert_int_equal(a.status, 200);
        assert_non_null(strstr(a.body, "peer unix\n"));
        assert_int_equal(http_server_port(server), 0);
        free(a.body);
        raw_close(r);
        free(r);
        http_server_free(server);
        assert_int_equal(access(address.sun_path, F_OK), -1);
        int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (i == 0)
            assert_int_equal(bind(left, (struct sockaddr *)&address, sizeof(address)), 0);
        (void)close(left);
    }
    (void)rmdir(folder);
}

static void test_handed_over(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct raw_answer a;

    (void)state;
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 5), 0);
    struct http_server *server = START(.fd = fd);
    assert_int_equal(ask(server, "GET / " H "\r\n", &a), 200);
    free(a.body);
    http_server_free(server);
}

static void test_too_many(void **state)
{
    struct http_server *server = START(.connections_max = 4);
    struct raw *r = xcalloc(7, sizeof(*r));
    struct raw_answer a;

    (void)state;
    for (int i = 0; i < 6; i++) {
        raw_open(&r[i], http_server_port(server));
        assert_true(raw_send(&r[i], "GET / " H "\r\n"));
        raw_read(&r[i], &a, false);
        assert_int_equal(a.status, i < 4 ? 200 : 503);
        assert_int_equal(strcasestr(a.head, "\r\nRetry-After: 1\r\n") != NULL, i >= 4);
        free(a.body);
        if (i >= 4)
            assert_true(raw_ended(&r[i]));
    }
    for (int i = 0; i < 6; i++)
        raw_close(&r[i]);
    /* When there is room again all is well. */
    for (int tries = 0;; tries++) {
        int status = ask(server, "GET / " H "\r\n", &a);
        free(a.body);
        if (status == 200)
            break;
        assert_true(tries < 100);
        (void)usleep(20000);
    }
    free(r);
    http_server_free(server);
}

static void test_too_many_of_one(void **state)
{
    struct http_server *server = START(.connections_per_address = 2);
    struct raw *r = xcalloc(3, sizeof(*r));
    struct raw_answer a;

    (void)state;
    for (int i = 0; i < 3; i++) {
        raw_open(&r[i], http_server_port(server));
        (void)raw_send(&r[i], "GET / " H "\r\n");
        raw_read(&r[i], &a, false);
        assert_int_equal(a.status, i < 2 ? 200 : 0);
        free(a.body);
    }
    for (int i = 0; i < 3; i++)
        raw_close(&r[i]);
    free(r);
    http_server_free(server);
}

/* Less than a kilobyte a second is no upload. */
static void test_trickle(void **state)
{
    struct http_server *server = START(.stall_timeout = CLOCK_SECOND);
    struct raw *r = xcalloc(1, sizeof(*r));
    unsigned before = seen.count;
    int64_t began = clock_monotonic();

    (void)state;
    seen.body_error = ERR_NONE;
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "PUT /echo " H "Content-Length: 100000\r\n\r\n"));
    for (int i = 0; i < 100 && raw_send(r, "x"); i++)
        (void)usleep(100000);
    wait_finished(before + 1);
    assert_true(seen.body_error == ERR_TIMEOUT || seen.body_error == ERR_CANCELLED);
    assert_true(clock_monotonic() - began < 5 * CLOCK_SECOND);
    raw_close(r);
    free(r);
    http_server_free(server);
}

static void test_slow_clients(void **state)
{
    struct http_server *server = START(.head_timeout = CLOCK_SECOND, .idle_timeout = CLOCK_SECOND,
                                       .stall_timeout = CLOCK_SECOND);
    struct raw *r = xcalloc(1, sizeof(*r));
    struct raw_answer a;
    int64_t began = clock_monotonic();
    unsigned before = seen.count;

    (void)state;
    /* A byte now and then does not hold a connection. */
    raw_open(r, http_server_port(server));
    for (int i = 0; i < 100 && raw_send(r, i ? "x" : "GET /"); i++)
        (void)usleep(100000);
    assert_true(raw_ended(r));
    assert_true(clock_monotonic() - began < 5 * CLOCK_SECOND);
    raw_close(r);
    /* A handler may take longer than a client. */
    assert_int_equal(ask(server, "GET /sleep/2500 " H "\r\n", &a), 200);
    free(a.body);
    wait_finished(before + 1);
    assert_int_equal(seen.stop_error, ERR_NONE);
    assert_true(seen.last.complete);
    assert_true(seen.last.duration >= 2500 * CLOCK_MILLISECOND);
    /* A body that stalls. */
    seen.body_error = ERR_NONE;
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "PUT /echo " H "Content-Length: 100000\r\n\r\nabc"));
    wait_finished(before + 2);
    assert_true(seen.body_error == ERR_TIMEOUT || seen.body_error == ERR_CANCELLED);
    assert_int_equal(seen.last.status, 0);
    assert_true(raw_ended(r));
    raw_close(r);
    /* A client that does not take its answer. */
    raw_open(r, http_server_port(server));
    assert_true(raw_send(r, "GET /stream/100000000/999999999 " H "\r\n"));
    wait_finished(before + 3);
    assert_int_equal(seen.last.status, 200);
    assert_false(seen.last.complete);
    assert_true(seen.last.bytes_out < 100000000);
    raw_close(r);
    free(r);
    http_server_free(server);
}

static void test_client_gone(void **state)
{
    static const char *const requests[] = {
        "GET /sleep/20000 " H "\r\n",
        "PUT /sleep/20000 " H "Content-Length: 100000\r\n\r\nabc",
        "GET /stream/1000000000/2000000000 " H "\r\n",
    };
    struct http_server *server = START(0);
    struct raw *r = xcalloc(1, sizeof(*r));

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
        unsigned before = seen.count;
        int64_t began = clock_monotonic();
        seen.stop_error = ERR_NONE;
        raw_open(r, http_server_port(server));
        assert_true(raw_send(r, requests[i]));
        (void)usleep(300000);
        raw_close(r);
        wait_finished(before + 1);
        assert_true(clock_monotonic() - began < 5 * CLOCK_SECOND);
        assert_false(seen.last.complete && i == 2);
        if (i < 2)
            assert_int_equal(seen.stop_error, ERR_CANCELLED);
    }
    free(r);
    http_server_free(server);
}

static void *drain(void *argument)
{
    http_server_drain(argument, clock_monotonic() + 3 * CLOCK_SECOND);
    return NULL;
}

/* What is in flight ends well, what is idle ends at once, nothing new begins. */
static void test_drain(void **state)
{
    struct http_server *server = START(0);
    int port = http_server_port(server);
    struct raw *r = xcalloc(3, sizeof(*r));
    struct raw_answer a;
    pthread_t thread;
    int64_t began;

    (void)state;
    raw_open(&r[0], port);
    assert_true(raw_send(&r[0], "GET / " H "\r\n"));
    raw_read(&r[0], &a, false);
    free(a.body);
    raw_open(&r[1], port);
    assert_true(raw_send(&r[1], "GET /sleep/1500 " H "\r\n"));
    (void)usleep(200000);
    began = clock_monotonic();
    assert_int_equal(pthread_create(&thread, NULL, drain, server), 0);
    assert_true(raw_ended(&r[0]));
    assert_true(clock_monotonic() - began < CLOCK_SECOND);
    raw_read(&r[1], &a, false);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "slept\n");
    assert_non_null(strcasestr(a.head, "\r\nConnection: close\r\n"));
    free(a.body);
    assert_true(raw_ended(&r[1]));
    (void)pthread_join(thread, NULL);
    assert_true(clock_monotonic() - began < 3 * CLOCK_SECOND);
    r[2].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(r[2].fd, (struct sockaddr *)&address, sizeof(address)), -1);
    http_server_free(server);
    for (int i = 0; i < 3; i++)
        raw_close(&r[i]);
    free(r);
}

/* Who is not done by the deadline is told to stop; so is everybody at an abrupt end. */
static void test_end_in_flight(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct http_server *server = START(0);
        struct raw *r = xcalloc(1, sizeof(*r));
        int64_t began = clock_monotonic();
        seen.stop_error = ERR_NONE;
        raw_open(r, http_server_port(server));
        assert_true(raw_send(r, i < 2 ? "GET /sleep/20000 " H "\r\n"
                                      : "PUT /sleep/20000 " H "Content-Length: 100000\r\n\r\nx"));
        (void)usleep(200000);
        if (i % 2)
            http_server_drain(server, clock_monotonic() + CLOCK_SECOND / 2);
        http_server_free(server);
        assert_int_equal(seen.stop_error, ERR_CANCELLED);
        assert_true(clock_monotonic() - began < 10 * CLOCK_SECOND);
        raw_close(r);
        free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_bind),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_handed_over),
        cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_too_many_of_one),
        cmocka_unit_test(test_trickle),
        cmocka_unit_test(test_slow_clients),
        cmocka_unit_test(test_client_gone),
        cmocka_unit_test(test_drain),
        cmocka_unit_test(test_end_in_flight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
