// SPDX-License-Identifier: EUPL-1.2
/*
 * Writing objects: whole bodies, properties, metadata, tags, snapshots, deleting.
 *
 * What a write sets travels as a struct object_row of which only the property fields are looked at:
 * the content headers, content_md5, expires, metadata and tags (JSON arrays of [key, value]), tier,
 * immutable_until, immutable_mode, legal_hold, goes_at, owner, checksums, parts, sequence.
 *
 * ret rows (may be NULL) are what the object is after the commit.
 */
#ifndef OBJECT_WRITE_H
#define OBJECT_WRITE_H

#include "object/service.h"

struct put_request {
    struct place place;
    struct conditions conditions;
    const struct object_row *properties;
    enum object_type type;
    struct source *body; /* size bytes exactly, else FAULT_BODY_SHORT; NULL with size 0 */
    uint64_t size;
    uint64_t page_size;        /* page objects: their size, all zeros (size is 0) */
    struct checksums expected; /* digests the body must have; more may come until the body ends */
    unsigned wanted;           /* bits of enum checksum_kind to compute into *ret_sums */
    const char *algorithm;     /* S3: the checksum the client chose ("CRC32"); NULL */
    bool keep_md5;             /* content_md5 becomes the computed MD5 unless properties say one */
};
/* ret_sums may be NULL; CRC-64 is always there. */
must_check int service_put(struct service *service, const struct put_request *request,
                           struct object_row *ret, struct checksums *ret_sums, struct call *call);

/* Replace all content headers (those not given go away) and content_md5. */
must_check int service_set_headers(struct service *service, const struct place *place,
                                   const struct conditions *conditions,
                                   const struct object_row *properties, struct object_row *ret,
                                   struct call *call);
/* Replace all metadata (JSON, NULL: none). */
must_check int service_set_metadata(struct service *service, const struct place *place,
                                    const struct conditions *conditions, const char *metadata,
                                    struct object_row *ret, struct call *call);
/* Replace all tags (JSON, NULL: none).  The etag stays. */
must_check int service_set_tags(struct service *service, const struct place *place,
                                const struct conditions *conditions, const char *tags,
                                struct call *call);
/* Change the tier of an object, version or snapshot.  One in "Archive" is awake at once, our stores
 * having no slow tier: ret_pending says that it was woken, and waking (may be NULL) stays in its
 * row for who tells of that. */
must_check int service_set_tier(struct service *service, const struct place *place,
                                const struct conditions *conditions, const char *tier,
                                const char *waking, bool *ret_pending, struct call *call);
/* The moment the object goes by itself; TIME_UNKNOWN: never. */
must_check int service_set_expiry(struct service *service, const struct place *place,
                                  const struct conditions *conditions, int64_t goes_at,
                                  struct object_row *ret, struct call *call);
/* A snapshot; metadata NULL keeps the object's.  ret is the snapshot's row (its version is the
 * snapshot's time).  With versioning the object gets a new version at the same moment, as Azure has
 * it: ret_current, the object as it then is.  Both may be NULL. */
must_check int service_snapshot(struct service *service, const struct place *place,
                                const struct conditions *conditions, const char *metadata,
                                struct object_row *ret, struct object_row *ret_current,
                                struct call *call);

enum delete_snapshots { DELETE_REFUSE, DELETE_INCLUDE, DELETE_ONLY };

struct delete_request {
    struct place place;
    struct conditions conditions;
    enum delete_snapshots snapshots;
    bool permanently; /* a soft-deleted snapshot or version goes for good */
    bool make_marker; /* S3: with versioning a delete marker becomes current */
    bool bypass_governance;
};
struct delete_result {
    bool kept;     /* soft-deleted, or an earlier version remains */
    bool marker;   /* a delete marker was made, or the version deleted was one */
    char *version; /* of the marker made or version deleted; NULL */
};
void delete_result_release(struct delete_result *r);
#define auto_delete_result cleanup(delete_result_release)
must_check int service_delete(struct service *service, const struct delete_request *request,
                              struct delete_result *ret, struct call *call);
/* Bring back a soft-deleted object and its soft-deleted snapshots. */
must_check int service_undelete(struct service *service, const struct place *place,
                                struct call *call);

/* A retention until a time ("unlocked", "locked", "governance", "compliance"; mode NULL removes it)
 * and a legal hold, of an object, version or snapshot. */
must_check int service_set_immutability(struct service *service, const struct place *place,
                                        const struct conditions *conditions, int64_t until,
                                        const char *mode, bool bypass_governance,
                                        struct object_row *ret, struct call *call);
must_check int service_set_legal_hold(struct service *service, const struct place *place, bool hold,
                                      struct object_row *ret, struct call *call);

#endif
