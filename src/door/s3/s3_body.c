// SPDX-License-Identifier: EUPL-1.2
/* Bodies of the S3 door: how they are framed, and the digests they must have. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "object/digest.h"

static const struct {
    const char *algorithm;
    const char *header;
    enum checksum_kind kind;
} algorithms[] = {
    {"CRC32", "x-amz-checksum-crc32", CHECKSUM_CRC32},
    {"CRC32C", "x-amz-checksum-crc32c", CHECKSUM_CRC32C},
    {"CRC64NVME", "x-amz-checksum-crc64nvme", CHECKSUM_CRC64},
    {"SHA1", "x-amz-checksum-sha1", CHECKSUM_SHA1},
    {"SHA256", "x-amz-checksum-sha256", CHECKSUM_SHA256},
};

int s3_algorithm_parse(const char *text, enum checksum_kind *ret, const char **ret_name)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (strcasecmp(algorithms[i].algorithm, text) == 0) {
            *ret = algorithms[i].kind;
            *ret_name = algorithms[i].algorithm;
            return 0;
        }
    return -1;
}

const char *s3_algorithm_small(enum checksum_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (algorithms[i].kind == kind)
            return algorithms[i].header + strlen("x-amz-checksum-");
    return "";
}

const char *s3_algorithm_name(enum checksum_kind kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (algorithms[i].kind == kind)
            return algorithms[i].algorithm;
    return "";
}

static int set_from_base64(struct checksums *into, enum checksum_kind kind, const char *text)
{
    auto_buf struct buf bytes = BUF_INIT(64);
    struct err ignored = {0};
    if (base64_decode(text, strlen(text), &bytes, &ignored) < 0 ||
        bytes.length != checksum_size(kind))
        return -1;
    checksum_set(into, kind, bytes.data);
    return 0;
}

/* ---- Reading ---- */

/* What a body is refused with that S3 has a code of its own for. */
static int lie(struct s3_body *b, enum s3_code code, struct call *call, const char *text)
{
    b->lie = code;
    return err_set(&call->err, ERR_CORRUPT, "%s", text);
}

/* The client's trailer names the digest only when the bytes have gone by. */
static int take_trailer(struct s3_body *b, struct call *call)
{
    const struct pairs *trailers = sigv4_reader_trailers(b->reader);
    if (!b->trails)
        return trailers->count > 0
                   ? lie(b, S3_MALFORMED_TRAILER, call, "there is a trailer nobody announced")
                   : 0;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (algorithms[i].kind != b->kind)
            continue;
        const char *value = pairs_get(trailers, algorithms[i].header);
        if (value == NULL || trailers->count > 1)
            return lie(b, S3_MALFORMED_TRAILER, call,
                       "the trailer that was announced is not there");
        if (set_from_base64(b->expected, b->kind, value) < 0) {
            (void)snprintf(b->lie_text, sizeof(b->lie_text),
                           "Value for %s trailing header is invalid.", algorithms[i].header);
            return lie(b, S3_INVALID_REQUEST, call, b->lie_text);
        }
    }
    return 0;
}

static void note_lie(struct s3_body *b)
{
    static const enum s3_code codes[] = {[SIGV4_LIE_FRAMING] = S3_NONE,
                                         [SIGV4_LIE_LENGTH] = S3_INCOMPLETE_BODY,
                                         [SIGV4_LIE_CHUNK_SIZE] = S3_INVALID_CHUNK_SIZE,
                                         [SIGV4_LIE_TRAILER] = S3_MALFORMED_TRAILER};
    b->lie = codes[b->reader->lie];
    if (b->reader->lie == SIGV4_LIE_LENGTH)
        (void)snprintf(b->lie_text, sizeof(b->lie_text),
                       "You did not provide the number of bytes specified by the Content-Length "
                       "HTTP header");
}

static ssize_t body_read(struct source *s, void *bytes, size_t n, struct call *call)
{
    struct s3_body *b = container_of(s, struct s3_body, source);
    if (!b->framed)
        return source_read(b->raw, bytes, n, call);
    ssize_t got = source_read(&b->reader->source, bytes, n, call);
    if (got < 0 && call->err.code == ERR_CORRUPT)
        note_lie(b);
    if (got >= 0 && b->reader->ended && take_trailer(b, call) < 0)
        return -1;
    return got;
}

int s3_body_end(struct s3_request *r, struct call *call)
{
    struct s3_body *b = r->body;
    if (!b->framed || b->length > 0)
        return 0;
    if (sigv4_reader_end(b->reader, call) == 0)
        return take_trailer(b, call);
    note_lie(b);
    return -1;
}

void s3_body_free(struct s3_body *b)
{
    if (b->reader != NULL)
        sigv4_reader_release(b->reader);
    free(b->reader);
    free(b);
}

/* ---- What the headers say ---- */

static int number_header(struct s3_request *r, const char *name, uint64_t *ret)
{
    const char *text = s3_header(r, name);
    char *end;
    if (text == NULL)
        return 0;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0)
        return -1;
    *ret = value;
    return 1;
}

static int bad_payload(struct s3_request *r, const char *hash, struct call *call)
{
    return s3_fail_argument(r, "x-amz-content-sha256", hash, call,
                            "x-amz-content-sha256 must be " SIGV4_UNSIGNED
                            ", STREAMING-UNSIGNED-PAYLOAD-TRAILER, " SIGV4_STREAMING
                            ", " SIGV4_STREAMING
                            "-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, "
                            "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 "
                            "value.");
}

int s3_payload_check(struct s3_request *r, struct call *call)
{
    const char *hash = s3_header(r, "x-amz-content-sha256");
    unsigned char digest[SHA256_SIZE];
    struct err ignored = {0};
    if (hash == NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Missing required header for this request: x-amz-content-sha256");
    if (strcmp(hash, SIGV4_UNSIGNED) == 0 || strncmp(hash, "STREAMING-", 10) == 0 ||
        hex_decode(hash, digest, sizeof(digest), &ignored) == 0)
        return 0;
    return bad_payload(r, hash, call);
}

static int open_framing(struct s3_request *r, struct s3_body *b, const char *hash,
                        struct call *call)
{
    bool is_signed = strncmp(hash, SIGV4_STREAMING, strlen(SIGV4_STREAMING)) == 0;
    bool trailer = strlen(hash) > 8 && strcmp(hash + strlen(hash) - 8, "-TRAILER") == 0;
    bool known = strcmp(hash, "STREAMING-UNSIGNED-PAYLOAD-TRAILER") == 0 ||
                 strcmp(hash, SIGV4_STREAMING) == 0 ||
                 strcmp(hash, SIGV4_STREAMING "-TRAILER") == 0;
    if (strncmp(hash, "STREAMING-AWS4-ECDSA-", 21) == 0)
        return s3_failf(r, S3_NOT_IMPLEMENTED, call, "The streaming form '%.60s' is not offered.",
                        hash);
    if (!known)
        return bad_payload(r, hash, call);
    if (is_signed && r->proof != S3_SIGNATURE)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Anonymous requests don't support this x-amz-content-sha256 value. Please "
                        "use UNSIGNED-PAYLOAD or STREAMING-UNSIGNED-PAYLOAD-TRAILER.");
    if ((r->operation->flags & S3_TAKES_BODY) == 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The value of x-amz-content-sha256 header is invalid.");
    if (number_header(r, "x-amz-decoded-content-length", &b->length) != 1)
        return s3_fail(r, S3_MISSING_CONTENT_LENGTH, call);
    b->framed = true;
    b->trailer = trailer;
    b->reader = xcalloc(1, sizeof(*b->reader));
    sigv4_reader_init(b->reader, b->raw, is_signed ? &r->who : NULL, is_signed ? &r->claim : NULL,
                      b->length, trailer);
    return 0;
}

/* x-amz-content-sha256: a digest, or how the body is framed. */
static int open_payload(struct s3_request *r, struct s3_body *b, struct call *call)
{
    const char *hash = s3_header(r, "x-amz-content-sha256");
    unsigned char digest[SHA256_SIZE];
    struct err ignored = {0};
    if (hash == NULL || strcmp(hash, SIGV4_UNSIGNED) == 0)
        return 0;
    if (strncmp(hash, "STREAMING-", 10) == 0)
        return open_framing(r, b, hash, call);
    if (hex_decode(hash, digest, sizeof(digest), &ignored) < 0)
        return bad_payload(r, hash, call);
    checksum_set(&b->known, CHECKSUM_SHA256, digest);
    return 0;
}

/* The digest a header says; a signed SHA-256 that is another cannot be right as well. */
static int take_value(struct s3_request *r, struct s3_body *b, const char *value, struct call *call)
{
    struct checksums before = b->known;
    if (set_from_base64(&b->known, b->kind, value) < 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-checksum-%s header is invalid.",
                        s3_algorithm_small(b->kind));
    if ((before.have & (1U << b->kind)) != 0 &&
        memcmp(checksum_bytes(&before, b->kind), checksum_bytes(&b->known, b->kind),
               checksum_size(b->kind)) != 0)
        return s3_failf(r, S3_BAD_DIGEST, call,
                        "The %s you specified did not match the calculated checksum.",
                        b->algorithm);
    return 0;
}

static int take_headers(struct s3_request *r, struct s3_body *b, struct call *call)
{
    const char *md5 = s3_header(r, "content-md5");
    if (md5 != NULL && set_from_base64(&b->known, CHECKSUM_MD5, md5) < 0) {
        s3_explain(r, "Content-MD5", md5);
        return s3_fail(r, S3_INVALID_DIGEST, call);
    }
    const char *trailer = b->trailer ? s3_header(r, "x-amz-trailer") : NULL;
    const char *said = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        const char *value = s3_header(r, algorithms[i].header);
        bool trails = trailer != NULL && strcasecmp(trailer, algorithms[i].header) == 0;
        if (value == NULL && !trails)
            continue;
        b->trails = b->trails || trails;
        if (b->algorithm != NULL || (value != NULL && trails))
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Expecting a single x-amz-checksum- header. Multiple checksum Types "
                            "are not allowed.");
        b->algorithm = algorithms[i].algorithm;
        b->kind = algorithms[i].kind;
        b->wanted |= 1U << b->kind;
        said = value;
    }
    return said != NULL ? take_value(r, b, said, call) : 0;
}

/* x-amz-checksum-... that is none of the known ones; type and algorithm are no checksums. */
static bool has_unknown_checksum(const struct s3_request *r)
{
    for (size_t i = 0; i < r->x->headers.count; i++) {
        const char *name = r->x->headers.list[i].key;
        bool known = strncasecmp(name, "x-amz-checksum-", 15) != 0 ||
                     strcasecmp(name + 15, "type") == 0 ||
                     strcasecmp(name + 15, "algorithm") == 0 || strcasecmp(name + 15, "mode") == 0;
        for (size_t k = 0; k < ARRAY_SIZE(algorithms) && !known; k++)
            known = strcasecmp(name, algorithms[k].header) == 0;
        if (!known)
            return true;
    }
    return false;
}

int s3_body_checksums(struct s3_request *r, struct call *call)
{
    struct s3_body *b = r->body;
    const char *asked = s3_header(r, "x-amz-sdk-checksum-algorithm");
    const char *trailer = s3_header(r, "x-amz-trailer");
    const char *name = NULL;
    enum checksum_kind kind;
    if (has_unknown_checksum(r))
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The algorithm type you specified in x-amz-checksum- header is invalid.");
    if (take_headers(r, b, call) < 0)
        return -1;
    if (b->trailer && trailer != NULL && !b->trails)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The value specified in the x-amz-trailer header is not supported");
    if (asked == NULL)
        return 0;
    if (s3_algorithm_parse(asked, &kind, &name) < 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    if (b->algorithm == NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "x-amz-sdk-checksum-algorithm specified, but no corresponding "
                        "x-amz-checksum-* or x-amz-trailer headers were found.");
    if (kind != b->kind)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-sdk-checksum-algorithm header is invalid.");
    return 0;
}

int s3_body_open(struct s3_request *r, struct call *call)
{
    struct s3_body *b = xcalloc(1, sizeof(*b));
    r->body = b;
    b->source.read = body_read;
    b->raw = r->x->body;
    b->length = r->x->body_length;
    b->expected = &b->known;
    if (open_payload(r, b, call) < 0)
        return -1;
    if ((r->operation->flags & S3_TAKES_BODY) != 0 && b->length > S3_OBJECT_PUT_MAX)
        return s3_fail(r, S3_ENTITY_TOO_LARGE, call);
    if ((r->operation->flags & S3_SAYS_CHECKSUM) != 0)
        return 0;
    if (s3_body_checksums(r, call) < 0)
        return -1;
    if ((r->operation->flags & S3_NEEDS_CHECKSUM) != 0 && b->algorithm == NULL &&
        (b->known.have & (1U << CHECKSUM_MD5)) == 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Missing required header for this request: Content-MD5 OR "
                        "x-amz-checksum-*");
    return 0;
}

int s3_body_read(struct s3_request *r, size_t limit, struct buf *ret, struct call *call)
{
    struct s3_body *b = r->body;
    struct digest_source digests;
    struct sink_buf sink;
    struct checksums sums;
    if (b->length > limit)
        return s3_fail(r, S3_MESSAGE_TOO_LONG, call);
    digest_init(&digests, &b->source, b->length, b->wanted | b->known.have);
    sink_buf_init(&sink, ret);
    int done = stream_copy(&digests.source, &sink.sink, NULL, call);
    if (done == 0)
        done = s3_body_end(r, call);
    if (done == 0) {
        digest_final(&digests, &sums);
        done = digests_expected(b->expected, &sums, &call->err);
    }
    digest_release(&digests);
    return done;
}

int s3_body_xml(struct s3_request *r, const char *root, struct xml_node **ret, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *node = NULL;
    if (s3_body_read(r, S3_XML_MAX, &text, call) < 0)
        return -1;
    if (xml_parse(text.data, text.length, &node, &call->err) < 0 ||
        (root != NULL && strcmp(node->name, root) != 0))
        return s3_fail(r, S3_MALFORMED_XML, call);
    *ret = take(node);
    return 0;
}

int s3_body_configuration(struct s3_request *r, const char *root, struct xml_node **ret,
                          struct call *call)
{
    if (r->body->length > S3_CONFIGURATION_MAX)
        return s3_fail(r, S3_MESSAGE_TOO_LONG, call);
    return s3_body_xml(r, root, ret, call);
}

/* ---- Checksums kept with an object ---- */

/* A digest in hex as base64. */
static bool hex_to_base64(const char *hex, size_t n, char *ret, size_t size)
{
    unsigned char bytes[64];
    struct err ignored = {0};
    auto_buf struct buf text = BUF_INIT(128);
    if (hex == NULL || hex_decode(hex, bytes, n, &ignored) < 0)
        return false;
    base64_encode(&text, bytes, n);
    if (text.length >= size)
        return false;
    memcpy(ret, text.data, text.length + 1);
    return true;
}

bool s3_checksum_of(const char *checksums_json, struct s3_checksum *ret)
{
    auto_json json_t *object = NULL;
    struct err ignored = {0};
    if (checksums_json == NULL ||
        json_parse(checksums_json, strlen(checksums_json), &object, &ignored) < 0)
        return false;
    const char *algorithm = json_text(object, "s3_algorithm");
    const char *type = json_text(object, "s3_type");
    const char *value = json_text(object, "s3_value");
    enum checksum_kind kind = CHECKSUM_CRC64;
    const char *name = "CRC64NVME";
    if (algorithm != NULL && s3_algorithm_parse(algorithm, &kind, &name) < 0)
        return false;
    (void)snprintf(ret->algorithm, sizeof(ret->algorithm), "%s", name);
    (void)snprintf(ret->type, sizeof(ret->type), "%s", type != NULL ? type : "FULL_OBJECT");
    if (value != NULL) {
        (void)snprintf(ret->value, sizeof(ret->value), "%s", value);
        return true;
    }
    return hex_to_base64(json_text(object, checksum_word(kind)), checksum_size(kind), ret->value,
                         sizeof(ret->value));
}

void s3_say_checksum_as(struct s3_request *r, const struct s3_checksum *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++)
        if (strcmp(algorithms[i].algorithm, c->algorithm) == 0)
            s3_say(r, algorithms[i].header, c->value);
    s3_say(r, "x-amz-checksum-type", c->type);
}

void s3_say_checksum(struct s3_request *r, const char *checksums_json)
{
    struct s3_checksum c;
    if (s3_checksum_of(checksums_json, &c))
        s3_say_checksum_as(r, &c);
}
