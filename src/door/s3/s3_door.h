// SPDX-License-Identifier: EUPL-1.2
/*
 * The S3 door: Amazon's S3 REST API over the object service.
 *
 *     struct s3_door_options options = {.service = service, .domains = domains, ...};
 *     struct s3_door *door = s3_door_new(&options);
 *     struct http_server_options server = {.begin = s3_door_begin, .handle = s3_door_handle,
 *                                          .finished = s3_door_finished, .argument = door, ...};
 *     ... http_server_free(server); s3_door_free(door);
 *
 * A bucket is a container of the account its access key belongs to.  It is named by the host,
 * "<bucket>.<domain>", where the domain is one of those given, else by the first segment of the
 * path.  An access key is a row of table credential, or the name of an account with one of its two
 * keys as the secret.
 *
 * The door decides nothing: who may is asked of the identity hooks and of the bucket's policy; what
 * happens, of the object service.
 *
 * Threads: the three callbacks run on many threads at once; s3_door_new() and s3_door_free() on
 * one.  Source: Amazon S3 API Reference.
 */
#ifndef DOOR_S3_S3_DOOR_H
#define DOOR_S3_S3_DOOR_H

#include <stdbool.h>
#include <stdint.h>

#include "util/call.h"
#include "util/clock.h"

struct http_exchange;
struct http_finished;
struct service;

/* What somebody wants to do. */
struct s3_door_wish {
    const char *principal; /* of the access key; never NULL */
    const char *action;    /* "s3:GetObject" */
    const char *account;
    const char *bucket; /* NULL: the account */
    const char *key;    /* of a list the prefix; NULL: the bucket */
};

/* One request, for the access log, the audit log and metrics.  Borrowed. */
struct s3_door_record {
    const char *request_id;
    const char *operation; /* "PutObject"; "Unknown" where no operation was found */
    const char *account;   /* NULL: none */
    const char *bucket;
    const char *key;
    const char *method;
    const char *peer;
    const char *user_agent;
    const char *authentication; /* "anonymous", "signature", "presigned", "post", "none" */
    const char *access_key;     /* NULL: none */
    const char *principal;      /* NULL: the account's own key */
    const char *error;          /* S3's code; NULL where all went well */
    int status;                 /* 0: the connection broke before an answer */
    bool complete;
    bool refused;        /* for want of rights */
    bool administrative; /* changes who may do what, or a bucket's settings */
    uint64_t bytes_in, bytes_out;
    int64_t began;
    int64_t duration;
};

struct s3_door_options {
    struct service *service; /* borrowed */
    /* Domains for virtual hosts, without the leading dot: "s3.example.eu". */
    const char *const *domains;
    size_t domain_count;
    const char *region;   /* what GetBucketLocation says, and signatures must name; NULL: any, and
                             "" is told */
    int64_t (*now)(void); /* wall clock; NULL: clock_wall() */

    /* Any may be NULL: nobody with a principal is permitted, nothing is recorded, the peer is who
     * it seems.  They are called on many threads at once. */
    void *argument;
    /* 1 permitted, 0 not, -1 the question could not be answered. */
    int (*permits)(void *argument, const struct s3_door_wish *wish, struct call *call);
    void (*record)(void *argument, const struct s3_door_record *record);
    void (*origin)(void *argument, const struct http_exchange *x, char *address,
                   size_t address_size, bool *secure);
};

struct s3_door;

/* The options are copied; what they point to is borrowed. */
struct s3_door *s3_door_new(const struct s3_door_options *options);
void s3_door_free(struct s3_door *door);

/* For struct http_server_options; argument is the struct s3_door. */
void s3_door_begin(void *argument, struct http_exchange *x, struct call *call);
void s3_door_handle(void *argument, struct http_exchange *x, struct call *call);
void s3_door_finished(void *argument, struct http_exchange *x,
                      const struct http_finished *finished);

#endif
