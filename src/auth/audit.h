// SPDX-License-Identifier: EUPL-1.2
/*
 * The audit log of one gateway: every refused and every administrative request, as JSON lines in a
 * file that is only appended to.  Each line holds the SHA-256 of the line before, so that nothing
 * in the middle can be changed or taken out unseen; the newest line's hash is given to an anchor
 * from time to time, to be kept elsewhere, so that neither can the end.  docs/formats/audit.md.
 *
 *     struct audit *log = NULL;
 *     if (audit_open(&options, &log, e) < 0)
 *         return -1;
 *     ... audit_refused(log, &event, e), audit_write(log, &event, e): any thread ...
 *     ... audit_tick(log, clock_wall(), e) every second or so, by one thread ...
 *     audit_close(log);
 *
 * Refusals that repeat (same principal, action, class of resource and reason) are written once,
 * then counted, and the count is written when the window ends.  What is counted but not yet written
 * is lost with the process; whatever a call has returned from writing survives kill -9, and with
 * sync_interval 0 a power failure.
 *
 * A line that was torn by a crash is moved into a file beside and noted in the chain.  An entry
 * that cannot be written whole leaves no trace, and the call fails: the caller decides whether the
 * request may go on.
 */
#ifndef AUTH_AUDIT_H
#define AUTH_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "util/clock.h"
#include "util/err.h"
#include "util/pairs.h"

/* 64 digits and a NUL. */
#define AUDIT_HASH_SIZE 65
/* Longer lines are no entries; longer texts in an event are cut. */
#define AUDIT_LINE_MAX (64 * 1024)
#define AUDIT_TEXT_MAX 2048
/* Kinds of refusals that are told apart at the same time; the rest is counted together. */
#define AUDIT_KINDS_MAX 512

struct audit;

/* Keep this elsewhere: the entry of this sequence number has this hash, and is durable.  Called by
 * audit_tick() and audit_close() alone, without locks; it may wait.  -1 with the error set: it will
 * be called again. */
typedef int audit_anchor_function(void *argument, uint64_t sequence,
                                  const char hash[AUDIT_HASH_SIZE], struct err *e);

struct audit_options {
    const char *path;        /* rotated files go beside it: "PATH.00000000000000000042" */
    const char *gateway;     /* its name, written into each file's first entry */
    int64_t sync_interval;   /* nanoseconds an entry may wait for the disk; 0: none does */
    int64_t window;          /* nanoseconds repeated refusals are counted for; 0: 60 s */
    uint64_t file_max;       /* bytes, then a new file is begun; 0: 64 MiB */
    uint64_t anchor_entries; /* entries after which an anchor is due; 0: 1,000 */
    int64_t anchor_interval; /* nanoseconds after which it is due, if anything is new; 0: 5 min */
    audit_anchor_function *anchor; /* NULL: none */
    void *anchor_argument;
};

/* Open or create it, and go on where the last line ends.  ERR_CONFLICT when another process has it
 * open. */
must_check int audit_open(const struct audit_options *options, struct audit **ret, struct err *e);
/* Write what is counted, sync, anchor (as far as that works) and close. */
void audit_close(struct audit *log);

/* Everything is borrowed; NULL for what there is not. */
struct audit_event {
    const char *event;     /* a word: "refused", "key_rotated" */
    const char *principal; /* who, as text: "key:acct", "user:https://i#oid", "anonymous" */
    const char *action;
    const char *resource;        /* "acct/container/name" */
    const char *class;           /* of refusals: what counts as the same; NULL: resource */
    const char *reason;          /* a word such as AuthorizationPermissionMismatch */
    const char *client;          /* address */
    const char *request;         /* its id */
    const struct pairs *details; /* anything more; keys at most once */
    int64_t time;                /* wall time */
};

/* Always an entry of its own. */
must_check int audit_write(struct audit *log, const struct audit_event *event, struct err *e);
/* One that may be counted instead.  time must be that of now. */
must_check int audit_refused(struct audit *log, const struct audit_event *event, struct err *e);

/* What is due: counts of windows that ended, sync, anchor. */
must_check int audit_tick(struct audit *log, int64_t now, struct err *e);
/* Begin a new file; does nothing while the present one has no more than its first entry. */
must_check int audit_rotate(struct audit *log, struct err *e);
/* The newest entry. */
void audit_head(struct audit *log, uint64_t *ret_sequence, char ret_hash[AUDIT_HASH_SIZE]);

/* ---- Verifying ---- */

struct audit_anchor {
    uint64_t sequence;
    char hash[AUDIT_HASH_SIZE];
};

struct audit_report {
    uint64_t first, last; /* sequence numbers; 0: there is no entry */
    uint64_t torn;        /* entries that note a torn line */
    uint64_t refused;     /* refusals told of, with those counted */
    uint64_t anchors;     /* that were checked: the others are of entries before the first */
    bool unfinished;      /* the last file ends inside a line: being written, or torn */
    char head[AUDIT_HASH_SIZE];
};

/* Read files of one log, oldest first, and check every link and anchor.  ERR_CORRUPT, naming file,
 * line and sequence number of the first broken entry. */
must_check int audit_verify(const char *const *paths, size_t count,
                            const struct audit_anchor *anchors, size_t anchor_count,
                            struct audit_report *ret, struct err *e);

#endif
