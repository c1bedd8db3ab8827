// SPDX-License-Identifier: EUPL-1.2
/* What the files of the audit log share. */
#ifndef AUTH_AUDIT_PRIVATE_H
#define AUTH_AUDIT_PRIVATE_H

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

#include "auth/audit.h"
#include "util/buf.h"

#define AUDIT_NO_HASH "0000000000000000000000000000000000000000000000000000000000000000"

/* One kind of refusal within its window. */
struct audit_kind {
    uint64_t mark; /* of the text: most others are told apart by it */
    char *text;    /* all that must be the same */
    char *principal, *action, *class, *reason;
    uint64_t more;       /* since the entry that was written */
    int64_t began, last; /* wall time */
};

struct audit {
    char *path, *gateway;
    int64_t sync_interval, window, anchor_interval;
    uint64_t file_max, anchor_entries;
    audit_anchor_function *anchor;
    void *anchor_argument;
    int lock_file;

    pthread_mutex_t lock; /* guards all that follows */
    int file;
    uint64_t length;   /* of the file */
    uint64_t entries;  /* in the file */
    uint64_t sequence; /* of the newest entry */
    char head[AUDIT_HASH_SIZE];
    int64_t dirty_since; /* monotonic; 0: all is synced */
    bool sync_failed;    /* once: what the kernel dropped then, no later sync brings back */
    uint64_t anchored;   /* sequence */
    int64_t anchored_at; /* monotonic */
    struct audit_kind kinds[AUDIT_KINDS_MAX];
    size_t kind_count;
    struct audit_kind others; /* those beyond */
};

/* Reads lines of any bytes; one longer than AUDIT_LINE_MAX is cut in memory and has too_long. */
struct audit_line {
    struct buf text; /* without its line feed */
    uint64_t end;    /* offset in the file behind it */
    uint64_t number;
    bool too_long, ended; /* ended: it has its line feed */
};
#define AUDIT_LINE_INIT                  \
    {                                    \
        .text = BUF_INIT(AUDIT_LINE_MAX) \
    }
/* false at the end of the file (also when reading fails: see ferror()). */
bool audit_line_next(FILE *file, struct audit_line *line);
/* The entry on the line, or NULL; its number and the hash it names. */
json_t *audit_line_entry(const struct audit_line *line, uint64_t *ret_sequence,
                         const char **ret_previous);
void audit_hash(const struct buf *line, char ret[AUDIT_HASH_SIZE]);

/* Append one entry; fields is taken over.  The lock is held. */
must_check int audit_append(struct audit *log, int64_t time, const char *event, json_t *fields,
                            struct err *e);
/* Text as JSON: cut, and with bytes that are no UTF-8 escaped as in URLs.  NULL for NULL. */
json_t *audit_text(const char *text);

/* audit_file.c: lock the log for this process; open its file and find where it ends, also again
 * when it could not be written whole. */
must_check int audit_file_lock(struct audit *log, struct err *e);
must_check int audit_file_open(struct audit *log, struct err *e);
must_check int audit_file_rotate(struct audit *log, struct err *e);
must_check int audit_sync(struct audit *log, struct err *e);

#endif
