// SPDX-License-Identifier: EUPL-1.2
/* The ledger as a notebook: see notebook.h. */
#include "cli/notebook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int notebook_read(struct notebook *n, const char *store, const char *key, char *ret,
                         size_t size, struct call *call)
{
    struct ledger_notebook *own = container_of(n, struct ledger_notebook, notebook);
    auto_free char *value = NULL;
    int found = ledger_probe_get(own->ledger, store, key, &value, NULL, call);

    if (found > 0)
        (void)snprintf(ret, size, "%s", value);
    return found;
}

static int notebook_write(struct notebook *n, const char *store, const char *key, const char *value,
                          struct call *call)
{
    return ledger_probe_put(container_of(n, struct ledger_notebook, notebook)->ledger, store, key,
                            value, call);
}

void ledger_notebook_init(struct ledger_notebook *n, struct ledger *ledger)
{
    *n = (struct ledger_notebook){.notebook = {.read = notebook_read, .write = notebook_write},
                                  .ledger = ledger};
}

/* mkdir -p for the folder a file lies in. */
static int make_folder(const char *file, struct err *e)
{
    auto_free char *path = xstrdup(file);

    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_errno(e, errno, "make the folder '%s' for the ledger", path);
        *slash = '/';
    }
    return 0;
}

int open_ledger(const char *url, struct ledger **ret, struct call *call)
{
    const char *file = strncmp(url, "sqlite:", 7) == 0 ? url + 7 : NULL;

    if (file && file[0] != ':' && make_folder(file, &call->err) < 0)
        return -1;
    return ledger_open(url, ret, call);
}
