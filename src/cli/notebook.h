// SPDX-License-Identifier: EUPL-1.2
/* The ledger as the notebook in which stores keep what they found out about themselves. */
#ifndef CLI_NOTEBOOK_H
#define CLI_NOTEBOOK_H

#include "move/ledger.h"
#include "store/store.h"

struct ledger_notebook {
    struct notebook notebook;
    struct ledger *ledger;
};

void ledger_notebook_init(struct ledger_notebook *n, struct ledger *ledger);

/* Open the ledger at url, making the folder of an SQLite file first. */
must_check int open_ledger(const char *url, struct ledger **ret, struct call *call);

#endif
