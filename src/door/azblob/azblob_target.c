// SPDX-License-Identifier: EUPL-1.2
/* Which account, container and blob a request names: see azblob_private.h. */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "door/azblob/azblob_private.h"

#define SECONDARY "-secondary"

void azblob_target_release(struct azblob_target *t)
{
    free(t->account);
    free(t->container);
    free(t->blob);
    pairs_release(&t->query);
    *t = (struct azblob_target){0};
}

/* The host without its port: its length. */
static size_t host_length(const char *host)
{
    if (host[0] == '[')
        return strcspn(host, "]") + 1;
    return strcspn(host, ":");
}

/* How many bytes stand before ".<middle>.<domain>" (middle may be in the host's words, such as
 * "z6.web"); 0 when the host does not end so. */
static size_t before_suffix(const char *host, size_t n, const char *middle, const char *domain)
{
    auto_free char *suffix = xasprintf(".%s.%s", middle, domain);
    size_t length = strlen(suffix);

    if (n <= length || strncasecmp(host + n - length, suffix, length) != 0)
        return 0;
    return n - length;
}

/* "account.blob.domain", "account.web.domain", "account.z6.web.domain". */
static bool take_host(const struct azblob *door, const char *host, struct azblob_target *t)
{
    size_t n = host_length(host);

    for (size_t i = 0; i < door->options.domain_count; i++) {
        const char *domain = door->options.domains[i];
        size_t label = before_suffix(host, n, "blob", domain);
        if (!label) {
            label = before_suffix(host, n, "web", domain);
            if (label)
                t->which = AZBLOB_WEB;
        }
        if (!label)
            continue;
        size_t first = strcspn(host, ".");
        /* One label more is the zone of a website ("z6"), and nothing else. */
        if (first != label && (t->which != AZBLOB_WEB || host[first + 1] != 'z' ||
                               memchr(host + first + 1, '.', label - first - 1)))
            continue;
        t->account = xstrndup(host, first);
        return true;
    }
    t->which = AZBLOB_SERVICE;
    return false;
}

static int decode(const char *text, size_t n, char **ret, struct err *e)
{
    auto_buf struct buf out = BUF_INIT(URL_MAX);

    if (url_unescape(&out, text, n, false, e) < 0)
        return -1;
    if (strlen(out.data) != out.length)
        return err_set(e, ERR_INVALID, "a zero byte in the path");
    *ret = buf_take(&out);
    return 0;
}

/* Off with "-secondary", and lower case: DNS does not tell. */
static void take_account(struct azblob_target *t)
{
    size_t n = strlen(t->account), tail = strlen(SECONDARY);

    if (n > tail && strcmp(t->account + n - tail, SECONDARY) == 0) {
        t->account[n - tail] = '\0';
        t->secondary = true;
    }
    if (!t->path_style)
        for (char *c = t->account; *c; c++)
            if (*c >= 'A' && *c <= 'Z')
                *c = (char)(*c - 'A' + 'a');
}

/* One segment alone is a container only where the query says so; else a blob of $root. */
static bool names_container(const struct azblob_target *t)
{
    const char *restype = pairs_get_nocase(&t->query, "restype");

    return restype &&
           (strcasecmp(restype, "container") == 0 || strcasecmp(restype, "account") == 0);
}

static int take_names(const char *path, struct azblob_target *t, struct err *e)
{
    size_t first = strcspn(path, "/");
    auto_free char *container = NULL, *blob = NULL;

    if (!*path)
        return 0;
    if (decode(path, first, &container, e) < 0)
        return -1;
    if (path[first] && path[first + 1] &&
        decode(path + first + 1, strlen(path + first + 1), &blob, e) < 0)
        return -1;
    if (!blob && !path[first] && !names_container(t)) {
        blob = take(container);
        container = xstrdup("$root");
    }
    for (char *c = blob; c && *c; c++)
        if (*c == '\\')
            *c = '/';
    t->which = blob ? AZBLOB_BLOB : AZBLOB_CONTAINER;
    t->container = take(container);
    t->blob = take(blob);
    return 0;
}

/* All of the path is the name: the index document is looked for later. */
static int take_web(const char *path, struct azblob_target *t, struct err *e)
{
    t->container = xstrdup("$web");
    return decode(path, strlen(path), &t->blob, e);
}

static bool leaves_account_out(const struct azblob_head *head, const char *first, size_t n)
{
    return head->account && (strlen(head->account) != n || strncmp(first, head->account, n) != 0);
}

static int parse(const struct azblob *door, const struct azblob_head *head, struct azblob_target *t,
                 struct err *e)
{
    const char *path = head->path;

    if (*path != '/')
        return err_set(e, ERR_INVALID, "the path does not begin with '/'");
    path++;
    if (query_parse(head->query, &t->query, e) < 0)
        return -1;
    if (!take_host(door, head->host, t)) {
        size_t n = strcspn(path, "/");
        t->path_style = true;
        if (leaves_account_out(head, path, n)) {
            t->account = xstrdup(head->account);
            n = 0;
        } else if (decode(path, n, &t->account, e) < 0) {
            return -1;
        }
        path += n;
        if (n && *path)
            path++;
    }
    take_account(t);
    return t->which == AZBLOB_WEB ? take_web(path, t, e) : take_names(path, t, e);
}

int azblob_target_parse(const struct azblob *door, const struct azblob_head *head,
                        struct azblob_target *ret, enum azblob_code *ret_code, struct err *e)
{
    struct azblob_target t = {0};

    if (parse(door, head, &t, e) < 0) {
        azblob_target_release(&t);
        *ret_code = AZBLOB_INVALID_URI;
        return -1;
    }
    *ret = t;
    return 0;
}
