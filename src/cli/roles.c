// SPDX-License-Identifier: EUPL-1.2
/* Role assignments in the index: see roles.h. */
#include "cli/roles.h"

#include <inttypes.h>
#include <string.h>

#include "cli/deeds.h"
#include "util/random.h"

/* ---- Texts ---- */

static const struct {
    const char *word;
    enum policy_who_kind kind;
} kinds[] = {
    {"user:", POLICY_WHO_USER},
    {"group:", POLICY_WHO_GROUP},
    {"role:", POLICY_WHO_ROLE},
    {"app:", POLICY_WHO_USER},
};

int role_principal_parse(const char *text, struct policy_who *ret, struct err *e)
{
    const char *hash = strncmp(text, "http", 4) == 0 ? strchr(text, '#') : NULL;
    const char *rest = hash ? hash + 1 : text;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        size_t length = strlen(kinds[i].word);
        if (strncmp(rest, kinds[i].word, length) != 0 || !rest[length])
            continue;
        *ret = (struct policy_who){
            .kind = kinds[i].kind,
            .issuer = hash ? xstrndup(text, (size_t)(hash - text)) : NULL,
            .name = xstrdup(rest + length),
        };
        return 0;
    }
    return err_set(e, ERR_INVALID,
                   "'%.100s' is no principal: want user:ID, group:NAME, role:NAME or app:ID, with "
                   "the issuer before it where there are several, as in "
                   "https://login.example.eu/realms/main#group:auditors",
                   text);
}

void role_principal_release(struct policy_who *who)
{
    free((char *)(uintptr_t)who->issuer);
    free((char *)(uintptr_t)who->name);
}

int role_scope_parse(const char *text, struct role_row *row, struct err *e)
{
    const char *slash = strchr(text, '/');
    const char *second = slash ? strchr(slash + 1, '/') : NULL;

    if (slash == text || (slash && second == slash + 1))
        return err_set(e, ERR_INVALID,
                       "'%.100s' is no scope: want ACCOUNT, ACCOUNT/CONTAINER or "
                       "ACCOUNT/CONTAINER/PREFIX",
                       text);
    if (*text)
        row->account = slash ? xstrndup(text, (size_t)(slash - text)) : xstrdup(text);
    if (slash && slash[1])
        row->container =
            second ? xstrndup(slash + 1, (size_t)(second - slash - 1)) : xstrdup(slash + 1);
    if (second && second[1])
        row->prefix = xstrdup(second + 1);
    return 0;
}

char *role_scope_text(const struct role_row *row)
{
    if (!row->account)
        return xstrdup("(every account)");
    if (!row->container)
        return xstrdup(row->account);
    return xasprintf("%s/%s%s%s", row->account, row->container, row->prefix ? "/" : "",
                     row->prefix ? row->prefix : "");
}

/* ---- Rows ---- */

void role_rows_release(struct role_rows *l)
{
    for (size_t i = 0; i < l->count; i++)
        role_row_release(&l->list[i]);
    free(l->list);
    *l = (struct role_rows){0};
}

static int list_all(struct db *db, void *argument, struct call *call)
{
    struct role_rows *l = argument;
    auto_free char *columns = row_columns(&role_table, NULL);
    auto_free char *sql = xasprintf("SELECT %s FROM role ORDER BY principal, id", columns);
    struct db_statement *s;
    int row;

    role_rows_release(l);
    if (db_prepare(db, sql, &s, call) < 0)
        return -1;
    while ((row = db_step(s, call)) > 0) {
        l->list = xrealloc(l->list, l->count + 1, sizeof(*l->list));
        l->list[l->count] = role_row_new();
        row_read(&role_table, s, 0, &l->list[l->count++]);
    }
    db_reset(s);
    return row;
}

int role_list(struct index *index, struct role_rows *ret, struct call *call)
{
    struct role_rows rows = {0};

    if (index_read(index, list_all, &rows, call) < 0) {
        role_rows_release(&rows);
        return -1;
    }
    *ret = rows;
    return 0;
}

static int touch(struct db *db, struct call *call)
{
    char revision[17];

    random_hex(revision, 8);
    return index_meta_set(db, ROLES_REVISION, revision, call);
}

static int note(struct db *db, const char *event, const struct role_row *row, struct call *call)
{
    auto_free char *scope = role_scope_text(row);
    auto_free char *detail = xasprintf("%s: %s", row->principal, row->role);

    return deed_note(db, event, scope, detail, call);
}

static bool is_same(const struct role_row *a, const struct role_row *b)
{
    return same_string(a->principal, b->principal) && same_string(a->role, b->role) &&
           same_string(a->account, b->account) && same_string(a->container, b->container) &&
           same_string(a->prefix, b->prefix);
}

static int insert(struct db *db, void *argument, struct call *call)
{
    struct role_row *row = argument;
    auto_role_rows struct role_rows rows = {0};

    if (list_all(db, &rows, call) < 0)
        return -1;
    for (size_t i = 0; i < rows.count; i++)
        if (is_same(&rows.list[i], row))
            return err_set(&call->err, ERR_EXISTS, "'%s' has this role there already (%" PRId64 ")",
                           row->principal, rows.list[i].id);
    row->id = index_new_id();
    return index_now(db, &row->created, call) < 0 || touch(db, call) < 0 ||
                   row_insert(db, &role_table, row, call) < 0
               ? -1
               : note(db, "role_added", row, call);
}

int role_add(struct index *index, struct role_row *row, struct call *call)
{
    return index_write(index, INDEX_DURABLE, insert, row, call);
}

static int delete_it(struct db *db, void *argument, struct call *call)
{
    const int64_t *id = argument;
    auto_role_row struct role_row row = role_row_new();

    row.id = *id;
    int found = row_lock(db, &role_table, &row, call);
    if (found < 0)
        return -1;
    if (found == 0)
        return err_set(&call->err, ERR_NOT_FOUND,
                       "there is no assignment %" PRId64 ": see bascule role list", *id);
    return touch(db, call) < 0 || row_delete(db, &role_table, &row, call) < 0
               ? -1
               : note(db, "role_removed", &row, call);
}

int role_remove(struct index *index, int64_t id, struct call *call)
{
    return index_write(index, INDEX_DURABLE, delete_it, &id, call);
}

/* ---- The policy ---- */

static int assign(struct policy *policy, const struct role_row *row, struct err *e)
{
    struct policy_assignment a = {
        .account = row->account, .container = row->container, .prefix = row->prefix};

    if (policy_role_parse(row->role, &a.role, e) < 0 ||
        role_principal_parse(row->principal, &a.who, e) < 0)
        return -1;
    int result = policy_assign(policy, &a, e);
    role_principal_release(&a.who);
    return result;
}

struct reading {
    struct role_rows rows;
    char *revision;
};

static int read_both(struct db *db, void *argument, struct call *call)
{
    struct reading *r = argument;

    free(take(r->revision));
    return index_meta_get(db, ROLES_REVISION, &r->revision, call) < 0
               ? -1
               : list_all(db, &r->rows, call);
}

int role_policy(struct index *index, struct policy **ret, char **ret_revision, uint64_t *ret_bad,
                struct call *call)
{
    struct reading r = {0};
    uint64_t bad = 0;

    if (index_read(index, read_both, &r, call) < 0) {
        role_rows_release(&r.rows);
        free(r.revision);
        return -1;
    }
    struct policy *policy = policy_new();
    for (size_t i = 0; i < r.rows.count; i++) {
        struct err why = {0};
        bad += assign(policy, &r.rows.list[i], &why) < 0;
    }
    role_rows_release(&r.rows);
    *ret = policy;
    *ret_revision = r.revision ? r.revision : xstrdup("");
    if (ret_bad)
        *ret_bad = bad;
    return 0;
}

static int read_revision(struct db *db, void *argument, struct call *call)
{
    char **revision = argument;

    free(take(*revision));
    return index_meta_get(db, ROLES_REVISION, revision, call);
}

int role_revision(struct index *index, char **ret, struct call *call)
{
    char *revision = NULL;

    if (index_read(index, read_revision, &revision, call) < 0) {
        free(revision);
        return -1;
    }
    *ret = revision ? revision : xstrdup("");
    return 0;
}
