// SPDX-License-Identifier: EUPL-1.2
/*
 * Lifecycle configurations: read, told, and kept as the setting "lifecycle" in the words of
 * object/lifecycle.h, whose sweep does what they say.  Transitions to other classes are refused.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/date.h"
#include "codec/json.h"
#include "codec/url.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"
#include "object/lifecycle.h"
#include "util/random.h"

#define RULES_MAX 1000
#define ID_MAX    255
#define DAY       (24 * 3600 * CLOCK_SECOND)

/* Numbers of a rule: where they stand in the XML, and their member of the JSON. */
static const struct {
    const char *parent; /* NULL: the filter */
    const char *element;
    const char *key;
    int64_t least;
} numbers[] = {
    {NULL, "ObjectSizeGreaterThan", "larger", 0},
    {NULL, "ObjectSizeLessThan", "smaller", 1},
    {"Expiration", "Days", "days", 1},
    {"NoncurrentVersionExpiration", "NoncurrentDays", "noncurrent_days", 1},
    {"NoncurrentVersionExpiration", "NewerNoncurrentVersions", "noncurrent_keep", 1},
    {"AbortIncompleteMultipartUpload", "DaysAfterInitiation", "abort_days", 1},
};

static int read_numbers(struct s3_request *r, const struct xml_node *rule,
                        const struct xml_node *filter, json_t *into, struct call *call)
{
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        const struct xml_node *parent =
            numbers[i].parent != NULL ? xml_child(rule, numbers[i].parent) : filter;
        const char *text = xml_text(parent, numbers[i].element);
        if (text == NULL)
            continue;
        size_t n = strlen(text);
        bool number = n > 0 && n < 15 && strspn(text, "0123456789") == n;
        int64_t value = number ? strtoll(text, NULL, 10) : -1;
        if (value < numbers[i].least || (value > 36500 && numbers[i].parent != NULL))
            return s3_failf(r, S3_INVALID_ARGUMENT, call, "'%s' must be a positive whole number.",
                            numbers[i].element);
        (void)json_object_set_new(into, numbers[i].key, json_integer(value));
    }
    return 0;
}

static int read_filter(struct s3_request *r, const struct xml_node *rule, json_t *into,
                       const struct xml_node **ret, struct call *call)
{
    const struct xml_node *filter = xml_child(rule, "Filter");
    const struct xml_node *both = xml_child(filter, "And");
    const struct xml_node *in = both != NULL ? both : filter;
    const char *prefix = xml_text(in, "Prefix");
    if (filter == NULL) {
        prefix = xml_text(rule, "Prefix");
        if (prefix == NULL)
            return s3_fail(r, S3_MALFORMED_XML, call);
        (void)json_object_set_new(into, "plain", json_true());
    }
    json_t *tags = json_array();
    (void)json_object_set_new(into, "tags", tags);
    (void)json_object_set_new(into, "prefix", json_string(prefix != NULL ? prefix : ""));
    for (const struct xml_node *t = xml_child(in, "Tag"); t != NULL; t = xml_next(t)) {
        const char *key = xml_text(t, "Key"), *value = xml_text(t, "Value");
        if (key == NULL || value == NULL)
            return s3_fail(r, S3_MALFORMED_XML, call);
        (void)json_array_append_new(tags, json_pack("[ss]", key, value));
    }
    *ret = in;
    return 0;
}

static int read_expiration(struct s3_request *r, const struct xml_node *rule, json_t *into,
                           struct call *call)
{
    const struct xml_node *expiration = xml_child(rule, "Expiration");
    const char *date = xml_text(expiration, "Date");
    const char *marker = xml_text(expiration, "ExpiredObjectDeleteMarker");
    bool marks = marker != NULL && strcmp(marker, "true") == 0;
    int said = (date != NULL) + marks + (xml_text(expiration, "Days") != NULL);
    int64_t time;
    if (expiration != NULL && (said > 1 || (said == 0 && marker == NULL)))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (marks)
        (void)json_object_set_new(into, "marker", json_true());
    if (date == NULL)
        return 0;
    if (date_parse_iso8601(date, &time, &call->err) < 0 || time % DAY != 0)
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "'Date' must be at midnight GMT");
    (void)json_object_set_new(into, "date", json_integer(time));
    return 0;
}

static int read_rule(struct s3_request *r, const struct xml_node *rule, json_t *into,
                     struct call *call)
{
    const char *status = xml_text(rule, "Status");
    const char *id = xml_text(rule, "ID");
    const struct xml_node *filter = NULL;
    if (status == NULL || (strcmp(status, "Enabled") != 0 && strcmp(status, "Disabled") != 0))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (xml_child(rule, "Transition") != NULL ||
        xml_child(rule, "NoncurrentVersionTransition") != NULL)
        return s3_failf(r, S3_NOT_IMPLEMENTED, call,
                        "Transitions to other storage classes are not offered.");
    if (xml_child(rule, "Expiration") == NULL &&
        xml_child(rule, "NoncurrentVersionExpiration") == NULL &&
        xml_child(rule, "AbortIncompleteMultipartUpload") == NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "At least one action needs to be specified in a rule.");
    if (id != NULL && strlen(id) > ID_MAX)
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "ID length should not exceed allowed limit of %d", ID_MAX);
    char made[17];
    random_hex(made, 8);
    (void)json_object_set_new(into, "id", json_string(id != NULL && *id != '\0' ? id : made));
    (void)json_object_set_new(into, "enabled", json_boolean(strcmp(status, "Enabled") == 0));
    if (read_filter(r, rule, into, &filter, call) < 0 ||
        read_numbers(r, rule, filter, into, call) < 0)
        return -1;
    return read_expiration(r, rule, into, call);
}

/* Whether a rule before the last one has this id. */
static bool is_named(const json_t *rules, const char *id)
{
    for (size_t i = 0; i + 1 < json_array_size(rules); i++)
        if (same_string(json_text(json_array_get(rules, i), "id"), id))
            return true;
    return false;
}

int s3_put_lifecycle(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_json json_t *rules = json_array();
    if (s3_body_configuration(r, "LifecycleConfiguration", &node, call) < 0)
        return -1;
    for (const struct xml_node *n = xml_child(node, "Rule"); n != NULL; n = xml_next(n)) {
        json_t *rule = json_object();
        (void)json_array_append_new(rules, rule);
        if (json_array_size(rules) > RULES_MAX)
            return s3_fail(r, S3_MALFORMED_XML, call);
        if (read_rule(r, n, rule, call) < 0)
            return -1;
        if (is_named(rules, json_text(rule, "id")))
            return s3_failf(r, S3_INVALID_ARGUMENT, call,
                            "Rule ID must be unique. Found same ID for more than one rule");
    }
    if (json_array_size(rules) == 0)
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (s3_setting_change(r, "lifecycle", take(rules), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

/* ---- Telling ---- */

static void filter_xml(const json_t *rule, struct buf *body)
{
    const json_t *tags = json_object_get(rule, "tags");
    const char *prefix = json_text(rule, "prefix");
    size_t count = json_array_size(tags);
    int64_t size;
    bool sizes[2] = {json_number(rule, "larger", &size), json_number(rule, "smaller", &size)};
    bool has_prefix = prefix != NULL && prefix[0] != '\0';
    bool several = count + has_prefix + sizes[0] + sizes[1] > 1;
    /* As it was said: a rule of the old kind has its prefix without a filter. */
    if (json_bool(rule, "plain", false)) {
        xml_element(body, "Prefix", prefix != NULL ? prefix : "");
        return;
    }
    xml_open(body, "Filter");
    if (several)
        xml_open(body, "And");
    if (has_prefix || (count == 0 && !sizes[0] && !sizes[1]))
        xml_element(body, "Prefix", prefix != NULL ? prefix : "");
    for (size_t i = 0; i < count; i++) {
        const json_t *tag = json_array_get(tags, i);
        xml_open(body, "Tag");
        xml_element(body, "Key", json_string_value(json_array_get(tag, 0)));
        xml_element(body, "Value", json_string_value(json_array_get(tag, 1)));
        xml_close(body, "Tag");
    }
    for (size_t i = 0; i < 2; i++)
        if (json_number(rule, numbers[i].key, &size))
            s3_xml_number(body, numbers[i].element, (uint64_t)size);
    if (several)
        xml_close(body, "And");
    xml_close(body, "Filter");
}

static void actions_xml(const json_t *rule, struct buf *body)
{
    static const char *const parents[] = {"Expiration", "NoncurrentVersionExpiration",
                                          "AbortIncompleteMultipartUpload"};
    int64_t value;
    for (size_t p = 0; p < ARRAY_SIZE(parents); p++) {
        auto_buf struct buf inner = BUF_INIT(4096);
        if (p == 0 && json_number(rule, "date", &value))
            s3_xml_time(&inner, "Date", value);
        if (p == 0 && json_bool(rule, "marker", false))
            xml_element(&inner, "ExpiredObjectDeleteMarker", "true");
        for (size_t i = 2; i < ARRAY_SIZE(numbers); i++)
            if (strcmp(numbers[i].parent, parents[p]) == 0 &&
                json_number(rule, numbers[i].key, &value))
                s3_xml_number(&inner, numbers[i].element, (uint64_t)value);
        if (inner.length == 0)
            continue;
        xml_open(body, parents[p]);
        buf_bytes(body, inner.data, inner.length);
        xml_close(body, parents[p]);
    }
}

int s3_get_lifecycle(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *rules;
    auto_buf struct buf body = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    if (s3_setting_get(r, "lifecycle", &settings, &rules, call) < 0)
        return -1;
    if (rules == NULL)
        return s3_fail(r, S3_NO_SUCH_LIFECYCLE, call);
    s3_xml_root(&body, "LifecycleConfiguration");
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        xml_open(&body, "Rule");
        xml_element(&body, "ID", json_text(rule, "id"));
        xml_element(&body, "Status", json_bool(rule, "enabled", false) ? "Enabled" : "Disabled");
        filter_xml(rule, &body);
        actions_xml(rule, &body);
        xml_close(&body, "Rule");
    }
    xml_close(&body, "LifecycleConfiguration");
    return s3_answer_xml(r, 200, &body);
}

int s3_delete_lifecycle(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "lifecycle", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}

void s3_say_expiration(struct s3_request *r, const struct object_row *o)
{
    auto_json json_t *settings = NULL;
    json_t *rules;
    struct call aside = CALL_INIT;
    const char *id = NULL;
    int64_t first = TIME_UNKNOWN;
    if (o->current == 0 || s3_setting_get(r, "lifecycle", &settings, &rules, &aside) < 0)
        return;
    for (size_t i = 0; i < json_array_size(rules); i++) {
        const json_t *rule = json_array_get(rules, i);
        int64_t time = lifecycle_expiry(rule, o);
        if (time == TIME_UNKNOWN || (first != TIME_UNKNOWN && first <= time))
            continue;
        first = time;
        id = json_text(rule, "id");
    }
    if (first == TIME_UNKNOWN || id == NULL)
        return;
    char date[DATE_TEXT];
    auto_buf struct buf escaped = BUF_INIT(4 * ID_MAX);
    date_rfc1123(date, first);
    url_escape(&escaped, id, strlen(id), 0);
    s3_sayf(r, "x-amz-expiration", "expiry-date=\"%s\", rule-id=\"%s\"", date, escaped.data);
}
