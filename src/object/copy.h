// SPDX-License-Identifier: EUPL-1.2
/*
 * Copies: inside the service they share the source's extents and take no bytes; from elsewhere they
 * are pulled through an opener the door gives.
 */
#ifndef OBJECT_COPY_H
#define OBJECT_COPY_H

#include "object/write.h"

struct copy_request {
    struct place from;
    struct conditions from_conditions; /* FAULT_SOURCE_CONDITION; lease: x-ms-source-lease-id */
    struct place to;
    struct conditions conditions;
    const struct object_row *properties; /* NULL: the source's headers; metadata etc. below */
    bool keep_headers;  /* content headers come from the source (properties' are not looked at) */
    bool keep_metadata; /* metadata likewise */
    bool keep_tags;
    bool keep_sealed;      /* an append object sealed or not as the source is */
    const char *copy;      /* JSON for object_row.copy, NULL none */
    bool to_type_block;    /* the copy is a block object whatever the source is */
    const char *checksums; /* JSON for object_row.checksums in place of the source's; NULL */
};
/* FAULT_COPY_SOURCE: no container to copy from (a missing object or version is always the source).
 * FAULT_TYPE when the target is there with another type, FAULT_COPY_PENDING while another copy runs
 * onto it.  Digests and S3's ETag are the source's, as the bytes are. */
must_check int service_copy(struct service *service, const struct copy_request *request,
                            struct object_row *ret, struct call *call);

/* Append, stage or write pages from another object of this service: a source over it.
 *     auto_copy_source struct copy_source *s; ... request.body = copy_source_stream(s);  */
struct copy_source;
must_check int copy_source_open(struct service *service, const struct place *place,
                                const struct conditions *conditions, uint64_t offset,
                                uint64_t length, struct copy_source **ret, struct call *call);
struct source *copy_source_stream(struct copy_source *s);
uint64_t copy_source_size(const struct copy_source *s);
void copy_source_close(struct copy_source *s);
void copy_source_close_p(struct copy_source **s);
#define auto_copy_source cleanup(copy_source_close_p)

/* Whether a copy (object_row.copy) is under way at a moment: its status is "pending", and whoever
 * copies was heard of ("beat", nanoseconds, where the JSON has it) within COPY_SILENCE_MAX. */
#define COPY_SILENCE_MAX (180 * CLOCK_SECOND)
bool copy_is_pending(const char *copy, int64_t now);

/* The state of a copy that runs for long, set by whoever runs or aborts it (copy: JSON with id and
 * status): FAULT_NO_COPY_PENDING when none does, FAULT_COPY_ID when it is another one. */
must_check int service_set_copy(struct service *service, const struct place *place,
                                const char *copy_id, const char *copy, struct call *call);

#endif
