// SPDX-License-Identifier: EUPL-1.2
/* The S3 driver: options to store, its table, reaching it.  See s3.h and s3_private.h. */
#include "store/driver/s3.h"

#include <string.h>

#include "codec/date.h"
#include "store/driver/s3_private.h"

static const struct store_ops s3_ops;

struct s3 *s3_of(struct store *s)
{
    return container_of(s, struct s3, store);
}

static int s3_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    struct err ignored = {0};
    int64_t theirs = 0, sent = clock_wall();

    s3_exchange_init(&x, s3_of(s), "GET", NULL, NULL, "list the buckets", call);
    if (s3_exchange_text(&x, &text) < 0) {
        /* A key that may not list buckets has been recognised all the same. */
        if (!s3_refused_with(&x, "AccessDenied"))
            return -1;
        err_clear(&call->err);
    } else if (!strstr(text.data, "ListAllMyBucketsResult")) {
        return err_set(&call->err, ERR_REMOTE,
                       "the answer is no list of buckets; is this an S3 endpoint?");
    }
    const char *date = s3_exchange_answer(&x, "Date");
    int64_t ours = sent + (clock_wall() - sent) / 2;
    /* Dates count whole seconds: what lies below one is no difference. */
    if (date && date_parse_rfc1123(date, &theirs, &ignored) == 0) {
        int64_t ahead = theirs + CLOCK_SECOND / 2 - ours;
        *ret_clock_ahead = ahead > -CLOCK_SECOND && ahead < CLOCK_SECOND ? 0 : ahead;
    }
    return 0;
}

static int s3_sync(struct store *s, struct call *call)
{
    (void)s;
    (void)call;
    return 0; /* an answered PUT is durable */
}

static void s3_close(struct store *s)
{
    struct s3 *s3 = s3_of(s);

    if (s3->client_owned)
        http_client_free(s3->client);
    free(s3->scheme);
    free(s3->host);
    free(s3->path);
    sigv4_release(&s3->who);
    pairs_release(&s3->tier_classes);
    pairs_release(&s3->conditional);
    (void)pthread_mutex_destroy(&s3->probing);
    store_release(s);
    free(s3);
}

static const struct store_ops s3_ops = {
    .reach = s3_reach,
    .stat = s3_stat,
    .get = s3_get,
    .put = s3_put,
    .remove = s3_remove,
    .list = s3_list,
    .upload_begin = s3_upload_begin,
    .upload_part = s3_upload_part,
    .upload_commit = s3_upload_commit,
    .upload_abort = s3_upload_abort,
    .copy = s3_copy,
    .sync = s3_sync,
    .close = s3_close,
};

static uint64_t or_else(uint64_t known, uint64_t usual)
{
    return known ? known : usual;
}

static void set_traits(struct s3 *s)
{
    const struct provider_limits *l = &s->provider.limits;
    const enum fact *features = s->provider.features;
    struct store_traits *t = &s->store.traits;
    bool tls = strcmp(s->scheme, "https") == 0;

    t->driver = "s3";
    t->object_size_max = or_else(l->object_max, S3_OBJECT_MAX);
    t->put_size_max = or_else(l->put_max, S3_PUT_MAX);
    t->part_size_min = or_else(l->part_min, S3_PART_MIN);
    t->part_size_max = or_else(l->part_max, S3_PUT_MAX);
    t->parts_max = (uint32_t)or_else(l->parts_max, S3_PARTS_MAX);
    t->name_bytes_max = (uint32_t)or_else(l->key_bytes_max, S3_NAME_MAX);
    t->name_refuses = NAME_NO_NON_UTF8;
    if (provider_has_quirk(&s->provider, QUIRK_LIST_URL_ENCODING_OFF))
        t->name_refuses |= NAME_NO_NON_XML | NAME_NO_CONTROL;
    t->metadata_bytes_max = (uint32_t)or_else(l->metadata_bytes_max, 2048);
    t->metadata_value_max = (uint32_t)or_else(l->metadata_value_max, t->metadata_bytes_max);
    t->metadata_count_max = 100;
    t->tags_max =
        features[FEATURE_TAGGING] == FACT_NO ? 0 : (uint32_t)or_else(l->tags_max, S3_TAGS_MAX);
    t->lists_in_order = true;
    t->part_needs_hash = !tls && features[FEATURE_CHUNK_SIGNING] != FACT_YES;
}

static void set_known_facts(struct s3 *s)
{
    const enum fact *features = s->provider.features;

    for (int i = 0; i < S3_FACT_COUNT; i++)
        atomic_init(&s->facts[i], (int)FACT_UNKNOWN);
    /* What the provider says it lacks is not tried; what it says it has is. */
    if (features[FEATURE_CHUNK_SIGNING] == FACT_NO)
        atomic_store(&s->facts[S3_FACT_CHUNK_SIGNED], (int)FACT_NO);
    if (features[FEATURE_CONDITIONAL_WRITES] == FACT_NO)
        atomic_store(&s->facts[S3_FACT_CONDITIONAL], (int)FACT_NO);
    if (features[FEATURE_TAGGING] == FACT_NO)
        atomic_store(&s->facts[S3_FACT_TAGGING], (int)FACT_NO);
}

static int check_options(const struct s3_options *o, struct err *e)
{
    if (!o->endpoint || !*o->endpoint)
        return err_set(e, ERR_INVALID, "an S3 store needs 'endpoint', or 'provider' and 'region'");
    if (!o->access_key || !*o->access_key || !o->secret_key || !o->secret_key->length)
        return err_set(e, ERR_INVALID, "an S3 store needs 'access_key' and 'secret_key'");
    return 0;
}

int s3_store_open(const struct s3_options *options, const char *name, struct store **ret,
                  struct call *call)
{
    struct err *e = &call->err;

    if (check_options(options, e) < 0)
        return err_prefix(e, "%s", name);
    const char *region = options->region && *options->region ? options->region : "us-east-1";
    struct s3 *s = xcalloc(1, sizeof(*s));
    if (sigv4_init(&s->who, options->access_key, options->secret_key, options->session_token,
                   region, e) < 0) {
        free(s);
        return err_prefix(e, "%s", name);
    }
    (void)pthread_mutex_init(&s->probing, NULL);
    s->virtual_host = options->virtual_host;
    if (options->provider)
        s->provider = *options->provider;
    if (options->tier_classes)
        pairs_copy(&s->tier_classes, options->tier_classes);
    s->client = options->client;
    int status = s3_endpoint_parse(s, options->endpoint, e);
    if (status == 0 && !s->client) {
        status = http_client_new(NULL, &s->client, e);
        s->client_owned = status == 0;
    }
    auto_free char *identity =
        xasprintf("s3:%s://%s%s#%s", s->scheme ? s->scheme : "", s->host ? s->host : "",
                  s->path ? s->path : "", s->who.access_key);
    store_init(&s->store, &s3_ops, name, identity);
    s->store.containers = &s3_container_ops;
    if (status < 0) {
        s3_close(&s->store);
        return err_prefix(e, "%s", name);
    }
    set_traits(s);
    set_known_facts(s);
    s->store.tags = s->store.traits.tags_max ? &s3_tag_ops : NULL;
    s->store.tier = &s3_tier_ops;
    *ret = &s->store;
    return 0;
}
