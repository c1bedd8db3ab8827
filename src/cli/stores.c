// SPDX-License-Identifier: EUPL-1.2
/* Opens the stores the configuration describes: see stores.h. */
#include "cli/stores.h"

#include <string.h>

#include "cli/configuration.h"
#include "codec/suggest.h"
#include "store/driver/file.h"

static int open_file(const struct yaml_node *node, const char *name, struct store **ret,
                     struct call *call)
{
    const char *path = NULL;

    if (yaml_text(node, "path", &path, &call->err) < 0)
        return -1;
    if (!path)
        return yaml_error(node, &call->err, "store '%s' wants a path", name);
    return file_store_open_or_make(path, name, ret, call);
}

static const struct {
    const char *driver;
    int (*open)(const struct yaml_node *node, const char *name, struct store **ret,
                struct call *call);
} drivers[] = {
    {"file", open_file},
};

int store_from_configuration(const struct yaml_node *node, const char *name, struct store **ret,
                             struct call *call)
{
    const char *driver = NULL;
    const char *names[ARRAY_SIZE(drivers)];

    if (yaml_text(node, "driver", &driver, &call->err) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
        if (driver && strcmp(drivers[i].driver, driver) == 0)
            return drivers[i].open(node, name, ret, call);
        names[i] = drivers[i].driver;
    }
    if (!driver)
        return yaml_error(node, &call->err, "store '%s' wants a driver or a provider", name);
    const char *near = suggest(driver, names, ARRAY_SIZE(names));
    return yaml_error(yaml_get(node, "driver"), &call->err, "unknown driver '%s'%s%s%s", driver,
                      near ? ": did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int store_from_url(const char *url, struct store **ret, char **ret_container, char **ret_prefix,
                   struct call *call)
{
    (void)url;
    (void)ret;
    (void)ret_container;
    (void)ret_prefix;
    return err_set(&call->err, ERR_INVALID, "no URLs yet");
}
