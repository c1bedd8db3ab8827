// SPDX-License-Identifier: EUPL-1.2
/* A listing beside a list of names: see walk.h. */
#include "move/walk.h"

#include <string.h>

void walk_release(struct walk *w)
{
    object_list_release(&w->page);
}

static int next_page(struct walk *w, struct call *call)
{
    auto_free char *cursor = take(w->page.cursor);
    struct list_options options = {.cursor = cursor, .prefix = w->prefix};

    object_list_release(&w->page);
    w->page = (struct object_list)OBJECT_LIST_INIT;
    w->at = 0;
    w->started = true;
    return store_list(w->store, w->container, &options, &w->page, call);
}

int walk_find(struct walk *w, const char *name, const struct object **ret, struct call *call)
{
    *ret = NULL;
    for (;;) {
        while (w->at < w->page.count && strcmp(w->page.list[w->at].name, name) < 0)
            w->at++;
        if (w->at < w->page.count) {
            if (strcmp(w->page.list[w->at].name, name) == 0)
                *ret = &w->page.list[w->at];
            return 0;
        }
        if (w->started && !w->page.cursor)
            return 0;
        if (next_page(w, call) < 0)
            return -1;
    }
}
