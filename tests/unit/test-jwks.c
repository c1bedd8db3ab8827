// SPDX-License-Identifier: EUPL-1.2
/* An issuer's keys: discovered, kept, fetched again, and what an issuer does wrong.  The issuer is
 * a server in the test. */
#include "unit.h"

#include "auth/jwks.h"
#include "jwt-keys.h"
#include "server.h"
#include "util/thread.h"

struct issuer {
    struct server server;
    pthread_mutex_t lock;
    char url[64];
    char *discovery; /* guarded by lock; NULL: the right one */
    char *keys;      /* guarded by lock */
    int status;      /* guarded by lock; 0: 200 */
    int delay;       /* guarded by lock: milliseconds */
    atomic_int discoveries, fetches;
    EVP_PKEY *key;
};

static void serve(struct server *s, int connection)
{
    struct issuer *i = (struct issuer *)(uintptr_t)s->argument;
    char *body;

    if (!server_read(s, connection))
        return;
    bool discovery = strncmp(s->request, "GET /realm/.well-known/openid-configuration ", 44) == 0;
    atomic_fetch_add(discovery ? &i->discoveries : &i->fetches, 1);
    (void)pthread_mutex_lock(&i->lock);
    int delay = i->delay, status = i->status;
    body = !discovery ? xstrdup(i->keys)
           : i->discovery
               ? xstrdup(i->discovery)
               : xasprintf("{\"issuer\":\"%s\",\"jwks_uri\":\"%s/keys\"}", i->url, i->url);
    (void)pthread_mutex_unlock(&i->lock);
    if (delay)
        (void)usleep((useconds_t)delay * 1000);
    auto_free char *text = xasprintf("HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: "
                                     "close\r\n\r\n%s",
                                     status ? status : 200, strlen(body), body);
    server_send(connection, text);
    free(body);
}

static void set_keys(struct issuer *i, const char *id)
{
    struct buf set = BUF_INIT(65536);

    buf_text(&set, "{\"keys\":[");
    add_jwk(&set, i->key, id, NULL);
    buf_text(&set, "]}");
    (void)pthread_mutex_lock(&i->lock);
    free(i->keys);
    i->keys = buf_take(&set);
    (void)pthread_mutex_unlock(&i->lock);
}

static struct http_client *client;

static int setup(void **state)
{
    struct issuer *i = xcalloc(1, sizeof(*i));
    struct err e = {0};

    (void)pthread_mutex_init(&i->lock, NULL);
    i->key = make_key("EdDSA");
    set_keys(i, "k1");
    server_start(&i->server, serve, i);
    (void)snprintf(i->url, sizeof(i->url), "http://127.0.0.1:%d/realm", i->server.port);
    if (!client)
        assert_ok(http_client_new(NULL, &client, &e), &e);
    *state = i;
    return 0;
}

static int teardown(void **state)
{
    struct issuer *i = *state;

    server_stop(&i->server);
    EVP_PKEY_free(i->key);
    free(i->keys);
    free(i->discovery);
    free(i);
    return 0;
}

static struct jwks *make(struct issuer *i, int64_t fresh, int64_t life, int64_t retry)
{
    struct jwks_options o = {.issuer = i->url,
                             .client = client,
                             .fresh = fresh * CLOCK_MILLISECOND,
                             .life = life * CLOCK_MILLISECOND,
                             .retry_after = retry * CLOCK_MILLISECOND,
                             .timeout = 2 * CLOCK_SECOND};
    struct jwks *j = NULL;
    struct err e = {0};

    assert_ok(jwks_new(&o, &j, &e), &e);
    return j;
}

static enum err_code verify(struct issuer *i, struct jwks *j, const char *id, char *says)
{
    auto_jwt struct jwt token = JWT_INIT;
    struct call call = CALL_INIT;
    auto_free char *header = xasprintf("{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", id);
    auto_free char *payload = xasprintf("{\"iss\":\"%s\"}", i->url);
    auto_free char *text = make_token(i->key, "EdDSA", header, payload);

    assert_ok(jwt_parse(text, &token, &call.err), &call.err);
    int result = jwks_verify(j, &token, &call);
    assert_int_equal(result, call.err.code && result ? -1 : 0);
    if (says)
        (void)snprintf(says, 1000, "%s", call.err.text);
    return result ? call.err.code : ERR_NONE;
}

static void test_once(void **state)
{
    struct issuer *i = *state;
    struct jwks *j = make(i, 0, 0, 0);

    for (int n = 0; n < 5; n++)
        assert_int_equal(verify(i, j, "k1", NULL), ERR_NONE);
    assert_int_equal(atomic_load(&i->discoveries), 1);
    assert_int_equal(atomic_load(&i->fetches), 1);
    jwks_free(j);
}

/* A new key is found at once, but unknown ids do not make a flood. */
static void test_rotation(void **state)
{
    struct issuer *i = *state;
    struct jwks *j = make(i, 0, 0, 150);

    assert_int_equal(verify(i, j, "k1", NULL), ERR_NONE);
    for (int n = 0; n < 20; n++)
        assert_int_equal(verify(i, j, "k2", NULL), ERR_UNKNOWN_WHO);
    assert_int_equal(atomic_load(&i->fetches), 1);
    set_keys(i, "k2");
    (void)usleep(200000);
    assert_int_equal(verify(i, j, "k2", NULL), ERR_NONE);
    assert_int_equal(atomic_load(&i->fetches), 2);
    assert_int_equal(verify(i, j, "k1", NULL), ERR_UNKNOWN_WHO); /* withdrawn */
    jwks_free(j);
}

/* Keys that grew old are asked for again; those of an issuer that does not answer serve on for a
 * while, and no longer. */
static void test_age(void **state)
{
    struct issuer *i = *state;
    struct jwks *j = make(i, 50, 500, 1);
    char says[1000];

    assert_int_equal(verify(i, j, "k1", NULL), ERR_NONE);
    (void)usleep(60000);
    assert_int_equal(verify(i, j, "k1", NULL), ERR_NONE);
    assert_int_equal(atomic_load(&i->fetches), 2);
    (void)pthread_mutex_lock(&i->lock);
    i->status = 503;
    (void)pthread_mutex_unlock(&i->lock);
    (void)usleep(60000);
    assert_int_equal(verify(i, j, "k1", NULL), ERR_NONE);
    (void)usleep(600000);
    assert_int_equal(verify(i, j, "k1", says), ERR_BUSY);
    assert_non_null(strstr(says, "answers with status 503"));
    (void)pthread_mutex_lock(&i->lock);
    i->status = 0;
    (void)pthread_mutex_unlock(&i->lock);
    (void)usleep(2000);
    assert_int_equal(verify(i, j, "k1", NULL), ERR_NONE);
    jwks_free(j);
}

static void expect_refused(struct issuer *i, char *discovery, char *keys, const char *text)
{
    struct jwks *j = make(i, 0, 0, 0);
    char says[1000];

    (void)pthread_mutex_lock(&i->lock);
    free(i->discovery);
    i->discovery = discovery;
    if (keys) {
        free(i->keys);
        i->keys = keys;
    }
    (void)pthread_mutex_unlock(&i->lock);
    assert_int_equal(verify(i, j, "k1", says), ERR_BUSY);
    if (!strstr(says, text))
        fail_msg("'%s' is not in '%s'", text, says);
    jwks_free(j);
}

static void test_wrong_answers(void **state)
{
    struct issuer *i = *state;

    expect_refused(i, xstrdup("{\"issuer\":\"https://evil\",\"jwks_uri\":\"https://evil\"}"), NULL,
                   "calls itself 'https://evil'");
    expect_refused(i, xstrdup("{"), NULL, "discovery: JSON");
    expect_refused(i, xasprintf("{\"issuer\":\"%s\"}", i->url), NULL, "no jwks_uri");
    expect_refused(i, xasprintf("{\"issuer\":\"%s\",\"jwks_uri\":\"http://192.0.2.1/\"}", i->url),
                   NULL, "is not https");
    expect_refused(i, xasprintf("{\"issuer\":\"%s\",\"jwks_uri\":\"file:///etc\"}", i->url), NULL,
                   "jwks_uri");
    expect_refused(i, NULL, xstrdup("{\"keys\":[]}"), "no key in it can be used");
    char *large = xmalloc(JWT_KEYS_MAX + 10);
    memset(large, ' ', JWT_KEYS_MAX + 9);
    large[JWT_KEYS_MAX + 9] = 0;
    expect_refused(i, NULL, large, "key set");
}

static void test_addresses(void **state)
{
    struct issuer *i = *state;
    static const char *const bad[] = {"http://login.example.eu",
                                      "http://127.0.0.1.example.eu",
                                      "ftp://localhost",
                                      "login.example.eu",
                                      "",
                                      "https://user:password@login.example.eu",
                                      NULL};

    (void)i;
    for (size_t n = 0; n < ARRAY_SIZE(bad); n++) {
        struct jwks_options o = {.issuer = bad[n], .client = client};
        struct jwks *j = NULL;
        struct err e = {0};
        assert_int_equal(jwks_new(&o, &j, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        assert_null(strstr(e.text, "password@"));
    }
}

/* Another issuer's token is not even tried. */
static void test_other_issuer(void **state)
{
    struct issuer *i = *state;
    struct jwks *j = make(i, 0, 0, 0);
    auto_jwt struct jwt token = JWT_INIT;
    struct call call = CALL_INIT;
    auto_free char *text =
        make_token(i->key, "EdDSA", "{\"alg\":\"EdDSA\"}", "{\"iss\":\"https://other\"}");

    assert_ok(jwt_parse(text, &token, &call.err), &call.err);
    assert_int_equal(jwks_verify(j, &token, &call), -1);
    assert_int_equal(call.err.code, ERR_UNKNOWN_WHO);
    assert_int_equal(atomic_load(&i->discoveries), 0);
    jwks_free(j);
}

struct many {
    struct issuer *issuer;
    struct jwks *j;
};

static int verify_often(void *argument, struct call *call)
{
    struct many *m = argument;

    for (int n = 0; n < 20; n++)
        if (verify(m->issuer, m->j, "k1", NULL) != ERR_NONE)
            return err_set(&call->err, ERR_INTERNAL, "not verified");
    return 0;
}

/* Many at once wait for one fetch. */
static void test_threads(void **state)
{
    struct issuer *i = *state;
    struct many m = {i, make(i, 0, 0, 0)};
    struct call call = CALL_INIT;
    struct group g;

    i->delay = 50;
    group_init(&g, &call);
    for (int n = 0; n < 8; n++)
        assert_ok(group_run(&g, verify_often, &m), &call.err);
    assert_ok(group_wait(&g), &call.err);
    assert_int_equal(atomic_load(&i->fetches), 1);
    jwks_free(m.j);
}

/* An issuer that hangs costs a fetch's time and is then left in peace. */
static void test_silence(void **state)
{
    struct issuer *i = *state;
    struct jwks_options o = {
        .issuer = i->url, .client = client, .timeout = 200 * CLOCK_MILLISECOND};
    struct jwks *j = NULL;
    struct err e = {0};

    i->delay = 1000;
    assert_ok(jwks_new(&o, &j, &e), &e);
    int64_t began = clock_monotonic();
    for (int n = 0; n < 10; n++)
        assert_int_equal(verify(i, j, "k1", NULL), ERR_BUSY);
    assert_true(clock_monotonic() - began < 900 * CLOCK_MILLISECOND);
    jwks_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_age, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_addresses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_issuer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silence, setup, teardown),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    http_client_free(client);
    return failed;
}
