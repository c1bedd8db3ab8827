// SPDX-License-Identifier: EUPL-1.2
/* Snapshots: every row of every journaled table, at one moment of the journal. */
#include <stdio.h>

#include "codec/json.h"
#include "index/journal_private.h"
#include "util/log.h"
#include "util/random.h"

#define PAGE           1000
#define SQL_MAX        16384
#define LEASE_PAUSE    CLOCK_SECOND
#define SNAPSHOTS_KEPT 2

/* ---- Rows in order ---- */

/* "SELECT ... WHERE (a, b) > (?1, ?2) ORDER BY a, b LIMIT n", or from the start. */
static char *page_sql(const struct table *t, bool from_start)
{
    auto_buf struct buf sql = BUF_INIT(SQL_MAX);
    auto_buf struct buf keys = BUF_INIT(SQL_MAX);
    auto_free char *columns = row_columns(t, NULL);

    for (size_t i = 0; i < t->keys; i++)
        buf_printf(&keys, "%s%s", i ? ", " : "", t->columns[i].name);
    buf_printf(&sql, "SELECT %s FROM %s", columns, t->name);
    if (!from_start) {
        buf_printf(&sql, " WHERE (%s) > (", keys.data);
        for (size_t i = 0; i < t->keys; i++)
            buf_printf(&sql, "%s?%zu", i ? ", " : "", i + 1);
        buf_char(&sql, ')');
    }
    buf_printf(&sql, " ORDER BY %s LIMIT %d", keys.data, PAGE);
    return buf_take(&sql);
}

/* The rows after the one in row; *ret_rows of them. */
static int rows_page(struct db *db, const struct table *t, bool from_start, void *row,
                     row_found *found, void *argument, int *ret_rows, struct call *call)
{
    auto_free char *sql = page_sql(t, from_start);
    struct db_statement *s;
    int more;

    if (db_prepare(db, sql, &s, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = s;
    for (size_t i = 0; !from_start && i < t->keys; i++)
        column_bind(s, (int)i + 1, &t->columns[i], row);
    *ret_rows = 0;
    while ((more = db_step(s, call)) > 0) {
        row_read(t, s, 0, row);
        if (found(argument, t, row, call) < 0)
            return -1;
        ++*ret_rows;
    }
    return more;
}

int rows_each(struct db *db, const struct table *t, row_found *found, void *argument,
              struct call *call)
{
    auto_free void *row = xcalloc(1, t->row_size);
    bool from_start = true;
    int rows = 0;
    int result;

    row_init(t, row);
    do {
        result = rows_page(db, t, from_start, row, found, argument, &rows, call);
        from_start = false;
    } while (result == 0 && rows == PAGE);
    row_release(t, row);
    return result;
}

/* ---- Parts ---- */

struct snapshot {
    struct lease lease;
    struct places places;
    struct position at;
    int64_t time;
    struct buf files[FORM_COUNT];
    json_t *parts[FORM_COUNT];
    int part;
    int64_t part_rows;
    int64_t rows;
};

static int end_part(struct snapshot *s, struct call *call)
{
    char name[NAME_SIZE];
    char part[40];
    char hex[HASH_HEX_SIZE];

    if (s->part_rows == 0)
        return 0;
    (void)snprintf(part, sizeof(part), "%06d.jsonl", ++s->part);
    snapshot_name_write(name, &s->at, part);
    for (int form = 0; form < FORM_COUNT; form++) {
        hash_hex(HASH_SHA256, s->files[form].data, s->files[form].length, hex);
        if (json_array_append_new(s->parts[form],
                                  json_pack("{s:s, s:I, s:s}", "name", part, "rows",
                                            (json_int_t)s->part_rows, "sha256", hex)) < 0)
            abort();
    }
    if (places_put(&s->places, name, s->files, call) < 0 || lease_renew(&s->lease, call) < 0)
        return -1;
    buf_reset(&s->files[FORM_PLAIN]);
    buf_reset(&s->files[FORM_SECRETS]);
    s->rows += s->part_rows;
    s->part_rows = 0;
    return 0;
}

static int add_row(void *argument, const struct table *t, const void *row, struct call *call)
{
    struct snapshot *s = argument;

    if (line_of_row(s->files, s->places.wants, t, row, &call->err) < 0)
        return -1;
    s->part_rows++;
    if (s->files[FORM_PLAIN].length < FILE_GOOD && s->files[FORM_SECRETS].length < FILE_GOOD)
        return 0;
    return end_part(s, call);
}

static int complete(struct snapshot *s, struct call *call)
{
    char name[NAME_SIZE];

    snapshot_name_write(name, &s->at, "complete.json");
    for (int form = 0; form < FORM_COUNT; form++) {
        auto_json json_t *json =
            json_pack("{s:s, s:i, s:I, s:s, s:I, s:I, s:O}", "bascule", "snapshot", "version", 1,
                      "number", (json_int_t)s->at.last, "token", s->at.token, "time",
                      (json_int_t)s->time, "rows", (json_int_t)s->rows, "parts", s->parts[form]);
        buf_reset(&s->files[form]);
        if (json_write_pretty(&s->files[form], json, &call->err) < 0)
            return -1;
    }
    return places_put(&s->places, name, s->files, call);
}

/* In one view: what is in the journal there is shipped first, so that the rows are those of exactly
 * this number. */
static int write_rows(struct db *db, void *argument, struct call *call)
{
    struct snapshot *s = argument;

    if (ship_view(db, &s->lease, &s->places, &s->at, NULL, call) < 0 ||
        index_now(db, &s->time, call) < 0)
        return -1;
    memset(s->places.failed, 0, s->places.count * sizeof(*s->places.failed));
    s->part = 0;
    s->part_rows = s->rows = 0;
    for (int form = 0; form < FORM_COUNT; form++) {
        buf_reset(&s->files[form]);
        (void)json_array_clear(s->parts[form]);
    }
    for (size_t i = 0; i < INDEX_TABLES; i++)
        if (index_tables[i]->journaled && rows_each(db, index_tables[i], add_row, s, call) < 0)
            return -1;
    if (end_part(s, call) < 0)
        return -1;
    return complete(s, call);
}

/* ---- Removing what is not needed any more ---- */

struct old_files {
    struct pairs names; /* name and "" */
    struct position newest[SNAPSHOTS_KEPT];
    size_t complete;
};

static int note_name(void *argument, const struct journal_place *place, const char *name,
                     struct call *call)
{
    struct old_files *files = argument;
    struct position p;
    const char *rest;

    (void)place;
    (void)call;
    pairs_add(&files->names, name, "");
    if (!snapshot_name_read(name, &p, &rest) || strcmp(rest, "complete.json") != 0)
        return 0;
    if (files->complete < SNAPSHOTS_KEPT)
        files->newest[files->complete++] = p;
    else if (p.last > files->newest[SNAPSHOTS_KEPT - 1].last)
        files->newest[SNAPSHOTS_KEPT - 1] = p;
    for (size_t i = files->complete - 1; i > 0; i--) {
        if (files->newest[i].last <= files->newest[i - 1].last)
            break;
        p = files->newest[i];
        files->newest[i] = files->newest[i - 1];
        files->newest[i - 1] = p;
    }
    return 0;
}

static bool is_old(const struct old_files *files, const char *name)
{
    struct batch_name batch;
    struct position p;
    const char *rest;

    if (files->complete < SNAPSHOTS_KEPT)
        return false;
    if (batch_name_read(name, &batch))
        return batch.last <= files->newest[SNAPSHOTS_KEPT - 1].last;
    if (!snapshot_name_read(name, &p, &rest))
        return false;
    for (size_t i = 0; i < SNAPSHOTS_KEPT; i++)
        if (strcmp(p.token, files->newest[i].token) == 0 && p.last == files->newest[i].last)
            return false;
    return true;
}

static int remove_name(const struct journal_place *place, const char *name, struct call *call)
{
    auto_free char *full = xasprintf("%s%s", place->prefix ? place->prefix : "", name);
    struct object_key key = {.container = place->container, .name = full};

    if (store_remove(place->store, &key, NULL, call) == 0)
        return 0;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

static int remove_old(const struct journal_place *place, struct call *call)
{
    struct old_files files = {.complete = 0};
    int result = place_list(place, "snapshot/", note_name, &files, call);

    if (result == 0)
        result = place_list(place, "journal/", note_name, &files, call);
    for (size_t i = 0; result == 0 && i < files.names.count; i++)
        if (is_old(&files, files.names.list[i].key))
            result = remove_name(place, files.names.list[i].key, call);
    pairs_release(&files.names);
    return result;
}

/* ---- From outside ---- */

/* Numbers that a place knows and this index does not are another history's: an older backup was
 * restored, or lines at the end of the journal were left out by a rebuild. */
static int jump(struct db *db, void *argument, struct call *call)
{
    struct snapshot *s = argument;
    struct position p;

    if (lease_hold(db, &s->lease, call) < 0 || position_read(db, &p, call) < 0)
        return -1;
    if (p.last >= s->at.last)
        return 0;
    p.last = s->at.last;
    random_hex(p.token, (TOKEN_SIZE - 1) / 2);
    return position_write(db, &p, TIME_UNKNOWN, call);
}

static int take_lease(struct lease *lease, struct index *index, struct call *call)
{
    while (lease_take(lease, index, call) < 0) {
        if (call->err.code != ERR_BUSY)
            return -1;
        err_clear(&call->err);
        if (call_sleep(call, LEASE_PAUSE) < 0)
            return err_prefix(&call->err, "wait for the gateway that ships the journal");
    }
    return 0;
}

static int write_snapshot(struct snapshot *s, struct index *index, struct call *call)
{
    if (history_claim(&s->lease, &s->places, &s->at.last, call) < 0 ||
        index_write(index, INDEX_DURABLE, jump, s, call) < 0 ||
        index_view(index, write_rows, s, call) < 0)
        return -1;
    for (size_t i = 0; i < s->places.count; i++) {
        struct call one = call_child(call, NULL);
        if (!s->places.failed[i] && remove_old(&s->places.list[i], &one) < 0)
            log_line(LOG_WARNING, "older snapshots of the index stay in '%s': %s",
                     s->places.list[i].store->name, one.err.text);
    }
    return 0;
}

int snapshot_write(struct index *index, const struct journal_place *places, size_t count,
                   struct call *call)
{
    struct snapshot s = {.part = 0};

    if (take_lease(&s.lease, index, call) < 0)
        return -1;
    places_init(&s.places, places, count);
    for (int form = 0; form < FORM_COUNT; form++) {
        buf_init(&s.files[form], FILE_MOST);
        s.parts[form] = json_array();
    }
    int result = write_snapshot(&s, index, call);
    for (int form = 0; form < FORM_COUNT; form++) {
        buf_release(&s.files[form]);
        json_decref(s.parts[form]);
    }
    places_release(&s.places);
    lease_give(&s.lease);
    return result < 0 ? err_prefix(&call->err, "snapshot of the index") : 0;
}
