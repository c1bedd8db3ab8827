// SPDX-License-Identifier: EUPL-1.2
/*
 * How the names of objects become paths in a file store, and back.  docs/formats/file-store.md
 * describes the same for people.
 *
 * A name is cut at its slashes into segments.  All but the last are folders, the last is a leaf.  A
 * segment is a path component as it is, unless a file system could not hold it so or it would be
 * mistaken for a marked one; then it is marked, and its '%' are written "%25":
 *
 *     "%=" a leaf           "%-" a folder        "%+" the beginning of a segment that goes on in
 *                                                     the next component, one folder deeper
 *
 * Folders and leaves never share a name unless both are unmarked ("a" beside "a/b"): then the leaf
 * moves to its marked form.  So each path means one name, and each name has one path, but for that
 * choice between "a" and "%=a".
 */
#ifndef STORE_DRIVER_FILE_NAME_H
#define STORE_DRIVER_FILE_NAME_H

#include <stdbool.h>

#include "util/buf.h"

/* Longest name a file store takes, in bytes, and longest path one becomes. */
#define FILE_NAME_MAX 8192
#define FILE_PATH_MAX (64 * 1024)

enum file_tree {
    FILE_BODIES,  /* leaves are bodies */
    FILE_META,    /* leaves end in ".json", and no folder does so unmarked */
    FILE_HISTORY, /* leaves are folders, always marked */
};

/* Append the path of a name; marked asks for the marked form of a leaf that could do without. */
void file_name_path(struct buf *out, const char *name, enum file_tree tree, bool marked);

/* Whether the leaf of a name can stand unmarked. */
bool file_name_is_plain(const char *name, enum file_tree tree);

/* The path of one segment as a folder (a container, for example). */
void file_name_folder(struct buf *out, const char *segment, enum file_tree tree);

/* What one segment's component, or chain of components "%+.../%+.../%=...", stands for: append its
 * bytes to out.  -1 when no name is written like that. */
must_check int file_name_segment(struct buf *out, const char *chain, bool folder,
                                 enum file_tree tree);

/* Whether a component is one that goes on in the next. */
bool file_name_goes_on(const char *component);

#endif
