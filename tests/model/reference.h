// SPDX-License-Identifier: EUPL-1.2
/*
 * The object service in small: what it should do, in memory, by one thread, with whole bodies.  It
 * knows nothing of layouts, pieces and transactions.
 *
 * One container, NAMES names.  Versions, snapshots and states are told apart by what the service
 * called them (version, ETag).  Leases are for ever and have one id.
 *
 * A step goes one way in: to the service itself, or through a door.  What a door means by the same
 * word (a DELETE of S3's does not fail) is told here as well.
 */
#ifndef TESTS_MODEL_REFERENCE_H
#define TESTS_MODEL_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "object/fault.h"
#include "store/object.h"

#define NAMES       4
#define BODY_MAX    8192
#define PAGE        512
#define PAST_MAX    64
#define BLOCKS      4
#define VERSION_LEN 40
#define ETAG_LEN    80

/* The ways in: see way.h. */
enum way_kind { WAY_SERVICE, WAY_AZURE, WAY_S3, WAY_COUNT };

enum step_kind {
    STEP_PUT,
    STEP_MAKE_APPEND,
    STEP_MAKE_PAGES, /* length: the size in pages */
    STEP_APPEND,
    STEP_SEAL,
    STEP_WRITE_PAGES, /* offset and length in pages; fill 0 clears */
    STEP_RESIZE,
    STEP_SNAPSHOT,
    STEP_COPY, /* of past number `past` of other (or its current body) onto name */
    STEP_DELETE,
    STEP_DELETE_PAST,
    STEP_METADATA,
    STEP_TAGS,
    STEP_STAGE,
    STEP_COMMIT, /* the blocks of the mask `length`, last first */
    STEP_UPLOAD, /* S3's: begun, one part, completed */
    STEP_ACQUIRE,
    STEP_RELEASE,
    STEP_SWEEP,
    STEP_RESTART,
    STEP_KIND_COUNT
};

/* Of the state a step wants to meet. */
enum step_condition {
    IF_ANYTHING,
    IF_ABSENT,
    IF_SAME,   /* the ETag that there is */
    IF_BEFORE, /* the one before it: mostly another */
};

/* One operation.  It does not depend on what went before, so that others can be left out. */
struct step {
    enum step_kind kind;
    enum way_kind way;
    int name;
    int other;
    unsigned past;
    unsigned offset;
    unsigned length;
    char fill;
    enum step_condition condition;
    bool with_lease;
    bool with_snapshots;
};

struct ref_body {
    enum object_type type;
    size_t size;
    bool sealed;
    char content;  /* of the content type, "text/<content>"; 0: nobody named one */
    char metadata; /* of MODEL_KEY; 0: none */
    bool lowered;  /* S3 has no capitals in keys of metadata */
    char tag;      /* of "t"; 0: none */
    char bytes[BODY_MAX];
};
#define MODEL_KEY     "mIxed"
#define MODEL_KEY_LOW "mixed"

enum past_kind { PAST_VERSION, PAST_SNAPSHOT, PAST_MARKER };

struct ref_past {
    enum past_kind kind;
    char version[VERSION_LEN];
    struct ref_body body;
};

struct ref_object {
    bool there;
    bool leased;
    bool marked; /* the youngest marker stands where the object was */
    char version[VERSION_LEN];
    struct ref_body body;
    /* What each way calls the state there is, and called the one before; "": none. */
    char etag[WAY_COUNT][ETAG_LEN], before[WAY_COUNT][ETAG_LEN];
    struct ref_body seen; /* with these ETags */
    struct ref_past past[PAST_MAX];
    size_t past_count;
    struct {
        bool there;
        char fill;
        size_t size;
    } staged[BLOCKS];
};

struct reference {
    bool versioning;
    struct ref_object objects[NAMES];
};

/* What the service called what it made ("" when it made none or refused). */
struct ref_made {
    char version[VERSION_LEN]; /* the version, or the snapshot */
    char current[VERSION_LEN]; /* the version that a snapshot made current */
};

/* Do it, or say why not. */
enum fault reference_do(struct reference *r, const struct step *s, const struct ref_made *made);
/* Whether it can be done within the bounds of the reference at all; others are left out. */
bool reference_can(const struct reference *r, const struct step *s);
/* The past a step means, often the youngest: NULL when there is none. */
const struct ref_past *reference_past(const struct ref_object *o, unsigned number);
/* The ETag a step with a condition names. */
const char *reference_etag(const struct reference *r, const struct step *s);
/* What each way calls the state there is now ("": there is none).  False when one of them calls
 * other bytes as it called those before. */
bool reference_saw(struct reference *r, int name, const char etag[WAY_COUNT][ETAG_LEN]);
/* How many a listing of everything gives. */
size_t reference_count(const struct reference *r, enum way_kind way);

#endif
