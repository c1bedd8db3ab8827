// SPDX-License-Identifier: EUPL-1.2
/* Tags of objects and of buckets. */
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/utf8.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "object/tags.h"

#define OBJECT_TAGS_MAX 10
#define BUCKET_TAGS_MAX 50
#define TAG_KEY_MAX     128
#define TAG_VALUE_MAX   256

int s3_tags_from_xml(struct s3_request *r, const struct xml_node *tagging, struct pairs *ret,
                     struct call *call)
{
    const struct xml_node *set = xml_child(tagging, "TagSet");
    if (set == NULL || strcmp(tagging->name, "Tagging") != 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    for (const struct xml_node *tag = xml_child(set, "Tag"); tag != NULL; tag = xml_next(tag)) {
        const char *key = xml_text(tag, "Key");
        const char *value = xml_text(tag, "Value");
        if (key == NULL || value == NULL || ret->count > BUCKET_TAGS_MAX)
            return s3_fail(r, S3_MALFORMED_XML, call);
        pairs_add(ret, key, value);
    }
    return 0;
}

static int read_tags(struct s3_request *r, struct pairs *ret, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (s3_body_configuration(r, "Tagging", &node, call) < 0)
        return -1;
    return s3_tags_from_xml(r, node, ret, call);
}

/* ---- What a tag may be ---- */

/* Letters, digits and spaces of any script, and + - = . _ : / @ */
static bool is_tag_text(const char *text, size_t max)
{
    for (const char *c = text; *c != '\0'; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                      (*c >= '0' && *c <= '9') || (unsigned char)*c >= 0x80;
        if (!letter && strchr(" +-=._:/@", *c) == NULL)
            return false;
    }
    return utf8_utf16_units(text, strlen(text)) <= max;
}

int s3_tag_check(struct s3_request *r, const struct pairs *tags, size_t i, struct call *call)
{
    const struct pair *tag = &tags->list[i];
    s3_explain(r, "TagKey", tag->key);
    if (tag->key[0] == '\0' || !is_tag_text(tag->key, TAG_KEY_MAX))
        return s3_failf(r, S3_INVALID_TAG, call, "The TagKey you have provided is invalid");
    if (strncasecmp(tag->key, "aws:", 4) == 0)
        return s3_failf(r, S3_INVALID_TAG, call,
                        "System tags cannot be added/updated by requester");
    if (!is_tag_text(tag->value, TAG_VALUE_MAX))
        return s3_failf(r, S3_INVALID_TAG, call, "The TagValue you have provided is invalid");
    if (pairs_get(tags, tag->key) != tag->value)
        return s3_failf(r, S3_INVALID_TAG, call, "Cannot provide multiple Tags with the same key");
    pairs_remove(&r->details, r->details.count - 1);
    return 0;
}

int s3_tags_check(struct s3_request *r, const struct pairs *tags, struct call *call)
{
    if (tags->count > OBJECT_TAGS_MAX)
        return s3_failf(r, S3_BAD_REQUEST, call, "Object tags cannot be greater than %d",
                        OBJECT_TAGS_MAX);
    for (size_t i = 0; i < tags->count; i++)
        if (s3_tag_check(r, tags, i, call) < 0)
            return -1;
    return 0;
}

static int answer_tags(struct s3_request *r, const struct pairs *tags)
{
    auto_buf struct buf body = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    s3_xml_root(&body, "Tagging");
    xml_open(&body, "TagSet");
    for (size_t i = 0; i < tags->count; i++) {
        xml_open(&body, "Tag");
        xml_element(&body, "Key", tags->list[i].key);
        xml_element(&body, "Value", tags->list[i].value);
        xml_close(&body, "Tag");
    }
    xml_close(&body, "TagSet");
    xml_close(&body, "Tagging");
    return s3_answer_xml(r, 200, &body);
}

/* ---- Of an object ---- */

static int stat_object(struct s3_request *r, struct object_row *ret, struct call *call)
{
    if (service_stat(r->door->options.service, &r->place, NULL, ret, call) < 0)
        return -1;
    s3_say(r, "x-amz-version-id", s3_version_of(r, ret));
    return 0;
}

int s3_get_tagging(struct s3_request *r, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (stat_object(r, &row, call) < 0 || pairs_from_json(row.tags, &tags, &call->err) < 0)
        return -1;
    return answer_tags(r, &tags);
}

static int set_tags(struct s3_request *r, const char *json, int status, struct call *call)
{
    auto_object_row struct object_row row = object_row_new();
    struct conditions conditions = CONDITIONS_INIT;
    if (stat_object(r, &row, call) < 0 ||
        service_set_tags(r->door->options.service, &r->place, &conditions, json, call) < 0)
        return -1;
    return s3_answer(r, status);
}

int s3_put_tagging(struct s3_request *r, struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (read_tags(r, &tags, call) < 0 || s3_tags_check(r, &tags, call) < 0)
        return -1;
    auto_free char *json = pairs_to_json(&tags);
    return set_tags(r, json, 200, call);
}

int s3_delete_tagging(struct s3_request *r, struct call *call)
{
    return set_tags(r, NULL, 204, call);
}

/* ---- Of a bucket: the setting "tagging", an array of [key, value] ---- */

int s3_get_bucket_tagging(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *set;
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (s3_setting_get(r, "tagging", &settings, &set, call) < 0)
        return -1;
    if (set == NULL)
        return s3_fail(r, S3_NO_SUCH_TAG_SET, call);
    for (size_t i = 0; i < json_array_size(set); i++) {
        const json_t *tag = json_array_get(set, i);
        const char *key = json_string_value(json_array_get(tag, 0));
        const char *value = json_string_value(json_array_get(tag, 1));
        if (key != NULL && value != NULL)
            pairs_add(&tags, key, value);
    }
    return answer_tags(r, &tags);
}

json_t *s3_bucket_tags_json(struct s3_request *r, const struct pairs *tags, struct call *call)
{
    if (tags->count > BUCKET_TAGS_MAX) {
        (void)s3_failf(r, S3_BAD_REQUEST, call, "Bucket tag count cannot be greater than %d",
                       BUCKET_TAGS_MAX);
        return NULL;
    }
    for (size_t i = 0; i < tags->count; i++)
        if (s3_tag_check(r, tags, i, call) < 0)
            return NULL;
    json_t *set = json_array();
    for (size_t i = 0; i < tags->count; i++)
        (void)json_array_append_new(set, json_pack("[ss]", tags->list[i].key, tags->list[i].value));
    return set;
}

int s3_put_bucket_tagging(struct s3_request *r, struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    if (read_tags(r, &tags, call) < 0)
        return -1;
    json_t *set = s3_bucket_tags_json(r, &tags, call);
    if (set == NULL)
        return -1;
    if (s3_setting_change(r, "tagging", set, call) < 0)
        return -1;
    return s3_answer(r, 204);
}

int s3_delete_bucket_tagging(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "tagging", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}
