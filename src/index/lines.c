// SPDX-License-Identifier: EUPL-1.2
/* Lines of journal, snapshots and backups: docs/formats/journal.md. */
#include <stdio.h>

#include "codec/json.h"
#include "index/journal_private.h"

/* ---- Writing ---- */

static bool has_secrets(const struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].type == COLUMN_SECRET)
            return true;
    return false;
}

static int add_row_line(struct buf *out, const struct table *t, const void *row, struct err *e)
{
    char head[80];
    int n = snprintf(head, sizeof(head), "{\"table\":\"%s\",\"put\":", t->name);

    if (buf_add(out, head, (size_t)n, e) < 0 || row_write_json(out, t, t->count, row, e) < 0)
        return -1;
    return buf_add(out, "}\n", 2, e);
}

int line_of_row(struct buf *files, const bool *wants, const struct table *t, const void *row,
                struct err *e)
{
    if (wants[FORM_SECRETS] && add_row_line(&files[FORM_SECRETS], t, row, e) < 0)
        return -1;
    if (!wants[FORM_PLAIN])
        return 0;
    if (!has_secrets(t))
        return add_row_line(&files[FORM_PLAIN], t, row, e);
    auto_free void *bare = xcalloc(1, t->row_size);
    memcpy(bare, row, t->row_size); /* borrows the strings */
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].type == COLUMN_SECRET)
            *(char **)(void *)((char *)bare + t->columns[i].offset) = NULL;
    return add_row_line(&files[FORM_PLAIN], t, bare, e);
}

static void strip_row(const struct table *t, json_t *row)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->columns[i].type == COLUMN_SECRET)
            (void)json_object_del(row, t->columns[i].name);
}

/* The line without the secrets it may hold; *ret stays NULL where it can hold none. */
static int strip_line(const char *line, char **ret, struct err *e)
{
    static const char head[] = "{\"table\":\"";
    const char *name = line + sizeof(head) - 1;
    bool may = false;

    for (size_t i = 0; i < INDEX_TABLES; i++) {
        size_t n = strlen(index_tables[i]->name);
        may |= has_secrets(index_tables[i]) && strncmp(line, head, sizeof(head) - 1) == 0 &&
               strncmp(name, index_tables[i]->name, n) == 0 && name[n] == '"';
    }
    if (!may)
        return 0;
    auto_json json_t *json = NULL;
    if (json_parse(line, strlen(line), &json, e) < 0)
        return -1;
    const struct table *t = index_table(json_text(json, "table"));
    json_t *put = json_object_get(json, "put");
    if (json_is_object(put))
        strip_row(t, put);
    for (size_t i = 0; i < json_array_size(put); i++)
        strip_row(t, json_array_get(put, i));
    auto_buf struct buf out = BUF_INIT(FILE_MOST);
    if (json_write(&out, json, e) < 0)
        return -1;
    *ret = buf_take(&out);
    return 0;
}

static int add_timed(struct buf *out, const char *line, int64_t time, struct err *e)
{
    char tail[60];
    size_t length = strlen(line);
    int n = snprintf(tail, sizeof(tail), ",\"time\":%lld}\n", (long long)time);

    if (length == 0 || line[length - 1] != '}')
        return err_set(e, ERR_CORRUPT, "a line of table journal that does not end as one");
    return buf_add(out, line, length - 1, e) < 0 ? -1 : buf_add(out, tail, (size_t)n, e);
}

int line_of_journal(struct buf *files, const bool *wants, const char *line, int64_t time,
                    struct err *e)
{
    auto_free char *stripped = NULL;

    if (wants[FORM_SECRETS] && add_timed(&files[FORM_SECRETS], line, time, e) < 0)
        return -1;
    if (!wants[FORM_PLAIN])
        return 0;
    if (strip_line(line, &stripped, e) < 0)
        return -1;
    return add_timed(&files[FORM_PLAIN], stripped ? stripped : line, time, e);
}

/* ---- Reading ---- */

const char *line_next(const char **at, const char *end, size_t *ret_length)
{
    const char *line = *at;
    const char *stop = memchr(line, '\n', (size_t)(end - line));

    if (!stop)
        return NULL;
    *ret_length = (size_t)(stop - line);
    *at = stop + 1;
    return line;
}

static int apply_put(struct db *db, const struct table *t, const json_t *row, struct call *call)
{
    auto_free void *place = xcalloc(1, t->row_size);

    row_init(t, place);
    int result = row_from_json(t, row, place, &call->err);
    if (result == 0)
        result = row_put(db, t, place, call);
    row_release(t, place);
    return result;
}

static int apply_gone(struct db *db, const struct table *t, const json_t *key, struct call *call)
{
    auto_free void *place = xcalloc(1, t->row_size);
    size_t keys;

    row_init(t, place);
    int result = row_key_from_json(t, key, place, &keys, &call->err);
    if (result == 0)
        result = row_delete_group(db, t, place, keys, NULL, call);
    row_release(t, place);
    return result;
}

static int apply_json(struct db *db, const json_t *line, uint64_t *ret_rows, struct call *call)
{
    const char *name = json_text(line, "table");
    const struct table *t = name ? index_table(name) : NULL;
    const json_t *put = json_object_get(line, "put");
    const json_t *gone = json_object_get(line, "gone");
    size_t rows = json_is_array(put) ? json_array_size(put) : 1;

    if (!name || (!put == !gone))
        return err_set(&call->err, ERR_INVALID, "it says neither what was put nor what is gone");
    if (!t) /* a newer bascule's */
        return 0;
    if (gone)
        return apply_gone(db, t, gone, call);
    if (!json_is_array(put) && apply_put(db, t, put, call) < 0)
        return -1;
    for (size_t i = 0; i < json_array_size(put); i++)
        if (apply_put(db, t, json_array_get(put, i), call) < 0)
            return -1;
    if (ret_rows)
        *ret_rows += rows;
    return 0;
}

int line_apply(struct db *db, const char *line, size_t length, uint64_t *ret_rows,
               int64_t *ret_time, struct call *call)
{
    auto_json json_t *json = NULL;

    if (json_parse(line, length, &json, &call->err) < 0 ||
        apply_json(db, json, ret_rows, call) < 0) {
        if (call->err.code == ERR_INVALID)
            call->err.code = ERR_CORRUPT;
        return err_prefix(&call->err, "a line of the index's journal");
    }
    if (ret_time)
        (void)json_number(json, "time", ret_time);
    return 0;
}

struct apply_work {
    const char *text;
    size_t length;
    struct applied applied;
};

static int apply_all(struct db *db, void *argument, struct call *call)
{
    struct apply_work *work = argument;
    const char *at = work->text;
    const char *end = at + work->length;
    const char *line;
    size_t length;

    connection_of(db)->silent = true;
    work->applied = (struct applied){0};
    while ((line = line_next(&at, end, &length))) {
        int64_t time = 0;
        if (line_apply(db, line, length, &work->applied.rows, &time, call) < 0)
            return -1;
        if (time > work->applied.last_time)
            work->applied.last_time = time;
        work->applied.lines++;
    }
    return 0;
}

int lines_apply(struct index *index, const char *text, size_t length, struct applied *ret,
                struct call *call)
{
    struct apply_work work = {.text = text, .length = length};

    if (index_write(index, INDEX_RELAXED, apply_all, &work, call) < 0)
        return -1;
    *ret = work.applied;
    return 0;
}
