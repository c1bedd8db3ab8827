// SPDX-License-Identifier: EUPL-1.2
/*
 * Who may read a container without asking, and its stored access policies:
 * container_row.policies is [{"id", "start", "expiry", "permissions"}], what is not said left out.
 * Source: REST reference, "Set Container ACL", "Define a stored access policy".
 */
#include <string.h>

#include "codec/date.h"
#include "codec/json.h"
#include "codec/utf8.h"
#include "codec/xml.h"
#include "door/azblob/azblob_private.h"

#define POLICIES_MAX 5
#define ID_MAX       64
#define DOCUMENT_MAX (64 * 1024)
#define PERMISSIONS  "racwdxyltmeopif"

static int bad_node(struct azblob_request *r, const char *name, const char *value,
                    struct call *call)
{
    pairs_add(&r->details, "XmlNodeName", name);
    return azblob_fail_with(r, AZBLOB_INVALID_XML_NODE_VALUE, "XmlNodeValue", value, call);
}

/* A time, with seven digits of fraction as Azure gives it back; absent and empty are nothing. */
static int take_time(struct azblob_request *r, const struct xml_node *policy, const char *name,
                     const char *key, json_t *into, struct call *call)
{
    const char *text = xml_text(policy, name);
    char normal[DATE_TEXT];
    struct err ignored = {0};
    int64_t time;

    if (!text || !*text)
        return 0;
    if (date_parse_iso8601(text, &time, &ignored) < 0)
        return bad_node(r, name, text, call);
    date_iso8601(normal, sizeof(normal), time, 7);
    json_object_set_new(into, key, json_string(normal));
    return 0;
}

static int take_identifier(struct azblob_request *r, const struct xml_node *node, json_t *policies,
                           struct call *call)
{
    const struct xml_node *policy = xml_child(node, "AccessPolicy");
    const char *id = xml_text(node, "Id"), *permissions = xml_text(policy, "Permission");
    auto_json json_t *one = json_object();
    size_t i;
    json_t *other;

    if (!id)
        return azblob_fail_with(r, AZBLOB_INVALID_XML_DOCUMENT, "XmlNodeName", "Id", call);
    if (!*id || utf8_utf16_units(id, strlen(id)) > ID_MAX)
        return azblob_fail_with(r, AZBLOB_INVALID_XML_DOCUMENT, "XmlNodeName", "Id", call);
    json_array_foreach(policies, i, other) if (same_string(json_text(other, "id"),
                                                           id)) return bad_node(r, "Id", id, call);
    json_object_set_new(one, "id", json_string(id));
    if (take_time(r, policy, "Start", "start", one, call) < 0 ||
        take_time(r, policy, "Expiry", "expiry", one, call) < 0)
        return -1;
    if (permissions && *permissions) {
        if (strspn(permissions, PERMISSIONS) != strlen(permissions))
            return bad_node(r, "Permission", permissions, call);
        json_object_set_new(one, "permissions", json_string(permissions));
    }
    json_array_append(policies, one);
    return 0;
}

/* The <SignedIdentifiers> document as JSON; an empty body has none. */
int azblob_policies_read(struct azblob_request *r, char **ret_json, struct call *call)
{
    auto_xml struct xml_node *root = NULL;
    auto_json json_t *policies = json_array();
    auto_buf struct buf text = BUF_INIT(DOCUMENT_MAX * 4);

    if (r->body_length == 0) {
        *ret_json = NULL;
        return 0;
    }
    if (azblob_read_xml(r, DOCUMENT_MAX, "SignedIdentifiers", &root, call) < 0)
        return -1;
    for (const struct xml_node *node = xml_child(root, "SignedIdentifier"); node;
         node = xml_next(node)) {
        if (json_array_size(policies) == POLICIES_MAX)
            return azblob_fail(r, AZBLOB_INVALID_XML_DOCUMENT, call);
        if (take_identifier(r, node, policies, call) < 0)
            return -1;
    }
    if (json_write(&text, policies, &call->err) < 0)
        return -1;
    *ret_json = json_array_size(policies) ? buf_take(&text) : NULL;
    return 0;
}

int azblob_container_set_acl(struct azblob_request *r, struct call *call)
{
    auto_container_row struct container_row row = container_row_new();
    auto_free char *policies = NULL;
    const char *access;

    if (azblob_public_access(r, &access, call) < 0 || azblob_policies_read(r, &policies, call) < 0)
        return -1;
    struct container_change change = {.set_access = true,
                                      .set_policies = true,
                                      .touch = true,
                                      .access = access,
                                      .policies = policies};
    if (service_container_change(r->door->options.service, r->account.name, r->target.container,
                                 &r->conditions, &change, &row, call) < 0)
        return -1;
    azblob_say_etag(r, row.etag, row.modified);
    return azblob_answer(r, 200);
}

static void write_text(struct buf *out, const char *name, const json_t *policy, const char *key)
{
    const char *text = json_text(policy, key);

    if (text)
        xml_element(out, name, text);
}

static void write_policies(struct buf *out, const json_t *policies)
{
    size_t i;
    const json_t *policy;

    xml_head(out);
    xml_open(out, "SignedIdentifiers");
    json_array_foreach(policies, i, policy)
    {
        xml_open(out, "SignedIdentifier");
        write_text(out, "Id", policy, "id");
        /* A name without a policy is given back as one. */
        if (json_object_size(policy) > 1) {
            xml_open(out, "AccessPolicy");
            write_text(out, "Start", policy, "start");
            write_text(out, "Expiry", policy, "expiry");
            write_text(out, "Permission", policy, "permissions");
            xml_close(out, "AccessPolicy");
        }
        xml_close(out, "SignedIdentifier");
    }
    xml_close(out, "SignedIdentifiers");
}

int azblob_container_get_acl(struct azblob_request *r, struct call *call)
{
    auto_container_row struct container_row row = container_row_new();
    auto_json json_t *policies = NULL;
    auto_buf struct buf body = BUF_INIT(DOCUMENT_MAX * 8);

    if (service_container_get(r->door->options.service, r->account.name, r->target.container,
                              &r->conditions, &row, call) < 0)
        return -1;
    if (row.policies && json_parse(row.policies, strlen(row.policies), &policies, &call->err) < 0)
        return err_prefix(&call->err, "policies of container '%s'", row.name);
    azblob_say_etag(r, row.etag, row.modified);
    azblob_say(r, "x-ms-blob-public-access", row.access);
    write_policies(&body, policies);
    return azblob_answer_xml(r, 200, &body);
}
