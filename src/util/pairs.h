// SPDX-License-Identifier: EUPL-1.2
/*
 * An ordered list of (key, value) strings: metadata, tags, HTTP headers, query parameters.
 * Keys keep their case and may repeat; the _nocase functions compare ASCII letters without case.
 * The list owns its strings.  One thread at a time.
 */
#ifndef UTIL_PAIRS_H
#define UTIL_PAIRS_H

#include <stdbool.h>

#include "util/common.h"

struct pair {
    char *key;
    char *value;
};

struct pairs {
    struct pair *list;
    size_t count;
    size_t size;
};

#define PAIRS_INIT \
    {              \
        0          \
    }
#define auto_pairs cleanup(pairs_release)

void pairs_release(struct pairs *p);
void pairs_add(struct pairs *p, const char *key, const char *value);
/* As pairs_add, for text that is not NUL-terminated. */
void pairs_add_n(struct pairs *p, const char *key, size_t key_length, const char *value,
                 size_t value_length);
/* Replace the first pair of this key, or add it. */
void pairs_set(struct pairs *p, const char *key, const char *value);
/* Take the pair at this index out, keeping the order. */
void pairs_remove(struct pairs *p, size_t index);
/* The first value of a key, or NULL. */
const char *pairs_get(const struct pairs *p, const char *key);
const char *pairs_get_nocase(const struct pairs *p, const char *key);
void pairs_copy(struct pairs *into, const struct pairs *from);
/* Order by key, then value, bytewise. */
void pairs_sort(struct pairs *p);
bool pairs_equal(const struct pairs *a, const struct pairs *b);

#endif
