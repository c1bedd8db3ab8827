// SPDX-License-Identifier: EUPL-1.2
/*
 * Listing objects: costs what it lists, whatever else the container holds (with a delimiter the
 * rows behind a prefix are skipped, not read).
 */
#ifndef OBJECT_LIST_H
#define OBJECT_LIST_H

#include "object/service.h"

enum listing_include {
    LISTING_SNAPSHOTS = 1 << 0,
    LISTING_VERSIONS = 1 << 1,    /* earlier versions, and markers */
    LISTING_DELETED = 1 << 2,     /* soft-deleted ones */
    LISTING_UNCOMMITTED = 1 << 3, /* names that have staged blocks only: size 0, etag NULL */
};

struct listing_options {
    const char *prefix;
    const char *delimiter;
    /* Where the page begins.  Azure: marker is `next` of the page before. */
    const char *marker;
    const char *after; /* S3's start-after and marker: names greater than this only */
    const char
        *after_version; /* S3's version-id-marker: rows of that name older than this id too */
    unsigned limit;     /* entries and prefixes together */
    unsigned include;
    bool newest_first; /* versions of one name: S3's order; else oldest first, current last */
};

/* One entry: an object or a common prefix. */
struct listing_entry {
    char *prefix; /* NULL: it is an object */
    struct object_row object;
    bool has_versions_only; /* the name has no current object */
};
struct listing {
    struct listing_entry *list;
    size_t count;
    size_t size;
    char *next; /* opaque; NULL after the last page */
    struct container_row container;
};
void listing_release(struct listing *l);
#define auto_listing cleanup(listing_release)
must_check int service_list(struct service *service, const char *account, const char *container,
                            const struct listing_options *options, struct listing *ret,
                            struct call *call);

/* Objects whose tags match an expression (tags.h), in all containers of an account or one
 * (container not NULL). */
struct found_object {
    char *container;
    char *name;
    char *tags; /* JSON, those the expression names */
    char *version;
};
struct found_list {
    struct found_object *list;
    size_t count;
    size_t size;
    char *next;
};
void found_list_release(struct found_list *l);
#define auto_found cleanup(found_list_release)
must_check int service_find_by_tags(struct service *service, const char *account,
                                    const char *container, const char *where, const char *marker,
                                    unsigned limit, struct found_list *ret, struct call *call);

#endif
