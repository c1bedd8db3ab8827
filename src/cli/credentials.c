// SPDX-License-Identifier: EUPL-1.2
/* Access keys of the S3 door: see credentials.h. */
#include "cli/credentials.h"

#include "cli/deeds.h"
#include "util/random.h"

#define ACCESS_KEY_LETTERS 20
#define SECRET_BYTES       20

/* As Amazon's look: letters and digits, 20 of them. */
static char *make_access_key(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char text[ACCESS_KEY_LETTERS + 1] = "BK";

    for (size_t i = 2; i < ACCESS_KEY_LETTERS; i++)
        text[i] = letters[random_below(sizeof(letters) - 1)];
    return xstrdup(text);
}

static char *make_secret(void)
{
    char text[2 * SECRET_BYTES + 1];

    random_hex(text, SECRET_BYTES);
    return xstrdup(text);
}

static int add(struct db *db, void *argument, struct call *call)
{
    struct credential_row *row = argument;
    auto_account_row struct account_row account = account_row_new();

    account.name = xstrdup(row->account);
    int found = row_lock(db, &account_table, &account, call);
    if (found <= 0)
        return found < 0 ? -1 : err_set(&call->err, ERR_NOT_FOUND, "no account '%s'", row->account);
    auto_free char *detail = xasprintf("%s for %s", row->access_key,
                                       row->principal ? row->principal : "the account itself");
    return index_now(db, &row->created, call) < 0 ||
                   row_insert(db, &credential_table, row, call) < 0
               ? -1
               : deed_note(db, "s3_key_added", row->account, detail, call);
}

int credential_add(struct index *index, const char *account, const char *principal,
                   struct credential_row *ret, struct call *call)
{
    auto_credential_row struct credential_row row = credential_row_new();

    row.access_key = make_access_key();
    row.secret_key = make_secret();
    row.account = xstrdup(account);
    row.principal = xstrdup_null(principal);
    if (index_write(index, INDEX_DURABLE, add, &row, call) < 0)
        return -1;
    row_copy(&credential_table, ret, &row);
    return 0;
}

static int remove_one(struct db *db, void *argument, struct call *call)
{
    auto_credential_row struct credential_row key = credential_row_new();

    key.access_key = xstrdup(argument);
    int found = row_lock(db, &credential_table, &key, call);
    if (found <= 0)
        return found < 0 ? -1
                         : err_set(&call->err, ERR_NOT_FOUND, "no access key '%s'", key.access_key);
    return row_delete(db, &credential_table, &key, call) < 0
               ? -1
               : deed_note(db, "s3_key_removed", key.account, key.access_key, call);
}

int credential_remove(struct index *index, const char *access_key, struct call *call)
{
    return index_write(index, INDEX_DURABLE, remove_one, (void *)(uintptr_t)access_key, call);
}

void credential_rows_release(struct credential_rows *l)
{
    for (size_t i = 0; i < l->count; i++)
        credential_row_release(&l->list[i]);
    free(l->list);
    *l = (struct credential_rows){0};
}

struct list_task {
    const char *account;
    struct credential_rows rows;
};

static int list(struct db *db, void *argument, struct call *call)
{
    struct list_task *task = argument;
    auto_free char *columns = row_columns(&credential_table, NULL);
    auto_free char *sql = xasprintf("SELECT %s FROM credential WHERE CAST(?1 AS TEXT) IS NULL OR "
                                    "account = ?1 ORDER BY account, access_key",
                                    columns);
    struct db_statement *s;
    int row;

    credential_rows_release(&task->rows);
    if (db_prepare(db, sql, &s, call) < 0)
        return -1;
    db_bind_text(s, 1, task->account);
    while ((row = db_step(s, call)) > 0) {
        struct credential_rows *l = &task->rows;
        l->list = xrealloc(l->list, l->count + 1, sizeof(*l->list));
        l->list[l->count] = credential_row_new();
        row_read(&credential_table, s, 0, &l->list[l->count++]);
    }
    db_reset(s);
    return row;
}

int credential_list(struct index *index, const char *account, struct credential_rows *ret,
                    struct call *call)
{
    struct list_task task = {.account = account};

    if (index_read(index, list, &task, call) < 0) {
        credential_rows_release(&task.rows);
        return -1;
    }
    *ret = task.rows;
    return 0;
}
