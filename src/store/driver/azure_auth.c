// SPDX-License-Identifier: EUPL-1.2
/* Who the Azure driver says it is: the credentials of its options, and what signs a request. */
#include <string.h>

#include "auth/connection_string.h"
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
    text += *text == '?';
    if (sas_parse(text, &a->said, e) < 0)
        return -1;
    secret_from_text(&a->sas, text);
    a->auth = AZURE_SAS;
    return 0;
}

static int take_connection_string(struct azure *a, const char *text, struct azure_place *place,
                                  struct err *e)
{
    auto_connection_string struct connection_string c = CONNECTION_STRING_INIT;

    if (connection_string_parse(text, &c, e) < 0)
        return -1;
    if (c.sas.bytes && take_sas(a, text_of(&c.sas), e) < 0)
        return -1;
    if (c.account)
        replace_string(&place->account, c.account);
    replace_string(&place->endpoint, c.endpoint);
    if (c.key.bytes)
        secret_copy(&place->key, &c.key);
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
    sas_release(&a->said);
}

static int append_sas(struct azure *a, struct azure_exchange *x, struct err *e)
{
    char when[DATE_TEXT];

    if (a->said.expires != TIME_UNKNOWN && a->said.expires <= clock_wall()) {
        date_iso8601(when, sizeof(when), a->said.expires, 0);
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
    const char *permissions = sas_field(&a->said, "sp");

    return !permissions || !*permissions || strchr(permissions, permission) != NULL;
}

const char *azure_sas_query(const struct azure *a)
{
    return a->auth == AZURE_SAS ? text_of(&a->sas) : NULL;
}
