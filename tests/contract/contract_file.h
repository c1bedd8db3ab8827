// SPDX-License-Identifier: EUPL-1.2
/* A file store in a directory that is made for a test and removed after it. */
#ifndef TESTS_CONTRACT_FILE_H
#define TESTS_CONTRACT_FILE_H

#include "store/store.h"

struct scratch {
    char path[200];
};

/* Below $TMPDIR, else /tmp; ends the program when that cannot be. */
void scratch_make(struct scratch *s);
void scratch_remove(const struct scratch *s);
/* For struct contract: argument is a struct scratch. */
int scratch_open(void *argument, struct store **ret, struct call *call);

#endif
