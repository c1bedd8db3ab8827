// SPDX-License-Identifier: EUPL-1.2
/*
 * Listing objects: see list.h.
 *
 * A lister walks table object in the order of its index (container, name, current, version), which
 * is the order of Azure's listings: the versions and snapshots of a name, oldest first, then the
 * current one.  Batches begin where the last one ended; a common prefix is left behind by beginning
 * the next batch after everything that starts with it.
 */
#include "object/list.h"

#include <string.h>

#include "object/list_place.h"
#include "object/object_private.h"

#define BATCH_FIRST 16 /* with a delimiter most of a batch may be of one prefix */
#define BATCH_MAX   256
#define VERSION_MAX "~" /* greater than any */

void listing_release(struct listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->list[i].prefix);
        object_row_release(&l->list[i].object);
    }
    free(l->list);
    free(l->next);
    container_row_release(&l->container);
    *l = (struct listing){.container = container_row_new()};
}

struct lister {
    struct db *db;
    const struct listing_options *options;
    int64_t container;
    int64_t now;
    struct list_place place; /* where the next batch begins */
    char *upper;             /* names are less than this; NULL: no bound */
    char *uncommitted;       /* the next name with staged blocks only; NULL: not looked for yet */
    char *uncommitted_from;  /* look from here on; NULL: there are no more */
    char *asked;             /* the name has_current() knows about */
    bool asked_current;
    struct object_row batch[BATCH_MAX];
    size_t count;
    size_t next;
    unsigned batch_size;
    bool last; /* no rows after this batch */
};

static void batch_drop(struct lister *l)
{
    for (; l->next < l->count; l->next++)
        object_row_release(&l->batch[l->next]);
    l->count = l->next = 0;
}

static void lister_free(struct lister *l)
{
    batch_drop(l);
    list_place_release(&l->place);
    free(l->upper);
    free(l->uncommitted);
    free(l->uncommitted_from);
    free(l->asked);
    free(l);
}

static void lister_free_p(struct lister **l)
{
    lister_free(*l);
}

/* ---- The rows ---- */

/* Which rows are listed; ?2 is now. */
static void add_filter(struct buf *sql, unsigned include)
{
    buf_text(sql, "WHERE container = ?1 AND (goes_at IS NULL OR goes_at > ?2)");
    if (!(include & LISTING_VERSIONS))
        buf_text(sql, include & LISTING_SNAPSHOTS ? " AND (current = 1 OR state = 1)"
                                                  : " AND current = 1");
    else if (!(include & LISTING_SNAPSHOTS))
        buf_text(sql, " AND state = 0");
    if (!(include & LISTING_VERSIONS))
        buf_text(sql, " AND marker = 0");
    if (!(include & LISTING_DELETED))
        buf_text(sql, " AND deleted IS NULL");
}

/* Newest first, each name is walked on its own: no index has that order over all names. */
enum part { PART_ALL, PART_CURRENT, PART_OF_NAME, PART_NEXT_NAME };

static void add_bounds(struct buf *sql, const struct lister *l, enum part part)
{
    static const char *const parts[] = {
        [PART_ALL] = " AND (name, current, version) > (?3, ?4, ?5)",
        [PART_CURRENT] = " AND name >= ?3",
        [PART_OF_NAME] = " AND name = ?3 AND (current, version) < (?4, ?5)",
        [PART_NEXT_NAME] = " AND name > ?3",
    };
    static const char *const orders[] = {
        [PART_ALL] = " ORDER BY name, current, version LIMIT ?6",
        [PART_CURRENT] = " ORDER BY name LIMIT ?6",
        [PART_OF_NAME] = " ORDER BY current DESC, version DESC LIMIT ?6",
        [PART_NEXT_NAME] = " ORDER BY name LIMIT ?6",
    };

    buf_text(sql, parts[part]);
    if (l->upper)
        buf_text(sql, " AND name < ?7");
    buf_text(sql, orders[part]);
}

/* The place as the comparisons of a part want it. */
static void bind_place(struct db_statement *find, const struct lister *l, enum part part)
{
    const struct list_place *p = &l->place;
    bool newest = l->options->newest_first;

    if (part == PART_CURRENT && p->kind != PLACE_AT) {
        /* The least name greater than this one. */
        auto_free char *next = xasprintf("%s\001", p->name);
        bind_name(find, 3, next);
        return;
    }
    bind_name(find, 3, p->name);
    if (part != PART_ALL && part != PART_OF_NAME)
        return;
    if (p->kind == PLACE_ROW) {
        db_bind_int(find, 4, p->current);
        db_bind_text(find, 5, p->version);
    } else {
        bool low = (p->kind == PLACE_AT) != newest;
        db_bind_int(find, 4, low ? -1 : 2);
        db_bind_text(find, 5, low ? "" : VERSION_MAX);
    }
}

static int batch_select(struct lister *l, enum part part, unsigned limit, struct call *call)
{
    auto_buf struct buf sql = BUF_INIT(1024);
    struct db_statement *find;
    int row;

    add_filter(&sql, l->options->include);
    add_bounds(&sql, l, part);
    if (select_rows(l->db, &object_table, sql.data, &find, call) < 0)
        return -1;
    auto_statement struct db_statement *guard = find;
    db_bind_int(find, 1, l->container);
    db_bind_int(find, 2, l->now);
    bind_place(find, l, part);
    db_bind_int(find, 6, limit);
    if (l->upper)
        bind_name(find, 7, l->upper);
    batch_drop(l);
    while ((row = db_step(find, call)) > 0) {
        l->batch[l->count] = object_row_new();
        row_read(&object_table, find, 0, &l->batch[l->count++]);
    }
    return row;
}

/* Newest first: the rest of this name, or the place before the next one and an empty batch. */
static int batch_newest(struct lister *l, struct call *call)
{
    if (batch_select(l, PART_OF_NAME, l->batch_size, call) < 0)
        return -1;
    if (l->count > 0)
        return 0;
    if (batch_select(l, PART_NEXT_NAME, 1, call) < 0)
        return -1;
    l->last = l->count == 0;
    if (!l->last)
        list_place_set(&l->place, PLACE_AT, l->batch[0].name, 0, NULL);
    batch_drop(l);
    return 0;
}

static int batch_fill(struct lister *l, struct call *call)
{
    const struct listing_options *o = l->options;
    bool plain = !(o->include & (LISTING_VERSIONS | LISTING_SNAPSHOTS));

    if (o->newest_first && !plain) {
        if (batch_newest(l, call) < 0)
            return -1;
    } else {
        if (batch_select(l, plain ? PART_CURRENT : PART_ALL, l->batch_size, call) < 0)
            return -1;
        l->last = l->count < l->batch_size;
    }
    if (l->count > 0) {
        const struct object_row *end = &l->batch[l->count - 1];
        list_place_set(&l->place, PLACE_ROW, end->name, end->current, end->version);
    }
    l->batch_size = l->batch_size < BATCH_MAX / 2 ? 2 * l->batch_size : BATCH_MAX;
    return 0;
}

/* The next row without taking it; *ret NULL: there is none. */
static int peek_row(struct lister *l, struct object_row **ret, struct call *call)
{
    while (l->next == l->count) {
        if (l->last) {
            *ret = NULL;
            return 0;
        }
        if (batch_fill(l, call) < 0)
            return -1;
    }
    *ret = &l->batch[l->next];
    return 0;
}

/* ---- Names that have staged blocks only ---- */

#define UNCOMMITTED                                                                              \
    "SELECT name FROM block WHERE container = ?1 AND name >= ?2 AND upload = '' AND NOT EXISTS " \
    "(SELECT 1 FROM object WHERE object.container = block.container AND "                        \
    "object.name = block.name AND object.current = 1 AND object.deleted IS NULL AND "            \
    "object.marker = 0)"

static int peek_uncommitted(struct lister *l, const char **ret, struct call *call)
{
    struct db_statement *find;

    if (!l->uncommitted && l->uncommitted_from) {
        if (db_prepare(l->db,
                       l->upper ? UNCOMMITTED " AND name < ?3 ORDER BY name LIMIT 1"
                                : UNCOMMITTED " ORDER BY name LIMIT 1",
                       &find, call) < 0)
            return -1;
        auto_statement struct db_statement *guard = find;
        db_bind_int(find, 1, l->container);
        bind_name(find, 2, l->uncommitted_from);
        if (l->upper)
            bind_name(find, 3, l->upper);
        int row = db_step(find, call);
        if (row < 0)
            return -1;
        size_t n;
        if (row > 0)
            l->uncommitted = xstrdup(db_column_blob(find, 0, &n));
        else
            replace_string(&l->uncommitted_from, NULL);
    }
    *ret = l->uncommitted;
    return 0;
}

static void uncommitted_taken(struct lister *l)
{
    free(l->uncommitted_from);
    l->uncommitted_from = xasprintf("%s\001", l->uncommitted);
    replace_string(&l->uncommitted, NULL);
}

/* ---- Entries ---- */

static struct listing_entry *add_entry(struct listing *ret)
{
    if (ret->count == ret->size) {
        ret->size = ret->size ? 2 * ret->size : 16;
        ret->list = xrealloc(ret->list, ret->size, sizeof(*ret->list));
    }
    ret->list[ret->count] = (struct listing_entry){.object = object_row_new()};
    return &ret->list[ret->count++];
}

/* The common prefix a name falls under: heap, or NULL. */
static char *prefix_of(const struct listing_options *o, const char *name)
{
    size_t skip = o->prefix ? strlen(o->prefix) : 0;

    if (!o->delimiter || !*o->delimiter)
        return NULL;
    const char *found = strstr(name + skip, o->delimiter);
    return found ? xstrndup(name, (size_t)(found - name) + strlen(o->delimiter)) : NULL;
}

/* Go on after everything that begins with this prefix. */
static void skip_prefix(struct lister *l, const char *prefix)
{
    auto_free char *after = list_successor(prefix);

    batch_drop(l);
    l->batch_size = BATCH_FIRST;
    l->last = !after;
    if (after)
        list_place_set(&l->place, PLACE_AT, after, 0, NULL);
    if (l->uncommitted && (!after || strcmp(l->uncommitted, after) < 0))
        replace_string(&l->uncommitted, NULL);
    if (l->uncommitted_from && !l->uncommitted)
        replace_string(&l->uncommitted_from, after);
}

/* Whether the name of a version or snapshot has a current object. */
static int has_current(struct lister *l, const char *name, bool *ret, struct call *call)
{
    struct db_statement *find;

    if (!same_string(l->asked, name)) {
        if (db_prepare(l->db,
                       "SELECT 1 FROM object WHERE container = ?1 AND name = ?2 AND current = 1 "
                       "AND deleted IS NULL AND marker = 0",
                       &find, call) < 0)
            return -1;
        auto_statement struct db_statement *guard = find;
        db_bind_int(find, 1, l->container);
        bind_name(find, 2, name);
        int row = db_step(find, call);
        if (row < 0)
            return -1;
        replace_string(&l->asked, name);
        l->asked_current = row > 0;
    }
    *ret = l->asked_current;
    return 0;
}

/* Takes the row out of the batch. */
static int take_row(struct lister *l, struct object_row *row, struct listing *ret,
                    struct list_place *behind, struct call *call)
{
    bool live = row->current && row->deleted == TIME_UNKNOWN && !row->marker, current = live;

    if (!live && has_current(l, row->name, &current, call) < 0)
        return -1;
    struct listing_entry *entry = add_entry(ret);
    entry->object = *row;
    entry->has_versions_only = !current;
    *row = object_row_new();
    l->next++;
    list_place_set(behind, PLACE_ROW, entry->object.name, entry->object.current,
                   entry->object.version);
    return 0;
}

static void take_uncommitted(struct lister *l, struct listing *ret, struct list_place *behind)
{
    struct listing_entry *entry = add_entry(ret);

    entry->object.container = l->container;
    entry->object.name = xstrdup(l->uncommitted);
    list_place_set(behind, PLACE_PAST, l->uncommitted, 0, NULL);
    uncommitted_taken(l);
}

static void take_prefix(struct lister *l, char *prefix, struct listing *ret,
                        struct list_place *behind)
{
    auto_free char *after = list_successor(prefix);

    skip_prefix(l, prefix);
    add_entry(ret)->prefix = prefix;
    list_place_set(behind, PLACE_AT, after ? after : prefix, 0, NULL);
}

/* One entry more; *ret_more false at the end or when the list is full. */
static int take_next(struct lister *l, struct listing *ret, struct list_place *behind,
                     bool *ret_more, struct call *call)
{
    struct object_row *row;
    const char *uncommitted;

    *ret_more = false;
    if (peek_row(l, &row, call) < 0 || peek_uncommitted(l, &uncommitted, call) < 0)
        return -1;
    if (!row && !uncommitted)
        return 0;
    bool staged = uncommitted && (!row || strcmp(uncommitted, row->name) < 0);
    auto_free char *prefix = prefix_of(l->options, staged ? uncommitted : row->name);
    if (prefix && same_string(prefix, l->options->after)) {
        skip_prefix(l, prefix);
        *ret_more = true;
        return 0;
    }
    if (ret->count == l->options->limit) {
        ret->next = list_place_write(behind);
        return 0;
    }
    *ret_more = true;
    if (prefix)
        take_prefix(l, take(prefix), ret, behind);
    else if (staged)
        take_uncommitted(l, ret, behind);
    else
        return take_row(l, row, ret, behind, call);
    return 0;
}

/* ---- The beginning ---- */

/* Behind one version of a name, whether or not it is still there. */
static int begin_behind_version(struct lister *l, const char *name, const char *version,
                                struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct db_statement *find;
    bool unversioned = strcmp(version, "null") == 0;

    if (select_rows(l->db, &object_table,
                    unversioned ? "WHERE container = ?1 AND name = ?2 AND state = 0 AND "
                                  "versioned = 0 AND deleted IS NULL ORDER BY version LIMIT 1"
                                : "WHERE container = ?1 AND name = ?2 AND version = ?3 LIMIT 1",
                    &find, call) < 0)
        return -1;
    db_bind_int(find, 1, l->container);
    bind_name(find, 2, name);
    if (!unversioned)
        db_bind_text(find, 3, version);
    int found = select_one(&object_table, find, &row, call);
    if (found < 0)
        return -1;
    if (found > 0)
        list_place_set(&l->place, PLACE_ROW, name, row.current, row.version);
    else if (unversioned)
        list_place_set(&l->place, PLACE_PAST, name, 0, NULL);
    else
        list_place_set(&l->place, PLACE_ROW, name, 0, version);
    return 0;
}

static int lister_begin(struct lister *l, struct call *call)
{
    const struct listing_options *o = l->options;
    const char *prefix = o->prefix ? o->prefix : "";

    if (o->marker && *o->marker) {
        if (list_place_read(o->marker, &l->place, &call->err) < 0)
            return -1;
    } else if (o->after && o->after_version) {
        if (begin_behind_version(l, o->after, o->after_version, call) < 0)
            return -1;
    } else if (o->after && *o->after) {
        list_place_set(&l->place, PLACE_PAST, o->after, 0, NULL);
    }
    if (!l->place.name || strcmp(l->place.name, prefix) < 0)
        list_place_set(&l->place, PLACE_AT, prefix, 0, NULL);
    l->upper = list_successor(prefix);
    if (o->include & LISTING_UNCOMMITTED)
        l->uncommitted_from =
            xasprintf("%s%s", l->place.name, l->place.kind == PLACE_PAST ? "\001" : "");
    bool deep = o->delimiter && *o->delimiter;
    l->batch_size = deep || o->limit >= BATCH_MAX ? (deep ? BATCH_FIRST : BATCH_MAX) : o->limit + 1;
    return 0;
}

struct list_task {
    const char *account;
    const char *container;
    const struct listing_options *options;
    struct listing *ret;
};

static int list_read(struct db *db, void *argument, struct call *call)
{
    const struct list_task *task = argument;
    cleanup(lister_free_p) struct lister *l = xcalloc(1, sizeof(*l));
    auto_list_place struct list_place behind = {0};
    bool more = true;

    listing_release(task->ret);
    l->db = db;
    l->options = task->options;
    if (index_now(db, &l->now, call) < 0 ||
        container_find(db, task->account, task->container, false, &task->ret->container, call) < 0)
        return -1;
    l->container = task->ret->container.id;
    if (lister_begin(l, call) < 0)
        return -1;
    while (more && task->options->limit > 0)
        if (take_next(l, task->ret, &behind, &more, call) < 0)
            return -1;
    return 0;
}

int service_list(struct service *service, const char *account, const char *container,
                 const struct listing_options *options, struct listing *ret, struct call *call)
{
    auto_listing struct listing found = {.container = container_row_new()};
    struct list_task task = {account, container, options, &found};

    if (service_read_index(service, list_read, &task, call) < 0)
        return -1;
    *ret = found;
    found = (struct listing){.container = container_row_new()};
    return 0;
}
