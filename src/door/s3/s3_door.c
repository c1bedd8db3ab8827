// SPDX-License-Identifier: EUPL-1.2
/* The S3 door's frame: from an exchange to a handler and back.  See s3_door.h. */
#include "door/s3/s3_door.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/url.h"
#include "door/s3/s3_door_private.h"
#include "util/log.h"
#include "util/random.h"

struct s3_door *s3_door_new(const struct s3_door_options *options)
{
    struct s3_door *door = xcalloc(1, sizeof(*door));
    door->options = *options;
    return door;
}

void s3_door_free(struct s3_door *door)
{
    free(door);
}

static void request_free(struct s3_request *r)
{
    if (r->body != NULL)
        s3_body_free(r->body);
    free(r->bucket);
    free(r->key);
    free(r->account);
    free(r->principal);
    free(r->detail);
    pairs_release(&r->query);
    pairs_release(&r->answer);
    pairs_release(&r->details);
    sigv4_claim_release(&r->claim);
    if (r->proof == S3_SIGNATURE || r->proof == S3_PRESIGNED)
        sigv4_release(&r->who);
    container_row_release(&r->container);
    free(r);
}

/* ---- Where ---- */

/* "bucket.s3.example.eu:443" with one of the domains: the length of the bucket's name, else 0. */
static size_t bucket_in_host(const struct s3_door *door, const char *host)
{
    size_t length = strcspn(host, ":");
    for (size_t i = 0; i < door->options.domain_count; i++) {
        size_t n = strlen(door->options.domains[i]);
        if (length > n + 1 && host[length - n - 1] == '.' &&
            strncasecmp(host + length - n, door->options.domains[i], n) == 0)
            return length - n - 1;
    }
    return 0;
}

static int decode(struct s3_request *r, const char *text, size_t n, char **ret, struct call *call)
{
    auto_buf struct buf out = BUF_INIT(HTTP_ERROR_BODY_MAX);
    if (url_unescape(&out, text, n, false, &call->err) < 0 ||
        memchr(out.data, '\0', out.length) != NULL)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "The request's path cannot be decoded.");
    free(*ret);
    *ret = buf_take(&out);
    return 0;
}

/* All of the path is the key: the index document is looked for later. */
static int website_parse(struct s3_request *r, size_t in_host, struct call *call)
{
    const char *path = r->x->path;
    r->which = S3_WEBSITE;
    r->bucket = xstrndup(r->x->host, in_host);
    for (char *c = r->bucket; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 'a' - 'A') : *c;
    path += path[0] == '/';
    return decode(r, path, strlen(path), &r->key, call);
}

static int target_parse(struct s3_request *r, struct call *call)
{
    const char *path = r->x->path;
    size_t of_website = s3_website_in_host(r->door, r->x->host);
    size_t in_host = bucket_in_host(r->door, r->x->host);
    if (of_website > 0)
        return website_parse(r, of_website, call);
    if (r->x->query != NULL && query_parse(r->x->query, &r->query, &call->err) < 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "The request's query cannot be decoded.");
    if (in_host > 0) {
        r->virtual_host = true;
        r->bucket = xstrndup(r->x->host, in_host);
    } else if (path[0] == '/' && path[1] != '\0') {
        size_t n = strcspn(path + 1, "/");
        if (decode(r, path + 1, n, &r->bucket, call) < 0)
            return -1;
        path += 1 + n;
    }
    if (r->bucket == NULL) {
        r->which = S3_SERVICE;
        return 0;
    }
    r->which = S3_BUCKET;
    if (path[0] != '/' || path[1] == '\0')
        return 0;
    r->which = S3_OBJECT;
    if (decode(r, path + 1, strlen(path + 1), &r->key, call) < 0)
        return -1;
    if (strlen(r->key) > S3_KEY_MAX)
        return s3_fail(r, S3_KEY_TOO_LONG, call);
    return 0;
}

/* ---- The way of a request ---- */

static int find_container(struct s3_request *r, struct call *call)
{
    if (r->account == NULL || service_container_get(r->door->options.service, r->account, r->bucket,
                                                    NULL, &r->container, call) < 0) {
        bool missing = r->account == NULL || call->err.fault == FAULT_CONTAINER_MISSING ||
                       call->err.fault == FAULT_ACCOUNT_MISSING;
        if (!missing)
            return -1;
        err_clear(&call->err);
        if ((r->operation->flags & S3_NO_BUCKET) == 0)
            return s3_fail(r, S3_NO_SUCH_BUCKET, call);
    }
    return 0;
}

/* The version asked for. */
static int find_version(struct s3_request *r, struct call *call)
{
    const char *version = s3_query(r, "versionId");
    if (r->which != S3_OBJECT || version == NULL || version[0] == '\0')
        return 0;
    if ((r->operation->flags & S3_NO_VERSION) != 0)
        return s3_fail_argument(r, "versionId", version, call,
                                "This operation does not accept a version-id.");
    if (s3_version_check(r, version, call) < 0)
        return -1;
    r->place.kind = VERSION_ID;
    r->place.version = version;
    return 0;
}

/* Before a byte of the body is asked for: it must say how long it is, and not be too long. */
static int check_length(struct s3_request *r, struct call *call)
{
    uint64_t length = r->x->body_length;
    bool unknown = length == HTTP_LENGTH_UNKNOWN;
    const char *payload = s3_header(r, "x-amz-content-sha256");
    if (payload != NULL && strncmp(payload, "STREAMING-", 10) == 0)
        return 0; /* the length that counts is in the framing's own header */
    bool takes = (r->operation->flags & S3_TAKES_BODY) != 0;
    if (unknown || (takes && s3_header(r, "content-length") == NULL))
        return s3_fail(r, S3_MISSING_CONTENT_LENGTH, call);
    if (!takes || length <= S3_OBJECT_PUT_MAX)
        return 0;
    auto_free char *proposed = xasprintf("%" PRIu64, length);
    s3_explain(r, "ProposedSize", proposed);
    return s3_fail(r, S3_ENTITY_TOO_LARGE, call);
}

static int begin(struct s3_request *r, struct call *call)
{
    if (target_parse(r, call) < 0)
        return -1;
    r->operation = s3_route(r, call);
    if (r->operation == NULL || s3_authenticate(r, call) < 0)
        return -1;
    if (r->which != S3_SERVICE && find_container(r, call) < 0)
        return -1;
    r->place = (struct place){.account = r->account, .container = r->bucket, .name = r->key};
    if (find_version(r, call) < 0 || s3_authorize(r, call) < 0)
        return -1;
    if (s3_owner_check(r, "x-amz-expected-bucket-owner", call) < 0)
        return -1;
    return check_length(r, call);
}

void s3_door_begin(void *argument, struct http_exchange *x, struct call *call)
{
    struct s3_door *door = argument;
    struct s3_request *r = xcalloc(1, sizeof(*r));
    x->private = r;
    r->door = door;
    r->x = x;
    r->now = door->options.now != NULL ? door->options.now() : clock_wall();
    r->is_head = strcmp(x->method, "HEAD") == 0;
    r->container = container_row_new();
    r->secure = x->secure;
    random_hex(r->id, 16);
    (void)snprintf(r->peer, sizeof(r->peer), "%s", x->peer);
    if (door->options.origin != NULL)
        door->options.origin(door->options.argument, x, r->peer, sizeof(r->peer), &r->secure);
    if (begin(r, call) < 0)
        s3_answer_error(r, &call->err);
}

void s3_door_handle(void *argument, struct http_exchange *x, struct call *call)
{
    (void)argument;
    struct s3_request *r = x->private;
    int done = s3_body_open(r, call);
    if (done == 0)
        done = r->operation->handler(r, call);
    if (done < 0 && !r->answered)
        s3_answer_error(r, &call->err);
    if (!r->answered)
        (void)s3_answer(r, 500);
}

static const char *proof_name(enum s3_proof proof)
{
    static const char *const names[] = {"none", "anonymous", "signature", "presigned", "post"};
    return names[proof];
}

void s3_door_finished(void *argument, struct http_exchange *x, const struct http_finished *finished)
{
    struct s3_door *door = argument;
    struct s3_request *r = x->private;
    if (r == NULL)
        return;
    int status = finished->status;
    struct s3_door_record record = {
        .request_id = r->id,
        .operation = r->operation != NULL ? r->operation->name : "Unknown",
        .account = r->account,
        .bucket = r->bucket,
        .key = r->key,
        .method = x->method,
        .peer = r->peer,
        .user_agent = pairs_get_nocase(&x->headers, "user-agent"),
        .authentication = proof_name(r->proof),
        .access_key = r->claim.access_key[0] != '\0' ? r->claim.access_key : NULL,
        .principal = r->principal,
        .error = r->error_word,
        .status = status,
        .complete = finished->complete,
        .refused = status == 401 || status == 403,
        .administrative = r->operation != NULL && (r->operation->flags & S3_ADMINISTRATIVE) != 0,
        .bytes_in = finished->bytes_in,
        .bytes_out = finished->bytes_out,
        .began = finished->began,
        .duration = finished->duration,
    };
    if (door->options.record != NULL)
        door->options.record(door->options.argument, &record);
    request_free(r);
    x->private = NULL;
}
