// SPDX-License-Identifier: EUPL-1.2
/* A verification as the commands run it: its differences and its result told, its exit code. */
#ifndef CLI_PROOF_H
#define CLI_PROOF_H

#include "move/verify.h"

struct proof_request {
    struct verify_options options; /* stores and containers; the rest is set here */
    int64_t workers;
    bool json; /* lines of JSON on standard output */
};

/* Each of them: an exit code, or -1 when it could not be done.  *ret (may be NULL): what was
 * counted. */
must_check int proof_of_job(struct ledger *l, const struct ledger_job *job,
                            struct proof_request *request, struct verify_result *ret,
                            struct call *call);
must_check int proof_of_stores(struct proof_request *request, struct call *call);

#endif
