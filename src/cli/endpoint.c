// SPDX-License-Identifier: EUPL-1.2
/* One end of a move: see endpoint.h. */
#include "cli/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "cli/accounts.h"
#include "cli/gateway.h"
#include "object/account_store.h"
#include "store/driver/file.h"
#include "store/stack.h"

#define GATEWAY "gateway/"

static bool is_url(const char *text)
{
    return strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
}

static bool is_path(const char *text)
{
    return text[0] == '/' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
           strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0;
}

static void gateway_free(struct gateway *g)
{
    if (!g)
        return;
    gateway_close_stores(g);
    serve_config_release(&g->serve);
    free(g);
}

void endpoint_release(struct endpoint *e)
{
    opened_store_release(&e->opened);
    gateway_free(e->gateway);
    free(e->text);
    free(e->container);
    free(e->prefix);
    pairs_release(&e->containers);
    *e = (struct endpoint){0};
}

static int read_containers(const struct yaml_node *store, struct pairs *ret, struct err *e)
{
    const struct yaml_node *map = NULL;

    if (yaml_node_of(store, "containers", YAML_MAP, &map, e) < 0)
        return -1;
    for (const struct yaml_node *c = map ? map->children : NULL; c; c = c->next) {
        if (c->kind != YAML_SCALAR || !*c->text)
            return yaml_error(c, e, "the target name for '%s' must be a text", c->key);
        pairs_add(ret, c->key, c->text);
    }
    return 0;
}

/* NAME:, NAME:CONTAINER, NAME:CONTAINER/PREFIX */
static int split(const char *text, char **ret_name, struct endpoint *ret, struct err *e)
{
    const char *colon = strchr(text, ':');

    if (!colon)
        return err_set(e, ERR_INVALID,
                       "'%s' is neither STORE:CONTAINER, nor a URL, nor a path (./%s)", text, text);
    size_t length = strcspn(colon + 1, "/");
    if (!length && colon[1])
        return err_set(e, ERR_INVALID, "'%s': a container is missing before the '/'", text);
    *ret_name = xstrndup(text, (size_t)(colon - text));
    if (length)
        ret->container = xstrndup(colon + 1, length);
    if (colon[1 + length] == '/' && colon[2 + length])
        ret->prefix = xstrdup(colon + 2 + length);
    ret->text = xstrdup(text);
    return 0;
}

static int open_named(const struct config *c, const char *text, enum store_use use,
                      struct endpoint *ret, struct call *call)
{
    auto_free char *name = NULL;
    const struct yaml_node *node;

    return split(text, &name, ret, &call->err) < 0 ||
                   config_store(c, name, &node, &call->err) < 0 ||
                   read_containers(node, &ret->containers, &call->err) < 0 ||
                   store_from_configuration(node, name, ret->container, use, &ret->opened, call) < 0
               ? -1
               : 0;
}

/* gateway/ACCOUNT: and so on. */
static int open_account(const struct config *c, const char *text, enum store_use use,
                        struct endpoint *ret, struct call *call)
{
    auto_account_row struct account_row row = account_row_new();
    auto_free char *name = NULL;

    if (use != STORE_READ)
        return err_set(&call->err, ERR_INVALID,
                       "'%s': an account of the gateway is only read here; to write to it take its "
                       "endpoint and key (driver: azure)",
                       text);
    ret->gateway = xcalloc(1, sizeof(*ret->gateway));
    if (split(text, &name, ret, &call->err) < 0 ||
        serve_config_read(c, &ret->gateway->serve, &call->err) < 0 ||
        gateway_open_reading(ret->gateway, call) < 0 ||
        account_find(ret->gateway->index, name + strlen(GATEWAY), &row, call) < 0)
        return -1;
    ret->opened.store = store_stack(account_store_open(ret->gateway->service, row.name), NULL);
    return 0;
}

/* The same directory by its whole path, so that a job knows it wherever it is gone on with.  One
 * that is to be made is looked for in its parent. */
static char *whole_path(const char *path)
{
    auto_free char *real = realpath(path, NULL);

    if (real)
        return take(real);
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    auto_free char *plain = xstrndup(path, length);
    const char *slash = strrchr(plain, '/');
    const char *name = slash ? slash + 1 : plain;
    auto_free char *folder = slash ? xstrndup(plain, (size_t)(slash - plain)) : xstrdup(".");
    real = realpath(*folder ? folder : "/", NULL);
    return real && *name ? xasprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real, name)
                         : take(plain);
}

static int open_path(const char *text, enum store_use use, struct endpoint *ret, struct call *call)
{
    ret->text = whole_path(text);
    return store_from_path(ret->text, text, use, &ret->opened, call);
}

static int open_url(const char *text, struct endpoint *ret, struct call *call)
{
    size_t length = strcspn(text, "?");

    ret->text = xstrndup(text, length); /* a SAS is a secret */
    return store_from_url(text, &ret->opened, &ret->container, &ret->prefix, call);
}

int endpoint_open(const struct config *c, const char *text, enum store_use use,
                  struct endpoint *ret, struct call *call)
{
    struct endpoint e = {0};
    bool of_gateway = strncmp(text, GATEWAY, strlen(GATEWAY)) == 0;
    int opened = is_url(text)    ? open_url(text, &e, call)
                 : is_path(text) ? open_path(text, use, &e, call)
                 : of_gateway    ? open_account(c, text, use, &e, call)
                                 : open_named(c, text, use, &e, call);

    if (opened < 0) {
        endpoint_release(&e);
        return -1;
    }
    e.store = e.opened.store;
    *ret = e;
    return 0;
}

void endpoint_keep(struct endpoint *e)
{
    free(take(e->opened.made));
}

/* Whether a directory is the target that is among what is to be moved. */
static bool lies_inside(const struct endpoint *source, const struct endpoint *target)
{
    const char *outer = source->store->identity, *inner = target->store->identity;
    size_t length = strlen(outer);

    if (strncmp(outer, "file:", 5) != 0 || strncmp(inner, outer, length) != 0 ||
        inner[length] != '/')
        return false;
    const char *container = inner + length + 1;
    return !source->container ||
           (strcspn(container, "/") == strlen(source->container) &&
            strncmp(container, source->container, strlen(source->container)) == 0);
}

int endpoints_check(const struct endpoint *source, const struct endpoint *target, struct err *e)
{
    if (target->prefix)
        return err_set(e, ERR_INVALID,
                       "target '%s': objects keep their names, so the target is a store or a "
                       "container, without a prefix",
                       target->text);
    if (target->container && !source->container)
        return err_set(e, ERR_INVALID,
                       "'%s' is a whole store, '%s' one container: name the source's container too",
                       source->text, target->text);
    if (same_string(source->store->identity, target->store->identity) &&
        same_string(source->container, target->container))
        return err_set(e, ERR_INVALID, "source and target are the same: '%s'", source->text);
    if (lies_inside(source, target))
        return err_set(e, ERR_INVALID, "the target '%s' lies inside the source '%s'", target->text,
                       source->text);
    return 0;
}

void endpoint_containers(const struct endpoint *source, const struct endpoint *target,
                         struct pairs *ret)
{
    for (size_t i = 0; i < target->containers.count; i++)
        pairs_add(ret, target->containers.list[i].key, target->containers.list[i].value);
    for (size_t i = 0; i < source->containers.count; i++) {
        const struct pair *p = &source->containers.list[i];
        const char *there = pairs_get(&target->containers, p->key);
        /* "ACCOUNT/CONTAINER", for what leaves a gateway, names no container here. */
        if (!strchr(p->key, '/') && !pairs_get(ret, p->value))
            pairs_add(ret, p->value, there ? there : p->key);
    }
}

static char *path_in_store(void *context, const char *container, const char *target)
{
    struct endpoint *e = context;
    struct object_key key = {.container = container, .name = target};
    struct call call = CALL_INIT;
    char *path;

    return file_store_path(e->store, &key, &path, &call) < 0 ? NULL : path;
}

void endpoint_paths(struct endpoint *e, struct report_options *options)
{
    if (strcmp(e->store->traits.driver, "file") != 0)
        return;
    options->path = path_in_store;
    options->context = e;
}

int endpoint_manifest_paths(const struct config *c, const char *target, struct endpoint *ret,
                            struct report_options *options, struct call *call)
{
    if (is_url(target))
        return 0;
    if (endpoint_open(c, target, STORE_READ, ret, call) < 0) {
        /* The report is about what was done; that the target cannot be opened now does not change
         * it.  Only a directory's own escapes are missing then. */
        err_clear(&call->err);
        return 0;
    }
    endpoint_paths(ret, options);
    return 0;
}
