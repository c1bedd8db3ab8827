// SPDX-License-Identifier: EUPL-1.2
/*
 * What the rows say of pieces, held against what the stores list: see index_check_pieces().
 *
 * The listing goes into a table first, so that memory does not grow with it.  A view taken after it
 * then has a row (piece, intent or garbage) for whatever was listed, unless it was removed
 * meanwhile or nobody knows it; what looks wrong is looked up again before it is told.
 */
#include "index/journal_private.h"

#define PAGE 500

struct check {
    struct index *index;
    const struct piece_place *places;
    size_t count;
    int (*found)(void *argument, const struct piece_place *place, const char *key, bool missing);
    void *argument;
    int64_t run;
    struct piece_report report;
};

/* One row that speaks of a piece. */
struct spoken {
    int64_t id;
    size_t place; /* check->count: of a store we were not given */
    char *key;
    int64_t size;
    bool listed;
};

struct page {
    const struct check *check;
    struct spoken rows[PAGE];
    size_t count;
};

static void page_reset(struct page *p)
{
    for (size_t i = 0; i < p->count; i++)
        free(take(p->rows[i].key));
    p->count = 0;
}

static void page_free(struct page **p)
{
    page_reset(*p);
    free(take(*p));
}

void piece_report_release(struct piece_report *r)
{
    free(take(r->first_missing));
    free(take(r->first_unknown));
}

/* ---- Listing ---- */

struct listing {
    struct check *check;
    size_t place;
    const struct object_list *page;
};

static int keep_listing(struct db *db, void *argument, struct call *call)
{
    const struct listing *l = argument;
    const char *other = l->check->places[l->place].other;
    struct db_statement *s;

    if (db_prepare(db,
                   "INSERT INTO listed (run, place, key, size, known) VALUES (?1, ?2, ?3, ?4, 0)"
                   " ON CONFLICT (run, place, key) DO NOTHING",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < l->page->count; i++) {
        const struct object *o = &l->page->list[i];
        if (other && strncmp(o->name, other, strlen(other)) == 0)
            continue;
        db_bind_int(s, 1, l->check->run);
        db_bind_int(s, 2, (int64_t)l->place);
        db_bind_blob(s, 3, o->name, strlen(o->name));
        db_bind_int(s, 4, (int64_t)o->size);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return db_flush(db, NULL, call);
}

static int list_place(struct check *c, size_t place, struct call *call)
{
    const struct piece_place *p = &c->places[place];
    auto_free char *cursor = NULL;

    do {
        auto_object_list struct object_list page = OBJECT_LIST_INIT;
        struct list_options options = {.cursor = cursor};
        struct listing listing = {c, place, &page};
        if (store_list(p->store, p->container, &options, &page, call) < 0) {
            if (call->err.code != ERR_NOT_FOUND)
                return -1;
            err_clear(&call->err);
            return 0; /* no container: every piece is missing */
        }
        if (index_write(c->index, INDEX_RELAXED, keep_listing, &listing, call) < 0)
            return -1;
        replace_string(&cursor, page.cursor);
    } while (cursor);
    return 0;
}

/* ---- Looking again ---- */

static int tell(struct check *c, size_t place, const char *key, bool missing, struct call *call)
{
    char **first = missing ? &c->report.first_missing : &c->report.first_unknown;

    if (missing)
        c->report.missing++;
    else
        c->report.unknown++;
    if (!*first)
        *first = xstrdup(key);
    if (c->found && c->found(c->argument, &c->places[place], key, missing) < 0)
        return err_set(&call->err, ERR_CANCELLED, "the check of pieces was ended");
    return 0;
}

/* 1 when the store has it, with this size or more. */
static int is_there(const struct check *c, size_t place, const char *key, int64_t size,
                    struct call *call)
{
    struct object_key where = {.container = c->places[place].container, .name = key};
    auto_object struct object o = OBJECT_INIT;

    if (store_stat(c->places[place].store, &where, &o, call) == 0)
        return (int64_t)o.size >= size;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

static int find_piece(struct db *db, void *argument, struct call *call)
{
    struct spoken *spoken = argument;
    auto_piece_row struct piece_row row = piece_row_new();

    row.id = spoken->id;
    int found = row_find(db, &piece_table, &row, call);
    spoken->listed = found == 0; /* gone meanwhile: nothing is missing */
    return found < 0 ? -1 : 0;
}

static int judge_missing(struct check *c, struct spoken *spoken, struct call *call)
{
    int there = is_there(c, spoken->place, spoken->key, spoken->size, call);

    if (there != 0)
        return there < 0 ? -1 : 0;
    if (index_read(c->index, find_piece, spoken, call) < 0)
        return -1;
    return spoken->listed ? 0 : tell(c, spoken->place, spoken->key, true, call);
}

/* ---- Rows ---- */

static int mark(struct db *db, void *argument, struct call *call)
{
    struct page *p = argument;
    struct db_statement *s;

    if (db_prepare(db,
                   "UPDATE listed SET known = 1 WHERE run = ?1 AND place = ?2 AND key = ?3"
                   " RETURNING size",
                   &s, call) < 0)
        return -1;
    for (size_t i = 0; i < p->count; i++) {
        if (p->rows[i].place == p->check->count)
            continue;
        db_bind_int(s, 1, p->check->run);
        db_bind_int(s, 2, (int64_t)p->rows[i].place);
        db_bind_blob(s, 3, p->rows[i].key, strlen(p->rows[i].key));
        int row = db_step(s, call);
        p->rows[i].listed = row > 0 && db_column_int(s, 0) >= p->rows[i].size;
        db_reset(s);
        if (row < 0)
            return -1;
    }
    return 0;
}

static size_t place_of(const struct check *c, const char *store, const char *container)
{
    size_t i = 0;

    while (i < c->count && (strcmp(c->places[i].name, store) != 0 ||
                            strcmp(c->places[i].container, container) != 0))
        i++;
    return i;
}

static int read_page(struct db *db, const char *sql, int64_t after, struct page *p,
                     struct call *call)
{
    struct db_statement *s;
    int row;

    page_reset(p);
    if (db_prepare(db, sql, &s, call) < 0)
        return -1;
    db_bind_int(s, 1, after);
    db_bind_int(s, 2, PAGE);
    while ((row = db_step(s, call)) > 0) {
        size_t n;
        p->rows[p->count++] = (struct spoken){
            .id = db_column_int(s, 0),
            .place = place_of(p->check, db_column_text(s, 1), db_column_text(s, 2)),
            .key = xstrdup(db_column_blob(s, 3, &n)),
            .size = db_column_int(s, 4),
        };
    }
    db_reset(s);
    return row;
}

static int hold_against(struct db *db, struct check *c, const char *sql, bool committed,
                        struct call *call)
{
    cleanup(page_free) struct page *p = xcalloc(1, sizeof(*p));
    int64_t after = INT64_MIN;

    p->check = c;
    do {
        if (read_page(db, sql, after, p, call) < 0 ||
            index_write(c->index, INDEX_RELAXED, mark, p, call) < 0)
            return -1;
        for (size_t i = 0; i < p->count; i++) {
            struct spoken *spoken = &p->rows[i];
            after = spoken->id;
            if (committed && !spoken->listed && spoken->place < c->count &&
                judge_missing(c, spoken, call) < 0)
                return -1;
        }
    } while (p->count == PAGE);
    return 0;
}

static int hold_all(struct db *db, void *argument, struct call *call)
{
    struct check *c = argument;

    c->report.missing = 0; /* a lost connection lets this run again */
    if (hold_against(db, c,
                     "SELECT id, store, container, key, size FROM piece WHERE id > ?1"
                     " ORDER BY id LIMIT ?2",
                     true, call) < 0 ||
        hold_against(db, c,
                     "SELECT piece, store, container, key, CAST(0 AS INTEGER) FROM garbage"
                     " WHERE piece > ?1 ORDER BY piece LIMIT ?2",
                     false, call) < 0)
        return -1;
    return hold_against(db, c,
                        "SELECT piece, store, container, key, CAST(0 AS INTEGER) FROM intent"
                        " WHERE piece > ?1 ORDER BY piece LIMIT ?2",
                        false, call);
}

/* ---- What is left ---- */

struct unknown {
    int64_t run;
    int64_t place;
    char *after;
    struct pairs keys;
};

static int read_unknown(struct db *db, void *argument, struct call *call)
{
    struct unknown *u = argument;
    struct db_statement *s;
    int row;

    pairs_release(&u->keys);
    if (db_prepare(db,
                   "SELECT key FROM listed WHERE run = ?1 AND place = ?2 AND key > ?3 AND known = 0"
                   " ORDER BY key LIMIT ?4",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, u->run);
    db_bind_int(s, 2, u->place);
    db_bind_blob(s, 3, u->after, strlen(u->after));
    db_bind_int(s, 4, PAGE);
    while ((row = db_step(s, call)) > 0) {
        size_t n;
        pairs_add(&u->keys, db_column_blob(s, 0, &n), "");
    }
    db_reset(s);
    return row;
}

static int tell_unknown(struct check *c, size_t place, struct call *call)
{
    struct unknown u = {.run = c->run, .place = (int64_t)place, .after = xstrdup("")};
    int result;

    do {
        result = index_read(c->index, read_unknown, &u, call);
        for (size_t i = 0; result == 0 && i < u.keys.count; i++) {
            replace_string(&u.after, u.keys.list[i].key);
            int there = is_there(c, place, u.after, 0, call);
            result = there > 0 ? tell(c, place, u.after, false, call) : there;
        }
    } while (result == 0 && u.keys.count == PAGE);
    pairs_release(&u.keys);
    free(u.after);
    return result;
}

static int count_listed(struct db *db, void *argument, struct call *call)
{
    struct check *c = argument;
    struct db_statement *s;

    if (db_prepare(db, "SELECT COUNT(*) FROM listed WHERE run = ?1", &s, call) < 0)
        return -1;
    db_bind_int(s, 1, c->run);
    int row = db_step(s, call);
    c->report.listed = row > 0 ? (uint64_t)db_column_int(s, 0) : 0;
    db_reset(s);
    return row < 0 ? -1 : 0;
}

static int forget_listing(struct db *db, void *argument, struct call *call)
{
    const struct check *c = argument;
    struct db_statement *s;

    if (db_prepare(db, "DELETE FROM listed WHERE run = ?1", &s, call) < 0)
        return -1;
    db_bind_int(s, 1, c->run);
    return db_run(s, NULL, call);
}

static int run(struct check *c, struct call *call)
{
    for (size_t i = 0; i < c->count; i++)
        if (list_place(c, i, call) < 0)
            return -1;
    if (index_read(c->index, count_listed, c, call) < 0 ||
        index_view(c->index, hold_all, c, call) < 0)
        return -1;
    for (size_t i = 0; i < c->count; i++)
        if (tell_unknown(c, i, call) < 0)
            return -1;
    return 0;
}

int index_check_pieces(struct index *index, const struct piece_place *places, size_t count,
                       int (*found)(void *argument, const struct piece_place *place,
                                    const char *key, bool missing),
                       void *argument, struct piece_report *ret, struct call *call)
{
    struct check c = {.index = index,
                      .places = places,
                      .count = count,
                      .found = found,
                      .argument = argument,
                      .run = index_new_id()};
    struct call last = {.deadline = clock_monotonic() + 60 * CLOCK_SECOND};
    int result = run(&c, call);

    if (index_write(index, INDEX_RELAXED, forget_listing, &c, &last) < 0 && result == 0) {
        call->err = last.err;
        result = -1;
    }
    if (result < 0) {
        piece_report_release(&c.report);
        return err_prefix(&call->err, "check the pieces of the index");
    }
    *ret = c.report;
    return 0;
}
