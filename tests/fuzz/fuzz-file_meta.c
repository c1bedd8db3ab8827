// SPDX-License-Identifier: EUPL-1.2
/* Any metadata file is read or refused; what is read can be written and read again. */
#include <assert.h>
#include <stdint.h>

#include "store/driver/file_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_file_meta struct file_meta meta = FILE_META_INIT, again = FILE_META_INIT;
    auto_buf struct buf text = BUF_INIT(FILE_META_MAX);
    struct err e = {ERR_NONE};

    if (size > 100000)
        return 0;
    if (file_meta_parse((const char *)data, size, &meta, &e) < 0) {
        assert(e.code == ERR_INVALID && meta.count == 0);
        return 0;
    }
    file_meta_print(&meta, &text);
    int read = file_meta_parse(text.data, text.length, &again, &e);
    assert(read == 0 && again.count == meta.count);
    return 0;
}
