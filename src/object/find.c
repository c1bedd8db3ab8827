// SPDX-License-Identifier: EUPL-1.2
/*
 * Finding objects by their tags: see list.h.
 *
 * One comparison (or range) of the expression walks the index of tags, container by container; the
 * others are judged on the rows it finds.  An equality walks before a range: it is the narrower one
 * as a rule.
 */
#include <string.h>

#include "codec/base64.h"
#include "object/list.h"
#include "object/object_private.h"
#include "object/tags.h"

#define BATCH      100
#define MARKER_MAX (16 * 1024)

void found_list_release(struct found_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->list[i].container);
        free(l->list[i].name);
        free(l->list[i].tags);
        free(l->list[i].version);
    }
    free(l->list);
    free(l->next);
    *l = (struct found_list){0};
}

struct candidate {
    char *value;
    int64_t object;
};

struct finder {
    struct db *db;
    const char *account;
    const char *only; /* the one container asked about, or NULL */
    const struct tag_expression *expression;
    const char *key; /* of the walk */
    const char *lower;
    const char *upper; /* NULL: no bound */
    int64_t now;
    /* Where the walk is: behind this value and object of this container. */
    char *container;
    int64_t container_id;
    char *value;
    int64_t object;
    struct candidate batch[BATCH];
    size_t count;
    size_t next;
    bool last; /* no more in this container */
};

static void batch_drop(struct finder *f)
{
    for (size_t i = 0; i < f->count; i++)
        free(f->batch[i].value);
    f->count = f->next = 0;
}

static void finder_free_p(struct finder **at)
{
    struct finder *f = *at;

    batch_drop(f);
    free(f->container);
    free(f->value);
    free(f);
}

/* ---- Where it goes on: container, object and value, none of them with a NUL ---- */

static char *marker_write(const struct finder *f)
{
    size_t room = strlen(f->container) + strlen(f->value) + 32;
    auto_buf struct buf plain = BUF_INIT(room);
    auto_buf struct buf text = BUF_INIT(BASE64_SIZE(room) + 1);

    buf_printf(&plain, "%s/%lld/", f->container, (long long)f->object);
    buf_text(&plain, f->value);
    base64url_encode(&text, plain.data, plain.length);
    return buf_take(&text);
}

static int marker_read(struct finder *f, const char *marker, struct err *e)
{
    auto_buf struct buf plain = BUF_INIT(MARKER_MAX);
    char *object = NULL, *value = NULL;

    if (base64url_decode(marker, strlen(marker), &plain, e) == 0 &&
        strlen(plain.data) == plain.length && (object = strchr(plain.data, '/')))
        value = strchr(object + 1, '/');
    if (!value)
        return fault_set(e, FAULT_ARGUMENT, "the marker is none that a search gave");
    *object++ = *value++ = '\0';
    f->container = xstrdup(plain.data);
    f->object = strtoll(object, NULL, 10);
    f->value = xstrdup(value);
    return 0;
}

/* ---- The walk ---- */

/* The comparison to walk along: its key, and the bounds all comparisons of that key give. */
static int choose_key(struct finder *f, struct err *e)
{
    size_t count;
    const struct tag_term *terms = tag_expression_terms(f->expression, &count);
    const struct tag_term *best = NULL;

    for (size_t i = 0; i < count; i++)
        if (terms[i].key &&
            (!best || (best->operator!= TAG_EQUAL && terms[i].operator== TAG_EQUAL)))
            best = &terms[i];
    if (!best)
        return fault_set(e, FAULT_ARGUMENT, "the expression names no tag to look for");
    f->key = best->key;
    f->lower = "";
    for (size_t i = 0; i < count; i++) {
        if (!same_string(terms[i].key, f->key))
            continue;
        if (terms[i].operator!= TAG_LESS && terms[i].operator!= TAG_AT_MOST)
            f->lower = terms[i].value;
        if (terms[i].operator!= TAG_GREATER && terms[i].operator!= TAG_AT_LEAST)
            f->upper = terms[i].value;
    }
    return 0;
}

static void container_start(struct finder *f)
{
    batch_drop(f);
    replace_string(&f->value, f->lower);
    f->object = INT64_MIN;
    f->last = false;
}

/* The container with this name, or (next) the first one behind it: 1, 0, -1. */
static int container_go(struct finder *f, const char *name, bool next, struct call *call)
{
    struct db_statement *find;

    if (db_prepare(f->db,
                   next ? "SELECT id, name FROM container WHERE account = ?1 AND name > ?2 AND "
                          "deleted IS NULL ORDER BY name LIMIT 1"
                        : "SELECT id, name FROM container WHERE account = ?1 AND name = ?2 AND "
                          "deleted IS NULL",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_text(find, 1, f->account);
    db_bind_text(find, 2, name);
    int row = db_step(find, call);
    if (row > 0) {
        f->container_id = db_column_int(find, 0);
        replace_string(&f->container, db_column_text(find, 1));
    }
    return row;
}

static int batch_fill(struct finder *f, struct call *call)
{
    struct db_statement *find;
    int row;

    if (db_prepare(f->db,
                   f->upper ? "SELECT value, object FROM tag WHERE container = ?1 AND key = ?2 AND "
                              "(value, object) > (?3, ?4) AND value <= ?6 "
                              "ORDER BY value, object LIMIT ?5"
                            : "SELECT value, object FROM tag WHERE container = ?1 AND key = ?2 AND "
                              "(value, object) > (?3, ?4) ORDER BY value, object LIMIT ?5",
                   &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, f->container_id);
    db_bind_text(find, 2, f->key);
    db_bind_text(find, 3, f->value);
    db_bind_int(find, 4, f->object);
    db_bind_int(find, 5, BATCH);
    if (f->upper)
        db_bind_text(find, 6, f->upper);
    batch_drop(f);
    while ((row = db_step(find, call)) > 0)
        f->batch[f->count++] =
            (struct candidate){xstrdup(db_column_text(find, 0)), db_column_int(find, 1)};
    f->last = f->count < BATCH;
    return row;
}

/* The next candidate: 1 (f->value and f->object are its), 0 no more, -1. */
static int candidate_next(struct finder *f, struct call *call)
{
    while (f->next == f->count) {
        if (f->last) {
            int found = f->only ? 0 : container_go(f, f->container, true, call);
            if (found <= 0)
                return found;
            container_start(f);
        }
        if (batch_fill(f, call) < 0)
            return -1;
    }
    struct candidate *c = &f->batch[f->next++];
    replace_string(&f->value, c->value);
    f->object = c->object;
    return 1;
}

/* ---- What was found ---- */

static char *named_tags(const struct finder *f, const struct pairs *tags)
{
    auto_pairs struct pairs named = PAIRS_INIT;
    size_t count;
    const struct tag_term *terms = tag_expression_terms(f->expression, &count);

    for (size_t i = 0; i < tags->count; i++)
        for (size_t k = 0; k < count; k++)
            if (same_string(terms[k].key, tags->list[i].key)) {
                pairs_add(&named, tags->list[i].key, tags->list[i].value);
                break;
            }
    return pairs_to_json(&named);
}

/* 1 when the candidate is found, 0 when it is none. */
static int judge(struct finder *f, struct found_object *ret, struct call *call)
{
    auto_object_row struct object_row o = object_row_new();
    auto_pairs struct pairs tags = PAIRS_INIT;

    o.id = f->object;
    int row = row_find(f->db, &object_table, &o, call);
    if (row <= 0)
        return row;
    bool gone = o.goes_at != TIME_UNKNOWN && o.goes_at <= f->now;
    if (!o.current || o.deleted != TIME_UNKNOWN || o.marker || gone)
        return 0;
    if (pairs_from_json(o.tags, &tags, &call->err) < 0)
        return -1;
    if (!tag_expression_matches(f->expression, &tags, f->container))
        return 0;
    *ret = (struct found_object){.container = xstrdup(f->container),
                                 .name = xstrdup(o.name),
                                 .tags = named_tags(f, &tags),
                                 .version = o.versioned ? xstrdup_null(o.version) : NULL};
    return 1;
}

static void add_found(struct found_list *l, const struct found_object *found)
{
    if (l->count == l->size) {
        l->size = l->size ? 2 * l->size : 16;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    l->list[l->count++] = *found;
}

struct find_task {
    const char *account;
    const char *container;
    const struct tag_expression *expression;
    const char *marker;
    unsigned limit;
    struct found_list *ret;
};

/* The container an "@container = 'x'" asks for, or NULL. */
static const char *container_asked(const struct tag_expression *x)
{
    size_t count;
    const struct tag_term *terms = tag_expression_terms(x, &count);

    for (size_t i = 0; i < count; i++)
        if (!terms[i].key)
            return terms[i].value;
    return NULL;
}

/* 1 at the first container to walk, 0 when there is none. */
static int find_begin(struct finder *f, const struct find_task *task, struct call *call)
{
    f->only = task->container ? task->container : container_asked(task->expression);
    if (choose_key(f, &call->err) < 0)
        return -1;
    bool resumed = task->marker && *task->marker;
    if (resumed) {
        if (marker_read(f, task->marker, &call->err) < 0)
            return -1;
        if (f->only && strcmp(f->only, f->container) != 0)
            return fault_set(&call->err, FAULT_ARGUMENT, "the marker is of another search");
    }
    auto_free char *name = xstrdup(resumed ? f->container : f->only ? f->only : "");
    int found = container_go(f, name, !resumed && !f->only, call);
    if (found == 0 && resumed && !f->only) {
        /* The container is gone meanwhile. */
        found = container_go(f, name, true, call);
        resumed = false;
    }
    if (found > 0 && !resumed)
        container_start(f);
    return found;
}

static int find_read(struct db *db, void *argument, struct call *call)
{
    const struct find_task *task = argument;
    cleanup(finder_free_p) struct finder *f = xcalloc(1, sizeof(*f));
    auto_container_row struct container_row c = container_row_new();
    auto_free char *behind = NULL;
    int found;

    found_list_release(task->ret);
    f->db = db;
    f->account = task->account;
    f->expression = task->expression;
    if (index_now(db, &f->now, call) < 0 ||
        (task->container &&
         container_find(db, task->account, task->container, false, &c, call) < 0))
        return -1;
    found = find_begin(f, task, call);
    if (found <= 0)
        return found;
    while ((found = candidate_next(f, call)) > 0) {
        struct found_object object;
        int matches = judge(f, &object, call);
        if (matches < 0)
            return -1;
        if (!matches)
            continue;
        if (task->ret->count == task->limit) {
            free(object.container);
            free(object.name);
            free(object.tags);
            free(object.version);
            task->ret->next = take(behind);
            return 0;
        }
        add_found(task->ret, &object);
        free(behind);
        behind = marker_write(f);
    }
    return found;
}

int service_find_by_tags(struct service *service, const char *account, const char *container,
                         const char *where, const char *marker, unsigned limit,
                         struct found_list *ret, struct call *call)
{
    auto_tag_expression struct tag_expression *x = NULL;
    auto_found struct found_list found = {0};

    if (tag_expression_parse(where, TAGS_FIND, &x, &call->err) < 0)
        return -1;
    struct find_task task = {account, container, x, marker, limit ? limit : 1, &found};
    if (service_read_index(service, find_read, &task, call) < 0)
        return -1;
    *ret = found;
    found = (struct found_list){0};
    return 0;
}
