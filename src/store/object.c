// SPDX-License-Identifier: EUPL-1.2
/* Objects, checksums and lists of objects: see object.h. */
#include "store/object.h"

#include <string.h>

#include "util/common.h"

/* Every string an object owns. */
static const size_t string_fields[] = {
    offsetof(struct object, name),
    offsetof(struct object, version),
    offsetof(struct object, etag),
    offsetof(struct object, content_type),
    offsetof(struct object, content_encoding),
    offsetof(struct object, content_language),
    offsetof(struct object, content_disposition),
    offsetof(struct object, cache_control),
    offsetof(struct object, expires),
    offsetof(struct object, tier),
    offsetof(struct object, waking),
    offsetof(struct object, acl),
    offsetof(struct object, owner),
    offsetof(struct object, group),
    offsetof(struct object, immutable_until),
    offsetof(struct object, immutable_mode),
    offsetof(struct object, encryption_scope),
};

static const struct {
    size_t offset;
    size_t size;
    const char *word;
} checksum_fields[CHECKSUM_KIND_COUNT] = {
    [CHECKSUM_MD5] = {offsetof(struct checksums, md5), 16, "md5"},
    [CHECKSUM_CRC64] = {offsetof(struct checksums, crc64), 8, "crc64"},
    [CHECKSUM_CRC32C] = {offsetof(struct checksums, crc32c), 4, "crc32c"},
    [CHECKSUM_SHA256] = {offsetof(struct checksums, sha256), 32, "sha256"},
    [CHECKSUM_CRC32] = {offsetof(struct checksums, crc32), 4, "crc32"},
    [CHECKSUM_SHA1] = {offsetof(struct checksums, sha1), 20, "sha1"},
};

static const char *const type_words[] = {
    [OBJECT_BLOCK] = "block",
    [OBJECT_APPEND] = "append",
    [OBJECT_PAGE] = "page",
};

static const char *const kind_words[] = {
    [VERSION_CURRENT] = "current", [VERSION_ID] = "version",    [VERSION_SNAPSHOT] = "snapshot",
    [VERSION_DELETED] = "deleted", [VERSION_MARKER] = "marker",
};

unsigned char *checksum_bytes(struct checksums *c, enum checksum_kind kind)
{
    return (unsigned char *)c + checksum_fields[kind].offset;
}

size_t checksum_size(enum checksum_kind kind)
{
    return checksum_fields[kind].size;
}

const char *checksum_word(enum checksum_kind kind)
{
    return checksum_fields[kind].word;
}

void checksum_set(struct checksums *c, enum checksum_kind kind, const void *bytes)
{
    memcpy(checksum_bytes(c, kind), bytes, checksum_size(kind));
    c->have |= 1U << kind;
}

int checksums_compare(const struct checksums *a, const struct checksums *b)
{
    const char *left = (const char *)a, *right = (const char *)b;
    int agreed = 0;

    for (size_t kind = 0; kind < CHECKSUM_KIND_COUNT; kind++) {
        size_t offset = checksum_fields[kind].offset;
        if (!(a->have & b->have & (1U << kind)))
            continue;
        if (memcmp(left + offset, right + offset, checksum_fields[kind].size) != 0)
            return -1;
        agreed = 1;
    }
    return agreed;
}

static char **string_field(struct object *o, size_t index)
{
    return (char **)(void *)((char *)o + string_fields[index]);
}

void object_release(struct object *o)
{
    for (size_t i = 0; i < ARRAY_SIZE(string_fields); i++)
        free(*string_field(o, i));
    pairs_release(&o->metadata);
    pairs_release(&o->tags);
    *o = (struct object)OBJECT_INIT;
}

void object_copy(struct object *into, const struct object *from)
{
    struct object copy = *from;

    for (size_t i = 0; i < ARRAY_SIZE(string_fields); i++)
        *string_field(&copy, i) = xstrdup_null(*string_field(&copy, i));
    copy.metadata = copy.tags = (struct pairs)PAIRS_INIT;
    pairs_copy(&copy.metadata, &from->metadata);
    pairs_copy(&copy.tags, &from->tags);
    object_release(into);
    *into = copy;
}

void object_list_release(struct object_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        object_release(&l->list[i]);
    for (size_t i = 0; i < l->prefix_count; i++)
        free(l->prefixes[i]);
    free(l->list);
    free(l->prefixes);
    free(l->cursor);
    pairs_release(&l->left_out);
    *l = (struct object_list)OBJECT_LIST_INIT;
}

struct object *object_list_add(struct object_list *l)
{
    if (l->count == l->size) {
        l->size = l->size ? l->size * 2 : 16;
        l->list = xrealloc(l->list, l->size, sizeof(*l->list));
    }
    struct object *o = &l->list[l->count++];
    *o = (struct object)OBJECT_INIT;
    return o;
}

void object_list_add_prefix(struct object_list *l, const char *prefix)
{
    /* The room is always the next power of two, so that it need not be stored. */
    if ((l->prefix_count & (l->prefix_count - 1)) == 0)
        l->prefixes =
            xrealloc(l->prefixes, l->prefix_count ? l->prefix_count * 2 : 1, sizeof(*l->prefixes));
    l->prefixes[l->prefix_count++] = xstrdup(prefix);
}

static int find_word(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

const char *object_type_word(enum object_type type)
{
    return type_words[type];
}

int object_type_from_word(const char *word, enum object_type *ret)
{
    int found = find_word(type_words, ARRAY_SIZE(type_words), word);

    if (found < 0)
        return -1;
    *ret = (enum object_type)found;
    return 0;
}

const char *version_kind_word(enum version_kind kind)
{
    return kind_words[kind];
}

int version_kind_from_word(const char *word, enum version_kind *ret)
{
    int found = find_word(kind_words, ARRAY_SIZE(kind_words), word);

    if (found < 0)
        return -1;
    *ret = (enum version_kind)found;
    return 0;
}
