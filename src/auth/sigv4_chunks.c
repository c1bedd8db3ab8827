// SPDX-License-Identifier: EUPL-1.2
/* SigV4 chunk by chunk (STREAMING-AWS4-HMAC-SHA256-PAYLOAD): see sigv4.h. */
#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "auth/sigv4_private.h"
#include "codec/hex.h"
#include "crypto/hmac.h"

/* Before the bytes of each chunk: at most 16 digits, ";chunk-signature=", 64 digits, CR LF. */
#define HEAD_MAX (16 + 17 + 64 + 2)

static size_t head_length(uint64_t n)
{
    return (size_t)snprintf(NULL, 0, "%" PRIx64, n) + 17 + 64 + 2;
}

uint64_t sigv4_chunked_length(uint64_t length, size_t chunk_size)
{
    uint64_t size = chunk_size ? chunk_size : SIGV4_CHUNK_SIZE;
    uint64_t rest = length % size;
    uint64_t total = length / size * (head_length(size) + size + 2);

    if (rest)
        total += head_length(rest) + rest + 2;
    return total + head_length(0) + 2;
}

/* Read one chunk's bytes to where they belong, behind the longest possible head. */
static int read_chunk(struct sigv4_chunks *c, size_t want, struct call *call)
{
    size_t got = 0;

    while (got < want) {
        ssize_t n = source_read(c->from, c->buffer + HEAD_MAX + got, want - got, call);
        if (n < 0)
            return -1;
        if (n == 0)
            return err_set(&call->err, ERR_CORRUPT,
                           "the body to send ended after %" PRIu64 " of its %" PRIu64 " bytes",
                           c->length - c->left + got, c->length);
        got += (size_t)n;
    }
    return 0;
}

static int next_chunk(struct sigv4_chunks *c, struct call *call)
{
    size_t n = c->left < c->chunk_size ? (size_t)c->left : c->chunk_size;
    char *bytes = c->buffer + HEAD_MAX, hash[HASH_HEX_SIZE], head[HEAD_MAX + 1];
    char text[SIGV4_SCOPE_SIZE + 300];
    unsigned char mac[SHA256_SIZE];

    if (read_chunk(c, n, call) < 0)
        return -1;
    hash_hex(HASH_SHA256, bytes, n, hash);
    int length = snprintf(text, sizeof(text),
                          "AWS4-HMAC-SHA256-PAYLOAD\n%s\n%s\n%s\n" SIGV4_EMPTY_HASH "\n%s", c->date,
                          c->scope, c->previous, hash);
    hmac_sha256(c->key, sizeof(c->key), text, (size_t)length, mac);
    hex_encode(c->previous, mac, sizeof(mac));
    int head_size = snprintf(head, sizeof(head), "%zx;chunk-signature=%s\r\n", n, c->previous);
    if (c->spoil && n)
        bytes[0] = (char)(bytes[0] ^ 1);
    c->at = HEAD_MAX - (size_t)head_size;
    memcpy(c->buffer + c->at, head, (size_t)head_size);
    memcpy(bytes + n, "\r\n", 2);
    c->filled = HEAD_MAX + n + 2;
    c->left -= n;
    c->ended = n == 0;
    return 0;
}

static ssize_t chunks_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct sigv4_chunks *c = container_of(source, struct sigv4_chunks, source);

    if (c->at == c->filled) {
        if (c->ended)
            return 0;
        if (next_chunk(c, call) < 0)
            return -1;
    }
    if (n > c->filled - c->at)
        n = c->filled - c->at;
    memcpy(bytes, c->buffer + c->at, n);
    c->at += n;
    return (ssize_t)n;
}

static int chunks_rewind(struct source *source, struct call *call)
{
    struct sigv4_chunks *c = container_of(source, struct sigv4_chunks, source);

    if (c->from->rewind(c->from, call) < 0)
        return -1;
    c->left = c->length;
    c->filled = c->at = 0;
    c->ended = false;
    memcpy(c->previous, c->seed, sizeof(c->seed));
    return 0;
}

void sigv4_chunks_init(struct sigv4_chunks *c, struct source *from, uint64_t length,
                       size_t chunk_size)
{
    assert(chunk_size == 0 || chunk_size >= 8 * 1024);
    if (!chunk_size)
        chunk_size = SIGV4_CHUNK_SIZE;
    *c = (struct sigv4_chunks){
        .source = {.read = chunks_read, .rewind = from->rewind ? chunks_rewind : NULL},
        .from = from,
        .length = length,
        .left = length,
        .chunk_size = chunk_size,
    };
    c->buffer = xmalloc(HEAD_MAX + chunk_size + 2);
}

void sigv4_chunks_release(struct sigv4_chunks *c)
{
    free(c->buffer);
    OPENSSL_cleanse(c->key, sizeof(c->key));
    *c = (struct sigv4_chunks){0};
}

/* S3 stores Content-Encoding without its aws-chunked. */
static void set_encoding(struct http_request *r)
{
    const char *encoding = pairs_get_nocase(&r->headers, "Content-Encoding");
    char text[300];

    if (encoding && strncmp(encoding, "aws-chunked", 11) == 0)
        return;
    (void)snprintf(text, sizeof(text), "aws-chunked%s%s", encoding ? "," : "",
                   encoding ? encoding : "");
    for (size_t i = 0; i < r->headers.count; i++)
        if (r->headers.list[i].value == encoding) {
            replace_string(&r->headers.list[i].value, text);
            return;
        }
    pairs_add(&r->headers, "Content-Encoding", text);
}

int sigv4_sign_chunked(struct sigv4 *s, struct http_request *r, struct sigv4_chunks *chunks,
                       int64_t now, struct err *e)
{
    char number[32];

    set_encoding(r);
    (void)snprintf(number, sizeof(number), "%" PRIu64, chunks->length);
    pairs_set(&r->headers, "x-amz-decoded-content-length", number);
    return sigv4_sign_head(s, r, SIGV4_STREAMING, now, chunks, e);
}
