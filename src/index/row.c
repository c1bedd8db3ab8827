// SPDX-License-Identifier: EUPL-1.2
/* Rows in memory and in SQL: see row.h. */
#include "index/row.h"

#include <assert.h>

#include "index/index_private.h"
#include "index/journal.h"

static int64_t *number_in(void *row, const struct column *c)
{
    return (void *)((char *)row + c->offset);
}

static char **text_in(void *row, const struct column *c)
{
    return (void *)((char *)row + c->offset);
}

void row_init(const struct table *t, void *row)
{
    memset(row, 0, t->row_size);
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].type == COLUMN_TIME)
            *number_in(row, &t->columns[i]) = TIME_UNKNOWN;
}

static void drop_text(const struct column *c, char **text)
{
    if (*text && c->type == COLUMN_SECRET)
        explicit_bzero(*text, strlen(*text));
    free(take(*text));
}

void row_release(const struct table *t, void *row)
{
    for (size_t i = 0; i < t->count; i++)
        if (!column_is_number(&t->columns[i]))
            drop_text(&t->columns[i], text_in(row, &t->columns[i]));
}

void row_copy(const struct table *t, void *into, const void *from)
{
    if (into == from)
        return;
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        if (column_is_number(c)) {
            *number_in(into, c) = column_number(from, c);
        } else {
            drop_text(c, text_in(into, c));
            *text_in(into, c) = xstrdup_null(column_text(from, c));
        }
    }
}

/* ---- To and from statements ---- */

void row_read(const struct table *t, struct db_statement *s, int first, void *ret_row)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct column *c = &t->columns[i];
        int at = first + (int)i;
        size_t n;

        if (c->type == COLUMN_INT) {
            *number_in(ret_row, c) = db_column_int(s, at);
        } else if (c->type == COLUMN_TIME) {
            *number_in(ret_row, c) = db_column_is_null(s, at) ? TIME_UNKNOWN : db_column_int(s, at);
        } else {
            drop_text(c, text_in(ret_row, c));
            *text_in(ret_row, c) = xstrdup_null(c->type == COLUMN_NAME ? db_column_blob(s, at, &n)
                                                                       : db_column_text(s, at));
        }
    }
}

void column_bind(struct db_statement *s, int number, const struct column *c, const void *row)
{
    if (column_is_number(c)) {
        int64_t value = column_number(row, c);
        if (c->type == COLUMN_TIME && value == TIME_UNKNOWN)
            db_bind_null(s, number);
        else
            db_bind_int(s, number, value);
        return;
    }
    const char *text = column_text(row, c);
    if (c->type == COLUMN_NAME)
        db_bind_blob(s, number, text, text ? strlen(text) : 0);
    else
        db_bind_text(s, number, text);
}

static int prepare_bound(struct db *db, const char *sql, const struct table *t, size_t columns,
                         const void *row, struct db_statement **ret, struct call *call)
{
    if (db_prepare(db, sql, ret, call) < 0)
        return -1;
    for (size_t i = 0; i < columns; i++)
        column_bind(*ret, (int)i + 1, &t->columns[i], row);
    return 0;
}

int row_select(struct db *db, const struct table *t, const char *where, struct db_statement **ret,
               struct call *call)
{
    struct index_connection *c = connection_of(db);
    struct select_text *known = &c->selects[((uintptr_t)where >> 3) % SELECTS];

    if (known->table != t || strcmp(known->sql + known->where_at, where) != 0) {
        auto_free char *columns = row_columns(t, NULL);
        free(known->sql);
        known->sql = xasprintf("SELECT %s FROM %s %s", columns, t->name, where);
        known->where_at = strlen(known->sql) - strlen(where);
        known->table = t;
    }
    return db_prepare(db, known->sql, ret, call);
}

/* ---- The operations ---- */

static int find(struct db *db, const char *sql, const struct table *t, void *row, struct call *call)
{
    struct db_statement *s;

    if (prepare_bound(db, sql, t, t->keys, row, &s, call) < 0)
        return -1;
    int found = db_step(s, call);
    if (found > 0)
        row_read(t, s, 0, row);
    db_reset(s);
    return found;
}

int row_find(struct db *db, const struct table *t, void *row, struct call *call)
{
    return find(db, table_sql_of(db, t)->find, t, row, call);
}

int row_lock(struct db *db, const struct table *t, void *row, struct call *call)
{
    return find(db, table_sql_of(db, t)->lock, t, row, call);
}

static int change(struct db *db, const char *sql, const struct table *t, size_t columns,
                  const void *row, int64_t *ret_affected, struct call *call)
{
    struct db_statement *s;

    if (t == &account_table)
        connection_of(db)->accounts = true;
    if (prepare_bound(db, sql, t, columns, row, &s, call) < 0)
        return -1;
    return db_run(s, ret_affected, call);
}

static int none(const struct table *t, struct call *call)
{
    return err_set(&call->err, ERR_NOT_FOUND, "the index has no such row in its table '%s'",
                   t->name);
}

int row_insert(struct db *db, const struct table *t, const void *row, struct call *call)
{
    if (change(db, table_sql_of(db, t)->insert, t, t->count, row, NULL, call) < 0)
        return -1;
    return journal_put(db, t, row, 1, call);
}

int row_insert_new(struct db *db, const struct table *t, const void *row, bool *ret_done,
                   struct call *call)
{
    auto_free char *sql = xasprintf("%s ON CONFLICT DO NOTHING", table_sql_of(db, t)->insert);
    int64_t affected;

    if (change(db, sql, t, t->count, row, &affected, call) < 0)
        return -1;
    *ret_done = affected > 0;
    return *ret_done ? journal_put(db, t, row, 1, call) : 0;
}

int row_insert_many(struct db *db, const struct table *t, const void *rows, size_t count,
                    struct call *call)
{
    const char *sql = table_sql_of(db, t)->insert;
    struct db_statement *s;

    for (size_t i = 0; i < count; i++) {
        if (prepare_bound(db, sql, t, t->count, (const char *)rows + i * t->row_size, &s, call) < 0)
            return -1;
        if (db_queue(s, call) < 0)
            return -1;
    }
    if (db_flush(db, NULL, call) < 0)
        return -1;
    return journal_put(db, t, rows, count, call);
}

int row_update(struct db *db, const struct table *t, const void *row, struct call *call)
{
    int64_t affected;

    if (change(db, table_sql_of(db, t)->update, t, t->count, row, &affected, call) < 0)
        return -1;
    return affected == 0 ? none(t, call) : journal_put(db, t, row, 1, call);
}

int row_put(struct db *db, const struct table *t, const void *row, struct call *call)
{
    if (change(db, table_sql_of(db, t)->put, t, t->count, row, NULL, call) < 0)
        return -1;
    return journal_put(db, t, row, 1, call);
}

int row_delete(struct db *db, const struct table *t, const void *row, struct call *call)
{
    int64_t affected;

    if (row_delete_group(db, t, row, t->keys, &affected, call) < 0)
        return -1;
    return affected == 0 ? none(t, call) : 0;
}

int row_delete_group(struct db *db, const struct table *t, const void *row, size_t keys,
                     int64_t *ret_count, struct call *call)
{
    int64_t affected;

    assert(keys >= 1 && keys <= t->keys);
    if (change(db, table_sql_of(db, t)->remove[keys], t, keys, row, &affected, call) < 0)
        return -1;
    if (affected > 0 && journal_gone(db, t, row, keys, call) < 0)
        return -1;
    if (ret_count)
        *ret_count = affected;
    return 0;
}

int row_delete_group_telling(struct db *db, const struct table *t, const void *row, size_t keys,
                             const char *column, void (*tell)(void *argument, int64_t number),
                             void *argument, struct call *call)
{
    auto_free char *sql = xasprintf("%s RETURNING %s", table_sql_of(db, t)->remove[keys], column);
    struct db_statement *gone;
    bool any = false;
    int found;

    assert(keys >= 1 && keys <= t->keys);
    if (prepare_bound(db, sql, t, keys, row, &gone, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = gone;
    for (; (found = db_step(gone, call)) > 0; any = true)
        tell(argument, db_column_int(gone, 0));
    if (found < 0 || !any)
        return found;
    return journal_gone(db, t, row, keys, call);
}
