// SPDX-License-Identifier: EUPL-1.2
/* One gateway ships at a time: a lease in table meta, and how far shipping has come. */
#include <stdio.h>

#include "index/journal_private.h"
#include "util/random.h"

/* Longer than any one file takes to write; renewed after each. */
#define LEASE_TIME (120 * CLOCK_SECOND)
#define TOKEN_NONE "0000000000000000"

/* "<token> <until>": the row is locked, and made where it was not. */
static int read_lease(struct db *db, char token[TOKEN_SIZE], int64_t *ret_until, struct call *call)
{
    struct db_statement *s;

    if (db_prepare(db,
                   "INSERT INTO meta (key, value) VALUES (?1, '- 0')"
                   " ON CONFLICT (key) DO NOTHING",
                   &s, call) < 0)
        return -1;
    db_bind_text(s, 1, META_LEASE);
    if (db_run(s, NULL, call) < 0 ||
        db_prepare(db, "SELECT value FROM meta WHERE key = ?1 FOR UPDATE", &s, call) < 0)
        return -1;
    db_bind_text(s, 1, META_LEASE);
    int row = db_step(s, call);
    long long until = 0;
    token[0] = '\0';
    if (row > 0 && sscanf(db_column_text(s, 0), "%16s %lld", token, &until) != 2)
        until = 0;
    db_reset(s);
    if (row < 0)
        return -1;
    *ret_until = until;
    return 0;
}

static int write_lease(struct db *db, const char *token, int64_t until, struct call *call)
{
    auto_free char *value = xasprintf("%s %lld", token, (long long)until);

    return index_meta_set(db, META_LEASE, value, call);
}

static int take_it(struct db *db, void *argument, struct call *call)
{
    const struct lease *l = argument;
    char holder[TOKEN_SIZE];
    int64_t until;
    int64_t now;

    if (read_lease(db, holder, &until, call) < 0 || index_now(db, &now, call) < 0)
        return -1;
    if (until > now)
        return err_set(&call->err, ERR_BUSY, "%s: the journal is being shipped already",
                       index_name(l->index));
    return write_lease(db, l->token, now + LEASE_TIME, call);
}

int lease_take(struct lease *l, struct index *index, struct call *call)
{
    l->index = index;
    random_hex(l->token, (TOKEN_SIZE - 1) / 2);
    return index_write(index, INDEX_RELAXED, take_it, l, call);
}

int lease_hold(struct db *db, const struct lease *l, struct call *call)
{
    char holder[TOKEN_SIZE];
    int64_t until;
    int64_t now;

    if (read_lease(db, holder, &until, call) < 0 || index_now(db, &now, call) < 0)
        return -1;
    if (strcmp(holder, l->token) != 0)
        return err_set(&call->err, ERR_CONFLICT, "%s: another gateway took over the journal",
                       index_name(l->index));
    return write_lease(db, l->token, now + LEASE_TIME, call);
}

static int hold_it(struct db *db, void *argument, struct call *call)
{
    return lease_hold(db, argument, call);
}

int lease_renew(struct lease *l, struct call *call)
{
    return index_write(l->index, INDEX_RELAXED, hold_it, l, call);
}

static int give_it(struct db *db, void *argument, struct call *call)
{
    const struct lease *l = argument;
    char holder[TOKEN_SIZE];
    int64_t until;

    if (read_lease(db, holder, &until, call) < 0 || strcmp(holder, l->token) != 0)
        return -1;
    return write_lease(db, "-", 0, call);
}

void lease_give(struct lease *l)
{
    struct call call = {.deadline = clock_monotonic() + 10 * CLOCK_SECOND};

    if (index_write(l->index, INDEX_RELAXED, give_it, l, &call) < 0)
        err_clear(&call.err); /* it runs out by itself */
}

static int free_it(struct db *db, void *argument, struct call *call)
{
    (void)argument;
    return write_lease(db, "-", 0, call);
}

int journal_begin(struct index *index, struct call *call)
{
    return index->kind == DB_SQLITE ? index_write(index, INDEX_RELAXED, free_it, NULL, call) : 0;
}

/* ---- The position ---- */

bool position_is_new(const struct position *p)
{
    return strcmp(p->token, TOKEN_NONE) == 0;
}

int position_read(struct db *db, struct position *ret, struct call *call)
{
    auto_free char *last = NULL;
    auto_free char *token = NULL;
    struct position p = {0};

    if (index_meta_get(db, META_SHIPPED, &last, call) < 0 ||
        index_meta_get(db, META_SHIPPED_TOKEN, &token, call) < 0)
        return -1;
    p.last = last ? strtoll(last, NULL, 10) : 0;
    (void)snprintf(p.token, sizeof(p.token), "%s", token ? token : TOKEN_NONE);
    *ret = p;
    return 0;
}

int position_write(struct db *db, const struct position *p, int64_t time, struct call *call)
{
    auto_free char *last = xasprintf("%lld", (long long)p->last);
    auto_free char *when = xasprintf("%lld", (long long)time);

    if (index_meta_set(db, META_SHIPPED, last, call) < 0 ||
        index_meta_set(db, META_SHIPPED_TOKEN, p->token, call) < 0)
        return -1;
    return time == TIME_UNKNOWN ? 0 : index_meta_set(db, META_SHIPPED_TIME, when, call);
}
