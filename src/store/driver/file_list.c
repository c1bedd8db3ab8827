// SPDX-License-Identifier: EUPL-1.2
/* Listings of the file store: see file_private.h. */
#include <assert.h>
#include <string.h>

#include "codec/base64.h"
#include "store/driver/file_private.h"
#include "util/log.h"

#define PAGE_MAX 5000

/* Where a page ended. */
enum cursor_kind {
    AFTER_OBJECT = 'o',  /* after everything of this name */
    AFTER_VERSION = 'v', /* after one version of this name */
    AFTER_PREFIX = 'p',  /* after all names that begin so */
};

struct listing {
    struct file_store *f;
    const char *container;
    struct buf folder; /* of the container */
    const struct list_options *options;
    struct object_list *page;
    unsigned limit;
    struct file_walk current;
    struct file_walk history;
    int current_has; /* 1 while the walk stands on a name that was not given yet */
    int history_has;
    char *after_version; /* of the first name; NULL when none of it was given */
};

static void listing_release(struct listing *l)
{
    file_walk_release(&l->current);
    file_walk_release(&l->history);
    buf_release(&l->folder);
    free(take(l->after_version));
}

/* ---------------------------------------------------------------------- cursors */

static void set_cursor(struct listing *l, enum cursor_kind kind, const char *name,
                       const char *version)
{
    auto_buf struct buf plain = BUF_INIT(FILE_PATH_MAX);
    auto_buf struct buf coded = BUF_INIT((size_t)2 * FILE_PATH_MAX);

    buf_char(&plain, (char)kind);
    buf_text(&plain, name);
    if (version) {
        buf_char(&plain, '\0');
        buf_text(&plain, version);
    }
    base64url_encode(&coded, plain.data, plain.length);
    free(l->page->cursor);
    l->page->cursor = buf_take(&coded);
}

/* Where to begin; *ret_skip: names with this prefix are over. */
static int read_cursor(struct listing *l, char **ret_start, char **ret_skip, struct call *call)
{
    const char *cursor = l->options->cursor;
    auto_buf struct buf plain = BUF_INIT(FILE_PATH_MAX);

    if (!cursor) {
        *ret_start = xstrdup("");
        return 0;
    }
    if (base64url_decode(cursor, strlen(cursor), &plain, &call->err) < 0 || plain.length < 2 ||
        !strchr("ovp", plain.data[0]))
        return err_set(&call->err, ERR_INVALID, "'%.40s' is no cursor of a listing here", cursor);
    size_t length = strlen(plain.data + 1);
    if (plain.data[0] == AFTER_OBJECT) {
        /* The smallest name above: the one with another byte. */
        *ret_start = xasprintf("%s\x01", plain.data + 1);
    } else {
        *ret_start = xstrdup(plain.data + 1);
    }
    if (plain.data[0] == AFTER_VERSION && length + 1 < plain.length)
        l->after_version = xstrdup(plain.data + length + 2);
    if (plain.data[0] == AFTER_PREFIX)
        *ret_skip = xstrdup(plain.data + 1);
    return 0;
}

/* ------------------------------------------------------------------------ entries */

static bool is_full(const struct listing *l)
{
    return l->page->count + l->page->prefix_count >= l->limit;
}

/* Describe one object; one that vanished meanwhile is left out. */
static int add_object(struct listing *l, const struct object_key *key, struct call *call)
{
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;
    struct object found = OBJECT_INIT;

    if (file_key_init(&paths, key, &call->err) < 0)
        return -1;
    if (file_object_find(l->f, key, &paths, false, &body, &found, call) < 0) {
        enum err_code code = call->err.code;
        if (code != ERR_NOT_FOUND && code != ERR_CORRUPT)
            return -1;
        if (code == ERR_NOT_FOUND) {
            err_clear(&call->err);
            return 0;
        }
        /* Listed without its properties; who asks for it gets the error. */
        log_line(LOG_WARNING, "%s: %s", l->f->store.name, call->err.text);
        err_clear(&call->err);
        int there = file_body_find(l->f, &paths, false, &body, call);
        if (there <= 0)
            return there;
        file_object_own(&found, &body.stat);
        found.kind = key->kind;
        found.version = xstrdup_null(key->version);
        found.is_latest = key->kind == VERSION_CURRENT;
    }
    replace_string(&found.name, key->name);
    if (!(l->options->include & LIST_METADATA))
        pairs_release(&found.metadata);
    if (!(l->options->include & LIST_TAGS))
        pairs_release(&found.tags);
    *object_list_add(l->page) = found;
    return 0;
}

static bool is_included(const struct listing *l, enum version_kind kind)
{
    static const unsigned bits[] = {
        [VERSION_CURRENT] = 0,
        [VERSION_ID] = LIST_VERSIONS,
        [VERSION_SNAPSHOT] = LIST_SNAPSHOTS,
        [VERSION_DELETED] = LIST_DELETED,
        [VERSION_MARKER] = LIST_VERSIONS,
    };

    return l->options->include & bits[kind];
}

/* All that is kept of a name besides its current object.  1 when the page is full. */
static int add_history(struct listing *l, const char *name, struct call *call)
{
    auto_pairs struct pairs versions = PAIRS_INIT;

    if (file_versions(l->f, l->folder.data, name, &versions, call) < 0)
        return -1;
    for (size_t i = 0; i < versions.count; i++) {
        const char *leaf = versions.list[i].key;
        const char *dash = strchr(leaf, '-');
        auto_free char *word = dash ? xstrndup(leaf, (size_t)(dash - leaf)) : NULL;
        struct object_key key = {.container = l->container, .name = name};
        if (l->after_version && strcmp(leaf, l->after_version) <= 0)
            continue;
        if (!word || !dash[1] || version_kind_from_word(word, &key.kind) < 0 ||
            !is_included(l, key.kind))
            continue;
        key.version = dash + 1;
        if (add_object(l, &key, call) < 0)
            return -1;
        if (is_full(l)) {
            set_cursor(l, AFTER_VERSION, name, leaf);
            return 1;
        }
    }
    return 0;
}

/* Everything under one name.  1 when the page is full. */
static int add_name(struct listing *l, const char *name, bool current, bool history,
                    struct call *call)
{
    struct object_key key = {.container = l->container, .name = name};

    if (history) {
        int full = add_history(l, name, call);
        if (full)
            return full;
    }
    if (current && add_object(l, &key, call) < 0)
        return -1;
    if (!is_full(l))
        return 0;
    set_cursor(l, AFTER_OBJECT, name, NULL);
    return 1;
}

static int add_prefix(struct listing *l, const char *name, size_t length)
{
    auto_free char *prefix = xstrndup(name, length);

    object_list_add_prefix(l->page, prefix);
    replace_string(&l->current.skip, prefix);
    replace_string(&l->history.skip, prefix);
    if (!is_full(l))
        return 0;
    set_cursor(l, AFTER_PREFIX, prefix, NULL);
    return 1;
}

/* One name, the smaller of both walks'.  1 when the page is full. */
static int add_next(struct listing *l, struct call *call)
{
    int order = !l->history_has   ? -1
                : !l->current_has ? 1
                                  : strcmp(l->current.name.data, l->history.name.data);
    bool current = order <= 0, history = order >= 0;
    auto_free char *name = xstrdup(current ? l->current.name.data : l->history.name.data);
    size_t prefix = l->options->prefix ? strlen(l->options->prefix) : 0;
    const char *delimiter = l->options->delimiter;
    const char *found = delimiter && *delimiter ? strstr(name + prefix, delimiter) : NULL;
    int full = found ? add_prefix(l, name, (size_t)(found - name) + strlen(delimiter))
                     : add_name(l, name, current, history, call);

    if (full)
        return full;
    free(take(l->after_version));
    if (current)
        l->current_has = file_walk_next(&l->current, call);
    if (history)
        l->history_has = file_walk_next(&l->history, call);
    return l->current_has < 0 || l->history_has < 0 ? -1 : 0;
}

static int begin(struct listing *l, struct call *call)
{
    const char *prefix = l->options->prefix ? l->options->prefix : "";
    auto_buf struct buf kept = BUF_INIT(FILE_PATH_MAX);
    auto_free char *start = NULL;
    auto_free char *skip = NULL;

    if (read_cursor(l, &start, &skip, call) < 0)
        return -1;
    buf_printf(&kept, FILE_OWN "/history/%s", l->folder.data);
    if (file_walk_init(&l->current, l->f, FILE_BODIES, l->folder.data, prefix, start,
                       &l->page->left_out, call) < 0)
        return -1;
    replace_string(&l->current.skip, skip);
    l->current_has = file_walk_next(&l->current, call);
    if (l->current_has >= 0 &&
        (l->options->include & (LIST_SNAPSHOTS | LIST_VERSIONS | LIST_DELETED))) {
        if (file_walk_init(&l->history, l->f, FILE_HISTORY, kept.data, prefix, start, NULL, call) <
            0)
            return -1;
        replace_string(&l->history.skip, skip);
        l->history_has = file_walk_next(&l->history, call);
    }
    return l->current_has < 0 || l->history_has < 0 ? -1 : 0;
}

int file_list(struct store *s, const char *container, const struct list_options *options,
              struct object_list *ret, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_folder struct file_folder *there = NULL;
    cleanup(listing_release) struct listing l = {
        .f = f,
        .container = container,
        .folder = BUF_INIT(FILE_PATH_MAX),
        .options = options,
        .page = ret,
        .limit = options->limit && options->limit < PAGE_MAX ? options->limit : PAGE_MAX,
        .current = {.name = BUF_INIT(0)},
        .history = {.name = BUF_INIT(0)},
    };

    if (container_path(&l.folder, container, &call->err) < 0 ||
        folder_get(f, l.folder.data, l.folder.length, FOLDER_FIND, &there, call) < 0 ||
        begin(&l, call) < 0)
        return -1;
    while (l.current_has || l.history_has) {
        int full = add_next(&l, call);
        if (full < 0)
            return -1;
        if (full)
            return 0;
    }
    return 0;
}

int file_container_has_objects(struct file_store *f, const char *container, struct call *call)
{
    auto_buf struct buf folder = BUF_INIT(FILE_PATH_MAX);
    auto_file_walk struct file_walk current = {.name = BUF_INIT(0)};
    auto_file_walk struct file_walk history = {.name = BUF_INIT(0)};

    if (container_path(&folder, container, &call->err) < 0 ||
        file_walk_init(&current, f, FILE_BODIES, folder.data, "", "", NULL, call) < 0)
        return -1;
    int found = file_walk_next(&current, call);
    if (found)
        return found;
    auto_free char *kept = xasprintf(FILE_OWN "/history/%s", folder.data);
    if (file_walk_init(&history, f, FILE_HISTORY, kept, "", "", NULL, call) < 0)
        return -1;
    return file_walk_next(&history, call);
}
