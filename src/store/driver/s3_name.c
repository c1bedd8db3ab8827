// SPDX-License-Identifier: EUPL-1.2
/* Endpoints, URLs and bucket names of the S3 driver: see s3_private.h. */
#include <ctype.h>
#include <string.h>

#include "codec/url.h"
#include "store/driver/s3_private.h"

int s3_endpoint_parse(struct s3 *s, const char *endpoint, struct err *e)
{
    auto_url struct url url = URL_INIT;

    if (url_parse(endpoint, &url, e) < 0)
        return err_prefix(e, "S3 endpoint");
    if (strcmp(url.scheme, "https") != 0 && strcmp(url.scheme, "http") != 0)
        return err_set(e, ERR_INVALID, "S3 endpoint: '%s' is not http or https", url.scheme);
    if (url.userinfo || url.query)
        return err_set(e, ERR_INVALID,
                       "S3 endpoint on '%s': a scheme, a host, a port and a path are all it has",
                       url.host);
    s->scheme = take(url.scheme);
    size_t length = strlen(url.path);
    while (length && url.path[length - 1] == '/')
        length--;
    s->path = xstrndup(url.path, length);
    bool usual = url.port == (strcmp(s->scheme, "https") == 0 ? 443 : 80);
    s->host = usual ? take(url.host) : xasprintf("%s:%d", url.host, url.port);
    return 0;
}

/* One label of a host name that "*.host" on a certificate covers. */
static bool is_host_label(const char *name)
{
    size_t length = strlen(name);

    if (length < 1 || length > 63 || name[0] == '-' || name[length - 1] == '-')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static bool host_is_address(const char *host)
{
    return host[0] == '[' || strspn(host, "0123456789.:") == strlen(host);
}

/* Old buckets may be called things no new one may: only what would change the URL is refused. */
static bool bucket_fits_path(const char *bucket)
{
    size_t length = strlen(bucket);

    if (length < 1 || length > 255 || strcmp(bucket, ".") == 0 || strcmp(bucket, "..") == 0)
        return false;
    for (const char *c = bucket; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-:", *c))
            return false;
    return true;
}

int s3_url(const struct s3 *s, const char *bucket, const char *key, struct buf *url, struct err *e)
{
    bool in_host = bucket && s->virtual_host && is_host_label(bucket) && !host_is_address(s->host);

    if (bucket && !bucket_fits_path(bucket))
        return err_set(e, ERR_NAME, "'%s' is no name for a bucket: map it in the configuration",
                       bucket);
    if (key && strlen(key) > S3_NAME_MAX)
        return err_set(e, ERR_NAME, "an object's name may have %d bytes, this one has %zu",
                       S3_NAME_MAX, strlen(key));
    buf_printf(url, "%s://%s%s%s%s/", s->scheme, in_host ? bucket : "", in_host ? "." : "", s->host,
               s->path);
    if (bucket && !in_host) {
        url_escape(url, bucket, strlen(bucket), URL_KEEP_UNRESERVED);
        if (key)
            buf_char(url, '/');
    }
    if (key)
        url_escape(url, key, strlen(key), URL_KEEP_SLASH);
    return 0;
}

static bool looks_like_ipv4(const char *name)
{
    int dots = 0;

    for (const char *c = name; *c; c++) {
        if (*c == '.')
            dots++;
        else if (!isdigit((unsigned char)*c))
            return false;
    }
    return dots == 3;
}

static const char *common_rule(const char *name)
{
    size_t length = strlen(name);

    if (length < 3 || length > 63)
        return "it must have 3 to 63 characters";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-") != length)
        return "only a-z, 0-9, '-' and '.' may stand in it";
    if (!isalnum((unsigned char)name[0]) || !isalnum((unsigned char)name[length - 1]))
        return "it must begin and end with a letter or digit";
    if (strstr(name, ".."))
        return "'..' may not stand in it";
    if (strstr(name, ".-") || strstr(name, "-."))
        return "'.' and '-' may not stand beside each other";
    if (looks_like_ipv4(name))
        return "it may not look like an IP address";
    if (strncmp(name, "xn--", 4) == 0)
        return "it may not begin with 'xn--'";
    if (length > 8 && strcmp(name + length - 8, "-s3alias") == 0)
        return "it may not end with '-s3alias'";
    return NULL;
}

static const char *provider_rule(const struct provider_s3 *provider, const char *name)
{
    if (strstr(name, "--") && (provider_has_quirk(provider, QUIRK_BUCKET_DOUBLE_HYPHEN) ||
                               provider_has_quirk(provider, QUIRK_BUCKET_PUNCTUATION_RUNS)))
        return "this provider refuses '--'";
    if (strchr(name, '.') && provider_has_quirk(provider, QUIRK_BUCKET_DOTS_REFUSED))
        return "this provider refuses '.'";
    if (strcmp(name, "bucket") == 0 && provider_has_quirk(provider, QUIRK_BUCKET_NAME_BUCKET))
        return "this provider refuses that very word";
    return NULL;
}

int s3_bucket_name_check(const struct provider_s3 *provider, const char *name, struct err *e)
{
    const char *rule = common_rule(name);

    if (!rule)
        rule = provider_rule(provider, name);
    if (!rule)
        return 0;
    return err_set(e, ERR_NAME, "'%s' cannot be a bucket's name: %s; map it in the configuration",
                   name, rule);
}
