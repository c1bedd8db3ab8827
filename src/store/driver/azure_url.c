// SPDX-License-Identifier: EUPL-1.2
/* Endpoints and URLs of Azure storage accounts: see azure_url.h. */
#include "store/driver/azure_url.h"

#include <string.h>

#include "codec/url.h"

#define SECONDARY "-secondary"

void azure_url_release(struct azure_url *u)
{
    free(u->endpoint);
    free(u->account);
    free(u->container);
    free(u->name);
    free(u->snapshot);
    free(u->version);
    free(u->sas);
    *u = (struct azure_url)AZURE_URL_INIT;
}

/* The ports on which Azure's libraries expect path style, whatever the host. */
static bool is_emulator_port(int port)
{
    static const int bases[] = {10000, 10100, 11000, 11100};

    for (size_t i = 0; i < ARRAY_SIZE(bases); i++)
        if (port >= bases[i] && port <= bases[i] + 4)
            return true;
    return false;
}

static bool is_address(const char *host)
{
    return host[0] == '[' || strspn(host, "0123456789.") == strlen(host);
}

static bool is_path_style(const struct url *url)
{
    return is_address(url->host) || !strchr(url->host, '.') || is_emulator_port(url->port);
}

static bool cut_secondary(char *account)
{
    size_t n = strlen(account), tail = strlen(SECONDARY);

    if (n <= tail || strcmp(account + n - tail, SECONDARY) != 0)
        return false;
    account[n - tail] = '\0';
    return true;
}

/* "scheme://host[:port]" */
static void origin(struct buf *b, const struct url *url, const char *host)
{
    buf_printf(b, "%s://%s", url->scheme, host);
    if (!url_port_is_default(url))
        buf_printf(b, ":%d", url->port);
}

/* A host name with its first ".dfs." turned into ".blob.". */
static char *blob_host(const char *host)
{
    const char *dfs = strstr(host, ".dfs.");

    return dfs ? xasprintf("%.*s.blob.%s", (int)(dfs - host), host, dfs + strlen(".dfs."))
               : xstrdup(host);
}

static char *first_label(const char *host)
{
    return xstrndup(host, strcspn(host, "."));
}

static int parse_http(const char *text, struct url *ret, struct err *e)
{
    auto_url struct url url = URL_INIT;

    if (url_parse(text, &url, e) < 0)
        return -1;
    if (strcmp(url.scheme, "https") != 0 && strcmp(url.scheme, "http") != 0)
        return err_set(e, ERR_INVALID, "the URL begins with '%s:', not with https:// or http://",
                       url.scheme);
    if (url.userinfo)
        return err_set(e, ERR_INVALID, "the URL of host '%s' has a user name before the host",
                       url.host);
    *ret = url;
    url = (struct url)URL_INIT;
    return 0;
}

bool azure_url_recognised(const char *text)
{
    struct err e = {0};
    auto_url struct url url = URL_INIT;
    auto_pairs struct pairs query = PAIRS_INIT;

    if (parse_http(text, &url, &e) < 0)
        return false;
    if (strstr(url.host, ".blob.") || strstr(url.host, ".dfs.") || is_emulator_port(url.port))
        return true;
    return query_parse(url.query, &query, &e) == 0 && pairs_get(&query, "sig") &&
           pairs_get(&query, "sv");
}

/* The next segment of a path at *at ("/segment/..."), decoded; NULL at the end. */
static int next_segment(const char **at, char **ret, struct err *e)
{
    auto_buf struct buf b = BUF_INIT(URL_MAX);

    if (**at == '/')
        (*at)++;
    size_t n = strcspn(*at, "/");
    if (n == 0)
        return 0;
    if (url_unescape(&b, *at, n, false, e) < 0)
        return err_prefix(e, "path of the URL");
    *at += n;
    *ret = buf_take(&b);
    return 0;
}

/* The query without what names a state of the blob or an operation, as it was escaped. */
static char *signed_part(const char *query)
{
    static const char *const ours[] = {"snapshot", "versionid", "restype", "comp"};
    auto_buf struct buf sas = BUF_INIT(URL_MAX);

    while (query && *query) {
        size_t n = strcspn(query, "&"), key = strcspn(query, "=&");
        bool skip = n == 0;
        for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
            skip = skip || (key == strlen(ours[i]) && strncmp(query, ours[i], key) == 0);
        if (!skip && sas.length)
            buf_char(&sas, '&');
        if (!skip)
            buf_bytes(&sas, query, n);
        query += n + (query[n] == '&');
    }
    return sas.length ? buf_take(&sas) : NULL;
}

static int split_query(const char *query, struct azure_url *u, struct err *e)
{
    auto_pairs struct pairs all = PAIRS_INIT;

    if (query_parse(query, &all, e) < 0)
        return err_prefix(e, "query of the URL");
    u->snapshot = xstrdup_null(pairs_get(&all, "snapshot"));
    u->version = xstrdup_null(pairs_get(&all, "versionid"));
    u->sas = signed_part(query);
    if (u->sas && !pairs_get(&all, "sig"))
        return err_set(e, ERR_INVALID,
                       "the URL's query is no shared access signature: it has no 'sig'");
    return 0;
}

int azure_url_split(const char *text, struct azure_url *ret, struct err *e)
{
    auto_azure_url struct azure_url u = AZURE_URL_INIT;
    auto_url struct url url = URL_INIT;
    auto_buf struct buf base = BUF_INIT(URL_MAX);

    if (parse_http(text, &url, e) < 0)
        return -1;
    auto_free char *host = blob_host(url.host);
    const char *at = url.path;
    origin(&base, &url, host);
    if (is_path_style(&url)) {
        if (next_segment(&at, &u.account, e) < 0)
            return -1;
        if (!u.account)
            return err_set(e, ERR_INVALID,
                           "the URL of host '%s' has no account in its path "
                           "(http://HOST:PORT/ACCOUNT/CONTAINER)",
                           url.host);
        buf_printf(&base, "/%s", u.account);
    } else {
        u.account = first_label(host);
    }
    u.secondary = cut_secondary(u.account);
    if (next_segment(&at, &u.container, e) < 0)
        return -1;
    if (u.container && at[0] == '/' && at[1]) {
        auto_buf struct buf name = BUF_INIT(URL_MAX);
        if (url_unescape(&name, at + 1, strlen(at + 1), false, e) < 0)
            return err_prefix(e, "path of the URL");
        u.name = buf_take(&name);
    }
    if (split_query(url.query, &u, e) < 0)
        return -1;
    u.endpoint = buf_take(&base);
    *ret = u;
    u = (struct azure_url)AZURE_URL_INIT;
    return 0;
}

char *azure_endpoint_of(const char *account, const char *suffix)
{
    if (!suffix || !*suffix)
        suffix = AZURE_PUBLIC_SUFFIX;
    if (*suffix == '.')
        suffix++;
    if (strncmp(suffix, "blob.", 5) == 0)
        suffix += 5;
    return xasprintf("https://%s.blob.%s", account, suffix);
}

/* "account.rest" to "account-secondary.rest", unless it is so already. */
static char *secondary_host(const char *host)
{
    auto_free char *label = first_label(host);

    if (cut_secondary(label))
        return xstrdup(host);
    return xasprintf("%s" SECONDARY "%s", label, host + strlen(label));
}

static int normalise_path_style(struct buf *base, const struct url *url, const char *account,
                                bool secondary, char **ret_account, struct err *e)
{
    const char *at = url->path;
    auto_free char *named = NULL;

    if (next_segment(&at, &named, e) < 0)
        return -1;
    if (!named && !account)
        return err_set(e, ERR_INVALID,
                       "endpoint of host '%s' names no account: add it to the path, or set account",
                       url->host);
    if (strspn(at, "/") != strlen(at))
        return err_set(e, ERR_INVALID,
                       "endpoint of host '%s' has more in its path than the account", url->host);
    if (!named)
        named = xstrdup(account);
    if (cut_secondary(named))
        secondary = true;
    origin(base, url, url->host);
    buf_printf(base, "/%s%s", named, secondary ? SECONDARY : "");
    *ret_account = account ? xstrdup(account) : take(named);
    return 0;
}

int azure_endpoint_normalise(const char *endpoint, const char *account, bool secondary,
                             char **ret_endpoint, char **ret_account, struct err *e)
{
    auto_url struct url url = URL_INIT;
    auto_buf struct buf base = BUF_INIT(URL_MAX);
    auto_free char *host = NULL;

    if (parse_http(endpoint, &url, e) < 0)
        return err_prefix(e, "endpoint");
    if (url.query)
        return err_set(e, ERR_INVALID, "endpoint of host '%s' has a query: give a SAS as 'sas'",
                       url.host);
    if (is_path_style(&url) || strspn(url.path, "/") != strlen(url.path)) {
        if (normalise_path_style(&base, &url, account, secondary, ret_account, e) < 0)
            return -1;
        *ret_endpoint = buf_take(&base);
        return 0;
    }
    host = blob_host(url.host);
    auto_free char *label = first_label(host);
    (void)cut_secondary(label);
    auto_free char *second = secondary ? secondary_host(host) : NULL;
    origin(&base, &url, second ? second : host);
    *ret_account = account ? xstrdup(account) : take(label);
    *ret_endpoint = buf_take(&base);
    return 0;
}
