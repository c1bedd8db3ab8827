// SPDX-License-Identifier: EUPL-1.2
/* Tokens of Keystone and tempauth, asked of a server in the test. */
#include "unit.h"

#include "auth/keystone.h"
#include "codec/date.h"
#include "codec/json.h"
#include "server.h"
#include "util/clock.h"
#include "util/common.h"

#define SECRET "s3cr3t \"quoted\" \xc3\xa9"

/* What the server does and saw. */
struct script {
    int refuse;  /* status; 0: none */
    int life;    /* seconds a token is good for */
    bool junk;   /* an answer that is no JSON */
    bool nobody; /* no catalogue */
    char body[4096];
};

static void answer_v3(struct server *s, int connection, struct script *script, int number)
{
    char ends[DATE_TEXT];

    date_iso8601(ends, sizeof(ends), clock_wall() + script->life * CLOCK_SECOND, 6);
    auto_free char *catalogue = xasprintf(
        "[{\"type\":\"identity\",\"endpoints\":[{\"interface\":\"public\",\"region_id\":\"GRA\","
        "\"url\":\"http://wrong\"}]},{\"type\":\"object-store\",\"endpoints\":["
        "{\"interface\":\"admin\",\"region_id\":\"GRA\",\"url\":\"http://admin\"},"
        "{\"interface\":\"public\",\"region_id\":\"SBG\",\"url\":\"http://sbg/v1/AUTH_p\"},"
        "{\"interface\":\"public\",\"region_id\":\"GRA\",\"url\":\"http://gra/v1/AUTH_p/\"}]}]");
    auto_free char *body = script->junk
                               ? xstrdup("<html>")
                               : xasprintf("{\"token\":{\"expires_at\":\"%s\",\"catalog\":%s}}",
                                           ends, script->nobody ? "[]" : catalogue);
    auto_free char *text =
        xasprintf("HTTP/1.1 201 Created\r\nX-Subject-Token: token-%d\r\nContent-Length: %zu\r\n"
                  "Connection: close\r\n\r\n%s",
                  number, strlen(body), body);

    (void)s;
    server_send(connection, text);
}

static void answer_tempauth(struct server *s, int connection, int number)
{
    auto_free char *text = xasprintf("HTTP/1.1 200 OK\r\nX-Auth-Token: tk-%d\r\nX-Storage-Url: "
                                     "http://127.0.0.1:%d/v1/AUTH_a/\r\nX-Auth-Token-Expires: "
                                     "3600\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                                     number, s->port);

    server_send(connection, text);
}

static void serve(struct server *s, int connection)
{
    struct script *script = (struct script *)(uintptr_t)s->argument;
    char refusal[200];

    if (!server_read(s, connection))
        return;
    size_t n = server_body(connection, script->body, server_length(s) % sizeof(script->body));
    script->body[n] = 0;
    if (script->refuse) {
        (void)snprintf(refusal, sizeof(refusal),
                       "HTTP/1.1 %d No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                       script->refuse);
        server_send(connection, refusal);
    } else if (strncmp(s->request, "GET /auth/v1.0 ", 15) == 0) {
        answer_tempauth(s, connection, atomic_load(&s->requests));
    } else if (strncmp(s->request, "POST /v3/auth/tokens ", 21) == 0) {
        answer_v3(s, connection, script, atomic_load(&s->requests));
    } else {
        server_send(connection, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n");
    }
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
    (void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/v3/", f->server.port);
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

static struct keystone_options password_of(const struct fixture *f, const char *region)
{
    return (struct keystone_options){
        .auth_url = f->url,
        .user = "anna",
        .password = &f->secret,
        .project = "p",
        .region = region,
    };
}

static struct keystone *begin(struct fixture *f, const struct keystone_options *options)
{
    struct keystone *k = NULL;

    assert_ok(keystone_new(options, f->client, &k, &f->call.err), &f->call.err);
    return k;
}

static void expect(struct fixture *f, struct keystone *k, const char *token, const char *url)
{
    auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;

    assert_ok(keystone_access(k, &access, &f->call), &f->call.err);
    assert_string_equal(access.token, token);
    if (url)
        assert_string_equal(access.storage_url, url);
}

static void refused(struct fixture *f, struct keystone *k, enum err_code reason, const char *words)
{
    auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;

    assert_int_equal(keystone_access(k, &access, &f->call), -1);
    assert_int_equal(f->call.err.code, reason);
    if (!strstr(f->call.err.text, words))
        fail_msg("'%s' does not say '%s'", f->call.err.text, words);
    assert_null(strstr(f->call.err.text, "s3cr3t"));
    assert_null(access.token);
    err_clear(&f->call.err);
}

static void password(void **state)
{
    struct fixture *f = *state;
    struct keystone_options options = password_of(f, "gra");
    struct keystone *k = begin(f, &options);
    auto_json json_t *json = NULL;
    struct err e = {0};

    expect(f, k, "token-1", "http://gra/v1/AUTH_p");
    expect(f, k, "token-1", "http://gra/v1/AUTH_p");
    assert_int_equal(atomic_load(&f->server.requests), 1);
    assert_ok(json_parse(f->script.body, strlen(f->script.body), &json, &e), &e);
    const json_t *auth = json_object_get(json, "auth");
    const json_t *user =
        json_object_get(json_object_get(json_object_get(auth, "identity"), "password"), "user");
    assert_string_equal(json_text(user, "name"), "anna");
    assert_string_equal(json_text(user, "password"), SECRET);
    assert_string_equal(json_text(json_object_get(user, "domain"), "name"), "Default");
    assert_string_equal(
        json_text(json_object_get(json_object_get(auth, "scope"), "project"), "name"), "p");
    keystone_free(k);
}

static void application_credential(void **state)
{
    struct fixture *f = *state;
    struct keystone_options options = {.auth_url = f->url,
                                       .application_credential_id = "id-1",
                                       .application_credential_secret = &f->secret};
    struct keystone *k = begin(f, &options);

    expect(f, k, "token-1", "http://sbg/v1/AUTH_p"); /* no region: the first */
    assert_non_null(strstr(f->script.body, "\"application_credential\""));
    assert_non_null(strstr(f->script.body, "\"id-1\""));
    assert_null(strstr(f->script.body, "\"scope\""));
    f->script.refuse = 401;
    auto_keystone_access struct keystone_access access = KEYSTONE_ACCESS_INIT;
    assert_ok(keystone_access(k, &access, &f->call), &f->call.err);
    keystone_refused(k, &access);
    refused(f, k, ERR_UNKNOWN_WHO, "application credential");
    keystone_free(k);
}

static void renewal(void **state)
{
    struct fixture *f = *state;
    struct keystone_options options = password_of(f, "GRA");
    struct keystone *k = begin(f, &options);
    auto_keystone_access struct keystone_access old = KEYSTONE_ACCESS_INIT;

    f->script.life = 2; /* renewed when a quarter is left */
    assert_ok(keystone_access(k, &old, &f->call), &f->call.err);
    expect(f, k, "token-1", NULL);
    assert_ok(call_sleep(&f->call, CLOCK_SECOND * 17 / 10), &f->call.err);
    f->script.life = 3600;
    expect(f, k, "token-2", NULL);
    /* The old one being refused says nothing of the new one. */
    keystone_refused(k, &old);
    expect(f, k, "token-2", NULL);
    auto_keystone_access struct keystone_access now = KEYSTONE_ACCESS_INIT;
    assert_ok(keystone_access(k, &now, &f->call), &f->call.err);
    keystone_refused(k, &now);
    expect(f, k, "token-3", NULL);
    keystone_free(k);
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    struct keystone_options options = password_of(f, NULL);
    struct keystone *k = begin(f, &options);

    f->script.refuse = 401;
    refused(f, k, ERR_UNKNOWN_WHO, "refuses the user or password");
    f->script.refuse = 503;
    refused(f, k, ERR_BUSY, "503");
    f->script.refuse = 500;
    refused(f, k, ERR_REMOTE, "500");
    f->script.refuse = 404;
    refused(f, k, ERR_INVALID, "is it a Keystone v3 address?");
    f->script.refuse = 0;
    f->script.junk = true;
    refused(f, k, ERR_REMOTE, "the token answer of");
    f->script.junk = false;
    f->script.nobody = true;
    refused(f, k, ERR_NOT_FOUND, "no object store");
    f->script.nobody = false;
    expect(f, k, "token-7", NULL);
    keystone_free(k);
}

static void unknown_region(void **state)
{
    struct fixture *f = *state;
    struct keystone_options options = password_of(f, "WAW");
    struct keystone *k = begin(f, &options);

    refused(f, k, ERR_NOT_FOUND, "no object store in region 'WAW': there are SBG, GRA");
    keystone_free(k);
}

static void tempauth(void **state)
{
    struct fixture *f = *state;
    auto_free char *url = xasprintf("http://127.0.0.1:%d/auth/v1.0", f->server.port);
    auto_free char *storage = xasprintf("http://127.0.0.1:%d/v1/AUTH_a", f->server.port);
    auto_secret struct secret key = SECRET_INIT;
    struct keystone_options options = {
        .auth_url = url, .tempauth = true, .user = "test:tester", .password = &key};

    secret_from_text(&key, "testing");
    struct keystone *k = begin(f, &options);
    expect(f, k, "tk-1", storage);
    assert_non_null(strstr(f->server.request, "X-Auth-User: test:tester\r\n"));
    assert_non_null(strstr(f->server.request, "X-Auth-Key: testing\r\n"));
    expect(f, k, "tk-1", storage);
    keystone_free(k);
}

static void missing_options(void **state)
{
    struct fixture *f = *state;
    struct keystone *k = NULL;
    const struct {
        struct keystone_options options;
        const char *word;
    } cases[] = {
        {{.user = "u", .password = &f->secret, .project = "p"}, "auth_url"},
        {{.auth_url = "http://h", .password = &f->secret, .project = "p"}, "user"},
        {{.auth_url = "http://h", .user = "u", .project = "p"}, "password"},
        {{.auth_url = "http://h", .user = "u", .password = &f->secret}, "project"},
        {{.auth_url = "http://h", .application_credential_id = "i"},
         "application_credential_secret"},
        {{.auth_url = "http://h",
          .application_credential_name = "n",
          .application_credential_secret = &f->secret},
         "user"},
        {{.auth_url = "http://h", .tempauth = true, .user = "u"}, "password"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(keystone_new(&cases[i].options, f->client, &k, &f->call.err), -1);
        assert_int_equal(f->call.err.code, ERR_INVALID);
        assert_non_null(strstr(f->call.err.text, cases[i].word));
    }
    assert_null(k);
}

#define with_server(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_server(password),        with_server(application_credential), with_server(renewal),
        with_server(refusals),        with_server(unknown_region),         with_server(tempauth),
        with_server(missing_options),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
