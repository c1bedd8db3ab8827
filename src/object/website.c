// SPDX-License-Identifier: EUPL-1.2
/* The pages of a website: see website.h. */
#include "object/website.h"

#include <string.h>

/* One look for an object. */
struct look {
    struct service *service;
    struct place place;
    const struct website *website;
    const struct conditions *conditions;
    const struct range *range;
    struct reading *reading;
    bool forbidden; /* something was not to be read: it is not told from what is not there */
};

static int may_read(struct look *l, const char *name, struct call *call)
{
    int may = l->website->may_read ? l->website->may_read(l->website->argument, name, call) : 1;

    l->forbidden |= may == 0;
    return may;
}

/* 1 open, 0 not there or not to be read, -1. */
static int open_name(struct look *l, const char *name, struct call *call)
{
    struct call attempt = call_child(call, call->cancel);
    int may = *name ? may_read(l, name, call) : 0;

    if (may <= 0)
        return may;
    l->place.name = name;
    if (service_open_read(l->service, &l->place, l->conditions, l->range, l->reading, &attempt) ==
        0)
        return 1;
    if (attempt.err.code == ERR_NOT_FOUND)
        return 0;
    call->err = attempt.err;
    return -1;
}

/* Whether there is such an object that may be read: 1, 0, -1. */
static int is_there(struct look *l, const char *name, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct call attempt = call_child(call, call->cancel);
    int may = may_read(l, name, call);

    if (may <= 0)
        return may;
    l->place.name = name;
    if (service_stat(l->service, &l->place, NULL, &row, &attempt) == 0)
        return 1;
    if (attempt.err.code == ERR_NOT_FOUND)
        return 0;
    call->err = attempt.err;
    return -1;
}

/* The index document of a path that is no object itself: as open_name(). */
static int try_index(struct look *l, const char *path, bool folder,
                     enum website_outcome *ret_outcome, struct call *call)
{
    auto_free char *name = xasprintf("%s%s%s", path, folder ? "" : "/", l->website->index);

    if (folder || !l->website->redirects_folders)
        return open_name(l, name, call);
    int there = is_there(l, name, call);
    if (there > 0)
        *ret_outcome = WEBSITE_FOLDER;
    return there;
}

int website_find(struct service *service, const struct place *site, const struct website *website,
                 const char *path, const struct conditions *conditions, const struct range *range,
                 enum website_outcome *ret_outcome, struct reading *ret, struct call *call)
{
    struct look l = {.service = service,
                     .place = *site,
                     .website = website,
                     .conditions = conditions,
                     .range = range,
                     .reading = ret};
    size_t n = strlen(path);
    bool folder = n == 0 || path[n - 1] == '/';
    int found = 0;

    *ret_outcome = WEBSITE_PAGE;
    if (!folder)
        found = open_name(&l, path, call);
    if (found == 0 && website->index)
        found = try_index(&l, path, folder, ret_outcome, call);
    if (found == 0 && website->default_index)
        found = open_name(&l, website->default_index, call);
    if (found == 0)
        *ret_outcome = l.forbidden ? WEBSITE_FORBIDDEN : WEBSITE_ABSENT;
    return found < 0 ? -1 : 0;
}

int website_find_error(struct service *service, const struct place *site,
                       const struct website *website, struct reading *ret, struct call *call)
{
    struct look l = {.service = service, .place = *site, .website = website, .reading = ret};

    return website->error ? open_name(&l, website->error, call) : 0;
}
