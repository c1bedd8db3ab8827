// SPDX-License-Identifier: EUPL-1.2
/* CopyObject and UploadPartCopy: inside the service, from a bucket of the same account. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "codec/xml.h"
#include "door/s3/s3_multipart.h"
#include "object/copy.h"
#include "object/digest.h"

/* x-amz-copy-source taken apart. */
struct copy_from {
    char *bucket;
    char *key;
    char *version; /* NULL: the current one */
    struct place place;
    struct object_row row;
};

static void copy_from_release(struct copy_from *f)
{
    free(f->bucket);
    free(f->key);
    free(f->version);
    object_row_release(&f->row);
}

static char *decoded(const char *text, size_t n)
{
    auto_buf struct buf out = BUF_INIT(HTTP_ERROR_BODY_MAX);
    struct err ignored = {0};
    if (url_unescape(&out, text, n, false, &ignored) < 0 ||
        memchr(out.data, '\0', out.length) != NULL)
        return NULL;
    return buf_take(&out);
}

/* "[/]bucket/key[?versionId=id]", escaped. */
static int parse_from(struct s3_request *r, struct copy_from *f, struct call *call)
{
    const char *text = s3_header(r, "x-amz-copy-source");
    const char *version = strstr(text, "?versionId=");
    size_t length = version != NULL ? (size_t)(version - text) : strlen(text);
    auto_free char *path = decoded(text, length);
    const char *start = path != NULL && path[0] == '/' ? path + 1 : path;
    const char *slash = start != NULL ? strchr(start, '/') : NULL;
    if (path == NULL)
        return s3_fail_argument(r, "x-amz-copy-source", text, call, "Invalid copy source encoding");
    if (slash == NULL || slash == start || slash[1] == '\0')
        return s3_fail_argument(r, "x-amz-copy-source", text, call,
                                "Invalid copy source object key");
    if (strlen(slash + 1) > S3_KEY_MAX)
        return s3_fail(r, S3_KEY_TOO_LONG, call);
    f->bucket = xstrndup(start, (size_t)(slash - start));
    f->key = xstrdup(slash + 1);
    if (version != NULL) {
        version += strlen("?versionId=");
        f->version = decoded(version, strlen(version));
        if (s3_version_check(r, f->version != NULL ? f->version : "", call) < 0)
            return -1;
    }
    f->place = (struct place){.account = r->account,
                              .container = f->bucket,
                              .name = f->key,
                              .kind = f->version != NULL ? VERSION_ID : VERSION_CURRENT,
                              .version = f->version};
    return 0;
}

/* Parsed, permitted, and there. */
static int open_from(struct s3_request *r, struct copy_from *f, struct call *call)
{
    if (parse_from(r, f, call) < 0 ||
        s3_owner_check(r, "x-amz-source-expected-bucket-owner", call) < 0 ||
        s3_authorize_also(r, f->version != NULL ? "s3:GetObjectVersion" : "s3:GetObject", f->bucket,
                          f->key, call) < 0)
        return -1;
    if (service_stat(r->door->options.service, &f->place, NULL, &f->row, call) < 0)
        return call->err.fault != FAULT_IS_MARKER
                   ? -1
                   : s3_failf(r, S3_INVALID_REQUEST, call,
                              "The version to copy from is a delete marker.");
    if (f->row.versioned != 0)
        s3_say(r, "x-amz-copy-source-version-id", f->row.version);
    return 0;
}

static void result_xml(const char *root, int64_t modified, const char *etag,
                       const struct s3_checksum *checksum, struct buf *body)
{
    auto_free char *quoted = xasprintf("\"%s\"", etag);
    s3_xml_root(body, root);
    s3_xml_time(body, "LastModified", modified);
    xml_element(body, "ETag", quoted);
    if (checksum != NULL) {
        auto_free char *name = xasprintf("Checksum%s", checksum->algorithm);
        xml_element(body, name, checksum->value);
        if (checksum->type[0] != '\0')
            xml_element(body, "ChecksumType", checksum->type);
    }
    xml_close(body, root);
}

/* ---- CopyObject ---- */

/* COPY (false), REPLACE (true). */
static int directive(struct s3_request *r, const char *header, bool *ret, struct call *call)
{
    const char *said = s3_header(r, header);
    *ret = said != NULL && strcmp(said, "REPLACE") == 0;
    if (said != NULL && !*ret && strcmp(said, "COPY") != 0)
        return s3_fail_argument(r, header, said, call, "Unknown %s directive.",
                                strstr(header, "tagging") != NULL ? "tagging" : "metadata");
    return 0;
}

static int drop(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    (void)sink;
    (void)bytes;
    (void)n;
    (void)call;
    return 0;
}

/* Of the whole object, as JSON for its row: another checksum than the source has costs reading it.
 */
static int measure(struct s3_request *r, const struct copy_from *f, enum checksum_kind kind,
                   const char *algorithm, char **ret, struct call *call)
{
    auto_copy_source struct copy_source *source = NULL;
    auto_free char *etag = s3_etag_of(&f->row);
    struct conditions same = {.if_match = etag,
                              .modified_since = TIME_UNKNOWN,
                              .unmodified_since = TIME_UNKNOWN,
                              .s3 = true};
    struct digest_source digests;
    struct checksums sums;
    struct sink nowhere = {.write = drop};
    if (copy_source_open(r->door->options.service, &f->place, &same, 0, (uint64_t)f->row.size,
                         &source, call) < 0)
        return -1;
    digest_init(&digests, copy_source_stream(source), (uint64_t)f->row.size,
                1U << kind | 1U << CHECKSUM_MD5 | 1U << CHECKSUM_SHA256);
    int done = stream_copy(&digests.source, &nowhere, NULL, call);
    if (done == 0) {
        digest_final(&digests, &sums);
        *ret = checksums_json(&sums, algorithm, "FULL_OBJECT", NULL);
    }
    digest_release(&digests);
    return done;
}

/* x-amz-checksum-algorithm; *ret_name NULL where none is asked for. */
static int read_algorithm(struct s3_request *r, enum checksum_kind *ret, const char **ret_name,
                          struct call *call)
{
    const char *asked = s3_header(r, "x-amz-checksum-algorithm");
    *ret_name = NULL;
    if (asked == NULL || s3_algorithm_parse(asked, ret, ret_name) == 0)
        return 0;
    return s3_failf(r, S3_INVALID_REQUEST, call,
                    "Checksum algorithm provided is unsupported. Please try again with any of the "
                    "valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
}

/* *ret stays NULL where the source's checksum will do. */
static int choose_checksum(struct s3_request *r, const struct copy_from *f, enum checksum_kind kind,
                           const char *algorithm, char **ret, struct call *call)
{
    struct s3_checksum there;
    bool has = s3_checksum_of(f->row.checksums, &there);
    if (algorithm == NULL ||
        (has && strcmp(there.algorithm, algorithm) == 0 && strcmp(there.type, "FULL_OBJECT") == 0))
        return 0;
    return measure(r, f, kind, algorithm, ret, call);
}

static int prepare_copy(struct s3_request *r, const struct copy_from *f,
                        struct object_row *properties, struct copy_request *request,
                        struct call *call)
{
    bool metadata, tags;
    if (directive(r, "x-amz-metadata-directive", &metadata, call) < 0 ||
        directive(r, "x-amz-tagging-directive", &tags, call) < 0 ||
        s3_write_conditions(r, &request->conditions, call) < 0 ||
        s3_source_conditions(r, &request->from_conditions, call) < 0 ||
        s3_properties(r, properties, call) < 0 || s3_default_retention(r, properties, call) < 0)
        return -1;
    bool same = strcmp(f->bucket, r->bucket) == 0 && strcmp(f->key, r->key) == 0;
    if (same && !metadata && !tags && f->version == NULL &&
        s3_header(r, "x-amz-storage-class") == NULL && request->checksums == NULL &&
        s3_header(r, "x-amz-server-side-encryption") == NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "This copy request is illegal because it is trying to copy an object to "
                        "itself without changing the object's metadata, storage class, website "
                        "redirect location or encryption attributes.");
    request->from = f->place;
    request->to = r->place;
    request->to.kind = VERSION_CURRENT;
    request->to.version = NULL;
    request->properties = properties;
    request->keep_headers = request->keep_metadata = !metadata;
    request->keep_tags = !tags;
    request->to_type_block = true;
    return 0;
}

int s3_copy_object(struct s3_request *r, struct call *call)
{
    cleanup(copy_from_release) struct copy_from from = {.row = object_row_new()};
    auto_object_row struct object_row properties = object_row_new();
    auto_object_row struct object_row row = object_row_new();
    struct copy_request request = {.keep_headers = true};
    struct s3_checksum checksum;
    auto_free char *checksums = NULL;
    enum checksum_kind kind = CHECKSUM_CRC64;
    const char *algorithm;
    if (read_algorithm(r, &kind, &algorithm, call) < 0 || open_from(r, &from, call) < 0 ||
        choose_checksum(r, &from, kind, algorithm, &checksums, call) < 0)
        return -1;
    request.checksums = checksums;
    if (prepare_copy(r, &from, &properties, &request, call) < 0)
        return -1;
    if (same_string(from.row.tier, "Archive"))
        return s3_fail(r, S3_INVALID_OBJECT_STATE, call);
    if (service_copy(r->door->options.service, &request, &row, call) < 0)
        return call->err.fault == FAULT_COPY_SOURCE ? s3_fail(r, S3_NO_SUCH_BUCKET, call) : -1;
    auto_buf struct buf body = BUF_INIT(64 * 1024);
    auto_free char *etag = s3_etag_of(&row);
    bool has = s3_checksum_of(row.checksums, &checksum);
    result_xml("CopyObjectResult", row.modified, etag, has ? &checksum : NULL, &body);
    s3_say_new_version(r, &row);
    s3_say_expiration(r, &row);
    return s3_answer_xml(r, 200, &body);
}

/* ---- UploadPartCopy ---- */

/* x-amz-copy-source-range: "bytes=first-last", both said and inside the object. */
static int copy_range(struct s3_request *r, uint64_t size, uint64_t *ret_offset,
                      uint64_t *ret_length, struct call *call)
{
    const char *text = s3_header(r, "x-amz-copy-source-range");
    uint64_t first, last;
    int end = 0;
    *ret_offset = 0;
    *ret_length = size;
    if (text == NULL)
        return 0;
    if (strncmp(text, "bytes=", 6) != 0 || text[6] < '0' || text[6] > '9' ||
        sscanf(text + 6, "%" SCNu64 "-%" SCNu64 "%n", &first, &last, &end) != 2 ||
        text[6 + end] != '\0' || first > last)
        return s3_fail_argument(
            r, "x-amz-copy-source-range", text, call,
            "The x-amz-copy-source-range value must be of the form bytes=first-last "
            "where first and last are the zero-based offsets of the first and last "
            "bytes to copy");
    if (last >= size)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Range specified is not valid for source object of size: %" PRIu64, size);
    *ret_offset = first;
    *ret_length = last - first + 1;
    return 0;
}

static int stage_copy(struct s3_request *r, const struct s3_upload *upload,
                      struct copy_source *source, const char *part, struct checksums *ret,
                      struct call *call)
{
    struct stage_request request = {.place = r->place,
                                    .conditions = CONDITIONS_INIT,
                                    .upload = upload->row.upload,
                                    .block = part,
                                    .algorithm = upload->algorithm,
                                    .body = copy_source_stream(source),
                                    .size = copy_source_size(source),
                                    .wanted = 1U << CHECKSUM_MD5 | 1U << upload->kind};
    return service_stage(r->door->options.service, &request, ret, call);
}

static void part_checksum(const struct s3_upload *upload, struct checksums *sums,
                          struct s3_checksum *ret)
{
    auto_buf struct buf text = BUF_INIT(128);
    base64_encode(&text, checksum_bytes(sums, upload->kind), checksum_size(upload->kind));
    *ret = (struct s3_checksum){.type = ""};
    (void)snprintf(ret->algorithm, sizeof(ret->algorithm), "%s", upload->algorithm);
    (void)snprintf(ret->value, sizeof(ret->value), "%s", text.data);
}

int s3_upload_part_copy(struct s3_request *r, struct call *call)
{
    cleanup(copy_from_release) struct copy_from from = {.row = object_row_new()};
    cleanup(s3_upload_release) struct s3_upload upload = S3_UPLOAD_INIT;
    auto_copy_source struct copy_source *source = NULL;
    struct conditions conditions;
    struct s3_checksum checksum;
    struct checksums sums;
    uint64_t offset, length;
    char part[S3_PART_ID], etag[33];
    if (s3_part_number(r, part, call) < 0 || open_from(r, &from, call) < 0 ||
        s3_upload_open(r, &upload, call) < 0 || s3_source_conditions(r, &conditions, call) < 0 ||
        copy_range(r, (uint64_t)from.row.size, &offset, &length, call) < 0)
        return -1;
    /* What was measured is what is read. */
    auto_free char *seen = s3_etag_of(&from.row);
    if (conditions.if_match == NULL)
        conditions.if_match = seen;
    if (copy_source_open(r->door->options.service, &from.place, &conditions, offset, length,
                         &source, call) < 0 ||
        stage_copy(r, &upload, source, part, &sums, call) < 0)
        return -1;
    hex_encode(etag, sums.md5, sizeof(sums.md5));
    if (upload.algorithm != NULL)
        part_checksum(&upload, &sums, &checksum);
    auto_buf struct buf body = BUF_INIT(64 * 1024);
    result_xml("CopyPartResult", r->now, etag, upload.algorithm != NULL ? &checksum : NULL, &body);
    return s3_answer_xml(r, 200, &body);
}
