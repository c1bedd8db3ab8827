// SPDX-License-Identifier: EUPL-1.2
/* What libcurl's verdict means for the person who reads it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http/handle.h"
#include "util/clock.h"

#define PLACE_SIZE 300

void http_place(const char *url, char *ret, size_t size)
{
    const char *at = strstr(url, "://");
    bool secure = strncmp(url, "https:", 6) == 0;

    at = at ? at + 3 : url;
    size_t n = strcspn(at, "/?#");
    const char *user = memrchr(at, '@', n);
    if (user) {
        n -= (size_t)(user + 1 - at);
        at = user + 1;
    }
    const char *port = memrchr(at, ':', n);
    bool has_port = port && !memchr(port, ']', n - (size_t)(port - at));
    if (n > size - 8)
        n = size - 8;
    (void)snprintf(ret, size, "%.*s%s", (int)n, at, has_port ? "" : secure ? ":443" : ":80");
}

static int connect_failure(struct http_handle *h, const char *place)
{
    long number = 0;

    (void)curl_easy_getinfo(h->curl, CURLINFO_OS_ERRNO, &number);
    struct err *e = &h->call->err;
    if (h->kept_off)
        return err_set(e, ERR_DENIED, "connect to %s: its address is not a public one", place);
    if (number == 0)
        return err_set(e, ERR_NETWORK, "connect to %s: %s", place,
                       h->error_text[0] ? h->error_text : "failed");
    (void)err_errno(e, (int)number, "connect to %s", place);
    e->code = ERR_NETWORK;
    return -1;
}

static int timeout_failure(struct http_handle *h, const char *place)
{
    struct err *e = &h->call->err;
    curl_off_t sending = 0;

    if (call_check(h->call) < 0)
        return err_prefix(e, "%s", place);
    (void)curl_easy_getinfo(h->curl, CURLINFO_PRETRANSFER_TIME_T, &sending);
    if (sending == 0)
        return err_set(e, ERR_TIMEOUT, "connect to %s: no connection within %lld s", place,
                       (long long)(h->client->connect_timeout / CLOCK_SECOND));
    return err_set(e, ERR_TIMEOUT, "%s: no answer in time", place);
}

static int tls_failure(struct http_handle *h, const char *place, CURLcode code)
{
    char names[500];
    struct err *e = &h->call->err;

    http_tls_names(h, names, sizeof(names));
    if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(h->error_text, "subject name"))
        return err_set(e, ERR_TLS,
                       "TLS with %s: the certificate is not for this name, but for %s; use that "
                       "name in the endpoint",
                       place, *names ? names : "none");
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return err_set(e, ERR_TLS, "TLS with %s: %s; is its authority missing in ca_file?", place,
                       h->error_text[0] ? h->error_text : curl_easy_strerror(code));
    return err_set(e, ERR_TLS, "TLS with %s: %s", place,
                   h->error_text[0] ? h->error_text : curl_easy_strerror(code));
}

static int cut_failure(struct http_handle *h, const char *place)
{
    const struct http_response *response = h->head.into;
    struct err *e = &h->call->err;

    if (!h->head.done)
        return err_set(e, ERR_NETWORK, "%s: cut off before the whole answer came", place);
    if (response->content_length != HTTP_LENGTH_UNKNOWN)
        return err_set(e, ERR_NETWORK, "%s: cut off after %llu of %llu bytes", place,
                       (unsigned long long)h->received,
                       (unsigned long long)response->content_length);
    return err_set(e, ERR_NETWORK, "%s: cut off after %llu bytes, the answer's end is missing",
                   place, (unsigned long long)h->received);
}

static int other_failure(struct http_handle *h, const char *place, CURLcode code)
{
    static const struct {
        CURLcode code;
        enum err_code reason;
        const char *text;
    } verdicts[] = {
        {CURLE_URL_MALFORMAT, ERR_INVALID, "this is not an http:// or https:// URL"},
        {CURLE_WEIRD_SERVER_REPLY, ERR_REMOTE, "the answer is not valid HTTP"},
        {CURLE_BAD_CONTENT_ENCODING, ERR_REMOTE, "the answer is not valid HTTP"},
        {CURLE_GOT_NOTHING, ERR_NETWORK, "connection closed without an answer"},
        {CURLE_SEND_ERROR, ERR_NETWORK, "connection broke while sending"},
        {CURLE_SEND_FAIL_REWIND, ERR_NETWORK,
         "connection broke while sending, and the body cannot be read a second time"},
        {CURLE_OUT_OF_MEMORY, ERR_NETWORK, "out of memory"},
        {CURLE_COULDNT_RESOLVE_PROXY, ERR_NETWORK, "the proxy's name is not known"},
        {CURLE_PROXY, ERR_NETWORK, "the proxy refused"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++)
        if (verdicts[i].code == code)
            return err_set(&h->call->err, verdicts[i].reason, "%s: %s", place, verdicts[i].text);
    return err_set(&h->call->err, ERR_NETWORK, "%s: %s", place,
                   h->error_text[0] ? h->error_text : curl_easy_strerror(code));
}

int http_failure(struct http_handle *h, CURLcode code)
{
    char place[PLACE_SIZE];

    if (h->ours)
        return -1;
    http_place(h->request->url, place, sizeof(place));
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return err_set(&h->call->err, ERR_NETWORK, "connect to %s: no such host name", place);
    case CURLE_COULDNT_CONNECT:
        return connect_failure(h, place);
    case CURLE_OPERATION_TIMEDOUT:
        return timeout_failure(h, place);
    case CURLE_UNSUPPORTED_PROTOCOL:
        /* libcurl's way to say HTTP/0.9, unless the URL's scheme was refused. */
        return err_set(
            &h->call->err, strncmp(h->request->url, "http", 4) ? ERR_INVALID : ERR_REMOTE,
            strncmp(h->request->url, "http", 4) ? "%s: this is not an http:// or https:// URL"
                                                : "%s: what answers there does not speak HTTP",
            place);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_ENGINE_INITFAILED:
        return tls_failure(h, place, code);
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
        return cut_failure(h, place);
    default:
        return other_failure(h, place, code);
    }
}
