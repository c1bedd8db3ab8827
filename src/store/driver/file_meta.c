// SPDX-License-Identifier: EUPL-1.2
/* The metadata beside each body, and small files of our own: see file_private.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "codec/date.h"
#include "store/driver/file_private.h"
#include "store/object_json.h"
#include "util/random.h"

#define ATTEMPTS 100

static void json_release(json_t **json)
{
    json_decref(*json);
}
#define auto_json cleanup(json_release)

void file_meta_release(struct file_meta *m)
{
    for (unsigned i = 0; i < m->count; i++)
        object_release(&m->entries[i].object);
    m->count = 0;
}

/* ------------------------------------------------------------------- the format */

static int parse_entry(const json_t *json, struct file_entry *ret, struct err *e)
{
    const char *mtime = json_string_value(json_object_get(json, "mtime"));
    struct file_entry entry = {.inode =
                                   (uint64_t)json_integer_value(json_object_get(json, "inode"))};

    if (object_from_json(json, &entry.object, e) < 0)
        return -1;
    entry.mtime = entry.object.modified;
    if ((mtime && date_parse_iso8601(mtime, &entry.mtime, e) < 0) ||
        (!entry.object.etag && err_set(e, ERR_INVALID, "a body without etag") < 0)) {
        object_release(&entry.object);
        return -1;
    }
    *ret = entry;
    return 0;
}

int file_meta_parse(const char *bytes, size_t n, struct file_meta *ret, struct err *e)
{
    auto_file_meta struct file_meta meta = FILE_META_INIT;
    json_error_t where;
    auto_json json_t *json = json_loadb(bytes, n, JSON_REJECT_DUPLICATES, &where);

    if (!json)
        return err_set(e, ERR_INVALID, "not JSON: %s", where.text);
    const json_t *bodies = json_object_get(json, "bodies");
    if (!json_is_array(bodies))
        return err_set(e, ERR_INVALID, "no array 'bodies'");
    for (size_t i = 0; i < json_array_size(bodies) && i < ARRAY_SIZE(meta.entries); i++) {
        if (parse_entry(json_array_get(bodies, i), &meta.entries[i], e) < 0)
            return -1;
        meta.count++;
    }
    *ret = meta;
    meta.count = 0;
    return 0;
}

void file_meta_print(const struct file_meta *m, struct buf *out)
{
    auto_json json_t *json = json_object();
    json_t *bodies = json_array();

    for (unsigned i = 0; i < m->count; i++) {
        const struct file_entry *entry = &m->entries[i];
        json_t *one = object_to_json(&entry->object);
        (void)json_object_set_new(one, "inode", json_integer((json_int_t)entry->inode));
        if (entry->mtime != entry->object.modified) {
            char mtime[DATE_TEXT];
            date_iso8601(mtime, sizeof(mtime), entry->mtime, 9);
            (void)json_object_set_new(one, "mtime", json_string(mtime));
        }
        (void)json_array_append_new(bodies, one);
    }
    (void)json_object_set_new(json, "bodies", bodies);
    auto_free char *text = json_dumps(json, JSON_COMPACT);
    buf_text(out, text ? text : "{}");
    buf_char(out, '\n');
}

/* Times survive copies in full, or (tar) in whole seconds. */
static bool is_same_time(int64_t described, int64_t found)
{
    return described == found ||
           (found % CLOCK_SECOND == 0 && described / CLOCK_SECOND == found / CLOCK_SECOND);
}

struct file_entry *file_meta_match(struct file_meta *m, const struct stat *body)
{
    struct file_entry *best = NULL;
    int64_t mtime = file_mtime(body);

    for (unsigned i = 0; i < m->count; i++) {
        struct file_entry *entry = &m->entries[i];
        if (entry->object.size != (uint64_t)body->st_size || !is_same_time(entry->mtime, mtime))
            continue;
        if (entry->inode == (uint64_t)body->st_ino)
            return entry;
        /* Another inode: a copy of the whole store, where the newest is meant. */
        if (!best)
            best = entry;
    }
    return best;
}

void file_object_own(struct object *o, const struct stat *body)
{
    o->size = (uint64_t)body->st_size;
    if (o->modified == TIME_UNKNOWN)
        o->modified = file_mtime(body);
    if (!o->etag)
        o->etag = xasprintf("%" PRIx64 "-%" PRIx64 "-%" PRIx64, (uint64_t)body->st_ino,
                            (uint64_t)body->st_size, (uint64_t)file_mtime(body));
    replace_string(&o->name, NULL);
    o->tag_count = (unsigned)o->tags.count;
}

/* ------------------------------------------------------------------- small files */

/* Read an open file whole. */
static int read_whole(int fd, const char *path, struct buf *ret, struct call *call)
{
    for (;;) {
        if (buf_reserve(ret, 4096, &call->err) < 0)
            return err_prefix(&call->err, "read '%s'", path);
        ssize_t n = read(fd, ret->data + ret->length, 4096);
        if (n < 0)
            return err_errno(&call->err, errno, "read '%s'", path);
        ret->length += (size_t)n;
        ret->data[ret->length] = '\0';
        if (n < 4096)
            return 0;
    }
}

int file_small_read(struct file_store *f, const struct file_place *place, struct buf *ret,
                    struct call *call)
{
    auto_folder struct file_folder *folder = NULL;

    if (folder_get(f, place->path, place->folder, FOLDER_FIND, &folder, call) < 0)
        return -1;
    auto_close int fd =
        openat(folder->fd, place_leaf(place), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0)
        return read_whole(fd, place->path, ret, call);
    int number = errno;
    if (number == ENOENT && folder_is_gone(folder)) {
        folder_forget(f, folder);
        return file_small_read(f, place, ret, call);
    }
    return err_errno(&call->err, number, "open '%s'", place->path);
}

static int write_whole(int fd, const char *path, const struct buf *bytes, bool lazy,
                       struct call *call)
{
    for (size_t at = 0; at < bytes->length;) {
        ssize_t n = write(fd, bytes->data + at, bytes->length - at);
        if (n < 0)
            return err_errno(&call->err, errno, "write '%s'", path);
        at += (size_t)n;
    }
    if (!lazy && fsync(fd) < 0)
        return err_errno(&call->err, errno, "make '%s' durable", path);
    return 0;
}

/* Create the file where it shall be: nobody looks at it yet.  1 when something is there. */
static int write_fresh(const struct file_folder *folder, const struct file_place *place,
                       const struct buf *bytes, bool lazy, struct call *call)
{
    const char *leaf = place_leaf(place);
    auto_close int fd =
        openat(folder->fd, leaf, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);

    if (fd < 0 && (errno == EEXIST || errno == ENOENT))
        return 1;
    if (fd < 0)
        return err_errno(&call->err, errno, "create '%s'", place->path);
    if (write_whole(fd, place->path, bytes, lazy, call) < 0) {
        (void)unlinkat(folder->fd, leaf, 0);
        return -1;
    }
    return 0;
}

/* Write beside and rename.  1 when the folder went away meanwhile. */
static int write_over(struct file_store *f, const struct file_folder *folder,
                      const struct file_place *place, const struct buf *bytes, bool lazy,
                      struct call *call)
{
    char name[33];

    random_hex(name, 16);
    auto_close int fd = openat(f->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(&call->err, errno, "create '" FILE_OWN "/tmp/%s'", name);
    int failed = write_whole(fd, place->path, bytes, lazy, call);
    if (failed == 0 && renameat(f->tmp, name, folder->fd, place_leaf(place)) < 0)
        failed = errno == ENOENT ? 1 : err_errno(&call->err, errno, "replace '%s'", place->path);
    if (failed)
        (void)unlinkat(f->tmp, name, 0);
    return failed;
}

int file_small_write(struct file_store *f, const struct file_place *place, const struct buf *bytes,
                     bool fresh, bool lazy, struct call *call)
{
    enum folder_mode mode = lazy ? FOLDER_MAKE : FOLDER_MAKE_DURABLE;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        auto_folder struct file_folder *folder = NULL;
        if (file_give_way(attempt, call) < 0 ||
            folder_get(f, place->path, place->folder, mode, &folder, call) < 0)
            return -1;
        int done = fresh ? write_fresh(folder, place, bytes, lazy, call)
                         : write_over(f, folder, place, bytes, lazy, call);
        if (done < 0)
            return -1;
        if (done == 0)
            return lazy ? 0 : folder_sync(folder, call);
        fresh = false;
        if (folder_is_gone(folder))
            folder_forget(f, folder);
    }
    return err_set(&call->err, ERR_BUSY, "the directory of '%s' changes all the time", place->path);
}

int file_meta_read(struct file_store *f, const struct file_place *place, struct file_meta *ret,
                   struct call *call)
{
    auto_buf struct buf bytes = BUF_INIT(FILE_META_MAX);

    if (file_small_read(f, place, &bytes, call) < 0) {
        if (call->err.code != ERR_NOT_FOUND)
            return -1;
        err_clear(&call->err);
        return 0;
    }
    if (file_meta_parse(bytes.data, bytes.length, ret, &call->err) < 0) {
        call->err.code = ERR_CORRUPT;
        return err_prefix(&call->err,
                          "the metadata in '%s' is damaged (remove the file to go without)",
                          place->path);
    }
    return 0;
}

int file_meta_write(struct file_store *f, const struct file_place *place, const struct file_meta *m,
                    bool fresh, bool lazy, struct call *call)
{
    auto_buf struct buf bytes = BUF_INIT(FILE_META_MAX);

    file_meta_print(m, &bytes);
    return file_small_write(f, place, &bytes, fresh, lazy, call);
}
