// SPDX-License-Identifier: EUPL-1.2
/* Batches: the multipart reader, and parts that are requests of their own. */
#include "azblob-bed.h"
#include "door/azblob/azblob_multipart.h"

static void finds_the_boundary(void **state)
{
    static const struct {
        const char *type, *boundary;
    } cases[] = {
        {"multipart/mixed; boundary=batch_1", "batch_1"},
        {"multipart/mixed;boundary=\"a b=c\"; x=y", "a b=c"},
        {"Multipart/Mixed; charset=x; Boundary=a==; y", "a=="},
        {"multipart/mixed", NULL},
        {"multipart/mixed; boundary=", NULL},
        {"text/plain; boundary=x", NULL},
        {NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        auto_free char *boundary = multipart_boundary(cases[i].type);
        if (cases[i].boundary)
            assert_string_equal(boundary, cases[i].boundary);
        else
            assert_null(boundary);
    }
}

#define PART "Content-Type: application/http\r\n"

static void reads_parts(void **state)
{
    static const char body[] =
        "preamble\r\n--b\r\n" PART "Content-ID: 7\r\n\r\nDELETE /c/a%2Fb?x=1 HTTP/1.1\r\n"
        "x-ms-date: Sun, 22 Nov 2026 10:00:00 GMT\r\nEmpty:\r\n\r\n--b\r\n" PART
        "\r\n\r\nPUT https://host/c HTTP/1.1\r\n\r\n--b--\r\nepilogue";
    auto_multipart struct multipart m = {0};
    struct err e = {.code = ERR_NONE};

    (void)state;
    assert_ok(multipart_parse(body, strlen(body), "b", &m, &e), &e);
    assert_int_equal(m.count, 2);
    assert_string_equal(m.list[0].content_id, "7");
    assert_string_equal(m.list[0].method, "DELETE");
    assert_string_equal(m.list[0].path, "/c/a%2Fb");
    assert_string_equal(m.list[0].query, "x=1");
    assert_string_equal(pairs_get_nocase(&m.list[0].headers, "X-MS-Date"),
                        "Sun, 22 Nov 2026 10:00:00 GMT");
    assert_string_equal(pairs_get(&m.list[0].headers, "Empty"), "");
    assert_string_equal(m.list[1].path, "/c");
    assert_null(m.list[1].query);
    assert_null(m.list[1].content_id);
}

static void refuses_what_is_no_batch(void **state)
{
    static const char *const bodies[] = {
        "",
        "--b\r\n" PART "\r\nDELETE /a HTTP/1.1\r\n\r\n",
        "--b\r\n\r\nDELETE /a HTTP/1.1\r\n\r\n--b--",
        "--b\r\n" PART "\r\nDELETE\r\n\r\n--b--",
        "--b\r\n" PART "\r\nDELETE a HTTP/1.1\r\n\r\n--b--",
        "--b\r\n" PART "\r\nDELETE /a b HTTP/1.1\r\n\r\n--b--",
        "--b\r\n" PART "\r\nDELETE /a HTTP/1.1\r\nno header\r\n\r\n--b--",
        "--b\r\n" PART "\r\nDELETE /a HTTP/1.1\r\nA: b\x01\r\n\r\n--b--",
        "--b\r\n" PART "\r\n--b--",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bodies); i++) {
        auto_multipart struct multipart m = {0};
        struct err e = {.code = ERR_NONE};
        assert_int_equal(multipart_parse(bodies[i], strlen(bodies[i]), "b", &m, &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
    }
}

/* ---- Through the door ---- */

static void add_part(struct azblob_bed *b, struct buf *body, const char *id, const char *method,
                     const char *target, const char *key, const char *more)
{
    auto_pairs struct pairs headers = PAIRS_INIT;
    const char *usual = b->key;

    bed_headers(&headers, more);
    if (key) {
        /* The version is the batch's, so it is not signed. */
        b->key = key;
        bed_sign(b, method, target, &headers, 0);
        b->key = usual;
    }
    buf_printf(body, "--b\r\n" PART "Content-ID: %s\r\n\r\n%s %s HTTP/1.1\r\n", id, method, target);
    for (size_t i = 0; i < headers.count; i++)
        buf_printf(body, "%s: %s\r\n", headers.list[i].key, headers.list[i].value);
    buf_text(body, "Content-Length: 0\r\n\r\n");
}

static void make_blobs(struct azblob_bed *b)
{
    assert_status(azblob_ask(b, "PUT", "/acct/photos?restype=container", NULL, ""), 201);
    for (int i = 0; i < 3; i++) {
        auto_free char *target = xasprintf("/acct/photos/d/%d", i);
        assert_status(azblob_ask(b, "PUT", target, "x-ms-blob-type: BlockBlob", "x"), 201);
    }
}

#define BATCH      "Content-Type: multipart/mixed; boundary=b"
#define BATCH_HERE "/acct/?comp=batch"

static void each_part_proves_itself(void **state)
{
    struct azblob_bed *b = *state;
    auto_buf struct buf body = BUF_INIT(1 << 20);
    unsigned records;

    make_blobs(b);
    add_part(b, &body, "0", "DELETE", "/acct/photos/d%2F0", AZBLOB_KEY1, NULL);
    add_part(b, &body, "1", "DELETE", "/acct/photos/d/1", AZBLOB_SECRET, NULL);
    add_part(b, &body, "2", "DELETE", "/acct/photos/none", AZBLOB_KEY2,
             "x-ms-client-request-id: c2");
    add_part(b, &body, "3", "PUT", "/acct/photos/d/2?comp=tier", AZBLOB_KEY1,
             "x-ms-access-tier: Cool");
    add_part(b, &body, "4", "GET", "/acct/photos/d/2", AZBLOB_KEY1, NULL);
    add_part(b, &body, "5", "DELETE", "/acct/photos/d/2", NULL, NULL);
    buf_text(&body, "--b--");
    records = b->records;
    assert_status(azblob_ask(b, "POST", BATCH_HERE, BATCH, body.data), 202);
    assert_int_equal(b->records, records + 7);
    assert_true(strncmp(bed_header(b, "Content-Type"), "multipart/mixed; boundary=batchresponse_",
                        40) == 0);
    assert_has("Content-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 202 Accepted\r\n");
    assert_has("Content-ID: 1\r\n\r\nHTTP/1.1 403 ");
    assert_has("Content-ID: 2\r\n\r\nHTTP/1.1 404 The specified blob does not exist.\r\n");
    assert_has("x-ms-client-request-id: c2\r\n");
    assert_has("Content-ID: 3\r\n\r\nHTTP/1.1 200 OK\r\n");
    assert_has("Content-ID: 4\r\n\r\nHTTP/1.1 400 ");
    assert_has("Content-ID: 5\r\n\r\nHTTP/1.1 404 ");
    assert_string_equal(b->answer.data + b->answer.length - 2, "--");
    assert_status(azblob_ask(b, "HEAD", "/acct/photos/d/0", NULL, ""), 404);
    /* As Microsoft's JavaScript library names the account. */
    assert_status(azblob_ask(b, "POST", "/acct?comp=batch&restype=container", BATCH, body.data),
                  202);
    assert_status(azblob_ask(b, "HEAD", "/acct/photos/d/1", NULL, ""), 200);
    assert_status(azblob_ask(b, "HEAD", "/acct/photos/d/2", NULL, ""), 200);
}

/* As Microsoft's Python library does, whose parts are signed as if the host named the account. */
static void parts_may_leave_the_account_out(void **state)
{
    struct azblob_bed *b = *state;
    auto_buf struct buf body = BUF_INIT(1 << 20);

    make_blobs(b);
    add_part(b, &body, "0", "DELETE", "/photos/d/0?", AZBLOB_KEY1, NULL);
    add_part(b, &body, "1", "DELETE", "/photos/d/1?", AZBLOB_SECRET, NULL);
    buf_text(&body, "--b--");
    assert_status(
        azblob_ask(b, "POST", "/acct/photos?restype=container&comp=batch", BATCH, body.data), 202);
    assert_has("Content-ID: 0\r\n\r\nHTTP/1.1 202 ");
    assert_has("Content-ID: 1\r\n\r\nHTTP/1.1 403 ");
    assert_status(azblob_ask(b, "HEAD", "/acct/photos/d/0", NULL, ""), 404);
    assert_status(azblob_ask(b, "HEAD", "/photos/d/1", NULL, ""), 404);
}

static void stays_in_its_container(void **state)
{
    struct azblob_bed *b = *state;
    auto_buf struct buf body = BUF_INIT(1 << 20);

    make_blobs(b);
    assert_status(azblob_ask(b, "PUT", "/acct/other?restype=container", NULL, ""), 201);
    add_part(b, &body, "0", "DELETE", "/acct/photos/d/0", AZBLOB_KEY1, NULL);
    buf_text(&body, "--b--");
    assert_status(
        azblob_ask(b, "POST", "/acct/other?restype=container&comp=batch", BATCH, body.data), 202);
    assert_has("HTTP/1.1 400 ");
    assert_status(
        azblob_ask(b, "POST", "/acct/photos?restype=container&comp=batch", BATCH, body.data), 202);
    assert_has("HTTP/1.1 202 ");
}

static void refuses_bad_batches(void **state)
{
    struct azblob_bed *b = *state;
    auto_buf struct buf body = BUF_INIT(1 << 20);

    assert_refused(azblob_ask(b, "POST", BATCH_HERE, "Content-Type: text/plain", "x"), 400,
                   "InvalidHeaderValue");
    assert_refused(azblob_ask(b, "POST", BATCH_HERE, BATCH, "x"), 400, "InvalidInput");
    assert_refused(azblob_ask(b, "POST", BATCH_HERE, BATCH, "--b--"), 400, "InvalidInput");
    for (int i = 0; i < 257; i++)
        add_part(b, &body, "0", "DELETE", "/acct/photos/d/0", NULL, NULL);
    buf_text(&body, "--b--");
    assert_refused(azblob_ask(b, "POST", BATCH_HERE, BATCH, body.data), 400,
                   "ExceedsMaxBatchRequestCount");
    b->unsigned_too = true;
    assert_refused(azblob_ask(b, "POST", BATCH_HERE, BATCH, body.data), 404, "ResourceNotFound");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_boundary),
        cmocka_unit_test(reads_parts),
        cmocka_unit_test(refuses_what_is_no_batch),
        azblob_test(each_part_proves_itself),
        azblob_test(parts_may_leave_the_account_out),
        azblob_test(stays_in_its_container),
        azblob_test(refuses_bad_batches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
