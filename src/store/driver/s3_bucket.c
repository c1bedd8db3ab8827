// SPDX-License-Identifier: EUPL-1.2
/* Buckets: see s3_private.h. */
#include <string.h>

#include "codec/date.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

static int list_buckets(struct store *s, const char *cursor, struct container_list *ret,
                        struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *root = NULL;
    auto_container_list struct container_list list = {0};
    struct err ignored = {0};

    s3_exchange_init(&x, s3_of(s), "GET", NULL, NULL, "list the buckets", call);
    if (cursor)
        s3_exchange_query(&x, "continuation-token", cursor);
    if (s3_exchange_text(&x, &text) < 0)
        return -1;
    if (xml_parse(text.data, text.length, &root, &call->err) < 0 ||
        strcmp(root->name, "ListAllMyBucketsResult") != 0)
        return err_set(&call->err, ERR_REMOTE,
                       "list the buckets: the answer is no list of buckets; is this an S3 "
                       "endpoint?");
    for (const struct xml_node *n = xml_child(root, "Buckets/Bucket"); n; n = xml_next(n)) {
        const char *name = xml_text(n, "Name"), *date = xml_text(n, "CreationDate");
        if (!name || !*name)
            continue;
        struct container *c = container_list_add(&list);
        c->name = xstrdup(name);
        if (date && date_parse_iso8601(date, &c->modified, &ignored) < 0)
            c->modified = TIME_UNKNOWN;
    }
    const char *more = xml_text(root, "ContinuationToken");
    list.cursor = xstrdup_null(more && *more ? more : NULL);
    *ret = list;
    list = (struct container_list){0};
    return 0;
}

int s3_bucket_versioning(struct s3 *s, const char *bucket, bool *ret, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *root = NULL;

    s3_exchange_init(&x, s, "GET", bucket, NULL, "look at", call);
    s3_exchange_query(&x, "versioning", "");
    if (s3_exchange_text(&x, &text) < 0 || xml_parse(text.data, text.length, &root, &call->err) < 0)
        return -1;
    *ret = same_string(xml_text(root, "Status"), "Enabled");
    return 0;
}

/* The answer to a HEAD has no body, and so gives no reason: another question learns it. */
static void learn_why(struct s3 *s, const char *bucket, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    struct call asking = call_child(call, NULL);

    s3_exchange_init(&x, s, "GET", bucket, NULL, "look at", &asking);
    s3_exchange_query(&x, "location", "");
    if (s3_exchange_send(&x, NULL, NULL) < 0 &&
        (asking.err.code == ERR_UNKNOWN_WHO || asking.err.code == ERR_CLOCK ||
         asking.err.code == ERR_DENIED))
        call->err = asking.err;
}

static int head_bucket(struct s3 *s, const char *bucket, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    s3_exchange_init(&x, s, "HEAD", bucket, NULL, "look at", call);
    if (s3_exchange_send(&x, NULL, NULL) == 0)
        return 0;
    if (call->err.code == ERR_DENIED)
        learn_why(s, bucket, call);
    return -1;
}

static int stat_bucket(struct store *s, const char *bucket, struct container *ret,
                       struct call *call)
{
    auto_container struct container found = CONTAINER_INIT;

    if (head_bucket(s3_of(s), bucket, call) < 0) {
        struct err why = {0};
        /* That it cannot be made either is worth knowing before it is tried. */
        if (call->err.code == ERR_NOT_FOUND &&
            s3_bucket_name_check(&s3_of(s)->provider, bucket, &why) < 0)
            call->err = why;
        return -1;
    }
    if (s3_bucket_versioning(s3_of(s), bucket, &found.versioning, call) < 0) {
        /* Not offered, or not permitted to ask: then nothing is known of it. */
        if (call->err.code != ERR_UNSUPPORTED && call->err.code != ERR_DENIED &&
            call->err.code != ERR_INVALID)
            return -1;
        err_clear(&call->err);
    }
    found.name = xstrdup(bucket);
    *ret = found;
    found = (struct container)CONTAINER_INIT;
    return 0;
}

int s3_bucket_enable_versioning(struct s3 *s, const char *bucket, struct call *call)
{
    static const char body[] = "<VersioningConfiguration "
                               "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                               "<Status>Enabled</Status></VersioningConfiguration>";
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    bool enabled = false;

    s3_exchange_init(&x, s, "PUT", bucket, NULL, "switch versioning on in", call);
    s3_exchange_query(&x, "versioning", "");
    s3_exchange_body(&x, body, sizeof(body) - 1);
    s3_exchange_md5(&x);
    if (s3_exchange_send(&x, NULL, NULL) < 0 || s3_bucket_versioning(s, bucket, &enabled, call) < 0)
        return -1;
    if (!enabled)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "switch versioning on in '%s': it was accepted, but is still off", bucket);
    return 0;
}

/* Regions that are no place: a body naming them would be refused. */
static bool wants_location(const struct s3 *s)
{
    static const char *const nowhere[] = {"us-east-1", "default", "auto", ""};

    if (provider_has_quirk(&s->provider, QUIRK_LOCATION_CONSTRAINT_OFF))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++)
        if (strcmp(s->who.region, nowhere[i]) == 0)
            return false;
    return true;
}

static int put_bucket(struct s3 *s, const char *bucket, bool location, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(4096);

    s3_exchange_init(&x, s, "PUT", bucket, NULL, "create", call);
    if (location) {
        buf_text(&text, "<CreateBucketConfiguration "
                        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        xml_element(&text, "LocationConstraint", s->who.region);
        buf_text(&text, "</CreateBucketConfiguration>");
    }
    s3_exchange_body(&x, text.data, text.length);
    if (s3_exchange_send(&x, NULL, NULL) == 0)
        return 0;
    if (location && s3_refused_with(&x, "InvalidLocationConstraint")) {
        err_clear(&call->err);
        return put_bucket(s, bucket, false, call);
    }
    return -1;
}

/* In some regions creating one's own bucket again is answered with 200, in others with the error
 * for somebody else's: so look first. */
static int create_bucket(struct store *s, const char *bucket, const struct container *properties,
                         struct call *call)
{
    struct s3 *s3 = s3_of(s);

    if (s3_bucket_name_check(&s3->provider, bucket, &call->err) < 0)
        return -1;
    if (head_bucket(s3, bucket, call) == 0)
        return err_set(&call->err, ERR_EXISTS, "create '%s': it is there already", bucket);
    if (call->err.code == ERR_DENIED)
        return err_set(&call->err, ERR_NAME,
                       "create '%s': the name belongs to somebody else; map it to another", bucket);
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    if (put_bucket(s3, bucket, wants_location(s3), call) < 0)
        return -1;
    return properties && properties->versioning ? s3_bucket_enable_versioning(s3, bucket, call) : 0;
}

static int remove_bucket(struct store *s, const char *bucket, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    s3_exchange_init(&x, s3_of(s), "DELETE", bucket, NULL, "remove", call);
    return s3_exchange_send(&x, NULL, NULL);
}

const struct container_ops s3_container_ops = {
    .list = list_buckets,
    .stat = stat_bucket,
    .create = create_bucket,
    .remove = remove_bucket,
    .settings = s3_settings,
    .apply = s3_apply,
};
