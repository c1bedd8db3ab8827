// SPDX-License-Identifier: EUPL-1.2
/*
 * Reading objects.
 *
 *     auto_reading struct reading r = READING_INIT;
 *     if (service_open_read(service, &place, &conditions, &range, &r, call) < 0) ...
 *     (headers from r.object, r.offset and r.length)
 *     if (service_read(service, &r, sink, call) < 0)     (cut the answer off: never end it
 * normally)
 *
 * A reading holds no lock: the pieces it knows are immutable, and stay for service_options'
 * garbage_after once nobody else speaks of them.
 */
#ifndef OBJECT_READ_H
#define OBJECT_READ_H

#include "object/service.h"

enum range_kind {
    RANGE_ALL,
    RANGE_FROM,   /* first to last (UINT64_MAX: to the end), cut at the end */
    RANGE_SUFFIX, /* the last `last` bytes */
};
struct range {
    enum range_kind kind;
    uint64_t first;
    uint64_t last;
};

struct span_list;
struct reading {
    struct object_row object;
    uint64_t offset; /* what will be read */
    uint64_t length;
    bool partial;
    struct span_list *spans;
};
#define READING_INIT \
    {                \
        .offset = 0  \
    }
void reading_release(struct reading *r);
#define auto_reading cleanup(reading_release)

/* The object's row.  conditions may be NULL. */
must_check int service_stat(struct service *service, const struct place *place,
                            const struct conditions *conditions, struct object_row *ret,
                            struct call *call);
/* Whether a delete marker stands where place names a current object: 1 and its row, 0, -1. */
must_check int service_find_marker(struct service *service, const struct place *place,
                                   struct object_row *ret, struct call *call);
/* range NULL: all.  FAULT_RANGE when it begins at or past the end (err and r->object are set, so
 * that the size can be told).  FAULT_ARCHIVED for what must be woken first. */
must_check int service_open_read(struct service *service, const struct place *place,
                                 const struct conditions *conditions, const struct range *range,
                                 struct reading *ret, struct call *call);
/* The same, archived or not: our stores have no slow tier, and who leaves need wake nothing. */
must_check int service_open_archived(struct service *service, const struct place *place,
                                     const struct conditions *conditions, const struct range *range,
                                     struct reading *ret, struct call *call);
must_check int service_read(struct service *service, struct reading *r, struct sink *to,
                            struct call *call);

/* A reading on its way out, for whoever streams it from another thread later. */
struct outgoing {
    struct service *service;
    struct reading reading;
};
struct outgoing *outgoing_new(struct service *service);
int outgoing_produce(void *outgoing, struct sink *sink, struct call *call);
void outgoing_free(void *outgoing);

#endif
