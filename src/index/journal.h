// SPDX-License-Identifier: EUPL-1.2
/*
 * The journal and the snapshots: what makes the index expendable.  Formats:
 * docs/formats/journal.md.
 *
 * Every change of a journaled row is a line in table journal, written in the row's own transaction.
 * The shipper writes these lines in batches, at most JOURNAL_SECONDS old, as objects
 * "journal/<first>-<last>.jsonl" (numbers in 20 digits) into the stores, and then deletes them; a
 * snapshot is every row of every journaled table, as "snapshot/<sequence>/<part>.jsonl" closed by
 * "snapshot/<sequence>/complete.json" (rows, parts, SHA-256 of each part).  One gateway ships at a
 * time (a lease in table meta); another takes over when it dies.
 *
 * Rebuild: the newest complete snapshot, then every journal batch after it in order; a gap is told
 * (which sequence numbers are missing, and between which times), and nothing after it is trusted
 * less: rows are whole images, so that a later line repairs what a missing one changed.
 */
#ifndef INDEX_JOURNAL_H
#define INDEX_JOURNAL_H

#include "index/index.h"
#include "store/store.h"

#define JOURNAL_SECONDS 5

/* Where journal and snapshots are kept: a container of a store, several for safety. */
struct journal_place {
    struct store *store; /* borrowed */
    const char *container;
    const char *prefix; /* "" or "index/" */
};

/* Lines of a transaction (called by row.c): the images of count rows that lie side by side. */
must_check int journal_put(struct db *db, const struct table *t, const void *rows, size_t count,
                           struct call *call);
/* The rows that share the first so many key columns of row are gone. */
must_check int journal_gone(struct db *db, const struct table *t, const void *row, size_t keys,
                            struct call *call);

/* Ship what is there now to every place; *ret_lines (may be NULL) gets how many. */
must_check int journal_ship(struct index *index, const struct journal_place *places, size_t count,
                            uint64_t *ret_lines, struct call *call);
/* Write a snapshot now; journal batches before it, and older snapshots but one, are removed. */
must_check int snapshot_write(struct index *index, const struct journal_place *places, size_t count,
                              struct call *call);

struct rebuild_report {
    uint64_t snapshot_rows;
    uint64_t journal_lines;
    int64_t last_time; /* of the newest line: what was committed later is not in here */
    uint64_t gaps;     /* missing sequence numbers */
    uint64_t unknown;  /* pieces in the stores that no row speaks of, set aside */
    uint64_t missing;  /* pieces rows speak of that are not in their store */
    char *first_gap;   /* words; NULL */
};
void rebuild_report_release(struct rebuild_report *r);

/* Into an empty index, from the best of the places. */
must_check int index_rebuild(struct index *index, const struct journal_place *places, size_t count,
                             struct rebuild_report *ret, struct call *call);

/* The whole index as one file of JSON lines (the snapshot's form), and back into an empty one. */
must_check int index_backup(struct index *index, struct sink *to, struct call *call);
must_check int index_restore(struct index *index, struct source *from, struct call *call);

#endif
