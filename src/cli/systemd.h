// SPDX-License-Identifier: EUPL-1.2
/*
 * What a service manager is told and hands over: readiness and watchdog over NOTIFY_SOCKET
 * (sd_notify(3)), listening sockets by LISTEN_FDS (sd_listen_fds(3)).  Both protocols are a few
 * lines, so that no library is needed; where there is no service manager nothing happens.
 */
#ifndef CLI_SYSTEMD_H
#define CLI_SYSTEMD_H

#include <stdbool.h>
#include <stdint.h>

#include "util/err.h"

/* Whether somebody listens. */
bool systemd_is_there(void);
/* "READY=1", "STOPPING=1\nSTATUS=draining": lines. */
void systemd_notify(const char *lines);
/* How often "WATCHDOG=1" is wanted, nanoseconds: half of what it waits for; 0: not at all. */
int64_t systemd_watchdog(void);

#define SYSTEMD_SOCKETS_MAX 16
struct systemd_socket {
    int fd;
    char name[64]; /* FileDescriptorName=; "" */
};
/* The sockets handed over; how many.  They are told only once. */
size_t systemd_sockets(struct systemd_socket sockets[SYSTEMD_SOCKETS_MAX]);

#endif
