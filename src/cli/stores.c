// SPDX-License-Identifier: EUPL-1.2
/* Opens the stores the configuration describes: see stores.h. */
#include "cli/stores.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/entra.h"
#include "cli/configuration.h"
#include "codec/suggest.h"
#include "store/driver/azure.h"
#include "store/driver/file.h"
#include "store/driver/s3.h"
#include "store/driver/swift.h"
#include "store/provider.h"
#include "store/stack.h"

/* A driver being opened: where its keys stand and what it gets. */
struct opening {
    const struct yaml_node *node;
    const char *name;
    const char *container;
    enum store_use use;
    const struct provider *provider; /* or NULL */
    struct http_client_options http;
    struct opened_store opened;
};

void opened_store_release(struct opened_store *s)
{
    store_close(s->store);
    entra_free(s->entra);
    http_client_free(s->client);
    if (s->made)
        (void)rmdir(s->made); /* stays where something is in it by now */
    free(s->made);
    *s = (struct opened_store){0};
}

/* ---- What every store has ---- */

static int read_http(struct opening *o, struct err *e)
{
    uint64_t connect = 0, stall = 0;

    if (yaml_text(o->node, "ca_file", &o->http.ca_file, e) < 0 ||
        yaml_text(o->node, "proxy", &o->http.proxy, e) < 0 ||
        yaml_bool(o->node, "insecure", &o->http.insecure, e) < 0 ||
        yaml_uint(o->node, "connect_timeout", &connect, e) < 0 ||
        yaml_uint(o->node, "stall_timeout", &stall, e) < 0)
        return -1;
    if (connect > 86400 || stall > 86400)
        return yaml_error(o->node, e, "a timeout is at most 86400 seconds");
    o->http.connect_timeout = (int64_t)connect * CLOCK_SECOND;
    o->http.stall_timeout = (int64_t)stall * CLOCK_SECOND;
    return 0;
}

static int read_limit(const struct yaml_node *node, struct limit_options *ret, struct err *e)
{
    static const char *const keys[] = {"requests", "download", "upload"};
    struct limit_plan *const plans[] = {&ret->requests, &ret->down, &ret->up};
    const struct yaml_node *limit = NULL;

    if (yaml_node_of(node, "limit", YAML_MAP, &limit, e) < 0)
        return -1;
    if (!limit)
        return 0;
    if (yaml_check_keys(limit, keys, ARRAY_SIZE(keys), e) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        const char *text = NULL;
        if (yaml_text(limit, keys[i], &text, e) < 0)
            return -1;
        if (text && limit_plan_parse(text, i ? LIMIT_BYTES : LIMIT_REQUESTS, plans[i], e) < 0) {
            struct err why = *e;
            return yaml_error(yaml_get(limit, keys[i]), e, "%s", why.text);
        }
    }
    return 0;
}

static int read_retry(const struct yaml_node *node, struct retry_options *ret, struct err *e)
{
    static const char *const keys[] = {"attempts", "seconds"};
    const struct yaml_node *retry = NULL;
    uint64_t attempts = 0, seconds = 0;

    if (yaml_node_of(node, "retry", YAML_MAP, &retry, e) < 0)
        return -1;
    if (!retry)
        return 0;
    if (yaml_check_keys(retry, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_uint(retry, "attempts", &attempts, e) < 0 ||
        yaml_uint(retry, "seconds", &seconds, e) < 0)
        return -1;
    if (attempts > 1000 || seconds > 86400)
        return yaml_error(retry, e, "at most 1000 attempts and 86400 seconds");
    ret->attempts_max = (unsigned)attempts;
    ret->total_max = (int64_t)seconds * CLOCK_SECOND;
    return 0;
}

/* ---- file ---- */

int store_from_path(const char *path, const char *name, enum store_use use,
                    struct opened_store *ret, struct call *call)
{
    struct stat s;
    struct store *store;

    /* Where it has to be made, its parents are not made up. */
    if (use == STORE_READ || stat(path, &s) == 0)
        return file_store_open(path, name, &ret->store, call);
    if (file_store_open_or_make(path, name, &store, call) < 0)
        return -1;
    ret->store = store;
    ret->made = use == STORE_PLAN ? xstrdup(path) : NULL;
    return 0;
}

static int open_file(struct opening *o, struct call *call)
{
    const char *path = NULL;

    if (yaml_text(o->node, "path", &path, &call->err) < 0)
        return -1;
    if (!path)
        return yaml_error(o->node, &call->err, "store '%s' wants a path", o->name);
    return store_from_path(path, o->name, o->use, &o->opened, call);
}

/* ---- azure ---- */

static int open_entra(struct opening *o, const char *tenant, struct call *call)
{
    const struct yaml_node *n = o->node;
    struct entra_options options = {.tenant = tenant, .client = o->opened.client};
    auto_secret struct secret secret = SECRET_INIT;
    const struct yaml_node *identity = yaml_get(n, "managed_identity");
    const char *certificate = NULL;
    bool managed = false;

    if (yaml_text(n, "client_id", &options.client_id, &call->err) < 0 ||
        yaml_text(n, "authority", &options.authority, &call->err) < 0 ||
        yaml_text(n, "token_command", &options.command, &call->err) < 0 ||
        yaml_text(n, "client_certificate", &certificate, &call->err) < 0 ||
        config_secret(n, "client_secret", &secret, &call->err) < 0)
        return -1;
    if (!yaml_is_null(identity)) {
        if (identity->kind != YAML_SCALAR)
            return yaml_error(identity, &call->err,
                              "managed_identity is true, or the client id of an identity");
        managed = strcmp(identity->text, "false") != 0;
        if (managed && strcmp(identity->text, "true") != 0)
            options.client_id = identity->text;
    }
    options.client_secret = secret.bytes ? &secret : NULL;
    options.certificate_file = certificate;
    options.managed_identity = managed;
    return entra_new(&options, &o->opened.entra, &call->err);
}

/* A provider's own cloud: "blob.SUFFIX" of "{account}.blob.SUFFIX"; NULL: the public one. */
static const char *suffix_of(const struct provider *p)
{
    static const char account[] = "{account}.";
    const struct provider_offer *offer = p ? provider_offer_for(p, PROTOCOL_AZURE_BLOB) : NULL;
    bool is_pattern =
        offer && offer->endpoint && strncmp(offer->endpoint, account, strlen(account)) == 0;

    return is_pattern ? offer->endpoint + strlen(account) : NULL;
}

static int open_azure(struct opening *o, struct call *call)
{
    const struct yaml_node *n = o->node;
    struct azure_options options = {.container = o->container,
                                    .endpoint_suffix = suffix_of(o->provider)};
    auto_secret struct secret key = SECRET_INIT, sas = SECRET_INIT, text = SECRET_INIT;
    const char *tenant = NULL;

    if (http_client_new(&o->http, &o->opened.client, &call->err) < 0 ||
        yaml_text(n, "account", &options.account, &call->err) < 0 ||
        yaml_text(n, "endpoint", &options.endpoint, &call->err) < 0 ||
        yaml_text(n, "endpoint_suffix", &options.endpoint_suffix, &call->err) < 0 ||
        yaml_text(n, "tenant", &tenant, &call->err) < 0 ||
        yaml_bool(n, "secondary", &options.secondary, &call->err) < 0 ||
        config_secret(n, "key", &key, &call->err) < 0 ||
        config_secret(n, "sas", &sas, &call->err) < 0 ||
        config_secret(n, "connection_string", &text, &call->err) < 0)
        return -1;
    options.key = key.bytes ? &key : NULL;
    options.sas = sas.bytes ? &sas : NULL;
    options.connection_string = text.bytes ? &text : NULL;
    options.client = o->opened.client;
    if ((tenant || !yaml_is_null(yaml_get(n, "managed_identity")) ||
         !yaml_is_null(yaml_get(n, "token_command"))) &&
        open_entra(o, tenant, call) < 0)
        return -1;
    options.bearer = o->opened.entra;
    return azure_store_open(&options, o->name, &o->opened.store, call);
}

/* ---- s3 ---- */

/* Endpoint and manners: from the catalogue for a provider, else from the configuration. */
static int locate_s3(struct opening *o, struct s3_options *options,
                     struct provider_endpoint *endpoint, struct err *e)
{
    const char *addressing = NULL, *region = NULL;

    if (yaml_text(o->node, "region", &region, e) < 0 ||
        yaml_text(o->node, "endpoint", &options->endpoint, e) < 0 ||
        yaml_text(o->node, "addressing", &addressing, e) < 0)
        return -1;
    options->region = region;
    if (o->provider) {
        if (provider_s3_endpoint(o->provider, region, endpoint, e) < 0) {
            struct err why = *e;
            return yaml_error(o->node, e, "%s", why.text);
        }
        if (!options->endpoint)
            options->endpoint = endpoint->url;
        options->region = endpoint->signing_region;
        options->virtual_host = endpoint->virtual_host;
        options->provider = endpoint->s3;
    }
    if (!options->endpoint)
        return yaml_error(o->node, e, "store '%s' wants an endpoint (https://...)", o->name);
    if (addressing && strcmp(addressing, "path") != 0 && strcmp(addressing, "virtual") != 0)
        return yaml_error(yaml_get(o->node, "addressing"), e, "addressing is 'path' or 'virtual'");
    if (addressing)
        options->virtual_host = strcmp(addressing, "virtual") == 0;
    return 0;
}

static int read_classes(const struct yaml_node *node, struct pairs *ret, struct err *e)
{
    const struct yaml_node *map = NULL;

    if (yaml_node_of(node, "storage_class", YAML_MAP, &map, e) < 0)
        return -1;
    for (const struct yaml_node *c = map ? map->children : NULL; c; c = c->next) {
        if (c->kind != YAML_SCALAR)
            return yaml_error(c, e, "a storage class is a text");
        pairs_add(ret, c->key, c->text);
    }
    return 0;
}

static int open_s3(struct opening *o, struct call *call)
{
    struct s3_options options = {0};
    struct provider_endpoint endpoint;
    auto_secret struct secret key = SECRET_INIT, token = SECRET_INIT;
    auto_free char *access_key = NULL;
    auto_pairs struct pairs classes = PAIRS_INIT;

    if (http_client_new(&o->http, &o->opened.client, &call->err) < 0 ||
        locate_s3(o, &options, &endpoint, &call->err) < 0 ||
        config_text(o->node, "access_key", &access_key, &call->err) < 0 ||
        config_secret(o->node, "secret_key", &key, &call->err) < 0 ||
        config_secret(o->node, "session_token", &token, &call->err) < 0 ||
        read_classes(o->node, &classes, &call->err) < 0)
        return -1;
    if (!access_key || !key.bytes)
        return yaml_error(o->node, &call->err, "store '%s' wants access_key and secret_key",
                          o->name);
    options.access_key = access_key;
    options.secret_key = &key;
    options.session_token = token.bytes ? &token : NULL;
    options.tier_classes = classes.count ? &classes : NULL;
    options.client = o->opened.client;
    return s3_store_open(&options, o->name, &o->opened.store, call);
}

/* ---- swift ---- */

static int open_swift(struct opening *o, struct call *call)
{
    const struct yaml_node *n = o->node;
    struct swift_options options = {.http = o->http};
    struct keystone_options *auth = &options.auth;
    auto_secret struct secret password = SECRET_INIT, credential = SECRET_INIT;
    auto_free char *user = NULL;
    struct err *e = &call->err;

    if (yaml_text(n, "auth_url", &auth->auth_url, e) < 0 || config_text(n, "user", &user, e) < 0 ||
        yaml_text(n, "user_domain", &auth->user_domain, e) < 0 ||
        yaml_text(n, "project", &auth->project, e) < 0 ||
        yaml_text(n, "project_domain", &auth->project_domain, e) < 0 ||
        yaml_text(n, "application_credential_id", &auth->application_credential_id, e) < 0 ||
        yaml_text(n, "application_credential_name", &auth->application_credential_name, e) < 0 ||
        yaml_text(n, "region", &auth->region, e) < 0 ||
        yaml_bool(n, "tempauth", &auth->tempauth, e) < 0 ||
        yaml_text(n, "storage_url", &options.storage_url, e) < 0 ||
        config_secret(n, "password", &password, e) < 0 ||
        config_secret(n, "application_credential_secret", &credential, e) < 0)
        return -1;
    const struct provider_offer *offer =
        o->provider ? provider_offer_for(o->provider, PROTOCOL_SWIFT) : NULL;
    if (!auth->auth_url && offer)
        auth->auth_url = offer->auth_url;
    if (!auth->auth_url)
        return yaml_error(n, e, "store '%s' wants an auth_url", o->name);
    auth->user = user;
    auth->password = password.bytes ? &password : NULL;
    auth->application_credential_secret = credential.bytes ? &credential : NULL;
    return swift_store_open(&options, o->name, &o->opened.store, call);
}

/* ---- Which one ---- */

static const struct {
    const char *driver;
    int (*open)(struct opening *o, struct call *call);
} drivers[] = {
    {"azure", open_azure},
    {"s3", open_s3},
    {"swift", open_swift},
    {"file", open_file},
};

/* What is wrong with the configuration is told with its place, whoever found out. */
static int placed(const struct yaml_node *store, int result, struct call *call)
{
    struct err why = call->err;
    size_t length = strlen(store->file);
    bool has_place = strncmp(why.text, store->file, length) == 0 && why.text[length] == ':';

    if (result == 0 || why.code != ERR_INVALID || has_place)
        return result;
    return yaml_error(store, &call->err, "%s", why.text);
}

static int open_driver(struct opening *o, const char *driver, struct call *call)
{
    const char *names[ARRAY_SIZE(drivers)];

    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (strcmp(drivers[i].driver, driver) == 0)
            return config_check_driver(o->node, driver, &call->err) < 0
                       ? -1
                       : placed(o->node, drivers[i].open(o, call), call);
        names[i] = drivers[i].driver;
    }
    const char *near = suggest(driver, names, ARRAY_SIZE(names));
    return yaml_error(yaml_get(o->node, "driver"), &call->err, "unknown driver '%s'%s%s%s", driver,
                      near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* A provider's protocol where no driver is named: S3, else Swift, else Azure. */
static const char *driver_of(const struct provider *p)
{
    return provider_offer_for(p, PROTOCOL_S3)           ? "s3"
           : provider_offer_for(p, PROTOCOL_SWIFT)      ? "swift"
           : provider_offer_for(p, PROTOCOL_AZURE_BLOB) ? "azure"
                                                        : "none";
}

static int open_any(struct opening *o, struct provider_catalogue **catalogue, struct call *call)
{
    const char *driver = NULL, *provider = NULL;
    struct stack_options stack = {0};

    if (yaml_text(o->node, "driver", &driver, &call->err) < 0 ||
        yaml_text(o->node, "provider", &provider, &call->err) < 0 || read_http(o, &call->err) < 0 ||
        read_limit(o->node, &stack.limit, &call->err) < 0 ||
        read_retry(o->node, &stack.retry, &call->err) < 0)
        return -1;
    if (!driver && !provider)
        return yaml_error(o->node, &call->err, "store '%s' wants a driver or a provider", o->name);
    if (provider) {
        if (provider_catalogue_load(NULL, catalogue, &call->err) < 0)
            return -1;
        o->provider = provider_find(*catalogue, provider, &call->err);
        if (!o->provider) {
            struct err why = call->err;
            return yaml_error(yaml_get(o->node, "provider"), &call->err, "%s", why.text);
        }
    }
    if (open_driver(o, driver ? driver : driver_of(o->provider), call) < 0)
        return -1;
    o->opened.store = store_stack(o->opened.store, &stack);
    return 0;
}

int store_from_configuration(const struct yaml_node *node, const char *name, const char *container,
                             enum store_use use, struct opened_store *ret, struct call *call)
{
    auto_catalogue struct provider_catalogue *catalogue = NULL;
    struct opening o = {.node = node, .name = name, .container = container, .use = use};

    if (open_any(&o, &catalogue, call) < 0) {
        opened_store_release(&o.opened);
        return -1;
    }
    *ret = o.opened;
    return 0;
}

int store_from_url(const char *url, struct opened_store *ret, char **ret_container,
                   char **ret_prefix, struct call *call)
{
    auto_azure_url struct azure_url parts = AZURE_URL_INIT;
    auto_secret struct secret sas = SECRET_INIT;
    struct opened_store opened = {0};

    if (!azure_url_recognised(url))
        return err_set(&call->err, ERR_INVALID,
                       "a bare URL must be one of an Azure storage account, with its SAS; other "
                       "stores stand in the configuration");
    if (azure_url_split(url, &parts, &call->err) < 0 ||
        http_client_new(NULL, &opened.client, &call->err) < 0)
        return -1;
    if (parts.sas)
        secret_from_text(&sas, parts.sas);
    struct azure_options options = {.endpoint = parts.endpoint,
                                    .account = parts.account,
                                    .secondary = parts.secondary,
                                    .sas = parts.sas ? &sas : NULL,
                                    .container = parts.container,
                                    .client = opened.client};
    int result = azure_store_open(&options, parts.account, &opened.store, call);
    if (parts.sas)
        explicit_bzero(parts.sas, strlen(parts.sas));
    if (result < 0) {
        opened_store_release(&opened);
        return -1;
    }
    opened.store = store_stack(opened.store, NULL);
    *ret = opened;
    *ret_container = take(parts.container);
    *ret_prefix = take(parts.name);
    return 0;
}
