// SPDX-License-Identifier: EUPL-1.2
/*
 * Answers in the middle of a body.  libmicrohttpd takes an answer before the body or after it; a
 * client that still has gigabytes to send when the disk is full should not have to send them first.
 * The connection's thread is ours at that moment and nothing but a "100 Continue" has been sent, so
 * the answer is written to the socket (or the TLS session) directly, and the connection ends.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "codec/date.h"
#include "http/server_private.h"

#define HEAD_MAX ((size_t)128 * 1024)
/* How long an answer may take, and how long a client may go on sending after it. */
#define ANSWER_TIME (10 * CLOCK_SECOND)
#define LINGER_TIME (2 * CLOCK_SECOND)

static gnutls_session_t session_of(const struct connection *c)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info ? info->tls_session : NULL;
}

/* Bytes sent, 0 when it has to wait, -1 when the connection is gone. */
static ssize_t send_some(const struct connection *c, gnutls_session_t session, const char *bytes,
                         size_t n)
{
    if (session) {
        ssize_t sent = gnutls_record_send(session, bytes, n);
        return sent == GNUTLS_E_AGAIN || sent == GNUTLS_E_INTERRUPTED ? 0 : sent;
    }
    ssize_t sent = send(c->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static int wait_for(int fd, short events, int64_t until)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = until - clock_monotonic();

    return left > 0 ? poll(&p, 1, (int)(left / CLOCK_MILLISECOND) + 1) : 0;
}

static int send_all(const struct connection *c, const char *bytes, size_t n)
{
    int64_t until = clock_monotonic() + ANSWER_TIME;
    gnutls_session_t session = session_of(c);

    while (n) {
        ssize_t sent = send_some(c, session, bytes, n);
        if (sent < 0 || (sent == 0 && wait_for(c->fd, POLLOUT, until) <= 0))
            return -1;
        bytes += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static enum MHD_Result write_header(void *argument, enum MHD_ValueKind kind, const char *name,
                                    const char *value)
{
    struct buf *head = argument;

    (void)kind;
    if (head->length + strlen(name) + strlen(value) + 4 > HEAD_MAX - 1024)
        return MHD_NO;
    buf_printf(head, "%s: %s\r\n", name, value);
    return MHD_YES;
}

int server_early_answer(struct exchange *x)
{
    auto_buf struct buf head = BUF_INIT(HEAD_MAX);
    char date[DATE_TEXT];
    size_t length = x->text ? (size_t)x->length : 0;

    /* What comes from a file or is still being made cannot go this way. */
    if (length != x->length)
        return -1;
    date_rfc1123(date, clock_wall());
    buf_printf(&head, "HTTP/1.1 %d %s\r\nDate: %s\r\n", x->status,
               MHD_get_reason_phrase_for((unsigned)x->status), date);
    (void)MHD_get_response_headers(x->response, write_header, &head);
    buf_printf(&head, "Connection: close\r\nContent-Length: %zu\r\n\r\n", length);
    if (send_all(x->connection, head.data, head.length) < 0 ||
        send_all(x->connection, x->text, length) < 0)
        return -1;
    x->lingers = true;
    return 0;
}

void server_early_linger(struct exchange *x)
{
    int64_t until = clock_monotonic() + LINGER_TIME;
    gnutls_session_t session = session_of(x->connection);
    int fd = x->connection->fd;
    char dropped[16 * 1024];

    if (session)
        (void)gnutls_bye(session, GNUTLS_SHUT_WR);
    (void)shutdown(fd, SHUT_WR);
    while (wait_for(fd, POLLIN, until) > 0 && !cancel_is_raised(&x->server->cancel)) {
        ssize_t got = recv(fd, dropped, sizeof(dropped), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            return;
    }
}
