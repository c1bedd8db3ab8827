// SPDX-License-Identifier: EUPL-1.2
/* The files of an audit log: any bytes are verified or refused, and what is verified really is a
 * chain. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "auth/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_close int fd = memfd_create("audit", MFD_CLOEXEC);
    auto_free char *path = xasprintf("/proc/self/fd/%d", fd);
    const char *const paths[] = {path};
    struct audit_report report;
    struct err e = {0};

    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        return 0;
    if (audit_verify(paths, 1, NULL, 0, &report, &e) < 0) {
        assert(e.code == ERR_CORRUPT);
        return 0;
    }
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    assert(report.last == 0 ? lines == 0 : report.last - report.first + 1 == lines);
    assert(report.unfinished == (size && data[size - 1] != '\n'));
    return 0;
}
