// SPDX-License-Identifier: EUPL-1.2
/* SigV4: the examples of the S3 documentation, signing against verifying, and tampering. */
#include "unit.h"

#include "auth/sigv4.h"
#include "auth/sigv4_private.h"

/* 2013-05-24T00:00:00Z, the time of the documented examples. */
#define NOW (INT64_C(1369353600) * CLOCK_SECOND)

static void set_up(struct sigv4 *s)
{
    auto_secret struct secret key = SECRET_INIT;
    struct err e = {0};

    secret_from_text(&key, "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    assert_ok(sigv4_init(s, "AKIAIOSFODNN7EXAMPLE", &key, NULL, "us-east-1", &e), &e);
}

static void expect_authorization(struct http_request *r, const char *hash, const char *names,
                                 const char *signature)
{
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    struct err e = {0};

    set_up(&s);
    assert_ok(sigv4_sign(&s, r, hash, NOW, &e), &e);
    auto_free char *expected = xasprintf(
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=%s, Signature=%s",
        names, signature);
    assert_string_equal(pairs_get(&r->headers, "Authorization"), expected);
    http_request_release(r);
}

static void test_documented_headers(void **state)
{
    (void)state;
    struct http_request r = {.method = "GET",
                             .url = xstrdup("https://examplebucket.s3.amazonaws.com/test.txt")};

    http_request_header(&r, "Range", "bytes=0-9");
    http_request_header(&r, "User-Agent", "not signed");
    expect_authorization(&r, SIGV4_EMPTY_HASH, "host;range;x-amz-content-sha256;x-amz-date",
                         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");

    r = (struct http_request){
        .method = "PUT",
        .url = xstrdup("https://examplebucket.s3.amazonaws.com:443/test$file.text")};
    http_request_header(&r, "Date", "Fri, 24 May 2013 00:00:00 GMT");
    http_request_header(&r, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    expect_authorization(&r, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
                         "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                         "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");

    r = (struct http_request){.method = "GET",
                              .url = xstrdup("https://examplebucket.s3.amazonaws.com/?lifecycle")};
    expect_authorization(&r, SIGV4_EMPTY_HASH, "host;x-amz-content-sha256;x-amz-date",
                         "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");

    r = (struct http_request){
        .method = "GET",
        .url = xstrdup("https://examplebucket.s3.amazonaws.com?prefix=J&max-keys=2")};
    expect_authorization(&r, SIGV4_EMPTY_HASH, "host;x-amz-content-sha256;x-amz-date",
                         "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

static void test_documented_presigned(void **state)
{
    (void)state;
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    auto_sigv4_claim struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_free char *url = NULL;
    struct err e = {0};

    set_up(&s);
    assert_ok(sigv4_presign(&s, "GET", "https://examplebucket.s3.amazonaws.com/test.txt", 86400,
                            NOW, &url, &e),
              &e);
    assert_string_equal(
        url, "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
             "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
             "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
             "&X-Amz-Signature="
             "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    const char *query = strchr(url, '?') + 1;
    pairs_add(&headers, "Host", "examplebucket.s3.amazonaws.com");
    assert_ok(sigv4_claim_of(&headers, query, &claim, &e), &e);
    assert_true(claim.presigned);
    assert_ok(sigv4_verify(&s, &claim, "GET", "/test.txt", query, &headers, NOW + CLOCK_SECOND, &e),
              &e);
    assert_int_equal(sigv4_verify(&s, &claim, "PUT", "/test.txt", query, &headers, NOW, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    assert_int_equal(sigv4_verify(&s, &claim, "GET", "/test.txt", query, &headers,
                                  NOW + 86401 * CLOCK_SECOND, &e),
                     -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_int_equal(sigv4_verify(&s, &claim, "GET", "/test.txt", query, &headers,
                                  NOW - 3600 * CLOCK_SECOND, &e),
                     -1);
    assert_int_equal(e.code, ERR_DENIED);
    assert_string_equal(e.text, "Request is not valid yet.");
    /* a header that changes the meaning must be signed too */
    pairs_add(&headers, "X-Amz-Copy-Source", "/other/secret");
    assert_int_equal(sigv4_verify(&s, &claim, "GET", "/test.txt", query, &headers, NOW, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    char *none = NULL;
    assert_int_equal(sigv4_presign(&s, "GET", "https://h/k", 0, NOW, &none, &e), -1);
    assert_int_equal(sigv4_presign(&s, "GET", "https://h/k", 604801, NOW, &none, &e), -1);
    assert_int_equal(sigv4_presign(&s, "GET", "h/k", 1, NOW, &none, &e), -1);
    assert_null(none);
}

static void test_documented_chunks(void **state)
{
    (void)state;
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    auto_sigv4_chunks struct sigv4_chunks chunks = {0};
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_buf struct buf canonical = BUF_INIT(SIGV4_TEXT_MAX), out = BUF_INIT(100000);
    struct call call = CALL_INIT;
    struct source_bytes body;
    struct sink_buf sink;
    uint64_t count = 0;
    auto_free char *bytes = xmalloc(66560);

    set_up(&s);
    pairs_add(&headers, "Host", "s3.amazonaws.com");
    pairs_add(&headers, "x-amz-date", "20130524T000000Z");
    pairs_add(&headers, "x-amz-storage-class", "REDUCED_REDUNDANCY");
    pairs_add(&headers, "x-amz-content-sha256", SIGV4_STREAMING);
    pairs_add(&headers, "Content-Encoding", "aws-chunked");
    pairs_add(&headers, "x-amz-decoded-content-length", "66560");
    pairs_add(&headers, "Content-Length", "66824");
    assert_ok(sigv4_canonical_request(&canonical, "PUT", "/examplebucket/chunkObject.txt", NULL,
                                      &headers,
                                      "content-encoding;content-length;host;x-amz-content-sha256;"
                                      "x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
                                      SIGV4_STREAMING, &call.err),
              &call.err);
    memset(bytes, 'a', 66560);
    source_bytes_init(&body, bytes, 66560);
    sigv4_chunks_init(&chunks, &body.source, 66560, 0);
    memcpy(chunks.date, "20130524T000000Z", 17);
    sigv4_scope(&s, chunks.date, chunks.scope);
    sigv4_day_key(&s, chunks.date, chunks.key);
    sigv4_signature(chunks.key, chunks.date, chunks.scope, &canonical, chunks.seed);
    assert_string_equal(chunks.seed,
                        "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    memcpy(chunks.previous, chunks.seed, sizeof(chunks.seed));
    sink_buf_init(&sink, &out);
    for (int i = 0; i < 2; i++) {
        buf_reset(&out);
        assert_ok(stream_copy(&chunks.source, &sink.sink, &count, &call), &call.err);
        assert_int_equal(count, 66824);
        assert_int_equal(sigv4_chunked_length(66560, 0), 66824);
        const char *first = "10000;chunk-signature="
                            "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\na";
        const char *second = "\r\n400;chunk-signature="
                             "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n";
        const char *last =
            "\r\n0;chunk-signature="
            "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n";
        assert_memory_equal(out.data, first, strlen(first));
        assert_non_null(strstr(out.data, second));
        assert_string_equal(out.data + out.length - strlen(last), last);
        assert_int_equal(chunks.source.rewind(&chunks.source, &call), 0);
    }
    /* a probe's spoilt bytes keep their signature */
    chunks.spoil = true;
    buf_reset(&out);
    assert_ok(stream_copy(&chunks.source, &sink.sink, &count, &call), &call.err);
    assert_non_null(strstr(out.data, "ad80c730a21e5b8d"));
    assert_non_null(strstr(out.data, "\r\n`aaa"));
}

static void test_chunked_lengths(void **state)
{
    (void)state;
    struct call call = CALL_INIT;
    static const uint64_t lengths[] = {0, 1, 15, 16, 8191, 8192, 8193, 65535, 65536, 65537, 200000};

    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        for (size_t chunk = 0; chunk <= 8192; chunk += 8192) {
            auto_sigv4_chunks struct sigv4_chunks chunks = {0};
            struct source_zeros zeros;
            struct sink_count sink;
            source_zeros_init(&zeros, lengths[i]);
            sigv4_chunks_init(&chunks, &zeros.source, lengths[i], chunk);
            sink_count_init(&sink);
            assert_ok(stream_copy(&chunks.source, &sink.sink, NULL, &call), &call.err);
            assert_int_equal(sink.count, sigv4_chunked_length(lengths[i], chunk));
        }
    }
    /* 4.75 TiB do not overflow */
    assert_true(sigv4_chunked_length(UINT64_C(5222680231936), 0) > UINT64_C(5222680231936));
    struct source_zeros zeros;
    struct sink_count sink;
    auto_sigv4_chunks struct sigv4_chunks chunks = {0};
    source_zeros_init(&zeros, 100);
    sigv4_chunks_init(&chunks, &zeros.source, 101, 0);
    sink_count_init(&sink);
    assert_int_equal(stream_copy(&chunks.source, &sink.sink, NULL, &call), -1);
    assert_int_equal(call.err.code, ERR_CORRUPT);
    assert_int_equal(sink.count, 0);
}

static void test_sign_chunked(void **state)
{
    (void)state;
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    auto_sigv4_chunks struct sigv4_chunks chunks = {0};
    auto_request struct http_request r = {.method = "PUT", .url = xstrdup("http://h:9/b/k")};
    struct source_zeros zeros;
    struct err e = {0};

    set_up(&s);
    source_zeros_init(&zeros, 100);
    sigv4_chunks_init(&chunks, &zeros.source, 100, 0);
    http_request_header(&r, "Content-Encoding", "gzip");
    assert_ok(sigv4_sign_chunked(&s, &r, &chunks, NOW, &e), &e);
    assert_ok(sigv4_sign_chunked(&s, &r, &chunks, NOW, &e), &e);
    assert_string_equal(pairs_get(&r.headers, "Content-Encoding"), "aws-chunked,gzip");
    assert_string_equal(pairs_get(&r.headers, "x-amz-decoded-content-length"), "100");
    assert_string_equal(pairs_get(&r.headers, "x-amz-content-sha256"), SIGV4_STREAMING);
    const char *signature = strstr(pairs_get(&r.headers, "Authorization"), "Signature=");
    assert_string_equal(signature + 10, chunks.seed);
    assert_int_equal(r.headers.count, 5);
}

static void test_round_trip(void **state)
{
    (void)state;
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    auto_sigv4_claim struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    auto_secret struct secret key = SECRET_INIT, token = SECRET_INIT;
    struct err e = {0};
    auto_request struct http_request r = {
        .method = "PUT",
        .url =
            xstrdup("http://127.0.0.1:9000/b/a//b/../%C3%A9%20%2Fx+y?uploadId=a%2Bb&partNumber=1")};
    const char *path = "/b/a//b/../%c3%a9%20/x+y", *query = "partNumber=1&uploadId=a%2bb";

    secret_from_text(&key, "SECRET-KEY");
    secret_from_text(&token, "SESSION");
    assert_ok(sigv4_init(&s, "GK1", &key, &token, "gra", &e), &e);
    http_request_header(&r, "x-amz-meta-a", "  one   two ");
    http_request_header(&r, "Content-MD5", "abc");
    assert_ok(sigv4_sign(&s, &r, SIGV4_UNSIGNED, NOW, &e), &e);
    pairs_add(&r.headers, "Host", "127.0.0.1:9000");
    assert_ok(sigv4_claim_of(&r.headers, query, &claim, &e), &e);
    assert_string_equal(claim.access_key, "GK1");
    assert_string_equal(claim.region, "gra");
    assert_ok(sigv4_verify(&s, &claim, "PUT", path, query, &r.headers, NOW, &e), &e);
    assert_int_equal(
        sigv4_verify(&s, &claim, "PUT", "/b/a/b/%C3%A9%20/x+y", query, &r.headers, NOW, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    assert_int_equal(
        sigv4_verify(&s, &claim, "PUT", path, "partNumber=2&uploadId=a%2bb", &r.headers, NOW, &e),
        -1);
    assert_int_equal(
        sigv4_verify(&s, &claim, "PUT", path, query, &r.headers, NOW + 16 * 60 * CLOCK_SECOND, &e),
        -1);
    assert_int_equal(e.code, ERR_CLOCK);
    pairs_set(&r.headers, "x-amz-meta-a", "three");
    assert_int_equal(sigv4_verify(&s, &claim, "PUT", path, query, &r.headers, NOW, &e), -1);
    assert_int_equal(e.code, ERR_UNKNOWN_WHO);
    assert_null(strstr(e.text, "SECRET"));
    pairs_set(&r.headers, "x-amz-meta-a", "one two");
    assert_ok(sigv4_verify(&s, &claim, "PUT", path, query, &r.headers, NOW, &e), &e);
    /* the next day needs another key */
    int64_t tomorrow = NOW + 86400 * CLOCK_SECOND;
    pairs_remove(&r.headers, r.headers.count - 1);
    assert_ok(sigv4_sign(&s, &r, SIGV4_UNSIGNED, tomorrow, &e), &e);
    assert_non_null(strstr(pairs_get(&r.headers, "Authorization"), "/20130525/gra/"));
}

static void test_bad_authorization(void **state)
{
    (void)state;
    static const char good[] =
        "AWS4-HMAC-SHA256 Credential=K/20130524/r/s3/aws4_request,SignedHeaders=host;x-amz-date,"
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    static const struct {
        const char *from, *to;
    } changes[] = {
        {"AWS4-HMAC", "AWS5-HMAC"},
        {"Credential=K/", "Credential=/"},
        {"/20130524/", "/2013052/"},
        {"/20130524/", "/2013052x/"},
        {"aws4_request", "aws4_reques"},
        {"/r/s3", "/s3"},
        {"host;x-amz-date", "x-amz-date;host"},
        {"host;x-amz-date", "host;Host"},
        {"Signature=f0", "Signature=F0"},
        {"Signature=f0", "Signature=f"},
        {",Signature=", ",Sig="},
        {"SignedHeaders=host;x-amz-date,", ""},
    };
    struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    struct err e = {0};

    assert_ok(sigv4_authorization_parse(good, &claim, &e), &e);
    assert_string_equal(claim.signed_headers, "host;x-amz-date");
    sigv4_claim_release(&claim);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        const char *at = strstr(good, changes[i].from);
        assert_non_null(at);
        auto_free char *bad = xasprintf("%.*s%s%s", (int)(at - good), good, changes[i].to,
                                        at + strlen(changes[i].from));
        if (sigv4_authorization_parse(bad, &claim, &e) == 0)
            fail_msg("accepted %s", bad);
        assert_int_equal(e.code, ERR_INVALID);
        assert_null(claim.signed_headers);
    }
}

/* Clients' authors know these sentences from S3. */
static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *header, *text;
    } headers[] = {
        {"AWS4-HMAC-SHA256 Credential=K/20130524/r/s3/aws4_request,Signature=" SIGV4_EMPTY_HASH,
         "the authorization header requires three components: Credential, SignedHeaders, and "
         "Signature."},
        {"AWS4-HMAC-SHA256 Credential=K/20130524/r/s3/aws4_request,SignedHeaders=host,Sig",
         "the authorization component \"Sig\" is malformed."},
        {"AWS4-HMAC-SHA256 X=K,SignedHeaders=host,Signature=" SIGV4_EMPTY_HASH,
         "missing Credential."},
        {"AWS4-HMAC-SHA256 Credential=K/2013-05-24/r/s3/aws4_request,SignedHeaders=host",
         "incorrect date format \"2013-05-24\". This date in the credential must be in the format "
         "\"yyyyMMdd\"."},
        {"AWS4-HMAC-SHA256 Credential=K/20130524/r/s3/aws5_request,SignedHeaders=host",
         "incorrect terminal \"aws5_request\". This endpoint uses \"aws4_request\"."},
    };
    static const struct {
        const char *query, *text;
    } queries[] = {
        {"X-Amz-Algorithm=A&X-Amz-Credential=b&X-Amz-Date=c&X-Amz-Expires=1&X-Amz-Signature=d",
         "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
         "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
        {"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=K/20130524/r/s3/aws4_request&"
         "X-Amz-Date=20130524T000000Z&X-Amz-Expires=-1&X-Amz-SignedHeaders=host&X-Amz-Signature=d",
         "X-Amz-Expires must be non-negative"},
    };
    struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    struct err e = {0};
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        assert_int_equal(sigv4_authorization_parse(headers[i].header, &claim, &e), -1);
        const char *said = strstr(e.text, "; ");
        assert_non_null(said);
        assert_string_equal(said + 2, headers[i].text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(queries); i++) {
        assert_int_equal(sigv4_query_parse(queries[i].query, &claim, &e), -1);
        assert_string_equal(e.text, queries[i].text);
    }
}

/* A client may sign the Date header in place of x-amz-date; Host must be signed. */
static void test_date_and_host(void **state)
{
    (void)state;
    auto_sigv4 struct sigv4 s = SIGV4_INIT;
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_sigv4_claim struct sigv4_claim claim = SIGV4_CLAIM_INIT;
    auto_secret struct secret key = SECRET_INIT;
    struct err e = {0};
    secret_from_text(&key, "secret");
    assert_ok(sigv4_init(&s, "K", &key, NULL, "r", &e), &e);
    pairs_add(&headers, "Authorization",
              "AWS4-HMAC-SHA256 Credential=K/20130524/r/s3/aws4_request,SignedHeaders=date,"
              "Signature=" SIGV4_EMPTY_HASH);
    assert_int_equal(sigv4_claim_of(&headers, NULL, &claim, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
    pairs_add(&headers, "Date", "Fri, 24 May 2013 00:00:00 GMT");
    pairs_add(&headers, "x-amz-content-sha256", SIGV4_UNSIGNED);
    assert_ok(sigv4_claim_of(&headers, NULL, &claim, &e), &e);
    assert_string_equal(claim.date, "20130524T000000Z");
    assert_int_equal(sigv4_verify(&s, &claim, "GET", "/", NULL, &headers, NOW, &e), -1);
    assert_int_equal(e.code, ERR_DENIED);
}

static void test_bad_keys(void **state)
{
    (void)state;
    auto_secret struct secret key = SECRET_INIT;
    struct sigv4 s = SIGV4_INIT;
    struct err e = {0};

    assert_int_equal(sigv4_init(&s, "K", &key, NULL, "r", &e), -1);
    secret_from_text(&key, "x");
    assert_int_equal(sigv4_init(&s, "", &key, NULL, "r", &e), -1);
    assert_int_equal(sigv4_init(&s, "a/b", &key, NULL, "r", &e), -1);
    assert_int_equal(sigv4_init(&s, "K", &key, NULL, "", &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented_headers),
        cmocka_unit_test(test_documented_presigned),
        cmocka_unit_test(test_documented_chunks),
        cmocka_unit_test(test_chunked_lengths),
        cmocka_unit_test(test_sign_chunked),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_bad_authorization),
        cmocka_unit_test(test_bad_keys),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_date_and_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
