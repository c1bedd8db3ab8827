// SPDX-License-Identifier: EUPL-1.2
/* Bytes that must not be seen: see secret.h. */
#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>

#include "codec/base64.h"

#define PAGE ((size_t)4096)

/* Pages of their own, so that advice about them concerns nothing else. */
static size_t mapped_size(size_t length)
{
    return (length + 1 + PAGE - 1) / PAGE * PAGE;
}

void secret_set(struct secret *s, const void *bytes, size_t n)
{
    size_t size = mapped_size(n);
    unsigned char *copy =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (copy == MAP_FAILED)
        abort();
    (void)madvise(copy, size, MADV_DONTDUMP);
    (void)mlock(copy, size); /* the limit may be low: better unlocked than not at all */
    if (n)
        memcpy(copy, bytes, n);
    secret_release(s);
    s->bytes = copy;
    s->length = n;
}

void secret_from_text(struct secret *s, const char *text)
{
    secret_set(s, text, strlen(text));
}

int secret_from_base64(struct secret *s, const char *text, struct err *e)
{
    auto_buf struct buf decoded = BUF_INIT(64 * 1024);
    int result = base64_decode(text, strlen(text), &decoded, e);

    if (result == 0)
        secret_set(s, decoded.data, decoded.length);
    else
        (void)err_set(e, ERR_INVALID, "the key is not base64");
    if (decoded.size) /* all of it: what was refused has been decoded in part */
        explicit_bzero(decoded.data, decoded.size);
    return result;
}

void secret_copy(struct secret *into, const struct secret *from)
{
    if (from->bytes)
        secret_set(into, from->bytes, from->length);
    else
        secret_release(into);
}

void secret_release(struct secret *s)
{
    if (s->bytes) {
        explicit_bzero(s->bytes, s->length);
        (void)munmap(s->bytes, mapped_size(s->length));
    }
    *s = (struct secret)SECRET_INIT;
}

bool secret_equal_bytes(const struct secret *a, const void *bytes, size_t n)
{
    return a->bytes && a->length == n && CRYPTO_memcmp(a->bytes, bytes, n) == 0;
}

bool secret_equal(const struct secret *a, const struct secret *b)
{
    return b->bytes && secret_equal_bytes(a, b->bytes, b->length);
}
