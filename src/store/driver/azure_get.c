// SPDX-License-Identifier: EUPL-1.2
/*
 * Reading blobs.
 *
 * A range of up to 4 MiB can have a checksum of exactly its bytes: CRC-64 is asked for first, then
 * MD5 (the emulator knows only that), then none; what a service grants is learnt once.  For longer
 * ranges a structured body is asked for, which carries its checksums inside; a service that does
 * not know it answers with the plain bytes.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/base64.h"
#include "crypto/crc.h"
#include "http/structured.h"
#include "store/driver/azure_private.h"

enum asked { ASKED_NOTHING, ASKED_CRC64, ASKED_MD5, ASKED_STRUCTURED };

/* One attempt. */
struct reading {
    struct http_begun begun;
    struct sink sink;
    struct azure *a;
    const struct get_options *options;
    struct sink *to;
    struct object *ret;
    enum asked asked;
    bool ranged;
    bool again; /* not granted: ask differently */
    enum transport_check check;
    uint64_t expected, count;
    struct checksums said;
    uint64_t crc64;
    struct hash md5;
    struct structured structured;
    bool is_structured;
};

static int take_bytes(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct reading *r = container_of(sink, struct reading, sink);

    if (n > r->expected - r->count)
        return err_set(&call->err, ERR_REMOTE, "the service sent more than was asked for");
    if (r->check == TRANSPORT_CRC64 && !r->is_structured)
        r->crc64 = crc64_nvme(r->crc64, bytes, n);
    else if (r->check == TRANSPORT_MD5)
        hash_update(&r->md5, bytes, n);
    r->count += n;
    return sink_write(r->to, bytes, n, call);
}

/* A structured body's inside is taken as any body's; the outside is unpacked first. */
static int take_body(struct sink *sink, const void *bytes, size_t n, struct call *call);
struct body_sink {
    struct sink sink;
    struct reading *reading;
};

static int take_body(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct reading *r = container_of(sink, struct body_sink, sink)->reading;
    struct sink *to = r->is_structured ? &r->structured.sink : &r->sink;

    return sink_write(to, bytes, n, call);
}

/* "bytes 5-9/100": where it begins, where it ends, of how much. */
static int read_content_range(const char *text, uint64_t ret[3])
{
    unsigned long long from, to, whole;
    char end;

    if (!text || sscanf(text, "bytes %llu-%llu/%llu%c", &from, &to, &whole, &end) != 3 ||
        (from < whole && (to < from || to >= whole)))
        return -1;
    ret[0] = from;
    ret[1] = to;
    ret[2] = whole;
    return 0;
}

/* How many bytes of the object this answer holds, and how large the object is. */
static int read_lengths(struct reading *r, const struct http_response *response,
                        uint64_t *ret_length, uint64_t *ret_whole, struct err *e)
{
    const char *inside = http_response_header(response, "x-ms-structured-content-length");
    uint64_t range[3] = {0}, length = response->content_length;

    if (response->status == 206) {
        if (read_content_range(http_response_header(response, "Content-Range"), range) < 0)
            range[0] = ~r->options->offset;
        if (range[0] == r->options->offset && range[0] >= range[2]) /* the emulator, at the end */
            return err_set(e, ERR_RANGE, "the range lies outside it");
        if (range[0] != r->options->offset)
            return err_set(e, ERR_REMOTE, "the service sent another range than was asked for");
        *ret_length = range[1] - range[0] + 1;
        *ret_whole = range[2];
        return 0;
    }
    if (response->status != 200)
        return err_set(e, ERR_REMOTE, "the service answered a read with %d", response->status);
    if (r->ranged)
        return err_set(e, ERR_REMOTE, "the service ignored the range asked for");
    if (r->is_structured && inside)
        length = strtoull(inside, NULL, 10);
    if (length == HTTP_LENGTH_UNKNOWN)
        return err_set(e, ERR_REMOTE, "the service did not say how long the blob is");
    *ret_length = *ret_whole = length;
    return 0;
}

/* Was what we asked for granted?  Otherwise this attempt ends here, before any byte. */
static int read_checksum(struct reading *r, const struct http_response *response, struct call *call)
{
    r->said.have = 0;
    azure_read_checksums(response, &r->said);
    if (r->asked == ASKED_CRC64 && (r->said.have & (1u << CHECKSUM_CRC64))) {
        r->check = TRANSPORT_CRC64;
        azure_learn(r->a, AZURE_FACT_RANGE_CHECKSUM, WORD_CRC64, call);
    } else if (r->asked == ASKED_CRC64) {
        azure_learn(r->a, AZURE_FACT_RANGE_CHECKSUM, WORD_MD5, call);
        r->again = true;
        return err_set(&call->err, ERR_UNSUPPORTED, "the service gives no CRC-64 of a range");
    } else if (r->asked == ASKED_MD5 && (r->said.have & (1u << CHECKSUM_MD5))) {
        r->check = TRANSPORT_MD5;
        hash_init(&r->md5, HASH_MD5);
    } else if (r->asked == ASKED_MD5) {
        azure_learn(r->a, AZURE_FACT_RANGE_CHECKSUM, WORD_NO, call);
    }
    if (r->asked == ASKED_STRUCTURED)
        azure_learn(r->a, AZURE_FACT_STRUCTURED, r->is_structured ? WORD_YES : WORD_NO, call);
    return 0;
}

static int get_begun(struct http_begun *begun, const struct http_response *response,
                     struct call *call)
{
    struct reading *r = container_of(begun, struct reading, begun);
    uint64_t whole = 0;

    r->is_structured = r->asked == ASKED_STRUCTURED &&
                       http_response_header(response, "x-ms-structured-body") != NULL;
    if (read_checksum(r, response, call) < 0 ||
        read_lengths(r, response, &r->expected, &whole, &call->err) < 0)
        return -1;
    object_release(r->ret);
    *r->ret = (struct object)OBJECT_INIT;
    azure_read_properties(response, r->ret);
    r->ret->size = whole;
    /* For a range that is the whole blob, what a service gives may be the MD5 a writer once stored:
     * a claim about the content, not a check of this transport. */
    if (r->check == TRANSPORT_MD5 && r->options->offset == 0 && r->expected == whole &&
        (r->ret->stored.have & (1u << CHECKSUM_MD5)) &&
        memcmp(r->ret->stored.md5, r->said.md5, MD5_SIZE) == 0)
        r->check = TRANSPORT_LENGTH;
    if (r->options->if_match && !same_string(r->options->if_match, r->ret->etag))
        return err_set(&call->err, ERR_CHANGED, "it is not the version asked for any more");
    if (r->is_structured)
        structured_init(&r->structured, &r->sink);
    return 0;
}

static void ask_range(struct reading *r, struct azure_exchange *x)
{
    const struct get_options *o = r->options;

    if (o->length == STORE_TO_END || o->length > INT64_MAX - o->offset) {
        if (o->offset)
            http_request_headerf(&x->request, "x-ms-range", "bytes=%" PRIu64 "-", o->offset);
        r->ranged = o->offset != 0;
    } else {
        http_request_headerf(&x->request, "x-ms-range", "bytes=%" PRIu64 "-%" PRIu64, o->offset,
                             o->offset + o->length - 1);
        r->ranged = true;
    }
}

static enum asked what_to_ask(struct reading *r, struct call *call)
{
    enum azure_word word;

    if (!r->options->want_checksum)
        return ASKED_NOTHING;
    if (r->options->length <= AZURE_RANGE_CHECKSUM_MAX) {
        word = azure_fact(r->a, AZURE_FACT_RANGE_CHECKSUM, call);
        return word == WORD_NO ? ASKED_NOTHING : word == WORD_MD5 ? ASKED_MD5 : ASKED_CRC64;
    }
    word = azure_fact(r->a, AZURE_FACT_STRUCTURED, call);
    return word == WORD_NO ? ASKED_NOTHING : ASKED_STRUCTURED;
}

/* After the last byte. */
static int verify(struct reading *r, struct call *call)
{
    unsigned char md5[HASH_MAX_SIZE], crc64[8];
    bool differs = false, checked = false;

    if (r->is_structured) {
        if (structured_finish(&r->structured, &checked, &call->err) < 0)
            return -1;
        r->check = checked ? TRANSPORT_CRC64 : TRANSPORT_LENGTH;
    } else if (r->check == TRANSPORT_CRC64) {
        azure_crc64_bytes(r->crc64, crc64);
        differs = memcmp(crc64, r->said.crc64, sizeof(crc64)) != 0;
    } else if (r->check == TRANSPORT_MD5) {
        hash_final(&r->md5, md5);
        differs = memcmp(md5, r->said.md5, MD5_SIZE) != 0;
    }
    if (differs)
        return err_set(&call->err, ERR_CORRUPT,
                       "the bytes that arrived are not those the service read (%s differs)",
                       r->check == TRANSPORT_MD5 ? "MD5" : "CRC-64");
    return 0;
}

/* A service that does not know what was asked for says so in one of these ways. */
static bool unknown_header(const struct azure_exchange *x)
{
    static const char *const codes[] = {"InvalidHeaderValue", "UnsupportedHeader", "InvalidInput",
                                        "FeatureNotSupported"};

    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (azure_refused_with(x, codes[i]))
            return true;
    return false;
}

/* 1 when it is worth trying again in another way. */
static int refused(struct reading *r, const struct azure_exchange *x, bool *whole,
                   struct call *call)
{
    if (r->again)
        return 1;
    if (x->response.status == 416 && r->options->offset == 0 && !*whole) {
        *whole = true; /* an empty blob has no range at all */
        return 1;
    }
    if (r->asked == ASKED_NOTHING || !unknown_header(x))
        return -1;
    if (r->asked == ASKED_STRUCTURED)
        azure_learn(r->a, AZURE_FACT_STRUCTURED, WORD_NO, call);
    else
        azure_learn(r->a, AZURE_FACT_RANGE_CHECKSUM, r->asked == ASKED_CRC64 ? WORD_MD5 : WORD_NO,
                    call);
    return 1;
}

static int attempt(struct azure *a, const struct object_key *key, struct reading *r, bool *whole,
                   struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct body_sink body = {.sink = {.write = take_body}, .reading = r};

    azure_exchange_key(a, &x, "GET", key, 'r');
    r->asked = *whole ? ASKED_NOTHING : what_to_ask(r, call);
    if (!*whole)
        ask_range(r, &x);
    if (r->asked == ASKED_CRC64)
        azure_exchange_header(&x, "x-ms-range-get-content-crc64", "true");
    else if (r->asked == ASKED_MD5)
        azure_exchange_header(&x, "x-ms-range-get-content-md5", "true");
    else if (r->asked == ASKED_STRUCTURED)
        azure_exchange_header(&x, "x-ms-structured-body", "XSM/1.0; properties=crc64");
    azure_exchange_conditions(&x, r->options->if_match, false);
    if (azure_exchange_do(a, &x, &body.sink, &r->begun, call) < 0)
        return refused(r, &x, whole, call);
    return verify(r, call);
}

int azure_get(struct store *s, const struct object_key *key, const struct get_options *options,
              struct sink *to, struct object *ret, enum transport_check *ret_check,
              struct call *call)
{
    struct azure *a = azure_of(s);
    bool whole = false;
    int result;

    if (azure_readable(key, call) < 0)
        return -1;
    do {
        struct reading r = {.begun = {.begun = get_begun},
                            .sink = {.write = take_bytes},
                            .a = a,
                            .options = options,
                            .to = to,
                            .ret = ret};
        result = attempt(a, key, &r, &whole, call);
        hash_release(&r.md5);
        *ret_check = r.check;
        if (result > 0)
            err_clear(&call->err);
    } while (result > 0);
    if (result == 0) {
        ret->kind = key->kind;
        if (key->version)
            replace_string(&ret->version, key->version);
    }
    return result;
}
