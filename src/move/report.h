// SPDX-License-Identifier: EUPL-1.2
/*
 * What a job leaves for others to check.
 *
 *     report.html     one self-contained page for people
 *     report.json     the same for programs, without the single objects
 *     objects.jsonl   one JSON object for each object: name, sizes, digests, proof, outcome
 *     findings.jsonl  one for each finding
 *     SHA256SUMS      for sha256sum -c, run where the containers lie as folders
 *
 * docs/formats/report.md describes them.  All are written page by page from the ledger: memory does
 * not grow with the number of objects.  Each function writes to an open stream and leaves flushing
 * and closing to the caller; a failed write is seen by ferror().
 */
#ifndef MOVE_REPORT_H
#define MOVE_REPORT_H

#include <stdio.h>

#include "move/ledger.h"

/* Where an object's body lies below the folder the manifest is for, a new string; NULL to leave it
 * out.  The default puts container and target name together. */
typedef char *report_path_function(void *context, const char *container, const char *target);

struct report_options {
    report_path_function *path; /* NULL: the default */
    void *context;
    const char *signer; /* "signed by key ...", or NULL: unsigned, and the page says so */
};

must_check int report_write_sums(struct ledger *l, const struct ledger_job *job,
                                 const struct report_options *options, FILE *out,
                                 struct call *call);
must_check int report_write_objects(struct ledger *l, const struct ledger_job *job, FILE *out,
                                    struct call *call);
must_check int report_write_findings(struct ledger *l, const struct ledger_job *job, FILE *out,
                                     struct call *call);
must_check int report_write_json(struct ledger *l, const struct ledger_job *job,
                                 const struct report_options *options, FILE *out,
                                 struct call *call);
must_check int report_write_html(struct ledger *l, const struct ledger_job *job,
                                 const struct report_options *options, FILE *out,
                                 struct call *call);

/* Call each for every object of the job that the ledger says is at the target. */
typedef int report_row_function(void *context, const struct ledger_container *container,
                                const struct ledger_object *row, struct call *call);
must_check int report_each(struct ledger *l, const struct ledger_job *job, unsigned mask,
                           report_row_function *each, void *context, struct call *call);

/* The source's name of the container a finding is about, a new string; NULL when it is about the
 * job. */
must_check int report_finding_place(struct ledger *l, const struct ledger_job *job,
                                    const struct ledger_finding *f, char **ret, struct call *call);

/* How many of the job's containers are refused as a whole; -1 when the ledger cannot be read. */
must_check int64_t report_refused_containers(struct ledger *l, const struct ledger_job *job,
                                             struct call *call);

/* How often each kind of proof was had. */
#define REPORT_PROOFS 16
struct report_proofs {
    struct {
        char word[32];
        int64_t objects;
        int64_t bytes;
    } list[REPORT_PROOFS];
    int count;
};
must_check int report_proofs(struct ledger *l, const struct ledger_job *job,
                             struct report_proofs *ret, struct call *call);

#endif
