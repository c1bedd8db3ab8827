// SPDX-License-Identifier: EUPL-1.2
/* Minisign: any bytes as key file, public key and signature. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "crypto/minisign.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned char digest[MINISIGN_DIGEST_SIZE];
    const char *text = (const char *)data;
    struct err e = {0};
    bool locked
    = false;
    auto_minisign_key struct minisign_key key = MINISIGN_KEY_INIT;

    /* Without a password: opening one takes the memory and time that the file asks for. */
    int parsed = minisign_key_is_locked(text, size, &locked, &e);
    if (minisign_key_read(text, size, NULL, &key, &e) == 0) {
        auto_buf struct buf signature = BUF_INIT(MINISIGN_FILE_MAX);
        char public_key[MINISIGN_PUBLIC_TEXT];
        assert(parsed == 0 && !locked);
        minisign_public_text(&key, public_key);
        int done = minisign_sign(&key, digest, "c", &signature, &e);
        assert(done == 0);
        done = minisign_verify(public_key, strlen(public_key), digest, signature.data,
                               signature.length, NULL, &e);
        assert(done == 0);
    } else {
        assert(e.code == ((parsed == 0 && locked) ? ERR_DENIED : ERR_INVALID));
    }
    /* The first line as the public key, the rest as a signature. */
    const char *end = size ? memchr(text, '\n', size) : NULL;
    size_t first = end ? (size_t)(end - text) + 1 : size;
    if (minisign_verify(text, first, digest, text + first, size - first, NULL, &e) < 0)
        assert(e.code == ERR_INVALID || e.code == ERR_UNKNOWN_WHO || e.code == ERR_CORRUPT);
    return 0;
}
