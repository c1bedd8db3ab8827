// SPDX-License-Identifier: EUPL-1.2
/* Opening the index, its transactions, its clock: see index.h. */
#include "index/index.h"

#include <assert.h>
#include <unistd.h>

#include "index/index_private.h"
#include "util/random.h"

#define CONNECTIONS 16
/* SQLite's page caches: pages being written stay in the writer's until the commit. */
#define WRITER_CACHE_KIB 8192
#define READER_CACHE_KIB 2048
/* Each checkpoint syncs twice; 16 MiB between them. */
#define WAL_PAGES 4000
/* Times are told in Azure's ticks. */
#define TICK 100

/* ---- Connections ---- */

struct index_connection *connection_of(struct db *db)
{
    struct index_connection *c = db_context(db);

    assert(c);
    return c;
}

const struct table_sql *table_sql_of(struct db *db, const struct table *t)
{
    struct index *index = connection_of(db)->index;
    size_t i = 0;

    while (index_tables[i] != t)
        i++;
    return &index->sql[i];
}

int connection_open(struct index *index, bool read_only, struct index_connection **ret,
                    struct call *call)
{
    struct db_options options = {
        .read_only = read_only,
        .cache_kib = read_only ? READER_CACHE_KIB : WRITER_CACHE_KIB,
        .wal_pages = WAL_PAGES,
    };
    struct db *db;

    if (db_open(index->url, &options, &db, call) < 0)
        return -1;
    struct index_connection *c = xcalloc(1, sizeof(*c));
    *c = (struct index_connection){.db = db, .index = index};
    db_set_context(db, c);
    *ret = c;
    return 0;
}

void connection_close(struct index_connection *c)
{
    if (!c)
        return;
    db_close(c->db);
    for (size_t i = 0; i < SELECTS; i++)
        free(c->selects[i].sql);
    free(c);
}

void connection_begin(struct index_connection *c, bool writing)
{
    c->now = 0;
    c->writing = writing;
    c->silent = false;
}

void connection_ended(struct index_connection *c)
{
    if (c->accounts)
        atomic_fetch_add(&c->index->account_changes, 1);
    c->accounts = false;
}

uint64_t index_account_changes(struct index *index)
{
    return atomic_load(&index->account_changes);
}

/* ---- Opening ---- */

static char *make_gateway(void)
{
    char host[200] = "";
    char random[9];

    if (gethostname(host, sizeof(host) - 1) < 0 || !*host)
        (void)memcpy(host, "gateway", 8);
    random_hex(random, 4);
    return xasprintf("%s-%ld-%s", host, (long)getpid(), random);
}

static int64_t select_number(struct db *db, const char *sql, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, sql, &s, call) < 0)
        return -1;
    int row = db_step(s, call);
    int64_t value = row > 0 ? db_column_int(s, 0) : row;
    db_reset(s);
    return value;
}

/* What a savepoint would undo is then kept in memory, page by page, rather than in a file: it is as
 * much as one write changes. */
static int keep_savepoints_in_memory(struct db *db, struct call *call)
{
    return db_exec(db, "PRAGMA temp_store = MEMORY", call);
}

/* A clock that was set back while we were away must not make times fall. */
static int find_last_time(struct index *index, struct db *db, struct call *call)
{
    int64_t newest = select_number(db, "SELECT time FROM journal ORDER BY seq DESC LIMIT 1", call);
    auto_free char *shipped = NULL;

    if (newest < 0 || index_meta_get(db, META_SHIPPED_TIME, &shipped, call) < 0)
        return -1;
    int64_t then = shipped ? strtoll(shipped, NULL, 10) : 0;
    atomic_store(&index->last_now, newest > then ? newest : then);
    return 0;
}

static int set_up(struct index *index, struct call *call)
{
    struct index_connection *c;

    if (connection_open(index, index->read_only, &c, call) < 0)
        return -1;
    index->name = xstrdup(db_name(c->db));
    index->kind = db_kind(c->db);
    int result = index_schema(c->db, call);
    if (result == 0 && index->kind == DB_SQLITE)
        result = find_last_time(index, c->db, call);
    if (result == 0 && index->kind == DB_SQLITE && !index->read_only) {
        index->writer.connection = c;
        result = keep_savepoints_in_memory(c->db, call);
        if (result == 0)
            result = writer_start(&index->writer, index, call);
        if (result == 0)
            return 0;
        index->writer.connection = NULL;
    }
    connection_close(c);
    return result;
}

/* Two gateways make ids in the same moment: the number of the opening keeps those apart. */
static int number_ids(struct db *db, void *argument, struct call *call)
{
    static const char sql[] =
        "INSERT INTO meta (key, value) VALUES ('" META_OPENINGS "', '1') ON CONFLICT (key) DO"
        " UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)";
    auto_free char *number = NULL;

    (void)argument;
    if (db_exec(db, sql, call) < 0 || index_meta_get(db, META_OPENINGS, &number, call) < 0)
        return -1;
    index_number_ids(strtoll(number, NULL, 10));
    return 0;
}

int index_open(const char *url, const struct index_options *options, struct index **ret,
               struct call *call)
{
    static const struct index_options usual = {0};

    if (!options)
        options = &usual;
    if (strcmp(url, "sqlite::memory:") == 0)
        return err_set(
            &call->err, ERR_INVALID,
            "open the index: 'sqlite::memory:' cannot be shared by threads; name a file");
    struct index *index = xcalloc(1, sizeof(*index));
    index->url = xstrdup(url);
    index->gateway = options->gateway ? xstrdup(options->gateway) : make_gateway();
    index->read_only = options->read_only;
    index->before_commit = options->before_commit;
    index->before_commit_argument = options->before_commit_argument;
    pool_init(&index->pool, options->connections ? options->connections : CONNECTIONS);
    for (size_t i = 0; i < INDEX_TABLES; i++)
        table_sql_init(&index->sql[i], index_tables[i]);
    if (set_up(index, call) < 0 ||
        (!index->read_only && index_write(index, INDEX_RELAXED, number_ids, NULL, call) < 0)) {
        index_close(index);
        return err_prefix(&call->err, "open the index");
    }
    *ret = index;
    return 0;
}

void index_close(struct index *index)
{
    if (!index)
        return;
    if (index->writer.connection) {
        writer_stop(&index->writer);
        connection_close(index->writer.connection);
    }
    pool_release(&index->pool);
    for (size_t i = 0; i < INDEX_TABLES; i++)
        table_sql_release(&index->sql[i]);
    free(index->url);
    free(index->name);
    free(index->gateway);
    free(index);
}

const char *index_gateway(const struct index *index)
{
    return index->gateway;
}

const char *index_name(const struct index *index)
{
    return index->name;
}

/* ---- Transactions ---- */

struct work {
    struct index *index;
    enum index_durability durability;
    db_function *function;
    void *argument;
};

static int run_read(struct db *db, void *argument, struct call *call)
{
    const struct work *work = argument;

    connection_begin(connection_of(db), false);
    return work->function(db, work->argument, call);
}

static int run_write(struct db *db, void *argument, struct call *call)
{
    const struct work *work = argument;
    const struct index *index = work->index;

    connection_begin(connection_of(db), true);
    if (work->function(db, work->argument, call) < 0)
        return -1;
    if (work->durability == INDEX_RELAXED || !index->before_commit)
        return 0;
    return index->before_commit(index->before_commit_argument, call);
}

/* On a connection of the pool. */
static int transact(struct work *work, enum db_mode mode, db_function *function, struct call *call)
{
    struct index *index = work->index;
    bool read_only = index->read_only || index->kind == DB_SQLITE;
    struct index_connection *c;

    if (pool_take(&index->pool, index, read_only, &c, call) < 0)
        return -1;
    int result = db_transact_mode(c->db, mode, function, work, call);
    connection_ended(c);
    pool_give(&index->pool, c);
    return result;
}

int index_read(struct index *index, db_function *function, void *argument, struct call *call)
{
    struct work work = {.index = index, .function = function, .argument = argument};

    return transact(&work, DB_VIEW, run_read, call);
}

int index_write(struct index *index, enum index_durability durability, db_function *function,
                void *argument, struct call *call)
{
    struct work work = {
        .index = index, .durability = durability, .function = function, .argument = argument};

    if (index->read_only)
        return err_set(&call->err, ERR_READ_ONLY, "%s was opened for reading only", index->name);
    if (index->kind == DB_SQLITE)
        return writer_run(&index->writer, durability, function, argument, call);
    return transact(&work, durability == INDEX_DURABLE ? DB_WRITE : DB_WRITE_RELAXED, run_write,
                    call);
}

int index_view(struct index *index, db_function *function, void *argument, struct call *call)
{
    struct work work = {.index = index, .function = function, .argument = argument};
    struct index_connection *c;

    if (connection_open(index, true, &c, call) < 0)
        return -1;
    int result = db_transact_mode(c->db, DB_VIEW, run_read, &work, call);
    connection_close(c);
    return result;
}

/* ---- The clock ---- */

void index_times_after(struct index *index, int64_t time)
{
    if (time > atomic_load(&index->last_now))
        atomic_store(&index->last_now, time);
}

/* While writes run, only the writer's thread sets last_now. */
static int64_t local_now(struct index *index, bool writing)
{
    int64_t now = clock_wall() / TICK * TICK;
    int64_t last = atomic_load(&index->last_now);

    if (!writing)
        return now > last ? now : last;
    if (now <= last)
        now = last + TICK;
    atomic_store(&index->last_now, now);
    return now;
}

int index_now(struct db *db, int64_t *ret, struct call *call)
{
    struct index_connection *c = connection_of(db);
    int64_t now;

    if (c->now == 0) {
        if (c->index->kind == DB_SQLITE)
            now = local_now(c->index, c->writing);
        else if (db_clock(db, &now, call) < 0)
            return -1;
        c->now = now;
    }
    *ret = c->now;
    return 0;
}

/* ---- Values kept for all gateways ---- */

int index_meta_get(struct db *db, const char *key, char **ret, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, "SELECT value FROM meta WHERE key = ?1", &s, call) < 0)
        return -1;
    db_bind_text(s, 1, key);
    int row = db_step(s, call);
    if (row >= 0)
        *ret = row > 0 ? xstrdup(db_column_text(s, 0)) : NULL;
    db_reset(s);
    return row < 0 ? -1 : 0;
}

int index_meta_set(struct db *db, const char *key, const char *value, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db,
                   value ? "INSERT INTO meta (key, value) VALUES (?1, ?2)"
                           " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
                         : "DELETE FROM meta WHERE key = ?1",
                   &s, call) < 0)
        return -1;
    db_bind_text(s, 1, key);
    if (value)
        db_bind_text(s, 2, value);
    return db_run(s, NULL, call);
}
