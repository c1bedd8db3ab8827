// SPDX-License-Identifier: EUPL-1.2
/*
 * A database of its own for a test program: a SQLite file in a fresh folder, or a fresh schema in
 * the PostgreSQL that the environment variable BASCULE_POSTGRES_URL names.
 */
#ifndef TESTS_UNIT_SCRATCH_H
#define TESTS_UNIT_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/db.h"

struct scratch {
    char *url; /* NULL: there is no PostgreSQL to test with */
    char *folder;
    char *schema;
};

static inline void scratch_sqlite(struct scratch *s)
{
    const char *tmp = getenv("TMPDIR");

    *s = (struct scratch){.folder = xasprintf("%s/bascule-XXXXXX", tmp ? tmp : "/tmp")};
    if (!mkdtemp(s->folder))
        abort();
    s->url = xasprintf("sqlite:%s/test.db", s->folder);
}

static inline void scratch_sql(const char *url, const char *sql)
{
    struct call call = CALL_INIT;
    cleanup(db_close_p) struct db *db = NULL;

    if (db_open(url, NULL, &db, &call) < 0 || db_exec(db, sql, &call) < 0) {
        (void)fprintf(stderr, "%s\n", call.err.text);
        abort();
    }
}

static inline void scratch_postgres(struct scratch *s)
{
    const char *url = getenv("BASCULE_POSTGRES_URL");

    *s = (struct scratch){0};
    if (!url) {
        (void)fprintf(stderr, "skipped on PostgreSQL: BASCULE_POSTGRES_URL is not set\n");
        return;
    }
    s->schema = xasprintf("test_%ld", (long)getpid());
    auto_free char *sql = xasprintf("CREATE SCHEMA %s", s->schema);
    scratch_sql(url, sql);
    s->url =
        xasprintf("%s%soptions=-csearch_path%%3D%s", url, strchr(url, '?') ? "&" : "?", s->schema);
}

static inline void scratch_release(struct scratch *s)
{
    if (s->folder) {
        auto_free char *command = xasprintf("rm -rf '%s'", s->folder);
        if (system(command) != 0) // NOLINT: a test's own folder
            abort();
    }
    if (s->schema) {
        auto_free char *sql = xasprintf("DROP SCHEMA %s CASCADE", s->schema);
        scratch_sql(getenv("BASCULE_POSTGRES_URL"), sql);
    }
    free(s->folder);
    free(s->schema);
    free(s->url);
}

#endif
