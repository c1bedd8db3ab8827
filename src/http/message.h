// SPDX-License-Identifier: EUPL-1.2
/*
 * One HTTP request and one HTTP response, as both the client and (later) the server see them.
 * Signature schemes (auth/) read and extend these.
 *
 * Header names keep the case they were given or came in with; look them up without case.
 * The strings inside pairs belong to the message; url is borrowed or owned as stated.
 */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include <stdint.h>

#include "util/buf.h"
#include "util/pairs.h"
#include "util/stream.h"

/* How much of an error answer's body is kept for reading its reason. */
#define HTTP_ERROR_BODY_MAX (64 * 1024)

struct http_request {
    const char *method;   /* borrowed: a literal such as "GET" */
    char *url;            /* owned: absolute, every byte escaped as it shall go out */
    struct pairs headers; /* without Host, Content-Length and Connection: the client adds them */
    struct source *body;  /* borrowed; NULL for none */
    uint64_t body_length; /* exact; a source that ends earlier is an error, nothing is padded */
};

struct http_response {
    int status; /* 0 until an answer came */
    struct pairs headers;
    struct buf
        error_body; /* the body of an answer with status >= 300, at most HTTP_ERROR_BODY_MAX */
    uint64_t content_length; /* HTTP_LENGTH_UNKNOWN when not said */
};

#define HTTP_LENGTH_UNKNOWN UINT64_MAX

#define HTTP_REQUEST_INIT \
    {                     \
        0                 \
    }
#define HTTP_RESPONSE_INIT                                                                 \
    {                                                                                      \
        .error_body = BUF_INIT(HTTP_ERROR_BODY_MAX), .content_length = HTTP_LENGTH_UNKNOWN \
    }
#define auto_request  cleanup(http_request_release)
#define auto_response cleanup(http_response_release)

void http_request_release(struct http_request *r);
void http_response_release(struct http_response *r);

/* Add one request header; an empty value is sent as an empty header. */
void http_request_header(struct http_request *r, const char *name, const char *value);
void http_request_headerf(struct http_request *r, const char *name, const char *format, ...)
    printf_like(3, 4);

/* A response header's first value, or NULL. */
const char *http_response_header(const struct http_response *r, const char *name);

#endif
