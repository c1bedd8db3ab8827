// SPDX-License-Identifier: EUPL-1.2
/* Questions about UTF-8 text (RFC 3629: no surrogates, nothing beyond U+10FFFF, shortest form). */
#ifndef CODEC_UTF8_H
#define CODEC_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Read one character at text (n > 0 bytes): its length in bytes, or 0 when it is not UTF-8. */
size_t utf8_read(const char *text, size_t n, uint32_t *ret);

bool utf8_valid(const char *text, size_t n);

/* Whether the text is UTF-8 and each of its characters may stand in an XML 1.0 document (no control
 * characters but tab, line feed and carriage return; no U+FFFE and U+FFFF). */
bool xml_char_ok(const char *text, size_t n);

/* How many UTF-16 units the text takes: Azure counts the length of names in those.  A byte that is
 * not UTF-8 counts as one. */
size_t utf8_utf16_units(const char *text, size_t n);

#endif
