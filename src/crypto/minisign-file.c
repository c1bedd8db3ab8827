// SPDX-License-Identifier: EUPL-1.2
/* Signing files with minisign's format: see minisign.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/hash.h"
#include "crypto/minisign.h"

_Static_assert(MINISIGN_DIGEST_SIZE == HASH_MAX_SIZE, "the digest is BLAKE2b-512");

int minisign_digest_file(const char *path, unsigned char digest[MINISIGN_DIGEST_SIZE],
                         struct call *call)
{
    enum { PIECE = 64 * 1024 };
    auto_free unsigned char *bytes = xmalloc(PIECE);
    auto_hash struct hash h = HASH_INIT;
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(&call->err, errno, "open '%s' to sign it", path);
    hash_init(&h, HASH_BLAKE2B512);
    for (;;) {
        if (call_check(call) < 0)
            return -1;
        ssize_t n = read(fd, bytes, PIECE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(&call->err, errno, "read '%s' to sign it", path);
        if (n == 0)
            break;
        hash_update(&h, bytes, (size_t)n);
    }
    hash_final(&h, digest);
    return 0;
}

/* Write it all, and make it durable. */
static int write_new(const char *path, const struct buf *content, struct err *e)
{
    auto_close int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    size_t done = 0;

    if (fd < 0)
        return err_errno(e, errno, "create '%s'", path);
    while (done < content->length) {
        ssize_t n = write(fd, content->data + done, content->length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, errno, "write '%s'", path);
        done += (size_t)n;
    }
    if (fsync(fd) < 0)
        return err_errno(e, errno, "sync '%s'", path);
    return 0;
}

int minisign_sign_file(const struct minisign_key *key, const char *path, const char *comment,
                       struct call *call)
{
    unsigned char digest[MINISIGN_DIGEST_SIZE];
    auto_buf struct buf content = BUF_INIT(MINISIGN_FILE_MAX);
    auto_free char *target = xasprintf("%s.minisig", path);
    auto_free char *partial = xasprintf("%s.minisig.partial", path);

    if (minisign_digest_file(path, digest, call) < 0 ||
        minisign_sign(key, digest, comment, &content, &call->err) < 0)
        return -1;
    if (write_new(partial, &content, &call->err) < 0) {
        (void)unlink(partial);
        return -1;
    }
    if (rename(partial, target) < 0) {
        (void)err_errno(&call->err, errno, "rename '%s' to '%s'", partial, target);
        (void)unlink(partial);
        return -1;
    }
    return 0;
}
