// SPDX-License-Identifier: EUPL-1.2
/*
 * The Azure Blob door: Azure's Blob REST API over the object service.
 *
 *     struct azblob_options options = {.service = service, .domains = domains, ...};
 *     struct azblob *door = azblob_new(&options);
 *     struct http_server_options server = {.begin = azblob_begin, .handle = azblob_handle,
 *                                          .finished = azblob_finished, .argument = door, ...};
 *     ... http_server_free(server); azblob_free(door);
 *
 * Which account a request is for is told by its host, "<account>.blob.<domain>" or
 * "<account>-secondary.blob.<domain>", where the domain is one of those given; else by the first
 * segment of its path.  "<account>.web.<domain>" serves the account's static website.
 *
 * The door decides nothing: what may be done is asked of the account's keys, of shared access
 * signatures, and of the policy; what happens, of the object service.
 *
 * Threads: the three callbacks run on many threads at once; azblob_new() and azblob_free() on one.
 * Source: Azure Storage REST reference, "Blob service REST API".
 */
#ifndef DOOR_AZBLOB_AZBLOB_H
#define DOOR_AZBLOB_AZBLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/jwt.h"
#include "auth/policy.h"
#include "util/call.h"

struct http_client;
struct http_exchange;
struct http_finished;
struct networks;
struct service;

/* One request, for the access log, the audit log and metrics.  Borrowed. */
struct azblob_record {
    const char *request_id;
    const char *client_request_id; /* NULL: none */
    const char *operation;         /* "PutBlob"; "Unknown" where no operation was found */
    const char *account;           /* NULL: none */
    const char *container;
    const char *blob;
    const char *method;
    const char *peer;
    const char *version;        /* x-ms-version as sent; NULL */
    const char *user_agent;     /* NULL */
    const char *authentication; /* "anonymous", "shared_key", "sas_account", "sas_service",
                                   "sas_delegation", "bearer", "none" (nothing accepted) */
    const char *principal;      /* NULL: none */
    const char *error;          /* Azure's code; NULL where all went well */
    int status;                 /* 0: the connection broke before an answer */
    bool complete;              /* the whole answer went out */
    bool refused;               /* for want of rights: 401, 403, or 404 in their place */
    bool administrative; /* changes who may do what, or the settings of an account or container */
    bool part;           /* one request inside a batch */
    uint64_t bytes_in, bytes_out;
    int64_t began;    /* wall clock */
    int64_t duration; /* nanoseconds */
};

struct azblob_options {
    struct service *service; /* borrowed */
    /* Domains for the host style, without the leading dot: "storage.example.eu". */
    const char *const *domains;
    size_t domain_count;
    int64_t (*now)(void); /* wall clock; NULL: clock_wall() */
    /* For the challenge of a 401: "https://login.example.eu/realms/x"; NULL: there is none. */
    const char *authorization_uri;
    const char *resource_id; /* for the challenge; NULL: "https://storage.azure.com" */
    bool plain_tokens;       /* bearer tokens over plain HTTP too (loopback, tests) */

    /* Reads the sources of copies that lie elsewhere.  Clients name the URLs: it should be one with
     * public_only.  NULL: there are no such copies.  Borrowed. */
    struct http_client *http;
    const struct networks *proxies; /* whose word on the client's address counts; NULL: none */

    /* Any may be NULL: then there are no tokens, only the account's own keys and public access
     * count, and nothing is recorded.  They are called on many threads at once. */
    void *argument;
    /* Verify a token and say what it claims; ERR_UNKNOWN_WHO when it is not good. */
    int (*identify)(void *argument, const char *token, struct jwt_claims *ret, struct call *call);
    /* policy_decide() with the policy there is now; -1 when that cannot be had. */
    int (*decide)(void *argument, const struct policy_request *request, enum policy_decision *ret,
                  struct call *call);
    void (*record)(void *argument, const struct azblob_record *record);
};

struct azblob;

/* The options are copied; what they point to is borrowed. */
struct azblob *azblob_new(const struct azblob_options *options);
void azblob_free(struct azblob *door);

/* For struct http_server_options; argument is the struct azblob. */
void azblob_begin(void *argument, struct http_exchange *x, struct call *call);
void azblob_handle(void *argument, struct http_exchange *x, struct call *call);
void azblob_finished(void *argument, struct http_exchange *x, const struct http_finished *finished);

/* One line of what the door offers, for the compatibility table; false after the last. */
struct azblob_offer {
    const char *operation;
    const char *method;
    const char *resource; /* "service", "container", "blob", "website" */
    const char *restype;  /* of the query; NULL: none */
    const char *comp;
    const char *header; /* that must be there; NULL */
    bool refused;       /* recognised, and answered with an error: it is not offered */
};
bool azblob_offer(size_t number, struct azblob_offer *ret);

#endif
