// SPDX-License-Identifier: EUPL-1.2
/* Streams that count and check: see checked.h. */
#include "store/checked.h"

#include <assert.h>
#include <inttypes.h>

/* How a get finds out that the driver has not filled the object yet. */
#define SIZE_NOT_TOLD UINT64_MAX

static uint64_t range_length(const struct get_options *options, uint64_t size)
{
    uint64_t left = options->offset < size ? size - options->offset : 0;

    return options->length < left ? options->length : left;
}

static int checked_write(struct sink *sink, const void *bytes, size_t n, struct call *call)
{
    struct checked_sink *c = container_of(sink, struct checked_sink, sink);

    assert(c->object->size != SIZE_NOT_TOLD);
    if (c->failure.code != ERR_NONE) {
        call->err = c->failure;
        return -1;
    }
    uint64_t length = range_length(c->options, c->object->size);
    if (n > length - c->count)
        return err_set(&call->err, ERR_REMOTE, "more than the %" PRIu64 " bytes asked for came",
                       length);
    if (sink_write(c->to, bytes, n, call) < 0) {
        c->failure = call->err;
        return -1;
    }
    c->count += n;
    return 0;
}

void checked_sink_init(struct checked_sink *c, struct sink *to, const struct get_options *options,
                       struct object *object)
{
    *c = (struct checked_sink){
        .sink = {.write = checked_write}, .to = to, .options = options, .object = object};
    object->size = SIZE_NOT_TOLD;
}

bool checked_sink_failed(const struct checked_sink *c, struct call *call)
{
    if (c->object->size == SIZE_NOT_TOLD)
        c->object->size = 0;
    if (c->failure.code == ERR_NONE)
        return false;
    call->err = c->failure;
    return true;
}

int checked_sink_finish(const struct checked_sink *c, const struct object_key *key,
                        struct call *call)
{
    assert(c->object->size != SIZE_NOT_TOLD);
    assert(c->failure.code == ERR_NONE);
    uint64_t size = c->object->size, length = range_length(c->options, size);
    if (size && c->options->offset >= size)
        return err_set(&call->err, ERR_RANGE,
                       "offset %" PRIu64 " is past the end of '%s/%s' (%" PRIu64 " bytes)",
                       c->options->offset, key->container, key->name, size);
    if (c->count != length)
        return err_set(&call->err, ERR_NETWORK,
                       "'%s/%s' was cut off: %" PRIu64 " of %" PRIu64 " bytes came", key->container,
                       key->name, c->count, length);
    return 0;
}

static ssize_t source_failed(struct checked_source *c, struct call *call)
{
    c->failure = call->err;
    return -1;
}

/* The last byte is only handed on once it is known to be the last. */
static int expect_end(struct checked_source *c, struct call *call)
{
    char more;
    ssize_t n = source_read(c->from, &more, 1, call);

    if (n > 0)
        (void)err_set(&call->err, ERR_INVALID,
                      "the source holds more than the %" PRIu64 " bytes announced", c->size);
    return n ? -1 : 0;
}

static ssize_t checked_read(struct source *source, void *bytes, size_t n, struct call *call)
{
    struct checked_source *c = container_of(source, struct checked_source, source);

    if (c->failure.code != ERR_NONE) {
        call->err = c->failure;
        return -1;
    }
    if (c->count == c->size)
        return 0;
    if (n > c->size - c->count)
        n = (size_t)(c->size - c->count);
    ssize_t got = source_read(c->from, bytes, n, call);
    if (got == 0)
        (void)err_set(&call->err, ERR_INVALID,
                      "the source ended after %" PRIu64 " of %" PRIu64 " bytes", c->count, c->size);
    if (got <= 0)
        return source_failed(c, call);
    c->count += (uint64_t)got;
    if (c->count == c->size && expect_end(c, call) < 0)
        return source_failed(c, call);
    return got;
}

static int checked_rewind(struct source *source, struct call *call)
{
    struct checked_source *c = container_of(source, struct checked_source, source);

    if (c->from->rewind(c->from, call) < 0)
        return (int)source_failed(c, call);
    c->count = 0;
    return 0;
}

int checked_source_init(struct checked_source *c, struct source *from, uint64_t size,
                        struct call *call)
{
    const struct source_bytes *bytes = source_as_bytes(from);

    *c = (struct checked_source){
        .source = {.read = checked_read, .rewind = from->rewind ? checked_rewind : NULL},
        .from = from,
        .size = size,
    };
    c->use = bytes ? from : &c->source;
    if (bytes && bytes->length - bytes->at != size)
        return err_set(&call->err, ERR_INVALID,
                       "the source holds %zu bytes where %" PRIu64 " were announced",
                       bytes->length - bytes->at, size);
    return 0;
}

bool checked_source_failed(const struct checked_source *c, struct call *call)
{
    if (c->failure.code == ERR_NONE)
        return false;
    call->err = c->failure;
    return true;
}

int checked_source_finish(const struct checked_source *c, const struct object_key *key,
                          struct call *call)
{
    assert(c->failure.code == ERR_NONE);
    if (c->use == &c->source && c->count != c->size)
        return err_set(&call->err, ERR_REMOTE,
                       "'%s/%s' was accepted after %" PRIu64 " of %" PRIu64 " bytes",
                       key->container, key->name, c->count, c->size);
    return 0;
}
