// SPDX-License-Identifier: EUPL-1.2
/*
 * The object service in small: what it should do, in memory, by one thread, with whole bodies.  It
 * knows nothing of layouts, pieces and transactions.
 *
 * One container, NAMES names.  Versions and snapshots are told apart by what the service called
 * them.  Leases are for ever and have one id.
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
    STEP_STAGE,
    STEP_COMMIT, /* the blocks of the mask `length`, last first */
    STEP_ACQUIRE,
    STEP_RELEASE,
    STEP_SWEEP,
    STEP_RESTART,
    STEP_KIND_COUNT
};

/* One operation.  It does not depend on what went before, so that others can be left out. */
struct step {
    enum step_kind kind;
    int name;
    int other;
    unsigned past;
    unsigned offset;
    unsigned length;
    char fill;
    bool if_absent;
    bool with_lease;
    bool with_snapshots;
};

struct ref_body {
    enum object_type type;
    size_t size;
    bool sealed;
    char metadata; /* 0: none */
    char bytes[BODY_MAX];
};

struct ref_past {
    bool snapshot;
    char version[VERSION_LEN];
    struct ref_body body;
};

struct ref_object {
    bool there;
    bool leased;
    char version[VERSION_LEN];
    struct ref_body body;
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

/* Do it, or say why not.  version: what the service called the version or snapshot it made ("" when
 * it made none or refused). */
enum fault reference_do(struct reference *r, const struct step *s, const char *version);
/* Whether it can be done within the bounds of the reference at all; others are left out. */
bool reference_can(const struct reference *r, const struct step *s);
/* The past a step means: NULL when there is none. */
const struct ref_past *reference_past(const struct ref_object *o, unsigned number);

#endif
