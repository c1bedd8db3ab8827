// SPDX-License-Identifier: EUPL-1.2
/*
 * Objects written in ranges: append objects and page objects (Azure's).
 */
#ifndef OBJECT_RANGES_H
#define OBJECT_RANGES_H

#include "object/write.h"

#define APPEND_BLOCKS_MAX 50000
#define PAGE_SIZE_BYTES   512

struct append_request {
    struct place place;
    struct conditions conditions;
    struct source *body;
    uint64_t size;
    struct checksums expected;
    unsigned wanted;
    bool has_position; /* the object must be that long now: FAULT_APPEND_POSITION */
    uint64_t position;
    bool has_size_max; /* it must not grow beyond: FAULT_SIZE_CONDITION */
    uint64_t size_max;
};
/* *ret_offset: where the bytes begin. */
must_check int service_append(struct service *service, const struct append_request *request,
                              uint64_t *ret_offset, struct object_row *ret,
                              struct checksums *ret_sums, struct call *call);
/* No append any more. */
must_check int service_seal(struct service *service, const struct place *place,
                            const struct conditions *conditions, bool has_position,
                            uint64_t position, struct object_row *ret, struct call *call);

struct page_request {
    struct place place;
    struct conditions conditions;
    uint64_t offset; /* both multiples of PAGE_SIZE_BYTES, inside the object: FAULT_PAGE_RANGE */
    uint64_t length;
    struct source *body; /* NULL: clear */
    struct checksums expected;
    unsigned wanted;
    int64_t sequence_at_most; /* -1: not asked; else FAULT_SEQUENCE_CONDITION */
    int64_t sequence_below;
    int64_t sequence_equal;
};
must_check int service_write_pages(struct service *service, const struct page_request *request,
                                   struct object_row *ret, struct checksums *ret_sums,
                                   struct call *call);

enum sequence_action { SEQUENCE_KEEP, SEQUENCE_MAX, SEQUENCE_UPDATE, SEQUENCE_INCREMENT };
/* resize: new size or UINT64_MAX to keep. */
must_check int service_set_pages(struct service *service, const struct place *place,
                                 const struct conditions *conditions, uint64_t resize,
                                 enum sequence_action action, int64_t sequence,
                                 struct object_row *ret, struct call *call);

struct page_range {
    uint64_t first;
    uint64_t last; /* inclusive */
    bool clear;    /* only in a difference: bytes that were there before and are not now */
};
struct page_ranges {
    struct page_range *list;
    size_t count;
    size_t size;
    uint64_t next; /* where the next page of ranges begins; UINT64_MAX after the last */
    struct object_row object;
};
void page_ranges_release(struct page_ranges *l);
#define auto_page_ranges cleanup(page_ranges_release)
/* The ranges that hold bytes within [offset, offset + length), neighbours joined; previous: only
 * what differs from that snapshot (FAULT_PREVIOUS_SNAPSHOT when it is none of this object). */
must_check int service_page_ranges(struct service *service, const struct place *place,
                                   const struct conditions *conditions, uint64_t offset,
                                   uint64_t length, const char *previous, unsigned limit,
                                   struct page_ranges *ret, struct call *call);

#endif
