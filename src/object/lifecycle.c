// SPDX-License-Identifier: EUPL-1.2
/*
 * Lifecycle rules: what a bucket's setting "lifecycle" says shall go by itself.
 *
 *     [{"id", "enabled", "prefix", "tags": [[k, v]], "larger", "smaller",
 *       "days" | "date", "marker", "noncurrent_days", "noncurrent_keep", "abort_days"}]
 *
 * Days end at midnight UTC, as S3 has them.  Each object goes in a transaction of its own, as if
 * its owner deleted it, on condition that it is still what was looked at: locks, holds and leases
 * keep it.  A gateway looks once in LIFECYCLE_EVERY.
 */
#include <string.h>

#include "codec/json.h"
#include "object/block.h"
#include "object/lifecycle.h"
#include "object/sweep.h"
#include "object/tags.h"
#include "object/write.h"

#define LIFECYCLE_EVERY (3600 * CLOCK_SECOND)
#define DAY             (24 * 3600 * CLOCK_SECOND)

/* One rule on its way through one bucket. */
struct rule_walk {
    struct service *service;
    const struct container_row *container;
    const json_t *rule;
    const char *prefix;
    const char *where; /* which rows, besides container and name */
    int64_t before;    /* ?4 */
    char *before_id;   /* ?5: as a version id */
    int64_t keep;      /* ?6 */
    char *after;       /* name of the last row seen, and its version */
    char *after_version;
    struct object_row rows[SWEEP_BATCH];
    size_t count;
};

static void rows_release(struct rule_walk *w)
{
    for (size_t i = 0; i < w->count; i++)
        object_row_release(&w->rows[i]);
    w->count = 0;
}

static void walk_release(struct rule_walk *w)
{
    rows_release(w);
    free(w->before_id);
    free(w->after);
    free(w->after_version);
}

static int read_batch(struct db *db, void *argument, struct call *call)
{
    struct rule_walk *w = argument;
    struct db_statement *find;
    int row;

    rows_release(w);
    if (select_rows(db, &object_table, w->where, &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, w->container->id);
    bind_name(find, 2, w->after ? w->after : w->prefix);
    db_bind_text(find, 3, w->after ? w->after_version : "");
    db_bind_int(find, 4, w->before);
    db_bind_text(find, 5, w->before_id);
    db_bind_int(find, 6, w->keep);
    db_bind_int(find, 7, SWEEP_BATCH);
    while ((row = db_step(find, call)) > 0) {
        w->rows[w->count] = object_row_new();
        row_read(&object_table, find, 0, &w->rows[w->count++]);
    }
    return row;
}

static bool tags_fit(const json_t *wanted, const char *json)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err aside = {0};

    if (json_array_size(wanted) == 0)
        return true;
    if (pairs_from_json(json, &tags, &aside) < 0)
        return false;
    for (size_t i = 0; i < json_array_size(wanted); i++) {
        const json_t *tag = json_array_get(wanted, i);
        const char *key = json_string_value(json_array_get(tag, 0));
        const char *value = key ? pairs_get(&tags, key) : NULL;
        if (!value || !same_string(value, json_string_value(json_array_get(tag, 1))))
            return false;
    }
    return true;
}

static bool row_fits(const json_t *rule, const struct object_row *o)
{
    int64_t larger, smaller;

    if (json_number(rule, "larger", &larger) && o->size <= larger)
        return false;
    if (json_number(rule, "smaller", &smaller) && o->size >= smaller)
        return false;
    return tags_fit(json_object_get(rule, "tags"), o->tags);
}

int64_t lifecycle_expiry(const json_t *rule, const struct object_row *o)
{
    const char *prefix = json_text(rule, "prefix");
    int64_t days, date;

    if (!json_bool(rule, "enabled", false) ||
        (prefix && strncmp(o->name, prefix, strlen(prefix)) != 0) || !row_fits(rule, o))
        return TIME_UNKNOWN;
    if (json_number(rule, "days", &days))
        return (o->modified / DAY + days + 1) * DAY;
    return json_number(rule, "date", &date) ? date : TIME_UNKNOWN;
}

/* What keeps it from going is no failure of the sweep. */
static int delete_row(struct rule_walk *w, const struct object_row *o, bool version,
                      struct call *call)
{
    auto_delete_result struct delete_result result = {0};
    struct delete_request request = {
        .place = {.account = w->container->account,
                  .container = w->container->name,
                  .name = o->name,
                  .kind = version ? VERSION_ID : VERSION_CURRENT,
                  .version = version ? o->version : NULL},
        .conditions = CONDITIONS_INIT,
        .snapshots = DELETE_INCLUDE,
        .make_marker = true,
    };

    if (!version)
        request.conditions.if_match = o->etag;
    if (service_delete(w->service, &request, &result, call) == 0)
        return 0;
    if (call->err.fault == FAULT_NONE || call->err.fault == FAULT_STORE)
        return -1;
    err_clear(&call->err);
    return 0;
}

/* Every row the walk's statement finds, in order of names and versions. */
static int walk(struct rule_walk *w, bool version, struct call *call)
{
    do {
        if (call_check(call) < 0 || service_read_index(w->service, read_batch, w, call) < 0)
            return -1;
        for (size_t i = 0; i < w->count; i++) {
            const struct object_row *o = &w->rows[i];
            if (strncmp(o->name, w->prefix, strlen(w->prefix)) != 0)
                return 0;
            if (row_fits(w->rule, o) && delete_row(w, o, version, call) < 0)
                return -1;
        }
        if (w->count) {
            replace_string(&w->after, w->rows[w->count - 1].name);
            replace_string(&w->after_version, w->rows[w->count - 1].version);
        }
    } while (w->count == SWEEP_BATCH);
    return 0;
}

#define IN_ORDER                                                                       \
    "AND (name > ?2 OR (name = ?2 AND version > ?3)) AND deleted IS NULL AND ?4 = ?4 " \
    "AND ?5 = ?5 AND ?6 = ?6 ORDER BY name, version LIMIT ?7"

static const char expired_rows[] =
    "WHERE container = ?1 AND current = 1 AND state = 0 AND marker = 0 AND modified < ?4 " IN_ORDER;
static const char noncurrent_rows[] =
    "WHERE container = ?1 AND current = 0 AND state = 0 AND EXISTS (SELECT 1 FROM object later "
    "WHERE later.container = ?1 AND later.name = object.name AND later.state = 0 AND "
    "later.version > object.version AND later.version < ?5) AND (SELECT COUNT(*) FROM object newer "
    "WHERE newer.container = ?1 AND newer.name = object.name AND newer.state = 0 AND newer.current "
    "= 0 AND newer.version > object.version) >= ?6 " IN_ORDER;
static const char lone_markers[] =
    "WHERE container = ?1 AND current = 1 AND state = 0 AND marker = 1 AND NOT EXISTS (SELECT 1 "
    "FROM object other WHERE other.container = ?1 AND other.name = object.name AND other.id <> "
    "object.id) " IN_ORDER;

static int run(struct service *service, const struct container_row *container, const json_t *rule,
               const char *where, int64_t before, int64_t keep, bool version, struct call *call)
{
    cleanup(walk_release) struct rule_walk w = {.service = service,
                                                .container = container,
                                                .rule = rule,
                                                .prefix = json_text(rule, "prefix"),
                                                .where = where,
                                                .before = before,
                                                .before_id = version_of(before),
                                                .keep = keep};
    if (!w.prefix)
        w.prefix = "";
    return walk(&w, version, call);
}

static int abort_uploads(struct service *service, const struct container_row *c, const json_t *rule,
                         int64_t before, struct call *call)
{
    auto_upload_rows struct upload_rows rows = {0};
    auto_free char *name = NULL, *upload = NULL;

    do {
        if (service_upload_list(service, c->account, c->name, json_text(rule, "prefix"), name,
                                upload, SWEEP_BATCH, &rows, call) < 0)
            return -1;
        for (size_t i = 0; i < rows.count; i++) {
            const struct upload_row *u = &rows.list[i];
            const struct place place = {
                .account = c->account, .container = c->name, .name = u->name};
            replace_string(&name, u->name);
            replace_string(&upload, u->upload);
            if (u->created >= before || service_upload_abort(service, &place, upload, call) == 0)
                continue;
            if (call->err.fault != FAULT_UPLOAD_MISSING)
                return -1;
            err_clear(&call->err);
        }
    } while (rows.more && rows.count);
    return 0;
}

/* So many whole days ago, at midnight. */
static int64_t midnight(int64_t now, int64_t days)
{
    return (now / DAY - days) * DAY;
}

static int apply(struct service *service, const struct container_row *c, const json_t *rule,
                 int64_t now, struct call *call)
{
    int64_t days, date, keep = 0;

    if (!json_bool(rule, "enabled", false))
        return 0;
    if (json_number(rule, "days", &days) &&
        run(service, c, rule, expired_rows, midnight(now, days), 0, false, call) < 0)
        return -1;
    if (json_number(rule, "date", &date) && date <= now &&
        run(service, c, rule, expired_rows, now, 0, false, call) < 0)
        return -1;
    (void)json_number(rule, "noncurrent_keep", &keep);
    if (json_number(rule, "noncurrent_days", &days) &&
        run(service, c, rule, noncurrent_rows, midnight(now, days), keep, true, call) < 0)
        return -1;
    if (json_bool(rule, "marker", false) &&
        run(service, c, rule, lone_markers, now, 0, true, call) < 0)
        return -1;
    if (json_number(rule, "abort_days", &days))
        return abort_uploads(service, c, rule, midnight(now, days), call);
    return 0;
}

/* ---- Buckets that have rules ---- */

struct bucket_walk {
    int64_t after;
    struct container_row row;
    int64_t now;
    bool found;
};

static int next_bucket(struct db *db, void *argument, struct call *call)
{
    struct bucket_walk *w = argument;
    struct db_statement *find;

    if (index_now(db, &w->now, call) < 0 ||
        select_rows(db, &container_table,
                    "WHERE id > ?1 AND deleted IS NULL AND settings LIKE '%\"lifecycle\":%' "
                    "ORDER BY id LIMIT 1",
                    &find, call) < 0)
        return -1;
    db_bind_int(find, 1, w->after);
    int row = select_one(&container_table, find, &w->row, call);
    w->found = row > 0;
    return row < 0 ? -1 : 0;
}

static int apply_all(struct service *service, const struct bucket_walk *w, struct call *call)
{
    auto_json json_t *settings = NULL;

    if (json_parse(w->row.settings, strlen(w->row.settings), &settings, &call->err) < 0)
        return -1;
    const json_t *rules = json_object_get(settings, "lifecycle");
    for (size_t i = 0; i < json_array_size(rules); i++)
        if (apply(service, &w->row, json_array_get(rules, i), w->now, call) < 0)
            return -1;
    return 0;
}

int sweep_lifecycle(struct service *service, struct call *call)
{
    int64_t now = clock_monotonic();
    int64_t due = atomic_load(&service->lifecycle_due);
    struct bucket_walk w = {.after = INT64_MIN, .row = container_row_new()};
    int done = 0;

    if (now < due ||
        !atomic_compare_exchange_strong(&service->lifecycle_due, &due, now + LIFECYCLE_EVERY))
        return 0;
    do {
        done = service_read_index(service, next_bucket, &w, call);
        if (done == 0 && w.found) {
            done = apply_all(service, &w, call);
            w.after = w.row.id;
        }
    } while (done == 0 && w.found);
    container_row_release(&w.row);
    /* What did not fit is for the next sweep. */
    if (done < 0)
        atomic_store(&service->lifecycle_due, 0);
    return done < 0 ? err_prefix(&call->err, "apply lifecycle rules") : 0;
}
