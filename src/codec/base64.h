// SPDX-License-Identifier: EUPL-1.2
/*
 * Base64 (RFC 4648 section 4, with padding) and base64url (section 5, without padding).
 *
 * Decoding is strict: no white space, right padding, and the unused bits of the last character are
 * zero, so that each sequence of bytes has exactly one accepted text.  A text that is refused is
 * never quoted in the error: it may be a key.
 *
 * Encoding more than the ceiling of out permits is a bug of the caller and asserts;
 * BASE64_SIZE(n) says how much n bytes need.
 */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "util/buf.h"

/* Characters that n bytes become, without a NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Append the text of n bytes to out. */
void base64_encode(struct buf *out, const void *bytes, size_t n);
void base64url_encode(struct buf *out, const void *bytes, size_t n);

/* Append the bytes of a text to out.  ERR_INVALID (and out unchanged) when the text is not base64
 * or more than out may hold. */
must_check int base64_decode(const char *text, size_t length, struct buf *out, struct err *e);
must_check int base64url_decode(const char *text, size_t length, struct buf *out, struct err *e);

#endif
