// SPDX-License-Identifier: EUPL-1.2
/*
 * What is set on a bucket, as the JSON of docs/formats/container.md: see s3_private.h.
 *
 *   "versioning": true
 *   "cors": [{"origins", "methods", "headers", "exposed": [...], "max_age": seconds}]
 *   "website": {"index", "error": names}
 *   "lifecycle": the bucket's own XML, "policy": its own JSON, as texts
 *
 * Applied are versioning, cors and website (those of an Azure account too: its CORS rules go to
 * every bucket, its website to the bucket of "$web").  Policies and lifecycles name things of one
 * provider and are handed back.
 */
#include <inttypes.h>
#include <string.h>

#include "codec/json.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

/* What one sub-resource holds; *ret is empty where nothing is set or it is not offered. */
static int read_sub(struct s3 *s, const char *bucket, const char *what, struct buf *ret,
                    struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;

    s3_exchange_init(&x, s, "GET", bucket, NULL, "read the settings of", call);
    s3_exchange_query(&x, what, "");
    if (s3_exchange_text(&x, ret) == 0)
        return 0;
    /* "NoSuchCORSConfiguration" and its like are 404; other services do not know the question. */
    if (s3_refused_with(&x, "NoSuchBucket") || x.response.status == 0 ||
        err_is_passing(call->err.code) || call->err.code == ERR_CANCELLED)
        return -1;
    err_clear(&call->err);
    buf_reset(ret);
    return 0;
}

static json_t *texts_of(const struct xml_node *rule, const char *name)
{
    json_t *list = json_array();

    for (const struct xml_node *n = xml_child(rule, name); n; n = xml_next(n))
        json_array_append_new(list, json_string(n->text));
    return list;
}

static void read_cors(const struct xml_node *root, json_t *into)
{
    json_t *rules = json_array();

    for (const struct xml_node *n = xml_child(root, "CORSRule"); n; n = xml_next(n)) {
        const char *age = xml_text(n, "MaxAgeSeconds");
        json_array_append_new(
            rules, json_pack("{s:o,s:o,s:o,s:o,s:I}", "origins", texts_of(n, "AllowedOrigin"),
                             "methods", texts_of(n, "AllowedMethod"), "headers",
                             texts_of(n, "AllowedHeader"), "exposed", texts_of(n, "ExposeHeader"),
                             "max_age", (json_int_t)(age ? strtoll(age, NULL, 10) : 0)));
    }
    if (json_array_size(rules))
        json_object_set(into, "cors", rules);
    json_decref(rules);
}

static void read_website(const struct xml_node *root, json_t *into)
{
    const char *index = xml_text(root, "IndexDocument/Suffix");
    const char *error = xml_text(root, "ErrorDocument/Key");
    json_t *website = json_object();

    if (index)
        json_object_set_new(website, "index", json_string(index));
    if (error)
        json_object_set_new(website, "error", json_string(error));
    if (json_object_size(website))
        json_object_set(into, "website", website);
    json_decref(website);
}

static int read_xml(struct s3 *s, const char *bucket, const char *what,
                    void (*read)(const struct xml_node *, json_t *), json_t *into,
                    struct call *call)
{
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_xml struct xml_node *root = NULL;
    struct err ignored = {0};

    if (read_sub(s, bucket, what, &text, call) < 0)
        return -1;
    if (text.length && xml_parse(text.data, text.length, &root, &ignored) == 0)
        read(root, into);
    return 0;
}

/* A service that does not know the question may answer another one: with a listing of the bucket.
 */
static bool is_lifecycle(const struct buf *text)
{
    auto_xml struct xml_node *root = NULL;
    struct err ignored = {0};

    return xml_parse(text->data, text->length, &root, &ignored) == 0 &&
           strcmp(root->name, "LifecycleConfiguration") == 0;
}

static bool is_policy(const struct buf *text)
{
    auto_json json_t *policy = NULL;
    struct err ignored = {0};

    return json_parse(text->data, text->length, &policy, &ignored) == 0 && json_is_object(policy);
}

static int read_text(struct s3 *s, const char *bucket, const char *what,
                     bool (*is_it)(const struct buf *text), json_t *into, struct call *call)
{
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);

    if (read_sub(s, bucket, what, &text, call) < 0)
        return -1;
    json_t *value = text.length && is_it(&text) ? json_stringn(text.data, text.length) : NULL;
    if (value)
        json_object_set_new(into, what, value);
    return 0;
}

static void read_versioning(const struct xml_node *root, json_t *into)
{
    if (same_string(xml_text(root, "Status"), "Enabled"))
        json_object_set_new(into, "versioning", json_true());
}

int s3_settings(struct store *s, const char *container, struct buf *ret_json, struct call *call)
{
    struct s3 *s3 = s3_of(s);
    auto_json json_t *settings = json_object();

    if (read_xml(s3, container, "versioning", read_versioning, settings, call) < 0 ||
        read_xml(s3, container, "cors", read_cors, settings, call) < 0 ||
        read_xml(s3, container, "website", read_website, settings, call) < 0 ||
        read_text(s3, container, "lifecycle", is_lifecycle, settings, call) < 0 ||
        read_text(s3, container, "policy", is_policy, settings, call) < 0)
        return -1;
    return json_write(ret_json, settings, &call->err);
}

/* --- applying --- */

#define RULES_TEXT_MAX (64 * 1024)

static void write_all(struct buf *out, const char *element, const json_t *list)
{
    size_t i;
    json_t *v;

    json_array_foreach((json_t *)list, i, v)
    {
        if (json_is_string(v) && *json_string_value(v))
            xml_element(out, element, json_string_value(v));
    }
}

static void write_cors(struct buf *out, const json_t *rules)
{
    size_t i;
    json_t *r;

    buf_text(out, "<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    json_array_foreach((json_t *)rules, i, r)
    {
        int64_t age = 0;
        (void)json_number(r, "max_age", &age);
        buf_text(out, "<CORSRule>");
        write_all(out, "AllowedOrigin", json_object_get(r, "origins"));
        write_all(out, "AllowedMethod", json_object_get(r, "methods"));
        write_all(out, "AllowedHeader", json_object_get(r, "headers"));
        write_all(out, "ExposeHeader", json_object_get(r, "exposed"));
        buf_printf(out, "<MaxAgeSeconds>%" PRId64 "</MaxAgeSeconds></CORSRule>", age);
    }
    buf_text(out, "</CORSConfiguration>");
}

/* S3 knows five methods; Azure has more.  A rule must not come out weaker or stronger. */
static bool cors_fits(const json_t *rules)
{
    static const char known[] = " GET PUT POST DELETE HEAD ";
    size_t i, j;
    json_t *r, *m;

    if (!json_is_array(rules) || json_array_size(rules) == 0)
        return false;
    json_array_foreach((json_t *)rules, i, r)
    {
        json_array_foreach(json_object_get(r, "methods"), j, m)
        {
            auto_free char *word = xasprintf(" %s ", json_is_string(m) ? json_string_value(m) : "");
            if (!strstr(known, word))
                return false;
        }
    }
    return true;
}

static bool website_fits(const json_t *website)
{
    return json_is_object(website) && json_text(website, "index");
}

static void write_website(struct buf *out, const json_t *website)
{
    const char *index = json_text(website, "index"), *error = json_text(website, "error");

    buf_text(out, "<WebsiteConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    xml_open(out, "IndexDocument");
    xml_element(out, "Suffix", index);
    xml_close(out, "IndexDocument");
    if (error) {
        xml_open(out, "ErrorDocument");
        xml_element(out, "Key", error);
        xml_close(out, "ErrorDocument");
    }
    buf_text(out, "</WebsiteConfiguration>");
}

static const struct setting {
    const char *key;
    bool (*fits)(const json_t *);
    void (*write)(struct buf *, const json_t *);
    void (*read)(const struct xml_node *, json_t *);
} applicable[] = {
    {"cors", cors_fits, write_cors, read_cors},
    {"website", website_fits, write_website, read_website},
};

/* How many bytes a value can become as XML: every character six, and the tags around it. */
static bool small_enough(const json_t *value)
{
    auto_free char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    return text && strlen(text) < RULES_TEXT_MAX;
}

/* *ret_done: it is there now, as reading it back shows. */
static int apply_one(struct s3 *s, const char *bucket, const struct setting *setting,
                     const json_t *value, bool *ret_done, struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(RULES_TEXT_MAX * 32);
    auto_json json_t *present = json_object();

    if (!setting->fits(value) || !small_enough(value))
        return 0;
    s3_exchange_init(&x, s, "PUT", bucket, NULL, "apply settings to", call);
    s3_exchange_query(&x, setting->key, "");
    xml_head(&text);
    setting->write(&text, value);
    s3_exchange_body(&x, text.data, text.length);
    s3_exchange_md5(&x);
    if (s3_exchange_send(&x, NULL, NULL) < 0) {
        if (x.response.status == 0 || err_is_passing(call->err.code) ||
            s3_refused_with(&x, "NoSuchBucket"))
            return -1;
        err_clear(&call->err); /* not offered or not permitted: it stays in what is left */
        return 0;
    }
    if (read_xml(s, bucket, setting->key, setting->read, present, call) < 0)
        return -1;
    *ret_done = json_object_get(present, setting->key) != NULL;
    return 0;
}

/* from: the settings, or the account's inside them. */
static int apply_from(struct s3 *s, const char *bucket, json_t *from, bool website,
                      struct call *call)
{
    for (size_t i = 0; i < ARRAY_SIZE(applicable); i++) {
        const json_t *value = json_object_get(from, applicable[i].key);
        bool done = false;
        if (!value || (!website && strcmp(applicable[i].key, "website") == 0))
            continue;
        if (apply_one(s, bucket, &applicable[i], value, &done, call) < 0)
            return -1;
        if (done)
            json_object_del(from, applicable[i].key);
    }
    return 0;
}

static int apply_versioning(struct s3 *s, const char *bucket, json_t *left, struct call *call)
{
    if (!json_bool(left, "versioning", false))
        return 0;
    if (s3_bucket_enable_versioning(s, bucket, call) == 0) {
        json_object_del(left, "versioning");
        return 0;
    }
    if (err_is_passing(call->err.code) || call->err.code == ERR_NOT_FOUND ||
        call->err.code == ERR_CANCELLED)
        return -1;
    err_clear(&call->err);
    return 0;
}

int s3_apply(struct store *s, const char *container, const char *json, struct buf *ret_left,
             struct call *call)
{
    struct s3 *s3 = s3_of(s);
    auto_json json_t *left = NULL;

    if (json_parse(json, strlen(json), &left, &call->err) < 0)
        return -1;
    json_t *account = json_object_get(left, "account");
    bool is_web = same_string(json_text(left, "name"), "$web");
    if (apply_versioning(s3, container, left, call) < 0 ||
        apply_from(s3, container, left, true, call) < 0 ||
        (account && apply_from(s3, container, account, is_web, call) < 0))
        return -1;
    if (account && json_object_size(account) == 0)
        json_object_del(left, "account");
    if (same_string(json_text(left, "access"), "private"))
        json_object_del(left, "access");
    return json_write(ret_left, left, &call->err);
}
