// SPDX-License-Identifier: EUPL-1.2
/* Small local files as a whole: configuration, keys, catalogues. */
#ifndef UTIL_FILE_H
#define UTIL_FILE_H

#include "util/buf.h"

/* Append the content of a file of at most limit bytes; a larger one is ERR_INVALID. */
must_check int file_read(const char *path, size_t limit, struct buf *ret, struct err *e);

#endif
