// SPDX-License-Identifier: EUPL-1.2
/* New bodies and the commit point: see file_private.h. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "util/random.h"

#define ATTEMPTS 100
#define CHUNK    ((size_t)32 * 1024) /* of each of hundreds of transfers */
#define HOLE     ((size_t)4096)      /* what file systems can leave out */

/* -------------------------------------------------------------------- drafts */

void file_draft_release(struct file_draft *d)
{
    close_p(&d->fd);
    d->fd = -1;
    if (d->name.path && !d->keep)
        (void)unlinkat(d->f->tmp, place_leaf(&d->name), 0);
    free(take(d->name.path));
}

static struct file_place tmp_place(void)
{
    char random[33];

    random_hex(random, 16);
    return (struct file_place){xasprintf(FILE_OWN "/tmp/%s", random), sizeof(FILE_OWN "/tmp") - 1};
}

int file_draft_open(struct file_store *f, struct file_draft *ret, struct call *call)
{
    int fd = -1;

    if (!atomic_load(&f->no_tmpfile)) {
        fd = openat(f->tmp, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
        if (fd >= 0) {
            *ret = (struct file_draft){.f = f, .fd = fd};
            return 0;
        }
        if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL && errno != ENOENT)
            return err_errno(&call->err, errno, "create a file in '%s'", f->path);
        atomic_store(&f->no_tmpfile, true);
    }
    struct file_place name = tmp_place();
    fd = openat(f->tmp, place_leaf(&name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        int number = errno;
        free(name.path);
        return err_errno(&call->err, number, "create a file in '%s/" FILE_OWN "/tmp'", f->path);
    }
    *ret = (struct file_draft){.f = f, .fd = fd, .name = name};
    return 0;
}

/* Give a nameless draft a name; 0 or -1 with errno. */
static int link_draft(const struct file_draft *d, int folder, const char *leaf)
{
    char path[40];

    if (linkat(d->fd, "", folder, leaf, AT_EMPTY_PATH) == 0)
        return 0;
    if (errno != ENOENT && errno != EPERM)
        return -1;
    /* Older kernels want a capability for that, but know this door. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", d->fd);
    return linkat(AT_FDCWD, path, folder, leaf, AT_SYMLINK_FOLLOW);
}

/* The folder a named draft is in: drafts of uploads have their own. */
static int draft_folder(const struct file_draft *d, struct file_folder **ret, struct call *call)
{
    return folder_get(d->f, d->name.path, d->name.folder, FOLDER_FIND, ret, call);
}

/* Rename a named draft; 0, 1 with errno, or -1 with the call's error. */
static int rename_draft(struct file_draft *d, int folder, const char *leaf, unsigned flags,
                        struct call *call)
{
    auto_folder struct file_folder *from = NULL;

    if (draft_folder(d, &from, call) < 0)
        return -1;
    if (renameat2(from->fd, place_leaf(&d->name), folder, leaf, flags) < 0) {
        /* Some file systems cannot do it in one step; a link cannot replace anything either. */
        if (!flags || errno != EINVAL ||
            linkat(from->fd, place_leaf(&d->name), folder, leaf, 0) < 0)
            return 1;
        (void)unlinkat(from->fd, place_leaf(&d->name), 0);
    }
    free(take(d->name.path));
    return 0;
}

/* Where nothing is, or over what is there; 0, 1 with errno, -1 with the call's error. */
static int put_in_place(struct file_draft *d, int folder, const char *leaf, bool over,
                        struct call *call)
{
    if (!d->name.path && !over)
        return link_draft(d, folder, leaf) < 0 ? 1 : 0;
    if (!d->name.path) {
        struct file_place name = tmp_place();
        if (link_draft(d, d->f->tmp, place_leaf(&name)) < 0) {
            free(name.path);
            return 1;
        }
        d->name = name;
    }
    return rename_draft(d, folder, leaf, over ? 0 : RENAME_NOREPLACE, call);
}

/* -------------------------------------------------------------------- the commit */

struct commit {
    struct file_store *f;
    const struct object_key *key;
    const struct put_options *options;
    struct file_key paths;
    struct file_entry entry;
    unsigned use; /* which of the body's places */
};

static void commit_release(struct commit *c)
{
    file_key_release(&c->paths);
    object_release(&c->entry.object);
}

static size_t text_size(const struct pairs *p)
{
    size_t size = 0;

    for (size_t i = 0; i < p->count; i++)
        size += strlen(p->list[i].key) + strlen(p->list[i].value);
    return size;
}

/* What is to be written of the object, and the times of its file. */
static int describe(struct commit *c, const struct file_draft *d, const struct object *properties,
                    struct call *call)
{
    struct object *o = &c->entry.object;
    struct stat info;
    char etag[33];

    if (properties)
        object_copy(o, properties);
    if (text_size(&o->metadata) + text_size(&o->tags) > c->f->store.traits.metadata_bytes_max)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "metadata and tags of '%s/%s' are more than %" PRIu32 " bytes",
                       c->key->container, c->key->name, c->f->store.traits.metadata_bytes_max);
    if (o->modified != TIME_UNKNOWN) {
        struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
        times[1].tv_sec = o->modified / CLOCK_SECOND - (o->modified % CLOCK_SECOND < 0);
        times[1].tv_nsec = o->modified - times[1].tv_sec * CLOCK_SECOND;
        if (futimens(d->fd, times) < 0)
            return err_errno(&call->err, errno, "set the time of '%s/%s'", c->key->container,
                             c->key->name);
    }
    if (fstat(d->fd, &info) < 0)
        return err_errno(&call->err, errno, "look at '%s/%s'", c->key->container, c->key->name);
    assert((uint64_t)info.st_size == c->options->size);
    replace_string(&o->name, c->key->name);
    if (!c->options->plain) { /* else that of a body without metadata */
        random_hex(etag, 16);
        replace_string(&o->etag, etag);
    }
    replace_string(&o->version, c->key->version);
    o->kind = c->key->kind;
    o->is_latest = false;
    o->size = (uint64_t)info.st_size;
    c->entry.inode = (uint64_t)info.st_ino;
    c->entry.mtime = file_mtime(&info);
    if (o->modified == TIME_UNKNOWN)
        o->modified = c->entry.mtime;
    struct checksums known = c->options->known;
    for (int kind = 0; kind < CHECKSUM_KIND_COUNT; kind++)
        if (known.have & ~o->stored.have & (1U << kind))
            checksum_set(&o->stored, (enum checksum_kind)kind,
                         checksum_bytes(&known, (enum checksum_kind)kind));
    if (c->options->plain)
        file_object_own(o, &info);
    return 0;
}

/* Whether the body can do without metadata: none stands there that could be taken for its own. */
static int goes_plain(const struct commit *c, struct call *call)
{
    auto_file_meta struct file_meta older = FILE_META_INIT;

    if (file_meta_read(c->f, &c->paths.meta, &older, call) == 0)
        return older.count == 0;
    if (call->err.code != ERR_CORRUPT)
        return -1;
    err_clear(&call->err);
    return 0;
}

/* The metadata beside the body: first, so that there is no body without. */
static int write_meta(struct commit *c, struct file_meta *meta, bool found, struct call *call)
{
    if (c->options->plain && !found) {
        int plain = goes_plain(c, call);
        if (plain != 0)
            return plain < 0 ? -1 : 0;
    }
    if (meta->count)
        meta->entries[1] = meta->entries[0];
    meta->count++;
    meta->entries[0] = c->entry;
    c->entry.object = (struct object)OBJECT_INIT;
    int done = file_meta_write(c->f, &c->paths.meta, meta, !found, c->options->lazy, call);
    /* Handed back, for the next attempt. */
    c->entry = meta->entries[0];
    meta->entries[0].object = (struct object)OBJECT_INIT;
    return done;
}

static int condition_failed(const struct commit *c, struct call *call)
{
    return err_set(&call->err, ERR_CHANGED,
                   c->options->if_absent ? "'%s/%s' exists already" : "'%s/%s' has changed",
                   c->key->container, c->key->name);
}

static void keep_only(struct file_meta *m, struct file_entry *entry)
{
    for (unsigned i = 0; i < m->count; i++)
        if (&m->entries[i] != entry)
            object_release(&m->entries[i].object);
    if (entry)
        m->entries[0] = *entry;
    m->count = entry ? 1 : 0;
}

/* Conditions, and the metadata to write: ours, and what describes the body that is there. */
static int prepare(struct commit *c, const struct stat *there, struct file_meta *ret,
                   struct call *call)
{
    struct file_entry *entry = NULL;
    struct object own = OBJECT_INIT;

    if (c->options->if_absent)
        return condition_failed(c, call);
    if (file_meta_read(c->f, &c->paths.meta, ret, call) < 0) {
        /* Damaged metadata is replaced with the body it belonged to. */
        if (call->err.code != ERR_CORRUPT || c->options->if_match)
            return -1;
        err_clear(&call->err);
    }
    entry = file_meta_match(ret, there);
    if (c->options->if_match) {
        file_object_own(&own, there);
        int same = strcmp(c->options->if_match, entry ? entry->object.etag : own.etag) == 0;
        object_release(&own);
        if (!same)
            return condition_failed(c, call);
    }
    keep_only(ret, entry);
    return 0;
}

/* The body to its place, in the folder that was made for it.  1: look again. */
static int place_body(struct commit *c, struct file_draft *d, struct file_folder *folder, bool over,
                      struct call *call)
{
    const struct file_place *place = &c->paths.body[c->use];
    struct stat info;

    int done = put_in_place(d, folder->fd, place_leaf(place), over, call);
    if (done <= 0)
        return done;
    int number = errno;
    if (number == ENOENT && folder_is_gone(folder)) {
        folder_forget(c->f, folder);
        return 1;
    }
    if (number == EEXIST || number == EISDIR || number == ENOTEMPTY) {
        if (fstatat(folder->fd, place_leaf(place), &info, AT_SYMLINK_NOFOLLOW) < 0)
            return errno == ENOENT ? 1 : err_errno(&call->err, errno, "look at '%s'", place->path);
        if (S_ISDIR(info.st_mode) && c->use == 0 && c->paths.bodies == 2) {
            c->use = 1; /* "a" beside "a/b" */
            return 1;
        }
        if (S_ISREG(info.st_mode))
            return 1;
    }
    return err_errno(&call->err, number, "put '%s' in its place", place->path);
}

/* One attempt under the key's lock; 1 when the ground has moved. */
static int commit_locked(struct commit *c, struct file_draft *d, struct file_folder *folder,
                         struct call *call)
{
    auto_file_body struct file_body there = FILE_BODY_INIT;
    auto_file_meta struct file_meta meta = FILE_META_INIT;
    bool lazy = c->options->lazy;

    int found = file_body_find(c->f, &c->paths, false, &there, call);
    if (found < 0)
        return -1;
    if (found && (unsigned)there.which != c->use) {
        c->use = (unsigned)there.which;
        return 1;
    }
    if (!found && c->options->if_match)
        return condition_failed(c, call);
    if (found && prepare(c, &there.stat, &meta, call) < 0)
        return -1;
    int done = write_meta(c, &meta, found, call);
    if (done == 0)
        done = place_body(c, d, folder, found, call);
    if (done == 0 && !lazy)
        done = folder_sync(folder, call);
    return done;
}

/* Folders that were made lazily must not undo what is durable below them. */
static int settle_folders(struct file_store *f, struct call *call)
{
    uint64_t made = atomic_load(&f->made_lazily);

    return made == atomic_load(&f->made_durable) ? 0 : f->store.ops->sync(&f->store, call);
}

static int commit_attempts(struct commit *c, struct file_draft *d, struct call *call)
{
    enum folder_mode mode = c->options->lazy ? FOLDER_MAKE : FOLDER_MAKE_DURABLE;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        auto_folder struct file_folder *folder = NULL;
        auto_key_lock struct key_lock lock = KEY_LOCK_INIT;
        const struct file_place *place = &c->paths.body[c->use];
        if (call_check(call) < 0 || file_give_way(attempt, call) < 0 ||
            folder_get(c->f, place->path, place->folder, mode, &folder, call) < 0 ||
            key_lock_take(c->f, c->paths.body[0].path, &lock, call) < 0)
            return -1;
        int done = commit_locked(c, d, folder, call);
        if (done <= 0)
            return done;
    }
    return err_set(&call->err, ERR_BUSY, "'%s/%s' changes all the time", c->key->container,
                   c->key->name);
}

static int check_container_there(struct file_store *f, const char *container, struct call *call)
{
    auto_buf struct buf path = BUF_INIT(FILE_PATH_MAX);
    auto_folder struct file_folder *folder = NULL;

    if (container_path(&path, container, &call->err) < 0)
        return -1;
    return folder_get(f, path.data, path.length, FOLDER_FIND, &folder, call);
}

int file_commit(struct file_store *f, const struct object_key *key, struct file_draft *d,
                const struct object *properties, const struct put_options *options,
                struct put_result *ret, struct call *call)
{
    cleanup(commit_release) struct commit c = {
        .f = f, .key = key, .options = options, .entry = FILE_ENTRY_INIT};

    if (file_key_init(&c.paths, key, &call->err) < 0 ||
        (key->kind != VERSION_CURRENT && check_container_there(f, key->container, call) < 0) ||
        describe(&c, d, properties, call) < 0)
        return -1;
    if (!options->lazy && (fsync(d->fd) < 0))
        return err_errno(&call->err, errno, "make '%s/%s' durable", key->container, key->name);
    if (commit_attempts(&c, d, call) < 0)
        return -1;
    if (!options->lazy && settle_folders(f, call) < 0)
        return -1;
    *ret = (struct put_result){.etag = take(c.entry.object.etag),
                               .version = xstrdup_null(key->version),
                               .proof = PROOF_WRITTEN,
                               .stored = options->known};
    return 0;
}

int file_change(struct file_store *f, const struct object_key *key,
                void (*change)(struct object *o, const void *argument), const void *argument,
                struct call *call)
{
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;
    auto_file_meta struct file_meta meta = FILE_META_INIT;
    auto_key_lock struct key_lock lock = KEY_LOCK_INIT;
    struct object o = OBJECT_INIT;

    if (file_key_init(&paths, key, &call->err) < 0 || file_ready(f, call) < 0 ||
        key_lock_take(f, paths.body[0].path, &lock, call) < 0 ||
        file_object_find(f, key, &paths, false, &body, &o, call) < 0)
        return -1;
    change(&o, argument);
    replace_string(&o.name, key->name);
    o.is_latest = false;
    meta.entries[0] = (struct file_entry){
        .inode = (uint64_t)body.stat.st_ino, .mtime = file_mtime(&body.stat), .object = o};
    meta.count = 1;
    return file_meta_write(f, &paths.meta, &meta, false, false, call);
}

/* ------------------------------------------------------------------ whole bodies */

static int write_all(int fd, uint64_t offset, const char *bytes, size_t n,
                     const struct object_key *what, struct call *call)
{
    while (n) {
        ssize_t written = pwrite(fd, bytes, n, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return err_errno(&call->err, errno, "write '%s/%s'", what->container, what->name);
        bytes += written;
        offset += (uint64_t)written;
        n -= (size_t)written;
    }
    return 0;
}

int file_write_from(int fd, uint64_t offset, uint64_t size, struct source *from,
                    const struct object_key *what, struct call *call)
{
    const struct source_bytes *bytes = source_as_bytes(from);

    if (bytes)
        return write_all(fd, offset, bytes->bytes + bytes->at, bytes->length - bytes->at, what,
                         call);
    size_t room = size < CHUNK ? (size_t)size + 1 : CHUNK;
    auto_free char *chunk = xmalloc(room);
    for (;;) {
        if (call_check(call) < 0)
            return -1;
        ssize_t n = source_read(from, chunk, room, call);
        if (n <= 0)
            return (int)n;
        if (write_all(fd, offset, chunk, (size_t)n, what, call) < 0)
            return -1;
        offset += (uint64_t)n;
    }
}

static bool is_zero(const char *bytes, size_t n)
{
    return n == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, n - 1) == 0);
}

/* A page blob is mostly holes: what is zero takes no room. */
static int write_sparse(int fd, const struct source_bytes *bytes, const struct object_key *key,
                        struct call *call)
{
    const char *begin = bytes->bytes + bytes->at;
    size_t size = bytes->length - bytes->at, n;

    for (size_t at = 0; at < size; at += n) {
        n = size - at < HOLE ? size - at : HOLE;
        if (!is_zero(begin + at, n) && write_all(fd, at, begin + at, n, key, call) < 0)
            return -1;
    }
    if (ftruncate(fd, (off_t)size) < 0)
        return err_errno(&call->err, errno, "write '%s/%s'", key->container, key->name);
    return 0;
}

static int write_body(int fd, const struct object_key *key, const struct put_options *options,
                      struct source *from, struct call *call)
{
    const struct source_bytes *bytes = source_as_bytes(from);

    if (bytes && options->properties && options->properties->type == OBJECT_PAGE)
        return write_sparse(fd, bytes, key, call);
    return file_write_from(fd, 0, options->size, from, key, call);
}

int file_put(struct store *s, const struct object_key *key, const struct put_options *options,
             struct source *from, struct put_result *ret, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_file_draft struct file_draft draft = FILE_DRAFT_INIT;

    if (check_container_there(f, key->container, call) < 0 || file_ready(f, call) < 0 ||
        file_draft_open(f, &draft, call) < 0 || write_body(draft.fd, key, options, from, call) < 0)
        return -1;
    return file_commit(f, key, &draft, options->properties, options, ret, call);
}

/* As cheap as the file system can do it: shared blocks, else inside the kernel, else by hand. */
static int copy_bytes(int from, int to, uint64_t size, const struct object_key *key,
                      struct call *call)
{
    off_t in = 0, out = 0;
    auto_free char *chunk = NULL;

    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    while ((uint64_t)in < size) {
        size_t left = (uint64_t)(size - (uint64_t)in) < (1U << 26) ? size - (size_t)in : 1U << 26;
        if (call_check(call) < 0)
            return -1;
        ssize_t n = chunk ? -1 : copy_file_range(from, &in, to, &out, left, 0);
        if (n > 0)
            continue;
        if (!chunk)
            chunk = xmalloc(CHUNK);
        n = pread(from, chunk, CHUNK, in);
        if (n <= 0)
            return n < 0 ? err_errno(&call->err, errno, "read '%s/%s'", key->container, key->name)
                         : err_set(&call->err, ERR_CHANGED, "'%s/%s' became shorter while copied",
                                   key->container, key->name);
        if (write_all(to, (uint64_t)in, chunk, (size_t)n, key, call) < 0)
            return -1;
        in += n;
    }
    return 0;
}

int file_copy(struct store *s, const struct object_key *from, const char *if_match,
              const struct object_key *to, const struct put_options *options,
              struct put_result *ret, struct call *call)
{
    struct file_store *f = file_store_of(s);
    auto_file_draft struct file_draft draft = FILE_DRAFT_INIT;
    auto_file_key struct file_key paths = {0};
    auto_file_body struct file_body body = FILE_BODY_INIT;
    auto_object struct object source = OBJECT_INIT;
    struct put_options sized = *options;

    if (check_container_there(f, to->container, call) < 0 || file_ready(f, call) < 0 ||
        file_key_init(&paths, from, &call->err) < 0 ||
        file_object_find(f, from, &paths, true, &body, &source, call) < 0)
        return -1;
    if (if_match && strcmp(if_match, source.etag) != 0)
        return err_set(&call->err, ERR_CHANGED, "'%s/%s' has changed", from->container, from->name);
    if (file_draft_open(f, &draft, call) < 0 ||
        copy_bytes(body.fd, draft.fd, source.size, from, call) < 0)
        return -1;
    sized.size = source.size;
    return file_commit(f, to, &draft, options->properties ? options->properties : &source, &sized,
                       ret, call);
}
