// SPDX-License-Identifier: EUPL-1.2
/*
 * The contract of a store (store/store.h) as tests that run on any: every driver, every layer,
 * every stack.  A program for one kind of store fills a struct contract and returns
 * store_contract()'s result from main():
 *
 *     static int open_it(void *argument, struct store **ret, struct call *call) { ... }
 *
 *     int main(void)
 *     {
 *         struct contract c = {.name = "s3 on rgw", .open = open_it};
 *         return store_contract(&c);
 *     }
 *
 * The tests work in a container of their own ("contract-<random>"), which they make and remove
 * where the store has containers to make; elsewhere c.container names one that is there and may be
 * filled.  What the store's traits do not promise is not asked of it.
 */
#ifndef TESTS_STORE_CONTRACT_H
#define TESTS_STORE_CONTRACT_H

#include "store/store.h"

enum contract_lack {
    LACKS_PUT_IF_MATCH = 1 << 0,    /* expected to answer ERR_UNSUPPORTED or to be ignored */
    LACKS_PUT_IF_ABSENT = 1 << 1,   /* likewise */
    LACKS_REMOVE_IF_MATCH = 1 << 2, /* likewise */
    LACKS_COPY = 1 << 3,
    LACKS_CONTAINER_REMOVE = 1 << 4,
    LACKS_ATOMIC_IF_ABSENT = 1 << 5,    /* of several at the same moment more than one may win */
    LACKS_METADATA_UNDERSCORE = 1 << 6, /* '_' in a metadata key comes back as '-' */
};

struct contract {
    const char *name;
    /* Open the store anew: all stores it opens see the same objects. */
    int (*open)(void *argument, struct store **ret, struct call *call);
    void *argument;
    const char *container; /* NULL: make one */
    unsigned lacks;        /* of enum contract_lack */
    unsigned many;         /* objects in the longer listings; 0: 60 */
    const char *only;      /* run only tests whose name holds this; NULL: all */
};

/* Runs all of it; the number of tests that failed. */
int store_contract(const struct contract *c);

#endif
