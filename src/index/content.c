// SPDX-License-Identifier: EUPL-1.2
/* The whole content of an index: emptied, derived, continued.  For rebuilding and restoring. */
#include "codec/json.h"
#include "index/journal_private.h"
#include "util/random.h"

#define TAGS_PAGE 500

/* ---- Empty ---- */

static int look_for_rows(struct db *db, void *argument, struct call *call)
{
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        auto_free char *sql = xasprintf("SELECT 1 FROM %s LIMIT 1", index_tables[i]->name);
        struct db_statement *s;
        if (db_prepare(db, sql, &s, call) < 0)
            return -1;
        int row = db_step(s, call);
        db_reset(s);
        if (row < 0)
            return -1;
        if (row > 0)
            *(const char **)argument = index_tables[i]->name;
    }
    return 0;
}

int index_must_be_empty(struct index *index, const char *what, struct call *call)
{
    const char *filled = NULL;

    if (index_read(index, look_for_rows, (void *)&filled, call) < 0)
        return -1;
    if (!filled)
        return 0;
    return err_set(&call->err, ERR_EXISTS, "%s has rows in its table '%s': %s into a new one",
                   index_name(index), filled, what);
}

static int clear(struct db *db, void *argument, struct call *call)
{
    (void)argument;
    for (size_t i = 0; i < INDEX_TABLES; i++) {
        auto_free char *sql = xasprintf("DELETE FROM %s", index_tables[i]->name);
        if (db_exec(db, sql, call) < 0)
            return -1;
    }
    return db_exec(db, "DELETE FROM journal", call);
}

int index_clear(struct index *index, struct call *call)
{
    return index_write(index, INDEX_DURABLE, clear, NULL, call);
}

/* ---- Tags: one row for each tag of a current object ---- */

static int add_tags(struct db *db, const struct object_row *object, struct call *call)
{
    auto_json json_t *tags = NULL;

    if (json_parse(object->tags, strlen(object->tags), &tags, &call->err) < 0)
        return err_prefix(&call->err, "tags of '%s'", object->name);
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *pair = json_array_get(tags, i);
        const char *key = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));
        struct tag_row row = {.object = object->id,
                              .key = (char *)key,
                              .value = (char *)value,
                              .container = object->container};
        if (key && value && row_put(db, &tag_table, &row, call) < 0)
            return -1;
    }
    return 0;
}

struct tags_work {
    int64_t after;
    int64_t last; /* of this page */
    int rows;
};

static int add_page(struct db *db, void *argument, struct call *call)
{
    struct tags_work *work = argument;
    struct object_row page[TAGS_PAGE];
    struct db_statement *s;
    int result;

    if (db_prepare(db,
                   "SELECT id, container, tags, name FROM object WHERE id > ?1 AND current = 1"
                   " AND deleted IS NULL AND tags IS NOT NULL ORDER BY id LIMIT ?2",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, work->after);
    db_bind_int(s, 2, TAGS_PAGE);
    work->rows = 0;
    while ((result = db_step(s, call)) > 0) {
        size_t n;
        page[work->rows] = object_row_new();
        page[work->rows].id = work->last = db_column_int(s, 0);
        page[work->rows].container = db_column_int(s, 1);
        page[work->rows].tags = xstrdup(db_column_text(s, 2));
        page[work->rows].name = xstrdup(db_column_blob(s, 3, &n));
        work->rows++;
    }
    db_reset(s);
    for (int i = 0; i < work->rows; i++) {
        if (result == 0)
            result = add_tags(db, &page[i], call);
        object_row_release(&page[i]);
    }
    return result;
}

int tags_rebuild(struct index *index, struct call *call)
{
    struct tags_work work = {.after = INT64_MIN};

    do {
        if (index_write(index, INDEX_RELAXED, add_page, &work, call) < 0)
            return -1;
        work.after = work.last;
    } while (work.rows == TAGS_PAGE);
    return 0;
}

/* ---- Going on ---- */

struct continuation {
    struct position at;
    int64_t time;
};

static int continue_here(struct db *db, void *argument, struct call *call)
{
    const struct continuation *c = argument;

    return position_write(db, &c->at, c->time, call);
}

int index_continue(struct index *index, int64_t last, int64_t time, struct call *call)
{
    struct continuation c = {.at = {.last = last}, .time = time};

    /* A token of its own: what comes next follows no batch that is there. */
    random_hex(c.at.token, (TOKEN_SIZE - 1) / 2);
    index_times_after(index, time);
    return index_write(index, INDEX_DURABLE, continue_here, &c, call);
}
