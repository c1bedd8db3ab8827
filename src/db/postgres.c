// SPDX-License-Identifier: EUPL-1.2
/* The shared back end of db.h: statements on PostgreSQL through libpq, in its binary format. */
#include "db/postgres.h"

#include <assert.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"

#define PARAMETERS_MAX 200
/* Statements on their way before the answers are read. */
#define QUEUE_MAX 256
/* How long dropping a statement may take. */
#define FORGET_WAIT (5 * CLOCK_SECOND)

/* Types by their object ids, which PostgreSQL never changes. */
enum {
    TYPE_ANY = 0,
    TYPE_BOOL = 16,
    TYPE_BYTES = 17,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25
};

struct parameter {
    char *bytes; /* owned, grows */
    size_t size;
    int length;
    Oid type;
    bool present; /* not NULL */
};

struct postgres_statement {
    struct db_statement statement;
    char *sql; /* translated */
    char name[32];
    uint64_t epoch; /* of the connection it is prepared on; 0: on none */
    int count;      /* highest parameter bound */
    struct parameter parameters[PARAMETERS_MAX];
    PGresult *result;
    int row;
    int64_t affected;
};

static struct postgres_statement *of_statement(struct db_statement *s)
{
    return container_of(s, struct postgres_statement, statement);
}

static int postgres_prepare(struct db *db, const char *sql, struct db_statement **ret,
                            struct call *call)
{
    struct postgres_statement *s = xcalloc(1, sizeof(*s));

    /* Sent to the server at the first run, when the types of the parameters are known. */
    (void)call;
    s->sql = translate_for_postgres(sql);
    (void)snprintf(s->name, sizeof(s->name), "s%llu", (unsigned long long)++db->tick);
    *ret = &s->statement;
    return 0;
}

static void postgres_finalize(struct db_statement *statement)
{
    struct postgres_statement *s = of_statement(statement);
    struct postgres *p = postgres_of(statement->db);

    if (!p->db.closing && p->connection && s->epoch == p->epoch && p->queued == 0) {
        struct call call = {.deadline = clock_monotonic() + FORGET_WAIT};
        auto_free char *sql = xasprintf("DEALLOCATE %s", s->name);
        if (postgres_exec(statement->db, sql, &call) < 0)
            s->epoch = 0; /* it stays on the server until the connection ends */
    }
    for (size_t i = 0; i < PARAMETERS_MAX; i++)
        free(s->parameters[i].bytes);
    PQclear(s->result);
    free(s->sql);
    free(s);
}

/* ---- Binding ---- */

static void bind_bytes(struct db_statement *statement, int number, Oid type, const void *bytes,
                       size_t n)
{
    struct postgres_statement *s = of_statement(statement);

    assert(number >= 1 && number <= PARAMETERS_MAX && n <= INT32_MAX);
    struct parameter *p = &s->parameters[number - 1];
    if (p->size < n + 1) {
        p->bytes = xrealloc(p->bytes, n + 1, 1);
        p->size = n + 1;
    }
    memcpy(p->bytes, bytes, n);
    p->length = (int)n;
    p->type = type;
    p->present = true;
    if (s->count < number)
        s->count = number;
}

static void postgres_bind_int(struct db_statement *s, int number, int64_t value)
{
    uint64_t big = htobe64((uint64_t)value);

    bind_bytes(s, number, TYPE_INT8, &big, sizeof(big));
}

static void postgres_bind_text(struct db_statement *s, int number, const char *text, size_t n)
{
    bind_bytes(s, number, TYPE_TEXT, text, n);
}

static void postgres_bind_blob(struct db_statement *s, int number, const void *bytes, size_t n)
{
    bind_bytes(s, number, TYPE_BYTES, bytes, n);
}

static void postgres_bind_null(struct db_statement *s, int number)
{
    bind_bytes(s, number, TYPE_ANY, "", 0);
    of_statement(s)->parameters[number - 1].present = false;
}

/* ---- Running ---- */

/* Whether the text has $number. */
static bool speaks_of(const char *sql, int number)
{
    char word[16];
    size_t n = (size_t)snprintf(word, sizeof(word), "$%d", number);

    for (const char *at = sql; (at = strstr(at, word)); at += n)
        if (at[n] < '0' || at[n] > '9')
            return true;
    return false;
}

/* Have the server parse it, with the types of the parameters as bound now.  It must be told one for
 * numbers that were left out, too. */
static int ensure_prepared(struct postgres_statement *s, struct call *call)
{
    struct postgres *p = postgres_of(s->statement.db);
    Oid types[PARAMETERS_MAX];
    PGresult *result;

    if (postgres_usable(p, call) < 0)
        return -1;
    if (s->epoch == p->epoch)
        return 0;
    if (postgres_flush(&p->db, call) < 0)
        return -1;
    for (int i = 0; i < s->count; i++)
        types[i] = speaks_of(s->sql, i + 1) ? s->parameters[i].type : TYPE_TEXT;
    if (!PQsendPrepare(p->connection, s->name, s->sql, s->count, types))
        return postgres_fail(p, NULL, call);
    if (postgres_result(p, &result, call) < 0)
        return -1;
    PQclear(result);
    s->epoch = p->epoch;
    return 0;
}

static int send_statement(struct postgres_statement *s, struct call *call)
{
    struct postgres *p = postgres_of(s->statement.db);
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX];
    int formats[PARAMETERS_MAX];

    for (int i = 0; i < s->count; i++) {
        values[i] = s->parameters[i].present ? s->parameters[i].bytes : NULL;
        lengths[i] = s->parameters[i].length;
        formats[i] = 1;
    }
    if (!PQsendQueryPrepared(p->connection, s->name, s->count, values, lengths, formats, 1))
        return postgres_fail(p, NULL, call);
    return 0;
}

static int postgres_step(struct db_statement *statement, struct call *call)
{
    struct postgres_statement *s = of_statement(statement);

    if (!s->result) {
        if (ensure_prepared(s, call) < 0 || send_statement(s, call) < 0 ||
            postgres_result(postgres_of(statement->db), &s->result, call) < 0)
            return -1;
        s->row = -1;
        s->affected = postgres_affected_rows(s->result);
    }
    if (++s->row < PQntuples(s->result))
        return 1;
    PQclear(take(s->result));
    return 0;
}

static int64_t postgres_affected(struct db_statement *s)
{
    return of_statement(s)->affected;
}

static int postgres_queue(struct db_statement *statement, struct call *call)
{
    struct postgres_statement *s = of_statement(statement);
    struct postgres *p = postgres_of(statement->db);

    if (p->queued >= QUEUE_MAX && postgres_flush(statement->db, call) < 0)
        return -1;
    if (ensure_prepared(s, call) < 0)
        return -1;
    if (p->queued == 0 && !PQenterPipelineMode(p->connection))
        return postgres_fail(p, NULL, call);
    p->queued++;
    return send_statement(s, call);
}

static void postgres_reset(struct db_statement *statement)
{
    struct postgres_statement *s = of_statement(statement);

    PQclear(take(s->result));
    for (int i = 0; i < s->count; i++) {
        s->parameters[i].present = false;
        s->parameters[i].type = TYPE_ANY;
    }
}

/* ---- Columns ---- */

static bool postgres_column_is_null(struct db_statement *s, int column)
{
    struct postgres_statement *p = of_statement(s);

    assert(column < PQnfields(p->result));
    return PQgetisnull(p->result, p->row, column);
}

static int64_t postgres_column_int(struct db_statement *statement, int column)
{
    struct postgres_statement *s = of_statement(statement);
    const char *bytes = PQgetvalue(s->result, s->row, column);
    uint64_t big;
    uint32_t middle;
    uint16_t small;

    switch (PQftype(s->result, column)) {
    case TYPE_INT8:
        memcpy(&big, bytes, sizeof(big));
        return (int64_t)be64toh(big);
    case TYPE_INT4:
        memcpy(&middle, bytes, sizeof(middle));
        return (int32_t)be32toh(middle);
    case TYPE_INT2:
        memcpy(&small, bytes, sizeof(small));
        return (int16_t)be16toh(small);
    default:
        assert(PQftype(s->result, column) == TYPE_BOOL);
        return bytes[0];
    }
}

static const char *postgres_column_text(struct db_statement *statement, int column)
{
    struct postgres_statement *s = of_statement(statement);

    assert(PQftype(s->result, column) == TYPE_TEXT);
    return PQgetvalue(s->result, s->row, column);
}

static const void *postgres_column_blob(struct db_statement *statement, int column, size_t *ret_n)
{
    struct postgres_statement *s = of_statement(statement);

    assert(PQftype(s->result, column) == TYPE_BYTES);
    *ret_n = (size_t)PQgetlength(s->result, s->row, column);
    return PQgetvalue(s->result, s->row, column);
}

/* ---- The rest of the table ---- */

static int postgres_clock(struct db *db, int64_t *ret, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db, "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS INTEGER)",
                   &s, call) < 0)
        return -1;
    int row = db_step(s, call);
    if (row > 0)
        *ret = db_column_int(s, 0) * 1000;
    db_reset(s);
    return row > 0 ? 0 : -1;
}

static int postgres_lock_schema(struct db *db, struct call *call)
{
    /* One number for all of bascule's schemas: "bascule" in ASCII. */
    return postgres_exec(db, "SELECT pg_advisory_xact_lock(27691695935417445)", call);
}

static void postgres_close(struct db *db)
{
    struct postgres *p = postgres_of(db);

    PQfinish(p->connection);
    free(p->url);
    free(p);
}

static const struct db_ops postgres_ops = {
    .kind = DB_POSTGRES,
    .close = postgres_close,
    .clock = postgres_clock,
    .exec = postgres_exec,
    .lock_schema = postgres_lock_schema,
    .connect = postgres_connect,
    .begin = postgres_begin,
    .commit = postgres_commit,
    .rollback = postgres_rollback,
    .prepare = postgres_prepare,
    .finalize = postgres_finalize,
    .bind_int = postgres_bind_int,
    .bind_text = postgres_bind_text,
    .bind_blob = postgres_bind_blob,
    .bind_null = postgres_bind_null,
    .step = postgres_step,
    .affected = postgres_affected,
    .queue = postgres_queue,
    .flush = postgres_flush,
    .reset = postgres_reset,
    .column_is_null = postgres_column_is_null,
    .column_int = postgres_column_int,
    .column_text = postgres_column_text,
    .column_blob = postgres_column_blob,
};

/* "postgres://user:secret@host:5432/name?..." without user, password and parameters. */
static char *name_without_secret(const char *url)
{
    const char *rest = strstr(url, "://") + 3;
    size_t authority = strcspn(rest, "/?");
    const char *at = memrchr(rest, '@', authority);

    if (at)
        rest = at + 1;
    return xasprintf("postgres://%.*s", (int)strcspn(rest, "?"), rest);
}

int postgres_open(const char *url, const struct db_options *options, struct db **ret,
                  struct call *call)
{
    struct postgres *p = xcalloc(1, sizeof(*p));
    cleanup(db_close_p) struct db *db = &p->db;

    p->db.ops = &postgres_ops;
    p->db.options = *options;
    p->db.name = name_without_secret(url);
    p->url = xstrdup(url);
    if (postgres_connect(db, call) < 0)
        return -1;
    *ret = take(db);
    return 0;
}
