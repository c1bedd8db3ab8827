// SPDX-License-Identifier: EUPL-1.2
/*
 * For tests of servers: a client that sends exactly the bytes a test wants and reads answers one by
 * one.  Whatever takes longer than RAW_PATIENCE milliseconds has failed.
 */
#ifndef TESTS_RAW_H
#define TESTS_RAW_H

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define RAW_PATIENCE 10000

struct raw {
    int fd;
    char buffer[256 * 1024]; /* what came and was not taken yet */
    size_t length;
};

/* One answer.  body has a NUL behind it. */
struct raw_answer {
    int status; /* 0: no answer; the connection ended */
    char head[64 * 1024];
    char *body;
    size_t length;
    bool whole; /* the body ended as its head said */
};

static inline void raw_open(struct raw *r, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    r->length = 0;
    r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || connect(r->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        abort();
}

static inline void raw_close(struct raw *r)
{
    (void)close(r->fd);
}

static inline bool raw_send_n(struct raw *r, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n) {
        ssize_t sent = send(r->fd, at, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        n -= (size_t)sent;
    }
    return true;
}

static inline bool raw_send(struct raw *r, const char *text)
{
    return raw_send_n(r, text, strlen(text));
}

/* Get more bytes; false at the end or when nothing comes for that many milliseconds. */
static inline bool raw_more(struct raw *r, int patience)
{
    struct pollfd p = {.fd = r->fd, .events = POLLIN};

    if (r->length == sizeof(r->buffer) || poll(&p, 1, patience) != 1)
        return false;
    ssize_t got = recv(r->fd, r->buffer + r->length, sizeof(r->buffer) - r->length, 0);
    if (got <= 0)
        return false;
    r->length += (size_t)got;
    return true;
}

static inline void raw_drop(struct raw *r, size_t n)
{
    memmove(r->buffer, r->buffer + n, r->length - n);
    r->length -= n;
}

/* Move n bytes to the answer's body; false when they do not come. */
static inline bool raw_body(struct raw *r, struct raw_answer *a, size_t n)
{
    a->body = realloc(a->body, a->length + n + 1);
    while (n) {
        if (r->length == 0 && !raw_more(r, RAW_PATIENCE))
            break;
        size_t step = n < r->length ? n : r->length;
        memcpy(a->body + a->length, r->buffer, step);
        a->length += step;
        n -= step;
        raw_drop(r, step);
    }
    a->body[a->length] = '\0';
    return n == 0;
}

/* One line with its end into text; false when none comes. */
static inline bool raw_line(struct raw *r, char *text, size_t size)
{
    const char *end;

    while (!(end = memmem(r->buffer, r->length, "\r\n", 2)))
        if (!raw_more(r, RAW_PATIENCE))
            return false;
    size_t n = (size_t)(end - r->buffer) + 2;
    if (n >= size)
        return false;
    memcpy(text, r->buffer, n);
    text[n] = '\0';
    raw_drop(r, n);
    return true;
}

/* A header's value in a static place, or NULL. */
static inline const char *raw_header(const struct raw_answer *a, const char *name, char *value,
                                     size_t size)
{
    char want[100];

    (void)snprintf(want, sizeof(want), "\r\n%s:", name);
    const char *at = strcasestr(a->head, want);
    if (!at)
        return NULL;
    at += strlen(want);
    at += strspn(at, " ");
    (void)snprintf(value, size, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

static inline bool raw_chunks(struct raw *r, struct raw_answer *a)
{
    char line[1000];

    for (;;) {
        if (!raw_line(r, line, sizeof(line)))
            return false;
        size_t n = strtoul(line, NULL, 16);
        if (n == 0)
            return raw_line(r, line, sizeof(line)) && strcmp(line, "\r\n") == 0;
        if (!raw_body(r, a, n) || !raw_line(r, line, sizeof(line)) || strcmp(line, "\r\n") != 0)
            return false;
    }
}

/* Read the next answer (is_head: to a HEAD request); free a->body. */
static inline void raw_read(struct raw *r, struct raw_answer *a, bool is_head)
{
    char value[100];
    const char *end;

    *a = (struct raw_answer){.status = 0};
    a->body = calloc(1, 1);
    while (!(end = memmem(r->buffer, r->length, "\r\n\r\n", 4)))
        if (!raw_more(r, RAW_PATIENCE))
            return;
    size_t n = (size_t)(end - r->buffer) + 4;
    if (n >= sizeof(a->head))
        abort();
    memcpy(a->head, r->buffer, n);
    a->head[n] = '\0';
    raw_drop(r, n);
    a->status = atoi(a->head + 9);
    if (is_head || a->status == 100 || a->status == 204 || a->status == 304)
        a->whole = true;
    else if (raw_header(a, "Transfer-Encoding", value, sizeof(value)))
        a->whole = raw_chunks(r, a);
    else if (raw_header(a, "Content-Length", value, sizeof(value)))
        a->whole = raw_body(r, a, strtoul(value, NULL, 10));
}

/* Whether the other side has ended the connection, with nothing left to read. */
static inline bool raw_ended(struct raw *r)
{
    char byte;
    struct pollfd p = {.fd = r->fd, .events = POLLIN};

    return r->length == 0 && poll(&p, 1, RAW_PATIENCE) == 1 && recv(r->fd, &byte, 1, 0) <= 0;
}

#endif
