// SPDX-License-Identifier: EUPL-1.2
/*
 * Website configurations: the setting "website", {"index": "index.html", "error": "404.html",
 * "rules": [...]} or {"redirect": "www.example.eu", "protocol": "https"}.  A rule is {"prefix",
 * "status"} (what it is for, both optional) and {"protocol", "host", "replace_prefix", "replace",
 * "code"} (where to).  s3_pages.c serves by it.
 */
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define RULES_MAX 50

struct member {
    const char *parent;
    const char *element;
    const char *key;
};
static const struct member members[] = {
    {"IndexDocument", "Suffix", "index"},
    {"ErrorDocument", "Key", "error"},
    {"RedirectAllRequestsTo", "HostName", "redirect"},
    {"RedirectAllRequestsTo", "Protocol", "protocol"},
};
static const struct member rule_members[] = {
    {"Condition", "HttpErrorCodeReturnedEquals", "status"},
    {"Condition", "KeyPrefixEquals", "prefix"},
    {"Redirect", "Protocol", "protocol"},
    {"Redirect", "HostName", "host"},
    {"Redirect", "ReplaceKeyPrefixWith", "replace_prefix"},
    {"Redirect", "ReplaceKeyWith", "replace"},
    {"Redirect", "HttpRedirectCode", "code"},
};

/* ---- From XML ---- */

static void read_members(const struct xml_node *node, const struct member *list, size_t count,
                         json_t *into)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = xml_text(xml_child(node, list[i].parent), list[i].element);
        if (text != NULL)
            (void)json_object_set_new(into, list[i].key, json_string(text));
    }
}

/* A status of three digits between the two. */
static bool is_status(const char *text, const char *least, const char *most)
{
    return strlen(text) == 3 && strspn(text, "0123456789") == 3 && strcmp(text, least) >= 0 &&
           strcmp(text, most) <= 0;
}

static bool is_protocol(const char *text)
{
    return text == NULL || strcmp(text, "http") == 0 || strcmp(text, "https") == 0;
}

/* What goes into a Location as it is. */
static bool is_host(const char *text)
{
    return text == NULL || (*text != '\0' && strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                                          "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                          "0123456789.-_:[]") == strlen(text));
}

static int check_rule(struct s3_request *r, const struct xml_node *node, const json_t *rule,
                      struct call *call)
{
    const char *status = json_text(rule, "status"), *code = json_text(rule, "code");
    const struct xml_node *redirect = xml_child(node, "Redirect");
    if (redirect == NULL || redirect->children == NULL)
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (json_text(rule, "replace") != NULL && json_text(rule, "replace_prefix") != NULL)
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "You can only define ReplaceKeyPrefix or ReplaceKey but not both.");
    if (status != NULL && !is_status(status, "400", "599"))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The provided HTTP error code (%.20s) is not valid. Valid codes are 4XX or "
                        "5XX.",
                        status);
    if (code != NULL && !is_status(code, "301", "399"))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The provided HTTP redirect code (%.20s) is not valid. Valid codes are 3XX "
                        "except 300.",
                        code);
    if (!is_protocol(json_text(rule, "protocol")))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "Invalid protocol, protocol can be http or https. If not defined the "
                        "protocol will be selected automatically.");
    if (!is_host(json_text(rule, "host")))
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "The HostName is not well formed");
    return 0;
}

static int read_rules(struct s3_request *r, const struct xml_node *root, json_t *into,
                      struct call *call)
{
    const struct xml_node *list = xml_child(root, "RoutingRules");
    json_t *rules = json_array();
    if (list == NULL) {
        json_decref(rules);
        return 0;
    }
    (void)json_object_set_new(into, "rules", rules);
    for (const struct xml_node *n = xml_child(list, "RoutingRule"); n != NULL; n = xml_next(n)) {
        json_t *rule = json_object();
        (void)json_array_append_new(rules, rule);
        read_members(n, rule_members, ARRAY_SIZE(rule_members), rule);
        if (json_array_size(rules) > RULES_MAX)
            return s3_failf(r, S3_INVALID_REQUEST, call,
                            "The number of routing rules must not exceed the limit of %d rules.",
                            RULES_MAX);
        if (check_rule(r, n, rule, call) < 0)
            return -1;
    }
    return json_array_size(rules) > 0 ? 0 : s3_fail(r, S3_MALFORMED_XML, call);
}

static int check(struct s3_request *r, const json_t *website, struct call *call)
{
    const char *index = json_text(website, "index"), *error = json_text(website, "error");
    bool redirects = json_text(website, "redirect") != NULL;
    bool more = error != NULL || json_object_get(website, "rules") != NULL;
    if (redirects == (index != NULL) || (redirects && more))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (index != NULL && (index[0] == '\0' || strchr(index, '/') != NULL))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The IndexDocument Suffix is not well formed");
    if (error != NULL && error[0] == '\0')
        return s3_failf(r, S3_INVALID_ARGUMENT, call, "The ErrorDocument Key is not well formed");
    if (!is_protocol(json_text(website, "protocol")) || !is_host(json_text(website, "redirect")))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The RedirectAllRequestsTo is not well formed");
    return 0;
}

int s3_put_website(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_json json_t *website = json_object();
    if (s3_body_configuration(r, "WebsiteConfiguration", &node, call) < 0)
        return -1;
    read_members(node, members, ARRAY_SIZE(members), website);
    if (read_rules(r, node, website, call) < 0 || check(r, website, call) < 0 ||
        s3_setting_change(r, "website", take(website), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

/* ---- To XML ---- */

static void write_members(struct buf *body, const struct member *list, size_t count,
                          const json_t *from)
{
    const char *open = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *text = json_text(from, list[i].key);
        if (text == NULL)
            continue;
        if (open == NULL || strcmp(open, list[i].parent) != 0) {
            if (open != NULL)
                xml_close(body, open);
            open = list[i].parent;
            xml_open(body, open);
        }
        xml_element(body, list[i].element, text);
    }
    if (open != NULL)
        xml_close(body, open);
}

static void write_rules(struct buf *body, const json_t *rules)
{
    const json_t *rule;
    size_t i;
    if (json_array_size(rules) == 0)
        return;
    xml_open(body, "RoutingRules");
    json_array_foreach(rules, i, rule)
    {
        xml_open(body, "RoutingRule");
        write_members(body, rule_members, ARRAY_SIZE(rule_members), rule);
        xml_close(body, "RoutingRule");
    }
    xml_close(body, "RoutingRules");
}

int s3_get_website(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *website;
    auto_buf struct buf body = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    if (s3_setting_get(r, "website", &settings, &website, call) < 0)
        return -1;
    if (website == NULL)
        return s3_fail(r, S3_NO_SUCH_WEBSITE, call);
    s3_xml_root(&body, "WebsiteConfiguration");
    write_members(&body, members, ARRAY_SIZE(members), website);
    write_rules(&body, json_object_get(website, "rules"));
    xml_close(&body, "WebsiteConfiguration");
    return s3_answer_xml(r, 200, &body);
}

int s3_delete_website(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "website", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}
