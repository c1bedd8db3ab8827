// SPDX-License-Identifier: EUPL-1.2
/* The settings of a bucket: one JSON object in its row, a member for each subresource. */
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

int s3_setting_get(struct s3_request *r, const char *key, json_t **ret_settings, json_t **ret,
                   struct call *call)
{
    const char *text = r->container.settings;
    *ret = NULL;
    /* Nearly every request asks for something that is not set. */
    if (text == NULL || strstr(text, key) == NULL)
        return 0;
    auto_json json_t *settings = NULL;
    if (json_parse(text, strlen(text), &settings, &call->err) < 0)
        return err_prefix(&call->err, "settings of bucket '%s'", r->container.name);
    *ret = json_object_get(settings, key);
    *ret_settings = take(settings);
    return 0;
}

int s3_setting_change(struct s3_request *r, const char *key, json_t *value, struct call *call)
{
    auto_json json_t *mine = value;
    auto_free char *text =
        value != NULL ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    return service_container_setting(r->door->options.service, r->account, r->bucket, key, text,
                                     &r->container, call);
}

/* Bodies are encrypted, or not, by the store's layers: nothing of it is told to clients. */
int s3_get_encryption(struct s3_request *r, struct call *call)
{
    return s3_fail(r, S3_ENCRYPTION_NOT_FOUND, call);
}

int s3_get_replication(struct s3_request *r, struct call *call)
{
    return s3_fail(r, S3_NO_SUCH_REPLICATION, call);
}

/* What a bucket does not have is told as empty, as S3 does, and may be set to just that. */
static const struct {
    const char *query;
    const char *root;    /* of the answer */
    const char *element; /* what the configuration may say */
    const char *value;
} kinds[] = {
    {"requestPayment", "RequestPaymentConfiguration", "Payer", "BucketOwner"},
    {"logging", "BucketLoggingStatus", NULL, NULL},
    {"notification", "NotificationConfiguration", NULL, NULL},
    {"accelerate", "AccelerateConfiguration", "Status", "Suspended"},
    {"analytics", "ListBucketAnalyticsConfigurationResult", NULL, NULL},
    {"metrics", "ListMetricsConfigurationsResult", NULL, NULL},
    {"inventory", "ListInventoryConfigurationsResult", NULL, NULL},
    {"intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput", NULL, NULL},
};
#define LISTS_FROM 4 /* of these there could be several, each with an id */

static size_t kind_of(const struct s3_request *r)
{
    size_t i = 0;
    while (i + 1 < ARRAY_SIZE(kinds) && !s3_asks(r, kinds[i].query))
        i++;
    return i;
}

int s3_get_nothing(struct s3_request *r, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(4096);
    size_t i = kind_of(r);
    if (i >= LISTS_FROM && s3_asks(r, "id"))
        return s3_fail(r, S3_NO_SUCH_CONFIGURATION, call);
    s3_xml_root(&body, kinds[i].root);
    if (i == 0)
        xml_element(&body, kinds[i].element, kinds[i].value);
    if (i >= LISTS_FROM)
        xml_element(&body, "IsTruncated", "false");
    xml_close(&body, kinds[i].root);
    return s3_answer_xml(r, 200, &body);
}

int s3_put_nothing(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    size_t i = kind_of(r);
    if (s3_body_configuration(r, kinds[i].root, &node, call) < 0)
        return -1;
    const char *said = kinds[i].element != NULL ? xml_text(node, kinds[i].element) : NULL;
    bool nothing =
        kinds[i].element != NULL ? same_string(said, kinds[i].value) : node->children == NULL;
    return nothing ? s3_answer(r, 200) : s3_fail(r, S3_NOT_IMPLEMENTED, call);
}
