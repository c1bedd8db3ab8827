// SPDX-License-Identifier: EUPL-1.2
/* Questions about UTF-8 text: see utf8.h. */
#include "codec/utf8.h"

/* Length of the character a first byte begins, its payload bits and the least value that needs this
 * length; 0 when no character begins so. */
static size_t read_first(unsigned char first, uint32_t *bits, uint32_t *least)
{
    if (first >= 0xc2 && first < 0xe0) {
        *bits = first & 0x1f;
        *least = 0x80;
        return 2;
    }
    if (first >= 0xe0 && first < 0xf0) {
        *bits = first & 0x0f;
        *least = 0x800;
        return 3;
    }
    if (first >= 0xf0 && first < 0xf5) {
        *bits = first & 0x07;
        *least = 0x10000;
        return 4;
    }
    return 0;
}

size_t utf8_read(const char *text, size_t n, uint32_t *ret)
{
    unsigned char first = (unsigned char)text[0];
    uint32_t bits, least;

    if (first < 0x80) {
        *ret = first;
        return 1;
    }
    size_t length = read_first(first, &bits, &least);
    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)text[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        bits = bits << 6 | (next & 0x3f);
    }
    if (bits < least || bits > 0x10ffff || (bits >= 0xd800 && bits < 0xe000))
        return 0;
    *ret = bits;
    return length;
}

bool utf8_valid(const char *text, size_t n)
{
    uint32_t c;

    for (size_t i = 0, length; i < n; i += length) {
        length = utf8_read(text + i, n - i, &c);
        if (length == 0)
            return false;
    }
    return true;
}

bool xml_char_ok(const char *text, size_t n)
{
    uint32_t c;

    for (size_t i = 0, length; i < n; i += length) {
        length = utf8_read(text + i, n - i, &c);
        if (length == 0 || c == 0xfffe || c == 0xffff ||
            (c < 0x20 && c != '\t' && c != '\n' && c != '\r'))
            return false;
    }
    return true;
}

size_t utf8_utf16_units(const char *text, size_t n)
{
    size_t units = 0;
    uint32_t c;

    for (size_t i = 0, length; i < n; i += length ? length : 1) {
        length = utf8_read(text + i, n - i, &c);
        units += length == 4 ? 2 : 1;
    }
    return units;
}
