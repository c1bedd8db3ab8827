// SPDX-License-Identifier: EUPL-1.2
/*
 * Who really asks, when a proxy stands in between: Forwarded (RFC 7239), else X-Forwarded-For and
 * X-Forwarded-Proto.  Anybody can write such headers, so they count only as far as each hop that
 * wrote them is named in a list of networks.
 *
 * The chain is read from the right, where the nearest proxy wrote: as long as an address is itself
 * a named proxy, the one before it counts; the first that is not is the client.  What cannot be
 * read
 * ("unknown", "_hidden", nonsense) ends the walk at the last address that could.
 */
#ifndef HTTP_FORWARDED_H
#define HTTP_FORWARDED_H

#include <stdbool.h>

#include "util/err.h"
#include "util/pairs.h"

#define ADDRESS_TEXT 64

/* Networks, IPv4 as ::ffff:a.b.c.d.  One thread changes it, then many may read. */
struct network {
    unsigned char address[16];
    unsigned bits;
};
struct networks {
    struct network *list;
    size_t count;
    bool unix_too; /* the peers of a Unix socket are named as well */
};
#define NETWORKS_INIT \
    {                 \
        0             \
    }
#define auto_networks cleanup(networks_release)

/* "10.0.0.0/8", "2001:db8::/32", a single address, or "unix".  ERR_INVALID when it is none of these
 * or has bits set beyond its length. */
must_check int networks_add(struct networks *n, const char *text, struct err *e);
void networks_release(struct networks *n);
/* Whether an address (as text, without port) lies in one of them; false for what is no address. */
bool networks_contain(const struct networks *n, const char *address);

struct forwarded {
    char client[ADDRESS_TEXT]; /* the address, in its usual form */
    bool secure;               /* the client spoke TLS to whom it reached first */
};

/* From the connection's own peer and whether it came over TLS, and the request's headers.  Takes
 * any headers. */
void forwarded_find(const struct networks *proxies, const char *peer, bool secure,
                    const struct pairs *headers, struct forwarded *ret);

#endif
