// SPDX-License-Identifier: EUPL-1.2
/* Pieces: immutable bytes in a store, on their way in and out.  See object_private.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crc.h"
#include "object/digest.h"
#include "object/object_private.h"
#include "util/log.h"
#include "util/random.h"

#define KEY_PREFIX_MAX 200
#define PART_SIZE      (UINT64_C(8) * 1024 * 1024)
#define PART_MAX       (UINT64_C(64) * 1024 * 1024)
#define SWEEP_TIME     (10 * CLOCK_SECOND)

void piece_release(struct piece *p)
{
    piece_row_release(&p->row);
}

/* ---- The key ---- */

/* Letters, digits and a few marks stay, everything else becomes =XX, so that every store takes it
 * and a person still reads it. */
static void add_readable(struct buf *out, const char *text, size_t limit)
{
    for (const char *c = text; *c != '\0' && out->length + 3 <= limit; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= '0' && *c <= '9') || *c == '-' || *c == '_' || (*c == '.' && c != text);
        if (plain)
            buf_char(out, *c);
        else
            buf_printf(out, "=%02X", (unsigned char)*c);
    }
}

static char *key_of(const struct place *place, int64_t id)
{
    auto_buf struct buf name = BUF_INIT(1024);
    auto_buf struct buf container = BUF_INIT(1024);
    char random[17];
    random_hex(random, 8);
    add_readable(&container, place->container, 128);
    add_readable(&name, place->name, KEY_PREFIX_MAX);
    return xasprintf("%s/%s/%s.%016" PRIx64 "%s", place->account, container.data, name.data,
                     (uint64_t)id, random);
}

/* ---- Into the store ---- */

static int fill(struct source *from, char *bytes, size_t n, struct call *call)
{
    for (size_t at = 0; at < n;) {
        ssize_t got = source_read(from, bytes + at, n - at, call);
        if (got <= 0)
            return -1; /* a digest_source never ends early without an error */
        at += (size_t)got;
    }
    return 0;
}

/* A store that wants hashes before the bytes gets them from memory. */
static int put_buffered(struct service *service, struct store *store, const struct object_key *key,
                        const struct put_options *options, struct source *from,
                        struct put_result *ret, struct call *call)
{
    if (budget_take(&service->buffers, options->size, call) < 0)
        return -1;
    auto_free char *bytes = malloc(options->size + 1);
    int done = -1;
    if (bytes == NULL) {
        (void)err_set(&call->err, ERR_BUSY, "no memory for a body of %" PRIu64 " bytes",
                      options->size);
    } else if (fill(from, bytes, (size_t)options->size, call) == 0) {
        struct source_bytes body;
        source_bytes_init(&body, bytes, (size_t)options->size);
        done = store_put(store, key, options, &body.source, ret, call);
    }
    budget_give(&service->buffers, options->size);
    return done;
}

static uint64_t part_size_for(const struct store *store, uint64_t size)
{
    uint64_t part = PART_SIZE;
    uint32_t parts = store->traits.parts_max != 0 ? store->traits.parts_max : 10000;
    if (part < store->traits.part_size_min)
        part = store->traits.part_size_min;
    while (part < PART_MAX && size / part >= parts)
        part *= 2;
    return part;
}

static int send_part(struct service *service, struct store *store, const struct object_key *key,
                     const char *id, uint32_t number, const struct part_options *part,
                     struct source *from, struct part_result *ret, struct call *call)
{
    if (budget_take(&service->buffers, part->size, call) < 0)
        return -1;
    auto_free char *bytes = malloc(part->size);
    int done = -1;
    if (bytes == NULL) {
        (void)err_set(&call->err, ERR_BUSY, "no memory for a part of %" PRIu64 " bytes",
                      part->size);
    } else if (fill(from, bytes, (size_t)part->size, call) == 0) {
        struct source_bytes body;
        source_bytes_init(&body, bytes, (size_t)part->size);
        done = store_upload_part(store, key, id, number, part, &body.source, ret, call);
    }
    budget_give(&service->buffers, part->size);
    return done;
}

static int send_parts(struct service *service, struct store *store, const struct object_key *key,
                      const char *id, const struct put_options *options, struct source *from,
                      struct put_result *ret, struct call *call)
{
    uint64_t part_size = part_size_for(store, options->size);
    uint32_t count = (uint32_t)((options->size + part_size - 1) / part_size);
    auto_free struct part_result *parts = xcalloc(count, sizeof(*parts));
    for (uint32_t i = 0; i < count; i++) {
        struct part_options part = {.offset = i * part_size, .size = part_size};
        if (part.offset + part.size > options->size)
            part.size = options->size - part.offset;
        if (send_part(service, store, key, id, i, &part, from, &parts[i], call) < 0)
            return -1;
    }
    return store_upload_commit(store, key, id, parts, count, options, ret, call);
}

static int put_in_parts(struct service *service, struct store *store, const struct object_key *key,
                        const struct put_options *options, struct source *from,
                        struct put_result *ret, struct call *call)
{
    auto_free char *id = NULL;
    if (store_upload_begin(store, key, options, &id, call) < 0)
        return -1;
    if (send_parts(service, store, key, id, options, from, ret, call) == 0)
        return 0;
    struct call aside = {.deadline = clock_monotonic() + SWEEP_TIME};
    if (store_upload_abort(store, key, id, &aside) < 0)
        log_line(LOG_WARNING, "an upload is left behind: %s", aside.err.text);
    return -1;
}

static int put_body(struct service *service, struct store *store, const struct object_key *key,
                    const struct put_options *options, struct source *from, struct put_result *ret,
                    struct call *call)
{
    if (!store->traits.part_needs_hash && options->size <= store->traits.put_size_max)
        return store_put(store, key, options, from, ret, call);
    if (options->size <= PART_SIZE)
        return put_buffered(service, store, key, options, from, ret, call);
    return put_in_parts(service, store, key, options, from, ret, call);
}

/* What the store says it holds is only believed when something proves it. */
struct crc_sink {
    struct sink sink;
    uint64_t crc;
};
static int crc_write(struct sink *s, const void *bytes, size_t n, struct call *call)
{
    struct crc_sink *c = container_of(s, struct crc_sink, sink);
    (void)call;
    c->crc = crc64_nvme(c->crc, bytes, n);
    return 0;
}

static int read_back(struct store *store, const struct object_key *key, uint64_t crc64,
                     struct call *call)
{
    struct crc_sink check = {.sink = {.write = crc_write}};
    struct get_options all = {.length = STORE_TO_END, .plain = true};
    if (store_get(store, key, &all, &check.sink, NULL, NULL, call) < 0) {
        (void)store_failed(&call->err);
        return err_prefix(&call->err, "read '%s' back", key->name);
    }
    if (check.crc != crc64)
        return fault_set(&call->err, FAULT_STORE_CORRUPT,
                         "the store '%s' holds other bytes than were sent", store->name);
    return 0;
}

int store_failed(struct err *e)
{
    static const bool as_they_are[ERR_CODE_COUNT] = {
        [ERR_BUSY] = true,     [ERR_TIMEOUT] = true, [ERR_NETWORK] = true, [ERR_REMOTE] = true,
        [ERR_CORRUPT] = true,  [ERR_IO] = true,      [ERR_QUOTA] = true,   [ERR_CANCELLED] = true,
        [ERR_INTERNAL] = true, [ERR_NO_SPACE] = true};
    struct err why = *e;
    if (why.fault != FAULT_NONE || as_they_are[why.code])
        return -1;
    return fault_set(e, FAULT_STORE, "%s", why.text);
}

/* ---- Intent, bytes, row ---- */

static int intent_add(struct db *db, void *argument, struct call *call)
{
    struct intent_row *intent = argument;
    int64_t now;
    if (index_now(db, &now, call) < 0)
        return -1;
    struct intent_row row = *intent;
    row.expires += now;
    return row_insert(db, &intent_table, &row, call);
}

static struct object description(const struct place *place)
{
    struct object o = OBJECT_INIT;
    pairs_add(&o.metadata, "basculeaccount", place->account);
    pairs_add(&o.metadata, "basculecontainer", place->container);
    return o;
}

static int piece_send(struct service *service, struct service_store *to, const struct place *place,
                      struct piece *p, struct digest_source *from, struct call *call)
{
    struct object_key key = {.container = p->row.container, .name = p->row.key};
    auto_object struct object described = description(place);
    /* The full name goes with the piece where the store keeps what it is given beside the bytes
     * at no cost; a directory would need a second file, and its journal says the same. */
    bool describe = !to->store->traits.holds_everything;
    struct put_options options = {.size = from->left,
                                  .lazy = true,
                                  .plain = !describe,
                                  .properties = describe ? &described : NULL};
    auto_put_result struct put_result result = PUT_RESULT_INIT;
    atomic_store(&service->dirty[to - service->stores], true);
    int sent = put_body(service, to->store, &key, &options, &from->source, &result, call);
    atomic_store(&service->dirty[to - service->stores], true);
    if (sent < 0) {
        if (!from->failed)
            return store_failed(&call->err);
        call->err = from->failure;
        return -1;
    }
    digest_final(from, &p->sums);
    p->row.crc64 = (int64_t)digest_crc64(from);
    struct err other = {0};
    if (digests_expected(&result.stored, &p->sums, &other) < 0)
        return fault_set(&call->err, FAULT_STORE_CORRUPT,
                         "the store '%s' says that it holds other bytes than were sent", to->name);
    if (result.proof == PROOF_NONE)
        return read_back(to->store, &key, digest_crc64(from), call);
    return 0;
}

int piece_write(struct service *service, const struct place *place, struct source *from,
                uint64_t size, unsigned wanted, const struct checksums *expected, struct piece *ret,
                struct call *call)
{
    auto_piece struct piece p = {.row = piece_row_new()};
    struct digest_source digests;
    digest_init(&digests, from, size, wanted | (expected != NULL ? expected->have : 0));
    int done = 0;
    if (size == 0) {
        digest_final(&digests, &p.sums);
    } else {
        struct service_store *to = &service->stores[0];
        int64_t id = index_new_id();
        p.row = (struct piece_row){.id = id,
                                   .store = xstrdup(to->name),
                                   .container = xstrdup(to->container),
                                   .key = key_of(place, id),
                                   .size = (int64_t)size};
        struct intent_row intent = {.piece = id,
                                    .store = p.row.store,
                                    .container = p.row.container,
                                    .key = p.row.key,
                                    .gateway = (char *)index_gateway(service->index),
                                    .expires = service->intent_time};
        done = index_write(service->index, INDEX_RELAXED, intent_add, &intent, call);
        if (done == 0)
            done = piece_send(service, to, place, &p, &digests, call);
    }
    if (done == 0 && expected != NULL)
        done = digests_expected(expected, &p.sums, &call->err);
    digest_release(&digests);
    if (done < 0) {
        piece_discard(service, &p);
        return -1;
    }
    *ret = p;
    p = (struct piece){.row = piece_row_new()};
    return 0;
}

int piece_commit(struct db *db, const struct piece *p, struct call *call)
{
    if (p->row.id == 0)
        return 0;
    struct db_statement *gone;
    int64_t taken;
    if (db_prepare(db, "DELETE FROM intent WHERE piece = ?1", &gone, call) < 0)
        return -1;
    db_bind_int(gone, 1, p->row.id);
    if (db_run(gone, &taken, call) < 0)
        return -1;
    if (taken != 1)
        return fault_set(&call->err, FAULT_EXPIRED, "the upload took longer than it may");
    return row_insert(db, &piece_table, &p->row, call);
}

int intent_give_up(struct db *db, int64_t piece, int64_t now, struct call *call)
{
    auto_intent_row struct intent_row intent = intent_row_new();
    intent.piece = piece;
    int found = row_lock(db, &intent_table, &intent, call);
    if (found <= 0)
        return found;
    struct garbage_row garbage = {.piece = piece,
                                  .store = intent.store,
                                  .container = intent.container,
                                  .key = intent.key,
                                  .after = now};
    return row_put(db, &garbage_table, &garbage, call) < 0 ||
                   row_delete(db, &intent_table, &intent, call) < 0
               ? -1
               : 1;
}

struct discard_task {
    int64_t piece;
    bool given_up;
};

static int discard(struct db *db, void *argument, struct call *call)
{
    struct discard_task *task = argument;
    int64_t now;
    if (index_now(db, &now, call) < 0)
        return -1;
    int given_up = intent_give_up(db, task->piece, now, call);
    task->given_up = given_up > 0;
    return given_up < 0 ? -1 : 0;
}

static int garbage_forget(struct db *db, void *argument, struct call *call)
{
    const struct discard_task *task = argument;
    struct garbage_row row = {.piece = task->piece};
    return row_delete(db, &garbage_table, &row, call);
}

/* The intent goes first: where it is gone already, a commit whose outcome nobody told us made rows
 * speak of the piece.  What fails here is found by the sweep. */
void piece_discard(struct service *service, struct piece *p)
{
    if (p->row.id == 0)
        return;
    struct call aside = {.deadline = clock_monotonic() + SWEEP_TIME};
    struct discard_task task = {.piece = p->row.id};
    struct service_store *to = service_store_of(service, p->row.store);
    struct object_key key = {.container = p->row.container, .name = p->row.key};
    if (index_write(service->index, INDEX_RELAXED, discard, &task, &aside) < 0) {
        log_line(LOG_WARNING, "an intent is left to expire: %s", aside.err.text);
        return;
    }
    if (!task.given_up || to == NULL ||
        (store_remove(to->store, &key, NULL, &aside) < 0 && aside.err.code != ERR_NOT_FOUND))
        return;
    err_clear(&aside.err);
    if (index_write(service->index, INDEX_RELAXED, garbage_forget, &task, &aside) < 0 &&
        aside.err.code != ERR_NOT_FOUND) /* a sweep was quicker */
        log_line(LOG_WARNING, "a removed piece is left to the sweep: %s", aside.err.text);
}

int extent_add(struct db *db, int64_t layout, uint64_t start, uint64_t length, int64_t piece,
               uint64_t piece_start, const char *block, struct call *call)
{
    if (piece == 0 || length == 0)
        return 0;
    struct extent_row row = {.layout = layout,
                             .start = (int64_t)start,
                             .length = (int64_t)length,
                             .piece = piece,
                             .piece_start = (int64_t)piece_start,
                             .block = (char *)block};
    return row_insert(db, &extent_table, &row, call);
}
