// SPDX-License-Identifier: EUPL-1.2
/*
 * The rows of the index: which objects exist, and where their bodies lie.
 *
 *   account -< container -< object >- layout -< extent >- piece   (committed: what exists)
 *                      \-< block >- piece                    (staged, not yet part of an object)
 *                      \-< upload                            (a multipart upload under way)
 *   intent, garbage                                          (pieces on their way in and out)
 *   role, credential                                         (who may do what)
 *
 * A body is an ordered list of extents, each a range of a piece; a piece is one immutable thing in
 * a store under a key that is never used again, and may be shared by many extents (snapshots,
 * copies).  What no extent covers reads as zeros (page objects).
 *
 * COLUMN_NAME (bound with db_bind_blob()): the names of objects (object, block, upload), the keys
 * of pieces (piece, intent, garbage) and role_row.prefix.  All other strings are TEXT, ordered
 * bytewise on both databases.  COLUMN_TIME: created, changed, modified, deleted, deleted_until,
 * lease_until, tier_changed, immutable_until, goes_at, expires of an intent, after.
 *
 * docs/formats/index.md describes the tables for people; schema.c makes them.
 */
#ifndef INDEX_ROWS_H
#define INDEX_ROWS_H

#include "index/row.h"
#include "util/clock.h"

struct account_row {
    char *name;
    char *key1; /* base64 of 64 bytes */
    char *key2;
    char *delegation_secret; /* derives user delegation keys; base64 of 32 bytes */
    int64_t created;
    int64_t changed;
    int64_t disabled;
    char *settings; /* JSON, see docs/formats/index.md: versioning, delete_retention_days,
                       container_retention_days, cors, website, default_service_version ... */
};

/* enum lease_word: as stored; whether one has run out is told by lease_until */
enum lease_state { LEASE_NONE, LEASE_TAKEN, LEASE_BREAKING, LEASE_BROKEN };

struct container_row {
    int64_t id;
    char *account;
    char *name;
    char *etag; /* without quotes */
    int64_t created;
    int64_t modified;
    char *metadata; /* JSON array of [key, value] */
    char *access;   /* NULL private, "blob", "container" */
    char *policies; /* JSON array of {id, start, expiry, permissions} */
    char *settings; /* JSON: versioning, cors, website, lifecycle, bucket policy, ... */
    char *lease_id;
    int64_t lease_state;   /* enum lease_state */
    int64_t lease_seconds; /* -1 for ever */
    int64_t lease_until;   /* end of lease or of the breaking period; TIME_UNKNOWN: none */
    char *immutability;    /* JSON: days, state, protected_append */
    char *legal_holds;     /* JSON array of tags; NULL none */
    char *owner;
    int64_t deleted;       /* when it was soft-deleted; TIME_UNKNOWN: it is there */
    int64_t deleted_until; /* when it goes for good */
    char *deleted_version; /* Azure's x-ms-deleted-container-version */
};

/* What an object row is. */
enum object_state {
    OBJECT_VERSION = 0,  /* an earlier version */
    OBJECT_SNAPSHOT = 1, /* Azure snapshot */
};

struct object_row {
    int64_t id;
    int64_t container;
    char *name;
    int64_t current;   /* 1: the one a plain read gives; at most one of a name */
    char *version;     /* "2026-11-22T10:00:00.1234567Z": unique of a name, rises; of a snapshot its
                          time.  Also set where versioning is off (then nobody shows it) */
    int64_t state;     /* enum object_state; where current is 1: OBJECT_VERSION */
    int64_t versioned; /* made while versioning was on: its version id is shown (S3: not "null") */
    int64_t marker;    /* S3 delete marker: no body */
    int64_t type;      /* enum object_type (store/object.h) */
    int64_t size;
    int64_t layout; /* which extents are the body; 0: none.  Shared by snapshots, versions and
                       copies with the same bytes; extents beyond size do not count (an append
                       object goes on in the layout its snapshots share) */
    char *etag; /* Azure's form without quotes: "0x8D..." ; changes with every write of the row */
    char *s3_etag; /* S3's form without quotes: hex MD5, or hex MD5-parts; NULL: from etag */
    int64_t created;
    int64_t modified;
    int64_t deleted;       /* soft-deleted; TIME_UNKNOWN: not */
    int64_t deleted_until; /* when it goes for good */
    char *content_type;
    char *content_encoding;
    char *content_language;
    char *content_disposition;
    char *cache_control;
    char *content_md5; /* Azure's property, base64: a claim of the writer, or computed on put */
    char *expires;     /* S3's header */
    char *checksums;   /* JSON: digests we computed over the body, hex: md5, crc64, sha256, ...; S3
                          checksum algorithm, type and value */
    char *metadata;    /* JSON array of [key, value], case kept; NULL none */
    char *tags;        /* JSON array of [key, value]; NULL none */
    char *tier;        /* NULL: default (Hot, inferred) */
    int64_t tier_changed;
    char *waking; /* "rehydrate-pending-to-hot High" and its kind: told for a while */
    char *lease_id;
    int64_t lease_state;
    int64_t lease_seconds;
    int64_t lease_until;
    int64_t sequence; /* page objects */
    int64_t blocks;   /* append: committed blocks */
    int64_t sealed;
    int64_t immutable_until; /* TIME_UNKNOWN: none */
    char *immutable_mode;    /* "unlocked", "locked", "governance", "compliance" */
    int64_t legal_hold;
    char *copy;      /* JSON: id, source, status, progress, completed, reason; NULL none */
    int64_t goes_at; /* expiry of the object itself; TIME_UNKNOWN: none */
    char *owner;
    char *parts; /* JSON of a multipart object's part sizes and checksums; NULL */
};

struct piece_row {
    int64_t id;
    char *store;     /* name in the configuration */
    char *container; /* there */
    char *key;       /* there */
    int64_t size;
    int64_t crc64; /* CRC-64/NVME of its bytes, as a bit pattern */
};

struct extent_row {
    int64_t layout; /* object_row.layout */
    int64_t start;  /* in the object */
    int64_t length;
    int64_t piece;
    int64_t piece_start;
    char *block; /* block id of a committed block; NULL */
};

struct block_row {
    int64_t container;
    char *name;
    char *upload; /* S3 upload id; "" for Azure's blocks */
    char *block;  /* base64 id (Azure) or five-digit part number (S3) */
    int64_t piece;
    int64_t piece_start;
    int64_t size;
    int64_t created;
    char *checksums; /* JSON as in object_row */
};

struct upload_row {
    char *upload;
    int64_t container;
    char *name;
    int64_t created;
    char *properties; /* JSON of a partly filled object_row, and checksum algorithm */
    char *owner;
};

struct intent_row {
    int64_t piece;
    char *store;
    char *container;
    char *key;
    char *gateway;
    int64_t expires;
};

struct garbage_row {
    int64_t piece;
    char *store;
    char *container;
    char *key;
    int64_t after; /* removed from its store no earlier: readers may still be inside */
};

/* A grant: a principal has a role on a scope (auth/policy.h). */
struct role_row {
    int64_t id;
    char *principal; /* "user:...", "group:...", "app:..." */
    char *role;
    char *account; /* NULL: all */
    char *container;
    char *prefix;
    int64_t created;
};

/* An access key of the S3 door. */
struct credential_row {
    char *access_key;
    char *secret_key;
    char *account;
    char *principal; /* whose roles it has; NULL: the account's own, as its Shared Key */
    int64_t created;
    int64_t disabled;
};

/* A tag of a current object, for finding; derived from object_row.tags, not journaled. */
struct tag_row {
    int64_t object;
    char *key;
    char *value;
    int64_t container;
};

extern const struct table account_table, container_table, object_table, piece_table, extent_table,
    block_table, upload_table, intent_table, garbage_table, role_table, credential_table, tag_table;
/* All of them; the table of a name, or NULL. */
#define INDEX_TABLES 12
extern const struct table *const index_tables[INDEX_TABLES];
const struct table *index_table(const char *name);

/* Declares X_row_release() and X_row_new(); the words auto_X_row follow. */
#define ROW_FUNCTIONS(name)                                       \
    static inline void name##_row_release(struct name##_row *row) \
    {                                                             \
        row_release(&name##_table, row);                          \
    }                                                             \
    static inline struct name##_row name##_row_new(void)          \
    {                                                             \
        struct name##_row row;                                    \
        row_init(&name##_table, &row);                            \
        return row;                                               \
    }
ROW_FUNCTIONS(account)
ROW_FUNCTIONS(container)
ROW_FUNCTIONS(object)
ROW_FUNCTIONS(piece)
ROW_FUNCTIONS(extent)
ROW_FUNCTIONS(block)
ROW_FUNCTIONS(upload)
ROW_FUNCTIONS(intent)
ROW_FUNCTIONS(garbage)
ROW_FUNCTIONS(role)
ROW_FUNCTIONS(credential)
ROW_FUNCTIONS(tag)
#define auto_account_row    cleanup(account_row_release)
#define auto_container_row  cleanup(container_row_release)
#define auto_object_row     cleanup(object_row_release)
#define auto_piece_row      cleanup(piece_row_release)
#define auto_extent_row     cleanup(extent_row_release)
#define auto_block_row      cleanup(block_row_release)
#define auto_upload_row     cleanup(upload_row_release)
#define auto_intent_row     cleanup(intent_row_release)
#define auto_garbage_row    cleanup(garbage_row_release)
#define auto_tag_row        cleanup(tag_row_release)
#define auto_role_row       cleanup(role_row_release)
#define auto_credential_row cleanup(credential_row_release)

/* A fresh row id: rises with time, never the same twice in one process; processes are told apart by
 * the number each takes when it opens its index. */
int64_t index_new_id(void);

#endif
