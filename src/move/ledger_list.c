// SPDX-License-Identifier: EUPL-1.2
/*
 * Recording a listing, page by page.
 *
 * A page of a first listing is plain inserts.  As soon as anything may be known already (a later
 * generation, a listing begun again, a name listed twice) or may collide (mapped names), each
 * chunk of entries is looked up first.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "move/ledger_private.h"
#include "util/buf.h"
#include "util/thread.h"

/* Entries looked up with one statement. */
#define CHUNK 50

struct known {
    char *name;
    char *version;
    enum ledger_kind kind;
    int64_t id;
    enum ledger_state state;
    int64_t generation;
    int64_t size;
    char *etag;
    char *target;
    bool at_target; /* something says what is at the target */
};

struct listing {
    struct ledger *l;
    int64_t container;
    const struct ledger_entry *entries;
    size_t count;
    const char *cursor;
    bool complete;
    bool look_up;  /* see above */
    bool surprise; /* result: plain inserts met something known; run again with look_up */
    bool mapped;   /* names of the container may collide */
    int64_t new_rows;
    int64_t new_mapped;
    struct ledger_page page;
    int64_t unchanged[CHUNK]; /* ids of the chunk at hand */
    size_t unchanged_count;
    struct ledger_changes changes;
};

static bool wants_mapping(const struct ledger_entry *e)
{
    return e->target && e->refuse == ERR_NONE && strcmp(e->target, e->name) != 0;
}

/* ---- Writing rows ---- */

/* The parameters an insert and an update share: ?2 to ?14. */
static void bind_entry(struct db_statement *s, const struct listing *w,
                       const struct ledger_entry *e, enum err_code code, const char *error)
{
    db_bind_int(s, 2, code == ERR_NONE ? LEDGER_PENDING : LEDGER_REFUSED);
    db_bind_int(s, 3, w->l->generation);
    db_bind_int(s, 4, e->size);
    ledger_bind_name(s, 5, e->etag);
    ledger_bind_time(s, 6, e->modified);
    db_bind_text(s, 7, e->type);
    db_bind_text(s, 8, e->tier);
    db_bind_blob(s, 9, e->md5, e->md5 ? LEDGER_MD5 : 0);
    /* A refused object does not take its target name. */
    ledger_bind_name(s, 10, wants_mapping(e) && code == ERR_NONE ? e->target : NULL);
    ledger_bind_code(s, 11, code);
    db_bind_text(s, 12, error);
}

static int insert(struct listing *w, const struct ledger_entry *e, enum err_code code,
                  const char *error, struct call *call)
{
    struct db_statement *s;
    int64_t affected = 1;

    if (db_prepare(w->l->db,
                   "INSERT INTO object (job, state, generation, size, etag, modified, type, tier,"
                   " md5, target, code, error, container, name, version, kind, attempts, bytes)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,"
                   " ?16, 0, 0) ON CONFLICT DO NOTHING",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->l->job);
    bind_entry(s, w, e, code, error);
    db_bind_int(s, 13, w->container);
    ledger_bind_name(s, 14, e->name);
    ledger_bind_name(s, 15, e->version ? e->version : "");
    db_bind_int(s, 16, e->kind);
    if (w->look_up ? db_run(s, &affected, call) < 0 : db_queue(s, call) < 0)
        return -1;
    if (affected == 0) { /* twice in this page */
        w->page.repeated++;
        return 0;
    }
    w->new_rows++;
    w->new_mapped += wants_mapping(e);
    ledger_change(&w->changes, w->container, code == ERR_NONE ? LEDGER_PENDING : LEDGER_REFUSED, 1,
                  e->size);
    if (code == ERR_NONE)
        w->page.added++;
    return 0;
}

/* Take a known object out of the counters it stands in. */
static void uncount(struct listing *w, const struct known *k)
{
    if (k->generation == w->l->generation || k->state >= LEDGER_GONE)
        ledger_change(&w->changes, w->container, k->state, -1, -k->size);
}

static int update_unchanged(struct listing *w, struct call *call)
{
    int result =
        ledger_run_ids(w->l->db, "UPDATE object SET state = 4, generation = ?1 WHERE id IN ",
                       INTS(w->l->generation), w->unchanged, w->unchanged_count, call);

    w->unchanged_count = 0;
    return result;
}

static int update_changed(struct listing *w, struct known *k, const struct ledger_entry *e,
                          enum err_code code, const char *error, struct call *call)
{
    struct db_statement *s;

    /* The same one may wait there, listed a moment ago as it was before. */
    if (update_unchanged(w, call) < 0)
        return -1;
    if (db_prepare(w->l->db,
                   "UPDATE object SET state = ?2, generation = ?3, size = ?4, etag = ?5,"
                   " modified = ?6, type = ?7, tier = ?8, md5 = ?9, target = ?10, code = ?11,"
                   " error = ?12, worker = NULL, attempts = 0, due = NULL WHERE id = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, k->id);
    bind_entry(s, w, e, code, error);
    if (db_queue(s, call) < 0)
        return -1;
    w->new_mapped += wants_mapping(e);
    uncount(w, k);
    /* It may come again in this very chunk. */
    k->state = code == ERR_NONE ? LEDGER_PENDING : LEDGER_REFUSED;
    k->generation = w->l->generation;
    k->size = e->size;
    replace_string(&k->etag, e->etag);
    ledger_change(&w->changes, w->container, k->state, 1, e->size);
    if (code == ERR_NONE)
        w->page.changed++;
    return 0;
}

static void note_unchanged(struct listing *w, struct known *k)
{
    w->unchanged[w->unchanged_count++] = k->id;
    uncount(w, k);
    k->state = LEDGER_ALREADY;
    k->generation = w->l->generation;
    ledger_change(&w->changes, w->container, LEDGER_ALREADY, 1, k->size);
    w->page.unchanged++;
    w->page.settled += k->size;
}

/* ---- Collisions ---- */

static int find_other(struct listing *w, const char *sql, const char *target, const char *name,
                      char **ret, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(w->l->db, sql, &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->container);
    ledger_bind_name(s, 2, target);
    ledger_bind_name(s, 3, name);
    int row = db_step(s, call);
    if (row > 0)
        *ret = ledger_column_name(s, 0);
    db_reset(s);
    return row;
}

/* Another object (not another version of this one) that has the entry's target name: 1 and its
 * name, or 0. */
static int find_taken(struct listing *w, const struct ledger_entry *e, char **ret,
                      struct call *call)
{
    const char *target = e->target ? e->target : e->name;

    if (!w->mapped)
        return 0;
    int row = find_other(w,
                         "SELECT name FROM object WHERE container = ?1 AND target = ?2"
                         " AND target IS NOT NULL AND state < 8 AND state <> 6 AND name <> ?3"
                         " LIMIT 1",
                         target, e->name, ret, call);
    if (row != 0 || !wants_mapping(e))
        return row;
    return find_other(w,
                      "SELECT name FROM object WHERE container = ?1 AND name = ?2"
                      " AND target IS NULL AND state < 8 AND state <> 6 AND name <> ?3 LIMIT 1",
                      target, e->name, ret, call);
}

/* An object that is gone from the source does not keep a target name from a new one; but what it
 * left there will be overwritten, so that it must not be deleted later in its name. */
static int take_from_gone(struct listing *w, const struct ledger_entry *e, struct call *call)
{
    const char *target = e->target ? e->target : e->name;
    struct db_statement *s;

    for (;;) {
        int64_t id = 0;
        int64_t size = 0;
        if (db_prepare(w->l->db,
                       "SELECT id, size FROM object WHERE container = ?1 AND name <> ?3"
                       " AND state = 8 AND (target = ?2 OR (name = ?2 AND target IS NULL)) LIMIT 1",
                       &s, call) < 0)
            return -1;
        db_bind_int(s, 1, w->container);
        ledger_bind_name(s, 2, target);
        ledger_bind_name(s, 3, e->name);
        int row = db_step(s, call);
        if (row > 0) {
            id = db_column_int(s, 0);
            size = db_column_int(s, 1);
        }
        db_reset(s);
        if (row <= 0)
            return row;
        if (ledger_run(w->l->db, "UPDATE object SET state = 9, target = NULL WHERE id = ?1",
                       INTS(id), NULL, call) < 0)
            return -1;
        ledger_change(&w->changes, w->container, LEDGER_GONE, -1, -size);
        ledger_change(&w->changes, w->container, LEDGER_DELETED, 1, size);
    }
}

/* ---- One entry ---- */

static bool is_unchanged(const struct known *k, const struct ledger_entry *e)
{
    return (k->state == LEDGER_MOVED || k->state == LEDGER_ALREADY) && k->at_target && e->etag &&
           k->etag && strcmp(k->etag, e->etag) == 0 && k->size == e->size &&
           same_string(k->target, wants_mapping(e) ? e->target : NULL);
}

/* Whether an object this generation has seen already may be left as it is. */
static bool is_repeated(const struct listing *w, const struct known *k,
                        const struct ledger_entry *e)
{
    if (k->generation != w->l->generation || k->state >= LEDGER_GONE)
        return false;
    return k->state == LEDGER_CLAIMED || (same_string(k->etag, e->etag) && k->size == e->size);
}

static int record(struct listing *w, struct known *k, const struct ledger_entry *e,
                  struct call *call)
{
    auto_free char *taken = NULL;
    auto_free char *text = NULL;
    enum err_code code = e->refuse;

    if (k && is_repeated(w, k, e)) {
        w->page.repeated++;
        return 0;
    }
    if (code != ERR_NONE) {
        w->page.refused++;
    } else {
        int row = find_taken(w, e, &taken, call);
        if (row < 0)
            return -1;
        if (row > 0) {
            code = ERR_EXISTS;
            text = xasprintf("would land on '%s' at the target, where '%s' goes",
                             e->target ? e->target : e->name, taken);
            w->page.collided++;
            w->page.collided_bytes += e->size;
        } else if (w->mapped && w->l->generation > 1 && take_from_gone(w, e, call) < 0) {
            return -1;
        }
    }
    const char *error = code == ERR_NONE ? NULL : text ? text : e->reason;
    if (code != ERR_NONE)
        w->page.settled += e->size;
    if (!k)
        return insert(w, e, code, error, call);
    if (code == ERR_NONE && is_unchanged(k, e)) {
        note_unchanged(w, k);
        return 0;
    }
    return update_changed(w, k, e, code, error, call);
}

/* ---- Looking up ---- */

static void known_release(struct known *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].name);
        free(list[i].version);
        free(list[i].etag);
        free(list[i].target);
    }
}

struct known_list {
    struct known *list;
    size_t count;
};

static void known_list_release(struct known_list *k)
{
    known_release(k->list, k->count);
    free(k->list);
}

static int prepare_lookup(struct db *db, struct db_statement **ret, struct call *call)
{
    auto_buf struct buf sql = BUF_INIT(4096);

    buf_text(&sql, "SELECT id, name, version, kind, state, generation, size, etag, target,"
                   " sha256 IS NOT NULL OR target_etag IS NOT NULL OR target_checksum IS NOT NULL"
                   " FROM object WHERE container = ?1 AND name IN (");
    for (int i = 0; i < CHUNK; i++)
        buf_printf(&sql, "%s?%d", i ? ", " : "", i + 2);
    buf_char(&sql, ')');
    return db_prepare(db, sql.data, ret, call);
}

/* What is known of these names, all versions. */
static int look_up(struct listing *w, const struct ledger_entry *entries, size_t n,
                   struct known_list *ret, struct call *call)
{
    struct db_statement *s;
    int row;

    if (prepare_lookup(w->l->db, &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->container);
    for (size_t i = 0; i < CHUNK; i++)
        ledger_bind_name(s, (int)i + 2, entries[i < n ? i : n - 1].name);
    while ((row = db_step(s, call)) > 0) {
        ret->list = xrealloc(ret->list, ret->count + 1, sizeof(*ret->list));
        ret->list[ret->count++] = (struct known){
            .id = db_column_int(s, 0),
            .name = ledger_column_name(s, 1),
            .version = ledger_column_name(s, 2),
            .kind = (enum ledger_kind)db_column_int(s, 3),
            .state = (enum ledger_state)db_column_int(s, 4),
            .generation = db_column_int(s, 5),
            .size = db_column_int(s, 6),
            .etag = ledger_column_name(s, 7),
            .target = ledger_column_name(s, 8),
            .at_target = db_column_int(s, 9) != 0,
        };
    }
    db_reset(s);
    return row;
}

static struct known *find_known(const struct known_list *k, const struct ledger_entry *e)
{
    const char *version = e->version ? e->version : "";

    for (size_t i = 0; i < k->count; i++)
        if (k->list[i].kind == e->kind && strcmp(k->list[i].name, e->name) == 0 &&
            strcmp(k->list[i].version, version) == 0)
            return &k->list[i];
    return NULL;
}

static int record_chunk(struct listing *w, const struct ledger_entry *entries, size_t n,
                        struct call *call)
{
    cleanup(known_list_release) struct known_list known = {0};

    if (w->look_up && look_up(w, entries, n, &known, call) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (record(w, find_known(&known, &entries[i]), &entries[i], call) < 0)
            return -1;
    return update_unchanged(w, call);
}

/* ---- The page ---- */

/* Our own container row, locked. */
static int open_page(struct listing *w, struct call *call)
{
    struct db_statement *s;
    int64_t lister = 0;

    if (db_prepare(w->l->db,
                   "SELECT lister, mapped FROM container WHERE id = ?1 AND job = ?2 FOR UPDATE", &s,
                   call) < 0)
        return -1;
    db_bind_int(s, 1, w->container);
    db_bind_int(s, 2, w->l->job);
    int row = db_step(s, call);
    if (row > 0) {
        lister = db_column_int(s, 0);
        w->mapped = db_column_int(s, 1) > 0;
    }
    db_reset(s);
    if (row < 0)
        return -1;
    if (lister != w->l->worker)
        return err_set(&call->err, ERR_CONFLICT,
                       "the listing of this container has been taken over by another process");
    for (size_t i = 0; i < w->count && !w->mapped; i++)
        w->mapped = wants_mapping(&w->entries[i]);
    if (w->mapped)
        w->look_up = true;
    return 0;
}

static int close_page(struct listing *w, struct call *call)
{
    struct db_statement *s;

    if (ledger_changes_write(w->l->db, w->l->job, &w->changes, call) < 0 ||
        db_prepare(w->l->db,
                   "UPDATE container SET position = ?2, complete = ?3,"
                   " lister = CASE WHEN ?3 = 1 THEN NULL ELSE lister END,"
                   " objects = objects + ?4, mapped = mapped + ?5 WHERE id = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, w->container);
    ledger_bind_name(s, 2, w->cursor);
    db_bind_int(s, 3, w->complete);
    db_bind_int(s, 4, w->new_rows);
    db_bind_int(s, 5, w->new_mapped);
    return db_run(s, NULL, call);
}

static int record_page(struct db *db, void *argument, struct call *call)
{
    struct listing *w = argument;
    int64_t inserted;

    w->page = (struct ledger_page){0};
    w->changes.count = 0;
    w->new_rows = w->new_mapped = 0;
    w->unchanged_count = 0;
    if (open_page(w, call) < 0)
        return -1;
    for (size_t i = 0; i < w->count; i += CHUNK)
        if (record_chunk(w, w->entries + i, w->count - i < CHUNK ? w->count - i : CHUNK, call) < 0)
            return -1;
    if (db_flush(db, &inserted, call) < 0)
        return -1;
    w->surprise = !w->look_up && inserted != (int64_t)w->count;
    if (w->surprise)
        return err_set(&call->err, ERR_CONFLICT, "listed twice");
    return close_page(w, call);
}

static void listing_release(struct listing *w)
{
    ledger_changes_release(&w->changes);
}

int ledger_list_page(struct ledger *l, int64_t container, const struct ledger_entry *entries,
                     size_t n, const char *cursor, bool complete, struct ledger_page *ret,
                     struct call *call)
{
    locked(&l->lock);
    cleanup(listing_release) struct listing w = {
        .l = l,
        .container = container,
        .entries = entries,
        .count = n,
        .cursor = cursor,
        .complete = complete,
        .look_up = l->generation > 1,
    };

    assert(n <= LEDGER_PAGE_MAX);
    if (ledger_beat_if_due(l, LEDGER_HEARTBEAT, call) < 0)
        return -1;
    int result = db_transact(l->db, record_page, &w, call);
    if (result < 0 && w.surprise) {
        err_clear(&call->err);
        w.look_up = true;
        result = db_transact(l->db, record_page, &w, call);
    }
    if (result < 0)
        return err_prefix(&call->err, "record a page of the listing");
    if (ret)
        *ret = w.page;
    return 0;
}
