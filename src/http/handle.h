// SPDX-License-Identifier: EUPL-1.2
/*
 * Inside the HTTP client: one libcurl easy handle and what its callbacks need.  Only client.c and
 * its neighbours include this.
 *
 * A handle belongs to the thread that took it from the pool, until it is put back.
 */
#ifndef HTTP_HANDLE_H
#define HTTP_HANDLE_H

#include <curl/curl.h>
#include <pthread.h>

#include "http/client.h"
#include "http/head.h"

struct x509_store_st;
struct x509_st;

/* What was asked of libcurl last, so that only changes are set. */
enum http_kind {
    HTTP_KIND_NONE,
    HTTP_KIND_GET,
    HTTP_KIND_HEAD,
    HTTP_KIND_UPLOAD,   /* a body, pulled from its source */
    HTTP_KIND_TOGETHER, /* a small body in memory, sent with the head */
};

struct http_handle {
    struct http_handle *next; /* in the pool */
    struct http_client *client;
    CURL *curl;
    char error_text[CURL_ERROR_SIZE];

    /* As last set. */
    enum http_kind kind;
    char custom_method[16]; /* "" for none */
    long timeout_ms;

    /* The header list handed to libcurl: nodes in an array, texts in one buffer. */
    struct curl_slist *nodes;
    size_t nodes_size;
    struct buf header_text;

    /* The server's own certificate, as last seen: its names are told when they do not match. */
    struct x509_st *certificate;

    /* The exchange under way. */
    struct http_request *request;
    struct http_head head;
    struct sink *sink;
    struct http_begun *begun;
    struct call *call;
    unsigned requests; /* how often its head went out */
    uint64_t sent;     /* bytes pulled from the request's body */
    uint64_t received; /* bytes of the answer's body */
    uint64_t moved;    /* everything that went either way, as last looked at */
    uint64_t head_bytes;
    int64_t moved_at; /* when moved last grew, monotonic */
    bool ours;        /* one of our callbacks ended it and set the error */
    bool kept_off;    /* an address was not public */
};

struct http_client {
    int64_t connect_timeout;
    int64_t stall_timeout;
    char *proxy;
    bool insecure;
    bool public_only;
    struct x509_store_st *authorities; /* guarded by lock until it is there, then shared by all
                                        handles; NULL with insecure */
    CURLSH *share;
    pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
    pthread_mutex_t lock;
    struct http_handle *idle; /* guarded by lock; the most recently used one first */
};

/* handle.c */
struct http_handle *http_handle_new(struct http_client *client);
void http_handle_free(struct http_handle *h);
/* Tell libcurl what to send.  -1 with call->err set. */
int http_handle_prepare(struct http_handle *h);

/* failure.c: what libcurl's verdict means; sets h->call->err unless a callback did, returns -1. */
int http_failure(struct http_handle *h, CURLcode code);
/* The place a URL names, "host:port", without userinfo: for messages. */
void http_place(const char *url, char *ret, size_t size);

/* tls.c: load the authorities once for all handles, and have a handle use them. */
int http_tls_load(const char *ca_file, struct x509_store_st **ret, struct err *e);
void http_tls_unload(struct x509_store_st *store);
CURLcode http_tls_setup(CURL *curl, void *ssl_context, void *handle);
/* The names a certificate holds, "a.example, *.b.example"; "" when none was seen. */
void http_tls_names(const struct http_handle *h, char *ret, size_t size);
void http_tls_forget(struct http_handle *h);

#endif
