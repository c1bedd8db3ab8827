// SPDX-License-Identifier: EUPL-1.2
/* JSON Web Tokens: see jwt.h. */
#include <string.h>
#include <strings.h>

#include "auth/jwt_private.h"
#include "codec/base64.h"
#include "codec/json.h"

#define DEPTH_MAX 8 /* of the path to a claim */

void jwt_release(struct jwt *token)
{
    json_decref(token->header);
    json_decref(token->payload);
    buf_release(&token->input);
    buf_release(&token->signature);
    *token = (struct jwt)JWT_INIT;
}

/* ---- Taking apart ---- */

static int read_json(const char *text, size_t length, const char *what, json_t **ret, struct err *e)
{
    auto_buf struct buf bytes = BUF_INIT(JWT_SIZE_MAX);
    auto_json json_t *json = NULL;

    if (base64url_decode(text, length, &bytes, e) < 0 ||
        json_parse(bytes.data, bytes.length, &json, e) < 0)
        return err_prefix(e, "the token's %s", what);
    if (!json_is_object(json))
        return err_set(e, ERR_INVALID, "the token's %s is no JSON object", what);
    *ret = take(json);
    return 0;
}

static int check_header(struct jwt *token, struct err *e)
{
    const char *name = json_text(token->header, "alg");
    const json_t *type = json_object_get(token->header, "typ");
    const char *kind = json_string_value(type);

    token->algorithm = jwt_algorithm_of(name);
    if (token->algorithm == JWT_NO_ALGORITHM)
        return err_set(e, ERR_UNSUPPORTED,
                       "the token is not signed with RS256, PS256, ES256 or EdDSA");
    if (json_object_get(token->header, "crit") || json_object_get(token->header, "b64"))
        return err_set(e, ERR_UNSUPPORTED, "the token has critical extensions (crit)");
    if (kind && strncasecmp(kind, "application/", 12) == 0)
        kind += 12;
    if (type && (!kind || (strcasecmp(kind, "JWT") != 0 && strcasecmp(kind, "at+jwt") != 0)))
        return err_set(e, ERR_UNSUPPORTED, "the token is of a type (typ) that is no access token");
    return 0;
}

int jwt_parse(const char *text, struct jwt *ret, struct err *e)
{
    auto_jwt struct jwt token = JWT_INIT;
    size_t length = strnlen(text, JWT_SIZE_MAX + 1);

    if (length > JWT_SIZE_MAX)
        return err_set(e, ERR_INVALID, "the token is longer than %d bytes", JWT_SIZE_MAX);
    const char *first = strchr(text, '.'), *second = first ? strchr(first + 1, '.') : NULL;
    if (!second || strchr(second + 1, '.'))
        return err_set(e, ERR_INVALID,
                       "the token is no signed JWT (three parts with dots between)");
    if (read_json(text, (size_t)(first - text), "header", &token.header, e) < 0 ||
        check_header(&token, e) < 0 ||
        read_json(first + 1, (size_t)(second - first - 1), "payload", &token.payload, e) < 0)
        return -1;
    if (base64url_decode(second + 1, strlen(second + 1), &token.signature, e) < 0)
        return err_prefix(e, "the token's signature");
    if (buf_add(&token.input, text, (size_t)(second - text), e) < 0)
        return -1;
    *ret = token;
    token = (struct jwt)JWT_INIT;
    return 0;
}

const char *jwt_issuer(const struct jwt *token)
{
    return json_text(token->payload, "iss");
}

const char *jwt_key_id(const struct jwt *token)
{
    return json_text(token->header, "kid");
}

int jwt_verify(const struct jwt *token, const struct jwt_keys *keys, struct err *e)
{
    const char *id = jwt_key_id(token);
    bool tried = false;

    for (size_t i = 0; i < keys->count; i++) {
        const struct jwt_key *key = &keys->list[i];
        if ((id && key->id && strcmp(id, key->id) != 0) || !jwt_key_fits(key, token->algorithm))
            continue;
        tried = true;
        if (jwt_signature_right(key, token->algorithm, &token->input, &token->signature))
            return 0;
    }
    return tried ? err_set(e, ERR_UNKNOWN_WHO, "the token's signature is not right")
                 : err_set(e, ERR_NOT_FOUND,
                           "the token is signed with a key its issuer does not "
                           "publish (or for another algorithm)");
}

/* ---- Claims ---- */

static void names_release(struct jwt_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
}

void jwt_claims_release(struct jwt_claims *c)
{
    free(c->issuer);
    free(c->subject);
    free(c->object_id);
    free(c->client);
    free(c->tenant);
    names_release(&c->groups);
    names_release(&c->roles);
    names_release(&c->scopes);
    *c = (struct jwt_claims)JWT_CLAIMS_INIT;
}

bool jwt_names_have(const struct jwt_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->list[i], name) == 0)
            return true;
    return false;
}

static int add_name(struct jwt_names *names, const char *name, size_t n, struct err *e)
{
    if (names->count == JWT_NAMES_MAX)
        return err_set(e, ERR_INVALID, "the token names more than %d groups, roles or scopes",
                       JWT_NAMES_MAX);
    names->list = xrealloc(names->list, names->count + 1, sizeof(*names->list));
    names->list[names->count++] = xstrndup(name, n);
    return 0;
}

/* A list of names, or one string: one name, or several with spaces between. */
static int read_names(const json_t *value, bool spaced, struct jwt_names *ret, struct err *e)
{
    const json_t *item;
    size_t i;

    json_array_foreach(value, i, item) if (json_is_string(item) &&
                                           add_name(ret, json_string_value(item),
                                                    json_string_length(item), e) < 0) return -1;
    if (!json_is_string(value))
        return 0;
    const char *at = json_string_value(value);
    while (*at) {
        size_t n = spaced ? strcspn(at, " ") : strlen(at);
        if (n && add_name(ret, at, n, e) < 0)
            return -1;
        at += n + (at[n] == ' ');
    }
    return 0;
}

/* What stands under "realm_access.roles"; a key that holds dots itself ("https://a.b/roles") is
 * found whole. */
static const json_t *claim_at(const json_t *object, const char *path)
{
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        const json_t *whole = json_object_get(object, path);
        const char *dot = strchr(path, '.');
        if (whole || !dot)
            return whole;
        auto_free char *name = xstrndup(path, (size_t)(dot - path));
        object = json_object_get(object, name);
        path = dot + 1;
    }
    return NULL;
}

/* A NumericDate (RFC 7519 section 2): seconds, maybe with a fraction.  1 when it is there. */
static int read_time(const struct jwt *token, const char *name, int64_t *ret, struct err *e)
{
    const json_t *value = json_object_get(token->payload, name);

    if (!value)
        return 0;
    double seconds = json_is_number(value) ? json_number_value(value) : -1;
    if (!(seconds >= 0))
        return err_set(e, ERR_INVALID, "the token's '%s' is no time", name);
    *ret = seconds < 9e9 ? (int64_t)(seconds * 1e3) * CLOCK_MILLISECOND : INT64_MAX / 2;
    return 1;
}

static int check_times(const struct jwt *token, const struct jwt_expected *x, int64_t *ret_expires,
                       struct err *e)
{
    int64_t expires = 0, before = 0, issued = 0;
    int has_expiry = read_time(token, "exp", &expires, e);
    int has_start = has_expiry < 0 ? -1 : read_time(token, "nbf", &before, e);
    int has_issue = has_start < 0 ? -1 : read_time(token, "iat", &issued, e);

    if (has_issue < 0)
        return -1;
    if (!has_expiry)
        return err_set(e, ERR_UNKNOWN_WHO, "the token has no expiry (exp)");
    if (x->now >= expires + x->leeway)
        return err_set(e, ERR_UNKNOWN_WHO, "the token expired %lld seconds ago: get a new one",
                       (long long)((x->now - expires) / CLOCK_SECOND));
    if ((has_start && x->now + x->leeway < before) || (has_issue && x->now + x->leeway < issued))
        return err_set(e, ERR_CLOCK, "the token is not valid yet: are the clocks right?");
    *ret_expires = expires;
    return 0;
}

static bool is_audience(const json_t *value, const struct jwt_expected *x)
{
    const char *text = json_string_value(value);

    for (size_t i = 0; text && i < x->audience_count; i++)
        if (strcmp(text, x->audiences[i]) == 0)
            return true;
    return false;
}

static int check_audience(const struct jwt *token, const struct jwt_expected *x, struct err *e)
{
    const json_t *audience = json_object_get(token->payload, "aud"), *item;
    bool found = is_audience(audience, x);
    size_t i;

    json_array_foreach(audience, i, item) found |= is_audience(item, x);
    return found ? 0 : err_set(e, ERR_UNKNOWN_WHO, "the token is for another audience (aud)");
}

static const char *first_of(const struct jwt *token, const char *const *names)
{
    for (; *names; names++) {
        const char *text = json_text(token->payload, *names);
        if (text && *text)
            return text;
    }
    return NULL;
}

static int read_lists(const struct jwt *token, const struct jwt_expected *x,
                      struct jwt_claims *claims, struct err *e)
{
    const char *groups = x->groups_claim ? x->groups_claim : "groups";
    const char *roles = x->roles_claim ? x->roles_claim : "roles";
    const json_t *scopes = json_object_get(token->payload, "scp");

    if (!scopes)
        scopes = json_object_get(token->payload, "scope");
    if (read_names(claim_at(token->payload, groups), false, &claims->groups, e) < 0 ||
        read_names(claim_at(token->payload, roles), false, &claims->roles, e) < 0)
        return -1;
    return read_names(scopes, true, &claims->scopes, e);
}

int jwt_check(const struct jwt *token, const struct jwt_expected *x, struct jwt_claims *ret,
              struct err *e)
{
    static const char *const who[] = {"oid", "sub", NULL};
    static const char *const client[] = {"azp", "appid", "client_id", NULL};
    auto_jwt_claims struct jwt_claims claims = JWT_CLAIMS_INIT;
    const char *issuer = jwt_issuer(token), *id = first_of(token, who);

    if (!issuer || strcmp(issuer, x->issuer) != 0)
        return err_set(e, ERR_UNKNOWN_WHO, "the token is of another issuer (iss)");
    if (check_audience(token, x, e) < 0 || check_times(token, x, &claims.expires, e) < 0)
        return -1;
    if (!id)
        return err_set(e, ERR_UNKNOWN_WHO, "the token does not say whose it is (sub)");
    claims.issuer = xstrdup(issuer);
    claims.object_id = xstrdup(id);
    claims.subject = xstrdup_null(json_text(token->payload, "sub"));
    claims.client = xstrdup_null(first_of(token, client));
    claims.tenant = xstrdup_null(json_text(token->payload, "tid"));
    if (read_lists(token, x, &claims, e) < 0)
        return -1;
    *ret = claims;
    claims = (struct jwt_claims)JWT_CLAIMS_INIT;
    return 0;
}
