// SPDX-License-Identifier: EUPL-1.2
/*
 * A store keeps objects: bodies under names, in containers.  One interface for every kind of
 * provider (drivers) and for every stack of layers over them.
 *
 *            store_get()            checks the contract, prefixes errors
 *               |
 *        retry > limit > log        layers: a store over a store (transparent ones forward)
 *               |
 *       azure, s3, swift, file      drivers
 *
 * Nobody calls s->ops: everybody calls the store_...() functions below, which check what is
 * promised on both sides.  A driver or layer fills one complete const table; what only some stores
 * have comes in groups (containers, tags, tier, extents), each a complete table, NULL when not
 * offered.
 *
 * Threads: every operation of a store may be called by many threads at once.
 *
 * Errors: 0 or -1 with call->err.  The codes are part of the contract:
 *   ERR_NOT_FOUND  no such object or container       ERR_CHANGED   if_match / if_absent did not
 * hold ERR_DENIED, ERR_UNKNOWN_WHO                      ERR_ARCHIVED  must be woken first ERR_NAME
 * the name cannot be held here      ERR_RANGE     offset at or past the end ERR_CORRUPT    a
 * checksum did not match          ERR_NETWORK   cut off; nothing was stored ERR_BUSY       with
 * err.retry_after              ERR_UNSUPPORTED
 *
 * What was pushed into a sink cannot be taken back: after a failed get the sink holds a prefix of
 * the right bytes (or, where the error is ERR_CORRUPT, bytes not to be used).
 *
 * A failed put leaves nothing behind: the key holds what it held before, or is absent.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/object.h"
#include "util/stream.h"

/* Which object.  Borrowed strings. */
struct object_key {
    const char *container;
    const char *name;
    enum version_kind kind; /* VERSION_CURRENT: version is NULL */
    const char *version;
};

#define STORE_TO_END UINT64_MAX

struct get_options {
    uint64_t offset;
    uint64_t length;      /* STORE_TO_END for all the rest */
    const char *if_match; /* ETag that must still hold, or NULL */
    bool want_checksum; /* ask for a checksum of exactly this range and verify it, if the store can
                         */
    bool plain; /* nothing but the bytes is wanted: a driver that keeps the rest elsewhere need not
                   look for it */
};

/* How the bytes of a get were checked in transport, besides their length. */
enum transport_check { TRANSPORT_LENGTH, TRANSPORT_MD5, TRANSPORT_CRC64, TRANSPORT_SHA256 };

/* Why we believe that the store holds what was sent; the weakest first. */
enum proof {
    PROOF_NONE,   /* accepted, nothing more: read it back */
    PROOF_SIGNED, /* payload hash in the signature, and this store refused a wrong one when tried */
    PROOF_CHECKSUM, /* a checksum header this store refused when wrong, or its answer named ours */
    PROOF_ETAG,     /* the answer's ETag is the MD5 of what was sent */
    PROOF_WRITTEN,  /* a local file system took every byte */
    PROOF_READBACK, /* read again and compared (set by callers, not by drivers) */
};
const char *proof_word(enum proof proof);

struct put_options {
    const struct object *properties; /* headers, metadata, tags, tier, type, times; NULL: none. What
                                        the traits do not list as held is ignored by the driver */
    uint64_t size;                   /* exact */
    struct checksums known;          /* digests of the whole body that the caller already has */
    const char *if_match;            /* replace only this version */
    bool if_absent;                  /* write only where nothing is */
    bool lazy;                       /* need not be durable before the next store_sync() */
    bool again; /* an upload that begins: an earlier attempt may have begun one unseen; leave none
                   of that behind (set by the retry layer) */
    bool plain; /* nothing but the bytes need be kept: a driver that keeps the rest in a place of
                   its own leaves that out where nothing older stands there */
};

struct put_result {
    char *etag;
    char *version; /* NULL where the store makes none */
    enum proof proof;
    struct checksums stored; /* what the answer said it holds */
};
#define PUT_RESULT_INIT \
    {                   \
        0               \
    }
#define auto_put_result cleanup(put_result_release)
void put_result_release(struct put_result *r);

/* What a listing shall include besides current objects and their properties. */
enum list_include {
    LIST_METADATA = 1 << 0,
    LIST_TAGS = 1 << 1,
    LIST_SNAPSHOTS = 1 << 2,
    LIST_VERSIONS = 1 << 3, /* with delete markers */
    LIST_DELETED = 1 << 4,
};

struct list_options {
    const char *prefix;    /* NULL: everything */
    const char *delimiter; /* NULL: flat */
    const char *cursor;    /* from an earlier page of the same listing; NULL: from the start */
    unsigned limit;        /* at most this many entries; 0: the store's best */
    unsigned include;      /* of enum list_include; what the store lacks is left out silently */
};

/* One part of a resumable upload.  Parts are numbered from 0 and cover the object without gaps. */
struct part_options {
    uint64_t offset; /* of its first byte in the object */
    uint64_t size;
    struct checksums known; /* digests of the part that the caller already has */
};

struct part_result {
    char etag[128]; /* what upload_commit wants back; may be empty */
    enum proof proof;
};

/* Object names a store cannot hold, or does not give back as they were. */
enum name_refusal {
    NAME_NO_CONTROL = 1 << 0,     /* bytes below 0x20, and 0x7f */
    NAME_NO_BACKSLASH = 1 << 1,   /* Azure turns it into a slash */
    NAME_NO_DOT_SEGMENT = 1 << 2, /* "." or ".." between slashes */
    NAME_NO_NON_XML = 1 << 3,     /* characters XML 1.0 has no place for, U+FFFE among them */
    NAME_NO_NON_UTF8 = 1 << 4,
};

struct store_traits;
/* Why a store of these traits cannot hold a name, as words for a message, or NULL when it can. */
const char *store_name_fault(const struct store_traits *traits, const char *name);

/* What a store is and holds.  Fixed once the store is open. */
struct store_traits {
    const char *driver; /* "azure", "s3", "swift", "file" */
    uint64_t object_size_max;
    uint64_t put_size_max;  /* in one put */
    uint64_t part_size_min; /* all but the last */
    uint64_t part_size_max;
    uint32_t parts_max;
    unsigned name_refuses;       /* of enum name_refusal */
    uint32_t name_bytes_max;     /* UTF-8 bytes of an object name; 0: no limit */
    uint32_t name_units_max;     /* UTF-16 units of it (Azure); 0: no limit */
    uint32_t metadata_bytes_max; /* keys and values together */
    uint32_t metadata_value_max; /* one value */
    uint32_t metadata_count_max;
    uint32_t tags_max;           /* 0: no tags */
    uint64_t range_checksum_max; /* get checks ranges up to this size; 0: none */
    bool metadata_keeps_case;
    bool metadata_identifiers; /* keys must be C identifiers (Azure) */
    bool holds_type;           /* block, append, page */
    bool holds_times;          /* created and modified of the original */
    bool holds_tier;           /* takes the tier names of Azure */
    bool notes_versioning;     /* a container's versioning is only noted: a put keeps nothing */
    bool holds_everything;     /* any field of struct object comes back as given */
    bool lists_in_order;       /* by the bytes of the name */
    bool part_needs_hash;  /* a part whose SHA-256 is not known is refused unless it is in memory */
    bool part_sizes_equal; /* all parts but the last must have one size */
    bool parts_in_place;   /* writes parts at their offset: holes need no bytes */
};

struct store;

/* The core: every driver and layer offers all of it.  See the functions below for what each
 * promises. */
struct store_ops {
    int (*reach)(struct store *s, int64_t *ret_clock_ahead, struct call *call);
    int (*stat)(struct store *s, const struct object_key *key, struct object *ret,
                struct call *call);
    int (*get)(struct store *s, const struct object_key *key, const struct get_options *options,
               struct sink *to, struct object *ret, enum transport_check *ret_check,
               struct call *call);
    int (*put)(struct store *s, const struct object_key *key, const struct put_options *options,
               struct source *from, struct put_result *ret, struct call *call);
    int (*remove)(struct store *s, const struct object_key *key, const char *if_match,
                  struct call *call);
    int (*list)(struct store *s, const char *container, const struct list_options *options,
                struct object_list *ret, struct call *call);
    int (*upload_begin)(struct store *s, const struct object_key *key,
                        const struct put_options *options, char **ret_id, struct call *call);
    int (*upload_part)(struct store *s, const struct object_key *key, const char *id,
                       uint32_t number, const struct part_options *options, struct source *from,
                       struct part_result *ret, struct call *call);
    int (*upload_commit)(struct store *s, const struct object_key *key, const char *id,
                         const struct part_result *parts, uint32_t count,
                         const struct put_options *options, struct put_result *ret,
                         struct call *call);
    int (*upload_abort)(struct store *s, const struct object_key *key, const char *id,
                        struct call *call);
    int (*copy)(struct store *s, const struct object_key *from, const char *if_match,
                const struct object_key *to, const struct put_options *options,
                struct put_result *ret, struct call *call);
    int (*sync)(struct store *s, struct call *call);
    void (*close)(struct store *s);
};

/* A container and what is set on it. */
struct container {
    char *name;
    char *etag;
    int64_t modified;
    struct pairs metadata;
    char *access;    /* "private", "blob", "container"; NULL where the store has no such thing */
    bool versioning; /* keeps earlier versions */
    bool deleted;    /* soft-deleted */
    char *version;   /* of a soft-deleted one */
};
struct container_list {
    struct container *list;
    size_t count;
    size_t size;
    char *cursor;
    struct pairs left_out; /* as in struct object_list */
};
#define CONTAINER_INIT           \
    {                            \
        .modified = TIME_UNKNOWN \
    }
#define CONTAINER_LIST_INIT \
    {                       \
        0                   \
    }
#define auto_container      cleanup(container_release)
#define auto_container_list cleanup(container_list_release)
void container_release(struct container *c);
void container_list_release(struct container_list *l);
struct container *container_list_add(struct container_list *l);

struct container_ops {
    int (*list)(struct store *s, const char *cursor, struct container_list *ret, struct call *call);
    int (*stat)(struct store *s, const char *container, struct container *ret, struct call *call);
    int (*create)(struct store *s, const char *container, const struct container *properties,
                  struct call *call);
    int (*remove)(struct store *s, const char *container, struct call *call);
    int (*settings)(struct store *s, const char *container, struct buf *ret_json,
                    struct call *call);
    int (*apply)(struct store *s, const char *container, const char *json, struct buf *ret_left,
                 struct call *call);
};

struct tag_ops {
    int (*can_hold)(struct store *s, const char *container, const struct pairs *tags, bool *ret,
                    struct call *call);
    int (*get)(struct store *s, const struct object_key *key, struct pairs *ret, struct call *call);
    int (*set)(struct store *s, const struct object_key *key, const struct pairs *tags,
               struct call *call);
};

struct tier_ops {
    int (*set)(struct store *s, const struct object_key *key, const char *tier,
               const char *priority, struct call *call);
};

struct extent {
    uint64_t offset;
    uint64_t length;
};
struct extent_list {
    struct extent *list;
    size_t count;
    size_t size;
};
#define auto_extents cleanup(extent_list_release)
void extent_list_release(struct extent_list *l);
void extent_list_add(struct extent_list *l, uint64_t offset, uint64_t length);

struct extent_ops {
    int (*get)(struct store *s, const struct object_key *key, const char *if_match, uint64_t offset,
               uint64_t length, struct extent_list *ret, struct call *call);
};

/* Facts a store found out about itself by trying, kept by somebody else (the ledger) so that they
 * are tried once.  Keys such as "payload-hash-enforced"; values are short words. */
struct notebook {
    /* 1 and *ret (at most size bytes) when known, 0 when not, -1 on failure */
    int (*read)(struct notebook *n, const char *store, const char *key, char *ret, size_t size,
                struct call *call);
    int (*write)(struct notebook *n, const char *store, const char *key, const char *value,
                 struct call *call);
};

struct store {
    const struct store_ops *ops;
    const struct container_ops *containers;
    const struct tag_ops *tags;
    const struct tier_ops *tier;
    const struct extent_ops *extents;
    struct store_traits traits;
    char *name;          /* for messages, as in the configuration: "azure" */
    char *identity;      /* what tells this store from any other: driver, endpoint and account */
    struct store *below; /* layers: the store they stand on, and own; drivers: NULL */
    struct notebook *notebook; /* borrowed; may be NULL */
};

/* For drivers and layers: set up the common part (asserts that the table is complete). */
void store_init(struct store *s, const struct store_ops *ops, const char *name,
                const char *identity);
/* Also takes over below's traits, groups that forward, name and identity. */
void store_init_layer(struct store *s, const struct store_ops *ops, struct store *below);
/* For close(): free the common part (and below, through store_close). */
void store_release(struct store *s);

/* Every operation of a transparent layer that has nothing to add.  Their close() frees a layer that
 * is one heap block beginning with its struct store and holding nothing else to give back. */
extern const struct store_ops store_forward_ops;
extern const struct container_ops container_forward_ops;
extern const struct tag_ops tag_forward_ops;
extern const struct tier_ops tier_forward_ops;
extern const struct extent_ops extent_forward_ops;

/* Free a store and all below it; NULL is fine. */
void store_close(struct store *s);
/* Give the notebook to every store of the stack. */
void store_set_notebook(struct store *s, struct notebook *n);

/* The cheapest request that proves endpoint, credentials and clock.  *ret_clock_ahead: how far the
 * store's clock is ahead of ours, nanoseconds (0 for local stores). */
must_check int store_reach(struct store *s, int64_t *ret_clock_ahead, struct call *call);

/* Properties without bytes. */
must_check int store_stat(struct store *s, const struct object_key *key, struct object *ret,
                          struct call *call);

/* Push a range of the body into to.  A range of no bytes pushes nothing but fails as any other
 * would. *ret (may be NULL) is filled before the first byte is pushed, with the size of the whole
 * object; *ret_check (may be NULL) says how the transport was checked. Exactly the range asked for
 * (cut at the object's end) has been pushed when this returns 0.  An object of size 0 may be read
 * from offset 0. */
must_check int store_get(struct store *s, const struct object_key *key,
                         const struct get_options *options, struct sink *to, struct object *ret,
                         enum transport_check *ret_check, struct call *call);

/* Store the whole of from (options->size bytes) under key.  A source that holds less or more is cut
 * off before its last byte, so that nothing is stored.  A failure of the source or of a get's sink
 * comes back as it was, whatever the driver made of it. */
must_check int store_put(struct store *s, const struct object_key *key,
                         const struct put_options *options, struct source *from,
                         struct put_result *ret, struct call *call);

/* Delete; ERR_NOT_FOUND when it was not there. */
must_check int store_remove(struct store *s, const struct object_key *key, const char *if_match,
                            struct call *call);

/* One page of a listing. */
must_check int store_list(struct store *s, const char *container,
                          const struct list_options *options, struct object_list *ret,
                          struct call *call);

/* A resumable upload: *ret_id survives restarts of the program.  Parts may come in any order and
 * from many threads; sending one again replaces it.  Nothing is visible before the commit, which is
 * all or nothing; the same options must be given to begin and commit. */
must_check int store_upload_begin(struct store *s, const struct object_key *key,
                                  const struct put_options *options, char **ret_id,
                                  struct call *call);
must_check int store_upload_part(struct store *s, const struct object_key *key, const char *id,
                                 uint32_t number, const struct part_options *options,
                                 struct source *from, struct part_result *ret, struct call *call);
/* ERR_NOT_FOUND when the store no longer knows the upload (then begin anew). */
must_check int store_upload_commit(struct store *s, const struct object_key *key, const char *id,
                                   const struct part_result *parts, uint32_t count,
                                   const struct put_options *options, struct put_result *ret,
                                   struct call *call);
/* Forget the upload and its parts; an unknown id is no error. */
must_check int store_upload_abort(struct store *s, const struct object_key *key, const char *id,
                                  struct call *call);

/* Copy inside the store, without the bytes passing through here.  options->properties NULL keeps
 * the source's.  ERR_UNSUPPORTED where it cannot be done. */
must_check int store_copy(struct store *s, const struct object_key *from, const char *if_match,
                          const struct object_key *to, const struct put_options *options,
                          struct put_result *ret, struct call *call);

/* Everything put lazily before this call is durable when it returns 0. */
must_check int store_sync(struct store *s, struct call *call);

/* Containers.  ERR_UNSUPPORTED when the store has no such group. */
must_check int store_container_list(struct store *s, const char *cursor, struct container_list *ret,
                                    struct call *call);
must_check int store_container_stat(struct store *s, const char *container, struct container *ret,
                                    struct call *call);
/* ERR_EXISTS when it is there already and is ours. */
must_check int store_container_create(struct store *s, const char *container,
                                      const struct container *properties, struct call *call);
must_check int store_container_remove(struct store *s, const char *container, struct call *call);
/* What else is set on a container (and on its account: key "account"), as one JSON object; its keys
 * are documented in docs/formats/container.md. */
must_check int store_container_settings(struct store *s, const char *container,
                                        struct buf *ret_json, struct call *call);
/* Apply such an object as far as the store has the things; *ret_left gets a JSON object of what
 * could not be carried, "{}" when everything was. */
must_check int store_container_apply(struct store *s, const char *container, const char *json,
                                     struct buf *ret_left, struct call *call);

/* Whether an object of this container could have these tags: their number and characters, and,
 * where only trying tells, whether the service keeps any.  A store without the group holds no tags.
 */
must_check int store_tags_can_hold(struct store *s, const char *container, const struct pairs *tags,
                                   bool *ret, struct call *call);
must_check int store_tags_get(struct store *s, const struct object_key *key, struct pairs *ret,
                              struct call *call);
must_check int store_tags_set(struct store *s, const struct object_key *key,
                              const struct pairs *tags, struct call *call);
/* Change the tier; from an archive tier this begins waking the object (priority: "Standard" or
 * "High"). */
must_check int store_tier_set(struct store *s, const struct object_key *key, const char *tier,
                              const char *priority, struct call *call);
/* The parts of a range that hold bytes, in order; what lies between them reads as zeros.  Without
 * the group: the whole range. */
must_check int store_extents(struct store *s, const struct object_key *key, const char *if_match,
                             uint64_t offset, uint64_t length, struct extent_list *ret,
                             struct call *call);

#endif
