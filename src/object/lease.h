// SPDX-License-Identifier: EUPL-1.2
/*
 * Leases on objects and containers: Azure's state machine (available, leased, expired, breaking,
 * broken), REST reference "Lease Blob" and "Lease Container".
 */
#ifndef OBJECT_LEASE_H
#define OBJECT_LEASE_H

#include "object/service.h"

enum lease_action { LEASE_ACQUIRE, LEASE_RENEW, LEASE_CHANGE, LEASE_RELEASE, LEASE_BREAK };

struct lease_request {
    struct place place; /* name NULL: the container's lease */
    struct conditions conditions;
    enum lease_action action;
    const char *id;       /* the lease's (renew, change, release); of acquire the one proposed */
    const char *proposed; /* change */
    int64_t seconds; /* acquire: 15 to 60, or -1 for ever; break: period 0 to 60, or -1 unsaid */
};
struct lease_result {
    char *id;          /* NULL after release and break */
    int64_t remaining; /* break: seconds until it is broken */
    char *etag;
    int64_t modified;
};
void lease_result_release(struct lease_result *r);
#define auto_lease_result cleanup(lease_result_release)
must_check int service_lease(struct service *service, const struct lease_request *request,
                             struct lease_result *ret, struct call *call);

/* The words of Azure's headers for a row's lease now: state ("available", "leased", "expired",
 * "breaking", "broken"), status ("locked", "unlocked"), duration ("fixed", "infinite" or NULL). */
void lease_words(int64_t state, int64_t seconds, int64_t until, int64_t now, const char **ret_state,
                 const char **ret_status, const char **ret_duration);

#endif
