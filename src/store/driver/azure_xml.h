// SPDX-License-Identifier: EUPL-1.2
/*
 * Azure's XML answers, read as they stream in: List Blobs and Get Page Ranges may be long.
 *
 *     auto_azure_page struct azure_page page;
 *     azure_page_init(&page, 5000);
 *     ... push the answer into &page.reader.sink ...
 *     if (azure_page_finish(&page, &list, e) < 0)
 *         return -1;                                   (cut off, or no such document)
 *
 * Any bytes may be pushed in.  Errors are ERR_REMOTE: the service answered nonsense.
 * https://learn.microsoft.com/rest/api/storageservices/list-blobs
 */
#ifndef STORE_DRIVER_AZURE_XML_H
#define STORE_DRIVER_AZURE_XML_H

#include "codec/xml.h"
#include "store/store.h"

/* A page of List Blobs. */
struct azure_page {
    struct xml_reader reader;
    struct object_list list;
    size_t most;           /* a page with more entries is refused */
    struct object *object; /* the one being read: the last of list; NULL outside */
    bool deleted, snapshot, not_current;
    char *tag_key;
};
#define auto_azure_page cleanup(azure_page_release)
void azure_page_init(struct azure_page *p, size_t most);
void azure_page_release(struct azure_page *p);
/* The document is complete now: hand the list over. */
must_check int azure_page_finish(struct azure_page *p, struct object_list *ret, struct err *e);

/* A page of Get Page Ranges. */
struct azure_ranges {
    struct xml_reader reader;
    struct extent_list *into; /* borrowed; neighbours are joined */
    uint64_t start;
    bool has_start;
    char *next;
};
#define auto_azure_ranges cleanup(azure_ranges_release)
void azure_ranges_init(struct azure_ranges *r, struct extent_list *into);
void azure_ranges_release(struct azure_ranges *r);
/* *ret_next: the marker of the next page, NULL after the last. */
must_check int azure_ranges_finish(struct azure_ranges *r, char **ret_next, struct err *e);

/* A page of List Containers, from a whole answer. */
must_check int azure_containers_parse(const char *text, size_t length, struct container_list *ret,
                                      struct err *e);

/* Tags: read an answer, and write a request. */
must_check int azure_tags_parse(const char *text, size_t length, struct pairs *ret, struct err *e);
void azure_tags_write(struct buf *out, const struct pairs *tags);

/* A name element's text: percent-decoded where it says Encoded="true".  A fresh string. */
must_check int azure_name_decode(const char *text, size_t length, const struct pairs *attributes,
                                 char **ret, struct err *e);

#endif
