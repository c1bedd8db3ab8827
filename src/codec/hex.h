// SPDX-License-Identifier: EUPL-1.2
/* Hexadecimal digits: written in lower case, read in either. */
#ifndef CODEC_HEX_H
#define CODEC_HEX_H

#include "util/err.h"

/* Write 2 n digits and a NUL; text holds 2 n + 1 bytes. */
void hex_encode(char *text, const void *bytes, size_t n);

/* Read exactly 2 n digits, which must be the whole text; bytes (n of them) is written only on
 * success.  ERR_INVALID otherwise; the text is not quoted. */
must_check int hex_decode(const char *text, void *bytes, size_t n, struct err *e);

/* The value of one digit, or -1. */
int hex_digit(char c);

#endif
