// SPDX-License-Identifier: EUPL-1.2
/* Where the body and the metadata of a key lie, and finding them: see file_private.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/driver/file_private.h"

/* How often a body that is being replaced is looked for again. */
#define ATTEMPTS 100

const char *place_leaf(const struct file_place *p)
{
    return p->path + p->folder + 1;
}

void file_key_release(struct file_key *k)
{
    free(k->body[0].path);
    free(k->body[1].path);
    free(k->meta.path);
    *k = (struct file_key){0};
}

int container_path(struct buf *out, const char *container, struct err *e)
{
    if (strcmp(container, FILE_OWN) == 0)
        return err_set(e, ERR_NAME, "a container cannot be called '" FILE_OWN "' here");
    if (strlen(container) > 200 || strchr(container, '/'))
        return err_set(e, ERR_NAME,
                       "a container's name has at most 200 bytes here and no slash: '%.200s'",
                       container);
    file_name_folder(out, container, FILE_BODIES);
    return 0;
}

static struct file_place place(struct buf *path)
{
    struct file_place p = {.path = buf_take(path)};

    p.folder = (size_t)(strrchr(p.path, '/') - p.path);
    return p;
}

/* .bascule/history/<container>/<name>/<kind>-<version>; the metadata in a tree of its own, so that
 * a version's id may look like anything. */
static struct file_place history_place(const char *own, const struct object_key *key,
                                       const char *container, enum file_tree tree, size_t *ret_keep)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    auto_free char *leaf = xasprintf("%s-%s", version_kind_word(key->kind), key->version);

    buf_printf(&path, FILE_OWN "/%s/%s/", own, container);
    *ret_keep = path.length - 1;
    file_name_path(&path, key->name, FILE_HISTORY, true);
    buf_char(&path, '/');
    file_name_path(&path, leaf, tree, false);
    return place(&path);
}

static void history_places(struct file_key *k, const struct object_key *key, const char *container)
{
    k->body[0] = history_place("history", key, container, FILE_BODIES, &k->body_keep);
    k->body[1] = (struct file_place){xstrdup(k->body[0].path), k->body[0].folder};
    k->bodies = 1;
    k->meta = history_place("history-meta", key, container, FILE_META, &k->meta_keep);
}

static void current_places(struct file_key *k, const char *name, const char *container)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);

    k->bodies = file_name_is_plain(name, FILE_BODIES) ? 2 : 1;
    for (int marked = 0; marked < 2; marked++) {
        buf_printf(&path, "%s/", container);
        k->body_keep = path.length - 1;
        file_name_path(&path, name, FILE_BODIES, marked);
        k->body[marked] = place(&path);
    }
    buf_printf(&path, FILE_OWN "/meta/%s/", container);
    k->meta_keep = path.length - 1;
    file_name_path(&path, name, FILE_META, false);
    k->meta = place(&path);
}

int file_key_init(struct file_key *k, const struct object_key *key, struct err *e)
{
    auto_buf struct buf container = BUF_INIT(FILE_PATH_MAX);

    if (container_path(&container, key->container, e) < 0)
        return -1;
    if (strlen(key->name) > FILE_NAME_MAX)
        return err_set(e, ERR_NAME, "a name has at most %d bytes here: '%.100s...'", FILE_NAME_MAX,
                       key->name);
    if (key->version && (strlen(key->version) > 1024 || strchr(key->version, '/')))
        return err_set(e, ERR_NAME, "the version '%.100s' cannot be kept here", key->version);
    if (key->kind == VERSION_CURRENT)
        current_places(k, key->name, container.data);
    else
        history_places(k, key, container.data);
    return 0;
}

void file_body_release(struct file_body *b)
{
    close_p(&b->fd);
    b->fd = -1;
}

int64_t file_mtime(const struct stat *body)
{
    int64_t time;

    if (__builtin_mul_overflow((int64_t)body->st_mtim.tv_sec, CLOCK_SECOND, &time) ||
        __builtin_add_overflow(time, (int64_t)body->st_mtim.tv_nsec, &time))
        return body->st_mtim.tv_sec < 0 ? INT64_MIN + 1 : INT64_MAX;
    return time == TIME_UNKNOWN ? time + 1 : time;
}

/* One of the places; 1, 0 or -1. */
static int look_at(struct file_store *f, const struct file_place *p, bool open,
                   struct file_body *ret, struct call *call)
{
    auto_folder struct file_folder *folder = NULL;
    const char *leaf = place_leaf(p);
    int failed;

    if (folder_get(f, p->path, p->folder, FOLDER_FIND, &folder, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    failed = fstatat(folder->fd, leaf, &ret->stat, AT_SYMLINK_NOFOLLOW);
    if (failed == 0 && !S_ISREG(ret->stat.st_mode))
        return 0;
    if (failed == 0 && open) {
        ret->fd = openat(folder->fd, leaf, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        failed = ret->fd < 0 ? -1 : fstat(ret->fd, &ret->stat);
    }
    if (failed == 0)
        return S_ISREG(ret->stat.st_mode);
    if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG && errno != ELOOP)
        return err_errno(&call->err, errno, "look at '%s'", p->path);
    if (folder_is_gone(folder)) {
        folder_forget(f, folder);
        return look_at(f, p, open, ret, call);
    }
    return 0;
}

int file_body_find(struct file_store *f, const struct file_key *k, bool open, struct file_body *ret,
                   struct call *call)
{
    for (unsigned i = 0; i < k->bodies; i++) {
        auto_file_body struct file_body body = FILE_BODY_INIT;
        int found = look_at(f, &k->body[i], open, &body, call);
        if (found < 0)
            return -1;
        if (found) {
            *ret = body;
            ret->which = (int)i;
            body.fd = -1;
            return 1;
        }
    }
    return 0;
}

static int no_such(const struct object_key *key, struct call *call)
{
    if (key->version)
        return err_set(&call->err, ERR_NOT_FOUND, "no %s '%s' of '%s/%s'",
                       version_kind_word(key->kind), key->version, key->container, key->name);
    return err_set(&call->err, ERR_NOT_FOUND, "no object '%s/%s'", key->container, key->name);
}

static bool is_same_body(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           file_mtime(a) == file_mtime(b);
}

int file_object_find(struct file_store *f, const struct object_key *key, const struct file_key *k,
                     bool open, struct file_body *ret_body, struct object *ret, struct call *call)
{
    struct stat before = {0};

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        auto_file_body struct file_body body = FILE_BODY_INIT;
        auto_file_meta struct file_meta meta = FILE_META_INIT;
        int found = file_body_find(f, k, open, &body, call);
        if (found < 0)
            return -1;
        if (!found)
            return no_such(key, call);
        if (file_meta_read(f, &k->meta, &meta, call) < 0)
            return -1;
        struct file_entry *entry = file_meta_match(&meta, &body.stat);
        /* No metadata that fits: replaced or removed between our two looks, or a file made by hand
         * (then it is the same the second time). */
        if (!entry && !is_same_body(&before, &body.stat)) {
            before = body.stat;
            continue;
        }
        if (entry) {
            *ret = entry->object;
            entry->object = (struct object)OBJECT_INIT;
        }
        file_object_own(ret, &body.stat);
        ret->kind = key->kind;
        replace_string(&ret->version, key->version);
        ret->is_latest = key->kind == VERSION_CURRENT;
        *ret_body = body;
        body.fd = -1;
        return 0;
    }
    return err_set(&call->err, ERR_BUSY, "'%s/%s' is being replaced all the time", key->container,
                   key->name);
}
