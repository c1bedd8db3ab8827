// SPDX-License-Identifier: EUPL-1.2
/*
 * Bytes from a URL elsewhere, as a source: what a copy from outside reads.
 *
 *     struct azblob_fetch *f;
 *     if (azblob_fetch_open(client, &want, &f, call) < 0)     (no answer, or one that says no)
 *         return -1;
 *     ... azblob_fetch_length(f), azblob_fetch_headers(f) ...
 *     ... source_read(azblob_fetch_body(f), ...) ...
 *     azblob_fetch_close(f);                                  (at any time)
 *
 * The request runs on a thread of its own and waits when nobody reads.  An answer that does not say
 * its length, or is shorter than it says, is an error.
 *
 * Errors: ERR_NOT_FOUND, ERR_DENIED, ERR_CHANGED (conditions), ERR_RANGE, else ERR_REMOTE for what
 * the other side answers; the client's for what does not come.
 */
#ifndef DOOR_AZBLOB_AZBLOB_FETCH_H
#define DOOR_AZBLOB_AZBLOB_FETCH_H

#include <stdbool.h>

#include "http/client.h"
#include "util/stream.h"

struct azblob_fetch_want {
    const char *url;
    const char *authorization; /* NULL: none */
    bool has_range;
    uint64_t first, last; /* last UINT64_MAX: to the end */
    /* Conditions, as headers; NULL: not asked. */
    const char *if_match, *if_none_match, *if_modified_since, *if_unmodified_since;
};

struct azblob_fetch;
must_check int azblob_fetch_open(struct http_client *client, const struct azblob_fetch_want *want,
                                 struct azblob_fetch **ret, struct call *call);
struct source *azblob_fetch_body(struct azblob_fetch *f);
/* Of what body gives. */
uint64_t azblob_fetch_length(const struct azblob_fetch *f);
const struct pairs *azblob_fetch_headers(const struct azblob_fetch *f);
void azblob_fetch_close(struct azblob_fetch *f);

#endif
