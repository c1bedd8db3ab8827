// SPDX-License-Identifier: EUPL-1.2
/* Reading objects from S3: see s3_private.h. */
#include <inttypes.h>
#include <string.h>

#include "store/driver/s3_private.h"

/* Some services read the condition and go on regardless: look for ourselves. */
static int check_etag(const struct object_key *key, const char *wanted, const struct object *found,
                      struct call *call)
{
    if (!wanted || (found->etag && strcmp(found->etag, wanted) == 0))
        return 0;
    return err_set(&call->err, ERR_CHANGED, "'%s/%s' has changed meanwhile", key->container,
                   key->name);
}

int s3_stat(struct store *s, const struct object_key *key, struct object *ret, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    s3_exchange_init(&x, s3_of(s), "HEAD", key->container, key->name, "look at", call);
    s3_exchange_version(&x, key);
    if (s3_exchange_send(&x, NULL, NULL) < 0 || s3_object_from_answer(&x, ret) < 0)
        return -1;
    if (key->kind != VERSION_CURRENT) {
        ret->kind = key->kind;
        replace_string(&ret->version, key->version);
    }
    return 0;
}

struct reading {
    struct http_begun begun;
    struct s3_exchange *x;
    const struct object_key *key;
    const struct get_options *options;
    struct object *ret;
};

/* An answer to a range must be that range, from its first byte on. */
static int check_range(const struct reading *r, struct call *call)
{
    const char *range = s3_exchange_answer(r->x, "Content-Range");
    unsigned long long first = 0;

    if (r->x->response.status == 206) {
        if (range && strncmp(range, "bytes ", 6) == 0)
            first = strtoull(range + 6, NULL, 10);
        if (range && first == r->options->offset)
            return 0;
    } else if (r->options->offset == 0 && r->options->length >= r->ret->size) {
        return 0;
    }
    return err_set(&call->err, ERR_REMOTE, "read '%s/%s': the service answered with another range",
                   r->key->container, r->key->name);
}

static int reading_begun(struct http_begun *begun, const struct http_response *response,
                         struct call *call)
{
    struct reading *r = container_of(begun, struct reading, begun);

    (void)response;
    if (s3_object_from_answer(r->x, r->ret) < 0)
        return -1;
    if (r->key->kind != VERSION_CURRENT) {
        r->ret->kind = r->key->kind;
        replace_string(&r->ret->version, r->key->version);
    }
    if (check_etag(r->key, r->options->if_match, r->ret, call) < 0)
        return -1;
    return check_range(r, call);
}

/* "bytes=0-99"; nothing for the whole. */
static void ask_range(struct s3_exchange *x, const struct get_options *options)
{
    uint64_t last = options->offset + options->length - 1;

    if (options->length == STORE_TO_END || last < options->offset) {
        if (options->offset)
            http_request_headerf(&x->request, "Range", "bytes=%" PRIu64 "-", options->offset);
        return;
    }
    http_request_headerf(&x->request, "Range", "bytes=%" PRIu64 "-%" PRIu64, options->offset, last);
}

/* No range of an empty object exists, and yet reading it from 0 is fine. */
static int is_it_empty(struct store *s, const struct object_key *key,
                       const struct get_options *options, struct object *ret, struct call *call)
{
    struct err refused = call->err;
    auto_object struct object found = OBJECT_INIT;

    if (options->offset != 0)
        return -1;
    if (s3_stat(s, key, &found, call) < 0 || check_etag(key, options->if_match, &found, call) < 0)
        return -1;
    if (found.size) {
        call->err = refused;
        return -1;
    }
    *ret = found;
    found = (struct object)OBJECT_INIT;
    return 0;
}

int s3_get(struct store *s, const struct object_key *key, const struct get_options *options,
           struct sink *to, struct object *ret, enum transport_check *ret_check, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    s3_exchange_init(&x, s3_of(s), "GET", key->container, key->name, "read", call);
    s3_exchange_version(&x, key);
    ask_range(&x, options);
    if (options->if_match)
        http_request_headerf(&x.request, "If-Match", "\"%s\"", options->if_match);
    struct reading reading = {
        .begun = {reading_begun}, .x = &x, .key = key, .options = options, .ret = ret};
    *ret_check = TRANSPORT_LENGTH;
    if (s3_exchange_send(&x, to, &reading.begun) == 0)
        return 0;
    if (call->err.code == ERR_RANGE && x.response.status == 416)
        return is_it_empty(s, key, options, ret, call);
    return -1;
}
