// SPDX-License-Identifier: EUPL-1.2
/*
 * What is set on a container and its account, as JSON and back: docs/formats/container.md.
 *
 * What the credentials may not read is named under "unread" instead of failing the whole.  What
 * belongs to the account is applied only where the target account has nothing of the kind: a
 * container that moves in does not change the house.
 */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "store/driver/azure_private.h"

#define POLICIES_MAX 5

static bool is_true(const char *text)
{
    return text && strcasecmp(text, "true") == 0;
}

/* ------------------------------------------------------------------------ reading */

static int read_container(struct azure *a, const char *container, json_t *into, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;

    azure_exchange_container(a, &x, "HEAD", container, 'r');
    azure_exchange_query(&x, "restype", "container");
    if (azure_exchange_do(a, &x, NULL, NULL, call) < 0)
        return -1;
    const char *access = azure_answer(&x, "x-ms-blob-public-access");
    const char *scope = azure_answer(&x, "x-ms-default-encryption-scope");
    json_object_set_new(into, "access", json_string(access ? access : "private"));
    /* Microsoft's own key, which every account has, is called $account-encryption-key */
    if (scope && *scope && *scope != '$')
        json_object_set_new(
            into, "encryption_scope",
            json_pack("{s:s,s:b}", "default", scope, "deny_override",
                      is_true(azure_answer(&x, "x-ms-deny-encryption-scope-override"))));
    bool policy = is_true(azure_answer(&x, "x-ms-has-immutability-policy"));
    bool hold = is_true(azure_answer(&x, "x-ms-has-legal-hold"));
    bool versions = is_true(azure_answer(&x, "x-ms-immutable-storage-with-versioning-enabled"));
    if (policy || hold || versions)
        json_object_set_new(
            into, "immutability",
            json_pack("{s:b,s:b,s:b}", "policy", policy, "legal_hold", hold, "versions", versions));
    return 0;
}

static void set_text(json_t *into, const char *key, const char *text)
{
    if (text && *text)
        json_object_set_new(into, key, json_string(text));
}

static int read_policies(struct azure *a, const char *container, json_t *into, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);
    auto_xml struct xml_node *root = NULL;
    auto_json json_t *list = json_array();

    azure_exchange_container(a, &x, "GET", container, 'r');
    azure_exchange_query(&x, "restype", "container");
    azure_exchange_query(&x, "comp", "acl");
    if (azure_exchange_text(a, &x, &text, call) < 0 ||
        xml_parse(text.data, text.length, &root, &call->err) < 0)
        return -1;
    for (const struct xml_node *n = xml_child(root, "SignedIdentifier"); n; n = xml_next(n)) {
        json_t *policy = json_object();
        set_text(policy, "id", xml_text(n, "Id"));
        set_text(policy, "start", xml_text(n, "AccessPolicy/Start"));
        set_text(policy, "expiry", xml_text(n, "AccessPolicy/Expiry"));
        set_text(policy, "permission", xml_text(n, "AccessPolicy/Permission"));
        json_array_append_new(list, policy);
    }
    if (json_array_size(list))
        json_object_set(into, "policies", list);
    return 0;
}

/* "GET,PUT" as ["GET","PUT"] */
static json_t *split_list(const char *text)
{
    json_t *list = json_array();

    while (text && *text) {
        size_t n = strcspn(text, ",");
        if (n)
            json_array_append_new(list, json_stringn(text, n));
        text += n + (text[n] == ',');
    }
    return list;
}

static void read_cors(const struct xml_node *root, json_t *into)
{
    json_t *rules = json_array();

    for (const struct xml_node *n = xml_child(root, "Cors/CorsRule"); n; n = xml_next(n)) {
        const char *age = xml_text(n, "MaxAgeInSeconds");
        json_array_append_new(rules, json_pack("{s:o,s:o,s:o,s:o,s:I}", "origins",
                                               split_list(xml_text(n, "AllowedOrigins")), "methods",
                                               split_list(xml_text(n, "AllowedMethods")), "headers",
                                               split_list(xml_text(n, "AllowedHeaders")), "exposed",
                                               split_list(xml_text(n, "ExposedHeaders")), "max_age",
                                               (json_int_t)(age ? strtoll(age, NULL, 10) : 0)));
    }
    if (json_array_size(rules))
        json_object_set(into, "cors", rules);
    json_decref(rules);
}

static void read_website(const struct xml_node *root, json_t *into)
{
    const struct xml_node *site = xml_child(root, "StaticWebsite");

    if (!is_true(xml_text(site, "Enabled")))
        return;
    json_t *website = json_object();
    set_text(website, "index", xml_text(site, "IndexDocument"));
    set_text(website, "default_index", xml_text(site, "DefaultIndexDocumentPath"));
    set_text(website, "error", xml_text(site, "ErrorDocument404Path"));
    json_object_set_new(into, "website", website);
}

static void read_retention(const struct xml_node *root, const char *path, const char *key,
                           json_t *into)
{
    const struct xml_node *policy = xml_child(root, path);
    const char *days = xml_text(policy, "Days");

    if (is_true(xml_text(policy, "Enabled")))
        json_object_set_new(
            into, key,
            json_pack("{s:I}", "days", (json_int_t)(days ? strtoll(days, NULL, 10) : 0)));
}

static void read_logging(const struct xml_node *root, json_t *into)
{
    static const char *const kinds[] = {"Read", "Write", "Delete"};
    static const char *const words[] = {"read", "write", "delete"};
    const struct xml_node *logging = xml_child(root, "Logging");
    json_t *list = json_array();

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (is_true(xml_text(logging, kinds[i])))
            json_array_append_new(list, json_string(words[i]));
    if (json_array_size(list)) {
        json_t *log = json_pack("{s:O}", "operations", list);
        read_retention(logging, "RetentionPolicy", "retention", log);
        json_object_set_new(into, "logging", log);
    }
    json_decref(list);
}

static int read_account(struct azure *a, json_t *into, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);
    auto_xml struct xml_node *root = NULL;

    azure_exchange_container(a, &x, "GET", NULL, 'r');
    azure_exchange_query(&x, "restype", "service");
    azure_exchange_query(&x, "comp", "properties");
    if (azure_exchange_text(a, &x, &text, call) < 0 ||
        xml_parse(text.data, text.length, &root, &call->err) < 0)
        return -1;
    read_cors(root, into);
    read_website(root, into);
    read_retention(root, "DeleteRetentionPolicy", "delete_retention", into);
    read_logging(root, into);
    set_text(into, "default_service_version", xml_text(root, "DefaultServiceVersion"));
    return 0;
}

/* What may not be read is said; what fails otherwise fails. */
static int forgive(int result, const char *what, json_t *unread, struct call *call)
{
    enum err_code code = call->err.code;

    if (result == 0)
        return 0;
    if (code != ERR_DENIED && code != ERR_UNKNOWN_WHO && code != ERR_UNSUPPORTED &&
        code != ERR_INVALID && code != ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    json_array_append_new(unread, json_string(what));
    return 0;
}

int azure_container_settings(struct store *s, const char *container, struct buf *ret_json,
                             struct call *call)
{
    struct azure *a = azure_of(s);
    auto_json json_t *settings = json_object();
    auto_json json_t *account = json_object();
    auto_json json_t *unread = json_array();

    if (read_container(a, container, settings, call) < 0 ||
        forgive(read_policies(a, container, settings, call), "policies", unread, call) < 0 ||
        forgive(read_account(a, account, call), "account", unread, call) < 0)
        return -1;
    if (json_object_size(account))
        json_object_set(settings, "account", account);
    if (json_array_size(unread))
        json_object_set(settings, "unread", unread);
    return json_write(ret_json, settings, &call->err);
}

/* ----------------------------------------------------------------------- applying */

/* What the target refuses stays in what is left; other failures are failures. */
static int tolerable(struct call *call)
{
    if (err_is_passing(call->err.code) || call->err.code == ERR_CANCELLED ||
        call->err.code == ERR_NOT_FOUND)
        return -1;
    err_clear(&call->err);
    return 0;
}

static void write_policies(struct buf *out, const json_t *policies)
{
    size_t i;
    json_t *p;

    xml_head(out);
    buf_text(out, "<SignedIdentifiers>");
    json_array_foreach(policies, i, p)
    {
        const char *parts[] = {json_text(p, "start"), json_text(p, "expiry"),
                               json_text(p, "permission")};
        static const char *const names[] = {"Start", "Expiry", "Permission"};
        const char *id = json_text(p, "id");
        buf_text(out, "<SignedIdentifier>");
        xml_element(out, "Id", id ? id : "");
        buf_text(out, "<AccessPolicy>");
        for (size_t k = 0; k < ARRAY_SIZE(parts); k++)
            if (parts[k])
                xml_element(out, names[k], parts[k]);
        buf_text(out, "</AccessPolicy></SignedIdentifier>");
    }
    buf_text(out, "</SignedIdentifiers>");
}

/* Every text of a JSON value together: what its XML can need of room, escaped, is six times that.
 */
static size_t text_size(const json_t *value)
{
    size_t i, n = 64;
    const char *key;
    json_t *v;

    if (json_is_string(value))
        return json_string_length(value) + 64;
    json_array_foreach((json_t *)value, i, v) n += text_size(v);
    json_object_foreach((json_t *)value, key, v) n += text_size(v);
    return n;
}

static int put_xml(struct azure *a, struct azure_exchange *x, struct buf *text, struct call *call)
{
    struct source_bytes body;

    source_bytes_init(&body, text->data, text->length);
    azure_exchange_header(x, "Content-Type", "application/xml; charset=utf-8");
    azure_exchange_body(x, &body.source, text->length);
    int result = azure_exchange_do(a, x, NULL, NULL, call);
    x->request.body = NULL;
    return result;
}

/* Access level and policies go together: setting one alone would take the other away. */
static int put_acl(struct azure *a, const char *container, const char *access,
                   const json_t *policies, struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);

    if (json_array_size(policies) > POLICIES_MAX || text_size(policies) > AZURE_XML_MAX / 16)
        return err_set(&call->err, ERR_INVALID, "Azure holds at most %d access policies",
                       POLICIES_MAX);
    azure_exchange_container(a, &x, "PUT", container, 'w');
    azure_exchange_query(&x, "restype", "container");
    azure_exchange_query(&x, "comp", "acl");
    if (access && (strcmp(access, "blob") == 0 || strcmp(access, "container") == 0))
        azure_exchange_header(&x, "x-ms-blob-public-access", access);
    write_policies(&text, policies);
    return put_xml(a, &x, &text, call);
}

static int apply_acl(struct azure *a, const char *container, json_t *left, struct call *call)
{
    auto_json json_t *present = json_object();
    const json_t *policies = json_object_get(left, "policies");
    const char *access = json_text(left, "access");

    if (!access && !policies)
        return 0;
    if (!access && read_container(a, container, present, call) < 0)
        return -1;
    if (put_acl(a, container, access ? access : json_text(present, "access"), policies, call) ==
        0) {
        json_object_del(left, "access");
        json_object_del(left, "policies");
        return 0;
    }
    /* an account that allows no public access takes the policies without it */
    if (access && policies && call->err.code == ERR_DENIED &&
        put_acl(a, container, "private", policies, call) == 0)
        json_object_del(left, "policies");
    return tolerable(call);
}

static void write_joined(struct buf *out, const char *element, const json_t *list)
{
    const char *between = "";
    size_t i;
    json_t *v;

    xml_open(out, element);
    json_array_foreach((json_t *)list, i, v)
    {
        buf_text(out, between);
        xml_escape(out, json_is_string(v) ? json_string_value(v) : "");
        between = ",";
    }
    xml_close(out, element);
}

static void write_cors(struct buf *out, const json_t *rules)
{
    size_t i;
    json_t *r;

    buf_text(out, "<Cors>");
    json_array_foreach((json_t *)rules, i, r)
    {
        int64_t age = 0;
        (void)json_number(r, "max_age", &age);
        buf_text(out, "<CorsRule>");
        write_joined(out, "AllowedOrigins", json_object_get(r, "origins"));
        write_joined(out, "AllowedMethods", json_object_get(r, "methods"));
        write_joined(out, "AllowedHeaders", json_object_get(r, "headers"));
        write_joined(out, "ExposedHeaders", json_object_get(r, "exposed"));
        buf_printf(out, "<MaxAgeInSeconds>%" PRId64 "</MaxAgeInSeconds></CorsRule>", age);
    }
    buf_text(out, "</Cors>");
}

static void write_website(struct buf *out, const json_t *website)
{
    const char *index = json_text(website, "index"), *error = json_text(website, "error");
    const char *path = json_text(website, "default_index");

    buf_text(out, "<StaticWebsite><Enabled>true</Enabled>");
    if (index)
        xml_element(out, "IndexDocument", index);
    if (path)
        xml_element(out, "DefaultIndexDocumentPath", path);
    if (error)
        xml_element(out, "ErrorDocument404Path", error);
    buf_text(out, "</StaticWebsite>");
}

static int apply_account_key(struct azure *a, const char *key, const json_t *value,
                             void (*write)(struct buf *, const json_t *), const json_t *present,
                             struct call *call)
{
    auto_azure_exchange struct azure_exchange x = AZURE_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(AZURE_XML_MAX);

    if (json_object_get(present, key))
        return err_set(&call->err, ERR_EXISTS, "the account has its own");
    if (text_size(value) > AZURE_XML_MAX / 16)
        return err_set(&call->err, ERR_INVALID, "too large");
    azure_exchange_container(a, &x, "PUT", NULL, 'w');
    azure_exchange_query(&x, "restype", "service");
    azure_exchange_query(&x, "comp", "properties");
    xml_head(&text);
    buf_text(&text, "<StorageServiceProperties>");
    write(&text, value);
    buf_text(&text, "</StorageServiceProperties>");
    return put_xml(a, &x, &text, call);
}

static int apply_account(struct azure *a, json_t *left, struct call *call)
{
    static const struct {
        const char *key;
        void (*write)(struct buf *, const json_t *);
    } known[] = {{"cors", write_cors}, {"website", write_website}};
    auto_json json_t *present = json_object();
    json_t *account = json_object_get(left, "account");

    if (!json_object_get(account, "cors") && !json_object_get(account, "website"))
        return 0;
    if (read_account(a, present, call) < 0)
        return tolerable(call);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        json_t *value = json_object_get(account, known[i].key);
        json_t *there = json_object_get(present, known[i].key);
        if (!value)
            continue;
        int result = there && json_equal(there, value)
                         ? 0
                         : apply_account_key(a, known[i].key, value, known[i].write, present, call);
        if (result == 0)
            json_object_del(account, known[i].key);
        else if (tolerable(call) < 0)
            return -1;
    }
    if (json_object_size(account) == 0)
        json_object_del(left, "account");
    return 0;
}

int azure_container_apply(struct store *s, const char *container, const char *json,
                          struct buf *ret_left, struct call *call)
{
    struct azure *a = azure_of(s);
    auto_json json_t *left = NULL;

    if (json_parse(json, strlen(json), &left, &call->err) < 0)
        return -1;
    json_object_del(left, "unread");
    if (apply_acl(a, container, left, call) < 0 || apply_account(a, left, call) < 0)
        return -1;
    return json_write(ret_left, left, &call->err);
}
