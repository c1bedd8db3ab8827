// SPDX-License-Identifier: EUPL-1.2
/*
 * What is known of one object besides its bytes, in the words all stores share.
 *
 * A struct object owns its strings.  A string that is NULL means "not there" (or not told by this
 * operation): an empty one means "there and empty".  Times are nanoseconds since 1970 UTC,
 * TIME_UNKNOWN where nobody said.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/clock.h"
#include "util/pairs.h"

/* What Azure calls the blob type.  Stores without the distinction say OBJECT_BLOCK. */
enum object_type { OBJECT_BLOCK, OBJECT_APPEND, OBJECT_PAGE };

/* Which of an object's states is meant. */
enum version_kind {
    VERSION_CURRENT,  /* the one that a plain GET gives */
    VERSION_ID,       /* an earlier version, or the current one by its id */
    VERSION_SNAPSHOT, /* Azure snapshot: version is its timestamp */
    VERSION_DELETED,  /* soft-deleted: listed, but it must be undeleted before it can be read */
    VERSION_MARKER,   /* a delete marker (S3, Swift): no bytes */
};

enum checksum_kind {
    CHECKSUM_MD5,    /* 16 bytes */
    CHECKSUM_CRC64,  /* CRC-64/NVME, 8 bytes big-endian */
    CHECKSUM_CRC32C, /* 4 bytes big-endian */
    CHECKSUM_SHA256, /* 32 bytes */
    CHECKSUM_CRC32,  /* 4 bytes big-endian */
    CHECKSUM_SHA1,   /* 20 bytes */
    CHECKSUM_KIND_COUNT
};

/* Digests of one sequence of bytes: those whose bit (1 << kind) is set in have. */
struct checksums {
    unsigned have;
    unsigned char md5[16];
    unsigned char crc64[8];
    unsigned char crc32c[4];
    unsigned char sha256[32];
    unsigned char crc32[4];
    unsigned char sha1[20];
};

/* The bytes of one kind inside c, and how many they are. */
unsigned char *checksum_bytes(struct checksums *c, enum checksum_kind kind);
size_t checksum_size(enum checksum_kind kind);
/* Record one digest. */
void checksum_set(struct checksums *c, enum checksum_kind kind, const void *bytes);
/* Compare what both know: 1 when they agree on at least one kind and disagree on none, 0 when they
 * have no kind in common, -1 when they disagree. */
int checksums_compare(const struct checksums *a, const struct checksums *b);

struct object {
    char *name; /* as the store names it, unescaped; set by listings, else NULL */
    enum version_kind kind;
    char *version;  /* version id or snapshot time; NULL for a current object without one */
    bool is_latest; /* of several versions, the one a plain GET gives */
    uint64_t size;
    char *etag; /* without quotes, as If-Match wants it back */
    enum object_type type;
    int64_t created;
    int64_t modified;
    int64_t deleted; /* when it was soft-deleted, or TIME_UNKNOWN */

    char *content_type;
    char *content_encoding;
    char *content_language;
    char *content_disposition;
    char *cache_control;
    char *expires; /* S3 only: the header as it was set */

    struct pairs metadata; /* keys with their case, where the store keeps it */
    struct pairs tags;
    unsigned tag_count; /* what the store says there are; tags holds them only where asked for */
    struct checksums
        stored; /* digests the store keeps of the whole body, as told by a writer: claims */

    char *tier;         /* Azure access tier or S3 storage class, as the store says it */
    bool tier_inferred; /* nobody set it: the account's default */
    bool archived;      /* cannot be read before it is woken */
    char *waking;       /* the store's word while it is being woken, else NULL */
    uint64_t sequence;  /* page blob sequence number */
    bool is_folder;     /* an hdi_isfolder stub or a directory of a hierarchical account */
    char *acl;          /* POSIX ACL of a hierarchical account ("user::rwx,..."), or NULL */
    char *owner;        /* of a hierarchical account, or NULL */
    char *group;
    char *immutable_until; /* ISO 8601, or NULL */
    char *immutable_mode;  /* "locked", "unlocked", "compliance", "governance", or NULL */
    bool legal_hold;
    bool leased;
    char *encryption_scope;  /* name, or NULL */
    bool customer_encrypted; /* needs a key only the writer has */
};

#define OBJECT_INIT                                                                \
    {                                                                              \
        .created = TIME_UNKNOWN, .modified = TIME_UNKNOWN, .deleted = TIME_UNKNOWN \
    }
#define auto_object cleanup(object_release)

void object_release(struct object *o);
void object_copy(struct object *into, const struct object *from);

struct object_list {
    struct object *list;
    size_t count;
    size_t size;
    char **prefixes; /* with a delimiter: the common prefixes */
    size_t prefix_count;
    char *cursor; /* where the next page begins; NULL after the last one */
    /* What stands among the objects and is none, by name, and why; told by a store that can have
     * such things (a directory), perhaps more than once, and no more than a few of each page. */
    struct pairs left_out;
};

#define OBJECT_LIST_INIT \
    {                    \
        0                \
    }
#define auto_object_list cleanup(object_list_release)

void object_list_release(struct object_list *l);
/* A fresh object at the end (OBJECT_INIT), to be filled in place. */
struct object *object_list_add(struct object_list *l);
void object_list_add_prefix(struct object_list *l, const char *prefix);

/* Words for enum values, as written to ledgers and side-cars: "block", "snapshot", "md5". */
const char *object_type_word(enum object_type type);
int object_type_from_word(const char *word, enum object_type *ret);
const char *version_kind_word(enum version_kind kind);
int version_kind_from_word(const char *word, enum version_kind *ret);
const char *checksum_word(enum checksum_kind kind);

#endif
