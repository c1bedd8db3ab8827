// SPDX-License-Identifier: EUPL-1.2
/*
 * The ways in: the service itself, Azure's door, S3's.  Each does the steps it has a word for, says
 * in its own words why not, and shows what there is; the one reference judges them all, and what
 * went in one way is looked at by the others.
 */
#ifndef TESTS_MODEL_WAY_H
#define TESTS_MODEL_WAY_H

#include "service_steps.h"

/* How a step ended. */
struct outcome {
    char said[80];        /* "" or the way's words for a refusal */
    char words[400];      /* for who must find out why */
    struct ref_made made; /* as reference_do() wants it */
};

struct way {
    const char *word;
    bool (*has)(const struct reference *reference, const struct step *s);
    void (*act)(struct real *r, const struct reference *reference, const struct step *s,
                struct outcome *ret);
    /* How it says this reason for refusing this step. */
    const char *(*says)(const struct step *s, enum fault fault);
    /* Can this be looked at?  The current object always can. */
    bool (*sees)(const struct ref_past *past);
    void (*look)(struct real *r, int name, const struct ref_past *past, struct seen *ret);
    size_t (*count)(struct real *r);
};

extern const struct way *const ways[WAY_COUNT];
extern const struct way way_service, way_azure, way_s3;

/* Whether what a way sees of a version (past NULL: the current one) is what there is (expected
 * NULL: nothing); otherwise words in why.  ret_etag: its ETag, "" for none. */
bool way_agrees(enum way_kind way, struct real *r, int name, const struct ref_past *past,
                const struct ref_body *expected, char ret_etag[ETAG_LEN], char why[300]);

#endif
