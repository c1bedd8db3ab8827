// SPDX-License-Identifier: EUPL-1.2
/*
 * ACLs as far as canned ones, ownership controls, and the public access block.
 *
 * The owner may do all.  A bucket is private or public-read, which is the public access that the
 * Azure door knows too; or public-read-write or authenticated-read, which stand in the setting
 * "acl" besides.  An object has no ACL of its own (as in Amazon's buckets since 2023), so that only
 * what its bucket gives anyway is taken.  Grants one by one are refused.
 */
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "door/s3/s3_door_private.h"

#define ALL_USERS   "http://acs.amazonaws.com/groups/global/AllUsers"
#define KNOWN_USERS "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
#define XSI         "http://www.w3.org/2001/XMLSchema-instance"

/* ---- What an ACL permits ---- */

enum { FOR_ALL_READ = 1 << 0, FOR_ALL_WRITE = 1 << 1, FOR_KNOWN_READ = 1 << 2 };

/* The canned ACLs, by what they give whom; and the public access that goes with them. */
static const struct {
    const char *word;
    unsigned gives;
    const char *access;
} canned[] = {
    {"private", 0, NULL},
    {"public-read", FOR_ALL_READ, "container"},
    {"public-read-write", FOR_ALL_READ | FOR_ALL_WRITE, "container"},
    {"authenticated-read", FOR_KNOWN_READ, NULL},
    {"bucket-owner-read", 0, NULL},
    {"bucket-owner-full-control", 0, NULL},
};

static bool has_word(const struct container_row *bucket, const char *word)
{
    auto_free char *member = xasprintf("\"acl\":\"%s\"", word);
    return bucket->settings != NULL && strstr(bucket->settings, member) != NULL;
}

/* What the bucket gives; a list of it too, unless only its objects are open. */
static unsigned gives(const struct container_row *bucket, bool *ret_list)
{
    *ret_list = bucket->access == NULL || strcmp(bucket->access, "container") == 0;
    if (bucket->access == NULL)
        return has_word(bucket, "authenticated-read") ? FOR_KNOWN_READ : 0;
    bool write = *ret_list && has_word(bucket, "public-read-write");
    return write ? FOR_ALL_READ | FOR_ALL_WRITE : FOR_ALL_READ;
}

/* The public access block says that it does not count. */
static bool is_ignored(const struct container_row *bucket)
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

bool s3_acl_permits(const struct container_row *bucket, bool known, const char *action)
{
    bool list;
    unsigned given = gives(bucket, &list);
    if (given == 0 || is_ignored(bucket))
        return false;
    bool read = (given & FOR_ALL_READ) != 0 || (known && (given & FOR_KNOWN_READ) != 0);
    if (strcmp(action, "s3:GetObject") == 0)
        return read;
    if (strcmp(action, "s3:ListBucket") == 0)
        return read && list;
    bool writes = strcmp(action, "s3:PutObject") == 0 || strcmp(action, "s3:DeleteObject") == 0;
    return writes && (given & FOR_ALL_WRITE) != 0;
}

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
    bool list;
    unsigned given = gives(&r->container, &list);
    if ((given & FOR_ALL_READ) != 0 && (r->which == S3_OBJECT || list))
        grant_xml(&body, "Group", ALL_USERS, "READ");
    if ((given & FOR_ALL_WRITE) != 0 && r->which == S3_BUCKET)
        grant_xml(&body, "Group", ALL_USERS, "WRITE");
    if ((given & FOR_KNOWN_READ) != 0)
        grant_xml(&body, "Group", KNOWN_USERS, "READ");
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

/* An ACL by what it gives: for a bucket its row; for an object only what its bucket gives. */
static int choose(struct s3_request *r, unsigned wanted, bool of_bucket, const char **ret,
                  struct call *call)
{
    bool list;
    unsigned given = gives(&r->container, &list);
    given |= (given & FOR_ALL_READ) != 0 ? FOR_KNOWN_READ | FOR_ALL_WRITE : 0;
    if (!of_bucket)
        return (wanted & ~given) == 0 ? 0 : s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
    for (size_t i = 0; i < ARRAY_SIZE(canned); i++)
        if (canned[i].gives == wanted) {
            *ret = canned[i].word;
            return 0;
        }
    return s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
}

int s3_acl_check(struct s3_request *r, bool of_bucket, const char **ret, struct call *call)
{
    static const char *const others[] = {"aws-exec-read", "log-delivery-write"};
    const char *acl = s3_header(r, "x-amz-acl");
    *ret = "private";
    if (acl != NULL && has_grants(r))
        return s3_failf(r, S3_INVALID_REQUEST, call,
                        "Specifying both Canned ACLs and Header Grants is not allowed.");
    if (has_grants(r))
        return s3_failf(r, S3_NOT_IMPLEMENTED, call,
                        "Grants one by one are not offered: use a bucket policy.");
    if (acl == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(canned); i++)
        if (strcmp(canned[i].word, acl) == 0)
            return choose(r, canned[i].gives, of_bucket, ret, call);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (strcmp(others[i], acl) == 0)
            return s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
    return s3_fail_argument(r, "x-amz-acl", acl, call, "Invalid canned ACL");
}

const char *s3_acl_access(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(canned); i++)
        if (strcmp(canned[i].word, word) == 0)
            return canned[i].access;
    return NULL;
}

json_t *s3_acl_setting(const char *word)
{
    bool plain = strcmp(word, "private") == 0 || strcmp(word, "public-read") == 0;
    return plain ? NULL : json_string(word);
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

/* One grant: the owner's own gives nobody else anything. */
static int read_grant(struct s3_request *r, const struct xml_node *grant, unsigned *into,
                      struct call *call)
{
    const char *permission = xml_text(grant, "Permission");
    const char *uri = xml_text(grant, "Grantee/URI");
    const char *id = xml_text(grant, "Grantee/ID");
    if (!permission_is_known(permission) || (uri == NULL) == (id == NULL))
        return s3_fail(r, S3_MALFORMED_ACL, call);
    bool read = strcmp(permission, "READ") == 0, write = strcmp(permission, "WRITE") == 0;
    if (id != NULL)
        return strcmp(id, r->account) == 0 ? 0 : s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
    if (strcmp(uri, ALL_USERS) == 0 && (read || write))
        *into |= read ? FOR_ALL_READ : FOR_ALL_WRITE;
    else if (strcmp(uri, KNOWN_USERS) == 0 && read)
        *into |= FOR_KNOWN_READ;
    else
        return s3_fail(r, S3_ACL_NOT_SUPPORTED, call);
    return 0;
}

/* An ACL in full. */
static int read_acl(struct s3_request *r, const char **ret, struct call *call)
{
    auto_xml struct xml_node *node = NULL;
    unsigned wanted = 0;
    if (r->body->length == 0)
        return s3_fail(r, S3_MISSING_SECURITY_HEADER, call);
    if (s3_body_configuration(r, "AccessControlPolicy", &node, call) < 0)
        return s3_fail(r, S3_MALFORMED_ACL, call);
    const struct xml_node *list = xml_child(node, "AccessControlList");
    if (list == NULL || !owner_is_named(node))
        return s3_fail(r, S3_MALFORMED_ACL, call);
    for (const struct xml_node *g = xml_child(list, "Grant"); g != NULL; g = xml_next(g))
        if (read_grant(r, g, &wanted, call) < 0)
            return -1;
    return choose(r, wanted, r->which == S3_BUCKET, ret, call);
}

/* What the headers say, or the body; not both. */
static int wished_acl(struct s3_request *r, const char **ret, struct call *call)
{
    if (has_grants(r) && r->body->length > 0)
        return s3_fail(r, S3_UNEXPECTED_CONTENT, call);
    if (s3_acl_check(r, r->which == S3_BUCKET, ret, call) < 0)
        return -1;
    if (s3_header(r, "x-amz-acl") == NULL)
        return read_acl(r, ret, call);
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
    const char *word = NULL;
    if (wished_acl(r, &word, call) < 0)
        return -1;
    if (r->which == S3_OBJECT) {
        auto_object_row struct object_row row = object_row_new();
        if (service_stat(r->door->options.service, &r->place, NULL, &row, call) < 0)
            return -1;
        return s3_answer(r, 200);
    }
    struct container_change change = {.set_access = true, .access = s3_acl_access(word)};
    if (strcmp(word, "private") != 0 && may_open(r, call) < 0)
        return -1;
    json_t *setting = s3_acl_setting(word);
    bool had = r->container.settings != NULL && strstr(r->container.settings, "\"acl\":") != NULL;
    if ((had || setting != NULL) && s3_setting_change(r, "acl", setting, call) < 0)
        return -1;
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
