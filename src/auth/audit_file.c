// SPDX-License-Identifier: EUPL-1.2
/* The files of an audit log: where it ends, what a crash left behind, beginning a new one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/audit_private.h"
#include "util/random.h"

#define NUMBER_DIGITS 20 /* of a rotated file's last sequence number */
#define MODE          0600

/* Where a file ends. */
struct ending {
    uint64_t sequence, length, size, entries; /* length: up to the last entry; size: of the file */
    char head[AUDIT_HASH_SIZE];
};

static void file_close_p(FILE **file)
{
    if (*file)
        (void)fclose(*file);
}

static int read_ending(const char *path, struct ending *ret, struct err *e)
{
    struct ending at = {.head = AUDIT_NO_HASH};
    struct audit_line line = AUDIT_LINE_INIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    cleanup(file_close_p) FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

    if (!file)
        return err_errno(e, errno, "open '%s'", path);
    while (audit_line_next(file, &line)) {
        const char *previous;
        uint64_t sequence;
        at.size = line.end;
        json_t *entry = line.ended ? audit_line_entry(&line, &sequence, &previous) : NULL;
        if (!entry)
            continue;
        json_decref(entry);
        at.sequence = sequence;
        at.length = line.end;
        at.entries++;
        audit_hash(&line.text, at.head);
    }
    buf_release(&line.text);
    if (ferror(file))
        return err_errno(e, errno, "read '%s'", path);
    *ret = at;
    return 0;
}

/* ---- Files beside ---- */

static int sync_folder(const char *path, struct err *e)
{
    auto_free char *copy = xstrdup(path);
    auto_close int folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0 || fsync(folder) < 0)
        return err_errno(e, errno, "sync the folder of '%s'", path);
    return 0;
}

static bool is_rotated(const char *name, const char *base)
{
    size_t n = strlen(base);

    return strncmp(name, base, n) == 0 && name[n] == '.' && strlen(name + n + 1) == NUMBER_DIGITS &&
           strspn(name + n + 1, "0123456789") == NUMBER_DIGITS;
}

/* The newest rotated file; NULL when there is none. */
static int newest_rotated(const char *path, char **ret, struct err *e)
{
    auto_free char *copy = xstrdup(path), *newest = NULL;
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    DIR *folder = opendir(dirname(copy));

    if (!folder)
        return err_errno(e, errno, "open the folder of '%s'", path);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (is_rotated(entry->d_name, base) && (!newest || strcmp(entry->d_name, newest) > 0))
            replace_string(&newest, entry->d_name);
    (void)closedir(folder);
    *ret = newest ? xasprintf("%.*s%s", (int)(base - path), path, newest) : NULL;
    return 0;
}

/* ---- Opening ---- */

int audit_file_lock(struct audit *log, struct err *e)
{
    auto_free char *path = xasprintf("%s.lock", log->path);

    log->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (log->lock_file < 0)
        return err_errno(e, errno, "open '%s'", path);
    if (flock(log->lock_file, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? err_set(e, ERR_CONFLICT, "another process writes '%s'", log->path)
                                : err_errno(e, errno, "lock '%s'", path);
}

static int open_file(struct audit *log, struct err *e)
{
    log->file = open(log->path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (log->file < 0)
        return err_errno(e, errno, "open '%s'", log->path);
    return sync_folder(log->path, e);
}

/* Copy what follows the last entry into a file of its own, and cut it off.  The copy is durable
 * first: a crash in between leaves it twice, never nowhere. */
static int set_torn_aside(struct audit *log, const struct ending *at, char **ret_kept,
                          struct err *e)
{
    char random[9], chunk[16384];
    off_t from = (off_t)at->length;

    random_hex(random, 4);
    auto_free char *path =
        xasprintf("%s.torn.%0*" PRIu64 ".%s", log->path, NUMBER_DIGITS, at->sequence, random);
    auto_close int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, MODE);
    if (to < 0)
        return err_errno(e, errno, "create '%s'", path);
    for (ssize_t n; (n = pread(log->file, chunk, sizeof(chunk), from)) != 0; from += n)
        if (n < 0 || write(to, chunk, (size_t)n) != n)
            return err_errno(e, n < 0 ? errno : ENOSPC, "keep the torn end of '%s'", log->path);
    if (fsync(to) < 0 || sync_folder(path, e) < 0 || ftruncate(log->file, (off_t)at->length) < 0)
        return err_errno(e, errno, "keep the torn end of '%s'", log->path);
    *ret_kept = take(path);
    return 0;
}

static int note_opening(struct audit *log, const char *event, struct err *e)
{
    json_t *fields = json_object();

    (void)json_object_set_new(fields, "gateway", audit_text(log->gateway));
    return audit_append(log, clock_wall(), event, fields, e);
}

static int note_torn(struct audit *log, uint64_t bytes, const char *kept, struct err *e)
{
    json_t *fields = json_object();
    const char *slash = strrchr(kept, '/');

    (void)json_object_set_new(fields, "bytes", json_integer((json_int_t)bytes));
    (void)json_object_set_new(fields, "kept", audit_text(slash ? slash + 1 : kept));
    return audit_append(log, clock_wall(), "torn", fields, e);
}

int audit_file_open(struct audit *log, struct err *e)
{
    struct ending at = {.head = AUDIT_NO_HASH}, before;
    auto_free char *rotated = NULL, *kept = NULL;

    if (open_file(log, e) < 0 || read_ending(log->path, &at, e) < 0)
        return -1;
    if (at.size > at.length && set_torn_aside(log, &at, &kept, e) < 0)
        return -1;
    log->length = at.length;
    log->entries = at.entries;
    if (at.entries == 0) { /* a crash right after a rotation, or the very first time */
        if (newest_rotated(log->path, &rotated, e) < 0 ||
            (rotated && read_ending(rotated, &before, e) < 0))
            return -1;
        if (rotated) {
            at.sequence = before.sequence;
            memcpy(at.head, before.head, sizeof(at.head));
        }
    }
    log->sequence = at.sequence;
    if (log->anchored > at.sequence)
        log->anchored = 0;
    memcpy(log->head, at.head, sizeof(at.head));
    if ((kept && note_torn(log, at.size - at.length, kept, e) < 0) ||
        note_opening(log, "opened", e) < 0)
        return -1;
    return audit_sync(log, e);
}

int audit_file_rotate(struct audit *log, struct err *e)
{
    auto_free char *aside = xasprintf("%s.%0*" PRIu64, log->path, NUMBER_DIGITS, log->sequence);

    if (audit_sync(log, e) < 0)
        return -1;
    int renamed = renameat2(AT_FDCWD, log->path, AT_FDCWD, aside, RENAME_NOREPLACE);
    if (renamed < 0 && errno == EINVAL && access(aside, F_OK) < 0) /* not every file system can */
        renamed = rename(log->path, aside);
    if (renamed < 0)
        return err_errno(e, errno, "rotate '%s' to '%s'", log->path, aside);
    close_p(&log->file);
    log->file = -1;
    log->length = log->entries = 0;
    if (open_file(log, e) < 0)
        return -1;
    return note_opening(log, "rotated", e);
}
