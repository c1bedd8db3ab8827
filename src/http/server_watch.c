// SPDX-License-Identifier: EUPL-1.2
/*
 * The server's connections, and the thread that looks after them: it tells a handler that its
 * client has gone, and ends connections that take too long with a head.  libmicrohttpd's own
 * timeout starts anew with every byte, so that one byte a minute would hold a connection for ever.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "http/server_private.h"
#include "util/clock.h"

#define TICK (250 * CLOCK_MILLISECOND)

static void add(struct connection *c)
{
    struct http_server *server = c->server;

    locked(&server->lock);
    c->waiting_since = clock_monotonic();
    c->next = server->connections;
    if (c->next)
        c->next->previous = c;
    server->connections = c;
    server->connection_count++;
    c->excess = server->connection_count > server->options.connections_max;
}

static void remove_connection(struct connection *c)
{
    struct http_server *server = c->server;

    locked(&server->lock);
    if (c->previous)
        c->previous->next = c->next;
    else
        server->connections = c->next;
    if (c->next)
        c->next->previous = c->previous;
    server->connection_count--;
    if (!server->connections)
        (void)pthread_cond_broadcast(&server->emptied);
}

static void prepare(struct connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);

    c->fd = info ? info->connect_fd : -1;
    info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    server_peer(info ? info->client_addr : NULL, c->peer, sizeof(c->peer), &c->port);
    if (!c->server->options.certificate)
        return;
    info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info)
        gnutls_session_set_ptr(info->tls_session, c->server);
}

void server_watch_notify(void *argument, struct MHD_Connection *mhd, void **context,
                         enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        struct connection *c = xcalloc(1, sizeof(*c));
        c->server = argument;
        c->mhd = mhd;
        (void)pthread_mutex_init(&c->lock, NULL);
        prepare(c);
        add(c);
        *context = c;
    } else if (*context) {
        struct connection *c = *context;
        *context = NULL;
        remove_connection(c);
        (void)pthread_mutex_destroy(&c->lock);
        free(c);
    }
}

void server_watch_enter(struct exchange *x)
{
    struct connection *c = x->connection;

    locked(&c->lock);
    c->waiting_since = 0;
    c->served = true;
    c->exchange = x;
}

void server_watch_leave(struct exchange *x)
{
    struct connection *c = x->connection;

    locked(&c->lock);
    c->waiting_since = clock_monotonic();
    c->exchange = NULL;
    if (c->server->draining)
        (void)shutdown(c->fd, SHUT_RD);
}

void server_watch_drain(struct http_server *server)
{
    locked(&server->lock);
    server->draining = true;
    for (struct connection *c = server->connections; c; c = c->next) {
        locked(&c->lock);
        if (!c->exchange)
            (void)shutdown(c->fd, SHUT_RD);
    }
}

/* Under server->lock, where the descriptor cannot be closed meanwhile. */
static void look_at(struct connection *c, int64_t now)
{
    const struct http_server_options *options = &c->server->options;
    int64_t patience = options->head_timeout;

    locked(&c->lock);
    if (c->exchange && now - c->exchange->began >= TICK) {
        struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
        if (poll(&p, 1, 0) == 1 && p.revents & (POLLRDHUP | POLLHUP | POLLERR))
            cancel_raise(&c->exchange->cancel);
        return;
    }
    if (c->served)
        patience += options->idle_timeout;
    if (c->waiting_since && now - c->waiting_since > patience)
        (void)shutdown(c->fd, SHUT_RDWR);
}

static void *watch(void *argument)
{
    struct http_server *server = argument;

    locked(&server->lock);
    while (!server->stopping) {
        int64_t until = clock_monotonic() + TICK;
        struct timespec at = {.tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND};
        while (!server->stopping && clock_monotonic() < until)
            (void)pthread_cond_clockwait(&server->stop, &server->lock, CLOCK_MONOTONIC, &at);
        int64_t now = clock_monotonic();
        for (struct connection *c = server->connections; c; c = c->next)
            look_at(c, now);
    }
    return NULL;
}

int server_watch_start(struct http_server *server, struct err *e)
{
    int failed = pthread_create(&server->watcher, NULL, watch, server);

    if (failed)
        return err_errno(e, failed, "start a thread");
    server->watched = true;
    return 0;
}

void server_watch_stop(struct http_server *server)
{
    if (!server->watched)
        return;
    lock_take(&server->lock);
    server->stopping = true;
    (void)pthread_cond_broadcast(&server->stop);
    (void)pthread_mutex_unlock(&server->lock);
    (void)pthread_join(server->watcher, NULL);
    server->watched = false;
}
