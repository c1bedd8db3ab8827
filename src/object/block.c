// SPDX-License-Identifier: EUPL-1.2
/* Staging blocks and committing them: see block.h. */
#include "object/block.h"

#include <inttypes.h>
#include <string.h>

#include "object/digest.h"
#include "object/object_private.h"

#define BLOCKS_STAGED_MAX 100000

/* ---- Stage ---- */

struct stage_task {
    struct service *service;
    const struct stage_request *request;
    const struct piece *piece;
    const char *checksums;
};

static int upload_must_be(struct db *db, const struct place *place, int64_t container,
                          const char *upload, bool lock, struct upload_row *ret, struct call *call)
{
    auto_upload_row struct upload_row row = upload_row_new();
    row.upload = xstrdup(upload);
    int found =
        lock ? row_lock(db, &upload_table, &row, call) : row_find(db, &upload_table, &row, call);
    if (found < 0)
        return -1;
    if (found == 0 || row.container != container || !same_string(row.name, place->name))
        return fault_set(&call->err, FAULT_UPLOAD_MISSING, "no upload '%s' of '%s'", upload,
                         place->name);
    if (ret != NULL)
        row_copy(&upload_table, ret, &row);
    return 0;
}

/* All ids that wait for one name have one length (Azure), and there is an end to their number. */
static int block_fits(struct db *db, const struct stage_request *request, int64_t container,
                      struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db,
                   "SELECT block FROM block WHERE container = ?1 AND name = ?2 AND upload = '' "
                   "LIMIT 1",
                   &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    bind_name(find, 2, request->place.name);
    int row = db_step(find, call);
    bool fits = row <= 0 || strlen(db_column_text(find, 0)) == strlen(request->block);
    db_reset(find);
    if (row < 0)
        return -1;
    if (!fits)
        return fault_set(&call->err, FAULT_BLOCK_ID_LENGTH, "block ids of '%s' have another length",
                         request->place.name);
    if (row == 0)
        return 0;
    if (db_prepare(db,
                   "SELECT 1 FROM block WHERE container = ?1 AND name = ?2 AND upload = '' LIMIT 1 "
                   "OFFSET ?3",
                   &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    bind_name(find, 2, request->place.name);
    db_bind_int(find, 3, BLOCKS_STAGED_MAX - 1);
    row = db_step(find, call);
    db_reset(find);
    if (row > 0)
        return fault_set(&call->err, FAULT_BLOCK_COUNT, "'%s' has %d staged blocks",
                         request->place.name, BLOCKS_STAGED_MAX);
    return row;
}

static int stage_may(struct db *db, const struct stage_task *task, struct scene *s,
                     struct call *call)
{
    const struct stage_request *request = task->request;
    if (scene_open(db, &request->place, SCENE_READ, s, call) < 0)
        return -1;
    if (request->upload[0] != '\0')
        return upload_must_be(db, &request->place, s->container.id, request->upload, false, NULL,
                              call);
    if (s->found &&
        lease_check(&s->object, request->conditions.lease, true, s->now, &call->err) < 0)
        return -1;
    if (s->found && same_string(request->conditions.if_none_match, "*"))
        return fault_set(&call->err, FAULT_OBJECT_EXISTS, "'%s' is there already",
                         request->place.name);
    if (s->found && s->object.type != OBJECT_BLOCK)
        return fault_set(&call->err, FAULT_TYPE, "'%s' is not a block object", s->object.name);
    return block_fits(db, request, s->container.id, call);
}

static int stage_look(struct db *db, void *argument, struct call *call)
{
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    return stage_may(db, argument, &s, call);
}

/* 1 and what was there, 0 when nothing was.  Another gateway may stage the same block at once: who
 * finds its row must let go of the piece that was put there. */
static int block_put(struct db *db, struct block_row *fresh, struct block_row *ret_old,
                     struct call *call)
{
    bool done = false;
    while (!done) {
        int found = row_lock(db, &block_table, ret_old, call);
        if (found < 0)
            return -1;
        /* It has been filled anew: the key is fresh's again. */
        fresh->name = ret_old->name;
        fresh->upload = ret_old->upload;
        fresh->block = ret_old->block;
        if (found > 0)
            return row_update(db, &block_table, fresh, call) < 0 ? -1 : 1;
        if (row_insert_new(db, &block_table, fresh, &done, call) < 0)
            return -1;
    }
    return 0;
}

static int stage_commit(struct db *db, void *argument, struct call *call)
{
    const struct stage_task *task = argument;
    const struct stage_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_block_row struct block_row old = block_row_new();
    if (stage_may(db, task, &s, call) < 0 || piece_commit(db, task->piece, call) < 0)
        return -1;
    old.container = s.container.id;
    old.name = xstrdup(request->place.name);
    old.upload = xstrdup(request->upload);
    old.block = xstrdup(request->block);
    struct block_row fresh = old;
    fresh.piece = task->piece->row.id;
    fresh.piece_start = 0;
    fresh.size = (int64_t)request->size;
    fresh.created = s.now;
    fresh.checksums = (char *)task->checksums;
    int found = block_put(db, &fresh, &old, call);
    if (found > 0 && old.piece != 0)
        return piece_let_go(task->service, db, old.piece, s.now, call);
    return found < 0 ? -1 : 0;
}

int service_stage(struct service *service, const struct stage_request *request,
                  struct checksums *ret_sums, struct call *call)
{
    auto_piece struct piece piece = {.row = piece_row_new()};
    struct stage_task task = {service, request, &piece, NULL};
    if (service_read_index(service, stage_look, &task, call) < 0 ||
        piece_write(service, &request->place, request->body, request->size, request->wanted,
                    &request->expected, &piece, call) < 0)
        return -1;
    auto_free char *made = checksums_json(&piece.sums, request->algorithm, NULL, NULL);
    task.checksums = request->checksums != NULL ? request->checksums : made;
    if (service_write(service, stage_commit, &task, call) < 0) {
        piece_discard(service, &piece);
        return -1;
    }
    if (ret_sums != NULL)
        *ret_sums = piece.sums;
    return 0;
}

/* ---- Commit ---- */

struct commit_task {
    struct service *service;
    const struct commit_request *request;
    struct object_row *ret;
};

struct found_block {
    int64_t piece;
    uint64_t piece_start;
    uint64_t size;
};

/* As stage wrote it: "md5":"<digits>". */
static bool has_md5(const char *checksums, const char *md5)
{
    auto_free char *member = xasprintf("\"md5\":\"%s\"", md5);
    return checksums != NULL && strstr(checksums, member) != NULL;
}

static int find_staged(struct db *db, const struct commit_request *request, int64_t container,
                       const struct block_choice *choice, struct found_block *ret,
                       struct call *call)
{
    struct db_statement *find;
    bool other = false;
    if (db_prepare(db,
                   "SELECT piece, piece_start, size, checksums FROM block WHERE container = ?1 AND "
                   "name = ?2 AND upload = ?3 AND block = ?4",
                   &find, call) < 0)
        return -1;
    db_bind_int(find, 1, container);
    bind_name(find, 2, request->place.name);
    db_bind_text(find, 3, request->upload);
    db_bind_text(find, 4, choice->block);
    int row = db_step(find, call);
    if (row > 0) {
        *ret = (struct found_block){db_column_int(find, 0), (uint64_t)db_column_int(find, 1),
                                    (uint64_t)db_column_int(find, 2)};
        other = choice->etag != NULL && !has_md5(db_column_text(find, 3), choice->etag);
    }
    db_reset(find);
    if (other)
        return fault_set(&call->err, FAULT_PART, "block '%s' of '%s' is another one meanwhile",
                         choice->block, request->place.name);
    return row;
}

static int find_committed(struct db *db, int64_t layout, const char *block, struct found_block *ret,
                          struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db,
                   "SELECT piece, piece_start, length FROM extent WHERE layout = ?1 AND block = ?2 "
                   "LIMIT 1",
                   &find, call) < 0)
        return -1;
    db_bind_int(find, 1, layout);
    db_bind_text(find, 2, block);
    int row = db_step(find, call);
    if (row > 0)
        *ret = (struct found_block){db_column_int(find, 0), (uint64_t)db_column_int(find, 1),
                                    (uint64_t)db_column_int(find, 2)};
    db_reset(find);
    return row;
}

static int find_block(struct db *db, const struct commit_request *request, const struct scene *s,
                      const struct block_choice *choice, struct found_block *ret, struct call *call)
{
    int found = 0;
    if (choice->where != BLOCK_COMMITTED)
        found = find_staged(db, request, s->container.id, choice, ret, call);
    if (found == 0 && choice->where != BLOCK_UNCOMMITTED && s->found)
        found = find_committed(db, s->object.layout, choice->block, ret, call);
    if (found == 0)
        return fault_set(&call->err, FAULT_BLOCK_LIST, "no block '%s' of '%s'", choice->block,
                         request->place.name);
    return found < 0 ? -1 : 0;
}

/* The extents of the new object; pieces that were staged are now spoken of twice until
 * blocks_purge(). */
static int lay_out(struct db *db, const struct commit_request *request, const struct scene *s,
                   int64_t layout, uint64_t *ret_size, struct call *call)
{
    uint64_t size = 0;
    for (size_t i = 0; i < request->count; i++) {
        struct found_block block = {0};
        if (find_block(db, request, s, &request->blocks[i], &block, call) < 0 ||
            extent_add(db, layout, size, block.size, block.piece, block.piece_start,
                       request->blocks[i].block, call) < 0)
            return -1;
        size += block.size;
    }
    *ret_size = size;
    return 0;
}

static int commit_may(struct db *db, const struct commit_request *request, struct scene *s,
                      struct call *call)
{
    if (conditions_check_write(&request->conditions, s, &call->err) < 0)
        return -1;
    if (request->upload[0] != '\0') {
        if (upload_must_be(db, &request->place, s->container.id, request->upload, true, NULL,
                           call) < 0)
            return -1;
    } else if (s->found && s->object.type != OBJECT_BLOCK) {
        return fault_set(&call->err, FAULT_TYPE, "'%s' is not a block object", s->object.name);
    }
    if (s->found)
        return lease_check(&s->object, request->conditions.lease, true, s->now, &call->err);
    if (request->conditions.lease != NULL)
        return fault_set(&call->err, FAULT_LEASE_ABSENT_OPERATION, "the object is not leased");
    /* Azure takes an object of staged blocks for one that was modified when they were staged. */
    if (request->conditions.modified_since != TIME_UNKNOWN &&
        request->conditions.modified_since > s->now)
        return fault_set(&call->err, FAULT_CONDITION, "no block of '%s' was staged since then",
                         request->place.name);
    return 0;
}

static int commit_blocks(struct db *db, void *argument, struct call *call)
{
    const struct commit_task *task = argument;
    const struct commit_request *request = task->request;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_object_row struct object_row fresh = object_row_new();
    struct rules rules;
    int64_t layout = index_new_id();
    uint64_t size;
    if (scene_open(db, &request->place, SCENE_WRITE, &s, call) < 0 ||
        commit_may(db, request, &s, call) < 0 || rules_of(db, &s.container, &rules, call) < 0 ||
        lay_out(db, request, &s, layout, &size, call) < 0)
        return -1;
    properties_set(&fresh, request->properties);
    fresh.container = s.container.id;
    fresh.name = xstrdup(request->place.name);
    fresh.type = OBJECT_BLOCK;
    fresh.size = (int64_t)size;
    fresh.layout = layout;
    struct object_row *old = s.object.id != 0 ? &s.object : NULL;
    if (current_replace(task->service, db, &rules, old, &fresh, s.now, call) < 0 ||
        blocks_purge(task->service, db, s.container.id, request->place.name, request->upload, s.now,
                     call) < 0)
        return -1;
    if (request->upload[0] != '\0') {
        struct upload_row gone = {.upload = (char *)request->upload};
        if (row_delete(db, &upload_table, &gone, call) < 0)
            return -1;
    }
    if (task->ret != NULL)
        row_copy(&object_table, task->ret, &fresh);
    return 0;
}

int service_commit(struct service *service, const struct commit_request *request,
                   struct object_row *ret, struct call *call)
{
    if (request->count > 50000)
        return fault_set(&call->err, FAULT_BLOCK_COUNT,
                         "a block list has %zu blocks, at most 50000", request->count);
    struct commit_task task = {service, request, ret};
    return service_write(service, commit_blocks, &task, call);
}

/* ---- List ---- */

void block_list_release(struct block_list *l)
{
    for (size_t i = 0; i < l->committed_count; i++) {
        free(l->committed[i].block);
        free(l->committed[i].checksums);
    }
    for (size_t i = 0; i < l->uncommitted_count; i++) {
        free(l->uncommitted[i].block);
        free(l->uncommitted[i].checksums);
    }
    free(l->committed);
    free(l->uncommitted);
    if (l->has_object)
        object_row_release(&l->object);
    *l = (struct block_list){0};
}

static struct block_entry *entry_add(struct block_entry **list, size_t *count, size_t *size)
{
    if (*count == *size) {
        *size = *size == 0 ? 16 : 2 * *size;
        *list = xrealloc(*list, *size, sizeof(**list));
    }
    struct block_entry *entry = &(*list)[(*count)++];
    *entry = (struct block_entry){.created = TIME_UNKNOWN};
    return entry;
}

static int list_committed(struct db *db, struct block_list *l, struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db,
                   "SELECT block, length FROM extent WHERE layout = ?1 AND block IS NOT NULL ORDER "
                   "BY start",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, l->object.layout);
    int row;
    while ((row = db_step(find, call)) > 0) {
        struct block_entry *entry =
            entry_add(&l->committed, &l->committed_count, &l->committed_size);
        entry->block = xstrdup(db_column_text(find, 0));
        entry->size = (uint64_t)db_column_int(find, 1);
    }
    return row;
}

static int list_staged(struct db *db, int64_t container, const char *name, const char *upload,
                       struct block_list *l, struct call *call)
{
    struct db_statement *find;
    if (db_prepare(db,
                   "SELECT block, size, created, checksums FROM block WHERE container = ?1 AND "
                   "name = ?2 AND upload = ?3 ORDER BY block",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, container);
    bind_name(find, 2, name);
    db_bind_text(find, 3, upload);
    int row;
    while ((row = db_step(find, call)) > 0) {
        struct block_entry *entry =
            entry_add(&l->uncommitted, &l->uncommitted_count, &l->uncommitted_size);
        entry->block = xstrdup(db_column_text(find, 0));
        entry->size = (uint64_t)db_column_int(find, 1);
        entry->created = db_column_int(find, 2);
        entry->checksums = xstrdup_null(db_column_text(find, 3));
    }
    return row;
}

struct block_list_task {
    const struct place *place;
    const struct conditions *conditions;
    const char *upload;
    struct block_list *ret;
};

static int list_blocks(struct db *db, void *argument, struct call *call)
{
    const struct block_list_task *task = argument;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    auto_block_list struct block_list found = {0};
    if (scene_open(db, task->place, SCENE_READ, &s, call) < 0)
        return -1;
    if (task->upload[0] != '\0' &&
        upload_must_be(db, task->place, s.container.id, task->upload, false, NULL, call) < 0)
        return -1;
    if (s.found && task->upload[0] == '\0') {
        found.object = object_row_new();
        found.has_object = true;
        row_copy(&object_table, &found.object, &s.object);
        if (task->conditions != NULL &&
            (lease_check(&s.object, task->conditions->lease, false, s.now, &call->err) < 0 ||
             conditions_check_read(task->conditions, &s.object, &call->err) < 0))
            return -1;
        if (s.object.type != OBJECT_BLOCK)
            return fault_set(&call->err, FAULT_TYPE, "'%s' is not a block object", s.object.name);
        if (list_committed(db, &found, call) < 0)
            return -1;
    }
    if (list_staged(db, s.container.id, task->place->name, task->upload, &found, call) < 0)
        return -1;
    if (task->upload[0] == '\0' && !s.found && found.uncommitted_count == 0)
        return fault_set(&call->err, FAULT_OBJECT_MISSING, "no object '%s'", task->place->name);
    block_list_release(task->ret);
    *task->ret = found;
    found = (struct block_list){0};
    return 0;
}

int service_block_list(struct service *service, const struct place *place,
                       const struct conditions *conditions, const char *upload,
                       struct block_list *ret, struct call *call)
{
    struct block_list_task task = {place, conditions, upload, ret};
    return service_read_index(service, list_blocks, &task, call);
}
