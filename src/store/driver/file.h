// SPDX-License-Identifier: EUPL-1.2
/*
 * A store in a directory.  Bodies are ordinary files under their own names,
 * <root>/<container>/<name>; what else is known of them lies in <root>/.bascule.
 * docs/formats/file-store.md describes everything on disk.
 *
 * Files and directories put there by hand are objects and containers too.  Symbolic links are never
 * followed, and are no objects.  A store that is only read is not written to: .bascule comes with
 * the first put.
 *
 * The file system must tell apart names that differ in case or in Unicode normalisation, and must
 * offer atomic renames; the first write tries that and refuses others.  Directories must not be
 * renamed by hand while the store is written to.
 */
#ifndef STORE_DRIVER_FILE_H
#define STORE_DRIVER_FILE_H

#include "store/store.h"

/* Open the store in an existing directory; name is for messages.  ERR_NOT_FOUND where there is
 * none. */
must_check int file_store_open(const char *path, const char *name, struct store **ret,
                               struct call *call);

/* As file_store_open, but make the directory (not its parents) where it is missing. */
must_check int file_store_open_or_make(const char *path, const char *name, struct store **ret,
                                       struct call *call);

/* Where the body of an object lies, as a path below the root ("invoices/2026/a.pdf"); the caller
 * frees it.  s is a stack over a file store.  ERR_NOT_FOUND when there is no such object. */
must_check int file_store_path(struct store *s, const struct object_key *key, char **ret,
                               struct call *call);

#endif
