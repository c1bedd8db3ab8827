// SPDX-License-Identifier: EUPL-1.2
/* Tokens for OpenStack: see keystone.h. */
#include "auth/keystone.h"

#include <jansson.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "codec/date.h"
#include "codec/json.h"
#include "util/thread.h"

/* A token is renewed when less than this is left of it, or a quarter of its life. */
#define RENEW_BEFORE (5 * 60 * CLOCK_SECOND)
/* The life of a token whose end nobody told. */
#define USUAL_LIFE (30 * 60 * CLOCK_SECOND)
/* A catalogue of many services in many regions. */
#define ANSWER_MAX (4 * 1024 * 1024)

struct keystone {
    struct http_client *client;
    bool tempauth;
    char *url; /* where tokens are asked for */
    char *user, *user_domain, *project, *project_domain;
    char *credential_id, *credential_name;
    char *region, *interface;
    struct secret secret; /* password or credential's secret */

    pthread_mutex_t lock;
    char *token;       /* guarded by lock; NULL: none */
    char *storage_url; /* guarded by lock */
    int64_t renew;     /* guarded by lock: wall time from which on a new one is asked for */
};

void keystone_access_release(struct keystone_access *a)
{
    if (a->token)
        explicit_bzero(a->token, strlen(a->token));
    free(a->token);
    free(a->storage_url);
    *a = (struct keystone_access)KEYSTONE_ACCESS_INIT;
}

static char *without_slashes(const char *url)
{
    size_t length = strlen(url);

    while (length && url[length - 1] == '/')
        length--;
    return xstrndup(url, length);
}

/* "…/v3", "…/v3/" and "…/v3/auth/tokens" all mean the same place. */
static char *tokens_url(const char *auth_url)
{
    static const char tail[] = "/auth/tokens";
    auto_free char *plain = without_slashes(auth_url);
    size_t length = strlen(plain);

    if (length > sizeof(tail) - 1 && strcmp(plain + length - (sizeof(tail) - 1), tail) == 0)
        return take(plain);
    if (length < 3 || strcmp(plain + length - 3, "/v3") != 0)
        return xasprintf("%s/v3%s", plain, tail);
    return xasprintf("%s%s", plain, tail);
}

static const char *missing(const struct keystone_options *o)
{
    if (!o->auth_url)
        return "auth_url";
    if (o->tempauth)
        return !o->user ? "user" : !o->password ? "password" : NULL;
    if (o->application_credential_id || o->application_credential_name) {
        if (!o->application_credential_secret)
            return "application_credential_secret";
        return !o->application_credential_id && !o->user ? "user" : NULL;
    }
    return !o->user ? "user" : !o->password ? "password" : !o->project ? "project" : NULL;
}

int keystone_new(const struct keystone_options *o, struct http_client *client,
                 struct keystone **ret, struct err *e)
{
    const char *lacks = missing(o);

    if (lacks)
        return err_set(e, ERR_INVALID, "OpenStack authentication: %s is missing", lacks);
    struct keystone *k = xcalloc(1, sizeof(*k));
    *k = (struct keystone){
        .client = client,
        .tempauth = o->tempauth,
        .url = o->tempauth ? xstrdup(o->auth_url) : tokens_url(o->auth_url),
        .user = xstrdup_null(o->user),
        .user_domain = xstrdup(o->user_domain ? o->user_domain : "Default"),
        .project = xstrdup_null(o->project),
        .project_domain = xstrdup(o->project_domain ? o->project_domain
                                  : o->user_domain  ? o->user_domain
                                                    : "Default"),
        .credential_id = xstrdup_null(o->application_credential_id),
        .credential_name = xstrdup_null(o->application_credential_name),
        .region = xstrdup_null(o->region),
        .interface = xstrdup(o->interface ? o->interface : "public"),
    };
    bool credential = !o->tempauth && (k->credential_id || k->credential_name);
    secret_copy(&k->secret, credential ? o->application_credential_secret : o->password);
    (void)pthread_mutex_init(&k->lock, NULL);
    *ret = k;
    return 0;
}

static void forget(struct keystone *k)
{
    if (k->token)
        explicit_bzero(k->token, strlen(k->token));
    free(k->token);
    k->token = NULL;
}

void keystone_free(struct keystone *k)
{
    char **texts[] = {&k->url,
                      &k->user,
                      &k->user_domain,
                      &k->project,
                      &k->project_domain,
                      &k->credential_id,
                      &k->credential_name,
                      &k->region,
                      &k->interface,
                      &k->storage_url};

    if (!k)
        return;
    forget(k);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        free(*texts[i]);
    secret_release(&k->secret);
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

static void set_end(struct keystone *k, int64_t ends)
{
    int64_t life = ends - clock_wall();

    if (life <= 0 || life > 400 * 86400 * CLOCK_SECOND)
        life = USUAL_LIFE; /* one of the two clocks is wrong */
    k->renew = clock_wall() + life - (life / 4 < RENEW_BEFORE ? life / 4 : RENEW_BEFORE);
}

/* ---- Asking ---- */

static json_t *user_json(const struct keystone *k)
{
    return json_pack("{s:s,s:{s:s}}", "name", k->user, "domain", "name", k->user_domain);
}

static json_t *request_json(const struct keystone *k)
{
    const char *secret = (const char *)k->secret.bytes;

    if (k->credential_id)
        return json_pack("{s:{s:{s:[s],s:{s:s,s:s}}}}", "auth", "identity", "methods",
                         "application_credential", "application_credential", "id", k->credential_id,
                         "secret", secret);
    if (k->credential_name)
        return json_pack("{s:{s:{s:[s],s:{s:s,s:s,s:o}}}}", "auth", "identity", "methods",
                         "application_credential", "application_credential", "name",
                         k->credential_name, "secret", secret, "user", user_json(k));
    json_t *user = user_json(k);
    (void)json_object_set_new(user, "password", json_string(secret));
    return json_pack("{s:{s:{s:[s],s:{s:o}},s:{s:{s:s,s:{s:s}}}}}", "auth", "identity", "methods",
                     "password", "password", "user", user, "scope", "project", "name", k->project,
                     "domain", "name", k->project_domain);
}

static int refused(const struct keystone *k, const struct http_response *r, struct err *e)
{
    if (r->status == 401 || r->status == 403)
        return err_set(
            e, ERR_UNKNOWN_WHO, "%s refuses the %s: check user, secret, project and domain", k->url,
            k->credential_id || k->credential_name ? "application credential" : "user or password");
    if (r->status == 429 || r->status == 503)
        return err_set(e, ERR_BUSY, "%s answers %d: try later", k->url, r->status);
    return err_set(e, r->status >= 500 ? ERR_REMOTE : ERR_INVALID,
                   "%s answers %d: is it a Keystone v3 address?", k->url, r->status);
}

/* ---- The catalogue ---- */

/* Collect the regions that have an object store, for the error. */
static void add_region(struct buf *regions, const char *region)
{
    if (!region || strstr(regions->data, region) || regions->length > 400)
        return;
    buf_printf(regions, "%s%.80s", regions->length ? ", " : "", region);
}

static const char *find_endpoint(const struct keystone *k, const json_t *catalog,
                                 struct buf *regions)
{
    size_t i, n;
    json_t *service, *endpoint;

    json_array_foreach((json_t *)(uintptr_t)catalog, i, service)
    {
        const char *type = json_text(service, "type");
        if (!type || strcmp(type, "object-store") != 0)
            continue;
        json_array_foreach(json_object_get(service, "endpoints"), n, endpoint)
        {
            const char *interface = json_text(endpoint, "interface");
            const char *region = json_text(endpoint, "region_id");
            if (!region)
                region = json_text(endpoint, "region");
            if (!interface || strcmp(interface, k->interface) != 0)
                continue;
            add_region(regions, region);
            if (!k->region || (region && strcasecmp(region, k->region) == 0))
                return json_text(endpoint, "url");
        }
    }
    return NULL;
}

static int read_token(struct keystone *k, const struct http_response *r, const struct buf *body,
                      struct err *e)
{
    auto_json json_t *answer = NULL;
    auto_buf struct buf regions = BUF_INIT(1024);
    const char *token = http_response_header(r, "X-Subject-Token");

    if (json_parse(body->data, body->length, &answer, e) < 0) {
        e->code = ERR_REMOTE;
        return err_prefix(e, "the token answer of %s", k->url);
    }
    const json_t *about = json_object_get(answer, "token");
    const char *ends = json_text(about, "expires_at");
    if (!token || !about)
        return err_set(e, ERR_REMOTE, "%s answers without a token", k->url);
    const char *url = find_endpoint(k, json_object_get(about, "catalog"), &regions);
    if (!url && regions.length)
        return err_set(e, ERR_NOT_FOUND, "no object store in region '%s': there are %s", k->region,
                       regions.data);
    if (!url)
        return err_set(e, ERR_NOT_FOUND, "no object store in the catalogue of %s for this project",
                       k->url);
    int64_t end = 0;
    if (ends && date_parse_iso8601(ends, &end, e) < 0)
        err_clear(e);
    set_end(k, end);
    k->token = xstrdup(token);
    free(k->storage_url);
    k->storage_url = without_slashes(url);
    return 0;
}

static int ask_keystone(struct keystone *k, struct call *call)
{
    auto_request struct http_request request = {.method = "POST", .url = xstrdup(k->url)};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    struct source_bytes source;
    struct sink_buf sink;
    json_t *json = request_json(k);
    auto_free char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    if (!text)
        return err_set(&call->err, ERR_INVALID, "user, secret or project are not UTF-8");
    http_request_header(&request, "Content-Type", "application/json");
    http_request_header(&request, "Accept", "application/json");
    source_bytes_init(&source, text, strlen(text));
    request.body = &source.source;
    request.body_length = strlen(text);
    sink_buf_init(&sink, &body);
    int done = http_do(k->client, &request, &response, &sink.sink, NULL, call);
    explicit_bzero(text, strlen(text));
    if (done < 0)
        return err_prefix(&call->err, "ask for a token");
    if (response.status != 201 && response.status != 200)
        return refused(k, &response, &call->err);
    return read_token(k, &response, &body, &call->err);
}

static int ask_tempauth(struct keystone *k, struct call *call)
{
    auto_request struct http_request request = {.method = "GET", .url = xstrdup(k->url)};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;

    http_request_header(&request, "X-Auth-User", k->user);
    http_request_header(&request, "X-Auth-Key", (const char *)k->secret.bytes);
    if (http_do(k->client, &request, &response, NULL, NULL, call) < 0)
        return err_prefix(&call->err, "ask for a token");
    if (response.status >= 300)
        return refused(k, &response, &call->err);
    const char *token = http_response_header(&response, "X-Auth-Token");
    const char *url = http_response_header(&response, "X-Storage-Url");
    const char *life = http_response_header(&response, "X-Auth-Token-Expires");
    if (!token || !url)
        return err_set(&call->err, ERR_REMOTE, "%s answers without token and storage URL", k->url);
    long seconds = life ? strtol(life, NULL, 10) : 0;
    set_end(k, clock_wall() + (seconds > 0 && seconds < 10000000 ? seconds * CLOCK_SECOND : 0));
    k->token = xstrdup(token);
    free(k->storage_url);
    k->storage_url = without_slashes(url);
    return 0;
}

int keystone_access(struct keystone *k, struct keystone_access *ret, struct call *call)
{
    /* The lock is held while asking: whoever else needs a token waits for this one. */
    locked(&k->lock);
    if (k->token && clock_wall() >= k->renew)
        forget(k);
    if (!k->token && (k->tempauth ? ask_tempauth(k, call) : ask_keystone(k, call)) < 0)
        return -1;
    ret->token = xstrdup(k->token);
    ret->storage_url = xstrdup(k->storage_url);
    return 0;
}

void keystone_refused(struct keystone *k, const struct keystone_access *access)
{
    locked(&k->lock);
    if (k->token && access->token && strcmp(k->token, access->token) == 0)
        forget(k);
}
