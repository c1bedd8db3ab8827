// SPDX-License-Identifier: EUPL-1.2
/*
 * From snapshot and journal to an index again: see journal.h.
 *
 * The batches that count form a chain: each names the token of the one before.  A gateway that
 * died after it wrote a batch and before it could say so leaves one beside the chain, whose lines
 * the next gateway shipped again; so the chain is followed backwards, from the highest number.
 */
#include <stdio.h>

#include "codec/date.h"
#include "codec/json.h"
#include "index/journal_private.h"
#include "util/log.h"

struct found_batch {
    struct batch_name name;
    const struct journal_place *place;
    bool continues; /* the one before it in the chain is the one it names */
};

struct found_snapshot {
    struct position at;
    const struct journal_place *place;
};

struct rebuild {
    struct index *index;
    struct found_batch *batches; /* of all places, by their last number */
    size_t batch_count;
    size_t batch_size;
    struct found_snapshot *snapshots;
    size_t snapshot_count;
    size_t snapshot_size;
    struct found_batch **chain; /* the last first */
    size_t chain_count;
    struct position at; /* what is in the index now */
    int64_t last_seen;  /* the highest number anywhere */
    struct rebuild_report report;
};

static void rebuild_release(struct rebuild *r)
{
    free(take(r->batches));
    free(take(r->snapshots));
    free((void *)take(r->chain));
    rebuild_report_release(&r->report);
}

void rebuild_report_release(struct rebuild_report *r)
{
    free(take(r->first_gap));
}

/* ---- What is there ---- */

static int note_file(void *argument, const struct journal_place *place, const char *name,
                     struct call *call)
{
    struct rebuild *r = argument;
    struct batch_name batch;
    struct position snapshot;
    const char *rest;

    (void)call;
    if (batch_name_read(name, &batch)) {
        if (r->batch_count == r->batch_size) {
            r->batch_size = r->batch_size ? 2 * r->batch_size : 64;
            r->batches = xrealloc(r->batches, r->batch_size, sizeof(*r->batches));
        }
        r->batches[r->batch_count++] = (struct found_batch){.name = batch, .place = place};
    } else if (snapshot_name_read(name, &snapshot, &rest) && strcmp(rest, "complete.json") == 0) {
        if (r->snapshot_count == r->snapshot_size) {
            r->snapshot_size = r->snapshot_size ? 2 * r->snapshot_size : 8;
            r->snapshots = xrealloc(r->snapshots, r->snapshot_size, sizeof(*r->snapshots));
        }
        r->snapshots[r->snapshot_count++] = (struct found_snapshot){snapshot, place};
    }
    return 0;
}

/* By last number; the same batch's copies side by side, that with the keys first. */
static int by_last(const void *left, const void *right)
{
    const struct found_batch *a = left;
    const struct found_batch *b = right;

    if (a->name.last != b->name.last)
        return a->name.last < b->name.last ? -1 : 1;
    int tokens = strcmp(a->name.token, b->name.token);
    return tokens != 0 ? tokens : (int)b->place->secrets - (int)a->place->secrets;
}

/* The newest first; of one moment, that with the keys first. */
static int by_age(const void *left, const void *right)
{
    const struct found_snapshot *a = left;
    const struct found_snapshot *b = right;

    if (a->at.last != b->at.last)
        return a->at.last > b->at.last ? -1 : 1;
    return (int)b->place->secrets - (int)a->place->secrets;
}

static int look_around(struct rebuild *r, const struct journal_place *places, size_t count,
                       struct call *call)
{
    for (size_t i = 0; i < count; i++)
        if (place_list(&places[i], "snapshot/", note_file, r, call) < 0 ||
            place_list(&places[i], "journal/", note_file, r, call) < 0)
            return -1;
    if (r->batch_count + r->snapshot_count == 0)
        return err_set(&call->err, ERR_NOT_FOUND,
                       "rebuild the index: no place holds a snapshot or a journal");
    if (r->batch_count > 0)
        qsort(r->batches, r->batch_count, sizeof(*r->batches), by_last);
    if (r->snapshot_count > 0)
        qsort(r->snapshots, r->snapshot_count, sizeof(*r->snapshots), by_age);
    r->last_seen = r->batch_count > 0 ? r->batches[r->batch_count - 1].name.last : 0;
    if (r->snapshot_count > 0 && r->snapshots[0].at.last > r->last_seen)
        r->last_seen = r->snapshots[0].at.last;
    return 0;
}

/* What cannot be had here may be had elsewhere; a network that fails is another matter. */
static bool is_lost(enum err_code code)
{
    return code == ERR_CORRUPT || code == ERR_NOT_FOUND || code == ERR_INVALID || code == ERR_RANGE;
}

/* ---- Snapshots ---- */

static int get_file(const struct journal_place *place, const char *name, struct buf *ret,
                    struct call *call)
{
    buf_reset(ret);
    return place_get(place, name, ret, call);
}

static int check_hash(const char *bytes, size_t length, const char *expected, const char *name,
                      struct call *call)
{
    char hex[HASH_HEX_SIZE];

    hash_hex(HASH_SHA256, bytes, length, hex);
    if (expected && strcmp(hex, expected) == 0)
        return 0;
    return err_set(&call->err, ERR_CORRUPT, "'%s' is not what was written", name);
}

static int apply_part(struct rebuild *r, const struct found_snapshot *from, const json_t *part,
                      struct buf *file, struct call *call)
{
    const char *name = json_text(part, "name");
    char full[NAME_SIZE];
    struct applied applied;
    int64_t rows = -1;

    if (!name || strlen(name) > 60 || !json_number(part, "rows", &rows))
        return err_set(&call->err, ERR_CORRUPT, "complete.json of a snapshot is damaged");
    snapshot_name_write(full, &from->at, name);
    if (get_file(from->place, full, file, call) < 0 ||
        check_hash(file->data, file->length, json_text(part, "sha256"), full, call) < 0 ||
        lines_apply(r->index, file->data, file->length, &applied, call) < 0)
        return -1;
    if (applied.rows != (uint64_t)rows)
        return err_set(&call->err, ERR_CORRUPT, "'%s' has not the rows it should", full);
    r->report.snapshot_rows += applied.rows;
    return 0;
}

static int apply_snapshot(struct rebuild *r, const struct found_snapshot *from, struct call *call)
{
    auto_buf struct buf file = BUF_INIT(FILE_MOST);
    auto_json json_t *complete = NULL;
    char name[NAME_SIZE];

    r->report.snapshot_rows = 0;
    snapshot_name_write(name, &from->at, "complete.json");
    if (get_file(from->place, name, &file, call) < 0 ||
        json_parse(file.data, file.length, &complete, &call->err) < 0)
        return -1;
    const json_t *parts = json_object_get(complete, "parts");
    if (!json_is_array(parts))
        return err_set(&call->err, ERR_CORRUPT, "'%s' names no parts", name);
    for (size_t i = 0; i < json_array_size(parts); i++)
        if (apply_part(r, from, json_array_get(parts, i), &file, call) < 0)
            return -1;
    (void)json_number(complete, "time", &r->report.last_time);
    return 0;
}

/* The newest that is whole. */
static int apply_newest(struct rebuild *r, struct call *call)
{
    r->report.snapshot = -1;
    for (size_t i = 0; i < r->snapshot_count; i++) {
        const struct found_snapshot *from = &r->snapshots[i];
        if (apply_snapshot(r, from, call) == 0) {
            r->at = from->at;
            r->report.snapshot = from->at.last;
            return 0;
        }
        if (!is_lost(call->err.code))
            return -1;
        log_line(LOG_WARNING, "snapshot %lld of the index in '%s' is left out: %s",
                 (long long)from->at.last, from->place->store->name, call->err.text);
        err_clear(&call->err);
        r->report.snapshot_rows = 0;
        if (index_clear(r->index, call) < 0)
            return -1;
    }
    return 0;
}

/* ---- The chain ---- */

/* How many batches end at or below a number. */
static size_t count_to(const struct rebuild *r, int64_t last)
{
    size_t low = 0;
    size_t high = r->batch_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (r->batches[middle].name.last <= last)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The batch that comes before: the one it names, or else the nearest. */
static struct found_batch *before(const struct rebuild *r, struct found_batch *b)
{
    size_t at = count_to(r, b->name.first - 1);
    struct found_batch *nearest = NULL;

    for (; at > 0; at--) {
        struct found_batch *other = &r->batches[at - 1];
        if (other->name.last <= r->at.last)
            break;
        /* Of copies in several places the first is meant. */
        if (nearest && other->name.last != nearest->name.last)
            break;
        if (!nearest || strcmp(nearest->name.token, other->name.token) == 0)
            nearest = other;
        if (strcmp(other->name.token, b->name.previous) == 0) {
            nearest = other;
            b->continues = true;
        }
    }
    return nearest;
}

static void find_chain(struct rebuild *r)
{
    if (r->batch_count == 0)
        return;
    r->chain = xcalloc(r->batch_count, sizeof(*r->chain));
    struct found_batch *b = &r->batches[r->batch_count - 1];
    while (b > r->batches && strcmp(b[-1].name.token, b->name.token) == 0)
        b--;
    if (b->name.last <= r->at.last)
        return;
    for (; b; b = before(r, b))
        r->chain[r->chain_count++] = b;
    b = r->chain[r->chain_count - 1];
    b->continues = strcmp(b->name.previous, r->at.token) == 0 || r->at.last == 0;
}

/* ---- Batches ---- */

struct batch_file {
    struct buf file;
    const char *body;
    size_t length;
    bool whole;
};

static int read_copy(const struct found_batch *b, struct batch_file *ret, struct call *call)
{
    auto_json json_t *head = NULL;
    char name[NAME_SIZE];
    int64_t first = 0;
    int64_t last = 0;

    batch_name_write(name, &b->name);
    if (get_file(b->place, name, &ret->file, call) < 0)
        return -1;
    const char *at = ret->file.data;
    const char *end = at + ret->file.length;
    size_t length;
    const char *line = line_next(&at, end, &length);
    if (!line || json_parse(line, length, &head, &call->err) < 0)
        return err_set(&call->err, ERR_CORRUPT, "'%s' does not begin as a journal", name);
    (void)json_number(head, "first", &first);
    (void)json_number(head, "last", &last);
    if (first != b->name.first || last != b->name.last)
        return err_set(&call->err, ERR_CORRUPT, "'%s' holds other lines than its name says", name);
    ret->body = at;
    ret->length = (size_t)(end - at);
    ret->whole = json_bool(head, "whole", false);
    return check_hash(at, ret->length, json_text(head, "sha256"), name, call);
}

/* 1 read from one of its places, 0 lost in all of them, -1. */
static int read_batch(const struct rebuild *r, const struct found_batch *b, struct batch_file *ret,
                      struct call *call)
{
    for (const struct found_batch *copy = b; copy < r->batches + r->batch_count; copy++) {
        if (strcmp(copy->name.token, b->name.token) != 0)
            break;
        if (read_copy(copy, ret, call) == 0)
            return 1;
        if (!is_lost(call->err.code))
            return -1;
        log_line(LOG_WARNING, "a batch of the index's journal in '%s' is left out: %s",
                 copy->place->store->name, call->err.text);
        err_clear(&call->err);
    }
    return 0;
}

static void note_gap(struct rebuild *r, int64_t first, int64_t last)
{
    char time[DATE_TEXT];

    if (first > last)
        return;
    r->report.gaps += (uint64_t)(last - first + 1);
    if (r->report.first_gap)
        return;
    date_iso8601(time, sizeof(time), r->report.last_time, 3);
    r->report.first_gap = xasprintf("numbers %lld to %lld are missing, after %s", (long long)first,
                                    (long long)last, r->report.last_time ? time : "the beginning");
}

static int apply_batch(struct rebuild *r, const struct batch_file *file, struct call *call)
{
    struct applied applied;

    if (lines_apply(r->index, file->body, file->length, &applied, call) < 0)
        return -1;
    r->report.journal_lines += applied.lines;
    if (applied.last_time > r->report.last_time)
        r->report.last_time = applied.last_time;
    return 0;
}

/* A batch that ends inside a transaction waits for the one that ends it: so many do, the newest of
 * them at from. */
static int apply_pending(struct rebuild *r, size_t from, size_t pending, struct batch_file *file,
                         struct call *call)
{
    for (size_t i = from + pending; i-- > from;) {
        int got = read_batch(r, r->chain[i], file, call);
        if (got < 0 || (got > 0 && apply_batch(r, file, call) < 0))
            return -1;
    }
    return 0;
}

static uint64_t lines_of(const struct rebuild *r, size_t from, size_t pending)
{
    uint64_t lines = 0;

    for (size_t i = from; i < from + pending; i++)
        lines += (uint64_t)(r->chain[i]->name.last - r->chain[i]->name.first + 1);
    return lines;
}

static int apply_chain(struct rebuild *r, struct batch_file *file, struct call *call)
{
    int64_t next = r->at.last + 1;
    size_t pending = 0;

    for (size_t at = r->chain_count; at-- > 0;) {
        const struct found_batch *b = r->chain[at];
        int got = read_batch(r, b, file, call);
        if (got < 0)
            return -1;
        /* Another history begins here: what the old one left unfinished was never acknowledged. */
        if (!b->continues && b->name.first == next) {
            r->report.unfinished += lines_of(r, at + 1, pending);
            pending = 0;
        }
        note_gap(r, next, got ? b->name.first - 1 : b->name.last);
        next = b->name.last + 1;
        if (got == 0) {
            if (apply_pending(r, at + 1, pending, file, call) < 0)
                return -1;
            pending = 0;
        } else if (!file->whole) {
            pending++;
        } else {
            if (pending > 0 && (apply_pending(r, at + 1, pending, file, call) < 0 ||
                                read_batch(r, b, file, call) < 1))
                return -1;
            pending = 0;
            if (apply_batch(r, file, call) < 0)
                return -1;
        }
    }
    r->report.unfinished += lines_of(r, 0, pending);
    return 0;
}

/* ---- Together ---- */

static int count_secrets(struct db *db, void *argument, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db,
                   "SELECT (SELECT COUNT(*) FROM account WHERE key1 IS NULL AND key2 IS NULL) +"
                   " (SELECT COUNT(*) FROM credential WHERE secret_key IS NULL)",
                   &s, call) < 0)
        return -1;
    int row = db_step(s, call);
    if (row > 0)
        *(uint64_t *)argument = (uint64_t)db_column_int(s, 0);
    db_reset(s);
    return row < 0 ? -1 : 0;
}

static int run(struct rebuild *r, const struct journal_place *places, size_t count,
               struct call *call)
{
    struct batch_file file = {.whole = false};

    if (index_must_be_empty(r->index, "rebuild", call) < 0 ||
        look_around(r, places, count, call) < 0 || apply_newest(r, call) < 0)
        return -1;
    find_chain(r);
    buf_init(&file.file, FILE_MOST);
    int result = apply_chain(r, &file, call);
    buf_release(&file.file);
    if (result < 0 || tags_rebuild(r->index, call) < 0 ||
        index_continue(r->index, r->last_seen, r->report.last_time, call) < 0)
        return -1;
    return index_read(r->index, count_secrets, &r->report.secrets_missing, call);
}

int index_rebuild(struct index *index, const struct journal_place *places, size_t count,
                  struct rebuild_report *ret, struct call *call)
{
    cleanup(rebuild_release) struct rebuild r = {.index = index};

    if (run(&r, places, count, call) < 0)
        return err_prefix(&call->err, "rebuild the index");
    *ret = r.report;
    r.report.first_gap = NULL;
    return 0;
}
