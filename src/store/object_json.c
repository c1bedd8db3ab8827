// SPDX-License-Identifier: EUPL-1.2
/* Object properties as JSON: see object_json.h. */
#include "store/object_json.h"

#include <string.h>

#include "codec/base64.h"
#include "codec/date.h"

/* Every member that is a plain string of struct object. */
static const struct {
    const char *member;
    size_t offset;
} texts[] = {
    {"name", offsetof(struct object, name)},
    {"version", offsetof(struct object, version)},
    {"etag", offsetof(struct object, etag)},
    {"content_type", offsetof(struct object, content_type)},
    {"content_encoding", offsetof(struct object, content_encoding)},
    {"content_language", offsetof(struct object, content_language)},
    {"content_disposition", offsetof(struct object, content_disposition)},
    {"cache_control", offsetof(struct object, cache_control)},
    {"expires", offsetof(struct object, expires)},
    {"tier", offsetof(struct object, tier)},
    {"waking", offsetof(struct object, waking)},
    {"acl", offsetof(struct object, acl)},
    {"owner", offsetof(struct object, owner)},
    {"group", offsetof(struct object, group)},
    {"immutable_until", offsetof(struct object, immutable_until)},
    {"immutable_mode", offsetof(struct object, immutable_mode)},
    {"encryption_scope", offsetof(struct object, encryption_scope)},
};

static const struct {
    const char *member;
    size_t offset;
} times[] = {
    {"created", offsetof(struct object, created)},
    {"modified", offsetof(struct object, modified)},
    {"deleted", offsetof(struct object, deleted)},
};

static const struct {
    const char *member;
    size_t offset;
} flags[] = {
    {"is_latest", offsetof(struct object, is_latest)},
    {"tier_inferred", offsetof(struct object, tier_inferred)},
    {"archived", offsetof(struct object, archived)},
    {"is_folder", offsetof(struct object, is_folder)},
    {"legal_hold", offsetof(struct object, legal_hold)},
    {"leased", offsetof(struct object, leased)},
    {"customer_encrypted", offsetof(struct object, customer_encrypted)},
};

#define MEMBER(object, type, offset) ((type *)(void *)((char *)(object) + (offset)))
#define MEMBER_CONST(object, type, offset) \
    ((const type *)(const void *)((const char *)(object) + (offset)))

/* Strings of any bytes: JSON holds UTF-8 only, so others go as {"base64": "..."}. */
static json_t *text_to_json(const char *text)
{
    json_t *plain = json_string(text);

    if (plain)
        return plain;
    auto_buf struct buf coded = BUF_INIT(SIZE_MAX / 2);
    base64_encode(&coded, text, strlen(text));
    json_t *wrapped = json_object();
    (void)json_object_set_new(wrapped, "base64", json_string(coded.data));
    return wrapped;
}

static int text_from_json(const json_t *json, const char *member, char **ret, struct err *e)
{
    if (json_is_string(json)) {
        *ret = xstrdup(json_string_value(json));
        return 0;
    }
    const char *coded = json_string_value(json_object_get(json, "base64"));
    if (!coded)
        return err_set(e, ERR_INVALID, "member '%s' is not a string", member);
    auto_buf struct buf bytes = BUF_INIT(1024 * 1024);
    if (base64_decode(coded, strlen(coded), &bytes, e) < 0)
        return err_prefix(e, "member '%s'", member);
    if (memchr(bytes.data, 0, bytes.length))
        return err_set(e, ERR_INVALID, "member '%s' holds a NUL byte", member);
    *ret = buf_take(&bytes);
    return 0;
}

json_t *pairs_to_object(const struct pairs *p)
{
    json_t *json = json_object();

    for (size_t i = 0; i < p->count; i++)
        (void)json_object_set_new(json, p->list[i].key, text_to_json(p->list[i].value));
    return json;
}

int pairs_from_object(const json_t *json, struct pairs *ret, struct err *e)
{
    auto_pairs struct pairs pairs = PAIRS_INIT;
    const char *key;
    json_t *value;

    if (!json_is_object(json))
        return err_set(e, ERR_INVALID, "not a JSON object of strings");
    json_object_foreach((json_t *)(uintptr_t)json, key, value)
    {
        auto_free char *text = NULL;
        if (text_from_json(value, key, &text, e) < 0)
            return -1;
        pairs_add(&pairs, key, text);
    }
    *ret = pairs;
    pairs = (struct pairs)PAIRS_INIT;
    return 0;
}

static void checksums_to_json(json_t *json, const struct object *o)
{
    struct checksums stored = o->stored;

    if (!stored.have)
        return;
    json_t *list = json_object();
    for (int kind = 0; kind < CHECKSUM_KIND_COUNT; kind++) {
        if (!(stored.have & (1U << kind)))
            continue;
        auto_buf struct buf text = BUF_INIT(128);
        base64_encode(&text, checksum_bytes(&stored, (enum checksum_kind)kind),
                      checksum_size((enum checksum_kind)kind));
        (void)json_object_set_new(list, checksum_word((enum checksum_kind)kind),
                                  json_string(text.data));
    }
    (void)json_object_set_new(json, "stored", list);
}

json_t *object_to_json(const struct object *o)
{
    json_t *json = json_object();
    char when[64];

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const char *text = *MEMBER_CONST(o, char *const, texts[i].offset);
        if (text)
            (void)json_object_set_new(json, texts[i].member, text_to_json(text));
    }
    (void)json_object_set_new(json, "size", json_integer((json_int_t)o->size));
    (void)json_object_set_new(json, "type", json_string(object_type_word(o->type)));
    if (o->kind != VERSION_CURRENT)
        (void)json_object_set_new(json, "kind", json_string(version_kind_word(o->kind)));
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        int64_t time = *MEMBER_CONST(o, int64_t, times[i].offset);
        if (time == TIME_UNKNOWN)
            continue;
        date_iso8601(when, sizeof(when), time, 9);
        (void)json_object_set_new(json, times[i].member, json_string(when));
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        if (*MEMBER_CONST(o, bool, flags[i].offset))
            (void)json_object_set_new(json, flags[i].member, json_true());
    if (o->sequence)
        (void)json_object_set_new(json, "sequence", json_integer((json_int_t)o->sequence));
    if (o->metadata.count)
        (void)json_object_set_new(json, "metadata", pairs_to_object(&o->metadata));
    if (o->tags.count)
        (void)json_object_set_new(json, "tags", pairs_to_object(&o->tags));
    checksums_to_json(json, o);
    return json;
}

static int read_checksums(const json_t *json, struct object *o, struct err *e)
{
    for (int kind = 0; kind < CHECKSUM_KIND_COUNT; kind++) {
        const char *word = checksum_word((enum checksum_kind)kind);
        const char *text = json_string_value(json_object_get(json, word));
        auto_buf struct buf bytes = BUF_INIT(128);
        if (!text)
            continue;
        if (base64_decode(text, strlen(text), &bytes, e) < 0)
            return err_prefix(e, "stored %s", word);
        if (bytes.length != checksum_size((enum checksum_kind)kind))
            return err_set(e, ERR_INVALID, "stored %s has %zu bytes", word, bytes.length);
        checksum_set(&o->stored, (enum checksum_kind)kind, bytes.data);
    }
    return 0;
}

static int read_numbers(const json_t *json, struct object *o, struct err *e)
{
    const json_t *size = json_object_get(json, "size");
    const json_t *sequence = json_object_get(json, "sequence");

    if (json_integer_value(size) < 0 || json_integer_value(sequence) < 0)
        return err_set(e, ERR_INVALID, "a size or sequence number below zero");
    o->size = (uint64_t)json_integer_value(size);
    o->sequence = (uint64_t)json_integer_value(sequence);
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        const char *text = json_string_value(json_object_get(json, times[i].member));
        if (text && date_parse_iso8601(text, MEMBER(o, int64_t, times[i].offset), e) < 0)
            return err_prefix(e, "member '%s'", times[i].member);
    }
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        *MEMBER(o, bool, flags[i].offset) = json_is_true(json_object_get(json, flags[i].member));
    return 0;
}

static int read_words(const json_t *json, struct object *o, struct err *e)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    const char *kind = json_string_value(json_object_get(json, "kind"));

    if (type && object_type_from_word(type, &o->type) < 0)
        return err_set(e, ERR_INVALID, "unknown object type '%s'", type);
    if (kind && version_kind_from_word(kind, &o->kind) < 0)
        return err_set(e, ERR_INVALID, "unknown version kind '%s'", kind);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const json_t *text = json_object_get(json, texts[i].member);
        if (text &&
            text_from_json(text, texts[i].member, MEMBER(o, char *, texts[i].offset), e) < 0)
            return -1;
    }
    return 0;
}

int object_from_json(const json_t *json, struct object *ret, struct err *e)
{
    auto_object struct object o = OBJECT_INIT;
    const json_t *metadata = json_object_get(json, "metadata");
    const json_t *tags = json_object_get(json, "tags");

    if (!json_is_object(json))
        return err_set(e, ERR_INVALID, "object properties are not a JSON object");
    if (read_words(json, &o, e) < 0 || read_numbers(json, &o, e) < 0)
        return -1;
    if (metadata && pairs_from_object(metadata, &o.metadata, e) < 0)
        return err_prefix(e, "metadata");
    if (tags && pairs_from_object(tags, &o.tags, e) < 0)
        return err_prefix(e, "tags");
    if (read_checksums(json_object_get(json, "stored"), &o, e) < 0)
        return -1;
    o.tag_count = (unsigned)o.tags.count;
    *ret = o;
    o = (struct object)OBJECT_INIT;
    return 0;
}
