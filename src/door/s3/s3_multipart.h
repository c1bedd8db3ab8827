// SPDX-License-Identifier: EUPL-1.2
/* What the files of multipart uploads share.  Nobody else includes this. */
#ifndef DOOR_S3_S3_MULTIPART_H
#define DOOR_S3_S3_MULTIPART_H

#include "codec/base64.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "door/s3/s3_door_private.h"
#include "object/block.h"

#define S3_PART_SIZE_MIN (UINT64_C(5) * 1024 * 1024)
#define S3_PART_ID       6 /* "00001" and a NUL */

/* An upload under way, and what its object will be. */
struct s3_upload {
    struct upload_row row;
    struct object_row object; /* the properties it was begun with */
    const char *algorithm;    /* "CRC32": what the client chose; NULL: nothing */
    enum checksum_kind kind;  /* of algorithm; CRC-64 without one */
    bool composite;
};
#define S3_UPLOAD_INIT                                      \
    {                                                       \
        .row = upload_row_new(), .object = object_row_new() \
    }
void s3_upload_release(struct s3_upload *u);

/* The one uploadId names: NoSuchUpload. */
must_check int s3_upload_open(struct s3_request *r, struct s3_upload *ret, struct call *call);
/* partNumber as the id of a block: InvalidArgument. */
must_check int s3_part_number(struct s3_request *r, char ret[S3_PART_ID], struct call *call);
/* The ETag of a part that was stored, and its checksum as a header. */
void s3_say_part(struct s3_request *r, const struct s3_upload *u, const struct checksums *sums,
                 char ret_etag[33]);

/* ---- What a completion says (s3_complete_read.c) ---- */

struct s3_part_choice {
    unsigned number;
    char *etag;              /* without quotes; NULL: not said */
    char *checksum;          /* base64, of whatever algorithm; NULL: not said */
    enum checksum_kind kind; /* of checksum */
    bool several;            /* more than one checksum, or one that is no base64 */
};
struct s3_completion {
    struct s3_part_choice *list;
    size_t count;
};
void s3_completion_release(struct s3_completion *c);
#define auto_s3_completion cleanup(s3_completion_release)
struct xml_node;
/* ERR_INVALID: not a list of parts; ERR_RANGE: a number below 1; ERR_NOT_FOUND: one that no part
 * can have; ERR_CONFLICT: not in rising order. */
must_check int s3_completion_read(const struct xml_node *root, struct s3_completion *ret,
                                  struct err *e);

#endif
