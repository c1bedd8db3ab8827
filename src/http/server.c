// SPDX-License-Identifier: EUPL-1.2
/* Start, drain and end of the HTTP server: see server.h. */
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/server_private.h"
#include "util/clock.h"
#include "util/log.h"

#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"
/* Beyond connections_max some more are let in, to be told so. */
#define EXCESS 32
/* How long handlers get to notice that they are cancelled before the server is cut. */
#define NOTICE (5 * CLOCK_SECOND)

static void printf_like(2, 0) log_of_library(void *argument, const char *format, va_list arguments)
{
    char text[500];

    (void)argument;
    (void)vsnprintf(text, sizeof(text), format, arguments);
    text[strcspn(text, "\r\n")] = '\0';
    log_line(LOG_DEBUG, "http server: %s", text);
}

static void panic_of_library(void *argument, const char *file, unsigned line, const char *reason)
{
    (void)argument;
    log_line(LOG_ERROR, "http server: libmicrohttpd gave up at %s:%u: %s", file, line,
             reason ? reason : "no reason given");
    abort();
}

/* Paths and queries reach us as they were sent. */
static size_t leave_escaped(void *argument, struct MHD_Connection *mhd, char *text)
{
    (void)argument;
    (void)mhd;
    return strlen(text);
}

static void fill_in(struct http_server_options *into, const struct http_server_options *from)
{
    *into = *from;
    into->listen = xstrdup_null(from->listen);
    into->certificate = xstrdup_null(from->certificate);
    into->key = xstrdup_null(from->key);
    if (!into->connections_max)
        into->connections_max = 256;
    if (!into->head_bytes_max)
        into->head_bytes_max = (size_t)24 * 1024;
    if (into->memory_per_connection < 3 * into->head_bytes_max)
        into->memory_per_connection = 3 * into->head_bytes_max;
    if (!into->idle_timeout)
        into->idle_timeout = 60 * CLOCK_SECOND;
    if (!into->head_timeout)
        into->head_timeout = 30 * CLOCK_SECOND;
    if (!into->stall_timeout)
        into->stall_timeout = 60 * CLOCK_SECOND;
}

static int start_daemon(struct http_server *server, struct err *e)
{
    const struct http_server_options *o = &server->options;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)server_tls_choose},
        {MHD_OPTION_END, 0, NULL},
    };

    if (o->certificate)
        flags |= MHD_USE_TLS;
    else
        tls[0].option = MHD_OPTION_END;
    errno = 0;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, server_exchange_go, server, MHD_OPTION_EXTERNAL_LOGGER,
        log_of_library, server, MHD_OPTION_LISTEN_SOCKET, server->listener,
        MHD_OPTION_NOTIFY_CONNECTION, server_watch_notify, server, MHD_OPTION_NOTIFY_COMPLETED,
        server_exchange_done, server, MHD_OPTION_URI_LOG_CALLBACK, server_exchange_new, server,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, server, MHD_OPTION_CONNECTION_LIMIT,
        o->connections_max + EXCESS, MHD_OPTION_PER_IP_CONNECTION_LIMIT, o->connections_per_address,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->memory_per_connection, MHD_OPTION_CONNECTION_TIMEOUT,
        server_seconds(o->stall_timeout), MHD_OPTION_THREAD_STACK_SIZE, THREAD_STACK,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (!server->daemon)
        return err_errno(e, errno ? errno : ENOMEM, "start the HTTP server on '%s'", o->listen);
    return 0;
}

/* Threads inherit who gets signals: the program's main thread does, not ours. */
static int start_threads(struct http_server *server, struct err *e)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = server_watch_start(server, e);
    if (!failed)
        failed = start_daemon(server, e);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed;
}

static int check_plain(const struct http_server *server, struct err *e)
{
    const struct http_server_options *o = &server->options;

    if (!o->certificate != !o->key)
        return err_set(e, ERR_INVALID, "serve on '%s': certificate and key are needed both",
                       o->listen);
    if (o->certificate || o->allow_plain || server_listen_is_local(server->listener))
        return 0;
    return err_set(e, ERR_INVALID,
                   "serve on '%s': this address can be reached from other machines, and without "
                   "TLS; give a certificate and its key, or allow plain HTTP",
                   o->listen);
}

static void http_server_free_p(struct http_server **server)
{
    http_server_free(*server);
}

int http_server_start(const struct http_server_options *options, struct http_server **ret,
                      struct err *e)
{
    cleanup(http_server_free_p) struct http_server *server = xcalloc(1, sizeof(*server));

    assert(options->handle);
    server->listener = -1;
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_cond_init(&server->emptied, NULL);
    (void)pthread_cond_init(&server->stop, NULL);
    (void)pthread_mutex_init(&server->certificate_lock, NULL);
    fill_in(&server->options, options);
    if (!server->options.listen)
        server->options.listen = xstrdup("the socket handed over");
    MHD_set_panic_func(panic_of_library, NULL);
    if (server_listen(options, &server->listener, &server->unix_path, e) < 0 ||
        check_plain(server, e) < 0)
        return -1;
    if (server->options.certificate && server_tls_load(server, e) < 0)
        return err_prefix(e, "serve on '%s'", server->options.listen);
    server->port = server_listen_port(server->listener);
    if (start_threads(server, e) < 0)
        return -1;
    *ret = take(server);
    return 0;
}

int http_server_port(const struct http_server *server)
{
    return server->port;
}

int http_server_reload(struct http_server *server, struct err *e)
{
    return server->options.certificate ? server_tls_load(server, e) : 0;
}

/* Wait until there are no connections, or this time has come. */
static void wait_empty(struct http_server *server, int64_t until)
{
    struct timespec at = {.tv_sec = until / CLOCK_SECOND, .tv_nsec = until % CLOCK_SECOND};

    locked(&server->lock);
    while (server->connections && clock_monotonic() < until)
        (void)pthread_cond_clockwait(&server->emptied, &server->lock, CLOCK_MONOTONIC, &at);
}

unsigned http_server_connections(struct http_server *server)
{
    locked(&server->lock);
    return server->connection_count;
}

void http_server_quiesce(struct http_server *server)
{
    if (server->listener < 0)
        return;
    MHD_socket listener = MHD_quiesce_daemon(server->daemon);

    server_watch_drain(server);
    if (listener != MHD_INVALID_SOCKET)
        (void)close(listener);
    server->listener = -1;
}

void http_server_drain(struct http_server *server, int64_t deadline)
{
    http_server_quiesce(server);
    wait_empty(server, deadline);
    cancel_raise(&server->cancel);
    wait_empty(server, clock_monotonic() + NOTICE);
}

void http_server_free(struct http_server *server)
{
    if (!server)
        return;
    cancel_raise(&server->cancel);
    if (server->daemon)
        MHD_stop_daemon(server->daemon);
    else if (server->listener >= 0)
        (void)close(server->listener);
    server_watch_stop(server);
    if (server->unix_path)
        (void)unlink(server->unix_path);
    server_tls_free(server);
    free((void *)(uintptr_t)server->options.listen);
    free((void *)(uintptr_t)server->options.certificate);
    free((void *)(uintptr_t)server->options.key);
    free(server->unix_path);
    (void)pthread_mutex_destroy(&server->lock);
    (void)pthread_cond_destroy(&server->emptied);
    (void)pthread_cond_destroy(&server->stop);
    (void)pthread_mutex_destroy(&server->certificate_lock);
    free(server);
}
