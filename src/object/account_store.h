// SPDX-License-Identifier: EUPL-1.2
/*
 * An account of the gateway as a store to be read: how the mover carries everything out again.
 *
 *     service_attach(service, index);                  (nothing is made, nothing needs to run)
 *     struct store *source = account_store_open(service, "contoso");
 *     ... move_run() with source ...
 *     store_close(source);
 *
 * It reads the index and the bodies' stores, as every gateway does, so it works beside running
 * gateways and without any.  No door's rules stand between: every name, bucket, version and
 * snapshot is there, whichever door made it, and archived objects are read like any other (their
 * tier is told).  What is soft-deleted is listed as such and not read; S3's delete markers are told
 * as markers.  Writing is refused with ERR_DENIED.
 *
 * store_container_settings() tells what docs/formats/container.md describes, and under "s3" what
 * was set on the bucket through the S3 door.
 */
#ifndef OBJECT_ACCOUNT_STORE_H
#define OBJECT_ACCOUNT_STORE_H

#include "object/service.h"

/* service is borrowed and outlives the store. */
struct store *account_store_open(struct service *service, const char *account);

#endif
