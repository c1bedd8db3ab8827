// SPDX-License-Identifier: EUPL-1.2
/*
 * Multipart uploads: create, upload a part, abort.  Completing is in s3_complete.c, listing in
 * s3_uploads.c.
 *
 * A part is a staged block whose id is its number in five digits.  What the upload was begun with
 * waits in the upload's row: {"object": row, "algorithm": "CRC32", "type": "COMPOSITE"}.
 */
#include "door/s3/s3_multipart.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/xml.h"

/* ---- What the upload was begun with ---- */

/* x-amz-checksum-algorithm and -type; without them S3 keeps a CRC-64 of the whole. */
static int checksum_choice(struct s3_request *r, const char **ret_algorithm, const char **ret_type,
                           struct call *call)
{
    const char *asked = s3_header(r, "x-amz-checksum-algorithm");
    const char *type = s3_header(r, "x-amz-checksum-type");
    enum checksum_kind kind = CHECKSUM_CRC64;
    *ret_algorithm = NULL;
    if (asked != NULL && s3_algorithm_parse(asked, &kind, ret_algorithm) < 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Checksum algorithm provided is unsupported. Please try again with any of "
                        "the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]");
    bool wants_whole = type != NULL && strcasecmp(type, "FULL_OBJECT") == 0;
    if (type != NULL && !wants_whole && strcasecmp(type, "COMPOSITE") != 0)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Value for x-amz-checksum-type header is invalid.");
    if (type != NULL && asked == NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The x-amz-checksum-type header can only be used with the "
                        "x-amz-checksum-algorithm header.");
    bool whole = kind == CHECKSUM_CRC64;
    bool digest = kind == CHECKSUM_SHA1 || kind == CHECKSUM_SHA256;
    *ret_type = whole ? "FULL_OBJECT" : "COMPOSITE";
    if (type == NULL)
        return 0;
    if ((wants_whole && digest) || (!wants_whole && whole))
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "The %s checksum type cannot be used with the %s checksum algorithm.",
                        wants_whole ? "FULL_OBJECT" : "COMPOSITE", s3_algorithm_small(kind));
    *ret_type = wants_whole ? "FULL_OBJECT" : "COMPOSITE";
    return 0;
}

static char *upload_to_json(const struct object_row *object, const char *algorithm,
                            const char *type)
{
    auto_json json_t *json = json_object();
    (void)json_object_set_new(json, "object", row_to_json(&object_table, object));
    if (algorithm != NULL)
        (void)json_object_set_new(json, "algorithm", json_string(algorithm));
    (void)json_object_set_new(json, "type", json_string(type));
    return json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
}

void s3_upload_release(struct s3_upload *u)
{
    object_row_release(&u->object);
    upload_row_release(&u->row);
}

int s3_upload_open(struct s3_request *r, struct s3_upload *ret, struct call *call)
{
    auto_json json_t *json = NULL;
    const char *id = s3_query(r, "uploadId");
    if (service_upload_get(r->door->options.service, &r->place, id, &ret->row, call) < 0)
        return -1;
    const char *text = ret->row.properties != NULL ? ret->row.properties : "{}";
    const json_t *object;
    if (json_parse(text, strlen(text), &json, &call->err) < 0)
        return -1;
    object = json_object_get(json, "object");
    if (object != NULL && row_from_json(&object_table, object, &ret->object, &call->err) < 0)
        return -1;
    const char *algorithm = json_text(json, "algorithm");
    const char *type = json_text(json, "type");
    ret->kind = CHECKSUM_CRC64;
    if (algorithm != NULL && s3_algorithm_parse(algorithm, &ret->kind, &ret->algorithm) < 0)
        return err_set(&call->err, ERR_INTERNAL, "upload '%s' has an unknown checksum", id);
    ret->composite = type != NULL && strcmp(type, "COMPOSITE") == 0;
    return 0;
}

/* ---- Create ---- */

int s3_create_upload(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row properties = object_row_new();
    auto_free char *upload = NULL;
    const char *algorithm = NULL, *type = NULL;
    if (s3_properties(r, &properties, call) < 0 ||
        checksum_choice(r, &algorithm, &type, call) < 0 || s3_lock_check(r, &properties, call) < 0)
        return -1;
    auto_free char *json = upload_to_json(&properties, algorithm, type);
    if (service_upload_begin(r->door->options.service, &r->place, json, r->principal, &upload,
                             call) < 0)
        return -1;
    auto_buf struct buf body = BUF_INIT(64 * 1024);
    s3_xml_root(&body, "InitiateMultipartUploadResult");
    xml_element(&body, "Bucket", r->bucket);
    xml_element(&body, "Key", r->key);
    xml_element(&body, "UploadId", upload);
    xml_close(&body, "InitiateMultipartUploadResult");
    if (algorithm != NULL) {
        s3_say(r, "x-amz-checksum-algorithm", algorithm);
        s3_say(r, "x-amz-checksum-type", type);
    }
    return s3_answer_xml(r, 200, &body);
}

/* ---- A part ---- */

int s3_part_number(struct s3_request *r, char ret[S3_PART_ID], struct call *call)
{
    unsigned number = 0;
    if (s3_query(r, "uploadId") == NULL)
        return s3_fail_argument(r, "partNumber", s3_query(r, "partNumber"), call,
                                "This operation does not accept partNumber without uploadId");
    if (s3_number_of_part(r, &number, call) < 0)
        return -1;
    (void)snprintf(ret, S3_PART_ID, "%05u", number % 100000U);
    return 0;
}

void s3_say_part(struct s3_request *r, const struct s3_upload *u, const struct checksums *sums,
                 char ret_etag[33])
{
    struct checksums copy = *sums;
    hex_encode(ret_etag, copy.md5, sizeof(copy.md5));
    const char *algorithm = u->algorithm;
    enum checksum_kind kind = u->kind;
    if (algorithm == NULL && r->body != NULL && r->body->algorithm != NULL) {
        algorithm = r->body->algorithm;
        kind = r->body->kind;
    }
    if (algorithm == NULL || (copy.have & (1U << kind)) == 0)
        return;
    auto_buf struct buf text = BUF_INIT(128);
    base64_encode(&text, checksum_bytes(&copy, kind), checksum_size(kind));
    auto_free char *name = xasprintf("x-amz-checksum-%s", algorithm);
    for (char *c = name; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
    s3_say(r, name, text.data);
}

int s3_put_part(struct s3_request *r, struct call *call)
{
    cleanup(s3_upload_release) struct s3_upload upload = S3_UPLOAD_INIT;
    struct checksums sums;
    char part[S3_PART_ID], etag[33];
    if (s3_part_number(r, part, call) < 0 || s3_upload_open(r, &upload, call) < 0)
        return -1;
    bool other = r->body->algorithm != NULL ? upload.kind != r->body->kind : upload.composite;
    if (upload.algorithm != NULL && other)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Checksum Type mismatch occurred, expected checksum Type: %s, actual "
                        "checksum Type: %s",
                        upload.algorithm, r->body->algorithm != NULL ? r->body->algorithm : "null");
    struct stage_request request = {.place = r->place,
                                    .conditions = CONDITIONS_INIT,
                                    .upload = upload.row.upload,
                                    .block = part,
                                    .algorithm = r->body->algorithm};
    s3_body_into(r, &request);
    request.wanted |= 1U << CHECKSUM_MD5 | 1U << upload.kind;
    if (s3_body_end(r, call) < 0 ||
        service_stage(r->door->options.service, &request, &sums, call) < 0)
        return -1;
    s3_say_part(r, &upload, &sums, etag);
    s3_sayf(r, "ETag", "\"%s\"", etag);
    return s3_answer(r, 200);
}

/* ---- Abort ---- */

/* x-amz-if-match-initiated-time, where it lies in the past. */
static int check_initiated(struct s3_request *r, const char *id, struct call *call)
{
    auto_upload_row struct upload_row row = upload_row_new();
    const char *said = s3_header(r, "x-amz-if-match-initiated-time");
    struct err ignored = {0};
    int64_t time;
    if (said == NULL || date_parse_rfc1123(said, &time, &ignored) < 0 || time > r->now)
        return 0;
    if (service_upload_get(r->door->options.service, &r->place, id, &row, call) < 0)
        return -1;
    return time / CLOCK_SECOND == row.created / CLOCK_SECOND
               ? 0
               : s3_fail(r, S3_PRECONDITION_FAILED, call);
}

int s3_abort_upload(struct s3_request *r, struct call *call)
{
    const char *id = s3_query(r, "uploadId");
    if (check_initiated(r, id, call) < 0 ||
        service_upload_abort(r->door->options.service, &r->place, id, call) < 0)
        return -1;
    return s3_answer(r, 204);
}
