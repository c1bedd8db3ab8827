// SPDX-License-Identifier: EUPL-1.2
/* Files of journal and snapshots in the stores. */
#include <stdio.h>

#include "index/journal_private.h"
#include "util/log.h"

void places_init(struct places *p, const struct journal_place *list, size_t count)
{
    *p = (struct places){.list = list, .count = count};
    p->failed = xcalloc(count ? count : 1, sizeof(*p->failed));
    for (size_t i = 0; i < count; i++)
        p->wants[form_of(&list[i])] = true;
}

void places_release(struct places *p)
{
    free(take(p->failed));
}

static char *full_name(const struct journal_place *place, const char *name)
{
    return xasprintf("%s%s", place->prefix ? place->prefix : "", name);
}

static int put_once(const struct journal_place *place, const char *name, const struct buf *file,
                    struct call *call)
{
    struct object_key key = {.container = place->container, .name = name};
    struct put_options options = {.size = file->length};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    struct source_bytes from;

    source_bytes_init(&from, file->data, file->length);
    return store_put(place->store, &key, &options, &from.source, &result, call);
}

static int put(const struct journal_place *place, const char *name, const struct buf *file,
               struct call *call)
{
    auto_free char *full = full_name(place, name);

    if (put_once(place, full, file, call) == 0)
        return 0;
    if (call->err.code != ERR_NOT_FOUND || !place->store->containers)
        return -1;
    err_clear(&call->err);
    if (store_container_create(place->store, place->container, NULL, call) < 0) {
        if (call->err.code != ERR_EXISTS)
            return -1;
        err_clear(&call->err);
    }
    return put_once(place, full, file, call);
}

int places_put(struct places *p, const char *name, const struct buf *files, struct call *call)
{
    struct err last = {0};
    size_t taken = 0;

    for (size_t i = 0; i < p->count; i++) {
        struct call one = call_child(call, NULL);
        if (p->failed[i])
            continue;
        if (put(&p->list[i], name, &files[form_of(&p->list[i])], &one) == 0) {
            taken++;
            continue;
        }
        p->failed[i] = true;
        last = one.err;
        if (p->count > 1)
            log_line(LOG_WARNING, "the index's journal misses '%s' in '%s': %s", name,
                     p->list[i].store->name, one.err.text);
    }
    if (taken > 0)
        return 0;
    if (last.code == ERR_NONE)
        return err_set(&call->err, ERR_INVALID, "the index's journal has no place to go to");
    call->err = last;
    return err_prefix(&call->err, "write '%s' of the index", name);
}

int place_get(const struct journal_place *place, const char *name, struct buf *ret,
              struct call *call)
{
    auto_free char *full = full_name(place, name);
    struct object_key key = {.container = place->container, .name = full};
    struct get_options options = {.length = STORE_TO_END};
    struct sink_buf to;

    sink_buf_init(&to, ret);
    return store_get(place->store, &key, &options, &to.sink, NULL, NULL, call);
}

int place_list(const struct journal_place *place, const char *prefix, place_found *found,
               void *argument, struct call *call)
{
    auto_free char *full = full_name(place, prefix);
    size_t own = strlen(full) - strlen(prefix);
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.prefix = full, .cursor = cursor};
        if (store_list(place->store, place->container, &options, &page, call) < 0) {
            if (call->err.code != ERR_NOT_FOUND)
                return -1;
            err_clear(&call->err);
            return 0; /* no container: nothing was ever kept here */
        }
        for (size_t i = 0; i < page.count; i++)
            if (found(argument, place, page.list[i].name + own, call) < 0)
                return -1;
        replace_string(&cursor, page.cursor);
    } while (cursor);
    return 0;
}

static int see_last(void *argument, const struct journal_place *place, const char *name,
                    struct call *call)
{
    int64_t *last = argument;
    struct batch_name batch;
    struct position snapshot;
    const char *rest;

    (void)place;
    (void)call;
    if (batch_name_read(name, &batch) && batch.last > *last)
        *last = batch.last;
    if (snapshot_name_read(name, &snapshot, &rest) && snapshot.last > *last)
        *last = snapshot.last;
    return 0;
}

int places_last(const struct places *p, int64_t *ret, struct call *call)
{
    int64_t last = 0;

    for (size_t i = 0; i < p->count; i++)
        if (place_list(&p->list[i], "journal/", see_last, &last, call) < 0 ||
            place_list(&p->list[i], "snapshot/", see_last, &last, call) < 0)
            return -1;
    *ret = last;
    return 0;
}
