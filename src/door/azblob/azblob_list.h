// SPDX-License-Identifier: EUPL-1.2
/* What the files of List Blobs share.  Nobody else includes this. */
#ifndef DOOR_AZBLOB_AZBLOB_LIST_H
#define DOOR_AZBLOB_AZBLOB_LIST_H

#include "door/azblob/azblob_private.h"
#include "object/list.h"

/* What include= asks for. */
enum azblob_list_include {
    AZBLOB_LIST_SNAPSHOTS = 1 << 0,
    AZBLOB_LIST_METADATA = 1 << 1,
    AZBLOB_LIST_UNCOMMITTED = 1 << 2,
    AZBLOB_LIST_COPY = 1 << 3,
    AZBLOB_LIST_DELETED = 1 << 4,
    AZBLOB_LIST_TAGS = 1 << 5,
    AZBLOB_LIST_VERSIONS = 1 << 6,
    AZBLOB_LIST_DELETED_WITH_VERSIONS = 1 << 7,
    AZBLOB_LIST_IMMUTABILITY = 1 << 8,
    AZBLOB_LIST_LEGAL_HOLD = 1 << 9,
};
must_check int azblob_list_includes(struct azblob_request *r, unsigned *ret, struct call *call);

/* A name as an element, percent-encoded where XML cannot hold it. */
void azblob_list_name(struct buf *out, const char *element, const char *name);
/* One <Blob>.  versions_only: it stands for a name that has no current blob. */
void azblob_list_entry(struct azblob_request *r, struct buf *out, unsigned includes,
                       const struct listing_entry *entry, bool versions_only);
/* The greatest text that sorts before a name and after all lesser names.  Heap. */
char *azblob_list_before(const char *name);

#endif
