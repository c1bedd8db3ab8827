// SPDX-License-Identifier: EUPL-1.2
/* Names as paths: see file_name.h. */
#include "store/driver/file_name.h"

#include <string.h>

#define COMPONENT_MAX 255
#define MARKER        2 /* bytes of "%=" */

static const char json_suffix[] = ".json";

static size_t suffix_length(bool folder, enum file_tree tree)
{
    return tree == FILE_META && !folder ? sizeof(json_suffix) - 1 : 0;
}

static bool ends_in_json(const char *segment, size_t n)
{
    size_t suffix = sizeof(json_suffix) - 1;

    return n >= suffix && memcmp(segment + n - suffix, json_suffix, suffix) == 0;
}

static bool has_marker(const char *segment, size_t n)
{
    return n >= MARKER && segment[0] == '%' &&
           (segment[1] == '=' || segment[1] == '-' || segment[1] == '+');
}

static bool is_plain(const char *segment, size_t n, bool folder, enum file_tree tree)
{
    if (n == 0 || n + suffix_length(folder, tree) > COMPONENT_MAX || has_marker(segment, n))
        return false;
    if (segment[0] == '.' && (n == 1 || (n == 2 && segment[1] == '.')))
        return false;
    if (folder)
        return tree == FILE_BODIES || !ends_in_json(segment, n);
    return tree != FILE_HISTORY;
}

static size_t escaped_length(const char *bytes, size_t n)
{
    size_t length = n;

    for (size_t i = 0; i < n; i++)
        if (bytes[i] == '%')
            length += 2;
    return length;
}

static void add_escaped(struct buf *out, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '%')
            buf_text(out, "%25");
        else
            buf_char(out, bytes[i]);
    }
}

/* How many bytes fit into room once escaped, without cutting a UTF-8 character where that can be
 * helped: some file systems take only whole ones. */
static size_t bytes_that_fit(const char *bytes, size_t n, size_t room)
{
    size_t fit = 0, used = 0;

    while (fit < n) {
        used += bytes[fit] == '%' ? 3 : 1;
        if (used > room)
            break;
        fit++;
    }
    size_t cut = fit;
    while (fit < n && cut > 1 && fit - cut < 3 && ((unsigned char)bytes[cut] & 0xc0) == 0x80)
        cut--;
    return fit < n && ((unsigned char)bytes[cut] & 0xc0) != 0x80 ? cut : fit;
}

static void add_segment(struct buf *out, const char *segment, size_t n, bool folder,
                        enum file_tree tree, bool marked)
{
    size_t room = COMPONENT_MAX - MARKER - suffix_length(folder, tree);

    if (!marked && is_plain(segment, n, folder, tree)) {
        buf_bytes(out, segment, n);
    } else {
        while (escaped_length(segment, n) > room) {
            size_t fit = bytes_that_fit(segment, n, COMPONENT_MAX - MARKER);
            buf_text(out, "%+");
            add_escaped(out, segment, fit);
            buf_char(out, '/');
            segment += fit;
            n -= fit;
        }
        buf_text(out, folder ? "%-" : "%=");
        add_escaped(out, segment, n);
    }
    if (suffix_length(folder, tree))
        buf_text(out, json_suffix);
}

void file_name_path(struct buf *out, const char *name, enum file_tree tree, bool marked)
{
    for (;;) {
        const char *slash = strchr(name, '/');
        if (!slash)
            break;
        add_segment(out, name, (size_t)(slash - name), true, tree, false);
        buf_char(out, '/');
        name = slash + 1;
    }
    add_segment(out, name, strlen(name), false, tree, marked);
}

bool file_name_is_plain(const char *name, enum file_tree tree)
{
    const char *slash = strrchr(name, '/');
    const char *leaf = slash ? slash + 1 : name;

    return is_plain(leaf, strlen(leaf), false, tree);
}

void file_name_folder(struct buf *out, const char *segment, enum file_tree tree)
{
    add_segment(out, segment, strlen(segment), true, tree, false);
}

bool file_name_goes_on(const char *component)
{
    return component[0] == '%' && component[1] == '+';
}

/* Undo "%25"; any other use of '%' is not ours. */
static int add_unescaped(struct buf *out, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '%') {
            if (n - i < 3 || text[i + 1] != '2' || text[i + 2] != '5')
                return -1;
            i += 2;
            buf_char(out, '%');
        } else {
            buf_char(out, text[i]);
        }
    }
    return 0;
}

static int decode(struct buf *out, const char *chain, size_t n)
{
    while (n >= MARKER && file_name_goes_on(chain)) {
        const char *slash = memchr(chain, '/', n);
        if (!slash || add_unescaped(out, chain + MARKER, (size_t)(slash - chain) - MARKER) < 0)
            return -1;
        n -= (size_t)(slash + 1 - chain);
        chain = slash + 1;
    }
    if (!has_marker(chain, n) || file_name_goes_on(chain))
        return -1;
    return add_unescaped(out, chain + MARKER, n - MARKER);
}

int file_name_segment(struct buf *out, const char *chain, bool folder, enum file_tree tree)
{
    auto_buf struct buf segment = BUF_INIT(FILE_PATH_MAX);
    auto_buf struct buf again = BUF_INIT(FILE_PATH_MAX);
    size_t n = strlen(chain), suffix = suffix_length(folder, tree);

    if (n > FILE_PATH_MAX / 4 || n <= suffix || (suffix && !ends_in_json(chain, n)))
        return -1;
    if (!has_marker(chain, n)) {
        if (!is_plain(chain, n - suffix, folder, tree) || memchr(chain, '/', n))
            return -1;
        buf_bytes(out, chain, n - suffix);
        return 0;
    }
    if (decode(&segment, chain, n - suffix) < 0 || memchr(segment.data, '/', segment.length))
        return -1;
    /* Only what we would have written ourselves counts, so that no two paths mean one name.  A leaf
     * may be marked without need, a folder not. */
    add_segment(&again, segment.data, segment.length, folder, tree, !folder && tree == FILE_BODIES);
    if (strcmp(again.data, chain) != 0)
        return -1;
    buf_bytes(out, segment.data, segment.length);
    return 0;
}
