// SPDX-License-Identifier: EUPL-1.2
/* Who the Azure driver says it is: the credentials of its options, and what signs a request. */
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/url.h"
#include "store/driver/azure.h"
#include "store/driver/azure_private.h"

static bool is_set(const struct secret *s)
{
    return s && s->bytes && s->length;
}

static const char *text_of(const struct secret *s)
{
    return (const char *)s->bytes;
}

void azure_place_release(struct azure_place *place)
{
    free(place->account);
    free(place->endpoint);
    free(place->suffix);
    secret_release(&place->key);
}

/* What the SAS says of itself.  A part that a stored access policy holds is not in it. */
static int take_sas(struct azure *a, const char *text, struct err *e)
{
    auto_pairs struct pairs query = PAIRS_INIT;

    text += *text == '?';
    if (query_parse(text, &query, e) < 0 || !pairs_get(&query, "sig"))
        return err_set(e, ERR_INVALID,
                       "'sas' is no shared access signature (sv=...&sig=...): copy it whole");
    const char *expiry = pairs_get(&query, "se"), *permissions = pairs_get(&query, "sp");
    a->sas_expiry = TIME_UNKNOWN;
    if (expiry && date_parse_iso8601(expiry, &a->sas_expiry, e) < 0)
        return err_prefix(e, "expiry (se) of the SAS");
    if (permissions && strlen(permissions) < sizeof(a->sas_permissions))
        memcpy(a->sas_permissions, permissions, strlen(permissions) + 1);
    secret_from_text(&a->sas, text);
    a->auth = AZURE_SAS;
    return 0;
}

/* One "Key=value" of a connection string; values hold '=' themselves (keys end in it). */
static int take_setting(struct azure *a, const char *name, const char *value,
                        struct azure_place *place, struct err *e)
{
    if (strcasecmp(name, "AccountName") == 0)
        replace_string(&place->account, value);
    else if (strcasecmp(name, "AccountKey") == 0)
        secret_from_text(&place->key, value);
    else if (strcasecmp(name, "BlobEndpoint") == 0)
        replace_string(&place->endpoint, value);
    else if (strcasecmp(name, "EndpointSuffix") == 0)
        replace_string(&place->suffix, value);
    else if (strcasecmp(name, "DefaultEndpointsProtocol") == 0)
        place->insecure = strcasecmp(value, "http") == 0;
    else if (strcasecmp(name, "SharedAccessSignature") == 0)
        return take_sas(a, value, e);
    else if (strcasecmp(name, "UseDevelopmentStorage") == 0)
        return err_set(e, ERR_INVALID,
                       "the connection string says UseDevelopmentStorage: give the emulator's "
                       "whole one, with AccountName, AccountKey and BlobEndpoint");
    return 0; /* those of queues, tables and files are none of ours */
}

static int take_connection_string(struct azure *a, const char *text, struct azure_place *place,
                                  struct err *e)
{
    for (size_t n; *text; text += n + (text[n] == ';')) {
        n = strcspn(text, ";");
        size_t name_length = strcspn(text, "=;");
        if (n == 0)
            continue;
        if (name_length == 0 || name_length >= n)
            return err_set(e, ERR_INVALID,
                           "the connection string is not of the form Name=value;Name=value");
        auto_free char *name = xstrndup(text, name_length);
        auto_secret struct secret value = SECRET_INIT;
        secret_set(&value, text + name_length + 1, n - name_length - 1);
        if (take_setting(a, name, text_of(&value), place, e) < 0)
            return -1;
    }
    return 0;
}

int azure_auth_init(struct azure *a, const struct azure_options *o, struct azure_place *place,
                    struct err *e)
{
    int given = is_set(o->key) + is_set(o->sas) + is_set(o->connection_string) + !!o->bearer;

    if (given > 1)
        return err_set(e, ERR_INVALID,
                       "of key, connection string, SAS and Entra ID only one can be used");
    if (is_set(o->connection_string) &&
        take_connection_string(a, text_of(o->connection_string), place, e) < 0)
        return -1;
    if (is_set(o->sas) && take_sas(a, text_of(o->sas), e) < 0)
        return -1;
    if (is_set(o->key))
        secret_copy(&place->key, o->key);
    a->bearer = o->bearer;
    return 0;
}

/* A token is all that somebody needs to be us. */
static int check_secrecy(const struct azure *a, struct err *e)
{
    auto_url struct url url = URL_INIT;

    if (url_parse(a->endpoint, &url, e) < 0)
        return -1;
    if (strcmp(url.scheme, "https") == 0 || strcmp(url.host, "localhost") == 0 ||
        strcmp(url.host, "[::1]") == 0 || strncmp(url.host, "127.", 4) == 0)
        return 0;
    return err_set(e, ERR_INVALID, "Entra ID tokens go over https only, and '%s' is not",
                   a->endpoint);
}

int azure_auth_settle(struct azure *a, const struct azure_place *place, struct err *e)
{
    if (a->bearer) {
        a->auth = AZURE_BEARER;
        return check_secrecy(a, e);
    }
    if (a->auth != AZURE_ANONYMOUS || !is_set(&place->key))
        return 0;
    a->auth = AZURE_KEY;
    return sharedkey_init(&a->key, a->account, text_of(&place->key), e);
}

void azure_auth_release(struct azure *a)
{
    sharedkey_release(&a->key);
    secret_release(&a->sas);
}

static int append_sas(struct azure *a, struct azure_exchange *x, struct err *e)
{
    char when[DATE_TEXT];

    if (a->sas_expiry != TIME_UNKNOWN && a->sas_expiry <= clock_wall()) {
        date_iso8601(when, sizeof(when), a->sas_expiry, 0);
        return err_set(e, ERR_UNKNOWN_WHO, "the SAS expired at %s: get a new one", when);
    }
    auto_free char *url = x->request.url;
    x->request.url = xasprintf("%s%c%s", url, x->has_query ? '&' : '?', text_of(&a->sas));
    return 0;
}

static int add_token(struct azure *a, struct azure_exchange *x, bool renew, struct call *call)
{
    if (renew)
        entra_refused(a->bearer, &x->token);
    if (entra_token(a->bearer, &x->token, call) < 0)
        return -1;
    http_request_headerf(&x->request, "Authorization", "Bearer %s", text_of(&x->token));
    return 0;
}

int azure_sign(struct azure *a, struct azure_exchange *x, bool renew, struct call *call)
{
    switch (a->auth) {
    case AZURE_KEY:
        return sharedkey_sign(&a->key, &x->request, clock_wall(), &call->err);
    case AZURE_SAS:
        return append_sas(a, x, &call->err);
    case AZURE_BEARER:
        return add_token(a, x, renew, call);
    default:
        return 0;
    }
}

bool azure_sas_permits(const struct azure *a, char permission)
{
    return !*a->sas_permissions || strchr(a->sas_permissions, permission) != NULL;
}

const char *azure_sas_query(const struct azure *a)
{
    return a->auth == AZURE_SAS ? text_of(&a->sas) : NULL;
}
