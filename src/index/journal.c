// SPDX-License-Identifier: EUPL-1.2
/* Lines of the journal, written in the transaction of the rows they speak of: see journal.h. */
#include "index/journal.h"

#include "index/index_private.h"

#define LINE_MAX_BYTES (64U * 1024 * 1024)
/* A line of many rows is ended beyond this. */
#define LINE_GOOD (64U * 1024)

static int add_line(struct db *db, const char *line, struct call *call)
{
    struct db_statement *s;
    int64_t now;

    if (index_now(db, &now, call) < 0 ||
        db_prepare(db, "INSERT INTO journal (time, line) VALUES (?1, ?2)", &s, call) < 0)
        return -1;
    db_bind_int(s, 1, now);
    db_bind_text(s, 2, line);
    return db_queue(s, call);
}

static int put_line(struct db *db, const struct table *t, const char *rows, size_t count,
                    size_t *ret_taken, struct call *call)
{
    auto_buf struct buf line = BUF_INIT(LINE_MAX_BYTES);
    size_t i = 0;

    buf_printf(&line, "{\"table\":\"%s\",\"put\":", t->name);
    if (count > 1)
        buf_char(&line, '[');
    do {
        if (i > 0 && buf_add(&line, ",", 1, &call->err) < 0)
            return -1;
        if (row_write_json(&line, t, t->count, rows + i * t->row_size, &call->err) < 0)
            return -1;
        i++;
    } while (i < count && line.length < LINE_GOOD);
    if (buf_add(&line, count > 1 ? "]}" : "}", count > 1 ? 2 : 1, &call->err) < 0)
        return -1;
    *ret_taken = i;
    return add_line(db, line.data, call);
}

int journal_put(struct db *db, const struct table *t, const void *rows, size_t count,
                struct call *call)
{
    const char *at = rows;
    size_t taken = 0;

    if (connection_of(db)->silent)
        return 0;
    for (; t->journaled && count > 0; count -= taken, at += taken * t->row_size)
        if (put_line(db, t, at, count, &taken, call) < 0)
            return -1;
    return 0;
}

int journal_gone(struct db *db, const struct table *t, const void *row, size_t keys,
                 struct call *call)
{
    auto_buf struct buf line = BUF_INIT(LINE_MAX_BYTES);

    if (!t->journaled || connection_of(db)->silent)
        return 0;
    buf_printf(&line, "{\"table\":\"%s\",\"gone\":", t->name);
    if (row_write_json(&line, t, keys, row, &call->err) < 0 ||
        buf_add(&line, "}", 1, &call->err) < 0)
        return -1;
    return add_line(db, line.data, call);
}
