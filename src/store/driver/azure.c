// SPDX-License-Identifier: EUPL-1.2
/* The Azure Blob driver: opening it, its facts and traits, the small operations: see azure.h. */
#include "store/driver/azure.h"

#include <string.h>

#include "store/driver/azure_private.h"
#include "util/log.h"

#define API_VERSION "2025-01-05"

/* -------------------------------------------------------------------------- facts */

static const char *const fact_keys[] = {
    [AZURE_FACT_RANGE_CHECKSUM] = "range-checksum",
    [AZURE_FACT_STRUCTURED] = "structured-body",
    [AZURE_FACT_HIERARCHY] = "hierarchical",
    [AZURE_FACT_INCLUDES] = "list-holds",
};
static const char *const fact_words[] = {
    [WORD_UNKNOWN] = "",    [WORD_YES] = "yes", [WORD_NO] = "no",
    [WORD_CRC64] = "crc64", [WORD_MD5] = "md5",
};

enum azure_word azure_fact(struct azure *a, enum azure_fact fact, struct call *call)
{
    struct notebook *n = a->store.notebook;
    enum azure_word word = (enum azure_word)atomic_load(&a->facts[fact]);
    struct call own = call_child(call, call->cancel);
    char text[16];

    if (word != WORD_UNKNOWN || !n ||
        n->read(n, a->store.identity, fact_keys[fact], text, sizeof(text), &own) <= 0)
        return word;
    for (size_t i = WORD_YES; i < ARRAY_SIZE(fact_words); i++)
        if (strcmp(fact_words[i], text) == 0)
            word = (enum azure_word)i;
    atomic_store(&a->facts[fact], (int)word);
    return word;
}

void azure_learn(struct azure *a, enum azure_fact fact, enum azure_word word, struct call *call)
{
    struct notebook *n = a->store.notebook;
    struct call own = call_child(call, call->cancel);

    if (atomic_exchange(&a->facts[fact], (int)word) == (int)word || !n)
        return;
    if (n->write(n, a->store.identity, fact_keys[fact], fact_words[word], &own) < 0)
        log_line(LOG_DEBUG, "%s: cannot note '%s': %s", a->store.name, fact_keys[fact],
                 own.err.text);
}

/* --------------------------------------------------------------- small operations */

int azure_stat(struct store *s, const struct object_key *key, struct object *ret, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_object struct object o = OBJECT_INIT;
    struct azure *a = azure_of(s);

    if (azure_readable(key, call) < 0)
        return -1;
    azure_exchange_key(a, &x, "HEAD", key, 'r');
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
        return -1;
    if (x.response.content_length == HTTP_LENGTH_UNKNOWN)
        return err_set(&call->err, ERR_REMOTE, "the service did not say how long the blob is");
    azure_read_properties(&x.response, &o);
    o.size = x.response.content_length;
    o.kind = key->kind;
    if (key->version)
        replace_string(&o.version, key->version);
    *ret = o;
    o = (struct object)OBJECT_INIT;
    return 0;
}

static int azure_remove_one(struct store *s, const struct object_key *key, const char *if_match,
                            struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    struct azure *a = azure_of(s);

    if (azure_readable(key, call) < 0)
        return -1;
    azure_exchange_key(a, &x, "DELETE", key, key->kind == VERSION_ID ? 'x' : 'd');
    azure_exchange_conditions(&x, if_match, false);
    return azure_exchange_do(a, &x, NULL, NULL, call);
}

/* The requests that may serve to see whether the service answers and knows us: not all credentials
 * may do all of them. */
static const struct probe {
    bool account; /* about the account, else about the one container */
    const char *method, *key, *value, *key2, *value2;
    char permission;
} probes[] = {
    {true, "GET", "comp", "list", "maxresults", "1", 'l'},
    {false, "GET", "restype", "container", "comp", "list", 'l'},
    {false, "HEAD", "restype", "container", NULL, NULL, 'r'},
    {true, "GET", "restype", "account", "comp", "properties", 'r'},
};

static int try_probe(struct azure *a, const struct probe *p, int64_t *ret_ahead, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    int64_t asked;

    azure_exchange_container(a, &x, p->method, p->account ? NULL : a->container, p->permission);
    azure_exchange_query(&x, p->key, p->value);
    if (p->key2)
        azure_exchange_query(&x, p->key2, p->value2);
    if (!p->account && p->key2)
        azure_exchange_query(&x, "maxresults", "1");
    asked = clock_wall();
    int result = azure_exchange_do(a, &x, NULL, NULL, call);
    (void)azure_clock_ahead(&x.response, asked, ret_ahead);
    return result;
}

static int azure_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    struct azure *a = azure_of(s);
    struct err first = {0};

    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        if (probes[i].account == (a->container != NULL) && probes[i].permission == 'l')
            continue;
        if (!probes[i].account && !a->container)
            continue;
        if (try_probe(a, &probes[i], ret_clock_ahead, call) == 0)
            return 0;
        if (call->err.code != ERR_DENIED)
            return -1;
        if (!first.code)
            first = call->err;
        err_clear(&call->err);
    }
    call->err = first;
    return -1;
}

/* Every answered write is durable already. */
static int azure_sync(struct store *s, struct call *call)
{
    (void)s;
    return call_check(call);
}

static void azure_close(struct store *s)
{
    struct azure *a = azure_of(s);

    if (a->client_owned)
        http_client_free(a->client);
    azure_auth_release(a);
    (void)pthread_mutex_destroy(&a->lock);
    free(a->endpoint);
    free(a->account);
    free(a->version);
    free(a->container);
    store_release(s);
    free(a);
}

static const struct store_ops azure_ops = {
    .reach = azure_reach,
    .stat = azure_stat,
    .get = azure_get,
    .put = azure_put,
    .remove = azure_remove_one,
    .list = azure_list,
    .upload_begin = azure_upload_begin,
    .upload_part = azure_upload_part,
    .upload_commit = azure_upload_commit,
    .upload_abort = azure_upload_abort,
    .copy = azure_copy,
    .sync = azure_sync,
    .close = azure_close,
};

/* https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
static const struct store_traits azure_traits = {
    .driver = "azure",
    .object_size_max = UINT64_C(4000) * AZURE_BLOCKS_MAX << 20,
    .put_size_max = UINT64_C(5000) << 20,
    .part_size_max = UINT64_C(4000) << 20,
    .parts_max = AZURE_BLOCKS_MAX,
    .name_refuses = NAME_NO_BACKSLASH | NAME_NO_DOT_SEGMENT | NAME_NO_NON_UTF8,
    .name_bytes_max = 3 * AZURE_NAME_UNITS_MAX,
    .name_units_max = AZURE_NAME_UNITS_MAX,
    .metadata_bytes_max = 8 * 1024,
    .metadata_value_max = 8 * 1024,
    .metadata_count_max = 1024,
    .tags_max = 10,
    .range_checksum_max = AZURE_RANGE_CHECKSUM_MAX,
    .metadata_keeps_case = true,
    .metadata_identifiers = true,
    .holds_type = true,
    .holds_tier = true,
};

/* ------------------------------------------------------------------------ opening */

/* Endpoint and account, of what options and connection string say in which way. */
static int settle_place(struct azure *a, const struct azure_place *place, bool secondary,
                        struct err *e)
{
    auto_free char *made = NULL;

    if (!place->endpoint && !place->account)
        return err_set(e, ERR_INVALID, "neither 'account' nor 'endpoint' is given");
    if (!place->endpoint)
        made = azure_endpoint_of(place->account, place->suffix);
    return azure_endpoint_normalise(made ? made : place->endpoint, place->account, secondary,
                                    &a->endpoint, &a->account, e);
}

static void set_up(struct azure *a, const char *name)
{
    auto_free char *identity = xasprintf("azure:%s", a->endpoint);

    store_init(&a->store, &azure_ops, name, identity);
    a->store.traits = azure_traits;
    if (strchr(strstr(a->endpoint, "://") + 3, '/')) /* path style: an emulator */
        a->store.traits.name_refuses |= NAME_NO_NON_XML;
    a->store.containers = &azure_container_ops;
    a->store.tags = &azure_tag_ops;
    a->store.tier = &azure_tier_ops;
    a->store.extents = &azure_extent_ops;
}

static int open_it(struct azure *a, const struct azure_options *o, const char *name,
                   struct call *call)
{
    auto_azure_place struct azure_place place = {
        .account = xstrdup_null(o->account),
        .endpoint = xstrdup_null(o->endpoint),
        .suffix = xstrdup_null(o->endpoint_suffix),
    };

    if (azure_auth_init(a, o, &place, &call->err) < 0 ||
        settle_place(a, &place, o->secondary, &call->err) < 0 ||
        azure_auth_settle(a, &place, &call->err) < 0)
        return err_prefix(&call->err, "%s", name);
    a->version = xstrdup(o->api_version ? o->api_version : API_VERSION);
    a->container = xstrdup_null(o->container);
    a->client = o->client;
    a->client_owned = !o->client;
    if (a->client_owned && http_client_new(NULL, &a->client, &call->err) < 0)
        return err_prefix(&call->err, "%s", name);
    set_up(a, name);
    return 0;
}

int azure_store_open(const struct azure_options *options, const char *name, struct store **ret,
                     struct call *call)
{
    struct azure *a = xcalloc(1, sizeof(*a));

    (void)pthread_mutex_init(&a->lock, NULL);
    if (open_it(a, options, name, call) < 0) {
        azure_close(&a->store);
        return -1;
    }
    *ret = &a->store;
    return 0;
}
