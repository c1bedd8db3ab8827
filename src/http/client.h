// SPDX-License-Identifier: EUPL-1.2
/*
 * The HTTP client: one blocking call, over libcurl.
 *
 *     auto_request struct http_request request = {.method = "GET", .url = xstrdup(url)};
 *     auto_response struct http_response response = HTTP_RESPONSE_INIT;
 *     if (http_do(client, &request, &response, &sink.sink, NULL, call) < 0)
 *         return -1;                      (no complete answer: network, TLS, time, cut off)
 *     if (response.status >= 300) ...     (an answer that says no; response.error_body says why)
 *
 * http_do() succeeds whenever a complete answer came, whatever its status: what a status means is
 * the driver's to say.  It never follows redirects, and retries in one case only: a kept connection
 * that broke before any answer came, unless the request is a POST or a write under a condition and
 * the server may have acted on it.  Bodies of answers below 300 go to the sink (NULL: they are read
 * and dropped), others to response->error_body.
 *
 * A body shorter than its Content-Length, a chunked body without its end, and a broken connection
 * are ERR_NETWORK ("cut off"), never a normal end.  Content-Encoding is left alone: bytes arrive as
 * they were sent.  Only http:// and https:// are spoken, HTTP/1.1 (so header names keep their
 * case), and paths go out as given (no dot segments are resolved).
 *
 * Time: the call's deadline holds; besides, a connection must be made within connect_timeout and
 * then something must move at least every stall_timeout.  A raised cancel flag stops a transfer
 * within about a second.
 *
 * Threads: one client may be used by many threads at once.  Handles (and with them their open
 * connections) wait in a pool, the most recently used one first.
 *
 * The user agent is "bascule/VERSION", and "bascule/VERSION request/TRACE" for a call that has one.
 *
 * TLS is verified against the system's authorities (or ca_file).  insecure switches that off and is
 * refused for hosts that are not loopback.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "http/message.h"

struct http_client_options {
    int64_t connect_timeout; /* nanoseconds; 0: 20 s */
    int64_t stall_timeout;   /* nanoseconds; 0: 60 s */
    const char *ca_file;     /* PEM; NULL: the system's */
    const char *proxy;       /* NULL: as the environment says (https_proxy, no_proxy) */
    bool insecure;
    bool public_only; /* connect to public addresses only (http/public.h), and through no proxy: for
                         URLs that somebody outside names */
};

struct http_client;

/* options may be NULL. */
must_check int http_client_new(const struct http_client_options *options, struct http_client **ret,
                               struct err *e);
void http_client_free(struct http_client *client);

/* What to call with the answer's head, before the first byte of its body reaches the sink; it is
 * called for answers below 300 only.  -1 ends the transfer with the error it set. */
struct http_begun {
    int (*begun)(struct http_begun *self, const struct http_response *response, struct call *call);
};

/* See the top.  begun may be NULL.  The request is left as it was (its body source is read). */
must_check int http_do(struct http_client *client, struct http_request *request,
                       struct http_response *response, struct sink *sink, struct http_begun *begun,
                       struct call *call);

#endif
