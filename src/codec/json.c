// SPDX-License-Identifier: EUPL-1.2
/* JSON on jansson: see json.h. */
#include "codec/json.h"

#include <string.h>

#include "codec/hex.h"

void json_decref_p(json_t **value)
{
    json_decref(*value);
}

/* Jansson's own limit is 2,048 and fixed; it recurses, and so do our readers of its trees. */
static int check_depth(const char *text, size_t length, struct err *e)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return err_set(e, ERR_INVALID, "JSON is nested deeper than %d at byte %zu",
                               JSON_DEPTH_MAX, i + 1);
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

/* What went wrong, in words that quote nothing of the document. */
static const char *reason(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows its end";
    case json_error_invalid_utf8:
        return "not UTF-8";
    case json_error_duplicate_key:
        return "a key stands twice in one object";
    case json_error_numeric_overflow:
        return "a number is too large";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a string holds a zero byte";
    default:
        return "not well-formed";
    }
}

int json_parse(const char *text, size_t length, json_t **ret, struct err *e)
{
    json_error_t error;

    if (check_depth(text, length, e) < 0)
        return -1;
    json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        return err_set(e, ERR_INVALID, "JSON line %d column %d: %s", error.line, error.column,
                       reason(&error));
    *ret = value;
    return 0;
}

const char *json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

bool json_number(const json_t *object, const char *key, int64_t *ret)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value))
        return false;
    *ret = json_integer_value(value);
    return true;
}

bool json_bool(const json_t *object, const char *key, bool absent)
{
    const json_t *value = json_object_get(object, key);

    return json_is_boolean(value) ? json_is_true(value) : absent;
}

struct writer {
    struct buf *out;
    struct err *e;
};

static int write_piece(const char *bytes, size_t n, void *context)
{
    struct writer *writer = context;

    return buf_add(writer->out, bytes, n, writer->e);
}

static int write_with(struct buf *out, const json_t *value, size_t flags, struct err *e)
{
    struct writer writer = {out, e};
    size_t before = out->length;

    err_clear(e);
    if (json_dump_callback(value, write_piece, &writer, flags | JSON_ENCODE_ANY) == 0)
        return 0;
    out->length = before;
    out->data[before] = '\0';
    return e->code ? -1 : err_set(e, ERR_INTERNAL, "cannot write a value as JSON");
}

void json_set_text(json_t *object, const char *key, const char *text)
{
    json_t *value = text ? json_string(text) : NULL;

    if (text && !value) {
        size_t length = strlen(text);
        auto_free char *hex = xmalloc(2 * length + 1);
        hex_encode(hex, text, length);
        value = json_pack("{s:s}", "hex", hex);
    }
    if (value)
        (void)json_object_set_new(object, key, value);
}

int json_write(struct buf *out, const json_t *value, struct err *e)
{
    return write_with(out, value, JSON_COMPACT | JSON_SORT_KEYS, e);
}

int json_write_pretty(struct buf *out, const json_t *value, struct err *e)
{
    if (write_with(out, value, JSON_INDENT(2), e) < 0)
        return -1;
    return buf_add(out, "\n", 1, e);
}
