// SPDX-License-Identifier: EUPL-1.2
/*
 * What the files of the operations on a blob (azblob_blob_*.c) share.  Nobody else includes this.
 *
 * The sizes are those of the REST reference, "Scalability and performance targets for Blob
 * storage", for versions from 2022-11-02 on.
 */
#ifndef DOOR_AZBLOB_AZBLOB_BLOB_H
#define DOOR_AZBLOB_AZBLOB_BLOB_H

#include "door/azblob/azblob_private.h"
#include "object/block.h"
#include "object/copy.h"
#include "object/ranges.h"
#include "object/write.h"

#define AZBLOB_MIB            (UINT64_C(1024) * 1024)
#define AZBLOB_PUT_MAX        (5000 * AZBLOB_MIB)
#define AZBLOB_BLOCK_MAX      (4000 * AZBLOB_MIB)
#define AZBLOB_APPEND_MAX     (100 * AZBLOB_MIB)
#define AZBLOB_PAGES_MAX      (4 * AZBLOB_MIB)
#define AZBLOB_PAGE_BLOB_MAX  (UINT64_C(8) * 1024 * 1024 * AZBLOB_MIB)
#define AZBLOB_BLOCKS_MAX     50000
#define AZBLOB_BLOCK_LIST_MAX (16 * AZBLOB_MIB)

/* The service behind the door. */
static inline struct service *azblob_service(const struct azblob_request *r)
{
    return r->door->options.service;
}

/* ---- Headers of a request (azblob_blob_headers.c) ---- */

/* What a write may set, into a fresh row: x-ms-blob-content-*, x-ms-meta-*, x-ms-tags,
 * x-ms-access-tier, x-ms-immutability-policy-*, x-ms-legal-hold, x-ms-expiry-*. */
enum azblob_properties {
    AZBLOB_PROPERTIES_PUT,  /* Content-Type and its kind count where x-ms-blob-* is absent */
    AZBLOB_PROPERTIES_BLOB, /* x-ms-blob-* only */
};
must_check int azblob_properties(struct azblob_request *r, enum azblob_properties which,
                                 struct object_row *ret, struct call *call);
/* The content headers alone; *ret_given (may be NULL): whether any was there. */
must_check int azblob_content_headers(struct azblob_request *r, enum azblob_properties which,
                                      struct object_row *ret, bool *ret_given, struct call *call);
/* x-ms-expiry-option and -time: 1 and *ret (TIME_UNKNOWN: never), 0 absent, -1. */
must_check int azblob_expiry(struct azblob_request *r, int64_t created, int64_t *ret,
                             struct call *call);
/* x-ms-immutability-policy-until-date and -mode: 1, 0 absent, -1.  *ret_mode is a literal. */
must_check int azblob_immutability(struct azblob_request *r, int64_t *ret_until,
                                   const char **ret_mode, struct call *call);
/* x-ms-access-tier in its proper case (a literal): 1, 0 absent, -1. */
must_check int azblob_tier(struct azblob_request *r, const char **ret, struct call *call);
/* Whether the header is there and "true"; a value that is neither is refused. */
must_check int azblob_flag(struct azblob_request *r, const char *name, bool *ret,
                           struct call *call);
/* The body has a length between these: InvalidHeaderValue below, RequestBodyTooLarge above. */
must_check int azblob_body_between(struct azblob_request *r, uint64_t min, uint64_t max,
                                   struct call *call);
/* x-ms-range, else Range, as it must stand for pages: given, aligned, with an end. */
must_check int azblob_page_range(struct azblob_request *r, uint64_t *ret_offset,
                                 uint64_t *ret_length, struct call *call);

/* Compare a body that was read into memory with the digests it was announced with. */
must_check int azblob_check_document(struct azblob_request *r, const struct buf *body,
                                     struct azblob_digests *ret_digests, struct checksums *ret_sums,
                                     struct call *call);

/* ---- Headers of an answer (azblob_blob_say.c) ---- */

enum azblob_saying {
    AZBLOB_SAY_GET,   /* to Get Blob */
    AZBLOB_SAY_RANGE, /* the same, of a range: no Content-MD5 of the whole */
    AZBLOB_SAY_HEAD,  /* to Get Blob Properties: the tier too */
};
/* All that Azure tells of a blob to those who read it. */
void azblob_say_blob(struct azblob_request *r, const struct object_row *o, enum azblob_saying how);
/* What every write answers: ETag, Last-Modified, version, encryption, structured body. */
void azblob_say_written(struct azblob_request *r, const struct object_row *o);
/* x-ms-request-server-encrypted and the structured body's echo, where there is no object yet. */
void azblob_say_received(struct azblob_request *r);
/* ETag and Last-Modified of an object go with a refusal (304), its size with a 416. */
void azblob_say_refused(struct azblob_request *r, const struct object_row *o,
                        const struct call *call);
/* "n/m" and its companions, from object_row.copy. */
void azblob_say_copy(struct azblob_request *r, const struct object_row *o);

/* ---- The source of a copy (azblob_blob_source.c) ---- */

/* What x-ms-copy-source names: a blob behind this door, or something elsewhere. */
struct azblob_copy_source {
    const char *url; /* borrowed: the header */
    bool own;
    struct azblob_target target; /* own: whose names place borrows */
    struct place place;
    struct conditions conditions;
    bool has_range; /* x-ms-source-range */
    uint64_t first, last;
    /* Opened: one of these. */
    struct copy_source *inside;
    struct azblob_fetch *fetch;
    struct source *body;
    uint64_t length;
    struct object_row object; /* own: the source as it is; else what its answer said of itself */
};
void azblob_copy_source_release(struct azblob_copy_source *s);
#define auto_azblob_copy_source cleanup(azblob_copy_source_release)

/* Read the headers and find out where it is, and whether the client may read it. */
must_check int azblob_copy_source_find(struct azblob_request *r, struct azblob_copy_source *ret,
                                       struct call *call);
/* Own: its row into object, under its conditions. */
must_check int azblob_copy_source_stat(struct azblob_request *r, struct azblob_copy_source *s,
                                       struct call *call);
/* account/container/blob of one behind this door: heap. */
char *azblob_source_name(const struct azblob_copy_source *s);
/* Make its bytes readable: body, length and object are set.  At most max bytes.  A foreign one that
 * is refused or cannot be reached is CannotVerifyCopySource. */
must_check int azblob_copy_source_open(struct azblob_request *r, struct azblob_copy_source *s,
                                       uint64_t max, struct call *call);
/* x-ms-source-content-md5, x-ms-source-content-crc64: what its bytes must have. */
must_check int azblob_source_digests(struct azblob_request *r, struct azblob_digests *ret,
                                     struct call *call);

/* ---- Tiers (azblob_blob_state.c) ---- */

#define AZBLOB_WAKING_SIZE 40
/* Whether a blob is told to be waking, and how: "rehydrate-pending-to-hot", "High". */
bool azblob_is_waking(const struct azblob_request *r, const struct object_row *o,
                      char ret_status[AZBLOB_WAKING_SIZE], const char **ret_priority);

/* ---- Copies that run for long (azblob_blob_copier.c) ---- */

#define AZBLOB_COPY_PENDING "pending"
#define AZBLOB_COPY_SUCCESS "success"
#define AZBLOB_COPY_ABORTED "aborted"
#define AZBLOB_COPY_FAILED  "failed"

/* object_row.copy: {"id", "source", "status", "progress", "completed", "reason", "beat"}; beat is
 * when whoever copies was last known to live.  An incremental copy also has "of" (the source's
 * name, azblob_source_name()), "snapshot" (which one of it) and "made" (what it became here).
 * source is told without its query, which may hold a signature.  Heap.  completed TIME_UNKNOWN: not
 * yet; reason may be NULL. */
char *azblob_copy_json(const char *id, const char *source, const char *status, uint64_t done,
                       uint64_t whole, int64_t completed, const char *reason);
/* The same as an incremental copy; made may be NULL. */
char *azblob_copy_incremental(const char *copy, const char *of, const char *snapshot,
                              const char *made);
/* The same copy in another state.  done UINT64_MAX: as before. */
char *azblob_copy_again(const char *copy, const char *status, uint64_t done, int64_t completed,
                        const char *reason);

/* Make the destination, empty and pending (*ret), and read the opened foreign source into it on a
 * thread of its own.  ServerBusy when too many run. */
must_check int azblob_copier_start(struct azblob_request *r, struct azblob_copy_source *source,
                                   const char *copy_id, const struct object_row *properties,
                                   struct object_row *ret, struct call *call);

#endif
