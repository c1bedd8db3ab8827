// SPDX-License-Identifier: EUPL-1.2
/*
 * Verification by content: every object is read and hashed, nothing is taken from names, sizes,
 * dates or what a store claims to hold.
 *
 * Two kinds: target against the ledger (the SHA-256 recorded when it was moved; of an earlier
 * version, one of the target's versions of that name must have it), and source against target: both
 * are read, and what they carry is compared as it would come back to its original place (type,
 * content headers, metadata, tags); what only the target has is told, too.  Neither writes anything
 * at either end.
 */
#ifndef MOVE_VERIFY_H
#define MOVE_VERIFY_H

#include "move/move.h"

/* In what way the target is not what it should be. */
enum verify_kind {
    VERIFY_CONTENT,  /* other bytes */
    VERIFY_CARRIED,  /* other headers, metadata, tags or type */
    VERIFY_MISSING,  /* not there */
    VERIFY_EXTRA,    /* there, but not at the source */
    VERIFY_UNPROVEN, /* could not be looked at */
};
const char *verify_kind_word(enum verify_kind kind);

struct verify_options {
    struct store *source; /* NULL: against the ledger */
    struct store *target;
    const char *source_container; /* NULL: all */
    const char *target_container;
    const char *prefix;
    const struct pairs *containers;
    int workers;
    const struct cancel *drain;
    /* Called for each difference, by one thread at a time; name NULL: the container itself. */
    void (*differs)(void *context, enum verify_kind kind, const char *container, const char *name,
                    const char *text);
    void *context;
};

struct verify_result {
    atomic_int_fast64_t objects; /* looked at */
    atomic_int_fast64_t bytes;   /* read at the target */
    atomic_int_fast64_t differences;
    atomic_int_fast64_t unproven; /* could not be looked at: errors, told as differences too */
};

/* Every object of the job that the ledger says is at the target. */
must_check int verify_ledger(struct ledger *l, const struct ledger_job *job,
                             const struct verify_options *options, struct verify_result *ret,
                             struct call *call);
/* Every object the source lists, and every one of the target's containers they belong in. */
must_check int verify_stores(const struct verify_options *options, struct verify_result *ret,
                             struct call *call);

#endif
