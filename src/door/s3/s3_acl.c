// SPDX-License-Identifier: EUPL-1.2
/*
 * ACLs as far as canned ones, ownership controls, and the public access block.
 *
 * The owner may do all.  A bucket is private or public-read, which is the public access that the
 * Azure door knows too; an object has no ACL of its own (as in Amazon's buckets since 2023), so
 * that only what gives nobody anything is taken.  Grants one by one are refused.
 */
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define ALL_USERS "http://acs.amazonaws.com/groups/global/AllUsers"
#define XSI       "http://www.w3.org/2001/XMLSchema-instance"

/* ---- ACLs ---- */

static void grant_xml(struct buf *body, const char *type, const char *id, const char *permission)
{
    bool group = strcmp(type, "Group") == 0;
    xml_open(body, "Grant");
    buf_printf(body, "<Grantee xmlns:xsi=\"" XSI "\" xsi:type=\"%s\">", type);
    xml_element(body, group ? "URI" : "ID", id);
    if (!group)
        xml_element(body, "DisplayName", id);
    xml_close(body, "Grantee");
    xml_element(body, "Permission", permission);
    xml_close(body, "Grant");
}

int s3_get_acl(struct s3_request *r, struct call *call)
{
    auto_buf struct buf body = BUF_INIT(8 * S3_CONFIGURATION_MAX);
    auto_object_row struct object_row row = object_row_new();
    if (r->which == S3_OBJECT &&
        service_stat(r->door->options.service, &r->place, NULL, &row, call) < 0)
        return -1;
    s3_xml_root(&body, "AccessControlPolicy");
    xml_open(&body, "Owner");
    xml_element(&body, "ID", r->account);
    xml_element(&body, "DisplayName", r->account);
    xml_close(&body, "Owner");
    xml_open(&body, "AccessControlList");
    grant_xml(&body, "CanonicalUser", r->account, "FULL_CONTROL");
    const char *access = r->container.access;
    bool open = access != NULL && (r->which == S3_OBJECT || strcmp(access, "container") == 0);
    if (open)
        grant_xml(&body, "Group", ALL_USERS, "READ");
    xml_close(&body, "AccessControlList");
    xml_close(&body, "AccessControlPolicy");
    return s3_answer_xml(r, 200, &body);
}

static bool has_grants(const struct s3_request *r)
{
    for (size_t i = 0; i < r->x->headers.count; i++)
        if (strncasecmp(r->x->headers.list[i].key, "x-amz-grant-", 12) == 0)
            return true;
    return false;
}

static bool is_canned(const char *acl)
{
    static const char *const words[] = {
        "private",           "public-read",   "public-read-write",         "authenticated-read",
        "bucket-owner-read", "aws-exec-read", "bucket-owner-full-control", "log-delivery-write"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(acl, words[i]) == 0)
            return true;
    return false;
}

int s3_acl_check(struct s3_request *r, bool *ret_public, struct call *call)
{
    const char *acl = s3_header(r, "x-amz-acl");
    *ret_public = false;
    if (acl != NULL && !is_canned(acl))
        return s3_fail_argument(r, "x-amz-acl", acl, call, "Invalid canned ACL");
    if (acl != NULL && has_grants(r))
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Specifying both Canned ACLs and Header Grants is not allowed.");
    if (has_grants(r))
        return s3_failf(r, S3_NOT_IMPLEMENTED, call,
                        "Grants one by one are not offered: use a bucket policy.");
    if (acl == NULL || strcmp(acl, "private") == 0 ||
        strcmp(acl, "bucket-owner-full-control") == 0 || strcmp(acl, "bucket-owner-read") == 0)
        return 0;
    if (r->which == S3_BUCKET && strcmp(acl, "public-read") == 0) {
        *ret_public = true;
        return 0;
    }
    return s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
}

static bool permission_is_known(const char *permission)
{
    static const char *const words[] = {"FULL_CONTROL", "READ", "WRITE", "READ_ACP", "WRITE_ACP"};
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (permission != NULL && strcmp(permission, words[i]) == 0)
            return true;
    return false;
}

static bool owner_is_named(const struct xml_node *acl)
{
    const char *owner = xml_text(acl, "Owner/ID");
    return owner != NULL && owner[0] != '\0';
}

/* An ACL in full: the owner's full control, and perhaps reading for all. */
static int read_acl(struct s3_request *r, bool *ret_public, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (r->body->length == 0)
        return s3_fail(r, S3_MISSING_SECURITY_HEADER, call);
    if (s3_body_configuration(r, "AccessControlPolicy", &node, call) < 0)
        return s3_fail(r, S3_MALFORMED_ACL, call);
    const struct xml_node *list = xml_child(node, "AccessControlList");
    if (list == NULL || !owner_is_named(node))
        return s3_fail(r, S3_MALFORMED_ACL, call);
    for (const struct xml_node *g = xml_child(list, "Grant"); g != NULL; g = xml_next(g)) {
        const char *permission = xml_text(g, "Permission");
        const char *uri = xml_text(g, "Grantee/URI");
        const char *id = xml_text(g, "Grantee/ID");
        if (!permission_is_known(permission) || (uri == NULL) == (id == NULL))
            return s3_fail(r, S3_MALFORMED_ACL, call);
        bool everybody = uri != NULL && strcmp(uri, ALL_USERS) == 0 &&
                         strcmp(permission, "READ") == 0 && r->which == S3_BUCKET;
        if (!everybody && (id == NULL || strcmp(id, r->account) != 0))
            return s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
        *ret_public = *ret_public || everybody;
    }
    return 0;
}

/* What the headers say, or the body; not both. */
static int wished_acl(struct s3_request *r, bool *ret_public, struct call *call)
{
    if (s3_acl_check(r, ret_public, call) < 0)
        return -1;
    if (s3_header(r, "x-amz-acl") == NULL)
        return read_acl(r, ret_public, call);
    return r->body->length > 0 ? s3_fail(r, S3_UNEXPECTED_CONTENT, call) : 0;
}

/* Opening a bucket is not for every bucket. */
static int may_open(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL, *others = NULL;
    json_t *block, *ownership;
    if (s3_setting_get(r, "public_access_block", &settings, &block, call) < 0 ||
        s3_setting_get(r, "ownership", &others, &ownership, call) < 0)
        return -1;
    if (same_string(json_string_value(ownership), "BucketOwnerEnforced"))
        return s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
    if (json_bool(block, "BlockPublicAcls", false))
        return s3_failf(r, S3_ACCESS_DENIED, call,
                        "Public ACLs are blocked by the bucket's public access block.");
    return 0;
}

int s3_put_acl(struct s3_request *r, struct call *call)
{
    bool open = false;
    if (wished_acl(r, &open, call) < 0)
        return -1;
    if (r->which == S3_OBJECT) {
        auto_object_row struct object_row row = object_row_new();
        if (service_stat(r->door->options.service, &r->place, NULL, &row, call) < 0)
            return -1;
        return s3_answer(r, 200);
    }
    if (open && may_open(r, call) < 0)
        return -1;
    struct container_change change = {.set_access = true, .access = open ? "container" : NULL};
    if (service_container_change(r->door->options.service, r->account, r->bucket, NULL, &change,
                                 &r->container, call) < 0)
        return -1;
    return s3_answer(r, 200);
}

/* ---- Ownership controls: the setting "ownership", a word; "" where it was taken away ---- */

bool s3_ownership_is_known(const char *word)
{
    return strcmp(word, "BucketOwnerEnforced") == 0 || strcmp(word, "BucketOwnerPreferred") == 0 ||
           strcmp(word, "ObjectWriter") == 0;
}

int s3_get_ownership(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *ownership;
    auto_buf struct buf body = BUF_INIT(4096);
    if (s3_setting_get(r, "ownership", &settings, &ownership, call) < 0)
        return -1;
    /* A bucket begins so: its objects are its owner's. */
    const char *word = ownership != NULL ? json_string_value(ownership) : "BucketOwnerEnforced";
    if (word == NULL || word[0] == '\0')
        return s3_fail(r, S3_OWNERSHIP_NOT_FOUND, call);
    s3_xml_root(&body, "OwnershipControls");
    xml_open(&body, "Rule");
    xml_element(&body, "ObjectOwnership", word);
    xml_close(&body, "Rule");
    xml_close(&body, "OwnershipControls");
    return s3_answer_xml(r, 200, &body);
}

int s3_put_ownership(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    if (s3_body_configuration(r, "OwnershipControls", &node, call) < 0)
        return -1;
    const struct xml_node *rule = xml_child(node, "Rule");
    const char *word = xml_text(rule, "ObjectOwnership");
    if (word == NULL || xml_next(rule) != NULL || !s3_ownership_is_known(word))
        return s3_fail(r, S3_MALFORMED_XML, call);
    if (s3_setting_change(r, "ownership", json_string(word), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

int s3_delete_ownership(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "ownership", json_string(""), call) < 0)
        return -1;
    return s3_answer(r, 204);
}

/* ---- The public access block: the setting "public_access_block" ---- */

static const char *const blocks[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                     "RestrictPublicBuckets"};

int s3_get_public_access_block(struct s3_request *r, struct call *call)
{
    auto_json json_t *settings = NULL;
    json_t *block;
    auto_buf struct buf body = BUF_INIT(4096);
    if (s3_setting_get(r, "public_access_block", &settings, &block, call) < 0)
        return -1;
    if (block == NULL)
        return s3_fail(r, S3_PUBLIC_ACCESS_BLOCK_NOT_FOUND, call);
    s3_xml_root(&body, "PublicAccessBlockConfiguration");
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
        xml_element(&body, blocks[i], json_bool(block, blocks[i], false) ? "true" : "false");
    xml_close(&body, "PublicAccessBlockConfiguration");
    return s3_answer_xml(r, 200, &body);
}

int s3_put_public_access_block(struct s3_request *r, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    auto_json json_t *block = json_object();
    if (s3_body_configuration(r, "PublicAccessBlockConfiguration", &node, call) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
        const char *text = xml_text(node, blocks[i]);
        bool on = text != NULL && strcasecmp(text, "true") == 0;
        if (text != NULL && !on && strcasecmp(text, "false") != 0)
            return s3_fail(r, S3_MALFORMED_XML, call);
        (void)json_object_set_new(block, blocks[i], json_boolean(on));
    }
    if (s3_setting_change(r, "public_access_block", take(block), call) < 0)
        return -1;
    return s3_answer(r, 200);
}

int s3_delete_public_access_block(struct s3_request *r, struct call *call)
{
    if (s3_setting_change(r, "public_access_block", NULL, call) < 0)
        return -1;
    return s3_answer(r, 204);
}

bool s3_acl_is_ignored(const struct container_row *bucket)
{
    auto_json json_t *settings = NULL;
    struct err ignored = {0};
    if (bucket->settings == NULL || strstr(bucket->settings, "public_access_block") == NULL)
        return false;
    if (json_parse(bucket->settings, strlen(bucket->settings), &settings, &ignored) < 0)
        return true;
    const json_t *block = json_object_get(settings, "public_access_block");
    return json_bool(block, "IgnorePublicAcls", false) ||
           json_bool(block, "RestrictPublicBuckets", false);
}
