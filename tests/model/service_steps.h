// SPDX-License-Identifier: EUPL-1.2
/* The steps of the model, done by the real service over a file store and a real index. */
#ifndef TESTS_MODEL_SERVICE_STEPS_H
#define TESTS_MODEL_SERVICE_STEPS_H

#include "object/service.h"
#include "reference.h"

struct real {
    char path[200];
    char *url;    /* of the index */
    char *schema; /* on PostgreSQL */
    struct store *store;
    struct service *service;
    struct index *index;
    struct call call;
};

/* An empty service with account "acct" and container "c"; aborts where that cannot be. */
void real_open(struct real *r, bool versioning);
void real_close(struct real *r);
/* Another gateway over the same index and store (on SQLite: another user of the same service). */
void real_join(struct real *r, const struct real *first);
void real_leave(struct real *r, const struct real *first);
void real_restart(struct real *r);
/* What the reference knows of names and versions tells what is meant.  Returns the fault (call.err
 * has the words), or FAULT_COUNT for a failure without one; ret_version as reference_do() wants it.
 */
enum fault real_do(struct real *r, const struct reference *reference, const struct step *s,
                   char ret_version[VERSION_LEN]);
/* Whether a version (NULL: the current one) is there (expected not NULL) with exactly this body;
 * otherwise false and words in why. */
bool real_holds(struct real *r, int name, const struct ref_past *past,
                const struct ref_body *expected, char why[300]);
const char *real_name(int name);
/* How many rows a listing of everything gives. */
size_t real_count(struct real *r);
/* Sweep as if all waiting times were over, then count what is left in the store. */
size_t real_sweep_all(struct real *r);

#endif
