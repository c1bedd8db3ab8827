// SPDX-License-Identifier: EUPL-1.2
/*
 * Who asks and what he may do: the issuers of tokens and the role assignments.  Both are replaced
 * as a whole while requests use them; the last one who does frees what was replaced.
 */
#include <string.h>

#include "auth/jwks.h"
#include "cli/gateway.h"
#include "cli/roles.h"
#include "util/log.h"

/* How much the clocks may differ: as Entra ID's libraries have it. */
#define LEEWAY (300 * CLOCK_SECOND)

struct issuer {
    struct http_client *client;
    struct jwks *jwks;
    struct jwt_expected expected;
};

struct issuers {
    unsigned users; /* guarded by the gateway's lock */
    struct config config;
    struct serve_config serve;
    struct issuer *list; /* serve.issuer_count */
};

struct grants {
    unsigned users; /* guarded by the gateway's lock */
    struct policy *policy;
    char *revision;
};

/* ---- Issuers ---- */

static void issuers_free(struct issuers *i)
{
    if (!i)
        return;
    for (size_t n = 0; i->list && n < i->serve.issuer_count; n++) {
        jwks_free(i->list[n].jwks);
        http_client_free(i->list[n].client);
    }
    free(i->list);
    serve_config_release(&i->serve);
    config_release(&i->config);
    free(i);
}

static int open_issuer(const struct serve_issuer *from, struct issuer *ret, struct err *e)
{
    const struct http_client_options http = {.ca_file = from->ca_file};

    if (http_client_new(&http, &ret->client, e) < 0)
        return -1;
    const struct jwks_options options = {
        .issuer = from->issuer, .jwks_uri = from->jwks_uri, .client = ret->client};
    if (jwks_new(&options, &ret->jwks, e) < 0)
        return err_prefix(e, "issuer '%s'", from->issuer);
    ret->expected = (struct jwt_expected){
        .issuer = from->issuer,
        .audiences = from->audiences,
        .audience_count = from->audience_count,
        .leeway = LEEWAY,
        .groups_claim = from->groups_claim,
        .roles_claim = from->roles_claim,
    };
    return 0;
}

/* Takes over config and serve, whatever happens. */
static int issuers_open(struct config config, struct serve_config serve, struct issuers **ret,
                        struct err *e)
{
    struct issuers *i = xcalloc(1, sizeof(*i));

    i->users = 1;
    i->config = config;
    i->serve = serve;
    i->list = xcalloc(serve.issuer_count + 1, sizeof(*i->list));
    for (size_t n = 0; n < serve.issuer_count; n++)
        if (open_issuer(&serve.issuers[n], &i->list[n], e) < 0) {
            issuers_free(i);
            return -1;
        }
    *ret = i;
    return 0;
}

static struct issuers *issuers_use(struct gateway *g)
{
    locked(&g->lock);
    g->issuers->users++;
    return g->issuers;
}

static void issuers_leave(struct gateway *g, struct issuers *i)
{
    unsigned left;

    (void)pthread_mutex_lock(&g->lock);
    left = --i->users;
    (void)pthread_mutex_unlock(&g->lock);
    if (!left)
        issuers_free(i);
}

int gateway_reload_issuers(struct gateway *g, struct err *e)
{
    struct config config = {0};
    struct serve_config serve = {0};
    struct issuers *fresh, *old;

    if (config_load(g->config_path, &config, e) < 0)
        return -1;
    if (serve_config_read(&config, &serve, e) < 0) {
        config_release(&config);
        return -1;
    }
    if (issuers_open(config, serve, &fresh, e) < 0)
        return -1;
    (void)pthread_mutex_lock(&g->lock);
    old = g->issuers;
    g->issuers = fresh;
    g->serve.times = fresh->serve.times;
    g->serve.limits.drain = fresh->serve.limits.drain;
    (void)pthread_mutex_unlock(&g->lock);
    if (old)
        issuers_leave(g, old);
    return 0;
}

/* A token is verified by the issuer it names, if that is one of ours. */
static int identify(const struct issuers *i, const struct jwt *token, struct jwt_claims *ret,
                    struct call *call)
{
    const char *issuer = jwt_issuer(token);

    for (size_t n = 0; issuer && n < i->serve.issuer_count; n++) {
        struct jwt_expected expected = i->list[n].expected;
        if (strcmp(issuer, expected.issuer) != 0)
            continue;
        expected.now = clock_wall();
        return jwks_verify(i->list[n].jwks, token, call) < 0 ||
                       jwt_check(token, &expected, ret, &call->err) < 0
                   ? -1
                   : 0;
    }
    return err_set(&call->err, ERR_UNKNOWN_WHO,
                   "the token is of an issuer that is not in this gateway's configuration");
}

int gateway_identify(void *argument, const char *token, struct jwt_claims *ret, struct call *call)
{
    struct gateway *g = argument;
    auto_jwt struct jwt parsed = JWT_INIT;

    if (jwt_parse(token, &parsed, &call->err) < 0) {
        call->err.code = ERR_UNKNOWN_WHO;
        return -1;
    }
    struct issuers *i = issuers_use(g);
    int result = identify(i, &parsed, ret, call);
    issuers_leave(g, i);
    return result;
}

/* ---- Role assignments ---- */

static void grants_free(struct grants *g)
{
    if (!g)
        return;
    policy_free(g->policy);
    free(g->revision);
    free(g);
}

static void grants_leave(struct gateway *g, struct grants *grants)
{
    unsigned left;

    (void)pthread_mutex_lock(&g->lock);
    left = --grants->users;
    (void)pthread_mutex_unlock(&g->lock);
    if (!left)
        grants_free(grants);
}

static int read_grants(struct gateway *g, struct call *call)
{
    struct grants *fresh = xcalloc(1, sizeof(*fresh)), *old;
    uint64_t bad = 0;

    fresh->users = 1;
    if (role_policy(g->index, &fresh->policy, &fresh->revision, &bad, call) < 0) {
        free(fresh);
        return -1;
    }
    if (bad)
        log_line(LOG_WARNING,
                 "%llu role assignments cannot be understood and give nothing: see bascule role "
                 "list",
                 (unsigned long long)bad);
    (void)pthread_mutex_lock(&g->lock);
    old = g->grants;
    g->grants = fresh;
    (void)pthread_mutex_unlock(&g->lock);
    if (old)
        grants_leave(g, old);
    return 0;
}

int gateway_refresh_roles(struct gateway *g, struct call *call)
{
    auto_free char *revision = NULL;

    if (role_revision(g->index, &revision, call) < 0)
        return -1;
    /* Only one thread replaces them, so that they can be looked at without the lock. */
    return g->grants && strcmp(g->grants->revision, revision) == 0 ? 0 : read_grants(g, call);
}

int gateway_decide(void *argument, const struct policy_request *request, enum policy_decision *ret,
                   struct call *call)
{
    struct gateway *g = argument;
    struct grants *grants;

    (void)call;
    (void)pthread_mutex_lock(&g->lock);
    grants = g->grants;
    grants->users++;
    (void)pthread_mutex_unlock(&g->lock);
    *ret = policy_decide(grants->policy, request).decision;
    grants_leave(g, grants);
    return 0;
}

int gateway_open_access(struct gateway *g, struct call *call)
{
    return gateway_reload_issuers(g, &call->err) < 0 ? -1 : gateway_refresh_roles(g, call);
}

void gateway_close_access(struct gateway *g)
{
    issuers_free(take(g->issuers));
    grants_free(take(g->grants));
}
