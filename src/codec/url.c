// SPDX-License-Identifier: EUPL-1.2
/* URLs and query strings: see url.h. */
#include "codec/url.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "codec/hex.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_unreserved(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

void url_escape(struct buf *out, const char *bytes, size_t n, enum url_keep keep)
{
    static const char digits[] = "0123456789ABCDEF";
    struct err e;
    int reserved = buf_reserve(out, 3 * n, &e);

    assert(reserved == 0);
    (void)reserved;
    if (n == 0)
        return;
    char *to = out->data + out->length;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (is_unreserved(bytes[i]) || (c == '/' && keep == URL_KEEP_SLASH)) {
            *to++ = bytes[i];
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    *to = '\0';
    out->length = (size_t)(to - out->data);
}

static bool is_escape(const char *text, size_t left)
{
    return left >= 3 && hex_digit(text[1]) >= 0 && hex_digit(text[2]) >= 0;
}

int url_unescape(struct buf *out, const char *text, size_t n, bool plus_is_space, struct err *e)
{
    if (buf_reserve(out, n, e) < 0)
        return -1;
    if (n == 0)
        return 0;
    char *to = out->data + out->length;
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '%') {
            if (!is_escape(text + i, n - i)) {
                out->data[out->length] = '\0';
                return err_set(e, ERR_INVALID,
                               "'%%' at character %zu is not followed by two hexadecimal digits",
                               i + 1);
            }
            *to++ = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
            i += 2;
        } else {
            *to++ = text[i] == '+' && plus_is_space ? ' ' : text[i];
        }
    }
    *to = '\0';
    out->length = (size_t)(to - out->data);
    return 0;
}

void url_release(struct url *url)
{
    free(url->scheme);
    if (url->userinfo)
        explicit_bzero(url->userinfo, strlen(url->userinfo));
    free(url->userinfo);
    free(url->host);
    free(url->path);
    if (url->query)
        explicit_bzero(url->query, strlen(url->query));
    free(url->query);
    *url = (struct url)URL_INIT;
}

static char *lower_copy(const char *text, size_t length)
{
    char *copy = xstrndup(text, length);

    for (char *c = copy; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 'a' - 'A');
    return copy;
}

/* The whole text: nothing that could split a request line, and only well-formed escapes. */
static int check_characters(const char *text, struct err *e)
{
    size_t length = strnlen(text, URL_MAX + 1);

    if (length > URL_MAX)
        return err_set(e, ERR_INVALID, "the URL is longer than %d bytes", URL_MAX);
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c == 0x7f)
            return err_set(e, ERR_INVALID,
                           "the URL holds a space or control character (character %zu): write it "
                           "as %%%02X",
                           i + 1, c);
        if (c == '#')
            return err_set(e, ERR_INVALID,
                           "the URL has a fragment ('#', character %zu): a '#' in a name is "
                           "written as %%23",
                           i + 1);
        if (c == '%' && !is_escape(text + i, length - i))
            return err_set(e, ERR_INVALID,
                           "the URL has a '%%' (character %zu) without two hexadecimal digits",
                           i + 1);
    }
    return 0;
}

static int parse_scheme(const char **at, struct url *url, struct err *e)
{
    size_t length = 0;

    while (is_letter((*at)[length]) ||
           (length > 0 && ((*at)[length] == '+' || (*at)[length] == '-' || (*at)[length] == '.' ||
                           is_digit((*at)[length]))))
        length++;
    if (length == 0 || strncmp(*at + length, "://", 3) != 0)
        return err_set(e, ERR_INVALID, "the URL does not begin with a scheme such as https://");
    url->scheme = lower_copy(*at, length);
    *at += length + 3;
    return 0;
}

static int default_port(const char *scheme)
{
    return strcmp(scheme, "https") == 0 ? 443 : strcmp(scheme, "http") == 0 ? 80 : 0;
}

bool url_port_is_default(const struct url *url)
{
    return url->port == default_port(url->scheme);
}

static int parse_port(const char *text, size_t length, struct url *url, struct err *e)
{
    int port = 0;

    if (length == 0)
        return 0;
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]) || (port = port * 10 + (text[i] - '0')) > 65535)
            return err_set(e, ERR_INVALID, "the URL's port is not a number from 1 to 65535");
    }
    if (port == 0)
        return err_set(e, ERR_INVALID, "the URL's port is not a number from 1 to 65535");
    url->port = port;
    return 0;
}

/* Length of the host at the start of text (length bytes), 0 when there is none. */
static size_t host_length(const char *text, size_t length)
{
    size_t n = 0;

    if (length > 0 && text[0] == '[') {
        for (n = 1; n < length && (hex_digit(text[n]) >= 0 || text[n] == ':' || text[n] == '.');)
            n++;
        return n > 2 && n < length && text[n] == ']' ? n + 1 : 0;
    }
    while (n < length && (is_letter(text[n]) || is_digit(text[n]) || text[n] == '.' ||
                          text[n] == '-' || text[n] == '_'))
        n++;
    return n;
}

/* [userinfo@]host[:port] */
static int parse_authority(const char *text, size_t length, struct url *url, struct err *e)
{
    const char *at = memrchr(text, '@', length);

    if (at) {
        url->userinfo = xstrndup(text, (size_t)(at - text));
        length -= (size_t)(at + 1 - text);
        text = at + 1;
    }
    size_t host = host_length(text, length);
    if (host == 0)
        return err_set(e, ERR_INVALID, "the URL has no valid host");
    if (host > 255)
        return err_set(e, ERR_INVALID, "the URL's host is longer than 255 characters");
    url->host = lower_copy(text, host);
    url->port = default_port(url->scheme);
    if (host == length)
        return 0;
    if (text[host] != ':')
        return err_set(e, ERR_INVALID,
                       "the URL's host is followed by a character that no host name may hold");
    return parse_port(text + host + 1, length - host - 1, url, e);
}

int url_parse(const char *text, struct url *ret, struct err *e)
{
    auto_url struct url url = URL_INIT;

    if (check_characters(text, e) < 0 || parse_scheme(&text, &url, e) < 0)
        return -1;
    size_t authority = strcspn(text, "/?");
    if (parse_authority(text, authority, &url, e) < 0)
        return -1;
    text += authority;
    size_t path = strcspn(text, "?");
    url.path = xstrndup(text, path);
    if (text[path] == '?')
        url.query = xstrdup(text + path + 1);
    *ret = url;
    url = (struct url)URL_INIT;
    return 0;
}

/* Unescape one half of an item into a buf; NUL cannot stand in a string. */
static int unescape_half(struct buf *out, const char *text, size_t length, struct err *e)
{
    buf_reset(out);
    if (url_unescape(out, text, length, true, e) < 0)
        return err_prefix(e, "query string");
    if (memchr(out->data, '\0', out->length))
        return err_set(e, ERR_INVALID, "query string: %%00 is not taken");
    return 0;
}

int query_parse(const char *query, struct pairs *ret, struct err *e)
{
    auto_pairs struct pairs pairs = PAIRS_INIT;
    auto_buf struct buf key = BUF_INIT(URL_MAX);
    auto_buf struct buf value = BUF_INIT(URL_MAX);

    if (query && strnlen(query, URL_MAX + 1) > URL_MAX)
        return err_set(e, ERR_INVALID, "the query string is longer than %d bytes", URL_MAX);
    for (const char *at = query ? query : ""; *at;) {
        size_t length = strcspn(at, "&");
        const char *equals = memchr(at, '=', length);
        size_t key_length = equals ? (size_t)(equals - at) : length;
        size_t value_length = equals ? length - key_length - 1 : 0;

        if (length > 0) {
            if (unescape_half(&key, at, key_length, e) < 0 ||
                unescape_half(&value, equals ? equals + 1 : "", value_length, e) < 0)
                return -1;
            pairs_add(&pairs, key.data, value.data);
        }
        at += length + (at[length] == '&');
    }
    *ret = pairs;
    pairs = (struct pairs)PAIRS_INIT;
    return 0;
}

void query_add(struct buf *out, const char *key, const char *value)
{
    if (out->length > 0 && out->data[out->length - 1] != '?' && out->data[out->length - 1] != '&')
        buf_char(out, '&');
    url_escape(out, key, strlen(key), URL_KEEP_UNRESERVED);
    buf_char(out, '=');
    url_escape(out, value, strlen(value), URL_KEEP_UNRESERVED);
}
