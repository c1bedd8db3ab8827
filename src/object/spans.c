// SPDX-License-Identifier: EUPL-1.2
/* Where the bytes of a range lie, and reading them.  See object_private.h. */
#include <inttypes.h>
#include <string.h>

#include "crypto/crc.h"
#include "object/object_private.h"

void span_list_release(struct span_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->list[i].store);
        free(l->list[i].container);
        free(l->list[i].key);
    }
    free(l->list);
    *l = (struct span_list){0};
}

static struct span *span_add(struct span_list *l, uint64_t start, uint64_t length)
{
    if (l->count == l->size) {
        l->size = l->size == 0 ? 1 : 2 * l->size;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    struct span *s = &l->list[l->count++];
    *s = (struct span){.start = start, .length = length};
    return s;
}

/* One row: extent start, length, piece_start, then the piece. */
static void span_from_row(struct db_statement *row, uint64_t offset, uint64_t end, uint64_t *at,
                          struct span_list *into)
{
    uint64_t start = (uint64_t)db_column_int(row, 0);
    uint64_t stop = start + (uint64_t)db_column_int(row, 1);
    uint64_t piece_start = (uint64_t)db_column_int(row, 2);
    if (start < offset) {
        piece_start += offset - start;
        start = offset;
    }
    if (stop > end)
        stop = end;
    if (start >= stop)
        return;
    if (start > *at)
        (void)span_add(into, *at, start - *at);
    struct span *s = span_add(into, start, stop - start);
    s->piece_start = piece_start;
    s->store = xstrdup(db_column_text(row, 3));
    s->container = xstrdup(db_column_text(row, 4));
    size_t length;
    const char *key = db_column_blob(row, 5, &length);
    s->key = xstrndup(key, length);
    s->piece_size = (uint64_t)db_column_int(row, 6);
    s->crc64 = (uint64_t)db_column_int(row, 7);
    *at = stop;
}

int spans_find(struct db *db, int64_t layout, uint64_t offset, uint64_t length,
               struct span_list *ret, struct call *call)
{
    if (length == 0)
        return 0;
    auto_spans struct span_list found = {0};
    struct db_statement *find;
    uint64_t end = offset + length;
    uint64_t at = offset;
    /* The extent that begins last at or before offset may reach into the range. */
    if (db_prepare(db,
                   "SELECT e.start, e.length, e.piece_start, p.store, p.container, p.key, p.size, "
                   "p.crc64 FROM extent e JOIN piece p ON p.id = e.piece WHERE e.layout = ?1 AND "
                   "e.start < ?2 AND e.start >= COALESCE((SELECT MAX(start) FROM extent WHERE "
                   "layout = ?1 AND start <= ?3), 0) ORDER BY e.start",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, layout);
    db_bind_int(find, 2, (int64_t)end);
    db_bind_int(find, 3, (int64_t)offset);
    int row;
    while ((row = db_step(find, call)) > 0)
        span_from_row(find, offset, end, &at, &found);
    if (row < 0)
        return -1;
    if (at < end)
        (void)span_add(&found, at, end - at);
    *ret = found;
    found = (struct span_list){0};
    return 0;
}

/* Pushes on, and knows the checksum of what passed.  The last byte of a whole piece waits until
 * that is right: whoever was told a length sees a body that ends early, not one that is wrong. */
struct checking_sink {
    struct sink sink;
    struct sink *to;
    uint64_t crc;
    uint64_t left; /* bytes to come; UINT64_MAX: part of a piece, nothing is held back */
    unsigned char last;
};
static int checking_write(struct sink *s, const void *bytes, size_t n, struct call *call)
{
    struct checking_sink *c = container_of(s, struct checking_sink, sink);
    if (c->left == UINT64_MAX || n == 0)
        return sink_write(c->to, bytes, n, call);
    if (n > c->left)
        return fault_set(&call->err, FAULT_STORE_CORRUPT, "a store gave more bytes than it holds");
    c->crc = crc64_nvme(c->crc, bytes, n);
    c->left -= n;
    if (c->left > 0)
        return sink_write(c->to, bytes, n, call);
    c->last = ((const unsigned char *)bytes)[n - 1];
    return n == 1 ? 0 : sink_write(c->to, bytes, n - 1, call);
}

static int push_zeros(uint64_t length, struct sink *to, struct call *call)
{
    struct source_zeros zeros;
    source_zeros_init(&zeros, length);
    return stream_copy(&zeros.source, to, NULL, call);
}

static int push_piece(struct service *service, const struct span *s, struct sink *to,
                      struct call *call)
{
    struct service_store *from = service_store_of(service, s->store);
    if (from == NULL)
        return fault_set(&call->err, FAULT_STORE,
                         "a body lies in the store '%s', which is not configured", s->store);
    struct object_key key = {.container = s->container, .name = s->key};
    struct get_options range = {.offset = s->piece_start, .length = s->length, .plain = true};
    bool whole = s->piece_start == 0 && s->length == s->piece_size;
    struct checking_sink check = {
        .sink = {.write = checking_write}, .to = to, .left = whole ? s->length : UINT64_MAX};
    if (store_get(from->store, &key, &range, &check.sink, NULL, NULL, call) < 0) {
        if (call->err.code == ERR_NOT_FOUND)
            return fault_set(&call->err, FAULT_STORE_CORRUPT, "the store '%s' has lost '%s'",
                             s->store, s->key);
        (void)store_failed(&call->err);
        return err_prefix(&call->err, "read '%s' from '%s'", s->key, s->store);
    }
    if (!whole)
        return 0;
    if (check.left != 0 || check.crc != s->crc64)
        return fault_set(&call->err, FAULT_STORE_CORRUPT,
                         "the store '%s' gave other bytes for '%s' than were stored", s->store,
                         s->key);
    return sink_write(to, &check.last, 1, call);
}

int spans_read(struct service *service, const struct span_list *spans, struct sink *to,
               struct call *call)
{
    for (size_t i = 0; i < spans->count; i++) {
        const struct span *s = &spans->list[i];
        int pushed =
            s->store == NULL ? push_zeros(s->length, to, call) : push_piece(service, s, to, call);
        if (pushed < 0)
            return -1;
    }
    return 0;
}
