// SPDX-License-Identifier: EUPL-1.2
/* The server below both ends of a benchmark: see null.h. */
#include "null.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crc.h"

#define THREADS 2U
/* What a connection may hold: it is also how much of a body the handler gets at once. */
#define CONNECTION_BYTES ((size_t)256 * 1024)
#define CONNECTIONS_MAX  1000U

int null_serve(int port, MHD_AccessHandlerCallback handler, MHD_RequestCompletedCallback completed)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    sigset_t signals;
    int caught;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TURBO, (uint16_t)port, NULL, NULL, handler, NULL,
        MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_THREAD_POOL_SIZE, THREADS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_CONNECTION_LIMIT,
        CONNECTIONS_MAX, MHD_OPTION_NOTIFY_COMPLETED, completed, NULL, MHD_OPTION_END);
    if (!daemon) {
        (void)fprintf(stderr, "listen on 127.0.0.1:%d: %m\n", port);
        return 1;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    (void)printf("ready %d\n", info ? info->port : port);
    (void)fflush(stdout);
    (void)sigwait(&signals, &caught);
    MHD_stop_daemon(daemon);
    return 0;
}

struct MHD_Response *null_response(struct buf *body, const char *content_type)
{
    struct MHD_Response *r;

    if (body && body->length) {
        r = MHD_create_response_from_buffer(body->length, body->data, MHD_RESPMEM_MUST_FREE);
        *body = (struct buf)BUF_INIT(body->limit);
    } else {
        r = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    if (!r)
        abort();
    if (content_type)
        null_header(r, "Content-Type", "%s", content_type);
    return r;
}

void null_header(struct MHD_Response *r, const char *name, const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    (void)MHD_add_response_header(r, name, text);
}

enum MHD_Result null_answer(struct MHD_Connection *c, unsigned status, struct MHD_Response *r)
{
    enum MHD_Result queued = MHD_queue_response(c, status, r);

    MHD_destroy_response(r);
    return queued;
}

const char *null_request_header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* "?uploads" has no value: that is another thing than no argument. */
const char *null_argument(struct MHD_Connection *c, const char *name)
{
    const char *value = NULL;
    size_t size;

    if (MHD_lookup_connection_value_n(c, MHD_GET_ARGUMENT_KIND, name, strlen(name), &value,
                                      &size) != MHD_YES)
        return NULL;
    return value ? value : "";
}

const char *null_split(const char *path, char *first, size_t size)
{
    const char *at = *path == '/' ? path + 1 : path;
    size_t n = strcspn(at, "/");

    (void)snprintf(first, size, "%.*s", (int)n, at);
    return at[n] ? at + n + 1 : at + n;
}

void null_summary_add(struct null_summary *s, const char *name, uint64_t size, uint64_t crc)
{
    uint64_t numbers[2] = {size, crc};
    uint64_t mark = crc64_nvme(crc64_nvme(0, name, strlen(name)), numbers, sizeof(numbers));

    s->objects++;
    s->bytes += size;
    s->sum += mark * UINT64_C(0x9e3779b97f4a7c15);
}

enum MHD_Result null_summary_answer(struct MHD_Connection *c, const struct null_summary *s)
{
    auto_buf struct buf text = BUF_INIT(256);

    buf_printf(&text, "{\"objects\": %llu, \"bytes\": %llu, \"sum\": \"%016llx\"}\n", s->objects,
               s->bytes, s->sum);
    return null_answer(c, MHD_HTTP_OK, null_response(&text, "application/json"));
}
