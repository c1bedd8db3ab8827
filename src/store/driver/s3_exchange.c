// SPDX-License-Identifier: EUPL-1.2
/* One signed request to S3 and its answer: see s3_private.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "store/driver/s3_private.h"

#define URL_BYTES_MAX   (64 * 1024)
#define UNSIGNED        "UNSIGNED-PAYLOAD"
#define HASH_OF_NOTHING "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

void s3_exchange_init(struct s3_exchange *x, struct s3 *s, const char *method, const char *bucket,
                      const char *key, const char *doing, struct call *call)
{
    *x = (struct s3_exchange){
        .s3 = s,
        .call = call,
        .method = method,
        .bucket = bucket,
        .key = key,
        .doing = doing,
        .request = HTTP_REQUEST_INIT,
        .response = HTTP_RESPONSE_INIT,
    };
    x->request.method = method;
}

void s3_exchange_release(struct s3_exchange *x)
{
    if (!x->s3)
        return;
    pairs_release(&x->query);
    http_request_release(&x->request);
    http_response_release(&x->response);
    sigv4_chunks_release(&x->chunks);
}

void s3_exchange_query(struct s3_exchange *x, const char *key, const char *value)
{
    pairs_add(&x->query, key, value);
}

void s3_exchange_header(struct s3_exchange *x, const char *name, const char *value)
{
    http_request_header(&x->request, name, value);
}

void s3_exchange_body(struct s3_exchange *x, const void *bytes, size_t n)
{
    source_bytes_init(&x->bytes, bytes, n);
    x->request.body = &x->bytes.source;
    x->request.body_length = n;
}

void s3_exchange_md5(struct s3_exchange *x)
{
    auto_buf struct buf text = BUF_INIT(64);
    unsigned char md5[16];

    hash_bytes(HASH_MD5, x->bytes.bytes, x->bytes.length, md5);
    base64_encode(&text, md5, sizeof(md5));
    s3_exchange_header(x, "Content-MD5", text.data);
}

void s3_exchange_version(struct s3_exchange *x, const struct object_key *key)
{
    if (key->kind != VERSION_CURRENT && key->version)
        s3_exchange_query(x, "versionId", key->version);
}

const char *s3_exchange_answer(const struct s3_exchange *x, const char *name)
{
    return http_response_header(&x->response, name);
}

void s3_exchange_etag(const struct s3_exchange *x, char *ret, size_t size)
{
    const char *etag = s3_exchange_answer(x, "ETag");
    size_t length = etag ? strlen(etag) : 0;

    if (length >= 2 && etag[0] == '"' && etag[length - 1] == '"') {
        etag++;
        length -= 2;
    }
    if (length >= size)
        length = size - 1;
    if (length)
        memcpy(ret, etag, length);
    ret[length] = 0;
}

static int make_url(struct s3_exchange *x)
{
    auto_buf struct buf url = BUF_INIT(URL_BYTES_MAX);

    if (s3_url(x->s3, x->bucket, x->key, &url, &x->call->err) < 0)
        return -1;
    for (size_t i = 0; i < x->query.count; i++) {
        const struct pair *p = &x->query.list[i];
        /* Prefixes and cursors may be as long as names, three times that when escaped. */
        if (url.length + 3 * (strlen(p->key) + strlen(p->value)) + 3 > url.limit)
            return err_set(&x->call->err, ERR_INVALID, "%s '%s': '%s' is too long", x->doing,
                           x->bucket, p->key);
        if (i == 0)
            buf_char(&url, '?');
        query_add(&url, p->key, p->value);
    }
    replace_string(&x->request.url, url.data);
    return 0;
}

/* The hash of what the body holds: of nothing, or of bytes in memory. */
static const char *body_hash(struct s3_exchange *x, char text[HASH_HEX_SIZE])
{
    const struct source_bytes *bytes;

    if (x->hash[0])
        return x->hash;
    if (!x->request.body)
        return HASH_OF_NOTHING;
    bytes = source_as_bytes(x->request.body);
    if (!bytes)
        return UNSIGNED;
    hash_hex(HASH_SHA256, bytes->bytes + bytes->at, bytes->length - bytes->at, text);
    x->hashed = true;
    return text;
}

static int sign(struct s3_exchange *x)
{
    char text[HASH_HEX_SIZE];

    if (x->chunked)
        return sigv4_sign_chunked(&x->s3->who, &x->request, &x->chunks, clock_wall(),
                                  &x->call->err);
    return sigv4_sign(&x->s3->who, &x->request, body_hash(x, text), clock_wall(), &x->call->err);
}

int s3_exchange_send(struct s3_exchange *x, struct sink *sink, struct http_begun *begun)
{
    if (make_url(x) < 0 || sign(x) < 0)
        return -1;
    if (http_do(x->s3->client, &x->request, &x->response, sink, begun, x->call) < 0)
        return -1;
    return x->response.status >= 300 ? s3_refused(x) : 0;
}

int s3_exchange_text(struct s3_exchange *x, struct buf *ret)
{
    struct sink_buf sink;

    sink_buf_init(&sink, ret);
    return s3_exchange_send(x, &sink.sink, NULL);
}

/* Read a body once for its hash, and go back to its start. */
static int hash_ahead(struct s3_exchange *x, struct source *from)
{
    auto_hash struct hash h = HASH_INIT;
    unsigned char digest[SHA256_SIZE];
    char chunk[64 * 1024];
    ssize_t n;

    hash_init(&h, HASH_SHA256);
    while ((n = source_read(from, chunk, sizeof(chunk), x->call)) > 0)
        hash_update(&h, chunk, (size_t)n);
    if (n < 0 || from->rewind(from, x->call) < 0)
        return -1;
    hash_final(&h, digest);
    hex_encode(x->hash, digest, sizeof(digest));
    x->hashed = true;
    return 0;
}

void s3_exchange_chunked(struct s3_exchange *x, struct source *from, uint64_t size)
{
    sigv4_chunks_init(&x->chunks, from, size, 0);
    x->chunks.spoil = x->spoil;
    x->request.body = &x->chunks.source;
    x->request.body_length = sigv4_chunked_length(size, 0);
    x->hashed = x->chunked = true;
}

int s3_exchange_stream(struct s3_exchange *x, struct source *from, uint64_t size,
                       const struct checksums *known)
{
    x->request.body = from;
    x->request.body_length = size;
    if (known->have & (1U << CHECKSUM_SHA256)) {
        hex_encode(x->hash, known->sha256, SHA256_SIZE);
        x->hashed = true;
        return 0;
    }
    if (source_as_bytes(from))
        return 0;
    if (s3_fact_known(x->s3, S3_FACT_CHUNK_SIGNED) == FACT_YES) {
        s3_exchange_chunked(x, from, size);
        return 0;
    }
    if (strcmp(x->s3->scheme, "https") == 0) {
        (void)snprintf(x->hash, sizeof(x->hash), UNSIGNED);
        return 0;
    }
    if (from->rewind)
        return hash_ahead(x, from);
    return err_set(&x->call->err, ERR_UNSUPPORTED,
                   "%s '%s/%s': over http this service takes only bodies whose SHA-256 is known "
                   "beforehand",
                   x->doing, x->bucket, x->key);
}
