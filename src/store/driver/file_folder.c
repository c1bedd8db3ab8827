// SPDX-License-Identifier: EUPL-1.2
/* Open folders, the locks of keys, and what a writer needs: see file_private.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/driver/file_private.h"
#include "util/clock.h"
#include "util/random.h"
#include "util/thread.h"

#define OPEN_FOLDER (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
/* How long an open folder is believed to be still the one at its path. */
#define TRUST (1 * CLOCK_SECOND)
/* How often a race with others is run again before it counts as a failure. */
#define ATTEMPTS 100
/* So many follow each other at once. */
#define FIRST_ATTEMPTS 8

static unsigned hash(const char *text, size_t length)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 16777619U;
    return h ^ (h >> 15);
}

/* ---------------------------------------------------------------- the cache */

void folder_leave(struct file_folder **folder)
{
    struct file_folder *leaving = take(*folder);

    if (!leaving || atomic_fetch_sub(&leaving->users, 1) > 1)
        return;
    (void)close(leaving->fd);
    free(leaving->path);
    free(leaving);
}

static struct file_folder *remembered(struct file_store *f, const char *path, size_t length)
{
    locked(&f->folders_lock);
    struct file_folder *found = f->folders[hash(path, length) % FILE_FOLDERS];
    if (!found || strncmp(found->path, path, length) != 0 || found->path[length] ||
        clock_monotonic() - found->opened > TRUST)
        return NULL;
    atomic_fetch_add(&found->users, 1);
    return found;
}

/* Keep it for the next; takes over fd, gives a user's reference. */
static struct file_folder *remember(struct file_store *f, const char *path, size_t length, int fd)
{
    struct file_folder *folder = xmalloc(sizeof(*folder)), *old;

    *folder = (struct file_folder){
        .fd = fd, .users = 2, .opened = clock_monotonic(), .path = xstrndup(path, length)};
    {
        locked(&f->folders_lock);
        struct file_folder **slot = &f->folders[hash(path, length) % FILE_FOLDERS];
        old = *slot;
        *slot = folder;
    }
    folder_leave(&old);
    return folder;
}

void folder_forget(struct file_store *f, struct file_folder *folder)
{
    struct file_folder *dropped = NULL;

    {
        locked(&f->folders_lock);
        struct file_folder **slot =
            &f->folders[hash(folder->path, strlen(folder->path)) % FILE_FOLDERS];
        if (*slot == folder)
            dropped = take(*slot);
    }
    folder_leave(&dropped);
}

void folder_forget_all(struct file_store *f)
{
    for (size_t i = 0; i < FILE_FOLDERS; i++) {
        struct file_folder *dropped;
        {
            locked(&f->folders_lock);
            dropped = take(f->folders[i]);
        }
        folder_leave(&dropped);
    }
}

bool folder_is_gone(const struct file_folder *folder)
{
    struct stat info;

    return fstat(folder->fd, &info) == 0 && info.st_nlink == 0;
}

int folder_sync(const struct file_folder *folder, struct call *call)
{
    if (fsync(folder->fd) < 0 && errno != EINVAL)
        return err_errno(&call->err, errno, "make directory '%s' durable", folder->path);
    return 0;
}

/* ------------------------------------------------------------------ opening */

/* Open a path below the root in one step; -1 with errno, ENOSYS when that cannot be done here. */
static int open_beneath(const struct file_store *f, const char *path)
{
    struct open_how how = {
        .flags = OPEN_FOLDER,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };

    long fd = syscall(SYS_openat2, f->root, path, &how, sizeof(how));
    if (fd < 0 && (errno == EPERM || errno == EAGAIN || errno == E2BIG || errno == EINVAL))
        errno = ENOSYS;
    return (int)fd;
}

/* A file stands where a folder shall be: it moves to its marked name.  Only in containers. */
static int move_aside(struct file_store *f, const struct file_folder *parent, const char *path,
                      const char *leaf, struct call *call)
{
    auto_key_lock struct key_lock lock = KEY_LOCK_INIT;
    auto_buf struct buf marked = BUF_INIT(FILE_PATH_MAX);
    auto_folder struct file_folder *into = NULL;
    auto_free char *to = NULL;
    struct stat info;

    if (key_lock_take(f, path, &lock, call) < 0)
        return -1;
    if (fstatat(parent->fd, leaf, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(info.st_mode))
        return 0; /* somebody else was here: look again */
    file_name_path(&marked, leaf, FILE_BODIES, true);
    to = xasprintf("%s/%s", parent->path, marked.data);
    const char *slash = strrchr(to, '/');
    /* The marked form of a very long segment has folders of its own. */
    if (folder_get(f, to, (size_t)(slash - to), FOLDER_MAKE, &into, call) < 0)
        return -1;
    if (renameat(parent->fd, leaf, into->fd, slash + 1) < 0)
        return err_errno(&call->err, errno, "move '%s' aside for a directory", path);
    return 0;
}

/* Whether a path lies in a container, and not at the top or in .bascule. */
static bool is_in_container(const char *path, size_t length)
{
    size_t own = sizeof(FILE_OWN) - 1;

    if (length > own && strncmp(path, FILE_OWN "/", own + 1) == 0)
        return false;
    return memchr(path, '/', length) != NULL;
}

static int not_there(const char *path, size_t length, int number, struct call *call)
{
    if (number == ELOOP)
        number = ENOTDIR;
    if (number == ENOENT && !memchr(path, '/', length))
        return err_set(&call->err, ERR_NOT_FOUND, "no container '%.*s'", (int)length, path);
    return err_errno(&call->err, number, "directory '%.*s'", (int)length, path);
}

/* Something that is no folder stands where one shall be. */
static int clear_the_way(struct file_store *f, const struct file_folder *parent, const char *path,
                         const char *leaf, struct call *call)
{
    struct stat info;

    if (fstatat(parent->fd, leaf, &info, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(info.st_mode))
        return 0; /* not any more: look again */
    if (!S_ISREG(info.st_mode) || !is_in_container(path, strlen(path)))
        return err_set(&call->err, ERR_CONFLICT, "'%s' is in the way: not a directory", path);
    return move_aside(f, parent, path, leaf, call);
}

static int make_one(struct file_store *f, struct file_folder *parent, const char *path,
                    const char *leaf, enum folder_mode mode, struct call *call)
{
    if (mkdirat(parent->fd, leaf, 0777) == 0) {
        if (mode == FOLDER_MAKE_DURABLE)
            return folder_sync(parent, call);
        atomic_fetch_add(&f->made_lazily, 1);
        return 0;
    }
    if (errno == EEXIST)
        return 0;
    if (errno != ENOENT)
        return err_errno(&call->err, errno, "make directory '%s'", path);
    folder_forget(f, parent); /* removed under us */
    return 0;
}

int file_give_way(int attempt, struct call *call)
{
    return attempt < FIRST_ATTEMPTS
               ? 0
               : call_sleep(call, (attempt - FIRST_ATTEMPTS + 1) * CLOCK_MILLISECOND / 10);
}

/* Open the last component below its parent, making it where it is missing. */
static int open_step(struct file_store *f, const char *path, size_t length, enum folder_mode mode,
                     int *ret_fd, struct call *call)
{
    auto_free char *whole = xstrndup(path, length);
    const char *slash = strrchr(whole, '/');
    const char *leaf = slash ? slash + 1 : whole;
    bool may_make = mode != FOLDER_FIND && slash;

    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        if (file_give_way(attempt, call) < 0)
            return -1;
        auto_folder struct file_folder *parent = NULL;
        if (folder_get(f, path, slash ? (size_t)(slash - whole) : 0, mode, &parent, call) < 0)
            return -1;
        *ret_fd = openat(parent->fd, leaf, OPEN_FOLDER | O_NOFOLLOW);
        if (*ret_fd >= 0)
            return 0;
        int number = errno;
        if (number == ENOENT && folder_is_gone(parent))
            folder_forget(f, parent);
        else if (!may_make || (number != ENOENT && number != ENOTDIR))
            return not_there(path, length, number, call);
        else if (number == ENOTDIR && clear_the_way(f, parent, whole, leaf, call) < 0)
            return -1;
        else if (number == ENOENT && make_one(f, parent, whole, leaf, mode, call) < 0)
            return -1;
    }
    return err_set(&call->err, ERR_BUSY, "directory '%s' changes all the time", whole);
}

int folder_get(struct file_store *f, const char *path, size_t length, enum folder_mode mode,
               struct file_folder **ret, struct call *call)
{
    struct file_folder *folder = remembered(f, path, length);
    int fd = -1;

    if (folder) {
        *ret = folder;
        return 0;
    }
    if (length == 0) {
        fd = openat(f->root, ".", OPEN_FOLDER);
        if (fd < 0)
            return err_errno(&call->err, errno, "open directory '%s'", f->path);
    } else if (length < PATH_MAX) {
        auto_free char *whole = xstrndup(path, length);
        fd = open_beneath(f, whole);
        /* What cannot be had in one step may be had in several: they also make what is missing. */
        if (fd < 0 && errno != ENOSYS && errno != ENAMETOOLONG &&
            (mode == FOLDER_FIND || (errno != ENOENT && errno != ENOTDIR)))
            return not_there(path, length, errno, call);
    }
    if (fd < 0 && open_step(f, path, length, mode, &fd, call) < 0)
        return -1;
    *ret = remember(f, path, length, fd);
    return 0;
}

void folder_prune(struct file_store *f, const char *path, size_t length, size_t keep)
{
    auto_free char *whole = xstrndup(path, length);

    while (strlen(whole) > keep) {
        auto_folder struct file_folder *parent = NULL;
        struct call call = CALL_INIT;
        char *slash = strrchr(whole, '/');
        if (!slash ||
            folder_get(f, whole, (size_t)(slash - whole), FOLDER_FIND, &parent, &call) < 0 ||
            unlinkat(parent->fd, slash + 1, AT_REMOVEDIR) < 0)
            return;
        *slash = '\0';
    }
}

/* -------------------------------------------------------------------- locks */

static struct flock stripe_lock(unsigned stripe, short type)
{
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = stripe, .l_len = 1};
}

int key_lock_take(struct file_store *f, const char *path, struct key_lock *ret, struct call *call)
{
    unsigned stripe = hash(path, strlen(path)) % FILE_LOCKS;
    struct flock lock = stripe_lock(stripe, F_WRLCK);

    (void)lock_take(&f->stripes[stripe]);
    /* Other processes let go within moments; a file system without locks has only us. */
    while (f->lock_fd >= 0 && fcntl(f->lock_fd, F_OFD_SETLK, &lock) < 0 &&
           (errno == EAGAIN || errno == EACCES || errno == EINTR)) {
        if (call_sleep(call, CLOCK_MILLISECOND) < 0) {
            (void)pthread_mutex_unlock(&f->stripes[stripe]);
            return -1;
        }
    }
    *ret = (struct key_lock){f, stripe};
    return 0;
}

void key_lock_leave(struct key_lock *lock)
{
    if (!lock->f)
        return;
    struct flock unlock = stripe_lock(lock->stripe, F_UNLCK);
    if (lock->f->lock_fd >= 0)
        (void)fcntl(lock->f->lock_fd, F_OFD_SETLK, &unlock);
    (void)pthread_mutex_unlock(&lock->f->stripes[lock->stripe]);
    lock->f = NULL;
}

/* --------------------------------------------------------- before the first write */

static int own_folder(const struct file_store *f, int parent, const char *name, int *ret,
                      struct call *call)
{
    if (mkdirat(parent, name, 0777) < 0 && errno != EEXIST)
        return err_errno(&call->err, errno, "make directory '%s/" FILE_OWN "'", f->path);
    int fd = openat(parent, name, OPEN_FOLDER | O_NOFOLLOW);
    if (fd < 0)
        return err_errno(&call->err, errno, "open directory '%s/" FILE_OWN "'", f->path);
    *ret = fd;
    return 0;
}

/* Does a file made under one name answer to another? */
static int tells_apart(const struct file_store *f, int tmp, const char *one, const char *other,
                       const char *what, struct call *call)
{
    char random[17], name[80], twin[80];
    struct stat info;

    random_hex(random, 8);
    (void)snprintf(name, sizeof(name), "probe-%s-%s", random, one);
    (void)snprintf(twin, sizeof(twin), "probe-%s-%s", random, other);
    int fd = openat(tmp, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_errno(&call->err, errno, "create a file in '%s/" FILE_OWN "/tmp'", f->path);
    (void)close(fd);
    bool same = fstatat(tmp, twin, &info, AT_SYMLINK_NOFOLLOW) == 0;
    (void)unlinkat(tmp, name, 0);
    if (same)
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "the file system of '%s' takes names that differ only in %s for the same: "
                       "objects would overwrite each other; use another file system",
                       f->path, what);
    return 0;
}

/* A store written by a later bascule may hold what we do not understand. */
static int check_format(struct file_store *f, int own, struct call *call)
{
    static const char format[] = "{\"format\": \"bascule-file-store\", \"version\": 1}\n";
    char text[sizeof(format)] = "";
    int fd = openat(own, "format.json", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0) {
        ssize_t n = read(fd, text, sizeof(text) - 1);
        (void)close(fd);
        if (n == 0 || (n > 0 && strcmp(text, format) == 0))
            return 0;
        return err_set(&call->err, ERR_UNSUPPORTED,
                       "'%s/" FILE_OWN "/format.json' is of another version of bascule", f->path);
    }
    fd = openat(own, "format.json", O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        return err_errno(&call->err, errno, "create '%s/" FILE_OWN "/format.json'", f->path);
    ssize_t n = write(fd, format, sizeof(format) - 1);
    int number = errno;
    (void)close(fd);
    if (n != (ssize_t)sizeof(format) - 1)
        return err_errno(&call->err, n < 0 ? number : ENOSPC, "write '%s/" FILE_OWN "/format.json'",
                         f->path);
    return 0;
}

int file_ready(struct file_store *f, struct call *call)
{
    auto_close int own = -1;
    auto_close int tmp = -1;
    auto_close int upload = -1;

    locked(&f->ready_lock);
    if (f->ready)
        return 0;
    if (own_folder(f, f->root, FILE_OWN, &own, call) < 0 ||
        own_folder(f, own, "tmp", &tmp, call) < 0 ||
        own_folder(f, own, "upload", &upload, call) < 0 || check_format(f, own, call) < 0 ||
        tells_apart(f, tmp, "a", "A", "case", call) < 0 ||
        tells_apart(f, tmp, "\xc3\xa9", "e\xcc\x81", "Unicode normalisation", call) < 0)
        return -1;
    int lock = openat(own, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (lock < 0)
        return err_errno(&call->err, errno, "open '%s/" FILE_OWN "/lock'", f->path);
    f->lock_fd = lock;
    f->tmp = tmp;
    tmp = -1;
    /* Our own folders may be new as well. */
    atomic_fetch_add(&f->made_lazily, 1);
    f->ready = true;
    file_sweep(f);
    return 0;
}
