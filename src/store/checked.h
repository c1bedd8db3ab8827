// SPDX-License-Identifier: EUPL-1.2
/*
 * The adapters with which store.c verifies that a driver pushes and pulls exactly what was agreed.
 * For store.c only.
 *
 * Both remember a failure of the stream they stand on (the caller's sink or source), whatever the
 * driver makes of it: such a failure is not the store's, and is handed back as it was.
 */
#ifndef STORE_CHECKED_H
#define STORE_CHECKED_H

#include "store/store.h"

struct checked_sink {
    struct sink sink;
    struct sink *to;
    const struct get_options *options;
    struct object *object; /* filled by the driver before the first push */
    uint64_t count;
    struct err failure; /* of to */
};

void checked_sink_init(struct checked_sink *c, struct sink *to, const struct get_options *options,
                       struct object *object);
/* Whether the caller's own sink failed; its error is then in call. */
bool checked_sink_failed(const struct checked_sink *c, struct call *call);
/* After success: has exactly the range been pushed? */
must_check int checked_sink_finish(const struct checked_sink *c, const struct object_key *key,
                                   struct call *call);

struct checked_source {
    struct source source;
    struct source *use; /* what the driver is to read from: source, or from itself when it is bytes
                           in memory, so that they can be used in place */
    struct source *from;
    uint64_t size;
    uint64_t count;
    struct err failure; /* of from */
};

/* -1 when it can be seen at once that from does not hold size bytes. */
must_check int checked_source_init(struct checked_source *c, struct source *from, uint64_t size,
                                   struct call *call);
bool checked_source_failed(const struct checked_source *c, struct call *call);
must_check int checked_source_finish(const struct checked_source *c, const struct object_key *key,
                                     struct call *call);

#endif
