// SPDX-License-Identifier: EUPL-1.2
/*
 * Why the object service refuses, finer than enum err_code: what the doors turn into the exact
 * codes of their protocol (one table in each door), and nobody else asks about.
 *
 *     return fault_set(&call->err, FAULT_LEASE_ID_MISSING, "'%s' is leased", name);
 *
 * The reason stands in err.fault; err.code follows from it, so that whoever does not know faults
 * still knows what kind of failure it was.
 */
#ifndef OBJECT_FAULT_H
#define OBJECT_FAULT_H

#include "util/err.h"

enum fault {
    FAULT_NONE = 0,
    FAULT_ACCOUNT_MISSING,
    FAULT_ACCOUNT_DISABLED,
    FAULT_CONTAINER_MISSING,
    FAULT_CONTAINER_EXISTS,
    FAULT_CONTAINER_NOT_EMPTY,
    FAULT_OBJECT_MISSING,
    FAULT_OBJECT_EXISTS,
    FAULT_VERSION_MISSING,
    FAULT_IS_MARKER,        /* S3: the version named is a delete marker */
    FAULT_CONDITION,        /* 412 */
    FAULT_UNMODIFIED,       /* 304 */
    FAULT_SOURCE_CONDITION, /* a condition on the source of a copy */
    FAULT_LEASE_ID_MISSING,
    FAULT_LEASE_ID_OPERATION, /* another id than the lease's, on an operation on the thing */
    FAULT_LEASE_ID_LEASE,     /* the same, on an operation on the lease */
    FAULT_LEASE_ABSENT_OPERATION,
    FAULT_LEASE_ABSENT_LEASE,
    FAULT_LEASE_LOST, /* id given, and the lease has run out */
    FAULT_LEASE_PRESENT,
    FAULT_LEASE_BREAKING_ACQUIRE,
    FAULT_LEASE_BREAKING_CHANGE,
    FAULT_LEASE_BROKEN_RENEW,
    FAULT_SNAPSHOTS_PRESENT,
    FAULT_ON_SNAPSHOT, /* the operation is for the object itself */
    FAULT_ON_CURRENT,  /* the operation is for an earlier version or a snapshot */
    FAULT_TYPE,        /* block, append, page: not this one */
    FAULT_BLOCK_LIST,  /* names a block that is not there */
    FAULT_BLOCK_ID_LENGTH,
    FAULT_BLOCK_COUNT, /* 50,000 committed, or 100,000 staged */
    FAULT_APPEND_POSITION,
    FAULT_SIZE_CONDITION, /* x-ms-blob-condition-maxsize */
    FAULT_SEQUENCE_CONDITION,
    FAULT_TIER_CONDITION, /* when the tier was set */
    FAULT_SEQUENCE_INCREMENT,
    FAULT_RANGE,
    FAULT_PAGE_RANGE,
    FAULT_IMMUTABLE,
    FAULT_LEGAL_HOLD,
    FAULT_IMMUTABLE_LOCKED, /* a locked policy can only be extended */
    FAULT_VERSIONING_NEEDED,
    FAULT_ARCHIVED,
    FAULT_WAKING,
    FAULT_TIER,
    FAULT_SEALED,
    FAULT_MD5,
    FAULT_CRC64,
    FAULT_CHECKSUM,
    FAULT_BODY_SHORT, /* ended before the length announced, or the client went */
    FAULT_TOO_LARGE,
    FAULT_COPY_PENDING,
    FAULT_NO_COPY_PENDING,
    FAULT_COPY_ID,
    FAULT_COPY_SOURCE, /* cannot be read from there */
    FAULT_PREVIOUS_SNAPSHOT,
    FAULT_UPLOAD_MISSING,
    FAULT_PART,       /* not there, or another ETag */
    FAULT_PART_ORDER, /* not rising */
    FAULT_PART_SMALL,
    FAULT_NOT_DELETED,
    FAULT_METADATA,
    FAULT_TAGS,
    FAULT_ARGUMENT,      /* a value that cannot be */
    FAULT_EXPIRED,       /* the upload took longer than its intent lives */
    FAULT_STORE,         /* the provider cannot do it now */
    FAULT_STORE_CORRUPT, /* the provider gave other bytes than were stored */
    FAULT_COUNT
};

/* Set fault, the code that goes with it, and the text; always returns -1. */
int fault_set(struct err *e, enum fault fault, const char *format, ...) printf_like(3, 4);
/* A stable word, for logs and metrics: "lease_id_missing". */
const char *fault_word(enum fault fault);

#endif
