// SPDX-License-Identifier: EUPL-1.2
/*
 * Where a request goes, as the signature schemes see it: the parts of an absolute URL in place,
 * without copying and without undoing any escape.
 */
#ifndef AUTH_TARGET_H
#define AUTH_TARGET_H

#include <stdbool.h>

#include "util/err.h"

struct target {
    bool secure;      /* https */
    const char *host; /* as in a Host header: with the port unless it is the scheme's own */
    size_t host_length;
    const char *path; /* raw, "" or from '/' on */
    size_t path_length;
    const char *query; /* raw, behind the '?', to the end of the URL; NULL where there is none */
};

/* All point into url.  ERR_INVALID when it is not an http:// or https:// URL without userinfo and
 * fragment; it is not quoted. */
must_check int target_of(const char *url, struct target *ret, struct err *e);

#endif
