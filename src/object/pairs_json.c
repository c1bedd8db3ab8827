// SPDX-License-Identifier: EUPL-1.2
/* Pairs as a JSON array of [key, value], as metadata and tags stand in a row: see tags.h. */
#include <string.h>

#include "codec/base64.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "object/fault.h"
#include "object/tags.h"

#define TEXT_MAX (1024 * 1024)

/* One key or value: a string, or {"base64": ...}. */
static int text_from_json(const json_t *value, char **ret, struct err *e)
{
    const char *text = json_string_value(value);
    const char *coded = json_text(value, "base64");

    if (text) {
        if (strlen(text) != json_string_length(value))
            return fault_set(e, FAULT_METADATA, "pairs: a text with a NUL byte");
        *ret = xstrdup(text);
        return 0;
    }
    auto_buf struct buf bytes = BUF_INIT(TEXT_MAX);
    if (!coded || base64_decode(coded, strlen(coded), &bytes, e) < 0)
        return fault_set(e, FAULT_METADATA, "pairs: neither a string nor base64");
    if (strlen(bytes.data) != bytes.length)
        return fault_set(e, FAULT_METADATA, "pairs: a text with a NUL byte");
    *ret = xstrdup(bytes.data);
    return 0;
}

int pairs_from_json(const char *json, struct pairs *ret, struct err *e)
{
    auto_json json_t *list = NULL;
    auto_pairs struct pairs pairs = PAIRS_INIT;
    size_t i;
    json_t *entry;

    if (json) {
        if (json_parse(json, strlen(json), &list, e) < 0)
            return err_prefix(e, "pairs");
        if (!json_is_array(list))
            return fault_set(e, FAULT_METADATA, "pairs: not an array");
    }
    json_array_foreach(list, i, entry)
    {
        auto_free char *key = NULL, *value = NULL;
        if (json_array_size(entry) != 2)
            return fault_set(e, FAULT_METADATA, "pairs: entry %zu is no [key, value]", i);
        if (text_from_json(json_array_get(entry, 0), &key, e) < 0 ||
            text_from_json(json_array_get(entry, 1), &value, e) < 0)
            return -1;
        pairs_add(&pairs, key, value);
    }
    *ret = pairs;
    pairs = (struct pairs)PAIRS_INIT;
    return 0;
}

static json_t *text_to_json(const char *text)
{
    size_t length = strlen(text);

    if (utf8_valid(text, length))
        return json_stringn(text, length);
    auto_buf struct buf coded = BUF_INIT(BASE64_SIZE(length) + 1);
    base64_encode(&coded, text, length);
    return json_pack("{s:s}", "base64", coded.data);
}

char *pairs_to_json(const struct pairs *p)
{
    auto_json json_t *list = json_array();

    if (!p->count)
        return NULL;
    for (size_t i = 0; i < p->count; i++) {
        json_t *entry =
            json_pack("[o, o]", text_to_json(p->list[i].key), text_to_json(p->list[i].value));
        if (!entry || json_array_append_new(list, entry) < 0)
            abort();
    }
    char *text = json_dumps(list, JSON_COMPACT);
    if (!text)
        abort();
    return text;
}
