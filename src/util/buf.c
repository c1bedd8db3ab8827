// SPDX-License-Identifier: EUPL-1.2
/* Byte buffers with a ceiling: see buf.h. */
#include "util/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char buf_empty[1];

void buf_init(struct buf *b, size_t limit)
{
    *b = (struct buf)BUF_INIT(limit);
}

void buf_release(struct buf *b)
{
    if (b->size)
        free(b->data);
    buf_init(b, b->limit);
}

void buf_reset(struct buf *b)
{
    b->length = 0;
    if (b->size)
        b->data[0] = '\0';
}

char *buf_take(struct buf *b)
{
    char *bytes = b->size ? b->data : xstrdup("");

    buf_init(b, b->limit);
    return bytes;
}

int buf_reserve(struct buf *b, size_t n, struct err *e)
{
    if (n > b->limit - b->length)
        return err_set(e, ERR_INVALID, "more than %zu bytes where at most that many are taken",
                       b->limit);
    size_t need = b->length + n;
    if (need <= b->size && b->size)
        return 0;
    size_t grown = b->size + b->size / 2 + 64;
    if (grown < need)
        grown = need;
    if (grown > b->limit)
        grown = b->limit;
    char *data = realloc(b->size ? b->data : NULL, grown + 1);
    if (!data)
        return err_set(e, ERR_BUSY, "no memory for %zu bytes", grown);
    data[b->length] = '\0';
    b->data = data;
    b->size = grown;
    return 0;
}

int buf_add(struct buf *b, const void *bytes, size_t n, struct err *e)
{
    if (n == 0)
        return 0;
    if (buf_reserve(b, n, e) < 0)
        return -1;
    memcpy(b->data + b->length, bytes, n);
    b->length += n;
    b->data[b->length] = '\0';
    return 0;
}

void buf_bytes(struct buf *b, const void *bytes, size_t n)
{
    struct err e;
    int added = buf_add(b, bytes, n, &e);

    assert(added == 0);
    (void)added;
}

void buf_text(struct buf *b, const char *text)
{
    buf_bytes(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_bytes(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list arguments, again;

    va_start(arguments, format);
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    assert(n >= 0);
    struct err e;
    int reserved = buf_reserve(b, (size_t)n, &e);
    assert(reserved == 0);
    (void)reserved;
    if (n > 0) {
        (void)vsnprintf(b->data + b->length, (size_t)n + 1, format, again);
        b->length += (size_t)n;
    }
    va_end(again);
}
