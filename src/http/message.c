// SPDX-License-Identifier: EUPL-1.2
/* Requests and responses: see message.h. */
#include "http/message.h"

#include <stdarg.h>
#include <stdio.h>

void http_request_release(struct http_request *r)
{
    free(r->url);
    pairs_release(&r->headers);
    *r = (struct http_request)HTTP_REQUEST_INIT;
}

void http_response_release(struct http_response *r)
{
    pairs_release(&r->headers);
    buf_release(&r->error_body);
    r->status = 0;
    r->content_length = HTTP_LENGTH_UNKNOWN;
}

void http_request_header(struct http_request *r, const char *name, const char *value)
{
    pairs_add(&r->headers, name, value);
}

void http_request_headerf(struct http_request *r, const char *name, const char *format, ...)
{
    auto_free char *value = NULL;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&value, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    pairs_add(&r->headers, name, value);
}

const char *http_response_header(const struct http_response *r, const char *name)
{
    return pairs_get_nocase(&r->headers, name);
}
