// SPDX-License-Identifier: EUPL-1.2
/*
 * What the files of the Azure driver share.  For them only.
 *
 *   azure.c             options to store, table of operations, reach
 *   azure_url.c         endpoints, URLs
 *   azure_exchange.c    one signed request and its answer
 *   azure_error.c       what a refusal means
 *   azure_properties.c  headers <-> struct object
 *   azure_xml.c         List Blobs, List Containers, tags, page ranges
 *   azure_get.c         reading (bodies with checksums inside: http/structured.h)
 *   azure_put.c         block blobs;  azure_types.c  append and page blobs
 *   azure_copy.c        server-side copies, tiers, tags, extents
 *   azure_container.c   containers;  azure_settings.c  what is set on them
 */
#ifndef STORE_DRIVER_AZURE_PRIVATE_H
#define STORE_DRIVER_AZURE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "auth/entra.h"
#include "auth/sas.h"
#include "auth/sharedkey.h"
#include "crypto/hash.h"
#include "http/client.h"
#include "store/store.h"

/* The largest range Azure computes a checksum of, and the largest write of a page. */
#define AZURE_RANGE_CHECKSUM_MAX (UINT64_C(4) << 20)
#define AZURE_PAGE_WRITE_MAX     (UINT64_C(4) << 20)
#define AZURE_APPEND_MAX         (UINT64_C(100) << 20)
#define AZURE_BLOCKS_MAX         50000
#define AZURE_NAME_UNITS_MAX     1024 /* of UTF-16, in a blob's name */
#define AZURE_PAGE               512
/* Upload ids are 33 characters: the type's letter and 32 hexadecimal digits. */
#define AZURE_UPLOAD_ID 33
#define AZURE_ABORTED   64
/* Ceiling of small XML answers: tags, page ranges, access policies, block lists. */
#define AZURE_XML_MAX (16 * 1024 * 1024)

struct azure_options;

enum azure_auth { AZURE_ANONYMOUS, AZURE_KEY, AZURE_SAS, AZURE_BEARER };

/* What a store found out about its service.  Each is a fact in the notebook under its name. */
enum azure_fact {
    AZURE_FACT_RANGE_CHECKSUM, /* "range-checksum": crc64, md5, none */
    AZURE_FACT_STRUCTURED,     /* "structured-body": yes, no */
    AZURE_FACT_HIERARCHY,      /* "hierarchical": yes, no */
    AZURE_FACT_INCLUDES,       /* "list-holds": yes, no: listings tell of policies and holds */
    AZURE_FACT_COUNT
};
enum azure_word { WORD_UNKNOWN, WORD_YES, WORD_NO, WORD_CRC64, WORD_MD5 };

struct azure {
    struct store store;
    struct http_client *client; /* owned when client_owned */
    bool client_owned;
    char *endpoint; /* no slash at the end */
    char *account;
    char *version;   /* x-ms-version */
    char *container; /* the only one the credentials are for; may be NULL */
    enum azure_auth auth;
    struct sharedkey key;
    struct entra *bearer; /* borrowed */
    struct secret sas;    /* the query to append, without '?' */
    struct sas said;      /* the same, taken apart */
    atomic_int facts[AZURE_FACT_COUNT];
    /* Azure cannot forget blocks on demand: of the latest uploads aborted here, the store itself
     * remembers that nothing may be made of them any more. */
    pthread_mutex_t lock;
    char aborted[AZURE_ABORTED][AZURE_UPLOAD_ID + 1]; /* guarded by lock */
    unsigned next_aborted;                            /* guarded by lock */
};

static inline struct azure *azure_of(struct store *s)
{
    return container_of(s, struct azure, store);
}

/* A fact, from memory or the notebook; WORD_UNKNOWN when neither knows. */
enum azure_word azure_fact(struct azure *a, enum azure_fact fact, struct call *call);
/* Remember one.  That the notebook cannot be written is not worth failing for. */
void azure_learn(struct azure *a, enum azure_fact fact, enum azure_word word, struct call *call);

/*
 * One request being built, and its answer.
 *
 *     auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
 *     azure_exchange_key(a, &x, "GET", key, 'r');
 *     azure_exchange_query(&x, "comp", "tags");
 *     if (azure_exchange_text(a, &x, &body, call) < 0)
 *         return -1;
 */
struct azure_exchange {
    struct http_request request;
    struct http_response response;
    struct buf url;
    bool has_query;
    char permission;     /* the letter a SAS needs for it */
    struct secret token; /* the bearer token it went out with */
};
#define AZURE_EXCHANGE_INIT                                           \
    {                                                                 \
        .request = HTTP_REQUEST_INIT, .response = HTTP_RESPONSE_INIT, \
        .url = BUF_INIT(2 * 64 * 1024)                                \
    }
#define auto_azure_exchange cleanup(azure_exchange_release)
void azure_exchange_release(struct azure_exchange *x);

/* Begin one on an object (with ?snapshot= or ?versionid= as the key says), on a container, or
 * (container NULL) on the account. */
void azure_exchange_key(struct azure *a, struct azure_exchange *x, const char *method,
                        const struct object_key *key, char permission);
void azure_exchange_container(struct azure *a, struct azure_exchange *x, const char *method,
                              const char *container, char permission);
void azure_exchange_query(struct azure_exchange *x, const char *key, const char *value);
void azure_exchange_query_number(struct azure_exchange *x, const char *key, uint64_t value);
static inline void azure_exchange_header(struct azure_exchange *x, const char *name,
                                         const char *value)
{
    http_request_header(&x->request, name, value);
}
/* If-Match (quoted) or If-None-Match: *, where asked for. */
void azure_exchange_conditions(struct azure_exchange *x, const char *if_match, bool if_absent);
void azure_exchange_body(struct azure_exchange *x, struct source *body, uint64_t length);

/* Sign and send; 0 for an answer below 300, else -1 with what the refusal means.  x->response is
 * filled in either case.  A bearer token that is refused is renewed once. */
must_check int azure_exchange_do(struct azure *a, struct azure_exchange *x, struct sink *sink,
                                 struct http_begun *begun, struct call *call);
/* The same, and the answer's body (at most AZURE_XML_MAX) into a buf. */
must_check int azure_exchange_text(struct azure *a, struct azure_exchange *x, struct buf *ret,
                                   struct call *call);
const char *azure_answer(const struct azure_exchange *x, const char *header);
/* Whether the last refusal carried this x-ms-error-code. */
bool azure_refused_with(const struct azure_exchange *x, const char *code);

/* The URL of an object without credentials. */
void azure_object_url(const struct azure *a, struct buf *url, const struct object_key *key);

/* What says where the account is; auth may say it too (a connection string). */
struct azure_place {
    char *account, *endpoint, *suffix; /* NULL where nobody said */
    struct secret key;
};
#define auto_azure_place cleanup(azure_place_release)
void azure_place_release(struct azure_place *place);

/* azure_auth.c: take the credentials out of the options, and what else they say into place ... */
must_check int azure_auth_init(struct azure *a, const struct azure_options *options,
                               struct azure_place *place, struct err *e);
/* ... and, when the account is known, make them ready. */
must_check int azure_auth_settle(struct azure *a, const struct azure_place *place, struct err *e);
void azure_auth_release(struct azure *a);
/* Add what authorises the request, now that all of it is known; renew asks for a
 * fresh token. */
must_check int azure_sign(struct azure *a, struct azure_exchange *x, bool renew, struct call *call);
/* Whether the SAS has this permission, as far as it says itself. */
bool azure_sas_permits(const struct azure *a, char permission);
/* The SAS to append to a URL that the service shall read itself; NULL when there is none. */
const char *azure_sas_query(const struct azure *a);

/* azure_error.c */
int azure_refusal(struct azure *a, const struct azure_exchange *x, struct call *call);
/* How far the answering clock is ahead, from its Date header; false without one. */
bool azure_clock_ahead(const struct http_response *response, int64_t asked, int64_t *ret);

/* azure_properties.c: answers into objects, objects into request headers */
void azure_read_properties(const struct http_response *response, struct object *ret);
/* One property, as listings and headers name it without "x-ms-". */
void azure_read_property(struct object *o, const char *name, const char *value);
/* After all properties: kind, version, folder and archive state from what has been seen. */
void azure_finish_object(struct object *o);
struct azure_write {
    const struct put_options *options;
    bool tier;
    bool stored_md5;    /* send the MD5 to be stored with the blob */
    const char *marker; /* value of the metadata key that marks an unfinished blob, or NULL */
};
must_check int azure_write_properties(struct azure_exchange *x, const struct azure_write *w,
                                      struct err *e);
must_check int azure_write_metadata(struct azure_exchange *x, const struct pairs *metadata,
                                    struct err *e);
#define AZURE_MARKER "bascule_unfinished"
/* Strip quotes (and W/) from an ETag header: a fresh string; NULL for NULL. */
char *azure_etag(const char *header);
/* Digests an answer names (Content-MD5 and x-ms-content-crc64). */
void azure_read_checksums(const struct http_response *response, struct checksums *ret);
void azure_header_checksum(struct azure_exchange *x, const char *name, const void *bytes, size_t n);
/* crc64 as struct checksums holds it: the highest byte first (Azure's headers want the lowest). */
void azure_header_crc64(struct azure_exchange *x, const unsigned char crc64[8]);
static inline void azure_crc64_bytes(uint64_t crc, unsigned char bytes[8])
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(crc >> (56 - 8 * i));
}
/* The names Azure has for tiers that a block blob may be put into. */
bool azure_is_block_tier(const char *tier);

/* azure_put.c: a body whose checksum goes with it, or is taken on the way */
struct azure_body {
    struct source source;
    struct source *use; /* what to send: source, or from itself */
    struct source *from;
    const char *bytes; /* NULL where the body is not in memory */
    size_t length;
    struct checksums ours;
    uint64_t crc64;
    enum azure_word sent; /* WORD_CRC64, WORD_MD5 or WORD_NO */
};
/* md5_first: of two known digests send the MD5 (Put Blob answers with one in any case). */
void azure_body_init(struct azure_body *b, struct source *from, const struct checksums *known,
                     bool md5_first);
/* Add the checksum header and the body. */
void azure_body_attach(struct azure_body *b, struct azure_exchange *x, uint64_t size);
/* After a success: what the answer says it holds, against what was sent.  ERR_CORRUPT when they
 * differ. */
must_check int azure_body_verify(struct azure_body *b, const struct azure_exchange *x,
                                 struct checksums *ret_stored, enum proof *ret_proof,
                                 struct err *e);
/* Which names mean another blob to Azure, and are neither written nor read: ERR_NAME. */
must_check int azure_name_ok(const struct object_key *key, struct err *e);
/* Whether this state of an object can be read at all. */
must_check int azure_readable(const struct object_key *key, struct call *call);
/* ETag and version id of an answer to a write. */
void azure_read_written(const struct azure_exchange *x, struct put_result *ret);
/* Delete the object if it still is the one with this ETag: after a failed write.  The error in call
 * stays as it is. */
void azure_undo(struct azure *a, const struct object_key *key, const char *etag, struct call *call);

/* Append and page blobs, which are written in place (azure_types.c). */
must_check int azure_types_put(struct azure *a, const struct object_key *key,
                               const struct put_options *options, struct source *from,
                               struct put_result *ret, struct call *call);
must_check int azure_types_begin(struct azure *a, const struct object_key *key, const char *id,
                                 const struct put_options *options, struct call *call);
must_check int azure_types_part(struct azure *a, const struct object_key *key, const char *id,
                                const struct part_options *options, struct source *from,
                                struct part_result *ret, struct call *call);
must_check int azure_types_commit(struct azure *a, const struct object_key *key, const char *id,
                                  const struct put_options *options, struct put_result *ret,
                                  struct call *call);
must_check int azure_types_abort(struct azure *a, const struct object_key *key, const char *id,
                                 struct call *call);
enum object_type azure_upload_type(const char *id);

/* The operations. */
int azure_stat(struct store *s, const struct object_key *key, struct object *ret,
               struct call *call);
int azure_get(struct store *s, const struct object_key *key, const struct get_options *options,
              struct sink *to, struct object *ret, enum transport_check *ret_check,
              struct call *call);
int azure_put(struct store *s, const struct object_key *key, const struct put_options *options,
              struct source *from, struct put_result *ret, struct call *call);
int azure_remove(struct store *s, const struct object_key *key, const char *if_match,
                 struct call *call);
int azure_list(struct store *s, const char *container, const struct list_options *options,
               struct object_list *ret, struct call *call);
int azure_upload_begin(struct store *s, const struct object_key *key,
                       const struct put_options *options, char **ret_id, struct call *call);
int azure_upload_part(struct store *s, const struct object_key *key, const char *id,
                      uint32_t number, const struct part_options *options, struct source *from,
                      struct part_result *ret, struct call *call);
int azure_upload_commit(struct store *s, const struct object_key *key, const char *id,
                        const struct part_result *parts, uint32_t count,
                        const struct put_options *options, struct put_result *ret,
                        struct call *call);
int azure_upload_abort(struct store *s, const struct object_key *key, const char *id,
                       struct call *call);
int azure_copy(struct store *s, const struct object_key *from, const char *if_match,
               const struct object_key *to, const struct put_options *options,
               struct put_result *ret, struct call *call);
extern const struct container_ops azure_container_ops;
extern const struct tag_ops azure_tag_ops;
extern const struct tier_ops azure_tier_ops;
extern const struct extent_ops azure_extent_ops;
int azure_container_settings(struct store *s, const char *container, struct buf *ret_json,
                             struct call *call);
int azure_container_apply(struct store *s, const char *container, const char *json,
                          struct buf *ret_left, struct call *call);

#endif
