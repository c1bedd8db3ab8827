// SPDX-License-Identifier: EUPL-1.2
/* What operators do, on its way to an audit log: see deeds.h. */
#include "cli/deeds.h"

#include <inttypes.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "codec/json.h"

/* In table meta, under "deed." and a number that rises. */
#define PREFIX   "deed."
#define TEXT_MAX ((size_t)16 * 1024)
/* Taken in one transaction. */
#define TAKEN_MAX 64

/* "operator:alice@host"; who came by sudo is told by that too. */
static char *operator_name(void)
{
    char host[200] = "";
    const struct passwd *user = getpwuid(getuid());
    const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    auto_free char *number = xasprintf("%lu", (unsigned long)getuid());

    if (gethostname(host, sizeof(host) - 1) < 0)
        host[0] = '\0';
    return xasprintf("operator:%s%s%s@%s", user ? user->pw_name : number, sudo ? "+sudo:" : "",
                     sudo ? sudo : "", host);
}

int deed_note(struct db *db, const char *event, const char *resource, const char *detail,
              struct call *call)
{
    auto_free char *who = operator_name();
    auto_free char *key = xasprintf(PREFIX "%019" PRId64, index_new_id());
    auto_buf struct buf text = BUF_INIT(TEXT_MAX);
    int64_t now;

    if (index_now(db, &now, call) < 0)
        return -1;
    auto_json json_t *deed =
        json_pack("{s:s,s:s,s:s,s:s*,s:I}", "event", event, "principal", who, "resource", resource,
                  "detail", detail, "time", (json_int_t)now);
    if (!deed)
        return err_set(&call->err, ERR_INVALID, "'%s' cannot be told in an audit log: no UTF-8",
                       event);
    return json_write(&text, deed, &call->err) < 0 ? -1 : index_meta_set(db, key, text.data, call);
}

struct telling {
    const char *event, *resource, *detail;
};

static int tell(struct db *db, void *argument, struct call *call)
{
    const struct telling *t = argument;

    return deed_note(db, t->event, t->resource, t->detail, call);
}

int deed_tell(struct index *index, const char *event, const char *resource, const char *detail,
              struct call *call)
{
    struct telling telling = {event, resource, detail};

    return index_write(index, INDEX_DURABLE, tell, &telling, call);
}

/* ---- Into the log ---- */

struct deeds {
    struct audit *log;
    struct pairs list; /* key and text */
};

static int list_deeds(struct db *db, void *argument, struct call *call)
{
    struct deeds *deeds = argument;
    struct db_statement *s;
    int row;

    pairs_release(&deeds->list);
    if (db_prepare(db,
                   "SELECT key, value FROM meta WHERE key > '" PREFIX "' AND key < '" PREFIX
                   "z' ORDER BY key LIMIT ?1",
                   &s, call) < 0)
        return -1;
    db_bind_int(s, 1, TAKEN_MAX);
    while ((row = db_step(s, call)) > 0)
        pairs_add(&deeds->list, db_column_text(s, 0), db_column_text(s, 1));
    db_reset(s);
    return row;
}

static int write_down(struct audit *log, const char *number, const char *text, struct err *e)
{
    auto_json json_t *deed = NULL;
    auto_pairs struct pairs details = {0};

    if (json_parse(text, strlen(text), &deed, e) < 0)
        return err_prefix(e, "deed %s", number);
    pairs_add(&details, "number", number);
    if (json_text(deed, "detail"))
        pairs_add(&details, "detail", json_text(deed, "detail"));
    const struct audit_event event = {
        .event = json_text(deed, "event"),
        .principal = json_text(deed, "principal"),
        .action = "command",
        .resource = json_text(deed, "resource"),
        .details = &details,
        .time = json_integer_value(json_object_get(deed, "time")),
    };
    return audit_write(log, &event, e);
}

/* Another gateway may take the same ones: whoever takes the row away writes it down. */
static int take_deeds(struct db *db, void *argument, struct call *call)
{
    struct deeds *deeds = argument;

    for (size_t i = 0; i < deeds->list.count; i++) {
        const struct pair *deed = &deeds->list.list[i];
        struct db_statement *s;
        int64_t taken;
        if (db_prepare(db, "DELETE FROM meta WHERE key = ?1", &s, call) < 0)
            return -1;
        db_bind_text(s, 1, deed->key);
        if (db_run(s, &taken, call) < 0 ||
            (taken == 1 &&
             write_down(deeds->log, deed->key + strlen(PREFIX), deed->value, &call->err) < 0))
            return -1;
    }
    return 0;
}

int deeds_take(struct index *index, struct audit *log, struct call *call)
{
    struct deeds deeds = {.log = log};
    int result = index_read(index, list_deeds, &deeds, call);

    if (result == 0 && deeds.list.count > 0)
        result = index_write(index, INDEX_DURABLE, take_deeds, &deeds, call);
    pairs_release(&deeds.list);
    return result;
}
