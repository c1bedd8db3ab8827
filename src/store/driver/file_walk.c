// SPDX-License-Identifier: EUPL-1.2
/* Walking the names of a tree in order: see file_private.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "util/thread.h"

/* Smaller folders are read again for each page. */
#define WORTH_KEEPING 1000
/* A change this shortly before the reading may not show in the folder's time. */
#define TIME_GRAIN (50 * CLOCK_MILLISECOND)

struct window_entry {
    char *key;   /* the segment, with a slash when it is a folder: so names sort in full */
    char *chain; /* its path in the folder; NULL: the segment itself */
    bool folder;
};

struct file_window {
    atomic_uint users;
    char *path;
    enum file_tree tree;
    char *from; /* no key below this is in it (itself neither when from_excluded) */
    bool from_excluded;
    bool complete;   /* holds all keys from there on */
    bool nested;     /* some names come from folders inside */
    int64_t changed; /* of the folder, when it was read */
    int64_t read;
    struct window_entry *list;
    size_t count, size, bytes;
    char *last;            /* the greatest key that was let go, while reading */
    struct pairs left_out; /* at most LEFT_OUT_MAX: what is no object, and why */
};

static void entry_release(struct window_entry *entry)
{
    free(entry->key);
    free(entry->chain);
}

static void window_leave(struct file_window *window)
{
    if (!window || atomic_fetch_sub(&window->users, 1) > 1)
        return;
    for (size_t i = 0; i < window->count; i++)
        entry_release(&window->list[i]);
    free(window->list);
    free(window->path);
    free(window->from);
    free(window->last);
    pairs_release(&window->left_out);
    free(window);
}

static void window_leave_p(struct file_window **window)
{
    window_leave(*window);
}
#define auto_window cleanup(window_leave_p)

void file_windows_release(struct file_store *f)
{
    for (size_t i = 0; i < FILE_WINDOWS; i++)
        window_leave(take(f->windows[i]));
}

static size_t entry_bytes(const struct window_entry *entry)
{
    return sizeof(*entry) + strlen(entry->key) + (entry->chain ? strlen(entry->chain) : 0) + 32;
}

static int compare_entries(const void *a, const void *b)
{
    const struct window_entry *left = a, *right = b;
    int order = strcmp(left->key, right->key);

    /* "a" before "%=a", which it hides. */
    return order ? order : !!left->chain - !!right->chain;
}

static void drop_last(struct file_window *window)
{
    struct window_entry *entry = &window->list[--window->count];

    window->bytes -= entry_bytes(entry);
    entry_release(entry);
}

/* Sort, drop what is hidden, and keep no more than a window's worth. */
static void settle(struct file_window *window)
{
    size_t kept = 0;

    if (window->count > 1)
        qsort(window->list, window->count, sizeof(*window->list), compare_entries);
    for (size_t i = 0; i < window->count; i++) {
        if (kept && strcmp(window->list[kept - 1].key, window->list[i].key) == 0) {
            window->bytes -= entry_bytes(&window->list[i]);
            entry_release(&window->list[i]);
        } else {
            window->list[kept++] = window->list[i];
        }
    }
    window->count = kept;
    if (window->bytes <= FILE_WINDOW_BYTES)
        return;
    while (window->bytes > FILE_WINDOW_BYTES && window->count > 1)
        drop_last(window);
    window->complete = false;
    replace_string(&window->last, window->list[window->count - 1].key);
}

static void add_entry(struct file_window *window, const char *segment, const char *chain,
                      bool folder)
{
    struct window_entry entry = {.folder = folder};

    entry.key = folder ? xasprintf("%s/", segment) : xstrdup(segment);
    int order = strcmp(entry.key, window->from);
    if (order < 0 || (order == 0 && window->from_excluded) ||
        (window->last && strcmp(entry.key, window->last) > 0)) {
        free(entry.key);
        return;
    }
    if (strcmp(segment, chain) != 0)
        entry.chain = xstrdup(chain);
    if (window->count == window->size) {
        window->size = window->size ? window->size * 2 : 64;
        window->list = xrealloc(window->list, window->size, sizeof(*window->list));
    }
    window->list[window->count++] = entry;
    window->bytes += entry_bytes(&entry);
    if (window->bytes > 2 * FILE_WINDOW_BYTES)
        settle(window);
}

static int entry_type(int fd, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type;
    if (fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
        return DT_UNKNOWN;
    return S_ISDIR(info.st_mode)   ? DT_DIR
           : S_ISREG(info.st_mode) ? DT_REG
           : S_ISLNK(info.st_mode) ? DT_LNK
                                   : DT_UNKNOWN;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int read_entries(struct file_window *window, int fd, const char *chain, struct call *call);

/* A folder that holds the rest of long segments: its names belong to the one above. */
static int read_nested(struct file_window *window, int fd, const char *name, const char *chain,
                       struct call *call)
{
    int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

    window->nested = true;
    if (inner < 0)
        return errno == ENOENT ? 0 : err_errno(&call->err, errno, "open directory '%s'", name);
    auto_free char *deeper = xasprintf("%s/", chain);
    return read_entries(window, inner, deeper, call);
}

static void leave_out(struct file_window *window, const char *name, const char *why)
{
    if (window->tree == FILE_BODIES && window->left_out.count < LEFT_OUT_MAX)
        pairs_add(&window->left_out, name, why);
}

static int read_entry(struct file_window *window, int fd, const struct dirent *entry,
                      const char *before, struct call *call)
{
    auto_buf struct buf segment = BUF_INIT(FILE_PATH_MAX);
    auto_free char *joined = *before ? xasprintf("%s%s", before, entry->d_name) : NULL;
    const char *chain = joined ? joined : entry->d_name;
    int type = entry_type(fd, entry);
    bool folder = type == DT_DIR;

    if (is_dots(entry->d_name))
        return 0;
    if (type != DT_DIR && type != DT_REG) {
        leave_out(window, chain,
                  type == DT_LNK ? "a symbolic link is no object, and is not followed"
                                 : "what is neither file nor directory is no object");
        return 0;
    }
    if (folder && file_name_goes_on(entry->d_name))
        return strlen(chain) < FILE_NAME_MAX ? read_nested(window, fd, entry->d_name, chain, call)
                                             : 0;
    if (window->tree == FILE_HISTORY) {
        if (!folder)
            return 0;
        folder = strncmp(entry->d_name, "%=", 2) != 0;
    }
    if (file_name_segment(&segment, chain, folder, window->tree) < 0) {
        leave_out(window, chain, "no object's name is written like that in a directory store");
        return 0;
    }
    add_entry(window, segment.data, chain, folder);
    return 0;
}

/* Takes over fd. */
static int read_entries(struct file_window *window, int fd, const char *chain, struct call *call)
{
    DIR *folder = fdopendir(fd);
    int failed = 0;
    unsigned seen = 0;

    if (!folder) {
        int number = errno;
        (void)close(fd);
        return err_errno(&call->err, number, "read directory '%s'", window->path);
    }
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            if (errno)
                failed = err_errno(&call->err, errno, "read directory '%s'", window->path);
            break;
        }
        if (++seen % 4096 == 0 && call_check(call) < 0)
            failed = -1;
        if (failed || read_entry(window, dirfd(folder), entry, chain, call) < 0) {
            failed = -1;
            break;
        }
    }
    (void)closedir(folder);
    return failed;
}

/* ------------------------------------------------------------------ remembering */

static bool covers(const struct file_window *window, const char *path, enum file_tree tree,
                   const char *from, int64_t changed)
{
    if (!window || window->tree != tree || window->changed != changed ||
        strcmp(window->path, path) != 0 || strcmp(window->from, from) > 0 ||
        (window->from_excluded && strcmp(window->from, from) == 0))
        return false;
    return window->complete || strcmp(window->list[window->count - 1].key, from) > 0;
}

static struct file_window *remembered(struct file_store *f, const char *path, enum file_tree tree,
                                      const char *from, int64_t changed)
{
    locked(&f->windows_lock);
    for (size_t i = 0; i < FILE_WINDOWS; i++) {
        if (covers(f->windows[i], path, tree, from, changed)) {
            atomic_fetch_add(&f->windows[i]->users, 1);
            return f->windows[i];
        }
    }
    return NULL;
}

/* Worth keeping, and a later change is sure to show. */
static void remember(struct file_store *f, struct file_window *window)
{
    struct file_window *old;

    if (window->nested || window->count < WORTH_KEEPING ||
        window->read - window->changed < TIME_GRAIN)
        return;
    atomic_fetch_add(&window->users, 1);
    {
        locked(&f->windows_lock);
        unsigned slot = f->window_next++ % FILE_WINDOWS;
        for (unsigned i = 0; i < FILE_WINDOWS; i++)
            if (f->windows[i] && strcmp(f->windows[i]->path, window->path) == 0)
                slot = i;
        old = f->windows[slot];
        f->windows[slot] = window;
    }
    window_leave(old);
}

static int64_t change_time(const struct stat *info)
{
    return (int64_t)info->st_ctim.tv_sec * CLOCK_SECOND + info->st_ctim.tv_nsec;
}

/* The names of a folder from a key on; *ret NULL when there is no such folder. */
static int window_get(struct file_store *f, const char *path, enum file_tree tree, const char *from,
                      bool excluded, struct file_window **ret, struct call *call)
{
    auto_window struct file_window *window = NULL;
    auto_folder struct file_folder *folder = NULL;
    struct stat info;

    *ret = NULL;
    if (folder_get(f, path, strlen(path), FOLDER_FIND, &folder, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && folder_is_gone(folder)) {
        folder_forget(f, folder);
        return window_get(f, path, tree, from, excluded, ret, call);
    }
    if (fd < 0 || fstat(fd, &info) < 0) {
        int number = errno;
        close_p(&fd);
        return err_errno(&call->err, number, "open directory '%s'", path);
    }
    *ret = remembered(f, path, tree, from, change_time(&info));
    if (*ret) {
        (void)close(fd);
        return 0;
    }
    window = xmalloc(sizeof(*window));
    *window = (struct file_window){.users = 1,
                                   .path = xstrdup(path),
                                   .tree = tree,
                                   .from = xstrdup(from),
                                   .from_excluded = excluded,
                                   .complete = true,
                                   .changed = change_time(&info),
                                   .read = clock_wall()};
    if (read_entries(window, fd, "", call) < 0)
        return -1;
    settle(window);
    remember(f, window);
    *ret = take(window);
    return 0;
}

/* --------------------------------------------------------------------- walking */

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void level_pop(struct file_walk *w)
{
    struct walk_level *level = &w->levels[--w->count];

    window_leave(level->window);
    free(level->path);
}

void file_walk_release(struct file_walk *w)
{
    while (w->count)
        level_pop(w);
    free(take(w->levels));
    free(take(w->start));
    free(take(w->skip));
    buf_release(&w->name);
}

/* Where to begin in a folder whose names share the prefix in w->name. */
static char *level_from(const struct file_walk *w)
{
    if (!begins(w->start, w->name.data))
        return xstrdup("");
    const char *rest = w->start + w->name.length;
    const char *slash = strchr(rest, '/');
    return slash ? xstrndup(rest, (size_t)(slash + 1 - rest)) : xstrdup(rest);
}

static size_t first_at(const struct file_window *window, const char *from)
{
    size_t low = 0, high = window->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(window->list[middle].key, from) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void take_left_out(struct file_walk *w, const struct file_window *window)
{
    for (size_t i = 0; w->left_out && i < window->left_out.count; i++) {
        const struct pair *p = &window->left_out.list[i];
        auto_free char *name = xasprintf("%s%s", w->name.length ? w->name.data : "", p->key);
        if (w->left_out->count < LEFT_OUT_MAX && begins(name, w->wanted))
            pairs_add(w->left_out, name, p->value);
    }
}

/* Go down into the folder at path; its names begin with what is in w->name. */
static int level_push(struct file_walk *w, char *path, struct call *call)
{
    auto_free char *owned = path;
    auto_free char *from = level_from(w);
    struct file_window *window;

    if (window_get(w->f, path, w->tree, from, false, &window, call) < 0)
        return -1;
    if (!window)
        return 0;
    take_left_out(w, window);
    if (w->count == w->size) {
        w->size = w->size ? w->size * 2 : 8;
        w->levels = xrealloc(w->levels, w->size, sizeof(*w->levels));
    }
    w->levels[w->count++] = (struct walk_level){.window = window,
                                                .at = first_at(window, from),
                                                .path = take(owned),
                                                .prefix = w->name.length};
    return 0;
}

/* The next part of a folder with many names; leaves the level when there is none. */
static int level_continue(struct file_walk *w, struct walk_level *level, struct call *call)
{
    struct file_window *old = level->window, *next = NULL;

    if (old->complete || old->count == 0) {
        level_pop(w);
        return 0;
    }
    auto_free char *from = xstrdup(old->list[old->count - 1].key);
    if (window_get(w->f, level->path, w->tree, from, true, &next, call) < 0)
        return -1;
    if (!next) {
        level_pop(w);
        return 0;
    }
    level->window = next;
    level->at = first_at(next, from);
    if (level->at < next->count && strcmp(next->list[level->at].key, from) == 0)
        level->at++;
    window_leave(old);
    return 0;
}

int file_walk_init(struct file_walk *w, struct file_store *f, enum file_tree tree,
                   const char *container, const char *wanted, const char *start,
                   struct pairs *left_out, struct call *call)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    const char *slash = strrchr(wanted, '/');

    *w = (struct file_walk){.f = f, .tree = tree, .wanted = wanted, .left_out = left_out};
    w->start = xstrdup(strcmp(start, wanted) > 0 ? start : wanted);
    buf_init(&w->name, FILE_PATH_MAX);
    buf_text(&path, container);
    if (strlen(wanted) > FILE_NAME_MAX)
        return 0;
    /* Begin in the folder that the prefix names. */
    if (slash) {
        buf_bytes(&w->name, wanted, (size_t)(slash + 1 - wanted));
        buf_char(&path, '/');
        file_name_path(&path, w->name.data, tree, true);
        path.length = (size_t)(strrchr(path.data, '/') - path.data);
        path.data[path.length] = '\0';
    }
    return level_push(w, xstrdup(path.data), call);
}

enum verdict { GIVE, ENTER, PASS, FINISH };

/* What to do with the entry whose full name (with a slash for a folder) is in w->name. */
static enum verdict judge(const struct file_walk *w, bool folder)
{
    const char *name = w->name.data;

    if (w->skip && begins(name, w->skip))
        return PASS;
    if (!begins(name, w->wanted) && !(folder && begins(w->wanted, name)))
        return strcmp(name, w->wanted) > 0 ? FINISH : PASS;
    if (strcmp(name, w->start) < 0 && !(folder && begins(w->start, name)))
        return PASS;
    return folder ? ENTER : GIVE;
}

int file_walk_next(struct file_walk *w, struct call *call)
{
    while (w->count) {
        struct walk_level *level = &w->levels[w->count - 1];
        w->name.length = level->prefix;
        w->name.data[w->name.length] = '\0';
        if (level->at == level->window->count) {
            if (level_continue(w, level, call) < 0)
                return -1;
            continue;
        }
        const struct window_entry *entry = &level->window->list[level->at++];
        if (buf_add(&w->name, entry->key, strlen(entry->key), &call->err) < 0)
            return -1;
        switch (judge(w, entry->folder)) {
        case PASS:
            break;
        case GIVE:
            return 1;
        case FINISH:
            return 0;
        case ENTER: {
            /* The key of a folder ends in a slash that its path does not have. */
            const char *chain = entry->chain ? entry->chain : entry->key;
            size_t length = strlen(chain) - (entry->chain ? 0 : 1);
            if (w->count > FILE_NAME_MAX || call_check(call) < 0 ||
                level_push(w, xasprintf("%s/%.*s", level->path, (int)length, chain), call) < 0)
                return -1;
            break;
        }
        }
    }
    return 0;
}

int file_versions(struct file_store *f, const char *container, const char *name, struct pairs *ret,
                  struct call *call)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    auto_window struct file_window *window = NULL;

    buf_printf(&path, FILE_OWN "/history/%s/", container);
    file_name_path(&path, name, FILE_HISTORY, true);
    if (window_get(f, path.data, FILE_BODIES, "", false, &window, call) < 0)
        return -1;
    for (size_t i = 0; window && i < window->count; i++)
        if (!window->list[i].folder)
            pairs_add(ret, window->list[i].key, "");
    return 0;
}
