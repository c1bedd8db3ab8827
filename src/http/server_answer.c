// SPDX-License-Identifier: EUPL-1.2
/* Answers of the HTTP server: see server.h. */
#include <assert.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "config.h"
#include "http/server_private.h"
#include "util/log.h"

/* What the server says by itself. */
static const char *const ours[] = {"Content-Length", "Transfer-Encoding", "Date"};

static bool is_ours(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

static bool can_be_sent(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static int add_header(struct exchange *x, struct MHD_Response *response, const struct pair *h)
{
    if (is_ours(h->key))
        return 0;
    if (strcasecmp(h->key, "Connection") == 0) {
        if (strcasecmp(h->value, "close") == 0)
            x->closes = true;
        return 0;
    }
    if (!can_be_sent(h->key) || !can_be_sent(h->value))
        return -1;
    /* libmicrohttpd takes no empty value; a blank one reads the same. */
    return MHD_add_response_header(response, h->key, *h->value ? h->value : " ") == MHD_YES ? 0
                                                                                            : -1;
}

static int add_headers(struct exchange *x, struct MHD_Response *response,
                       const struct pairs *headers)
{
    struct pair server = {.key = (char *)(uintptr_t) "Server",
                          .value = (char *)(uintptr_t) "bascule/" BASCULE_VERSION};

    if (!headers || !pairs_get_nocase(headers, "Server"))
        (void)add_header(x, response, &server);
    for (size_t i = 0; headers && i < headers->count; i++) {
        if (add_header(x, response, &headers->list[i]) == 0)
            continue;
        log_line(LOG_ERROR,
                 "http server: the answer to %s %s has a header '%.100s' that cannot be sent",
                 x->x.method, x->x.path,
                 can_be_sent(headers->list[i].key) ? headers->list[i].key : "(unprintable)");
        return -1;
    }
    return 0;
}

static struct MHD_Response *plain(const void *bytes, size_t length)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        length, (void *)(uintptr_t)bytes, length ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);

    if (!response)
        abort();
    return response;
}

/* An answer in the middle of a large body may have to go around libmicrohttpd, which does not give
 * its copy of the bytes back. */
static void keep_text(struct exchange *x, const void *bytes, size_t length)
{
    if (x->piped && length && length <= HTTP_SERVER_COLLECT) {
        x->text = xmalloc(length);
        memcpy(x->text, bytes, length);
    }
}

void server_answer_text(struct exchange *x, int status, const char *text)
{
    auto_pairs struct pairs headers = PAIRS_INIT;

    pairs_add(&headers, "Content-Type", "text/plain");
    if (status == 503)
        pairs_add(&headers, "Retry-After", "1");
    auto_free char *line = xasprintf("%s\n", text);
    keep_text(x, line, strlen(line));
    server_answer_set(x, status, &headers, plain(line, strlen(line)), strlen(line));
}

void server_answer_set(struct exchange *x, int status, const struct pairs *headers,
                       struct MHD_Response *response, uint64_t length)
{
    assert(!x->response);
    assert(status >= 200 && status <= 999);
    if (!response) {
        replace_string(&x->text, NULL);
        log_line(LOG_ERROR, "http server: the answer to %s %s finds no memory", x->x.method,
                 x->x.path);
        server_answer_text(x, 503, "no memory, try again");
        return;
    }
    if (add_headers(x, response, headers) < 0) {
        MHD_destroy_response(response);
        replace_string(&x->text, NULL);
        server_answer_text(x, 500, "internal error");
        return;
    }
    x->response = response;
    x->status = status;
    x->length = strcmp(x->x.method, "HEAD") == 0 || status == 204 || status == 304 ? 0 : length;
}

void http_answer(struct http_exchange *public, int status, const struct pairs *headers,
                 const void *bytes, size_t length)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(
        length, (void *)(uintptr_t)bytes, length ? MHD_RESPMEM_MUST_COPY : MHD_RESPMEM_PERSISTENT);

    keep_text(exchange_of(public), bytes, length);
    server_answer_set(exchange_of(public), status, headers, response, length);
}

void http_answer_buf(struct http_exchange *public, int status, const struct pairs *headers,
                     struct buf *body)
{
    size_t length = body->length;

    if (length == 0) {
        http_answer(public, status, headers, NULL, 0);
        return;
    }
    keep_text(exchange_of(public), body->data, length);
    char *bytes = buf_take(body);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE);
    if (!response)
        free(bytes);
    server_answer_set(exchange_of(public), status, headers, response, length);
}

/* Nobody asks for the bytes of an answer to HEAD. */
static ssize_t no_bytes(void *argument, uint64_t at, char *bytes, size_t n)
{
    (void)argument;
    (void)at;
    (void)bytes;
    (void)n;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* A length nobody knows would mean chunks, and libmicrohttpd ends even those of a body it does not
 * send; the flag makes it close the connection instead. */
static struct MHD_Response *only_length(uint64_t length)
{
    if (length == 0)
        return plain(NULL, 0);
    if (length != HTTP_LENGTH_UNKNOWN)
        return MHD_create_response_from_callback(length, 1, no_bytes, NULL, NULL);
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1, no_bytes, NULL, NULL);
    if (response)
        (void)MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

void http_answer_length(struct http_exchange *public, int status, const struct pairs *headers,
                        uint64_t length)
{
    assert(strcmp(public->method, "HEAD") == 0 || status == 304 || length == 0);
    server_answer_set(exchange_of(public), status, headers, only_length(length), 0);
}

void http_answer_file(struct http_exchange *public, int status, const struct pairs *headers, int fd,
                      uint64_t offset, uint64_t length)
{
    struct MHD_Response *response =
        length ? MHD_create_response_from_fd_at_offset64(length, fd, offset) : plain(NULL, 0);

    if (!response || length == 0)
        (void)close(fd);
    server_answer_set(exchange_of(public), status, headers, response, length);
}

bool http_answered(const struct http_exchange *public)
{
    return container_of(public, const struct exchange, x)->response != NULL;
}
