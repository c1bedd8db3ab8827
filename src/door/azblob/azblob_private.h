// SPDX-License-Identifier: EUPL-1.2
/*
 * What the files of the Azure Blob door share.  Nobody else includes this.
 *
 * The way of a request:
 *
 *     azblob_target_parse()   host, path and query become account, container, blob, decoded query
 *     azblob_route()          the row of the operation table (azblob_router.c)
 *     azblob_authorize()      who it is and whether it may; nothing of the body has been read
 *     operation->handler()    one straight-line function for each operation
 *
 * A handler answers once, with one of azblob_answer*(), and returns 0; or it returns -1 with
 * call->err set and has not answered: then azblob_answer_error() does, from the code that
 * azblob_fail() noted, or from err.fault and err.code (tables in azblob_error.c).  So errors of the
 * object service are simply passed on:
 *
 *     int azblob_blob_get_tags(struct azblob_request *r, struct call *call)
 *     {
 *         auto_object_row struct object_row row = object_row_new();
 *         if (service_stat(r->door->options.service, &r->place, &r->conditions, &row, call) < 0)
 *             return -1;
 *         ... build the XML in a buf ...
 *         return azblob_answer_xml(r, 200, &body);
 *     }
 *
 * What answers go out through is a channel: HTTP, the body of a batch, or a test's memory.
 * A request belongs to one thread at a time.
 */
#ifndef DOOR_AZBLOB_AZBLOB_PRIVATE_H
#define DOOR_AZBLOB_AZBLOB_PRIVATE_H

#include "auth/sharedkey.h"
#include "codec/json.h"
#include "door/azblob/azblob.h"
#include "door/azblob/azblob_code.h"
#include "object/container.h"
#include "object/lease.h"
#include "object/read.h"
#include "object/service.h"
#include "util/buf.h"
#include "util/stream.h"
#include "util/thread.h"

/* What an answer names as the version where the request names none: the newest known. */
#define AZBLOB_VERSION "2026-06-06"

#define AZBLOB_GUID_SIZE 37
/* A fresh GUID. */
void azblob_guid(char ret[AZBLOB_GUID_SIZE]);

struct azblob {
    struct azblob_options options;
    struct policy *policy; /* an empty one, for where no other is given */
    struct azblob_copier *copier;
};

/* ---- Requests ---- */

/* A request's head as it came in.  Borrowed; outlives the request. */
struct azblob_head {
    const char *method;
    const char *path;  /* raw, from its '/' */
    const char *query; /* raw, without '?'; NULL: none */
    const char *host;  /* "" where there is none */
    /* Of a part of a batch in path style: the account, which Python's library leaves out of the
     * part's path; NULL */
    const char *account;
    const struct pairs *headers;
    const char *peer;     /* the client's address */
    bool secure;          /* TLS */
    uint64_t body_length; /* HTTP_LENGTH_UNKNOWN (UINT64_MAX) when not announced */
};

enum azblob_which { AZBLOB_SERVICE, AZBLOB_CONTAINER, AZBLOB_BLOB, AZBLOB_WEB };

/* Where and what, from host, path and query. */
struct azblob_target {
    enum azblob_which which;
    bool path_style;
    bool secondary;  /* the account was named with "-secondary" */
    char *account;   /* without "-secondary"; "" when the path names none */
    char *container; /* decoded; NULL for the service */
    char *blob;      /* decoded, '\' turned into '/'; NULL for service and container */
    struct pairs query;
};
void azblob_target_release(struct azblob_target *t);
/* Fills *ret; -1 with *ret_code for what cannot be a request (bad escapes, NUL bytes, parameters
 * given twice).  Names are not judged here, see azblob_check_names(). */
must_check int azblob_target_parse(const struct azblob *door, const struct azblob_head *head,
                                   struct azblob_target *ret, enum azblob_code *ret_code,
                                   struct err *e);

/* How the client proved who it is. */
enum azblob_proof {
    AZBLOB_NOBODY, /* nothing was accepted (yet) */
    AZBLOB_ANONYMOUS,
    AZBLOB_SHARED_KEY,
    AZBLOB_SAS_ACCOUNT,
    AZBLOB_SAS_SERVICE,
    AZBLOB_SAS_DELEGATION,
    AZBLOB_BEARER,
};

struct azblob_request;
struct azblob_operation;

/* Where an answer goes.  headers: all of them, complete. */
struct azblob_channel {
    /* Takes what body holds. */
    void (*answer)(struct azblob_request *r, int status, const struct pairs *headers,
                   struct buf *body);
    /* To HEAD. */
    void (*answer_length)(struct azblob_request *r, int status, const struct pairs *headers,
                          uint64_t length);
    /* As http_answer_stream() in http/server.h: release is called in any case; -1 with call->err
     * when nothing was answered. */
    int (*answer_stream)(struct azblob_request *r, int status, const struct pairs *headers,
                         uint64_t length,
                         int (*producer)(void *argument, struct sink *sink, struct call *call),
                         void *argument, void (*release)(void *argument), struct call *call);
};

struct azblob_request {
    const struct azblob *door;
    const struct azblob_channel *channel;
    void *channel_argument; /* the channel's: the exchange, the batch, the test */
    struct azblob_head head;
    int64_t now;               /* wall clock at the beginning */
    int64_t timeout;           /* the client asks for (nanoseconds); 0: none */
    char id[AZBLOB_GUID_SIZE]; /* x-ms-request-id */

    /* Of the head; strings are borrowed from it. */
    const char *client_id; /* x-ms-client-request-id; NULL */
    const char *version;   /* x-ms-version or, for SAS alone, sv; NULL */
    struct azblob_target target;
    const struct azblob_operation *operation; /* NULL until routed */
    bool is_head;                             /* HEAD: an answer has no body */
    unsigned depth;                           /* 1 inside a batch */

    /* Who; set by azblob_authorize(). */
    enum azblob_proof proof;
    struct jwt_claims who;      /* of a bearer token or a user delegation */
    struct account_row account; /* valid once authorized */
    json_t *settings;           /* of the account, read; NULL: none */
    struct container_row home;  /* the container, where authorisation looked at it; else id 0 */
    bool refused;               /* for want of rights */
    /* It may create but not overwrite: r->conditions then asks if-none-match "*", and
     * the refusal is UnauthorizedBlobOverwrite. */
    bool create_only;

    /* Parsed for handlers, before they run. */
    struct place place;           /* account, container, blob; snapshot= and versionid= */
    struct conditions conditions; /* If-*, x-ms-if-tags, x-ms-lease-id */
    bool has_range;               /* x-ms-range, else Range */
    struct range range;

    /* In handle only, never NULL there: structured bodies are decoded already. */
    struct source *body;
    uint64_t body_length;       /* of what body gives */
    struct azblob_body *reader; /* what body belongs to; NULL where it needs nothing */

    /* The answer. */
    struct pairs answer;             /* headers added so far */
    struct pairs error_answer;       /* those that go with an error only */
    enum azblob_code code;           /* what azblob_fail() noted; AZBLOB_NONE */
    enum azblob_code source;         /* with it: what reading the source of a copy failed with */
    struct azblob_meaning as_source; /* and what the answer makes of it */
    struct pairs details;            /* further elements of the error body */
    bool answered;
    int status;
    const struct azblob_meaning *failure; /* what the answer says; NULL: all went well */
};

/* Everything before the handler: 0, or -1 with call->err (azblob_answer_error() next).  r is zeroed
 * but for door, channel, channel_argument, head, depth. */
must_check int azblob_request_begin(struct azblob_request *r, struct call *call);
/* Run the handler and see to it that there is an answer.  body may be NULL: there is none. */
void azblob_request_handle(struct azblob_request *r, struct source *body, struct call *call);
void azblob_request_release(struct azblob_request *r);
#define auto_azblob_request cleanup(azblob_request_release)
/* What is known of it for the record; the rest (status, bytes, times) is the caller's. */
void azblob_request_record(const struct azblob_request *r, struct azblob_record *ret);

/* ---- Looking things up ---- */

/* A request header's first value, or NULL. */
const char *azblob_get(const struct azblob_request *r, const char *header);
/* A query parameter's value, decoded; keys without case; NULL. */
const char *azblob_query(const struct azblob_request *r, const char *key);
/* Of a SAS: rscc, rscd, rsce, rscl, rsct, what a GET or HEAD shall answer instead; NULL. */
const char *azblob_override(const struct azblob_request *r, const char *key);

/* Headers and parameters with a fixed form: 1 there (and *ret set), 0 absent, -1 malformed, which
 * has been noted as InvalidHeaderValue (InvalidQueryParameterValue) with its name and value. */
must_check int azblob_header_number(struct azblob_request *r, const char *name, uint64_t min,
                                    uint64_t max, uint64_t *ret, struct call *call);
must_check int azblob_header_bool(struct azblob_request *r, const char *name, bool *ret,
                                  struct call *call);
must_check int azblob_header_date(struct azblob_request *r, const char *name, int64_t *ret,
                                  struct call *call);
must_check int azblob_query_number(struct azblob_request *r, const char *key, uint64_t min,
                                   uint64_t max, uint64_t *ret, struct call *call);

/* ---- What many operations read from headers (azblob_headers.c, azblob_checks.c) ---- */

/* x-ms-meta-* as JSON for object_row.metadata (heap; NULL for none).  InvalidMetadata,
 * EmptyMetadataKey, MetadataTooLarge. */
must_check int azblob_metadata(struct azblob_request *r, char **ret_json, struct call *call);
/* x-ms-tags, likewise; *ret_given: whether the header was there.  InvalidTag and its kind. */
must_check int azblob_tags_header(struct azblob_request *r, char **ret_json, bool *ret_given,
                                  struct call *call);
/* Ten, 128 and 256 characters, letters digits and " +-./:=_": sets InvalidTag or its kind. */
must_check int azblob_tags_check(struct azblob_request *r, const struct pairs *tags,
                                 struct call *call);
/* The <Tags> document of Set Blob Tags, likewise. */
must_check int azblob_tags_document(struct azblob_request *r, const struct buf *xml,
                                    char **ret_json, struct call *call);

/* Digests the body must have, from Content-MD5 (md5_header, NULL: not looked at) and
 * x-ms-content-crc64: BothCrc64AndMd5HeaderPresent, InvalidMd5, InvalidHeaderValue. */
struct azblob_digests {
    struct checksums expected;
    unsigned wanted; /* what to compute for the answer */
    bool answer_md5; /* the answer says Content-MD5, else x-ms-content-crc64 */
};
must_check int azblob_digests(struct azblob_request *r, const char *md5_header,
                              struct azblob_digests *ret, struct call *call);
/* Say x-ms-content-crc64, and Content-MD5 to whoever sent it: for parts (block, append, page). */
void azblob_answer_digests(struct azblob_request *r, const struct azblob_digests *digests,
                           const struct checksums *sums);
/* Say one of them, when it is known. */
void azblob_say_md5(struct azblob_request *r, const char *name, const struct checksums *sums);
void azblob_say_crc64(struct azblob_request *r, const struct checksums *sums);
/* A header of base64 that must decode to size bytes (0: to any, and none are given): 1, 0 absent,
 * -1 with code noted. */
must_check int azblob_header_digest(struct azblob_request *r, const char *name, size_t size,
                                    enum azblob_code code, unsigned char *ret, struct call *call);

/* Ids of leases and copies are GUIDs; others never match, and Azure says so early. */
bool azblob_is_guid(const char *text);
/* A header that must be one: 1, 0 absent, -1 InvalidHeaderValue. */
must_check int azblob_header_guid(struct azblob_request *r, const char *name, const char **ret,
                                  struct call *call);
/* Fill r->conditions, r->range and r->has_range; done before handlers run. */
must_check int azblob_conditions(struct azblob_request *r, struct call *call);
void azblob_range(struct azblob_request *r);
/* Conditions on the source of a copy (x-ms-source-if-*, x-ms-source-lease-id). */
must_check int azblob_source_conditions(struct azblob_request *r, struct conditions *ret,
                                        struct call *call);
/* "bytes=1-2", "bytes=1-": true and *ret; false for anything else (which is to be ignored). */
bool azblob_range_parse(const char *text, struct range *ret);

/* Container and blob names, in the order in which Azure judges them. */
must_check int azblob_check_names(struct azblob_request *r, struct call *call);
enum azblob_code azblob_container_name_fault(const char *name); /* AZBLOB_NONE: good */
enum azblob_code azblob_blob_name_fault(const char *name);

/* ---- Bodies (azblob_body.c) ---- */

/* Read the whole body, at most limit bytes (RequestBodyTooLarge). */
must_check int azblob_read_body(struct azblob_request *r, size_t limit, struct buf *ret,
                                struct call *call);
/* The same as an XML document with this root; InvalidXmlDocument. */
struct xml_node;
must_check int azblob_read_xml(struct azblob_request *r, size_t limit, const char *root,
                               struct xml_node **ret, struct call *call);
/* Set body and body_length: decodes what x-ms-structured-body says is framed. */
must_check int azblob_body_open(struct azblob_request *r, struct source *body, struct call *call);
void azblob_body_free(struct azblob_body *body);
/* The code where what failed was the client's body (cut off, wrongly framed), else AZBLOB_NONE. */
enum azblob_code azblob_body_fault(const struct azblob_request *r, const struct err *e);
/* Whether the client asks for a structured download (x-ms-structured-body on GET). */
bool azblob_wants_structured(const struct azblob_request *r);

/* ---- Answers (azblob_answer.c) ---- */

/* Add a header to the answer.  NULL values are left out. */
void azblob_say(struct azblob_request *r, const char *name, const char *value);
void azblob_sayf(struct azblob_request *r, const char *name, const char *format, ...)
    printf_like(3, 4);
void azblob_say_time(struct azblob_request *r, const char *name, int64_t time); /* RFC 1123 */
void azblob_say_bool(struct azblob_request *r, const char *name, bool value);
/* ETag (in quotes) and Last-Modified. */
void azblob_say_etag(struct azblob_request *r, const char *etag, int64_t modified);
/* x-ms-meta-*, out of the JSON of a row. */
void azblob_say_metadata(struct azblob_request *r, const char *json);
/* x-ms-lease-state, -status and -duration. */
void azblob_say_lease(struct azblob_request *r, int64_t state, int64_t seconds, int64_t until);

/* A header that goes out if the answer is an error ("Content-Range" of a 416). */
void azblob_say_error(struct azblob_request *r, const char *name, const char *value);

/* Answer; each returns 0, so that a handler can end with it. */
int azblob_answer(struct azblob_request *r, int status);
/* Content-Type application/xml; takes what body holds. */
int azblob_answer_xml(struct azblob_request *r, int status, struct buf *body);
/* The Content-Type is among the headers said. */
int azblob_answer_buf(struct azblob_request *r, int status, struct buf *body);
/* To HEAD. */
int azblob_answer_length(struct azblob_request *r, int status, uint64_t length);
/* -1 with call->err when nothing was answered. */
must_check int azblob_answer_stream(struct azblob_request *r, int status, uint64_t length,
                                    int (*producer)(void *argument, struct sink *sink,
                                                    struct call *call),
                                    void *argument, void (*release)(void *argument),
                                    struct call *call);

/* Note the code of the refusal; returns -1.  The text of call->err is for the log; the client gets
 * Azure's message. */
int azblob_fail(struct azblob_request *r, enum azblob_code code, struct call *call);
/* CannotVerifyCopySource, with status and message of the code that reading the source failed with.
 */
int azblob_fail_source(struct azblob_request *r, enum azblob_code source, struct call *call);
/* With one more element in the body ("HeaderName", "x-ms-range"); value may be NULL. */
int azblob_fail_with(struct azblob_request *r, enum azblob_code code, const char *element,
                     const char *value, struct call *call);
int azblob_fail_header(struct azblob_request *r, enum azblob_code code, const char *name,
                       struct call *call); /* HeaderName, HeaderValue */
int azblob_fail_query(struct azblob_request *r, enum azblob_code code, const char *key,
                      const char *reason, struct call *call);
/* Answer with the error of e. */
void azblob_answer_error(struct azblob_request *r, const struct err *e);
/* The code for an error of the object service. */
enum azblob_code azblob_code_of(const struct azblob_request *r, const struct err *e);

/* ---- Operations ---- */

typedef int azblob_handler(struct azblob_request *r, struct call *call);

enum azblob_flag {
    AZBLOB_ADMINISTRATIVE = 1 << 0,   /* always in the audit log */
    AZBLOB_WRITES = 1 << 1,           /* refused at the secondary */
    AZBLOB_ACCOUNT_ONLY = 1 << 2,     /* of all SAS only an account's can permit it */
    AZBLOB_NO_SAS = 1 << 3,           /* no SAS can */
    AZBLOB_PUBLIC_BLOB = 1 << 4,      /* anonymous with public access "blob" or "container" */
    AZBLOB_PUBLIC_CONTAINER = 1 << 5, /* anonymous with public access "container" only */
    AZBLOB_BODY = 1 << 6,             /* takes a body whose length must be announced */
    AZBLOB_CREATES = 1 << 7,          /* with the permission to create alone: must not overwrite */
    AZBLOB_BEARER_ONLY = 1 << 8,
    AZBLOB_REFUSED = 1 << 9,   /* not offered */
    AZBLOB_IN_BATCH = 1 << 11, /* may stand in a batch */
};

#define AZBLOB_NO_ACTION POLICY_ACTION_COUNT

/* A row of the table. */
struct azblob_operation {
    enum azblob_which which;
    const char *method;
    const char *restype; /* NULL: must be absent */
    const char *comp;    /* likewise */
    const char *header;  /* a header that must be there; NULL: any */
    const char *name;
    azblob_handler *handler;
    const char *permissions;   /* letters of a SAS of which one is enough; NULL: none needed */
    enum policy_action action; /* AZBLOB_NO_ACTION: none is asked about */
    unsigned flags;
};

/* The operation of a request; NULL with the code noted and call->err set. */
const struct azblob_operation *azblob_route(struct azblob_request *r, struct call *call);

/* The operation that reads a blob: what a copy does with its source. */
const struct azblob_operation *azblob_operation_get_blob(void);

/* Who it is and whether they may. */
must_check int azblob_authorize(struct azblob_request *r, struct call *call);
/* Parts of it (azblob_auth_*.c); each sets r->proof. */
must_check int azblob_authorize_key(struct azblob_request *r, struct call *call);
must_check int azblob_authorize_sas(struct azblob_request *r, const char *object_id,
                                    struct call *call);
must_check int azblob_authorize_bearer(struct azblob_request *r, struct call *call);
must_check int azblob_authorize_anonymous(struct azblob_request *r, struct call *call);
/* Read r->target's account and its settings. */
must_check int azblob_find_account(struct azblob_request *r, struct call *call);
/* Name the issuer of tokens in the refusal, where there is one. */
void azblob_challenge(struct azblob_request *r);
/* The container of the request in r->home, once; 1 there, 0 not, -1. */
must_check int azblob_home(struct azblob_request *r, struct call *call);

/* What a request needs: of each, one of these letters of a SAS, and this action. */
#define AZBLOB_NEEDS_MAX 6
struct azblob_need {
    const char *any_of; /* NULL: nothing */
    enum policy_action action;
};
struct azblob_needs {
    struct azblob_need list[AZBLOB_NEEDS_MAX];
    size_t count;
};
void azblob_needs(const struct azblob_request *r, struct azblob_needs *ret);
/* Ask the policy about all of them; 1 allowed, 0 not, -1.  May set r->create_only. */
must_check int azblob_ask_policy(struct azblob_request *r, const struct policy_principal *who,
                                 struct call *call);

/* Whether the request is Copy Blob as it was first: asynchronous.  It has liberties with its source
 * that the operations "from URL" have not. */
bool azblob_copies_later(const struct azblob_request *r);
/* May this request's client read the blob at url, too?  For copies inside the service: url may
 * carry a SAS; authorization is x-ms-copy-source-authorization (may be NULL); without either
 * everybody may read what is public, and of Copy Blob's own account whoever holds its key or a
 * token what that gives them.  *ret: the place's target.  azblob_fail_source() when not. */
must_check int azblob_authorize_source(struct azblob_request *r, const char *url,
                                       const char *authorization, struct azblob_target *ret,
                                       struct call *call);
/* Whether a URL leads to a blob behind this door: 1 and its target, 0 it does not, -1 malformed
 * (InvalidHeaderValue is the caller's to say). */
must_check int azblob_own_url(const struct azblob_request *r, const char *url,
                              struct azblob_target *ret, struct err *e);
/* The place a target names (strings borrowed from it), with snapshot= and versionid=. */
must_check int azblob_place(const struct azblob_target *t, struct place *ret);

/* ---- XML and settings that several files write and read ---- */

/* What a page of a list holds at most. */
#define AZBLOB_LIST_MAX 5000

/* A <StorageServiceProperties> document into settings, and back (azblob_properties.c). */
must_check int azblob_properties_read(struct azblob_request *r, const struct xml_node *root,
                                      json_t *settings, struct call *call);
void azblob_properties_write(struct buf *out, const json_t *settings);
/* x-ms-blob-public-access: *ret is a literal, NULL for private; PublicAccessNotPermitted. */
must_check int azblob_public_access(struct azblob_request *r, const char **ret, struct call *call);
/* Whether the account lets no container be public. */
bool azblob_public_forbidden(const struct azblob_request *r);
/* The body as a <SignedIdentifiers> document, into JSON (heap; NULL: none). */
must_check int azblob_policies_read(struct azblob_request *r, char **ret_json, struct call *call);
/* <Tags>. */
void azblob_write_tags(struct buf *out, const struct pairs *tags);
/* <Metadata> of the JSON of a row. */
void azblob_write_metadata(struct buf *out, const char *json);
/* The ServiceEndpoint of a list, escaped. */
void azblob_write_endpoint(struct azblob_request *r, struct buf *out);
/* An element with a query parameter's value, where it was given. */
void azblob_write_asked(struct azblob_request *r, struct buf *out, const char *element,
                        const char *key);

/* CORS (azblob_cors.c): headers of the answer for an Origin the account's rules allow. */
void azblob_say_cors(struct azblob_request *r);
int azblob_preflight(struct azblob_request *r, struct call *call);

azblob_handler azblob_not_offered;

/* azblob_lease.c, azblob_service.c, azblob_find.c, azblob_batch.c, azblob_web.c */
azblob_handler azblob_lease, azblob_list_containers, azblob_get_service_properties,
    azblob_set_service_properties, azblob_get_stats, azblob_get_account_information,
    azblob_get_delegation_key, azblob_find, azblob_batch, azblob_web;

/* azblob_container.c, azblob_acl.c, azblob_list.c */
azblob_handler azblob_container_create, azblob_container_get, azblob_container_set_metadata,
    azblob_container_get_acl, azblob_container_set_acl, azblob_container_delete,
    azblob_container_restore, azblob_container_list;

/* Copies from elsewhere that run on (azblob_blob_copier.c).  Freeing ends and awaits them. */
struct azblob_copier *azblob_copier_new(void);
void azblob_copier_free(struct azblob_copier *copier);

/* azblob_blob_*.c */
azblob_handler azblob_blob_put, azblob_blob_put_from_url, azblob_blob_copy, azblob_blob_abort_copy,
    azblob_blob_get, azblob_blob_head, azblob_blob_get_metadata, azblob_blob_set_metadata,
    azblob_blob_set_properties, azblob_blob_get_tags, azblob_blob_set_tags, azblob_blob_set_tier,
    azblob_blob_snapshot, azblob_blob_delete, azblob_blob_undelete, azblob_blob_set_expiry,
    azblob_blob_set_immutability, azblob_blob_delete_immutability, azblob_blob_set_legal_hold,
    azblob_blob_put_block, azblob_blob_put_block_from_url, azblob_blob_put_block_list,
    azblob_blob_get_block_list, azblob_blob_append, azblob_blob_append_from_url, azblob_blob_seal,
    azblob_blob_put_page, azblob_blob_put_page_from_url, azblob_blob_get_page_ranges,
    azblob_blob_copy_incremental;

#endif
