// SPDX-License-Identifier: EUPL-1.2
/* What an object carries besides its bytes: see carry.h. */
#include "move/carry.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "codec/base64.h"
#include "codec/date.h"
#include "store/object_json.h"
#include "util/random.h"

#define SIDECAR_FORMAT 1

/* The extras, in the order they are written. */
enum extra { EXTRA_CREATED, EXTRA_MODIFIED, EXTRA_TYPE, EXTRA_TIER, EXTRA_MD5, EXTRA_KEYS };
static const char *const extra_words[] = {"created", "modified", "type", "tier", "md5", "keys"};
static const char sidecar_word[] = "sidecar";

/* The five content headers and Expires. */
static const struct {
    const char *word;
    size_t offset;
} headers[] = {
    {"content_type", offsetof(struct object, content_type)},
    {"content_encoding", offsetof(struct object, content_encoding)},
    {"content_language", offsetof(struct object, content_language)},
    {"content_disposition", offsetof(struct object, content_disposition)},
    {"cache_control", offsetof(struct object, cache_control)},
    {"expires", offsetof(struct object, expires)},
};

static char **header_of(const struct object *o, size_t index)
{
    return (char **)(void *)((char *)(uintptr_t)o + headers[index].offset);
}

void carried_release(struct carried *c)
{
    object_release(&c->properties);
    free(c->sidecar);
    c->sidecar = NULL;
    buf_release(&c->left);
}

/* Text that can stand in a header and comes back as it was. */
static bool is_header_text(const char *text)
{
    size_t length = strlen(text);

    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            return false;
    return !length || (text[0] != ' ' && text[length - 1] != ' ');
}

static bool is_identifier(const char *key)
{
    if (!isalpha((unsigned char)key[0]) && key[0] != '_')
        return false;
    for (const unsigned char *c = (const unsigned char *)key; *c; c++)
        if (*c > 0x7e || (!isalnum(*c) && *c != '_'))
            return false;
    return true;
}

static bool is_token(const char *key)
{
    if (!*key)
        return false;
    for (const unsigned char *c = (const unsigned char *)key; *c; c++)
        if (*c > 0x7e || (!isalnum(*c) && !strchr("-_.!#$%&'*+^`|~", *c)))
            return false;
    return true;
}

/* What a store that does not keep case makes of keys: lower case, and some (Ceph) '-' of '_'. */
static char folded(char c)
{
    return c == '_' ? '-' : (char)tolower((unsigned char)c);
}

static bool is_folded(const char *text)
{
    for (; *text; text++)
        if (folded(*text) != *text)
            return false;
    return true;
}

static bool same_folded(const char *a, const char *b, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (folded(a[i]) != folded(b[i]))
            return false;
    return true;
}

static void leave(struct carried *c, const char *word)
{
    if (strstr(c->left.data, word))
        return;
    if (c->left.length)
        buf_char(&c->left, ' ');
    buf_text(&c->left, word);
}

static size_t metadata_bytes(const struct pairs *metadata)
{
    size_t bytes = 0;

    for (size_t i = 0; i < metadata->count; i++)
        bytes += strlen(metadata->list[i].key) + strlen(metadata->list[i].value);
    return bytes;
}

/* Add one pair when the target's limits allow it, keeping room for the side-car's own word. */
static bool fits(const struct pairs *have, const struct store_traits *t, const char *key,
                 const char *value)
{
    const size_t reserve = 48;

    if (!(t->metadata_identifiers ? is_identifier(key) : is_token(key)) || !is_header_text(value))
        return false;
    if (t->metadata_value_max && strlen(value) > t->metadata_value_max)
        return false;
    if (t->metadata_count_max && have->count + 2 > t->metadata_count_max)
        return false;
    return !t->metadata_bytes_max ||
           metadata_bytes(have) + strlen(key) + strlen(value) + reserve <= t->metadata_bytes_max;
}

static void extra_key(const struct store_traits *t, const char *word, char key[64])
{
    (void)snprintf(key, 64, "bascule%c%s", t->metadata_identifiers ? '_' : '-', word);
}

static void add_extra(struct carried *c, const struct store_traits *t, enum extra which,
                      const char *value)
{
    char key[64];

    extra_key(t, extra_words[which], key);
    if (fits(&c->properties.metadata, t, key, value))
        pairs_add(&c->properties.metadata, key, value);
    else
        leave(c, extra_words[which]);
}

static void carry_headers(struct carried *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        char **value = header_of(&c->properties, i);
        if (*value && !is_header_text(*value)) {
            leave(c, headers[i].word);
            replace_string(value, NULL);
        }
    }
}

static const char *value_of(const struct pairs *metadata, const char *key, bool keeps_case)
{
    size_t length = strlen(key);

    if (keeps_case)
        return pairs_get(metadata, key);
    for (size_t i = 0; i < metadata->count; i++)
        if (strlen(metadata->list[i].key) == length &&
            same_folded(metadata->list[i].key, key, length))
            return metadata->list[i].value;
    return NULL;
}

static void carry_metadata(const struct object *from, const struct store_traits *t,
                           struct carried *c)
{
    auto_buf struct buf keys = BUF_INIT(64 * 1024);

    pairs_release(&c->properties.metadata);
    for (size_t i = 0; i < from->metadata.count; i++) {
        const struct pair *p = &from->metadata.list[i];
        bool clash =
            !t->metadata_keeps_case && pairs_get_nocase(&c->properties.metadata, p->key) != NULL;
        if (clash || !fits(&c->properties.metadata, t, p->key, p->value)) {
            leave(c, "metadata");
            continue;
        }
        pairs_add(&c->properties.metadata, p->key, p->value);
        if (!t->metadata_keeps_case && !is_folded(p->key)) {
            if (keys.length)
                buf_char(&keys, ',');
            buf_text(&keys, p->key);
        }
    }
    if (keys.length)
        add_extra(c, t, EXTRA_KEYS, keys.data);
}

static void carry_times(const struct object *from, const struct store_traits *t, struct carried *c)
{
    char when[DATE_TEXT];

    /* Azure gives every blob times of its own and its metadata belongs to applications: the
     * original's times stay in the ledger and the manifest. */
    if (t->holds_times || t->metadata_identifiers)
        return;
    if (from->created != TIME_UNKNOWN) {
        date_iso8601(when, sizeof(when), from->created, from->created % CLOCK_SECOND ? 9 : 0);
        add_extra(c, t, EXTRA_CREATED, when);
    }
    if (from->modified != TIME_UNKNOWN) {
        date_iso8601(when, sizeof(when), from->modified, from->modified % CLOCK_SECOND ? 9 : 0);
        add_extra(c, t, EXTRA_MODIFIED, when);
    }
}

static void carry_small_things(const struct object *from, const struct store_traits *t,
                               struct carried *c)
{
    carry_times(from, t, c);
    if (!t->holds_type && from->type != OBJECT_BLOCK)
        add_extra(c, t, EXTRA_TYPE, object_type_word(from->type));
    if (!t->holds_tier && from->tier && !from->tier_inferred)
        add_extra(c, t, EXTRA_TIER, from->tier);
    if (!t->holds_type && (from->stored.have & (1U << CHECKSUM_MD5))) {
        auto_buf struct buf md5 = BUF_INIT(64);
        base64_encode(&md5, from->stored.md5, sizeof(from->stored.md5));
        add_extra(c, t, EXTRA_MD5, md5.data);
    }
    if (from->tags.count > t->tags_max) {
        pairs_release(&c->properties.tags);
        leave(c, "tags");
    }
}

static void carry_rare_things(const struct object *from, const struct store_traits *t,
                              struct carried *c)
{
    if (from->sequence && !t->holds_type)
        leave(c, "sequence");
    if (from->acl || from->owner || from->group)
        leave(c, "acl");
    if (from->immutable_until || from->legal_hold)
        leave(c, "immutability");
    if (from->encryption_scope)
        leave(c, "encryption_scope");
    if (from->kind != VERSION_CURRENT)
        leave(c, "history");
}

static void write_sidecar(const struct object *original, const char *name,
                          const struct store_traits *t, struct carried *c)
{
    char id[17], key[64];

    random_hex(id, 8);
    extra_key(t, sidecar_word, key);
    pairs_add(&c->properties.metadata, key, id);
    struct object told = *original;
    told.name = (char *)(uintptr_t)name;
    json_t *json = json_object();
    (void)json_object_set_new(json, "bascule_sidecar", json_integer(SIDECAR_FORMAT));
    (void)json_object_set_new(json, "id", json_string(id));
    (void)json_object_set_new(json, "left", json_string(c->left.data));
    (void)json_object_set_new(json, "object", object_to_json(&told));
    c->sidecar = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(json);
}

bool carry_is_sidecar(const char *text)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    bool result = json_is_integer(json_object_get(json, "bascule_sidecar"));

    json_decref(json);
    return result;
}

void carry(const struct object *original, const char *name, bool renamed,
           const struct store_traits *target, struct carried *ret)
{
    object_copy(&ret->properties, original);
    replace_string(&ret->properties.name, NULL);
    if (renamed)
        leave(ret, "name");
    if (!target->holds_everything) {
        carry_headers(ret);
        carry_metadata(original, target, ret);
        carry_small_things(original, target, ret);
        carry_rare_things(original, target, ret);
    }
    if (ret->left.length)
        write_sidecar(original, name, target, ret);
}

/* The value of one of our extras, whichever way its key was joined. */
static const char *extra_get(const struct pairs *metadata, const char *word)
{
    char key[64];

    (void)snprintf(key, sizeof(key), "bascule-%s", word);
    const char *value = pairs_get_nocase(metadata, key);
    if (value)
        return value;
    (void)snprintf(key, sizeof(key), "bascule_%s", word);
    return pairs_get_nocase(metadata, key);
}

static bool is_extra(const char *key)
{
    if (strncasecmp(key, "bascule-", 8) != 0 && strncasecmp(key, "bascule_", 8) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(extra_words); i++)
        if (strcasecmp(key + 8, extra_words[i]) == 0)
            return true;
    return strcasecmp(key + 8, sidecar_word) == 0;
}

const char *carry_sidecar_id(const struct object *o)
{
    return extra_get(&o->metadata, sidecar_word);
}

static void restore_case(struct pairs *metadata, const char *keys)
{
    while (*keys) {
        size_t length = strcspn(keys, ",");
        for (size_t i = 0; i < metadata->count; i++) {
            char *key = metadata->list[i].key;
            if (strlen(key) == length && same_folded(key, keys, length))
                memcpy(key, keys, length);
        }
        keys += length;
        if (*keys)
            keys++;
    }
}

static int from_extras(struct object *o, struct err *e)
{
    const char *value;

    if ((value = extra_get(&o->metadata, "created")) &&
        date_parse_iso8601(value, &o->created, e) < 0)
        return err_prefix(e, "bascule-created");
    if ((value = extra_get(&o->metadata, "modified")) &&
        date_parse_iso8601(value, &o->modified, e) < 0)
        return err_prefix(e, "bascule-modified");
    if ((value = extra_get(&o->metadata, "type")) && object_type_from_word(value, &o->type) < 0)
        return err_set(e, ERR_CORRUPT, "bascule-type: unknown word '%s'", value);
    if ((value = extra_get(&o->metadata, "tier"))) {
        replace_string(&o->tier, value);
        o->tier_inferred = false;
    }
    if ((value = extra_get(&o->metadata, "md5"))) {
        auto_buf struct buf md5 = BUF_INIT(64);
        if (base64_decode(value, strlen(value), &md5, e) < 0 || md5.length != 16)
            return err_set(e, ERR_CORRUPT, "bascule-md5: not the base64 of 16 bytes");
        checksum_set(&o->stored, CHECKSUM_MD5, md5.data);
    }
    if ((value = extra_get(&o->metadata, "keys"))) {
        auto_free char *keys = xstrdup(value);
        restore_case(&o->metadata, keys);
    }
    return 0;
}

static int from_sidecar(struct object *o, const char *text, char **ret_name, struct err *e)
{
    json_error_t where;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &where);
    auto_object struct object original = OBJECT_INIT;
    const char *id = carry_sidecar_id(o);
    int result = -1;

    if (!json)
        return err_set(e, ERR_CORRUPT, "side-car, line %d: %s", where.line, where.text);
    const char *its_id = json_string_value(json_object_get(json, "id"));
    if (json_integer_value(json_object_get(json, "bascule_sidecar")) != SIDECAR_FORMAT)
        (void)err_set(e, ERR_CORRUPT, "not a side-car of a known format");
    else if (!its_id || !id || strcmp(its_id, id) != 0)
        (void)err_set(e, ERR_CORRUPT, "the side-car belongs to another state of the object");
    else
        result = object_from_json(json_object_get(json, "object"), &original, e);
    json_decref(json);
    if (result < 0)
        return err_prefix(e, "side-car");
    if (ret_name)
        *ret_name = take(original.name);
    /* The body and its own identity stay what they are; all else is the original's. */
    free(original.etag);
    original.etag = take(o->etag);
    free(original.name);
    original.name = take(o->name);
    original.size = o->size;
    object_release(o);
    *o = original;
    original = (struct object)OBJECT_INIT;
    return 0;
}

int carry_back(struct object *o, const char *sidecar, char **ret_name, struct err *e)
{
    if (ret_name)
        *ret_name = NULL;
    if (sidecar)
        return from_sidecar(o, sidecar, ret_name, e);
    if (from_extras(o, e) < 0)
        return -1;
    for (size_t i = o->metadata.count; i > 0; i--)
        if (is_extra(o->metadata.list[i - 1].key))
            pairs_remove(&o->metadata, i - 1);
    return 0;
}

bool carry_same(const struct object *expected, const struct object *there,
                const struct store_traits *target)
{
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        const char *want = *header_of(expected, i), *have = *header_of(there, i);
        /* Every store gives some type to what came without one. */
        if (want && *want && !same_string(want, have))
            return false;
    }
    for (size_t i = 0; i < expected->metadata.count; i++) {
        const struct pair *p = &expected->metadata.list[i];
        const char *have = value_of(&there->metadata, p->key, target->metadata_keeps_case);
        /* A side-car's id is random: that there is one on both sides is all that can be said. */
        if (!have || (strcmp(p->value, have) != 0 && !is_extra(p->key)))
            return false;
    }
    return expected->metadata.count == there->metadata.count;
}

/* What one of two lists has and the other has not, or has with another value; a new string. */
static char *pairs_difference(const char *what, const struct pairs *first,
                              const struct pairs *second)
{
    for (size_t i = 0; i < first->count; i++) {
        const struct pair *p = &first->list[i];
        const char *other = pairs_get(second, p->key);
        if (!other)
            return xasprintf("%s '%s' is missing", what, p->key);
        if (strcmp(p->value, other) != 0)
            return xasprintf("%s '%s' is '%.200s', not '%.200s'", what, p->key, other, p->value);
    }
    for (size_t i = 0; i < second->count; i++)
        if (!pairs_get(first, second->list[i].key))
            return xasprintf("%s '%s' is there besides", what, second->list[i].key);
    return NULL;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

char *carry_difference(const struct object *first, const struct object *second)
{
    if (first->type != second->type)
        return xasprintf("the type is %s, not %s", object_type_word(second->type),
                         object_type_word(first->type));
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        const char *one = or_empty(*header_of(first, i)), *other = or_empty(*header_of(second, i));
        bool given = headers[i].offset == offsetof(struct object, content_type);
        if (strcmp(one, other) != 0 && !(given && !*one))
            return xasprintf("%s is '%.200s', not '%.200s'", headers[i].word, other, one);
    }
    char *difference = pairs_difference("metadata", &first->metadata, &second->metadata);
    return difference ? difference : pairs_difference("tag", &first->tags, &second->tags);
}
