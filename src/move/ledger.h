// SPDX-License-Identifier: EUPL-1.2
/*
 * The record of a move: every object that was listed, what became of it, and how that is known.
 *
 * The tables are described in docs/formats/ledger.md.  The path of a run:
 *
 *     ledger_open()              SQLite file or PostgreSQL
 *     ledger_start()             find or create the job, become one of its workers
 *     ledger_container_add()     each source container, once known; ledger_containers_complete()
 *     ledger_list_claim()        a container that wants listing, and where to go on
 *       ledger_list_page()         one page of the listing, with the cursor behind it
 *     ledger_claim()             some pending objects, mine until finished
 *       ledger_checkpoint_*()      for large objects, so that a restart goes on inside them
 *       ledger_finish()            a batch of outcomes
 *     ledger_heartbeat()         at least every LEDGER_HEARTBEAT
 *     ledger_sweep()             all listed: what earlier runs knew and this one did not see
 *     ledger_recount()           count the rows, compare with the counters
 *     ledger_stop()              done, interrupted, failed
 *
 * Whatever returned 0 is committed: after kill -9 it is still there.  (After a power failure the
 * last transactions may be gone; their objects are then moved again.  The other way round must not
 * be: make the target durable before ledger_finish().)  Every writing call is one transaction, and
 * may be repeated after a failure.
 *
 * Generations.  Starting a job that had ended opens its next generation.  Each listed object is
 * marked with the generation that saw it: unchanged source ETag and a known target -> ALREADY; new
 * or changed -> PENDING; in the ledger but not seen -> GONE (by ledger_sweep()).  Starting a job
 * that was interrupted goes on in its generation, and what had failed is tried again.
 *
 * Names.  A name is the bytes the store gave, without NUL, never normalized.  An object arrives
 * under its own name unless the entry says otherwise (target); two objects of a container can not
 * get the same target name: the second is refused with ERR_EXISTS.
 *
 * Many processes.  On PostgreSQL several processes may work on a job.  On SQLite a second live one
 * is refused with ERR_BUSY and a line that names the first.  Work claimed by a process that died or
 * has been silent for LEDGER_LEASE goes back to pending by itself; if it was merely asleep, its
 * results are then refused one by one (ledger_result.stale).
 *
 * Threads: any thread may call; each call holds the ledger's lock.  Memory: bounded by page and
 * batch sizes, never by the number of objects.
 */
#ifndef MOVE_LEDGER_H
#define MOVE_LEDGER_H

#include "util/call.h"
#include "util/clock.h"
#include "util/pairs.h"

struct ledger;

#define LEDGER_HEARTBEAT  (10 * CLOCK_SECOND)
#define LEDGER_LEASE      (60 * CLOCK_SECOND)
#define LEDGER_PAGE_MAX   10000 /* entries of a page, rows of a claim, results of a batch */
#define LEDGER_SHA256     32
#define LEDGER_MD5        16
#define LEDGER_HASH_STATE 256 /* most bytes of a saved hash state */

/* What became of an object.  The numbers are in the database and never change. */
enum ledger_state {
    LEDGER_PENDING = 0,  /* to be moved */
    LEDGER_CLAIMED = 1,  /* some worker is at it; counted as pending */
    LEDGER_WAITING = 2,  /* not before its due time: being rehydrated, or to be retried later */
    LEDGER_MOVED = 3,    /* at the target, proven, in this generation */
    LEDGER_ALREADY = 4,  /* was there: source and target hold what an earlier run moved, or the
                            content was compared */
    LEDGER_VANISHED = 5, /* listed, but no longer there when it was to be read */
    LEDGER_REFUSED = 6,  /* can not be moved, and why: archived, unnameable, collision ... */
    LEDGER_FAILED = 7,   /* was tried, and why not */
    LEDGER_GONE = 8,     /* known from an earlier generation, not at the source any more */
    LEDGER_DELETED = 9,  /* was GONE, and has been deleted at the target on request, or another
                            object has taken its name there */
    LEDGER_STATE_COUNT
};

/* Which of the things that share a name. */
enum ledger_kind {
    LEDGER_CURRENT = 0,
    LEDGER_VERSION = 1,
    LEDGER_SNAPSHOT = 2,
    LEDGER_SOFT_DELETED = 3,
};

enum ledger_job_state {
    LEDGER_JOB_LISTING = 0,
    LEDGER_JOB_COPYING = 1,
    LEDGER_JOB_DONE = 2, /* the next start opens a new generation */
    LEDGER_JOB_INTERRUPTED = 3,
    LEDGER_JOB_FAILED = 4,
};

/* Stable words for people and JSON: "pending", "already", "soft_deleted", "interrupted". */
const char *ledger_state_word(enum ledger_state state);
const char *ledger_kind_word(enum ledger_kind kind);
const char *ledger_job_state_word(enum ledger_job_state state);

struct ledger_tally {
    int64_t objects;
    int64_t bytes;
};

/* How many objects (and bytes of them) are in each state in the job's current generation.
 * by[LEDGER_CLAIMED] is always 0: claimed ones count as PENDING.  The identity at the end:
 *     listed = MOVED + ALREADY + VANISHED + REFUSED  (+ FAILED + PENDING + WAITING while not done)
 * GONE and DELETED were not listed and stand outside. */
struct ledger_counts {
    struct ledger_tally listed; /* every state but GONE and DELETED */
    struct ledger_tally by[LEDGER_STATE_COUNT];
};

/* ---- Life ---- */

/* Open and bring the schema up to date.  url as in db/db.h. */
must_check int ledger_open(const char *url, struct ledger **ret, struct call *call);
/* As ledger_open(), only to look: the database must exist, nothing is written. */
must_check int ledger_open_read(const char *url, struct ledger **ret, struct call *call);
/* Without ledger_stop() before, a started job counts as interrupted.  NULL is fine. */
void ledger_close(struct ledger *l);
void ledger_close_p(struct ledger **l);

/* ---- Jobs (ledger.c) ---- */

struct ledger_job {
    int64_t id;
    char *name;   /* for people: "azure-ovh-1", unique */
    char *source; /* as the user wrote it */
    char *target;
    char *options; /* JSON */
    enum ledger_job_state state;
    int64_t generation; /* from 1 */
    bool containers_complete;
    int64_t created; /* wall time, ns */
    int64_t started; /* of this generation */
    int64_t updated; /* last change of state, or heartbeat */
    int64_t ended;   /* TIME_UNKNOWN while it runs */
    char *error;     /* why it failed, or NULL */
    /* Who is at work: 0 or more live workers; the first one's host, pid, since when. */
    int workers;
    char *worker_host;
    int64_t worker_pid;
    int64_t worker_since;
    struct ledger_counts counts;
};
void ledger_job_release(struct ledger_job *j);
#define auto_ledger_job cleanup(ledger_job_release)

struct ledger_start {
    const char *source;
    const char *target;
    const char *options; /* JSON of the options that matter: other ones make another job */
    const char *name;    /* for a new job; NULL: made from source and target */
    bool fresh;          /* a new job even if there is one for these three */
};

/* Find the newest job of this source, target and options, or make it, and become its worker.
 * *ret (may be NULL) gets the job, to be released by the caller; ret->generation > 1 says that
 * there is an earlier run to compare with.  ERR_BUSY: see "Many processes". */
must_check int ledger_start(struct ledger *l, const struct ledger_start *start,
                            struct ledger_job *ret, struct call *call);
/* As ledger_start() for a job that exists, by name or number. */
must_check int ledger_resume(struct ledger *l, const char *job, struct ledger_job *ret,
                             struct call *call);
/* Change from listing to copying (for people: nothing depends on it). */
must_check int ledger_set_state(struct ledger *l, enum ledger_job_state state, struct call *call);
/* End this process's work: state is DONE, INTERRUPTED or FAILED (error says why, else NULL).
 * Claims are given back.  With other workers still alive only the claims go back, and the job's
 * state is left alone unless it is DONE. */
must_check int ledger_stop(struct ledger *l, enum ledger_job_state state, const char *error,
                           struct call *call);
/* Say that this process lives; call it at least every LEDGER_HEARTBEAT (the writing calls do it
 * too when it is due).  Also takes back the work of dead workers. */
must_check int ledger_heartbeat(struct ledger *l, struct call *call);

/* The job started on this ledger. */
int64_t ledger_job_id(const struct ledger *l);

/* Look one up by name or number (ERR_NOT_FOUND), with its counts. */
must_check int ledger_job_find(struct ledger *l, const char *job, struct ledger_job *ret,
                               struct call *call);
/* Up to max jobs with id > after, in order; returns how many, or -1.  Release each. */
must_check int ledger_jobs(struct ledger *l, int64_t after, struct ledger_job *ret, int max,
                           struct call *call);
/* Forget a job and all its rows (in many small transactions); ERR_BUSY while a worker is alive. */
must_check int ledger_job_delete(struct ledger *l, int64_t job, struct call *call);

/* ---- Containers and listing (ledger_list.c) ---- */

struct ledger_container {
    int64_t id;
    char *source;
    char *target;       /* NULL: it gets none (refused) */
    char *properties;   /* JSON as it was last read at the source; NULL unknown */
    char *carried;      /* JSON: what became of each property at the target; NULL not yet */
    char *cursor;       /* where the listing goes on; NULL: from the start */
    bool complete;      /* listed to the end in this generation */
    bool gone;          /* not at the source any more in this generation */
    enum err_code code; /* refused or failed as a whole, and why; else ERR_NONE */
    char *error;
    struct ledger_counts counts;
};
void ledger_container_release(struct ledger_container *c);
#define auto_ledger_container cleanup(ledger_container_release)

/* Note a container of the source, and the name it gets at the target; *ret_id (may be NULL) its
 * number.  Known ones are marked as seen in this generation.  ERR_EXISTS when another container of
 * the job has this target name: note it with target NULL then, and refuse it. */
must_check int ledger_container_add(struct ledger *l, const char *source, const char *target,
                                    const char *properties, int64_t *ret_id, struct call *call);
/* All containers of the source have been added; those not seen in this generation are gone (their
 * objects become GONE in ledger_sweep()). */
must_check int ledger_containers_complete(struct ledger *l, struct call *call);
/* Record what became of the container's own properties (JSON). */
must_check int ledger_container_carried(struct ledger *l, int64_t container, const char *carried,
                                        struct call *call);
/* Record that the container as a whole is refused or could not be listed; it is not listed in this
 * generation (code ERR_NONE takes it back). */
must_check int ledger_container_refuse(struct ledger *l, int64_t container, enum err_code code,
                                       const char *error, struct call *call);
/* Up to max containers of the job with id > after; returns how many, or -1.  Release each. */
must_check int ledger_containers(struct ledger *l, int64_t job, int64_t after,
                                 struct ledger_container *ret, int max, struct call *call);
must_check int ledger_container_get(struct ledger *l, int64_t container,
                                    struct ledger_container *ret, struct call *call);

/* A container that wants listing (or going on), claimed for this process: 1, or 0 when there is
 * none now.  Fill *ret; release it. */
must_check int ledger_list_claim(struct ledger *l, struct ledger_container *ret, struct call *call);

/* An object as the source listed it.  The strings stay the caller's. */
struct ledger_entry {
    const char *name;
    const char *version; /* version id or snapshot time; NULL for the current object */
    enum ledger_kind kind;
    int64_t size;
    const char *etag;         /* NULL where the store has none */
    int64_t modified;         /* wall ns, or TIME_UNKNOWN */
    const char *type;         /* short word of the store: "block", "append", "page"; may be NULL */
    const char *tier;         /* may be NULL */
    const unsigned char *md5; /* LEDGER_MD5 bytes, or NULL */
    const char *target;       /* name at the target where it differs, else NULL */
    enum err_code refuse;     /* not ERR_NONE: refused at once, for this reason */
    const char *reason;       /* the line for people that goes with it */
};

/* What a page did. */
struct ledger_page {
    int64_t added;     /* new: pending */
    int64_t changed;   /* known and different, or not done yet: pending */
    int64_t unchanged; /* already */
    int64_t refused;   /* by the entry */
    int64_t collided;  /* refused because the target name is taken */
    int64_t repeated;  /* listed twice in this generation: ignored */
    int64_t settled;   /* bytes of those unchanged, refused and collided */
    int64_t collided_bytes;
};

/* Record one page of a container's listing and where it goes on, in one transaction.  cursor is
 * what the next page is asked with; NULL with complete true.  n may be 0.  ERR_CONFLICT when
 * another worker has taken the listing over. */
must_check int ledger_list_page(struct ledger *l, int64_t container,
                                const struct ledger_entry *entries, size_t n, const char *cursor,
                                bool complete, struct ledger_page *ret, struct call *call);
/* Forget the cursor: the store no longer takes it; what was listed stays, the listing starts over
 * (entries seen before are then "repeated"). */
must_check int ledger_list_restart(struct ledger *l, int64_t container, struct call *call);
/* Give a listing back (the store failed); another worker, or this one later, goes on with it. */
must_check int ledger_list_release(struct ledger *l, int64_t container, struct call *call);
/* Whether every container is known and completely listed (or refused). */
must_check int ledger_list_done(struct ledger *l, bool *ret, struct call *call);

/* After the listing is complete: objects of earlier generations that were not seen become GONE.
 * Free when nothing vanished, else one pass over the containers where something did.  Only
 * containers whose listing is complete are swept.  *ret gets how many became GONE now. */
must_check int ledger_sweep(struct ledger *l, int64_t *ret, struct call *call);

/* ---- Objects (ledger_object.c) ---- */

/* A row.  Strings are never NULL unless said; they belong to the struct ledger_rows. */
struct ledger_object {
    int64_t id;
    int64_t container;
    const char *name;
    const char *version; /* NULL for the current object */
    enum ledger_kind kind;
    enum ledger_state state;
    int64_t generation; /* that last saw it */
    int64_t size;
    const char *etag;         /* as listed, or as read once it is moved; may be NULL */
    int64_t modified;         /* or TIME_UNKNOWN */
    const char *type;         /* may be NULL */
    const char *tier;         /* may be NULL */
    const unsigned char *md5; /* as listed; may be NULL */
    const char *target;       /* name at the target: name where nothing else was said */
    int attempts;             /* claims so far, this one included, in this generation */
    /* The outcome, where there is one. */
    const unsigned char *sha256; /* of the bytes read; may be NULL */
    const char *target_etag;     /* may be NULL */
    const char *target_checksum; /* may be NULL */
    const char *proof;           /* may be NULL */
    enum err_code code;          /* refused, failed, vanished: why; else ERR_NONE */
    const char *error;           /* may be NULL */
    int64_t bytes;               /* transferred for it, repeats included */
    int64_t started;             /* or TIME_UNKNOWN */
    int64_t finished;            /* or TIME_UNKNOWN */
    int64_t due;                 /* WAITING: not before; else TIME_UNKNOWN */
    bool checkpoint;             /* there is a checkpoint to load */
};

/* Some rows and the memory of their strings.  Zero-initialise; a filled one may be filled again. */
struct ledger_rows {
    struct ledger_object *list;
    size_t count;
    size_t size;                 /* private */
    struct ledger_chunk *chunks; /* private */
};
#define LEDGER_ROWS_INIT \
    {                    \
        0                \
    }
void ledger_rows_release(struct ledger_rows *r);
#define auto_ledger_rows cleanup(ledger_rows_release)

/* Claim up to max_objects pending objects (or WAITING ones whose time has come), about in the order
 * listed, stopping before their sizes exceed max_bytes (0: no limit; the first always comes).
 * Versions of one name that stand next to each other in the listing come in one claim, even beyond
 * max_objects, the oldest first and the current one last.  rows->count is 0 when there is nothing
 * to claim now; ledger_work() says whether there will be. */
must_check int ledger_claim(struct ledger *l, int max_objects, int64_t max_bytes,
                            struct ledger_rows *ret, struct call *call);
/* Give claimed objects back untouched (on Ctrl-C): pending, attempt not counted. */
must_check int ledger_release(struct ledger *l, const struct ledger_object *const *objects,
                              size_t n, struct call *call);

/* What is left to do: all zero and listing done means that the job is. */
struct ledger_work {
    int64_t pending; /* claimable now, or soon */
    int64_t mine;    /* claimed by this process */
    int64_t others;  /* claimed by other live processes */
    int64_t waiting;
    int64_t next_due; /* earliest due time of the waiting ones, or TIME_UNKNOWN */
};
must_check int ledger_work(struct ledger *l, struct ledger_work *ret, struct call *call);

/* Something worth telling about an object, a container or the job. */
struct ledger_note {
    const char *kind; /* a stable word: "stored_md5_wrong", "metadata_sidecar" */
    const char *text; /* one line */
};

/* The outcome of one claimed object. */
struct ledger_result {
    const struct ledger_object *object; /* as ledger_claim() gave it */
    enum ledger_state state;     /* MOVED, ALREADY, VANISHED, REFUSED, FAILED, WAITING or PENDING */
    int64_t size;                /* as read; -1: as listed */
    const char *etag;            /* source ETag of the bytes read; NULL: as listed */
    const unsigned char *sha256; /* LEDGER_SHA256 bytes, or NULL */
    const char *target_etag;
    const char *target_checksum; /* "md5:...", "crc64nvme:...": whatever the target said */
    const char *proof;           /* word: "payload_sha256", "md5_etag", "readback", "fsync" ... */
    enum err_code code;          /* for VANISHED, REFUSED, FAILED, and WAITING */
    const char *error;
    int64_t bytes;    /* transferred, repeats included */
    int64_t started;  /* wall ns, or TIME_UNKNOWN */
    int64_t finished; /* wall ns, or TIME_UNKNOWN: now */
    int64_t due;      /* for WAITING: not before this wall time */
    const struct ledger_note *notes;
    size_t note_count;
    bool stale; /* set by ledger_finish(): not recorded, the claim had been taken over */
};

/* Record n outcomes in one transaction.  Their checkpoints are deleted, except for WAITING,
 * PENDING and FAILED; notes replace earlier ones of the object.  Results whose claim was lost are
 * skipped and marked stale. */
must_check int ledger_finish(struct ledger *l, struct ledger_result *results, size_t n,
                             struct call *call);

/* Back to pending although they seemed ALREADY (or MOVED): the target does not hold them any more.
 * Only objects of the current generation, in a final state; *ret_count (may be NULL) how many. */
must_check int ledger_requeue(struct ledger *l, const int64_t *ids, size_t n, int64_t *ret_count,
                              struct call *call);
/* Mark GONE objects as DELETED at the target. */
must_check int ledger_mark_deleted(struct ledger *l, const int64_t *ids, size_t n,
                                   struct call *call);
/* What ledger_verify commands record: a new target ETag / proof for objects that are MOVED or
 * ALREADY (object, sha256, target_etag, target_checksum, proof of the result are used). */
must_check int ledger_reprove(struct ledger *l, const struct ledger_result *results, size_t n,
                              struct call *call);

/* ---- Checkpoints of large objects (ledger_checkpoint.c) ---- */

struct ledger_part {
    int64_t number; /* as the target counts, from 1 (or a block's number) */
    int64_t size;
    const char *etag;     /* or other receipt the target wants back; may be NULL */
    const char *checksum; /* may be NULL */
};

struct ledger_checkpoint {
    char *upload; /* upload id at the target; "" where it has none */
    char *etag;   /* source ETag it belongs to; NULL where there is none */
    int64_t part_size;
    int64_t hashed;                              /* bytes from the start covered by hash_state */
    size_t hash_size;                            /* 0: none saved */
    unsigned char hash_state[LEDGER_HASH_STATE]; /* opaque here: the engine's */
    char *extra;               /* JSON or other text of the engine's; may be NULL */
    struct ledger_part *parts; /* done, by number, without repeats */
    size_t part_count;
};
void ledger_checkpoint_release(struct ledger_checkpoint *c);
#define auto_ledger_checkpoint cleanup(ledger_checkpoint_release)

/* Start over for this object: upload, etag, part_size and extra of c count, earlier parts go. */
must_check int ledger_checkpoint_begin(struct ledger *l, int64_t object,
                                       const struct ledger_checkpoint *c, struct call *call);
/* Add finished parts and (hash_size > 0) the state of the hash over the first hashed bytes. */
must_check int ledger_checkpoint_add(struct ledger *l, int64_t object,
                                     const struct ledger_part *parts, size_t n, int64_t hashed,
                                     const void *hash_state, size_t hash_size, struct call *call);
/* 1 and *ret, or 0 when there is none. */
must_check int ledger_checkpoint_load(struct ledger *l, int64_t object,
                                      struct ledger_checkpoint *ret, struct call *call);
must_check int ledger_checkpoint_clear(struct ledger *l, int64_t object, struct call *call);

/* ---- Counts, report, verification (ledger_report.c) ---- */

/* The counters, kept by every transaction: cheap. */
must_check int ledger_counts(struct ledger *l, int64_t job, struct ledger_counts *ret,
                             struct call *call);
/* Count the rows themselves (one pass over all of them). */
must_check int ledger_recount(struct ledger *l, int64_t job, struct ledger_counts *ret,
                              struct call *call);
/* 0 where they are equal; else -1 with ERR_CORRUPT and a line that says where they differ. */
must_check int ledger_counts_compare(const struct ledger_counts *counters,
                                     const struct ledger_counts *rows, struct err *e);

#define LEDGER_MASK(state)    (1u << (state))
#define LEDGER_MASK_ALL       (LEDGER_MASK(LEDGER_STATE_COUNT) - 1)
#define LEDGER_MASK_AT_TARGET (LEDGER_MASK(LEDGER_MOVED) | LEDGER_MASK(LEDGER_ALREADY))
#define LEDGER_MASK_TROUBLE                                                                    \
    (LEDGER_MASK(LEDGER_VANISHED) | LEDGER_MASK(LEDGER_REFUSED) | LEDGER_MASK(LEDGER_FAILED) | \
     LEDGER_MASK(LEDGER_GONE) | LEDGER_MASK(LEDGER_DELETED))

/* The next up to max objects of a container whose state is in mask, by (name, version, kind)
 * bytewise, behind *after (NULL: from the start).  rows may be refilled: after may be the last of
 * the rows being refilled.  Less than max rows does not mean the end, 0 rows does. */
must_check int ledger_objects(struct ledger *l, int64_t container,
                              const struct ledger_object *after, unsigned mask, int max,
                              struct ledger_rows *ret, struct call *call);
/* The next up to max objects of a job in one of the states of LEDGER_MASK_TROUBLE that are in mask,
 * with id > after; those that vanished, were refused or failed in this generation.  Quick however
 * many objects there are. */
must_check int ledger_troubles(struct ledger *l, int64_t job, int64_t after, unsigned mask, int max,
                               struct ledger_rows *ret, struct call *call);
/* One object by its name: 1 with one row, or 0. */
must_check int ledger_lookup(struct ledger *l, int64_t container, const char *name,
                             const char *version, enum ledger_kind kind, struct ledger_rows *ret,
                             struct call *call);

struct ledger_finding {
    int64_t id;
    int64_t container; /* 0: of the job */
    int64_t object;    /* 0: of the container */
    char *name;        /* the object's, else the container's, else NULL */
    char *kind;
    char *text;
    int64_t time;
};
void ledger_finding_release(struct ledger_finding *f);

/* Add one to the job started here (container and object 0) or to a container of it.  The same kind
 * and text for the same thing is kept once. */
must_check int ledger_finding_add(struct ledger *l, int64_t container,
                                  const struct ledger_note *note, struct call *call);
/* Up to max findings with id > after (kind NULL: all); returns how many, or -1.  Release each. */
must_check int ledger_findings(struct ledger *l, int64_t job, const char *kind, int64_t after,
                               struct ledger_finding *ret, int max, struct call *call);

struct ledger_finding_count {
    char kind[64];
    int64_t count;
};
/* How many of each kind, most frequent first; returns how many kinds (at most max), or -1. */
must_check int ledger_finding_counts(struct ledger *l, int64_t job,
                                     struct ledger_finding_count *ret, int max, struct call *call);

/* Throughput over time: what this process did since the sample before. */
struct ledger_sample {
    int64_t time; /* wall ns */
    int64_t objects;
    int64_t bytes;
};
/* Add one for the job started here; one every few seconds.  The ledger keeps at most about
 * LEDGER_SAMPLES for each generation: when there are more, neighbours are added together. */
must_check int ledger_sample_add(struct ledger *l, const struct ledger_sample *sample,
                                 struct call *call);
#define LEDGER_SAMPLES 2000
/* Those of the current generation with time > after, in order; returns how many, or -1. */
must_check int ledger_samples(struct ledger *l, int64_t job, int64_t after,
                              struct ledger_sample *ret, int max, struct call *call);
/* Objects and bytes per second over the last span nanoseconds of samples (all workers). */
must_check int ledger_rate(struct ledger *l, int64_t job, int64_t span, double *ret_objects,
                           double *ret_bytes, struct call *call);

/* ---- What a store can do, found by asking (ledger_probe.c) ---- */

/* value of a capability of a store (identity: driver, endpoint, container ...), as remembered: 1
 * with *ret_value (free it) and *ret_time (may be NULL), or 0. */
must_check int ledger_probe_get(struct ledger *l, const char *store, const char *capability,
                                char **ret_value, int64_t *ret_time, struct call *call);
/* All that is remembered of a store: capability and value, by capability. */
must_check int ledger_probes(struct ledger *l, const char *store, struct pairs *ret,
                             struct call *call);
must_check int ledger_probe_put(struct ledger *l, const char *store, const char *capability,
                                const char *value, struct call *call);

#endif
