// SPDX-License-Identifier: EUPL-1.2
/* One end of a move: see endpoint.h. */
#include "cli/endpoint.h"

#include <stdlib.h>
#include <string.h>

#include "store/driver/file.h"

static bool is_url(const char *text)
{
    return strncmp(text, "https://", 8) == 0 || strncmp(text, "http://", 7) == 0;
}

static bool is_path(const char *text)
{
    return text[0] == '/' || strcmp(text, ".") == 0 || strcmp(text, "..") == 0 ||
           strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0;
}

void endpoint_release(struct endpoint *e)
{
    opened_store_release(&e->opened);
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

/* STORE:, STORE:CONTAINER, STORE:CONTAINER/PREFIX */
static int open_named(const struct config *c, const char *text, enum store_use use,
                      struct endpoint *ret, struct call *call)
{
    const char *colon = strchr(text, ':');
    const struct yaml_node *node;

    if (!colon)
        return err_set(&call->err, ERR_INVALID,
                       "'%s' is neither STORE:CONTAINER, nor a URL, nor a path (./%s)", text, text);
    auto_free char *name = xstrndup(text, (size_t)(colon - text));
    size_t length = strcspn(colon + 1, "/");
    if (length)
        ret->container = xstrndup(colon + 1, length);
    if (config_store(c, name, &node, &call->err) < 0 ||
        read_containers(node, &ret->containers, &call->err) < 0 ||
        store_from_configuration(node, name, ret->container, use, &ret->opened, call) < 0)
        return -1;
    if (colon[1 + length] == '/' && colon[2 + length])
        ret->prefix = xstrdup(colon + 2 + length);
    if (!length && colon[1])
        return err_set(&call->err, ERR_INVALID, "'%s': a container is missing before the '/'",
                       text);
    ret->text = xstrdup(text);
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
    int opened = is_url(text)    ? open_url(text, &e, call)
                 : is_path(text) ? open_path(text, use, &e, call)
                                 : open_named(c, text, use, &e, call);

    if (opened < 0) {
        endpoint_release(&e);
        return -1;
    }
    e.store = e.opened.store;
    *ret = e;
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
        if (!pairs_get(ret, p->value))
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
    if (strcmp(ret->store->traits.driver, "file") == 0) {
        options->path = path_in_store;
        options->context = ret;
    }
    return 0;
}
