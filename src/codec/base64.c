// SPDX-License-Identifier: EUPL-1.2
/* Base64 and base64url: see base64.h. */
#include "codec/base64.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

static const char digits_plain[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char digits_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void encode(struct buf *out, const unsigned char *in, size_t n, const char *digits,
                   bool padded)
{
    struct err e;
    int reserved = buf_reserve(out, BASE64_SIZE(n), &e);

    assert(reserved == 0);
    (void)reserved;
    if (n == 0)
        return;
    char *to = out->data + out->length;
    for (; n >= 3; n -= 3, in += 3) {
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = digits[group >> 6 & 63];
        *to++ = digits[group & 63];
    }
    if (n > 0) {
        uint32_t group = (uint32_t)in[0] << 16 | (n == 2 ? (uint32_t)in[1] << 8 : 0);
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        if (n == 2)
            *to++ = digits[group >> 6 & 63];
        for (size_t i = n; padded && i < 3; i++)
            *to++ = '=';
    }
    *to = '\0';
    out->length = (size_t)(to - out->data);
}

/* The value of a digit, or -1. */
static int value_of(char c, bool url)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (url ? '-' : '+'))
        return 62;
    if (c == (url ? '_' : '/'))
        return 63;
    return -1;
}

/* Decode length digits without padding; to has room for them. */
static int decode_digits(const char *text, size_t length, unsigned char *to, bool url,
                         struct err *e)
{
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i], url);
        if (value < 0)
            return err_set(e, ERR_INVALID, "not base64%s: character %zu is not one of its digits",
                           url ? "url" : "", i + 1);
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *to++ = (unsigned char)(bits >> count);
            bits &= (1u << count) - 1;
        }
    }
    if (bits != 0)
        return err_set(e, ERR_INVALID, "not base64%s: unused bits at its end are not zero",
                       url ? "url" : "");
    return 0;
}

static int decode(const char *text, size_t length, struct buf *out, bool url, struct err *e)
{
    if (length % 4 == 1)
        return err_set(e, ERR_INVALID, "not base64%s: %zu characters are no whole number of bytes",
                       url ? "url" : "", length);
    size_t n = length / 4 * 3 + (length % 4 ? length % 4 - 1 : 0);
    if (buf_reserve(out, n, e) < 0)
        return -1;
    if (n == 0)
        return 0;
    int decoded = decode_digits(text, length, (unsigned char *)out->data + out->length, url, e);
    if (decoded == 0)
        out->length += n;
    out->data[out->length] = '\0';
    return decoded;
}

void base64_encode(struct buf *out, const void *bytes, size_t n)
{
    encode(out, bytes, n, digits_plain, true);
}

void base64url_encode(struct buf *out, const void *bytes, size_t n)
{
    encode(out, bytes, n, digits_url, false);
}

int base64_decode(const char *text, size_t length, struct buf *out, struct err *e)
{
    if (length % 4 != 0)
        return err_set(e, ERR_INVALID, "not base64: %zu characters are no multiple of 4", length);
    for (int i = 0; i < 2 && length > 0 && text[length - 1] == '='; i++)
        length--;
    return decode(text, length, out, false, e);
}

int base64url_decode(const char *text, size_t length, struct buf *out, struct err *e)
{
    return decode(text, length, out, true, e);
}
