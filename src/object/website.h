// SPDX-License-Identifier: EUPL-1.2
/*
 * The pages of a website: which object a path stands for.  Both doors serve websites; what differs
 * stands in struct website.
 *
 *     a             the object "a"
 *     a/, ""        the index document in it: "a/index.html"
 *     a             where there is no such object but "a/index.html": that, or a redirect to "a/"
 *
 * What is not there, or may not be read, is answered with the error document where there is one.
 */
#ifndef OBJECT_WEBSITE_H
#define OBJECT_WEBSITE_H

#include "object/read.h"

struct website {
    const char *index;         /* the document in each folder; NULL: none */
    const char *default_index; /* what stands for all that is not there; NULL: nothing */
    const char *error;         /* NULL: none */
    bool redirects_folders;    /* "a" is told to be "a/"; else it is shown */
    /* Whether the visitor may read an object of this name: 1, 0, -1.  NULL: all of them. */
    int (*may_read)(void *argument, const char *name, struct call *call);
    void *argument;
};

enum website_outcome {
    WEBSITE_PAGE,      /* the reading is open */
    WEBSITE_FOLDER,    /* redirect to the path with a '/' behind it */
    WEBSITE_ABSENT,    /* not there */
    WEBSITE_FORBIDDEN, /* there or not, the visitor may not read it */
};

/* site: account and container.  conditions and range as for service_open_read(), and what they
 * refuse fails. */
must_check int website_find(struct service *service, const struct place *site,
                            const struct website *website, const char *path,
                            const struct conditions *conditions, const struct range *range,
                            enum website_outcome *ret_outcome, struct reading *ret,
                            struct call *call);
/* The error document: 1 and the reading is open, 0 there is none that may be read, -1. */
must_check int website_find_error(struct service *service, const struct place *site,
                                  const struct website *website, struct reading *ret,
                                  struct call *call);

#endif
