// SPDX-License-Identifier: EUPL-1.2
/* Resumable uploads of the file store, and the sweep: see file_private.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "util/random.h"

#define ID_BYTES       16
#define UPLOADS        FILE_OWN "/upload"
#define DAY            (24 * 3600 * CLOCK_SECOND)
#define DRAFT_AGE_MAX  (1 * DAY)
#define UPLOAD_AGE_MAX (30 * DAY)
#define NOTE_MAX       (64 * 1024)

static void json_release(json_t **json)
{
    json_decref(*json);
}
#define auto_json cleanup(json_release)

/* Parts are not made durable one by one: they are good as long as this boot of the machine lasts,
 * and the commit makes all of them durable at once.  "" where the kernel does not say. */
static void boot_id(char *ret, size_t size)
{
    auto_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, ret, size - 1);

    ret[n > 0 ? n : 0] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
}

/* Ids come back from ledgers: only what we make ourselves becomes a path. */
static bool is_id(const char *id)
{
    return strlen(id) == (size_t)2 * ID_BYTES &&
           strspn(id, "0123456789abcdef") == (size_t)2 * ID_BYTES;
}

static struct file_place upload_place(const char *id, const char *leaf)
{
    struct file_place p = {.path = xasprintf(UPLOADS "/%s/%s", id, leaf)};

    p.folder = (size_t)(strrchr(p.path, '/') - p.path);
    return p;
}

static void place_release(struct file_place *p)
{
    free(p->path);
}
#define auto_place cleanup(place_release)

static int unknown_upload(const char *id, struct call *call)
{
    return err_set(&call->err, ERR_NOT_FOUND, "no upload '%.40s': begin it again", id);
}

static int write_note(struct file_store *f, const char *id, const struct object_key *key,
                      uint64_t size, struct call *call)
{
    auto_place struct file_place place = upload_place(id, "upload.json");
    auto_buf struct buf bytes = BUF_INIT(NOTE_MAX);
    auto_json json_t *note = json_object();
    char boot[64];

    boot_id(boot, sizeof(boot));
    (void)json_object_set_new(note, "container", json_string(key->container));
    (void)json_object_set_new(note, "name", json_string(key->name));
    (void)json_object_set_new(note, "size", json_integer((json_int_t)size));
    (void)json_object_set_new(note, "boot", json_string(boot));
    auto_free char *text = json_dumps(note, JSON_COMPACT);
    buf_text(&bytes, text);
    return file_small_write(f, &place, &bytes, true, true, call);
}

static int read_note(struct file_store *f, const char *id, json_t **ret, struct call *call)
{
    auto_place struct file_place place = upload_place(id, "upload.json");
    auto_buf struct buf bytes = BUF_INIT(NOTE_MAX);
    json_error_t where;

    if (file_small_read(f, &place, &bytes, call) < 0)
        return call->err.code == ERR_NOT_FOUND ? unknown_upload(id, call) : -1;
    *ret = json_loadb(bytes.data, bytes.length, 0, &where);
    return *ret ? 0 : unknown_upload(id, call);
}

/* Open the body of an upload that is still good, and is of this key (whose name, when no JSON
 * string, is not in the note). */
static int open_upload(struct file_store *f, const struct object_key *key, const char *id,
                       uint64_t *ret_size, struct file_place *ret_place, int *ret_fd,
                       struct call *call)
{
    auto_folder struct file_folder *folder = NULL;
    auto_json json_t *note = NULL;
    char boot[64];

    if (file_ready(f, call) < 0)
        return -1;
    if (!is_id(id))
        return unknown_upload(id, call);
    if (read_note(f, id, &note, call) < 0)
        return -1;
    const char *name = json_string_value(json_object_get(note, "name"));
    const char *begun = json_string_value(json_object_get(note, "boot"));
    boot_id(boot, sizeof(boot));
    if ((name && strcmp(name, key->name) != 0) || !begun || strcmp(begun, boot) != 0)
        return unknown_upload(id, call);
    auto_place struct file_place place = upload_place(id, "body");
    if (folder_get(f, place.path, place.folder, FOLDER_FIND, &folder, call) < 0)
        return unknown_upload(id, call);
    int fd = openat(folder->fd, "body", O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return unknown_upload(id, call);
    *ret_fd = fd;
    *ret_size = (uint64_t)json_integer_value(json_object_get(note, "size"));
    if (ret_place)
        *ret_place = (struct file_place){take(place.path), place.folder};
    return 0;
}

int file_upload_begin(struct store *s, const struct object_key *key,
                      const struct put_options *options, char **ret_id, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_file_key struct file_key paths = {0};
    auto_folder struct file_folder *container = NULL, *folder = NULL;
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    char id[2 * ID_BYTES + 1];

    random_hex(id, ID_BYTES);
    if (file_key_init(&paths, key, &call->err) < 0 ||
        container_path(&path, key->container, &call->err) < 0 ||
        folder_get(f, path.data, path.length, FOLDER_FIND, &container, call) < 0 ||
        file_ready(f, call) < 0)
        return -1;
    auto_place struct file_place place = upload_place(id, "body");
    if (folder_get(f, place.path, place.folder, FOLDER_MAKE, &folder, call) < 0)
        return -1;
    auto_close int fd =
        openat(folder->fd, "body", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return err_errno(&call->err, errno, "create '%s'", place.path);
    int failed = 0;
    if (ftruncate(fd, (off_t)options->size) < 0)
        failed = err_errno(&call->err, errno, "make room for %" PRIu64 " bytes of '%s/%s'",
                           options->size, key->container, key->name);
    if (failed || write_note(f, id, key, options->size, call) < 0) {
        place.path[place.folder] = '\0';
        (void)file_tree_remove(f, place.path, true, &(struct call)CALL_INIT);
        return -1;
    }
    *ret_id = xstrdup(id);
    return 0;
}

int file_upload_part(struct store *s, const struct object_key *key, const char *id, uint32_t number,
                     const struct part_options *options, struct source *from,
                     struct part_result *ret, struct call *call)
{
    auto_close int fd = -1;
    uint64_t size;

    if (open_upload(file_store_of(s), key, id, &size, NULL, &fd, call) < 0)
        return -1;
    if (options->offset > size || options->size > size - options->offset)
        return err_set(&call->err, ERR_INVALID,
                       "part %" PRIu32 " of '%s/%s' reaches beyond its %" PRIu64 " bytes", number,
                       key->container, key->name, size);
    if (file_write_from(fd, options->offset, options->size, from, key, call) < 0)
        return -1;
    /* Begin writing it out, so that the commit need not wait for everything. */
    (void)sync_file_range(fd, (off_t)options->offset, (off_t)options->size, SYNC_FILE_RANGE_WRITE);
    (void)snprintf(ret->etag, sizeof(ret->etag), "%" PRIx64 "-%" PRIx64, options->offset,
                   options->size);
    ret->proof = PROOF_WRITTEN;
    return 0;
}

int file_upload_commit(struct store *s, const struct object_key *key, const char *id,
                       const struct part_result *parts, uint32_t count,
                       const struct put_options *options, struct put_result *ret, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_file_draft struct file_draft draft = {.f = f, .fd = -1, .keep = true};
    uint64_t size;

    (void)parts; /* each lies where it belongs already */
    (void)count;
    if (open_upload(f, key, id, &size, &draft.name, &draft.fd, call) < 0)
        return -1;
    if (size != options->size)
        return err_set(&call->err, ERR_INVALID,
                       "upload of '%s/%s' was begun with %" PRIu64 " bytes, not %" PRIu64,
                       key->container, key->name, size, options->size);
    if (file_commit(f, key, &draft, options->properties, options, ret, call) < 0)
        return -1;
    auto_free char *folder = xasprintf(UPLOADS "/%s", id);
    (void)file_tree_remove(f, folder, true, &(struct call)CALL_INIT);
    return 0;
}

int file_upload_abort(struct store *s, const struct object_key *key, const char *id,
                      struct call *call)
{
    struct file_store *f = file_store_of(s);

    (void)key;
    if (!is_id(id))
        return 0;
    if (file_ready(f, call) < 0)
        return -1;
    auto_free char *folder = xasprintf(UPLOADS "/%s", id);
    if (file_tree_remove(f, folder, true, call) < 0 && call->err.code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

/* -------------------------------------------------------------------- the sweep */

static bool is_older(int folder, const char *name, int64_t age)
{
    struct stat info;

    return fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           clock_wall() - file_mtime(&info) > age;
}

/* An upload that can still be continued? */
static bool is_good(struct file_store *f, const char *id)
{
    struct call call = CALL_INIT;
    auto_json json_t *note = NULL;
    char boot[64];

    if (read_note(f, id, &note, &call) < 0)
        return false;
    const char *begun = json_string_value(json_object_get(note, "boot"));
    boot_id(boot, sizeof(boot));
    return begun && strcmp(begun, boot) == 0;
}

static void sweep_uploads(struct file_store *f)
{
    int fd = openat(f->root, UPLOADS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *uploads = fd < 0 ? NULL : fdopendir(fd);

    for (const struct dirent *entry; uploads && (entry = readdir(uploads));) {
        if (!is_id(entry->d_name) || !is_older(fd, entry->d_name, DRAFT_AGE_MAX))
            continue;
        auto_free char *folder = xasprintf(UPLOADS "/%s", entry->d_name);
        auto_free char *body = xasprintf("%s/body", entry->d_name);
        /* The body's time says when the last part came. */
        if (!is_good(f, entry->d_name) || is_older(fd, body, UPLOAD_AGE_MAX))
            (void)file_tree_remove(f, folder, true, &(struct call)CALL_INIT);
    }
    if (uploads)
        (void)closedir(uploads);
}

void file_sweep(struct file_store *f)
{
    int fd = openat(f->tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *drafts = fd < 0 ? NULL : fdopendir(fd);

    for (const struct dirent *entry; drafts && (entry = readdir(drafts));)
        if (entry->d_name[0] != '.' && is_older(fd, entry->d_name, DRAFT_AGE_MAX))
            (void)unlinkat(fd, entry->d_name, 0);
    if (drafts)
        (void)closedir(drafts);
    sweep_uploads(f);
}
