// SPDX-License-Identifier: EUPL-1.2
/*
 * An Azure account whose blobs are computed, the source of a benchmark: it costs next to nothing.
 *
 *     null-azure PORT NAME:COUNT:SIZE[:nomd5]...
 *
 * Each NAME is a container of COUNT block blobs "o00000000", "o00000001", ... of SIZE bytes.  A
 * body is one random block of 1 MiB again and again, each beginning with the numbers of blob and
 * block, so that no two bodies are alike and the same blob of two containers is.  Content-MD5 is
 * stored unless "nomd5" is said.  Reads, HEADs, listings and properties are answered; signatures
 * are not looked at, and nothing can be written.  The account's name is whatever the path begins
 * with.
 *
 *     GET /-/summary/NAME     what a target must hold, see null.h
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "codec/base64.h"
#include "crypto/crc.h"
#include "null.h"

#define BLOCK      1048576 /* libmicrohttpd has no room for very many pieces of one answer */
#define STAMP      16
#define PAGE_MAX   5000
#define MD5S_KEPT  100000
#define RANGE_HASH (4 * 1024 * 1024)
#define DATE       "Sun, 01 Nov 2026 00:00:00 GMT"

struct set {
    char name[64];
    uint64_t count;
    uint64_t size;
    bool md5;
    unsigned char (*md5s)[MD5_SIZE]; /* computed at start; NULL: as they are asked for */
};

static struct {
    struct set *list;
    size_t count;
    unsigned char block[BLOCK];
} account; /* written before the server starts */

/* --- bodies --- */

/* A range as pieces: stamps, which it owns, and parts of the block, which all share. */
struct body {
    struct iovec *pieces;
    uint64_t (*stamps)[2];
    unsigned count;
};

static void body_release(void *context)
{
    struct body *b = context;

    free(b->pieces);
    free(b->stamps);
    free(b);
}

static void add_piece(struct body *b, const void *bytes, uint64_t n)
{
    b->pieces[b->count].iov_base = (void *)(uintptr_t)bytes;
    b->pieces[b->count++].iov_len = n;
}

static struct body *body_of(uint64_t index, uint64_t offset, uint64_t length)
{
    struct body *b = xcalloc(1, sizeof(*b));
    uint64_t blocks = length / BLOCK + 2, end = offset + length;

    b->pieces = xcalloc(2 * blocks, sizeof(*b->pieces));
    b->stamps = xcalloc(blocks, sizeof(*b->stamps));
    for (uint64_t i = 0; offset < end; i++) {
        uint64_t at = offset % BLOCK, n = BLOCK - at < end - offset ? BLOCK - at : end - offset;
        b->stamps[i][0] = index;
        b->stamps[i][1] = offset / BLOCK;
        uint64_t stamped = at >= STAMP ? 0 : n < STAMP - at ? n : STAMP - at;
        if (stamped)
            add_piece(b, (unsigned char *)b->stamps[i] + at, stamped);
        if (n > stamped)
            add_piece(b, account.block + at + stamped, n - stamped);
        offset += n;
    }
    return b;
}

static uint64_t body_crc(const struct body *b)
{
    uint64_t crc = 0;

    for (unsigned i = 0; i < b->count; i++)
        crc = crc64_nvme(crc, b->pieces[i].iov_base, b->pieces[i].iov_len);
    return crc;
}

static void body_md5(const struct body *b, unsigned char md5[MD5_SIZE])
{
    auto_hash struct hash h = HASH_INIT;

    hash_init(&h, HASH_MD5);
    for (unsigned i = 0; i < b->count; i++)
        hash_update(&h, b->pieces[i].iov_base, b->pieces[i].iov_len);
    hash_final(&h, md5);
}

static void compute_md5(const struct set *s, uint64_t index, unsigned char md5[MD5_SIZE])
{
    struct body *b = body_of(index, 0, s->size);

    body_md5(b, md5);
    body_release(b);
}

/* As the header carries it. */
static void md5_text(const unsigned char md5[MD5_SIZE], char text[32])
{
    auto_buf struct buf encoded = BUF_INIT(64);

    base64_encode(&encoded, md5, MD5_SIZE);
    (void)snprintf(text, 32, "%s", encoded.data);
}

static void stored_md5(const struct set *s, uint64_t index, char text[32])
{
    unsigned char md5[MD5_SIZE];

    if (s->md5s)
        memcpy(md5, s->md5s[index], MD5_SIZE);
    else
        compute_md5(s, index, md5);
    md5_text(md5, text);
}

/* --- answers --- */

static void add_common(struct MHD_Connection *c, struct MHD_Response *r)
{
    const char *id = null_request_header(c, "x-ms-client-request-id");

    null_header(r, "x-ms-version", "2021-12-02");
    null_header(r, "x-ms-request-id", "00000000-0000-0000-0000-000000000000");
    if (id)
        null_header(r, "x-ms-client-request-id", "%s", id);
}

static enum MHD_Result answer_text(struct MHD_Connection *c, struct buf *text)
{
    struct MHD_Response *r = null_response(text, "application/xml");

    add_common(c, r);
    return null_answer(c, MHD_HTTP_OK, r);
}

static enum MHD_Result refuse(struct MHD_Connection *c, unsigned status, const char *code)
{
    auto_buf struct buf text = BUF_INIT(1024);

    buf_printf(&text,
               "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code>"
               "<Message>the benchmark's account says no</Message></Error>",
               code);
    struct MHD_Response *r = null_response(&text, "application/xml");
    add_common(c, r);
    null_header(r, "x-ms-error-code", "%s", code);
    return null_answer(c, status, r);
}

/* 1 for a range of the blob, 0 for all of it, -1 for one outside it. */
static int read_range(struct MHD_Connection *c, uint64_t size, uint64_t *offset, uint64_t *length)
{
    const char *text = null_request_header(c, "x-ms-range");
    uint64_t from, to = UINT64_MAX;

    *offset = 0;
    *length = size;
    if (!text)
        text = null_request_header(c, "Range");
    if (!text || sscanf(text, "bytes=%" SCNu64 "-%" SCNu64, &from, &to) < 1)
        return 0;
    if (from >= size || to < from)
        return -1;
    *offset = from;
    *length = (to < size ? to + 1 : size) - from;
    return 1;
}

static void add_properties(struct MHD_Response *r, const struct set *s, uint64_t index, bool ranged)
{
    char md5[32];

    null_header(r, "ETag", "\"0x8D%012" PRIX64 "\"", index);
    null_header(r, "Last-Modified", DATE);
    null_header(r, "x-ms-creation-time", DATE);
    null_header(r, "x-ms-blob-type", "BlockBlob");
    null_header(r, "x-ms-lease-status", "unlocked");
    null_header(r, "x-ms-lease-state", "available");
    null_header(r, "x-ms-server-encrypted", "true");
    null_header(r, "x-ms-access-tier", "Hot");
    null_header(r, "x-ms-access-tier-inferred", "true");
    null_header(r, "Accept-Ranges", "bytes");
    if (!s->md5)
        return;
    stored_md5(s, index, md5);
    null_header(r, ranged ? "x-ms-blob-content-md5" : "Content-MD5", "%s", md5);
}

static bool says_true(struct MHD_Connection *c, const char *header)
{
    const char *value = null_request_header(c, header);

    return value && strcmp(value, "true") == 0;
}

static void add_range_hash(struct MHD_Connection *c, struct MHD_Response *r, const struct body *b)
{
    unsigned char md5[MD5_SIZE];
    char text[32];

    if (says_true(c, "x-ms-range-get-content-crc64")) {
        crc64_azure_text(text, body_crc(b));
        null_header(r, "x-ms-content-crc64", "%s", text);
    } else if (says_true(c, "x-ms-range-get-content-md5")) {
        body_md5(b, md5);
        md5_text(md5, text);
        null_header(r, "Content-MD5", "%s", text);
    }
}

static enum MHD_Result send_blob(struct MHD_Connection *c, const struct set *s, uint64_t index)
{
    const char *match = null_request_header(c, "If-Match");
    uint64_t offset, length;
    char etag[32];

    (void)snprintf(etag, sizeof(etag), "0x8D%012" PRIX64, index);
    if (match && !strstr(match, etag) && strcmp(match, "*") != 0)
        return refuse(c, MHD_HTTP_PRECONDITION_FAILED, "ConditionNotMet");
    int ranged = read_range(c, s->size, &offset, &length);
    if (ranged < 0)
        return refuse(c, MHD_HTTP_RANGE_NOT_SATISFIABLE, "InvalidRange");
    struct body *b = body_of(index, offset, length);
    struct MHD_Response *r = MHD_create_response_from_iovec((const struct MHD_IoVec *)b->pieces,
                                                            b->count, body_release, b);
    if (!r)
        abort();
    add_common(c, r);
    add_properties(r, s, index, ranged);
    null_header(r, "Content-Type", "application/octet-stream");
    if (ranged) {
        null_header(r, "Content-Range", "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, offset,
                    offset + length - 1, s->size);
        if (length <= RANGE_HASH)
            add_range_hash(c, r, b);
    }
    return null_answer(c, ranged ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, r);
}

/* --- listings --- */

static void list_blob(struct buf *text, const struct set *s, uint64_t index)
{
    char md5[32] = "";

    if (s->md5)
        stored_md5(s, index, md5);
    buf_printf(text,
               "<Blob><Name>o%08" PRIu64 "</Name><Properties><Creation-Time>" DATE
               "</Creation-Time><Last-Modified>" DATE "</Last-Modified><Etag>0x8D%012" PRIX64
               "</Etag><Content-Length>%" PRIu64 "</Content-Length>"
               "<Content-Type>application/octet-stream</Content-Type><Content-Encoding/>"
               "<Content-Language/><Content-CRC64/><Content-MD5>%s</Content-MD5><Cache-Control/>"
               "<Content-Disposition/><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>"
               "<AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus>"
               "<LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>"
               "</Properties><OrMetadata/></Blob>",
               index, index, s->size, md5);
}

static enum MHD_Result list_blobs(struct MHD_Connection *c, const struct set *s)
{
    auto_buf struct buf text = BUF_INIT(64 * 1024 * 1024);
    const char *marker = null_argument(c, "marker"), *prefix = null_argument(c, "prefix");
    const char *limit = null_argument(c, "maxresults");
    uint64_t index = marker && *marker ? strtoull(marker + 1, NULL, 10) : 0;
    long page = limit ? strtol(limit, NULL, 10) : PAGE_MAX, n = 0;
    char name[32];

    if (page < 1 || page > PAGE_MAX)
        page = PAGE_MAX;
    buf_printf(&text,
               "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults "
               "ServiceEndpoint=\"http://127.0.0.1/\" ContainerName=\"%s\"><MaxResults>%ld"
               "</MaxResults><Blobs>",
               s->name, page);
    for (; index < s->count && n < page; index++) {
        (void)snprintf(name, sizeof(name), "o%08" PRIu64, index);
        if (prefix && strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        list_blob(&text, s, index);
        n++;
    }
    buf_text(&text, "</Blobs><NextMarker>");
    if (index < s->count)
        buf_printf(&text, "o%08" PRIu64, index);
    buf_text(&text, "</NextMarker></EnumerationResults>");
    return answer_text(c, &text);
}

static enum MHD_Result list_containers(struct MHD_Connection *c)
{
    auto_buf struct buf text = BUF_INIT(64 * 1024);

    buf_text(&text, "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Containers>");
    for (size_t i = 0; i < account.count; i++)
        buf_printf(&text,
                   "<Container><Name>%s</Name><Properties><Last-Modified>" DATE
                   "</Last-Modified><Etag>\"0x8D0\"</Etag></Properties></Container>",
                   account.list[i].name);
    buf_text(&text, "</Containers><NextMarker/></EnumerationResults>");
    return answer_text(c, &text);
}

/* --- requests --- */

static enum MHD_Result answer_account(struct MHD_Connection *c, const char *comp)
{
    auto_buf struct buf text = BUF_INIT(1024);

    if (comp && strcmp(comp, "list") == 0)
        return list_containers(c);
    buf_text(&text, "<?xml version=\"1.0\" encoding=\"utf-8\"?><StorageServiceProperties>"
                    "<Cors/></StorageServiceProperties>");
    return answer_text(c, &text);
}

static enum MHD_Result answer_container(struct MHD_Connection *c, const struct set *s,
                                        const char *comp)
{
    auto_buf struct buf text = BUF_INIT(1024);

    if (comp && strcmp(comp, "list") == 0)
        return list_blobs(c, s);
    if (comp && strcmp(comp, "acl") == 0)
        buf_text(&text, "<?xml version=\"1.0\" encoding=\"utf-8\"?><SignedIdentifiers/>");
    struct MHD_Response *r = null_response(&text, "application/xml");
    add_common(c, r);
    null_header(r, "ETag", "\"0x8D0\"");
    null_header(r, "Last-Modified", DATE);
    null_header(r, "x-ms-has-immutability-policy", "false");
    null_header(r, "x-ms-has-legal-hold", "false");
    return null_answer(c, MHD_HTTP_OK, r);
}

static enum MHD_Result summarize(struct MHD_Connection *c, const struct set *s)
{
    struct null_summary summary = {0};
    char name[32];

    for (uint64_t i = 0; i < s->count; i++) {
        struct body *b = body_of(i, 0, s->size);
        (void)snprintf(name, sizeof(name), "o%08" PRIu64, i);
        null_summary_add(&summary, name, s->size, body_crc(b));
        body_release(b);
    }
    return null_summary_answer(c, &summary);
}

static const struct set *find_set(const char *name)
{
    for (size_t i = 0; i < account.count; i++)
        if (strcmp(account.list[i].name, name) == 0)
            return &account.list[i];
    return NULL;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *c, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **request)
{
    const char *comp = null_argument(c, "comp"), *rest;
    char first[80], container[80];
    uint64_t index;
    char more;

    (void)context;
    (void)version;
    (void)upload;
    *upload_size = 0;
    if (!*request) {
        *request = &account; /* libmicrohttpd calls again when the head is done with */
        return MHD_YES;
    }
    rest = null_split(path, first, sizeof(first));
    rest = null_split(rest, container, sizeof(container));
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(c, MHD_HTTP_FORBIDDEN, "AuthorizationPermissionMismatch");
    if (!*container)
        return answer_account(c, comp);
    const struct set *s = find_set(strcmp(first, "-") == 0 ? rest : container);
    if (!s)
        return refuse(c, MHD_HTTP_NOT_FOUND, "ContainerNotFound");
    if (strcmp(first, "-") == 0)
        return summarize(c, s);
    if (!*rest)
        return answer_container(c, s, comp);
    if (sscanf(rest, "o%8" SCNu64 "%c", &index, &more) != 1 || index >= s->count)
        return refuse(c, MHD_HTTP_NOT_FOUND, "BlobNotFound");
    return send_blob(c, s, index);
}

/* --- start --- */

static void fill_block(void)
{
    uint64_t state = UINT64_C(0x853c49e6748fea9b);

    for (size_t i = 0; i < BLOCK; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        account.block[i] = (unsigned char)(state >> 32);
    }
}

static int add_set(const char *text)
{
    struct set s = {.md5 = !strstr(text, ":nomd5")};

    if (sscanf(text, "%63[^:]:%" SCNu64 ":%" SCNu64, s.name, &s.count, &s.size) != 3)
        return -1;
    if (s.md5 && s.count <= MD5S_KEPT) {
        s.md5s = xcalloc(s.count, MD5_SIZE);
        for (uint64_t i = 0; i < s.count; i++)
            compute_md5(&s, i, s.md5s[i]);
    }
    account.list = xrealloc(account.list, account.count + 1, sizeof(s));
    account.list[account.count++] = s;
    return 0;
}

static void completed(void *context, struct MHD_Connection *c, void **request,
                      enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)c;
    (void)code;
    *request = NULL;
}

int main(int argc, char **argv)
{
    fill_block();
    for (int i = 2; i < argc; i++)
        if (add_set(argv[i]) < 0)
            argc = 0;
    if (argc < 3) {
        (void)fprintf(stderr, "usage: null-azure PORT NAME:COUNT:SIZE[:nomd5]...\n");
        return 2;
    }
    return null_serve((int)strtol(argv[1], NULL, 10), handle, completed);
}
