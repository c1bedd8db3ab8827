// SPDX-License-Identifier: EUPL-1.2
/*
 * The requests of bench/load in the two APIs a gateway is measured in: Azure's Blob API, signed
 * with Shared Key, and S3, signed with SigV4 and the payload's hash.
 *
 * Threads: fixed once open, so any may use it.
 */
#ifndef BENCH_DIALECT_H
#define BENCH_DIALECT_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/sharedkey.h"
#include "auth/sigv4.h"

struct dialect {
    bool s3;
    bool is_signed;
    const char *base; /* "http://127.0.0.1:10000" */
    const char *path; /* with the container, "/account/container" or "/bucket" */
    struct sharedkey azure;
    struct sigv4 who;
};

/* region NULL: Azure.  A key "-" signs nothing.  Ends the program when the key is none. */
void dialect_open(struct dialect *d, const char *base, const char *path, const char *account,
                  const char *key, const char *region);

/* The head of a request for target (path and query), with a body of n bytes.  Heap. */
char *dialect_head(struct dialect *d, const char *method, const char *target, const void *bytes,
                   size_t n);

/* What makes the container, and a page of its listing after a marker (as it stood in the answer;
 * "" for the first).  Heap. */
char *dialect_container(const struct dialect *d);
char *dialect_page(const struct dialect *d, const char *marker);
/* The elements of a page: "<Blob>" begins an entry, "<NextMarker>" the next page's marker. */
const char *dialect_entry(const struct dialect *d);
const char *dialect_marker(const struct dialect *d);

#endif
