// SPDX-License-Identifier: EUPL-1.2
/* A gateway's stores, index and object service: see gateway.h. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/accounts.h"
#include "cli/admin.h"
#include "cli/gateway.h"
#include "util/log.h"

#define FIRST_ACCOUNT "bascule"
/* The directory of the embedded default, as a store's name in the index. */
#define DEFAULT_STORE "directory"

/* ---- Stores ---- */

static int open_directory(struct gateway *g, enum store_use use, struct opened_store *ret,
                          struct call *call)
{
    auto_free char *path = xasprintf("%s/bodies", g->serve.folder);
    auto_free char *inside = xasprintf("sqlite:%s/x", path);

    /* Its parents are made up as well, as those of the index are. */
    if (use != STORE_READ && index_make_folder(inside, &call->err) < 0)
        return -1;
    return store_from_path(path, DEFAULT_STORE, use, ret, call);
}

static int open_store(struct gateway *g, const struct serve_place *place, enum store_use use,
                      struct gateway_store **ret, struct call *call)
{
    const char *name = place->store ? place->store : DEFAULT_STORE;
    struct gateway_store *s;
    struct opened_store opened = {0};

    for (size_t i = 0; i < g->store_count; i++)
        if (strcmp(g->stores[i].name, name) == 0) {
            *ret = &g->stores[i];
            return 0;
        }
    if ((place->store ? store_from_configuration(place->node, name, NULL, use, &opened, call)
                      : open_directory(g, use, &opened, call)) < 0)
        return -1;
    if (g->metrics) {
        const struct log_options watch = {.watch = metrics_store, .argument = g->metrics};
        opened.store = log_layer(opened.store, &watch);
    }
    s = &g->stores[g->store_count++];
    s->name = xstrdup(name);
    s->opened = opened;
    *ret = s;
    return 0;
}

/* Keys may lie in a directory of our own, or where the configuration says so. */
static bool keeps_secrets(const struct serve_place *place, const struct store *store)
{
    return place->secrets == SERVE_UNSAID ? strcmp(store->traits.driver, "file") == 0
                                          : place->secrets == SERVE_YES;
}

static int open_bodies(struct gateway *g, enum store_use use, struct call *call)
{
    const struct serve_config *s = &g->serve;
    struct gateway_store *store;

    g->stores = xcalloc(s->body_count + s->journal_count, sizeof(*g->stores));
    g->bodies = xcalloc(s->body_count, sizeof(*g->bodies));
    for (size_t i = 0; i < s->body_count; i++) {
        if (open_store(g, &s->bodies[i], use, &store, call) < 0)
            return -1;
        g->bodies[i] = (struct service_store){
            .name = store->name, .store = store->opened.store, .container = s->bodies[i].container};
    }
    return 0;
}

int gateway_open_places(struct gateway *g, struct call *call)
{
    const struct serve_config *s = &g->serve;
    struct gateway_store *store;

    if (open_bodies(g, STORE_WRITE, call) < 0)
        return -1;
    g->places = xcalloc(s->journal_count, sizeof(*g->places));
    for (size_t i = 0; i < s->journal_count; i++) {
        if (open_store(g, &s->journal[i], STORE_WRITE, &store, call) < 0)
            return -1;
        g->places[i] =
            (struct journal_place){.store = store->opened.store,
                                   .container = s->journal[i].container,
                                   .prefix = s->journal[i].prefix,
                                   .secrets = keeps_secrets(&s->journal[i], store->opened.store)};
    }
    return 0;
}

/* ---- Index and service ---- */

static int before_commit(void *argument, struct call *call)
{
    const struct gateway *g = argument;

    metrics_add(g->metrics, METRICS_COMMITS, 1);
    return service_before_commit(g->service, call);
}

/* Who we are among several: the host's name, unless the configuration has a better one. */
static char *make_name(const struct serve_config *s)
{
    char host[200] = "";

    if (s->gateway)
        return xstrdup(s->gateway);
    if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
        return xstrdup("gateway");
    return xstrdup(host);
}

/* A provider that does not answer just now is no reason not to start: readiness tells of it, and
 * what is wrong for good is wrong now. */
static int start_service(struct gateway *g, struct call *call)
{
    if (service_start(g->service, g->index, call) == 0)
        return 0;
    if (!err_is_passing(call->err.code))
        return -1;
    log_line(LOG_WARNING, "%s: starting all the same", call->err.text);
    err_clear(&call->err);
    return 0;
}

int gateway_open_stores(struct gateway *g, struct call *call)
{
    const struct serve_config *s = &g->serve;

    g->name = make_name(s);
    if (gateway_open_places(g, call) < 0)
        return -1;
    const struct service_options service = {
        .stores = g->bodies,
        .store_count = s->body_count,
        .intent_time = s->times.uploads,
        .garbage_after = s->times.garbage,
        .block_time = s->times.blocks,
    };
    auto_free char *gateway = xasprintf("%s-%ld", g->name, (long)getpid());
    const struct index_options index = {
        .gateway = gateway,
        .connections = s->index_connections,
        .before_commit = before_commit,
        .before_commit_argument = g,
    };
    g->service = service_new(&service);
    if (index_make_folder(s->index, &call->err) < 0 ||
        index_open(s->index, &index, &g->index, call) < 0 || journal_begin(g->index, call) < 0)
        return -1;
    return start_service(g, call);
}

int gateway_open_reading(struct gateway *g, struct call *call)
{
    const struct serve_config *s = &g->serve;
    const struct index_options index = {
        .gateway = "command", .connections = s->index_connections, .read_only = true};

    if (index_must_exist(s->index, &call->err) < 0 || open_bodies(g, STORE_READ, call) < 0)
        return -1;
    const struct service_options service = {.stores = g->bodies, .store_count = s->body_count};
    g->service = service_new(&service);
    if (index_open(s->index, &index, &g->index, call) < 0)
        return -1;
    service_attach(g->service, g->index);
    return 0;
}

int gateway_first_account(struct gateway *g, struct account_row *ret, bool *ret_made,
                          struct call *call)
{
    auto_account_rows struct account_rows rows = {0};

    *ret_made = false;
    if (g->serve.index_given)
        return 0;
    if (account_list(g->index, &rows, call) < 0)
        return -1;
    if (rows.count)
        return 0;
    if (account_add(g->index, FIRST_ACCOUNT, NULL, ret, call) < 0)
        return -1;
    *ret_made = true;
    return 0;
}

void gateway_close_stores(struct gateway *g)
{
    index_close(take(g->index));
    service_free(take(g->service));
    for (size_t i = 0; i < g->store_count; i++) {
        opened_store_release(&g->stores[i].opened);
        free(g->stores[i].name);
    }
    free(take(g->stores));
    free(take(g->bodies));
    free(take(g->places));
    free(take(g->name));
    g->store_count = 0;
}
