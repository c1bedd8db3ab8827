// SPDX-License-Identifier: EUPL-1.2
/* Random bytes: see random.h. */
#include "util/random.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void random_bytes(void *bytes, size_t n)
{
    unsigned char *at = bytes;

    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

uint64_t random_below(uint64_t bound)
{
    uint64_t reject = -bound % bound; /* 2^64 mod bound */
    uint64_t value;

    do
        random_bytes(&value, sizeof(value));
    while (value < reject);
    return value % bound;
}

void random_hex(char *text, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    /* The bytes lie in the text's second half until digits take their place. */
    unsigned char *bytes = (unsigned char *)text + n;
    random_bytes(bytes, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char byte = bytes[i];
        text[2 * i] = digits[byte >> 4];
        text[2 * i + 1] = digits[byte & 15];
    }
    text[2 * n] = '\0';
}
