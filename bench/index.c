// SPDX-License-Identifier: EUPL-1.2
/*
 * What the index can do on this machine:
 *     bench/index URL [SECONDS]      (an index that may be filled: "sqlite:/tmp/x.db")
 * Prints one line for each measurement: writes and reads a second by so many threads.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/index.h"
#include "util/random.h"
#include "util/thread.h"

struct load {
    struct index *index;
    enum index_durability durability;
    bool reading;
    int64_t until;
    atomic_long done;
    int64_t objects; /* ids 1 to this are there */
};

static int write_piece(struct db *db, void *argument, struct call *call)
{
    struct piece_row row = {.id = *(const int64_t *)argument,
                            .store = (char *)"local",
                            .container = (char *)"bodies",
                            .key = (char *)"container/a-name-of-usual-length/0123456789abcdef",
                            .size = 4096};

    return row_put(db, &piece_table, &row, call);
}

/* As a GET does: the container, the object, its extents. */
static int read_object(struct db *db, void *argument, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct db_statement *s;

    if (db_prepare(db,
                   "SELECT id FROM container WHERE account = ?1 AND name = ?2"
                   " AND deleted IS NULL",
                   &s, call) < 0)
        return -1;
    db_bind_text(s, 1, "a");
    db_bind_text(s, 2, "c");
    if (db_step(s, call) < 0)
        return -1;
    db_reset(s);
    row.id = *(const int64_t *)argument;
    if (row_find(db, &object_table, &row, call) != 1)
        return -1;
    if (db_prepare(db,
                   "SELECT e.start, e.length, e.piece_start, p.store, p.container, p.key"
                   " FROM extent e JOIN piece p ON p.id = e.piece WHERE e.layout = ?1"
                   " ORDER BY e.start",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, row.layout);
    return db_run(s, NULL, call);
}

static int fill_object(struct db *db, void *argument, struct call *call)
{
    struct load *load = argument;

    for (int64_t id = 1; id <= load->objects; id++) {
        auto_object_row struct object_row row = object_row_new();
        row.id = row.layout = id;
        row.name = xasprintf("folder/object-%08lld", (long long)id);
        row.container = 1;
        row.current = 1;
        row.version = xstrdup("2026-11-22T10:00:00.1234567Z");
        row.etag = xstrdup("0x8DD0123456789AB");
        row.content_type = xstrdup("application/octet-stream");
        row.content_md5 = xstrdup("1B2M2Y8AsgTpgAmY7PhCfg==");
        row.metadata = xstrdup("[[\"owner\",\"somebody\"]]");
        struct extent_row extent = {.layout = id, .length = 4096, .piece = id};
        struct container_row container = {.id = 1, .account = (char *)"a", .name = (char *)"c"};
        if (row_put(db, &object_table, &row, call) < 0 ||
            row_put(db, &extent_table, &extent, call) < 0 || write_piece(db, &id, call) < 0 ||
            row_put(db, &container_table, &container, call) < 0)
            return -1;
    }
    return 0;
}

static int work(void *argument, struct call *call)
{
    struct load *load = argument;

    while (clock_monotonic() < load->until) {
        int64_t id =
            load->reading ? 1 + (int64_t)random_below((uint64_t)load->objects) : index_new_id();
        int result = load->reading
                         ? index_read(load->index, read_object, &id, call)
                         : index_write(load->index, load->durability, write_piece, &id, call);
        if (result < 0)
            return -1;
        atomic_fetch_add(&load->done, 1);
    }
    return 0;
}

static int measure(struct load *load, const char *name, int threads, int seconds, struct call *call)
{
    int64_t began = clock_monotonic();
    struct group g;

    load->done = 0;
    load->until = began + seconds * CLOCK_SECOND;
    group_init(&g, call);
    for (int i = 0; i < threads; i++)
        if (group_run(&g, work, load) < 0)
            break;
    if (group_wait(&g) < 0)
        return -1;
    double spent = (double)(clock_monotonic() - began) / 1e9;
    (void)printf("%-16s %3d threads %10.0f/s %8.1f us each\n", name, threads,
                 (double)load->done / spent, spent * 1e6 * threads / (double)load->done);
    return 0;
}

static int run(const char *url, int seconds, struct call *call)
{
    static const int threads[] = {1, 16, 64};
    struct load load = {.objects = 5000};

    if (index_open(url, NULL, &load.index, call) < 0 ||
        index_write(load.index, INDEX_DURABLE, fill_object, &load, call) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        load.reading = false;
        load.durability = INDEX_DURABLE;
        if (measure(&load, "write, durable", threads[i], seconds, call) < 0)
            return -1;
        load.durability = INDEX_RELAXED;
        if (measure(&load, "write, relaxed", threads[i], seconds, call) < 0)
            return -1;
        load.reading = true;
        if (measure(&load, "read", threads[i], seconds, call) < 0)
            return -1;
    }
    index_close(load.index);
    return 0;
}

int main(int argc, char **argv)
{
    struct call call = CALL_INIT;

    if (argc < 2 || argc > 3) {
        (void)fprintf(stderr, "usage: index URL [SECONDS]\n");
        return 2;
    }
    if (run(argv[1], argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3, &call) == 0)
        return 0;
    (void)fprintf(stderr, "%s\n", call.err.text);
    return 1;
}
