// SPDX-License-Identifier: EUPL-1.2
/* PostgreSQL's connection: opening, waiting, errors, transactions, the pipeline. */
#include <poll.h>
#include <string.h>

#include "db/postgres.h"
#include "util/clock.h"

/* How soon a waiting call notices a cancellation. */
#define SLICE_MS 20
/* How long a connection may take where the call has no deadline. */
#define CONNECT_WAIT (15 * CLOCK_SECOND)
/* How long the server may take to obey a cancellation before the connection is dropped. */
#define CANCEL_WAIT (3 * CLOCK_SECOND)

static const struct {
    const char *state; /* SQLSTATE, or its first letters; the first that fits counts */
    enum err_code code;
    enum db_failure failure;
} codes[] = {
    {"23505", ERR_EXISTS, DB_FAILURE_FINAL},    {"23", ERR_CONFLICT, DB_FAILURE_FINAL},
    {"40001", ERR_BUSY, DB_FAILURE_BUSY},       {"40P01", ERR_BUSY, DB_FAILURE_BUSY},
    {"55P03", ERR_BUSY, DB_FAILURE_BUSY},       {"53100", ERR_NO_SPACE, DB_FAILURE_FINAL},
    {"53", ERR_BUSY, DB_FAILURE_FINAL},         {"25006", ERR_READ_ONLY, DB_FAILURE_FINAL},
    {"XX001", ERR_CORRUPT, DB_FAILURE_FINAL},   {"XX002", ERR_CORRUPT, DB_FAILURE_FINAL},
    {"08", ERR_NETWORK, DB_FAILURE_LOST},       {"57P", ERR_NETWORK, DB_FAILURE_LOST},
    {"57014", ERR_TIMEOUT, DB_FAILURE_FINAL},   {"28", ERR_UNKNOWN_WHO, DB_FAILURE_FINAL},
    {"42501", ERR_DENIED, DB_FAILURE_FINAL},    {"3D000", ERR_NOT_FOUND, DB_FAILURE_FINAL},
    {"42P01", ERR_NOT_FOUND, DB_FAILURE_FINAL}, {"58", ERR_IO, DB_FAILURE_FINAL},
    {"22", ERR_INVALID, DB_FAILURE_FINAL},
};

/* libpq ends its messages with a line feed, and puts several lines into one. */
static int fail_with(struct postgres *p, enum err_code code, const char *message, struct call *call)
{
    char line[600];
    size_t n = 0;

    for (; *message && n < sizeof(line) - 1; message++)
        line[n++] = *message == '\n' || *message == '\t' ? ' ' : *message;
    while (n > 0 && line[n - 1] == ' ')
        n--;
    line[n] = '\0';
    return err_set(&call->err, code, "%s: %s", p->db.name, n ? line : "no answer");
}

int postgres_fail(struct postgres *p, PGresult *result, struct call *call)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    enum err_code code = ERR_INTERNAL;

    p->db.failure = DB_FAILURE_FINAL;
    for (size_t i = 0; state && i < ARRAY_SIZE(codes); i++) {
        if (strncmp(state, codes[i].state, strlen(codes[i].state)) == 0) {
            code = codes[i].code;
            p->db.failure = codes[i].failure;
            break;
        }
    }
    if (PQstatus(p->connection) == CONNECTION_BAD) {
        code = ERR_NETWORK;
        p->db.failure = DB_FAILURE_LOST;
    }
    (void)fail_with(p, code, message ? message : PQerrorMessage(p->connection), call);
    PQclear(result);
    return -1;
}

/* ---- Opening ---- */

static void be_quiet(void *unused, const PGresult *result)
{
    (void)unused;
    (void)result;
}

/* Login and "no such database" arrive as text only. */
static enum err_code connect_code(const char *message)
{
    static const struct {
        const char *part;
        enum err_code code;
    } parts[] = {
        {"could not translate host name", ERR_NETWORK}, /* which may be called "invalid" */
        {"authentication failed", ERR_UNKNOWN_WHO},
        {"no password supplied", ERR_UNKNOWN_WHO},
        {"no pg_hba.conf entry", ERR_UNKNOWN_WHO},
        {"role \"", ERR_UNKNOWN_WHO},
        {"database \"", ERR_NOT_FOUND},
        {"certificate", ERR_TLS},
        {"SSL", ERR_TLS},
        {"too many clients", ERR_BUSY},
        {"starting up", ERR_BUSY},
        {"shutting down", ERR_BUSY},
        {"invalid", ERR_INVALID},
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (strstr(message, parts[i].part))
            return parts[i].code;
    return ERR_NETWORK;
}

static int wait_connected(struct postgres *p, struct call *call)
{
    struct call limited = call_child(call, NULL);
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    if (!limited.deadline)
        limited.deadline = clock_monotonic() + CONNECT_WAIT;
    while (status == PGRES_POLLING_READING || status == PGRES_POLLING_WRITING) {
        struct pollfd wait = {
            .fd = PQsocket(p->connection),
            .events = status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
        };
        if (call_check(&limited) < 0) {
            call->err = limited.err;
            return err_prefix(&call->err, "connect to %s", p->db.name);
        }
        if (poll(&wait, 1, SLICE_MS) > 0)
            status = PQconnectPoll(p->connection);
    }
    if (status == PGRES_POLLING_OK)
        return 0;
    const char *message = PQerrorMessage(p->connection);
    return fail_with(p, connect_code(message), message, call);
}

static int exec_here(struct postgres *p, const char *sql, struct call *call);

static int set_session(struct postgres *p, struct call *call)
{
    auto_free char *sql = xasprintf("SET synchronous_commit = %s;"
                                    "SET default_transaction_read_only = %s",
                                    p->db.options.durability == DB_RELAXED ? "off" : "on",
                                    p->db.options.read_only ? "on" : "off");

    return exec_here(p, sql, call);
}

int postgres_connect(struct db *db, struct call *call)
{
    struct postgres *p = postgres_of(db);
    static const char *const keys[] = {"dbname", "client_encoding", "fallback_application_name",
                                       NULL};
    const char *const values[] = {p->url, "UTF8", "bascule", NULL};

    if (p->connection && PQstatus(p->connection) == CONNECTION_OK)
        return 0;
    PQfinish(take(p->connection));
    p->queued = 0;
    p->epoch++;
    p->connection = PQconnectStartParams(keys, values, 1);
    if (!p->connection)
        abort(); /* no memory */
    PQsetNoticeReceiver(p->connection, be_quiet, NULL);
    if (PQstatus(p->connection) == CONNECTION_BAD) {
        const char *message = PQerrorMessage(p->connection);
        return fail_with(p, connect_code(message), message, call);
    }
    if (wait_connected(p, call) < 0 || set_session(p, call) < 0)
        return -1;
    return 0;
}

int postgres_usable(struct postgres *p, struct call *call)
{
    if (!p->db.in_transaction)
        return postgres_connect(&p->db, call);
    if (p->connection && PQstatus(p->connection) == CONNECTION_OK)
        return 0;
    p->db.failure = DB_FAILURE_LOST;
    return err_set(&call->err, ERR_NETWORK, "%s: the connection was lost", p->db.name);
}

/* ---- Waiting ---- */

/* 0 when PQgetResult() would not block. */
static int wait_ready(struct postgres *p, struct call *call)
{
    while (PQisBusy(p->connection)) {
        struct pollfd wait = {.fd = PQsocket(p->connection), .events = POLLIN};

        if (call_check(call) < 0)
            return -1;
        int ready = poll(&wait, 1, SLICE_MS);
        if (ready > 0 && !PQconsumeInput(p->connection))
            return 0; /* lost: PQgetResult() says so at once */
    }
    return 0;
}

/* Tell the server to stop and throw away what still comes; a server that does not obey loses the
 * connection. */
static void give_up(struct postgres *p)
{
    char text[256];
    PGcancel *cancel = PQgetCancel(p->connection);
    struct call patience = {.deadline = clock_monotonic() + CANCEL_WAIT};

    if (cancel)
        (void)PQcancel(cancel, text, sizeof(text));
    PQfreeCancel(cancel);
    for (;;) {
        if (PQpipelineStatus(p->connection) != PQ_PIPELINE_OFF || wait_ready(p, &patience) < 0) {
            PQfinish(take(p->connection));
            return;
        }
        PGresult *result = PQgetResult(p->connection);
        if (!result)
            return;
        PQclear(result);
    }
}

int postgres_wait(struct postgres *p, PGresult **ret, struct call *call)
{
    p->db.failure = DB_FAILURE_FINAL;
    if (wait_ready(p, call) < 0) {
        give_up(p);
        return -1;
    }
    *ret = PQgetResult(p->connection);
    return 0;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

int postgres_result(struct postgres *p, PGresult **ret, struct call *call)
{
    PGresult *last = NULL;
    PGresult *next;

    for (;;) {
        if (postgres_wait(p, &next, call) < 0) {
            PQclear(last);
            return -1;
        }
        if (!next)
            break;
        /* Of several (PQsendQuery with several statements) the first failure counts. */
        if (last && !is_good(last)) {
            PQclear(next);
            continue;
        }
        PQclear(last);
        last = next;
    }
    if (!last || !is_good(last))
        return postgres_fail(p, last, call);
    *ret = last;
    return 0;
}

int64_t postgres_affected_rows(PGresult *result)
{
    const char *tag = PQcmdStatus(result);

    if (strncmp(tag, "INSERT", 6) != 0 && strncmp(tag, "UPDATE", 6) != 0 &&
        strncmp(tag, "DELETE", 6) != 0)
        return 0;
    return strtoll(PQcmdTuples(result), NULL, 10);
}

static int exec_here(struct postgres *p, const char *sql, struct call *call)
{
    PGresult *result;

    if (!PQsendQuery(p->connection, sql))
        return postgres_fail(p, NULL, call);
    if (postgres_result(p, &result, call) < 0)
        return -1;
    PQclear(result);
    return 0;
}

int postgres_exec(struct db *db, const char *sql, struct call *call)
{
    struct postgres *p = postgres_of(db);
    auto_free char *translated = translate_for_postgres(sql);

    if (postgres_usable(p, call) < 0)
        return -1;
    return exec_here(p, translated, call);
}

/* ---- Transactions ---- */

int postgres_begin(struct db *db, enum db_mode mode, struct call *call)
{
    static const char *const begin[] = {
        [DB_WRITE] = "BEGIN ISOLATION LEVEL READ COMMITTED",
        [DB_WRITE_RELAXED] = ("BEGIN ISOLATION LEVEL READ COMMITTED;"
                              "SET LOCAL synchronous_commit = off"),
        [DB_VIEW] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };

    return postgres_exec(db, begin[mode], call);
}

int postgres_commit(struct db *db, struct call *call)
{
    struct postgres *p = postgres_of(db);
    PGresult *result;

    if (!PQsendQuery(p->connection, "COMMIT"))
        return postgres_fail(p, NULL, call);
    if (postgres_result(p, &result, call) < 0) {
        /* A lost answer: the server may have committed, so this must not simply run again. */
        if (!p->connection || p->db.failure == DB_FAILURE_LOST) {
            p->db.failure = DB_FAILURE_FINAL;
            (void)err_prefix(&call->err, "whether the last changes were recorded is not known");
        }
        return -1;
    }
    bool rolled_back = strcmp(PQcmdStatus(result), "ROLLBACK") == 0;
    PQclear(result);
    if (rolled_back)
        return err_set(&call->err, ERR_INTERNAL, "%s: commit of a transaction that had failed",
                       db->name);
    return 0;
}

void postgres_rollback(struct db *db)
{
    struct postgres *p = postgres_of(db);
    struct call call = {.deadline = clock_monotonic() + CANCEL_WAIT};

    if (!p->connection)
        return;
    if (p->queued > 0 && postgres_flush(db, &call) < 0)
        err_clear(&call.err); /* what fails now was to be undone anyway */
    if (p->connection && PQtransactionStatus(p->connection) != PQTRANS_IDLE &&
        PQstatus(p->connection) == CONNECTION_OK && postgres_exec(db, "ROLLBACK", &call) < 0)
        PQfinish(take(p->connection));
}

/* Read all results up to the sync mark; the first failure is kept and the rest thrown away. */
static int drain(struct postgres *p, PGresult **ret_failed, struct call *call)
{
    for (;;) {
        PGresult *result;

        if (postgres_wait(p, &result, call) < 0)
            return -1;
        if (!result) {
            if (PQstatus(p->connection) == CONNECTION_BAD)
                return 0;
            continue;
        }
        if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
            PQclear(result);
            return 0;
        }
        if (is_good(result))
            p->db.queued_affected += postgres_affected_rows(result);
        if (is_good(result) || *ret_failed)
            PQclear(result);
        else
            *ret_failed = result;
    }
}

int postgres_flush(struct db *db, struct call *call)
{
    struct postgres *p = postgres_of(db);
    PGresult *failed = NULL;

    if (p->queued == 0)
        return 0;
    p->queued = 0;
    if (!PQpipelineSync(p->connection))
        return postgres_fail(p, NULL, call);
    if (drain(p, &failed, call) < 0) {
        PQclear(failed);
        return -1;
    }
    if (failed || PQstatus(p->connection) == CONNECTION_BAD) {
        if (PQstatus(p->connection) == CONNECTION_OK)
            (void)PQexitPipelineMode(p->connection);
        return postgres_fail(p, failed, call);
    }
    if (!PQexitPipelineMode(p->connection))
        return postgres_fail(p, NULL, call);
    return 0;
}
