// SPDX-License-Identifier: EUPL-1.2
/* The whole index as one file of lines, and back: see journal.h. */
#include <stdio.h>

#include "codec/hex.h"
#include "codec/json.h"
#include "index/journal_private.h"
#include "util/stream.h"

#define CHUNK (64U * 1024)
/* Lines applied in one transaction, in bytes. */
#define APPLY_GOOD (1024U * 1024)

/* ---- Backup ---- */

struct backup {
    struct sink *to;
    struct hash hash;
    struct buf files[FORM_COUNT]; /* only the form with secrets is used */
    uint64_t rows;
};

static int flush(struct backup *b, struct call *call)
{
    struct buf *file = &b->files[FORM_SECRETS];

    if (file->length == 0)
        return 0;
    hash_update(&b->hash, file->data, file->length);
    if (sink_write(b->to, file->data, file->length, call) < 0)
        return -1;
    buf_reset(file);
    return 0;
}

static int add_row(void *argument, const struct table *t, const void *row, struct call *call)
{
    static const bool wants[FORM_COUNT] = {[FORM_SECRETS] = true};
    struct backup *b = argument;

    if (line_of_row(b->files, wants, t, row, &call->err) < 0)
        return -1;
    b->rows++;
    return b->files[FORM_SECRETS].length < CHUNK ? 0 : flush(b, call);
}

static int add_footer(struct backup *b, struct call *call)
{
    unsigned char digest[HASH_MAX_SIZE];
    char hex[HASH_HEX_SIZE];
    char line[200];

    if (flush(b, call) < 0)
        return -1;
    hash_final(&b->hash, digest);
    hex_encode(hex, digest, hash_size(HASH_SHA256));
    int n = snprintf(line, sizeof(line), "{\"end\":true,\"rows\":%llu,\"sha256\":\"%s\"}\n",
                     (unsigned long long)b->rows, hex);
    return sink_write(b->to, line, (size_t)n, call);
}

static int back_up(struct db *db, void *argument, struct call *call)
{
    struct backup *b = argument;
    struct position at;
    int64_t now;

    /* What was written cannot be taken back, so that this does not run twice. */
    if (b->rows > 0 || b->hash.context)
        return err_set(&call->err, ERR_NETWORK, "the connection to the index was lost");
    hash_init(&b->hash, HASH_SHA256);
    if (position_read(db, &at, call) < 0 || index_now(db, &now, call) < 0)
        return -1;
    buf_printf(&b->files[FORM_SECRETS],
               "{\"bascule\":\"index\",\"version\":1,\"number\":%lld,\"time\":%lld}\n",
               (long long)at.last, (long long)now);
    for (size_t i = 0; i < INDEX_TABLES; i++)
        if (index_tables[i]->journaled && rows_each(db, index_tables[i], add_row, b, call) < 0)
            return -1;
    return add_footer(b, call);
}

int index_backup(struct index *index, struct sink *to, struct call *call)
{
    struct backup b = {.to = to, .hash = HASH_INIT};

    buf_init(&b.files[FORM_PLAIN], FILE_MOST);
    buf_init(&b.files[FORM_SECRETS], FILE_MOST);
    int result = index_view(index, back_up, &b, call);
    /* It holds the keys of accounts. */
    explicit_bzero(b.files[FORM_SECRETS].data, b.files[FORM_SECRETS].size);
    buf_release(&b.files[FORM_SECRETS]);
    buf_release(&b.files[FORM_PLAIN]);
    hash_release(&b.hash);
    return result < 0 ? err_prefix(&call->err, "back up the index") : 0;
}

/* ---- Restore ---- */

struct restore {
    struct index *index;
    struct buf text; /* from the last line applied on */
    struct hash hash;
    uint64_t rows;
    int64_t number;
    int64_t time;
    bool begun; /* the first line was read */
    bool ended;
};

static int corrupt(struct call *call, const char *why)
{
    return err_set(&call->err, ERR_CORRUPT, "the backup %s", why);
}

static int read_head(struct restore *r, const char *line, size_t length, struct call *call)
{
    auto_json json_t *head = NULL;
    int64_t version = 0;

    if (json_parse(line, length, &head, &call->err) < 0 ||
        !same_string(json_text(head, "bascule"), "index"))
        return corrupt(call, "does not begin as one of an index");
    (void)json_number(head, "version", &version);
    if (version != 1)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "the backup was written by a newer bascule: use that one");
    (void)json_number(head, "number", &r->number);
    (void)json_number(head, "time", &r->time);
    r->begun = true;
    return 0;
}

static int read_footer(struct restore *r, const char *line, size_t length, struct call *call)
{
    auto_json json_t *footer = NULL;
    unsigned char digest[HASH_MAX_SIZE];
    char expected[HASH_HEX_SIZE];
    int64_t rows = -1;

    if (json_parse(line, length, &footer, &call->err) < 0)
        return corrupt(call, "does not end as one");
    const char *hex = json_text(footer, "sha256");
    hash_final(&r->hash, digest);
    hex_encode(expected, digest, hash_size(HASH_SHA256));
    (void)json_number(footer, "rows", &rows);
    if (!hex || strcmp(hex, expected) != 0 || (uint64_t)rows != r->rows)
        return corrupt(call, "is not what was written");
    r->ended = true;
    return 0;
}

/* Apply the lines from start to stop. */
static int apply(struct restore *r, const char *start, const char *stop, struct call *call)
{
    struct applied applied;

    if (start == stop)
        return 0;
    hash_update(&r->hash, start, (size_t)(stop - start));
    if (lines_apply(r->index, start, (size_t)(stop - start), &applied, call) < 0)
        return -1;
    r->rows += applied.rows;
    return 0;
}

/* Take the whole lines that are there. */
static int take_lines(struct restore *r, struct call *call)
{
    static const char end_mark[] = "{\"end\":";
    const char *at = r->text.data;
    const char *end = at + r->text.length;
    const char *rows = at; /* what is to be applied begins here */
    const char *line;
    size_t length;

    while ((line = line_next(&at, end, &length))) {
        if (r->ended)
            return corrupt(call, "goes on after its end");
        if (!r->begun) {
            if (read_head(r, line, length, call) < 0)
                return -1;
            hash_update(&r->hash, line, length + 1);
            rows = at;
        } else if (length >= sizeof(end_mark) - 1 &&
                   memcmp(line, end_mark, sizeof(end_mark) - 1) == 0) {
            if (apply(r, rows, line, call) < 0 || read_footer(r, line, length, call) < 0)
                return -1;
            rows = at;
        }
    }
    if (apply(r, rows, at, call) < 0)
        return -1;
    size_t left = (size_t)(end - at);
    memmove(r->text.data, at, left);
    r->text.length = left;
    return 0;
}

static int read_all(struct restore *r, struct source *from, struct call *call)
{
    ssize_t n;

    do {
        if (buf_reserve(&r->text, CHUNK, &call->err) < 0)
            return -1;
        n = source_read(from, r->text.data + r->text.length, CHUNK, call);
        if (n < 0)
            return -1;
        r->text.length += (size_t)n;
        if ((n == 0 || r->text.length > APPLY_GOOD) && take_lines(r, call) < 0)
            return -1;
    } while (n > 0);
    return r->ended && r->text.length == 0 ? 0 : corrupt(call, "is cut off");
}

static int restore(struct restore *r, struct source *from, struct call *call)
{
    if (index_must_be_empty(r->index, "restore", call) < 0)
        return -1;
    if (read_all(r, from, call) == 0 && tags_rebuild(r->index, call) == 0)
        return index_continue(r->index, r->number, r->time, call);
    struct call last = CALL_INIT;
    if (index_clear(r->index, &last) < 0)
        return err_prefix(&call->err, "(and some rows stay in the index: %s)", last.err.text);
    return -1;
}

int index_restore(struct index *index, struct source *from, struct call *call)
{
    struct restore r = {.index = index, .hash = HASH_INIT, .number = 0};

    buf_init(&r.text, FILE_MOST);
    hash_init(&r.hash, HASH_SHA256);
    int result = restore(&r, from, call);
    explicit_bzero(r.text.data, r.text.size);
    buf_release(&r.text);
    hash_release(&r.hash);
    return result < 0 ? err_prefix(&call->err, "restore the index") : 0;
}
