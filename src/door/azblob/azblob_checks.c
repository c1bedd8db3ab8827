// SPDX-License-Identifier: EUPL-1.2
/* What names, metadata and tags may be: see azblob_private.h. */
#include <string.h>
#include <strings.h>

#include "codec/url.h"
#include "codec/utf8.h"
#include "codec/xml.h"
#include "door/azblob/azblob_private.h"
#include "object/tags.h"

/* Azure's limits. */
#define METADATA_MAX      (8 * 1024)
#define TAGS_MAX          10
#define TAG_KEY_MAX       128
#define TAG_VALUE_MAX     256
#define CONTAINER_MIN     3
#define CONTAINER_MAX     63
#define BLOB_NAME_MAX     1024
#define BLOB_SEGMENTS_MAX 254

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* ---- Names ---- */

enum azblob_code azblob_container_name_fault(const char *name)
{
    static const char *const special[] = {"$root", "$web", "$logs", "$blobchangefeed"};
    size_t n = strlen(name);

    for (size_t i = 0; i < ARRAY_SIZE(special); i++)
        if (strcmp(name, special[i]) == 0)
            return AZBLOB_NONE;
    if (n < CONTAINER_MIN || n > CONTAINER_MAX)
        return AZBLOB_OUT_OF_RANGE_INPUT;
    for (size_t i = 0; i < n; i++) {
        if (is_lower_or_digit(name[i]))
            continue;
        if (name[i] != '-' || i == 0 || i == n - 1 || name[i - 1] == '-')
            return AZBLOB_INVALID_RESOURCE_NAME;
    }
    return AZBLOB_NONE;
}

enum azblob_code azblob_blob_name_fault(const char *name)
{
    size_t segments = 1, n = strlen(name);

    if (!utf8_valid(name, n))
        return AZBLOB_INVALID_URI;
    if (n == 0 || utf8_utf16_units(name, n) > BLOB_NAME_MAX)
        return AZBLOB_OUT_OF_RANGE_INPUT;
    for (const char *c = name; *c; c++)
        segments += *c == '/' && c[1];
    return segments > BLOB_SEGMENTS_MAX ? AZBLOB_INVALID_URI : AZBLOB_NONE;
}

int azblob_check_names(struct azblob_request *r, struct call *call)
{
    enum azblob_code code = AZBLOB_NONE;

    if (r->target.which == AZBLOB_WEB)
        return 0;
    if (r->target.container)
        code = azblob_container_name_fault(r->target.container);
    if (!code && r->target.blob)
        code = azblob_blob_name_fault(r->target.blob);
    if (!code && r->target.blob && strcmp(r->target.container, "$root") == 0 &&
        strchr(r->target.blob, '/'))
        code = AZBLOB_INVALID_RESOURCE_NAME;
    return code ? azblob_fail(r, code, call) : 0;
}

/* ---- Metadata ---- */

/* A C# identifier, of ASCII. */
static bool is_identifier(const char *text)
{
    if (!is_letter(*text) && *text != '_')
        return false;
    for (; *text; text++)
        if (!is_letter(*text) && *text != '_' && (*text < '0' || *text > '9'))
            return false;
    return true;
}

static bool is_ascii(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80)
            return false;
    return true;
}

/* A name given twice is one whose values are joined, as HTTP has it. */
static void add_metadata(struct pairs *list, const char *name, const char *value)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcasecmp(list->list[i].key, name) != 0)
            continue;
        char *joined = xasprintf("%s,%s", list->list[i].value, value);
        free(list->list[i].value);
        list->list[i].value = joined;
        return;
    }
    pairs_add(list, name, value);
}

int azblob_metadata(struct azblob_request *r, char **ret_json, struct call *call)
{
    static const char prefix[] = "x-ms-meta-";
    auto_pairs struct pairs list = PAIRS_INIT;
    size_t total = 0;

    for (size_t i = 0; i < r->head.headers->count; i++) {
        const struct pair *header = &r->head.headers->list[i];
        if (strncasecmp(header->key, prefix, sizeof(prefix) - 1) != 0)
            continue;
        const char *name = header->key + sizeof(prefix) - 1;
        if (!*name)
            return azblob_fail(r, AZBLOB_EMPTY_METADATA_KEY, call);
        if (!is_identifier(name) || !is_ascii(header->value))
            return azblob_fail_header(r, AZBLOB_INVALID_METADATA, header->key, call);
        total += strlen(name) + strlen(header->value);
        if (total > METADATA_MAX)
            return azblob_fail(r, AZBLOB_METADATA_TOO_LARGE, call);
        add_metadata(&list, name, header->value);
    }
    *ret_json = pairs_to_json(&list);
    return 0;
}

/* ---- Tags ---- */

static bool is_tag_text(const char *text)
{
    for (; *text; text++)
        if (!is_letter(*text) && (*text < '0' || *text > '9') && !strchr(" +-./:=_", *text))
            return false;
    return true;
}

int azblob_tags_check(struct azblob_request *r, const struct pairs *tags, struct call *call)
{
    if (tags->count > TAGS_MAX)
        return azblob_fail(r, AZBLOB_TAGS_TOO_LARGE, call);
    for (size_t i = 0; i < tags->count; i++) {
        const struct pair *tag = &tags->list[i];
        if (!*tag->key)
            return azblob_fail(r, AZBLOB_EMPTY_TAG_NAME, call);
        if (strlen(tag->key) > TAG_KEY_MAX || strlen(tag->value) > TAG_VALUE_MAX)
            return azblob_fail(r, AZBLOB_TAGS_TOO_LARGE, call);
        if (!is_tag_text(tag->key) || !is_tag_text(tag->value))
            return azblob_fail(r, AZBLOB_INVALID_TAG, call);
        for (size_t other = 0; other < i; other++)
            if (strcmp(tags->list[other].key, tag->key) == 0)
                return azblob_fail(r, AZBLOB_DUPLICATE_TAG_NAMES, call);
    }
    return 0;
}

int azblob_tags_header(struct azblob_request *r, char **ret_json, bool *ret_given,
                       struct call *call)
{
    const char *text = azblob_get(r, "x-ms-tags");
    auto_pairs struct pairs tags = PAIRS_INIT;
    struct err ignored = {0};

    if (!text) {
        *ret_given = false;
        *ret_json = NULL;
        return 0;
    }
    if (query_parse(text, &tags, &ignored) < 0)
        return azblob_fail_header(r, AZBLOB_INVALID_HEADER_VALUE, "x-ms-tags", call);
    if (azblob_tags_check(r, &tags, call) < 0)
        return -1;
    pairs_sort(&tags);
    *ret_given = true;
    *ret_json = pairs_to_json(&tags);
    return 0;
}

int azblob_tags_document(struct azblob_request *r, const struct buf *xml, char **ret_json,
                         struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    auto_xml struct xml_node *root = NULL;

    if (xml_parse(xml->data, xml->length, &root, &call->err) < 0 || strcmp(root->name, "Tags") != 0)
        return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
    const struct xml_node *set = xml_child(root, "TagSet");
    if (!set)
        return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
    for (const struct xml_node *tag = xml_child(set, "Tag"); tag; tag = xml_next(tag)) {
        const char *key = xml_text(tag, "Key"), *value = xml_text(tag, "Value");
        if (!key || !value)
            return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
        pairs_add(&tags, key, value);
        if (tags.count > TAGS_MAX)
            break;
    }
    if (azblob_tags_check(r, &tags, call) < 0)
        return -1;
    pairs_sort(&tags);
    *ret_json = pairs_to_json(&tags);
    return 0;
}
