// SPDX-License-Identifier: EUPL-1.2
/*
 * Staged blocks: Azure's block lists and S3's multipart uploads.
 *
 * A block is a piece that waits for a commit, under an id of the client's; staging an id again
 * replaces it.  Azure's blocks belong to a name (upload ""); S3's to an upload id.
 */
#ifndef OBJECT_BLOCK_H
#define OBJECT_BLOCK_H

#include "object/write.h"

struct stage_request {
    struct place place;
    struct conditions conditions; /* the lease only */
    const char *upload;           /* "" for Azure */
    const char *block;
    struct source *body;
    uint64_t size;
    struct checksums expected;
    unsigned wanted;
    const char *algorithm; /* S3: the checksum the client chose ("CRC32"); NULL */
    const char *checksums; /* JSON kept with the block; NULL: made from what was computed */
};
/* FAULT_BLOCK_ID_LENGTH (Azure) when the name has staged blocks with ids of another length,
 * FAULT_BLOCK_COUNT, FAULT_UPLOAD_MISSING. */
must_check int service_stage(struct service *service, const struct stage_request *request,
                             struct checksums *ret_sums, struct call *call);

enum block_where { BLOCK_LATEST, BLOCK_COMMITTED, BLOCK_UNCOMMITTED };
struct block_choice {
    const char *block;
    enum block_where where;
    const char *etag; /* S3: the MD5 in hex that a staged one must have (FAULT_PART); NULL: any */
};
struct commit_request {
    struct place place;
    struct conditions conditions;
    const struct object_row *properties; /* s3_etag, checksums and parts too */
    const char *upload;
    const struct block_choice *blocks;
    size_t count;
};
/* In the order given; an id may stand more than once (Azure).  All staged blocks of the name (or
 * upload) are gone afterwards.  FAULT_BLOCK_LIST when one is not there. */
must_check int service_commit(struct service *service, const struct commit_request *request,
                              struct object_row *ret, struct call *call);

struct block_entry {
    char *block;
    uint64_t size;
    int64_t created;
    char *checksums;
};
struct block_list {
    struct block_entry *committed; /* in the object's order */
    size_t committed_count;
    size_t committed_size;
    struct block_entry *uncommitted; /* in the order of their ids */
    size_t uncommitted_count;
    size_t uncommitted_size;
    struct object_row object; /* valid when has_object */
    bool has_object;
};
void block_list_release(struct block_list *l);
#define auto_block_list cleanup(block_list_release)
must_check int service_block_list(struct service *service, const struct place *place,
                                  const struct conditions *conditions, const char *upload,
                                  struct block_list *ret, struct call *call);

/* Multipart uploads. */
must_check int service_upload_begin(struct service *service, const struct place *place,
                                    const char *properties, const char *owner, char **ret_upload,
                                    struct call *call);
must_check int service_upload_get(struct service *service, const struct place *place,
                                  const char *upload, struct upload_row *ret, struct call *call);
must_check int service_upload_abort(struct service *service, const struct place *place,
                                    const char *upload, struct call *call);
struct upload_rows {
    struct upload_row *list;
    size_t count;
    size_t size;
    bool more;
};
void upload_rows_release(struct upload_rows *l);
#define auto_upload_rows cleanup(upload_rows_release)
/* In order of (name, upload), those after the pair given (NULL: from the start). */
must_check int service_upload_list(struct service *service, const char *account,
                                   const char *container, const char *prefix,
                                   const char *after_name, const char *after_upload, unsigned limit,
                                   struct upload_rows *ret, struct call *call);

#endif
