// SPDX-License-Identifier: EUPL-1.2
/* Reading aws-chunked bodies: see sigv4_reader.h. */
#include "auth/sigv4_reader.h"

#include <ctype.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "auth/sigv4_private.h"
#include "codec/hex.h"
#include "crypto/hmac.h"

#define SIGNATURE_FIELD "chunk-signature="
#define TRAILER_FIELD   "x-amz-trailer-signature"

static int corrupt(struct call *call, const char *what)
{
    return err_set(&call->err, ERR_CORRUPT, "the body's chunks are not framed rightly: %s", what);
}

/* ---- Bytes of the framed body ---- */

static int more(struct sigv4_reader *r, struct call *call)
{
    if (r->at < r->filled)
        return 0;
    ssize_t n = source_read(r->from, r->buffer, sizeof(r->buffer), call);
    if (n < 0)
        return -1;
    if (n == 0)
        return err_set(&call->err, ERR_NETWORK, "the body ended inside its framing");
    r->at = 0;
    r->filled = (size_t)n;
    return 0;
}

/* A line without its CR LF, into line. */
static int read_line(struct sigv4_reader *r, struct buf *line, struct call *call)
{
    buf_reset(line);
    for (;;) {
        if (more(r, call) < 0)
            return -1;
        char c = r->buffer[r->at++];
        if (c == '\n') {
            if (line->length == 0 || line->data[line->length - 1] != '\r')
                return corrupt(call, "a line does not end with CR LF");
            line->data[--line->length] = '\0';
            return memchr(line->data, '\0', line->length) != NULL
                       ? corrupt(call, "a line holds a zero byte")
                       : 0;
        }
        if (buf_add(line, &c, 1, &call->err) < 0)
            return corrupt(call, "a line is too long");
    }
}

static int expect_line_end(struct sigv4_reader *r, struct call *call)
{
    for (const char *c = "\r\n"; *c != '\0'; c++) {
        if (more(r, call) < 0)
            return -1;
        if (r->buffer[r->at++] != *c)
            return corrupt(call, "a chunk is longer than it says");
    }
    return 0;
}

/* ---- Signatures ---- */

static void sign(const struct sigv4_reader *r, const char *algorithm, const char *hashes,
                 char ret[SIGV4_HEX_SIZE])
{
    auto_buf struct buf text = BUF_INIT(2048);
    unsigned char mac[SHA256_SIZE];

    buf_printf(&text, "%s\n%s\n%s\n%s\n%s", algorithm, r->date, r->scope, r->previous, hashes);
    hmac_sha256(r->key, sizeof(r->key), text.data, text.length, mac);
    hex_encode(ret, mac, sizeof(mac));
}

static int check(struct sigv4_reader *r, const char *algorithm, const char *hashes,
                 const char *said, const char *what, struct call *call)
{
    char right[SIGV4_HEX_SIZE];

    sign(r, algorithm, hashes, right);
    if (strlen(said) != SIGV4_HEX_SIZE - 1 || CRYPTO_memcmp(said, right, SIGV4_HEX_SIZE - 1) != 0)
        return err_set(&call->err, ERR_UNKNOWN_WHO, "the signature of %s does not match", what);
    memcpy(r->previous, right, sizeof(right));
    return 0;
}

static int check_chunk(struct sigv4_reader *r, struct call *call)
{
    unsigned char digest[SHA256_SIZE];
    char hashes[2 * SIGV4_HEX_SIZE];

    if (!r->is_signed)
        return 0;
    hash_final(&r->hash, digest);
    int n = snprintf(hashes, sizeof(hashes), SIGV4_EMPTY_HASH "\n");
    hex_encode(hashes + n, digest, sizeof(digest));
    return check(r, "AWS4-HMAC-SHA256-PAYLOAD", hashes, r->expected, "a chunk of the body", call);
}

/* ---- The framing ---- */

/* "<hex length>[;chunk-signature=<hex>]" */
static int begin_chunk(struct sigv4_reader *r, struct call *call)
{
    auto_buf struct buf line = BUF_INIT(SIGV4_CHUNK_LINE_MAX);
    uint64_t length = 0;
    size_t digits = 0;

    if (read_line(r, &line, call) < 0)
        return -1;
    for (; hex_digit(line.data[digits]) >= 0; digits++)
        length = length << 4 | (uint64_t)hex_digit(line.data[digits]);
    if (digits == 0 || digits > 15)
        return corrupt(call, "a chunk does not begin with its length");
    const char *rest = line.data + digits;
    if (r->is_signed) {
        if (*rest != ';' || strncmp(rest + 1, SIGNATURE_FIELD, strlen(SIGNATURE_FIELD)) != 0 ||
            strlen(rest + 1 + strlen(SIGNATURE_FIELD)) != SIGV4_HEX_SIZE - 1)
            return corrupt(call, "a chunk has no signature");
        memcpy(r->expected, rest + 1 + strlen(SIGNATURE_FIELD), SIGV4_HEX_SIZE);
        hash_init(&r->hash, HASH_SHA256);
    } else if (*rest != '\0' && *rest != ';') {
        return corrupt(call, "a chunk does not begin with its length");
    }
    r->lie =
        length > r->left || (length == 0 && r->left > 0) ? SIGV4_LIE_LENGTH : SIGV4_LIE_FRAMING;
    if (length > r->left)
        return corrupt(call, "the chunks hold more than x-amz-decoded-content-length says");
    if (length > 0 && r->small) {
        r->lie = SIGV4_LIE_CHUNK_SIZE;
        return corrupt(call, "only the last chunk may be smaller than 8192 bytes");
    }
    r->small = length < SIGV4_CHUNK_MIN;
    if (length == 0 && r->left > 0)
        return corrupt(call, "the chunks hold less than x-amz-decoded-content-length says");
    r->chunk_left = length;
    return 0;
}

static int add_trailer(struct sigv4_reader *r, const char *line, struct buf *text, char **signature,
                       struct call *call)
{
    const char *colon = strchr(line, ':');
    r->lie = SIGV4_LIE_TRAILER;
    if (colon == NULL || colon == line)
        return corrupt(call, "a trailer is no header");
    auto_free char *name = xstrndup(line, (size_t)(colon - line));
    for (char *c = name; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    if (strcmp(name, TRAILER_FIELD) == 0) {
        replace_string(signature, value);
        return 0;
    }
    if (buf_add(text, name, strlen(name), &call->err) < 0 ||
        buf_add(text, ":", 1, &call->err) < 0 ||
        buf_add(text, value, strlen(value), &call->err) < 0 ||
        buf_add(text, "\n", 1, &call->err) < 0)
        return corrupt(call, "the trailers are too long");
    pairs_add(&r->trailers, name, value);
    return 0;
}

/* The lines behind the last chunk, to the empty one. */
static int read_trailers(struct sigv4_reader *r, struct call *call)
{
    auto_buf struct buf line = BUF_INIT(SIGV4_TRAILERS_MAX);
    auto_buf struct buf text = BUF_INIT(SIGV4_TRAILERS_MAX);
    auto_free char *signature = NULL;
    char hash[HASH_HEX_SIZE];

    for (;;) {
        if (read_line(r, &line, call) < 0)
            return -1;
        if (line.length == 0)
            break;
        if (!r->has_trailers) {
            r->lie = SIGV4_LIE_TRAILER;
            return corrupt(call, "there are trailers that were not announced");
        }
        if (add_trailer(r, line.data, &text, &signature, call) < 0)
            return -1;
    }
    if (!r->is_signed || !r->has_trailers)
        return 0;
    hash_hex(HASH_SHA256, text.data, text.length, hash);
    return check(r, "AWS4-HMAC-SHA256-TRAILER", hash, signature != NULL ? signature : "",
                 "the trailers", call);
}

int sigv4_reader_end(struct sigv4_reader *r, struct call *call)
{
    if (r->ended)
        return 0;
    if (r->left > 0)
        return corrupt(call, "it was not read to its end");
    if (begin_chunk(r, call) < 0 || check_chunk(r, call) < 0 || read_trailers(r, call) < 0)
        return -1;
    r->ended = true;
    return 0;
}

static ssize_t reader_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct sigv4_reader *r = container_of(source, struct sigv4_reader, source);

    if (r->left == 0)
        return sigv4_reader_end(r, call) < 0 ? -1 : 0;
    if (r->chunk_left == 0 && begin_chunk(r, call) < 0)
        return -1;
    if (more(r, call) < 0)
        return -1;
    size_t here = r->filled - r->at;
    if (n > here)
        n = here;
    if (n > r->chunk_left)
        n = (size_t)r->chunk_left;
    memcpy(bytes, r->buffer + r->at, n);
    if (r->is_signed)
        hash_update(&r->hash, bytes, n);
    r->at += n;
    r->chunk_left -= n;
    r->left -= n;
    if (r->chunk_left == 0 && (expect_line_end(r, call) < 0 || check_chunk(r, call) < 0))
        return -1;
    if (r->left == 0 && sigv4_reader_end(r, call) < 0)
        return -1;
    return (ssize_t)n;
}

void sigv4_reader_init(struct sigv4_reader *r, struct source *from, struct sigv4 *who,
                       const struct sigv4_claim *claim, uint64_t length, bool has_trailers)
{
    *r = (struct sigv4_reader){.source = {.read = reader_read},
                               .from = from,
                               .left = length,
                               .has_trailers = has_trailers,
                               .is_signed = who != NULL,
                               .hash = HASH_INIT};
    if (who == NULL)
        return;
    memcpy(r->date, claim->date, sizeof(r->date));
    memcpy(r->previous, claim->signature, sizeof(r->previous));
    sigv4_scope(who, claim->date, r->scope);
    sigv4_day_key(who, claim->date, r->key);
}

void sigv4_reader_release(struct sigv4_reader *r)
{
    hash_release(&r->hash);
    pairs_release(&r->trailers);
    OPENSSL_cleanse(r->key, sizeof(r->key));
}

const struct pairs *sigv4_reader_trailers(const struct sigv4_reader *r)
{
    return &r->trailers;
}
