// SPDX-License-Identifier: EUPL-1.2
/*
 * S3: one account (access key) at one endpoint, as a store.  Containers are buckets.
 *
 * Every request is signed with Signature Version 4 and the real SHA-256 of its body, wherever the
 * body is in memory or its digest known; never with checksum trailers, which several providers
 * refuse.  Bodies that stream by unhashed are signed chunk by chunk where the service has been seen
 * to check that; over TLS they may otherwise go unsigned (UNSIGNED-PAYLOAD), their MD5 being
 * compared with the ETag afterwards; over plain http they are read twice when they can be, else
 * refused (traits.part_needs_hash).
 *
 * What a service really does is found out by trying, once per store, when it first matters, with
 * objects below ".bascule/probe/" in the bucket being written (they are removed again).  The facts
 * go to store->notebook under these keys, with the values "yes" and "no":
 *
 *   payload-hash-enforced     a wrong x-amz-content-sha256 is refused
 *   content-md5-enforced      a wrong Content-MD5 is refused
 *   checksum-header-enforced  a wrong x-amz-checksum-sha256 is refused
 *   etag-is-md5               the ETag of a plain PUT is the MD5 of the body
 *   conditional-write         PUT with If-None-Match: * and with a wrong If-Match is refused; asked
 *                             for each bucket, as RGW heeds it only where versioning is off
 *   if-match-bare             If-Match of a PUT wants the ETag without quotes (RGW)
 *   chunk-signed              bodies signed in chunks are taken, and refused when a chunk is wrong
 *   tagging                   tags given with a PUT can be read back
 *
 * No fact is believed because of a status alone: what is there afterwards is read back.
 *
 * Where the service has no conditional writes, if_match and if_absent are checked with a HEAD just
 * before the write: another writer in between goes unnoticed.  The same holds for remove with
 * if_match, for copies, and for committing an upload, whose conditions services ignore that heed
 * those of a PUT (RGW).
 *
 * Metadata values that are not printable ASCII are ERR_INVALID: the caller moves them to a
 * side-car.  Tiers map to storage classes only as options->tier_classes says; without it, objects
 * get the bucket's default class.
 *
 * Reference: Amazon S3 API Reference (2006-03-01), and what Ceph RGW and Swift's s3api do.
 */
#ifndef STORE_DRIVER_S3_H
#define STORE_DRIVER_S3_H

#include "crypto/secret.h"
#include "store/provider.h"
#include "store/store.h"

struct http_client;

struct s3_options {
    const char *endpoint; /* "https://s3.gra.io.cloud.ovh.net", with a port and a path if need be */
    const char *region;   /* for signatures; NULL: "us-east-1" */
    bool virtual_host;    /* https://bucket.host/key rather than https://host/bucket/key; buckets
                             whose names do not fit a certificate are addressed by path anyway */
    const char *access_key;
    const struct secret *secret_key;
    const struct secret *session_token; /* of temporary credentials; NULL: none */
    const struct provider_s3 *provider; /* limits and quirks; NULL: nothing is known.  Copied. */
    const struct pairs *tier_classes;   /* Azure tier -> storage class; NULL: none */
    struct http_client *client;         /* borrowed, must outlive the store; NULL: one of its own */
};

/* Open; nothing is sent yet. */
must_check int s3_store_open(const struct s3_options *options, const char *name, struct store **ret,
                             struct call *call);

/* Whether a bucket may be called this here: ERR_NAME with the rule it breaks.  provider may be
 * NULL. */
must_check int s3_bucket_name_check(const struct provider_s3 *provider, const char *name,
                                    struct err *e);

#endif
