// SPDX-License-Identifier: EUPL-1.2
/* What the parts of the contract suite share. */
#ifndef TESTS_CONTRACT_PRIVATE_H
#define TESTS_CONTRACT_PRIVATE_H

#include "../unit/unit.h"
#include "store_contract.h"
#include "util/call.h"

/* One test's surroundings. */
struct fixture {
    const struct contract *contract;
    struct store *store;
    char *container;
    struct call call;
};

struct contract_test {
    const char *name;
    void (*run)(void **state);
};

extern const struct contract_test contract_basic_tests[];
extern const struct contract_test contract_property_tests[];
extern const struct contract_test contract_upload_tests[];
extern const struct contract_test contract_list_tests[];
extern const struct contract_test contract_container_tests[];
extern const struct contract_test contract_thread_tests[];

/* The expression must fail with this reason, in a text that names the store once. */
#define assert_fails(f, expression, reason)                                                 \
    do {                                                                                    \
        err_clear(&(f)->call.err);                                                          \
        if ((expression) >= 0)                                                              \
            fail_msg("%s: succeeded instead of %s", #expression, err_word(reason));         \
        if ((f)->call.err.code != (reason))                                                 \
            fail_msg("%s: %s instead of %s: %s", #expression, err_word((f)->call.err.code), \
                     err_word(reason), (f)->call.err.text);                                 \
    } while (0)

struct object_key key_of(const struct fixture *f, const char *name);

/* Put text and give its result; the caller releases. */
struct put_result put_text(struct fixture *f, const char *name, const char *text);
/* Get all of it as text to be freed; fails the test when it is not there. */
char *get_text(struct fixture *f, const char *name);
void assert_holds(struct fixture *f, const char *name, const char *text);
void assert_absent(struct fixture *f, const char *name);

/* n bytes that differ at every place and with every seed. */
unsigned char *make_bytes(size_t n, unsigned seed);
void assert_holds_bytes(struct fixture *f, const char *name, const void *bytes, size_t n);

/* A source that gives bytes in pieces, and can fail, end early or go on too long. */
struct test_source {
    struct source source;
    const unsigned char *bytes;
    size_t length; /* what it holds */
    size_t at;
    size_t piece;   /* at most so much at once; 0: as asked */
    size_t fail_at; /* fail here with ERR_NETWORK; SIZE_MAX: never */
    struct cancel *cancel_at_half;
};
void test_source_init(struct test_source *s, const void *bytes, size_t length);

/* All names of a listing, in the order they came; pages of at most limit. */
void list_names(struct fixture *f, const char *prefix, const char *delimiter, unsigned limit,
                unsigned include, struct object_list *ret);

#endif
