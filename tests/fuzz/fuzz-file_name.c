// SPDX-License-Identifier: EUPL-1.2
/* Any component is refused or means one name; any name comes back from its path. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "store/driver/file_name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 4000)
        return 0;
    enum file_tree tree = (enum file_tree)(data[0] % 3);
    bool folder = data[0] & 4;
    auto_free char *text = xstrndup((const char *)data + 1, size - 1);
    auto_buf struct buf segment = BUF_INIT(FILE_PATH_MAX), path = BUF_INIT(FILE_PATH_MAX),
                        marked = BUF_INIT(FILE_PATH_MAX);
    if (file_name_segment(&segment, text, folder, tree) == 0) {
        if (folder) {
            file_name_folder(&path, segment.data, tree);
            assert(strcmp(path.data, text) == 0);
        } else {
            file_name_path(&path, segment.data, tree, false);
            file_name_path(&marked, segment.data, tree, true);
            assert(strcmp(path.data, text) == 0 || strcmp(marked.data, text) == 0);
        }
    } else {
        assert(segment.length == 0);
    }
    if (*text && !strchr(text, '/')) {
        buf_reset(&path);
        file_name_path(&path, text, tree, false);
        assert(file_name_segment(&segment, path.data, false, tree) == 0);
    }
    return 0;
}
