// SPDX-License-Identifier: EUPL-1.2
/* Hexadecimal digits: see hex.h. */
#include "codec/hex.h"

#include <string.h>

void hex_encode(char *text, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *from = bytes;

    for (size_t i = 0; i < n; i++) {
        *text++ = digits[from[i] >> 4];
        *text++ = digits[from[i] & 15];
    }
    *text = '\0';
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_decode(const char *text, void *bytes, size_t n, struct err *e)
{
    unsigned char *to = bytes;
    size_t length = strlen(text);

    if (length != 2 * n)
        return err_set(e, ERR_INVALID, "%zu hexadecimal digits expected, %zu characters given",
                       2 * n, length);
    for (size_t i = 0; i < length; i++)
        if (hex_digit(text[i]) < 0)
            return err_set(e, ERR_INVALID, "character %zu is not a hexadecimal digit", i + 1);
    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
    return 0;
}
