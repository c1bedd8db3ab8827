// SPDX-License-Identifier: EUPL-1.2
/*
 * The properties of the blob service, between Azure's XML and the account's settings (JSON):
 *
 *     {"cors": [{"origins", "methods", "headers", "exposed", "max_age"}],
 *      "logging": {"version", "delete", "read", "write", "retention_days"},
 *      "hour_metrics", "minute_metrics": {"version", "enabled", "include_apis", "retention_days"},
 *      "default_service_version": "2026-06-06", "versioning": true,
 *      "delete_retention_days": 7, "delete_retention_permanent": false,
 *      "website": {"enabled", "index", "error", "default_index"}}
 *
 * Other keys are let be.  Elements a document leaves out stay as they are.
 * Source: REST reference, "Set Blob Service Properties" and "Get Blob Service Properties".
 */
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/azblob/azblob_private.h"

#define CORS_RULES_MAX    5
#define CORS_TEXT_MAX     (64 * 257)
#define RETENTION_MAX     365
#define DOCUMENT_NAME_MAX 1024

static int bad_value(struct azblob_request *r, const char *name, const char *value,
                     struct call *call)
{
    pairs_add(&r->details, "XmlNodeName", name);
    return azblob_fail_with(r, AZBLOB_INVALID_XML_NODE_VALUE, "XmlNodeValue", value, call);
}

static int missing(struct azblob_request *r, const char *name, struct call *call)
{
    return azblob_fail_with(r, AZBLOB_MISSING_REQUIRED_XML_NODE, "XmlNodeName", name, call);
}

/* ---- Values ---- */

static int take_bool(struct azblob_request *r, const struct xml_node *from, const char *name,
                     bool *ret, struct call *call)
{
    const char *text = xml_text(from, name);

    if (!text)
        return missing(r, name, call);
    if (strcasecmp(text, "true") != 0 && strcasecmp(text, "false") != 0)
        return bad_value(r, name, text, call);
    *ret = strcasecmp(text, "true") == 0;
    return 0;
}

/* A whole number of at most 18 digits; -1: it is none. */
static int64_t number_of(const char *text)
{
    size_t n = text ? strspn(text, "0123456789") : 0;
    int64_t value = 0;

    if (n == 0 || n > 18 || text[n])
        return -1;
    for (const char *c = text; *c; c++)
        value = value * 10 + (*c - '0');
    return value;
}

static int take_number(struct azblob_request *r, const struct xml_node *from, const char *name,
                       int64_t min, int64_t max, int64_t *ret, struct call *call)
{
    const char *text = xml_text(from, name);
    int64_t value = number_of(text);

    if (!text)
        return missing(r, name, call);
    if (value < 0 || value < min || value > max)
        return bad_value(r, name, text, call);
    *ret = value;
    return 0;
}

/* <RetentionPolicy>: its days, 0 where it is off. */
static int take_retention(struct azblob_request *r, const struct xml_node *policy, int64_t *ret,
                          struct call *call)
{
    bool enabled = false;

    *ret = 0;
    if (!policy)
        return missing(r, "RetentionPolicy", call);
    if (take_bool(r, policy, "Enabled", &enabled, call) < 0)
        return -1;
    if (!enabled)
        return 0;
    /* Azure finds fault with the document as a whole. */
    *ret = number_of(xml_text(policy, "Days"));
    return *ret >= 1 && *ret <= RETENTION_MAX
               ? 0
               : azblob_fail_with(r, AZBLOB_INVALID_XML_DOCUMENT, "XmlNodeName", "Days", call);
}

/* ---- Elements ---- */

static int read_logging(struct azblob_request *r, const struct xml_node *node, json_t *settings,
                        struct call *call)
{
    const char *version = xml_text(node, "Version");
    bool deletes, reads, writes;
    int64_t days;

    if (!version)
        return missing(r, "Version", call);
    if (take_bool(r, node, "Delete", &deletes, call) < 0 ||
        take_bool(r, node, "Read", &reads, call) < 0 ||
        take_bool(r, node, "Write", &writes, call) < 0 ||
        take_retention(r, xml_child(node, "RetentionPolicy"), &days, call) < 0)
        return -1;
    json_object_set_new(settings, "logging",
                        json_pack("{s:s, s:b, s:b, s:b, s:I}", "version", version, "delete",
                                  deletes, "read", reads, "write", writes, "retention_days",
                                  (json_int_t)days));
    return 0;
}

static int read_metrics(struct azblob_request *r, const struct xml_node *node, const char *key,
                        json_t *settings, struct call *call)
{
    const char *version = xml_text(node, "Version");
    bool enabled, apis = false;
    int64_t days;

    if (!version)
        return missing(r, "Version", call);
    if (take_bool(r, node, "Enabled", &enabled, call) < 0 ||
        (enabled && take_bool(r, node, "IncludeAPIs", &apis, call) < 0) ||
        take_retention(r, xml_child(node, "RetentionPolicy"), &days, call) < 0)
        return -1;
    json_object_set_new(settings, key,
                        json_pack("{s:s, s:b, s:b, s:I}", "version", version, "enabled", enabled,
                                  "include_apis", apis, "retention_days", (json_int_t)days));
    return 0;
}

static bool methods_known(const char *list)
{
    static const char *const known[] = {"DELETE", "GET",  "HEAD",    "MERGE",
                                        "PATCH",  "POST", "OPTIONS", "PUT"};

    while (*list) {
        bool found = false;
        size_t n;
        list += strspn(list, ", ");
        n = strcspn(list, ", ");
        for (size_t i = 0; n && i < ARRAY_SIZE(known); i++)
            found |= strlen(known[i]) == n && strncmp(known[i], list, n) == 0;
        if (n && !found)
            return false;
        list += n;
    }
    return true;
}

static int read_rule(struct azblob_request *r, const struct xml_node *node, json_t *rules,
                     struct call *call)
{
    static const char *const names[] = {"AllowedOrigins", "AllowedMethods", "AllowedHeaders",
                                        "ExposedHeaders"};
    const char *texts[ARRAY_SIZE(names)];
    int64_t age = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        texts[i] = xml_text(node, names[i]);
        if (!texts[i])
            return missing(r, names[i], call);
        if (strlen(texts[i]) > CORS_TEXT_MAX || strpbrk(texts[i], "\r\n"))
            return bad_value(r, names[i], texts[i], call);
    }
    if (!*texts[0])
        return bad_value(r, names[0], "", call);
    if (!*texts[1] || !methods_known(texts[1]))
        return bad_value(r, names[1], texts[1], call);
    if (take_number(r, node, "MaxAgeInSeconds", 0, INT32_MAX, &age, call) < 0)
        return -1;
    json_array_append_new(rules, json_pack("{s:s, s:s, s:s, s:s, s:I}", "origins", texts[0],
                                           "methods", texts[1], "headers", texts[2], "exposed",
                                           texts[3], "max_age", (json_int_t)age));
    return 0;
}

static int read_cors(struct azblob_request *r, const struct xml_node *node, json_t *settings,
                     struct call *call)
{
    auto_json json_t *rules = json_array();

    for (const struct xml_node *rule = xml_child(node, "CorsRule"); rule; rule = xml_next(rule)) {
        if (json_array_size(rules) == CORS_RULES_MAX)
            return bad_value(r, "Cors", "more than 5 rules", call);
        if (read_rule(r, rule, rules, call) < 0)
            return -1;
    }
    json_object_set(settings, "cors", rules);
    return 0;
}

static int read_delete_retention(struct azblob_request *r, const struct xml_node *node,
                                 json_t *settings, struct call *call)
{
    bool permanent = false;
    int64_t days;

    if (take_retention(r, node, &days, call) < 0)
        return -1;
    if (xml_text(node, "AllowPermanentDelete") &&
        take_bool(r, node, "AllowPermanentDelete", &permanent, call) < 0)
        return -1;
    json_object_set_new(settings, "delete_retention_days", json_integer(days));
    json_object_set_new(settings, "delete_retention_permanent", json_boolean(permanent));
    return 0;
}

static int read_website(struct azblob_request *r, const struct xml_node *node, json_t *settings,
                        struct call *call)
{
    static const char *const names[] = {"IndexDocument", "ErrorDocument404Path",
                                        "DefaultIndexDocumentPath"};
    static const char *const keys[] = {"index", "error", "default_index"};
    auto_json json_t *website = json_object();
    bool enabled;

    if (take_bool(r, node, "Enabled", &enabled, call) < 0)
        return -1;
    json_object_set_new(website, "enabled", json_boolean(enabled));
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *text = xml_text(node, names[i]);
        if (!text)
            continue;
        /* An index document is looked for in every folder: it has none of its own. */
        if (strlen(text) > DOCUMENT_NAME_MAX || (i == 0 && strchr(text, '/')))
            return bad_value(r, names[i], text, call);
        json_object_set_new(website, keys[i], json_string(text));
    }
    json_object_set(settings, "website", website);
    return 0;
}

/* ---- All of it ---- */

static int read_element(struct azblob_request *r, const struct xml_node *node, json_t *settings,
                        struct call *call)
{
    bool on;

    if (strcmp(node->name, "Logging") == 0)
        return read_logging(r, node, settings, call);
    if (strcmp(node->name, "HourMetrics") == 0 || strcmp(node->name, "Metrics") == 0)
        return read_metrics(r, node, "hour_metrics", settings, call);
    if (strcmp(node->name, "MinuteMetrics") == 0)
        return read_metrics(r, node, "minute_metrics", settings, call);
    if (strcmp(node->name, "Cors") == 0)
        return read_cors(r, node, settings, call);
    if (strcmp(node->name, "DeleteRetentionPolicy") == 0)
        return read_delete_retention(r, node, settings, call);
    if (strcmp(node->name, "StaticWebsite") == 0)
        return read_website(r, node, settings, call);
    if (strcmp(node->name, "DefaultServiceVersion") == 0) {
        if (*node->text)
            json_object_set_new(settings, "default_service_version", json_string(node->text));
        return 0;
    }
    if (strcmp(node->name, "IsVersioningEnabled") == 0) {
        if (take_bool(r, node->parent, node->name, &on, call) < 0)
            return -1;
        json_object_set_new(settings, "versioning", json_boolean(on));
        return 0;
    }
    return azblob_fail_with(r, AZBLOB_UNSUPPORTED_XML_NODE, "XmlNodeName", node->name, call);
}

int azblob_properties_read(struct azblob_request *r, const struct xml_node *root, json_t *settings,
                           struct call *call)
{
    for (const struct xml_node *node = root->children; node; node = node->next)
        if (read_element(r, node, settings, call) < 0)
            return -1;
    return 0;
}

static void write_bool(struct buf *out, const char *name, bool value)
{
    xml_element(out, name, value ? "true" : "false");
}

static void write_number(struct buf *out, const char *name, int64_t value)
{
    buf_printf(out, "<%s>%lld</%s>", name, (long long)value, name);
}

static void write_retention(struct buf *out, const char *name, const json_t *from, const char *key,
                            bool open)
{
    int64_t days = 0;

    (void)json_number(from, key, &days);
    xml_open(out, name);
    write_bool(out, "Enabled", days > 0);
    if (days > 0)
        write_number(out, "Days", days);
    if (!open)
        xml_close(out, name);
}

static void write_logging(struct buf *out, const json_t *logging)
{
    const char *version = json_text(logging, "version");

    xml_open(out, "Logging");
    xml_element(out, "Version", version ? version : "1.0");
    write_bool(out, "Delete", json_bool(logging, "delete", false));
    write_bool(out, "Read", json_bool(logging, "read", false));
    write_bool(out, "Write", json_bool(logging, "write", false));
    write_retention(out, "RetentionPolicy", logging, "retention_days", false);
    xml_close(out, "Logging");
}

static void write_metrics(struct buf *out, const char *name, const json_t *metrics)
{
    const char *version = json_text(metrics, "version");
    bool enabled = json_bool(metrics, "enabled", false);

    xml_open(out, name);
    xml_element(out, "Version", version ? version : "1.0");
    write_bool(out, "Enabled", enabled);
    if (enabled)
        write_bool(out, "IncludeAPIs", json_bool(metrics, "include_apis", false));
    write_retention(out, "RetentionPolicy", metrics, "retention_days", false);
    xml_close(out, name);
}

static void write_text(struct buf *out, const char *name, const json_t *from, const char *key)
{
    const char *text = json_text(from, key);

    if (text)
        xml_element(out, name, text);
}

static void write_cors(struct buf *out, const json_t *rules)
{
    size_t i;
    const json_t *rule;
    int64_t age = 0;

    xml_open(out, "Cors");
    json_array_foreach(rules, i, rule)
    {
        xml_open(out, "CorsRule");
        write_text(out, "AllowedOrigins", rule, "origins");
        write_text(out, "AllowedMethods", rule, "methods");
        (void)json_number(rule, "max_age", &age);
        write_number(out, "MaxAgeInSeconds", age);
        write_text(out, "ExposedHeaders", rule, "exposed");
        write_text(out, "AllowedHeaders", rule, "headers");
        xml_close(out, "CorsRule");
    }
    xml_close(out, "Cors");
}

static void write_website(struct buf *out, const json_t *website)
{
    xml_open(out, "StaticWebsite");
    write_bool(out, "Enabled", json_bool(website, "enabled", false));
    write_text(out, "IndexDocument", website, "index");
    write_text(out, "ErrorDocument404Path", website, "error");
    write_text(out, "DefaultIndexDocumentPath", website, "default_index");
    xml_close(out, "StaticWebsite");
}

void azblob_properties_write(struct buf *out, const json_t *settings)
{
    xml_head(out);
    xml_open(out, "StorageServiceProperties");
    write_logging(out, json_object_get(settings, "logging"));
    write_metrics(out, "HourMetrics", json_object_get(settings, "hour_metrics"));
    write_metrics(out, "MinuteMetrics", json_object_get(settings, "minute_metrics"));
    write_cors(out, json_object_get(settings, "cors"));
    write_text(out, "DefaultServiceVersion", settings, "default_service_version");
    write_retention(out, "DeleteRetentionPolicy", settings, "delete_retention_days", true);
    if (json_bool(settings, "delete_retention_permanent", false))
        write_bool(out, "AllowPermanentDelete", true);
    xml_close(out, "DeleteRetentionPolicy");
    write_website(out, json_object_get(settings, "website"));
    if (json_bool(settings, "versioning", false))
        write_bool(out, "IsVersioningEnabled", true);
    xml_close(out, "StorageServiceProperties");
}
