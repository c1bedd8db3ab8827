// SPDX-License-Identifier: EUPL-1.2
/* The file store: opening, and objects that are there.  See file.h and file_private.h. */
#include "store/driver/file.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "util/thread.h"

#define CHUNK ((size_t)32 * 1024) /* of each transfer there may be hundreds */

static int file_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call)
{
    struct file_store *f = file_store_of(s);
    struct stat info;

    if (fstat(f->root, &info) < 0 || info.st_nlink == 0)
        return err_set(&call->err, ERR_NOT_FOUND, "directory '%s' is gone", f->path);
    *ret_clock_ahead = 0;
    return 0;
}

static int file_stat(struct store *s, const struct object_key *key, struct object *ret,
                     struct call *call)
{
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;

    if (file_key_init(&paths, key, &call->err) < 0)
        return -1;
    return file_object_find(file_store_of(s), key, &paths, false, &body, ret, call);
}

static int push_range(int fd, uint64_t offset, uint64_t length, struct sink *to,
                      const struct object_key *key, struct call *call)
{
    size_t room = length < CHUNK ? (size_t)length : CHUNK;
    auto_free char *chunk = xmalloc(room);

    while (length) {
        size_t n = length < room ? (size_t)length : room;
        if (call_check(call) < 0)
            return -1;
        ssize_t got = pread(fd, chunk, n, (off_t)offset);
        if (got < 0)
            return err_errno(&call->err, errno, "read '%s/%s'", key->container, key->name);
        if (got == 0)
            return err_set(&call->err, ERR_CHANGED, "'%s/%s' became shorter while it was read",
                           key->container, key->name);
        if (sink_write(to, chunk, (size_t)got, call) < 0)
            return -1;
        offset += (uint64_t)got;
        length -= (uint64_t)got;
    }
    return 0;
}

static int check_found(const struct object_key *key, const char *if_match, uint64_t offset,
                       const struct object *found, struct call *call)
{
    if (if_match && strcmp(if_match, found->etag) != 0)
        return err_set(&call->err, ERR_CHANGED, "'%s/%s' has changed", key->container, key->name);
    if (offset > found->size || (offset == found->size && offset))
        return err_set(&call->err, ERR_RANGE,
                       "offset %" PRIu64 " is past the end of '%s/%s' (%" PRIu64 " bytes)", offset,
                       key->container, key->name, found->size);
    return 0;
}

/* The bytes alone: nobody asks for what is said about them. */
static int open_plain(struct file_store *f, const struct object_key *key,
                      const struct file_key *paths, struct file_body *ret_body, struct object *ret,
                      struct call *call)
{
    int there = file_body_find(f, paths, true, ret_body, call);

    if (there < 0)
        return -1;
    if (!there)
        return err_set(&call->err, ERR_NOT_FOUND, "no object '%s/%s'", key->container, key->name);
    file_object_own(ret, &ret_body->stat);
    ret->kind = key->kind;
    return 0;
}

static int file_get(struct store *s, const struct object_key *key,
                    const struct get_options *options, struct sink *to, struct object *ret,
                    enum transport_check *ret_check, struct call *call)
{
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;
    auto_object struct object found = OBJECT_INIT;
    struct file_store *f = file_store_of(s);
    bool plain = options->plain;

    if (file_key_init(&paths, key, &call->err) < 0 ||
        (plain ? open_plain(f, key, &paths, &body, &found, call)
               : file_object_find(f, key, &paths, true, &body, &found, call)) < 0 ||
        check_found(key, options->if_match, options->offset, &found, call) < 0)
        return -1;
    uint64_t left = found.size - options->offset;
    *ret = found;
    found = (struct object)OBJECT_INIT;
    *ret_check = TRANSPORT_LENGTH;
    return push_range(body.fd, options->offset, options->length < left ? options->length : left, to,
                      key, call);
}

static int remove_leaf(struct file_store *f, const struct file_place *place, struct call *call)
{
    auto_folder struct file_folder *folder = NULL;

    if (folder_get(f, place->path, place->folder, FOLDER_FIND, &folder, call) < 0)
        return -1;
    if (unlinkat(folder->fd, place_leaf(place), 0) < 0)
        return err_errno(&call->err, errno, "remove '%s'", place->path);
    return 0;
}

static int file_remove(struct store *s, const struct object_key *key, const char *if_match,
                       struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;
    auto_object struct object found = OBJECT_INIT;
    int there;

    if (file_key_init(&paths, key, &call->err) < 0)
        return -1;
    there = file_body_find(f, &paths, false, &body, call);
    if (there < 0)
        return -1;
    if (!there)
        return err_set(&call->err, ERR_NOT_FOUND, "no object '%s/%s'", key->container, key->name);
    if (file_ready(f, call) < 0)
        return -1;
    {
        auto_key_lock struct key_lock lock = KEY_LOCK_INIT;
        if (key_lock_take(f, paths.body[0].path, &lock, call) < 0)
            return -1;
        if (if_match) {
            if (file_object_find(f, key, &paths, false, &body, &found, call) < 0 ||
                check_found(key, if_match, 0, &found, call) < 0)
                return -1;
        } else if (file_body_find(f, &paths, false, &body, call) <= 0) {
            return err_set(&call->err, ERR_NOT_FOUND, "no object '%s/%s'", key->container,
                           key->name);
        }
        if (remove_leaf(f, &paths.body[body.which], call) < 0)
            return -1;
        struct call ignored = CALL_INIT;
        (void)remove_leaf(f, &paths.meta, &ignored);
    }
    folder_prune(f, paths.body[body.which].path, paths.body[body.which].folder, paths.body_keep);
    folder_prune(f, paths.meta.path, paths.meta.folder, paths.meta_keep);
    return 0;
}

static int file_sync(struct store *s, struct call *call)
{
    struct file_store *f = file_store_of(s);
    uint64_t made = atomic_load(&f->made_lazily);

    /* The kernel tells of a lost write only once, and whoever asks next hears that all is well: so
     * one asks at a time, and after a failure nothing counts as durable any more. */
    locked(&f->sync_lock);
    if (f->sync_failed)
        return err_set(&call->err, ERR_IO,
                       "make everything in '%s' durable: an earlier attempt failed", f->path);
    f->sync_failed = syncfs(f->root) < 0;
    if (f->sync_failed)
        return err_errno(&call->err, errno, "make everything in '%s' durable", f->path);
    /* Another sync may have covered more. */
    uint64_t durable = atomic_load(&f->made_durable);
    while (durable < made && !atomic_compare_exchange_weak(&f->made_durable, &durable, made))
        continue;
    return 0;
}

static void file_close(struct store *s)
{
    struct file_store *f = file_store_of(s);

    folder_forget_all(f);
    file_windows_release(f);
    close_p(&f->root);
    close_p(&f->tmp);
    close_p(&f->lock_fd);
    for (size_t i = 0; i < FILE_LOCKS; i++)
        (void)pthread_mutex_destroy(&f->stripes[i]);
    (void)pthread_mutex_destroy(&f->folders_lock);
    (void)pthread_mutex_destroy(&f->ready_lock);
    (void)pthread_mutex_destroy(&f->windows_lock);
    (void)pthread_mutex_destroy(&f->sync_lock);
    free(f->path);
    store_release(s);
    free(f);
}

static const struct store_ops file_ops = {
    .reach = file_reach,
    .stat = file_stat,
    .get = file_get,
    .put = file_put,
    .remove = file_remove,
    .list = file_list,
    .upload_begin = file_upload_begin,
    .upload_part = file_upload_part,
    .upload_commit = file_upload_commit,
    .upload_abort = file_upload_abort,
    .copy = file_copy,
    .sync = file_sync,
    .close = file_close,
};

/* ------------------------------------------------------------------- the groups */

static int file_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                         struct call *call)
{
    auto_object struct object found = OBJECT_INIT;

    if (file_stat(s, key, &found, call) < 0)
        return -1;
    *ret = found.tags;
    found.tags = (struct pairs)PAIRS_INIT;
    return 0;
}

static void change_tags(struct object *o, const void *argument)
{
    pairs_release(&o->tags);
    pairs_copy(&o->tags, argument);
    o->tag_count = (unsigned)o->tags.count;
}

static int file_tags_set(struct store *s, const struct object_key *key, const struct pairs *tags,
                         struct call *call)
{
    return file_change(file_store_of(s), key, change_tags, tags, call);
}

static void change_tier(struct object *o, const void *argument)
{
    replace_string(&o->tier, argument);
    o->tier_inferred = false;
}

static int file_tier_set(struct store *s, const struct object_key *key, const char *tier,
                         const char *priority, struct call *call)
{
    (void)priority; /* nothing is ever asleep here */
    return file_change(file_store_of(s), key, change_tier, tier, call);
}

static int find_extents(int fd, uint64_t offset, uint64_t end, struct extent_list *ret,
                        struct call *call)
{
    while (offset < end) {
        off_t data = lseek(fd, (off_t)offset, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return 0;
        if (data < 0 && errno == EINVAL)
            data = (off_t)offset; /* the file system does not know */
        off_t hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);
        if (hole < 0 && errno == EINVAL)
            hole = (off_t)end;
        if (data < 0 || hole < 0)
            return err_errno(&call->err, errno, "look for holes");
        uint64_t stop = (uint64_t)hole < end ? (uint64_t)hole : end;
        if ((uint64_t)data >= end)
            return 0;
        extent_list_add(ret, (uint64_t)data, stop - (uint64_t)data);
        offset = stop;
    }
    return 0;
}

static int file_extents(struct store *s, const struct object_key *key, const char *if_match,
                        uint64_t offset, uint64_t length, struct extent_list *ret,
                        struct call *call)
{
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;
    auto_object struct object found = OBJECT_INIT;

    if (file_key_init(&paths, key, &call->err) < 0 ||
        file_object_find(file_store_of(s), key, &paths, true, &body, &found, call) < 0 ||
        check_found(key, if_match, offset, &found, call) < 0)
        return -1;
    uint64_t left = found.size - offset;
    return find_extents(body.fd, offset, offset + (length < left ? length : left), ret, call);
}

static int file_tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                              bool *ret, struct call *call)
{
    (void)s, (void)container, (void)tags, (void)call;
    *ret = true;
    return 0;
}

static const struct tag_ops file_tag_ops = {
    .can_hold = file_tags_can_hold, .get = file_tags_get, .set = file_tags_set};
static const struct tier_ops file_tier_ops = {.set = file_tier_set};
static const struct extent_ops file_extent_ops = {.get = file_extents};

static const struct store_traits file_traits = {
    .driver = "file",
    .object_size_max = INT64_MAX,
    .put_size_max = INT64_MAX,
    .part_size_min = 1,
    .part_size_max = INT64_MAX,
    .parts_max = 1000000,
    .name_bytes_max = FILE_NAME_MAX,
    .metadata_bytes_max = 1024 * 1024,
    .metadata_value_max = 1024 * 1024,
    .metadata_count_max = 10000,
    .tags_max = 1000,
    .metadata_keeps_case = true,
    .holds_type = true,
    .holds_times = true,
    .holds_tier = true,
    .holds_everything = true,
    .notes_versioning = true,
    .lists_in_order = true,
    .parts_in_place = true,
};

/* ---------------------------------------------------------------------- opening */

static struct file_store *file_store_new(const char *path, const char *name, int root)
{
    struct file_store *f = xcalloc(1, sizeof(*f));
    char real[PATH_MAX];
    auto_free char *identity = xasprintf("file:%s", realpath(path, real) ? real : path);

    store_init(&f->store, &file_ops, name, identity);
    f->store.traits = file_traits;
    f->store.containers = &file_container_ops;
    f->store.tags = &file_tag_ops;
    f->store.tier = &file_tier_ops;
    f->store.extents = &file_extent_ops;
    f->root = root;
    f->lock_fd = f->tmp = -1;
    f->path = xstrdup(path);
    for (size_t i = 0; i < FILE_LOCKS; i++)
        (void)pthread_mutex_init(&f->stripes[i], NULL);
    (void)pthread_mutex_init(&f->folders_lock, NULL);
    (void)pthread_mutex_init(&f->ready_lock, NULL);
    (void)pthread_mutex_init(&f->windows_lock, NULL);
    (void)pthread_mutex_init(&f->sync_lock, NULL);
    return f;
}

int file_store_open(const char *path, const char *name, struct store **ret, struct call *call)
{
    int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (root < 0 && errno == ENOENT)
        return err_set(&call->err, ERR_NOT_FOUND, "%s: there is no directory '%s'", name, path);
    if (root < 0)
        return err_errno(&call->err, errno, "%s: open directory '%s'", name, path);
    *ret = &file_store_new(path, name, root)->store;
    return 0;
}

int file_store_open_or_make(const char *path, const char *name, struct store **ret,
                            struct call *call)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return err_errno(&call->err, errno, "%s: make directory '%s'", name, path);
    return file_store_open(path, name, ret, call);
}

int file_store_path(struct store *s, const struct object_key *key, char **ret, struct call *call)
{
    auto_file_key struct file_key k = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;

    while (s->below)
        s = s->below;
    if (file_key_init(&k, key, &call->err) < 0)
        return -1;
    int found = file_body_find(file_store_of(s), &k, false, &body, call);
    if (found < 0)
        return -1;
    if (!found)
        return err_set(&call->err, ERR_NOT_FOUND, "no object '%s/%s'", key->container, key->name);
    *ret = xstrdup(k.body[body.which].path);
    return 0;
}
