// SPDX-License-Identifier: EUPL-1.2
/* Addresses and listening sockets of the HTTP server: see server_private.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "http/server_private.h"

#define BACKLOG 512

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
    struct sockaddr_storage room;
};

static int local_of(int fd, union address *ret)
{
    socklen_t size = sizeof(*ret);

    memset(ret, 0, sizeof(*ret));
    return getsockname(fd, &ret->any, &size);
}

int server_listen_port(int fd)
{
    union address a;

    if (local_of(fd, &a) < 0)
        return 0;
    if (a.any.sa_family == AF_INET)
        return ntohs(a.v4.sin_port);
    return a.any.sa_family == AF_INET6 ? ntohs(a.v6.sin6_port) : 0;
}

bool server_listen_is_local(int fd)
{
    union address a;

    if (local_of(fd, &a) < 0)
        return false;
    if (a.any.sa_family == AF_INET)
        return ntohl(a.v4.sin_addr.s_addr) >> 24 == 127;
    if (a.any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr);
    return a.any.sa_family == AF_UNIX;
}

void server_peer(const struct sockaddr *address, char *text, size_t size, int *ret_port)
{
    const union address *a = (const void *)address;
    const char *done = NULL;
    int port = 0;

    if (!a || a->any.sa_family == AF_UNIX) {
        (void)snprintf(text, size, "unix");
        *ret_port = 0;
        return;
    }
    if (a->any.sa_family == AF_INET) {
        port = ntohs(a->v4.sin_port);
        done = inet_ntop(AF_INET, &a->v4.sin_addr, text, (socklen_t)size);
    } else if (a->any.sa_family == AF_INET6) {
        const struct in6_addr *v6 = &a->v6.sin6_addr;
        port = ntohs(a->v6.sin6_port);
        done = IN6_IS_ADDR_V4MAPPED(v6)
                   ? inet_ntop(AF_INET, v6->s6_addr + 12, text, (socklen_t)size)
                   : inet_ntop(AF_INET6, v6, text, (socklen_t)size);
    }
    if (!done)
        (void)snprintf(text, size, "%s", "");
    *ret_port = port;
}

/* A path somebody still listens on must not be taken away from him. */
static bool is_alive(const union address *a)
{
    auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && connect(fd, &a->any, sizeof(a->local)) == 0;
}

static int listen_unix(const char *path, int *ret_fd, char **ret_unix_path, struct err *e)
{
    union address a;

    memset(&a, 0, sizeof(a));
    if (!*path || strlen(path) >= sizeof(a.local.sun_path))
        return err_set(e, ERR_INVALID, "listen on 'unix:%s': the path must have 1 to %zu bytes",
                       path, sizeof(a.local.sun_path) - 1);
    a.local.sun_family = AF_UNIX;
    memcpy(a.local.sun_path, path, strlen(path));
    auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(e, errno, "make a socket for 'unix:%s'", path);
    int failed = bind(fd, &a.any, sizeof(a.local));
    if (failed < 0 && errno == EADDRINUSE && !is_alive(&a)) {
        (void)unlink(path);
        failed = bind(fd, &a.any, sizeof(a.local));
    }
    if (failed < 0 || listen(fd, BACKLOG) < 0)
        return err_errno(e, errno, "listen on 'unix:%s'", path);
    *ret_fd = fd;
    fd = -1;
    *ret_unix_path = xstrdup(path);
    return 0;
}

/* "[::1]:80", "127.0.0.1:80", "*:80", "name:80" */
static int split(const char *text, char **ret_host, char **ret_port, struct err *e)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t length = colon ? (size_t)(colon - text) : 0;

    if (!colon || !colon[1] || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
        strlen(colon + 1) > 5 || strtoul(colon + 1, NULL, 10) > 65535)
        return err_set(e, ERR_INVALID,
                       "listen on '%s': want ADDRESS:PORT, as 127.0.0.1:10000 or [::1]:10000, or "
                       "unix:/path",
                       text);
    if (length >= 2 && host[0] == '[' && host[length - 1] == ']') {
        host++;
        length -= 2;
    } else if (memchr(host, ':', length)) {
        return err_set(e, ERR_INVALID,
                       "listen on '%s': an IPv6 address stands in brackets, as [::1]:10000", text);
    }
    bool any = length == 0 || (length == 1 && *host == '*');
    *ret_host = any ? NULL : xstrndup(host, length);
    *ret_port = xstrdup(colon + 1);
    return 0;
}

static int listen_on(const struct addrinfo *at, const char *text, int *ret_fd, struct err *e)
{
    int on = 1;
    int off = 0;
    auto_close int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_errno(e, errno, "make a socket for '%s'", text);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (at->ai_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0)
        return err_errno(e, errno, "listen on '%s'", text);
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int server_listen(const struct http_server_options *options, int *ret_fd, char **ret_unix_path,
                  struct err *e)
{
    struct addrinfo want = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    auto_free char *host = NULL;
    auto_free char *port = NULL;
    struct addrinfo *found = NULL;

    if (options->fd > 0) {
        *ret_fd = options->fd;
        return 0;
    }
    if (!options->listen)
        return err_set(e, ERR_INVALID, "listen: no address given");
    if (strncmp(options->listen, "unix:", 5) == 0)
        return listen_unix(options->listen + 5, ret_fd, ret_unix_path, e);
    if (split(options->listen, &host, &port, e) < 0)
        return -1;
    /* For "any", IPv6 takes IPv4 along; where the kernel has no IPv6, IPv4 alone. */
    int failed =
        host ? getaddrinfo(host, port, &want, &found) : getaddrinfo("::", port, &want, &found);
    if (failed)
        return err_set(e, ERR_INVALID, "listen on '%s': %s", options->listen, gai_strerror(failed));
    int result = listen_on(found, options->listen, ret_fd, e);
    freeaddrinfo(found);
    if (result < 0 && !host && getaddrinfo("0.0.0.0", port, &want, &found) == 0) {
        result = listen_on(found, options->listen, ret_fd, e);
        freeaddrinfo(found);
    }
    return result;
}
