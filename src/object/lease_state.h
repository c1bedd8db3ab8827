// SPDX-License-Identifier: EUPL-1.2
/*
 * The state machine of a lease, without any database: REST reference "Lease Blob", tables
 * "Outcomes of lease operations by lease state" and "Outcomes of use attempts by lease state".
 *
 * Ids compare without case (they are GUIDs).  Only service code and its tests include this.
 */
#ifndef OBJECT_LEASE_STATE_H
#define OBJECT_LEASE_STATE_H

#include "object/lease.h"

/* The lease columns of a row.  id is owned. */
struct lease {
    char *id;
    int64_t state;   /* enum lease_state */
    int64_t seconds; /* -1 for ever */
    int64_t until;   /* TIME_UNKNOWN: no end */
};
void lease_release(struct lease *l);
#define auto_lease cleanup(lease_release)

/* Do what request asks (action, id, proposed, seconds) to the lease of name at a moment.
 * *ret_remaining: of a break, the seconds until it is broken, else 0.  Unchanged on failure. */
must_check int lease_apply(struct lease *l, const struct lease_request *request, const char *name,
                           int64_t now, int64_t *ret_remaining, struct err *e);
/* Whether an operation on the thing may go on: see lease_check(). */
must_check int lease_permits(const struct lease *l, const char *id, bool write, const char *name,
                             int64_t now, struct err *e);

#endif
