// SPDX-License-Identifier: EUPL-1.2
/* The parts of a request's URL: see target.h. */
#include "auth/target.h"

#include <string.h>

int target_of(const char *url, struct target *ret, struct err *e)
{
    bool secure = strncmp(url, "https://", 8) == 0;

    if ((!secure && strncmp(url, "http://", 7) != 0) || strchr(url, '#'))
        return err_set(e, ERR_INVALID, "the URL cannot be signed: it is not http:// or https://");
    const char *host = url + (secure ? 8 : 7);
    size_t n = strcspn(host, "/?");
    if (n == 0 || memchr(host, '@', n))
        return err_set(e, ERR_INVALID, "the URL cannot be signed: its host is malformed");
    const char *path = host + n;
    size_t path_length = strcspn(path, "?");
    const char *own_port = secure ? ":443" : ":80";
    size_t port_length = strlen(own_port);
    if (n > port_length && memcmp(host + n - port_length, own_port, port_length) == 0)
        n -= port_length;
    *ret = (struct target){
        .secure = secure,
        .host = host,
        .host_length = n,
        .path = path,
        .path_length = path_length,
        .query = path[path_length] ? path + path_length + 1 : NULL,
    };
    return 0;
}
