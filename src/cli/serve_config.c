// SPDX-License-Identifier: EUPL-1.2
/* Reads the section "serve" of the configuration: see serve_config.h. */
#include "cli/serve_config.h"

#include <stdio.h>
#include <string.h>

#include "codec/size.h"
#include "util/clock.h"

#define DEFAULT_LISTEN    "127.0.0.1:10000"
#define DEFAULT_CONTAINER "bodies"
/* No container of an account's begins with a dot, so that no piece lies below. */
#define JOURNAL_PREFIX  ".index/"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_"
#define HOUR            (3600 * CLOCK_SECOND)

/* Put the place before what is wrong with a value. */
static int at_node(const struct yaml_node *node, struct err *e)
{
    struct err why = *e;

    return yaml_error(node, e, "%s", why.text);
}

/* ---- Values ---- */

static int read_duration(const struct yaml_node *map, const char *key, int64_t least, int64_t *ret,
                         struct err *e)
{
    const char *text = NULL;
    int64_t value;

    if (yaml_text(map, key, &text, e) < 0)
        return -1;
    if (!text)
        return 0;
    if (duration_parse(text, &value, e) < 0)
        return at_node(yaml_get(map, key), e);
    if (value < least)
        return yaml_error(yaml_get(map, key), e, "'%s' is at least %d s", key,
                          (int)(least / CLOCK_SECOND));
    *ret = value;
    return 0;
}

static int read_size(const struct yaml_node *map, const char *key, uint64_t *ret, struct err *e)
{
    const char *text = NULL;

    if (yaml_text(map, key, &text, e) < 0)
        return -1;
    return text && size_parse(text, ret, e) < 0 ? at_node(yaml_get(map, key), e) : 0;
}

static int read_number(const struct yaml_node *map, const char *key, uint64_t most, unsigned *ret,
                       struct err *e)
{
    uint64_t value = *ret;

    if (yaml_uint(map, key, &value, e) < 0)
        return -1;
    if (value > most)
        return yaml_error(yaml_get(map, key), e, "'%s' is at most %u", key, (unsigned)most);
    *ret = (unsigned)value;
    return 0;
}

/* One text, or a list of them. */
static int read_texts(const struct yaml_node *map, const char *key, const char ***ret,
                      size_t *ret_count, struct err *e)
{
    const struct yaml_node *node = yaml_get(map, key);
    size_t count = 0;

    if (yaml_is_null(node))
        return 0;
    if (node->kind == YAML_MAP)
        return yaml_error(node, e, "'%s' must be a text or a list of texts", key);
    const struct yaml_node *first = node->kind == YAML_LIST ? node->children : node;
    *ret = xcalloc(node->kind == YAML_LIST ? node->count + 1 : 1, sizeof(**ret));
    for (const struct yaml_node *n = first; n; n = node->kind == YAML_LIST ? n->next : NULL) {
        if (n->kind != YAML_SCALAR || !*n->text)
            return yaml_error(n, e, "'%s' must be a text or a list of texts", key);
        (*ret)[count++] = n->text;
    }
    *ret_count = count;
    return 0;
}

/* ---- listen, tls ---- */

static int read_listen_map(const struct yaml_node *n, struct serve_listen *ret, struct err *e)
{
    static const char *const keys[] = {"address", "tls"};
    bool tls = true;

    if (yaml_check_keys(n, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_text(n, "address", &ret->address, e) < 0 || yaml_bool(n, "tls", &tls, e) < 0)
        return -1;
    if (!ret->address)
        return yaml_error(n, e, "an address is wanted: {address: 127.0.0.1:10000, tls: false}");
    ret->plain = !tls;
    return 0;
}

static int read_listeners(const struct yaml_node *node, struct serve_listen **ret,
                          size_t *ret_count, struct err *e)
{
    bool is_list = node->kind == YAML_LIST;

    if (is_list && !node->children)
        return yaml_error(node, e, "'listen' is empty: nobody could connect");
    *ret = xcalloc(is_list ? node->count + 1 : 1, sizeof(**ret));
    for (const struct yaml_node *n = is_list ? node->children : node; n;
         n = is_list ? n->next : NULL) {
        struct serve_listen *l = &(*ret)[(*ret_count)++];
        if (n->kind == YAML_SCALAR && *n->text)
            l->address = n->text;
        else if (n->kind != YAML_MAP)
            return yaml_error(n, e, "'listen' holds addresses, such as 127.0.0.1:10000");
        else if (read_listen_map(n, l, e) < 0)
            return -1;
    }
    return 0;
}

static int read_listen(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    const struct yaml_node *node = yaml_get(serve, "listen");

    if (!yaml_is_null(node))
        return read_listeners(node, &s->listen, &s->listen_count, e);
    s->listen = xcalloc(1, sizeof(*s->listen));
    s->listen[0].address = DEFAULT_LISTEN;
    s->listen_count = 1;
    return 0;
}

static int read_tls(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    static const char *const keys[] = {"certificate", "key"};
    const struct yaml_node *tls = NULL;

    if (yaml_node_of(serve, "tls", YAML_MAP, &tls, e) < 0)
        return -1;
    if (!tls)
        return 0;
    if (yaml_check_keys(tls, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_text(tls, "certificate", &s->certificate, e) < 0 ||
        yaml_text(tls, "key", &s->key, e) < 0)
        return -1;
    if (!s->certificate || !s->key)
        return yaml_error(tls, e, "'tls' wants both certificate and key (paths of PEM files)");
    return 0;
}

static int check_domains(const struct yaml_node *at, const char *const *domains, size_t count,
                         struct err *e)
{
    for (size_t i = 0; i < count; i++)
        if (*domains[i] == '.' || strchr(domains[i], '/') || strchr(domains[i], ':'))
            return yaml_error(at, e,
                              "a domain is a host name without a leading dot, scheme or port, such "
                              "as storage.example.eu");
    return 0;
}

static int read_domains(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    static const char *const usual[] = {"localhost"};

    if (read_texts(serve, "domains", &s->domains, &s->domain_count, e) < 0)
        return -1;
    if (check_domains(yaml_get(serve, "domains"), s->domains, s->domain_count, e) < 0)
        return -1;
    if (s->domain_count == 0) {
        free(s->domains);
        s->domains = xcalloc(1, sizeof(*s->domains));
        s->domains[0] = usual[0];
        s->domain_count = 1;
    }
    return 0;
}

/* ---- s3 ---- */

static int read_s3(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    static const char *const keys[] = {"listen", "domains", "region"};
    const struct yaml_node *s3 = NULL;

    if (yaml_node_of(serve, "s3", YAML_MAP, &s3, e) < 0)
        return -1;
    if (!s3)
        return 0;
    if (yaml_check_keys(s3, keys, ARRAY_SIZE(keys), e) < 0 ||
        read_texts(s3, "domains", &s->s3_domains, &s->s3_domain_count, e) < 0 ||
        check_domains(yaml_get(s3, "domains"), s->s3_domains, s->s3_domain_count, e) < 0 ||
        yaml_text(s3, "region", &s->s3_region, e) < 0)
        return -1;
    const struct yaml_node *listen = yaml_get(s3, "listen");
    if (yaml_is_null(listen))
        return yaml_error(s3, e, "'s3' wants an address to listen on, such as 127.0.0.1:10010");
    return read_listeners(listen, &s->s3_listen, &s->s3_listen_count, e);
}

/* ---- index, bodies, journal ---- */

static char *default_folder(void)
{
    const char *home = getenv("HOME"), *state = getenv("XDG_STATE_HOME");
    /* systemd's StateDirectory= */
    const char *service = getenv("STATE_DIRECTORY");

    if (service && *service)
        return xasprintf("%.*s/serve", (int)strcspn(service, ":"), service);
    if (state && *state)
        return xasprintf("%s/bascule/serve", state);
    return xasprintf("%s/.local/state/bascule/serve", home ? home : "/var/lib/bascule");
}

static int read_index(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    s->index_connections = 0;
    if (config_text(serve, "index", &s->index, e) < 0 ||
        read_number(serve, "index_connections", 1000, &s->index_connections, e) < 0 ||
        yaml_text(serve, "gateway", &s->gateway, e) < 0)
        return -1;
    if (s->gateway && (!*s->gateway || strlen(s->gateway) > 63 ||
                       strspn(s->gateway, NAME_CHARACTERS) != strlen(s->gateway)))
        return yaml_error(yaml_get(serve, "gateway"), e,
                          "'gateway' is a name of at most 63 letters, digits, '.', '-' and '_'");
    s->index_given = s->index != NULL;
    if (s->index_given && strncmp(s->index, "sqlite:", 7) != 0 &&
        strncmp(s->index, "postgres:", 9) != 0 && strncmp(s->index, "postgresql:", 11) != 0)
        return yaml_error(yaml_get(serve, "index"), e,
                          "'index' is sqlite:FILE or postgres://USER@HOST/NAME");
    if (!s->index_given)
        s->index = xasprintf("sqlite:%s/index.db", s->folder);
    return 0;
}

static int read_place(const struct config *config, const struct yaml_node *n, bool journal,
                      struct serve_place *ret, struct err *e)
{
    static const char *const keys[] = {"store", "container", "prefix", "secrets"};
    bool secrets = false;

    if (n->kind != YAML_MAP)
        return yaml_error(n, e, "a place is a map: {store: NAME, container: NAME}");
    if (yaml_check_keys(n, keys, journal ? 4 : 2, e) < 0 ||
        yaml_text(n, "store", &ret->store, e) < 0 ||
        yaml_text(n, "container", &ret->container, e) < 0 ||
        yaml_text(n, "prefix", &ret->prefix, e) < 0 || yaml_bool(n, "secrets", &secrets, e) < 0)
        return -1;
    if (!ret->store || !ret->container)
        return yaml_error(n, e, "a place wants both store and container");
    if (!yaml_is_null(yaml_get(n, "secrets")))
        ret->secrets = secrets ? SERVE_YES : SERVE_NO;
    if (config_store(config, ret->store, &ret->node, e) < 0)
        return at_node(yaml_get(n, "store"), e);
    return 0;
}

static int read_places(const struct config *config, const struct yaml_node *serve, const char *key,
                       struct serve_place **ret, size_t *ret_count, struct err *e)
{
    const struct yaml_node *node = NULL;
    bool journal = strcmp(key, "journal") == 0;

    if (yaml_node_of(serve, key, YAML_LIST, &node, e) < 0)
        return -1;
    if (!node)
        return 0;
    if (!node->children)
        return yaml_error(node, e, "'%s' is empty", key);
    *ret = xcalloc(node->count, sizeof(**ret));
    for (const struct yaml_node *n = node->children; n; n = n->next) {
        struct serve_place *place = &(*ret)[*ret_count];
        place->prefix = journal ? JOURNAL_PREFIX : "";
        if (read_place(config, n, journal, place, e) < 0)
            return -1;
        for (size_t i = 0; !journal && i < *ret_count; i++)
            if (strcmp((*ret)[i].store, place->store) == 0)
                return yaml_error(n, e, "store '%s' is named twice", place->store);
        ++*ret_count;
    }
    return 0;
}

static int read_stores(const struct config *config, const struct yaml_node *serve,
                       struct serve_config *s, struct err *e)
{
    if (read_places(config, serve, "bodies", &s->bodies, &s->body_count, e) < 0 ||
        read_places(config, serve, "journal", &s->journal, &s->journal_count, e) < 0)
        return -1;
    if (!s->body_count) {
        s->bodies = xcalloc(1, sizeof(*s->bodies));
        s->bodies[0] = (struct serve_place){.container = DEFAULT_CONTAINER, .prefix = ""};
        s->body_count = 1;
    }
    if (!s->journal_count) {
        s->journal = xcalloc(1, sizeof(*s->journal));
        s->journal[0] = s->bodies[0];
        s->journal[0].prefix = JOURNAL_PREFIX;
        s->journal_count = 1;
    }
    return 0;
}

/* ---- retention, limits ---- */

static int read_times(const struct yaml_node *serve, struct serve_times *t, struct err *e)
{
    static const char *const keys[] = {"uploads", "garbage", "blocks", "sweep", "snapshots"};
    const struct yaml_node *map = NULL;

    *t = (struct serve_times){.uploads = 24 * HOUR,
                              .garbage = HOUR,
                              .blocks = 7 * 24 * HOUR,
                              .sweep = 60 * CLOCK_SECOND,
                              .snapshots = 24 * HOUR};
    if (yaml_node_of(serve, "retention", YAML_MAP, &map, e) < 0)
        return -1;
    if (!map)
        return 0;
    return yaml_check_keys(map, keys, ARRAY_SIZE(keys), e) < 0 ||
                   read_duration(map, "uploads", 60 * CLOCK_SECOND, &t->uploads, e) < 0 ||
                   read_duration(map, "garbage", CLOCK_SECOND, &t->garbage, e) < 0 ||
                   read_duration(map, "blocks", 60 * CLOCK_SECOND, &t->blocks, e) < 0 ||
                   read_duration(map, "sweep", CLOCK_SECOND, &t->sweep, e) < 0 ||
                   read_duration(map, "snapshots", 60 * CLOCK_SECOND, &t->snapshots, e) < 0
               ? -1
               : 0;
}

static int read_limits(const struct yaml_node *serve, struct serve_limits *l, struct err *e)
{
    static const char *const keys[] = {
        "connections",  "connections_per_address", "head_bytes", "idle_timeout",
        "head_timeout", "stall_timeout",           "drain"};
    const struct yaml_node *map = NULL;

    *l = (struct serve_limits){.connections = 256, .drain = 30 * CLOCK_SECOND};
    if (yaml_node_of(serve, "limits", YAML_MAP, &map, e) < 0)
        return -1;
    if (!map)
        return 0;
    if (yaml_check_keys(map, keys, ARRAY_SIZE(keys), e) < 0 ||
        read_number(map, "connections", 20000, &l->connections, e) < 0 ||
        read_number(map, "connections_per_address", 20000, &l->connections_per_address, e) < 0 ||
        read_size(map, "head_bytes", &l->head_bytes, e) < 0 ||
        read_duration(map, "idle_timeout", CLOCK_SECOND, &l->idle_timeout, e) < 0 ||
        read_duration(map, "head_timeout", CLOCK_SECOND, &l->head_timeout, e) < 0 ||
        read_duration(map, "stall_timeout", CLOCK_SECOND, &l->stall_timeout, e) < 0 ||
        read_duration(map, "drain", 0, &l->drain, e) < 0)
        return -1;
    if (l->connections == 0)
        return yaml_error(yaml_get(map, "connections"), e, "at least one connection");
    if (l->head_bytes && (l->head_bytes < 4096 || l->head_bytes > (uint64_t)1024 * 1024))
        return yaml_error(yaml_get(map, "head_bytes"), e, "'head_bytes' is from 4KiB to 1MiB");
    return 0;
}

/* ---- proxies, oidc, audit ---- */

static int read_proxies(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    const char **texts = NULL;
    size_t count = 0;
    int result = read_texts(serve, "proxies", &texts, &count, e);

    for (size_t i = 0; result == 0 && i < count; i++)
        if (networks_add(&s->proxies, texts[i], e) < 0)
            result = at_node(yaml_get(serve, "proxies"), e);
    free(texts);
    return result;
}

static int read_issuer(const struct yaml_node *n, struct serve_issuer *i, struct err *e)
{
    static const char *const keys[] = {"issuer",  "audience",     "jwks_uri",
                                       "ca_file", "groups_claim", "roles_claim"};

    if (n->kind != YAML_MAP)
        return yaml_error(n, e, "an issuer is a map: {issuer: https://..., audience: ...}");
    if (yaml_check_keys(n, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_text(n, "issuer", &i->issuer, e) < 0 ||
        yaml_text(n, "jwks_uri", &i->jwks_uri, e) < 0 ||
        yaml_text(n, "ca_file", &i->ca_file, e) < 0 ||
        yaml_text(n, "groups_claim", &i->groups_claim, e) < 0 ||
        yaml_text(n, "roles_claim", &i->roles_claim, e) < 0 ||
        read_texts(n, "audience", &i->audiences, &i->audience_count, e) < 0)
        return -1;
    if (!i->issuer || !i->audience_count)
        return yaml_error(n, e,
                          "an issuer wants 'issuer' (its URL) and 'audience' (what its tokens for "
                          "this service say): without an audience any token of that issuer's would "
                          "be good");
    return 0;
}

static int read_oidc(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    const struct yaml_node *list = NULL;

    if (yaml_node_of(serve, "oidc", YAML_LIST, &list, e) < 0)
        return -1;
    if (!list)
        return 0;
    s->issuers = xcalloc(list->count + 1, sizeof(*s->issuers));
    for (const struct yaml_node *n = list->children; n; n = n->next)
        if (read_issuer(n, &s->issuers[s->issuer_count++], e) < 0)
            return -1;
    return 0;
}

static int read_audit(const struct yaml_node *serve, struct serve_audit *a, struct err *e)
{
    static const char *const keys[] = {"path", "sync", "window", "file_max"};
    const struct yaml_node *map = NULL;

    if (yaml_node_of(serve, "audit", YAML_MAP, &map, e) < 0)
        return -1;
    if (!map)
        return 0;
    if (yaml_check_keys(map, keys, ARRAY_SIZE(keys), e) < 0 ||
        yaml_text(map, "path", &a->path, e) < 0 ||
        read_duration(map, "sync", 0, &a->sync_interval, e) < 0 ||
        read_duration(map, "window", CLOCK_SECOND, &a->window, e) < 0 ||
        read_size(map, "file_max", &a->file_max, e) < 0)
        return -1;
    if (!a->path)
        return yaml_error(map, e, "'audit' wants a path");
    return 0;
}

/* ---- The whole ---- */

static int read_rest(const struct yaml_node *serve, struct serve_config *s, struct err *e)
{
    static const char *const metrics_keys[] = {"listen"};
    const struct yaml_node *metrics = NULL;

    if (yaml_bool(serve, "allow_plain", &s->allow_plain, e) < 0 ||
        yaml_bool(serve, "copy_from_private", &s->copy_from_private, e) < 0 ||
        yaml_text(serve, "url", &s->url, e) < 0 ||
        yaml_text(serve, "access_log", &s->access_log, e) < 0 ||
        yaml_node_of(serve, "metrics", YAML_MAP, &metrics, e) < 0)
        return -1;
    if (s->url && strncmp(s->url, "http://", 7) != 0 && strncmp(s->url, "https://", 8) != 0)
        return yaml_error(yaml_get(serve, "url"), e,
                          "'url' begins with https:// or http://, as in "
                          "https://{account}.blob.storage.example.eu");
    if (!metrics)
        return 0;
    if (yaml_check_keys(metrics, metrics_keys, ARRAY_SIZE(metrics_keys), e) < 0)
        return -1;
    return yaml_text(metrics, "listen", &s->metrics, e);
}

static int read_all(const struct config *config, struct serve_config *s, struct err *e)
{
    static const char *const keys[] = {
        "listen", "domains",           "url",     "tls",    "allow_plain", "copy_from_private",
        "index",  "index_connections", "gateway", "bodies", "journal",     "retention",
        "limits", "proxies",           "oidc",    "audit",  "access_log",  "metrics",
        "s3"};
    const struct yaml_node *serve = NULL;

    if (config->root && yaml_node_of(config->root, "serve", YAML_MAP, &serve, e) < 0)
        return -1;
    if (serve && yaml_check_keys(serve, keys, ARRAY_SIZE(keys), e) < 0)
        return -1;
    return read_listen(serve, s, e) < 0 || read_tls(serve, s, e) < 0 ||
                   read_domains(serve, s, e) < 0 || read_s3(serve, s, e) < 0 ||
                   read_index(serve, s, e) < 0 || read_stores(config, serve, s, e) < 0 ||
                   read_times(serve, &s->times, e) < 0 || read_limits(serve, &s->limits, e) < 0 ||
                   read_proxies(serve, s, e) < 0 || read_oidc(serve, s, e) < 0 ||
                   read_audit(serve, &s->audit, e) < 0 || read_rest(serve, s, e) < 0
               ? -1
               : 0;
}

int serve_config_read(const struct config *config, struct serve_config *ret, struct err *e)
{
    struct serve_config s = {.folder = default_folder()};

    if (read_all(config, &s, e) < 0) {
        serve_config_release(&s);
        return -1;
    }
    *ret = s;
    return 0;
}

void serve_config_release(struct serve_config *s)
{
    for (size_t i = 0; i < s->issuer_count; i++)
        free(s->issuers[i].audiences);
    free(s->issuers);
    free(s->listen);
    free(s->s3_listen);
    free(s->s3_domains);
    free(s->domains);
    free(s->index);
    free(s->folder);
    free(s->bodies);
    free(s->journal);
    networks_release(&s->proxies);
    *s = (struct serve_config){0};
}

/* ---- Where clients find it ---- */

/* What "*" and "::" stand for cannot be connected to from elsewhere; here it can. */
static char *reachable(const char *address)
{
    const char *colon = strrchr(address, ':');
    size_t length = colon ? (size_t)(colon - address) : 0;
    bool any = length == 0 || (length == 1 && *address == '*') ||
               strncmp(address, "0.0.0.0:", 8) == 0 || strncmp(address, "[::]:", 5) == 0;

    return any ? xasprintf("127.0.0.1%s", colon ? colon : "") : xstrdup(address);
}

char *serve_url_of(const struct serve_config *s, const char *account)
{
    const struct serve_listen *first = &s->listen[0];
    bool tls = s->certificate && !first->plain;
    const char *mark = s->url ? strstr(s->url, "{account}") : NULL;

    if (mark)
        return xasprintf("%.*s%s%s", (int)(mark - s->url), s->url, account,
                         mark + strlen("{account}"));
    if (s->url)
        return xasprintf("%s/%s", s->url, account);
    auto_free char *address = reachable(first->address);
    const char *port = strrchr(address, ':');
    bool named = strcmp(s->domains[0], "localhost") != 0;
    if (tls && named)
        return xasprintf("https://%s.blob.%s%s", account, s->domains[0],
                         port && strcmp(port, ":443") != 0 ? port : "");
    return xasprintf("%s://%s/%s", tls ? "https" : "http", address, account);
}
