// SPDX-License-Identifier: EUPL-1.2
/* The Azure door behind the HTTP server: what only shows on a connection. */
#include "auth/sas.h"
#include "azblob-bed.h"
#include "http/server.h"
#include "raw.h"

#define BODY_SIZE ((size_t)300 * 1024)

struct scene {
    struct azblob_bed *bed;
    struct http_server *server;
    struct raw *client;
    struct raw_answer answer;
    char *sas;
};

/* A signature for the container. */
static char *signature(const char *permissions)
{
    auto_secret struct secret key = SECRET_INIT;
    auto_buf struct buf query = BUF_INIT(SAS_TEXT_MAX);
    struct sas_resource resource = {"acct", "photos", NULL};
    struct sas_wish wish = {.permissions = permissions,
                            .starts = TIME_UNKNOWN,
                            .expires = clock_wall() + 3600 * CLOCK_SECOND};
    struct err e = {.code = ERR_NONE};

    assert_ok(secret_from_base64(&key, AZBLOB_KEY1, &e), &e);
    assert_ok(sas_create(&wish, &resource, &key, &query, &e), &e);
    return buf_take(&query);
}

static int set_up(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    struct azblob_bed *b;
    void *bed = NULL;
    struct err e = {.code = ERR_NONE};

    (void)azblob_bed_set_up(&bed);
    s->bed = b = bed;
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container", NULL, ""), 201);
    struct http_server_options options = {.listen = "127.0.0.1:0",
                                          .begin = azblob_begin,
                                          .handle = azblob_handle,
                                          .finished = azblob_finished,
                                          .argument = b->door};
    assert_ok(http_server_start(&options, &s->server, &e), &e);
    s->client = xcalloc(1, sizeof(*s->client));
    raw_open(s->client, http_server_port(s->server));
    s->sas = signature("rcwdl");
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    void *bed = s->bed;

    raw_close(s->client);
    http_server_free(s->server);
    free(s->client);
    free(s->answer.body);
    free(s->sas);
    free(s);
    return azblob_bed_tear_down(&bed);
}

static int ask(struct scene *s, const char *method, const char *name, const char *sas,
               const char *headers)
{
    auto_free char *text =
        xasprintf("%s /acct/photos/%s?%s HTTP/1.1\r\nHost: 127.0.0.1:10000\r\n%s\r\n", method, name,
                  sas, headers);

    free(s->answer.body);
    assert_true(raw_send(s->client, text));
    raw_read(s->client, &s->answer, strcmp(method, "HEAD") == 0);
    return s->answer.status;
}

static const char *header(struct scene *s, const char *name)
{
    static char value[1000];

    return raw_header(&s->answer, name, value, sizeof(value));
}

static void send_body(struct scene *s)
{
    auto_free char *bytes = xmalloc(BODY_SIZE);

    memset(bytes, 'x', BODY_SIZE);
    assert_true(raw_send_n(s->client, bytes, BODY_SIZE));
}

#define UPLOAD "x-ms-blob-type: BlockBlob\r\nContent-Length: 307200\r\n"

static void uploads_and_downloads(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, "PUT", "a", s->sas, UPLOAD "Expect: 100-continue\r\n"), 100);
    send_body(s);
    free(s->answer.body);
    raw_read(s->client, &s->answer, false);
    assert_int_equal(s->answer.status, 201);
    assert_string_equal(header(s, "Content-Length"), "0");
    assert_null(header(s, "Transfer-Encoding"));
    assert_non_null(header(s, "Date"));
    assert_non_null(header(s, "Server"));
    assert_int_equal(ask(s, "GET", "a", s->sas, "x-ms-range: bytes=10-19\r\n"), 206);
    assert_string_equal(s->answer.body, "xxxxxxxxxx");
    assert_string_equal(header(s, "Content-Range"), "bytes 10-19/307200");
    assert_int_equal(ask(s, "HEAD", "a", s->sas, ""), 200);
    assert_string_equal(header(s, "Content-Length"), "307200");
    assert_int_equal(ask(s, "GET", "a", s->sas, "Range: bytes=307200-\r\n"), 416);
    assert_string_equal(header(s, "Content-Range"), "bytes */307200");
    assert_int_equal(ask(s, "GET", "a", s->sas, "If-None-Match: *\r\n"), 304);
    assert_int_equal(ask(s, "GET", "a", s->sas, ""), 200);
    assert_int_equal(s->answer.length, BODY_SIZE);
    assert_true(s->answer.whole);
}

/* The refusal comes before the body does. */
static void refuses_before_the_body(void **state)
{
    struct scene *s = *state;
    auto_free char *reads = signature("r");

    assert_int_equal(ask(s, "PUT", "a", reads, UPLOAD "Expect: 100-continue\r\n"), 403);
    assert_string_equal(header(s, "x-ms-error-code"), "AuthorizationPermissionMismatch");
    /* Recorded when the exchange is over, on the server's thread: let that end. */
    http_server_free(take(s->server));
    assert_true(s->bed->refused);
    assert_string_equal(s->bed->operation, "PutBlob");
}

static void wants_a_length(void **state)
{
    struct scene *s = *state;

    assert_int_equal(
        ask(s, "PUT", "a", s->sas, "x-ms-blob-type: BlockBlob\r\nTransfer-Encoding: chunked\r\n"),
        411);
    assert_string_equal(header(s, "x-ms-error-code"), "MissingContentLengthHeader");
}

/* A client that goes away in the middle leaves nothing, and harms nobody else. */
static void survives_cut_uploads(void **state)
{
    struct scene *s = *state;

    assert_int_equal(ask(s, "PUT", "a", s->sas, UPLOAD "Expect: 100-continue\r\n"), 100);
    assert_true(raw_send(s->client, "only this"));
    raw_close(s->client);
    raw_open(s->client, http_server_port(s->server));
    assert_int_equal(ask(s, "HEAD", "a", s->sas, ""), 404);
    assert_null(header(s, "Content-Type"));
    assert_string_equal(header(s, "x-ms-error-code"), "BlobNotFound");
}

static void lists_in_chunks(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 300; i++) {
        auto_free char *name = xasprintf("blob-%03d", i);
        assert_int_equal(
            ask(s, "PUT", name, s->sas, "x-ms-blob-type: BlockBlob\r\nContent-Length: 0\r\n"), 201);
    }
    auto_free char *query = xasprintf("restype=container&comp=list&%s", s->sas);
    /* The container itself: its path ends with a slash. */
    assert_int_equal(ask(s, "GET", "", query, ""), 200);
    assert_true(s->answer.whole);
    assert_non_null(strstr(s->answer.body, "<Name>blob-000</Name>"));
    assert_non_null(strstr(s->answer.body, "<Name>blob-299</Name>"));
    assert_non_null(strstr(s->answer.body, "</EnumerationResults>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(uploads_and_downloads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_before_the_body, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wants_a_length, set_up, tear_down),
        cmocka_unit_test_setup_teardown(survives_cut_uploads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_in_chunks, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
