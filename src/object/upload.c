// SPDX-License-Identifier: EUPL-1.2
/* Multipart uploads under way: see block.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "object/block.h"
#include "object/object_private.h"
#include "util/random.h"

struct upload_task {
    struct service *service;
    const struct place *place;
    const char *upload;
    const char *properties;
    const char *owner;
    struct upload_row *ret;
};

static int begin(struct db *db, void *argument, struct call *call)
{
    const struct upload_task *task = argument;
    auto_container_row struct container_row container = container_row_new();
    struct upload_row row = {.upload = (char *)task->upload,
                             .name = (char *)task->place->name,
                             .properties = (char *)task->properties,
                             .owner = (char *)task->owner};
    if (index_now(db, &row.created, call) < 0 ||
        container_find(db, task->place->account, task->place->container, false, &container, call) <
            0)
        return -1;
    row.container = container.id;
    return row_insert(db, &upload_table, &row, call);
}

int service_upload_begin(struct service *service, const struct place *place, const char *properties,
                         const char *owner, char **ret_upload, struct call *call)
{
    /* Ids rise, so that uploads of one name are listed in the order they were begun. */
    char id[33], random[17];
    random_hex(random, 8);
    (void)snprintf(id, sizeof(id), "%016" PRIx64 "%s", (uint64_t)clock_wall(), random);
    struct upload_task task = {service, place, id, properties, owner, NULL};
    if (service_write(service, begin, &task, call) < 0)
        return -1;
    *ret_upload = xstrdup(id);
    return 0;
}

static int find(struct db *db, const struct upload_task *task, bool lock, struct upload_row *ret,
                struct call *call)
{
    auto_container_row struct container_row container = container_row_new();
    if (container_find(db, task->place->account, task->place->container, false, &container, call) <
        0)
        return -1;
    ret->upload = xstrdup(task->upload);
    int found =
        lock ? row_lock(db, &upload_table, ret, call) : row_find(db, &upload_table, ret, call);
    if (found < 0)
        return -1;
    if (found == 0 || ret->container != container.id || !same_string(ret->name, task->place->name))
        return fault_set(&call->err, FAULT_UPLOAD_MISSING, "no upload '%s' of '%s'", task->upload,
                         task->place->name);
    return 0;
}

static int get(struct db *db, void *argument, struct call *call)
{
    const struct upload_task *task = argument;
    auto_upload_row struct upload_row row = upload_row_new();
    if (find(db, task, false, &row, call) < 0)
        return -1;
    row_copy(&upload_table, task->ret, &row);
    return 0;
}

int service_upload_get(struct service *service, const struct place *place, const char *upload,
                       struct upload_row *ret, struct call *call)
{
    struct upload_task task = {.service = service, .place = place, .upload = upload, .ret = ret};
    return service_read_index(service, get, &task, call);
}

static int abort_it(struct db *db, void *argument, struct call *call)
{
    const struct upload_task *task = argument;
    auto_upload_row struct upload_row row = upload_row_new();
    int64_t now;
    if (index_now(db, &now, call) < 0 || find(db, task, true, &row, call) < 0)
        return -1;
    return row_delete(db, &upload_table, &row, call) < 0
               ? -1
               : blocks_purge(task->service, db, row.container, row.name, row.upload, now, call);
}

int service_upload_abort(struct service *service, const struct place *place, const char *upload,
                         struct call *call)
{
    struct upload_task task = {.service = service, .place = place, .upload = upload};
    return service_write(service, abort_it, &task, call);
}

void upload_rows_release(struct upload_rows *l)
{
    for (size_t i = 0; i < l->count; i++)
        upload_row_release(&l->list[i]);
    free(l->list);
    *l = (struct upload_rows){0};
}

struct upload_list_task {
    const char *account;
    const char *container;
    const char *prefix;
    const char *after_name;
    const char *after_upload;
    unsigned limit;
    struct upload_rows *ret;
};

static int list_rows(struct db *db, const struct upload_list_task *task, int64_t container,
                     struct upload_rows *into, struct call *call)
{
    const char *prefix = task->prefix != NULL ? task->prefix : "";
    bool after = task->after_name != NULL && strcmp(task->after_name, prefix) >= 0;
    const char *from = after ? task->after_name : prefix;
    struct db_statement *s;
    if (select_rows(db, &upload_table,
                    "WHERE container = ?1 AND (name > ?2 OR (name = ?2 AND upload > ?3)) ORDER BY "
                    "name, upload LIMIT ?4",
                    &s, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = s;
    db_bind_int(s, 1, container);
    bind_name(s, 2, from);
    /* Without an upload id the marker stands behind all uploads of its name. */
    const char *upload = !after ? "" : task->after_upload != NULL ? task->after_upload : "~";
    db_bind_text(s, 3, upload);
    db_bind_int(s, 4, (int64_t)task->limit + 1);
    int row;
    while ((row = db_step(s, call)) > 0) {
        struct upload_row upload_row = upload_row_new();
        row_read(&upload_table, s, 0, &upload_row);
        bool other = strncmp(upload_row.name, prefix, strlen(prefix)) != 0;
        if (other || into->count == task->limit) {
            into->more = !other;
            upload_row_release(&upload_row);
            return 0;
        }
        if (into->count == into->size) {
            into->size = into->size == 0 ? 16 : 2 * into->size;
            into->list = xrealloc(into->list, into->size, sizeof(*into->list));
        }
        into->list[into->count++] = upload_row;
    }
    return row;
}

static int list(struct db *db, void *argument, struct call *call)
{
    const struct upload_list_task *task = argument;
    auto_container_row struct container_row container = container_row_new();
    auto_upload_rows struct upload_rows found = {0};
    if (container_find(db, task->account, task->container, false, &container, call) < 0 ||
        list_rows(db, task, container.id, &found, call) < 0)
        return -1;
    upload_rows_release(task->ret);
    *task->ret = found;
    found = (struct upload_rows){0};
    return 0;
}

int service_upload_list(struct service *service, const char *account, const char *container,
                        const char *prefix, const char *after_name, const char *after_upload,
                        unsigned limit, struct upload_rows *ret, struct call *call)
{
    struct upload_list_task task = {account,      container, prefix, after_name,
                                    after_upload, limit,     ret};
    return service_read_index(service, list, &task, call);
}
