// SPDX-License-Identifier: EUPL-1.2
/* The steps of the model, done by the real service over a file store and a real index. */
#ifndef TESTS_MODEL_SERVICE_STEPS_H
#define TESTS_MODEL_SERVICE_STEPS_H

#include "object/service.h"
#include "reference.h"

/* Of the account "acct": key1, also the secret of its S3 access key. */
#define REAL_KEY \
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg=="
#define REAL_CONTAINER "model"
/* The one there is. */
#define REAL_LEASE "aaaaaaaa-0000-4000-8000-000000000000"

struct doors;

struct real {
    char path[200];
    char *url;    /* of the index */
    char *schema; /* on PostgreSQL */
    struct store *store;
    struct service *service;
    struct index *index;
    struct doors *doors; /* over the service, where they are wanted */
    bool with_doors;
    struct call call;
};

/* What somebody sees who looks at an object or one of its versions. */
struct seen {
    char said[80]; /* why there is nothing to see; "" when there is */
    struct buf bytes;
    char etag[ETAG_LEN];
    int type;          /* enum object_type; -1 where the way does not tell */
    int sealed;        /* likewise */
    char content;      /* as in struct ref_body */
    char metadata;     /* of MODEL_KEY */
    char metadata_low; /* of MODEL_KEY_LOW */
    int tags;          /* how many */
    char tag;          /* of "t", where the way tells; else 0 */
};
#define SEEN_INIT                                                           \
    {                                                                       \
        .bytes = BUF_INIT(BODY_MAX * 4), .type = -1, .sealed = -1, .tag = 0 \
    }

/* An empty service with account "acct" and one container, and doors over it where they are wanted;
 * aborts where that cannot be. */
void real_open(struct real *r, bool versioning, bool with_doors);
void real_close(struct real *r);
/* Another gateway over the same index and store (on SQLite: another user of the same service). */
void real_join(struct real *r, const struct real *first);
void real_leave(struct real *r, const struct real *first);
void real_restart(struct real *r);
/* What the reference knows of names and versions tells what is meant.  Returns the fault (call.err
 * has the words), or FAULT_COUNT for a failure without one; ret_made as reference_do() wants it. */
enum fault real_do(struct real *r, const struct reference *reference, const struct step *s,
                   struct ref_made *ret_made);
/* Look at a version (past NULL: the current one).  ret: as SEEN_INIT made it. */
void real_look(struct real *r, int name, const struct ref_past *past, struct seen *ret);
const char *real_name(int name);
/* The id of block 0, 1, ... */
void real_block_id(char text[8], unsigned block);
/* How many rows a listing of everything gives. */
size_t real_count(struct real *r);
/* Sweep as if all waiting times were over, then count what is left in the store. */
size_t real_sweep_all(struct real *r);

#endif
