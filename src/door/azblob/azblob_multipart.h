// SPDX-License-Identifier: EUPL-1.2
/*
 * The body of a Blob Batch request: multipart/mixed, each part an HTTP request of its own.
 * Source: REST reference, "Blob Batch"; RFC 2046 section 5.1.
 */
#ifndef DOOR_AZBLOB_AZBLOB_MULTIPART_H
#define DOOR_AZBLOB_AZBLOB_MULTIPART_H

#include "util/buf.h"
#include "util/pairs.h"

#define MULTIPART_PARTS_MAX   256
#define MULTIPART_HEADERS_MAX 100

struct multipart_part {
    char *content_id; /* NULL: none */
    char *method;
    char *path;  /* raw, from its '/' */
    char *query; /* raw; NULL */
    struct pairs headers;
};
struct multipart {
    struct multipart_part *list;
    size_t count;
};
void multipart_release(struct multipart *m);
#define auto_multipart cleanup(multipart_release)

/* The boundary that a Content-Type of multipart/mixed names (heap); NULL: it is none. */
char *multipart_boundary(const char *content_type);
/* ERR_INVALID for what is no such body, ERR_QUOTA for more than MULTIPART_PARTS_MAX parts. */
must_check int multipart_parse(const char *body, size_t length, const char *boundary,
                               struct multipart *ret, struct err *e);

#endif
