// SPDX-License-Identifier: EUPL-1.2
/* A client's connection: see wire.h. */
#include "wire.h"

#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOM     ((size_t)256 * 1024)
#define BODY_MAX ((size_t)64 * 1024 * 1024)
/* Up to this size a body goes out in one piece with its head. */
#define TOGETHER_MAX 4096

_Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static void reach(struct wire *w)
{
    int one = 1;

    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0 || connect(w->fd, (const struct sockaddr *)&w->to, sizeof(w->to)) < 0)
        die("connect");
    (void)setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    w->have = 0;
    if (!w->tls)
        return;
    w->ssl = SSL_new(w->tls);
    if (SSL_set_fd(w->ssl, w->fd) != 1 || SSL_connect(w->ssl) != 1)
        die("TLS handshake");
}

static void leave(struct wire *w)
{
    SSL_free(w->ssl);
    w->ssl = NULL;
    (void)close(w->fd);
}

void wire_open(struct wire *w, const struct sockaddr_in *to, SSL_CTX *tls)
{
    *w = (struct wire){.to = *to, .tls = tls, .room = xmalloc(ROOM)};
    buf_init(&w->body, BODY_MAX);
    reach(w);
}

void wire_close(struct wire *w)
{
    leave(w);
    free(w->room);
    buf_release(&w->body);
}

static bool send_all(struct wire *w, const char *bytes, size_t n)
{
    while (n) {
        ssize_t sent =
            w->ssl ? SSL_write(w->ssl, bytes, (int)n) : send(w->fd, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool receive(struct wire *w)
{
    size_t room = ROOM - w->have;
    ssize_t n = w->ssl ? SSL_read(w->ssl, w->room + w->have, (int)room)
                       : recv(w->fd, w->room + w->have, room, 0);

    if (n <= 0)
        return false;
    w->have += (size_t)n;
    return true;
}

/* Take n bytes off the front, into the body when it is wanted. */
static void consume(struct wire *w, size_t n, bool keep)
{
    struct err ignored = {0};

    if (keep && buf_add(&w->body, w->room, n, &ignored) < 0)
        die("a body is too large");
    w->have -= n;
    memmove(w->room, w->room + n, w->have);
}

static bool take_counted(struct wire *w, uint64_t length, bool keep)
{
    for (;;) {
        size_t n = w->have < length ? w->have : (size_t)length;
        consume(w, n, keep);
        length -= n;
        if (!length)
            return true;
        if (!receive(w))
            return false;
    }
}

static bool take_line(struct wire *w, char *ret, size_t size)
{
    char *end;

    while (!(end = memmem(w->room, w->have, "\r\n", 2)))
        if (w->have == ROOM || !receive(w))
            return false;
    (void)snprintf(ret, size, "%.*s", (int)(end - w->room), w->room);
    consume(w, (size_t)(end - w->room) + 2, false);
    return true;
}

static bool take_chunks(struct wire *w, bool keep)
{
    char line[100];
    uint64_t n;

    do {
        if (!take_line(w, line, sizeof(line)))
            return false;
        n = strtoull(line, NULL, 16);
        if (!take_counted(w, n, keep) || !take_line(w, line, sizeof(line)))
            return false;
    } while (n);
    return true;
}

/* One answer; its status, or 0 when the connection broke. */
static int answer(struct wire *w, bool keep)
{
    char line[2048];
    uint64_t length = 0;
    bool chunked = false, closes = false;

    w->etag[0] = '\0';
    buf_reset(&w->body);
    if (!take_line(w, line, sizeof(line)))
        return 0;
    int status = atoi(line + strcspn(line, " "));
    do {
        if (!take_line(w, line, sizeof(line)))
            return 0;
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            length = strtoull(line + 15, NULL, 10);
        if (strncasecmp(line, "ETag: ", 6) == 0)
            (void)snprintf(w->etag, sizeof(w->etag), "%.127s", line + 6);
        chunked |= strncasecmp(line, "Transfer-Encoding: chunked", 26) == 0;
        closes |= strncasecmp(line, "Connection: close", 17) == 0;
    } while (*line);
    if (status != 204 && status != 304 &&
        !(chunked ? take_chunks(w, keep) : take_counted(w, length, keep)))
        return 0;
    if (closes) {
        leave(w);
        reach(w);
    }
    return status;
}

static bool send_request(struct wire *w, const char *head, const void *bytes, size_t n)
{
    size_t length = strlen(head);

    if (n > TOGETHER_MAX)
        return send_all(w, head, length) && send_all(w, bytes, n);
    auto_free char *both = xmalloc(length + n);
    memcpy(both, head, length);
    memcpy(both + length, bytes, n);
    return send_all(w, both, length + n);
}

int wire_exchange(struct wire *w, const char *head, const void *bytes, size_t n, bool keep)
{
    int status = send_request(w, head, bytes, n) ? answer(w, keep) : 0;

    if (status == 0) {
        leave(w);
        reach(w);
    }
    return status;
}
