// SPDX-License-Identifier: EUPL-1.2
/*
 * URLs (RFC 3986): escaping, taking apart, query strings.
 *
 * A URL may carry a signature (SAS) in its query or a password before its host, so no error text
 * quotes one.
 */
#ifndef CODEC_URL_H
#define CODEC_URL_H

#include <stdbool.h>

#include "util/buf.h"
#include "util/pairs.h"

/* Longer URLs and query strings are refused. */
#define URL_MAX (64 * 1024)

enum url_keep {
    URL_KEEP_UNRESERVED, /* only A-Z a-z 0-9 - . _ ~ stay as they are: what SigV4 wants */
    URL_KEEP_SLASH,      /* and '/': for the path of an object's name                   */
};

/* Append the bytes, all but those kept as %XX with upper-case digits.  out has room for 3 n. */
void url_escape(struct buf *out, const char *bytes, size_t n, enum url_keep keep);

/* Append the text with its %XX undone.  ERR_INVALID for a '%' without two digits, or when out is
 * full; out is then unchanged.  The result may hold any byte, NUL included. */
must_check int url_unescape(struct buf *out, const char *text, size_t n, bool plus_is_space,
                            struct err *e);

/* The parts of an absolute URL with a host.  All strings are owned by the url. */
struct url {
    char *scheme;   /* lower case: "https"                                                       */
    char *userinfo; /* what stands before '@', still escaped; NULL where nothing does            */
    char *host;     /* lower case; an IPv6 address keeps its brackets, as in a Host header       */
    int port;       /* as written, else 80 for http and 443 for https, else 0                    */
    char *path;     /* raw, still escaped: "" or beginning with '/'                              */
    char *query;    /* raw, still escaped, without the '?'; NULL where there is none             */
};
#define URL_INIT \
    {            \
        0        \
    }
#define auto_url cleanup(url_release)

/* Take a URL apart.  ERR_INVALID when it has no scheme or host, holds spaces or control characters,
 * a malformed %XX, a fragment ("#..."), or is longer than URL_MAX. */
must_check int url_parse(const char *text, struct url *ret, struct err *e);
void url_release(struct url *url);

/* Whether the port is the one its scheme means without saying so (a Host header leaves it out). */
bool url_port_is_default(const struct url *url);

/* A query string ("a=1&b=x%20y&c") as decoded pairs in their order; '+' is a space, a key without
 * '=' has the value "", empty items are left out.  NULL counts as empty.  ERR_INVALID for a
 * malformed %XX, %00, or more than URL_MAX bytes. */
must_check int query_parse(const char *query, struct pairs *ret, struct err *e);

/* Append "key=value" with everything but unreserved characters escaped, after an '&' unless out is
 * empty or ends with '?' or '&'. */
void query_add(struct buf *out, const char *key, const char *value);

#endif
