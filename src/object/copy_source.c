// SPDX-License-Identifier: EUPL-1.2
/* The bytes of an object of this service as a source: see copy.h.  One chunk is held at a time. */
#include <string.h>

#include "crypto/crc.h"
#include "object/copy.h"
#include "object/object_private.h"

#define CHUNK ((size_t)4 * 1024 * 1024)

struct copy_source {
    struct source source;
    struct service *service;
    struct span_list spans;
    uint64_t size;
    size_t span;      /* where the next chunk begins */
    uint64_t in_span; /* ... behind so many bytes of it */
    uint64_t crc;     /* of those */
    char *chunk;
    size_t chunk_size;
    size_t length; /* of the chunk */
    size_t at;     /* read up to here */
};

/* The rest of a span, or as much as fits. */
static int fetch(struct copy_source *s, struct call *call)
{
    const struct span *whole = &s->spans.list[s->span];
    uint64_t left = whole->length - s->in_span;
    struct span part = *whole;
    struct span_list list = {&part, 1, 1};
    struct sink_bytes sink;

    part.length = left < s->chunk_size ? left : s->chunk_size;
    part.start += s->in_span;
    part.piece_start += s->in_span;
    sink_bytes_init(&sink, s->chunk, (size_t)part.length);
    s->length = s->at = 0;
    if (spans_read(s->service, &list, &sink.sink, call) < 0)
        return -1;
    /* A piece that comes in several chunks is checked at its end. */
    s->crc = crc64_nvme(s->in_span ? s->crc : 0, s->chunk, (size_t)part.length);
    bool entire = whole->piece_start == 0 && whole->length == whole->piece_size;
    if (whole->store && part.length == left && entire && s->crc != whole->crc64)
        return fault_set(&call->err, FAULT_STORE_CORRUPT,
                         "the store '%s' gave other bytes for '%s' than were stored", whole->store,
                         whole->key);
    s->length = (size_t)part.length;
    s->in_span += part.length;
    if (part.length == left) {
        s->span++;
        s->in_span = 0;
    }
    return 0;
}

static ssize_t read_bytes(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct copy_source *s = container_of(source, struct copy_source, source);

    if (s->at == s->length) {
        if (s->span == s->spans.count)
            return 0;
        if (fetch(s, call) < 0)
            return -1;
    }
    size_t got = s->length - s->at < n ? s->length - s->at : n;
    memcpy(bytes, s->chunk + s->at, got);
    s->at += got;
    return (ssize_t)got;
}

static int rewind_bytes(struct source *source, struct call *call)
{
    struct copy_source *s = container_of(source, struct copy_source, source);

    (void)call;
    s->span = 0;
    s->in_span = 0;
    s->length = s->at = 0;
    return 0;
}

struct open_task {
    const struct place *place;
    const struct conditions *conditions;
    uint64_t offset;
    uint64_t length;
    struct copy_source *source;
};

static int open_read(struct db *db, void *argument, struct call *call)
{
    const struct open_task *task = argument;
    struct copy_source *source = task->source;
    auto_scene struct scene s = {.container = container_row_new(), .object = object_row_new()};
    const struct object_row *o = &s.object;

    span_list_release(&source->spans);
    if (scene_find(db, task->place, SCENE_READ, &s, call) < 0)
        return -1;
    if (task->conditions &&
        (lease_check(o, task->conditions->lease, false, s.now, &call->err) < 0 ||
         conditions_check_read(task->conditions, o, &call->err) < 0))
        return fault_set(&call->err, FAULT_SOURCE_CONDITION,
                         "a condition on the source '%s' does not hold", o->name);
    if (same_string(o->tier, "Archive"))
        return fault_set(&call->err, FAULT_ARCHIVED, "'%s' is archived", o->name);
    uint64_t size = (uint64_t)o->size;
    if (task->offset > size || (task->offset == size && size > 0))
        return fault_set(&call->err, FAULT_RANGE, "the range begins behind the end of '%s'",
                         o->name);
    source->size = task->length < size - task->offset ? task->length : size - task->offset;
    return spans_find(db, o->layout, task->offset, source->size, &source->spans, call);
}

int copy_source_open(struct service *service, const struct place *place,
                     const struct conditions *conditions, uint64_t offset, uint64_t length,
                     struct copy_source **ret, struct call *call)
{
    auto_copy_source struct copy_source *s = xcalloc(1, sizeof(*s));
    struct open_task task = {place, conditions, offset, length, s};

    s->source = (struct source){.read = read_bytes, .rewind = rewind_bytes};
    s->service = service;
    if (service_read_index(service, open_read, &task, call) < 0)
        return -1;
    s->chunk_size = s->size < CHUNK ? (size_t)s->size + 1 : CHUNK;
    s->chunk = malloc(s->chunk_size);
    if (!s->chunk)
        return err_set(&call->err, ERR_BUSY, "no memory to copy '%s'", place->name);
    *ret = take(s);
    return 0;
}

struct source *copy_source_stream(struct copy_source *s)
{
    return &s->source;
}

uint64_t copy_source_size(const struct copy_source *s)
{
    return s->size;
}

void copy_source_close(struct copy_source *s)
{
    if (!s)
        return;
    span_list_release(&s->spans);
    free(s->chunk);
    free(s);
}

void copy_source_close_p(struct copy_source **s)
{
    copy_source_close(*s);
}
