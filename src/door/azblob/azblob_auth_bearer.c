// SPDX-License-Identifier: EUPL-1.2
/* Requests with a bearer token, and what copies may read: see azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "door/azblob/azblob_private.h"

/* What a token gives is what the policy says of who it names. */
static int ask(struct azblob_request *r, struct call *call)
{
    const struct jwt_claims *c = &r->who;
    struct policy_principal who = {
        .kind = POLICY_TOKEN,
        .issuer = c->issuer,
        .id = c->object_id,
        .groups = (const char *const *)c->groups.list,
        .group_count = c->groups.count,
        .roles = (const char *const *)c->roles.list,
        .role_count = c->roles.count,
    };
    int allowed = azblob_ask_policy(r, &who, call);

    if (allowed == 0)
        return azblob_fail(r, AZBLOB_AUTHORIZATION_PERMISSION_MISMATCH, call);
    return allowed < 0 ? -1 : 0;
}

static int identify(struct azblob_request *r, struct call *call)
{
    const struct azblob_options *o = &r->door->options;
    const char *token = azblob_get(r, "Authorization") + strlen("Bearer ");

    if (!o->identify)
        return azblob_fail_with(r, AZBLOB_AUTHENTICATION_FAILED, "AuthenticationErrorDetail",
                                "This server takes no bearer tokens.", call);
    if (!r->head.secure && !o->plain_tokens)
        return azblob_fail_with(r, AZBLOB_AUTHENTICATION_FAILED, "AuthenticationErrorDetail",
                                "Authentication scheme Bearer is not supported over HTTP.", call);
    token += strspn(token, " ");
    if (o->identify(o->argument, token, &r->who, call) == 0)
        return 0;
    if (err_is_passing(call->err.code))
        return -1;
    auto_free char *why = xstrdup(call->err.text);
    azblob_challenge(r);
    return azblob_fail_with(r, AZBLOB_INVALID_AUTHENTICATION_TOKEN, "AuthenticationErrorDetail",
                            why, call);
}

int azblob_authorize_bearer(struct azblob_request *r, struct call *call)
{
    if (identify(r, call) < 0)
        return -1;
    /* Beside a SAS the token only says who holds it. */
    if (azblob_query(r, "sig")) {
        auto_free char *holder = xstrdup_null(r->who.object_id);
        return azblob_authorize_sas(r, holder, call);
    }
    if (ask(r, call) < 0)
        return -1;
    r->proof = AZBLOB_BEARER;
    return 0;
}

/* ---- Sources of copies ---- */

int azblob_own_url(const struct azblob_request *r, const char *url, struct azblob_target *ret,
                   struct err *e)
{
    auto_url struct url parts = URL_INIT;
    struct azblob_target t;
    enum azblob_code code;

    if (url_parse(url, &parts, e) < 0)
        return -1;
    auto_free char *host = url_port_is_default(&parts) ? xstrdup(parts.host)
                                                       : xasprintf("%s:%d", parts.host, parts.port);
    struct azblob_head head = {.method = "GET",
                               .path = *parts.path ? parts.path : "/",
                               .query = parts.query,
                               .host = host};
    if (azblob_target_parse(r->door, &head, &t, &code, e) < 0)
        return -1;
    /* By path only this very host is known to be us. */
    if (t.which != AZBLOB_BLOB || (t.path_style && strcasecmp(host, r->head.host) != 0)) {
        azblob_target_release(&t);
        return 0;
    }
    *ret = t;
    return 1;
}

int azblob_place(const struct azblob_target *t, struct place *ret)
{
    const char *snapshot = pairs_get_nocase(&t->query, "snapshot");
    const char *version = pairs_get_nocase(&t->query, "versionid");
    struct place place = {.account = t->account, .container = t->container, .name = t->blob};

    if (snapshot && version)
        return -1;
    if (snapshot || version) {
        place.kind = snapshot ? VERSION_SNAPSHOT : VERSION_ID;
        place.version = snapshot ? snapshot : version;
    }
    *ret = place;
    return 0;
}

bool azblob_copies_later(const struct azblob_request *r)
{
    const char *sync = azblob_get(r, "x-ms-requires-sync");

    if (r->operation->handler == azblob_blob_copy_incremental)
        return true;
    return r->operation->handler == azblob_blob_copy && !(sync && strcasecmp(sync, "true") == 0);
}

/* What the asking request is known by serves for the source of Copy Blob, too, where that is of its
 * account. */
static int by_own_rights(const struct azblob_request *r, struct azblob_request *source,
                         struct call *call)
{
    if (azblob_copies_later(r) && strcmp(source->target.account, r->target.account) == 0) {
        if (r->proof == AZBLOB_SHARED_KEY)
            return 0;
        if (r->proof == AZBLOB_BEARER) {
            source->who = r->who;
            int result = ask(source, call);
            source->who = (struct jwt_claims)JWT_CLAIMS_INIT;
            return result;
        }
    }
    return azblob_authorize_anonymous(source, call);
}

static int authorize_source(const struct azblob_request *r, struct azblob_request *source,
                            const char *authorization, struct call *call)
{
    if (azblob_find_account(source, call) < 0)
        return -1;
    if (authorization)
        return strncasecmp(authorization, "Bearer ", 7) == 0
                   ? azblob_authorize_bearer(source, call)
                   : azblob_fail(source, AZBLOB_INVALID_AUTHENTICATION_INFO, call);
    if (azblob_query(source, "sig"))
        return azblob_authorize_sas(source, NULL, call);
    return by_own_rights(r, source, call);
}

int azblob_authorize_source(struct azblob_request *r, const char *url, const char *authorization,
                            struct azblob_target *ret, struct call *call)
{
    auto_pairs struct pairs headers = PAIRS_INIT;
    auto_azblob_request struct azblob_request source = {.door = r->door,
                                                        .now = r->now,
                                                        .version = r->version,
                                                        .operation = azblob_operation_get_blob()};
    const char *query = strchr(url, '?');
    int own = azblob_own_url(r, url, &source.target, &call->err);

    if (own != 1)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-copy-source", call);
    if (authorization)
        pairs_add(&headers, "Authorization", authorization);
    source.head = (struct azblob_head){.method = "GET",
                                       .path = "/",
                                       .query = query ? query + 1 : NULL,
                                       .host = "",
                                       .headers = &headers,
                                       .peer = r->head.peer,
                                       .secure = r->head.secure};
    if (authorize_source(r, &source, authorization, call) < 0) {
        if (err_is_passing(call->err.code))
            return -1;
        enum azblob_code code = source.code ? source.code : azblob_code_of(&source, &call->err);
        /* What nobody may see is not there for nobody; of a source one is told why. */
        if (source.code == AZBLOB_RESOURCE_NOT_FOUND)
            code = AZBLOB_NO_AUTHENTICATION_INFORMATION;
        return azblob_fail_source(r, code, call);
    }
    *ret = source.target;
    source.target = (struct azblob_target){0};
    return 0;
}
