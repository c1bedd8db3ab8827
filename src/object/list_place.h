// SPDX-License-Identifier: EUPL-1.2
/*
 * A place in a listing: where it goes on.  Names are bytes without NUL.  Only list code and its
 * tests include this.
 */
#ifndef OBJECT_LIST_PLACE_H
#define OBJECT_LIST_PLACE_H

#include <stdint.h>

#include "util/err.h"

enum place_kind {
    PLACE_AT,   /* before every row of the name, which need not be there */
    PLACE_ROW,  /* behind one row of the name */
    PLACE_PAST, /* behind every row of the name */
};

struct list_place {
    enum place_kind kind;
    char *name;
    int64_t current; /* of the row */
    char *version;
};
void list_place_release(struct list_place *p);
#define auto_list_place cleanup(list_place_release)
/* version: NULL unless kind is PLACE_ROW. */
void list_place_set(struct list_place *p, enum place_kind kind, const char *name, int64_t current,
                    const char *version);

/* As text a client keeps and gives back: base64url, heap. */
char *list_place_write(const struct list_place *p);
/* FAULT_ARGUMENT for what list_place_write() did not make. */
must_check int list_place_read(const char *text, struct list_place *ret, struct err *e);

/* The least name greater than every name that begins with this one: heap, or NULL where there is
 * none (nothing but 0xff). */
char *list_successor(const char *prefix);

#endif
