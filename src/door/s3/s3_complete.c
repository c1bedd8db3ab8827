// SPDX-License-Identifier: EUPL-1.2
/*
 * CompleteMultipartUpload.  The parts named must be there with the ETags named; the object's ETag
 * is the MD5 of their MD5s with their number, its checksum that of their checksums (COMPOSITE) or,
 * for the CRCs, of the bytes themselves (FULL_OBJECT), combined from those of the parts.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "codec/xml.h"
#include "crypto/crc.h"
#include "door/s3/s3_multipart.h"

struct assembly {
    struct s3_upload upload;
    struct s3_completion parts;
    struct block_list blocks;
    struct block_choice *choices;
    char (*ids)[S3_PART_ID];
    struct buf digests; /* MD5s, one behind the other */
    struct buf sums;    /* checksums likewise */
    uint64_t size;
    uint64_t crc64; /* of all */
    uint32_t crc32;
    uint32_t crc32c;
    json_t *layout; /* what object_row.parts will be */
    char etag[64];
    char *checksum; /* base64, as told */
};

static void assembly_release(struct assembly *a)
{
    s3_upload_release(&a->upload);
    s3_completion_release(&a->parts);
    block_list_release(&a->blocks);
    free(a->choices);
    free(a->ids);
    buf_release(&a->digests);
    buf_release(&a->sums);
    json_decref(a->layout);
    free(a->checksum);
}

/* ---- One part after the other ---- */

static const struct block_entry *find_part(const struct block_list *l, const char *id)
{
    size_t low = 0, high = l->uncommitted_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(l->uncommitted[middle].block, id);
        if (order == 0)
            return &l->uncommitted[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

static bool digest_of(const json_t *sums, enum checksum_kind kind, unsigned char *ret)
{
    struct err ignored = {0};
    const char *hex = json_text(sums, checksum_word(kind));
    return hex != NULL && hex_decode(hex, ret, checksum_size(kind), &ignored) == 0;
}

static uint32_t word_of(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void combine(struct assembly *a, const json_t *sums, uint64_t length)
{
    unsigned char bytes[8];
    if (digest_of(sums, CHECKSUM_CRC64, bytes))
        a->crc64 = crc64_nvme_combine(a->crc64, (uint64_t)word_of(bytes) << 32 | word_of(bytes + 4),
                                      length);
    if (digest_of(sums, CHECKSUM_CRC32, bytes))
        a->crc32 = crc32_zip_combine(a->crc32, word_of(bytes), length);
    if (digest_of(sums, CHECKSUM_CRC32C, bytes))
        a->crc32c = crc32_castagnoli_combine(a->crc32c, word_of(bytes), length);
}

static int missing_checksum(struct s3_request *r, const struct assembly *a,
                            const struct s3_part_choice *choice, struct call *call)
{
    return s3_failf(r, S3_INVALID_REQUEST, call,
                    "The upload was created using a %s checksum. The complete request must include "
                    "the checksum for each part. It was missing for part %u in the request.",
                    s3_algorithm_small(a->upload.kind), choice->number);
}

/* The part's checksum: into sums, and told in the object's list of parts. */
static int add_checksum(struct s3_request *r, struct assembly *a, const json_t *sums,
                        const struct s3_part_choice *choice, json_t *part, struct call *call)
{
    unsigned char bytes[64];
    auto_buf struct buf text = BUF_INIT(128);
    if (choice->several)
        return s3_fail_argument(r, "Checksum", choice->checksum, call,
                                "Invalid Base64 or multiple checksums present in request");
    if (choice->checksum == NULL && a->upload.composite)
        return missing_checksum(r, a, choice, call);
    if (!digest_of(sums, a->upload.kind, bytes))
        return choice->checksum == NULL ? 0 : s3_fail(r, S3_INVALID_PART, call);
    size_t n = checksum_size(a->upload.kind);
    base64_encode(&text, bytes, n);
    buf_bytes(&a->sums, bytes, n);
    (void)json_object_set_new(part, "checksum", json_string(text.data));
    /* Without a chosen algorithm the client may name any: that was checked when the part came. */
    if (choice->checksum == NULL || a->upload.algorithm == NULL ||
        strcmp(choice->checksum, text.data) == 0)
        return 0;
    if (choice->kind == a->upload.kind)
        return s3_fail(r, S3_INVALID_PART, call);
    return s3_failf(r, S3_BAD_DIGEST, call,
                    "The %s you specified for part %u did not match what we received.",
                    s3_algorithm_small(choice->kind), choice->number);
}

static int add_part(struct s3_request *r, struct assembly *a, size_t i, struct call *call)
{
    const struct s3_part_choice *choice = &a->parts.list[i];
    const struct block_entry *entry = find_part(&a->blocks, a->ids[i]);
    auto_json json_t *sums = NULL;
    unsigned char md5[MD5_SIZE];
    const char *text = entry != NULL ? entry->checksums : NULL;
    if (text == NULL || json_parse(text, strlen(text), &sums, &call->err) < 0 ||
        !digest_of(sums, CHECKSUM_MD5, md5))
        return s3_fail(r, S3_INVALID_PART, call);
    const char *hex = json_text(sums, checksum_word(CHECKSUM_MD5));
    if (strcasecmp(choice->etag, hex) != 0)
        return s3_fail(r, S3_INVALID_PART, call);
    if (entry->size < S3_PART_SIZE_MIN && i + 1 < a->parts.count)
        return s3_fail(r, S3_ENTITY_TOO_SMALL, call);
    json_t *part = json_object();
    (void)json_array_append_new(a->layout, part);
    (void)json_object_set_new(part, "number", json_integer(choice->number));
    (void)json_object_set_new(part, "size", json_integer((json_int_t)entry->size));
    if (add_checksum(r, a, sums, choice, part, call) < 0)
        return -1;
    buf_bytes(&a->digests, md5, sizeof(md5));
    combine(a, sums, entry->size);
    a->size += entry->size;
    a->choices[i] = (struct block_choice){a->ids[i], BLOCK_UNCOMMITTED, choice->etag};
    return 0;
}

/* The commit compares with what was written, in lower case. */
static void normalize(struct s3_completion *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        for (char *c = parts->list[i].etag; c != NULL && *c != '\0'; c++)
            *c = *c >= 'A' && *c <= 'F' ? (char)(*c + 'a' - 'A') : *c;
}

static int assemble(struct s3_request *r, struct assembly *a, struct call *call)
{
    size_t count = a->parts.count;
    a->layout = json_array();
    a->choices = xcalloc(count, sizeof(*a->choices));
    a->ids = xcalloc(count, sizeof(*a->ids));
    normalize(&a->parts);
    if (service_block_list(r->door->options.service, &r->place, NULL, a->upload.row.upload,
                           &a->blocks, call) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(a->ids[i], S3_PART_ID, "%05u", a->parts.list[i].number % 100000U);
        if (add_part(r, a, i, call) < 0)
            return -1;
    }
    return 0;
}

/* ---- The whole ---- */

static void etag_of_parts(const void *digests, size_t length, char ret[64])
{
    char hex[HASH_HEX_SIZE];
    hash_hex(HASH_MD5, digests, length, hex);
    (void)snprintf(ret, 64, "%.32s-%zu", hex, length / MD5_SIZE);
}

static void put_word(unsigned char *bytes, uint32_t word)
{
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(word >> (24 - 8 * i));
}

static size_t composite_digest(const struct assembly *a, unsigned char *ret)
{
    uint64_t crc;
    switch (a->upload.kind) {
    case CHECKSUM_CRC32:
        put_word(ret, crc32_zip(0, a->sums.data, a->sums.length));
        break;
    case CHECKSUM_CRC32C:
        put_word(ret, crc32_castagnoli(0, a->sums.data, a->sums.length));
        break;
    case CHECKSUM_SHA1:
        hash_bytes(HASH_SHA1, a->sums.data, a->sums.length, ret);
        break;
    case CHECKSUM_SHA256:
        hash_bytes(HASH_SHA256, a->sums.data, a->sums.length, ret);
        break;
    default:
        crc = crc64_nvme(0, a->sums.data, a->sums.length);
        put_word(ret, (uint32_t)(crc >> 32));
        put_word(ret + 4, (uint32_t)crc);
    }
    return checksum_size(a->upload.kind);
}

/* JSON for the object's row; a->checksum is what clients are told. */
static char *checksum_whole(struct assembly *a)
{
    struct checksums sums = {0};
    unsigned char bytes[64];
    auto_buf struct buf text = BUF_INIT(128);
    put_word(bytes, (uint32_t)(a->crc64 >> 32));
    put_word(bytes + 4, (uint32_t)a->crc64);
    checksum_set(&sums, CHECKSUM_CRC64, bytes);
    if (a->upload.composite) {
        base64_encode(&text, bytes, composite_digest(a, bytes));
        a->checksum = xasprintf("%s-%zu", text.data, a->parts.count);
        return checksums_json(&sums, a->upload.algorithm, "COMPOSITE", a->checksum);
    }
    if (a->upload.kind == CHECKSUM_CRC32 || a->upload.kind == CHECKSUM_CRC32C) {
        put_word(bytes, a->upload.kind == CHECKSUM_CRC32 ? a->crc32 : a->crc32c);
        checksum_set(&sums, a->upload.kind, bytes);
    }
    base64_encode(&text, bytes, checksum_size(a->upload.kind));
    a->checksum = xstrdup(text.data);
    return checksums_json(&sums, a->upload.algorithm, "FULL_OBJECT", NULL);
}

static int check_size(struct s3_request *r, const struct assembly *a, struct call *call)
{
    const char *size = s3_header(r, "x-amz-mp-object-size");
    auto_free char *right = xasprintf("%llu", (unsigned long long)a->size);
    if (size == NULL || strcmp(size, right) == 0)
        return 0;
    bool negative = size[0] == '-';
    if (size[negative] == '\0' || strspn(size + negative, "0123456789") != strlen(size + negative))
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-mp-object-size header is invalid: '%.40s'", size);
    if (negative)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-mp-object-size header is less than zero: '%.40s'", size);
    return s3_failf(
        r, S3_INVALID_REQUEST, call,
        "The provided 'x-amz-mp-object-size' header value %.40s does not match what was "
        "computed: %s",
        size, right);
}

/* What the client says of the whole must be so. */
static int check_whole(struct s3_request *r, const struct assembly *a, struct call *call)
{
    const char *type = s3_header(r, "x-amz-checksum-type");
    if (check_size(r, a, call) < 0)
        return -1;
    if (type != NULL && strcasecmp(type, a->upload.composite ? "COMPOSITE" : "FULL_OBJECT") != 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The upload was created using the %s checksum mode. The complete request "
                        "must use the same checksum mode.",
                        a->upload.composite ? "COMPOSITE" : "FULL_OBJECT");
    auto_free char *header = xasprintf("x-amz-checksum-%s", s3_algorithm_small(a->upload.kind));
    const char *said = s3_header(r, header);
    size_t length = strcspn(a->checksum, "-");
    if (said != NULL && strcmp(said, a->checksum) != 0 &&
        (strlen(said) != length || strncmp(said, a->checksum, length) != 0))
        return s3_failf(r, S3_BAD_DIGEST, call,
                        "The %s you specified did not match the calculated checksum.",
                        s3_algorithm_name(a->upload.kind));
    return 0;
}

/* One checksum at most, and well formed: "base64", or "base64-parts" of a composite one. */
static int check_said(struct s3_request *r, struct call *call)
{
    const char *type = s3_header(r, "x-amz-checksum-type");
    if (type != NULL && strcasecmp(type, "FULL_OBJECT") != 0 && strcasecmp(type, "COMPOSITE") != 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-checksum-type header is invalid.");
    const struct pair *seen = NULL;
    for (size_t i = 0; i < r->x->headers.count; i++) {
        const struct pair *header = &r->x->headers.list[i];
        enum checksum_kind kind;
        const char *name;
        auto_buf struct buf bytes = BUF_INIT(128);
        struct err ignored = {0};
        if (strncasecmp(header->key, "x-amz-checksum-", 15) != 0 ||
            s3_algorithm_parse(header->key + 15, &kind, &name) < 0)
            continue;
        if (seen != NULL)
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Expecting a single x-amz-checksum- header. Multiple checksum Types "
                            "are not allowed.");
        seen = header;
        size_t n = strcspn(header->value, "-");
        const char *parts = header->value + n + (header->value[n] == '-');
        if (base64_decode(header->value, n, &bytes, &ignored) < 0 ||
            bytes.length != checksum_size(kind) || strspn(parts, "0123456789") != strlen(parts) ||
            (header->value[n] == '-' && *parts == '\0'))
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "Value for x-amz-checksum-%s header is invalid.",
                            s3_algorithm_small(kind));
    }
    return 0;
}

/* ---- The answer ---- */

static int tell(struct s3_request *r, const struct object_row *row, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(64 * 1024);
    auto_free char *etag = s3_etag_of(row);
    auto_free char *quoted = xasprintf("\"%s\"", etag);
    struct s3_checksum checksum;
    auto_buf struct buf path = BUF_INIT(8 * S3_KEY_MAX);
    (void)call;
    buf_printf(&path, "%s://%.300s/%s%s", r->secure ? "https" : "http", r->x->host,
               r->virtual_host ? "" : r->bucket, r->virtual_host ? "" : "/");
    url_escape(&path, r->key, strlen(r->key), URL_KEEP_SLASH);
    s3_xml_root(&body, "CompleteMultipartUploadResult");
    xml_element(&body, "Location", path.data);
    xml_element(&body, "Bucket", r->bucket);
    xml_element(&body, "Key", r->key);
    xml_element(&body, "ETag", quoted);
    if (s3_checksum_of(row->checksums, &checksum)) {
        auto_free char *name = xasprintf("Checksum%s", checksum.algorithm);
        xml_element(&body, name, checksum.value);
        xml_element(&body, "ChecksumType", checksum.type);
    }
    xml_close(&body, "CompleteMultipartUploadResult");
    s3_say_new_version(r, row);
    s3_say_expiration(r, row);
    return s3_answer_xml(r, 200, &body);
}

/* A client that did not hear the answer asks again: the upload is gone, and the object is what the
 * parts named make. */
static int already_done(struct s3_request *r, struct assembly *a, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct err saved = call->err;
    struct err ignored = {0};
    unsigned char md5[MD5_SIZE];
    if (saved.fault != FAULT_UPLOAD_MISSING)
        return -1;
    buf_reset(&a->digests);
    for (size_t i = 0; i < a->parts.count; i++) {
        const char *etag = a->parts.list[i].etag;
        if (hex_decode(etag, md5, sizeof(md5), &ignored) < 0)
            return -1;
        buf_bytes(&a->digests, md5, sizeof(md5));
    }
    etag_of_parts(a->digests.data, a->digests.length, a->etag);
    err_clear(&call->err);
    if (service_stat(r->door->options.service, &r->place, NULL, &row, call) < 0 ||
        !same_string(row.s3_etag, a->etag)) {
        call->err = saved;
        return -1;
    }
    return tell(r, &row, call);
}

static int read_list(struct s3_request *r, struct assembly *a, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (s3_body_xml(r, "CompleteMultipartUpload", &node, call) < 0)
        return -1;
    if (s3_completion_read(node, &a->parts, &call->err) == 0)
        return 0;
    auto_free char *text = xstrdup(call->err.text);
    switch (call->err.code) {
    case ERR_CONFLICT:
        return s3_fail(r, S3_INVALID_PART_ORDER, call);
    case ERR_RANGE:
        return s3_fail_argument(r, "PartNumber", text, call, "PartNumber must be >= 1");
    case ERR_NOT_FOUND:
        return s3_fail(r, S3_INVALID_PART, call);
    default:
        return s3_fail(r, S3_MALFORMED_XML, call);
    }
}

static int complete(struct s3_request *r, struct assembly *a, struct object_row *ret,
                    struct call *call)
{
    struct commit_request request = {.place = r->place};
    struct object_row *o = &a->upload.object;
    if (s3_write_conditions(r, &request.conditions, call) < 0 ||
        s3_upload_open(r, &a->upload, call) < 0 || assemble(r, a, call) < 0)
        return -1;
    free(o->checksums);
    o->checksums = checksum_whole(a);
    if (check_whole(r, a, call) < 0 || s3_default_retention(r, o, call) < 0)
        return -1;
    etag_of_parts(a->digests.data, a->digests.length, a->etag);
    replace_string(&o->s3_etag, a->etag);
    free(o->parts);
    o->parts = json_dumps(a->layout, JSON_COMPACT | JSON_SORT_KEYS);
    request.properties = o;
    request.upload = a->upload.row.upload;
    request.blocks = a->choices;
    request.count = a->parts.count;
    return service_commit(r->door->options.service, &request, ret, call);
}

int s3_complete_upload(struct s3_request *r, struct call *call)
{
    cleanup(assembly_release) struct assembly a = {.upload = S3_UPLOAD_INIT,
                                                   .digests = BUF_INIT(S3_PARTS_MAX * MD5_SIZE),
                                                   .sums = BUF_INIT(S3_PARTS_MAX * SHA256_SIZE)};
    auto_object_row struct object_row row = object_row_new();
    if (read_list(r, &a, call) < 0 || check_said(r, call) < 0)
        return -1;
    if (complete(r, &a, &row, call) < 0)
        return already_done(r, &a, call);
    return tell(r, &row, call);
}
