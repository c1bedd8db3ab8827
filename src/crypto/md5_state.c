// SPDX-License-Identifier: EUPL-1.2
/* MD5 that can be set down: see md5_state.h; low-level functions as in sha256.c. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/md5_state.h"

#include <endian.h>
#include <string.h>

struct saved {
    uint8_t version;
    uint8_t state[16];
    uint8_t length[8];
    uint8_t block[64];
};
_Static_assert(sizeof(struct saved) == MD5_STATE_SIZE, "the saved form has holes");

void md5_state_init(struct md5_state *s)
{
    (void)MD5_Init(&s->context);
}

void md5_state_update(struct md5_state *s, const void *bytes, size_t n)
{
    (void)MD5_Update(&s->context, bytes, n);
}

void md5_state_final(struct md5_state *s, unsigned char digest[16])
{
    (void)MD5_Final(digest, &s->context);
}

static void put_word(uint8_t *at, uint32_t word)
{
    word = htobe32(word);
    memcpy(at, &word, sizeof(word));
}

static uint32_t get_word(const uint8_t *at)
{
    uint32_t word;

    memcpy(&word, at, sizeof(word));
    return be32toh(word);
}

void md5_state_save(const struct md5_state *s, unsigned char bytes[MD5_STATE_SIZE])
{
    struct saved saved = {.version = 1};
    uint64_t length = htobe64(((uint64_t)s->context.Nh << 32 | s->context.Nl) / 8);

    put_word(saved.state, s->context.A);
    put_word(saved.state + 4, s->context.B);
    put_word(saved.state + 8, s->context.C);
    put_word(saved.state + 12, s->context.D);
    memcpy(saved.length, &length, sizeof(length));
    memcpy(saved.block, s->context.data, s->context.num);
    memcpy(bytes, &saved, sizeof(saved));
}

int md5_state_restore(struct md5_state *s, const void *bytes, size_t n, struct err *e)
{
    struct saved saved;
    uint64_t length;

    if (n != sizeof(saved))
        return err_set(e, ERR_INVALID, "a saved MD5 has %zu bytes, not %zu", sizeof(saved), n);
    memcpy(&saved, bytes, sizeof(saved));
    memcpy(&length, saved.length, sizeof(length));
    length = be64toh(length);
    if (saved.version != 1 || length >> 61)
        return err_set(e, ERR_INVALID, "not a saved MD5 of version 1");
    md5_state_init(s);
    s->context.A = get_word(saved.state);
    s->context.B = get_word(saved.state + 4);
    s->context.C = get_word(saved.state + 8);
    s->context.D = get_word(saved.state + 12);
    s->context.Nh = (MD5_LONG)(length * 8 >> 32);
    s->context.Nl = (MD5_LONG)(length * 8);
    s->context.num = (unsigned)(length % 64);
    memcpy(s->context.data, saved.block, s->context.num);
    return 0;
}
