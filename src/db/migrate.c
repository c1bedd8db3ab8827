// SPDX-License-Identifier: EUPL-1.2
/* Schema versions: see db_migrate() in db.h. */
#include <assert.h>

#include "db/backend.h"

struct step {
    const char *name;
    const struct migration *migration;
};

/* The version recorded for name; 0 where there is none. */
static int read_version(struct db *db, const char *name, int64_t *ret, struct call *call)
{
    struct db_statement *find;

    if (db_prepare(db, "SELECT version FROM bascule_schema WHERE name = ?1", &find, call) < 0)
        return -1;
    db_bind_text(find, 1, name);
    int row = db_step(find, call);
    if (row >= 0)
        *ret = row ? db_column_int(find, 0) : 0;
    db_reset(find);
    return row < 0 ? -1 : 0;
}

static int create_table(struct db *db, void *unused, struct call *call)
{
    (void)unused;
    if (db->ops->lock_schema(db, call) < 0)
        return -1;
    return db_exec(db,
                   "CREATE TABLE IF NOT EXISTS bascule_schema ("
                   "name TEXT NOT NULL PRIMARY KEY, version INTEGER NOT NULL,"
                   "applied INTEGER NOT NULL) STRICT",
                   call);
}

static int apply(struct db *db, void *argument, struct call *call)
{
    const struct step *step = argument;
    int64_t version;
    int64_t now;
    struct db_statement *record;

    if (db->ops->lock_schema(db, call) < 0 || read_version(db, step->name, &version, call) < 0)
        return -1;
    if (version >= step->migration->version) /* somebody else was quicker */
        return 0;
    if (db_exec(db, step->migration->sql, call) < 0 || db_clock(db, &now, call) < 0)
        return -1;
    if (db_prepare(db,
                   "INSERT INTO bascule_schema (name, version, applied) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (name) DO UPDATE SET version = excluded.version,"
                   " applied = excluded.applied",
                   &record, call) < 0)
        return -1;
    db_bind_text(record, 1, step->name);
    db_bind_int(record, 2, step->migration->version);
    db_bind_int(record, 3, now);
    return db_run(record, NULL, call);
}

int db_migrate(struct db *db, const char *name, const struct migration *list, size_t count,
               struct call *call)
{
    int64_t version = 0;

    assert(count > 0);
    if (read_version(db, name, &version, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return err_prefix(&call->err, "read the schema of %s", db_name(db));
        err_clear(&call->err);
        if (db->options.read_only)
            return err_set(&call->err, ERR_INVALID, "%s holds nothing of bascule's '%s'",
                           db_name(db), name);
        if (db_transact(db, create_table, NULL, call) < 0)
            return err_prefix(&call->err, "set up %s", db_name(db));
    }
    if (version > list[count - 1].version)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "%s was written by a newer bascule (its '%s' has version %lld, this one "
                       "knows %d): use that one",
                       db_name(db), name, (long long)version, list[count - 1].version);
    for (size_t i = 0; i < count; i++) {
        struct step step = {name, &list[i]};

        assert(list[i].version > (i ? list[i - 1].version : 0));
        if (list[i].version <= version)
            continue;
        if (db->options.read_only)
            return err_set(&call->err, ERR_READ_ONLY,
                           "%s was written by an older bascule: open it for writing once",
                           db_name(db));
        if (db_transact(db, apply, &step, call) < 0)
            return err_prefix(&call->err, "bring %s to version %d of '%s'", db_name(db),
                              list[i].version, name);
    }
    return 0;
}
