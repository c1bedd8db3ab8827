// SPDX-License-Identifier: EUPL-1.2
/* Lines of the index's journal, and the names of its files: any bytes are read or refused; what is
 * read as a row is written and read again as the same. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "codec/json.h"
#include "index/journal_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_row(const struct table *t, const json_t *object)
{
    struct err e = {0};
    auto_free void *row = xcalloc(1, t->row_size);
    auto_free void *again = xcalloc(1, t->row_size);
    auto_buf struct buf one = BUF_INIT(32 << 20);
    auto_buf struct buf two = BUF_INIT(32 << 20);
    auto_json json_t *back = NULL;
    size_t keys = 0;

    row_init(t, row);
    row_init(t, again);
    if (row_key_from_json(t, object, row, &keys, &e) == 0)
        assert(keys >= 1 && keys <= t->keys);
    else
        assert(e.code == ERR_INVALID);
    if (row_from_json(t, object, row, &e) == 0) {
        int done = row_write_json(&one, t, t->count, row, &e);
        assert(done == 0);
        done = json_parse(one.data, one.length, &back, &e);
        assert(done == 0);
        done = row_from_json(t, back, again, &e);
        assert(done == 0);
        done = row_write_json(&two, t, t->count, again, &e);
        assert(done == 0 && one.length == two.length && strcmp(one.data, two.data) == 0);
    }
    row_release(t, row);
    row_release(t, again);
}

static void try_name(const char *text)
{
    char written[NAME_SIZE];
    struct batch_name batch;
    struct position snapshot;
    const char *rest;

    if (batch_name_read(text, &batch)) {
        batch_name_write(written, &batch);
        assert(strcmp(written, text) == 0);
    }
    if (snapshot_name_read(text, &snapshot, &rest) && strlen(rest) < 60) {
        snapshot_name_write(written, &snapshot, rest);
        assert(strcmp(written, text) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free char *text = xstrndup((const char *)data, size);
    const char *at = (const char *)data;
    const char *end = at + size;
    const char *line;
    size_t length;

    try_name(text);
    while (at && (line = line_next(&at, end, &length))) {
        struct err e = {0};
        auto_json json_t *json = NULL;
        if (json_parse(line, length, &json, &e) < 0)
            continue;
        const char *name = json_text(json, "table");
        const struct table *t = name ? index_table(name) : NULL;
        if (t) {
            try_row(t, json_object_get(json, "put"));
            try_row(t, json_object_get(json, "gone"));
        }
        for (size_t i = 0; i < INDEX_TABLES; i++)
            try_row(index_tables[i], json);
    }
    return 0;
}
