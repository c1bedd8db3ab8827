// SPDX-License-Identifier: EUPL-1.2
/* One libcurl handle: its lasting options, its callbacks, and what changes with each request. */
#include "http/handle.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "http/public.h"
#include "util/clock.h"

/* One request's headers, all together. */
#define HEADER_TEXT_MAX (256 * 1024 + 8)
/* Big enough that a large body costs few system calls, small enough for many handles; below the
 * size at which malloc goes to the kernel each time. */
#define BUFFER_BYTES (64 * 1024L)
/* Connections one handle keeps open: usually one store's, rarely more. */
#define CONNECTIONS_MAX 4L
/* A body in memory up to this size goes out in one piece with the head: half the system calls and
 * packets.  libcurl does that for what it calls post fields, as long as they are below 64 KiB. */
#define TOGETHER_MAX (60 * 1024)
#define USER_AGENT   "bascule/" BASCULE_VERSION

static int stop(struct http_handle *h)
{
    h->ours = true;
    return -1;
}

static size_t on_header(char *line, size_t size, size_t n, void *handle)
{
    struct http_handle *h = handle;

    n *= size;
    h->head_bytes += n;
    switch (http_head_line(&h->head, line, n, &h->call->err)) {
    case HTTP_HEAD_MORE:
        return n;
    case HTTP_HEAD_DONE:
        if (!h->begun || h->head.into->status >= 300 ||
            h->begun->begun(h->begun, h->head.into, h->call) == 0)
            return n;
        break;
    case HTTP_HEAD_BAD:
        break;
    }
    (void)stop(h);
    return CURL_WRITEFUNC_ERROR;
}

static void keep_error_body(struct buf *body, const char *bytes, size_t n)
{
    size_t room = body->limit - body->length;

    buf_bytes(body, bytes, n < room ? n : room);
}

static size_t on_body(char *bytes, size_t size, size_t n, void *handle)
{
    struct http_handle *h = handle;

    n *= size;
    h->received += n;
    if (h->head.into->status >= 300) {
        keep_error_body(&h->head.into->error_body, bytes, n);
        return n;
    }
    if (!h->sink || sink_write(h->sink, bytes, n, h->call) == 0)
        return n;
    (void)stop(h);
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_read(char *bytes, size_t size, size_t n, void *handle)
{
    struct http_handle *h = handle;
    uint64_t left = h->request->body_length - h->sent;

    n *= size;
    if (n > left)
        n = (size_t)left;
    if (n == 0)
        return 0;
    ssize_t got = source_read(h->request->body, bytes, n, h->call);
    if (got == 0)
        (void)err_set(&h->call->err, ERR_CORRUPT,
                      "the body to send ended after %llu of its %llu bytes",
                      (unsigned long long)h->sent, (unsigned long long)h->request->body_length);
    if (got <= 0) {
        (void)stop(h);
        return CURL_READFUNC_ABORT;
    }
    h->sent += (uint64_t)got;
    return (size_t)got;
}

/* A write whose second sending would do something else than its first: done twice, or refused for
 * what the first has done. */
static bool only_once(const struct http_request *request)
{
    bool reads = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;

    return strcmp(request->method, "POST") == 0 ||
           (!reads && (pairs_get_nocase(&request->headers, "If-Match") ||
                       pairs_get_nocase(&request->headers, "If-None-Match")));
}

/* libcurl sends again, whatever it is, when a kept connection broke before any answer came. */
static int on_request(void *handle, char *remote, char *local, int remote_port, int local_port)
{
    struct http_handle *h = handle;
    char place[300];

    (void)remote;
    (void)local;
    (void)remote_port;
    (void)local_port;
    if (h->requests++ == 0 || !only_once(h->request))
        return CURL_PREREQFUNC_OK;
    http_place(h->request->url, place, sizeof(place));
    (void)err_set(&h->call->err, ERR_NETWORK, "%s: connection closed without an answer", place);
    (void)stop(h);
    return CURL_PREREQFUNC_ABORT;
}

/* Before it does, it wants the body from its beginning. */
static int on_seek(void *handle, curl_off_t offset, int origin)
{
    struct http_handle *h = handle;

    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_FAIL;
    if (h->sent == 0)
        return CURL_SEEKFUNC_OK;
    if (!h->request->body->rewind)
        return CURL_SEEKFUNC_FAIL;
    if (h->request->body->rewind(h->request->body, h->call) < 0) {
        (void)stop(h);
        return CURL_SEEKFUNC_FAIL;
    }
    h->sent = 0;
    return CURL_SEEKFUNC_OK;
}

/* Called at least once a second: the place to notice cancellation, deadline and stall. */
static int on_progress(void *handle, curl_off_t to_get, curl_off_t got, curl_off_t to_send,
                       curl_off_t sent)
{
    struct http_handle *h = handle;
    uint64_t moved = (uint64_t)got + (uint64_t)sent + h->head_bytes;

    (void)to_get;
    (void)to_send;
    if (call_check(h->call) < 0)
        return stop(h);
    int64_t now = clock_monotonic();
    if (moved != h->moved) {
        h->moved = moved;
        h->moved_at = now;
    } else if (now - h->moved_at >= h->client->stall_timeout) {
        char place[300];
        http_place(h->request->url, place, sizeof(place));
        (void)err_set(&h->call->err, ERR_TIMEOUT, "%s: nothing moved for %lld s", place,
                      (long long)(h->client->stall_timeout / CLOCK_SECOND));
        return stop(h);
    }
    return 0;
}

/* Judges the address that is really connected to, whatever the name resolved to before. */
static curl_socket_t open_socket(void *handle, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_handle *h = handle;

    (void)purpose;
    if (!http_address_is_public(&address->addr)) {
        h->kept_off = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void set_tls(struct http_handle *h)
{
    struct http_client *client = h->client;

    if (client->insecure) {
        curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(h->curl, CURLOPT_SSL_VERIFYHOST, 0L);
        return;
    }
    /* The authorities are loaded once for all handles; left to itself libcurl would parse and keep
     * them for each. */
    curl_easy_setopt(h->curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(h->curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(h->curl, CURLOPT_SSL_CTX_FUNCTION, http_tls_setup);
    curl_easy_setopt(h->curl, CURLOPT_SSL_CTX_DATA, h);
}

static void set_callbacks(struct http_handle *h)
{
    CURL *curl = h->curl;

    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, h->error_text);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, h);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
    curl_easy_setopt(curl, CURLOPT_READDATA, h);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_request);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, h);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, h);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, h);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
}

struct http_handle *http_handle_new(struct http_client *client)
{
    CURL *curl = curl_easy_init();

    if (!curl)
        return NULL;
    struct http_handle *h = xcalloc(1, sizeof(*h));
    h->client = client;
    h->curl = curl;
    buf_init(&h->header_text, HEADER_TEXT_MAX);
    set_callbacks(h);
    set_tls(h);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, CONNECTIONS_MAX);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(client->connect_timeout / CLOCK_MILLISECOND));
    curl_easy_setopt(curl, CURLOPT_SHARE, client->share);
    if (client->proxy)
        curl_easy_setopt(curl, CURLOPT_PROXY, client->proxy);
    if (client->public_only) {
        /* A proxy would resolve the name itself, and could be led anywhere. */
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, h);
    }
    return h;
}

void http_handle_free(struct http_handle *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    http_tls_forget(h);
    buf_release(&h->header_text);
    free(h->nodes);
    free(h);
}

static int add_header(struct http_handle *h, const char *name, const char *value)
{
    struct buf *text = &h->header_text;
    struct err *e = &h->call->err;
    size_t name_length = strlen(name), value_length = strlen(value);

    if (!name_length || strpbrk(name, ": \t\r\n") || strpbrk(value, "\r\n"))
        return err_set(e, ERR_INVALID, "a request header '%s' cannot be sent: line break or colon",
                       name_length < 100 ? name : "");
    if (buf_add(text, name, name_length, e) < 0 ||
        buf_add(text, value_length ? ": " : ";", value_length ? 2 : 1, e) < 0 ||
        buf_add(text, value, value_length + 1, e) < 0)
        return err_prefix(e, "request headers");
    return 0;
}

/* Every provider's access log has the user agent; headers of its own have not all of them. */
static int add_trace(struct http_handle *h)
{
    char agent[200];

    (void)snprintf(agent, sizeof(agent), USER_AGENT " request/%s", h->call->trace);
    return add_header(h, "User-Agent", agent);
}

/* Lay the headers out as the list libcurl wants, without allocating once the buffers have grown. */
static int set_headers(struct http_handle *h)
{
    const struct pairs *headers = &h->request->headers;

    if (h->nodes_size < headers->count + 1) {
        h->nodes_size = headers->count + 16;
        h->nodes = xrealloc(h->nodes, h->nodes_size, sizeof(*h->nodes));
    }
    buf_reset(&h->header_text);
    for (size_t i = 0; i < headers->count; i++)
        if (add_header(h, headers->list[i].key, headers->list[i].value) < 0)
            return -1;
    if (h->call->trace && !pairs_get_nocase(headers, "User-Agent") && add_trace(h) < 0)
        return -1;
    /* Left to itself libcurl asks for leave before sending a large body, and waits a second. */
    if (!pairs_get_nocase(headers, "Expect"))
        buf_bytes(&h->header_text, "Expect:", sizeof("Expect:"));
    /* And calls post fields a form. */
    if (!pairs_get_nocase(headers, "Content-Type"))
        buf_bytes(&h->header_text, "Content-Type:", sizeof("Content-Type:"));
    char *at = h->header_text.data, *end = at + h->header_text.length;
    for (size_t i = 0; at < end; i++) {
        h->nodes[i].data = at;
        at += strlen(at) + 1;
        h->nodes[i].next = at < end ? &h->nodes[i + 1] : NULL;
    }
    curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, h->nodes);
    return 0;
}

static bool sends_body(const struct http_request *request)
{
    const char *method = request->method;

    return request->body || strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0 ||
           strcmp(method, "PATCH") == 0;
}

static const struct source_bytes *together(const struct http_request *request)
{
    const struct source_bytes *bytes = request->body ? source_as_bytes(request->body) : NULL;

    return bytes && request->body_length && request->body_length <= TOGETHER_MAX &&
                   bytes->length - bytes->at == request->body_length
               ? bytes
               : NULL;
}

static enum http_kind kind_of(const struct http_request *request)
{
    return strcmp(request->method, "HEAD") == 0 ? HTTP_KIND_HEAD
           : together(request)                  ? HTTP_KIND_TOGETHER
           : sends_body(request)                ? HTTP_KIND_UPLOAD
                                                : HTTP_KIND_GET;
}

static void set_kind(struct http_handle *h, enum http_kind kind)
{
    static const char *const own_method[] = {[HTTP_KIND_GET] = "GET",
                                             [HTTP_KIND_HEAD] = "HEAD",
                                             [HTTP_KIND_UPLOAD] = "PUT",
                                             [HTTP_KIND_TOGETHER] = "POST"};
    const char *method = h->request->method;

    if (h->kind != kind) {
        curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
        if (kind == HTTP_KIND_HEAD)
            curl_easy_setopt(h->curl, CURLOPT_NOBODY, 1L);
        if (kind == HTTP_KIND_UPLOAD)
            curl_easy_setopt(h->curl, CURLOPT_UPLOAD, 1L);
        if (kind == HTTP_KIND_TOGETHER)
            curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
        h->kind = kind;
    }
    const char *custom = strcmp(method, own_method[kind]) == 0 ? "" : method;
    if (strcmp(custom, h->custom_method) != 0) {
        curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, *custom ? custom : NULL);
        (void)stpncpy(h->custom_method, custom, sizeof(h->custom_method) - 1);
    }
}

static void set_body(struct http_handle *h)
{
    const struct http_request *request = h->request;

    if (h->kind == HTTP_KIND_UPLOAD)
        curl_easy_setopt(h->curl, CURLOPT_INFILESIZE_LARGE,
                         (curl_off_t)(request->body ? request->body_length : 0));
    if (h->kind != HTTP_KIND_TOGETHER)
        return;
    const struct source_bytes *bytes = source_as_bytes(request->body);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
    curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, bytes->bytes + bytes->at);
}

int http_handle_prepare(struct http_handle *h)
{
    struct http_request *request = h->request;
    long timeout = 0;

    if (strlen(request->method) >= sizeof(h->custom_method))
        return err_set(&h->call->err, ERR_INVALID, "no such HTTP method");
    if (h->call->deadline) {
        int64_t left = h->call->deadline - clock_monotonic();
        timeout = left > 0 ? (long)(left / CLOCK_MILLISECOND) + 1 : 1;
    }
    if (timeout != h->timeout_ms) {
        curl_easy_setopt(h->curl, CURLOPT_TIMEOUT_MS, timeout);
        h->timeout_ms = timeout;
    }
    if (set_headers(h) < 0)
        return -1;
    set_kind(h, kind_of(request));
    set_body(h);
    if (curl_easy_setopt(h->curl, CURLOPT_URL, request->url) != CURLE_OK)
        return err_set(&h->call->err, ERR_INVALID, "the URL is too long");
    h->error_text[0] = '\0';
    return 0;
}
