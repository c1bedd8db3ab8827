// SPDX-License-Identifier: EUPL-1.2
/*
 * The file store's own parts, for the files named file*.c only.
 *
 *     file.c            opening, stat, get, remove, copy, extents
 *     file_name.c       names to paths and back
 *     file_folder.c     open folders, made where missing; locks
 *     file_key.c        where a key's body and metadata lie
 *     file_meta.c       the metadata beside each body
 *     file_put.c        new bodies and the commit point
 *     file_upload.c     resumable uploads
 *     file_list.c       listings
 *     file_container.c  containers
 *
 * All paths are relative to the root, and each step from there goes through openat2(RESOLVE_BENEATH
 * | RESOLVE_NO_SYMLINKS) or, where the kernel lacks it, one component at a time with O_NOFOLLOW.
 *
 * What is changed under one key is changed under its lock: a mutex for the threads of this process
 * and a byte of .bascule/lock for others.  Bodies are written outside the lock; inside it lie the
 * metadata and the rename that is the commit point.
 */
#ifndef STORE_DRIVER_FILE_PRIVATE_H
#define STORE_DRIVER_FILE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "store/driver/file_name.h"
#include "store/store.h"

#define FILE_OWN     ".bascule"
#define FILE_FOLDERS 256 /* open folders remembered */
#define FILE_LOCKS   1024
#define FILE_WINDOWS 8 /* parts of folders remembered by listings */

struct file_folder;
struct file_window;

struct file_store {
    struct store store;
    int root;
    char *path; /* of the root, for messages */

    pthread_mutex_t folders_lock;
    struct file_folder *folders[FILE_FOLDERS]; /* guarded by folders_lock */

    pthread_mutex_t ready_lock;
    bool ready;             /* guarded by ready_lock: .bascule is there and usable */
    int lock_fd;            /* of .bascule/lock, or -1: set before ready */
    int tmp;                /* of .bascule/tmp, or -1: set before ready */
    atomic_bool no_tmpfile; /* the file system has no O_TMPFILE */

    pthread_mutex_t stripes[FILE_LOCKS];

    /* Folders made without making them durable, and how many of them a sync has covered. */
    atomic_uint_least64_t made_lazily;
    atomic_uint_least64_t made_durable;

    pthread_mutex_t sync_lock;
    bool sync_failed; /* guarded by sync_lock */

    pthread_mutex_t windows_lock;
    struct file_window *windows[FILE_WINDOWS]; /* guarded by windows_lock */
    unsigned window_next;                      /* guarded by windows_lock */
};

static inline struct file_store *file_store_of(struct store *s)
{
    return container_of(s, struct file_store, store);
}

/* ------------------------------------------------------------- file_folder */

/* An open directory, shared by those who use it. */
struct file_folder {
    int fd;
    atomic_uint users;
    int64_t opened;
    char *path;
};

enum folder_mode {
    FOLDER_FIND,
    FOLDER_MAKE,         /* and what leads to it, but for a container */
    FOLDER_MAKE_DURABLE, /* and fsync what was changed */
};

/* Before something is tried again that others got in the way of: the more often, the longer. */
must_check int file_give_way(int attempt, struct call *call);

/* The folder at a path (length bytes of it).  ERR_NOT_FOUND when it is not there. */
must_check int folder_get(struct file_store *f, const char *path, size_t length,
                          enum folder_mode mode, struct file_folder **ret, struct call *call);
/* Give it back; NULL is fine. */
void folder_leave(struct file_folder **folder);
#define auto_folder cleanup(folder_leave)
/* It turned out to be gone: do not give it out again. */
void folder_forget(struct file_store *f, struct file_folder *folder);
void folder_forget_all(struct file_store *f);
/* Whether it was removed while we held it open. */
bool folder_is_gone(const struct file_folder *folder);
/* Make what a writer needs (.bascule and its parts), once. */
must_check int file_ready(struct file_store *f, struct call *call);
/* fsync a folder. */
must_check int folder_sync(const struct file_folder *folder, struct call *call);
/* Remove empty folders from this path upwards, at least keep bytes of it staying. */
void folder_prune(struct file_store *f, const char *path, size_t length, size_t keep);

/* The lock of a key, to the end of the block: auto_key_lock. */
struct key_lock {
    struct file_store *f;
    unsigned stripe;
};
must_check int key_lock_take(struct file_store *f, const char *path, struct key_lock *ret,
                             struct call *call);
void key_lock_leave(struct key_lock *lock);
#define auto_key_lock cleanup(key_lock_leave)
#define KEY_LOCK_INIT \
    {                 \
        NULL, 0       \
    }

/* ---------------------------------------------------------------- file_key */

/* A path and where its last component begins. */
struct file_place {
    char *path;
    size_t folder; /* bytes of the folder's path, without the slash */
};
const char *place_leaf(const struct file_place *p);

/* Where a key's body may lie, where its metadata lies. */
struct file_key {
    struct file_place body[2]; /* as it is, and marked; the first not there: both the same */
    unsigned bodies;           /* how many of them differ */
    struct file_place meta;
    size_t body_keep; /* bytes of the bodies' paths that are not pruned: the container */
    size_t meta_keep;
};
#define auto_file_key cleanup(file_key_release)
must_check int file_key_init(struct file_key *k, const struct object_key *key, struct err *e);
void file_key_release(struct file_key *k);

/* The folder of a container: ERR_NAME when it cannot be one. */
must_check int container_path(struct buf *out, const char *container, struct err *e);

/* A body that is there. */
struct file_body {
    int fd;    /* open for reading, or -1 when only looked at */
    int which; /* of file_key.body */
    struct stat stat;
};
#define FILE_BODY_INIT \
    {                  \
        .fd = -1       \
    }
#define auto_file_body cleanup(file_body_release)
void file_body_release(struct file_body *b);
/* Look for a body, open it where asked to.  1 when there, 0 when not, -1 on failure. */
must_check int file_body_find(struct file_store *f, const struct file_key *k, bool open,
                              struct file_body *ret, struct call *call);
/* Body and metadata that belong together: what stat and get give.  ERR_NOT_FOUND. */
must_check int file_object_find(struct file_store *f, const struct object_key *key,
                                const struct file_key *k, bool open, struct file_body *ret_body,
                                struct object *ret, struct call *call);

int64_t file_mtime(const struct stat *body);

/* --------------------------------------------------------------- file_meta */

#define FILE_META_MAX (16 * 1024 * 1024)

/* The description of one body. */
struct file_entry {
    uint64_t inode;
    int64_t mtime; /* of the body when it was described */
    struct object object;
};
#define FILE_ENTRY_INIT       \
    {                         \
        .object = OBJECT_INIT \
    }
/* The newest first: the one that is, or is about to be, and the one it replaced. */
struct file_meta {
    struct file_entry entries[2];
    unsigned count;
};
#define FILE_META_INIT \
    {                  \
        .count = 0     \
    }
#define auto_file_meta cleanup(file_meta_release)
void file_meta_release(struct file_meta *m);

must_check int file_meta_parse(const char *bytes, size_t n, struct file_meta *ret, struct err *e);
void file_meta_print(const struct file_meta *m, struct buf *out);
/* The entry that describes this body, or NULL. */
struct file_entry *file_meta_match(struct file_meta *m, const struct stat *body);

/* Read a key's metadata; a missing file gives an empty one. */
must_check int file_meta_read(struct file_store *f, const struct file_place *place,
                              struct file_meta *ret, struct call *call);
/* Write it, whole or not at all; fresh when most likely none is there. */
must_check int file_meta_write(struct file_store *f, const struct file_place *place,
                               const struct file_meta *m, bool fresh, bool lazy, struct call *call);
/* Any small file of our own, likewise. */
must_check int file_small_read(struct file_store *f, const struct file_place *place,
                               struct buf *ret, struct call *call);
must_check int file_small_write(struct file_store *f, const struct file_place *place,
                                const struct buf *bytes, bool fresh, bool lazy, struct call *call);

/* Fill in what the file itself says; the ETag too when no metadata is there. */
void file_object_own(struct object *o, const struct stat *body);

/* ---------------------------------------------------------------- file_put */

/* A body on its way.  Nameless (O_TMPFILE) where that can be, else name is in .bascule/tmp. */
struct file_draft {
    struct file_store *f;
    int fd;
    struct file_place name; /* path NULL: nameless */
    bool keep;              /* an upload's: it outlives a failed commit */
};
#define auto_file_draft cleanup(file_draft_release)
#define FILE_DRAFT_INIT \
    {                   \
        .fd = -1        \
    }
/* Closes it and removes what it left. */
void file_draft_release(struct file_draft *d);
must_check int file_draft_open(struct file_store *f, struct file_draft *ret, struct call *call);

/* The commit: give the draft's bytes the key, described by properties.  Durable unless lazy. */
must_check int file_commit(struct file_store *f, const struct object_key *key, struct file_draft *d,
                           const struct object *properties, const struct put_options *options,
                           struct put_result *ret, struct call *call);

/* Change the metadata of the object that is there. */
must_check int file_change(struct file_store *f, const struct object_key *key,
                           void (*change)(struct object *o, const void *argument),
                           const void *argument, struct call *call);

int file_put(struct store *s, const struct object_key *key, const struct put_options *options,
             struct source *from, struct put_result *ret, struct call *call);
int file_copy(struct store *s, const struct object_key *from, const char *if_match,
              const struct object_key *to, const struct put_options *options,
              struct put_result *ret, struct call *call);
/* Pull all of from into fd, from offset on.  what is for messages. */
must_check int file_write_from(int fd, uint64_t offset, uint64_t size, struct source *from,
                               const struct object_key *what, struct call *call);

/* ------------------------------------------------------------- file_upload */

int file_upload_begin(struct store *s, const struct object_key *key,
                      const struct put_options *options, char **ret_id, struct call *call);
int file_upload_part(struct store *s, const struct object_key *key, const char *id, uint32_t number,
                     const struct part_options *options, struct source *from,
                     struct part_result *ret, struct call *call);
int file_upload_commit(struct store *s, const struct object_key *key, const char *id,
                       const struct part_result *parts, uint32_t count,
                       const struct put_options *options, struct put_result *ret,
                       struct call *call);
int file_upload_abort(struct store *s, const struct object_key *key, const char *id,
                      struct call *call);
/* Take away what earlier runs left behind: drafts of more than a day, uploads of more than thirty
 * or from before a restart of the machine. */
void file_sweep(struct file_store *f);

/* --------------------------------------------------------------- file_walk */

/* The names in one folder, sorted; a part of them where there are many. */
struct file_window;

/* One level of a walk: a folder on the way down. */
struct walk_level {
    struct file_window *window;
    size_t at;
    char *path;    /* of the folder */
    size_t prefix; /* bytes of the walk's prefix that this folder's names share */
};

/* Gives the names of a tree in the order of their bytes, from a start on.  Holds the names of the
 * folders on the way to where it is, at most FILE_WINDOW_BYTES of each. */
#define FILE_WINDOW_BYTES ((size_t)4 * 1024 * 1024)
struct file_walk {
    struct file_store *f;
    enum file_tree tree;
    const char *wanted; /* names begin with this */
    char *start;        /* and are not below this */
    char *skip;         /* and do not begin with this; may be NULL */
    struct buf name;    /* the one walk_next() gave, or the prefix on the way */
    struct walk_level *levels;
    size_t count, size;
    struct pairs *left_out; /* borrowed; gets what is no object on the way, and why; may be NULL */
};
#define LEFT_OUT_MAX   100
#define auto_file_walk cleanup(file_walk_release)
void file_walk_release(struct file_walk *w);
/* Begin; container is the folder of one.  A folder that is not there has no names. */
must_check int file_walk_init(struct file_walk *w, struct file_store *f, enum file_tree tree,
                              const char *container, const char *wanted, const char *start,
                              struct pairs *left_out, struct call *call);
/* The next name in w->name: 1, 0 at the end, -1. */
must_check int file_walk_next(struct file_walk *w, struct call *call);

/* The versions kept of a name: their leaves ("snapshot-...") sorted, as keys of pairs. */
must_check int file_versions(struct file_store *f, const char *container, const char *name,
                             struct pairs *ret, struct call *call);

/* --------------------------------------------------------------- file_list */

int file_list(struct store *s, const char *container, const struct list_options *options,
              struct object_list *ret, struct call *call);
/* 1 when a container holds any object, history included, 0 when not, -1 on failure. */
must_check int file_container_has_objects(struct file_store *f, const char *container,
                                          struct call *call);
void file_windows_release(struct file_store *f);

/* ---------------------------------------------------------- file_container */

/* Remove a folder of path and what is in it: only empty folders, or with files the files too. */
int file_tree_remove(struct file_store *f, const char *path, bool files, struct call *call);
extern const struct container_ops file_container_ops;

#endif
