// SPDX-License-Identifier: EUPL-1.2
/*
 * Rows as data: one description of a table serves its struct, its SQL, its line in the journal and
 * the rebuild.
 *
 *     static const struct column columns[] = {
 *         COLUMN(struct piece_row, id, COLUMN_INT, COLUMN_KEY),
 *         COLUMN(struct piece_row, store, COLUMN_TEXT, 0), ...
 *     };
 *
 * A row struct holds int64_t (COLUMN_INT; flags are 0 and 1, times nanoseconds or TIME_UNKNOWN,
 * which is NULL in SQL), and char * it owns (COLUMN_TEXT: UTF-8; COLUMN_NAME: any bytes but NUL,
 * kept as BLOB and ordered bytewise; COLUMN_SECRET: as TEXT, wiped on release).  NULL pointers are
 * SQL NULL.  Rows are zeroed before their first use (times: row_init()) and released with
 * row_release(), or the typed names in rows.h.
 *
 * Every function that changes a row of a journaled table also adds a line to the journal in the
 * same transaction: nobody else writes to these tables, or "bascule index rebuild" would lose it.
 *
 * The functions with a struct db want one that index_read() or index_write() handed out.  Where
 * they fail with anything but ERR_NOT_FOUND from row_update() and row_delete(), the write must fail
 * too (on PostgreSQL the transaction is lost).
 *
 * Threads: a row belongs to one thread.  Errors: as db.h.
 */
#ifndef INDEX_ROW_H
#define INDEX_ROW_H

#include <jansson.h>

#include "db/db.h"
#include "util/buf.h"

enum column_type { COLUMN_INT, COLUMN_TIME, COLUMN_TEXT, COLUMN_NAME, COLUMN_SECRET };
enum column_flag { COLUMN_KEY = 1 };

struct column {
    const char *name;
    enum column_type type;
    unsigned flags;
    size_t offset; /* in the row's struct */
};
#define COLUMN(type_name, member, kind, bits)            \
    {                                                    \
#member, kind, bits, offsetof(type_name, member) \
    }

struct table {
    const char *name;
    const struct column *columns; /* the key's columns first */
    size_t count;
    size_t keys;
    size_t row_size;
    bool journaled;
};

void row_init(const struct table *t, void *row);
void row_release(const struct table *t, void *row);
void row_copy(const struct table *t, void *into, const void *from);

/* "a.id, a.store, ..." in the order row_read() wants; alias may be NULL. Heap; the same text for
 * the same arguments, so statements stay cached. */
char *row_columns(const struct table *t, const char *alias);
/* "SELECT columns FROM table " + where, prepared: for row_read() from column 0. */
must_check int row_select(struct db *db, const struct table *t, const char *where,
                          struct db_statement **ret, struct call *call);
/* Fill a row from the columns of a statement, from first on; what it held is released. */
void row_read(const struct table *t, struct db_statement *s, int first, void *ret_row);

/* The row whose key columns are set in row itself: 1 found (row is filled), 0 not, -1. */
must_check int row_find(struct db *db, const struct table *t, void *row, struct call *call);
/* As row_find, and the row cannot change before the transaction ends (PostgreSQL: FOR UPDATE). */
must_check int row_lock(struct db *db, const struct table *t, void *row, struct call *call);
/* ERR_EXISTS when the key, or another unique set of columns, is there. */
must_check int row_insert(struct db *db, const struct table *t, const void *row, struct call *call);
/* The same, but a key that is there, perhaps only since somebody else committed, is no error:
 * *ret_done says which. */
must_check int row_insert_new(struct db *db, const struct table *t, const void *row, bool *ret_done,
                              struct call *call);
/* Every column of the row with this key; ERR_NOT_FOUND when there is none. */
must_check int row_update(struct db *db, const struct table *t, const void *row, struct call *call);
/* Insert, or replace the row with this key. */
must_check int row_put(struct db *db, const struct table *t, const void *row, struct call *call);
/* Many rows at once, each as row_insert(), with one line in the journal for many. */
must_check int row_insert_many(struct db *db, const struct table *t, const void *rows, size_t count,
                               struct call *call);
/* Only the key columns are looked at; ERR_NOT_FOUND when there is none. */
must_check int row_delete(struct db *db, const struct table *t, const void *row, struct call *call);
/* Every row that has the same first so many key columns ("all extents of a layout": 1), with one
 * line in the journal.  *ret_count (may be NULL) gets how many there were; none is no error.
 * Whoever adds rows to a group while another may delete it holds the lock of a row both know (the
 * object's), so that both leave their lines in the same order. */
must_check int row_delete_group(struct db *db, const struct table *t, const void *row, size_t keys,
                                int64_t *ret_count, struct call *call);
/* The same, and of each row that goes its number in this column is told: of those that somebody
 * else has added or changed meanwhile, too. */
must_check int row_delete_group_telling(struct db *db, const struct table *t, const void *row,
                                        size_t keys, const char *column,
                                        void (*tell)(void *argument, int64_t number),
                                        void *argument, struct call *call);

/* A row as a JSON object and back; names that are not UTF-8 stand as {"base64": ...}.  NULLs are
 * left out.  Unknown keys are ignored, so that an older program can read a newer journal; a column
 * that is not there is 0 or NULL, so that a newer one can read an older.  ERR_INVALID for what
 * cannot be a row: a key column missing, a value of the wrong kind. */
json_t *row_to_json(const struct table *t, const void *row);
must_check int row_from_json(const struct table *t, const json_t *object, void *ret_row,
                             struct err *e);
/* The same text without the detour: appends {"column": value, ...} of the first count columns.
 * ERR_INVALID when out is full. */
must_check int row_write_json(struct buf *out, const struct table *t, size_t count, const void *row,
                              struct err *e);
/* The key alone, or its first columns as far as they are there: *ret_keys says how many. */
must_check int row_key_from_json(const struct table *t, const json_t *object, void *ret_row,
                                 size_t *ret_keys, struct err *e);

#endif
