// SPDX-License-Identifier: EUPL-1.2
/* Errors of the Azure Blob door: from reasons to Azure's codes, and their answers. */
#include <assert.h>
#include <string.h>

#include "codec/date.h"
#include "codec/xml.h"
#include "door/azblob/azblob_private.h"
#include "util/log.h"

#define ERROR_BODY_MAX   (512 * 1024)
#define ERROR_DETAIL_MAX 4096

/* The code for a fault, and where it differs the one for containers. */
static const struct {
    enum azblob_code code;
    enum azblob_code container;
} fault_codes[FAULT_COUNT] = {
    [FAULT_ACCOUNT_MISSING] = {AZBLOB_RESOURCE_NOT_FOUND, 0},
    [FAULT_ACCOUNT_DISABLED] = {AZBLOB_ACCOUNT_IS_DISABLED, 0},
    [FAULT_CONTAINER_MISSING] = {AZBLOB_CONTAINER_NOT_FOUND, 0},
    [FAULT_CONTAINER_EXISTS] = {AZBLOB_CONTAINER_ALREADY_EXISTS, 0},
    [FAULT_CONTAINER_NOT_EMPTY] = {AZBLOB_RESOURCE_TYPE_MISMATCH, 0},
    [FAULT_OBJECT_MISSING] = {AZBLOB_BLOB_NOT_FOUND, 0},
    [FAULT_OBJECT_EXISTS] = {AZBLOB_BLOB_ALREADY_EXISTS, 0},
    [FAULT_VERSION_MISSING] = {AZBLOB_VERSION_NOT_FOUND, 0},
    [FAULT_IS_MARKER] = {AZBLOB_BLOB_NOT_FOUND, 0},
    [FAULT_CONDITION] = {AZBLOB_CONDITION_NOT_MET, 0},
    [FAULT_UNMODIFIED] = {AZBLOB_UNMODIFIED, 0},
    [FAULT_SOURCE_CONDITION] = {AZBLOB_SOURCE_CONDITION_NOT_MET, 0},
    [FAULT_LEASE_ID_MISSING] = {AZBLOB_LEASE_ID_MISSING, 0},
    [FAULT_LEASE_ID_OPERATION] = {AZBLOB_LEASE_ID_MISMATCH_WITH_BLOB_OPERATION,
                                  AZBLOB_LEASE_ID_MISMATCH_WITH_CONTAINER_OPERATION},
    [FAULT_LEASE_ID_LEASE] = {AZBLOB_LEASE_ID_MISMATCH_WITH_LEASE_OPERATION, 0},
    [FAULT_LEASE_ABSENT_OPERATION] = {AZBLOB_LEASE_NOT_PRESENT_WITH_BLOB_OPERATION,
                                      AZBLOB_LEASE_NOT_PRESENT_WITH_CONTAINER_OPERATION},
    [FAULT_LEASE_ABSENT_LEASE] = {AZBLOB_LEASE_NOT_PRESENT_WITH_LEASE_OPERATION, 0},
    [FAULT_LEASE_LOST] = {AZBLOB_LEASE_LOST, 0},
    [FAULT_LEASE_PRESENT] = {AZBLOB_LEASE_ALREADY_PRESENT, 0},
    [FAULT_LEASE_BREAKING_ACQUIRE] = {AZBLOB_LEASE_IS_BREAKING_AND_CANNOT_BE_ACQUIRED, 0},
    [FAULT_LEASE_BREAKING_CHANGE] = {AZBLOB_LEASE_IS_BREAKING_AND_CANNOT_BE_CHANGED, 0},
    [FAULT_LEASE_BROKEN_RENEW] = {AZBLOB_LEASE_IS_BROKEN_AND_CANNOT_BE_RENEWED, 0},
    [FAULT_SNAPSHOTS_PRESENT] = {AZBLOB_SNAPSHOTS_PRESENT, 0},
    [FAULT_ON_SNAPSHOT] = {AZBLOB_INVALID_OPERATION, 0},
    [FAULT_TYPE] = {AZBLOB_INVALID_BLOB_TYPE, 0},
    [FAULT_BLOCK_LIST] = {AZBLOB_INVALID_BLOCK_LIST, 0},
    [FAULT_BLOCK_ID_LENGTH] = {AZBLOB_INVALID_BLOB_OR_BLOCK, 0},
    [FAULT_BLOCK_COUNT] = {AZBLOB_BLOCK_COUNT_EXCEEDS_LIMIT, 0},
    [FAULT_APPEND_POSITION] = {AZBLOB_APPEND_POSITION_CONDITION_NOT_MET, 0},
    [FAULT_SIZE_CONDITION] = {AZBLOB_MAX_BLOB_SIZE_CONDITION_NOT_MET, 0},
    [FAULT_SEQUENCE_CONDITION] = {AZBLOB_SEQUENCE_NUMBER_CONDITION_NOT_MET, 0},
    [FAULT_SEQUENCE_INCREMENT] = {AZBLOB_SEQUENCE_NUMBER_INCREMENT_TOO_LARGE, 0},
    [FAULT_TIER_CONDITION] = {AZBLOB_ACCESS_TIER_CHANGE_TIME_CONDITION_NOT_MET, 0},
    [FAULT_RANGE] = {AZBLOB_INVALID_RANGE, 0},
    [FAULT_PAGE_RANGE] = {AZBLOB_INVALID_PAGE_RANGE, 0},
    [FAULT_IMMUTABLE] = {AZBLOB_BLOB_IMMUTABLE_DUE_TO_POLICY,
                         AZBLOB_CONTAINER_IMMUTABLE_DUE_TO_POLICY},
    [FAULT_LEGAL_HOLD] = {AZBLOB_BLOB_IMMUTABLE_DUE_TO_LEGAL_HOLD,
                          AZBLOB_CONTAINER_IMMUTABLE_DUE_TO_POLICY},
    [FAULT_IMMUTABLE_LOCKED] = {AZBLOB_IMMUTABILITY_POLICY_LOCKED, 0},
    [FAULT_VERSIONING_NEEDED] = {AZBLOB_VERSIONING_NOT_ENABLED, 0},
    [FAULT_ARCHIVED] = {AZBLOB_BLOB_ARCHIVED, 0},
    [FAULT_WAKING] = {AZBLOB_BLOB_BEING_REHYDRATED, 0},
    [FAULT_TIER] = {AZBLOB_INVALID_BLOB_TIER, 0},
    [FAULT_SEALED] = {AZBLOB_BLOB_IS_SEALED, 0},
    [FAULT_MD5] = {AZBLOB_MD5_MISMATCH, 0},
    [FAULT_CRC64] = {AZBLOB_CRC64_MISMATCH, 0},
    [FAULT_CHECKSUM] = {AZBLOB_CRC64_MISMATCH, 0},
    [FAULT_BODY_SHORT] = {AZBLOB_BODY_CUT, 0},
    [FAULT_TOO_LARGE] = {AZBLOB_REQUEST_BODY_TOO_LARGE, 0},
    [FAULT_COPY_PENDING] = {AZBLOB_PENDING_COPY_OPERATION, 0},
    [FAULT_NO_COPY_PENDING] = {AZBLOB_NO_PENDING_COPY_OPERATION, 0},
    [FAULT_COPY_ID] = {AZBLOB_COPY_ID_MISMATCH, 0},
    [FAULT_COPY_SOURCE] = {AZBLOB_CANNOT_VERIFY_COPY_SOURCE, 0},
    [FAULT_PREVIOUS_SNAPSHOT] = {AZBLOB_PREVIOUS_SNAPSHOT_NOT_FOUND, 0},
    [FAULT_NOT_DELETED] = {AZBLOB_BLOB_NOT_FOUND, AZBLOB_CONTAINER_NOT_FOUND},
    [FAULT_METADATA] = {AZBLOB_INVALID_METADATA, 0},
    [FAULT_TAGS] = {AZBLOB_INVALID_TAG, 0},
    [FAULT_ARGUMENT] = {AZBLOB_INVALID_INPUT, 0},
    [FAULT_EXPIRED] = {AZBLOB_OPERATION_TIMED_OUT, 0},
    [FAULT_STORE] = {AZBLOB_SERVER_BUSY, 0},
    [FAULT_STORE_CORRUPT] = {AZBLOB_STORE_CORRUPT, 0},
};

static const enum azblob_code reason_codes[ERR_CODE_COUNT] = {
    [ERR_INVALID] = AZBLOB_INVALID_INPUT,
    [ERR_NOT_FOUND] = AZBLOB_RESOURCE_NOT_FOUND,
    [ERR_EXISTS] = AZBLOB_RESOURCE_ALREADY_EXISTS,
    [ERR_CONFLICT] = AZBLOB_RESOURCE_TYPE_MISMATCH,
    [ERR_CHANGED] = AZBLOB_CONDITION_NOT_MET,
    [ERR_UNMODIFIED] = AZBLOB_UNMODIFIED,
    [ERR_DENIED] = AZBLOB_AUTHORIZATION_FAILURE,
    [ERR_UNKNOWN_WHO] = AZBLOB_AUTHENTICATION_FAILED,
    [ERR_CLOCK] = AZBLOB_AUTHENTICATION_FAILED,
    [ERR_BUSY] = AZBLOB_SERVER_BUSY,
    [ERR_TIMEOUT] = AZBLOB_OPERATION_TIMED_OUT,
    [ERR_NETWORK] = AZBLOB_SERVER_BUSY,
    [ERR_REMOTE] = AZBLOB_SERVER_BUSY,
    [ERR_CORRUPT] = AZBLOB_STORE_CORRUPT,
    [ERR_ARCHIVED] = AZBLOB_BLOB_ARCHIVED,
    [ERR_NAME] = AZBLOB_INVALID_RESOURCE_NAME,
    [ERR_RANGE] = AZBLOB_INVALID_RANGE,
    [ERR_NO_SPACE] = AZBLOB_INSUFFICIENT_STORAGE,
    [ERR_QUOTA] = AZBLOB_INSUFFICIENT_STORAGE,
    [ERR_CANCELLED] = AZBLOB_SERVER_BUSY,
};

enum azblob_code azblob_code_of(const struct azblob_request *r, const struct err *e)
{
    enum azblob_code code = AZBLOB_NONE;

    if (e->fault == FAULT_OBJECT_EXISTS && r->create_only)
        return AZBLOB_UNAUTHORIZED_BLOB_OVERWRITE;
    code = azblob_body_fault(r, e);
    if (code)
        return code;
    if (e->fault > FAULT_NONE && e->fault < FAULT_COUNT) {
        code = fault_codes[e->fault].code;
        if (r->target.which == AZBLOB_CONTAINER && fault_codes[e->fault].container)
            code = fault_codes[e->fault].container;
    }
    if (!code)
        code = reason_codes[e->code];
    return code ? code : AZBLOB_INTERNAL_ERROR;
}

int azblob_fail(struct azblob_request *r, enum azblob_code code, struct call *call)
{
    const struct azblob_meaning *meaning = azblob_meaning(code);

    r->code = code;
    return err_set(&call->err, meaning->status >= 500 ? ERR_INTERNAL : ERR_INVALID, "%s",
                   meaning->word);
}

int azblob_fail_source(struct azblob_request *r, enum azblob_code source, struct call *call)
{
    auto_free char *status = xasprintf("%d", azblob_meaning(source)->status);

    r->source = source;
    azblob_say_error(r, "x-ms-copy-source-status-code", status);
    azblob_say_error(r, "x-ms-copy-source-error-code", azblob_meaning(source)->word);
    return azblob_fail(r, AZBLOB_CANNOT_VERIFY_COPY_SOURCE, call);
}

/* Values come from outside and may be long or no text: they are cut and made printable. */
static void add_detail(struct azblob_request *r, const char *element, const char *value)
{
    pairs_add_n(&r->details, element, strlen(element), value, strnlen(value, ERROR_DETAIL_MAX));
}

int azblob_fail_with(struct azblob_request *r, enum azblob_code code, const char *element,
                     const char *value, struct call *call)
{
    if (value)
        add_detail(r, element, value);
    return azblob_fail(r, code, call);
}

int azblob_fail_header(struct azblob_request *r, enum azblob_code code, const char *name,
                       struct call *call)
{
    const char *value = azblob_get(r, name);

    add_detail(r, "HeaderName", name);
    if (value)
        add_detail(r, "HeaderValue", value);
    return azblob_fail(r, code, call);
}

int azblob_fail_query(struct azblob_request *r, enum azblob_code code, const char *key,
                      const char *reason, struct call *call)
{
    const char *value = azblob_query(r, key);

    add_detail(r, "QueryParameterName", key);
    if (value)
        add_detail(r, "QueryParameterValue", value);
    if (reason)
        add_detail(r, "Reason", reason);
    return azblob_fail(r, code, call);
}

static void write_body(struct azblob_request *r, const struct azblob_meaning *meaning,
                       struct buf *body)
{
    char time[DATE_TEXT];

    date_iso8601(time, sizeof(time), r->now, 7);
    xml_head(body);
    xml_open(body, "Error");
    xml_element(body, "Code", meaning->word);
    xml_open(body, "Message");
    xml_escape(body, meaning->message);
    buf_printf(body, "\nRequestId:%s\nTime:%s", r->id, time);
    xml_close(body, "Message");
    for (size_t i = 0; i < r->details.count; i++)
        xml_element(body, r->details.list[i].key, r->details.list[i].value);
    xml_close(body, "Error");
}

/* The client gets Azure's words; what really happened is for the operator.  A client that went away
 * is nobody's failure. */
static void log_failure(const struct azblob_request *r, int status, const struct err *e)
{
    enum log_level level = status == 503 ? LOG_WARNING : LOG_ERROR;

    if (status < 500)
        return;
    if (e->code == ERR_CANCELLED)
        level = LOG_DEBUG;
    log_line(level, "request %s, %s %s: %s", r->id, r->head.method,
             r->operation ? r->operation->name : "?", e->text);
}

static const struct azblob_meaning *meaning_of(struct azblob_request *r, const struct err *e)
{
    const struct azblob_meaning *meaning = azblob_meaning(r->code ? r->code : azblob_code_of(r, e));

    if (!r->source)
        return meaning;
    r->as_source = *azblob_meaning(r->source);
    r->as_source.word = meaning->word;
    return &r->as_source;
}

void azblob_answer_error(struct azblob_request *r, const struct err *e)
{
    const struct azblob_meaning *meaning = meaning_of(r, e);
    auto_buf struct buf body = BUF_INIT(ERROR_BODY_MAX);

    log_failure(r, meaning->status, e);
    pairs_release(&r->answer);
    for (size_t i = 0; i < r->error_answer.count; i++)
        azblob_say(r, r->error_answer.list[i].key, r->error_answer.list[i].value);
    azblob_say(r, "x-ms-error-code", meaning->word);
    r->failure = meaning;
    if (meaning->status == 503)
        azblob_sayf(r, "Retry-After", "%d", e->retry_after > 0 ? e->retry_after : 1);
    /* A HEAD must not even say of which type the body would be: some SDKs would read it. */
    if (r->is_head || meaning->status == 304) {
        azblob_answer(r, meaning->status);
        return;
    }
    write_body(r, meaning, &body);
    azblob_answer_xml(r, meaning->status, &body);
}
