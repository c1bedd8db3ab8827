// SPDX-License-Identifier: EUPL-1.2
/*
 * The object service: what every object door calls, with the semantics that Azure Blob Storage and
 * S3 have in common, and each one's own where the other has nothing like it.  It decides nothing
 * about who may (auth/policy.h, asked by the doors) and knows no HTTP.
 *
 *      door/azblob   door/s3   move
 *             \        |       /
 *              object service              one operation = bytes first, then one transaction
 *               /            \
 *           index/          store/         rows: which objects exist;  pieces: their bytes
 *
 * A write is: an intent row (relaxed), the bytes into a store under a fresh key, then one durable
 * transaction that takes the intent away and makes the object's row.  Only that commit makes the
 * object exist; whoever reads sees the old state or the new one, whole.  A piece that no row came
 * to speak of is swept when its intent has expired; a piece no row speaks of any more is swept some
 * time after, so that readers inside it finish.
 *
 * Conditions, leases, immutability and tags are judged inside that transaction.
 *
 * Times are nanoseconds; sizes bytes.  Rows given back are the caller's to release.  Threads: a
 * service is used by many threads at once.  Errors: call->err with err.fault (fault.h).
 */
#ifndef OBJECT_SERVICE_H
#define OBJECT_SERVICE_H

#include "index/index.h"
#include "object/fault.h"
#include "store/store.h"

/* A store that keeps bodies: container is the one there that holds them all. */
struct service_store {
    const char *name;
    struct store *store; /* borrowed; outlives the service */
    const char *container;
};

struct service_options {
    const struct service_store *stores; /* the first takes new bodies */
    size_t store_count;
    int64_t intent_time;   /* how long an upload may take; 0: 24 h */
    int64_t garbage_after; /* how long readers may still need a removed body; 0: 1 h */
    int64_t block_time;    /* how long staged blocks and uploads live; 0: 7 days */
};

struct service;

/* index: borrowed, must have been opened with service_before_commit and the slot returned by
 * service_new() as its argument:
 *     struct service *service = service_new(&options);
 *     index_options.before_commit = service_before_commit; ...argument = service;
 *     index_open(...); service_start(service, index, call); */
struct service *service_new(const struct service_options *options);
int service_before_commit(void *service, struct call *call);
/* The index is there, nothing else happens: for who only reads.  service_start() also makes the
 * bodies' containers. */
void service_attach(struct service *service, struct index *index);
must_check int service_start(struct service *service, struct index *index, struct call *call);
void service_free(struct service *service);
struct index *service_index(struct service *service);

/* Remove what nobody needs any more, as much as fits into the call: expired intents, garbage whose
 * time has come, staged blocks and uploads past their time, objects and containers whose retention
 * or life has ended.  *ret_removed (may be NULL): pieces removed from the stores. */
must_check int service_sweep(struct service *service, uint64_t *ret_removed, struct call *call);

/* Which object.  Borrowed strings. */
struct place {
    const char *account;
    const char *container;
    const char *name;
    enum version_kind kind; /* VERSION_CURRENT, VERSION_ID or VERSION_SNAPSHOT */
    const char *version;
};

/* What must hold for an operation to be done.  ETags as the client sent them: with or without
 * quotes, "*", or a list with commas. */
struct conditions {
    const char *if_match;
    const char *if_none_match;
    int64_t modified_since; /* TIME_UNKNOWN: not asked */
    int64_t unmodified_since;
    const char *if_tags; /* an expression, see tags.h */
    const char *lease;   /* the id the client holds */
    /* When the tier was last set, with FAULT_TIER_CONDITION; 0 and TIME_UNKNOWN: not asked. */
    int64_t tier_modified_since, tier_unmodified_since;
    bool s3; /* compare with S3's ETags */
    /* While a copy runs onto the object only writes that say its id are done (FAULT_COPY_PENDING);
     * these are done only while it runs (FAULT_NO_COPY_PENDING, FAULT_COPY_ID). */
    const char *copy;
};
#define CONDITIONS_INIT                                                  \
    {                                                                    \
        .modified_since = TIME_UNKNOWN, .unmodified_since = TIME_UNKNOWN \
    }

/* S3's ETag of an object that has none of its own: Azure's digits in the form of a multipart
 * object's, which no client takes for an MD5. */
#define S3_ETAG_TEXT 64
void s3_etag_from(const char *etag, char ret[S3_ETAG_TEXT]);

/* ---- Accounts ---- */

/* Every request asks for its account: this one may be as old as ACCOUNT_AGE_MAX, where another
 * process or gateway has changed it meanwhile; service_account_fresh() is not. */
#define ACCOUNT_AGE_MAX CLOCK_SECOND
must_check int service_account_get(struct service *service, const char *name,
                                   struct account_row *ret, struct call *call);
must_check int service_account_fresh(struct service *service, const char *name,
                                     struct account_row *ret, struct call *call);
/* Replace the settings (JSON text; NULL: none). */
must_check int service_account_settings(struct service *service, const char *name,
                                        const char *settings, struct call *call);

#endif
