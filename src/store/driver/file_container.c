// SPDX-License-Identifier: EUPL-1.2
/* Containers of the file store: see file_private.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "store/object_json.h"
#include "util/random.h"

#define CONTAINERS   FILE_OWN "/containers"
#define SETTINGS_MAX (4 * 1024 * 1024)
#define DEPTH_MAX    500 /* folders below one another, when removing: each is an open file */
#define PAGE         1000

static void json_release(json_t **json)
{
    json_decref(*json);
}
#define auto_json cleanup(json_release)

static void place_release(struct file_place *p)
{
    free(p->path);
}
#define auto_place cleanup(place_release)

/* ----------------------------------------------------------------- container.json */

static struct file_place note_place(const char *container)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);

    buf_text(&path, CONTAINERS "/");
    file_name_path(&path, container, FILE_META, false);
    return (struct file_place){buf_take(&path), sizeof(CONTAINERS) - 1};
}

/* What is kept of a container; an empty object when nothing is. */
static int read_note(struct file_store *f, const char *container, json_t **ret, struct call *call)
{
    auto_place struct file_place place = note_place(container);
    auto_buf struct buf bytes = BUF_INIT(SETTINGS_MAX);
    json_error_t where;

    if (file_small_read(f, &place, &bytes, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        *ret = json_object();
        return 0;
    }
    json_t *note = json_loadb(bytes.data, bytes.length, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(note)) {
        json_decref(note);
        return err_set(&call->err, ERR_CORRUPT, "'%s' is damaged: %s", place.path, where.text);
    }
    *ret = note;
    return 0;
}

static int write_note(struct file_store *f, const char *container, const json_t *note,
                      struct call *call)
{
    auto_place struct file_place place = note_place(container);
    auto_buf struct buf bytes = BUF_INIT(SETTINGS_MAX);
    auto_free char *text = json_dumps(note, JSON_INDENT(2));

    if (buf_add(&bytes, text, strlen(text), &call->err) < 0)
        return err_prefix(&call->err, "settings of container '%s'", container);
    buf_char(&bytes, '\n');
    return file_small_write(f, &place, &bytes, false, false, call);
}

static int container_folder(struct file_store *f, const char *container, struct file_folder **ret,
                            struct call *call)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);

    if (container_path(&path, container, &call->err) < 0)
        return -1;
    return folder_get(f, path.data, path.length, FOLDER_FIND, ret, call);
}

static int file_container_stat(struct store *s, const char *container, struct container *ret,
                               struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_folder struct file_folder *folder = NULL;
    auto_json json_t *note = NULL;
    struct stat info;

    if (container_folder(f, container, &folder, call) < 0 ||
        read_note(f, container, &note, call) < 0)
        return -1;
    if (fstat(folder->fd, &info) < 0)
        return err_errno(&call->err, errno, "look at container '%s'", container);
    const json_t *metadata = json_object_get(note, "metadata");
    if (metadata && pairs_from_object(metadata, &ret->metadata, &call->err) < 0)
        return err_prefix(&call->err, "metadata of container '%s'", container);
    ret->name = xstrdup(container);
    ret->modified = file_mtime(&info);
    ret->etag = xstrdup_null(json_string_value(json_object_get(note, "etag")));
    ret->access = xstrdup_null(json_string_value(json_object_get(note, "access")));
    ret->versioning = json_is_true(json_object_get(note, "versioning"));
    return 0;
}

static int file_container_create(struct store *s, const char *container,
                                 const struct container *properties, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    auto_json json_t *note = json_object();
    char etag[33];

    if (container_path(&path, container, &call->err) < 0 || file_ready(f, call) < 0)
        return -1;
    random_hex(etag, 16);
    (void)json_object_set_new(note, "etag", json_string(etag));
    if (properties && properties->access)
        (void)json_object_set_new(note, "access", json_string(properties->access));
    if (properties && properties->versioning)
        (void)json_object_set_new(note, "versioning", json_true());
    if (properties && properties->metadata.count)
        (void)json_object_set_new(note, "metadata", pairs_to_object(&properties->metadata));
    if (mkdirat(f->root, path.data, 0777) < 0)
        return errno == EEXIST
                   ? err_set(&call->err, ERR_EXISTS, "container '%s' exists already", container)
                   : err_errno(&call->err, errno, "make directory '%s'", path.data);
    if (fsync(f->root) < 0 && errno != EINVAL)
        return err_errno(&call->err, errno, "make directory '%s' durable", path.data);
    return write_note(f, container, note, call);
}

static int file_container_settings(struct store *s, const char *container, struct buf *ret_json,
                                   struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_folder struct file_folder *folder = NULL;
    auto_json json_t *note = NULL;

    if (container_folder(f, container, &folder, call) < 0 ||
        read_note(f, container, &note, call) < 0)
        return -1;
    const json_t *settings = json_object_get(note, "settings");
    auto_free char *text = settings ? json_dumps(settings, JSON_COMPACT) : xstrdup("{}");
    return buf_add(ret_json, text, strlen(text), &call->err);
}

/* Everything can be kept, so everything is: a later value of a key replaces an earlier one. */
static int file_container_apply(struct store *s, const char *container, const char *json,
                                struct buf *ret_left, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_folder struct file_folder *folder = NULL;
    auto_key_lock struct key_lock lock = KEY_LOCK_INIT;
    auto_json json_t *note = NULL;
    json_error_t where;
    auto_json json_t *more = json_loads(json, JSON_REJECT_DUPLICATES, &where);

    if (!json_is_object(more))
        return err_set(&call->err, ERR_INVALID, "settings for container '%s' are no JSON object",
                       container);
    if (container_folder(f, container, &folder, call) < 0 || file_ready(f, call) < 0 ||
        key_lock_take(f, container, &lock, call) < 0 || read_note(f, container, &note, call) < 0)
        return -1;
    json_t *settings = json_object_get(note, "settings");
    if (!json_is_object(settings)) {
        settings = json_object();
        (void)json_object_set_new(note, "settings", settings);
    }
    (void)json_object_update(settings, more);
    if (write_note(f, container, note, call) < 0)
        return -1;
    return buf_add(ret_left, "{}", 2, &call->err);
}

/* ------------------------------------------------------------------------ removing */

/* Empty a folder (fd is taken over): folders in it, and files where they go too. */
static int empty_folder(int fd, const char *path, bool files, unsigned depth, struct call *call)
{
    DIR *folder = fdopendir(fd);
    int failed = 0;

    if (!folder) {
        int number = errno;
        (void)close(fd);
        return err_errno(&call->err, number, "read directory '%s'", path);
    }
    for (const struct dirent *entry; !failed && (entry = readdir(folder));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (files && unlinkat(fd, name, 0) == 0)
            continue;
        int inner = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (inner < 0 || depth == 0) {
            close_p(&inner);
            failed = err_set(&call->err, ERR_CONFLICT, "'%s' in '%s' is in the way: remove it",
                             name, path);
        } else if (empty_folder(inner, path, files, depth - 1, call) < 0) {
            failed = -1;
        } else if (unlinkat(fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
            failed = err_errno(&call->err, errno, "remove '%s' in '%s'", name, path);
        }
    }
    (void)closedir(folder);
    return failed;
}

int file_tree_remove(struct file_store *f, const char *path, bool files, struct call *call)
{
    auto_folder struct file_folder *parent = NULL, *folder = NULL;
    const char *slash = strrchr(path, '/');

    if (folder_get(f, path, slash ? (size_t)(slash - path) : 0, FOLDER_FIND, &parent, call) < 0 ||
        folder_get(f, path, strlen(path), FOLDER_FIND, &folder, call) < 0)
        return -1;
    folder_forget(f, folder);
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(&call->err, errno, "open directory '%s'", path);
    if (empty_folder(fd, path, files, DEPTH_MAX, call) < 0)
        return -1;
    if (unlinkat(parent->fd, slash ? slash + 1 : path, AT_REMOVEDIR) < 0)
        return err_errno(&call->err, errno, "remove directory '%s'", path);
    return 0;
}

/* Remove a folder of ours that may not be there. */
static int remove_own(struct file_store *f, const char *tree, const char *container,
                      struct call *call)
{
    auto_free char *path = xasprintf(FILE_OWN "/%s/%s", tree, container);

    if (file_tree_remove(f, path, true, call) == 0)
        return 0;
    if (call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

static int file_container_remove(struct store *s, const char *container, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    auto_folder struct file_folder *folder = NULL;
    auto_place struct file_place note = note_place(container);

    if (container_path(&path, container, &call->err) < 0 ||
        folder_get(f, path.data, path.length, FOLDER_FIND, &folder, call) < 0 ||
        file_ready(f, call) < 0)
        return -1;
    int full = file_container_has_objects(f, container, call);
    if (full < 0)
        return -1;
    if (full)
        return err_set(&call->err, ERR_CONFLICT, "container '%s' is not empty", container);
    if (file_tree_remove(f, path.data, false, call) < 0 ||
        remove_own(f, "meta", path.data, call) < 0 ||
        remove_own(f, "history", path.data, call) < 0 ||
        remove_own(f, "history-meta", path.data, call) < 0)
        return -1;
    auto_folder struct file_folder *notes = NULL;
    if (folder_get(f, note.path, note.folder, FOLDER_FIND, &notes, call) == 0)
        (void)unlinkat(notes->fd, place_leaf(&note), 0);
    else
        err_clear(&call->err);
    return 0;
}

/* ------------------------------------------------------------------------- listing */

static void leave_out(struct pairs *left_out, const char *name, mode_t mode)
{
    if (left_out->count < LEFT_OUT_MAX && !S_ISDIR(mode))
        pairs_add(left_out, name,
                  S_ISREG(mode)   ? "it is in no container: those are the directories here"
                  : S_ISLNK(mode) ? "a symbolic link is no container, and is not followed"
                                  : "what is neither file nor directory is no object");
}

/* All folders at the top that can be containers. */
static int container_names(struct file_store *f, struct pairs *ret, struct pairs *left_out,
                           struct call *call)
{
    int fd = openat(f->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *root = fd < 0 ? NULL : fdopendir(fd);

    if (!root)
        return err_errno(&call->err, errno, "read directory '%s'", f->path);
    for (const struct dirent *entry; (entry = readdir(root));) {
        auto_buf struct buf name = BUF_INIT(FILE_PATH_MAX);
        struct stat info;
        if (strcmp(entry->d_name, FILE_OWN) == 0 || file_name_goes_on(entry->d_name) ||
            file_name_segment(&name, entry->d_name, true, FILE_BODIES) < 0 ||
            fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (!S_ISDIR(info.st_mode)) {
            leave_out(left_out, entry->d_name, info.st_mode);
            continue;
        }
        pairs_add(ret, name.data, "");
    }
    (void)closedir(root);
    pairs_sort(ret);
    return 0;
}

static int file_container_list(struct store *s, const char *cursor, struct container_list *ret,
                               struct call *call)
{
    auto_pairs struct pairs names = PAIRS_INIT;

    if (container_names(file_store_of(s), &names, &ret->left_out, call) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.list[i].key;
        if (cursor && strcmp(name, cursor) <= 0)
            continue;
        struct container one = CONTAINER_INIT;
        if (file_container_stat(s, name, &one, call) < 0) {
            container_release(&one);
            if (call->err.code != ERR_NOT_FOUND && call->err.code != ERR_NAME)
                return -1;
            err_clear(&call->err);
            continue;
        }
        *container_list_add(ret) = one;
        if (ret->count == PAGE && i + 1 < names.count) {
            ret->cursor = xstrdup(name);
            return 0;
        }
    }
    return 0;
}

const struct container_ops file_container_ops = {
    .list = file_container_list,
    .stat = file_container_stat,
    .create = file_container_create,
    .remove = file_container_remove,
    .settings = file_container_settings,
    .apply = file_container_apply,
};
