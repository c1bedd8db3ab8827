// SPDX-License-Identifier: EUPL-1.2
/* Rows of objects in memory, their strings in a few large pieces. */
#include <stdint.h>
#include <string.h>

#include "move/ledger_private.h"

#define CHUNK_SIZE (32 * 1024)

struct ledger_chunk {
    struct ledger_chunk *next;
    size_t size;
    size_t used;
    char bytes[];
};

static void free_chunks(struct ledger_chunk *c)
{
    while (c) {
        struct ledger_chunk *next = c->next;
        free(c);
        c = next;
    }
}

void ledger_rows_release(struct ledger_rows *r)
{
    free_chunks(r->chunks);
    free(r->list);
    *r = (struct ledger_rows)LEDGER_ROWS_INIT;
}

void ledger_rows_reset(struct ledger_rows *r)
{
    r->count = 0;
    if (!r->chunks)
        return;
    free_chunks(take(r->chunks->next));
    r->chunks->used = 0;
}

/* A NUL-terminated copy that lives as long as the rows. */
static char *keep(struct ledger_rows *r, const void *bytes, size_t n)
{
    struct ledger_chunk *c = r->chunks;

    if (!c || c->size - c->used <= n) {
        size_t size = n + 1 > CHUNK_SIZE ? n + 1 : CHUNK_SIZE;
        c = xmalloc(sizeof(*c) + size);
        c->next = r->chunks;
        c->size = size;
        c->used = 0;
        r->chunks = c;
    }
    char *copy = c->bytes + c->used;
    memcpy(copy, bytes, n);
    copy[n] = '\0';
    c->used += n + 1;
    return copy;
}

static const char *keep_name(struct ledger_rows *r, struct db_statement *s, int column)
{
    size_t n;
    const void *bytes = db_column_blob(s, column, &n);

    return bytes ? keep(r, bytes, n) : NULL;
}

static const char *keep_text(struct ledger_rows *r, struct db_statement *s, int column)
{
    const char *text = db_column_text(s, column);

    return text ? keep(r, text, strlen(text)) : NULL;
}

/* A hash of this length; anything else was not written by us and counts as none. */
static const unsigned char *keep_hash(struct ledger_rows *r, struct db_statement *s, int column,
                                      size_t length)
{
    size_t n;
    const void *bytes = db_column_blob(s, column, &n);

    return bytes && n == length ? (unsigned char *)keep(r, bytes, n) : NULL;
}

struct ledger_object *ledger_rows_add(struct ledger_rows *r, struct db_statement *s)
{
    if (r->count == r->size) {
        r->size = r->size ? 2 * r->size : 16;
        r->list = xrealloc(r->list, r->size, sizeof(*r->list));
    }
    struct ledger_object *o = &r->list[r->count++];
    *o = (struct ledger_object){
        .id = db_column_int(s, 0),
        .container = db_column_int(s, 1),
        .name = keep_name(r, s, 2),
        .version = keep_name(r, s, 3),
        .kind = (enum ledger_kind)db_column_int(s, 4),
        .state = (enum ledger_state)db_column_int(s, 5),
        .generation = db_column_int(s, 6),
        .size = db_column_int(s, 7),
        .etag = keep_name(r, s, 8),
        .modified = ledger_column_time(s, 9),
        .type = keep_text(r, s, 10),
        .tier = keep_text(r, s, 11),
        .md5 = keep_hash(r, s, 12, LEDGER_MD5),
        .target = keep_name(r, s, 13),
        .attempts = (int)db_column_int(s, 14),
        .sha256 = keep_hash(r, s, 15, LEDGER_SHA256),
        .target_etag = keep_name(r, s, 16),
        .target_checksum = keep_text(r, s, 17),
        .proof = keep_text(r, s, 18),
        .code = ledger_column_code(s, 19),
        .error = keep_text(r, s, 20),
        .bytes = db_column_int(s, 21),
        .started = ledger_column_time(s, 22),
        .finished = ledger_column_time(s, 23),
        .due = ledger_column_time(s, 24),
        .checkpoint = db_column_int(s, 25) != 0,
    };
    if (!*o->version)
        o->version = NULL;
    if (!o->target)
        o->target = o->name;
    return o;
}

int ledger_rows_fill(struct ledger_rows *r, struct db_statement *s, struct call *call)
{
    int row;

    while ((row = db_step(s, call)) > 0)
        (void)ledger_rows_add(r, s);
    db_reset(s);
    return row;
}
