// SPDX-License-Identifier: EUPL-1.2
/*
 * The driver for OpenStack Swift (object storage API v1), with Keystone v3 or tempauth.
 *
 * What is held, and how (docs/formats/swift.md has the details):
 *
 *   bodies     one Swift object each; those sent through an upload are static large objects whose
 *              segments lie in the container "<container>_segments" under
 *              "<name>/bascule/<upload id>/<number>".  Any Swift client reads them.
 *   headers    all content headers under their own names.  A server that drops Content-Language,
 *              Cache-Control or Expires (an old one, or one so configured) is found out at the
 *              first such object; they then travel as metadata "Bascule-Swift-..." and come back
 *              as what they were.
 *   metadata   X-Object-Meta-...; Swift takes away case and underscores, so the keys as they were
 *              written stand in one more item, "Bascule-Swift-Names".  The key "x-delete-at" is
 *              Swift's own X-Delete-At (seconds since 1970): shown, and set when it lies ahead.
 *   versions   where the container has them (X-Versions-Enabled).
 *   tags, tiers, blob types: Swift has none.
 *
 * Conditions.  if_absent is Swift's own If-None-Match: *.  If-Match is Swift's own for reading and
 * for the source of a copy.  For writing and removing it has none: the driver looks, compares and
 * then writes, so that another writer in the moment between (some milliseconds) is not noticed.
 *
 * Proof.  Swift's ETag is the MD5 of the body; the driver computes it, tells it beforehand where it
 * is known or the body is in memory (a body damaged on the way is then refused, 422), and compares
 * the answer always: PROOF_ETAG.  Where a body that was pulled from a stream arrives damaged, the
 * object is removed again.
 *
 * Replacing or removing a static large object also removes its segments, if they are this driver's
 * and the container keeps no versions.
 *
 * The segment containers are left out of container listings while their base container exists.
 * A listing tells neither metadata nor content headers other than the type.
 *
 * An empty object is looked at once more when listed, for it may be the head of a large object of
 * another kind (dynamic, symbolic link), which a listing shows with size 0.
 */
#ifndef STORE_DRIVER_SWIFT_H
#define STORE_DRIVER_SWIFT_H

#include "auth/keystone.h"
#include "http/client.h"
#include "store/store.h"

struct swift_options {
    struct keystone_options auth; /* borrowed strings; region and tempauth are said here */
    struct http_client_options http;
    const char *storage_url;     /* instead of the catalogue's; NULL: as the authentication says */
    const char *segments_suffix; /* NULL: "_segments" */
};

/* Authenticate, read the server's limits (/info, where it has one) and give the store.  ERR_INVALID
 * for options that make no sense, else as authentication fails. */
must_check int swift_store_open(const struct swift_options *options, const char *name,
                                struct store **ret, struct call *call);

#endif
