// SPDX-License-Identifier: EUPL-1.2
/*
 * Which addresses belong to the public Internet.  A server that fetches what its clients name must
 * not be led to its own machine, its neighbours, or its cloud's metadata service.
 */
#ifndef HTTP_PUBLIC_H
#define HTTP_PUBLIC_H

#include <stdbool.h>
#include <sys/socket.h>

/* False for loopback, private, link-local, shared (RFC 6598), documentation, benchmark, multicast,
 * reserved and unspecified addresses (RFC 6890), for IPv6 addresses that carry such an IPv4 address
 * (mapped, NAT64, 6to4), and for families other than these two. */
bool http_address_is_public(const struct sockaddr *address);

#endif
