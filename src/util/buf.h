// SPDX-License-Identifier: EUPL-1.2
/*
 * A byte buffer that grows, up to a ceiling named at its birth.
 *
 *     auto_buf struct buf head = BUF_INIT(64 * 1024);
 *     if (buf_add(&head, bytes, n, e) < 0)
 *         return -1;                              (ERR_INVALID: more than 65536 bytes)
 *
 * Invariants: data is never NULL and always NUL-terminated at data[length] (so text can be read in
 * place); length <= limit.  data moves when the buffer grows.  One thread at a time.
 *
 * The adders without an error argument (buf_text and friends) are for texts whose size we chose
 * ourselves; going over the limit there is a bug of ours and asserts.
 */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include "util/err.h"

struct buf {
    char *data;
    size_t length;
    size_t size; /* allocated, without the NUL; 0 while data is the shared empty string */
    size_t limit;
};

extern char buf_empty[1];

#define BUF_INIT(ceiling)                     \
    {                                         \
        .data = buf_empty, .limit = (ceiling) \
    }
#define auto_buf cleanup(buf_release)

void buf_init(struct buf *b, size_t limit);
/* Free what it holds; the buffer is empty and usable afterwards. */
void buf_release(struct buf *b);
/* Empty it, keep the memory. */
void buf_reset(struct buf *b);
/* Hand the bytes over as a heap string; the buffer is empty afterwards. */
char *buf_take(struct buf *b);

/* Make room for n more bytes; data + length may then be written up to n bytes. */
must_check int buf_reserve(struct buf *b, size_t n, struct err *e);
must_check int buf_add(struct buf *b, const void *bytes, size_t n, struct err *e);

void buf_text(struct buf *b, const char *text);
void buf_bytes(struct buf *b, const void *bytes, size_t n);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) printf_like(2, 3);

#endif
