// SPDX-License-Identifier: EUPL-1.2
/* What shipping, snapshots and rebuilding share.  Nobody else includes this. */
#ifndef INDEX_JOURNAL_PRIVATE_H
#define INDEX_JOURNAL_PRIVATE_H

#include "crypto/hash.h"
#include "index/index_private.h"
#include "index/journal.h"
#include "util/buf.h"

/* A file is ended beyond this; one line may carry it further. */
#define FILE_GOOD (4U * 1024 * 1024)
#define FILE_MOST (160U * 1024 * 1024)

#define TOKEN_SIZE 17 /* 16 hexadecimal digits and a NUL */
#define NAME_SIZE  160

/* How far shipping has come. */
struct position {
    int64_t last; /* number of the newest line shipped */
    char token[TOKEN_SIZE];
};
must_check int position_read(struct db *db, struct position *ret, struct call *call);
must_check int position_write(struct db *db, const struct position *p, int64_t time,
                              struct call *call);

/* ---- The right to ship (lease.c) ---- */

struct lease {
    struct index *index;
    char token[TOKEN_SIZE];
};
/* ERR_BUSY when another gateway has it. */
must_check int lease_take(struct lease *l, struct index *index, struct call *call);
/* In a write: ERR_CONFLICT when another gateway took over; else it is good for another while. */
must_check int lease_hold(struct db *db, const struct lease *l, struct call *call);
/* The same, in a write of its own. */
must_check int lease_renew(struct lease *l, struct call *call);
void lease_give(struct lease *l);

/* ---- Places (places.c) ---- */

/* Two forms of a file: with the keys of accounts and without. */
enum form { FORM_PLAIN, FORM_SECRETS, FORM_COUNT };
static inline enum form form_of(const struct journal_place *place)
{
    return place->secrets ? FORM_SECRETS : FORM_PLAIN;
}

struct places {
    const struct journal_place *list;
    size_t count;
    bool *failed; /* of each: took no part since the last reset */
    bool wants[FORM_COUNT];
};
void places_init(struct places *p, const struct journal_place *list, size_t count);
void places_release(struct places *p);
/* Durably into every place that has not failed; failures are logged; -1 when none is left. */
must_check int places_put(struct places *p, const char *name, const struct buf *files,
                          struct call *call);
/* Append a file. */
must_check int place_get(const struct journal_place *place, const char *name, struct buf *ret,
                         struct call *call);
typedef int place_found(void *argument, const struct journal_place *place, const char *name,
                        struct call *call);
/* Each name below a prefix, without the place's own prefix. */
must_check int place_list(const struct journal_place *place, const char *prefix, place_found *found,
                          void *argument, struct call *call);

/* ---- Names of files (names.c) ---- */

struct batch_name {
    int64_t first;
    int64_t last;
    char previous[TOKEN_SIZE];
    char token[TOKEN_SIZE];
};
void batch_name_write(char text[NAME_SIZE], const struct batch_name *name);
bool batch_name_read(const char *text, struct batch_name *ret);
/* "snapshot/<number>-<token>/" and what follows it. */
void snapshot_name_write(char text[NAME_SIZE], const struct position *p, const char *rest);
bool snapshot_name_read(const char *text, struct position *ret, const char **ret_rest);

/* ---- Lines (lines.c) ---- */

/* One line of rows in both forms, as far as they are wanted: {"table":...,"put":{...}}. */
must_check int line_of_row(struct buf *files, const bool *wants, const struct table *t,
                           const void *row, struct err *e);
/* A line of the journal with its time, in both forms. */
must_check int line_of_journal(struct buf *files, const bool *wants, const char *line, int64_t time,
                               struct err *e);
/* Do in the index what a line says; *ret_rows (may be NULL) is added to, *ret_time (may be NULL)
 * gets the line's time where it has one.  ERR_CORRUPT for what is no line. */
must_check int line_apply(struct db *db, const char *line, size_t length, uint64_t *ret_rows,
                          int64_t *ret_time, struct call *call);
/* The next line at *at, without its end; NULL after the last.  A last line without an end is none.
 */
const char *line_next(const char **at, const char *end, size_t *ret_length);

/* Do what all lines of a text say, in one write that leaves no lines itself. */
struct applied {
    uint64_t lines;
    uint64_t rows;
    int64_t last_time; /* of the lines; 0 where they have none */
};
must_check int lines_apply(struct index *index, const char *text, size_t length,
                           struct applied *ret, struct call *call);

/* ---- Both ---- */

/* Before anything is written: an index that was begun anew beside the journal of a lost one must
 * not mix with it (ERR_CONFLICT).  *ret_last (may be NULL): the highest number in the places. */
must_check int history_claim(struct lease *lease, const struct places *places, int64_t *ret_last,
                             struct call *call);
/* Ship what the view db shows; *ret is where that leads. */
must_check int ship_view(struct db *db, struct lease *lease, struct places *places,
                         struct position *ret, uint64_t *ret_lines, struct call *call);
/* Every row of a journaled table, in the order of its key. */
typedef int row_found(void *argument, const struct table *t, const void *row, struct call *call);
must_check int rows_each(struct db *db, const struct table *t, row_found *found, void *argument,
                         struct call *call);
/* The highest number any place knows, 0 where there is nothing. */
must_check int places_last(const struct places *p, int64_t *ret, struct call *call);
/* Nothing was ever shipped from this index, nor was it rebuilt or restored. */
bool position_is_new(const struct position *p);
/* ERR_EXISTS unless no table has rows. */
must_check int index_must_be_empty(struct index *index, const char *what, struct call *call);
must_check int index_clear(struct index *index, struct call *call);
/* The end of a rebuild or restore: where numbers and times go on. */
must_check int index_continue(struct index *index, int64_t last, int64_t time, struct call *call);
/* What follows from the rows: table tag. */
must_check int tags_rebuild(struct index *index, struct call *call);

#endif
