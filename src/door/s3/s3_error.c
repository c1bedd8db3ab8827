// SPDX-License-Identifier: EUPL-1.2
/* Errors of the S3 door: from reasons to S3's codes, and their answers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "util/log.h"

#define ERROR_BODY_MAX (256 * 1024)
/* So much of each text of the request is told. */
#define ERROR_TEXT_MAX 4096

static const enum s3_code fault_codes[FAULT_COUNT] = {
    [FAULT_ACCOUNT_MISSING] = S3_NO_SUCH_BUCKET,
    [FAULT_ACCOUNT_DISABLED] = S3_ACCOUNT_PROBLEM,
    [FAULT_CONTAINER_MISSING] = S3_NO_SUCH_BUCKET,
    [FAULT_CONTAINER_EXISTS] = S3_BUCKET_ALREADY_OWNED_BY_YOU,
    [FAULT_CONTAINER_NOT_EMPTY] = S3_BUCKET_NOT_EMPTY,
    [FAULT_OBJECT_MISSING] = S3_NO_SUCH_KEY,
    [FAULT_OBJECT_EXISTS] = S3_PRECONDITION_FAILED,
    [FAULT_VERSION_MISSING] = S3_NO_SUCH_VERSION,
    [FAULT_IS_MARKER] = S3_METHOD_NOT_ALLOWED,
    [FAULT_CONDITION] = S3_PRECONDITION_FAILED,
    [FAULT_UNMODIFIED] = S3_NOT_MODIFIED,
    [FAULT_SOURCE_CONDITION] = S3_PRECONDITION_FAILED,
    /* What Azure's clients hold a lease on may not be changed by others. */
    [FAULT_LEASE_ID_MISSING] = S3_ACCESS_DENIED,
    [FAULT_LEASE_ID_OPERATION] = S3_ACCESS_DENIED,
    [FAULT_SNAPSHOTS_PRESENT] = S3_INVALID_REQUEST,
    [FAULT_TYPE] = S3_INVALID_REQUEST,
    [FAULT_BLOCK_LIST] = S3_INVALID_PART,
    [FAULT_RANGE] = S3_INVALID_RANGE,
    [FAULT_IMMUTABLE] = S3_ACCESS_DENIED,
    [FAULT_LEGAL_HOLD] = S3_ACCESS_DENIED,
    [FAULT_IMMUTABLE_LOCKED] = S3_ACCESS_DENIED,
    [FAULT_VERSIONING_NEEDED] = S3_INVALID_REQUEST,
    [FAULT_ARCHIVED] = S3_INVALID_OBJECT_STATE,
    [FAULT_WAKING] = S3_INVALID_OBJECT_STATE,
    [FAULT_TIER] = S3_INVALID_ARGUMENT,
    [FAULT_SEALED] = S3_INVALID_REQUEST,
    [FAULT_MD5] = S3_BAD_DIGEST,
    [FAULT_CRC64] = S3_BAD_DIGEST,
    [FAULT_CHECKSUM] = S3_BAD_DIGEST,
    [FAULT_BODY_SHORT] = S3_INCOMPLETE_BODY,
    [FAULT_TOO_LARGE] = S3_ENTITY_TOO_LARGE,
    [FAULT_UPLOAD_MISSING] = S3_NO_SUCH_UPLOAD,
    [FAULT_PART] = S3_INVALID_PART,
    [FAULT_PART_ORDER] = S3_INVALID_PART_ORDER,
    [FAULT_PART_SMALL] = S3_ENTITY_TOO_SMALL,
    [FAULT_METADATA] = S3_METADATA_TOO_LARGE,
    [FAULT_TAGS] = S3_INVALID_TAG,
    [FAULT_ARGUMENT] = S3_INVALID_ARGUMENT,
    [FAULT_EXPIRED] = S3_REQUEST_TIMEOUT,
    [FAULT_STORE] = S3_SLOW_DOWN,
    [FAULT_STORE_CORRUPT] = S3_INTERNAL_ERROR,
};

enum s3_code s3_code_of(const struct s3_request *r, const struct err *e)
{
    if (r->code != S3_NONE)
        return r->code;
    if (r->body != NULL && r->body->lie != S3_NONE)
        return r->body->lie;
    if (e->fault > 0 && e->fault < FAULT_COUNT && fault_codes[e->fault] != S3_NONE) {
        /* A signed hash that is wrong has a code of its own. */
        bool other =
            r->body != NULL && (r->body->algorithm == NULL || r->body->kind != CHECKSUM_SHA256);
        if (e->fault == FAULT_CHECKSUM && other && strstr(e->text, "sha256") != NULL)
            return S3_CONTENT_SHA256_MISMATCH;
        return fault_codes[e->fault];
    }
    switch (e->code) {
    case ERR_UNKNOWN_WHO:
        return S3_SIGNATURE_DOES_NOT_MATCH;
    case ERR_CLOCK:
        return S3_REQUEST_TIME_TOO_SKEWED;
    case ERR_DENIED:
        return S3_ACCESS_DENIED;
    case ERR_INVALID:
        return S3_INVALID_ARGUMENT;
    case ERR_CORRUPT:
    case ERR_NETWORK:
        return S3_INCOMPLETE_BODY;
    case ERR_TIMEOUT:
        return S3_REQUEST_TIMEOUT;
    case ERR_BUSY:
    case ERR_QUOTA:
        return S3_SLOW_DOWN;
    default:
        return S3_INTERNAL_ERROR;
    }
}

int s3_fail(struct s3_request *r, enum s3_code code, struct call *call)
{
    r->code = code;
    return err_set(&call->err, ERR_INVALID, "%s", s3_code_row(code)->code);
}

static void printf_like(2, 0)
    set_detail(struct s3_request *r, const char *format, va_list arguments)
{
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    free(r->detail);
    r->detail = text;
}

int s3_failf(struct s3_request *r, enum s3_code code, struct call *call, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_detail(r, format, arguments);
    va_end(arguments);
    return s3_fail(r, code, call);
}

int s3_fail_argument(struct s3_request *r, const char *name, const char *value, struct call *call,
                     const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    set_detail(r, format, arguments);
    va_end(arguments);
    s3_explain(r, "ArgumentName", name);
    s3_explain(r, "ArgumentValue", value);
    return s3_fail(r, S3_INVALID_ARGUMENT, call);
}

void s3_explain(struct s3_request *r, const char *element, const char *text)
{
    if (text != NULL)
        pairs_add(&r->details, element, text);
}

static void element_cut(struct buf *body, const char *name, const char *text)
{
    xml_open(body, name);
    xml_escape_n(body, text, strnlen(text, ERROR_TEXT_MAX));
    xml_close(body, name);
}

static void error_body(const struct s3_request *r, const struct s3_code_row *row, struct buf *body)
{
    xml_head(body);
    xml_open(body, "Error");
    xml_element(body, "Code", row->code);
    element_cut(body, "Message", r->detail != NULL ? r->detail : row->message);
    for (size_t i = 0; i < r->details.count; i++)
        element_cut(body, r->details.list[i].key, r->details.list[i].value);
    if (r->key != NULL)
        element_cut(body, "Key", r->key);
    if (r->bucket != NULL)
        element_cut(body, "BucketName", r->bucket);
    element_cut(body, "Resource", r->x->path);
    xml_element(body, "RequestId", r->id);
    xml_element(body, "HostId", r->id);
    xml_close(body, "Error");
}

/* What some refusals say in place of their code's own message. */
static void choose_detail(struct s3_request *r, const struct err *e)
{
    bool locked
    = e->fault == FAULT_IMMUTABLE || e->fault == FAULT_LEGAL_HOLD ||
      e->fault == FAULT_IMMUTABLE_LOCKED;
    bool digest = s3_code_of(r, e) == S3_BAD_DIGEST && e->fault != FAULT_MD5;
    const char *settings = r->container.settings;
    if (r->detail != NULL)
        return;
    if (r->body != NULL && r->body->lie_text[0] != '\0')
        r->detail = xstrdup(r->body->lie_text);
    else if (digest && r->body != NULL && r->body->algorithm != NULL)
        r->detail = xasprintf("The %s you specified did not match the calculated checksum.",
                              r->body->algorithm);
    else if (locked)
        r->detail = xstrdup("Access Denied because object protected by object lock.");
    else if (e->fault == FAULT_CONTAINER_NOT_EMPTY && settings != NULL &&
             strstr(settings, "\"versioning\":") != NULL)
        r->detail = xstrdup("The bucket you tried to delete is not empty. You must delete all "
                            "versions in the bucket.");
}

void s3_answer_error(struct s3_request *r, const struct err *e)
{
    const struct s3_code_row *row = s3_code_row(s3_code_of(r, e));
    r->error_word = row->code;
    if (row->status == 500 || row->status == 503)
        log_line(row->status == 500 ? LOG_ERROR : LOG_WARNING, "S3 request %s: %s", r->id, e->text);
    if (row->status == 503)
        s3_say(r, "Retry-After", "1");
    choose_detail(r, e);
    if (row->status == 304) {
        (void)s3_answer(r, 304);
        return;
    }
    if (r->which == S3_WEBSITE) {
        s3_page_error(r, row);
        return;
    }
    auto_buf struct buf body = BUF_INIT(ERROR_BODY_MAX);
    error_body(r, row, &body);
    (void)s3_answer_xml(r, row->status, &body);
}
