// SPDX-License-Identifier: EUPL-1.2
/*
 * Whatever a client may send, through the whole HTTP server: what reaches a handler is well formed,
 * each exchange that begins is finished, and what is taken for a whole body is one.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One for all inputs: what one leaves behind, the next one meets. */
static struct http_server *server;

static bool is_text(const char *text)
{
    for (; *text; text++)
        if (((unsigned char)*text < 0x20 && *text != '\t') || *text == 0x7f)
            return false;
    return true;
}

static void begin(void *argument, struct http_exchange *x, struct call *call)
{
    (void)argument;
    (void)call;
    assert(!x->private);
    x->private = x;
    assert(is_text(x->method) && *x->method && is_text(x->target) && is_text(x->host));
    assert(*x->path == '/' || (strcmp(x->path, "*") == 0 && strcmp(x->method, "OPTIONS") == 0));
    assert(!strpbrk(x->target, " #") && !strchr(x->path, '?'));
    for (size_t i = 0; i < x->headers.count; i++) {
        const struct pair *h = &x->headers.list[i];
        assert(*h->key && is_text(h->key) && !strpbrk(h->key, " \t:") && is_text(h->value));
    }
    assert(!pairs_get_nocase(&x->headers, "Content-Length") ||
           !pairs_get_nocase(&x->headers, "Transfer-Encoding"));
    if (strncmp(x->path, "/refuse", 7) == 0)
        http_answer(x, 403, NULL, "no", 2);
}

static void handle(void *argument, struct http_exchange *x, struct call *call)
{
    struct sink_count count;

    (void)argument;
    assert(x->private == x);
    sink_count_init(&count);
    if (strncmp(x->path, "/early", 6) != 0 && stream_copy(x->body, &count.sink, NULL, call) == 0 &&
        x->body_length != HTTP_LENGTH_UNKNOWN)
        assert(count.count == x->body_length);
    http_answer(x, 200, NULL, "yes", 3);
}

static void finished(void *argument, struct http_exchange *x, const struct http_finished *f)
{
    (void)argument;
    assert(x->private == x || f->status >= 400 || f->status == 0);
    x->private = NULL;
}

static void start(void)
{
    struct http_server_options options = {
        .listen = "127.0.0.1:0", .begin = begin, .handle = handle, .finished = finished};
    struct err e = {.code = ERR_NONE};

    if (http_server_start(&options, &server, &e) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char answer[4096];

    if (!server)
        start();
    address.sin_port = htons((uint16_t)http_server_port(server));
    auto_close int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        abort();
    (void)send(fd, data, size, MSG_NOSIGNAL);
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, answer, sizeof(answer), 0) > 0)
        continue;
    return 0;
}
