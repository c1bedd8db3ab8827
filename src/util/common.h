// SPDX-License-Identifier: EUPL-1.2
/*
 * The few words every file uses: attributes, cleanup by scope, checked allocation of small things.
 *
 * Ownership: who declares a thing frees it, by cleanup(); take() hands it over:
 *
 *     auto_free char *name = xstrdup(text);
 *     list_add(list, take(name));          (the list owns it now; name is NULL)
 *
 * Small allocations cannot fail here: they abort.  Sizes that somebody outside chooses go through
 * struct buf, which has a ceiling and an error.
 */
#ifndef UTIL_COMMON_H
#define UTIL_COMMON_H

#include <stddef.h>
#include <stdlib.h>

#define must_check        __attribute__((warn_unused_result))
#define printf_like(f, a) __attribute__((format(printf, f, a)))
/* clang would call a variable unused of which only the cleanup matters. */
#define cleanup(function) __attribute__((cleanup(function), unused))
#define maybe_unused      __attribute__((unused))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(pointer, type, member) \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Hand a pointer over: gives its value and leaves NULL behind. */
#define take(pointer)                           \
    ({                                          \
        __typeof__(pointer) taken_ = (pointer); \
        (pointer) = NULL;                       \
        taken_;                                 \
    })

/* free() for cleanup(). */
void free_p(void *pointer_to_pointer);
/* close() for cleanup(); a descriptor below 0 is left alone. */
void close_p(const int *fd);

#define auto_free  cleanup(free_p)
#define auto_close cleanup(close_p)

/* As malloc and friends, but never NULL: no memory for small things means abort(). */
void *xmalloc(size_t size) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((returns_nonnull));
char *xstrndup(const char *text, size_t length) __attribute__((returns_nonnull));
/* A copy, or NULL for NULL. */
char *xstrdup_null(const char *text);
char *xasprintf(const char *format, ...) printf_like(1, 2) __attribute__((returns_nonnull));

/* Put a fresh copy of text (or NULL) in *slot and free what was there. */
void replace_string(char **slot, const char *text);

/* strcmp() == 0 where both may be NULL. */
int same_string(const char *a, const char *b);

#endif
