// SPDX-License-Identifier: EUPL-1.2
/* Object tags in S3: see s3_private.h. */
#include <string.h>

#include "codec/url.h"
#include "codec/xml.h"
#include "store/driver/s3_private.h"

/* 128 and 256 characters, each of up to four bytes. */
#define TAG_KEY_MAX   512
#define TAG_VALUE_MAX 1024

bool s3_tags_fit(const struct pairs *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        if (strlen(tags->list[i].key) > TAG_KEY_MAX || strlen(tags->list[i].value) > TAG_VALUE_MAX)
            return false;
    return true;
}

void s3_tags_header(const struct pairs *tags, struct buf *ret)
{
    for (size_t i = 0; i < tags->count; i++)
        query_add(ret, tags->list[i].key, tags->list[i].value);
}

static int parse_tags(const struct buf *text, struct pairs *ret, struct err *e)
{
    auto_xml struct xml_node *root = NULL;

    if (text->length == 0)
        return 0; /* how Ceph says that there are none */
    if (xml_parse(text->data, text->length, &root, e) < 0)
        return -1;
    for (const struct xml_node *n = xml_child(root, "TagSet/Tag"); n; n = xml_next(n)) {
        const char *key = xml_text(n, "Key"), *value = xml_text(n, "Value");
        if (key)
            pairs_add(ret, key, value ? value : "");
    }
    return 0;
}

static int get_tags(struct store *s, const struct object_key *key, struct pairs *ret,
                    struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(S3_XML_MAX);
    auto_pairs struct pairs tags = PAIRS_INIT;

    s3_exchange_init(&x, s3_of(s), "GET", key->container, key->name, "read the tags of", call);
    s3_exchange_query(&x, "tagging", "");
    s3_exchange_version(&x, key);
    if (s3_exchange_text(&x, &text) < 0) {
        if (!s3_refused_with(&x, "NoSuchTagSet"))
            return -1;
        err_clear(&call->err);
        return 0;
    }
    if (parse_tags(&text, &tags, &call->err) < 0)
        return err_prefix(&call->err, "the tags of '%s/%s'", key->container, key->name);
    *ret = tags;
    tags = (struct pairs)PAIRS_INIT;
    return 0;
}

static int set_tags(struct store *s, const struct object_key *key, const struct pairs *tags,
                    struct call *call)
{
    auto_exchange struct s3_exchange x = S3_EXCHANGE_INIT;
    auto_buf struct buf text = BUF_INIT(256 * 1024);

    if (tags->count > s->traits.tags_max)
        return err_set(&call->err, ERR_INVALID, "tag '%s/%s': it takes %u tags, these are %zu",
                       key->container, key->name, s->traits.tags_max, tags->count);
    if (!s3_tags_fit(tags))
        return err_set(&call->err, ERR_INVALID, "tag '%s/%s': a tag is longer than S3 has room for",
                       key->container, key->name);
    s3_exchange_init(&x, s3_of(s), tags->count ? "PUT" : "DELETE", key->container, key->name, "tag",
                     call);
    s3_exchange_query(&x, "tagging", "");
    s3_exchange_version(&x, key);
    if (tags->count) {
        xml_head(&text);
        buf_text(&text, "<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>");
        for (size_t i = 0; i < tags->count; i++) {
            xml_open(&text, "Tag");
            xml_element(&text, "Key", tags->list[i].key);
            xml_element(&text, "Value", tags->list[i].value);
            xml_close(&text, "Tag");
        }
        buf_text(&text, "</TagSet></Tagging>");
        s3_exchange_body(&x, text.data, text.length);
        s3_exchange_md5(&x);
    }
    return s3_exchange_send(&x, NULL, NULL);
}

static int can_hold_tags(struct store *s, const char *container, const struct pairs *tags,
                         bool *ret, struct call *call)
{
    enum fact tagging = FACT_NO;

    if (s3_tags_fit(tags) && s3_fact(s3_of(s), container, S3_FACT_TAGGING, &tagging, call) < 0)
        return -1;
    *ret = tagging == FACT_YES;
    return 0;
}

const struct tag_ops s3_tag_ops = {.can_hold = can_hold_tags, .get = get_tags, .set = set_tags};
