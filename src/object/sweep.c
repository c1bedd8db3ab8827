// SPDX-License-Identifier: EUPL-1.2
/*
 * The sweep: what nobody needs any more.  See service.h.
 *
 * Several gateways sweep at once; rows another one holds are left to it.  A piece goes in two
 * steps. First one transaction takes away what could make rows speak of it (its intent, or its last
 * extent and its row) and writes it down as garbage: from then on no row can ever come to speak of
 * it, because a commit wants the intent and an extent wants the row.  Only then it is removed from
 * its store, and its line of garbage at last: whoever dies in between leaves a line that the next
 * sweep finds.
 */
#include "object/sweep.h"

#include <string.h>

#define CLAIM_TIME (600 * CLOCK_SECOND)

int sweep_pass(struct sweep *s, db_function *batch, struct call *call)
{
    s->from = (struct sweep_cursor){INT64_MIN, INT64_MIN};
    do {
        if (call_check(call) < 0 || service_write(s->service, batch, s, call) < 0)
            return -1;
        s->from = s->to;
    } while (s->more);
    return 0;
}

int sweep_select(struct sweep *s, struct db *db, const char *sql, int64_t until,
                 struct sweep_ids *ret, struct call *call)
{
    struct db_statement *find;
    int row;

    ret->count = 0;
    s->to = s->from;
    if (db_prepare(db, sql, &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, until);
    db_bind_int(find, 2, s->from.time);
    db_bind_int(find, 3, s->from.id);
    db_bind_int(find, 4, SWEEP_BATCH);
    while ((row = db_step(find, call)) > 0) {
        s->to = (struct sweep_cursor){db_column_int(find, 0), db_column_int(find, 1)};
        ret->ids[ret->count++] = s->to.id;
    }
    s->more = ret->count == SWEEP_BATCH;
    return row;
}

/* ---- Uploads that never became an object ---- */

static int sweep_intents(struct db *db, void *argument, struct call *call)
{
    struct sweep *s = argument;
    struct sweep_ids found;
    int64_t now;

    if (index_now(db, &now, call) < 0 ||
        sweep_select(s, db,
                     "SELECT expires, piece FROM intent WHERE expires <= ?1 AND "
                     "(expires, piece) > (?2, ?3) ORDER BY expires, piece LIMIT ?4 "
                     "FOR UPDATE SKIP LOCKED",
                     now, &found, call) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++)
        if (intent_give_up(db, found.ids[i], now, call) < 0)
            return -1;
    return 0;
}

/* ---- Staged blocks and uploads ---- */

/* A block lives on while its name (or upload) gets others. */
static int sweep_blocks(struct db *db, void *argument, struct call *call)
{
    struct sweep *s = argument;
    struct block_row rows[SWEEP_BATCH];
    struct db_statement *find;
    size_t count = 0;
    int64_t now;
    int row, done = 0;

    if (index_now(db, &now, call) < 0 ||
        select_rows(db, &block_table,
                    "WHERE created <= ?1 AND NOT EXISTS (SELECT 1 FROM block other WHERE "
                    "other.container = block.container AND other.name = block.name AND "
                    "other.upload = block.upload AND other.created > ?1) LIMIT ?2 "
                    "FOR UPDATE SKIP LOCKED",
                    &find, call) < 0)
        return -1;
    db_bind_int(find, 1, now - s->service->block_time);
    db_bind_int(find, 2, SWEEP_BATCH);
    while ((row = db_step(find, call)) > 0) {
        rows[count] = block_row_new();
        row_read(&block_table, find, 0, &rows[count++]);
    }
    db_reset(find);
    for (size_t i = 0; i < count && row == 0 && done == 0; i++)
        done = row_delete(db, &block_table, &rows[i], call);
    for (size_t i = 0; i < count; i++) {
        if (row == 0 && done == 0)
            done = piece_let_go(s->service, db, rows[i].piece, now, call);
        block_row_release(&rows[i]);
    }
    s->more = count == SWEEP_BATCH;
    return row < 0 ? -1 : done;
}

static int sweep_uploads(struct db *db, void *argument, struct call *call)
{
    struct sweep *s = argument;
    struct db_statement *find;
    char *uploads[SWEEP_BATCH];
    size_t count = 0;
    int64_t now;
    int row, done = 0;

    if (index_now(db, &now, call) < 0 ||
        db_prepare(db,
                   "SELECT upload FROM upload WHERE created <= ?1 AND NOT EXISTS (SELECT 1 FROM "
                   "block WHERE block.container = upload.container AND block.name = upload.name "
                   "AND block.upload = upload.upload) LIMIT ?2 FOR UPDATE SKIP LOCKED",
                   &find, call) < 0)
        return -1;
    db_bind_int(find, 1, now - s->service->block_time);
    db_bind_int(find, 2, SWEEP_BATCH);
    while ((row = db_step(find, call)) > 0)
        uploads[count++] = xstrdup(db_column_text(find, 0));
    db_reset(find);
    for (size_t i = 0; i < count; i++) {
        struct upload_row upload = {.upload = uploads[i]};
        if (row == 0 && done == 0)
            done = row_delete(db, &upload_table, &upload, call);
        free(uploads[i]);
    }
    s->more = count == SWEEP_BATCH;
    return row < 0 ? -1 : done;
}

/* ---- Garbage ---- */

struct garbage_batch {
    struct sweep sweep;
    struct garbage_row rows[SWEEP_BATCH];
    bool removed[SWEEP_BATCH];
    size_t count;
};

static void garbage_release(struct garbage_batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        garbage_row_release(&b->rows[i]);
    b->count = 0;
}

/* On a shared index the rows are put off, so that another gateway finds others. */
static int garbage_claim(struct db *db, void *argument, struct call *call)
{
    struct garbage_batch *b = argument;
    struct sweep_ids found;
    int64_t now;

    garbage_release(b);
    if (index_now(db, &now, call) < 0 ||
        sweep_select(&b->sweep, db,
                     "SELECT after, piece FROM garbage WHERE after <= ?1 AND "
                     "(after, piece) > (?2, ?3) ORDER BY after, piece LIMIT ?4 "
                     "FOR UPDATE SKIP LOCKED",
                     now, &found, call) < 0)
        return -1;
    for (size_t i = 0; i < found.count; i++) {
        struct garbage_row *row = &b->rows[b->count];
        *row = garbage_row_new();
        row->piece = found.ids[i];
        int there = row_find(db, &garbage_table, row, call);
        if (there <= 0) {
            garbage_row_release(row);
            if (there < 0)
                return -1;
            continue;
        }
        b->removed[b->count++] = false;
        row->after = now + CLAIM_TIME;
        if (db_kind(db) == DB_POSTGRES && row_update(db, &garbage_table, row, call) < 0)
            return -1;
    }
    return 0;
}

static int garbage_forget(struct db *db, void *argument, struct call *call)
{
    const struct garbage_batch *b = argument;

    for (size_t i = 0; i < b->count; i++)
        if (b->removed[i] && row_delete(db, &garbage_table, &b->rows[i], call) < 0) {
            if (call->err.code != ERR_NOT_FOUND)
                return -1;
            err_clear(&call->err);
        }
    return 0;
}

/* A store that cannot remove it now gets another chance in a later sweep; the first reason is kept.
 */
static int garbage_remove(struct garbage_batch *b, uint64_t *removed, struct err *first,
                          struct call *call)
{
    for (size_t i = 0; i < b->count; i++) {
        const struct garbage_row *row = &b->rows[i];
        struct object_key key = {.container = row->container, .name = row->key};
        struct service_store *from = service_store_of(b->sweep.service, row->store);
        if (call_check(call) < 0)
            return -1;
        if (!from) {
            if (first->code == ERR_NONE)
                (void)fault_set(first, FAULT_STORE,
                                "garbage lies in the store '%s', which is not configured",
                                row->store);
        } else if (store_remove(from->store, &key, NULL, call) == 0) {
            b->removed[i] = true;
            ++*removed;
        } else if (call->err.code == ERR_NOT_FOUND) {
            b->removed[i] = true;
        } else if (first->code == ERR_NONE) {
            *first = call->err;
        }
        err_clear(&call->err);
    }
    return 0;
}

static int sweep_garbage(struct service *service, uint64_t *removed, struct call *call)
{
    auto_free struct garbage_batch *b = xcalloc(1, sizeof(*b));
    struct err first = {0};
    int done;

    b->sweep = (struct sweep){.service = service, .from = {INT64_MIN, INT64_MIN}};
    do {
        done = call_check(call);
        if (done == 0)
            done = service_write(service, garbage_claim, b, call);
        if (done == 0)
            done = garbage_remove(b, removed, &first, call);
        if (done == 0)
            done = service_write(service, garbage_forget, b, call);
        b->sweep.from = b->sweep.to;
    } while (done == 0 && b->sweep.more);
    garbage_release(b);
    if (done == 0 && first.code != ERR_NONE) {
        call->err = first;
        return err_prefix(&call->err, "remove garbage");
    }
    return done;
}

static int sweep_all(struct service *service, uint64_t *removed, struct call *call)
{
    struct sweep s = {.service = service};

    if (sweep_pass(&s, sweep_intents, call) < 0 || sweep_pass(&s, sweep_blocks, call) < 0 ||
        sweep_pass(&s, sweep_uploads, call) < 0 || sweep_lifecycle(service, call) < 0 ||
        sweep_expired(service, call) < 0 || sweep_objects(service, call) < 0 ||
        sweep_containers(service, call) < 0)
        return -1;
    return sweep_garbage(service, removed, call);
}

int service_sweep(struct service *service, uint64_t *ret_removed, struct call *call)
{
    uint64_t removed = 0;
    int done = sweep_all(service, &removed, call);

    /* What did not fit into the call is for the next one. */
    if (done < 0 && (call->err.code == ERR_TIMEOUT || call->err.code == ERR_CANCELLED)) {
        err_clear(&call->err);
        done = 0;
    }
    if (ret_removed)
        *ret_removed = removed;
    return done;
}
