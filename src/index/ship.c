// SPDX-License-Identifier: EUPL-1.2
/*
 * Shipping: what is committed leaves table journal for the stores.  See docs/why/journal.md for
 * why the numbers are given here, and not when a line is written.
 */
#include <stdio.h>

#include "index/journal_private.h"
#include "util/random.h"

#define BATCH_LINES 2000

struct shipped_line {
    int64_t seq;
    int64_t time;
};

struct batch {
    struct position before;
    struct batch_name name;
    struct shipped_line lines[BATCH_LINES];
    size_t count;
    bool whole; /* the view has no more: no transaction is cut in two here */
    struct buf bodies[FORM_COUNT];
    struct lease *lease;
};

static void batch_free(struct batch **b)
{
    buf_release(&(*b)->bodies[FORM_PLAIN]);
    buf_release(&(*b)->bodies[FORM_SECRETS]);
    free(take(*b));
}

/* Take lines until the file is good; whether the view has more is known from one beyond. */
static int fill(struct batch *b, struct db *db, int64_t after, const bool *wants, struct call *call)
{
    struct db_statement *s;
    int row;

    b->count = 0;
    b->whole = true;
    buf_reset(&b->bodies[FORM_PLAIN]);
    buf_reset(&b->bodies[FORM_SECRETS]);
    if (db_prepare(db, "SELECT seq, time, line FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                   &s, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = s;
    db_bind_int(s, 1, after);
    db_bind_int(s, 2, BATCH_LINES + 1);
    while ((row = db_step(s, call)) > 0) {
        b->whole = false;
        if (b->count == BATCH_LINES || b->bodies[FORM_PLAIN].length > FILE_GOOD ||
            b->bodies[FORM_SECRETS].length > FILE_GOOD)
            return 0;
        struct shipped_line *line = &b->lines[b->count++];
        *line = (struct shipped_line){db_column_int(s, 0), db_column_int(s, 1)};
        if (line_of_journal(b->bodies, wants, db_column_text(s, 2), line->time, &call->err) < 0)
            return -1;
        b->whole = true;
    }
    return row;
}

static int put_batch(struct batch *b, struct places *places, struct call *call)
{
    auto_buf struct buf plain = BUF_INIT(FILE_MOST);
    auto_buf struct buf secrets = BUF_INIT(FILE_MOST);
    struct buf files[FORM_COUNT];
    char hex[HASH_HEX_SIZE];
    char name[NAME_SIZE];

    for (int form = 0; form < FORM_COUNT; form++) {
        struct buf *file = form == FORM_PLAIN ? &plain : &secrets;
        if (!places->wants[form])
            continue;
        hash_hex(HASH_SHA256, b->bodies[form].data, b->bodies[form].length, hex);
        buf_printf(file,
                   "{\"bascule\":\"journal\",\"version\":1,\"first\":%lld,\"last\":%lld,"
                   "\"whole\":%s,\"sha256\":\"%s\"}\n",
                   (long long)b->name.first, (long long)b->name.last, b->whole ? "true" : "false",
                   hex);
        if (buf_add(file, b->bodies[form].data, b->bodies[form].length, &call->err) < 0)
            return -1;
    }
    files[FORM_PLAIN] = plain;
    files[FORM_SECRETS] = secrets;
    batch_name_write(name, &b->name);
    memset(places->failed, 0, places->count * sizeof(*places->failed));
    return places_put(places, name, files, call);
}

/* The lines of exactly this batch: among their numbers others may have been committed since. */
static int forget_lines(struct db *db, void *argument, struct call *call)
{
    const struct batch *b = argument;
    struct position after = {.last = b->name.last};
    struct position now;
    struct db_statement *s;

    (void)snprintf(after.token, sizeof(after.token), "%s", b->name.token);
    if (lease_hold(db, b->lease, call) < 0 || position_read(db, &now, call) < 0)
        return -1;
    if (now.last != b->before.last)
        return err_set(&call->err, ERR_CONFLICT, "another gateway shipped the same lines");
    if (db_prepare(db, "DELETE FROM journal WHERE seq BETWEEN ?1 AND ?2", &s, call) < 0)
        return -1;
    for (size_t from = 0, to; from < b->count; from = to) {
        for (to = from + 1; to < b->count && b->lines[to].seq == b->lines[to - 1].seq + 1;)
            to++;
        db_bind_int(s, 1, b->lines[from].seq);
        db_bind_int(s, 2, b->lines[to - 1].seq);
        if (db_queue(s, call) < 0)
            return -1;
    }
    int64_t newest = 0;
    for (size_t i = 0; i < b->count; i++)
        newest = b->lines[i].time > newest ? b->lines[i].time : newest;
    return position_write(db, &after, newest, call);
}

int ship_view(struct db *db, struct lease *lease, struct places *places, struct position *ret,
              uint64_t *ret_lines, struct call *call)
{
    cleanup(batch_free) struct batch *b = xcalloc(1, sizeof(*b));
    struct position at;
    uint64_t lines = 0;
    int64_t after = 0;

    buf_init(&b->bodies[FORM_PLAIN], FILE_MOST);
    buf_init(&b->bodies[FORM_SECRETS], FILE_MOST);
    b->lease = lease;
    if (position_read(db, &at, call) < 0)
        return -1;
    do {
        if (fill(b, db, after, places->wants, call) < 0)
            return -1;
        if (b->count == 0)
            break;
        b->before = at;
        b->name = (struct batch_name){.first = at.last + 1, .last = at.last + (int64_t)b->count};
        memcpy(b->name.previous, at.token, TOKEN_SIZE);
        random_hex(b->name.token, (TOKEN_SIZE - 1) / 2);
        if (put_batch(b, places, call) < 0 ||
            index_write(lease->index, INDEX_RELAXED, forget_lines, b, call) < 0)
            return -1;
        at.last = b->name.last;
        memcpy(at.token, b->name.token, TOKEN_SIZE);
        after = b->lines[b->count - 1].seq;
        lines += b->count;
    } while (!b->whole);
    *ret = at;
    if (ret_lines)
        *ret_lines = lines;
    return 0;
}

/* ---- From outside ---- */

struct shipping {
    struct lease lease;
    struct places places;
    uint64_t lines;
};

static int read_position(struct db *db, void *argument, struct call *call)
{
    return position_read(db, argument, call);
}

static int write_claim(struct db *db, void *argument, struct call *call)
{
    const struct lease *lease = argument;
    struct position p = {.last = 0};

    random_hex(p.token, (TOKEN_SIZE - 1) / 2);
    if (lease_hold(db, lease, call) < 0)
        return -1;
    return position_write(db, &p, TIME_UNKNOWN, call);
}

int history_claim(struct lease *lease, const struct places *places, int64_t *ret_last,
                  struct call *call)
{
    struct position p;
    int64_t last;

    if (index_read(lease->index, read_position, &p, call) < 0)
        return -1;
    if (!position_is_new(&p) && !ret_last)
        return 0;
    if (places_last(places, &last, call) < 0)
        return -1;
    if (ret_last)
        *ret_last = last;
    if (!position_is_new(&p))
        return 0;
    if (last > 0)
        return err_set(&call->err, ERR_CONFLICT,
                       "the place of the index's journal holds that of another index: rebuild "
                       "from it (bascule index rebuild), or name another place");
    return index_write(lease->index, INDEX_DURABLE, write_claim, lease, call);
}

static int ship_now(struct db *db, void *argument, struct call *call)
{
    struct shipping *shipping = argument;
    struct position at;

    return ship_view(db, &shipping->lease, &shipping->places, &at, &shipping->lines, call);
}

static int has_lines(struct db *db, void *argument, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, "SELECT 1 FROM journal LIMIT 1", &s, call) < 0)
        return -1;
    int row = db_step(s, call);
    db_reset(s);
    *(bool *)argument = row > 0;
    return row < 0 ? -1 : 0;
}

int journal_ship(struct index *index, const struct journal_place *places, size_t count,
                 uint64_t *ret_lines, struct call *call)
{
    struct shipping shipping = {.lines = 0};
    bool any;

    if (index_read(index, has_lines, &any, call) < 0)
        return -1;
    if (any && lease_take(&shipping.lease, index, call) < 0) {
        if (call->err.code != ERR_BUSY)
            return -1;
        err_clear(&call->err);
        any = false;
    }
    if (any) {
        places_init(&shipping.places, places, count);
        int result = history_claim(&shipping.lease, &shipping.places, NULL, call);
        if (result == 0)
            result = index_view(index, ship_now, &shipping, call);
        places_release(&shipping.places);
        lease_give(&shipping.lease);
        if (result < 0)
            return -1;
    }
    if (ret_lines)
        *ret_lines = shipping.lines;
    return 0;
}
