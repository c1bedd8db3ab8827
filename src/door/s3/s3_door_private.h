// SPDX-License-Identifier: EUPL-1.2
/*
 * What the files of the S3 door share.  Nobody else includes this.
 *
 * The way of a request:
 *
 *     s3_target_parse()    host, path and query become bucket, key, decoded query
 *     s3_route()           the row of the operation table (s3_router.c)
 *     s3_authenticate()    whose signature it is; s3_authorize(): whether they may
 *     operation->handler() one straight-line function for each operation
 *
 * A handler answers once, with one of s3_answer*(), and returns 0; or it returns -1 with call->err
 * set and has not answered: then s3_answer_error() does, from the code that s3_fail() noted, or
 * from err.fault and err.code (table in s3_error.c).
 *
 * A request belongs to one thread at a time.
 */
#ifndef DOOR_S3_S3_DOOR_PRIVATE_H
#define DOOR_S3_S3_DOOR_PRIVATE_H

#include "auth/sigv4_reader.h"
#include "door/s3/s3_code.h"
#include "door/s3/s3_door.h"
#include "http/server.h"
#include "object/container.h"
#include "object/digest.h"
#include "object/read.h"
#include "object/write.h"

#define S3_XML_NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"
/* Of XML bodies; DeleteObjects and CompleteMultipartUpload are the largest. */
#define S3_XML_MAX (4 * 1024 * 1024)
/* Of configurations, which are told again: escaped they grow sixfold at most. */
#define S3_CONFIGURATION_MAX (128 * 1024)
#define S3_KEY_MAX           1024
#define S3_PARTS_MAX         10000
#define S3_OBJECT_PUT_MAX    (UINT64_C(5) * 1024 * 1024 * 1024)

struct s3_door {
    struct s3_door_options options;
};

enum s3_which { S3_SERVICE, S3_BUCKET, S3_OBJECT, S3_WEBSITE };

/* How the client proved who it is. */
enum s3_proof { S3_NOBODY, S3_ANONYMOUS, S3_SIGNATURE, S3_PRESIGNED, S3_POST };

struct s3_operation;
struct s3_body;

struct s3_request {
    struct s3_door *door;
    struct http_exchange *x;
    int64_t now;
    char id[33]; /* x-amz-request-id */
    char peer[64];
    bool secure;

    enum s3_which which;
    bool virtual_host;
    char *bucket; /* decoded; NULL for the service */
    char *key;    /* decoded; NULL for service and bucket */
    struct pairs query;
    const struct s3_operation *operation;
    bool is_head;

    enum s3_proof proof;
    struct sigv4_claim claim;
    struct sigv4 who;               /* set up when proof is SIGNATURE or PRESIGNED */
    char *account;                  /* whose buckets are meant; NULL: nobody's */
    char *principal;                /* of the access key; NULL: the account's own key */
    const char *form_policy;        /* while a form is authenticated: what its signature is over */
    bool owner;                     /* signed with a key of the account itself */
    struct container_row container; /* of the bucket; id 0: not there or not asked for */

    struct place place; /* account, container, name, version */

    /* Of the body, set by s3_body_open(). */
    struct s3_body *body;

    /* The answer. */
    struct pairs answer;
    enum s3_code code;    /* what s3_fail() noted */
    char *detail;         /* a message in place of the code's own */
    struct pairs details; /* elements of its own that the error's body gets */
    bool answered;
    int status;
    const char *error_word;
};

/* ---- Looking things up (s3_headers.c) ---- */

const char *s3_header(const struct s3_request *r, const char *header);
const char *s3_query(const struct s3_request *r, const char *key);
bool s3_asks(const struct s3_request *r, const char *key); /* the parameter is there at all */
/* A number in the query: absent leaves *ret alone; InvalidArgument. */
must_check int s3_query_number(struct s3_request *r, const char *key, uint64_t max, unsigned *ret,
                               struct call *call);
/* The If-* headers as conditions of the service (borrowed from the request). */
must_check int s3_conditions(struct s3_request *r, struct conditions *ret, struct call *call);
/* Those of a write: If-Match alone, or If-None-Match with "*" alone; NotImplemented. */
must_check int s3_write_conditions(struct s3_request *r, struct conditions *ret, struct call *call);
/* x-amz-copy-source-if-*. */
must_check int s3_source_conditions(struct s3_request *r, struct conditions *ret,
                                    struct call *call);
/* What a write sets: content headers, x-amz-meta-*, x-amz-tagging, lock headers, storage class. */
must_check int s3_properties(struct s3_request *r, struct object_row *ret, struct call *call);
/* "a=1&b=2" (x-amz-tagging) as JSON for object_row.tags. */
must_check int s3_tagging_parse(struct s3_request *r, const char *text, char **ret_json,
                                struct call *call);
/* Tags of an object: how many, which letters, none twice; BadRequest, InvalidTag. */
must_check int s3_tags_check(struct s3_request *r, const struct pairs *tags, struct call *call);
/* The tags of a document <Tagging>; MalformedXML. */
struct xml_node;
must_check int s3_tags_from_xml(struct s3_request *r, const struct xml_node *tagging,
                                struct pairs *ret, struct call *call);
/* One key and value, of whatever; InvalidTag. */
must_check int s3_tag_check(struct s3_request *r, const struct pairs *tags, size_t i,
                            struct call *call);
/* The Range header; malformed ones are left out. */
void s3_range(const struct s3_request *r, struct range *ret);

/* partNumber: 1 to S3_PARTS_MAX; InvalidArgument. */
must_check int s3_number_of_part(struct s3_request *r, unsigned *ret, struct call *call);
/* A version id as a client may give it: one of ours, "null", or one that another provider could
 * have made; InvalidArgument. */
must_check int s3_version_check(struct s3_request *r, const char *version, struct call *call);
/* x-amz-expected-bucket-owner, or that of a copy's source: AccessDenied where it is another. */
must_check int s3_owner_check(struct s3_request *r, const char *header, struct call *call);

/* ---- Bodies (s3_body.c) ---- */

/* How the body is framed, how long it is, and what it must have: Content-MD5,
 * x-amz-content-sha256, x-amz-checksum-*, and trailers.  MissingContentLength, InvalidDigest... */
struct s3_body {
    struct source source;       /* the decoded bytes */
    uint64_t length;            /* of those */
    unsigned wanted;            /* digests to compute: bits of enum checksum_kind */
    struct checksums *expected; /* trailers go here when they come */
    struct checksums known;     /* what headers said */
    const char *algorithm;      /* "CRC32": the checksum the client chose; NULL */
    enum checksum_kind kind;    /* of algorithm */
    bool trailer;               /* it may end with trailers */
    bool trails;                /* the checksum is said in one */
    enum s3_code lie;           /* what was wrong with the framing, where S3 has a code for it */
    char lie_text[100];         /* a message in place of the code's own */
    struct source *raw;
    struct sigv4_reader *reader;
    bool framed;
};
must_check int s3_body_open(struct s3_request *r, struct call *call);
/* Whether x-amz-content-sha256 is there and well formed, as a signature in a header needs it. */
must_check int s3_payload_check(struct s3_request *r, struct call *call);
void s3_body_free(struct s3_body *b);
/* Put the body into a request of the service: source, size, expected, wanted. */
#define s3_body_into(r, request)                    \
    do {                                            \
        (request)->body = &(r)->body->source;       \
        (request)->size = (r)->body->length;        \
        (request)->expected = (r)->body->known;     \
        (request)->wanted |= (r)->body->wanted;     \
        (r)->body->expected = &(request)->expected; \
    } while (0)
/* Content-MD5, x-amz-checksum-* and what announces them: into body->known, wanted, algorithm. */
must_check int s3_body_checksums(struct s3_request *r, struct call *call);
/* For a body of no bytes: its framing is right to the end. */
must_check int s3_body_end(struct s3_request *r, struct call *call);
/* A whole small body, its digests checked. */
must_check int s3_body_read(struct s3_request *r, size_t limit, struct buf *ret, struct call *call);
/* An XML body with this root (NULL: any); MalformedXML. */
must_check int s3_body_xml(struct s3_request *r, const char *root, struct xml_node **ret,
                           struct call *call);
/* The same of at most S3_CONFIGURATION_MAX bytes. */
must_check int s3_body_configuration(struct s3_request *r, const char *root, struct xml_node **ret,
                                     struct call *call);
/* "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"; 0, -1 for none of them. */
int s3_algorithm_parse(const char *text, enum checksum_kind *ret, const char **ret_name);
/* "CRC32"; and "crc32", as headers have it. */
const char *s3_algorithm_name(enum checksum_kind kind);
const char *s3_algorithm_small(enum checksum_kind kind);
/* x-amz-checksum-... of a row, when there is one: name of header or XML element's algorithm. */
struct s3_checksum {
    char algorithm[16]; /* "CRC32" */
    char type[16];      /* "FULL_OBJECT" or "COMPOSITE" */
    char value[96];     /* base64, with "-parts" when composite */
};
bool s3_checksum_of(const char *checksums_json, struct s3_checksum *ret);
/* Headers x-amz-checksum-<alg> and x-amz-checksum-type. */
void s3_say_checksum_as(struct s3_request *r, const struct s3_checksum *c);
void s3_say_checksum(struct s3_request *r, const char *checksums_json);
/* ---- Answers (s3_answer.c) ---- */

void s3_say(struct s3_request *r, const char *name, const char *value); /* NULL: left out */
void s3_sayf(struct s3_request *r, const char *name, const char *format, ...) printf_like(3, 4);
void s3_say_time(struct s3_request *r, const char *name, int64_t time);
/* S3's ETag of a row, without quotes; heap. */
char *s3_etag_of(const struct object_row *o);
/* The version id of a row ("null" where versioning was off); NULL where the bucket has none. */
const char *s3_version_of(const struct s3_request *r, const struct object_row *o);
/* x-amz-version-id of what was just written: only where versioning is on. */
void s3_say_new_version(struct s3_request *r, const struct object_row *o);
/* "STANDARD", or what stands for the object's tier. */
const char *s3_storage_class(const struct object_row *o);
/* What a GET or HEAD says of an object. */
void s3_say_object(struct s3_request *r, const struct object_row *o);

int s3_answer(struct s3_request *r, int status);
int s3_answer_xml(struct s3_request *r, int status, struct buf *body);
int s3_answer_text(struct s3_request *r, int status, const char *type, struct buf *body);
int s3_answer_length(struct s3_request *r, int status, uint64_t length);
/* -1 with call->err when nothing was answered. */
must_check int s3_answer_stream(struct s3_request *r, int status, uint64_t length,
                                http_producer *producer, void *argument,
                                void (*release)(void *argument), struct call *call);
/* Note the code of the refusal; returns -1. */
int s3_fail(struct s3_request *r, enum s3_code code, struct call *call);
/* With a message of its own. */
int s3_failf(struct s3_request *r, enum s3_code code, struct call *call, const char *format, ...)
    printf_like(4, 5);
/* InvalidArgument that names the argument (a header or parameter) and says what it was. */
int s3_fail_argument(struct s3_request *r, const char *name, const char *value, struct call *call,
                     const char *format, ...) printf_like(5, 6);
/* One more element for the body of an error that is on its way: "Region", "Condition". */
void s3_explain(struct s3_request *r, const char *element, const char *text);
void s3_answer_error(struct s3_request *r, const struct err *e);
enum s3_code s3_code_of(const struct s3_request *r, const struct err *e);

/* XML helpers: a number, an ISO date, the head with the root and its namespace. */
void s3_xml_root(struct buf *b, const char *root);
void s3_xml_number(struct buf *b, const char *name, uint64_t value);
void s3_xml_time(struct buf *b, const char *name, int64_t time);
/* With encoding-type=url the text is escaped. */
void s3_xml_key(struct buf *b, const char *name, const char *key, bool url);

/* ---- Who (s3_auth.c, s3_policy.c) ---- */

must_check int s3_authenticate(struct s3_request *r, struct call *call);
/* A form: whose key r->claim names, and whether it signed this policy.  r->account changes. */
must_check int s3_authenticate_form(struct s3_request *r, const char *policy, struct call *call);
must_check int s3_authorize(struct s3_request *r, struct call *call);
/* May this request do that too, to another key (the source of a copy, each key of a batch)? */
must_check int s3_authorize_also(struct s3_request *r, const char *action, const char *bucket,
                                 const char *key, struct call *call);
/* The bucket's policy: 1 allows, 0 says nothing, -2 denies, -1 could not be read. */
int s3_policy_judge(struct s3_request *r, const char *action, const struct container_row *bucket,
                    const char *key, struct call *call);

/* ---- Operations ---- */

typedef int s3_handler(struct s3_request *r, struct call *call);

enum s3_flag {
    S3_ADMINISTRATIVE = 1 << 0,
    S3_NO_BUCKET = 1 << 1, /* the bucket need not be there */
    S3_TAKES_BODY = 1 << 2,
    S3_SAYS_CHECKSUM = 1 << 3,  /* x-amz-checksum-* is of the object, not of the body */
    S3_NO_VERSION = 1 << 4,     /* versionId means nothing here, and is refused */
    S3_COPIES = 1 << 5,         /* x-amz-copy-source is of it */
    S3_NEEDS_CHECKSUM = 1 << 6, /* Content-MD5 or x-amz-checksum-* must come with the body */
};

struct s3_operation {
    enum s3_which which;
    const char *method;
    const char *query;  /* a parameter that must be there; NULL: any */
    const char *header; /* a header that must be there; NULL: any */
    const char *name;
    const char *action; /* "s3:GetObject" */
    s3_handler *handler;
    unsigned flags;
};
const struct s3_operation *s3_route(struct s3_request *r, struct call *call);

/* s3_bucket.c */
s3_handler s3_list_buckets, s3_create_bucket, s3_head_bucket, s3_delete_bucket, s3_get_location,
    s3_get_versioning, s3_put_versioning;
/* s3_list.c */
s3_handler s3_list_objects, s3_list_objects_v2, s3_list_versions;
/* s3_object.c */
s3_handler s3_get_object, s3_head_object, s3_put_object, s3_delete_object, s3_delete_objects,
    s3_get_attributes, s3_restore;
/* s3_copy.c */
s3_handler s3_copy_object, s3_upload_part_copy;
/* s3_multipart.c */
s3_handler s3_create_upload, s3_put_part, s3_complete_upload, s3_abort_upload, s3_list_parts,
    s3_list_uploads;
/* s3_tagging.c */
s3_handler s3_get_tagging, s3_put_tagging, s3_delete_tagging, s3_get_bucket_tagging,
    s3_put_bucket_tagging, s3_delete_bucket_tagging;
/* s3_lock.c */
s3_handler s3_get_lock_configuration, s3_put_lock_configuration, s3_get_retention, s3_put_retention,
    s3_get_legal_hold, s3_put_legal_hold;
/* Retention and hold are only for buckets with a lock; InvalidRequest. */
must_check int s3_lock_check(struct s3_request *r, const struct object_row *properties,
                             struct call *call);
/* The bucket's default retention, for an object that names none of its own. */
must_check int s3_default_retention(struct s3_request *r, struct object_row *properties,
                                    struct call *call);
/* Tags of a bucket as its setting keeps them; NULL: refused. */
struct json_t *s3_bucket_tags_json(struct s3_request *r, const struct pairs *tags,
                                   struct call *call);
/* s3_acl.c */
s3_handler s3_get_acl, s3_put_acl, s3_get_ownership, s3_put_ownership, s3_delete_ownership,
    s3_get_public_access_block, s3_put_public_access_block, s3_delete_public_access_block;
/* x-amz-acl and x-amz-grant-*: what is not offered is refused.  *ret: the word for a bucket. */
must_check int s3_acl_check(struct s3_request *r, bool of_bucket, const char **ret,
                            struct call *call);
/* What such a word is of a bucket: its public access, and the setting "acl"; NULL for none. */
const char *s3_acl_access(const char *word);
struct json_t *s3_acl_setting(const char *word);
/* Whether the bucket's ACL permits everybody, or everybody who is known, to do that. */
bool s3_acl_permits(const struct container_row *bucket, bool known, const char *action);
/* BucketOwnerEnforced and its kind. */
bool s3_ownership_is_known(const char *word);
/* s3_policy.c */
s3_handler s3_get_policy, s3_put_policy, s3_delete_policy, s3_get_policy_status;
/* s3_cors.c */
s3_handler s3_get_cors, s3_put_cors, s3_delete_cors, s3_preflight;
void s3_say_cors(struct s3_request *r);
/* x-amz-expiration: when, and by which rule, a current object goes. */
void s3_say_expiration(struct s3_request *r, const struct object_row *o);
/* s3_lifecycle.c, s3_website.c, s3_settings.c (what is kept and told but does nothing here) */
s3_handler s3_get_lifecycle, s3_put_lifecycle, s3_delete_lifecycle, s3_get_website, s3_put_website,
    s3_delete_website, s3_get_encryption, s3_get_replication, s3_get_nothing, s3_put_nothing;
/* s3_pages.c: what a website's host shows */
s3_handler s3_get_page;
/* "bucket.s3-website.DOMAIN": the length of the bucket's name, 0 for other hosts. */
size_t s3_website_in_host(const struct s3_door *door, const char *host);
/* An error as a page. */
void s3_page_error(struct s3_request *r, const struct s3_code_row *row);
/* s3_post.c: browser form uploads */
s3_handler s3_post_object;

/* One member of a container's settings (JSON): set (value stolen; NULL removes). */
must_check int s3_setting_change(struct s3_request *r, const char *key, struct json_t *value,
                                 struct call *call);
/* Borrowed from *ret_settings, which the caller releases; NULL where it is not there. */
must_check int s3_setting_get(struct s3_request *r, const char *key, struct json_t **ret_settings,
                              struct json_t **ret, struct call *call);

#endif
