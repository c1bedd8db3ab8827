// SPDX-License-Identifier: EUPL-1.2
/* How far the move of a large object has come. */
#include <assert.h>
#include <string.h>

#include "move/ledger_private.h"
#include "util/thread.h"

void ledger_checkpoint_release(struct ledger_checkpoint *c)
{
    free(c->upload);
    free(c->etag);
    free(c->extra);
    for (size_t i = 0; i < c->part_count; i++) {
        free((void *)(uintptr_t)c->parts[i].etag);
        free((void *)(uintptr_t)c->parts[i].checksum);
    }
    free(c->parts);
    *c = (struct ledger_checkpoint){0};
}

bool ledger_has_checkpoint(const struct ledger *l, const struct ledger_object *object)
{
    if (object->checkpoint)
        return true;
    for (size_t i = 0; i < l->checkpoint_count; i++)
        if (l->checkpoints[i] == object->id)
            return true;
    return false;
}

static void remember(struct ledger *l, int64_t object)
{
    for (size_t i = 0; i < l->checkpoint_count; i++)
        if (l->checkpoints[i] == object)
            return;
    l->checkpoints = xrealloc(l->checkpoints, l->checkpoint_count + 1, sizeof(*l->checkpoints));
    l->checkpoints[l->checkpoint_count++] = object;
}

int ledger_checkpoint_drop(struct db *db, int64_t object, struct call *call)
{
    if (ledger_run(db, "DELETE FROM part WHERE object = ?1", INTS(object), NULL, call) < 0)
        return -1;
    return ledger_run(db, "DELETE FROM checkpoint WHERE object = ?1", INTS(object), NULL, call);
}

struct work {
    int64_t object;
    const struct ledger_checkpoint *checkpoint;
    const struct ledger_part *parts;
    size_t n;
    int64_t hashed;
    const void *hash_state;
    size_t hash_size;
};

static int begin(struct db *db, void *argument, struct call *call)
{
    const struct work *w = argument;
    struct db_statement *s;

    if (ledger_checkpoint_drop(db, w->object, call) < 0 ||
        db_prepare(db,
                   "INSERT INTO checkpoint (object, upload, etag, part_size, hashed, extra)"
                   " VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->object);
    ledger_bind_name(s, 2, w->checkpoint->upload ? w->checkpoint->upload : "");
    ledger_bind_name(s, 3, w->checkpoint->etag);
    db_bind_int(s, 4, w->checkpoint->part_size);
    db_bind_text(s, 5, w->checkpoint->extra);
    return db_run(s, NULL, call);
}

int ledger_checkpoint_begin(struct ledger *l, int64_t object, const struct ledger_checkpoint *c,
                            struct call *call)
{
    locked(&l->lock);
    struct work w = {.object = object, .checkpoint = c};

    if (db_transact(l->db, begin, &w, call) < 0)
        return err_prefix(&call->err, "record the start of a large object");
    remember(l, object);
    return 0;
}

static int save_hash(struct db *db, const struct work *w, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, "UPDATE checkpoint SET hashed = ?2, hash_state = ?3 WHERE object = ?1", &s,
                   call) < 0)
        return -1;
    db_bind_int(s, 1, w->object);
    db_bind_int(s, 2, w->hashed);
    db_bind_blob(s, 3, w->hash_state, w->hash_size);
    return db_queue(s, call);
}

static int add(struct db *db, void *argument, struct call *call)
{
    const struct work *w = argument;
    struct db_statement *s;
    int64_t one;

    int row = ledger_ask(db, "SELECT object FROM checkpoint WHERE object = ?1", INTS(w->object),
                         &one, call);
    if (row == 0)
        return err_set(&call->err, ERR_CONFLICT, "its checkpoint is gone");
    if (row < 0 || db_prepare(db,
                              "INSERT INTO part (object, number, size, etag, checksum)"
                              " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (object, number) DO UPDATE"
                              " SET size = excluded.size, etag = excluded.etag,"
                              " checksum = excluded.checksum",
                              &s, call) < 0)
        return -1;
    for (size_t i = 0; i < w->n; i++) {
        db_bind_int(s, 1, w->object);
        db_bind_int(s, 2, w->parts[i].number);
        db_bind_int(s, 3, w->parts[i].size);
        ledger_bind_name(s, 4, w->parts[i].etag);
        db_bind_text(s, 5, w->parts[i].checksum);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return w->hash_size > 0 ? save_hash(db, w, call) : 0;
}

int ledger_checkpoint_add(struct ledger *l, int64_t object, const struct ledger_part *parts,
                          size_t n, int64_t hashed, const void *hash_state, size_t hash_size,
                          struct call *call)
{
    locked(&l->lock);
    struct work w = {object, NULL, parts, n, hashed, hash_state, hash_size};

    assert(hash_size <= LEDGER_HASH_STATE);
    if (db_transact(l->db, add, &w, call) < 0)
        return err_prefix(&call->err, "record parts of a large object");
    return 0;
}

static int load_parts(struct ledger *l, int64_t object, struct ledger_checkpoint *c,
                      struct call *call)
{
    struct db_statement *s;
    size_t size = 0;
    int row;

    if (db_prepare(l->db,
                   "SELECT number, size, etag, checksum FROM part WHERE object = ?1"
                   " ORDER BY number",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, object);
    while ((row = db_step(s, call)) > 0) {
        if (c->part_count == size) {
            size = size ? 2 * size : 64;
            c->parts = xrealloc(c->parts, size, sizeof(*c->parts));
        }
        c->parts[c->part_count++] = (struct ledger_part){
            .number = db_column_int(s, 0),
            .size = db_column_int(s, 1),
            .etag = ledger_column_name(s, 2),
            .checksum = ledger_column_string(s, 3),
        };
    }
    db_reset(s);
    return row;
}

int ledger_checkpoint_load(struct ledger *l, int64_t object, struct ledger_checkpoint *ret,
                           struct call *call)
{
    auto_ledger_checkpoint struct ledger_checkpoint c = {0};
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT upload, etag, part_size, hashed, hash_state, extra FROM checkpoint"
                   " WHERE object = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, object);
    int row = db_step(s, call);
    if (row > 0) {
        size_t n;
        c.upload = ledger_column_name(s, 0);
        c.etag = ledger_column_name(s, 1);
        c.part_size = db_column_int(s, 2);
        c.hashed = db_column_int(s, 3);
        const void *state = db_column_blob(s, 4, &n);
        if (state && n <= sizeof(c.hash_state)) {
            memcpy(c.hash_state, state, n);
            c.hash_size = n;
        }
        c.extra = ledger_column_string(s, 5);
    }
    db_reset(s);
    if (row <= 0)
        return row;
    if (load_parts(l, object, &c, call) < 0)
        return -1;
    *ret = c;
    c = (struct ledger_checkpoint){0};
    return 1;
}

static int clear(struct db *db, void *argument, struct call *call)
{
    const struct work *w = argument;

    return ledger_checkpoint_drop(db, w->object, call);
}

int ledger_checkpoint_clear(struct ledger *l, int64_t object, struct call *call)
{
    locked(&l->lock);
    struct work w = {.object = object};

    if (db_transact(l->db, clear, &w, call) < 0)
        return err_prefix(&call->err, "forget the parts of a large object");
    return 0;
}
