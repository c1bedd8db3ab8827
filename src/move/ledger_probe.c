// SPDX-License-Identifier: EUPL-1.2
/* What stores were found to be able to do. */
#include "move/ledger_private.h"
#include "util/thread.h"

int ledger_probe_get(struct ledger *l, const char *store, const char *capability, char **ret_value,
                     int64_t *ret_time, struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db, "SELECT value, time FROM probe WHERE store = ?1 AND capability = ?2", &s,
                   call) < 0)
        return -1;
    db_bind_text(s, 1, store);
    db_bind_text(s, 2, capability);
    int row = db_step(s, call);
    if (row > 0) {
        *ret_value = ledger_column_string(s, 0);
        if (ret_time)
            *ret_time = db_column_int(s, 1);
    }
    db_reset(s);
    return row;
}

int ledger_probes(struct ledger *l, const char *store, struct pairs *ret, struct call *call)
{
    struct db_statement *s;
    int row;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "SELECT capability, value FROM probe WHERE store = ?1 ORDER BY capability", &s,
                   call) < 0)
        return -1;
    db_bind_text(s, 1, store);
    while ((row = db_step(s, call)) > 0) {
        auto_free char *capability = ledger_column_string(s, 0);
        auto_free char *value = ledger_column_string(s, 1);
        pairs_add(ret, capability, value);
    }
    db_reset(s);
    return row;
}

int ledger_probe_put(struct ledger *l, const char *store, const char *capability, const char *value,
                     struct call *call)
{
    struct db_statement *s;

    locked(&l->lock);
    if (db_prepare(l->db,
                   "INSERT INTO probe (store, capability, value, time) VALUES (?1, ?2, ?3, ?4)"
                   " ON CONFLICT (store, capability) DO UPDATE SET value = excluded.value,"
                   " time = excluded.time",
                   &s, call) < 0)
        return -1;
    db_bind_text(s, 1, store);
    db_bind_text(s, 2, capability);
    db_bind_text(s, 3, value);
    db_bind_int(s, 4, clock_wall());
    return db_run(s, NULL, call);
}
