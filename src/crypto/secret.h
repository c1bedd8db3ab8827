// SPDX-License-Identifier: EUPL-1.2
/*
 * Bytes that must not be seen: wiped on release, kept out of core dumps and (where the kernel lets
 * us) out of swap, compared in constant time.  There is no function that prints one.
 *
 *     auto_secret struct secret key = SECRET_INIT;
 *     if (secret_from_base64(&key, text, e) < 0)
 *         return -1;
 *
 * The bytes are followed by a NUL that does not count, so that a textual secret can be handed to
 * C string functions in place.  One thread at a time may change one; many may read it.
 */
#ifndef CRYPTO_SECRET_H
#define CRYPTO_SECRET_H

#include <stdbool.h>

#include "util/err.h"

struct secret {
    unsigned char *bytes; /* NULL: nothing is set */
    size_t length;
};

#define SECRET_INIT \
    {               \
        0           \
    }
#define auto_secret cleanup(secret_release)

/* Replace what it holds by a copy of n bytes. */
void secret_set(struct secret *s, const void *bytes, size_t n);
void secret_from_text(struct secret *s, const char *text);
/* ERR_INVALID when text is not base64; the text is not quoted. */
must_check int secret_from_base64(struct secret *s, const char *text, struct err *e);
void secret_copy(struct secret *into, const struct secret *from);
/* Wipe and free; nothing is set afterwards. */
void secret_release(struct secret *s);

/* Whether both hold the same bytes; takes as long as the shorter of them whatever they are. */
bool secret_equal(const struct secret *a, const struct secret *b);
bool secret_equal_bytes(const struct secret *a, const void *bytes, size_t n);

#endif
