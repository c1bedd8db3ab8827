// SPDX-License-Identifier: EUPL-1.2
/*
 * What the files of the S3 driver share.  For them only.
 *
 *   s3.c           options to store, table of operations, reach
 *   s3_name.c      endpoints, URLs, bucket names
 *   s3_exchange.c  one signed request and its answer
 *   s3_error.c     what a refusal means
 *   s3_object.c    headers <-> struct object
 *   s3_read.c      stat, get
 *   s3_write.c     put, remove, conditions
 *   s3_probe.c     what the service really does
 *   s3_upload.c    multipart uploads
 *   s3_copy.c      server-side copies, tiers
 *   s3_list.c      listings;  s3_list_xml.c their XML
 *   s3_tags.c      object tags
 *   s3_bucket.c    buckets;  s3_settings.c what is set on them
 */
#ifndef STORE_DRIVER_S3_PRIVATE_H
#define STORE_DRIVER_S3_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/sigv4.h"
#include "crypto/hash.h"
#include "http/client.h"
#include "store/driver/s3.h"

#define S3_PUT_MAX                                                                \
    (UINT64_C(5) << 30) /* one PUT or CopyObject, where the provider says nothing \
                         */
#define S3_PART_MIN   (UINT64_C(5) << 20)
#define S3_PARTS_MAX  10000
#define S3_OBJECT_MAX (UINT64_C(5) << 40)
#define S3_LIST_MAX   1000
#define S3_NAME_MAX   1024
#define S3_TAGS_MAX   10
/* Ceiling of XML answers: a page of 1000 keys, each byte as %XX, stays below 5 MiB. */
#define S3_XML_MAX (16 * 1024 * 1024)

/* What a store found out about its service; see s3.h. */
enum s3_fact {
    S3_FACT_PAYLOAD_HASH,
    S3_FACT_CONTENT_MD5,
    S3_FACT_CHECKSUM_HEADER,
    S3_FACT_ETAG_MD5,
    S3_FACT_CONDITIONAL,
    S3_FACT_IF_MATCH_BARE,
    S3_FACT_CHUNK_SIGNED,
    S3_FACT_TAGGING,
    S3_FACT_COUNT
};

struct s3 {
    struct store store;
    struct http_client *client;
    bool client_owned;
    char *scheme;
    char *host; /* with the port, where it is not the usual one */
    char *path; /* before the bucket: "" or "/prefix" */
    bool virtual_host;
    struct sigv4 who;
    struct provider_s3 provider; /* all zero where nothing is known */
    struct pairs tier_classes;
    atomic_int facts[S3_FACT_COUNT]; /* enum fact */
    pthread_mutex_t probing;         /* one probe at a time */
    struct pairs conditional;        /* bucket -> "yes" or "no"; guarded by probing */
};

struct s3 *s3_of(struct store *s);

/* --- s3_name.c --- */

/* "https://host/bucket/key": bucket and key may be NULL.  ERR_NAME for a bucket name that cannot
 * stand in a URL. */
must_check int s3_url(const struct s3 *s, const char *bucket, const char *key, struct buf *url,
                      struct err *e);
must_check int s3_endpoint_parse(struct s3 *s, const char *endpoint, struct err *e);

/* --- s3_exchange.c --- */

/* One request and its answer.  Borrowed: method, bucket, key, body. */
struct s3_exchange {
    struct s3 *s3;
    struct call *call;
    const char *method;
    const char *bucket, *key; /* may be NULL */
    struct pairs query;       /* unescaped */
    struct http_request request;
    struct http_response response;
    struct source_bytes bytes;  /* a small body of our own, see s3_exchange_body() */
    struct sigv4_chunks chunks; /* a body signed chunk by chunk */
    char hash[65];              /* x-amz-content-sha256 to send; "" for the body's own */
    const char *doing;          /* for messages: "read", "write" */
    bool spoil;                 /* probe: send a body other than what is signed */
    bool hashed;                /* set by sending: the body's hash is in the signature, */
    bool chunked;               /* chunk by chunk */
};
#define S3_EXCHANGE_INIT \
    {                    \
        0                \
    }
#define auto_exchange cleanup(s3_exchange_release)

void s3_exchange_init(struct s3_exchange *x, struct s3 *s, const char *method, const char *bucket,
                      const char *key, const char *doing, struct call *call);
void s3_exchange_release(struct s3_exchange *x);
void s3_exchange_query(struct s3_exchange *x, const char *key, const char *value);
void s3_exchange_header(struct s3_exchange *x, const char *name, const char *value);
/* A body in memory; it must outlive the exchange. */
void s3_exchange_body(struct s3_exchange *x, const void *bytes, size_t n);
/* With Content-MD5, which some operations demand. */
void s3_exchange_md5(struct s3_exchange *x);
/* version into the query when key names one. */
void s3_exchange_version(struct s3_exchange *x, const struct object_key *key);

/* Sign, send, and make an error of any status from 300 on. */
must_check int s3_exchange_send(struct s3_exchange *x, struct sink *sink, struct http_begun *begun);
/* Send, and collect the answer's body (at most S3_XML_MAX). */
must_check int s3_exchange_text(struct s3_exchange *x, struct buf *ret);
/* A body from a source: known says which digests the caller has.  Decides how it is signed. */
must_check int s3_exchange_stream(struct s3_exchange *x, struct source *from, uint64_t size,
                                  const struct checksums *known);
/* A body signed chunk by chunk. */
void s3_exchange_chunked(struct s3_exchange *x, struct source *from, uint64_t size);
const char *s3_exchange_answer(const struct s3_exchange *x, const char *name);
/* The answer's ETag without quotes, "" when there is none. */
void s3_exchange_etag(const struct s3_exchange *x, char *ret, size_t size);

/* --- s3_error.c --- */

/* Set call->err from an answer that says no (status >= 300, or an <Error> inside a 200); -1. */
int s3_refused(const struct s3_exchange *x);
/* The same for the XML of an answer that said 200; 0 when it is no error. */
int s3_refused_inside(const struct s3_exchange *x, const char *text, size_t length);
/* The <Code> of an error document; "" when it is none.  For tests and fuzzers also. */
struct s3_error {
    char code[64];
    char message[300];
    char region[64], endpoint[200];
    char request_time[40], server_time[40];
};
void s3_error_parse(const char *text, size_t length, struct s3_error *ret);
/* Whether the last error's code is this ("NoSuchUpload"). */
bool s3_refused_with(const struct s3_exchange *x, const char *code);

/* --- s3_object.c --- */

/* Headers for a new object.  ERR_INVALID for what a header cannot hold. */
must_check int s3_object_headers(struct s3_exchange *x, const struct object *o);
/* Fill *ret (OBJECT_INIT) from an answer to HEAD or GET. */
must_check int s3_object_from_answer(const struct s3_exchange *x, struct object *ret);
/* What an ETag says of the body's MD5. */
void s3_md5_from_etag(const char *etag, struct checksums *into);
void s3_checksums_from_answer(const struct s3_exchange *x, struct checksums *into);
bool s3_is_archive_class(const char *class);
/* An ETag is an MD5 neither with keys of a key service nor with the customer's own. */
bool s3_etag_may_be_md5(const struct s3_exchange *x);

/* --- s3_read.c --- */

int s3_stat(struct store *s, const struct object_key *key, struct object *ret, struct call *call);
int s3_get(struct store *s, const struct object_key *key, const struct get_options *options,
           struct sink *to, struct object *ret, enum transport_check *ret_check, struct call *call);

/* --- s3_write.c --- */

int s3_put(struct store *s, const struct object_key *key, const struct put_options *options,
           struct source *from, struct put_result *ret, struct call *call);
int s3_remove(struct store *s, const struct object_key *key, const char *if_match,
              struct call *call);
/* ERR_UNSUPPORTED where o has tags and the service does not keep them. */
must_check int s3_demand_tags(struct s3_exchange *x, const struct object *o);
/* Make x conditional, or check the condition now where the service would not. */
must_check int s3_condition(struct s3_exchange *x, const struct put_options *options);
/* Check the condition now. */
must_check int s3_condition_now(struct s3_exchange *x, const struct put_options *options);
/* A body on its way out, and how it will be proven. */
struct s3_sending {
    struct source source; /* hashes MD5 as it is read */
    struct source *from;
    struct hash md5;
    bool hashing;
    struct checksums known; /* grows */
};
must_check int s3_sending_begin(struct s3_sending *o, struct s3_exchange *x, struct source *from,
                                uint64_t size, const struct checksums *known);
/* After the answer: how the body is proven; ERR_CORRUPT when the answer contradicts. */
must_check int s3_sending_proof(struct s3_sending *o, const struct s3_exchange *x, const char *etag,
                                enum proof *ret);
void s3_sending_release(struct s3_sending *o);

/* --- s3_probe.c --- */

/* *ret: FACT_YES or FACT_NO, from memory, the notebook or by trying in this bucket; FACT_UNKNOWN
 * when trying was not possible (and 0 is returned all the same).  -1 only when call is over. */
must_check int s3_fact(struct s3 *s, const char *bucket, enum s3_fact fact, enum fact *ret,
                       struct call *call);
/* What is known without trying. */
enum fact s3_fact_known(struct s3 *s, enum s3_fact fact);
const char *s3_fact_word(enum s3_fact fact);

/* --- s3_upload.c, s3_copy.c, s3_list.c, s3_tags.c, s3_bucket.c, s3_settings.c --- */

int s3_upload_begin(struct store *s, const struct object_key *key,
                    const struct put_options *options, char **ret_id, struct call *call);
int s3_upload_part(struct store *s, const struct object_key *key, const char *id, uint32_t number,
                   const struct part_options *options, struct source *from, struct part_result *ret,
                   struct call *call);
int s3_upload_commit(struct store *s, const struct object_key *key, const char *id,
                     const struct part_result *parts, uint32_t count,
                     const struct put_options *options, struct put_result *ret, struct call *call);
int s3_upload_abort(struct store *s, const struct object_key *key, const char *id,
                    struct call *call);
int s3_copy(struct store *s, const struct object_key *from, const char *if_match,
            const struct object_key *to, const struct put_options *options, struct put_result *ret,
            struct call *call);
int s3_list(struct store *s, const char *container, const struct list_options *options,
            struct object_list *ret, struct call *call);

/* Whether no tag is longer than S3 has room for. */
bool s3_tags_fit(const struct pairs *tags);
/* "a=1&b=2", escaped: tags as a header. */
void s3_tags_header(const struct pairs *tags, struct buf *ret);

/* A page of a listing, read from its XML as it comes in. */
struct s3_page {
    struct object_list list;
    bool decode;  /* names are URL-encoded */
    bool encoded; /* the answer says so */
    bool versions;
    bool truncated;
    char *next_token, *next_marker, *next_version;
    char *last;          /* the last name or prefix, for marker listings without NextMarker */
    struct object *open; /* being read */
    bool finished;
};
void s3_page_release(struct s3_page *p);
/* The callbacks for an xml_reader whose context is a struct s3_page. */
struct xml_event;
int s3_page_start(void *context, const struct xml_event *event, struct err *e);
int s3_page_end(void *context, const struct xml_event *event, struct err *e);

extern const struct container_ops s3_container_ops;
extern const struct tag_ops s3_tag_ops;
extern const struct tier_ops s3_tier_ops;
int s3_settings(struct store *s, const char *container, struct buf *ret_json, struct call *call);
int s3_apply(struct store *s, const char *container, const char *json, struct buf *ret_left,
             struct call *call);
/* Whether objects of this bucket keep earlier versions. */
must_check int s3_bucket_enable_versioning(struct s3 *s, const char *bucket, struct call *call);
must_check int s3_bucket_versioning(struct s3 *s, const char *bucket, bool *ret, struct call *call);

#endif
