// SPDX-License-Identifier: EUPL-1.2
/* Reasons of the object service: see fault.h. */
#include "object/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *word;
    enum err_code code;
} faults[FAULT_COUNT] = {
    [FAULT_NONE] = {"none", ERR_INTERNAL},
    [FAULT_ACCOUNT_MISSING] = {"account_missing", ERR_NOT_FOUND},
    [FAULT_ACCOUNT_DISABLED] = {"account_disabled", ERR_DENIED},
    [FAULT_CONTAINER_MISSING] = {"container_missing", ERR_NOT_FOUND},
    [FAULT_CONTAINER_EXISTS] = {"container_exists", ERR_EXISTS},
    [FAULT_CONTAINER_NOT_EMPTY] = {"container_not_empty", ERR_CONFLICT},
    [FAULT_OBJECT_MISSING] = {"object_missing", ERR_NOT_FOUND},
    [FAULT_OBJECT_EXISTS] = {"object_exists", ERR_EXISTS},
    [FAULT_VERSION_MISSING] = {"version_missing", ERR_NOT_FOUND},
    [FAULT_IS_MARKER] = {"is_marker", ERR_CONFLICT},
    [FAULT_CONDITION] = {"condition", ERR_CHANGED},
    [FAULT_UNMODIFIED] = {"unmodified", ERR_UNMODIFIED},
    [FAULT_SOURCE_CONDITION] = {"source_condition", ERR_CHANGED},
    [FAULT_LEASE_ID_MISSING] = {"lease_id_missing", ERR_CHANGED},
    [FAULT_LEASE_ID_OPERATION] = {"lease_id_operation", ERR_CHANGED},
    [FAULT_LEASE_ID_LEASE] = {"lease_id_lease", ERR_CONFLICT},
    [FAULT_LEASE_ABSENT_OPERATION] = {"lease_absent_operation", ERR_CHANGED},
    [FAULT_LEASE_ABSENT_LEASE] = {"lease_absent_lease", ERR_CONFLICT},
    [FAULT_LEASE_LOST] = {"lease_lost", ERR_CHANGED},
    [FAULT_LEASE_PRESENT] = {"lease_present", ERR_CONFLICT},
    [FAULT_LEASE_BREAKING_ACQUIRE] = {"lease_breaking_acquire", ERR_CONFLICT},
    [FAULT_LEASE_BREAKING_CHANGE] = {"lease_breaking_change", ERR_CONFLICT},
    [FAULT_LEASE_BROKEN_RENEW] = {"lease_broken_renew", ERR_CONFLICT},
    [FAULT_SNAPSHOTS_PRESENT] = {"snapshots_present", ERR_CONFLICT},
    [FAULT_ON_SNAPSHOT] = {"on_snapshot", ERR_INVALID},
    [FAULT_ON_CURRENT] = {"on_current", ERR_CONFLICT},
    [FAULT_TYPE] = {"type", ERR_CONFLICT},
    [FAULT_BLOCK_LIST] = {"block_list", ERR_INVALID},
    [FAULT_BLOCK_ID_LENGTH] = {"block_id_length", ERR_INVALID},
    [FAULT_BLOCK_COUNT] = {"block_count", ERR_CONFLICT},
    [FAULT_APPEND_POSITION] = {"append_position", ERR_CHANGED},
    [FAULT_SIZE_CONDITION] = {"size_condition", ERR_CHANGED},
    [FAULT_TIER_CONDITION] = {"tier_condition", ERR_CHANGED},
    [FAULT_SEQUENCE_CONDITION] = {"sequence_condition", ERR_CHANGED},
    [FAULT_SEQUENCE_INCREMENT] = {"sequence_increment", ERR_CONFLICT},
    [FAULT_RANGE] = {"range", ERR_RANGE},
    [FAULT_PAGE_RANGE] = {"page_range", ERR_RANGE},
    [FAULT_IMMUTABLE] = {"immutable", ERR_CONFLICT},
    [FAULT_LEGAL_HOLD] = {"legal_hold", ERR_CONFLICT},
    [FAULT_IMMUTABLE_LOCKED] = {"immutable_locked", ERR_CONFLICT},
    [FAULT_VERSIONING_NEEDED] = {"versioning_needed", ERR_CONFLICT},
    [FAULT_ARCHIVED] = {"archived", ERR_ARCHIVED},
    [FAULT_WAKING] = {"waking", ERR_ARCHIVED},
    [FAULT_TIER] = {"tier", ERR_INVALID},
    [FAULT_SEALED] = {"sealed", ERR_CONFLICT},
    [FAULT_MD5] = {"md5", ERR_INVALID},
    [FAULT_CRC64] = {"crc64", ERR_INVALID},
    [FAULT_CHECKSUM] = {"checksum", ERR_INVALID},
    [FAULT_BODY_SHORT] = {"body_short", ERR_NETWORK},
    [FAULT_TOO_LARGE] = {"too_large", ERR_INVALID},
    [FAULT_COPY_PENDING] = {"copy_pending", ERR_CONFLICT},
    [FAULT_NO_COPY_PENDING] = {"no_copy_pending", ERR_CONFLICT},
    [FAULT_COPY_ID] = {"copy_id", ERR_CONFLICT},
    [FAULT_COPY_SOURCE] = {"copy_source", ERR_NOT_FOUND},
    [FAULT_PREVIOUS_SNAPSHOT] = {"previous_snapshot", ERR_CONFLICT},
    [FAULT_UPLOAD_MISSING] = {"upload_missing", ERR_NOT_FOUND},
    [FAULT_PART] = {"part", ERR_INVALID},
    [FAULT_PART_ORDER] = {"part_order", ERR_INVALID},
    [FAULT_PART_SMALL] = {"part_small", ERR_INVALID},
    [FAULT_NOT_DELETED] = {"not_deleted", ERR_CONFLICT},
    [FAULT_METADATA] = {"metadata", ERR_INVALID},
    [FAULT_TAGS] = {"tags", ERR_INVALID},
    [FAULT_ARGUMENT] = {"argument", ERR_INVALID},
    [FAULT_EXPIRED] = {"expired", ERR_TIMEOUT},
    [FAULT_STORE] = {"store", ERR_BUSY},
    [FAULT_STORE_CORRUPT] = {"store_corrupt", ERR_CORRUPT},
};

int fault_set(struct err *e, enum fault fault, const char *format, ...)
{
    assert(fault > FAULT_NONE && fault < FAULT_COUNT);
    char text[sizeof(e->text)];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)err_set(e, faults[fault].code, "%s", text);
    e->fault = (int)fault;
    return -1;
}

const char *fault_word(enum fault fault)
{
    return (unsigned)fault < FAULT_COUNT ? faults[fault].word : "unknown";
}
