// SPDX-License-Identifier: EUPL-1.2
/* Accounts in the index: see accounts.h. */
#include "cli/accounts.h"

#include <inttypes.h>
#include <string.h>

#include "cli/deeds.h"
#include "codec/base64.h"
#include "codec/suggest.h"
#include "object/service.h"
#include "util/random.h"

#define KEY_BYTES    64
#define SECRET_BYTES 32
#define LIST_MAX     100000

int account_name_check(const char *name, struct err *e)
{
    size_t length = strlen(name);

    if (length >= 3 && length <= 24 &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == length)
        return 0;
    return err_set(
        e, ERR_INVALID,
        "account '%.60s': a name has 3 to 24 characters, a to z and 0 to 9 (as at Azure)", name);
}

static char *random_base64(size_t n)
{
    unsigned char bytes[KEY_BYTES];
    auto_buf struct buf text = BUF_INIT(BASE64_SIZE(KEY_BYTES) + 1);

    random_bytes(bytes, n);
    base64_encode(&text, bytes, n);
    explicit_bzero(bytes, sizeof(bytes));
    return buf_take(&text);
}

void account_key_make(char **slot)
{
    if (*slot)
        explicit_bzero(*slot, strlen(*slot));
    free(*slot);
    *slot = random_base64(KEY_BYTES);
}

int account_key_slot(struct account_row *row, const char *which, char ***ret, struct err *e)
{
    if (strcmp(which, "key1") != 0 && strcmp(which, "key2") != 0)
        return err_set(e, ERR_INVALID, "an account has key1 and key2, no '%.60s'", which);
    *ret = which[3] == '1' ? &row->key1 : &row->key2;
    return 0;
}

/* ---- One account ---- */

struct task {
    const char *name;
    const char *event, *detail;
    struct account_row *row;
    account_changer *change;
    void *argument;
    struct account_row *ret;
};

static int insert(struct db *db, void *argument, struct call *call)
{
    struct task *task = argument;

    if (index_now(db, &task->row->created, call) < 0)
        return -1;
    task->row->changed = task->row->created;
    return row_insert(db, &account_table, task->row, call) < 0
               ? -1
               : deed_note(db, "account_added", task->row->name, NULL, call);
}

int account_add(struct index *index, const char *name, const char *key1, struct account_row *ret,
                struct call *call)
{
    auto_account_row struct account_row row = account_row_new();
    struct task task = {.row = &row};

    if (account_name_check(name, &call->err) < 0)
        return -1;
    row.name = xstrdup(name);
    row.key1 = key1 ? xstrdup(key1) : random_base64(KEY_BYTES);
    row.key2 = random_base64(KEY_BYTES);
    row.delegation_secret = random_base64(SECRET_BYTES);
    if (index_write(index, INDEX_DURABLE, insert, &task, call) < 0) {
        if (call->err.code == ERR_EXISTS)
            return err_set(&call->err, ERR_EXISTS, "account '%s' exists already", name);
        return err_prefix(&call->err, "add account '%s'", name);
    }
    if (ret)
        row_copy(&account_table, ret, &row);
    return 0;
}

static int missing(struct db *db, const char *name, struct call *call)
{
    const char *names[256];
    size_t count = 0;
    struct db_statement *s;
    int row;

    if (db_prepare(db, "SELECT name FROM account ORDER BY name LIMIT 256", &s, call) < 0)
        return -1;
    while ((row = db_step(s, call)) > 0 && count < ARRAY_SIZE(names))
        names[count++] = xstrdup(db_column_text(s, 0));
    db_reset(s);
    const char *near = suggest(name, names, count);
    if (row >= 0)
        (void)err_set(&call->err, ERR_NOT_FOUND, "there is no account '%.60s'%s%s%s", name,
                      near    ? ": did you mean '"
                      : count ? ": see bascule account list"
                              : ": there is none at all yet (bascule account add NAME)",
                      near ? near : "", near ? "'?" : "");
    for (size_t i = 0; i < count; i++)
        free((char *)(uintptr_t)names[i]);
    return -1;
}

static int find(struct db *db, void *argument, struct call *call)
{
    struct task *task = argument;
    auto_account_row struct account_row row = account_row_new();

    row.name = xstrdup(task->name);
    int found = row_find(db, &account_table, &row, call);
    if (found <= 0)
        return found < 0 ? -1 : missing(db, task->name, call);
    row_copy(&account_table, task->ret, &row);
    return 0;
}

int account_find(struct index *index, const char *name, struct account_row *ret, struct call *call)
{
    struct task task = {.name = name, .ret = ret};

    return index_read(index, find, &task, call);
}

static int change(struct db *db, void *argument, struct call *call)
{
    const struct task *task = argument;
    auto_account_row struct account_row row = account_row_new();

    row.name = xstrdup(task->name);
    int found = row_lock(db, &account_table, &row, call);
    if (found <= 0)
        return found < 0 ? -1 : missing(db, task->name, call);
    if (task->change(&row, task->argument, call) < 0 || index_now(db, &row.changed, call) < 0 ||
        row_update(db, &account_table, &row, call) < 0 ||
        deed_note(db, task->event, task->name, task->detail, call) < 0)
        return -1;
    if (task->ret)
        row_copy(&account_table, task->ret, &row);
    return 0;
}

/* Gateways go by an account they read up to ACCOUNT_AGE_MAX ago: who revokes a key and sees the
 * command end may rely on it. */
static int write_and_settle(struct index *index, db_function *work, struct task *task,
                            struct call *call)
{
    if (index_write(index, INDEX_DURABLE, work, task, call) < 0)
        return -1;
    if (call_sleep(call, ACCOUNT_AGE_MAX) < 0)
        return err_prefix(&call->err,
                          "the account is changed; gateways may go by the old one for a second");
    return 0;
}

int account_change(struct index *index, const char *name, const char *event, const char *detail,
                   account_changer *changer, void *argument, struct account_row *ret,
                   struct call *call)
{
    struct task task = {.name = name,
                        .event = event,
                        .detail = detail,
                        .change = changer,
                        .argument = argument,
                        .ret = ret};

    return write_and_settle(index, change, &task, call);
}

/* Those that are there or could be restored; the sweep is about to remove the others. */
static int count_containers(struct db *db, const char *name, int64_t *ret, struct call *call)
{
    static const char sql[] = "SELECT COUNT(*) FROM container WHERE account = ?1 AND"
                              " (deleted IS NULL OR deleted_until > ?2)";
    struct db_statement *s;
    int64_t now;

    if (index_now(db, &now, call) < 0 || db_prepare(db, sql, &s, call) < 0)
        return -1;
    db_bind_text(s, 1, name);
    db_bind_int(s, 2, now);
    int row = db_step(s, call);
    if (row > 0)
        *ret = db_column_int(s, 0);
    db_reset(s);
    return row < 0 ? -1 : 0;
}

static int remove_it(struct db *db, void *argument, struct call *call)
{
    const struct task *task = argument;
    auto_account_row struct account_row row = account_row_new();
    int64_t containers = 0;

    row.name = xstrdup(task->name);
    int found = row_lock(db, &account_table, &row, call);
    if (found <= 0)
        return found < 0 ? -1 : missing(db, task->name, call);
    if (count_containers(db, task->name, &containers, call) < 0)
        return -1;
    if (containers)
        return err_set(&call->err, ERR_CONFLICT,
                       "account '%s' has %" PRId64 " container%s (soft-deleted ones count): delete "
                       "them first, or shut it with bascule account set %s disabled=true",
                       task->name, containers, containers == 1 ? "" : "s", task->name);
    return row_delete(db, &account_table, &row, call) < 0
               ? -1
               : deed_note(db, "account_removed", row.name, NULL, call);
}

int account_remove(struct index *index, const char *name, struct call *call)
{
    struct task task = {.name = name};

    return write_and_settle(index, remove_it, &task, call);
}

/* ---- All of them ---- */

void account_rows_release(struct account_rows *l)
{
    for (size_t i = 0; i < l->count; i++)
        account_row_release(&l->list[i]);
    free(l->list);
    free(l->containers);
    *l = (struct account_rows){0};
}

static int list_all(struct db *db, void *argument, struct call *call)
{
    struct account_rows *l = argument;
    auto_free char *columns = row_columns(&account_table, NULL);
    auto_free char *sql =
        xasprintf("SELECT %s FROM account ORDER BY name LIMIT %d", columns, LIST_MAX);
    struct db_statement *s;
    int row;

    account_rows_release(l);
    if (db_prepare(db, sql, &s, call) < 0)
        return -1;
    while ((row = db_step(s, call)) > 0) {
        l->list = xrealloc(l->list, l->count + 1, sizeof(*l->list));
        l->containers = xrealloc(l->containers, l->count + 1, sizeof(*l->containers));
        l->list[l->count] = account_row_new();
        l->containers[l->count] = 0;
        row_read(&account_table, s, 0, &l->list[l->count++]);
    }
    db_reset(s);
    for (size_t i = 0; row == 0 && i < l->count; i++)
        row = count_containers(db, l->list[i].name, &l->containers[i], call);
    return row;
}

int account_list(struct index *index, struct account_rows *ret, struct call *call)
{
    struct account_rows rows = {0};

    if (index_read(index, list_all, &rows, call) < 0) {
        account_rows_release(&rows);
        return -1;
    }
    *ret = rows;
    return 0;
}

/* ---- Connection strings ---- */

char *account_connection_string(const struct serve_config *serve, const struct account_row *row,
                                const char *key)
{
    auto_free char *url = serve_url_of(serve, row->name);
    auto_free char *other_name = xasprintf("%s-secondary", row->name);
    auto_free char *other = serve_url_of(serve, other_name);
    bool tls = strncmp(url, "https:", 6) == 0;

    return xasprintf("DefaultEndpointsProtocol=%s;AccountName=%s;AccountKey=%s;BlobEndpoint=%s;"
                     "BlobSecondaryEndpoint=%s;",
                     tls ? "https" : "http", row->name, key, url, other);
}
