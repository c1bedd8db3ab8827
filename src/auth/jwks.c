// SPDX-License-Identifier: EUPL-1.2
/* The keys of an OIDC issuer: see jwks.h. */
#include "auth/jwks.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <string.h>

#include "codec/json.h"
#include "codec/url.h"
#include "util/stream.h"
#include "util/thread.h"

#define DISCOVERY_PATH "/.well-known/openid-configuration"
#define USUAL_FRESH    (3600 * CLOCK_SECOND)
#define USUAL_LIFE     (86400 * CLOCK_SECOND)
#define USUAL_RETRY    (30 * CLOCK_SECOND)
#define USUAL_TIMEOUT  (10 * CLOCK_SECOND)

struct jwks {
    char *issuer, *uri; /* uri: NULL for discovery */
    struct http_client *client;
    int64_t fresh, life, retry_after, timeout;

    pthread_rwlock_t keys_lock;
    struct jwt_keys keys; /* guarded by keys_lock */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a fetch has ended */
    bool fetching;          /* this and what follows: guarded by lock */
    bool tried;             /* at least once */
    uint64_t fetches;       /* that succeeded */
    int64_t tried_at;       /* monotonic; when the last one ended */
    int64_t fetched_at;     /* monotonic; when the last good one did */
    struct err failure;     /* of the last one; code ERR_NONE: it was good */
};

/* ---- Addresses ---- */

static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* Whoever could change the keys on their way could be anybody. */
static int check_address(const char *text, const char *what, struct err *e)
{
    auto_url struct url url = URL_INIT;

    if (url_parse(text, &url, e) < 0)
        return err_prefix(e, "%s", what);
    if (url.userinfo)
        return err_set(e, ERR_INVALID, "%s holds a user or password", what);
    if (strcmp(url.scheme, "https") == 0 ||
        (strcmp(url.scheme, "http") == 0 && is_loopback(url.host)))
        return 0;
    return err_set(e, ERR_INVALID, "%s '%.200s' is not https", what, text);
}

int jwks_new(const struct jwks_options *o, struct jwks **ret, struct err *e)
{
    if (!o->issuer || check_address(o->issuer, "issuer", e) < 0 ||
        (o->jwks_uri && check_address(o->jwks_uri, "jwks_uri", e) < 0))
        return o->issuer ? -1 : err_set(e, ERR_INVALID, "no issuer is named");
    struct jwks *j = xcalloc(1, sizeof(*j));
    *j = (struct jwks){
        .issuer = xstrdup(o->issuer),
        .uri = xstrdup_null(o->jwks_uri),
        .client = o->client,
        .fresh = o->fresh ? o->fresh : USUAL_FRESH,
        .life = o->life ? o->life : USUAL_LIFE,
        .retry_after = o->retry_after ? o->retry_after : USUAL_RETRY,
        .timeout = o->timeout ? o->timeout : USUAL_TIMEOUT,
    };
    (void)pthread_rwlock_init(&j->keys_lock, NULL);
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->changed, NULL);
    *ret = j;
    return 0;
}

void jwks_free(struct jwks *j)
{
    if (!j)
        return;
    free(j->issuer);
    free(j->uri);
    jwt_keys_release(&j->keys);
    (void)pthread_rwlock_destroy(&j->keys_lock);
    (void)pthread_mutex_destroy(&j->lock);
    (void)pthread_cond_destroy(&j->changed);
    free(j);
}

const char *jwks_issuer(const struct jwks *j)
{
    return j->issuer;
}

/* ---- Fetching ---- */

static int get(struct jwks *j, const char *url, struct buf *ret, struct call *call)
{
    auto_request struct http_request request = {.method = "GET", .url = xstrdup(url)};
    auto_response struct http_response response = HTTP_RESPONSE_INIT;
    struct sink_buf to;

    sink_buf_init(&to, ret);
    http_request_header(&request, "Accept", "application/json");
    if (http_do(j->client, &request, &response, &to.sink, NULL, call) < 0)
        return -1;
    if (response.status != 200)
        return err_set(&call->err, ERR_REMOTE, "'%.200s' answers with status %d", url,
                       response.status);
    return 0;
}

static int discover(struct jwks *j, char **ret_uri, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(JWT_KEYS_MAX);
    auto_json json_t *document = NULL;
    size_t n = strlen(j->issuer);

    while (n && j->issuer[n - 1] == '/')
        n--;
    auto_free char *url = xasprintf("%.*s" DISCOVERY_PATH, (int)n, j->issuer);
    if (get(j, url, &body, call) < 0 ||
        json_parse(body.data, body.length, &document, &call->err) < 0)
        return err_prefix(&call->err, "discovery");
    const char *issuer = json_text(document, "issuer"), *uri = json_text(document, "jwks_uri");
    if (!issuer || strcmp(issuer, j->issuer) != 0)
        return err_set(&call->err, ERR_REMOTE,
                       "discovery: the issuer calls itself '%.200s': configure it like that",
                       issuer ? issuer : "");
    if (!uri)
        return err_set(&call->err, ERR_REMOTE, "discovery: it says no jwks_uri");
    if (check_address(uri, "discovery: jwks_uri", &call->err) < 0)
        return -1;
    *ret_uri = xstrdup(uri);
    return 0;
}

static int fetch(struct jwks *j, struct call *call)
{
    auto_free char *found = NULL;
    auto_buf struct buf body = BUF_INIT(JWT_KEYS_MAX);
    auto_jwt_keys struct jwt_keys keys = JWT_KEYS_INIT;

    if (!j->uri && discover(j, &found, call) < 0)
        return -1;
    if (get(j, j->uri ? j->uri : found, &body, call) < 0 ||
        jwt_keys_parse(body.data, body.length, &keys, &call->err) < 0)
        return err_prefix(&call->err, "key set");
    if (keys.count == 0)
        return err_set(&call->err, ERR_REMOTE, "key set: no key in it can be used");
    (void)pthread_rwlock_wrlock(&j->keys_lock);
    struct jwt_keys old = j->keys;
    j->keys = keys;
    (void)pthread_rwlock_unlock(&j->keys_lock);
    keys = old;
    return 0;
}

/* Fetch under the lock's flag, not under the lock.  The time it may take is its own: a caller in a
 * hurry must not spoil it for all. */
static void fetch_now(struct jwks *j)
{
    struct call own = CALL_INIT;

    j->fetching = true;
    (void)pthread_mutex_unlock(&j->lock);
    own.deadline = clock_monotonic() + j->timeout;
    int result = fetch(j, &own);
    (void)pthread_mutex_lock(&j->lock);
    j->fetching = false;
    j->tried = true;
    j->tried_at = clock_monotonic();
    err_clear(&j->failure);
    if (result == 0) {
        j->fetched_at = j->tried_at;
        j->fetches++;
    } else {
        j->failure = own.err;
    }
    (void)pthread_cond_broadcast(&j->changed);
}

static bool may_try(const struct jwks *j)
{
    return !j->fetching && (!j->tried || clock_monotonic() - j->tried_at >= j->retry_after);
}

static int not_to_be_had(const struct jwks *j, struct call *call)
{
    call->err.retry_after = (int)(j->retry_after / CLOCK_SECOND);
    return err_set(&call->err, ERR_BUSY, "the keys of issuer '%.200s' cannot be had: %.600s",
                   j->issuer, j->failure.text);
}

/* Whether the keys there are can still be trusted. */
static bool usable(const struct jwks *j)
{
    return j->fetches && clock_monotonic() - j->fetched_at < j->life;
}

static bool fresh(const struct jwks *j)
{
    return j->fetches && clock_monotonic() - j->fetched_at < j->fresh;
}

/* Make sure that there are keys: fresh ones, or with newer those of a fetch after seen, as far as
 * they are to be had.  Which fetch they are of. */
static int refresh(struct jwks *j, bool newer, uint64_t seen, uint64_t *ret_fetch,
                   struct call *call)
{
    locked(&j->lock);

    while (!usable(j) || (newer ? j->fetches == seen : !fresh(j))) {
        if (may_try(j)) {
            fetch_now(j);
        } else if (j->fetching && (newer || !usable(j))) {
            if (condition_wait(&j->changed, &j->lock, call) < 0)
                return err_prefix(&call->err, "keys of issuer '%.200s'", j->issuer);
        } else {
            break;
        }
    }
    if (!usable(j))
        return not_to_be_had(j, call);
    *ret_fetch = j->fetches;
    return 0;
}

static int verify_with(struct jwks *j, const struct jwt *token, struct err *e)
{
    (void)pthread_rwlock_rdlock(&j->keys_lock);
    int result = jwt_verify(token, &j->keys, e);
    (void)pthread_rwlock_unlock(&j->keys_lock);
    return result;
}

int jwks_verify(struct jwks *j, const struct jwt *token, struct call *call)
{
    const char *issuer = jwt_issuer(token);
    uint64_t seen = 0, newest = 0;

    if (!issuer || strcmp(issuer, j->issuer) != 0)
        return err_set(&call->err, ERR_UNKNOWN_WHO, "the token is of another issuer (iss)");
    if (refresh(j, false, 0, &seen, call) < 0)
        return -1;
    if (verify_with(j, token, &call->err) == 0)
        return 0;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    if (refresh(j, true, seen, &newest, call) < 0)
        return -1;
    if (newest != seen && verify_with(j, token, &call->err) == 0)
        return 0;
    call->err.code = ERR_UNKNOWN_WHO;
    return -1;
}
