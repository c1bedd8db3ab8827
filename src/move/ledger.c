// SPDX-License-Identifier: EUPL-1.2
/* The ledger's life, its words, and the small SQL its files share: see ledger.h. */
#include "move/ledger.h"

#include <string.h>

#include "move/ledger_private.h"
#include "util/buf.h"
#include "util/thread.h"

static const char *const state_words[LEDGER_STATE_COUNT] = {
    [LEDGER_PENDING] = "pending", [LEDGER_CLAIMED] = "claimed", [LEDGER_WAITING] = "waiting",
    [LEDGER_MOVED] = "moved",     [LEDGER_ALREADY] = "already", [LEDGER_VANISHED] = "vanished",
    [LEDGER_REFUSED] = "refused", [LEDGER_FAILED] = "failed",   [LEDGER_GONE] = "gone",
    [LEDGER_DELETED] = "deleted",
};
static const char *const kind_words[] = {"current", "version", "snapshot", "soft_deleted"};
static const char *const job_words[] = {"listing", "copying", "done", "interrupted", "failed"};

const char *ledger_state_word(enum ledger_state state)
{
    return (unsigned)state < ARRAY_SIZE(state_words) ? state_words[state] : "unknown";
}

const char *ledger_kind_word(enum ledger_kind kind)
{
    return (unsigned)kind < ARRAY_SIZE(kind_words) ? kind_words[kind] : "unknown";
}

const char *ledger_job_state_word(enum ledger_job_state state)
{
    return (unsigned)state < ARRAY_SIZE(job_words) ? job_words[state] : "unknown";
}

static int open_ledger(const char *url, const struct db_options *options, struct ledger **ret,
                       struct call *call)
{
    cleanup(db_close_p) struct db *db = NULL;

    if (db_open(url, options, &db, call) < 0 || ledger_migrate(db, call) < 0)
        return err_prefix(&call->err, "open the ledger");
    struct ledger *l = xcalloc(1, sizeof(*l));
    (void)pthread_mutex_init(&l->lock, NULL);
    ledger_self_fill(&l->self);
    l->db = take(db);
    *ret = l;
    return 0;
}

int ledger_open(const char *url, struct ledger **ret, struct call *call)
{
    /* What a power failure takes away here is done again, never wrongly believed. */
    static const struct db_options options = {.durability = DB_RELAXED, .cache_kib = 8 * 1024};

    return open_ledger(url, &options, ret, call);
}

int ledger_open_read(const char *url, struct ledger **ret, struct call *call)
{
    static const struct db_options options = {.read_only = true};

    return open_ledger(url, &options, ret, call);
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    if (l->job) {
        struct call call = {.deadline = clock_monotonic() + 2 * CLOCK_SECOND};
        if (ledger_stop(l, LEDGER_JOB_INTERRUPTED, NULL, &call) < 0)
            err_clear(&call.err); /* the next start finds this process dead */
    }
    db_close(l->db);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->checkpoints);
    free(l);
}

void ledger_close_p(struct ledger **l)
{
    ledger_close(*l);
    *l = NULL;
}

int64_t ledger_job_id(const struct ledger *l)
{
    return l->job;
}

int ledger_ready(struct ledger *l, struct call *call)
{
    if (!l->job)
        return err_set(&call->err, ERR_CONFLICT, "no job has been started on this ledger");
    return 0;
}

/* ---- Small SQL ---- */

static int prepare_ints(struct db *db, const char *sql, const int64_t *values, int count,
                        struct db_statement **ret, struct call *call)
{
    if (db_prepare(db, sql, ret, call) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        db_bind_int(*ret, i + 1, values[i]);
    return 0;
}

int ledger_run(struct db *db, const char *sql, const int64_t *values, int count,
               int64_t *ret_affected, struct call *call)
{
    struct db_statement *s;

    if (prepare_ints(db, sql, values, count, &s, call) < 0)
        return -1;
    return db_run(s, ret_affected, call);
}

int ledger_ask(struct db *db, const char *sql, const int64_t *values, int count, int64_t *ret,
               struct call *call)
{
    struct db_statement *s;

    if (prepare_ints(db, sql, values, count, &s, call) < 0)
        return -1;
    int row = db_step(s, call);
    if (row > 0)
        *ret = db_column_int(s, 0);
    db_reset(s);
    return row;
}

/* Ids in one statement: many share its cost, and there is one text to prepare. */
#define IDS 50

int ledger_run_ids(struct db *db, const char *sql, const int64_t *values, int count,
                   const int64_t *ids, size_t n, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(4096);
    struct db_statement *s;

    buf_text(&text, sql);
    for (int i = 0; i < IDS; i++)
        buf_printf(&text, "%s?%d", i ? ", " : "(", count + 1 + i);
    buf_char(&text, ')');
    for (size_t at = 0; at < n; at += IDS) {
        if (prepare_ints(db, text.data, values, count, &s, call) < 0)
            return -1;
        for (size_t i = 0; i < IDS; i++)
            db_bind_int(s, count + 1 + (int)i, ids[at + i < n ? at + i : n - 1]);
        if (db_queue(s, call) < 0)
            return -1;
    }
    return 0;
}

void ledger_bind_name(struct db_statement *s, int number, const char *name)
{
    db_bind_blob(s, number, name, name ? strlen(name) : 0);
}

void ledger_bind_code(struct db_statement *s, int number, enum err_code code)
{
    db_bind_text(s, number, code == ERR_NONE ? NULL : err_word(code));
}

enum err_code ledger_column_code(struct db_statement *s, int column)
{
    const char *word = db_column_text(s, column);

    return word ? err_from_word(word) : ERR_NONE;
}

void ledger_bind_time(struct db_statement *s, int number, int64_t time)
{
    if (time == TIME_UNKNOWN)
        db_bind_null(s, number);
    else
        db_bind_int(s, number, time);
}

int64_t ledger_column_time(struct db_statement *s, int column)
{
    return db_column_is_null(s, column) ? TIME_UNKNOWN : db_column_int(s, column);
}

char *ledger_column_name(struct db_statement *s, int column)
{
    size_t n;
    const char *bytes = db_column_blob(s, column, &n);

    return bytes ? xstrndup(bytes, n) : NULL;
}

char *ledger_column_string(struct db_statement *s, int column)
{
    return xstrdup_null(db_column_text(s, column));
}
