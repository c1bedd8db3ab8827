// SPDX-License-Identifier: EUPL-1.2
/* Small local files as a whole: see file.h. */
#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int file_read(const char *path, size_t limit, struct buf *ret, struct err *e)
{
    auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t total = 0;

    if (fd < 0)
        return err_errno(e, errno, "open '%s'", path);
    for (;;) {
        char chunk[4096];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, errno, "read '%s'", path);
        if (n == 0)
            return 0;
        total += (size_t)n;
        if (total > limit)
            return err_set(e, ERR_INVALID, "'%s' is larger than %zu bytes", path, limit);
        if (buf_add(ret, chunk, (size_t)n, e) < 0)
            return err_prefix(e, "read '%s'", path);
    }
}
