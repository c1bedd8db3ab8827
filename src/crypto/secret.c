// SPDX-License-Identifier: EUPL-1.2
/* Bytes that must not be seen: see secret.h. */
#include "crypto/secret.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#include "codec/base64.h"

/* OpenSSL's heap for secrets: locked, guarded, left out of core dumps.  As large as the memory an
 * ordinary user may lock by default. */
#define HEAP_BYTES ((size_t)64 * 1024)
#define HEAP_LEAST 64 /* the smallest piece */
#define PAGE       ((size_t)4096)

static void start_heap(void)
{
    (void)CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_LEAST);
}

/* What the heap has no room for gets pages of its own, so that advice about them concerns nothing
 * else. */
static size_t mapped_size(size_t length)
{
    return (length + PAGE - 1) / PAGE * PAGE;
}

static unsigned char *map(size_t length)
{
    size_t size = mapped_size(length);
    void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pages == MAP_FAILED)
        abort();
    (void)madvise(pages, size, MADV_DONTDUMP);
    (void)mlock(pages, size); /* the limit may be low: better unlocked than not at all */
    return pages;
}

static unsigned char *secret_bytes(size_t length)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, start_heap);
    void *bytes = CRYPTO_secure_malloc_initialized() ? OPENSSL_secure_malloc(length) : NULL;
    return bytes ? bytes : map(length);
}

void secret_set(struct secret *s, const void *bytes, size_t n)
{
    unsigned char *copy = secret_bytes(n + 1);

    if (n)
        memcpy(copy, bytes, n);
    copy[n] = '\0';
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
    if (s->bytes && CRYPTO_secure_allocated(s->bytes)) {
        OPENSSL_secure_clear_free(s->bytes, s->length + 1);
    } else if (s->bytes) {
        explicit_bzero(s->bytes, s->length);
        (void)munmap(s->bytes, mapped_size(s->length + 1));
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
