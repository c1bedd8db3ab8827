// SPDX-License-Identifier: EUPL-1.2
/* What the files of the object service share.  Nobody else includes this. */
#ifndef OBJECT_OBJECT_PRIVATE_H
#define OBJECT_OBJECT_PRIVATE_H

#include <stdatomic.h>

#include "object/service.h"
#include "util/thread.h"

/* Accounts as they were read a moment ago, by the hash of their names. */
#define ACCOUNTS_KEPT 64
struct kept_account {
    struct account_row row; /* name NULL: none */
    int64_t read;           /* monotonic, before the reading */
    uint64_t changes;       /* index_account_changes() then */
};
struct kept_accounts {
    pthread_mutex_t lock;
    struct kept_account list[ACCOUNTS_KEPT]; /* guarded by lock */
};

struct service {
    struct index *index; /* borrowed */
    struct service_store *stores;
    size_t store_count;
    atomic_bool *dirty; /* of each store: put lazily since its last sync */
    int64_t intent_time;
    int64_t garbage_after;
    int64_t block_time;
    _Atomic int64_t lifecycle_due; /* monotonic: when lifecycle rules are looked at again */
    struct kept_accounts accounts;
    struct budget buffers; /* bytes of bodies held in memory for stores that want them whole */
};

/* ---- Transactions (service.c) ---- */

/* index_write() durable, run again when two gateways made the same row at once. */
must_check int service_write(struct service *service, db_function *function, void *argument,
                             struct call *call);
must_check int service_read_index(struct service *service, db_function *function, void *argument,
                                  struct call *call);
/* "SELECT columns FROM table " + where, prepared.  where is a constant text. */
must_check int select_rows(struct db *db, const struct table *t, const char *where,
                           struct db_statement **ret, struct call *call);
/* Its first row, for a statement that is bound: 1, 0 none, -1; the statement is reset. */
must_check int select_one(const struct table *t, struct db_statement *s, void *ret_row,
                          struct call *call);
/* COLUMN_NAME: NULL for NULL. */
void bind_name(struct db_statement *s, int number, const char *name);
struct service_store *service_store_of(struct service *service, const char *name);

/* ---- Rules of an account and a container (rules.c) ---- */

enum versioning { VERSIONING_OFF, VERSIONING_ON, VERSIONING_SUSPENDED };

/* What the settings say for one container. */
struct rules {
    enum versioning versioning;
    int64_t delete_retention;    /* of objects; 0: none; nanoseconds */
    int64_t container_retention; /* of containers */
    /* The container's own time-based retention policy: 0 none. */
    int64_t immutable_days;
    bool immutable_locked;
    bool protected_append;
    bool legal_hold;
};
must_check int rules_of(struct db *db, const struct container_row *container, struct rules *ret,
                        struct call *call);

/* ---- The scene of an operation (scene.c) ---- */

/* What nearly every operation looks at first, inside its transaction. */
struct scene {
    int64_t now;
    struct container_row container;
    struct object_row object; /* the one named; valid when found */
    bool found;
};
void scene_release(struct scene *s);
#define auto_scene cleanup(scene_release)

enum scene_lock { SCENE_READ, SCENE_WRITE };

/* FAULT_CONTAINER_MISSING when it is not there or soft-deleted.  Objects that are soft-deleted or
 * delete markers are not "found".  Place must name an object. */
must_check int scene_open(struct db *db, const struct place *place, enum scene_lock lock,
                          struct scene *ret, struct call *call);
/* The same, FAULT_OBJECT_MISSING unless found. */
must_check int scene_find(struct db *db, const struct place *place, enum scene_lock lock,
                          struct scene *ret, struct call *call);
/* For deleting one by its id: the delete marker that place names (scene_open() refuses it). */
must_check int marker_open(struct db *db, const struct place *place, struct scene *ret,
                           struct call *call);
/* The container alone. */
must_check int container_find(struct db *db, const char *account, const char *name, bool lock,
                              struct container_row *ret, struct call *call);
/* The row with current = 1, soft-deleted ones and markers too: 1, 0, -1. */
must_check int current_find(struct db *db, int64_t container, const char *name, bool lock,
                            struct object_row *ret, struct call *call);

/* A fresh etag (Azure's form without quotes) and version id for a moment. */
char *etag_of(int64_t now);
char *version_of(int64_t now);

/* ---- Conditions and leases (conditions.c, lease.c) ---- */

/* For a write: the object may be absent (found false).  if_none_match "*" on an existing one is
 * FAULT_OBJECT_EXISTS; what does not hold FAULT_CONDITION. */
must_check int conditions_check_write(const struct conditions *c, const struct scene *s,
                                      struct err *e);
/* The part of it that looks at a copy under way (copy.c). */
must_check int conditions_check_copy(const struct conditions *c, const struct object_row *o,
                                     int64_t now, struct err *e);
/* For a read: FAULT_CONDITION or FAULT_UNMODIFIED. */
must_check int conditions_check_read(const struct conditions *c, const struct object_row *o,
                                     struct err *e);
/* For containers, which have no tags. */
must_check int conditions_check_container(const struct conditions *c,
                                          const struct container_row *row, bool read,
                                          struct err *e);

/* The lease as it stands at a moment. */
enum lease_word {
    LEASE_WORD_AVAILABLE,
    LEASE_WORD_LEASED,
    LEASE_WORD_BREAKING,
    LEASE_WORD_BROKEN,
    LEASE_WORD_EXPIRED
};
enum lease_word lease_word_at(int64_t state, int64_t until, int64_t now);
/* A write (or delete) needs the lease's id while it is leased or breaking; an id given where there
 * is no lease, or another one, is refused for reads and writes. */
must_check int lease_check(const struct object_row *o, const char *id, bool write, int64_t now,
                           struct err *e);
must_check int lease_check_container(const struct container_row *c, const char *id, bool write,
                                     int64_t now, struct err *e);

/* ---- History (history.c) ---- */

/* FAULT_IMMUTABLE or FAULT_LEGAL_HOLD when the container lets none of its objects go or change. */
must_check int immutable_container_check(const struct object_row *o, const struct rules *rules,
                                         int64_t now, struct err *e);
/* The same for this row, its own retention and hold included. */
must_check int immutable_check(const struct object_row *o, const struct rules *rules, int64_t now,
                               struct err *e);
/* Make fresh (name, container, type, size, layout and properties are set; id, etag, version, times
 * and lease are made here) the current object.  old: the row with current = 1 (soft-deleted ones
 * and markers too) or NULL; it becomes a version, a soft-deleted snapshot, or goes, as the rules
 * say; FAULT_IMMUTABLE when it may not.  The lease of old goes on in fresh. */
must_check int current_replace(struct service *service, struct db *db, const struct rules *rules,
                               struct object_row *old, struct object_row *fresh, int64_t now,
                               struct call *call);
/* The row becomes an earlier version: no longer current, without lease. */
must_check int current_retire(struct db *db, struct object_row *o, enum object_state state,
                              struct call *call);
/* Soft-delete a row in place, for the retention of the rules. */
must_check int object_soft_delete(struct db *db, const struct rules *rules, struct object_row *o,
                                  int64_t now, struct call *call);
/* A row goes for good, with its tags, and its layout when nobody else has it. */
must_check int object_purge(struct service *service, struct db *db, const struct object_row *o,
                            int64_t now, struct call *call);
/* The pieces of a layout that no other layout or block speaks of become garbage; its extents go. */
must_check int layout_purge(struct service *service, struct db *db, int64_t layout, int64_t now,
                            struct call *call);
/* The same for one piece that an extent or block has just let go. */
must_check int piece_let_go(struct service *service, struct db *db, int64_t piece, int64_t now,
                            struct call *call);
/* Write the tag rows of a current object anew (none when it is not current). */
must_check int tags_index(struct db *db, const struct object_row *o, struct call *call);
/* Staged blocks of a name (upload "") or an upload go, with their pieces where nothing else has
 * them. */
must_check int blocks_purge(struct service *service, struct db *db, int64_t container,
                            const char *name, const char *upload, int64_t now, struct call *call);
/* The property fields of from (see write.h) into a row. */
void properties_set(struct object_row *into, const struct object_row *from);
/* The row has changed: fresh etag and time, then row_update(). */
must_check int object_touch(struct db *db, struct object_row *o, int64_t now, struct call *call);

/* ---- Bodies (piece.c) ---- */

/* A piece that has been written and that no row speaks of yet. */
struct piece {
    struct piece_row row;
    struct checksums sums; /* those asked for, and CRC-64 */
};
void piece_release(struct piece *p);
#define auto_piece cleanup(piece_release)

/* Write size bytes of from as a fresh piece.  wanted: bits of enum checksum_kind to compute besides
 * CRC-64; expected: digests that must come out (FAULT_MD5, FAULT_CRC64, FAULT_CHECKSUM).  When this
 * fails nothing is left but perhaps garbage that is swept.  size 0 writes nothing: row.id is 0. */
must_check int piece_write(struct service *service, const struct place *place, struct source *from,
                           uint64_t size, unsigned wanted, const struct checksums *expected,
                           struct piece *ret, struct call *call);
/* Inside the transaction that makes rows speak of it: insert its row, take its intent away.
 * FAULT_EXPIRED when the intent is gone. */
must_check int piece_commit(struct db *db, const struct piece *p, struct call *call);
/* Nobody can commit the piece any more, and the sweep removes it: 1, or 0 when its intent is gone
 * (committed, or given up before). */
must_check int intent_give_up(struct db *db, int64_t piece, int64_t now, struct call *call);
/* It will not be used: give it up now rather than when its intent expires.  Never fails. */
void piece_discard(struct service *service, struct piece *p);

/* What a store said is no answer to whoever asked us: that it does not know a body, or our
 * credentials, is our trouble (FAULT_STORE), and passing ones stay what they are.  Returns -1. */
int store_failed(struct err *e);

/* Add an extent; piece 0 (no bytes) adds nothing. */
must_check int extent_add(struct db *db, int64_t layout, uint64_t start, uint64_t length,
                          int64_t piece, uint64_t piece_start, const char *block,
                          struct call *call);

/* A range of a piece as a reader needs it; a hole has store NULL. */
struct span {
    char *store;
    char *container;
    char *key;
    uint64_t start; /* in the object */
    uint64_t length;
    uint64_t piece_start;
    uint64_t piece_size;
    uint64_t crc64;
};
struct span_list {
    struct span *list;
    size_t count;
    size_t size;
};
void span_list_release(struct span_list *l);
#define auto_spans cleanup(span_list_release)
/* The spans of [offset, offset + length) of a layout, holes included. */
must_check int spans_find(struct db *db, int64_t layout, uint64_t offset, uint64_t length,
                          struct span_list *ret, struct call *call);
must_check int spans_read(struct service *service, const struct span_list *spans, struct sink *to,
                          struct call *call);

#endif
