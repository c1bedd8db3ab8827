// SPDX-License-Identifier: EUPL-1.2
/* The SQL of a table, from its description. */
#include <assert.h>

#include "index/index_private.h"
#include "util/buf.h"

#define SQL_MAX 16384

/* "a = ?1 AND b = ?2" for columns from first on; parameters count from there too. */
static void add_equals(struct buf *sql, const struct table *t, size_t first, size_t count,
                       const char *between)
{
    for (size_t i = first; i < first + count; i++)
        buf_printf(sql, "%s%s = ?%zu", i > first ? between : "", t->columns[i].name, i + 1);
}

char *row_columns(const struct table *t, const char *alias)
{
    auto_buf struct buf sql = BUF_INIT(SQL_MAX);

    for (size_t i = 0; i < t->count; i++)
        buf_printf(&sql, "%s%s%s%s", i ? ", " : "", alias ? alias : "", alias ? "." : "",
                   t->columns[i].name);
    return buf_take(&sql);
}

static char *find_sql(const struct table *t, const char *end)
{
    auto_buf struct buf sql = BUF_INIT(SQL_MAX);
    auto_free char *columns = row_columns(t, NULL);

    buf_printf(&sql, "SELECT %s FROM %s WHERE ", columns, t->name);
    add_equals(&sql, t, 0, t->keys, " AND ");
    buf_text(&sql, end);
    return buf_take(&sql);
}

static char *insert_sql(const struct table *t, bool replace)
{
    auto_buf struct buf sql = BUF_INIT(SQL_MAX);
    auto_free char *columns = row_columns(t, NULL);

    buf_printf(&sql, "INSERT INTO %s (%s) VALUES (", t->name, columns);
    for (size_t i = 0; i < t->count; i++)
        buf_printf(&sql, "%s?%zu", i ? ", " : "", i + 1);
    buf_char(&sql, ')');
    if (replace) {
        buf_text(&sql, " ON CONFLICT (");
        for (size_t i = 0; i < t->keys; i++)
            buf_printf(&sql, "%s%s", i ? ", " : "", t->columns[i].name);
        buf_text(&sql, ") DO UPDATE SET ");
        for (size_t i = t->keys; i < t->count; i++)
            buf_printf(&sql, "%s%s = excluded.%s", i > t->keys ? ", " : "", t->columns[i].name,
                       t->columns[i].name);
    }
    return buf_take(&sql);
}

static char *update_sql(const struct table *t)
{
    auto_buf struct buf sql = BUF_INIT(SQL_MAX);

    buf_printf(&sql, "UPDATE %s SET ", t->name);
    add_equals(&sql, t, t->keys, t->count - t->keys, ", ");
    buf_text(&sql, " WHERE ");
    add_equals(&sql, t, 0, t->keys, " AND ");
    return buf_take(&sql);
}

void table_sql_init(struct table_sql *sql, const struct table *t)
{
    assert(t->keys >= 1 && t->keys <= KEYS_MAX && t->keys < t->count);
    *sql = (struct table_sql){
        .find = find_sql(t, ""),
        .lock = find_sql(t, " FOR UPDATE"),
        .insert = insert_sql(t, false),
        .update = update_sql(t),
        .put = insert_sql(t, true),
    };
    for (size_t keys = 1; keys <= t->keys; keys++) {
        auto_buf struct buf text = BUF_INIT(SQL_MAX);
        buf_printf(&text, "DELETE FROM %s WHERE ", t->name);
        add_equals(&text, t, 0, keys, " AND ");
        sql->remove[keys] = buf_take(&text);
    }
}

void table_sql_release(struct table_sql *sql)
{
    free(sql->find);
    free(sql->lock);
    free(sql->insert);
    free(sql->update);
    free(sql->put);
    for (size_t keys = 0; keys <= KEYS_MAX; keys++)
        free(sql->remove[keys]);
}
