// SPDX-License-Identifier: EUPL-1.2
/* What the files of the Swift driver share; nobody else includes it.  See swift.h. */
#ifndef STORE_DRIVER_SWIFT_INTERNAL_H
#define STORE_DRIVER_SWIFT_INTERNAL_H

#include <jansson.h>
#include <pthread.h>

#include "crypto/hash.h"
#include "store/driver/swift.h"
#include "util/thread.h"

/* Largest answers read into memory: a page of a listing, and a manifest of 1,000 segments. */
#define SWIFT_LISTING_MAX  (32 * 1024 * 1024)
#define SWIFT_MANIFEST_MAX (16 * 1024 * 1024)
#define SWIFT_INFO_MAX     (256 * 1024)

/* Metadata of our own begins so, after X-Object-Meta-. */
#define SWIFT_OWN "bascule-swift-"

/* The server's limits, as /info tells them or as Swift's defaults are. */
struct swift_limits {
    uint64_t file_size;
    uint32_t name_bytes;
    uint32_t meta_name;
    uint32_t meta_value;
    uint32_t meta_count;
    uint32_t meta_overall;
    uint32_t segments;
    uint32_t segment_size_min;
    uint32_t listing;
    bool versioning;
    bool slo;
    bool website;
    bool if_absent; /* heeds If-None-Match; elsewhere we look first */
};

/* What is known of the three headers a server may drop. */
enum swift_keeps { SWIFT_KEEPS_UNKNOWN, SWIFT_KEEPS, SWIFT_DROPS };
enum { SWIFT_FRAGILE_COUNT = 3 };
extern const char *const swift_fragile[SWIFT_FRAGILE_COUNT];

struct swift {
    struct store store;
    struct http_client *client;
    struct keystone *auth;
    char *storage_url; /* override, or NULL */
    char *segments_suffix;
    struct swift_limits limits;
    pthread_mutex_t lock;
    enum swift_keeps keeps[SWIFT_FRAGILE_COUNT]; /* guarded by lock */
    struct pairs segmented; /* container -> "yes" or "no": is there a segment container?
                               Guarded by lock. */
};

static inline struct swift *swift_of(struct store *s)
{
    return container_of(s, struct swift, store);
}

/* ---- swift_request.c: one request and its answer ---- */

/* "/container/name" escaped; name NULL for the container, container NULL for the account. */
char *swift_path(const char *container, const char *name);
/* The path of one object or version of it. */
char *swift_object_path(const struct object_key *key);

/* Send request to path (with its query) below the storage URL; the token is added, and renewed once
 * when it is refused (the body is then sent again from its start).  As http_do() otherwise. */
must_check int swift_send(struct swift *s, struct http_request *request, const char *path,
                          struct http_response *response, struct sink *sink,
                          struct http_begun *begun, struct call *call);

/* The error for an answer that says no.  what: "read object 'c/n'". */
int swift_refused(const struct http_response *response, struct call *call, const char *what, ...)
    printf_like(3, 4);

/* A request without a body; any status >= 300 is an error as swift_refused() says.  response may be
 * NULL, and so may sink. */
must_check int swift_simple(struct swift *s, struct http_request *request, const char *path,
                            struct http_response *response, struct sink *sink, struct call *call,
                            const char *what, ...) printf_like(7, 8);

/* GET path and parse the JSON answer; *ret is NULL where there is none. */
must_check int swift_get_json(struct swift *s, const char *path, size_t limit, json_t **ret,
                              struct call *call, const char *what, ...) printf_like(6, 7);

/* ---- swift_metadata.c: metadata keys and Swift's header names ---- */

/* Append the X-Object-Meta- headers that hold metadata. */
void swift_metadata_write(const struct pairs *metadata, const struct swift_limits *limits,
                          struct pairs *headers);
/* The inverse, from an answer's headers; our own other items are left out. */
void swift_metadata_read(const struct pairs *headers, struct pairs *ret);

/* ---- swift_headers.c: objects and headers ---- */

/* All headers that hold an object's properties (NULL: none), for a PUT. */
must_check int swift_headers_write(struct swift *s, const struct object *properties,
                                   struct http_request *request, struct call *call);
/* Fill ret from an answer to HEAD or GET. */
must_check int swift_headers_read(const struct http_response *response, struct object *ret,
                                  struct call *call);
/* An ETag without its quotes. */
char *swift_unquote(const char *etag);
/* Whether this answer is of a static large object. */
bool swift_is_slo(const struct http_response *response);
/* After a PUT of such properties: find out, once, which of the fragile headers the server keeps.
 * Until it is known they travel both ways. */
void swift_headers_learn(struct swift *s, const char *path, const struct object *properties,
                         const struct call *call);

/* ---- swift_object.c: bodies ---- */

int swift_stat(struct store *store, const struct object_key *key, struct object *ret,
               struct call *call);
int swift_get(struct store *store, const struct object_key *key, const struct get_options *options,
              struct sink *to, struct object *ret, enum transport_check *ret_check,
              struct call *call);
int swift_put(struct store *store, const struct object_key *key, const struct put_options *options,
              struct source *from, struct put_result *ret, struct call *call);
int swift_remove(struct store *store, const struct object_key *key, const char *if_match,
                 struct call *call);

/* A body on its way out: what is to be sent, and what it will be called. */
struct swift_body {
    struct source *from;
    uint64_t size;
    const struct checksums *known;
};
/* PUT one body to path; request may carry headers already.  *ret gets ETag (checked against the
 * MD5), version and stored. */
must_check int swift_put_body(struct swift *s, struct http_request *request, const char *path,
                              const struct swift_body *body, struct put_result *ret,
                              struct call *call, const char *what, ...) printf_like(7, 8);

/* ---- swift_copy.c ---- */

int swift_copy(struct store *store, const struct object_key *from, const char *if_match,
               const struct object_key *to, const struct put_options *options,
               struct put_result *ret, struct call *call);

/* ---- swift_segments.c: static large objects ---- */

char *swift_segments_container(const struct swift *s, const char *container);

/* The segments of a static large object. */
struct swift_segment {
    char *path; /* "/container/name", not escaped */
    uint64_t size;
    char etag[33];
};
struct swift_segments {
    struct swift_segment *list;
    size_t count;
    size_t size;
    bool ours;   /* every one is this driver's, made for this object */
    bool simple; /* whole plain objects: no ranges, no large objects inside */
    bool listed; /* found by their names: the server shows no manifest */
};
#define auto_segments cleanup(swift_segments_release)
void swift_segments_release(struct swift_segments *l);
void swift_segments_add(struct swift_segments *l, const char *path, uint64_t size,
                        const char *etag);

/* Read a manifest; ERR_UNSUPPORTED where the server does not show it (Ceph). */
must_check int swift_segments_read(struct swift *s, const struct object_key *key,
                                   struct swift_segments *ret, struct call *call);
/* The id of the upload an object was made of, from an answer, or NULL. */
const char *swift_upload_of(const struct http_response *response);
/* Write one, with the properties and the upload's id, as key.  if_absent as in put. */
must_check int swift_manifest_put(struct swift *s, const struct object_key *key, const char *id,
                                  const struct swift_segments *segments,
                                  const struct put_options *options, struct put_result *ret,
                                  struct call *call);
/* Before something replaces or removes key: the segments that will then be nobody's.  *ret stays
 * empty where nothing is to be removed.  if_match is held against what is there (ERR_CHANGED);
 * absent is the error where nothing is there to hold it against.  always: look in any case. */
struct swift_replacing {
    const char *if_match;
    bool if_absent;
    enum err_code absent;
    bool always; /* if_absent is held against what is there too */
};
must_check int swift_before_replace(struct swift *s, const struct object_key *key,
                                    const struct swift_replacing *how, struct swift_segments *ret,
                                    struct call *call);
/* Remove a static large object with all its segments. */
must_check int swift_segments_remove(struct swift *s, const struct object_key *key,
                                     struct call *call);
/* Afterwards.  A failure only leaves segments behind: it is logged. */
void swift_after_replace(struct swift *s, const struct swift_segments *old, struct call *call);

/* ---- swift_upload.c ---- */

int swift_upload_begin(struct store *store, const struct object_key *key,
                       const struct put_options *options, char **ret_id, struct call *call);
int swift_upload_part(struct store *store, const struct object_key *key, const char *id,
                      uint32_t number, const struct part_options *options, struct source *from,
                      struct part_result *ret, struct call *call);
int swift_upload_commit(struct store *store, const struct object_key *key, const char *id,
                        const struct part_result *parts, uint32_t count,
                        const struct put_options *options, struct put_result *ret,
                        struct call *call);
int swift_upload_abort(struct store *store, const struct object_key *key, const char *id,
                       struct call *call);
/* Where one segment lies; "%08u" of number. */
char *swift_segment_name(const char *name, const char *id, uint32_t number);
/* Create the segment container unless it is there. */
must_check int swift_segments_create(struct swift *s, const char *container, struct call *call);

/* ---- swift_list.c ---- */

int swift_list(struct store *store, const char *container, const struct list_options *options,
               struct object_list *ret, struct call *call);
/* One page of a container's listing; the cursor is not set.  Any bytes may come in. */
must_check int swift_listing_parse(const char *text, size_t length, bool versions,
                                   struct object_list *ret, struct err *e);

/* ---- swift_container.c, swift_settings.c ---- */

extern const struct container_ops swift_container_ops;
int swift_container_settings(struct store *store, const char *container, struct buf *ret_json,
                             struct call *call);
int swift_container_apply(struct store *store, const char *container, const char *json,
                          struct buf *ret_left, struct call *call);
must_check int swift_container_head(struct swift *s, const char *container,
                                    struct http_response *response, struct call *call);
/* Whether the container keeps versions, from the answer to a HEAD. */
bool swift_container_versions(const struct http_response *response);

#endif
