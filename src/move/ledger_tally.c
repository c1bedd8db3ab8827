// SPDX-License-Identifier: EUPL-1.2
/* The ledger's counters: one row for each container and state, changed in the same transaction as
 * the objects. */
#include "move/ledger_private.h"

void ledger_changes_release(struct ledger_changes *c)
{
    free(c->list);
    *c = (struct ledger_changes){0};
}

void ledger_change(struct ledger_changes *c, int64_t container, enum ledger_state state,
                   int64_t objects, int64_t bytes)
{
    int slot = state == LEDGER_CLAIMED ? LEDGER_PENDING : (int)state;

    /* The newest first: neighbours in a batch are mostly of one container. */
    for (size_t i = c->count; i > 0; i--) {
        struct ledger_change *known = &c->list[i - 1];
        if (known->container == container && known->state == slot) {
            known->objects += objects;
            known->bytes += bytes;
            return;
        }
    }
    if (c->count == c->size) {
        c->size = c->size ? 2 * c->size : 8;
        c->list = xrealloc(c->list, c->size, sizeof(*c->list));
    }
    c->list[c->count++] = (struct ledger_change){container, slot, objects, bytes};
}

static int by_container_and_state(const void *one, const void *other)
{
    const struct ledger_change *a = one;
    const struct ledger_change *b = other;

    if (a->container != b->container)
        return a->container < b->container ? -1 : 1;
    return a->state - b->state;
}

int ledger_changes_write(struct db *db, int64_t job, struct ledger_changes *c, struct call *call)
{
    struct db_statement *s;

    if (c->count == 0)
        return 0;
    qsort(c->list, c->count, sizeof(*c->list), by_container_and_state);
    if (db_prepare(db,
                   "INSERT INTO tally (job, container, state, objects, bytes)"
                   " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (job, container, state) DO UPDATE"
                   " SET objects = tally.objects + excluded.objects,"
                   " bytes = tally.bytes + excluded.bytes",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < c->count; i++) {
        const struct ledger_change *change = &c->list[i];
        if (change->objects == 0 && change->bytes == 0)
            continue;
        db_bind_int(s, 1, job);
        db_bind_int(s, 2, change->container);
        db_bind_int(s, 3, change->state);
        db_bind_int(s, 4, change->objects);
        db_bind_int(s, 5, change->bytes);
        if (db_queue(s, call) < 0)
            return -1;
    }
    c->count = 0;
    return 0;
}

int ledger_counts_read(struct db_statement *s, struct ledger_counts *ret, struct call *call)
{
    struct ledger_counts counts = {0};
    int row;

    while ((row = db_step(s, call)) > 0) {
        int64_t state = db_column_int(s, 0);
        if (state == LEDGER_CLAIMED)
            state = LEDGER_PENDING;
        if (state < 0 || state >= LEDGER_STATE_COUNT) {
            db_reset(s);
            return err_set(&call->err, ERR_CORRUPT, "the ledger holds an unknown state %lld",
                           (long long)state);
        }
        struct ledger_tally add = {db_column_int(s, 1), db_column_int(s, 2)};
        counts.by[state].objects += add.objects;
        counts.by[state].bytes += add.bytes;
        if (state < LEDGER_GONE) {
            counts.listed.objects += add.objects;
            counts.listed.bytes += add.bytes;
        }
    }
    db_reset(s);
    if (row < 0)
        return -1;
    *ret = counts;
    return 0;
}
