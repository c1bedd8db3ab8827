// SPDX-License-Identifier: EUPL-1.2
/* Talking with the service manager: see systemd.h. */
#include "cli/systemd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "util/clock.h"

#define FIRST_FD 3

bool systemd_is_there(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    return path && (*path == '/' || *path == '@');
}

void systemd_notify(const char *lines)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (!systemd_is_there() || strlen(path) >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (*path == '@') /* the abstract namespace */
        address.sun_path[0] = '\0';
    auto_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    if (fd >= 0)
        (void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                     size);
}

/* A positive number from the environment, meant for this process; 0: there is none. */
static int64_t number_for_us(const char *name, const char *pid_name)
{
    const char *text = getenv(name), *pid = getenv(pid_name);

    if (!text || (pid && strtol(pid, NULL, 10) != getpid()))
        return 0;
    int64_t value = strtoll(text, NULL, 10);
    return value > 0 ? value : 0;
}

int64_t systemd_watchdog(void)
{
    int64_t microseconds = number_for_us("WATCHDOG_USEC", "WATCHDOG_PID");

    return microseconds / 2 * 1000;
}

size_t systemd_sockets(struct systemd_socket sockets[SYSTEMD_SOCKETS_MAX])
{
    int64_t count = getenv("LISTEN_PID") ? number_for_us("LISTEN_FDS", "LISTEN_PID") : 0;
    const char *name = getenv("LISTEN_FDNAMES");
    size_t n = 0;

    for (; (int64_t)n < count && n < SYSTEMD_SOCKETS_MAX; n++) {
        size_t length = name ? strcspn(name, ":") : 0;
        sockets[n].fd = FIRST_FD + (int)n;
        (void)fcntl(sockets[n].fd, F_SETFD, FD_CLOEXEC);
        (void)snprintf(sockets[n].name, sizeof(sockets[n].name), "%.*s", (int)length,
                       name ? name : "");
        name = name && name[length] ? name + length + 1 : NULL;
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return n;
}
