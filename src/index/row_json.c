// SPDX-License-Identifier: EUPL-1.2
/* Rows as JSON: see row.h.  Written by hand, because every change of a row is written so. */
#include <assert.h>
#include <stdio.h>

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "index/index_private.h"

#define ROW_JSON_MAX (64U * 1024 * 1024)
/* A byte becomes six at most: \u0001, and U+FFFD where there was no UTF-8. */
#define GROWTH 6
/* Of a column besides its text: quotes, colon, comma, a number. */
#define AROUND 40

/* ---- Writing; room has been reserved ---- */

static void write_plain(struct buf *out, const char *text)
{
    size_t n = strlen(text);

    memcpy(out->data + out->length, text, n);
    out->length += n;
}

static void write_escaped(struct buf *out, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    char *at = out->data + out->length;

    if (c == '"' || c == '\\') {
        at[0] = '\\';
        at[1] = (char)c;
        out->length += 2;
        return;
    }
    memcpy(at, "\\u00", 4);
    at[4] = digits[c >> 4];
    at[5] = digits[c & 15];
    out->length += 6;
}

static void write_string(struct buf *out, const char *text)
{
    size_t length = strlen(text);
    bool valid = utf8_valid(text, length);
    uint32_t character;

    out->data[out->length++] = '"';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c < 0x20 || c == '"' || c == '\\') {
            write_escaped(out, c);
        } else if (c < 0x80 || valid) {
            out->data[out->length++] = (char)c;
        } else {
            /* As db_bind_text() does, so that the journal says what the table holds. */
            size_t n = utf8_read(text + i, length - i, &character);
            if (n == 0) {
                write_plain(out, "\xef\xbf\xbd");
                continue;
            }
            memcpy(out->data + out->length, text + i, n);
            out->length += n;
            i += n - 1;
        }
    }
    out->data[out->length++] = '"';
}

static void write_value(struct buf *out, const struct column *c, const void *row)
{
    if (column_is_number(c)) {
        out->length += (size_t)snprintf(out->data + out->length, AROUND, "%lld",
                                        (long long)column_number(row, c));
        return;
    }
    const char *text = column_text(row, c);
    if (c->type == COLUMN_NAME && !utf8_valid(text, strlen(text))) {
        write_plain(out, "{\"base64\":\"");
        base64_encode(out, text, strlen(text));
        write_plain(out, "\"}");
    } else {
        write_string(out, text);
    }
}

static bool is_null(const struct column *c, const void *row)
{
    if (c->type == COLUMN_INT)
        return false;
    if (c->type == COLUMN_TIME)
        return column_number(row, c) == TIME_UNKNOWN;
    return !column_text(row, c);
}

static size_t most_bytes(const struct table *t, size_t count, const void *row)
{
    size_t n = 8;

    for (size_t i = 0; i < count; i++) {
        const struct column *c = &t->columns[i];
        n += strlen(c->name) + AROUND;
        if (!column_is_number(c) && column_text(row, c))
            n += GROWTH * strlen(column_text(row, c));
    }
    return n;
}

int row_write_json(struct buf *out, const struct table *t, size_t count, const void *row,
                   struct err *e)
{
    char before = '{';

    if (buf_reserve(out, most_bytes(t, count, row), e) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct column *c = &t->columns[i];
        if (is_null(c, row))
            continue;
        out->data[out->length++] = before;
        out->data[out->length++] = '"';
        write_plain(out, c->name);
        write_plain(out, "\":");
        write_value(out, c, row);
        before = ',';
    }
    if (before == '{')
        out->data[out->length++] = '{';
    out->data[out->length++] = '}';
    out->data[out->length] = '\0';
    return 0;
}

json_t *row_to_json(const struct table *t, const void *row)
{
    struct err e = {0};
    json_t *ret = NULL;
    auto_buf struct buf text = BUF_INIT(ROW_JSON_MAX);

    if (row_write_json(&text, t, t->count, row, &e) < 0 ||
        json_parse(text.data, text.length, &ret, &e) < 0)
        abort(); /* what we write, we can read */
    return ret;
}

/* ---- Reading ---- */

static int read_name(const json_t *value, char **ret, struct err *e)
{
    const char *encoded = json_text(value, "base64");

    if (!encoded)
        return -1;
    auto_buf struct buf bytes = BUF_INIT(ROW_JSON_MAX);
    if (base64_decode(encoded, strlen(encoded), &bytes, e) < 0)
        return -1;
    if (memchr(bytes.data, '\0', bytes.length))
        return -1;
    *ret = buf_take(&bytes);
    return 0;
}

/* What was there is released.  An absent value leaves the column as row_init() made it. */
static int read_column(const struct column *c, const json_t *value, void *row)
{
    struct err ignored = {0};
    void *at = (char *)row + c->offset;

    if (!value || json_is_null(value))
        return 0;
    if (column_is_number(c)) {
        if (!json_is_integer(value))
            return -1;
        *(int64_t *)at = json_integer_value(value);
        return 0;
    }
    if (c->type == COLUMN_NAME && json_is_object(value))
        return read_name(value, at, &ignored);
    if (!json_is_string(value))
        return -1;
    *(char **)at = xstrdup(json_string_value(value));
    return 0;
}

static bool has(const struct column *c, const json_t *object)
{
    const json_t *value = json_object_get(object, c->name);

    return value && !json_is_null(value);
}

static int read_columns(const struct table *t, const json_t *object, size_t count, void *row,
                        struct err *e)
{
    for (size_t i = 0; i < count; i++) {
        const struct column *c = &t->columns[i];
        if (read_column(c, json_object_get(object, c->name), row) < 0)
            return err_set(e, ERR_INVALID, "a row of '%s' whose '%s' is of the wrong kind", t->name,
                           c->name);
    }
    return 0;
}

static size_t leading_keys(const struct table *t, const json_t *object)
{
    size_t keys = 0;

    while (keys < t->keys && has(&t->columns[keys], object))
        keys++;
    return keys;
}

static int from_json(const struct table *t, const json_t *object, size_t columns, void *ret_row,
                     struct err *e)
{
    auto_free void *place = xcalloc(1, t->row_size);

    row_init(t, place);
    if (read_columns(t, object, columns, place, e) < 0) {
        row_release(t, place);
        return -1;
    }
    row_release(t, ret_row);
    memcpy(ret_row, place, t->row_size);
    return 0;
}

int row_from_json(const struct table *t, const json_t *object, void *ret_row, struct err *e)
{
    if (!json_is_object(object))
        return err_set(e, ERR_INVALID, "a row of '%s' that is no JSON object", t->name);
    size_t keys = leading_keys(t, object);
    if (keys < t->keys)
        return err_set(e, ERR_INVALID, "a row of '%s' without its '%s'", t->name,
                       t->columns[keys].name);
    return from_json(t, object, t->count, ret_row, e);
}

int row_key_from_json(const struct table *t, const json_t *object, void *ret_row, size_t *ret_keys,
                      struct err *e)
{
    size_t keys = leading_keys(t, object);

    if (keys == 0)
        return err_set(e, ERR_INVALID, "the key of a row of '%s' without its '%s'", t->name,
                       t->columns[0].name);
    if (from_json(t, object, keys, ret_row, e) < 0)
        return -1;
    *ret_keys = keys;
    return 0;
}
