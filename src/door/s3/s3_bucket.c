// SPDX-License-Identifier: EUPL-1.2
/* Buckets: list, create, look at, delete; location and versioning. */
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define BUCKETS_MAX 10000
#define ANSWER_MAX  (8 * 1024 * 1024)

int s3_list_buckets(struct s3_request *r, struct call *call)
{
    auto_container_rows struct container_rows list = {0};
    auto_buf struct buf body = BUF_INIT(ANSWER_MAX);
    unsigned limit = BUCKETS_MAX;
    if (s3_query_number(r, "max-buckets", BUCKETS_MAX, &limit, call) < 0 ||
        service_container_list(r->door->options.service, r->account, s3_query(r, "prefix"),
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
        xml_close(&body, "Bucket");
    }
    xml_close(&body, "Buckets");
    if (list.next != NULL)
        xml_element(&body, "ContinuationToken", list.next);
    xml_close(&body, "ListAllMyBucketsResult");
    return s3_answer_xml(r, 200, &body);
}

/* ---- Create ---- */

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
    return !(digits_only && strchr(name, '.') != NULL) && strncmp(name, "xn--", 4) != 0;
}

static int check_location(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (r->body->length == 0)
        return 0;
    if (s3_body_xml(r, "CreateBucketConfiguration", &node, call) < 0)
        return -1;
    return 0; /* there is one place here, whatever its name */
}

/* Canned ACLs of a bucket as the other door's access levels. */
static int access_of(struct s3_request *r, struct container_row *ret, struct call *call)
{
    const char *acl = s3_header(r, "x-amz-acl");
    if (acl == NULL || strcmp(acl, "private") == 0)
        return 0;
    if (strcmp(acl, "public-read") == 0) {
        replace_string(&ret->access, "container");
        return 0;
    }
    return s3_failf(r, S3_INVALID_ARGUMENT, call, "The canned ACL '%.40s' is not offered.", acl);
}

int s3_create_bucket(struct s3_request *r, struct call *call)
{
    auto_container_row struct container_row properties = container_row_new();
    const char *lock = s3_header(r, "x-amz-bucket-object-lock-enabled");
    if (!name_is_good(r->bucket))
        return s3_fail(r, S3_INVALID_BUCKET_NAME, call);
    if (check_location(r, call) < 0 || access_of(r, &properties, call) < 0)
        return -1;
    if (lock != NULL && strcasecmp(lock, "true") == 0)
        replace_string(&properties.settings,
                       "{\"object_lock\":{\"enabled\":true},\"versioning\":\"Enabled\"}");
    replace_string(&properties.owner, r->principal);
    if (service_container_create(r->door->options.service, r->account, r->bucket, &properties, NULL,
                                 call) < 0)
        return -1;
    s3_sayf(r, "Location", "/%s", r->bucket);
    return s3_answer(r, 200);
}

int s3_head_bucket(struct s3_request *r, struct call *call)
{
    (void)call;
    const char *region = r->door->options.region;
    s3_say(r, "x-amz-bucket-region", region != NULL ? region : "us-east-1");
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
