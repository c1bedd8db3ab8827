// SPDX-License-Identifier: EUPL-1.2
/*
 * Website configurations: the setting "website", {"index": "index.html", "error": "404.html"} or
 * {"redirect": "www.example.eu", "protocol": "https"}.  Kept and told; what a proxy in front does
 * with it is its own.
 */
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

static const struct {
    const char *parent;
    const char *element;
    const char *key;
} members[] = {
    {"IndexDocument", "Suffix", "index"},
    {"ErrorDocument", "Key", "error"},
    {"RedirectAllRequestsTo", "HostName", "redirect"},
    {"RedirectAllRequestsTo", "Protocol", "protocol"},
};

int s3_put_website(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_json json_t *website = json_object();
    if (s3_body_configuration(r, "WebsiteConfiguration", &node, call) < 0)
        return -1;
    if (xml_child(node, "RoutingRules") != NULL)
        return s3_failf(r, S3_NOT_IMPLEMENTED, call, "Routing rules are not offered.");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *text = xml_text(xml_child(node, members[i].parent), members[i].element);
        if (text != NULL)
            (void)json_object_set_new(website, members[i].key, json_string(text));
    }
    const char *index = json_text(website, "index");
    bool redirects = json_text(website, "redirect") != NULL;
    if (redirects == (index != NULL) || (redirects && json_text(website, "error") != NULL))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (index != NULL && (index[0] == '\0' || strchr(index, '/') != NULL))
        return s3_failf(r, S3_INVALID_ARGUMENT, call,
                        "The IndexDocument Suffix is not well formed");
    if (s3_setting_change(r, "website", take(website), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

int s3_get_website(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *website;
    auto_buf struct buf body = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    const char *open = NULL;
    if (s3_setting_get(r, "website", &settings, &website, call) < 0)
        return -1;
    if (website == NULL)
        return s3_fail(r, S3_NO_SUCH_WEBSITE, call);
    s3_xml_root(&body, "WebsiteConfiguration");
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *text = json_text(website, members[i].key);
        if (text == NULL)
            continue;
        if (open == NULL || strcmp(open, members[i].parent) != 0) {
            if (open != NULL)
                xml_close(&body, open);
            open = members[i].parent;
            xml_open(&body, open);
        }
        xml_element(&body, members[i].element, text);
    }
    if (open != NULL)
        xml_close(&body, open);
    xml_close(&body, "WebsiteConfiguration");
    return s3_answer_xml(r, 200, &body);
}

int s3_delete_website(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "website", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}
