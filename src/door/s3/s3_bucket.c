// SPDX-License-Identifier: EUPL-1.2
/* Buckets: list, create, look at, delete; location and versioning. */
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define BUCKETS_MAX 10000
#define ANSWER_MAX  (8 * 1024 * 1024)

static const char *region_of(const struct s3_request *r)
{
    return r->door->options.region != NULL ? r->door->options.region : "us-east-1";
}

static int read_limit(struct s3_request *r, unsigned *ret, struct call *call)
{
    const char *text = s3_query(r, "max-buckets");
    if (text == NULL)
        return 0;
    size_t n = strlen(text);
    unsigned long value =
        n > 0 && n < 6 && strspn(text, "0123456789") == n ? strtoul(text, NULL, 10) : 0;
    if (value < 1 || value > BUCKETS_MAX)
        return s3_fail_argument(r, "max-buckets", text, call,
                                "Argument max-buckets must be an integer between 1 and %d.",
                                BUCKETS_MAX);
    *ret = (unsigned)value;
    return 0;
}

int s3_list_buckets(struct s3_request *r, struct call *call)
{
    auto_container_rows struct container_rows list = {0};
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    unsigned limit = BUCKETS_MAX;
    const char *prefix = s3_query(r, "prefix");
    if (read_limit(r, &limit, call) < 0 ||
        service_container_list(r->door->options.service, r->account, prefix,
                               s3_query(r, "continuation-token"), limit, false, &list, call) < 0)
        return -1;
    s3_xml_root(&body, "ListAllMyBucketsResult");
    xml_open(&body, "Owner");
    xml_element(&body, "ID", r->account);
    xml_element(&body, "DisplayName", r->account);
    xml_close(&body, "Owner");
    xml_open(&body, "Buckets");
    for (size_t i = 0; i < list.count; i++) {
        xml_open(&body, "Bucket");
        xml_element(&body, "Name", list.list[i].name);
        s3_xml_time(&body, "CreationDate", list.list[i].created);
        xml_element(&body, "BucketRegion", region_of(r));
        xml_close(&body, "Bucket");
    }
    xml_close(&body, "Buckets");
    if (list.next != NULL)
        xml_element(&body, "ContinuationToken", list.next);
    if (prefix != NULL)
        xml_element(&body, "Prefix", prefix);
    xml_close(&body, "ListAllMyBucketsResult");
    return s3_answer_xml(r, 200, &body);
}

/* ---- Create ---- */

/* Beginnings and ends that S3 keeps for itself. */
static bool is_reserved(const char *name, size_t length)
{
    static const char *const beginnings[] = {"xn--", "sthree-", "amzn-s3-demo-"};
    static const char *const ends[] = {"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"};
    for (size_t i = 0; i < ARRAY_SIZE(beginnings); i++)
        if (strncmp(name, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        if (length >= strlen(ends[i]) && strcmp(name + length - strlen(ends[i]), ends[i]) == 0)
            return true;
    return false;
}

/* 3 to 63 letters, digits, '-' and '.', not like an address. */
static bool name_is_good(const char *name)
{
    size_t n = strlen(name);
    bool digits_only = true;
    if (n < 3 || n > 63)
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool inner = i > 0 && i + 1 < n;
        if (!plain && !(inner && (c == '-' || c == '.')))
            return false;
        if (c == '.' && (name[i - 1] == '.' || name[i - 1] == '-'))
            return false;
        if (c == '-' && name[i - 1] == '.')
            return false;
        digits_only = digits_only && ((c >= '0' && c <= '9') || c == '.');
    }
    return !(digits_only && strchr(name, '.') != NULL) && !is_reserved(name, n);
}

/* There is one place here: a client may name its region, or none. */
static int check_location(struct s3_request *r, const struct xml_node *configuration,
                          struct call *call)
{
    const char *region = xml_text(configuration, "LocationConstraint");
    const char *ours = r->door->options.region;
    if (region == NULL || region[0] == '\0' || ours == NULL || strcmp(region, ours) == 0)
        return 0;
    s3_explain(r, "LocationConstraint", region);
    return s3_fail(r, S3_INVALID_LOCATION, call);
}

/* Tags may come with a bucket. */
static int take_tags(struct s3_request *r, const struct xml_node *configuration, json_t *settings,
                     struct call *call)
{
    auto_pairs struct pairs tags = PAIRS_INIT;
    const struct xml_node *set = xml_child(configuration, "Tags");
    for (const struct xml_node *tag = xml_child(set, "Tag"); tag != NULL; tag = xml_next(tag)) {
        const char *key = xml_text(tag, "Key"), *value = xml_text(tag, "Value");
        if (key == NULL || value == NULL)
            return s3_fail(r, S3_MALFORMED_XML, call);
        pairs_add(&tags, key, value);
    }
    if (tags.count == 0)
        return 0;
    json_t *json = s3_bucket_tags_json(r, &tags, call);
    return json != NULL ? json_object_set_new(settings, "tagging", json) : -1;
}

static int take_configuration(struct s3_request *r, json_t *settings, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (r->body->length == 0)
        return 0;
    if (s3_body_configuration(r, "CreateBucketConfiguration", &node, call) < 0 ||
        check_location(r, node, call) < 0)
        return -1;
    return take_tags(r, node, settings, call);
}

/* The headers of a fresh bucket: ACL, ownership, lock. */
static int take_headers(struct s3_request *r, struct container_row *row, json_t *settings,
                        struct call *call)
{
    const char *ownership = s3_header(r, "x-amz-object-ownership");
    const char *lock = s3_header(r, "x-amz-bucket-object-lock-enabled");
    const char *acl;
    if (ownership != NULL && !s3_ownership_is_known(ownership))
        return s3_fail_argument(r, "x-amz-object-ownership", ownership, call,
                                "Invalid x-amz-object-ownership header: %.60s", ownership);
    if (s3_acl_check(r, true, &acl, call) < 0)
        return -1;
    if (strcmp(acl, "private") != 0 && same_string(ownership, "BucketOwnerEnforced"))
        return s3_fail(r, S3_INVALID_BUCKET_ACL, call);
    replace_string(&row->access, s3_acl_access(acl));
    json_t *setting = s3_acl_setting(acl);
    if (setting != NULL)
        (void)json_object_set_new(settings, "acl", setting);
    if (ownership != NULL)
        (void)json_object_set_new(settings, "ownership", json_string(ownership));
    if (lock != NULL && strcasecmp(lock, "true") == 0) {
        (void)json_object_set_new(settings, "object_lock", json_pack("{sb}", "enabled", 1));
        (void)json_object_set_new(settings, "versioning", json_string("Enabled"));
    }
    return 0;
}

int s3_create_bucket(struct s3_request *r, struct call *call)
{
    auto_container_row struct container_row properties = container_row_new();
    auto_json json_t *settings = json_object();
    if (!name_is_good(r->bucket))
        return s3_fail(r, S3_INVALID_BUCKET_NAME, call);
    if (take_headers(r, &properties, settings, call) < 0 ||
        take_configuration(r, settings, call) < 0)
        return -1;
    if (json_object_size(settings) > 0)
        properties.settings = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    replace_string(&properties.owner, r->principal);
    if (service_container_create(r->door->options.service, r->account, r->bucket, &properties, NULL,
                                 call) < 0)
        return -1;
    s3_sayf(r, "Location", "/%s", r->bucket);
    s3_sayf(r, "x-amz-bucket-arn", "arn:aws:s3:::%s", r->bucket);
    return s3_answer(r, 200);
}

int s3_head_bucket(struct s3_request *r, struct call *call)
{
    (void)call;
    s3_say(r, "x-amz-bucket-region", region_of(r));
    return s3_answer(r, 200);
}

int s3_delete_bucket(struct s3_request *r, struct call *call)
{
    if (service_container_delete(r->door->options.service, r->account, r->bucket, NULL, true,
                                 call) < 0)
        return -1;
    return s3_answer(r, 204);
}

int s3_get_location(struct s3_request *r, struct call *call)
{
    (void)call;
    auto_buf struct buf body = BUF_INIT(4096);
    const char *region = r->door->options.region;
    s3_xml_root(&body, "LocationConstraint");
    if (region != NULL && strcmp(region, "us-east-1") != 0)
        xml_escape(&body, region);
    xml_close(&body, "LocationConstraint");
    return s3_answer_xml(r, 200, &body);
}

/* ---- Versioning ---- */

int s3_get_versioning(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *versioning = NULL;
    auto_buf struct buf body = BUF_INIT(4096);
    if (s3_setting_get(r, "versioning", &settings, &versioning, call) < 0)
        return -1;
    s3_xml_root(&body, "VersioningConfiguration");
    if (json_is_string(versioning))
        xml_element(&body, "Status", json_string_value(versioning));
    xml_close(&body, "VersioningConfiguration");
    return s3_answer_xml(r, 200, &body);
}

int s3_put_versioning(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_json json_t *settings = NULL;
    json_t *lock = NULL;
    if (s3_body_xml(r, "VersioningConfiguration", &node, call) < 0)
        return -1;
    const char *status = xml_text(node, "Status");
    if (status == NULL || (strcmp(status, "Enabled") != 0 && strcmp(status, "Suspended") != 0))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (s3_setting_get(r, "object_lock", &settings, &lock, call) < 0)
        return -1;
    if (lock != NULL && strcmp(status, "Suspended") == 0)
        return s3_failf(r, S3_INVALID_BUCKET_STATE, call,
                        "An Object Lock configuration is present on this bucket, so the versioning "
                        "state cannot be changed.");
    if (s3_setting_change(r, "versioning", json_string(status), call) < 0)
        return -1;
    return s3_answer(r, 200);
}
