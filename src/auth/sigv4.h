// SPDX-License-Identifier: EUPL-1.2
/*
 * AWS Signature Version 4 for S3 and whatever speaks like it: signing and verifying, in a header,
 * in a URL (presigned), and chunk by chunk.
 *
 *     auto_sigv4 struct sigv4 who;
 *     if (sigv4_init(&who, access_key, &secret_key, NULL, "gra", e) < 0 ||
 *         sigv4_sign(&who, &request, payload_hash, clock_wall(), e) < 0)
 *         return -1;
 *
 * S3's rules hold: the path is escaped once and not normalised ("a//b", "a/../b" stay).
 * Source: AWS "Signature Version 4 signing process" and "Authenticating Requests" of S3.
 *
 * Threads: a struct sigv4 may be used by many at once; the key of the day is derived once a day.
 */
#ifndef AUTH_SIGV4_H
#define AUTH_SIGV4_H

#include <pthread.h>

#include "crypto/hash.h"
#include "crypto/secret.h"
#include "http/message.h"
#include "util/clock.h"

#define SIGV4_UNSIGNED  "UNSIGNED-PAYLOAD"
#define SIGV4_STREAMING "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
/* The SHA-256 of no bytes. */
#define SIGV4_EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define SIGV4_HEX_SIZE   65        /* 64 digits and a NUL */
#define SIGV4_SCOPE_SIZE 200       /* "20261122/gra/s3/aws4_request" and a NUL */
#define SIGV4_TEXT_MAX   (1 << 20) /* of a canonical request */
#define SIGV4_EXPIRY_MAX (7 * 86400)
/* How far a request's date may be from ours. */
#define SIGV4_CLOCK_MAX (15 * 60 * CLOCK_SECOND)

struct sigv4 {
    char *access_key;
    struct secret secret;
    struct secret token; /* of a session; length 0 for none */
    char *region;
    pthread_mutex_t lock;
    char day[9];                    /* guarded by lock: the day the key below is for */
    unsigned char key[SHA256_SIZE]; /* guarded by lock */
};
#define auto_sigv4 cleanup(sigv4_release)
/* For auto_sigv4 before sigv4_init(). */
#define SIGV4_INIT \
    {              \
        0          \
    }

/* token (may be NULL) is that of temporary credentials.  ERR_INVALID for an empty key or a name
 * that cannot stand in a scope. */
must_check int sigv4_init(struct sigv4 *s, const char *access_key, const struct secret *secret_key,
                          const struct secret *token, const char *region, struct err *e);
void sigv4_release(struct sigv4 *s);

/* Replace x-amz-date, x-amz-content-sha256, x-amz-security-token and Authorization of a request
 * whose other headers and URL are complete.  payload_hash: the body's SHA-256 in lower-case hex, or
 * SIGV4_UNSIGNED.  Every header but User-Agent, Expect and the like is signed, Host included. */
must_check int sigv4_sign(struct sigv4 *s, struct http_request *r, const char *payload_hash,
                          int64_t now, struct err *e);

/* A URL that anybody may use with this method for so many seconds (1 to SIGV4_EXPIRY_MAX).  url:
 * absolute, may have a query. */
must_check int sigv4_presign(struct sigv4 *s, const char *method, const char *url, int seconds,
                             int64_t now, char **ret_url, struct err *e);

/*
 * A body signed chunk by chunk, so that its hash need not be known before its first byte leaves:
 *
 *     auto_sigv4_chunks struct sigv4_chunks chunks;
 *     sigv4_chunks_init(&chunks, body, size, 0);
 *     request.body = &chunks.source;
 *     request.body_length = sigv4_chunked_length(size, 0);
 *     if (sigv4_sign_chunked(&who, &request, &chunks, now, e) < 0) ...
 */
#define SIGV4_CHUNK_SIZE (64 * 1024)

struct sigv4_chunks {
    struct source source;
    struct source *from; /* borrowed */
    uint64_t length;     /* of the body itself */
    uint64_t left;
    size_t chunk_size;
    char date[20];
    char scope[SIGV4_SCOPE_SIZE];
    char seed[SIGV4_HEX_SIZE];     /* signature of the request's head */
    char previous[SIGV4_HEX_SIZE]; /* of the chunk before */
    unsigned char key[SHA256_SIZE];
    char *buffer; /* one encoded chunk */
    size_t filled;
    size_t at;
    bool ended;
    bool spoil; /* for probes: send bytes that are not those that were signed */
};
#define auto_sigv4_chunks cleanup(sigv4_chunks_release)

/* chunk_size: at least 8 KiB, 0 for SIGV4_CHUNK_SIZE.  length must be what from holds exactly: a
 * body that ends earlier is ERR_CORRUPT.  Rewindable when from is. */
void sigv4_chunks_init(struct sigv4_chunks *c, struct source *from, uint64_t length,
                       size_t chunk_size);
void sigv4_chunks_release(struct sigv4_chunks *c);
/* Bytes that a body becomes. */
uint64_t sigv4_chunked_length(uint64_t length, size_t chunk_size);

/* As sigv4_sign(), with x-amz-decoded-content-length and Content-Encoding set as well
 * ("aws-chunked" goes before what is there). */
must_check int sigv4_sign_chunked(struct sigv4 *s, struct http_request *r,
                                  struct sigv4_chunks *chunks, int64_t now, struct err *e);

/* What a request says of its signature, from its header or its query. */
struct sigv4_claim {
    char access_key[129];
    char date[20]; /* "20261122T100000Z" */
    char day[9];   /* of the scope */
    char region[65];
    char service[33];
    char *signed_headers; /* "host;x-amz-date" */
    char signature[SIGV4_HEX_SIZE];
    int64_t expires; /* seconds from date on; 0 in a header */
    bool presigned;
};
#define SIGV4_CLAIM_INIT \
    {                    \
        0                \
    }
#define auto_sigv4_claim cleanup(sigv4_claim_release)
void sigv4_claim_release(struct sigv4_claim *c);

/* "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..." taken apart; date stays "".
 * ERR_INVALID for anything else, in S3's own words for what is wrong: a door tells them on. */
must_check int sigv4_authorization_parse(const char *header, struct sigv4_claim *ret,
                                         struct err *e);
/* The same from X-Amz-... in a query. */
must_check int sigv4_query_parse(const char *query, struct sigv4_claim *ret, struct err *e);

/* What is hashed and signed.  path raw from '/' on, query raw without '?' (may be NULL);
 * X-Amz-Signature in it is left out.  headers: those of the request, Host included; signed_headers:
 * names in lower case and order, with ';' between them. */
must_check int sigv4_canonical_request(struct buf *out, const char *method, const char *path,
                                       const char *query, const struct pairs *headers,
                                       const char *signed_headers, const char *payload_hash,
                                       struct err *e);

/* The access key a request names, from its Authorization header or its query, so that the secret
 * can be looked up. */
must_check int sigv4_claim_of(const struct pairs *headers, const char *query,
                              struct sigv4_claim *ret, struct err *e);

/* The headers that must be signed and are not: "x-amz-acl, x-amz-tagging". */
void sigv4_unsigned_headers(const struct sigv4_claim *c, const struct pairs *headers,
                            struct buf *out);

/* Whether a request as it came in carries a right signature by s.  The service must be s3, and the
 * region s->region.  ERR_UNKNOWN_WHO when the signature is not right, ERR_CLOCK for one from
 * another time, ERR_DENIED for a presigned one that has expired or is not valid yet and for headers
 * that are not signed (in S3's words).  Whether the body has the hash in x-amz-content-sha256 is
 * the caller's to check. */
must_check int sigv4_verify(struct sigv4 *s, const struct sigv4_claim *claim, const char *method,
                            const char *path, const char *query, const struct pairs *headers,
                            int64_t now, struct err *e);

/* Whether a text (the policy of a form, as it was sent) carries the claim's signature by s.
 * ERR_UNKNOWN_WHO when it does not. */
must_check int sigv4_verify_text(struct sigv4 *s, const struct sigv4_claim *claim, const char *text,
                                 struct err *e);

#endif
