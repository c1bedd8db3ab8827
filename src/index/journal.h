// SPDX-License-Identifier: EUPL-1.2
/*
 * The journal and the snapshots: what makes the index expendable.  Formats:
 * docs/formats/journal.md; why it is so: docs/why/journal.md.
 *
 * Every change of a journaled row is a line in table journal, written in the row's own transaction.
 * Shipping gives the committed lines their numbers, writes them in batches as objects
 * "journal/<first>-<last>-<previous>-<token>.jsonl" into the stores, and then deletes them.  A
 * snapshot is every row of every journaled table, as "snapshot/<number>-<token>/<part>.jsonl",
 * closed by ".../complete.json".  One gateway ships at a time (a lease in table meta); another
 * takes over when it dies.
 *
 * Numbers have no gaps: they are given to what is committed, not to what is written.  A batch names
 * its own token and that of the batch before it, so that what a gateway wrote but could not
 * acknowledge before it died is told from what counts.
 *
 * Rebuild: the newest snapshot that is whole, then the chain of batches after it, in order.  A gap
 * is told (how many numbers are missing, and after which time), and what comes after it is
 * applied all the same: rows are whole images, so that a later line repairs what a missing one
 * changed.
 *
 * Who opens an index for writing has it shipped every JOURNAL_SECONDS; otherwise table journal
 * grows without end.
 */
#ifndef INDEX_JOURNAL_H
#define INDEX_JOURNAL_H

#include "index/index.h"
#include "store/store.h"

#define JOURNAL_SECONDS 5

/* Where journal and snapshots are kept: a container of a store, several for safety.  The container
 * is made where it is missing. */
struct journal_place {
    struct store *store; /* borrowed */
    const char *container;
    const char *prefix; /* "" or "index/" */
    /* Whether the keys of accounts may lie there: in a store that encrypts, or in our own house.
     * Elsewhere they are left out, and an index rebuilt from there alone needs new ones. */
    bool secrets;
};

/* Lines of a transaction (called by row.c): the images of count rows that lie side by side. */
must_check int journal_put(struct db *db, const struct table *t, const void *rows, size_t count,
                           struct call *call);
/* The rows that share the first so many key columns of row are gone. */
must_check int journal_gone(struct db *db, const struct table *t, const void *row, size_t keys,
                            struct call *call);

/* A gateway begins.  On SQLite it is the only one, and whoever still has the right to ship was
 * killed with it: it is free again.  (On PostgreSQL another may ship just now; a dead one's right
 * runs out after two minutes.) */
must_check int journal_begin(struct index *index, struct call *call);
/* Ship what is committed now to every place; *ret_lines (may be NULL) gets how many.  Nothing is
 * done while another gateway ships.  A place that fails is logged and left out (the next snapshot
 * repairs it); -1 when no place took a batch, whose lines are then shipped next time. */
must_check int journal_ship(struct index *index, const struct journal_place *places, size_t count,
                            uint64_t *ret_lines, struct call *call);
/* Ship, and write a snapshot of the same moment.  Waits while another gateway ships.  Of each place
 * that took it whole, snapshots older than the last but one are removed, and journal batches older
 * than the last but one.  -1 when no place took it. */
must_check int snapshot_write(struct index *index, const struct journal_place *places, size_t count,
                              struct call *call);

struct rebuild_report {
    int64_t snapshot; /* its number; -1: there was none */
    uint64_t snapshot_rows;
    uint64_t journal_lines;
    int64_t last_time;   /* of the newest line: what was committed later is not in here */
    uint64_t gaps;       /* missing numbers */
    char *first_gap;     /* words; NULL */
    uint64_t unfinished; /* lines at the end left out, because they are part of a transaction */
    uint64_t secrets_missing; /* accounts and credentials that need new keys */
};
#define auto_rebuild_report cleanup(rebuild_report_release)
void rebuild_report_release(struct rebuild_report *r);

/* Into an empty index (ERR_EXISTS) that nobody else uses, from all places together.  Write a
 * snapshot next, before the index is used.  ERR_NOT_FOUND when the places hold neither snapshot nor
 * journal. */
must_check int index_rebuild(struct index *index, const struct journal_place *places, size_t count,
                             struct rebuild_report *ret, struct call *call);

/* Where pieces lie: piece_row.store and piece_row.container. */
struct piece_place {
    const char *name;
    struct store *store; /* borrowed */
    const char *container;
    const char *other; /* names that begin so are no pieces ("index/"); NULL: all are */
};
struct piece_report {
    uint64_t listed;
    uint64_t missing;    /* pieces rows speak of that are not in their store, or shorter */
    uint64_t unknown;    /* pieces in the stores that no row speaks of */
    char *first_missing; /* its key; NULL */
    char *first_unknown;
};
#define auto_piece_report cleanup(piece_report_release)
void piece_report_release(struct piece_report *r);

/* Compare the rows with what the stores list.  Changes and removes nothing: unknown pieces stay
 * where they are (the sweep takes only what rows speak of) and are told, one by one, to found (may
 * be NULL), as missing ones are; a negative result ends it with ERR_CANCELLED.  The index may be in
 * use; its table listed takes the listing meanwhile. */
must_check int index_check_pieces(struct index *index, const struct piece_place *places,
                                  size_t count,
                                  int (*found)(void *argument, const struct piece_place *place,
                                               const char *key, bool missing),
                                  void *argument, struct piece_report *ret, struct call *call);

/* The whole index as one file of JSON lines (the snapshot's form, keys and all: keep it as you keep
 * keys), and back into an empty one (ERR_EXISTS), which is empty again when that fails
 * (ERR_CORRUPT: cut off or changed).  Write a snapshot after a restore, before the index is used.
 */
must_check int index_backup(struct index *index, struct sink *to, struct call *call);
must_check int index_restore(struct index *index, struct source *from, struct call *call);

#endif
