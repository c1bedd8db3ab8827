// SPDX-License-Identifier: EUPL-1.2
/* A gateway's listeners: sockets of its own or handed over, and their end.  See gateway.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/gateway.h"
#include "util/log.h"

/* Whoever asks for metrics does so once in a while. */
#define STATUS_CONNECTIONS 16
#define LOOK_EVERY         (50 * CLOCK_MILLISECOND)

struct http_server_options gateway_door_options(struct gateway *g, const char *address, bool plain)
{
    const struct serve_config *s = &g->serve;

    return (struct http_server_options){
        .listen = address,
        .begin = azblob_begin,
        .handle = azblob_handle,
        .finished = azblob_finished,
        .argument = g->door,
        .certificate = plain ? NULL : s->certificate,
        .key = plain ? NULL : s->key,
        .allow_plain = s->allow_plain,
        .connections_max = s->limits.connections,
        .connections_per_address = s->limits.connections_per_address,
        .head_bytes_max = s->limits.head_bytes,
        .idle_timeout = s->limits.idle_timeout,
        .head_timeout = s->limits.head_timeout,
        .stall_timeout = s->limits.stall_timeout,
    };
}

static struct http_server_options status_options(struct gateway *g, const char *address)
{
    return (struct http_server_options){.listen = address,
                                        .handle = gateway_status,
                                        .argument = g,
                                        .allow_plain = true,
                                        .connections_max = STATUS_CONNECTIONS};
}

static int start(struct gateway *g, const struct http_server_options *options, struct err *e)
{
    if (http_server_start(options, &g->servers[g->server_count], e) < 0)
        return -1;
    g->server_count++;
    return 0;
}

/* Sockets of the service manager: "metrics" is the status listener, "plain..." has no TLS. */
static int take_sockets(struct gateway *g, const struct systemd_socket *sockets, size_t count,
                        struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        const struct systemd_socket *s = &sockets[i];
        auto_free char *name = xasprintf("socket %s of the service manager", s->name);
        bool is_status = strcmp(s->name, "metrics") == 0;
        struct http_server_options options =
            is_status ? status_options(g, name)
                      : gateway_door_options(g, name, strncmp(s->name, "plain", 5) == 0);
        options.fd = s->fd;
        if (is_status && g->status)
            return err_set(e, ERR_INVALID, "two sockets are named 'metrics'");
        if ((is_status ? http_server_start(&options, &g->status, e) : start(g, &options, e)) < 0)
            return -1;
    }
    return 0;
}

int gateway_listen(struct gateway *g, struct err *e)
{
    const struct serve_config *s = &g->serve;
    struct systemd_socket sockets[SYSTEMD_SOCKETS_MAX];
    size_t count = systemd_sockets(sockets);

    g->servers =
        xcalloc(s->listen_count + s->s3_listen_count + count, sizeof(struct http_server *));
    if (take_sockets(g, sockets, count, e) < 0)
        return -1;
    if (!g->status && s->metrics) {
        const struct http_server_options options = status_options(g, s->metrics);
        if (http_server_start(&options, &g->status, e) < 0)
            return -1;
    }
    /* Sockets that were handed over take the place of the addresses. */
    for (size_t i = 0; g->server_count < s->listen_count && i < s->listen_count; i++) {
        const struct serve_listen *l = &s->listen[i];
        const struct http_server_options options = gateway_door_options(g, l->address, l->plain);
        if (count > (g->status && !s->metrics ? 1U : 0U))
            break;
        if (start(g, &options, e) < 0)
            return -1;
    }
    return gateway_listen_s3(g, e);
}

unsigned gateway_connections(struct gateway *g)
{
    unsigned sum = 0;

    for (size_t i = 0; i < g->server_count; i++)
        sum += http_server_connections(g->servers[i]);
    return sum;
}

bool gateway_drain(struct gateway *g, int64_t time, const struct cancel *stop)
{
    struct call call = {.deadline = clock_monotonic() + time, .cancel = stop};

    atomic_store(&g->draining, true);
    for (size_t i = 0; i < g->server_count; i++)
        http_server_quiesce(g->servers[i]);
    while (gateway_connections(g))
        if (call_sleep(&call, LOOK_EVERY) < 0) {
            log_line(LOG_WARNING, "%u connections are cut: %s", gateway_connections(g),
                     call.err.text);
            return false;
        }
    return true;
}

void gateway_close_listeners(struct gateway *g)
{
    for (size_t i = 0; i < g->server_count; i++)
        http_server_free(g->servers[i]);
    g->server_count = 0;
    free(take(g->servers));
    http_server_free(take(g->status));
}
