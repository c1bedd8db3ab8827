// SPDX-License-Identifier: EUPL-1.2
/* Azure Storage connection strings: see connection_string.h. */
#include "auth/connection_string.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "codec/url.h"

#define USUAL_SUFFIX "core.windows.net"
/* The emulator's account, the same everywhere: no secret. */
#define EMULATOR_ACCOUNT "devstoreaccount1"
#define EMULATOR_KEY \
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
#define EMULATOR_BASE "http://127.0.0.1"

enum setting {
    ACCOUNT_NAME,
    ACCOUNT_KEY,
    BLOB_ENDPOINT,
    BLOB_SECONDARY_ENDPOINT,
    ENDPOINT_SUFFIX,
    PROTOCOL,
    SAS,
    EMULATOR,
    EMULATOR_PROXY,
    SETTING_COUNT
};

static const char *const names[SETTING_COUNT] = {
    [ACCOUNT_NAME] = "AccountName",
    [ACCOUNT_KEY] = "AccountKey",
    [BLOB_ENDPOINT] = "BlobEndpoint",
    [BLOB_SECONDARY_ENDPOINT] = "BlobSecondaryEndpoint",
    [ENDPOINT_SUFFIX] = "EndpointSuffix",
    [PROTOCOL] = "DefaultEndpointsProtocol",
    [SAS] = "SharedAccessSignature",
    [EMULATOR] = "UseDevelopmentStorage",
    [EMULATOR_PROXY] = "DevelopmentStorageProxyUri",
};

struct settings {
    struct secret values[SETTING_COUNT];
};

static void settings_release(struct settings *s)
{
    for (size_t i = 0; i < SETTING_COUNT; i++)
        secret_release(&s->values[i]);
}

void connection_string_release(struct connection_string *c)
{
    free(c->account);
    free(c->endpoint);
    free(c->secondary_endpoint);
    free(c->suffix);
    secret_release(&c->key);
    secret_release(&c->sas);
    *c = (struct connection_string)CONNECTION_STRING_INIT;
}

static const char *value_of(const struct settings *s, enum setting setting)
{
    return s->values[setting].bytes ? (const char *)s->values[setting].bytes : NULL;
}

static int take_setting(struct settings *s, const char *name, size_t name_length, const char *value,
                        size_t length, struct err *e)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strlen(names[i]) != name_length || strncasecmp(names[i], name, name_length) != 0)
            continue;
        if (s->values[i].bytes)
            return err_set(e, ERR_INVALID, "the connection string says %s twice", names[i]);
        if (length)
            secret_set(&s->values[i], value, length);
        return 0;
    }
    return 0;
}

static int read_settings(const char *text, struct settings *s, struct err *e)
{
    if (strlen(text) > CONNECTION_STRING_MAX)
        return err_set(e, ERR_INVALID, "the connection string is longer than %d bytes",
                       CONNECTION_STRING_MAX);
    for (size_t n; *text; text += n + (text[n] == ';')) {
        text += strspn(text, " \t\r\n");
        n = strcspn(text, ";");
        size_t length = n;
        while (length && isspace((unsigned char)text[length - 1]))
            length--;
        if (length == 0)
            continue;
        size_t name_length = strcspn(text, "=;");
        if (name_length == 0 || name_length >= length)
            return err_set(e, ERR_INVALID,
                           "the connection string is not of the form Name=value;Name=value: copy "
                           "it whole, in quotes");
        if (take_setting(s, text, name_length, text + name_length + 1, length - name_length - 1,
                         e) < 0)
            return -1;
    }
    return 0;
}

static char *without_slash(const char *url)
{
    size_t n = strlen(url);

    while (n && url[n - 1] == '/')
        n--;
    return xstrndup(url, n);
}

static int take_endpoint(const char *text, const char *name, char **ret, struct err *e)
{
    auto_url struct url url = URL_INIT;

    if (url_parse(text, &url, e) < 0 || url.query ||
        (strcmp(url.scheme, "https") != 0 && strcmp(url.scheme, "http") != 0))
        return err_set(e, ERR_INVALID, "the connection string's %s is not an http(s) URL", name);
    *ret = without_slash(text);
    return 0;
}

/* What stands behind the host: nothing, or a port and more.  The colons of an IPv6 address stand in
 * brackets. */
static const char *skip_host(const char *url)
{
    const char *host = strstr(url, "://") + 3, *bracket = strchr(host, ']');

    return bracket ? bracket + 1 : host;
}

static int use_emulator(const struct settings *s, struct connection_string *c, struct err *e)
{
    const char *proxy = value_of(s, EMULATOR_PROXY);
    auto_url struct url url = URL_INIT;
    auto_free char *base = NULL;

    if (take_endpoint(proxy ? proxy : EMULATOR_BASE, names[EMULATOR_PROXY], &base, e) < 0)
        return -1;
    /* Its port is the emulator's; the SDKs put it behind whatever stands here. */
    if (url_parse(base, &url, e) < 0 || strchr(base + strlen(url.scheme) + 3, '/') ||
        base[strlen(base) - 1] == ':' || strchr(skip_host(base), ':'))
        return err_set(e, ERR_INVALID,
                       "the connection string's %s may hold a scheme and a host only, no port and "
                       "no path",
                       names[EMULATOR_PROXY]);
    c->account = xstrdup(EMULATOR_ACCOUNT);
    secret_from_text(&c->key, EMULATOR_KEY);
    c->endpoint = xasprintf("%s:10000/" EMULATOR_ACCOUNT, base);
    c->secondary_endpoint = xasprintf("%s-secondary", c->endpoint);
    return 0;
}

static bool is_host_part(const char *text)
{
    size_t n = strlen(text);

    return n > 0 && n < 200 &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == n;
}

/* "https://contoso.blob.core.windows.net", where no endpoint is written out. */
static int make_endpoints(const struct settings *s, struct connection_string *c, struct err *e)
{
    const char *suffix = c->suffix ? c->suffix : USUAL_SUFFIX, *protocol = value_of(s, PROTOCOL);

    if (!protocol)
        protocol = "https";
    if (!c->account)
        return err_set(e, ERR_INVALID,
                       "the connection string has neither AccountName nor BlobEndpoint");
    if (strcasecmp(protocol, "https") != 0 && strcasecmp(protocol, "http") != 0)
        return err_set(e, ERR_INVALID,
                       "the connection string's DefaultEndpointsProtocol is not http or https");
    if (!is_host_part(c->account) || !is_host_part(suffix))
        return err_set(e, ERR_INVALID,
                       "the connection string's AccountName or EndpointSuffix cannot stand in a "
                       "host name");
    const char *scheme = strcasecmp(protocol, "http") == 0 ? "http" : "https";
    c->endpoint = xasprintf("%s://%s.blob.%s", scheme, c->account, suffix);
    if (!c->secondary_endpoint)
        c->secondary_endpoint = xasprintf("%s://%s-secondary.blob.%s", scheme, c->account, suffix);
    return 0;
}

static int fill(const struct settings *s, struct connection_string *c, struct err *e)
{
    const char *emulator = value_of(s, EMULATOR), *sas = value_of(s, SAS);
    const char *endpoint = value_of(s, BLOB_ENDPOINT);
    const char *secondary = value_of(s, BLOB_SECONDARY_ENDPOINT);

    if (emulator && strcasecmp(emulator, "true") == 0)
        return use_emulator(s, c, e);
    c->account = xstrdup_null(value_of(s, ACCOUNT_NAME));
    c->suffix = xstrdup_null(value_of(s, ENDPOINT_SUFFIX));
    if (value_of(s, ACCOUNT_KEY))
        secret_copy(&c->key, &s->values[ACCOUNT_KEY]);
    else if (sas && sas[*sas == '?'])
        secret_from_text(&c->sas, sas + (*sas == '?'));
    else
        return err_set(e, ERR_INVALID,
                       "the connection string has neither AccountKey nor SharedAccessSignature");
    if (c->key.bytes && !c->account)
        return err_set(e, ERR_INVALID,
                       "the connection string has an AccountKey, but no "
                       "AccountName");
    if (secondary &&
        take_endpoint(secondary, names[BLOB_SECONDARY_ENDPOINT], &c->secondary_endpoint, e) < 0)
        return -1;
    return endpoint ? take_endpoint(endpoint, names[BLOB_ENDPOINT], &c->endpoint, e)
                    : make_endpoints(s, c, e);
}

int connection_string_parse(const char *text, struct connection_string *ret, struct err *e)
{
    cleanup(settings_release) struct settings s = {0};
    auto_connection_string struct connection_string c = CONNECTION_STRING_INIT;

    if (read_settings(text, &s, e) < 0 || fill(&s, &c, e) < 0)
        return -1;
    *ret = c;
    c = (struct connection_string)CONNECTION_STRING_INIT;
    return 0;
}
