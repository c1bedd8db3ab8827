// SPDX-License-Identifier: EUPL-1.2
/* Reading the head of an answer: see head.h. */
#include "http/head.h"

#include <string.h>
#include <strings.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "HTTP/1.1 200 OK": the number, or -1. */
static int status_of(const char *line, size_t n)
{
    const char *at = memchr(line, ' ', n);

    if (!at || n - (size_t)(at - line) < 4)
        return -1;
    int status = 0;
    for (int i = 1; i <= 3; i++) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        status = status * 10 + (at[i] - '0');
    }
    return status >= 100 ? status : -1;
}

static int begin(struct http_head *head, const char *line, size_t n, struct err *e)
{
    int status = status_of(line, n);

    if (status < 0)
        return err_set(e, ERR_REMOTE, "the answer's first line is not one of HTTP");
    pairs_release(&head->into->headers);
    head->into->content_length = HTTP_LENGTH_UNKNOWN;
    head->into->status = status;
    head->done = false;
    return 0;
}

/* A length in digits; the same again is fine, another one is nonsense (RFC 9112 section 6.3). */
static int take_length(struct http_head *head, const char *value, struct err *e)
{
    uint64_t length = 0;

    if (!*value)
        return err_set(e, ERR_REMOTE, "the answer's Content-Length is empty");
    for (const char *at = value; *at; at++) {
        if (*at < '0' || *at > '9' || length > (UINT64_MAX >> 4) / 10)
            return err_set(e, ERR_REMOTE, "the answer's Content-Length is not a number");
        length = length * 10 + (uint64_t)(*at - '0');
    }
    if (head->into->content_length != HTTP_LENGTH_UNKNOWN && head->into->content_length != length)
        return err_set(e, ERR_REMOTE, "the answer names two different Content-Lengths");
    head->into->content_length = length;
    return 0;
}

static int take_header(struct http_head *head, const char *line, size_t n, struct err *e)
{
    const char *colon = memchr(line, ':', n);
    struct pairs *headers = &head->into->headers;

    if (!colon || colon == line || is_blank(*line))
        return err_set(e, ERR_REMOTE, "the answer has a malformed header line");
    const char *value = colon + 1, *end = line + n;
    while (value < end && is_blank(*value))
        value++;
    while (end > value && is_blank(end[-1]))
        end--;
    pairs_add_n(headers, line, (size_t)(colon - line), value, (size_t)(end - value));
    const struct pair *added = &headers->list[headers->count - 1];
    if (strcasecmp(added->key, "Content-Length") == 0)
        return take_length(head, added->value, e);
    return 0;
}

enum http_head_state http_head_line(struct http_head *head, const char *line, size_t n,
                                    struct err *e)
{
    head->bytes += n;
    head->lines++;
    if (head->bytes > HTTP_HEAD_BYTES_MAX || head->lines > HTTP_HEAD_LINES_MAX) {
        (void)err_set(e, ERR_REMOTE, "the answer's head is too large");
        return HTTP_HEAD_BAD;
    }
    bool first = n > 5 && strncmp(line, "HTTP/", 5) == 0;
    if (head->done && !first)
        return HTTP_HEAD_MORE;
    while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
        n--;
    if (n == 0) {
        if (head->into->status < 200)
            return HTTP_HEAD_MORE;
        head->done = true;
        return HTTP_HEAD_DONE;
    }
    if (first)
        return begin(head, line, n, e) < 0 ? HTTP_HEAD_BAD : HTTP_HEAD_MORE;
    return take_header(head, line, n, e) < 0 ? HTTP_HEAD_BAD : HTTP_HEAD_MORE;
}
