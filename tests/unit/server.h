// SPDX-License-Identifier: EUPL-1.2
/*
 * For tests: a server on a free loopback port whose every connection is handled by a function of
 * the test, one after the other, on a thread of its own.  It does what the test says, which need
 * not be HTTP.
 */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    void (*serve)(struct server *s, int connection);
    const void *argument;
    int listener;
    int port;
    pthread_t thread;
    atomic_int connections;
    atomic_int requests;
    char request[65536]; /* the head last read by server_read() */
};

static inline void *server_run(void *argument)
{
    struct server *s = argument;

    for (;;) {
        int connection = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            return NULL;
        atomic_fetch_add(&s->connections, 1);
        s->serve(s, connection);
        (void)close(connection);
    }
}

static inline void server_start(struct server *s, void (*serve)(struct server *, int),
                                const void *arg)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    memset(s, 0, sizeof(*s));
    s->serve = serve;
    s->argument = arg;
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(s->listener, 64) < 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &size) < 0)
        abort();
    s->port = ntohs(address.sin_port);
    if (pthread_create(&s->thread, NULL, server_run, s) != 0)
        abort();
}

static inline void server_stop(struct server *s)
{
    (void)shutdown(s->listener, SHUT_RDWR);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->listener);
}

/* Read one head (up to its empty line) into s->request; 0 when the connection ended before. */
static inline int server_read(struct server *s, int connection)
{
    char head[sizeof(s->request)];
    size_t n = 0;

    while (n < sizeof(head) - 1 && read(connection, head + n, 1) == 1) {
        head[++n] = '\0';
        if (n >= 4 && memcmp(head + n - 4, "\r\n\r\n", 4) == 0) {
            memcpy(s->request, head, n + 1);
            atomic_fetch_add(&s->requests, 1);
            return 1;
        }
    }
    return 0;
}

/* The request's Content-Length, or 0. */
static inline size_t server_length(const struct server *s)
{
    const char *at = strcasestr(s->request, "\r\nContent-Length:");

    return at ? strtoul(at + 17, NULL, 10) : 0;
}

/* Read n bytes (into NULL: forget them); how many came. */
static inline size_t server_body(int connection, char *bytes, size_t n)
{
    char chunk[4096];
    size_t done = 0;

    while (done < n) {
        size_t want = bytes || n - done < sizeof(chunk) ? n - done : sizeof(chunk);
        ssize_t got = read(connection, bytes ? bytes + done : chunk, want);
        if (got <= 0)
            break;
        done += (size_t)got;
    }
    return done;
}

static inline void server_send(int connection, const char *text)
{
    size_t n = strlen(text);

    while (n) {
        ssize_t sent = send(connection, text, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return;
        text += sent;
        n -= (size_t)sent;
    }
}

/* Wait until the client closes (or some seconds passed). */
static inline void server_wait_close(int connection)
{
    char byte;
    struct pollfd p = {.fd = connection, .events = POLLIN};

    while (poll(&p, 1, 5000) == 1 && read(connection, &byte, 1) == 1)
        continue;
}

/* End the connection with a reset. */
static inline void server_reset(int connection)
{
    struct linger linger = {.l_onoff = 1};

    (void)setsockopt(connection, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

#endif
